//! What people see: one page in their language, without scripts.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use handlebars::Handlebars;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::campaign::Scope;
use crate::ledger::read::Addressed;
use crate::text;
use crate::words::{Lang, Text};

const STYLE: &str = include_str!("page.css");
const PAGE: &str = "page";

/// What the page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Unsubscribe?
    Ask,
    /// They are unsubscribed, and may take it back with this.
    Done(Scope, String),
    /// They have been unsubscribed already.
    Left(Scope),
    /// They took it back.
    TakenBack,
    /// It cannot be taken back here.
    TooLate,
    /// No link of ours.
    Lost,
    /// Something does not work.
    Broken,
}

/// A page to be shown.
pub(super) struct Shown<'a> {
    kind: Kind,
    lang: Lang,
    mail: Option<&'a Addressed>,
    mailto: Option<&'a str>,
    /// What is chosen at first.
    pub(super) default: Scope,
}

impl<'a> Shown<'a> {
    /// A page about a mail.
    pub(super) fn of(kind: Kind, lang: Lang, mail: &'a Addressed, mailto: Option<&'a str>) -> Self {
        Self {
            mail: Some(mail),
            ..Self::nobody(kind, lang, mailto)
        }
    }

    /// A page about nobody.
    pub(super) fn nobody(kind: Kind, lang: Lang, mailto: Option<&'a str>) -> Self {
        Self {
            kind,
            lang,
            mail: None,
            mailto,
            default: Scope::All,
        }
    }

    /// From whom mails come.
    fn sender(&self) -> &str {
        let from = self.mail.map_or("", |mail| mail.from.as_str());
        let name = from.split_once('<').map_or("", |(name, _)| name);
        let name = name.trim().trim_matches('"').trim();
        if name.is_empty() {
            from.trim_start_matches('<').trim_end_matches('>')
        } else {
            name
        }
    }

    fn list(&self) -> &str {
        self.mail.map_or("", |mail| mail.list_name.as_str())
    }

    fn title(&self) -> Text {
        match self.kind {
            Kind::Ask => text!("Unsubscribe?"),
            Kind::Done(..) | Kind::Left(_) => text!("You are unsubscribed"),
            Kind::TakenBack => text!("You are subscribed again"),
            Kind::TooLate => text!("This cannot be undone here"),
            Kind::Lost => text!("This link does not work"),
            Kind::Broken => text!("Please try again in a moment"),
        }
    }

    fn lines(&self) -> Vec<Text> {
        let (sender, list) = (self.sender(), self.list());
        let masked = mask(self.mail.map_or("", |mail| mail.address_key.as_str()));
        let on_its_way = text!("A mail that is on its way already may still arrive.");
        let left = |scope: Scope| match scope {
            Scope::All => text!("{sender} sends no more mails to {masked}.", sender, masked),
            Scope::List => text!(
                "{sender} sends no more mails of the list “{list}” to {masked}.",
                sender,
                list,
                masked
            ),
        };
        match &self.kind {
            Kind::Ask => vec![text!(
                "This is about mails from {sender} to {masked}.",
                sender,
                masked
            )],
            Kind::Done(scope, _) => vec![left(*scope), on_its_way],
            Kind::Left(scope) => vec![left(*scope)],
            Kind::TakenBack => vec![text!(
                "{masked} gets mails from {sender} again as before.",
                sender,
                masked
            )],
            Kind::TooLate => vec![text!(
                "You are still unsubscribed. To get mails again, please write to {sender}.",
                sender
            )],
            Kind::Lost => vec![
                text!("It may have lost a part on its way here: please use the link in the mail itself."),
                text!("Nothing was changed."),
            ],
            Kind::Broken => vec![text!(
                "Nothing was changed yet, because something does not work here."
            )],
        }
    }

    /// What there is to choose.
    fn ask(&self, say: impl Fn(Text) -> String) -> Value {
        let is_asking = matches!(self.kind, Kind::Ask | Kind::Left(Scope::List));
        let Some(mail) = self.mail.filter(|_| is_asking) else {
            return Value::Null;
        };
        let sender = self.sender();
        let all = text!("All mails from {sender}", sender);
        let list = text!("Only mails of the list “{list}”", list = self.list());
        // Who has left the list may leave the rest.
        let has_list = !mail.list.is_empty() && self.kind == Kind::Ask;
        let is_list = has_list && self.default == Scope::List;
        let mut choices = vec![json!({ "value": "all", "checked": !is_list, "label": say(all) })];
        if has_list {
            choices.push(json!({ "value": "list", "checked": is_list, "label": say(list) }));
        }
        json!({
            "legend": say(text!("What do you no longer want to get?")),
            "button": say(text!("Unsubscribe")),
            "choices": choices,
        })
    }

