//! `where = "country = 'DE' and total_spent > 100"`: who on the list is meant. The language is that of SQL's conditions,
//! as far as it speaks of one row: comparisons, `in`, `between`, `like`, `ilike`, `is null`, `and`, `or`, `not`.
//!
//! Cells are text. Compared with a number they are numbers, compared with `true` or `false` they are a yes or a no,
//! compared with `'2026-01-31'` a day; a cell that is none is a problem with its place, not a silent no. An empty cell is
//! `null`: it equals nothing but `''`, and is neither greater nor smaller than anything.

mod reading;

use std::cmp::Ordering;

use crate::text;
use crate::words::Text;
use csv::StringRecord;

pub(super) use reading::Refused;

/// What spreadsheets, databases and people write for yes and for no.
const YES: [&str; 14] = [
    "true", "yes", "y", "1", "on", "x", "ja", "oui", "si", "sí", "是", "对", "✓", "√",
];
const NO: [&str; 9] = ["false", "no", "n", "0", "off", "nein", "non", "否", "✗"];

/// A condition on a row, whose columns are known.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    All(Box<Self>, Box<Self>),
    Any(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare(usize, Relation, Operand),
    In(usize, Vec<Operand>),
    Between(usize, Operand, Operand),
    Like(usize, Pattern),
    IsEmpty(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a cell is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Number(f64),
    Text(String),
    /// A yes or a no, whatever the list's word for it is.
    Truth(bool),
    /// A day, in whatever form the list has it.
    Day(Day),
}

/// A day, and the time on it as it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day {
    /// Year, month and day.
    date: (u16, u8, u8),
    time: String,
}

/// `%` stands for any text, `_` for one character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    text: Vec<char>,
    ignores_case: bool,
}

/// A cell that should be a number, or a yes or no, and is not: its column, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) column: usize,
    pub(super) what: Text,
}

impl Filter {
    /// Is this row meant?
    pub(super) fn matches(&self, row: &StringRecord) -> Result<bool, Misfit> {
        let cell = |column: usize| row.get(column).unwrap_or_default().trim();
        Ok(match self {
            Self::All(a, b) => a.matches(row)? && b.matches(row)?,
            Self::Any(a, b) => a.matches(row)? || b.matches(row)?,
            Self::Not(inner) => !inner.matches(row)?,
            Self::Compare(column, relation, operand) => {
                let order = operand.order(cell(*column), *column)?;
                match relation {
                    Relation::Equal => order == Some(Ordering::Equal),
                    Relation::NotEqual => order != Some(Ordering::Equal),
                    Relation::Less => order == Some(Ordering::Less),
                    Relation::LessOrEqual => order.is_some_and(Ordering::is_le),
                    Relation::Greater => order == Some(Ordering::Greater),
                    Relation::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
                }
            }
            Self::In(column, operands) => {
                let mut is_in = false;
                for operand in operands {
                    is_in |= operand.order(cell(*column), *column)? == Some(Ordering::Equal);
                }
                is_in
            }
            Self::Between(column, low, high) => {
                let cell = cell(*column);
                low.order(cell, *column)?.is_some_and(Ordering::is_ge)
                    && high.order(cell, *column)?.is_some_and(Ordering::is_le)
            }
            Self::Like(column, pattern) => pattern.matches(cell(*column)),
            Self::IsEmpty(column) => cell(*column).is_empty(),
        })
    }
}

