//! One connection: bytes out, replies in. It frames replies and keeps time; it knows no SMTP verbs.
//!
//! Replies are framed here and not by a crate: a refusal must stay a refusal even when it is 10 kB long, ends its lines
//! with a bare LF, or separates its code with something odd. After the end of data, a reply that could not be read
//! would turn a plain refusal into a doubt.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::trace::Trace;
use crate::mail::Reply;

/// Plain, or protected.
pub(super) type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Octets of a reply at most; a server that sends more is not speaking SMTP.
const REPLY_MAX: usize = 256 * 1_024;
/// Octets read at once.
const READ_SIZE: usize = 4 * 1_024;

/// The link is gone, for this reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost(pub(super) String);

/// A write that did not come to its end: how many octets had left at most.
#[derive(Debug)]
pub(super) struct CutShort {
    pub(super) written: usize,
    pub(super) lost: Lost,
}

/// One connection to a server.
#[derive(Debug)]
pub(super) struct Link {
    stream: Stream,
    input: Vec<u8>,
    lines: VecDeque<Vec<u8>>,
    trace: Option<Trace>,
}

impl Link {
    pub(super) fn new(stream: Stream, trace: Option<Trace>) -> Self {
        Self {
            stream,
            input: Vec::new(),
            lines: VecDeque::new(),
            trace,
        }
    }

    /// Gives the stream back for a TLS handshake. Whatever the server sent before it is dropped: it may be forged.
    pub(super) fn into_stream(self) -> (Stream, Option<Trace>) {
        (self.stream, self.trace)
    }

    /// Has the server said something that nobody asked for?
    pub(super) fn has_input(&self) -> bool {
        !self.input.is_empty() || !self.lines.is_empty()
    }

    /// Notes a line in the transcript, in words that may be shown.
    pub(super) fn note(&self, shown: &str) {
        if let Some(trace) = &self.trace {
            trace.sent(shown);
        }
    }

    /// Writes everything within the time.
    pub(super) async fn write(&mut self, bytes: &[u8], within: Duration) -> Result<(), CutShort> {
        let mut written = 0;
        let all = async {
            while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
                match self.stream.write(rest).await? {
                    0 => return Err(io::ErrorKind::WriteZero.into()),
                    count => written += count,
                }
            }
            self.stream.flush().await
        };
        let outcome = timeout(within, all).await;
        let lost = match outcome {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => Lost(format!("the connection was lost ({})", error.kind())),
            Err(_elapsed) => Lost(format!("the server took nothing for {} s", within.as_secs())),
        };
        Err(CutShort { written, lost })
    }

    /// Reads one whole reply within the time.
    pub(super) async fn reply(&mut self, within: Duration) -> Result<Reply, Lost> {
        let lines = self.reply_lines(within).await?;
        let shown = lines
            .first()
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .unwrap_or_default();
        Reply::from_lines(lines.iter().map(Vec::as_slice)).ok_or_else(|| {
            Lost(format!(
                "the server answered `{}`, which is not SMTP",
                cut(&shown)
            ))
        })
    }

    /// Reads the lines of one whole reply within the time, without their line ends.
    pub(super) async fn reply_lines(&mut self, within: Duration) -> Result<Vec<Vec<u8>>, Lost> {
        match timeout(within, self.read_lines()).await {
            Ok(lines) => lines,
            Err(_elapsed) => Err(Lost(format!("no answer within {} s", within.as_secs()))),
        }
    }

    async fn read_lines(&mut self) -> Result<Vec<Vec<u8>>, Lost> {
        let mut size = 0;
        let mut reply = Vec::new();
        loop {
            while let Some(line) = self.lines.pop_front() {
                size += line.len();
                if let Some(trace) = &self.trace {
                    trace.received(&line);
                }
                let is_last = line.get(3) != Some(&b'-');
                reply.push(line);
                if is_last {
                    return Ok(reply);
                }
            }
            if size + self.input.len() > REPLY_MAX {
                return Err(Lost("the server's answer has no end".to_owned()));
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), Lost> {
        let mut chunk = [0; READ_SIZE];
        match self.stream.read(&mut chunk).await {
            Ok(0) => Err(Lost("the server closed the connection".to_owned())),
            Ok(count) => {
                for byte in chunk.iter().take(count) {
                    self.take(*byte);
                }
                Ok(())
            }
            Err(error) => Err(Lost(format!("the connection was lost ({})", error.kind()))),
        }
    }

    fn take(&mut self, byte: u8) {
        if byte != b'\n' {
            self.input.push(byte);
            return;
        }
        let mut line = std::mem::take(&mut self.input);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        self.lines.push_back(line);
    }

    /// Looks, without waiting, whether the server has hung up or said something on its own.
    pub(super) async fn is_quiet(&mut self) -> bool {
        if self.has_input() {
            return false;
        }
        tokio::select! {
            biased;
            _heard = self.fill() => false,
            () = std::future::ready(()) => true,
        }
    }

    /// Says goodbye and does not wait for long.
    pub(super) async fn close(mut self, goodbye: &[u8], within: Duration) {
        if self.write(goodbye, within).await.is_ok() {
            // What the server says to a goodbye changes nothing.
            let _said = self.reply(within).await;
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}
