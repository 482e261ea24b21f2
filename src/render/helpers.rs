//! The helpers that templates can call besides those of Handlebars: `default`, `date`, `number`, `plain`, `upper`,
//! `lower` and `urlencode`. A helper without arguments is the variable of its name, so that `{{date}}` and a column called
//! `number` work.

use std::borrow::Cow;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, JsonRender as _, JsonValue, RenderContext, RenderError,
    RenderErrorReason, ScopedJson,
};
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;

use super::text_part;
use super::value::{Got, Value};

/// The helpers of this file.
pub(super) const OURS: [&str; 7] = [
    "date",
    "default",
    "lower",
    "number",
    "plain",
    "upper",
    "urlencode",
];
/// The helpers of Handlebars that give a value.
pub(super) const INLINE: [&str; 11] = [
    "and", "eq", "gt", "gte", "len", "lookup", "lt", "lte", "ne", "not", "or",
];
/// The helpers that open a block.
pub(super) const BLOCKS: [&str; 4] = ["each", "if", "unless", "with"];

/// Takes a helper's arguments and writes its value, or says what is wrong with them.
pub(super) type Call = fn(&[Got<'_>], &mut String) -> Result<(), String>;

/// Adds the helpers to a registry, and takes out the one that writes to the log.
pub(super) fn register(registry: &mut Handlebars<'static>) {
    registry.unregister_helper("log");
    registry.unregister_helper("raw");
    for name in OURS {
        registry.register_helper(
            name,
            Box::new(Function {
                name,
                call: function(name),
            }),
        );
    }
}

/// What a helper of ours does.
pub(super) fn function(name: &str) -> Call {
    match name {
        "date" => date,
        "default" => default,
        "lower" => lower,
        "number" => number,
        "plain" => plain,
        "upper" => upper,
        _ => urlencode,
    }
}

/// How many arguments a helper takes: at least, at most; none, when it is not one of ours.
pub(super) fn arguments(name: &str) -> Option<(usize, usize)> {
    match name {
        "default" => Some((2, usize::MAX)),
        "date" | "number" => Some((1, 2)),
        "plain" | "upper" | "lower" | "urlencode" | "if" | "unless" | "each" | "with" | "len" | "not" => {
            Some((1, 1))
        }
        "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "lookup" => Some((2, 2)),
        "and" | "or" => Some((1, usize::MAX)),
        _ => None,
    }
}

/// How a helper is used, for messages.
pub(super) fn usage(name: &str) -> &'static str {
    match name {
        "default" => "{{default first_name \"there\"}}",
        "date" => "{{date signup \"%d %B %Y\"}}",
        "number" => "{{number total}} or {{number total 2}}",
        "plain" => "{{plain offer}}",
        "upper" => "{{upper city}}",
        "lower" => "{{lower city}}",
        "urlencode" => "{{urlencode city}}",
        "if" => "{{#if vip}} … {{/if}}",
        "unless" => "{{#unless vip}} … {{/unless}}",
        "each" => "{{#each orders}} … {{/each}}",
        "with" => "{{#with order}} … {{/with}}",
        "lookup" => "{{lookup orders 0}}",
        _ => "{{#if (eq city \"Berlin\")}} … {{/if}}",
    }
}

/// Checks the second argument of `date` and `number` where it stands in the template as it is.
pub(super) fn check_literal(name: &str, argument: &JsonValue) -> Result<(), String> {
    match name {
        "date" => {
            let format = argument.as_str().ok_or("the format of a date stands in quotes")?;
            jiff::fmt::strtime::format(format, DateTime::constant(2000, 1, 1, 0, 0, 0, 0))
                .map(drop)
                .map_err(|error| format!("`{format}` is not a date format: {error}"))
        }
        "number" => decimals(&Value::from(argument)).map(drop),
        _ => Ok(()),
    }
}

struct Function {
    name: &'static str,
    call: Call,
}

impl HelperDef for Function {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let value = if helper.params().is_empty() {
            self.variable(context, render)?
        } else {
            let params = helper.params().iter();
            let values: Vec<Got<'_>> = params
                .map(|param| Got::Owned(Value::from(param.value())))
                .collect();
            let mut value = String::new();
            (self.call)(&values, &mut value).map_err(RenderErrorReason::Other)?;
            value
        };
        Ok(ScopedJson::Derived(JsonValue::String(value)))
    }
}

impl Function {
    fn variable(&self, context: &Context, render: &RenderContext<'_, '_>) -> Result<String, RenderError> {
        let inner = render.evaluate(context, self.name)?;
        let found = if inner.is_missing() {
            context.data().get(self.name)
        } else {
            Some(inner.as_json())
        };
        let missing = || RenderErrorReason::MissingVariable(Some(self.name.to_owned()));
        Ok(found.ok_or_else(missing)?.render())
    }
}

