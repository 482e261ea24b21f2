//! A ledger that cannot be written or read: a clear message, the right exit code, and nothing sent that is not on record.
//!
//! Full and read-only disks are made by mounts in a mount namespace of the program's own, so that nothing of them
//! remains on the machine, however a test ends.

use std::collections::BTreeSet;
use std::process::Command;

use super::harness::{MAILSHOT, Sandbox, Workspace, Wrapped, pass_over, people};

/// `unshare` with its arguments, as this user may call it; none when mounting is not allowed here.
fn unshare(test: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = ["unshare", "--mount"].map(str::to_owned).into();
    if !rustix::process::getuid().is_root() {
        words.extend(["--user", "--map-root-user"].map(str::to_owned));
    }
    let probe = Command::new(&words[0])
        .args(&words[1..])
        .args(["mount", "-t", "tmpfs", "none", "/mnt"])
        .output();
    match probe {
        Ok(output) if output.status.success() => Some(words),
        failed => {
            pass_over(test, &format!("mounting is not allowed: {failed:?}"));
            None
        }
    }
}

/// Surroundings in which this shell text runs before the program, and this after it.
fn between(mut words: Vec<String>, before: &str, after: &str) -> Wrapped {
    let script = format!("set -e\n{before}\ncode=0\n'{MAILSHOT}' \"$@\" || code=$?\n{after}\nexit $code");
    words.extend(["sh", "-c", &script, "sh"].map(str::to_owned));
    Wrapped(words)
}

#[test]
fn a_full_disk_stops_the_run_and_nothing_is_sent_that_is_not_on_record() {
    let Some(unshare) = unshare("a_full_disk") else {
        return;
    };
    let sandbox = Sandbox::start(&[]);
    let everyone = people(3_000);
    let mut workspace = Workspace::new(&format!("{}connections = 4", sandbox.account()), &everyone);
    // Room for the enrolment and some hundred attempts.
    workspace.surround(between(
        unshare,
        "mkdir -p .mailshot kept; mount -t tmpfs -o size=1600k none .mailshot",
        "cp -r .mailshot/. kept/",
    ));
    workspace
        .send(&[])
        .expect(74)
        .says(&["the disk is full; make room and run the same command again"]);
    workspace.surround(Wrapped::plain());
    std::fs::remove_dir_all(workspace.path(".mailshot")).unwrap();
    std::fs::rename(workspace.path("kept"), workspace.path(".mailshot")).unwrap();

    let status = workspace.status();
    assert!(
        status.sent > 0 && status.pending > 0,
        "it was in the middle: {status:?}"
    );
    assert!(status.sending <= 4 * 16, "{status:?}");
    let waiting: BTreeSet<String> = workspace.in_state("pending").into_iter().collect();
    let arrived = sandbox.arrived();
    assert!(
        arrived.keys().all(|address| !waiting.contains(address)),
        "nobody who got it would get it again"
    );
    // With room, the same command goes on.
    let code = if status.sending > 0 { 76 } else { 0 };
    workspace.send(&[]).expect(code);
    assert!(sandbox.arrived().values().all(|times| *times == 1));
    assert_eq!(workspace.status().pending, 0);
}

#[test]
fn a_disk_that_is_full_from_the_start_sends_nothing() {
    let Some(unshare) = unshare("a_disk_that_is_full_from_the_start") else {
        return;
    };
    let sandbox = Sandbox::start(&[]);
    let mut workspace = Workspace::new(&sandbox.account(), &people(3));
    workspace.surround(between(unshare, "mkdir -p .mailshot; mount -t tmpfs -o size=4k none .mailshot; head -c 4096 /dev/zero > .mailshot/full", ":"));
    workspace.send(&[]).expect(74);
    assert_eq!(sandbox.stop().connections, 0);
}

#[test]
fn a_ledger_that_can_only_be_read_sends_nothing() {
    let Some(unshare) = unshare("a_ledger_that_can_only_be_read") else {
        return;
    };
    let sandbox = Sandbox::start(&[]);
    let mut workspace = Workspace::new(&sandbox.account(), &people(5));
    workspace.send(&["--limit", "2"]).expect(75);
    workspace.surround(between(
        unshare,
        "mount --bind .mailshot .mailshot; mount -o remount,bind,ro .mailshot",
        ":",
    ));
    let ended = workspace.send(&[]).expect(74);
    ended.says(&[".mailshot/"]);
    assert_eq!(sandbox.journal().len(), 2);
    workspace.surround(Wrapped::plain());
    workspace.send(&[]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 5]));
}

