//! The dialogue: replies read, and mails flown over one loopback connection to the sandbox in each manner.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench stops where it cannot go on"
)]

use std::net::SocketAddr;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use mailshot::campaign::{Campaign, Workspace};
use mailshot::deliver::flight::{Landed, Waiting};
use mailshot::deliver::{Flight, Session, Target, window};
use mailshot::mail::{Address, Envelope, Message, Outcome, Reply};
use mailshot::sandbox::{self, Extension};
use tempfile::TempDir;
use tokio::runtime::Builder;

/// Mails of one sample.
const MAILS: usize = 2_000;
/// Octets of a mail.
const SIZE: usize = 36 * 1_024;

fn main() {
    divan::main();
}

#[divan::bench(args = ["250 2.1.5 recipient accepted", "550-5.1.1 no such\r\n550-5.1.1 user here\r\n550 5.1.1 bye"])]
fn read_reply(bencher: Bencher, reply: &str) {
    bencher
        .counter(BytesCount::of_str(reply))
        .bench_local(|| Reply::from_lines(black_box(reply).split("\r\n").map(str::as_bytes)));
}

/// One command at a time.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn stepwise(bencher: Bencher) {
    fly(bencher, &[Extension::Chunking, Extension::Pipelining]);
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn pipelining(bencher: Bencher) {
    fly(bencher, &[Extension::Chunking]);
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn chunking(bencher: Bencher) {
    fly(bencher, &[]);
}

fn fly(bencher: Bencher, without: &[Extension]) {
    let server = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let config = sandbox::Config {
        without: without.to_vec(),
        ..sandbox::Config::default()
    };
    let running = server.block_on(sandbox::start(config)).unwrap();
    let client = Builder::new_current_thread().enable_all().build().unwrap();
    bencher
        .counter(ItemsCount::new(MAILS))
        .with_inputs(|| (0..MAILS).map(|_| message()).collect::<Vec<_>>())
        .bench_local_values(|mails| client.block_on(deliver(running.addr(), mails)));
}

async fn deliver(server: SocketAddr, mails: Vec<Message>) {
    let mut flight = Flight::new(Session::open(&target(server), None).await.unwrap());
    let mut waiting = mails.into_iter();
    loop {
        while flight.has_room(Waiting::default(), window::RULE)
            && let Some(mail) = waiting.next()
        {
            flight.board((), mail);
        }
        match flight.next_landed(window::MOST).await {
            Some(((), Landed::Decided(Outcome::Accepted(_)))) => {}
            Some(((), landed)) => panic!("{landed:?}"),
            None => break,
        }
    }
    flight.close().await;
}

fn message() -> Message {
    let line = format!("{}\r\n", "YWJj".repeat(19));
    let mut bytes = b"Subject: news\r\n\r\n".to_vec();
    while bytes.len() < SIZE {
        bytes.extend_from_slice(line.as_bytes());
    }
    Message {
        envelope: Envelope {
            from: Address::parse("news@a.example").unwrap(),
            to: Address::parse("person12345@example.com").unwrap(),
        },
        message_id: "0123456789abcdef0123456789abcdef@a.example".to_owned(),
        bytes,
    }
}

/// Where a workspace says that mails go.
fn target(server: SocketAddr) -> Target {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    file(
        "mailshot.toml",
        &format!(
            "[sender]\nfrom = \"news@a.example\"\npostal_address = \"1 Road\"\n[unsubscribe]\nmailto = \"out@a.example\"\n\
             [account.main]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n",
            server.port()
        ),
    );
    file("list.csv", "email\n");
    file("body.html.hbs", "");
    file(
        "news.toml",
        "subject = \"news\"\nrecipients = \"list.csv\"\nhtml = \"body.html.hbs\"\n",
    );
    let workspace = Workspace::load(folder.path()).unwrap();
    let campaign = Campaign::load(&folder.path().join("news.toml"), &workspace).unwrap();
    Target::new(&campaign.account, None).unwrap()
}
