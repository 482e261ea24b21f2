//! Questions to the DNS and their answers, as plain values. `ask` carries them over the network; nothing else does.

pub mod name;
pub mod answer;
pub mod book;
pub mod resolvers;
pub mod ask;

pub use answer::{Answer, Data, Kind, NoAnswer, Record};
pub use book::{Book, Question, Unsaid, Whom};
pub use name::Name;
pub use resolvers::Resolver;
