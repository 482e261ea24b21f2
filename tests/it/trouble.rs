//! A server that makes trouble: each refusal leads to the state that `docs/states.md` names, nobody is lost, and nobody
//! gets a mail twice.

use super::harness::{RETRY_SOON, Sandbox, Workspace, people, wait_for};

/// Retries within moments, and nobody is given up.
const SOON_AND_OFTEN: &str = "[retry]\ndelays = [\"50ms\"]\ntries = 50\n";

fn all_arrive_in_spite_of(faults: &[&str], account: &str) -> Sandbox {
    all_arrive(&[], faults, account)
}

fn all_arrive<'a>(extensions: &[&'a str], faults: &[&'a str], account: &str) -> Sandbox {
    let mut arguments = extensions.to_vec();
    arguments.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let sandbox = Sandbox::start(&arguments);
    let workspace = Workspace::new(&format!("{}{account}", sandbox.account()), &people(40));
    workspace.configure(&format!("{}{account}", sandbox.account()), SOON_AND_OFTEN);
    workspace.send(&["--wait"]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 40]), "{faults:?}");
    assert_eq!(workspace.status().sent, 40, "{faults:?}");
    sandbox
}

// The states: every row of the table in docs/states.md that does not need a crash.

#[test]
fn the_intent_is_on_disk_while_the_mail_is_under_way() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &["slow@example.com"]);
    let running = workspace.start_send(&[]);
    wait_for("the server to have it", || {
        (!sandbox.journal().is_empty()).then_some(())
    });
    assert_eq!(workspace.status().sending, 1);
    running.wait().expect(0);
    assert_eq!(workspace.status().sent, 1);
}

#[test]
fn a_deferred_mail_is_due_later_and_the_run_says_when() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &["a@example.com", "greylist@example.com"]);
    workspace
        .send(&[])
        .expect(75)
        .says(&["1 waits for another try", "run the same command again"]);
    let status = workspace.status();
    assert_eq!((status.sent, status.pending), (1, 1));
    workspace.send(&[]).expect(75);
    assert_eq!(sandbox.journal().len(), 1, "not before it is due");
}

#[test]
fn greylisted_mails_arrive_when_the_run_waits() {
    let sandbox = Sandbox::start(&[]);
    let list = [
        "a@example.com",
        "greylist-1@example.com",
        "greylist-2@example.com",
    ];
    let workspace = Workspace::new(&sandbox.account(), &list);
    workspace.configure(&sandbox.account(), RETRY_SOON);
    workspace.send(&["--wait"]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 3]));
}

#[test]
fn a_mail_deferred_too_often_is_given_up_with_its_reason() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &["a@example.com", "tempfail@example.com"]);
    workspace.configure(&sandbox.account(), RETRY_SOON);
    workspace
        .send(&["--wait"])
        .expect(76)
        .says(&["tempfail@example.com  given up after 3 tries"]);
    let delivery = &workspace.deliveries()["tempfail@example.com"];
    assert_eq!(
        (
            delivery.state.as_str(),
            delivery.tries,
            delivery.message_ids.len()
        ),
        ("failed", 3, 3)
    );
    assert!(delivery.reason.contains("451"), "{}", delivery.reason);
}

#[test]
fn a_refused_recipient_fails_alone() {
    for address in ["fail@example.com", "550-x@example.com", "data-554-x@example.com"] {
        let sandbox = Sandbox::start(&[]);
        let workspace = Workspace::new(&sandbox.account(), &["a@example.com", address, "b@example.com"]);
        workspace.send(&[]).expect(76).says(&[address]);
        assert_eq!(workspace.in_state("failed"), [address]);
        assert_eq!(workspace.status().sent, 2, "{address}");
        workspace.send(&[]).expect(76);
        assert_eq!(sandbox.journal().len(), 2, "given up is given up");
    }
}

#[test]
fn a_refused_sender_stops_the_account_and_fails_nobody() {
    let sandbox = Sandbox::start(&["--fault", "refuse-mail-from=550 5.7.1 not you"]);
    let workspace = Workspace::new(&format!("{}connections = 5", sandbox.account()), &people(30));
    workspace.send(&[]).expect(77).says(&[
        "the server refused the account or its sender",
        "550 5.7.1 not you",
    ]);
    let status = workspace.status();
    assert_eq!((status.pending, status.failed), (30, 0));
}

