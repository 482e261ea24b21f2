//! In doubt: what may or may not have been accepted is named, counted, held, and settled by the user alone.

use super::dovecot::{Dovecot, PASSWORD};
use super::harness::{Sandbox, Workspace};

const LIST: [&str; 3] = [
    "anna@example.com",
    "drop-after-data-1@example.com",
    "bert@example.com",
];

/// With a server that is told about a mail's content only when it has taken the recipient.
fn in_doubt_after_one_run(list: &[&str]) -> (Sandbox, Workspace) {
    let sandbox = Sandbox::start(&["--without", "chunking"]);
    let workspace = Workspace::new(&sandbox.account(), list);
    workspace.send(&[]).expect(76);
    (sandbox, workspace)
}

#[test]
fn a_link_lost_after_the_end_of_data_leaves_the_delivery_in_doubt() {
    let (sandbox, workspace) = in_doubt_after_one_run(&LIST);
    assert_eq!(workspace.in_state("in_doubt"), ["drop-after-data-1@example.com"]);
    assert_eq!(workspace.status().sent, 2);
    assert_eq!(
        sandbox.journal().len(),
        2,
        "the server threw the doubtful one away"
    );
}

#[test]
fn a_mail_that_was_kept_without_a_reply_is_in_doubt_too() {
    let (sandbox, workspace) = in_doubt_after_one_run(&["anna@example.com", "accept-then-drop@example.com"]);
    assert_eq!(workspace.in_state("in_doubt"), ["accept-then-drop@example.com"]);
    assert_eq!(sandbox.journal().len(), 2);
}

#[test]
fn what_is_in_doubt_is_named_and_held_by_every_further_run() {
    let (sandbox, workspace) = in_doubt_after_one_run(&LIST);
    workspace.send(&[]).expect(76).says(&[
        "1 delivery in doubt is held back",
        "drop-after-data-1@example.com",
    ]);
    workspace
        .run(&["resolve", "news"])
        .expect(0)
        .says(&["1 delivery in doubt", "drop-after-data-1@example.com"]);
    workspace
        .run(&["status", "news"])
        .expect(0)
        .says(&["drop-after-data-1@example.com"]);
    assert_eq!(sandbox.journal().len(), 2);
}

#[test]
fn assume_sent_takes_it_for_sent_and_sends_nothing() {
    let (sandbox, workspace) = in_doubt_after_one_run(&LIST);
    workspace
        .run(&["resolve", "news", "--assume-sent", "--yes"])
        .expect(0)
        .says(&["1 delivery taken for sent"]);
    workspace.send(&[]).expect(0);
    assert_eq!(workspace.status().sent, 3);
    assert_eq!(sandbox.journal().len(), 2);
}

