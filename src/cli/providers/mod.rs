//! `mailshot providers`: what is known about providers, each value with its source, and which one a domain is with.

mod markdown;
pub(super) mod mx;

use serde_json::{Value, json};

use super::exit::{Coded, Exit};
use super::printer::{Form, Printer};
use super::{load, texts};
use crate::campaign::provider::{Book, Fact, Kind, Known, Preset, built_in};
use crate::doctor::dns::Resolver;
use crate::mail::Address;
use crate::text;
use crate::words::{Lang, Text};
use mx::Found;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::PROVIDERS)]
pub(super) struct Args {
    /// The provider to show: its name, with a region if you like, such as alimail-sg
    #[arg(conflicts_with_all = ["of", "markdown"])]
    name: Option<String>,
    /// Find the provider that takes mail for this domain or address; asks the DNS
    #[arg(long = "for", value_name = "DOMAIN|ADDRESS", conflicts_with = "markdown")]
    of: Option<String>,
    /// Ask this resolver instead of the system's; repeatable
    #[arg(long, value_name = "[NAME=]IP[:PORT]", requires = "of")]
    resolver: Vec<Resolver>,
    /// Print docs/providers.md
    #[arg(long, hide = true)]
    markdown: bool,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    if args.markdown {
        printer.raw(markdown::page(built_in()).as_bytes());
        return Ok(Exit::Ok);
    }
    // A workspace is not needed; where there is one, its own providers are shown too.
    let workspace = load::workspace_if_any(printer);
    let book = workspace
        .as_ref()
        .map_or(built_in(), |workspace| &workspace.providers);
    match (&args.of, &args.name) {
        (Some(of), _) => return find(book, of, &args.resolver, printer),
        (None, Some(name)) => show(book, &preset(book, name)?, printer),
        (None, None) => list(book, printer),
    }
    Ok(Exit::Ok)
}

/// The preset of this name.
pub(super) fn preset(book: &Book, name: &str) -> anyhow::Result<Preset> {
    let lower = || book.preset(&name.to_lowercase());
    book.preset(name).or_else(lower).ok_or_else(|| {
        let unknown = Coded::new(Exit::Usage, text!("there is no provider `{name}`", name));
        let unknown = match book.closest(name) {
            Some(known) => unknown.hint(text!(
                "did you mean `{known}`? `mailshot providers` lists all",
                known
            )),
            None => unknown.hint(text!("`mailshot providers` lists them")),
        };
        unknown.into()
    })
}

/// What an account may send, in short.
fn limits(preset: &Preset) -> String {
    let rates: Vec<String> = preset.rates().iter().map(ToString::to_string).collect();
    rates.join(", ")
}

/// Where to connect, in short.
fn server(preset: &Preset) -> String {
    let port = preset.port().map_or(0, |port| port.number);
    format!("{}:{port}", preset.host())
}

fn list(book: &Book, printer: Printer) {
    let all = book.all_with_regions();
    if printer.form == Form::Json {
        for preset in &all {
            printer.json(&short(preset));
        }
        return;
    }
    let name_width = all
        .iter()
        .map(|preset| preset.name.len())
        .max()
        .unwrap_or_default();
    let server_width = all
        .iter()
        .map(|preset| server(preset).len())
        .max()
        .unwrap_or_default();
    for preset in &all {
        let limits = match limits(preset) {
            limits if limits.is_empty() => text!("unknown").in_lang(printer.lang),
            limits => limits,
        };
        let width = unicode_width::UnicodeWidthStr::width(limits.as_str());
        let pad = " ".repeat(LIMITS_WIDTH.saturating_sub(width));
        printer.data(text!(
            "{name}  {preset}  {limits}{pad}  {lang}",
            name = format!("{:name_width$}", preset.name),
            preset = format!("{:server_width$}", server(preset)),
            limits,
            pad,
            lang = preset.title(printer.lang)
        ));
    }
    printer.say(text!(
        "`mailshot providers NAME` shows everything about one, with sources"
    ));
}

/// Columns of the limits in the list.
const LIMITS_WIDTH: usize = 20;

/// The keys that stand in the list.
fn short(preset: &Preset) -> Value {
    let ports = preset.values.ports.iter();
    let ports: Vec<Value> = ports
        .map(|port| json!({ "port": port.number, "tls": port.tls.name() }))
        .collect();
    json!({
        "name": preset.name,
        "title": preset.title(Lang::En),
        "title_zh": preset.title(Lang::Zh),
        "family": preset.family(),
        "kind": preset.values.kind.map(Kind::name),
        "host": preset.host(),
        "ports": ports,
        "rates": preset.rates().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "from_is_login": preset.values.from_is_login,
        "regions": preset.values.regions.keys().collect::<Vec<_>>(),
    })
}

