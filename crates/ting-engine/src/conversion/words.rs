//! The words of the search: those of a dictionary, and the hotwords of the task.

use ting_models::{Dictionary, Word};

use crate::hotwords::{Graph, Listed, Pronounced};
use crate::transcript::Symbol;

/// Marks a node of the tree of hotwords, or a hotword, among those of the dictionary.
const LISTED: u32 = 1 << 31;

/// What each character of a hotword costs (natural log), against the gain of its weight. Other words cost about as much by what they are, what the
/// language model says of them and how well their characters are heard.
const COST: f32 = 3.0;

/// The words by their sounds. A hotword stands in a tree of its own, which begins where that of the dictionary does.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) dictionary: &'a Dictionary,
    hotwords: Option<(&'a Graph, &'a Pronounced)>,
}

impl<'a> Words<'a> {
    /// `hotwords`: a list, and how its words sound.
    pub(super) fn new(
        dictionary: &'a Dictionary,
        hotwords: Option<(&'a Graph, &'a Pronounced)>,
    ) -> Self {
        Self {
            dictionary,
            hotwords,
        }
    }

    /// The sounds that may follow at `node`, each with the node that it leads to.
    pub(super) fn next(self, node: u32) -> impl Iterator<Item = (u16, u32)> {
        let own = (node & LISTED == 0).then(|| self.dictionary.next(node));
        let listed = match self.hotwords {
            Some((_, pronounced)) if node == Dictionary::ROOT => pronounced.next(Pronounced::ROOT),
            Some((_, pronounced)) if node & LISTED != 0 => pronounced.next(node & !LISTED),
            _ => &[],
        };
        let listed = listed.iter().map(|(sound, node)| (*sound, node | LISTED));
        own.into_iter().flatten().chain(listed)
    }

    /// Whether any sound may follow.
    pub(super) fn goes_on(self, node: u32) -> bool {
        if node & LISTED == 0 {
            return self.dictionary.goes_on(node);
        }
        let listed = self
            .hotwords
            .map(|(_, pronounced)| pronounced.next(node & !LISTED));
        listed.is_some_and(|next| !next.is_empty())
    }

    /// The words whose sounds end at `node`.
    pub(super) fn ending(self, node: u32) -> impl Iterator<Item = u32> {
        let (own, listed) = match self.hotwords {
            Some((_, pronounced)) if node & LISTED != 0 => (0..0, pronounced.words(node & !LISTED)),
            _ => (self.dictionary.words(node), [].as_slice()),
        };
        own.chain(listed.iter().map(|word| word | LISTED))
    }

    /// Natural log of how likely the likeliest word is that ends at `node`, inside a word, or later.
    pub(super) fn at_most(self, node: u32) -> f32 {
        if node & LISTED == 0 {
            -self.dictionary.config.cost_weight * self.dictionary.least(node)
        } else {
            0.0
        }
    }

    /// Natural log of how likely `word` is after a word of the class `before`, and its class for what follows.
    pub(super) fn likely(self, word: u32, before: u16) -> (f32, u16) {
        let weight = self.dictionary.config.cost_weight;
        if let Some((graph, listed)) = self.listed(word) {
            let (left, right) = listed.classes;
            let characters = listed.tokens.len() as f32;
            let gain = graph.words[listed.word].gain - COST * characters;
            return (
                gain - weight * self.dictionary.connection(before, left),
                right,
            );
        }
        let Word {
            left, right, cost, ..
        } = self.dictionary.word(word);
        let cost = cost + self.dictionary.connection(before, *left);
        (-weight * cost, *right)
    }

    /// The tokens of a word.
    pub(super) fn spelling(self, word: u32) -> &'a [u16] {
        match self.listed(word) {
            Some((_, listed)) => &listed.tokens,
            None => self.dictionary.spelling(word),
        }
    }

    /// The same as a text has them.
    pub(super) fn symbols(self, word: u32) -> Vec<Symbol> {
        match self.listed(word) {
            Some((graph, listed)) => graph.words[listed.word].symbols(),
            None => self
                .spelling(word)
                .iter()
                .copied()
                .map(Symbol::of)
                .collect(),
        }
    }

    /// The sounds of a word.
    pub(super) fn sounds(self, word: u32) -> Vec<u16> {
        match self.listed(word) {
            Some((_, listed)) => listed.sounds.clone(),
            None => self.dictionary.pronunciation(word),
        }
    }

    /// Of a hotword its list, and its entry in it.
    pub(super) fn listed(self, word: u32) -> Option<(&'a Graph, &'a Listed)> {
        let (graph, pronounced) = self.hotwords.filter(|_| word & LISTED != 0)?;
        Some((graph, &pronounced.words[(word & !LISTED) as usize]))
    }
}
