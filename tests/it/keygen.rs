//! `mailshot secret dkim-keygen`: where the record goes, and what is refused.

use std::fmt::Write as _;
use std::net::UdpSocket;

use serde_json::Value;

use super::harness::{Dns, Ended, Workspace};

fn workspace() -> Workspace {
    let account = "host = \"localhost\"\nport = 25\ntls = \"none\"";
    Workspace::new(account, &["li@example.com"])
}

/// A key for this domain, in a file of this name.
fn made(workspace: &Workspace, domain: &str, name: &str, more: &[&str]) -> Ended {
    let file = format!("{name}.pem");
    let mut words = vec!["secret", "dkim-keygen", "--domain", domain, "--selector", "m1"];
    words.extend(["--algorithm", "ed25519", "--out", &file]);
    workspace.run(&[words.as_slice(), more].concat())
}

/// Two zones, one below the other.
fn zones() -> Dns {
    Dns::authority(
        "test 60 NS ns.test\nb.test 60 SOA 1\nb.test 60 NS ns.b.test\nown.b.test 60 SOA 1\nown.b.test 60 NS ns.b.test\n",
    )
}

/// A resolver that is not there.
fn nobody() -> String {
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap();
    format!("--resolver={}", closed.local_addr().unwrap())
}

#[test]
fn the_record_of_a_subdomain_is_named_as_its_zone_has_it() {
    let (workspace, dns, nobody) = (workspace(), zones(), nobody());
    let by_dns = dns.argument();
    let cases = [
        (
            "news.b.test",
            by_dns.as_str(),
            "m1._domainkey.news",
            "b.test",
            "dns",
        ),
        ("own.b.test", &by_dns, "m1._domainkey", "own.b.test", "dns"),
        ("news.b.test", &nobody, "m1._domainkey", "news.b.test", "assumed"),
        (
            "news.b.test",
            "--zone=b.test",
            "m1._domainkey.news",
            "b.test",
            "given",
        ),
        ("b.test", &nobody, "m1._domainkey", "b.test", "given"),
    ];
    for (number, (domain, more, host, zone, source)) in cases.into_iter().enumerate() {
        let ended = made(&workspace, domain, &number.to_string(), &[more, "--json"]).expect(0);
        let line = ended.json::<Value>().remove(0);
        let found = [&line["record"]["host"], &line["record"]["zone"], &line["zone_is"]];
        assert_eq!(found, [host, zone, source], "{domain} {more}");
        assert_eq!(line["record"]["name"], format!("m1._domainkey.{domain}"));
    }
}

#[test]
fn how_the_zone_is_known_is_said() {
    let (workspace, dns, nobody) = (workspace(), zones(), nobody());
    let said = |name: &str, more: &[&str], code, what: &str| {
        made(&workspace, "news.b.test", name, more)
            .expect(code)
            .says(&[what]);
    };
    said(
        "1",
        &[&dns.argument()],
        0,
        "news.b.test lies in the zone b.test, the DNS says",
    );
    let assumed = "taken for granted, since the DNS does not say it: news.b.test is a zone of its own; \
                   in the zone b.test the host record would be m1._domainkey.news";
    said("2", &[&nobody], 0, assumed);
    said(
        "3",
        &["--zone", "c.test"],
        64,
        "news.b.test does not lie in the zone c.test",
    );
    let chinese = "DNS 显示 news.b.test 属于解析区 b.test";
    said("4", &[&dns.argument(), "--lang", "zh"], 0, chinese);
}

#[test]
fn what_a_key_cannot_be_is_refused_in_words() {
    let workspace = workspace();
    let mut shown = String::new();
    for more in [
        &["--algorithm", "ed25519", "--bits", "2048", "--out", "m1.pem"][..],
        &["--bits", "1024", "--out", "m1.pem"],
        &["--bits", "2500", "--out", "m1.pem"],
        &["--bits", "8192", "--algorithm", "both", "--out", "m1.pem"],
        &["--out", "-"],
        &["--out", "-", "--json", "--lang", "zh"],
        &["--bits", "8192", "--out", "m1.pem", "--lang", "zh"],
    ] {
        let words = [
            "secret",
            "dkim-keygen",
            "--domain",
            "b.example",
            "--selector",
            "m1",
        ];
        let ended = workspace.run(&[words.as_slice(), more].concat()).expect(64);
        writeln!(shown, "{}\n{}", more.join(" "), ended.text()).unwrap();
    }
    insta::assert_snapshot!("dkim_keygen_refused", shown);
    assert!(!workspace.path("m1.pem").exists() && !workspace.path("-").exists());
}
