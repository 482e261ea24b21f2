//! What a POST says: the one-click request of a mail program, or a button of our page. Source: RFC 8058, 3.2.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::header;

use crate::campaign::Scope;

/// Octets of a form at most. Ours have a few dozen.
const BODY_MAX: usize = 8 * 1_024;
/// Fields that are looked at, at most.
const FIELDS_MAX: usize = 16;

/// What is wished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A mail program says that its user clicked.
    OneClick,
    /// The button of our page.
    Leave(Scope),
    /// The button that takes it back.
    Undo(String),
    /// Nothing that we know.
    Other,
}

/// Reads the form of a request; none when it cannot be read, or is too long.
pub(super) async fn read(request: Request) -> Option<Form> {
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_multipart = kind
        .trim_start()
        .get(..MULTIPART.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(MULTIPART));
    let body = to_bytes(body, BODY_MAX).await.ok()?;
    if is_multipart {
        let request = Request::from_parts(parts, Body::from(body));
        return fields_of_parts(request).await.map(|fields| meant(&fields));
    }
    Some(meant(&fields(&body)))
}

const MULTIPART: &str = "multipart/form-data";

type Field = (String, String);

fn fields(body: &[u8]) -> Vec<Field> {
    let pairs = url::form_urlencoded::parse(body).take(FIELDS_MAX);
    pairs
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

async fn fields_of_parts(request: Request) -> Option<Vec<Field>> {
    let mut parts = Multipart::from_request(request, &()).await.ok()?;
    let mut fields = Vec::new();
    while fields.len() < FIELDS_MAX {
        let Some(part) = parts.next_field().await.ok()? else {
            break;
        };
        let name = part.name().unwrap_or_default().to_owned();
        fields.push((name, part.text().await.ok()?));
    }
    Some(fields)
}

/// What these fields mean. Lines may end in any way, as some mail programs send them.
fn meant(fields: &[Field]) -> Form {
    let value = |wanted: &str| {
        let found = fields
            .iter()
            .find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim())
    };
    if value("List-Unsubscribe").is_some_and(|value| value.eq_ignore_ascii_case("One-Click")) {
        return Form::OneClick;
    }
    match (value("undo"), value("scope")) {
        (Some(undo), _) => Form::Undo(undo.to_owned()),
        (None, Some("all")) => Form::Leave(Scope::All),
        (None, Some("list")) => Form::Leave(Scope::List),
        (None, _) => Form::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn posted(kind: &str, body: &str) -> Option<Form> {
        let request = Request::post("/u/x").header(header::CONTENT_TYPE, kind);
        read(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    const URLENCODED: &str = "application/x-www-form-urlencoded";

    #[tokio::test]
    async fn one_click_is_understood_as_mail_programs_send_it() {
        for body in [
            "List-Unsubscribe=One-Click",
            "List-Unsubscribe=One-Click\r\n",
            "list-unsubscribe=One-Click&x=y",
            "List%2DUnsubscribe=One%2DClick",
        ] {
            assert_eq!(posted(URLENCODED, body).await, Some(Form::OneClick), "{body:?}");
            assert_eq!(posted("", body).await, Some(Form::OneClick), "{body:?}");
        }
        let part = "Content-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n";
        for body in [format!("--B\r\n{part}--B--\r\n"), format!("--B\r\n{part}--B--")] {
            for kind in [
                "multipart/form-data; boundary=B",
                "Multipart/Form-Data; boundary=\"B\"",
            ] {
                assert_eq!(posted(kind, &body).await, Some(Form::OneClick), "{kind} {body:?}");
            }
        }
    }

    #[tokio::test]
    async fn buttons_are_understood_and_nothing_else_is() {
        for (body, form) in [
            ("scope=all", Some(Form::Leave(Scope::All))),
            ("scope=list", Some(Form::Leave(Scope::List))),
            ("undo=abc&scope=all", Some(Form::Undo("abc".to_owned()))),
            ("", Some(Form::Other)),
            ("List-Unsubscribe=", Some(Form::Other)),
            ("List-Unsubscribe=Never", Some(Form::Other)),
            ("scope=everyone", Some(Form::Other)),
        ] {
            assert_eq!(posted(URLENCODED, body).await, form, "{body:?}");
        }
        assert_eq!(
            posted(URLENCODED, &"x".repeat(BODY_MAX + 1)).await,
            None,
            "too long"
        );
        assert_eq!(
            posted("multipart/form-data", "scope=all").await,
            None,
            "no boundary"
        );
        assert_eq!(
            posted("multipart/form-data; boundary=B", "scope=all").await,
            None,
            "no parts"
        );
    }
}
