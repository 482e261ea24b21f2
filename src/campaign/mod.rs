//! What the user wrote: the workspace (`mailshot.toml`) and the campaign (`campaigns/NAME.toml`), checked.

pub mod problem;
pub mod quota;
pub mod retry;
pub mod account;
pub mod secret;
pub mod provider;
pub mod workspace;
pub mod inputs;
pub mod law;
pub mod list;
pub mod attachment;
pub mod depot;
pub mod edition;
mod explain;
mod file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

pub use account::{Account, Login, Transport};
pub use attachment::{Attachment, SentAs, folder_before_tags};
pub use depot::{BucketSettings, DepotPlace, DepotSettings, FolderSettings};
pub use edition::{Edition, Language, Variant};
pub use file::{closest, plain};
pub use inputs::Inputs;
pub use law::{Law, Laws, SubjectMark};
pub use list::ListSettings;
pub use problem::{Problem, Problems};
pub use provider::Tls;
pub use secret::{Secret, SecretSource};
pub use workspace::{Lang, Unsubscribe, Workspace};

use crate::mail::{Address, Mailbox};
use file::File;

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
}

/// `campaigns/NAME.toml` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCampaign {
    name: Option<Spanned<String>>,
    account: Option<Spanned<String>>,
    from: Option<Spanned<String>>,
    reply_to: Option<Spanned<String>>,
    postal_address: Option<String>,
    subject: Spanned<String>,
    preheader: Option<String>,
    recipients: Spanned<PathBuf>,
    email_column: Option<String>,
    encoding: Option<Spanned<String>>,
    sheet: Option<String>,
    #[serde(rename = "where")]
    filter: Option<Spanned<String>>,
    #[serde(default)]
    exclude: Vec<Spanned<PathBuf>>,
    sample: Option<Spanned<list::NumberOrText>>,
    #[serde(default)]
    fix: bool,
    #[serde(default)]
    ignore_consent: bool,
    html: Option<Spanned<PathBuf>>,
    inline_css: Option<bool>,
    text: Option<Spanned<PathBuf>>,
    attachment: Option<Spanned<attachment::RawAttachments>>,
    lang: Option<Spanned<String>>,
    #[serde(default)]
    variant: Vec<edition::RawEdition>,
    #[serde(default)]
    language: BTreeMap<Spanned<String>, edition::RawEdition>,
    language_column: Option<Spanned<String>>,
    list_id: Option<Spanned<String>>,
    laws: Option<Vec<Spanned<String>>>,
    subject_mark: Option<Spanned<String>>,
    legal_basis: Option<Spanned<String>>,
}

/// Characters in a campaign's name at most.
const NAME_MAX: usize = 64;

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
}

impl Campaign {
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

impl RawCampaign {
    fn check(
        &self,
        file: &File<'_, Self>,
        workspace: &Workspace,
        problems: &mut Problems,
    ) -> Option<Campaign> {
        let account = self.account(file, workspace, problems);
        let from = mailbox(self.from.as_ref(), file, problems).or_else(|| workspace.from.clone());
        if from.is_none() {
            problems.push(no_sender(file.path));
        }
        let path = |path: &Spanned<PathBuf>| workspace.root.join(path.get_ref());
        for named in [Some(&self.recipients), self.html.as_ref(), self.text.as_ref()] {
            file.check_readable(named, &workspace.root, problems);
        }
        self.check_subject(file, problems);
        let laws = self.laws(file, workspace, problems);
        let postal_address = self.postal_address(file, workspace, problems);
        let name = self.name(file, problems);
        let mut list = self.list(file, workspace, &name, problems);
        list.allows_utf8 = account.as_ref().is_some_and(|account| account.smtputf8);
        if laws.want_consent() && list.consent == list::Consent::Honoured {
            list.consent = list::Consent::Wanted;
        }
        let from = from?;
        let account = account?;
        let mut attachments = attachment::all(self.attachment.as_ref(), workspace, file, problems);
        for attachment in &mut attachments {
            attachment.sent_as = attachment.sent_as.within(account.size_max);
        }
        let mut campaign = Campaign {
            list_id: self.list_id(&from.address, file, problems),
            file: file.path.to_owned(),
            account,
            reply_to: mailbox(self.reply_to.as_ref(), file, problems).or_else(|| workspace.reply_to.clone()),
            from,
            postal_address,
            subject: self.subject.get_ref().clone(),
            preheader: self.preheader.clone(),
            recipients: path(&self.recipients),
            list,
            laws,
            name,
            html: path(self.html(file, problems)?),
            inline_css: self.inline_css.unwrap_or(true),
            text: self.text.as_ref().map(path),
            attachments,
            lang: self.lang(file, problems),
            html_lang: None,
            variants: edition::variants(&self.variant, file, workspace, problems),
            languages: edition::languages(&self.language, file, workspace, problems),
            language_column: self.language_column(file, problems),
            warnings: edition::together(self, file, problems),
            unsubscribe: workspace.unsubscribe.clone(),
        };
        let words = campaign.subjects().flat_map(list::words_in_tags).collect();
        campaign.list.head_words = Some(words);
        Some(campaign)
    }

