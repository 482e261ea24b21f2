//! What an answer makes of a mail: refused for now or for good, and whose failure it is. What replies mean stands in
//! `replies/`; here is what became of the mail when there was none.

use crate::mail::{Class, Fault, Outcome, Reply, Scope, Stage, Verdict};
use crate::replies::Judge;

/// What `reply`, which was not the wanted one, makes of a mail to this domain.
pub(super) fn classify(judge: &Judge, stage: Stage, reply: Reply, destination: Option<&str>) -> Outcome {
    let fault = fault_of(judge, stage, reply, destination);
    if fault.verdict.is_transient() {
        Outcome::Deferred(fault)
    } else {
        Outcome::Refused(fault)
    }
}

/// The fault that `reply` is.
pub(super) fn fault_of(judge: &Judge, stage: Stage, reply: Reply, destination: Option<&str>) -> Fault {
    let mut verdict = judge.verdict(stage, &reply, destination);
    // What the server does not understand of one mail it may understand of the next.
    if verdict.class == Class::ProtocolBug && stage >= Stage::Data {
        verdict.scope = Scope::Message;
    }
    Fault {
        stage,
        verdict,
        reply: Some(reply),
        note: String::new(),
    }
}

/// The link was lost. Before the end of data the mail cannot have been accepted; after it nobody knows.
pub fn lost(stage: Stage, note: &str) -> Outcome {
    let fault = |verdict| Fault {
        stage,
        verdict,
        reply: None,
        note: note.to_owned(),
    };
    if stage == Stage::EndOfData {
        Outcome::InDoubt(fault(Verdict::UNCERTAIN))
    } else {
        Outcome::Deferred(fault(Verdict::NETWORK))
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
                "refused Config",
            ),
            (Stage::Rcpt, "530 5.7.0 Authentication required", "refused Config"),
            (Stage::Rcpt, "452 4.5.3 too many recipients", "deferred Link"),
            (Stage::Mail, "550 sender unknown", "refused Config"),
            (
                Stage::Mail,
                "440 mail from account doesn't conform with authentication",
                "refused Config",
            ),
            (Stage::Mail, "451 4.3.0 try later", "deferred Recipient"),
            (Stage::Mail, "421 4.7.0 too many mails", "deferred Destination"),
            (Stage::Data, "554 no valid recipients", "refused Message"),
            (Stage::EndOfData, "554 5.7.1 content rejected", "refused Message"),
            (Stage::EndOfData, "552 5.2.2 mailbox full", "deferred Recipient"),
            (
                Stage::EndOfData,
                "552 Daily sending quota exceeded",
                "deferred Account",
            ),
            (Stage::EndOfData, "451 4.7.1 later", "deferred Recipient"),
            (Stage::Auth, "526 Authentication failure[0]", "refused Account"),
            (Stage::Hello, "554 no service", "deferred Ip"),
        ];
        for (stage, line, expected) in rows {
            let reply = Reply::from_lines([line.as_bytes()]).unwrap();
            let outcome = classify(&Judge::default(), stage, reply, Some("example.com"));
            let got = match &outcome {
                Outcome::Refused(fault) => format!("refused {:?}", fault.verdict.scope),
                Outcome::Deferred(fault) => format!("deferred {:?}", fault.verdict.scope),
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
