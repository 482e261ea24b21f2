//! `mailshot serve`: the real program, asked by mail programs, browsers, scanners and people with bad intentions.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::harness::{Running, Sandbox, Workspace, pass_over, people, wait_for};
use super::messages::assert_message;

/// A workspace that has sent its mails, and the server that answers their links.
struct Served {
    workspace: Workspace,
    running: Option<Running>,
    address: SocketAddr,
    /// The tokens of the mails, in the order of the people.
    tokens: Vec<String>,
}

/// The token of each mail, by the address it went to.
fn tokens(sandbox: &Sandbox, people: &[String]) -> Vec<String> {
    let mails: Vec<String> = sandbox
        .mails()
        .iter()
        .map(|mail| String::from_utf8_lossy(mail).replace("\r\n ", " "))
        .collect();
    let of = |address: &String| {
        let mail = mails.iter().find(|mail| mail.contains(&format!("<{address}>")));
        let mail = mail.unwrap_or_else(|| panic!("no mail to {address}"));
        let (_, after) = mail.split_once("/u/").unwrap();
        after.split('>').next().unwrap().to_owned()
    };
    people.iter().map(of).collect()
}

impl Served {
    fn new(campaign: &str, settings: &str, arguments: &[&str]) -> Self {
        let sandbox = Sandbox::keeping_mails();
        let people = people(3);
        let workspace = Workspace::new(&sandbox.account(), &people);
        workspace.configure(&sandbox.account(), settings);
        workspace.campaign("news", campaign);
        workspace.send(&[]).expect(0);
        let tokens = tokens(&sandbox, &people);
        let mut served = Self {
            workspace,
            running: None,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            tokens,
        };
        served.start(arguments);
        served
    }

    fn start(&mut self, arguments: &[&str]) {
        let fixed = ["serve", "--json", "--listen", "127.0.0.1:0"];
        let mut running = self.workspace.start(&[fixed.as_slice(), arguments].concat());
        let line = wait_for("the server to listen", || {
            assert!(!running.has_ended(), "the server ended: {}", running.stderr());
            running.stdout().split_once('\n').map(|(line, _)| line.to_owned())
        });
        let line: Value = serde_json::from_str(&line).unwrap();
        self.address = line["listen"].as_str().unwrap().parse().unwrap();
        self.running = Some(running);
    }

    fn ask(&self, request: &str) -> Answer {
        talk(self.address, request)
    }

