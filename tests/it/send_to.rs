//! `mailshot doctor --send-to`: one real mail, the dialogue, and what a refusal in it means.

use serde_json::Value;

use super::harness::{Sandbox, Workspace};

const LOGIN: &str =
    "username = \"news@aurora-home.example\"\npassword_env = \"PW\"\nallow_plaintext = true\n";

fn workspace(sandbox: &Sandbox, password: &str) -> Workspace {
    let mut workspace = Workspace::new(&sandbox.account(), &["li@example.com"]);
    workspace.configure(&format!("{}{LOGIN}", sandbox.account()), "");
    workspace.env("PW", password);
    workspace
}

/// The dialogue without what differs from run to run.
fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"doctor test \d[^:\n·]*", "doctor test … "),
        (r"news test \d[^:\n·]*", "news test … "),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"message of \d+ octets", "message of … octets"),
        (r"BDAT \d+", "BDAT …"),
        (r"until \d[^:]*:\d\d:\d\d [A-Z]+", "until …"),
        (r"at \d{4}-[^:]*:\d\d:\d\d [A-Z]+", "at …"),
    ]
}

#[test]
fn one_real_mail_is_sent_with_the_whole_dialogue_and_goes_on_record() {
    let sandbox = Sandbox::keeping_mails_with(&["--login", "news@aurora-home.example:right-one"]);
    let workspace = workspace(&sandbox, "right-one");
    let ended = workspace
        .run(&["doctor", "--send-to", "me@example.net"])
        .expect(0);
    assert!(!ended.text().contains("right-one"), "{}", ended.text());
    insta::with_settings!({ filters => filters() }, {
        insta::assert_snapshot!("send_to", ended.text());
    });
    let mails = sandbox.mails();
    assert_eq!(mails.len(), 1);
    let mail = String::from_utf8_lossy(&mails[0]).into_owned();
    assert!(
        mail.contains("To: me@example.net") && mail.contains("List-Unsubscribe: "),
        "{mail}"
    );
    // The mail that arrives is found again.
    workspace.write("copy.eml", &mail);
    let nobody = "--resolver=127.0.0.1:1";
    let read = workspace.run(&["verify", "copy.eml", nobody]);
    read.says(&["on record: campaign doctor test ", "not a byte of it was changed"]);
    // As does that of a campaign.
    workspace
        .run(&["doctor", "news", "--send-to", "me@example.net"])
        .expect(0);
    assert_eq!(sandbox.mails().len(), 2);
}

#[test]
fn a_refusal_says_what_it_means() {
    let sandbox = Sandbox::keeping_mails();
    let workspace = Workspace::new(&sandbox.account(), &["li@example.com"]);
    let try_it = |address: &str, more: &[&str]| {
        let words = ["doctor", "--send-to", address];
        workspace.run(&[words.as_slice(), more].concat()).expect(76)
    };
    insta::with_settings!({ filters => filters() }, {
        insta::assert_snapshot!("send_to_refused", try_it("550-anna@example.net", &[]).text());
        let chinese = try_it("550-bela@example.net", &["--lang", "zh"]);
        insta::assert_snapshot!("send_to_refused_zh", chinese.text());
    });
    // Whoever does not exist is never mailed again, and that is said.
    try_it("550-anna@example.net", &[]).says(&["nothing was sent to 550-anna@example.net"]);
    let lines: Vec<Value> = try_it("550-cora@example.net", &["--json"]).json();
    let refusal = lines
        .iter()
        .find(|line| line["type"] == "Dialogue" && !line["class"].is_null());
    let refusal = refusal.unwrap();
    let said = lines.iter().filter(|line| !line["class"].is_null());
    assert_eq!(
        said.count(),
        1,
        "what follows from it is not explained: {lines:?}"
    );
    assert_eq!(refusal["stage"], "rcpt", "{refusal}");
    assert!(!refusal["advice"].as_str().unwrap().is_empty(), "{refusal}");
}

#[test]
fn a_refused_login_is_tried_once_and_the_next_visit_does_not_knock() {
    let sandbox = Sandbox::keeping_mails_with(&["--login", "news@aurora-home.example:right-one"]);
    let workspace = workspace(&sandbox, "wrong-one");
    let words = ["doctor", "--send-to", "me@example.net"];
    let first = workspace.run(&words).expect(77);
    first.says(&["class:  AUTH_FAILED, at auth"]);
    assert!(!first.text().contains("wrong-one"), "{}", first.text());
    workspace.run(&words).expect(77).says(&["is left alone until"]);
    assert_eq!(sandbox.stop().logins_refused, 1);
}

#[test]
fn what_cannot_be_tried_says_why() {
    let sandbox = Sandbox::keeping_mails();
    let workspace = Workspace::new(&sandbox.account(), &["li@example.com"]);
    let mut shown = String::new();
    for words in [
        &["doctor", "--send-to", "nobody"][..],
        &["doctor", "spring", "--send-to", "me@example.net"],
        &["doctor", "--login-again"],
    ] {
        let ended = workspace.run(words);
        shown += &[
            &words.join(" "),
            "\n",
            &ended.text(),
            &format!("exit {:?}\n\n", ended.code),
        ]
        .concat();
    }
    insta::assert_snapshot!("send_to_errors", shown);
    assert_eq!(sandbox.mails().len(), 0);
}
