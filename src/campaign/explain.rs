//! What the TOML parser says, in the words of those who write campaigns: the key, what it takes, and an example.

use std::ops::Range;
use std::path::Path;

use super::problem::Problem;
use crate::text;
use crate::words::Text;

/// A key is suggested in place of another when they are at least this alike (0 to 1).
const ALIKE: f64 = 0.7;

/// How keys are written whose form is not plain.
const EXAMPLES: [(&str, &str); 25] = [
    (
        "attachment",
        "attachment = \"terms.pdf\"`, `[\"a.pdf\", \"b.pdf\"]` or `{ file = \"a.pdf\", name = \"Terms.pdf\" }",
    ),
    ("exclude", "exclude = [\"lists/vip.csv\"]"),
    ("fix", "fix = true"),
    ("html", "html = \"templates/spring/body.html.hbs\""),
    ("ignore_consent", "ignore_consent = true"),
    ("inline_css", "inline_css = false"),
    ("lang", "lang = \"zh\""),
    ("language", "[language.zh]"),
    ("language_column", "language_column = \"lang\""),
    ("laws", "laws = [\"us\", \"eu\"]"),
    ("legal_basis", "legal_basis = \"soft-opt-in\""),
    ("preheader", "preheader = \"New tea, and what to do with it\""),
    ("rates", "rates = [\"20/min\", \"200/day\"]"),
    ("recipients", "recipients = \"lists/customers.csv\""),
    ("sample", "sample = 500` or `sample = \"10%\""),
    ("ports", "ports = [\"465 tls\", \"587 starttls\"]"),
    ("subject", "subject = \"Spring is here, {{first_name}}\""),
    ("subject_mark", "subject_mark = \"auto\""),
    ("tags", "tags = [\"spring\"]"),
    ("text", "text = \"templates/spring/body.txt.hbs\""),
    (
        "title",
        "title = \"our relay\"` or `title = { en = \"our relay\", zh = \"内部中继\" }",
    ),
    ("track", "track = [\"opens\", \"links\"]"),
    ("variant", "[[variant]]` for each of them"),
    ("weight", "weight = 3"),
    ("where", "where = \"country = 'DE'\""),
];

/// A fault of a TOML file as a problem.
pub(super) fn explain(path: &Path, text: &str, error: &toml::de::Error) -> Problem {
    let message = error.message().replace('\n', " ");
    let range = error.span().unwrap_or(0..0);
    let problem = |what: Text| Problem::in_text(path, text, range.clone(), what);
    if let Some(rest) = message.strip_prefix("unknown field `") {
        return unknown_key(rest, text, range.start, problem);
    }
    if let Some(key) = message
        .strip_prefix("missing field `")
        .map(|rest| rest.trim_end_matches('`'))
    {
        return with_example(
            problem(text!(
                "`{key}` is missing{place}",
                key,
                place = lacking(text, range.start)
            )),
            key,
        );
    }
    let key = key_of(text, &range);
    let named = if key.is_empty() {
        text!("this")
    } else {
        Text::from(format!("`{key}`"))
    };
    let wrong = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "));
    if let Some((found, expected)) = wrong.and_then(|rest| rest.split_once(", expected "))
        && let Some(expected) = kind_expected(expected)
    {
        let what = text!(
            "{named} is {expected}, not {found}",
            named,
            expected,
            found = kind_found(found)
        );
        return with_example(problem(what), key);
    }
    if message.starts_with("data did not match any variant") {
        return with_example(problem(text!("{named} cannot be this", named)), key);
    }
    if message.starts_with("duplicate key") {
        return problem(text!(
            "{named} is written twice{place}",
            named,
            place = table(text, range.start)
        ))
        .hint(text!("take one out"));
    }
    problem(Text::kept(message.trim_end_matches('.')))
}

fn unknown_key(rest: &str, text: &str, at: usize, problem: impl Fn(Text) -> Problem) -> Problem {
    let (key, expected) = rest.split_once('`').unwrap_or((rest, ""));
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let problem = problem(text!("unknown key `{key}`{place}", key, place = table(text, at)));
    if matches!(
        key,
        "password" | "pass" | "passwd" | "secret" | "api_key" | "token"
    ) {
        return problem.hint(text!(
            "secrets do not stand in files of the workspace: write `password_file = \"account.password\"` or `password_env = \"…\"` instead, and take this line out"
        ));
    }
    match closest(key, &known) {
        Some(known) => problem.hint(text!("did you mean `{known}`?", known)),
        None => problem.hint(text!("known keys here: {known}", known = known.join(", "))),
    }
}

fn with_example(problem: Problem, key: &str) -> Problem {
    match EXAMPLES.iter().find(|(name, _)| *name == key) {
        // Some examples say more behind their last backtick.
        Some((_, example)) if example.matches('`').count() % 2 == 1 => {
            problem.hint(text!("write `{example}", example))
        }
        Some((_, example)) => problem.hint(text!("write `{example}`", example)),
        None => problem,
    }
}

