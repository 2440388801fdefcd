//! Markdown tables that line up in a terminal too.

use unicode_width::UnicodeWidthStr;

/// A table as Markdown, its columns padded to equal width: the first column flush left, the others flush right.
/// Rows may be shorter than the header.
pub(crate) fn markdown(header: &[&str], rows: &[Vec<String>]) -> String {
    let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells = rows.iter().map(|row| cell(row, column).width());
            cells.chain([header[column].width(), 3]).max().unwrap_or(3)
        })
        .collect();
    let line = |cells: Vec<String>| {
        let mut line = String::from("|");
        for (column, cell) in cells.iter().enumerate() {
            let padding = " ".repeat(widths[column].saturating_sub(cell.width()));
            line += &match column {
                0 => format!(" {cell}{padding} |"),
                _ => format!(" {padding}{cell} |"),
            };
        }
        line + "\n"
    };
    let mut table = line(header.iter().map(|name| (*name).to_owned()).collect());
    table += "|";
    for (column, width) in widths.iter().enumerate() {
        table += &match column {
            0 => format!("{}|", "-".repeat(width + 2)),
            _ => format!("{}:|", "-".repeat(width + 1)),
        };
    }
    table += "\n";
    for row in rows {
        table += &line((0..header.len()).map(|column| cell(row, column)).collect());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn columns_line_up_by_display_width() {
        let rows = vec![
            vec!["中文".to_owned(), "1".to_owned()],
            vec!["en".to_owned(), "1234".into()],
        ];
        assert_eq!(
            markdown(&["what", "n"], &rows),
            "| what |    n |\n|------|-----:|\n| 中文 |    1 |\n| en   | 1234 |\n"
        );
    }

    #[test]
    fn short_rows_are_filled() {
        assert_eq!(
            markdown(&["a", "b"], &[vec![]]),
            "| a   |   b |\n|-----|----:|\n|     |     |\n"
        );
    }
}
