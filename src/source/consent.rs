//! May this person be mailed? Exports say so in columns of their own, which are honoured unless the user says otherwise.

use csv::StringRecord;

use super::columns::bare;

/// Why a person on the list is not to be mailed, as far as the list tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// They left.
    Unsubscribed,
    /// Mail to them came back.
    Bounced,
    /// They complained.
    Complained,
    /// They never agreed, or may not be mailed for another reason.
    NoConsent,
}

impl Withheld {
    /// The reason as the suppression list keeps it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unsubscribed => "unsubscribe",
            Self::Bounced => "hard bounce",
            Self::Complained => "complaint",
            Self::NoConsent => "no consent",
        }
    }
}

/// How a column says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// Withheld when it is a no: "accepts marketing".
    No,
    /// Withheld when it is anything but a no or nothing: "opted out".
    Yes,
    /// Withheld unless it is one of the words for subscribed.
    Subscribed,
    /// Withheld when it is one of the words for somebody who has left.
    Status,
}

/// Columns by their headers as [`bare`] gives them. Sources: the exports of Mailchimp, Brevo, Shopify, Klaviyo, listmonk,
/// Keila, Kit, Ghost, Substack, Active Campaign, Constant Contact, `HubSpot`, Salesforce, Mailer Lite; Chinese sheets.
const COLUMNS: [(Says, Withheld, &[&str]); 7] = [
    (
        Says::No,
        Withheld::NoConsent,
        &[
            "acceptsemailmarketing",
            "acceptsmarketing",
            "emailmarketing",
            "subscribedtoemails",
            "subscribed",
            "issubscribed",
            "optin",
            "emailoptin",
            "marketingoptin",
            "consent",
            "emailconsent",
            "marketingconsent",
            "gdprconsent",
            "newsletter",
            "接受邮件营销",
            "接受营销邮件",
            "接受邮件",
            "同意接收邮件",
            "是否订阅",
        ],
    ),
    (Says::Subscribed, Withheld::NoConsent, &["emailmarketingconsent"]),
    (
        Says::Yes,
        Withheld::Unsubscribed,
        &[
            "emailblacklisted",
            "emailblocklisted",
            "optedout",
            "optout",
            "emailoptout",
            "hasoptedoutofemail",
            "unsubscribed",
            "isunsubscribed",
            "unsubscribedat",
            "unsubscribedfromallemail",
            "unsubtime",
            "optouttime",
            "donotcontact",
            "donotemail",
            "dnc",
            "退订",
            "已退订",
            "是否退订",
            "退订时间",
            "黑名单",
            "拒收",
        ],
    ),
    (
        Says::Yes,
        Withheld::Bounced,
        &[
            "cleantime",
            "bounced",
            "bouncedat",
            "hardbounced",
            "emaildisabled",
            "退信",
        ],
    ),
    (
        Says::Yes,
        Withheld::NoConsent,
        &["emailsuppressions", "deletedat"],
    ),
    (Says::Yes, Withheld::Complained, &["complained", "complainedat"]),
    (
        Says::Status,
        Withheld::NoConsent,
        &[
            "status",
            "emailstatus",
            "memberstatus",
            "contactstatus",
            "subscriberstatus",
            "subscriptionstatus",
            "emailmarketingstatus",
            "marketingstatus",
            "marketingcontactstatus",
            "状态",
            "订阅状态",
            "邮箱状态",
        ],
    ),
];

/// What a status may be of somebody who is not to be mailed.
const STATUSES: [(Withheld, &[&str]); 4] = [
    (
        Withheld::Unsubscribed,
        &[
            "unsubscribed",
            "unsubscribe",
            "optedout",
            "optout",
            "cancelled",
            "canceled",
            "退订",
            "已退订",
            "取消订阅",
            "已取消",
        ],
    ),
    (
        Withheld::Bounced,
        &[
            "cleaned",
            "bounced",
            "bounce",
            "hardbounce",
            "hardbounced",
            "unreachable",
            "undeliverable",
            "invalid",
            "退信",
            "无效",
        ],
    ),
    (
        Withheld::Complained,
        &[
            "complained",
            "complaint",
            "spam",
            "spamcomplaint",
            "markedasspam",
            "投诉",
        ],
    ),
    (
        Withheld::NoConsent,
        &[
            "blocklisted",
            "blacklisted",
            "blocked",
            "disabled",
            "inactive",
            "suppressed",
            "archived",
            "deleted",
            "removed",
            "donotcontact",
            "nonsubscribed",
            "notsubscribed",
            "neversubscribed",
            "nonmarketingcontact",
            "unconfirmed",
            "notoptedin",
            "黑名单",
            "拒收",
            "停用",
            "禁用",
            "未订阅",
            "未确认",
        ],
    ),
];

