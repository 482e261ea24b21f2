//! With PIPELINING and CHUNKING: whole mails leave one after another, before the server has said a word.

use super::*;

const CHUNKING: &str = "250-peer\r\n250-PIPELINING\r\n250 CHUNKING\r\n";
const PEOPLE: [&str; 3] = ["one", "two", "three"];
/// To MAIL, RCPT and BDAT.
const YES: &str = "250 sender\r\n250 recipient\r\n250 taken\r\n";
/// To RSET, MAIL, RCPT and BDAT.
const YES_AGAIN: &str = "250 reset\r\n250 sender\r\n250 recipient\r\n250 taken\r\n";

/// Three mails on a connection that has taken a chunk before.
async fn fly_three(acts: Vec<Act>) -> (Vec<String>, String) {
    let mut all = vec![Hear("To: zero\r\n\r\n.hi\r\n"), Say(YES)];
    all.extend(acts);
    let (mut landed, heard) = fly_all(&["zero", "one", "two", "three"], CHUNKING, all).await;
    assert_eq!(landed.remove(0), "zero accepted 250 taken");
    (landed, heard)
}

/// A flight on a connection that has taken a chunk before.
async fn proved(acts: Vec<Act>) -> (Flight<&'static str>, JoinHandle<String>) {
    let mut all = vec![Hear("To: zero\r\n\r\n.hi\r\n"), Say(YES)];
    all.extend(acts);
    let (session, heard) = peer(CHUNKING, all).await;
    let mut flight = Flight::new(session);
    flight.board("zero", message("zero"));
    assert!(flight.next_landed(window::MOST).await.is_some());
    (flight, heard)
}

/// Three mails leave at once, the peer says this and hangs up; says what became of each.
async fn after(said: &'static str) -> Vec<String> {
    let all_out = Hear("To: three\r\n\r\n.hi\r\n");
    let (landed, _) = fly_three(vec![all_out, Say(said), HangUp]).await;
    landed
}

#[tokio::test]
async fn whole_mails_leave_one_after_another() {
    let acts = vec![
        Hear(
            "MAIL FROM:<news@a.example>\r\nRCPT TO:<one@example.com>\r\nBDAT 16 LAST\r\nTo: one\r\n\r\n.hi\r\n",
        ),
        // The first has not been answered: nobody knows whether its transaction is closed.
        Hear(
            "RSET\r\nMAIL FROM:<news@a.example>\r\nRCPT TO:<two@example.com>\r\nBDAT 16 LAST\r\nTo: two\r\n\r\n.hi\r\n",
        ),
        Hear(
            "RSET\r\nMAIL FROM:<news@a.example>\r\nRCPT TO:<three@example.com>\r\nBDAT 18 LAST\r\nTo: three\r\n\r\n.hi\r\n",
        ),
        Spell(YES),
        Spell(YES_AGAIN),
        Spell(YES_AGAIN),
        Hear("QUIT\r\n"),
    ];
    let (landed, heard) = fly_three(acts).await;
    assert_eq!(landed, PEOPLE.map(|who| format!("{who} accepted 250 taken")));
    assert!(!heard.contains("DATA") && !heard.contains("..hi"), "{heard}");
}

#[tokio::test]
async fn a_settled_transaction_needs_no_reset() {
    let acts = vec![
        Hear(".hi\r\n"),
        Say(YES),
        Hear("MAIL FROM:<news@a.example>\r\nRCPT TO:<two@"),
        Hear(".hi\r\n"),
        Say(YES),
        Hear("QUIT"),
    ];
    let (session, heard) = peer(CHUNKING, acts).await;
    let mut flight = Flight::new(session);
    for who in ["one", "two"] {
        flight.board(who, message(who));
        assert!(flight.next_landed(window::MOST).await.is_some());
    }
    flight.close().await;
    assert!(!heard.await.unwrap().contains("RSET"));
}

#[tokio::test]
async fn a_refusal_is_that_mails_alone() {
    let yes_no_yes = |second: &str| {
        let second = format!("{YES}250 reset\r\n{second}{YES_AGAIN}");
        Box::leak(second.into_boxed_str())
    };
    for (second, expected) in [
        (
            "550 not you\r\n503 no sender\r\n503 no sender\r\n",
            "two refused at mail Config: 550 not you",
        ),
        (
            "250 ok\r\n550-5.1.1 no\r\n550 5.1.1 such user\r\n554 no recipients\r\n",
            "two refused at rcpt Recipient: 550 5.1.1 no such user",
        ),
        (
            "250 ok\r\n450 4.2.0 greylisted\r\n503 no recipients\r\n",
            "two deferred at rcpt Recipient: 450 4.2.0 greylisted",
        ),
        (
            "250 ok\r\n250 ok\r\n552 5.3.4 too big\r\n",
            "two refused at end-of-data Message: 552 5.3.4 too big",
        ),
    ] {
        assert_eq!(
            after(yes_no_yes(second)).await,
            ["one accepted 250 taken", expected, "three accepted 250 taken"]
        );
    }
}

