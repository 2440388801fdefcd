//! Which Chinese numbers are in figures where they stand.

use super::Run;
use super::chinese_number::{Kind, digit, is_numeral, number};
use super::chinese_numeral::{Form, Numeral, TIME_BEFORE, is_point, numeral};

/// Units before which a single digit is in figures. Not in it are counting words, and units that are other words as well (块, 克, 升).
pub(super) const UNITS: &[&str] = &[
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
pub(super) const NOT_UNITS: &[&str] = &[
    "号称", "号召", "米饭", "米粉", "米线", "秒杀", "元旦", "元素", "元宵", "月饼", "月亮", "月球",
    "楼梯",
];

/// Before `一` and a unit, these make it "this one", not a number: `下一秒`.
pub(super) const POINTERS: &str = "这那每哪某另同任上下头前后";

/// Counting words and units before which a lone `十` is in figures.
pub(super) const MEASURES: &str = "个位名人年月天日号点秒块元公厘毫米岁次倍层楼本张件台部家条种项页只座间套斤吨多来余周届集章期度支辆架艘场轮\
                        句篇首排组班级代圈步杯瓶碗盒箱袋包克升千";

/// After `点`: it was a time.
pub(super) const TIME_AFTER: &[&str] = &[
    "钟", "半", "整", "一刻", "三刻", "过", "左右", "前", "以前", "之前", "后", "以后", "之后",
    "多",
];

/// Whether a number is to be written in figures where it stands. `ranges`: whether the end of a range may decide.
pub(super) fn is_in_figures(run: &Run, at: usize, numeral: &Numeral, ranges: bool) -> bool {
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
pub(super) fn are_figures(run: &Run, at: usize, count: usize) -> bool {
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
pub(super) fn is_small_in_figures(run: &Run, at: usize, end: usize, ranges: bool) -> bool {
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
    // Two months are 两个月, and two yuan are 两元; 二元 is a term.
    let term = matches!((run.char(at), next), ('两', '月') | ('二', '元'));
    if run.spells_any(end, UNITS).is_some() && !term {
        return true;
    }
    let counted = |unit: usize| at > unit && is_numeral(run.char(at - unit - 1));
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

pub(super) fn simple_fraction(run: &Run, at: usize, below: &Numeral) -> Option<(usize, String)> {
    let over = run.spells(at + below.length, "分之")?;
    let above = numeral(run, at + below.length + over)?;
    Some((
        below.length + over + above.length,
        format!("{}/{}", above.text, below.text),
    ))
}

/// Whether the hour at `at`, whose `点` is at `point`, is one.
pub(super) fn is_hour(run: &Run, at: usize, point: usize) -> bool {
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
pub(super) fn range(run: &Run, end: usize) -> bool {
    matches!(run.char(end), '到' | '至')
        && numeral(run, end + 1).is_some_and(|second| is_in_figures(run, end + 1, &second, false))
}
