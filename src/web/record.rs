//! The record, as the pages need it: whose mail a link was in, and what they wish.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use tokio::sync::RwLock;
use tokio_util::task::TaskTracker;

use super::Way;
use crate::campaign::limits::Limits;
use crate::campaign::{Scope, Workspace};
use crate::ledger::read::{Addressed, Reader};
use crate::ledger::{Broken, Ledger, NewFeedback, Received};
use crate::mail::{DeliveryTag, Feedback, Reason, Undo};

/// For how long a wish may be taken back on the page that granted it, in ms.
const UNDO_MS: i64 = 60 * 60 * 1_000;

/// Who writes and who reads.
pub(super) struct Record {
    path: PathBuf,
    limits: Limits,
    ledger: RwLock<Ledger>,
    readers: Arc<Mutex<Vec<Reader>>>,
    tasks: TaskTracker,
}

impl Record {
    pub(super) async fn open(workspace: &Workspace) -> anyhow::Result<Self> {
        let record = Self {
            ledger: RwLock::new(Ledger::open(&workspace.ledger)?),
            path: workspace.ledger.clone(),
            limits: workspace.limits,
            readers: Arc::default(),
            tasks: TaskTracker::new(),
        };
        record.catch_up().await?;
        Ok(record)
    }

    /// Can it be read and written?
    pub(super) async fn is_well(&self) -> anyhow::Result<()> {
        self.catch_up().await
    }

    /// The mail that a tag names. One that the index does not have yet may be of a campaign that has just begun.
    pub(super) async fn addressed(&self, tag: DeliveryTag) -> anyhow::Result<Option<Addressed>> {
        if let Some(found) = self.read(move |reader| reader.addressed(tag)).await? {
            return Ok(Some(found));
        }
        self.catch_up().await?;
        self.read(move |reader| reader.addressed(tag)).await
    }

    /// Is the recipient of this mail mailed no more by their own wish? Then from what.
    pub(super) async fn left(&self, mail: &Addressed) -> anyhow::Result<Option<Scope>> {
        let (key, list) = (mail.address_key.clone(), mail.list.clone());
        self.read(move |reader| {
            let own = reader.suppressions_of(&crate::mail::Whom::Address(key))?;
            let left = |wanted: &str| {
                own.iter()
                    .any(|one| one.reason == Reason::Unsubscribe.name() && one.list == wanted)
            };
            Ok(if left("") {
                Some(Scope::All)
            } else {
                (!list.is_empty() && left(&list)).then_some(Scope::List)
            })
        })
        .await
    }

    /// Puts a wish on record; it is there when this returns. Says when it was granted, unless they had left before.
    pub(super) async fn leave(
        &self,
        (tag, mail): (DeliveryTag, &Addressed),
        (scope, way): (Scope, Way),
        now_ms: i64,
    ) -> anyhow::Result<Option<Undo>> {
        let is_list = scope == Scope::List && !mail.list.is_empty();
        let list = if is_list { mail.list.clone() } else { String::new() };
        // The same wish again is a new one only after somebody lifted what followed from it.
        let name = format!("web {} {list} {}", tag.hex(), mail.lifted);
        let wish = NewFeedback {
            tags: vec![tag],
            list,
            ..NewFeedback::new(Feedback::Unsubscribe, name, way.name().to_owned(), now_ms)
        };
        let received = self.receive(vec![wish]).await?;
        let received = received.into_iter().next().context("the ledger gave no answer")?;
        anyhow::ensure!(received.address.is_some(), "the mail is no longer on record");
        let is_by_this = received.is_new && received.suppressed.is_some();
        Ok(is_by_this.then_some(Undo {
            tag,
            at_ms: now_ms,
            is_list,
        }))
    }

    /// Takes back what was granted a moment ago. Not when it is too late, when something else stands there now, or when
    /// they have complained since. Says whether it was taken back.
    pub(super) async fn take_back(&self, mail: &Addressed, undo: Undo, now_ms: i64) -> anyhow::Result<bool> {
        if !(undo.at_ms..=undo.at_ms + UNDO_MS).contains(&now_ms) {
            return Ok(false);
        }
        let list = if undo.is_list {
            mail.list.clone()
        } else {
            String::new()
        };
        let (key, of_list) = (mail.address_key.clone(), list.clone());
        let stands = self.read(move |reader| {
            let own = reader.suppressions_of(&crate::mail::Whom::Address(key.clone()))?;
            let stands = own.iter().any(|one| {
                one.address == key
                    && one.list == of_list
                    && one.reason == Reason::Unsubscribe.name()
                    && one.at_ms == undo.at_ms
            });
            let complained = || -> anyhow::Result<bool> {
                let came = reader.feedback_of(&key)?;
                Ok(came.iter().any(|one| one.kind == Feedback::Complaint.name()))
            };
            Ok(stands && !complained()?)
        });
        if !stands.await? {
            return Ok(false);
        }
        let why = "taken back on the page that granted it".to_owned();
        let ledger = self.ledger.read().await.clone();
        let lifted = ledger
            .lift(mail.address_key.clone(), Some(list), why, now_ms)
            .await?;
        Ok(lifted > 0)
    }

    /// Brings the index up to date that finds mails by their tags.
    async fn catch_up(&self) -> anyhow::Result<()> {
        self.receive(Vec::new()).await.map(drop)
    }

    /// What was received twice changes nothing: after trouble it is tried once more, with the ledger opened anew.
    async fn receive(&self, rows: Vec<NewFeedback>) -> anyhow::Result<Vec<Received>> {
        let ledger = self.ledger.read().await.clone();
        match ledger.receive(rows.clone(), self.limits, false).await {
            Err(error) if error.is::<Broken>() => {
                drop(ledger);
                let mut held = self.ledger.write().await;
                *held = Ledger::open(&self.path)?;
                held.receive(rows, self.limits, false).await
            }
            answer => answer,
        }
    }

    /// Asks a reader, on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Reader) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (readers, path) = (Arc::clone(&self.readers), self.path.clone());
        let asking = self.tasks.spawn_blocking(move || -> anyhow::Result<T> {
            let idle = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let reader = match idle {
                Some(reader) => reader,
                None => Reader::open(&path)?.context("the ledger is gone")?,
            };
            let answer = ask(&reader)?;
            // One that failed is not kept.
            readers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(reader);
            Ok(answer)
        });
        asking.await.context("read the ledger")?
    }
}
