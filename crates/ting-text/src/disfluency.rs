//! Fillers and repeated function words.

use crate::Word;
use crate::removal::retain;
use crate::script::is_japanese;

/// Fillers wherever they stand.
const FILLERS: &[&str] = &[
    "嗯",
    "呃",
    "um",
    "umm",
    "uh",
    "uhh",
    "uhm",
    "er",
    "erm",
    "hmm",
    "hm",
    "mm",
    "えーっと",
    "えーと",
    "えっと",
    "ええと",
    "あのー",
    "あのう",
    "そのー",
    "うーん",
];

/// Fillers only where a clause begins with them and a mark or a pause follows: elsewhere they are particles or words.
const CLAUSE_FILLERS: &[&str] = &[
    "啊",
    "额",
    "哦",
    "噢",
    "诶",
    "哎",
    "那个",
    "这个",
    "就是说",
    "怎么说呢",
    "ah",
    "えー",
    "あー",
    "まあ",
];

/// A pause that ends a filler like a mark does, in ms.
const PAUSE_MS: u64 = 300;

/// Words that nobody repeats on purpose. Missing are `是`, `对`, `不`, `好` (`对对对` is an answer), `very`, `no`, and whatever makes
/// sense twice in a row (`had had`, `that that`, `what it is is`).
const REPEATED: &[&str] = &[
    "我们", "我們", "你们", "你們", "他们", "他們", "她们", "它们", "咱们", "因为", "因為", "所以",
    "但是", "然后", "然後", "就是", "如果", "这个", "這個", "那个", "那個", "而且", "可是", "或者",
    "还有", "这样", "這樣", "那样", "那樣", "我", "你", "他", "她", "它", "这", "這", "那", "就",
    "在", "被", "和", "跟", "但", "也", "i think", "i mean", "you know", "kind of", "sort of", "i",
    "i'm", "we", "they", "he", "she", "the", "a", "an", "of", "to", "and", "but", "my", "your",
    "his", "our", "their", "with", "for", "if", "because", "when", "and i", "of the", "in the",
    "to the", "on the", "at the", "for the", "and the",
];

/// Words in which one of [`REPEATED`] stands twice and means something.
const REDUPLICATED: &[&str] = &["实实在在", "和和美美", "和和气气", "你你我我"];

/// Words that end in one of [`REPEATED`], so that the next one is no repetition: `现在在家`.
const COMPOUNDS: &[&str] = &[
    "现在", "現在", "正在", "旨在", "存在", "实在", "好在", "内在", "外在", "所在", "潜在", "自在",
    "成就", "其他", "自我", "总和", "饱和", "温和", "暖和", "缓和", "脚跟",
];

/// Leaves out fillers and repetitions. A sentence of nothing else stays as it is: alone, `嗯` is an answer.
pub(crate) fn remove(words: &mut Vec<Word>) {
    let japanese = is_japanese(words);
    let lower: Vec<String> = words.iter().map(|word| word.text.to_lowercase()).collect();
    let sentence = Sentence {
        words,
        lower: &lower,
        japanese,
    };
    let mut keep = vec![true; words.len()];
    let mut at = 0;
    // Whether what stands at `at` begins a clause, once the fillers before it are gone.
    let mut begins = true;
    while at < words.len() {
        if let Some(length) = sentence.filler(at, begins) {
            keep[at..at + length].fill(false);
            at += length;
            // Its mark goes to the word before it, and so begins a clause.
            begins |= !words[at - 1].punctuation.is_empty();
            continue;
        }
        begins = !words[at].punctuation.is_empty();
        at += 1;
    }
    if !keep.contains(&true) {
        return;
    }
    retain(words, &keep);
    remove_repetitions(words);
}

struct Sentence<'a> {
    words: &'a [Word],
    lower: &'a [String],
    japanese: bool,
}

