//! Which function answers which command. The SQL stands beside: `enrolment`, `attempts`, `deliveries`,
//! `suppression`, `accounts`.
//!
//! A command's answer is made here and given after the commit: an intent that could still be rolled back is none.

use rusqlite::Connection;

use super::accounts::Locks;
use super::attempts::{Kept, Statements};
use super::command::{Answer, Command};
use super::feedback::Held;
use super::pace::{self, Paces};
use super::quota::{Usage, Which};
use super::suppression::Suppressions;
use super::{accounts, attempts, deliveries, enrolment, feedback, places, suppression};

/// Gives the answer; called when the transaction is on disk.
pub(super) type Committed = Box<dyn FnOnce()>;

/// What the writer keeps in memory between transactions: nothing that could not be read again.
#[derive(Debug, Default)]
pub(super) struct Writer {
    usage: Usage,
    locks: Locks,
    paces: Paces,
    suppressions: Suppressions,
    held: Held,
    data_version: i64,
    #[cfg(feature = "unrecorded")]
    unrecorded: super::unrecorded::Unrecorded,
}

pub(super) fn later<T: 'static>(answer: Answer<T>, value: T) -> Committed {
    Box::new(move || {
        // Whoever asked may have been cancelled; the fact stays on disk.
        let _gone = answer.send(value);
    })
}

impl Writer {
    /// Forgets what it kept in memory when another process has written since. To be called at the start of every
    /// transaction: inside it nobody else writes.
    pub(super) fn refresh(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let version = db
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if version != self.data_version {
            self.usage.forget_all();
            self.locks.forget();
            self.paces.forget();
            self.suppressions.forget();
            self.held.forget();
            self.data_version = version;
        }
        self.usage.forget_stale();
        Ok(())
    }

    /// Does what a command says; the answer is given by the caller, after the commit.
    #[expect(clippy::too_many_lines, reason = "one arm for each command")]
    pub(super) fn apply(
        &mut self,
        db: &Connection,
        statements: &mut Statements<'_>,
        command: Command,
    ) -> rusqlite::Result<Committed> {
        #[cfg(feature = "unrecorded")]
        let command = match self.unrecorded.answer(db, command)? {
            Ok(answer) => return Ok(answer),
            Err(command) => command,
        };
        Ok(match command {
            Command::Find { name, answer } => later(answer, enrolment::find(db, &name)?),
            Command::Register {
                name,
                account,
                inputs,
                now_ms,
                answer,
            } => later(answer, enrolment::register(db, &name, &account, &inputs, now_ms)?),
            Command::AddList { digest, path, answer } => {
                later(answer, enrolment::add_list(db, &digest, &path)?)
            }
            Command::DropPartial { campaign, answer } => {
                later(answer, enrolment::drop_partial(db, campaign)?)
            }
            Command::Enrol {
                campaign,
                list,
                new,
                moved,
                answer,
            } => {
                enrolment::move_to(db, list, &moved)?;
                later(
                    answer,
                    enrolment::enrol(db, &mut self.suppressions, campaign, list, &new)?,
                )
            }
            Command::Withdraw {
                campaign,
                list,
                surplus,
                answer,
            } => later(answer, enrolment::withdraw(db, campaign, list, surplus)?),
            Command::Revive { campaign, answer } => later(answer, deliveries::revive(db, campaign)?),
            Command::Enrolled {
                campaign,
                account,
                inputs,
                now_ms,
                answer,
            } => later(
                answer,
                enrolment::enrolled(db, campaign, &account, &inputs, now_ms)?,
            ),
            Command::Recover {
                campaign,
                now_ms,
                answer,
            } => later(answer, attempts::recover(db, campaign, now_ms)?),
            Command::Due {
                campaign,
                now_ms,
                after,
                most,
                answer,
            } => later(answer, deliveries::due(db, campaign, now_ms, after, most)?),
            Command::NextDue { campaign, answer } => later(answer, deliveries::next_due(db, campaign)?),
            Command::Begin { intent, answer } => {
                let Self {
                    usage,
                    locks,
                    paces,
                    suppressions,
                    held,
                    ..
                } = self;
                let kept = Kept {
                    usage,
                    locks,
                    paces,
                    suppressions,
                    held,
                };
                later(answer, statements.begin(db, kept, &intent)?)
            }
            Command::Finish { finish, answer } => {
                later(answer, statements.finish(db, &mut self.usage, &finish)?)
            }
            Command::Resolve {
                campaign,
                key,
                how,
                answer,
            } => later(answer, deliveries::resolve(db, campaign, key.as_deref(), how)?),
            Command::Settle {
                campaign,
                settled,
                answer,
            } => later(answer, deliveries::settle(db, campaign, &settled)?),
            Command::SetRun {
                campaign,
                run,
                answer,
            } => later(answer, enrolment::set_run(db, campaign, &run)?),
            Command::Suppress { rows, answer } => {
                self.suppressions.forget();
                later(answer, suppression::suppress(db, &rows)?)
            }
            Command::Lift {
                key,
                list,
                why,
                now_ms,
                answer,
            } => {
                self.suppressions.forget();
                later(
                    answer,
                    suppression::lift(db, &key, list.as_deref(), (&why, now_ms))?,
                )
            }
            Command::Receive {
                rows,
                limits,
                is_trial,
                answer,
            } => {
                self.held.forget();
                self.suppressions.forget();
                later(answer, feedback::try_or_receive(db, &rows, limits, is_trial)?)
            }
            Command::Place { mailbox, answer } => later(answer, places::place(db, &mailbox)?),
            Command::KeepPlace {
                mailbox,
                place,
                answer,
            } => later(answer, places::keep(db, &mailbox, &place)?),
            Command::Release { campaign, answer } => {
                self.held.forget();
                later(answer, feedback::release(db, campaign)?)
            }
            Command::Learn {
                account,
                about,
                now_ms,
                answer,
            } => later(answer, self.paces.learn(db, &account, &about, now_ms)?),
            Command::LockAccount { event, answer } => {
                self.locks.forget();
                later(answer, accounts::lock(db, &event)?)
            }
            Command::UnlockAccount {
                account,
                now_ms,
                answer,
            } => {
                self.locks.forget();
                later(answer, accounts::unlock(db, &account, now_ms)?)
            }
            Command::Unlearn { account, answer } => {
                self.paces.forget();
                later(answer, pace::unlearn(db, &account)?)
            }
            Command::Left {
                account,
                quota,
                now_ms,
                answer,
            } => later(
                answer,
                quota.left(self.usage.of(db, (&account, Which::All), &quota, now_ms)?, now_ms),
            ),
        })
    }
}
