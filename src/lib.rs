//! mailshot sends a mail campaign exactly as intended: nobody twice, nobody forgotten, never over the
//! provider's quota, everything on record.
//!
//! The modules stand in reading order: the nouns, what the user wrote, the loop, then its steps.

pub mod mail;
pub mod campaign;
pub mod clock;
pub mod source;
pub mod render;
pub mod sandbox;
