//! Content becomes bytes: an RFC 5322 message with CRLF line ends, the same bytes for the same input.
//!
//! Message-ID, Date and boundaries are passed in or derived, so that a mail can be composed again later and compared
//! with the digest in the ledger.

mod attachment;
mod headers;
mod footer;
mod lines;
mod shelf;
mod special;

use jiff::Timestamp;
use mail_builder::headers::Header as _;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use memchr::memmem::Finder;

use crate::campaign::{Campaign, Unsubscribe};
use crate::dkim::{Signer, Unsigned};
use crate::mail::{Address, Content, DeliveryTag, Envelope, Message, UnsubscribeKey};

pub use attachment::{Attachment, is_blocked};
pub use footer::{Footer, FooterMissing, Postal};
pub use shelf::{Shelf, volume, volumes};

/// What is the same in every mail of a campaign, prepared once.
#[derive(Clone, Debug)]
pub struct Composer {
    sender: Address,
    fixed: Fixed,
    unsubscribe: Unsubscribe,
    /// How all links begin.
    link_start: Finder<'static>,
    key: UnsubscribeKey,
    signers: Vec<Signer>,
    /// Octets of all signatures of a mail, more or less: receivers' limits are further off than that.
    signatures_size: usize,
}

/// Headers that all mails share, written out; their own stand between them.
#[derive(Clone, Debug, Default)]
struct Fixed {
    /// Before `To`.
    first: Vec<u8>,
    /// Before `List-Unsubscribe`.
    middle: Vec<u8>,
    /// Before the boundary.
    last: Vec<u8>,
    /// The headers of the text part, and of the HTML part.
    parts: [Vec<u8>; 2],
}

/// To whom one mail goes, and under which name it is on record.
#[derive(Clone, Debug)]
pub struct To<'a> {
    /// The recipient's address.
    pub address: &'a Address,
    /// The name to be shown, if the list has one.
    pub name: Option<&'a str>,
    /// Names the delivery: Message-ID and unsubscribe token derive from it.
    pub tag: DeliveryTag,
}

/// What one mail says.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// What templates made.
    pub content: &'a Content,
    /// What must stand in it.
    pub footer: &'a Footer<'a>,
    /// The files that go with it.
    pub files: &'a [Attachment],
}

/// The ways by which one recipient leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    https: Option<String>,
    mail: Option<String>,
}

impl Links {
    /// The link to be shown: https where there is one, else `mailto:`.
    pub fn preferred(&self) -> &str {
        self.https.as_deref().or(self.mail.as_deref()).unwrap_or_default()
    }

    /// The https link first: the order says which one is preferred. Source: RFC 2369, 3.
    fn list_unsubscribe(&self) -> String {
        match (&self.https, &self.mail) {
            (Some(https), Some(mail)) => format!("<{https}>, <{mail}>"),
            (Some(only), None) | (None, Some(only)) => format!("<{only}>"),
            (None, None) => String::new(),
        }
    }
}

fn links_of(unsubscribe: &Unsubscribe, token: &str) -> Links {
    let https = unsubscribe.url.as_ref();
    let mail = unsubscribe.mailto.as_ref();
    Links {
        https: https.map(|url| format!("{url}/u/{token}")),
        mail: mail.map(|address| format!("mailto:{address}?subject=unsubscribe-{token}")),
    }
}

impl Composer {
    /// Prepares the headers that all mails of this campaign share.
    pub fn new(campaign: &Campaign, key: UnsubscribeKey) -> Self {
        let unsubscribe = &campaign.unsubscribe;
        let from = headers::mailbox("From", campaign.from.name.as_deref(), &campaign.from.address);
        let reply_to = campaign
            .reply_to
            .as_ref()
            .map(|mailbox| headers::mailbox("Reply-To", mailbox.name.as_deref(), &mailbox.address));
        let is_one_click = unsubscribe.url.is_some();
        let list_id = headers::text("List-ID", &campaign.list_id);
        let feedback_id = headers::feedback_id(&campaign.name, &campaign.account.name);
        let mut fixed = Fixed::new(&from, reply_to.as_deref(), is_one_click, &list_id, &feedback_id);
        for (name, value) in special::headers(campaign) {
            header(&mut fixed.last, name, &value);
        }
        Self {
            sender: campaign.from.address.clone(),
            fixed,
            link_start: Finder::new(links_of(unsubscribe, "").preferred()).into_owned(),
            unsubscribe: unsubscribe.clone(),
            key,
            signers: Vec::new(),
            signatures_size: 0,
        }
    }

