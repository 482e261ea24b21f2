//! What a worker drives: an SMTP connection with its flight, or the `sendmail` command.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::brakes::Losses;
use super::run::{Carrier, Ended, Shared};
use crate::campaign::pace::Learned;
use crate::deliver::flight::{Landed, Waiting};
use crate::deliver::window::Window;
use crate::deliver::{Flight, Session, Target};
use crate::ledger::{AttemptId, Bound, Delivery};
use crate::mail::{Fault, Message, Outcome, Stage};

/// Waits before each further try to connect. After the last one the server counts as unreachable.
const RECONNECT_AFTER: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];
/// What is known about a mail while it is on its way.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) attempt: AttemptId,
    pub(super) delivery: Delivery,
    pub(super) message_id: String,
    pub(super) bound: Bound,
}

/// A mail that `sendmail` is taking.
type Handover<'a> = Pin<Box<dyn Future<Output = Landed> + Send + 'a>>;

/// A worker's way to the provider.
pub(super) struct Vehicle<'a> {
    shared: &'a Shared,
    number: u32,
    flight: Option<Flight<Ticket>>,
    window: Window,
    /// For `sendmail`, which carries one mail at a time.
    parcel: Option<(Ticket, Handover<'a>)>,
    losses: Losses,
    /// Mails the run had accepted when this worker's links began to be lost.
    accepted_before: u64,
    /// The connection has left mails in doubt already.
    is_doubted: bool,
    /// The server has no room for this connection; others go on.
    is_retired: bool,
    /// The server wants nobody to connect before then.
    paused_until_ms: Option<i64>,
}

impl<'a> Vehicle<'a> {
    pub(super) fn new(shared: &'a Shared, number: u32) -> Self {
        Self {
            shared,
            number,
            flight: None,
            window: Window::default(),
            parcel: None,
            losses: Losses::default(),
            accepted_before: 0,
            is_doubted: false,
            is_retired: false,
            paused_until_ms: None,
        }
    }

    /// Can it take another mail, perhaps after connecting anew, if those `waiting` come before it?
    pub(super) fn has_room(&self, waiting: Waiting) -> bool {
        if self.is_retired {
            return false;
        }
        match (&self.shared.run.carrier, &self.flight) {
            (Carrier::Sendmail(_), _) => self.parcel.is_none() && waiting.mails == 0,
            (Carrier::Smtp(_), None) => waiting.mails == 0,
            (Carrier::Smtp(_), Some(flight)) if flight.is_empty() && waiting.mails == 0 => true,
            (Carrier::Smtp(_), Some(flight)) => {
                !self.is_worn(flight, waiting.mails) && flight.has_room(waiting, self.window())
            }
        }
    }

    /// Is no mail on its way?
    pub(super) fn is_empty(&self) -> bool {
        self.parcel.is_none() && self.flight.as_ref().is_none_or(Flight::is_empty)
    }

    /// With a pace, the pace is the limit and not the round trip: one mail at a time is enough.
    fn window(&self) -> usize {
        if self.shared.run.throttle.is_paced() {
            1
        } else {
            self.window.size()
        }
    }

    fn is_worn(&self, flight: &Flight<Ticket>, waiting: usize) -> bool {
        let carried = u64::from(flight.carried()) + waiting as u64;
        carried >= u64::from(self.shared.messages_max())
    }

