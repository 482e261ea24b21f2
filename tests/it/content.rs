//! What goes into mails: MJML, styles, plain mails, and faults of single rows.

use serde_json::Value;

use super::harness::{Sandbox, Workspace};

/// A workspace with this template and these lines in the campaign.
pub(crate) fn workspace(sandbox: &Sandbox, template: &str, html: &str, list: &str, more: &str) -> Workspace {
    let workspace = Workspace::new(&sandbox.account(), &["a@example.com"]);
    workspace.write("list.csv", list);
    workspace.write(template, html);
    workspace.write(
        "campaigns/news.toml",
        &format!("subject = \"News\"\nrecipients = \"list.csv\"\nhtml = \"{template}\"\n{more}\n"),
    );
    workspace
}

pub(crate) const ANNA: &str = "email,name\nanna@example.com,Anna\n";

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