    /// The same with mails that are signed. Each key signs once, so that none fails later.
    pub fn signed_by(self, signers: Vec<Signer>) -> Result<Self, Unsigned> {
        let mut sample = Vec::new();
        for part in [&self.fixed.first, &self.fixed.middle, &self.fixed.last] {
            sample.extend_from_slice(part);
        }
        for name in [
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "List-Unsubscribe",
            "Content-Type",
        ] {
            header(&mut sample, name, "-");
        }
        sample.extend_from_slice(b"\r\n");
        let composer = Self { signers, ..self };
        let signatures_size = composer.signatures(&sample, Timestamp::MAX)?.len();
        Ok(Self {
            signatures_size,
            ..composer
        })
    }

    /// Octets that the signatures add to a mail that is not signed yet, more or less.
    pub fn signatures_size(&self) -> usize {
        self.signatures_size
    }

    /// Signs a mail. It is dated by its own Date, so that the same mail is signed alike.
    pub fn sign(&self, message: &mut Message, date: Timestamp) -> Result<(), Unsigned> {
        if self.signers.is_empty() {
            return Ok(());
        }
        let signatures = self.signatures(&message.bytes, date)?;
        drop(message.bytes.splice(0..0, signatures));
        Ok(())
    }

    fn signatures(&self, mail: &[u8], date: Timestamp) -> Result<Vec<u8>, Unsigned> {
        let at_secs = u64::try_from(date.as_second()).unwrap_or_default();
        let mut all = Vec::new();
        for signer in &self.signers {
            all.extend(signer.sign(mail, at_secs)?);
        }
        Ok(all)
    }

    /// How this recipient leaves.
    pub fn links(&self, tag: DeliveryTag) -> Links {
        links_of(&self.unsubscribe, &self.key.sign(tag))
    }

    /// Makes the message, without signatures. It is refused when the footer does not stand in both parts.
    pub fn compose(&self, to: &To<'_>, body: &Body<'_>, date: Timestamp) -> Result<Message, FooterMissing> {
        let Body {
            content,
            footer,
            files,
        } = *body;
        let text = lines::canonical(&content.text);
        let html = lines::canonical(&content.html);
        footer.check(&self.link_start, &text, &html)?;
        let tag = to.tag.hex();
        let message_id = format!("{tag}@{}", self.sender.domain());
        let to_name = to.name.filter(|name| !name.trim().is_empty());
        let files_size: usize = files.iter().map(|file| file.part().len() + PART_SIZE).sum();
        let size =
            self.signatures_size + HEADERS_SIZE + encoded_size(&text) + encoded_size(&html) + files_size;
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(&self.fixed.first);
        header(&mut bytes, "To", &headers::mailbox("To", to_name, to.address));
        header(&mut bytes, "Subject", &headers::text("Subject", &content.subject));
        header(&mut bytes, "Date", &headers::date(date));
        header(&mut bytes, "Message-ID", &format!("<{message_id}>"));
        bytes.extend_from_slice(&self.fixed.middle);
        header(&mut bytes, "List-Unsubscribe", &footer.links.list_unsubscribe());
        bytes.extend_from_slice(&self.fixed.last);
        self.body(&mut bytes, &tag, [&text, &html], files);
        Ok(Message {
            envelope: Envelope {
                from: self.sender.clone(),
                to: to.address.clone(),
            },
            message_id,
            bytes,
        })
    }

    /// `mixed(alternative(text, related(html, images)), attachments)`, with as many of them as are needed.
    fn body(&self, bytes: &mut Vec<u8>, tag: &str, parts: [&str; 2], files: &[Attachment]) {
        let (shown, attached): (Vec<&Attachment>, Vec<&Attachment>) =
            files.iter().partition(|file| file.is_inline());
        if attached.is_empty() {
            return self.alternative(bytes, tag, parts, &shown);
        }
        let boundary = format!("=_m{tag}");
        content_type(
            bytes,
            &ContentType::new("multipart/mixed").attribute("boundary", boundary.as_str()),
        );
        delimiter(bytes, &boundary);
        self.alternative(bytes, tag, parts, &shown);
        for file in attached {
            delimiter(bytes, &boundary);
            bytes.extend_from_slice(file.part());
        }
        close_delimiter(bytes, &boundary);
    }

