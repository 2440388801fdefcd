//! A list of hotwords, made ready for the search.

use std::sync::{Arc as Shared, OnceLock};

use ting_models::{Dictionary, Lexicon, Names, Readings, Tokens};

use super::Sounds;
use super::letters::Letters;
use super::pronounced::Pronounced;
use super::spelling::{Arc, BySound, Spelling, spell};
use crate::api::{Hotword, IneffectiveHotword, Language};
use crate::transcript::Symbol;

/// How much likelier (natural log) a word of weight 1 to 5 is taken to be, for each of its Chinese or Japanese characters.
const OF_CHARACTER: [f32; 5] = [0.25, 0.5, 0.75, 1.0, 1.5];
/// The same for each letter of a word written between spaces.
const OF_LETTER: [f32; 5] = [0.25, 0.5, 0.75, 1.0, 1.25];
/// But no word of letters gains more than what so many letters give, for each token of its shortest spelling: a common word is one
/// token, which the network knows well.
const LETTERS_PER_TOKEN: f32 = 2.0;
/// What holds for weight 50 is that of weight 5 times this.
const SUPER: f32 = 1.6;

/// A word of weight 1 to 5 is written only where ln P of its tokens, and of the blanks between, is on average at least minus this:
/// however unsure the network is of everything, something like it must have been said.
const EVIDENCE: [f32; 5] = [2.0, 2.4, 2.8, 3.3, 4.0];
/// The gains of a context's words are those of weight 3 times this: half of those of weight 1.
const OF_CONTEXT: f32 = 1.0 / 6.0;

/// What a graph depends on beside its words.
#[derive(Clone, Copy)]
pub(crate) struct GraphOptions<'a> {
    pub(crate) tokens: &'a Tokens,
    pub(crate) readings: Option<&'a Readings>,
    /// Of a dictionary that knows how names are read.
    pub(crate) names: Option<&'a Names>,
    /// Tokens of the languages asked for; none means all.
    pub(crate) allowed: Option<&'a [bool]>,
}

/// One word of a graph.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) spelling: Spelling,
    /// Added to the score of a hypothesis that has the word, in place of what the language model says of its tokens.
    pub(crate) gain: f32,
    /// What ln P of a path through the word must at least be: else nothing like it was said.
    pub(crate) evidence: f32,
    /// Where its arcs begin among those of all words.
    pub(crate) first_arc: usize,
    /// For each arc the part of the gain that belongs to it and what is before it.
    pub(crate) gain_until: Vec<f32>,
    /// For each arc the place of its target among those of the graph.
    pub(crate) targets: Vec<u16>,
    /// For each arc those that may stand before it, as indices into `spelling.arcs`.
    pub(crate) before: Vec<Vec<u16>>,
    /// It was not listed as a word of another language.
    pub(crate) may_be_japanese: bool,
    /// The same of English.
    pub(crate) may_be_english: bool,
}

/// A first arc of a word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beginning {
    pub(crate) word: u32,
    /// Its target's place and its part of the word's gain.
    pub(crate) target: u16,
    pub(crate) gain: f32,
}

/// A list of hotwords, made ready for the search.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) words: Vec<Word>,
    pub(crate) arcs: usize,
    /// The first arcs of all words, so that a frame in which no word begins is soon done with.
    pub(crate) beginnings: Vec<Beginning>,
    pub(crate) sounds: Sounds,
    /// Tokens that go on with a word of letters, which is complete before them.
    goes_on: Vec<bool>,
    /// Characters of the longest token.
    longest: usize,
    /// Words that can never be written, and why.
    pub(crate) ineffective: Vec<IneffectiveHotword>,
    /// Made when it is first asked for.
    pronounced: OnceLock<Pronounced>,
    letters: OnceLock<Letters>,
}

