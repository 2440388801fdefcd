//! English number words, and what they are in figures.

use super::Run;

/// Words of a number and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cardinal {
    pub(super) length: usize,
    pub(super) value: u64,
}

const DIGITS: &[&str] = &[
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
];
const TEENS: &[&str] = &[
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: &[&str] = &[
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];
const DECADES: &[&str] = &[
    "twenties",
    "thirties",
    "forties",
    "fifties",
    "sixties",
    "seventies",
    "eighties",
    "nineties",
];
const ORDINALS: &[&str] = &[
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];
const TENTHS: &[&str] = &[
    "twentieth",
    "thirtieth",
    "fortieth",
    "fiftieth",
    "sixtieth",
    "seventieth",
    "eightieth",
    "ninetieth",
];

fn place(list: &[&str], word: &str) -> Option<u64> {
    list.iter().position(|w| *w == word).map(|at| at as u64)
}

/// 0 to 9.
pub(super) fn digit(word: &str) -> Option<u64> {
    place(DIGITS, word)
}

fn teen(word: &str) -> Option<u64> {
    place(TEENS, word).map(|at| at + 10)
}

fn tens(word: &str) -> Option<u64> {
    place(TENS, word).map(|at| 10 * at + 20)
}

/// The first year of `nineties` in its century.
pub(super) fn decade(word: &str) -> Option<u64> {
    place(DECADES, word).map(|at| 10 * at + 20)
}

/// What `million` and the like multiply by.
pub(super) fn scale(word: &str) -> Option<u64> {
    Some(match word {
        "thousand" => 1000,
        "million" => 1_000_000,
        "billion" => 1_000_000_000,
        "trillion" => 1_000_000_000_000,
        _ => return None,
    })
}

/// Whether a number can begin with the word or go on with it.
pub(super) fn is_number_word(word: &str) -> bool {
    below_hundred_word(word).is_some() || word == "hundred" || scale(word).is_some()
}

fn below_hundred_word(word: &str) -> Option<u64> {
    if let Some((high, low)) = word.split_once('-') {
        return Some(tens(high)? + digit(low).filter(|low| *low > 0)?);
    }
    digit(word).or_else(|| teen(word)).or_else(|| tens(word))
}

/// 0 to 99.
pub(super) fn below_hundred(run: &Run, at: usize) -> Option<Cardinal> {
    if let Some(high) = tens(run.word(at)) {
        let low = digit(run.word(at + 1)).filter(|low| *low > 0);
        return Some(Cardinal {
            length: 1 + usize::from(low.is_some()),
            value: high + low.unwrap_or(0),
        });
    }
    let value = below_hundred_word(run.word(at))?;
    Some(Cardinal { length: 1, value })
}

/// `five hundred and six`, `twelve hundred`, `a hundred`.
fn below_thousand(run: &Run, at: usize) -> Option<Cardinal> {
    let article = matches!(run.word(at), "a" | "an");
    let mut number = if article && run.word(at + 1) == "hundred" {
        Cardinal {
            length: 1,
            value: 1,
        }
    } else {
        below_hundred(run, at)?
    };
    if run.word(at + number.length) != "hundred" || number.value == 0 {
        return Some(number);
    }
    number.length += 1;
    number.value *= 100;
    let and = usize::from(run.word(at + number.length) == "and");
    // "between one hundred and two hundred"
    let apart = and == 1 && run.before(at) == "between";
    let rest = below_hundred(run, at + number.length + and).filter(|rest| rest.value > 0);
    if let Some(rest) = rest
        && !apart
        && run.word(at + number.length + and + rest.length) != "hundred"
    {
        number.length += and + rest.length;
        number.value += rest.value;
    }
    Some(number)
}

/// The whole number at `at`, below a quadrillion.
pub(super) fn cardinal(run: &Run, at: usize) -> Option<Cardinal> {
    let article = matches!(run.word(at), "a" | "an");
    let (mut length, mut value, mut limit) = (0, 0, u64::MAX);
    if article && let Some(first) = scale(run.word(at + 1)) {
        (length, value, limit) = (2, first, first);
    }
    loop {
        let and = usize::from(length > 0 && run.word(at + length) == "and");
        let start = at + length + and;
        let Some(group) = below_thousand(run, start) else {
            break;
        };
        let end = start + group.length;
        match scale(run.word(end)) {
            Some(scale) if scale < limit && group.value > 0 => {
                if and == 1 && run.before(at) == "between" {
                    break;
                }
                value += group.value * scale;
                limit = scale;
                length = end + 1 - at;
            }
            Some(_) => break,
            None => {
                let apart = and == 1 && (run.before(at) == "between" || group.value >= 100);
                if length == 0 || (!apart && group.value > 0 && group.value < limit) {
                    value += group.value;
                    length = end - at;
                }
                break;
            }
        }
    }
    (length > 0).then_some(Cardinal { length, value })
}

/// `twenty first`, `tenth`: 1st to 99th.
pub(super) fn ordinal(run: &Run, at: usize) -> Option<Cardinal> {
    let word = run.word(at);
    let one = |word: &str| place(ORDINALS, word).map(|at| at + 1);
    if let Some(value) = one(word).or_else(|| place(TENTHS, word).map(|at| 10 * at + 20)) {
        return Some(Cardinal { length: 1, value });
    }
    if let Some((high, low)) = word.split_once('-') {
        let value = tens(high)? + one(low).filter(|low| *low < 10)?;
        return Some(Cardinal { length: 1, value });
    }
    let value = tens(word)? + one(run.word(at + 1)).filter(|low| *low < 10)?;
    Some(Cardinal { length: 2, value })
}

/// `21st`.
pub(super) fn ordinal_text(value: u64) -> String {
    let suffix = match (value % 10, value % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{value}{suffix}")
}

/// In figures; with commas from five digits on.
pub(super) fn figures(value: u64) -> String {
    let plain = value.to_string();
    if plain.len() < 5 {
        return plain;
    }
    let mut text = String::new();
    for (i, digit) in plain.chars().enumerate() {
        if i > 0 && (plain.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What a fraction's lower number is called, for one and for more.
pub(super) fn denominator(word: &str) -> Option<(u64, bool)> {
    Some(match word {
        "half" => (2, false),
        "halves" => (2, true),
        "quarter" => (4, false),
        "quarters" => (4, true),
        _ => {
            let plural = word.ends_with('s');
            let value = place(ORDINALS, word.trim_end_matches('s'))? + 1;
            // A second is a time.
            if !(3..=10).contains(&value) {
                return None;
            }
            (value, plural)
        }
    })
}
