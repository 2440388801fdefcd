//! English numbers as they stand in a text: years, decimals, digits one by one.

use super::Run;
use super::english_number::{
    Cardinal, below_hundred, cardinal, decade, digit, figures, is_number_word, scale,
};

/// A number with its figures, and whether it is below ten in a single word.
pub(super) struct Numeral {
    pub(super) length: usize,
    pub(super) text: String,
    pub(super) small: bool,
    /// Its last word is `million` or more, stays a word, and is in `length`.
    pub(super) scaled: bool,
}

impl Numeral {
    pub(super) fn new(length: usize, text: impl Into<String>) -> Self {
        Self {
            length,
            text: text.into(),
            small: false,
            scaled: false,
        }
    }

    /// Words that its figures stand for.
    pub(super) fn figures(&self) -> usize {
        self.length - usize::from(self.scaled)
    }
}

/// The number at `at`: a year, digits one by one, a number with decimals, or a whole one.
pub(super) fn numeral(run: &Run, at: usize) -> Option<Numeral> {
    if let Some((length, text)) = year(run, at).or_else(|| digits(run, at)) {
        return Some(Numeral::new(length, text));
    }
    let whole = cardinal(run, at)?;
    // "a hundred" without more is no exact number.
    let article = matches!(run.word(at), "a" | "an");
    if article && whole.length == 2 && !is_per_cent(run, at + 2) {
        return None;
    }
    if let Some(decimal) = decimal(run, at, whole) {
        return Some(decimal);
    }
    let last = run.word(at + whole.length - 1);
    if let Some(scale) = scale(last).filter(|scale| *scale >= 1_000_000)
        && whole.value.is_multiple_of(scale)
        && whole.value / scale < 1000
        && !article
    {
        return Some(Numeral {
            length: whole.length,
            text: (whole.value / scale).to_string(),
            small: false,
            scaled: true,
        });
    }
    Some(Numeral {
        small: whole.value < 10,
        ..Numeral::new(whole.length, figures(whole.value))
    })
}

/// `three point one four`.
pub(super) fn decimal(run: &Run, at: usize, whole: Cardinal) -> Option<Numeral> {
    let mut end = at + whole.length;
    if run.word(end) != "point" {
        return None;
    }
    end += 1;
    let mut text = format!("{}.", figures(whole.value));
    let start = end;
    while let Some(d) = digit_or_oh(run.word(end), true) {
        text.push_str(&d.to_string());
        end += 1;
    }
    if end == start {
        // "two point twenty five"
        let decimals = below_hundred(run, end).filter(|decimals| decimals.value >= 10)?;
        text.push_str(&decimals.value.to_string());
        end += decimals.length;
    }
    let scaled = scale(run.word(end)).is_some();
    Some(Numeral {
        scaled,
        ..Numeral::new(end - at + usize::from(scaled), text)
    })
}

pub(super) fn digit_or_oh(word: &str, oh: bool) -> Option<u64> {
    digit(word).or_else(|| (oh && matches!(word, "oh" | "o")).then_some(0))
}

/// Three or more digits one by one: numbers of telephones, rooms, flights. Counting (`one two three`) is not.
pub(super) fn digits(run: &Run, at: usize) -> Option<(usize, String)> {
    let mut said = Vec::new();
    let mut end = at;
    loop {
        let times = match run.word(end) {
            "double" => 2,
            "triple" => 3,
            _ => 1,
        };
        let skip = usize::from(times > 1);
        let Some(d) = digit_or_oh(run.word(end + skip), !said.is_empty() || times > 1) else {
            break;
        };
        said.extend(std::iter::repeat_n(d, times));
        end += skip + 1;
    }
    let counting = said.windows(2).all(|pair| pair[1] == pair[0] + 1);
    // More words of numbers after them make another number of the last: "one two three hundred".
    if said.len() < 3 || counting || is_number_word(run.word(end)) || run.word(end) == "point" {
        return None;
    }
    let text = said.iter().map(u64::to_string).collect();
    Some((end - at, text))
}

/// `nineteen eighty four`, `twenty oh five`, `nineteen hundred`, `nineteen eighties`, `two thousand and six`.
pub(super) fn year(run: &Run, at: usize) -> Option<(usize, String)> {
    let high = below_hundred(run, at)?;
    let low_at = at + high.length;
    if (13..=20).contains(&high.value) && high.length == 1 {
        if let Some(decade) = decade(run.word(low_at)) {
            return Some((2, format!("{}s", 100 * high.value + decade)));
        }
        if run.word(low_at) == "hundreds" {
            return Some((2, format!("{}00s", high.value)));
        }
        if matches!(run.word(low_at), "oh" | "o")
            && let Some(low) = digit(run.word(low_at + 1)).filter(|low| *low > 0)
        {
            return Some((3, (100 * high.value + low).to_string()));
        }
        let low = below_hundred(run, low_at).filter(|low| low.value >= 10);
        if let Some(low) = low {
            let length = high.length + low.length;
            let more = run.word(at + length);
            let longer = is_number_word(more) || more == "point" || is_per_cent(run, at + length);
            // "twenty ten dollar bills" is not a year either, but "twenty twenty five" always is.
            return (!longer).then(|| (length, (100 * high.value + low.value).to_string()));
        }
    }
    // "two thousand and six" as a number is the same: four figures have no comma.
    let whole = cardinal(run, at).filter(|whole| (1300..2100).contains(&whole.value))?;
    let closed =
        !is_number_word(run.word(at + whole.length)) && run.word(at + whole.length) != "point";
    (closed && whole.length > 1).then(|| (whole.length, whole.value.to_string()))
}

pub(super) fn is_per_cent(run: &Run, at: usize) -> bool {
    run.word(at) == "percent" || (run.word(at) == "per" && run.word(at + 1) == "cent")
}
