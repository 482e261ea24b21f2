//! Signatures, from the key that is made to a verifier that is not ours: dkimpy.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::harness::{Dns, Running, Sandbox, Workspace, eml_files, pass_over, wait_for};
use super::postfix::{PASSWORD, Postfix};

/// The Python that has the packages of the system: another one may stand before it in the path.
const PYTHON: &str = "/usr/bin/python3";

/// What dkimpy says of a mail.
#[derive(Debug, Deserialize)]
struct Verified {
    results: Vec<Value>,
    signed: Vec<String>,
}

/// Asks dkimpy about mails, with these records as the DNS. None where it is not installed.
fn verified(test: &str, records: &Value, mails: &[PathBuf]) -> Option<Vec<Verified>> {
    let is_there = Command::new(PYTHON).args(["-c", "import dkim, nacl"]).output();
    if !is_there.is_ok_and(|output| output.status.success()) {
        pass_over(test, "/usr/bin/python3 has no dkim or no nacl");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/verify_dkim.py");
    let mut python = Command::new(PYTHON);
    python.arg(script).arg(records.to_string()).args(mails);
    Some(Running::start(&mut python).wait().expect(0).json())
}

/// Makes keys of both kinds; gives the records by their names.
fn keys(workspace: &Workspace) -> Value {
    let made = workspace
        .run(&[
            "secret",
            "dkim-keygen",
            "--domain",
            "aurora-home.example",
            "--selector",
            "m1",
            "--algorithm",
            "both",
            "--out",
            "keys/m1.pem",
            "--json",
        ])
        .expect(0);
    let records = made.json::<Value>().into_iter().map(|line| {
        let record = &line["record"];
        (
            record["name"].as_str().unwrap().to_owned(),
            record["value"].clone(),
        )
    });
    Value::Object(records.collect())
}

const BOTH: &str = "[[account.main.dkim]]\nselector = \"m1\"\nkey_file = \"keys/m1.pem\"\n\
                    [[account.main.dkim]]\nselector = \"m1-ed\"\nkey_file = \"keys/m1-ed25519.pem\"\n";

/// A workspace whose mails have what is hard to sign: Chinese, long lines, dots at their beginning, an attachment.
fn workspace(account: &str, people: &[&str]) -> Workspace {
    let workspace = Workspace::new(account, people);
    workspace.configure(account, BOTH);
    workspace.write(
        "templates/body.txt.hbs",
        &format!(".\n..dots\n{}\n\n{{{{{{footer}}}}}}\n\n\n", "long ".repeat(400)),
    );
    workspace.write("files/价目表 2026.csv", &"a,b;".repeat(2_000));
    workspace.campaign("news", "[[attachment]]\nfile = \"files/价目表 2026.csv\"\n");
    workspace.write(
        "campaigns/news.toml",
        &std::fs::read_to_string(workspace.path("campaigns/news.toml"))
            .unwrap()
            .replace(
                "News for {{name}}",
                "春季新品上市，诚邀您到店品鉴：极光家居与您相约杭州湖滨路 {{name}}",
            ),
    );
    workspace
}

/// The mails that a server has kept, as files.
fn kept(workspace: &Workspace, sandbox: &Sandbox) -> Vec<PathBuf> {
    let mails = sandbox.mails().into_iter().enumerate();
    let write = |(number, mail): (usize, Vec<u8>)| {
        let path = workspace.path(&format!("kept-{number}.eml"));
        std::fs::write(&path, mail).unwrap();
        path
    };
    mails.map(write).collect()
}

#[test]
fn an_independent_verifier_takes_what_is_sent() {
    let test = "an_independent_verifier_takes_what_is_sent";
    // BDAT, and DATA with its doubled dots.
    for more in [
        &[][..],
        &["--without", "chunking"],
        &[
            "--without",
            "chunking",
            "--without",
            "pipelining",
            "--without",
            "8bitmime",
        ],
    ] {
        let sandbox = Sandbox::keeping_mails_with(more);
        let people = ["li@example.com", "wang@example.com"];
        let workspace = workspace(&sandbox.account(), &people);
        let records = keys(&workspace);
        workspace
            .send(&[])
            .expect(0)
            .says(&["signed by m1, m1-ed (DKIM)"]);
        let mails = kept(&workspace, &sandbox);
        assert_eq!(mails.len(), people.len());
        let Some(all) = verified(test, &records, &mails) else {
            return;
        };
        for mail in all {
            assert_eq!(mail.results, [true, true], "{mail:?}");
            for name in [
                "from",
                "list-unsubscribe",
                "list-unsubscribe-post",
                "subject",
                "feedback-id",
            ] {
                assert!(mail.signed.contains(&name.to_owned()), "{name}: {mail:?}");
            }
        }
    }
}

/// Sends by a Postfix that hands mails on, and has what arrives verified.
fn by_postfix(test: &str, account: impl Fn(&Postfix) -> String) {
    let sandbox = Sandbox::keeping_mails();
    let Some(postfix) = Postfix::start_before(test, Some(sandbox.port())) else {
        return;
    };
    let mut workspace = workspace(&account(&postfix), &["li@example.com"]);
    workspace.env("MAILSHOT_PASSWORD", PASSWORD);
    let records = keys(&workspace);
    workspace.send(&[]).expect(0);
    wait_for("the mail behind Postfix", || {
        (!sandbox.mails().is_empty()).then_some(())
    });
    let Some(all) = verified(test, &records, &kept(&workspace, &sandbox)) else {
        return;
    };
    assert_eq!(all[0].results, [true, true], "{all:?}");
}

#[test]
fn signatures_survive_a_postfix_that_hands_mails_on() {
    by_postfix("signatures_survive_a_postfix", |postfix| postfix.account("tls"));
}

#[test]
fn signatures_survive_the_sendmail_command_of_a_postfix() {
    by_postfix("signatures_survive_the_sendmail_command", |postfix| {
        format!(
            "transport = \"sendmail\"\nsendmail_command = \"{}\"\n",
            postfix.shown("sendmail")
        )
    });
}

#[test]
fn what_is_changed_on_the_way_is_refused() {
    let test = "what_is_changed_on_the_way_is_refused";
    let sandbox = Sandbox::keeping_mails();
    let workspace = workspace(&sandbox.account(), &["li@example.com"]);
    let records = keys(&workspace);
    workspace.send(&[]).expect(0);
    let mail = String::from_utf8(sandbox.mails().remove(0)).unwrap();
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    for (name, changed) in [
        (
            "another way to unsubscribe",
            mail.replace("List-Unsubscribe: <https://", "List-Unsubscribe: <https://evil."),
        ),
        (
            "no one-click",
            mail.replace("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", ""),
        ),
        (
            "a second From",
            format!("From: boss@aurora-home.example\r\n{mail}"),
        ),
        ("another body", format!("{head}\r\n\r\nA footer\r\n{body}")),
    ] {
        assert_ne!(changed, mail, "{name}");
        let path = workspace.path("changed.eml");
        std::fs::write(&path, &changed).unwrap();
        let Some(all) = verified(test, &records, &[path]) else {
            return;
        };
        assert!(
            all[0].results.iter().all(|result| *result != Value::Bool(true)),
            "{name}: {all:?}"
        );
    }
}

#[test]
fn a_mail_is_signed_the_same_whoever_makes_it_and_shown_as_it_is_sent() {
    let sandbox = Sandbox::keeping_mails();
    let workspace = workspace(&sandbox.account(), &["li@example.com"]);
    keys(&workspace);
    for words in [
        &["preview", "news", "--eml"][..],
        &["send", "news", "--dry-run"],
        &["check", "news"],
        &["send", "news", "--sandbox", "--yes"],
    ] {
        workspace.run(words).expect(0);
    }
    let shown = workspace.run(&["preview", "news", "--eml"]).expect(0).stdout;
    assert_eq!(shown.matches("DKIM-Signature: v=1; a=").count(), 2, "{shown}");
    let date = shown.lines().find(|line| line.starts_with("Date: ")).unwrap();
    let written = eml_files(&workspace.path(".mailshot/dry-run/news")).remove(0);
    let written = String::from_utf8(written).unwrap();
    assert!(written.starts_with("DKIM-Signature: "), "{date}\n{written}");
}

#[test]
fn a_key_is_made_for_its_owner_alone_and_never_written_over() {
    let workspace = Workspace::new(
        "host = \"localhost\"\nport = 25\ntls = \"none\"",
        &["li@example.com"],
    );
    let words = [
        "secret",
        "dkim-keygen",
        "--domain",
        "aurora-home.example",
        "--selector",
        "m1",
        "--algorithm",
        "ed25519",
        "--out",
        "keys/m1.pem",
    ];
    let ended = workspace.run(&words).expect(0);
    let path = workspace.path("keys/m1.pem");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let pem = std::fs::read_to_string(&path).unwrap();
    let secret = pem.lines().nth(1).unwrap();
    assert!(!ended.text().contains(secret), "{}", ended.text());
    let shown = ended.text();
    insta::with_settings!({ filters => vec![(r"p=[A-Za-z0-9+/=]{20,}", "p=…")] }, {
        insta::assert_snapshot!("dkim_keygen", shown);
        let chinese = workspace.run(&[words.as_slice(), &["--lang", "zh"]].concat().iter().map(|word| if *word == "keys/m1.pem" { "keys/m2.pem" } else { word }).collect::<Vec<_>>()).expect(0);
        insta::assert_snapshot!("dkim_keygen_zh", chinese.text());
    });
    workspace
        .run(&words)
        .expect(74)
        .says(&["keys/m1.pem is there already"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), pem);
}

#[test]
fn a_key_that_does_not_fit_is_refused_before_anything_is_sent() {
    let account = "host = \"localhost\"\nport = 25\ntls = \"none\"";
    let workspace = Workspace::new(account, &["li@example.com"]);
    keys(&workspace);
    let mode = |name: &str, mode: u32| {
        std::fs::set_permissions(workspace.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    workspace.write("keys/text.pem", "hello\n");
    workspace.write(
        "keys/ec.pem",
        "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
    );
    std::fs::copy(workspace.path("keys/m1.pem"), workspace.path("keys/open.pem")).unwrap();
    mode("keys/text.pem", 0o600);
    mode("keys/ec.pem", 0o600);
    mode("keys/open.pem", 0o644);
    let mut shown = String::new();
    for lines in [
        "selector = \"m1\"\nkey_file = \"keys/none.pem\"",
        "selector = \"m1\"\nkey_file = \"keys/text.pem\"",
        "selector = \"m1\"\nkey_file = \"keys/ec.pem\"",
        "selector = \"m1\"\nkey_file = \"keys/open.pem\"",
        "selector = \"m1\"\ndomain = \"other.example\"\nkey_file = \"keys/m1.pem\"",
        "selector = \"m 1\"\nkey_file = \"keys/m1.pem\"",
        "key_file = \"keys/m1.pem\"",
        "selector = \"m1\"\nkeyfile = \"keys/m1.pem\"",
    ] {
        workspace.configure(account, &format!("[account.main.dkim]\n{lines}"));
        let ended = workspace.run(&["send", "news", "--yes"]);
        writeln!(shown, "{lines}\n{}exit {:?}\n", ended.text(), ended.code).unwrap();
        assert_eq!(workspace.run(&["check", "news"]).code, ended.code);
    }
    insta::assert_snapshot!("dkim_keys_that_do_not_fit", shown);
    // Two signatures of different domains: one that counts is enough.
    workspace.configure(
        account,
        "[[account.main.dkim]]\nselector = \"m1\"\ndomain = \"other.example\"\nkey_file = \"keys/m1.pem\"\n\
         [[account.main.dkim]]\nselector = \"m1-ed\"\nkey_file = \"keys/m1-ed25519.pem\"\n",
    );
    workspace.run(&["check", "news"]).expect(0);
}

/// The doctor's findings about keys, as `DKIM-02 error`, and all that was said.
fn looked(workspace: &Workspace, dns: &Dns) -> (Vec<String>, String) {
    let ended = workspace.run(&["doctor", "--dns-only", "--json", "--fix", &dns.argument()]);
    let keys = ended.json::<Value>().into_iter().filter_map(|line| {
        let id = line["id"].as_str()?.to_owned();
        id.starts_with("DKIM")
            .then(|| format!("{id} {}", line["severity"].as_str().unwrap()))
    });
    (keys.collect(), ended.stdout)
}

#[test]
fn the_doctor_holds_records_against_the_keys_that_sign() {
    let account = "host = \"localhost\"\nport = 25\ntls = \"none\"";
    let workspace = workspace(account, &["li@example.com"]);
    let records = keys(&workspace);
    let zone = |records: &Value| {
        let lines = records.as_object().unwrap().iter();
        let lines: Vec<String> = lines
            .map(|(name, value)| format!("{name} 3600 TXT {}", value.as_str().unwrap()))
            .collect();
        Dns::authority(&format!(
            "aurora-home.example 3600 SOA 1\naurora-home.example 3600 MX 5 mx.aurora-home.example\n{}",
            lines.join("\n")
        ))
    };
    let published = zone(&records);
    let (found, said) = looked(&workspace, &published);
    assert_eq!(
        found,
        ["DKIM-01 ok", "DKIM-02 ok", "DKIM-01 ok", "DKIM-02 ok"],
        "{said}"
    );
    // Not published yet: the record to publish is shown.
    let empty = zone(&serde_json::json!({}));
    let (found, said) = looked(&workspace, &empty);
    assert_eq!(found, ["DKIM-02 error", "DKIM-02 error"], "{said}");
    for record in records.as_object().unwrap().values() {
        assert!(said.contains(record.as_str().unwrap()), "{said}");
    }
    // Another key than the published one: its record is to go.
    std::fs::remove_dir_all(workspace.path("keys")).unwrap();
    keys(&workspace);
    let (found, said) = looked(&workspace, &published);
    assert_eq!(
        found,
        ["DKIM-01 ok", "DKIM-02 error", "DKIM-01 ok", "DKIM-02 error"],
        "{said}"
    );
    assert!(said.contains("instead_of"), "{said}");
    // No key at all.
    std::fs::remove_file(workspace.path("keys/m1.pem")).unwrap();
    let (found, said) = looked(&workspace, &empty);
    assert_eq!(found, ["DKIM-02 error", "DKIM-02 error"], "{said}");
    assert!(said.contains("cannot be read"), "{said}");
}

#[test]
fn the_doctor_looks_at_the_selector_that_the_provider_signs_with() {
    let account = "host = \"localhost\"\nport = 25\ntls = \"none\"";
    let workspace = Workspace::new(account, &["li@example.com"]);
    workspace.configure(account, "[account.main.dkim]\nselector = \"p1\"\n");
    let dns = Dns::authority(
        "aurora-home.example 3600 SOA 1\naurora-home.example 3600 MX 5 mx.aurora-home.example\np1._domainkey.aurora-home.example 3600 TXT v=DKIM1; p=\n",
    );
    let (found, said) = looked(&workspace, &dns);
    assert_eq!(found, ["DKIM-01 error"], "{said}");
    assert!(said.contains("revoked"), "{said}");
    // Nothing is signed by mailshot.
    let shown = workspace.run(&["preview", "news", "--eml"]).expect(0).stdout;
    assert!(!shown.contains("DKIM-Signature"), "{shown}");
}

#[test]
fn the_doctor_asks_the_dns_whether_a_signing_domain_counts() {
    let account = "host = \"localhost\"\nport = 25\ntls = \"none\"";
    let workspace = workspace(account, &["li@example.com"]);
    keys(&workspace);
    let below = "mail.aurora-home.example";
    workspace.configure(
        account,
        &format!("[account.main.dkim]\nselector = \"m1\"\ndomain = {below:?}\nkey_file = \"keys/m1.pem\"\n"),
    );
    for (policy, counts) in [
        ("p=reject", true),
        ("p=reject; adkim=s", false),
        ("p=reject; psd=n", true),
    ] {
        let dns = Dns::authority(&format!(
            "aurora-home.example 3600 SOA 1\naurora-home.example 3600 MX 5 mx.aurora-home.example\n\
             _dmarc.aurora-home.example 3600 TXT v=DMARC1; {policy}\n"
        ));
        let (_, said) = looked(&workspace, &dns);
        assert_eq!(
            !said.contains("do not count for mails from"),
            counts,
            "{policy}: {said}"
        );
    }
}
