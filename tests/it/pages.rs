//! The pages of `preview`, in a real browser too.

use super::content::{ANNA, workspace};
use super::harness::{Sandbox, pass_over};

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
