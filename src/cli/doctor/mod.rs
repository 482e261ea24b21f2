//! `mailshot doctor`: what is wrong with the sender's domain and with the accounts, why it matters, how to mend it.

pub(super) mod report;
mod watch;
mod login;
pub(super) mod send_to;
mod scope;

use std::net::IpAddr;

use super::exit::{Coded, Exit};
use super::printer::{Form, Printer};
use super::send::signal;
use super::{runtime, texts};
use crate::campaign::retry::Span;
use crate::clock::Clock;
use crate::deliver::exchanger;
use crate::dkim::is_selector;
use crate::doctor::cache::Cache;
use crate::doctor::dns::Resolver;
use crate::doctor::dns::resolvers::PORT;
use crate::doctor::smtp::{self, Sender};
use crate::doctor::{Finding, Setup, Severity, Subject, examine_all, is_blind};
use crate::text;
use crate::words::Text;
use scope::Scope;

#[derive(Debug, Clone, clap::Args)]
#[command(after_help = texts::DOCTOR)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch on the command line"
)]
pub(super) struct Args {
    /// A campaign, or a domain; else the workspace's sender and all accounts
    #[arg(value_name = "CAMPAIGN|DOMAIN")]
    target: Option<String>,
    /// Print the records to publish, ready to paste
    #[arg(long)]
    fix: bool,
    /// Wait until all resolvers and name servers see the same
    #[arg(long)]
    watch: bool,
    /// With --watch: give up after this time
    #[arg(long = "for", value_name = "TIME", default_value = "48h", requires = "watch")]
    patience: Span,
    /// With --watch: ask this often
    #[arg(long, value_name = "TIME", default_value = "30s", requires = "watch")]
    every: Span,
    /// Ask this resolver instead of the usual ones; repeatable
    #[arg(long, value_name = "[NAME=]IP[:PORT]")]
    resolver: Vec<Resolver>,
    /// A DKIM selector in use; repeatable
    #[arg(long, value_name = "NAME")]
    selector: Vec<String>,
    /// An address that your own mail server sends from; repeatable
    #[arg(long, value_name = "ADDRESS")]
    ip: Vec<IpAddr>,
    /// Ask block lists about the domain and its addresses
    #[arg(long)]
    dnsbl: bool,
    /// Ask the domain's mail servers themselves, on port 25: do they take its mail, and nobody else's?
    #[arg(long)]
    mx: bool,
    /// Try the login, once
    #[arg(long, group = "knocks")]
    login: bool,
    /// With --login or --send-to: also while the account is left alone after a refusal
    #[arg(long, requires = "knocks")]
    login_again: bool,
    /// Send one real mail to this address and show the whole dialogue, instead of looking
    #[arg(long, value_name = "ADDRESS", group = "knocks", conflicts_with_all = ["login", "watch", "fix", "dns_only", "mx"])]
    send_to: Option<String>,
    /// Look at the DNS only
    #[arg(long, conflicts_with = "login")]
    dns_only: bool,
    /// Show details of what is well, too
    #[arg(long, short)]
    verbose: bool,
    /// The port of mail servers
    #[arg(long, hide = true, default_value_t = exchanger::PORT)]
    mx_port: u16,
    /// The port of name servers
    #[arg(long, hide = true, default_value_t = PORT)]
    authority_port: u16,
}

/// The findings of a domain, or of one account that sends for it.
pub(super) struct Examined {
    pub(super) domain: crate::doctor::dns::Name,
    pub(super) account: Option<String>,
    pub(super) findings: Vec<Finding>,
}

/// What a command needs to look at everything.
struct Visit<'a> {
    args: &'a Args,
    scope: Scope,
    setup: Setup,
    printer: Printer,
    clock: Clock,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    if let Some(wrong) = args.selector.iter().find(|selector| !is_selector(selector)) {
        let what = text!("`{selector}` is not a selector", selector = wrong);
        let hint = text!("it is part of a name in the DNS: letters of ASCII, digits, `-` and `_`");
        return Err(Coded::new(Exit::Usage, what).hint(hint).into());
    }
    if let Some(address) = &args.send_to {
        return send_to::run(args, address, printer);
    }
    let scope = Scope::of(args)?;
    let resolvers = Resolver::or_usual(&args.resolver);
    let visit = Visit {
        args,
        scope,
        setup: Setup {
            resolvers,
            port: args.authority_port,
            now_ms: Clock::System.now_ms(),
        },
        printer,
        clock: Clock::System,
    };
    runtime()?.block_on(visit.run())
}

