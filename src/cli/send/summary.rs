//! How it went, and what to do next, in words a marketer understands.

use anyhow::Context as _;
use serde_json::json;

use super::super::exit::Exit;
use super::super::printer::{Form, count, deliveries, number, time};
use super::super::status;
use super::{Job, Sent, signal, wait};
use crate::campaign::quota::{Spent, Unit};
use crate::deliver::classify::speaks_of_quota;
use crate::deliver::egress::is_wrong_network;
use crate::ledger::read::Reader;
use crate::ledger::{Ledger, RunState, State, Tally};
use crate::mail::{Fault, Stage};
use crate::pipeline::{Ended, Report};

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
        Ended::Locked(until_ms) => Verdict {
            until_ms: Some(*until_ms),
            ..Verdict::stopped(
                Exit::NoPerm,
                format!("the account's login was refused; {waiting}"),
                format!("{}; {AGAIN}", at(*until_ms)),
            )
        },
        Ended::Unreachable(fault) if fault.stage >= Stage::Mail => Verdict::stopped(
            Exit::Unavailable,
            format!("the server breaks off again and again: {fault}; {waiting}"),
            format!(
                "it may be overloaded or not want so much; {AGAIN} later, with fewer `connections` or a rate"
            ),
        ),
        Ended::Unreachable(fault) => Verdict::stopped(
            Exit::Unavailable,
            format!("the server cannot be reached: {fault}; {waiting}"),
            format!(
                "check host, port and tls of account `{}`, and {AGAIN}",
                job.campaign.account.name
            ),
        ),
    }
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
    if speaks_of_quota(fault) {
        return Verdict::paused(
            format!("the provider's quota is spent; {waiting}\n  server: {server}"),
            format!("{AGAIN} when the quota begins anew"),
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
    let (what, next) = if fault.stage == Stage::Auth {
        let next = format!(
            "set the right user name and password; `{}` is left alone for {}, unless you add --login-again",
            account.name, account.lockout
        );
        ("the server refused the login", next)
    } else {
        (
            "the server refused the account or its sender",
            format!("check `from`, `username` and the account, and {AGAIN}"),
        )
    };
    Verdict::stopped(
        Exit::NoPerm,
        format!("{what}; {waiting}, nothing is lost\n  server: {server}"),
        next,
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
