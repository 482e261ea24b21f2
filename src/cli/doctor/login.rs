//! `--login`: tries the login once. A refusal locks the account as one in a run does.

use super::Visit;
use crate::campaign::Login;
use crate::cli::exit::{Coded, Exit};
use crate::cli::lockout;
use crate::deliver::{Session, Target};
use crate::doctor::smtp::Sender;
use crate::doctor::{Finding, Severity};
use crate::ledger::Ledger;
use crate::mail::{Scope, Stage};
use crate::pipeline::lock_of;
use crate::text;

/// What the login came to. It is not tried where something is wrong before it.
pub(super) async fn tried(visit: &Visit<'_>, sender: &Sender, is_safe: bool) -> anyhow::Result<Finding> {
    let account = &sender.account;
    let about = format!("{}:{}", account.host, account.port);
    if account.login == Login::None {
        return Ok(Finding::info(
            "LOGIN-01",
            about,
            text!("the account needs no login"),
        ));
    }
    if !is_safe {
        let what = text!("not tried: first see to the errors above");
        return Ok(Finding::new("LOGIN-01", Severity::Unknown, about, what));
    }
    let Some(workspace) = &visit.scope.workspace else {
        return Ok(Finding::info(
            "LOGIN-01",
            about,
            text!("not tried: there is no workspace"),
        ));
    };
    let now_ms = visit.clock.now_ms();
    let ledger = Ledger::open(&workspace.ledger)?;
    lockout::respect(
        workspace,
        &account.name,
        visit.args.login_again,
        (&ledger, now_ms),
    )
    .await?;
    let secret = account.secret(&workspace.root).map_err(|error| {
        Coded::new(Exit::Config, format!("{error:#}"))
            .hint("the login was not tried; set the password and run it again")
    })?;
    let target = Target::new(account, secret)?;
    let fault = match Session::open(&target, None).await {
        Ok(session) => {
            session.close().await;
            return Ok(Finding::ok("LOGIN-01", about, text!("the login works")));
        }
        Err(fault) => fault,
    };
    if fault.stage == Stage::Auth {
        ledger
            .lock_account(lock_of(account, &fault, visit.clock.now_ms()))
            .await?;
    }
    let said = fault.to_string();
    Ok(if fault.stage == Stage::Auth && fault.scope == Scope::Account {
        let what = text!("the login was refused: {said}", said);
        let fix = text!(
            "set the right user name and password; the account is left alone for {lockout}, unless you add --login-again",
            lockout = account.lockout.to_string()
        );
        Finding::error("LOGIN-01", about, what).fix(fix)
    } else {
        let what = text!("the login was not reached: {said}", said);
        Finding::new("LOGIN-01", Severity::Unknown, about, what)
    })
}
