//! `mailshot feedback tokens`: applies tokens that something else has collected.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::exit::{Coded, Exit};
use super::super::printer::{Form, Printer};
use super::super::{load, runtime, texts};
use crate::campaign::{Scope, Workspace, plain};
use crate::clock::Clock;
use crate::feedback::tokens::Line;
use crate::ledger::read::Reader;
use crate::ledger::{Ledger, NewFeedback, Received};
use crate::mail::{DeliveryTag, Feedback, UnsubscribeKeys};
use crate::text;

/// Tokens that are put on record in one transaction.
const BATCH: usize = 500;
/// Octets of a line that are looked at.
const LINE_MAX: u64 = 65_536;
/// Characters of a token that are shown: enough to find it, too few to use it.
const SHOWN: usize = 8;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::FEEDBACK_TOKENS)]
pub(super) struct Args {
    /// Tokens a line, a table or a web server's log with them; `-` reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only say what would be done; change nothing
    #[arg(long)]
    dry_run: bool,
}

/// A token that stands in the file.
struct Stood {
    line: u64,
    token: String,
    /// None: not ours.
    tag: Option<DeliveryTag>,
    /// When, where the line says so.
    at_ms: Option<i64>,
    /// How many times it stood there before.
    before: u32,
}

/// What became of a token.
#[derive(Serialize)]
struct Said<'a> {
    line: u64,
    token: String,
    state: &'static str,
    recipient: Option<&'a str>,
    campaign: Option<&'a str>,
    /// Is the recipient mailed no more from now on, and was before?
    suppressed: bool,
}

#[derive(Default)]
struct Tally {
    new: u64,
    known: u64,
    strange: u64,
    visits: u64,
}

/// What applies tokens.
struct Applier<'a> {
    workspace: &'a Workspace,
    keys: UnsubscribeKeys,
    ledger: Ledger,
    reader: Reader,
    is_dry: bool,
    source: String,
    printer: Printer,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(None)?;
    let input = open(&args.file).map_err(|error| failed(&args.file, &error))?;
    let Some(keys) = workspace.unsubscribe.keys_if_any()? else {
        let what = text!(
            "there is no key yet ({file}): no mail has a token of this workspace",
            file = workspace.unsubscribe.key_file.display()
        );
        return Err(Coded::new(Exit::Config, what).into());
    };
    let ledger = Ledger::open(&workspace.ledger)?;
    let Some(reader) = Reader::open(&workspace.ledger)? else {
        return Err(Coded::new(Exit::Io, text!("the ledger is gone")).into());
    };
    let applier = Applier {
        keys,
        ledger,
        reader,
        is_dry: args.dry_run,
        source: args.file.display().to_string(),
        workspace: &workspace,
        printer,
    };
    let tally = runtime()?.block_on(applier.apply(input, &args.file))?;
    tally.say(args.dry_run, printer);
    Ok(Exit::Ok)
}

fn open(file: &Path) -> std::io::Result<BufReader<Box<dyn Read>>> {
    let input: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file)?)
    };
    Ok(BufReader::new(input))
}

fn failed(file: &Path, error: &std::io::Error) -> anyhow::Error {
    let file = file.display().to_string();
    Coded::new(
        Exit::Io,
        text!("cannot read {file}: {why}", file, why = plain(error)),
    )
    .into()
}

