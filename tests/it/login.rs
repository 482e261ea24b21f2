//! The login: one try with one mechanism, and nobody knocks again while the provider may be counting.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::harness::{Sandbox, Workspace, people};

const USER: &str = "news@aurora-home.example";
const LOGIN: &str = "news@aurora-home.example:right";

fn account(sandbox: &Sandbox) -> String {
    let connect = sandbox.account();
    format!("{connect}username = \"{USER}\"\npassword_env = \"MAILSHOT_PASSWORD\"\nconnections = 10\n")
}

fn workspace(sandbox: &Sandbox, password: &str) -> Workspace {
    let mut workspace = Workspace::new(&account(sandbox), &people(40));
    workspace.env("MAILSHOT_PASSWORD", password);
    workspace
}

#[test]
fn a_wrong_password_is_tried_exactly_once_by_ten_connections_and_two_runs() {
    let sandbox = Sandbox::start(&["--login", LOGIN]);
    let mut workspace = workspace(&sandbox, "wrong");
    workspace
        .send(&[])
        .expect(77)
        .says(&["the server refused the login", "nothing is lost"]);
    assert_eq!(workspace.status().pending, 40);
    workspace.env("MAILSHOT_PASSWORD", "right");
    workspace
        .send(&[])
        .expect(77)
        .says(&["is left alone until", "nobody knocked", "--login-again"]);
    assert_eq!(workspace.status().pending, 40);
    assert_eq!(
        workspace.ask("SELECT count(*) FROM attempt"),
        Some(0),
        "no quota is spent"
    );
    let counts = sandbox.stop();
    assert_eq!(
        (
            counts.connections,
            counts.logins_refused,
            counts.logins_ok,
            counts.mails
        ),
        (1, 1, 0, 0)
    );
}

#[test]
fn login_again_goes_on_with_the_right_password() {
    let sandbox = Sandbox::start(&["--login", LOGIN]);
    let mut workspace = workspace(&sandbox, "wrong");
    workspace.send(&[]).expect(77);
    workspace.env("MAILSHOT_PASSWORD", "right");
    workspace.send(&["--login-again"]).expect(0);
    assert_eq!(workspace.status().sent, 40);
    // The lock is gone for good.
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.stop().logins_refused, 1);
}

#[test]
fn status_says_that_the_account_is_left_alone_and_until_when() {
    let sandbox = Sandbox::start(&["--login", LOGIN]);
    let workspace = workspace(&sandbox, "wrong");
    workspace.send(&[]).expect(77);
    workspace
        .run(&["status", "news"])
        .expect(0)
        .says(&["the account is left alone until", "its login was refused"]);
    workspace
        .run(&["status"])
        .expect(0)
        .says(&["the account is left alone until"]);
    let told = workspace.run(&["status", "news", "--json"]).expect(0).text();
    assert!(
        told.contains("\"lock\":{") && told.contains("\"is_locked_there\":false"),
        "{told}"
    );
}

#[test]
fn an_account_that_its_provider_has_locked_is_not_tried_again_before_unlock() {
    let sandbox = Sandbox::start(&["--fault", "auth=526 Authentication failure[1]"]);
    let workspace = workspace(&sandbox, "right");
    workspace.send(&[]).expect(77);
    workspace.send(&["--login-again"]).expect(77).says(&[
        "the provider has locked it",
        "nobody knocked",
        "mailshot unlock main",
    ]);
    workspace
        .run(&["unlock", "main", "--yes"])
        .expect(0)
        .says(&["may stay locked out for longer"]);
    workspace.send(&[]).expect(77);
    assert_eq!(sandbox.stop().connections, 2);
}

#[test]
fn logging_in_again_and_again_ends_with_the_alarm() {
    let sandbox = Sandbox::start(&["--login", LOGIN]);
    let workspace = workspace(&sandbox, "wrong");
    workspace.send(&[]).expect(77);
    workspace.send(&["--login-again"]).expect(77);
    workspace.send(&["--login-again"]).expect(77);
    workspace
        .send(&["--login-again"])
        .expect(77)
        .says(&["ALARM: 4 refused logins"]);
    workspace
        .send(&["--login-again"])
        .expect(77)
        .says(&["4 logins were refused within a minute", "nobody knocked"]);
    assert_eq!(sandbox.stop().connections, 4);
}

