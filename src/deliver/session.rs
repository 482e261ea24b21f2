//! Opens a connection: TCP, TLS, EHLO, one login. Source: RFC 5321, 3207 (STARTTLS), 4954 (AUTH).
//!
//! AUTH is tried exactly once, with one mechanism: providers lock an account after a few refused logins.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_util::either::Either;

use super::classify::fault_of;
use super::doors::Doors;
use super::egress::check_egress;
use super::link::Link;
use super::offers::Capabilities;
use super::trace::Trace;
use super::trust::{roots, tls_config};
use super::wire::{self, Lost, Wire};
use crate::campaign::{Account, Egress, Login, Secret, Tls};
use crate::mail::{Fault, Reply, Stage, Verdict};
use crate::replies::Judge;

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

/// How long to wait for the answer to a goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

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
    /// Says what replies mean.
    pub judge: Judge,
    /// From where we may log in.
    pub egress: Egress,
    /// Shared by all connections of a run.
    pub(super) doors: Arc<Doors>,
    pub(super) tls_config: Arc<ClientConfig>,
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
            judge: Judge::default(),
            egress: account.egress.clone(),
            doors: Doors::of(account),
            tls_config: tls_config(roots(account.ca_file.as_deref())?)?,
        })
    }

    /// The server as people write it: `host:port`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// An open connection, logged in and ready for mail.
#[derive(Debug)]
pub struct Session {
    pub(super) link: Link,
    /// What the server offers.
    pub capabilities: Capabilities,
    pub(super) timeouts: Timeouts,
    pub(super) judge: Judge,
}

impl Session {
    /// Connects to this port, and logs in.
    pub(super) async fn open_at(target: &Target, trace: Option<Trace>) -> Result<Self, Fault> {
        let (mut link, local) = connect(target, trace).await?;
        if target.tls == Tls::Tls {
            link = protect(link, target).await?;
        }
        let greeting = link
            .reply(target.timeouts.command)
            .await
            .map_err(|lost| gone(Stage::Hello, &lost))?;
        if !greeting.is_positive() {
            return Err(refused(&target.judge, Stage::Hello, greeting));
        }
        let hello = target.hello.clone().unwrap_or_else(|| literal(local));
        let mut capabilities = say_hello(&mut link, &hello, &target.timeouts, &target.judge).await?;
        if target.tls == Tls::Starttls {
            if !capabilities.starttls {
                return Err(config(
                    "the server does not offer STARTTLS; try tls = \"tls\" and port 465",
                ));
            }
            expect(&mut link, "STARTTLS", &target.timeouts, &target.judge).await?;
            link = protect(link, target).await?;
            capabilities = say_hello(&mut link, &hello, &target.timeouts, &target.judge).await?;
        }
        let mut session = Self {
            link,
            capabilities,
            timeouts: target.timeouts,
            judge: target.judge.clone(),
        };
        if let Some(credentials) = &target.login {
            if target.tls == Tls::None && !target.allow_plaintext && !is_this_machine(&target.host) {
                let what = "the password would travel in clear; set tls, or allow_plaintext = true";
                return Err(config(what));
            }
            check_egress(&target.egress, local, session.capabilities.seen_as)?;
            session.log_in(credentials).await?;
        }
        Ok(session)
    }

    pub(super) fn refused(&self, stage: Stage, reply: Reply) -> Fault {
        refused(&self.judge, stage, reply)
    }

    /// Ends the connection politely, when nothing is to be sent.
    pub async fn close(self) {
        self.link.close("QUIT", GOODBYE).await;
    }
}

pub(super) async fn connect(target: &Target, trace: Option<Trace>) -> Result<(Link, Option<IpAddr>), Fault> {
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

pub(super) async fn protect(link: Link, target: &Target) -> Result<Link, Fault> {
    let (stream, trace) = link.into_stream();
    let Either::Left(stream) = stream else {
        return Err(config("TLS inside TLS"));
    };
    let name = ServerName::try_from(target.host.clone())
        .map_err(|_invalid| config(&format!("`{}` is not a host name", target.host)))?;
    let connector = TlsConnector::from(Arc::clone(&target.tls_config));
    match timeout(target.timeouts.connect, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(Link::new(Either::Right(Box::new(stream)), trace)),
        Ok(Err(error)) => Err(tls_fault(&format!("no TLS with {}: {error}", target.name()))),
        Err(_elapsed) => Err(tls_fault(&format!(
            "{}: the TLS handshake took too long",
            target.name()
        ))),
    }
}

pub(super) async fn say_hello(
    link: &mut Link,
    hello: &str,
    timeouts: &Timeouts,
    judge: &Judge,
) -> Result<Capabilities, Fault> {
    link.wire.command(&["EHLO ", hello]);
    let frame = link.wait_for(timeouts.command, Wire::next_frame).await;
    let frame = frame.map_err(|lost| gone(Stage::Hello, &lost))?;
    match Reply::from_lines(wire::lines(&frame)) {
        Some(reply) if reply.is_positive() => Ok(Capabilities::parse(wire::lines(&frame))),
        // RFC 5321, 3.2: a server that knows no EHLO is asked with HELO, and offers nothing.
        Some(reply) if matches!(reply.code, 500 | 502) => {
            expect(link, &format!("HELO {hello}"), timeouts, judge).await?;
            Ok(Capabilities::default())
        }
        Some(reply) => Err(refused(judge, Stage::Hello, reply)),
        None => Err(link_fault(Stage::Hello, "the server does not speak SMTP")),
    }
}

pub(super) async fn expect(
    link: &mut Link,
    command: &str,
    timeouts: &Timeouts,
    judge: &Judge,
) -> Result<(), Fault> {
    let reply = link.ask(command, command, timeouts.command).await;
    let reply = reply.map_err(|lost| gone(Stage::Hello, &lost))?;
    if reply.is_positive() {
        Ok(())
    } else {
        Err(refused(judge, Stage::Hello, reply))
    }
}

pub(super) fn refused(judge: &Judge, stage: Stage, reply: Reply) -> Fault {
    fault_of(judge, stage, reply, None)
}

pub(super) fn gone(stage: Stage, lost: &Lost) -> Fault {
    link_fault(stage, &lost.0)
}

fn tls_fault(note: &str) -> Fault {
    Fault {
        verdict: Verdict::TLS,
        ..link_fault(Stage::Connect, note)
    }
}

fn link_fault(stage: Stage, note: &str) -> Fault {
    Fault {
        stage,
        verdict: Verdict::NETWORK,
        reply: None,
        note: note.to_owned(),
    }
}

/// Nothing that another try could mend. No login was tried: the stage says so.
pub(super) fn config(note: &str) -> Fault {
    Fault {
        stage: Stage::Hello,
        verdict: Verdict::CONFIG,
        reply: None,
        note: note.to_owned(),
    }
}

/// Our end of the link as an address literal. Source: RFC 5321, 4.1.3.
pub(super) fn literal(local: Option<IpAddr>) -> String {
    match local {
        Some(IpAddr::V4(ip)) => format!("[{ip}]"),
        Some(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
        None => "localhost".to_owned(),
    }
}

/// Is this a name of this machine?
pub fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

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
