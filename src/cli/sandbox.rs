//! `mailshot sandbox`: an SMTP server to try things with. Nothing it accepts leaves this machine.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::counted::{connections, mails};
use super::exit::{Coded, Exit};
use super::printer::{Form, Printer};
use super::{runtime, send::signal};
use crate::sandbox::{
    Certificate, Config, Credentials, FAULTS, LOCAL_PARTS, LoginPrompts, Script, Server, Store, Tls,
};
use crate::text;
use crate::words::{Lang, Text};

#[derive(Debug, clap::Args)]
#[command(after_help = help(Lang::En))]
pub(super) struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:2525")]
    listen: SocketAddr,
    /// Where mails are kept as .eml files, with a line for each in index.jsonl
    #[arg(long, value_name = "FOLDER", default_value = ".mailshot/sandbox")]
    dir: PathBuf,
    /// Count mails instead of keeping them
    #[arg(long)]
    discard: bool,
    /// With --discard: write a line for each mail to this file
    #[arg(long, value_name = "FILE", requires = "discard")]
    journal: Option<PathBuf>,
    /// Whether connections are encrypted: none, starttls or tls
    #[arg(long, value_name = "MODE", default_value = "none")]
    tls: String,
    /// Write the certificate here, to be used as `ca_file`
    #[arg(long, value_name = "FILE")]
    ca_out: Option<PathBuf>,
    /// The one login that is accepted, as USER:PASSWORD
    #[arg(long, value_name = "USER:PASSWORD")]
    login: Option<String>,
    /// Ask for logins in lower case, as Alibaba does
    #[arg(long)]
    lower_case_prompts: bool,
    /// An extension not to offer: pipelining, chunking, 8bitmime, size, smtputf8, starttls, auth-plain, …
    #[arg(long, value_name = "EXTENSION")]
    without: Vec<String>,
    /// Something that goes wrong; see below
    #[arg(long, value_name = "FAULT")]
    fault: Vec<String>,
}

/// What stands below the help: examples, and everything that can go wrong.
pub(super) fn help(lang: Lang) -> String {
    let say = |english: &'static str| match lang {
        Lang::En => english,
        Lang::Zh => super::help::in_chinese(english).unwrap_or(english),
    };
    let table = |rows: &[(&str, &'static str)]| {
        let lines: Vec<String> = rows.iter().map(|(form, what)| entry(form, say(what))).collect();
        lines.concat()
    };
    format!(
        "{}\n  mailshot sandbox\n  mailshot sandbox --discard --fault 4xx=0.05@rcpt --fault close-after=50\n  \
         mailshot sandbox --tls starttls --ca-out ca.pem --login me@example.com:secret\n\n\
         {}\n{}\n{}\n{}",
        say(EXAMPLES),
        say(BY_RECIPIENT),
        table(LOCAL_PARTS),
        say(BY_FAULT),
        table(FAULTS)
    )
}

const EXAMPLES: &str = "Examples:";
const BY_RECIPIENT: &str = "Recipients that make it go wrong, by what stands before the `@`:";
const BY_FAULT: &str = "Faults:";

/// The sentences of that.
#[cfg(test)]
pub(super) fn help_texts() -> impl Iterator<Item = &'static str> {
    let rows = LOCAL_PARTS.iter().chain(FAULTS).map(|(_, what)| *what);
    [EXAMPLES, BY_RECIPIENT, BY_FAULT].into_iter().chain(rows)
}

/// A line of a table: what it is on the left, what it does on the right, wrapped beneath itself.
fn entry(form: &str, what: &str) -> String {
    const LEFT: usize = 28;
    const RIGHT: usize = 64;
    let right = super::help::wrapped(what, RIGHT);
    let right = right.replace('\n', &format!("\n{}", " ".repeat(LEFT + 3)));
    format!("  {form:<LEFT$} {right}\n")
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let config = config(args).map_err(|what| Coded::new(Exit::Usage, what))?;
    runtime()?.block_on(serve(args, config, printer))
}

fn config(args: &Args) -> Result<Config, Text> {
    let credentials = match &args.login {
        Some(login) => {
            let (user, password) = login
                .split_once(':')
                .ok_or_else(|| text!("--login takes USER:PASSWORD"))?;
            Some(Credentials {
                user: user.to_owned(),
                password: password.to_owned(),
            })
        }
        None => None,
    };
    Ok(Config {
        store: if args.discard {
            Store::Discard
        } else {
            Store::Folder(args.dir.clone())
        },
        journal: args.journal.clone(),
        tls: match args.tls.as_str() {
            "none" => Tls::None,
            "starttls" => Tls::StartTls,
            "tls" => Tls::Implicit,
            other => return Err(text!("--tls is none, starttls or tls, not `{other}`", other)),
        },
        certificate: Certificate::SelfSigned,
        credentials,
        login_prompts: if args.lower_case_prompts {
            LoginPrompts::LowerCase
        } else {
            LoginPrompts::Capitals
        },
        without: args
            .without
            .iter()
            .map(|name| name.parse())
            .collect::<Result<_, Text>>()?,
        script: Script::parse(&args.fault)?,
        ..Config::default()
    })
}

async fn serve(args: &Args, config: Config, printer: Printer) -> anyhow::Result<Exit> {
    let server = Server::new(config)?;
    let listening = TcpListener::bind(args.listen).await;
    let listener = listening.with_context(|| format!("listen on {}", args.listen))?;
    let address = listener.local_addr().context("ask for the address")?;
    if let Some(path) = &args.ca_out {
        let what = text!("--ca-out needs --tls starttls or --tls tls");
        let pem = server.ca_pem().ok_or_else(|| Coded::new(Exit::Usage, what))?;
        std::fs::write(path, pem).with_context(|| format!("write {}", path.display()))?;
    }
    let dir = (!args.discard).then(|| args.dir.display().to_string());
    match printer.form {
        Form::Json => printer.json(&json!({ "listen": address.to_string(), "dir": dir })),
        Form::Text => {
            let kept = match dir {
                None => text!("mails are counted, not kept"),
                Some(dir) => text!("mails are kept in {dir}", dir),
            };
            printer.data(text!(
                "the sandbox listens on {address}; {kept}; stop it with ctrl-c",
                address,
                kept
            ));
        }
    }
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let stopping = async {
        signal::any().await;
        stop.cancel();
    };
    let (outcome, ()) = tokio::join!(server.run(listener, shutdown), stopping);
    outcome.context("serve")?;
    let counts = server.counts();
    match printer.form {
        Form::Json => printer.json(&counts),
        Form::Text => printer.data(text!(
            "took {mails} over {connections}",
            mails = mails(counts.mails),
            connections = connections(counts.connections)
        )),
    }
    Ok(Exit::Ok)
}
