//! Content becomes bytes: an RFC 5322 message with CRLF line ends, the same bytes for the same input.
//!
//! Message-ID, Date and boundaries are passed in or derived, so that a mail can be composed again later and compared
//! with the digest in the ledger.

mod headers;
mod footer;

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use crate::campaign::Campaign;
use crate::mail::{Address, Content, DeliveryTag, Envelope, Message, UnsubscribeKey};

pub use footer::{Footer, FooterMissing};

/// What is the same in every mail of a campaign, prepared once.
#[derive(Clone, Debug)]
pub struct Composer {
    sender: Address,
    from: String,
    reply_to: Option<String>,
    list_id: String,
    feedback_id: String,
    unsubscribe_url: Option<String>,
    unsubscribe_mailto: Option<Address>,
    key: UnsubscribeKey,
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

impl Composer {
    /// Prepares the headers that all mails of this campaign share.
    pub fn new(campaign: &Campaign, key: UnsubscribeKey) -> Self {
        let unsubscribe = &campaign.unsubscribe;
        Self {
            sender: campaign.from.address.clone(),
            from: headers::mailbox("From", campaign.from.name.as_deref(), &campaign.from.address),
            reply_to: campaign
                .reply_to
                .as_ref()
                .map(|mailbox| headers::mailbox("Reply-To", mailbox.name.as_deref(), &mailbox.address)),
            list_id: headers::text("List-ID", &campaign.list_id),
            feedback_id: headers::feedback_id(&campaign.name, &campaign.account.name),
            unsubscribe_url: unsubscribe.url.clone(),
            unsubscribe_mailto: unsubscribe.mailto.clone(),
            key,
        }
    }

    /// The link by which this recipient leaves: https where there is one, else `mailto:`.
    pub fn unsubscribe_link(&self, tag: DeliveryTag) -> String {
        let token = self.key.sign(tag);
        self.unsubscribe_https(&token)
            .or_else(|| self.unsubscribe_mail(&token))
            .unwrap_or_default()
    }

    /// Makes the message. It is refused when the footer does not stand in both parts.
    pub fn compose(
        &self,
        to: &To<'_>,
        content: &Content,
        footer: &Footer<'_>,
        date: Timestamp,
    ) -> Result<Message, FooterMissing> {
        footer.check(content)?;
        let message_id = to.tag.message_id(self.sender.domain());
        let mut bytes = Vec::with_capacity(1_024 + (content.text.len() + content.html.len()) * 3 / 2);
        let to_name = to.name.filter(|name| !name.trim().is_empty());
        let mut builder = MessageBuilder::new()
            .header("From", Raw::new(self.from.as_str()))
            .header("To", Raw::new(headers::mailbox("To", to_name, to.address)))
            .header("Subject", Raw::new(headers::text("Subject", &content.subject)))
            .header("Date", Raw::new(headers::date(date)))
            .header("Message-ID", Raw::new(format!("<{message_id}>")));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.header("Reply-To", Raw::new(reply_to.as_str()));
        }
        let token = self.key.sign(to.tag);
        builder = builder.header("List-Unsubscribe", Raw::new(self.list_unsubscribe(&token)));
        if self.unsubscribe_url.is_some() {
            // The exact text of RFC 8058, 3.1: it promises that a POST to the link unsubscribes at once.
            builder = builder.header("List-Unsubscribe-Post", Raw::new("List-Unsubscribe=One-Click"));
        }
        builder
            .header("List-ID", Raw::new(self.list_id.as_str()))
            .header("Feedback-ID", Raw::new(self.feedback_id.as_str()))
            .header("Precedence", Raw::new("bulk"))
            .body(alternative(to.tag, content))
            .serialize(&mut bytes);
        let envelope = Envelope {
            from: self.sender.clone(),
            to: to.address.clone(),
        };
        Ok(Message {
            envelope,
            message_id,
            bytes,
        })
    }

    fn unsubscribe_https(&self, token: &str) -> Option<String> {
        self.unsubscribe_url
            .as_ref()
            .map(|url| format!("{url}/u/{token}"))
    }

    fn unsubscribe_mail(&self, token: &str) -> Option<String> {
        self.unsubscribe_mailto
            .as_ref()
            .map(|address| format!("mailto:{address}?subject=unsubscribe-{token}"))
    }

    /// The https link first: the order says which one is preferred. Source: RFC 2369, 3.
    fn list_unsubscribe(&self, token: &str) -> String {
        let links = [self.unsubscribe_https(token), self.unsubscribe_mail(token)];
        links
            .into_iter()
            .flatten()
            .map(|link| format!("<{link}>"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Text first, HTML last: readers show the last part they can. Source: RFC 2046, 5.1.4.
fn alternative<'a>(tag: DeliveryTag, content: &Content) -> MimePart<'a> {
    // `=_` cannot occur in Base64, so that the boundary cannot occur in a part.
    let boundary = format!("=_{}", tag.hex());
    let kind = ContentType::new("multipart/alternative").attribute("boundary", boundary);
    MimePart::new(
        kind,
        BodyPart::Multipart(vec![
            part("text/plain", &content.text),
            part("text/html", &content.html),
        ]),
    )
}

fn part<'a>(kind: &'a str, text: &str) -> MimePart<'a> {
    let canonical = with_crlf(text);
    let mut encoded = Vec::with_capacity(canonical.len() * 3 / 2);
    encodify::base64::MIME.encode_append(canonical.as_bytes(), &mut encoded);
    MimePart::new(
        ContentType::new(kind).attribute("charset", "utf-8"),
        BodyPart::Binary(encoded.into()),
    )
    .transfer_encoding("base64")
}

/// Text in its canonical form: every line ends with CRLF. Source: RFC 2045, 4.
fn with_crlf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32 + 2);
    let lines = text.trim_end_matches(['\r', '\n']).split('\n');
    for line in lines {
        // A lone CR is no line end anywhere; some servers refuse it.
        out.extend(line.trim_end_matches('\r').split('\r'));
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests;
