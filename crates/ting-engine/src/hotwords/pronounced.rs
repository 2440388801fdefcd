//! How hotwords sound, for the search by the words of a dictionary.
//!
//! A hotword is found by its tokens in a language that the network can write. In one that it only hears, the listed words are words
//! of the search that writes by ear. How a listed name is read nobody says: its parts are looked up.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use ting_models::{Dictionary, Lexicon, Names, Reading, Tokens};

use super::graph::Word;

/// Letters of a part that is looked up.
const LONGEST_PART: usize = 8;
/// Ways to say a hotword that are looked for, and those kept on the way to them.
const MOST: usize = 8;
const KEPT: usize = 24;
/// How unlikely readings are: of a part that is a word or a name, of a character by itself, and of a kana; and what each that comes after
/// likelier ones costs more. Those that are so much less likely than the likeliest are left out.
const OF_PART: f32 = 1.0;
const OF_CHARACTER: f32 = 1.5;
const OF_KANA: f32 = 0.6;
const NEXT: f32 = 0.25;
const WORST: f32 = 1.5;
/// Kana by the vowel that they end in.
const VOWELS: [(&str, &str); 5] = [
    ("ア", "アカガサザタダナハバパマヤラワャァ"),
    ("イ", "イキギシジチヂニヒビピミリィ"),
    ("ウ", "ウクグスズツヅヌフブプムユルュゥヴ"),
    ("エ", "エケゲセゼテデネヘベペメレェ"),
    ("オ", "オコゴソゾトドノホボポモヨロヲョォ"),
];

/// A listed word by one of the ways to say it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listed {
    /// Its place in `Graph::words`.
    pub(crate) word: usize,
    /// Its characters.
    pub(crate) tokens: Vec<u16>,
    pub(crate) sounds: Vec<u16>,
    /// Its classes for what stands before it, and for what follows.
    pub(crate) classes: (u16, u16),
}

/// The hotwords that a dictionary's language may have, as a tree of their sounds.
#[derive(Clone, Debug)]
pub(crate) struct Pronounced {
    pub(crate) words: Vec<Listed>,
    /// The first is the root.
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    next: Vec<(u16, u32)>,
    words: Vec<u32>,
}

impl Default for Pronounced {
    fn default() -> Self {
        Self {
            words: Vec::new(),
            nodes: vec![Node::default()],
        }
    }
}

impl Pronounced {
    pub(crate) const ROOT: u32 = 0;

    /// Those of `words` that are written in characters and not said to be of another language.
    pub(crate) fn new(
        words: &[Word],
        tokens: &Tokens,
        dictionary: &Dictionary,
        lexicon: &Lexicon,
    ) -> Self {
        let names = dictionary.names();
        let candidates: Vec<(usize, Vec<u16>)> = words
            .iter()
            .enumerate()
            .filter_map(|(i, word)| Some((i, characters(word, names)?)))
            .collect();
        let mut parts: HashSet<&[u16]> = HashSet::new();
        for (_, characters) in &candidates {
            for from in 0..characters.len() {
                let longest = characters.len().min(from + LONGEST_PART);
                parts.extend((from + 1..=longest).map(|to| &characters[from..to]));
            }
        }
        let reader = Reader {
            tokens,
            parts: dictionary.readings(&parts),
            names,
            unknown: names.usual_classes(),
            mine: dictionary.sounds(),
            lexicon,
        };
        let mut result = Self::default();
        for (word, characters) in &candidates {
            for reading in reader.read(characters) {
                let arcs = words[*word].spelling.arcs.iter().rev();
                result.add(Listed {
                    word: *word,
                    tokens: arcs.map(|arc| arc.target.token).collect(),
                    sounds: reading.sounds,
                    classes: reading.classes,
                });
            }
        }
        result
    }

