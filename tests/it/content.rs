//! What goes into mails: MJML, styles, files, images, the marks that laws want, and what is warned of.

use serde_json::Value;

use super::harness::{Sandbox, Workspace, pass_over};

/// A workspace with this template and these lines in the campaign.
fn workspace(sandbox: &Sandbox, template: &str, html: &str, list: &str, more: &str) -> Workspace {
    let workspace = Workspace::new(&sandbox.account(), &["a@example.com"]);
    workspace.write("list.csv", list);
    workspace.write(template, html);
    workspace.write(
        "campaigns/news.toml",
        &format!("subject = \"News\"\nrecipients = \"list.csv\"\nhtml = \"{template}\"\n{more}\n"),
    );
    workspace
}

const ANNA: &str = "email,name\nanna@example.com,Anna\n";

#[test]
fn mjml_becomes_html_with_its_tags_alive() {
    let sandbox = Sandbox::start(&[]);
    let mjml = "<mjml><mj-body><mj-section><mj-column>\n<mj-text>Hello {{name}}</mj-text>\n</mj-column></mj-section></mj-body></mjml>";
    let workspace = workspace(&sandbox, "templates/a.mjml.hbs", mjml, ANNA, "");
    let html = workspace.run(&["preview", "news", "--html"]).expect(0).stdout;
    assert!(html.contains("Hello Anna") && html.contains("<table"), "{html}");
    assert!(
        !html.contains("<mj-") && html.contains("<html lang=\"en\""),
        "{html}"
    );
    let text = workspace.run(&["preview", "news", "--text"]).expect(0).stdout;
    assert!(text.starts_with("Hello Anna"), "{text}");
    workspace.write("templates/a.mjml.hbs", &mjml.replace("{{name}}", "{{nmae}}"));
    workspace
        .run(&["check", "news"])
        .expect(65)
        .says(&["templates/a.mjml.hbs:2:16", "did you mean `{{name}}`?"]);
    workspace.write("templates/a.mjml.hbs", &mjml.replace("mj-text", "mj-txt"));
    workspace.run(&["check", "news"]).expect(65).says(&[
        "templates/a.mjml.hbs:2:1",
        "there is no MJML element `mj-txt`; did you mean `mj-text`?",
    ]);
}

#[test]
fn a_plain_mail_needs_a_text_alone() {
    let sandbox = Sandbox::start(&[]);
    let workspace = workspace(
        &sandbox,
        "templates/a.txt.hbs",
        "Hello {{name}} <3\n\n{{> sig}}",
        ANNA,
        "",
    );
    workspace.write("templates/sig.txt.hbs", "Yours, https://a.example/");
    let text = std::fs::read_to_string(workspace.path("campaigns/news.toml")).unwrap();
    workspace.write("campaigns/news.toml", &text.replace("html =", "text ="));
    workspace.send(&[]).expect(0);
    let html = workspace.run(&["preview", "news", "--html"]).expect(0).stdout;
    let link = "<a href=\"https://a.example/\">https://a.example/</a>";
    assert!(
        html.contains("Hello Anna &lt;3<br>\n<br>\n") && html.contains(link),
        "{html}"
    );
    let plain = workspace.run(&["preview", "news", "--text"]).expect(0).stdout;
    assert!(
        plain.starts_with("Hello Anna <3\n\nYours, https://a.example/"),
        "{plain}"
    );
    workspace.write("templates/a.txt.hbs", "Hello &\n{{nmae}}");
    workspace
        .run(&["check", "news"])
        .expect(65)
        .says(&["templates/a.txt.hbs:2:1", "did you mean `{{name}}`?"]);
    workspace.write("campaigns/news.toml", &text.replace("html =", "# html ="));
    workspace
        .run(&["check", "news"])
        .expect(65)
        .says(&["there is no template", "campaigns/news.toml:1:1"]);
}