    fn get(&self, token: &str) -> Answer {
        self.ask(&format!(
            "GET /u/{token} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        ))
    }

    fn post(&self, token: &str, body: &str) -> Answer {
        self.ask(&posted(token, "application/x-www-form-urlencoded", body, ""))
    }

    /// Who is mailed no more: address, list, reason.
    fn left(&self) -> Vec<(String, String, String)> {
        let ledger = self.workspace.ledger().unwrap();
        let sql = "SELECT address_key, list, reason FROM suppression ORDER BY address_key, list";
        let mut statement = ledger.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// The events that were told so far.
    fn events(&self) -> Vec<Value> {
        let said = self.running.as_ref().unwrap().stdout();
        let lines = said.lines().skip(1);
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn stop(mut self) -> String {
        let running = self.running.take().unwrap();
        running.terminate();
        running.wait().expect(0).text()
    }
}

fn posted(token: &str, kind: &str, body: &str, more: &str) -> String {
    format!(
        "POST /u/{token} HTTP/1.1\r\nHost: news.aurora-home.example\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{more}Connection: close\r\n\r\n{body}",
        body.len()
    )
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

fn talk(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    answer(&mut stream)
}

fn answer(stream: &mut impl std::io::Read) -> Answer {
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).unwrap();
    let text = String::from_utf8(octets).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    Answer {
        status: head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap()),
        head: head.to_lowercase(),
        body: body.to_owned(),
    }
}

fn all(address: &str) -> (String, String, String) {
    (address.to_owned(), String::new(), "unsubscribe".to_owned())
}

/// As Gmail, Yahoo and others send it.
fn one_clicks(token: &str) -> Vec<String> {
    const URLENCODED: &str = "application/x-www-form-urlencoded";
    let part = "Content-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n";
    let multipart = |end: &str| {
        let body = format!("--b0undary\r\n{part}--b0undary--{end}");
        posted(token, "multipart/form-data; boundary=b0undary", &body, "")
    };
    let click = "List-Unsubscribe=One-Click";
    let chunked = format!(
        "POST /u/{token} HTTP/1.1\r\nHost: x\r\nContent-Type: {URLENCODED}\r\nTransfer-Encoding: chunked\r\n\
         Connection: close\r\n\r\n6\r\nList-U\r\n14\r\nnsubscribe=One-Click\r\n0\r\n\r\n"
    );
    vec![
        posted(token, URLENCODED, click, ""),
        posted(token, URLENCODED, &format!("{click}\r\n"), ""),
        posted(
            token,
            "application/x-www-form-urlencoded; charset=UTF-8",
            click,
            "",
        ),
        multipart("\r\n"),
        multipart(""),
        chunked,
    ]
}

#[test]
fn one_click_unsubscribes_at_once_however_it_is_sent() {
    let served = Served::new("", "", &[]);
    for (number, request) in one_clicks(&served.tokens[0]).into_iter().enumerate() {
        let answer = served.ask(&request);
        assert_eq!(answer.status, 200, "{request}\n{}", answer.head);
        assert_eq!(answer.body, "You are unsubscribed\n");
        for what in ["location:", "set-cookie:"] {
            assert!(!answer.head.contains(what), "{}", answer.head);
        }
        assert_eq!(served.left(), [all("p0001@example.com")], "at {number}");
    }
    let events = served.events();
    assert_eq!(events.len(), 1, "the same again changes nothing: {events:?}");
    assert_eq!(events[0]["event"], "unsubscribed");
    assert_eq!(events[0]["way"], "one-click");
    let said = served.stop();
    assert!(!said.contains("p0001"), "no address is told: {said}");
}

#[test]
fn each_way_to_send_one_click_is_enough() {
    let served = Served::new("", "", &[]);
    for number in 0..one_clicks("x").len() {
        let token = &served.tokens[0];
        let request = one_clicks(token).remove(number);
        assert_eq!(served.ask(&request).status, 200);
        assert_eq!(served.left(), [all("p0001@example.com")], "{request}");
        // Whoever was let back in by hand may leave again.
        let reason = [
            "suppress",
            "remove",
            "p0001@example.com",
            "--yes",
            "--reason",
            "they asked",
        ];
        served.workspace.run(&reason).expect(0);
        assert!(served.left().is_empty());
    }
}

#[test]
fn nobody_is_unsubscribed_by_looking() {
    let served = Served::new("", "", &[]);
    for number in 0..100 {
        let token = &served.tokens[number % 3];
        for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND"] {
            let query = "?List-Unsubscribe=One-Click";
            let request =
                format!("{method} /u/{token}{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let answer = served.ask(&request);
            let is_page = matches!(method, "GET" | "HEAD");
            assert_eq!(answer.status, if is_page { 200 } else { 405 }, "{method}");
        }
    }
    // Nor by a form that says nothing.
    for body in ["", "x=y", "List-Unsubscribe=", "scope=everyone"] {
        assert_eq!(served.post(&served.tokens[0], body).status, 400, "{body}");
    }
    assert!(served.left().is_empty());
    assert_eq!(served.workspace.ask("SELECT count(*) FROM feedback"), Some(0));
    assert!(served.events().is_empty());
}

/// The value of the first hidden field.
fn undo_of(page: &str) -> String {
    let (_, after) = page.split_once("name=\"undo\" value=\"").expect(page);
    after.split('"').next().unwrap().to_owned()
}

#[test]
fn the_page_asks_unsubscribes_and_takes_it_back() {
    let served = Served::new("list_id = \"Spring News <spring.aurora-home.example>\"", "", &[]);
    let token = &served.tokens[0];
    let page = served.get(token);
    assert_eq!(page.status, 200);
    for what in [
        "<html lang=\"en\">",
        "<form method=\"post\">",
        "All mails from Aurora Home",
        "the list “Spring News”",
        "p•@example.com",
        "name=\"scope\" value=\"all\" checked",
    ] {
        assert!(page.body.contains(what), "{what}: {}", page.body);
    }
    assert!(!page.body.contains("p0001"), "{}", page.body);
    let done = served.post(token, "scope=list");
    assert_eq!(done.status, 200);
    assert!(done.body.contains("You are unsubscribed"), "{}", done.body);
    let of_list = ("p0001@example.com", "spring.aurora-home.example", "unsubscribe");
    let of_list = (of_list.0.to_owned(), of_list.1.to_owned(), of_list.2.to_owned());
    assert_eq!(served.left(), [of_list]);
    let undo = undo_of(&done.body);
    // What takes one wish back takes back no other.
    assert_eq!(
        served.post(&served.tokens[1], &format!("undo={undo}")).status,
        400
    );
    assert_eq!(
        served
            .post(token, &format!("undo={}x", undo.split_at(1).1))
            .status,
        400
    );
    assert_eq!(served.left().len(), 1);
    let back = served.post(token, &format!("undo={undo}"));
    assert_eq!(back.status, 200);
    assert!(back.body.contains("You are subscribed again"), "{}", back.body);
    assert!(served.left().is_empty());
    // Why is kept; and it works once.
    let why = "SELECT count(*) FROM suppression_lifted WHERE lifted_why LIKE 'taken back%'";
    assert_eq!(served.workspace.ask(why), Some(1));
    assert_eq!(served.post(token, &format!("undo={undo}")).status, 409);
    // And one may leave again, from everything.
    let again = served.post(token, "scope=all");
    assert_eq!(served.left(), [all("p0001@example.com")]);
    assert!(served.get(token).body.contains("You are unsubscribed"));
    assert_ne!(undo_of(&again.body), undo);
    assert_eq!(served.events().len(), 3);
}

#[test]
fn only_what_this_page_has_just_done_is_taken_back() {
    let served = Served::new("", "", &[]);
    let (key, token) = ("p0001@example.com", &served.tokens[0]);
    served
        .workspace
        .run(&["suppress", "add", key, "--yes", "--reason", "complaint"])
        .expect(0);
    let page = served.post(token, "scope=all");
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("name=\"undo\""), "{}", page.body);
    // An old wish stays granted when it comes again.
    let token = &served.tokens[1];
    let first = served.post(token, "scope=all");
    let second = served.post(token, "scope=all");
    assert!(first.body.contains("name=\"undo\"") && !second.body.contains("name=\"undo\""));
    assert_eq!(served.left().len(), 2);
}

#[test]
fn one_click_leaves_what_the_settings_say() {
    let scope = "scope = \"list\"";
    let served = Served::new("list_id = \"News <n.aurora-home.example>\"", "", &[]);
    let settings = std::fs::read_to_string(served.workspace.path("mailshot.toml")).unwrap();
    let url = "url = \"https://news.aurora-home.example\"";
    let settings = settings.replace(url, &format!("{url}\n{scope}"));
    served.workspace.write("mailshot.toml", &settings);
    let mut served = served;
    served.running = None;
    served.start(&[]);
    assert!(
        served
            .get(&served.tokens[0])
            .body
            .contains("value=\"list\" checked")
    );
    assert_eq!(
        served
            .post(&served.tokens[0], "List-Unsubscribe=One-Click")
            .status,
        200
    );
    assert_eq!(served.left()[0].1, "n.aurora-home.example");
}

#[test]
fn pages_are_in_the_language_of_the_mail() {
    let served = Served::new("lang = \"zh\"", "", &[]);
    let page = served.get(&served.tokens[0]);
    for what in ["<html lang=\"zh-CN\">", "要退订吗？", "退订</button>"] {
        assert!(page.body.contains(what), "{what}: {}", page.body);
    }
    let answer = served.post(&served.tokens[0], "List-Unsubscribe=One-Click");
    assert_eq!(answer.body, "已退订\n");
    // Whose mail it was is not known: what the browser says counts.
    let request =
        "GET /u/x HTTP/1.1\r\nHost: x\r\nAccept-Language: zh-CN,zh;q=0.9\r\nConnection: close\r\n\r\n";
    assert!(served.ask(request).body.contains("链接无效"));
    assert!(served.get("x").body.contains("This link does not work"));
}

#[test]
fn whoever_tries_tokens_learns_nothing_and_is_stopped() {
    let served = Served::new("", "", &[]);
    let ours = &served.tokens[0];
    let changed = format!("{}A", ours.split_at(43).0);
    let pages: Vec<Answer> = [
        changed.as_str(),
        "",
        "x",
        "../../etc/passwd",
        &"A".repeat(44),
        &"A".repeat(5_000),
    ]
    .into_iter()
    .map(|token| served.get(token))
    .collect();
    let without_date = |answer: &Answer| {
        let lines = answer.head.lines().filter(|line| !line.starts_with("date:"));
        lines.collect::<Vec<_>>().join("\n")
    };
    for page in &pages {
        assert_eq!(page.status, 404);
        assert_eq!(page.body, pages[0].body);
        assert_eq!(without_date(page), without_date(&pages[0]));
    }
    let stopped = wait_for("too many", || {
        Some(served.post("x", "List-Unsubscribe=One-Click")).filter(|answer| answer.status == 429)
    });
    assert!(stopped.head.contains("retry-after:"), "{}", stopped.head);
    // What is ours is taken all the same: many people may share an address.
    assert_eq!(served.post(ours, "List-Unsubscribe=One-Click").status, 200);
}

#[test]
fn every_answer_keeps_scripts_frames_caches_and_searches_away() {
    let served = Served::new("", "", &[]);
    for answer in [
        served.get(&served.tokens[0]),
        served.get("x"),
        served.post(&served.tokens[0], "List-Unsubscribe=One-Click"),
        served.ask("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    ] {
        for what in [
            "content-security-policy: default-src 'none'; style-src 'sha256-",
            "frame-ancestors 'none'",
            "referrer-policy: no-referrer",
            "x-robots-tag: noindex",
            "cache-control: no-store",
            "x-content-type-options: nosniff",
        ] {
            assert!(answer.head.contains(what), "{what}: {}", answer.head);
        }
        assert!(!answer.head.contains("set-cookie") && !answer.body.contains("<script"));
    }
    let long = "x".repeat(100_000);
    assert_eq!(
        served.post(&served.tokens[0], &long).status,
        400,
        "a form of 100 KB"
    );
    let head = format!("GET / HTTP/1.1\r\nX: {long}\r\n\r\n");
    assert!(
        matches!(served.ask(&head).status, 431 | 400 | 0),
        "a head of 100 KB"
    );
}

#[test]
fn only_a_trusted_proxy_says_who_asks() {
    let from = |served: &Served, client: &str| {
        let more = format!("X-Forwarded-For: {client}\r\n");
        served.ask(&posted("x", "text/plain", "", &more)).status
    };
    let exhaust = |served: &Served, client: &str| {
        wait_for("too many", || (from(served, client) == 429).then_some(()));
    };
    let served = Served::new("", "[serve]\ntrust_proxy = [\"127.0.0.0/8\"]\n", &[]);
    exhaust(&served, "203.0.113.7");
    assert_eq!(from(&served, "203.0.113.8"), 404, "another client has room");
    assert_eq!(
        from(&served, "198.51.100.1, 203.0.113.7"),
        429,
        "what stands left is made up"
    );
    let served = Served::new("", "", &[]);
    exhaust(&served, "203.0.113.7");
    assert_eq!(from(&served, "203.0.113.8"), 429, "nobody is trusted");
}

#[test]
fn https_is_answered_with_the_files_of_a_certificate() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let served = Served::new("", "", &[]);
    let workspace = &served.workspace;
    workspace.write("chain.pem", &made.cert.pem());
    workspace.write("key.pem", &made.signing_key.serialize_pem());
    let mut served = served;
    served.running = None;
    served.start(&["--cert", "chain.pem", "--key", "key.pem"]);
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut roots = tokio_rustls::rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = tokio_rustls::rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let session = tokio_rustls::rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let tcp = TcpStream::connect(served.address).unwrap();
    let mut stream = tokio_rustls::rustls::StreamOwned::new(session, tcp);
    let request = one_clicks(&served.tokens[0]).remove(0);
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(answer(&mut stream).status, 200);
    assert_eq!(served.left(), [all("p0001@example.com")]);
    // In clear nobody is answered.
    let mut clear = TcpStream::connect(served.address).unwrap();
    clear.write_all(request.as_bytes()).unwrap();
    let mut said = Vec::new();
    let _end = clear.read_to_end(&mut said);
    assert!(!said.starts_with(b"HTTP"), "{said:?}");
}

#[test]
fn a_campaign_under_way_stops_mailing_whoever_leaves() {
    let sandbox = Sandbox::keeping_mails();
    let people = people(40);
    let workspace = Workspace::new(&sandbox.account(), &people);
    let slow = format!("{}rates = [\"1/s\"]\nconnections = 1\n", sandbox.account());
    workspace.campaign("first", "");
    workspace.run(&["send", "first", "--yes"]).expect(0);
    let tokens = tokens(&sandbox, &people);
    workspace.configure(&slow, "");
    let mut served = Served {
        workspace,
        running: None,
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        tokens,
    };
    served.start(&[]);
    let sending = served.workspace.start_send(&[]);
    wait_for("the first mail", || {
        let sql = "SELECT count(*) FROM delivery WHERE campaign_id = 2 AND state = 'sent'";
        served.workspace.ask(sql).filter(|sent| *sent > 0)
    });
    assert_eq!(
        served
            .post(&served.tokens[39], "List-Unsubscribe=One-Click")
            .status,
        200
    );
    assert_eq!(
        served
            .post(&served.tokens[3], "List-Unsubscribe=One-Click")
            .status,
        200
    );
    let state = "SELECT count(*) FROM delivery WHERE campaign_id = 2 AND address = 'p0004@example.com' AND state = 'suppressed'";
    wait_for("the fourth to be passed over", || {
        served.workspace.ask(state).filter(|count| *count == 1)
    });
    sending.terminate();
    sending.wait();
    assert!(!served.workspace.in_state("sent").contains(&people[3]));
}

#[test]
fn whatever_was_answered_is_on_record_after_a_kill() {
    for round in 0..5 {
        let mut served = Served::new("", "", &[]);
        let mut granted = Vec::new();
        for (number, token) in served.tokens.iter().enumerate().take(1 + round % 3) {
            let answer = served.post(token, "List-Unsubscribe=One-Click");
            assert_eq!(answer.status, 200);
            granted.push(all(&format!("p{:04}@example.com", number + 1)));
        }
        served.running.take().unwrap().kill();
        assert_eq!(served.left(), granted);
        served.start(&[]);
        assert_eq!(
            served
                .post(&served.tokens[0], "List-Unsubscribe=One-Click")
                .status,
            200
        );
        assert_eq!(served.left(), granted, "and nothing counts twice");
    }
}

#[test]
fn a_link_of_a_campaign_that_began_after_the_server_is_answered() {
    let sandbox = Sandbox::keeping_mails();
    let people = people(3);
    let workspace = Workspace::new(&sandbox.account(), &people);
    let mut served = Served {
        workspace,
        running: None,
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        tokens: Vec::new(),
    };
    served.start(&[]);
    assert_eq!(served.get("x").status, 404);
    served.workspace.send(&[]).expect(0);
    served.tokens = tokens(&sandbox, &people);
    assert_eq!(served.get(&served.tokens[0]).status, 200);
    assert_eq!(
        served
            .post(&served.tokens[1], "List-Unsubscribe=One-Click")
            .status,
        200
    );
    assert_eq!(served.left(), [all("p0002@example.com")]);
}

#[test]
fn nobody_holds_all_connections_or_one_for_ever() {
    let served = Served::new("", "", &[]);
    let mut idle: Vec<TcpStream> = (0..64)
        .map(|_| TcpStream::connect(served.address).unwrap())
        .collect();
    let mut one_more = TcpStream::connect(served.address).unwrap();
    assert!(
        matches!(one_more.read(&mut [0; 1]), Ok(0) | Err(_)),
        "closed at once"
    );
    // A head that never ends is not waited for.
    let mut slow = idle.remove(0);
    slow.write_all(b"POST /u/x HTTP/1.1\r\nHost:").unwrap();
    slow.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut said = Vec::new();
    slow.read_to_end(&mut said).unwrap();
    drop(idle);
    wait_for("room again", || {
        let mut stream = TcpStream::connect(served.address).ok()?;
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        text.starts_with("HTTP/1.1 200").then_some(())
    });
    served.stop();
}

#[test]
fn tokens_that_something_else_collected_are_applied_once() {
    let served = Served::new("", "", &[]);
    let workspace = &served.workspace;
    let [first, second, third] = [0, 1, 2].map(|number| served.tokens[number].as_str());
    let request = |method: &str, token: &str| {
        format!(
            "203.0.113.7 - - [24/Nov/2025:04:00:00 +0000] \"{method} /u/{token} HTTP/1.1\" 405 0 \"-\" \"Mail\""
        )
    };
    let strange = "A".repeat(44);
    let log = [
        request("GET", first),
        request("HEAD", first),
        request("POST", second),
        request("POST", second),
        request("POST", &strange),
    ];
    workspace.write("access.log", &log.join("\n"));
    let apply = |arguments: &[&str]| {
        let all = [["feedback", "tokens", "--json"].as_slice(), arguments].concat();
        let said: Vec<Value> = workspace.run(&all).expect(0).json();
        let states = said.iter().map(|line| line["state"].as_str().unwrap().to_owned());
        states.collect::<Vec<_>>()
    };
    assert_eq!(apply(&["access.log", "--dry-run"]), ["new", "known", "not_ours"]);
    assert!(served.left().is_empty(), "a dry run changes nothing");
    assert_eq!(apply(&["access.log"]), ["new", "known", "not_ours"]);
    assert_eq!(served.left(), [all("p0002@example.com")], "a visit is no wish");
    assert_eq!(apply(&["access.log"]), ["known", "known", "not_ours"]);
    workspace.write(
        "tokens.txt",
        &format!("token,when\r\n{third},x\r\nhttps://a.example/u/{first}\r\n"),
    );
    assert_eq!(apply(&["tokens.txt"]), ["new", "new"]);
    assert_eq!(served.left().len(), 3);
    // Whoever was let back in stays so, however often the old file is applied.
    workspace
        .run(&[
            "suppress",
            "remove",
            "p0003@example.com",
            "--yes",
            "--reason",
            "they asked",
        ])
        .expect(0);
    assert_eq!(apply(&["tokens.txt"]), ["known", "known"]);
    assert_eq!(served.left().len(), 2);
    workspace.write("tokens.txt", &format!("{third}\n{first}\n{third}\n"));
    assert_eq!(apply(&["tokens.txt"]), ["known", "known", "new"], "asked again");
    assert_eq!(served.left().len(), 3);
}

#[test]
fn links_stay_valid_when_the_key_is_replaced() {
    let served = Served::new("", "", &[]);
    let workspace = &served.workspace;
    let rotated = workspace
        .run(&["secret", "unsubscribe-key", "rotate", "--yes"])
        .expect(0);
    rotated.says(&["unsubscribe.key has a new key", "60 days"]);
    let listed = workspace.run(&["secret", "unsubscribe-key", "list"]).expect(0);
    assert_eq!(listed.stdout.lines().count(), 2, "{}", listed.stdout);
    // A server that was running knows both, and so does whoever reads tokens.
    assert_eq!(
        served
            .post(&served.tokens[0], "List-Unsubscribe=One-Click")
            .status,
        200
    );
    let token = ["suppress", "add", "--yes", "--token", &served.tokens[1]];
    workspace.run(&token).expect(0);
    assert_eq!(served.left().len(), 2);
    // Mails are signed with the new key, and the running server takes it up.
    let preview = |campaign: &str| {
        let mail = workspace
            .run(&["preview", campaign, "--row", "1", "--eml"])
            .expect(0)
            .stdout;
        let mail = mail.replace("\r\n ", " ");
        let (_, after) = mail.split_once("/u/").unwrap();
        after.split('>').next().unwrap().to_owned()
    };
    let new = preview("news");
    assert_ne!(new, served.tokens[0]);
    assert_eq!(served.get(&new).status, 200);
    // Without its key a link is nothing.
    let folder = std::fs::read_dir(workspace.path(".mailshot")).unwrap();
    for entry in folder.map(Result::unwrap) {
        if entry.file_name().to_string_lossy().contains(".old-") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    let mut served = served;
    served.running = None;
    served.start(&[]);
    assert_eq!(served.get(&served.tokens[2]).status, 404);
    assert_eq!(served.get(&new).status, 200);
}

#[test]
fn serve_and_tokens_say_what_is_wrong() {
    let workspace = Workspace::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"", &people(1));
    assert_message!(
        "serve-unknown-proxy",
        workspace,
        ["serve", "--trust-proxy", "localhost"]
    );
    assert_message!("serve-cert-alone", workspace, ["serve", "--cert", "chain.pem"]);
    assert_message!(
        "serve-no-certificate",
        workspace,
        [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--cert",
            "a.pem",
            "--key",
            "b.pem"
        ]
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    assert_message!("serve-port-taken", workspace, ["serve", "--listen", &listen]);
    assert_message!("tokens-no-file", workspace, ["feedback", "tokens", "none.log"]);
    workspace.write("tokens.txt", "x\n");
    assert_message!("tokens-no-key", workspace, ["feedback", "tokens", "tokens.txt"]);
    let settings = std::fs::read_to_string(workspace.path("mailshot.toml")).unwrap();
    let wrong = "[serve]\nlisten = \"8025\"\ncert = \"a.pem\"\ntrust_proxy = [\"proxy\"]\n";
    workspace.write("mailshot.toml", &format!("{settings}{wrong}"));
    assert_message!("serve-wrong-settings", workspace, ["serve"]);
    let url = "url = \"https://news.aurora-home.example\"";
    workspace.write(
        "mailshot.toml",
        &settings.replace(url, "mailto = \"u@aurora-home.example\""),
    );
    assert_message!("serve-no-url", workspace, ["serve"]);
    assert_message!("serve-no-url-zh", workspace, ["serve", "--lang", "zh"]);
}

/// What Chromium makes of a page.
fn browser(arguments: &[&str]) -> Option<String> {
    let fixed = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=3000",
    ];
    let shown = Command::new("chromium")
        .args(fixed)
        .args(arguments)
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&shown.stdout).into_owned())
}

