//! The ways in which tokens can spell a word.

use std::sync::Arc as Shared;

use ting_models::{Names, Readings, Tokens};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::Target;

/// Begins a word that is written between spaces.
const WORD_START: char = '▁';
/// Words of at most this many letters, all of them capitals, may be said letter by letter.
const MAX_INITIALS: usize = 6;

/// One token of a word: it covers the symbols `from..to` of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arc {
    pub(crate) from: u16,
    pub(crate) to: u16,
    pub(crate) target: Target,
    /// What it writes where the token is only a stand-in that sounds alike.
    pub(crate) writes: Option<char>,
}

/// A word between spaces that is, or is in, a hotword: the symbols `from..to`, the first of which is `▁`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) from: u16,
    pub(crate) to: u16,
    /// As it is to be written.
    pub(crate) text: Shared<str>,
}

/// All ways in which the tokens of a model can spell a word, as a graph: its arcs lead from the position 0 to `length`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spelling {
    /// Those that begin later come first, so that a pass in place over them moves every path by one token at most.
    pub(crate) arcs: Vec<Arc>,
    pub(crate) length: u16,
    /// The words between spaces, in order.
    pub(crate) parts: Vec<Part>,
    /// Chinese and Japanese characters.
    pub(crate) characters: usize,
    /// Letters of words that are written between spaces.
    pub(crate) letters: usize,
    /// The last symbol is such a letter.
    pub(crate) ends_in_letter: bool,
}

/// What knows how characters sound.
#[derive(Clone, Copy)]
pub(crate) struct BySound<'a> {
    pub(crate) readings: Option<&'a Readings>,
    pub(crate) names: Option<&'a Names>,
}

/// The graph of `text`. With readings its Chinese characters match by their sound too, which is the only way for those that
/// are no token; those of Japanese names have a stand-in, too. `longest` is the length of the longest token in
/// characters, and `usable` says of a token whether it may be written.
///
/// # Errors
/// The characters that no usable token writes; none of them when the text has nothing that is spoken.
pub(crate) fn spell(
    text: &str,
    tokens: &Tokens,
    longest: usize,
    by_sound: BySound<'_>,
    usable: impl Fn(usize) -> bool,
) -> Result<Spelling, Vec<char>> {
    let mut symbols: Vec<char> = Vec::new();
    let mut parts = Vec::new();
    // Positions from which on letters may be said one by one.
    let mut initials = Vec::new();
    for word in runs(text) {
        if word.chars().next().is_some_and(is_wide) {
            symbols.extend(word.chars());
            continue;
        }
        let from = symbols.len() as u16;
        symbols.push(WORD_START);
        let letters: Vec<char> = fold(&word).collect();
        let all_capitals = word.chars().all(|c| c.is_uppercase());
        if all_capitals && (2..=MAX_INITIALS).contains(&letters.len()) {
            initials.extend((1..letters.len()).map(|i| symbols.len() + i));
        }
        symbols.extend(letters);
        parts.push(Part {
            from,
            to: symbols.len() as u16,
            text: Shared::from(word.as_str()),
        });
    }
    if symbols.is_empty() {
        return Err(Vec::new());
    }
    let mut arcs = Vec::new();
    let mut piece = String::new();
    for from in 0..symbols.len() {
        piece.clear();
        for to in from + 1..=symbols.len() {
            piece.push(symbols[to - 1]);
            let token = tokens.id(&piece).filter(|token| usable(*token));
            arcs.extend(token.map(|token| {
                let sound = by_sound.readings.is_some() && tokens.is_cjk(token);
                arc(from, to, token, sound)
            }));
            if is_wide(symbols[to - 1]) || to - from >= longest {
                break;
            }
        }
    }
    for (from, symbol) in symbols.iter().enumerate() {
        if tokens.id(symbol.encode_utf8(&mut [0; 4])).is_some() {
            continue;
        }
        let BySound { readings, names } = by_sound;
        let chinese = readings.and_then(|readings| Some((readings.stand_in(*symbol)?, true)));
        let japanese = names.and_then(|names| Some((names.stand_in(*symbol)?, false)));
        let mut stand_ins = chinese.into_iter().chain(japanese);
        if let Some((token, sound)) = stand_ins.find(|(token, _)| usable(*token)) {
            let mut stand_in = arc(from, from + 1, token, sound);
            stand_in.writes = Some(*symbol);
            arcs.push(stand_in);
        }
    }
    for from in initials {
        let letter = format!("{WORD_START}{}", symbols[from]);
        let token = tokens.id(&letter).filter(|token| usable(*token));
        arcs.extend(token.map(|token| arc(from, from + 1, token, false)));
    }
    let unwritten: Vec<char> = (0..symbols.len())
        .filter(|at| !arcs.iter().any(|arc| arc.covers(*at)))
        .map(|at| symbols[at])
        .collect();
    if !unwritten.is_empty() {
        return Err(unwritten);
    }
    keep_whole_paths(&mut arcs, symbols.len());
    if arcs.is_empty() {
        // Each symbol is in some token, but the tokens do not meet.
        return Err(symbols.into_iter().filter(|c| *c != WORD_START).collect());
    }
    arcs.sort_by_key(|arc| (std::cmp::Reverse(arc.from), arc.to));
    let characters = symbols.iter().filter(|c| is_wide(**c)).count();
    Ok(Spelling {
        length: symbols.len() as u16,
        letters: symbols.len() - characters - parts.len(),
        characters,
        ends_in_letter: symbols.last().is_some_and(|c| !is_wide(*c)),
        arcs,
        parts,
    })
}

