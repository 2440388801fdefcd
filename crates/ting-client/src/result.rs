//! What a recognition gives.

use serde_json::Value;
use ting_protocol::{Sentence, Usage};

use crate::frame::ResultFrame;

/// A result: one sentence so far in a stream and in a callback, all the finals in what `call` returns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecognitionResult {
    request_id: String,
    sentences: Vec<Sentence>,
    is_sentence_end: bool,
    usage: Option<Usage>,
    outputs: Vec<Value>,
    usages: Vec<Value>,
    texts: Vec<String>,
}

/// What is lent where there is nothing.
static NULL: Value = Value::Null;

impl RecognitionResult {
    /// The result of one event of the task `request_id`.
    pub(crate) fn of(request_id: &str, frame: ResultFrame) -> Self {
        Self {
            request_id: request_id.to_owned(),
            sentences: vec![frame.sentence],
            is_sentence_end: frame.is_final,
            usage: frame.usage,
            outputs: vec![frame.output],
            usages: vec![frame.usage_json],
            texts: vec![frame.text],
        }
    }

    /// The result of a call, before anything came.
    pub(crate) fn of_call(request_id: &str) -> Self {
        Self {
            request_id: request_id.to_owned(),
            ..Self::default()
        }
    }

    /// Puts a final of the same task behind the ones that are there.
    pub(crate) fn push(&mut self, result: Self) {
        self.sentences.extend(result.sentences);
        self.outputs.extend(result.outputs);
        self.usages.extend(result.usages);
        self.texts.extend(result.texts);
        self.usage = result.usage.or(self.usage);
        self.is_sentence_end = true;
    }

    /// The sentence: of a callback or a stream the one it is about, of a call the last one. `None` when a call found nothing.
    pub fn sentence(&self) -> Option<&Sentence> {
        self.sentences.last()
    }

    /// All sentences: of a call its finals, in order; of a callback or a stream the one.
    pub fn sentences(&self) -> &[Sentence] {
        &self.sentences
    }

    /// The text of all sentences, one after the other, with a space where two of them would run into one word.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for sentence in &self.sentences {
            let (before, after) = (text.chars().next_back(), sentence.text.chars().next());
            if let (Some(before), Some(after)) = (before, after)
                && before.is_ascii()
                && after.is_ascii()
                && !before.is_whitespace()
                && !after.is_whitespace()
            {
                text.push(' ');
            }
            text.push_str(&sentence.text);
        }
        text
    }

    /// Whether [`sentence`](Self::sentence) is final. A server says so by `sentence_end`, or by an `end_time` that is not null.
    pub fn is_sentence_end(&self) -> bool {
        self.is_sentence_end
    }

    /// The task's id, as in the server's logs.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The seconds of audio billed for the task so far. Servers tell it with finals only.
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// `payload.output` of the event as it came, with what this version does not know; of a call that of its last final.
    pub fn output_json(&self) -> &Value {
        self.outputs.last().unwrap_or(&NULL)
    }

    /// `payload.usage` of the event as it came, `null` where it was missing; of a call that of its last final.
    pub fn usage_json(&self) -> &Value {
        self.usages.last().unwrap_or(&NULL)
    }

    /// The event as it came, letter by letter: where the order of fields and the digits of numbers matter. Of a call that of its last
    /// final; empty if there was none.
    pub fn event_text(&self) -> &str {
        self.texts.last().map_or("", String::as_str)
    }

    /// [`output_json`](Self::output_json) of every sentence of [`sentences`](Self::sentences).
    pub fn outputs_json(&self) -> &[Value] {
        &self.outputs
    }

    /// [`usage_json`](Self::usage_json) of every sentence of [`sentences`](Self::sentences).
    pub fn usages_json(&self) -> &[Value] {
        &self.usages
    }
}
