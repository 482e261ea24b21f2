//! The checks of a domain, each a plain function from what is known to findings.

pub(super) mod tags;
pub mod mx;
pub mod exchangers;
pub mod cname;
pub mod dkim;
pub mod own_keys;
pub mod dmarc;
pub mod zone;
pub mod agreement;
pub mod policies;
pub mod bimi;
pub mod links;
pub mod server;
pub mod why;