    /// Makes sure that there is a live connection, which `waiting` mails count on already. No: this worker, or the
    /// whole run, has nothing more to do.
    pub(super) async fn is_ready(&mut self, waiting: usize) -> anyhow::Result<bool> {
        let Carrier::Smtp(target) = &self.shared.run.carrier else {
            return Ok(true);
        };
        if let Some(mut flight) = self.flight.take() {
            let is_in_use = waiting > 0 || !flight.is_empty();
            if is_in_use || (!self.is_worn(&flight, 0) && flight.is_alive().await) {
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
        // A link that was lost again and again before any mail was decided is not tried again at once.
        let skipped = usize::try_from(self.losses.in_a_row().saturating_sub(1)).unwrap_or(usize::MAX);
        for wait in RECONNECT_AFTER.into_iter().skip(skipped) {
            let now_ms = self.shared.run.clock.now_ms();
            let wait_ms = i64::try_from(wait.as_millis()).unwrap_or_default();
            tokio::select! {
                () = self.shared.run.clock.wait_until(now_ms + wait_ms) => {}
                () = self.shared.stop.cancelled() => return Ok(false),
            }
            match open(self.shared, self.number, target).await {
                None => return Ok(false),
                Some(Ok(mut session)) => {
                    session.capabilities.chunking &= !self.shared.is_chunking_unknown.load(Ordering::SeqCst);
                    self.flight = Some(Flight::new(session));
                    self.is_doubted = false;
                    self.shared.connections.fetch_add(1, Ordering::SeqCst);
                    return Ok(true);
                }
                Some(Err(fault)) if fault.wants_a_pause() => {
                    self.paused_until_ms = self.shared.learn_at_connect(fault).await?;
                    return Ok(false);
                }
                Some(Err(fault)) if fault.verdict.is_about_account() => {
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
                if let Some(fault) = last {
                    self.shared.learn_at_connect(fault).await?;
                }
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

    /// Takes a mail whose intent is on disk.
    pub(super) fn board(&mut self, ticket: Ticket, message: Message) {
        match (&self.shared.run.carrier, &mut self.flight) {
            (Carrier::Sendmail(sendmail), _) => {
                let handover = Box::pin(async move { Landed::Decided(sendmail.deliver(&message).await) });
                self.parcel = Some((ticket, handover));
            }
            (Carrier::Smtp(_), Some(flight)) => flight.board(ticket, message),
            // Connections are made before intents are written.
            (Carrier::Smtp(_), None) => {
                self.parcel = Some((ticket, Box::pin(std::future::ready(Landed::Untouched))));
            }
        }
    }

    /// Goes on until the next mail has landed; none when no mail is on its way. Nothing is lost when it is dropped
    /// halfway.
    pub(super) async fn next_landed(&mut self) -> Option<(Ticket, Landed)> {
        if let Some((_, handover)) = &mut self.parcel {
            let landed = handover.await;
            let (ticket, _done) = self.parcel.take()?;
            return Some((ticket, landed));
        }
        let window = self.window();
        let flight = self.flight.as_mut()?;
        let landed = flight.next_landed(window).await;
        if flight.is_chunking_unknown() {
            self.shared.is_chunking_unknown.store(true, Ordering::SeqCst);
        }
        landed
    }

    /// Draws the consequences of an outcome for this connection and, where it means more, for the whole run.
    pub(super) fn learn(&mut self, outcome: &Outcome) {
        self.window.learn(outcome, Instant::now());
        self.shared.learn(outcome);
        if self.losses.in_a_row() == 0 {
            self.accepted_before = self.shared.accepted();
        }
        self.losses.learn(outcome);
        match outcome {
            // A lost connection leaves many mails in doubt at once; it counts as one.
            Outcome::InDoubt(fault) if !std::mem::replace(&mut self.is_doubted, true) => {
                self.shared.doubted(fault);
            }
            Outcome::Deferred(fault) if self.losses.are_too_many() => self.break_off(fault),
            Outcome::Deferred(_) | Outcome::Accepted(_) | Outcome::Refused(_) | Outcome::InDoubt(_) => {}
        }
    }

    /// Until when the server wants nobody to connect, when that is why there is no connection.
    pub(super) fn take_pause(&mut self) -> Option<i64> {
        self.paused_until_ms.take()
    }

    /// Mails that this connection has carried.
    pub(super) fn carried(&self) -> u32 {
        self.flight.as_ref().map_or(0, Flight::carried)
    }

    /// Keeps to what was learned about connections.
    pub(super) fn obey(&mut self, learned: &Learned) {
        let now_ms = self.shared.run.clock.now_ms();
        if let Some(most) = learned.messages_at(now_ms) {
            self.shared.messages_max.fetch_min(most, Ordering::SeqCst);
        }
        let open = self.shared.connections.load(Ordering::SeqCst);
        if learned
            .connections_at(now_ms)
            .is_some_and(|most| open > u32::from(most))
        {
            // Others are connected: the server just does not want so many of us.
            self.is_retired = true;
        }
    }

    /// Is this the first link that this worker has lost since a mail was decided?
    pub(super) fn is_first_loss(&self) -> bool {
        self.losses.in_a_row() <= 1
    }

    /// The server breaks off again and again. If it does so for everyone, the run ends; else this worker does.
    fn break_off(&mut self, fault: &Fault) {
        if self.shared.accepted() > self.accepted_before && self.shared.run.account().connections > 1 {
            self.is_retired = true;
        } else {
            self.shared.end(Ended::Unreachable(fault.clone()));
        }
    }

    pub(super) async fn close(self) {
        if let Some(flight) = self.flight {
            self.shared.connections.fetch_sub(1, Ordering::SeqCst);
            flight.close().await;
        }
    }
}

/// One try to connect and log in; none when the run was stopped meanwhile.
async fn open(shared: &Shared, number: u32, target: &Target) -> Option<Result<Session, Fault>> {
    // One at a time, until one connection is open; those that waited for it then go on all at once.
    let is_proved = || shared.is_login_proved.load(Ordering::SeqCst);
    let one_at_a_time = if is_proved() {
        None
    } else {
        let waited = shared.login.lock().await;
        (!is_proved()).then_some(waited)
    };
    let trace = shared.run.trace.as_ref();
    let trace = trace.map(|trace| trace.connection(number));
    let opened = tokio::select! {
        biased;
        () = shared.stop.cancelled() => return None,
        opened = Session::open(target, trace) => opened,
    };
    if opened.is_ok() {
        shared.is_login_proved.store(true, Ordering::SeqCst);
    } else if matches!(&opened, Err(fault) if fault.verdict.is_about_account() && !fault.wants_a_pause()) {
        // Before the next worker gets its turn to try the same password.
        shared.stop.cancel();
    }
    drop(one_at_a_time);
    Some(opened)
}
