//! Rules for Chinese numbers. What is written how is in the tables of `tests/data`.
//!
//! Numbers from ten on and whatever has a fixed form are in figures; a single digit stays a character (`三个人`, `第一次`), unless a
//! unit of measure, a date, a time or an operation asks for figures. Units stay as they were spoken: `5公里`, `3点半`, `20块`.

use super::chinese_figures::{UNITS, is_in_figures, simple_fraction};
use super::chinese_number::{digit, is_numeral, numerals};
use super::chinese_numeral::{Form, Numeral, numeral};
use super::{Run, Step, Written, idioms};

/// Operators, spoken and written.
const OPERATORS: &[(&str, &str)] = &[
    ("加上", "+"),
    ("加", "+"),
    ("减去", "-"),
    ("减", "-"),
    ("乘以", "×"),
    ("乘", "×"),
    ("除以", "÷"),
    ("等于", "="),
    ("不等于", "≠"),
    ("约等于", "≈"),
    ("大于等于", "≥"),
    ("小于等于", "≤"),
    ("大于", ">"),
    ("小于", "<"),
];

/// After a comparison with `比` these say that it was none of scores: `三比二大`.
const ADJECTIVES: &str = "大小多少高低快慢好坏强弱长短重轻贵便更还";

/// What may follow a number whose last unit is unsaid: `一百五的`, `三万五左右`.
const AFTER_ELIDED: &[&str] = &[
    "块", "元", "个", "米", "斤", "公里", "公斤", "平", "里", "度", "多", "的", "左右", "以", "到",
    "至", "人", "岁", "年",
];

fn is_minus(c: char) -> bool {
    c == '负'
}

/// What is to be done at `at` of a Chinese run.
pub(super) fn step(run: &Run, at: usize) -> Option<Step> {
    if let Some(length) = idioms::chinese(run, at).or_else(|| weekday(run, at)) {
        return Some(Step::Keep(length));
    }
    let c = run.char(at);
    if is_minus(c) {
        return negative(run, at);
    }
    if !is_numeral(c) {
        return None;
    }
    if let Some(step) = per_cent(run, at, "") {
        return Some(step);
    }
    let rest = &run.chars[at..];
    let in_a_row = numerals(rest);
    let estimate = matches!(run.char_before(at), '几' | '数') && c == '十';
    let starts = digit(c).is_some() || matches!(c, '十' | '两');
    let Some(numeral) = numeral(run, at).filter(|_| starts && !estimate) else {
        return Some(Step::Keep(in_a_row));
    };
    let end = at + numeral.length;
    if run.char(end) == '几' {
        return Some(Step::Keep(numeral.length + 1));
    }
    // 一百五 is 150 before a unit, but 五百三公 is no number.
    if numeral.elided && end < run.words.len() && run.spells_any(end, AFTER_ELIDED).is_none() {
        return Some(Step::Keep(numeral.length));
    }
    if let Some(step) = operation(run, at, &numeral)
        .or_else(|| fraction(run, at, &numeral))
        .or_else(|| generation(run, at, &numeral))
    {
        return Some(step);
    }
    Some(if is_in_figures(run, at, &numeral, true) {
        Step::one(at, numeral.length, numeral.text)
    } else {
        Step::Keep(numeral.length)
    })
}

/// `星期三`, `周五`: what follows may be a number of its own.
fn weekday(run: &Run, at: usize) -> Option<usize> {
    let prefix = run.spells_any(at, &["星期", "礼拜", "周"])?;
    let day = run.char(at + prefix);
    let counted = prefix == 1 && is_numeral(run.char_before(at));
    (matches!(day, '一' | '二' | '三' | '四' | '五' | '六') && !counted).then_some(prefix + 1)
}

