//! DNS servers on a port of their own: hickory-server for zones that are legal, and a small responder for what no proper
//! server would load or say: a CNAME beside an MX, silence, garbage, answers that are cut off.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType, rdata};
use hickory_server::Server;
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime::Runtime;
use tokio_util::task::TaskTracker;

/// How a server behaves for a name, in place of a type in a line of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Odd {
    /// It does not answer.
    Silent,
    /// SERVFAIL.
    Fail,
    /// Octets that are no message.
    Garbage,
    /// The answer is cut off, and TCP has the whole.
    Cut,
    /// The answer is cut off, and TCP is closed.
    CutForGood,
    /// It answers another question.
    Lie,
}

/// A server. It ends when this is dropped.
pub(crate) struct Dns {
    pub(crate) address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    _runtime: Runtime,
}

/// What a responder has, and whether it speaks for it.
#[derive(Debug, Default)]
struct Zone {
    records: Vec<Record>,
    odd: Vec<(Name, Odd)>,
    is_authoritative: bool,
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{}.", text.trim_end_matches('.')))
        .unwrap()
        .to_lowercase()
}

impl Zone {
    /// Lines of `name ttl TYPE value`; `name 0 !SILENT` and the like make it behave oddly.
    fn parse(text: &str, is_authoritative: bool) -> Self {
        let mut zone = Self {
            is_authoritative,
            ..Self::default()
        };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            let owner = name(words[0]);
            let value = words.get(3).copied().unwrap_or_default();
            if let Some(odd) = odd(words[2]) {
                zone.odd.push((owner, odd));
            } else {
                let ttl = words[1].parse().unwrap();
                zone.records
                    .push(Record::from_rdata(owner, ttl, data(words[2], value)));
            }
        }
        zone
    }

    fn odd(&self, asked: &Name) -> Option<Odd> {
        self.odd
            .iter()
            .find(|(name, _)| name == asked)
            .map(|(_, odd)| *odd)
    }

    /// The answer to a question, with the records of names that stand for others.
    fn answer(&self, request: &Message) -> Message {
        let query = request.queries[0].clone();
        let mut answer = Message::response(request.metadata.id, request.metadata.op_code);
        answer.metadata.message_type = MessageType::Response;
        answer.metadata.authoritative = self.is_authoritative;
        answer.metadata.recursion_desired = request.metadata.recursion_desired;
        answer.metadata.recursion_available = !self.is_authoritative;
        let mut asked = query.name().to_lowercase();
        if self.odd(&asked) == Some(Odd::Fail) {
            answer.metadata.response_code = ResponseCode::ServFail;
        } else if !self.records.iter().any(|record| record.name == asked) {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        if self.odd(&asked) == Some(Odd::Lie) {
            answer.add_query(hickory_proto::op::Query::query(
                name("other.example"),
                query.query_type(),
            ));
        } else {
            answer.add_query(query.clone());
        }
        for _ in 0..8 {
            let at = self.records.iter().filter(|record| record.name == asked);
            let (found, others): (Vec<_>, Vec<_>) =
                at.partition(|record| record.record_type() == query.query_type());
            let next = others.iter().find_map(|record| match &record.data {
                RData::CNAME(next) => Some((next.0.clone(), (*record).clone())),
                _ => None,
            });
            if !found.is_empty() {
                answer.add_answers(found.into_iter().cloned());
                break;
            }
            let Some((next, record)) = next else { break };
            answer.add_answer(record);
            asked = next;
        }
        answer
    }

    /// What goes out in a datagram; none is silence.
    fn datagram(&self, request: &Message) -> Option<Vec<u8>> {
        let asked = request.queries[0].name().to_lowercase();
        let answer = self.answer(request);
        let octets = answer.to_vec().unwrap();
        match self.odd(&asked) {
            Some(Odd::Silent) => None,
            Some(Odd::Garbage) => Some([octets[..12].to_vec(), vec![0xFF; 9]].concat()),
            Some(Odd::Cut | Odd::CutForGood) => Some(answer.truncate().to_vec().unwrap()),
            _ if octets.len() > usize::from(request.max_payload()) => {
                Some(answer.truncate().to_vec().unwrap())
            }
            _ => Some(octets),
        }
    }
}

fn odd(word: &str) -> Option<Odd> {
    Some(match word {
        "!SILENT" => Odd::Silent,
        "!FAIL" => Odd::Fail,
        "!GARBAGE" => Odd::Garbage,
        "!CUT" => Odd::Cut,
        "!CUT-FOR-GOOD" => Odd::CutForGood,
        "!LIE" => Odd::Lie,
        _ => return None,
    })
}

fn data(kind: &str, value: &str) -> RData {
    match kind {
        "A" => RData::A(rdata::A(value.parse().unwrap())),
        "MX" => {
            let (preference, host) = value.split_once(' ').unwrap();
            let host = if host == "." { Name::root() } else { name(host) };
            RData::MX(rdata::MX::new(preference.parse().unwrap(), host))
        }
        // A string of a text has 255 octets at most.
        "TXT" => {
            let strings = value.as_bytes().chunks(255);
            RData::TXT(rdata::TXT::from_bytes(strings.collect()))
        }
        "CNAME" => RData::CNAME(rdata::CNAME(name(value))),
        "NS" => RData::NS(rdata::NS(name(value))),
        "PTR" => RData::PTR(rdata::PTR(name(value))),
        "SOA" => {
            let serial = value.parse().unwrap();
            RData::SOA(rdata::SOA::new(
                name("ns.test"),
                name("host.test"),
                serial,
                60,
                60,
                60,
                60,
            ))
        }
        other => panic!("no such kind: {other}"),
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

/// A port that both protocols have free, at this address.
async fn sockets(ip: &str) -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()).await {
            return (socket, listener);
        }
    }
    panic!("no port is free for both protocols");
}

