//! SPF for the address that the mail came from, and what DMARC makes of it all. Source: RFC 7208; RFC 9989.

use std::net::IpAddr;

use mail_auth::SpfResult;
use mail_auth::spf::verify::SpfParameters;

use super::Looked;
use super::known::{Known, at_once, verifier};
use super::mail::Mail;
use super::signatures::{Signed, Standing};
use crate::campaign::egress::is_special;
use crate::doctor::checks::dmarc::Policy;
use crate::doctor::checks::zone;
use crate::doctor::dns::{Book, Name, Unsaid};
use crate::doctor::finding::{Finding, Severity};
use crate::text;

/// What SPF came to for the sender in the envelope.
pub(super) struct Spf {
    pub(super) domain: String,
    pub(super) result: Option<SpfResult>,
}

/// The address that handed the mail to the receiver, where the mail says so: the receiver's own words first, then the
/// newest line of the way that names a public address.
pub(super) fn came_from(mail: &Mail) -> Option<IpAddr> {
    let said = mail
        .first("Received-SPF")
        .and_then(|value| after(value, "client-ip="));
    let told = mail
        .first("Authentication-Results")
        .and_then(|value| after(value, "sender IP is "));
    let way = mail.all("Received").take(20).filter_map(|line| {
        let from = line.strip_prefix("from ")?;
        let from = from.split(" by ").next().unwrap_or(from);
        let inside = from.split(['[', ']']).skip(1).step_by(2);
        inside.filter_map(address).find(|ip| !is_special(*ip))
    });
    said.or(told)
        .and_then(|text| address(&text))
        .filter(|ip| !is_special(*ip))
        .into_iter()
        .chain(way)
        .next()
}

fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let ip: IpAddr = text.strip_prefix("IPv6:").unwrap_or(text).parse().ok()?;
    Some(ip.to_canonical())
}

/// The word that follows, up to what ends it.
fn after(text: &str, mark: &str) -> Option<String> {
    let (_, rest) = text.split_once(mark)?;
    let end = |c: char| c.is_whitespace() || matches!(c, ';' | ')' | ',' | '"');
    let word = rest.trim_start_matches('"').split(end).next()?;
    (!word.is_empty()).then(|| word.to_owned())
}

/// The sender in the envelope.
fn mail_from(mail: &Mail) -> Option<String> {
    let path = mail
        .first("Return-Path")
        .map(|path| path.trim_matches(['<', '>', ' ']).to_owned());
    let told = || {
        let results = mail.first("Authentication-Results")?;
        after(results, "smtp.mailfrom=")
    };
    let said = || after(mail.first("Received-SPF")?, "envelope-from=");
    let found = path.filter(|path| !path.is_empty()).or_else(said).or_else(told)?;
    Some(found.trim_matches(['<', '>']).to_owned())
}

/// Evaluates SPF as the receiver did, as far as the mail says who sent it.
pub(super) fn spf(book: &Book, mail: &Mail) -> (Option<Spf>, Finding) {
    const ID: &str = "SPF-10";
    let (Some(ip), Some(sender)) = (came_from(mail), mail_from(mail)) else {
        let what = text!(
            "the mail does not say by which public address and sender it came: SPF cannot be worked out"
        );
        return (None, Finding::new(ID, Severity::Unknown, "Return-Path", what));
    };
    let domain = sender
        .rsplit_once('@')
        .map_or(sender.as_str(), |(_, domain)| domain);
    let domain = domain.to_ascii_lowercase();
    let known = Known::new(book);
    let parameters = SpfParameters::verify_mail_from(ip, &domain, "receiver.invalid", &sender);
    let result = verifier().and_then(|verifier| at_once(verifier.verify_spf(known.answering(parameters))));
    let result = result.map(|output| output.result());
    // Who is named by a name that nobody answers about may be the one.
    let result = result.filter(|result| *result == SpfResult::Pass || !known.has_failed());
    let ip = ip.to_string();
    let renew = text!("`mailshot doctor` looks at the record, and `--fix` prints a better one");
    let finding = match result {
        Some(SpfResult::Pass) => Finding::ok(ID, &domain, text!("{ip} may send for it", ip)),
        Some(SpfResult::Fail) => {
            Finding::error(ID, &domain, text!("{ip} may not send for it", ip)).fix(renew)
        }
        Some(SpfResult::SoftFail) => {
            let what = text!("{ip} should not send for it (`~all`)", ip);
            Finding::warning(ID, &domain, what).fix(renew)
        }
        Some(SpfResult::Neutral) => {
            let what = text!("the record says nothing of {ip}", ip);
            Finding::warning(ID, &domain, what).fix(renew)
        }
        Some(SpfResult::None) => Finding::warning(ID, &domain, text!("it has no SPF record")).fix(renew),
        Some(SpfResult::PermError) => {
            Finding::error(ID, &domain, text!("its SPF record cannot be used")).fix(renew)
        }
        Some(SpfResult::TempError) | None if is_unseen(book, &domain) => {
            let what = text!(
                "not known whether {ip} may send for it: what is asked does not see the public DNS",
                ip
            );
            Finding::new(ID, Severity::Unknown, &domain, what)
        }
        Some(SpfResult::TempError) | None => {
            let what = text!(
                "not known whether {ip} may send for it: the DNS did not answer",
                ip
            );
            Finding::new(ID, Severity::Unknown, &domain, what)
        }
    };
    (Some(Spf { domain, result }), finding)
}

