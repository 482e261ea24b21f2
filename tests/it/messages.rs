//! What users read when something is wrong: the likeliest errors of every command, as snapshots.
//!
//! Each snapshot holds the command, the exit code, what went to stdout and what went to stderr. Folders, ports, times and process
//! numbers are replaced by their names.

use super::harness::{Ended, Sandbox, Workspace, people};

/// A workspace whose account leads nowhere: nothing here should ever connect.
fn workspace() -> Workspace {
    Workspace::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"", &people(3))
}

pub(super) fn shown(workspace: &Workspace, arguments: &[&str], ended: &Ended) -> String {
    let command = arguments.join(" ");
    let code = ended.code.map_or("a signal".to_owned(), |code| code.to_string());
    let folder = workspace.root().display().to_string();
    format!(
        "$ mailshot {command}\nexit code {code}\n-- stdout\n{}-- stderr\n{}",
        ended.stdout, ended.stderr
    )
    .replace(&folder, "[folder]")
}

macro_rules! assert_message {
    ($name:expr, $workspace:expr, $arguments:expr) => {
        let ended = $workspace.run(&$arguments);
        insta::with_settings!({
            omit_expression => true,
            filters => vec![
                (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[time]"),
                (r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:[port]"),
                (r"process \d+", "process [number]"),
                (r"mailshot \d+\.\d+\.\d+", "mailshot [version]"),
            ],
        }, {
            insta::assert_snapshot!(format!("message-{}", $name), $crate::messages::shown(&$workspace, &$arguments, &ended));
        });
    };
}
pub(super) use assert_message;

#[test]
fn init_says_what_is_wrong() {
    let workspace = workspace();
    assert_message!("init-twice", workspace, ["init"]);
    assert_message!("init-unknown-option", workspace, ["init", "--force"]);
    workspace.write("file", "");
    assert_message!("init-into-a-file", workspace, ["init", "file"]);
}

#[test]
fn check_says_what_is_wrong_with_the_list() {
    let workspace = workspace();
    workspace.write(
        "list.csv",
        "email,name\nwang@@example.com,王小明\nanna@example.com,Anna\n\"li@example.com,Li\n",
    );
    assert_message!("check-bad-rows", workspace, ["check", "news"]);
    workspace.write("list.csv", "e-mail,email,name\na@example.com,b@example.com,A\n");
    assert_message!("check-two-email-columns", workspace, ["check", "news"]);
    workspace.write("list.csv", "name,city\nAnna,Berlin\n");
    assert_message!("check-no-email-column", workspace, ["check", "news"]);
}

#[test]
fn check_says_what_is_wrong_with_the_templates() {
    let workspace = workspace();
    workspace.write(
        "templates/body.html.hbs",
        "<p>Hello {{nam}},</p>\n<p>*|FNAME|*</p>{{{footer}}}",
    );
    assert_message!("check-unknown-variable", workspace, ["check", "news"]);
    workspace.write("templates/body.html.hbs", "<p>Hello {{#if name}}</p>");
    assert_message!("check-unclosed-block", workspace, ["check", "news"]);
}

#[test]
fn check_says_what_is_wrong_with_the_settings() {
    let workspace = workspace();
    workspace.campaign("news", "subjct = \"x\"\n");
    assert_message!("check-unknown-key", workspace, ["check", "news"]);
    workspace.campaign("news", "");
    assert_message!("check-no-such-campaign", workspace, ["check", "spring"]);
    workspace.configure("host = \"127.0.0.1\"\nusername = \"me@example.com\"", "");
    assert_message!("check-no-password", workspace, ["check", "news"]);
    workspace.configure("provider = \"alimial\"\nrates = [\"20/week\"]", "");
    assert_message!("check-bad-account", workspace, ["check", "news"]);
    std::fs::remove_file(workspace.path("mailshot.toml")).unwrap();
    assert_message!("check-no-workspace", workspace, ["check", "news"]);
}

#[test]
fn preview_says_what_is_wrong() {
    let workspace = workspace();
    assert_message!(
        "preview-no-such-row",
        workspace,
        ["preview", "news", "--row", "9"]
    );
    assert_message!(
        "preview-not-on-the-list",
        workspace,
        ["preview", "news", "--to", "who@example.com"]
    );
    assert_message!(
        "preview-bad-address",
        workspace,
        ["preview", "news", "--to", "who"]
    );
}

#[test]
fn send_says_what_is_wrong_before_anything_is_sent() {
    let workspace = workspace();
    assert_message!("send-no-terminal", workspace, ["send", "news"]);
    assert_message!(
        "send-two-ways",
        workspace,
        ["send", "news", "--dry-run", "--sandbox"]
    );
    assert_message!("send-bad-limit", workspace, ["send", "news", "--limit", "many"]);
    assert_message!(
        "send-bad-test-address",
        workspace,
        ["send", "news", "--test-to", "me"]
    );
    workspace.list(&[""; 0]);
    assert_message!("send-empty-list", workspace, ["send", "news", "--yes"]);
    std::fs::remove_file(workspace.path("list.csv")).unwrap();
    assert_message!("send-no-list", workspace, ["send", "news", "--yes"]);
}

#[test]
fn send_says_how_it_went() {
    let list = [
        "a@example.com",
        "b@example.com",
        "fail@example.com",
        "drop-after-data@example.com",
    ];
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &list);
    assert_message!("send-limit", workspace, ["send", "news", "--yes", "--limit", "1"]);
    assert_message!("send-with-failures", workspace, ["send", "news", "--yes"]);
    workspace.list(&list[..2]);
    assert_message!("send-changed", workspace, ["send", "news", "--yes"]);
    workspace.configure(&format!("{}rates = [\"1/day\"]", sandbox.account()), "");
    workspace.list(&people(3)).campaign("other", "");
    assert_message!("send-quota", workspace, ["send", "other", "--yes"]);
}

#[test]
fn send_says_what_the_server_refused() {
    let sandbox = Sandbox::start(&["--login", "me:right"]);
    let account = format!(
        "{}username = \"me\"\npassword_env = \"MAILSHOT_PASSWORD\"",
        sandbox.account()
    );
    let mut workspace = Workspace::new(&account, &people(3));
    assert_message!("send-password-not-set", workspace, ["send", "news", "--yes"]);
    workspace.env("MAILSHOT_PASSWORD", "wrong");
    assert_message!("send-wrong-password", workspace, ["send", "news", "--yes"]);
    assert_message!("send-left-alone", workspace, ["send", "news", "--yes"]);
    let sandbox = Sandbox::start(&["--fault", "refuse-mail-from=550 5.7.1 sender not allowed"]);
    let workspace = Workspace::new(&sandbox.account(), &people(3));
    assert_message!("send-sender-refused", workspace, ["send", "news", "--yes"]);
}

#[test]
fn status_and_show_say_what_is_wrong() {
    let workspace = workspace();
    assert_message!("status-never-sent", workspace, ["status"]);
    assert_message!("status-unknown", workspace, ["status", "spring"]);
    assert_message!(
        "show-not-enrolled",
        workspace,
        ["show", "news", "p0001@example.com"]
    );
    assert_message!("show-bad-address", workspace, ["show", "news", "p0001"]);
    assert_message!("show-no-address", workspace, ["show", "news"]);
    workspace.write(".mailshot/ledger.db", "these are my notes, not a database, and they are longer than a page header is; or so it seems to be\n");
    assert_message!("status-no-database", workspace, ["status", "news"]);
}

#[test]
fn resolve_says_what_is_wrong() {
    let workspace = workspace();
    assert_message!("resolve-nothing", workspace, ["resolve", "news"]);
    assert_message!(
        "resolve-unknown",
        workspace,
        ["resolve", "spring", "--resend", "--yes"]
    );
    assert_message!(
        "resolve-both",
        workspace,
        ["resolve", "news", "--resend", "--assume-sent"]
    );
    assert_message!("resolve-no-terminal", workspace, ["resolve", "news", "--resend"]);
}

#[test]
fn suppress_says_what_is_wrong() {
    let workspace = workspace();
    assert_message!(
        "suppress-bad-address",
        workspace,
        ["suppress", "add", "anna", "--yes"]
    );
    assert_message!("suppress-nobody", workspace, ["suppress", "add", "--yes"]);
    assert_message!(
        "suppress-no-terminal",
        workspace,
        ["suppress", "add", "anna@example.com"]
    );
    assert_message!(
        "suppress-remove-unknown",
        workspace,
        [
            "suppress",
            "remove",
            "anna@example.com",
            "--reason",
            "asked",
            "--yes"
        ]
    );
}

#[test]
fn sandbox_says_what_is_wrong() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let workspace = workspace();
    assert_message!(
        "sandbox-port-taken",
        workspace,
        ["sandbox", "--listen", address.as_str()]
    );
    assert_message!(
        "sandbox-unknown-fault",
        workspace,
        ["sandbox", "--fault", "explode"]
    );
    assert_message!("sandbox-bad-login", workspace, ["sandbox", "--login", "me"]);
}

#[test]
fn the_command_line_says_what_is_wrong() {
    let workspace = workspace();
    assert_message!("no-command", workspace, [""; 0]);
    assert_message!("unknown-command", workspace, ["sned"]);
    assert_message!("completions-unknown-shell", workspace, ["completions", "tcsh"]);
}
