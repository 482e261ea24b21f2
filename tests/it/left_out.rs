//! Who on a list gets no mail, and how they and the user hear of it.

use serde_json::Value;

use super::harness::Sandbox;
use super::lists::{fixture, problems, workspace};

#[test]
fn whoever_is_suppressed_as_the_list_writes_them_is_not_mailed_as_they_were_meant() {
    let sandbox = Sandbox::start(&[]);
    let workspace = workspace(
        &sandbox,
        b"email\nd@gmial.com\ne@gmial.com\nf@gmial.com\n",
        "fix = true",
    );
    workspace
        .run(&["suppress", "add", "d@gmial.com", "--yes"])
        .expect(0);
    workspace.send(&["--limit", "1"]).expect(75);
    assert_eq!(sandbox.arrived().keys().collect::<Vec<_>>(), ["e@gmail.com"]);
    // Also when it is said in the middle of the campaign.
    workspace
        .run(&["suppress", "add", "f@gmial.com", "--yes"])
        .expect(0);
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.journal().len(), 1);
}

#[test]
fn an_excluded_list_means_people_as_written_and_as_meant() {
    let sandbox = Sandbox::start(&[]);
    let list = b"email\nd@gmial.com\ne@gmial.com\nf@example.com\n";
    let workspace = workspace(&sandbox, list, "fix = true\nexclude = [\"not.csv\"]");
    workspace.write("not.csv", "email\nd@gmial.com\ne@gmail.com\n");
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.arrived().keys().collect::<Vec<_>>(), ["f@example.com"]);
}

#[test]
fn whom_a_row_withholds_is_withheld_however_they_are_written() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,status\nd@gmial.com,active\n\"d@gmial.com;x@example.com\",unsubscribed\n\
                e@example.com,active\nf@gmial.com,active\n f＠gmail.com,unsubscribed\n";
    let workspace = workspace(&sandbox, list.as_bytes(), "fix = true");
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.arrived().keys().collect::<Vec<_>>(), ["e@example.com"]);
}

#[test]
fn a_row_that_nobody_is_mailed_by_stops_nothing() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,status\na@example.com,active\nnobody,unsubscribed\n,cleaned\n";
    let workspace = workspace(&sandbox, list.as_bytes(), "");
    workspace.send(&[]).expect(0).says(&[
        "2 people are not mailed, as the list itself says",
        "line 3: nobody (`status` is `unsubscribed`)",
    ]);
    assert_eq!(sandbox.journal().len(), 1);
    let said = workspace
        .run(&["list", "inspect", "list.csv", "--json"])
        .expect(0);
    let found: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((&found["withheld"], &found["unusable"]), (&2.into(), &0.into()));
    assert_eq!(problems(&found), [(3, "warning"), (4, "warning")]);
    // Who is meant there cannot be remembered, and that is said.
    workspace
        .run(&["suppress", "import", "list.csv", "--yes"])
        .expect(65)
        .says(&["2 rows cannot be read"]);
}

#[test]
fn a_line_break_that_could_begin_a_header_stops_the_row() {
    let sandbox = Sandbox::start(&[]);
    let injection = std::fs::read(fixture("10_header_injection.csv")).unwrap();
    let named = workspace(&sandbox, &injection, "");
    named.run(&["check", "news"]).expect(65).says(&[
        "list.csv:2:16",
        "a line break in `name`, which stands in the head of the mail",
    ]);
    let list = "email,city,note\na@example.com,\"Rome\nBcc: x\",1\nb@example.com,Bonn,\"1\n2\"\n";
    let subject = workspace(&sandbox, list.as_bytes(), "");
    subject.send(&["--dry-run"]).expect(0);
    let campaign =
        "subject = \"News from {{city}}\"\nrecipients = \"list.csv\"\nhtml = \"templates/body.html.hbs\"\n";
    subject.write("campaigns/news.toml", campaign);
    subject.send(&[]).expect(65).says(&["a line break in `city`"]);
    subject.send(&["--skip-invalid"]).expect(0);
    assert_eq!(sandbox.arrived().keys().collect::<Vec<_>>(), ["b@example.com"]);
}

