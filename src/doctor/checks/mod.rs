//! The checks of a domain, each a plain function from what is known to findings.

mod tags;
pub mod mx;
pub mod exchangers;
pub mod cname;
pub mod dkim;
pub mod dmarc;
pub mod zone;
pub mod agreement;
pub mod policies;
pub mod links;
pub mod server;
pub mod why;
