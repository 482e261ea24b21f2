//! `mailshot verify`: copies of mails that were really sent, as they arrive and as others change them.

use serde_json::Value;

use super::harness::{Dns, Ended, Sandbox, Workspace};

/// A workspace that has sent one signed mail, the mail as it arrived, and the DNS with all that is needed.
struct Sent {
    workspace: Workspace,
    mail: String,
    dns: Dns,
    _sandbox: Sandbox,
}

const WAY: &str = "Return-Path: <news@aurora-home.example>\r\nAuthentication-Results: mx.example.com; dkim=pass \
                   header.d=aurora-home.example; spf=pass smtp.mailfrom=news@aurora-home.example; dmarc=pass\r\n\
                   Received: from m.aurora-home.example (m.aurora-home.example [203.0.113.7]) by mx.example.com; Mon, 23 \
                   Nov 2026 05:10:22 +0000\r\n";

fn sent(arguments: &[&str]) -> Sent {
    let sandbox = Sandbox::keeping_mails();
    let workspace = Workspace::new(&sandbox.account(), &["li@example.com"]);
    let made = workspace.run(&[
        "secret",
        "dkim-keygen",
        "--domain",
        "aurora-home.example",
        "--selector",
        "m1",
        "--algorithm",
        "ed25519",
        "--out",
        "m1.pem",
        "--json",
    ]);
    let record = made.expect(0).json::<Value>().remove(0)["record"]["value"].clone();
    workspace.configure(
        &sandbox.account(),
        "[account.main.dkim]\nselector = \"m1\"\nkey_file = \"m1.pem\"\n",
    );
    workspace
        .run(&[&["send", "news", "--yes"], arguments].concat())
        .expect(0);
    let mail = String::from_utf8(sandbox.mails().remove(0)).unwrap();
    let dns = Dns::authority(&format!(
        "aurora-home.example 60 SOA 1\naurora-home.example 60 TXT v=spf1 ip4:203.0.113.0/24 -all\n\
         _dmarc.aurora-home.example 60 TXT v=DMARC1; p=reject\n\
         m1._domainkey.aurora-home.example 60 TXT {}",
        record.as_str().unwrap()
    ));
    Sent {
        workspace,
        mail: format!("{WAY}{mail}"),
        dns,
        _sandbox: sandbox,
    }
}

impl Sent {
    /// Reads this copy back.
    fn verify(&self, copy: &str, more: &[&str]) -> Ended {
        self.workspace.write("copy.eml", copy);
        let words = ["verify", "copy.eml", &self.dns.argument()];
        self.workspace.run(&[words.as_slice(), more].concat())
    }

    /// The findings of a copy, as `DKIM-10 ok`.
    fn findings(&self, copy: &str, code: i32) -> Vec<String> {
        let all: Vec<Value> = self.verify(copy, &["--json"]).expect(code).json();
        let of = |line: &Value| Some(format!("{} {}", line["id"].as_str()?, line["severity"].as_str()?));
        all.iter().filter_map(of).collect()
    }
}

#[test]
fn a_mail_that_arrived_as_it_was_sent_is_good_in_every_way() {
    let sent = sent(&[]);
    let found = sent.findings(&sent.mail, 0);
    assert_eq!(
        found,
        [
            "DKIM-10 ok",
            "DKIM-11 ok",
            "DKIM-12 ok",
            "SPF-10 ok",
            "DMARC-10 ok",
            "AR-01 ok",
            "SENT-01 ok",
            "SENT-03 ok"
        ]
    );
    // However a mail program saves it.
    assert_eq!(sent.findings(&sent.mail.replace("\r\n", "\n"), 0), found);
}

#[test]
fn a_test_mail_is_found_in_the_ledger_too() {
    let sent = sent(&["--test-to", "me@example.net"]);
    let ended = sent.verify(&sent.mail, &[]).expect(0);
    ended.says(&["on record: campaign news test ", "not a byte of it was changed"]);
}

#[test]
fn what_the_provider_changes_is_named_and_breaks_the_signature() {
    let sent = sent(&[]);
    let header = |name: &str| {
        let line = sent.mail.lines().find(|line| line.starts_with(name)).unwrap();
        line.to_owned()
    };
    for (changed, wanted) in [
        (
            sent.mail
                .replace(&header("Message-ID: "), "Message-ID: <1@provider.example>"),
            vec!["DKIM-10 error", "DKIM-11 error", "SENT-01 warning", "SENT-03 ok"],
        ),
        (
            sent.mail
                .replace("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", ""),
            vec!["DKIM-10 error", "SENT-01 error"],
        ),
        (
            sent.mail.replace("Feedback-ID: ", "X-Feedback-ID: "),
            vec!["SENT-01 warning", "SENT-02 info"],
        ),
        (
            sent.mail.replace("203.0.113.7", "198.51.100.7"),
            vec!["SPF-10 error", "DMARC-10 ok", "DKIM-10 ok"],
        ),
        (sent.mail.replace("dmarc=pass", "dmarc=fail"), vec!["AR-01 error"]),
    ] {
        assert_ne!(changed, sent.mail);
        let found = sent.findings(&changed, 78);
        for finding in wanted {
            assert!(found.contains(&finding.to_owned()), "{finding}: {found:?}");
        }
    }
}

