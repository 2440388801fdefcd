//! Rules for Chinese numbers. What is written how is in the tables of `tests/data`.
//!
//! Numbers from ten on and whatever has a fixed form are in figures; a single digit stays a character (`三个人`, `第一次`), unless a
//! unit of measure, a date, a time or an operation asks for figures. Units stay as they were spoken: `5公里`, `3点半`, `20块`.

use super::chinese_number::{
    Kind, Number, digit, digits, is_numeral, is_wan, is_yi, number, numerals,
};
use super::{Run, Step, Written, idioms};

/// Units before which a single digit is in figures. Not in it are counting words, and units that are other words as well (块, 克, 升).
const UNITS: &[&str] = &[
    "公里",
    "千米",
    "厘米",
    "毫米",
    "微米",
    "纳米",
    "米",
    "英里",
    "英尺",
    "英寸",
    "海里",
    "平方",
    "立方",
    "平米",
    "公顷",
    "公斤",
    "千克",
    "毫克",
    "毫升",
    "公升",
    "加仑",
    "吨",
    "斤",
    "摄氏度",
    "华氏度",
    "千瓦",
    "赫兹",
    "兆",
    "元",
    "美元",
    "美金",
    "欧元",
    "英镑",
    "日元",
    "韩元",
    "港元",
    "港币",
    "卢布",
    "块钱",
    "毛钱",
    "角钱",
    "分钟",
    "秒",
    "小时",
    "点钟",
    "月",
    "号",
    "楼",
];

/// Words that begin with a unit and are none of it.
const NOT_UNITS: &[&str] = &[
    "号称", "号召", "米饭", "米粉", "米线", "秒杀", "元旦", "元素", "元宵", "月饼", "月亮", "月球",
    "楼梯",
];

/// Before `一` and a unit, these make it "this one", not a number: `下一秒`.
const POINTERS: &str = "这那每哪某另同任上下头前后";

/// Counting words and units before which a lone `十` is in figures.
const MEASURES: &str = "个位名人年月天日号点秒块元公厘毫米岁次倍层楼本张件台部家条种项页只座间套斤吨多来余周届集章期度支辆架艘场轮\
                        句篇首排组班级代圈步杯瓶碗盒箱袋包克升千";

/// Parts of the day and days: what follows is a time.
const TIME_BEFORE: &[&str] = &[
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

/// After `点`: it was a time.
const TIME_AFTER: &[&str] = &[
    "钟", "半", "整", "一刻", "三刻", "过", "左右", "前", "以前", "之前", "后", "以后", "之后",
    "多",
];

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

/// Numbers with points between them: an address of the Internet has four.
const MAX_GROUPS: usize = 4;

fn is_point(c: char) -> bool {
    matches!(c, '点' | '點')
}

fn is_minus(c: char) -> bool {
    matches!(c, '负' | '負')
}

/// A number as it stands in a text: a numeral, or one with decimals.
struct Numeral {
    length: usize,
    text: String,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A single digit.
    Small,
    /// Digits one by one, so many.
    Digits(usize),
    Cardinal(u64),
    /// With a decimal point, or several.
    Pointed,
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
        }
    }
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
    let starts = digit(c).is_some() || matches!(c, '十' | '两' | '兩');
    let Some(numeral) = numeral(run, at).filter(|_| starts && !estimate) else {
        return Some(Step::Keep(in_a_row));
    };
    let end = at + numeral.length;
    if run.char(end) == '几' {
        return Some(Step::Keep(numeral.length + 1));
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
    let prefix = run.spells_any(at, &["星期", "礼拜", "禮拜", "周", "週"])?;
    let day = run.char(at + prefix);
    let counted = prefix == 1 && is_numeral(run.char_before(at));
    (matches!(day, '一' | '二' | '三' | '四' | '五' | '六') && !counted).then_some(prefix + 1)
}

/// The number at `at`, with its decimals.
fn numeral(run: &Run, at: usize) -> Option<Numeral> {
    let number = number(&run.chars[at..], false)?;
    Some(pointed(run, at, &number).unwrap_or_else(|| number.into()))
}

/// `number`, at `at`, with the decimals that follow it.
fn pointed(run: &Run, at: usize, number: &Number) -> Option<Numeral> {
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
    })
}

