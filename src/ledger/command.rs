//! What can be asked of the ledger's writer. Every command is answered after its commit.
//!
//! One file, long as it is: each command's nouns stand with it.

use tokio::sync::oneshot;

use super::feedback::{NewFeedback, Received};
use super::pace::{About, Known};
use super::state::State;
use crate::campaign::limits::Limits;
use crate::campaign::quota::{Left, Quota, Spent};
use crate::mail::{Class, Likeness, Outcome, Place, Reason, Volume};

/// Where the answer goes. It is sent only when the transaction is on disk.
pub(super) type Answer<T> = oneshot::Sender<T>;

/// Names a campaign in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CampaignId(pub(super) i64);

/// Names a list snapshot in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListId(pub(super) i64);

/// Names a delivery in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryId(pub(super) i64);

impl DeliveryId {
    /// Its campaign; see the schema.
    pub(super) fn campaign(self) -> CampaignId {
        CampaignId(self.0 >> 32)
    }

    /// A number that differs from delivery to delivery, to spread retries.
    pub fn seed(self) -> u64 {
        self.0.unsigned_abs()
    }
}

/// Names one of a delivery's attempts in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttemptId {
    /// Counts the delivery's attempts from 1.
    pub(super) number: i64,
    pub(super) began_at_ms: i64,
    /// The first of the mails that it is like, where those are counted.
    pub(super) like: Option<Likeness>,
}

/// A campaign as the ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its number.
    pub id: CampaignId,
    /// Drawn once, when the campaign was first seen.
    pub uid: String,
    /// The account it was enrolled with.
    pub account: String,
    /// JSON: what it was checked with.
    pub inputs: String,
    /// Is every recipient enrolled?
    pub is_enrolled: bool,
    /// Did the last run end because the server refused the content again and again?
    pub is_content_refused: bool,
    /// Why it is held, if it is: complaints or bounces over the limit.
    pub held: Option<String>,
}

/// A recipient to be enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// The address as it will be sent to.
    pub address: String,
    /// The address's comparison key.
    pub key: String,
    /// The key of the address that the list writes, where another was meant: whoever is suppressed under either gets
    /// no mail.
    pub written_key: Option<String>,
    /// Where the row stands in the list.
    pub place: Place,
    /// Which of the mails to this recipient.
    pub volume: Volume,
    /// Which files its volume is cut from; see [`crate::mail::Mails`].
    pub cut: Option<i64>,
}

/// A delivery that is on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnRecord {
    /// Its number.
    pub id: DeliveryId,
    /// Which of the mails to this recipient.
    pub volume: Volume,
    /// Where it stands.
    pub state: State,
    /// Which files its volume is cut from.
    pub cut: Option<i64>,
}

impl OnRecord {
    /// Does it wait?
    pub fn is_pending(&self) -> bool {
        self.state == State::Pending
    }

    /// Has the mail left, for all that is known?
    pub fn has_left(&self) -> bool {
        matches!(self.state, State::Sending | State::Sent | State::InDoubt)
    }
}

/// A delivery that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub id: DeliveryId,
    /// The list its row stands in.
    pub list: ListId,
    /// Where the row stands.
    pub place: Place,
    /// The address that was enrolled.
    pub address: String,
    /// Since when it is due again; none for one that waits for its turn in the list.
    pub due_at_ms: Option<i64>,
    /// Which of the mails to this recipient.
    pub volume: Volume,
    /// Which files its volume is cut from; see [`crate::mail::Mails`].
    pub cut: Option<i64>,
    /// Tries so far.
    pub tries: u32,
    /// When the first try began, in ms since the epoch.
    pub first_try_ms: Option<i64>,
}

/// An intent: this delivery, this message, now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// Its address's comparison key.
    pub key: String,
    /// The key of the address that the list writes, where another was meant.
    pub written_key: Option<String>,
    /// By which account.
    pub account: String,
    /// What the account may send. Counted in the same transaction.
    pub quota: Quota,
    /// Where it goes.
    pub bound: Bound,
    /// What may be sent of mails that are like it, where the provider counts those.
    pub alike: Option<Alike>,
    /// The Message-ID, without angle brackets.
    pub message_id: String,
    /// SHA-256 of the message.
    pub digest: [u8; 32],
    /// Now, in ms since the epoch.
    pub now_ms: i64,
}

/// Where a mail goes, and what the account may send there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// The family of destinations, or the domain when it belongs to none.
    pub destination: String,
    /// What may be sent there; counted in the same transaction.
    pub quota: Quota,
}

