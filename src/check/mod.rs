//! Before anything is sent: every row is read and every recipient's mail is made once. All problems come together.

mod people;
mod warnings;

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::campaign::octets::Octets;
use crate::campaign::{Problem, Problems};
use crate::mail::Recipient;
use crate::pipeline::Maker;
use crate::source::{List, Rejected, Row};
use crate::text;
use warnings::{Blocked, Cells};

pub use people::{LeftOut, RepairedRow, WithheldRow};

/// Recipients handed to a rendering thread at once.
const BATCH: usize = 256;
/// Batches that may wait: reading must not run ahead of rendering, or memory would grow with the list.
const BATCHES_WAITING: usize = 4;

/// What the check found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Findings {
    /// Rows of the list, blank ones aside.
    pub rows: u64,
    /// People who can be mailed.
    pub usable: u64,
    /// Mails to them: more than one each when files are split.
    pub mails: u64,
    /// Rows whose address stood on an earlier row.
    pub duplicates: u64,
    /// The first of them: the row's line, and the line that counts.
    pub duplicate_lines: Vec<(u64, u64)>,
    /// Rows that cannot be used.
    pub rejected: u64,
    /// Addresses that were repaired, as `--fix` says.
    pub repaired: u64,
    /// The first of them.
    pub repaired_rows: Vec<RepairedRow>,
    /// People whom the list's own columns say not to mail.
    pub withheld: u64,
    /// The first of them.
    pub withheld_rows: Vec<WithheldRow>,
    /// People who are not meant: by `where`, `exclude` and `sample`.
    pub not_meant: [u64; 3],
    /// How many people get each edition, when there are several; the campaign's own has no name.
    pub editions: BTreeMap<String, u64>,
    /// Octets of the largest mail.
    pub largest: usize,
    /// Octets of the largest HTML part.
    pub largest_html: usize,
    /// What is not wrong, and yet hurts.
    pub warnings: Vec<Problem>,
    /// What is wrong with rows of the list.
    #[serde(skip)]
    pub row_problems: Problems,
    /// What is wrong with mails.
    #[serde(skip)]
    pub mail_problems: Problems,
}

/// Reads the whole list and makes every mail once, on all cores. `left_out` is told of every row that is not mailed.
pub fn check(
    maker: &Maker,
    list: &List,
    now_ms: i64,
    mut left_out: impl FnMut(LeftOut<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<Findings> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (batches, waiting) = sync_channel::<Vec<Recipient>>(BATCHES_WAITING);
    let waiting = Mutex::new(waiting);
    let (done, given_back) = channel();
    let made = Mutex::new(Made::default());
    let mut findings = Findings::default();
    let mut cells = Cells::new(maker, list, now_ms);
    std::thread::scope(|scope| -> anyhow::Result<()> {
        for _ in 0..threads {
            scope.spawn(|| make_all(maker, &waiting, &done, now_ms, &made));
        }
        // Moved in, so that the threads end when reading ends, in whatever way.
        let batches = batches;
        let mut batch = Vec::with_capacity(BATCH);
        let mut rows = list.rows()?;
        while let Some(row) = rows.next() {
            if let Some(recipient) = findings.note(row?, list, maker.templates(), &mut left_out)? {
                cells.look_at(&recipient, maker.templates());
                batch.push(recipient);
                if batch.len() == BATCH {
                    batches.send(batch)?;
                    batch = given_back.try_recv().unwrap_or_default();
                    rows.take_back(batch.drain(..));
                }
            }
        }
        batches.send(batch)?;
        Ok(())
    })?;
    let made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
    findings.mails = made.mails;
    findings.largest = made.largest;
    findings.largest_html = made.largest_html;
    findings.warnings = warnings::all(maker, list, &findings, &cells);
    findings
        .warnings
        .extend(made.blocked.warning(list, findings.usable));
    findings.mail_problems = made.problems;
    Ok(findings)
}

/// Only reads the rows: what is wrong with them, when no mail can be made anyway.
pub fn row_problems(list: &List) -> anyhow::Result<Problems> {
    let mut problems = Problems::default();
    for row in list.rows()? {
        if let Row::Rejected(rejected @ Rejected { withheld: None, .. }) = row? {
            problems.push(rejected.problem);
        }
    }
    Ok(problems)
}

#[derive(Debug, Default)]
struct Made {
    largest_html: usize,
    largest: usize,
    mails: u64,
    /// Files of rows that mailboxes do not take.
    blocked: Blocked,
    problems: Problems,
}

/// A mail that the provider is known not to take.
fn too_large(maker: &Maker, recipient: &Recipient, size: usize) -> Problems {
    let campaign = maker.campaign();
    let Some(most) = campaign.account.size_max.filter(|most| size as u64 > most.0) else {
        return Problems::default();
    };
    let what = text!(
        "a mail of {size}, and account `{name}` takes {most} at most",
        size = Octets(size as u64),
        name = campaign.account.name,
        most
    );
    let hint = text!(
        "the mail for this row; what is attached grows by a third on its way: send it `as = \"link\"`, or \
                `as = \"split\"`"
    );
    Problem::at(&campaign.recipients, recipient.place.line, 1, what)
        .hint(hint)
        .into()
}

/// Makes the mails of one batch after the other, and gives the batches back.
fn make_all(
    maker: &Maker,
    waiting: &Mutex<Receiver<Vec<Recipient>>>,
    done: &Sender<Vec<Recipient>>,
    now_ms: i64,
    all: &Mutex<Made>,
) {
    loop {
        let batch = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(batch) = batch else { return };
        let mut made = Made::default();
        for recipient in &batch {
            match maker.make_to_check(recipient, now_ms) {
                Ok(mail) => {
                    let size = maker.size_when_signed(&mail);
                    made.problems.extend(too_large(maker, recipient, size));
                    made.mails += u64::from(mail.mails.count);
                    made.blocked.look_at(&mail.content, recipient);
                    made.largest = made.largest.max(size);
                    made.largest_html = made.largest_html.max(mail.content.html.len());
                }
                Err(problem) => made.problems.push(problem),
            }
        }
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        all.mails += made.mails;
        all.largest = all.largest.max(made.largest);
        all.largest_html = all.largest_html.max(made.largest_html);
        all.blocked.add(made.blocked);
        all.problems.extend(made.problems);
        drop(all);
        // Reading may have ended meanwhile.
        drop(done.send(batch));
    }
}
