//! `mailshot preview`: the mail of one recipient, as it would be sent.

mod page;

use std::path::{Path, PathBuf};

use serde_json::json;

use super::exit::{Coded, Exit};
use super::list::ListFlags;
use super::printer::{Form, Printer};
use super::{load, texts};
use crate::campaign::Problems;
use crate::clock::Clock;
use crate::mail::{Address, Recipient};
use crate::pipeline::Mail;
use crate::source::{List, Row};
use crate::text;
use crate::words::Text;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::PREVIEW)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch on the command line"
)]
pub(super) struct Args {
    /// The campaign: its file, or its name
    campaign: String,
    /// The recipient's row, counted from 1 without the header
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "to")]
    row: u64,
    /// The recipient's address
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// Only the HTML part
    #[arg(long, conflicts_with_all = ["text", "eml"])]
    html: bool,
    /// Only the text part
    #[arg(long, conflicts_with = "eml")]
    text: bool,
    /// The whole mail, byte for byte
    #[arg(long)]
    eml: bool,
    /// Show HTML, text and headers in the browser, on a desktop and a phone; leaf through the recipients
    #[arg(long, conflicts_with_all = ["html", "text", "eml"])]
    open: bool,
    /// Write these pages into a folder instead
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["html", "text", "eml", "open"])]
    pages: Option<PathBuf>,
    #[command(flatten)]
    list: ListFlags,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let (workspace, campaign) = load::campaign(&args.campaign, Some(args.list), printer)?;
    let (list, maker) = load::maker(&workspace, &campaign, load::uid(&workspace, &campaign)?)?;
    let recipient = match &args.to {
        Some(address) => by_address(&list, address)?,
        None => by_row(&list, args.row)?,
    };
    let mail = maker
        .make(&recipient, Clock::System.now_ms())
        .map_err(Problems::from)?;
    if let Some(folder) = &args.pages {
        let page = page::write(folder, &list, &maker, &recipient, printer.lang)?;
        printer.data(Text::from(page.display().to_string()));
    } else if args.open {
        let folder = std::env::temp_dir().join(format!("mailshot-preview-{}", std::process::id()));
        open(&page::write(&folder, &list, &maker, &recipient, printer.lang)?)?;
    } else if args.html {
        printer.data(Text::from(&mail.content.html));
    } else if args.text {
        printer.data(Text::from(&mail.content.text));
    } else if args.eml {
        printer.raw(&mail.message.bytes);
    } else if printer.form == Form::Json {
        printer.json(&json!({
            "recipient": recipient.address.as_str(),
            "line": recipient.place.line,
            "message_id": mail.message.message_id,
            "subject": mail.content.subject,
            "text": mail.content.text,
            "html": mail.content.html,
            "bytes": mail.message.bytes.len(),
            "fields": recipient.fields(list.columns()),
        }));
    } else {
        describe(&recipient, &mail, printer);
    }
    Ok(Exit::Ok)
}

fn describe(recipient: &Recipient, mail: &Mail, printer: Printer) {
    printer.data(text!(
        "To:      {address} (line {line} of the list)",
        address = recipient.address,
        line = recipient.place.line
    ));
    printer.data(text!("Subject: {subject}", subject = mail.content.subject));
    printer.data(text!(
        "Size:    {bytes} bytes\n",
        bytes = mail.message.bytes.len()
    ));
    printer.data(Text::from(&mail.content.text));
}

fn by_row(list: &List, row: u64) -> anyhow::Result<Recipient> {
    let mut count = 0;
    for found in list.rows()? {
        count += 1;
        let found = found?;
        if let Some((recipient, why)) = found.why_not_mailed(list).filter(|_| count == row) {
            return Err(not_mailed(recipient, &why));
        }
        match found {
            Row::Usable(recipient) | Row::Duplicate { recipient, .. } if count == row => {
                return Ok(recipient);
            }
            Row::Rejected(rejected) if count == row => return Err(Problems::from(rejected.problem).into()),
            _ => {}
        }
    }
    let what = text!(
        "there is no row {row}; {list} has {count}",
        row,
        list = list.path().display(),
        count
    );
    Err(Coded::new(Exit::Data, what)
        .hint(text!("rows are counted from 1, without the header"))
        .into())
}

/// Finds the row of an address.
pub(super) fn by_address(list: &List, address: &str) -> anyhow::Result<Recipient> {
    let wanted = Address::parse_utf8(address)
        .map_err(|fault| Coded::new(Exit::Usage, text!("`{address}`: {fault}", address, fault)))?;
    for found in list.rows()? {
        let found = found?;
        if let Some((recipient, why)) = found.why_not_mailed(list)
            && recipient.address.key() == wanted.key()
        {
            return Err(not_mailed(recipient, &why));
        }
        if let Row::Usable(recipient) = found
            && recipient.address.key() == wanted.key()
        {
            return Ok(recipient);
        }
    }
    Err(Coded::new(
        Exit::Data,
        text!("{wanted} is not in {list}", wanted, list = list.path().display()),
    )
    .into())
}

/// Somebody on the list who gets no mail.
fn not_mailed(recipient: &Recipient, why: &Text) -> anyhow::Error {
    let line = recipient.place.line;
    let what = text!(
        "{address} (line {line}) gets no mail: {why}",
        address = recipient.address,
        line,
        why
    );
    Coded::new(Exit::Data, what).into()
}

fn open(page: &Path) -> anyhow::Result<()> {
    let opened = std::process::Command::new("xdg-open").arg(page).status();
    let is_open = opened.is_ok_and(|status| status.success());
    if is_open {
        Ok(())
    } else {
        Err(Coded::new(
            Exit::Io,
            text!("no browser was found; open {page}", page = page.display()),
        )
        .into())
    }
}
