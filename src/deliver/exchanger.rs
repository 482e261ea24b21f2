//! Asks a mail server on port 25 whether it takes mail for a domain, and whether it takes mail for anybody. No mail is
//! sent: the transaction is given up before DATA.

use std::net::IpAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::either::Either;

use super::link::Link;
use super::session::{Timeouts, gone, literal, refused, say_hello};
use crate::mail::{Fault, Reply, Stage};
use crate::replies::Judge;
use crate::text;
use crate::words::Text;

/// The port by which mail servers take mail from one another. Source: RFC 5321, 4.5.4.2.
pub const PORT: u16 = 25;

/// A look is shorter than a delivery.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(6),
    command: Duration::from_secs(20),
    data: Duration::from_secs(20),
    end_of_data: Duration::from_secs(20),
};

/// A recipient that nobody takes mail for but an open relay. Source: RFC 2606, 3.
const STRANGER: &str = "relay-test@example.net";

/// What a mail server said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Could we connect?
    pub is_open: bool,
    /// Does it offer STARTTLS?
    pub starttls: bool,
    /// What it said to a mail for the domain's postmaster, whom every domain has. Source: RFC 5321, 4.5.1.
    pub postmaster: Option<Reply>,
    /// What it said to a mail for somebody elsewhere.
    pub stranger: Option<Reply>,
    /// What went wrong, where something did.
    pub fault: Option<Text>,
}

/// Asks the server at this address.
pub async fn ask(ip: IpAddr, port: u16, domain: &str) -> Heard {
    let mut heard = Heard::default();
    if let Err(fault) = go(ip, port, domain, &mut heard).await {
        heard.fault = Some(fault);
    }
    heard
}

async fn go(ip: IpAddr, port: u16, domain: &str, heard: &mut Heard) -> Result<(), Text> {
    let stream = match timeout(TIMEOUTS.connect, TcpStream::connect((ip, port))).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Text::kept(error)),
        Err(_elapsed) => {
            return Err(text!(
                "no answer within {seconds} s",
                seconds = TIMEOUTS.connect.as_secs()
            ));
        }
    };
    heard.is_open = true;
    let hello = literal(stream.local_addr().ok().map(|address| address.ip()));
    let mut link = Link::new(Either::Left(stream), None);
    let said = |fault: Fault| fault.said();
    let greeting = link.reply(TIMEOUTS.command).await;
    let greeting = greeting.map_err(|lost| said(gone(Stage::Hello, &lost)))?;
    if !greeting.is_positive() {
        return Err(said(refused(&Judge::default(), Stage::Hello, greeting)));
    }
    heard.starttls = say_hello(&mut link, &hello, &TIMEOUTS, &Judge::default())
        .await
        .map_err(said)?
        .starttls;
    heard.postmaster = Some(recipient(&mut link, &format!("postmaster@{domain}")).await?);
    heard.stranger = Some(recipient(&mut link, STRANGER).await?);
    link.close("QUIT", Duration::from_secs(1)).await;
    Ok(())
}

/// What the server says to a mail for this recipient; the mail is given up.
async fn recipient(link: &mut Link, address: &str) -> Result<Reply, Text> {
    let mut last = None;
    for line in ["MAIL FROM:<>".to_owned(), format!("RCPT TO:<{address}>")] {
        let reply = link
            .ask(&line, &line, TIMEOUTS.command)
            .await
            .map_err(|lost| Text::kept(lost.0))?;
        let is_refused = !reply.is_positive();
        last = Some(reply);
        if is_refused {
            break;
        }
    }
    let reset = link.ask("RSET", "RSET", TIMEOUTS.command).await;
    reset.map_err(|lost| Text::kept(lost.0))?;
    last.ok_or_else(Text::default)
}
