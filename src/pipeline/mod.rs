//! The loop: who is due, what they get, may it leave, write the intent, send it, write the result. Read this first.
//!
//! Each worker owns one connection. Stages never call one another; only this file knows their order:
//!
//! ```text
//! due → permit → connect → render and compose → begin (intent on disk) → deliver → finish (result on disk)
//! ```
//!
//! A dead link or a bad password is met before `begin`, so that it never opens an attempt and never spends quota.

mod brakes;
mod bundle;
mod held;
mod lesson;
mod maker;
mod queue;
mod run;
mod vehicle;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::deliver::flight::{Landed, Waiting};
use crate::ledger::{Begin, Bound, Delivery, Finish, Intent, Next, Receipt};
use crate::mail::{Address, Fault, Message, Outcome, Stage, Verdict};
use crate::throttle::Permit;

use held::wait_out;
pub use held::{Held, Waits};
pub use lesson::refusal;
pub use maker::{Mail, Maker, Means};
use run::Shared;
pub use run::{Carrier, Ended, Happened, Patience, Report, Run, Stop, Watcher};
use vehicle::{Ticket, Vehicle};

/// A mail whose intent is on its way to the disk.
struct Boarding {
    delivery: Delivery,
    message: Message,
    bound: Bound,
}

/// A mail whose result is on its way to the disk.
struct Done {
    ticket: Ticket,
    outcome: Outcome,
    is_final: bool,
    is_unsaid: bool,
    at_ms: i64,
}

/// One worker: keeps its connection filled with mails until nothing is due, or the run ends.
///
/// Nothing waits for anything else: mails fly while the ledger writes, and intents and results of many mails share a
/// commit.
struct Worker<'a> {
    shared: &'a Shared,
    vehicle: Vehicle<'a>,
    /// The next one, which waits for the pace.
    next: Option<Delivery>,
    /// How far the permit for it has come.
    permit: Permit,
    /// Intents that are not on disk yet.
    begins: VecDeque<(Receipt<Begin>, Boarding)>,
    /// Results that are not on disk yet.
    finishes: VecDeque<(Receipt<()>, Done)>,
    /// Nothing was due when it last looked.
    is_idle: bool,
    /// Nothing may leave before then, as it was said when so many mails of this run had given their quota back.
    held: Option<(Held, u64)>,
    /// The first thing that went wrong here: what is under way still comes to its end.
    failed: Option<anyhow::Error>,
}

async fn work(shared: Arc<Shared>, number: u32) -> anyhow::Result<()> {
    let mut worker = Worker {
        vehicle: Vehicle::new(&shared, number),
        shared: &shared,
        next: None,
        permit: Permit::default(),
        begins: VecDeque::new(),
        finishes: VecDeque::new(),
        is_idle: false,
        held: None,
        failed: None,
    };
    let ended = worker.run().await;
    if let Some(delivery) = worker.next.take() {
        shared.queue.give_back(delivery);
    }
    ended?;
    worker.vehicle.close().await;
    worker.failed.map_or(Ok(()), Err)
}

