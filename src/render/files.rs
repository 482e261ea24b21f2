//! Files that go with a mail: the names of attachments, which may hold tags, and the images that the HTML shows.

use std::collections::BTreeSet;

use handlebars::Context;

use super::engine::Engine;
use super::loader::Loader;
use super::{images, tags};
use crate::campaign::{Campaign, Problem, SentAs, folder_before_tags};
use crate::mail::{FileUse, SentFile};

/// Names of the templates that are paths and names of attachments; so many attachments may have tags.
pub(super) const PATHS: [&str; 8] = [
    "@path0", "@path1", "@path2", "@path3", "@path4", "@path5", "@path6", "@path7",
];
pub(super) const NAMES: [&str; 8] = [
    "@name0", "@name1", "@name2", "@name3", "@name4", "@name5", "@name6", "@name7",
];

/// An attachment whose path and name may be templates.
#[derive(Clone, Debug)]
struct Attached {
    file: SentFile,
    /// The templates of path and name, where they hold tags.
    path: Option<&'static str>,
    name: Option<&'static str>,
}

/// What files the mails of a campaign have.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    attached: Vec<Attached>,
    /// The images that the templates name. What only a row names is not ours: it could be any file.
    images: BTreeSet<String>,
    /// The folders of images of whose paths a part comes from the list.
    image_folders: BTreeSet<String>,
}

/// The templates of attachments: what each is called, and its text.
pub(super) fn templates(campaign: &Campaign) -> impl Iterator<Item = (&'static str, &str)> {
    let all = campaign.attachments.iter().zip(PATHS.into_iter().zip(NAMES));
    all.flat_map(|(attachment, (path, name))| {
        let own = std::iter::once((path, attachment.file.as_str()));
        own.chain(attachment.name.as_deref().map(|text| (name, text)))
    })
    .filter(|(_, text)| has_tags(text))
}

fn has_tags(text: &str) -> bool {
    !tags::find(text).is_empty()
}

impl Files {
    /// Those of a campaign with this HTML: the sources as they were written, and what the main template became.
    pub(super) fn new(campaign: &Campaign, html: &Loader<'_>, main: &str) -> Self {
        let attached = campaign
            .attachments
            .iter()
            .enumerate()
            .map(|(number, attachment)| {
                let path = PATHS.get(number).copied().filter(|_| has_tags(&attachment.file));
                let name = attachment.name.as_deref().filter(|name| has_tags(name));
                Attached {
                    file: SentFile {
                        path: attachment.file.clone(),
                        name: attachment.name.clone(),
                        used: match attachment.sent_as {
                            SentAs::Attachment => FileUse::Attached,
                            SentAs::Link => FileUse::Linked,
                            SentAs::Volumes(size) => FileUse::Volumes(size.0),
                        },
                        is_shared: path.is_none() && name.is_none(),
                        within: folder_before_tags(&attachment.file).map(str::to_owned),
                        adds_bom: attachment.adds_bom,
                    },
                    path,
                    name: name.and(NAMES.get(number).copied()),
                }
            });
        let mut files = Self {
            attached: attached.collect(),
            ..Self::default()
        };
        let sources = html.sources().map(|source| source.text.as_str());
        for image in sources.chain([html.text_of(main)]).flat_map(images::find) {
            match folder_before_tags(&image.path) {
                None => files.images.insert(image.path),
                Some(folder) => files.image_folders.insert(folder.to_owned()),
            };
        }
        files
    }

    /// Have recipients files of their own?
    pub(super) fn are_own(&self) -> bool {
        !self.image_folders.is_empty()
            || self
                .attached
                .iter()
                .any(|attached| attached.file.within.is_some())
    }

    /// Does rendering them need the values of a row as Handlebars wants them?
    pub(super) fn need_context(&self) -> bool {
        self.attached.iter().any(|attached| !attached.file.is_shared)
    }

    /// The attachments of one mail.
    pub(super) fn attached(
        &self,
        text: &Engine,
        context: Option<&Context>,
    ) -> Result<Vec<SentFile>, Box<Problem>> {
        let render = |template: Option<&'static str>, plain: &str| match (template, context) {
            (Some(template), Some(context)) => {
                text.render(template, context).map(|text| text.trim().to_owned())
            }
            _ => Ok(plain.to_owned()),
        };
        let one = |attached: &Attached| {
            let name = attached
                .file
                .name
                .as_deref()
                .map(|name| render(attached.name, name))
                .transpose()?;
            Ok(SentFile {
                path: render(attached.path, &attached.file.path)?,
                name,
                ..attached.file.clone()
            })
        };
        self.attached.iter().map(one).collect()
    }

    /// The attachments that are the same for everyone.
    pub(super) fn shared(&self) -> impl Iterator<Item = &SentFile> {
        let files = self.attached.iter().map(|attached| &attached.file);
        files.filter(|file| file.is_shared)
    }

    /// The images that are the same for everyone.
    pub(super) fn images(&self) -> impl Iterator<Item = &str> {
        self.images.iter().map(String::as_str)
    }

    /// Points the images of one mail to the parts that they become.
    pub(super) fn show(&self, html: &mut String, content_id: impl Fn(&str) -> String) -> Vec<SentFile> {
        if self.images.is_empty() && self.image_folders.is_empty() {
            return Vec::new();
        }
        let mut shown: Vec<SentFile> = Vec::new();
        for image in images::find(html).into_iter().rev() {
            let is_shared = self.images.contains(&image.path);
            let mut folders = self.image_folders.iter();
            let within = folders.rfind(|folder| !is_shared && image.path.starts_with(folder.as_str()));
            if !is_shared && within.is_none() {
                continue;
            }
            let cid = content_id(&image.path);
            html.replace_range(image.range, &format!("cid:{cid}"));
            if !shown.iter().any(|file| file.path == image.path) {
                shown.push(SentFile {
                    path: image.path,
                    name: None,
                    used: FileUse::Shown(cid),
                    is_shared,
                    within: within.cloned(),
                    adds_bom: false,
                });
            }
        }
        shown.reverse();
        shown
    }
}
