//! Passwords of accounts: kept, tried, replaced, looked at. None is ever shown.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::harness::{Ended, MAILSHOT, Sandbox, Workspace, Wrapped, pass_over, people};

const USER: &str = "news@aurora-home.example";
const OLD: &str = "A1b2@c3d4#e5f6xy";
const NEW: &str = "Z9y8@x7w6#v5u4ab";

fn account(sandbox: &Sandbox, source: &str) -> String {
    format!("{}username = \"{USER}\"\n{source}\n", sandbox.account())
}

fn in_file(sandbox: &Sandbox) -> Workspace {
    Workspace::new(&account(sandbox, "password_file = \"main.password\""), &people(3))
}

/// Runs a command with this text on its stdin.
fn with_input(workspace: &mut Workspace, input: &str, arguments: &[&str]) -> Ended {
    let input = input.replace('\n', "\\n");
    let script = format!("printf '{input}' | \"$0\" \"$@\"");
    let words = ["sh", "-c", &script, MAILSHOT].map(str::to_owned);
    workspace.surround(Wrapped(words.to_vec()));
    let ended = workspace.run(arguments);
    workspace.surround(Wrapped::plain());
    ended
}

fn sandbox(password: &str) -> Sandbox {
    Sandbox::start(&["--login", &format!("{USER}:{password}")])
}

