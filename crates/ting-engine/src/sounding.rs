//! A second look at the texts that a search ends with: how likely the audio sounds like them.
//!
//! A small network spells English by ear, and often hears better than it spells. The pronunciation head of the model says what sounds
//! there are, the lexicon what sounds each text has.

use ting_models::{Pronunciation, Tokens};

/// No sound is less likely than this in a row, so that one that the head misses costs a text much and not everything.
const LEAST: f64 = 1e-8;
/// The blank of the pronunciation head.
const BLANK: u16 = 0;

/// Natural logarithm of the probability that the text `said` (without marks) was said, where `heard` are the probabilities of the
/// sounds (`[rows][sounds]`). None for a text without a pronunciation.
pub(crate) fn ln_p(
    said: &[u16],
    tokens: &Tokens,
    pronunciation: &Pronunciation,
    heard: &[f32],
) -> Option<f64> {
    let said = pronunciation.lexicon.pronounce(tokens, said)?;
    let graph = Graph::new(&said, pronunciation.config.bonus);
    Some(graph.ln_p(heard, pronunciation.head.sounds()))
}

/// How a text and the sounds that were heard go together, natural logs per sound of the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fit {
    /// Log probability of the text's sounds less that of the likeliest of all: about 0 where it is what the audio sounds like.
    pub(crate) fit: f32,
    /// Log probability of the likeliest sounds of all: about 0 where it is clear what was heard.
    pub(crate) clear: f32,
}

/// How well the text `said` (without marks) fits what is `heard`. None for a text without a pronunciation or without a sound.
pub(crate) fn fit(
    said: &[u16],
    tokens: &Tokens,
    pronunciation: &Pronunciation,
    heard: &[f32],
) -> Option<Fit> {
    let sounds = pronunciation.head.sounds();
    let said = pronunciation.lexicon.pronounce(tokens, said)?;
    fit_of(&said, heard, sounds)
}

/// The same of words each of which is one of the pronunciations listed for it; `heard` is `[rows][sounds]`.
pub(crate) fn fit_of(said: &[Vec<&[u16]>], heard: &[f32], sounds: usize) -> Option<Fit> {
    let count: usize = said
        .iter()
        .filter_map(|word| word.first())
        .map(|s| s.len())
        .sum();
    if count == 0 {
        return None;
    }
    let likeliest = |row: &[f32]| f64::from(row.iter().copied().fold(0.0, f32::max)).ln();
    let best: f64 = heard.chunks_exact(sounds).map(likeliest).sum();
    let ln_p = Graph::new(said, 0.0).ln_p(heard, sounds);
    Some(Fit {
        fit: ((ln_p - best) / count as f64) as f32,
        clear: (best / count as f64) as f32,
    })
}

/// What may be heard when a text is said: the states of CTC for all its pronunciations, in an order in which each comes after those
/// that lead to it.
struct Graph {
    states: Vec<State>,
    /// The states that lead to each, one after the other.
    before: Vec<usize>,
    /// Those that the text may end in.
    last: Vec<usize>,
    /// Multiplies the probability of a path when it enters a sound.
    bonus: f64,
}

struct State {
    sound: u16,
    /// Where its part of `Graph::before` ends; it begins where that of the state before ends.
    until: usize,
}

impl Graph {
    /// Of the words or characters `said`, each of which is one of the pronunciations listed for it.
    fn new(said: &[Vec<&[u16]>], bonus: f32) -> Self {
        let mut graph = Self {
            states: Vec::new(),
            before: Vec::new(),
            last: Vec::new(),
            bonus: f64::from(bonus).exp(),
        };
        let start = graph.add(BLANK, &[]);
        // Where the next word may begin from.
        let mut from = vec![start];
        for pronunciations in said {
            let mut ends = Vec::new();
            for sounds in pronunciations {
                let mut reached = from.clone();
                for (i, sound) in sounds.iter().enumerate() {
                    let state = graph.add(*sound, &reached);
                    reached = vec![state];
                    if i + 1 < sounds.len() {
                        reached.push(graph.add(BLANK, &[state]));
                    }
                }
                ends.extend(reached);
            }
            // Nothing is said of an empty pronunciation: the word begins and ends in the same states.
            let spoken: Vec<usize> = ends.iter().copied().filter(|s| !from.contains(s)).collect();
            if !spoken.is_empty() {
                ends.push(graph.add(BLANK, &spoken));
            }
            ends.sort_unstable();
            ends.dedup();
            from = ends;
        }
        graph.last = from;
        graph
    }

    /// Adds a state that follows `before`. The same sound twice needs a blank between.
    fn add(&mut self, sound: u16, before: &[usize]) -> usize {
        let follows = |state: &&usize| self.states[**state].sound != sound;
        self.before.extend(before.iter().filter(follows));
        self.states.push(State {
            sound,
            until: self.before.len(),
        });
        self.states.len() - 1
    }

