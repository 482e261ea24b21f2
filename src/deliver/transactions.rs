//! The mails under way on one connection: what is said for each, which replies are awaited, and what the replies make
//! of it. No I/O. Sources: RFC 5321, 4.1.1; RFC 2920 (PIPELINING); RFC 3030 (CHUNKING).
//!
//! Replies come in the order of the commands, so every reply is about the oldest mail, and mails land in the order in
//! which they came aboard. What does not fit the awaited reply is a surprise: it ends the dialogue, and then exactly
//! the mails whose last octet had left are in doubt.

use std::collections::VecDeque;

use super::carried::{Awaited, Carried, Manner, Said, say_data};
use super::classify::lost;
use super::wire::{Lost, Wire};
use crate::mail::{Class, Enhanced, Fault, Message, Outcome, Reply, Retry, Scope, Stage, Verdict};
use crate::replies::Judge;

/// What became of a mail that was aboard.
#[derive(Debug, PartialEq, Eq)]
pub enum Landed {
    /// The server decided, or the link was lost while the mail was its business.
    Decided(Outcome),
    /// The dialogue ended before the server could take the mail.
    Untouched,
}

/// How far the dialogue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// More mails may be said.
    Open,
    /// The server has said that it is closing the connection.
    Leaving,
    /// It has said so, and went on answering commands.
    Lingering,
    Over,
}

/// How a dialogue ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The other end is gone.
    Closed,
    /// A reply that makes no sense, or none in time.
    Confused,
    /// BDAT is not known: the first mail was refused for it, and no other had been said.
    NoChunking,
}

/// What a server has said that it takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Takes {
    /// Octets of a mail at most; none when it did not say.
    pub(super) octets: Option<u64>,
    /// Addresses and headers in UTF-8.
    pub(super) utf8: bool,
}

/// The mails under way, with whatever the caller wants back for each.
#[derive(Debug)]
pub(super) struct Transactions<T> {
    manner: Manner,
    takes: Takes,
    judge: Judge,
    aboard: VecDeque<Carried<T>>,
    awaited: VecDeque<Awaited>,
    landed: VecDeque<(T, Landed)>,
    /// A transaction that came to nothing may still be open at the server.
    needs_reset: bool,
    course: Course,
    is_chunking_proved: bool,
    is_chunking_unknown: bool,
}

impl<T> Transactions<T> {
    /// A dialogue in this manner, whose refusals are judged so.
    pub(super) fn new(manner: Manner, takes: Takes, judge: Judge) -> Self {
        Self {
            manner,
            takes,
            judge,
            aboard: VecDeque::new(),
            awaited: VecDeque::new(),
            landed: VecDeque::new(),
            needs_reset: false,
            course: Course::Open,
            is_chunking_proved: false,
            is_chunking_unknown: false,
        }
    }

    pub(super) fn manner(&self) -> Manner {
        self.manner
    }

    /// Mails that have not been given back by [`Transactions::next_landed`].
    pub(super) fn count(&self) -> usize {
        self.aboard.len() + self.landed.len()
    }

    /// Can more mails be said?
    pub(super) fn is_open(&self) -> bool {
        self.course == Course::Open
    }

    /// Is the dialogue over, with whatever is left aboard?
    pub(super) fn is_over(&self) -> bool {
        self.course == Course::Over
    }

    /// Has the server said that it is closing the connection?
    pub(super) fn is_leaving(&self) -> bool {
        matches!(self.course, Course::Leaving | Course::Lingering)
    }

    /// The server offered CHUNKING, but its answer to BDAT was that it knows no such command.
    pub(super) fn is_chunking_unknown(&self) -> bool {
        self.is_chunking_unknown
    }

    /// What the next reply is about, if one is awaited.
    pub(super) fn awaits(&self) -> Option<Stage> {
        self.awaited.front().map(|awaited| awaited.stage())
    }

    pub(super) fn board(&mut self, ticket: T, message: Message) {
        match self.takes.refusal_of(&message) {
            Some(refused) => self
                .landed
                .push_back((ticket, Landed::Decided(Outcome::Refused(refused)))),
            None => self.aboard.push_back(Carried::new(ticket, message)),
        }
    }

    pub(super) fn next_landed(&mut self) -> Option<(T, Landed)> {
        self.landed.pop_front()
    }

    /// The size of the mails of which nothing was said yet.
    pub(super) fn unsaid_octets(&self) -> usize {
        self.aboard.iter().map(Carried::unsaid_octets).sum()
    }