#[test]
fn a_mail_that_is_refused_again_and_again_pauses_the_campaign() {
    for fault in ["5xx=1@data", "5xx=1@end-of-data"] {
        let sandbox = Sandbox::start(&["--fault", fault]);
        let workspace = Workspace::new(&sandbox.account(), &people(100));
        workspace
            .send(&[])
            .expect(75)
            .says(&["the server refuses this mail again and again"]);
        let status = workspace.status();
        assert!(status.failed <= 22 && status.pending >= 78, "{fault}: {status:?}");
    }
}

#[test]
fn a_provider_that_cannot_be_reached_costs_nobody_a_try() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let workspace = Workspace::new(
        &format!("host = \"127.0.0.1\"\nport = {port}\ntls = \"none\""),
        &people(3),
    );
    workspace
        .send(&[])
        .expect(69)
        .says(&["the server cannot be reached", "3 wait"]);
    assert_eq!(workspace.status().pending, 3);
    assert_eq!(workspace.ask("SELECT count(*) FROM attempt"), Some(0));
}

#[test]
fn a_long_list_without_room_for_temporary_files_sends_nothing() {
    let sandbox = Sandbox::start(&[]);
    let mut workspace = Workspace::new(&sandbox.account(), &people(70_000));
    workspace.env("TMPDIR", "/nowhere");
    workspace.send(&[]).expect(74).says(&[
        "find the duplicates of",
        "a temporary file in /nowhere (TMPDIR says where)",
    ]);
    assert!(sandbox.journal().is_empty());
    // A short one needs none.
    workspace.list(&people(3));
    workspace.send(&[]).expect(0);
}

// A server that makes trouble loses nobody and doubles nobody.

#[test]
fn links_lost_before_the_end_of_data_are_tried_again() {
    for fault in [
        "drop=mail/7",
        "drop=rcpt/7",
        "drop=data/7",
        "drop=ehlo/3",
        "drop=connect/3",
    ] {
        all_arrive(
            &["--without", "chunking"],
            &[fault],
            "connections = 2\nmessages_per_connection = 5",
        );
    }
}

#[test]
fn a_server_that_ends_connections_loses_nobody() {
    all_arrive_in_spite_of(&["close-after=3"], "connections = 3");
    all_arrive_in_spite_of(&["reply@rcpt/9=421 4.7.0 closing"], "connections = 3");
    all_arrive_in_spite_of(&["reply@end-of-data/9=451 4.3.0 later"], "connections = 3");
    all_arrive_in_spite_of(
        &["4xx=0.2@rcpt", "4xx=0.2@mail", "4xx=0.2@data"],
        "connections = 3\nhello = \"x.example\"",
    );
}

#[test]
fn a_server_with_few_connections_gets_few() {
    let sandbox = all_arrive_in_spite_of(&["max-connections=2", "delay=2ms"], "connections = 8");
    // Each of the eight asks once; those that are sent away stay away.
    assert!(sandbox.stop().connections <= 10);
}

#[test]
fn a_connection_closed_while_idle_costs_nobody_a_try() {
    let sandbox = Sandbox::start(&["--fault", "idle-close=50ms"]);
    let workspace = Workspace::new(&format!("{}rates = [\"2/s\"]", sandbox.account()), &people(5));
    workspace.send(&[]).expect(0);
    assert_eq!(
        workspace.ask("SELECT count(*) FROM attempt"),
        Some(5),
        "one attempt each"
    );
    assert!(sandbox.stop().connections > 1);
}

#[test]
fn messages_per_connection_is_kept() {
    let sandbox = all_arrive_in_spite_of(&[], "messages_per_connection = 10");
    assert_eq!(sandbox.stop().connections, 4);
}

#[test]
fn a_server_without_pipelining_gets_one_command_at_a_time() {
    // The sandbox answers 554 and hangs up on whoever does not wait.
    let sandbox = Sandbox::start(&["--without", "pipelining"]);
    let workspace = Workspace::new(&format!("{}connections = 3", sandbox.account()), &people(40));
    workspace.send(&[]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 40]));
}