    fn data(&self) -> Value {
        let say = |text: Text| text.in_lang(self.lang);
        let undo = match &self.kind {
            Kind::Done(_, undo) => json!({ "value": undo, "button": say(text!("Undo")) }),
            _ => Value::Null,
        };
        let needs_help = matches!(self.kind, Kind::Lost | Kind::Broken | Kind::TooLate);
        let mailto = self.mailto.filter(|_| needs_help).map(|address| {
            let text = say(text!("Or write to"));
            json!({ "address": address, "text": text })
        });
        json!({
            "lang": match self.lang {
                Lang::En => "en",
                Lang::Zh => "zh-CN",
            },
            "title": say(self.title()),
            "lines": self.lines().into_iter().map(say).collect::<Vec<_>>(),
            "ask": self.ask(say),
            "undo": undo,
            "mailto": mailto,
            "style": STYLE,
        })
    }
}

/// An address so that its owner knows it, and others do not: `l•@example.com`.
fn mask(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let first: String = local.chars().take(1).collect();
    format!("{first}•@{domain}")
}

/// The pages, compiled.
pub(super) struct Pages {
    engine: Handlebars<'static>,
    policy: HeaderValue,
}

impl Pages {
    pub(super) fn new() -> anyhow::Result<Self> {
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        engine.register_template_string(PAGE, include_str!("page.html.hbs"))?;
        let digest = BASE64_STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        Ok(Self {
            engine,
            policy: HeaderValue::from_str(&policy)?,
        })
    }
}

/// A page as an answer.
pub(super) fn answer(pages: &Pages, status: StatusCode, shown: &Shown<'_>) -> Response {
    match pages.engine.render(PAGE, &shown.data()) {
        Ok(html) => (status, axum::response::Html(html)).into_response(),
        // The template is tested with every kind of page.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What every answer says: no script, no frame, no trace in searches, caches and other sites.
pub(super) fn hardened(pages: &Pages, mut answer: Response) -> Response {
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ),
    ];
    let headers = answer.headers_mut();
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, pages.policy.clone());
    answer
}

/// The language that somebody likes best, of those there are; none when they name none of them.
pub(super) fn accepted(said: &str) -> Option<Lang> {
    let mut best: Option<(f32, Lang)> = None;
    for one in said.split(',').take(32) {
        let mut parts = one.split(';');
        let name = parts.next().unwrap_or_default().trim();
        let quality = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok());
        let quality = quality.unwrap_or(1.0);
        let primary = name.split('-').next().unwrap_or_default();
        let lang = match primary.to_ascii_lowercase().as_str() {
            "en" => Lang::En,
            "zh" => Lang::Zh,
            _ => continue,
        };
        if quality > 0.0 && best.is_none_or(|(before, _)| quality > before) {
            best = Some((quality, lang));
        }
    }
    best.map(|(_, lang)| lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_reads_an_address_from_the_page() {
        assert_eq!(mask("li.lei@example.com"), "l•@example.com");
        assert_eq!(mask("王@example.com"), "王•@example.com");
        assert_eq!(mask(""), "•@");
    }

    #[test]
    fn people_get_the_language_they_like_best() {
        for (said, lang) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Lang::Zh)),
            ("en-US,en;q=0.9,zh;q=0.8", Some(Lang::En)),
            ("fr,zh;q=0.2,en;q=0.5", Some(Lang::En)),
            ("de, fr;q=0.9", None),
            ("", None),
            ("zh;q=0, en;q=0.1", Some(Lang::En)),
            ("zh;q=x", Some(Lang::Zh)),
        ] {
            assert_eq!(accepted(said), lang, "{said}");
        }
    }

    #[test]
    fn every_page_can_be_shown_in_every_language() {
        let pages = Pages::new().unwrap();
        let mail = Addressed {
            campaign: "news".to_owned(),
            address_key: "li@example.com".to_owned(),
            from: "\"Aurora & <b>\" <news@example.com>".to_owned(),
            list: "news.example.com".to_owned(),
            list_name: "<script>News</script>".to_owned(),
            lang: None,
            lifted: 0,
        };
        let undo = "the undo token".to_owned();
        for kind in [
            Kind::Ask,
            Kind::Done(Scope::All, undo.clone()),
            Kind::Done(Scope::List, undo),
            Kind::Left(Scope::All),
            Kind::Left(Scope::List),
            Kind::TakenBack,
            Kind::TooLate,
            Kind::Lost,
            Kind::Broken,
        ] {
            for lang in [Lang::En, Lang::Zh] {
                for shown in [
                    Shown::of(kind.clone(), lang, &mail, Some("u@example.com")),
                    Shown::nobody(kind.clone(), lang, None),
                ] {
                    let html = pages.engine.render(PAGE, &shown.data()).unwrap();
                    assert!(!html.contains("<script>"), "{html}");
                    assert!(!html.contains("li@example.com"), "{html}");
                    assert_eq!(html.contains("the undo token"), matches!(kind, Kind::Done(..)));
                }
            }
        }
    }
}
