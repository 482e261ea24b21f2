//! Counts the records of a list with the csv crate, and does nothing else: the floor for reading a list.

use std::error::Error;
use std::path::PathBuf;

use csv::{ByteRecord, ReaderBuilder};

fn main() -> Result<(), Box<dyn Error>> {
    let path = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: csv-parse LIST")?);
    let mut reader = ReaderBuilder::new().buffer_capacity(1 << 16).from_path(path)?;
    let mut record = ByteRecord::new();
    let mut records = 0_u64;
    while reader.read_byte_record(&mut record)? {
        records += 1;
    }
    println!("{records}");
    Ok(())
}
