//! A run: what it needs, what its workers share, and how it ends.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::brakes::Brakes;
use super::held::{Held, Waits};
use super::maker::Maker;
use super::queue::Queue;
use crate::campaign::Account;
use crate::campaign::limits::Limits;
use crate::campaign::pace::Learned;
use crate::campaign::quota::Spent;
use crate::campaign::retry::RetryPolicy;
use crate::clock::Clock;
use crate::deliver::Target;
use crate::deliver::outbox::Sendmail;
use crate::deliver::trace::Trace;
use crate::ledger::{CampaignId, Delivery, Ledger};
use crate::mail::{Fault, Outcome};
use crate::replies::Judge;
use crate::source::RowReader;
use crate::throttle::Throttle;

/// Who carries the mails away.
#[derive(Debug)]
pub enum Carrier {
    /// An SMTP server.
    Smtp(Target),
    /// The `sendmail` command of this machine.
    Sendmail(Sendmail),
}

/// Whether a spent day or retries due later are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// End the run and say when to go on.
    End,
    /// Stay and wait, for days if need be.
    Wait,
}

/// How a run came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing is pending any more.
    Done,
    /// The limit of this run is reached.
    Limit,
    /// A quota is spent until then.
    Quota(Spent),
    /// What is left is due later, at this time.
    Later(i64),
    /// The account is locked until then, by an earlier refusal.
    Locked(i64),
    /// The account pauses until then, because the provider takes no more.
    Paused(i64),
    /// The campaign is held for its complaints or bounces.
    Held,
    /// The account was refused: all deliveries stay pending.
    Account(Fault),
    /// The server cannot be reached.
    Unreachable(Fault),
    /// The server refuses the message itself, again and again.
    Content(Fault),
    /// So many of the last mails had an unknown recipient.
    List {
        /// How many.
        unknown: usize,
        /// Of how many.
        of: usize,
    },
    /// The user asked to stop.
    Interrupted,
}

/// Something that happened to one delivery, for screens and logs.
#[derive(Debug)]
pub struct Happened<'a> {
    /// To whom.
    pub recipient: &'a str,
    /// The Message-ID.
    pub message_id: &'a str,
    /// What the attempt came to.
    pub outcome: &'a Outcome,
    /// Will there be no further try by itself?
    pub is_final: bool,
    /// Tries so far, this one included.
    pub tries: u32,
    /// When, in ms since the epoch.
    pub at_ms: i64,
}

/// Told of every outcome. It must not block.
pub type Watcher = Arc<dyn Fn(&Happened<'_>) + Send + Sync>;

/// Everything one run needs, prepared by the caller.
pub struct Run {
    /// The campaign in the ledger.
    pub id: CampaignId,
    /// The record.
    pub ledger: Ledger,
    /// The clock.
    pub clock: Clock,
    /// Who carries the mails away.
    pub carrier: Carrier,
    /// Spaces the mails.
    pub throttle: Throttle,
    /// Says what replies mean.
    pub judge: Judge,
    /// What the account has learned before.
    pub learned: Learned,
    /// Makes the mails.
    pub maker: Maker,
    /// Reads rows of the list again.
    pub rows: RowReader,
    /// When deferred mails are tried again.
    pub retry: RetryPolicy,
    /// When somebody whose mails come back is mailed no more.
    pub limits: Limits,
    /// What to do when it has to wait for long.
    pub patience: Patience,
    /// Mails to begin at most.
    pub limit: Option<u64>,
    /// Where dialogues are noted.
    pub trace: Option<Trace>,
    /// Who is told of outcomes.
    pub watcher: Watcher,
    /// What it waits for.
    pub waits: Waits,
}

/// How a run is ended from outside.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Finish what is in flight, begin nothing more.
    pub gently: CancellationToken,
    /// Drop everything: what is in flight becomes doubtful.
    pub now: CancellationToken,
}

