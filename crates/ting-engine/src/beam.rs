//! CTC prefix beam search with a language model, frame by frame.
//!
//! Source: Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent
//! DNNs" (2014), algorithm 1, with the language model applied per token.

use std::collections::HashMap;
use std::sync::Arc;

use ting_models::{LmState, NgramLm};

use crate::hotwords::{Completed, Graph, Occurrence, Spotter, Start};
use crate::posteriors::{Frame, log_add};
use crate::transcript::Symbol;

/// A hypothesis is not extended by a token that would leave it this far (natural log) behind the best of the last frame, before the
/// language model has a say: of what falls out so nearly nothing would be kept, and it is most of the work.
const WINDOW: f32 = 10.0;
/// The gains of hotwords were chosen in a search with this bonus for a token. What a search gives more, their tokens get as well.
const HOTWORD_BONUS: f32 = 2.8;
/// Where a word begins and ends in the tokens may be so many frames beside where its sounds do.
const AROUND: usize = 2;

/// How hypotheses are scored and kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BeamOptions {
    /// Hypotheses kept after each frame.
    pub(crate) width: usize,
    /// Weight of the language model's natural log probabilities.
    pub(crate) lm_weight: f32,
    /// Added per token.
    pub(crate) token_bonus: f32,
}

/// A prefix: the path from the root of a tree of tokens.
struct Node {
    parent: u32,
    /// The last token.
    symbol: Symbol,
    /// A hotword is one step, whose tokens are these.
    hotword: Option<Box<Hotword>>,
    /// Tokens of the prefix.
    depth: u32,
    lm: LmState,
    /// Language model and bonus of the whole prefix, weighted.
    extra: f32,
    children: HashMap<u16, u32>,
}

/// A hotword in a prefix.
struct Hotword {
    symbols: Vec<Symbol>,
    /// It ends in a letter.
    ends_in_letter: bool,
}

/// A prefix in the beam with the probability of all alignments that end in the blank, and in its last token.
#[derive(Clone, Copy)]
struct Hypothesis {
    node: u32,
    blank: f32,
    token: f32,
}

impl Hypothesis {
    fn acoustic(&self) -> f32 {
        log_add(self.blank, self.token)
    }
}

/// A text that the search ends with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) symbols: Vec<Symbol>,
    /// Natural logarithm of its probability, with language model and bonus.
    pub(crate) score: f32,
}

const ROOT: u32 = 0;

/// The search over one segment. Its memory grows with the segment, which is bounded.
pub(crate) struct Beam {
    options: BeamOptions,
    nodes: Vec<Node>,
    beam: Vec<Hypothesis>,
    graph: Arc<Graph>,
    spotter: Spotter,
    completed: Vec<Completed>,
    /// The nodes of hotwords, by the node before and the index of the word.
    hotwords: HashMap<(u32, usize), u32>,
    /// Hotwords that were heard by their sounds.
    heard: Vec<HeardWord>,
    /// Frames taken.
    frames: usize,
}

/// A hotword that was heard by its sounds, and where the search stood when it began.
struct HeardWord {
    word: usize,
    /// Its shortest spelling, and its gain with that.
    arcs: Vec<usize>,
    gain: f32,
    /// Frames of its first and last sound.
    from: usize,
    to: usize,
    fit: f32,
    begun: Vec<(Start, f32)>,
}

impl Beam {
    pub(crate) fn new(options: BeamOptions, lm: Option<&NgramLm>, graph: Arc<Graph>) -> Self {
        let root = Node {
            parent: ROOT,
            symbol: Symbol::of(0),
            hotword: None,
            depth: 0,
            lm: lm.map(NgramLm::state_start).unwrap_or_default(),
            extra: 0.0,
            children: HashMap::new(),
        };
        let start = Hypothesis {
            node: ROOT,
            blank: 0.0,
            token: f32::NEG_INFINITY,
        };
        Self {
            options,
            nodes: vec![root],
            beam: vec![start],
            spotter: Spotter::new(&graph),
            graph,
            completed: Vec::new(),
            hotwords: HashMap::new(),
            heard: Vec::new(),
            frames: 0,
        }
    }

    /// Words of the list that were heard by their sounds in the frames to come, of which there are `rows` of sounds each.
    pub(crate) fn hear(&mut self, occurrences: Vec<Occurrence>, rows: usize) {
        let heard = |occurrence: Occurrence| {
            let arcs = self.graph.words[occurrence.word].spelling.shortest();
            HeardWord {
                word: occurrence.word,
                gain: self.gain(occurrence.word, arcs.len()),
                arcs,
                from: self.frames + occurrence.rows.start / rows,
                to: self.frames + occurrence.rows.end / rows,
                fit: occurrence.fit,
                begun: Vec::new(),
            }
        };
        self.heard = occurrences.into_iter().map(heard).collect();
    }

