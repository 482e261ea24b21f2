//! A mailbox by POP3. Source: RFC 1939, with CAPA and response codes (2449, 3206), STLS (2595) and SASL (5034).
//!
//! POP3 has no folders: handled mails stay, unless the user wants them deleted. The server deletes when we say goodbye,
//! and not before.

use super::link::{Link, Timeouts};
use super::{Fault, MAIL_MAX};
use crate::campaign::{Inbox, Login, Secret, Tls};
use crate::text;

/// Lines of a mail that are asked for, where it is larger than we read.
const LINES_MAX: u32 = 50_000;

/// An open mailbox. Nobody else gets in meanwhile.
#[derive(Debug)]
pub struct Pop3 {
    link: Link,
    capabilities: Vec<String>,
}

/// A mail from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its number in this session.
    pub number: u32,
    /// Its name for good.
    pub uidl: String,
    /// Its octets.
    pub size: u64,
}

impl Pop3 {
    /// Connects and logs in; the login is tried once.
    pub async fn open(inbox: &Inbox, secret: &Secret, timeouts: Timeouts) -> Result<Self, Fault> {
        let mut pop = Self {
            link: Link::open(inbox, timeouts).await?,
            capabilities: Vec::new(),
        };
        if let Err(Fault::Refused { said, .. }) = pop.reply("greeting").await {
            let server = inbox.server();
            return Err(Fault::Link(text!(
                "{server} does not welcome us: {said}",
                server,
                said
            )));
        }
        pop.ask_capabilities().await?;
        if inbox.tls == Tls::Starttls {
            if let Err(Fault::Refused { .. }) = pop.command("STLS", "STLS").await {
                return Err(Fault::Config(text!(
                    "the server does not offer STARTTLS; try tls = \"tls\" and port {port}",
                    port = 995_u16
                )));
            }
            pop.link = pop.link.protect(inbox).await?;
            pop.ask_capabilities().await?;
        }
        pop.link.check_login(inbox)?;
        pop.log_in(inbox, secret).await.map_err(of_login)?;
        Ok(pop)
    }

    async fn ask_capabilities(&mut self) -> Result<(), Fault> {
        self.capabilities = match self.command("CAPA", "CAPA").await {
            Ok(_said) => self.lines().await?,
            // It is an extension.
            Err(Fault::Refused { .. }) => Vec::new(),
            Err(fault) => return Err(fault),
        };
        Ok(())
    }

