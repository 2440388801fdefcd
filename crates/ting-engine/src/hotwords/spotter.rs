//! A Viterbi search for every hotword from every frame on.

use super::graph::{Graph, Word};
use crate::posteriors::Frame;

/// A path is given up when it is worse than the beam's best hypothesis by more than this (natural log) and the part of its
/// word's gain that belongs to the symbols it has.
const SLACK: f32 = 4.0;
/// Steps of paths that are remembered, 8 bytes each. A segment that needs more loses the words that are being said then.
const MAX_STEPS: usize = 1 << 19;
const NO_STEP: u32 = u32::MAX;

/// The best way to one state of one word.
#[derive(Clone, Copy, Debug)]
struct Path {
    /// Score of the hypothesis before the word, and ln P since.
    score: f32,
    /// That hypothesis' node.
    node: u32,
    /// The last step.
    step: u32,
    /// That hypothesis' score.
    begun: f32,
}

const DEAD: Path = Path {
    score: f32::NEG_INFINITY,
    node: 0,
    step: NO_STEP,
    begun: 0.0,
};

/// Where words may begin: the beam's best hypothesis before a frame.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Start {
    pub(crate) node: u32,
    /// Its score, and that of its alignments which end in the blank.
    pub(crate) score: f32,
    pub(crate) blank: f32,
    /// Its last token.
    pub(crate) last: Option<u16>,
}

/// A word whose last token began in the frame just taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Completed {
    pub(crate) word: usize,
    /// Score of the hypothesis before it, and ln P since.
    pub(crate) score: f32,
    /// Node of that hypothesis.
    pub(crate) node: u32,
    step: u32,
}

/// The state of the search. Its memory is bounded by the graph's size and [`MAX_STEPS`].
#[derive(Debug, Default)]
pub(crate) struct Spotter {
    /// For each arc the best path whose last frame is its token, and the best that has been in the blank since.
    token: Vec<Path>,
    blank: Vec<Path>,
    /// For each word how far its living paths have come, in symbols; none has begun where it is 0.
    reach: Vec<u16>,
    /// ln P of the targets in the frame.
    likely: Vec<f32>,
    /// (the step before, index of the arc in its word).
    steps: Vec<(u32, u16)>,
}

impl Spotter {
    pub(crate) fn new(graph: &Graph) -> Self {
        Self {
            token: vec![DEAD; graph.arcs],
            blank: vec![DEAD; graph.arcs],
            reach: vec![0; graph.words.len()],
            likely: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Takes a frame that is surely blank.
    pub(crate) fn pass(&mut self, graph: &Graph, blank: f32) {
        for (index, word) in graph.words.iter().enumerate() {
            if self.reach[index] == 0 {
                continue;
            }
            for state in word.first_arc..word.first_arc + word.spelling.arcs.len() {
                self.blank[state] = better(self.blank[state], self.token[state]);
                self.blank[state].score += blank;
                self.token[state] = DEAD;
            }
        }
    }

    /// Takes any other frame. `best` is the score of the beam's best hypothesis after it. Appends to `completed`.
    pub(crate) fn advance(
        &mut self,
        graph: &Graph,
        frame: &Frame,
        start: Start,
        best: f32,
        completed: &mut Vec<Completed>,
    ) {
        if self.steps.len() > MAX_STEPS {
            *self = Self::new(graph);
        }
        let mut likely = std::mem::take(&mut self.likely);
        frame.hot_ln_ps(&graph.sounds, &mut likely);
        let margin = start.score - best + SLACK;
        for begin in &graph.beginnings {
            if likely[usize::from(begin.target)] + begin.gain + margin >= 0.0 {
                let reach = &mut self.reach[begin.word as usize];
                *reach = (*reach).max(1);
            }
        }
        for (index, word) in graph.words.iter().enumerate() {
            let reach = self.reach[index];
            if reach > 0 {
                let mut complete = |path: Path| completed.push(path.completed(index));
                self.reach[index] =
                    self.step(word, reach, frame, start, best, &likely, &mut complete);
            }
        }
        self.likely = likely;
    }

    /// Takes a frame for one word, whose paths have come as far as `reach`; how far they have come then.
    #[allow(
        clippy::too_many_arguments,
        reason = "the state of one loop, which is cut in two to be read"
    )]
    fn step(
        &mut self,
        word: &Word,
        reach: u16,
        frame: &Frame,
        start: Start,
        best: f32,
        likely: &[f32],
        complete: &mut dyn FnMut(Path),
    ) -> u16 {
        let mut reached = 0;
        let arcs = &word.spelling.arcs;
        let first = arcs.partition_point(|arc| arc.from > reach);
        for (i, arc) in arcs.iter().enumerate().skip(first) {
            let state = word.first_arc + i;
            let floor = best - SLACK - word.gain_until[i];
            let token = self.token[state];
            let mut blank = better(self.blank[state], token);
            let enter = if arc.from == 0 {
                start.path(arc.target.token)
            } else {
                self.enter(word, i)
            };
            if enter.score.max(blank.score) == f32::NEG_INFINITY {
                // Most of a word: nothing has come here.
                continue;
            }
            blank.score += frame.blank;
            let stays = token.score >= enter.score;
            let mut path = if stays { token } else { enter };
            path.score += likely[usize::from(word.targets[i])];
            if path.score < floor || path.score - path.begun < word.evidence {
                path = DEAD;
            } else if !stays {
                let step = self.steps.len() as u32;
                self.steps.push((path.step, i as u16));
                path.step = step;
                if arc.to == word.spelling.length {
                    complete(path);
                }
            }
            if blank.score < floor || blank.score - blank.begun < word.evidence {
                blank = DEAD;
            }
            if path.score >= floor || blank.score >= floor {
                reached = reached.max(arc.to);
            }
            self.token[state] = path;
            self.blank[state] = blank;
        }
        reached
    }

