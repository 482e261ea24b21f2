//! All tests of this module in one file, long as it is: they share one small world of a workspace.

use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::campaign::Workspace;
use crate::mail::Address;

/// A workspace with a campaign, its templates and one recipient.
struct World {
    folder: TempDir,
    campaign: String,
    row: Vec<(String, String)>,
}

impl World {
    /// The campaign sends this HTML under the subject `Hello`; its list has an `email` column.
    fn new(html: &str) -> Self {
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
            campaign: String::from(
                "subject = \"Hello\"\nrecipients = \"list.csv\"\nhtml = \"t/body.html.hbs\"\n",
            ),
            row: vec![("email".to_owned(), "li@example.com".to_owned())],
        };
        world
            .file("mailshot.toml", "[sender]\nfrom = \"a@b.example\"\npostal_address = \"1 Road\"\n[account.main]\nhost = \"localhost\"\nport = 25\ntls = \"none\"\n[unsubscribe]\nmailto = \"u@b.example\"\n")
            .file("list.csv", "email\n")
            .file("t/body.html.hbs", html)
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn text(self, text: &str) -> Self {
        let mut world = self.file("t/body.txt.hbs", text);
        world.campaign.push_str("text = \"t/body.txt.hbs\"\n");
        world
    }

    fn subject(mut self, subject: &str) -> Self {
        self.campaign = self.campaign.replace("\"Hello\"", &format!("'{subject}'"));
        self
    }

    fn key(mut self, line: &str) -> Self {
        self.campaign.push_str(line);
        self.campaign.push('\n');
        self
    }

    /// A column by its header, and the recipient's value.
    fn column(mut self, header: &str, value: &str) -> Self {
        self.row.push((header.to_owned(), value.to_owned()));
        self
    }

    fn columns(&self) -> Columns {
        let headers: Vec<String> = self.row.iter().map(|(header, _)| header.clone()).collect();
        let names = headers
            .iter()
            .map(|header| header.to_lowercase().replace([' ', '-'], "_"))
            .collect();
        Columns {
            names,
            headers,
            email: 0,
        }
    }

    fn compile(&self) -> Result<Templates, Problems> {
        let root = self.folder.path();
        let path = root.join("c.toml");
        std::fs::write(&path, &self.campaign).unwrap();
        let workspace = Workspace::load(root).unwrap();
        let campaign = Campaign::load(&path, &workspace).unwrap();
        Templates::compile(&campaign, &self.columns(), root)
    }

    fn recipient(&self) -> Recipient {
        Recipient {
            address: Address::parse("li@example.com").unwrap(),
            place: Place {
                line: 7,
                offset: 0,
                length: 0,
            },
            values: self.row.iter().map(|(_, value)| value.as_str()).collect(),
        }
    }

    fn try_render(&self) -> Result<Content, Problem> {
        let given = Given {
            unsubscribe_url: "https://u.example/?a=1&b=2",
            postal_address: "1 Road, <Town>",
            campaign: "spring",
            date: "2026-11-23",
        };
        self.compile().unwrap().render(&self.recipient(), &given)
    }

    fn render(&self) -> Content {
        self.try_render().unwrap()
    }

    /// The HTML without the footer, and without what says its language.
    fn html(&self) -> String {
        let html = self.render().html;
        let html = html.split_once("<div role=\"contentinfo\"").unwrap().0;
        let inner = html.strip_prefix("<div lang=\"en\" dir=\"ltr\">");
        inner
            .and_then(|html| html.strip_suffix("</div>"))
            .unwrap_or(html)
            .to_owned()
    }

    /// The text without the footer.
    fn plain(&self) -> String {
        let text = self.render().text;
        text.split_once("\n\nYou are getting this mail")
            .unwrap()
            .0
            .to_owned()
    }

    /// All problems as `file:line:column what / hint`.
    fn problems(&self) -> Vec<String> {
        let problems = self
            .compile()
            .err()
            .map(|problems| problems.kept)
            .unwrap_or_default();
        problems.iter().map(tell).collect()
    }

    /// The one problem of rendering.
    fn failure(&self) -> String {
        tell(&self.try_render().unwrap_err())
    }
}

fn tell(problem: &Problem) -> String {
    let file = source::file_name(&problem.file);
    let hint = problem.hint.clone().unwrap_or_default();
    let row = problem
        .row
        .as_ref()
        .map(|row| format!("{}:{}", source::file_name(&row.file), row.line));
    let row = row.unwrap_or_default();
    format!(
        "{file}:{}:{} {} / {hint}{row}",
        problem.line, problem.column, problem.what
    )
}

