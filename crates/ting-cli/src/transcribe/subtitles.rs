//! SubRip and WebVTT.

use std::ops::Range;

use ting_engine::{Sentence, Word};
use unicode_width::UnicodeWidthStr;

/// Columns of a subtitle line; a Chinese character takes two. 42 is what subtitle style guides ask for.
const LINE_COLUMNS: usize = 42;

/// Columns of a cue: two lines.
const CUE_COLUMNS: usize = 2 * LINE_COLUMNS;

/// The longest a cue stays, in ms: the usual limit of 7 s.
const CUE_MS: u64 = 7000;

/// The shortest time a cue has, in ms; players drop cues without any.
const MIN_CUE_MS: u64 = 1;

/// Text to be shown for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cue {
    /// In ms from the start of the file.
    pub(crate) begin_ms: u64,
    /// In ms from the start of the file, after `begin_ms`.
    pub(crate) end_ms: u64,
    /// One line, or two divided by a line feed; never blank.
    pub(crate) text: String,
}

/// Cuts sentences into cues that can be read. A sentence that fits two lines and seven seconds is one cue; a longer one
/// is cut between words, at punctuation or pauses where there are any near its middle.
pub(crate) fn cues(sentences: &[Sentence]) -> Vec<Cue> {
    let mut cues = Vec::new();
    for sentence in sentences {
        let text = sentence
            .text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        if text.is_empty() {
            continue;
        }
        let starts = word_starts(&text, &sentence.words);
        if starts.is_empty() {
            // Without the places of its words a sentence cannot be cut.
            cues.push(Cue {
                begin_ms: sentence.begin_ms,
                end_ms: sentence.end_ms,
                text,
            });
            continue;
        }
        let source = Source {
            text: &text,
            starts: &starts,
            words: &sentence.words,
        };
        let first = cues.len();
        source.cut(0..starts.len(), &mut cues);
        // The sentence may begin before its first word; its last cue ends with it.
        if let Some(cue) = cues.get_mut(first) {
            cue.begin_ms = cue.begin_ms.min(sentence.begin_ms);
        }
        if let Some(cue) = cues.last_mut() {
            cue.end_ms = cue.end_ms.max(sentence.end_ms.min(cue.begin_ms + CUE_MS));
        }
    }
    for i in 0..cues.len() {
        let next = cues.get(i + 1).map_or(u64::MAX, |cue| cue.begin_ms);
        let cue = &mut cues[i];
        // Two cues at once would be shown on top of each other.
        if next > cue.begin_ms {
            cue.end_ms = cue.end_ms.min(next);
        }
        cue.end_ms = cue.end_ms.max(cue.begin_ms + MIN_CUE_MS);
    }
    cues
}

/// Where each word of a text starts, in bytes; empty when the words are not those of the text.
fn word_starts(text: &str, words: &[Word]) -> Vec<usize> {
    let mut starts = Vec::with_capacity(words.len());
    let mut at = 0;
    for word in words {
        let Some(found) = text[at..].find(word.text.as_str()) else {
            return Vec::new();
        };
        starts.push(at + found);
        at += found + word.text.len();
    }
    starts
}

struct Source<'a> {
    text: &'a str,
    starts: &'a [usize],
    words: &'a [Word],
}

