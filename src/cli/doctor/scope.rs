//! What is looked at: a campaign's sender and account, a domain, or a whole workspace.

use super::{Args, neither, subject};
use crate::campaign::provider;
use crate::campaign::{Account, Campaign, Transport, Workspace};
use crate::cli::exit::{Coded, Exit};
use crate::cli::load;
use crate::deliver::session::is_this_machine;
use crate::doctor::dns::Name;
use crate::doctor::expected::Expected;
use crate::doctor::smtp::Sender;
use crate::doctor::{OwnKey, Subject};
use crate::mail::Address;
use crate::text;

/// What is looked at.
pub(super) struct Scope {
    /// The workspace, where there is one.
    pub(super) workspace: Option<Workspace>,
    /// Domains, with what their providers ask for.
    pub(super) subjects: Vec<Subject>,
    /// Accounts, with whom they send for.
    pub(super) senders: Vec<Sender>,
}

impl Scope {
    pub(super) fn of(args: &Args) -> anyhow::Result<Self> {
        let Some(word) = &args.target else {
            return Self::of_workspace(args);
        };
        // A domain needs no workspace.
        let workspace = match load::workspace(Some(word)) {
            Ok(workspace) => Some(workspace),
            Err(error) if error.downcast_ref::<Coded>().is_none() => return Err(error),
            Err(_there_is_none) => None,
        };
        if let Some(workspace) = workspace.as_ref() {
            if let Ok(file) = load::campaign_file(word, workspace) {
                let campaign = Campaign::load(&file, workspace)?;
                let from = campaign.from.address.to_string();
                return Self::new(args, Some(workspace.clone()), &from, vec![campaign.account]);
            }
            let own = workspace
                .from
                .as_ref()
                .filter(|from| from.address.domain() == word);
            if own.is_some() {
                return Self::of_workspace(args);
            }
        }
        let domain = Name::parse(word).filter(|name| name.labels() > 1 && !word.contains('/'));
        let domain = domain.ok_or_else(|| neither(word))?;
        Ok(Self {
            workspace,
            subjects: vec![subject(domain, args)],
            senders: Vec::new(),
        })
    }

    fn of_workspace(args: &Args) -> anyhow::Result<Self> {
        let workspace = load::workspace(None)?;
        let accounts: Vec<Account> = workspace.accounts.values().cloned().collect();
        let Some(from) = workspace.from.as_ref().map(|from| from.address.to_string()) else {
            let what = text!("mailshot.toml has no sender, so there is no domain to look at");
            let hint = text!("set `from` in [sender], or name a campaign or a domain");
            return Err(Coded::new(Exit::Config, what).hint(hint).into());
        };
        Self::new(args, Some(workspace), &from, accounts)
    }

    fn new(
        args: &Args,
        workspace: Option<Workspace>,
        from: &str,
        accounts: Vec<Account>,
    ) -> anyhow::Result<Self> {
        let domain = from.rsplit_once('@').and_then(|(_, domain)| Name::parse(domain));
        let domain = domain.ok_or_else(|| neither(from))?;
        let mut subject = subject(domain.clone(), args);
        let link = workspace
            .as_ref()
            .and_then(|workspace| workspace.unsubscribe.url.clone());
        subject.links.extend(link);
        let own = workspace.as_ref().map(|workspace| workspace.providers.clone());
        let book = own.as_ref().unwrap_or_else(|| provider::built_in());
        let mut senders = Vec::new();
        for account in accounts {
            let expected = Expected::of_account(book, &account);
            if !subject.providers.contains(&expected) {
                subject.providers.push(expected);
            }
            subject.is_own_server |= is_own_server(&account);
            if subject.hello.is_none() {
                subject.hello.clone_from(&account.hello);
            }
            sign(&mut subject, &account, from);
            if account.transport == Transport::Smtp {
                senders.push(Sender {
                    domain: domain.clone(),
                    from: from.to_owned(),
                    account,
                });
            }
        }
        Ok(Self {
            workspace,
            subjects: vec![subject],
            senders,
        })
    }
}

/// Notes how an account's mails are signed: by mailshot, or by the provider under a selector that is named.
fn sign(subject: &mut Subject, account: &Account, from: &str) {
    let Ok(from) = Address::parse(from) else { return };
    for dkim in &account.dkim {
        let Some(domain) = Name::parse(&dkim.domain_for(&from)) else {
            continue;
        };
        let signer = match dkim.signer(&from) {
            Ok(Some(signer)) => Ok(signer),
            Err(problem) => Err(problem.what),
            Ok(None) => {
                let is_new = !subject.selectors.contains(&dkim.selector);
                if is_new && domain == subject.domain {
                    subject.selectors.push(dkim.selector.clone());
                }
                continue;
            }
        };
        subject.keys.push(OwnKey {
            domain,
            selector: dkim.selector.clone(),
            signer,
        });
    }
}

/// Does this account send by a mail server of the user's own?
fn is_own_server(account: &Account) -> bool {
    match account.provider.as_deref() {
        Some(provider) => provider == "local-mta",
        None => account.transport == Transport::Sendmail || is_this_machine(&account.host),
    }
}
