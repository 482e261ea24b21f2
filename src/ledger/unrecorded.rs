//! For measuring what the record costs: intents and results are answered and not written. Never for real mail.
//!
//! Only with the feature `unrecorded`, which `scripts/bench` turns on for one row.

use std::collections::VecDeque;

use rusqlite::Connection;

use super::apply::{Committed, later};
use super::command::{AttemptId, Begin, Command, Delivery};
use super::deliveries;

/// What a writer without a record must remember.
#[derive(Debug, Default)]
pub(super) struct Unrecorded {
    attempts: i64,
    /// Those that were pending when it was first asked: on disk they stay so.
    waiting: Option<VecDeque<Delivery>>,
}

impl Unrecorded {
    /// Answers what the loop asks for each mail; gives every other command back.
    pub(super) fn answer(
        &mut self,
        db: &Connection,
        command: Command,
    ) -> rusqlite::Result<Result<Committed, Command>> {
        Ok(Ok(match command {
            Command::Begin { answer, .. } => {
                self.attempts += 1;
                later(
                    answer,
                    Begin::Go(AttemptId {
                        number: self.attempts,
                        began_at_ms: 0,
                        like: None,
                    }),
                )
            }
            Command::Finish { answer, .. } => later(answer, ()),
            Command::Due {
                campaign,
                now_ms,
                most,
                answer,
                ..
            } => {
                if self.waiting.is_none() {
                    self.waiting = Some(deliveries::due(db, campaign, now_ms, None, u32::MAX)?.into());
                }
                let due = self.waiting.iter_mut().flat_map(|waiting| {
                    let count = waiting.len().min(most as usize);
                    waiting.drain(..count)
                });
                later(answer, due.collect())
            }
            Command::NextDue { answer, .. } => later(answer, None),
            other => return Ok(Err(other)),
        }))
    }
}
