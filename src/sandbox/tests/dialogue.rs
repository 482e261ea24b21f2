//! The order of commands, pipelining, chunks, sizes and time-outs.

use super::*;
use crate::sandbox::Extension;

#[tokio::test]
async fn commands_out_of_order_are_answered_503() {
    let server = plain().await;
    let mut client = Client::connect(&server).await;
    client.reply().await;
    let codes = client
        .codes(&[
            "MAIL FROM:<a@example.org>",
            "EHLO client.example",
            "RCPT TO:<b@example.com>",
            "DATA",
            "MAIL FROM:<a@example.org>",
            "MAIL FROM:<a@example.org>",
            "DATA",
            "RSET",
            "RCPT TO:<b@example.com>",
        ])
        .await;
    assert_eq!(
        codes,
        ["503", "250", "503", "503", "250", "503", "554", "250", "503"]
    );
}

#[tokio::test]
async fn the_small_commands_have_their_answers() {
    let server = plain().await;
    let mut client = Client::hello(&server).await;
    let codes = client
        .codes(&[
            "NOOP",
            "NOOP hello",
            "VRFY anna",
            "EXPN staff",
            "HELP",
            "MAKE TEA",
            "",
            "LHLO x",
            "HELO x",
            "STARTTLS",
            "mail from:<>",
            "RSET",
            "MAIL FROM:<a b>",
            "MAIL FROM:<a@example.org> COLOUR=red",
            "MAIL",
            "BDAT x",
            "QUIT",
        ])
        .await;
    assert_eq!(
        codes,
        [
            "250", "250", "252", "502", "214", "500", "500", "502", "250", "502", "250", "250", "501", "555",
            "501", "501", "221"
        ]
    );
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn the_replies_to_a_pipelined_group_leave_in_one_write() {
    let server = plain().await;
    let mut client = Client::hello(&server).await;
    let group = format!(
        "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n{MAIL}.\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<fail@example.com>\r\nDATA\r\n"
    );
    client.send(&group).await;
    let mut buffer = vec![0; 4096];
    let read = client.wire.read(&mut buffer).await.unwrap();
    let replies = String::from_utf8_lossy(&buffer[..read]).into_owned();
    let codes: Vec<&str> = replies.lines().map(|line| line.get(..3).unwrap()).collect();
    assert_eq!(codes, ["250", "250", "354", "250", "250", "550", "554"]);
    assert_eq!(server.counts().mails, 1);
}

#[tokio::test]
async fn every_byte_may_come_in_its_own_packet() {
    let server = plain().await;
    let mut client = Client::hello(&server).await;
    let dialogue = format!(
        "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n{MAIL}.\r\nMAIL FROM:<>\r\nRCPT TO:<c@example.com>\r\nBDAT 4\r\nhi\r\nBDAT 0 LAST\r\nQUIT\r\n"
    );
    for byte in dialogue.chars() {
        client.send(&byte.to_string()).await;
        // The server runs on this thread too; it reads this byte before the next is sent.
        tokio::task::yield_now().await;
    }
    for code in ["250", "250", "354", "250", "250", "250", "250", "250", "221"] {
        assert!(client.reply().await.starts_with(code));
    }
    assert_eq!(server.counts().mails, 2);
}

#[tokio::test]
async fn chunks_make_one_mail() {
    let (folder, server) = storing().await;
    let mut client = Client::hello(&server).await;
    client
        .send("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nBDAT 11\r\nX: 1\r\n\r\n.\r\nBDAT 5 LAST\r\n\r\n.\r\nMAIL FROM:<a@example.org>\r\n")
        .await;
    for _ in 0..5 {
        assert!(client.reply().await.starts_with("250 "));
    }
    let text = std::fs::read_to_string(folder.path().join("000001-b@example.com.eml")).unwrap();
    assert!(text.ends_with("X: 1\r\n\r\n.\r\n\r\n.\r\n"), "{text:?}");
}

#[tokio::test]
async fn the_bytes_of_a_refused_chunk_are_read_all_the_same() {
    let server = plain().await;
    let mut client = Client::hello(&server).await;
    client
        .send("MAIL FROM:<a@example.org>\r\nRCPT TO:<fail@example.com>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
        .await;
    for code in ["250", "550", "554", "250"] {
        assert!(client.reply().await.starts_with(code));
    }
    client.send("BDAT 6\r\nQUIT\r\nNOOP\r\n").await;
    for code in ["503", "250"] {
        assert!(client.reply().await.starts_with(code));
    }
    client
        .send("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nBDAT 1\r\nxDATA\r\n")
        .await;
    for code in ["250", "250", "250", "503"] {
        assert!(client.reply().await.starts_with(code));
    }
}

#[tokio::test]
async fn a_bare_line_feed_smuggles_nothing() {
    for end in ["\n.\n", "\r\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r\r\n"] {
        let server = plain().await;
        let mut client = Client::hello(&server).await;
        client.ask("MAIL FROM:<a@example.org>").await;
        client.ask("RCPT TO:<b@example.com>").await;
        client.ask("DATA").await;
        let smuggled = "MAIL FROM:<evil@example.org>\r\nRCPT TO:<c@example.com>\r\nDATA\r\nevil\r\n.";
        assert!(
            client
                .ask(&format!("hi{end}{smuggled}"))
                .await
                .starts_with("250 ")
        );
        assert!(client.ask("NOOP").await.starts_with("250 2.0.0 nothing"));
        assert_eq!(server.counts().mails, 1, "{end:?}");
    }
}

#[tokio::test]
async fn a_mail_over_the_limit_is_refused_by_its_size_and_by_its_bytes() {
    let server = start(Config {
        size_max: 2000,
        ..Config::default()
    })
    .await
    .unwrap();
    let mut client = Client::connect(&server).await;
    client.reply().await;
    assert!(client.ask("EHLO client.example").await.contains("SIZE 2000"));
    assert_eq!(
        client.ask("MAIL FROM:<a@example.org> SIZE=2001").await,
        "552 5.3.4 the mail is too big"
    );
    let line = "x".repeat(98);
    let mail = vec![line; 30].join("\r\n");
    assert_eq!(
        client
            .codes(&[
                "MAIL FROM:<a@example.org> SIZE=10",
                "RCPT TO:<b@example.com>",
                "DATA"
            ])
            .await[2],
        "354"
    );
    assert_eq!(
        client.ask(&format!("{mail}\r\n.")).await,
        "552 5.3.4 the mail is too big"
    );
    client
        .codes(&["MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>"])
        .await;
    client.send(&format!("BDAT {} LAST\r\n{mail}", mail.len())).await;
    assert_eq!(client.reply().await, "552 5.3.4 the mail is too big");
    assert!(client.mail("b@example.com").await.starts_with("250 "));
    assert_eq!(server.counts().mails, 1);
}

#[tokio::test]
async fn lines_have_a_limit() {
    let server = plain().await;
    let mut client = Client::hello(&server).await;
    assert_eq!(client.ask(&"x".repeat(100_000)).await, "500 5.5.2 line too long");
    client
        .codes(&["MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA"])
        .await;
    let reply = client.ask(&format!("{}\r\n.", "x".repeat(999))).await;
    assert_eq!(reply, "554 5.6.0 a line of the mail is longer than 998 bytes");
    assert!(client.mail("b@example.com").await.starts_with("250 "));
}

#[tokio::test]
async fn an_extension_that_is_switched_off_is_not_listed_and_not_taken() {
    let cases = [
        ("pipelining", "PIPELINING", "", ""),
        (
            "8bitmime",
            "8BITMIME",
            "MAIL FROM:<a@example.org> BODY=8BITMIME",
            "555",
        ),
        ("size", "SIZE", "MAIL FROM:<a@example.org> SIZE=5", "555"),
        (
            "smtputf8",
            "SMTPUTF8",
            "MAIL FROM:<a@example.org> SMTPUTF8",
            "555",
        ),
        ("chunking", "CHUNKING", "BDAT 0 LAST", "502"),
        (
            "enhancedstatuscodes",
            "ENHANCEDSTATUSCODES",
            "NOOP",
            "250 nothing done",
        ),
        ("auth", "AUTH", "AUTH PLAIN", "504"),
        ("auth-login", "LOGIN", "AUTH LOGIN", "504"),
    ];
    for (name, word, command, answer) in cases {
        let without: Vec<Extension> = vec![name.parse().unwrap()];
        let server = start(Config {
            without,
            ..Config::default()
        })
        .await
        .unwrap();
        let mut client = Client::connect(&server).await;
        client.reply().await;
        assert!(!client.ask("EHLO client.example").await.contains(word), "{name}");
        if !command.is_empty() {
            assert!(client.ask(command).await.starts_with(answer), "{name}");
        }
        server.shutdown().await;
    }
    assert!(
        "teleport"
            .parse::<Extension>()
            .unwrap_err()
            .to_string()
            .contains("allowed are pipelining, 8bitmime")
    );
}

#[tokio::test]
async fn without_pipelining_a_client_that_does_not_wait_is_told_off() {
    let without = vec![Extension::Pipelining];
    let server = start(Config {
        without,
        ..Config::default()
    })
    .await
    .unwrap();
    let mut patient = Client::hello(&server).await;
    assert!(patient.mail("b@example.com").await.starts_with("250 "));
    patient
        .codes(&["MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>"])
        .await;
    // A chunk goes right behind its command, pipelining or not.
    patient.send("BDAT 4 LAST\r\nhi\r\n").await;
    assert!(patient.reply().await.starts_with("250 "));
    let mut hasty = Client::hello(&server).await;
    hasty
        .send("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\n")
        .await;
    assert!(hasty.reply().await.starts_with("250 "));
    assert!(hasty.reply().await.starts_with("554 5.5.0 "));
    assert!(hasty.is_closed().await);
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_smtputf8() {
    let server = plain().await;
    let mut client = Client::hello(&server).await;
    let codes = client
        .codes(&[
            "MAIL FROM:<王@example.org>",
            "MAIL FROM:<a@example.org>",
            "RCPT TO:<李@example.com>",
            "RSET",
            "MAIL FROM:<王@example.org> SMTPUTF8 BODY=8BITMIME",
            "RCPT TO:<李@example.com>",
        ])
        .await;
    assert_eq!(codes, ["553", "250", "553", "250", "250", "250"]);
}

#[tokio::test]
async fn a_silent_client_is_told_421() {
    let idle_timeout = Duration::from_millis(50);
    let server = start(Config {
        idle_timeout,
        ..Config::default()
    })
    .await
    .unwrap();
    let mut client = Client::connect(&server).await;
    client.reply().await;
    assert_eq!(client.reply().await, "421 4.4.2 nothing heard for too long");
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_leaves_nothing_behind() {
    let server = plain().await;
    let addr = server.addr();
    let mut client = Client::hello(&server).await;
    let (counts, farewell) = tokio::join!(server.shutdown(), client.reply());
    assert_eq!(farewell, "421 4.3.2 the server is shutting down");
    assert_eq!(
        (counts.connections, counts.connections_now, counts.connections_max),
        (1, 0, 1)
    );
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn every_recipient_and_byte_is_counted() {
    let server = plain().await;
    let mut client = Client::hello(&server).await;
    client
        .codes(&[
            "MAIL FROM:<a@example.org>",
            "RCPT TO:<b@example.com>",
            "RCPT TO:<fail@example.com>",
            "RCPT TO:<c@example.com>",
        ])
        .await;
    client.codes(&["DATA", &format!("{MAIL}.")]).await;
    let counts = server.counts();
    assert_eq!(
        (counts.mails, counts.recipients, counts.refused_recipients),
        (1, 2, 1)
    );
    assert_eq!(counts.bytes, MAIL.len() as u64);
}