impl Bound {
    /// The destination, where mails to it are counted.
    pub fn counted(&self) -> Option<String> {
        (!self.quota.rates.is_empty()).then(|| self.destination.clone())
    }
}

/// What a mail says, and how many of those that say nearly the same may be sent. Counted in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    /// What it says.
    pub likeness: Likeness,
    /// How many.
    pub quota: Quota,
}

/// The answer to an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// The intent is on disk: send it.
    Go(AttemptId),
    /// No longer to be sent now: suppressed meanwhile, not due, or another worker has it.
    Skip,
    /// The quota is spent; nothing was written.
    Wait(Spent),
    /// The campaign is held for its complaints or bounces; nothing was written.
    Held,
    /// Enough mails like it have gone; nothing was written.
    Alike(Spent),
    /// The account is locked until then; nothing was written.
    Locked(i64),
    /// The account pauses, or goes slowly: it waits until then; nothing was written.
    Paused(i64),
    /// The destination takes no more before then, and the mail is put off until then.
    Later(i64),
}

/// How a delivery goes on after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is sent.
    Sent,
    /// It is due again then.
    RetryAt(i64),
    /// It has failed, for this reason.
    GiveUp(String),
    /// It stays pending: the account was refused, not the mail.
    Hold,
    /// It stays pending, and was never said: the connection ended before it was this mail's turn. It costs no quota.
    Unsaid,
    /// Nobody knows.
    Doubt,
}

/// The result of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    /// Which attempt.
    pub attempt: AttemptId,
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// By which account.
    pub account: String,
    /// The destination, where the account has a limit for it.
    pub destination: Option<String>,
    /// What it came to.
    pub outcome: Outcome,
    /// How the delivery goes on.
    pub next: Next,
    /// When somebody whose mails come back is mailed no more.
    pub limits: Limits,
    /// Now, in ms since the epoch.
    pub now_ms: i64,
}

/// What to do with deliveries in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Send them again, with the same Message-ID.
    Resend,
    /// Take them for sent.
    AssumeSent,
}

/// A doubt that is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// Has it been sent, or is it to be sent again?
    pub how: Resolution,
    /// What speaks for it; kept.
    pub evidence: String,
}

/// How a run ended, or that it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunState {
    /// `running`, `paused`, `stopped` or `finished`.
    pub state: &'static str,
    /// When it can go on, in ms since the epoch.
    pub until_ms: Option<i64>,
    /// Why, in a few words.
    pub note: String,
    /// Did the server refuse the content again and again?
    pub is_content_refused: bool,
}

/// A person never to be mailed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSuppression {
    /// Whom: [`crate::mail::Whom::key`].
    pub key: String,
    /// Only campaigns of this list, by the identifier of its List-ID; empty for all.
    pub list: String,
    /// Why.
    pub reason: Reason,
    /// The same in the words of whoever said so; may be empty.
    pub note: String,
    /// Where it came from.
    pub source: String,
    /// When, in ms since the epoch.
    pub at_ms: i64,
}

/// An account that must be left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountEvent {
    /// Which account.
    pub account: String,
    /// When, in ms since the epoch.
    pub at_ms: i64,
    /// Until when nobody connects.
    pub until_ms: i64,
    /// How far the dialogue had come.
    pub stage: String,
    /// What the server said.
    pub reply: String,
    /// What kind of refusal that is.
    pub class: Class,
}

