//! Runs a program for one recipient.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Number;

use super::{Expr, Function, Local, Partial, Program, Start, Step};
use crate::render::value::{Bail, Got, Value};
use crate::render::variables::Row;
use crate::render::writer::{Lines, Writer};

/// What a block adds to what names can mean. Frames stand on the stack, each knows the one around it.
struct Frame<'f> {
    outer: Option<&'f Frame<'f>>,
    value: &'f Value<'f>,
    /// What a partial was called with.
    arguments: &'f [Got<'f>],
    index: usize,
    is_last: bool,
    key: Option<&'f str>,
}

impl<'f> Frame<'f> {
    fn new(outer: Around<'f>, value: &'f Value<'f>) -> Self {
        Self {
            outer,
            value,
            arguments: &[],
            index: 0,
            is_last: false,
            key: None,
        }
    }
}

/// The innermost frame, if any.
type Around<'f> = Option<&'f Frame<'f>>;

/// The frame that is so many frames outwards.
fn outwards(mut around: Around<'_>, count: usize) -> Result<&Frame<'_>, Bail> {
    for _ in 0..count {
        around = around.and_then(|frame| frame.outer);
    }
    around.ok_or(Bail)
}

impl Program {
    /// Renders for one recipient. What is an error is for Handlebars to say.
    pub(in crate::render) fn run(&self, row: &Row<'_>, lines: Lines) -> Result<String, Bail> {
        let mut out = String::with_capacity(self.size + self.size / 4 + 1024);
        Run { row, lines }.steps(&self.steps, None, &mut out)?;
        Ok(out)
    }
}

struct Run<'r> {
    row: &'r Row<'r>,
    lines: Lines,
}

