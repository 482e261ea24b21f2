//! Message → Outcome: the SMTP dialogue, or the `sendmail` command of this machine.

pub mod classify;
mod wire;
mod link;
mod login;
pub mod trace;
pub mod trust;
pub mod egress;
pub mod offers;
pub mod session;
mod doors;
pub mod probe;
pub mod exchanger;
mod carried;
mod transactions;
pub mod flight;
pub mod window;
pub mod outbox;

pub use flight::Flight;
pub use session::{Session, Target};

#[cfg(test)]
mod tests;
