//! What comes back: reports are read, people are suppressed, campaigns are held, and the report counts it all.

use serde_json::Value;

use super::harness::{Sandbox, Workspace, people};

/// The Message-ID of the mail to somebody.
fn message_id(workspace: &Workspace, address: &str) -> String {
    workspace.deliveries()[address].message_ids[0].clone()
}

/// A report that the mail to somebody could not be delivered.
fn bounce(workspace: &Workspace, name: &str, address: &str, said: &str) {
    let id = message_id(workspace, address);
    workspace.write(
        name,
        &format!(
            "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.com\nTo: news@aurora-home.example\n\
             Subject: Undelivered Mail Returned to Sender\nMessage-ID: <{name}@mx.example.com>\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\n\
             It failed.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n\n\
             Final-Recipient: rfc822; {address}\nAction: failed\nDiagnostic-Code: smtp; {said}\n\
             --b\nContent-Type: text/rfc822-headers\n\nFrom: news@aurora-home.example\nTo: {address}\n\
             Message-ID: <{id}>\nMIME-Version: 1.0\n--b--\n"
        ),
    );
}

/// A complaint about the mail to somebody, who is not named.
fn complaint(workspace: &Workspace, name: &str, address: &str) {
    let id = message_id(workspace, address);
    workspace.write(
        name,
        &format!(
            "From: fbl@isp.example\nTo: news@aurora-home.example\nSubject: complaint\nMessage-ID: <{name}@isp.example>\n\
             MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\
             Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n--b\nContent-Type: message/rfc822\n\n\
             From: news@aurora-home.example\nTo: <redacted>\nMessage-ID: <{id}>\nMIME-Version: 1.0\n\nx\n--b--\n"
        ),
    );
}

fn sent(count: usize) -> (Sandbox, Workspace) {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(count));
    workspace.send(&[]).expect(0);
    (sandbox, workspace)
}

#[test]
fn who_has_no_mailbox_any_more_is_left_out_by_the_next_campaign() {
    let (_sandbox, workspace) = sent(3);
    bounce(
        &workspace,
        "back/1.eml",
        "p0001@example.com",
        "550 5.1.1 no such user",
    );
    bounce(
        &workspace,
        "back/2.eml",
        "p0002@example.com",
        "552 5.2.2 mailbox full",
    );
    let lines: Vec<Value> = workspace
        .run(&["feedback", "import", "back", "--json"])
        .expect(0)
        .json();
    let told: Vec<String> = lines
        .iter()
        .map(|line| {
            let word = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
            [
                word("kind"),
                word("recipient"),
                word("severity"),
                word("class"),
                word("campaign"),
                word("suppressed"),
            ]
            .join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "bounce p0001@example.com hard UNKNOWN_USER news hard_bounce",
            "bounce p0002@example.com soft MAILBOX_FULL news -",
        ]
    );
    workspace.campaign("next", "");
    workspace.run(&["send", "next", "--yes"]).expect(0);
    let next = workspace.status_of("next");
    assert_eq!((next.sent, next.suppressed), (2, 1));
    workspace
        .run(&["suppress", "show", "p0001@example.com"])
        .expect(0)
        .says(&["no such mailbox", "hard bounce", "back/1.eml"]);
}

