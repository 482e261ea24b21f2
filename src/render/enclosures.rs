//! What a mail says of files too big for it: links to fetch them by, volumes to put together. It stands where the
//! template puts `{{{enclosures}}}`, else before the footer.

use std::path::Path;

use handlebars::Context;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Flavour;
use super::builtin::{self, Builtin};
use super::engine::{Engine, Prepared};
use super::source::Source;
use crate::campaign::octets::Octets;
use crate::campaign::{Lang, Problem};
use crate::mail::file::{plain_name, volume_name};
use crate::mail::token::hex;
use crate::mail::{Content, Enclosure};

/// Its name among templates and variables. It can be neither a column's nor a partial's.
pub(super) const NAME: &str = "@e";
/// The tag that puts the mark there. It is not longer than `{{enclosures}}`, so that columns stay true.
pub(super) const TAG: &str = "{{&[@e]}}";
/// Stands in the rendered mail until it is known what to say. No reader shows it.
pub(super) const MARK: &str = "<!--enclosures-->";

/// The templates of what is said, for one language.
#[derive(Debug)]
pub(super) struct Enclosures {
    html: Engine,
    text: Engine,
}

impl Enclosures {
    /// Those of a language: the workspace's own, else the ones built in.
    pub(super) fn read(workspace_root: &Path, lang: Lang) -> Result<Self, Problem> {
        let engine = |flavour| {
            let source = builtin::read(workspace_root, Builtin::Enclosures, lang, flavour)?;
            let mut engine = Engine::new(flavour);
            engine.add(NAME.to_owned(), &source, Prepared::new(source.text.clone()))?;
            Ok(engine)
        };
        Ok(Self {
            html: engine(Flavour::Html)?,
            text: engine(Flavour::Text)?,
        })
    }

    /// The files that users have written for it.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        let all = self.html.sources().chain(self.text.sources());
        all.filter(|source| source.is_file())
    }

    /// Says what there is to say of the files of one of so many mails.
    pub(super) fn say(
        &self,
        content: &mut Content,
        enclosures: &[Enclosure],
        mails: u32,
    ) -> Result<(), Box<Problem>> {
        let shown = Context::from(seen(enclosures, mails));
        for (engine, part) in [(&self.html, &mut content.html), (&self.text, &mut content.text)] {
            let said = match enclosures {
                [] => String::new(),
                _ => engine.render(NAME, &shown)?,
            };
            *part = part.replacen(MARK, said.trim(), 1);
        }
        Ok(())
    }
}

/// What the templates see.
fn seen(enclosures: &[Enclosure], mails: u32) -> Value {
    let mut links = Vec::new();
    let mut files = Vec::new();
    for enclosure in enclosures {
        match enclosure {
            Enclosure::Link { file, url, until_ms } => {
                let until = Timestamp::from_millisecond(*until_ms).unwrap_or_default();
                links.push(json!({
                    "name": file.name,
                    "size": Octets(file.size).to_string(),
                    "sha256": hex(&file.digest),
                    "url": url,
                    "until": until.strftime("%Y-%m-%d %H:%M UTC").to_string(),
                }));
            }
            Enclosure::Volumes { file, count, here } => {
                let names: Vec<String> = (1..=*count)
                    .map(|number| volume_name(&file.name, number))
                    .collect();
                let joined = |quote: char, between: &str| {
                    let quoted = names.iter().map(|name| format!("{quote}{name}{quote}"));
                    quoted.collect::<Vec<_>>().join(between)
                };
                files.push(json!({
                    "name": plain_name(&file.name),
                    "size": Octets(file.size).to_string(),
                    "sha256": hex(&file.digest),
                    "count": count,
                    "here": here.map(|number| volume_name(&file.name, number)),
                    "first": names.first(),
                    "plus": joined('"', "+"),
                    "spaced": joined('\'', " "),
                }));
            }
        }
    }
    json!({ "links": links, "files": files, "mails": mails })
}
