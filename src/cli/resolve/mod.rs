//! `mailshot resolve`: lists deliveries in doubt, and settles them as the user says, or as others have them on record.

mod evidence;
mod head;

use std::path::Path;

use serde_json::json;

use super::counted::deliveries;
use super::exit::{Coded, Exit};
use super::inbox::{self, Door};
use super::lockout::Again;
use super::printer::{Form, Printer};
use super::{load, runtime, texts};
use crate::campaign::{Workspace, plain};
use crate::ledger::lock;
use crate::ledger::read::{Reader, Standing};
use crate::ledger::{Ledger, Resolution, Settled, State};
use crate::mail::Address;
use crate::text;
use crate::words::Text;
use evidence::Evidence;

/// Before the name of a mailbox, where paths may stand too.
const MAILBOX: &str = "mailbox:";

#[derive(Debug, clap::Args)]
#[command(after_help = texts::RESOLVE)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub(super) struct Args {
    /// The campaign: its file, or its name
    campaign: String,
    /// Send them again, with the same Message-ID
    #[arg(long, conflicts_with = "assume_sent")]
    resend: bool,
    /// Take them for sent
    #[arg(long)]
    assume_sent: bool,
    /// Look for them in a log of the mail server, in what a provider exported, or in mails that came back (files, or
    /// `mailbox:NAME` of mailshot.toml): those found there are sent
    #[arg(long, value_name = "PATH", conflicts_with_all = ["resend", "assume_sent", "to"])]
    from: Vec<String>,
    /// With --from: everything that was accepted stands there, so that the others are sent again
    #[arg(long, requires = "from")]
    complete: bool,
    /// Only this recipient
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(Some(&args.campaign))?;
    let name = load::campaign_name(&args.campaign, &workspace)?;
    if !args.from.is_empty() {
        return from(args, &workspace, &name, printer);
    }
    let how = match (args.resend, args.assume_sent) {
        (true, _) => Resolution::Resend,
        (_, true) => Resolution::AssumeSent,
        _ => return list(&workspace, &name, printer),
    };
    let key = match &args.to {
        Some(address) => Some(
            Address::parse_utf8(address)
                .map_err(|fault| Coded::new(Exit::Usage, text!("`{address}`: {fault}", address, fault)))?
                .key(),
        ),
        None => None,
    };
    let question = match how {
        Resolution::Resend => text!("Send what is in doubt again? Some people may get it twice."),
        Resolution::AssumeSent => text!("Take what is in doubt for sent? Some people may never get it."),
    };
    super::confirm(printer, args.yes, question)?;
    let doubtful = |reader: &Reader| in_doubt(reader, &name, key.as_deref());
    let reader = reader_of(&workspace, &name)?;
    if key.is_some() && doubtful(&reader)?.is_empty() {
        let what = text!("nothing of `{name}` is in doubt for this address", name);
        return Err(Coded::new(Exit::Data, what).into());
    }
    let settled = runtime()?.block_on(settle(&workspace, &name, key.clone(), how))?;
    match (printer.form, how) {
        (Form::Json, _) => printer.json(&json!({ "campaign": name, "resolved": settled })),
        (Form::Text, Resolution::Resend) => {
            let many = deliveries(settled);
            printer.data(if lock::is_running(&workspace.ledger, &name) {
                text!("{many} will be sent again by the run that goes on", many)
            } else {
                text!("{many} will be sent again by the next `mailshot send`", many)
            });
        }
        (Form::Text, Resolution::AssumeSent) => {
            printer.data(text!(
                "{deliveries} taken for sent",
                deliveries = deliveries(settled)
            ));
        }
    }
    if how == Resolution::Resend {
        for one in doubtful(&reader)? {
            printer.say(text!(
                "{to} is no longer on the list and stays in doubt; --assume-sent settles it",
                to = one.to()
            ));
        }
    }
    Ok(Exit::Ok)
}

