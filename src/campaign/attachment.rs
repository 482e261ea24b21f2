//! Files that go with a campaign's mails, as the user names them.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::file::File;
use super::problem::Problems;

/// A file that goes with every mail, or one for each recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its path in the workspace; a template.
    pub file: String,
    /// The name that people see, if not the file's own; a template.
    pub name: Option<String>,
    /// Is a table of text in UTF-8 marked as such, for Excel?
    pub adds_bom: bool,
}

impl Attachment {
    /// The file, and what it is called if not by its own name.
    pub(super) fn said(&self) -> String {
        match &self.name {
            Some(name) => format!("{} as {name}", self.file),
            None => self.file.clone(),
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
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawAttachments {
    One(RawAttachment),
    Several(Vec<RawAttachment>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawAttachment {
    Path(String),
    File(RawFile),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFile {
    file: String,
    name: Option<String>,
    text_bom: Option<String>,
}

/// The attachments of a campaign.
pub(super) fn all<T>(
    said: Option<&Spanned<RawAttachments>>,
    root: &Path,
    file: &File<'_, T>,
    problems: &mut Problems,
) -> Vec<Attachment> {
    let Some(said) = said else { return Vec::new() };
    let all = match said.get_ref() {
        RawAttachments::One(one) => std::slice::from_ref(one),
        RawAttachments::Several(several) => several.as_slice(),
    };
    if all.len() > ATTACHMENTS_MAX {
        let what = format!("{} attachments; {ATTACHMENTS_MAX} are the most", all.len());
        problems.push(file.problem(said, what).hint("put them into one archive"));
    }
    let attachments = all.iter().map(|raw| match raw {
        RawAttachment::Path(path) => Attachment {
            file: path.clone(),
            name: None,
            adds_bom: true,
        },
        RawAttachment::File(raw) => {
            let bom = raw.text_bom.as_deref().unwrap_or("auto");
            if !matches!(bom, "auto" | "never") {
                let what = format!("`text_bom` is \"auto\" or \"never\", not \"{bom}\"");
                problems.push(file.problem(said, what));
            }
            Attachment {
                file: raw.file.clone(),
                name: raw.name.clone(),
                adds_bom: bom == "auto",
            }
        }
    });
    let attachments: Vec<Attachment> = attachments.collect();
    for attachment in &attachments {
        match folder_before_tags(&attachment.file) {
            None if !root.join(&attachment.file).is_file() => {
                let what = format!("there is no file `{}`", attachment.file);
                let hint = "paths begin at the folder of mailshot.toml";
                problems.push(file.problem(said, what).hint(hint));
            }
            Some("") => {
                let what = format!("`{}` could be any file here: the list decides", attachment.file);
                let hint = format!(
                    "put the files into a folder, and name it first: `files/{}`",
                    attachment.file
                );
                problems.push(file.problem(said, what).hint(hint));
            }
            None | Some(_) => {}
        }
    }
    attachments
}