impl Run<'_> {
    fn steps(&self, steps: &[Step], around: Around<'_>, out: &mut String) -> Result<(), Bail> {
        steps.iter().try_for_each(|step| self.step(step, around, out))
    }

    fn step(&self, step: &Step, around: Around<'_>, out: &mut String) -> Result<(), Bail> {
        match step {
            Step::Text(text) => {
                out.push_str(match self.lines {
                    Lines::AsWritten => &text.written,
                    Lines::Canonical => &text.canonical,
                });
                Ok(())
            }
            Step::Show { value, is_escaped } => self.show(value, *is_escaped, around, out),
            Step::If { condition, halves } => {
                let is_so = self
                    .get(condition, around)?
                    .is_some_and(|value| value.is_truthy());
                let [half, otherwise] = halves;
                self.steps(if is_so { half } else { otherwise }, around, out)
            }
            Step::Each {
                list,
                body,
                otherwise,
            } => {
                let list = self.get(list, around)?;
                match (list.as_deref(), otherwise) {
                    (Some(Value::List(values)), None) => self.list(values, body, around, out),
                    (Some(Value::Object(entries)), None) => self.object(entries, body, around, out),
                    (Some(Value::List(values)), _) if !values.is_empty() => {
                        self.list(values, body, around, out)
                    }
                    (Some(Value::Object(entries)), _) if !entries.is_empty() => {
                        self.object(entries, body, around, out)
                    }
                    (_, Some(otherwise)) => self.steps(otherwise, around, out),
                    (_, None) => Err(Bail),
                }
            }
            Step::With {
                value,
                body,
                otherwise,
            } => {
                let value = self.get(value, around)?.filter(|value| value.is_truthy());
                match (value, otherwise) {
                    (Some(value), _) => self.steps(body, Some(&Frame::new(around, &value)), out),
                    (None, Some(otherwise)) => self.steps(otherwise, around, out),
                    (None, None) => Err(Bail),
                }
            }
            Step::Partial(partial) => self.partial(partial, around, out),
        }
    }

    fn list(
        &self,
        values: &[Value<'_>],
        body: &[Step],
        around: Around<'_>,
        out: &mut String,
    ) -> Result<(), Bail> {
        for (index, value) in values.iter().enumerate() {
            let frame = Frame {
                index,
                is_last: index + 1 == values.len(),
                ..Frame::new(around, value)
            };
            self.steps(body, Some(&frame), out)?;
        }
        Ok(())
    }

    fn object(
        &self,
        entries: &[(Cow<'_, str>, Value<'_>)],
        body: &[Step],
        around: Around<'_>,
        out: &mut String,
    ) -> Result<(), Bail> {
        for (index, (key, value)) in entries.iter().enumerate() {
            let frame = Frame {
                index,
                is_last: index + 1 == entries.len(),
                key: Some(key),
                ..Frame::new(around, value)
            };
            self.steps(body, Some(&frame), out)?;
        }
        Ok(())
    }

    fn partial(&self, partial: &Partial, around: Around<'_>, out: &mut String) -> Result<(), Bail> {
        let value = match &partial.base {
            Some(base) => self.get_or_null(base, around)?,
            None => Got::Owned(Value::Null),
        };
        // Mixed with arguments, anything but an object changes its nature.
        let is_mixed = partial.base.is_some() && !partial.arguments.is_empty();
        if is_mixed && !matches!(&*value, Value::Object(_)) {
            return Err(Bail);
        }
        let frame = Frame {
            arguments: &self.values(&partial.arguments, around)?,
            ..Frame::new(around, &value)
        };
        self.steps(&partial.body, Some(&frame), out)
    }

    fn show(&self, value: &Expr, is_escaped: bool, around: Around<'_>, out: &mut String) -> Result<(), Bail> {
        let writer = Writer {
            is_escaped,
            lines: self.lines,
        };
        if let Expr::Call(Function::Ours(call), arguments) = value {
            let start = out.len();
            call(&self.values(arguments, around)?, out).map_err(|_what| Bail)?;
            writer.rewrite(out, start);
            return Ok(());
        }
        match &*self.get(value, around)?.ok_or(Bail)? {
            Value::Text(text) => writer.write(text, out),
            other => {
                let start = out.len();
                other.write(out);
                writer.rewrite(out, start);
            }
        }
        Ok(())
    }

    /// The value of an expression; none, when there is nothing where it leads.
    fn get<'v>(&'v self, expr: &'v Expr, around: Around<'v>) -> Result<Option<Got<'v>>, Bail> {
        Ok(match expr {
            Expr::Literal(value) => Some(Got::Borrowed(value)),
            Expr::Missing => None,
            Expr::Local(count, local) => outwards(around, *count)?.local(*local).map(Got::Owned),
            Expr::Call(function, arguments) => Some(Got::Owned(self.call(*function, arguments, around)?)),
            Expr::Named(here, number) => {
                let variable = || number.and_then(|number| self.row.values.get(number));
                let found = self.get(here, around)?;
                let found = found.or_else(|| variable().map(Got::Borrowed)).ok_or(Bail)?;
                Some(Got::Owned(Value::Text(found.shown().into_owned().into())))
            }
            Expr::Path(start, keys) => {
                let start = match start {
                    Start::Variable(number) => self.row.values.get(*number).ok_or(Bail)?,
                    Start::Element(count) => outwards(around, *count)?.value,
                    Start::Argument(count, place) => {
                        outwards(around, *count)?.arguments.get(*place).ok_or(Bail)?
                    }
                };
                let mut value = Some(start);
                for key in keys {
                    value = match value {
                        Some(value) => value.get(key)?,
                        None => None,
                    };
                }
                value.map(Got::Borrowed)
            }
        })
    }

    /// What is missing is nothing.
    fn get_or_null<'v>(&'v self, expr: &'v Expr, around: Around<'v>) -> Result<Got<'v>, Bail> {
        Ok(self.get(expr, around)?.unwrap_or(Got::Owned(Value::Null)))
    }

    fn values<'v>(&'v self, exprs: &'v [Expr], around: Around<'v>) -> Result<Vec<Got<'v>>, Bail> {
        exprs.iter().map(|expr| self.get_or_null(expr, around)).collect()
    }

    fn call<'v>(
        &'v self,
        function: Function,
        arguments: &'v [Expr],
        around: Around<'v>,
    ) -> Result<Value<'v>, Bail> {
        // What is missing cannot be compared.
        let argument = |place: usize| self.get(arguments.get(place).ok_or(Bail)?, around)?.ok_or(Bail);
        let compare = || {
            let (a, b) = (argument(0)?, argument(1)?);
            a.compare(&b)
        };
        Ok(Value::Bool(match function {
            Function::Ours(call) => {
                let mut text = String::new();
                call(&self.values(arguments, around)?, &mut text).map_err(|_what| Bail)?;
                return Ok(Value::Text(text.into()));
            }
            Function::Len => return Ok(Value::Number(argument(0)?.len().into())),
            Function::Lookup => return lookup(&argument(0)?, &argument(1)?),
            Function::And => self
                .values(arguments, around)?
                .iter()
                .all(|value| value.is_truthy()),
            Function::Or => self
                .values(arguments, around)?
                .iter()
                .any(|value| value.is_truthy()),
            Function::Not => !argument(0)?.is_truthy(),
            Function::Eq => *argument(0)? == *argument(1)?,
            Function::Ne => *argument(0)? != *argument(1)?,
            Function::Gt => compare()? == Some(Ordering::Greater),
            Function::Gte => compare()?.is_some_and(Ordering::is_ge),
            Function::Lt => compare()? == Some(Ordering::Less),
            Function::Lte => compare()?.is_some_and(Ordering::is_le),
        }))
    }
}

/// An element of a list or an object, by a value.
fn lookup<'v>(collection: &Got<'v>, key: &Got<'_>) -> Result<Value<'v>, Bail> {
    let found = match (&**collection, &**key) {
        (Value::List(values), Value::Number(index)) => {
            let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
            index.and_then(|index| values.get(index))
        }
        (Value::Object(entries), Value::Text(key)) => entries
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value),
        _ => None,
    };
    found.cloned().ok_or(Bail)
}

impl<'f> Frame<'f> {
    fn local(&self, local: Local) -> Option<Value<'f>> {
        let index = || Value::Number(Number::from(self.index));
        let key = || self.key.map(Value::text);
        match local {
            Local::Index => Some(index()),
            Local::First => Some(Value::Bool(self.index == 0)),
            Local::Last => Some(Value::Bool(self.is_last)),
            Local::Key => key(),
            Local::KeyOrIndex => Some(key().unwrap_or_else(index)),
        }
    }
}
