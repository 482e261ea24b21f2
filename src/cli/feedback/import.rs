//! `mailshot feedback import`: mails that have come back, from files.

use std::path::PathBuf;

use serde::Serialize;

use super::super::exit::{Coded, Exit};
use super::super::printer::{Form, Printer};
use crate::campaign::plain;
use crate::feedback::store::Store;
use crate::feedback::{Incoming, Kind};
use crate::mail::Severity;
use crate::replies::Judge;
use crate::text;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A mail (.eml), an mbox, a Maildir, or a folder of mails
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Only say what is understood; change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What is said of a mail.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    kind: Kind,
    recipient: Option<&'a str>,
    severity: Option<Severity>,
    class: Option<&'static str>,
    campaign: Option<&'a str>,
    /// All of them, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recipients: Vec<About<'a>>,
}

/// What is said of one of several recipients.
#[derive(Serialize)]
struct About<'a> {
    recipient: &'a str,
    severity: Option<Severity>,
    class: Option<&'static str>,
    reply: String,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let judge = Judge::default();
    let failed = |error: std::io::Error| {
        let file = args.path.display().to_string();
        Coded::new(
            Exit::Io,
            text!("cannot read {file}: {why}", file, why = plain(&error)),
        )
    };
    for stored in Store::open(&args.path).map_err(failed)? {
        let stored = stored.map_err(failed)?;
        let incoming = Incoming::read(&stored.octets, &judge);
        let first = incoming.about.first();
        let line = Line {
            file: &stored.name,
            kind: incoming.kind,
            recipient: first.map(|one| one.address.as_str()),
            severity: first.and_then(|one| one.severity()),
            class: first
                .and_then(|one| one.verdict)
                .map(|verdict| verdict.class.name()),
            campaign: None,
            recipients: if incoming.about.len() > 1 {
                incoming
                    .about
                    .iter()
                    .map(|one| About {
                        recipient: &one.address,
                        severity: one.severity(),
                        class: one.verdict.map(|verdict| verdict.class.name()),
                        reply: one.reply.to_string(),
                    })
                    .collect()
            } else {
                Vec::new()
            },
        };
        if printer.form == Form::Json {
            printer.json(&line);
        }
    }
    Ok(Exit::Ok)
}
