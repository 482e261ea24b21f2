//! `tags` and `track`: what the provider counts a campaign under, and what it follows. Held against the provider's own rules.

use std::fmt;

use toml::Spanned;

use super::file::File;
use super::provider::plain_fault;
use super::raw::RawCampaign;
use super::{Account, Campaign, Problem, Problems};
use crate::text;

/// Tags of a campaign at most, where the provider has no rule.
const TAGS_MAX: usize = 10;

/// What the provider is to follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracked {
    /// Who opens the mail.
    pub opens: bool,
    /// Who follows a link.
    pub links: bool,
}

impl fmt::Display for Tracked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.opens, self.links) {
            (false, false) => "nothing",
            (true, false) => "opens",
            (false, true) => "links",
            (true, true) => "opens, links",
        })
    }
}

impl Campaign {
    /// What goes into the headers of the provider, by its keys in the files.
    pub(super) fn labels_said(&self) -> impl Iterator<Item = (String, String)> {
        let labels = [
            ("tags", Some(self.tags.join(", ")).filter(|tags| !tags.is_empty())),
            ("track", self.track.map(|track| track.to_string())),
            ("stream", self.account.stream.clone()),
        ];
        let said = labels
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        said.collect::<Vec<_>>().into_iter()
    }
}

/// What a campaign says of both.
#[derive(Debug, Default)]
pub(super) struct Labels {
    pub(super) tags: Vec<String>,
    pub(super) track: Option<Tracked>,
    pub(super) warnings: Vec<Problem>,
}

pub(super) fn check(
    raw: &RawCampaign,
    account: &Account,
    file: &File<'_, RawCampaign>,
    problems: &mut Problems,
) -> Labels {
    let mut labels = Labels::default();
    if let Some(tags) = &raw.tags {
        labels.tags(tags, account, file, problems);
    }
    if let Some(track) = &raw.track {
        labels.track(track, account, file, problems);
    }
    labels
}

/// The provider of an account, as one says it.
fn provider(account: &Account) -> &str {
    account.provider.as_deref().unwrap_or(&account.host)
}

impl Labels {
    fn tags(
        &mut self,
        tags: &Spanned<Vec<Spanned<String>>>,
        account: &Account,
        file: &File<'_, RawCampaign>,
        problems: &mut Problems,
    ) {
        let rule = account.headers.tags.as_ref();
        for tag in tags.get_ref() {
            let text = tag.get_ref();
            let fault = rule.map_or_else(|| plain_fault(text), |rule| rule.fault(text));
            if let Some(fault) = fault {
                problems.push(file.problem(tag, fault));
            }
            self.tags.push(text.clone());
        }
        let most = rule.map_or(TAGS_MAX, |rule| rule.most);
        if self.tags.len() > most {
            let what = text!(
                "{many} tags, and {provider} takes {most}",
                many = self.tags.len(),
                provider = provider(account),
                most
            );
            problems.push(file.problem(tags, what));
        }
        if rule.is_none() && !self.tags.is_empty() {
            let what = text!(
                "{provider} reads no tags: they are written nowhere",
                provider = provider(account)
            );
            self.warnings.push(file.problem(tags, what));
        }
    }

    fn track(
        &mut self,
        track: &Spanned<Vec<Spanned<String>>>,
        account: &Account,
        file: &File<'_, RawCampaign>,
        problems: &mut Problems,
    ) {
        let mut tracked = Tracked::default();
        for what in track.get_ref() {
            match what.get_ref().as_str() {
                "opens" => tracked.opens = true,
                "links" => tracked.links = true,
                other => problems.push(
                    file.problem(what, text!("`{other}` cannot be followed", other))
                        .hint(text!(
                            "there are \"opens\" and \"links\"; an empty list follows nothing"
                        )),
                ),
            }
        }
        if account.headers.track.is_none() && tracked != Tracked::default() {
            let what = text!(
                "{provider} is not told by mails what to follow: `track` does nothing",
                provider = provider(account)
            );
            self.warnings.push(file.problem(track, what));
        }
        self.track = Some(tracked);
    }
}