impl Source<'_> {
    /// The text of a range of words, with what is before the first and after the last word of the sentence.
    fn text(&self, words: &Range<usize>) -> &str {
        let start = if words.start == 0 {
            0
        } else {
            self.starts[words.start]
        };
        let end = self
            .starts
            .get(words.end)
            .copied()
            .unwrap_or(self.text.len());
        self.text[start..end].trim()
    }

    /// Adds the cues of a range of words.
    fn cut(&self, words: Range<usize>, cues: &mut Vec<Cue>) {
        let begin_ms = self.words[words.start].begin_ms;
        let end_ms = self.words[words.end - 1].end_ms;
        let fits =
            self.text(&words).width() <= CUE_COLUMNS && end_ms.saturating_sub(begin_ms) <= CUE_MS;
        if fits || words.len() == 1 {
            cues.push(Cue {
                begin_ms,
                end_ms,
                text: self.lines(&words),
            });
            return;
        }
        let middle = self.best_cut(&words);
        self.cut(words.start..middle, cues);
        self.cut(middle..words.end, cues);
    }

    /// The index of the word that should start the second part.
    fn best_cut(&self, words: &Range<usize>) -> usize {
        let total = self.text(words).width() as f64;
        let cost = |cut: usize| {
            let left = self.text(&(words.start..cut)).width() as f64;
            // 0 in the middle, 1 at either end.
            let off_middle = (left / total * 2.0 - 1.0).abs();
            let before = &self.words[cut - 1];
            let pause_ms = self.words[cut].begin_ms.saturating_sub(before.end_ms) as f64;
            let ends_sentence = before
                .punctuation
                .contains(['.', '?', '!', '。', '？', '！', '；', ';']);
            let punctuation = match before.punctuation.is_empty() {
                false if ends_sentence => 0.8,
                false => 0.6,
                true => 0.0,
            };
            off_middle - punctuation - (pause_ms / 1000.0).min(0.6)
        };
        (words.start + 1..words.end)
            .min_by(|a, b| cost(*a).total_cmp(&cost(*b)))
            .unwrap_or(words.start + 1)
    }

    /// The text of a cue, in two lines of about the same width when one is not enough.
    fn lines(&self, words: &Range<usize>) -> String {
        let text = self.text(words);
        if text.width() <= LINE_COLUMNS || words.len() == 1 {
            return text.to_owned();
        }
        let widest = |cut: usize| {
            let first = self.text(&(words.start..cut)).width();
            first.max(self.text(&(cut..words.end)).width())
        };
        let cut = (words.start + 1..words.end).min_by_key(|cut| widest(*cut));
        cut.map_or(text.to_owned(), |cut| {
            format!(
                "{}\n{}",
                self.text(&(words.start..cut)),
                self.text(&(cut..words.end))
            )
        })
    }
}

/// Cues as SubRip. The format has no way to quote; only the arrow that would look like a time line is broken up.
pub(crate) fn srt(cues: &[Cue]) -> String {
    srt_after(0, cues)
}

/// Cues as they go on a SubRip file that has `before` already.
pub(crate) fn srt_after(before: usize, cues: &[Cue]) -> String {
    let cue = |(index, cue): (usize, &Cue)| {
        let (begin, end) = (timestamp(cue.begin_ms, ','), timestamp(cue.end_ms, ','));
        format!(
            "{}\n{begin} --> {end}\n{}\n\n",
            before + index + 1,
            cue.text.replace("-->", "->")
        )
    };
    cues.iter().enumerate().map(cue).collect()
}

/// What a WebVTT file begins with.
pub(crate) const VTT_HEADER: &str = "WEBVTT\n\n";

/// Cues as WebVTT (W3C).
pub(crate) fn vtt(cues: &[Cue]) -> String {
    VTT_HEADER.to_owned() + &vtt_cues(cues)
}

/// Cues as they go on a WebVTT file, with `&`, `<` and `>` escaped as its cue text requires.
pub(crate) fn vtt_cues(cues: &[Cue]) -> String {
    let mut out = String::new();
    for cue in cues {
        let (begin, end) = (timestamp(cue.begin_ms, '.'), timestamp(cue.end_ms, '.'));
        let text = cue
            .text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        out += &format!("{begin} --> {end}\n{text}\n\n");
    }
    out
}

/// `HH:MM:SS,mmm`, with more digits for the hours where needed.
fn timestamp(ms: u64, point: char) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!(
        "{hours:02}:{minutes:02}:{seconds:02}{point}{:03}",
        ms % 1000
    )
}

#[cfg(test)]
mod tests {
    use ting_engine::{Sentence, Word};
    use unicode_width::UnicodeWidthStr;

    use super::{Cue, cues, srt, timestamp, vtt};

    /// A sentence of words `step` ms apart; punctuation is split off each word.
    fn sentence(id: u32, begin_ms: u64, step: u64, words: &[&str], separator: &str) -> Sentence {
        let word = |(i, word): (usize, &&str)| {
            let text = word.trim_end_matches(['.', ',', '。', '，']);
            let begin_ms = begin_ms + i as u64 * step;
            Word {
                begin_ms,
                end_ms: begin_ms + step,
                text: text.to_owned(),
                punctuation: word[text.len()..].to_owned(),
            }
        };
        Sentence {
            id,
            begin_ms,
            end_ms: begin_ms + words.len() as u64 * step,
            text: words.join(separator),
            words: words.iter().enumerate().map(word).collect(),
            fixed: words.len(),
            first: false,
        }
    }

    #[test]
    fn timestamps() {
        let cases = [
            (0, "00:00:00,000"),
            (999, "00:00:00,999"),
            (61_001, "00:01:01,001"),
            (3_599_999, "00:59:59,999"),
            (86_400_000, "24:00:00,000"),
            (360_000_000, "100:00:00,000"),
        ];
        let failed: Vec<_> = cases
            .iter()
            .filter(|(ms, text)| timestamp(*ms, ',') != *text)
            .collect();
        assert!(failed.is_empty(), "{failed:?}");
    }

