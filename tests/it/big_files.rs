//! Files too big for a mail: behind links that a real nginx checks, and in volumes that are put together again by the
//! words of the mail.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use mail_parser::{MessageParser, MimeHeaders as _};
use md5::Md5;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::harness::{S3, Sandbox, Workspace, eml_files, fetch, pass_over, wait_for};

/// Content that no two volumes share.
fn content(octets: usize) -> Vec<u8> {
    let blocks = (0_u64..).flat_map(|block| Sha256::digest(block.to_be_bytes()));
    blocks.take(octets).collect()
}

fn sha256(bytes: &[u8]) -> String {
    mailshot::mail::token::hex(&Sha256::digest(bytes))
}

fn workspace(sandbox: &Sandbox, tables: &str, attachment: &str) -> Workspace {
    let workspace = Workspace::new(&sandbox.account(), &["anna@example.com", "bo@example.com"]);
    workspace.configure(&sandbox.account(), tables);
    workspace.campaign("news", &format!("attachment = {attachment}"));
    workspace
}

/// A web server for one folder that refuses links whose signature is wrong or has expired. Stopped when dropped.
struct Nginx {
    process: Child,
    _folder: TempDir,
}

impl Nginx {
    /// Starts it; none when there is none on this machine.
    fn start(test: &str, port: u16, shown: &Path, key: &str) -> Option<Self> {
        if !Path::new("/usr/sbin/nginx").exists() {
            pass_over(test, "/usr/sbin/nginx is not there (package nginx-core)");
            return None;
        }
        let folder = TempDir::new().unwrap();
        let here = folder.path().display();
        let shown = shown.display();
        let root = if rustix::process::getuid().is_root() {
            "user root;"
        } else {
            ""
        };
        let config = format!(
            "daemon off; worker_processes 1; pid {here}/pid; error_log {here}/error.log; {root}\n\
             events {{ worker_connections 64; }}\n\
             http {{ access_log off; client_body_temp_path {here}/a; proxy_temp_path {here}/b;\n\
             fastcgi_temp_path {here}/c; uwsgi_temp_path {here}/d; scgi_temp_path {here}/e;\n\
             server {{ listen 127.0.0.1:{port}; location /files/ {{ alias {shown}/;\n\
             secure_link $arg_signature,$arg_expires; secure_link_md5 \"$secure_link_expires$uri {key}\";\n\
             if ($secure_link = \"\") {{ return 403; }} if ($secure_link = \"0\") {{ return 410; }} }} }} }}\n"
        );
        std::fs::write(folder.path().join("nginx.conf"), config).unwrap();
        let process = Command::new("/usr/sbin/nginx")
            .args([
                "-e",
                "stderr",
                "-p",
                &here.to_string(),
                "-c",
                &format!("{here}/nginx.conf"),
            ])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_for("nginx to listen", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Some(Self {
            process,
            _folder: folder,
        })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.process);
        let _ended = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        drop(self.process.wait());
    }
}

