//! One connection: moves octets both ways and keeps time. It knows no SMTP verbs; see `wire` for what the octets are.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::AsyncWrite as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConnection;
use tokio_util::either::Either;
use tokio_util::io::poll_read_buf;

use super::trace::Trace;
use super::wire::{Lost, Wire};
use crate::mail::Reply;

/// Plain, or protected.
pub(super) type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Octets read at once.
const READ_SIZE: usize = 4 * 1_024;

/// One connection to a server.
#[derive(Debug)]
pub(super) struct Link {
    stream: Stream,
    pub(super) wire: Wire,
    /// TLS may hold octets back until it is told that nothing follows.
    needs_flush: bool,
    /// Nothing leaves any more, for this reason. The server may still have something to say.
    broken: Option<Lost>,
}

impl Link {
    pub(super) fn new(stream: Stream, trace: Option<Trace>) -> Self {
        Self {
            stream,
            wire: Wire::new(trace),
            needs_flush: false,
            broken: None,
        }
    }

    /// What is known of the protection, once there is one.
    pub(super) fn protection(&self) -> Option<&ClientConnection> {
        match &self.stream {
            Either::Left(_) => None,
            Either::Right(stream) => Some(stream.get_ref().1),
        }
    }

    /// Gives the stream back for a TLS handshake.
    pub(super) fn into_stream(self) -> (Stream, Option<Trace>) {
        (self.stream, self.wire.into_trace())
    }

    /// Sends what waits and hears what comes, until either got on. Nothing is lost when it is dropped halfway.
    pub(super) async fn exchange(&mut self) -> Result<(), Lost> {
        poll_fn(|cx| self.poll_exchange(cx)).await
    }

    fn poll_exchange(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        let has_sent = self.poll_send(cx);
        self.wire.incoming().reserve(READ_SIZE);
        match poll_read_buf(Pin::new(&mut self.stream), cx, self.wire.incoming()) {
            Poll::Ready(Ok(0)) => {
                Poll::Ready(Err(self.why_lost("the server closed the connection".to_owned())))
            }
            Poll::Ready(Ok(_)) => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.why_lost(interrupted(&error)))),
            Poll::Pending if has_sent => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// The first thing that went wrong.
    fn why_lost(&mut self, now: String) -> Lost {
        self.broken.take().unwrap_or(Lost(now))
    }

    /// Sends as much as the connection takes now; says whether anything left.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> bool {
        let mut has_sent = false;
        while self.broken.is_none() {
            let progress = if !self.wire.outgoing().is_empty() {
                Pin::new(&mut self.stream).poll_write(cx, self.wire.outgoing())
            } else if self.needs_flush {
                Pin::new(&mut self.stream).poll_flush(cx).map_ok(|()| 0)
            } else {
                break;
            };
            match progress {
                Poll::Ready(Ok(0)) if self.wire.outgoing().is_empty() => self.needs_flush = false,
                Poll::Ready(Ok(0)) => self.broken = Some(Lost(interrupted(&io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(count)) => {
                    self.wire.sent(count);
                    self.needs_flush = true;
                    has_sent = true;
                }
                Poll::Ready(Err(error)) => self.broken = Some(Lost(interrupted(&error))),
                Poll::Pending => break,
            }
        }
        has_sent
    }

    /// Acknowledges at once what has come. A server with Nagle's algorithm holds its next reply back until then, and
    /// we would wait 40 ms before saying so by ourselves.
    pub(super) fn acknowledge(&self) {
        #[cfg(target_os = "linux")]
        {
            let stream = match &self.stream {
                Either::Left(stream) => stream,
                Either::Right(stream) => stream.get_ref().0,
            };
            // It only makes things faster.
            let _hurried = rustix::net::sockopt::set_tcp_quickack(stream, true);
        }
    }

    /// Waits for one whole reply.
    pub(super) async fn reply(&mut self, within: Duration) -> Result<Reply, Lost> {
        self.wait_for(within, Wire::next_reply).await
    }

    /// Sends what waits, and waits until the wire has what is wanted.
    pub(super) async fn wait_for<T>(
        &mut self,
        within: Duration,
        mut take: impl FnMut(&mut Wire) -> Option<Result<T, Lost>>,
    ) -> Result<T, Lost> {
        let wanted = async {
            loop {
                if let Some(taken) = take(&mut self.wire) {
                    return taken;
                }
                self.exchange().await?;
            }
        };
        match timeout(within, wanted).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Err(no_answer(within)),
        }
    }

    /// Says a line and waits for the reply; the transcript shows `shown`.
    pub(super) async fn ask(&mut self, line: &str, shown: &str, within: Duration) -> Result<Reply, Lost> {
        self.wire.note(shown);
        self.wire.say(line.as_bytes());
        self.wire.say(b"\r\n");
        self.reply(within).await
    }

    /// Looks, without waiting, whether the server has hung up or said something on its own.
    pub(super) async fn is_quiet(&mut self) -> bool {
        if self.wire.has_input() {
            return false;
        }
        tokio::select! {
            biased;
            _heard = self.exchange() => false,
            () = std::future::ready(()) => true,
        }
    }

    /// Says goodbye and does not wait for long.
    pub(super) async fn close(mut self, goodbye: &str, within: Duration) {
        // What the server says to a goodbye changes nothing.
        let _said = self.ask(goodbye, goodbye, within).await;
    }
}

fn interrupted(error: &io::Error) -> String {
    format!("the connection was lost ({})", error.kind())
}

/// Nothing came in time.
pub(super) fn no_answer(within: Duration) -> Lost {
    Lost(format!("no answer within {} s", within.as_secs()))
}
