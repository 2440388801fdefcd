//! The recognition of one open segment: a streaming pass for partials, a pass over the whole for the final.

use std::collections::HashSet;
use std::sync::Arc;

use ting_features::Lfr;
use ting_models::{EncoderState, FeatureConfig, Model, Pronunciation};

use crate::align::align;
use crate::api::{Sentence, Word};
use crate::beam::{Beam, BeamOptions, Candidate};
use crate::conversion::{self, Converted};
use crate::evidence::Evidence;
use crate::hotwords::{Graph, listen};
use crate::posteriors::{Frame, Look};
use crate::punctuation::{Said, punctuate, punctuate_partial};
use crate::segmenter::{FRAME_MS, Likeness};
use crate::semantic::{Division, SentenceEnd};
use crate::sounding::Fit;
use crate::transcript::{Symbol, said};
use crate::words::{self, TimedToken};
use crate::{choice, rescoring, sounding};

/// Mel bands of a feature frame.
pub(crate) const BANDS: usize = 80;
/// A token lasts at most this long after its spike, in ms: CTC spikes say where a token is, not how long.
const TOKEN_MS: u64 = 240;
/// What the search for partials took to be said this long ago, in ms, is settled: hypotheses that say otherwise are dropped.
/// A whole beam agrees only after many seconds, and hardly ever comes back to what is this old.
const SETTLE_MS: u64 = 1_200;
/// Where a segment begins. All in frames of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beginning {
    /// First frame of its audio.
    pub(crate) start: usize,
    /// First frame of its speech.
    pub(crate) speech: usize,
    /// Whether it was divided from a sentence before it, so that it begins with its first word and not with speech.
    pub(crate) at_word: bool,
}

/// One open segment.
pub(crate) struct Segment {
    pub(crate) beginning: Beginning,
    /// Frames taken so far.
    pub(crate) taken: usize,
    /// Stacked rows recognised so far.
    chunked: usize,
    id: u32,
    lfr: Lfr,
    /// Stacked rows that do not fill a chunk yet.
    rows: Vec<f32>,
    state: EncoderState,
    beam: Beam,
    posteriors: Vec<Frame>,
    /// What the punctuation network said of the last partial.
    said: Said,
    reported: bool,
    /// Looks for the end of the sentence where meaning ends it.
    sentence_end: Option<SentenceEnd>,
}

/// What the next frames brought.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) partials: Vec<Sentence>,
    /// Where the sentence ended by its meaning. The segment is of no use beyond it.
    pub(crate) division: Option<Division>,
}

/// The words of a search.
struct Spoken {
    words: Vec<Word>,
    evidence: Evidence,
    /// Tokens that were said more than `SETTLE_MS` before the end.
    old: usize,
    /// No later frame changes the words that end by this time.
    settled_ms: u64,
}

/// Where a symbol was said.
#[derive(Clone, Copy)]
struct Spike {
    frame: usize,
    /// ln P of it there, and of the likeliest token there.
    ln_p: f32,
    likeliest: f32,
}

/// What stays the same over all segments of a task.
pub(crate) struct Context<'a> {
    pub(crate) model: &'a Model,
    /// Tokens of the languages asked for; none means all.
    pub(crate) allowed: Option<&'a [bool]>,
    /// Words to be preferred.
    pub(crate) graph: &'a Arc<Graph>,
    /// The task's `speech_noise_threshold`.
    pub(crate) noise_threshold: f32,
    /// Whether sentences end by meaning.
    pub(crate) semantic: bool,
    /// How the words of a sentence are written.
    pub(crate) text: ting_text::Options<'a>,
}

