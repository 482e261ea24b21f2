//! Sending when all goes well: what arrives, what is said, what is on record. And who is never mailed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::harness::{RETRY_SOON, Sandbox, Workspace, people, wait_for};

#[test]
fn everyone_on_the_list_gets_one_mail() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(50));
    workspace.send(&[]).expect(0).says(&["done: 50 mails sent"]);
    assert!(sandbox.arrived().into_values().eq([1; 50]));
    let status = workspace.status();
    assert_eq!(
        (status.recipients, status.sent, status.state.as_str()),
        (50, 50, "finished")
    );
    workspace.send(&[]).expect(0);
    assert_eq!(
        sandbox.journal().len(),
        50,
        "a finished campaign sends nothing more"
    );
}

#[test]
fn the_ledger_and_the_server_agree_on_every_message_id() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&format!("{}connections = 3", sandbox.account()), &people(50));
    workspace.send(&[]).expect(0);
    let at_server: BTreeSet<(String, String)> = sandbox
        .journal()
        .into_iter()
        .map(|entry| {
            (
                entry.to.join(" "),
                entry.message_id.trim_matches(['<', '>']).to_owned(),
            )
        })
        .collect();
    let on_record = workspace
        .deliveries()
        .into_iter()
        .map(|(address, delivery)| (address, delivery.message_ids.join(" ")));
    assert_eq!(at_server, on_record.collect());
}

#[test]
fn limit_sends_so_many_and_the_next_run_goes_on() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&format!("{}connections = 5", sandbox.account()), &people(10));
    workspace
        .send(&["--limit", "4"])
        .expect(75)
        .says(&["the limit of this run is reached; 6 wait"]);
    assert_eq!(sandbox.journal().len(), 4);
    workspace.send(&[]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 10]));
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_sent() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(3));
    let ended = workspace.run(&["send", "news"]).expect(64);
    ended.says(&["nothing was done: there is no terminal to ask at", "--yes"]);
    assert_eq!(sandbox.stop().connections, 0);
    assert_eq!(workspace.status().recipients, 0, "nobody is enrolled either");
}

#[test]
fn one_fault_in_the_list_sends_nothing_to_anybody() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &["anna@example.com", "wang@@example.com"]);
    workspace
        .send(&[])
        .expect(65)
        .says(&["list.csv:3", "two `@`", "nothing was sent"]);
    assert_eq!(sandbox.stop().connections, 0);
    let sandbox = Sandbox::start(&[]);
    workspace.configure(&sandbox.account(), "");
    workspace.send(&["--skip-invalid"]).expect(0);
    assert_eq!(sandbox.journal().len(), 1);
    assert!(
        std::fs::read_to_string(workspace.path("rejected-news.csv"))
            .unwrap()
            .contains("wang@@example.com")
    );
}

#[test]
fn a_template_that_fails_for_one_row_sends_nothing_to_anybody() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(3));
    workspace.write("templates/body.txt.hbs", "{{date name \"%d\"}} {{{footer}}}");
    workspace
        .send(&[])
        .expect(65)
        .says(&["templates/body.txt.hbs:1:", "nothing was sent"]);
    assert_eq!(sandbox.stop().connections, 0);
}

// Try-outs.

#[test]
fn a_try_out_marks_nobody_and_can_be_repeated() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(7));
    for _ in 0..2 {
        workspace
            .send(&["--sandbox"])
            .expect(0)
            .says(&["7 mails in ", "nobody counts as sent"]);
    }
    let folders = std::fs::read_dir(workspace.path(".mailshot/sandbox")).unwrap();
    let kept = |folder: std::fs::DirEntry| {
        let files = std::fs::read_dir(folder.path().join("mails")).unwrap();
        files
            .filter(|file| {
                file.as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|end| end == "eml")
            })
            .count()
    };
    let kept: Vec<usize> = folders.map(|folder| kept(folder.unwrap())).collect();
    assert_eq!(kept, [7, 7]);
    assert_eq!(workspace.status().recipients, 0);
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.journal().len(), 7, "the real run still mails everyone");
}

#[test]
fn a_dry_run_writes_the_mails_and_connects_to_nobody() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(4));
    workspace
        .send(&["--dry-run"])
        .expect(0)
        .says(&["4 mails written to", "nothing was sent"]);
    let files = std::fs::read_dir(workspace.path(".mailshot/dry-run/news")).unwrap();
    assert_eq!(files.count(), 4);
    assert_eq!(workspace.status().recipients, 0);
    assert_eq!(sandbox.stop().connections, 0);
}

