//! Files that go with a campaign's mails, as the user names them.

use std::fmt;
use std::path::Path;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::file::File;
use super::octets::Octets;
use super::problem::Problems;
use super::workspace::Workspace;

use crate::text;

/// A file that goes with every mail, or one for each recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its path in the workspace; a template.
    pub file: String,
    /// The name that people see, if not the file's own; a template.
    pub name: Option<String>,
    /// Is a table of text in UTF-8 marked as such, for Excel?
    pub adds_bom: bool,
    /// How it comes.
    pub sent_as: SentAs,
}

/// How a file comes to people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SentAs {
    /// In the mail.
    #[default]
    Attachment,
    /// As a link in the mail.
    Link,
    /// In several mails, each with a volume of so many octets at most as it goes on the wire.
    Volumes(Octets),
}

impl SentAs {
    /// The same, with volumes that an account takes whose mails have so many octets at most.
    #[must_use]
    pub(super) fn within(self, size_max: Option<Octets>) -> Self {
        match (self, size_max) {
            // A tenth is for the rest of the mail.
            (Self::Volumes(size), Some(most)) => Self::Volumes(size.min(Octets(most.0 / 10 * 9))),
            _ => self,
        }
    }
}

/// Octets of a volume on the wire, unless `volume` says otherwise: most mailboxes take mails of 25 MB.
const VOLUME: Octets = Octets(20 * 1_024 * 1_024);
/// A volume is not so small that a file becomes a flood of mails.
const VOLUME_MIN: Octets = Octets(100 * 1_024);

impl Attachment {
    /// The file, and what it is called if not by its own name.
    pub(super) fn said(&self) -> String {
        let named = match &self.name {
            Some(name) => format!("{} as {name}", self.file),
            None => self.file.clone(),
        };
        match self.sent_as {
            SentAs::Attachment => named,
            SentAs::Link => format!("{named}, a link"),
            SentAs::Volumes(size) => format!("{named}, in volumes of {size}"),
        }
    }
}

/// The folder that a path with tags names before the first of them; none for a path without tags. What is in the list
/// does not lead out of it.
pub fn folder_before_tags(path: &str) -> Option<&str> {
    let (before, _) = path.split_once("{{")?;
    Some(
        before
            .rfind('/')
            .and_then(|end| before.get(..=end))
            .unwrap_or_default(),
    )
}

/// Attachments of one mail at most.
const ATTACHMENTS_MAX: usize = 8;

/// `attachment` as written: a path, a table, or several of them.
#[derive(Debug)]
pub(super) struct RawAttachments(Vec<RawAttachment>);

#[derive(Debug)]
pub(super) enum RawAttachment {
    Path(String),
    File(Box<RawFile>),
}

impl<'de> Deserialize<'de> for RawAttachments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Several)
    }
}

impl<'de> Deserialize<'de> for RawAttachment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(One)
    }
}

/// Reads one attachment. Not `untagged`: that forgets where values stand.
struct One;

