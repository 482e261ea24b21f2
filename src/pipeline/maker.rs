//! Makes the mail of one row: render, then compose. The loop, the check, previews and dry runs make it the same way.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::bundle::{self, Bundle, Stores};
use crate::campaign::{Campaign, Law, Problem, Problems, SubjectMark, law};
use crate::compose::{Body, Composer, Footer, Links, Postal, Shelf, To};
use crate::depot::Depot;
use crate::ledger::Delivery;
use crate::mail::{
    Address, BigFile, Columns, Content, DeliveryTag, FileUse, Mails, Message, NameColumns, Recipient,
    SentFile, Volume,
};
use crate::render::{Editions, Given};
use crate::source::RowReader;
use crate::text;
use crate::words::Text;

/// How templates are rendered.
type Render = fn(&Editions, &Recipient, &Given<'_>) -> Result<Content, Problem>;

/// Makes the mails of one campaign. Shared by threads.
#[derive(Debug)]
pub struct Maker {
    campaign: Campaign,
    uid: String,
    name_columns: NameColumns,
    // Boxed: makers are handed on by value, also through futures.
    means: Box<Means>,
    postal: Box<Postal>,
}

/// What mails are made with.
#[derive(Debug)]
pub struct Means {
    /// Make the content.
    pub templates: Editions,
    /// Makes the message.
    pub composer: Composer,
    /// Has the files.
    pub shelf: Shelf,
    /// Signs links to files that are too big for a mail.
    pub depot: Option<Arc<Depot>>,
}

/// A mail, and the content it was made from.
#[derive(Debug)]
pub struct Mail {
    /// What people see.
    pub content: Content,
    /// What is sent.
    pub message: Message,
    /// All mails that this recipient gets.
    pub mails: Mails,
}

impl Maker {
    /// Makes mails of this campaign; `uid` is what Message-IDs derive from.
    pub fn new(campaign: Campaign, uid: String, columns: &Columns, means: Means) -> Self {
        let postal_html = crate::render::escape_html(&campaign.postal_address);
        let postal = Postal::new(&campaign.postal_address, &postal_html);
        Self {
            campaign,
            uid,
            name_columns: columns.name_columns(),
            means: Box::new(means),
            postal: Box::new(postal),
        }
    }

    /// The campaign.
    pub fn campaign(&self) -> &Campaign {
        &self.campaign
    }

    /// The same for the campaign that the ledger knows by this `uid`.
    #[must_use]
    pub fn known_as(self, uid: String) -> Self {
        Self { uid, ..self }
    }

    /// The same with links that work.
    #[must_use]
    pub fn with_depot(mut self, depot: Arc<Depot>) -> Self {
        self.means.depot = Some(depot);
        self
    }

    /// The templates.
    pub fn templates(&self) -> &Editions {
        &self.means.templates
    }

    /// The images that mails show and that no row decides: their paths as the HTML has them, and where they are.
    pub fn images(&self) -> impl Iterator<Item = (String, PathBuf)> {
        let all = self.means.templates.images().into_iter();
        all.filter_map(|path| Some((path.to_owned(), self.means.shelf.image(path)?)))
    }

    /// Makes the mail of this recipient, dated now.
    pub fn make(&self, recipient: &Recipient, now_ms: i64) -> Result<Mail, Problem> {
        self.make_volume(recipient, Volume::FIRST, now_ms)
    }

    /// Makes one of the mails to this recipient.
    pub fn make_volume(&self, recipient: &Recipient, volume: Volume, now_ms: i64) -> Result<Mail, Problem> {
        let mail = self.make_with(Editions::render, recipient, volume, now_ms)?;
        self.signed(mail, recipient, now_ms)
    }

    /// Makes the same message in less time. Its content is for nobody to see: its lines may end otherwise.
    pub fn make_to_send(&self, recipient: &Recipient, now_ms: i64) -> Result<Mail, Problem> {
        let mail = self.make_to_check(recipient, now_ms)?;
        self.signed(mail, recipient, now_ms)
    }

    /// Makes the same message without its signatures, which take longer than all the rest. That the keys can sign was
    /// tried when the maker was made.
    pub fn make_to_check(&self, recipient: &Recipient, now_ms: i64) -> Result<Mail, Problem> {
        self.make_with(Editions::render_to_send, recipient, Volume::FIRST, now_ms)
    }

    /// Octets of a mail when it is signed, more or less.
    pub fn size_when_signed(&self, mail: &Mail) -> usize {
        mail.message.bytes.len() + self.means.composer.signatures_size()
    }

    fn signed(&self, mut mail: Mail, recipient: &Recipient, now_ms: i64) -> Result<Mail, Problem> {
        let signed = self.means.composer.sign(&mut mail.message, date_of(now_ms));
        signed.map_err(|unsigned| {
            Problem::with_file(
                &self.campaign.file,
                text!(
                    "the mail could not be signed with selector `{selector}`",
                    selector = &unsigned.selector
                ),
            )
            .seen_with(&self.campaign.recipients, recipient.place.line)
        })?;
        Ok(mail)
    }

    /// The mails that this recipient gets.
    pub fn mails(&self, recipient: &Recipient, now_ms: i64) -> Result<Mails, Problem> {
        if !self.campaign.has_volumes() {
            return Ok(Mails::ONE);
        }
        let tag = DeliveryTag::derive(&self.uid, &recipient.address, Volume::FIRST);
        let links = self.means.composer.links(tag);
        let content = self.content(Editions::render_to_send, recipient, &links, date_of(now_ms))?;
        bundle::mails(&self.means.shelf, &content.files).map_err(|what| self.of_row(recipient, what))
    }

    /// The files that mails link to, as far as they are known: those that all share, and those of the mails made so far.
    pub fn linked(&self) -> Result<Vec<BigFile>, Problem> {
        let files = &self.means.shelf;
        for file in self.means.templates.shared_files() {
            if file.used == FileUse::Linked {
                files
                    .big(file)
                    .map_err(|what| Problem::with_file(&self.campaign.file, what))?;
            }
        }
        Ok(files.linked())
    }

    fn make_with(
        &self,
        render: Render,
        recipient: &Recipient,
        volume: Volume,
        now_ms: i64,
    ) -> Result<Mail, Problem> {
        let tag = DeliveryTag::derive(&self.uid, &recipient.address, volume);
        let links = self.means.composer.links(tag);
        let date = date_of(now_ms);
        let mut content = self.content(render, recipient, &links, date)?;
        self.mark_subject(&mut content.subject, recipient)?;
        let stores = Stores {
            shelf: &self.means.shelf,
            depot: self.means.depot.as_deref(),
        };
        let bundle = Bundle::new(stores, &content.files, volume, now_ms)
            .map_err(|what| self.of_row(recipient, what))?;
        let mails = bundle.mails();
        let count = mails.count;
        self.means
            .templates
            .enclose(&mut content, &bundle.enclosures, count, recipient)?;
        if count > 1 {
            content.subject = format!("{} ({}/{count})", content.subject, volume.get());
        }
        let footer = Footer {
            links: &links,
            postal: &self.postal,
        };
        let body = Body {
            content: &content,
            footer: &footer,
            files: &bundle.attachments,
        };
        let name = self.name_columns.name_of(recipient);
        let to = To {
            address: &recipient.address,
            name: name.as_deref(),
            tag,
        };
        let message = self.means.composer.compose(&to, &body, date).map_err(|missing| {
            Problem::at(&self.campaign.html, 1, 1, Text::kept(missing))
                .seen_with(&self.campaign.recipients, recipient.place.line)
        })?;
        Ok(Mail {
            content,
            message,
            mails,
        })
    }

    /// What templates make for this recipient.
    fn content(
        &self,
        render: Render,
        recipient: &Recipient,
        links: &Links,
        date: Timestamp,
    ) -> Result<Content, Problem> {
        let day = date.strftime("%Y-%m-%d").to_string();
        let given = Given {
            unsubscribe_url: links.preferred(),
            postal_address: &self.campaign.postal_address,
            campaign: &self.campaign.name,
            date: &day,
        };
        render(&self.means.templates, recipient, &given)
    }

    /// What is wrong with a file of this row.
    fn of_row(&self, recipient: &Recipient, what: Text) -> Problem {
        let campaign = self.campaign.file.display();
        let hint = text!("for this row, as {campaign} or its templates name it", campaign);
        Problem::at(&self.campaign.recipients, recipient.place.line, 1, what).hint(hint)
    }

    /// A file of a mail: its content type and what is in it.
    pub fn file(&self, file: &SentFile) -> Option<(String, Vec<u8>)> {
        self.means.shelf.content(file)
    }

    /// Under the law of China an advertisement says so first.
    fn mark_subject(&self, subject: &mut String, recipient: &Recipient) -> Result<(), Problem> {
        let laws = &self.campaign.laws;
        if !laws.include(Law::Cn) || law::is_marked(subject) {
            return Ok(());
        }
        if laws.subject_mark == SubjectMark::Auto {
            let lang = self.means.templates.lang_for(recipient);
            subject.insert_str(0, law::mark(subject, lang));
            return Ok(());
        }
        let what = text!(
            "the subject `{subject}` does not begin with `广告` or `AD`, as the law of China wants",
            subject
        );
        let problem = self.means.templates.subject_problem(recipient, &what);
        Err(problem.hint(text!("`subject_mark = \"auto\"` puts it there")))
    }

    /// Makes the mail of a delivery from its row, which was checked when it was enrolled. Gives the address that stands
    /// there as well, if it was repaired.
    pub(super) fn again(
        &self,
        rows: &RowReader,
        delivery: &Delivery,
        now_ms: i64,
    ) -> anyhow::Result<(Mail, Option<Address>)> {
        let recipient = rows.read(delivery.place)?;
        // By key: a list may be edited to spell an address otherwise.
        let is_same = recipient.address.key() == Address::key_of(&delivery.address);
        anyhow::ensure!(
            is_same,
            "the stored list has changed: line {} is another person",
            delivery.place.line
        );
        let mail = self
            .make_with(Editions::render_to_send, &recipient, delivery.volume, now_ms)
            .and_then(|mail| self.signed(mail, &recipient, now_ms))
            .map_err(|problem| Problems {
                not_done: Some(Box::new(text!(
                    "the run ends here; this mail was not sent, and `mailshot status` says how many were"
                ))),
                ..Problems::from(problem)
            })?;
        anyhow::ensure!(
            mail.mails.cut == delivery.cut,
            "the files that {} gets in volumes were edited while the campaign was sent; the run ends here, and this mail \
             was not sent",
            delivery.address
        );
        Ok((mail, rows.written(&recipient)))
    }
}

fn date_of(now_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(now_ms).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::campaign::Workspace;
    use crate::mail::Place;

    fn maker(root: &std::path::Path, html: &str, text: &str) -> Maker {
        let file = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
        file(
            "mailshot.toml",
            "[sender]\nfrom = \"a@b.example\"\npostal_address = \"1 Road\\nTown\"\n[account.main]\nhost = \"localhost\"\nport = 25\ntls = \"none\"\n[unsubscribe]\nmailto = \"u@b.example\"\n",
        );
        file(
            "c.toml",
            "subject = \"Hi {{name}}!\"\npreheader = \"{{name}}\"\nrecipients = \"l.csv\"\nhtml = \"b.html.hbs\"\ntext = \"b.txt.hbs\"\n",
        );
        file("l.csv", "email,name\n");
        file("b.html.hbs", html);
        file("b.txt.hbs", text);
        let workspace = Workspace::load(root).unwrap();
        let campaign = Campaign::load(&root.join("c.toml"), &workspace).unwrap();
        let columns = Columns {
            names: vec!["email".to_owned(), "name".to_owned()],
            headers: vec!["Email".to_owned(), "Name".to_owned()],
            email: 0,
        };
        let templates = Editions::compile(&campaign, &columns, root).unwrap();
        let composer = Composer::new(&campaign, campaign.unsubscribe.key().unwrap());
        let means = Means {
            templates,
            composer,
            shelf: Shelf::new(root, &campaign.html),
            depot: None,
        };
        Maker::new(campaign, "uid".to_owned(), &columns, means)
    }

    fn bytes_as_text(mail: &Mail) -> String {
        String::from_utf8_lossy(&mail.message.bytes).into_owned()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn what_is_sent_is_what_is_shown(
            html in "(<p>|a|\r|\n|\r\n|\\{\\{name\\}\\}|\\{\\{#if name\\}\\}x\\{\\{/if\\}\\}){0,8}",
            text in "(b|\r|\n|\r\n|\\{\\{name\\}\\}|\\{\\{\\{footer\\}\\}\\}){0,8}",
            name in "(c|<|\r|\n|\r\n| ){0,6}",
        ) {
            let folder = tempfile::tempdir().unwrap();
            let maker = maker(folder.path(), &html, &text);
            let recipient = Recipient {
                address: Address::parse("li@example.com").unwrap(),
                place: Place { line: 2, offset: 0, length: 0 },
                values: ["li@example.com", &name].into_iter().collect(),
            };
            let shown = maker.make(&recipient, 1_795_410_622_000).map(|mail| bytes_as_text(&mail));
            let sent = maker.make_to_send(&recipient, 1_795_410_622_000).map(|mail| bytes_as_text(&mail));
            prop_assert_eq!(shown, sent);
        }
    }
}