    /// Natural logarithm of the probability of all paths through `heard` (`[rows][sounds]`), with the bonus; the forward
    /// algorithm, scaled in each row (Graves et al. 2006).
    fn ln_p(&self, heard: &[f32], sounds: usize) -> f64 {
        let mut ln_scale = 0.0;
        let (mut now, mut next) = (
            vec![0.0f64; self.states.len()],
            vec![0.0f64; self.states.len()],
        );
        // Before the first row: the beginning has just been left by nothing.
        now[0] = 1.0;
        for row in heard.chunks_exact(sounds) {
            let mut sum = 0.0;
            let mut from = 0;
            for (i, state) in self.states.iter().enumerate() {
                let p = f64::from(row[usize::from(state.sound)]).max(LEAST);
                let entered: f64 = self.before[from..state.until]
                    .iter()
                    .map(|before| now[*before])
                    .sum();
                from = state.until;
                let gain = if state.sound == BLANK {
                    1.0
                } else {
                    self.bonus
                };
                next[i] = (now[i] + gain * entered) * p;
                sum += next[i];
            }
            for value in &mut next {
                *value /= sum;
            }
            ln_scale += sum.ln();
            std::mem::swap(&mut now, &mut next);
        }
        let end: f64 = self.last.iter().map(|state| now[*state]).sum();
        // A text that is too long for the rows has no path.
        end.ln() + ln_scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUNDS: usize = 4;

    /// Reproducible probabilities, `[rows][SOUNDS]`.
    fn heard(rows: usize) -> Vec<f32> {
        let mut values: Vec<f32> = (0..rows * SOUNDS)
            .map(|i| 0.05 + (i * 7919 % 101) as f32 / 101.0)
            .collect();
        for row in values.chunks_exact_mut(SOUNDS) {
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|value| *value /= sum);
        }
        values
    }

    /// The probability that `rows` give the sounds of `text` (its blanks and repetitions left out), by trying all paths.
    fn by_trying(rows: &[f32], text: &[u16]) -> f64 {
        let count = rows.len() / SOUNDS;
        let mut sum = 0.0;
        for mut code in 0..SOUNDS.pow(count as u32) {
            let (mut p, mut said, mut before) = (1.0, Vec::new(), BLANK);
            for row in rows.chunks_exact(SOUNDS) {
                let sound = code % SOUNDS;
                code /= SOUNDS;
                p *= f64::from(row[sound]);
                let sound = sound as u16;
                if sound != BLANK && sound != before {
                    said.push(sound);
                }
                before = sound;
            }
            if said == text {
                sum += p;
            }
        }
        sum
    }

    #[test]
    fn a_text_is_as_likely_as_all_its_paths() {
        struct Case {
            said: &'static [&'static [&'static [u16]]],
            /// The texts it may be.
            texts: &'static [&'static [u16]],
        }
        let cases = [
            Case {
                said: &[],
                texts: &[&[]],
            },
            Case {
                said: &[&[&[1]]],
                texts: &[&[1]],
            },
            Case {
                said: &[&[&[1, 2]], &[&[3]]],
                texts: &[&[1, 2, 3]],
            },
            // The same sound twice, in a word and between two.
            Case {
                said: &[&[&[1, 1]], &[&[1]]],
                texts: &[&[1, 1, 1]],
            },
            Case {
                said: &[&[&[1]], &[&[2], &[3, 1]], &[&[1]]],
                texts: &[&[1, 2, 1], &[1, 3, 1, 1]],
            },
            // What may be silent, at the beginning, between and at the end.
            Case {
                said: &[&[&[], &[2]], &[&[1]], &[&[3], &[]], &[&[1], &[]]],
                texts: &[
                    &[1],
                    &[1, 1],
                    &[1, 3],
                    &[1, 3, 1],
                    &[2, 1],
                    &[2, 1, 1],
                    &[2, 1, 3],
                    &[2, 1, 3, 1],
                ],
            },
            Case {
                said: &[&[&[]]],
                texts: &[&[]],
            },
        ];
        for rows in [1, 3, 5, 6] {
            let heard = heard(rows);
            for (i, case) in cases.iter().enumerate() {
                let said: Vec<Vec<&[u16]>> = case.said.iter().map(|word| word.to_vec()).collect();
                let got = Graph::new(&said, 0.0).ln_p(&heard, SOUNDS).exp();
                let want: f64 = case.texts.iter().map(|text| by_trying(&heard, text)).sum();
                assert!(
                    (got - want).abs() < 1e-6 * want.max(1e-9),
                    "case {i}, {rows} rows: {got}, not {want}"
                );
            }
        }
    }

    #[test]
    fn each_sound_gets_the_bonus() {
        let heard = heard(6);
        let said: Vec<Vec<&[u16]>> = vec![vec![&[1, 2]], vec![&[2]]];
        let [without, with] = [0.0, 0.7].map(|bonus| Graph::new(&said, bonus).ln_p(&heard, SOUNDS));
        assert!((with - without - 3.0 * 0.7).abs() < 1e-6);
    }
}
