//! Files that go with mails: attachments and images, of all and of each.

use super::content::workspace;
use super::harness::Sandbox;

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
