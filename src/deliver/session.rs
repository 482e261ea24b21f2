//! Opens a connection: TCP, TLS, EHLO, one login. Source: RFC 5321, 3207 (STARTTLS), 4954 (AUTH).
//!
//! AUTH is tried exactly once, with one mechanism: providers lock an account after a few refused logins.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use tokio_util::either::Either;

use super::classify::classify;
use super::link::Link;
use super::trace::Trace;
use super::wire::{self, Lost, Wire};
use crate::campaign::{Account, Login, Secret, Tls};
use crate::mail::{Fault, Outcome, Reply, Scope, Stage};

/// How long each stage may take. Source: RFC 5321, 4.5.3.2, as ceilings.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// TCP and TLS.
    pub connect: Duration,
    /// The greeting, and each command's answer.
    pub command: Duration,
    /// Any part of a message to leave.
    pub data: Duration,
    /// The answer to the end of data. The server may be scanning: a short wait here makes duplicates.
    pub end_of_data: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            command: Duration::from_mins(1),
            data: Duration::from_mins(3),
            end_of_data: Duration::from_mins(10),
        }
    }
}

/// Where to connect, and as whom.
#[derive(Clone, Debug)]
pub struct Target {
    /// Host name or IP address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the link is protected.
    pub tls: Tls,
    /// Allows a login without TLS to another machine.
    pub allow_plaintext: bool,
    /// Login name and secret, and whether the secret is an OAuth 2 token.
    pub login: Option<Credentials>,
    /// Our name in EHLO; the address of our end when absent.
    pub hello: Option<String>,
    /// How long each stage may take.
    pub timeouts: Timeouts,
    tls_config: Arc<ClientConfig>,
}

/// A login name and its secret.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The login name.
    pub username: String,
    /// The password or token.
    pub secret: Secret,
    /// Is it an OAuth 2 token?
    pub is_token: bool,
}

impl Target {
    /// The server of this account, with its secret.
    pub fn new(account: &Account, secret: Option<Secret>) -> anyhow::Result<Self> {
        let is_token = matches!(account.login, Login::Token(_));
        let username = account.username.clone();
        Ok(Self {
            host: account.host.clone(),
            port: account.port,
            tls: account.tls,
            allow_plaintext: account.allow_plaintext,
            login: secret.map(|secret| Credentials {
                username,
                secret,
                is_token,
            }),
            hello: account.hello.clone(),
            timeouts: Timeouts::default(),
            tls_config: tls_config(account)?,
        })
    }

    /// The server as people write it: `host:port`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// TLS that trusts the public certificate authorities, and those of `ca_file`.
fn tls_config(account: &Account) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = &account.ca_file {
        let read = || format!("read ca_file {}", path.display());
        for certificate in CertificateDer::pem_file_iter(path).with_context(read)? {
            roots.add(certificate.with_context(read)?).with_context(read)?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("set up TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// What the server offers. Unknown keywords are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an extension of SMTP")]
pub struct Capabilities {
    /// RFC 2920: commands in groups.
    pub pipelining: bool,
    /// RFC 3030: the message as a chunk of so many octets, which the next command may follow at once.
    pub chunking: bool,
    /// RFC 1870: the largest mail the server takes, in octets; none when it does not say.
    pub size_max: Option<u64>,
    /// RFC 6531: addresses and headers in UTF-8.
    pub smtputf8: bool,
    /// RFC 3207.
    pub starttls: bool,
    /// RFC 4954: the names of login mechanisms, upper case.
    pub auth: Vec<String>,
}

impl Capabilities {
    fn parse<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut found = Self::default();
        for line in lines.skip(1) {
            let text = String::from_utf8_lossy(line.get(4..).unwrap_or_default()).to_ascii_uppercase();
            // Old servers write `AUTH=PLAIN LOGIN`; newer ones say the same again in the right form.
            let text = text.replacen("AUTH=", "AUTH ", 1);
            let mut words = text.split_ascii_whitespace();
            match words.next() {
                Some("PIPELINING") => found.pipelining = true,
                Some("CHUNKING") => found.chunking = true,
                // 0 means that there is no fixed limit.
                Some("SIZE") => {
                    found.size_max = words
                        .next()
                        .and_then(|size| size.parse().ok())
                        .filter(|size| *size > 0);
                }
                Some("SMTPUTF8") => found.smtputf8 = true,
                Some("STARTTLS") => found.starttls = true,
                Some("AUTH") => found.auth.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        found
    }
}

/// An open connection, logged in and ready for mail.
#[derive(Debug)]
pub struct Session {
    pub(super) link: Link,
    /// What the server offers.
    pub capabilities: Capabilities,
    pub(super) timeouts: Timeouts,
}

impl Session {
    /// Connects and logs in. A fault of scope account means: do not knock again.
    pub async fn open(target: &Target, trace: Option<Trace>) -> Result<Self, Fault> {
        let (mut link, local) = connect(target, trace).await?;
        if target.tls == Tls::Tls {
            link = protect(link, target).await?;
        }
        let greeting = link
            .reply(target.timeouts.command)
            .await
            .map_err(|lost| gone(Stage::Hello, &lost))?;
        if !greeting.is_positive() {
            return Err(refused(Stage::Hello, greeting));
        }
        let hello = target.hello.clone().unwrap_or_else(|| literal(local));
        let mut capabilities = say_hello(&mut link, &hello, &target.timeouts).await?;
        if target.tls == Tls::Starttls {
            if !capabilities.starttls {
                return Err(config(
                    "the server does not offer STARTTLS; try tls = \"tls\" and port 465",
                ));
            }
            expect(&mut link, "STARTTLS", &target.timeouts).await?;
            link = protect(link, target).await?;
            capabilities = say_hello(&mut link, &hello, &target.timeouts).await?;
        }
        let mut session = Self {
            link,
            capabilities,
            timeouts: target.timeouts,
        };
        if let Some(credentials) = &target.login {
            if target.tls == Tls::None && !target.allow_plaintext && !is_this_machine(&target.host) {
                let what = "the password would travel in clear; set tls, or allow_plaintext = true";
                return Err(config(what));
            }
            session.log_in(credentials).await?;
        }
        Ok(session)
    }

    /// Ends the connection politely, when nothing is to be sent.
    pub async fn close(self) {
        self.link.close("QUIT", GOODBYE).await;
    }
}

/// How long a server may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

async fn connect(target: &Target, trace: Option<Trace>) -> Result<(Link, Option<IpAddr>), Fault> {
    let opening = TcpStream::connect((target.host.as_str(), target.port));
    let stream = match timeout(target.timeouts.connect, opening).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            return Err(link_fault(
                Stage::Connect,
                &format!("cannot connect to {}: {error}", target.name()),
            ));
        }
        Err(_elapsed) => {
            let what = format!(
                "{} did not answer within {} s",
                target.name(),
                target.timeouts.connect.as_secs()
            );
            return Err(link_fault(Stage::Connect, &what));
        }
    };
    // Without it, Nagle holds the last packet of a mail for 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        return Err(link_fault(
            Stage::Connect,
            &format!("cannot set up the connection: {error}"),
        ));
    }
    let local = stream.local_addr().ok().map(|address| address.ip());
    Ok((Link::new(Either::Left(stream), trace), local))
}

