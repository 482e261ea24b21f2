//! Lists as people have them: what `list inspect` says of each, and what becomes of them.

use serde_json::Value;

use super::harness::{Ended, Sandbox, Workspace};

/// A list of the collection in `tests/fixtures/lists`.
pub(crate) fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/lists/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A workspace whose mails need nothing of a list but addresses.
pub(crate) fn workspace(sandbox: &Sandbox, list: &[u8], more: &str) -> Workspace {
    let workspace = Workspace::new(&sandbox.account(), &["a@example.com"]);
    std::fs::write(workspace.path("list.csv"), list).unwrap();
    workspace.write("templates/body.html.hbs", "<p>Hello {{email}}.</p>");
    workspace.write(
        "campaigns/news.toml",
        &format!(
            "subject = \"News\"\nrecipients = \"list.csv\"\nhtml = \"templates/body.html.hbs\"\n{more}\n"
        ),
    );
    workspace
}

fn inspect(name: &str, more: &[&str]) -> (Ended, Value) {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &["a@example.com"]);
    let file = fixture(name);
    let mut args = vec!["list", "inspect", "--json", &file];
    args.extend(more);
    let ended = workspace.run(&args);
    let found = serde_json::from_str(&ended.stdout).unwrap();
    (ended, found)
}

/// Lines and severities of all problems.
pub(crate) fn problems(found: &Value) -> Vec<(u64, &str)> {
    let problems = found["problems"].as_array().unwrap().iter();
    problems
        .map(|note| (note["line"].as_u64().unwrap(), note["severity"].as_str().unwrap()))
        .collect()
}

fn says(found: &Value, what: &str) -> bool {
    found["problems"].as_array().unwrap().iter().any(|note| {
        let words = format!("{} {}", note["message"], note["hint"]);
        words.contains(what)
    })
}

#[test]
fn every_list_of_the_collection_is_read_as_it_should_be() {
    for (name, options, rows, usable, encoding, delimiter) in [
        ("01_utf8.csv", vec![], 2, 2, "UTF-8", ","),
        ("02_utf8_bom.csv", vec![], 2, 2, "UTF-8", ","),
        ("03_gbk_crlf.csv", vec![], 2, 2, "GB18030", ","),
        ("05_utf16le_tab.txt", vec![], 2, 2, "UTF-16LE", "tab"),
        ("06_big5.csv", vec!["--encoding", "big5"], 2, 2, "Big5", ","),
        ("07_semicolon.csv", vec![], 1, 1, "UTF-8", ";"),
        ("09_quotes_newline.csv", vec![], 1, 1, "UTF-8", ","),
        ("10_header_injection.csv", vec![], 1, 1, "UTF-8", ","),
        ("11_formula.csv", vec![], 2, 2, "UTF-8", ","),
        ("12_fullwidth_addr.csv", vec![], 4, 1, "UTF-8", ","),
        ("12_fullwidth_addr.csv", vec!["--fix"], 4, 3, "UTF-8", ","),
        ("14_dups.csv", vec![], 3, 1, "UTF-8", ","),
        ("15_bad_addresses.csv", vec![], 12, 1, "UTF-8", ","),
        ("15_bad_addresses.csv", vec!["--fix"], 12, 2, "UTF-8", ","),
        ("16_long_local.csv", vec![], 3, 1, "UTF-8", ","),
        ("18_blank_lines_trailing_commas.csv", vec![], 2, 2, "UTF-8", ","),
        ("21_header_aliases.csv", vec![], 1, 1, "UTF-8", ","),
        ("23_mojibake.csv", vec![], 2, 2, "UTF-8", ","),
        ("24_nul_ctrl_zwsp.csv", vec![], 3, 1, "UTF-8", ","),
        ("25_sci_notation.csv", vec![], 1, 1, "UTF-8", ","),
        ("27_template_syntax.csv", vec![], 2, 2, "UTF-8", ","),
        ("34_5000_rows_bad_at_4000.csv", vec![], 5000, 4999, "UTF-8", ","),
    ] {
        let (ended, found) = inspect(name, &options);
        let case = format!("{name} {options:?}: {found}");
        assert_eq!(ended.code, Some(0), "{case}");
        assert_eq!(
            (found["rows"].as_u64(), found["usable"].as_u64()),
            (Some(rows), Some(usable)),
            "{case}"
        );
        assert_eq!(found["encoding"], encoding, "{case}");
        assert_eq!(found["delimiter"], delimiter, "{case}");
    }
}