    #[test]
    fn short_sentences_are_a_cue_each() {
        let sentences = [
            sentence(1, 500, 300, &["Hello", "world."], " "),
            sentence(2, 3000, 200, &["好，", "我"], ""),
        ];
        let cues = cues(&sentences);
        assert_eq!(
            srt(&cues),
            "1\n00:00:00,500 --> 00:00:01,100\nHello world.\n\n2\n00:00:03,000 --> 00:00:03,400\n好，我\n\n"
        );
        assert_eq!(
            vtt(&cues),
            "WEBVTT\n\n00:00:00.500 --> 00:00:01.100\nHello world.\n\n00:00:03.000 --> 00:00:03.400\n好，我\n\n"
        );
        assert_eq!(
            (srt(&[]), vtt(&[])),
            (String::new(), "WEBVTT\n\n".to_owned())
        );
    }

    #[test]
    fn long_sentences_are_cut_at_punctuation_near_the_middle() {
        let words = "one two three four five six seven, eight nine ten eleven twelve thirteen fourteen fifteen \
                     sixteen seventeen eighteen.";
        let words: Vec<&str> = words.split_whitespace().collect();
        let cues = cues(&[sentence(1, 0, 300, &words, " ")]);
        assert_eq!(cues.len(), 2, "{cues:#?}");
        assert!(cues[0].text.ends_with("seven,"), "{cues:#?}");
        assert_eq!(
            (cues[0].begin_ms, cues[0].end_ms, cues[1].begin_ms),
            (0, 2100, 2100)
        );
    }

    #[test]
    fn every_cue_can_be_read_and_no_word_is_lost() {
        let english: Vec<String> = (0..100).map(|i| format!("word{i}")).collect();
        let english: Vec<&str> = english.iter().map(String::as_str).collect();
        let chinese: Vec<String> = "天地玄黄宇宙洪荒"
            .repeat(20)
            .chars()
            .map(String::from)
            .collect();
        let chinese: Vec<&str> = chinese.iter().map(String::as_str).collect();
        for (sentence, separator) in [
            (sentence(1, 0, 250, &english, " "), " "),
            (sentence(1, 0, 180, &chinese, ""), ""),
            (sentence(1, 0, 5000, &english[..9], " "), " "),
        ] {
            let cues = cues(std::slice::from_ref(&sentence));
            for cue in &cues {
                assert!(cue.text.lines().count() <= 2, "{cue:?}");
                assert!(cue.text.lines().all(|line| line.width() <= 44), "{cue:?}");
                assert!(
                    cue.end_ms > cue.begin_ms && cue.end_ms <= cue.begin_ms + 7000,
                    "{cue:?}"
                );
            }
            assert!(
                cues.windows(2)
                    .all(|pair| pair[0].end_ms <= pair[1].begin_ms)
            );
            let lines: Vec<&str> = cues.iter().flat_map(|cue| cue.text.lines()).collect();
            assert_eq!(lines.join(separator), sentence.text);
        }
    }

    #[test]
    fn markup_and_odd_input() {
        let cue = Cue {
            begin_ms: 0,
            end_ms: 1000,
            text: "a <b> & c --> d".to_owned(),
        };
        assert!(vtt(std::slice::from_ref(&cue)).ends_with("\na &lt;b&gt; &amp; c --&gt; d\n\n"));
        assert!(srt(&[cue]).ends_with("\na <b> & c -> d\n\n"));

        // A blank line would end the cue early.
        let mut odd = sentence(1, 0, 100, &["a", "b"], " ");
        odd.text = "a \n\n b".to_owned();
        assert_eq!(
            cues(&[odd]),
            [Cue {
                begin_ms: 0,
                end_ms: 200,
                text: "a b".to_owned()
            }]
        );

        // Words that are not in the text, no words, no text, no time.
        let mut odd = sentence(1, 0, 100, &["a", "b"], " ");
        odd.text = "xyz".to_owned();
        assert_eq!(
            cues(&[odd.clone()]),
            [Cue {
                begin_ms: 0,
                end_ms: 200,
                text: "xyz".to_owned()
            }]
        );
        odd.words.clear();
        odd.end_ms = 0;
        assert_eq!(
            cues(&[odd.clone()]),
            [Cue {
                begin_ms: 0,
                end_ms: 1,
                text: "xyz".to_owned()
            }]
        );
        odd.text.clear();
        assert_eq!(cues(&[odd]), []);
    }
}
