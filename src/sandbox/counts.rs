//! What the server has seen, counted as it happens.
//!
//! The numbers move without locks; a [`Counts`] is a snapshot for people and tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::Serialize;

/// A snapshot of what the server has done since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Connections accepted, also those that were closed at once.
    pub connections: u64,
    /// Connections open now.
    pub connections_now: u64,
    /// The most connections that were open at one time.
    pub connections_max: u64,
    /// Logins that were accepted.
    pub logins_ok: u64,
    /// Logins that were refused, by wrong credentials or by the script.
    pub logins_refused: u64,
    /// Mails that were accepted (and written, if the store keeps them).
    pub mails: u64,
    /// Recipients of the accepted mails.
    pub recipients: u64,
    /// Bytes of the accepted mails, without the headers that the server adds.
    pub bytes: u64,
    /// Recipients that were answered 4xx or 5xx at RCPT.
    pub refused_recipients: u64,
    /// Connections that a fault closed without a word.
    pub dropped: u64,
}

/// The live numbers behind [`Counts`].
#[derive(Debug, Default)]
pub(super) struct Tally {
    connections: AtomicU64,
    connections_now: AtomicU64,
    connections_max: AtomicU64,
    logins_ok: AtomicU64,
    logins_refused: AtomicU64,
    mails: AtomicU64,
    recipients: AtomicU64,
    bytes: AtomicU64,
    refused_recipients: AtomicU64,
    dropped: AtomicU64,
}

impl Tally {
    pub(super) fn snapshot(&self) -> Counts {
        Counts {
            connections: self.connections.load(Relaxed),
            connections_now: self.connections_now.load(Relaxed),
            connections_max: self.connections_max.load(Relaxed),
            logins_ok: self.logins_ok.load(Relaxed),
            logins_refused: self.logins_refused.load(Relaxed),
            mails: self.mails.load(Relaxed),
            recipients: self.recipients.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            refused_recipients: self.refused_recipients.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
        }
    }

    pub(super) fn login_ok(&self) {
        self.logins_ok.fetch_add(1, Relaxed);
    }

    pub(super) fn login_refused(&self) {
        self.logins_refused.fetch_add(1, Relaxed);
    }

    pub(super) fn recipient_refused(&self) {
        self.refused_recipients.fetch_add(1, Relaxed);
    }

    pub(super) fn connection_dropped(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    pub(super) fn mail_accepted(&self, recipients: usize, bytes: usize) {
        self.mails.fetch_add(1, Relaxed);
        self.recipients.fetch_add(count(recipients), Relaxed);
        self.bytes.fetch_add(count(bytes), Relaxed);
    }
}

/// One open connection; it stops counting when it is dropped.
#[derive(Debug)]
pub(super) struct Presence {
    tally: Arc<Tally>,
    /// Connections that were open when this one came, itself included.
    pub(super) place: u64,
}

impl Presence {
    pub(super) fn enter(tally: &Arc<Tally>) -> Self {
        tally.connections.fetch_add(1, Relaxed);
        let place = tally.connections_now.fetch_add(1, Relaxed) + 1;
        tally.connections_max.fetch_max(place, Relaxed);
        Self {
            tally: Arc::clone(tally),
            place,
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.tally.connections_now.fetch_sub(1, Relaxed);
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