    /// Says whatever can be said now, of at most `window` mails.
    pub(super) fn speak(&mut self, window: usize, wire: &mut Wire) {
        if !self.is_open() {
            return;
        }
        // Until the server has taken a chunk, it may turn out not to know any: then nothing else must be on the wire.
        let window = match self.manner {
            Manner::Chunked if !self.is_chunking_proved => 1,
            _ => window.max(1),
        };
        let mut is_all_said_before = true;
        for mail in self.aboard.iter_mut().take(window) {
            if mail.said == Said::Nothing {
                let is_its_turn = match self.manner {
                    Manner::Stepwise => self.awaited.is_empty(),
                    Manner::Grouped => is_all_said_before,
                    Manner::Chunked => true,
                };
                if !is_its_turn {
                    return;
                }
                // What is said before a transaction has ended well must not become part of it: after a refused
                // recipient, a server that keeps the transaction open would take the next mail for the wrong person.
                let is_unsettled = self.manner == Manner::Chunked && !self.awaited.is_empty();
                let is_reset = std::mem::take(&mut self.needs_reset) || is_unsettled;
                mail.begin(self.manner, is_reset, wire, &mut self.awaited);
            }
            is_all_said_before = matches!(mail.said, Said::All(_));
        }
    }

    /// Takes the next reply. After a surprise the dialogue is over.
    pub(super) fn hear(&mut self, reply: Reply, wire: &mut Wire) {
        if self.course == Course::Leaving && reply.code != 421 {
            self.course = Course::Lingering;
        }
        if let Err((note, end)) = self.take(reply, wire) {
            self.end(&note, end, wire);
        } else if self.is_leaving() && self.awaited.is_empty() {
            self.end(&Lost("the server said goodbye".to_owned()), End::Closed, wire);
        }
    }

    fn take(&mut self, reply: Reply, wire: &mut Wire) -> Result<(), Surprise> {
        let (Some(awaited), Some(mail)) = (self.awaited.front().copied(), self.aboard.front_mut()) else {
            return Err(chatter());
        };
        if reply.is_intermediate() && awaited != Awaited::Data {
            return Err(odd(&reply));
        }
        // 421 is the server's goodbye, whatever was asked.
        if reply.code == 421 && self.course == Course::Open {
            self.course = Course::Leaving;
        }
        let is_step = self.manner == Manner::Stepwise;
        match awaited {
            // Nobody refuses a RSET: this was about something else. Source: RFC 5321, 4.1.1.5.
            Awaited::Reset if !reply.is_positive() && reply.code != 421 => return Err(odd(&reply)),
            Awaited::Reset if reply.is_positive() => {
                if is_step {
                    mail.say_mail(wire, &mut self.awaited);
                }
            }
            Awaited::Mail if reply.is_positive() => {
                if is_step {
                    mail.say_rcpt(wire, &mut self.awaited);
                }
            }
            Awaited::Rcpt if reply.is_positive() => {
                if is_step {
                    say_data(wire, &mut self.awaited);
                }
            }
            Awaited::Reset | Awaited::Mail | Awaited::Rcpt => {
                mail.refuse(&self.judge, awaited.stage(), reply);
                if is_step {
                    self.give_up();
                }
            }
            Awaited::Data => return self.take_go_ahead(reply, wire),
            Awaited::EmptyBody => self.give_up(),
            Awaited::End => return self.take_verdict(reply, wire),
        }
        self.awaited.pop_front();
        Ok(())
    }

    /// The answer to DATA.
    fn take_go_ahead(&mut self, reply: Reply, wire: &mut Wire) -> Result<(), Surprise> {
        let Some(mail) = self.aboard.front_mut() else {
            return Err(chatter());
        };
        if reply.is_intermediate() {
            // A word too many before the body would be taken for the answer to it.
            if wire.has_input() {
                return Err(chatter());
            }
            if mail.refusal.is_some() {
                // The server waits for a body although it took no recipient: it gets an empty one.
                wire.command(&["."]);
                self.awaited.push_back(Awaited::EmptyBody);
            } else {
                mail.say_body(wire, &mut self.awaited);
            }
        } else if mail.refusal.is_some() {
            self.give_up();
        } else if reply.is_positive() {
            return Err(odd(&reply));
        } else {
            mail.refuse(&self.judge, Stage::Data, reply);
            self.give_up();
        }
        self.awaited.pop_front();
        Ok(())
    }