impl Spelling {
    /// The number of tokens of the shortest way to spell it.
    pub(crate) fn least_tokens(&self) -> usize {
        self.shortest().len()
    }

    /// The shortest way to spell it, as indices into `arcs`.
    pub(crate) fn shortest(&self) -> Vec<usize> {
        // Tokens to the end from each position, and the arc to go on with.
        let mut to_end = vec![(usize::MAX, 0); usize::from(self.length) + 1];
        to_end[usize::from(self.length)].0 = 0;
        // Those that begin later come first, so what follows an arc is known.
        for (i, arc) in self.arcs.iter().enumerate() {
            let rest = to_end[usize::from(arc.to)].0;
            let best = &mut to_end[usize::from(arc.from)];
            *best = (*best).min((rest.saturating_add(1), i));
        }
        let (mut at, mut arcs) = (0, Vec::new());
        while at < usize::from(self.length) {
            let arc = to_end[at].1;
            arcs.push(arc);
            at = usize::from(self.arcs[arc].to);
        }
        arcs
    }
}

impl Arc {
    fn covers(&self, at: usize) -> bool {
        (usize::from(self.from)..usize::from(self.to)).contains(&at)
    }
}

fn arc(from: usize, to: usize, token: usize, sound: bool) -> Arc {
    // Words have at most `MAX_HOTWORD_CHARS` characters, and token ids are `u16`.
    Arc {
        from: from as u16,
        to: to as u16,
        target: Target {
            token: token as u16,
            sound,
        },
        writes: None,
    }
}

/// Drops arcs that are on no path from the start to the end.
fn keep_whole_paths(arcs: &mut Vec<Arc>, length: usize) {
    let mut from_start = vec![false; length + 1];
    from_start[0] = true;
    arcs.sort_by_key(|arc| arc.from);
    for arc in arcs.iter() {
        from_start[usize::from(arc.to)] |= from_start[usize::from(arc.from)];
    }
    let mut to_end = vec![false; length + 1];
    to_end[length] = true;
    for arc in arcs.iter().rev() {
        to_end[usize::from(arc.from)] |= to_end[usize::from(arc.to)];
    }
    arcs.retain(|arc| from_start[usize::from(arc.from)] && to_end[usize::from(arc.to)]);
}

/// Splits into characters that are written without spaces, each run of them one item, and words between spaces. What is not
/// spoken is left out.
fn runs(text: &str) -> Vec<String> {
    let mut runs: Vec<String> = Vec::new();
    let mut joins = false;
    for c in text.nfkc() {
        let c = if c == '’' { '\'' } else { c };
        if !c.is_alphanumeric() && c != '\'' && !is_wide(c) {
            joins = false;
            continue;
        }
        match runs.last_mut() {
            Some(last) if joins && last.chars().next().is_some_and(is_wide) == is_wide(c) => {
                last.push(c);
            }
            _ => runs.push(c.to_string()),
        }
        joins = true;
    }
    runs
}

/// Letters as the tokens have them: lower case, without accents.
fn fold(word: &str) -> impl Iterator<Item = char> {
    word.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
}

/// Han characters, kana and their marks, which are written without spaces.
pub(crate) fn is_wide(c: char) -> bool {
    matches!(c, '々' | '〆' | '〇' | '\u{3041}'..='\u{30fe}' | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
        && c != '・'
}
