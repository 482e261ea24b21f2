//! A mail taken apart: what it says to people, what it says to programs, and the mail that it brings back.

use std::borrow::Cow;

use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::fields::{Fields, split_quoted};
use crate::mail::reply::decoded;

/// Octets of text that are read at most; reports are short.
const TEXT_MAX: usize = 32 * 1024;

/// A mail taken apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Opened {
    /// Its headers.
    pub(super) headers: Fields,
    /// Its subject, decoded.
    pub(super) subject: String,
    /// Of `multipart/report`: which kind of report, in lower case.
    pub(super) report_type: Option<String>,
    /// What is written for people, without the mail that it brings back.
    pub(super) human: String,
    /// What is written for programs about deliveries: blocks, the first about the mail, one for each recipient after it.
    pub(super) status: Vec<Fields>,
    /// What is written for programs about a complaint.
    pub(super) complaint: Option<Fields>,
    /// The headers of the mail that it brings back.
    pub(super) returned: Fields,
    /// The mail that it brings back, if that is a report itself: a server in between has passed it on.
    report_within: Option<Box<Self>>,
}

impl Opened {
    /// Takes a mail apart. Whatever the octets are, something comes of it.
    pub(super) fn read(octets: &[u8]) -> Self {
        let octets = upright(octets);
        let mut opened = Self {
            headers: Fields::parse(&decoded(head(&octets))),
            ..Self::default()
        };
        let Some(mail) = MessageParser::default().parse(octets.as_ref()) else {
            opened.human = decoded(body(&octets)).into_owned();
            return opened;
        };
        mail.subject().unwrap_or_default().clone_into(&mut opened.subject);
        if opened.subject.contains(char::REPLACEMENT_CHARACTER) {
            let raw = opened.headers.get("subject");
            raw.unwrap_or_default().clone_into(&mut opened.subject);
        }
        let kind = mail
            .content_type()
            .filter(|kind| kind.subtype() == Some("report"));
        opened.report_type = kind
            .and_then(|kind| kind.attribute("report-type"))
            .map(str::to_ascii_lowercase);
        for (number, part) in mail.parts.iter().enumerate() {
            opened.take(part, number == 0, &mail);
        }
        // Parts that are not told from one another are a text all the same.
        if opened.human.trim().is_empty() && opened.status.is_empty() {
            opened.say(&decoded(body(&octets)));
        }
        opened.settle();
        opened
    }

    /// The report that this one has only passed on.
    pub(super) fn within(&self) -> Option<Self> {
        let within = self.report_within.as_deref()?;
        (self.status.is_empty() && self.complaint.is_none() && !within.status.is_empty())
            .then(|| within.clone())
    }

    fn take(&mut self, part: &MessagePart<'_>, is_root: bool, mail: &Message<'_>) {
        let kind = kind(part);
        let raw = |from: u32, to: u32| {
            mail.raw_message
                .get(from as usize..to as usize)
                .unwrap_or_default()
        };
        if !is_root {
            // Some write the headers of the mail where those of the part belong.
            let own = Fields::parse(&decoded(raw(part.offset_header, part.offset_body)));
            if own.is_mail() && own.has("from") && !matches!(part.body, PartType::Message(_)) {
                self.bring_back(own);
                return;
            }
        }
        match (kind.as_str(), &part.body) {
            (_, PartType::Multipart(_)) => {}
            (_, PartType::Message(message)) => {
                let octets = (!message.parts.is_empty()).then(|| message.raw_message());
                let octets = octets.unwrap_or_default();
                let headers = Fields::parse(&decoded(head(octets)));
                let is_report = headers
                    .get("content-type")
                    .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/report"));
                if is_report && octets.len() < mail.raw_message.len() {
                    self.report_within = Some(Box::new(Self::read(octets)));
                }
                self.bring_back(headers);
            }
            ("message/delivery-status" | "message/global-delivery-status", _) => {
                self.status.extend(Fields::blocks(&decoded(part.contents())));
            }
            ("message/feedback-report", _) => {
                let blocks = Fields::blocks(&decoded(part.contents()));
                self.complaint = self.complaint.take().or_else(|| blocks.into_iter().next());
            }
            (
                "text/rfc822-headers"
                | "text/rfc822"
                | "message/rfc822-headers"
                | "message/global-headers"
                | "message/rfc822"
                | "message/global",
                _,
            ) => self.bring_back(Fields::parse(&decoded(part.contents()))),
            (_, PartType::Text(text)) => {
                let is_told = part
                    .content_type()
                    .is_some_and(|kind| kind.has_attribute("charset"));
                let octets = raw(part.offset_body, part.offset_end);
                // Octets of which nobody says what they mean: Chinese servers write GB18030 so.
                if !is_told && part.encoding == Encoding::None && std::str::from_utf8(octets).is_err() {
                    self.say(&decoded(octets));
                } else {
                    self.say(text);
                }
            }
            (_, PartType::Html(html)) if self.human.trim().is_empty() => {
                let text = html2text::config::plain().string_from_read(html.as_bytes(), 1_000);
                self.say(&text.unwrap_or_default());
            }
            _ => {}
        }
    }