#[test]
fn a_browser_shows_the_page_and_its_form_works_without_scripts() {
    const NAME: &str = "a_browser_shows_the_page_and_its_form_works_without_scripts";
    let served = Served::new("list_id = \"Spring News <spring.aurora-home.example>\"", "", &[]);
    let url = format!("http://{}/u/{}", served.address, served.tokens[0]);
    let Some(dom) = browser(&["--dump-dom", &url]) else {
        return pass_over(NAME, "chromium is not there");
    };
    for what in [
        "Unsubscribe?",
        "type=\"radio\"",
        "<button type=\"submit\">Unsubscribe</button>",
        "<legend>",
    ] {
        assert!(dom.contains(what), "{what}: {dom}");
    }
    let shot = served.workspace.path("page.png");
    browser(&[
        &format!("--screenshot={}", shot.display()),
        "--window-size=420,640",
        &url,
    ]);
    assert!(std::fs::metadata(&shot).unwrap().len() > 2_000);
    assert!(served.left().is_empty(), "looking changes nothing");
    // A page of ours that presses the button, as a person would: its form goes where the page's form goes.
    served.workspace.write(
        "press.html",
        &format!(
            "<form method=post action=\"{url}\"><input name=scope value=all></form>\
             <script>document.forms[0].submit()</script>"
        ),
    );
    let page = format!("file://{}", served.workspace.path("press.html").display());
    let dom = browser(&["--dump-dom", &page]).unwrap();
    assert!(
        dom.contains("You are unsubscribed") && dom.contains("name=\"undo\""),
        "{dom}"
    );
    assert_eq!(served.left(), [all("p0001@example.com")]);
}
