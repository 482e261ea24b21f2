//! Every recipient with their story, as a table for spreadsheets.

use std::io::Write;

use anyhow::Context as _;

use super::super::cells::inert;
use super::Book;
use crate::ledger::read::{Came, Fate};

/// The columns.
const HEADER: [&str; 13] = [
    "email",
    "line",
    "mail",
    "state",
    "family",
    "tries",
    "last_try",
    "message_id",
    "class",
    "reply",
    "reason",
    "came_back",
    "came_back_at",
];

/// Writes the table; says how many rows it has.
pub(super) fn write(book: &Book, to: impl Write) -> anyhow::Result<u64> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(HEADER)?;
    let mut rows = 0;
    book.each(|fate, came, family| {
        rows += 1;
        record(&mut writer, fate, came, family)
    })?;
    writer.flush().context("write the table")?;
    Ok(rows)
}

fn record(
    writer: &mut csv::Writer<impl Write>,
    fate: &Fate,
    came: &[Came],
    family: &str,
) -> anyhow::Result<()> {
    let (line, volume, tries) = (
        fate.line.to_string(),
        fate.volume.to_string(),
        fate.tries.to_string(),
    );
    let last_try = fate.began_at_ms.map(moment).transpose()?.unwrap_or_default();
    let what: Vec<String> = came.iter().map(Came::name).collect();
    let when = came
        .last()
        .map(|came| moment(came.at_ms))
        .transpose()?
        .unwrap_or_default();
    let text = |text: &'_ Option<String>| -> String { text.clone().unwrap_or_default() };
    let cells = [
        fate.address.clone(),
        line,
        volume,
        fate.state.name().to_owned(),
        family.to_owned(),
        tries,
        last_try,
        text(&fate.message_id),
        text(&fate.class),
        text(&fate.reply),
        text(&fate.reason),
        what.join("; "),
        when,
    ];
    writer.write_record(cells.iter().map(|cell| inert(cell).into_owned()))?;
    Ok(())
}

/// A moment that spreadsheets and programs read alike.
fn moment(ms: i64) -> anyhow::Result<String> {
    let at = jiff::Timestamp::from_millisecond(ms)?;
    Ok(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
