//! What the doctor found last, kept for `send`: it must not send in the name of a domain that is known to be broken.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::dns::Name;
use super::finding::{Finding, Severity, is_blind};

/// How long a finding stands, in ms; a day.
pub const VALID_MS: i64 = 24 * 60 * 60 * 1_000;

/// Findings about this moment: `send` finds them out itself, and the ledger keeps a refused login.
const PASSING: [&str; 4] = ["PORT-01", "EGR-01", "LOGIN-01", "CLK-01"];

/// An error that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// The check.
    pub id: String,
    /// `ok`, `info`, `unknown`, `warning` or `error`.
    pub severity: String,
    /// What it is about.
    pub about: String,
    /// What was found, in English.
    pub what: String,
    /// When, in ms since the epoch.
    pub at_ms: i64,
}

/// One examination: of a domain, or of a domain's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The domain.
    pub domain: String,
    /// The account, when it was about one.
    pub account: Option<String>,
    /// When, in ms since the epoch.
    pub at_ms: i64,
    /// What was found.
    pub findings: Vec<Noted>,
}

/// All examinations of a workspace; of each domain and account the last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    visits: Vec<Visit>,
}

impl Cache {
    /// Where a workspace keeps it: beside the ledger.
    pub fn path(ledger: &Path) -> PathBuf {
        ledger.with_file_name("doctor.json")
    }

    /// Reads it. One that is missing is empty; so is one that cannot be read: it is only a memory.
    pub fn load(path: &Path) -> Self {
        let text = fs::read(path).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Notes an examination in place of the one before. An error stands until its check says otherwise: that nobody
    /// answers now does not make it good.
    pub fn note(&mut self, domain: &Name, account: Option<&str>, at_ms: i64, findings: &[Finding]) {
        let is_same = |visit: &Visit| visit.domain == domain.as_str() && visit.account.as_deref() == account;
        let is_unknown = |finding: &Finding| finding.severity == Severity::Unknown;
        let is_blind = findings.is_empty() || is_blind(findings);
        let is_open = |id: &str| {
            findings
                .iter()
                .any(|finding| finding.id == id && is_unknown(finding))
        };
        let stands = |found: &Noted| at_ms - found.at_ms < VALID_MS && found.severity == "error";
        let before = self.visits.iter().filter(|visit| is_same(visit));
        let kept: Vec<Noted> = before
            .flat_map(|visit| &visit.findings)
            .filter(|found| stands(found) && (is_blind || is_open(&found.id)))
            .cloned()
            .collect();
        self.visits
            .retain(|visit| !is_same(visit) && at_ms - visit.at_ms < VALID_MS);
        let new = findings
            .iter()
            .filter(|finding| finding.severity > Severity::Info);
        self.visits.push(Visit {
            domain: domain.to_string(),
            account: account.map(str::to_owned),
            at_ms,
            findings: kept
                .into_iter()
                .chain(new.map(|finding| noted(finding, at_ms)))
                .collect(),
        });
    }

    /// Writes it as a whole.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let write = || -> io::Result<()> {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.persist(path).map(drop).map_err(|error| error.error)
        };
        write().with_context(|| format!("write {}", path.display()))
    }

    /// The errors that still stand for a sender of this domain by this account.
    pub fn errors(&self, domain: &Name, account: &str, now_ms: i64) -> Vec<&Noted> {
        let concerns = |visit: &&Visit| {
            visit.domain == domain.as_str() && visit.account.as_deref().is_none_or(|of| of == account)
        };
        let found = self
            .visits
            .iter()
            .filter(concerns)
            .flat_map(|visit| &visit.findings);
        found
            .filter(|found| (0..VALID_MS).contains(&(now_ms - found.at_ms)))
            .filter(|found| found.severity == "error" && !PASSING.contains(&found.id.as_str()))
            .collect()
    }
}

fn noted(finding: &Finding, at_ms: i64) -> Noted {
    Noted {
        id: finding.id.to_owned(),
        severity: finding.severity.name().to_owned(),
        about: finding.about.clone(),
        what: finding.what.to_string(),
        at_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn an_error_stands_for_a_day_and_for_its_own_domain_and_account() {
        let folder = tempfile::tempdir().unwrap();
        let path = Cache::path(&folder.path().join("ledger.db"));
        let domain = Name::parse("example.com").unwrap();
        let error = |id| Finding::error(id, "x", text!("{x}", x = "y"));
        let mut cache = Cache::load(&path);
        cache.note(
            &domain,
            None,
            1_000,
            &[error("SPF-01"), Finding::ok("MX-01", "x", text!("{x}", x = "y"))],
        );
        cache.note(
            &domain,
            Some("main"),
            1_000,
            &[error("TLS-01"), error("LOGIN-01")],
        );
        cache.save(&path).unwrap();
        let cache = Cache::load(&path);
        assert_eq!(cache.errors(&domain, "main", 2_000).len(), 2);
        assert_eq!(cache.errors(&domain, "other", 2_000).len(), 1);
        assert_eq!(cache.errors(&domain, "main", 1_000 + VALID_MS).len(), 0);
        assert_eq!(
            cache
                .errors(&Name::parse("example.org").unwrap(), "main", 2_000)
                .len(),
            0
        );
        let mut cache = cache;
        cache.note(
            &domain,
            None,
            3_000,
            &[Finding::ok("SPF-01", "x", text!("{x}", x = "y"))],
        );
        assert_eq!(
            cache.errors(&domain, "main", 3_000).len(),
            1,
            "a new visit takes the place of the old one"
        );
    }

    #[test]
    fn an_error_is_not_made_good_by_silence() {
        let domain = Name::parse("example.com").unwrap();
        let mut cache = Cache::default();
        cache.note(
            &domain,
            None,
            0,
            &[Finding::error("SPF-01", "x", text!("{x}", x = "y"))],
        );
        let silence = |id| Finding::unknown(id, "x", &crate::doctor::dns::NoAnswer::Silent);
        cache.note(
            &domain,
            None,
            1,
            &[
                silence("SPF-01"),
                Finding::ok("MX-01", "x", text!("{x}", x = "y")),
            ],
        );
        assert_eq!(cache.errors(&domain, "main", 2).len(), 1);
        cache.note(&domain, None, 2, &[silence("NS-01")]);
        assert_eq!(cache.errors(&domain, "main", 2).len(), 1);
        cache.note(
            &domain,
            None,
            3,
            &[Finding::ok("SPF-01", "x", text!("{x}", x = "y"))],
        );
        assert_eq!(cache.errors(&domain, "main", 3).len(), 0);
    }

    #[test]
    fn a_damaged_memory_is_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doctor.json");
        fs::write(&path, "{\"visits\": [").unwrap();
        assert_eq!(Cache::load(&path), Cache::default());
    }
}
