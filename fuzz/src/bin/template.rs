//! Any text as a template in HTML or MJML: it is compiled and rendered, or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshot::campaign::{Campaign, Workspace};
use mailshot::mail::{Address, Columns, Place, Recipient};
use mailshot::render::{Editions, Given};

fuzz_target!(|input: (bool, &str)| {
    let (is_mjml, text) = input;
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    let name = if is_mjml { "a.mjml.hbs" } else { "a.html.hbs" };
    write(
        "mailshot.toml",
        "[sender]\nfrom = \"a@b.example\"\npostal_address = \"1 Road\"\n[account.main]\nhost = \"localhost\"\n[unsubscribe]\nmailto = \"u@b.example\"\n",
    );
    write(
        "c.toml",
        &format!("subject = \"Hi\"\nrecipients = \"l.csv\"\nhtml = \"{name}\"\n"),
    );
    write("l.csv", "email,name\n");
    write(name, text);
    let workspace = Workspace::load(folder.path()).expect("a workspace");
    let campaign = Campaign::load(&folder.path().join("c.toml"), &workspace).expect("a campaign");
    let columns = Columns {
        names: vec!["email".to_owned(), "name".to_owned()],
        headers: vec!["email".to_owned(), "name".to_owned()],
        email: 0,
    };
    let Ok(templates) = Editions::compile(&campaign, &columns, folder.path()) else {
        return;
    };
    let _warnings = templates.lint(true);
    let recipient = Recipient {
        address: Address::parse("li@example.com").expect("an address"),
        place: Place {
            line: 2,
            offset: 0,
            length: 0,
        },
        values: ["li@example.com", "<Li> & {{email}}"].into_iter().collect(),
    };
    let given = Given {
        unsubscribe_url: "https://u.example/x",
        postal_address: "1 Road",
        campaign: "c",
        date: "2026-11-23",
    };
    if let Ok(content) = templates.render(&recipient, &given) {
        assert!(!content.subject.contains(['\r', '\n']));
    }
});