#[test]
fn lists_that_cannot_be_used_end_with_65_and_say_why() {
    for (name, what) in [
        (
            "19_dup_headers.csv",
            "ambiguous header: two columns are called `email`: `Email` and `EMAIL`",
        ),
        ("29_empty.csv", "this list is empty"),
        ("30_header_only.csv", "no recipients"),
        (
            "32_xlsx_renamed.csv",
            "this is an Excel workbook (.xlsx, a zip file)",
        ),
    ] {
        let (ended, found) = inspect(name, &[]);
        ended.expect(65);
        assert!(says(&found, what), "{name}: {found}");
        assert_eq!(found["usable"], 0);
    }
    let (_, found) = inspect("19_dup_headers.csv", &[]);
    assert!(
        says(&found, "two columns are called `name`: `name` and `Name`"),
        "{found}"
    );
    assert_eq!(found["rows"], 1);
}

#[test]
fn what_looks_wrong_is_named_with_its_line() {
    for (name, expected, what) in [
        (
            "10_header_injection.csv",
            vec![(2, "warning")],
            "a line break in `name`",
        ),
        ("11_formula.csv", vec![(2, "warning")], "a formula, not its value"),
        (
            "12_fullwidth_addr.csv",
            vec![(2, "error"), (3, "warning"), (4, "warning"), (5, "warning")],
            "--fix makes it `zhang@example.com`",
        ),
        (
            "14_dups.csv",
            vec![(3, "warning"), (4, "warning"), (4, "warning")],
            "stands on line 2 already",
        ),
        (
            "16_long_local.csv",
            vec![(3, "error"), (4, "error")],
            "64 is the most",
        ),
        (
            "23_mojibake.csv",
            vec![(2, "warning"), (3, "warning")],
            "looks like mojibake",
        ),
        (
            "25_sci_notation.csv",
            vec![(2, "warning")],
            "`1.38E+10` is a number that a spreadsheet has shortened",
        ),
        ("34_5000_rows_bad_at_4000.csv", vec![(4001, "error")], "@"),
    ] {
        let (_, found) = inspect(name, &[]);
        assert_eq!(problems(&found), expected, "{name}: {found}");
        assert!(says(&found, what), "{name}: {found}");
    }
    let (_, found) = inspect("24_nul_ctrl_zwsp.csv", &[]);
    assert!(
        says(&found, "a NUL character") && says(&found, "U+202D or U+202E"),
        "{found}"
    );
    let (_, found) = inspect("15_bad_addresses.csv", &[]);
    assert!(
        says(&found, "several addresses, not one") && says(&found, "--fix makes it `a@example.com`"),
        "{found}"
    );
}

#[test]
fn columns_are_told_by_their_headers() {
    let (_, found) = inspect("21_header_aliases.csv", &[]);
    assert_eq!(found["email_column"], "邮箱地址");
    assert_eq!(
        found["columns"],
        serde_json::json!(["邮箱地址", "客户姓名", "E-Mail2"])
    );
    let (_, found) = inspect("02_utf8_bom.csv", &[]);
    assert_eq!(found["columns"][0], "email");
    let (_, found) = inspect("06_big5.csv", &["--encoding", "big5"]);
    assert!(found["sample"][1].to_string().contains("許功蓋"), "{found}");
    let (_, found) = inspect("09_quotes_newline.csv", &[]);
    assert_eq!(found["sample"][0]["addr"], "1 Road\r\nFloor 2");
}

#[test]
fn a_list_in_gb18030_is_sent_as_it_is() {
    let sandbox = Sandbox::start(&[]);
    let workspace = workspace(&sandbox, &std::fs::read(fixture("03_gbk_crlf.csv")).unwrap(), "");
    workspace
        .send(&[])
        .expect(0)
        .says(&["was read as GB18030: email, 姓名, 公司"]);
    assert_eq!(sandbox.arrived()["zhang@example.com"], 1);
    // Not read again: what goes on is what was enrolled.
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.journal().len(), 2);
}