/// `百分之二十五`, `千分之三`; with `sign` before it. In `百分之十到二十` the second has its sign too.
fn per_cent(run: &Run, at: usize, sign: &str) -> Option<Step> {
    let (prefix, symbol) = [("百分之", "%"), ("千分之", "‰")]
        .into_iter()
        .find_map(|(prefix, symbol)| Some((run.spells(at, prefix)?, symbol)))?;
    let first = at + prefix;
    let (length, text) = part(run, first)?;
    let mut pieces = vec![Written::new(
        at,
        prefix + length,
        format!("{sign}{text}{symbol}"),
    )];
    let to = first + length;
    let mut end = to;
    if matches!(run.char(to), '到' | '至')
        && let Some((length, text)) = part(run, to + 1)
    {
        let after = to + 1 + length;
        let closed = after == run.words.len()
            || run
                .spells_any(after, &["的", "之间", "左右", "以上", "以下"])
                .is_some();
        if closed {
            pieces.push(Written::new(to + 1, length, format!("{text}{symbol}")));
            end = after;
        }
    }
    let length = end.max(first + pieces[0].length - prefix) - at;
    Some(Step::Write(length, pieces))
}

/// The number after `百分之`; `百` alone is a hundred.
fn part(run: &Run, at: usize) -> Option<(usize, String)> {
    if run.char(at) == '百' && !is_numeral(run.char(at + 1)) {
        return Some((1, "100".to_owned()));
    }
    numeral(run, at).map(|numeral| (numeral.length, numeral.text))
}

/// `负五度`, `负百分之三`, `负二十`. A single digit needs a reason to be a number.
fn negative(run: &Run, at: usize) -> Option<Step> {
    if "胜抱欺担辜肩自".contains(run.char_before(at)) {
        return None;
    }
    if let Some(Step::Write(length, mut pieces)) = per_cent(run, at + 1, "-") {
        pieces[0].start = at;
        pieces[0].length += 1;
        return Some(Step::Write(length + 1, pieces));
    }
    let numeral = numeral(run, at + 1)?;
    let end = at + 1 + numeral.length;
    if let Some(Step::Write(length, mut pieces)) = operation(run, at + 1, &numeral) {
        pieces[0].start = at;
        pieces[0].length += 1;
        pieces[0].text.insert(0, '-');
        return Some(Step::Write(length + 1, pieces));
    }
    let reason = numeral.form != Form::Small
        || end == run.words.len()
        || matches!(run.char(end), '度' | '楼' | '层' | '号' | '的')
        || run.spells_any(end, UNITS).is_some();
    reason.then(|| Step::one(at, 1 + numeral.length, format!("-{}", numeral.text)))
}

/// `三加五等于八` as one word, and the score `三比二`.
fn operation(run: &Run, at: usize, first: &Numeral) -> Option<Step> {
    if run.char_before(at) == '第' {
        return None;
    }
    let mut text = first.text.clone();
    let mut end = at + first.length;
    let mut operations = 0;
    while let Some((operator, symbol)) = OPERATORS
        .iter()
        .filter_map(|(spoken, symbol)| Some((run.spells(end, spoken)?, *symbol)))
        .max_by_key(|(length, _)| *length)
    {
        let sign = usize::from(is_minus(run.char(end + operator)));
        let Some(next) = numeral(run, end + operator + sign) else {
            break;
        };
        text.push_str(symbol);
        if sign == 1 {
            text.push('-');
        }
        text.push_str(&next.text);
        end += operator + sign + next.length;
        operations += 1;
    }
    if operations == 0 && run.char(end) == '比' {
        let second = numeral(run, end + 1)?;
        let after = end + 1 + second.length;
        if after < run.words.len() && ADJECTIVES.contains(run.char(after)) {
            return None;
        }
        text = format!("{text}:{}", second.text);
        end = after;
        operations = 1;
    }
    (operations > 0).then(|| Step::one(at, end - at, text))
}

/// `三分之二`, and the whole before `又`.
fn fraction(run: &Run, at: usize, numeral: &Numeral) -> Option<Step> {
    let (length, text) = simple_fraction(run, at, numeral)?;
    Some(Step::one(at, length, text))
}

/// `五 g` as `5G`: generations of networks, resolutions and dimensions, which are spoken with a letter.
fn generation(run: &Run, at: usize, numeral: &Numeral) -> Option<Step> {
    if numeral.form != Form::Small {
        return None;
    }
    let known = matches!(
        (numeral.text.as_str(), run.word(at + 1)),
        ("2" | "3" | "4" | "5" | "6", "g") | ("2" | "4" | "8", "k") | ("2" | "3", "d")
    );
    known.then(|| {
        let letter = run.word(at + 1).to_uppercase();
        Step::one(at, 2, format!("{}{letter}", numeral.text))
    })
}