#[test]
fn styles_stand_in_the_elements() {
    let sandbox = Sandbox::start(&[]);
    let html = "<html><head><style>p { color: teal }</style></head><body><p>Hello {{name}}</p></body></html>";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", html, ANNA, "");
    let made = workspace.run(&["preview", "news", "--html"]).expect(0).stdout;
    assert!(
        made.contains("<p style=\"color: teal;\">Hello Anna</p>"),
        "{made}"
    );
    let without = self::workspace(&sandbox, "templates/a.html.hbs", html, ANNA, "inline_css = false");
    let made = without.run(&["preview", "news", "--html"]).expect(0).stdout;
    assert!(made.contains("<p>Hello Anna</p>"), "{made}");
    // A fault in a template that was gone over is shown where it was written.
    workspace.write(
        "templates/a.html.hbs",
        &html.replace("{{name}}", "{{date name \"%Y\"}}"),
    );
    workspace
        .run(&["check", "news"])
        .expect(65)
        .says(&["templates/a.html.hbs:1:67"]);
}

#[test]
fn everyone_gets_their_own_file_and_images_are_shown() {
    let sandbox = Sandbox::start(&[]);
    let html = "<p>Hello</p><img src=\"images/logo.png\" alt=\"\"><img src=\"images/logo.png\" alt=\"\">";
    let list = "email,order_id\nanna@example.com,7\nbert@example.com,8\n";
    let files = "attachment = [\"terms.pdf\", { file = \"invoices/{{order_id}}.csv\", name = \"发票 {{order_id}}.csv\" }]";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", html, list, files);
    workspace
        .run(&["check", "news"])
        .expect(65)
        .says(&["there is no file `terms.pdf`", "campaigns/news.toml:4:15"]);
    std::fs::create_dir(workspace.path("terms.pdf")).unwrap();
    workspace
        .run(&["check", "news"])
        .expect(65)
        .says(&["`terms.pdf` is a folder", "campaigns/news.toml:4:15"]);
    std::fs::remove_dir(workspace.path("terms.pdf")).unwrap();
    workspace.write("terms.pdf", "%PDF terms");
    workspace
        .run(&["check", "news"])
        .expect(65)
        .says(&["there is no image `images/logo.png`", "templates/a.html.hbs:1:23"]);
    workspace.write("templates/images/logo.png", "not a png");
    workspace.write("invoices/7.csv", "姓名\n张三\n");
    workspace
        .run(&["check", "news"])
        .expect(65)
        .says(&["there is no file `invoices/8.csv`", "list.csv:3:1"]);
    workspace.write("invoices/8.csv", "name\nBert\n");
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.journal().len(), 2);
    let eml = |who: &str| {
        workspace
            .run(&["preview", "news", "--to", who, "--eml"])
            .expect(0)
            .stdout
    };
    let (anna, bert) = (eml("anna@example.com"), eml("bert@example.com"));
    for mail in [&anna, &bert] {
        assert!(
            mail.contains("multipart/mixed") && mail.contains("multipart/related"),
            "{mail}"
        );
        assert_eq!(
            mail.matches("Content-ID: <").count(),
            1,
            "an image that is shown twice goes once"
        );
        assert!(mail.contains("name=\"terms.pdf\""));
    }
    assert!(
        anna.contains("filename*=UTF-8''%E5%8F%91%E7%A5%A8%207.csv"),
        "{anna}"
    );
    // Marked for Excel: 77u/ is the byte order mark.
    assert!(anna.contains("\r\n\r\n77u/"), "{anna}");
    assert!(!bert.contains("\r\n\r\n77u/"), "{bert}");
    let html = workspace.run(&["preview", "news", "--html"]).expect(0).stdout;
    assert_eq!(html.matches("src=\"cid:").count(), 2, "{html}");
}

