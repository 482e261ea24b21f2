//! Any dialogue with a server that keeps to the rules and may refuse anything, say goodbye or vanish at any time: what
//! we believe of each mail is what the server did, or a doubt.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::message;
use crate::deliver::carried::Manner;
use crate::deliver::transactions::{End, Landed, Takes, Transactions};
use crate::deliver::wire::{Lost, Wire};
use crate::mail::{Outcome, Stage};
use crate::replies::Judge;

/// What the server does with the next command.
#[derive(Clone, Copy, Debug)]
enum Mood {
    Yes,
    Refuse,
    /// 421, and nothing more is looked at.
    Goodbye,
    /// Does what was asked and vanishes before it says so.
    VanishAfter,
    Vanish,
}

fn moods() -> impl Strategy<Value = Vec<Mood>> {
    let mood = prop_oneof![
        12 => Just(Mood::Yes),
        3 => Just(Mood::Refuse),
        1 => Just(Mood::Goodbye),
        1 => Just(Mood::VanishAfter),
        1 => Just(Mood::Vanish),
    ];
    prop::collection::vec(mood, 1..60)
}

#[derive(Debug, PartialEq, Eq)]
enum Reading {
    Commands,
    Data,
    Chunk(usize),
}

/// A server that keeps to the rules.
struct Server {
    moods: VecDeque<Mood>,
    heard: Vec<u8>,
    said: Vec<u8>,
    reading: Reading,
    has_sender: bool,
    recipient: Option<String>,
    is_gone: bool,
    /// Whom it has accepted a mail for, and how often.
    accepted: BTreeMap<String, u32>,
}

impl Server {
    fn new(moods: Vec<Mood>) -> Self {
        Self {
            moods: moods.into(),
            heard: Vec::new(),
            said: Vec::new(),
            reading: Reading::Commands,
            has_sender: false,
            recipient: None,
            is_gone: false,
            accepted: BTreeMap::new(),
        }
    }

    fn hear(&mut self, octets: &[u8]) {
        self.heard.extend_from_slice(octets);
        while !self.is_gone && self.step() {}
    }

    /// Works off one command or one body; no, when it has not come whole.
    fn step(&mut self) -> bool {
        let end = match self.reading {
            Reading::Commands => find(&self.heard, b"\r\n").map(|at| at + 2),
            Reading::Data if self.heard.starts_with(b".\r\n") => Some(3),
            Reading::Data => find(&self.heard, b"\r\n.\r\n").map(|at| at + 5),
            Reading::Chunk(size) => (self.heard.len() >= size).then_some(size),
        };
        let Some(end) = end else { return false };
        let taken: Vec<u8> = self.heard.drain(..end).collect();
        match std::mem::replace(&mut self.reading, Reading::Commands) {
            Reading::Commands => self.obey(std::str::from_utf8(&taken).unwrap()),
            Reading::Data => {
                self.take_mail();
                self.forget();
            }
            // Nothing says that a chunk that was refused ends the transaction: this server keeps it open.
            Reading::Chunk(_) => {
                if self.take_mail() {
                    self.forget();
                }
            }
        }
        true
    }

    fn obey(&mut self, line: &str) {
        if line.starts_with("RSET") {
            self.forget();
            self.answer(true, "250 reset", |_| {});
        } else if line.starts_with("MAIL") {
            assert!(!self.has_sender, "a mail inside a mail");
            self.answer(true, "250 sender", |server| server.has_sender = true);
        } else if let Some(rest) = line.strip_prefix("RCPT TO:<") {
            let to = rest.split('@').next().unwrap().to_owned();
            let is_fine = self.has_sender;
            self.answer(is_fine, "250 recipient", |server| server.recipient = Some(to));
        } else if line.starts_with("DATA") {
            let is_fine = self.recipient.is_some();
            self.answer(is_fine, "354 go on", |server| server.reading = Reading::Data);
        } else if let Some(size) = line.strip_prefix("BDAT ") {
            self.reading = Reading::Chunk(size.split(' ').next().unwrap().parse().unwrap());
        } else {
            panic!("what is {line:?}?");
        }
    }

