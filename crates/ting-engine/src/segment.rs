//! The recognition of one open segment: a streaming pass for partials, a pass over the whole for the final.

use ting_features::Lfr;
use ting_models::{EncoderState, Model};

use crate::align::align;
use crate::api::{Sentence, Word};
use crate::beam::{Beam, BeamOptions};
use crate::posteriors::Frame;
use crate::punctuation::{Said, punctuate, punctuate_partial};
use crate::segmenter::FRAME_MS;
use crate::words::{self, TimedToken};

/// Mel bands of a feature frame.
pub(crate) const BANDS: usize = 80;
/// A token lasts at most this long after its spike, in ms: CTC spikes say where a token is, not how long.
const TOKEN_MS: u64 = 240;
/// Of a final whose tokens are on average less likely than this (natural log) nothing is printed: the acoustic evidence
/// does not support it. Measured on recordings of noise, which give few and unsure tokens.
const EVIDENCE: f32 = -2.3;
/// The same for a final of at most `FEW` tokens: the fewer there are, the surer they have to be.
const EVIDENCE_OF_FEW: f32 = -1.3;
const FEW: usize = 2;
/// A final of a segment whose frames are on average less likely speech than this is not printed either.
const SPEECH_EVIDENCE: f32 = 0.2;

/// One open segment.
pub(crate) struct Segment {
    /// First frame of its audio, from the start of the task.
    pub(crate) start: usize,
    /// First frame of its speech.
    pub(crate) speech: usize,
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
}

/// How sure the spikes of a text's tokens are, marks left out.
struct Evidence {
    /// Sum of their ln P.
    sum: f32,
    tokens: usize,
}

impl Evidence {
    fn is_enough(&self) -> bool {
        let least = if self.tokens <= FEW {
            EVIDENCE_OF_FEW
        } else {
            EVIDENCE
        };
        self.tokens > 0 && self.sum >= least * self.tokens as f32
    }
}

/// What stays the same over all segments of a task.
pub(crate) struct Context<'a> {
    pub(crate) model: &'a Model,
    /// Tokens of the languages asked for; none means all.
    pub(crate) allowed: Option<&'a [bool]>,
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
        Beam::new(options, self.model.lm.as_ref())
    }

    fn lfr(&self) -> Lfr {
        let features = &self.model.config.features;
        Lfr::new(features.lfr_m, features.lfr_n, BANDS)
    }

    fn posteriors(&self, encoded: &[f32], frames: usize) -> impl Iterator<Item = Frame> {
        let ctc = &self.model.ctc;
        let log_probs = ctc.log_probs(encoded, frames);
        let (tokens, blank) = (ctc.tokens(), ctc.blank());
        (0..frames).map(move |t| {
            Frame::new(
                &log_probs[t * tokens..(t + 1) * tokens],
                blank,
                self.allowed,
            )
        })
    }
}

impl Segment {
    /// Segment number `id` of a task. `state` is of the model's encoder, at its start.
    pub(crate) fn new(
        context: &Context<'_>,
        id: u32,
        start: usize,
        speech: usize,
        state: EncoderState,
    ) -> Self {
        Self {
            start,
            speech,
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
        }
    }

    /// Takes the next feature frames. For each chunk they complete it gives what is recognised by then, if anything is and
    /// `wanted` agrees, which is asked with the frame of the task where the chunk ends.
    pub(crate) fn push(
        &mut self,
        context: &Context<'_>,
        frames: &[f32],
        wanted: impl Fn(usize) -> bool,
    ) -> Vec<Sentence> {
        self.taken += frames.len() / BANDS;
        self.lfr.push(frames, &mut self.rows);
        let chunk = context.model.config.decoder.chunk_frames;
        let chunks = self.rows.len() / (chunk * self.lfr.row_len());
        let rows = chunks * chunk;
        if chunks == 0 {
            return Vec::new();
        }
        // All chunks at once: the same numbers as one by one, for less reading of weights.
        let mut encoded = Vec::new();
        let input: Vec<f32> = self.rows.drain(..rows * self.lfr.row_len()).collect();
        context
            .model
            .encoder
            .forward_chunks(&input, rows, chunk, &mut self.state, &mut encoded);
        let mut posteriors = context.posteriors(&encoded, rows);
        let mut partials = Vec::new();
        for _ in 0..chunks {
            for frame in posteriors.by_ref().take(chunk) {
                self.beam.advance(&frame, context.model.lm.as_ref());
                self.posteriors.push(frame);
            }
            self.chunked += chunk;
            let until = self.start + self.chunked * context.model.config.features.lfr_n;
            if !wanted(until) {
                continue;
            }
            let mut words = self
                .words(context, &self.posteriors, &self.beam.best(), until)
                .0;
            if let Some(punctuator) = &context.model.punctuator {
                punctuate_partial(punctuator, &mut words, &mut self.said);
            }
            if let Some(mut sentence) = self.sentence(context, words) {
                sentence.first = !std::mem::replace(&mut self.reported, true);
                partials.push(sentence);
            }
        }
        partials
    }

