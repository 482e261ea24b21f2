//! What protects and adorns mail beyond the three: MTA-STS (RFC 8461), TLS-RPT (RFC 8460).

use super::tags::Tags;
use crate::doctor::dns::book::PageQuestion;
use crate::doctor::dns::{Book, Kind, Name};
use crate::doctor::finding::{Checked, Finding, Paste};
use crate::text;

/// Seconds for which a policy should be kept at least; a week. Source: RFC 8461, 3.2 recommends weeks.
const AGE_MIN: u64 = 604_800;

/// The texts at a name that begin with this version.
pub(super) fn records(
    book: &Book,
    name: &Name,
    version: &str,
) -> Result<Vec<String>, crate::doctor::dns::Unsaid> {
    let texts = book.look(name, Kind::Txt)?.texts(name);
    let texts = texts
        .iter()
        .map(|text| String::from_utf8_lossy(text).into_owned());
    Ok(texts
        .filter(|text| Tags::parse(text).first() == Some(("v", version)))
        .collect())
}

/// A policy of MTA-STS. Source: RFC 8461, 3.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct StsPolicy {
    mode: String,
    mx: Vec<String>,
    max_age: u64,
}

impl StsPolicy {
    fn parse(page: &str) -> Option<Self> {
        let mut found = Self::default();
        let mut version = None;
        for (key, value) in page.lines().filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match key.trim() {
                "version" => version = Some(value.to_owned()),
                "mode" => value.clone_into(&mut found.mode),
                "mx" => found.mx.push(value.to_ascii_lowercase()),
                "max_age" => found.max_age = value.parse().ok()?,
                _ => {}
            }
        }
        let is_mode = matches!(found.mode.as_str(), "enforce" | "testing" | "none");
        (version.as_deref() == Some("STSv1") && is_mode).then_some(found)
    }

    /// Source: RFC 8461, 4.1: a star stands for one label.
    fn covers(&self, host: &Name) -> bool {
        self.mx.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(rest) => host.parent().is_some_and(|parent| parent.as_str() == rest),
            None => host.as_str() == pattern,
        })
    }
}

/// MTA-STS: other servers are told to deliver only over checked TLS.
pub fn mta_sts(book: &Book, domain: &Name) -> Checked {
    let name = domain.below("_mta-sts");
    let found = records(book, &name, "STSv1")?;
    let [_record] = found.as_slice() else {
        return Ok(vec![if found.is_empty() {
            Finding::info(
                "STS-01",
                name,
                text!("no MTA-STS: others may deliver to you without checked TLS"),
            )
        } else {
            Finding::warning("STS-01", name, text!("several MTA-STS records: none counts"))
                .fix(text!("keep one"))
        }]);
    };
    let host = domain.below("mta-sts");
    let url = format!("https://{host}/.well-known/mta-sts.txt");
    let ips = book.addresses(&host)?;
    let exchanges = book.look(domain, Kind::Mx)?.exchanges(domain);
    if ips.is_empty() {
        let what = text!(
            "there is an MTA-STS record, but {host} has no address",
            host = host.as_str()
        );
        return Ok(vec![
            Finding::warning("STS-01", &host, what)
                .fix(text!("publish the policy there, or remove the record")),
        ]);
    }
    let question = PageQuestion {
        url: url.clone(),
        host,
        ips,
        is_any_answer: false,
    };
    let page = match book.page(&question)? {
        Ok(page) => page,
        Err(why) => {
            let what = text!("the policy cannot be fetched: {why}", why);
            return Ok(vec![
                Finding::warning("STS-01", url, what)
                    .fix(text!("it must be there, with a valid certificate")),
            ]);
        }
    };
    Ok(vec![sts_verdict(&url, &page.text, &exchanges)])
}

fn sts_verdict(url: &str, page: &str, exchanges: &[(u16, Name)]) -> Finding {
    let Some(policy) = StsPolicy::parse(page) else {
        let what = text!("the policy cannot be read");
        let fix = text!("it has the lines `version: STSv1`, `mode:`, `mx:` and `max_age:`");
        return Finding::warning("STS-01", url, what).fix(fix);
    };
    let left_out: Vec<&str> = exchanges
        .iter()
        .map(|(_, host)| host)
        .filter(|host| !policy.covers(host))
        .map(Name::as_str)
        .collect();
    if !left_out.is_empty() && policy.mode != "none" {
        let what = text!(
            "the policy leaves out mail servers that are in use: {list}",
            list = left_out.join(", ")
        );
        let fix = text!(
            "add a line `mx: {host}` for each of them",
            host = left_out.first().copied().unwrap_or_default()
        );
        return if policy.mode == "enforce" {
            Finding::error("STS-01", url, what).fix(fix)
        } else {
            Finding::warning("STS-01", url, what).fix(fix)
        };
    }
    if policy.max_age < AGE_MIN && policy.mode == "enforce" {
        let what = text!(
            "the policy may be kept for {seconds} s only",
            seconds = policy.max_age
        );
        return Finding::info("STS-01", url, what).fix(text!("weeks are usual: `max_age: 1209600`"));
    }
    Finding::ok(
        "STS-01",
        url,
        text!("MTA-STS, mode {mode}", mode = policy.mode.as_str()),
    )
}

/// TLS-RPT: where others report that TLS failed.
pub fn tls_rpt(book: &Book, domain: &Name, zone: &Name) -> Checked {
    let name = domain.below("_smtp._tls");
    let found = records(book, &name, "TLSRPTv1")?;
    Ok(vec![match found.as_slice() {
        [] => {
            let what = text!("no TLS-RPT: nobody tells you when TLS to your mail servers fails");
            let value = format!("v=TLSRPTv1; rua=mailto:postmaster@{domain}");
            Finding::info("RPT-01", &name, what)
                .fix(text!("publish the record below, if you want reports"))
                .record(Paste::text(name.clone(), zone, value))
        }
        [record] => {
            let tags = Tags::parse(record);
            let is_uri = |uri: &str| uri.trim().starts_with("mailto:") || uri.trim().starts_with("https:");
            if tags.get("rua").is_some_and(|rua| rua.split(',').all(is_uri)) {
                Finding::ok("RPT-01", name, text!("one record: {record}", record))
            } else {
                let what = text!("`rua=` names neither a mailbox nor an https address");
                Finding::warning("RPT-01", name, what).fix(text!("write `rua=mailto:…`"))
            }
        }
        _ => Finding::warning("RPT-01", name, text!("several TLS-RPT records: none counts"))
            .fix(text!("keep one")),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Severity;

    #[test]
    fn a_policy_must_cover_the_mail_servers_in_use() {
        let host = |text: &str| (5, Name::parse(text).unwrap());
        let page = |mode: &str, mx: &str| {
            format!("version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 1209600\r\n")
        };
        for (page, severity) in [
            (page("enforce", "*.example.net"), Severity::Ok),
            (page("enforce", "mx.example.net"), Severity::Ok),
            (page("enforce", "*.net"), Severity::Error),
            (page("testing", "other.example.net"), Severity::Warning),
            (page("none", "other.example.net"), Severity::Ok),
            (page("enforced", "mx.example.net"), Severity::Warning),
            ("<html>not found</html>".to_owned(), Severity::Warning),
            (
                "version: STSv1\nmode: enforce\nmx: mx.example.net\nmax_age: 60\n".to_owned(),
                Severity::Info,
            ),
        ] {
            assert_eq!(
                sts_verdict("u", &page, &[host("mx.example.net")]).severity,
                severity,
                "{page}"
            );
        }
    }
}