#[test]
fn columns_are_variables_by_name_and_by_header() {
    let world = World::new(
        "{{first_name}} {{[First Name]}} {{姓名}} {{email}} {{campaign}} {{date}} {{postal_address}}",
    )
    .column("First Name", "Li & Co")
    .column("姓名", "李");
    assert_eq!(
        world.html(),
        "Li &amp; Co Li &amp; Co 李 li@example.com spring 2026-11-23 1 Road, &lt;Town&gt;"
    );
}

#[test]
fn html_is_escaped_in_html_and_not_in_text_and_subject() {
    let world = World::new("<p title='{{name}}'>{{name}}</p>")
        .text("{{name}}")
        .subject("{{name}}")
        .column("name", "<b>'\"&");
    let content = world.render();
    assert_eq!(
        world.html(),
        "<p title='&lt;b&gt;&#39;&quot;&amp;'>&lt;b&gt;&#39;&quot;&amp;</p>"
    );
    assert!(content.text.starts_with("<b>'\"&\n"));
    assert_eq!(content.subject, "<b>'\"&");
}

#[test]
fn data_is_never_rendered_again() {
    let world = World::new("{{name}} {{default name \"x\"}}")
        .subject("{{name}}")
        .column("name", "{{email}} {{{footer}}}");
    assert_eq!(world.html(), "{{email}} {{{footer}}} {{email}} {{{footer}}}");
    assert_eq!(world.render().subject, "{{email}} {{{footer}}}");
}

#[test]
fn what_is_given_wins_over_columns_of_the_same_name() {
    let world = World::new("{{date}} {{email}}")
        .column("date", "1999-01-01")
        .column("E", "x");
    assert_eq!(world.html(), "2026-11-23 li@example.com");
}

#[test]
fn all_unknown_names_of_all_templates_are_told_at_once() {
    let world =
        World::new("<p>\n  Dear {{first_nam}},\n{{#if vipp}}{{default citty \"x\"}}{{/if}}</p>{{upper zzz}}")
            .text("Hi {{naem}}")
            .subject("{{hello}}")
            .key("preheader = \"Only for {{hallo}}\"")
            .column("first_name", "Li")
            .column("city", "X");
    let hint = "columns are: email, first_name, city";
    assert_eq!(
        world.problems(),
        [
            format!(
                "body.html.hbs:2:8 body.html.hbs uses `{{{{first_nam}}}}`, which list.csv does not have / did you mean `{{{{first_name}}}}`? {hint}"
            ),
            format!(
                "body.html.hbs:3:7 body.html.hbs uses `{{{{vipp}}}}`, which list.csv does not have / {hint}"
            ),
            format!(
                "body.html.hbs:3:23 body.html.hbs uses `{{{{citty}}}}`, which list.csv does not have / did you mean `{{{{city}}}}`? {hint}"
            ),
            format!(
                "body.html.hbs:3:53 body.html.hbs uses `{{{{zzz}}}}`, which list.csv does not have / {hint}"
            ),
            format!("c.toml:1:12 c.toml uses `{{{{hello}}}}`, which list.csv does not have / {hint}"),
            format!("c.toml:5:23 c.toml uses `{{{{hallo}}}}`, which list.csv does not have / {hint}"),
            format!(
                "body.txt.hbs:1:4 body.txt.hbs uses `{{{{naem}}}}`, which list.csv does not have / {hint}"
            ),
        ]
    );
}

#[test]
fn a_known_column_may_be_empty() {
    let world = World::new("{{#if a}}A{{else}}-{{/if}}{{default a \"you\"}}{{#each b}}x{{else}}none{{/each}}{{#each b}}x{{/each}}{{a}}")
        .column("a", " ")
        .column("b", "");
    assert_eq!(world.html(), "Ayounone ");
    let world = World::new("{{#if a}}A{{else}}-{{/if}}{{#unless a}}none{{/unless}}").column("a", "");
    assert_eq!(world.html(), "-none");
}

