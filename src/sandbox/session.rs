//! One dialogue, without any input or output: bytes in, replies and a [`Next`] out.
//!
//! The connection feeds it whatever has arrived, in pieces of any size, and does what `Next` says. The
//! commands themselves are in `commands.rs`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::auth::Exchange;
use super::body::{DataReader, has_long_line, line_length};
use super::faults::{self, Fault};
use super::reply::Reply;
use super::script::{Action, Stage};
use super::store::Mail;
use super::{Extension, Shared};

/// The longest command line: RFC 4954 asks for 12288 bytes, as tokens are long.
const LINE_MAX: usize = 12_288;

/// How much of a mail is read before `in-data` closes the connection.
const IN_DATA_BYTES: usize = 1024;

/// What the connection must do next. Replies so far are in [`Session::replies`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: there may be more to read in what is already here.
    GoOn,
    /// Send the replies, then wait for more bytes.
    Read,
    /// Keep [`Session::mail`], then say how that went to [`Session::kept`].
    Keep,
    /// Send the replies, throw away what else was received, and start TLS.
    StartTls,
    /// Send the replies and close.
    Close,
    /// Send the replies and close without the reply that is due now.
    Drop,
}

#[derive(Debug)]
pub(super) enum Phase {
    Command,
    Login(Exchange),
    Data(DataReader),
    Chunk(Chunk),
}

/// A BDAT chunk that is being read.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) left: usize,
    pub(super) is_last: bool,
    pub(super) fate: Fate,
}

/// What becomes of a chunk. Also a refused one is read to its end, as its bytes are on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Keep,
    Refuse,
    /// It is refused, and the client has been told.
    Refused,
}

/// How far the mail transaction is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Progress {
    #[default]
    None,
    Sender,
    Chunks,
}

/// What is known about the mail that is being handed in.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    pub(super) progress: Progress,
    /// The client said SMTPUTF8 at MAIL.
    pub(super) is_utf8: bool,
    /// The first fault that a recipient asked for and that is due after RCPT.
    pub(super) fault: Option<Fault>,
    is_too_big: bool,
    /// How the script words the acceptance.
    verdict: Option<Reply>,
}

/// The state of one dialogue.
pub(super) struct Session {
    pub(super) server: Arc<Shared>,
    pub(super) peer: SocketAddr,
    pub(super) is_tls: bool,
    /// What the client said in EHLO or HELO, with that word.
    pub(super) hello: Option<String>,
    pub(super) is_logged_in: bool,
    pub(super) phase: Phase,
    pub(super) transaction: Transaction,
    /// The mail that is being handed in. It stands beside the transaction, as its memory is used again.
    pub(super) mail: Mail,
    /// Mails accepted on this connection.
    pub(super) accepted: u32,
    /// The rest of a line that was too long is still to come.
    is_skipping: bool,
    /// Replies that are not sent yet.
    pub(super) replies: Vec<u8>,
}

impl Session {
    pub(super) fn new(server: Arc<Shared>, peer: SocketAddr) -> Self {
        Self {
            server,
            peer,
            is_tls: false,
            hello: None,
            is_logged_in: false,
            phase: Phase::Command,
            transaction: Transaction::default(),
            mail: Mail::default(),
            accepted: 0,
            is_skipping: false,
            replies: Vec::new(),
        }
    }

    /// Greets a client that is the `place`-th of those connected now.
    pub(super) fn greet(&mut self, place: u64) -> Next {
        if self
            .server
            .play
            .script
            .max_connections
            .is_some_and(|max| place > u64::from(max))
        {
            self.say(421, "4.7.0", "too many connections");
            return Next::Close;
        }
        match self.scripted(Stage::Connect) {
            Ok(Some(reply)) => self.replies.extend_from_slice(reply.wire().as_bytes()),
            Ok(None) => self.say(
                220,
                "",
                "sandbox.localhost ESMTP mailshot sandbox; no mail leaves here",
            ),
            // A greeting that refuses leaves nothing to talk about.
            Err(Next::GoOn) => return Next::Close,
            Err(next) => return next,
        }
        Next::Read
    }

