//! Ways out that are no SMTP dialogue of ours: the `sendmail` command of this machine, and files for a dry run.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::transport::sendmail::AsyncSendmailTransport;
use lettre::{AsyncTransport as _, Tokio1Executor};
use tokio::time::timeout;

use crate::mail::{Class, Envelope, Fault, Message, Outcome, Reply, Retry, Scope, Stage, Verdict};

/// How long the command may take for one mail.
const DEADLINE: Duration = Duration::from_mins(10);
/// An address that the command cannot be given.
const BAD_ADDRESS: Verdict = Verdict {
    class: Class::BadSyntax,
    scope: Scope::Recipient,
    retry: Retry::Never,
    suppress: false,
};
/// The command has said no to this mail.
const NOT_NOW: Verdict = Verdict {
    class: Class::UnclassifiedTransient,
    retry: Retry::Schedule,
    ..BAD_ADDRESS
};

/// The `sendmail` command: the local mail server queues the mail, and answers for it from then on.
#[derive(Debug)]
pub struct Sendmail {
    command: PathBuf,
    transport: AsyncSendmailTransport<Tokio1Executor>,
}

impl Sendmail {
    /// Uses this command.
    pub fn new(command: &Path) -> Self {
        Self {
            command: command.to_owned(),
            transport: AsyncSendmailTransport::new_with_command(command),
        }
    }

    /// Hands a message over.
    pub async fn deliver(&self, message: &Message) -> Outcome {
        let envelope = match envelope(&message.envelope) {
            Ok(envelope) => envelope,
            Err(note) => return Outcome::Refused(fault(BAD_ADDRESS, note)),
        };
        // The command reads text of this machine, whose lines end with LF alone.
        let text: Vec<u8> = message
            .bytes
            .iter()
            .copied()
            .filter(|byte| *byte != b'\r')
            .collect();
        let Ok(sent) = timeout(DEADLINE, self.transport.send_raw(&envelope, &text)).await else {
            // It may have queued the mail before it got stuck.
            let note = format!(
                "{} did not end within {} s",
                self.command.display(),
                DEADLINE.as_secs()
            );
            return Outcome::InDoubt(Fault {
                stage: Stage::EndOfData,
                ..fault(Verdict::UNCERTAIN, note)
            });
        };
        match sent {
            Ok(()) => Outcome::Accepted(Reply {
                code: 250,
                enhanced: None,
                text: "queued by sendmail".to_owned(),
            }),
            Err(error) if error.is_client() => Outcome::Deferred(fault(NOT_NOW, error.to_string())),
            Err(error) => Outcome::Deferred(fault(
                Verdict::NETWORK,
                format!("{}: {error}", self.command.display()),
            )),
        }
    }
}

fn fault(verdict: Verdict, note: String) -> Fault {
    Fault {
        stage: Stage::Data,
        verdict,
        reply: None,
        note,
    }
}

fn envelope(envelope: &Envelope) -> Result<lettre::address::Envelope, String> {
    let address = |text: &str| {
        text.parse::<lettre::Address>()
            .map_err(|error| format!("{text}: {error}"))
    };
    let to = vec![address(envelope.to.as_str())?];
    lettre::address::Envelope::new(Some(address(envelope.from.as_str())?), to)
        .map_err(|error| error.to_string())
}

/// A folder of `.eml` files, one for each mail, named so that they sort as they were written.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    count: u64,
}

impl Folder {
    /// Makes the folder, if it is not there.
    pub fn create(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        Ok(Self {
            path: path.to_owned(),
            count: 0,
        })
    }

    /// Writes a message; says where.
    pub fn write(&mut self, message: &Message) -> io::Result<PathBuf> {
        self.count += 1;
        let is_safe = |c: char| c.is_ascii_alphanumeric() || "@.-_+".contains(c);
        let to: String = message
            .envelope
            .to
            .as_str()
            .chars()
            .map(|c| if is_safe(c) { c } else { '_' })
            .collect();
        let path = self.path.join(format!("{:06}-{to}.eml", self.count));
        std::fs::write(&path, &message.bytes)?;
        Ok(path)
    }
}
