//! `campaigns/NAME.toml` as written, and how it becomes a [`Campaign`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::file::File;
use super::{
    Account, Attachment, Campaign, Lang, Problem, Problems, Workspace, attachment, edition, labels, list,
    sender,
};
use crate::mail::{Address, Mailbox};
use crate::text;
use crate::words::Text;

/// `campaigns/NAME.toml` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCampaign {
    pub(super) name: Option<Spanned<String>>,
    pub(super) account: Option<Spanned<String>>,
    pub(super) from: Option<Spanned<String>>,
    pub(super) reply_to: Option<Spanned<String>>,
    pub(super) postal_address: Option<String>,
    pub(super) subject: Spanned<String>,
    pub(super) preheader: Option<String>,
    pub(super) recipients: Spanned<PathBuf>,
    pub(super) email_column: Option<String>,
    pub(super) encoding: Option<Spanned<String>>,
    pub(super) sheet: Option<String>,
    #[serde(rename = "where")]
    pub(super) filter: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) exclude: Vec<Spanned<PathBuf>>,
    pub(super) sample: Option<Spanned<list::NumberOrText>>,
    #[serde(default)]
    pub(super) fix: bool,
    #[serde(default)]
    pub(super) ignore_consent: bool,
    pub(super) html: Option<Spanned<PathBuf>>,
    pub(super) inline_css: Option<bool>,
    pub(super) text: Option<Spanned<PathBuf>>,
    pub(super) attachment: Option<Spanned<attachment::RawAttachments>>,
    pub(super) lang: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) variant: Vec<edition::RawEdition>,
    #[serde(default)]
    pub(super) language: BTreeMap<Spanned<String>, edition::RawEdition>,
    pub(super) language_column: Option<Spanned<String>>,
    pub(super) list_id: Option<Spanned<String>>,
    pub(super) tags: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) track: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) laws: Option<Vec<Spanned<String>>>,
    pub(super) subject_mark: Option<Spanned<String>>,
    pub(super) legal_basis: Option<Spanned<String>>,
}

/// Characters in a campaign's name at most.
const NAME_MAX: usize = 64;

impl RawCampaign {
    pub(super) fn check(
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
        let mut warnings = edition::together(self, file, problems);
        let from_at = self.from.as_ref().map(|from| file.problem(from, Text::default()));
        let from_at = from_at.or_else(|| workspace.from_at.clone());
        warnings.extend(sender::check(&from, &account, from_at, problems));
        let labels = labels::check(self, &account, file, problems);
        warnings.extend(labels.warnings);
        let attachments = self.attachments(file, workspace, &account, problems);
        let mut campaign = Campaign {
            list_id: self.list_id(&from.address, file, problems),
            file: file.path.to_owned(),
            reply_to: mailbox(self.reply_to.as_ref(), file, problems).or_else(|| workspace.reply_to.clone()),
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
            warnings,
            unsubscribe: workspace.unsubscribe.clone(),
            tags: labels.tags,
            track: labels.track,
            account,
            from,
        };
        let words = campaign.subjects().flat_map(list::words_in_tags).collect();
        campaign.list.head_words = Some(words);
        Some(campaign)
    }

    /// The files that go with every mail, in volumes that the account takes.
    fn attachments(
        &self,
        file: &File<'_, Self>,
        workspace: &Workspace,
        account: &Account,
        problems: &mut Problems,
    ) -> Vec<Attachment> {
        let mut attachments = attachment::all(self.attachment.as_ref(), workspace, file, problems);
        for attachment in &mut attachments {
            attachment.sent_as = attachment.sent_as.within(account.size_max);
        }
        attachments
    }

    /// The HTML template; the text's, when a mail is plain.
    fn html(&self, file: &File<'_, Self>, problems: &mut Problems) -> Option<&Spanned<PathBuf>> {
        let html = self.html.as_ref().or(self.text.as_ref());
        if html.is_none() {
            let hint = text!(
                "write `html = \"templates/spring/body.html.hbs\"`, or `text = \"…\"` alone for a plain mail"
            );
            problems.push(Problem::at(file.path, 1, 1, text!("there is no template")).hint(hint));
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
            let problem = Problem::with_file(file.path, text!("no postal address: every mail must show one"));
            problems.push(problem.hint(text!("set `postal_address` in [sender] of mailshot.toml")));
        }
        own.trim().to_owned()
    }

    pub(super) fn name(&self, file: &File<'_, Self>, problems: &mut Problems) -> String {
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
            let what = text!(
                "a campaign's name begins with a letter or digit, and has up to {most} letters, digits, \
                 spaces, `-`, `_` or `.`",
                most = NAME_MAX
            );
            problems.push(match &self.name {
                Some(name) => file.problem(name, what),
                None => Problem::with_file(file.path, what)
                    .hint(text!("set `name` in the campaign, or rename the file")),
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
                text!("mailshot.toml has no account")
            } else {
                text!("which account is to send it?")
            };
            let hint = text!(
                "add `account = …`; mailshot.toml has: {known}",
                known = known.join(", ")
            );
            problems.push(Problem::with_file(file.path, what).hint(hint));
            return None;
        };
        let account = workspace.accounts.get(name.get_ref()).cloned();
        if account.is_none() {
            let problem = file.problem(
                name,
                text!("mailshot.toml has no account `{name}`", name = name.get_ref()),
            );
            problems.push(problem.hint(text!("it has: {known}", known = known.join(", "))));
        }
        account
    }

    fn language_column(&self, file: &File<'_, Self>, problems: &mut Problems) -> Option<list::Said> {
        if let Some(column) = self.language_column.as_ref().filter(|_| self.language.is_empty()) {
            let problem = file.problem(column, text!("there is no language to choose"));
            problems.push(problem.hint(text!(
                "write `[language.zh]` with what is its own, such as `html`"
            )));
        }
        if self.language_column.is_none() && !self.language.is_empty() {
            let problem = file.problem_in_table("language", text!("no column says who gets which language"));
            problems.push(problem.hint(text!("set `language_column`")));
        }
        self.language_column.as_ref().map(|column| list::Said {
            text: column.get_ref().clone(),
            at: file.problem(column, Text::default()),
        })
    }

    fn lang(&self, file: &File<'_, Self>, problems: &mut Problems) -> Lang {
        file.parse(self.lang.as_ref(), problems, edition::footer_language)
            .unwrap_or_default()
    }

    fn check_subject(&self, file: &File<'_, Self>, problems: &mut Problems) {
        let subject = self.subject.get_ref();
        if subject.trim().is_empty() {
            problems.push(file.problem(&self.subject, text!("the subject is empty")));
        }
        if subject.trim().contains(['\r', '\n']) {
            problems.push(file.problem(&self.subject, text!("a line break in the subject")));
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
                file.problem(id, text!("not a list identifier"))
                    .hint(text!("write it like \"News <news.example.com>\"")),
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
    file.parse(text, problems, |text| {
        Mailbox::parse(text).map_err(|fault| fault.what)
    })
}

fn no_sender(path: &Path) -> Problem {
    Problem::with_file(path, text!("no sender: `from` is missing"))
        .hint(text!("set `from` in [sender] of mailshot.toml"))
}
