//! May this person be mailed? Exports say so in columns of their own, which are honoured unless the user says otherwise.

mod words;

use csv::StringRecord;

use super::columns::bare;
use crate::mail::Reason;
use words::{COLUMNS, NO, NOTHING, STATUSES, YES};

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
    /// The reason as the suppression list keeps it, and a note to it.
    pub fn reason(self) -> (Reason, String) {
        match self {
            Self::Unsubscribed => (Reason::Unsubscribe, String::new()),
            Self::Bounced => (Reason::HardBounce, String::new()),
            Self::Complained => (Reason::Complaint, String::new()),
            Self::NoConsent => (Reason::Import, "no consent".to_owned()),
        }
    }
}

/// What a row says against mailing its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The column that says so, and what is in it.
    pub column: usize,
    /// The cell.
    pub cell: String,
    /// What that means.
    pub why: Withheld,
}

/// How a column says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// Withheld unless it is a yes, or silent: "accepts marketing".
    No,
    /// Withheld when it is anything but a no or nothing: "opted out".
    Yes,
    /// Withheld unless it is a yes; silence is a no.
    Subscribed,
    /// Withheld when it has one of the words for somebody who has left.
    Status,
}

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
            let has = |words: &[&str]| words.iter().any(|part| word.contains(part));
            let withheld = match says {
                Says::No | Says::Subscribed => (!is(&YES) && !is_date(cell)).then_some(*why),
                // The link by which they may leave does not say that they left.
                Says::Yes => {
                    let is_link = cell.starts_with("http");
                    (!is(&NO) && !is(&NOTHING) && !is_link).then_some(*why)
                }
                Says::Status => STATUSES.iter().find(|(_, words)| has(words)).map(|(why, _)| *why),
            };
            withheld.map(|why| (*index, why))
        })
    }
}

/// A day, in whatever order: it begins with digits, which go on after a mark.
fn is_date(cell: &str) -> bool {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let rest = cell.trim_start_matches(|c: char| c.is_ascii_digit());
    digits >= 4 && rest.len() < cell.len() && rest.starts_with(['-', '/', '.', '年', ' ', ','])
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
            ("consent", "withdrawn", "2025-01-02", NoConsent),
            ("consent", "pending", "✓", NoConsent),
            ("consent", "拒绝", "同意", NoConsent),
            ("consent", "nej", "Ja", NoConsent),
            ("subscribed", "not subscribed", "subscribed", NoConsent),
            ("newsletter", "opt-out", "Opt-in", NoConsent),
            ("Status", "Unsubscribed (by user)", "Subscribed", Unsubscribed),
            ("Status", "bouncing", "confirmed", Bounced),
            ("status", "pending", "paid", NoConsent),
            ("状态", "已取消订阅", "正常", Unsubscribed),
            ("状态", "黑名单用户", "已订阅", NoConsent),
            ("Email opt-in status", "Opted out", "Opted in", Unsubscribed),
            (
                "Email subscriber status",
                "Unsubscribed",
                "Subscribed",
                Unsubscribed,
            ),
            ("Unsubscribe", "2025-01-02", "https://u.example/x", Unsubscribed),
            ("blacklisted", "1", "0", Unsubscribed),
        ] {
            says(header, (withheld, free), why);
        }
    }

    #[test]
    fn a_status_says_who_never_confirmed_and_what_came_back() {
        use Withheld::{Bounced, NoConsent, Unsubscribed};
        for (header, withheld, free, why) in [
            ("Merge status", "UNSUBSCRIBED", "EMAIL_OPENED", Unsubscribed),
            ("Merge status", "BOUNCED", "EMAIL_SENT", Bounced),
            ("Email status", "Awaiting confirmation", "Active", NoConsent),
            (
                "Email permission status",
                "No permissions set",
                "Express",
                NoConsent,
            ),
        ] {
            says(header, (withheld, free), why);
        }
    }

    fn says(header: &str, (withheld, free): (&str, &str), why: Withheld) {
        let consent = Consent::find(&["Email".to_owned(), header.to_owned()], false);
        let judge = |cell: &str| consent.withholds(&StringRecord::from(vec!["a@b.c", cell]));
        assert_eq!(judge(withheld), Some((1, why)), "{header}: {withheld}");
        assert_eq!(judge(free), None, "{header}: {free}");
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
