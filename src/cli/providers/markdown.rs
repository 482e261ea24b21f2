//! `docs/providers.md`, made from the data.

use std::fmt::Write as _;

use super::{limits, server};
use crate::campaign::provider::{Book, Fact, Known, Preset};
use crate::words::Lang;

const HEAD: &str = "\
# Providers

Made by `mailshot providers --markdown` from `src/campaign/provider/providers.toml`: correct values there. A test fails
when this page is not what the command prints. Values are starting values; what you write in mailshot.toml wins.

Confidence: **A** the provider's own documents · **B** maintained open-source code, recorded dialogues · **C** a reseller,
a guide, one voice · **K** known in the trade, not checked · **·** a choice of mailshot's own · **?** unknown.

";

/// The whole page.
pub(super) fn page(book: &Book) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| provider | | server | limits |\n|---|---|---|---|\n");
    for preset in &book.all_with_regions() {
        let section = preset
            .region
            .as_ref()
            .and_then(|region| preset.name.strip_suffix(region.as_str()));
        let section = section.map_or(preset.name.as_str(), |name| name.trim_end_matches('-'));
        let limits = limits(preset);
        let limits = if limits.is_empty() { "unknown" } else { &limits };
        row(
            &mut page,
            &[
                &format!("[`{}`](#{section})", preset.name),
                &preset.title(Lang::En),
                &server(preset),
                limits,
            ],
        );
    }
    for preset in &book.all() {
        one(&mut page, book, preset);
    }
    page.push_str("\n## Sources\n\n| source | confidence | date | |\n|---|---|---|---|\n");
    for (name, source) in book.sources() {
        let title = match &source.url {
            Some(url) => format!("[{}]({url})", source.title.en),
            None => source.title.en.clone(),
        };
        let letter = source.kind.confidence().letter();
        row(&mut page, &[name, letter, &source.date, &title]);
    }
    page
}

fn one(page: &mut String, book: &Book, preset: &Preset) {
    line(page, &format!("\n## {}\n", preset.name));
    line(
        page,
        &format!("{} · {}\n", preset.title(Lang::En), preset.title(Lang::Zh)),
    );
    page.push_str("| | value | | source |\n|---|---|---|---|\n");
    for fact in book.facts(preset) {
        let key = format!("`{}` {}", fact.key, fact.label().in_lang(Lang::En));
        row(
            page,
            &[&key, &fact.shown(Lang::En), mark(&fact), &source(book, &fact)],
        );
    }
    page.push('\n');
    for quirk in &preset.values.quirks {
        let from = quirk.from.as_deref().unwrap_or_default();
        line(page, &format!("* {} ({from})", quirk.in_lang(Lang::En)));
    }
}

fn mark(fact: &Fact<'_>) -> &'static str {
    match (&fact.known, fact.source) {
        (Known::Unknown, _) => "?",
        (Known::None, _) | (Known::Value(_), None) => "",
        (Known::Value(_), Some(source)) => source.kind.confidence().letter(),
    }
}

/// The name of a fact's source, with its date.
fn source(book: &Book, fact: &Fact<'_>) -> String {
    let Some(source) = fact.source else {
        return String::new();
    };
    let named = book.sources().find(|(_, known)| *known == source);
    let name = named.map_or("", |(name, _)| name);
    format!("{name}, {}", source.date)
}

fn row(page: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    line(page, &format!("| {} |", cells.join(" | ")));
}

fn line(page: &mut String, text: &str) {
    // Writing into a String does not fail.
    let _written = writeln!(page, "{text}");
}
