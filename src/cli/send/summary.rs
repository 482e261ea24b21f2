//! How it went, and what to do next, in words a marketer understands.

use anyhow::Context as _;
use serde_json::json;

use super::super::exit::Exit;
use super::super::printer::{Form, count, deliveries, number, time};
use super::super::{lockout, status};
use super::{Job, Sent, signal, wait};
use crate::campaign::quota::{Spent, Unit};
use crate::deliver::egress::is_wrong_network;
use crate::ledger::read::Reader;
use crate::ledger::{Ledger, RunState, State, Tally};
use crate::mail::{Class, Fault, Stage};
use crate::pipeline::{Ended, Report};
use crate::replies::pasted;
use crate::text;

/// What is said at the end of a run.
struct Verdict {
    exit: Exit,
    /// `paused`, `stopped` or `finished`.
    state: &'static str,
    /// When it goes on by itself, in ms since the epoch.
    until_ms: Option<i64>,
    /// What happened.
    what: String,
    /// What to do.
    next: String,
}

pub(super) async fn conclude(
    job: &Job<'_>,
    ledger: &Ledger,
    report: &Report,
    mails: u64,
) -> anyhow::Result<Sent> {
    let campaign = ledger
        .find(&job.campaign.name)
        .await?
        .context("the campaign is gone from the ledger")?;
    let reader = Reader::open(&job.workspace.ledger)?.context("the ledger is gone")?;
    let tally = reader.tally(campaign.id)?;
    let verdict = verdict(job, report, tally);
    alarm(job, report.refused_logins);
    let note = verdict.what.clone();
    ledger
        .set_run(
            campaign.id,
            RunState {
                state: verdict.state,
                until_ms: verdict.until_ms,
                note,
                is_content_refused: matches!(report.ended, Ended::Content(_)),
            },
        )
        .await?;
    let status = reader
        .status(&job.campaign.name)?
        .context("the campaign is gone from the ledger")?;
    if job.printer.form == Form::Json {
        // The lock is still held while this is printed; the run itself is over.
        let mut summary = serde_json::to_value(&status)?;
        if let Some(fields) = summary.as_object_mut() {
            fields.insert("type".to_owned(), json!("Summary"));
            fields.insert("state".to_owned(), json!(verdict.state));
            fields.insert("sent_in_this_run".to_owned(), json!(mails));
            fields.insert("next".to_owned(), json!(verdict.next));
            fields.insert("exit_code".to_owned(), json!(verdict.exit as u8));
        }
        job.printer.json(&summary);
    } else if job.printer.is_quiet {
        // For cron: no news is good news.
        if verdict.exit != Exit::Ok {
            job.printer
                .warn(format!("{}: {}", job.campaign.name, verdict.what));
        }
    } else {
        let shown = crate::ledger::read::Status {
            state: verdict.state.to_owned(),
            note: String::new(),
            next_ms: None,
            ..status
        };
        status::describe(&job.workspace, &shown, job.printer);
        status::list(&reader, &job.campaign.name, State::InDoubt, job.printer)?;
        status::list(&reader, &job.campaign.name, State::Failed, job.printer)?;
        job.printer.data("");
        job.printer.data(&verdict.what);
        if !verdict.next.is_empty() {
            job.printer.data(format!("  next:   {}", verdict.next));
        }
    }
    Ok(Sent {
        exit: verdict.exit,
        mails,
    })
}

/// Says loudly that somebody knocks again and again: the account is about to be locked.
fn alarm(job: &Job<'_>, refused: u32) {
    if refused > lockout::ALARM_AT {
        job.printer.warn(text!(
            "ALARM: {refused} refused logins of account `{account}` within a minute; stop whatever else logs in to it",
            refused,
            account = job.campaign.account.name.as_str()
        ));
    }
}

const AGAIN: &str = "run the same command again";

