//! What a composed mail looks like on the wire.

use mail_builder::MessageBuilder;
use mail_builder::mime::{BodyPart, MimePart};
use proptest::prelude::*;

use super::*;
use crate::mail::{Mailbox, Volume};

fn composer(url: Option<&str>, mailto: Option<&str>) -> Composer {
    let from = Mailbox::parse("Aurora Home 极光 <news@aurora-home.example>").unwrap();
    let name = headers::mailbox("From", from.name.as_deref(), &from.address);
    let feedback_id = headers::feedback_id("spring", "main");
    let unsubscribe = Unsubscribe {
        url: url.map(str::to_owned),
        mailto: mailto.map(|mailto| Address::parse(mailto).unwrap()),
        key_file: "unsubscribe.key".into(),
        old_key_files: Vec::new(),
        scope: crate::campaign::Scope::All,
    };
    Composer {
        sender: from.address,
        fixed: Fixed::new(&name, None, url.is_some(), LIST_ID, &feedback_id),
        link_start: Finder::new(links_of(&unsubscribe, "").preferred()).into_owned(),
        unsubscribe,
        key: UnsubscribeKey::from_text(&"k".repeat(64)).unwrap(),
        signers: Vec::new(),
        signatures_size: 0,
    }
}

const LIST_ID: &str = "<customers.aurora-home.example>";

fn compose(composer: &Composer, subject: &str, body: &str) -> Result<Message, FooterMissing> {
    let address = Address::parse("ming.wang@example.com").unwrap();
    let tag = DeliveryTag::derive("uid", &address, Volume::FIRST);
    let links = composer.links(tag);
    let link = links.preferred();
    let text = format!("{body}\n{link}\n1 Road & Lane");
    let html = format!("<p>{body}</p><a href=\"{link}\">x</a> 1 Road &amp; Lane");
    let content = Content {
        subject: subject.to_owned(),
        text,
        html,
        files: Vec::new(),
    };
    let footer = Footer {
        links: &links,
        postal: &Postal::new("1 Road & Lane", "1 Road &amp; Lane"),
    };
    let to = To {
        address: &address,
        name: Some("王小明"),
        tag,
    };
    composer.compose(
        &to,
        &Body {
            content: &content,
            footer: &footer,
            files: &[],
        },
        "2026-11-23T05:10:22Z".parse().unwrap(),
    )
}

const URL: Option<&str> = Some("https://news.aurora-home.example");
const MAILTO: Option<&str> = Some("unsubscribe@aurora-home.example");

#[test]
fn a_mail_has_every_header_a_bulk_mail_needs() {
    let message = compose(&composer(URL, MAILTO), "春天来了 Spring 🌱", "Hello").unwrap();
    insta::assert_snapshot!(String::from_utf8(message.bytes).unwrap().replace("\r\n", "\n"));
}

