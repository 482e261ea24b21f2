//! An SMTP server that delivers nothing: for trying a campaign out, and for testing what sends it.
//!
//! It speaks the SMTP of a careful provider (RFC 5321 with PIPELINING, 8BITMIME, SIZE, SMTPUTF8, CHUNKING,
//! ENHANCEDSTATUSCODES, STARTTLS and AUTH), keeps or counts what it accepts, and goes wrong on demand: by the
//! local part of a recipient ([`LOCAL_PARTS`]) or by a [`Script`] ([`FAULTS`]). It is not a mail server: nothing
//! leaves it, and nobody can fetch mail from it.
//!
//! | local part | what happens |
//! |---|---|
//! | `4xx`, `5xx` | RCPT is answered with that code, as in `550-anna@` |
//! | `421` | RCPT is answered 421 4.7.0 and the connection is closed |
//! | `fail` | RCPT is answered 550 5.1.1, always |
//! | `tempfail` | RCPT is answered 451 4.3.0, always |
//! | `greylist` | RCPT is answered 450 4.2.0 the first time this address is seen, then accepted |
//! | `data-4xx`, `data-5xx` | the end of data is answered with that code, as in `data-550-anna@` |
//! | `drop`, `drop-at-rcpt` | the connection is closed instead of the reply to RCPT |
//! | `drop-at-data` | the connection is closed instead of the reply to DATA |
//! | `drop-in-data` | the connection is closed after about 1 KiB of the mail |
//! | `drop-after-data` | the mail is read to its end and thrown away; the connection is closed without a reply |
//! | `accept-then-drop` | the mail is accepted and kept; the connection is closed without a reply |
//! | `slow` | the reply to the end of data comes late, after 2 seconds as a rule |
//!
//! Each may be followed by `-` and anything: `slow-1@`, `slow-2@`. Only the part before a `+` counts.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::text;
use crate::words::Text;

mod auth;
mod body;
mod commands;
mod connection;
mod counts;
mod faults;
mod play;
mod reply;
mod script;
mod session;
mod store;
#[cfg(test)]
mod tests;
mod tls;

pub use auth::{Credentials, LoginPrompts};
pub use counts::Counts;
pub use faults::LOCAL_PARTS;
pub use reply::Reply;
pub use script::{Action, FAULTS, Rule, Script, Stage, When};
pub use store::{Entry, Store};
pub use tls::{Certificate, Tls};

/// How often accepting a connection may fail in a row before the server gives up.
const ACCEPT_FAILURES_MAX: u32 = 20;

/// How the server behaves. The default counts mails, asks for no login and does nothing wrong.
#[derive(Clone, Debug)]
pub struct Config {
    /// What happens to accepted mails.
    pub store: Store,
    /// With [`Store::Discard`]: a file that gets the line about each mail that a folder's index would get.
    pub journal: Option<PathBuf>,
    /// When connections are encrypted.
    pub tls: Tls,
    /// The certificate for that.
    pub certificate: Certificate,
    /// The one login that is accepted, and needed before MAIL. Without it any login is accepted and none is needed.
    pub credentials: Option<Credentials>,
    /// How AUTH LOGIN asks.
    pub login_prompts: LoginPrompts,
    /// Extensions that are not offered.
    pub without: Vec<Extension>,
    /// The longest mail in bytes.
    pub size_max: usize,
    /// How long a silent client is borne with.
    pub idle_timeout: Duration,
    /// How late the reply to a mail for `slow@` is.
    pub slow_delay: Duration,
    /// What goes wrong.
    pub script: Script,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: Store::Discard,
            journal: None,
            tls: Tls::None,
            certificate: Certificate::SelfSigned,
            credentials: None,
            login_prompts: LoginPrompts::Capitals,
            without: Vec::new(),
            size_max: 50 * 1024 * 1024,
            // RFC 5321, 4.5.3.2.7 asks a server to wait at least this long.
            idle_timeout: Duration::from_mins(5),
            slow_delay: Duration::from_secs(2),
            script: Script::default(),
        }
    }
}

/// What the server can offer in its reply to EHLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// RFC 2920. Without it, a command that does not wait for the reply before it is answered 554.
    Pipelining,
    /// RFC 6152.
    EightBitMime,
    /// RFC 1870. Without it the limit still holds, but is not announced.
    Size,
    /// RFC 6531.
    SmtpUtf8,
    /// RFC 3030.
    Chunking,
    /// RFC 2034. Without it, replies have no enhanced codes.
    EnhancedStatusCodes,
    /// RFC 3207. Offered only with [`Tls::StartTls`].
    StartTls,
    /// RFC 4954. Without it no mechanism is offered.
    Auth,
    /// The mechanism PLAIN.
    AuthPlain,
    /// The mechanism LOGIN.
    AuthLogin,
    /// The mechanism XOAUTH2.
    AuthXoauth2,
}

