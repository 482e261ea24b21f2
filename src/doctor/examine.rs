//! A domain, examined: the checks run, what they missed is asked, and they run again until nothing is missing.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::checks::{
    agreement, bimi, cname, dkim, dmarc, exchangers, links, mx, own_keys, policies, server, zone,
};
use super::dns::ask::Asker;
use super::dns::{Book, Kind, Name, Resolver, Unsaid};
use super::expected::{Expected, MxSet, SELECTORS};
use super::finding::{Finding, Severity, settled};
use super::received::{self, Reading, Received};
use super::{smtp, spf, web};
use crate::deliver::exchanger::{self, Heard};
use crate::dkim::Signer;
use crate::text;
use crate::words::Text;
use zone::Sources;

/// Rounds of questions at most: an SPF tree of ten includes needs some twenty.
const ROUNDS_MAX: usize = 64;

/// What is examined.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The domain of the sender.
    pub domain: Name,
    /// What its providers ask for.
    pub providers: Vec<Expected>,
    /// Selectors that were named.
    pub selectors: Vec<String>,
    /// Keys that mailshot signs with.
    pub keys: Vec<OwnKey>,
    /// Addresses it sends from by servers of its own.
    pub ips: Vec<IpAddr>,
    /// How those servers say hello.
    pub hello: Option<String>,
    /// Does it send by a server of its own at all?
    pub is_own_server: bool,
    /// Addresses that mails lead to: to unsubscribe, and to files.
    pub links: Vec<String>,
    /// Are block lists asked?
    pub with_block_lists: bool,
}

/// A key that mailshot signs with.
#[derive(Clone, Debug)]
pub struct OwnKey {
    /// In whose name.
    pub domain: Name,
    /// Under which selector.
    pub selector: String,
    /// The key, or why it cannot be used.
    pub signer: Result<Signer, Text>,
}

impl OwnKey {
    /// The name of its record.
    pub fn name(&self) -> Option<Name> {
        Name::parse(&format!("{}._domainkey.{}", self.selector, self.domain))
    }
}

/// Who is asked.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Resolvers.
    pub resolvers: Vec<Resolver>,
    /// The port of name servers: 53, but for tests.
    pub port: u16,
    /// What time it is here, in ms since the epoch.
    pub now_ms: i64,
}

impl Setup {
    fn sources(&self) -> Sources<'_> {
        Sources {
            resolvers: &self.resolvers,
            port: self.port,
        }
    }
}

/// Asks what has to be asked, and says what it means.
pub async fn examine(subject: &Subject, setup: &Setup) -> Vec<Finding> {
    examine_all(subject, setup, None).await
}

/// The same, and asks the domain's mail servers themselves on this port.
pub async fn examine_all(subject: &Subject, setup: &Setup, mx_port: Option<u16>) -> Vec<Finding> {
    let asker = Asker::new(setup.resolvers.clone());
    let mut book = Book::default();
    let mut findings = Vec::new();
    for _ in 0..ROUNDS_MAX {
        findings = verdict(&book, subject, setup);
        if !answer(&mut book, &asker).await {
            break;
        }
    }
    if let Some(port) = mx_port {
        let servers = ask_servers(&book, subject, port).await;
        findings.extend(exchangers::check(&subject.domain, &servers));
    }
    findings
}

/// The zone that a domain lies in, as these resolvers say; none where they do not.
pub async fn zone_of(domain: &Name, resolvers: &[Resolver]) -> Option<Name> {
    let found = settle(resolvers, |book| zone::found(book, domain)).await;
    found.ok().flatten()
}

/// Asks what has to be asked about a mail that was received, and says what it means.
pub async fn examine_received(received: Received<'_>, resolvers: &[Resolver]) -> Vec<Finding> {
    let limited = received::limited(received.mail);
    let reading = Reading::of(received, &limited);
    let mut findings = settle(resolvers, |book| reading.verdict(book)).await;
    findings.extend(reading.on_the_way());
    findings
}

/// Judges over a book that is empty at first, asks what was missed, and judges again until nothing is.
async fn settle<T>(resolvers: &[Resolver], judge: impl Fn(&Book) -> T) -> T {
    let asker = Asker::new(resolvers.to_vec());
    let mut book = Book::default();
    let mut judged = judge(&book);
    for _ in 0..ROUNDS_MAX {
        if !answer(&mut book, &asker).await {
            break;
        }
        judged = judge(&book);
    }
    judged
}

