//! Any file as a list: whatever it is, it is read or refused with a place that is in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshot::campaign::ListSettings;
use mailshot::inspect::inspect;
use mailshot::source::{List, Row};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let path = folder.path().join("list.csv");
    std::fs::write(&path, bytes).expect("written");
    let settings = ListSettings {
        is_fixing: bytes.len() % 2 == 0,
        ..ListSettings::default()
    };
    let found = inspect(&path, &settings).expect("read");
    assert!(
        found.usable + found.duplicates + found.withheld + found.unusable <= found.rows.max(found.unusable)
    );
    if let Ok(list) = List::open(&path, &settings) {
        let reader = list.row_reader().expect("opened");
        for row in list.rows().expect("streamed") {
            if let Row::Usable(recipient) = row.expect("judged") {
                // What is read again by its place is the same person.
                assert_eq!(reader.read(recipient.place).expect("read again"), recipient);
            }
        }
    }
});
