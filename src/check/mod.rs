//! Before anything is sent: every row is read and every recipient's mail is made once. All problems come together.

mod people;

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::campaign::quota::Octets;
use crate::campaign::{Law, Problem, Problems};
use crate::compose::is_blocked;
use crate::mail::repair::meant_domain;
use crate::mail::{Recipient, domain};
use crate::pipeline::Maker;
use crate::source::{List, Rejected, Row};
pub use people::{LeftOut, RepairedRow, WithheldRow};

/// Recipients handed to a rendering thread at once.
const BATCH: usize = 256;
/// Batches that may wait: reading must not run ahead of rendering, or memory would grow with the list.
const BATCHES_WAITING: usize = 4;
/// Mistyped addresses named in the report.
const SLIPS_SHOWN: usize = 20;
/// Gmail cuts the HTML off from about this size on, and the footer with it.
const CLIPPED_FROM: usize = 102 * 1_024;
/// From here on it may happen to somebody.
const NEARLY_CLIPPED: usize = 90 * 1_024;
/// What the check found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Findings {
    /// Rows of the list, blank ones aside.
    pub rows: u64,
    /// People who can be mailed.
    pub usable: u64,
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
    let mut empty = Empty::new(maker);
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
                empty.look_at(&recipient);
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
    findings.largest = made.largest;
    findings.largest_html = made.largest_html;
    findings.warn(maker, list, &empty);
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

impl Findings {
    /// What is not wrong, and yet hurts: in templates, in cells, in sizes.
    fn warn(&mut self, maker: &Maker, list: &List, empty: &Empty) {
        let campaign = maker.campaign();
        self.warnings = maker.templates().lint(campaign.laws.include(Law::Cn));
        let html = &campaign.html;
        if self.largest_html > CLIPPED_FROM {
            let what = format!(
                "Gmail shows only the first 102 KB; the largest HTML has {} KB",
                self.largest_html / 1_024
            );
            self.warnings.push(
                Problem::with_file(html, what)
                    .hint("the footer with the way to leave is cut off; make it shorter"),
            );
        } else if self.largest_html > NEARLY_CLIPPED {
            let what = format!(
                "Gmail shows only the first 102 KB; the largest HTML has {} KB",
                self.largest_html / 1_024
            );
            self.warnings
                .push(Problem::with_file(html, what).hint("a longer value may be cut off"));
        }
        for (column, (rows, first)) in &empty.columns {
            if let Some(name) = list.columns().names.get(*column).filter(|_| *rows > 0) {
                let what = format!(
                    "`{name}` is empty in {rows} of {} rows, and stands in the mail as it is",
                    self.usable
                );
                let hint =
                    format!("write `{{{{default {name} \"…\"}}}}`, or `{{{{#if {name}}}}}…{{{{/if}}}}`");
                self.warnings
                    .push(Problem::at(list.path(), *first, 1, what).hint(hint));
            }
        }
        for (line, address, meant) in &empty.slips {
            let what = format!("{address}: a slip of the keyboard?");
            let hint = format!("did you mean {meant}? `--fix` makes it so");
            self.warnings
                .push(Problem::at(list.path(), *line, 1, what).hint(hint));
        }
        for (line, what, hint) in &empty.odd {
            let problem = Problem::at(list.path(), *line, 1, what.as_str());
            self.warnings.push(problem.hint(*hint));
        }
        for attachment in campaign
            .attachments
            .iter()
            .filter(|attachment| is_blocked(attachment.name.as_deref().unwrap_or(&attachment.file)))
        {
            let what = format!(
                "`{}`: mailboxes throw away files of this kind, or refuse the mail",
                attachment.file
            );
            self.warnings
                .push(Problem::with_file(&campaign.file, what).hint("put it behind a link"));
        }
    }
}

/// Cells that leave a hole in the mail, and addresses that look mistyped.
struct Empty {
    /// By column, how many rows have nothing in it, and the first of them.
    columns: BTreeMap<usize, (u64, u64)>,
    slips: Vec<(u64, String, &'static str)>,
    /// Lines of domains that are odd, and what is.
    odd: Vec<(u64, String, &'static str)>,
}

impl Empty {
    fn new(maker: &Maker) -> Self {
        let columns = maker.templates().bare_columns().into_iter();
        Self {
            columns: columns.map(|column| (column, (0, 0))).collect(),
            slips: Vec::new(),
            odd: Vec::new(),
        }
    }

    fn look_at(&mut self, recipient: &Recipient) {
        let line = recipient.place.line;
        for (column, (rows, first)) in &mut self.columns {
            let cell = recipient.values.get(*column).unwrap_or_default();
            if cell.trim().is_empty() {
                *rows += 1;
                *first = if *rows == 1 { line } else { *first };
            }
        }
        if self.odd.len() < SLIPS_SHOWN
            && let Some((what, hint)) = domain::odd(recipient.address.domain())
        {
            self.odd.push((line, what, hint));
        }
        if self.slips.len() < SLIPS_SHOWN
            && let Some(meant) = meant_domain(recipient.address.domain())
        {
            self.slips.push((line, recipient.address.to_string(), meant));
        }
    }
}

#[derive(Debug, Default)]
struct Made {
    largest_html: usize,
    largest: usize,
    problems: Problems,
}

/// A mail that the provider is known not to take.
fn too_large(maker: &Maker, recipient: &Recipient, size: usize) -> Problems {
    let campaign = maker.campaign();
    let Some(most) = campaign.account.size_max.filter(|most| size as u64 > most.0) else {
        return Problems::default();
    };
    let what = format!(
        "a mail of {}, and account `{}` takes {most} at most",
        Octets(size as u64),
        campaign.account.name
    );
    let hint = format!(
        "for line {}; what is attached grows by a third on its way",
        recipient.place.line
    );
    Problem::with_file(&campaign.file, what).hint(hint).into()
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
            match maker.make_to_send(recipient, now_ms) {
                Ok(mail) => {
                    made.problems
                        .extend(too_large(maker, recipient, mail.message.bytes.len()));
                    made.largest = made.largest.max(mail.message.bytes.len());
                    made.largest_html = made.largest_html.max(mail.content.html.len());
                }
                Err(problem) => made.problems.push(problem),
            }
        }
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        all.largest = all.largest.max(made.largest);
        all.largest_html = all.largest_html.max(made.largest_html);
        all.problems.extend(made.problems);
        drop(all);
        // Reading may have ended meanwhile.
        drop(done.send(batch));
    }
}
