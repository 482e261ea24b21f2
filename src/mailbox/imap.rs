//! A mailbox by IMAP. Source: RFC 3501, with SASL-IR (4959), ID (2971), IDLE (2177), MOVE (6851) and UIDPLUS (4315).
//!
//! Mails are looked at with PEEK: nothing becomes read by it. Nothing is expunged but the very mails that were copied
//! before: what others have marked as deleted is theirs.

use std::time::Duration;

use tokio::time::Instant;

use super::link::{Link, Timeouts};
use super::syntax::{delimiter, folder, literal, number_after, set, uid_of};
use super::{Fault, MAIL_MAX};
use crate::campaign::{Inbox, Secret, Tls};
use crate::text;

/// Octets of a literal at most; we never ask for more than [`MAIL_MAX`].
const LITERAL_MAX: usize = 32 * 1_024 * 1_024;

/// An open mailbox.
#[derive(Debug)]
pub struct Imap {
    pub(super) link: Link,
    tag: u32,
    /// What the server offers, in capitals.
    pub(super) capabilities: Vec<String>,
    /// Mails in the folder, as far as was said.
    exists: u32,
    /// Did something arrive since mails were last listed?
    has_news: bool,
    /// Why the server is about to hang up.
    bye: Option<String>,
}

/// A folder that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selected {
    /// While it is the same, numbers name the same mails.
    pub uid_validity: u32,
}

/// A mail from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Its number, which no other mail of the folder ever has.
    pub uid: u32,
    /// Its octets.
    pub size: u64,
}

/// What the server says: a line, with what it says by the octet.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) text: String,
    literals: Vec<Vec<u8>>,
}

impl Imap {
    /// Connects and logs in; the login is tried once.
    pub async fn open(inbox: &Inbox, secret: &Secret, timeouts: Timeouts) -> Result<Self, Fault> {
        let mut imap = Self {
            link: Link::open(inbox, timeouts).await?,
            tag: 0,
            capabilities: Vec::new(),
            exists: 0,
            has_news: false,
            bye: None,
        };
        let greeting = imap.answer().await?.text;
        if !greeting.starts_with("* OK") && !greeting.starts_with("* PREAUTH") {
            let (server, said) = (inbox.server(), greeting);
            return Err(Fault::Link(text!(
                "{server} does not welcome us: {said}",
                server,
                said
            )));
        }
        imap.ask_capabilities().await?;
        if inbox.tls == Tls::Starttls {
            if !imap.offers("STARTTLS") {
                return Err(Fault::Config(text!(
                    "the server does not offer STARTTLS; try tls = \"tls\" and port {port}",
                    port = 993_u16
                )));
            }
            imap.command("STARTTLS", "STARTTLS").await?;
            imap.link = imap.link.protect(inbox).await?;
            // What it offered in clear, anybody could have said.
            imap.ask_capabilities().await?;
        }
        if !greeting.starts_with("* PREAUTH") {
            imap.link.check_login(inbox)?;
            imap.log_in(inbox, secret).await?;
            imap.ask_capabilities().await?;
        }
        if imap.offers("ID") {
            // NetEase opens no folder for those who do not say who they are (`Unsafe Login`); nobody else minds.
            let version = env!("CARGO_PKG_VERSION");
            let said = imap
                .command(
                    "ID",
                    &format!("ID (\"name\" \"mailshot\" \"version\" \"{version}\")"),
                )
                .await;
            if let Err(fault @ Fault::Link(_)) = said {
                return Err(fault);
            }
        }
        Ok(imap)
    }

    async fn ask_capabilities(&mut self) -> Result<(), Fault> {
        let said = self.command("CAPABILITY", "CAPABILITY").await?;
        let lists = said
            .iter()
            .filter_map(|answer| answer.text.strip_prefix("* CAPABILITY "));
        self.capabilities = lists
            .flat_map(str::split_whitespace)
            .map(str::to_uppercase)
            .collect();
        Ok(())
    }

    pub(super) fn offers(&self, name: &str) -> bool {
        self.capabilities.iter().any(|offered| offered == name)
    }