const NO: [&str; 13] = [
    "no",
    "n",
    "false",
    "f",
    "0",
    "off",
    "nein",
    "non",
    "否",
    "不",
    "不接受",
    "不同意",
    "未订阅",
];
const NOTHING: [&str; 7] = ["", "-", "[]", "{}", "null", "none", "n/a"];
const SUBSCRIBED: [&str; 4] = ["subscribed", "true", "yes", "1"];

/// The columns of one list that say who may be mailed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Consent {
    columns: Vec<(usize, Says, Withheld)>,
    /// Is silence a no?
    wants_yes: bool,
}

impl Consent {
    /// Finds them by their headers.
    pub(super) fn find(headers: &[String], wants_yes: bool) -> Self {
        let say = |(index, header): (usize, &String)| {
            let name = bare(header.trim_end_matches(['?', '？']));
            let found = COLUMNS
                .iter()
                .find(|(_, _, names)| names.contains(&name.as_str()));
            found.map(|(says, why, _)| (index, *says, *why))
        };
        Self {
            columns: headers.iter().enumerate().filter_map(say).collect(),
            wants_yes,
        }
    }

    /// Does a column say who has agreed, and not only who has left?
    pub(super) fn tells_who_agreed(&self) -> bool {
        self.columns
            .iter()
            .any(|(_, says, _)| matches!(says, Says::No | Says::Subscribed))
    }

    /// Does no column of the list say anything about it?
    pub(super) fn is_silent(&self) -> bool {
        self.columns.is_empty()
    }

    /// The first column that speaks against mailing this person, and why.
    pub(super) fn withholds(&self, values: &StringRecord) -> Option<(usize, Withheld)> {
        self.columns.iter().find_map(|(index, says, why)| {
            let cell = values.get(*index).unwrap_or_default().trim();
            if cell.is_empty() {
                let is_no = *says == Says::Subscribed || (*says == Says::No && self.wants_yes);
                return is_no.then_some((*index, *why));
            }
            let word = bare(cell);
            let is = |words: &[&str]| words.contains(&word.as_str()) || words.contains(&cell);
            let withheld = match says {
                Says::No => is(&NO).then_some(*why),
                Says::Yes => (!is(&NO) && !is(&NOTHING)).then_some(*why),
                Says::Subscribed => (!is(&SUBSCRIBED)).then_some(*why),
                Says::Status => STATUSES.iter().find(|(_, words)| is(words)).map(|(why, _)| *why),
            };
            withheld.map(|why| (*index, why))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every export of the table below as header, a cell that withholds and one that does not.
    #[test]
    fn the_columns_of_each_export_are_honoured() {
        use Withheld::{Bounced, Complained, NoConsent, Unsubscribed};
        for (header, withheld, free, why) in [
            ("Accepts Email Marketing", "no", "yes", NoConsent),
            ("Accepts Marketing", "No", "", NoConsent),
            ("EMAIL_BLACKLISTED", "true", "false", Unsubscribed),
            ("EMAIL_BLACKLISTED", "1", "0", Unsubscribed),
            ("EMAIL_BLACKLISTED", "Yes", "No", Unsubscribed),
            ("UNSUB_TIME", "2025-01-02 03:04:05", "", Unsubscribed),
            ("CLEAN_TIME", "2025-01-02 03:04:05", "", Bounced),
            ("Status", "Unsubscribed", "Active", Unsubscribed),
            ("status", "blocklisted", "enabled", NoConsent),
            ("Status", "Unreachable", "Active", Bounced),
            ("status", "complained", "active", Complained),
            ("Email status", "Unsubscribed", "Confirmed", Unsubscribed),
            ("email_disabled", "true", "false", Bounced),
            ("subscribed_to_emails", "false", "true", NoConsent),
            (
                "Email Marketing Consent",
                "NEVER_SUBSCRIBED",
                "SUBSCRIBED",
                NoConsent,
            ),
            ("Email Marketing Consent", "", "SUBSCRIBED", NoConsent),
            ("Email Suppressions", "UNSUBSCRIBE", "[]", NoConsent),
            ("Opted Out", "yes", "no", Unsubscribed),
            ("接受邮件营销", "否", "是", NoConsent),
            ("是否退订？", "是", "否", Unsubscribed),
        ] {
            let consent = Consent::find(&["Email".to_owned(), header.to_owned()], false);
            let judge = |cell: &str| consent.withholds(&StringRecord::from(vec!["a@b.c", cell]));
            assert_eq!(judge(withheld), Some((1, why)), "{header}: {withheld}");
            assert_eq!(judge(free), None, "{header}: {free}");
        }
    }

    #[test]
    fn columns_of_other_meaning_say_nothing() {
        let consent = Consent::find(
            &["email".to_owned(), "order_status".to_owned(), "note".to_owned()],
            false,
        );
        assert_eq!(
            consent.withholds(&StringRecord::from(vec!["a@b.c", "cancelled", "unsubscribed"])),
            None
        );
    }
}
