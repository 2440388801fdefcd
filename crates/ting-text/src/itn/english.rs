//! Rules for English numbers. What is written how is in the tables of `tests/data`.
//!
//! Numbers from ten on and whatever has a fixed form are in figures. Below ten they stay words (`two of them`), unless a unit, a
//! currency, a date, a time or an operation asks for figures.

use super::english_number::{
    Cardinal, below_hundred, cardinal, denominator, digit, is_number_word, ordinal, ordinal_text,
};
use super::english_numeral::{Numeral, decimal, digit_or_oh, is_per_cent, numeral, year};
use super::{Run, Step, Written};

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Units before which a number below ten is in figures. Not in it are times: `five minutes`.
const UNITS: &[&str] = &[
    "percent",
    "kilometers",
    "kilometres",
    "kilometer",
    "kilometre",
    "kilograms",
    "kilogram",
    "grams",
    "meters",
    "metres",
    "centimeters",
    "centimetres",
    "millimeters",
    "millimetres",
    "milligrams",
    "milliliters",
    "millilitres",
    "liters",
    "litres",
    "degrees",
    "pounds",
    "cents",
    "yuan",
    "yen",
    "gigabytes",
    "megabytes",
    "terabytes",
    "kilowatts",
    "megawatts",
    "volts",
    "watts",
    "hertz",
    "megahertz",
    "gigahertz",
    "megapixels",
];

/// Before a month that is a word too, these say that it is the month.
const BEFORE_MONTHS: &[&str] = &[
    "in", "of", "on", "since", "until", "till", "by", "before", "after", "from", "to", "last",
    "next",
];

/// Before an hour and minutes these say that they are a time.
const TIME_BEFORE: &[&str] = &[
    "at", "by", "until", "till", "before", "after", "from", "since",
];

/// Combinations of number words that are names, and stay.
const NAMES: &[&[&str]] = &[
    &["nine", "eleven"],
    &["seven", "eleven"],
    &["fifty", "fifty"],
    &["at", "one", "point"],
    &["one", "to", "one"],
];

/// What is to be done at `at`.
pub(super) fn step(run: &Run, at: usize) -> Option<Step> {
    let word = run.word(at);
    let name = NAMES.iter().find(|name| {
        name.iter()
            .enumerate()
            .all(|(i, word)| run.word(at + i) == *word)
    });
    if let Some(name) = name {
        return Some(Step::Keep(name.len()));
    }
    if ["twenty", "four", "seven"]
        .iter()
        .enumerate()
        .all(|(i, w)| run.word(at + i) == *w)
        && !is_number_word(run.word(at + 3))
    {
        return Some(Step::one(at, 3, "24/7"));
    }
    if matches!(word, "minus" | "negative") {
        return negative(run, at);
    }
    if word == "point" {
        return point_first(run, at);
    }
    if let Some(step) = time(run, at)
        .or_else(|| ordinal_step(run, at))
        .or_else(|| fraction(run, at))
    {
        return Some(step);
    }
    let numeral = numeral(run, at)?;
    let end = at + numeral.length;
    if is_number_word(run.word(end))
        || (run.word(end) == "oh" && digit(run.word(end + 1)).is_some())
    {
        // Numbers in a row that are no number: none of them is sure.
        return Some(Step::Keep(numbers_in_a_row(run, at).max(numeral.length)));
    }
    if let Some(step) = operation(run, at, &numeral)
        .or_else(|| money(run, at, &numeral))
        .or_else(|| per_cent(run, at, &numeral, ""))
    {
        return Some(step);
    }
    if run.word(end) == "and" && numeral.small && fraction(run, end + 1).is_some() {
        // two and one third
        let (length, _) = simple_fraction(run, end + 1)?;
        return Some(Step::Keep(numeral.length + 1 + length));
    }
    if !is_in_figures(run, at, &numeral, true) {
        return Some(Step::Keep(numeral.length));
    }
    let mut written = Written::new(at, numeral.figures(), numeral.text.clone());
    written.comma = is_day(run, at) && year(run, end).is_some();
    Some(Step::Write(numeral.length, vec![written]))
}

/// Number words from `at` on.
fn numbers_in_a_row(run: &Run, at: usize) -> usize {
    run.words[at..]
        .iter()
        .take_while(|word| is_number_word(word) || *word == "oh")
        .count()
}

/// `twenty five percent`, with `sign` before it.
fn per_cent(run: &Run, at: usize, numeral: &Numeral, sign: &str) -> Option<Step> {
    let end = at + numeral.length;
    if !is_per_cent(run, end) || numeral.scaled {
        return None;
    }
    let length = numeral.length + if run.word(end) == "per" { 2 } else { 1 };
    Some(Step::one(at, length, format!("{sign}{}%", numeral.text)))
}

