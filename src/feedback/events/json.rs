//! Events in JSON: of Amazon SES (alone, and in a notification of SNS), SendGrid, Mailgun, Postmark, Brevo, listmonk, Alibaba
//! Cloud (EventBridge), Tencent SES, and whatever names a recipient and a type.

use serde_json::Value;

use super::{Found, Raw, moment};
use crate::replies::Judge;

/// How deep events may lie in others: a notification of SNS has one as text.
const DEPTH_MAX: usize = 4;

pub(super) fn read(text: &str, judge: &Judge, found: &mut Found) {
    if let Ok(value) = serde_json::from_str(text) {
        return take(&value, "1", DEPTH_MAX, judge, found);
    }
    for (number, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let place = (number + 1).to_string();
        match serde_json::from_str(line) {
            Ok(value) => take(&value, &place, DEPTH_MAX, judge, found),
            Err(_broken) => found.strange.push(place),
        }
    }
}

fn take(value: &Value, place: &str, depth: usize, judge: &Judge, found: &mut Found) {
    let Some(depth) = depth.checked_sub(1) else {
        found.strange.push(place.to_owned());
        return;
    };
    if let Some(all) = value.as_array() {
        for (number, value) in all.iter().enumerate() {
            take(value, &format!("{place}[{number}]"), depth, judge, found);
        }
        return;
    }
    // SNS brings an event as text; Amazon's own id is that of the notification.
    if let Some(message) = value.get("Message").and_then(Value::as_str)
        && value.get("TopicArn").is_some()
    {
        match serde_json::from_str(message) {
            Ok(message) => take(&message, place, depth, judge, found),
            Err(_not_an_event) => found.passed_over += 1,
        }
        return;
    }
    let raws = raws(value);
    if raws.is_empty() {
        found.strange.push(place.to_owned());
    }
    for raw in raws {
        found.take(raw, place, judge);
    }
}

fn raws(value: &Value) -> Vec<Raw> {
    let has = |key: &str| value.get(key).is_some();
    if has("mail") && (has("eventType") || has("notificationType")) {
        ses(value)
    } else if let Some(event) = value.get("event-data") {
        vec![mailgun(event)]
    } else if has("RecordType") {
        vec![postmark(value)]
    } else if value.get("data").is_some_and(|data| data.get("rcpt").is_some()) {
        vec![directmail(value)]
    } else if has("sg_event_id") || has("sg_message_id") {
        vec![sendgrid(value)]
    } else if has("bulkId") {
        vec![plain(value, "tencent-ses")]
    } else if has("message-id") && has("ts_event") {
        vec![plain(value, "brevo")]
    } else if has("source") && has("type") && has("email") {
        vec![plain(value, "listmonk")]
    } else {
        let raw = plain(value, "json");
        let is_event = !raw.address.is_empty() && !raw.what.is_empty();
        is_event.then_some(raw).into_iter().collect()
    }
}

