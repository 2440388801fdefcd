//! The one normalisation that both sides of a comparison go through before errors are counted.

use unicode_normalization::UnicodeNormalization;

/// Text as it is scored. In order:
///
/// 1. Unicode NFKC: full-width letters and digits become ASCII, half-width kana full-width, `①` `1`.
/// 2. Lower case.
/// 3. Everything but letters, digits and combining marks becomes a space: punctuation, symbols (`%`, `+`),
///    emoji. Kept are an apostrophe between two letters (`we'll` is not `well`; `’` and `` ` `` count as
///    apostrophes) and a full stop between two digits (`3.5` is not `35`). A comma between two digits goes
///    without a trace (`1,000` is `1000`).
/// 4. Spaces next to a Chinese or Japanese character go, other runs of spaces become one.
///
/// Not done, on purpose: digits stay digits (`3` is not `three`), traditional and simplified characters stay
/// different, hiragana and katakana stay different, contractions and spelling variants are not unified. A
/// recogniser that writes another form than the reference is charged for it.
pub(crate) fn normalize(text: &str) -> String {
    let folded: Vec<char> = text
        .nfkc()
        .flat_map(char::to_lowercase)
        .map(|c| {
            if matches!(c, '\u{2019}' | '\u{2018}' | '`') {
                '\''
            } else {
                c
            }
        })
        .collect();

    let mut out = String::with_capacity(text.len());
    let mut pending_space = false;
    for (i, &c) in folded.iter().enumerate() {
        let before = if i > 0 {
            folded.get(i - 1).copied()
        } else {
            None
        };
        let after = folded.get(i + 1).copied();
        let between = |test: fn(char) -> bool| before.is_some_and(test) && after.is_some_and(test);
        let keep = c.is_alphanumeric()
            || is_combining_mark(c)
            || (c == '\'' && between(is_spaced_letter))
            || (c == '.' && between(|c| c.is_numeric()));
        if keep {
            if pending_space && !is_cjk(c) && out.chars().next_back().is_some_and(|l| !is_cjk(l)) {
                out.push(' ');
            }
            pending_space = false;
            out.push(c);
        } else if !(c == ',' && between(|c| c.is_numeric())) {
            pending_space = true;
        }
    }
    out
}

/// Whether `c` is written without spaces around it: Han, kana, and the marks used among them.
pub(crate) fn is_cjk(c: char) -> bool {
    is_han(c) || is_kana(c)
}

/// Whether `c` is a Han character, or one of the letters used only among them (`々`, `〇`, bopomofo).
pub(crate) fn is_han(c: char) -> bool {
    matches!(c,
        '\u{3005}'..='\u{3007}'
        | '\u{3100}'..='\u{312f}'
        | '\u{31a0}'..='\u{31bf}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Whether `c` is hiragana or katakana, of any width, or the prolonged sound mark.
pub(crate) fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}')
}

fn is_spaced_letter(c: char) -> bool {
    c.is_alphabetic() && !is_cjk(c)
}

fn is_combining_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[test]
    fn published_cases() {
        let cases = [
            // (text, as scored, why)
            ("", "", "empty"),
            ("  \t\n ", "", "only spaces"),
            ("。？！", "", "only punctuation"),
            ("Hello,  World!", "hello world", "case, punctuation, spaces"),
            (
                "Ｈｅｌｌｏ　１２３",
                "hello 123",
                "full-width letters, digits and space",
            ),
            ("ﾃﾞｰﾀ", "データ", "half-width kana, with its mark"),
            ("好，我知道了。", "好我知道了", "chinese punctuation"),
            ("你 好 吗", "你好吗", "spaces between characters"),
            ("我用 Python 写", "我用python写", "spaces between scripts"),
            ("我用Python，写", "我用python写", "the same without spaces"),
            ("don't", "don't", "apostrophe in a word"),
            ("don’t", "don't", "curly apostrophe"),
            (
                "'tis the dogs' bowl",
                "tis the dogs bowl",
                "apostrophe at the edge of a word",
            ),
            ("well-known", "well known", "hyphen"),
            ("wait… what?", "wait what", "ellipsis"),
            ("a.b.c", "a b c", "full stops between letters"),
            ("3.5 metres.", "3.5 metres", "decimal point"),
            ("1,000,000", "1000000", "digit groups"),
            ("１，０００円", "1000円", "full-width digit groups"),
            ("3", "3", "digits stay digits"),
            ("50%", "50", "symbols go"),
            (
                "コンピューター・サイエンス",
                "コンピューターサイエンス",
                "middle dot, prolonged sound",
            ),
            ("〜丁目", "丁目", "wave dash"),
            ("佐々木さん", "佐々木さん", "iteration mark"),
            ("二〇二五年", "二〇二五年", "ideographic zero"),
            ("體育", "體育", "traditional stays traditional"),
            ("CAFÉ", "café", "accents"),
            ("cafe\u{301}", "café", "accents, decomposed"),
            ("\u{feff}hi\u{200b}", "hi", "invisible characters"),
            ("𠮷野家", "𠮷野家", "beyond the basic plane"),
            ("İ", "i\u{307}", "lower case of two characters"),
        ];
        let failed: Vec<_> = cases
            .iter()
            .filter(|(text, expected, _)| normalize(text) != *expected)
            .map(|(text, expected, why)| (why, text, normalize(text), expected))
            .collect();
        assert!(failed.is_empty(), "(why, text, got, expected): {failed:#?}");
    }

    #[test]
    fn a_second_pass_changes_nothing() {
        for text in [
            "Hello,  World!",
            "我用 Python，写 3.5 行。",
            "don’t—stop",
            "ﾃﾞｰﾀ １，０００",
            "İ",
        ] {
            let once = normalize(text);
            assert_eq!(normalize(&once), once, "{text:?}");
        }
    }
}
