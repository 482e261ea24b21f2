//! `mailshot doctor`: what it finds in good zones and bad ones, on servers that behave and servers that do not, and what
//! it means for `send`.

use serde_json::Value;

use super::harness::{Dns, Ended, Sandbox, Workspace, people};

/// A zone in which nothing is wrong; `good.test` may be replaced by another name.
const GOOD: &str = "
good.test 3600 SOA 7
good.test 3600 NS ns1.good.test
good.test 3600 NS ns2.good.test
ns1.good.test 3600 A 127.0.0.1
ns2.good.test 3600 A 127.0.0.1
good.test 3600 MX 5 mx1.good.test
good.test 3600 MX 10 mx2.good.test
mx1.good.test 3600 A 198.51.100.1
mx2.good.test 3600 A 198.51.100.2
good.test 3600 TXT v=spf1 mx -all
s1._domainkey.good.test 3600 TXT v=DKIM1; k=ed25519; p=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=
_dmarc.good.test 3600 TXT v=DMARC1; p=reject; rua=mailto:dmarc@good.test
";

fn workspace() -> Workspace {
    Workspace::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"", &people(1))
}

/// The doctor's findings about a domain, as `MX-01 error`, those worse than worth knowing.
pub(super) fn findings(ended: &Ended) -> Vec<String> {
    let all: Vec<Value> = ended.json();
    let found = all.iter().filter(|line| line["type"] == "Finding");
    let found = found.filter(|line| !["ok", "info"].contains(&line["severity"].as_str().unwrap()));
    found
        .map(|line| {
            format!(
                "{} {}",
                line["id"].as_str().unwrap(),
                line["severity"].as_str().unwrap()
            )
        })
        .collect()
}

/// Looks at a domain with this server as the one resolver.
fn look(dns: &Dns, domain: &str) -> Ended {
    let arguments = ["doctor", domain, "--json", &dns.argument()];
    workspace().run(&arguments)
}

#[test]
fn nothing_is_wrong_with_a_good_zone_of_a_real_server() {
    let dns = Dns::hickory(GOOD);
    let ended = look(&dns, "good.test").expect(0);
    assert_eq!(findings(&ended), Vec::<String>::new(), "{}", ended.stdout);
    let summary: Value = serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(
        (summary["type"].as_str(), summary["exit_code"].as_u64()),
        (Some("Summary"), Some(0))
    );
}

