//! The mails under way on one connection. Source: RFC 5321, 4.1.1; RFC 2920 (PIPELINING).
//!
//! Without PIPELINING one command goes out at a time. With it, `MAIL RCPT DATA` leave in one write, and when the next
//! mail is aboard already, its group leaves together with the body of the mail before it: one round trip a mail.
//!
//! Whatever surprises us ends the flight. Then exactly the mail whose end of data had left is in doubt; the others
//! cannot have been accepted.

use std::collections::VecDeque;

use super::classify::{classify, lost};
use super::link::{Link, Lost};
use super::session::Session;
use crate::mail::{Message, Outcome, Reply, Stage};

/// Mails under way with PIPELINING: one whose body travels, and one whose envelope does.
pub const ROOM_PIPELINED: usize = 2;

/// What became of a mail that was aboard.
#[derive(Debug, PartialEq, Eq)]
pub enum Landed {
    /// The server decided, or the link was lost while the mail was its business.
    Decided(Outcome),
    /// The flight ended before the server heard of the mail's content.
    Untouched,
}

/// The mails under way on one connection, with whatever the caller wants back for each.
#[derive(Debug)]
pub struct Flight<T> {
    session: Session,
    room: usize,
    aboard: VecDeque<Carried<T>>,
    /// A transaction that came to nothing is still open at the server.
    needs_reset: bool,
    /// The connection is of no more use.
    is_over: bool,
    carried: u32,
}

#[derive(Debug)]
struct Carried<T> {
    ticket: T,
    message: Message,
    /// Its MAIL RCPT DATA have left.
    is_announced: bool,
}

/// What the dialogue about one envelope came to.
enum Envelope {
    /// 354: the server waits for the body.
    Open,
    /// Refused; the transaction must be reset.
    Refused(Outcome),
}

/// The flight cannot go on; the outcome is that of the mail at hand.
struct Surprise(Outcome);

impl<T> Flight<T> {
    /// A flight on this session, with room for at most `room` mails.
    pub fn new(session: Session, room: usize) -> Self {
        let room = if session.capabilities.pipelining {
            room.clamp(1, ROOM_PIPELINED)
        } else {
            1
        };
        Self {
            session,
            room,
            aboard: VecDeque::new(),
            needs_reset: false,
            is_over: false,
            carried: 0,
        }
    }

    /// Can another mail come aboard?
    pub fn has_room(&self) -> bool {
        !self.is_over && self.aboard.len() < self.room
    }

    /// Is nobody aboard?
    pub fn is_empty(&self) -> bool {
        self.aboard.is_empty()
    }

    /// Mails that came aboard so far.
    pub fn carried(&self) -> u32 {
        self.carried
    }

    /// Can it still fly? Looks, without waiting, whether the server has hung up on an idle link.
    pub async fn is_alive(&mut self) -> bool {
        !self.is_over && (!self.aboard.is_empty() || self.session.link.is_quiet().await)
    }

    /// Takes a mail aboard. Nothing leaves before [`Flight::next_landed`].
    pub fn board(&mut self, ticket: T, message: Message) {
        self.carried += 1;
        self.aboard.push_back(Carried {
            ticket,
            message,
            is_announced: false,
        });
    }

    /// Flies until the next mail has landed; none when nobody is aboard.
    pub async fn next_landed(&mut self) -> Option<(T, Landed)> {
        let mail = self.aboard.pop_front()?;
        if self.is_over {
            return Some((mail.ticket, Landed::Untouched));
        }
        let outcome = match self.carry(&mail).await {
            Ok(outcome) => outcome,
            Err(Surprise(outcome)) => {
                self.is_over = true;
                outcome
            }
        };
        Some((mail.ticket, Landed::Decided(outcome)))
    }

    async fn carry(&mut self, mail: &Carried<T>) -> Result<Outcome, Surprise> {
        let envelope = if self.session.capabilities.pipelining {
            self.envelope_in_a_group(mail).await?
        } else {
            self.envelope_step_by_step(mail).await?
        };
        match envelope {
            Envelope::Refused(outcome) => {
                self.needs_reset = true;
                Ok(outcome)
            }
            Envelope::Open => self.body(mail).await,
        }
    }

