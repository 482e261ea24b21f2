//! `mailshot verify`: reads a received copy back.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::doctor::send_to::{NAME, own_file};
use super::doctor::{Examined, exit, report};
use super::exit::{Coded, Exit};
use super::preview::by_address;
use super::printer::{Form, Printer, time};
use super::send::test_list;
use super::{load, runtime, texts};
use crate::campaign::{ListSettings, Problems, Workspace, plain};
use crate::doctor::dns::Resolver;
use crate::doctor::examine_received;
use crate::doctor::received::{Mail, Received, domain_of_from, is_blind};
use crate::ledger::read::{Reader, Sending};
use crate::mail::{UnsubscribeKey, Volume};
use crate::text;
use crate::words::Text;

/// Octets of a mail that is read at most.
const SIZE_MAX: u64 = 100 * 1024 * 1024;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::VERIFY)]
pub(super) struct Args {
    /// The mail as it arrived: save it with all its headers ("show original", "view source")
    #[arg(value_name = "FILE.eml")]
    file: PathBuf,
    /// The mail as it was sent; else the ledger of this workspace is asked for its Message-ID
    #[arg(long, value_name = "FILE.eml")]
    sent: Option<PathBuf>,
    /// Ask this resolver instead of the usual ones; repeatable
    #[arg(long, value_name = "[NAME=]IP[:PORT]")]
    resolver: Vec<Resolver>,
    /// Show details of what is well, too
    #[arg(long, short)]
    verbose: bool,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let mail = read(&args.file)?;
    let Some(domain) = domain_of_from(&mail) else {
        let what = text!(
            "{file} is not a mail: it has no From with an address",
            file = args.file.display().to_string()
        );
        let hint = text!(
            "save the whole mail, with its headers: \"show original\" at Gmail, \"export as .eml\" at QQ and 163"
        );
        return Err(Coded::new(Exit::Data, what).hint(hint).into());
    };
    let workspace = load::workspace_if_any(printer);
    let sent = match &args.sent {
        Some(path) => Some(read(path)?),
        None => workspace
            .as_ref()
            .and_then(|workspace| found(workspace, &mail, printer).transpose())
            .transpose()?,
    };
    let accounts = workspace.iter().flat_map(|workspace| workspace.accounts.values());
    let selectors: Vec<String> = accounts
        .flat_map(|account| &account.dkim)
        .map(|dkim| dkim.selector.clone())
        .collect();
    let resolvers = Resolver::or_usual(&args.resolver);
    let received = Received {
        mail: &mail,
        sent: sent.as_ref(),
        selectors: &selectors,
    };
    let findings = runtime()?.block_on(examine_received(received, &resolvers));
    let all = [Examined {
        domain,
        account: None,
        findings,
    }];
    // What was compared is not what a sender is judged by.
    let exit = match exit(&all) {
        Exit::Ok if all.iter().any(|examined| is_blind(&examined.findings)) => Exit::Unavailable,
        exit => exit,
    };
    match printer.form {
        Form::Json => report::json(printer, &all, exit),
        Form::Text => report::text(printer, &all, args.verbose),
    }
    if exit == Exit::Unavailable {
        printer.say(text!(
            "nothing could be judged: no signature, neither SPF nor DMARC; check the network, or name another resolver: --resolver 223.5.5.5"
        ));
    }
    if sent.is_none() {
        printer.say(text!(
            "what was changed on the way is not known: add --sent with the mail as it was sent (`send --dry-run` writes it)"
        ));
    }
    Ok(exit)
}

fn read(path: &Path) -> anyhow::Result<Mail> {
    let failed = |error: std::io::Error| {
        let what = text!(
            "cannot read {file}: {why}",
            file = path.display().to_string(),
            why = plain(&error)
        );
        Coded::new(Exit::Io, what)
    };
    let metadata = std::fs::metadata(path).map_err(failed)?;
    let mut mail = Vec::new();
    // A pipe or a device has no size, and no end perhaps.
    if metadata.is_file() {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(SIZE_MAX + 1).read_to_end(&mut mail).map_err(failed)?;
    } else {
        let what = text!("{file} is not a file", file = path.display().to_string());
        return Err(Coded::new(Exit::Io, what).into());
    }
    if mail.len() as u64 > SIZE_MAX {
        let what = text!(
            "{file} is too large for a mail",
            file = path.display().to_string()
        );
        return Err(Coded::new(Exit::Data, what).into());
    }
    Ok(Mail::parse(&mail))
}