impl<'de> Visitor<'de> for One {
    type Value = RawAttachment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path such as \"terms.pdf\", or { file = \"terms.pdf\", name = \"Terms.pdf\" }")
    }

    fn visit_str<E: de::Error>(self, path: &str) -> Result<Self::Value, E> {
        Ok(RawAttachment::Path(path.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let file = RawFile::deserialize(MapAccessDeserializer::new(map))?;
        Ok(RawAttachment::File(Box::new(file)))
    }
}

/// Reads one attachment or several.
struct Several;

impl<'de> Visitor<'de> for Several {
    type Value = RawAttachments;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        One.expecting(f)?;
        f.write_str(", or several of these in [ ]")
    }

    fn visit_str<E: de::Error>(self, path: &str) -> Result<Self::Value, E> {
        One.visit_str(path).map(|one| RawAttachments(vec![one]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        One.visit_map(map).map(|one| RawAttachments(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = seq.next_element()? {
            all.push(one);
        }
        Ok(RawAttachments(all))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFile {
    file: String,
    name: Option<String>,
    text_bom: Option<String>,
    #[serde(rename = "as")]
    sent_as: Option<Spanned<String>>,
    volume: Option<Spanned<Octets>>,
}

impl RawFile {
    fn sent_as<T>(&self, has_depot: bool, file: &File<'_, T>, problems: &mut Problems) -> SentAs {
        let said = self.sent_as.as_ref().map(|said| (said, said.get_ref().as_str()));
        let volume = self.volume.as_ref();
        if let Some(volume) = volume.filter(|_| said.is_none_or(|(_, word)| word != "split")) {
            let problem = file.problem(volume, text!("only a file that is split has volumes"));
            problems.push(problem.hint(text!("add `as = \"split\"`")));
        }
        match said {
            None | Some((_, "attachment")) => SentAs::Attachment,
            Some((at, "link")) => {
                if !has_depot {
                    let problem = file.problem(at, text!("nothing says where files lie that mails link to"));
                    problems.push(problem.hint(text!(
                        "add [files] to mailshot.toml, with a `folder` and its `url`, or with a `bucket`"
                    )));
                }
                SentAs::Link
            }
            Some((_, "split")) => {
                let size = volume.map_or(VOLUME, |volume| *volume.get_ref());
                if let Some(volume) = volume.filter(|_| size < VOLUME_MIN) {
                    let problem = file.problem(volume, text!("volumes of {size} are too small", size));
                    problems.push(problem.hint(text!("the least is {least}", least = VOLUME_MIN)));
                }
                SentAs::Volumes(size)
            }
            Some((at, word)) => {
                let problem = file.problem(at, text!("a file is not sent as \"{word}\"", word));
                problems.push(problem.hint(
                    text!("`as` is \"attachment\", \"link\" (the mail says where the file is) or \"split\" (over several mails)"),
                ));
                SentAs::Attachment
            }
        }
    }
}

/// The attachments of a campaign.
pub(super) fn all<T>(
    said: Option<&Spanned<RawAttachments>>,
    workspace: &Workspace,
    file: &File<'_, T>,
    problems: &mut Problems,
) -> Vec<Attachment> {
    let Some(said) = said else { return Vec::new() };
    let all = &said.get_ref().0;
    if all.len() > ATTACHMENTS_MAX {
        let what = text!(
            "{all} attachments; {most} are the most",
            all = all.len(),
            most = ATTACHMENTS_MAX
        );
        problems.push(file.problem(said, what).hint(text!("put them into one archive")));
    }
    let attachments = all.iter().map(|raw| match raw {
        RawAttachment::Path(path) => Attachment {
            file: path.clone(),
            name: None,
            adds_bom: true,
            sent_as: SentAs::Attachment,
        },
        RawAttachment::File(raw) => {
            let bom = raw.text_bom.as_deref().unwrap_or("auto");
            if !matches!(bom, "auto" | "never") {
                let what = text!("`text_bom` is \"auto\" or \"never\", not \"{bom}\"", bom);
                problems.push(file.problem_at_text(said, bom, what));
            }
            Attachment {
                file: raw.file.clone(),
                name: raw.name.clone(),
                adds_bom: bom == "auto",
                sent_as: raw.sent_as(workspace.depot.is_some(), file, problems),
            }
        }
    });
    let attachments: Vec<Attachment> = attachments.collect();
    check_there(&attachments, said, &workspace.root, file, problems);
    attachments
}

/// Files that are named outright must be there, and those that the list names lie in a folder.
fn check_there<T>(
    attachments: &[Attachment],
    said: &Spanned<RawAttachments>,
    root: &Path,
    file: &File<'_, T>,
    problems: &mut Problems,
) {
    for attachment in attachments {
        match folder_before_tags(&attachment.file) {
            None if !root.join(&attachment.file).is_file() => {
                let is_folder = !attachment.file.is_empty() && root.join(&attachment.file).is_dir();
                let (what, hint) = if is_folder {
                    (
                        text!("`{file}` is a folder", file = attachment.file),
                        text!("put it into an archive, such as a .zip"),
                    )
                } else {
                    (
                        text!("there is no file `{file}`", file = attachment.file),
                        text!("paths begin at the folder of mailshot.toml"),
                    )
                };
                problems.push(file.problem_at_text(said, &attachment.file, what).hint(hint));
            }
            Some("") => {
                let what = text!(
                    "`{file}` could be any file here: the list decides",
                    file = attachment.file
                );
                let hint = text!(
                    "put the files into a folder, and name it first: `files/{file}`",
                    file = attachment.file
                );
                problems.push(file.problem_at_text(said, &attachment.file, what).hint(hint));
            }
            None | Some(_) => {}
        }
    }
}
