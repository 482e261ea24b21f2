//! Signatures that receivers check against a key in the DNS. Source: RFC 6376, 8301, 8463.
//!
//! Keys and signing, without settings, files or network: `campaign/` reads the keys, `compose/` has mails signed, and the
//! doctor compares keys with records.

mod key;
mod signer;

pub use key::{Algorithm, BITS, BITS_MAX, BITS_STEP, Key, KeyFault};
pub use signer::{Signer, Unsigned, is_selector};