impl Context<'_> {
    fn beam(&self) -> Beam {
        let decoder = &self.model.config.decoder;
        let options = BeamOptions {
            width: decoder.beam,
            lm_weight: decoder.lm_weight,
            token_bonus: decoder.token_bonus,
        };
        Beam::new(options, self.model.lm.as_ref(), Arc::clone(self.graph))
    }

    /// The likeliest of the texts that `beam` ends with: by its scores, by the recurrent language model and by the sounds that were `heard`, as
    /// far as the model has these.
    fn choose(&self, beam: &Beam, heard: Option<(&Pronunciation, &[f32])>) -> Vec<Symbol> {
        let model = self.model;
        let mut candidates: Vec<Candidate> = beam.candidates().collect();
        if let Some(rescorer) = &model.recurrent_lm {
            rescoring::rescore(&mut candidates, rescorer);
        }
        choice::likeliest(candidates, &model.tokens, |said| {
            let Some((pronunciation, heard)) = heard else {
                return Some(0.0);
            };
            let ln_p = sounding::ln_p(said, &model.tokens, pronunciation, heard)?;
            Some(f64::from(pronunciation.config.weight) * ln_p)
        })
    }

    /// The text `chosen` written with the words of the dictionary and with hotwords, where the model has a dictionary for what was said. None that is
    /// the same, nor one that lacks a hotword of `chosen`, nor any where nothing is chosen.
    fn convert(
        &self,
        chosen: &[Symbol],
        (pronunciation, sounds): (&Pronunciation, &[f32]),
        log_probs: &[f32],
        frames: &[Frame],
    ) -> Option<Converted> {
        if chosen.is_empty() {
            return None;
        }
        let heard = conversion::Heard {
            sounds,
            tokens: log_probs,
            frames,
        };
        let model = self.model;
        let converted = conversion::convert(heard, model, pronunciation, self.graph, self.allowed)?;
        let written: Vec<&Symbol> = converted.tokens.iter().map(|w| &w.symbol).collect();
        let mut hot = chosen.iter().filter(|symbol| symbol.hot.is_some());
        let has = |symbol: &Symbol| {
            let mut written = written.iter();
            written.any(|other| other.hot.is_some() && other.token == symbol.token)
        };
        let tokens = written.iter().map(|symbol| symbol.token);
        let differs = !tokens.eq(said(chosen, &model.tokens));
        (differs && hot.all(has)).then_some(converted)
    }

    /// How well the text `symbols` fits the sounds that were `heard`.
    fn fit(
        &self,
        symbols: &[Symbol],
        (pronunciation, heard): (&Pronunciation, &[f32]),
    ) -> Option<Fit> {
        let tokens = &self.model.tokens;
        sounding::fit(&said(symbols, tokens), tokens, pronunciation, heard)
    }

    /// A word of a partial is fixed when its tokens are settled, and those of this many words after it: the mark after a word and
    /// the writing of a number depend on what follows.
    fn words_ahead(&self) -> usize {
        let punctuator = self.model.punctuator.as_ref();
        let mark = punctuator.map_or(1, |punctuator| punctuator.config().look_ahead);
        mark.max(ting_text::LOOK_AHEAD)
    }

    /// The frames before this one are judged when the rows of a segment up to frame `until` are complete.
    pub(crate) fn judged(&self, until: usize) -> usize {
        given(&self.model.config.features, until).saturating_sub(self.ahead())
    }

    /// Frames that the detector sees behind the one that it judges.
    pub(crate) fn ahead(&self) -> usize {
        self.model.config.features.vad_lfr_m / 2
    }

    fn lfr(&self) -> Lfr {
        let features = &self.model.config.features;
        Lfr::new(features.lfr_m, features.lfr_n, BANDS)
    }

    /// The frames of log probabilities of tokens.
    fn posteriors(&self, log_probs: &[f32]) -> impl Iterator<Item = Frame> {
        let ctc = &self.model.ctc;
        let look = Look {
            blank: ctc.blank(),
            allowed: self.allowed,
            hot: &self.graph.sounds,
            readings: self.model.readings.as_ref(),
        };
        let frames = log_probs.chunks_exact(ctc.tokens());
        frames.map(move |row| Frame::new(row, look))
    }
}

/// Where the best path through `posteriors` has `symbols`.
fn spikes(posteriors: &[Frame], symbols: &[Symbol]) -> Vec<Spike> {
    let found = align(posteriors, symbols).into_iter();
    found
        .map(|(frame, ln_p)| Spike {
            frame,
            ln_p,
            likeliest: posteriors[frame].likeliest(),
        })
        .collect()
}

