//! A third look at a final: its sounds, written with the words of a dictionary.
//!
//! How a Japanese word is written cannot be told from its sounds one by one, and no recording says how most of the words are written: the network
//! hears them and spells something that sounds alike. What converts kana as one types has the same to do and does it with a dictionary
//! and with what a word costs after another (Kudo et al. 2004). Here the kana are not known either, but how likely each is in each row: the search
//! is CTC token passing through the tree of a [`Dictionary`]'s words, best path only (Ney and Ortmanns 1999, "Dynamic
//! Programming Search for Continuous Speech Recognition"), with the costs of MeCab, the language model of the other search, and a
//! little of how likely the characters are.

use std::collections::hash_map::Entry;
use std::ops::Range;

use rustc_hash::FxHashMap;
use ting_models::{Dictionary, LmState, Model, NgramLm, Pronunciation};

use crate::hotwords::Graph;
use crate::posteriors::Frame;
use crate::transcript::Symbol;
use words::Words;

mod words;

/// Of all that is heard, so much is to be sounds of the dictionary's language.
const SHARE: f32 = 0.8;
/// Hypotheses are dropped that are this much less likely than the best (natural log).
const MARGIN: f32 = 20.0;
/// A sound that is less likely in a row is not looked at.
const LEAST: f32 = 1e-4;
/// A row this sure of the blank begins no sound.
const SURE_BLANK: f32 = 0.997;
/// No token is less likely than this (natural log): the network has never heard most of the rare ones.
const FLOOR: f32 = -10.0;
/// A token may be heard so many frames before and behind the sounds of its word: the two output layers of the network are not of one mind.
const AROUND: usize = 2;
const BLANK: u16 = 0;

/// A final written with the words of a dictionary.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Converted {
    pub(crate) tokens: Vec<Written>,
    /// The sounds of its words.
    pub(crate) sounds: Vec<u16>,
}

/// A token of a final that was written so.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written {
    pub(crate) symbol: Symbol,
    /// The frame in which it was said. The sounds of a word are shared among its tokens: which sounds are whose is not known.
    pub(crate) frame: usize,
    /// ln P of the likeliest token where its word was said, whichever that is.
    pub(crate) likeliest: f32,
}

/// What the network heard in a segment.
#[derive(Clone, Copy)]
pub(crate) struct Heard<'a> {
    /// Probabilities, `[rows][sounds]`; each frame has the same number of rows.
    pub(crate) sounds: &'a [f32],
    /// ln P, `[frames][tokens]`.
    pub(crate) tokens: &'a [f32],
    /// The same frames, reduced.
    pub(crate) frames: &'a [Frame],
}

/// What was `heard`, in words of the dictionary of `pronunciation` and those of `hotwords`. None without a dictionary, where too little is in
/// its language, and where nothing fits. `allowed`: the tokens of the languages asked for; all those of the dictionary have to be among them.
pub(crate) fn convert(
    heard: Heard<'_>,
    model: &Model,
    pronunciation: &Pronunciation,
    hotwords: &Graph,
    allowed: Option<&[bool]>,
) -> Option<Converted> {
    let dictionary = pronunciation.dictionary.as_ref()?;
    let sounds = pronunciation.head.sounds();
    if heard.frames.is_empty()
        || share(heard.sounds, dictionary.sounds()) < SHARE
        || allowed.is_some_and(|allowed| !dictionary.is_within(allowed))
    {
        return None;
    }
    let pronounced = || hotwords.pronounced(&model.tokens, dictionary, &pronunciation.lexicon);
    let listed = (!hotwords.is_empty()).then(|| (hotwords, pronounced()));
    let words = Words::new(dictionary, listed);
    let mut search = Search {
        words,
        lm: model.lm.as_ref(),
        tokens: heard.tokens,
        count: model.ctc.tokens(),
        rows: heard.sounds.len() / sounds / heard.frames.len(),
        said: Vec::new(),
        likely: FxHashMap::default(),
        after: FxHashMap::default(),
        endings: Vec::new(),
    };
    let said = search.run(heard.sounds, sounds)?;
    Some(written(&said, words, heard.frames, search.rows))
}

/// How much of what is heard, the blank left out, is sounds of which `mine` says so.
fn share(heard: &[f32], mine: &[bool]) -> f32 {
    let (mut of_mine, mut all) = (0.0, 0.0);
    for row in heard.chunks_exact(mine.len()) {
        for (p, mine) in row.iter().zip(mine).skip(1) {
            all += p;
            if *mine {
                of_mine += p;
            }
        }
    }
    if all > 0.0 { of_mine / all } else { 0.0 }
}

