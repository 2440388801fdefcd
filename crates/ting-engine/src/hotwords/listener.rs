//! Where in the audio a hotword may have been said, by its sounds.

use std::collections::hash_map::Entry;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::letters::{Letters, Step};

/// ln P of what is heard as a word is at least minus this for each of its sounds. That other sounds are no likelier is not enough: where the network
/// is unsure of everything, anything fits.
const LEAST_LN_P: f32 = 1.0;
/// What a beginning of a word may lack beside that.
const SLACK: f32 = 4.0;
/// Sounds of a word at least, and for each of its letters: what is shorter is heard everywhere, as most letters may be silent.
const LEAST_SOUNDS: u16 = 4;
const LEAST_PER_LETTER: f32 = 0.62;
/// No sound is less likely than this in a row.
const LEAST: f32 = 1e-4;
const BLANK: u16 = 0;

/// A hotword that may have been said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Occurrence {
    /// Its place in `Graph::words`.
    pub(crate) word: usize,
    /// From the row of its first sound to that of its last.
    pub(crate) rows: Range<usize>,
    /// ln P of its sounds there, less that of the likeliest sounds of all.
    pub(crate) fit: f32,
}

/// Where a path stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    node: u32,
    /// The last sound.
    last: u16,
    /// Whether a blank follows it.
    blank: bool,
}

#[derive(Clone, Copy)]
struct Path {
    place: Place,
    /// The row of the first sound.
    from: u32,
    sounds: u16,
    /// ln P, less that of the likeliest sounds of all.
    fit: f32,
    ln_p: f32,
}

/// The words of `list` that may be heard in `heard` (`[rows][sounds]`, probabilities), each where it fits best among places that overlap.
pub(crate) fn listen(list: &Letters, heard: &[f32], sounds: usize) -> Vec<Occurrence> {
    let mut found: Vec<Occurrence> = Vec::new();
    let mut paths: Vec<Path> = Vec::new();
    let mut next = Next::default();
    if list.first.is_empty() {
        return found;
    }
    for (t, row) in heard.chunks_exact(sounds).enumerate() {
        let likeliest = row.iter().copied().fold(LEAST, f32::max).ln();
        let fit = |sound: u16| row[usize::from(sound)].max(LEAST).ln() - likeliest;
        let mut go = |path: Path, steps: &[Step], next: &mut Next| {
            let Place { last, blank, .. } = path.place;
            // The same sound twice needs a blank between.
            for step in steps.iter().filter(|step| blank || step.sound != last) {
                let mut on = path.at(
                    step.node,
                    step.sound,
                    false,
                    fit(step.sound) - step.cost,
                    likeliest,
                );
                on.sounds += 1;
                if !next.put(on) {
                    continue;
                }
                let end = list.ends[step.node as usize];
                if let Some(end) = end.filter(|end| on.is_enough(end.letters)) {
                    let occurrence = Occurrence {
                        word: end.word,
                        rows: on.from as usize..t,
                        fit: on.fit,
                    };
                    note(&mut found, occurrence);
                }
            }
        };
        for path in &paths {
            let Place { node, last, blank } = path.place;
            next.put(path.at(node, last, true, fit(BLANK), likeliest));
            if !blank {
                next.put(path.at(node, last, false, fit(last), likeliest));
            }
            go(*path, &list.next[node as usize], &mut next);
        }
        // Words begin in every row.
        let start = Path {
            place: Place {
                node: 0,
                last: BLANK,
                blank: true,
            },
            from: t as u32,
            sounds: 0,
            fit: 0.0,
            ln_p: 0.0,
        };
        for (sound, steps) in &list.first {
            if fit(*sound) >= -LEAST_LN_P - SLACK {
                go(start, steps, &mut next);
            }
        }
        paths = next.take();
    }
    found
}

impl Path {
    /// Whether a word of so many `letters` that ends here may have been said.
    fn is_enough(&self, letters: usize) -> bool {
        let sounds = f32::from(self.sounds);
        self.sounds >= LEAST_SOUNDS
            && sounds >= LEAST_PER_LETTER * letters as f32
            && self.ln_p >= -LEAST_LN_P * sounds
    }

    fn at(self, node: u32, last: u16, blank: bool, fit: f32, likeliest: f32) -> Self {
        Self {
            place: Place { node, last, blank },
            fit: self.fit + fit,
            ln_p: self.ln_p + fit + likeliest,
            ..self
        }
    }
}

/// Keeps the better of two that overlap.
fn note(found: &mut Vec<Occurrence>, new: Occurrence) {
    let overlaps = |old: &&mut Occurrence| old.word == new.word && old.rows.end > new.rows.start;
    match found.iter_mut().rev().find(overlaps) {
        Some(old) if old.fit < new.fit => *old = new,
        Some(_) => {}
        None => found.push(new),
    }
}

/// The paths of the next row.
#[derive(Default)]
struct Next {
    all: Vec<Path>,
    at: FxHashMap<Place, usize>,
}

impl Next {
    /// Whether it is kept.
    fn put(&mut self, path: Path) -> bool {
        if path.fit < -LEAST_LN_P * f32::from(path.sounds) - SLACK {
            return false;
        }
        match self.at.entry(path.place) {
            Entry::Vacant(entry) => {
                entry.insert(self.all.len());
                self.all.push(path);
            }
            Entry::Occupied(entry) => {
                let old = &mut self.all[*entry.get()];
                if path.fit <= old.fit {
                    return false;
                }
                *old = path;
            }
        }
        true
    }

