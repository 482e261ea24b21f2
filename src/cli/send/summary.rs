//! How it went, and what to do next, in words a marketer understands.
//!
//! It is as long as it is because every way in which a run may end is told apart here, and nowhere else.

use anyhow::Context as _;
use serde_json::json;

use super::super::counted::{self, deliveries, mails};
use super::super::exit::Exit;
use super::super::printer::{Form, number, quoted, time};
use super::super::{lockout, status};
use super::{Job, Sent, signal};
use crate::campaign::quota::{Spent, Unit};
use crate::deliver::egress::is_wrong_network;
use crate::ledger::read::{Reader, Status};
use crate::ledger::{Ledger, RunState, State, Tally};
use crate::mail::{Class, Fault, Stage};
use crate::pipeline::{Ended, Report};
use crate::replies::pasted;
use crate::text;
use crate::words::Text;

/// What is said at the end of a run.
struct Verdict {
    exit: Exit,
    /// `paused`, `stopped` or `finished`.
    state: &'static str,
    /// When it goes on by itself, in ms since the epoch.
    until_ms: Option<i64>,
    /// What happened.
    what: Text,
    /// What to do.
    next: Text,
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
    let note = verdict.what.on_record();
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
    show(job, &reader, status, &verdict, mails)?;
    Ok(Sent {
        exit: verdict.exit,
        mails,
    })
}

/// Shows how the campaign stands, what happened and what to do.
fn show(job: &Job<'_>, reader: &Reader, status: Status, verdict: &Verdict, mails: u64) -> anyhow::Result<()> {
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
            job.printer.warn(text!(
                "{name}: {what}",
                name = job.campaign.name,
                what = verdict.what
            ));
        }
    } else {
        let shown = Status {
            state: verdict.state.to_owned(),
            note: Text::default(),
            next_ms: None,
            ..status
        };
        status::describe(&job.workspace, &shown, job.printer);
        status::list(reader, &job.campaign.name, State::InDoubt, job.printer)?;
        status::list(reader, &job.campaign.name, State::Failed, job.printer)?;
        job.printer.data(Text::default());
        job.printer.data(&verdict.what);
        if !verdict.next.is_empty() {
            job.printer.data(text!("  next:   {next}", next = verdict.next));
        }
    }
    Ok(())
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

fn verdict(job: &Job<'_>, report: &Report, tally: Tally) -> Verdict {
    let waiting = counted::waiting(tally.pending);
    match &report.ended {
        Ended::Done => done(job, tally),
        Ended::Account(fault) => account(job, fault, &waiting),
        Ended::Interrupted => interrupted(report, &waiting),
        Ended::Limit => Verdict::paused(
            &text!("the limit of this run is reached; {waiting}", waiting),
            text!("run the same command again"),
        ),
        Ended::Quota(spent) => {
            let why = text!("{quota}; {waiting}", quota = quota(*spent), waiting);
            Verdict::until(job, spent.until_ms, &why)
        }
        Ended::Later(due_ms) => Verdict::until(job, *due_ms, &text!("{waiting} for another try", waiting)),
        Ended::Content(fault) => Verdict::paused(
            &text!(
                "the server refuses this mail again and again: {fault}; {waiting}",
                fault = fault.said(),
                waiting
            ),
            text!("change what it objects to, and run the same command again with `--accept-changes`"),
        ),
        Ended::List { unknown, of } => Verdict::paused(
            &text!(
                "of the last {of} mails {unknown} had a recipient who does not exist; {waiting}\n  means:  the list is old or guessed; providers block senders who go on",
                of = *of,
                unknown = *unknown,
                waiting
            ),
            text!(
                "clean the list, and run the same command again with `--accept-changes`; or just run the same command again if you know better"
            ),
        ),
        Ended::Locked(until_ms) => Verdict {
            until_ms: Some(*until_ms),
            ..Verdict::stopped(
                Exit::NoPerm,
                &text!("the account's login was refused; {waiting}", waiting),
                text!("{at}; run the same command again", at = at(job, *until_ms)),
            )
        },
        Ended::Held => Verdict::stopped(
            Exit::TempFail,
            &text!("the campaign is held for what came back; {waiting}", waiting),
            text!(
                "`mailshot report {name}` shows what came back; mend list or content, then go on with --release",
                name = job.campaign.name.as_str()
            ),
        ),
        Ended::Paused(until_ms) => Verdict::until(job, *until_ms, &why_paused(job, &waiting)),
        Ended::Unreachable(fault) => unreachable(job, fault, &waiting),
    }
}