#[test]
fn each_fault_of_a_zone_has_its_finding_and_its_exit_code() {
    for (from, to, code, wanted) in [
        (
            "TXT v=spf1 mx -all",
            "TXT v=spf1 mx +all",
            78,
            ["SPF-06 error"].as_slice(),
        ),
        (
            "TXT v=spf1 mx -all",
            "TXT v=spf1 mx -all\ngood.test 3600 TXT v=spf1 a -all",
            78,
            &["SPF-01 error"],
        ),
        (
            "MX 10 mx2.good.test",
            "MX 10 gone.good.test",
            78,
            &["MX-04 error"],
        ),
        ("p=reject", "p=none", 0, &["DMARC-02 warning"]),
        (
            "good.test 3600 SOA 7",
            "good.test 3600 SOA 7\ngood.test 3600 CNAME web.example",
            78,
            &["CN-01 error"],
        ),
        (
            "good.test 3600 TXT v=spf1",
            "good.test 60 TXT v=spf1",
            0,
            &["TTL-01 warning"],
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let dns = Dns::authority(&GOOD.replace(from, to));
        let ended = look(&dns, "good.test").expect(code);
        assert_eq!(findings(&ended), wanted, "{to}\n{}", ended.stdout);
    }
}

#[test]
fn a_server_that_does_not_answer_is_not_a_missing_record() {
    for odd in ["!SILENT", "!FAIL", "!GARBAGE", "!LIE", "!CUT-FOR-GOOD"] {
        let dns = Dns::authority(&format!("{GOOD}\n_dmarc.good.test 0 {odd}"));
        let ended = look(&dns, "good.test").expect(0);
        let found = findings(&ended);
        assert!(found.contains(&"DMARC-01 unknown".to_owned()), "{odd}: {found:?}");
        assert!(
            found.iter().all(|finding| finding.ends_with("unknown")),
            "{odd}: {found:?}"
        );
    }
}

#[test]
fn an_answer_that_is_cut_off_is_asked_for_over_tcp() {
    let dns = Dns::authority(&format!("{GOOD}\n_dmarc.good.test 0 !CUT"));
    assert_eq!(findings(&look(&dns, "good.test").expect(0)), Vec::<String>::new());
    // Too long for a datagram by itself.
    let texts: Vec<String> = (0..12)
        .map(|n| format!("good.test 3600 TXT verification-{n}={}", "x".repeat(120)))
        .collect();
    let dns = Dns::hickory(&format!("{GOOD}\n{}", texts.join("\n")));
    let ended = look(&dns, "good.test").expect(0);
    assert_eq!(findings(&ended), ["SPF-07 warning"], "{}", ended.stdout);
}

#[test]
fn the_name_servers_themselves_are_asked_and_differences_are_shown() {
    let zone = |serial: u32, dmarc: &str| {
        GOOD.replace("SOA 7", &format!("SOA {serial}"))
            .replace("p=reject", dmarc)
            .replace("ns2.good.test 3600 A 127.0.0.1", "ns2.good.test 3600 A 127.0.0.2")
    };
    let first = Dns::authority(&zone(8, "p=quarantine"));
    let second = Dns::authority_at("127.0.0.2", first.address.port(), &zone(7, "p=reject"));
    // Resolvers that still have the old record, with what is left of its lifetime.
    let old = zone(7, "p=reject").replace("_dmarc.good.test 3600", "_dmarc.good.test 1234");
    let (here, abroad) = (Dns::resolver(&old), Dns::resolver(&zone(8, "p=quarantine")));
    let port = format!("--authority-port={}", first.address.port());
    let ended = workspace().run(&[
        "doctor",
        "good.test",
        &here.argument_as("here"),
        &abroad.argument_as("abroad"),
        &port,
    ]);
    ended.expect(0).says(&[
        "not all see the same records",
        "here: v=DMARC1; p=reject; rua=mailto:dmarc@good.test (for 1234 s)",
        "abroad: v=DMARC1; p=quarantine",
        "ns1.good.test: v=DMARC1; p=quarantine",
        "ns2.good.test: v=DMARC1; p=reject",
        "serial 7: ns2.good.test",
        "serial 8: ns1.good.test",
    ]);
    drop(second);
}

#[test]
fn a_name_server_that_cannot_be_reached_is_said_and_the_rest_goes_on() {
    let dns = Dns::resolver(GOOD);
    // Nobody listens there: the port was free a moment ago.
    let free = std::net::UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let port = format!("--authority-port={free}");
    let ended = workspace()
        .run(&["doctor", "good.test", "--json", &dns.argument(), &port])
        .expect(0);
    let found = findings(&ended);
    assert!(
        found.contains(&"NS-01 unknown".to_owned()) && found.contains(&"TTL-01 unknown".to_owned()),
        "{found:?}"
    );
    assert!(
        found.iter().all(|finding| finding.ends_with("unknown")),
        "{found:?}"
    );
}

#[test]
fn watch_ends_when_all_see_the_same() {
    let (new, stale) = (
        Dns::authority(GOOD),
        Dns::resolver(&GOOD.replace("p=reject", "p=none")),
    );
    let workspace = workspace();
    let arguments = [
        "doctor",
        "good.test",
        "--watch",
        "--every",
        "50ms",
        &new.argument_as("new"),
        &stale.argument_as("stale"),
    ];
    let running = workspace.start(&arguments);
    super::harness::wait_for("a word of the difference", || {
        running.stderr().contains("not all see the same").then_some(())
    });
    stale.change(GOOD);
    running
        .wait()
        .expect(0)
        .says(&["all see the same, and nothing is wrong"]);
    stale.change(&GOOD.replace("p=reject", "p=none"));
    let arguments = [arguments.as_slice(), &["--for", "60ms"]].concat();
    workspace
        .run(&arguments)
        .expect(75)
        .says(&["not done after", "not all see the same"]);
}

#[test]
fn watch_waits_for_an_answer_too() {
    for zone in [
        "other.test 60 A 192.0.2.1".to_owned(),
        format!("{GOOD}\n_dmarc.good.test 0 !FAIL"),
    ] {
        let dns = Dns::authority(&zone);
        let arguments = [
            "doctor",
            "good.test",
            "--watch",
            "--every",
            "20ms",
            "--for",
            "50ms",
            &dns.argument(),
        ];
        workspace().run(&arguments).expect(75).says(&["not done after"]);
    }
}

#[test]
fn watch_says_what_is_open_once_and_then_what_changes() {
    let dns = Dns::authority("other.test 60 A 192.0.2.1");
    let workspace = workspace();
    let arguments = |more: &'static [&'static str]| {
        let mut words = vec![
            "doctor".to_owned(),
            "good.test".to_owned(),
            "--watch".to_owned(),
            dns.argument(),
        ];
        words.extend(more.iter().map(|word| (*word).to_owned()));
        words
    };
    let short = arguments(&["--every", "20ms", "--for", "200ms"]);
    let short: Vec<&str> = short.iter().map(String::as_str).collect();
    let said = workspace.run(&short).expect(75).stderr;
    assert_eq!(said.matches("nothing is seen of good.test").count(), 1, "{said}");
    assert!(
        said.contains("not done after 200ms: still as said above"),
        "{said}"
    );
    // Who has heard nothing is told in the end.
    let quiet = [short.as_slice(), &["--quiet"]].concat();
    let said = workspace.run(&quiet).expect(75).stderr;
    assert_eq!(said.matches("nothing is seen of good.test").count(), 1, "{said}");
    let long = arguments(&["--every", "20ms"]);
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    let running = workspace.start(&long);
    super::harness::wait_for("a word of what is open", || {
        running
            .stderr()
            .contains("nothing is seen of good.test")
            .then_some(())
    });
    dns.change(&GOOD.replace("-all", "+all"));
    super::harness::wait_for("a word of what is settled", || {
        running
            .stderr()
            .contains("settled: good.test: nothing is seen")
            .then_some(())
    });
    dns.change(GOOD);
    running
        .wait()
        .expect(0)
        .says(&["all see the same, and nothing is wrong"]);
}

