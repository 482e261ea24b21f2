//! A name that stands for another one may have nothing else. Source: RFC 1034, 3.6.2; RFC 2181, 10.1.

use crate::doctor::dns::{Book, Kind, Name, Unsaid};
use crate::doctor::finding::{Checked, Finding};
use crate::text;

/// Looks for a CNAME beside other records at these names. `domain` has others by what it is.
pub fn check(book: &Book, domain: &Name, names: &[Name]) -> Checked {
    let mut findings = Vec::new();
    let mut is_pending = false;
    for name in std::iter::once(domain).chain(names) {
        match beside(book, name) {
            Ok(Some((target, others))) => {
                let others: Vec<String> = others.iter().map(ToString::to_string).collect();
                let what = text!(
                    "a CNAME to {target} beside {others}: resolvers show now the one, now the other",
                    target,
                    others = others.join(", ")
                );
                let fix = text!("remove the CNAME; use an A record, or your console's ALIAS or ANAME");
                findings.push(Finding::error("CN-01", name, what).fix(fix));
            }
            Ok(None) => {}
            Err(Unsaid::Pending) => is_pending = true,
            Err(Unsaid::Failed(why)) => findings.push(Finding::unknown("CN-01", name, &why)),
        }
    }
    if is_pending {
        Err(Unsaid::Pending)
    } else {
        Ok(findings)
    }
}

/// The target of the CNAME at this name, and the kinds of other records at it; none when there is no conflict.
fn beside(book: &Book, name: &Name) -> Result<Option<(String, Vec<Kind>)>, Unsaid> {
    let answer = book.look(name, Kind::Cname)?;
    let Some(cname) = answer.own(name, Kind::Cname).next() else {
        return Ok(None);
    };
    let mut others = Vec::new();
    let mut is_pending = false;
    for kind in [Kind::Soa, Kind::Ns, Kind::Mx, Kind::Txt, Kind::A] {
        match book.look(name, kind) {
            // Some servers list everything they have at the name: own records alone count.
            Ok(answer) if answer.own(name, kind).next().is_some() => others.push(kind),
            Err(Unsaid::Pending) => is_pending = true,
            Ok(_) | Err(Unsaid::Failed(_)) => {}
        }
    }
    if is_pending {
        return Err(Unsaid::Pending);
    }
    Ok((!others.is_empty()).then(|| (cname.data.to_string(), others)))
}