/// A moment in the zone that the account's days are counted in.
fn at(job: &Job<'_>, ms: i64) -> String {
    time(ms, &status::zone(&job.workspace, &job.campaign.account.name))
}

fn unreachable(job: &Job<'_>, fault: &Fault, waiting: &Text) -> Verdict {
    let said = fault.said();
    if fault.stage >= Stage::Mail {
        return Verdict::stopped(
            Exit::Unavailable,
            &text!(
                "the server breaks off again and again: {said}; {waiting}",
                said,
                waiting
            ),
            text!(
                "it may be overloaded or not want so much; run the same command again later, with fewer `connections` or a rate"
            ),
        );
    }
    Verdict::stopped(
        Exit::Unavailable,
        &text!("the server cannot be reached: {said}; {waiting}", said, waiting),
        text!(
            "check host, port and tls of account `{account}`, and run the same command again",
            account = job.campaign.account.name
        ),
    )
}

impl Verdict {
    fn paused(why: &Text, next: Text) -> Self {
        Self {
            exit: Exit::TempFail,
            state: "paused",
            until_ms: None,
            what: text!("paused: {why}", why),
            next,
        }
    }

    /// Paused, and it goes on then.
    fn until(job: &Job<'_>, until_ms: i64, why: &Text) -> Self {
        let next = text!(
            "{at}; run the same command again, or leave it running with `--wait`",
            at = at(job, until_ms)
        );
        Self {
            until_ms: Some(until_ms),
            ..Self::paused(why, next)
        }
    }

    fn stopped(exit: Exit, why: &Text, next: Text) -> Self {
        Self {
            exit,
            state: "stopped",
            until_ms: None,
            what: text!("stopped: {why}", why),
            next,
        }
    }
}

fn interrupted(report: &Report, waiting: &Text) -> Verdict {
    let exit = if signal::is_from_keyboard() {
        Exit::Interrupted
    } else {
        Exit::TempFail
    };
    let why = match report.abandoned {
        0 => text!("as you asked; {waiting}", waiting),
        many => text!(
            "as you asked; {waiting}; {deliveries} became doubtful",
            waiting,
            deliveries = deliveries(many)
        ),
    };
    Verdict::stopped(exit, &why, text!("run the same command again to go on"))
}