#[test]
fn refused_content_is_not_offered_again_until_it_is_changed() {
    let sandbox = Sandbox::start(&["--fault", "reply@end-of-data=554 5.7.1 looks like spam"]);
    let workspace = Workspace::new(&sandbox.account(), &people(60));
    workspace
        .send(&[])
        .expect(75)
        .says(&["refuses this mail again and again"]);
    let failed = workspace.status().failed;
    assert!((3..=5).contains(&failed), "{failed}");
    workspace
        .send(&[])
        .expect(75)
        .says(&["they are not offered again", "--accept-changes"]);
    assert_eq!(workspace.status().failed, failed, "cron does not burn the list");
    drop(sandbox);
    let better = Sandbox::start(&[]);
    workspace.configure(&better.account(), "");
    workspace.write("templates/body.html.hbs", "<p>Better, {{name}}</p>{{{footer}}}");
    // Another list, too: nobody who stands on it is left out, and it need not be for a new person's sake.
    workspace.list(&people(61));
    workspace
        .send(&["--accept-changes"])
        .expect(0)
        .says(&["refused for their content wait again"]);
    assert!(better.arrived().into_values().eq([1; 61]));
}

#[test]
fn a_server_that_takes_mails_and_never_answers_is_left_alone() {
    let sandbox = Sandbox::start(&["--fault", "drop=after-data"]);
    let workspace = Workspace::new(&sandbox.account(), &people(60));
    workspace.send(&[]).expect(69);
    let status = workspace.status();
    // One mail at a time: nothing was accepted yet that would let more of them fly together.
    assert_eq!((status.pending, status.in_doubt), (54, 6), "{status:?}");
}

#[test]
fn replies_that_no_rule_knows_are_kept_and_listed_until_a_rule_knows_them() {
    let sandbox = Sandbox::start(&["--fault", "reply@rcpt=598 the moon is in the wrong house"]);
    let workspace = Workspace::new(&sandbox.account(), &people(3));
    workspace.send(&[]).expect(76);
    workspace.run(&["report", "news"]).expect(0).says(&[
        "3 failed",
        "3 × at rcpt: 598 the moon is in the wrong house",
        "[[rule]]",
    ]);
    let rule = "[[rule]]\nclass = \"GREYLIST\"\ntext = \"moon is in the wrong\"\nadvice = \"wait for the new moon\"\n";
    workspace.configure(&sandbox.account(), rule);
    let explained = workspace.run(&["explain", "598 the moon is in the wrong house", "--stage", "rcpt"]);
    explained.expect(0).says(&["GREYLIST", "wait for the new moon"]);
}

#[test]
fn explain_says_so_when_there_is_no_verdict_to_explain() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(1));
    workspace
        .run(&["explain", "hello world"])
        .expect(65)
        .says(&["without a code", "is it a server's reply?"]);
    workspace
        .run(&["explain", "354 go ahead"])
        .expect(65)
        .says(&["is no verdict"]);
    workspace
        .run(&["explain", ""])
        .expect(64)
        .says(&["nothing to explain"]);
    workspace
        .run(&["explain", "550 no", "--to", "@@@"])
        .expect(64)
        .says(&["neither an address nor a domain"]);
    workspace
        .run(&["explain", "550 no", "--provider", "nobody-knows"])
        .expect(0)
        .says(&["nothing is known of a provider `nobody-knows`"]);
    workspace
        .run(&["explain", "550 no", "--stage", "letter"])
        .expect(64)
        .says(&["connect, ehlo, auth, mail, rcpt, data and dot"]);
    // A wrong password of a provider that wants one of its own kind: which, and where it is made.
    workspace
        .run(&[
            "explain",
            "526 Authentication failure[0]",
            "--provider",
            "AliMail",
        ])
        .expect(0)
        .says(&["AUTH_FAILED", "password:"]);
}

#[test]
fn explain_takes_a_reply_in_the_encoding_of_the_terminal_it_was_copied_from() {
    use std::os::unix::ffi::OsStrExt as _;
    let gb18030 = b"550 \xd3\xc3\xbb\xa7\xb2\xbb\xb4\xe6\xd4\xda";
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mailshot"));
    let ended = command
        .arg("explain")
        .arg(std::ffi::OsStr::from_bytes(gb18030))
        .output()
        .unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(
        said.contains("用户不存在") && said.contains("UNKNOWN_USER"),
        "{said}"
    );
}
