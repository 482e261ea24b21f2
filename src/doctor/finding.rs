//! What a check came to: what, why it matters, how to mend it, and the records to publish.

use serde::Serialize;

use super::dns::{Kind, Name, NoAnswer, Unsaid};
use crate::text;
use crate::words::Text;

/// How bad it is. The order is that of badness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Info,
    /// Nobody answered: it may be well or not.
    Unknown,
    /// It hurts, now or later.
    Warning,
    /// Mails will be refused, or replies lost.
    Error,
}

impl Severity {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Did nobody answer any question?
pub fn is_blind(findings: &[Finding]) -> bool {
    let is_unknown = |finding: &Finding| finding.severity == Severity::Unknown;
    !findings.is_empty() && findings.iter().all(is_unknown)
}

/// What a finding is about, for the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// How mail reaches the domain.
    Mx,
    /// Who may send for it.
    Spf,
    /// Signatures.
    Dkim,
    /// What receivers do with forgeries.
    Dmarc,
    /// The zone itself.
    Zone,
    /// What protects and adorns mail.
    Policies,
    /// A server of one's own.
    Server,
    /// The provider's SMTP server.
    Smtp,
    /// What the receiver of a mail found.
    Receiver,
    /// What was changed on the way.
    Way,
}

impl Area {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 10] = [
        Self::Mx,
        Self::Spf,
        Self::Dkim,
        Self::Dmarc,
        Self::Zone,
        Self::Policies,
        Self::Server,
        Self::Smtp,
        Self::Receiver,
        Self::Way,
    ];

    /// What it is called.
    pub fn title(self) -> Text {
        match self {
            Self::Mx => text!("receiving mail (MX)"),
            Self::Spf => text!("who may send (SPF)"),
            Self::Dkim => text!("signatures (DKIM)"),
            Self::Dmarc => text!("policy (DMARC)"),
            Self::Zone => text!("zone and name servers"),
            Self::Policies => text!("further policies"),
            Self::Server => text!("own mail server"),
            Self::Smtp => text!("the provider's server (SMTP)"),
            Self::Receiver => text!("what the receiver says"),
            Self::Way => text!("what was changed on the way"),
        }
    }
}

/// A record to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Paste {
    /// Its name.
    pub name: Name,
    /// The zone it belongs into.
    pub zone: Name,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Of an MX record: lower comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u16>,
    /// What it says.
    pub value: String,
    /// For how many seconds it may be kept.
    pub ttl: u32,
    /// What it takes the place of; that must go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instead_of: Vec<String>,
}

/// The lifetime of the records we propose. Source: the guide's advice of an hour.
pub const TTL: u32 = 3_600;

impl Paste {
    /// A text record.
    pub fn text(name: Name, zone: &Name, value: impl Into<String>) -> Self {
        Self {
            name,
            zone: zone.clone(),
            kind: Kind::Txt,
            priority: None,
            value: value.into(),
            ttl: TTL,
            instead_of: Vec::new(),
        }
    }
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check, such as `MX-01`.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a domain, a record's name, a server.
    pub about: String,
    /// What was found.
    pub what: Text,
    /// How to mend it.
    pub fix: Option<Text>,
    /// More to know: a tree, a table.
    pub details: Vec<Text>,
    /// Records to publish.
    pub records: Vec<Paste>,
}

impl Finding {
    /// A finding without advice.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "names, addresses and texts alike are given as they are at hand"
    )]
    pub fn new(id: &'static str, severity: Severity, about: impl ToString, what: Text) -> Self {
        Self {
            id,
            severity,
            about: about.to_string(),
            what,
            fix: None,
            details: Vec::new(),
            records: Vec::new(),
        }
    }

    /// All is well.
    pub fn ok(id: &'static str, about: impl ToString, what: Text) -> Self {
        Self::new(id, Severity::Ok, about, what)
    }

    /// Worth knowing.
    pub fn info(id: &'static str, about: impl ToString, what: Text) -> Self {
        Self::new(id, Severity::Info, about, what)
    }

    /// It hurts.
    pub fn warning(id: &'static str, about: impl ToString, what: Text) -> Self {
        Self::new(id, Severity::Warning, about, what)
    }

    /// It breaks.
    pub fn error(id: &'static str, about: impl ToString, what: Text) -> Self {
        Self::new(id, Severity::Error, about, what)
    }

    /// Nobody knows, for this reason.
    pub fn unknown(id: &'static str, about: impl ToString, why: &NoAnswer) -> Self {
        Self::new(id, Severity::Unknown, about, text!("not known: {why}", why))
    }

    /// The same with advice.
    #[must_use]
    pub fn fix(mut self, fix: Text) -> Self {
        self.fix = Some(fix);
        self
    }

    /// The same with a record to publish.
    #[must_use]
    pub fn record(mut self, record: Paste) -> Self {
        self.records.push(record);
        self
    }

    /// The same with more to know.
    #[must_use]
    pub fn details(mut self, details: impl IntoIterator<Item = Text>) -> Self {
        self.details.extend(details);
        self
    }

    /// What it is about.
    pub fn area(&self) -> Area {
        match self.id.split('-').next().unwrap_or_default() {
            "MX" | "CN" => Area::Mx,
            "SPF" => Area::Spf,
            "DKIM" => Area::Dkim,
            "DMARC" => Area::Dmarc,
            "TTL" | "PROP" | "NS" => Area::Zone,
            "STS" | "RPT" | "BIMI" | "URL" => Area::Policies,
            "PTR" | "BL" => Area::Server,
            "AR" => Area::Receiver,
            "SENT" => Area::Way,
            _ => Area::Smtp,
        }
    }
}

/// Findings of a check that may have to be put off.
pub type Checked = Result<Vec<Finding>, Unsaid>;

/// What a check came to, where it could not be said why: nothing yet, or that it is not known.
pub fn settled(id: &'static str, about: impl ToString, checked: Checked) -> Vec<Finding> {
    match checked {
        Ok(findings) => findings,
        Err(Unsaid::Pending) => Vec::new(),
        Err(Unsaid::Failed(why)) => vec![Finding::unknown(id, about, &why)],
    }
}
