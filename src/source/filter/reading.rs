//! Reads a condition: sqlparser understands the words, and what does not speak of one row is refused with its place.

use sqlparser::ast::{BinaryOperator, Expr, InTarget, Spanned as _, UnaryOperator, Value};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token};

use super::super::columns::variable;
use super::{Day, Filter, Operand, Pattern, Relation, number_of};
use crate::campaign::closest;
use crate::mail::Columns;
use crate::text;
use crate::words::{Say, Text};

/// Conditions within one another at most: a filter is written by hand.
const DEPTH_MAX: usize = 50;

/// A condition that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Refused {
    /// What is wrong.
    pub(in super::super) what: Text,
    /// What to do.
    pub(in super::super) hint: Option<Text>,
    /// The first character that is meant, from 1, and how many are; none for the whole condition.
    pub(in super::super) place: Option<(usize, usize)>,
}

impl Refused {
    fn new(what: impl Say, span: Span) -> Self {
        let (start, end) = (span.start, span.end);
        // A span without a line is unknown; a condition of several lines is shown as a whole.
        let is_known = start.line == 1 && end.line == 1 && end.column > start.column;
        let number = |column: u64| usize::try_from(column).unwrap_or_default();
        Self {
            what: what.said(),
            hint: None,
            place: is_known.then(|| (number(start.column), number(end.column - start.column))),
        }
    }

    fn hint(self, hint: impl Say) -> Self {
        Self {
            hint: Some(hint.said()),
            ..self
        }
    }

    /// The parser's words, without the name of the crate and with the place it names.
    fn by_parser(error: &ParserError, columns: &Columns, text: &str) -> Self {
        let said = error.to_string().to_lowercase();
        let said = said.trim_start_matches("sql parser error: ");
        let (what, place) = said.split_once(" at line: 1, column: ").unwrap_or((said, ""));
        // `expected: an expression, found: eof`
        let what = match what.split_once(", found: eof") {
            Some(_) => text!("the condition ends too early"),
            None => Text::kept(what),
        };
        let digits: String = place.chars().take_while(char::is_ascii_digit).collect();
        Self {
            what,
            hint: Some(advice(columns, text)),
            place: digits.parse().ok().map(|column| (column, 1)),
        }
    }
}

/// An example; for a column with a blank in its name, how it is written.
fn advice(columns: &Columns, text: &str) -> Text {
    let text = text.to_lowercase();
    let with_blank =
        columns.headers.iter().zip(&columns.names).find(|(header, _)| {
            header.contains(char::is_whitespace) && text.contains(&header.to_lowercase())
        });
    match with_blank {
        Some((header, name)) => text!(
            "write the column `{header}` as {name}, or between backticks",
            header,
            name
        ),
        None => text!("write it like \"country = 'DE' and total_spent > 100\""),
    }
}

impl Filter {
    /// Understands a condition; says what is wrong with it, and what may be meant.
    pub(in super::super) fn parse(text: &str, columns: &Columns) -> Result<Self, Refused> {
        let by_parser = |error: ParserError| Refused::by_parser(&error, columns, text);
        let dialect = GenericDialect {};
        let mut parser = Parser::new(&dialect)
            .with_recursion_limit(DEPTH_MAX)
            .try_with_sql(text)
            .map_err(by_parser)?;
        let expr = parser.parse_expr().map_err(by_parser)?;
        let next = parser.peek_token();
        if next.token != Token::EOF {
            let what = text!("`{next}` is one word too many", next = next.to_string());
            return Err(Refused::new(what, next.span).hint(advice(columns, text)));
        }
        Reader { columns }.filter(&expr)
    }
}

