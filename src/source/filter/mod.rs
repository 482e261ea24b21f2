//! `where = "country = 'DE' and total_spent > 100"`: who on the list is meant. The language is that of SQL's conditions,
//! as far as it speaks of one row: comparisons, `in`, `between`, `like`, `ilike`, `is null`, `and`, `or`, `not`.
//!
//! Cells are text. Compared with a number they are numbers, and a cell that is none is a problem with its place, not a
//! silent no. An empty cell is `null`: it equals nothing but `''`, and is neither greater nor smaller than anything.

use std::cmp::Ordering;

use csv::StringRecord;
use sqlparser::ast::{BinaryOperator, Expr, InTarget, UnaryOperator, Value};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::columns::variable;
use crate::campaign::closest;
use crate::mail::Columns;

/// Conditions within one another at most: a filter is written by hand.
const DEPTH_MAX: usize = 50;

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
}

/// `%` stands for any text, `_` for one character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    text: Vec<char>,
    ignores_case: bool,
}

/// A cell that should be a number and is not: its column, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotANumber {
    pub(super) column: usize,
    pub(super) cell: String,
}

impl Filter {
    /// Understands a condition; says what is wrong with it, and what may be meant.
    pub(super) fn parse(text: &str, columns: &Columns) -> Result<Self, (String, Option<String>)> {
        let example = || Some("write it like \"country = 'DE' and total_spent > 100\"".to_owned());
        let dialect = GenericDialect {};
        let mut parser = Parser::new(&dialect)
            .with_recursion_limit(DEPTH_MAX)
            .try_with_sql(text)
            .map_err(|error| (plain(&error), example()))?;
        let expr = parser.parse_expr().map_err(|error| (plain(&error), example()))?;
        let next = parser.peek_token();
        if next.token != Token::EOF {
            return Err((format!("`{next}` is one word too many"), example()));
        }
        Reader { columns }.filter(&expr)
    }

