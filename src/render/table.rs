//! Tables in a text part: their cells stand under each other, in every mail by itself, since values decide how wide they
//! are. Chinese characters take two columns.

use unicode_width::UnicodeWidthStr as _;

/// Stands behind each cell until the mail is rendered: a character that no text has.
pub(super) const CELL_END: char = '\u{e003}';
/// Columns between two cells.
const GAP: usize = 2;
/// A table that is wider than this is not aligned: mail programs would break its lines.
const WIDTH_MAX: usize = 78;

/// The text with the cells of its tables under each other.
pub(super) fn align(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut rows: Vec<(Vec<&str>, &str)> = Vec::new();
    for piece in text.split_inclusive('\n') {
        let line = piece.trim_end_matches(['\r', '\n']);
        let (line, end) = piece.split_at(line.len());
        if line.contains(CELL_END) {
            rows.push((line.split(CELL_END).map(str::trim).collect(), end));
        } else {
            write(&mut rows, &mut out);
            out.push_str(piece);
        }
    }
    write(&mut rows, &mut out);
    out
}

/// Writes the rows of a table, and forgets them.
fn write(rows: &mut Vec<(Vec<&str>, &str)>, out: &mut String) {
    let columns = rows.iter().map(|(cells, _)| cells.len()).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|(cells, _)| cells.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let whole: usize = widths
        .iter()
        .filter(|width| **width > 0)
        .map(|width| width + GAP)
        .sum();
    let is_aligned = whole <= WIDTH_MAX + GAP;
    for (cells, end) in rows.drain(..) {
        let last = cells.iter().rposition(|cell| !cell.is_empty());
        // A column that is empty everywhere is there for the looks.
        let shown = cells
            .iter()
            .zip(&widths)
            .enumerate()
            .filter(|(_, (_, width))| **width > 0);
        for (column, (cell, width)) in shown.take_while(|(column, _)| Some(*column) <= last) {
            if !is_aligned && cell.is_empty() {
                continue;
            }
            out.push_str(cell);
            if Some(column) < last {
                let missing = if is_aligned {
                    width.saturating_sub(cell.width())
                } else {
                    0
                };
                out.extend(std::iter::repeat_n(' ', missing + GAP));
            }
        }
        out.push_str(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned(text: &str) -> String {
        align(&text.replace('|', &CELL_END.to_string()))
    }

    #[test]
    fn cells_stand_under_each_other_whatever_they_are_written_in() {
        assert_eq!(
            aligned("Order\n\nItem|Qty|Price\r\nTea|2|9.00\r\n龙井茶|10|12.50\r\n\nYours"),
            "Order\n\nItem    Qty  Price\r\nTea     2    9.00\r\n龙井茶  10   12.50\r\n\nYours"
        );
    }

    #[test]
    fn an_empty_corner_stays_and_a_spacer_does_not() {
        assert_eq!(aligned("|Mon|Tue\nA|1|2\n"), "   Mon  Tue\nA  1    2\n");
        assert_eq!(aligned("|Hello|"), "Hello");
        assert_eq!(aligned("|"), "");
    }

    #[test]
    fn what_is_too_wide_is_not_spread() {
        let long = "x".repeat(80);
        assert_eq!(aligned(&format!("a|{long}\nbbb|c")), format!("a  {long}\nbbb  c"));
    }
}
