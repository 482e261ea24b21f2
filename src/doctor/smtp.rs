//! What an account finds at its server: ports, certificate, logins offered, and whether we may be there.

use crate::campaign::{Account, Login, Passage, Tls};
use crate::deliver::probe::{self, Reached, Seen};
use crate::deliver::session::is_this_machine;
use crate::text;
use crate::words::Text;

use super::dns::Name;
use super::finding::{Finding, Severity};

/// The check that fails when the server cannot be reached at all.
pub const UNREACHABLE: &str = "PORT-01";
/// Ports that providers serve. 80 is Alibaba's way around networks that block 25.
const PORTS: [u16; 4] = [465, 587, 80, 25];
/// The port of implicit TLS. Source: RFC 8314, 3.3.
const IMPLICIT: u16 = 465;
/// A certificate that ends sooner is warned of, in ms; two weeks.
const SOON_MS: i64 = 14 * 86_400_000;
/// A clock that is further off is warned of, in ms; five minutes.
const SKEW_MS: i64 = 5 * 60_000;

/// Who sends by which account.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The sender's domain.
    pub domain: Name,
    /// The sender.
    pub from: String,
    /// The account.
    pub account: Account,
}

/// Looks at the account's port, and at the others of its server where that is another machine.
pub async fn examine(sender: &Sender, now_ms: i64) -> anyhow::Result<Vec<Finding>> {
    let account = &sender.account;
    let own = probe::look(account, account.port, account.tls);
    // A server on this machine has the ports that its owner gave it.
    let is_here = is_this_machine(&account.host);
    let others: Vec<u16> = if is_here {
        Vec::new()
    } else {
        PORTS.into_iter().filter(|port| *port != account.port).collect()
    };
    let mut looks = others.into_iter().map(|port| {
        let tls = if port == IMPLICIT { Tls::Tls } else { Tls::Starttls };
        Box::pin(probe::look(account, port, tls))
    });
    // Four at most: the matrix has no more rows.
    let (own, first, second, third, fourth) = tokio::join!(
        Box::pin(own),
        maybe(looks.next()),
        maybe(looks.next()),
        maybe(looks.next()),
        maybe(looks.next()),
    );
    let own = own?;
    let rest = [first, second, third, fourth].into_iter().flatten();
    let rest = rest.collect::<anyhow::Result<Vec<Seen>>>()?;
    Ok(verdict(sender, &own, &rest, now_ms))
}

async fn maybe<T>(future: Option<impl Future<Output = T>>) -> Option<T> {
    match future {
        Some(future) => Some(future.await),
        None => None,
    }
}

/// What the looks mean.
pub fn verdict(sender: &Sender, own: &Seen, others: &[Seen], now_ms: i64) -> Vec<Finding> {
    let account = &sender.account;
    let about = format!("{}:{}", account.host, own.port);
    let mut findings = vec![ports(account, &about, own, others)];
    if own.reached == Reached::Open {
        findings.extend(protection(account, &about, own, now_ms));
        findings.extend(logins(account, &about, own));
        findings.extend(egress(account, &about, own));
        findings.push(clock(&about, own, now_ms));
    }
    findings.extend(from(sender));
    findings
}

/// Does this port answer as SMTP does?
fn answers(seen: &Seen) -> bool {
    seen.offers.is_some()
}

