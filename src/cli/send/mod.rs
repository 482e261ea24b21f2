//! `mailshot send`: checks everything, says what it will do, asks, sends, and says how it went.

mod carrier;
mod doctor;
mod dry_run;
mod enrolment;
mod guards;
pub(super) mod signal;
mod summary;
mod test_mail;
mod tryout;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::counted::{self, deliveries, files};
use super::exit::{Coded, Exit};
use super::list::ListFlags;
use super::printer::{Printer, time};
use super::progress::Progress;
use super::{confirm, load, runtime, status, texts};
use crate::campaign::{Campaign, Transport, Workspace};
use crate::clock::Clock;
use crate::deliver::trace::Trace;
use crate::depot::{Access, Depot};
use crate::ledger::lock::{self, Locked};
use crate::ledger::read::Reader;
use crate::ledger::{Ledger, Resolution, RunState};
use crate::mail::BigFile;
use crate::pipeline::{Carrier, Patience, Report, Run, Stop};
use crate::replies::{Judge, Rules};
use crate::text;
use crate::throttle::Throttle;
use crate::words::Text;
use enrolment::{Enrolled, Enrolment};
use signal::Signals;
pub(super) use test_mail::{list as test_list, try_out};

/// The screen is refreshed this often.
const TICK: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, clap::Args)]
#[command(after_help = texts::SEND)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch on the command line"
)]
pub(super) struct Args {
    /// The campaign: its file, or its name
    campaign: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Write every mail as an .eml file instead of sending it
    #[arg(long, conflicts_with_all = ["sandbox", "test_to"])]
    dry_run: bool,
    /// Send to a server inside this program: nothing leaves this machine, and nobody counts as sent
    #[arg(long, conflicts_with = "test_to")]
    sandbox: bool,
    /// Send this many mails at most, then stop
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Send one mail, made for the first row, to this address instead
    #[arg(long, value_name = "ADDRESS")]
    test_to: Option<String>,
    /// Wait for quotas and retries, for days if need be, instead of ending with code 75
    #[arg(long)]
    wait: bool,
    /// What to do with deliveries in doubt
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = OnDoubt::Hold)]
    on_doubt: OnDoubt,
    /// Leave out rows that cannot be used; they go to rejected-CAMPAIGN.csv
    #[arg(long)]
    skip_invalid: bool,
    #[command(flatten)]
    list: ListFlags,
    /// Go on although list, templates or settings have changed since the campaign began
    #[arg(long)]
    accept_changes: bool,
    /// Refuse what is only warned of: see `check --strict`; and passwords of 90 days or more
    #[arg(long)]
    strict: bool,
    /// Try the login again although it was refused a short while ago
    #[arg(long)]
    login_again: bool,
    /// Go on with a campaign that is held because too many people complained or too many mails came back
    #[arg(long)]
    release: bool,
    /// Send although `mailshot doctor` found errors within the last day
    #[arg(long)]
    ignore_doctor: bool,
    /// Show the dialogue with the server, or write it to a file; passwords are left out
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    trace: Option<PathBuf>,
}

/// What to do with deliveries in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum OnDoubt {
    // Until `resolve` settles them. (Doc comments here would make the help twice as long.)
    Hold,
    // Again, with the same Message-ID.
    Resend,
}

/// What a command needs to send one campaign, whether for real, to the sandbox, or as a test.
struct Job<'a> {
    args: &'a Args,
    workspace: Workspace,
    campaign: Campaign,
    printer: Printer,
    clock: Clock,
    /// May files be put behind links?
    access: Access,
    /// Where the dialogue goes, when not where `--trace` says.
    trace: Option<Trace>,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    if cfg!(feature = "unrecorded") {
        printer.warn(text!(
            "this build is for measuring only: it keeps no record, and would mail people twice"
        ));
    }
    let (workspace, campaign) = load::campaign(&args.campaign, Some(args.list), printer)?;
    let job = Job {
        args,
        workspace,
        campaign,
        printer,
        clock: Clock::System,
        access: Access::Full,
        trace: None,
    };
    if args.dry_run {
        return dry_run::run(&job);
    }
    if args.sandbox {
        return tryout::run(job);
    }
    if let Some(address) = &args.test_to {
        return test_mail::run(job, address);
    }
    Ok(runtime()?.block_on(job.send())?.exit)
}