#[test]
fn a_link_gives_the_file_until_it_expires_and_to_nobody_without_it() {
    const TEST: &str = "a_link_gives_the_file";
    let key = "0123456789abcdef0123456789abcdef";
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let sandbox = Sandbox::start(&[]);
    let tables =
        format!("[files]\nfolder = \"www\"\nurl = \"http://127.0.0.1:{port}/files\"\nexpire = \"3d\"\n");
    let workspace = workspace(
        &sandbox,
        &tables,
        "{ file = \"guide.pdf\", name = \"产品 手册.pdf\", as = \"link\" }",
    );
    let guide = content(300_000);
    std::fs::write(workspace.path("guide.pdf"), &guide).unwrap();
    workspace.write(".mailshot/files.key", key);
    std::fs::create_dir_all(workspace.path("www")).unwrap();
    // Nothing answers yet: nobody gets a dead link.
    workspace
        .send(&[])
        .expect(74)
        .says(&["the link to `产品 手册.pdf` does not work", "nothing was sent"]);
    assert_eq!(sandbox.journal().len(), 0);
    let Some(_nginx) = Nginx::start(TEST, port, &workspace.path("www"), key) else {
        return;
    };
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.journal().len(), 2);
    let shown = workspace.run(&["preview", "news", "--json"]).expect(0).stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let text = shown["text"].as_str().unwrap();
    assert!(text.contains("产品 手册.pdf (293 KB)"), "{text}");
    assert!(text.contains(&format!("SHA-256 {}", sha256(&guide))), "{text}");
    let url = text
        .lines()
        .find(|line| line.starts_with("http://127.0.0.1"))
        .unwrap();
    assert!(
        shown["html"]
            .as_str()
            .unwrap()
            .contains(&url.replace('&', "&amp;")),
        "{shown}"
    );
    let (status, body) = fetch(url);
    assert_eq!((status, body == guide), (200, true), "{url}");
    let (bare, query) = url.split_once('?').unwrap();
    assert_eq!(fetch(bare).0, 403);
    let (expires, signature) = query.split_once('&').unwrap();
    let expires: u64 = expires.strip_prefix("expires=").unwrap().parse().unwrap();
    let longer = format!("{bare}?expires={}&{signature}", expires + 1);
    assert_eq!(fetch(&longer).0, 403);
    assert_eq!(fetch(&format!("{bare}?expires=1000000000&{signature}")).0, 403);
    // Signed as it should be, and long over.
    let secret = bare.rsplit('/').nth(1).unwrap();
    let signed = Md5::digest(format!("1000000000/files/{secret}/产品 手册.pdf {key}"));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signed);
    let over = format!("{bare}?expires=1000000000&signature={signature}");
    assert_eq!(fetch(&over).0, 410);
}

/// `[files]` for this server, with this secret.
fn bucket(server: &S3, secret: &str) -> String {
    let (endpoint, key) = (&server.endpoint, S3::ACCESS_KEY);
    format!(
        "[files]\nbucket = \"s3://my-bucket/mail\"\nendpoint = \"{endpoint}\"\naccess_key = \"{key}\"\n\
         secret_command = \"echo {secret}\"\n"
    )
}

/// The first link in the mails that were accepted.
fn first_link(mails: &[Vec<u8>]) -> String {
    let mail = MessageParser::new().parse(mails.first().unwrap()).unwrap();
    let text = mail.body_text(0).unwrap();
    text.lines()
        .find(|line| line.starts_with("http://"))
        .unwrap()
        .to_owned()
}

#[test]
fn a_bucket_gives_a_file_to_whoever_has_the_link_and_to_nobody_else() {
    let sandbox = Sandbox::keeping_mails();
    let store = TempDir::new().unwrap();
    let server = S3::start(store.path());
    let link = "{ file = \"film.mp4\", name = \"影片 1.mp4\", as = \"link\" }";
    let workspace = workspace(&sandbox, &bucket(&server, "wrong"), link);
    // Larger than what is put there in one piece.
    let film = content(12_000_000);
    std::fs::write(workspace.path("film.mp4"), &film).unwrap();
    workspace.run(&["check", "news"]).expect(0);
    let refused = workspace.send(&[]).expect(74);
    refused.says(&[
        "bucket `my-bucket` does not take `影片 1.mp4`: it refuses the key",
        "nothing was sent",
    ]);
    assert!(!refused.stderr.contains("wrong"), "{}", refused.stderr);
    workspace.configure(&sandbox.account(), &bucket(&server, S3::SECRET));
    workspace
        .send(&["--limit", "1"])
        .expect(75)
        .says(&["1 file put behind links"]);
    let again = workspace.send(&[]).expect(0);
    assert!(!again.stderr.contains("put behind links"), "{}", again.stderr);
    let url = first_link(&sandbox.mails());
    let (status, body) = fetch(&url);
    assert_eq!((status, body == film), (200, true), "{url}");
    assert!(url.contains("X-Amz-Expires=604800"), "{url}");
    assert_eq!(fetch(url.split('?').next().unwrap()).0, 403);
    assert_eq!(fetch(&url.replace("604800", "604801")).0, 403);
}