#[test]
fn people_who_may_not_be_mailed_are_left_out_listed_and_remembered() {
    let sandbox = Sandbox::start(&[]);
    let list = "Email,Accepts Email Marketing\na@example.com,yes\nb@example.com,no\nc@example.com,no\n";
    let workspace = workspace(&sandbox, list.as_bytes(), "");
    workspace.send(&[]).expect(0).says(&[
        "2 people are not mailed, as the list itself says",
        "line 3: b@example.com (`Accepts Email Marketing` is `no`)",
    ]);
    assert_eq!(sandbox.journal().len(), 1);
    let withheld = std::fs::read_to_string(workspace.path("withheld-news.csv")).unwrap();
    assert!(
        withheld.contains("4,c@example.com,`Accepts Email Marketing` is `no`"),
        "{withheld}"
    );
    workspace
        .run(&["suppress", "import", "list.csv", "--yes"])
        .expect(0)
        .says(&[
            "2 addresses added to the suppression list",
            "1 address not added: the list says that they may be mailed",
        ]);
    // Consent ignored is a change, and the suppression still holds.
    workspace
        .send(&["--ignore-consent"])
        .expect(65)
        .says(&["ignore_consent was not set and is `true`"]);
    workspace
        .send(&["--ignore-consent", "--accept-changes"])
        .expect(0);
    assert_eq!(sandbox.journal().len(), 1);
}

#[test]
fn addresses_are_repaired_only_when_asked() {
    let sandbox = Sandbox::start(&[]);
    let workspace = workspace(
        &sandbox,
        "email\nzhang＠example.com\nli@gmial.com\n".as_bytes(),
        "",
    );
    workspace
        .send(&[])
        .expect(65)
        .says(&["a full-width `＠`", "--fix makes it `zhang@example.com`"]);
    let said = workspace.run(&["check", "news", "--fix", "--json"]).expect(0);
    let found: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(found["findings"]["repaired"], 2);
    assert_eq!(
        found["findings"]["repaired_rows"][1],
        serde_json::json!({ "line": 3, "from": "li@gmial.com", "to": "li@gmail.com" })
    );
    for command in ["check", "send"] {
        workspace.run(&[command, "news", "--fix"]).says(&[
            "2 addresses repaired",
            "line 2: zhang＠example.com → zhang@example.com",
        ]);
    }
    workspace.send(&["--fix"]).expect(0);
    assert_eq!(sandbox.arrived()["zhang@example.com"], 1);
    assert_eq!(sandbox.arrived()["li@gmail.com"], 1);
}

#[test]
fn a_list_is_made_clean() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &["a@example.com"]);
    let list = "E-Mail;Name\n zhang＠example.com ;张三\n\"a@b.com;c@d.com\";Anna\nA@B.com;again\nbad;x\n";
    std::fs::write(workspace.path("raw.csv"), list).unwrap();
    workspace
        .run(&["list", "fix", "raw.csv", "-o", "clean.csv"])
        .expect(0)
        .says(&[
            "3 rows written to clean.csv",
            "1 row left out: the address stood on an earlier row",
            "1 row cannot be repaired; see clean.rejected.csv",
        ]);
    let clean = std::fs::read_to_string(workspace.path("clean.csv")).unwrap();
    assert_eq!(
        clean,
        "E-Mail,Name\nzhang@example.com,张三\na@b.com,Anna\nc@d.com,Anna\n"
    );
    std::fs::remove_file(workspace.path("clean.rejected.csv")).unwrap();
    workspace
        .run(&["list", "fix", "raw.csv", "-o", "clean.csv"])
        .expect(64)
        .says(&["clean.csv is there already; nothing was written"]);
    let list = fixture("05_utf16le_tab.txt");
    let converted = workspace.run(&["list", "convert", &list]).expect(0);

    assert!(
        converted.stdout.starts_with("email,姓名,公司"),
        "{}",
        converted.stdout
    );
}

