//! What a reply means: data in `classes.toml` and `rules.toml`, and the user's own rules before them. The same words
//! stand for SMTP replies, and for the reports that come back later.

mod pasted;
mod rule;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use jiff::SignedDuration;
use serde::Deserialize;

use crate::mail::{Class, Reply, Retry, Scope, Stage, Verdict};
use crate::words::Both;

pub use pasted::pasted;
pub use rule::Rule;

/// What follows from a class, as `classes.toml` has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Consequence {
    scope: Scope,
    retry: Retry,
    #[serde(default)]
    suppress: bool,
    #[serde(default)]
    pause: Vec<SignedDuration>,
    meaning: Both,
    advice: Both,
}

/// `rules.toml` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    destination: BTreeMap<String, Vec<String>>,
    rule: Vec<Rule>,
}

/// What is known about a reply, beside its words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Circumstances<'a> {
    /// How far the dialogue had come, where that is known.
    pub stage: Option<Stage>,
    /// The provider of our account: its family and its preset.
    pub provider: &'a [String],
    /// The domain that the recipient's address has, or a family of destinations.
    pub destination: Option<&'a str>,
}

/// What a reply means.
#[derive(Clone, Debug)]
pub struct Meaning<'r> {
    /// What follows from it.
    pub verdict: Verdict,
    /// What it says.
    pub meaning: &'r Both,
    /// What to do.
    pub advice: &'r Both,
    /// How long whoever is concerned waits the first, second, … time; the last one repeats.
    pub pause: &'r [SignedDuration],
    /// The rule that knew it; none when the reply is not known.
    pub rule: Option<&'r Rule>,
}

/// All rules, in the order in which they are asked.
#[derive(Debug)]
pub struct Rules {
    consequences: BTreeMap<Class, Consequence>,
    /// The family of each known domain, and of each family's own name.
    families: HashMap<String, String>,
    in_order: Vec<Rule>,
}

static BUILT_IN: LazyLock<Arc<Rules>> = LazyLock::new(|| Arc::new(Rules::read()));

impl Rules {
    /// Those that mailshot comes with.
    pub fn built_in() -> Arc<Self> {
        Arc::clone(&BUILT_IN)
    }

    /// Those that mailshot comes with, and before them the user's.
    pub fn with(own: &[Rule]) -> Arc<Self> {
        let known = Self::built_in();
        if own.is_empty() {
            return known;
        }
        Arc::new(Self {
            consequences: known.consequences.clone(),
            families: known.families.clone(),
            in_order: own.iter().chain(&known.in_order).cloned().collect(),
        })
    }

    fn read() -> Self {
        // That the files can be read is a test: they are part of the program.
        let file = toml::from_str(include_str!("rules.toml")).unwrap_or(RuleFile {
            destination: BTreeMap::new(),
            rule: Vec::new(),
        });
        let mut rules = file.rule;
        rules.sort_by_key(Rule::rank);
        Self {
            consequences: toml::from_str(include_str!("classes.toml")).unwrap_or_default(),
            families: file
                .destination
                .into_iter()
                .flat_map(|(family, domains)| {
                    let names = domains.into_iter().chain([family.clone()]);
                    names.map(move |name| (name, family.clone())).collect::<Vec<_>>()
                })
                .collect(),
            in_order: rules,
        }
    }

