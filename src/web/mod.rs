//! The pages behind links to unsubscribe, and the one-click requests of mail programs. Source: RFC 8058.
//!
//! Whoever asks to see a page changes nothing: programs follow links too, to look for viruses. Only a POST does, and it is
//! answered after the commit. Nothing here tells whether somebody exists: what is not signed by us is all alike.

mod client;
mod form;
mod guard;
mod keyring;
mod listen;
mod page;
mod record;
mod wish;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::campaign::{Scope, ServeSettings, Workspace};
use crate::clock::Clock;
use client::Client;
use guard::Guard;
use keyring::Keyring;
pub use listen::{Bound, serve};
use page::Pages;
use record::Record;

/// How long a request may take, with its body.
const REQUEST_MAX: Duration = Duration::from_secs(20);

/// Something that happened, without a word about who it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody is mailed no more.
    Unsubscribed {
        /// By a mail of this campaign.
        campaign: String,
        /// From what.
        scope: Scope,
        /// By which way.
        way: Way,
    },
    /// Somebody took it back.
    TakenBack {
        /// By a mail of this campaign.
        campaign: String,
    },
    /// Something does not work; the request was answered with 503 where there was one.
    Trouble {
        /// What.
        what: String,
    },
}

/// How a wish came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By one click in a mail program.
    OneClick,
    /// By the button of the page.
    Page,
}

impl Way {
    /// Its name on record.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneClick => "one-click",
            Self::Page => "web page",
        }
    }
}

/// Hears what happens.
pub type Tell = Box<dyn Fn(Event) + Send + Sync>;

/// What all requests share.
pub struct Site {
    keyring: Keyring,
    record: Record,
    guard: Guard,
    pages: Pages,
    settings: ServeSettings,
    /// What one click leaves.
    scope: Scope,
    /// Below which path links lie, when not at the top.
    prefix: Option<String>,
    /// Where one can write instead.
    mailto: Option<String>,
    tell: Tell,
    clock: Clock,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").finish_non_exhaustive()
    }
}

impl Site {
    /// Opens the record of a workspace, and brings what finds mails by their links up to date.
    pub async fn open(workspace: &Workspace, settings: ServeSettings, tell: Tell) -> anyhow::Result<Self> {
        let unsubscribe = &workspace.unsubscribe;
        Ok(Self {
            keyring: Keyring::open(unsubscribe.clone())?,
            record: Record::open(workspace).await?,
            guard: Guard::default(),
            pages: Pages::new()?,
            settings,
            scope: unsubscribe.scope,
            prefix: unsubscribe.url.as_deref().and_then(prefix),
            mailto: unsubscribe.mailto.as_ref().map(ToString::to_string),
            tell,
            clock: Clock::System,
        })
    }

    fn tell(&self, event: Event) {
        (self.tell)(event);
    }
}

/// The path of a URL, when links do not lie at the top: `/mail` of `https://example.com/mail`.
fn prefix(url: &str) -> Option<String> {
    let path = url::Url::parse(url).ok()?.path().trim_end_matches('/').to_owned();
    let is_plain = path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte));
    (!path.is_empty() && is_plain).then_some(path)
}

fn router(site: &Arc<Site>) -> Router {
    let wish = || get(wish::show).post(wish::take);
    let mut router = Router::new()
        .route("/healthz", get(health))
        .route("/u/{token}", wish());
    if let Some(prefix) = &site.prefix {
        router = router.route(&format!("{prefix}/u/{{token}}"), wish());
    }
    router
        .fallback(wish::lost)
        .layer(middleware::from_fn_with_state(Arc::clone(site), guarded))
        .with_state(Arc::clone(site))
}

/// Does it run, and can it write?
async fn health(site: axum::extract::State<Arc<Site>>) -> Response {
    match site.record.is_well().await {
        Ok(()) => (StatusCode::OK, "ok\n").into_response(),
        Err(error) => wish::broken(&site, crate::words::Lang::En, &error),
    }
}

/// Around every request: who asks, how often, how long it may take, and what every answer says.
async fn guarded(site: axum::extract::State<Arc<Site>>, mut request: Request, next: Next) -> Response {
    let client = Client::of(&request, &site.settings.trust_proxy);
    if let Err(wait) = site.guard.admit(client) {
        return page::hardened(&site.pages, wish::too_many(wait));
    }
    request.extensions_mut().insert(client);
    let answered = tokio::time::timeout(REQUEST_MAX, next.run(request)).await;
    let answer = answered.unwrap_or_else(|_late| StatusCode::REQUEST_TIMEOUT.into_response());
    page::hardened(&site.pages, answer)
}

/// The languages that somebody reads, as their browser says.
fn accepted(headers: &axum::http::HeaderMap) -> Option<crate::words::Lang> {
    let said = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    page::accepted(said)
}