#[test]
fn only_those_who_are_meant_are_mailed() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,country,spent\na@example.com,DE,150\nb@example.com,FR,500\nc@example.com,DE,90\nd@example.com,DE,\"1,200\"\n";
    let meant = "where = \"country = 'DE' and spent > 100\"\nexclude = [\"vip.csv\"]\n";
    let chosen = workspace(&sandbox, list.as_bytes(), meant);
    let workspace = &chosen;
    std::fs::write(workspace.path("vip.csv"), "email\nD@example.com\n").unwrap();
    workspace
        .run(&["check", "news"])
        .expect(0)
        .says(&["2, by `where`", "1, by `exclude`"]);
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.journal().len(), 1);
    assert_eq!(sandbox.arrived()["a@example.com"], 1);
    let other = self::workspace(&sandbox, list.as_bytes(), "where = \"contry = 'DE'\"\n");
    let workspace = &other;
    workspace.run(&["check", "news"]).expect(65).says(&[
        "campaigns/news.toml:4:10",
        "the list has no column `contry`",
        "did you mean `country`?",
    ]);
}

#[test]
fn whoever_an_excluded_list_means_is_left_out_however_it_writes_them() {
    let sandbox = Sandbox::start(&[]);
    let list = "email\na@example.com\nb@example.com\nc@example.com\nd@gmial.com\ne@example.com\n";
    let workspace = workspace(&sandbox, list.as_bytes(), "exclude = [\"not.csv\"]\n");
    let not = "email\na@example.com;b@example.com\nc＠example.com\nd@gmial.com\n用户@例子.中国\n";
    workspace.write("not.csv", not);
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.arrived().keys().collect::<Vec<_>>(), ["e@example.com"]);
    workspace.write("not.csv", &format!("{not}nobody\n"));
    workspace
        .run(&["check", "news"])
        .expect(65)
        .says(&["not.csv:6:1", "whoever is meant here could be mailed"]);
}

#[test]
fn a_row_that_cannot_be_mailed_still_says_whom_not_to_mail() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,status\na@example.com,active\na＠example.com,unsubscribed\nb@example.com,active\n\
                \"b@example.com;z@example.com\",unsubscribed\nc@example.com,active\n用户@例子.中国,unsubscribed\n";
    let workspace = workspace(&sandbox, list.as_bytes(), "");
    workspace.send(&["--skip-invalid"]).expect(0);
    assert_eq!(sandbox.arrived().keys().collect::<Vec<_>>(), ["c@example.com"]);
    workspace
        .run(&["suppress", "import", "list.csv", "--yes"])
        .expect(0)
        .says(&["4 addresses added"]);
    workspace
        .run(&["suppress", "add", "客户@例子.中国", "--yes"])
        .expect(0);
    workspace.write("half.csv", "email\nq@example.com\nnobody\n");
    workspace
        .run(&["suppress", "import", "half.csv", "--yes"])
        .expect(65)
        .says(&["1 row cannot be read", "list inspect half.csv"]);
}

#[test]
fn no_error_is_hidden_behind_warnings() {
    let sandbox = Sandbox::start(&[]);
    let roles: String = (0..1_500).fold(String::new(), |list, number| {
        format!("{list}info@e{number}.com\n")
    });
    let workspace = workspace(&sandbox, format!("email\n{roles}nobody\n").as_bytes(), "");
    let said = workspace.run(&["list", "inspect", "--json", "list.csv"]);
    let found: Value = serde_json::from_str(&said.stdout).unwrap();
    let problems = found["problems"].as_array().unwrap();
    assert_eq!(problems.last().unwrap()["line"], 1_502);
    assert_eq!(problems.last().unwrap()["severity"], "error");
    assert_eq!(found["more_problems"], 501);
}

#[test]
fn making_a_list_clean_loses_nothing() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,name\na@example.com,A\n\"a@example.com;b@example.com\",B\nb@example.com,C\n\
                \"c@gmial.com;d@example.com\",D\n\"e@example.com;f@example.com\",E,too many\n";
    let workspace = workspace(&sandbox, list.as_bytes(), "");
    workspace
        .run(&["list", "fix", "list.csv", "-o", "clean.csv"])
        .expect(0);
    let read = |name: &str| std::fs::read_to_string(workspace.path(name)).unwrap();
    assert_eq!(
        read("clean.csv"),
        "email,name\na@example.com,A\nb@example.com,B\nc@gmail.com,D\nd@example.com,D\n"
    );
    assert!(read("clean.rejected.csv").contains("too many"));
    // Cells that were added to the row are there as well.
    let attributes = "email,attributes\n\"a@example.com; b@example.com\",\"{\"\"city\"\": \"\"Ulm\"\"}\"\n";
    workspace.write("attributes.csv", attributes);
    let fixed = workspace.run(&["list", "fix", "attributes.csv"]).expect(0);
    let of_each = |name: &str| format!("{name}@example.com,\"{{\"\"city\"\": \"\"Ulm\"\"}}\",Ulm\n");
    assert_eq!(
        fixed.stdout,
        format!("email,attributes,city\n{}{}", of_each("a"), of_each("b"))
    );
    // What lies there already may be the very file that is read.
    workspace.write("x.rejected.csv", list);
    workspace
        .run(&["list", "fix", "x.rejected.csv", "-o", "x.csv"])
        .expect(64)
        .says(&["x.rejected.csv is there already", "nothing was written"]);
    assert_eq!(read("x.rejected.csv"), list);
}

