//! Words by how they sound: `dictionary.txt.gz`.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;

use serde::Deserialize;

use crate::config::require;
use crate::error::{ModelError, ModelErrorKind};
use crate::lexicon::sound_ids;
use crate::names::{Names, Parts, Reading};
use crate::packed::unpack;
use crate::tokens::Tokens;

/// The file says costs in these parts of a natural logarithm.
const UNIT: f32 = 0.25;

/// Section `dictionary` of `config.json`: how much what counts in the search for words by their sounds. The natural log probability of the
/// sounds has weight 1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct DictionaryConfig {
    /// Weight of the costs of words and of what they stand beside.
    pub cost_weight: f32,
    /// Weight of the natural log probabilities that the language model `lm.bin` gives the words' tokens.
    pub lm_weight: f32,
    /// Weight of the natural log probability of each of the words' tokens where the recogniser hears it best.
    pub token_weight: f32,
    /// Added per sound, against the liking of all of these for texts of few sounds.
    pub sound_bonus: f32,
    /// Hypotheses kept by the search.
    pub beam: usize,
}

impl DictionaryConfig {
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        for (name, value) in [
            ("cost_weight", self.cost_weight),
            ("lm_weight", self.lm_weight),
            ("token_weight", self.token_weight),
        ] {
            require(value.is_finite() && value >= 0.0, || {
                format!("dictionary.{name} should be a number of at least 0")
            })?;
        }
        require(self.sound_bonus.is_finite(), || {
            "dictionary.sound_bonus should be finite".to_owned()
        })?;
        require(self.beam > 0, || {
            "dictionary.beam should be at least 1".to_owned()
        })
    }
}

/// The words of a language whose spelling cannot be told from the sound of each character, as a tree of their sounds; with what they cost
/// and what they cost beside each other, as in MeCab (Kudo et al. 2004, "Applying Conditional Random Fields to Japanese Morphological
/// Analysis"): the less, the likelier.
///
/// `dictionary.txt.gz` is a text packed with gzip. Its first line is the number of classes of words; class 0 is the ends of a sentence. As many lines of
/// as many numbers follow: what a word of the column's class costs after one of the line's. Each other line is a word: its sounds as in `sounds.txt`
/// with spaces between (empty: those of the word before), its spelling, each character of which is a token, its class for what stands
/// before it, its class for what follows, and its cost, with tabs between (`カ キ<tab>柿<tab>3<tab>3<tab>29`). Costs are whole numbers, in
/// quarters of a natural logarithm. A line without a cost is a rare name, which is never written unasked, but says how hotwords may sound.
/// `training/dictionary.py` writes it.
#[derive(Clone, Debug)]
pub struct Dictionary {
    /// The tree in breadth-first order: the children of a node stand in a row, after those of the node before. The first is the root, one
    /// more stands at the end.
    nodes: Vec<Node>,
    /// By their sounds, the cheapest first.
    words: Vec<Word>,
    /// The tokens of all words, one after the other.
    spellings: Vec<u16>,
    /// For each token whether a word has it.
    tokens: Vec<bool>,
    classes: usize,
    /// `[before][after]`.
    connections: Vec<f32>,
    /// How much what counts.
    pub config: DictionaryConfig,
    /// For each sound whether a word has it.
    sounds: Vec<bool>,
    /// What is only read, never written unasked.
    names: Names,
}

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    sound: u16,
    /// How many words end here, and the first.
    count: u16,
    first: u32,
    /// The first child; the last is before that of the next node.
    children: u32,
    /// Cost of the cheapest word here and below.
    least: f32,
}

/// A word of a [`Dictionary`].
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// Its spelling, in `Dictionary::spellings`.
    from: u32,
    to: u32,
    /// Its class for what stands before it.
    pub left: u16,
    /// Its class for what follows.
    pub right: u16,
    /// What it costs, a natural logarithm.
    pub cost: f32,
}

