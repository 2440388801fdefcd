//! What the terminal is told: a pure function of what is to be shown and how large it is.
//!
//! # Architecture invariants
//! - The cursor is left at the start of what may still change. A terminal keeps the cursor on its character when its
//!   size changes, whether it wraps lines anew or not, so that what may change is found again after any resize.
//! - No mode of the terminal is changed, so that nothing has to be put back, whatever ends the program.
//! - No control character of a text reaches the terminal: texts come from servers.

use unicode_width::UnicodeWidthChar;

/// What the size of a terminal is taken for that does not tell.
const USUAL: Size = Size {
    columns: 80,
    rows: 24,
};

/// To the start of the line, and away with it and all below.
pub(crate) const CLEAR: &str = "\r\x1b[J";

/// Before what is left out.
const LEFT_OUT: &str = "…";

/// The size of a terminal in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

impl Size {
    /// A terminal of `columns` and `rows`; of 0 where it does not tell.
    pub(crate) fn new(columns: usize, rows: usize) -> Self {
        let known = |value: usize, usual: usize| if value == 0 { usual } else { value };
        Self {
            columns: known(columns, USUAL.columns),
            rows: known(rows, USUAL.rows),
        }
    }
}

/// What is on the screen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Screen {
    /// What may still change; empty is nothing.
    live: String,
    /// Whether that is shown in a weaker colour.
    dim: bool,
}

impl Screen {
    /// An empty screen.
    pub(crate) fn new(dim: bool) -> Self {
        Self {
            live: String::new(),
            dim,
        }
    }

    /// Shows `text` in place of what may still change; an empty one is nothing. The bytes for the terminal.
    pub(crate) fn live(&mut self, text: &str, size: Size) -> String {
        self.live = plain(text);
        self.draw(size)
    }

    /// Forgets what may still change. It is taken away with whatever is shown next.
    pub(crate) fn clear(&mut self) {
        self.live.clear();
    }

    /// Shows again what may still change, such as after the terminal got another size.
    pub(crate) fn draw(&self, size: Size) -> String {
        // Not the last column: a cursor behind it is in different places on different terminals.
        let lines = match size.columns.saturating_sub(1) {
            // No Chinese character has room.
            0 | 1 => Vec::new(),
            columns => tail(wrap(&self.live, columns), size),
        };
        // What is there is written over, not cleared first, which would flicker.
        let mut out = "\r".to_owned();
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                out += "\r\n";
            }
            match self.dim {
                true => out += &format!("\x1b[2m{line}\x1b[22m\x1b[K"),
                false => out += &format!("{line}\x1b[K"),
            }
        }
        out += "\x1b[J\r";
        if lines.len() > 1 {
            out += &format!("\x1b[{}A", lines.len() - 1);
        }
        out
    }

    /// Lines that stay, above what may still change. The terminal wraps them, so that they can be copied whole.
    pub(crate) fn lines(&self, text: &str, size: Size) -> String {
        let lines: String = text
            .lines()
            .map(|line| format!("{}\n", plain(line)))
            .collect();
        let live = if self.live.is_empty() {
            String::new()
        } else {
            self.draw(size)
        };
        format!("{CLEAR}{}{live}", lines.replace('\n', "\r\n"))
    }
}

/// A text without anything that a terminal acts on.
fn plain(text: &str) -> String {
    let visible = |c: char| match c {
        c if c.is_control() => ' ',
        // They turn the direction of what follows.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => ' ',
        c => c,
    };
    text.trim().chars().map(visible).collect()
}

fn width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Cuts a text into lines of at most `columns`, at spaces where there are any, otherwise anywhere: Chinese and Japanese
/// have none.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for c in text.chars() {
        if used + width(c) > columns {
            let rest = match line.rfind(' ') {
                _ if c == ' ' => String::new(),
                // What is behind the space goes on with the next line, if it is one word of letters.
                Some(space) if !line[space..].chars().any(|c| width(c) > 1) && width(c) == 1 => {
                    let rest = line[space + 1..].to_owned();
                    line.truncate(space);
                    rest
                }
                _ => String::new(),
            };
            lines.push(std::mem::replace(&mut line, rest));
            used = line.chars().map(width).sum();
        }
        if c == ' ' && line.is_empty() && !lines.is_empty() {
            continue;
        }
        line.push(c);
        used += width(c);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// As many of the last lines as have room, with a line left for the cursor of what follows.
