//! With PIPELINING, and without anything: DATA.

use super::*;

const GROUP: &str = "250 ok\r\n250 ok\r\n354 go\r\n";

#[tokio::test]
async fn a_mail_that_the_server_says_is_too_large_is_not_even_begun() {
    let (session, heard) = peer(
        "250-peer\r\n250-SIZE 30\r\n250 PIPELINING\r\n",
        vec![Hear("QUIT")],
    )
    .await;
    let mut flight = Flight::new(session);
    let mut large = message("one");
    large.bytes = vec![b'x'; 31];
    flight.board("one", large);
    let (_, landed) = flight.next_landed(window::MOST).await.unwrap();
    let Landed::Decided(Outcome::Refused(fault)) = landed else {
        panic!("{landed:?}")
    };
    assert_eq!(
        fault.note,
        "the mail has 31 octets, and the server takes 30 at most"
    );
    flight.close().await;
    assert!(!heard.await.unwrap().contains("MAIL"));
}

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
    assert_eq!(landed[0], "one refused at mail Config: 550 not you");
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
            "one deferred at end-of-data Server: 421 4.7.0 enough",
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
            "550 5.1.1 nobody\n",
            "one refused at end-of-data Recipient: 550 5.1.1 nobody",
        ),
        (
            "561 Honeypot\r\n",
            "one refused at end-of-data Recipient: 561 Honeypot",
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
    let mut flight: Flight<()> = Flight::new(session);
    heard.await.unwrap();
    // The end of the stream may take a moment to arrive.
    tokio::time::timeout(Duration::from_secs(5), async { while flight.is_alive().await {} })
        .await
        .unwrap();
}