fn ports(account: &Account, about: &str, own: &Seen, others: &[Seen]) -> Finding {
    let mut rows: Vec<&Seen> = std::iter::once(own).chain(others).collect();
    rows.sort_by_key(|seen| seen.port);
    let matrix = rows.into_iter().map(row);
    let finding = if answers(own) {
        let open: Vec<String> = std::iter::once(own)
            .chain(others)
            .filter(|seen| answers(seen))
            .map(|seen| seen.port.to_string())
            .collect();
        Finding::ok(
            UNREACHABLE,
            about,
            text!("it answers; open ports: {ports}", ports = open.join(", ")),
        )
    } else {
        let why = own.fault.clone().unwrap_or_default();
        let finding = Finding::error(
            UNREACHABLE,
            about,
            text!("the server cannot be used on this port: {why}", why),
        );
        match others
            .iter()
            .find(|seen| answers(seen) && seen.protection.is_some())
        {
            Some(other) => {
                let tls = if other.is_implicit { "tls" } else { "starttls" };
                finding.fix(text!(
                    "port {port} works: set `port = {port}` and `tls = \"{tls}\"` for account {account}",
                    port = other.port,
                    tls,
                    account = &account.name
                ))
            }
            None if own.reached == Reached::Nowhere => {
                finding.fix(text!("check the spelling of `host`, and the machine's resolver"))
            }
            None => finding.fix(text!(
                "check `host` and the network: many block port 25, and some all of them"
            )),
        }
    };
    finding.details(matrix)
}

fn row(seen: &Seen) -> Text {
    let port = format!("{:<5}", seen.port);
    match seen.reached {
        Reached::Nowhere => return text!("{port} not tried: the name has no address", port),
        Reached::Closed => return text!("{port} closed or blocked", port),
        Reached::Open => {}
    }
    let tls = match (&seen.protection, seen.is_implicit) {
        (Some(protection), true) => format!("TLS {}", protection.version),
        (Some(protection), false) => format!("STARTTLS {}", protection.version),
        (None, _) => "-".to_owned(),
    };
    let auth = seen
        .offers
        .as_ref()
        .map(|offers| offers.auth.join(" "))
        .unwrap_or_default();
    if let Some(fault) = &seen.fault {
        text!("{port} open, {tls}: {fault}", port, tls, fault)
    } else {
        text!("{port} open, {tls}, AUTH {auth}", port, tls, auth)
    }
}

fn protection(account: &Account, about: &str, own: &Seen, now_ms: i64) -> Vec<Finding> {
    let Some(protection) = &own.protection else {
        if account.tls == Tls::Starttls && answers(own) && !own.starttls {
            let what = text!("the server does not offer STARTTLS: nobody would log in");
            let fix = text!("set `tls = \"tls\"` and `port = 465`");
            return vec![Finding::error("TLS-01", about, what).fix(fix)];
        }
        let is_open = account.tls == Tls::None && !is_this_machine(&account.host);
        if is_open && account.login != Login::None && answers(own) {
            let what = text!("the connection is not protected");
            return vec![
                Finding::warning("TLS-01", about, what)
                    .fix(text!("set `tls`, unless the server is on this machine")),
            ];
        }
        return Vec::new();
    };
    if let Some(why) = &protection.distrust {
        let names = protection.names.join(", ");
        let what = text!(
            "the certificate is not trusted: {why} (it names {names})",
            why,
            names
        );
        let fix = text!("give the host by the name in the certificate, or its authority in `ca_file`");
        return vec![Finding::error("TLS-01", about, what).fix(fix)];
    }
    let left_ms = protection.until_ms.map(|until| until - now_ms);
    vec![match left_ms {
        Some(left) if left < SOON_MS => {
            let what = text!("the certificate ends in {days} days", days = left / 86_400_000);
            Finding::warning("TLS-01", about, what).fix(text!("whoever runs the server must renew it"))
        }
        Some(left) => {
            let what = text!(
                "{version}, certificate valid for {days} days",
                version = &protection.version,
                days = left / 86_400_000
            );
            Finding::ok("TLS-01", about, what)
        }
        None => Finding::ok("TLS-01", about, text!("{version}", version = &protection.version)),
    }]
}