/// The symbols of a text that was written with a dictionary. That something was said there does not depend on whether the network knows how
/// it is written.
fn of_converted(converted: &Converted) -> (Vec<Symbol>, Vec<Spike>) {
    let tokens = converted.tokens.iter();
    tokens
        .map(|written| {
            let spike = Spike {
                frame: written.frame,
                ln_p: written.likeliest,
                likeliest: written.likeliest,
            };
            (written.symbol.clone(), spike)
        })
        .unzip()
}

/// Frames up to `until` that a segment has surely been given when the rows up to it are complete, however the frames came: a row may be
/// complete before the next begins.
fn given(features: &FeatureConfig, until: usize) -> usize {
    let FeatureConfig { lfr_m, lfr_n, .. } = *features;
    (until + lfr_m / 2 + 1).saturating_sub(lfr_n).min(until)
}

impl Segment {
    /// Segment number `id` of a task. `state` is of the model's encoder, at its start.
    pub(crate) fn new(
        context: &Context<'_>,
        id: u32,
        beginning: Beginning,
        state: EncoderState,
    ) -> Self {
        Self {
            beginning,
            taken: 0,
            chunked: 0,
            id,
            lfr: context.lfr(),
            rows: Vec::new(),
            state,
            beam: context.beam(),
            posteriors: Vec::new(),
            said: Said::default(),
            reported: false,
            sentence_end: context.semantic.then(SentenceEnd::default),
        }
    }

    /// Other hotwords for the frames that follow, and for the final.
    pub(crate) fn set_graph(&mut self, graph: &Arc<Graph>) {
        self.beam.set_graph(Arc::clone(graph));
    }

    /// Takes the next feature frames. For each chunk they complete it gives what is recognised by then, if anything is and
    /// `wanted` agrees, which is asked with the frame of the task where the chunk ends. Stops where the sentence ends by its
    /// meaning.
    pub(crate) fn push(
        &mut self,
        context: &Context<'_>,
        frames: &[f32],
        wanted: impl Fn(usize) -> bool,
    ) -> Heard {
        self.taken += frames.len() / BANDS;
        self.lfr.push(frames, &mut self.rows);
        let chunk = context.model.config.decoder.chunk_frames;
        let chunks = self.rows.len() / (chunk * self.lfr.row_len());
        let rows = chunks * chunk;
        if chunks == 0 {
            return Heard::default();
        }
        // All chunks at once: the same numbers as one by one, for less reading of weights.
        let mut encoded = Vec::new();
        let input: Vec<f32> = self.rows.drain(..rows * self.lfr.row_len()).collect();
        context
            .model
            .encoder
            .forward_chunks(&input, rows, chunk, &mut self.state, &mut encoded);
        let log_probs = context.model.ctc.log_probs(&encoded, rows);
        let mut posteriors = context.posteriors(&log_probs);
        let mut heard = Heard::default();
        for _ in 0..chunks {
            for frame in posteriors.by_ref().take(chunk) {
                self.beam.advance(&frame, context.model.lm.as_ref());
                self.posteriors.push(frame);
            }
            self.chunked += chunk;
            let until = self.beginning.start + self.chunked * context.model.config.features.lfr_n;
            if !wanted(until) {
                continue;
            }
            let (symbols, settled) = (self.beam.best(), self.beam.settled());
            let spikes = spikes(&self.posteriors, &symbols);
            let mut spoken = self.words(context, &symbols, &spikes, settled, until);
            self.beam.settle(spoken.old);
            if let Some(punctuator) = &context.model.punctuator {
                punctuate_partial(punctuator, &mut spoken.words, &mut self.said);
            }
            heard.division = self.division(&spoken.words, context.judged(until));
            if heard.division.is_some() {
                break;
            }
            if let Some(mut sentence) = self.sentence(context, spoken) {
                sentence.first = !std::mem::replace(&mut self.reported, true);
                heard.partials.push(sentence);
            }
        }
        heard
    }

    /// Where `words`, those of a partial, say that the sentence ended; always inside the segment, and before the frame `judged`,
    /// because nothing can be cut behind it.
    fn division(&mut self, words: &[Word], judged: usize) -> Option<Division> {
        let division = self.sentence_end.as_mut()?.see(words)?;
        let inside = division.frame > self.beginning.start && division.frame < judged;
        inside.then_some(division)
    }

