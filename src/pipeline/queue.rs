//! Deliveries that are due, fetched from the ledger in batches and handed to the workers one by one.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use crate::ledger::{CampaignId, Delivery, DeliveryId, Ledger};

/// Deliveries fetched at once. Retries that fall due meanwhile wait for the batch, so a paced run fetches few.
const BATCH: u32 = 500;
const BATCH_PACED: u32 = 20;

/// Shared by the workers of one run.
#[derive(Debug)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    /// One worker fetches at a time. The others go on with what is there.
    fetching: Semaphore,
    batch: u32,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Delivery>,
    /// Handed to a worker and not yet done: still pending in the ledger for a moment, or on their way.
    in_hand: HashSet<DeliveryId>,
    /// The last that was fetched in its turn.
    seen: Option<DeliveryId>,
    /// How many more may be handed out.
    left: Option<u64>,
}

impl Queue {
    /// A queue that hands out at most `limit` deliveries.
    pub(super) fn new(limit: Option<u64>, is_paced: bool) -> Self {
        let inner = Inner {
            left: limit,
            ..Inner::default()
        };
        Self {
            inner: Mutex::new(inner),
            fetching: Semaphore::new(1),
            batch: if is_paced { BATCH_PACED } else { BATCH },
        }
    }

    /// The next delivery that is due; none when nothing is, or the limit is reached.
    pub(super) async fn next(
        &self,
        ledger: &Ledger,
        campaign: CampaignId,
        now_ms: i64,
    ) -> anyhow::Result<Option<Delivery>> {
        if let Some(next) = self.inner().take() {
            return Ok(Some(next));
        }
        let _fetching = self.fetching.acquire().await?;
        // Somebody else may have fetched meanwhile.
        let (after, most) = match self.inner().take_or_ask(self.batch) {
            Ok(next) => return Ok(next),
            Err(ask) => ask,
        };
        let due = ledger.due(campaign, now_ms, after, most).await?;
        let mut inner = self.inner();
        inner.add(due);
        Ok(inner.take())
    }

    /// A worker could not take it now.
    pub(super) fn give_back(&self, delivery: Delivery) {
        let mut inner = self.inner();
        inner.let_go(delivery.id);
        inner.waiting.push_front(delivery);
    }

    /// It was not to be sent, and so it does not count for the limit.
    pub(super) fn skip(&self, id: DeliveryId) {
        self.inner().let_go(id);
    }

    /// Its result is on disk.
    pub(super) fn done(&self, id: DeliveryId) {
        self.inner().in_hand.remove(&id);
    }

    /// Has this run handed out all that it may?
    pub(super) fn is_at_limit(&self) -> bool {
        self.inner().left == Some(0)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn take(&mut self) -> Option<Delivery> {
        if self.left == Some(0) {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.in_hand.insert(next.id);
        self.left = self.left.map(|left| left - 1);
        Some(next)
    }

    /// The next one; else after whom and for how many to ask the ledger, which still counts those in hand as pending.
    fn take_or_ask(&mut self, batch: u32) -> Result<Option<Delivery>, (Option<DeliveryId>, u32)> {
        if self.left == Some(0) || !self.waiting.is_empty() {
            return Ok(self.take());
        }
        let in_hand = u32::try_from(self.in_hand.len()).unwrap_or(u32::MAX);
        Err((self.seen, batch.saturating_add(in_hand)))
    }

    fn add(&mut self, due: Vec<Delivery>) {
        let in_turn = due.iter().filter(|one| one.due_at_ms.is_none());
        self.seen = self.seen.max(in_turn.map(|one| one.id).max());
        // Some may have been given back while the ledger was asked.
        let here: HashSet<DeliveryId> = self.waiting.iter().map(|one| one.id).collect();
        let is_new = |id: &DeliveryId| !here.contains(id) && !self.in_hand.contains(id);
        let fresh = due.into_iter().filter(|one| is_new(&one.id));
        self.waiting.extend(fresh);
    }

    fn let_go(&mut self, id: DeliveryId) {
        self.in_hand.remove(&id);
        self.left = self.left.map(|left| left + 1);
    }
}