    pub(super) fn add(&mut self, listed: Listed) {
        let mut node = Self::ROOT as usize;
        for sound in &listed.sounds {
            let known = self.nodes[node].next.iter().find(|(s, _)| s == sound);
            node = match known {
                Some((_, child)) => *child as usize,
                None => {
                    // At most 1000 words of 128 characters, with few readings each.
                    let child = self.nodes.len();
                    self.nodes[node].next.push((*sound, child as u32));
                    self.nodes.push(Node::default());
                    child
                }
            };
        }
        self.nodes[node].words.push(self.words.len() as u32);
        self.words.push(listed);
    }

    /// The sounds that may follow at `node`, each with the node that it leads to.
    pub(crate) fn next(&self, node: u32) -> &[(u16, u32)] {
        self.nodes.get(node as usize).map_or(&[], |node| &node.next)
    }

    /// The words whose sounds end at `node`.
    pub(crate) fn words(&self, node: u32) -> &[u32] {
        self.nodes
            .get(node as usize)
            .map_or(&[], |node| &node.words)
    }
}

/// The characters of a hotword that has no letters: tokens, and what stands for others in `names`.
fn characters(word: &Word, names: &Names) -> Option<Vec<u16>> {
    let spelling = &word.spelling;
    if !word.may_be_japanese || spelling.characters != usize::from(spelling.length) {
        return None;
    }
    // Those that begin later come first; a character is one arc.
    let arcs = spelling.arcs.iter().rev();
    arcs.map(|arc| match arc.writes {
        Some(c) => names.letter(c),
        None => Some(arc.target.token),
    })
    .collect()
}

/// What tells how the parts of a hotword are read.
struct Reader<'a> {
    tokens: &'a Tokens,
    /// Those of all parts of all words.
    parts: HashMap<&'a [u16], Vec<Reading>>,
    names: &'a Names,
    /// The classes of what is in no list.
    unknown: (u16, u16),
    /// For each sound whether it is of the dictionary's language.
    mine: &'a [bool],
    lexicon: &'a Lexicon,
}

/// A reading of the beginning of a word.
#[derive(Clone, Debug)]
struct Partial {
    unlikely: f32,
    reading: Reading,
}