#[test]
fn the_lock_out_ends_by_itself() {
    let sandbox = Sandbox::start(&["--login", LOGIN]);
    let mut workspace = workspace(&sandbox, "wrong");
    workspace.configure(&format!("{}lockout = \"1ms\"", account(&sandbox)), "");
    workspace.send(&[]).expect(77);
    workspace.env("MAILSHOT_PASSWORD", "right");
    workspace.send(&[]).expect(0);
}

#[test]
fn another_campaign_of_the_account_does_not_knock_either() {
    let sandbox = Sandbox::start(&["--login", LOGIN]);
    let workspace = workspace(&sandbox, "wrong");
    workspace.campaign("other", "");
    workspace.send(&[]).expect(77);
    workspace
        .run(&["send", "other", "--yes"])
        .expect(77)
        .says(&["nobody knocked"]);
    assert_eq!(sandbox.stop().connections, 1);
}

#[test]
fn a_temporary_refusal_of_the_login_stops_everyone_too() {
    let sandbox = Sandbox::start(&["--fault", "auth=454 4.7.0 try again later"]);
    let workspace = workspace(&sandbox, "right");
    workspace.send(&[]).expect(77);
    assert_eq!(workspace.status().pending, 40);
    assert_eq!(sandbox.stop().logins_refused, 1);
}

#[test]
fn every_way_to_log_in_works() {
    for more in [
        ["--without", "auth-login"].as_slice(),
        &["--without", "auth-plain"],
        &["--without", "auth-plain", "--lower-case-prompts"],
    ] {
        let sandbox = Sandbox::start(&[["--login", LOGIN].as_slice(), more].concat());
        let workspace = workspace(&sandbox, "right");
        workspace.send(&[]).expect(0);
        let counts = sandbox.stop();
        assert_eq!((counts.mails, counts.logins_refused), (40, 0), "{more:?}");
        assert_eq!(counts.logins_ok, counts.connections, "{more:?}");
    }
}

#[test]
fn a_token_comes_from_its_command_and_goes_by_xoauth2() {
    let sandbox = Sandbox::start(&["--login", LOGIN]);
    let connect = sandbox.account();
    let account = format!("{connect}username = \"{USER}\"\ntoken_command = \"printf right\"\n");
    let workspace = Workspace::new(&account, &people(5));
    let trace = workspace.path("trace.txt");
    workspace
        .send(&[&format!("--trace={}", trace.display())])
        .expect(0);
    let trace = std::fs::read_to_string(trace).unwrap();
    assert!(trace.contains("AUTH XOAUTH2 (not shown)"), "{trace}");
    workspace
        .configure(&account.replace("printf right", "printf stale"), "")
        .campaign("other", "");
    workspace.run(&["send", "other", "--yes"]).expect(77);
    assert_eq!(sandbox.stop().logins_refused, 1);
}

/// A secret as it may stand somewhere: itself, in Base64, and in the Base64 of AUTH PLAIN and XOAUTH2.
pub(crate) fn forms(user: &str, secret: &str) -> Vec<String> {
    let base64 = |text: &str| BASE64_STANDARD.encode(text);
    let plain = base64(&format!("\0{user}\0{secret}"));
    let token = base64(&format!("user={user}\x01auth=Bearer {secret}\x01\x01"));
    vec![secret.to_owned(), base64(secret), plain, token]
}

/// The files of a folder, and of the folders in it, that have one of these texts.
pub(crate) fn files_with(folder: &Path, texts: &[String]) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![folder.to_owned()], Vec::new());
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            read += 1;
            let bytes = std::fs::read(&path).unwrap();
            let has = |text: &String| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            if texts.iter().any(has) {
                found.push(path);
            }
        }
    }
    assert!(read > 3, "the files were found");
    found
}