/// How a run ended, and what it left in doubt when it was stopped at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How it ended.
    pub ended: Ended,
    /// Deliveries that became doubtful because the run was stopped at once.
    pub abandoned: u64,
    /// Logins of the account that were refused within the last minute, by whatever run.
    pub refused_logins: u32,
}

/// What the workers of one run share.
pub(super) struct Shared {
    pub(super) run: Run,
    pub(super) queue: Queue,
    pub(super) stop: CancellationToken,
    /// The first reason to stop; the others follow from it.
    reason: Mutex<Option<Ended>>,
    /// One login at a time, until one was accepted: a wrong password is tried once, not once per connection.
    pub(super) login: tokio::sync::Mutex<()>,
    pub(super) is_login_proved: AtomicBool,
    /// Connections that are open.
    pub(super) connections: AtomicU32,
    brakes: Mutex<Brakes>,
    /// The server offers CHUNKING and does not know it.
    pub(super) is_chunking_unknown: AtomicBool,
    /// Mails of this run that were never said, and cost no quota.
    pub(super) unsaid: AtomicU64,
    /// Intents written by this run.
    pub(super) begun: AtomicU64,
    /// Mails on one connection at most.
    pub(super) messages_max: AtomicU32,
    /// Until when mails were put off because their destinations take no more; 0: none.
    put_off_until_ms: AtomicI64,
    /// Logins of the account that were refused within a minute.
    pub(super) refused_logins: AtomicU32,
}

impl Run {
    /// The account it goes out by.
    pub fn account(&self) -> &Account {
        &self.maker.campaign().account
    }

    /// Sends what is due until nothing is left, something stops it, or it is told to stop.
    pub async fn run(self, stop: &Stop) -> anyhow::Result<Report> {
        let shared = Arc::new(Shared::new(self, stop));
        let mut begun_before = 0;
        loop {
            let Some(ended) = shared.one_round(stop).await? else {
                let abandoned = shared
                    .run
                    .ledger
                    .recover(shared.run.id, shared.run.clock.now_ms())
                    .await?;
                return Ok(Report {
                    ended: Ended::Interrupted,
                    abandoned,
                    refused_logins: 0,
                });
            };
            let begun = std::mem::take(&mut begun_before);
            begun_before = shared.begun.load(Ordering::SeqCst);
            match ended {
                // Their turn comes within the hour: that is a limit's business, not a failure's.
                Ended::Later(due_ms) if shared.is_short_wait(due_ms) => {
                    shared.wait_for(Held::Later(due_ms)).await;
                }
                // It fell due while the workers were ending.
                Ended::Later(due_ms) if due_ms <= shared.run.clock.now_ms() && begun_before > begun => {}
                Ended::Later(due_ms) if shared.run.patience == Patience::Wait => {
                    shared.wait_for(Held::Later(due_ms)).await;
                }
                ended => {
                    return Ok(Report {
                        ended,
                        abandoned: 0,
                        refused_logins: shared.refused_logins.load(Ordering::SeqCst),
                    });
                }
            }
        }
    }
}

impl Shared {
    fn new(run: Run, stop: &Stop) -> Self {
        let learned = run.learned.messages_at(run.clock.now_ms()).unwrap_or(u32::MAX);
        let messages_max = run.account().messages_per_connection.min(learned);
        Self {
            queue: Queue::new(run.limit, run.throttle.is_paced()),
            stop: stop.gently.child_token(),
            reason: Mutex::default(),
            login: tokio::sync::Mutex::default(),
            is_login_proved: AtomicBool::new(false),
            connections: AtomicU32::new(0),
            brakes: Mutex::default(),
            is_chunking_unknown: AtomicBool::new(false),
            unsaid: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            messages_max: AtomicU32::new(messages_max),
            put_off_until_ms: AtomicI64::new(0),
            refused_logins: AtomicU32::new(0),
            run,
        }
    }