#[test]
fn one_click_is_promised_only_with_an_https_link() {
    let bytes = compose(&composer(None, MAILTO), "s", "b").unwrap().bytes;
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("List-Unsubscribe: <mailto:unsubscribe@aurora-home.example?subject=unsubscribe-"));
    assert!(!text.contains("List-Unsubscribe-Post"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let composer = composer(URL, MAILTO);
    assert_eq!(compose(&composer, "s", "b"), compose(&composer, "s", "b"));
}

#[test]
fn lines_are_short_and_end_with_crlf() {
    let long = "很长的一行".repeat(2_000);
    let bytes = compose(&composer(URL, MAILTO), &"主题".repeat(200), &long)
        .unwrap()
        .bytes;
    let text = String::from_utf8(bytes).unwrap();
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
    for line in text.split("\r\n") {
        // List-Unsubscribe holds links that cannot be folded.
        assert!(
            line.len() <= 78 || line.starts_with(" <") || line.starts_with("List-Unsubscribe"),
            "{line}"
        );
        assert!(line.len() <= 998);
    }
    let body = text.split("base64\r\n\r\n").nth(1).unwrap();
    assert_eq!(body.lines().next().unwrap().len(), 76);
}

#[test]
fn a_mail_without_its_footer_cannot_be_composed() {
    let composer = composer(URL, MAILTO);
    let address = Address::parse("a@example.com").unwrap();
    let tag = DeliveryTag::derive("uid", &address, Volume::FIRST);
    let links = composer.links(tag);
    let link = links.preferred();
    let to = To {
        address: &address,
        name: None,
        tag,
    };
    let footer = Footer {
        links: &links,
        postal: &Postal::new("1 Road", "1 Road"),
    };
    let full = format!("{link} 1 Road");
    for (text, html, part, what) in [
        ("1 Road", full.as_str(), "text", "unsubscribe link"),
        (full.as_str(), "1 Road", "HTML", "unsubscribe link"),
        (link, full.as_str(), "text", "postal address"),
        (full.as_str(), link, "HTML", "postal address"),
        (
            full.as_str(),
            &format!("<!--[if mso]>{full}<![endif]-->"),
            "HTML",
            "unsubscribe link",
        ),
    ] {
        let content = Content {
            subject: "s".to_owned(),
            text: text.to_owned(),
            html: html.to_owned(),
            files: Vec::new(),
        };
        let refused = composer.compose(
            &to,
            &Body {
                content: &content,
                footer: &footer,
                files: &[],
            },
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(refused.unwrap_err(), FooterMissing { part, what });
    }
}

/// The same mail by mail-builder alone, which composed all mails once.
fn reference(composer: &Composer, to: &To<'_>, content: &Content, links: &Links, date: Timestamp) -> Vec<u8> {
    let from = Mailbox::parse("Aurora Home 极光 <news@aurora-home.example>").unwrap();
    let from = headers::mailbox("From", from.name.as_deref(), &from.address);
    let to_name = to.name.filter(|name| !name.trim().is_empty());
    let message_id = to.tag.message_id(composer.sender.domain());
    let part = |kind, text: &str| {
        let mut encoded = Vec::new();
        encodify::base64::MIME.encode_append(lines::canonical(text).as_bytes(), &mut encoded);
        let kind = ContentType::new(kind).attribute("charset", "utf-8");
        MimePart::new(kind, BodyPart::Binary(encoded.into())).transfer_encoding("base64")
    };
    let parts = vec![
        part("text/plain", &content.text),
        part("text/html", &content.html),
    ];
    let boundary = format!("=_{}", to.tag.hex());
    let kind = ContentType::new("multipart/alternative").attribute("boundary", boundary);
    let mut bytes = Vec::new();
    MessageBuilder::new()
        .header("From", Raw::new(from))
        .header("To", Raw::new(headers::mailbox("To", to_name, to.address)))
        .header("Subject", Raw::new(headers::text("Subject", &content.subject)))
        .header("Date", Raw::new(headers::date(date)))
        .header("Message-ID", Raw::new(format!("<{message_id}>")))
        .header("List-Unsubscribe", Raw::new(links.list_unsubscribe()))
        .header("List-Unsubscribe-Post", Raw::new("List-Unsubscribe=One-Click"))
        .header("List-ID", Raw::new(LIST_ID))
        .header("Feedback-ID", Raw::new(headers::feedback_id("spring", "main")))
        .header("Precedence", Raw::new("bulk"))
        .body(MimePart::new(kind, BodyPart::Multipart(parts)))
        .serialize(&mut bytes);
    bytes
}

proptest! {
    #[test]
    fn mail_builder_makes_the_same_bytes(
        name in prop::option::of(any::<String>()),
        subject in any::<String>(),
        text in "\\PC{0,200}[\r\n]{0,3}",
        local in "[a-z]{1,60}",
        seconds in 0_i64..10_000_000_000,
    ) {
        let composer = composer(URL, MAILTO);
        let address = Address::parse(&format!("{local}@example.com")).unwrap();
        let tag = DeliveryTag::derive("uid", &address, Volume::FIRST);
        let links = composer.links(tag);
        let to = To { address: &address, name: name.as_deref(), tag };
        let body = format!("{} 1 Road {text}", links.preferred());
        let content = Content { subject, text: body.clone(), html: body, files: Vec::new() };
        let footer = Footer { links: &links, postal: &Postal::new("1 Road", "1 Road"), };
        let date = Timestamp::from_second(seconds).unwrap();
        let message = composer.compose(&to, &Body { content: &content, footer: &footer, files: &[] }, date).unwrap();
        prop_assert_eq!(message.bytes, reference(&composer, &to, &content, &links, date));
    }
}