impl Sentence<'_> {
    /// How many words from `at` are a filler.
    fn filler(&self, at: usize, begins: bool) -> Option<usize> {
        let longest = |list: &[&str]| {
            list.iter()
                .filter_map(|filler| spelled(self.words, self.lower, at, filler))
                .max()
        };
        if let Some(length) = longest(FILLERS) {
            return Some(length);
        }
        let length = longest(CLAUSE_FILLERS).filter(|_| begins)?;
        let last = &self.words[at + length - 1];
        let next = self.words.get(at + length);
        let pause = next.is_some_and(|next| next.begin_ms.saturating_sub(last.end_ms) >= PAUSE_MS);
        // Without marks a determiner before a pause may still belong to its noun.
        let mark =
            !last.punctuation.is_empty() && !last.punctuation.contains(['！', '!', '？', '?']);
        let filler_after = next.is_some() && longest_at(self, at + length);
        // In Japanese marks are rare, but these sounds are no words.
        let sound = length == 1 || self.japanese;
        (mark || filler_after || (pause && sound)).then_some(length)
    }
}

/// Whether a filler of the first list stands at `at`.
fn longest_at(sentence: &Sentence<'_>, at: usize) -> bool {
    FILLERS
        .iter()
        .any(|filler| spelled(sentence.words, sentence.lower, at, filler).is_some())
}

/// How many words from `at` spell `text`, without a mark between them; `text` has spaces between words that are written so.
fn spelled(words: &[Word], lower: &[String], at: usize, text: &str) -> Option<usize> {
    let mut rest = text;
    let mut length = 0;
    loop {
        rest = rest.strip_prefix(lower.get(at + length)?.as_str())?;
        length += 1;
        if rest.is_empty() {
            return Some(length);
        }
        if !words[at + length - 1].punctuation.is_empty() {
            return None;
        }
        match rest.strip_prefix(' ') {
            Some(after) => rest = after,
            // The end of a spaced word is not the end of a part of it.
            None if rest.is_ascii() => return None,
            None => {}
        }
        if lower[at + length - 1].is_empty() {
            return None;
        }
    }
}

/// Leaves out each of [`REPEATED`] that is followed by itself; a comma between them is no obstacle.
fn remove_repetitions(words: &mut Vec<Word>) {
    // What goes may bring others together: 我们我我们.
    loop {
        let keep = without_repetitions(words);
        if keep.iter().all(|keep| *keep) {
            return;
        }
        // The comma between a word and its repetition goes with it.
        for (word, keep) in words.iter_mut().zip(&keep) {
            if !keep {
                word.punctuation.clear();
            }
        }
        retain(words, &keep);
    }
}

/// Which words are not followed by themselves.
fn without_repetitions(words: &[Word]) -> Vec<bool> {
    let lower: Vec<String> = words.iter().map(|word| word.text.to_lowercase()).collect();
    let at_start_of = |list: &[&str], at: usize| {
        list.iter()
            .find_map(|text| spelled(words, &lower, at, text))
    };
    let mut keep = vec![true; words.len()];
    let mut at = 0;
    while at < words.len() {
        if let Some(length) = at_start_of(REDUPLICATED, at) {
            at += length;
            continue;
        }
        if let Some(length) = at_start_of(COMPOUNDS, at) {
            // Its end is part of it; what follows may be repeated.
            at += length;
            continue;
        }
        let repeated = REPEATED
            .iter()
            .filter_map(|text| {
                let length = spelled(words, &lower, at, text)?;
                spelled(words, &lower, at + length, text)?;
                let mark = words[at + length - 1].punctuation.as_str();
                // 求我，我就给 is no repetition: what is repeated over a comma stands alone before it.
                let alone = at == 0 || !words[at - 1].punctuation.is_empty();
                (mark.is_empty() || (alone && matches!(mark, "，" | "、" | ","))).then_some(length)
            })
            .max();
        match repeated {
            Some(length) => {
                keep[at..at + length].fill(false);
                at += length;
            }
            None => at += 1,
        }
    }
    keep
}
