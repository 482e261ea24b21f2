//! `send --test-to`: one real mail, made for the first row, to another address.
//!
//! It goes the way of any campaign: on record, within the quota, with one login. Only its list is made up: the header
//! and the first row of the real one, with the address replaced.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::super::exit::{Coded, Exit};
use super::super::list::ListFlags;
use super::super::lockout::Again;
use super::super::printer::Printer;
use super::super::{load, runtime};
use super::{Args, Job, OnDoubt};
use crate::campaign::ListSettings;
use crate::clock::Clock;
use crate::deliver::trace::Trace;
use crate::depot::Access;
use crate::mail::Address;
use crate::source::{List, Row};
use crate::text;

/// Where the made-up list of a campaign's test mails is.
pub(in crate::cli) fn list(ledger: &Path, campaign: &str) -> PathBuf {
    ledger.with_file_name("test").join(format!("{campaign}.csv"))
}

pub(super) fn run(mut job: Job<'_>, address: &str) -> anyhow::Result<Exit> {
    let to = Address::parse(address)
        .map_err(|fault| Coded::new(Exit::Usage, text!("`{address}`: {fault}", address, fault)))?;
    let campaign = &mut job.campaign;
    let whole = List::open(&campaign.recipients, &campaign.list)?;
    let mut rows = whole.rows()?;
    let first = loop {
        match rows.next().transpose()? {
            Some(Row::Usable(recipient)) => break recipient,
            Some(Row::Rejected(_) | Row::Withheld { .. } | Row::NotMeant { .. } | Row::Duplicate { .. }) => {}
            None => {
                let what = text!("{list} has nobody to mail", list = whole.path().display());
                return Err(Coded::new(Exit::Data, what).into());
            }
        }
    };
    let columns = whole.columns();
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(&columns.headers)?;
    let cells = first.values.iter().enumerate();
    out.write_record(cells.map(|(index, cell)| if index == columns.email { to.as_str() } else { cell }))?;
    let path = list(&job.workspace.ledger, &campaign.name);
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))
        .and_then(|()| std::fs::write(&path, out.into_inner().unwrap_or_default()))
        .with_context(|| format!("write {}", path.display()))?;
    campaign.list = ListSettings {
        email_column: columns.headers.get(columns.email).cloned(),
        ..ListSettings::default()
    };
    campaign.recipients = path;
    let stamp = jiff::Timestamp::from_millisecond(job.clock.now_ms())?
        .strftime("%Y-%m-%d %H-%M-%S-%3f")
        .to_string();
    campaign.name = format!("{} test {stamp}", campaign.name);
    Ok(runtime()?.block_on(job.send())?.exit)
}

/// Sends one mail of a campaign to this address, as `--test-to` does, for a command that looks at how it goes. Nobody is
/// asked: the address was named for it.
pub(in crate::cli) fn try_out(
    campaign: &str,
    address: &str,
    again: Again,
    trace: Trace,
    printer: Printer,
) -> anyhow::Result<Exit> {
    let args = Args {
        campaign: campaign.to_owned(),
        yes: true,
        dry_run: false,
        sandbox: false,
        release: false,
        limit: None,
        test_to: Some(address.to_owned()),
        wait: false,
        on_doubt: OnDoubt::Hold,
        skip_invalid: true,
        list: ListFlags::default(),
        accept_changes: false,
        strict: false,
        login_again: again == Again::Now,
        ignore_doctor: true,
        trace: None,
    };
    let (workspace, campaign) = load::campaign(campaign, Some(args.list), printer)?;
    let job = Job {
        args: &args,
        workspace,
        campaign,
        printer,
        clock: Clock::System,
        access: Access::Full,
        trace: Some(trace),
    };
    run(job, address)
}