fn verdict(job: &Job<'_>, report: &Report, tally: Tally) -> Verdict {
    let at = |ms| time(ms, &status::zone(&job.workspace, &job.campaign.account.name));
    let or_wait = |ms| format!("{}; {AGAIN}, or leave it running with `--wait`", at(ms));
    let waiting = wait(tally.pending);
    match &report.ended {
        Ended::Done => done(job, tally),
        Ended::Account(fault) => account(job, fault, &waiting),
        Ended::Interrupted => interrupted(report, &waiting),
        Ended::Limit => Verdict::paused(format!("the limit of this run is reached; {waiting}"), AGAIN),
        Ended::Quota(spent) => Verdict {
            until_ms: Some(spent.until_ms),
            ..Verdict::paused(format!("{}; {waiting}", quota(*spent)), or_wait(spent.until_ms))
        },
        Ended::Later(due_ms) => Verdict {
            until_ms: Some(*due_ms),
            ..Verdict::paused(format!("{waiting} for another try"), or_wait(*due_ms))
        },
        Ended::Content(fault) => Verdict::paused(
            format!("the server refuses this mail again and again: {fault}; {waiting}"),
            format!("change what it objects to, and {AGAIN} with `--accept-changes`"),
        ),
        Ended::List { unknown, of } => Verdict::paused(
            format!(
                "of the last {of} mails {unknown} had a recipient who does not exist; {waiting}\n  \
                 means:  the list is old or guessed; providers block senders who go on"
            ),
            format!(
                "clean the list, and {AGAIN} with `--accept-changes`; or just {AGAIN} if you know better"
            ),
        ),
        Ended::Locked(until_ms) => Verdict {
            until_ms: Some(*until_ms),
            ..Verdict::stopped(
                Exit::NoPerm,
                format!("the account's login was refused; {waiting}"),
                format!("{}; {AGAIN}", at(*until_ms)),
            )
        },
        Ended::Paused(until_ms) => Verdict {
            until_ms: Some(*until_ms),
            ..Verdict::paused(why_paused(job, &waiting), or_wait(*until_ms))
        },
        Ended::Unreachable(fault) => unreachable(job, fault, &waiting),
    }
}

fn unreachable(job: &Job<'_>, fault: &Fault, waiting: &str) -> Verdict {
    if fault.stage >= Stage::Mail {
        let next = format!(
            "it may be overloaded or not want so much; {AGAIN} later, with fewer `connections` or a rate"
        );
        let what = format!("the server breaks off again and again: {fault}; {waiting}");
        return Verdict::stopped(Exit::Unavailable, what, next);
    }
    let next = format!(
        "check host, port and tls of account `{}`, and {AGAIN}",
        job.campaign.account.name
    );
    let what = format!("the server cannot be reached: {fault}; {waiting}");
    Verdict::stopped(Exit::Unavailable, what, next)
}

impl Verdict {
    fn paused(why: impl std::fmt::Display, next: impl Into<String>) -> Self {
        let what = format!("paused: {why}");
        Self {
            exit: Exit::TempFail,
            state: "paused",
            until_ms: None,
            what,
            next: next.into(),
        }
    }

    fn stopped(exit: Exit, why: impl std::fmt::Display, next: impl Into<String>) -> Self {
        Self {
            exit,
            state: "stopped",
            until_ms: None,
            what: format!("stopped: {why}"),
            next: next.into(),
        }
    }
}

fn interrupted(report: &Report, waiting: &str) -> Verdict {
    let exit = if signal::is_from_keyboard() {
        Exit::Interrupted
    } else {
        Exit::TempFail
    };
    let doubt = match report.abandoned {
        0 => String::new(),
        many => format!("; {} became doubtful", deliveries(many)),
    };
    Verdict::stopped(
        exit,
        format!("as you asked; {waiting}{doubt}"),
        format!("{AGAIN} to go on"),
    )
}

