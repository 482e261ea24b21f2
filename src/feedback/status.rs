//! Reports on deliveries that are written for programs. Source: RFC 3464, and RFC 6533 for addresses beyond ASCII.

use super::fields::Fields;
use super::prose::addresses;
use super::{Action, Returned};
use crate::mail::{Enhanced, Reply};
use crate::replies::pasted;

/// What the blocks of a report say of each recipient.
pub(super) fn recipients(blocks: &[Fields]) -> Vec<Returned> {
    let about = blocks.iter().filter(|block| {
        block.has("final-recipient") || block.has("original-recipient") || block.has("action")
    });
    let mut all: Vec<Returned> = Vec::new();
    for returned in about.filter_map(recipient).take(200) {
        // Some servers name a recipient for each address that leads there.
        if all.iter().all(|known| known.address != returned.address) {
            all.push(returned);
        }
    }
    all
}

fn recipient(block: &Fields) -> Option<Returned> {
    let named = |name: &str| block.all(name).find_map(address);
    let fields = ["final-recipient", "x-actual-recipient", "original-recipient"];
    let as_written = || block.all("final-recipient").find_map(as_written);
    let address = fields.into_iter().find_map(named).or_else(as_written)?;
    let original = named("original-recipient").filter(|original| *original != address);
    let action = block.get("action").map_or(Action::Failed, Action::parse);
    let status = block.get("status").and_then(enhanced);
    let diagnoses = block
        .all("diagnostic-code")
        .map(|diagnosis| pasted(without_type(diagnosis)));
    let (mut reply, stage) = diagnoses.max_by_key(|(reply, _)| reply.code > 0).unwrap_or((
        Reply {
            code: 0,
            enhanced: None,
            text: String::new(),
        },
        None,
    ));
    reply.enhanced = reply.enhanced.or(status);
    Some(Returned {
        original,
        action,
        reply,
        stage,
        ..Returned::named(address)
    })
}

/// The address of `rfc822; li@example.com`, without what stands around it and the route before it.
fn address(value: &str) -> Option<String> {
    let value = value.split_once(';').map_or(value, |(_kind, address)| address);
    addresses(value).last()
}

/// What is no address, but the name of one: machines have aliases without a domain.
fn as_written(value: &str) -> Option<String> {
    let value = value.split_once(';').map_or(value, |(_kind, address)| address);
    let word = value.split_whitespace().next()?.trim_matches(['<', '>']);
    (word.find('@') > Some(0)).then(|| word.to_owned())
}

/// `smtp; 550 …` without its type.
fn without_type(diagnosis: &str) -> &str {
    match diagnosis.split_once(';') {
        Some((kind, text))
            if kind
                .trim()
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') =>
        {
            text.trim()
        }
        _ => diagnosis.trim(),
    }
}

/// The code of `5.1.1 (bad mailbox)`.
fn enhanced(value: &str) -> Option<Enhanced> {
    let first = value.split(|c: char| c.is_whitespace() || c == '(').next()?;
    Enhanced::parse(first)
}

impl Action {
    /// Reads the field `Action`. Source: RFC 3464, 2.3.3.
    fn parse(value: &str) -> Self {
        let word = value
            .split(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or_default();
        match word.to_ascii_lowercase().as_str() {
            "delayed" => Self::Delayed,
            "delivered" | "relayed" | "expanded" => Self::Delivered,
            _ => Self::Failed,
        }
    }
}
