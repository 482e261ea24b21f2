//! STARTTLS and TLS from the first byte, with the server's own certificate.

use super::*;
use crate::sandbox::{Certificate, Tls};

#[tokio::test]
async fn a_mail_goes_through_starttls() {
    let server = start(Config {
        tls: Tls::StartTls,
        ..Config::default()
    })
    .await
    .unwrap();
    let mut tcp = TcpStream::connect(server.addr()).await.unwrap();
    // What stands in clear behind STARTTLS must be forgotten, whoever put it there.
    tcp.write_all(b"EHLO client.example\r\nSTARTTLS\r\nMAIL FROM:<evil@example.org>\r\n")
        .await
        .unwrap();
    let mut seen = String::new();
    let mut lines = BufReader::new(&mut tcp);
    while !seen.contains("start TLS") {
        lines.read_line(&mut seen).await.unwrap();
    }
    assert!(seen.contains("250-STARTTLS\r\n"));
    assert!(lines.buffer().is_empty());
    let mut client = encrypt(&server, tcp, "localhost").await;
    assert!(client.ask("MAIL FROM:<a@example.org>").await.starts_with("503 "));
    assert!(!client.ask("EHLO client.example").await.contains("STARTTLS"));
    assert!(client.ask("STARTTLS").await.starts_with("502 "));
    assert!(client.mail("b@example.com").await.starts_with("250 "));
    assert!(client.ask("QUIT").await.starts_with("221 "));
}

#[tokio::test]
async fn a_mail_goes_through_implicit_tls_by_name_and_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::Folder(folder.path().to_owned());
    let server = start(Config {
        tls: Tls::Implicit,
        store,
        ..Config::default()
    })
    .await
    .unwrap();
    for name in ["localhost", "127.0.0.1"] {
        let tcp = TcpStream::connect(server.addr()).await.unwrap();
        let mut client = encrypt(&server, tcp, name).await;
        assert!(client.reply().await.starts_with("220 "));
        assert!(client.ask("EHLO client.example").await.starts_with("250-"));
        assert!(client.mail("b@example.com").await.starts_with("250 "));
    }
    let text = std::fs::read_to_string(folder.path().join("000001-b@example.com.eml")).unwrap();
    assert!(text.contains("with ESMTPS id 1;"), "{text}");
}

#[tokio::test]
async fn a_client_that_speaks_no_tls_harms_nobody() {
    let server = start(Config {
        tls: Tls::Implicit,
        ..Config::default()
    })
    .await
    .unwrap();
    let mut rude = Client::connect(&server).await;
    rude.send("EHLO client.example\r\n").await;
    let mut rest = Vec::new();
    // An alert may come before the end; what counts is that the end comes.
    let _any = timeout(PATIENCE, rude.wire.read_to_end(&mut rest)).await.unwrap();
    let tcp = TcpStream::connect(server.addr()).await.unwrap();
    assert!(
        encrypt(&server, tcp, "localhost")
            .await
            .reply()
            .await
            .starts_with("220 ")
    );
}

#[tokio::test]
async fn a_certificate_can_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(vec!["mail.example.com".to_owned()]).unwrap();
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let files = Certificate::Files {
        chain: chain.clone(),
        key,
    };
    let server = start(Config {
        tls: Tls::Implicit,
        certificate: files,
        ..Config::default()
    })
    .await
    .unwrap();
    let tcp = TcpStream::connect(server.addr()).await.unwrap();
    assert!(
        encrypt(&server, tcp, "mail.example.com")
            .await
            .reply()
            .await
            .starts_with("220 ")
    );

    let absent = Certificate::Files {
        key: folder.path().join("absent.pem"),
        chain,
    };
    let error = start(Config {
        tls: Tls::Implicit,
        certificate: absent,
        ..Config::default()
    })
    .await
    .err()
    .unwrap();
    assert!(format!("{error:#}").contains("read private key "), "{error:#}");
}