/// `five dollars and fifty cents`, `three million dollars`, `twenty euros`.
fn money(run: &Run, at: usize, numeral: &Numeral) -> Option<Step> {
    let end = at + numeral.length;
    let sign = match run.word(end) {
        "dollar" | "dollars" => '$',
        "euro" | "euros" => '€',
        _ => return None,
    };
    if numeral.scaled {
        // The word of the scale stays: "$3 million".
        let amount = Written::new(at, numeral.figures(), format!("{sign}{}", numeral.text));
        let word = Written::new(end - 1, 2, run.word(end - 1));
        return Some(Step::Write(numeral.length + 1, vec![amount, word]));
    }
    let mut length = numeral.length + 1;
    let mut text = format!("{sign}{}", numeral.text);
    let and = usize::from(run.word(end + 1) == "and");
    if let Some(cents) = below_hundred(run, end + 1 + and)
        && matches!(run.word(end + 1 + and + cents.length), "cent" | "cents")
        && !text.contains('.')
    {
        text.push_str(&format!(".{:02}", cents.value));
        length += and + cents.length + 1;
    }
    Some(Step::one(at, length, text))
}

/// `a m` or `p m` at `at`: how many words, and how it is written.
fn half_of_day(run: &Run, at: usize) -> Option<(usize, &'static str)> {
    Some(match (run.word(at), run.word(at + 1)) {
        ("a", "m") => (2, "a.m."),
        ("p", "m") => (2, "p.m."),
        ("am" | "a.m" | "a.m.", _) => (1, "a.m."),
        ("pm" | "p.m" | "p.m.", _) => (1, "p.m."),
        _ => return None,
    })
}

/// `three thirty p m`, `at six oh five`, `three o'clock`.
fn time(run: &Run, at: usize) -> Option<Step> {
    let hour = below_hundred(run, at)
        .filter(|hour| hour.length == 1 && (1..=12).contains(&hour.value))?
        .value;
    if run.word(at + 1) == "o'clock" {
        return Some(Step::one(at, 1, hour.to_string()));
    }
    if is_number_word(run.before(at)) {
        return None;
    }
    let minutes = minutes(run, at + 1);
    let end = at + 1 + minutes.map_or(0, |minutes| minutes.length);
    let text = match minutes {
        Some(minutes) => format!("{hour}:{:02}", minutes.value),
        None => hour.to_string(),
    };
    if let Some((length, half)) = half_of_day(run, end) {
        let pieces = vec![
            Written::new(at, end - at, text),
            Written::new(end, length, half),
        ];
        return Some(Step::Write(end + length - at, pieces));
    }
    let minutes = minutes?;
    let next = run.word(end);
    let counted = is_number_word(next)
        || is_per_cent(run, end)
        || UNITS.contains(&next)
        || matches!(
            next,
            "dollar"
                | "dollars"
                | "euro"
                | "euros"
                | "point"
                | "years"
                | "year"
                | "times"
                | "people"
        );
    let cue = TIME_BEFORE.contains(&run.before(at));
    let usual = minutes.length == 1 && matches!(minutes.value, 15 | 30) || minutes.value == 45;
    (!counted && (cue || usual)).then(|| Step::one(at, end - at, text))
}

/// Minutes after an hour: `thirty`, `oh five`.
fn minutes(run: &Run, at: usize) -> Option<Cardinal> {
    if matches!(run.word(at), "oh" | "o") {
        let value = digit(run.word(at + 1))?;
        let more = digit_or_oh(run.word(at + 2), true).is_some();
        return (!more).then_some(Cardinal { length: 2, value });
    }
    below_hundred(run, at).filter(|minutes| (10..60).contains(&minutes.value))
}

/// Whether a month stands before `at`, and is none of the words `may` and `march`.
fn is_after_month(run: &Run, at: usize) -> bool {
    let Some(month) = at
        .checked_sub(1)
        .filter(|month| MONTHS.contains(&run.word(*month)))
    else {
        return false;
    };
    !matches!(run.word(month), "may" | "march")
        || month == 0
        || BEFORE_MONTHS.contains(&run.before(month))
}

/// Whether the number at `at` is the day of the month before it.
fn is_day(run: &Run, at: usize) -> bool {
    let day = ordinal(run, at).or_else(|| cardinal(run, at));
    is_after_month(run, at) && day.is_some_and(|day| (1..=31).contains(&day.value))
}

