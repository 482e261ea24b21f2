//! `mailshot secret dkim-keygen`: a key to sign mails with, the record for it, and the lines for mailshot.toml.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::json;

use super::super::doctor::report;
use super::super::exit::{Coded, Exit};
use super::super::printer::{Form, Printer};
use super::super::{load, runtime};
use super::absolute;
use crate::campaign::Workspace;
use crate::dkim::{Algorithm, BITS, BITS_MAX, BITS_STEP, Key, is_selector};
use crate::doctor::dns::{Name, Resolver};
use crate::doctor::{Paste, zone_of};
use crate::text;
use crate::words::Text;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The domain to sign for: that of the sender
    #[arg(long, value_name = "DOMAIN")]
    domain: String,
    /// The key's name in the DNS, new for each key, such as m2026
    #[arg(long, value_name = "NAME")]
    selector: String,
    /// rsa, which all receivers check; ed25519; or both, under two selectors
    #[arg(long, value_enum, default_value_t = Kind::Rsa)]
    algorithm: Kind,
    /// Bits of an RSA key; 2048 when absent
    #[arg(long)]
    bits: Option<u16>,
    /// Where the key goes; a file that is there stays as it is
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The zone that you edit, where it is a domain above; else the DNS is asked
    #[arg(long, value_name = "DOMAIN")]
    zone: Option<String>,
    /// Ask this resolver for the zone instead of the usual ones; repeatable
    #[arg(long, value_name = "[NAME=]IP[:PORT]")]
    resolver: Vec<Resolver>,
}

/// Which keys are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Rsa,
    Ed25519,
    Both,
}

/// A key that was made.
struct Made {
    algorithm: Algorithm,
    selector: String,
    file: PathBuf,
    pem: String,
    record: Paste,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let domain = domain(&args.domain)?;
    if !is_selector(&args.selector) {
        let what = text!("`{selector}` is not a selector", selector = &args.selector);
        let hint = text!("it is part of a name in the DNS: letters of ASCII, digits, `-` and `_`");
        return Err(Coded::new(Exit::Usage, what).hint(hint).into());
    }
    check(args)?;
    let keys = match args.algorithm {
        Kind::Rsa => vec![(Algorithm::Rsa, args.selector.clone(), args.out.clone())],
        Kind::Ed25519 => vec![(Algorithm::Ed25519, args.selector.clone(), args.out.clone())],
        Kind::Both => vec![
            (Algorithm::Rsa, args.selector.clone(), args.out.clone()),
            (
                Algorithm::Ed25519,
                format!("{}-ed", args.selector),
                beside(&args.out),
            ),
        ],
    };
    // Some end of a selector makes it too long for a name in the DNS.
    if let Some((_, wrong, _)) = keys.iter().find(|(_, selector, _)| !is_selector(selector)) {
        let what = text!("`{selector}` is too long for a selector", selector = wrong);
        let hint = text!("each part of a name in the DNS has 63 letters at most");
        return Err(Coded::new(Exit::Usage, what).hint(hint).into());
    }
    if let Some((.., file)) = keys.iter().find(|(.., file)| file.exists()) {
        return Err(is_there(file));
    }
    let place = Place::of(domain, args, printer)?;
    let mut made = Vec::new();
    for (algorithm, selector, file) in keys {
        let pem = Key::generate(algorithm, args.bits.unwrap_or(BITS))?;
        made.push(Made {
            algorithm,
            record: place.record(&selector, &Key::from_pem(&pem)?)?,
            selector,
            file,
            pem,
        });
    }
    for key in &made {
        write(key)?;
    }
    // The records are data; what to do with them is for people.
    match printer.form {
        Form::Json => made.iter().for_each(|key| as_json(key, &place, printer)),
        Form::Text => show(&made, &place, printer),
    }
    Ok(Exit::Ok)
}

