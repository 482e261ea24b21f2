//! What happens behind a link: a page is shown, a wish is granted, a wish is taken back.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::client::Client;
use super::form::{self, Form};
use super::page::{Kind, Shown};
use super::{Event, Site, Way, accepted, page};
use crate::campaign::Scope;
use crate::ledger::read::Addressed;
use crate::mail::{DeliveryTag, Undo};
use crate::text;
use crate::words::Lang;

/// What all requests share.
type Shared = State<Arc<Site>>;

/// Seconds after which somebody may come back whose request could not be answered.
const AGAIN_SECS: u64 = 30;

/// GET: shows the page, and changes nothing.
pub(super) async fn show(
    State(site): Shared,
    Path(token): Path<String>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(&site, client, &headers);
    match asked.mail(&token).await {
        Err(answer) => answer,
        Ok((_, mail)) => match site.record.left(&mail).await {
            Ok(left) => asked.page(StatusCode::OK, left.map_or(Kind::Ask, Kind::Left), &mail),
            Err(error) => broken(&site, asked.lang, &error),
        },
    }
}

/// POST: does what the form says.
pub(super) async fn take(
    State(site): Shared,
    Path(token): Path<String>,
    Extension(client): Extension<Client>,
    request: Request,
) -> Response {
    let asked = Asked::new(&site, client, request.headers());
    let (tag, mail) = match asked.mail(&token).await {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let done = match form::read(request).await {
        None | Some(Form::Other) => Ok(asked.page(StatusCode::BAD_REQUEST, Kind::Ask, &mail)),
        Some(Form::OneClick) => asked.one_click(tag, &mail).await,
        Some(Form::Leave(scope)) => asked.leave(tag, &mail, scope).await,
        Some(Form::Undo(undo)) => asked.take_back(tag, &mail, &undo).await,
    };
    done.unwrap_or_else(|error| broken(&site, asked.lang, &error))
}

/// Any other path: as if it were a token that is not ours.
pub(super) async fn lost(
    State(site): Shared,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Response {
    Asked::new(&site, client, &headers).strange()
}

/// One request.
struct Asked<'a> {
    site: &'a Site,
    client: Client,
    /// What the browser asks for.
    accepted: Option<Lang>,
    lang: Lang,
}

impl<'a> Asked<'a> {
    fn new(site: &'a Site, client: Client, headers: &HeaderMap) -> Self {
        let accepted = accepted(headers);
        Self {
            site,
            client,
            accepted,
            lang: accepted.unwrap_or_default(),
        }
    }

    /// The mail that a token names; else the answer.
    async fn mail(&self, token: &str) -> Result<(DeliveryTag, Addressed), Response> {
        let trouble = |error: anyhow::Error| broken(self.site, self.lang, &error);
        let Some(tag) = self.site.keyring.verify(token).map_err(trouble)? else {
            return Err(self.strange());
        };
        match self.site.record.addressed(tag).await.map_err(trouble)? {
            Some(mail) => Ok((tag, mail)),
            None => Err(self.strange()),
        }
    }

    /// The answer to a token that is not ours, or of no mail on record: nobody learns which.
    fn strange(&self) -> Response {
        if let Err(wait) = self.site.guard.strange(self.client) {
            return too_many(wait);
        }
        let shown = Shown::nobody(Kind::Lost, self.lang, self.site.mailto.as_deref());
        page::answer(&self.site.pages, StatusCode::NOT_FOUND, &shown)
    }

    /// The language of the mail; where that is not known, of the browser.
    fn lang_of(&self, mail: &Addressed) -> Lang {
        let known = mail.lang.as_deref().and_then(|lang| lang.parse().ok());
        known.or(self.accepted).unwrap_or_default()
    }

    fn page(&self, status: StatusCode, kind: Kind, mail: &Addressed) -> Response {
        let mut shown = Shown::of(kind, self.lang_of(mail), mail, self.site.mailto.as_deref());
        shown.default = self.site.scope;
        page::answer(&self.site.pages, status, &shown)
    }

    /// At once, in few words, and without a redirect.
    async fn one_click(&self, tag: DeliveryTag, mail: &Addressed) -> anyhow::Result<Response> {
        self.grant(tag, mail, (self.site.scope, Way::OneClick)).await?;
        let said = text!("You are unsubscribed").in_lang(self.lang_of(mail));
        Ok((StatusCode::OK, format!("{said}\n")).into_response())
    }

    async fn leave(&self, tag: DeliveryTag, mail: &Addressed, scope: Scope) -> anyhow::Result<Response> {
        let undo = self.grant(tag, mail, (scope, Way::Page)).await?;
        let kind = match undo {
            Some(undo) => Kind::Done(scope, self.site.keyring.sign_undo(undo)),
            None => Kind::Left(scope),
        };
        Ok(self.page(StatusCode::OK, kind, mail))
    }

    async fn grant(
        &self,
        tag: DeliveryTag,
        mail: &Addressed,
        (scope, way): (Scope, Way),
    ) -> anyhow::Result<Option<Undo>> {
        let scope = if mail.list.is_empty() { Scope::All } else { scope };
        let now_ms = self.site.clock.now_ms();
        let undo = self.site.record.leave((tag, mail), (scope, way), now_ms).await?;
        if undo.is_some() {
            self.site.tell(Event::Unsubscribed {
                campaign: mail.campaign.clone(),
                scope,
                way,
            });
        }
        Ok(undo)
    }

    async fn take_back(&self, tag: DeliveryTag, mail: &Addressed, text: &str) -> anyhow::Result<Response> {
        let undo = self.site.keyring.verify_undo(text).filter(|undo| undo.tag == tag);
        let Some(undo) = undo else {
            return Ok(self.page(StatusCode::BAD_REQUEST, Kind::TooLate, mail));
        };
        let now_ms = self.site.clock.now_ms();
        if !self.site.record.take_back(mail, undo, now_ms).await? {
            return Ok(self.page(StatusCode::CONFLICT, Kind::TooLate, mail));
        }
        self.site.tell(Event::TakenBack {
            campaign: mail.campaign.clone(),
        });
        // Who left twice, from the list and from everything, has taken back one of the two.
        let left = self.site.record.left(mail).await?;
        Ok(self.page(StatusCode::OK, left.map_or(Kind::TakenBack, Kind::Left), mail))
    }
}

/// Something does not work: it is told here, and the other end is asked to come again.
pub(super) fn broken(site: &Site, lang: Lang, error: &anyhow::Error) -> Response {
    site.tell(Event::Trouble {
        what: format!("{error:#}"),
    });
    let shown = Shown::nobody(Kind::Broken, lang, site.mailto.as_deref());
    let answer = page::answer(&site.pages, StatusCode::SERVICE_UNAVAILABLE, &shown);
    ([(header::RETRY_AFTER, AGAIN_SECS.to_string())], answer).into_response()
}

/// Come again later.
pub(super) fn too_many(wait: Duration) -> Response {
    let secs = wait.as_secs().saturating_add(1).to_string();
    (
        StatusCode::TOO_MANY_REQUESTS,
        [(header::RETRY_AFTER, secs)],
        "too many requests\n",
    )
        .into_response()
}