    /// Opens a folder; nothing can be changed in it when it is only looked at.
    pub async fn open_folder(&mut self, name: &str, access: Access) -> Result<Selected, Fault> {
        let command = match access {
            Access::Change => "SELECT",
            Access::Look => "EXAMINE",
        };
        let line = format!("{command} {}", folder(name));
        self.exists = 0;
        let said = self.command(command, &line).await?;
        let validity = said
            .iter()
            .find_map(|answer| number_after(&answer.text, "[UIDVALIDITY "));
        let Some(uid_validity) = validity.and_then(|number| u32::try_from(number).ok()) else {
            return Err(Fault::Config(text!(
                "the server's numbers do not last (no UIDVALIDITY), so nobody could tell what was handled"
            )));
        };
        Ok(Selected { uid_validity })
    }

    /// The name of a folder as this server writes it, if it is there.
    pub async fn find_folder(&mut self, name: &str) -> Result<Option<String>, Fault> {
        for name in self.spellings(name).await? {
            if self.has_folder(&name).await? {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// What a folder may be called here.
    async fn spellings(&mut self, name: &str) -> Result<[String; 2], Fault> {
        let said = self.command("LIST", "LIST \"\" \"\"").await?;
        let delimiter = said
            .iter()
            .find_map(|answer| delimiter(&answer.text))
            .unwrap_or('/');
        let plain = name.replace('/', &delimiter.to_string());
        // Some servers keep all folders below the inbox.
        let below = format!("INBOX{delimiter}{plain}");
        Ok([plain, below])
    }

    /// Makes a folder unless it is there; gives its name as this server writes it.
    pub async fn make_folder(&mut self, name: &str) -> Result<String, Fault> {
        if let Some(name) = self.find_folder(name).await? {
            return Ok(name);
        }
        let [plain, below] = self.spellings(name).await?;
        match self
            .command("CREATE", &format!("CREATE {}", folder(&plain)))
            .await
        {
            Ok(_made) => Ok(plain),
            Err(Fault::Refused { .. }) => {
                self.command("CREATE", &format!("CREATE {}", folder(&below)))
                    .await?;
                Ok(below)
            }
            Err(fault) => Err(fault),
        }
    }

    async fn has_folder(&mut self, name: &str) -> Result<bool, Fault> {
        let said = self
            .command("LIST", &format!("LIST \"\" {}", folder(name)))
            .await?;
        let is_folder = |text: &str| {
            let text = text.to_uppercase();
            text.starts_with("* LIST") && !text.contains("\\NONEXISTENT") && !text.contains("\\NOSELECT")
        };
        Ok(said.iter().any(|answer| is_folder(&answer.text)))
    }

    /// The mails behind this number that nobody has marked as deleted, in their order.
    pub async fn after(&mut self, uid: u32) -> Result<Vec<Envelope>, Fault> {
        // Told without being asked, if at all.
        self.command("NOOP", "NOOP").await?;
        self.has_news = false;
        if self.exists == 0 {
            return Ok(Vec::new());
        }
        let line = format!("UID FETCH {}:* (UID RFC822.SIZE FLAGS)", uid.saturating_add(1));
        let said = self.command("FETCH", &line).await?;
        let mut mails: Vec<Envelope> = said
            .iter()
            .filter(|answer| !answer.text.to_uppercase().contains("\\DELETED"))
            .filter_map(|answer| {
                Some(Envelope {
                    uid: uid_of(&answer.text)?,
                    size: number_after(&answer.text, "RFC822.SIZE ")?,
                })
            })
            // The last mail is always in such a range, whatever its number.
            .filter(|mail| mail.uid > uid)
            .collect();
        mails.sort_by_key(|mail| mail.uid);
        mails.dedup_by_key(|mail| mail.uid);
        Ok(mails)
    }

    /// The beginnings of mails, as long as they may be. What is gone meanwhile is not among them.
    pub async fn read(&mut self, uids: &[u32]) -> Result<Vec<(u32, Vec<u8>)>, Fault> {
        let line = format!("UID FETCH {} (UID BODY.PEEK[]<0.{MAIL_MAX}>)", set(uids));
        let said = self.command("FETCH", &line).await?;
        let mails = said.into_iter().filter_map(|mut answer| {
            let uid = uid_of(&answer.text).filter(|uid| uids.contains(uid))?;
            let octets = match answer.literals.pop() {
                Some(octets) => octets,
                // The shortest of mails may come as a string.
                None => answer
                    .text
                    .split_once("BODY[]")?
                    .1
                    .split('"')
                    .nth(1)?
                    .as_bytes()
                    .to_vec(),
            };
            Some((uid, octets))
        });
        Ok(mails.collect())
    }

    /// Moves mails to another folder, which this server's name is given of.
    pub async fn put_away(&mut self, uids: &[u32], to: &str) -> Result<(), Fault> {
        let (set, to) = (set(uids), folder(to));
        if self.offers("MOVE") {
            return self
                .command("MOVE", &format!("UID MOVE {set} {to}"))
                .await
                .map(drop);
        }
        self.command("COPY", &format!("UID COPY {set} {to}")).await?;
        let mark = format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)");
        self.command("STORE", &mark).await?;
        if self.offers("UIDPLUS") {
            self.command("EXPUNGE", &format!("UID EXPUNGE {set}")).await?;
        }
        Ok(())
    }

    /// Waits until something arrives, for this long at most. Where the server tells nothing by itself, it is asked anew
    /// after `poll`.
    pub async fn wait(&mut self, most: Duration, poll: Duration) -> Result<(), Fault> {
        if self.has_news {
            return Ok(());
        }
        if !self.offers("IDLE") {
            tokio::time::sleep(poll.min(most)).await;
            return Ok(());
        }
        let tag = self.say("IDLE").await?;
        loop {
            let answer = self.answer().await?;
            if answer.text.starts_with('+') {
                break;
            }
            if let Some(done) = answer.text.strip_prefix(&tag) {
                return judged("IDLE", done);
            }
        }
        let end = Instant::now() + most;
        while !self.has_news {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.link.hears(left).await? {
                break;
            }
            self.answer().await?;
        }
        self.link.say("DONE").await?;
        self.finish("IDLE", &tag).await.map(drop)
    }

    /// Leaves.
    pub async fn close(mut self) {
        // Whatever is said to a goodbye, it changes nothing.
        let _said = self.command("LOGOUT", "LOGOUT").await;
    }

    /// Says a command; gives the tag of its end.
    pub(super) async fn say(&mut self, line: &str) -> Result<String, Fault> {
        self.tag += 1;
        let tag = format!("m{} ", self.tag);
        self.link.say(&format!("{tag}{line}")).await?;
        Ok(tag)
    }

    /// Says a command, and hears what is said until it is done.
    pub(super) async fn command(&mut self, name: &'static str, line: &str) -> Result<Vec<Answer>, Fault> {
        let tag = self.say(line).await?;
        self.finish(name, &tag).await
    }

    async fn finish(&mut self, name: &'static str, tag: &str) -> Result<Vec<Answer>, Fault> {
        let mut said = Vec::new();
        loop {
            let answer = self.answer().await?;
            if let Some(done) = answer.text.strip_prefix(tag) {
                return judged(name, done).map(|()| said);
            }
            said.push(answer);
        }
    }

    pub(super) async fn answer(&mut self) -> Result<Answer, Fault> {
        let mut answer = Answer::default();
        loop {
            let line = match self.link.line().await {
                Err(Fault::Link(why)) => {
                    let said = self.bye.take();
                    return Err(Fault::Link(said.map_or(why, |said| {
                        text!("the server closed the connection: {said}", said)
                    })));
                }
                other => other?,
            };
            answer.text.push_str(&String::from_utf8_lossy(&line));
            let Some(count) = literal(&line) else { break };
            if count > LITERAL_MAX {
                return Err(Fault::Link(text!("the server sends more than was asked for")));
            }
            answer.literals.push(self.link.octets(count).await?);
        }
        if let Some(said) = answer.text.strip_prefix("* BYE ") {
            self.bye = Some(said.to_owned());
        }
        let exists = answer
            .text
            .strip_prefix("* ")
            .and_then(|rest| rest.strip_suffix(" EXISTS"));
        if let Some(count) = exists.and_then(|count| count.parse().ok()) {
            self.has_news |= count > self.exists;
            self.exists = count;
        }
        let is_expunge = answer.text.starts_with("* ") && answer.text.ends_with(" EXPUNGE");
        self.exists = self.exists.saturating_sub(u32::from(is_expunge));
        Ok(answer)
    }
}

/// What a folder is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Mails are moved out of it.
    Change,
    /// It is only looked at.
    Look,
}

/// How a command ended, by its last line without the tag.
pub(super) fn judged(command: &'static str, done: &str) -> Result<(), Fault> {
    if done.to_uppercase().starts_with("OK") {
        return Ok(());
    }
    let said = done.to_owned();
    Err(Fault::Refused { command, said })
}