fn done(job: &Job<'_>, tally: Tally) -> Verdict {
    let name = &job.campaign.name;
    let (exit, what) = match (tally.failed, tally.in_doubt) {
        (0, 0) => (Exit::Ok, format!("done: {} sent", count(tally.sent, "mail"))),
        (failed, doubtful) => {
            let open = [(failed, "failed"), (doubtful, "in doubt")].map(|(count, name)| match count {
                0 => String::new(),
                many => format!(", {} {name}", number(many)),
            });
            (
                Exit::Partial,
                format!("done: {} sent{}", count(tally.sent, "mail"), open.concat()),
            )
        }
    };
    let next = if tally.in_doubt > 0 {
        format!("settle what is in doubt with `mailshot resolve {name}`")
    } else if tally.failed > 0 {
        format!("see why with `mailshot show {name} ADDRESS`")
    } else {
        String::new()
    };
    Verdict {
        exit,
        state: "finished",
        until_ms: None,
        what,
        next,
    }
}

/// What it means that the account pauses, and what the provider said.
fn why_paused(job: &Job<'_>, waiting: &str) -> String {
    let reader = Reader::open(&job.workspace.ledger).ok().flatten();
    let learned = reader.and_then(|reader| reader.learned(&job.campaign.account.name).ok());
    let Some(why) = learned
        .and_then(|mut all| all.remove(""))
        .map(|learned| learned.why)
    else {
        return format!("the provider takes no more; {waiting}");
    };
    let (reply, _) = pasted(&why);
    let judge = job.judge();
    let meaning = judge.meaning(&reply).meaning;
    format!("{}; {waiting}\n  server: {why}", meaning.en)
}

/// The account was refused: all deliveries wait, and the words depend on what the server objects to.
fn account(job: &Job<'_>, fault: &Fault, waiting: &str) -> Verdict {
    let account = &job.campaign.account;
    let server = match fault.reply {
        Some(_) => format!("{}:{} said: {fault}", account.host, account.port),
        None => format!("{}:{}: {fault}", account.host, account.port),
    };
    if is_wrong_network(fault) {
        return Verdict::stopped(
            Exit::NoPerm,
            format!("{fault}; {waiting}, nothing is lost"),
            format!(
                "send from an allowed network, or change `egress_allow` of account `{}`; {AGAIN}",
                account.name
            ),
        );
    }
    if fault.reply.is_none() && fault.stage < Stage::Auth {
        return Verdict::stopped(
            Exit::Config,
            format!(
                "the server and account `{}` do not fit together; {waiting}\n  server: {server}",
                account.name
            ),
            format!("change the account in mailshot.toml, and {AGAIN}"),
        );
    }
    let judge = job.judge();
    let known = judge.rules().of_class(fault.verdict.class, None);
    let is_login = fault.stage == Stage::Auth;
    let (what, advice) = match fault.reply {
        Some(_) => (known.meaning.en.as_str(), known.advice.en.as_str()),
        None => (
            "the server broke off at the login",
            "it may have refused the password",
        ),
    };
    let refused = if is_login {
        "the server refused the login"
    } else {
        "the server refused the account or its sender"
    };
    let left_alone = match fault.verdict.class {
        Class::AuthFailed | Class::AuthLocked => format!(
            "; `{}` is left alone for {}: `mailshot unlock {}` once the password is right",
            account.name, account.lockout, account.name
        ),
        _ => format!("; then {AGAIN}"),
    };
    Verdict::stopped(
        Exit::NoPerm,
        format!("{refused}; {waiting}, nothing is lost\n  server: {server}\n  means:  {what}"),
        format!("{advice}{left_alone}"),
    )
}

/// `today's quota of 500 mails is used up`
fn quota(spent: Spent) -> String {
    let limit = u64::from(spent.rate.limit.get());
    let when = match spent.rate.unit {
        Unit::Day => "today's",
        Unit::Hour => "this hour's",
        Unit::Minute => "this minute's",
        Unit::Second => "this second's",
    };
    format!("{when} quota of {} is used up", count(limit, "mail"))
}