fn text<'v>(values: &'v [Got<'_>]) -> Cow<'v, str> {
    values.first().map(|value| value.shown()).unwrap_or_default()
}

/// The first value that is not empty.
#[expect(clippy::unnecessary_wraps, reason = "a helper, as the others are")]
fn default(values: &[Got<'_>], out: &mut String) -> Result<(), String> {
    let is_full = |value: &&Got<'_>| match &***value {
        Value::Text(text) => !text.trim().is_empty(),
        // Zero is a number as good as any.
        Value::Number(_) => true,
        value => value.is_truthy(),
    };
    if let Some(value) = values.iter().find(is_full).or_else(|| values.last()) {
        value.write(out);
    }
    Ok(())
}

/// The text of a value that is HTML.
fn plain(values: &[Got<'_>], out: &mut String) -> Result<(), String> {
    out.push_str(&text_part::of_value(&text(values))?);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "a helper, as the others are")]
fn upper(values: &[Got<'_>], out: &mut String) -> Result<(), String> {
    let text = text(values);
    if text.is_ascii() {
        out.extend(text.chars().map(|c| c.to_ascii_uppercase()));
    } else {
        out.push_str(&text.to_uppercase());
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "a helper, as the others are")]
fn lower(values: &[Got<'_>], out: &mut String) -> Result<(), String> {
    let text = text(values);
    if text.is_ascii() {
        out.extend(text.chars().map(|c| c.to_ascii_lowercase()));
    } else {
        out.push_str(&text.to_lowercase());
    }
    Ok(())
}

fn date(values: &[Got<'_>], out: &mut String) -> Result<(), String> {
    let text = text(values);
    let moment = parse_date(text.trim())?;
    let format = values
        .get(1)
        .map_or(Cow::Borrowed("%Y-%m-%d"), |format| format.shown());
    let written = BrokenDownTime::from(moment).format(format.as_bytes(), &mut *out);
    written.map_err(|error| format!("`{format}` is not a date format: {error}"))
}

/// Reads a day or a moment. Only forms that begin with the year, because others mean two days.
fn parse_date(text: &str) -> Result<DateTime, String> {
    if text.is_empty() {
        return Err("an empty date; put `{{#if …}}` around it".to_owned());
    }
    let wrong = || format!("`{text}` is not a date; write it like 2026-11-23");
    if let Ok(pieces) = jiff::fmt::temporal::Pieces::parse(text) {
        return Ok(pieces
            .date()
            .to_datetime(pieces.time().unwrap_or(Time::midnight())));
    }
    // Excel writes 2026/1/5 in China and Japan.
    let mut parts = text.split(['/', '-', '.']);
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    let (Ok(number), Ok(month), Ok(day)) = (year.parse(), month.parse(), day.parse()) else {
        return Err(wrong());
    };
    let date = Date::new(number, month, day).ok().filter(|_| year.len() == 4);
    date.map(|date| date.to_datetime(Time::midnight()))
        .ok_or_else(wrong)
}

/// `1234567.5` as `1,234,567.5`, or rounded to so many decimals. Counted in digits, so that no amount is off by a
/// fraction of a cent.
fn number(values: &[Got<'_>], out: &mut String) -> Result<(), String> {
    let text = text(values);
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if text.is_empty() {
        return Err("an empty number; put `{{#if …}}` around it".to_owned());
    }
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || digits.ends_with('.') {
        return Err(format!("`{text}` is not a number; write it like 1234.5"));
    }
    let (whole, fraction) = match values.get(1) {
        Some(wanted) => round(whole, fraction, decimals(wanted)?),
        None => (Cow::Borrowed(whole), Cow::Borrowed(fraction)),
    };
    out.push_str(sign);
    group(&whole, out);
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(&fraction);
    }
    Ok(())
}

fn decimals(value: &Value<'_>) -> Result<usize, String> {
    let count = value.shown().parse().ok().filter(|count| *count <= 9);
    count.ok_or_else(|| "decimals are a number from 0 to 9".to_owned())
}

/// Rounds half away from zero, as people do with prices.
fn round<'n>(whole: &'n str, fraction: &'n str, decimals: usize) -> (Cow<'n, str>, Cow<'n, str>) {
    if fraction.len() == decimals {
        return (Cow::Borrowed(whole), Cow::Borrowed(fraction));
    }
    if fraction.len() < decimals {
        return (
            Cow::Borrowed(whole),
            Cow::Owned(format!("{fraction:0<decimals$}")),
        );
    }
    let kept = fraction.bytes().take(decimals);
    let mut digits: Vec<u8> = whole.bytes().chain(kept).collect();
    let mut carries = fraction
        .as_bytes()
        .get(decimals)
        .is_some_and(|next| *next >= b'5');
    for digit in digits.iter_mut().rev() {
        if !carries {
            break;
        }
        carries = *digit == b'9';
        *digit = if carries { b'0' } else { *digit + 1 };
    }
    if carries {
        digits.insert(0, b'1');
    }
    let fraction = digits.split_off(digits.len() - decimals);
    let text = |digits: Vec<u8>| Cow::Owned(digits.into_iter().map(char::from).collect());
    (text(digits), text(fraction))
}

fn group(digits: &str, out: &mut String) {
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
}

/// Percent-encodes all but the unreserved characters. Source: RFC 3986, 2.3.
#[expect(clippy::unnecessary_wraps, reason = "a helper, as the others are")]
fn urlencode(values: &[Got<'_>], out: &mut String) -> Result<(), String> {
    for byte in text(values).bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for half in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(half), 16).unwrap_or('0');
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
    Ok(())
}