/// Where a word was said, in rows of sounds.
#[derive(Clone, Debug, PartialEq)]
struct Spoken {
    word: u32,
    rows: Range<usize>,
}

/// The tokens of the words `said`, whose rows are `rows` a frame.
fn written(said: &[Spoken], words: Words<'_>, frames: &[Frame], rows: usize) -> Converted {
    let mut result = Converted::default();
    for (i, word) in said.iter().enumerate() {
        // The last sound of a word lasts until the next word begins.
        let from = word.rows.start;
        let until = said.get(i + 1).map_or(word.rows.end, |w| w.rows.start);
        let around =
            (from / rows).saturating_sub(AROUND)..(until / rows + AROUND + 1).min(frames.len());
        let likeliest = frames[around]
            .iter()
            .map(Frame::likeliest)
            .fold(f32::NEG_INFINITY, f32::max);
        let symbols = words.symbols(word.word);
        let count = symbols.len();
        for (k, symbol) in symbols.into_iter().enumerate() {
            let row = from + (until - from) * k / count;
            result.tokens.push(Written {
                symbol,
                frame: row / rows,
                likeliest,
            });
        }
        result.sounds.extend(words.sounds(word.word));
    }
    result
}

/// Where a hypothesis stands. Of those that stand at the same place the likeliest is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    /// In the tree of the dictionary.
    node: u32,
    /// The row in which the word began.
    start: u32,
    /// The class of the word before, for what follows it.
    class: u16,
    /// The last sound.
    last: u16,
    /// Whether a blank follows it.
    blank: bool,
}

#[derive(Clone, Copy)]
struct Hypothesis {
    place: Place,
    /// Natural log.
    score: f32,
    /// The last word, in `Search::said`.
    said: u32,
}

/// A word that a hypothesis has behind it.
#[derive(Clone, Copy, Default)]
struct Said {
    word: u32,
    before: u32,
    lm: LmState,
    /// The rows of its first and last sounds.
    from: u32,
    to: u32,
}

struct Search<'a> {
    words: Words<'a>,
    lm: Option<&'a NgramLm>,
    /// ln P, `[frames][count]`.
    tokens: &'a [f32],
    count: usize,
    /// Rows of sounds a frame.
    rows: usize,
    /// All words that any hypothesis had behind it; the first is the start of the sentence.
    said: Vec<Said>,
    /// Of a token in the frames from one to before another: ln P where it is likeliest.
    likely: FxHashMap<(u16, u32, u32), f32>,
    /// Of a word after a state of the language model: what that adds to a score, and the state after the word.
    after: FxHashMap<(LmState, u32), (f32, LmState)>,
    /// Kept for its memory.
    endings: Vec<Ending>,
}

/// A word that may end in a row.
struct Ending {
    word: u32,
    /// Its class for what follows.
    class: u16,
    /// The one before, in `Search::said`.
    said: u32,
    /// The row of its first sound.
    from: u32,
    /// Its last sound.
    sound: u16,
    /// With its costs, without its tokens.
    score: f32,
}