/// How a send ended.
struct Sent {
    exit: Exit,
    /// Mails accepted in this run.
    mails: u64,
}

impl Job<'_> {
    /// Everything from the lock to the summary.
    async fn send(&self) -> anyhow::Result<Sent> {
        let holder = format!("process {}, since {}", std::process::id(), self.now());
        let _lock = match lock::try_lock(&self.workspace.ledger, &self.campaign.name, &holder)? {
            Locked::Mine(lock) => lock,
            Locked::Theirs(holder) => {
                let what = text!(
                    "another run is sending `{name}`: {holder}",
                    name = self.campaign.name,
                    holder = Text::kept(holder)
                );
                return Err(Coded::new(Exit::TempFail, what)
                    .hint(text!("nothing was done; wait until it has ended"))
                    .into());
            }
        };
        self.refuse_a_lost_ledger()?;
        doctor::respect(self)?;
        let ledger = Ledger::open(&self.workspace.ledger)?;
        self.respect_lockout(&ledger).await?;
        self.recover(&ledger).await?;
        self.respect_held(&ledger).await?;
        let enrolment = Enrolment::prepare(self, &ledger).await?;
        let carrier = self.carrier()?;
        self.plan(&enrolment)?;
        let enrolment = enrolment.publish(self).await?;
        if let Some(known) = enrolment
            .known
            .as_ref()
            .filter(|_| self.args.on_doubt == OnDoubt::Resend)
        {
            ledger.resolve(known.id, None, Resolution::Resend).await?;
        }
        let mut enrolled = enrolment.finish(self, &ledger).await?;
        let running = RunState {
            state: "running",
            until_ms: None,
            note: String::new(),
            is_content_refused: false,
        };
        ledger.set_run(enrolled.id, running).await?;
        let published = enrolled.published.take();
        let (ended, mails) = self.go(&ledger, enrolled, carrier).await?;
        if let Some((depot, linked)) = published {
            self.sweep(&depot, &linked);
        }
        let report = ended.with_context(|| {
            text!(
                "{mails} sent in this run before it broke off",
                mails = counted::mails(mails)
            )
        })?;
        summary::conclude(self, &ledger, &report, mails).await
    }

    /// Files that this run linked to are kept from now on for as long as its links last; those before them may go.
    fn sweep(&self, depot: &Depot, linked: &[BigFile]) {
        match depot.sweep(linked, self.clock.now_ms()) {
            Ok(0) => {}
            Ok(gone) => {
                let files = files(gone);
                self.printer
                    .say(text!("{files} removed to which no link leads any longer", files));
            }
            Err(error) => self.printer.warn(text!(
                "files behind links were not tidied up: {error}",
                error = Text::error(&error)
            )),
        }
    }

    /// What a run that died left under way is in doubt: nobody knows whether it was accepted.
    async fn recover(&self, ledger: &Ledger) -> anyhow::Result<()> {
        let Some(known) = ledger.find(&self.campaign.name).await? else {
            return Ok(());
        };
        let doubtful = ledger.recover(known.id, self.clock.now_ms()).await?;
        if doubtful > 0 {
            self.printer.warn(text!(
                "the last run was cut short: {deliveries} in doubt",
                deliveries = deliveries(doubtful)
            ));
        }
        Ok(())
    }

    fn now(&self) -> String {
        time(
            self.clock.now_ms(),
            &status::zone(&self.workspace, &self.campaign.account.name),
        )
    }

    /// Says what is about to happen, and asks.
    fn plan(&self, enrolment: &Enrolment) -> anyhow::Result<()> {
        let account = &self.campaign.account;
        let via = match account.transport {
            Transport::Smtp => format!("{}:{}", account.host, account.port),
            Transport::Sendmail => account.sendmail_command.display().to_string(),
        };
        self.printer.say(text!(
            "{name} · from {address} · by {account} ({via})",
            name = self.campaign.name,
            address = self.campaign.from.address,
            account = account.name,
            via
        ));
        let rates: Vec<String> = account.quota.rates.iter().map(ToString::to_string).collect();
        if !rates.is_empty() {
            self.printer
                .say(text!("at most {rates}", rates = rates.join(", ")));
        }
        if let Some(rate) = account.similar.as_ref().and_then(|similar| similar.rates.first()) {
            self.printer
                .say(text!("at most {rate} that say nearly the same", rate));
        }
        let keys = account.dkim.iter().filter(|dkim| dkim.key.is_some());
        let keys: Vec<&str> = keys.map(|dkim| dkim.selector.as_str()).collect();
        if !keys.is_empty() {
            self.printer
                .say(text!("signed by {keys} (DKIM)", keys = keys.join(", ")));
        }
        for line in &enrolment.plan {
            self.printer.say(line);
        }
        let question = text!(
            "Send {mails}?",
            mails = counted::mails(self.within_limit(enrolment.waiting))
        );
        confirm(self.printer, self.args.yes, &question)
    }

    /// Of so many mails, those that this run may send.
    fn within_limit(&self, waiting: u64) -> u64 {
        self.args.limit.map_or(waiting, |limit| limit.min(waiting))
    }

    /// Runs the pipeline with its screen and its signals; says how it ended, and how many mails were accepted.
    async fn go(
        &self,
        ledger: &Ledger,
        enrolled: Enrolled,
        carrier: Carrier,
    ) -> anyhow::Result<(anyhow::Result<Report>, u64)> {
        let zone = status::zone(&self.workspace, &self.campaign.account.name);
        let mut progress = Progress::new(self.printer, self.within_limit(enrolled.waiting), zone);
        let trace = match &self.args.trace {
            None => self.trace.clone(),
            Some(path) if path.as_os_str() == "-" => Some(Trace::new(std::io::stderr())),
            Some(path) => {
                let file =
                    std::fs::File::create(path).with_context(|| format!("write {}", path.display()))?;
                Some(Trace::new(file))
            }
        };
        let target = match &carrier {
            Carrier::Smtp(target) => Some(target.clone()),
            Carrier::Sendmail(_) => None,
        };
        let account = &self.campaign.account.name;
        let reader = Reader::open(&self.workspace.ledger)?;
        let learned = reader.map(|reader| reader.learned(account)).transpose()?;
        let run = Run {
            judge: self.judge(),
            learned: learned.and_then(|mut all| all.remove("")).unwrap_or_default(),
            id: enrolled.id,
            ledger: ledger.clone(),
            clock: self.clock.clone(),
            carrier,
            throttle: Throttle::new(&self.campaign.account.quota, self.clock.clone()),
            maker: enrolled.maker,
            rows: enrolled.rows,
            retry: self.workspace.retry.clone(),
            limits: self.workspace.limits,
            patience: if self.args.wait {
                Patience::Wait
            } else {
                Patience::End
            },
            limit: self.args.limit,
            trace,
            watcher: progress.watcher(),
            waits: Arc::clone(&progress.waits),
        };
        let report = self.watch(run, ledger, &mut progress).await;
        progress.finish();
        if let Some(port) = target.and_then(|target| target.detour()) {
            self.say_detour(port);
        }
        Ok((report, progress.counts.sent()))
    }

    /// What the server's replies mean: as everybody knows, and as the workspace says.
    pub(super) fn judge(&self) -> Judge {
        let account = &self.campaign.account;
        let provider = account.family.iter().chain(&account.provider).cloned();
        Judge::new(Rules::with(&self.workspace.rules), provider.collect())
    }

    async fn watch(&self, run: Run, ledger: &Ledger, progress: &mut Progress) -> anyhow::Result<Report> {
        let stop = Stop::default();
        let mut signals = Signals::listen()?;
        let (account, quota) = (run.account().name.clone(), run.account().quota.clone());
        let mut ticks = tokio::time::interval(TICK);
        let running = run.run(&stop);
        tokio::pin!(running);
        loop {
            tokio::select! {
                report = &mut running => return report,
                _tick = ticks.tick() => {
                    let left = if quota.rates.is_empty() {
                        Vec::new()
                    } else {
                        ledger.left(&account, &quota, self.clock.now_ms()).await.unwrap_or_default()
                    };
                    progress.tick(&left);
                }
                () = signals.next() => {
                    if stop.gently.is_cancelled() {
                        progress.warn(&text!("stopping at once; what is in flight is in doubt"));
                        stop.now.cancel();
                    } else {
                        progress.warn(&text!("stopping: what is in flight is finished and recorded; once more stops at once"));
                        stop.gently.cancel();
                    }
                }
            }
        }
    }
}