fn done(job: &Job<'_>, tally: Tally) -> Verdict {
    let name = &job.campaign.name;
    let sent = mails(tally.sent);
    let (failed, doubt) = (number(tally.failed), number(tally.in_doubt));
    let (exit, what) = match (tally.failed, tally.in_doubt) {
        (0, 0) => (Exit::Ok, text!("done: {sent} sent", sent)),
        (_, 0) => (
            Exit::Partial,
            text!("done: {sent} sent, {failed} failed", sent, failed),
        ),
        (0, _) => (
            Exit::Partial,
            text!("done: {sent} sent, {doubt} in doubt", sent, doubt),
        ),
        _ => (
            Exit::Partial,
            text!(
                "done: {sent} sent, {failed} failed, {doubt} in doubt",
                sent,
                failed,
                doubt
            ),
        ),
    };
    let next = if tally.in_doubt > 0 {
        text!(
            "settle what is in doubt with `mailshot resolve {name}`",
            name = quoted(name)
        )
    } else if tally.failed > 0 {
        text!("see why with `mailshot show {name} ADDRESS`", name = quoted(name))
    } else {
        Text::default()
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
fn why_paused(job: &Job<'_>, waiting: &Text) -> Text {
    let reader = Reader::open(&job.workspace.ledger).ok().flatten();
    let learned = reader.and_then(|reader| reader.learned(&job.campaign.account.name).ok());
    let Some(why) = learned
        .and_then(|mut all| all.remove(""))
        .map(|learned| learned.why)
    else {
        return text!("the provider takes no more; {waiting}", waiting);
    };
    let (reply, _) = pasted(&why);
    let judge = job.judge();
    text!(
        "{meaning}; {waiting}\n  server: {why}",
        meaning = judge.meaning(&reply).meaning,
        waiting,
        why
    )
}

/// The account was refused: all deliveries wait, and the words depend on what the server objects to.
fn account(job: &Job<'_>, fault: &Fault, waiting: &Text) -> Verdict {
    let account = &job.campaign.account;
    let (host, port, said) = (&account.host, account.port, fault.said());
    let server = match fault.reply {
        Some(_) => text!("{host}:{port} said: {said}", host, port, said),
        None => text!("{host}:{port}: {said}", host, port, said),
    };
    if is_wrong_network(fault) {
        return Verdict::stopped(
            Exit::NoPerm,
            &text!("{said}; {waiting}, nothing is lost", said, waiting),
            text!(
                "send from an allowed network, or change `egress_allow` of account `{account}`; run the same command again",
                account = account.name
            ),
        );
    }
    if fault.reply.is_none() && fault.stage < Stage::Auth {
        return Verdict::stopped(
            Exit::Config,
            &text!(
                "the server and account `{account}` do not fit together; {waiting}\n  server: {server}",
                account = account.name,
                waiting,
                server
            ),
            text!("change the account in mailshot.toml, and run the same command again"),
        );
    }
    refused(job, fault, waiting, &server)
}

/// The login was refused, or the account, or its sender.
fn refused(job: &Job<'_>, fault: &Fault, waiting: &Text, server: &Text) -> Verdict {
    let account = &job.campaign.account;
    let judge = job.judge();
    let known = judge.rules().of_class(fault.verdict.class, None);
    let (means, advice) = match fault.reply {
        Some(_) => (Text::from(known.meaning), Text::from(known.advice)),
        None => (
            text!("the server broke off at the login"),
            text!("it may have refused the password"),
        ),
    };
    let why = if fault.stage == Stage::Auth {
        text!(
            "the server refused the login; {waiting}, nothing is lost\n  server: {server}\n  means:  {means}",
            waiting,
            server,
            means
        )
    } else {
        text!(
            "the server refused the account or its sender; {waiting}, nothing is lost\n  server: {server}\n  means:  {means}",
            waiting,
            server,
            means
        )
    };
    let next = match fault.verdict.class {
        Class::AuthLocked => text!(
            "{advice}; `{account}` is left alone for {lockout}: `mailshot unlock {account}` only if the provider has unlocked it",
            advice,
            account = account.name,
            lockout = account.lockout
        ),
        Class::AuthFailed => text!(
            "{advice}; `{account}` is left alone for {lockout}: `mailshot unlock {account}` once the password is right",
            advice,
            account = account.name,
            lockout = account.lockout
        ),
        _ => text!("{advice}; then run the same command again", advice),
    };
    Verdict::stopped(Exit::NoPerm, &why, next)
}

/// `today's quota of 500 mails is used up`
fn quota(spent: Spent) -> Text {
    let mails = mails(u64::from(spent.rate.limit.get()));
    match spent.rate.unit {
        Unit::Day => text!("today's quota of {mails} is used up", mails),
        Unit::Hour => text!("this hour's quota of {mails} is used up", mails),
        Unit::Minute => text!("this minute's quota of {mails} is used up", mails),
        Unit::Second => text!("this second's quota of {mails} is used up", mails),
    }
}
