//! How the bytes are cut into packets makes no difference. Tested on the session alone, where every cut is real:
//! between sockets the kernel may join what was sent apart.

use std::net::{Ipv4Addr, SocketAddr};

use proptest::prelude::*;

use super::*;
use crate::sandbox::session::{Next, Session};
use crate::sandbox::{Credentials, Shared};

fn dialogue() -> Vec<u8> {
    let lines = [
        "MAIL FROM:<too@early>",
        "EHLO client.example",
        "AUTH LOGIN",
        "YW5uYQ==",
        "d3Jvbmc=",
        "AUTH PLAIN AGFubmEAc2VjcmV0",
        "MAIL FROM:<a@example.org> SIZE=100 BODY=8BITMIME",
        "RCPT TO:<b@example.com>",
        "RCPT TO:<fail@example.com>",
        "RCPT TO:<greylist@example.com>",
        "DATA",
        "Subject: x",
        "",
        "..stuffed",
        ".\rnot the end",
        "\n.\nnor this",
        ".",
        "MAIL FROM:<a@example.org>",
        "RCPT TO:<fail@example.com>",
        "BDAT 6 LAST\r\nQUIT",
        "MAIL FROM:<王@example.org> SMTPUTF8",
        "RCPT TO:<李@example.com>",
        "BDAT 6\r\n.\r\n.\r\nBDAT 0 LAST",
        &"x".repeat(13_000),
        "nonsense",
        "MAIL FROM:<a@example.org>",
        "RCPT TO:<data-451-x@example.com>",
        "DATA",
        ".",
        "QUIT",
        "NOOP not read any more",
    ];
    (lines.join("\r\n") + "\r\n").into_bytes()
}

/// The replies to these pieces, read one after the other.
fn replies(pieces: &[&[u8]]) -> String {
    let credentials = Some(Credentials {
        user: "anna".to_owned(),
        password: "secret".to_owned(),
    });
    let server = Arc::new(
        Shared::open(Config {
            credentials,
            ..Config::default()
        })
        .unwrap(),
    );
    let mut session = Session::new(server, SocketAddr::from((Ipv4Addr::LOCALHOST, 1)));
    session.greet(1);
    let mut inbox = Vec::new();
    let mut number = 0;
    for piece in pieces {
        inbox.extend_from_slice(piece);
        loop {
            let (used, next) = session.advance(&inbox);
            inbox.drain(..used);
            match next {
                Next::Read => break,
                Next::Keep => {
                    number += 1;
                    let mail = std::mem::take(&mut session.mail);
                    assert_eq!(session.kept(mail, &Ok(number)), Next::GoOn);
                }
                Next::Close => return String::from_utf8(session.replies).unwrap(),
                other => panic!("unexpected {other:?}"),
            }
        }
    }
    panic!("the dialogue did not end");
}

#[test]
fn the_dialogue_has_the_replies_it_should_have() {
    let dialogue = dialogue();
    let replies = replies(&[&dialogue]);
    let codes: Vec<&str> = replies
        .lines()
        .filter(|line| line.as_bytes()[3] == b' ')
        .map(|line| line.get(..3).unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "220", "503", "250", "334", "334", "535", "235", "250", "250", "550", "450", "354", "250", "250",
            "550", "554", "250", "250", "250", "250", "500", "500", "250", "250", "354", "451", "221"
        ]
    );
}

#[test]
fn every_byte_alone_gives_the_same_replies() {
    let dialogue = dialogue();
    let bytes: Vec<&[u8]> = dialogue.chunks(1).collect();
    assert_eq!(replies(&bytes), replies(&[&dialogue]));
}

proptest! {
    #[test]
    fn any_splitting_gives_the_same_replies(mut cuts in prop::collection::vec(0_usize..14_500, 0..40)) {
        let dialogue = dialogue();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut start = 0;
        for cut in cuts {
            let cut = cut.clamp(start, dialogue.len());
            pieces.push(&dialogue[start..cut]);
            start = cut;
        }
        pieces.push(&dialogue[start..]);
        prop_assert_eq!(replies(&pieces), replies(&[&dialogue]));
    }
}