    async fn envelope_in_a_group(&mut self, mail: &Carried<T>) -> Result<Envelope, Surprise> {
        let is_reset = self.needs_reset;
        if !mail.is_announced {
            self.refuse_chatter()?;
            let group = self.announce(&mail.message);
            self.write(group.as_bytes(), Stage::Mail).await?;
            if is_reset {
                self.read(Stage::Mail).await?;
            }
        }
        let mail_reply = self.read(Stage::Mail).await?;
        let rcpt_reply = self.read(Stage::Rcpt).await?;
        let data_reply = self.read(Stage::Data).await?;
        let refusal = [(Stage::Mail, mail_reply), (Stage::Rcpt, rcpt_reply)]
            .into_iter()
            .find(|(_, reply)| !reply.is_positive());
        match (refusal, data_reply.is_intermediate()) {
            (None, true) => Ok(Envelope::Open),
            (None, false) if data_reply.is_positive() => Err(surprise(Stage::Data, &data_reply)),
            (None, false) => Ok(Envelope::Refused(classify(Stage::Data, data_reply))),
            (Some((stage, reply)), is_open) => {
                if reply.is_intermediate() {
                    return Err(surprise(stage, &reply));
                }
                if is_open {
                    // The server waits for a body although it took no recipient: it gets an empty one.
                    self.write(b".\r\n", Stage::Data).await?;
                    self.read(Stage::Data).await?;
                }
                Ok(Envelope::Refused(classify(stage, reply)))
            }
        }
    }

    async fn envelope_step_by_step(&mut self, mail: &Carried<T>) -> Result<Envelope, Surprise> {
        self.refuse_chatter()?;
        if std::mem::take(&mut self.needs_reset) {
            self.step("RSET", Stage::Mail).await?;
        }
        let envelope = &mail.message.envelope;
        let commands = [
            (format!("MAIL FROM:<{}>", envelope.from), Stage::Mail),
            (format!("RCPT TO:<{}>", envelope.to), Stage::Rcpt),
        ];
        for (command, stage) in commands {
            let reply = self.step(&command, stage).await?;
            if reply.is_intermediate() {
                return Err(surprise(stage, &reply));
            }
            if !reply.is_positive() {
                return Ok(Envelope::Refused(classify(stage, reply)));
            }
        }
        let reply = self.step("DATA", Stage::Data).await?;
        if reply.is_intermediate() {
            return Ok(Envelope::Open);
        }
        if reply.is_positive() {
            return Err(surprise(Stage::Data, &reply));
        }
        Ok(Envelope::Refused(classify(Stage::Data, reply)))
    }

    /// Sends the body, and with it the next mail's envelope; reads what the server says to the body.
    async fn body(&mut self, mail: &Carried<T>) -> Result<Outcome, Surprise> {
        // A word too many before the body would be taken for the answer to it.
        if !self.session.link.is_quiet().await {
            return Err(chatter(Stage::Data));
        }
        let mut bytes = dot_stuffed(&mail.message.bytes);
        let end_of_data = bytes.len();
        if self.session.capabilities.pipelining
            && let Some(mut next) = self.aboard.pop_front()
        {
            bytes.extend_from_slice(self.announce(&next.message).as_bytes());
            next.is_announced = true;
            self.aboard.push_front(next);
        }
        self.session
            .link
            .note(&format!("(message of {} octets)", mail.message.bytes.len()));
        if let Err(cut) = self.session.link.write(&bytes, self.session.timeouts.data).await {
            return Err(Surprise(
                self.cut_short(cut.written < end_of_data, &cut.lost).await,
            ));
        }
        let reply = match self.session.link.reply(self.session.timeouts.end_of_data).await {
            Ok(reply) => reply,
            Err(Lost(note)) => return Err(Surprise(lost(Stage::EndOfData, &note))),
        };
        match reply {
            reply if reply.is_positive() => Ok(Outcome::Accepted(reply)),
            reply if reply.is_intermediate() => Err(Surprise(lost(Stage::EndOfData, &odd(&reply)))),
            reply if reply.code == 421 => Err(Surprise(classify(Stage::EndOfData, reply))),
            reply => Ok(classify(Stage::EndOfData, reply)),
        }
    }

