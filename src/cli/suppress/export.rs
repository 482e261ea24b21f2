//! `mailshot suppress export`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;

use super::super::cells::inert;
use super::super::counted::addresses;
use super::super::exit::{Coded, Exit};
use super::super::load;
use super::super::printer::{Form, Printer};
use crate::campaign::plain;
use crate::ledger::read::{Reader, Suppression};
use crate::text;

/// The columns of the file.
pub(super) const HEADER: [&str; 6] = ["email", "list", "reason", "note", "source", "suppressed_at"];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to write; it must not be there. `-` writes to stdout
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(None)?;
    let reader = Reader::open(&workspace.ledger)?;
    if args.file.as_os_str() == "-" {
        write(reader.as_ref(), std::io::stdout().lock())?;
        return Ok(Exit::Ok);
    }
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.file);
    let file = file.map_err(|error| {
        let file = args.file.display().to_string();
        Coded::new(
            Exit::Io,
            text!("cannot write {file}: {why}", file, why = plain(&error)),
        )
    })?;
    let count = write(reader.as_ref(), std::io::BufWriter::new(file))?;
    let file = args.file.display().to_string();
    match printer.form {
        Form::Json => printer.json(&json!({ "file": file, "exported": count })),
        Form::Text => printer.data(text!(
            "{addresses} written to {file}",
            addresses = addresses(count),
            file
        )),
    }
    Ok(Exit::Ok)
}

fn write(reader: Option<&Reader>, to: impl Write) -> anyhow::Result<u64> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(HEADER)?;
    let mut count = 0;
    if let Some(reader) = reader {
        reader.each_suppression(|row| {
            count += 1;
            record(&mut writer, &row)
        })?;
    }
    writer.flush().context("write the suppression list")?;
    Ok(count)
}

fn record(writer: &mut csv::Writer<impl Write>, row: &Suppression) -> anyhow::Result<()> {
    let at = jiff::Timestamp::from_millisecond(row.at_ms)?.to_string();
    let cells = [
        row.address.as_str(),
        &row.list,
        row.reason.as_str(),
        &row.note,
        &row.source,
        &at,
    ];
    writer.write_record(cells.map(inert).iter().map(|cell| cell.as_bytes()))?;
    Ok(())
}