fn show(book: &Book, preset: &Preset, printer: Printer) {
    if printer.form == Form::Json {
        let mut whole = short(preset);
        let facts = book.facts(preset);
        let facts: serde_json::Map<String, Value> = facts
            .iter()
            .map(|fact| (fact.key.to_owned(), as_json(fact)))
            .collect();
        let quirks = preset.values.quirks.iter().map(|quirk| {
            let source = quirk.from.as_deref().and_then(|from| book.source(from));
            json!({ "en": quirk.in_lang(Lang::En), "zh": quirk.in_lang(Lang::Zh), "source": source })
        });
        if let Some(whole) = whole.as_object_mut() {
            whole.insert("facts".to_owned(), facts.into());
            whole.insert("quirks".to_owned(), quirks.collect());
        }
        return printer.json(&whole);
    }
    printer.data(text!(
        "{name} – {lang}",
        name = preset.name,
        lang = preset.title(printer.lang)
    ));
    for fact in book.facts(preset) {
        printer.data(Text::from(fact_line(&fact, printer.lang)));
    }
    if !preset.values.quirks.is_empty() {
        printer.data(Text::default());
        printer.data(text!("What to know"));
    }
    for quirk in &preset.values.quirks {
        let source = quirk.from.as_deref().and_then(|from| book.source(from));
        let mark = source.map_or("·", |source| source.kind.confidence().letter());
        printer.data(text!("  {mark} {lang}", mark, lang = quirk.in_lang(printer.lang)));
    }
    printer.data(Text::default());
    sources(book, preset, printer);
}

/// `A  server  smtp.example.com   [title, date]`.
fn fact_line(fact: &Fact<'_>, lang: Lang) -> String {
    let mark = match (&fact.known, fact.source) {
        (Known::Unknown, _) => "?",
        (Known::None, _) | (Known::Value(_), None) => " ",
        (Known::Value(_), Some(source)) => source.kind.confidence().letter(),
    };
    let label = fact.label().in_lang(lang);
    let width = unicode_width::UnicodeWidthStr::width(label.as_str());
    let pad = " ".repeat(LABEL_WIDTH.saturating_sub(width));
    format!("  {mark} {label}{pad} {}", fact.shown(lang))
}

/// Columns of the labels.
const LABEL_WIDTH: usize = 31;

/// The sources of a preset, with what each is and the keys that come from it.
fn sources(book: &Book, preset: &Preset, printer: Printer) {
    printer.data(text!("Where it comes from"));
    let facts = book.facts(preset);
    for (name, source) in book.sources() {
        let from_it = facts.iter().filter(|fact| fact.source == Some(source));
        let mut keys: Vec<&str> = from_it.map(|fact| fact.key).collect();
        let quirks = preset.values.quirks.iter();
        if quirks.filter(|quirk| quirk.from.as_deref() == Some(name)).count() > 0 {
            keys.push("quirks");
        }
        if keys.is_empty() {
            continue;
        }
        let letter = source.kind.confidence().letter();
        let date = if source.date.is_empty() { "" } else { ", " };
        printer.data(text!(
            "  {letter} {title}{date}{date2}",
            letter,
            title = source.title,
            date,
            date2 = source.date
        ));
        if let Some(url) = &source.url {
            printer.data(text!("    {url}", url));
        }
        printer.data(text!("    {keys}", keys = keys.join(", ")));
    }
    printer.data(Text::default());
    printer.data(text!(
        "A the provider's own documents · B open-source code or recorded dialogues · C one voice · K known in the trade, not checked · ? unknown"
    ));
}

fn as_json(fact: &Fact<'_>) -> Value {
    let state = match &fact.known {
        Known::Value(_) => "known",
        Known::Unknown => "unknown",
        Known::None => "none",
    };
    let value = match &fact.known {
        Known::Value(value) => serde_json::to_value(value).unwrap_or_default(),
        Known::Unknown | Known::None => Value::Null,
    };
    let confidence = fact.source.map(|source| source.kind.confidence());
    json!({ "state": state, "value": value, "confidence": confidence, "source": fact.source })
}

/// Which provider takes the mail of a domain.
fn find(book: &Book, of: &str, resolvers: &[Resolver], printer: Printer) -> anyhow::Result<Exit> {
    let domain = of.rsplit_once('@').map_or(of, |(_, domain)| domain);
    if Address::parse(&format!("a@{domain}")).is_err() {
        let what = text!("`{of}` is neither an address nor a domain", of);
        let hint = text!("write it like `--for news@example.com` or `--for example.com`");
        return Err(Coded::new(Exit::Usage, what).hint(hint).into());
    }
    let found = mx::find(book, domain, resolvers)?;
    if printer.form == Form::Json {
        printer.json(&json!({ "domain": domain, "provider": found.provider(), "mx": found.hosts() }));
    } else {
        printer.data(said(book, domain, &found, printer.lang));
    }
    Ok(if found.provider().is_some() {
        Exit::Ok
    } else {
        Exit::Data
    })
}

/// What was found, in a sentence.
pub(super) fn said(book: &Book, domain: &str, found: &Found, lang: Lang) -> Text {
    let title = |name: &str| {
        book.preset(name)
            .map(|preset| preset.title(lang))
            .unwrap_or_default()
    };
    match found {
        Found::ByName(name) => text!(
            "{domain} belongs to {title}: provider = \"{name}\"",
            domain,
            title = title(name),
            name
        ),
        Found::ByMx(name, hosts) => text!(
            "{domain}: its mail goes to {hosts}, so it is with {title}; provider = \"{name}\"",
            domain,
            hosts = hosts.join(", "),
            title = title(name),
            name
        ),
        Found::Stranger(hosts) if hosts.is_empty() => {
            text!("{domain}: takes no mail (no MX records)", domain)
        }
        Found::Stranger(hosts) => text!(
            "{domain}: its mail goes to {hosts}, which belongs to no provider known here; give host, port and tls",
            domain,
            hosts = hosts.join(", ")
        ),
    }
}
