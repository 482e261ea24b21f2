//! The one part that asks the DNS: a datagram, again when it is lost, and TCP when the answer does not fit.
//! Source: RFC 1035, 4.2; RFC 7766; RFC 6891.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use hickory_proto::rr::{Name as WireName, RData, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Answer, Data, Kind, Name, NoAnswer, Question, Record, Resolver, Whom};

/// How long one try may take.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Datagrams sent for a question at most.
const TRIES: usize = 2;
/// Resolvers asked until one answers, where anyone may answer.
const RESOLVERS_TRIED: usize = 3;
/// Questions under way at once.
const AT_ONCE: usize = 32;
/// Questions asked in all at most, whatever the records lead to.
const QUESTIONS_MAX: u32 = 3_000;
/// What we take in a datagram: fits everywhere without fragments. Source: DNS flag day 2020.
const DATAGRAM_MAX: u16 = 1_232;
/// The record type of old SPF records.
const TYPE_SPF: u16 = 99;

/// Asks resolvers and name servers.
#[derive(Debug)]
pub struct Asker {
    resolvers: Vec<Resolver>,
    /// Resolvers that did not answer; they are asked last.
    is_silent: Vec<AtomicBool>,
    room: Semaphore,
    asked: AtomicU32,
}

impl Asker {
    /// One that asks these.
    pub fn new(resolvers: Vec<Resolver>) -> Arc<Self> {
        Arc::new(Self {
            is_silent: resolvers.iter().map(|_| AtomicBool::new(false)).collect(),
            resolvers,
            room: Semaphore::new(AT_ONCE),
            asked: AtomicU32::new(0),
        })
    }

    /// Asks them all, as many at once as there is room for.
    pub async fn ask_all(
        self: &Arc<Self>,
        questions: Vec<Question>,
    ) -> Vec<(Question, Result<Answer, NoAnswer>)> {
        let mut asking = JoinSet::new();
        for question in questions {
            let asker = Arc::clone(self);
            asking.spawn(async move {
                let _room = asker.room.acquire().await;
                let answer = asker.ask(&question).await;
                (question, answer)
            });
        }
        asking.join_all().await
    }

    async fn ask(&self, question: &Question) -> Result<Answer, NoAnswer> {
        if self.asked.fetch_add(1, Ordering::Relaxed) >= QUESTIONS_MAX {
            return Err(NoAnswer::TooMany);
        }
        let (name, kind) = (&question.name, question.kind);
        match question.whom {
            Whom::Server(address) => exchange(address, name, kind, Manner::Authority).await,
            Whom::Resolver(number) => match self.resolvers.get(number) {
                Some(resolver) => exchange(resolver.address, name, kind, Manner::Recursion).await,
                None => Err(NoAnswer::Silent),
            },
            Whom::Anyone => self.ask_anyone(name, kind).await,
        }
    }

    async fn ask_anyone(&self, name: &Name, kind: Kind) -> Result<Answer, NoAnswer> {
        let mut order: Vec<_> = self.resolvers.iter().zip(&self.is_silent).collect();
        order.sort_by_key(|(_, is_silent)| is_silent.load(Ordering::Relaxed));
        let mut first = None;
        // Where all are silent, one is asked again: the network may be back.
        let is_hopeful = order
            .iter()
            .any(|(_, is_silent)| !is_silent.load(Ordering::Relaxed));
        let tried = if is_hopeful { RESOLVERS_TRIED } else { 1 };
        for (resolver, is_silent) in order.into_iter().take(tried) {
            match exchange(resolver.address, name, kind, Manner::Recursion).await {
                Ok(answer) => return Ok(answer),
                Err(why) => {
                    if matches!(why, NoAnswer::Silent | NoAnswer::Unreachable(_)) {
                        is_silent.store(true, Ordering::Relaxed);
                    }
                    first.get_or_insert(why);
                }
            }
        }
        Err(first.unwrap_or(NoAnswer::Silent))
    }
}

/// How a server is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It is to find the answer.
    Recursion,
    /// It is to say what it has itself.
    Authority,
}

/// Asks one server, in datagrams and then over TCP.
async fn exchange(server: SocketAddr, name: &Name, kind: Kind, manner: Manner) -> Result<Answer, NoAnswer> {
    let mut last = NoAnswer::Silent;
    let mut with_edns = true;
    for _ in 0..TRIES {
        let request = Request::new(name, kind, manner, with_edns)?;
        let reply = match timeout(TIMEOUT, by_datagram(server, &request)).await {
            // Perhaps a box on the way does not let EDNS through.
            Err(_elapsed) => {
                with_edns = false;
                continue;
            }
            Ok(Err(error)) => {
                last = NoAnswer::Unreachable(error.kind());
                continue;
            }
            Ok(Ok(reply)) => reply,
        };
        if is_cut(&reply) {
            let whole = timeout(TIMEOUT, over_tcp(server, &request)).await;
            let Ok(Ok(whole)) = whole else {
                return Err(NoAnswer::Cut);
            };
            return request.read(&whole).map(|answer| Answer {
                was_cut: true,
                ..answer
            });
        }
        match request.read(&reply) {
            // Old servers do not know EDNS. Source: RFC 6891, 7.
            Err(NoAnswer::Code(_)) if with_edns && is_format_error(&reply) => with_edns = false,
            read => return read,
        }
    }
    Err(last)
}

