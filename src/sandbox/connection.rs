//! One connection: it reads, sends and waits, and leaves the thinking to the session.
//!
//! All replies to what arrived together leave in one write, as RFC 2920 asks of a server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{io, mem};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::error::Elapsed;
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::counts::Presence;
use super::session::{Next, Session};
use super::{Shared, Tls};

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

/// How long we listen to a client that has been told goodbye. Closing with unread bytes would reset the
/// connection, and the client might never see our last reply.
const LINGER: Duration = Duration::from_secs(1);

/// Serves one client until it leaves, a fault says so, or the server stops.
pub(super) async fn serve(
    tcp: TcpStream,
    peer: SocketAddr,
    server: Arc<Shared>,
    shutdown: CancellationToken,
) {
    let presence = Presence::enter(&server.tally);
    let mut connection = Connection {
        stream: Some(Stream::Plain(tcp)),
        inbox: Vec::new(),
        server: Arc::clone(&server),
        shutdown,
    };
    let mut session = Box::new(Session::new(server, peer));
    // An error means that the client is gone or talks no TLS. Both are its affair, and there is nobody to tell.
    if let Ok(End::Polite) = connection.run(&mut session, presence.place).await {
        let _gone: io::Result<()> = connection.linger().await;
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// How a connection ends.
enum End {
    /// The client was told, or has left.
    Polite,
    /// Without a word.
    Abrupt,
}

/// What waiting for the client came to.
enum Heard {
    Bytes,
    Farewell,
    Silence,
    Shutdown,
}

struct Connection {
    /// Empty only while STARTTLS changes it, and after that has failed.
    stream: Option<Stream>,
    /// Received and not yet used.
    inbox: Vec<u8>,
    server: Arc<Shared>,
    shutdown: CancellationToken,
}

impl Connection {
    async fn run(&mut self, session: &mut Session, place: u64) -> io::Result<End> {
        let mut next = session.greet(place);
        if self.server.config.tls == Tls::Implicit && next != Next::Drop {
            self.start_tls().await?;
            session.start_over_with_tls();
        }
        loop {
            match next {
                Next::GoOn => {}
                Next::Read => {
                    self.send(session).await?;
                    if let Some(end) = self.receive(session).await? {
                        return Ok(end);
                    }
                }
                Next::Keep => {
                    let (mail, number) = self.server.shelf.keep(mem::take(&mut session.mail)).await;
                    if let Some(delay) = session.reply_delay() {
                        self.send(session).await?;
                        self.pause(delay).await;
                    }
                    next = session.kept(mail, &number);
                    if next != Next::GoOn {
                        continue;
                    }
                }
                Next::StartTls => {
                    self.send(session).await?;
                    // What came in clear behind STARTTLS may be from somebody else (CVE-2011-0411).
                    self.inbox.clear();
                    self.start_tls().await?;
                    session.start_over_with_tls();
                }
                Next::Close => {
                    self.send(session).await?;
                    return Ok(End::Polite);
                }
                Next::Drop => {
                    self.send(session).await?;
                    self.server.tally.connection_dropped();
                    return Ok(End::Abrupt);
                }
            }
            let (used, then) = session.advance(&self.inbox);
            self.inbox.drain(..used);
            next = then;
        }
    }

    /// Sends the replies so far in one write.
    async fn send(&mut self, session: &mut Session) -> io::Result<()> {
        self.server.shelf.flush()?;
        if session.replies.is_empty() {
            return Ok(());
        }
        let delay = self.server.play.script.delay;
        if !delay.is_zero() {
            self.pause(delay).await;
        }
        let patience = self.server.config.idle_timeout;
        let shutdown = self.shutdown.clone();
        let give_up = async {
            let _either_way: Result<(), Elapsed> = timeout(patience, shutdown.cancelled()).await;
            sleep(LINGER).await;
        };
        let written = tokio::select! {
            biased;
            written = self.write(&session.replies) => written,
            () = give_up => Err(io::ErrorKind::TimedOut.into()),
        };
        session.replies.clear();
        written
    }

    async fn write(&mut self, replies: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Some(Stream::Plain(stream)) => stream.write_all(replies).await,
            Some(Stream::Tls(stream)) => {
                stream.write_all(replies).await?;
                stream.flush().await
            }
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Waits until the client has said something; an end if it will not.
    async fn receive(&mut self, session: &mut Session) -> io::Result<Option<End>> {
        let idle_timeout = self.server.config.idle_timeout;
        let idle_close = self
            .server
            .play
            .script
            .idle_close
            .filter(|_| session.is_between_mails());
        let patience = idle_close.map_or(idle_timeout, |close| close.min(idle_timeout));
        match self.listen(patience).await? {
            Heard::Bytes => return Ok(None),
            Heard::Farewell => {}
            Heard::Silence if idle_close == Some(patience) => {
                self.server.tally.connection_dropped();
                return Ok(Some(End::Abrupt));
            }
            Heard::Silence => session.say(421, "4.4.2", "nothing heard for too long"),
            Heard::Shutdown => session.say(421, "4.3.2", "the server is shutting down"),
        }
        self.send(session).await?;
        Ok(Some(End::Polite))
    }

    async fn listen(&mut self, patience: Duration) -> io::Result<Heard> {
        self.inbox.reserve(READ_BYTES);
        let read = async {
            match &mut self.stream {
                Some(Stream::Plain(stream)) => stream.read_buf(&mut self.inbox).await,
                Some(Stream::Tls(stream)) => stream.read_buf(&mut self.inbox).await,
                None => Ok(0),
            }
        };
        match self.shutdown.run_until_cancelled(timeout(patience, read)).await {
            None => Ok(Heard::Shutdown),
            Some(Err(_elapsed)) => Ok(Heard::Silence),
            Some(Ok(Ok(0))) => Ok(Heard::Farewell),
            Some(Ok(Ok(_))) => Ok(Heard::Bytes),
            Some(Ok(Err(error))) => Err(error),
        }
    }

    async fn start_tls(&mut self) -> io::Result<()> {
        let (Some(Stream::Plain(tcp)), Some(identity)) = (self.stream.take(), &self.server.identity) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let handshake = timeout(self.server.config.idle_timeout, identity.acceptor.accept(tcp));
        let stream = self
            .shutdown
            .run_until_cancelled(handshake)
            .await
            .ok_or(io::ErrorKind::Interrupted)???;
        self.stream = Some(Stream::Tls(Box::new(stream)));
        Ok(())
    }

    /// Waits, but not longer than the server lives.
    async fn pause(&self, duration: Duration) {
        let _cut_short: Option<()> = self.shutdown.run_until_cancelled(sleep(duration)).await;
    }

    /// Says that no more will come, then reads until the client has understood.
    async fn linger(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Some(Stream::Plain(stream)) => stream.shutdown().await?,
            Some(Stream::Tls(stream)) => stream.shutdown().await?,
            None => return Ok(()),
        }
        let wait_for_farewell = async {
            while let Ok(Heard::Bytes) = self.listen(LINGER).await {
                self.inbox.clear();
            }
        };
        Ok(timeout(LINGER, wait_for_farewell).await?)
    }
}
