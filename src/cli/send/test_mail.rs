//! `send --test-to`: one real mail, made for the first row, to another address.
//!
//! It goes the way of any campaign: on record, within the quota, with one login. Only its list is made up: the header
//! and the first row of the real one, with the address replaced.

use anyhow::Context as _;

use super::super::exit::{Coded, Exit};
use super::super::runtime;
use super::Job;
use crate::campaign::ListSettings;
use crate::mail::Address;
use crate::source::{List, Row};
use crate::text;

pub(super) fn run(mut job: Job<'_>, address: &str) -> anyhow::Result<Exit> {
    let to = Address::parse(address)
        .map_err(|fault| Coded::new(Exit::Usage, text!("`{address}`: {fault}", address, fault)))?;
    let campaign = &mut job.campaign;
    let list = List::open(&campaign.recipients, &campaign.list)?;
    let mut rows = list.rows()?;
    let first = loop {
        match rows.next().transpose()? {
            Some(Row::Usable(recipient)) => break recipient,
            Some(Row::Rejected(_) | Row::Withheld { .. } | Row::NotMeant { .. } | Row::Duplicate { .. }) => {}
            None => {
                let what = text!("{list} has nobody to mail", list = list.path().display());
                return Err(Coded::new(Exit::Data, what).into());
            }
        }
    };
    let columns = list.columns();
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(&columns.headers)?;
    let cells = first.values.iter().enumerate();
    out.write_record(cells.map(|(index, cell)| if index == columns.email { to.as_str() } else { cell }))?;
    let folder = job.workspace.ledger.with_file_name("test");
    let path = folder.join(format!("{}.csv", campaign.name));
    std::fs::create_dir_all(&folder)
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