    /// Lets the workers send whatever is due now; none when the run was stopped at once.
    async fn one_round(self: &Arc<Self>, stop: &Stop) -> anyhow::Result<Option<Ended>> {
        let mut workers = JoinSet::new();
        for number in 1..=u32::from(self.connections_max()) {
            workers.spawn(super::work(Arc::clone(self), number));
        }
        let mut first_error = None;
        loop {
            let joined = tokio::select! {
                joined = workers.join_next() => joined,
                () = stop.now.cancelled() => {
                    workers.shutdown().await;
                    return Ok(None);
                }
            };
            let Some(joined) = joined else { break };
            if let Err(error) = joined.context("a worker broke down").and_then(|worked| worked) {
                self.stop.cancel();
                first_error.get_or_insert(error);
            }
        }
        match first_error {
            Some(error) => Err(error),
            None => Ok(Some(self.ended(stop).await?)),
        }
    }

    /// The next delivery that is due; none when nothing is, or the limit is reached.
    pub(super) async fn next_due(&self) -> anyhow::Result<Option<Delivery>> {
        self.queue
            .next(&self.run.ledger, self.run.id, self.run.clock.now_ms())
            .await
    }

    /// Mails on one connection at most.
    pub(super) fn messages_max(&self) -> u32 {
        self.messages_max.load(Ordering::SeqCst)
    }

    fn connections_max(&self) -> u16 {
        let learned = self.run.learned.connections_at(self.run.clock.now_ms());
        let most = self.run.account().connections;
        learned.map_or(most, |learned| learned.min(most)).max(1)
    }

    /// A mail was put off until then, because its destination takes no more now.
    pub(super) fn put_off(&self, until_ms: i64) {
        self.put_off_until_ms.fetch_max(until_ms, Ordering::SeqCst);
    }

    /// Is what is due then only put off, and not for long?
    fn is_short_wait(&self, due_ms: i64) -> bool {
        due_ms <= self.put_off_until_ms.load(Ordering::SeqCst)
            && due_ms - self.run.clock.now_ms() <= super::held::LONGEST_WAIT_MS
    }

    /// Waits, and says so to whoever looks; a stop ends it.
    pub(super) async fn wait_for(&self, held: Held) {
        let say = |held| *self.run.waits.lock().unwrap_or_else(PoisonError::into_inner) = held;
        say(Some(held));
        tokio::select! {
            () = self.run.clock.wait_until(held.until_ms()) => {}
            () = self.stop.cancelled() => {}
        }
        say(None);
    }

    /// Ends the run for everyone. The first reason counts.
    pub(super) fn end(&self, reason: Ended) {
        if let Ok(mut first) = self.reason.lock() {
            first.get_or_insert(reason);
        }
        self.stop.cancel();
    }

    async fn ended(&self, stop: &Stop) -> anyhow::Result<Ended> {
        let reason = self.reason.lock().ok().and_then(|mut reason| reason.take());
        if let Some(reason) = reason {
            return Ok(reason);
        }
        Ok(match self.run.ledger.next_due(self.run.id).await? {
            None => Ended::Done,
            Some(_) if stop.gently.is_cancelled() => Ended::Interrupted,
            Some(_) if self.queue.is_at_limit() => Ended::Limit,
            Some(due_ms) => Ended::Later(due_ms),
        })
    }

    /// Draws the consequences of an outcome for the whole run.
    pub(super) fn learn(&self, outcome: &Outcome) {
        let ended = self.brakes().learn(outcome);
        if let Some(reason) = ended {
            self.end(reason);
        }
    }

    /// A connection was lost with mails in doubt.
    pub(super) fn doubted(&self, fault: &Fault) {
        let connections = u64::from(self.run.account().connections);
        let ended = self.brakes().doubted(fault, connections);
        if let Some(reason) = ended {
            self.end(reason);
        }
    }

    /// Mails accepted in this run.
    pub(super) fn accepted(&self) -> u64 {
        self.brakes().accepted()
    }

    fn brakes(&self) -> MutexGuard<'_, Brakes> {
        self.brakes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
