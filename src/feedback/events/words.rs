//! What providers call what happens to mails.

use crate::mail::{Feedback, Severity};

/// What a word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// Something that concerns us; of a bounce, how bad it is, or that it is still being tried.
    Kind(Feedback, Option<Severity>),
    /// Nothing that matters: it was opened, clicked, queued.
    Nothing,
}

const HARD: Meant = Meant::Kind(Feedback::Bounce, Some(Severity::Hard));
const SOFT: Meant = Meant::Kind(Feedback::Bounce, Some(Severity::Soft));
const DELAYED: Meant = Meant::Kind(Feedback::Bounce, None);
const COMPLAINT: Meant = Meant::Kind(Feedback::Complaint, None);
const UNSUBSCRIBE: Meant = Meant::Kind(Feedback::Unsubscribe, None);
const DELIVERED: Meant = Meant::Kind(Feedback::Delivered, None);

/// Words, without case, blanks and marks. Sources: the documentation of events of Amazon SES, SendGrid, Mailgun, Postmark,
/// Brevo, listmonk, Alibaba Cloud (EventBridge, types of Direct Mail; the delivery details of its console) and Tencent SES.
const WORDS: &[(&[&str], Meant)] = &[
    (
        &[
            "hard",
            "hardbounce",
            "hardbounced",
            "permanent",
            "invalid",
            "invalidemail",
            "invalidaddress",
            "bademailaddress",
            "manuallydeactivated",
            "mailboxnotfound",
            "undeliverable",
            "suppressed",
            "onaccountsuppressionlist",
            "nxbox",
            "smtpnxbox",
            "无效地址",
            "硬退信",
            "永久失败",
        ],
        HARD,
    ),
    (
        &[
            "soft",
            "softbounce",
            "softbounced",
            "transient",
            "temporary",
            "blocked",
            "block",
            "undetermined",
            "dnserror",
            "spamnotification",
            "smtpapierror",
            "autoresponder",
            "unknown",
            "failed",
            "fail",
            "failure",
            "dropped",
            "rejected",
            "reject",
            "error",
            "dmdeliverfail",
            "bounce",
            "bounced",
            "rendering failure",
            "软退信",
            "临时失败",
            "投递失败",
            "失败",
            "垃圾邮件",
            "其他失败",
        ],
        SOFT,
    ),
    (
        &[
            "deferred",
            "delayed",
            "deliverydelay",
            "deliverydelayed",
            "retrying",
        ],
        DELAYED,
    ),
    (
        &[
            "complaint",
            "complained",
            "spam",
            "spamreport",
            "spamcomplaint",
            "reportedspam",
            "abuse",
            "dmfeedbackfblreport",
            "markedasspam",
            "投诉",
            "举报",
        ],
        COMPLAINT,
    ),
    (
        &[
            "unsubscribe",
            "unsubscribed",
            "groupunsubscribe",
            "listunsubscribe",
            "dmfeedbackunsubscribe",
            "subscriptionchange",
            "optout",
            "optedout",
            "退订",
        ],
        UNSUBSCRIBE,
    ),
    (
        &[
            "delivered",
            "delivery",
            "success",
            "succeeded",
            "dmdeliversucceed",
            "sentsuccess",
            "投递成功",
            "成功",
            "0",
        ],
        DELIVERED,
    ),
    (
        &[
            "send",
            "sent",
            "processed",
            "request",
            "requests",
            "accepted",
            "queued",
            "open",
            "opened",
            "uniqueopened",
            "proxyopen",
            "uniqueproxyopen",
            "firstopening",
            "click",
            "clicked",
            "dmtraceopen",
            "dmtraceclick",
            "dmfeedbacksubscribe",
            "dmvalidatorgraylistresult",
            "groupresubscribe",
            "resubscribe",
            "subscribe",
            "subscription",
            "stored",
            "inbound",
            "renderingfailure",
            "listaddition",
            "contactupdated",
            "contactdeleted",
        ],
        Meant::Nothing,
    ),
];

/// What a provider means by a word, and by the word that says more about it; none when nobody knows.
pub(super) fn meant(what: &str, more: &str) -> Option<Meant> {
    let first = known(what)?;
    match (first, known(more)) {
        // A bounce is what its type says.
        (Meant::Kind(Feedback::Bounce, Some(_)), Some(second @ Meant::Kind(Feedback::Bounce, _))) => {
            Some(second)
        }
        _ => Some(first),
    }
}

fn known(word: &str) -> Option<Meant> {
    let word: String = word
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let found = WORDS.iter().find(|(words, _)| words.contains(&word.as_str()));
    found.map(|(_, meant)| *meant)
}
