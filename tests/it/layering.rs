//! Who may import whom, and what only one module may do. Read from the sources, so that it cannot be forgotten.

use std::path::{Path, PathBuf};

/// What each module of `src` may import. A path such as `campaign::quota` allows that part alone.
const MAY_IMPORT: [(&str, &[&str]); 24] = [
    ("words", &[]),
    ("replies", &["mail"]),
    ("mail", &[]),
    ("clock", &[]),
    ("digest", &[]),
    ("dkim", &["mail"]),
    ("sandbox", &[]),
    ("campaign", &["digest", "dkim", "mail", "replies"]),
    // Stages never import each other, and never the ledger.
    ("source", &["campaign", "mail"]),
    ("render", &["campaign", "mail"]),
    ("compose", &["campaign", "digest", "dkim", "mail"]),
    ("depot", &["campaign", "digest", "mail"]),
    ("throttle", &["campaign", "clock"]),
    ("deliver", &["campaign", "mail", "replies"]),
    // The clients of mailboxes: TLS and its roots are those of delivery.
    ("mailbox", &["campaign", "deliver::session", "deliver::trust"]),
    (
        "ledger",
        &["campaign::limits", "campaign::pace", "campaign::quota", "mail"],
    ),
    (
        "pipeline",
        &[
            "campaign", "clock", "compose", "deliver", "depot", "ledger", "mail", "render", "replies",
            "source", "throttle", "web",
        ],
    ),
    (
        "check",
        &["campaign", "compose", "mail", "pipeline", "render", "source"],
    ),
    ("inspect", &["campaign", "mail", "source"]),
    ("enrol", &["campaign", "digest", "ledger", "mail", "source"]),
    ("doctor", &["campaign", "deliver", "dkim", "mail"]),
    ("feedback", &["campaign", "ledger", "mail", "replies"]),
    ("web", &["campaign", "clock", "ledger", "mail"]),
    // Commands put everything together.
    (
        "cli",
        &[
            "campaign", "check", "clock", "compose", "deliver", "depot", "dkim", "doctor", "enrol",
            "feedback", "inspect", "ledger", "mail", "mailbox", "pipeline", "render", "replies", "sandbox",
            "source", "throttle", "web",
        ],
    ),
];

/// What everybody may import: whoever has something to say says it in every language.
const EVERYBODY_MAY: [&str; 2] = ["words", "text"];

/// Lines of a file before it owes its reader a reason in its header.
const LINES_MAX: usize = 400;

/// A source file: its path below `src`, its module, and the numbered lines that are neither comments nor tests.
struct Source {
    path: PathBuf,
    module: String,
    lines: Vec<(usize, String)>,
    text: String,
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(root).unwrap().to_owned();
        let first = path.components().next().unwrap().as_os_str().to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        let is_test = path
            .components()
            .any(|part| part.as_os_str().to_string_lossy().trim_end_matches(".rs") == "tests");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code = if is_test { "" } else { code };
        let lines = code
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"));
        let lines = lines.map(|(index, line)| (index + 1, line.to_owned())).collect();
        Self {
            path,
            module,
            lines,
            text,
        }
    }

    /// Where these lines are that have something about them.
    fn lines_with(&self, what: impl Fn(&str) -> bool) -> Vec<String> {
        let found = self.lines.iter().filter(|(_, line)| what(line));
        found
            .map(|(number, line)| format!("{}:{number}: {}", self.path.display(), line.trim()))
            .collect()
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut found) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(Source::read(&root, &path));
            }
        }
    }
    assert!(found.len() > 50, "the sources were found");
    found
}

/// Lines with something about them, outside the places where they belong.
fn outside(places: &[&str], what: impl Fn(&str) -> bool) -> Vec<String> {
    let strangers = sources()
        .into_iter()
        .filter(|source| !places.iter().any(|place| source.path.starts_with(place)));
    strangers.flat_map(|source| source.lines_with(&what)).collect()
}

#[test]
fn modules_import_only_what_they_may() {
    let mut wrong = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| !matches!(source.module.as_str(), "main" | "lib"))
    {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(module, _)| *module == source.module) else {
            panic!(
                "the module `{}` is not in the table of tests/it/layering.rs",
                source.module
            );
        };
        wrong.extend(source.lines_with(|line| {
            line.match_indices("crate::").any(|(at, _)| {
                let path = line.split_at(at + "crate::".len()).1;
                let is_within = |module: &str| {
                    path.strip_prefix(module)
                        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
                };
                let mut known = allowed.iter().chain(&EVERYBODY_MAY);
                !is_within(&source.module) && !known.any(|module| is_within(module))
            })
        }));
    }
    assert!(
        wrong.is_empty(),
        "these imports are not in the table:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn only_the_ledger_contains_sql() {
    let words = [
        "SELECT ",
        "INSERT INTO ",
        "UPDATE ",
        "DELETE FROM ",
        "CREATE TABLE",
        "PRAGMA ",
    ];
    let found = outside(&["ledger"], |line| words.iter().any(|word| line.contains(word)));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn only_delivery_and_the_sandbox_spell_smtp_verbs() {
    let verbs = [
        "MAIL FROM",
        "RCPT TO",
        "EHLO ",
        "AUTH PLAIN",
        "AUTH LOGIN",
        "QUIT\\r",
        "RSET",
    ];
    let found = outside(&["deliver", "sandbox"], |line| {
        verbs.iter().any(|verb| line.contains(verb))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn only_commands_print() {
    let ways = [
        "print!(",
        "println!(",
        "eprintln!(",
        "eprint!(",
        "stdout()",
        "stderr()",
        "dbg!(",
    ];
    let found = outside(&["cli"], |line| ways.iter().any(|way| line.contains(way)));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn only_the_clock_reads_the_clock() {
    let ways = ["Timestamp::now", "SystemTime::now", "Zoned::now"];
    let found = outside(&["clock.rs", "sandbox/store.rs"], |line| {
        ways.iter().any(|way| line.contains(way))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn only_secrets_are_read_from_the_environment() {
    let found = outside(&["campaign/secret"], |line| line.contains("env::var"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn pure_modules_have_no_async() {
    let pure = ["mail", "campaign", "source", "render", "compose"];
    let sources = sources()
        .into_iter()
        .filter(|source| pure.contains(&source.module.as_str()));
    let found: Vec<String> = sources
        .flat_map(|source| source.lines_with(|line| line.contains("async ") || line.contains("tokio::")))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_doctors_verdicts_ask_nobody() {
    let asking = ["ask.rs", "web.rs", "examine.rs", "smtp.rs", "tests"];
    let is_verdict = |source: &Source| {
        let mut parts = source
            .path
            .components()
            .map(|part| part.as_os_str().to_string_lossy());
        source.module == "doctor" && !parts.any(|part| asking.contains(&part.as_ref()))
    };
    let sources = sources().into_iter().filter(is_verdict);
    let found: Vec<String> = sources
        .flat_map(|source| source.lines_with(|line| line.contains("async ") || line.contains("tokio::")))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_long_file_says_why_in_its_header() {
    let long = sources()
        .into_iter()
        .filter(|source| source.text.lines().count() > LINES_MAX);
    let header = |source: &Source| {
        source
            .text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .collect::<String>()
    };
    let silent = long.filter(|source| !header(source).contains("long as it is"));
    let silent: Vec<String> = silent.map(|source| source.path.display().to_string()).collect();
    assert!(
        silent.is_empty(),
        "over {LINES_MAX} lines, and the header does not say why it is `long as it is`: {silent:?}"
    );
}