#[test]
fn selectors_that_are_named_must_have_a_key() {
    let dns = Dns::authority(GOOD);
    let run = |selector: &str| {
        workspace().run(&[
            "doctor",
            "good.test",
            "--json",
            "--selector",
            selector,
            &dns.argument(),
        ])
    };
    assert_eq!(findings(&run("s1").expect(0)), Vec::<String>::new());
    assert_eq!(findings(&run("s9").expect(78)), ["DKIM-01 error"]);
}

#[test]
fn block_lists_are_asked_when_told_and_their_errors_are_no_listing() {
    let lists = "
        good.test.dbl.spamhaus.org 60 A 127.255.255.254
        9.2.0.192.zen.spamhaus.org 60 A 127.0.0.2
        9.2.0.192.in-addr.arpa 60 PTR mail.good.test
        mail.good.test 60 A 192.0.2.9";
    let dns = Dns::authority(&format!("{GOOD}\n{lists}"));
    let ended = workspace().run(&[
        "doctor",
        "good.test",
        "--json",
        "--dnsbl",
        "--ip",
        "192.0.2.9",
        &dns.argument(),
    ]);
    assert_eq!(findings(&ended.expect(0)), ["BL-01 warning", "BL-01 unknown"]);
}

/// A server with this protection, and a workspace whose account leads there and trusts it.
fn protected(tls: &str) -> (Sandbox, Workspace) {
    let sandbox = Sandbox::start(&["--tls", tls, "--ca-out", "ca.pem", "--login", "me:right"]);
    let ca = format!("tls = \"{tls}\"\nca_file = \"{}\"", sandbox.file("ca.pem"));
    let connect = sandbox.account().replace("tls = \"none\"", &ca);
    let account = format!("{connect}username = \"me\"\npassword_env = \"MAILSHOT_PASSWORD\"\n");
    let workspace = Workspace::new(&account, &people(1));
    (sandbox, workspace)
}

