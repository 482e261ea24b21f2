//! What is found at servers of all kinds.

use super::*;
use crate::campaign::{Account, Login, SecretSource, Tls, Workspace};
use crate::deliver::offers::Capabilities;
use crate::deliver::probe::{Protection, Reached, Seen};
use crate::doctor::smtp::{Sender, verdict};
use crate::text;

/// 2026-11-23 12:00:00 UTC.
const NOW_MS: i64 = 1_795_435_200_000;
const DAY_MS: i64 = 86_400_000;

fn account(lines: &str) -> Account {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[sender]\nfrom = \"news@a.example\"\npostal_address = \"x\"\n[unsubscribe]\nmailto = \"out@a.example\"\n[account.main]\n{lines}\n"
    );
    std::fs::write(folder.path().join("mailshot.toml"), text).unwrap();
    Workspace::load(folder.path()).unwrap().accounts["main"].clone()
}

fn sender(lines: &str) -> Sender {
    let mut account = account(lines);
    account.username = "news@a.example".to_owned();
    account.login = Login::Password(SecretSource::Env("X".to_owned()));
    Sender {
        domain: Name::parse("a.example").unwrap(),
        from: "news@a.example".to_owned(),
        account,
    }
}

/// A port on which all is well.
fn fine(port: u16) -> Seen {
    Seen {
        port,
        is_implicit: port == 465,
        reached: Reached::Open,
        local: Some("10.0.0.5".parse().unwrap()),
        greeting: Some("220 mx.example ESMTP Mon, 23 Nov 2026 20:00:30 +0800".to_owned()),
        offers: Some(Capabilities {
            auth: vec!["PLAIN".to_owned(), "LOGIN".to_owned()],
            ..Capabilities::default()
        }),
        starttls: port != 465,
        protection: Some(Protection {
            version: "TLSv1.3".to_owned(),
            until_ms: Some(NOW_MS + 60 * DAY_MS),
            names: vec!["smtp.example".to_owned()],
            distrust: None,
        }),
        fault: None,
    }
}

fn closed(port: u16) -> Seen {
    Seen {
        port,
        fault: Some("cannot connect".into()),
        reached: Reached::Closed,
        ..Seen::default()
    }
}

fn found(sender: &Sender, own: &Seen, others: &[Seen]) -> Vec<String> {
    worse_than(&verdict(sender, own, others, NOW_MS), Severity::Info)
}

#[track_caller]
fn expect(found: &[String], wanted: &[&str]) {
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.starts_with(wanted), "{found}");
    }
}

const ALIMAIL: &str = "provider = \"alimail\"";

#[test]
fn nothing_is_wrong_with_a_good_server() {
    expect(
        &found(&sender(ALIMAIL), &fine(465), &[closed(587), fine(80), closed(25)]),
        &[],
    );
}

#[test]
fn a_port_that_works_is_proposed_for_one_that_does_not() {
    let sender = sender(ALIMAIL);
    let findings = verdict(
        &sender,
        &closed(465),
        &[closed(587), fine(80), closed(25)],
        NOW_MS,
    );
    let port = findings.iter().find(|finding| finding.id == "PORT-01").unwrap();
    assert_eq!(port.severity, Severity::Error);
    let fix = port.fix.as_ref().unwrap().to_string();
    assert!(fix.contains("set `port = 80` and `tls = \"starttls\"`"), "{fix}");
    let matrix: Vec<String> = port.details.iter().map(ToString::to_string).collect();
    assert_eq!(matrix[0], "25    closed or blocked");
    assert_eq!(matrix[1], "80    open, STARTTLS TLSv1.3, AUTH PLAIN LOGIN");
    expect(&found(&sender, &closed(465), &[closed(25)]), &["PORT-01 error"]);
}