impl Worker<'_> {
    async fn run(&mut self) -> anyhow::Result<()> {
        let shared = self.shared;
        loop {
            // A mail under way must not wait for a quota.
            if self.begins.is_empty()
                && self.finishes.is_empty()
                && self.vehicle.is_empty()
                && let Some((held, given_back)) = self.held.take()
                && given_back == shared.unsaid.load(Ordering::SeqCst)
            {
                wait_out(shared, held).await;
            }
            if self.may_board() && self.next.is_none() {
                self.next = shared.next_due().await?;
                self.is_idle = self.next.is_none();
            }
            let may_board = self.may_board();
            tokio::select! {
                biased;
                Some(answer) = next_answer(&mut self.finishes) => self.finished(answer?.1),
                Some(answer) = next_answer(&mut self.begins) => {
                    let (begin, boarding) = answer?;
                    self.begun(begin, boarding);
                }
                Some((ticket, landed)) = self.vehicle.next_landed() => self.land(ticket, landed).await,
                () = permitted(shared, &mut self.permit), if may_board => {
                    self.permit = Permit::default();
                    if let Err(error) = self.board().await {
                        shared.stop.cancel();
                        self.failed.get_or_insert(error);
                    }
                }
                else => return Ok(()),
            }
        }
    }

    fn may_board(&self) -> bool {
        !self.shared.stop.is_cancelled()
            && !self.is_idle
            && self.held.is_none()
            && self.vehicle.has_room(self.waiting())
    }

    /// Mails that will come aboard before the next one. When paced, also a result must be on disk before it: there is
    /// time for it, and whoever watches sees it at once.
    fn waiting(&self) -> Waiting {
        let unfinished = if self.shared.run.throttle.is_paced() {
            self.finishes.len()
        } else {
            0
        };
        Waiting {
            mails: self.begins.len() + unfinished,
            octets: self
                .begins
                .iter()
                .map(|(_, boarding)| boarding.message.bytes.len())
                .sum(),
        }
    }

    /// Takes the next mail that is due as far as its intent.
    async fn board(&mut self) -> anyhow::Result<()> {
        let shared = self.shared;
        let run = &shared.run;
        if shared.stop.is_cancelled() {
            return Ok(());
        }
        let Some(delivery) = self.next.take() else {
            return Ok(());
        };
        // An account that has to pause does not even log in.
        let paused_until_ms = run.learned.paused_until_ms;
        if paused_until_ms > run.clock.now_ms() {
            self.hold_back(delivery, Held::Pause(paused_until_ms));
            return Ok(());
        }
        if !self.vehicle.is_ready(self.waiting().mails).await? {
            shared.queue.give_back(delivery);
            match self.vehicle.take_pause() {
                Some(until_ms) => self.hold(Held::Pause(until_ms)),
                None => self.is_idle = true,
            }
            return Ok(());
        }
        let now_ms = run.clock.now_ms();
        let (mail, written) = run.maker.again(&run.rows, &delivery, now_ms)?;
        let bound = shared.bound_for(&delivery.address);
        let alike = shared.alike(&mail.content);
        let intent = Intent {
            delivery: delivery.id,
            key: Address::key_of(&delivery.address),
            written_key: written.map(|address| address.key()),
            account: run.account().name.clone(),
            quota: run.account().quota.clone(),
            bound: bound.clone(),
            alike,
            message_id: mail.message.message_id.clone(),
            digest: mail.message.digest(),
            now_ms,
        };
        let receipt = run.ledger.begin(intent).await;
        let boarding = Boarding {
            delivery,
            message: mail.message,
            bound,
        };
        self.begins.push_back((receipt, boarding));
        Ok(())
    }

    fn hold_back(&mut self, delivery: Delivery, held: Held) {
        self.shared.queue.give_back(delivery);
        self.hold(held);
    }

    /// Nothing leaves before the reason is gone.
    fn hold(&mut self, held: Held) {
        self.held = Some((held, self.shared.unsaid.load(Ordering::SeqCst)));
    }

    fn begun(&mut self, begin: Begin, boarding: Boarding) {
        let shared = self.shared;
        let Boarding {
            delivery,
            message,
            bound,
        } = boarding;
        match begin {
            Begin::Go(attempt) => {
                shared.begun.fetch_add(1, Ordering::SeqCst);
                let message_id = message.message_id.clone();
                let ticket = Ticket {
                    attempt,
                    delivery,
                    message_id,
                    bound,
                };
                self.vehicle.board(ticket, message);
            }
            Begin::Skip => {
                self.permit = Permit::unused();
                shared.queue.skip(delivery.id);
            }
            Begin::Wait(spent) => self.hold_back(delivery, Held::Quota(spent)),
            Begin::Alike(spent) => self.hold_back(delivery, Held::Alike(spent)),
            Begin::Paused(until_ms) => self.hold_back(delivery, Held::Pause(until_ms)),
            Begin::Later(until_ms) => {
                self.permit = Permit::unused();
                shared.queue.skip(delivery.id);
                shared.put_off(until_ms);
            }
            Begin::Held => {
                shared.queue.give_back(delivery);
                shared.end(Ended::Held);
            }
            Begin::Locked(until_ms) => {
                shared.queue.give_back(delivery);
                shared.end(Ended::Locked(until_ms));
            }
        }
    }

    fn finished(&mut self, done: Done) {
        let Done {
            ticket,
            outcome,
            is_final,
            is_unsaid,
            at_ms,
        } = done;
        self.shared.queue.done(ticket.delivery.id);
        if is_unsaid {
            self.shared.unsaid.fetch_add(1, Ordering::SeqCst);
        }
        // It may be due again already.
        self.is_idle = false;
        (self.shared.run.watcher)(&Happened {
            recipient: &ticket.delivery.address,
            message_id: &ticket.message_id,
            outcome: &outcome,
            is_final,
            tries: ticket.delivery.tries + 1,
            at_ms,
        });
    }

    /// Hands what became of a mail to the ledger. It does so before the next intent, so that no more intents than the
    /// flight has room for are ever open on disk.
    async fn land(&mut self, ticket: Ticket, landed: Landed) {
        let shared = self.shared;
        let at_ms = shared.run.clock.now_ms();
        let (outcome, next) = match landed {
            Landed::Decided(outcome) => {
                self.vehicle.learn(&outcome);
                let paused_ms = self.learn(&ticket, &outcome).await;
                let next = self.next_step(&ticket, &outcome, paused_ms, at_ms);
                (outcome, next)
            }
            Landed::Untouched => (Outcome::Deferred(never_its_turn()), Next::Unsaid),
        };
        let is_final = matches!(next, Next::Sent | Next::GiveUp(_) | Next::Doubt);
        let is_unsaid = next == Next::Unsaid;
        let finish = Finish {
            attempt: ticket.attempt,
            delivery: ticket.delivery.id,
            account: shared.run.account().name.clone(),
            destination: ticket.bound.counted(),
            outcome: outcome.clone(),
            next,
            limits: shared.run.limits,
            now_ms: at_ms,
        };
        let receipt = shared.run.ledger.finish(finish).await;
        let done = Done {
            ticket,
            outcome,
            is_final,
            is_unsaid,
            at_ms,
        };
        self.finishes.push_back((receipt, done));
    }

    /// Learns from a refusal what it means for the mails after it; says until when the destination pauses.
    async fn learn(&mut self, ticket: &Ticket, outcome: &Outcome) -> Option<i64> {
        let shared = self.shared;
        let destination = &ticket.bound.destination;
        let about = shared.lesson(outcome, destination, self.vehicle.carried())?;
        let is_account = about.destination.is_empty();
        let account = &shared.run.account().name;
        let learned = shared
            .run
            .ledger
            .learn(account, about, shared.run.clock.now_ms())
            .await;
        match learned {
            Ok(known) => {
                self.vehicle.obey(&known.learned);
                (!is_account).then_some(known.learned.paused_until_ms)
            }
            Err(error) => {
                shared.stop.cancel();
                self.failed.get_or_insert(error);
                None
            }
        }
    }

    /// How a delivery goes on after this outcome. See the table in `docs/states.md`.
    fn next_step(&self, ticket: &Ticket, outcome: &Outcome, paused_ms: Option<i64>, now_ms: i64) -> Next {
        let delivery = &ticket.delivery;
        match outcome {
            Outcome::Accepted(_) => Next::Sent,
            Outcome::InDoubt(_) => Next::Doubt,
            Outcome::Deferred(fault) | Outcome::Refused(fault) if fault.verdict.is_about_account() => {
                Next::Hold
            }
            // A server may hang up on an idle link, or after so many mails: it has not heard of this one.
            Outcome::Deferred(fault) if fault.verdict.is_about_link() && fault.stage <= Stage::Mail => {
                Next::Unsaid
            }
            // It may have been an accident: once more at once, then as for any other deferral.
            Outcome::Deferred(fault)
                if fault.verdict.is_about_link() && delivery.tries == 0 && self.vehicle.is_first_loss() =>
            {
                Next::RetryAt(now_ms)
            }
            Outcome::Refused(fault) => Next::GiveUp(fault.to_string()),
            Outcome::Deferred(fault) => self.shared.retry(delivery, fault, paused_ms, now_ms),
        }
    }
}

/// Waits for the oldest answer; none when nothing was asked. Nothing is lost when it is dropped halfway.
async fn next_answer<T, A>(asked: &mut VecDeque<(Receipt<T>, A)>) -> Option<anyhow::Result<(T, A)>> {
    let (receipt, _) = asked.front_mut()?;
    let answer = receipt.await;
    let (_, about) = asked.pop_front()?;
    Some(answer.map(|answer| (answer, about)))
}

/// Waits until the pace lets one more mail out, or the run ends. Nothing is lost when it is dropped halfway.
async fn permitted(shared: &Shared, permit: &mut Permit) {
    tokio::select! {
        () = shared.run.throttle.wait(permit) => {}
        () = shared.stop.cancelled() => {}
    }
}

fn never_its_turn() -> Fault {
    Fault {
        stage: Stage::Connect,
        verdict: Verdict::NETWORK,
        reply: None,
        note: "the connection ended before it was this mail's turn".to_owned(),
    }
}

#[cfg(test)]
mod tests;