#[test]
fn the_server_is_looked_at_and_the_login_tried_once() {
    let dns = Dns::authority(&GOOD.replace("good.test", "aurora-home.example"));
    for tls in ["tls", "starttls"] {
        let (sandbox, mut workspace) = protected(tls);
        workspace.env("MAILSHOT_PASSWORD", "right");
        let arguments = ["doctor", "--json", "--login", &dns.argument()];
        let ended = workspace.run(&arguments).expect(0);
        ended.says(&["\"LOGIN-01\"", "the login works", "TLSv1.3, certificate valid"]);
        workspace.env("MAILSHOT_PASSWORD", "wrong");
        workspace
            .run(&arguments)
            .expect(77)
            .says(&["the login was refused"]);
        // The refusal is on record, as one in a run is.
        workspace
            .run(&arguments)
            .expect(77)
            .says(&["is left alone until"]);
        workspace.send(&[]).expect(77).says(&["nobody knocked"]);
        assert_eq!(sandbox.stop().logins_refused, 1);
    }
}

#[test]
fn what_stops_the_login_or_the_look_does_not_stop_the_report() {
    let dns = Dns::authority(&GOOD.replace("good.test", "aurora-home.example"));
    let (sandbox, workspace) = protected("tls");
    let ended = workspace.run(&["doctor", "--login", &dns.argument()]).expect(78);
    ended.says(&["MX-01", "AUTH-01", "the login was not tried", "MAILSHOT_PASSWORD"]);
    std::fs::remove_file(sandbox.file("ca.pem")).unwrap();
    let ended = workspace.run(&["doctor", &dns.argument()]).expect(78);
    ended.says(&["MX-01", "TLS-01", "the server cannot be looked at", "ca.pem"]);
    assert_eq!(sandbox.stop().logins_refused, 0);
}

#[test]
fn a_look_without_login_shows_no_password_and_locks_nobody() {
    let dns = Dns::authority(&GOOD.replace("good.test", "aurora-home.example"));
    let (sandbox, mut workspace) = protected("tls");
    workspace.env("MAILSHOT_PASSWORD", "wrong");
    workspace.run(&["doctor", &dns.argument()]).expect(0);
    let counts = sandbox.stop();
    assert_eq!(
        (counts.connections, counts.logins_ok, counts.logins_refused),
        (1, 0, 0)
    );
}

#[test]
fn a_silent_resolver_is_named_and_another_one_answers() {
    let (silent, good) = (
        Dns::authority("good.test 0 !SILENT\n_dmarc.good.test 0 !SILENT\ns1._domainkey.good.test 0 !SILENT"),
        Dns::authority(GOOD),
    );
    let arguments = [
        "doctor",
        "good.test",
        "--json",
        &silent.argument_as("silent"),
        &good.argument_as("good"),
    ];
    let ended = workspace().run(&arguments).expect(0);
    assert_eq!(findings(&ended), ["PROP-01 unknown"], "{}", ended.stdout);
    ended.says(&["1 of 2 did not answer: silent", "silent: no answer in time"]);
}

#[test]
fn a_selector_that_is_none_is_wrong_usage_and_not_a_finding() {
    let workspace = workspace();
    workspace
        .run(&["doctor", "--selector", "a b", "--dns-only"])
        .expect(64)
        .says(&["`a b` is not a selector"]);
    assert!(!workspace.path(".mailshot/doctor.json").exists());
}

#[test]
fn a_doctor_whom_nobody_answers_says_so_once_and_does_not_end_well() {
    let arguments = ["doctor", "good.test", "--dns-only", "--resolver", "127.0.0.1:1"];
    let ended = workspace().run(&arguments).expect(69);
    ended.says(&[
        "nothing could be looked up, 12 checks were not made",
        "connection refused",
    ]);
    assert_eq!(
        ended.stdout.matches("connection refused").count(),
        1,
        "{}",
        ended.stdout
    );
}

#[test]
fn a_certificate_that_is_not_trusted_is_an_error_and_gets_no_password() {
    let dns = Dns::authority(&GOOD.replace("good.test", "aurora-home.example"));
    let sandbox = Sandbox::start(&["--tls", "tls", "--login", "me:right"]);
    let connect = sandbox.account().replace("tls = \"none\"", "tls = \"tls\"");
    let account = format!("{connect}username = \"me\"\npassword_env = \"MAILSHOT_PASSWORD\"\n");
    let mut workspace = Workspace::new(&account, &people(1));
    workspace.env("MAILSHOT_PASSWORD", "right");
    let ended = workspace.run(&["doctor", "--login", &dns.argument()]).expect(78);
    ended.says(&[
        "TLS-01",
        "the certificate is not trusted",
        "localhost",
        "not tried",
    ]);
    let counts = sandbox.stop();
    assert_eq!((counts.logins_ok, counts.logins_refused), (0, 0));
}

