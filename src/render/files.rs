//! Files that go with a mail: the names of attachments, which may hold tags, and the images that the HTML shows.

use handlebars::Context;

use super::engine::Engine;
use super::{images, tags};
use crate::campaign::{Campaign, Problem};
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
    /// Does the HTML name images that are files of ours?
    shows_images: bool,
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
    pub(super) fn new(campaign: &Campaign, html: &str) -> Self {
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
                        used: FileUse::Attached,
                        is_shared: path.is_none() && name.is_none(),
                        adds_bom: attachment.adds_bom,
                    },
                    path,
                    name: name.and(NAMES.get(number).copied()),
                }
            });
        Self {
            attached: attached.collect(),
            shows_images: !images::find(html).is_empty(),
        }
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

    /// Points the images of one mail to the parts that they become.
    pub(super) fn show(&self, html: &mut String, content_id: impl Fn(&str) -> String) -> Vec<SentFile> {
        if !self.shows_images {
            return Vec::new();
        }
        let mut shown: Vec<SentFile> = Vec::new();
        for image in images::find(html).into_iter().rev() {
            let cid = content_id(&image.path);
            html.replace_range(image.range, &format!("cid:{cid}"));
            if !shown.iter().any(|file| file.path == image.path) {
                shown.push(SentFile {
                    path: image.path,
                    name: None,
                    used: FileUse::Shown(cid),
                    is_shared: true,
                    adds_bom: false,
                });
            }
        }
        shown.reverse();
        shown
    }
}