#[test]
fn files_of_rows_left_out_are_the_campaigns_own_and_run_nothing() {
    let sandbox = Sandbox::start(&[]);
    let list = "name,email,status\n=cmd|' /C calc'!A1,nobody,active\nx,a@example.com,active\ny,=1+1@example.com,unsubscribed\n";
    let workspace = workspace(&sandbox, list.as_bytes(), "");
    workspace
        .send(&["--skip-invalid"])
        .expect(0)
        .says(&["see rejected-news.csv", "see withheld-news.csv"]);
    let read = |name: &str| std::fs::read_to_string(workspace.path(name)).unwrap();
    let rejected = read("rejected-news.csv");
    assert!(
        rejected.contains("\"'=cmd|' /C calc'!A1,nobody,active\""),
        "{rejected}"
    );
    let withheld = read("withheld-news.csv");
    assert!(withheld.contains("4,'=1+1@example.com,"), "{withheld}");
    workspace
        .run(&["list", "fix", "list.csv", "-o", "clean.csv"])
        .expect(0);
    assert!(
        read("clean.rejected.csv").contains("\"'=cmd|"),
        "{}",
        read("clean.rejected.csv")
    );
}

#[test]
fn nobody_to_mail_is_no_success() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,country,status\na@example.com,DE,active\nb@example.com,FR,unsubscribed\n";
    let workspace = workspace(&sandbox, list.as_bytes(), "where = \"country = 'IT'\"");
    for command in [
        ["check", "news"].as_slice(),
        &["send", "news", "--dry-run"],
        &["send", "news", "--yes"],
    ] {
        workspace.run(command).expect(65).says(&[
            "has nobody to mail: 1 not meant by `where`, 1 withheld, as the list says",
            "nothing was sent",
        ]);
    }
    workspace
        .run(&["preview", "news", "--row", "2"])
        .expect(65)
        .says(&["b@example.com (line 3) gets no mail: `status` is `unsubscribed`"]);
    workspace
        .run(&["preview", "news", "--to", "a@example.com"])
        .expect(65)
        .says(&["a@example.com (line 2) gets no mail: `where` does not match"]);
}

#[test]
fn a_list_on_the_command_line_that_cannot_be_read_is_no_wrong_list() {
    let sandbox = Sandbox::start(&[]);
    let workspace = workspace(&sandbox, b"email\n", "");
    for command in [
        ["list", "inspect"],
        ["list", "fix"],
        ["list", "convert"],
        ["suppress", "import"],
    ] {
        for (file, why) in [
            ("gone.csv", "there is no such file"),
            ("campaigns", "it is a folder"),
        ] {
            workspace
                .run(&[&command[..], &[file]].concat())
                .expect(74)
                .says(&[file, "cannot be read", why]);
        }
    }
    // Flags stand only where they mean something.
    for command in [["list", "fix"], ["list", "convert"], ["suppress", "import"]] {
        for flag in ["--fix", "--ignore-consent"] {
            workspace
                .run(&[&command[..], &["list.csv", flag]].concat())
                .expect(64);
        }
    }
}

#[test]
fn a_list_with_an_open_quote_is_not_converted() {
    let sandbox = Sandbox::start(&[]);
    let workspace = workspace(&sandbox, b"email,name\na@example.com,\"A\nb@example.com,B\n", "");
    workspace
        .run(&["list", "convert", "list.csv", "-o", "out.csv"])
        .expect(65)
        .says(&[
            "list.csv:2:15",
            "this quote is never closed",
            "nothing was written",
        ]);
    assert!(!workspace.path("out.csv").exists());
}

#[test]
fn odd_domains_are_pointed_out() {
    let sandbox = Sandbox::start(&[]);
    let workspace = workspace(&sandbox, "email\np@localhost\np@gmаil.com\n".as_bytes(), "");
    for command in [["list", "inspect", "list.csv"].as_slice(), &["check", "news"]] {
        workspace.run(command).expect(0).says(&[
            "`localhost` is this machine",
            "`gmаil.com` looks like `gmail.com`",
        ]);
    }
}