#[tokio::test]
async fn after_a_refusal_the_next_mail_begins_with_a_reset() {
    let acts = vec![
        Hear(".hi\r\n"),
        Say("250 ok\r\n550 no\r\n554 no recipients\r\n"),
        Hear("RSET\r\nMAIL"),
        Hear(".hi\r\n"),
        Say(YES_AGAIN),
    ];
    let (session, _heard) = peer(CHUNKING, acts).await;
    let mut flight = Flight::new(session);
    for who in ["one", "two"] {
        flight.board(who, message(who));
        assert!(flight.next_landed(window::MOST).await.is_some());
    }
}

#[tokio::test]
async fn a_goodbye_leaves_what_stands_behind_it_untouched() {
    for (said, first) in [
        (
            "421 4.3.2 going down\r\n",
            "one deferred at mail Server: 421 4.3.2 going down",
        ),
        (
            "250 ok\r\n421 enough\r\n",
            "one deferred at rcpt Server: 421 enough",
        ),
        (
            "250 ok\r\n250 ok\r\n421 4.7.0 enough\r\n",
            "one deferred at end-of-data Server: 421 4.7.0 enough",
        ),
    ] {
        assert_eq!(after(said).await, [first, "two untouched", "three untouched"]);
    }
}

#[tokio::test]
async fn what_a_server_decides_after_its_goodbye_counts() {
    let said = "250 ok\r\n421 not this one\r\n503 no\r\n250 reset\r\n250 ok\r\n250 ok\r\n250 taken\r\n";
    assert_eq!(
        after(said).await,
        [
            "one deferred at rcpt Server: 421 not this one",
            "two accepted 250 taken",
            // It goes on after its goodbye: who knows whether it looked at this one.
            "three in doubt: the server closed the connection"
        ]
    );
}

#[tokio::test]
async fn a_goodbye_to_every_command_is_still_a_goodbye() {
    let landed = after("250 ok\r\n421 bye\r\n421 bye\r\n421 bye\r\n421 bye\r\n").await;
    assert_eq!(
        landed,
        [
            "one deferred at rcpt Server: 421 bye",
            "two deferred at mail Server: 421 bye",
            "three untouched"
        ]
    );
}

#[tokio::test]
async fn what_was_taken_before_a_mail_went_wrong_is_not_sent_again() {
    // Unknown to this mail, and not to the connection: the others are answered.
    let no = "250 ok\r\n250 ok\r\n500 5.5.2 go away\r\n";
    let said = format!("{no}{YES_AGAIN}{YES_AGAIN}");
    assert_eq!(
        after(Box::leak(said.into_boxed_str())).await,
        [
            "one refused at end-of-data Message: 500 5.5.2 go away",
            "two accepted 250 taken",
            "three accepted 250 taken"
        ]
    );
}

#[tokio::test]
async fn before_a_chunk_was_taken_only_one_mail_is_on_the_wire() {
    let acts = vec![Hear(".hi\r\n"), Say("250 ok\r\n250 ok\r\n502 what?\r\n"), HangUp];
    let (landed, heard) = fly_all(&PEOPLE, CHUNKING, acts).await;
    assert_eq!(landed, PEOPLE.map(|who| format!("{who} untouched")));
    assert!(!heard.contains("two"), "{heard}");
}

#[tokio::test]
async fn a_reply_too_many_is_noticed_at_the_next_reset_that_is_refused() {
    // One says a word too many; what is said about two's content comes as the answer to three's RSET.
    let said = format!("{YES}250 too many\r\n250 reset\r\n250 sender\r\n250 recipient\r\n452 full\r\n");
    let landed = after(Box::leak(said.into_boxed_str())).await;
    assert_eq!(landed[0], "one accepted 250 taken");
    assert!(
        landed[2].contains("in doubt: the server answered `452 full` where it makes no sense"),
        "{landed:?}"
    );
}

#[tokio::test]
async fn a_closed_connection_leaves_all_that_had_left_in_doubt() {
    for (said, decided) in [("", 0), ("250 ok\r\n", 0), (YES, 1)] {
        let landed = after(said).await;
        for (number, landed) in landed.iter().enumerate() {
            let expected = if number < decided { "accepted" } else { "in doubt" };
            assert!(landed.contains(expected), "{said}: {landed}");
        }
    }
}

#[tokio::test]
async fn a_recipient_refused_before_the_connection_closed_is_no_doubt() {
    let landed = after("250 ok\r\n550 no\r\n").await;
    assert_eq!(landed[0], "one refused at rcpt Recipient: 550 no");
    assert!(landed[1].starts_with("two in doubt: "), "{landed:?}");
}

#[tokio::test]
async fn a_mail_that_had_not_left_whole_is_no_doubt() {
    let acts = vec![Hear("BDAT"), HangUp];
    let (session, _heard) = peer(CHUNKING, acts).await;
    let mut flight = Flight::new(session);
    let mut large = message("one");
    // More than what socket buffers hold.
    large.bytes = vec![b'x'; 64 * 1_024 * 1_024];
    flight.board("one", large);
    flight.board("two", message("two"));
    let (_, landed) = flight.next_landed(window::MOST).await.unwrap();
    let Landed::Decided(Outcome::Deferred(fault)) = landed else {
        panic!("{landed:?}")
    };
    assert_eq!(fault.stage, crate::mail::Stage::Data);
    assert_eq!(
        flight.next_landed(window::MOST).await,
        Some(("two", Landed::Untouched))
    );
    assert_eq!(flight.next_landed(window::MOST).await, None);
}

