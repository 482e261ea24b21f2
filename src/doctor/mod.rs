//! The doctor: what receivers see of a domain in the DNS, and what an account finds at its server.
//!
//! Checks are plain functions from what is known (`dns::Book`) to findings; only `dns::ask` and `web` use the network.
//! What nobody answers is unknown, never guessed.

pub mod finding;
pub mod dns;
pub mod expected;
pub mod spf;
pub mod checks;
pub mod examine;
pub mod smtp;
pub mod fix;
pub mod received;
pub mod cache;
mod web;

#[cfg(test)]
mod tests;

pub use checks::why::why;
pub use examine::{OwnKey, Setup, Subject, examine, examine_all, examine_received, verdict, zone_of};
pub use finding::{Area, Finding, Paste, Severity, is_blind};