    /// A write failed. Often the server has said why before it hung up; its word decides.
    async fn cut_short(&mut self, is_before_the_end: bool, Lost(note): &Lost) -> Outcome {
        let stage = if is_before_the_end {
            Stage::Data
        } else {
            Stage::EndOfData
        };
        match self.session.link.reply(self.session.timeouts.command).await {
            Ok(reply) if reply.code >= 400 => classify(stage, reply),
            Ok(reply) if reply.is_positive() && !is_before_the_end => Outcome::Accepted(reply),
            _ => lost(stage, note),
        }
    }

    /// The next mail's commands; with them goes the reset that an earlier refusal owes.
    fn announce(&mut self, message: &Message) -> String {
        let reset = if std::mem::take(&mut self.needs_reset) {
            "RSET\r\n"
        } else {
            ""
        };
        let group = format!(
            "{reset}MAIL FROM:<{}>\r\nRCPT TO:<{}>\r\nDATA\r\n",
            message.envelope.from, message.envelope.to
        );
        group.lines().for_each(|line| self.session.link.note(line));
        group
    }

    async fn step(&mut self, command: &str, stage: Stage) -> Result<Reply, Surprise> {
        self.session.link.note(command);
        self.write(format!("{command}\r\n").as_bytes(), stage).await?;
        self.read(stage).await
    }

    async fn write(&mut self, bytes: &[u8], stage: Stage) -> Result<(), Surprise> {
        match self
            .session
            .link
            .write(bytes, self.session.timeouts.command)
            .await
        {
            Ok(()) => Ok(()),
            Err(cut) => Err(Surprise(self.cut_short(true, &cut.lost).await.at(stage))),
        }
    }

    /// Reads a reply before the end of data. 421 is the server's goodbye, whatever was asked.
    async fn read(&mut self, stage: Stage) -> Result<Reply, Surprise> {
        match self.session.link.reply(self.session.timeouts.command).await {
            Ok(reply) if reply.code == 421 => Err(Surprise(classify(stage, reply))),
            Ok(reply) => Ok(reply),
            Err(Lost(note)) => Err(Surprise(lost(stage, &note))),
        }
    }

    /// A reply that nobody asked for would be taken for the answer to the next command.
    fn refuse_chatter(&self) -> Result<(), Surprise> {
        if self.session.link.has_input() {
            return Err(chatter(Stage::Mail));
        }
        Ok(())
    }

    /// Ends the connection politely. Nobody must be aboard.
    pub async fn close(self) {
        if !self.is_over {
            let link: Link = self.session.link;
            link.note("QUIT");
            link.close(b"QUIT\r\n", std::time::Duration::from_secs(5)).await;
        }
    }
}

fn chatter(stage: Stage) -> Surprise {
    Surprise(lost(stage, "the server said something that nobody asked for"))
}

fn surprise(stage: Stage, reply: &Reply) -> Surprise {
    Surprise(lost(stage, &odd(reply)))
}

fn odd(reply: &Reply) -> String {
    format!("the server answered `{reply}` where it makes no sense")
}

/// The message as DATA wants it: a dot before every line that begins with one, then the final dot.
/// Source: RFC 5321, 4.5.2.
fn dot_stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 256);
    let mut is_line_start = true;
    for byte in message {
        if is_line_start && *byte == b'.' {
            out.push(b'.');
        }
        out.push(*byte);
        is_line_start = *byte == b'\n';
    }
    if !message.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

impl Outcome {
    /// The same outcome at another stage.
    fn at(mut self, stage: Stage) -> Self {
        match &mut self {
            Self::Deferred(fault) | Self::Refused(fault) | Self::InDoubt(fault) => fault.stage = stage,
            Self::Accepted(_) => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_begins_with_a_dot_gets_another() {
        let stuffed = |text: &str| String::from_utf8(dot_stuffed(text.as_bytes())).unwrap();
        assert_eq!(stuffed("a\r\n.b\r\n..\r\n"), "a\r\n..b\r\n...\r\n.\r\n");
        assert_eq!(stuffed(".\r\n"), "..\r\n.\r\n");
        assert_eq!(stuffed("no line end"), "no line end\r\n.\r\n");
    }
}
