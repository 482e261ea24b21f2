//! What laws want of a mail, and what is kept on record of it.

use serde_json::Value;

use super::content::{ANNA, workspace};
use super::harness::Sandbox;

#[test]
fn what_laws_want_is_held_to() {
    let sandbox = Sandbox::start(&[]);
    let cn = workspace(
        &sandbox,
        "templates/a.html.hbs",
        "<p>Hello</p>",
        ANNA,
        "laws = [\"cn\"]",
    );
    cn.run(&["check", "news"]).expect(65).says(&[
        "under the law of China an advertisement says so first",
        "people can refuse by writing to an address",
    ]);
    let toml = std::fs::read_to_string(cn.path("mailshot.toml")).unwrap();
    cn.write(
        "mailshot.toml",
        &toml.replace(
            "[unsubscribe]",
            "[unsubscribe]\nmailto = \"leave@aurora-home.example\"",
        ),
    );
    let text = std::fs::read_to_string(cn.path("campaigns/news.toml")).unwrap();
    cn.write(
        "campaigns/news.toml",
        &(text + "subject_mark = \"auto\"\nlang = \"zh\"\n"),
    );
    let said = cn.run(&["preview", "news", "--json"]).expect(0).stdout;
    assert!(said.contains("\"subject\":\"【广告】News\""), "{said}");

    let eu = workspace(
        &sandbox,
        "templates/a.html.hbs",
        "<p>Hello</p>",
        ANNA,
        "laws = [\"eu\"]",
    );
    eu.run(&["check", "news"])
        .expect(65)
        .says(&["no column says who has agreed", "legal_basis"]);
    eu.write(
        "list.csv",
        "email,consent\nanna@example.com,yes\nbert@example.com,\ncarl@example.com,no\n",
    );
    eu.send(&[]).expect(0).says(&["2 people are not mailed"]);
    assert_eq!(sandbox.arrived()["anna@example.com"], 1);
    assert_eq!(sandbox.journal().len(), 1);
}

#[test]
fn the_mark_of_an_advertisement_stands_in_every_edition() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,lang\nanna@example.com,en\nli@example.com,zh\n";
    let laws = "laws = [\"cn\"]\nlanguage_column = \"lang\"\n[language.zh]\nsubject = \"春\"\n[[variant]]\nsubject = \"AD: b\"\n";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", "<p>Hello</p>", list, laws);
    let toml = std::fs::read_to_string(workspace.path("mailshot.toml")).unwrap();
    let mailto = "[unsubscribe]\nmailto = \"leave@aurora-home.example\"";
    workspace.write("mailshot.toml", &toml.replace("[unsubscribe]", mailto));
    workspace
        .run(&["check", "news"])
        .expect(65)
        .says(&["campaigns/news.toml:1:11", "campaigns/news.toml:7:11"]);
    let campaign = std::fs::read_to_string(workspace.path("campaigns/news.toml")).unwrap();
    workspace.write(
        "campaigns/news.toml",
        &campaign.replace("laws", "subject_mark = \"auto\"\nlaws"),
    );
    let subject = |who: &str| {
        let said = workspace
            .run(&["preview", "news", "--to", who, "--json"])
            .expect(0)
            .stdout;
        serde_json::from_str::<Value>(&said).unwrap()["subject"].clone()
    };
    assert_eq!(subject("anna@example.com"), "AD: b");
    assert_eq!(subject("li@example.com"), "【广告】春");
}

#[test]
fn what_is_set_against_a_law_is_said_and_kept_on_record() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,consent,last_order\na@example.com,yes,2026-10-01\nb@example.com,yes,2020-10-01\n";
    let workspace = workspace(
        &sandbox,
        "templates/a.html.hbs",
        "<p>Hello</p>",
        list,
        "laws = [\"ca\", \"eu\"]",
    );
    workspace
        .run(&["check", "news", "--ignore-consent"])
        .expect(0)
        .says(&[
            "whatever the list says of their consent",
            "campaigns/news.toml:4:1",
        ]);
    workspace.write("list.csv", &list.replace("consent", "colour"));
    workspace
        .run(&["check", "news"])
        .expect(65)
        .says(&["no column says who has agreed"]);
    let campaign = std::fs::read_to_string(workspace.path("campaigns/news.toml")).unwrap();
    workspace.write(
        "campaigns/news.toml",
        &(campaign + "legal_basis = \"implied-consent\"\n"),
    );
    let eu = std::fs::read_to_string(workspace.path("campaigns/news.toml")).unwrap();
    workspace.write(
        "campaigns/news.toml",
        &eu.replace("\"ca\", \"eu\"", "\"ca\"")
            .replace("legal_basis", "# "),
    );
    workspace
        .run(&["check", "news"])
        .expect(0)
        .says(&["no column says who gave it", "campaigns/news.toml:4:1"]);
    workspace.write("campaigns/news.toml", &eu);
    workspace.run(&["check", "news"]).expect(0).says(&[
        "`last_order` is more than two years ago in 1 of 2 rows",
        "list.csv:3:1",
    ]);
    workspace.send(&["--ignore-consent"]).expect(0);
    workspace.run(&["status", "news"]).expect(0).says(&[
        "laws        eu, ca",
        "legal basis implied-consent",
        "consent     ignored",
    ]);
    let status = workspace.run(&["status", "news", "--json"]).expect(0).stdout;
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["legal_basis"], "implied-consent");
    assert_eq!(status["ignore_consent"], true);
}
