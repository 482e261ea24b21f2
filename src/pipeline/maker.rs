//! Makes the mail of one row: render, then compose. The loop, the check, previews and dry runs make it the same way.

use jiff::Timestamp;

use crate::campaign::{Campaign, Problem};
use crate::compose::{Composer, Footer, To};
use crate::ledger::Delivery;
use crate::mail::{Address, Columns, Content, DeliveryTag, Message, Recipient};
use crate::render::{Given, Templates};
use crate::source::RowReader;

/// Makes the mails of one campaign. Shared by threads.
#[derive(Debug)]
pub struct Maker {
    campaign: Campaign,
    uid: String,
    columns: Columns,
    templates: Templates,
    composer: Composer,
    postal_html: String,
}

/// A mail, and the content it was made from.
#[derive(Debug)]
pub struct Mail {
    /// What people see.
    pub content: Content,
    /// What is sent.
    pub message: Message,
}

impl Maker {
    /// Makes mails of this campaign; `uid` is what Message-IDs derive from.
    pub fn new(
        campaign: Campaign,
        uid: String,
        columns: Columns,
        templates: Templates,
        composer: Composer,
    ) -> Self {
        let postal_html = crate::render::escape_html(&campaign.postal_address);
        Self {
            campaign,
            uid,
            columns,
            templates,
            composer,
            postal_html,
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

    /// The templates.
    pub fn templates(&self) -> &Templates {
        &self.templates
    }

    /// Makes the mail of this recipient, dated now.
    pub fn make(&self, recipient: &Recipient, now_ms: i64) -> Result<Mail, Problem> {
        let tag = DeliveryTag::derive(&self.uid, &recipient.address);
        let link = self.composer.unsubscribe_link(tag);
        let date = Timestamp::from_millisecond(now_ms).unwrap_or_default();
        let day = date.strftime("%Y-%m-%d").to_string();
        let given = Given {
            unsubscribe_url: &link,
            postal_address: &self.campaign.postal_address,
            campaign: &self.campaign.name,
            date: &day,
        };
        let content = self.templates.render(recipient, &given)?;
        let footer = Footer {
            unsubscribe_link: &link,
            postal_text: &self.campaign.postal_address,
            postal_html: &self.postal_html,
        };
        let name = self.columns.name_of(recipient);
        let to = To {
            address: &recipient.address,
            name: name.as_deref(),
            tag,
        };
        let message = self
            .composer
            .compose(&to, &content, &footer, date)
            .map_err(|missing| {
                let place = recipient.place;
                Problem::with_file(&self.campaign.html, missing.to_string()).hint(format!(
                    "seen with the row at line {} of {}",
                    place.line,
                    self.campaign.recipients.display()
                ))
            })?;
        Ok(Mail { content, message })
    }

    /// Makes the mail of a delivery from its row, which was checked when it was enrolled.
    pub(super) fn again(&self, rows: &RowReader, delivery: &Delivery, now_ms: i64) -> anyhow::Result<Mail> {
        let recipient = rows.read(delivery.place)?;
        // By key: a list may be edited to spell an address otherwise.
        let is_same = recipient.address.key() == Address::key_of(&delivery.address);
        anyhow::ensure!(
            is_same,
            "the stored list has changed: line {} is another person",
            delivery.place.line
        );
        Ok(self
            .make(&recipient, now_ms)
            .map_err(crate::campaign::Problems::from)?)
    }
}