/// A line of the file.
struct Line<'a> {
    sounds: Vec<u16>,
    spelling: &'a str,
    left: u16,
    right: u16,
    /// None of a name that only hotwords have.
    cost: Option<i16>,
}

impl Dictionary {
    /// The root of the tree of sounds, in which no word ends.
    pub const ROOT: u32 = 0;

    /// Reads the bytes of `dictionary.txt.gz` and the text of `sounds.txt`, for `tokens`.
    ///
    /// # Errors
    /// `Format`, naming the file and the line: what cannot be unpacked or is longer than 64 MiB; a number that is none; a class that is not
    /// there; a sound that is not in `sounds.txt`; a character that is no token; no words.
    pub fn from_bytes(
        packed: &[u8],
        sounds: &str,
        tokens: &Tokens,
        config: DictionaryConfig,
    ) -> Result<Self, ModelError> {
        let text = unpack(packed).map_err(|error| error.within("dictionary.txt.gz"))?;
        Self::parse(&text, sounds, tokens, config)
    }

    /// The same of a text that is unpacked.
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes).
    pub fn parse(
        text: &str,
        sounds: &str,
        tokens: &Tokens,
        config: DictionaryConfig,
    ) -> Result<Self, ModelError> {
        let ids = sound_ids(sounds)?;
        let mut lines = text.lines().zip(1usize..);
        let classes = lines
            .next()
            .and_then(|(line, _)| line.parse::<u16>().ok())
            .filter(|classes| *classes > 0)
            .ok_or_else(|| fail("line 1: it should be the number of classes".to_owned()))?;
        let classes = usize::from(classes);
        let mut connections = Vec::with_capacity(classes * classes);
        for (line, number) in lines.by_ref().take(classes) {
            for cost in line.split(' ') {
                let cost: i16 = cost
                    .parse()
                    .map_err(|_| fail(format!("line {number}: `{cost}` is no cost")))?;
                connections.push(f32::from(cost) * UNIT);
            }
            if connections.len() != (number - 1) * classes {
                return Err(fail(format!(
                    "line {number}: it should have {classes} costs"
                )));
            }
        }
        if connections.len() != classes * classes {
            let number = connections.len() / classes + 2;
            return Err(fail(format!(
                "line {number}: it should have {classes} costs"
            )));
        }
        let mut words: Vec<Line<'_>> = Vec::new();
        for (line, number) in lines {
            let before = words.last().map(|line| line.sounds.as_slice());
            let word = read_word(line, before, &ids, classes)
                .map_err(|what| fail(format!("line {number}: {what}")))?;
            words.push(word);
        }
        let names: Vec<Line<'_>> = words.extract_if(.., |word| word.cost.is_none()).collect();
        if words.is_empty() {
            return Err(fail("there are no words".to_owned()));
        }
        words.sort_by(|a, b| a.sounds.cmp(&b.sounds).then(a.cost.cmp(&b.cost)));

        let mut result = Self {
            nodes: tree(&words)?,
            words: Vec::with_capacity(words.len()),
            spellings: Vec::new(),
            tokens: vec![false; tokens.len()],
            classes,
            connections,
            config,
            sounds: vec![false; ids.len()],
            names: Names::default(),
        };
        let mut kana = vec![""; ids.len()];
        for (name, id) in &ids {
            kana[usize::from(*id)] = name;
        }
        for name in names {
            let first = name.sounds.first().map_or("", |id| kana[usize::from(*id)]);
            let Some(spelling) = result.names.spell(name.spelling, first, tokens) else {
                let name = name.spelling;
                return Err(fail(format!(
                    "`{name}` has characters that nothing stands for"
                )));
            };
            (result.names).add(&spelling, name.sounds, (name.left, name.right));
        }
        for word in &words {
            // The file is far shorter than 2^32.
            let from = result.spellings.len() as u32;
            for token in spell(word.spelling, tokens)? {
                result.spellings.push(token);
                result.tokens[usize::from(token)] = true;
            }
            result.words.push(Word {
                from,
                to: result.spellings.len() as u32,
                left: word.left,
                right: word.right,
                cost: f32::from(word.cost.unwrap_or_default()) * UNIT,
            });
            for sound in &word.sounds {
                result.sounds[usize::from(*sound)] = true;
            }
        }
        let mine = ids
            .iter()
            .filter(|(_, id)| result.sounds[usize::from(**id)]);
        result.names.kana = mine.map(|(name, id)| ((*name).into(), *id)).collect();
        Ok(result)
    }

    /// For each sound whether any word has it.
    pub fn sounds(&self) -> &[bool] {
        &self.sounds
    }

    /// Whether all its words may be written with `allowed` tokens.
    pub fn is_within(&self, allowed: &[bool]) -> bool {
        let mut each = self.tokens.iter().zip(allowed);
        each.all(|(mine, allowed)| !mine || *allowed)
    }

    /// The sounds that may follow at `node` of the tree, in rising order, each with the node that it leads to.
    pub fn next(&self, node: u32) -> impl Iterator<Item = (u16, u32)> {
        let [from, to] = [node, node + 1].map(|node| self.nodes[node as usize].children);
        (from..to).map(|child| (self.nodes[child as usize].sound, child))
    }

    /// Whether any sound may follow.
    pub fn goes_on(&self, node: u32) -> bool {
        let [from, to] = [node, node + 1].map(|node| self.nodes[node as usize].children);
        from < to
    }

    /// The words whose sounds end at `node`, the cheapest first.
    pub fn words(&self, node: u32) -> Range<u32> {
        let node = &self.nodes[node as usize];
        node.first..node.first + u32::from(node.count)
    }

    /// What the cheapest word costs whose sounds end at `node` or later, a natural logarithm.
    pub fn least(&self, node: u32) -> f32 {
        self.nodes[node as usize].least
    }

    /// A word of those that [`words`](Self::words) gives.
    pub fn word(&self, word: u32) -> &Word {
        &self.words[word as usize]
    }

    /// Its tokens.
    pub fn spelling(&self, word: u32) -> &[u16] {
        let Word { from, to, .. } = self.words[word as usize];
        &self.spellings[from as usize..to as usize]
    }

    /// Its sounds.
    pub fn pronunciation(&self, word: u32) -> Vec<u16> {
        let (mut node, mut sounds) = (Self::ROOT, Vec::new());
        while !self.words(node).contains(&word) {
            let below = self.next(node);
            // Words are in the order of their sounds, and so are children.
            let reached = below.take_while(|(_, child)| self.nodes[*child as usize].first <= word);
            let Some((sound, child)) = reached.last() else {
                break;
            };
            sounds.push(sound);
            node = child;
        }
        sounds
    }

    /// How each of `parts`, tokens of hotwords, may be said, as far as it is a word or a name here, the likeliest first.
    pub fn readings<'a>(&self, parts: &HashSet<&'a [u16]>) -> HashMap<&'a [u16], Vec<Reading>> {
        let mut found: HashMap<&[u16], Vec<(f32, Reading)>> = HashMap::new();
        let parts = Parts::new(parts);
        for (id, word) in self.words.iter().enumerate() {
            // The file is far shorter than 2^32.
            let id = id as u32;
            let Some(part) = parts.get(self.spelling(id)) else {
                continue;
            };
            let reading = Reading {
                sounds: self.pronunciation(id),
                classes: (word.left, word.right),
            };
            found.entry(part).or_default().push((word.cost, reading));
        }
        let sort = |(part, mut readings): (&'a [u16], Vec<(f32, Reading)>)| {
            readings.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut different: Vec<Reading> = Vec::new();
            for (_, reading) in readings {
                if different.iter().all(|other| other.sounds != reading.sounds) {
                    different.push(reading);
                }
            }
            (part, different)
        };
        let mut found: HashMap<&[u16], Vec<Reading>> = found.into_iter().map(sort).collect();
        self.names.add_readings(&parts, &mut found);
        found
    }

    /// The names, and the sounds by their kana.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What a word of the class `left` costs after one of the class `right`, a natural logarithm. 0 is the class of the ends of a sentence.
    pub fn connection(&self, right: u16, left: u16) -> f32 {
        self.connections[usize::from(right) * self.classes + usize::from(left)]
    }
}

