//! One mail on a connection: how much of it was said, and with what it was refused.

use std::collections::VecDeque;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::classify::classify;
use super::offers::Capabilities;
use super::wire::Wire;
use crate::mail::{Message, Outcome, Reply, Stage};
use crate::replies::Judge;

/// How much is said before the server has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// One command at a time.
    Stepwise,
    /// PIPELINING: `MAIL RCPT DATA` in one write, together with the body of the mail before.
    Grouped,
    /// PIPELINING and CHUNKING: `MAIL RCPT BDAT` and the body of mail after mail.
    Chunked,
}

impl Manner {
    pub(super) fn of(capabilities: &Capabilities) -> Self {
        match (capabilities.pipelining, capabilities.chunking) {
            (true, true) => Self::Chunked,
            (true, false) => Self::Grouped,
            (false, _) => Self::Stepwise,
        }
    }
}

/// A reply that must come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Reset,
    Mail,
    Rcpt,
    Data,
    /// To the lone dot that a 354 after a refused recipient gets.
    EmptyBody,
    End,
}

impl Awaited {
    pub(super) fn stage(self) -> Stage {
        match self {
            Self::Reset | Self::Mail => Stage::Mail,
            Self::Rcpt => Stage::Rcpt,
            Self::Data | Self::EmptyBody => Stage::Data,
            Self::End => Stage::EndOfData,
        }
    }
}

/// How much of a mail was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    Envelope,
    /// All of it; its last octet is the wire's so-many-eth.
    All(u64),
}

#[derive(Debug)]
pub(super) struct Carried<T> {
    pub(super) ticket: T,
    message: Message,
    pub(super) said: Said,
    /// The first refusal counts; what follows from it is noise.
    pub(super) refusal: Option<Outcome>,
}

impl<T> Carried<T> {
    pub(super) fn new(ticket: T, message: Message) -> Self {
        Self {
            ticket,
            message,
            said: Said::Nothing,
            refusal: None,
        }
    }

    /// The size of the mail as long as nothing of it was said.
    pub(super) fn unsaid_octets(&self) -> usize {
        match self.said {
            Said::Nothing => self.message.bytes.len(),
            Said::Envelope | Said::All(_) => 0,
        }
    }

    /// Says as much as can be said before an answer.
    pub(super) fn begin(
        &mut self,
        manner: Manner,
        is_reset: bool,
        wire: &mut Wire,
        awaited: &mut VecDeque<Awaited>,
    ) {
        self.said = Said::Envelope;
        if is_reset {
            wire.command(&["RSET"]);
            awaited.push_back(Awaited::Reset);
        }
        match manner {
            Manner::Stepwise if is_reset => {}
            Manner::Stepwise => self.say_mail(wire, awaited),
            Manner::Grouped => {
                self.say_mail(wire, awaited);
                self.say_rcpt(wire, awaited);
                say_data(wire, awaited);
            }
            Manner::Chunked => {
                self.say_mail(wire, awaited);
                self.say_rcpt(wire, awaited);
                self.say_chunk(wire, awaited);
            }
        }
    }

    pub(super) fn say_mail(&self, wire: &mut Wire, awaited: &mut VecDeque<Awaited>) {
        let envelope = &self.message.envelope;
        let utf8 = if envelope.to.needs_smtputf8() {
            " SMTPUTF8"
        } else {
            ""
        };
        wire.command(&["MAIL FROM:<", envelope.from.as_str(), ">", utf8]);
        awaited.push_back(Awaited::Mail);
    }

    pub(super) fn say_rcpt(&self, wire: &mut Wire, awaited: &mut VecDeque<Awaited>) {
        wire.command(&["RCPT TO:<", self.message.envelope.to.as_str(), ">"]);
        awaited.push_back(Awaited::Rcpt);
    }

    /// The body as one chunk. The mail itself is no longer needed then.
    fn say_chunk(&mut self, wire: &mut Wire, awaited: &mut VecDeque<Awaited>) {
        let body = self.take_body(wire);
        wire.command(&["BDAT ", &body.len().to_string(), " LAST"]);
        wire.say(&body);
        self.all_said(wire, awaited);
    }

    /// The body as DATA wants it: a dot before every line that begins with one, then the final dot.
    /// Source: RFC 5321, 4.5.2.
    pub(super) fn say_body(&mut self, wire: &mut Wire, awaited: &mut VecDeque<Awaited>) {
        static DOT: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\n."));
        let body = self.take_body(wire);
        if body.starts_with(b".") {
            wire.say(b".");
        }
        let mut rest = body.as_slice();
        while let Some((line, after)) = DOT.find(rest).and_then(|at| rest.split_at_checked(at + 1)) {
            wire.say(line);
            wire.say(b".");
            rest = after;
        }
        wire.say(rest);
        wire.say(b".\r\n");
        self.all_said(wire, awaited);
    }

    fn take_body(&mut self, wire: &Wire) -> Vec<u8> {
        let mut body = std::mem::take(&mut self.message.bytes);
        wire.note_body(body.len());
        if !body.ends_with(b"\r\n") {
            body.extend_from_slice(b"\r\n");
        }
        body
    }

    fn all_said(&mut self, wire: &Wire, awaited: &mut VecDeque<Awaited>) {
        self.said = Said::All(wire.said());
        awaited.push_back(Awaited::End);
    }

    pub(super) fn refuse(&mut self, judge: &Judge, stage: Stage, reply: Reply) {
        if self.refusal.is_none() {
            self.refusal = Some(self.refused(judge, stage, reply));
        }
    }

    /// What a refusal makes of it.
    pub(super) fn refused(&self, judge: &Judge, stage: Stage, reply: Reply) -> Outcome {
        classify(judge, stage, reply, Some(self.message.envelope.to.domain()))
    }
}

pub(super) fn say_data(wire: &mut Wire, awaited: &mut VecDeque<Awaited>) {
    wire.command(&["DATA"]);
    awaited.push_back(Awaited::Data);
}