#[test]
fn a_sample_is_the_same_whenever_it_is_drawn() {
    let sandbox = Sandbox::start(&[]);
    let people: Vec<String> = (0..1_000)
        .map(|number| format!("p{number}@example.com"))
        .collect();
    let list = format!("email\n{}\n", people.join("\n"));
    let tenth = workspace(&sandbox, list.as_bytes(), "sample = \"10%\"");
    let said = tenth.run(&["check", "news", "--json"]);
    let found: Value = serde_json::from_str(&said.stdout).unwrap();
    let usable = found["findings"]["usable"].as_u64().unwrap();
    assert!((60..140).contains(&usable), "{found}");
    let exactly = workspace(&sandbox, list.as_bytes(), "sample = 25");
    exactly.send(&[]).expect(0);
    assert_eq!(sandbox.journal().len(), 25);
    exactly.send(&[]).expect(0);
    assert_eq!(sandbox.journal().len(), 25);
}

#[test]
fn everyone_gets_one_variant_in_their_language() {
    let sandbox = Sandbox::start(&[]);
    let people: Vec<String> = (0..400)
        .map(|n| format!("p{n}@example.com,{}", if n % 2 == 0 { "zh_CN" } else { "de" }))
        .collect();
    let list = format!("email,lang\n{}\n", people.join("\n"));
    let editions = "language_column = \"lang\"\n\
        [[variant]]\nname = \"short\"\nweight = 3\n\
        [[variant]]\nname = \"long\"\nhtml = \"templates/long.html.hbs\"\n\
        [language.zh]\nsubject = \"新闻\"\n";
    let workspace = workspace(&sandbox, list.as_bytes(), editions);
    workspace.write("templates/long.html.hbs", "<p>A long story for {{email}}.</p>");
    let said = workspace.run(&["check", "news", "--json"]);
    let found: Value = serde_json::from_str(&said.stdout).unwrap();
    let editions = &found["findings"]["editions"];
    let count = |name: &str| editions[name].as_u64().unwrap_or_default();
    assert_eq!(count("short") + count("long"), 200, "{editions}");
    assert_eq!(count("zh short") + count("zh long"), 200, "{editions}");
    assert!(
        (240..360).contains(&(count("short") + count("zh short"))),
        "{editions}"
    );
    let preview = |row: &str| workspace.run(&["preview", "news", "--row", row, "--json"]).stdout;
    let (first, second) = (preview("1"), preview("2"));
    assert!(first.contains("\"subject\":\"新闻\""), "{first}");
    assert!(second.contains("\"subject\":\"News\""), "{second}");
}

#[test]
fn an_address_in_another_script_is_sent_to_only_where_the_server_takes_it() {
    let list = "email\n联系@例子.中国\nanna@example.com\n".as_bytes();
    for (more, offers, sent) in [
        ("", true, 0),
        ("smtputf8 = true\n", true, 2),
        ("smtputf8 = true\n", false, 1),
    ] {
        let without: &[&str] = if offers { &[] } else { &["--without", "smtputf8"] };
        let sandbox = Sandbox::start(without);
        let workspace = workspace(&sandbox, list, "");
        workspace.configure(&format!("{}{more}", sandbox.account()), "");
        let ended = workspace.send(&[]);
        let (code, words): (i32, &[&str]) = match sent {
            0 => (65, &["letters outside ASCII before the `@`", "smtputf8 = true"]),
            1 => (76, &["the server does not offer SMTPUTF8"]),
            _ => (0, &[]),
        };
        ended.expect(code).says(words);
        assert_eq!(sandbox.journal().len(), sent);
    }
}
