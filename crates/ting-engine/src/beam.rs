//! CTC prefix beam search with a language model, frame by frame.
//!
//! Source: Hannun et al., "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent
//! DNNs" (2014), algorithm 1, with the language model applied per token.

use std::collections::HashMap;

use ting_models::{LmState, NgramLm};

use crate::posteriors::{Frame, log_add};

/// A frame this sure of the blank (natural log) extends nothing: most frames are, and are skipped cheaply.
const SURE_BLANK: f32 = -0.002;

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
    token: u16,
    /// Tokens of the prefix.
    depth: u32,
    lm: LmState,
    /// Language model and bonus of the whole prefix, weighted.
    extra: f32,
    children: HashMap<u16, u32>,
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

const ROOT: u32 = 0;

/// The search over one segment. Its memory grows with the segment, which is bounded.
pub(crate) struct Beam {
    options: BeamOptions,
    nodes: Vec<Node>,
    beam: Vec<Hypothesis>,
}

impl Beam {
    pub(crate) fn new(options: BeamOptions, lm: Option<&NgramLm>) -> Self {
        let root = Node {
            parent: ROOT,
            token: 0,
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
        }
    }

    /// Takes the next frame.
    pub(crate) fn advance(&mut self, frame: &Frame, lm: Option<&NgramLm>) {
        if frame.blank > SURE_BLANK {
            for hypothesis in &mut self.beam {
                hypothesis.blank = hypothesis.acoustic() + frame.blank;
                hypothesis.token = f32::NEG_INFINITY;
            }
            return;
        }
        // In order of first touch, so that ties are broken the same way every time.
        let mut next: Vec<Hypothesis> = Vec::new();
        let mut places: HashMap<u32, usize> = HashMap::new();
        for hypothesis in std::mem::take(&mut self.beam) {
            let total = hypothesis.acoustic();
            let last =
                (hypothesis.node != ROOT).then(|| self.nodes[hypothesis.node as usize].token);
            let stay = touch(&mut next, &mut places, hypothesis.node);
            stay.blank = log_add(stay.blank, total + frame.blank);
            if let Some(last) = last {
                stay.token = log_add(stay.token, hypothesis.token + frame.ln_p(last));
            }
            for (token, ln_p) in &frame.tokens {
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
        let score = |h: &Hypothesis| h.acoustic() + self.nodes[h.node as usize].extra;
        next.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.node.cmp(&b.node)));
        next.truncate(self.options.width);
        self.beam = next;
    }

    /// The tokens of the best hypothesis.
    pub(crate) fn best(&self) -> Vec<u16> {
        let mut tokens = Vec::new();
        let mut node = self.beam.first().map_or(ROOT, |hypothesis| hypothesis.node);
        while node != ROOT {
            tokens.push(self.nodes[node as usize].token);
            node = self.nodes[node as usize].parent;
        }
        tokens.reverse();
        tokens
    }

    /// Drops the hypotheses that do not begin with the first `tokens` tokens of [`best`](Self::best), so that these are
    /// settled.
    pub(crate) fn settle(&mut self, tokens: usize) {
        let prefix = |mut node: u32| {
            while self.nodes[node as usize].depth as usize > tokens {
                node = self.nodes[node as usize].parent;
            }
            node
        };
        let Some(best) = self.beam.first().map(|hypothesis| prefix(hypothesis.node)) else {
            return;
        };
        let kept = self.beam.iter().filter(|h| prefix(h.node) == best);
        self.beam = kept.copied().collect();
    }

    /// How many tokens of [`best`](Self::best), from the first on, no later frame can change: those that every hypothesis
    /// of the beam begins with, since each later hypothesis goes on from one of them.
    pub(crate) fn settled(&self) -> usize {
        let mut common = self.beam.first().map_or(ROOT, |hypothesis| hypothesis.node);
        let up = |node: u32| self.nodes[node as usize].parent;
        let depth = |node: u32| self.nodes[node as usize].depth;
        for hypothesis in &self.beam {
            let mut node = hypothesis.node;
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
            token,
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
    use super::*;

    fn search(rows: &[&[f32]], width: usize) -> Vec<u16> {
        let options = BeamOptions {
            width,
            lm_weight: 0.0,
            token_bonus: 0.0,
        };
        let mut beam = Beam::new(options, None);
        for row in rows {
            let ln: Vec<f32> = row.iter().map(|p| p.ln()).collect();
            beam.advance(&Frame::new(&ln, 0, None), None);
        }
        beam.best()
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
        let mut settled_in_all = 0;
        for round in 0..200 {
            let options = BeamOptions {
                width: 1 + round % 6,
                lm_weight: 0.0,
                token_bonus: 0.0,
            };
            let mut beam = Beam::new(options, None);
            let mut settled: Vec<u16> = Vec::new();
            for _ in 0..60 {
                let weights: Vec<f32> = (0..TOKENS).map(|_| random().powi(6) + 1e-4).collect();
                let sum: f32 = weights.iter().sum();
                let row: Vec<f32> = weights.iter().map(|p| (p / sum).ln()).collect();
                beam.advance(&Frame::new(&row, 0, None), None);
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
        }
        assert!(settled_in_all > 1000, "{settled_in_all} tokens settled");
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
