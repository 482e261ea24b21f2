//! Whether the mail servers of a domain can be reached, take its mail, and nobody else's.

use crate::deliver::exchanger::Heard;
use crate::doctor::Severity;
use crate::doctor::dns::Name;
use crate::doctor::finding::Finding;
use crate::mail::Reply;
use crate::text;

/// What the domain's mail servers said.
pub fn check(domain: &Name, servers: &[(Name, Heard)]) -> Vec<Finding> {
    // Where none can be reached, it is this network that blocks the port.
    let is_blocked = !servers.iter().any(|(_, heard)| heard.is_open);
    servers
        .iter()
        .flat_map(|(host, heard)| one(domain, host, heard, is_blocked))
        .collect()
}

fn one(domain: &Name, host: &Name, heard: &Heard, is_blocked: bool) -> Vec<Finding> {
    if let Some(why) = &heard.fault {
        return vec![if is_blocked {
            let what = text!("not known: port 25 cannot be reached from here ({why})", why);
            let finding = Finding::new("MX-07", Severity::Unknown, host, what);
            finding.fix(text!(
                "many networks block port 25; run it from a server elsewhere"
            ))
        } else {
            let what = text!("the mail server cannot be used: {why}", why);
            Finding::warning("MX-07", host, what).fix(text!("start it, or take it out of the MX records"))
        }];
    }
    let mut findings = Vec::new();
    if heard.stranger.as_ref().is_some_and(Reply::is_positive) {
        let what = text!("an open relay: it takes mail from anybody for anybody");
        let fix = text!("let it take mail only for your domains, at once: it will be abused and listed");
        findings.push(Finding::error("MX-07", host, what).fix(fix));
    }
    match &heard.postmaster {
        Some(reply) if reply.is_positive() => {}
        Some(reply) => {
            let said = reply.to_string();
            let what = text!(
                "it does not take mail for postmaster@{domain}: {said}",
                domain,
                said
            );
            let fix =
                text!("let it take mail for the domain, as every MX must; a 4xx reply may mean greylisting");
            findings.push(Finding::warning("MX-07", host, what).fix(fix));
        }
        None => {}
    }
    if !heard.starttls {
        let what = text!("it does not offer STARTTLS: mail to you travels in clear");
        findings.push(Finding::warning("MX-07", host, what).fix(text!("give it a certificate")));
    }
    if findings.is_empty() {
        let what = text!("it takes mail for the domain, and for nobody else");
        findings.push(Finding::ok("MX-07", host, what));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(line: &str) -> Option<Reply> {
        Reply::from_lines([line.as_bytes()])
    }

    #[test]
    fn a_mail_server_takes_mail_for_its_domain_and_for_nobody_else() {
        let name = Name::parse("mx.example.com").unwrap();
        let good = Heard {
            is_open: true,
            starttls: true,
            postmaster: reply("250 ok"),
            stranger: reply("554 5.7.1 relay access denied"),
            fault: None,
        };
        let closed = Heard {
            fault: Some("connection refused".into()),
            ..Heard::default()
        };
        let found = |heard: &Heard, others: &[Heard]| {
            let all: Vec<(Name, Heard)> = std::iter::once(heard)
                .chain(others)
                .map(|one| (name.clone(), one.clone()))
                .collect();
            let first = check(&name, &all).remove(0);
            (first.severity, first.what.to_string())
        };
        assert_eq!(found(&good, &[]).0, Severity::Ok);
        assert_eq!(found(&closed, &[]).0, Severity::Unknown);
        assert_eq!(found(&closed, std::slice::from_ref(&good)).0, Severity::Warning);
        let open = Heard {
            stranger: reply("250 ok"),
            ..good.clone()
        };
        assert_eq!(
            found(&open, &[]),
            (
                Severity::Error,
                "an open relay: it takes mail from anybody for anybody".to_owned()
            )
        );
        let foreign = Heard {
            postmaster: reply("554 relay access denied"),
            ..good.clone()
        };
        assert_eq!(found(&foreign, &[]).0, Severity::Warning);
        let plain = Heard {
            starttls: false,
            ..good
        };
        assert_eq!(found(&plain, &[]).0, Severity::Warning);
    }
}
