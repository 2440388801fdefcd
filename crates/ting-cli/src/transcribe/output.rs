//! The forms of a file's result.

use serde::Serialize;
use ting_engine::{Sentence, Word};

use super::OutputFormat;
use super::subtitles::{cues, srt, vtt};
use crate::text::append_sentence;

/// The JSON object of a file.
#[derive(Serialize)]
struct FileResult<'a> {
    file: &'a str,
    /// All sentences together.
    text: String,
    duration_ms: u64,
    sentences: Vec<ting_protocol::Sentence>,
}

/// The object of the file `name`, on one line.
pub(crate) fn json_line(name: &str, duration_ms: u64, sentences: &[Sentence]) -> String {
    let mut text = String::new();
    for sentence in sentences {
        append_sentence(&mut text, &sentence.text);
    }
    let sentences = sentences.iter().map(on_the_wire).collect();
    let result = FileResult {
        file: name,
        text,
        duration_ms,
        sentences,
    };
    // Strings, integers and lists: there is nothing in it that JSON cannot say.
    serde_json::to_string(&result).unwrap_or_default() + "\n"
}

/// The subtitle file of `sentences`.
pub(crate) fn subtitles(format: OutputFormat, sentences: &[Sentence]) -> String {
    let cues = cues(sentences);
    if format == OutputFormat::Vtt {
        vtt(&cues)
    } else {
        srt(&cues)
    }
}

/// A final as the wire has it.
fn on_the_wire(sentence: &Sentence) -> ting_protocol::Sentence {
    ting_protocol::Sentence {
        begin_time: sentence.begin_ms,
        end_time: Some(sentence.end_ms),
        text: sentence.text.clone(),
        heartbeat: false,
        sentence_begin: sentence.first,
        sentence_end: true,
        sentence_id: sentence.id,
        words: sentence
            .words
            .iter()
            .map(|word| ting_protocol::Word {
                begin_time: word.begin_ms,
                end_time: Some(word.end_ms),
                text: word.text.clone(),
                punctuation: word.punctuation.clone(),
                fixed: None,
            })
            .collect(),
        stash: None,
    }
}

/// A final of the wire as the recogniser gives it.
pub(crate) fn from_the_wire(sentence: &ting_protocol::Sentence) -> Sentence {
    let words = sentence.words.iter().map(|word| Word {
        begin_ms: word.begin_time,
        end_ms: word.end_time.unwrap_or(word.begin_time),
        text: word.text.clone(),
        punctuation: word.punctuation.clone(),
    });
    let words: Vec<Word> = words.collect();
    Sentence {
        id: sentence.sentence_id,
        begin_ms: sentence.begin_time,
        end_ms: sentence.end_time.unwrap_or(sentence.begin_time),
        text: sentence.text.clone(),
        fixed: words.len(),
        words,
        first: sentence.sentence_begin,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use ting_engine::{Sentence, Word};

    use super::json_line;

    #[test]
    fn an_object_on_a_line() {
        let word = |begin_ms, end_ms, text: &str, punctuation: &str| Word {
            begin_ms,
            end_ms,
            text: text.to_owned(),
            punctuation: punctuation.to_owned(),
        };
        let sentences = [
            Sentence {
                id: 1,
                begin_ms: 170,
                end_ms: 920,
                text: "好，\"我\"".to_owned(),
                words: vec![word(170, 295, "好", "，"), word(295, 920, "我", "")],
                fixed: 2,
                first: false,
            },
            Sentence {
                id: 2,
                begin_ms: 2000,
                end_ms: 2500,
                text: "Yes.".to_owned(),
                words: vec![word(2000, 2500, "Yes", ".")],
                fixed: 1,
                first: true,
            },
        ];
        let line = json_line("a b.wav", 3000, &sentences);
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let expected = json!({
            "file": "a b.wav",
            "text": "好，\"我\" Yes.",
            "duration_ms": 3000,
            "sentences": [
                {"begin_time": 170, "end_time": 920, "text": "好，\"我\"", "heartbeat": false,
                 "sentence_begin": false, "sentence_end": true, "sentence_id": 1, "words": [
                    {"begin_time": 170, "end_time": 295, "text": "好", "punctuation": "，"},
                    {"begin_time": 295, "end_time": 920, "text": "我", "punctuation": ""}]},
                {"begin_time": 2000, "end_time": 2500, "text": "Yes.", "heartbeat": false,
                 "sentence_begin": true, "sentence_end": true, "sentence_id": 2, "words": [
                    {"begin_time": 2000, "end_time": 2500, "text": "Yes", "punctuation": "."}]},
            ],
        });
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), expected);
    }

    #[test]
    fn a_file_without_speech() {
        let expected = "{\"file\":\"-\",\"text\":\"\",\"duration_ms\":20,\"sentences\":[]}\n";
        assert_eq!(json_line("-", 20, &[]), expected);
    }
}
