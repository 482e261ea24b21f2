//! Message → Outcome: the SMTP dialogue, or the `sendmail` command of this machine.

pub mod classify;
mod link;
mod login;
pub mod trace;
pub mod session;
pub mod flight;
pub mod outbox;

pub use flight::Flight;
pub use session::{Session, Target};

#[cfg(test)]
mod tests;
