//! `mailshot serve`: answers the links to unsubscribe in mails.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::exit::{Coded, Exit};
use super::printer::{Form, Printer, time};
use super::{load, runtime, send::signal, texts};
use crate::campaign::serve::network;
use crate::campaign::{Scope, ServeSettings, Workspace, plain};
use crate::clock::Clock;
use crate::text;
use crate::web::{self, Bound, Event, Site};
use crate::words::Text;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::SERVE)]
pub(super) struct Args {
    /// Where to listen; 127.0.0.1:8025 unless mailshot.toml says otherwise; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Certificate chain as a PEM file, to answer https without a proxy
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The certificate's private key as a PEM file
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// A proxy that may say for whom it asks (X-Forwarded-For): an address or a network; repeatable
    #[arg(long, value_name = "IP/CIDR")]
    trust_proxy: Vec<String>,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(None)?;
    if workspace.unsubscribe.url.is_none() {
        let what = text!("[unsubscribe] has no `url`: no mail has a link that would lead here");
        let hint = text!("write `url = \"https://…\"`, where people reach this server");
        return Err(Coded::new(Exit::Config, what).hint(hint).into());
    }
    let settings = settings(args, &workspace.serve)?;
    runtime()?.block_on(serve(&workspace, settings, printer))
}

fn settings(args: &Args, written: &ServeSettings) -> anyhow::Result<ServeSettings> {
    let mut settings = written.clone();
    if let Some(listen) = args.listen {
        settings.listen = listen;
    }
    if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
        settings.tls = Some((cert.clone(), key.clone()));
    }
    for file in settings.tls.iter().flat_map(|(cert, key)| [cert, key]) {
        if let Err(error) = std::fs::File::open(file) {
            let (file, why) = (file.display().to_string(), plain(&error));
            return Err(Coded::new(Exit::Io, text!("cannot read {file}: {why}", file, why)).into());
        }
    }
    for text in &args.trust_proxy {
        let read = network(text).map_err(|why| {
            let what = text!("--trust-proxy `{text}`: {why}", text, why);
            Coded::new(Exit::Usage, what)
        });
        settings.trust_proxy.push(read?);
    }
    Ok(settings)
}

async fn serve(workspace: &Workspace, settings: ServeSettings, printer: Printer) -> anyhow::Result<Exit> {
    let bound = Bound::new(settings.listen, settings.tls.clone()).await;
    let bound = bound.map_err(|error| cannot_listen(&error))?;
    let has_proxy = !settings.trust_proxy.is_empty();
    let tell = Box::new(move |event| say(&event, printer));
    let site = Arc::new(Site::open(workspace, settings, tell).await?);
    let scheme = if bound.is_tls() { "https" } else { "http" };
    let address = bound.address;
    match printer.form {
        Form::Json => {
            printer.json(&json!({ "event": "listening", "listen": address.to_string(), "scheme": scheme }));
        }
        Form::Text => printer.data(text!(
            "links to unsubscribe are answered on {scheme}://{address}; stop it with ctrl-c",
            scheme,
            address
        )),
    }
    if !bound.is_tls() && !address.ip().is_loopback() {
        printer.warn(text!(
            "others can read what is asked here: people must reach it by https, through a proxy or with --cert and --key"
        ));
    } else if !bound.is_tls() && !has_proxy {
        printer.say(text!(
            "behind a proxy, name it (`--trust-proxy 127.0.0.1`): else all people count as one, and limits meet them together"
        ));
    }
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let stopping = async {
        signal::any().await;
        stopped.cancel();
    };
    let (ended, ()) = tokio::join!(web::serve(site, bound, stop), stopping);
    ended?;
    printer.say(text!("stopped; every answer that was given is on record"));
    Ok(Exit::Ok)
}

/// The port is taken, or a certificate cannot be used.
fn cannot_listen(error: &anyhow::Error) -> anyhow::Error {
    let io = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<std::io::Error>());
    let Some(io) = io else {
        return Coded::new(Exit::Config, Text::error(error)).into();
    };
    let is_taken = io.kind() == std::io::ErrorKind::AddrInUse;
    let failed = Coded::new(Exit::Io, Text::error(error));
    if is_taken {
        let hint = text!(
            "something else listens there: perhaps another `mailshot serve`; --listen takes another port"
        );
        return failed.hint(hint).into();
    }
    failed.into()
}

/// A line about what happened.
#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    way: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<&'a str>,
}

/// Says it, without a word about who it was.
fn say(event: &Event, printer: Printer) {
    let at_ms = Clock::System.now_ms();
    match printer.form {
        Form::Json => printer.json(&Line::new(event, at_ms)),
        Form::Text => {
            let at = time(at_ms, &jiff::tz::TimeZone::UTC);
            let line = text!("{at} {what}", at, what = said(event));
            if matches!(event, Event::Trouble { .. }) {
                printer.warn(line);
            } else {
                printer.say(line);
            }
        }
    }
}

impl<'a> Line<'a> {
    fn new(event: &'a Event, at_ms: i64) -> Self {
        let nothing = Self {
            event: "trouble",
            at_ms,
            campaign: None,
            scope: None,
            way: None,
            what: None,
        };
        match event {
            Event::Unsubscribed { campaign, scope, way } => Self {
                event: "unsubscribed",
                campaign: Some(campaign),
                scope: Some(match scope {
                    Scope::All => "all",
                    Scope::List => "list",
                }),
                way: Some(way.name()),
                ..nothing
            },
            Event::TakenBack { campaign } => Self {
                event: "taken_back",
                campaign: Some(campaign),
                ..nothing
            },
            Event::Trouble { what } => Self {
                what: Some(what),
                ..nothing
            },
        }
    }
}

fn said(event: &Event) -> Text {
    match event {
        Event::Unsubscribed { campaign, scope, way } => {
            let campaign = campaign.as_str();
            let way = match way {
                web::Way::OneClick => text!("one click"),
                web::Way::Page => text!("the page"),
            };
            let scope = match scope {
                Scope::All => text!("from everything"),
                Scope::List => text!("from one list"),
            };
            text!(
                "unsubscribed by a mail of campaign {campaign} ({way}, {scope})",
                campaign,
                way,
                scope
            )
        }
        Event::TakenBack { campaign } => text!(
            "taken back by a mail of campaign {campaign}",
            campaign = campaign.as_str()
        ),
        Event::Trouble { what } => Text::kept(what),
    }
}
