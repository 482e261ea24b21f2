//! mail-auth's questions, answered from the book: what is not known yet is noted there, and nothing is asked here.
//!
//! Its verifiers look into a cache before they ask. This cache always has an answer, so that they never ask.

use std::borrow::Borrow;
use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::spf::Spf;
use mail_auth::{
    DnsError, DnssecStatus, Error, MX, MessageAuthenticator, Parameters, RecordSet, ResolverCache, Txt,
};

use crate::doctor::checks::zone;
use crate::doctor::dns::{Book, Data, Kind, Name};
use crate::doctor::spf;

/// A book as a cache.
pub(super) struct Known<'b> {
    book: &'b Book,
    /// Was something about addresses asked in vain? The cache cannot say so: it can only have none.
    has_failed: Cell<bool>,
}

/// A verifier that has nobody to ask.
pub(super) fn verifier() -> Option<MessageAuthenticator> {
    MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).ok()
}

/// What a verifier comes to without waiting for anybody; nothing where it would wait.
pub(super) fn at_once<T>(verifying: impl Future<Output = T>) -> Option<T> {
    match pin!(verifying).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verified) => Some(verified),
        Poll::Pending => None,
    }
}

/// What a key hashes: the trait lets us do nothing else with it, and a text hashes its own octets.
#[derive(Default)]
struct Octets(Vec<u8>);

impl Hasher for Octets {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
    }
}

fn name_of<Q: Hash + ?Sized>(key: &Q) -> Option<Name> {
    let mut octets = Octets::default();
    key.hash(&mut octets);
    // The end of a text is marked with an octet that no text has.
    let text = octets.0.strip_suffix(&[0xFF]).unwrap_or(&octets.0);
    Name::parse(std::str::from_utf8(text).ok()?)
}

/// A question, with this cache for all answers.
type Asked<'k, P, K> = Parameters<'k, P, K, K, K, K, K>;

fn not_found() -> Txt {
    Txt::Error(Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain)))
}

/// Nobody says anything about a record; why not, the book knows.
fn unsaid() -> Txt {
    Txt::Error(Error::Dns(DnsError::Resolver(String::new())))
}

fn of<T: TxtRecordParser>(text: &[u8], wrap: impl Fn(Arc<T>) -> Txt) -> Txt {
    T::parse(text).map_or_else(Txt::Error, |record| wrap(Arc::new(record)))
}

impl<'b> Known<'b> {
    pub(super) fn new(book: &'b Book) -> Self {
        Self {
            book,
            has_failed: Cell::new(false),
        }
    }

    /// Was something about addresses asked in vain?
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.get()
    }

    /// A question to a verifier, which this answers.
    pub(super) fn answering<P>(&self, question: P) -> Asked<'_, P, Self> {
        Parameters::new(question)
            .with_txt_cache(self)
            .with_mx_cache(self)
            .with_ipv4_cache(self)
            .with_ipv6_cache(self)
            .with_ptr_cache(self)
    }

    /// A record that this domain does not have. Whoever does not see the public DNS does not know.
    fn absent(&self, domain: &str) -> Txt {
        match Name::parse(domain).map(|domain| zone::is_seen(self.book, &domain)) {
            Some(Ok(false) | Err(_)) => unsaid(),
            Some(Ok(true)) | None => not_found(),
        }
    }

    fn text(&self, name: &Name) -> Txt {
        let Ok(answer) = self.book.look(name, Kind::Txt) else {
            return unsaid();
        };
        let texts = answer.texts(name);
        if let Some((before, domain)) = name.as_str().split_once("._domainkey.")
            && before != "_report"
        {
            return match texts.first() {
                Some(text) => of::<DomainKey>(text, Txt::DomainKey),
                None => self.absent(domain),
            };
        }
        match spf::tree::records(&texts).as_slice() {
            [] => self.absent(name.as_str()),
            [record] => of::<Spf>(record.as_bytes(), Txt::Spf),
            // Source: RFC 7208, 4.5: several are an error.
            [_, _, ..] => Txt::Error(Error::ParseError),
        }
    }

    /// The records of a name as `read` takes them; none where there are none, or they are not known.
    fn set<Q, T>(&self, key: &Q, kind: Kind, read: impl Fn(&Data) -> Option<T>) -> RecordSet<T>
    where
        Q: Hash + ?Sized,
    {
        let name = name_of(key);
        let answer = name.as_ref().and_then(|name| {
            let looked = self.book.look(name, kind).ok();
            self.has_failed.set(self.has_failed.get() || looked.is_none());
            looked
        });
        let records = answer
            .zip(name.as_ref())
            .map(|(answer, name)| answer.of(name, kind));
        let all: Vec<T> = records
            .unwrap_or_default()
            .into_iter()
            .filter_map(|record| read(&record.data))
            .collect();
        RecordSet {
            rrset: all.into(),
            dnssec_status: DnssecStatus::Indeterminate,
        }
    }
}

