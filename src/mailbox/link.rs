//! One connection to a mailbox: lines and octets both ways, in time, by TLS or to this machine.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_util::either::Either;

use super::Fault;
use crate::campaign::{Inbox, Passage, Tls};
use crate::deliver::session::is_this_machine;
use crate::deliver::trust;
use crate::text;

type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// A line at most, without its literals. A server that names a million mails does so in one line.
const LINE_MAX: u64 = 32 * 1_024 * 1_024;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// TCP and TLS.
    pub connect: Duration,
    /// Between two signs of life. A large folder takes its time to be opened.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            answer: Duration::from_mins(2),
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Link {
    stream: BufReader<Stream>,
    local: Option<IpAddr>,
    timeouts: Timeouts,
}

impl Link {
    /// Connects, by TLS where it is implicit.
    pub(super) async fn open(inbox: &Inbox, timeouts: Timeouts) -> Result<Self, Fault> {
        let server = inbox.server();
        let opening = TcpStream::connect((inbox.host.as_str(), inbox.port));
        let stream = match timeout(timeouts.connect, opening).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                let why = error.to_string();
                return Err(Fault::Link(text!(
                    "cannot connect to {server}: {why}",
                    server,
                    why
                )));
            }
            Err(_elapsed) => {
                return Err(Fault::Link(text!(
                    "{server} did not answer within {seconds} s",
                    server,
                    seconds = timeouts.connect.as_secs()
                )));
            }
        };
        let link = Self {
            local: stream.local_addr().ok().map(|address| address.ip()),
            stream: BufReader::new(Either::Left(stream)),
            timeouts,
        };
        match inbox.tls {
            Tls::Tls => link.protect(inbox).await,
            Tls::Starttls | Tls::None => Ok(link),
        }
    }

    /// Begins TLS.
    pub(super) async fn protect(self, inbox: &Inbox) -> Result<Self, Fault> {
        let server = inbox.server();
        // What was said before TLS began could have been said by anybody. Source: CVE-2011-0411.
        if !self.stream.buffer().is_empty() {
            return Err(Fault::Tls(text!("{server} spoke before TLS had begun", server)));
        }
        let Either::Left(stream) = self.stream.into_inner() else {
            return Err(Fault::Config(text!("TLS inside TLS")));
        };
        let name = ServerName::try_from(inbox.host.clone()).map_err(|_invalid| {
            let host = inbox.host.as_str();
            Fault::Config(text!("`{host}` is not a host name", host))
        })?;
        let config = trust::tls(inbox.ca_file.as_deref()).map_err(|error| {
            let why = format!("{error:#}");
            Fault::Config(text!("no TLS with {server}: {why}", server, why))
        })?;
        let connector = TlsConnector::from(Arc::clone(&config));
        let stream = match timeout(self.timeouts.connect, connector.connect(name, stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                let why = error.to_string();
                return Err(Fault::Tls(text!("no TLS with {server}: {why}", server, why)));
            }
            Err(_elapsed) => {
                return Err(Fault::Link(text!(
                    "{server}: the TLS handshake took too long",
                    server
                )));
            }
        };
        Ok(Self {
            stream: BufReader::new(Either::Right(Box::new(stream))),
            ..self
        })
    }

    /// May we log in here at all: protected, and from a network that the account may be used from?
    pub(super) fn check_login(&self, inbox: &Inbox) -> Result<(), Fault> {
        let is_plain = matches!(self.stream.get_ref(), Either::Left(_));
        if is_plain && !inbox.account.allow_plaintext && !is_this_machine(&inbox.host) {
            return Err(Fault::Config(text!(
                "the password would travel in clear; set tls, or allow_plaintext = true"
            )));
        }
        match self.local {
            Some(ip) if inbox.account.egress.judge(ip) == Passage::Refused => Err(Fault::Config(text!(
                "this network is not in egress_allow: we come from {ip}; the login was not tried",
                ip = ip.to_string()
            ))),
            _ => Ok(()),
        }
    }

    /// Says a line.
    pub(super) async fn say(&mut self, line: &str) -> Result<(), Fault> {
        let said = async {
            self.stream.write_all(line.as_bytes()).await?;
            self.stream.write_all(b"\r\n").await?;
            self.stream.flush().await
        };
        match timeout(self.timeouts.answer, said).await {
            Ok(said) => said.map_err(|error| lost(&error)),
            Err(_elapsed) => Err(self.no_answer()),
        }
    }

    /// Hears a line, without its end.
    pub(super) async fn line(&mut self) -> Result<Vec<u8>, Fault> {
        let within = self.timeouts.answer;
        self.line_within(within).await
    }

    /// The same, with patience of its own.
    pub(super) async fn line_within(&mut self, within: Duration) -> Result<Vec<u8>, Fault> {
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(LINE_MAX);
        match timeout(within, limited.read_until(b'\n', &mut line)).await {
            Ok(Ok(_octets)) => {}
            Ok(Err(error)) => return Err(lost(&error)),
            Err(_elapsed) => return Err(self.no_answer()),
        }
        if line.pop() != Some(b'\n') {
            return Err(Fault::Link(text!("the server closed the connection")));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }

    /// Is something there to be heard, within this time?
    pub(super) async fn hears(&mut self, within: Duration) -> Result<bool, Fault> {
        match timeout(within, self.stream.fill_buf()).await {
            Ok(Ok([])) => Err(Fault::Link(text!("the server closed the connection"))),
            Ok(Ok(_octets)) => Ok(true),
            Ok(Err(error)) => Err(lost(&error)),
            Err(_elapsed) => Ok(false),
        }
    }

    /// Hears so many octets.
    pub(super) async fn octets(&mut self, count: usize) -> Result<Vec<u8>, Fault> {
        let mut octets = Vec::with_capacity(count);
        while octets.len() < count {
            let missing = u64::try_from(count - octets.len()).unwrap_or(u64::MAX);
            let mut limited = (&mut self.stream).take(missing);
            match timeout(self.timeouts.answer, limited.read_buf(&mut octets)).await {
                Ok(Ok(0)) => return Err(Fault::Link(text!("the server closed the connection"))),
                Ok(Ok(_more)) => {}
                Ok(Err(error)) => return Err(lost(&error)),
                Err(_elapsed) => return Err(self.no_answer()),
            }
        }
        Ok(octets)
    }

    fn no_answer(&self) -> Fault {
        Fault::Link(text!(
            "no answer within {seconds} s",
            seconds = self.timeouts.answer.as_secs()
        ))
    }
}

fn lost(error: &std::io::Error) -> Fault {
    let why = error.kind().to_string();
    Fault::Link(text!("the connection was lost ({why})", why))
}
