//! The durable record: who gets what, what was tried, what came of it. The only module that knows SQL.
//!
//! [`Ledger`] is a handle that can be cloned: it sends commands to one writer, which commits whatever has queued up
//! while the last commit was on its way to the disk, and answers after the commit. Readers open their own connection
//! ([`read`]).
//!
//! One file, long as it is: each question to the writer is a few lines.

pub mod state;
mod command;
mod sqlite;
mod apply;
mod enrolment;
mod attempts;
mod deliveries;
mod suppression;
mod feedback;
mod handles;
mod places;
mod accounts;
mod quota;
mod pace;
#[cfg(feature = "unrecorded")]
mod unrecorded;
mod told;
mod came;
mod fates;
pub mod read;
pub mod lock;

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

pub use command::{
    AccountEvent, Alike, AttemptId, Begin, Bound, CampaignId, Delivery, DeliveryId, Finish, Intent, ListId,
    NewDelivery, NewSuppression, Next, OnRecord, Registered, Resolution, RunState, Settled, Tally,
};
pub use feedback::{NewFeedback, Received};
pub use pace::{About, Known};
pub use state::{Event, State};

use crate::campaign::limits::Limits;
use crate::campaign::quota::{Left, Quota};
use command::{Answer, Command};

/// Commands that may wait at a time; more senders wait for room.
const QUEUE_MAX: usize = 1_024;

/// The ledger cannot be opened, read or written. What was not recorded must not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

/// A handle to the ledger's writer.
#[derive(Clone, Debug)]
pub struct Ledger {
    commands: mpsc::Sender<Command>,
    fate: sqlite::Fate,
    /// Dropped after `commands`: the last one waits for the writer.
    _writer: Arc<Writer>,
}

/// The writer's thread. Whoever drops it waits until everything is in the one file.
#[derive(Debug)]
struct Writer(Option<JoinHandle<()>>);

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // If it broke down, those who waited for its answers know.
            let _ended = thread.join();
        }
    }
}

/// The answer to a command that was handed over; it comes after the commit.
#[derive(Debug)]
#[must_use = "what was not answered may not be on disk"]
pub struct Receipt<T> {
    answered: oneshot::Receiver<T>,
    is_sent: bool,
    fate: sqlite::Fate,
}

impl<T> Future for Receipt<T> {
    type Output = anyhow::Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answered).poll(cx).map(|answer| match answer {
            Ok(value) if self.is_sent => Ok(value),
            _ => Err(Broken(self.fate.why()).into()),
        })
    }
}

