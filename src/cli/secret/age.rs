//! Says when a password is old, and refuses it to those who are strict.

use super::super::exit::{Coded, Exit};
use super::super::printer::Printer;
use crate::campaign::secret::{Age, Ages, STALE_FROM, TOO_OLD_FROM};
use crate::campaign::{Account, Login, Secret, Workspace};
use crate::clock::Clock;
use crate::text;
use crate::words::Text;

/// What becomes of a password that is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Strictness {
    /// It is warned of.
    Warn,
    /// It is refused.
    Refuse,
}

impl Strictness {
    pub(in crate::cli) fn from_flag(strict: bool) -> Self {
        if strict { Self::Refuse } else { Self::Warn }
    }
}

/// Looks at the age of an account's password. Without the password itself, what is on record of it counts.
pub(in crate::cli) fn look_at(
    workspace: &Workspace,
    account: &Account,
    secret: Option<&Secret>,
    strictness: Strictness,
    printer: Printer,
) -> anyhow::Result<Option<Age>> {
    if !matches!(account.login, Login::Password(_)) {
        return Ok(None);
    }
    let ages = Ages::beside(&workspace.ledger);
    let now_ms = Clock::System.now_ms();
    let age = match secret {
        Some(secret) => Some(ages.note(&account.name, secret, now_ms)?),
        None => ages.known(&account.name, now_ms)?,
    };
    let Some(old) = age.filter(|age| age.days >= STALE_FROM) else {
        return Ok(age);
    };
    let name = account.name.as_str();
    let rotate = format!("mailshot secret rotate {name}");
    if strictness == Strictness::Refuse && old.days >= TOO_OLD_FROM {
        let what = text!("{said}; nothing was sent", said = said(name, old));
        let hint = text!(
            "change it at your provider, then run `{rotate}`; without --strict this is a warning",
            rotate
        );
        return Err(Coded::new(Exit::Config, what).hint(hint).into());
    }
    printer.warn(text!(
        "warning: {said}; change it at your provider, then run `{rotate}`",
        said = said(name, old),
        rotate
    ));
    Ok(age)
}

fn said(account: &str, age: Age) -> Text {
    text!(
        "the password of account `{account}` is {days} days old (set on {day}), and {most} is the most",
        account,
        days = age.days,
        day = age.set_at.to_string(),
        most = TOO_OLD_FROM
    )
}
