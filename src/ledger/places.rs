//! How far mailboxes were gone through. It only saves work: whoever begins anew finds what was taken in before.

use rusqlite::{Connection, OptionalExtension as _};

pub(super) fn place(db: &Connection, mailbox: &str) -> rusqlite::Result<Option<String>> {
    db.query_row("SELECT value FROM meta WHERE key = ?1", [key(mailbox)], |row| {
        row.get(0)
    })
    .optional()
}

pub(super) fn keep(db: &Connection, mailbox: &str, place: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    db.execute(sql, [key(mailbox).as_str(), place]).map(drop)
}

fn key(mailbox: &str) -> String {
    format!("mailbox {mailbox}")
}