    /// Other hotwords from the next frame on. Words that are being said are not found in either list.
    pub(crate) fn set_graph(&mut self, graph: Arc<Graph>) {
        self.spotter = Spotter::new(&graph);
        self.graph = graph;
        self.hotwords.clear();
    }

    /// Takes the next frame.
    pub(crate) fn advance(&mut self, frame: &Frame, lm: Option<&NgramLm>) {
        let now = self.frames;
        self.frames += 1;
        self.begin_heard(now);
        let ends = |word: &HeardWord| (word.to..=word.to + AROUND).contains(&now);
        if frame.is_surely_blank() && !self.heard.iter().any(ends) {
            self.spotter.pass(&self.graph, frame.blank);
            for hypothesis in &mut self.beam {
                hypothesis.blank = hypothesis.acoustic() + frame.blank;
                hypothesis.token = f32::NEG_INFINITY;
            }
            return;
        }
        let start = self.start();
        // In order of first touch, so that ties are broken the same way every time.
        let mut next: Vec<Hypothesis> = Vec::new();
        let mut places: HashMap<u32, usize> = HashMap::new();
        for hypothesis in std::mem::take(&mut self.beam) {
            let total = hypothesis.acoustic();
            let node = &self.nodes[hypothesis.node as usize];
            let extra = node.extra;
            let last = (hypothesis.node != ROOT).then(|| node.symbol.clone());
            let is_whole = node
                .hotword
                .as_ref()
                .is_some_and(|word| word.ends_in_letter);
            let stay = touch(&mut next, &mut places, hypothesis.node);
            stay.blank = log_add(stay.blank, total + frame.blank);
            if let Some(last) = &last {
                stay.token = log_add(stay.token, hypothesis.token + last.ln_p(frame));
            }
            let last = last.map(|last| last.token);
            for (token, ln_p) in &frame.tokens {
                if total + extra + ln_p < start.score - WINDOW {
                    // Nor will those after it, which are less likely.
                    break;
                }
                if is_whole && self.graph.goes_on(*token) {
                    continue;
                }
                // The same token again is a new one only after a blank.
                let from = if Some(*token) == last {
                    hypothesis.blank
                } else {
                    total
                };
                if from == f32::NEG_INFINITY {
                    continue;
                }
                let child = self.child(hypothesis.node, *token, lm);
                let extended = touch(&mut next, &mut places, child);
                extended.token = log_add(extended.token, from + ln_p);
            }
        }
        self.add_hotwords(frame, start, &mut next, &mut places, lm);
        self.add_heard(now, &mut next, &mut places, lm);
        let score = |h: &Hypothesis| h.acoustic() + self.nodes[h.node as usize].extra;
        next.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.node.cmp(&b.node)));
        next.truncate(self.options.width);
        self.beam = next;
    }

    /// The tokens of the best hypothesis.
    pub(crate) fn best(&self) -> Vec<Symbol> {
        self.symbols(self.beam.first().map_or(ROOT, |hypothesis| hypothesis.node))
    }

    /// All hypotheses, the best first.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = Candidate> {
        self.beam.iter().map(|hypothesis| Candidate {
            symbols: self.symbols(hypothesis.node),
            score: hypothesis.acoustic() + self.nodes[hypothesis.node as usize].extra,
        })
    }

    fn symbols(&self, mut node: u32) -> Vec<Symbol> {
        let mut symbols = Vec::new();
        while node != ROOT {
            let at = &self.nodes[node as usize];
            match &at.hotword {
                Some(word) => symbols.extend(word.symbols.iter().rev().cloned()),
                None => symbols.push(at.symbol.clone()),
            }
            node = at.parent;
        }
        symbols.reverse();
        symbols
    }

    /// Where a hotword may begin in the next frame.
    fn start(&self) -> Start {
        let Some(best) = self.beam.first() else {
            return Start::default();
        };
        let node = &self.nodes[best.node as usize];
        Start {
            node: best.node,
            score: best.acoustic() + node.extra,
            blank: best.blank + node.extra,
            last: (best.node != ROOT).then_some(node.symbol.token),
        }
    }

    /// Lets the hotwords that are complete in `frame` compete with the hypotheses `next`.
    fn add_hotwords(
        &mut self,
        frame: &Frame,
        start: Start,
        next: &mut Vec<Hypothesis>,
        places: &mut HashMap<u32, usize>,
        lm: Option<&NgramLm>,
    ) {
        if self.graph.is_empty() {
            return;
        }
        let score = |h: &Hypothesis| h.acoustic() + self.nodes[h.node as usize].extra;
        let mut scores: Vec<f32> = next.iter().map(score).collect();
        let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut completed = std::mem::take(&mut self.completed);
        completed.clear();
        self.spotter
            .advance(&self.graph, frame, start, best, &mut completed);
        let mut worst = f32::NEG_INFINITY;
        if !completed.is_empty() && scores.len() >= self.options.width {
            let last = self.options.width - 1;
            worst = *scores.select_nth_unstable_by(last, |a, b| b.total_cmp(a)).1;
        }
        for word in &completed {
            let arcs = self.spotter.arcs(word);
            let gain = self.gain(word.word, arcs.len());
            // Others would be cut off at once.
            if word.score + gain > worst {
                let extra = self.nodes[word.node as usize].extra;
                let node = self.hotword(word.node, word.word, &arcs, gain, lm);
                let reached = touch(next, places, node);
                reached.token = log_add(reached.token, word.score - extra);
            }
        }
        self.completed = completed;
    }

    /// What a hotword gains, in place of what the language model and the bonus for its tokens would add.
    fn gain(&self, word: usize, tokens: usize) -> f32 {
        let more = (self.options.token_bonus - HOTWORD_BONUS).max(0.0);
        self.graph.words[word].gain + more * tokens as f32
    }

    /// Remembers where the search stands when a word begins that was heard.
    fn begin_heard(&mut self, now: usize) {
        if self.heard.is_empty() {
            return;
        }
        let start = self.start();
        let acoustic = self.beam.first().map_or(0.0, Hypothesis::acoustic);
        for word in &mut self.heard {
            // Later the search may have the word already.
            let last = word.to.min(word.from + AROUND);
            if (word.from.saturating_sub(AROUND)..=last).contains(&now) {
                word.begun.push((start, acoustic));
            }
        }
    }

    /// Lets the hotwords that were heard compete when their last sound has come. By how much the network takes another text to be likelier
    /// than their tokens does not matter, but by how much other sounds.
    fn add_heard(
        &mut self,
        now: usize,
        next: &mut Vec<Hypothesis>,
        places: &mut HashMap<u32, usize>,
        lm: Option<&NgramLm>,
    ) {
        if self.heard.is_empty() {
            return;
        }
        let score = |h: &&Hypothesis| h.acoustic() + self.nodes[h.node as usize].extra;
        let best = next.iter().max_by(|a, b| score(a).total_cmp(&score(b)));
        let Some(acoustic) = best.map(Hypothesis::acoustic) else {
            return;
        };
        let heard = std::mem::take(&mut self.heard);
        for HeardWord {
            word,
            arcs,
            gain,
            to,
            fit,
            begun,
            ..
        } in &heard
        {
            if !(*to..=to + AROUND).contains(&now) {
                continue;
            }
            for (start, from) in begun {
                let node = self.hotword(start.node, *word, arcs, *gain, lm);
                let since = acoustic - from;
                let extra = self.nodes[start.node as usize].extra;
                let p = start.score - extra + since + fit;
                let reached = touch(next, places, node);
                reached.token = reached.token.max(p);
            }
        }
        self.heard = heard;
    }

    /// The node of a hotword behind the hypothesis it began after, the node `from`. Its tokens and its `gain` are those of the path that came first.
    fn hotword(
        &mut self,
        from: u32,
        index: usize,
        arcs: &[usize],
        gain: f32,
        lm: Option<&NgramLm>,
    ) -> u32 {
        let key = (from, index);
        if let Some(node) = self.hotwords.get(&key) {
            return *node;
        }
        let word = &self.graph.words[index];
        let symbols: Vec<Symbol> = arcs
            .iter()
            .map(|arc| word.symbol(&word.spelling.arcs[*arc]))
            .collect();
        let parent = from;
        let from = &self.nodes[parent as usize];
        let mut state = from.lm;
        if let Some(lm) = lm {
            for symbol in &symbols {
                state = lm.score(state, symbol.token).1;
            }
        }
        let last = symbols.last().cloned().unwrap_or(Symbol::of(0));
        // Segments are bounded.
        let depth = from.depth + symbols.len() as u32;
        let hotword = Hotword {
            symbols,
            ends_in_letter: word.spelling.ends_in_letter,
        };
        let extra = from.extra + gain;
        let node = self.nodes.len() as u32;
        self.nodes.push(Node {
            parent,
            symbol: last,
            hotword: Some(Box::new(hotword)),
            depth,
            lm: state,
            extra,
            children: HashMap::new(),
        });
        self.hotwords.insert(key, node);
        node
    }

    /// Drops the hypotheses that do not begin with the first `tokens` tokens of [`best`](Self::best), so that these are
    /// settled. A hotword that begins among them is settled as a whole.
    pub(crate) fn settle(&mut self, tokens: usize) {
        let nodes = &self.nodes;
        let prefix = |mut node: u32| loop {
            let parent = nodes[node as usize].parent;
            if node == ROOT || (nodes[parent as usize].depth as usize) < tokens {
                return node;
            }
            node = parent;
        };
        let Some(best) = self.beam.first().map(|hypothesis| prefix(hypothesis.node)) else {
            return;
        };
        self.beam
            .retain(|hypothesis| prefix(hypothesis.node) == best);
        self.spotter
            .retain(&self.graph, |node| prefix(node) == best);
    }

    /// How many tokens of [`best`](Self::best), from the first on, no later frame can change: those that every hypothesis
    /// of the beam begins with, since each later hypothesis goes on from one of them, or from one before a hotword that is
    /// being said.
    pub(crate) fn settled(&self) -> usize {
        let mut common = self.beam.first().map_or(ROOT, |hypothesis| hypothesis.node);
        let up = |node: u32| self.nodes[node as usize].parent;
        let depth = |node: u32| self.nodes[node as usize].depth;
        let alive = self.beam.iter().map(|hypothesis| hypothesis.node);
        for mut node in alive.chain(self.spotter.starts(&self.graph)) {
            while node != common {
                if depth(node) >= depth(common) {
                    node = up(node);
                } else {
                    common = up(common);
                }
            }
        }
        depth(common) as usize
    }

    fn child(&mut self, parent: u32, token: u16, lm: Option<&NgramLm>) -> u32 {
        if let Some(child) = self.nodes[parent as usize].children.get(&token) {
            return *child;
        }
        let child = self.nodes.len() as u32;
        let from = &mut self.nodes[parent as usize];
        from.children.insert(token, child);
        let (ln_p, state) = match lm {
            Some(lm) => lm.score(from.lm, token),
            None => (0.0, LmState::default()),
        };
        let extra = from.extra + self.options.lm_weight * ln_p + self.options.token_bonus;
        let depth = from.depth + 1;
        self.nodes.push(Node {
            parent,
            symbol: Symbol::of(token),
            hotword: None,
            depth,
            lm: state,
            extra,
            children: HashMap::new(),
        });
        child
    }
}