/// What the writer does, each in a transaction that is committed before the answer.
pub(super) enum Command {
    /// Finds a campaign by name.
    Find {
        name: String,
        answer: Answer<Option<Registered>>,
    },
    /// Enters a campaign, or its new inputs; enrolment begins after it.
    Register {
        name: String,
        account: String,
        inputs: String,
        now_ms: i64,
        answer: Answer<Registered>,
    },
    /// Enters a list snapshot.
    AddList {
        digest: String,
        path: String,
        answer: Answer<ListId>,
    },
    /// Drops what an enrolment that was cut short left behind.
    DropPartial {
        campaign: CampaignId,
        answer: Answer<()>,
    },
    /// Enrols those of a batch who are new and points the others to their rows; those readmitted are pending again.
    /// Answers how many of the new ones are suppressed.
    Enrol {
        campaign: CampaignId,
        list: ListId,
        new: Vec<NewDelivery>,
        moved: Vec<(DeliveryId, NewDelivery)>,
        answer: Answer<u64>,
    },
    /// Takes deliveries off the campaign whose rows are not in this list, and these; answers how many.
    Withdraw {
        campaign: CampaignId,
        list: ListId,
        surplus: Vec<DeliveryId>,
        answer: Answer<u64>,
    },
    /// Makes deliveries wait again that were refused for their content; answers how many.
    Revive {
        campaign: CampaignId,
        answer: Answer<u64>,
    },
    /// Marks the enrolment as complete, with what the campaign was checked with.
    Enrolled {
        campaign: CampaignId,
        account: String,
        inputs: String,
        now_ms: i64,
        answer: Answer<()>,
    },
    /// Puts deliveries whose run is gone in doubt; answers how many.
    Recover {
        campaign: CampaignId,
        now_ms: i64,
        answer: Answer<u64>,
    },
    /// Fetches deliveries that are due: those due again first, then those whose turn comes after `after`.
    Due {
        campaign: CampaignId,
        now_ms: i64,
        after: Option<DeliveryId>,
        most: u32,
        answer: Answer<Vec<Delivery>>,
    },
    /// Writes an intent.
    Begin {
        intent: Box<Intent>,
        answer: Answer<Begin>,
    },
    /// Writes a result.
    Finish { finish: Box<Finish>, answer: Answer<()> },
    /// Settles doubts: of one address, or of all; answers how many.
    Resolve {
        campaign: CampaignId,
        key: Option<String>,
        how: Resolution,
        answer: Answer<u64>,
    },
    /// Settles doubts one by one, with what speaks for it; answers how many.
    Settle {
        campaign: CampaignId,
        settled: Vec<Settled>,
        answer: Answer<u64>,
    },
    /// Notes how a run stands.
    SetRun {
        campaign: CampaignId,
        run: RunState,
        answer: Answer<()>,
    },
    /// Adds suppressions; answers how many are new.
    Suppress {
        rows: Vec<NewSuppression>,
        answer: Answer<u64>,
    },
    /// Lifts the suppressions of a key, of one list or of all; answers how many there were.
    Lift {
        key: String,
        list: Option<String>,
        why: String,
        now_ms: i64,
        answer: Answer<u64>,
    },
    /// Takes in what came back; answers what became of each. A trial changes nothing.
    Receive {
        rows: Vec<NewFeedback>,
        limits: Limits,
        is_trial: bool,
        answer: Answer<Vec<Received>>,
    },
    /// How far a mailbox was gone through; none when that is not known.
    Place {
        mailbox: String,
        answer: Answer<Option<String>>,
    },
    /// Notes how far a mailbox was gone through.
    KeepPlace {
        mailbox: String,
        place: String,
        answer: Answer<()>,
    },
    /// Lets a campaign go on that was held for its complaints or bounces.
    Release {
        campaign: CampaignId,
        answer: Answer<()>,
    },
    /// Learns from a refusal; answers what is known now.
    Learn {
        account: String,
        about: Box<About>,
        now_ms: i64,
        answer: Answer<Known>,
    },
    /// Notes that an account must be left alone.
    LockAccount {
        event: AccountEvent,
        answer: Answer<u32>,
    },
    /// Lets an account log in again at once.
    UnlockAccount {
        account: String,
        now_ms: i64,
        answer: Answer<()>,
    },
    /// Forgets what an account has learned, and its pauses with it.
    Unlearn { account: String, answer: Answer<()> },
    /// What is left of an account's quota.
    Left {
        account: String,
        quota: Quota,
        now_ms: i64,
        answer: Answer<Vec<Left>>,
    },
    /// When the next pending delivery is due.
    NextDue {
        campaign: CampaignId,
        answer: Answer<Option<i64>>,
    },
}

/// The counts of a campaign's states. They sum to `recipients`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// All of them: one for each person, or several when files are split.
    pub recipients: u64,
    /// [`State::Pending`].
    pub pending: u64,
    /// [`State::Sending`].
    pub sending: u64,
    /// [`State::Sent`].
    pub sent: u64,
    /// [`State::Failed`].
    pub failed: u64,
    /// [`State::InDoubt`].
    pub in_doubt: u64,
    /// [`State::Suppressed`].
    pub suppressed: u64,
}

impl Tally {
    /// Counts so many deliveries in a state.
    pub fn add(&mut self, state: State, count: u64) {
        self.recipients += count;
        let field = match state {
            State::Pending => &mut self.pending,
            State::Sending => &mut self.sending,
            State::Sent => &mut self.sent,
            State::Failed => &mut self.failed,
            State::InDoubt => &mut self.in_doubt,
            State::Suppressed => &mut self.suppressed,
        };
        *field += count;
    }
}
