//! The loop against a real SMTP server (the sandbox) and a real ledger, with a clock that jumps to whatever is waited
//! for: days pass in no time.

mod alike;
mod losses;
mod simulation;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Mutex;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tempfile::TempDir;

use super::*;
use crate::campaign::limits::Limits;
use crate::campaign::pace::Learned;
use crate::campaign::quota::Spent;
use crate::campaign::retry::RetryPolicy;
use crate::campaign::{Campaign, Workspace};
use crate::clock::Clock;
use crate::compose::{Composer, Shelf};
use crate::deliver::Target;
use crate::enrol;
use crate::ledger::read::Reader;
use crate::ledger::{CampaignId, Ledger, Tally};
use crate::mail::{Mails, Recipient};
use crate::render::Editions;
use crate::replies::Judge;
use crate::sandbox::{self, Extension, Running, Script};
use crate::source::List;
use crate::throttle::Throttle;

/// A workspace in a temporary folder, a server, a clock, and what happened when.
struct World {
    folder: TempDir,
    clock: Clock,
    server: Running,
    /// Simulated times of accepted mails, and to whom.
    accepted: Arc<Mutex<Vec<(i64, String)>>>,
}

impl World {
    async fn new(account: &str, faults: &[&str], campaigns: &[(&str, u32)]) -> Self {
        Self::without(&[], account, faults, campaigns).await
    }

