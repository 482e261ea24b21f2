//! With `--lang zh` nobody is spoken to in English: whole commands, their happy ends and their likeliest errors.

use regex::Regex;

use super::harness::{Sandbox, Workspace, people};

/// Words of a line that stand for themselves: what is quoted, servers' replies, addresses, paths, names of products.
fn prose(line: &str) -> Option<String> {
    let quoted = Regex::new(
        "`[^`]*`|\"[^\"]*\"|“[^”]*”|<[^>]*>|\\[[^\\]]*\\]|[245]\\d\\d[ -].*|https?://\\S+|\\S+@\\S+",
    )
    .unwrap();
    let rest = quoted.replace_all(line, "·");
    let words = Regex::new(r"\b[A-Za-z][a-z']+(?: [a-z']{2,}){3,}").unwrap();
    words.find(&rest).map(|found| found.as_str().to_owned())
}

/// Where this speaks English: the command, and the words.
fn english(workspace: &Workspace, arguments: &[&str]) -> Vec<String> {
    let said = workspace
        .run(&[["--lang", "zh"].as_slice(), arguments].concat())
        .text();
    // Where a rule comes from is named as it names itself.
    let lines = said.lines().filter(|line| !line.starts_with("依据："));
    let found = lines.filter_map(prose);
    found
        .map(|words| format!("{}: {words}", arguments.join(" ")))
        .collect()
}

#[test]
fn whole_commands_and_their_errors_are_in_chinese() {
    let sandbox = Sandbox::start(&["--fault", "reply@rcpt=550 5.1.1 no such user"]);
    let workspace = Workspace::new(&sandbox.account(), &people(3));
    workspace.campaign("other", "");
    workspace.campaign("wrong", "html = 5\nsubjekt = \"x\"");
    workspace.campaign("lost", "exclude = [\"gone.csv\"]");
    workspace.write(
        "odd.csv",
        "email,name\nno-address,A\nli@example.com,B\nli@example.com,B\nwu@gmial.com,C\n",
    );
    let mut found = Vec::new();
    for arguments in [
        ["check", "news"].as_slice(),
        &["check", "wrong"],
        &["check", "lost"],
        &["check", "nothing-there"],
        &["send", "news", "--dry-run"],
        &["send", "news", "--yes"],
        &["send", "news", "--yes"],
        &["send", "other", "--yes", "--limit", "1"],
        &["send", "wrong", "--yes"],
        &["status"],
        &["status", "news"],
        &["status", "nobody"],
        &["show", "news", "nobody@example.com"],
        &["report", "news"],
        &["resolve", "news"],
        &["list", "inspect", "odd.csv"],
        &["list", "inspect", "gone.csv"],
        &["suppress", "add", "li@example.com"],
        &["suppress", "list"],
        &["suppress", "remove", "mo@example.com"],
        &["explain", "550 5.1.1 no such user", "--stage", "rcpt"],
        &["explain", "421 4.7.28 rate"],
        &["unlock", "main"],
        &["secret", "test", "main"],
        &["secret", "lint", "nobody"],
        &[
            "secret",
            "dkim-keygen",
            "--domain",
            "a.example",
            "--selector",
            "m1",
            "--out",
            "m1.pem",
        ],
        &["doctor", "a.example", "--resolver", "127.0.0.1:1", "--dns-only"],
        &["providers", "nobody"],
        &["client-config", "main"],
        &["verify", "odd.csv"],
        &["init", "."],
        &["send"],
        &["send", "news", "--limit", "x"],
        &["send", "news", "--nope"],
        &["nope"],
    ] {
        found.extend(english(&workspace, arguments));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn english_is_found_where_there_is_some() {
    assert!(prose("提示：nothing was sent at all").is_some());
    assert!(prose("error: the list has 3 people, and nobody was mailed").is_some());
    assert!(prose("已发 3 封；`mailshot show news ADDRESS with all of it`").is_none());
    assert!(prose("服务器：550 no such user here at all").is_none());
}
