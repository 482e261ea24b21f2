//! Puts what comes back on record: which mail it is about, who is mailed no more.

use sha2::{Digest as _, Sha256};

use super::events::Event;
use super::{Action, Incoming, Kind, Returned};
use crate::campaign::limits::Limits;
use crate::ledger::{Ledger, NewFeedback, Received};
use crate::mail::token::hex;
use crate::mail::{Address, DeliveryTag, Feedback, UnsubscribeKeys};

/// Characters of a report that are kept.
const SAID_MAX: usize = 500;

/// Where what comes back is put.
#[derive(Debug)]
pub struct Recorder {
    /// The record.
    pub ledger: Ledger,
    /// Tells which tokens are ours.
    pub keys: Option<UnsubscribeKeys>,
    /// How much may come back.
    pub limits: Limits,
    /// Is nothing to be changed? Then it only says what would become of it.
    pub is_trial: bool,
}

impl Recorder {
    /// Takes in rows of mails; says what became of each.
    pub async fn receive(&self, rows: Vec<NewFeedback>) -> anyhow::Result<Vec<Received>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        self.ledger.receive(rows, self.limits, self.is_trial).await
    }

    /// What a mail puts on record: a row for each recipient that it is about, in their order.
    /// `digest` names the mail where it has no Message-ID, `source` is where it was found.
    pub fn rows(&self, incoming: &Incoming, (digest, source): (&str, &str), now_ms: i64) -> Vec<NewFeedback> {
        let verified = |tokens: &[String]| -> Vec<DeliveryTag> {
            let keys = self.keys.as_ref();
            tokens.iter().filter_map(|token| keys?.verify(token)).collect()
        };
        let own = verified(&incoming.tokens);
        // Who writes a token is the one whom it was given to, whatever their address is now.
        let names_itself = incoming.kind == Kind::Unsubscribe && !own.is_empty();
        let tags: Vec<DeliveryTag> = if names_itself {
            own
        } else {
            let ids = incoming.message_ids.iter();
            let of_mail = ids.filter_map(|id| DeliveryTag::of_message_id(id));
            let of_links = verified(&incoming.returned_tokens);
            own.into_iter().chain(of_links).chain(of_mail).collect()
        };
        let name = format!("mail {}", incoming.id.as_deref().unwrap_or(digest));
        // A delay and the failure after it may come under one name.
        let evidence = |about: Option<&Returned>| match about {
            Some(about) => format!("{name} {} {:?}", about.address.to_lowercase(), about.action),
            None => name.clone(),
        };
        let at_ms = incoming.date_ms.unwrap_or(now_ms).min(now_ms);
        let row = |about: Option<&Returned>| NewFeedback {
            class: about.and_then(|about| about.verdict).map(|verdict| verdict.class),
            tags: tags.clone(),
            is_one_of_several: incoming.about.len() > 1,
            address: about
                .filter(|_| !names_itself)
                .map(|about| Address::key_of(about.original.as_deref().unwrap_or(&about.address))),
            is_trusted: false,
            said: about.map(said).unwrap_or_default(),
            ..NewFeedback::new(Feedback::Bounce, evidence(about), source.to_owned(), at_ms)
        };
        let kind = match incoming.kind {
            Kind::Bounce => None,
            Kind::Complaint => Some(Feedback::Complaint),
            Kind::Unsubscribe => Some(Feedback::Unsubscribe),
            Kind::AutoReply | Kind::Other => return Vec::new(),
        };
        // Redacted complaints name nobody, but the mail.
        if incoming.about.is_empty() && !tags.is_empty() {
            let kind = kind.unwrap_or(Feedback::Bounce);
            return vec![NewFeedback { kind, ..row(None) }];
        }
        let about = incoming.about.iter().map(|about| NewFeedback {
            kind: kind.unwrap_or(match about.action {
                Action::Delivered => Feedback::Delivered,
                Action::Failed | Action::Delayed => Feedback::Bounce,
            }),
            severity: about
                .severity()
                .filter(|_| kind.is_none() && about.action == Action::Failed),
            ..row(Some(about))
        });
        about.collect()
    }
}

/// What events of a provider put on record, a row each, in their order.
pub fn of_events(events: &[Event], source: &str, now_ms: i64) -> Vec<NewFeedback> {
    let row = |event: &Event| {
        let key = Address::key_of(&event.address);
        let at_ms = event.at_ms.unwrap_or(now_ms).min(now_ms);
        let name = match (&event.id, event.at_ms) {
            (Some(id), _) => format!("{id} {key}"),
            (None, at) => {
                let parts = [
                    event.kind.name().to_owned(),
                    key.clone(),
                    event.message_id.clone().unwrap_or_default(),
                    at.map(|at| at.to_string()).unwrap_or_default(),
                    event.said.clone(),
                ];
                hex(&Sha256::digest(parts.join("\n")))
            }
        };
        let name = format!("event {} {name}", event.provider);
        NewFeedback {
            severity: event.severity,
            class: event.class,
            tags: event
                .message_id
                .as_deref()
                .and_then(DeliveryTag::of_message_id)
                .into_iter()
                .collect(),
            address: Some(key),
            said: event.said.chars().take(SAID_MAX).collect(),
            ..NewFeedback::new(event.kind, name, source.to_owned(), at_ms)
        }
    };
    events.iter().map(row).collect()
}

/// What was said of somebody, as the record keeps it.
fn said(about: &Returned) -> String {
    let reply = &about.reply;
    let text = if reply.code == 0 {
        let code = reply.enhanced.map(|code| format!("{code} ")).unwrap_or_default();
        format!("{code}{}", reply.text)
    } else {
        reply.to_string()
    };
    text.trim().chars().take(SAID_MAX).collect()
}
