//! The loop: who is due, what they get, may it leave, write the intent, send it, write the result. Read this first.
//!
//! Each worker owns one connection. Stages never call one another; only this file knows their order:
//!
//! ```text
//! due → permit → connect → render and compose → begin (intent on disk) → deliver → finish (result on disk)
//! ```
//!
//! A dead link or a bad password is met before `begin`, so that it never opens an attempt and never spends quota.

mod maker;
mod queue;
mod run;
mod vehicle;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::campaign::quota::{Spent, Unit};
use crate::deliver::flight::Landed;
use crate::ledger::{Begin, Delivery, Finish, Intent, Next};
use crate::mail::{Fault, Outcome, Scope, Stage};

pub use maker::{Mail, Maker};
use run::Shared;
pub use run::{Carrier, Ended, Happened, Patience, Report, Run, Stop, Watcher};
use vehicle::{Ticket, Vehicle};

/// One worker: keeps its connection filled with mails until nothing is due, or the run ends.
async fn work(shared: Arc<Shared>, number: u32) -> anyhow::Result<()> {
    let mut vehicle = Vehicle::new(&shared, number);
    let mut landed = None;
    loop {
        // The result of the last mail and the intent of the next share a commit. The result is queued first, so that
        // no more intents than the flight has room for are ever open on disk.
        let (recorded, filled) = tokio::join!(record(&shared, landed.take()), fill(&shared, &mut vehicle));
        recorded?;
        filled?;
        landed = vehicle.next_landed().await;
        let Some((_, what)) = &landed else { break };
        if let Landed::Decided(outcome) = what {
            shared.learn(outcome);
            vehicle.learn(outcome);
        }
    }
    vehicle.close().await;
    Ok(())
}

/// Takes mails aboard while there is room, something is due, and nothing says stop.
async fn fill(shared: &Shared, vehicle: &mut Vehicle<'_>) -> anyhow::Result<()> {
    while vehicle.has_room() && !shared.stop.is_cancelled() {
        let Some(delivery) = shared.next_due().await? else {
            return Ok(());
        };
        let id = delivery.id;
        match board(shared, vehicle, delivery).await? {
            Boarding::Aboard => {}
            Boarding::Skipped => shared.queue.skip(id).await,
            Boarding::Later(delivery) => {
                shared.queue.give_back(delivery).await;
                return Ok(());
            }
            Boarding::Spent(delivery, spent) => {
                shared.queue.give_back(delivery).await;
                // A mail aboard must not wait for a quota.
                if !vehicle.is_empty() {
                    return Ok(());
                }
                wait_for_quota(shared, spent).await;
            }
        }
    }
    Ok(())
}

enum Boarding {
    /// Its intent is on disk and it is on its way.
    Aboard,
    /// It is no longer to be sent now.
    Skipped,
    /// Not by this worker, or not any more.
    Later(Delivery),
    /// The quota is spent.
    Spent(Delivery, Spent),
}

async fn board(shared: &Shared, vehicle: &mut Vehicle<'_>, delivery: Delivery) -> anyhow::Result<Boarding> {
    let run = &shared.run;
    tokio::select! {
        () = run.throttle.permit() => {}
        () = shared.stop.cancelled() => return Ok(Boarding::Later(delivery)),
    }
    if !vehicle.is_ready().await? {
        return Ok(Boarding::Later(delivery));
    }
    let now_ms = run.clock.now_ms();
    let mail = run.maker.again(&run.rows, &delivery, now_ms)?;
    let intent = Intent {
        delivery: delivery.id,
        account: run.account().name.clone(),
        quota: run.account().quota.clone(),
        message_id: mail.message.message_id.clone(),
        digest: mail.message.digest(),
        now_ms,
    };
    Ok(match run.ledger.begin(intent).await? {
        Begin::Go(attempt) => {
            shared.begun.fetch_add(1, Ordering::SeqCst);
            vehicle.board(
                Ticket {
                    attempt,
                    delivery,
                    message_id: mail.message.message_id.clone(),
                },
                mail.message,
            );
            Boarding::Aboard
        }
        Begin::Skip => Boarding::Skipped,
        Begin::Wait(spent) => Boarding::Spent(delivery, spent),
        Begin::Locked(until_ms) => {
            shared.end(Ended::Locked(until_ms));
            Boarding::Later(delivery)
        }
    })
}

/// Seconds, minutes and hours are waited for; a spent day ends the run, unless the user said to wait.
async fn wait_for_quota(shared: &Shared, spent: Spent) {
    if spent.rate.unit == Unit::Day && shared.run.patience == Patience::End {
        return shared.end(Ended::Quota(spent));
    }
    shared.wait_until(spent.until_ms).await;
}

/// Writes what became of a mail, and tells whoever watches.
async fn record(shared: &Shared, landed: Option<(Ticket, Landed)>) -> anyhow::Result<()> {
    let Some((ticket, landed)) = landed else {
        return Ok(());
    };
    let run = &shared.run;
    let now_ms = run.clock.now_ms();
    let (outcome, next) = match landed {
        Landed::Decided(outcome) => {
            let next = next(shared, &ticket, &outcome, now_ms);
            (outcome, next)
        }
        Landed::Untouched => (Outcome::Deferred(never_its_turn()), Next::Hold),
    };
    let is_final = matches!(next, Next::Sent | Next::GiveUp(_) | Next::Doubt);
    let finish = Finish {
        attempt: ticket.attempt,
        delivery: ticket.delivery.id,
        account: run.account().name.clone(),
        outcome: outcome.clone(),
        next,
        now_ms,
    };
    run.ledger.finish(finish).await?;
    shared.queue.done(ticket.delivery.id).await;
    (run.watcher)(&Happened {
        recipient: &ticket.delivery.address,
        message_id: &ticket.message_id,
        outcome: &outcome,
        is_final,
        tries: ticket.delivery.tries + 1,
        at_ms: now_ms,
    });
    Ok(())
}

/// How a delivery goes on after this outcome. See the table in `docs/states.md`.
fn next(shared: &Shared, ticket: &Ticket, outcome: &Outcome, now_ms: i64) -> Next {
    let delivery = &ticket.delivery;
    match outcome {
        Outcome::Accepted(_) => Next::Sent,
        Outcome::InDoubt(_) => Next::Doubt,
        Outcome::Deferred(fault) | Outcome::Refused(fault) if fault.scope == Scope::Account => Next::Hold,
        // A server may hang up on an idle link, or after so many mails: it has not heard of this one.
        Outcome::Deferred(fault) if fault.scope == Scope::Link && fault.stage <= Stage::Mail => Next::Hold,
        // It may have been an accident: once more at once, then as for any other deferral.
        Outcome::Deferred(fault) if fault.scope == Scope::Link && delivery.tries == 0 => {
            Next::RetryAt(now_ms)
        }
        Outcome::Refused(fault) => Next::GiveUp(fault.to_string()),
        Outcome::Deferred(fault) => {
            let tries = delivery.tries + 1;
            let first_ms = delivery.first_try_ms.unwrap_or(now_ms);
            match shared
                .run
                .retry
                .next_ms(tries, first_ms, now_ms, delivery.id.seed() + u64::from(tries))
            {
                Some(due_ms) => Next::RetryAt(due_ms),
                None => Next::GiveUp(format!("given up after {tries} tries: {fault}")),
            }
        }
    }
}

fn never_its_turn() -> Fault {
    Fault {
        stage: Stage::Connect,
        scope: Scope::Link,
        reply: None,
        note: "the connection ended before it was this mail's turn".to_owned(),
    }
}

#[cfg(test)]
mod tests;