#[test]
fn a_resend_carries_the_same_message_id() {
    let (sandbox, workspace) = in_doubt_after_one_run(&["anna@example.com", "accept-then-drop@example.com"]);
    workspace.run(&["resolve", "news", "--resend", "--yes"]).expect(0);
    workspace.send(&[]).expect(76);
    let sent = sandbox
        .journal()
        .into_iter()
        .filter(|entry| entry.to == ["accept-then-drop@example.com"]);
    let ids: Vec<String> = sent.map(|entry| entry.message_id).collect();
    assert_eq!(ids.len(), 2, "it was sent again");
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn on_doubt_resend_settles_it_in_the_same_command() {
    let (sandbox, workspace) = in_doubt_after_one_run(&["anna@example.com", "accept-then-drop@example.com"]);
    workspace.send(&["--on-doubt", "resend"]).expect(76);
    assert_eq!(sandbox.arrived()["accept-then-drop@example.com"], 2);
}

#[test]
fn one_doubt_can_be_settled_without_the_others() {
    let (_sandbox, workspace) =
        in_doubt_after_one_run(&["drop-after-data-1@example.com", "drop-after-data-2@example.com"]);
    let only = [
        "resolve",
        "news",
        "--assume-sent",
        "--yes",
        "--to",
        "Drop-After-Data-2@example.com",
    ];
    workspace.run(&only).expect(0);
    assert_eq!(workspace.in_state("in_doubt"), ["drop-after-data-1@example.com"]);
}

#[test]
fn a_doubt_is_not_settled_without_a_yes() {
    let (_sandbox, workspace) = in_doubt_after_one_run(&LIST);
    workspace
        .run(&["resolve", "news", "--resend"])
        .expect(64)
        .says(&["nothing was done"]);
    assert_eq!(workspace.status().in_doubt, 1);
}

#[test]
fn the_mail_behind_a_doubtful_one_is_not_in_doubt() {
    let list = [
        "drop-after-data-1@example.com",
        "b@example.com",
        "c@example.com",
        "d@example.com",
    ];
    let (sandbox, workspace) = in_doubt_after_one_run(&list);
    let status = workspace.status();
    assert_eq!((status.in_doubt, status.sent), (1, 3));
    assert!(sandbox.arrived().into_values().eq([1; 3]));
}

#[test]
fn with_chunking_what_left_together_with_a_doubtful_mail_is_in_doubt_too() {
    // A long line, so that the second is on its way before the first is lost.
    let sandbox = Sandbox::start(&["--fault", "delay=200ms"]);
    let workspace = Workspace::new(&sandbox.account(), &LIST);
    workspace.send(&[]).expect(76);
    // One mail proves the way, then two leave together.
    assert_eq!(
        workspace.in_state("in_doubt"),
        ["bert@example.com", "drop-after-data-1@example.com"]
    );
    assert_eq!(workspace.status().sent, 1);
    workspace.run(&["resolve", "news", "--resend", "--yes"]).expect(0);
    workspace.send(&[]).expect(76);
    assert!(sandbox.arrived().into_values().eq([1; 2]));
}

#[test]
fn whoever_left_the_list_stays_in_doubt() {
    let (sandbox, workspace) = in_doubt_after_one_run(&["anna@example.com", "accept-then-drop@example.com"]);
    workspace.list(&["anna@example.com", "bert@example.com"]);
    workspace.send(&["--accept-changes"]).expect(76);
    workspace
        .run(&["resolve", "news", "--resend", "--yes"])
        .expect(0)
        .says(&[
            "0 deliveries will be sent again",
            "accept-then-drop@example.com is no longer on the list and stays in doubt",
        ]);
    workspace.send(&[]).expect(76);
    assert_eq!(sandbox.arrived()["accept-then-drop@example.com"], 1);
    assert_eq!(sandbox.arrived()["bert@example.com"], 1);
}

#[test]
fn whoever_is_in_doubt_and_not_meant_any_longer_is_not_sent_to_again() {
    let (sandbox, workspace) = in_doubt_after_one_run(&LIST);
    workspace.campaign("news", "where = \"email <> 'drop-after-data-1@example.com'\"");
    workspace.send(&["--accept-changes"]).expect(76);
    workspace
        .run(&["resolve", "news", "--resend", "--yes"])
        .expect(0)
        .says(&["is no longer on the list and stays in doubt"]);
    workspace.send(&[]).expect(76);
    assert_eq!(workspace.in_state("in_doubt"), ["drop-after-data-1@example.com"]);
    assert_eq!(sandbox.journal().len(), 2);
    // Meant again, they can be sent to again.
    workspace.campaign("news", "");
    workspace.send(&["--accept-changes"]).expect(76);
    workspace.run(&["resolve", "news", "--resend", "--yes"]).expect(0);
    let tries = || workspace.deliveries()[LIST[1]].message_ids.len();
    assert_eq!(tries(), 1);
    workspace.send(&[]).expect(76);
    assert_eq!(tries(), 2);
}

#[test]
fn a_log_that_knows_a_mail_settles_it_and_one_that_only_began_to_read_it_does_not() {
    let list = ["drop-after-data-1@example.com", "accept-then-drop@example.com"];
    let (_sandbox, workspace) = in_doubt_after_one_run(&list);
    let id = |address: &str| workspace.deliveries()[address].message_ids[0].clone();
    let (gone, kept) = (id(list[0]), id(list[1]));
    workspace.write(
        "mail.log",
        &format!(
            "Nov 24 10:00:00 mx postfix/cleanup[7]: AAAA1111: message-id=<{gone}>\n\
             Nov 24 10:00:00 mx postfix/cleanup[7]: AAAA1111: milter-reject: END-OF-MESSAGE from unknown: 5.7.1 no\n\
             Nov 24 10:00:00 mx postfix/cleanup[7]: BBBB2222: message-id=<{kept}>\n\
             Nov 24 10:00:00 mx postfix/qmgr[8]: BBBB2222: from=<news@aurora-home.example>, size=1, nrcpt=1 (queue active)\n"
        ),
    );
    workspace
        .run(&["resolve", "news", "--from", "mail.log", "--yes"])
        .expect(76)
        .says(&[
            "1 delivery found there, 0 to be sent again, 1 still in doubt",
            "1 delivery settled",
        ]);
    assert_eq!(workspace.in_state("sent"), [list[1]]);
    assert_eq!(
        workspace.deliveries()[list[1]].reason,
        "sent: found in mail.log:4"
    );
    workspace
        .run(&["resolve", "news", "--from", "mail.log", "--complete", "--yes"])
        .expect(0)
        .says(&["1 to be sent again, 0 still in doubt"]);
    assert_eq!(workspace.in_state("pending"), [list[0]]);
    assert_eq!(id(list[0]), gone, "it keeps its Message-ID");
}

#[test]
fn what_a_provider_exported_settles_by_recipient_and_time() {
    let (_sandbox, workspace) = in_doubt_after_one_run(&LIST);
    workspace.write(
        "details.csv",
        "recipient,status,time\ndrop-after-data-1@example.com,delivered,2001-01-01T00:00:00Z\n",
    );
    workspace
        .run(&["resolve", "news", "--from", "details.csv", "--yes"])
        .expect(76)
        .says(&["0 deliveries found there"]);
    let now = workspace.ask("SELECT max(began_at_ms) FROM attempt").unwrap();
    let row = |status: &str| format!("recipient,status,time\ndrop-after-data-1@example.com,{status},{now}\n");
    workspace.write("details.csv", &row("rejected"));
    workspace
        .run(&["resolve", "news", "--from", "details.csv", "--yes"])
        .expect(76)
        .says(&["0 deliveries found there"]);
    workspace.run(&["report", "news", "--csv", "own.csv"]).expect(0);
    workspace
        .run(&["resolve", "news", "--from", "own.csv", "--yes"])
        .expect(74)
        .says(&["mailshot wrote this table itself"]);
    workspace.write("details.csv", &row("delivered"));
    workspace
        .run(&["resolve", "news", "--from", "details.csv", "--yes"])
        .expect(0)
        .says(&["1 delivery found there"]);
    assert_eq!(workspace.status().sent, 3);
    workspace
        .run(&["resolve", "news", "--from", "nowhere.log", "--yes"])
        .expect(74)
        .says(&["cannot read nowhere.log", "nothing was changed"]);
}

#[test]
fn a_mail_that_only_we_have_had_settles_nothing() {
    let (_sandbox, workspace) = in_doubt_after_one_run(&LIST);
    let id = workspace.deliveries()[LIST[1]].message_ids[0].clone();
    let own = format!("From: news@aurora-home.example\nDate: now\nMessage-ID: <{id}>\n\nHello\n");
    let resolve = ["resolve", "news", "--from", "mails", "--yes"];
    workspace.write("mails/own.eml", &own);
    workspace
        .run(&resolve)
        .expect(76)
        .says(&["0 deliveries found there"]);
    workspace.write(
        "mails/came.eml",
        &format!("Delivered-To: drop@example.com\n{own}"),
    );
    workspace.run(&resolve).expect(0);
    assert_eq!(
        workspace.deliveries()[LIST[1]].reason,
        "sent: found in mails/came.eml:4"
    );
}

#[test]
fn a_report_in_a_mailbox_settles_the_doubt_and_stays_where_it_is() {
    let Some(dovecot) = Dovecot::start("a_report_in_a_mailbox_settles_the_doubt", "") else {
        return;
    };
    let (sandbox, mut workspace) = in_doubt_after_one_run(&LIST);
    workspace.env("BOUNCES_PASSWORD", PASSWORD);
    workspace.configure(
        &sandbox.account(),
        &format!("[mailbox.bounces]\n{}\n", dovecot.imap("tls")),
    );
    let resolve = ["resolve", "news", "--from", "mailbox:bounces", "--yes"];
    workspace
        .run(&resolve)
        .expect(76)
        .says(&["mailbox bounces", "0 deliveries found there"]);
    let id = workspace.deliveries()[LIST[1]].message_ids[0].clone();
    dovecot.deliver(
        "1",
        &format!(
            "From: MAILER-DAEMON@example.com\nDate: now\nMessage-ID: <report@example.com>\n\n\
             No such user. Your mail follows.\n\nMessage-ID: <{id}>\n"
        ),
    );
    workspace.run(&resolve).expect(0).says(&["1 delivery settled"]);
    let reason = workspace.deliveries()[LIST[1]].reason.clone();
    assert!(
        reason.starts_with("sent: found in mailbox bounces, INBOX, mail "),
        "{reason}"
    );
    assert_eq!(dovecot.mails("").len(), 1, "it is still to be fetched");
    workspace
        .run(&["resolve", "news", "--from", "mailbox:bouncs", "--yes"])
        .expect(64)
        .says(&["mailshot.toml has no mailbox `bouncs`"]);
}