struct Reader<'a> {
    columns: &'a Columns,
}

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
                let operands: Result<Vec<Operand>, Refused> = list.iter().map(value).collect();
                (Filter::In(self.column(expr)?, operands?), negated)
            }
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let column = self.column(expr)?;
                (Filter::Between(column, bound(low)?, bound(high)?), negated)
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
                let what = text!(
                    "`{other}` is not a condition that can be used here",
                    other = other.to_string()
                );
                let known =
                    text!("there are =, <>, <, <=, >, >=, in, between, like, ilike, is null, and, or, not");
                return Err(Refused::new(what, other.span()).hint(known));
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
            other => {
                let span = left.span().union(&right.span());
                return Err(Refused::new(
                    text!("`{other}` cannot be used here", other = other.to_string()),
                    span,
                ));
            }
        };
        let side = if matches!(relation, Equal | NotEqual) {
            value
        } else {
            bound
        };
        if operand(right).is_ok() {
            let column = self.column(left)?;
            return Ok(Filter::Compare(column, relation, side(right)?));
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
        if operand(left).is_err() {
            let what = text!(
                "`{left} {op} {right}` compares two columns; one side must be a value",
                left = left.to_string(),
                op = op.to_string(),
                right = right.to_string()
            );
            let refused = Refused::new(what, left.span().union(&right.span()));
            return Err(refused.hint(text!("text stands in single quotes: 'DE'")));
        }
        Ok(Filter::Compare(column, turned, side(left)?))
    }

    fn like(&self, expr: &Expr, pattern: &Expr, ignores_case: bool) -> Result<Filter, Refused> {
        match operand(pattern)? {
            Operand::Text(text) => Ok(Filter::Like(
                self.column(expr)?,
                Pattern::new(&text, ignores_case),
            )),
            Operand::Number(_) | Operand::Truth(_) | Operand::Day(_) => Err(Refused::new(
                text!("`like` wants text in single quotes"),
                pattern.span(),
            )),
        }
    }

    /// A column by its header or by its name in templates.
    fn column(&self, expr: &Expr) -> Result<usize, Refused> {
        let name = match expr {
            Expr::Identifier(ident) => ident.value.clone(),
            Expr::Nested(inner) => return self.column(inner),
            other => {
                let said = other.to_string();
                let refused = Refused::new(text!("`{said}` is not a column", said), other.span());
                return Err(if said.contains("&&") || said.contains("||") {
                    refused.hint(text!("write `and` for `&&`, and `or` for `||`"))
                } else {
                    refused
                });
            }
        };
        let exact = self.columns.headers.iter().position(|header| *header == name);
        let by_name = || self.columns.names.iter().position(|own| *own == variable(&name));
        exact.or_else(by_name).ok_or_else(|| {
            let known: Vec<&str> = self.columns.names.iter().map(String::as_str).collect();
            let hint = match closest(&name, &known) {
                Some(known) => text!("did you mean `{known}`?", known),
                None => text!(
                    "columns are: {known}; text stands in single quotes",
                    known = known.join(", ")
                ),
            };
            Refused::new(text!("the list has no column `{name}`", name), expr.span()).hint(hint)
        })
    }
}

/// A value that a cell is compared with: text that is a day is one.
fn value(expr: &Expr) -> Result<Operand, Refused> {
    Ok(match operand(expr)? {
        Operand::Text(text) => Day::of(&text).map_or(Operand::Text(text), Operand::Day),
        other => other,
    })
}

/// A value that others are greater or smaller than. By its letters, the text `99` is greater than `100`.
fn bound(expr: &Expr) -> Result<Operand, Refused> {
    let value = value(expr)?;
    match &value {
        Operand::Text(text) if number_of(text).is_some() => {
            let what = text!(
                "`'{text}'` is text, and by its letters 99 is greater than 100",
                text
            );
            let hint = text!("write {text} without quotes; a day is written '2026-01-31'", text);
            Err(Refused::new(what, expr.span()).hint(hint))
        }
        _ => Ok(value),
    }
}

fn operand(expr: &Expr) -> Result<Operand, Refused> {
    let refused = || {
        Refused::new(
            text!("`{expr}` is not a value", expr = expr.to_string()),
            expr.span(),
        )
        .hint(text!("text stands in single quotes: 'DE'"))
    };
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().map(Operand::Number).map_err(|_not_one| refused()),
            Value::SingleQuotedString(text) => Ok(Operand::Text(text.clone())),
            Value::Boolean(is_true) => Ok(Operand::Truth(*is_true)),
            _ => Err(refused()),
        },
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => match operand(expr)? {
            Operand::Number(number) => Ok(Operand::Number(-number)),
            Operand::Text(_) | Operand::Truth(_) | Operand::Day(_) => Err(refused()),
        },
        Expr::Nested(inner) => operand(inner),
        _ => Err(refused()),
    }
}
