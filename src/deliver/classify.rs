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
    fn only_a_link_lost_after_the_end_of_data_is_a_doubt() {
        assert!(matches!(lost(Stage::EndOfData, "closed"), Outcome::InDoubt(_)));
        for stage in [Stage::Mail, Stage::Rcpt, Stage::Data] {
            assert!(matches!(lost(stage, "closed"), Outcome::Deferred(_)), "{stage}");
        }
    }
}