/// What each mail server of the domain says, at one address of each.
async fn ask_servers(book: &Book, subject: &Subject, port: u16) -> Vec<(Name, Heard)> {
    let domain = &subject.domain;
    let hosts = book.look(domain, Kind::Mx).map(|answer| answer.exchanges(domain));
    let mut asking = JoinSet::new();
    for (_, host) in hosts.unwrap_or_default() {
        let ips = book.addresses(&host).unwrap_or_default();
        // IPv4 first: many networks have no way to the others.
        let Some(ip) = ips.iter().find(|ip| ip.is_ipv4()).or(ips.first()).copied() else {
            continue;
        };
        let domain = domain.to_string();
        asking.spawn(async move { (host, exchanger::ask(ip, port, &domain).await) });
    }
    let mut heard = asking.join_all().await;
    heard.sort_by(|(one, _), (other, _)| one.cmp(other));
    heard
}

/// Asks what is missing in a book; says whether anything was.
async fn answer(book: &mut Book, asker: &Arc<Asker>) -> bool {
    let (questions, pages) = (book.take_missed(), book.take_missed_pages());
    if questions.is_empty() && pages.is_empty() {
        return false;
    }
    for (question, answer) in asker.ask_all(questions).await {
        book.note(question, answer);
    }
    for page in pages {
        let fetched = web::fetch(&page).await;
        book.note_page(page.url, fetched);
    }
    true
}

/// The sets of records that matter for mail, as far as they are there.
fn essential(book: &Book, subject: &Subject) -> Vec<(Name, Kind)> {
    let domain = &subject.domain;
    let mut asked = vec![(domain.clone(), Kind::Mx), (domain.clone(), Kind::Txt)];
    let at = match dmarc::policy(book, domain) {
        Ok(Some(policy)) => policy.at,
        _ => domain.clone(),
    };
    asked.push((dmarc::place(&at), Kind::Txt));
    let own = subject.keys.iter().filter_map(OwnKey::name);
    asked.extend(
        own.filter(|name| name.is_within(domain.as_str()))
            .map(|name| (name, Kind::Txt)),
    );
    asked.extend(selectors(subject).iter().filter_map(|selector| {
        let name = Name::parse(&format!("{selector}._domainkey.{domain}"))?;
        let is_there = book
            .look(&name, Kind::Txt)
            .is_ok_and(|answer| !answer.texts(&name).is_empty());
        is_there.then_some((name, Kind::Txt))
    }));
    asked
}

/// The selectors that were named, else all that are tried.
fn selectors(subject: &Subject) -> Vec<String> {
    if !subject.selectors.is_empty() || !subject.keys.is_empty() {
        return subject.selectors.clone();
    }
    let of_providers = subject.providers.iter().flat_map(|provider| &provider.selectors);
    let of_providers = of_providers.map(String::as_str);
    let mut all: Vec<&str> = of_providers.chain(SELECTORS).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(str::to_owned).collect()
}

/// What is known so far, judged. What is not known yet is noted in the book.
pub fn verdict(book: &Book, subject: &Subject, setup: &Setup) -> Vec<Finding> {
    let domain = &subject.domain;
    let zone = match zone::apex(book, domain) {
        Ok(zone) => zone,
        Err(Unsaid::Failed(_)) => domain.clone(),
        Err(Unsaid::Pending) => return Vec::new(),
    };
    if let Some(unseen) = zone::unseen(book, domain) {
        return vec![unseen];
    }
    let mut findings = checks(book, subject, setup, &zone);
    // The zone is what is pasted into; a record of the domain belongs there too.
    for record in findings.iter_mut().flat_map(|finding| &mut finding.records) {
        if record.zone == *domain {
            record.zone = zone.clone();
        }
    }
    findings
}

