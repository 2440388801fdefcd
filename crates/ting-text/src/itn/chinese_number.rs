//! The numerals of Chinese and Japanese, and what they are in figures.

/// A numeral and how it is written in figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// Characters it takes.
    pub(super) length: usize,
    /// In figures; round numbers keep `万` and `亿`: `3万`.
    pub(super) text: String,
    pub(super) kind: Kind,
    /// Its last unit is unsaid: `一百五` is 150.
    pub(super) elided: bool,
}

/// What kind of numeral something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A single digit, `两` included.
    Small,
    /// Two or more digits read one by one, `二零二五`.
    Digits,
    /// With `十`, `百`, `千`, `万` or `亿`, and its value.
    Cardinal(u64),
}

/// The digit that `c` is; `两` is none, because nobody says it among other digits.
pub(super) fn digit(c: char) -> Option<u64> {
    Some(match c {
        '零' | '〇' => 0,
        '一' | '幺' => 1,
        '二' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

fn is_two(c: char) -> bool {
    c == '两'
}

/// The power of ten of a unit below 万.
fn unit(c: char) -> Option<u64> {
    Some(match c {
        '十' => 10,
        '百' => 100,
        '千' => 1000,
        _ => return None,
    })
}

pub(super) fn is_wan(c: char) -> bool {
    matches!(c, '万' | '萬')
}

pub(super) fn is_yi(c: char) -> bool {
    matches!(c, '亿' | '億')
}

/// Whether `c` can be part of a numeral.
pub(super) fn is_numeral(c: char) -> bool {
    digit(c).is_some() || is_two(c) || unit(c).is_some() || is_wan(c) || is_yi(c)
}

/// Characters of numerals in a row at the start of `chars`.
pub(super) fn numerals(chars: &[char]) -> usize {
    chars.iter().take_while(|c| is_numeral(**c)).count()
}

/// The digits in a row at the start of `chars`, in figures.
pub(super) fn digits(chars: &[char]) -> String {
    chars
        .iter()
        .map_while(|c| digit(*c).and_then(|d| char::from_digit(d as u32, 10)))
        .collect()
}

/// The numeral at the start of `chars`.
///
/// None where there is none, and where numerals stand in a row that are no number, like the estimates `七八十`,
/// `十七八`, `一两百`. In Japanese, `bare` lets `百` and `千` stand for themselves: `千五百`.
pub(super) fn number(chars: &[char], bare: bool) -> Option<Number> {
    let in_a_row = digits(chars);
    let run = in_a_row.len();
    let after = |length: usize| chars.get(length).copied().unwrap_or('\0');
    if run >= 2 {
        return (!is_numeral(after(run))).then_some(Number {
            length: run,
            text: in_a_row,
            kind: Kind::Digits,
            elided: false,
        });
    }
    let (length, value) = cardinal(chars, bare)?;
    // 一百千瓦
    let unit = after(length) == '千' && "瓦克米卡焦赫帕".contains(after(length + 1));
    if is_numeral(after(length)) && !unit {
        return None;
    }
    let kind = if length == 1 && value < 10 {
        Kind::Small
    } else {
        Kind::Cardinal(value)
    };
    let text = match kind {
        Kind::Cardinal(value) => {
            let wan = chars[..length].iter().copied().find(|c| is_wan(*c));
            let yi = chars[..length].iter().copied().find(|c| is_yi(*c));
            figures(value, wan.unwrap_or('万'), yi.unwrap_or('亿'))
        }
        _ => value.to_string(),
    };
    let last_two = length.checked_sub(2).map(|start| &chars[start..length]);
    let elided = last_two.is_some_and(|last| {
        digit(last[1]).is_some() && last[0] != '十' && digit(last[0]).is_none()
    });
    Some(Number {
        length,
        text,
        kind,
        elided,
    })
}

/// In figures; what is round in `万` or `亿` keeps them, as they were written.
fn figures(value: u64, wan: char, yi: char) -> String {
    const WAN: u64 = 10_000;
    const YI: u64 = 100_000_000;
    if value < WAN || !value.is_multiple_of(WAN) {
        return value.to_string();
    }
    let (high, low) = (value / YI, value % YI);
    let mut text = String::new();
    if high > 0 {
        text.push_str(&figures(high, wan, yi));
        text.push(yi);
    }
    if low > 0 {
        text.push_str(&format!("{}{wan}", low / WAN));
    }
    text
}

/// The length and value of the number at the start, up to `万亿`.
fn cardinal(chars: &[char], bare: bool) -> Option<(usize, u64)> {
    let (mut length, mut value) = below_yi(chars, bare)?;
    if chars.get(length).copied().is_some_and(is_yi) {
        length += 1;
        value *= 100_000_000;
        let (more, low) = tail(&chars[length..], bare, 100_000_000);
        length += more;
        value += low;
    }
    Some((length, value))
}

fn below_yi(chars: &[char], bare: bool) -> Option<(usize, u64)> {
    let (mut length, mut value) = below_wan(chars, bare)?;
    if chars.get(length).copied().is_some_and(is_wan) {
        length += 1;
        value *= 10_000;
        let (more, low) = tail(&chars[length..], bare, 10_000);
        length += more;
        value += low;
    }
    Some((length, value))
}

/// What follows `万` or `亿`: with `零` or without; a single digit is of the next smaller unit, `三万五` = 35000.
fn tail(chars: &[char], bare: bool, of: u64) -> (usize, u64) {
    let zero = usize::from(chars.first().is_some_and(|c| digit(*c) == Some(0)));
    let rest = &chars[zero..];
    // Without its first zero; one more is no number.
    let low = if of > 10_000 {
        below_yi(rest, bare)
    } else {
        below_wan(rest, bare)
    };
    match low {
        Some((length, value)) if value > 0 => {
            let elided = length == 1 && zero == 0 && value < 10 && !is_two(rest[0]);
            let value = if elided { value * of / 10 } else { value };
            (zero + length, value)
        }
        _ => (0, 0),
    }
}

/// A number below 10 000.
fn below_wan(chars: &[char], bare: bool) -> Option<(usize, u64)> {
    let (mut at, mut value, mut limit, mut zero) = (0, 0, 10_000, false);
    while let Some(&c) = chars.get(at) {
        let next_unit = chars.get(at + 1).copied().and_then(unit);
        if let Some(unit) = unit(c).filter(|unit| *unit < limit && (*unit == 10 || bare)) {
            value += unit;
            limit = unit;
            at += 1;
            zero = false;
            continue;
        }
        let d = if is_two(c) { Some(2) } else { digit(c) };
        match (d, next_unit) {
            (Some(0), _) if at == 0 => return Some((1, 0)),
            (Some(0), _) if !zero && limit > 10 => {
                zero = true;
                at += 1;
            }
            (Some(0), _) => break,
            (Some(d), Some(unit)) if unit < limit && !(is_two(c) && unit == 10) => {
                value += d * unit;
                limit = unit;
                at += 2;
                zero = false;
            }
            // The ones, or what 百 and 千 leave unsaid: 一百五 is 150.
            (Some(d), _) if !is_two(c) || at == 0 => {
                value += if zero || at == 0 { d } else { d * limit / 10 };
                return Some((at + 1, value));
            }
            _ => break,
        }
    }
    // A zero that nothing follows is not part of it.
    let length = at - usize::from(zero);
    (length > 0).then_some((length, value))
}

#[cfg(test)]
mod tests {
    use super::{Kind, number};

    #[test]
    fn numerals_in_figures() {
        let cases = [
            ("五", Some(("5", 1))),
            ("两", Some(("2", 1))),
            ("零", Some(("0", 1))),
            ("十", Some(("10", 1))),
            ("十五", Some(("15", 2))),
            ("二十", Some(("20", 2))),
            ("二十五个", Some(("25", 3))),
            ("一百", Some(("100", 2))),
            ("一百零五", Some(("105", 4))),
            ("一百五", Some(("150", 3))),
            ("一百一十五", Some(("115", 5))),
            ("一百十五", Some(("115", 4))),
            ("两千零二十五", Some(("2025", 6))),
            ("三千二", Some(("3200", 3))),
            ("三万", Some(("3万", 2))),
            ("三萬", Some(("3萬", 2))),
            ("三万五", Some(("35000", 3))),
            ("三万五千", Some(("35000", 4))),
            ("三万零五", Some(("30005", 4))),
            ("一百二十万", Some(("120万", 5))),
            ("十二万三千四百五十六", Some(("123456", 10))),
            ("一亿", Some(("1亿", 2))),
            ("两亿三", Some(("2亿3000万", 3))),
            ("一亿零五百万", Some(("1亿500万", 6))),
            ("三万亿", Some(("3万亿", 3))),
            (
                "一亿两千三百四十五万六千七百八十九",
                Some(("123456789", 17)),
            ),
            ("二零二五年", Some(("2025", 4))),
            ("二〇二五", Some(("2025", 4))),
            ("幺三八", Some(("138", 3))),
            // Estimates and what is no number.
            ("一百零", None),
            ("七八十", None),
            ("十七八", None),
            ("一两百", None),
            ("二十三四", None),
            ("两三", None),
            ("百", None),
            ("万", None),
            ("好", None),
            ("", None),
        ];
        let mut failed = Vec::new();
        for (text, expected) in cases {
            let chars: Vec<char> = text.chars().collect();
            let got = number(&chars, false);
            let short = got.as_ref().map(|n| (n.text.as_str(), n.length));
            if short != expected {
                failed.push(format!("{text}: {got:?}"));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }

    #[test]
    fn japanese_hundreds_stand_alone() {
        let chars: Vec<char> = "千五百円".chars().collect();
        let number = number(&chars, true).unwrap();
        assert_eq!((number.length, number.text.as_str()), (3, "1500"));
        assert_eq!(number.kind, Kind::Cardinal(1500));
    }
}
