//! Inverse normalisation: spoken numbers, dates, times, money and the like, written in figures.
//!
//! Rules work on a run: words with no mark between them. At each word they say how many words are one in writing.

mod chinese;
mod chinese_figures;
mod chinese_number;
mod chinese_numeral;
mod english;
mod english_number;
mod english_numeral;
mod idioms;
mod japanese;
mod spelled;

use crate::Word;
use crate::removal::retain;
use crate::script::{is_cjk, is_japanese};

/// Words of a run, as rules look at them.
pub(crate) struct Run {
    /// In lower case.
    words: Vec<String>,
    /// Of a word that is one CJK character that character, else [`NOT_CJK`]. In Chinese, [`TRADITIONAL`] ones are simplified.
    chars: Vec<char>,
}

/// Stands for what no rule about CJK characters matches.
const NOT_CJK: char = '\0';

/// Traditional characters of the rules, each followed by its simplified form. Not in it are 萬 and 億, which are kept in numbers.
const TRADITIONAL: &str = "點点負负兩两鐘钟時时號号樓楼塊块錢钱噸吨歐欧週周禮礼後后減减於于過过個个條条歲岁層层張张項项頁页隻只間间組组級级雙双對对\
                           輛辆場场輪轮幾几數数為为會会兒儿樣样邊边統统單单獨独無无圓圆";

fn simplified(c: char) -> char {
    let mut pairs = TRADITIONAL.chars();
    while let (Some(traditional), Some(simplified)) = (pairs.next(), pairs.next()) {
        if traditional == c {
            return simplified;
        }
    }
    c
}

impl Run {
    fn new(words: &[Word], japanese: bool) -> Self {
        let char_of = |word: &Word| {
            let mut chars = word.text.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) if is_cjk(c) && japanese => c,
                (Some(c), None) if is_cjk(c) => simplified(c),
                _ => NOT_CJK,
            }
        };
        Self {
            words: words.iter().map(|word| word.text.to_lowercase()).collect(),
            chars: words.iter().map(char_of).collect(),
        }
    }

    /// The word at `at`; empty beyond the ends.
    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    /// The character at `at`; [`NOT_CJK`] beyond the end.
    fn char(&self, at: usize) -> char {
        self.chars.get(at).copied().unwrap_or(NOT_CJK)
    }

    /// The character before `at`; [`NOT_CJK`] at the start.
    fn char_before(&self, at: usize) -> char {
        at.checked_sub(1).map_or(NOT_CJK, |at| self.char(at))
    }

    /// How many words `text` of CJK characters is, if they stand at `at`.
    fn spells(&self, at: usize, text: &str) -> Option<usize> {
        let mut length = 0;
        for c in text.chars() {
            if self.char(at + length) != c {
                return None;
            }
            length += 1;
        }
        Some(length)
    }

    /// The same for the longest of several texts.
    fn spells_any(&self, at: usize, texts: &[&str]) -> Option<usize> {
        texts.iter().filter_map(|text| self.spells(at, text)).max()
    }

    /// Whether one of `texts` of CJK characters stands directly before `at`.
    fn follows_any(&self, at: usize, texts: &[&str]) -> bool {
        texts.iter().any(|text| {
            at.checked_sub(text.chars().count())
                .is_some_and(|start| self.spells(start, text).is_some())
        })
    }

    /// The word before `at`; empty at the start.
    fn before(&self, at: usize) -> &str {
        at.checked_sub(1).map_or("", |at| self.word(at))
    }
}

/// `length` words, from `start` of the run, that are written as `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    start: usize,
    length: usize,
    text: String,
    /// A comma belongs after it, as in `March 3, 2025`.
    comma: bool,
}

impl Written {
    fn new(start: usize, length: usize, text: impl Into<String>) -> Self {
        Self {
            start,
            length,
            text: text.into(),
            comma: false,
        }
    }
}

/// What a rule says of the words at a place.
enum Step {
    /// So many words stay as they are, and are not looked at again.
    Keep(usize),
    /// So many words are written like that; those between and after the pieces stay.
    Write(usize, Vec<Written>),
}

impl Step {
    fn one(start: usize, length: usize, text: impl Into<String>) -> Self {
        Self::Write(length, vec![Written::new(start, length, text)])
    }
}

/// Writes the words of a sentence as one writes them.
pub(crate) fn apply(words: &mut Vec<Word>) {
    let japanese = is_japanese(words);
    let mut keep = vec![true; words.len()];
    let mut start = 0;
    while start < words.len() {
        let end = words[start..]
            .iter()
            .position(|word| !word.punctuation.is_empty())
            .map_or(words.len(), |at| start + at + 1);
        for written in run(&Run::new(&words[start..end], japanese), japanese) {
            write(&mut words[start..end], &mut keep[start..end], &written);
        }
        start = end;
    }
    retain(words, &keep);
}

fn run(run: &Run, japanese: bool) -> Vec<Written> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < run.words.len() {
        let step = if run.chars[at] == NOT_CJK {
            english::step(run, at).or_else(|| spelled::step(run, at))
        } else if japanese {
            japanese::step(run, at)
        } else {
            chinese::step(run, at)
        };
        match step {
            Some(Step::Write(length, pieces)) => {
                all.extend(pieces);
                at += length.max(1);
            }
            Some(Step::Keep(length)) => at += length.max(1),
            None => at += 1,
        }
    }
    all
}

/// Puts the text of a piece into the last of its words, which has the end and the mark of the group.
fn write(words: &mut [Word], keep: &mut [bool], piece: &Written) {
    let range = piece.start..piece.start + piece.length;
    let begin_ms = words[piece.start].begin_ms;
    keep[range.clone()].fill(false);
    if let Some(last) = words[range.clone()].last_mut() {
        last.begin_ms = begin_ms;
        last.text.clone_from(&piece.text);
        if piece.comma && last.punctuation.is_empty() {
            last.punctuation.push(',');
        }
        keep[range.end - 1] = true;
    }
}