#[test]
fn a_server_that_cannot_be_reached_ends_with_69() {
    let dns = Dns::authority(&GOOD.replace("good.test", "aurora-home.example"));
    let ended = workspace().run(&["doctor", &dns.argument()]).expect(69);
    ended.says(&[
        "PORT-01",
        "the server cannot be used on this port",
        "1     closed or blocked",
    ]);
}

#[test]
fn outside_of_the_allowed_networks_nobody_logs_in() {
    let sandbox = Sandbox::start(&["--login", "me:right"]);
    let account = |networks: &str| {
        let login = "username = \"me\"\npassword_env = \"MAILSHOT_PASSWORD\"";
        format!("{}{login}\negress_allow = [\"{networks}\"]\n", sandbox.account())
    };
    let mut workspace = Workspace::new(&account("127.9.0.0/16"), &people(2));
    workspace.env("MAILSHOT_PASSWORD", "right");
    let ended = workspace.send(&[]).expect(77);
    ended.says(&["not in egress_allow", "we come from 127.0.0.1", "nothing is lost"]);
    assert_eq!(workspace.status().pending, 2);
    let dns = Dns::authority(&GOOD.replace("good.test", "aurora-home.example"));
    workspace
        .run(&["doctor", &dns.argument()])
        .expect(77)
        .says(&["EGR-01"]);
    std::fs::remove_file(workspace.path(".mailshot/doctor.json")).unwrap();
    // Private addresses say nothing where no private network is named.
    workspace.configure(&account("203.0.113.0/24"), "");
    workspace
        .run(&["doctor", &dns.argument()])
        .expect(0)
        .says(&["a router hides"]);
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.stop().logins_refused, 0);
}

#[test]
fn send_refuses_what_the_doctor_found_broken_until_it_is_mended_or_told_otherwise() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(2));
    let good = GOOD.replace("good.test", "aurora-home.example");
    let dns = Dns::authority(&good.replace("v=spf1 mx -all", "v=spf1 mx +all"));
    workspace.run(&["doctor", &dns.argument()]).expect(78);
    let ended = workspace.send(&[]).expect(78);
    ended.says(&[
        "the doctor found errors 0 min ago",
        "SPF-06 aurora-home.example",
        "nothing was sent",
        "--ignore-doctor",
    ]);
    workspace
        .send(&["--lang", "zh"])
        .expect(78)
        .says(&["错误：doctor 于 0 分钟前发现了错误", "提示：一封也没有发送"]);
    assert_eq!(sandbox.journal_lines(), 0);
    workspace.send(&["--ignore-doctor", "--limit", "1"]).expect(75);
    dns.change(&good);
    workspace.run(&["doctor", &dns.argument()]).expect(0);
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.journal_lines(), 2);
}

#[test]
fn records_are_printed_ready_to_paste_and_in_chinese_too() {
    let dns = Dns::authority(&GOOD.replace(
        "good.test 3600 TXT v=spf1 mx -all",
        "good.test 3600 TXT v=spf1 a -all\ngood.test 3600 TXT v=spf1 mx ~all",
    ));
    let workspace = workspace();
    let ended = workspace
        .run(&["doctor", "good.test", "--fix", &dns.argument()])
        .expect(78);
    ended.says(&[
        "host record  @",
        "remove first: TXT v=spf1 a -all",
        "good.test. 3600 IN TXT \"v=spf1 a mx ~all\"",
        "aliyun alidns AddDomainRecord --DomainName good.test --RR @ --Type TXT --Value 'v=spf1 a mx ~all' --TTL 3600",
    ]);
    let ended = workspace
        .run(&["doctor", "good.test", "--fix", "--lang", "zh", &dns.argument()])
        .expect(78);
    ended.says(&["有 2 条 SPF 记录", "主机记录  @", "错误：1"]);
}