    fn bring_back(&mut self, headers: Fields) {
        if self.returned.is_empty() {
            self.returned = headers;
        }
    }

    fn say(&mut self, text: &str) {
        let left = TEXT_MAX.saturating_sub(self.human.len());
        let end = text.floor_char_boundary(left);
        if !self.human.is_empty() {
            self.human.push('\n');
        }
        self.human.push_str(text.get(..end).unwrap_or_default());
    }

    /// Looks into the text for what stands there in place of parts of their own.
    fn settle(&mut self) {
        self.human = self.human.replace("\r\n", "\n");
        let (human, quoted) = split_quoted(&self.human);
        let length = human.len();
        self.human.truncate(length);
        self.bring_back(quoted.unwrap_or_default());
        if self.status.is_empty() && self.human.to_ascii_lowercase().contains("\nfinal-recipient:") {
            self.status = Fields::blocks(&self.human);
            self.status.retain(|block| block.has("final-recipient"));
        }
    }
}

/// The content type in lower case, such as `text/plain`.
fn kind(part: &MessagePart<'_>) -> String {
    let Some(kind) = part.content_type() else {
        return String::new();
    };
    let subtype = kind.subtype().unwrap_or_default();
    format!("{}/{subtype}", kind.ctype()).to_ascii_lowercase()
}

/// A mail as it should be: some programs save it with CR alone at the end of lines; mailbox files put a line before it.
fn upright(octets: &[u8]) -> Cow<'_, [u8]> {
    let octets = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets);
    let octets = octets.trim_ascii_start();
    let octets = if octets.contains(&b'\n') {
        Cow::Borrowed(octets)
    } else {
        Cow::Owned(
            octets
                .iter()
                .map(|byte| if *byte == b'\r' { b'\n' } else { *byte })
                .collect(),
        )
    };
    if !octets.starts_with(b"From ") && !octets.starts_with(b">From ") {
        return octets;
    }
    let end = octets
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(octets.len(), |at| at + 1);
    match octets {
        Cow::Borrowed(octets) => Cow::Borrowed(octets.get(end..).unwrap_or_default()),
        Cow::Owned(octets) => Cow::Owned(octets.get(end..).unwrap_or_default().to_vec()),
    }
}

/// The headers of a mail.
fn head(octets: &[u8]) -> &[u8] {
    octets.get(..head_length(octets)).unwrap_or(octets)
}

/// What follows the headers.
fn body(octets: &[u8]) -> &[u8] {
    octets.get(head_length(octets)..).unwrap_or_default()
}

fn head_length(octets: &[u8]) -> usize {
    let mut at = 0;
    for line in octets.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            return at;
        }
        at += line.len();
    }
    at
}