impl Ledger {
    /// Opens the ledger for writing, and makes it when it is not there.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let (commands, queue) = mpsc::channel(QUEUE_MAX);
        let (fate, thread) = sqlite::start(path, queue)?;
        Ok(Self {
            commands,
            fate,
            _writer: Arc::new(Writer(Some(thread))),
        })
    }

    async fn ask<T>(&self, command: impl FnOnce(Answer<T>) -> Command) -> anyhow::Result<T> {
        self.order(command).await.await
    }

    /// Hands a command over. Commands are done, and answered, in the order in which they are handed over.
    async fn order<T>(&self, command: impl FnOnce(Answer<T>) -> Command) -> Receipt<T> {
        let (answer, answered) = oneshot::channel();
        // A command that could not be sent comes back in the error, and its answer with it: kept any longer, it would
        // let us wait for ever.
        let is_sent = self.commands.send(command(answer)).await.is_ok();
        Receipt {
            answered,
            is_sent,
            fate: self.fate.clone(),
        }
    }

    /// Finds a campaign by its name.
    pub async fn find(&self, name: &str) -> anyhow::Result<Option<Registered>> {
        let name = name.to_owned();
        self.ask(|answer| Command::Find { name, answer }).await
    }

    /// Enters a campaign that the ledger does not know yet.
    pub async fn register(
        &self,
        name: &str,
        account: &str,
        inputs: &str,
        now_ms: i64,
    ) -> anyhow::Result<Registered> {
        let (name, account, inputs) = (name.to_owned(), account.to_owned(), inputs.to_owned());
        self.ask(|answer| Command::Register {
            name,
            account,
            inputs,
            now_ms,
            answer,
        })
        .await
    }

    /// Enters a list snapshot, named by its content.
    pub async fn add_list(&self, digest: &str, path: &str) -> anyhow::Result<ListId> {
        let (digest, path) = (digest.to_owned(), path.to_owned());
        self.ask(|answer| Command::AddList { digest, path, answer }).await
    }

    /// Drops what an enrolment that was cut short left behind.
    pub async fn drop_partial(&self, campaign: CampaignId) -> anyhow::Result<()> {
        self.ask(|answer| Command::DropPartial { campaign, answer }).await
    }

    /// Enrols those of a batch who are new, and points the others to their rows in a fresh list; the receipt says how
    /// many of the new ones are suppressed.
    pub async fn enrol(
        &self,
        campaign: CampaignId,
        list: ListId,
        new: Vec<NewDelivery>,
        moved: Vec<(DeliveryId, NewDelivery)>,
    ) -> Receipt<u64> {
        self.order(|answer| Command::Enrol {
            campaign,
            list,
            new,
            moved,
            answer,
        })
        .await
    }

    /// Takes pending deliveries off the campaign whose rows are not in this list, and these; says how many.
    pub async fn withdraw(
        &self,
        campaign: CampaignId,
        list: ListId,
        surplus: Vec<DeliveryId>,
    ) -> anyhow::Result<u64> {
        self.ask(|answer| Command::Withdraw {
            campaign,
            list,
            surplus,
            answer,
        })
        .await
    }

    /// Makes deliveries wait again that were refused for their content, which has been changed since; says how many.
    pub async fn revive(&self, campaign: CampaignId) -> anyhow::Result<u64> {
        self.ask(|answer| Command::Revive { campaign, answer }).await
    }

    /// Marks the enrolment as complete, with what the campaign was checked with.
    pub async fn enrolled(
        &self,
        campaign: CampaignId,
        account: &str,
        inputs: &str,
        now_ms: i64,
    ) -> anyhow::Result<()> {
        let (account, inputs) = (account.to_owned(), inputs.to_owned());
        self.ask(|answer| Command::Enrolled {
            campaign,
            account,
            inputs,
            now_ms,
            answer,
        })
        .await
    }

    /// Puts deliveries in doubt whose run is gone. The caller holds the campaign's lock.
    pub async fn recover(&self, campaign: CampaignId, now_ms: i64) -> anyhow::Result<u64> {
        self.ask(|answer| Command::Recover {
            campaign,
            now_ms,
            answer,
        })
        .await
    }

    /// Fetches deliveries that are due: those due again first, then those whose turn comes, in the order of the
    /// list and only after `after`: what a run has seen is not looked through again.
    pub async fn due(
        &self,
        campaign: CampaignId,
        now_ms: i64,
        after: Option<DeliveryId>,
        most: u32,
    ) -> anyhow::Result<Vec<Delivery>> {
        self.ask(|answer| Command::Due {
            campaign,
            now_ms,
            after,
            most,
            answer,
        })
        .await
    }

    /// When the next pending delivery is due, in ms since the epoch; 0 means at once.
    pub async fn next_due(&self, campaign: CampaignId) -> anyhow::Result<Option<i64>> {
        self.ask(|answer| Command::NextDue { campaign, answer }).await
    }

    /// Writes an intent: nothing is sent before the receipt says [`Begin::Go`].
    pub async fn begin(&self, intent: Intent) -> Receipt<Begin> {
        let intent = Box::new(intent);
        self.order(|answer| Command::Begin { intent, answer }).await
    }

    /// Writes a result. It is on disk when the receipt says so; an intent that is handed over later never gets there
    /// before it.
    pub async fn finish(&self, finish: Finish) -> Receipt<()> {
        let finish = Box::new(finish);
        self.order(|answer| Command::Finish { finish, answer }).await
    }

    /// Settles doubts, of one address (by its key) or of all; says how many.
    pub async fn resolve(
        &self,
        campaign: CampaignId,
        key: Option<String>,
        how: Resolution,
    ) -> anyhow::Result<u64> {
        self.ask(|answer| Command::Resolve {
            campaign,
            key,
            how,
            answer,
        })
        .await
    }

    /// Settles doubts one by one, and keeps what speaks for it; says how many. What is no longer in doubt stays as it is.
    pub async fn settle(&self, campaign: CampaignId, settled: Vec<Settled>) -> anyhow::Result<u64> {
        self.ask(|answer| Command::Settle {
            campaign,
            settled,
            answer,
        })
        .await
    }

    /// Notes how a run stands.
    pub async fn set_run(&self, campaign: CampaignId, run: RunState) -> anyhow::Result<()> {
        self.ask(|answer| Command::SetRun {
            campaign,
            run,
            answer,
        })
        .await
    }

    /// Adds suppressions; says how many are new.
    pub async fn suppress(&self, rows: Vec<NewSuppression>) -> anyhow::Result<u64> {
        self.ask(|answer| Command::Suppress { rows, answer }).await
    }

    /// Lifts the suppressions of a key ([`crate::mail::Whom::key`]), of one list or of all; says how many there were.
    /// Why is kept.
    pub async fn lift(
        &self,
        key: String,
        list: Option<String>,
        why: String,
        now_ms: i64,
    ) -> anyhow::Result<u64> {
        self.ask(|answer| Command::Lift {
            key,
            list,
            why,
            now_ms,
            answer,
        })
        .await
    }

    /// Takes in what came back: puts it on record, suppresses whom it is about, holds campaigns; says what became of
    /// each. What was taken in before changes nothing, nor does a trial.
    pub async fn receive(
        &self,
        rows: Vec<NewFeedback>,
        limits: Limits,
        is_trial: bool,
    ) -> anyhow::Result<Vec<Received>> {
        self.ask(|answer| Command::Receive {
            rows,
            limits,
            is_trial,
            answer,
        })
        .await
    }

    /// How far a mailbox was gone through, in the words of whoever did; none when that is not known.
    pub async fn place(&self, mailbox: &str) -> anyhow::Result<Option<String>> {
        let mailbox = mailbox.to_owned();
        self.ask(|answer| Command::Place { mailbox, answer }).await
    }

    /// Notes how far a mailbox was gone through. What was found there is on record already: `receive` came before.
    pub async fn keep_place(&self, mailbox: &str, place: String) -> anyhow::Result<()> {
        let mailbox = mailbox.to_owned();
        self.ask(|answer| Command::KeepPlace {
            mailbox,
            place,
            answer,
        })
        .await
    }

    /// Lets a campaign go on that was held for its complaints or bounces.
    pub async fn release(&self, campaign: CampaignId) -> anyhow::Result<()> {
        self.ask(|answer| Command::Release { campaign, answer }).await
    }

    /// Notes that an account must be left alone; says how many of its logins were refused within the minute.
    pub async fn lock_account(&self, event: AccountEvent) -> anyhow::Result<u32> {
        self.ask(|answer| Command::LockAccount { event, answer }).await
    }

    /// Learns from a refusal how much is taken from an account; says what is known now.
    pub async fn learn(&self, account: &str, about: About, now_ms: i64) -> anyhow::Result<Known> {
        let (account, about) = (account.to_owned(), Box::new(about));
        self.ask(|answer| Command::Learn {
            account,
            about,
            now_ms,
            answer,
        })
        .await
    }

    /// Forgets what an account has learned, and its pauses with it.
    pub async fn unlearn(&self, account: &str) -> anyhow::Result<()> {
        let account = account.to_owned();
        self.ask(|answer| Command::Unlearn { account, answer }).await
    }

    /// Lets an account log in again at once, as if it had never been refused.
    pub async fn unlock_account(&self, account: &str, now_ms: i64) -> anyhow::Result<()> {
        let account = account.to_owned();
        self.ask(|answer| Command::UnlockAccount {
            account,
            now_ms,
            answer,
        })
        .await
    }

    /// What is left of an account's quota.
    pub async fn left(&self, account: &str, quota: &Quota, now_ms: i64) -> anyhow::Result<Vec<Left>> {
        let (account, quota) = (account.to_owned(), quota.clone());
        self.ask(|answer| Command::Left {
            account,
            quota,
            now_ms,
            answer,
        })
        .await
    }
}

#[cfg(test)]
mod tests;