#[test]
fn volumes_come_in_numbered_mails_and_make_the_file_again() {
    let sandbox = Sandbox::start(&[]);
    let split = "{ file = \"film.bin\", name = \"My film's $1.bin\", as = \"split\", volume = \"150 KB\" }";
    let workspace = workspace(&sandbox, "", split);
    let film = content(300_000);
    std::fs::write(workspace.path("film.bin"), &film).unwrap();
    workspace
        .run(&["check", "news"])
        .expect(0)
        .says(&["mails        6: files come in volumes"]);
    workspace
        .run(&["send", "news", "--dry-run"])
        .expect(0)
        .says(&["6 mails written"]);
    let mails = eml_files(&workspace.path(".mailshot/dry-run/news"));
    let of_anna: Vec<_> = mails
        .iter()
        .map(|mail| MessageParser::new().parse(mail.as_slice()).unwrap())
        .filter(|mail| mail.to().unwrap().first().unwrap().address() == Some("anna@example.com"))
        .collect();
    let subjects: Vec<_> = of_anna
        .iter()
        .map(|mail| mail.subject().unwrap().to_owned())
        .collect();
    let name = "anna@example.com";
    assert_eq!(
        subjects,
        [1, 2, 3].map(|number| format!("News for {name} ({number}/3)"))
    );
    let ids: std::collections::BTreeSet<_> = of_anna.iter().map(|mail| mail.message_id().unwrap()).collect();
    assert_eq!(ids.len(), 3);
    let folder = TempDir::new().unwrap();
    for mail in &of_anna {
        let part = mail.attachment(0).unwrap();
        std::fs::write(
            folder.path().join(part.attachment_name().unwrap()),
            part.contents(),
        )
        .unwrap();
        assert!(
            mail.raw_message().len() < 160 * 1_024,
            "{}",
            mail.raw_message().len()
        );
    }
    let text = of_anna[1].body_text(0).unwrap();
    assert!(text.contains("This mail has My film_s _1.bin.002."), "{text}");
    assert!(text.contains(&sha256(&film)), "{text}");
    // As the mail says.
    let words = text
        .lines()
        .find_map(|line| line.split_once("terminal: "))
        .unwrap()
        .1;
    let joined = Command::new("sh")
        .args(["-c", words])
        .current_dir(&folder)
        .status()
        .unwrap();
    assert!(joined.success());
    let made = std::fs::read(folder.path().join("My film_s _1.bin")).unwrap();
    assert!(made == film);
}

#[test]
fn a_campaign_in_volumes_goes_on_where_it_was_stopped() {
    let sandbox = Sandbox::start(&[]);
    let split = "[\"terms.txt\", { file = \"film.bin\", as = \"split\", volume = \"150 KB\" }]";
    let workspace = workspace(&sandbox, "", split);
    workspace.write("terms.txt", "terms");
    std::fs::write(workspace.path("film.bin"), content(300_000)).unwrap();
    workspace
        .send(&["--limit", "4"])
        .expect(75)
        .says(&["6 mails: files come in volumes"]);
    workspace.send(&[]).expect(0);
    assert_eq!(workspace.status().sent, 6);
    let status = workspace.run(&["status", "news"]).expect(0).stdout;
    assert!(
        status.contains("news: finished, 6 mails to 2 recipients"),
        "{status}"
    );
    assert_eq!(
        sandbox.arrived().into_iter().collect::<Vec<_>>(),
        [
            ("anna@example.com".to_owned(), 3),
            ("bo@example.com".to_owned(), 3)
        ]
    );
    let story = workspace
        .run(&["show", "news", "bo@example.com"])
        .expect(0)
        .stdout;
    assert!(story.contains("bo@example.com (mail 3 of 3) is sent"), "{story}");
}

#[test]
fn volumes_of_a_file_as_it_was_and_as_it_is_are_never_mixed() {
    let sandbox = Sandbox::start(&[]);
    let split = "{ file = \"film.bin\", as = \"split\", volume = \"150 KB\" }";
    let workspace = workspace(&sandbox, "", split);
    let film = |size| std::fs::write(workspace.path("film.bin"), content(size)).unwrap();
    film(300_000);
    workspace.send(&["--limit", "4"]).expect(75);
    for size in [400_000, 90_000] {
        film(size);
        let edited = "1 recipient got some volumes of files that were edited since";
        workspace.send(&["--accept-changes"]).expect(65).says(&[
            edited,
            "bo@example.com",
            "nothing was sent",
        ]);
    }
    assert_eq!(workspace.status().sent, 4);
    film(300_000);
    workspace.send(&[]).expect(0);
    // Whoever has all volumes gets none of the others.
    film(400_000);
    workspace.send(&[]).expect(65).says(&["file film.bin was edited"]);
    workspace.send(&["--accept-changes"]).expect(0);
    assert_eq!(workspace.status().sent, 6);
}

