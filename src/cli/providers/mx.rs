//! Which hosts take the mail of a domain. Source: RFC 5321, 5.1.

use super::super::exit::{Coded, Exit};
use super::super::runtime;
use crate::campaign::provider::Book;
use crate::doctor::dns::ask::Asker;
use crate::doctor::dns::{Kind, Name, NoAnswer, Question, Resolver, Whom};
use crate::text;
use crate::words::Text;

/// What was found about a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Found {
    /// It is the domain of a provider's own mailboxes.
    ByName(String),
    /// A provider takes its mail, by these hosts.
    ByMx(String, Vec<String>),
    /// Nobody known takes its mail.
    Stranger(Vec<String>),
}

impl Found {
    /// The provider's name.
    pub(in crate::cli) fn provider(&self) -> Option<&str> {
        match self {
            Self::ByName(name) | Self::ByMx(name, _) => Some(name),
            Self::Stranger(_) => None,
        }
    }

    /// The hosts that take its mail, as far as they were asked for.
    pub(super) fn hosts(&self) -> &[String] {
        match self {
            Self::ByName(_) => &[],
            Self::ByMx(_, hosts) | Self::Stranger(hosts) => hosts,
        }
    }
}

/// Finds the provider of a domain: by its name, else by its MX records. Where no resolver is named, the system's are asked.
pub(in crate::cli) fn find(book: &Book, domain: &str, resolvers: &[Resolver]) -> anyhow::Result<Found> {
    if let Some(name) = book.by_domain(domain) {
        return Ok(Found::ByName(name));
    }
    let hosts = ask(domain, resolvers)?;
    Ok(match book.by_mx(&hosts) {
        Some(name) => Found::ByMx(name, hosts),
        None => Found::Stranger(hosts),
    })
}

/// The hosts that take mail for a domain, the preferred one first.
fn ask(domain: &str, resolvers: &[Resolver]) -> anyhow::Result<Vec<String>> {
    let Some(name) = Name::parse(domain) else {
        return Err(Coded::new(Exit::Usage, text!("`{domain}` is not a domain", domain)).into());
    };
    let resolvers = if resolvers.is_empty() {
        Resolver::of_this_machine()
    } else {
        resolvers.to_vec()
    };
    let said = match resolvers.as_slice() {
        [] => Err(text!("no resolver is set up")),
        [first, ..] => {
            let first = first.address;
            let question = Question {
                whom: Whom::Anyone,
                name: name.clone(),
                kind: Kind::Mx,
            };
            let asker = Asker::new(resolvers);
            let answers = runtime()?.block_on(asker.ask_all(vec![question]));
            let mut answers = answers.into_iter().map(|(_, answer)| answer);
            let answer = answers.next_back().unwrap_or(Err(NoAnswer::Silent));
            answer.map_err(|why| {
                text!(
                    "{resolver}: {why}",
                    resolver = first.to_string(),
                    why = Text::from(&why)
                )
            })
        }
    };
    let answer = said.map_err(|why| {
        let what = text!("nobody says where mail for {domain} goes ({why})", domain, why);
        let hint = text!("set `provider`, or host, port and tls; or name a resolver with --resolver");
        Coded::new(Exit::Unavailable, what).hint(hint)
    })?;
    if answer.is_no_name {
        let what = text!("there is no domain {domain}", domain);
        return Err(Coded::new(Exit::Data, what)
            .hint(text!("is it written right?"))
            .into());
    }
    let hosts = answer
        .exchanges(&name)
        .into_iter()
        .map(|(_, host)| host.to_string());
    Ok(hosts.filter(|host| !host.is_empty()).collect())
}
