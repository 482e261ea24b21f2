//! What can go wrong with a mailbox, by what follows from it.

use crate::words::Text;

/// Why it did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The server was not reached, or the connection was lost. Trying again may help.
    #[error("{0}")]
    Link(Text),
    /// There is no TLS with the server, or nobody vouches for its certificate.
    #[error("{0}")]
    Tls(Text),
    /// The server refused the login, with these words. It is not tried again before the lock-out is over.
    #[error("{said}")]
    Login {
        /// What the server said.
        said: String,
        /// Is it about name and password, or only about now?
        is_password: bool,
    },
    /// The server refused a command, with these words.
    #[error("{said}")]
    Refused {
        /// What was asked for.
        command: &'static str,
        /// What the server said.
        said: String,
    },
    /// Settings and server do not fit together; no login was tried.
    #[error("{0}")]
    Config(Text),
}

impl Fault {
    /// May it be over soon, without anybody doing anything?
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Link(_) => true,
            Self::Login { .. } | Self::Tls(_) | Self::Refused { .. } | Self::Config(_) => false,
        }
    }
}
