//! Every `--help` is a snapshot: a change to it is seen, and is a change users see.

use super::harness::{Workspace, people};

const COMMANDS: [&[&str]; 35] = [
    &[],
    &["init"],
    &["check"],
    &["preview"],
    &["send"],
    &["serve"],
    &["status"],
    &["show"],
    &["resolve"],
    &["suppress"],
    &["suppress", "add"],
    &["suppress", "remove"],
    &["suppress", "export"],
    &["suppress", "show"],
    &["feedback"],
    &["feedback", "import"],
    &["feedback", "import-events"],
    &["feedback", "fetch"],
    &["suppress", "list"],
    &["doctor"],
    &["explain"],
    &["report"],
    &["unlock"],
    &["providers"],
    &["client-config"],
    &["secret"],
    &["secret", "set"],
    &["secret", "rotate"],
    &["secret", "test"],
    &["secret", "lint"],
    &["secret", "unsubscribe-key"],
    &["feedback", "tokens"],
    &["sandbox"],
    &["completions"],
    &["man"],
];

#[test]
fn help_is_as_it_was() {
    let workspace = Workspace::new("host = \"localhost\"", &people(1));
    for command in COMMANDS {
        let ended = workspace.run(&[command, &["--help"]].concat()).expect(0);
        assert!(ended.stderr.is_empty(), "help is data");
        let name = if command.is_empty() {
            "mailshot".to_owned()
        } else {
            command.join("-")
        };
        insta::assert_snapshot!(format!("help-{name}"), ended.stdout);
    }
}

#[test]
fn help_is_said_in_chinese_too() {
    let workspace = Workspace::new("host = \"localhost\"", &people(1));
    for command in [&["--help"] as &[&str], &["send", "--help"]] {
        let ended = workspace.run(&[command, &["--lang", "zh"]].concat()).expect(0);
        let name = if command.len() == 1 { "mailshot" } else { "send" };
        insta::assert_snapshot!(format!("help-{name}-zh"), ended.stdout);
    }
}

#[test]
fn every_command_with_arguments_shows_examples() {
    let workspace = Workspace::new("host = \"localhost\"", &people(1));
    for command in [
        "init",
        "check",
        "preview",
        "send",
        "serve",
        "status",
        "show",
        "resolve",
        "suppress",
        "doctor",
        "explain",
        "unlock",
        "sandbox",
        "man",
        "providers",
        "client-config",
        "secret",
    ] {
        workspace.run(&[command, "--help"]).expect(0).says(&["Example"]);
    }
}

#[test]
fn completions_and_the_manual_name_every_command() {
    let workspace = Workspace::new("host = \"localhost\"", &people(1));
    for words in [
        ["completions", "bash"].as_slice(),
        &["completions", "zsh"],
        &["completions", "fish"],
        &["man"],
    ] {
        workspace
            .run(words)
            .expect(0)
            .says(&["send", "suppress", "resolve", "sandbox", "preview", "status"]);
    }
}
