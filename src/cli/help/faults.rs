//! What is wrong with a command line, in Chinese. In English clap says it.

use std::net::AddrParseError;
use std::num::ParseIntError;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::super::printer::Printer;
use crate::text;
use crate::words::Text;

/// Says what is wrong, in Chinese.
pub(in crate::cli) fn show(error: &clap::Error, printer: Printer) {
    printer.warn(text!("error: {what}", what = what(error)));
    for hint in hints(error) {
        printer.warn(text!("hint: {hint}", hint));
    }
    if let Some(usage) = strings(error, ContextKind::Usage).pop() {
        let usage = usage.trim_start_matches("Usage:").trim().to_owned();
        printer.warn(text!("\nusage: {usage}", usage));
    }
    printer.warn(text!("\n`--help` says more"));
}

/// The strings that an error has of this kind.
fn strings(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(several)) => several.clone(),
        Some(ContextValue::StyledStr(one)) => vec![one.to_string()],
        Some(ContextValue::StyledStrs(several)) => several.iter().map(ToString::to_string).collect(),
        Some(ContextValue::Number(number)) => vec![number.to_string()],
        _ => Vec::new(),
    }
}

fn what(error: &clap::Error) -> Text {
    let one = |kind| strings(error, kind).into_iter().next().unwrap_or_default();
    let list = |kind| strings(error, kind).join("`, `");
    let arg = one(ContextKind::InvalidArg);
    let value = one(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument => text!("there is no argument `{arg}` here", arg),
        ErrorKind::InvalidSubcommand => {
            text!(
                "there is no command `{name}`",
                name = one(ContextKind::InvalidSubcommand)
            )
        }
        ErrorKind::MissingSubcommand => text!("which of these commands?"),
        ErrorKind::MissingRequiredArgument => {
            text!("missing: `{args}`", args = list(ContextKind::InvalidArg))
        }
        ErrorKind::InvalidValue if value.is_empty() => text!("`{arg}` needs a value", arg),
        ErrorKind::InvalidValue => text!("`{value}` cannot be the value of `{arg}`", value, arg),
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error)
                .map(what_is_wanted)
                .unwrap_or_default();
            text!("`{value}` cannot be the value of `{arg}`: {why}", value, arg, why)
        }
        ErrorKind::ArgumentConflict => {
            let other = list(ContextKind::PriorArg);
            if other.is_empty() || other == arg {
                text!("`{arg}` is given more than once", arg)
            } else {
                text!("`{arg}` and `{other}` cannot be used together", arg, other)
            }
        }
        ErrorKind::NoEquals => text!("`{arg}` wants its value after an equals sign", arg),
        ErrorKind::TooManyValues => text!("`{value}` is one value too many for `{arg}`", value, arg),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            text!("`{arg}` has another number of values", arg)
        }
        ErrorKind::InvalidUtf8 => text!("the command line is not UTF-8"),
        _ => Text::kept(error),
    }
}

fn hints(error: &clap::Error) -> Vec<Text> {
    let mut hints = Vec::new();
    let values = [ContextKind::ValidValue, ContextKind::ValidSubcommand];
    let values: Vec<String> = values.into_iter().flat_map(|kind| strings(error, kind)).collect();
    if !values.is_empty() {
        hints.push(text!("there are: {known}", known = values.join(", ")));
    }
    let meant = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ];
    let meant: Vec<String> = meant.into_iter().flat_map(|kind| strings(error, kind)).collect();
    if let Some(meant) = meant.first() {
        hints.push(text!("did you mean `{known}`?", known = meant));
    }
    hints
}

/// Why a value is none: also where it is the standard library that says so.
fn what_is_wanted(why: &(dyn std::error::Error + 'static)) -> Text {
    if let Some(said) = why.downcast_ref::<Text>() {
        said.clone()
    } else if why.is::<ParseIntError>() {
        text!("a whole number is wanted, and not too large a one")
    } else if why.is::<AddrParseError>() {
        text!("an IP address with a port is wanted, such as 127.0.0.1:2525")
    } else {
        Text::kept(why.to_string())
    }
}