impl Reader<'_> {
    /// The ways to say a word, the likeliest first.
    fn read(&self, word: &[u16]) -> Vec<Reading> {
        let mut until: Vec<Vec<Partial>> = vec![Vec::new(); word.len() + 1];
        until[0].push(Partial {
            unlikely: 0.0,
            reading: Reading {
                sounds: Vec::new(),
                classes: self.unknown,
            },
        });
        let by_likelihood = |a: &Partial, b: &Partial| a.unlikely.total_cmp(&b.unlikely);
        for from in 0..word.len() {
            let mut begun = std::mem::take(&mut until[from]);
            begun.sort_by(by_likelihood);
            begun.truncate(KEPT);
            for (to, unlikely, reading) in self.parts_from(word, from, &begun) {
                for before in &begun {
                    let part = reading.clone();
                    add(&mut until[to], before, unlikely, part, from == 0);
                }
            }
            let Some((to, sound, name)) = self.kana(word, from) else {
                continue;
            };
            for before in &begun {
                let mut ways = vec![sound];
                if self.is_long(before.reading.sounds.last(), &name) {
                    ways.splice(0..0, self.names.kana("ー"));
                }
                for (rank, sound) in ways.into_iter().enumerate() {
                    let part = Reading {
                        sounds: vec![sound],
                        classes: self.unknown,
                    };
                    let unlikely = OF_KANA + NEXT * rank as f32;
                    add(&mut until[to], before, unlikely, part, from == 0);
                }
            }
        }
        let mut whole = until.pop().unwrap_or_default();
        whole.sort_by(by_likelihood);
        let worst = whole.first().map_or(0.0, |best| best.unlikely) + WORST;
        let likely = whole.into_iter().take_while(|w| w.unlikely <= worst);
        likely.map(|partial| partial.reading).take(MOST).collect()
    }

    /// (end, how unlikely, reading) of the words, names and characters that begin at `from`.
    fn parts_from(
        &self,
        word: &[u16],
        from: usize,
        begun: &[Partial],
    ) -> Vec<(usize, f32, Reading)> {
        let mut found = Vec::new();
        if begun.is_empty() {
            return found;
        }
        for to in from + 1..=word.len().min(from + LONGEST_PART) {
            let readings = self.parts.get(&word[from..to]).into_iter().flatten();
            for (rank, reading) in readings.enumerate() {
                found.push((to, OF_PART + NEXT * rank as f32, reading.clone()));
            }
        }
        let is_token = usize::from(word[from]) < self.tokens.len();
        let alone = is_token.then(|| self.lexicon.pronounce(self.tokens, &word[from..=from]));
        let readings = alone.flatten();
        let readings = readings.iter().flatten().flatten();
        let mine = |sounds: &&&[u16]| {
            !sounds.is_empty() && sounds.iter().all(|sound| self.mine[usize::from(*sound)])
        };
        for (rank, sounds) in readings.filter(mine).enumerate() {
            let reading = Reading {
                sounds: sounds.to_vec(),
                classes: self.unknown,
            };
            found.push((from + 1, OF_CHARACTER + NEXT * rank as f32, reading));
        }
        found
    }

    /// The kana at `from`, one or two of which are a sound: their end, the sound and its name.
    fn kana(&self, word: &[u16], from: usize) -> Option<(usize, u16, String)> {
        let text = |at: usize| match usize::from(word[at]) {
            id if id < self.tokens.len() => in_katakana(self.tokens.text(id)),
            _ => String::new(),
        };
        [from + 2, from + 1].into_iter().find_map(|to| {
            let name: String = (from..to.min(word.len())).map(text).collect();
            let sound = self.names.kana(&name).filter(|_| to <= word.len())?;
            Some((to, sound, name))
        })
    }

    /// Whether the kana `name` makes the sound `before` it long: a vowel after its like (おかあさん), and mostly う after お and い after え.
    fn is_long(&self, before: Option<&u16>, name: &str) -> bool {
        let before = before.and_then(|sound| self.names.name_of(*sound));
        let last = before.and_then(|name| name.chars().next_back());
        let vowel = VOWELS
            .iter()
            .find(|(_, kana)| last.is_some_and(|last| kana.contains(last)));
        vowel.is_some_and(|(vowel, _)| {
            *vowel == name || matches!((*vowel, name), ("オ", "ウ") | ("エ", "イ"))
        })
    }
}

fn in_katakana(text: &str) -> String {
    let katakana = |c: char| match c {
        '\u{3041}'..='\u{3096}' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
        _ => c,
    };
    text.chars().map(katakana).collect()
}

/// Adds to `partials` the one `before` with `part` behind it, unless a likelier one sounds the same.
fn add(partials: &mut Vec<Partial>, before: &Partial, unlikely: f32, part: Reading, first: bool) {
    let sounds = [before.reading.sounds.as_slice(), &part.sounds].concat();
    let left = if first {
        part.classes.0
    } else {
        before.reading.classes.0
    };
    let partial = Partial {
        unlikely: before.unlikely + unlikely,
        reading: Reading {
            sounds,
            classes: (left, part.classes.1),
        },
    };
    let same = |other: &&mut Partial| other.reading.sounds == partial.reading.sounds;
    match partials.iter_mut().find(same) {
        Some(other) if other.unlikely.total_cmp(&partial.unlikely) == Ordering::Greater => {
            *other = partial;
        }
        Some(_) => {}
        None => partials.push(partial),
    }
}

#[cfg(test)]
mod tests {
    use ting_models::DictionaryConfig;

    use super::*;
    use crate::api::{Hotword, Language};
    use crate::hotwords::{Graph, GraphOptions};

