//! How hotwords of letters may sound.
//!
//! The lexicon has common words. Names it mostly lacks: these may sound like any tokens that spell them.

use rustc_hash::FxHashMap;
use ting_models::{Lexicon, Tokens};

use super::graph::Word;

/// What a pronunciation costs that comes after likelier ones of the same word or token (natural log), for each of these.
const NEXT: f32 = 1.0;

/// Nodes of a list at most, some 50 a name. Words that come when there are more are found by their tokens alone.
const MOST_NODES: usize = 1 << 17;

/// A sound of a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) sound: u16,
    /// The node that it leads to.
    pub(super) node: u32,
    /// Natural log.
    pub(super) cost: f32,
}

/// A word that ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct End {
    /// Its place in `Graph::words`.
    pub(super) word: usize,
    pub(super) letters: usize,
}

/// All ways to say the words of a list: a graph for each, whose nodes are the places between its letters and between the sounds of a token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Letters {
    /// The first sounds of all words, by their sound.
    pub(super) first: FxHashMap<u16, Vec<Step>>,
    /// The sounds after each node.
    pub(super) next: Vec<Vec<Step>>,
    /// The word that a node ends.
    pub(super) ends: Vec<Option<End>>,
}

impl Letters {
    /// Those of `words` that have no characters and are not said to be of another language.
    pub(super) fn new(words: &[Word], tokens: &Tokens, lexicon: &Lexicon) -> Self {
        let mut result = Self::default();
        for (index, word) in words.iter().enumerate() {
            let is_english = word.may_be_english && word.spelling.characters == 0;
            if is_english && result.next.len() < MOST_NODES {
                result.add(index, word, tokens, lexicon);
            }
        }
        result
    }

    fn add(&mut self, index: usize, word: &Word, tokens: &Tokens, lexicon: &Lexicon) {
        let spelling = &word.spelling;
        let places = self.next.len();
        for _ in 0..=spelling.length {
            self.node();
        }
        self.ends[places + usize::from(spelling.length)] = Some(End {
            word: index,
            letters: spelling.letters,
        });
        let place = |at: u16| places + usize::from(at);
        let mut known = Vec::new();
        // What is silent, as the places that it joins.
        let mut silent = Vec::new();
        for part in &spelling.parts {
            let Some(ways) = lexicon.word(&part.text.to_lowercase()) else {
                continue;
            };
            known.push(part.from..part.to);
            self.join(place(part.from), place(part.to), &ways, &mut silent);
        }
        for arc in &spelling.arcs {
            if known.iter().any(|part| part.contains(&arc.from)) {
                continue;
            }
            let said = lexicon.pronounce(tokens, &[arc.target.token]);
            for ways in said.iter().flatten() {
                self.join(place(arc.from), place(arc.to), ways, &mut silent);
            }
        }
        // From the end on, so that what follows what follows is there.
        silent.sort_unstable_by_key(|(from, ..)| std::cmp::Reverse(*from));
        for (from, to, cost) in silent {
            let more = self.next[to].clone();
            let dearer = more.into_iter().map(|step| Step {
                cost: step.cost + cost,
                ..step
            });
            self.next[from].extend(dearer);
            self.ends[from] = self.ends[from].or(self.ends[to]);
        }
        for step in std::mem::take(&mut self.next[places]) {
            self.first.entry(step.sound).or_default().push(step);
        }
        // A word that may be silent is none.
        self.ends[places] = None;
    }

    fn node(&mut self) -> usize {
        self.next.push(Vec::new());
        self.ends.push(None);
        self.next.len() - 1
    }

    /// Leads from one node to another by each of the pronunciations `ways`.
    fn join(
        &mut self,
        from: usize,
        to: usize,
        ways: &[&[u16]],
        silent: &mut Vec<(usize, usize, f32)>,
    ) {
        for (rank, sounds) in ways.iter().enumerate() {
            let mut cost = NEXT * rank as f32;
            let Some((last, before)) = sounds.split_last() else {
                silent.push((from, to, cost));
                continue;
            };
            let mut at = from;
            for sound in before {
                let node = self.node();
                self.next[at].push(Step {
                    sound: *sound,
                    // Lists are short: far fewer nodes than 2^32.
                    node: node as u32,
                    cost,
                });
                (at, cost) = (node, 0.0);
            }
            self.next[at].push(Step {
                sound: *last,
                node: to as u32,
                cost,
            });
        }
    }
}