    /// Did it take the mail?
    fn take_mail(&mut self) -> bool {
        let to = self.recipient.clone();
        let before = self.accepted.len();
        self.answer(to.is_some(), "250 taken", |server| {
            *server.accepted.entry(to.unwrap_or_default()).or_default() += 1;
        });
        self.accepted.len() > before
    }

    fn forget(&mut self) {
        self.has_sender = false;
        self.recipient = None;
    }

    fn answer(&mut self, is_fine: bool, yes: &str, act: impl FnOnce(&mut Self)) {
        let reply = match self.moods.pop_front().unwrap_or(Mood::Yes) {
            Mood::Yes if is_fine => {
                act(self);
                yes
            }
            Mood::Yes | Mood::Refuse => "550 no",
            Mood::Goodbye => {
                self.is_gone = true;
                "421 bye"
            }
            Mood::VanishAfter => {
                self.is_gone = true;
                if is_fine {
                    act(self);
                }
                return;
            }
            Mood::Vanish => {
                self.is_gone = true;
                return;
            }
        };
        self.said.extend_from_slice(reply.as_bytes());
        self.said.extend_from_slice(b"\r\n");
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

const PEOPLE: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

/// Sends everyone a mail, so many at once on the wire and as many behind them, in pieces of these sizes; says what
/// became of each.
fn converse(
    manner: Manner,
    window: usize,
    server: &mut Server,
    pieces: &[usize],
) -> Vec<(&'static str, Landed)> {
    let (mut mails, mut wire) = (
        Transactions::new(manner, Takes::default(), Judge::default()),
        Wire::default(),
    );
    let mut people = PEOPLE.iter().copied();
    let mut pieces = pieces.iter().copied().cycle();
    let mut landed = Vec::new();
    loop {
        while mails.count() < 2 * window
            && mails.is_open()
            && let Some(who) = people.next()
        {
            mails.board(who, message(who));
        }
        mails.speak(window, &mut wire);
        let piece = pieces.next().unwrap().min(wire.outgoing().len());
        let (leaving, _) = wire.outgoing().split_at(piece);
        server.hear(leaving);
        wire.sent(piece);
        let piece = pieces.next().unwrap().min(server.said.len());
        let said: Vec<u8> = server.said.drain(..piece).collect();
        wire.incoming().extend_from_slice(&said);
        while let Some(reply) = wire.next_reply() {
            mails.hear(reply.unwrap(), &mut wire);
        }
        while let Some(one) = mails.next_landed() {
            landed.push(one);
        }
        if mails.count() == 0 {
            return landed;
        }
        if server.is_gone && server.said.is_empty() {
            mails.end(&Lost("gone".to_owned()), End::Closed, &wire);
        }
    }
}

proptest! {
    #[test]
    fn what_we_believe_is_what_the_server_did_or_a_doubt(
        manner in prop_oneof![
            Just((Manner::Stepwise, 1)),
            Just((Manner::Grouped, 2)),
            (1_usize..16).prop_map(|window| (Manner::Chunked, window)),
        ],
        moods in moods(),
        pieces in prop::collection::vec(prop_oneof![1_usize..20, 1_usize..2_000], 1..40),
    ) {
        let mut server = Server::new(moods);
        let (manner, window) = manner;
        let landed = converse(manner, window, &mut server, &pieces);
        let mut doubts = 0;
        for (number, (who, what)) in landed.iter().enumerate() {
            prop_assert_eq!(*who, PEOPLE[number], "mails land once, and in order");
            let times = server.accepted.get(*who).copied().unwrap_or_default();
            prop_assert!(times <= 1);
            match what {
                Landed::Decided(Outcome::Accepted(_)) => prop_assert_eq!(times, 1, "{}", who),
                Landed::Decided(Outcome::InDoubt(fault)) => {
                    prop_assert_eq!(fault.stage, Stage::EndOfData);
                    doubts += 1;
                }
                Landed::Decided(_) | Landed::Untouched => prop_assert_eq!(times, 0, "{}: {:?}", who, what),
            }
        }
        let known = landed.len();
        prop_assert!(PEOPLE[known..].iter().all(|who| !server.accepted.contains_key(*who)));
        let most = if manner == Manner::Chunked { window } else { 1 };
        prop_assert!(doubts <= most, "{} in doubt", doubts);
    }
}