#[test]
fn a_password_is_kept_in_a_file_that_only_its_owner_reads_and_logs_in() {
    let sandbox = sandbox(OLD);
    let mut workspace = in_file(&sandbox);
    with_input(
        &mut workspace,
        &format!("{OLD}\n"),
        &["secret", "set", "main", "--yes"],
    )
    .expect(0)
    .says(&["is kept (password_file"]);
    let mode = std::fs::metadata(workspace.path("main.password"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    workspace
        .run(&["secret", "test", "main"])
        .expect(0)
        .says(&["the login works; nothing was sent"]);
    workspace.send(&[]).expect(0);
    let counts = sandbox.stop();
    assert_eq!((counts.logins_refused, counts.mails), (0, 3));
}

#[test]
fn a_new_password_takes_the_place_of_the_old_one_once_it_has_worked() {
    let sandbox = sandbox(NEW);
    let mut workspace = in_file(&sandbox);
    with_input(&mut workspace, OLD, &["secret", "set", "main", "--yes"]).expect(0);
    // A wrong one: the old one is put back, and nobody knocks again.
    with_input(&mut workspace, "not-the-right-one", &["secret", "rotate", "main"])
        .expect(77)
        .says(&["the old one is put back"]);
    assert_eq!(read(&workspace, "main.password"), format!("{OLD}\n"));
    with_input(&mut workspace, NEW, &["secret", "rotate", "main"])
        .expect(77)
        .says(&["nobody knocked"]);
    with_input(
        &mut workspace,
        NEW,
        &["secret", "rotate", "main", "--login-again"],
    )
    .expect(0)
    .says(&["works; the old one is wiped"]);
    assert_eq!(read(&workspace, "main.password"), format!("{NEW}\n"));
    assert!(!workspace.path("main.password.previous").exists());
    assert_eq!(sandbox.stop().logins_refused, 1);
}

#[test]
fn an_unreachable_server_leaves_both_passwords_until_the_new_one_was_seen_to_work() {
    let sandbox = sandbox(NEW);
    let mut workspace = in_file(&sandbox);
    with_input(&mut workspace, OLD, &["secret", "set", "main", "--yes"]).expect(0);
    let right = account(&sandbox, "password_file = \"main.password\"");
    workspace.configure(
        &format!("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"\nusername = \"{USER}\"\npassword_file = \"main.password\"\n"),
        "",
    );
    with_input(&mut workspace, NEW, &["secret", "rotate", "main"]).expect(69);
    assert_eq!(read(&workspace, "main.password.previous"), format!("{OLD}\n"));
    workspace.configure(&right, "");
    workspace
        .run(&["secret", "test", "main"])
        .expect(0)
        .says(&["the password before it is wiped"]);
    assert!(!workspace.path("main.password.previous").exists());
}

#[test]
fn a_second_new_password_does_not_push_out_the_one_that_works() {
    let sandbox = sandbox(OLD);
    let mut workspace = in_file(&sandbox);
    let right = account(&sandbox, "password_file = \"main.password\"");
    with_input(&mut workspace, OLD, &["secret", "set", "main", "--yes"]).expect(0);
    workspace.configure(
        &format!(
            "host = \"127.0.0.1\"\nport = 1\ntls = \"none\"\nusername = \"{USER}\"\npassword_file = \"main.password\"\n"
        ),
        "",
    );
    with_input(
        &mut workspace,
        "never-seen-to-work",
        &["secret", "rotate", "main"],
    )
    .expect(69);
    workspace.configure(&right, "");
    with_input(
        &mut workspace,
        "this-one-is-wrong-too",
        &["secret", "rotate", "main"],
    )
    .expect(77);
    assert_eq!(read(&workspace, "main.password"), format!("{OLD}\n"));
    workspace
        .run(&["secret", "test", "main", "--login-again"])
        .expect(0);
}

#[test]
fn a_refused_test_is_on_record_as_a_refused_send_is() {
    let sandbox = sandbox(NEW);
    let mut workspace = in_file(&sandbox);
    with_input(&mut workspace, OLD, &["secret", "set", "main", "--yes"]).expect(0);
    workspace.run(&["secret", "test", "main"]).expect(77);
    workspace
        .run(&["secret", "test", "main"])
        .expect(77)
        .says(&["nobody knocked"]);
    workspace.send(&[]).expect(77).says(&["nobody knocked"]);
    assert_eq!(workspace.ask("SELECT count(*) FROM account_event"), Some(1));
    assert_eq!(sandbox.stop().connections, 1);
}

/// Sets the day on which the password of `main` was set, this many days ago.
fn grow_old(workspace: &Workspace, days: i64) {
    let text = read(workspace, ".mailshot/secrets.toml");
    let day = text
        .split("set_at = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let day: jiff::civil::Date = day.parse().unwrap();
    let then = day.checked_sub(jiff::Span::new().days(days)).unwrap();
    let text = text.replace(&day.to_string(), &then.to_string());
    workspace.write(".mailshot/secrets.toml", &text);
}

#[test]
fn an_old_password_is_warned_of_and_refused_by_those_who_are_strict() {
    let sandbox = sandbox(OLD);
    let mut workspace = Workspace::new(
        &account(&sandbox, "password_env = \"MAILSHOT_PASSWORD\""),
        &people(3),
    );
    workspace.env("MAILSHOT_PASSWORD", OLD);
    workspace.run(&["secret", "test", "main", "--strict"]).expect(0);
    grow_old(&workspace, 75);
    assert!(
        !workspace
            .run(&["check", "news"])
            .expect(0)
            .text()
            .contains("days old")
    );
    grow_old(&workspace, 1);
    for arguments in [["check", "news"].as_slice(), &["check", "news", "--strict"]] {
        workspace
            .run(arguments)
            .expect(0)
            .says(&["is 76 days old", "secret rotate main"]);
    }
    grow_old(&workspace, 14);
    workspace
        .run(&["check", "news"])
        .expect(0)
        .says(&["is 90 days old"]);
    workspace.run(&["check", "news", "--strict"]).expect(78);
    workspace
        .send(&["--strict"])
        .expect(78)
        .says(&["nothing was sent"]);
    workspace.run(&["secret", "test", "main", "--strict"]).expect(78);
    assert_eq!(sandbox.journal().len(), 0);
    workspace.send(&[]).expect(0).says(&["is 90 days old"]);
    // Another password is young, wherever it comes from.
    workspace.env("MAILSHOT_PASSWORD", "another#Password42");
    workspace.campaign("other", "");
    assert!(
        !workspace
            .run(&["send", "other", "--yes", "--strict"])
            .expect(77)
            .text()
            .contains("days old")
    );
}

#[test]
fn what_looks_wrong_with_a_password_is_said_without_showing_it() {
    let mut workspace = Workspace::new(
        &format!("provider = \"alimail\"\nusername = \"{USER}\"\npassword_env = \"MAILSHOT_PASSWORD\""),
        &people(1),
    );
    for (password, said) in [
        ("A1b2@c3d4#e5f6xy", "nothing looks wrong"),
        ("A1b2@c3d4#e5f6xy ", "a space before or behind it"),
        (
            "TheLoginPasswordOfTheWebPage#2026",
            "have 16 characters, this one has not",
        ),
        ("qwertyuiop123456", "it is weak"),
    ] {
        workspace.env("MAILSHOT_PASSWORD", password);
        let code = if said.starts_with("nothing") { 0 } else { 65 };
        let ended = workspace.run(&["secret", "lint", "main"]).expect(code);
        ended.says(&[said]);
        assert!(!ended.text().contains(password.trim()), "{}", ended.text());
    }
    let flaws: Vec<Value> = workspace
        .run(&["secret", "lint", "main", "--json"])
        .expect(65)
        .json();
    assert_eq!(flaws[0]["flaws"][0], "weak");
}

#[test]
fn what_is_wrong_is_said() {
    let sandbox = sandbox(OLD);
    let mut workspace = in_file(&sandbox);
    super::messages::assert_message!("secret-no-such-account", workspace, ["secret", "test", "mian"]);
    super::messages::assert_message!("secret-none-yet", workspace, ["secret", "test", "main"]);
    with_input(
        &mut workspace,
        &format!(" {OLD}\n"),
        &["secret", "set", "main", "--yes"],
    )
    .expect(65)
    .says(&["this password cannot be right", "nothing was kept"]);
    with_input(&mut workspace, "", &["secret", "set", "main", "--yes"]).expect(65);
    workspace.configure(&account(&sandbox, "password_env = \"MAILSHOT_PASSWORD\""), "");
    super::messages::assert_message!("secret-kept-elsewhere", workspace, ["secret", "set", "main"]);
    workspace.configure(&sandbox.account(), "");
    super::messages::assert_message!("secret-no-login", workspace, ["secret", "lint", "main"]);
    workspace.configure(
        &account(&sandbox, "password_env = \"A\"\npassword_keyring = true"),
        "",
    );
    super::messages::assert_message!("secret-two-places", workspace, ["check", "news"]);
}

#[test]
fn a_password_that_is_there_is_not_replaced_unasked() {
    let sandbox = sandbox(OLD);
    let mut workspace = in_file(&sandbox);
    with_input(&mut workspace, OLD, &["secret", "set", "main"]).expect(0);
    with_input(&mut workspace, NEW, &["secret", "set", "main"])
        .expect(64)
        .says(&["nothing was done"]);
    assert_eq!(read(&workspace, "main.password"), format!("{OLD}\n"));
}

#[test]
fn a_password_kept_elsewhere_is_said_to_be_so_and_leaves_the_age_alone() {
    let sandbox = sandbox(OLD);
    let mut workspace = in_file(&sandbox);
    let ended = with_input(
        &mut workspace,
        OLD,
        &["secret", "set", "main", "--file", "other.password"],
    );
    ended
        .expect(0)
        .says(&["mailshot.toml does not say so yet", "/other.password"]);
    assert!(!workspace.path(".mailshot/secrets.toml").exists());
    let same = with_input(
        &mut workspace,
        OLD,
        &["secret", "set", "main", "--file", "main.password"],
    )
    .expect(0);
    assert!(!same.text().contains("does not say so yet"));
    assert!(workspace.path(".mailshot/secrets.toml").exists());
}

/// Runs the program at a terminal, answers its question at once, and shows what stood on the screen.
const AT_TERMINAL: &str = "
import os, pty, sys
child, screen = pty.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen, answered = b'', False
while True:
    try:
        piece = os.read(screen, 4096)
    except OSError:
        break
    if not piece:
        break
    seen += piece
    if not answered and b'(not shown)' in seen:
        os.write(screen, sys.argv[1].encode())
        answered = True
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.stdout.write(seen.decode())
sys.exit(code)
";

/// The program at a terminal, with this typed in.
fn at_terminal(workspace: &mut Workspace, typed: &str, arguments: &[&str]) -> Ended {
    let words = ["python3", "-c", AT_TERMINAL, typed, MAILSHOT].map(str::to_owned);
    workspace.surround(Wrapped(words.to_vec()));
    let ended = workspace.run(arguments);
    workspace.surround(Wrapped::plain());
    ended
}

#[test]
fn what_is_typed_at_a_terminal_is_not_shown() {
    if Command::new("python3").arg("--version").output().is_err() {
        return pass_over("what_is_typed_at_a_terminal_is_not_shown", "there is no python3");
    }
    let sandbox = sandbox(OLD);
    let mut workspace = in_file(&sandbox);
    // Ctrl-C: nothing is kept.
    at_terminal(&mut workspace, "half\u{3}", &["secret", "set", "main"]).expect(130);
    assert!(!workspace.path("main.password").exists());
    let ended = at_terminal(&mut workspace, &format!("{OLD}\n"), &["secret", "set", "main"]).expect(0);
    assert!(!ended.text().contains(OLD), "{}", ended.text());
    assert_eq!(read(&workspace, "main.password"), format!("{OLD}\n"));
}

/// A session with a keyring of its own, unlocked, and the program in it.
const IN_SESSION: &str = "
printf unlock > \"$HOME/unlock\"
gnome-keyring-daemon --foreground --unlock --components=secrets < \"$HOME/unlock\" > /dev/null 2>&1 &
keyring=$!
until dbus-send --session --dest=org.freedesktop.DBus --print-reply /org/freedesktop/DBus \
    org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q true; do sleep 0.02; done
if [ -n \"$INPUT\" ]; then printf %s \"$INPUT\" | \"$0\" \"$@\"; else \"$0\" \"$@\"; fi
code=$?
kill $keyring
exit $code
";

/// Runs a command in a session with the keyring that lies in `home`.
fn in_session(workspace: &mut Workspace, home: &Path, input: &str, arguments: &[&str]) -> Ended {
    let home = home.display();
    let words = [
        "env".to_owned(),
        format!("HOME={home}"),
        format!("XDG_DATA_HOME={home}"),
        format!("INPUT={input}"),
        "dbus-run-session".to_owned(),
        "--".to_owned(),
        "sh".to_owned(),
        "-c".to_owned(),
        IN_SESSION.to_owned(),
        MAILSHOT.to_owned(),
    ];
    workspace.surround(Wrapped(words.to_vec()));
    let ended = workspace.run(arguments);
    workspace.surround(Wrapped::plain());
    ended
}

#[test]
fn the_keyring_keeps_a_password() {
    let has = |path: &str| Path::new(path).exists();
    if !has("/usr/bin/gnome-keyring-daemon")
        || !has("/usr/bin/dbus-run-session")
        || !has("/usr/bin/dbus-send")
    {
        return pass_over(
            "the_keyring_keeps_a_password",
            "there is no gnome-keyring, or no D-Bus",
        );
    }
    let sandbox = sandbox(NEW);
    let mut workspace = Workspace::new(&account(&sandbox, "password_keyring = true"), &people(3));
    let home = tempfile::TempDir::new().unwrap();
    let home = home.path();
    in_session(&mut workspace, home, OLD, &["secret", "set", "main", "--yes"])
        .expect(0)
        .says(&["is kept (password_keyring = true)"]);
    in_session(&mut workspace, home, "", &["secret", "test", "main"]).expect(77);
    in_session(
        &mut workspace,
        home,
        NEW,
        &["secret", "rotate", "main", "--login-again"],
    )
    .expect(0);
    in_session(&mut workspace, home, "", &["send", "news", "--yes"]).expect(0);
    assert_eq!(workspace.status().sent, 3);
    // Without a session there is no keyring; nothing hangs.
    workspace
        .run(&["send", "news", "--yes"])
        .expect(78)
        .says(&["the keyring is out of reach", "nothing was sent"]);
    assert_eq!(sandbox.stop().logins_refused, 1);
}

#[test]
fn no_password_stands_in_what_is_said_or_written() {
    let sandbox = sandbox(NEW);
    let mut workspace = in_file(&sandbox);
    let mut said = String::new();
    let mut note = |ended: Ended| said.push_str(&ended.text());
    note(with_input(
        &mut workspace,
        OLD,
        &["secret", "set", "main", "--json"],
    ));
    note(workspace.run(&["secret", "lint", "main"]));
    note(workspace.run(&["secret", "test", "main"]));
    note(with_input(
        &mut workspace,
        NEW,
        &["secret", "rotate", "main", "--login-again"],
    ));
    note(workspace.run(&["secret", "test", "main", "--json"]));
    note(workspace.send(&["--trace=trace.txt", "--json"]));
    note(workspace.run(&["client-config", "main"]));
    note(workspace.run(&["client-config", "main", "--json"]));
    note(workspace.run(&["status", "news", "--json"]));
    for secret in [OLD, NEW] {
        let forms = super::login::forms(USER, secret);
        for form in &forms {
            assert!(!said.contains(form), "{form} was said");
        }
        let found = super::login::files_with(workspace.root(), &forms);
        let kept = workspace.path("main.password");
        let strangers: Vec<_> = found.iter().filter(|file| **file != kept).collect();
        assert!(strangers.is_empty(), "{strangers:?}");
    }
}

fn read(workspace: &Workspace, name: &str) -> String {
    std::fs::read_to_string(workspace.path(name)).unwrap()
}
