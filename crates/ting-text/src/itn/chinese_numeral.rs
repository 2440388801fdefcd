//! Chinese numbers as they stand in a text, decimals included.

use super::chinese_number::{Kind, Number, digits, is_numeral, is_wan, is_yi, number};
use super::{Run, idioms};

/// Parts of the day and days: what follows is a time.
pub(super) const TIME_BEFORE: &[&str] = &[
    "上午",
    "下午",
    "早上",
    "晚上",
    "凌晨",
    "中午",
    "傍晚",
    "夜里",
    "清晨",
    "早晨",
    "半夜",
    "午夜",
    "今晚",
    "明晚",
    "昨晚",
    "今早",
    "明早",
    "今天",
    "明天",
    "昨天",
    "后天",
    "号",
    "点到",
    "点至",
    "钟到",
    "半到",
    "星期一",
    "星期二",
    "星期三",
    "星期四",
    "星期五",
    "星期六",
    "星期天",
    "星期日",
    "周一",
    "周二",
    "周三",
    "周四",
    "周五",
    "周六",
    "周日",
];

/// Numbers with points between them: an address of the Internet has four.
pub(super) const MAX_GROUPS: usize = 4;

pub(super) fn is_point(c: char) -> bool {
    c == '点'
}

/// A number as it stands in a text: a numeral, or one with decimals.
pub(super) struct Numeral {
    pub(super) length: usize,
    pub(super) text: String,
    pub(super) form: Form,
    /// Its last unit is unsaid, as in `一百五`.
    pub(super) elided: bool,
}

impl From<Number> for Numeral {
    fn from(number: Number) -> Self {
        let form = match number.kind {
            Kind::Small => Form::Small,
            Kind::Digits => Form::Digits(number.length),
            Kind::Cardinal(value) => Form::Cardinal(value),
        };
        Self {
            length: number.length,
            text: number.text,
            form,
            elided: number.elided,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A single digit.
    Small,
    /// Digits one by one, so many.
    Digits(usize),
    Cardinal(u64),
    /// With a decimal point, or several.
    Pointed,
}

/// The number at `at`, with its decimals.
pub(super) fn numeral(run: &Run, at: usize) -> Option<Numeral> {
    let number = number(&run.chars[at..], false)?;
    Some(pointed(run, at, &number).unwrap_or_else(|| number.into()))
}

/// `number`, at `at`, with the decimals that follow it.
pub(super) fn pointed(run: &Run, at: usize, number: &Number) -> Option<Numeral> {
    let point = at + number.length;
    let rounded = number.text.ends_with(|c| is_wan(c) || is_yi(c));
    if !is_point(run.char(point)) || rounded {
        return None;
    }
    // 快一点 and the like: a bit.
    if run.char(at) == '一' && "早晚快慢好轻近远差".contains(run.char_before(at)) {
        return None;
    }
    let mut groups = vec![number.text.clone()];
    let mut end = point;
    while is_point(run.char(end)) {
        let decimals = digits(run.chars.get(end + 1..)?);
        if decimals.is_empty()
            || groups.len() == MAX_GROUPS
            || idioms::chinese(run, end + 1).is_some()
        {
            return None;
        }
        end += 1 + decimals.len();
        groups.push(decimals);
    }
    let chained = groups.len() > 2;
    if chained && groups.iter().all(|group| group == "1") {
        return None;
    }
    let after = run.char(end);
    // 九点一刻
    if after == '刻' {
        return None;
    }
    if !chained && is_minute(run, at, &groups, after) {
        return None;
    }
    let mut text = groups.join(".");
    if !chained {
        while is_wan(run.char(end)) || is_yi(run.char(end)) {
            text.push(run.char(end));
            end += 1;
        }
    }
    // 三点二十 is a time, and 三点五百 nothing.
    (!is_numeral(run.char(end))).then_some(Numeral {
        length: end - at,
        text,
        form: Form::Pointed,
        elided: false,
    })
}

/// Whether hours and minutes stand at `at`, not a number with decimals.
pub(super) fn is_minute(run: &Run, at: usize, groups: &[String], after: char) -> bool {
    let hour = groups[0].parse::<u32>().is_ok_and(|hour| hour <= 24);
    let minutes = groups[1].len() == 2 && groups[1].starts_with('0');
    let time = run.follows_any(at, TIME_BEFORE);
    hour && (minutes && (after == '分' || time) || time && after == '分')
}
