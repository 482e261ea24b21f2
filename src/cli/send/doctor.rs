//! What the doctor found last: nothing is sent in the name of a domain that is known to be broken.

use super::super::exit::{Coded, Exit};
use super::Job;
use crate::doctor::cache::Cache;
use crate::doctor::dns::Name;

/// Errors named; the rest are counted.
const NAMED: usize = 3;

/// Ends the command when the last visit of the doctor, within a day, found errors.
pub(super) fn respect(job: &Job<'_>) -> anyhow::Result<()> {
    if job.args.ignore_doctor || job.args.sandbox {
        return Ok(());
    }
    let Some(domain) = Name::parse(job.campaign.from.address.domain()) else {
        return Ok(());
    };
    let cache = Cache::load(&Cache::path(&job.workspace.ledger));
    let now_ms = job.clock.now_ms();
    let errors = cache.errors(&domain, &job.campaign.account.name, now_ms);
    let Some(at_ms) = errors.iter().map(|found| found.at_ms).min() else {
        return Ok(());
    };
    let minutes = (now_ms - at_ms) / 60_000;
    let age = if minutes < 120 {
        format!("{minutes} min ago")
    } else {
        format!("{} h ago", minutes / 60)
    };
    let named = errors
        .iter()
        .take(NAMED)
        .map(|found| format!("\n  {} {}: {}", found.id, found.about, found.what));
    let more = errors.len().saturating_sub(NAMED);
    let more = if more > 0 {
        format!("\n  and {more} more")
    } else {
        String::new()
    };
    let what = format!(
        "the doctor found errors {age}:{}{more}",
        named.collect::<String>()
    );
    let hint = "nothing was sent; mend them and run `mailshot doctor` again, or add --ignore-doctor";
    Err(Coded::new(Exit::Config, what).hint(hint).into())
}
