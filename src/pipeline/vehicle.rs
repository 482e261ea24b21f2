//! What a worker drives: an SMTP connection with its flight, or the `sendmail` command.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::run::{Carrier, Ended, Shared};
use crate::deliver::flight::{Landed, ROOM_PIPELINED};
use crate::deliver::{Flight, Session, Target};
use crate::ledger::{AttemptId, Delivery};
use crate::mail::{Fault, Message, Outcome, Scope, Stage};

/// Waits before each further try to connect. After the last one the server counts as unreachable.
const RECONNECT_AFTER: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];
/// Links lost one after another before the server said a word about a mail; then it counts as unreachable.
const LOSSES_IN_A_ROW: u32 = 5;

/// What is known about a mail while it is on its way.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) attempt: AttemptId,
    pub(super) delivery: Delivery,
    pub(super) message_id: String,
}

/// A worker's way to the provider.
pub(super) struct Vehicle<'a> {
    shared: &'a Shared,
    number: u32,
    flight: Option<Flight<Ticket>>,
    /// For `sendmail`, which carries one mail at a time.
    parcel: VecDeque<(Ticket, Message)>,
    losses: u32,
    /// The server has no room for this connection; others go on.
    is_retired: bool,
}

impl<'a> Vehicle<'a> {
    pub(super) fn new(shared: &'a Shared, number: u32) -> Self {
        Self {
            shared,
            number,
            flight: None,
            parcel: VecDeque::new(),
            losses: 0,
            is_retired: false,
        }
    }

    /// Can it take another mail now, perhaps after connecting anew?
    pub(super) fn has_room(&self) -> bool {
        if self.is_retired {
            return false;
        }
        match (&self.shared.run.carrier, &self.flight) {
            (Carrier::Sendmail(_), _) => self.parcel.is_empty(),
            (Carrier::Smtp(_), None) => true,
            (Carrier::Smtp(_), Some(flight)) => {
                flight.is_empty() || (flight.has_room() && !self.is_worn(flight))
            }
        }
    }

    /// Is no mail on its way?
    pub(super) fn is_empty(&self) -> bool {
        self.parcel.is_empty() && self.flight.as_ref().is_none_or(Flight::is_empty)
    }

    fn is_worn(&self, flight: &Flight<Ticket>) -> bool {
        flight.carried() >= self.shared.run.account().messages_per_connection
    }

    /// Makes sure that there is a live connection. No: this worker, or the whole run, has nothing more to do.
    pub(super) async fn is_ready(&mut self) -> anyhow::Result<bool> {
        let Carrier::Smtp(target) = &self.shared.run.carrier else {
            return Ok(true);
        };
        if let Some(mut flight) = self.flight.take() {
            if !flight.is_empty() || (!self.is_worn(&flight) && flight.is_alive().await) {
                self.flight = Some(flight);
                return Ok(true);
            }
            self.shared.connections.fetch_sub(1, Ordering::SeqCst);
            flight.close().await;
        }
        self.connect(target).await
    }

    async fn connect(&mut self, target: &Target) -> anyhow::Result<bool> {
        let mut last = None;
        for wait in RECONNECT_AFTER {
            let now_ms = self.shared.run.clock.now_ms();
            let wait_ms = i64::try_from(wait.as_millis()).unwrap_or_default();
            tokio::select! {
                () = self.shared.run.clock.wait_until(now_ms + wait_ms) => {}
                () = self.shared.stop.cancelled() => return Ok(false),
            }
            match self.open(target).await {
                None => return Ok(false),
                Some(Ok(session)) => {
                    // With a pace, the pace is the limit and not the round trip: one mail at a time is enough.
                    let room = if self.shared.run.throttle.is_paced() {
                        1
                    } else {
                        ROOM_PIPELINED
                    };
                    self.flight = Some(Flight::new(session, room));
                    self.shared.connections.fetch_add(1, Ordering::SeqCst);
                    return Ok(true);
                }
                Some(Err(fault)) if fault.scope == Scope::Account => {
                    self.shared.account_refused(fault).await?;
                    return Ok(false);
                }
                Some(Err(fault)) => last = Some(fault),
            }
            let is_crowded = last
                .as_ref()
                .is_some_and(|fault| fault.stage == Stage::Hello && fault.reply.is_some());
            if is_crowded && self.shared.connections.load(Ordering::SeqCst) > 0 {
                // Others are connected: the server just does not want so many of us.
                self.is_retired = true;
                return Ok(false);
            }
        }
        if self.shared.connections.load(Ordering::SeqCst) > 0 {
            self.is_retired = true;
            return Ok(false);
        }
        if let Some(fault) = last {
            self.shared.end(Ended::Unreachable(fault));
        }
        Ok(false)
    }

    /// One try to connect and log in; none when the run was stopped meanwhile.
    async fn open(&self, target: &Target) -> Option<Result<Session, Fault>> {
        let is_proved = || self.shared.is_login_proved.load(Ordering::SeqCst);
        let one_at_a_time = if is_proved() {
            None
        } else {
            Some(self.shared.login.lock().await)
        };
        let trace = self
            .shared
            .run
            .trace
            .as_ref()
            .map(|trace| trace.connection(self.number));
        let opened = tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => return None,
            opened = Session::open(target, trace) => opened,
        };
        if opened.is_ok() {
            self.shared.is_login_proved.store(true, Ordering::SeqCst);
        } else if matches!(&opened, Err(fault) if fault.scope == Scope::Account) {
            // Before the next worker gets its turn to try the same password.
            self.shared.stop.cancel();
        }
        drop(one_at_a_time);
        Some(opened)
    }

    /// Takes a mail whose intent is on disk.
    pub(super) fn board(&mut self, ticket: Ticket, message: Message) {
        match &mut self.flight {
            Some(flight) => flight.board(ticket, message),
            None => self.parcel.push_back((ticket, message)),
        }
    }

    /// Goes on until the next mail has landed; none when no mail is on its way.
    pub(super) async fn next_landed(&mut self) -> Option<(Ticket, Landed)> {
        if let Some(flight) = &mut self.flight {
            return flight.next_landed().await;
        }
        let (ticket, message) = self.parcel.pop_front()?;
        let Carrier::Sendmail(sendmail) = &self.shared.run.carrier else {
            return Some((ticket, Landed::Untouched));
        };
        Some((ticket, Landed::Decided(sendmail.deliver(&message).await)))
    }

    /// A server that hangs up on every mail is left alone after a few.
    pub(super) fn learn(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Deferred(fault) if fault.scope == Scope::Link && fault.stage <= Stage::Mail => {
                self.losses += 1;
                if self.losses >= LOSSES_IN_A_ROW {
                    self.shared.end(Ended::Unreachable(fault.clone()));
                }
            }
            _ => self.losses = 0,
        }
    }

    pub(super) async fn close(self) {
        if let Some(flight) = self.flight {
            self.shared.connections.fetch_sub(1, Ordering::SeqCst);
            flight.close().await;
        }
    }
}