#[test]
fn a_list_puts_no_file_into_a_mail_that_the_campaign_does_not_name() {
    let sandbox = Sandbox::start(&[]);
    let html = "<img src=\"logo.png\" alt=\"\"><img src=\"{{name}}\" alt=\"\">{{{more}}}";
    let list = "email,name,more,file\na@example.com,mailshot.toml,\"<img src='../mailshot.toml'>\",../mailshot.toml\n";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", html, list, "");
    workspace.write("templates/logo.png", "not a png");
    let mail = workspace.run(&["preview", "news", "--eml"]).expect(0).stdout;
    assert_eq!(mail.matches("Content-ID: <").count(), 1, "{mail}");
    let campaign = |attachment: &str| {
        workspace.write(
            "campaigns/news.toml",
            &format!("subject = \"News\"\nrecipients = \"list.csv\"\nhtml = \"templates/a.html.hbs\"\nattachment = \"{attachment}\"\n"),
        );
        workspace.run(&["check", "news"]).expect(65)
    };
    workspace.write("bills/7.pdf", "%PDF");
    campaign("bills/{{file}}").says(&["leads out of the folder `bills/`"]);
    campaign("{{file}}").says(&[
        "could be any file here",
        "campaigns/news.toml:4:14",
        "files/{{file}}",
    ]);
}

#[test]
fn a_run_goes_on_only_when_everyone_who_waits_has_their_file() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,id\na@example.com,1\nb@example.com,2\nc@example.com,3\n";
    let attachment = "attachment = \"bills/{{id}}.pdf\"";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", "<p>Hello</p>", list, attachment);
    for id in 1..=3 {
        workspace.write(&format!("bills/{id}.pdf"), "%PDF");
    }
    workspace.send(&["--limit", "1"]).expect(75);
    // Theirs was sent: it is not looked for again.
    std::fs::remove_file(workspace.path("bills/1.pdf")).unwrap();
    std::fs::remove_file(workspace.path("bills/3.pdf")).unwrap();
    workspace.send(&[]).expect(65).says(&[
        "there is no file `bills/3.pdf`",
        "list.csv:4:1",
        "nothing was sent",
    ]);
    assert_eq!(sandbox.journal().len(), 1);
    workspace.write("bills/3.pdf", "%PDF");
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.journal().len(), 3);
}

#[test]
fn a_run_goes_on_only_when_everyone_who_waits_has_their_image() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,id\na@example.com,1\nb@example.com,2\n";
    let html = "<img src=\"faces/{{id}}.png\" alt=\"\">";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", html, list, "");
    workspace.write("templates/faces/1.png", "1");
    workspace.write("templates/faces/2.png", "2");
    workspace.send(&["--limit", "1"]).expect(75);
    std::fs::remove_file(workspace.path("templates/faces/2.png")).unwrap();
    workspace
        .send(&[])
        .expect(65)
        .says(&["there is no file `faces/2.png`", "nothing was sent"]);
}

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

#[test]
fn what_hurts_is_warned_of_and_strict_takes_it_for_an_error() {
    let sandbox = Sandbox::start(&[]);
    let html =
        "<p>Hello {{name}}</p>\n<img src=\"https://a.example/x.png\"><a href=\"http://a.example\">x</a>";
    let list = "email,name\nanna@example.com,Anna\nbert@gmial.com,\n";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", html, list, "");
    workspace.run(&["check", "news"]).expect(0).says(&[
        "an image without `alt`",
        "templates/a.html.hbs:2:1",
        "an address without https",
        "`name` is empty in 1 of 2 rows",
        "bert@gmial.com: a slip of the keyboard?",
    ]);
    workspace
        .run(&["check", "news", "--strict"])
        .expect(65)
        .says(&["without --strict these are warnings"]);
    let json = workspace.run(&["check", "news", "--json"]).expect(0).stdout;
    let found: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        found["findings"]["warnings"].as_array().unwrap().len(),
        4,
        "{json}"
    );
}

