//! Dialogues with a running server, byte by byte, by a client that knows nothing but lines.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{Config, Entry, Running, Script, Store, start};

mod dialogue;
mod faults;
mod keeping;
mod login;
mod scripts;
mod splitting;
mod tls;

/// Long enough for any machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const MAIL: &str = "Message-ID: <1@example.org>\r\nSubject: hello\r\n\r\nhi\r\n";

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

struct Client {
    wire: BufReader<Box<dyn Wire>>,
}

impl Client {
    /// Connects and reads nothing yet.
    async fn connect(server: &Running) -> Self {
        let tcp = TcpStream::connect(server.addr()).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        Self::over(tcp)
    }

    fn over(wire: impl Wire + 'static) -> Self {
        Self {
            wire: BufReader::new(Box::new(wire)),
        }
    }

    /// Connects, is greeted and says EHLO.
    async fn hello(server: &Running) -> Self {
        let mut client = Self::connect(server).await;
        assert!(client.reply().await.starts_with("220 "));
        assert!(client.ask("EHLO client.example").await.starts_with("250-"));
        client
    }

    async fn send(&mut self, text: &str) {
        self.wire.write_all(text.as_bytes()).await.unwrap();
        self.wire.flush().await.unwrap();
    }

    /// One reply, its lines joined by `\n`. Empty if the connection is closed instead.
    async fn reply(&mut self) -> String {
        let mut lines: Vec<String> = Vec::new();
        loop {
            let mut line = String::new();
            let read = timeout(PATIENCE, self.wire.read_line(&mut line))
                .await
                .expect("a reply in time");
            // A closed connection shows as an end or as a reset, whichever comes first.
            if read.unwrap_or(0) == 0 {
                return String::new();
            }
            let line = line
                .strip_suffix("\r\n")
                .expect("a reply line ends with CRLF")
                .to_owned();
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line);
            if is_last {
                return lines.join("\n");
            }
        }
    }

    async fn ask(&mut self, command: &str) -> String {
        self.send(&format!("{command}\r\n")).await;
        self.reply().await
    }

    /// The codes of the replies to these commands, `closed` for none.
    async fn codes(&mut self, commands: &[&str]) -> Vec<String> {
        let mut codes = Vec::new();
        for command in commands {
            let reply = self.ask(command).await;
            codes.push(reply.get(..3).unwrap_or("closed").to_owned());
        }
        codes
    }

    /// Hands in a mail and gives the reply that ended it, whichever it was.
    async fn mail(&mut self, to: &str) -> String {
        for command in ["MAIL FROM:<news@example.org>", &format!("RCPT TO:<{to}>"), "DATA"] {
            let reply = self.ask(command).await;
            if !reply.starts_with('2') && !reply.starts_with('3') {
                return reply;
            }
        }
        self.ask(&format!("{MAIL}.")).await
    }

    async fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        timeout(PATIENCE, self.wire.read(&mut byte))
            .await
            .expect("an end in time")
            .unwrap_or(0)
            == 0
    }
}

/// A server that keeps its mails in this folder.
async fn storing() -> (tempfile::TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::Folder(folder.path().to_owned());
    let server = start(Config {
        store,
        ..Config::default()
    })
    .await
    .unwrap();
    (folder, server)
}

async fn plain() -> Running {
    start(Config::default()).await.unwrap()
}

async fn scripted(faults: &[&str]) -> Running {
    let script = Script::parse(faults).unwrap();
    start(Config {
        script,
        ..Config::default()
    })
    .await
    .unwrap()
}

fn tls_connector(server: &Running) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let pem = server.ca_pem().expect("a certificate").as_bytes();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn encrypt(server: &Running, tcp: TcpStream, name: &'static str) -> Client {
    let name = ServerName::try_from(name).unwrap();
    Client::over(tls_connector(server).connect(name, tcp).await.unwrap())
}

fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

fn entries(path: &std::path::Path) -> Vec<Entry> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
