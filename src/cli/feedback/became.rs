//! What became of what came back: the words that all ways of taking it in share.

use super::super::counted::{addresses, reports};
use super::super::printer::Printer;
use crate::ledger::Received;
use crate::text;
use crate::words::Text;

/// A line about something that was taken in; `received` says what became of it, where there was a ledger to ask.
pub(super) fn line(line: Text, received: Option<&Received>) -> Text {
    let Some(received) = received else {
        return line;
    };
    match (received.suppressed, &received.campaign) {
        (Some(reason), _) => text!("{line} → suppressed ({reason})", line, reason = reason.said()),
        (None, Some(_)) if !received.is_new => text!("{line} (taken in before)", line),
        (None, None) => text!("{line} (of no mail on record)", line),
        (None, Some(_)) => line,
    }
}

/// What follows from them all.
#[derive(Default)]
pub(super) struct Sum {
    /// Reports about mails that the ledger does not know.
    strange: u64,
    /// Reports that were taken in before.
    known: u64,
    suppressed: u64,
    held: Vec<(String, String)>,
}

impl Sum {
    pub(super) fn count(&mut self, received: &[Received]) {
        for one in received {
            self.strange += u64::from(one.address.is_none());
            self.known += u64::from(one.address.is_some() && !one.is_new);
            self.suppressed += u64::from(one.suppressed.is_some());
            if let (Some(campaign), Some(why)) = (&one.campaign, &one.held) {
                self.held.push((campaign.clone(), why.clone()));
            }
        }
    }

    pub(super) fn say(&self, is_dry: bool, printer: Printer) {
        if self.known > 0 {
            printer.say(text!("{reports} taken in before", reports = reports(self.known)));
        }
        if self.strange > 0 {
            printer.say(text!(
                "{reports} about mails that are not on record here: nobody is suppressed for them",
                reports = reports(self.strange)
            ));
        }
        if is_dry {
            printer.say(text!("nothing was changed (--dry-run)"));
        } else {
            printer.say(text!(
                "{addresses} mailed no more from now on",
                addresses = addresses(self.suppressed)
            ));
        }
        for (campaign, why) in &self.held {
            printer.warn(text!(
                "campaign {campaign} is held: {why}; `mailshot report {campaign}` shows what came back",
                campaign = campaign.as_str(),
                why = Text::kept(why)
            ));
        }
    }
}