impl Search<'_> {
    /// The likeliest words for `heard`, `[rows][sounds]`.
    fn run(&mut self, heard: &[f32], sounds: usize) -> Option<Vec<Spoken>> {
        self.said.push(Said {
            lm: self.lm.map(NgramLm::state_start).unwrap_or_default(),
            ..Said::default()
        });
        let mut beam = vec![Hypothesis {
            place: Place {
                node: Dictionary::ROOT,
                start: 0,
                class: 0,
                last: BLANK,
                blank: true,
            },
            score: 0.0,
            said: 0,
        }];
        let mut next = Next::default();
        for (t, row) in heard.chunks_exact(sounds).enumerate() {
            // Rows are far fewer than 2^32.
            self.advance(&beam, t as u32, row, &mut next);
            beam = self.best(next.take());
        }
        let whole = beam
            .iter()
            .filter(|h| h.place.node == Dictionary::ROOT && h.said > 0);
        let scored = whole.map(|h| {
            let end = self.words.dictionary.connection(h.place.class, 0);
            (
                h.score - self.words.dictionary.config.cost_weight * end,
                h.said,
            )
        });
        let (_, last) = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
        Some(self.spoken(last))
    }

    /// What `beam` becomes by the row `t`.
    fn advance(&mut self, beam: &[Hypothesis], t: u32, row: &[f32], next: &mut Next) {
        let words = self.words;
        let config = &words.dictionary.config;
        let blank = row[usize::from(BLANK)];
        let mut best = f32::NEG_INFINITY;
        let mut endings = std::mem::take(&mut self.endings);
        for Hypothesis { place, score, said } in beam {
            let stays = score + ln(blank);
            best = best.max(stays);
            next.put(
                Place {
                    blank: true,
                    ..*place
                },
                stays,
                *said,
            );
            if !place.blank {
                next.put(*place, score + ln(row[usize::from(place.last)]), *said);
            }
            if blank > SURE_BLANK {
                continue;
            }
            for (sound, node) in words.next(place.node) {
                let p = row[usize::from(sound)];
                // The same sound twice needs a blank between.
                if p < LEAST || (sound == place.last && !place.blank) {
                    continue;
                }
                let score = score + ln(p) + config.sound_bonus;
                let start = if place.node == Dictionary::ROOT {
                    t
                } else {
                    place.start
                };
                if words.goes_on(node) {
                    let inside = Place {
                        node,
                        start,
                        last: sound,
                        blank: false,
                        ..*place
                    };
                    next.put(inside, score, *said);
                }
                for word in words.ending(node) {
                    let (likely, class) = words.likely(word, place.class);
                    endings.push(Ending {
                        word,
                        class,
                        said: *said,
                        from: start,
                        sound,
                        score: score + likely,
                    });
                }
            }
        }
        // The likeliest first, as far as is known without their tokens, which only make them less likely: most need no further look.
        endings.retain(|ending| ending.score > best - MARGIN);
        let likelier = |a: &Ending, b: &Ending| b.score.total_cmp(&a.score);
        if endings.len() > config.beam {
            endings.select_nth_unstable_by(config.beam, likelier);
            endings.truncate(config.beam);
        }
        endings.sort_unstable_by(likelier);
        for ending in endings.drain(..) {
            let after = Place {
                node: Dictionary::ROOT,
                start: 0,
                class: ending.class,
                last: ending.sound,
                blank: false,
            };
            let may =
                |score: f32, best: f32| score > best - MARGIN && next.is_better(&after, score);
            if !may(ending.score, best) {
                continue;
            }
            let score = ending.score + self.heard(ending.word, ending.from, t);
            if !may(score, best) {
                continue;
            }
            let (ln_p, lm) = self.written(ending.word, self.said[ending.said as usize].lm);
            let score = score + ln_p;
            if may(score, best) {
                best = best.max(score);
                self.said.push(Said {
                    word: ending.word,
                    before: ending.said,
                    lm,
                    from: ending.from,
                    to: t,
                });
                next.put(after, score, self.said.len() as u32 - 1);
            }
        }
        self.endings = endings;
    }

    /// What the tokens of `word` add to a score when they are heard from row `from` to `to`.
    fn heard(&mut self, word: u32, from: u32, to: u32) -> f32 {
        if self.words.listed(word).is_some() {
            // The network need not know how a listed name is written.
            return 0.0;
        }
        let (rows, around) = (self.rows as u32, AROUND as u32);
        let frames = (self.tokens.len() / self.count) as u32;
        let from = (from / rows).saturating_sub(around);
        let to = (to / rows + around + 1).min(frames);
        let (tokens, count) = (self.tokens, self.count);
        let mut sum = 0.0;
        for token in self.words.spelling(word) {
            sum += *self.likely.entry((*token, from, to)).or_insert_with(|| {
                let frames = from as usize..to as usize;
                let each = frames.map(|frame| tokens[frame * count + usize::from(*token)]);
                each.fold(FLOOR, f32::max)
            });
        }
        self.words.dictionary.config.token_weight * sum
    }

    /// What the language model adds for the tokens of `word` after `state`, and the state after them.
    fn written(&mut self, word: u32, state: LmState) -> (f32, LmState) {
        let Some(lm) = self.lm else {
            return (0.0, state);
        };
        *self.after.entry((state, word)).or_insert_with(|| {
            let (mut sum, mut state) = (0.0, state);
            for token in self.words.spelling(word) {
                let (ln_p, after) = lm.score(state, *token);
                sum += ln_p;
                state = after;
            }
            if self.words.listed(word).is_some() {
                sum = 0.0;
            }
            (self.words.dictionary.config.lm_weight * sum, state)
        })
    }

    /// The likeliest of `all`, as many as the beam is wide. Inside a word the cheapest that it may become counts.
    fn best(&self, mut all: Vec<Hypothesis>) -> Vec<Hypothesis> {
        let config = &self.words.dictionary.config;
        let likely = |h: &Hypothesis| {
            let inside = h.place.node != Dictionary::ROOT;
            let ahead = if inside {
                self.words.at_most(h.place.node)
            } else {
                0.0
            };
            h.score + ahead
        };
        let most = all.iter().map(likely).fold(f32::NEG_INFINITY, f32::max);
        all.retain(|h| likely(h) > most - MARGIN);
        if all.len() > config.beam {
            all.select_nth_unstable_by(config.beam, |a, b| likely(b).total_cmp(&likely(a)));
            all.truncate(config.beam);
        }
        all
    }

    /// The words up to `last`.
    fn spoken(&self, mut last: u32) -> Vec<Spoken> {
        let mut words = Vec::new();
        while last != 0 {
            let Said {
                word,
                before,
                from,
                to,
                ..
            } = self.said[last as usize];
            words.push(Spoken {
                word,
                rows: from as usize..to as usize + 1,
            });
            last = before;
        }
        words.reverse();
        words
    }
}