/// What clap does not see: what does not go together.
fn check(args: &Args) -> Result<(), Coded> {
    if args.out.as_os_str() == "-" {
        let what = text!("a private key is written into a file only, not to stdout");
        let hint = text!(
            "it would stay in the terminal's history or in a log: name a file, such as --out keys/{selector}.pem",
            selector = &args.selector
        );
        return Err(Coded::new(Exit::Usage, what).hint(hint));
    }
    let Some(bits) = args.bits else { return Ok(()) };
    if args.algorithm == Kind::Ed25519 {
        let what = text!("--bits is for RSA keys: a key of Ed25519 always has 256");
        let hint = text!("leave --bits out, or make an RSA key: --algorithm rsa");
        return Err(Coded::new(Exit::Usage, what).hint(hint));
    }
    if !(BITS..=BITS_MAX).contains(&bits) || !bits.is_multiple_of(BITS_STEP) {
        let what = text!("{bits} bits are no length for an RSA key here", bits);
        let hint = text!(
            "give {min} to {max}, in steps of {step}; {usual} are usual, and their record fits everywhere",
            min = BITS,
            max = BITS_MAX,
            step = BITS_STEP,
            usual = BITS
        );
        return Err(Coded::new(Exit::Usage, what).hint(hint));
    }
    Ok(())
}

/// How the zone of a domain is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    /// Somebody said so, or there is no other it could be.
    Given,
    /// The DNS says so.
    Dns,
    /// Nobody says so.
    Assumed,
}

/// Where the records go.
struct Place {
    domain: Name,
    zone: Name,
    source: Source,
}

impl Place {
    fn of(domain: Name, args: &Args, printer: Printer) -> anyhow::Result<Self> {
        let (zone, source) = if let Some(zone) = &args.zone {
            let zone = self::domain(zone)?;
            if !domain.is_within(zone.as_str()) {
                let what = text!("{domain} does not lie in the zone {zone}", domain, zone);
                let hint = text!(
                    "name the zone that you edit: {domain}, or a domain above it",
                    domain
                );
                return Err(Coded::new(Exit::Usage, what).hint(hint).into());
            }
            (zone, Source::Given)
        } else if domain.labels() == 2 {
            // The domain above is a registry's.
            (domain.clone(), Source::Given)
        } else {
            printer.say(text!("asking the DNS which zone {domain} lies in …", domain));
            let resolvers = Resolver::or_usual(&args.resolver);
            match runtime()?.block_on(zone_of(&domain, &resolvers)) {
                Some(zone) => (zone, Source::Dns),
                None => (domain.clone(), Source::Assumed),
            }
        };
        Ok(Self { domain, zone, source })
    }

    /// The record of a key.
    fn record(&self, selector: &str, key: &Key) -> anyhow::Result<Paste> {
        let name = format!("{selector}._domainkey.{}", self.domain);
        let parsed = Name::parse(&name).with_context(|| format!("{name} is too long for a name"))?;
        Ok(Paste::text(parsed, &self.zone, key.record()))
    }

    /// What must be known of the zone to paste this record.
    fn said(&self, record: &Paste) -> Option<Text> {
        let (domain, zone) = (&self.domain, &self.zone);
        match self.source {
            Source::Given => None,
            Source::Dns => Some(text!(
                "{domain} lies in the zone {zone}, the DNS says: the host records are those of that zone",
                domain,
                zone
            )),
            Source::Assumed => {
                let above = domain.parent()?;
                Some(text!(
                    "taken for granted, since the DNS does not say it: {domain} is a zone of its own; in the zone {above} the host record would be {host}",
                    domain,
                    above = &above,
                    host = record.name.host_in(&above)
                ))
            }
        }
    }
}

fn domain(text: &str) -> anyhow::Result<Name> {
    let name = Name::parse(text).filter(|name| name.labels() > 1);
    name.ok_or_else(|| {
        let what = text!("`{domain}` is not a domain", domain = text);
        let hint = text!("give the part behind the @ of your sender, such as example.com");
        Coded::new(Exit::Usage, what).hint(hint).into()
    })
}