impl Visit<'_> {
    async fn run(&self) -> anyhow::Result<Exit> {
        if self.args.watch && !watch::wait(self).await? {
            return Ok(if signal::is_from_keyboard() {
                Exit::Interrupted
            } else {
                Exit::TempFail
            });
        }
        let mut all = Vec::new();
        for subject in &self.scope.subjects {
            self.printer
                .say(text!("looking at {domain} …", domain = &subject.domain));
            let mx_port = self.args.mx.then_some(self.args.mx_port);
            // With --watch hours may have gone by.
            let setup = Setup {
                now_ms: self.clock.now_ms(),
                ..self.setup.clone()
            };
            let findings = examine_all(subject, &setup, mx_port).await;
            all.push(Examined {
                domain: subject.domain.clone(),
                account: None,
                findings,
            });
        }
        if !self.args.dns_only {
            for sender in &self.scope.senders {
                all.push(Box::pin(self.look_at(sender)).await?);
            }
        }
        self.remember(&all)?;
        let exit = exit(&all);
        match self.printer.form {
            Form::Json => report::json(self.printer, &all, exit),
            Form::Text => report::text(self.printer, &all, self.args.verbose),
        }
        if self.args.fix && self.printer.form == Form::Text {
            report::records(self.printer, &all);
        }
        Ok(exit)
    }

    /// The server of an account, and its login where that was wanted.
    async fn look_at(&self, sender: &Sender) -> anyhow::Result<Examined> {
        let account = &sender.account;
        self.printer.say(text!(
            "looking at account {account} ({server}) …",
            account = &account.name,
            server = format!("{}:{}", account.host, account.port)
        ));
        let now_ms = self.clock.now_ms();
        let mut findings = match smtp::examine(sender, now_ms).await {
            Ok(findings) => findings,
            // The rest of the report is worth having all the same.
            Err(error) => {
                let what = text!("the server cannot be looked at: {why}", why = Text::error(&error));
                vec![Finding::error("TLS-01", &account.host, what)]
            }
        };
        if self.args.login {
            let is_safe = !findings.iter().any(|finding| finding.severity == Severity::Error);
            let tried = login::tried(self, sender, is_safe).await?;
            findings.push(tried);
        }
        Ok(Examined {
            domain: sender.domain.clone(),
            account: Some(account.name.clone()),
            findings,
        })
    }

    /// Keeps what was found for `send`, where there is a workspace.
    fn remember(&self, all: &[Examined]) -> anyhow::Result<()> {
        let Some(workspace) = &self.scope.workspace else {
            return Ok(());
        };
        let path = Cache::path(&workspace.ledger);
        let mut cache = Cache::load(&path);
        for Examined {
            domain,
            account,
            findings,
        } in all
        {
            cache.note(domain, account.as_deref(), self.clock.now_ms(), findings);
        }
        cache.save(&path)
    }
}

/// The code of the worst finding.
pub(super) fn exit(all: &[Examined]) -> Exit {
    let errors = || {
        let findings = all.iter().flat_map(|examined| &examined.findings);
        findings.filter(|finding| finding.severity == Severity::Error)
    };
    let is = |ids: &[&str]| errors().any(|finding| ids.contains(&finding.id));
    if is(&["LOGIN-01", "EGR-01"]) {
        Exit::NoPerm
    } else if errors().any(|finding| finding.id != smtp::UNREACHABLE) {
        Exit::Config
    } else if is(&[smtp::UNREACHABLE]) || all.iter().any(|examined| is_blind(&examined.findings)) {
        Exit::Unavailable
    } else {
        Exit::Ok
    }
}

/// What is said of a word that is neither a campaign nor a domain.
fn neither(word: &str) -> Coded {
    Coded::new(
        Exit::Usage,
        text!("`{word}` is neither a campaign nor a domain", word),
    )
    .hint(text!(
        "give a campaign's name or file, a domain such as example.com, or nothing for the whole workspace"
    ))
}

/// A subject with the settings of the command line.
fn subject(domain: crate::doctor::dns::Name, args: &Args) -> Subject {
    Subject {
        domain,
        providers: Vec::new(),
        selectors: args.selector.clone(),
        keys: Vec::new(),
        ips: args.ip.clone(),
        hello: None,
        is_own_server: !args.ip.is_empty(),
        links: Vec::new(),
        with_block_lists: args.dnsbl,
    }
}