#[test]
fn what_verify_says_is_as_it_was() {
    let sent = sent(&[]);
    let line = sent
        .mail
        .lines()
        .find(|line| line.starts_with("List-Unsubscribe: "))
        .unwrap();
    let changed = sent
        .mail
        .replace(line, "List-Unsubscribe: <https://provider.example/leave/1>")
        .replace("dmarc=pass", "dmarc=fail");
    let filters = vec![
        (r"sent \d{4}-[^\n]*", "sent …"),
        (r"发送时间 [^\n]*", "发送时间 …"),
        (r"/u/[A-Za-z0-9_-]+…?", "/u/…"),
        (r"h=[^;\n]*", "h=…"),
        (r"DKIM-Signature: v=1[^\n]*", "DKIM-Signature: v=1…"),
    ];
    insta::with_settings!({ filters => filters }, {
        insta::assert_snapshot!("verify", sent.verify(&changed, &[]).expect(78).text());
        insta::assert_snapshot!("verify_zh", sent.verify(&changed, &["--lang", "zh"]).expect(78).text());
        let mut errors = String::new();
        sent.workspace.write("list.eml", "email,name\nli@example.com,Li\n");
        for words in [["verify", "none.eml"], ["verify", "list.eml"], ["verify", "."]] {
            let ended = sent.workspace.run(&words);
            errors += &[&words.join(" "), "\n", &ended.text(), &format!("exit {:?}\n\n", ended.code)].concat();
        }
        insta::assert_snapshot!("verify_errors", errors);
    });
}

#[test]
fn a_dns_that_is_silent_leaves_it_unknown_and_sent_can_be_named() {
    let sent = sent(&[]);
    sent.workspace
        .write("sent.eml", sent.mail.strip_prefix(WAY).unwrap());
    sent.workspace.write("copy.eml", &sent.mail);
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let nobody = format!("--resolver={}", closed.local_addr().unwrap());
    drop(closed);
    let words = ["verify", "copy.eml", "--sent", "sent.eml", "--json", &nobody];
    let all: Vec<Value> = sent.workspace.run(&words).expect(69).json();
    let severity = |id: &str| all.iter().find(|line| line["id"] == id).unwrap()["severity"].clone();
    for id in ["DKIM-10", "DKIM-11", "DKIM-12", "SPF-10", "DMARC-10"] {
        assert_eq!(severity(id), "unknown", "{id}: {all:?}");
    }
    assert_eq!(severity("SENT-03"), "ok");
}

#[test]
fn a_resolver_that_does_not_see_the_public_dns_leaves_it_unknown() {
    let mut sent = sent(&[]);
    sent.dns = Dns::authority("inner.test 60 SOA 1\ninner.test 60 NS ns.inner.test\n");
    let ended = sent.verify(&sent.mail, &["--lang", "zh"]).expect(69);
    let filters = vec![(r"发送时间 [^\n]*", "发送时间 …")];
    insta::with_settings!({ filters => filters }, {
        insta::assert_snapshot!("verify_unseen_zh", ended.text());
    });
    let found = sent.findings(&sent.mail, 69);
    for id in ["DKIM-10", "DKIM-11", "DKIM-12", "SPF-10", "DMARC-10", "NS-01"] {
        assert!(found.contains(&format!("{id} unknown")), "{id}: {found:?}");
    }
    // What is wrong in any case is said in any case.
    sent.findings(&sent.mail.replace("dmarc=pass", "dmarc=fail"), 78);
}

#[test]
fn odd_signatures_and_senders_are_named_as_what_they_are() {
    let sent = sent(&[]);
    let copy = format!(
        "From: somebody@example.net\r\nDKIM-Signature: hello\r\n{}",
        sent.mail.replace("a=ed25519-sha256;", "")
    );
    let ended = sent.verify(&copy, &[]).expect(78);
    ended.says(&[
        "a signature that receivers do not count: nothing of it is a signature",
        "a signature that receivers do not count: `a=` is missing in it (RFC 6376, 3.5)",
        "the mail has 2 From: nobody can say who sent it",
    ]);
}

#[test]
fn a_strangers_mail_does_not_steer_the_terminal() {
    let sent = sent(&[]);
    let evil = "\u{1b}[2J\u{7}";
    let copy = format!(
        "Authentication-Results: {evil}mx; dkim={evil}pass\r\nX-{evil}: {evil}\r\nDKIM-Signature: v=1; a=rsa-sha256; \
         d=b{evil}.example; s={evil}; h=from{evil}; bh=AAAA; b=AAAA\r\n{}",
        sent.mail
            .replace("Feedback-ID: ", &format!("Feedback-ID: {evil}"))
    );
    let said = sent.verify(&copy, &["--verbose"]).text();
    assert!(
        said.contains("Feedback-ID") && !said.contains(['\u{1b}', '\u{7}']),
        "{said:?}"
    );
}
