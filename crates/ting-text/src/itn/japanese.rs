//! Rules for Japanese numbers: from ten on, dates, times, money and per cent.

use super::chinese_figures::are_figures;
use super::chinese_number::{is_numeral, number, numerals};
use super::chinese_numeral::{Form, pointed};
use super::{Run, Step, idioms};

/// Counters before which a Japanese number is in figures even if it is a single digit.
const JAPANESE_UNITS: &[&str] = &[
    "月",
    "時",
    "分",
    "秒",
    "円",
    "歳",
    "ドル",
    "キロ",
    "メートル",
    "センチ",
    "ミリ",
    "グラム",
    "ページ",
    "パーセント",
    "号室",
    "階",
    "番線",
];

/// Counters before which a lone `十`, `百` or `千` is in figures.
const JAPANESE_COUNTERS: &[&str] = &[
    "月",
    "時",
    "秒",
    "円",
    "歳",
    "ドル",
    "キロ",
    "メートル",
    "センチ",
    "グラム",
    "ページ",
    "パーセント",
    "人",
    "年",
    "日",
    "個",
    "本",
    "枚",
    "回",
    "台",
    "冊",
    "匹",
    "階",
    "名",
    "件",
    "点",
];

/// What is to be done at `at` of a Japanese run: numbers from ten on, dates, times, money and per cent.
pub(super) fn step(run: &Run, at: usize) -> Option<Step> {
    if let Some(length) = idioms::japanese(run, at) {
        return Some(Step::Keep(length));
    }
    if !is_numeral(run.char(at)) {
        return None;
    }
    let chars = &run.chars[at..];
    let number = number(chars, true)
        .filter(|_| !matches!(run.char_before(at), '何' | '数' | '幾'))
        .filter(|number| run.char(at + number.length) != '何');
    let Some(number) = number else {
        return Some(Step::Keep(numerals(chars)));
    };
    let pointed = pointed(run, at, &number);
    let numeral = pointed.unwrap_or_else(|| number.into());
    let end = at + numeral.length;
    if let Some(unit) = run.spells(end, "パーセント") {
        return Some(Step::one(
            at,
            numeral.length + unit,
            format!("{}%", numeral.text),
        ));
    }
    let lone = numeral.length == 1;
    let in_figures = match numeral.form {
        Form::Pointed => true,
        Form::Digits(count) => are_figures(run, at, count),
        Form::Cardinal(_) if lone => run.spells_any(end, JAPANESE_COUNTERS).is_some(),
        Form::Cardinal(_) => true,
        // 一時 is "for a time" more often than one o'clock.
        Form::Small if run.char(at) == '一' && run.char(end) == '時' => {
            run.follows_any(at, &["午前", "午後"])
        }
        Form::Small => {
            run.spells_any(end, JAPANESE_UNITS).is_some()
                || (run.char_before(at) == '月' && run.char(end) == '日')
        }
    };
    Some(if in_figures {
        Step::one(at, numeral.length, numeral.text)
    } else {
        Step::Keep(numeral.length)
    })
}
