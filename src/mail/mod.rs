//! The nouns of the field, without any I/O: addresses, recipients, messages, replies, outcomes, tokens.

#[macro_use]
mod closed;
pub mod address;
mod local;
pub mod mailbox;
pub mod domain;
pub mod repair;
pub mod several;
pub mod recipient;
pub mod file;
pub mod likeness;
pub mod fields;
pub mod message;
pub mod reply;
pub mod verdict;
pub mod outcome;
pub mod suppression;
pub mod token;

pub use address::{Address, AddressFault};
pub use fields::{Field, Fields};
pub use file::{BigFile, Enclosure, FileUse, Mails, SentFile, Volume};
pub use likeness::Likeness;
pub use mailbox::Mailbox;
pub use message::{Content, Envelope, Message};
pub use outcome::{Fault, Outcome, Stage};
pub use recipient::{Columns, NameColumns, Place, Recipient};
pub use repair::{Repair, repair};
pub use reply::{Enhanced, Reply};
pub use suppression::{Feedback, Reason, Severity, Whom};
pub use token::{DeliveryTag, Undo, UnsubscribeKey, UnsubscribeKeys};
pub use verdict::{Class, Retry, Scope, Verdict};
