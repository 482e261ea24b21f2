//! What passes over one connection, without the connection: octets that wait to leave, and replies that have come.
//!
//! Replies are framed here and not by a crate: a refusal must stay a refusal even when it is 10 kB long, ends its lines
//! with a bare LF, or separates its code with something odd. After the end of data, a reply that could not be read
//! would turn a plain refusal into a doubt.

use bytes::{Buf as _, Bytes, BytesMut};

use super::trace::Trace;
use crate::mail::Reply;

/// Octets of a reply at most; a server that sends more is not speaking SMTP.
const REPLY_MAX: usize = 256 * 1_024;

/// The link is gone, or what comes over it makes no sense, for this reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost(pub(super) String);

/// Both directions of one connection, and its transcript.
#[derive(Debug, Default)]
pub(super) struct Wire {
    outgoing: BytesMut,
    incoming: BytesMut,
    /// Octets of `incoming` that were looked at already: they hold no complete reply.
    seen: usize,
    /// Where the line that is being looked at begins.
    line: usize,
    /// Octets that have left since the connection opened.
    left: u64,
    trace: Option<Trace>,
}

impl Wire {
    pub(super) fn new(trace: Option<Trace>) -> Self {
        Self {
            trace,
            ..Self::default()
        }
    }

    /// The transcript, for the connection that goes on under TLS. What the server sent before it may be forged and is
    /// dropped.
    pub(super) fn into_trace(self) -> Option<Trace> {
        self.trace
    }

    /// Hands over octets to be sent.
    pub(super) fn say(&mut self, octets: &[u8]) {
        self.outgoing.extend_from_slice(octets);
    }

    /// Hands over a command to be sent, and notes it.
    pub(super) fn command(&mut self, parts: &[&str]) {
        if self.trace.is_some() {
            self.note(&parts.concat());
        }
        for part in parts {
            self.say(part.as_bytes());
        }
        self.say(b"\r\n");
    }

    /// Notes a line in the transcript, in words that may be shown.
    pub(super) fn note(&self, shown: &str) {
        if let Some(trace) = &self.trace {
            trace.sent(shown);
        }
    }

    /// Notes that a message of so many octets leaves, instead of showing it.
    pub(super) fn note_body(&self, octets: usize) {
        if self.trace.is_some() {
            self.note(&format!("(message of {octets} octets)"));
        }
    }

    /// Octets that were handed over since the connection opened.
    pub(super) fn said(&self) -> u64 {
        self.left + self.outgoing.len() as u64
    }

    /// How many of them have left. Those that the operating system or TLS took count: nobody knows how far they came.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// What waits to leave.
    pub(super) fn outgoing(&self) -> &[u8] {
        &self.outgoing
    }

    /// So many octets have left.
    pub(super) fn sent(&mut self, count: usize) {
        self.outgoing.advance(count);
        self.left += count as u64;
    }

    /// What has come and was not read.
    pub(super) fn incoming(&mut self) -> &mut BytesMut {
        &mut self.incoming
    }

    /// Has the server said something that nobody has read?
    pub(super) fn has_input(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Takes the next reply, if one has come whole.
    pub(super) fn next_reply(&mut self) -> Option<Result<Reply, Lost>> {
        let frame = match self.next_frame()? {
            Ok(frame) => frame,
            Err(lost) => return Some(Err(lost)),
        };
        Some(Reply::from_lines(lines(&frame)).ok_or_else(|| {
            let shown = lines(&frame).next().unwrap_or_default();
            let shown = String::from_utf8_lossy(shown);
            Lost(format!(
                "the server answered `{}`, which is not SMTP",
                cut(&shown)
            ))
        }))
    }

    /// Takes the octets of the next reply, if it has come whole.
    pub(super) fn next_frame(&mut self) -> Option<Result<Bytes, Lost>> {
        while let Some(at) = memchr::memchr(b'\n', self.incoming.get(self.seen..).unwrap_or_default()) {
            let end = self.seen + at + 1;
            let is_last = self
                .incoming
                .get(self.line..end)
                .is_none_or(|line| line.get(3) != Some(&b'-'));
            (self.seen, self.line) = (end, end);
            if is_last {
                (self.seen, self.line) = (0, 0);
                let frame = self.incoming.split_to(end).freeze();
                if let Some(trace) = &self.trace {
                    lines(&frame).for_each(|line| trace.received(line));
                }
                return Some(Ok(frame));
            }
        }
        self.seen = self.incoming.len();
        (self.seen > REPLY_MAX).then(|| Err(Lost("the server's answer has no end".to_owned())))
    }
}

/// The lines of a reply, without their line ends.
pub(super) fn lines(frame: &[u8]) -> impl Iterator<Item = &[u8]> {
    frame
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn codes(wire: &mut Wire) -> Vec<u16> {
        std::iter::from_fn(|| wire.next_reply())
            .map(|reply| reply.map_or(0, |reply| reply.code))
            .collect()
    }

    #[test]
    fn what_is_no_reply_is_lost_and_shown() {
        let mut wire = Wire::default();
        wire.incoming().extend_from_slice(b"HTTP/1.1 400\r\n");
        let lost = wire.next_reply().unwrap().unwrap_err();
        assert!(lost.0.contains("`HTTP/1.1 400`"), "{}", lost.0);
    }

    #[test]
    fn a_reply_without_an_end_is_lost() {
        let mut wire = Wire::default();
        for _ in 0..REPLY_MAX / 16 {
            assert!(wire.next_reply().is_none());
            wire.incoming().extend_from_slice(b"250-is this it?\n");
        }
        wire.incoming().extend_from_slice(b"250-");
        assert!(wire.next_reply().unwrap().is_err());
    }

    #[test]
    fn what_left_is_counted_octet_by_octet() {
        let mut wire = Wire::default();
        wire.command(&["RCPT TO:<", "li@example.com", ">"]);
        assert_eq!((wire.said(), wire.left()), (26, 0));
        wire.sent(20);
        assert_eq!((wire.said(), wire.left()), (26, 20));
        assert_eq!(wire.outgoing(), b"com>\r\n");
    }

    proptest! {
        #[test]
        fn replies_are_the_same_in_any_packet_boundary(
            replies in prop::collection::vec(("[2-5][0-9][0-9]", 0_usize..4, "[ -~]{0,20}", any::<bool>()), 1..12),
            cuts in prop::collection::vec(1_usize..9, 1..40),
        ) {
            let mut all = Vec::new();
            for (code, more, text, is_bare) in &replies {
                let end = if *is_bare { "\n" } else { "\r\n" };
                for _ in 0..*more {
                    all.extend(format!("{code}-{text}{end}").into_bytes());
                }
                all.extend(format!("{code} {text}{end}").into_bytes());
            }
            let mut wire = Wire::default();
            let mut heard = Vec::new();
            let mut cuts = cuts.iter().cycle();
            let mut rest = all.as_slice();
            while !rest.is_empty() {
                let (piece, after) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                wire.incoming().extend_from_slice(piece);
                heard.extend(codes(&mut wire));
                rest = after;
            }
            let expected: Vec<u16> = replies.iter().map(|(code, ..)| code.parse().unwrap()).collect();
            prop_assert_eq!(heard, expected);
        }
    }
}
