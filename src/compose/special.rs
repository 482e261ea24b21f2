//! Headers that one provider reads: tags, streams, what is followed. Which they are stands in the data of the provider.
//! Sources: the documents named in `mailshot providers`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use crate::campaign::provider::{Sort, TagRule, Track};
use crate::campaign::{Campaign, Tracked};

/// The special headers of a campaign's mails, in the order they are written.
pub(super) fn headers(campaign: &Campaign) -> Vec<(&str, String)> {
    let account = &campaign.account;
    let rules = &account.headers;
    let mut all = Vec::new();
    if let Some(rule) = &rules.tags {
        all.extend(tags(rule, campaign));
    }
    if let (Some(header), Some(stream)) = (&rules.stream, &account.stream) {
        all.push((header.as_str(), stream.clone()));
    }
    if let (Some(track), Some(tracked)) = (rules.track, campaign.track) {
        all.extend(followed(track, tracked));
    }
    all
}

fn tags<'c>(rule: &'c TagRule, campaign: &'c Campaign) -> Vec<(&'c str, String)> {
    let header = rule.header.as_str();
    let tags = &campaign.tags;
    let is_said = !tags.is_empty() || campaign.track.is_some();
    match rule.form {
        Sort::Each => tags.iter().map(|tag| (header, tag.clone())).collect(),
        Sort::Pairs if tags.is_empty() => Vec::new(),
        Sort::Pairs => vec![(header, pairs(tags))],
        Sort::Alidm if is_said => vec![(header, alidm(tags, campaign.track.unwrap_or_default()))],
        Sort::Category if is_said => vec![(header, category(tags, campaign.track))],
        Sort::Alidm | Sort::Category => Vec::new(),
    }
}

/// `tag=spring, tag2=tea`: names must differ. Source: Amazon SES, message tags.
fn pairs(tags: &[String]) -> String {
    let named = tags.iter().enumerate().map(|(index, tag)| match index {
        0 => format!("tag={tag}"),
        index => format!("tag{}={tag}", index + 1),
    });
    named.collect::<Vec<_>>().join(", ")
}

/// The values are texts: "1" and "0". Nothing is followed unless the campaign says so.
fn alidm(tags: &[String], track: Tracked) -> String {
    let digit = |is: bool| if is { "1" } else { "0" };
    let mut value = json!({ "OpenTrace": digit(track.opens), "LinkTrace": digit(track.links) });
    if let (Some(tag), Some(value)) = (tags.first(), value.as_object_mut()) {
        value.insert("TagName".to_owned(), tag.as_str().into());
    }
    BASE64_STANDARD.encode(value.to_string())
}

/// One header alone may have this name, so that what is followed stands in it as well.
fn category(tags: &[String], track: Option<Tracked>) -> String {
    let mut value = Map::new();
    if !tags.is_empty() {
        value.insert("category".to_owned(), tags.into());
    }
    if let Some(track) = track {
        let filter = |is: bool| json!({ "settings": { "enable": u8::from(is) } });
        let filters = json!({ "opentrack": filter(track.opens), "clicktrack": filter(track.links) });
        value.insert("filters".to_owned(), filters);
    }
    Value::Object(value).to_string()
}

/// Headers that say nothing but what is followed.
fn followed(track: Track, tracked: Tracked) -> Vec<(&'static str, String)> {
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    match track {
        // It stands beside the tags.
        Track::Alidm | Track::Sendgrid => Vec::new(),
        Track::Mailgun => vec![
            ("X-Mailgun-Track-Opens", yes(tracked.opens)),
            ("X-Mailgun-Track-Clicks", yes(tracked.links)),
        ],
        Track::Postmark => vec![
            ("X-PM-TrackOpens", tracked.opens.to_string()),
            (
                "X-PM-TrackLinks",
                if tracked.links { "HtmlAndText" } else { "None" }.to_owned(),
            ),
        ],
    }
}