#[test]
fn a_footer_that_nobody_sees_is_none() {
    let sandbox = Sandbox::start(&[]);
    let html =
        "<style>.small { display: none }</style>\n<p>Hello</p>\n<div class=\"small\">{{{footer}}}</div>";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", html, ANNA, "");
    workspace.send(&[]).expect(65).says(&[
        "the way to leave is hidden by `display:none`",
        "the postal address is hidden by `display:none`",
        "templates/a.html.hbs:3:20",
        "nothing was sent",
    ]);
    workspace.write("templates/a.html.hbs", &html.replace("none", "block"));
    workspace.send(&[]).expect(0);
    let layout = self::workspace(
        &sandbox,
        "templates/a.html.hbs",
        "{{#> page}}<p>Hello</p>{{/page}}",
        ANNA,
        "",
    );
    layout.write(
        "templates/page.html.hbs",
        &format!("{html}{{{{> @partial-block}}}}"),
    );
    layout
        .send(&[])
        .expect(65)
        .says(&["the way to leave is hidden", "templates/page.html.hbs:3:20"]);
}

#[test]
fn a_path_in_the_list_is_no_image() {
    let sandbox = Sandbox::start(&[]);
    let html = "<p>Hello</p>\n<img alt=\"\" src=\"{{photo}}\">";
    let list = "email,photo\na@example.com,https://a.example/a.png\nb@example.com,faces/b.png\n";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", html, list, "");
    workspace.run(&["check", "news"]).expect(0).says(&[
        "`photo` is no address of the web in 1 of 2 rows",
        "templates/a.html.hbs:2:18",
        "line 3 of",
        "src=\"images/{{photo}}\"",
    ]);
}

#[test]
fn an_address_without_a_scheme_in_the_list_leads_nowhere() {
    let sandbox = Sandbox::start(&[]);
    let html = "<p><a href=\"{{shop}}/new\">Shop</a> <a href=\"{{contact}}\">Write</a>";
    let list = "email,shop,contact\na@example.com,https://a.example,mailto:a@example.com\n\
                b@example.com,www.a.example,javascript:x\n";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", html, list, "");
    workspace.run(&["check", "news"]).expect(0).says(&[
        "`shop` is no address of the web in 1 of 2 rows: the link leads nowhere",
        "templates/a.html.hbs:1:13",
        "`contact` is no address of the web in 1 of 2 rows",
    ]);
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
fn a_fault_of_one_row_says_where_it_is_and_which_row_it_is() {
    let sandbox = Sandbox::start(&[]);
    let html = "<p>\n{{date born}}</p>";
    let list = "email,born\na@example.com,2000-01-01\nb@example.com,soon\n";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", html, list, "laws = [\"us\"]");
    workspace.run(&["check", "news"]).expect(65).says(&[
        "`soon` is not a date",
        "templates/a.html.hbs:2:1",
        "seen with: ",
        "list.csv:3",
    ]);
    let json = workspace.run(&["check", "news", "--json"]).expect(65).stdout;
    let said: Value = serde_json::from_str(&json).unwrap();
    let problem = &said["problems"][0];
    assert_eq!(
        [&problem["line"], &problem["column"], &problem["row"]["line"]],
        [2, 1, 3],
        "{json}"
    );
    assert!(
        problem["row"]["file"].as_str().unwrap().ends_with("list.csv"),
        "{json}"
    );
}

#[test]
fn files_that_mailboxes_refuse_are_warned_of_by_row() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,file\na@example.com,a.pdf\nb@example.com,b.exe\nc@example.com,c.exe\n";
    let attachment = "attachment = [\"files/{{file}}\", \"files/all.js\"]";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", "<p>Hello</p>", list, attachment);
    for name in ["a.pdf", "b.exe", "c.exe", "all.js"] {
        workspace.write(&format!("files/{name}"), "x");
    }
    workspace.run(&["check", "news"]).expect(0).says(&[
        "2 of 3 rows have one, the first is `files/b.exe`",
        "list.csv:3:1",
        "refuse the mail: `files/all.js`",
        "campaigns/news.toml:4:34",
    ]);
    workspace.run(&["check", "news", "--strict"]).expect(65);
}