    /// Forgets the dialogue so far, as RFC 3207 wants after STARTTLS.
    pub(super) fn start_over_with_tls(&mut self) {
        self.is_tls = true;
        self.hello = None;
        self.is_logged_in = false;
        self.reset();
    }

    /// Works through `input` as far as it goes. Gives the number of bytes used, and what to do next.
    pub(super) fn advance(&mut self, input: &[u8]) -> (usize, Next) {
        let mut rest = input;
        loop {
            let next = match &mut self.phase {
                Phase::Command | Phase::Login(_) => self.take_line(&mut rest),
                Phase::Data(_) => self.take_data(&mut rest),
                Phase::Chunk(_) => self.take_chunk(&mut rest),
            };
            if next != Next::GoOn {
                return (input.len() - rest.len(), next);
            }
        }
    }

    /// Whether the client owes us nothing, so that a server may hang up on it.
    pub(super) fn is_between_mails(&self) -> bool {
        matches!(self.phase, Phase::Command)
            && self.transaction.progress == Progress::None
            && self.accepted > 0
    }

    fn take_line(&mut self, rest: &mut &[u8]) -> Next {
        let Some(length) = line_length(rest) else {
            if self.is_skipping || rest.len() > LINE_MAX {
                self.is_skipping = true;
                *rest = &[];
            }
            return Next::Read;
        };
        let (line, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        *rest = after;
        if std::mem::take(&mut self.is_skipping) || length > LINE_MAX {
            self.phase = Phase::Command;
            self.say(500, "5.5.2", "line too long");
            return Next::GoOn;
        }
        if !self.offers(Extension::Pipelining) && !self.replies.is_empty() {
            // The client did not wait for a reply. Silence here would hide a fault in the client.
            self.say(554, "5.5.0", "this server does not take pipelined commands");
            return Next::Close;
        }
        match std::mem::replace(&mut self.phase, Phase::Command) {
            Phase::Login(exchange) => self.login_line(exchange, line),
            Phase::Command | Phase::Data(_) | Phase::Chunk(_) => self.command(line),
        }
    }

    fn take_data(&mut self, rest: &mut &[u8]) -> Next {
        let Phase::Data(reader) = &mut self.phase else {
            return Next::GoOn;
        };
        if rest.is_empty() {
            return Next::Read;
        }
        let has_ended = reader.read(rest, &mut self.mail.content);
        if self.drops_in_data(has_ended) {
            return Next::Drop;
        }
        self.limit_size();
        if has_ended { self.judge() } else { Next::Read }
    }

    fn take_chunk(&mut self, rest: &mut &[u8]) -> Next {
        let Phase::Chunk(chunk) = &mut self.phase else {
            return Next::GoOn;
        };
        let (bytes, after) = rest.split_at(chunk.left.min(rest.len()));
        *rest = after;
        chunk.left -= bytes.len();
        let (left, is_last, fate) = (chunk.left, chunk.is_last, chunk.fate);
        if fate == Fate::Keep {
            self.mail.content.extend_from_slice(bytes);
            if self.drops_in_data(left == 0 && is_last) {
                return Next::Drop;
            }
            self.limit_size();
        }
        if left > 0 {
            return Next::Read;
        }
        self.phase = Phase::Command;
        match (fate, is_last) {
            (Fate::Keep, true) => return self.judge(),
            (Fate::Keep, false) => self.say(250, "2.0.0", "chunk received"),
            (Fate::Refuse, _) => self.refuse_chunk(),
            (Fate::Refused, _) => {}
        }
        Next::GoOn
    }

    fn drops_in_data(&self, has_ended: bool) -> bool {
        self.transaction.fault == Some(Fault::DropAt(Stage::InData))
            && (has_ended || self.mail.content.len() >= IN_DATA_BYTES)
    }

    fn limit_size(&mut self) {
        if self.transaction.is_too_big || self.mail.content.len() > self.server.config.size_max {
            self.transaction.is_too_big = true;
            // The rest must be read, but need not be kept.
            self.mail.content.clear();
        }
    }

    /// The mail is here. Is it accepted?
    fn judge(&mut self) -> Next {
        self.phase = Phase::Command;
        self.transaction.progress = Progress::None;
        if self.transaction.is_too_big {
            return self.refuse_mail(552, "5.3.4", "the mail is too big");
        }
        match self.transaction.fault {
            Some(Fault::DropAt(Stage::EndOfData)) => return Next::Drop,
            Some(Fault::RefuseData(code)) => {
                let (enhanced, text) = faults::words_for(code);
                return self.refuse_mail(code, enhanced, text);
            }
            _ => {}
        }
        if has_long_line(&self.mail.content) {
            return self.refuse_mail(554, "5.6.0", "a line of the mail is longer than 998 bytes");
        }
        match self.scripted(Stage::EndOfData) {
            Ok(reply) => self.transaction.verdict = reply,
            Err(next) => {
                self.reset();
                return next;
            }
        }
        Next::Keep
    }

    fn refuse_mail(&mut self, code: u16, enhanced: &str, text: &str) -> Next {
        self.reset();
        self.say(code, enhanced, text);
        if code == 421 { Next::Close } else { Next::GoOn }
    }

    /// How long the reply to the mail that was just kept must wait.
    pub(super) fn reply_delay(&self) -> Option<Duration> {
        (self.transaction.fault == Some(Fault::Slow)).then_some(self.server.config.slow_delay)
    }

    /// The mail has its number, or could not be kept.
    pub(super) fn kept(&mut self, mail: Mail, number: &std::io::Result<u64>) -> Next {
        self.mail = mail;
        let Ok(number) = number else {
            return self.refuse_mail(452, "4.3.1", "the mail could not be written");
        };
        self.accepted += 1;
        self.server
            .tally
            .mail_accepted(self.mail.to.len(), self.mail.content.len());
        let is_dropped = self.transaction.fault == Some(Fault::DropAt(Stage::AfterStore));
        let verdict = self.transaction.verdict.take();
        self.reset();
        if is_dropped || self.server.play.visit(Stage::AfterStore).is_some() {
            return Next::Drop;
        }
        match verdict {
            Some(reply) => self.replies.extend_from_slice(reply.wire().as_bytes()),
            None => self.say(250, "2.0.0", format_args!("accepted as {number}")),
        }
        Next::GoOn
    }

    /// Ends the transaction; its memory is used again.
    pub(super) fn reset(&mut self) {
        self.transaction = Transaction::default();
        self.mail.from.clear();
        self.mail.to.clear();
        self.mail.content.clear();
    }

    pub(super) fn offers(&self, extension: Extension) -> bool {
        self.server.offers(extension)
    }

    /// Adds a reply. The enhanced code is left out if there is none or the server does not offer them.
    pub(super) fn say(&mut self, code: u16, enhanced: &str, text: impl std::fmt::Display) {
        // Writing to a Vec cannot fail.
        let _ignored: std::io::Result<()> =
            if enhanced.is_empty() || !self.offers(Extension::EnhancedStatusCodes) {
                write!(self.replies, "{code} {text}\r\n")
            } else {
                write!(self.replies, "{code} {enhanced} {text}\r\n")
            };
    }

    /// What the script does at this stage. `Ok`: it goes well, maybe in other words, which the caller says.
    /// `Err`: it does not; a refusal is already said.
    pub(super) fn scripted(&mut self, stage: Stage) -> Result<Option<Reply>, Next> {
        match self.server.play.visit(stage) {
            None => Ok(None),
            Some(Action::Drop) => Err(Next::Drop),
            Some(Action::Reply(reply)) if reply.is_refusal() => {
                self.replies.extend_from_slice(reply.wire().as_bytes());
                Err(if reply.code() == 421 {
                    Next::Close
                } else {
                    Next::GoOn
                })
            }
            Some(Action::Reply(reply)) => Ok(Some(reply.clone())),
        }
    }

    /// Says the script's words if it has any, else these.
    pub(super) fn agree(&mut self, scripted: Option<&Reply>, (code, enhanced, text): (u16, &str, &str)) {
        match scripted {
            Some(reply) => self.replies.extend_from_slice(reply.wire().as_bytes()),
            None => self.say(code, enhanced, text),
        }
    }
}
