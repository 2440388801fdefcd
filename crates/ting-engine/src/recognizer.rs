//! One task, synchronous and deterministic: bytes in, events out.

use std::sync::Arc;

use ting_audio::AudioStream;
use ting_features::{Fbank, FbankOptions, Lfr};
use ting_models::{Dictionary, EncoderState, FsmnVadState, Languages, Model};

use crate::api::{
    EngineError, EngineErrorKind, Event, IneffectiveHotword, Language, Sentence, TaskOptions,
    check_hotwords,
};
use crate::closing::Closing;
use crate::hotwords::{Graph, GraphOptions, context};
use crate::segment::{BANDS, Beginning, Context, Segment};
use crate::segmenter::{Change, FRAME_MS, Likeness, Segmenter, TAIL};
use crate::semantic::Division;

/// Samples recognised at a time: 1 s is enough to share the reading of weights, and needs no large buffers.
const PIECE: usize = 16_000;
/// Bytes decoded at a time, 1 s of 16 kHz PCM: the samples are bounded even where a codec packs minutes into kilobytes.
const BYTES: usize = 32_000;
/// A partial is reported when there was speech in this many frames before it: one more 480 ms after the last word, for
/// what the network writes late.
const PARTIAL_SPEECH: usize = 48;
/// No louder sample is digital silence: -72 dBFS. Zeros, dithered and through a lossy codec, come out at up to 3 of 32768,
/// and a step of AMR is 8; the noise of a microphone is louder.
const SILENT: f32 = 8.0 / 32768.0;
/// Samples per ms.
const SAMPLES_PER_MS: u64 = 16;

/// Recognises one task. The same bytes and options give the same events, however the bytes are cut; only where
/// between the calls an event falls depends on the cuts.
pub struct Recognizer {
    model: Arc<Model>,
    options: TaskOptions,
    allowed: Option<Vec<bool>>,
    graph: Arc<Graph>,
    audio: AudioStream,
    samples: u64,
    /// Samples up to and with the last that is no digital silence.
    sounding: u64,
    fbank: Fbank,
    vad_lfr: Lfr,
    vad_state: FsmnVadState,
    segmenter: Segmenter,
    /// Feature frames from `first_frame` of the task on.
    frames: Vec<f32>,
    first_frame: usize,
    /// Frames whose speech probability is known.
    judged: usize,
    segment: Option<Segment>,
    sentences: u32,
    /// The encoder's buffers, kept from segment to segment.
    spare_state: Option<EncoderState>,
    /// All audio is there, and what is open is being closed.
    flushing: bool,
    ended: bool,
}

impl std::fmt::Debug for Recognizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recognizer({:?}, {} ms)", self.options, self.audio_ms())
    }
}

impl Recognizer {
    /// A task over `model`.
    ///
    /// # Errors
    /// `InvalidOption` when an option is out of its range; the message names it and the range.
    pub fn new(model: Arc<Model>, options: TaskOptions) -> Result<Self, EngineError> {
        let invalid = |message: String| EngineError::new(EngineErrorKind::InvalidOption, message);
        if !(200..=6000).contains(&options.max_sentence_silence_ms) {
            return Err(invalid(format!(
                "max_sentence_silence is {}; it must be 200 to 6000 (ms)",
                options.max_sentence_silence_ms
            )));
        }
        if !(-1.0..=1.0).contains(&options.speech_noise_threshold) {
            return Err(invalid(format!(
                "speech_noise_threshold is {}; it must be -1.0 to 1.0",
                options.speech_noise_threshold
            )));
        }
        check_hotwords(&options.hotwords)?;
        let audio = AudioStream::new(options.format, options.sample_rate)
            .map_err(|error| invalid(error.to_string()))?;
        let state = model.encoder.new_state().map_err(|error| {
            EngineError::new(
                EngineErrorKind::Internal,
                format!("this model cannot stream: {error}"),
            )
        })?;
        let features = model.config.features.clone();
        let allowed =
            (!options.languages.is_empty()).then(|| allowed_tokens(&model, &options.languages));
        let graph = graph(&model, allowed.as_deref(), &options);
        Ok(Self {
            graph,
            allowed,
            audio,
            samples: 0,
            sounding: 0,
            fbank: Fbank::new(FbankOptions::default()),
            vad_lfr: Lfr::new(features.vad_lfr_m, features.vad_lfr_n, BANDS),
            vad_state: FsmnVadState::default(),
            segmenter: Segmenter::new(Closing::new(&options), options.speech_noise_threshold),
            frames: Vec::new(),
            first_frame: 0,
            judged: 0,
            segment: None,
            sentences: 0,
            spare_state: Some(state),
            flushing: false,
            ended: false,
            model,
            options,
        })
    }

    /// Audio decoded so far, in ms.
    pub fn audio_ms(&self) -> u64 {
        self.samples / SAMPLES_PER_MS
    }

    /// The hotwords that can never be written, and why: never silently without effect.
    pub fn ineffective_hotwords(&self) -> &[IneffectiveHotword] {
        &self.graph.ineffective
    }

