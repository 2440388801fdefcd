//! Words that nobody says: the rewriter must survive them, keep its promises, and not take longer than they are long.

mod common;

use common::words;
use ting_text::{Options, Word, WordFilter, join, rewrite};

/// A sequence of numbers that is the same in every run (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// What the rules look for, and what nobody expects.
const PIECES: &str = "零 一 二 两 三 五 九 十 百 千 万 亿 点 分 之 百分之 年 月 日 号 个 比 加 减 等于 到 至 负 第 几 多 公里 块 钱 半 \
    星期 周 嗯 呃 啊 那个 我 我们 的 えーと あの 円 時 三十六计 one two five ten twenty thirty hundred thousand million point and oh \
    first second third minus plus equals percent dollars cents p m a i to or half past march may nineteen eighties double um the \
    i'm o'clock twenty-five 25 3:30 $5 -1 * ** . ' \u{301} 𠮷 ß İ \u{200b} 🎤 ａ １ é";

fn random_words(numbers: &mut Numbers, length: usize) -> Vec<Word> {
    let pieces: Vec<&str> = PIECES.split_whitespace().collect();
    let marks = ["", "", "", "", "", "，", "。", "？", ",", "、", "…", "x"];
    let mut all = Vec::new();
    while all.len() < length {
        let piece = pieces[numbers.below(pieces.len())];
        for mut word in words(piece) {
            word.begin_ms = all.len() as u64 * 100;
            word.end_ms = word.begin_ms + 100;
            all.push(word);
        }
        if let Some(last) = all.last_mut() {
            last.punctuation = marks[numbers.below(marks.len())].to_owned();
        }
        if numbers.below(50) == 0 {
            // An empty word, and one of several characters.
            for text in ["", "二十五个"] {
                let begin_ms = all.len() as u64 * 100;
                all.push(Word {
                    begin_ms,
                    end_ms: begin_ms,
                    text: text.to_owned(),
                    punctuation: String::new(),
                });
            }
        }
    }
    all
}

#[test]
fn random_words_are_survived_in_order_and_once() {
    let filter = WordFilter::new(&["我", "twenty", "1", "一些"], &["um", "个", "2"]);
    let none = WordFilter::default();
    let mut numbers = Numbers(20_261_122);
    let mut failed = Vec::new();
    for round in 0..4000 {
        let length = numbers.below(30);
        let spoken = random_words(&mut numbers, length);
        let options = Options {
            inverse_text_normalization: round % 4 != 0,
            disfluency_removal: round % 2 == 0,
            filter: if round % 3 == 0 { &filter } else { &none },
        };
        let mut words = spoken.clone();
        rewrite(&mut words, &options);
        let ordered = words
            .windows(2)
            .all(|pair| pair[0].end_ms <= pair[1].begin_ms)
            && words.iter().all(|word| word.begin_ms <= word.end_ms);
        let once = words.clone();
        rewrite(&mut words, &options);
        // A filter may bring numbers together, or part them.
        let settled = words == once || !options.filter.is_empty();
        if !ordered || !settled {
            failed.push(format!(
                "{}\n    once  {}\n    twice {}",
                join(&spoken),
                join(&once),
                join(&words)
            ));
        }
    }
    assert!(
        failed.is_empty(),
        "{} failed\n{}",
        failed.len(),
        failed[..failed.len().min(20)].join("\n")
    );
}

/// Long runs of what makes rules look far ahead. What is not linear takes minutes here.
#[test]
fn long_runs_are_survived() {
    let filter = WordFilter::new(&["一到一到一"], &["twenty one"]);
    let options = Options {
        inverse_text_normalization: true,
        disfluency_removal: true,
        filter: &filter,
    };
    for piece in [
        "一",
        "一到",
        "三点",
        "一二",
        "十",
        "我",
        "我们我",
        "三加",
        "百分之",
        "零",
        "two ",
        "twenty ",
        "one to ",
        "five plus ",
        "oh ",
        "double ",
        "two thousand and ",
        "i ",
        "嗯",
        "那个",
    ] {
        let mut words = words(&piece.repeat(3000));
        rewrite(&mut words, &options);
        assert!(join(&words).len() <= 4 * piece.len() * 3000, "{piece}");
    }
}