fn is_unseen(book: &Book, domain: &str) -> bool {
    name(domain).is_some_and(|domain| zone::is_seen(book, &domain) == Ok(false))
}

/// The policy; or what is said where there is none.
fn known_policy<'l>(book: &Book, domain: &Name, looked: &'l Looked<'_>) -> Result<&'l Policy, Box<Finding>> {
    const ID: &str = "DMARC-10";
    let from = &looked.from;
    Err(Box::new(match &looked.policy {
        Ok(None) if zone::is_seen(book, domain) != Ok(true) => {
            let what = text!("not known: what is asked does not see the public DNS");
            Finding::new(ID, Severity::Unknown, from, what)
        }
        Ok(Some(policy)) => return Ok(policy),
        Ok(None) => {
            let what = text!("there is no DMARC record: receivers decide by themselves");
            let fix = text!("`mailshot doctor --fix` prints one");
            Finding::warning(ID, from, what).fix(fix)
        }
        Err(Unsaid::Failed(why)) => Finding::unknown(ID, from, why),
        Err(Unsaid::Pending) => Finding::new(ID, Severity::Unknown, from, text!("not asked yet")),
    }))
}

/// What DMARC makes of signatures and SPF.
pub(super) fn dmarc(book: &Book, domain: &Name, looked: &Looked<'_>) -> Finding {
    const ID: &str = "DMARC-10";
    let from = &looked.from;
    let count = looked.mail.all("From").count();
    if count > 1 {
        let what = text!(
            "the mail has {count} From: nobody can say who sent it, and receivers refuse it (RFC 5322, 3.6)",
            count
        );
        let fix = text!("have only one written; one that was added on the way is named below");
        return Finding::error(ID, from, what).fix(fix);
    }
    let policy = match known_policy(book, domain, looked) {
        Ok(policy) => policy,
        Err(finding) => return *finding,
    };
    let is_aligned = |signed: &&Signed| looked.is_aligned(&signed.domain, "adkim");
    let by_dkim = looked.signed.iter().filter(is_aligned).any(Signed::is_valid);
    let spf = looked.spf.as_ref();
    let by_spf =
        spf.is_some_and(|spf| spf.result == Some(SpfResult::Pass) && looked.is_aligned(&spf.domain, "aspf"));
    let record = [text!(
        "policy of {at}: {record}",
        at = &policy.at,
        record = &policy.record
    )];
    let passed = match (by_dkim, by_spf) {
        (true, true) => Some(text!("passed, by DKIM and by SPF")),
        (true, false) => Some(text!("passed, by DKIM")),
        (false, true) => {
            let what = text!("passed by SPF alone, which is lost when the mail is forwarded");
            let fix = text!("sign with a domain that is aligned with From");
            return Finding::warning(ID, from, what).fix(fix).details(record);
        }
        (false, false) => None,
    };
    if let Some(what) = passed {
        return Finding::ok(ID, from, what).details(record);
    }
    let is_open = looked
        .signed
        .iter()
        .any(|signed| signed.standing == Standing::Unknown)
        || spf.is_some_and(|spf| matches!(spf.result, None | Some(SpfResult::TempError)));
    if is_open {
        let what = text!("not known: what it would pass by could not be checked");
        return Finding::new(ID, Severity::Unknown, from, what).details(record);
    }
    let effective = policy.effective.as_str();
    let what = text!(
        "failed: neither a valid signature nor SPF is aligned with From (the policy says {effective})",
        effective
    );
    let fix = text!("have mails signed with the domain of From; see DKIM above");
    Finding::error(ID, from, what).fix(fix).details(record)
}

/// A name in lower case, for comparing.
pub(super) fn name(text: &str) -> Option<Name> {
    Name::parse(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_where_receivers_write_it() {
        for (head, ip) in [
            (
                "Received: by 2002:a05:1 with SMTP id x\r\nReceived: from m.b.example (m.b.example. [203.0.113.7]) by mx.google.com\r\n",
                Some("203.0.113.7"),
            ),
            (
                "Received: from [10.0.0.1] by inner\r\nReceived: from x (unknown [IPv6:2001:db8::7]) by mx\r\n",
                Some("2001:db8::7"),
            ),
            (
                "Received-SPF: pass (x) client-ip=198.51.100.9; envelope-from=a@b.example\r\n",
                Some("198.51.100.9"),
            ),
            (
                "Authentication-Results: spf=pass (sender IP is 198.51.100.8) smtp.mailfrom=b.example\r\n",
                Some("198.51.100.8"),
            ),
            ("Received: from localhost ([127.0.0.1]) by x\r\n", None),
            ("Subject: x\r\n", None),
        ] {
            let mail = Mail::parse(format!("{head}\r\n").as_bytes());
            assert_eq!(came_from(&mail).map(|ip| ip.to_string()).as_deref(), ip, "{head}");
        }
    }
}