/// A question as it goes over the wire.
struct Request {
    id: u16,
    octets: Vec<u8>,
    query: Query,
}

impl Request {
    fn new(name: &Name, kind: Kind, manner: Manner, with_edns: bool) -> Result<Self, NoAnswer> {
        let full = format!("{}.", name.as_str());
        let wire = WireName::from_ascii(full).map_err(|_unusable| NoAnswer::Garbage)?;
        let query = Query::query(wire, record_type(kind));
        let mut message = Message::query();
        message.metadata.recursion_desired = manner == Manner::Recursion;
        message.add_query(query.clone());
        if with_edns {
            let mut edns = Edns::new();
            edns.set_max_payload(DATAGRAM_MAX).set_version(0);
            message.set_edns(edns);
        }
        let octets = message.to_vec().map_err(|_unusable| NoAnswer::Garbage)?;
        Ok(Self {
            id: message.metadata.id,
            octets,
            query,
        })
    }

    /// Is it an answer to this question at all, as far as its first octets tell?
    fn is_answered_by(&self, octets: &[u8]) -> bool {
        octets.len() >= 12 && octets.get(..2) == Some(self.id.to_be_bytes().as_slice())
    }

    fn read(&self, octets: &[u8]) -> Result<Answer, NoAnswer> {
        let message = Message::from_vec(octets).map_err(|_garbage| NoAnswer::Garbage)?;
        let is_ours = message
            .queries
            .iter()
            .any(|query| query.name() == self.query.name() && query.query_type() == self.query.query_type());
        match message.metadata.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain if !is_ours => Err(NoAnswer::Garbage),
            ResponseCode::NoError | ResponseCode::NXDomain => Ok(Answer {
                is_authoritative: message.metadata.authoritative,
                is_no_name: message.metadata.response_code == ResponseCode::NXDomain,
                was_cut: false,
                records: message.answers.iter().filter_map(record).collect(),
            }),
            other => Err(NoAnswer::Code(code(other))),
        }
    }
}

fn code(code: ResponseCode) -> String {
    match code {
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        other => other.to_string(),
    }
}

/// The flag TC. Source: RFC 1035, 4.1.1.
fn is_cut(octets: &[u8]) -> bool {
    octets.get(2).is_some_and(|flags| flags & 0x02 != 0)
}

/// The code FORMERR.
fn is_format_error(octets: &[u8]) -> bool {
    octets.get(3).is_some_and(|flags| flags & 0x0F == 1)
}

async fn by_datagram(server: SocketAddr, request: &Request) -> io::Result<Vec<u8>> {
    let any = if server.is_ipv4() {
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
    } else {
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))
    };
    // A port of its own for each question, connected, so that nobody else can answer.
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    socket.send(&request.octets).await?;
    let mut octets = vec![0; usize::from(u16::MAX)];
    loop {
        let count = socket.recv(&mut octets).await?;
        let reply = octets.get(..count).unwrap_or_default();
        if request.is_answered_by(reply) {
            return Ok(reply.to_vec());
        }
    }
}

async fn over_tcp(server: SocketAddr, request: &Request) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(request.octets.len()).map_err(io::Error::other)?;
    let framed = [length.to_be_bytes().as_slice(), &request.octets].concat();
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut octets = vec![0; usize::from(length)];
    stream.read_exact(&mut octets).await?;
    if request.is_answered_by(&octets) {
        Ok(octets)
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

fn record_type(kind: Kind) -> RecordType {
    match kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Mx => RecordType::MX,
        Kind::Txt => RecordType::TXT,
        Kind::Cname => RecordType::CNAME,
        Kind::Ns => RecordType::NS,
        Kind::Soa => RecordType::SOA,
        Kind::Ptr => RecordType::PTR,
        Kind::Spf => RecordType::from(TYPE_SPF),
    }
}

fn record(found: &hickory_proto::rr::Record) -> Option<Record> {
    let name = |name: &WireName| Name::of_wire(&name.to_ascii());
    let data = match &found.data {
        RData::A(ip) => Data::A(ip.0),
        RData::AAAA(ip) => Data::Aaaa(ip.0),
        RData::MX(mx) => Data::Mx {
            preference: mx.preference,
            exchange: name(&mx.exchange),
        },
        RData::TXT(txt) => Data::Txt(txt.txt_data.iter().map(|text| text.to_vec()).collect()),
        RData::CNAME(cname) => Data::Cname(name(&cname.0)),
        RData::NS(ns) => Data::Ns(name(&ns.0)),
        RData::SOA(soa) => Data::Soa(soa.serial),
        RData::PTR(ptr) => Data::Ptr(name(&ptr.0)),
        _ if u16::from(found.record_type()) == TYPE_SPF => Data::Spf,
        _ => return None,
    };
    Some(Record {
        name: name(&found.name),
        ttl: found.ttl,
        data,
    })
}