/// `twenty first` as `21st`; below the tenth only in dates.
fn ordinal_step(run: &Run, at: usize) -> Option<Step> {
    let ordinal = ordinal(run, at)?;
    let end = at + ordinal.length;
    if is_number_word(run.before(at)) && ordinal.length == 1 {
        return None;
    }
    let of_month = run.word(end) == "of" && MONTHS.contains(&run.word(end + 1));
    let date = is_day(run, at) || (of_month && (1..=31).contains(&ordinal.value));
    // "a twenty second delay"
    let seconds = ordinal.length == 2 && run.word(at + 1) == "second";
    let sure = !seconds || date || run.before(at) == "the";
    if !date && (ordinal.value < 10 || !sure) {
        return None;
    }
    let mut written = Written::new(at, ordinal.length, ordinal_text(ordinal.value));
    written.comma = is_day(run, at) && year(run, end).is_some();
    Some(Step::Write(ordinal.length, vec![written]))
}

/// `two thirds`.
fn fraction(run: &Run, at: usize) -> Option<Step> {
    let (length, text) = simple_fraction(run, at)?;
    Some(Step::one(at, length, text))
}

fn simple_fraction(run: &Run, at: usize) -> Option<(usize, String)> {
    let above = below_hundred(run, at).filter(|above| (1..20).contains(&above.value))?;
    let (below, plural) = denominator(run.word(at + above.length))?;
    (plural == (above.value > 1)).then(|| (above.length + 1, format!("{}/{below}", above.value)))
}

/// `minus five degrees`, `negative two point five`.
fn negative(run: &Run, at: usize) -> Option<Step> {
    let numeral = numeral(run, at + 1)?;
    let end = at + 1 + numeral.length;
    if is_number_word(run.word(end)) || numeral.scaled {
        return None;
    }
    if let Some(Step::Write(length, mut pieces)) = per_cent(run, at + 1, &numeral, "-") {
        pieces[0].start = at;
        pieces[0].length += 1;
        return Some(Step::Write(length + 1, pieces));
    }
    let closed = end == run.words.len() || run.word(end) == "degrees" || numeral.text.contains('.');
    (run.word(at) == "minus" || closed)
        .then(|| Step::one(at, 1 + numeral.length, format!("-{}", numeral.text)))
}

/// `point five percent`; without a unit after it, a point is a word.
fn point_first(run: &Run, at: usize) -> Option<Step> {
    let zero = Cardinal {
        length: 0,
        value: 0,
    };
    let numeral = decimal(run, at, zero)?;
    let next = run.word(at + numeral.length);
    per_cent(run, at, &numeral, "").or_else(|| {
        (UNITS.contains(&next) || numeral.scaled)
            .then(|| Step::one(at, numeral.figures(), numeral.text))
    })
}

/// The operator at `at`: how many words, and its sign.
fn operator(run: &Run, at: usize) -> Option<(usize, &'static str)> {
    const OPERATORS: &[(&[&str], &str)] = &[
        (&["plus"], "+"),
        (&["minus"], "-"),
        (&["times"], "×"),
        (&["divided", "by"], "÷"),
        (&["equals"], "="),
        (&["is", "equal", "to"], "="),
        (&["is", "greater", "than"], ">"),
        (&["is", "less", "than"], "<"),
    ];
    OPERATORS
        .iter()
        .find(|(words, _)| {
            words
                .iter()
                .enumerate()
                .all(|(i, word)| run.word(at + i) == *word)
        })
        .map(|(words, sign)| (words.len(), *sign))
}

/// `two plus two equals four`: numbers and signs stay words of their own.
fn operation(run: &Run, at: usize, first: &Numeral) -> Option<Step> {
    if first.scaled {
        return None;
    }
    let mut pieces = vec![Written::new(at, first.length, first.text.clone())];
    let mut end = at + first.length;
    while let Some((length, sign)) = operator(run, end) {
        let Some(next) = numeral(run, end + length).filter(|next| !next.scaled) else {
            break;
        };
        pieces.push(Written::new(end, length, sign));
        pieces.push(Written::new(end + length, next.length, next.text));
        end += length + next.length;
    }
    (pieces.len() > 1).then(|| Step::Write(end - at, pieces))
}

/// Whether a number is to be written in figures where it stands. `ranges`: whether the other end of a range may decide.
fn is_in_figures(run: &Run, at: usize, numeral: &Numeral, ranges: bool) -> bool {
    let end = at + numeral.length;
    if !numeral.small {
        // "ten past three" is a time in words.
        return !(matches!(run.word(end), "past") && below_hundred(run, end + 1).is_some());
    }
    if UNITS.contains(&run.word(end)) || is_day(run, at) {
        return true;
    }
    let joined = matches!(run.word(end), "to" | "or")
        || (run.word(end) == "and" && run.before(at) == "between");
    ranges
        && joined
        && self::numeral(run, end + 1).is_some_and(|second| {
            !second.small
                && is_in_figures(run, end + 1, &second, false)
                && !is_number_word(run.word(end + 1 + second.length))
        })
}
