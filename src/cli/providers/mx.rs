//! Which hosts take the mail of a domain: one question to the DNS, in this small file alone. Source: RFC 1035, RFC 5321, 5.1.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::Context as _;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

use super::super::exit::{Coded, Exit};
use crate::campaign::provider::Book;
use crate::text;
use crate::words::Text;

/// How long a resolver may take.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Resolvers asked until one answers.
const RESOLVERS_MAX: usize = 3;
/// What fits into an answer by UDP.
const ANSWER_MAX: usize = 4_096;

/// What was found about a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Found {
    /// It is the domain of a provider's own mailboxes.
    ByName(String),
    /// A provider takes its mail, by these hosts.
    ByMx(String, Vec<String>),
    /// Nobody known takes its mail.
    Stranger(Vec<String>),
}

impl Found {
    /// The provider's name.
    pub(in crate::cli) fn provider(&self) -> Option<&str> {
        match self {
            Self::ByName(name) | Self::ByMx(name, _) => Some(name),
            Self::Stranger(_) => None,
        }
    }

    /// The hosts that take its mail, as far as they were asked for.
    pub(super) fn hosts(&self) -> &[String] {
        match self {
            Self::ByName(_) => &[],
            Self::ByMx(_, hosts) | Self::Stranger(hosts) => hosts,
        }
    }
}

/// Finds the provider of a domain: by its name, else by its MX records.
pub(in crate::cli) fn find(book: &Book, domain: &str, resolver: Option<SocketAddr>) -> anyhow::Result<Found> {
    if let Some(name) = book.by_domain(domain) {
        return Ok(Found::ByName(name));
    }
    let hosts = ask(domain, resolver)?;
    Ok(match book.by_mx(&hosts) {
        Some(name) => Found::ByMx(name, hosts),
        None => Found::Stranger(hosts),
    })
}

/// The hosts that take mail for a domain, the preferred one first.
fn ask(domain: &str, resolver: Option<SocketAddr>) -> anyhow::Result<Vec<String>> {
    let is_no_domain = || Coded::new(Exit::Usage, text!("`{domain}` is not a domain", domain));
    let ascii = idna::domain_to_ascii(domain).map_err(|_wrong| is_no_domain())?;
    let mut name = Name::from_ascii(&ascii).map_err(|_wrong| is_no_domain())?;
    name.set_fqdn(true);
    let mut question = Message::query();
    question.add_query(Query::query(name, RecordType::MX));
    question.metadata.recursion_desired = true;
    let octets = question.to_vec().context("write a question to the DNS")?;
    let mut why = text!("no resolver is set up");
    for resolver in resolver.map_or_else(of_system, |resolver| vec![resolver]) {
        match exchange(&octets, resolver) {
            Ok(answer) if answer.metadata.id == question.metadata.id => return read(domain, &answer),
            Ok(_) => {
                why = text!(
                    "{resolver} answered something else",
                    resolver = resolver.to_string()
                );
            }
            Err(error) => why = Text::from(format!("{resolver}: {error}")),
        }
    }
    Err(Coded::new(
        Exit::Unavailable,
        text!("nobody says where mail for {domain} goes ({why})", domain, why),
    )
    .hint(text!(
        "set `provider`, or host, port and tls; or name a resolver with --resolver"
    ))
    .into())
}

fn of_system() -> Vec<SocketAddr> {
    let text = std::fs::read("/etc/resolv.conf").unwrap_or_default();
    let (config, _faults) = resolv_conf::Config::parse_with_errors(&text);
    let ips = config.nameservers.iter().map(IpAddr::from);
    ips.map(|ip| SocketAddr::new(ip, 53))
        .take(RESOLVERS_MAX)
        .collect()
}

fn exchange(octets: &[u8], resolver: SocketAddr) -> std::io::Result<Message> {
    let any: SocketAddr = if resolver.is_ipv4() {
        ([0, 0, 0, 0], 0).into()
    } else {
        ([0_u16; 8], 0).into()
    };
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    socket.connect(resolver)?;
    socket.send(octets)?;
    let mut buffer = [0; ANSWER_MAX];
    let length = socket.recv(&mut buffer).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => std::io::Error::other("no answer"),
        _ => error,
    })?;
    let answer = buffer.get(..length).unwrap_or_default();
    Message::from_vec(answer).map_err(std::io::Error::other)
}

fn read(domain: &str, answer: &Message) -> anyhow::Result<Vec<String>> {
    match answer.metadata.response_code {
        ResponseCode::NoError => {}
        ResponseCode::NXDomain => {
            let what = text!("there is no domain {domain}", domain);
            return Err(Coded::new(Exit::Data, what)
                .hint(text!("is it written right?"))
                .into());
        }
        code => {
            let what = text!(
                "nobody says where mail for {domain} goes ({why})",
                domain,
                why = code.to_string()
            );
            return Err(Coded::new(Exit::Unavailable, what).into());
        }
    }
    let mut hosts: Vec<(u16, String)> = answer
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii().to_ascii_lowercase())),
            _ => None,
        })
        .collect();
    hosts.sort();
    let hosts = hosts
        .into_iter()
        .map(|(_, host)| host.trim_end_matches('.').to_owned());
    Ok(hosts.filter(|host| !host.is_empty()).collect())
}
