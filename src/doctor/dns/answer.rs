//! What a server answered, and why there may be no answer. A server that does not answer is not "no record".

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use super::Name;
use crate::text;
use crate::words::{Gap, Shown, Text, trouble};

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// A mail exchanger.
    Mx,
    /// Text: SPF, DKIM, DMARC and the rest.
    Txt,
    /// Another name for this name.
    Cname,
    /// A name server of the zone.
    Ns,
    /// The head of the zone.
    Soa,
    /// The name of an address.
    Ptr,
    /// The record type 99 that SPF once had. Source: RFC 7208, 3.1.
    Spf,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Cname => "CNAME",
            Self::Ns => "NS",
            Self::Soa => "SOA",
            Self::Ptr => "PTR",
            Self::Spf => "SPF",
        })
    }
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Data {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A mail exchanger; the root stands for "no mail" (RFC 7505).
    Mx {
        /// Lower comes first.
        preference: u16,
        /// Its host.
        exchange: Name,
    },
    /// The strings of a text record, as they stand in it.
    Txt(Vec<Vec<u8>>),
    /// Another name.
    Cname(Name),
    /// A name server.
    Ns(Name),
    /// The serial of a zone.
    Soa(u32),
    /// A host.
    Ptr(Name),
    /// A text of the old type 99.
    Spf,
}

impl Data {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::A(_) => Kind::A,
            Self::Aaaa(_) => Kind::Aaaa,
            Self::Mx { .. } => Kind::Mx,
            Self::Txt(_) => Kind::Txt,
            Self::Cname(_) => Kind::Cname,
            Self::Ns(_) => Kind::Ns,
            Self::Soa(_) => Kind::Soa,
            Self::Ptr(_) => Kind::Ptr,
            Self::Spf => Kind::Spf,
        }
    }
}

/// As zone files have it, without quotes.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A(ip) => ip.fmt(f),
            Self::Aaaa(ip) => ip.fmt(f),
            Self::Mx { preference, exchange } => write!(f, "{preference} {exchange}"),
            Self::Txt(strings) => f.write_str(&String::from_utf8_lossy(&strings.concat())),
            Self::Cname(name) | Self::Ns(name) | Self::Ptr(name) => name.fmt(f),
            Self::Soa(serial) => serial.fmt(f),
            Self::Spf => f.write_str("SPF"),
        }
    }
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub name: Name,
    /// For how many seconds it may be kept.
    pub ttl: u32,
    /// What it says.
    pub data: Data,
}

/// What a server said to a question: these records, or that there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Does the server speak for the zone itself?
    pub is_authoritative: bool,
    /// Is there no such name at all (NXDOMAIN)?
    pub is_no_name: bool,
    /// Did the answer not fit into a datagram?
    pub was_cut: bool,
    /// The answer's records, with those of names that the name stands for.
    pub records: Vec<Record>,
}

impl Answer {
    /// The records of this kind of the very name, not of another that it stands for.
    pub fn own<'a>(&'a self, name: &Name, kind: Kind) -> impl Iterator<Item = &'a Record> + use<'a> {
        let name = name.clone();
        self.records
            .iter()
            .filter(move |record| record.name == name && record.data.kind() == kind)
    }

    /// The records of this kind of the name, or of the name that it stands for.
    pub fn of(&self, name: &Name, kind: Kind) -> Vec<&Record> {
        let mut at = name.clone();
        // A chain of names cannot be longer than there are records.
        for _ in 0..=self.records.len() {
            let found: Vec<&Record> = self.own(&at, kind).collect();
            if !found.is_empty() {
                return found;
            }
            match self.records.iter().find_map(|record| match &record.data {
                Data::Cname(next) if record.name == at => Some(next),
                _ => None,
            }) {
                Some(next) => at = next.clone(),
                None => break,
            }
        }
        Vec::new()
    }

    /// The texts of the name, the strings of each joined as RFC 7208, 3.3 says.
    pub fn texts(&self, name: &Name) -> Vec<Vec<u8>> {
        let found = self.of(name, Kind::Txt);
        found
            .iter()
            .filter_map(|record| match &record.data {
                Data::Txt(strings) => Some(strings.concat()),
                _ => None,
            })
            .collect()
    }

    /// The hosts of MX records with their preference, in the order in which they are tried.
    pub fn exchanges(&self, name: &Name) -> Vec<(u16, Name)> {
        let found = self.of(name, Kind::Mx);
        let mut all: Vec<(u16, Name)> = found
            .iter()
            .filter_map(|record| match &record.data {
                Data::Mx { preference, exchange } => Some((*preference, exchange.clone())),
                _ => None,
            })
            .collect();
        all.sort();
        all
    }
}

/// Why nothing is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// It did not answer in time.
    Silent,
    /// It cannot be reached, for this reason.
    Unreachable(std::io::ErrorKind),
    /// It answered with this code, which says nothing about the record.
    Code(String),
    /// The answer did not fit, and it cannot be asked over TCP.
    Cut,
    /// What it answered makes no sense.
    Garbage,
    /// Its question would be one too many.
    TooMany,
}

impl From<&NoAnswer> for Text {
    fn from(why: &NoAnswer) -> Self {
        match why {
            NoAnswer::Silent => text!("no answer in time"),
            NoAnswer::Unreachable(why) => text!("not reachable: {why}", why = trouble(*why)),
            NoAnswer::Code(code) => text!("the name server answers {code}", code),
            NoAnswer::Cut => text!("the answer is cut off, and there is none over TCP"),
            NoAnswer::Garbage => text!("an answer that makes no sense"),
            NoAnswer::TooMany => text!("not asked: there were too many questions"),
        }
    }
}

impl Shown for Kind {}

impl Gap for NoAnswer {
    fn gap(&self) -> Text {
        Text::from(self)
    }
}