#[test]
fn the_same_report_twice_changes_nothing() {
    let (_sandbox, workspace) = sent(2);
    bounce(&workspace, "1.eml", "p0001@example.com", "550 5.1.1 no such user");
    workspace.run(&["feedback", "import", "1.eml"]).expect(0);
    workspace
        .run(&[
            "suppress",
            "remove",
            "p0001@example.com",
            "--reason",
            "a mistake of theirs",
            "--yes",
        ])
        .expect(0);
    workspace
        .run(&["feedback", "import", "1.eml"])
        .expect(0)
        .says(&["taken in before"]);
    workspace
        .run(&["suppress", "show", "p0001@example.com"])
        .expect(0)
        .says(&["is not suppressed", "no longer suppressed", "a mistake of theirs"]);
    assert_eq!(workspace.ask("SELECT count(*) FROM feedback"), Some(1));
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let (_sandbox, workspace) = sent(2);
    bounce(&workspace, "1.eml", "p0001@example.com", "550 5.1.1 no such user");
    let dry = workspace
        .run(&["feedback", "import", "1.eml", "--dry-run", "--json"])
        .expect(0);
    assert_eq!(workspace.ask("SELECT count(*) FROM feedback"), Some(0));
    assert_eq!(workspace.ask("SELECT count(*) FROM suppression"), Some(0));
    let real = workspace
        .run(&["feedback", "import", "1.eml", "--json"])
        .expect(0);
    assert_eq!(dry.stdout, real.stdout);
}

#[test]
fn reports_about_other_peoples_mails_suppress_nobody() {
    let (_sandbox, workspace) = sent(1);
    bounce(&workspace, "1.eml", "p0001@example.com", "550 5.1.1 no such user");
    let foreign = std::fs::read_to_string(workspace.path("1.eml")).unwrap();
    let id = message_id(&workspace, "p0001@example.com");
    let foreign = foreign
        .replace(&id, "other@elsewhere.example")
        .replace("p0001@example.com", "x@elsewhere.example");
    workspace.write("1.eml", &foreign);
    workspace
        .run(&["feedback", "import", "1.eml"])
        .expect(0)
        .says(&["of no mail on record", "nobody is suppressed for them"]);
    assert_eq!(workspace.ask("SELECT count(*) FROM suppression"), Some(0));
}