/// Zones that each show one thing, by the name that stands for it, and what is found in them that is worse than a note.
const ZONES: [(&str, &str, &[&str]); 32] = [
    ("nomx", "!MX", &["MX-01 error", "SPF-03 warning"]),
    ("nullmx", "~MX 5 mx1.~ = MX 0 .", &["MX-02 error"]),
    ("mxip", "~MX 5 mx1.~ = MX 5 192.0.2.1", &["MX-04 error"]),
    (
        "mxdot",
        "~MX 5 mx1.~ = MX 5 mx1.qiye.aliyun.com.~",
        &["MX-04 error"],
    ),
    (
        "mxcname",
        "~mx1.~ 3600 A 198.51.100.1 = mx1.~ 3600 CNAME mx2.~",
        &["MX-03 error"],
    ),
    ("mxprivate", "~A 198.51.100.1 = A 192.168.1.1", &["MX-04 error"]),
    (
        "mixedmx",
        "~MX 5 mx1.~ = MX 5 mxbiz1.qq.com/~ 3600 MX 5 mx.google.com",
        &["MX-06 error"],
    ),
    ("onemx", "~MX 10 mx2.~ = TXT x", &["MX-07 warning"]),
    ("cnameapex", "+~ 60 CNAME web.example", &["CN-01 error"]),
    ("twospf", "+~ 3600 TXT v=spf1 a -all", &["SPF-01 error"]),
    ("nospf", "~TXT v=spf1 mx -all = TXT x", &["SPF-01 error"]),
    ("spfvoid3", "~spf1 mx = spf1 a:a.~ a:b.~ a:c.~", &["SPF-03 error"]),
    ("spfloop", "~spf1 mx = spf1 include:~", &["SPF-04 error"]),
    (
        "spfmissinginclude",
        "~spf1 mx = spf1 include:gone.~",
        &["SPF-03 warning", "SPF-04 error"],
    ),
    ("spfplus", "~mx -all = mx +all", &["SPF-06 error"]),
    ("spfnoall", "~mx -all = mx", &["SPF-06 warning"]),
    (
        "spffullwidth",
        "~spf1 mx = spf1 include：a.example mx",
        &["SPF-07 error"],
    ),
    (
        "spftypo",
        "~spf1 mx = spf1 mx includ:a.example",
        &["SPF-07 error"],
    ),
    (
        "dkimrevoked",
        "~k=ed25519; p=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc= = p=",
        &["DKIM-01 error"],
    ),
    ("dkimbad64", "~p=BwcH = p=%%%%", &["DKIM-01 error"]),
    ("dkimshort", "~p=BwcH = p=", &["DKIM-01 error"]),
    ("dkimtest", "~k=ed25519; = k=ed25519; t=y;", &["DKIM-01 warning"]),
    ("dmarcnone", "~p=reject = p=none", &["DMARC-02 warning"]),
    ("dmarcquarantine", "~p=reject = p=quarantine", &[]),
    (
        "dmarc2",
        "+_dmarc.~ 3600 TXT v=DMARC1; p=none",
        &["DMARC-01 error"],
    ),
    (
        "dmarcpct",
        "~p=reject; = p=reject; pct=20;",
        &["DMARC-01 warning"],
    ),
    (
        "dmarcext",
        "~mailto:dmarc@~ = mailto:dmarc@reports.example",
        &["DMARC-03 warning"],
    ),
    ("ttl60", "~_dmarc.~ 3600 = _dmarc.~ 60", &["TTL-01 warning"]),
    ("onens", "~NS ns2.~ = TXT x", &["NS-01 warning"]),
    (
        "mtasts",
        "+_mta-sts.~ 60 TXT v=STSv1; id=1\nmta-sts.~ 60 A 127.0.0.1",
        &["STS-01 warning"],
    ),
    (
        "bimi",
        "+default._bimi.~ 60 TXT v=BIMI1; l=http://~/logo.svg",
        &["BIMI-01 warning"],
    ),
    (
        "bimilogo",
        "+default._bimi.~ 60 TXT v=BIMI1; l=https://www.~/logo.svg; a=https://www.~/vmc.pem",
        &["BIMI-02 warning"],
    ),
];

