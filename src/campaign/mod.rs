//! What the user wrote: the workspace (`mailshot.toml`) and the campaign (`campaigns/NAME.toml`), checked.

pub mod problem;
pub mod octets;
pub mod quota;
pub mod pace;
pub mod retry;
pub mod limits;
pub mod account;
pub mod egress;
pub mod secret;
pub mod provider;
pub mod workspace;
pub mod unsubscribe;
pub mod serve;
pub mod inputs;
pub mod law;
pub mod list;
pub mod attachment;
pub mod depot;
pub mod edition;
pub mod labels;
mod explain;
mod file;
mod raw;
mod sender;

use std::path::{Path, PathBuf};

pub use crate::words::Lang;
pub use account::{Account, Dkim, Inbox, Login, Protocol, Transport};
pub use attachment::{Attachment, SentAs, folder_before_tags};
pub use depot::{BucketSettings, DepotPlace, DepotSettings, FolderSettings};
pub use edition::{Edition, Language, Lots, Variant};
pub use egress::{Egress, Passage};
pub use explain::closest;
pub use file::plain;
pub use inputs::Inputs;
pub use labels::Tracked;
pub use law::{Law, Laws, SubjectMark};
pub use list::ListSettings;
pub use problem::{Problem, Problems};
pub use provider::{Port, Tls};
pub use secret::{Secret, SecretSource};
pub use serve::ServeSettings;
pub use unsubscribe::{Scope, Unsubscribe};
pub use workspace::Workspace;

use crate::mail::Mailbox;
use file::File;
use raw::RawCampaign;

/// One mailing: who sends what to whom.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// Its name: `name`, else the file's name.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// The account it goes out by.
    pub account: Account,
    /// The sender shown to people.
    pub from: Mailbox,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Mailbox>,
    /// The sender's postal address, which stands in every mail.
    pub postal_address: String,
    /// The subject's template.
    pub subject: String,
    /// The template of the line that mailboxes show beside the subject.
    pub preheader: Option<String>,
    /// The list.
    pub recipients: PathBuf,
    /// How the list is read.
    pub list: ListSettings,
    /// The HTML template; the same as the text's in a plain mail.
    pub html: PathBuf,
    /// Are styles written into the elements they are for?
    pub inline_css: bool,
    /// The text template; made from the HTML when absent.
    pub text: Option<PathBuf>,
    /// The laws it is held to.
    pub laws: Laws,
    /// Files that go with every mail.
    pub attachments: Vec<Attachment>,
    /// The language of the footer.
    pub lang: Lang,
    /// The language of the HTML, as BCP 47 writes it; else that of the footer.
    pub html_lang: Option<String>,
    /// Several variants, between which recipients are divided by lot; none as a rule.
    pub variants: Vec<Variant>,
    /// The campaign in other languages.
    pub languages: Vec<Language>,
    /// The column by which the language is chosen.
    pub language_column: Option<list::Said>,
    /// What is not wrong in its file, and yet is hardly meant.
    pub warnings: Vec<Problem>,
    /// How people leave.
    pub unsubscribe: Unsubscribe,
    /// The list's name and identifier for List-ID. Source: RFC 2919.
    pub list_id: String,
    /// What the provider counts this campaign under.
    pub tags: Vec<String>,
    /// What the provider is to follow; none: its own settings decide.
    pub track: Option<Tracked>,
}

impl Campaign {
    /// Reads and checks a campaign file of this workspace. Files it names must exist.
    pub fn load(path: &Path, workspace: &Workspace) -> Result<Self, Problems> {
        let file = File::<RawCampaign>::read(path)?;
        let mut problems = Problems::default();
        let campaign = file.value.check(&file, workspace, &mut problems);
        match campaign {
            Some(campaign) => problems.or_ok(campaign),
            None => Err(problems),
        }
    }

    /// Is there a text template alone, from which the HTML is made?
    pub fn is_plain(&self) -> bool {
        self.text.as_ref() == Some(&self.html)
    }

    /// The language that the HTML is said to be in.
    pub fn html_lang(&self) -> &str {
        self.html_lang.as_deref().unwrap_or(match self.lang {
            Lang::En => "en",
            Lang::Zh => "zh-CN",
        })
    }

    /// Is a file behind a link?
    pub fn has_links(&self) -> bool {
        self.ways().any(|way| way == SentAs::Link)
    }

    /// Is a file split over several mails?
    pub fn has_volumes(&self) -> bool {
        self.ways().any(|way| matches!(way, SentAs::Volumes(_)))
    }

    fn ways(&self) -> impl Iterator<Item = SentAs> {
        self.attachments.iter().map(|attachment| attachment.sent_as)
    }

    /// The name in a campaign file, whatever else is wrong with the campaign.
    pub fn name_in(path: &Path) -> Result<String, Problems> {
        let file = File::<RawCampaign>::read(path)?;
        let mut problems = Problems::default();
        let name = file.value.name(&file, &mut problems);
        problems.or_ok(name)
    }
}
