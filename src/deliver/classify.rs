//! What a reply means: whose failure it is, and whether to try again. Stage first, then a few texts, then the code.
//!
//! The same code means different things at different stages: 550 to MAIL is about the sender, to RCPT about the
//! recipient. A refusal of the account must never mark mails as failed.

use crate::mail::{Enhanced, Fault, Outcome, Reply, Scope, Stage};

/// Texts that say that the account is meant, wherever they come. Lower case; sources: Alibaba's and Google's lists.
const ACCOUNT_TEXTS: [&str; 13] = [
    "relay access denied",
    "relaying denied",
    "relay not permitted",
    "unable to relay",
    "credentials for relay",
    "authentication required",
    "doesn't conform with authentication",
    "sending quota",
    "daily user sending",
    "too frequently sending",
    "isn't allowed to send",
    "main account unavailable",
    "is non-local account",
];

/// Texts by which a server says that a quota is spent, rather than that the account is not welcome. Lower case.
const QUOTA_TEXTS: [&str; 3] = ["quota", "too frequently", "daily user sending"];

/// Does a refusal of the account only mean that it has sent enough for now?
pub fn speaks_of_quota(fault: &Fault) -> bool {
    let text = fault.to_string().to_lowercase();
    QUOTA_TEXTS.iter().any(|known| text.contains(known))
}

/// What `reply`, which was not the wanted one, makes of the mail.
pub fn classify(stage: Stage, reply: Reply) -> Outcome {
    let (scope, is_transient) = verdict(stage, &reply);
    let fault = Fault {
        stage,
        scope,
        reply: Some(reply),
        note: String::new(),
    };
    if is_transient {
        Outcome::Deferred(fault)
    } else {
        Outcome::Refused(fault)
    }
}

fn verdict(stage: Stage, reply: &Reply) -> (Scope, bool) {
    let text = without_addresses(&reply.text.to_lowercase());
    if reply.code == 421 {
        return (Scope::Link, true);
    }
    // 5.1.z at RCPT is about this address, whatever else the text speaks of. Source: RFC 3463, 3.2.
    if stage == Stage::Rcpt && matches!(reply.enhanced, Some(Enhanced { subject: 1, .. })) {
        return (Scope::Recipient, reply.is_transient());
    }
    let is_about_account = matches!(reply.code, 530 | 534 | 535 | 538 | 436 | 440)
        || ACCOUNT_TEXTS.iter().any(|known| text.contains(known));
    if is_about_account {
        return (Scope::Account, reply.is_transient());
    }
    // 4.5.3: "too many recipients" or mails for this connection. Source: RFC 3463, 3.6.
    if matches!(
        reply.enhanced,
        Some(Enhanced {
            subject: 5,
            detail: 3,
            ..
        })
    ) || reply.enhanced == LINK_FULL
    {
        return (Scope::Link, true);
    }
    let scope = match stage {
        Stage::Connect | Stage::Hello => Scope::Link,
        Stage::Mail if reply.is_transient() => Scope::Recipient,
        Stage::Auth | Stage::Mail => Scope::Account,
        Stage::Rcpt => Scope::Recipient,
        Stage::EndOfData if is_about_recipient(reply.enhanced) => Scope::Recipient,
        Stage::Data | Stage::EndOfData => Scope::Message,
    };
    (scope, reply.is_transient())
}

/// Servers repeat the recipient's address in their replies; its words say nothing about the failure.
fn without_addresses(text: &str) -> String {
    let words = text.split(' ').filter(|word| !word.contains('@'));
    words.collect::<Vec<_>>().join(" ")
}

/// 4.4.5: the server takes no more mails on this connection (Mozilla's and Stalwart's reports).
const LINK_FULL: Option<Enhanced> = Some(Enhanced {
    class: 4,
    subject: 4,
    detail: 5,
});

/// x.1.z is about an address, x.2.z about a mailbox. Source: RFC 3463, 3.2 and 3.3.
fn is_about_recipient(enhanced: Option<Enhanced>) -> bool {
    enhanced.is_some_and(|enhanced| matches!(enhanced.subject, 1 | 2))
}

/// The link was lost. Before the end of data the mail cannot have been accepted; after it nobody knows.
pub fn lost(stage: Stage, note: &str) -> Outcome {
    let fault = Fault {
        stage,
        scope: Scope::Link,
        reply: None,
        note: note.to_owned(),
    };
    if stage == Stage::EndOfData {
        Outcome::InDoubt(fault)
    } else {
        Outcome::Deferred(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stage_comes_first_then_text_then_code() {
        let rows = [
            (
                Stage::Rcpt,
                "550 5.1.1 <relaying denied@example.com>: User unknown",
                "refused Recipient",
            ),
            (
                Stage::Rcpt,
                "550 <quota.relay@example.com> rejected",
                "refused Recipient",
            ),
            (Stage::Rcpt, "550 5.1.1 no such user", "refused Recipient"),
            (
                Stage::Rcpt,
                "561 Honeypot rcptto [@out060104]",
                "refused Recipient",
            ),
            (Stage::Rcpt, "450 4.2.0 greylisted", "deferred Recipient"),
            (
                Stage::Rcpt,
                "554 5.7.1 <a@b.c>: Relay access denied",
                "refused Account",
            ),
            (
                Stage::Rcpt,
                "530 5.7.0 Authentication required",
                "refused Account",
            ),
            (Stage::Rcpt, "452 4.5.3 too many recipients", "deferred Link"),
            (Stage::Mail, "550 sender unknown", "refused Account"),
            (
                Stage::Mail,
                "440 mail from account doesn't conform with authentication",
                "deferred Account",
            ),
            (Stage::Mail, "451 4.3.0 try later", "deferred Recipient"),
            (Stage::Mail, "421 4.7.0 too many mails", "deferred Link"),
            (Stage::Data, "554 no valid recipients", "refused Message"),
            (Stage::EndOfData, "554 5.7.1 content rejected", "refused Message"),
            (Stage::EndOfData, "552 5.2.2 mailbox full", "refused Recipient"),
            (
                Stage::EndOfData,
                "552 Daily sending quota exceeded",
                "refused Account",
            ),
            (Stage::EndOfData, "451 4.7.1 later", "deferred Message"),
            (Stage::Auth, "526 Authentication failure[0]", "refused Account"),
            (Stage::Hello, "554 no service", "refused Link"),
        ];
        for (stage, line, expected) in rows {
            let outcome = classify(stage, Reply::from_lines([line.as_bytes()]).unwrap());
            let got = match &outcome {
                Outcome::Refused(fault) => format!("refused {:?}", fault.scope),
                Outcome::Deferred(fault) => format!("deferred {:?}", fault.scope),
                other => format!("{other:?}"),
            };
            assert_eq!(got, expected, "{stage} {line}");
        }
    }

    #[test]
    fn only_a_link_lost_after_the_end_of_data_is_a_doubt() {
        assert!(matches!(lost(Stage::EndOfData, "closed"), Outcome::InDoubt(_)));
        for stage in [Stage::Mail, Stage::Rcpt, Stage::Data] {
            assert!(matches!(lost(stage, "closed"), Outcome::Deferred(_)), "{stage}");
        }
    }
}