/// The natural logarithm of a probability, of none that is too small for it.
fn ln(p: f32) -> f32 {
    p.max(1e-7).ln()
}

/// The hypotheses of the next row.
#[derive(Default)]
struct Next {
    all: Vec<Hypothesis>,
    /// Where each place is in `all`.
    at: FxHashMap<Place, usize>,
}

impl Next {
    fn put(&mut self, place: Place, score: f32, said: u32) {
        match self.at.entry(place) {
            Entry::Vacant(entry) => {
                entry.insert(self.all.len());
                self.all.push(Hypothesis { place, score, said });
            }
            Entry::Occupied(entry) => {
                let old = &mut self.all[*entry.get()];
                if score > old.score {
                    (old.score, old.said) = (score, said);
                }
            }
        }
    }

    fn is_better(&self, place: &Place, score: f32) -> bool {
        self.at
            .get(place)
            .is_none_or(|at| score > self.all[*at].score)
    }

    fn take(&mut self) -> Vec<Hypothesis> {
        self.at.clear();
        std::mem::take(&mut self.all)
    }
}

#[cfg(test)]
mod tests {
    use ting_models::{DictionaryConfig, Lexicon, Tokens};

    use super::*;
    use crate::api::Hotword;
    use crate::hotwords::GraphOptions;
    use crate::posteriors::tests::frame;

    /// The tokens and sounds of the tests, the blank included.
    const TOKENS: usize = 6;
    const SOUNDS: usize = 4;
    const LIST: &str = "<blank>\nか\tja\nき\tja\n柿\tja\n木\tja\n夏\tja";
    const WORDS: &str = "2\n0 1\n-2 4\nカ キ\t柿\t1\t1\t8\n\tかき\t1\t0\t12\nキ\t木\t0\t1\t-4\nキ カ\t木か\t1\t1\t20\nカ\tか\t1\t1\t6\n\t夏\t0\t0\t7";

    fn dictionary(config: DictionaryConfig) -> Dictionary {
        let tokens = Tokens::parse(LIST).unwrap();
        Dictionary::parse(WORDS, "<blank>\nカ\nキ\nyi1", &tokens, config).unwrap()
    }

    fn config() -> DictionaryConfig {
        DictionaryConfig {
            cost_weight: 0.3,
            lm_weight: 0.0,
            token_weight: 0.2,
            sound_bonus: 0.4,
            beam: 1000,
        }
    }