    /// How much digital silence the audio decoded so far ends with, in ms: samples of at most -72 dBFS.
    pub fn silence_ms(&self) -> u64 {
        (self.samples - self.sounding) / SAMPLES_PER_MS
    }

    /// Whether the last event was given.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Takes the next bytes and appends what they bring to `events`. Bytes after the last event are ignored.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        for bytes in bytes.chunks(BYTES) {
            if self.ended {
                return;
            }
            let mut samples = Vec::new();
            let result = self.audio.push(bytes, &mut samples);
            self.recognize(&samples, events);
            if let Err(error) = result {
                self.fail(&error, events);
            }
        }
    }

    /// Replaces the task's context by `texts`, what was said or written before, oldest first; of more than 10 the newest
    /// count, of each the first 400 characters. Rare words in it are preferred, more weakly than any hotword.
    ///
    /// It holds for the audio that is pushed after it; the final of a sentence that is being spoken is recognised with it
    /// as a whole. The same bytes, with the same contexts between the same bytes, give the same events.
    pub fn set_context(&mut self, texts: &[String]) {
        if self.ended {
            return;
        }
        self.options.context = texts.to_vec();
        self.graph = graph(&self.model, self.allowed.as_deref(), &self.options);
        if let Some(segment) = &mut self.segment {
            segment.set_graph(&self.graph);
        }
    }

    /// Ends the audio: the open sentence is finished, and the last event follows.
    pub fn finish(&mut self, events: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        let mut samples = Vec::new();
        let result = self.audio.finish(&mut samples);
        self.recognize(&samples, events);
        if let Err(error) = result {
            self.fail(&error, events);
            return;
        }
        self.flush(events);
        self.ended = true;
        events.push(Event::Finished {
            audio_ms: self.audio_ms(),
        });
    }

    fn fail(&mut self, error: &ting_audio::AudioError, events: &mut Vec<Event>) {
        // What was said before the fault is not lost.
        self.flush(events);
        self.ended = true;
        events.push(Event::Failed(EngineError::new(
            EngineErrorKind::Audio,
            error.to_string(),
        )));
    }

    fn recognize(&mut self, samples: &[f32], events: &mut Vec<Event>) {
        for piece in samples.chunks(PIECE) {
            if let Some(last) = piece.iter().rposition(|sample| sample.abs() > SILENT) {
                self.sounding = self.samples + last as u64 + 1;
            }
            self.samples += piece.len() as u64;
            let known = self.frames.len();
            self.fbank.push(piece, &mut self.frames);
            let mut rows = Vec::new();
            self.vad_lfr.push(&self.frames[known..], &mut rows);
            self.judge(&rows, events);
        }
    }

    /// Judges the rest of the frames and closes the open segment.
    fn flush(&mut self, events: &mut Vec<Event>) {
        self.flushing = true;
        let mut rows = Vec::new();
        self.vad_lfr.finish(&mut rows);
        self.judge(&rows, events);
        if let Some(change) = self.segmenter.finish() {
            self.apply(change, events);
        }
    }

    /// Runs the voice activity detector over its next input rows, and everything that hangs on each frame.
    fn judge(&mut self, rows: &[f32], events: &mut Vec<Event>) {
        let count = rows.len() / self.vad_lfr.row_len();
        let classes = self.model.vad.config().out_dim;
        let probabilities = self.model.vad.forward(rows, count, &mut self.vad_state);
        for frame in probabilities.chunks_exact(classes) {
            self.judged += 1;
            let change = self.segmenter.push(frame[1]);
            let closes = matches!(change, Some(Change::Close { .. }));
            // Partials come before the final, and a division by meaning before all that is decided later: neither may
            // depend on how many frames come at once.
            if closes || (self.options.semantic && self.segment.is_some()) {
                let division = self.feed(events);
                if let Some(division) = division.filter(|_| !closes) {
                    self.divide(division, events);
                }
            }
            if let Some(change) = change {
                self.apply(change, events);
            }
        }
        // Where meaning ends sentences, each frame was given when it came.
        if !self.options.semantic {
            self.feed(events);
        }
        self.forget();
    }

    fn apply(&mut self, change: Change, events: &mut Vec<Event>) {
        match change {
            Change::Open { start, speech } => self.open(Beginning {
                start,
                speech,
                at_word: false,
            }),
            Change::Close {
                speech_end,
                end,
                likeness,
                cut,
            } => {
                self.close(speech_end, end, likeness, events);
                if cut {
                    let change = self.segmenter.reopen();
                    self.apply(change, events);
                }
            }
        }
    }

    fn open(&mut self, beginning: Beginning) {
        let mut state = self
            .spare_state
            .take()
            .or_else(|| self.model.encoder.new_state().ok());
        if let Some(state) = &mut state {
            state.reset();
        }
        let Some(state) = state else { return };
        let context = Context {
            model: &self.model,
            allowed: self.allowed.as_deref(),
            graph: &self.graph,
            noise_threshold: self.options.speech_noise_threshold,
            semantic: self.options.semantic,
            text: self.options.text(),
        };
        self.segment = Some(Segment::new(&context, self.sentences + 1, beginning, state));
    }

    /// Ends the open sentence at `division` and goes on in a new one, which is given the frames that were heard already;
    /// they may hold the end of that one too.
    fn divide(&mut self, division: Division, events: &mut Vec<Event>) {
        let mut next = Some(division);
        while let Some(division) = next.take() {
            let cut = self.segmenter.cut(division.frame);
            let Some(Change::Close { end, likeness, .. }) = cut else {
                return;
            };
            self.close(division.spoken_end.min(end), end, likeness, events);
            self.segmenter.reopen();
            self.open(Beginning {
                start: end,
                speech: division.next_word.max(end),
                at_word: true,
            });
            next = self.feed(events);
        }
    }

    /// Gives the open segment the frames up to those that the detector has seen for the last judged one: partials need not wait for its
    /// opinion. Gives where its sentence ended by its meaning.
    fn feed(&mut self, events: &mut Vec<Event>) -> Option<Division> {
        let segment = self.segment.as_mut()?;
        let context = Context {
            model: &self.model,
            allowed: self.allowed.as_deref(),
            graph: &self.graph,
            noise_threshold: self.options.speech_noise_threshold,
            semantic: self.options.semantic,
            text: self.options.text(),
        };
        let from = (segment.beginning.start + segment.taken - self.first_frame) * BANDS;
        // However many have come: what a partial says may not depend on it.
        let seen = self.judged - self.first_frame + context.ahead();
        let frames = &self.frames[from..(seen * BANDS).min(self.frames.len())];
        let segmenter = &self.segmenter;
        // In a pause nothing new is said: the partial before it stands.
        let speaking = |until: usize| {
            let judged = context.judged(until);
            segmenter.has_speech(judged.saturating_sub(PARTIAL_SPEECH), judged)
        };
        let heard = segment.push(&context, frames, speaking);
        for sentence in heard.partials {
            let sentence = self.shown(sentence);
            events.push(Event::Partial { sentence });
        }
        heard.division
    }

    fn close(
        &mut self,
        speech_end: usize,
        end: usize,
        likeness: Likeness,
        events: &mut Vec<Event>,
    ) {
        let Some(mut segment) = self.segment.take() else {
            return;
        };
        let until = (speech_end + TAIL).min(end).max(segment.beginning.start);
        let from = segment.beginning.start - self.first_frame;
        let features = &self.frames[from * BANDS..(until - self.first_frame) * BANDS];
        let context = Context {
            model: &self.model,
            allowed: self.allowed.as_deref(),
            graph: &self.graph,
            noise_threshold: self.options.speech_noise_threshold,
            semantic: self.options.semantic,
            text: self.options.text(),
        };
        let sentence = segment.finish(&context, features, speech_end, likeness);
        self.spare_state = Some(segment.into_state());
        if let Some(sentence) = sentence {
            self.sentences += 1;
            // Not what is decoded so far, which depends on how the bytes were cut.
            let audio_ms = if self.flushing {
                self.audio_ms()
            } else {
                self.judged as u64 * FRAME_MS
            };
            let sentence = self.shown(sentence);
            events.push(Event::Final { sentence, audio_ms });
        }
    }

    /// A sentence as the task wants it.
    fn shown(&self, mut sentence: Sentence) -> Sentence {
        // Only here: up to here the marks may say where a sentence ends.
        if !self.options.punctuation {
            sentence.strip_punctuation();
        }
        sentence
    }

    /// Drops frames that no segment can refer to any more.
    fn forget(&mut self) {
        let needed = self.segmenter.oldest_needed().min(self.judged);
        let needed = self
            .segment
            .as_ref()
            .map_or(needed, |segment| needed.min(segment.beginning.start));
        let extra = needed.saturating_sub(self.first_frame);
        // In larger steps, so that the rest is not moved for each frame.
        if extra > 100 {
            self.frames.drain(..extra * BANDS);
            self.first_frame += extra;
        }
    }
}

/// What the options say about words.
fn graph(model: &Model, allowed: Option<&[bool]>, options: &TaskOptions) -> Arc<Graph> {
    let context = context::words(&options.context, model);
    let graph_options = GraphOptions {
        tokens: &model.tokens,
        readings: model.readings.as_ref(),
        names: model
            .pronunciation
            .as_ref()
            .and_then(|p| p.dictionary.as_ref())
            .map(Dictionary::names),
        allowed,
    };
    Arc::new(Graph::new(graph_options, &options.hotwords, &context))
}

fn allowed_tokens(model: &Model, languages: &[Language]) -> Vec<bool> {
    let mut allowed = vec![false; model.tokens.len()];
    for language in languages {
        let language = match language {
            Language::Chinese => Languages::CHINESE,
            Language::English => Languages::ENGLISH,
            Language::Japanese => Languages::JAPANESE,
        };
        for (allowed, more) in allowed.iter_mut().zip(model.tokens.mask(language)) {
            *allowed |= more;
        }
    }
    allowed
}