    /// The HTML template; the text's, when a mail is plain.
    fn html(&self, file: &File<'_, Self>, problems: &mut Problems) -> Option<&Spanned<PathBuf>> {
        let html = self.html.as_ref().or(self.text.as_ref());
        if html.is_none() {
            let hint =
                "write `html = \"templates/spring/body.html.hbs\"`, or `text = \"…\"` alone for a plain mail";
            problems.push(Problem::at(file.path, 1, 1, "there is no template").hint(hint));
        }
        html
    }

    fn postal_address(
        &self,
        file: &File<'_, Self>,
        workspace: &Workspace,
        problems: &mut Problems,
    ) -> String {
        let own = self.postal_address.as_ref().unwrap_or(&workspace.postal_address);
        if own.trim().is_empty() {
            let problem = Problem::with_file(file.path, "no postal address: every mail must show one");
            problems.push(problem.hint("set `postal_address` in [sender] of mailshot.toml"));
        }
        own.trim().to_owned()
    }

    fn name(&self, file: &File<'_, Self>, problems: &mut Problems) -> String {
        let stem = file
            .path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        let given = self.name.as_ref().map(|name| name.get_ref().trim().to_owned());
        let text = given.or(stem).unwrap_or_default();
        // Files and folders are named after it, so it must not lead out of them.
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
        let is_name = text.chars().next().is_some_and(char::is_alphanumeric) && text.chars().all(is_plain);
        if !is_name || text.chars().count() > NAME_MAX {
            let what = format!(
                "a campaign's name begins with a letter or digit, and has up to {NAME_MAX} letters, digits, \
                 spaces, `-`, `_` or `.`"
            );
            problems.push(match &self.name {
                Some(name) => file.problem(name, what),
                None => {
                    Problem::with_file(file.path, what).hint("set `name` in the campaign, or rename the file")
                }
            });
        }
        text
    }

    fn account(
        &self,
        file: &File<'_, Self>,
        workspace: &Workspace,
        problems: &mut Problems,
    ) -> Option<Account> {
        let known: Vec<&str> = workspace.accounts.keys().map(String::as_str).collect();
        let Some(name) = &self.account else {
            if let [only] = known.as_slice() {
                return workspace.accounts.get(*only).cloned();
            }
            let what = if known.is_empty() {
                "mailshot.toml has no account"
            } else {
                "which account is to send it?"
            };
            let hint = format!("add `account = …`; mailshot.toml has: {}", known.join(", "));
            problems.push(Problem::with_file(file.path, what).hint(hint));
            return None;
        };
        let account = workspace.accounts.get(name.get_ref()).cloned();
        if account.is_none() {
            let problem = file.problem(name, format!("mailshot.toml has no account `{}`", name.get_ref()));
            problems.push(problem.hint(format!("it has: {}", known.join(", "))));
        }
        account
    }

    fn language_column(&self, file: &File<'_, Self>, problems: &mut Problems) -> Option<list::Said> {
        if let Some(column) = self.language_column.as_ref().filter(|_| self.language.is_empty()) {
            let problem = file.problem(column, "there is no language to choose");
            problems.push(problem.hint("write `[language.zh]` with what is its own, such as `html`"));
        }
        if self.language_column.is_none() && !self.language.is_empty() {
            let problem = file.problem_in_table("language", "no column says who gets which language");
            problems.push(problem.hint("set `language_column`"));
        }
        self.language_column.as_ref().map(|column| list::Said {
            text: column.get_ref().clone(),
            at: file.problem(column, ""),
        })
    }

    fn lang(&self, file: &File<'_, Self>, problems: &mut Problems) -> Lang {
        workspace::parse_or_report(self.lang.as_ref(), file, problems, str::parse).unwrap_or_default()
    }

    fn check_subject(&self, file: &File<'_, Self>, problems: &mut Problems) {
        let subject = self.subject.get_ref();
        if subject.trim().is_empty() {
            problems.push(file.problem(&self.subject, "the subject is empty"));
        }
        if subject.trim().contains(['\r', '\n']) {
            problems.push(file.problem(&self.subject, "a line break in the subject"));
        }
    }

    /// Stable over campaigns: by default named after the list file and the sender's domain.
    fn list_id(&self, from: &Address, file: &File<'_, Self>, problems: &mut Problems) -> String {
        let Some(id) = &self.list_id else {
            let stem = self
                .recipients
                .get_ref()
                .file_stem()
                .map(|stem| stem.to_string_lossy().to_lowercase());
            let label: String = stem
                .unwrap_or_default()
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .collect();
            let label = if label.is_empty() {
                "list".to_owned()
            } else {
                label
            };
            return format!("<{label}.{}>", from.domain());
        };
        let text = id.get_ref().trim();
        let inner = text.rsplit_once('<').and_then(|(_, id)| id.strip_suffix('>'));
        let is_id = |id: &str| {
            id.contains('.')
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        };
        if !inner.is_some_and(is_id) || text.contains(['\r', '\n']) {
            problems.push(
                file.problem(id, "not a list identifier")
                    .hint("write it like \"News <news.example.com>\""),
            );
        }
        text.to_owned()
    }
}

fn mailbox<T>(
    text: Option<&Spanned<String>>,
    file: &File<'_, T>,
    problems: &mut Problems,
) -> Option<Mailbox> {
    workspace::parse_or_report(text, file, problems, |text| {
        Mailbox::parse(text).map_err(|fault| fault.what)
    })
}

fn no_sender(path: &Path) -> Problem {
    Problem::with_file(path, "no sender: `from` is missing").hint("set `from` in [sender] of mailshot.toml")
}