#[test]
fn a_column_with_a_json_list_can_be_repeated_over() {
    let world = World::new("{{#each orders}}{{@index}}:{{name}}={{number price 2}} {{../city}} {{/each}}{{#each tags as |tag|}}[{{tag}}]{{/each}}{{#with who}}{{x}}{{/with}}{{who.x}}")
        .column("orders", r#"[{"name":"Tea","price":4.5},{"name":"<Cup>","price":1200}]"#)
        .column("city", "Ulm")
        .column("tags", r#"["a","b"]"#)
        .column("who", r#"{"x":"y"}"#);
    assert_eq!(world.html(), "0:Tea=4.50 Ulm 1:&lt;Cup&gt;=1,200.00 Ulm [a][b]yy");
}

#[test]
fn a_cell_that_is_no_list_is_shown_where_the_template_needs_one() {
    let world = World::new("<p>\n{{#each orders}}x{{/each}}").column("orders", "Tea; Cup");
    assert_eq!(
        world.failure(),
        "body.html.hbs:2:9 `orders` must be JSON here, a list or an object: it cannot be read at character 1 / list.csv:7"
    );
}

#[test]
fn an_object_in_the_place_of_a_text_is_a_problem() {
    let items = r#"[{"name":"Tea"}]"#;
    let said = "a list or an object stands here, and the mail would say `[object]`";
    for (html, place) in [
        ("<p>{{#each items}}{{this}}{{/each}}", "body.html.hbs:1:19"),
        ("{{#each items}}{{/each}}<p>\n{{items}}", "body.html.hbs:2:1"),
        ("<p>{{default (lookup items 0) \"x\"}}", "body.html.hbs"),
    ] {
        let failure = World::new(html).column("items", items).failure();
        assert!(
            failure.starts_with(place) && failure.contains(said),
            "{html}: {failure}"
        );
    }
    let world = World::new("<p>{{a}} {{#each items}}{{name}}{{/each}}").column("items", items);
    assert!(world.column("a", "[object]").html().contains("<p>[object] Tea"));
}

#[test]
fn the_footer_begins_a_line_of_the_text() {
    let text = World::new("<b>bare</b> words {{{footer}}}").render().text;
    assert!(text.starts_with("bare words\n\nYou are getting"), "{text:?}");
}

#[test]
fn a_value_missing_in_one_row_names_the_template_and_the_row() {
    let world = World::new("<p>\n {{#each orders}}{{name}}: {{price}}{{/each}}")
        .column("orders", r#"[{"name":"Tea"}]"#);
    assert_eq!(
        world.failure(),
        "body.html.hbs:2:28 there is no `price` here / inside `{{#each}}` and `{{#with}}` names belong to the element; `{{../first_name}}` is the recipient'slist.csv:7"
    );
}

#[test]
fn places_stay_true_where_the_program_has_put_something_in() {
    let world = World::new("<body>{{date a}}</body>{{date b}}")
        .key("preheader = \"x\"")
        .column("a", "2026-01-02")
        .column("b", "x");
    assert!(
        world
            .failure()
            .starts_with("body.html.hbs:1:24 `x` is not a date"),
        "{}",
        world.failure()
    );
    let world = World::new("<body>{{date a}}</body>")
        .key("preheader = \"x\"")
        .column("a", "x");
    assert!(
        world.failure().starts_with("body.html.hbs:1:7 `x` is not a date"),
        "{}",
        world.failure()
    );
}

#[test]
fn helpers_format_values() {
    for (template, expected) in [
        ("{{date day \"%d %B %Y\"}}", "05 March 2026"),
        ("{{date day}}", "2026-03-05"),
        ("{{date moment \"%H:%M\"}}", "10:30"),
        ("{{date slashes \"%Y年%-m月%-d日\"}}", "2026年3月5日"),
        ("{{number total}}", "1,234,567.5"),
        ("{{number total 2}}", "1,234,567.50"),
        ("{{number nines 2}}", "1,000.00"),
        ("{{number debt 0}}", "-12"),
        ("{{upper name}} {{lower name}}", "MÜLLER &amp; CO müller &amp; co"),
        ("{{urlencode name}}", "M%C3%BCller%20%26%20Co"),
        ("{{default empty name}}", "Müller &amp; Co"),
        ("{{upper (default empty \"you\")}}", "YOU"),
        ("{{number}}", "n5"),
        (
            "{{#if (eq name \"x\")}}a{{else if (eq number \"n5\")}}b{{/if}}",
            "b",
        ),
    ] {
        let world = World::new(template)
            .column("day", "2026-03-05")
            .column("moment", "2026-03-05T10:30:00+08:00")
            .column("slashes", "2026/3/5")
            .column("total", "1234567.5")
            .column("nines", "999.999")
            .column("debt", "-12.4")
            .column("name", "Müller & Co")
            .column("empty", "")
            .column("number", "n5");
        assert_eq!(world.html(), expected, "{template}");
    }
}

#[test]
fn wrong_use_of_a_helper_is_found_before_anything_is_rendered() {
    for (template, expected) in [
        ("{{date name \"%Q\"}}", "1:1 `%Q` is not a date format"),
        ("{{number name 12}}", "1:1 decimals are a number from 0 to 9"),
        (
            "{{default name}}",
            "1:1 `default` cannot take 1 value / write it like {{default first_name \"there\"}}",
        ),
        (
            "{{upper}}",
            "1:1 `{{upper}}` is a helper and needs a value / write it like {{upper city}}",
        ),
        (
            "{{len}}",
            "1:1 `{{len}}` is a helper and needs a value / for the column write `{{[len]}}`",
        ),
        (
            "{{uper name}}",
            "1:3 there is no helper `uper` / did you mean `{{upper city}}`?",
        ),
        (
            "{{First Name}}",
            "1:1 `{{First Name}}` has a space in its name / write `{{first_name}}` or `{{[First Name]}}`",
        ),
        (
            "{{if name}}",
            "1:1 `{{if …}}` opens a block and needs a `#` / write it like {{#if vip}} … {{/if}}",
        ),
        (
            "{{#name}}x{{/name}}",
            "1:4 there is no block `{{#name}}` / write `{{#if name}}` or `{{#each name}}`",
        ),
        (
            "{{#each email}}x{{/each}}",
            "1:9 `email` is one value; it has no parts / write `{{email}}`",
        ),
        ("{{log name}}", "1:3 there is no helper `log`"),
    ] {
        let world = World::new(template)
            .column("name", "x")
            .column("First Name", "x")
            .column("len", "1");
        let problems = world.problems();
        assert_eq!(problems.len(), 1, "{template}: {problems:?}");
        assert!(
            problems[0].starts_with(&format!("body.html.hbs:{expected}")),
            "{template}: {problems:?}"
        );
    }
}

#[test]
fn wrong_data_for_a_helper_names_the_row() {
    let world = World::new("{{number total}}").column("total", "12a");
    assert_eq!(
        world.failure(),
        "body.html.hbs:1:1 `12a` is not a number; write it like 1234.5 / list.csv:7"
    );
    let world = World::new("{{date day}}").column("day", "");
    assert!(
        world
            .failure()
            .contains("an empty date; put `{{#if …}}` around it"),
        "{}",
        world.failure()
    );
}

#[test]
fn partials_of_the_templates_folder_are_used_by_flavour() {
    let world = World::new("{{> button label=name}}|{{> plain}}")
        .text("{{> button label=\"Go\"}}|{{> plain}}")
        .file("t/button.html.hbs", "<b>{{label}}</b>")
        .file("t/button.txt.hbs", "*{{label}}*")
        .file("t/plain.hbs", "{{name}}")
        .file("t/unused.html.hbs", "{{#if broken")
        .column("name", "A&B");
    assert_eq!(world.html(), "<b>A&amp;B</b>|A&amp;B");
    assert_eq!(world.plain(), "*Go*|A&B");
    let templates = world.compile().unwrap();
    let files: Vec<String> = templates
        .sources()
        .map(|(path, _)| {
            path.strip_prefix(world.folder.path())
                .unwrap()
                .display()
                .to_string()
        })
        .collect();
    assert_eq!(
        files,
        [
            "t/body.html.hbs",
            "t/body.txt.hbs",
            "t/button.html.hbs",
            "t/button.txt.hbs",
            "t/plain.hbs",
            "templates/footer/en.html.hbs",
            "templates/footer/en.txt.hbs"
        ]
    );
}

#[test]
fn faults_in_partials_are_told_with_their_own_place() {
    let world = World::new("{{> head}}\n {{> heda}}{{> ../secret}}")
        .file("t/head.html.hbs", "x\n{{naem}}{{> loop}}")
        .file("t/loop.html.hbs", "{{#if email}}{{> loop}}{{/if}}")
        .file("secret.html.hbs", "x");
    assert_eq!(
        world.problems(),
        [
            "body.html.hbs:2:6 there is no partial `heda` for this template: no file `heda.html.hbs` / did you mean `{{> head}}`?",
            "body.html.hbs:2:16 there is no partial `../secret` for this template: no file `secret.html.hbs` / there are: body, head, loop",
            "head.html.hbs:2:1 head.html.hbs uses `{{naem}}`, which list.csv does not have / columns are: email",
            "loop.html.hbs:1:18 the partial `loop` calls itself / take this call out",
        ]
    );
}

#[test]
fn data_with_line_ends_is_not_indented_by_partials() {
    let world = World::new("<pre>\n    {{> note}}\n</pre>")
        .file("t/note.html.hbs", "{{note}}")
        .column("note", "a\nb");
    assert_eq!(world.html(), "<pre>\n    a\nb</pre>");
}

#[test]
fn the_footer_stands_where_the_template_wants_it_else_at_the_end() {
    let url = "https://u.example/?a=1&amp;b=2";
    for (html, before, after) in [
        (
            "<body>x</body></html>",
            "<body lang=\"en\" dir=\"ltr\">x<div role",
            "</div></body></html>",
        ),
        (
            "<BODY>x</BODY><!-- </body> -->",
            "<BODY lang=\"en\" dir=\"ltr\">x<div role",
            "</div></BODY><!-- </body> -->",
        ),
        ("x", "<div lang=\"en\" dir=\"ltr\">x</div><div role", "</div>"),
        (
            "<i>{{{footer}}}</i></body>",
            "<div lang=\"en\" dir=\"ltr\"><i><div role",
            "</div></i></div></body>",
        ),
        (
            "<html><i>{{footer}}</i></body>",
            "<html lang=\"en\" dir=\"ltr\"><i><div role",
            "</div></i></body>",
        ),
        (
            "<html>{{> end}}</body>",
            "<html lang=\"en\" dir=\"ltr\"><u><div role",
            "</div></u></body>",
        ),
        (
            "<html>{{#if email}}{{{ footer }}}{{/if}}</body>",
            "<html lang=\"en\" dir=\"ltr\"><div role",
            "</div></body>",
        ),
    ] {
        let world = World::new(html).file("t/end.html.hbs", "<u>{{{footer}}}</u>");
        let html = world.render().html;
        assert!(html.starts_with(before) && html.ends_with(after), "{html}");
        assert_eq!(html.matches(url).count(), 1);
        assert!(html.contains("Unsubscribe</a>") && html.contains("1 Road, &lt;Town&gt;"));
    }
}

#[test]
fn a_footer_in_the_wrong_place_is_refused() {
    let world = World::new("{{#each list}}{{{footer}}}{{/each}}")
        .subject("Hi {{footer}}")
        .column("list", "");
    let hint = "put it elsewhere, or take it out: then it comes at the end";
    assert_eq!(
        world.problems(),
        [
            format!(
                "body.html.hbs:1:15 the footer cannot stand within `{{{{#each}}}}` or `{{{{#with}}}}`, where names belong to the element / {hint}"
            ),
            format!(
                "c.toml:1:15 the footer cannot stand in the subject or the preheader, nor within the footer / {hint}"
            ),
        ]
    );
}

#[test]
fn the_text_footer_stands_in_the_text() {
    let footer = "You are getting this mail because li@example.com is on our list.\nHad enough? Unsubscribe, and we stop writing: https://u.example/?a=1&b=2\n\n1 Road, <Town>\n";
    assert_eq!(
        World::new("x").text("Hello\n\n").render().text,
        format!("Hello\n\n{footer}")
    );
    assert_eq!(
        World::new("x").text("{{{footer}}}\nBye\n").render().text,
        format!("{footer}Bye\n")
    );
    assert_eq!(
        World::new("<p>x</p>{{{footer}}}<p>y</p>").render().text,
        format!("x\n\n{footer}\ny\n")
    );
}

#[test]
fn the_workspace_and_the_language_choose_the_footer() {
    let world = World::new("x").key("lang = \"zh\"");
    assert!(world.render().html.contains("退订</a>") && world.render().text.contains("退订"));
    let world = World::new("x").file(
        "templates/footer/en.txt.hbs",
        "Own {{unsubscribe_url}} {{postal_adress}}",
    );
    assert_eq!(
        world.problems(),
        [
            "en.txt.hbs:1:25 en.txt.hbs uses `{{postal_adress}}`, which list.csv does not have / did you mean `{{postal_address}}`? columns are: email"
        ]
    );
    let world = World::new("x").file("templates/footer/en.html.hbs", "Own");
    assert_eq!(world.render().html, "<div lang=\"en\" dir=\"ltr\">x</div>Own");
}

#[test]
fn the_preheader_is_hidden_at_the_start_of_the_body() {
    let world = World::new("<html><body class=\"a>b\"><p>x</p></body></html>")
        .key("preheader = \"Tom & {{name}} – only\"")
        .column("name", "<Jerry>\r\n");
    let hidden = "<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">Tom &amp; &lt;Jerry&gt; – only\u{34f}\u{200c}\u{a0}";
    let html = world.render().html;
    let before = format!("<html lang=\"en\" dir=\"ltr\"><body class=\"a>b\">{hidden}");
    assert!(
        html.starts_with(&before) && html.contains("\u{a0}</div><p>x</p>"),
        "{html}"
    );
    assert!(world.render().text.starts_with("x\n"));
    assert!(
        World::new("<!DOCTYPE html>x")
            .key("preheader = \"hi\"")
            .render()
            .html
            .starts_with("<!DOCTYPE html><div style=\"display:none")
    );
}

#[test]
fn the_styles_of_a_layout_are_for_what_stands_in_it() {
    let world = World::new("{{#> layout}}<p>x</p>{{/layout}}").file(
        "t/layout.html.hbs",
        "<html><head><style>p { color: teal }</style></head><body>{{> @partial-block}}</body></html>",
    );
    let html = world.render().html;
    assert!(html.contains("<p style=\"color: teal;\">x</p>"), "{html}");
}

#[test]
fn nothing_in_the_data_can_begin_a_header() {
    let world = World::new("x")
        .subject("Hi {{name}}!")
        .column("name", "Bob\r\nBcc: v@example.org\t\0\u{85}\u{2028}\u{7}x");
    assert_eq!(world.render().subject, "Hi Bob Bcc: v@example.org x!");
}

#[test]
fn an_empty_subject_is_a_problem_of_its_row() {
    let world = World::new("x").subject("{{name}}").column("name", " \r\n");
    assert_eq!(
        world.failure(),
        "c.toml:1:12 the subject is empty for this recipient / list.csv:7"
    );
}

#[test]
fn placeholders_of_other_tools_are_refused() {
    for (template, tool, advice) in [
        ("Dear *|FNAME|*", "Mailchimp", "write `{{first_name}}`"),
        ("Dear *|UNSUB|*", "Mailchimp", "write `{{unsubscribe_url}}`"),
        (
            "Dear {{ .Subscriber.FirstName }}",
            "Go templates (listmonk)",
            "write `{{first_name}}`",
        ),
        (
            "Dear {{ if .Subscriber.Attribs.city }}",
            "Go templates (listmonk)",
            "write `{{city}}`, once the list has that column; columns are: email, first_name",
        ),
        (
            "Dear {{ UnsubscribeURL }}",
            "listmonk",
            "write `{{unsubscribe_url}}`",
        ),
        (
            "Dear {% if name %}",
            "Jinja or Liquid",
            "write `{{#if name}} … {{/if}}` or `{{#each list}} … {{/each}}`",
        ),
        (
            "Dear {{ name | upper }}",
            "Jinja or Liquid",
            "write a helper, as in `{{default first_name \"there\"}}` or `{{upper city}}`",
        ),
        ("Dear {EAddr}", "DirectMail", "write `{{email}}`"),
        ("Dear [FIRSTNAME]", "phpList", "write `{{first_name}}`"),
        ("Dear [FOOTER]", "phpList", "write `{{{footer}}}`"),
        ("Dear {{ contact.FIRSTNAME }}", "Brevo", "write `{{first_name}}`"),
        ("Dear {{ contact.first_name }}", "Keila", "write `{{first_name}}`"),
        (
            "Dear {{ unsubscribe_link }}",
            "Keila",
            "write `{{unsubscribe_url}}`",
        ),
        (
            "Dear {{unsubscribe}}",
            "Brevo or SendGrid",
            "write `{{unsubscribe_url}}`",
        ),
    ] {
        let written = template.strip_prefix("Dear ").unwrap();
        let expected = |place: &str| format!("{place} `{written}` is a placeholder of {tool} / {advice}");
        let world = World::new(&format!("<p>\n{template}</p>")).column("First Name", "x");
        assert_eq!(world.problems(), [expected("body.html.hbs:2:6")], "{template}");
        let world = World::new("x").subject(template).column("First Name", "x");
        assert_eq!(world.problems(), [expected("c.toml:1:17")], "{template}");
    }
}

#[test]
fn what_only_looks_like_a_placeholder_is_left_alone() {
    let html =
        "<style>a{color:red} [DATA]{x:y} @media{.a{b:c}}</style>{{[EMAIL]}}{{./name}} 100% {x} a|b *|* [x]";
    let world = World::new(html)
        .subject("[NEW] 50% {off}")
        .column("EMAIL", "x")
        .column("name", "x")
        .column("unsubscribe", "u");
    assert_eq!(world.problems(), [""; 0]);
    assert_eq!(
        World::new("{{unsubscribe}}").column("unsubscribe", "u").html(),
        "u"
    );
}

#[test]
fn syntax_faults_name_the_tag() {
    for (template, expected) in [
        (
            "a\n {{#if email}}x",
            &["2:2 `{{#if email}}` is never closed / close it with `{{/if}}`"] as &[&str],
        ),
        (
            "{{#if email}}\nx{{/each}}",
            &["2:2 `{{#if email}}` of line 1 is closed by `{{/each}}` / write `{{/if}}`"],
        ),
        ("x{{/if}}", &["1:2 `{{/if}}` closes nothing / take it out"]),
        (
            "x{{else}}",
            &["1:2 an `else` outside of any block / put it between `{{#if …}}` and `{{/if}}`"],
        ),
        (
            "x\n{{email\ny",
            &["2:1 this `{{` is never closed / close it with `}}`"],
        ),
        (
            "{{first name!}} {{em(ail}}",
            &[
                "1:1 `{{first name!}}` cannot be read",
                "1:17 `{{em(ail}}` cannot be read",
            ],
        ),
        (
            "{{}}{{nope}}",
            &[
                "1:1 `{{}}` cannot be read",
                "1:5 body.html.hbs uses `{{nope}}`, which list.csv does not have",
            ],
        ),
    ] {
        let problems = World::new(template).text("x").problems();
        assert_eq!(problems.len(), expected.len(), "{template}: {problems:?}");
        for (problem, expected) in problems.iter().zip(expected) {
            assert!(
                problem.starts_with(&format!("body.html.hbs:{expected}")),
                "{template}: {problem}"
            );
        }
    }
}

#[test]
fn templates_are_utf8_with_or_without_a_mark() {
    assert_eq!(World::new("\u{feff}é").html(), "é");
    let world = World::new("");
    std::fs::write(world.folder.path().join("t/body.html.hbs"), b"a\nJ\xfcrgen").unwrap();
    assert_eq!(
        world.problems()[0],
        "body.html.hbs:2:2 this template is not in UTF-8 / save it as UTF-8"
    );
}

#[test]
fn a_text_part_is_made_from_the_html() {
    let html = "<!doctype html><html><head><title>T {{email}}</title><style>p{color:red}</style></head><body>\
        <div style=\"display: none\">hidden {{email}}</div><!-- {{#if email}} -->\n<h1>Hello&nbsp;{{name}} &amp; co</h1>\
        <p>Your <b>order</b>:<br>thanks &lt;3</p>\
        <table><tr><th>What</th><th>Price</th></tr>\n{{#each orders}}\n<tr><td><a href=\"https://s.example/?i={{id}}&amp;x=1\">{{name}}</a></td><td>{{number price 2}}</td></tr>\n{{/each}}\n</table>\
        {{#if city}}<p>See you in {{city}}</p>{{else}}<p>Bye</p>{{/if}}\
        <ul><li>one</li><li>two</li></ul><hr>\
        <p><a href='{{unsubscribe_url}}'><img src=https://a.example/x alt=\"Logo\"></a> <a href=\"https://a.example\">https://a.example</a></p><!-- {{/if}} --></body></html>";
    let world = World::new(html)
        .column("name", "Li <&>")
        .column(
            "orders",
            r#"[{"id":1,"name":"Tea & Cup","price":4.5},{"id":2,"name":"Pot","price":12}]"#,
        )
        .column("city", "Ulm");
    assert_eq!(
        world.plain(),
        "Hello\u{a0}Li <&> & co\n\nYour order:\nthanks <3\n\nWhat                                    Price\nTea & Cup <https://s.example/?i=1&x=1>  4.50\nPot <https://s.example/?i=2&x=1>        12.00\n\nSee you in Ulm\n\n- one\n- two\n\n----------\n\nLogo <https://u.example/?a=1&b=2> https://a.example"
    );
    let world = World {
        row: world.row.into_iter().filter(|(name, _)| name != "city").collect(),
        ..world
    }
    .column("city", "");
    assert!(
        world.plain().contains("12.00\n\nBye\n\n- one"),
        "{}",
        world.plain()
    );
}

#[test]
fn partials_without_a_text_form_are_made_into_text_too() {
    let world = World::new("{{> head}}<p>Hi {{> who}}!</p>{{> sign}}")
        .file(
            "t/head.html.hbs",
            "<html><body><table><tr><td><h1>Shop</h1></td></tr><tr><td>",
        )
        .file("t/who.html.hbs", "<b>{{email}}</b>")
        .file("t/sign.html.hbs", "<i>never</i>")
        .file("t/sign.txt.hbs", "Yours\n");
    assert_eq!(world.plain(), "Shop\n\nHi li@example.com!\n\nYours");
}

#[test]
fn a_cross_of_tags_and_blocks_asks_for_a_text_template() {
    let world = World::new("{{#if email}}<!-- {{/if}} -->x");
    assert_eq!(world.plain(), "x");
    let text = text_part::from_html("<p>a</p>{{#if x}}<p>b</p>{{/if}}<p>c</p>").unwrap();
    assert_eq!(text, "a\n{{#if x}}\n\nb\n{{/if}}\n\nc\n");
}

#[test]
fn braces_that_are_text_stay_text() {
    let world = World::new("<p>&#123;&#123;email}} \\{{email}}</p>");
    assert_eq!(world.plain(), "{{email}} {{email}}");
}

#[test]
fn a_template_that_is_not_there_is_a_problem() {
    let world = World::new("x");
    let workspace = Workspace::load(world.folder.path()).unwrap();
    let path = world.folder.path().join("c.toml");
    std::fs::write(&path, &world.campaign).unwrap();
    let mut campaign = Campaign::load(&path, &workspace).unwrap();
    campaign.html = PathBuf::from("/nowhere/x.html.hbs");
    let problems = Templates::compile(&campaign, &world.columns(), world.folder.path()).unwrap_err();
    assert_eq!(problems.kept[0].what, "cannot be read: there is no such file");
}

#[test]
fn templates_are_shared_by_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Templates>();
}

fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[<>&\"'{}\r\n\t\0a\u{85}\u{2028} ]{0,20}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_is_in_the_data_stays_data(name in odd_text()) {
        let mut world = World::new("<p title=\"{{name}}\">{{name}}{{upper name}}</p>{{#if name}}{{> who}}{{/if}}")
            .file("t/who.html.hbs", "{{default name 'x'}}")
            .subject("Hi {{name}}")
            .key("preheader = \"{{name}}\"")
            .column("name", "");
        let empty = world.render().html;
        world.row[1].1 = name;
        let content = world.render();
        let breaks = content.subject.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
        prop_assert!(!breaks, "{:?}", content.subject);
        for special in ['<', '>', '"', '\''] {
            prop_assert_eq!(content.html.matches(special).count(), empty.matches(special).count(), "{}", special);
        }
        for (at, _) in content.html.match_indices('&') {
            let rest = content.html.get(at..).unwrap();
            prop_assert!(["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"].iter().any(|entity| rest.starts_with(entity)));
        }
    }
}

/// What templates are made of, and what they are broken by.
const PIECES: &[&str] = &[
    "{{email}}",
    "{{#if email}}",
    "{{else}}",
    "{{/if}}",
    "{{#each list}}",
    "{{/each}}",
    "{{{footer}}}",
    "{{",
    "}}",
    "{{{",
    "}}}",
    "{{~",
    "~}}",
    "{{!--",
    "--}}",
    "{{> p}}",
    "{{#> p}}",
    "{{/p}}",
    "{{^}}",
    "{{{{raw}}}}",
    "{{{{/raw}}}}",
    "\\{{",
    "\\\\{{",
    "<p>",
    "</p>",
    "<a href=\"{{x}}\">",
    "</a>",
    "<table><tr><td>",
    "</table>",
    "<!--",
    "-->",
    "<body>",
    "</body>",
    "<div style='display:none'>",
    "</div>",
    "\"",
    "'",
    "[",
    "]",
    "é",
    "名",
    "\n",
    "\r\n",
    " ",
    "*|X|*",
    "{{ .X }}",
    "{% x %}",
    "{{else if email}}",
    "{{#*inline \"p\"}}",
    "{{/inline}}",
    "{{date email \"%Y\"}}",
    "{{lookup a 1}}",
    "{{(}}",
    "{{a.[b}}",
    "{{../email}}",
    "{{@root.email}}",
    "{{this}}",
    "<",
    ">",
    "&amp;",
    "\u{e000}7\u{e001}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_template_makes_the_program_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..14), has_text in any::<bool>()) {
        let template = pieces.concat();
        let world = World::new(&template).file("t/p.html.hbs", "{{email}}").column("list", "[1, 2]");
        let world = if has_text { world.text(&template) } else { world };
        if let Ok(templates) = world.compile() {
            let given = Given { unsubscribe_url: "https://u.example", postal_address: "x", campaign: "c", date: "2026-11-23" };
            drop(templates.render(&world.recipient(), &given));
        }
    }
}