/// The key whose value stands there; empty, when it cannot be told.
fn key_of<'t>(text: &'t str, range: &Range<usize>) -> &'t str {
    let is_key =
        |key: &str| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let start = text
        .get(..range.start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let lines = text.get(start..).unwrap_or_default();
    let line = lines.lines().next().unwrap_or_default().trim();
    let head = line.trim_start_matches('[');
    let key = match line.split_once('=') {
        Some((key, _)) => key.trim(),
        None => head.split([']', '.']).next().unwrap_or_default(),
    };
    if is_key(key) { key } else { "" }
}

fn kind_found(found: &str) -> Text {
    let (kind, value) = found.split_once(' ').unwrap_or((found, ""));
    match kind {
        "string" => text!("a text in quotes"),
        "boolean" => Text::from(value.replace('`', "")),
        "integer" => text!("the number {number}", number = value.replace('`', "")),
        "floating" => text!(
            "the number {number}",
            number = value.trim_start_matches("point ").replace('`', "")
        ),
        "sequence" => text!("a list"),
        "map" => text!("a table"),
        _ => Text::kept(found),
    }
}

/// None, when our own words stand there already.
fn kind_expected(expected: &str) -> Option<Text> {
    Some(match expected.trim_end_matches('.') {
        "a sequence" => text!("a list"),
        "a map" => text!("a table"),
        "a string" | "path string" => text!("a text in quotes"),
        "a boolean" => text!("`true` or `false` without quotes"),
        "i64" | "i32" => text!("a whole number"),
        "u64" | "u32" | "u16" | "u8" | "usize" => text!("a whole number from 0"),
        "a nonzero u32" | "a nonzero u64" | "a nonzero u16" => text!("a whole number from 1"),
        _ => return None,
    })
}

/// The table that lacks a key: whose head stands at this position, or the one that it stands in.
fn lacking(text: &str, position: usize) -> Text {
    let line = text.get(position..).unwrap_or_default().lines().next();
    match line.filter(|line| line.starts_with('[')) {
        Some(head) => text!(" in {head}", head = head.trim_end()),
        None => table(text, position),
    }
}

/// The table that a position stands in, as `" in [quota]"`.
fn table(text: &str, position: usize) -> Text {
    let before = text.get(..position).unwrap_or_default();
    // The line of the key itself may be the head of a table.
    let before = before.rsplit_once('\n').map_or("", |(lines, _)| lines);
    let head = before
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| line.starts_with('['));
    head.map(|head| text!(" in {head}", head)).unwrap_or_default()
}

/// The known word that is most like `word`, if any is alike enough to be meant.
pub fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored = known
        .iter()
        .map(|known| (strsim::jaro_winkler(word, known), *known));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde::Deserialize;
    use toml::Spanned;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Campaign {
        laws: Option<Vec<Spanned<String>>>,
        exclude: Option<Vec<PathBuf>>,
        inline_css: Option<bool>,
        sample: Option<super::super::list::NumberOrText>,
        weight: Option<u32>,
        subject: String,
    }

    #[test]
    fn what_a_key_takes_is_said_with_an_example() {
        for (line, said) in [
            (
                "laws = \"cn\"",
                "2:8 `laws` is a list, not a text in quotes / write `laws = [\"us\", \"eu\"]`",
            ),
            (
                "exclude = [5]",
                "2:12 `exclude` is a text in quotes, not the number 5 / write `exclude = [\"lists/vip.csv\"]`",
            ),
            (
                "inline_css = \"no\"",
                "2:14 `inline_css` is `true` or `false` without quotes, not a text in quotes / write `inline_css = false`",
            ),
            (
                "sample = 1.5",
                "2:10 `sample` cannot be this / write `sample = 500` or `sample = \"10%\"`",
            ),
            (
                "weight = -1",
                "2:10 `weight` is a whole number from 0, not the number -1 / write `weight = 3`",
            ),
            ("subject = \"b\"", "2:1 `subject` is written twice / take one out"),
            (
                "password = \"x\"",
                "2:1 unknown key `password` / secrets do not stand in files of the workspace: write \
                 `password_file = \"account.password\"` or `password_env = \"…\"` instead, and take this line out",
            ),
            ("law = []", "2:1 unknown key `law` / did you mean `laws`?"),
        ] {
            let text = format!("subject = \"a\"\n{line}\n");
            let error = toml::from_str::<Campaign>(&text).unwrap_err();
            let problem = explain(Path::new("c.toml"), &text, &error);
            let hint = problem.hint.unwrap_or_default();
            assert_eq!(
                format!("{}:{} {} / {hint}", problem.line, problem.column, problem.what),
                said
            );
        }
        let error = toml::from_str::<Campaign>("laws = []").unwrap_err();
        let problem = explain(Path::new("c.toml"), "laws = []", &error);
        assert_eq!(problem.what, "`subject` is missing");
    }
}