impl FromStr for Extension {
    type Err = Text;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_lowercase().as_str() {
            "pipelining" => Ok(Self::Pipelining),
            "8bitmime" => Ok(Self::EightBitMime),
            "size" => Ok(Self::Size),
            "smtputf8" => Ok(Self::SmtpUtf8),
            "chunking" => Ok(Self::Chunking),
            "enhancedstatuscodes" => Ok(Self::EnhancedStatusCodes),
            "starttls" => Ok(Self::StartTls),
            "auth" => Ok(Self::Auth),
            "auth-plain" => Ok(Self::AuthPlain),
            "auth-login" => Ok(Self::AuthLogin),
            "auth-xoauth2" => Ok(Self::AuthXoauth2),
            _ => Err(text!(
                "unknown extension `{name}`; allowed are pipelining, 8bitmime, size, smtputf8, chunking, enhancedstatuscodes, starttls, auth, auth-plain, auth-login, auth-xoauth2",
                name
            )),
        }
    }
}

/// What all connections of one server share.
pub(in crate::sandbox) struct Shared {
    config: Config,
    gate: auth::Gate,
    play: play::Play,
    tally: Arc<counts::Tally>,
    shelf: store::Shelf,
    identity: Option<tls::Identity>,
    /// Addresses that asked for greylisting and have been refused once.
    greylisted: Mutex<HashSet<String>>,
}

impl Shared {
    fn open(config: Config) -> anyhow::Result<Self> {
        let identity = match config.tls {
            Tls::None => None,
            Tls::StartTls | Tls::Implicit => Some(tls::Identity::load(&config.certificate)?),
        };
        Ok(Self {
            gate: auth::Gate {
                credentials: config.credentials.clone(),
                prompts: config.login_prompts,
            },
            play: play::Play::new(config.script.clone()),
            tally: Arc::default(),
            shelf: store::Shelf::open(&config.store, config.journal.as_deref())?,
            identity,
            greylisted: Mutex::default(),
            config,
        })
    }

    fn offers(&self, extension: Extension) -> bool {
        let without = &self.config.without;
        let is_login = matches!(
            extension,
            Extension::AuthPlain | Extension::AuthLogin | Extension::AuthXoauth2
        );
        !(without.contains(&extension) || is_login && without.contains(&Extension::Auth))
    }

    fn is_new_address(&self, address: &str) -> bool {
        store::lock(&self.greylisted).insert(address.to_lowercase())
    }
}

/// A server that is ready to run. Cheap to clone; the clones are one server.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

impl Server {
    /// Opens the store and loads or makes the certificate.
    pub fn new(config: Config) -> anyhow::Result<Self> {
        Ok(Self {
            shared: Arc::new(Shared::open(config)?),
        })
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        self.shared.tally.snapshot()
    }

    /// The certificate as PEM, for a client's `ca_file`; none without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.shared
            .identity
            .as_ref()
            .map(|identity| identity.pem.as_str())
    }

    /// Serves `listener` until `shutdown` is cancelled and every connection has ended.
    pub async fn run(&self, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
        let connections = TaskTracker::new();
        let stop = shutdown.child_token();
        // Connections end with the server also when accepting has failed, or when this future is dropped.
        let stop_on_drop = stop.clone().drop_guard();
        let ended = self.accept(&listener, &stop, &connections).await;
        drop(listener);
        drop(stop_on_drop);
        connections.close();
        connections.wait().await;
        ended
    }

    async fn accept(
        &self,
        listener: &TcpListener,
        shutdown: &CancellationToken,
        connections: &TaskTracker,
    ) -> io::Result<()> {
        let mut failures = 0;
        while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
            match accepted.and_then(|(tcp, peer)| tcp.set_nodelay(true).map(|()| (tcp, peer))) {
                Ok((tcp, peer)) => {
                    failures = 0;
                    let shared = Arc::clone(&self.shared);
                    connections.spawn(connection::serve(tcp, peer, shared, shutdown.clone()));
                }
                Err(error) if failures >= ACCEPT_FAILURES_MAX => return Err(error),
                Err(_) => {
                    // A client that left at once, or too many open files: the next try may go well.
                    failures += 1;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        Ok(())
    }
}

/// A server that runs inside this process. It stops when this is dropped.
pub struct Running {
    server: Server,
    addr: SocketAddr,
    tasks: TaskTracker,
    stop: DropGuard,
}

/// Starts a server on a free port of 127.0.0.1.
pub async fn start(config: Config) -> anyhow::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("listen on 127.0.0.1")?;
    let addr = listener.local_addr().context("listen on 127.0.0.1")?;
    let server = Server::new(config)?;
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    let (runs, stops) = (server.clone(), shutdown.clone());
    tasks.spawn(async move { runs.run(listener, stops).await });
    Ok(Running {
        server,
        addr,
        tasks,
        stop: shutdown.drop_guard(),
    })
}

impl Running {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        self.server.counts()
    }

    /// The certificate as PEM, for a client's `ca_file`; none without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.server.ca_pem()
    }

    /// Says goodbye to all clients, waits until the last connection has ended, and gives the final counts.
    pub async fn shutdown(self) -> Counts {
        drop(self.stop);
        self.tasks.close();
        self.tasks.wait().await;
        self.server.counts()
    }
}