    /// The answer to the end of data.
    fn take_verdict(&mut self, reply: Reply, wire: &mut Wire) -> Result<(), Surprise> {
        let Some(mail) = self.aboard.front_mut() else {
            return Err(chatter());
        };
        let is_unknown = self.manner == Manner::Chunked && knows_no_such_command(&reply);
        self.is_chunking_proved |= !is_unknown;
        if reply.is_positive() {
            // Replies have come apart from their commands. Which of them was about what, nobody knows.
            let is_too_early = matches!(mail.said, Said::All(end) if wire.left() < end);
            if mail.refusal.take().is_some() || is_too_early {
                return Err(odd(&reply));
            }
            self.land(Outcome::Accepted(reply));
        } else if self.manner == Manner::Chunked {
            if mail.refusal.is_none() && is_unknown && !self.is_chunking_proved {
                self.is_chunking_unknown = true;
                return Err((Lost(reply.to_string()), End::NoChunking));
            }
            mail.refuse(&self.judge, Stage::EndOfData, reply);
            self.give_up();
        } else {
            // The end of data closes a transaction, whatever comes of it. Source: RFC 5321, 4.1.1.4.
            let outcome = mail.refused(&self.judge, Stage::EndOfData, reply);
            self.land(outcome);
        }
        self.awaited.pop_front();
        Ok(())
    }

    /// The oldest mail was refused, and its transaction came to nothing.
    fn give_up(&mut self) {
        self.needs_reset = true;
        if let Some(refusal) = self.aboard.front_mut().and_then(|mail| mail.refusal.take()) {
            self.land(refusal);
        }
    }

    fn land(&mut self, outcome: Outcome) {
        if let Some(mail) = self.aboard.pop_front() {
            self.landed.push_back((mail.ticket, Landed::Decided(outcome)));
        }
    }

    /// Ends the dialogue before its time: says what became of every mail that is still aboard.
    pub(super) fn end(&mut self, Lost(note): &Lost, end: End, wire: &Wire) {
        // Commands are worked off in their order: what stands behind a goodbye was never looked at, unless the server
        // went on answering.
        let is_goodbye = self.course == Course::Leaving && end == End::Closed;
        let stage = self.awaits().unwrap_or(Stage::Mail).min(Stage::Data);
        let mut is_first = true;
        for mail in self.aboard.drain(..) {
            let is_out = matches!(mail.said, Said::All(end) if wire.left() >= end);
            let what = match mail.refusal {
                Some(refusal) => Landed::Decided(refusal),
                None if is_goodbye || end == End::NoChunking => Landed::Untouched,
                None if is_out => Landed::Decided(lost(Stage::EndOfData, note)),
                None if is_first && mail.said != Said::Nothing => {
                    let is_in_body = matches!(mail.said, Said::All(_));
                    Landed::Decided(lost(if is_in_body { Stage::Data } else { stage }, note))
                }
                None => Landed::Untouched,
            };
            is_first = false;
            self.landed.push_back((mail.ticket, what));
        }
        self.course = Course::Over;
    }
}

/// 500 and 502 speak of the command, unless the enhanced code speaks of something else. Source: RFC 3463, 3.6.
fn knows_no_such_command(reply: &Reply) -> bool {
    matches!(reply.code, 500 | 502) && matches!(reply.enhanced, None | Some(Enhanced { subject: 5, .. }))
}

impl Takes {
    /// Why a mail need not even be begun: the server has said beforehand that it will not take such a one. Sources:
    /// RFC 1870, 6; RFC 6531, 3.2.
    fn refusal_of(self, message: &Message) -> Option<Fault> {
        let size = message.bytes.len() as u64;
        let (class, scope, note) = if let Some(most) = self.octets.filter(|most| size > *most) {
            let note = format!("the mail has {size} octets, and the server takes {most} at most");
            (Class::TooBig, Scope::Message, note)
        } else if message.envelope.to.needs_smtputf8() && !self.utf8 {
            let note = "letters outside ASCII before the `@`, and the server does not offer SMTPUTF8";
            (Class::Config, Scope::Recipient, note.to_owned())
        } else {
            return None;
        };
        Some(Fault {
            stage: Stage::Mail,
            verdict: Verdict {
                class,
                scope,
                retry: Retry::Never,
                suppress: false,
            },
            reply: None,
            note,
        })
    }
}

/// A reply that ends the dialogue.
type Surprise = (Lost, End);

fn chatter() -> Surprise {
    let what = "the server said something that nobody asked for";
    (Lost(what.to_owned()), End::Confused)
}

fn odd(reply: &Reply) -> Surprise {
    let what = format!("the server answered `{reply}` where it makes no sense");
    (Lost(what), End::Confused)
}