    /// Gives up the words that began after hypotheses, by their nodes, that are not to be kept.
    pub(crate) fn retain(&mut self, graph: &Graph, keep: impl Fn(u32) -> bool) {
        for state in states(graph, &self.reach) {
            for path in [&mut self.token[state], &mut self.blank[state]] {
                if path.score > f32::NEG_INFINITY && !keep(path.node) {
                    *path = DEAD;
                }
            }
        }
    }

    /// The nodes of the hypotheses after which a word began that is being said, some more than once.
    pub(crate) fn starts(&self, graph: &Graph) -> impl Iterator<Item = u32> {
        states(graph, &self.reach)
            .flat_map(|state| [self.token[state], self.blank[state]])
            .filter(|path| path.score > f32::NEG_INFINITY)
            .map(|path| path.node)
    }

    /// The best path that may go on with arc `i` of `word`.
    fn enter(&self, word: &Word, i: usize) -> Path {
        let arc = &word.spelling.arcs[i];
        let mut best = DEAD;
        for before in &word.before[i] {
            let state = word.first_arc + usize::from(*before);
            best = better(best, self.blank[state]);
            // The same token again is a new one only after a blank.
            if word.spelling.arcs[usize::from(*before)].target.token != arc.target.token {
                best = better(best, self.token[state]);
            }
        }
        best
    }

    /// The arcs of a completed word, first to last, as indices into its spelling's.
    pub(crate) fn arcs(&self, completed: &Completed) -> Vec<usize> {
        let mut arcs = Vec::new();
        let mut step = completed.step;
        while step != NO_STEP {
            let (before, arc) = self.steps[step as usize];
            arcs.push(usize::from(arc));
            step = before;
        }
        arcs.reverse();
        arcs
    }
}

impl Path {
    fn completed(self, word: usize) -> Completed {
        Completed {
            word,
            score: self.score,
            node: self.node,
            step: self.step,
        }
    }
}

impl Start {
    fn path(&self, token: u16) -> Path {
        let score = if self.last == Some(token) {
            self.blank
        } else {
            self.score
        };
        Path {
            score,
            node: self.node,
            step: NO_STEP,
            begun: score,
        }
    }
}

fn better(a: Path, b: Path) -> Path {
    if b.score > a.score { b } else { a }
}

/// The states of the words that have begun.
fn states(graph: &Graph, reach: &[u16]) -> impl Iterator<Item = usize> {
    let begun = graph
        .words
        .iter()
        .zip(reach)
        .filter(|(_, reach)| **reach > 0);
    begun.flat_map(|(word, _)| word.first_arc..word.first_arc + word.spelling.arcs.len())
}