    /// A world whose server does not offer these extensions.
    async fn without(
        extensions: &[Extension],
        account: &str,
        faults: &[&str],
        campaigns: &[(&str, u32)],
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let config = sandbox::Config {
            without: extensions.to_vec(),
            script: Script::parse(faults).unwrap(),
            ..sandbox::Config::default()
        };
        let server = sandbox::start(config).await.unwrap();
        let workspace = format!(
            "[sender]\nfrom = \"Aurora <news@a.example>\"\npostal_address = \"1 Road\"\n\
             [unsubscribe]\nmailto = \"out@a.example\"\n\
             [account.main]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n{account}\n",
            server.addr().port()
        );
        std::fs::write(folder.path().join("mailshot.toml"), workspace).unwrap();
        std::fs::write(folder.path().join("body.html.hbs"), "<p>Hello {{email}}</p>").unwrap();
        for (name, people) in campaigns {
            let rows = (0..*people).map(|n| format!("{name}{n}@example.com"));
            let lines: Vec<String> = std::iter::once("email".to_owned()).chain(rows).collect();
            std::fs::write(folder.path().join(format!("{name}.csv")), lines.join("\n")).unwrap();
            let text = format!("subject = \"Hi\"\nrecipients = \"{name}.csv\"\nhtml = \"body.html.hbs\"\n");
            std::fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
        }
        let noon: Timestamp = "2026-11-23T04:00:00Z".parse().unwrap();
        let clock = Clock::simulated(noon.as_millisecond());
        Self {
            folder,
            clock,
            server,
            accepted: Arc::default(),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What one run of the program does, a fresh process each time as far as memory goes.
    async fn send(&self, name: &str, patience: Patience) -> Report {
        let (id, run) = self.prepare(name, patience).await;
        let ledger = run.ledger.clone();
        let report = run.run(&Stop::default()).await.unwrap();
        assert_eq!(self.tally(id).sending, 0);
        drop(ledger);
        report
    }

    async fn prepare(&self, name: &str, patience: Patience) -> (CampaignId, Run) {
        let workspace = Workspace::load(self.path()).unwrap();
        let campaign = Campaign::load(&self.path().join(format!("{name}.toml")), &workspace).unwrap();
        let ledger = Ledger::open(&workspace.ledger).unwrap();
        let now_ms = self.clock.now_ms();
        let known = ledger.register(name, "main", "{}", now_ms).await.unwrap();
        let list = List::open(&campaign.recipients, &campaign.list).unwrap();
        let list_id = ledger.add_list(name, "list").await.unwrap();
        if known.is_enrolled {
            ledger.recover(known.id, now_ms).await.unwrap();
        } else {
            let mails = |_: &Recipient| Ok(Mails::ONE);
            let roll = enrol::Roll {
                list: &list,
                mails: &mails,
            };
            enrol::enrol(&ledger, None, known.id, roll, list_id)
                .await
                .unwrap();
            ledger.enrolled(known.id, "main", "{}", now_ms).await.unwrap();
        }
        let templates = Editions::compile(&campaign, list.columns(), self.path()).unwrap();
        let composer = Composer::new(&campaign, campaign.unsubscribe.key().unwrap());
        let means = Means {
            templates,
            composer,
            shelf: Shelf::new(self.path(), self.path()),
            depot: None,
        };
        let account = campaign.account.clone();
        let accepted = Arc::clone(&self.accepted);
        let maker = Maker::new(campaign, known.uid, list.columns(), means);
        let run = Run {
            limits: Limits::default(),
            id: known.id,
            ledger,
            clock: self.clock.clone(),
            carrier: Carrier::Smtp(Target::new(&account, None).unwrap()),
            throttle: Throttle::new(&account.quota, self.clock.clone()),
            judge: Judge::default(),
            learned: self.learned("").unwrap_or_default(),
            maker,
            rows: list.row_reader().unwrap(),
            retry: RetryPolicy::default(),
            patience,
            limit: None,
            trace: None,
            waits: Arc::default(),
            watcher: Arc::new(move |happened| {
                if matches!(happened.outcome, Outcome::Accepted(_)) {
                    accepted
                        .lock()
                        .unwrap()
                        .push((happened.at_ms, happened.recipient.to_owned()));
                }
            }),
        };
        (known.id, run)
    }

    /// What the account has learned about a destination; about itself under no name.
    fn learned(&self, destination: &str) -> Option<Learned> {
        let reader = Reader::open(&self.path().join(".mailshot/ledger.db")).unwrap();
        reader.unwrap().learned("main").unwrap().remove(destination)
    }

    fn tally(&self, id: CampaignId) -> Tally {
        let ledger = self.path().join(".mailshot/ledger.db");
        let tally = Reader::open(&ledger).unwrap().unwrap().tally(id).unwrap();
        let sum =
            tally.pending + tally.sending + tally.sent + tally.failed + tally.in_doubt + tally.suppressed;
        assert_eq!(sum, tally.recipients);
        tally
    }

    async fn id(&self, name: &str) -> CampaignId {
        let ledger = Ledger::open(&self.path().join(".mailshot/ledger.db")).unwrap();
        ledger.find(name).await.unwrap().unwrap().id
    }

    fn accepted(&self) -> Vec<(i64, String)> {
        self.accepted.lock().unwrap().clone()
    }
}

/// No 60 seconds hold more than `minute`, no day in Shanghai more than `day`.
fn assert_quota_held(accepted: &[(i64, String)], minute: usize, day: usize) {
    let mut times: Vec<i64> = accepted.iter().map(|(at, _)| *at).collect();
    times.sort_unstable();
    for (index, first) in times.iter().enumerate() {
        let held = times[index..]
            .iter()
            .take_while(|at| **at < first + 60_000)
            .count();
        assert!(held <= minute, "{held} mails in the minute from {first}");
    }
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let mut days: BTreeMap<String, usize> = BTreeMap::new();
    for at in times {
        let date = Timestamp::from_millisecond(at)
            .unwrap()
            .to_zoned(zone.clone())
            .date()
            .to_string();
        *days.entry(date).or_default() += 1;
    }
    for (date, held) in days {
        assert!(held <= day, "{held} mails on {date}");
    }
}

fn assert_nobody_twice(accepted: &[(i64, String)]) {
    let people: HashSet<&str> = accepted.iter().map(|(_, who)| who.as_str()).collect();
    assert_eq!(people.len(), accepted.len());
}

const QUOTA: &str = "rates = [\"20/min\", \"200/day\"]\nday_resets = \"Asia/Shanghai\"\nconnections = 3";

#[tokio::test(flavor = "multi_thread")]
async fn two_campaigns_on_one_account_never_send_one_mail_too_many_whatever_restarts() {
    let world = World::new(QUOTA, &[], &[("spring", 250), ("summer", 230)]).await;
    let shanghai = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
    let mut paused = Vec::new();
    for _ in 0..20 {
        for name in ["spring", "summer"] {
            let report = world.send(name, Patience::End).await;
            if let Ended::Quota(Spent { until_ms, .. }) = report.ended {
                paused.push(until_ms);
            }
        }
        // As cron would: the next run comes when the program said, not a moment later.
        let Some(until_ms) = paused.last() else { continue };
        world.clock.wait_until(*until_ms).await;
        if world.accepted().len() == 480 {
            break;
        }
    }
    let accepted = world.accepted();
    assert_eq!(accepted.len(), 480);
    assert_nobody_twice(&accepted);
    assert_quota_held(&accepted, 20, 200);
    paused.dedup();
    assert_eq!(
        paused,
        [shanghai("2026-11-23T16:00:00Z"), shanghai("2026-11-24T16:00:00Z")]
    );
    // As fast as the quota allows, give or take the pace of a minute.
    assert!(accepted.last().unwrap().0 < shanghai("2026-11-24T16:10:00Z"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_the_same_time_share_the_quota() {
    let world = World::new(QUOTA, &[], &[("spring", 150), ("summer", 150)]).await;
    let (one, two) = tokio::join!(
        world.send("spring", Patience::End),
        world.send("summer", Patience::End)
    );
    assert!(matches!(
        (one.ended, two.ended),
        (Ended::Quota(_), Ended::Quota(_)) | (Ended::Done, _) | (_, Ended::Done)
    ));
    assert_eq!(world.accepted().len(), 200);
    assert_quota_held(&world.accepted(), 20, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paced_run_ends_with_its_last_mail_however_many_connections_it_has() {
    let world = World::new("rates = [\"20/min\"]\nconnections = 20", &[], &[("spring", 3)]).await;
    let began_ms = world.clock.now_ms();
    assert_eq!(world.send("spring", Patience::End).await.ended, Ended::Done);
    let took_ms = world.clock.now_ms() - began_ms;
    assert!(took_ms < 12_000, "{took_ms} ms for 3 mails, 3 s apart");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_run_waits_through_the_days() {
    let world = World::new(QUOTA, &[], &[("spring", 450)]).await;
    let report = world.send("spring", Patience::Wait).await;
    assert_eq!(
        report,
        Report {
            refused_logins: 0,
            ended: Ended::Done,
            abandoned: 0
        }
    );
    assert_eq!(world.accepted().len(), 450);
    assert_quota_held(&world.accepted(), 20, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_day_is_twenty_four_hours_from_each_mail() {
    let account = "rates = [\"10/day\"]\nconnections = 2";
    let world = World::new(account, &[], &[("spring", 25)]).await;
    let started = world.clock.now_ms();
    let report = world.send("spring", Patience::End).await;
    let Ended::Quota(spent) = report.ended else {
        panic!("{report:?}")
    };
    assert_eq!(spent.until_ms, started + 86_400_000);
    assert_eq!(world.send("spring", Patience::Wait).await.ended, Ended::Done);
    let mut times: Vec<i64> = world.accepted().iter().map(|(at, _)| at - started).collect();
    // Two connections may say what was accepted in any order.
    times.sort_unstable();
    for window in times.windows(11) {
        assert!(window[10] - window[0] >= 86_400_000, "{window:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_always_deferred_is_given_up_after_eight_tries() {
    let world = World::new("", &["reply@rcpt=451 4.3.0 not now"], &[("spring", 3)]).await;
    let report = world.send("spring", Patience::End).await;
    let Ended::Later(due_ms) = report.ended else {
        panic!("{report:?}")
    };
    assert!(
        (48_000..=72_000).contains(&(due_ms - world.clock.now_ms())),
        "about a minute: {due_ms}"
    );
    assert_eq!(world.send("spring", Patience::Wait).await.ended, Ended::Done);
    let tally = world.tally(world.id("spring").await);
    assert_eq!((tally.failed, tally.sent), (3, 0));
    let reader = Reader::open(&world.path().join(".mailshot/ledger.db"))
        .unwrap()
        .unwrap();
    let story = reader.stories("spring", "spring0@example.com").unwrap().remove(0);
    assert_eq!(story.attempts.len(), 8);
    assert!(
        story
            .reason
            .unwrap()
            .starts_with("given up after 8 tries: 451 4.3.0")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_refused_stops_the_run_and_fails_nobody() {
    let world = World::new(
        "connections = 3",
        &["refuse-mail-from=550 5.7.1 sender unknown"],
        &[("spring", 50)],
    )
    .await;
    let report = world.send("spring", Patience::End).await;
    let Ended::Account(fault) = report.ended else {
        panic!("{report:?}")
    };
    assert_eq!(fault.stage, Stage::Mail);
    let tally = world.tally(world.id("spring").await);
    assert_eq!((tally.pending, tally.failed), (50, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_has_to_pause_does_not_even_connect() {
    let faults = ["reply@end-of-data=552 Daily sending quota exceeded"];
    let world = World::new("day_resets = \"Asia/Shanghai\"", &faults, &[("spring", 3)]).await;
    assert!(matches!(
        world.send("spring", Patience::End).await.ended,
        Ended::Paused(_)
    ));
    let connections = world.server.counts().connections;
    assert!(matches!(
        world.send("spring", Patience::End).await.ended,
        Ended::Paused(_)
    ));
    assert_eq!(world.server.counts().connections, connections);
    // It waits only for as long as somebody has to be mailed.
    let world = World::new("", &[], &[("spring", 1)]).await;
    world.send("spring", Patience::End).await;
    let about = crate::ledger::About {
        destination: String::new(),
        domains: Vec::new(),
        lesson: crate::campaign::pace::Lesson::SpentUntil(world.clock.now_ms() + 10 * 3_600_000),
        why: "552".to_owned(),
    };
    let ledger = Ledger::open(&world.path().join(".mailshot/ledger.db")).unwrap();
    ledger.learn("main", about, world.clock.now_ms()).await.unwrap();
    assert!(matches!(
        world.send("spring", Patience::End).await.ended,
        Ended::Done
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_refused_again_and_again_stops_the_run() {
    let faults = ["reply@end-of-data=554 5.7.1 this looks like spam"];
    let world = World::new("", &faults, &[("spring", 200)]).await;
    let report = world.send("spring", Patience::End).await;
    assert!(matches!(report.ended, Ended::Content(_)), "{report:?}");
    let tally = world.tally(world.id("spring").await);
    assert!((3..=5).contains(&tally.failed), "{tally:?}");
}