    fn offers(&self, name: &str, word: &str) -> bool {
        let mut lines = self.capabilities.iter().map(|line| line.to_uppercase());
        lines.any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(name) && (word.is_empty() || words.any(|found| found == word))
        })
    }

    async fn log_in(&mut self, inbox: &Inbox, secret: &Secret) -> Result<(), Fault> {
        let (user, password) = (inbox.account.username.as_str(), secret.reveal());
        if matches!(inbox.account.login, Login::Token(_)) {
            let response = format!("user={user}\x01auth=Bearer {password}\x01\x01");
            return self.authenticate("XOAUTH2", &response).await;
        }
        if self.offers("SASL", "PLAIN") {
            return self.authenticate("PLAIN", &format!("\0{user}\0{password}")).await;
        }
        self.command("USER", &format!("USER {user}")).await?;
        self.command("PASS", &format!("PASS {password}")).await.map(drop)
    }

    async fn authenticate(&mut self, mechanism: &str, response: &str) -> Result<(), Fault> {
        use base64::Engine as _;
        let mut response = Some(base64::prelude::BASE64_STANDARD.encode(response));
        self.link.say(&format!("AUTH {mechanism}")).await?;
        loop {
            let line = self.text_line().await?;
            if line.starts_with("+ ") || line == "+" {
                // A second challenge says why it was refused; an empty answer to it brings the end.
                self.link.say(&response.take().unwrap_or_default()).await?;
            } else {
                return judged("AUTH", &line).map(drop);
            }
        }
    }

    /// All mails, in their order.
    pub async fn list(&mut self) -> Result<Vec<Listed>, Fault> {
        if let Err(fault) = self.command("UIDL", "UIDL").await {
            return Err(match fault {
                Fault::Refused { .. } => Fault::Config(text!(
                    "the server gives mails no names that last (no UIDL), so nobody could tell what was handled"
                )),
                other => other,
            });
        }
        let names = self.lines().await?;
        self.command("LIST", "LIST").await?;
        let sizes = self.lines().await?;
        let sizes: std::collections::HashMap<&str, u64> = sizes
            .iter()
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(number, size)| Some((number, size.split(' ').next()?.parse().ok()?)))
            .collect();
        let listed = names.iter().filter_map(|line| {
            let (number, uidl) = line.split_once(' ')?;
            Some(Listed {
                number: number.parse().ok()?,
                uidl: uidl.trim().to_owned(),
                size: sizes.get(number).copied().unwrap_or_default(),
            })
        });
        Ok(listed.collect())
    }

    /// The beginning of a mail, as long as it may be.
    pub async fn read(&mut self, mail: &Listed) -> Result<Vec<u8>, Fault> {
        let number = mail.number;
        if mail.size > MAIL_MAX && self.offers("TOP", "") {
            self.command("TOP", &format!("TOP {number} {LINES_MAX}")).await?;
        } else {
            self.command("RETR", &format!("RETR {number}")).await?;
        }
        let most = usize::try_from(MAIL_MAX).unwrap_or(usize::MAX);
        let mut octets = Vec::new();
        while let Some(line) = self.data_line().await? {
            // The rest is heard, and not kept.
            if octets.len() + line.len() < most {
                octets.extend_from_slice(&line);
                octets.extend_from_slice(b"\r\n");
            }
        }
        Ok(octets)
    }

    /// Deletes a mail, once [`Pop3::close`] is through.
    pub async fn delete(&mut self, mail: &Listed) -> Result<(), Fault> {
        self.command("DELE", &format!("DELE {}", mail.number))
            .await
            .map(drop)
    }

    /// Leaves. Only now the server deletes.
    pub async fn close(mut self) -> Result<(), Fault> {
        self.command("QUIT", "QUIT").await.map(drop)
    }

    async fn command(&mut self, name: &'static str, line: &str) -> Result<String, Fault> {
        self.link.say(line).await?;
        self.reply(name).await
    }

    async fn reply(&mut self, name: &'static str) -> Result<String, Fault> {
        let line = self.text_line().await?;
        judged(name, &line)
    }

    async fn text_line(&mut self) -> Result<String, Fault> {
        let line = self.link.line().await?;
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    async fn lines(&mut self) -> Result<Vec<String>, Fault> {
        let mut lines = Vec::new();
        while let Some(line) = self.data_line().await? {
            lines.push(String::from_utf8_lossy(&line).into_owned());
        }
        Ok(lines)
    }

    /// A line of what is said at length; none at its end.
    async fn data_line(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let mut line = self.link.line().await?;
        if line.first() == Some(&b'.') {
            line.remove(0);
            if line.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(line))
    }
}

fn judged(command: &'static str, line: &str) -> Result<String, Fault> {
    if line.starts_with("+OK") {
        return Ok(line.to_owned());
    }
    let said = line.to_owned();
    Err(Fault::Refused { command, said })
}

/// Whatever goes wrong with a login counts as a refusal: some servers hang up on a wrong password.
fn of_login(fault: Fault) -> Fault {
    match fault {
        Fault::Refused { said, .. } => {
            // Not about the password. Source: RFC 2449, 3206.
            let later = ["[IN-USE]", "[LOGIN-DELAY]", "[SYS/"];
            let is_password = !later.iter().any(|code| said.contains(code));
            Fault::Login { said, is_password }
        }
        Fault::Link(why) => Fault::Login {
            said: why.to_string(),
            is_password: false,
        },
        other => other,
    }
}