    /// Recognises the whole segment again, with every frame seeing all others. `features` are its frames up to shortly
    /// after `speech_end` (one past the last speech frame of the task); `speech_probability` is their mean.
    ///
    /// None when there is nothing to report: no text, and no partial to take back.
    pub(crate) fn finish(
        mut self,
        context: &Context<'_>,
        features: &[f32],
        speech_end: usize,
        speech_probability: f32,
    ) -> Option<Sentence> {
        let mut rows = Vec::new();
        let mut lfr = context.lfr();
        lfr.push(features, &mut rows);
        lfr.finish(&mut rows);
        let frames = rows.len() / lfr.row_len();
        let encoded = context.model.encoder.forward_full(&rows, frames);
        let mut beam = context.beam();
        let posteriors: Vec<Frame> = context.posteriors(&encoded, frames).collect();
        for frame in &posteriors {
            beam.advance(frame, context.model.lm.as_ref());
        }
        let until = self.start + features.len() / BANDS;
        let (mut words, evidence) = self.words(context, &posteriors, &beam.best(), until);
        if !evidence.is_enough() || speech_probability < SPEECH_EVIDENCE {
            words.clear();
        }
        if let Some(punctuator) = &context.model.punctuator {
            punctuate(punctuator, &mut words);
        }
        let reported = std::mem::replace(&mut self.reported, true);
        let begin_ms = self.speech as u64 * FRAME_MS;
        let mut sentence = match self.sentence(context, words) {
            Some(sentence) => sentence,
            // A partial promised a sentence: it ends, though empty, so that a client can take its text back.
            None if reported => Sentence {
                id: self.id,
                begin_ms,
                end_ms: begin_ms,
                text: String::new(),
                words: Vec::new(),
                first: false,
            },
            None => return None,
        };
        sentence.first = !reported;
        sentence.end_ms = sentence.end_ms.max(speech_end as u64 * FRAME_MS);
        Some(sentence)
    }

    /// The sentence of recognised words, written as the task wants it; none when no word is left.
    fn sentence(&self, context: &Context<'_>, mut words: Vec<Word>) -> Option<Sentence> {
        ting_text::rewrite(&mut words, &context.text);
        let (first, last) = (words.first()?, words.last()?);
        Some(Sentence {
            id: self.id,
            begin_ms: (self.speech as u64 * FRAME_MS).min(first.begin_ms),
            end_ms: last.end_ms,
            text: ting_text::join(&words),
            words,
            first: false,
        })
    }

    /// The words of `tokens`, timed by their spikes in `posteriors`, none after frame `until`; and how sure
    /// their spikes are.
    fn words(
        &self,
        context: &Context<'_>,
        posteriors: &[Frame],
        tokens: &[u16],
        until: usize,
    ) -> (Vec<Word>, Evidence) {
        let spikes = align(posteriors, tokens);
        let row_ms = context.model.config.features.lfr_n as u64 * FRAME_MS;
        let start_ms = self.start as u64 * FRAME_MS;
        let limit_ms = until as u64 * FRAME_MS;
        let at = |frame: usize| start_ms + frame as u64 * row_ms;
        let mut timed: Vec<TimedToken> = Vec::with_capacity(tokens.len());
        let mut evidence = Evidence {
            sum: 0.0,
            tokens: 0,
        };
        for (i, ((frame, ln_p), token)) in spikes.iter().zip(tokens).enumerate() {
            let mark = context.model.tokens.is_punctuation(usize::from(*token));
            if !mark {
                evidence.sum += ln_p;
                evidence.tokens += 1;
            }
            let previous = timed.last().map_or(start_ms, |token| token.end_ms);
            let begin_ms = at(*frame)
                .saturating_sub(row_ms)
                .max(previous)
                .min(limit_ms);
            let next = spikes
                .get(i + 1)
                .map_or(u64::MAX, |(frame, _)| at(*frame).saturating_sub(row_ms));
            // A mark takes no time.
            let longest = if mark { 0 } else { TOKEN_MS };
            let end_ms = next.min(at(*frame) + longest).min(limit_ms).max(begin_ms);
            timed.push(TimedToken {
                token: *token,
                begin_ms,
                end_ms,
            });
        }
        (words::join(&context.model.tokens, &timed), evidence)
    }
}