/// All checks of a domain in this zone.
fn checks(book: &Book, subject: &Subject, setup: &Setup, zone: &Name) -> Vec<Finding> {
    let domain = &subject.domain;
    let sources = setup.sources();
    // Nobody said by whom it sends: probably by whoever has its mailboxes.
    let is_guessed = subject.providers.is_empty();
    let subject = &subject.with_provider_of_mailboxes(book);
    let sets: Vec<MxSet> = subject
        .providers
        .iter()
        .flat_map(|provider| provider.mx_sets.clone())
        .collect();
    let includes: Vec<&[String]> = subject
        .providers
        .iter()
        .map(|provider| provider.spf_includes.as_slice())
        .filter(|includes| !includes.is_empty())
        .collect();
    let asked = essential(book, subject);
    let names: Vec<Name> = asked
        .iter()
        .map(|(name, _)| name.clone())
        .filter(|name| name != domain)
        .collect();
    let guessed = subject
        .providers
        .iter()
        .map(|provider| provider.selectors.as_slice())
        .find(|all| !all.is_empty());
    let keys = if subject.selectors.is_empty() && subject.keys.is_empty() {
        dkim::Selectors::Guessed(guessed.unwrap_or_default())
    } else {
        dkim::Selectors::Named(&subject.selectors)
    };
    let policy = dmarc::policy(book, domain).ok().flatten();
    let place = dmarc::place(domain);
    let checked = [
        settled("MX-01", domain, mx::check(book, domain, zone, &sets)),
        settled("CN-01", domain, cname::check(book, domain, &names)),
        settled("CN-02", domain, mx::helpers(book, domain)),
        settled("SPF-01", domain, spf::check(book, domain, &includes)),
        settled("DKIM-01", domain, dkim::check(book, domain, &keys)),
        own_keys(book, subject),
        settled("DMARC-01", &place, dmarc::check(book, domain, zone)),
        settled("NS-01", zone, zone::name_servers(book, zone, sources)),
        settled("TTL-01", zone, zone::lifetimes(book, zone, sources, &asked)),
        settled("PROP-01", zone, agreement::check(book, zone, sources, &asked)),
        settled("STS-01", domain, policies::mta_sts(book, domain)),
        settled("RPT-01", domain, policies::tls_rpt(book, domain, zone)),
        settled("BIMI-01", domain, bimi::check(book, domain, policy.as_ref())),
        links(book, subject),
        own_server(book, subject),
    ];
    let mut findings = checked.concat();
    findings.extend(clock(book, setup.now_ms));
    let not_certain = |finding: &&mut Finding| is_guessed && finding.id == "SPF-05";
    for finding in findings.iter_mut().filter(not_certain) {
        finding.severity = finding.severity.min(Severity::Warning);
    }
    findings
}

impl Subject {
    /// The same; where no provider is known, with the one that has the domain's mailboxes.
    fn with_provider_of_mailboxes(&self, book: &Book) -> Self {
        let mut subject = self.clone();
        if subject.providers.is_empty()
            && let Ok(answer) = book.look(&self.domain, Kind::Mx)
        {
            let hosts = answer.exchanges(&self.domain);
            subject.providers.extend(Expected::of_mailboxes(&hosts));
        }
        subject
    }
}

fn links(book: &Book, subject: &Subject) -> Vec<Finding> {
    let links = subject.links.iter();
    links
        .flat_map(|link| settled("URL-01", link, links::check(book, link)))
        .collect()
}

fn own_keys(book: &Book, subject: &Subject) -> Vec<Finding> {
    let keys = subject.keys.iter();
    let aligned = own_keys::alignment(book, &subject.domain, &subject.keys);
    keys.flat_map(|key| settled("DKIM-02", &key.domain, own_keys::check(book, key)))
        .chain(settled("DKIM-02", &subject.domain, aligned))
        .collect()
}

/// Our clock against those of the web servers that were asked something anyway. One of them may be wrong itself: only
/// where all differ is it ours.
fn clock(book: &Book, now_ms: i64) -> Option<Finding> {
    let ahead = book
        .fetched()
        .filter_map(|(url, page)| Some((url, now_ms - page.date_ms?)));
    let (url, least) = ahead.min_by_key(|(_, ahead_ms)| ahead_ms.abs())?;
    let finding = smtp::skew(url, least);
    (finding.severity > Severity::Ok).then_some(finding)
}

fn own_server(book: &Book, subject: &Subject) -> Vec<Finding> {
    let hello = subject.hello.as_deref();
    let mut findings: Vec<Finding> = subject
        .ips
        .iter()
        .flat_map(|ip| settled("PTR-01", ip, server::reverse(book, *ip, hello)))
        .collect();
    if subject.is_own_server && subject.ips.is_empty() {
        let what = text!("not known: from which address your own mail server sends");
        let finding = Finding::new("PTR-01", Severity::Unknown, &subject.domain, what);
        findings.push(finding.fix(text!("name it: --ip 203.0.113.7; its name must lead back to it")));
    }
    if subject.with_block_lists {
        let lists = server::block_lists(book, &subject.domain, &subject.ips);
        findings.extend(settled("BL-01", &subject.domain, lists));
    }
    findings
}