/// The good zone under this name, changed: `!MX` takes records of a type out, `+line` adds one, `~from = to` replaces;
/// `~` within stands for the name.
fn zone_of(name: &str, change: &str) -> String {
    let domain = format!("{name}.test");
    let good = GOOD.replace("good.test", &domain);
    let (sign, rest) = change.split_at(1);
    let rest = rest.replace('~', &domain).replace('/', "\n");
    match sign {
        "!" => good
            .lines()
            .filter(|line| !line.contains(&format!(" {rest} ")))
            .collect::<Vec<_>>()
            .join("\n"),
        "+" => format!("{good}\n{}", change.trim_start_matches('+').replace('~', &domain)),
        _ => {
            let (from, to) = rest.split_once(" = ").unwrap();
            assert!(good.contains(from), "{from} is not in\n{good}");
            good.replace(from, to)
        }
    }
}

#[test]
fn every_zone_of_the_collection_has_its_findings() {
    let others = "
        mxbiz1.qq.com 60 A 198.51.100.3
        mx.google.com 60 A 198.51.100.4";
    let zones: Vec<String> = ZONES
        .iter()
        .map(|(name, change, _)| zone_of(name, change))
        .collect();
    let dns = Dns::authority(&format!("{}\n{others}", zones.join("\n")));
    let workspace = workspace();
    let mut wrong = Vec::new();
    for (name, _, wanted) in ZONES {
        let ended = workspace.run(&["doctor", &format!("{name}.test"), "--json", &dns.argument()]);
        let mut found = findings(&ended);
        found.sort();
        found.dedup();
        if found != wanted {
            wrong.push(format!("{name}: {found:?}, not {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn shown(arguments: &[&str], ended: &Ended) -> String {
    let code = ended.code.map_or("a signal".to_owned(), |code| code.to_string());
    format!(
        "$ mailshot {}\nexit code {code}\n-- stdout\n{}-- stderr\n{}",
        arguments.join(" "),
        ended.stdout,
        ended.stderr
    )
}

#[test]
fn what_the_doctor_says_is_as_it_was() {
    let broken = GOOD
        .replace(
            "v=spf1 mx -all",
            "v=spf1 include:a.good.test mx +all\na.good.test 3600 TXT v=spf1 a:gone.good.test -all",
        )
        .replace("p=reject", "p=none");
    let dns = Dns::authority(&broken);
    let workspace = workspace();
    let resolver = dns.argument();
    for (name, arguments) in [
        (
            "broken",
            ["doctor", "good.test", "--fix", resolver.as_str()].as_slice(),
        ),
        (
            "broken-zh",
            &["doctor", "good.test", "--fix", "--lang=zh", &resolver],
        ),
        ("neither", &["doctor", "nonsense"]),
        (
            "bad-resolver",
            &["doctor", "good.test", "--resolver", "dns.google"],
        ),
        ("for-without-watch", &["doctor", "good.test", "--for", "4h"]),
        ("unreachable", &["doctor", "news", &resolver]),
    ] {
        let ended = workspace.run(arguments);
        insta::with_settings!({
            omit_expression => true,
            filters => vec![(r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:[port]"), (r"/tmp/[^ /]+", "[folder]")],
        }, {
            insta::assert_snapshot!(format!("doctor-{name}"), shown(arguments, &ended));
        });
    }
}

#[test]
fn a_bad_network_in_egress_allow_is_pointed_at() {
    let workspace = Workspace::new("host = \"127.0.0.1\"\negress_allow = [\"office\"]", &people(1));
    workspace
        .run(&["doctor", "--dns-only"])
        .expect(78)
        .says(&["`office` is neither a network nor an address", "mailshot.toml:7"]);
}

#[test]
fn mail_servers_are_asked_whether_they_are_open_to_all() {
    // The sandbox takes everything: so does an open relay. The second server's port is closed.
    let sandbox = Sandbox::start(&["--tls", "starttls"]);
    let port = sandbox.account();
    let port = port
        .lines()
        .find_map(|line| line.strip_prefix("port = "))
        .unwrap();
    let near = GOOD
        .replace("198.51.100.1", "127.0.0.1")
        .replace("198.51.100.2", "127.0.0.3");
    let dns = Dns::authority(&near);
    let ended = workspace().run(&["doctor", "good.test", "--mx", "--mx-port", port, &dns.argument()]);
    ended.expect(78).says(&[
        "MX-07    mx1.good.test: an open relay",
        "MX-07    mx2.good.test: the mail server cannot be used",
    ]);
    assert_eq!(sandbox.stop().mails, 0);
}
