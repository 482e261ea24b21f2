//! How a list is to be read, as far as the user says.

use std::path::PathBuf;
use std::str::FromStr;

use encoding_rs::{Encoding, GB18030, GBK};

use serde::Deserialize;
use toml::Spanned;

use super::file::File;
use super::problem::{Problem, Problems};
use super::raw::RawCampaign;
use super::workspace::Workspace;

use crate::text;
use crate::words::Text;

/// What the user says about a list; without it everything is found out, or asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListSettings {
    /// The column that holds the address: its header, or its name in templates.
    pub email_column: Option<String>,
    /// The encoding of a text file.
    pub encoding: Option<&'static Encoding>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// Are addresses repaired where it is clear what was meant?
    pub is_fixing: bool,
    /// What is done about what the list says of consent.
    pub consent: Consent,
    /// Are letters of any script allowed before the `@`?
    pub allows_utf8: bool,
    /// Who is meant: a condition on the row.
    pub filter: Option<Said>,
    /// Lists of people who are not meant.
    pub exclude: Vec<PathBuf>,
    /// Only some of those who are meant.
    pub sample: Option<Sample>,
    /// What lots are drawn by: the campaign's name.
    pub seed: String,
    /// Words of the subjects that may name a column, for a campaign: the cells there and the names of people stand in
    /// the head of the mail.
    pub head_words: Option<Vec<String>>,
}

/// What is done about columns that say who may be mailed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// Whoever they speak against is not mailed.
    #[default]
    Honoured,
    /// Only those are mailed whom they say to have agreed.
    Wanted,
    /// Everybody is mailed, because the user says so.
    Ignored,
}

/// A text of the user's files that is understood only when the list is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The text.
    pub text: String,
    /// Where it stands: a problem without words.
    pub at: Problem,
}

/// Some of the people of a list, always the same for one campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// So many millionths of them.
    Share(u32),
    /// So many of them.
    People(u64),
}

impl FromStr for Sample {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            text!(
                "`{text}` is not a sample; write \"10%\" or a number of people such as 500",
                text
            )
        };
        match text.trim().strip_suffix('%') {
            Some(percent) => match percent.trim().parse::<f64>() {
                Ok(percent) if percent > 0.0 && percent <= 100.0 =>
                {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "between 0 and a million"
                    )]
                    Ok(Self::Share((percent * 10_000.0).round() as u32))
                }
                _ => Err(wrong()),
            },
            None => match text.trim().replace([',', '_'], "").parse() {
                Ok(people) if people > 0 => Ok(Self::People(people)),
                _ => Err(wrong()),
            },
        }
    }
}

/// What stands in the tags of a template, word by word: the names of columns are among them.
pub(super) fn words_in_tags(template: &str) -> Vec<String> {
    let tags = template
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split("}}").next());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    tags.flat_map(|tag| {
        // `{{[First Name]}}`
        let exact = tag.split('[').skip(1).filter_map(|rest| rest.split(']').next());
        let plain = tag.split(move |c| !is_word(c)).filter(|word| !word.is_empty());
        exact.chain(plain).map(str::to_owned).collect::<Vec<_>>()
    })
    .collect()
}

/// An encoding by one of its names.
pub fn encoding(name: &str) -> Result<&'static Encoding, Text> {
    let found =
        Encoding::for_label(name.trim().as_bytes()).filter(|found| *found != encoding_rs::REPLACEMENT);
    match found {
        // What calls itself GBK holds characters of GB18030; the reverse is a subset.
        Some(found) if found == GBK => Ok(GB18030),
        Some(found) => Ok(found),
        None => Err(text!(
            "unknown encoding `{name}`; known are utf-8, gb18030, big5, shift_jis, euc-kr, utf-16le, utf-16be, \
             windows-1252 and the others of the Encoding Standard",
            name
        )),
    }
}

/// `sample = 500` or `sample = "10%"`
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum NumberOrText {
    Number(u64),
    Text(String),
}

impl RawCampaign {
    /// What the campaign says of its list.
    pub(super) fn list(
        &self,
        file: &File<'_, Self>,
        workspace: &Workspace,
        name: &str,
        problems: &mut Problems,
    ) -> ListSettings {
        for path in &self.exclude {
            file.check_readable(Some(path), &workspace.root, problems);
        }
        let said = |text: &Spanned<String>| Said {
            text: text.get_ref().clone(),
            at: file.problem(text, Text::default()),
        };
        let sample = self.sample.as_ref().and_then(|sample| {
            let text = match sample.get_ref() {
                NumberOrText::Number(number) => number.to_string(),
                NumberOrText::Text(text) => text.clone(),
            };
            let parsed = text.parse();
            parsed
                .map_err(|what: Text| problems.push(file.problem(sample, what)))
                .ok()
        });
        ListSettings {
            filter: self.filter.as_ref().map(said),
            exclude: self
                .exclude
                .iter()
                .map(|path| workspace.root.join(path.get_ref()))
                .collect(),
            sample,
            seed: name.to_owned(),
            email_column: self.email_column.clone(),
            encoding: file.parse(self.encoding.as_ref(), problems, encoding),
            sheet: self.sheet.clone(),
            is_fixing: self.fix,
            consent: if self.ignore_consent {
                Consent::Ignored
            } else {
                Consent::Honoured
            },
            allows_utf8: false,
            head_words: None,
        }
    }
}