#[test]
fn pages_show_a_mail_and_lead_to_its_neighbours() {
    let sandbox = Sandbox::start(&[]);
    let list = "email,name\nanna@example.com,Anna\nbert@example.com,Bert & Co\ncarl@example.com,\n";
    let workspace = workspace(
        &sandbox,
        "templates/a.html.hbs",
        "<p>Hello <b>{{name}}</b></p>",
        list,
        "",
    );
    let said = workspace
        .run(&["preview", "news", "--row", "2", "--pages", "pages"])
        .expect(0)
        .stdout;
    assert_eq!(said.trim(), "pages/line-3.html");
    let page = std::fs::read_to_string(workspace.path("pages/line-3.html")).unwrap();
    for what in [
        "href=\"line-2.html\"",
        "href=\"line-4.html\"",
        "name is empty in 1 of 3 rows",
        "Bert &amp;amp; Co",
        "From: Aurora Home",
    ] {
        assert!(page.contains(what), "{what}: {page}");
    }
}

#[test]
fn pages_lead_only_to_pages() {
    let sandbox = Sandbox::start(&[]);
    let rows = (0..30).map(|n| format!("p{n}@example.com,{}", if n == 1 { "soon" } else { "2000-01-01" }));
    let list = format!("email,born\n{}\n", rows.collect::<Vec<_>>().join("\n"));
    let html =
        "<style>@media (prefers-color-scheme: dark) { p { color: white } }</style><p>{{date born}}</p>";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", html, &list, "");
    workspace.run(&["preview", "news", "--pages", "pages"]).expect(0);
    let pages: Vec<_> = std::fs::read_dir(workspace.path("pages")).unwrap().collect();
    assert_eq!(pages.len(), 20);
    for page in pages {
        let page = std::fs::read_to_string(page.unwrap().path()).unwrap();
        for link in page.split("href=\"line-").skip(1) {
            let name = format!("pages/line-{}", link.split('"').next().unwrap());
            assert!(workspace.path(&name).is_file(), "{name}");
        }
        for what in [
            "line 3 has no page, since its mail cannot be made: ",
            "21 of 30 recipients can be leafed through",
            "dark mode, by the styles of the mail",
        ] {
            assert!(page.contains(what), "{what}: {page}");
        }
    }
}

#[test]
fn a_browser_shows_both_screens_and_turns_the_colours_around() {
    let sandbox = Sandbox::start(&[]);
    let html = "<html><body style=\"background:#ffffff\"><p>Hello <b>{{name}}</b></p></body></html>";
    let workspace = workspace(&sandbox, "templates/a.html.hbs", html, ANNA, "");
    workspace.run(&["preview", "news", "--pages", "pages"]).expect(0);
    let page = workspace.path("pages/line-2.html");
    // What a click on the switch would do.
    let text = std::fs::read_to_string(&page).unwrap();
    let script = "<script>document.getElementById('dark').click();\
        const frames = [...document.querySelectorAll('iframe')];\
        document.title = frames.map(f => f.offsetWidth + ' ' + getComputedStyle(f).filter).join(' | ');</script></body>";
    std::fs::write(
        &page,
        text.replace("</body>\n</html>", &format!("{script}</html>")),
    )
    .unwrap();
    let shown = std::process::Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=3000",
            "--dump-dom",
        ])
        .arg(format!("file://{}", page.display()))
        .output();
    let Ok(shown) = shown else {
        return pass_over("a_browser_shows_both_screens", "chromium is not there");
    };
    let dom = String::from_utf8_lossy(&shown.stdout).into_owned();
    let title = dom
        .split("<title>")
        .nth(1)
        .and_then(|rest| rest.split("</title>").next())
        .unwrap_or_default();
    assert_eq!(
        title, "702 invert(1) hue-rotate(180deg) | 377 invert(1) hue-rotate(180deg)",
        "{dom}"
    );
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