#[test]
fn mboxes_and_maildirs_are_gone_through_and_what_is_not_there_is_said() {
    let (_sandbox, workspace) = sent(3);
    bounce(&workspace, "1.eml", "p0001@example.com", "550 5.1.1 no such user");
    bounce(&workspace, "2.eml", "p0002@example.com", "550 5.1.1 no such user");
    let mails: Vec<String> = ["1.eml", "2.eml"]
        .map(|name| std::fs::read_to_string(workspace.path(name)).unwrap())
        .into();
    let mbox: Vec<String> = mails
        .iter()
        .map(|mail| format!("From MAILER-DAEMON Tue Nov 24 10:00:00 2026\n{mail}\n"))
        .collect();
    workspace.write("back.mbox", &mbox.concat());
    let lines: Vec<Value> = workspace
        .run(&["feedback", "import", "back.mbox", "--dry-run", "--json"])
        .expect(0)
        .json();
    let files: Vec<&str> = lines.iter().map(|line| line["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["back.mbox:1", "back.mbox:2"]);
    workspace
        .write("Maildir/new/1", &mails[0])
        .write("Maildir/cur/2:2,S", &mails[1]);
    workspace.write("Maildir/tmp/3", &mails[1]);
    let lines: Vec<Value> = workspace
        .run(&["feedback", "import", "Maildir", "--json"])
        .expect(0)
        .json();
    assert_eq!(lines.len(), 2, "tmp holds what is not complete");
    workspace
        .run(&["feedback", "import", "nowhere"])
        .expect(74)
        .says(&["cannot read nowhere"]);
}

#[test]
fn a_campaign_that_people_complain_about_is_held_until_somebody_says_go_on() {
    let (_sandbox, workspace) = sent(20);
    complaint(&workspace, "1.eml", "p0003@example.com");
    workspace.run(&["feedback", "import", "1.eml"]).expect(0).says(&[
        "suppressed (complained)",
        "campaign news is held: 1 of 20 complained",
    ]);
    workspace.list(&people(25));
    workspace.send(&["--accept-changes"]).expect(75).says(&[
        "`news` is held: 1 of 20 complained",
        "nothing was sent",
        "--release",
    ]);
    assert_eq!(workspace.status().sent, 20);
    workspace.send(&["--accept-changes", "--release"]).expect(0);
    assert_eq!(workspace.status().sent, 25);
}

#[test]
fn soft_bounces_of_three_campaigns_are_enough_unless_the_workspace_says_otherwise() {
    let sandbox = Sandbox::start(&[]);
    for (setting, expected) in [("", 1), ("[feedback]\nsoft_limit = 4", 0)] {
        let workspace = Workspace::new(&sandbox.account(), &people(1));
        workspace.configure(&sandbox.account(), setting);
        for name in ["one", "two", "three"] {
            workspace.campaign(name, "");
            workspace.run(&["send", name, "--yes"]).expect(0);
            let sql = format!(
                "SELECT message_id FROM attempt JOIN campaign ON campaign.id = delivery_id >> 32 WHERE name = '{name}'"
            );
            let id: String = workspace
                .ledger()
                .unwrap()
                .query_row(&sql, [], |row| row.get(0))
                .unwrap();
            workspace.write(
                "soft.eml",
                &format!(
                    "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.com\nTo: news@aurora-home.example\nSubject: failure notice\n\
                     Message-ID: <{name}@mx>\n\nI wasn't able to deliver your message.\n\n<p0001@example.com>:\n552 5.2.2 mailbox \
                     full\n\n--- Below this line is a copy of the message.\n\nReceived: x\nTo: p0001@example.com\nMessage-ID: \
                     <{id}>\nFrom: news@aurora-home.example\n"
                ),
            );
            workspace.run(&["feedback", "import", "soft.eml"]).expect(0);
        }
        let suppressed = workspace.ask("SELECT count(*) FROM suppression WHERE reason = 'soft_bounces'");
        assert_eq!(suppressed, Some(expected), "{setting}");
    }
}

#[test]
fn the_report_counts_what_came_back_and_its_sums_agree() {
    let (_sandbox, workspace) = sent(40);
    bounce(
        &workspace,
        "back/1.eml",
        "p0001@example.com",
        "550 5.1.1 no such user",
    );
    bounce(
        &workspace,
        "back/2.eml",
        "p0002@example.com",
        "552 5.2.2 mailbox full",
    );
    complaint(&workspace, "back/3.eml", "p0003@example.com");
    workspace.run(&["feedback", "import", "back"]).expect(0);
    let report: Value = workspace
        .run(&["report", "news", "--json"])
        .expect(0)
        .json()
        .remove(0);
    let count = |key: &str| report[key].as_u64().unwrap();
    assert_eq!(
        [
            count("recipients"),
            count("sent"),
            count("bounced_hard"),
            count("bounced_soft"),
            count("complained")
        ],
        [40, 40, 1, 1, 1]
    );
    assert_eq!(report["families"][""]["sent"], 40);
    workspace.run(&["report", "news"]).expect(0).says(&[
        "1 bounced for good (2.50 %)",
        "1 complained (2.50 %)",
        "over 0.3%",
        "the campaign is held",
    ]);
    workspace
        .run(&["report", "news", "--csv", "story.csv", "--html", "report.html"])
        .expect(0);
    let story = std::fs::read_to_string(workspace.path("story.csv")).unwrap();
    assert_eq!(story.lines().count(), 41);
    assert!(story.contains("bounce hard UNKNOWN_USER"), "{story}");
    let page = std::fs::read_to_string(workspace.path("report.html")).unwrap();
    assert!(
        page.contains("<svg") && page.contains("@media print") && !page.contains("<script"),
        "{page}"
    );
}

#[test]
fn no_cell_of_the_story_is_a_formula() {
    let sandbox = Sandbox::start(&["--fault", "reply@rcpt=550 =cmd|calc"]);
    let workspace = Workspace::new(&sandbox.account(), &["=1+1@example.com", "+49@example.com"]);
    workspace.send(&[]).expect(76);
    let story = workspace.run(&["report", "news", "--csv", "-"]).expect(0).stdout;
    assert!(
        story.contains("'=1+1@example.com") && story.contains("'+49@example.com"),
        "{story}"
    );
}

#[test]
fn the_suppression_list_goes_out_and_comes_back_as_it_was() {
    let workspace = Workspace::new("host = \"localhost\"", &people(1));
    for arguments in [
        [
            "suppress",
            "add",
            "li@example.com",
            "--reason",
            "asked, by \"phone\"",
            "--yes",
        ]
        .as_slice(),
        &[
            "suppress",
            "add",
            "@spam.example",
            "info@*",
            "--list",
            "<news.aurora-home.example>",
            "--yes",
        ],
        &[
            "suppress",
            "add",
            "wu@example.com",
            "--reason",
            "complaint",
            "--yes",
        ],
    ] {
        workspace.run(arguments).expect(0);
    }
    let before = workspace.run(&["suppress", "list", "--json"]).expect(0).stdout;
    workspace
        .run(&["suppress", "export", "out.csv"])
        .expect(0)
        .says(&["4 addresses"]);
    let other = Workspace::new("host = \"localhost\"", &people(1));
    let file = workspace.path("out.csv").display().to_string();
    other.run(&["suppress", "import", &file, "--yes"]).expect(0);
    assert_eq!(
        other.run(&["suppress", "list", "--json"]).expect(0).stdout,
        before
    );
    workspace
        .run(&["suppress", "export", "out.csv"])
        .expect(74)
        .says(&["cannot write out.csv"]);
    workspace
        .run(&["suppress", "list", "--reason", "complaint"])
        .expect(0)
        .says(&["wu@example.com"]);
}

#[test]
fn nobody_is_mailed_again_without_a_reason() {
    let workspace = Workspace::new("host = \"localhost\"", &people(1));
    workspace
        .run(&["suppress", "add", "li@example.com", "--yes"])
        .expect(0);
    workspace
        .run(&["suppress", "remove", "li@example.com", "--yes"])
        .expect(64);
    workspace
        .run(&["suppress", "remove", "li@example.com", "--reason", " ", "--yes"])
        .expect(64)
        .says(&["say why they may be mailed again", "nothing was changed"]);
    assert_eq!(workspace.ask("SELECT count(*) FROM suppression"), Some(1));
}

#[test]
fn events_of_a_provider_count_as_reports_do() {
    let (_sandbox, workspace) = sent(4);
    let id = message_id(&workspace, "p0001@example.com");
    workspace.write(
        "events.json",
        &format!(
            "[{{\"sg_event_id\":\"e1\",\"event\":\"bounce\",\"type\":\"bounce\",\"email\":\"p0001@example.com\",\"smtp-id\":\"<{id}>\",\
             \"reason\":\"550 5.1.1 no such user\"}},{{\"sg_event_id\":\"e2\",\"event\":\"open\",\"email\":\"p0002@example.com\"}}]"
        ),
    );
    workspace.write(
        "table.csv",
        "email,type\np0002@example.com,unsubscribed\nx@elsewhere.example,hard\n",
    );
    for expected in ["→ suppressed (no such mailbox)", "(taken in before)"] {
        workspace
            .run(&["feedback", "import-events", "events.json"])
            .expect(0)
            .says(&[expected, "1 about other things"]);
    }
    workspace
        .run(&["feedback", "import-events", "table.csv"])
        .expect(0)
        .says(&[
            "p0002@example.com: unsubscribed → suppressed",
            "x@elsewhere.example",
            "nobody is suppressed",
        ]);
    assert_eq!(workspace.ask("SELECT count(*) FROM suppression"), Some(2));
    workspace.write("odd.csv", "name,shoe size\nLi,42\n");
    workspace
        .run(&["feedback", "import-events", "odd.csv"])
        .expect(65)
        .says(&[
            "odd.csv has no events that can be understood",
            "email,type",
            "nothing was changed",
        ]);
}
