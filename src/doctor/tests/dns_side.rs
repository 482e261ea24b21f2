//! What is found in good zones and in all kinds of bad ones.

use super::*;

const GOOD: &str = "
good.test 3600 SOA 1
good.test 3600 NS ns1.good.test
good.test 3600 NS ns2.good.test
good.test 3600 MX 5 mx1.qiye.aliyun.com
good.test 3600 MX 10 mx2.qiye.aliyun.com
good.test 3600 MX 15 mx3.qiye.aliyun.com
good.test 3600 TXT v=spf1 include:spf.qiye.aliyun.com -all
spf.qiye.aliyun.com 3600 TXT v=spf1 ip4:198.51.100.0/24 -all
mx1.qiye.aliyun.com 3600 A 198.51.100.1
mx2.qiye.aliyun.com 3600 A 198.51.100.2
mx3.qiye.aliyun.com 3600 A 198.51.100.3
default._domainkey.good.test 3600 TXT v=DKIM1; k=ed25519; p=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=
_dmarc.good.test 3600 TXT v=DMARC1; p=reject; rua=mailto:dmarc@good.test
";

/// What is worse than worth knowing, after these changes of the good zone: `from` becomes `to`.
pub(super) fn changed(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    let zone = Zone::new(&GOOD.replace(from, to));
    worse_than(
        &examine(&zone, &subject("good.test", Some("alimail"))),
        Severity::Info,
    )
}

pub(super) fn expect(found: &[String], wanted: &[&str]) {
    for wanted in wanted {
        assert!(
            found.iter().any(|line| line.starts_with(wanted)),
            "`{wanted}` is not in {found:#?}"
        );
    }
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
}

#[test]
fn nothing_is_wrong_with_a_good_zone() {
    assert_eq!(changed("good", "good"), Vec::<String>::new());
    let second = "5 mxn.mxhichina.com\ngood.test 3600 MX 10 mxw.mxhichina.com\n\
                  mxn.mxhichina.com 60 A 198.51.100.4\nmxw.mxhichina.com 60 A 198.51.100.5";
    let old = "5 mx1.qiye.aliyun.com\ngood.test 3600 MX 10 mx2.qiye.aliyun.com\ngood.test 3600 MX 15 mx3.qiye.aliyun.com";
    assert_eq!(changed(old, second), Vec::<String>::new());
}

#[test]
fn mail_servers_that_nobody_can_use_are_errors() {
    let mx = "MX 5 mx1.qiye.aliyun.com";
    expect(&changed(mx, "MX 0 ."), &["MX-02 error"]);
    expect(
        &changed(mx, "MX 5 192.0.2.1"),
        &[
            "MX-04 error: the MX record names an IP",
            "MX-05 warning",
            "MX-07 warning",
        ],
    );
    expect(
        &changed(mx, "MX 5 localhost"),
        &[
            "MX-04 error: the MX record leads every",
            "MX-05 warning",
            "MX-07 warning",
        ],
    );
    let doubled = changed(mx, "MX 5 mx1.qiye.aliyun.com.good.test");
    expect(
        &doubled,
        &[
            "MX-04 error: the host of the MX record has no address",
            "MX-05 warning",
            "MX-07 warning",
        ],
    );
    let other = format!("{mx}\nmx1.qiye.aliyun.com 60 CNAME mx2.qiye.aliyun.com\nunused 1");
    expect(
        &changed(
            &format!("{mx}\ngood.test 3600"),
            &format!("{other} A 1.2.3.4\ngood.test 3600"),
        ),
        &["MX-03 error"],
    );
    expect(
        &changed("A 198.51.100.1", "A 10.0.0.1"),
        &["MX-04 error: the host of the MX record has only private"],
    );
    expect(
        &changed(
            "MX 15 mx3.qiye.aliyun.com",
            "MX 15 mxbiz1.qq.com\nmxbiz1.qq.com 60 A 198.51.100.9",
        ),
        &["MX-06 error"],
    );
    let zone = Zone::new(
        "nomx.test 3600 TXT v=spf1 -all\n_dmarc.nomx.test 3600 TXT v=DMARC1; p=reject; rua=mailto:a@nomx.test",
    );
    let found = worse_than(&examine(&zone, &subject("nomx.test", None)), Severity::Warning);
    expect(&found, &["MX-01 error: no MX record, and no address"]);
}

#[test]
fn a_backup_of_ones_own_comes_after_the_provider() {
    let third = "MX 15 mx3.qiye.aliyun.com";
    let with = |preference: u16| {
        format!(
            "{third}\ngood.test 3600 MX {preference} backup.good.test\nbackup.good.test 3600 A 198.51.100.20"
        )
    };
    expect(&changed(third, &with(20)), &[]);
    expect(
        &changed(third, &with(10)),
        &["MX-07 warning: preference 10 is not behind"],
    );
}

#[test]
fn a_cname_beside_other_records_is_an_error() {
    expect(
        &changed(
            "good.test 3600 SOA 1",
            "good.test 3600 SOA 1\ngood.test 3600 CNAME web.example",
        ),
        &["CN-01 error: a CNAME to web.example beside SOA, NS, MX, TXT"],
    );
}

