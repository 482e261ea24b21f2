//! The transcript of a dialogue, for `--trace`: `->` what we said, `<-` what the server said. Secrets are never in it.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::sync::{Arc, Mutex};

use crate::mail::{Reply, Stage};

/// Where transcripts go; shared by all connections of a run.
#[derive(Clone)]
pub struct Trace {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
    connection: u32,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Trace({})", self.connection)
    }
}

impl Trace {
    /// A transcript that is written to `out`.
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self {
            out: Arc::new(Mutex::new(Box::new(out))),
            connection: 0,
        }
    }

    /// The same transcript for another connection.
    #[must_use]
    pub fn connection(&self, number: u32) -> Self {
        Self {
            out: Arc::clone(&self.out),
            connection: number,
        }
    }

    /// Notes what we said.
    pub(super) fn sent(&self, line: &str) {
        self.line("->", line);
    }

    /// Notes what the server said.
    pub(super) fn received(&self, line: &[u8]) {
        self.line("<-", &String::from_utf8_lossy(line));
    }

    fn line(&self, arrow: &str, line: &str) {
        let shown: String = line.trim_end().chars().filter(|c| !c.is_control()).collect();
        if let Ok(mut out) = self.out.lock() {
            // A transcript that cannot be written must not stop the mails.
            let _written = writeln!(out, "{} {arrow} {shown}", self.connection);
        }
    }
}

/// A line of a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of which connection.
    pub connection: u32,
    /// Did we say it?
    pub is_ours: bool,
    /// What was said.
    pub text: String,
    /// With the last line of a reply: the whole of it, and to what it is the answer.
    pub reply: Option<(Stage, Reply)>,
}

/// What is awaited on a connection.
#[derive(Debug)]
struct Awaited {
    stages: VecDeque<Stage>,
    last: Stage,
    reply: Vec<String>,
}

impl Default for Awaited {
    fn default() -> Self {
        Self {
            // The server speaks first.
            stages: VecDeque::from([Stage::Hello]),
            last: Stage::Hello,
            reply: Vec::new(),
        }
    }
}

impl Awaited {
    fn note_ours(&mut self, text: &str) {
        let stage = match text.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" | "STARTTLS" | "QUIT" => Stage::Hello,
            "AUTH" => Stage::Auth,
            "MAIL" | "RSET" => Stage::Mail,
            "RCPT" => Stage::Rcpt,
            "DATA" => Stage::Data,
            "BDAT" => Stage::EndOfData,
            // The message itself: after DATA it is answered, before BDAT it is not.
            "(message" if self.last == Stage::Data => Stage::EndOfData,
            "(message" => return,
            _ => self.last,
        };
        self.last = stage;
        self.stages.push_back(stage);
    }

    fn note_theirs(&mut self, text: &str) -> Option<(Stage, Reply)> {
        self.reply.push(text.to_owned());
        // `250-` goes on, `250 ` and `250` end a reply.
        if text.as_bytes().get(3) == Some(&b'-') {
            return None;
        }
        let lines = std::mem::take(&mut self.reply);
        let reply = Reply::from_lines(lines.iter().map(String::as_bytes))?;
        Some((self.stages.pop_front().unwrap_or(self.last), reply))
    }
}

/// Reads a transcript as it is written, and tells of each reply what it answers.
#[derive(Debug, Default)]
pub struct Dialogue(BTreeMap<u32, Awaited>);

impl Dialogue {
    /// Reads the next line.
    pub fn read(&mut self, line: &str) -> Option<Line> {
        let mut words = line.trim_end().splitn(3, ' ');
        let (number, arrow) = (words.next()?, words.next()?);
        let text = words.next().unwrap_or_default();
        let connection = number.parse().ok()?;
        let awaited = self.0.entry(connection).or_default();
        let is_ours = arrow == "->";
        let reply = if is_ours {
            awaited.note_ours(text);
            None
        } else {
            awaited.note_theirs(text)
        };
        Some(Line {
            connection,
            is_ours,
            text: text.to_owned(),
            reply,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stages of the replies in a transcript, with their codes.
    fn stages(text: &str) -> Vec<(Stage, u16)> {
        let mut dialogue = Dialogue::default();
        let replies = text.lines().filter_map(|line| dialogue.read(line)?.reply);
        replies.map(|(stage, reply)| (stage, reply.code)).collect()
    }

    #[test]
    fn each_reply_is_told_what_it_answers() {
        let hello = [
            (Stage::Hello, 220),
            (Stage::Hello, 250),
            (Stage::Auth, 334),
            (Stage::Auth, 235),
        ];
        let hello_said = "1 <- 220 x\n1 -> EHLO me\n1 <- 250-x\n1 <- 250 SIZE\n1 -> AUTH LOGIN\n1 <- 334 VXNl\n1 -> …\n1 <- 235 ok\n";
        let by_data = "1 -> MAIL FROM:<a>\n1 -> RCPT TO:<b>\n1 -> DATA\n1 <- 250 a\n1 <- 250 b\n1 <- 354 go\n\
                       1 -> (message of 9 octets)\n1 <- 554 no\n1 -> QUIT\n1 <- 221 bye\n";
        let by_bdat = "1 -> MAIL FROM:<a>\n1 -> RCPT TO:<b>\n1 -> (message of 9 octets)\n1 -> BDAT 9 LAST\n1 <- 250 a\n\
                       1 <- 550 b\n1 <- 503 c\n";
        let expected = [
            (Stage::Mail, 250),
            (Stage::Rcpt, 250),
            (Stage::Data, 354),
            (Stage::EndOfData, 554),
            (Stage::Hello, 221),
        ];
        assert_eq!(
            stages(&format!("{hello_said}{by_data}")),
            [hello.as_slice(), &expected].concat()
        );
        let expected = [(Stage::Mail, 250), (Stage::Rcpt, 550), (Stage::EndOfData, 503)];
        assert_eq!(
            stages(&format!("{hello_said}{by_bdat}")),
            [hello.as_slice(), &expected].concat()
        );
    }
}