/// Settles what is in doubt by what others have on record.
fn from(args: &Args, workspace: &Workspace, name: &str, printer: Printer) -> anyhow::Result<Exit> {
    let reader = reader_of(workspace, name)?;
    let id = reader.campaign(name)?.ok_or_else(|| unknown(name))?;
    let mut doubtful = Vec::new();
    reader.each_fate(id, |fate| {
        if fate.state == State::InDoubt {
            doubtful.push(fate);
        }
        Ok(())
    })?;
    let mut evidence = Evidence::new(&doubtful);
    for place in &args.from {
        match place.strip_prefix(MAILBOX) {
            Some(inbox) => look_into_mailbox(inbox, workspace, &mut evidence, printer)?,
            None => evidence.look_into(Path::new(place)).map_err(|error| {
                let what = text!(
                    "cannot read {file}: {why}",
                    file = place.as_str(),
                    why = plain(&error)
                );
                Coded::new(Exit::Io, what).hint(text!("nothing was changed"))
            })?,
        }
    }
    let settled = doubtful.iter().filter_map(|fate| match evidence.of(fate.id) {
        Some(place) => Some(Settled {
            delivery: fate.id,
            how: Resolution::AssumeSent,
            evidence: format!("sent: found in {place}"),
        }),
        None => args.complete.then(|| Settled {
            delivery: fate.id,
            how: Resolution::Resend,
            evidence: "to be sent again: it is not in the server's records".to_owned(),
        }),
    });
    let settled: Vec<Settled> = settled.collect();
    let sent = settled
        .iter()
        .filter(|one| one.how == Resolution::AssumeSent)
        .count() as u64;
    let again = settled.len() as u64 - sent;
    let left = (doubtful.len() - settled.len()) as u64;
    printer.say(text!(
        "{sent} found there, {again} to be sent again, {left} still in doubt",
        sent = deliveries(sent),
        again,
        left
    ));
    if !settled.is_empty() {
        super::confirm(printer, args.yes, text!("Settle them so?"))?;
    }
    let count = runtime()?.block_on(async { Ledger::open(&workspace.ledger)?.settle(id, settled).await })?;
    match printer.form {
        Form::Json => printer.json(&json!({
            "campaign": name, "resolved": count, "sent": sent, "resend": again, "in_doubt": left,
        })),
        Form::Text => printer.data(text!("{deliveries} settled", deliveries = deliveries(count))),
    }
    Ok(if left == 0 { Exit::Ok } else { Exit::Partial })
}

/// Looks at all mails of a mailbox, and changes nothing there.
fn look_into_mailbox(
    name: &str,
    workspace: &Workspace,
    evidence: &mut Evidence<'_>,
    printer: Printer,
) -> anyhow::Result<()> {
    let inbox = inbox::named(name, workspace)?;
    printer.say(text!("mailbox {name} ({server})", name, server = inbox.server()));
    let ledger = Ledger::open(&workspace.ledger)?;
    let door = Door {
        inbox,
        workspace,
        ledger: &ledger,
    };
    let mut each = |place: &str, octets: &[u8]| {
        // Nothing can go wrong with octets in memory.
        let _read = evidence.look_into_lines(&format!("mailbox {name}, {place}"), octets);
    };
    let looked = runtime()?.block_on(door.each_mail(Again::Later, &mut each));
    looked.map_err(|ended| ended.into_error(inbox))
}

async fn settle(
    workspace: &Workspace,
    name: &str,
    key: Option<String>,
    how: Resolution,
) -> anyhow::Result<u64> {
    let ledger = Ledger::open(&workspace.ledger)?;
    let campaign = ledger.find(name).await?.ok_or_else(|| unknown(name))?;
    ledger.resolve(campaign.id, key, how).await
}

fn list(workspace: &Workspace, name: &str, printer: Printer) -> anyhow::Result<Exit> {
    let doubtful = in_doubt(&reader_of(workspace, name)?, name, None)?;
    if printer.form == Form::Json {
        for one in &doubtful {
            printer.json(one);
        }
        return Ok(Exit::Ok);
    }
    printer.data(text!(
        "{deliveries} in doubt",
        deliveries = deliveries(doubtful.len() as u64)
    ));
    for one in &doubtful {
        printer.data(text!(
            "  {to}  {reason}",
            to = one.to(),
            reason = Text::kept(&one.reason)
        ));
    }
    if !doubtful.is_empty() {
        printer.say(text!(
            "\nsend them again with --resend, or take them for sent with --assume-sent"
        ));
    }
    Ok(Exit::Ok)
}

fn reader_of(workspace: &Workspace, name: &str) -> anyhow::Result<Reader> {
    let reader = Reader::open(&workspace.ledger)?;
    let knows = |reader: &Reader| reader.uid(name).is_ok_and(|uid| uid.is_some());
    Ok(reader.filter(knows).ok_or_else(|| unknown(name))?)
}

/// Who is in doubt and why; only one address, or all.
fn in_doubt(reader: &Reader, name: &str, key: Option<&str>) -> anyhow::Result<Vec<Standing>> {
    let mut doubtful = reader.in_state(name, State::InDoubt, u32::MAX)?;
    doubtful.retain(|one| key.is_none_or(|key| Address::key_of(&one.recipient) == key));
    Ok(doubtful)
}

fn unknown(name: &str) -> Coded {
    let what = text!("the ledger knows no campaign `{name}`", name);
    Coded::new(Exit::Data, what).hint(text!("`mailshot status` lists those it knows"))
}