impl Applier<'_> {
    async fn apply(&self, mut input: BufReader<Box<dyn Read>>, file: &Path) -> anyhow::Result<Tally> {
        // From here on the reader finds mails by their tags.
        self.ledger
            .receive(Vec::new(), self.workspace.limits, false)
            .await?;
        let mut tally = Tally::default();
        let mut times = HashMap::new();
        let (mut batch, mut octets, mut number) = (Vec::new(), Vec::new(), 0_u64);
        loop {
            octets.clear();
            let mut line = input.by_ref().take(LINE_MAX);
            if line
                .read_until(b'\n', &mut octets)
                .map_err(|error| failed(file, &error))?
                == 0
            {
                break;
            }
            number += 1;
            for stood in self.stand_in(&String::from_utf8_lossy(&octets), number, &mut tally) {
                let before = stood.tag.map_or(0, |tag| {
                    let count = times.entry(tag).or_insert(0_u32);
                    *count += 1;
                    *count - 1
                });
                batch.push(Stood { before, ..stood });
            }
            if batch.len() >= BATCH {
                self.take(std::mem::take(&mut batch), &mut tally).await?;
            }
        }
        self.take(batch, &mut tally).await?;
        Ok(tally)
    }

    /// The tokens of a line. Of a request at most one: its headers may have others.
    fn stand_in(&self, text: &str, line: u64, tally: &mut Tally) -> Vec<Stood> {
        let stood = |token: String, at_ms| Stood {
            tag: self.keys.verify(&token),
            line,
            token,
            at_ms,
            before: 0,
        };
        match Line::read(text) {
            Line::Nothing => Vec::new(),
            Line::Visit => {
                tally.visits += 1;
                Vec::new()
            }
            Line::Tokens(tokens) => tokens.into_iter().map(|token| stood(token, None)).collect(),
            Line::Wish(tokens, at_ms) => {
                let mut all: Vec<Stood> = tokens.into_iter().map(|token| stood(token, at_ms)).collect();
                let ours = all.iter().position(|one| one.tag.is_some()).unwrap_or(0);
                all.swap(0, ours);
                all.truncate(1);
                all
            }
        }
    }

    async fn take(&self, batch: Vec<Stood>, tally: &mut Tally) -> anyhow::Result<()> {
        let now_ms = Clock::System.now_ms();
        let mut rows = Vec::with_capacity(batch.len());
        for stood in &batch {
            if let Some(tag) = stood.tag {
                rows.push(self.row(stood, tag, now_ms)?);
            }
        }
        let mut received = self
            .ledger
            .receive(rows, self.workspace.limits, self.is_dry)
            .await?
            .into_iter();
        for stood in &batch {
            let received = stood.tag.and_then(|_| received.next()).unwrap_or_default();
            self.say(stood, &received, tally);
        }
        Ok(())
    }

    fn row(&self, stood: &Stood, tag: DeliveryTag, now_ms: i64) -> anyhow::Result<NewFeedback> {
        let list = match self.workspace.unsubscribe.scope {
            Scope::All => None,
            Scope::List => self.reader.addressed(tag)?.map(|mail| mail.list),
        };
        // The same file again, or more of it, changes nothing that was done before.
        let evidence = match stood.at_ms {
            Some(at_ms) => format!("token {} at {at_ms}", tag.hex()),
            None => format!("token {} {}", tag.hex(), stood.before),
        };
        let at_ms = stood.at_ms.unwrap_or(now_ms).min(now_ms);
        Ok(NewFeedback {
            tags: vec![tag],
            list: list.unwrap_or_default(),
            ..NewFeedback::new(Feedback::Unsubscribe, evidence, self.source.clone(), at_ms)
        })
    }

    fn say(&self, stood: &Stood, received: &Received, tally: &mut Tally) {
        let (state, count) = match (&received.address, received.is_new) {
            (None, _) => ("not_ours", &mut tally.strange),
            (Some(_), true) => ("new", &mut tally.new),
            (Some(_), false) => ("known", &mut tally.known),
        };
        *count += 1;
        let token: String = stood.token.chars().take(SHOWN).chain(['…']).collect();
        let (line, recipient) = (stood.line, received.address.as_deref());
        if self.printer.form == Form::Json {
            return self.printer.json(&Said {
                line,
                token,
                state,
                recipient,
                campaign: received.campaign.as_deref(),
                suppressed: received.suppressed.is_some(),
            });
        }
        let who = recipient.unwrap_or_default();
        self.printer.data(match (state, received.suppressed) {
            ("new", Some(_)) => text!("line {line}: {token} {who} is mailed no more", line, token, who),
            ("new", None) => text!(
                "line {line}: {token} {who} was mailed no more already",
                line,
                token,
                who
            ),
            ("known", _) => text!("line {line}: {token} {who} was taken in before", line, token, who),
            _ => text!(
                "line {line}: {token} is not of a mail on record here",
                line,
                token
            ),
        });
    }
}

impl Tally {
    fn say(&self, is_dry: bool, printer: Printer) {
        printer.say(text!(
            "{new} new, {known} taken in before, {strange} not ours",
            new = self.new,
            known = self.known,
            strange = self.strange
        ));
        if self.visits > 0 {
            printer.say(text!(
                "{visits} visits were passed over: only POST unsubscribes, since programs look at links too",
                visits = self.visits
            ));
        }
        if is_dry {
            printer.say(text!("nothing was changed (--dry-run)"));
        }
    }
}