/// Whether hours and minutes stand at `at`, not a number with decimals.
fn is_minute(run: &Run, at: usize, groups: &[String], after: char) -> bool {
    let hour = groups[0].parse::<u32>().is_ok_and(|hour| hour <= 24);
    let minutes = groups[1].len() == 2 && groups[1].starts_with('0');
    let time = run.follows_any(at, TIME_BEFORE);
    hour && (minutes && (after == '分' || time) || time && after == '分')
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

fn simple_fraction(run: &Run, at: usize, below: &Numeral) -> Option<(usize, String)> {
    let over = run.spells(at + below.length, "分之")?;
    let above = numeral(run, at + below.length + over)?;
    Some((
        below.length + over + above.length,
        format!("{}/{}", above.text, below.text),
    ))
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

/// Whether a number is to be written in figures where it stands. `ranges`: whether the end of a range may decide.
fn is_in_figures(run: &Run, at: usize, numeral: &Numeral, ranges: bool) -> bool {
    let end = at + numeral.length;
    match numeral.form {
        Form::Pointed => true,
        Form::Digits(count) => are_figures(run, at, count),
        Form::Cardinal(10) if numeral.length == 1 => {
            MEASURES.contains(run.char(end))
                || run.char_before(at) == '第'
                || is_point(run.char_before(at))
                || run.spells_any(end, &["小时", "分钟"]).is_some()
                || (ranges && range(run, end))
        }
        Form::Cardinal(_) => true,
        Form::Small => is_small_in_figures(run, at, end, ranges),
    }
}

/// Digits read one by one: numbers of telephones and the like from three on, years, and what is said with a zero.
fn are_figures(run: &Run, at: usize, count: usize) -> bool {
    let said: Vec<u64> = run.chars[at..at + count]
        .iter()
        .filter_map(|c| digit(*c))
        .collect();
    // Counting, 一二三, and an estimate, 七八.
    let counting = said.windows(2).all(|pair| pair[1] == pair[0] + 1);
    let next = run.char(at + count);
    if count >= 3 {
        return !counting;
    }
    let decade = next == '后' && matches!(said.last(), Some(0 | 5));
    let minutes = said.first() == Some(&0) && is_point(run.char_before(at));
    let one = run.chars[at..at + count].contains(&'幺');
    (next == '年' && !counting) || decade || minutes || one
}

/// Whether a single digit is a figure where it stands.
fn is_small_in_figures(run: &Run, at: usize, end: usize, ranges: bool) -> bool {
    let before = run.char_before(at);
    let next = run.char(end);
    if matches!(before, '第' | '初')
        || (run.char(at) == '一' && POINTERS.contains(before) && at > 0)
    {
        return false;
    }
    if is_point(next) {
        return is_hour(run, at, end);
    }
    if run.spells_any(end, NOT_UNITS).is_some() {
        return false;
    }
    let month = next == '月' && matches!(run.char(at), '两' | '兩');
    if run.spells_any(end, UNITS).is_some() && !month {
        return true;
    }
    let counted = |unit: usize| at >= unit + 1 && is_numeral(run.char(at - unit - 1));
    match before {
        // 三月五日
        '月' if next == '日' => true,
        // 三点五分 where it is a time
        _ if is_point(before) && next == '分' => true,
        // 三块五, 一米八: at the end, or what follows could be counted by it.
        '块' | '毛' | '米' if counted(1) => {
            end == run.words.len() || matches!(next, '的' | '左' | '一' | '毛')
        }
        '下' if next == '度' && run.follows_any(at, &["零下"]) => true,
        _ => {
            // 三块五 as seen from 三
            let money = matches!(next, '块' | '毛' | '米')
                && digit(run.char(end + 1)).is_some()
                && (end + 2 == run.words.len()
                    || matches!(run.char(end + 2), '的' | '左' | '一' | '毛'));
            let mixed = next == '又'
                && numeral(run, end + 1)
                    .is_some_and(|below| simple_fraction(run, end + 1, &below).is_some());
            money || mixed || (ranges && range(run, end))
        }
    }
}

/// Whether the hour at `at`, whose `点` is at `point`, is one.
fn is_hour(run: &Run, at: usize, point: usize) -> bool {
    let after = point + 1;
    if run.follows_any(at, TIME_BEFORE) || run.spells_any(after, TIME_AFTER).is_some() {
        return true;
    }
    if matches!(run.char(after), '到' | '至') {
        return numeral(run, after + 1)
            .is_some_and(|hour| is_point(run.char(after + 1 + hour.length)));
    }
    match number(run.chars.get(after..).unwrap_or_default(), false) {
        Some(number) => match number.kind {
            Kind::Cardinal(minutes) => minutes < 60,
            Kind::Digits => number.length == 2 && number.text.starts_with('0'),
            Kind::Small => run.follows_any(at, TIME_BEFORE),
        },
        None => false,
    }
}

/// Whether from `end` on there is the second number of a range, and it is in figures: then so is the first.
fn range(run: &Run, end: usize) -> bool {
    matches!(run.char(end), '到' | '至')
        && numeral(run, end + 1).is_some_and(|second| is_in_figures(run, end + 1, &second, false))
}

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
pub(super) fn japanese_step(run: &Run, at: usize) -> Option<Step> {
    if let Some(length) = idioms::japanese(run, at) {
        return Some(Step::Keep(length));
    }
    if !is_numeral(run.char(at)) {
        return None;
    }
    let chars = &run.chars[at..];
    let number = number(chars, true)
        .filter(|_| !matches!(run.char_before(at), '何' | '数'))
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
