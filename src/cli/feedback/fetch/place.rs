//! How far a mailbox was gone through, so that people's letters are not read again each time.
//!
//! It is kept in the ledger and not by keywords in the mailbox: not all servers allow those, POP3 has none, and the letters
//! stay as they are.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::campaign::Inbox;
use crate::ledger::Ledger;

/// Up to which mail, by IMAP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UpTo {
    /// Numbers of another validity name other mails.
    pub(super) uid_validity: u32,
    /// The last mail that was read.
    pub(super) uid: u32,
}

/// Which mails, by POP3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Their names.
    pub(super) uidls: BTreeSet<String>,
}

/// What is kept of a mailbox. What cannot be read is as good as none: reading mails again counts nothing twice.
pub(super) async fn read<T: DeserializeOwned + Default>(ledger: &Ledger, inbox: &Inbox) -> anyhow::Result<T> {
    let kept = ledger.place(&inbox.url()).await?;
    Ok(kept
        .and_then(|kept| serde_json::from_str(&kept).ok())
        .unwrap_or_default())
}

pub(super) async fn keep<T: Serialize>(ledger: &Ledger, inbox: &Inbox, place: &T) -> anyhow::Result<()> {
    ledger
        .keep_place(&inbox.url(), serde_json::to_string(place)?)
        .await
}
