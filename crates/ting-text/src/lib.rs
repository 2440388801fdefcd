//! From spoken words to written text: what is recognised is what was said, what is shown is how one writes it.
//!
//! [`rewrite`] runs the stages over the words of one sentence, [`join`] gives its text. Stages, in this order:
//!
//! 1. disfluency removal (`嗯`, `um`, `我我我`), when asked for;
//! 2. inverse normalisation (`二十五` to `25`, `five dollars` to `$5`), unless switched off;
//! 3. the word filter, before the casing, so that the word after a removed one can begin the sentence;
//! 4. English case;
//! 5. the glyphs of marks (`，` or `,`).
//!
//! Words that become one (`二 十 五` to `25`) keep the begin of the first, the end of the last and the mark of the last.
//!
//! # Architecture invariants
//! - Knows nothing of tensors, audio, JSON or sockets.
//! - Every stage depends only on the words of this sentence and the options: the same words give the same text.
//! - Rewriting what was rewritten changes nothing, unless a filter took words out or hid them.
//! - The work grows linearly with the number of words, and no words make it panic.

mod casing;
mod disfluency;
mod filter;
mod itn;
mod join;
mod marks;
mod removal;
mod script;

pub use filter::WordFilter;
pub use join::join;

/// One Chinese or Japanese character, or one word of a language that writes spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Start in ms from the first sample of the task.
    pub begin_ms: u64,
    /// End in ms from the first sample of the task.
    pub end_ms: u64,
    /// The word without punctuation and without spaces.
    pub text: String,
    /// Punctuation directly after the word, or empty.
    pub punctuation: String,
}

/// How a word is written may depend on this many words after it: `三到五公里` is a range in figures because of the last two. What is further
/// away changes a word only in rare cases, such as digits said in a long row.
pub const LOOK_AHEAD: usize = 6;

/// What is to be done with the words of a sentence, beside their case and marks.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Write numbers, dates, times, money and the like in figures.
    pub inverse_text_normalization: bool,
    /// Leave out fillers and repeated function words.
    pub disfluency_removal: bool,
    /// Words to hide or to leave out.
    pub filter: &'a WordFilter,
}

/// Rewrites the words of one sentence, in place. None may be left: fillers alone stay, filtered words do not.
pub fn rewrite(words: &mut Vec<Word>, options: &Options<'_>) {
    if options.disfluency_removal {
        disfluency::remove(words);
    }
    if options.inverse_text_normalization {
        itn::apply(words);
    }
    options.filter.apply(words);
    casing::apply(words);
    marks::apply(words);
}
