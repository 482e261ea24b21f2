//! Deliveries that are due, fetched from the ledger in batches and handed to the workers one by one.

use std::collections::{HashSet, VecDeque};

use tokio::sync::Mutex;

use crate::ledger::{CampaignId, Delivery, DeliveryId, Ledger};

/// Deliveries fetched at once. Retries that fall due meanwhile wait for the batch, so a paced run fetches few.
const BATCH: u32 = 500;
const BATCH_PACED: u32 = 20;

/// Shared by the workers of one run.
#[derive(Debug)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    batch: u32,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Delivery>,
    /// Handed to a worker and not yet done: still pending in the ledger for a moment, or on their way.
    in_hand: HashSet<DeliveryId>,
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
        let mut inner = self.inner.lock().await;
        if inner.left == Some(0) {
            return Ok(None);
        }
        if inner.waiting.is_empty() {
            let most = self.batch + u32::try_from(inner.in_hand.len()).unwrap_or(u32::MAX - self.batch);
            let due = ledger.due(campaign, now_ms, most).await?;
            let fresh: Vec<_> = due
                .into_iter()
                .filter(|one| !inner.in_hand.contains(&one.id))
                .collect();
            inner.waiting.extend(fresh);
        }
        let next = inner.waiting.pop_front();
        if let Some(delivery) = &next {
            inner.in_hand.insert(delivery.id);
            inner.left = inner.left.map(|left| left - 1);
        }
        Ok(next)
    }

    /// A worker could not take it now.
    pub(super) async fn give_back(&self, delivery: Delivery) {
        let mut inner = self.inner.lock().await;
        inner.in_hand.remove(&delivery.id);
        inner.left = inner.left.map(|left| left + 1);
        inner.waiting.push_front(delivery);
    }

    /// It was not to be sent, and so it does not count for the limit.
    pub(super) async fn skip(&self, id: DeliveryId) {
        let mut inner = self.inner.lock().await;
        inner.in_hand.remove(&id);
        inner.left = inner.left.map(|left| left + 1);
    }

    /// Its result is on disk.
    pub(super) async fn done(&self, id: DeliveryId) {
        self.inner.lock().await.in_hand.remove(&id);
    }

    /// Has this run handed out all that it may?
    pub(super) async fn is_at_limit(&self) -> bool {
        self.inner.lock().await.left == Some(0)
    }
}