#[test]
fn a_name_without_an_address_is_not_a_blocked_port() {
    let nowhere = Seen {
        reached: Reached::Nowhere,
        ..closed(465)
    };
    let findings = verdict(&sender(ALIMAIL), &nowhere, &[], NOW_MS);
    let port = findings.iter().find(|finding| finding.id == "PORT-01").unwrap();
    assert_eq!(
        port.details[0].to_string(),
        "465   not tried: the name has no address"
    );
    assert!(
        port.fix
            .as_ref()
            .unwrap()
            .to_string()
            .contains("spelling of `host`")
    );
}

#[test]
fn certificates_that_end_soon_or_are_not_trusted_are_named() {
    let with = |change: &dyn Fn(&mut Protection)| {
        let mut seen = fine(465);
        change(seen.protection.as_mut().unwrap());
        found(&sender(ALIMAIL), &seen, &[])
    };
    expect(
        &with(&|tls| tls.until_ms = Some(NOW_MS + 13 * DAY_MS)),
        &["TLS-01 warning: the certificate ends in 13 days"],
    );
    expect(
        &with(&|tls| tls.distrust = Some(text!("it has expired"))),
        &["TLS-01 error: the certificate is not trusted: it has expired (it names smtp.example)"],
    );
}

#[test]
fn a_server_without_protection_or_a_login_of_ours_is_an_error() {
    let mut plain = fine(587);
    plain.starttls = false;
    plain.protection = None;
    let starttls = sender("host = \"smtp.example\"\ntls = \"starttls\"");
    expect(
        &found(&starttls, &plain, &[]),
        &["TLS-01 error: the server does not offer STARTTLS"],
    );
    let mut unprotected = starttls.clone();
    unprotected.account.tls = Tls::None;
    expect(
        &found(&unprotected, &plain, &[]),
        &["TLS-01 warning: the connection is not protected"],
    );
    let mut odd = fine(465);
    odd.offers = Some(Capabilities {
        auth: vec!["XOAUTH2".to_owned()],
        ..Capabilities::default()
    });
    expect(
        &found(&sender(ALIMAIL), &odd, &[]),
        &["AUTH-01 error: the server offers no login of ours, but XOAUTH2"],
    );
}

#[test]
fn a_provider_that_sends_only_for_the_login_wants_the_same_sender() {
    let other = Sender {
        from: "sales@a.example".to_owned(),
        ..sender(ALIMAIL)
    };
    expect(
        &found(&other, &fine(465), &[]),
        &["FROM-01 error: the provider sends only for the login"],
    );
    let anybody = Sender {
        from: "sales@a.example".to_owned(),
        ..sender("host = \"smtp.example\"")
    };
    expect(&found(&anybody, &fine(465), &[]), &[]);
}

#[test]
fn a_clock_that_is_wrong_is_noticed_where_the_server_tells_the_time() {
    let with = |greeting: &str| {
        let mut seen = fine(465);
        seen.greeting = Some(greeting.to_owned());
        found(&sender(ALIMAIL), &seen, &[])
    };
    expect(
        &with("220 mx ESMTP Mon, 23 Nov 2026 19:50:00 +0800"),
        &["CLK-01 warning: this machine's clock is 10 minutes off"],
    );
    expect(
        &with("220 mx ESMTP ready"),
        &["CLK-01 unknown: the server does not say"],
    );
}

#[test]
fn our_address_is_compared_with_the_allowed_networks() {
    let office = sender(&format!("{ALIMAIL}\negress_allow = [\"203.0.113.0/24\"]"));
    expect(
        &found(&office, &fine(465), &[]),
        &["EGR-01 unknown: our address is private"],
    );
    let seen_as = |ip: &str| {
        let mut seen = fine(465);
        seen.offers.as_mut().unwrap().seen_as = Some(ip.parse().unwrap());
        found(&office, &seen, &[])
    };
    expect(&seen_as("203.0.113.9"), &[]);
    expect(
        &seen_as("198.51.100.9"),
        &["EGR-01 error: we come from 198.51.100.9"],
    );
}