    /// Recognises the whole segment again, with every frame seeing all others. `features` are its frames up to shortly
    /// after `speech_end` (one past the last speech frame of the task); `speech` is how likely they
    /// are speech.
    ///
    /// None when there is nothing to report: no text, and no partial to take back.
    pub(crate) fn finish(
        &mut self,
        context: &Context<'_>,
        features: &[f32],
        speech_end: usize,
        speech: Likeness,
    ) -> Option<Sentence> {
        let mut rows = Vec::new();
        let mut lfr = context.lfr();
        lfr.push(features, &mut rows);
        lfr.finish(&mut rows);
        let frames = rows.len() / lfr.row_len();
        let pronunciation = context.model.pronunciation.as_ref();
        let middle = pronunciation.map(|pronunciation| pronunciation.config.layer);
        let (encoded, middle) =
            (context.model.encoder).forward_full_and_middle(&rows, frames, middle);
        let mut beam = context.beam();
        let log_probs = context.model.ctc.log_probs(&encoded, frames);
        let posteriors: Vec<Frame> = context.posteriors(&log_probs).collect();
        let heard = pronunciation.map(|p| (p, p.head.probabilities(&encoded, &middle, frames)));
        let heard = heard.as_ref().map(|(p, heard)| (*p, heard.as_slice()));
        if let Some((pronunciation, heard)) = heard.filter(|_| !context.graph.is_empty()) {
            let sounds = pronunciation.head.sounds();
            let list = (context.graph).letters(&context.model.tokens, &pronunciation.lexicon);
            let rows = heard.len() / sounds / frames.max(1);
            beam.hear(listen(list, heard, sounds), rows.max(1));
        }
        for frame in &posteriors {
            beam.advance(frame, context.model.lm.as_ref());
        }
        let until = self.beginning.start + features.len() / BANDS;
        let chosen = context.choose(&beam, heard);
        let converted =
            heard.and_then(|heard| context.convert(&chosen, heard, &log_probs, &posteriors));
        let (symbols, spikes) = match &converted {
            Some(converted) => of_converted(converted),
            None => {
                let spikes = spikes(&posteriors, &chosen);
                (chosen, spikes)
            }
        };
        let mut spoken = self.words(context, &symbols, &spikes, beam.settled(), until);
        spoken.evidence.converted = converted.is_some();
        if spoken.evidence.asks_for_fit() {
            spoken.evidence.fit = heard.and_then(|heard| match &converted {
                Some(Converted { sounds, .. }) => {
                    sounding::fit_of(&[vec![sounds]], heard.1, heard.0.head.sounds())
                }
                None => context.fit(&symbols, heard),
            });
        }
        if !spoken.evidence.is_enough(speech, context.noise_threshold) {
            spoken.words.clear();
        }
        if let Some(punctuator) = &context.model.punctuator {
            punctuate(punctuator, &mut spoken.words);
        }
        spoken.settled_ms = u64::MAX;
        let reported = std::mem::replace(&mut self.reported, true);
        let begin_ms = self.beginning.speech as u64 * FRAME_MS;
        let mut sentence = match self.sentence(context, spoken) {
            Some(sentence) => sentence,
            // A partial promised a sentence: it ends, though empty, so that a client can take its text back.
            None if reported => Sentence {
                id: self.id,
                begin_ms,
                end_ms: begin_ms,
                text: String::new(),
                words: Vec::new(),
                fixed: 0,
                first: false,
            },
            None => return None,
        };
        sentence.first = !reported;
        sentence.end_ms = sentence.end_ms.max(speech_end as u64 * FRAME_MS);
        Some(sentence)
    }

    /// The encoder's buffers, for the next segment.
    pub(crate) fn into_state(self) -> EncoderState {
        self.state
    }