fn logins(account: &Account, about: &str, own: &Seen) -> Option<Finding> {
    let offered = &own.offers.as_ref()?.auth;
    let wanted: &[&str] = match account.login {
        Login::None => return None,
        Login::Password(_) => &["PLAIN", "LOGIN"],
        Login::Token(_) => &["XOAUTH2"],
    };
    let shown = offered.join(", ");
    if offered.iter().any(|offered| wanted.contains(&offered.as_str())) {
        return Some(Finding::ok(
            "AUTH-01",
            about,
            text!("logins offered: {shown}", shown),
        ));
    }
    let what = if offered.is_empty() {
        text!("the server offers no login on this port")
    } else {
        text!("the server offers no login of ours, but {shown}", shown)
    };
    let fix = text!(
        "mailshot needs {wanted}; try another port, or `token_command` for OAuth 2",
        wanted = wanted.join(" / ")
    );
    Some(Finding::error("AUTH-01", about, what).fix(fix))
}

fn egress(account: &Account, about: &str, own: &Seen) -> Option<Finding> {
    if !account.egress.is_limited() {
        return None;
    }
    let seen_as = own.offers.as_ref().and_then(|offers| offers.seen_as);
    let mut known = [own.local, seen_as].into_iter().flatten();
    let Some(ip) = known.find(|ip| account.egress.judge(*ip) != Passage::Hidden) else {
        let what = text!("our address is private, and a router hides which one the provider sees");
        let fix = text!("compare the router's address by hand, or add the private network to `egress_allow`");
        return Some(Finding::new("EGR-01", Severity::Unknown, about, what).fix(fix));
    };
    let ip_text = ip.to_string();
    Some(if account.egress.judge(ip) == Passage::Allowed {
        Finding::ok(
            "EGR-01",
            about,
            text!("we come from {ip}, which is allowed", ip = ip_text),
        )
    } else {
        let what = text!(
            "we come from {ip}, which `egress_allow` does not have",
            ip = ip_text
        );
        let fix = text!("send from an allowed network, or add this one and tell the provider");
        Finding::error("EGR-01", about, what).fix(fix)
    })
}

/// The server's time, where its greeting tells, against ours.
fn clock(about: &str, own: &Seen, now_ms: i64) -> Finding {
    let Some(theirs) = own.greeting.as_deref().and_then(moment) else {
        let what = text!("the server does not say what time it is");
        return Finding::new("CLK-01", Severity::Unknown, about, what);
    };
    skew(about, now_ms - theirs)
}

/// What is said of our clock, which is so far ahead of another.
pub(super) fn skew(about: &str, ahead_ms: i64) -> Finding {
    let off_ms = ahead_ms.abs();
    if off_ms > SKEW_MS {
        let what = text!(
            "this machine's clock is {minutes} minutes off",
            minutes = off_ms / 60_000
        );
        return Finding::warning("CLK-01", about, what).fix(text!("set the clock, best by NTP"));
    }
    Finding::ok("CLK-01", about, text!("this machine's clock is right"))
}

/// A moment in the form of mails within a text, such as a greeting; in ms since the epoch.
fn moment(text: &str) -> Option<i64> {
    const DAYS: [&str; 7] = ["Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,"];
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let start = words.iter().position(|word| DAYS.contains(word))?;
    let date = words.get(start..start + 6)?.join(" ");
    let zoned = jiff::fmt::rfc2822::parse(&date).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// Providers that send only in the name of the login.
fn from(sender: &Sender) -> Option<Finding> {
    let account = &sender.account;
    if account.login == Login::None || account.username.is_empty() {
        return None;
    }
    let must = account.from_is_login;
    let is_alias = account
        .aliases
        .iter()
        .any(|alias| sender.from.eq_ignore_ascii_case(alias.as_str()));
    let is_same = is_alias || sender.from.eq_ignore_ascii_case(&account.username);
    if !must || is_same {
        return must.then(|| Finding::ok("FROM-01", &sender.from, text!("the sender is the login")));
    }
    let what = text!(
        "the provider sends only for the login, which is {login}",
        login = &account.username
    );
    let fix = text!("set `from` to the login, or `username` to the sender");
    Some(Finding::error("FROM-01", &sender.from, what).fix(fix))
}
