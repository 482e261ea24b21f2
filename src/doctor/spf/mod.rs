//! SPF: our own linter. Receivers evaluate a record for one address and stop early; this walks the whole tree, counts
//! what it costs, and sees what nobody would ever reach. Source: RFC 7208.

pub mod parse;
pub mod tree;
pub mod verdict;

pub use parse::Spf;
pub use tree::{Node, walk};
pub use verdict::{Includes, check};