    const TOKENS: &str = "<blank>\nお\tja\nう\tja\nき\tja\nゃ\tja\nキ\tja\nー\tja\n木\tja,zh\n立\tja,zh\n好\tzh\n▁tree\ten\nオ\tja";
    const SOUNDS: &str = "<blank>\nオ\nウ\nキ\nキャ\nー\nタ\nmu4";
    /// 木 is キ or オ, 立 タ; 岡木, of which 岡 is no token, is オー キ.
    const WORDS: &str = "1\n0\nキ\t木\t0\t0\t4\nオ\t木\t0\t0\t9\nウ\tう\t0\t0\t1\nキャ\tき\t0\t0\t90\nタ\t立\t0\t0\t30\nウ ー\tうー\t0\t0\t30\nオ ー キ\t岡木\t0\t0";
    const LEXICON: &str = "木\tmu4|キ\n立\tmu4|タ ー\nき\tキ\n▁tree▁\tmu4";

    /// The sounds of the ways to say a hotword.
    fn read(text: &str, language: Option<Language>) -> Vec<String> {
        let tokens = Tokens::parse(TOKENS).unwrap();
        let lexicon = Lexicon::parse(LEXICON, SOUNDS, &tokens).unwrap();
        let config = DictionaryConfig {
            cost_weight: 1.0,
            lm_weight: 0.0,
            token_weight: 0.0,
            sound_bonus: 0.0,
            beam: 10,
        };
        let dictionary = Dictionary::parse(WORDS, SOUNDS, &tokens, config).unwrap();
        let options = GraphOptions {
            tokens: &tokens,
            readings: None,
            names: Some(dictionary.names()),
            allowed: None,
        };
        let hotword = Hotword {
            text: text.to_owned(),
            weight: 4,
            language,
        };
        let graph = Graph::new(options, &[hotword], &[]);
        let pronounced = graph.pronounced(&tokens, &dictionary, &lexicon);
        let names: Vec<&str> = SOUNDS.lines().collect();
        let mut ways = Vec::new();
        for (id, listed) in pronounced.words.iter().enumerate() {
            // The tree leads to it.
            let mut node = Pronounced::ROOT;
            for sound in &listed.sounds {
                node = pronounced
                    .next(node)
                    .iter()
                    .find(|(s, _)| s == sound)
                    .unwrap()
                    .1;
            }
            assert!(pronounced.words(node).contains(&(id as u32)));
            let sounds = listed.sounds.iter().map(|s| names[usize::from(*s)]);
            ways.push(sounds.collect::<Vec<_>>().join(" "));
        }
        ways
    }

    #[test]
    fn hotwords_are_read_by_words_names_characters_and_kana() {
        let cases: [(&str, &[&str]); 8] = [
            // As a word, in the order of their costs, and as a character.
            ("木", &["キ", "オ"]),
            // One is only a character.
            ("木立", &["キ タ", "オ タ", "キ タ ー", "オ タ ー"]),
            // As a name as a whole. Nothing reads 岡 by itself.
            ("岡木", &["オ ー キ"]),
            ("岡立", &[]),
            // う after お is long, or it is not, or it is the word う.
            ("おう", &["オ ー", "オ ウ"]),
            // Two kana are one sound; き alone is unlikely.
            ("キャ", &[]),
            ("きゃ", &["キャ"]),
            ("tree", &[]),
        ];
        let mut failed = Vec::new();
        for (text, want) in cases {
            let got = read(text, None);
            if got != want {
                failed.push(format!("{text}: {got:?}, not {want:?}"));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }

    #[test]
    fn words_of_other_languages_are_not_read() {
        for (language, want) in [
            (Some(Language::Japanese), true),
            (Some(Language::Chinese), false),
            (Some(Language::English), false),
        ] {
            assert_eq!(!read("木立", language).is_empty(), want, "{language:?}");
        }
    }
}
