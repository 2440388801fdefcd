//! Where a sentence ended by what was said, told from the marks in the partials of an open segment.

use crate::api::Word;
use crate::segmenter::FRAME_MS;

/// A mark has to stand in this many partials, one per 180 ms of speech: a search that hears more often takes marks back.
const STANDS: u8 = 3;
/// Words that follow a mark before it ends a sentence: what comes next shows whether the sentence goes on.
const FOLLOWING: usize = 2;

/// Where an open segment is to be divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Division {
    /// First frame of the task that belongs to the next sentence.
    pub(crate) frame: usize,
    /// One past the last frame of the last word before.
    pub(crate) spoken_end: usize,
    /// First frame of the next sentence's first word.
    pub(crate) next_word: usize,
}

/// Watches the partials of one segment. What it decides depends on the partials alone.
#[derive(Debug, Default)]
pub(crate) struct SentenceEnd {
    candidate: Option<Candidate>,
}

#[derive(Debug)]
struct Candidate {
    /// Words up to and with the one before the mark.
    words: usize,
    /// The word before the mark.
    text: String,
    /// Partials that had the mark there, one after the other.
    seen: u8,
}

impl SentenceEnd {
    /// Takes the words of the next partial. Gives where the first sentence of the segment ends, once that is settled.
    pub(crate) fn see(&mut self, words: &[Word]) -> Option<Division> {
        let Some(last) = words
            .iter()
            .position(|word| ends_sentence(&word.punctuation))
        else {
            self.candidate = None;
            return None;
        };
        let seen = match &self.candidate {
            Some(before) if before.words == last + 1 && before.text == words[last].text => {
                before.seen.saturating_add(1)
            }
            _ => 1,
        };
        self.candidate = Some(Candidate {
            words: last + 1,
            text: words[last].text.clone(),
            seen,
        });
        if seen < STANDS || words.len() <= last + FOLLOWING {
            return None;
        }
        let (end_ms, next_ms) = (words[last].end_ms, words[last + 1].begin_ms);
        Some(Division {
            frame: ((end_ms + next_ms) / (2 * FRAME_MS)) as usize,
            spoken_end: (end_ms / FRAME_MS) as usize,
            next_word: (next_ms / FRAME_MS) as usize,
        })
    }
}

/// Whether `punctuation` is a mark that ends a sentence, in any of the scripts that words are written in.
fn ends_sentence(punctuation: &str) -> bool {
    punctuation
        .chars()
        .any(|mark| matches!(mark, '。' | '？' | '！' | '.' | '?' | '!'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of 200 ms with 100 ms between them, from texts such as `好。`.
    fn words(texts: &[&str]) -> Vec<Word> {
        let word = |(i, text): (usize, &&str)| {
            let bare = text.trim_end_matches(['。', '？', '，', '.', ',']);
            Word {
                begin_ms: 300 * i as u64,
                end_ms: 300 * i as u64 + 200,
                text: bare.to_owned(),
                punctuation: text[bare.len()..].to_owned(),
            }
        };
        texts.iter().enumerate().map(word).collect()
    }

    #[test]
    fn a_mark_that_stands_ends_the_sentence() {
        struct Case {
            name: &'static str,
            partials: &'static [&'static [&'static str]],
            /// The partial that settles it, and the frame.
            want: Option<(usize, usize)>,
        }
        let cases = [
            Case {
                name: "three partials and two words",
                partials: &[&["好。"], &["好。", "我"], &["好。", "我", "们"]],
                want: Some((2, 25)),
            },
            Case {
                name: "latin marks",
                partials: &[&["Hi.", "I", "am"] as &[_]; 3],
                want: Some((2, 25)),
            },
            Case {
                name: "a comma is no end",
                partials: &[&["好，", "我", "们"] as &[_]; 5],
                want: None,
            },
            Case {
                name: "too few words after it",
                partials: &[&["好。", "我"] as &[_]; 9],
                want: None,
            },
            Case {
                name: "a mark that was taken back counts anew",
                partials: &[
                    &["好。", "我", "们"],
                    &["好。", "我", "们"],
                    &["好", "我", "们"],
                    &["好。", "我", "们"],
                    &["好。", "我", "们"],
                    &["好。", "我", "们"],
                ],
                want: Some((5, 25)),
            },
            Case {
                name: "another word before the mark counts anew",
                partials: &[
                    &["好。", "我", "们"],
                    &["你。", "我", "们"],
                    &["你。", "我", "们"],
                    &["你。", "我", "们", "都"],
                ],
                want: Some((3, 25)),
            },
            Case {
                name: "a mark that moves counts anew",
                partials: &[
                    &["好。", "我", "们", "都"],
                    &["好", "我。", "们", "都"],
                    &["好", "我。", "们", "都"],
                    &["好", "我。", "们", "都"],
                ],
                want: Some((3, 55)),
            },
        ];
        let mut failed = Vec::new();
        for case in cases {
            let mut end = SentenceEnd::default();
            let got = case
                .partials
                .iter()
                .enumerate()
                .find_map(|(i, partial)| Some((i, end.see(&words(partial))?.frame)));
            if got != case.want {
                failed.push(format!("{}: {got:?}", case.name));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}
