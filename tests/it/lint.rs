//! What is warned of, and what nobody would see.

use serde_json::Value;

use super::content;
use super::content::{ANNA, workspace};
use super::harness::Sandbox;

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
    let layout = content::workspace(
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