/// The mail that the ledger knows by this Message-ID, made again. Its Date is that of the copy, so that it has the same
/// bytes, unless templates, list or keys have changed since.
fn found(workspace: &Workspace, mail: &Mail, printer: Printer) -> anyhow::Result<Option<Mail>> {
    let Some(reader) = Reader::open(&workspace.ledger)? else {
        return Ok(None);
    };
    let mut sending = None;
    for id in ids(workspace, mail)? {
        sending = sending.or(reader.sending(&id)?);
    }
    let Some(sending) = sending else {
        printer.say(text!("the ledger has no mail with this Message-ID"));
        return Ok(None);
    };
    let at = time(sending.began_at_ms, &jiff::tz::TimeZone::system());
    let [campaign, address] = [&sending.campaign, &sending.address];
    printer.say(text!(
        "on record: campaign {campaign} to {address}, sent {at}",
        campaign,
        address,
        at
    ));
    match again(workspace, mail, &sending, printer) {
        Ok(made) => Ok(made),
        Err(error) => {
            let why = Text::error(&error);
            printer.warn(text!("it could not be made again to compare: {why}", why));
            Ok(None)
        }
    }
}

/// The Message-IDs that it may have been sent with: its own; and as some providers write another one, that of the token
/// in its link to unsubscribe.
fn ids(workspace: &Workspace, mail: &Mail) -> anyhow::Result<Vec<String>> {
    let mut ids: Vec<String> = mail.message_id().map(str::to_owned).into_iter().collect();
    let links = mail.first("List-Unsubscribe").unwrap_or_default();
    let words = links.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
    let words = words.map(|word| word.strip_prefix("unsubscribe-").unwrap_or(word));
    let tokens: Vec<&str> = words
        .filter(|word| word.len() == UnsubscribeKey::TOKEN_LENGTH)
        .collect();
    if workspace.unsubscribe.key_file.exists() && !tokens.is_empty() {
        let key = workspace.unsubscribe.key()?;
        let tags = tokens.into_iter().filter_map(|token| key.verify(token));
        let domain = domain_of_from(mail).map(|domain| domain.to_string());
        ids.extend(tags.map(|tag| tag.message_id(domain.as_deref().unwrap_or_default())));
    }
    Ok(ids)
}

fn again(
    workspace: &Workspace,
    mail: &Mail,
    sending: &Sending,
    printer: Printer,
) -> anyhow::Result<Option<Mail>> {
    let date = mail.first("Date").unwrap_or_default();
    let Ok(date) = jiff::fmt::rfc2822::parse(date) else {
        return Ok(None);
    };
    // A test mail stands on record as `news test 2026-11-23 …`.
    let (name, is_test) = match sending.campaign.rsplit_once(" test ") {
        Some((name, _)) => (name, true),
        None => (sending.campaign.as_str(), false),
    };
    let own = own_file(workspace).display().to_string();
    let is_own = is_test && name == NAME && load::campaign_file(name, workspace).is_err();
    let file = if is_own { own.as_str() } else { name };
    let (_, mut campaign) = load::campaign(file, None, printer)?;
    if is_test {
        campaign.recipients = test_list(&workspace.ledger, name);
        campaign.list = ListSettings::default();
        campaign.name.clone_from(&sending.campaign);
    }
    let (list, maker) = load::maker(workspace, &campaign, sending.uid.clone())?;
    let recipient = by_address(&list, &sending.address)?;
    let made = maker
        .make_volume(
            &recipient,
            Volume::new(sending.volume),
            date.timestamp().as_millisecond(),
        )
        .map_err(Problems::from)?;
    let is_same = made.message.digest().as_slice() == sending.digest.as_slice();
    if !is_same {
        printer.warn(text!(
            "templates, list, settings or keys have changed since it was sent: some of the differences below may be yours"
        ));
    }
    Ok(Some(Mail::parse(&made.message.bytes)))
}
