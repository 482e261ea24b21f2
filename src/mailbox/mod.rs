//! Clients for mailboxes that mails come back to: IMAP and POP3. They move octets and obey; what is done with the mails,
//! and in which order, is decided by who calls them.
//!
//! Of IMAP a dozen commands are needed, so they are spoken here: the crates read up to half a gigabyte into memory, end the
//! session at whatever they cannot parse, and keep to themselves why a login was refused.

mod fault;
mod link;
mod imap;
mod login;
mod pop3;
mod syntax;
mod utf7;

pub use fault::Fault;
pub use imap::{Access, Envelope, Imap, Selected};
pub use link::Timeouts;
pub use pop3::{Listed, Pop3};

/// Octets of a mail that are read. Reports say what they have to say at their beginning; behind it comes the mail that
/// could not be delivered, with whatever was attached to it.
pub const MAIL_MAX: u64 = 4 * 1_024 * 1_024;

#[cfg(test)]
mod tests;