fn touch<'a>(
    next: &'a mut Vec<Hypothesis>,
    places: &mut HashMap<u32, usize>,
    node: u32,
) -> &'a mut Hypothesis {
    let place = *places.entry(node).or_insert_with(|| {
        next.push(Hypothesis {
            node,
            blank: f32::NEG_INFINITY,
            token: f32::NEG_INFINITY,
        });
        next.len() - 1
    });
    &mut next[place]
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use ting_models::Tokens;

    use super::*;
    use crate::hotwords::GraphOptions;
    use crate::posteriors::Look;
    use crate::posteriors::tests::frame;

    fn search(rows: &[&[f32]], width: usize) -> Vec<u16> {
        let options = BeamOptions {
            width,
            lm_weight: 0.0,
            token_bonus: 0.0,
        };
        let mut beam = Beam::new(options, None, Arc::default());
        for row in rows {
            let ln: Vec<f32> = row.iter().map(|p| p.ln()).collect();
            beam.advance(&frame(&ln), None);
        }
        beam.best().iter().map(|symbol| symbol.token).collect()
    }

    #[test]
    fn what_is_settled_stays() {
        const TOKENS: usize = 6;
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 24) as f32
        };
        let list = "<blank>\n甲\tzh\n乙\tzh\n丙\tzh\n丁\tzh\n戊\tzh";
        let tokens = Tokens::parse(list).unwrap();
        let options = GraphOptions {
            tokens: &tokens,
            readings: None,
            names: None,
            allowed: None,
        };
        let hotwords = ["甲乙丙", "丁丁", "戊甲乙丙丁", "乙戊"].map(|text| crate::Hotword {
            text: text.to_owned(),
            weight: 5,
            language: None,
        });
        let listed = Arc::new(Graph::new(options, &hotwords, &[]));
        let mut settled_in_all = 0;
        let mut hot = 0;
        for round in 0..200 {
            let graph = if round % 3 == 0 {
                Arc::default()
            } else {
                Arc::clone(&listed)
            };
            let options = BeamOptions {
                width: 1 + round % 6,
                lm_weight: 0.0,
                token_bonus: 0.0,
            };
            let mut beam = Beam::new(options, None, Arc::clone(&graph));
            let look = Look {
                blank: 0,
                allowed: None,
                hot: &graph.sounds,
                readings: None,
            };
            let mut settled: Vec<Symbol> = Vec::new();
            for _ in 0..60 {
                let weights: Vec<f32> = (0..TOKENS).map(|_| random().powi(6) + 1e-4).collect();
                let sum: f32 = weights.iter().sum();
                let row: Vec<f32> = weights.iter().map(|p| (p / sum).ln()).collect();
                beam.advance(&Frame::new(&row, look), None);
                let best = beam.best();
                assert!(best.starts_with(&settled), "round {round}");
                assert!(beam.settled() >= settled.len(), "round {round}");
                if round % 2 == 0 {
                    let old = best.len().saturating_sub(3);
                    beam.settle(old);
                    assert!(
                        beam.settled() >= old && beam.best() == best,
                        "round {round}"
                    );
                }
                settled = best[..beam.settled()].to_vec();
            }
            settled_in_all += settled.len();
            hot += settled.iter().filter(|symbol| symbol.hot.is_some()).count();
        }
        assert!(settled_in_all > 1000, "{settled_in_all} tokens settled");
        assert!(hot > 100, "{hot} tokens of hotwords settled");
    }

    #[test]
    fn a_word_that_was_heard_wins_as_far_as_its_sounds_fit() {
        let tokens = Tokens::parse("<blank>\n▁a\ten\nb\ten\n▁c\ten\nd\ten").unwrap();
        let options = GraphOptions {
            tokens: &tokens,
            readings: None,
            names: None,
            allowed: None,
        };
        let hotword = crate::Hotword {
            text: "cd".to_owned(),
            weight: 4,
            language: None,
        };
        let graph = Arc::new(Graph::new(options, &[hotword], &[]));
        let row = |token: usize| -> Vec<f32> {
            let p = |i| if i == token { 0.96 } else { 0.01f32 };
            (0..5).map(|i| p(i).ln()).collect()
        };
        let search = |rows: Range<usize>, fit| {
            let options = BeamOptions {
                width: 8,
                lm_weight: 0.0,
                token_bonus: 0.0,
            };
            let mut beam = Beam::new(options, None, Arc::clone(&graph));
            let occurrence = Occurrence { word: 0, rows, fit };
            beam.hear(vec![occurrence], 2);
            for token in [0, 1, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 1, 0] {
                beam.advance(&frame(&row(token)), None);
            }
            let best = beam.best();
            let text = best.iter().map(|s| tokens.piece(usize::from(s.token)));
            text.collect::<String>()
        };
        // In the frames of the second word, and nearly so; its gain is 2.
        assert_eq!(search(12..15, -0.5), "▁a▁cd▁a");
        assert_eq!(search(10..16, -1.0), "▁a▁cd▁a");
        assert_eq!(search(12..15, -4.0), "▁a▁ab▁a");
    }

    #[test]
    fn collapses_repeats_and_blanks() {
        struct Case {
            name: &'static str,
            rows: &'static [&'static [f32]],
            want: &'static [u16],
        }
        let cases = [
            Case {
                name: "one token",
                rows: &[&[0.1, 0.9], &[0.2, 0.8]],
                want: &[1],
            },
            Case {
                name: "twice with a blank between",
                rows: &[&[0.1, 0.9], &[0.98, 0.02], &[0.1, 0.9]],
                want: &[1, 1],
            },
            Case {
                name: "only blanks",
                rows: &[&[0.9995, 0.0005], &[0.9, 0.1]],
                want: &[],
            },
            // The best single path is blank-blank (0.36), but the paths that spell `1` sum to 0.64.
            Case {
                name: "sums over paths",
                rows: &[&[0.6, 0.4], &[0.6, 0.4]],
                want: &[1],
            },
        ];
        let failed: Vec<_> = cases
            .iter()
            .filter(|case| search(case.rows, 4) != case.want)
            .map(|case| case.name)
            .collect();
        assert!(failed.is_empty(), "failed: {failed:?}");
    }
}