#[test]
fn spf_is_read_as_receivers_read_it() {
    let spf = "v=spf1 include:spf.qiye.aliyun.com -all";
    for (record, wanted) in [
        (
            "v=spf1 include:spf.qiye.aliyun.com +all",
            ["SPF-06 error"].as_slice(),
        ),
        ("v=spf1 include:spf.qiye.aliyun.com ?all", &["SPF-06 warning"]),
        (
            "v=spf1 include:spf.qiye.aliyun.com",
            &["SPF-06 warning: the record has no end"],
        ),
        (
            "v=spf1 include:spf.qiye.aliyun.com -all mx",
            &["SPF-06 warning: nobody reads"],
        ),
        ("v=spf1 mx -all", &["SPF-05 error"]),
        (
            "v=spf1 include:spf.qiye.aliyun.com ptr -all",
            &["SPF-07 warning: `ptr`"],
        ),
        (
            "v=spf1 include：spf.qiye.aliyun.com -all",
            &["SPF-07 error", "SPF-05 error"],
        ),
        (
            "\"v=spf1 include:spf.qiye.aliyun.com -all\"",
            &["SPF-07 error", "SPF-01 error"],
        ),
        (
            "v=spf1 include:spf.qiye.aliyun.com include:none.test -all",
            &["SPF-04 error: none.test has no SPF", "SPF-03 warning"],
        ),
        (
            "v=spf1 include:spf.qiye.aliyun.com include:good.test -all",
            &["SPF-04 error: a loop"],
        ),
        (
            "v=spf1 include:spf.qiye.aliyun.com a:x.test a:y.test a:z.test -all",
            &["SPF-03 error: lookups in vain: 3"],
        ),
    ] {
        expect(&changed(spf, record), wanted);
    }
    expect(
        &changed(spf, &format!("{spf}\ngood.test 3600 TXT v=spf1 mx -all")),
        &["SPF-01 error: 2 SPF records"],
    );
}

#[test]
fn ten_lookups_are_allowed_and_eleven_are_not() {
    let includes = |count: usize| {
        let names: Vec<String> = (1..count).map(|n| format!("include:i{n}.test")).collect();
        let records: Vec<String> = (1..count)
            .map(|n| format!("i{n}.test 60 TXT v=spf1 ip4:192.0.2.{n} -all"))
            .collect();
        format!(
            "v=spf1 include:spf.qiye.aliyun.com {} -all\n{}",
            names.join(" "),
            records.join("\n")
        )
    };
    let spf = "v=spf1 include:spf.qiye.aliyun.com -all";
    expect(&changed(spf, &includes(8)), &[]);
    expect(&changed(spf, &includes(10)), &["SPF-02 warning: lookups: 10"]);
    expect(&changed(spf, &includes(11)), &["SPF-02 error: 11 lookups"]);
}

#[test]
fn a_tree_that_grows_without_end_is_cut() {
    let level = |n: usize| {
        format!(
            "i{n}.test 60 TXT v=spf1 {} -all",
            vec![format!("include:i{}.test", n + 1); 10].join(" ")
        )
    };
    let levels: Vec<String> = (1..12).map(level).collect();
    let zone = format!("{}\ni12.test 60 TXT v=spf1 -all", levels.join("\n"));
    let findings = examine(&Zone::new(&zone), &subject("i1.test", None));
    let found = worse_than(&findings, Severity::Warning);
    assert!(
        found.iter().any(|line| line.starts_with("SPF-02 error")),
        "{found:?}"
    );
}

#[test]
fn the_tree_is_drawn_with_the_count_at_each_node() {
    let zone = Zone::new(
        "t.test 60 TXT v=spf1 include:a.test mx -all
         t.test 60 MX 1 m.test
         a.test 60 TXT v=spf1 include:b.test a:gone.test -all
         b.test 60 TXT v=spf1 ip4:192.0.2.1 -all",
    );
    let findings = examine(&zone, &subject("t.test", None));
    let tree = findings.iter().find(|finding| finding.id == "SPF-02").unwrap();
    let drawn: Vec<String> = tree.details.iter().map(ToString::to_string).collect();
    assert_eq!(
        drawn,
        [
            "t.test  lookups: 4, in vain: 1",
            "└─ include:a.test  lookups: 3, in vain: 1",
            "   └─ include:b.test  lookups: 1"
        ]
    );
}

#[test]
fn what_nobody_answers_is_unknown_and_not_missing() {
    let found = changed(
        "good.test 3600 MX 5 mx1.qiye.aliyun.com",
        "_dmarc.good.test 1 FAIL\ngood.test 3600 MX 5 mx1.qiye.aliyun.com",
    );
    expect(
        &found,
        &[
            "DMARC-01 unknown: not known: the name server answers SERVFAIL",
            "TTL-01 unknown",
            "PROP-01 unknown",
            "CN-01 unknown",
        ],
    );
    let zone = Zone::new("down.test 1 FAIL");
    let findings = examine(&zone, &subject("down.test", Some("alimail")));
    assert!(
        findings
            .iter()
            .all(|finding| finding.severity < Severity::Error || finding.id.starts_with("DMARC")),
        "{findings:#?}"
    );
}