/// Where the second key goes: `dkim-ed25519.pem` beside `dkim.pem`.
fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let end = path
        .extension()
        .map(|end| format!(".{}", end.to_string_lossy()))
        .unwrap_or_default();
    path.with_file_name(format!("{stem}-ed25519{end}"))
}

fn is_there(file: &Path) -> anyhow::Error {
    let what = text!("{file} is there already", file = file.display().to_string());
    let hint = text!(
        "nothing was made: a key that mails were signed with must not be lost; choose another name, and another selector"
    );
    Coded::new(Exit::Io, what).hint(hint).into()
}

/// Nobody else can read the file at any moment, and none is written over.
fn write(key: &Made) -> anyhow::Result<()> {
    let failed = || format!("write {}", key.file.display());
    if let Some(folder) = key.file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&key.file);
    let mut file = match opened {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(is_there(&key.file)),
        opened => opened.with_context(failed)?,
    };
    file.write_all(key.pem.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(failed)
}

fn as_json(key: &Made, place: &Place, printer: Printer) {
    printer.json(&json!({
        "domain": place.domain,
        "selector": key.selector,
        "algorithm": key.algorithm.name(),
        "key_file": key.file,
        "record": report::record(&key.record),
        "zone_is": place.source,
    }));
}

fn show(made: &[Made], place: &Place, printer: Printer) {
    let domain = &place.domain;
    for key in made {
        printer.say(text!(
            "a key ({algorithm}) was made in {file}; only you can read it, and it must stay so",
            algorithm = key.algorithm.name(),
            file = key.file.display().to_string()
        ));
    }
    let records: Vec<_> = made
        .iter()
        .map(|key| (text!("{selector}", selector = &key.selector), &key.record))
        .collect();
    report::paste(printer, &records);
    let workspace = load::workspace_if_any(printer);
    printer.data(text!("\nfor mailshot.toml"));
    let account = workspace.as_ref().and_then(|workspace| {
        let mut names = workspace.accounts.keys();
        names.next().filter(|_| names.next().is_none())
    });
    let account = account.map_or("main", String::as_str);
    for key in made {
        printer.data(Text::from(format!("  [[account.{account}.dkim]]")));
        printer.data(Text::from(format!("  selector = {:?}", key.selector)));
        if !signs_as_sender(workspace.as_ref(), domain) {
            printer.data(Text::from(format!("  domain = {:?}", domain.to_string())));
        }
        printer.data(Text::from(format!(
            "  key_file = {:?}\n",
            path_in(workspace.as_ref(), &key.file)
        )));
    }
    if let Some(said) = made.first().and_then(|key| place.said(&key.record)) {
        printer.say(said);
    }
    let selectors: Vec<String> = made
        .iter()
        .map(|key| format!("--selector {}", key.selector))
        .collect();
    printer.say(text!(
        "publish the record, wait until `mailshot doctor {domain} {selectors}` sees it, then add these lines; sign with a new key every year",
        domain,
        selectors = selectors.join(" ")
    ));
}

/// Is the domain the sender's, so that it need not be named?
fn signs_as_sender(workspace: Option<&Workspace>, domain: &Name) -> bool {
    let from = workspace.and_then(|workspace| workspace.from.as_ref());
    from.is_some_and(|from| Name::parse(from.address.domain()).as_ref() == Some(domain))
}

/// The path as mailshot.toml has it: from its own folder, where the file lies in it.
fn path_in(workspace: Option<&Workspace>, file: &Path) -> String {
    let whole = absolute(file).unwrap_or_else(|_unknown| file.to_owned());
    // A workspace that is this very folder has an empty path.
    let root = workspace.and_then(|workspace| absolute(&Path::new(".").join(&workspace.root)).ok());
    let inside = root.and_then(|root| whole.strip_prefix(root).map(Path::to_owned).ok());
    inside.unwrap_or(whole).display().to_string()
}