fn tail(mut lines: Vec<String>, size: Size) -> Vec<String> {
    let most = size.rows.saturating_sub(1).max(1);
    if lines.len() <= most {
        return lines;
    }
    let mut lines = lines.split_off(lines.len() - most);
    if let Some(first) = lines.first_mut() {
        // In place of at least one column.
        let mut rest = first.chars();
        let mut gone = 0;
        while gone < 1 {
            match rest.next() {
                Some(c) => gone += width(c),
                None => break,
            }
        }
        *first = format!("{LEFT_OUT}{}", rest.as_str());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::emulator::Terminal;
    use super::{Screen, Size, plain, tail, wrap};

    #[test]
    fn lines_are_cut_where_one_would() {
        let cases: [(&str, usize, &[&str]); 10] = [
            ("", 10, &[]),
            ("hello world", 11, &["hello world"]),
            ("hello world", 10, &["hello", "world"]),
            ("hello  world again", 6, &["hello ", "world", "again"]),
            ("incomprehensible", 6, &["incomp", "rehens", "ible"]),
            ("天气很好", 4, &["天气", "很好"]),
            ("天气很好", 5, &["天气", "很好"]),
            ("a天气很好", 5, &["a天气", "很好"]),
            ("我用 Rust 写", 8, &["我用", "Rust 写"]),
            ("e\u{301}e\u{301}e", 2, &["e\u{301}e\u{301}", "e"]),
        ];
        let mut failed = Vec::new();
        for (text, columns, expected) in cases {
            let got = wrap(text, columns);
            if got != expected {
                failed.push((text, columns, got));
            }
        }
        assert!(failed.is_empty(), "{failed:#?}");
    }

    #[test]
    fn the_end_of_what_is_too_long_is_shown() {
        let lines = |text: &[&str]| {
            text.iter()
                .map(|line| (*line).to_owned())
                .collect::<Vec<_>>()
        };
        let size = Size::new(10, 3);
        assert_eq!(tail(lines(&["a", "b"]), size), ["a", "b"]);
        assert_eq!(tail(lines(&["ab", "cd", "ef"]), size), ["…d", "ef"]);
        assert_eq!(tail(lines(&["ab", "天气", "ef"]), size), ["…气", "ef"]);
        assert_eq!(tail(lines(&["ab", "cd"]), Size::new(10, 1)), ["…d"]);
    }

    #[test]
    fn a_server_cannot_steer_the_terminal() {
        assert_eq!(plain(" a\x1b[2Jb\r\nc\u{9b}d\u{202e}e\t"), "a [2Jb  c d e");
        let mut screen = Screen::new(false);
        let size = Size::new(20, 4);
        for bytes in [
            screen.live("\x1b]0;x\x07", size),
            screen.lines("\x1b[31m", size),
        ] {
            assert!(
                !bytes.contains("\x1b]") && !bytes.contains("[31m\x1b"),
                "{bytes:?}"
            );
            assert!(!bytes.contains('\x07'));
        }
    }

    #[test]
    fn partials_are_rewritten_and_finals_stay() {
        let size = Size::new(12, 6);
        let mut terminal = Terminal::new(size.columns, size.rows);
        let mut screen = Screen::new(true);
        terminal.write("$ ting listen\r\n");
        let mut show = |what: &str, expected: &[&str]| {
            terminal.write(what);
            assert_eq!(terminal.text(), expected);
        };
        show(&screen.live("今天", size), &["$ ting liste", "n", "今天"]);
        show(
            &screen.live("今天天气很好", size),
            &["$ ting liste", "n", "今天天气很", "好"],
        );
        show(&screen.live("今", size), &["$ ting liste", "n", "今"]);
        show(
            &screen.lines("今天天气很好。", size),
            &["$ ting liste", "n", "今天天气很好", "。", "今"],
        );
        show(
            &screen.live("", size),
            &["$ ting liste", "n", "今天天气很好", "。"],
        );
        show(
            &screen.live("one two three four", size),
            &[
                "$ ting liste",
                "n",
                "今天天气很好",
                "。",
                "one two",
                "three four",
            ],
        );
        // There is no more room: what was there scrolls up.
        show(
            &screen.live("one two three four five", size),
            &["n", "今天天气很好", "。", "one two", "three four", "five"],
        );
        show(
            &screen.live("1 2", size),
            &["n", "今天天气很好", "。", "1 2"],
        );
        show(&screen.live("", size), &["n", "今天天气很好", "。"]);
    }

    #[test]
    fn nothing_but_the_partial_changes_when_the_size_does() {
        for wraps in [true, false] {
            for columns in [5, 9, 16, 40] {
                let mut size = Size::new(20, 10);
                let mut terminal = Terminal::new(size.columns, size.rows);
                let mut screen = Screen::new(false);
                terminal.write(&screen.lines("first\nsecond", size));
                terminal.write(&screen.live("a partial that takes two lines", size));
                terminal.resize(columns, wraps);
                size.columns = columns;
                terminal.write(&screen.draw(size));
                terminal.write(&screen.live("new", size));
                // Some may have scrolled out.
                assert_eq!(
                    terminal.everything(),
                    if columns == 5 && wraps {
                        vec!["first", "secon", "d", "new"]
                    } else if columns == 5 {
                        vec!["first", "secon", "new"]
                    } else {
                        vec!["first", "second", "new"]
                    },
                    "{columns} {wraps}"
                );
            }
        }
    }

    #[test]
    fn any_text_at_any_size_leaves_what_is_above() {
        let pieces = [
            "今天", "hello ", "e\u{301}", " ", "。", "a", "ｱ", "👍", "\u{200b}",
        ];
        let mut state = 1u32;
        let mut next = move |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize % below
        };
        for _ in 0..300 {
            let size = Size::new(1 + next(20), 2 + next(6));
            let mut terminal = Terminal::new(size.columns, size.rows);
            let mut screen = Screen::new(false);
            terminal.write(&screen.lines("#", size));
            for _ in 0..6 {
                let text: String = (0..next(30)).map(|_| pieces[next(pieces.len())]).collect();
                terminal.write(&screen.live(&text, size));
                assert_eq!(terminal.cursor().0, 0, "{text:?} {size:?}");
            }
            terminal.write(&screen.live("", size));
            assert_eq!(terminal.everything(), ["#"], "{size:?}");
        }
    }
}