fn fail(what: String) -> ModelError {
    ModelError::new(ModelErrorKind::Format, format!("dictionary.txt.gz: {what}"))
}

/// The tokens of a word.
fn spell(word: &str, tokens: &Tokens) -> Result<Vec<u16>, ModelError> {
    let mut letter = [0; 4];
    let token = |c: char| match tokens.id(c.encode_utf8(&mut letter)) {
        // Token lists have at most 65535 entries, so the id fits.
        Some(token) => Ok(token as u16),
        None => Err(fail(format!("`{c}` of `{word}` is no token"))),
    };
    word.chars().map(token).collect()
}

/// The word or name of a line; `before` are the sounds of the one before.
fn read_word<'a>(
    line: &'a str,
    before: Option<&[u16]>,
    ids: &HashMap<&str, u16>,
    classes: usize,
) -> Result<Line<'a>, String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let (spoken, spelling, left, right, cost) = match *fields.as_slice() {
        [spoken, spelling, left, right, cost] => (spoken, spelling, left, right, Some(cost)),
        [spoken, spelling, left, right] => (spoken, spelling, left, right, None),
        _ => {
            return Err(
                "a word should have five fields, with tabs between, a name four".to_owned(),
            );
        }
    };
    if spelling.is_empty() {
        return Err("a word has no spelling".to_owned());
    }
    let class = |field: &str| {
        let class = field.parse::<u16>().ok();
        class
            .filter(|class| usize::from(*class) < classes)
            .ok_or_else(|| format!("`{field}` is no class, they are from 0 to {}", classes - 1))
    };
    let sounds = match (spoken, before) {
        ("", Some(before)) => before.to_vec(),
        ("", None) => return Err("the first word has no sounds".to_owned()),
        (spoken, _) => spoken
            .split(' ')
            .map(|sound| match ids.get(sound) {
                // The blank is none.
                Some(0) | None => Err(format!("`{sound}` is no sound of sounds.txt")),
                Some(id) => Ok(*id),
            })
            .collect::<Result<_, _>>()?,
    };
    Ok(Line {
        sounds,
        spelling,
        left: class(left)?,
        right: class(right)?,
        cost: cost
            .map(|cost| cost.parse().map_err(|_| format!("`{cost}` is no cost")))
            .transpose()?,
    })
}