#[test]
fn a_test_mail_goes_to_the_given_address_alone() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(4));
    workspace.send(&["--test-to", "me@example.org"]).expect(0);
    assert_eq!(
        sandbox.arrived().into_keys().collect::<Vec<_>>(),
        ["me@example.org"]
    );
    assert_eq!(
        workspace.status().recipients,
        0,
        "nobody of the campaign counts as sent"
    );
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.journal().len(), 5);
}

// What programs read.

#[test]
fn event_lines_have_the_keys_that_are_documented() {
    let sandbox = Sandbox::start(&[]);
    let list = [
        "a@example.com",
        "fail@example.com",
        "tempfail@example.com",
        // Last: whoever flies with it may become doubtful too.
        "drop-after-data@example.com",
    ];
    let workspace = Workspace::new(&sandbox.account(), &list);
    let ended = workspace.send(&["--json"]).expect(75);
    let events: Vec<Value> = ended.json();
    let (summary, events) = events.split_last().unwrap();
    let mut kinds = BTreeSet::new();
    for event in events {
        for key in ["type", "id", "recipient", "response", "timestamp", "num_attempts"] {
            assert!(!event[key].is_null(), "no {key} in {event}");
        }
        for key in ["code", "enhanced_code", "content"] {
            assert!(event["response"].get(key).is_some(), "no {key} in {event}");
        }
        let by_recipient = event["recipient"].as_str().unwrap().split('@').next().unwrap();
        kinds.insert(format!("{by_recipient} {}", event["type"].as_str().unwrap()));
    }
    let expected = [
        "a Delivery",
        "drop-after-data InDoubt",
        "fail Bounce",
        "tempfail TransientFailure",
    ];
    assert_eq!(kinds, expected.map(str::to_owned).into());
    assert_eq!(summary["type"], "Summary");
    for (key, count) in [
        ("recipients", 4),
        ("sent", 1),
        ("failed", 1),
        ("in_doubt", 1),
        ("pending", 1),
    ] {
        assert_eq!(summary[key], count, "{key}");
    }
}

#[test]
fn show_tells_the_whole_story_of_one_recipient() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &["greylist@example.com"]);
    workspace.configure(&sandbox.account(), RETRY_SOON);
    workspace.send(&["--wait"]).expect(0);
    let shown = workspace
        .run(&["show", "news", "GreyList@example.com", "--json"])
        .expect(0);
    let story: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(story["state"], "sent");
    let tries: Vec<_> = story["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| (&attempt["outcome"], &attempt["code"]))
        .collect();
    assert_eq!(
        tries,
        [
            (&Value::from("deferred"), &Value::from(450)),
            (&Value::from("accepted"), &Value::from(250))
        ]
    );
}

// Suppression.

#[test]
fn a_suppressed_address_is_never_mailed() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(10));
    workspace
        .run(&["suppress", "add", "P0002@example.com", "--yes"])
        .expect(0);
    workspace
        .send(&["--limit", "3"])
        .expect(75)
        .says(&["1 recipient is on the suppression list and left out"]);
    workspace
        .run(&["suppress", "add", "p0009@example.com", "--yes"])
        .expect(0);
    workspace.send(&[]).expect(0);
    let arrived = sandbox.arrived();
    assert_eq!(arrived.len(), 8);
    assert!(!arrived.contains_key("p0002@example.com") && !arrived.contains_key("p0009@example.com"));
    let status = workspace.status();
    assert_eq!((status.sent, status.suppressed), (8, 2));
    workspace
        .run(&["suppress", "list"])
        .expect(0)
        .says(&["p0002@example.com", "p0009@example.com"]);
}

#[test]
fn a_suppression_in_the_middle_of_a_run_holds_at_once() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(
        &sandbox.account(),
        &[
            "slow@example.com",
            "a@example.com",
            "b@example.com",
            "last@example.com",
        ],
    );
    // One at a time, so that the last is not under way before it is suppressed.
    workspace.configure(&format!("{}rates = [\"20/s\"]", sandbox.account()), "");
    let running = workspace.start_send(&[]);
    wait_for("the first mail", || (!sandbox.journal().is_empty()).then_some(()));
    workspace
        .run(&["suppress", "add", "last@example.com", "--yes"])
        .expect(0);
    running.wait().expect(0);
    assert_eq!(workspace.in_state("suppressed"), ["last@example.com"]);
    assert_eq!(sandbox.journal().len(), 3);
}

#[test]
fn a_doubtful_mail_to_someone_suppressed_since_is_not_sent_again() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &["accept-then-drop@example.com"]);
    workspace.send(&[]).expect(76);
    workspace
        .run(&["suppress", "add", "accept-then-drop@example.com", "--yes"])
        .expect(0);
    workspace.run(&["resolve", "news", "--resend", "--yes"]).expect(0);
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.journal().len(), 1);
}