    fn take(&mut self) -> Vec<Path> {
        self.at.clear();
        std::mem::take(&mut self.all)
    }
}

#[cfg(test)]
mod tests {
    use ting_models::{Lexicon, Tokens};

    use super::*;
    use crate::api::{Hotword, Language};
    use crate::hotwords::{Graph, GraphOptions};

    const TOKENS: &str = "<blank>\n▁\ten\n▁ko\ten\nk\ten\no\ten\nt\ten\na\ten\ntt\ten\n好\tzh";
    const SOUNDS: [&str; 7] = ["<blank>", "k", "o", "oʊ", "t", "æ", "hao3"];
    /// `ko` is said as one sound or as two, `tt` like `t`, the o of `toka` is silent or not; `takot` is a word.
    const LEXICON: &str =
        "▁\t\n▁ko\tk oʊ|k o\nk\tk\no\to|oʊ|\nt\tt\na\tæ\ntt\tt\n▁takot▁\tt æ t k o\n好\thao3";

    fn listened(words: &[(&str, Option<Language>)], rows: &[[f32; 7]]) -> Vec<Occurrence> {
        let tokens = Tokens::parse(TOKENS).unwrap();
        let lexicon = Lexicon::parse(LEXICON, &SOUNDS.join("\n"), &tokens).unwrap();
        let options = GraphOptions {
            tokens: &tokens,
            readings: None,
            names: None,
            allowed: None,
        };
        let hotword = |(text, language): &(&str, Option<Language>)| Hotword {
            text: (*text).to_owned(),
            weight: 4,
            language: *language,
        };
        let list: Vec<Hotword> = words.iter().map(hotword).collect();
        let graph = Graph::new(options, &list, &[]);
        let heard: Vec<f32> = rows.iter().flatten().copied().collect();
        listen(graph.letters(&tokens, &lexicon), &heard, SOUNDS.len())
    }

    /// A row for each of the sounds `said` (`-` is the blank), each of which has the probability `p`.
    fn rows(said: &str, p: f32) -> Vec<[f32; 7]> {
        let row = |sound: &str| {
            let sound = if sound == "-" { "<blank>" } else { sound };
            let at = SOUNDS.iter().position(|s| *s == sound).unwrap();
            let mut row = [(1.0 - p) / 6.0; 7];
            row[at] = p;
            row
        };
        said.split(' ').map(row).collect()
    }

    #[test]
    fn words_are_heard_however_their_tokens_may_be_said() {
        struct Case {
            word: &'static str,
            said: &'static str,
            /// The rows of its sounds.
            want: Option<Range<usize>>,
        }
        let case = |word, said, want| Case { word, said, want };
        let cases = [
            case("kotta", "- k k oʊ - t æ -", Some(1..6)),
            // A later pronunciation.
            case("kotta", "- k o - t æ -", Some(1..5)),
            case("kotta", "- t o - k æ -", None),
            // The same sound twice needs a blank between.
            case("kottt", "k oʊ t t t t -", None),
            case("kottt", "k oʊ t - t -", Some(0..4)),
            // As the lexicon says, and not as its letters would sound.
            case("takot", "t æ t k o", Some(0..4)),
            case("takot", "t æ k o t", None),
            // Too few sounds.
            case("kot", "k oʊ t - -", None),
            // Too few for so many letters.
            case("kotttotttotttot", "k o t - t -", None),
            // In the middle of something else, and twice.
            case("kotta", "æ t k oʊ t æ k t", Some(2..5)),
        ];
        let mut failed = Vec::new();
        for Case { word, said, want } in cases {
            let found = listened(&[(word, None)], &rows(said, 0.94));
            let got = found.first().map(|occurrence| occurrence.rows.clone());
            if got != want || found.len() > 1 {
                failed.push(format!("{word} in {said}: {found:?}, not {want:?}"));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
        let twice = "k oʊ t æ - - k oʊ t æ";
        let found = listened(&[("kotta", None), ("takot", None)], &rows(twice, 0.94));
        let found: Vec<(usize, Range<usize>)> =
            found.into_iter().map(|o| (o.word, o.rows)).collect();
        assert_eq!(found, [(0, 0..3), (0, 6..9)]);
    }

    #[test]
    fn nothing_is_heard_where_the_network_is_unsure() {
        let said = "k oʊ t æ";
        let heard = |p| listened(&[("kotta", None)], &rows(said, p));
        assert_eq!(heard(0.6).len(), 1);
        assert!(heard(0.6)[0].fit.abs() < 1e-6);
        // They are the likeliest sounds all the same.
        assert_eq!(heard(0.3), []);
    }

    #[test]
    fn words_of_other_languages_are_not_listened_to() {
        let said = rows("k oʊ t æ", 0.94);
        for (language, want) in [
            (Some(Language::English), 1),
            (Some(Language::Chinese), 0),
            (Some(Language::Japanese), 0),
        ] {
            assert_eq!(
                listened(&[("kotta", language)], &said).len(),
                want,
                "{language:?}"
            );
        }
        assert_eq!(
            listened(&[("好", None)], &rows("hao3 hao3 - hao3", 0.94)),
            []
        );
    }
}