#[tokio::test]
async fn a_yes_to_the_content_of_a_refused_mail_makes_no_sense() {
    // A reply too many has come somewhere before: from here nobody knows which reply is about what.
    let landed = after("250 ok\r\n550 no\r\n250 taken\r\n").await;
    for landed in landed {
        assert!(
            landed.contains("in doubt: the server answered `250 taken` where it makes no sense"),
            "{landed}"
        );
    }
}

#[tokio::test]
async fn a_go_ahead_that_nobody_asked_for_makes_no_sense() {
    let landed = after("250 ok\r\n250 ok\r\n354 go on\r\n").await;
    for landed in landed {
        assert!(
            landed.contains("in doubt: the server answered `354 go on`"),
            "{landed}"
        );
    }
}

#[tokio::test]
async fn a_reply_too_many_ends_the_flight() {
    let acts = vec![Hear(".hi\r\n"), Say(YES), Say("250 and another\r\n"), HangUp];
    let (session, heard) = peer(CHUNKING, acts).await;
    let mut flight = Flight::new(session);
    flight.board("one", message("one"));
    let (_, landed) = flight.next_landed(window::MOST).await.unwrap();
    assert!(
        matches!(landed, Landed::Decided(Outcome::Accepted(_))),
        "{landed:?}"
    );
    heard.await.unwrap();
    // It has come too late to be noticed, or the link is not quiet.
    assert!(!flight.is_alive().await);
}

#[tokio::test]
async fn a_reply_too_few_leaves_the_last_mail_in_doubt() {
    let acts = vec![
        Hear("To: three\r\n\r\n.hi\r\n"),
        Say(YES),
        Say("250 reset\r\n250 sender\r\n250 recipient\r\n250 taken\r\n"),
        Say("250 reset\r\n250 sender\r\n250 recipient\r\n"),
    ];
    let (mut flight, _heard) = proved(acts).await;
    for who in PEOPLE {
        flight.board(who, message(who));
    }
    let mut landed = Vec::new();
    while let Some((_, what)) = flight.next_landed(window::MOST).await {
        landed.push(what);
    }
    assert!(
        matches!(landed[1], Landed::Decided(Outcome::Accepted(_))),
        "{landed:?}"
    );
    let Landed::Decided(Outcome::InDoubt(fault)) = &landed[2] else {
        panic!("{landed:?}")
    };
    assert_eq!(fault.note, "no answer within 1 s");
}

#[tokio::test]
async fn a_server_that_does_not_know_bdat_has_taken_nothing() {
    for reply in ["500 what?", "502 5.5.1 command not recognized"] {
        let said = format!("250 ok\r\n250 ok\r\n{reply}\r\n500 what?\r\n");
        let acts = vec![Hear(".hi\r\n"), Say(Box::leak(said.into_boxed_str())), HangUp];
        let (session, _heard) = peer(CHUNKING, acts).await;
        let mut flight = Flight::new(session);
        flight.board("one", message("one"));
        assert_eq!(
            flight.next_landed(window::MOST).await,
            Some(("one", Landed::Untouched))
        );
        assert!(flight.is_chunking_unknown());
    }
}

#[tokio::test]
async fn nothing_is_lost_when_waiting_is_given_up_and_begun_again() {
    let acts = vec![
        Hear("To: three\r\n\r\n.hi\r\n"),
        Spell(YES),
        Spell(YES_AGAIN),
        Spell(YES_AGAIN),
    ];
    let (mut flight, _heard) = proved(acts).await;
    for who in PEOPLE {
        flight.board(who, message(who));
    }
    let mut landed = Vec::new();
    while landed.len() < PEOPLE.len() {
        tokio::select! {
            biased;
            Some((who, what)) = flight.next_landed(window::MOST) => {
                assert!(matches!(what, Landed::Decided(Outcome::Accepted(_))), "{what:?}");
                landed.push(who);
            }
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(landed, PEOPLE);
}

#[tokio::test]
async fn a_reply_that_drips_is_not_waited_for_without_end() {
    let mut acts = vec![Hear(".hi\r\n"), Say("250 ok\r\n250 ok\r\n")];
    acts.extend((0..10).flat_map(|_| [Say("250-wait\r\n"), Pause(300)]));
    let (session, _heard) = peer(CHUNKING, acts).await;
    let mut flight = Flight::new(session);
    flight.board("one", message("one"));
    let (_, landed) = flight.next_landed(window::MOST).await.unwrap();
    let Landed::Decided(Outcome::InDoubt(fault)) = landed else {
        panic!("{landed:?}")
    };
    assert_eq!(fault.note, "no answer within 1 s");
}