impl Graph {
    /// `hotwords` and, more weakly, the words `context`, which nobody listed but which were spoken of.
    pub(crate) fn new(options: GraphOptions<'_>, hotwords: &[Hotword], context: &[String]) -> Self {
        let tokens = options.tokens;
        let longest = (0..tokens.len()).map(|token| tokens.piece(token).chars().count());
        let mut graph = Self {
            longest: longest.max().unwrap_or(0),
            ..Self::default()
        };
        for hotword in hotwords {
            let listed = graph.add(options, hotword, 1.0);
            if let Err(reason) = listed {
                let text = hotword.text.clone();
                graph.ineffective.push(IneffectiveHotword { text, reason });
            }
        }
        for text in context {
            let soft = Hotword {
                text: text.clone(),
                weight: 3,
                language: None,
            };
            // Nobody listed them, so nobody misses those that cannot be written.
            let _ = graph.add(options, &soft, OF_CONTEXT);
        }
        let targets = graph.words.iter().flat_map(|word| &word.spelling.arcs);
        graph.sounds = Sounds::new(targets.map(|arc| arc.target).collect());
        let sounds = &graph.sounds;
        for word in &mut graph.words {
            let places = word
                .spelling
                .arcs
                .iter()
                .map(|arc| sounds.place(arc.target));
            word.targets = places.collect();
        }
        for (index, word) in graph.words.iter().enumerate() {
            for (i, arc) in word.spelling.arcs.iter().enumerate() {
                if arc.from == 0 {
                    graph.beginnings.push(Beginning {
                        // Far fewer words than 2^32.
                        word: index as u32,
                        target: word.targets[i],
                        gain: word.gain_until[i],
                    });
                }
            }
        }
        if !graph.words.is_empty() {
            graph.goes_on = (0..tokens.len())
                .map(|token| goes_on(tokens, token))
                .collect();
        }
        graph
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How the words of characters sound in the language of `dictionary`.
    pub(crate) fn pronounced(
        &self,
        tokens: &Tokens,
        dictionary: &Dictionary,
        lexicon: &Lexicon,
    ) -> &Pronounced {
        (self.pronounced).get_or_init(|| Pronounced::new(&self.words, tokens, dictionary, lexicon))
    }

    /// How the words of letters sound.
    pub(crate) fn letters(&self, tokens: &Tokens, lexicon: &Lexicon) -> &Letters {
        (self.letters).get_or_init(|| Letters::new(&self.words, tokens, lexicon))
    }

    /// Whether `token` goes on with a word of letters that a hotword has ended.
    pub(crate) fn goes_on(&self, token: u16) -> bool {
        self.goes_on.get(usize::from(token)) == Some(&true)
    }

    fn add(
        &mut self,
        options: GraphOptions<'_>,
        hotword: &Hotword,
        share: f32,
    ) -> Result<(), String> {
        let GraphOptions {
            tokens,
            readings,
            names,
            allowed,
        } = options;
        let names = names.filter(|_| may_be_japanese(hotword));
        let longest = self.longest;
        let readings = readings.filter(|_| is_read_in_chinese(hotword));
        let known = |usable: &dyn Fn(usize) -> bool| {
            let by_sound = BySound { readings, names };
            spell(&hotword.text, tokens, longest, by_sound, usable)
        };
        let spelling =
            known(&|token| allowed.is_none_or(|allowed| allowed[token])).map_err(|missing| {
                if missing.is_empty() {
                    "it has nothing that is spoken".to_owned()
                } else if known(&|_| true).is_ok() {
                    "its language is not among the languages of the task".to_owned()
                } else {
                    let missing: Vec<String> = missing.iter().map(char::to_string).collect();
                    format!("the model cannot write {}", missing.join(" "))
                }
            })?;
        let gain = gain(hotword.weight, &spelling) * share;
        let before = spelling
            .arcs
            .iter()
            .map(|arc| before(arc, &spelling.arcs))
            .collect();
        let arcs = spelling.arcs.len();
        let gain_until = |arc: &Arc| gain * f32::from(arc.to) / f32::from(spelling.length);
        self.words.push(Word {
            gain_until: spelling.arcs.iter().map(gain_until).collect(),
            evidence: -evidence(hotword.weight, &spelling),
            // Known once all words are there.
            targets: Vec::new(),
            spelling,
            gain,
            first_arc: self.arcs,
            before,
            may_be_japanese: may_be_japanese(hotword),
            may_be_english: hotword.language.is_none_or(|l| l == Language::English),
        });
        self.arcs += arcs;
        Ok(())
    }
}

impl Word {
    /// What is written for an arc of a path through the word: a part between spaces is written as it is listed, at its first
    /// arc; characters write themselves.
    pub(crate) fn symbol(&self, arc: &Arc) -> Symbol {
        let parts = &self.spelling.parts;
        let part = parts
            .iter()
            .rev()
            .find(|part| part.from <= arc.from && arc.to <= part.to);
        let stand_in = arc
            .writes
            .map(|c| Shared::from(c.encode_utf8(&mut [0; 4]) as &str));
        let spelling = part.map(|part| {
            let text = if part.from == arc.from {
                &*part.text
            } else {
                ""
            };
            Shared::from(text)
        });
        Symbol {
            token: arc.target.token,
            hot: Some(arc.target),
            spelling: spelling.or(stand_in),
        }
    }
}

impl Word {
    /// What is written for a word of characters that are all tokens.
    pub(crate) fn symbols(&self) -> Vec<Symbol> {
        // Those that begin later come first.
        let arcs = self.spelling.arcs.iter().rev();
        arcs.map(|arc| self.symbol(arc)).collect()
    }
}

fn before(arc: &Arc, arcs: &[Arc]) -> Vec<u16> {
    let meets = |other: &&(usize, &Arc)| other.1.to == arc.from;
    // A word has fewer than 65536 arcs: 128 characters, 24 lengths of tokens at most.
    arcs.iter()
        .enumerate()
        .filter(|other| meets(&other))
        .map(|(i, _)| i as u16)
        .collect()
}

/// Whether Chinese readings may tell how the word sounds.
fn is_read_in_chinese(hotword: &Hotword) -> bool {
    let kana = |c: char| matches!(c, '\u{3041}'..='\u{30fe}');
    hotword.language != Some(Language::Japanese) && !hotword.text.chars().any(kana)
}

/// Whether it may be said in the language of the dictionary.
fn may_be_japanese(hotword: &Hotword) -> bool {
    hotword
        .language
        .is_none_or(|language| language == Language::Japanese)
}

fn goes_on(tokens: &Tokens, token: usize) -> bool {
    let begins = tokens.starts_word(token) || tokens.is_punctuation(token);
    // `'s` may follow any name.
    !begins && !tokens.text(token).starts_with('\'')
}

/// How unlikely (negative natural log) a path through a word may be.
fn evidence(weight: u8, spelling: &Spelling) -> f32 {
    let step = usize::from(weight.clamp(1, 5)) - 1;
    let factor = if weight > 5 { SUPER } else { 1.0 };
    factor * EVIDENCE[step] * spelling.least_tokens() as f32
}

/// What is added to the score of a word.
fn gain(weight: u8, spelling: &Spelling) -> f32 {
    let step = usize::from(weight.clamp(1, 5)) - 1;
    let factor = if weight > 5 { SUPER } else { 1.0 };
    let characters = spelling.characters as f32;
    // Each character is a token.
    let tokens = spelling.least_tokens() as f32 - characters;
    let letters = (spelling.letters as f32).min(LETTERS_PER_TOKEN * tokens);
    factor * (OF_CHARACTER[step] * characters + OF_LETTER[step] * letters)
}