    /// The sentence of recognised words, written as the task wants it; none when no word is left.
    fn sentence(&self, context: &Context<'_>, spoken: Spoken) -> Option<Sentence> {
        let Spoken {
            mut words,
            settled_ms,
            ..
        } = spoken;
        ting_text::rewrite(&mut words, &context.text);
        let (first, last) = (words.first()?, words.last()?);
        let speech_ms = self.beginning.speech as u64 * FRAME_MS;
        let begin_ms = if self.beginning.at_word {
            first.begin_ms
        } else {
            speech_ms.min(first.begin_ms)
        };
        Some(Sentence {
            id: self.id,
            begin_ms,
            end_ms: last.end_ms,
            text: ting_text::join(&words),
            fixed: words
                .iter()
                .take_while(|word| word.end_ms <= settled_ms)
                .count(),
            words,
            first: false,
        })
    }

    /// The words of `symbols`, timed by their `spikes`, none after frame `until`; and how sure these are. The first
    /// `settled` symbols do not change any more.
    fn words(
        &self,
        context: &Context<'_>,
        symbols: &[Symbol],
        spikes: &[Spike],
        settled: usize,
        until: usize,
    ) -> Spoken {
        let row_ms = context.model.config.features.lfr_n as u64 * FRAME_MS;
        let start_ms = self.beginning.start as u64 * FRAME_MS;
        let limit_ms = until as u64 * FRAME_MS;
        let at = |frame: usize| start_ms + frame as u64 * row_ms;
        let mut timed: Vec<TimedToken<'_>> = Vec::with_capacity(symbols.len());
        let mut evidence = Evidence::default();
        let mut different = HashSet::new();
        for (i, (spike, symbol)) in spikes.iter().zip(symbols).enumerate() {
            let mark = context
                .model
                .tokens
                .is_punctuation(usize::from(symbol.token));
            if !mark {
                // A hotword is unlikely by itself. That something was said there does not depend on what.
                evidence.sum += match symbol.hot {
                    Some(_) => spike.ln_p.max(spike.likeliest),
                    None => spike.ln_p,
                };
                evidence.likeliest += spike.likeliest;
                evidence.tokens += 1;
                different.insert(symbol.token);
            }
            let previous = timed.last().map_or(start_ms, |token| token.end_ms);
            let begin_ms = at(spike.frame)
                .saturating_sub(row_ms)
                .max(previous)
                .min(limit_ms);
            let next = spikes
                .get(i + 1)
                .map_or(u64::MAX, |next| at(next.frame).saturating_sub(row_ms));
            // A mark takes no time.
            let longest = if mark { 0 } else { TOKEN_MS };
            let end_ms = next
                .min(at(spike.frame) + longest)
                .min(limit_ms)
                .max(begin_ms);
            timed.push(TimedToken {
                token: symbol.token,
                spelling: symbol.spelling.as_deref(),
                begin_ms,
                end_ms,
            });
        }
        evidence.different = different.len();
        let words = words::join(&context.model.tokens, &timed);
        let old = timed
            .iter()
            .take_while(|token| token.end_ms + SETTLE_MS <= limit_ms)
            .count();
        let settled = &timed[..settled.max(old).min(timed.len())];
        let settled = words::join(&context.model.tokens, settled).len();
        let settled_ms = settled
            .checked_sub(context.words_ahead())
            .and_then(|fixed| words.get(fixed))
            .map_or(0, |word| word.begin_ms);
        Spoken {
            words,
            evidence,
            old,
            settled_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_are_the_frames_that_complete_the_rows() {
        for (lfr_m, lfr_n) in [(7, 6), (11, 6), (12, 6), (5, 1), (1, 6), (2, 3)] {
            let features = FeatureConfig {
                lfr_m,
                lfr_n,
                ..FeatureConfig::default()
            };
            let (mut lfr, mut rows) = (Lfr::new(lfr_m, lfr_n, 1), Vec::new());
            for taken in 1..100 {
                let before = rows.len() / lfr_m;
                lfr.push(&[0.0], &mut rows);
                let complete = rows.len() / lfr_m;
                if complete > before {
                    let until = complete * lfr_n;
                    let name = format!("{lfr_m} every {lfr_n}, {complete} rows");
                    assert_eq!(given(&features, until), taken.min(until), "{name}");
                }
            }
        }
    }
}