    /// Text first, HTML last: readers show the last part they can. Source: RFC 2046, 5.1.4.
    fn alternative(&self, bytes: &mut Vec<u8>, tag: &str, parts: [&str; 2], shown: &[&Attachment]) {
        // `=_` cannot occur in Base64, so that the boundary cannot occur in a part.
        let boundary = format!("=_{tag}");
        content_type(
            bytes,
            &ContentType::new("multipart/alternative").attribute("boundary", boundary.as_str()),
        );
        let [text, html] = parts;
        let [text_head, html_head] = &self.fixed.parts;
        delimiter(bytes, &boundary);
        bytes.extend_from_slice(text_head);
        encodify::base64::MIME.encode_append(text, bytes);
        delimiter(bytes, &boundary);
        if shown.is_empty() {
            bytes.extend_from_slice(html_head);
            encodify::base64::MIME.encode_append(html, bytes);
        } else {
            let inner = format!("=_r{tag}");
            let kind = ContentType::new("multipart/related")
                .attribute("type", "text/html")
                .attribute("boundary", inner.as_str());
            content_type(bytes, &kind);
            delimiter(bytes, &inner);
            bytes.extend_from_slice(html_head);
            encodify::base64::MIME.encode_append(html, bytes);
            for file in shown {
                delimiter(bytes, &inner);
                bytes.extend_from_slice(file.part());
            }
            close_delimiter(bytes, &inner);
        }
        close_delimiter(bytes, &boundary);
    }
}

/// Before a part. Source: RFC 2046, 5.1.1.
fn delimiter(bytes: &mut Vec<u8>, boundary: &str) {
    for piece in ["\r\n--", boundary, "\r\n"] {
        bytes.extend_from_slice(piece.as_bytes());
    }
}

/// After the last part.
fn close_delimiter(bytes: &mut Vec<u8>, boundary: &str) {
    for piece in ["\r\n--", boundary, "--\r\n"] {
        bytes.extend_from_slice(piece.as_bytes());
    }
}

impl Fixed {
    fn new(from: &str, reply_to: Option<&str>, is_one_click: bool, list_id: &str, feedback_id: &str) -> Self {
        let mut fixed = Self::default();
        header(&mut fixed.first, "From", from);
        if let Some(reply_to) = reply_to {
            header(&mut fixed.middle, "Reply-To", reply_to);
        }
        let last = &mut fixed.last;
        if is_one_click {
            // The exact text of RFC 8058, 3.1: it promises that a POST to the link unsubscribes at once.
            header(last, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
        }
        header(last, "List-ID", list_id);
        header(last, "Feedback-ID", feedback_id);
        header(last, "Precedence", "bulk");
        header(last, "MIME-Version", "1.0");
        for (part, kind) in fixed.parts.iter_mut().zip(["text/plain", "text/html"]) {
            content_type(part, &ContentType::new(kind).attribute("charset", "utf-8"));
            header(part, "Content-Transfer-Encoding", "base64");
            part.extend_from_slice(b"\r\n");
        }
        fixed
    }
}

/// Octets that all headers have, more or less.
const HEADERS_SIZE: usize = 2_048;
/// Octets around a part, more or less.
const PART_SIZE: usize = 128;

/// Octets of a text in Base64, in lines of 76.
fn encoded_size(text: &str) -> usize {
    encodify::base64::MIME.encoded_len(text.len())
}

/// Writes a header, folded where it is long.
fn header(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    Raw::new(value).write_header(bytes, name.len() + 2);
}

fn content_type(bytes: &mut Vec<u8>, kind: &ContentType<'_>) {
    const NAME: &[u8] = b"Content-Type: ";
    bytes.extend_from_slice(NAME);
    kind.write_header(bytes, NAME.len());
}

#[cfg(test)]
mod tests;
