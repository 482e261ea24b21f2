//! The mails of the example campaign as an independent parser reads them: Python's `email`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use tempfile::TempDir;

use super::harness::{Running, Wrapped, pass_over};

/// A mail as Python reads it.
#[derive(Debug, Deserialize)]
struct Parsed {
    file: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    from: Vec<(String, String)>,
    to: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    parts: Vec<(String, String)>,
    encodings: Vec<String>,
    charsets: Vec<String>,
    defects: Vec<String>,
}

const POSTAL_ADDRESS: &str = "Aurora Home Ltd., 88 Harbour Road, Hangzhou 310000, China";

/// The mails of the campaign that `init` makes: their folder, which holds the workspace too.
fn mails_of_hello() -> TempDir {
    let folder = TempDir::new().unwrap();
    for words in [["init", "."].as_slice(), &["send", "hello", "--dry-run"]] {
        Running::start(&mut Wrapped::plain().command(folder.path(), words))
            .wait()
            .expect(0);
    }
    folder
}

/// What Python reads in them; none when there is no Python.
fn parsed(test: &str, folder: &TempDir) -> Option<Vec<Parsed>> {
    if !Command::new("python3")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
    {
        pass_over(test, "python3 is not there");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/parse_mail.py");
    let mails = folder.path().join(".mailshot/dry-run/hello");
    let mut python = Command::new("python3");
    python.env("PYTHONUTF8", "1").arg(script).arg(mails);
    let parsed = Running::start(&mut python).wait().expect(0).json();
    Some(parsed)
}

/// The rows of the list, by address as it travels: header and cell.
fn rows(folder: &TempDir) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut list = csv::Reader::from_path(folder.path().join("campaigns/hello.csv")).unwrap();
    let rows = list.deserialize().map(Result::unwrap);
    rows.map(|row: BTreeMap<String, String>| {
        let (local, domain) = row["Email"].trim().rsplit_once('@').unwrap();
        (format!("{local}@{}", idna::domain_to_ascii(domain).unwrap()), row)
    })
    .collect()
}

/// A number as the mails show it: `15,300`.
fn grouped(number: &str) -> String {
    let mut out = String::new();
    for (index, digit) in number.chars().enumerate() {
        if index > 0 && (number.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A day as the mails show it: `15 March 2027`.
fn day(iso: &str) -> String {
    let names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let parts: Vec<usize> = iso.split('-').map(|part| part.parse().unwrap()).collect();
    format!("{:02} {} {}", parts[2], names[parts[1] - 1], parts[0])
}

#[test]
fn subjects_names_and_text_come_out_as_they_went_in() {
    let folder = mails_of_hello();
    let Some(mails) = parsed("subjects_names_and_text", &folder) else {
        return;
    };
    let rows = rows(&folder);
    assert_eq!(mails.len(), rows.len());
    let mut seen = BTreeSet::new();
    for mail in &mails {
        let (to_name, to) = &mail.to[0];
        assert!(seen.insert(to.clone()), "{to} twice");
        let row = rows.get(to).unwrap_or_else(|| panic!("{to} is not on the list"));
        assert_eq!(*to_name, row["Name"].trim(), "{}", mail.file);
        assert_eq!(
            mail.from,
            [("Aurora Home".to_owned(), "news@aurora-home.example".to_owned())]
        );
        let first_name = |instead: &'static str| match row["First Name"].as_str() {
            "" => instead.to_owned(),
            name => name.to_owned(),
        };
        let subject = format!(
            "{}, your spring box from {} is ready 🌱",
            first_name("Hello"),
            row["City"]
        );
        assert_eq!(mail.subject, subject, "{}", mail.file);
        let text = &mail.parts[0].1.replace("\r\n", "\n");
        let greeting = format!(
            "Hello {},\n\nspring has come to {}, and we",
            first_name("there"),
            row["City"]
        );
        assert!(text.starts_with(&greeting), "{greeting}\n--\n{text}");
        let points = format!(
            "You have {} points. They are worth something until\n{}.",
            grouped(&row["Points"]),
            day(&row["Valid Until"])
        );
        assert!(text.contains(&points), "{points}\n--\n{text}");
        assert!(
            text.contains(row["Note"].as_str()),
            "data is not escaped in text: {text}"
        );
        let escaped = row["Note"]
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let html = mail.parts[1]
            .1
            .replace("\r\n", "\n")
            .replace("&quot;", "\"")
            .replace("&#x27;", "'")
            .replace("&#39;", "'");
        assert!(
            html.contains(&escaped),
            "data is escaped in HTML: {escaped}\n--\n{html}"
        );
    }
}

#[test]
fn every_mail_has_both_parts_and_all_that_a_bulk_mail_needs() {
    let folder = mails_of_hello();
    let Some(mails) = parsed("every_mail_has_both_parts", &folder) else {
        return;
    };
    let mut message_ids = BTreeSet::new();
    for mail in &mails {
        assert_eq!(mail.kind, "multipart/alternative");
        let kinds: Vec<&str> = mail.parts.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["text/plain", "text/html"], "text first, HTML last");
        assert_eq!(mail.encodings, ["base64", "base64"]);
        assert_eq!(mail.charsets, ["utf-8", "utf-8"]);
        assert!(mail.defects.is_empty(), "{}: {:?}", mail.file, mail.defects);
        for name in [
            "From",
            "To",
            "Reply-To",
            "Subject",
            "Date",
            "Message-ID",
            "MIME-Version",
            "List-Unsubscribe",
            "List-ID",
            "Feedback-ID",
        ] {
            assert!(!mail.headers[name].trim().is_empty(), "{name} of {}", mail.file);
        }
        assert!(message_ids.insert(mail.headers["Message-ID"].clone()));
        assert_eq!(mail.headers["Precedence"], "bulk");
        assert_eq!(
            mail.headers["List-Unsubscribe-Post"],
            "List-Unsubscribe=One-Click"
        );
        let link = mail.headers["List-Unsubscribe"].split(['<', '>']).nth(1).unwrap();
        assert!(link.starts_with("https://news.aurora-home.example/u/"), "{link}");
        for (kind, text) in &mail.parts {
            assert!(text.contains(link), "the link is not in {kind} of {}", mail.file);
            assert!(
                text.contains(POSTAL_ADDRESS),
                "the postal address is not in {kind} of {}",
                mail.file
            );
        }
    }
}

#[test]
fn every_byte_is_fit_for_the_wire() {
    let folder = mails_of_hello();
    for entry in std::fs::read_dir(folder.path().join(".mailshot/dry-run/hello")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.is_ascii(), "{}", path.display());
        assert!(text.ends_with("\r\n"));
        let mut is_body = false;
        for line in text.split("\r\n") {
            assert!(
                !line.contains(['\r', '\n', '\0']),
                "a bare CR, LF or NUL in {}",
                path.display()
            );
            assert!(line.len() <= 998, "{line}");
            is_body |= line.is_empty();
            assert!(!is_body || line.len() <= 76, "{line}");
        }
    }
}