impl Operand {
    /// How the cell stands to this; none for an empty cell, which stands to nothing but an empty text.
    fn order(&self, cell: &str, column: usize) -> Result<Option<Ordering>, Misfit> {
        match self {
            Self::Text(text) if cell.is_empty() && !text.is_empty() => Ok(None),
            Self::Text(text) => Ok(Some(cell.cmp(text.as_str()))),
            Self::Number(_) | Self::Truth(_) | Self::Day(_) if cell.is_empty() => Ok(None),
            Self::Number(number) => match number_of(cell) {
                Some(value) => Ok(value.partial_cmp(number)),
                None => Err(Misfit {
                    column,
                    what: text!("`{cell}` is no number, and `where` compares it with one", cell),
                }),
            },
            Self::Truth(is_true) => match truth_of(cell) {
                Some(value) => Ok(Some(value.cmp(is_true))),
                None => Err(Misfit {
                    column,
                    what: text!(
                        "`{cell}` is neither a yes nor a no, and `where` compares it with one",
                        cell
                    ),
                }),
            },
            Self::Day(day) => match Day::of(cell) {
                Some(value) => Ok(Some(value.cmp(day))),
                None => Err(Misfit {
                    column,
                    what: text!(
                        "`{cell}` is no day such as 2026-01-31, and `where` compares it with one",
                        cell
                    ),
                }),
            },
        }
    }
}

impl Day {
    /// `2026-01-31`, `2026/1/31`, `2026年1月31日`, with or without a time. What does not begin with the year could
    /// mean two days.
    pub(super) fn of(cell: &str) -> Option<Self> {
        let (year, rest) = cell.split_once(['-', '/', '.', '年'])?;
        let (month, rest) = rest.split_once(['-', '/', '.', '月'])?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (day, time) = rest.split_at_checked(end)?;
        let time = time.strip_prefix('日').unwrap_or(time);
        let is_time = time.is_empty() || time.starts_with([' ', 'T']);
        let is_number = |text: &str, length: usize| {
            (1..=length).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if year.len() != 4 || !is_number(year, 4) || !is_number(month, 2) || !is_number(day, 2) || !is_time {
            return None;
        }
        let date: (u16, u8, u8) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
        let is_day = (1..=12).contains(&date.1) && (1..=31).contains(&date.2);
        let time = time.trim_start_matches([' ', 'T']).to_owned();
        is_day.then_some(Self { date, time })
    }
}

fn truth_of(cell: &str) -> Option<bool> {
    let word = cell.to_lowercase();
    let is = |words: &[&str]| words.contains(&word.as_str());
    if is(&YES) {
        Some(true)
    } else {
        is(&NO).then_some(false)
    }
}

/// `1234.5`, `1,234.50` or `'1234` as Shopify writes it.
pub(super) fn number_of(cell: &str) -> Option<f64> {
    let text = cell.trim_start_matches('\'').trim();
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.trim_start_matches(['-', '+']).split(',');
    let first = groups.next().unwrap_or_default();
    let is_grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    if !is_grouped && whole.contains(',') || rest.contains(',') {
        return None;
    }
    // Words such as `inf` and `nan` are numbers to Rust.
    let is_digits = text.chars().all(|c| c.is_ascii_digit() || ",.-+eE".contains(c));
    text.replace(',', "").parse().ok().filter(|_| is_digits)
}

impl Pattern {
    pub(super) fn new(text: &str, ignores_case: bool) -> Self {
        let text = if ignores_case {
            text.to_lowercase()
        } else {
            text.to_owned()
        };
        Self {
            text: text.chars().collect(),
            ignores_case,
        }
    }

    pub(super) fn matches(&self, cell: &str) -> bool {
        let cell: Vec<char> = if self.ignores_case {
            cell.to_lowercase().chars().collect()
        } else {
            cell.chars().collect()
        };
        // After a `%`, where to go on when what follows does not fit: linear in both for each `%`.
        let (mut at, mut from) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while from < cell.len() {
            match self.text.get(at) {
                Some('%') => {
                    retry = Some((at + 1, from));
                    at += 1;
                }
                Some(c) if *c == '_' || cell.get(from) == Some(c) => {
                    at += 1;
                    from += 1;
                }
                _ => {
                    let Some((after, taken)) = retry else { return false };
                    (at, from) = (after, taken + 1);
                    retry = Some((after, taken + 1));
                }
            }
        }
        self.text.iter().skip(at).all(|c| *c == '%')
    }
}