async fn protect(link: Link, target: &Target) -> Result<Link, Fault> {
    let (stream, trace) = link.into_stream();
    let Either::Left(stream) = stream else {
        return Err(config("TLS inside TLS"));
    };
    let name = ServerName::try_from(target.host.clone())
        .map_err(|_invalid| config(&format!("`{}` is not a host name", target.host)))?;
    let connector = TlsConnector::from(Arc::clone(&target.tls_config));
    match timeout(target.timeouts.connect, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(Link::new(Either::Right(Box::new(stream)), trace)),
        Ok(Err(error)) => Err(link_fault(
            Stage::Connect,
            &format!("no TLS with {}: {error}", target.name()),
        )),
        Err(_elapsed) => Err(link_fault(
            Stage::Connect,
            &format!("{}: the TLS handshake took too long", target.name()),
        )),
    }
}

async fn say_hello(link: &mut Link, hello: &str, timeouts: &Timeouts) -> Result<Capabilities, Fault> {
    link.wire.command(&["EHLO ", hello]);
    let frame = link.wait_for(timeouts.command, Wire::next_frame).await;
    let frame = frame.map_err(|lost| gone(Stage::Hello, &lost))?;
    match Reply::from_lines(wire::lines(&frame)) {
        Some(reply) if reply.is_positive() => Ok(Capabilities::parse(wire::lines(&frame))),
        // RFC 5321, 3.2: a server that knows no EHLO is asked with HELO, and offers nothing.
        Some(reply) if matches!(reply.code, 500 | 502) => {
            expect(link, &format!("HELO {hello}"), timeouts).await?;
            Ok(Capabilities::default())
        }
        Some(reply) => Err(refused(Stage::Hello, reply)),
        None => Err(link_fault(Stage::Hello, "the server does not speak SMTP")),
    }
}

async fn expect(link: &mut Link, command: &str, timeouts: &Timeouts) -> Result<(), Fault> {
    let reply = link.ask(command, command, timeouts.command).await;
    let reply = reply.map_err(|lost| gone(Stage::Hello, &lost))?;
    if reply.is_positive() {
        Ok(())
    } else {
        Err(refused(Stage::Hello, reply))
    }
}

pub(super) fn refused(stage: Stage, reply: Reply) -> Fault {
    match classify(stage, reply) {
        Outcome::Deferred(fault) | Outcome::Refused(fault) | Outcome::InDoubt(fault) => fault,
        Outcome::Accepted(_) => link_fault(stage, "an answer that makes no sense"),
    }
}

pub(super) fn gone(stage: Stage, lost: &Lost) -> Fault {
    link_fault(stage, &lost.0)
}

fn link_fault(stage: Stage, note: &str) -> Fault {
    Fault {
        stage,
        scope: Scope::Link,
        reply: None,
        note: note.to_owned(),
    }
}

/// Nothing that another try could mend. No login was tried: the stage says so.
pub(super) fn config(note: &str) -> Fault {
    Fault {
        stage: Stage::Hello,
        scope: Scope::Account,
        reply: None,
        note: note.to_owned(),
    }
}

/// Our end of the link as an address literal. Source: RFC 5321, 4.1.3.
fn literal(local: Option<IpAddr>) -> String {
    match local {
        Some(IpAddr::V4(ip)) => format!("[{ip}]"),
        Some(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
        None => "localhost".to_owned(),
    }
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_in_any_case_and_form() {
        let lines = [
            "250-mail.example.com greets you",
            "250-8bitmime",
            "250-AUTH=PLAIN LOGIN XALIOAUTH",
            "250-auth PLAIN LOGIN XOAUTH2",
            "250-SIZE 35882577",
            "250-CHUNKING",
            "250 Pipelining",
        ];
        let found = Capabilities::parse(lines.iter().map(|line| line.as_bytes()));
        assert!(found.pipelining && found.chunking && !found.starttls);
        assert!(found.auth.iter().any(|name| name == "XOAUTH2"));
        assert!(found.auth.iter().any(|name| name == "LOGIN"));
    }

    #[test]
    fn only_loopback_is_this_machine() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "::1"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["192.168.1.1", "mail.example.com", "localhost.example.com"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