#[test]
fn the_password_stands_nowhere() {
    const SECRET: &str = "S3cret#of-the-account";
    for without in ["auth-plain", "auth-login"] {
        let login = format!("{USER}:{SECRET}");
        let sandbox = Sandbox::start(&["--login", &login, "--without", without]);
        let mut workspace = workspace(&sandbox, SECRET);
        let ended = workspace.send(&["--trace=trace.txt"]).expect(0);
        // A refused login goes on record, and must not take the password with it.
        workspace.env("MAILSHOT_PASSWORD", &format!("{SECRET}-old"));
        workspace.campaign("other", "");
        let refused = workspace
            .run(&["send", "other", "--yes", "--trace=other.txt"])
            .expect(77);
        let all = [forms(USER, SECRET), forms(USER, &format!("{SECRET}-old"))].concat();
        for form in &all {
            assert!(!ended.text().contains(form) && !refused.text().contains(form));
        }
        let found = files_with(workspace.root(), &all);
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn no_password_at_all_sends_nothing_and_does_not_connect() {
    let sandbox = Sandbox::start(&["--login", LOGIN]);
    let workspace = Workspace::new(&account(&sandbox), &people(3));
    workspace
        .send(&[])
        .expect(78)
        .says(&["MAILSHOT_PASSWORD", "nothing was sent"]);
    assert_eq!(sandbox.stop().connections, 0);
}

#[test]
fn a_password_that_no_server_takes_is_never_tried() {
    for (password, why) in [
        ("right ", "there is a space before or behind it"),
        (" ", "it is empty"),
        ("ri\u{200b}ght", "there is a character in it that nobody sees"),
    ] {
        let sandbox = Sandbox::start(&["--login", LOGIN]);
        let workspace = workspace(&sandbox, password);
        workspace.send(&[]).expect(78).says(&[
            "cannot be right",
            "MAILSHOT_PASSWORD",
            why,
            "nothing was sent",
        ]);
        assert_eq!(sandbox.stop().connections, 0);
    }
}

#[test]
fn starttls_and_implicit_tls_trust_the_ca_file() {
    for tls in ["starttls", "tls"] {
        let sandbox = Sandbox::start(&["--login", LOGIN, "--tls", tls, "--ca-out", "ca.pem"]);
        let workspace = workspace(&sandbox, "right");
        let ca = sandbox.file("ca.pem");
        let account =
            account(&sandbox).replace("tls = \"none\"", &format!("tls = \"{tls}\"\nca_file = \"{ca}\""));
        workspace.configure(&account, "");
        workspace.send(&[]).expect(0);
        assert_eq!(sandbox.journal().len(), 40, "{tls}");
    }
}

#[test]
fn a_port_that_cannot_be_reached_is_not_the_only_one() {
    let sandbox = Sandbox::start(&["--login", LOGIN, "--tls", "starttls", "--ca-out", "ca.pem"]);
    let ca = sandbox.file("ca.pem");
    let port = sandbox.port;
    let account = format!(
        "provider = \"ours\"\nca_file = \"{ca}\"\nusername = \"{USER}\"\npassword_env = \"MAILSHOT_PASSWORD\"\n"
    );
    let provider = format!(
        "[provider.ours]\nhost = \"127.0.0.1\"\nports = [\"1 tls\", \"2 tls\", \"{port} starttls\"]\n"
    );
    let mut workspace = Workspace::new(&account, &people(5));
    workspace.env("MAILSHOT_PASSWORD", "right");
    workspace.configure(&account, &provider);
    workspace.send(&[]).expect(0).says(&[
        "port 1 (tls) of 127.0.0.1 could not be reached",
        "`tls = \"starttls\"`",
    ]);
    assert_eq!(workspace.status().sent, 5);
    // Whoever names a port gets that one and no other, and nobody is let in without TLS.
    workspace.campaign("other", "");
    for (account, ports) in [
        (
            format!("{account}port = 1\n"),
            format!("[\"1 tls\", \"{port} starttls\"]"),
        ),
        (account.clone(), format!("[\"1 tls\", \"{port} none\"]")),
    ] {
        let provider = format!("[provider.ours]\nhost = \"127.0.0.1\"\nports = {ports}\n");
        workspace.configure(&account, &provider);
        workspace.run(&["send", "other", "--yes"]).expect(69);
    }
    assert_eq!(sandbox.stop().mails, 5);
}

#[test]
fn a_server_without_starttls_gets_no_password() {
    let sandbox = Sandbox::start(&["--login", LOGIN]);
    let workspace = workspace(&sandbox, "right");
    workspace.configure(
        &account(&sandbox).replace("tls = \"none\"", "tls = \"starttls\""),
        "",
    );
    let ended = workspace.send(&[]);
    ended.says(&["the server does not offer STARTTLS"]);
    assert_eq!(workspace.status().pending, 40);
    let counts = sandbox.stop();
    assert_eq!(
        (counts.connections, counts.logins_ok, counts.logins_refused),
        (1, 0, 0)
    );
}
