//! Each fault of the script happens where and when it says.

use super::*;

const ALL: [&str; 4] = [
    "MAIL FROM:<a@example.org>",
    "RCPT TO:<b@example.com>",
    "DATA",
    "hi\r\n.",
];

#[tokio::test]
async fn a_rate_of_one_refuses_at_its_stage_every_time() {
    let cases = [
        ("4xx=1@mail", vec!["451", "503", "503"]),
        ("5xx=1@rcpt", vec!["250", "550", "554"]),
        ("4xx=1@data", vec!["250", "250", "451"]),
        ("5xx=1@end-of-data", vec!["250", "250", "354", "550"]),
    ];
    for (fault, expected) in cases {
        let server = scripted(&[fault]).await;
        let mut client = Client::hello(&server).await;
        assert_eq!(client.codes(&ALL[..expected.len()]).await, expected, "{fault}");
        assert_eq!(server.counts().mails, 0);
    }
}

#[tokio::test]
async fn a_refusal_instead_of_354_answers_a_chunk_once() {
    let server = scripted(&["4xx=1@data"]).await;
    let mut client = Client::hello(&server).await;
    client
        .send("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nBDAT 4 LAST\r\nhi\r\nNOOP\r\n")
        .await;
    for code in ["250", "250", "451", "250 2.0.0 nothing"] {
        assert!(client.reply().await.starts_with(code));
    }
}

#[tokio::test]
async fn a_drop_happens_at_its_stage_and_keeps_the_mail_only_after_store() {
    let cases = [
        ("drop=mail", vec!["closed"], 0),
        ("drop=rcpt", vec!["250", "closed"], 0),
        ("drop=data", vec!["250", "250", "closed"], 0),
        ("drop=in-data", vec!["250", "250", "354", "closed"], 0),
        ("drop=after-data", vec!["250", "250", "354", "closed"], 0),
        ("drop=after-store", vec!["250", "250", "354", "closed"], 1),
    ];
    for (fault, expected, mails) in cases {
        let server = scripted(&[fault]).await;
        let mut client = Client::hello(&server).await;
        assert_eq!(client.codes(&ALL[..expected.len()]).await, expected, "{fault}");
        let counts = server.shutdown().await;
        assert_eq!((counts.mails, counts.dropped), (mails, 1), "{fault}");
    }
}

#[tokio::test]
async fn a_drop_before_the_first_mail_comes_at_connect_ehlo_or_auth() {
    let server = scripted(&["drop=connect"]).await;
    assert_eq!(Client::connect(&server).await.reply().await, "");
    let server = scripted(&["drop=ehlo"]).await;
    let mut client = Client::connect(&server).await;
    assert!(client.reply().await.starts_with("220 "));
    assert_eq!(client.ask("EHLO client.example").await, "");
    let server = scripted(&["drop=auth"]).await;
    let mut client = Client::hello(&server).await;
    assert_eq!(client.ask(&format!("AUTH PLAIN {}", base64("\0a\0b"))).await, "");
}

#[tokio::test]
async fn every_nth_mail_is_dropped_and_the_others_are_not() {
    let server = scripted(&["drop=after-data/3"]).await;
    let mut replies = Vec::new();
    let mut client = Client::hello(&server).await;
    for _ in 0..6 {
        let reply = client.mail("b@example.com").await;
        if reply.is_empty() {
            client = Client::hello(&server).await;
        }
        replies.push(!reply.is_empty());
    }
    assert_eq!(replies, [true, true, false, true, true, false]);
    assert_eq!(server.counts().mails, 4);
}

#[tokio::test]
async fn an_exact_reply_is_given_at_its_stage() {
    let server = scripted(&["reply@rcpt/2=561 Honeypot rcptto [@out060104]"]).await;
    let mut client = Client::hello(&server).await;
    client.ask("MAIL FROM:<a@example.org>").await;
    assert!(client.ask("RCPT TO:<b@example.com>").await.starts_with("250 "));
    assert_eq!(
        client.ask("RCPT TO:<c@example.com>").await,
        "561 Honeypot rcptto [@out060104]"
    );
    assert_eq!(server.counts().refused_recipients, 1);

    let server = scripted(&["reply@connect=554 go\\naway"]).await;
    let mut client = Client::connect(&server).await;
    assert_eq!(client.reply().await, "554-go\n554 away");
    assert!(client.is_closed().await);

    let server = scripted(&["reply@ehlo=502 only HELO here"]).await;
    let mut client = Client::connect(&server).await;
    client.reply().await;
    assert_eq!(client.ask("EHLO client.example").await, "502 only HELO here");
}

