//! What the doctor found last: nothing is sent in the name of a domain that is known to be broken.

use super::super::exit::{Coded, Exit};
use super::Job;
use crate::doctor::cache::Cache;
use crate::doctor::dns::Name;
use crate::text;

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
        text!("{minutes} min ago", minutes)
    } else {
        text!("{hours} h ago", hours = minutes / 60)
    };
    // What was found is kept in English.
    let named = errors.iter().take(NAMED);
    let named = named.map(|found| format!("\n  {} {}: {}", found.id, found.about, found.what));
    let named = named.collect::<String>();
    let more = errors.len().saturating_sub(NAMED);
    let what = if more > 0 {
        text!(
            "the doctor found errors {age}:{named}\n  and {more} more",
            age,
            named,
            more
        )
    } else {
        text!("the doctor found errors {age}:{named}", age, named)
    };
    let hint = text!("nothing was sent; mend them and run `mailshot doctor` again, or add --ignore-doctor");
    Err(Coded::new(Exit::Config, what).hint(hint).into())
}
