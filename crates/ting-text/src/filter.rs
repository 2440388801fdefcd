//! Words that a client does not want to see.

use std::collections::HashMap;

use crate::Word;
use crate::removal::retain;
use crate::script::is_cjk;

/// What happens to a listed word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Action {
    Mask,
    Remove,
}

/// Words to hide or to leave out, made once for a task.
///
/// A listed word is found as the text writes it (numbers in figures), in any case of its letters. CJK characters match one by
/// one, wherever they stand; anything else matches as a whole word: `ass` is not found in `class`. A listed word may
/// cover several words of a sentence, but no mark between them. Where several match, the longest counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordFilter {
    /// A trie over units; the first node is the root. Empty when nothing is listed.
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    next: HashMap<String, usize>,
    action: Option<Action>,
}

/// A CJK character, or a piece without any, of the word `word`.
struct Unit {
    word: usize,
    text: String,
    cjk: bool,
    /// A mark follows it.
    closed: bool,
    action: Option<Action>,
}

impl WordFilter {
    /// A filter that writes each character of the words `masked` as `*`, and leaves out the words `removed`. A word in
    /// both is left out; words without a character are ignored.
    pub fn new<S: AsRef<str>>(masked: &[S], removed: &[S]) -> Self {
        let mut filter = Self::default();
        for (list, action) in [(masked, Action::Mask), (removed, Action::Remove)] {
            for listed in list {
                filter.insert(listed.as_ref(), action);
            }
        }
        filter
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn insert(&mut self, listed: &str, action: Action) {
        let units: Vec<String> = listed
            .split_whitespace()
            .flat_map(pieces)
            .map(|piece| piece.to_lowercase())
            .collect();
        if units.is_empty() {
            return;
        }
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut at = 0;
        for unit in units {
            let new = self.nodes.len();
            at = *self.nodes[at].next.entry(unit).or_insert(new);
            if at == new {
                self.nodes.push(Node::default());
            }
        }
        let node = &mut self.nodes[at];
        node.action = node.action.max(Some(action));
    }

    /// The length of the longest match at the start of `units`, and what happens to it.
    fn longest(&self, units: &[Unit]) -> Option<(usize, Action)> {
        let mut best = None;
        let mut node = self.nodes.first()?;
        for (i, unit) in units.iter().enumerate() {
            let Some(next) = node.next.get(&unit.text.to_lowercase()) else {
                break;
            };
            node = &self.nodes[*next];
            if let Some(action) = node.action {
                best = Some((i + 1, action));
            }
            if unit.closed {
                break;
            }
        }
        best
    }

    /// Filters the words of a sentence. CJK characters that are masked side by side become one word.
    pub(crate) fn apply(&self, words: &mut Vec<Word>) {
        if self.is_empty() {
            return;
        }
        let mut units = units(words);
        let mut at = 0;
        let mut found = false;
        while at < units.len() {
            let Some((length, action)) = self.longest(&units[at..]) else {
                at += 1;
                continue;
            };
            found = true;
            for unit in &mut units[at..at + length] {
                unit.action = Some(action);
            }
            at += length;
        }
        if found {
            write(words, &units);
        }
    }
}

/// Cuts a text without spaces into CJK characters and what is between them.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        if is_cjk(c) {
            if start < at {
                pieces.push(&text[start..at]);
            }
            start = at + c.len_utf8();
            pieces.push(&text[at..start]);
        }
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

fn units(words: &[Word]) -> Vec<Unit> {
    let mut units = Vec::new();
    for (i, word) in words.iter().enumerate() {
        for piece in pieces(&word.text) {
            units.push(Unit {
                word: i,
                text: piece.to_owned(),
                cjk: piece.starts_with(is_cjk),
                closed: false,
                action: None,
            });
        }
        if let Some(last) = units.last_mut().filter(|_| !word.punctuation.is_empty()) {
            last.closed = true;
        }
    }
    units
}

/// Writes filtered units back into their words.
fn write(words: &mut Vec<Word>, units: &[Unit]) {
    for word in words.iter_mut() {
        word.text.clear();
    }
    // Words that are masked CJK characters only.
    let mut masked = vec![true; words.len()];
    for unit in units {
        let text = &mut words[unit.word].text;
        match unit.action {
            Some(Action::Remove) => {}
            Some(Action::Mask) => text.extend(unit.text.chars().map(|_| '*')),
            None => text.push_str(&unit.text),
        }
        masked[unit.word] &= unit.action == Some(Action::Mask) && unit.cjk;
    }
    let mut keep: Vec<bool> = words.iter().map(|word| !word.text.is_empty()).collect();
    for i in 1..words.len() {
        let (before, after) = words.split_at_mut(i);
        let (Some(before), Some(word)) = (before.last_mut(), after.first_mut()) else {
            break;
        };
        let together = masked[i - 1] && masked[i] && keep[i - 1] && keep[i];
        if together && before.punctuation.is_empty() {
            word.begin_ms = before.begin_ms;
            word.text.insert_str(0, &before.text);
            keep[i - 1] = false;
        }
    }
    retain(words, &keep);
}
