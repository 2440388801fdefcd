//! Taking words out of a sentence.

use crate::Word;
use crate::marks::stronger;

/// Keeps the words that `keep` has true for. The mark of a removed word goes to the word before it, unless that has one
/// that counts as much; a mark at the start of the sentence goes.
pub(crate) fn retain(words: &mut Vec<Word>, keep: &[bool]) {
    if keep.iter().all(|keep| *keep) {
        return;
    }
    let mut kept: Vec<Word> = Vec::with_capacity(words.len());
    for (word, keep) in words.drain(..).zip(keep) {
        if *keep {
            kept.push(word);
        } else if let Some(last) = kept.last_mut()
            && stronger(&last.punctuation, &word.punctuation)
        {
            last.punctuation = word.punctuation;
        }
    }
    *words = kept;
}
