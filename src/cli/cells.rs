//! Cells of CSV files that people open in spreadsheets.

use std::borrow::Cow;

/// What a spreadsheet takes for the beginning of a formula. Source: OWASP, CSV injection.
const OF_FORMULAS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A cell that no spreadsheet takes for a formula and runs.
pub(super) fn inert(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(OF_FORMULAS) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// What a cell was before [`inert`].
pub(super) fn live(cell: &str) -> &str {
    let rest = cell.strip_prefix('\'');
    rest.filter(|rest| rest.starts_with(OF_FORMULAS)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+49", "-1", "@x", "\t=1", "＝1"] {
            assert_eq!(inert(cell), format!("'{cell}"));
            assert_eq!(live(&inert(cell)), cell);
        }
        for cell in ["li@example.com", "550 5.1.1 no", "", "'quoted'"] {
            assert_eq!(inert(cell), cell);
            assert_eq!(live(cell), cell);
        }
    }
}