    /// Is this row meant?
    pub(super) fn matches(&self, row: &StringRecord) -> Result<bool, NotANumber> {
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
    fn order(&self, cell: &str, column: usize) -> Result<Option<Ordering>, NotANumber> {
        match self {
            Self::Text(text) if cell.is_empty() && !text.is_empty() => Ok(None),
            Self::Text(text) => Ok(Some(cell.cmp(text.as_str()))),
            Self::Number(_) if cell.is_empty() => Ok(None),
            Self::Number(number) => match number_of(cell) {
                Some(value) => Ok(value.partial_cmp(number)),
                None => Err(NotANumber {
                    column,
                    cell: cell.to_owned(),
                }),
            },
        }
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

struct Reader<'a> {
    columns: &'a Columns,
}

type Refused = (String, Option<String>);

impl Reader<'_> {
    fn filter(&self, expr: &Expr) -> Result<Filter, Refused> {
        let both = |left: &Expr, right: &Expr| -> Result<(Box<Filter>, Box<Filter>), Refused> {
            Ok((Box::new(self.filter(left)?), Box::new(self.filter(right)?)))
        };
        match expr {
            Expr::Nested(inner) => self.filter(inner),
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr,
            } => Ok(Filter::Not(Box::new(self.filter(expr)?))),
            Expr::BinaryOp {
                left,
                op: BinaryOperator::And,
                right,
            } => both(left, right).map(|(left, right)| Filter::All(left, right)),
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Or,
                right,
            } => both(left, right).map(|(left, right)| Filter::Any(left, right)),
            Expr::BinaryOp { left, op, right } => self.comparison(left, op, right),
            Expr::IsNull(expr) => Ok(Filter::IsEmpty(self.column(expr)?)),
            Expr::IsNotNull(expr) => Ok(Filter::Not(Box::new(Filter::IsEmpty(self.column(expr)?)))),
            other => self.predicate(other),
        }
    }

    /// What may stand with a `not` in it.
    fn predicate(&self, expr: &Expr) -> Result<Filter, Refused> {
        let (filter, is_negated) = match expr {
            Expr::In {
                expr,
                target: InTarget::List(list),
                negated,
                ..
            } => {
                let operands: Result<Vec<Operand>, Refused> = list.iter().map(operand).collect();
                (Filter::In(self.column(expr)?, operands?), negated)
            }
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let column = self.column(expr)?;
                (Filter::Between(column, operand(low)?, operand(high)?), negated)
            }
            Expr::Like {
                negated,
                expr,
                pattern,
                escape_char: None,
                any: false,
            } => (self.like(expr, pattern, false)?, negated),
            Expr::ILike {
                negated,
                expr,
                pattern,
                escape_char: None,
                any: false,
            } => (self.like(expr, pattern, true)?, negated),
            other => {
                let what = format!("`{other}` is not a condition that can be used here");
                let known = "there are =, <>, <, <=, >, >=, in, between, like, ilike, is null, and, or, not";
                return Err((what, Some(known.to_owned())));
            }
        };
        Ok(if *is_negated {
            Filter::Not(Box::new(filter))
        } else {
            filter
        })
    }

    fn comparison(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Result<Filter, Refused> {
        use Relation::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let relation = match op {
            BinaryOperator::Eq => Equal,
            BinaryOperator::NotEq => NotEqual,
            BinaryOperator::Lt => Less,
            BinaryOperator::LtEq => LessOrEqual,
            BinaryOperator::Gt => Greater,
            BinaryOperator::GtEq => GreaterOrEqual,
            other => return Err((format!("`{other}` cannot be used here"), None)),
        };
        if let Ok(operand) = operand(right) {
            return Ok(Filter::Compare(self.column(left)?, relation, operand));
        }
        // `100 < total_spent`
        let turned = match relation {
            Equal => Equal,
            NotEqual => NotEqual,
            Less => Greater,
            LessOrEqual => GreaterOrEqual,
            Greater => Less,
            GreaterOrEqual => LessOrEqual,
        };
        let column = self.column(right)?;
        operand(left)
            .map(|operand| Filter::Compare(column, turned, operand))
            .map_err(|_two_columns| {
                let what = format!("`{left} {op} {right}` compares two columns; one side must be a value");
                (what, Some("text stands in single quotes: 'DE'".to_owned()))
            })
    }

    fn like(&self, expr: &Expr, pattern: &Expr, ignores_case: bool) -> Result<Filter, Refused> {
        match operand(pattern)? {
            Operand::Text(text) => Ok(Filter::Like(
                self.column(expr)?,
                Pattern::new(&text, ignores_case),
            )),
            Operand::Number(_) => Err(("`like` wants text in single quotes".to_owned(), None)),
        }
    }

    /// A column by its header or by its name in templates.
    fn column(&self, expr: &Expr) -> Result<usize, Refused> {
        let name = match expr {
            Expr::Identifier(ident) => ident.value.clone(),
            Expr::Nested(inner) => return self.column(inner),
            other => return Err((format!("`{other}` is not a column"), None)),
        };
        let exact = self.columns.headers.iter().position(|header| *header == name);
        let by_name = || self.columns.names.iter().position(|own| *own == variable(&name));
        exact.or_else(by_name).ok_or_else(|| {
            let known: Vec<&str> = self.columns.names.iter().map(String::as_str).collect();
            let hint = match closest(&name, &known) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("columns are: {}; text stands in single quotes", known.join(", ")),
            };
            (format!("the list has no column `{name}`"), Some(hint))
        })
    }
}

fn operand(expr: &Expr) -> Result<Operand, Refused> {
    let refused = || {
        (
            format!("`{expr}` is not a value"),
            Some("text stands in single quotes: 'DE'".to_owned()),
        )
    };
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().map(Operand::Number).map_err(|_not_one| refused()),
            Value::SingleQuotedString(text) => Ok(Operand::Text(text.clone())),
            Value::Boolean(is_true) => Ok(Operand::Text(is_true.to_string())),
            _ => Err(refused()),
        },
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => match operand(expr)? {
            Operand::Number(number) => Ok(Operand::Number(-number)),
            Operand::Text(_) => Err(refused()),
        },
        Expr::Nested(inner) => operand(inner),
        _ => Err(refused()),
    }
}

/// The parser's words, without the name of the crate.
fn plain(error: &sqlparser::parser::ParserError) -> String {
    let text = error.to_string();
    text.trim_start_matches("sql parser error: ").to_lowercase()
}