impl ResolverCache<Box<str>, Txt> for Known<'_> {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Some(name_of(name).map_or_else(not_found, |name| self.text(&name)))
    }

    fn remove<Q>(&self, _name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _name: Box<str>, _value: Txt, _until: Instant) {}
}

/// A set of records of one kind.
macro_rules! sets {
    ($($record:ty, $kind:expr, $read:expr;)*) => {$(
        impl ResolverCache<Box<str>, RecordSet<$record>> for Known<'_> {
            fn get<Q>(&self, name: &Q) -> Option<RecordSet<$record>>
            where
                Box<str>: Borrow<Q>,
                Q: Hash + Eq + ?Sized,
            {
                Some(self.set(name, $kind, $read))
            }

            fn remove<Q>(&self, _name: &Q) -> Option<RecordSet<$record>>
            where
                Box<str>: Borrow<Q>,
                Q: Hash + Eq + ?Sized,
            {
                None
            }

            fn insert(&self, _name: Box<str>, _value: RecordSet<$record>, _until: Instant) {}
        }
    )*};
}

sets! {
    Ipv4Addr, Kind::A, |data| match data {
        Data::A(ip) => Some(*ip),
        _ => None,
    };
    Ipv6Addr, Kind::Aaaa, |data| match data {
        Data::Aaaa(ip) => Some(*ip),
        _ => None,
    };
    MX, Kind::Mx, |data| match data {
        Data::Mx { preference, exchange } => Some(MX {
            exchanges: [exchange.to_string().into_boxed_str()].into(),
            preference: *preference,
        }),
        _ => None,
    };
}

/// Names of addresses are only for `ptr`, which nobody should use: there are none.
impl ResolverCache<IpAddr, RecordSet<Box<str>>> for Known<'_> {
    fn get<Q>(&self, _ip: &Q) -> Option<RecordSet<Box<str>>>
    where
        IpAddr: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Some(RecordSet {
            rrset: [].into(),
            dnssec_status: DnssecStatus::Indeterminate,
        })
    }

    fn remove<Q>(&self, _ip: &Q) -> Option<RecordSet<Box<str>>>
    where
        IpAddr: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _ip: IpAddr, _value: RecordSet<Box<str>>, _until: Instant) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_what_it_hashes() {
        let name = Name::parse("s1._domainkey.b.example").unwrap();
        assert_eq!(name_of("s1._domainkey.b.example."), Some(name.clone()));
        let boxed: Box<str> = "s1._domainkey.b.example".into();
        assert_eq!(name_of(&boxed), Some(name));
        assert_eq!(name_of(""), None);
    }

    #[test]
    fn what_is_not_known_is_noted_and_nobody_is_asked() {
        let mut book = Book::default();
        let known = Known::new(&book);
        let text: Option<Txt> = known.get("b.example");
        assert!(matches!(
            text,
            Some(Txt::Error(Error::Dns(DnsError::Resolver(_))))
        ));
        let hosts: Option<RecordSet<MX>> = known.get("b.example");
        assert!(hosts.is_some_and(|hosts| hosts.rrset.is_empty()));
        assert_eq!(book.take_missed().len(), 2);
    }
}
