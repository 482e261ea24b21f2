//! Flights against a peer that says exactly what the test wants, when it wants.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::flight::{Flight, Landed};
use super::session::{Session, Target};
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
    /// Closes the connection.
    HangUp,
}
use Act::{HangUp, Hear, Say, Spell};

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
    target.timeouts.end_of_data = Duration::from_secs(5);
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
            Say(what) => stream.write_all(what.as_bytes()).await.unwrap(),
            Spell(what) => {
                for byte in what.bytes() {
                    stream.write_all(&[byte]).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
            HangUp => return heard,
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
        transport: Transport::Smtp,
        host: "127.0.0.1".to_owned(),
        port,
        tls: Tls::None,
        ca_file: None,
        allow_plaintext: false,
        username: String::new(),
        login: Login::None,
        quota: crate::campaign::quota::Quota::default(),
        connections: 1,
        messages_per_connection: 100,
        lockout: crate::campaign::provider::LOCKOUT,
        hello: None,
        sendmail_command: "/usr/sbin/sendmail".into(),
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
    let (session, heard) = peer(ehlo, acts).await;
    let mut flight = Flight::new(session, 2);
    let mut waiting = vec!["two", "one"];
    let mut landed = Vec::new();
    loop {
        while flight.has_room()
            && let Some(to) = waiting.pop()
        {
            flight.board(to, message(to));
        }
        let Some((to, what)) = flight.next_landed().await else {
            break;
        };
        landed.push(match what {
            Landed::Untouched => format!("{to} untouched"),
            Landed::Decided(Outcome::Accepted(reply)) => format!("{to} accepted {reply}"),
            Landed::Decided(Outcome::Deferred(fault)) => {
                format!("{to} deferred at {} {:?}: {fault}", fault.stage, fault.scope)
            }
            Landed::Decided(Outcome::Refused(fault)) => {
                format!("{to} refused at {} {:?}: {fault}", fault.stage, fault.scope)
            }
            Landed::Decided(Outcome::InDoubt(fault)) => format!("{to} in doubt: {fault}"),
        });
    }
    flight.close().await;
    (landed, heard.await.unwrap())
}

const GROUP: &str = "250 ok\r\n250 ok\r\n354 go\r\n";

#[tokio::test]
async fn the_next_envelope_leaves_with_the_body_before_it() {
    let acts = vec![
        Hear("<one@example.com>\r\nDATA\r\n"),
        Say(GROUP),
        // Both in one write: the peer says nothing in between.
        Hear("\r\n.\r\nMAIL FROM:<news@a.example>\r\nRCPT TO:<two@example.com>\r\nDATA\r\n"),
        Say("250 first\r\n250 ok\r\n250 ok\r\n354 go\r\n"),
        Hear("\r\n.\r\n"),
        Say("250 second\r\n"),
        Hear("QUIT\r\n"),
    ];
    let (landed, heard) = fly(PIPELINING, acts).await;
    assert_eq!(landed, ["one accepted 250 first", "two accepted 250 second"]);
    assert!(heard.contains("To: one\r\n\r\n..hi\r\n.\r\n"), "{heard}");
}

#[tokio::test]
async fn without_pipelining_one_command_goes_out_at_a_time() {
    let mut acts = Vec::new();
    for body in ["250 first\r\n", "250 second\r\n"] {
        for (command, answer) in [
            ("MAIL FROM", "250 ok\r\n"),
            ("RCPT TO", "250 ok\r\n"),
            ("DATA\r\n", "354 go\r\n"),
        ] {
            acts.extend([Hear(command), Spell(answer)]);
        }
        acts.extend([Hear("\r\n.\r\n"), Spell(body)]);
    }
    let (landed, heard) = fly(PLAIN, acts).await;
    assert_eq!(landed, ["one accepted 250 first", "two accepted 250 second"]);
    assert!(!heard.contains("DATA\r\nMAIL"), "{heard}");
}

#[tokio::test]
async fn a_refused_recipient_is_reset_and_the_next_mail_goes_on() {
    let acts = vec![
        Hear("DATA\r\n"),
        Say("250 ok\r\n550-5.1.1 no\r\n550 5.1.1 such user\r\n503 no recipients\r\n"),
        Hear("RSET\r\nMAIL FROM:<news@a.example>\r\nRCPT TO:<two@example.com>\r\nDATA\r\n"),
        Say("250 reset\r\n"),
        Say(GROUP),
        Hear("\r\n.\r\n"),
        Say("250 second\r\n"),
    ];
    let (landed, heard) = fly(PIPELINING, acts).await;
    assert_eq!(
        landed,
        [
            "one refused at rcpt Recipient: 550 5.1.1 no such user",
            "two accepted 250 second"
        ]
    );
    assert!(!heard.contains("To: one"), "no body without a recipient: {heard}");
}

#[tokio::test]
async fn a_354_after_a_refused_recipient_gets_an_empty_mail() {
    let acts = vec![
        Hear("DATA\r\n"),
        Say("250 ok\r\n550 no\r\n354 go\r\n"),
        Hear(".\r\n"),
        Say("554 no valid recipients\r\n"),
        Hear("RSET\r\nMAIL"),
        Say("250 reset\r\n"),
        Say(GROUP),
        Hear("\r\n.\r\n"),
        Say("250 second\r\n"),
    ];
    let (landed, _) = fly(PIPELINING, acts).await;
    assert_eq!(
        landed,
        ["one refused at rcpt Recipient: 550 no", "two accepted 250 second"]
    );
}

#[tokio::test]
async fn a_refused_sender_is_the_accounts_business() {
    let acts = vec![
        Hear("DATA\r\n"),
        Say("550 not you\r\n503 no\r\n503 no\r\n"),
        Hear("RSET"),
        Say("250 ok\r\n"),
        Say(GROUP),
        Hear("\r\n.\r\n"),
        Say("250 second\r\n"),
    ];
    let (landed, _) = fly(PIPELINING, acts).await;
    assert_eq!(landed[0], "one refused at mail Account: 550 not you");
}

#[tokio::test]
async fn a_goodbye_in_the_middle_leaves_the_next_mail_untouched() {
    let acts = vec![
        Hear("DATA\r\n"),
        Say(GROUP),
        Hear("two@example.com>\r\nDATA\r\n"),
        Say("421 4.7.0 enough\r\n"),
        HangUp,
    ];
    let (landed, _) = fly(PIPELINING, acts).await;
    assert_eq!(
        landed,
        [
            "one deferred at end-of-data Link: 421 4.7.0 enough",
            "two untouched"
        ]
    );
}

#[tokio::test]
async fn a_connection_closed_after_the_end_of_data_leaves_exactly_that_mail_in_doubt() {
    for ehlo in [PIPELINING, PLAIN] {
        let acts = match ehlo {
            PIPELINING => vec![Hear("DATA\r\n"), Say(GROUP), Hear("\r\n.\r\n"), HangUp],
            _ => vec![
                Hear("MAIL"),
                Say("250 ok\r\n"),
                Hear("RCPT"),
                Say("250 ok\r\n"),
                Hear("DATA"),
                Say("354 go\r\n"),
                Hear("\r\n.\r\n"),
                HangUp,
            ],
        };
        let (landed, _) = fly(ehlo, acts).await;
        assert!(landed[0].starts_with("one in doubt: "), "{landed:?}");
        assert!(
            landed.get(1).is_none_or(|two| two == "two untouched"),
            "{landed:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_closed_before_the_end_of_data_is_no_doubt() {
    for (acts, stage) in [
        (vec![Hear("DATA\r\n"), HangUp], "mail"),
        (vec![Hear("DATA\r\n"), Say("250 ok\r\n"), HangUp], "rcpt"),
        (
            vec![Hear("DATA\r\n"), Say("250 ok\r\n250 ok\r\n"), HangUp],
            "data",
        ),
    ] {
        let (landed, _) = fly(PIPELINING, acts).await;
        assert!(
            landed[0].starts_with(&format!("one deferred at {stage} Link: ")),
            "{landed:?}"
        );
        assert_eq!(landed[1], "two untouched");
    }
}

#[tokio::test]
async fn a_reply_too_many_is_never_taken_for_an_answer() {
    let acts = vec![
        Hear("DATA\r\n"),
        Say("250 ok\r\n250 ok\r\n250 what?\r\n354 go\r\n"),
        HangUp,
    ];
    let (landed, heard) = fly(PIPELINING, acts).await;
    assert!(
        landed[0].starts_with("one deferred at data Link: the server answered `250 what?`"),
        "{landed:?}"
    );
    assert!(!heard.contains("To: one"), "{heard}");
}

#[tokio::test]
async fn a_yes_before_the_body_is_never_taken_for_the_answer_to_it() {
    let acts = vec![
        Hear("DATA\r\n"),
        Say("250 ok\r\n250 ok\r\n354 go\r\n250 early\r\n"),
        HangUp,
    ];
    let (landed, heard) = fly(PIPELINING, acts).await;
    assert!(landed[0].starts_with("one deferred at data Link: "), "{landed:?}");
    assert!(!heard.contains("To: one"), "{heard}");
}

#[tokio::test]
async fn odd_replies_stay_what_they_are() {
    let page = "x".repeat(10_000);
    let page: &'static str = Box::leak(format!("550 5.7.1 {page}\r\n").into_boxed_str());
    for (reply, expected) in [
        (
            "550 5.2.2 full\n",
            "one refused at end-of-data Recipient: 550 5.2.2 full",
        ),
        (
            "561 Honeypot\r\n",
            "one refused at end-of-data Message: 561 Honeypot",
        ),
        ("550\r\n", "one refused at end-of-data Message: 550"),
        (
            "554-5.7.1 a\r\n554-\r\n554 b\r\n",
            "one refused at end-of-data Message: 554 5.7.1 a b",
        ),
        (page, "one refused at end-of-data Message: 550 5.7.1 xxx"),
    ] {
        let acts = vec![
            Hear("DATA\r\n"),
            Say(GROUP),
            Hear("two@example.com>\r\nDATA\r\n"),
            Spell(reply),
            Say(GROUP),
            Hear("\r\n.\r\n"),
            Say("250 second\r\n"),
        ];
        let (landed, _) = fly(PIPELINING, acts).await;
        assert!(landed[0].starts_with(expected), "{landed:?}");
        assert_eq!(
            landed[1], "two accepted 250 second",
            "the refusal of one mail does not harm the next"
        );
    }
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_is_noticed_before_the_next_mail() {
    let (session, heard) = peer(PIPELINING, vec![HangUp]).await;
    let mut flight: Flight<()> = Flight::new(session, 2);
    heard.await.unwrap();
    // The end of the stream may take a moment to arrive.
    tokio::time::timeout(Duration::from_secs(5), async { while flight.is_alive().await {} })
        .await
        .unwrap();
}