    /// Reproducible probabilities, `[rows][columns]`.
    fn probabilities(rows: usize, columns: usize, seed: usize) -> Vec<f32> {
        let mut values: Vec<f32> = (0..rows * columns)
            .map(|i| 0.02 + ((i + seed * 37) * 7919 % 101) as f32 / 101.0)
            .collect();
        for row in values.chunks_exact_mut(columns) {
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|value| *value /= sum);
        }
        values
    }

    /// A list of the word 木夏, which sounds like キ and then か or 夏, made with the dictionary's own words.
    fn hotwords(dictionary: &Dictionary, weight: u8) -> Graph {
        let tokens = Tokens::parse(LIST).unwrap();
        let options = GraphOptions {
            tokens: &tokens,
            readings: None,
            names: Some(dictionary.names()),
            allowed: None,
        };
        let hotword = Hotword {
            text: "木夏".to_owned(),
            weight,
            language: None,
        };
        let graph = Graph::new(options, &[hotword], &[]);
        let lexicon = Lexicon::parse("", "<blank>\nカ\nキ\nyi1", &tokens).unwrap();
        assert_eq!(
            graph.pronounced(&tokens, dictionary, &lexicon).words.len(),
            1
        );
        graph
    }

    fn words<'a>(dictionary: &'a Dictionary, graph: &'a Graph) -> Words<'a> {
        let tokens = Tokens::parse(LIST).unwrap();
        let lexicon = Lexicon::parse("", "<blank>\nカ\nキ\nyi1", &tokens).unwrap();
        let pronounced = graph.pronounced(&tokens, dictionary, &lexicon);
        Words::new(dictionary, Some((graph, pronounced)))
    }

    fn search<'a>(words: Words<'a>, tokens: &'a [f32]) -> Search<'a> {
        Search {
            words,
            lm: None,
            tokens,
            count: TOKENS,
            rows: 2,
            said: Vec::new(),
            likely: FxHashMap::default(),
            after: FxHashMap::default(),
            endings: Vec::new(),
        }
    }

    /// The best score of all ways to say any words in the rows of `heard`, and the tokens; by trying all.
    fn by_trying(words: Words<'_>, heard: &[f32], tokens: &[f32]) -> (f32, Vec<u16>) {
        let config = &words.dictionary.config;
        let rows = heard.len() / SOUNDS;
        let mut best = (f32::NEG_INFINITY, Vec::new());
        for mut code in 0..SOUNDS.pow(rows as u32) {
            let (mut score, mut said, mut before) = (0.0, Vec::new(), 0);
            for (t, row) in heard.chunks_exact(SOUNDS).enumerate() {
                let sound = code % SOUNDS;
                code /= SOUNDS;
                score += row[sound].ln();
                if sound != 0 && sound != before {
                    score += config.sound_bonus;
                    said.push((sound as u16, t as u32));
                }
                before = sound;
            }
            let mut open = vec![(0, score, 0, Vec::new())];
            while let Some((at, score, class, spelled)) = open.pop() {
                if at == said.len() {
                    let end = words.dictionary.connection(class, 0);
                    let score = score - config.cost_weight * end;
                    if score > best.0 && at > 0 {
                        best = (score, spelled.clone());
                    }
                    continue;
                }
                let mut nodes = vec![Dictionary::ROOT];
                for end in at..said.len() {
                    let below = nodes.iter().flat_map(|node| words.next(*node));
                    let same = below.filter(|(sound, _)| *sound == said[end].0);
                    nodes = same.map(|(_, child)| child).collect();
                    for id in nodes.iter().flat_map(|node| words.ending(*node)) {
                        let (likely, class) = words.likely(id, class);
                        let heard = search(words, tokens).heard(id, said[at].1, said[end].1);
                        let spelled = [&spelled, words.spelling(id)].concat();
                        open.push((end + 1, score + likely + heard, class, spelled));
                    }
                }
            }
        }
        best
    }

    #[test]
    fn finds_the_best_of_all_ways_to_say_any_words() {
        let dictionary = dictionary(config());
        let mut different = std::collections::HashSet::new();
        let mut listed = 0;
        for seed in 0..40 {
            let rows = [2, 4, 6][seed % 3];
            let heard = probabilities(rows, SOUNDS, seed);
            let mut tokens = probabilities(rows / 2, TOKENS, seed + 5);
            // With tokens that are unlikely as well a hotword has a chance.
            let less = if seed % 2 == 0 { 6.0 } else { 0.0 };
            tokens.iter_mut().for_each(|p| *p = p.ln() - less);
            let graph = hotwords(&dictionary, 50);
            for words in [Words::new(&dictionary, None), words(&dictionary, &graph)] {
                let (score, want) = by_trying(words, &heard, &tokens);
                let said = search(words, &tokens).run(&heard, SOUNDS).unwrap();
                let spelled = said.iter().map(|word| words.spelling(word.word));
                let got: Vec<u16> = spelled.flatten().copied().collect();
                assert_eq!(got, want, "seed {seed}, score {score}");
                different.insert(got);
                listed += usize::from(said.iter().any(|w| words.listed(w.word).is_some()));
            }
        }
        assert!(different.len() > 8 && listed > 2, "{different:?}, {listed}");
    }

    #[test]
    fn a_hotword_is_written_as_it_is_listed() {
        let dictionary = dictionary(config());
        // As unlikely as the network takes it to be, which a hotword need not mind.
        let log_probs = vec![-8.0; 6 * TOKENS];
        let frames: Vec<Frame> = log_probs.chunks_exact(TOKENS).map(frame).collect();
        let heard = sure(&[0, 0, 2, 2, 1, 1, 0, 0, 0, 2, 2, 0]);
        let written_with = |weight| {
            let graph = hotwords(&dictionary, weight);
            let words = words(&dictionary, &graph);
            let said = search(words, &log_probs).run(&heard, SOUNDS).unwrap();
            let converted = written(&said, words, &frames, 2);
            let tokens = converted.tokens.iter();
            let tokens: Vec<(u16, bool)> = tokens
                .map(|w| (w.symbol.token, w.symbol.hot.is_some()))
                .collect();
            (tokens, converted.sounds)
        };
        let (tokens, sounds) = written_with(50);
        assert_eq!(tokens, [(4, true), (5, true), (4, false)]);
        assert_eq!(sounds, [2, 1, 2]);
        let (tokens, _) = written_with(1);
        assert!(tokens.iter().all(|(_, hot)| !hot), "{tokens:?}");
    }

    /// Rows of sounds that are as good as sure, two for each of `said`.
    fn sure(said: &[usize]) -> Vec<f32> {
        let row = |sound: usize| -> Vec<f32> {
            let p = |i| if i == sound { 0.97 } else { 0.01 };
            (0..SOUNDS).map(p).collect()
        };
        said.iter().flat_map(|sound| row(*sound)).collect()
    }

    #[test]
    fn tokens_stand_where_their_word_was_said() {
        let dictionary = dictionary(config());
        // Eight frames: nothing, カキ, nothing, カ: 夏 is cheaper there than か.
        let heard = sure(&[0, 0, 0, 0, 1, 1, 2, 2, 0, 0, 0, 0, 1, 0, 0, 0]);
        let row = |p: f32| vec![0.4f32, 0.1, 0.1, p, 0.1, 0.1].into_iter().map(f32::ln);
        let log_probs: Vec<f32> = (0..8)
            .flat_map(|t| row(if t == 3 { 0.9 } else { 0.2 }))
            .collect();
        let frames: Vec<Frame> = log_probs.chunks_exact(TOKENS).map(frame).collect();
        let words = search(Words::new(&dictionary, None), &log_probs)
            .run(&heard, SOUNDS)
            .unwrap();
        let converted = written(&words, Words::new(&dictionary, None), &frames, 2);
        assert_eq!(converted.sounds, [1, 2, 1]);
        let tokens: Vec<(u16, usize)> = converted
            .tokens
            .iter()
            .map(|w| (w.symbol.token, w.frame))
            .collect();
        assert_eq!(tokens, [(3, 2), (5, 6)]);
        for (written, want) in converted.tokens.iter().zip([0.9f32, 0.2]) {
            assert!((written.likeliest - want.ln()).abs() < 1e-6, "{written:?}");
        }
    }

    #[test]
    fn the_same_sound_twice_needs_a_pause() {
        let dictionary = dictionary(config());
        let log_probs = vec![-1.0; 3 * TOKENS];
        for (said, count) in [([1, 1, 1, 1, 0, 0], 1), ([1, 1, 0, 1, 0, 0], 2)] {
            let words = search(Words::new(&dictionary, None), &log_probs).run(&sure(&said), SOUNDS);
            assert_eq!(words.unwrap().len(), count, "{said:?}");
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_of_it_is_said() {
        let dictionary = dictionary(config());
        let log_probs = vec![-1.0; 2 * TOKENS];
        // A word must have ended: none has where nothing was said.
        let silent = [1.0, 0.0, 0.0, 0.0].repeat(4);
        assert_eq!(
            search(Words::new(&dictionary, None), &log_probs).run(&silent, SOUNDS),
            None
        );
        let mine = dictionary.sounds();
        assert!((share(&sure(&[1, 2, 0, 1]), mine) - 0.98).abs() < 0.01);
        assert!(share(&sure(&[3, 3, 0, 3]), mine) < 0.05);
        assert_eq!(share(&silent, mine), 0.0);
    }
}
