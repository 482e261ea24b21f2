//! What a campaign was checked with. A run that goes on with other inputs stops and says what changed.
//!
//! Only what changes the mails counts. Connections, rates and passwords may be changed in the middle of a campaign.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::list::Consent;
use super::{Attachment, Campaign, SubjectMark};
use crate::digest;
use crate::mail::token::hex;
use crate::text;
use crate::words::Text;

/// Characters of a setting shown in a summary of changes.
const SHOWN_MAX: usize = 60;

/// Digests of list and templates, and the settings that a mail is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// SHA-256 of the list file.
    pub list: String,
    /// SHA-256 of every template file, by its name.
    pub templates: BTreeMap<String, String>,
    /// SHA-256 of every other file that all mails share, or that says who is meant, by its name.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Settings by their name in the files.
    pub settings: BTreeMap<String, String>,
    /// Is the enrolment with a changed list under way? If it was cut short, it has to be gone through again.
    #[serde(default)]
    pub is_under_way: bool,
}

impl Inputs {
    /// The inputs of a campaign with this list and these template files.
    pub fn new<'a>(
        campaign: &Campaign,
        list: &str,
        templates: impl Iterator<Item = (String, &'a str)>,
    ) -> Self {
        let unsubscribe = &campaign.unsubscribe;
        let settings = [
            ("account", Some(campaign.account.name.clone())),
            ("from", Some(campaign.from.to_string())),
            ("reply_to", campaign.reply_to.as_ref().map(ToString::to_string)),
            ("postal_address", Some(campaign.postal_address.clone())),
            ("subject", Some(campaign.subject.clone())),
            ("preheader", campaign.preheader.clone()),
            ("lang", Some(campaign.lang.code().to_owned())),
            (
                "attachment",
                (!campaign.attachments.is_empty()).then(|| {
                    let named = campaign.attachments.iter().map(Attachment::said);
                    named.collect::<Vec<_>>().join(", ")
                }),
            ),
            ("inline_css", (!campaign.inline_css).then(|| "false".to_owned())),
            ("laws", campaign.laws.said()),
            ("legal_basis", campaign.laws.legal_basis.clone()),
            (
                "subject_mark",
                (campaign.laws.subject_mark == SubjectMark::Auto).then(|| "auto".to_owned()),
            ),
            ("list_id", Some(campaign.list_id.clone())),
            ("email_column", campaign.list.email_column.clone()),
            (
                "language_column",
                campaign.language_column.as_ref().map(|said| said.text.clone()),
            ),
            (
                "where",
                campaign.list.filter.as_ref().map(|said| said.text.clone()),
            ),
            ("sample", campaign.list.sample.map(|sample| format!("{sample:?}"))),
            ("fix", campaign.list.is_fixing.then(|| "true".to_owned())),
            (
                "ignore_consent",
                (campaign.list.consent == Consent::Ignored).then(|| "true".to_owned()),
            ),
            ("unsubscribe url", unsubscribe.url.clone()),
            (
                "unsubscribe mailto",
                unsubscribe.mailto.as_ref().map(ToString::to_string),
            ),
        ];
        let named = |(name, value): (&str, Option<String>)| value.map(|value| (name.to_owned(), value));
        Self {
            list: list.to_owned(),
            templates: templates
                .map(|(name, text)| (name, hex(&Sha256::digest(text.as_bytes()))))
                .collect(),
            files: BTreeMap::new(),
            settings: settings
                .into_iter()
                .filter_map(named)
                .chain(campaign.editions_said())
                .chain(campaign.labels_said())
                .collect(),
            is_under_way: false,
        }
    }

    /// The same with these files, by name. One that cannot be read has no content.
    #[must_use]
    pub fn with_files(mut self, files: impl Iterator<Item = (String, PathBuf)>) -> Self {
        self.files.extend(files.map(|(name, path)| {
            (
                name,
                digest::of_file(&path)
                    .map(|digest| hex(&digest))
                    .unwrap_or_default(),
            )
        }));
        self
    }

    /// What is different now, a line each. The list is not among them: its rows are compared one by one.
    pub fn differences(&self, now: &Self) -> Vec<Text> {
        let mut lines = Vec::new();
        lines.extend(compare(&self.templates, &now.templates).into_iter().map(
            |(name, before, after)| match (before, after) {
                (Some(_), Some(_)) => text!("template {name} was edited", name),
                (None, _) => text!("template {name} is new", name),
                (_, None) => text!("template {name} is gone", name),
            },
        ));
        lines.extend(
            compare(&self.files, &now.files)
                .into_iter()
                .map(|(name, before, after)| match (before, after) {
                    (Some(_), Some(_)) => text!("file {name} was edited", name),
                    (None, _) => text!("file {name} is new", name),
                    (_, None) => text!("file {name} is no longer used", name),
                }),
        );
        let changes = compare(&self.settings, &now.settings);
        lines.extend(changes.into_iter().map(|(name, before, after)| {
            text!(
                "{name} was {before} and is {after}",
                name,
                before = shown(before),
                after = shown(after)
            )
        }));
        lines
    }
}

type Change<'a> = (&'a str, Option<&'a String>, Option<&'a String>);

fn compare<'a>(before: &'a BTreeMap<String, String>, after: &'a BTreeMap<String, String>) -> Vec<Change<'a>> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let both = names
        .into_iter()
        .map(|name| (name.as_str(), before.get(name), after.get(name)));
    both.filter(|(_, before, after)| before != after).collect()
}

fn shown(value: Option<&String>) -> Text {
    let Some(value) = value else {
        return text!("not set");
    };
    let cut: String = value.chars().take(SHOWN_MAX).collect();
    Text::from(if cut.len() < value.len() {
        format!("`{cut}…`")
    } else {
        format!("`{cut}`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_named() {
        let map = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let before = Inputs {
            list: "a".to_owned(),
            templates: map(&[("body.html.hbs", "1"), ("old.hbs", "2")]),
            settings: map(&[("subject", "Hello"), ("lang", "en")]),
            ..Inputs::default()
        };
        let after = Inputs {
            list: "b".to_owned(),
            templates: map(&[("body.html.hbs", "9"), ("new.hbs", "2")]),
            settings: map(&[("subject", "Hallo"), ("lang", "en"), ("preheader", "x")]),
            ..Inputs::default()
        };
        assert_eq!(
            before.differences(&after),
            [
                "template body.html.hbs was edited",
                "template new.hbs is new",
                "template old.hbs is gone",
                "preheader was not set and is `x`",
                "subject was `Hello` and is `Hallo`",
            ]
        );
        assert!(before.differences(&before).is_empty());
    }
}
