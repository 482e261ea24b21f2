//! The real program against real servers: the sandbox in a process of its own, Postfix, Dovecot, nginx, BIND, and Python's mail parser.
//!
//! Tests are named as promises, run in any order and side by side, and wait for conditions, never for time to pass.
//! A peer that is not installed is passed over with a word on stderr; with `MAILSHOT_REQUIRE_PEERS=1` its absence fails.

#[cfg(test)]
mod harness;
#[cfg(test)]
mod big_files;
#[cfg(test)]
mod bind;
#[cfg(test)]
mod chinese;
#[cfg(test)]
mod client_config;
#[cfg(test)]
mod content;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod dkim;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod doubt;
#[cfg(test)]
mod dovecot;
#[cfg(test)]
mod editions;
#[cfg(test)]
mod feedback;
#[cfg(test)]
mod files;
#[cfg(test)]
mod help;
#[cfg(test)]
mod layering;
#[cfg(test)]
mod keygen;
mod laws;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod left_out;
#[cfg(test)]
mod lint;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod lock;
#[cfg(test)]
mod login;
#[cfg(test)]
mod mailbox;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod mime;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod postfix;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod quota;
#[cfg(test)]
mod secret;
#[cfg(test)]
mod send;
#[cfg(test)]
mod send_to;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod trouble;
#[cfg(test)]
mod verify;
