//! The states of a delivery, and the only function that changes them. See `docs/states.md`.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits to be sent, at once or later.
    Pending,
    /// An intent is on disk: the mail may be leaving right now.
    Sending,
    /// The server took charge of it: 2yz to the end of data.
    Sent,
    /// Given up: refused for good, or deferred too often.
    Failed,
    /// May or may not have been accepted; held until it is resolved.
    InDoubt,
    /// Not to be mailed: on the suppression list, or no longer on the campaign's list.
    Suppressed,
}

/// What happens to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The intent was written.
    Begun,
    /// 2yz to the end of data.
    Accepted,
    /// Not now, and tries are left.
    Deferred,
    /// Refused for good, or no tries are left.
    GivenUp,
    /// The account was refused, not the mail: the mail waits, the account stops.
    AccountRefused,
    /// The link was lost after the end of data, or the run died while sending.
    Doubted,
    /// The user wants it sent again.
    Resend,
    /// The user takes it for sent.
    AssumeSent,
    /// The address is on the suppression list.
    Suppressed,
    /// The row is gone from the list.
    Withdrawn,
    /// The row is back on the list.
    Readmitted,
    /// The mail was refused for its content, and the content has been changed.
    Corrected,
}

/// An event that makes no sense in a state: a bug of ours, never the user's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a delivery that is {state} cannot meet {event:?}")]
pub struct Illegal {
    /// Where it stood.
    pub state: State,
    /// What happened.
    pub event: Event,
}

impl State {
    /// All states, in the order reports show them.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Sending,
        Self::Sent,
        Self::Failed,
        Self::InDoubt,
        Self::Suppressed,
    ];

    /// The state after `event`.
    pub fn on(self, event: Event) -> Result<Self, Illegal> {
        match (self, event) {
            (Self::Pending, Event::Begun) => Ok(Self::Sending),
            (Self::Pending, Event::Suppressed | Event::Withdrawn) => Ok(Self::Suppressed),
            (Self::Sending, Event::Accepted) | (Self::InDoubt, Event::AssumeSent) => Ok(Self::Sent),
            (Self::Sending, Event::Deferred | Event::AccountRefused)
            | (Self::InDoubt, Event::Resend)
            | (Self::Suppressed, Event::Readmitted)
            | (Self::Failed, Event::Corrected) => Ok(Self::Pending),
            (Self::Sending, Event::GivenUp) => Ok(Self::Failed),
            (Self::Sending, Event::Doubted) => Ok(Self::InDoubt),
            (state, event) => Err(Illegal { state, event }),
        }
    }

    /// The state's name in the ledger and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::InDoubt => "in_doubt",
            Self::Suppressed => "suppressed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::InDoubt {
            "in doubt"
        } else {
            self.name()
        })
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|state| state.name() == name);
        found.ok_or_else(|| format!("`{name}` is not a state"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 12] = [
        Event::Begun,
        Event::Accepted,
        Event::Deferred,
        Event::GivenUp,
        Event::AccountRefused,
        Event::Doubted,
        Event::Resend,
        Event::AssumeSent,
        Event::Suppressed,
        Event::Withdrawn,
        Event::Readmitted,
        Event::Corrected,
    ];

    #[test]
    fn these_are_all_the_steps_there_are() {
        let mut steps = Vec::new();
        for state in State::ALL {
            for event in EVENTS {
                if let Ok(next) = state.on(event) {
                    steps.push(format!("{state} + {event:?} = {next}"));
                }
            }
        }
        assert_eq!(
            steps,
            [
                "pending + Begun = sending",
                "pending + Suppressed = suppressed",
                "pending + Withdrawn = suppressed",
                "sending + Accepted = sent",
                "sending + Deferred = pending",
                "sending + GivenUp = failed",
                "sending + AccountRefused = pending",
                "sending + Doubted = in doubt",
                "failed + Corrected = pending",
                "in doubt + Resend = pending",
                "in doubt + AssumeSent = sent",
                "suppressed + Readmitted = pending",
            ]
        );
    }

    #[test]
    fn what_is_sent_stays_sent() {
        for event in EVENTS {
            assert!(State::Sent.on(event).is_err());
        }
    }

    #[test]
    fn names_are_read_back() {
        for state in State::ALL {
            assert_eq!(state.name().parse(), Ok(state));
        }
    }
}
