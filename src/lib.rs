//! mailshot sends a mail campaign exactly as intended: nobody twice, nobody forgotten, never over the
//! provider's quota, everything on record.
//!
//! The modules stand in reading order: the nouns, what the user wrote, the loop, then its steps.

pub mod words;
pub mod mail;
pub mod replies;
pub mod campaign;
pub mod clock;
pub mod digest;
pub mod dkim;
pub mod check;
pub mod inspect;
pub mod enrol;
pub mod pipeline;
pub mod source;
pub mod render;
pub mod compose;
pub mod depot;
pub mod throttle;
pub mod deliver;
pub mod ledger;
pub mod feedback;
pub mod web;
pub mod mailbox;
pub mod sandbox;
pub mod doctor;
pub mod cli;
