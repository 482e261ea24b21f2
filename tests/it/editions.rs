//! A campaign in several languages and variants.

use serde_json::Value;

use super::content::workspace;
use super::harness::Sandbox;

#[test]
fn a_run_goes_on_only_with_the_same_images_and_editions() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,name\na@example.com,A\nb@example.com,B\nc@example.com,C\n";
    let html = "<p>Hello {{name}}</p><img src=\"logo.png\" alt=\"\">";
    let editions = "[[variant]]\nweight = 1\n[[variant]]\nsubject = \"B\"";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", html, list, editions);
    workspace.write("templates/logo.png", "one");
    workspace.send(&["--limit", "1"]).expect(75);
    let campaign = std::fs::read_to_string(workspace.path("campaigns/news.toml")).unwrap();
    for (image, weight, says) in [
        ("two", "weight = 1", "file logo.png was edited"),
        ("one", "weight = 9", "variant a was"),
    ] {
        workspace.write("templates/logo.png", image);
        workspace.write("campaigns/news.toml", &campaign.replace("weight = 1", weight));
        workspace
            .send(&[])
            .expect(65)
            .says(&["has changed since it began", says]);
    }
    workspace.write("campaigns/news.toml", &campaign);
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.journal().len(), 3);
}

#[test]
fn the_language_of_a_person_comes_before_the_variant() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,name,lang\na@example.com,A,zh_CN\nb@example.com,B,en\nc@example.com,C,pt\nd@example.com,D,pt\n";
    let editions =
        "language_column = \"lang\"\n[[variant]]\nsubject = \"Variant\"\n[language.zh]\nsubject = \"中文\"";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", "<p>Hello</p>", list, editions);
    workspace.run(&["check", "news"]).expect(0).says(&[
        "people who read `zh` do not get this subject: `[language.zh]` has its own",
        "campaigns/news.toml:6:11",
        "write `[variant.language.zh]`",
        "the campaign has no language `pt`: 2 of 4 rows get its own",
        "list.csv:4:1",
    ]);
    let subject = |who: &str| {
        let said = workspace
            .run(&["preview", "news", "--to", who, "--json"])
            .expect(0)
            .stdout;
        let said: Value = serde_json::from_str(&said).unwrap();
        said["subject"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        [subject("a@example.com"), subject("b@example.com")],
        ["中文", "Variant"]
    );
    let text = std::fs::read_to_string(workspace.path("campaigns/news.toml")).unwrap();
    let both = "\"Variant\"\n[variant.language.zh]\nsubject = \"两者\"";
    workspace.write("campaigns/news.toml", &text.replace("\"Variant\"", both));
    assert_eq!(subject("a@example.com"), "两者");
    let unknown = text.replace("\"Variant\"", "\"Variant\"\n[variant.language.fr]");
    workspace.write("campaigns/news.toml", &unknown);
    workspace.run(&["check", "news"]).expect(65).says(&[
        "there is no language `fr`",
        "campaigns/news.toml:7:19",
        "`[language.fr]`",
    ]);
}

#[test]
fn the_status_of_a_campaign_compares_its_variants() {
    let sandbox = Sandbox::start(&[]);
    let people: Vec<String> = (0..60).map(|n| format!("p{n}@example.com,P{n}")).collect();
    let list = format!("email,name\nfail@example.com,F\n{}\n", people.join("\n"));
    let variants = "[[variant]]\nname = \"早\"\nsubject = \"Early\"\n[[variant]]\nname = \"late\"\nweight = 2\nsubject = \"Late\"\n";
    let workspace = workspace(
        &sandbox,
        "templates/a.html.hbs",
        "<p>Hello {{name}}</p>",
        &list,
        variants,
    );
    let none = workspace.run(&["status", "news"]).expect(0).stdout;
    assert!(!none.contains("variant"), "{none}");
    workspace.send(&[]).expect(76);
    let status: Value =
        serde_json::from_str(&workspace.run(&["status", "news", "--json"]).expect(0).stdout).unwrap();
    let of = |variant: usize, key: &str| status["variants"][variant][key].as_u64().unwrap();
    assert_eq!(status["variants"][0]["variant"], "早");
    assert_eq!(
        (
            of(0, "recipients") + of(1, "recipients"),
            of(0, "sent") + of(1, "sent")
        ),
        (61, 60)
    );
    assert_eq!(of(0, "failed") + of(1, "failed"), 1);
    assert!(of(1, "sent") > of(0, "sent"), "{status}");
    // As the mails were made.
    let early = (1..=61).filter(|row| {
        let row = row.to_string();
        let shown = workspace
            .run(&["preview", "news", "--row", &row, "--json"])
            .stdout;
        shown.contains("\"subject\":\"Early\"")
    });
    assert_eq!(early.count() as u64, of(0, "recipients"));
    let shown = workspace.run(&["status", "news"]).expect(0).stdout;
    let line = |name: &str| {
        shown
            .lines()
            .find(|line| line.trim_start().starts_with(name))
            .unwrap()
            .to_owned()
    };
    assert!(line("late").trim_end().ends_with(" 0"), "{shown}");
    assert!(line("variant").contains("mails"), "{shown}");
}
