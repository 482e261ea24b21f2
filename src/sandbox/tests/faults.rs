//! Each local part does what the table says.

use super::*;

/// The reply that ended the mail, and how many mails the server then had.
async fn outcome(to: &str) -> (String, u64) {
    let slow_delay = Duration::from_millis(1);
    let server = start(Config {
        slow_delay,
        ..Config::default()
    })
    .await
    .unwrap();
    let mut client = Client::hello(&server).await;
    let reply = client.mail(to).await;
    (reply, server.shutdown().await.mails)
}

#[tokio::test]
async fn a_code_in_the_local_part_is_the_answer_to_rcpt() {
    let cases = [
        ("550-anything@example.com", "550 5.1.1 no such mailbox"),
        ("552-x@example.com", "552 5.2.2 mailbox full"),
        ("451-x@example.com", "451 4.3.0 local error, try again later"),
        (
            "561-x@example.com",
            "561 5.0.0 permanent failure, as the address asked",
        ),
        ("fail@example.com", "550 5.1.1 no such mailbox"),
        ("fail-17@example.com", "550 5.1.1 no such mailbox"),
        (
            "TempFail+tag@example.com",
            "451 4.3.0 local error, try again later",
        ),
        (
            "tempfail-17@example.com",
            "451 4.3.0 local error, try again later",
        ),
    ];
    for (to, reply) in cases {
        assert_eq!(outcome(to).await, (reply.to_owned(), 0), "{to}");
    }
}

#[tokio::test]
async fn a_code_after_data_is_the_answer_to_the_mail() {
    assert_eq!(
        outcome("data-550-x@example.com").await,
        ("550 5.1.1 no such mailbox".to_owned(), 0)
    );
    assert_eq!(
        outcome("data-451-x@example.com").await,
        ("451 4.3.0 local error, try again later".to_owned(), 0)
    );
}

#[tokio::test]
async fn a_greylisted_address_is_accepted_the_second_time() {
    let server = plain().await;
    let mut client = Client::hello(&server).await;
    for to in ["greylist@example.com", "greylist-2@example.com"] {
        assert_eq!(client.mail(to).await, "450 4.2.0 mailbox busy, try again later");
        client.ask("RSET").await;
    }
    let mut other = Client::hello(&server).await;
    assert!(other.mail("greylist@example.com").await.starts_with("250 "));
    assert!(other.mail("greylist-2@example.com").await.starts_with("250 "));
}

#[tokio::test]
async fn a_dropped_connection_keeps_the_mail_only_if_the_word_says_so() {
    let cases = [
        ("drop@example.com", 0),
        ("drop-at-rcpt-3@example.com", 0),
        ("drop-at-data-3@example.com", 0),
        ("drop-in-data-3@example.com", 0),
        ("drop-after-data-17@example.com", 0),
        ("accept-then-drop-17@example.com", 1),
    ];
    for (to, mails) in cases {
        assert_eq!(outcome(to).await, (String::new(), mails), "{to}");
    }
}

#[tokio::test]
async fn each_drop_comes_at_its_own_stage() {
    let server = plain().await;
    let commands = ["MAIL FROM:<a@example.org>", "", "DATA", "hi\r\n."];
    let cases = [
        ("drop", vec!["250", "closed"]),
        ("drop-at-data", vec!["250", "250", "closed"]),
        ("drop-in-data", vec!["250", "250", "354", "closed"]),
        ("drop-after-data", vec!["250", "250", "354", "closed"]),
        ("accept-then-drop", vec!["250", "250", "354", "closed"]),
    ];
    let count = cases.len() as u64;
    for (word, expected) in cases {
        let mut client = Client::hello(&server).await;
        let recipient = format!("RCPT TO:<{word}@example.com>");
        let mut commands = commands;
        commands[1] = &recipient;
        assert_eq!(
            client.codes(&commands[..expected.len()]).await,
            expected,
            "{word}"
        );
    }
    assert_eq!(server.counts().dropped, count);
}

#[tokio::test]
async fn a_drop_in_data_does_not_wait_for_the_end_of_the_mail() {
    let server = plain().await;
    for data in ["DATA\r\n", "BDAT 1000000 LAST\r\n"] {
        let mut client = Client::hello(&server).await;
        client
            .codes(&["MAIL FROM:<a@example.org>", "RCPT TO:<drop-in-data@example.com>"])
            .await;
        client.send(data).await;
        client.send(&"0123456789\r\n".repeat(100)).await;
        if data.starts_with("DATA") {
            assert!(client.reply().await.starts_with("354 "));
        }
        assert!(client.is_closed().await);
    }
    assert_eq!(server.counts().mails, 0);
}

#[tokio::test]
async fn the_replies_before_a_drop_still_arrive() {
    let server = plain().await;
    let mut client = Client::hello(&server).await;
    client
        .send("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nRCPT TO:<drop@example.com>\r\n")
        .await;
    assert!(client.reply().await.starts_with("250 2.1.0"));
    assert!(client.reply().await.starts_with("250 2.1.5"));
    assert_eq!(client.reply().await, "");
}

#[tokio::test]
async fn a_slow_mail_is_answered_after_the_delay() {
    let slow_delay = Duration::from_millis(300);
    let server = start(Config {
        slow_delay,
        ..Config::default()
    })
    .await
    .unwrap();
    let mut client = Client::hello(&server).await;
    client
        .codes(&[
            "MAIL FROM:<a@example.org>",
            "RCPT TO:<slow-1@example.com>",
            "DATA",
        ])
        .await;
    let before = tokio::time::Instant::now();
    assert!(client.ask("hi\r\n.").await.starts_with("250 "));
    assert!(before.elapsed() >= slow_delay);
}

#[tokio::test]
async fn a_421_also_closes() {
    for to in ["421@example.com", "421-x@example.com", "data-421-x@example.com"] {
        let server = plain().await;
        let mut client = Client::hello(&server).await;
        assert!(client.mail(to).await.starts_with("421 4.7.0 "), "{to}");
        assert!(client.is_closed().await);
    }
}