#[tokio::test]
async fn other_words_for_yes_are_still_a_yes() {
    let server = scripted(&[
        "reply@end-of-data=250 Mail OK queued as smtp6\\nbye",
        "reply@data=354 go on",
    ])
    .await;
    let mut client = Client::hello(&server).await;
    client.codes(&ALL[..2]).await;
    assert_eq!(client.ask("DATA").await, "354 go on");
    assert_eq!(
        client.ask("hi\r\n.").await,
        "250-Mail OK queued as smtp6\n250 bye"
    );
    assert_eq!(server.counts().mails, 1);
}

#[tokio::test]
async fn a_scripted_421_closes() {
    let server = scripted(&["reply@mail=421 4.7.0 slow down"]).await;
    let mut client = Client::hello(&server).await;
    assert_eq!(client.ask(ALL[0]).await, "421 4.7.0 slow down");
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_login_can_be_refused_whatever_the_password() {
    let server = scripted(&["auth=526 Authentication failure[0]"]).await;
    let mut client = Client::hello(&server).await;
    let login = format!("AUTH PLAIN {}", base64("\0anna\0secret"));
    assert_eq!(client.ask(&login).await, "526 Authentication failure[0]");
    let counts = server.counts();
    assert_eq!((counts.logins_ok, counts.logins_refused), (0, 1));
}

#[tokio::test]
async fn a_sender_can_be_refused() {
    let server = scripted(&["refuse-mail-from=550 5.7.1 sender not verified"]).await;
    let mut client = Client::hello(&server).await;
    assert_eq!(client.ask(ALL[0]).await, "550 5.7.1 sender not verified");
}

#[tokio::test]
async fn after_its_share_of_mails_a_connection_is_told_421() {
    let server = scripted(&["close-after=2"]).await;
    let mut client = Client::hello(&server).await;
    assert!(client.mail("a@example.com").await.starts_with("250 "));
    assert!(client.mail("b@example.com").await.starts_with("250 "));
    assert_eq!(
        client.mail("c@example.com").await,
        "421 4.7.0 enough mails on this connection"
    );
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn an_idle_connection_is_closed_only_after_a_mail_and_without_a_word() {
    let script = Script::parse(&["idle-close=20ms"]).unwrap();
    let config = Config {
        script,
        ..Config::default()
    };
    let idle_timeout = Duration::from_millis(200);
    let impatient = start(Config {
        idle_timeout,
        ..config.clone()
    })
    .await
    .unwrap();
    let mut fresh = Client::connect(&impatient).await;
    fresh.reply().await;
    assert!(fresh.reply().await.starts_with("421 4.4.2 "));
    let server = start(config).await.unwrap();
    let mut used = Client::hello(&server).await;
    assert!(used.mail("b@example.com").await.starts_with("250 "));
    assert_eq!(used.reply().await, "");
}

#[tokio::test]
async fn one_connection_too_many_is_told_421_until_another_leaves() {
    let server = scripted(&["max-connections=1"]).await;
    let mut first = Client::hello(&server).await;
    let mut second = Client::connect(&server).await;
    assert_eq!(second.reply().await, "421 4.7.0 too many connections");
    assert!(second.is_closed().await);
    drop(second);
    first.ask("QUIT").await;
    drop(first);
    // The server notices in its own time; it is asked until it has.
    timeout(PATIENCE, async {
        while !Client::connect(&server).await.reply().await.starts_with("220 ") {}
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn each_group_of_replies_is_delayed_once() {
    let server = scripted(&["delay=50ms"]).await;
    let before = tokio::time::Instant::now();
    let mut client = Client::hello(&server).await;
    client
        .send("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nRSET\r\n")
        .await;
    for _ in 0..3 {
        client.reply().await;
    }
    // The greeting, EHLO, and the group.
    assert!(before.elapsed() >= Duration::from_millis(150));
}
