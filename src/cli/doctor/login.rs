//! `--login`: tries the login once. A refusal locks the account as one in a run does.

use std::time::Duration;

use super::Visit;
use crate::campaign::Login;
use crate::campaign::retry::Span;
use crate::cli::exit::Coded;
use crate::cli::lockout::{self, Again};
use crate::deliver::{Session, Target};
use crate::doctor::smtp::Sender;
use crate::doctor::{Finding, Severity};
use crate::ledger::Ledger;
use crate::mail::{Fault, Stage};
use crate::pipeline::refusal;
use crate::text;
use crate::words::Text;

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
    let again = Again::from_flag(visit.args.login_again);
    if let Err(error) = lockout::respect(workspace, &account.name, &ledger, now_ms, again).await {
        let coded = error.downcast::<Coded>()?;
        let finding = Finding::error("LOGIN-01", about, coded.what);
        return Ok(match coded.hint {
            Some(hint) => finding.fix(hint),
            None => finding,
        });
    }
    let secret = match account.secret(&workspace.root) {
        Ok(secret) => secret,
        Err(error) => {
            let what = text!("the login was not tried: {why}", why = Text::error(&error));
            return Ok(Finding::error("AUTH-01", about, what).fix(text!("set the password and run it again")));
        }
    };
    let target = Target::new(account, secret)?;
    let fault = match Session::open(&target, None).await {
        Ok(session) => {
            session.close().await;
            return Ok(Finding::ok("LOGIN-01", about, text!("the login works")));
        }
        Err(fault) => fault,
    };
    let mut lockout = Duration::ZERO;
    if let Some(lock) = refusal(account, &fault, visit.clock.now_ms()) {
        lockout = Duration::from_millis(u64::try_from(lock.until_ms - lock.at_ms).unwrap_or_default());
        ledger.lock_account(lock).await?;
    }
    Ok(failed(about, &fault, Span(lockout)))
}

/// What a login that failed means.
fn failed(about: String, fault: &Fault, lockout: Span) -> Finding {
    let said = fault.said();
    if fault.stage == Stage::Auth && fault.verdict.is_about_account() {
        let what = text!("the login was refused: {said}", said);
        let fix = text!(
            "set the right user name and password; the account is left alone for {lockout}, unless you add --login-again",
            lockout
        );
        Finding::error("LOGIN-01", about, what).fix(fix)
    } else {
        let what = text!("the login was not reached: {said}", said);
        Finding::new("LOGIN-01", Severity::Unknown, about, what)
    }
}