#[test]
fn lifetimes_are_those_of_the_zone() {
    expect(
        &changed("good.test 3600 MX 5", "good.test 60 MX 5"),
        &["TTL-01 warning: may be kept for 60 s"],
    );
}

#[test]
fn a_server_of_ones_own_needs_a_name_that_leads_back() {
    let ptr = |more: &str| {
        let zone = Zone::new(&format!("{GOOD}\n{more}"));
        let own = Subject {
            ips: vec!["192.0.2.9".parse().unwrap()],
            hello: Some("mail.good.test".to_owned()),
            ..subject("good.test", Some("alimail"))
        };
        worse_than(&examine(&zone, &own), Severity::Info)
    };
    expect(&ptr(""), &["PTR-01 error: the address has no name"]);
    expect(
        &ptr("9.2.0.192.in-addr.arpa 60 PTR mail.good.test"),
        &["PTR-01 error: the address is called mail.good.test, but"],
    );
    expect(
        &ptr("9.2.0.192.in-addr.arpa 60 PTR mail.good.test\nmail.good.test 60 A 192.0.2.9"),
        &[],
    );
    expect(
        &ptr("9.2.0.192.in-addr.arpa 60 PTR mx.good.test\nmx.good.test 60 A 192.0.2.9"),
        &["PTR-01 warning: the server says hello as mail.good.test"],
    );
}

#[test]
fn a_resolver_that_sees_nothing_at_all_proves_nothing() {
    let findings = examine(
        &Zone::new("other.test 60 A 1.2.3.4"),
        &subject("gone.test", Some("alimail")),
    );
    expect(
        &worse_than(&findings, Severity::Info),
        &["NS-01 unknown: nothing is seen of gone.test"],
    );
    // Where the domain above is seen, the domain is gone.
    let findings = examine(&Zone::new("test 60 NS a.nic.test"), &subject("gone.test", None));
    let found = worse_than(&findings, Severity::Warning);
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("NS-01 error: the domain has no name servers")),
        "{found:?}"
    );
}

#[test]
fn a_link_to_unsubscribe_must_lead_somewhere() {
    let with = |more: &str| {
        let linked = Subject {
            links: vec!["https://news.good.test/u".to_owned()],
            ..subject("good.test", Some("alimail"))
        };
        worse_than(
            &examine(&Zone::new(&format!("{GOOD}\n{more}")), &linked),
            Severity::Info,
        )
    };
    expect(
        &with(""),
        &["URL-01 warning: mails lead there, and the host has no address"],
    );
    // The tests' web answers nobody.
    expect(
        &with("news.good.test 60 A 192.0.2.1"),
        &["URL-01 warning: mails lead there, and it does not answer"],
    );
}

#[test]
fn two_sets_of_the_provider_beside_one_another_are_one_too_many() {
    let first = "MX 5 mx1.qiye.aliyun.com";
    let both = "MX 5 mx1.qiye.aliyun.com\ngood.test 3600 MX 5 mxn.mxhichina.com\nmxn.mxhichina.com 60 A 198.51.100.4";
    expect(
        &changed(first, both),
        &["MX-05 warning: two of the provider's sets beside one another: choose one; also there: mxn"],
    );
}

#[test]
fn who_has_the_mailboxes_is_asked_what_it_wants_where_nobody_says_who_sends() {
    let zone = |spf: &str| Zone::new(&GOOD.replace("v=spf1 include:spf.qiye.aliyun.com -all", spf));
    let findings = examine(&zone("nothing"), &subject("good.test", None));
    let missing = findings.iter().find(|finding| finding.id == "SPF-01").unwrap();
    assert_eq!(
        missing.records[0].value,
        "v=spf1 include:spf.qiye.aliyun.com -all"
    );
    // It may send by others: not an error.
    let findings = examine(&zone("v=spf1 ip4:192.0.2.0/24 -all"), &subject("good.test", None));
    expect(
        &worse_than(&findings, Severity::Info),
        &["SPF-05 warning: the provider is not included"],
    );
}

#[test]
fn a_record_is_not_praised_and_blamed_at_once() {
    let spf = |finding: &&Finding| finding.id.starts_with("SPF") && finding.severity == Severity::Ok;
    let zone = Zone::new(&GOOD.replace("aliyun.com -all", "aliyun.com ip4:300.1.2.3 -all"));
    let findings = examine(&zone, &subject("good.test", Some("alimail")));
    assert!(!findings.iter().filter(spf).any(|finding| finding.id == "SPF-01"));
    let zone = Zone::new(&GOOD.replace("p=reject; rua=mailto:dmarc@good.test", "p=maybe"));
    let findings = examine(&zone, &subject("good.test", Some("alimail")));
    let found = worse_than(&findings, Severity::Info);
    expect(&found, &["DMARC-01 error: `p=maybe` is no policy"]);
    assert!(
        !findings
            .iter()
            .any(|finding| finding.id == "DMARC-01" && finding.severity == Severity::Ok)
    );
}