/// The tree of `words`, which are sorted by their sounds.
fn tree(words: &[Line<'_>]) -> Result<Vec<Node>, ModelError> {
    let mut nodes = vec![Node::default()];
    // The words below each node that has no children yet.
    let mut below = VecDeque::from([(0..words.len(), 0)]);
    let mut at = 0;
    while let Some((range, depth)) = below.pop_front() {
        let here = &words[range.clone()];
        let count = here.partition_point(|word| word.sounds.len() == depth);
        let least = here.iter().filter_map(|word| word.cost).min().unwrap_or(0);
        let children = nodes.len() as u32;
        let node: &mut Node = &mut nodes[at];
        node.count = u16::try_from(count)
            .map_err(|_| fail("more than 65535 words sound alike".to_owned()))?;
        // The file is far shorter than 2^32.
        node.first = range.start as u32;
        node.children = children;
        node.least = f32::from(least) * UNIT;
        at += 1;
        let mut from = range.start + count;
        for group in here[count..].chunk_by(|a, b| a.sounds[depth] == b.sounds[depth]) {
            nodes.push(Node {
                sound: group[0].sounds[depth],
                ..Node::default()
            });
            below.push_back((from..from + group.len(), depth + 1));
            from += group.len();
        }
    }
    let end = nodes.len() as u32;
    nodes.push(Node {
        children: end,
        ..Node::default()
    });
    Ok(nodes)
}
