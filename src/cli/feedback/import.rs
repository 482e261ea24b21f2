//! `mailshot feedback import`: mails that have come back, from files.

use std::path::{Path, PathBuf};

use super::super::exit::{Coded, Exit};
use super::super::printer::Printer;
use super::super::runtime;
use super::taken::{Mail, Taker, Tally, surroundings};
use crate::campaign::plain;
use crate::clock::Clock;
use crate::feedback::Incoming;
use crate::feedback::store::{Store, Unread};
use crate::text;
use crate::words::Text;

/// Mails that are put on record in one transaction.
const BATCH: usize = 200;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A mail (.eml), an mbox, a Maildir, or a folder of mails
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Only say what is understood; change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let failed = |error: std::io::Error| Coded::new(Exit::Io, unreadable(&args.path, &error));
    let store = Store::open(&args.path).map_err(failed)?;
    let (workspace, judge) = surroundings(args.dry_run, printer)?;
    let taker = Taker::open(workspace.as_ref(), args.dry_run, printer)?;
    let mut tally = Tally::default();
    let mut unread = 0;
    runtime()?.block_on(async {
        let mut batch = Vec::with_capacity(BATCH);
        for stored in store {
            let stored = match stored {
                Ok(stored) => stored,
                Err(Unread { path, error }) => {
                    printer.warn(unreadable(&path, &error));
                    unread += 1;
                    continue;
                }
            };
            batch.push(Mail {
                incoming: Incoming::read(&stored.octets, &judge),
                digest: Mail::digest(&stored.octets),
                source: stored.name,
            });
            if batch.len() == BATCH {
                taker
                    .take(std::mem::take(&mut batch), Clock::System.now_ms(), &mut tally)
                    .await?;
            }
        }
        taker
            .take(batch, Clock::System.now_ms(), &mut tally)
            .await
            .map(drop)
    })?;
    tally.say(args.dry_run, printer);
    Ok(if unread == 0 { Exit::Ok } else { Exit::Io })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Text {
    let file = path.display().to_string();
    text!("cannot read {file}: {why}", file, why = plain(error))
}