#[test]
fn a_shorter_file_takes_fewer_mails_for_those_who_wait() {
    let sandbox = Sandbox::start(&[]);
    let split = "{ file = \"film.bin\", as = \"split\", volume = \"150 KB\" }";
    let workspace = workspace(&sandbox, "", split);
    let film = |size| std::fs::write(workspace.path("film.bin"), content(size)).unwrap();
    film(300_000);
    workspace.send(&["--limit", "3"]).expect(75);
    film(200_000);
    workspace
        .send(&["--accept-changes"])
        .expect(0)
        .says(&["2 wait", "done: 5 mails sent"]);
    let arrived = sandbox.arrived();
    assert_eq!(arrived["anna@example.com"], 3);
    assert_eq!(arrived["bo@example.com"], 2);
}

#[test]
fn files_in_volumes_that_are_one_recipients_own_are_looked_at_as_well() {
    let sandbox = Sandbox::start(&[]);
    let split = "{ file = \"films/{{name}}.bin\", as = \"split\", volume = \"150 KB\" }";
    let workspace = workspace(&sandbox, "", split);
    let film = |name: &str, size| {
        let path = workspace.path(&format!("films/{name}@example.com.bin"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content(size)).unwrap();
    };
    film("anna", 300_000);
    film("bo", 200_000);
    workspace.send(&["--limit", "1"]).expect(75);
    film("anna", 299_000);
    workspace
        .send(&["--accept-changes"])
        .expect(65)
        .says(&["anna@example.com", "nothing was sent"]);
    film("anna", 300_000);
    film("bo", 300_000);
    workspace
        .send(&[])
        .expect(65)
        .says(&["files in volumes were edited, those of 1 recipient"]);
    workspace.send(&["--accept-changes"]).expect(0);
    let arrived = sandbox.arrived();
    assert_eq!((arrived["anna@example.com"], arrived["bo@example.com"]), (3, 3));
}

#[test]
fn each_recipient_has_a_link_to_a_file_of_their_own() {
    let sandbox = Sandbox::start(&[]);
    let tables = "[files]\nfolder = \"www\"\nurl = \"https://files.example.com\"\ntry_links = false\n";
    let workspace = workspace(
        &sandbox,
        tables,
        "{ file = \"bills/{{name}}.pdf\", as = \"link\" }",
    );
    workspace.write("bills/anna@example.com.pdf", "Anna's");
    workspace
        .send(&[])
        .expect(65)
        .says(&["there is no file `bills/bo@example.com.pdf`", "nothing was sent"]);
    assert!(!workspace.path("www").exists());
    workspace.write("bills/bo@example.com.pdf", "Bo's");
    workspace.send(&[]).expect(0).says(&["2 files put behind links"]);
    let text = workspace
        .run(&["preview", "news", "--row", "2", "--text"])
        .expect(0)
        .stdout;
    let url = text
        .lines()
        .find(|line| line.starts_with("https://files"))
        .unwrap();
    let path = url
        .strip_prefix("https://files.example.com/")
        .unwrap()
        .split('?')
        .next()
        .unwrap();
    let there = std::fs::read_to_string(workspace.path("www").join(path.replace("%40", "@"))).unwrap();
    assert_eq!(there, "Bo's");
}

#[test]
fn what_cannot_be_sent_so_is_told_at_its_place() {
    let sandbox = Sandbox::start(&[]);
    for (attachment, said) in [
        (
            "{ file = \"a.pdf\", as = \"link\" }",
            "nothing says where files lie that mails link to",
        ),
        (
            "{ file = \"a.pdf\", as = \"zip\" }",
            "a file is not sent as \"zip\"",
        ),
        (
            "{ file = \"a.pdf\", volume = \"1MB\" }",
            "only a file that is split has volumes",
        ),
        (
            "{ file = \"a.pdf\", as = \"split\", volume = \"1KB\" }",
            "volumes of 1 KB are too small",
        ),
    ] {
        let workspace = workspace(&sandbox, "", attachment);
        workspace.write("a.pdf", "x");
        workspace
            .run(&["check", "news"])
            .expect(65)
            .says(&[said, "campaigns/news.toml:6:"]);
    }
}
