//! Sends mails of one size through lettre's pool of SMTP connections, as a program that uses lettre would.
//!
//! The mail is made once: what is measured is the sending alone, in lettre's favour.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use lettre::address::Envelope;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

type Failure = Box<dyn Error + Send + Sync>;
type Transport = AsyncSmtpTransport<Tokio1Executor>;

const USAGE: &str = "usage: lettre-pool PORT CONNECTIONS MAILS OCTETS [CA_FILE]";

/// A mail of exactly so many octets, in lines of 76.
fn mail(octets: usize) -> Vec<u8> {
    let mut mail = b"From: Aurora Home <news@aurora-home.example>\r\n\
        To: <someone@example.com>\r\n\
        Subject: spring is here\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\n"
        .to_vec();
    while mail.len() + 2 < octets {
        let line = (octets - mail.len() - 2).min(76);
        mail.resize(mail.len() + line, b'x');
        mail.extend_from_slice(b"\r\n");
    }
    mail
}

fn transport(port: u16, connections: u32, ca_file: Option<&str>) -> Result<Transport, Failure> {
    let tls = match ca_file {
        None => Tls::None,
        Some(path) => {
            let certificate = Certificate::from_pem(&std::fs::read(path)?)?;
            let parameters = TlsParameters::builder("localhost".to_owned()).add_root_certificate(certificate);
            Tls::Wrapper(parameters.build_rustls()?)
        }
    };
    Ok(Transport::builder_dangerous("127.0.0.1")
        .port(port)
        .tls(tls)
        .pool_config(PoolConfig::new().max_size(connections))
        .build())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [port, connections, mails, octets, ca_file @ ..] = words.as_slice() else {
        return Err(USAGE.into());
    };
    let connections: u32 = connections.parse()?;
    let mails: usize = mails.parse()?;
    let transport = transport(port.parse()?, connections, ca_file.first().map(String::as_str))?;
    let mail: Arc<[u8]> = mail(octets.parse()?).into();
    let next = Arc::new(AtomicUsize::new(0));

    let mut workers = Vec::new();
    for _ in 0..connections {
        let (transport, mail, next) = (transport.clone(), Arc::clone(&mail), Arc::clone(&next));
        workers.push(tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Relaxed);
                if number >= mails {
                    return Ok::<(), Failure>(());
                }
                let to = format!("p{number}@example.com").parse()?;
                let envelope = Envelope::new(Some("news@aurora-home.example".parse()?), vec![to])?;
                transport.send_raw(&envelope, &mail).await?;
            }
        }));
    }
    for worker in workers {
        worker.await??;
    }
    println!("{mails}");
    Ok(())
}
