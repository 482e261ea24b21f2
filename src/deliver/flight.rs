//! Carries mails over one connection, several at a time: the dialogue of `transactions` with I/O and timeouts.
//!
//! Data keeps flowing: what can be said leaves while replies are awaited, and a mail that comes aboard in the middle
//! leaves at once.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::carried::Manner;
use super::link::no_answer;
use super::session::Session;
use super::transactions::{End, Takes, Transactions};
use super::window;
use crate::mail::{Message, Stage};

pub use super::transactions::Landed;

/// Mails on the wire with PIPELINING: one whose body travels, and one whose envelope does.
const MOST_GROUPED: usize = 2;
/// Octets that may wait before another mail is asked for: mails can be large.
const WAITING_MAX: usize = 256 * 1_024;
/// How long a server that has said goodbye may take to close the connection.
const GOODBYE: Duration = Duration::from_secs(10);

/// Mails that will come aboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub mails: usize,
    /// How large they are together.
    pub octets: usize,
}

/// The mails under way on one connection, with whatever the caller wants back for each.
#[derive(Debug)]
pub struct Flight<T> {
    session: Session,
    mails: Transactions<T>,
    carried: u32,
    /// When something last left, or a reply came.
    moved_at: Instant,
}

impl<T> Flight<T> {
    /// A flight on this session, in the manner that the server's offers allow.
    pub fn new(session: Session) -> Self {
        let manner = Manner::of(&session.capabilities);
        let takes = Takes {
            octets: session.capabilities.size_max,
            utf8: session.capabilities.smtputf8,
        };
        Self {
            mails: Transactions::new(manner, takes, session.judge.clone()),
            session,
            carried: 0,
            moved_at: Instant::now(),
        }
    }

    /// Can another mail come aboard, if those `waiting` come before it and `window` mails may be on the wire?
    ///
    /// For every mail on the wire another one may wait behind it, so that the wire is never idle while the ledger
    /// writes; but never more than [`window::MOST`] in all.
    pub fn has_room(&self, waiting: Waiting, window: usize) -> bool {
        let on_the_wire = window.min(match self.mails.manner() {
            Manner::Stepwise => 1,
            Manner::Grouped => MOST_GROUPED,
            Manner::Chunked => window::MOST,
        });
        let most = if on_the_wire == 1 {
            1
        } else {
            window::MOST.min(2 * on_the_wire)
        };
        let mails = self.mails.count() + waiting.mails;
        let octets = self.session.link.wire.outgoing().len() + self.mails.unsaid_octets() + waiting.octets;
        self.mails.is_open() && (mails == 0 || (mails < most && octets < WAITING_MAX))
    }

    /// Is nobody aboard?
    pub fn is_empty(&self) -> bool {
        self.mails.count() == 0
    }

    /// Mails that came aboard so far.
    pub fn carried(&self) -> u32 {
        self.carried
    }

    /// Did the server turn out not to know the BDAT that it offered?
    pub fn is_chunking_unknown(&self) -> bool {
        self.mails.is_chunking_unknown()
    }

    /// Can it still fly? Looks, without waiting, whether the server has hung up on an idle link.
    pub async fn is_alive(&mut self) -> bool {
        self.mails.is_open() && (!self.is_empty() || self.session.link.is_quiet().await)
    }

    /// Takes a mail aboard. Nothing leaves before [`Flight::next_landed`].
    pub fn board(&mut self, ticket: T, message: Message) {
        self.carried += 1;
        if self.mails.awaits().is_none() {
            self.moved_at = Instant::now();
        }
        self.mails.board(ticket, message);
    }

    /// Flies, with at most `window` mails on the wire, until the next mail has landed; none when nobody is aboard.
    /// Nothing is lost when it is dropped halfway.
    pub async fn next_landed(&mut self, window: usize) -> Option<(T, Landed)> {
        loop {
            self.mails.speak(window, &mut self.session.link.wire);
            self.hear_all();
            if let Some(landed) = self.mails.next_landed() {
                return Some(landed);
            }
            if self.is_empty() {
                return None;
            }
            self.mails.speak(window, &mut self.session.link.wire);
            let within = self.patience();
            let left = self.session.link.wire.left();
            let end = match timeout_at(self.moved_at + within, self.session.link.exchange()).await {
                Ok(Ok(())) => {
                    // Octets of a reply are no progress before it is whole.
                    if self.session.link.wire.left() > left {
                        self.moved_at = Instant::now();
                    }
                    continue;
                }
                Ok(Err(lost)) => (lost, End::Closed),
                Err(_elapsed) => (no_answer(within), End::Confused),
            };
            self.mails.end(&end.0, end.1, &self.session.link.wire);
        }
    }

    fn hear_all(&mut self) {
        let link = &mut self.session.link;
        let has_input = link.wire.has_input();
        while !self.mails.is_over()
            && let Some(reply) = link.wire.next_reply()
        {
            self.moved_at = Instant::now();
            match reply {
                Ok(reply) => self.mails.hear(reply, &mut link.wire),
                Err(lost) => self.mails.end(&lost, End::Confused, &link.wire),
            }
        }
        if has_input && self.mails.awaits().is_some() && link.wire.outgoing().is_empty() {
            link.acknowledge();
        }
    }

    /// How long nothing may move.
    fn patience(&self) -> Duration {
        let timeouts = &self.session.timeouts;
        if self.mails.is_leaving() {
            return timeouts.command.min(GOODBYE);
        }
        let reply = match self.mails.awaits() {
            Some(Stage::EndOfData) => timeouts.end_of_data,
            _ => timeouts.command,
        };
        if self.session.link.wire.outgoing().is_empty() {
            reply
        } else {
            reply.max(timeouts.data)
        }
    }

    /// Ends the connection politely. Nobody must be aboard.
    pub async fn close(self) {
        if self.mails.is_open() {
            self.session.close().await;
        }
    }
}