/// The first of these fields that has something in it, as text.
fn text(value: &Value, paths: &[&str]) -> String {
    let found = paths.iter().find_map(|path| match value.pointer(path)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    found.unwrap_or_default()
}

fn some(value: &Value, paths: &[&str]) -> Option<String> {
    Some(text(value, paths)).filter(|text| !text.is_empty())
}

/// Source: Amazon SES, "Contents of event data", "Contents of notifications".
fn ses(value: &Value) -> Vec<Raw> {
    let what = text(value, &["/eventType", "/notificationType"]);
    let (part, people) = match what.as_str() {
        "Bounce" => ("bounce", "/bounce/bouncedRecipients"),
        "Complaint" => ("complaint", "/complaint/complainedRecipients"),
        "DeliveryDelay" => ("deliveryDelay", "/deliveryDelay/delayedRecipients"),
        "Delivery" => ("delivery", "/delivery/recipients"),
        _ => ("mail", "/mail/destination"),
    };
    let about = value.get(part).unwrap_or(&Value::Null);
    // The header's Message-ID is ours; SES writes its own over it, and keeps ours among the headers.
    let headers = value.pointer("/mail/headers").and_then(Value::as_array);
    let ours = headers.into_iter().flatten().find(|header| {
        text(header, &["/name"]).eq_ignore_ascii_case("x-original-message-id")
            || text(header, &["/name"]).eq_ignore_ascii_case("message-id")
    });
    let people = value
        .pointer(people)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let raw = |person: &Value| Raw {
        provider: "ses",
        id: some(about, &["/feedbackId"]).or_else(|| some(value, &["/mail/messageId"])),
        what: what.clone(),
        more: text(about, &["/bounceType"]),
        address: person
            .as_str()
            .map_or_else(|| text(person, &["/emailAddress"]), str::to_owned),
        message_id: ours.map(|header| text(header, &["/value"])),
        at_ms: moment(&text(about, &["/timestamp"])),
        said: text(person, &["/diagnosticCode", "/status"]),
    };
    people.iter().map(raw).collect()
}

/// Source: Mailgun, "Webhooks", `event-data`.
fn mailgun(event: &Value) -> Raw {
    Raw {
        provider: "mailgun",
        id: some(event, &["/id"]),
        what: text(event, &["/event"]),
        more: text(event, &["/severity"]),
        address: text(event, &["/recipient"]),
        message_id: some(event, &["/message/headers/message-id"]),
        at_ms: moment(&text(event, &["/timestamp"])),
        said: coded(
            &text(event, &["/delivery-status/code"]),
            &text(
                event,
                &[
                    "/delivery-status/message",
                    "/delivery-status/description",
                    "/reason",
                ],
            ),
        ),
    }
}

/// Source: Postmark, "Bounce webhook", "Spam complaint webhook", "Subscription change webhook".
fn postmark(value: &Value) -> Raw {
    let mut what = text(value, &["/RecordType"]);
    if what == "SubscriptionChange" && value.get("SuppressSending") == Some(&Value::Bool(false)) {
        "resubscribe".clone_into(&mut what);
    }
    Raw {
        provider: "postmark",
        id: some(value, &["/ID"]).map(|id| format!("{what} {id}")),
        more: text(value, &["/Type", "/SuppressionReason"]),
        what,
        address: text(value, &["/Email", "/Recipient"]),
        message_id: some(value, &["/Metadata/message_id", "/Metadata/Message-ID"]),
        at_ms: moment(&text(value, &["/BouncedAt", "/ChangedAt", "/DeliveredAt"])),
        said: text(value, &["/Details", "/Description"]),
    }
}

/// Source: Twilio SendGrid, "Event Webhook Reference".
fn sendgrid(value: &Value) -> Raw {
    let what = text(value, &["/event"]);
    let more = match (what.as_str(), text(value, &["/type"]).as_str()) {
        ("bounce", "bounce" | "") => "hard".to_owned(),
        (_, more) => more.to_owned(),
    };
    Raw {
        provider: "sendgrid",
        id: some(value, &["/sg_event_id"]),
        what,
        more,
        address: text(value, &["/email"]),
        message_id: some(value, &["/smtp-id", "/smtp_id"]),
        at_ms: moment(&text(value, &["/timestamp"])),
        said: coded(
            &text(value, &["/status"]),
            &text(value, &["/reason", "/response"]),
        ),
    }
}

/// Source: Alibaba Cloud, "Direct Mail events" of EventBridge.
fn directmail(value: &Value) -> Raw {
    Raw {
        provider: "directmail",
        id: some(value, &["/id"]),
        what: text(value, &["/type", "/data/event"]),
        more: text(value, &["/data/failed_type"]),
        address: text(value, &["/data/rcpt"]),
        message_id: some(value, &["/data/header/X-Notify-Message-ID", "/data/msg_id"]),
        at_ms: moment(&text(value, &["/time", "/data/deliver_time"])),
        said: text(value, &["/data/err_msg"]),
    }
}

/// An event with its fields side by side. Sources: Brevo, "Transactional webhooks"; listmonk, "Bounce processing"; Tencent
/// Cloud SES, "Email event notification".
fn plain(value: &Value, provider: &'static str) -> Raw {
    Raw {
        provider,
        id: some(value, &["/event_id", "/uuid"]),
        what: text(value, &["/event", "/type", "/kind", "/status"]),
        more: text(value, &["/bounceType", "/bounce_type", "/severity"]),
        address: text(value, &["/email", "/recipient", "/address", "/to", "/rcpt"]),
        message_id: some(value, &["/message-id", "/message_id", "/messageId"]),
        at_ms: moment(&text(
            value,
            &["/ts_event", "/timestamp", "/time", "/date", "/ts"],
        )),
        said: text(value, &["/reason", "/message", "/error", "/meta", "/response"]),
    }
}

/// A reply with its code, where that stands apart.
fn coded(code: &str, message: &str) -> String {
    if code.is_empty() || message.trim_start().starts_with(|c: char| c.is_ascii_digit()) {
        message.to_owned()
    } else {
        format!("{code} {message}")
    }
}