/// The port of another server, at another address of this machine.
async fn sockets_beside(ip: &str, port: u16) -> (UdpSocket, TcpListener) {
    (
        UdpSocket::bind((ip, port)).await.unwrap(),
        TcpListener::bind((ip, port)).await.unwrap(),
    )
}

impl Dns {
    /// A server that speaks for everything in this zone.
    pub(crate) fn authority(zone: &str) -> Self {
        let runtime = runtime();
        let sockets = runtime.block_on(sockets("127.0.0.1"));
        Self::respond(zone, true, runtime, sockets)
    }

    /// A resolver that says this.
    pub(crate) fn resolver(zone: &str) -> Self {
        let runtime = runtime();
        let sockets = runtime.block_on(sockets("127.0.0.1"));
        Self::respond(zone, false, runtime, sockets)
    }

    /// A server that speaks for this zone at another address, on this port.
    pub(crate) fn authority_at(ip: &str, port: u16, zone: &str) -> Self {
        let runtime = runtime();
        let sockets = runtime.block_on(sockets_beside(ip, port));
        Self::respond(zone, true, runtime, sockets)
    }

    /// hickory-server with these zones, each under the name of its SOA.
    pub(crate) fn hickory(zone: &str) -> Self {
        let all = Zone::parse(zone, true).records;
        let origins = all
            .iter()
            .filter(|record| record.record_type() == RecordType::SOA);
        let origins: Vec<Name> = origins.map(|record| record.name.clone()).collect();
        let mut catalog = Catalog::new();
        for origin in origins {
            let mut handler: InMemoryZoneHandler =
                InMemoryZoneHandler::empty(origin.clone(), ZoneType::Primary, AxfrPolicy::Deny);
            for record in all.iter().filter(|record| origin.zone_of(&record.name)) {
                assert!(handler.upsert_mut(record.clone(), 1), "{record}");
            }
            catalog.upsert(origin.into(), vec![Arc::new(handler)]);
        }
        let runtime = runtime();
        let (socket, listener) = runtime.block_on(sockets("127.0.0.1"));
        let address = socket.local_addr().unwrap();
        let serve = async move {
            let mut server = Server::new(catalog);
            server.register_socket(socket);
            server.register_listener(listener, Duration::from_secs(5), 65_535);
            drop(server.block_until_done().await);
        };
        TaskTracker::new().spawn_on(serve, runtime.handle());
        Self {
            address,
            zone: Arc::default(),
            _runtime: runtime,
        }
    }

    fn respond(
        zone: &str,
        is_authoritative: bool,
        runtime: Runtime,
        sockets: (UdpSocket, TcpListener),
    ) -> Self {
        let (socket, listener) = sockets;
        let address = socket.local_addr().unwrap();
        let zone = Arc::new(Mutex::new(Zone::parse(zone, is_authoritative)));
        let tasks = TaskTracker::new();
        let known = Arc::clone(&zone);
        let datagrams = async move {
            let mut octets = vec![0; 65_535];
            while let Ok((count, from)) = socket.recv_from(&mut octets).await {
                let request = Message::from_vec(&octets[..count]).unwrap();
                let answer = known.lock().unwrap().datagram(&request);
                if let Some(answer) = answer {
                    socket.send_to(&answer, from).await.unwrap();
                }
            }
        };
        let known = Arc::clone(&zone);
        let streams = async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let Ok(length) = stream.read_u16().await else {
                    continue;
                };
                let mut octets = vec![0; usize::from(length)];
                stream.read_exact(&mut octets).await.unwrap();
                let request = Message::from_vec(&octets).unwrap();
                let asked = request.queries[0].name().to_lowercase();
                let answer = {
                    let zone = known.lock().unwrap();
                    (zone.odd(&asked) != Some(Odd::CutForGood))
                        .then(|| zone.answer(&request).to_vec().unwrap())
                };
                let Some(answer) = answer else { continue };
                let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                stream
                    .write_all(&[length.as_slice(), &answer].concat())
                    .await
                    .unwrap();
            }
        };
        tasks.spawn_on(datagrams, runtime.handle());
        tasks.spawn_on(streams, runtime.handle());
        Self {
            address,
            zone,
            _runtime: runtime,
        }
    }

    /// From now on it says this.
    pub(crate) fn change(&self, text: &str) {
        let mut zone = self.zone.lock().unwrap();
        *zone = Zone::parse(text, zone.is_authoritative);
    }

    /// As `--resolver` takes it.
    pub(crate) fn argument(&self) -> String {
        format!("--resolver={}", self.address)
    }

    /// As `--resolver` takes it, with a name.
    pub(crate) fn argument_as(&self, label: &str) -> String {
        format!("--resolver={label}={}", self.address)
    }
}
