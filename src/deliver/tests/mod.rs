//! Flights against a peer that says exactly what the test wants, when it wants.

mod chunked;
mod grouped;
mod model;

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::flight::{Flight, Landed, Waiting};
use super::session::{Session, Target};
use super::window;
use crate::campaign::{Account, Login, Tls, Transport};
use crate::mail::{Address, Envelope, Message, Outcome};

/// What the peer does, in this order.
#[derive(Clone, Debug)]
enum Act {
    /// Reads until these bytes have come.
    Hear(&'static str),
    /// Says this.
    Say(&'static str),
    /// Says this one byte at a time, each in a packet of its own.
    Spell(&'static str),
    /// Waits, in ms.
    Pause(u64),
    /// Closes the connection.
    HangUp,
}
use Act::{HangUp, Hear, Pause, Say, Spell};

const PIPELINING: &str = "250-peer\r\n250 PIPELINING\r\n";
const PLAIN: &str = "250 peer\r\n";

/// Starts a peer; its handle gives back everything it heard.
async fn peer(ehlo: &'static str, acts: Vec<Act>) -> (Session, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    #[expect(clippy::disallowed_methods, reason = "the test waits for it")]
    let heard = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut all = vec![Say("220 peer\r\n"), Hear("EHLO"), Say(ehlo)];
        all.extend(acts);
        tokio::time::timeout(Duration::from_secs(10), play(stream, all))
            .await
            .expect("the client is stuck")
    });
    let mut target = Target::new(&account(port), None).unwrap();
    target.timeouts.command = Duration::from_secs(5);
    target.timeouts.end_of_data = Duration::from_secs(1);
    (Session::open(&target, None).await.unwrap(), heard)
}

async fn play(mut stream: TcpStream, acts: Vec<Act>) -> String {
    stream.set_nodelay(true).unwrap();
    let (mut heard, mut from) = (String::new(), 0);
    for act in acts {
        match act {
            Hear(what) => loop {
                if let Some(at) = heard.get(from..).unwrap().find(what) {
                    from += at + what.len();
                    break;
                }
                let mut chunk = [0; 4096];
                let count = stream.read(&mut chunk).await.unwrap();
                assert!(count > 0, "the client hung up before `{what}`; heard {heard:?}");
                heard.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
            },
            Say(what) if stream.write_all(what.as_bytes()).await.is_ok() => {}
            Pause(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Spell(what) => {
                for byte in what.bytes() {
                    stream.write_all(&[byte]).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
            // The client has gone, or shall be gone.
            Say(_) | HangUp => return heard,
        }
    }
    // The client says goodbye, or just goes; a peer that waited for more would keep it waiting.
    let mut chunk = [0; 4096];
    while !heard.get(from..).unwrap().contains("QUIT") {
        let count = stream.read(&mut chunk).await.unwrap_or_default();
        if count == 0 {
            break;
        }
        heard.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
    }
    heard
}

fn account(port: u16) -> Account {
    Account {
        name: "main".to_owned(),
        provider: None,
        family: None,
        transport: Transport::Smtp,
        host: "127.0.0.1".to_owned(),
        port,
        tls: Tls::None,
        other_ports: Vec::new(),
        ca_file: None,
        allow_plaintext: false,
        username: String::new(),
        login: Login::None,
        from_is_login: false,
        aliases: Vec::new(),
        password_length: None,
        headers: crate::campaign::provider::HeaderRules::default(),
        stream: None,
        quota: crate::campaign::quota::Quota::default(),
        similar: None,
        destinations: std::collections::BTreeMap::new(),
        connections: 1,
        messages_per_connection: 100,
        size_max: None,
        smtputf8: false,
        lockout: crate::campaign::provider::LOCKOUT,
        hello: None,
        egress: crate::campaign::Egress::default(),
        dkim: Vec::new(),
        sendmail_command: "/usr/sbin/sendmail".into(),
        warnings: Vec::new(),
    }
}

fn message(to: &str) -> Message {
    let envelope = Envelope {
        from: Address::parse("news@a.example").unwrap(),
        to: Address::parse(&format!("{to}@example.com")).unwrap(),
    };
    Message {
        envelope,
        message_id: to.to_owned(),
        bytes: format!("To: {to}\r\n\r\n.hi\r\n").into_bytes(),
    }
}

/// Sends `one` and `two` through the peer; says what became of each, and what the peer heard.
async fn fly(ehlo: &'static str, acts: Vec<Act>) -> (Vec<String>, String) {
    fly_all(&["one", "two"], ehlo, acts).await
}

async fn fly_all(people: &[&'static str], ehlo: &'static str, acts: Vec<Act>) -> (Vec<String>, String) {
    let (session, heard) = peer(ehlo, acts).await;
    let mut flight = Flight::new(session);
    let mut waiting: Vec<_> = people.iter().rev().copied().collect();
    let mut landed = Vec::new();
    loop {
        while flight.has_room(Waiting::default(), window::MOST)
            && let Some(to) = waiting.pop()
        {
            flight.board(to, message(to));
        }
        let Some((to, what)) = flight.next_landed(window::MOST).await else {
            break;
        };
        landed.push(match what {
            Landed::Untouched => format!("{to} untouched"),
            Landed::Decided(Outcome::Accepted(reply)) => format!("{to} accepted {reply}"),
            Landed::Decided(Outcome::Deferred(fault)) => {
                format!(
                    "{to} deferred at {} {:?}: {fault}",
                    fault.stage, fault.verdict.scope
                )
            }
            Landed::Decided(Outcome::Refused(fault)) => {
                format!(
                    "{to} refused at {} {:?}: {fault}",
                    fault.stage, fault.verdict.scope
                )
            }
            Landed::Decided(Outcome::InDoubt(fault)) => format!("{to} in doubt: {fault}"),
        });
    }
    flight.close().await;
    (landed, heard.await.unwrap())
}
