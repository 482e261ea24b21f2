//! Connections: how many, how long, with TLS or without. None is held by somebody who says nothing.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::client::{Peer, is_among, network};
use super::{Event, Site, router};

/// Connections at a time; more wait to be accepted.
const CONNECTIONS_MAX: usize = 1_024;
/// Of these, from one client that is no proxy we trust.
const CONNECTIONS_OF_ONE: u32 = 64;
/// How long a client may take for the head of a request, and may be silent between two.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// How long a client may take to agree on TLS.
const TLS_MAX: Duration = Duration::from_secs(10);
/// How long requests may take that are under way when the server stops.
const GRACE: Duration = Duration::from_secs(10);
/// Octets of a request's head at most.
const HEAD_BYTES: usize = 16 * 1_024;
/// How often certificates are looked at, since they are replaced every few weeks.
const CERTIFICATE_AGAIN: Duration = Duration::from_mins(1);

/// A server that listens.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    tls: Option<Certificate>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Bound {
    /// Listens, and reads the certificate.
    pub async fn new(listen: SocketAddr, tls: Option<(PathBuf, PathBuf)>) -> anyhow::Result<Self> {
        let tls = tls
            .map(|(chain, key)| Certificate::open(chain, key))
            .transpose()?;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("listen on {listen}"))?;
        let address = listener.local_addr().context("ask for the address")?;
        Ok(Self {
            listener,
            tls,
            address,
        })
    }

    /// Is it https?
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

/// Serves until `stop` is cancelled; then requests that are under way are answered.
pub async fn serve(site: Arc<Site>, bound: Bound, stop: CancellationToken) -> io::Result<()> {
    let router = router(&site);
    let (tasks, room) = (TaskTracker::new(), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    let doors = Arc::new(Doors::default());
    let accept = async {
        loop {
            // It is never closed.
            let Ok(place) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            let (tcp, peer) = match bound.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Too many open files, or a client that left at once: the next may go well.
                    site.tell(Event::Trouble {
                        what: format!("accept a connection: {error}"),
                    });
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let is_proxy = is_among(&site.settings.trust_proxy, peer.ip());
            let Some(door) = Doors::enter(&doors, peer.ip(), is_proxy) else {
                continue;
            };
            let acceptor = bound.tls.as_ref().map(|tls| tls.acceptor(&site));
            let (router, stop) = (router.clone(), stop.clone());
            tasks.spawn(async move {
                let _held = (place, door);
                connection(tcp, peer, (acceptor, router), stop).await;
            });
        }
    };
    stop.run_until_cancelled(accept).await;
    tasks.close();
    tasks.wait().await;
    Ok(())
}

async fn connection(
    tcp: TcpStream,
    peer: SocketAddr,
    (acceptor, router): (Option<TlsAcceptor>, Router),
    stop: CancellationToken,
) {
    // A connection that is gone already fails below.
    let _set = tcp.set_nodelay(true);
    let Some(acceptor) = acceptor else {
        return speak(tcp, peer, router, stop).await;
    };
    if let Ok(Ok(tls)) = tokio::time::timeout(TLS_MAX, acceptor.accept(tcp)).await {
        speak(tls, peer, router, stop).await;
    }
}

async fn speak(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(io), service);
    let mut connection = pin!(connection);
    // Clients leave as they like: how it ended is nobody's business.
    if stop.run_until_cancelled(connection.as_mut()).await.is_none() {
        connection.as_mut().graceful_shutdown();
        let rest = poll_fn(|cx| connection.as_mut().poll(cx));
        let _ended = tokio::time::timeout(GRACE, rest).await;
    }
}

/// How many connections each client has.
#[derive(Default)]
struct Doors(Mutex<HashMap<IpAddr, u32>>);

/// A connection that is counted as long as this lives.
struct Door(Arc<Doors>, Option<IpAddr>);

impl Doors {
    /// Counts a connection; none when the client has too many.
    fn enter(doors: &Arc<Self>, peer: IpAddr, is_proxy: bool) -> Option<Door> {
        if is_proxy {
            return Some(Door(Arc::clone(doors), None));
        }
        let client = network(peer);
        let mut counts = doors.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(client).or_default();
        if *count >= CONNECTIONS_OF_ONE {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Door(Arc::clone(doors), Some(client)))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let Some(client) = self.1 else { return };
        let mut counts = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&client);
            }
        }
    }
}

/// Certificate and key, read again when they are replaced.
struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    held: Mutex<Held>,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certificate(…)")
    }
}

struct Held {
    acceptor: TlsAcceptor,
    written: [Option<SystemTime>; 2],
    looked_at: Instant,
}

impl Certificate {
    fn open(chain: PathBuf, key: PathBuf) -> anyhow::Result<Self> {
        let held = Held {
            acceptor: acceptor(&chain, &key)?,
            written: written(&chain, &key),
            looked_at: Instant::now(),
        };
        Ok(Self {
            chain,
            key,
            held: Mutex::new(held),
        })
    }

    fn acceptor(&self, site: &Site) -> TlsAcceptor {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.looked_at.elapsed() >= CERTIFICATE_AGAIN {
            held.looked_at = Instant::now();
            let written = written(&self.chain, &self.key);
            if written != held.written {
                match acceptor(&self.chain, &self.key) {
                    Ok(acceptor) => (held.acceptor, held.written) = (acceptor, written),
                    // Perhaps only one of the two has been written yet.
                    Err(error) => site.tell(Event::Trouble {
                        what: format!("{error:#}; the certificate before it stays in use"),
                    }),
                }
            }
        }
        held.acceptor.clone()
    }
}

fn written(chain: &Path, key: &Path) -> [Option<SystemTime>; 2] {
    [chain, key].map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
}

fn acceptor(chain: &Path, key: &Path) -> anyhow::Result<TlsAcceptor> {
    let read = || format!("read the certificate {}", chain.display());
    let certificates = CertificateDer::pem_file_iter(chain)
        .with_context(read)?
        .collect::<Result<Vec<_>, _>>()
        .with_context(read)?;
    let private = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("read the private key {}", key.display()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(certificates, private)
        })
        .with_context(|| format!("use the certificate {}", chain.display()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_doors() {
        let doors = Arc::new(Doors::default());
        let enter = |peer: &str, is_proxy| Doors::enter(&doors, peer.parse().unwrap(), is_proxy);
        let held: Vec<_> = (0..100).filter_map(|_| enter("203.0.113.7", false)).collect();
        assert_eq!(held.len(), 64);
        assert!(enter("203.0.113.8", false).is_some());
        assert!((0..100).all(|_| enter("203.0.113.7", true).is_some()));
        drop(held);
        assert!(enter("203.0.113.7", false).is_some());
        assert!(doors.0.lock().unwrap().is_empty());
    }
}
