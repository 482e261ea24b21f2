//! What is on disk when the 250 arrives.

use super::*;

#[tokio::test]
async fn the_mail_and_its_line_are_on_disk_before_the_250() {
    let (folder, server) = storing().await;
    let mut client = Client::hello(&server).await;
    for n in 1..=3 {
        let to = format!("ming.wang+{n}@example.com");
        assert_eq!(client.mail(&to).await, format!("250 2.0.0 accepted as {n}"));
        let text = std::fs::read_to_string(folder.path().join(format!("00000{n}-{to}.eml"))).unwrap();
        assert!(text.starts_with(&format!(
            "Return-Path: <news@example.org>\r\nDelivered-To: {to}\r\nReceived: from client.example ([127.0.0.1])\r\n\tby "
        )));
        assert!(text.ends_with(MAIL));
        let entries = entries(&folder.path().join("index.jsonl"));
        assert_eq!(entries.len(), n);
        let last = &entries[n - 1];
        assert_eq!((last.n, &last.to[..]), (n as u64, &[to][..]));
        assert_eq!(last.message_id.as_deref(), Some("<1@example.org>"));
    }
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 4, "nothing unfinished is left: {names:?}");
}

#[tokio::test]
async fn a_mail_that_is_accepted_and_then_dropped_is_on_disk_when_the_connection_ends() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.jsonl");
    let server = start(Config {
        journal: Some(journal.clone()),
        ..Config::default()
    })
    .await
    .unwrap();
    let mut client = Client::hello(&server).await;
    client
        .send(&format!(
            "MAIL FROM:<a@example.org>\r\nRCPT TO:<accept-then-drop@example.com>\r\nBDAT {} LAST\r\n{MAIL}",
            MAIL.len()
        ))
        .await;
    while !client.reply().await.is_empty() {}
    let entries = entries(&journal);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].to, ["accept-then-drop@example.com"]);
    assert_eq!((entries[0].bytes, &entries[0].file), (MAIL.len(), &None));
}

#[tokio::test]
async fn a_mail_that_is_refused_or_dropped_leaves_no_trace() {
    let (folder, server) = storing().await;
    for to in [
        "drop-after-data@example.com",
        "data-550-x@example.com",
        "drop-in-data@example.com",
    ] {
        Client::hello(&server).await.mail(to).await;
    }
    server.shutdown().await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(entries(&folder.path().join("index.jsonl")), []);
}

#[tokio::test]
async fn a_mail_that_cannot_be_written_is_not_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mails");
    let store = Store::Folder(path.clone());
    let server = start(Config {
        store,
        ..Config::default()
    })
    .await
    .unwrap();
    std::fs::remove_dir_all(&path).unwrap();
    let mut client = Client::hello(&server).await;
    assert_eq!(
        client.mail("b@example.com").await,
        "452 4.3.1 the mail could not be written"
    );
    assert_eq!(server.counts().mails, 0);
}

#[tokio::test]
async fn dots_are_unstuffed_and_a_lone_dot_is_an_empty_mail() {
    let (folder, server) = storing().await;
    let mut client = Client::hello(&server).await;
    client
        .codes(&["MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA"])
        .await;
    assert!(client.ask("..a\r\nb.\r\n..\r\n.").await.starts_with("250 "));
    let text = std::fs::read_to_string(folder.path().join("000001-b@example.com.eml")).unwrap();
    assert!(text.ends_with("\r\n.a\r\nb.\r\n.\r\n"), "{text:?}");
    client
        .codes(&["MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA"])
        .await;
    assert!(client.ask(".").await.starts_with("250 "));
    assert_eq!(entries(&folder.path().join("index.jsonl"))[1].bytes, 0);
}