#[test]
fn a_ledger_of_a_newer_schema_is_left_alone() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(5));
    workspace.send(&["--limit", "2"]).expect(75);
    let ledger = rusqlite::Connection::open(workspace.path(".mailshot/ledger.db")).unwrap();
    ledger
        .execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'", [])
        .unwrap();
    drop(ledger);
    for command in [
        ["send", "news", "--yes"].as_slice(),
        &["status", "news"],
        &["suppress", "list"],
    ] {
        workspace
            .run(command)
            .expect(74)
            .says(&["a newer mailshot wrote it (schema 99; this one knows "]);
    }
    assert_eq!(sandbox.journal().len(), 2);
}

#[test]
fn a_finished_run_leaves_everything_in_the_one_file() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&format!("{}connections = 4", sandbox.account()), &people(3_000));
    workspace.send(&[]).expect(0);
    let log = workspace.path(".mailshot/ledger.db-wal");
    let left = std::fs::metadata(&log).map_or(0, |log| log.len());
    assert_eq!(left, 0, "nothing waits in the log");
    // As a backup of the one file would bring it back.
    let copy = std::fs::read(workspace.path(".mailshot/ledger.db")).unwrap();
    std::fs::remove_file(workspace.path(".mailshot/ledger.db")).unwrap();
    std::fs::write(workspace.path(".mailshot/ledger.db"), copy).unwrap();
    workspace.send(&[]).expect(0);
    assert_eq!(workspace.status().sent, 3_000);
    assert_eq!(sandbox.journal().len(), 3_000);
}

#[test]
fn a_ledger_without_its_log_is_not_taken_for_a_fresh_start() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(5));
    workspace.send(&["--limit", "2"]).expect(75);
    // What is left of a ledger whose log was not copied: a header and nothing else.
    std::fs::remove_file(workspace.path(".mailshot/ledger.db")).unwrap();
    rusqlite::Connection::open(workspace.path(".mailshot/ledger.db"))
        .and_then(|empty| empty.execute_batch("PRAGMA journal_mode = WAL; VACUUM;"))
        .unwrap();
    workspace
        .send(&[])
        .expect(74)
        .says(&["there is nothing in it, and campaigns were sent from here"]);
    assert_eq!(sandbox.journal().len(), 2);
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(3));
    let text = "these are my notes, not a database\n".repeat(50);
    workspace.write(".mailshot/ledger.db", &text);
    for command in [["send", "news", "--yes"].as_slice(), &["status", "news"]] {
        workspace
            .run(command)
            .expect(74)
            .says(&["it is not a SQLite file"]);
    }
    assert_eq!(
        std::fs::read_to_string(workspace.path(".mailshot/ledger.db")).unwrap(),
        text
    );
    assert_eq!(sandbox.stop().connections, 0);
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(3));
    workspace.write(".mailshot/x", "");
    let other = rusqlite::Connection::open(workspace.path(".mailshot/ledger.db")).unwrap();
    other.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    drop(other);
    workspace.send(&[]).expect(74).says(&["not a ledger of mailshot"]);
    assert_eq!(sandbox.stop().connections, 0);
}

#[test]
fn a_list_deleted_in_the_middle_of_a_campaign_is_named() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(5));
    workspace.send(&["--limit", "2"]).expect(75);
    std::fs::remove_file(workspace.path("list.csv")).unwrap();
    workspace
        .send(&[])
        .expect(65)
        .says(&["list.csv", "nothing was sent"]);
    assert_eq!(sandbox.journal().len(), 2);
    assert_eq!(workspace.status().pending, 3, "the status is still told");
    workspace.list(&people(5));
    workspace.send(&[]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 5]));
}

#[test]
fn every_mail_on_record_can_be_told_apart_by_its_digest() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(20));
    workspace.send(&[]).expect(0);
    assert_eq!(
        workspace.ask("SELECT count(DISTINCT digest) FROM attempt WHERE length(digest) = 32"),
        Some(20)
    );
    assert_eq!(
        workspace.ask("SELECT count(DISTINCT message_id) FROM attempt"),
        Some(20)
    );
}

#[test]
fn a_ledger_that_is_gone_or_empty_is_not_taken_for_a_fresh_start() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(5));
    workspace.send(&["--limit", "2"]).expect(75);
    for name in ["ledger.db-wal", "ledger.db-shm"] {
        // They are there only as long as somebody has the ledger open.
        let _gone = std::fs::remove_file(workspace.path(".mailshot").join(name));
    }
    std::fs::write(workspace.path(".mailshot/ledger.db"), "").unwrap();
    workspace.send(&[]).expect(74).says(&["the file is empty"]);
    std::fs::remove_file(workspace.path(".mailshot/ledger.db")).unwrap();
    workspace
        .send(&[])
        .expect(74)
        .says(&["is gone, but campaigns were sent here before"]);
    assert_eq!(sandbox.journal().len(), 2);
}
