//! As much of a terminal as tests need: what is on it after bytes were written.

use unicode_width::UnicodeWidthChar;

/// A row of cells. A wide character is in the first of its two; the second is empty.
#[derive(Clone, Default)]
struct Row {
    cells: Vec<String>,
    /// Whether the text goes on in the next row, because it did not fit.
    wrapped: bool,
}

/// A terminal that scrolls, and remembers what scrolled out.
pub(crate) struct Terminal {
    columns: usize,
    height: usize,
    rows: Vec<Row>,
    /// Column and row, from the first row ever.
    x: usize,
    y: usize,
    /// The first row on the screen.
    top: usize,
}

impl Terminal {
    pub(crate) fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            height: rows,
            rows: vec![Row::default()],
            x: 0,
            y: 0,
            top: 0,
        }
    }

    /// Column and row of the cursor on the screen.
    pub(crate) fn cursor(&self) -> (usize, usize) {
        (self.x, self.y - self.top)
    }

    /// The rows on the screen, without spaces at their ends and empty rows at the end.
    pub(crate) fn text(&self) -> Vec<String> {
        text_of(&self.rows[self.top..])
    }

    /// The same with all that scrolled out.
    pub(crate) fn everything(&self) -> Vec<String> {
        text_of(&self.rows)
    }

    pub(crate) fn write(&mut self, text: &str) {
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '\r' => self.x = 0,
                '\n' => self.line_feed(false),
                '\x1b' => {
                    assert_eq!(chars.next(), Some('['), "{text:?}");
                    let mut number = String::new();
                    let end = loop {
                        match chars.next() {
                            Some(c) if c.is_ascii_digit() || c == ';' => number.push(c),
                            other => break other,
                        }
                    };
                    self.control(end, &number);
                }
                c => {
                    assert!(!c.is_control(), "{c:?} in {text:?}");
                    self.put(c);
                }
            }
        }
    }

    fn control(&mut self, end: Option<char>, number: &str) {
        match end {
            // Real ones stop at the first row of the screen.
            Some('A') => {
                let up = number.parse().unwrap_or(1);
                assert!(up <= self.y - self.top, "above the screen");
                self.y -= up;
            }
            Some('J') => {
                self.rows.truncate(self.y + 1);
                self.clear_rest();
            }
            Some('K') => self.clear_rest(),
            Some('m') => {}
            other => panic!("unknown control {other:?}"),
        }
    }

    fn clear_rest(&mut self) {
        let row = &mut self.rows[self.y];
        row.cells.truncate(self.x);
        row.wrapped = false;
    }

    fn line_feed(&mut self, wrapped: bool) {
        self.rows[self.y].wrapped = wrapped;
        self.y += 1;
        if self.y == self.rows.len() {
            self.rows.push(Row::default());
        }
        self.top = self.top.max((self.y + 1).saturating_sub(self.height));
    }

    fn put(&mut self, c: char) {
        let width = c.width().unwrap_or(0);
        if width == 0 {
            let before = self.x.checked_sub(1);
            if let Some(cell) = before.and_then(|x| self.rows[self.y].cells.get_mut(x)) {
                cell.push(c);
            }
            return;
        }
        if self.x + width > self.columns {
            self.x = 0;
            self.line_feed(true);
        }
        let cells = &mut self.rows[self.y].cells;
        while cells.len() < self.x + width {
            cells.push(" ".to_owned());
        }
        cells[self.x] = c.to_string();
        for cell in &mut cells[self.x + 1..self.x + width] {
            cell.clear();
        }
        self.x += width;
    }

    /// Another width. `wraps` anew, as most terminals do, or cuts rows off, as xterm does.
    pub(crate) fn resize(&mut self, columns: usize, wraps: bool) {
        self.columns = columns;
        if !wraps {
            for row in &mut self.rows {
                row.cells.truncate(columns);
            }
            self.x = self.x.min(columns - 1);
            return;
        }
        let old = std::mem::take(&mut self.rows);
        let cursor_row = self.y;
        let mut cursor = None;
        let mut line = Vec::new();
        for (y, row) in old.into_iter().enumerate() {
            if y == cursor_row {
                cursor = Some(line.len() + self.x);
            }
            line.extend(row.cells);
            if row.wrapped {
                continue;
            }
            let first = self.rows.len();
            let mut pieces: Vec<Row> = line
                .chunks(columns)
                .map(|cells| Row {
                    cells: cells.to_vec(),
                    wrapped: true,
                })
                .collect();
            if pieces.is_empty() {
                pieces.push(Row::default());
            }
            if let Some(last) = pieces.last_mut() {
                last.wrapped = false;
            }
            self.rows.extend(pieces);
            line.clear();
            if let Some(at) = cursor.take() {
                self.x = at % columns;
                self.y = (first + at / columns).min(self.rows.len() - 1);
            }
        }
        self.top = self.rows.len().saturating_sub(self.height).min(self.y);
    }
}

fn text_of(rows: &[Row]) -> Vec<String> {
    let mut text: Vec<String> = rows
        .iter()
        .map(|row| row.cells.concat().trim_end().to_owned())
        .collect();
    while text.last().is_some_and(String::is_empty) {
        text.pop();
    }
    text
}