    /// What this reply means.
    pub fn meaning(&self, reply: &Reply, circumstances: Circumstances<'_>) -> Meaning<'_> {
        let family = circumstances
            .destination
            .and_then(|domain| self.family_of(domain));
        let text = rule::readable(&reply.text);
        let rule = if reply.is_positive() {
            None
        } else {
            self.in_order
                .iter()
                .find(|rule| rule.fits(reply, &text, circumstances, family))
        };
        let class = rule.map_or_else(|| unclassified(reply), |rule| rule.class);
        let mut meaning = self.of_class(class, rule);
        // What is refused to MAIL is the sender, whatever the words are: nobody is to be suppressed for it.
        if circumstances.stage == Some(Stage::Mail) && meaning.verdict.suppress {
            meaning = self.of_class(Class::SenderRejected, None);
        }
        // 421 closes the connection, whatever was asked: it is not about this recipient. Source: RFC 5321, 3.8.
        let is_goodbye = matches!(class, Class::TransientSystem | Class::UnclassifiedTransient);
        if reply.code == 421 && is_goodbye {
            meaning.verdict.scope = Scope::Server;
        }
        // A login has no recipient.
        if circumstances.stage == Some(Stage::Auth) && meaning.verdict.scope == Scope::Recipient {
            meaning.verdict.scope = Scope::Account;
        }
        // The next mail has the same content.
        if class == Class::UnclassifiedPermanent && circumstances.stage >= Some(Stage::Data) {
            meaning.verdict.scope = Scope::Message;
        }
        meaning
    }

    /// What follows from a class.
    pub fn of_class<'r>(&'r self, class: Class, rule: Option<&'r Rule>) -> Meaning<'r> {
        static NOTHING: LazyLock<Consequence> = LazyLock::new(|| Consequence {
            scope: Scope::Recipient,
            retry: Retry::Never,
            suppress: false,
            pause: Vec::new(),
            meaning: Both::default(),
            advice: Both::default(),
        });
        let usual = self.consequences.get(&class).unwrap_or(&NOTHING);
        Meaning {
            verdict: Verdict {
                class,
                scope: rule.and_then(|rule| rule.scope).unwrap_or(usual.scope),
                retry: rule.and_then(|rule| rule.retry).unwrap_or(usual.retry),
                suppress: rule.and_then(|rule| rule.suppress).unwrap_or(usual.suppress),
            },
            meaning: &usual.meaning,
            advice: rule
                .and_then(|rule| rule.advice.as_ref())
                .unwrap_or(&usual.advice),
            pause: &usual.pause,
            rule,
        }
    }

    /// The family of destinations that a domain belongs to, by itself or by one that it lies under, in lower case; none
    /// when nothing is known about it. The name of a family belongs to it too.
    pub fn family_of(&self, domain: &str) -> Option<&str> {
        let mut rest = domain;
        loop {
            if let Some(family) = self.families.get(rest) {
                return Some(family);
            }
            (_, rest) = rest.split_once('.')?;
        }
    }

    /// Is there a rule for accounts of this provider?
    pub fn is_named(&self, provider: &str) -> bool {
        let mut rules = self.in_order.iter();
        rules.any(|rule| rule.is_for(provider))
    }

    /// The names of all families.
    pub fn families(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.families.values().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The domains of a family.
    pub fn domains_of(&self, family: &str) -> Vec<String> {
        let of_family = self.families.iter().filter(|(_, of)| *of == family);
        of_family.map(|(domain, _)| domain.clone()).collect()
    }
}

fn unclassified(reply: &Reply) -> Class {
    if reply.is_positive() {
        Class::Delivered
    } else if reply.is_transient() {
        Class::UnclassifiedTransient
    } else {
        Class::UnclassifiedPermanent
    }
}

/// Says what replies mean to one account.
#[derive(Clone, Debug)]
pub struct Judge {
    rules: Arc<Rules>,
    provider: Arc<[String]>,
}

impl Default for Judge {
    fn default() -> Self {
        Self::new(Rules::built_in(), Vec::new())
    }
}

impl Judge {
    /// Judges for an account of this provider: its family and its preset, where they are known.
    pub fn new(rules: Arc<Rules>, provider: Vec<String>) -> Self {
        Self {
            rules,
            provider: provider.into(),
        }
    }

    /// What follows from a reply at this stage, to a mail to this domain.
    pub fn verdict(&self, stage: Stage, reply: &Reply, destination: Option<&str>) -> Verdict {
        let circumstances = Circumstances {
            stage: Some(stage),
            provider: &self.provider,
            destination,
        };
        self.rules.meaning(reply, circumstances).verdict
    }

    /// What a reply means that came at nobody knows which stage.
    pub fn meaning(&self, reply: &Reply) -> Meaning<'_> {
        let circumstances = Circumstances {
            provider: &self.provider,
            ..Circumstances::default()
        };
        self.rules.meaning(reply, circumstances)
    }

    /// The rules it judges by.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }
}

#[cfg(test)]
mod tests;
