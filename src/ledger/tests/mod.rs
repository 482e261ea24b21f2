//! The ledger by its promises: what it lets begin, what it counts, what survives a crash, and what it refuses to open.
//!
//! One file, long as it is: the stories and the model share a world.

mod feedback;

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::read::Reader;
use super::*;
use crate::campaign::quota::Quota;
use crate::mail::{Class, Fault, Outcome, Place, Reason, Reply, Stage};
use crate::replies::Judge;

struct Book {
    folder: TempDir,
    ledger: Ledger,
    campaign: CampaignId,
    list: ListId,
}

impl Book {
    async fn new(people: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db")).unwrap();
        let campaign = ledger.register("spring", "main", "{}", 1).await.unwrap().id;
        let list = ledger.add_list("digest", "list.csv").await.unwrap();
        let rows = people.iter().map(|who| person(who)).collect();
        ledger
            .enrol(campaign, list, rows, Vec::new())
            .await
            .await
            .unwrap();
        ledger
            .enrolled(campaign, "main", r#"{"list":"digest"}"#, 1)
            .await
            .unwrap();
        Self {
            folder,
            ledger,
            campaign,
            list,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.path()).unwrap().unwrap()
    }

    fn tally(&self) -> Tally {
        self.reader().tally(self.campaign).unwrap()
    }

    async fn due(&self, now_ms: i64) -> Vec<Delivery> {
        self.ledger.due(self.campaign, now_ms, None, 1_000).await.unwrap()
    }

    fn intent(&self, delivery: DeliveryId, rates: &[&str], now_ms: i64) -> Intent {
        let rates = rates.iter().map(|rate| rate.parse().unwrap()).collect();
        let mut key = String::new();
        let find = |address: &str, found: OnRecord| {
            if found.id == delivery {
                key = crate::mail::Address::key_of(address);
            }
        };
        self.reader().each_delivery(self.campaign, find).unwrap();
        Intent {
            bound: Bound::default(),
            delivery,
            key,
            written_key: None,
            account: "main".to_owned(),
            quota: Quota {
                rates,
                ..Quota::default()
            },
            alike: None,
            message_id: "id@example.com".to_owned(),
            digest: [7; 32],
            now_ms,
        }
    }

    async fn begin(&self, delivery: DeliveryId, rates: &[&str], now_ms: i64) -> Begin {
        self.ledger
            .begin(self.intent(delivery, rates, now_ms))
            .await
            .await
            .unwrap()
    }

    async fn finish(&self, delivery: DeliveryId, attempt: AttemptId, next: Next, now_ms: i64) {
        let outcome = match next {
            Next::Sent => Outcome::Accepted(reply("250 2.0.0 ok")),
            Next::Doubt => Outcome::InDoubt(fault("451 4.3.0 x")),
            Next::RetryAt(_) | Next::Hold | Next::Unsaid => Outcome::Deferred(fault("451 4.3.0 later")),
            Next::GiveUp(_) => Outcome::Refused(fault("550 5.1.1 no")),
        };
        let account = "main".to_owned();
        self.ledger
            .finish(Finish {
                destination: None,
                limits: Limits::default(),
                attempt,
                delivery,
                account,
                outcome,
                next,
                now_ms,
            })
            .await
            .await
            .unwrap();
    }
}

fn person(who: &str) -> NewDelivery {
    let address = format!("{who}@example.com");
    let place = Place {
        line: 2,
        offset: 6,
        length: 20,
    };
    NewDelivery {
        key: address.to_lowercase(),
        written_key: None,
        address,
        place,
        volume: crate::mail::Volume::FIRST,
        cut: None,
    }
}

fn reply(line: &str) -> Reply {
    Reply::from_lines([line.as_bytes()]).unwrap()
}

fn fault(line: &str) -> Fault {
    Fault {
        stage: Stage::Rcpt,
        verdict: Judge::default().verdict(Stage::Rcpt, &reply(line), None),
        reply: Some(reply(line)),
        note: String::new(),
    }
}

fn went(begin: Begin) -> AttemptId {
    let Begin::Go(attempt) = begin else {
        panic!("{begin:?}")
    };
    attempt
}

#[tokio::test]
async fn a_story_is_on_record_with_every_try() {
    let book = Book::new(&["li"]).await;
    let delivery = book.due(10).await.remove(0);
    let first = went(book.begin(delivery.id, &[], 10).await);
    book.finish(delivery.id, first, Next::RetryAt(70_000), 20).await;
    assert!(book.due(69_999).await.is_empty());
    let again = book.due(70_000).await.remove(0);
    assert_eq!((again.tries, again.first_try_ms), (1, Some(10)));
    let second = went(book.begin(again.id, &[], 70_000).await);
    book.finish(again.id, second, Next::Sent, 70_500).await;
    let story = book
        .reader()
        .stories("spring", "li@example.com")
        .unwrap()
        .remove(0);
    let told: Vec<_> = story
        .attempts
        .iter()
        .map(|one| (one.outcome.clone().unwrap(), one.code.unwrap()))
        .collect();
    assert_eq!(told, [("deferred".to_owned(), 451), ("accepted".to_owned(), 250)]);
    assert_eq!((story.state, story.tries), (State::Sent, 2));
    assert_eq!(story.attempts[0].digest, "07".repeat(32));
}

#[tokio::test]
async fn a_delivery_begins_once_however_often_it_is_asked() {
    let book = Book::new(&["li"]).await;
    let delivery = book.due(10).await.remove(0).id;
    let answers = tokio::join!(
        book.begin(delivery, &[], 10),
        book.begin(delivery, &[], 10),
        book.begin(delivery, &[], 10),
    );
    let went = [answers.0, answers.1, answers.2]
        .iter()
        .filter(|one| matches!(one, Begin::Go(_)))
        .count();
    assert_eq!(went, 1);
}

fn suppression(key: &str, at_ms: i64) -> NewSuppression {
    NewSuppression {
        key: key.to_owned(),
        list: String::new(),
        reason: Reason::Manual,
        note: "asked".to_owned(),
        source: "test".to_owned(),
        at_ms,
    }
}

#[tokio::test]
async fn what_is_suppressed_meanwhile_does_not_begin() {
    let book = Book::new(&["Li", "wu"]).await;
    let delivery = book.due(10).await.remove(0).id;
    let row = suppression("li@example.com", 5);
    assert_eq!(book.ledger.suppress(vec![row.clone()]).await.unwrap(), 1);
    assert_eq!(
        book.ledger.suppress(vec![row]).await.unwrap(),
        0,
        "it is there already"
    );
    assert_eq!(book.begin(delivery, &[], 10).await, Begin::Skip);
    assert_eq!((book.tally().suppressed, book.tally().pending), (1, 1));
    let lifted = book
        .ledger
        .lift("li@example.com".to_owned(), None, "asked again".to_owned(), 20);
    assert_eq!(lifted.await.unwrap(), 1);
    let kept = book.reader().lifted("li@example.com").unwrap();
    assert_eq!((kept[0].was.at_ms, kept[0].why.as_str()), (5, "asked again"));
}

#[tokio::test]
async fn a_locked_account_begins_nothing_until_it_is_unlocked() {
    let book = Book::new(&["li"]).await;
    let delivery = book.due(10).await.remove(0).id;
    let event = AccountEvent {
        account: "main".to_owned(),
        at_ms: 10,
        until_ms: 1_000,
        stage: "auth".to_owned(),
        reply: "535 no".to_owned(),
        class: Class::AuthFailed,
    };
    book.ledger.lock_account(event).await.unwrap();
    assert_eq!(book.begin(delivery, &[], 999).await, Begin::Locked(1_000));
    assert_eq!(
        book.reader().account_lock("main", 999).unwrap().unwrap().until_ms,
        1_000
    );
    assert!(book.reader().account_lock("main", 1_000).unwrap().is_none());
    book.ledger.unlock_account("main", 500).await.unwrap();
    went(book.begin(delivery, &[], 501).await);
}

#[tokio::test]
async fn the_quota_is_shared_with_another_process() {
    let book = Book::new(&["li", "wu", "mo"]).await;
    let other = Ledger::open(&book.path()).unwrap();
    let due = book.due(10).await;
    let first = went(book.begin(due[0].id, &["2/min"], 10).await);
    let second = other
        .begin(book.intent(due[1].id, &["2/min"], 20))
        .await
        .await
        .unwrap();
    went(second);
    assert!(matches!(
        book.begin(due[2].id, &["2/min"], 30).await,
        Begin::Wait(_)
    ));
    book.finish(due[0].id, first, Next::Sent, 5_000).await;
    // The first ended at 5 s, so a minute after that its place is free; the other one is still under way.
    assert!(matches!(
        other
            .begin(book.intent(due[2].id, &["2/min"], 64_999))
            .await
            .await
            .unwrap(),
        Begin::Wait(_)
    ));
    went(
        other
            .begin(book.intent(due[2].id, &["2/min"], 65_001))
            .await
            .await
            .unwrap(),
    );
}

#[tokio::test]
async fn a_mail_that_took_hours_counts_from_its_end() {
    let book = Book::new(&["li", "wu"]).await;
    let due = book.due(10).await;
    let slept = went(book.begin(due[0].id, &["1/min"], 10).await);
    let hours = 3 * 60 * 60_000;
    book.finish(due[0].id, slept, Next::Sent, hours).await;
    // Read from the file: a new run knows nothing else.
    let other = Ledger::open(&book.path()).unwrap();
    for (now_ms, may_begin) in [(hours + 59_000, false), (hours + 60_001, true)] {
        let begin = other
            .begin(book.intent(due[1].id, &["1/min"], now_ms))
            .await
            .await
            .unwrap();
        assert_eq!(matches!(begin, Begin::Go(_)), may_begin, "{now_ms}");
    }
}

#[tokio::test]
async fn what_a_dead_run_left_open_stops_counting_in_the_end() {
    let book = Book::new(&["li", "wu"]).await;
    let due = book.due(10).await;
    went(book.begin(due[0].id, &["1/min"], 10).await);
    // Another campaign's run died there. 20 minutes later its mail is over, a minute after that out of the window.
    assert!(matches!(
        book.begin(due[1].id, &["1/min"], 20 * 60_000).await,
        Begin::Wait(_)
    ));
    went(book.begin(due[1].id, &["1/min"], 21 * 60_000 + 11).await);
}

#[tokio::test]
async fn a_crash_after_the_intent_leaves_a_doubt_that_is_named_and_settled() {
    let book = Book::new(&["li", "wu", "mo"]).await;
    let due = book.due(10).await;
    went(book.begin(due[0].id, &[], 10).await);
    went(book.begin(due[1].id, &[], 10).await);
    assert_eq!(book.ledger.recover(book.campaign, 99).await.unwrap(), 2);
    assert_eq!(book.ledger.recover(book.campaign, 99).await.unwrap(), 0);
    let doubtful = book.reader().in_state("spring", State::InDoubt, 10).unwrap();
    let names: Vec<&str> = doubtful.iter().map(|one| one.recipient.as_str()).collect();
    assert_eq!(names, ["li@example.com", "wu@example.com"]);
    let key = Some("li@example.com".to_owned());
    assert_eq!(
        book.ledger
            .resolve(book.campaign, key, Resolution::AssumeSent)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        book.ledger
            .resolve(book.campaign, None, Resolution::Resend)
            .await
            .unwrap(),
        1
    );
    let tally = book.tally();
    assert_eq!((tally.sent, tally.pending, tally.in_doubt), (1, 2, 0));
}

#[tokio::test]
async fn a_row_that_is_gone_is_withdrawn_and_comes_back_with_its_row() {
    let book = Book::new(&["li", "wu"]).await;
    let due = book.due(10).await;
    let fresh = book.ledger.add_list("other digest", "list.csv").await.unwrap();
    assert_ne!(fresh, book.list);
    book.ledger
        .enrol(book.campaign, fresh, Vec::new(), vec![(due[1].id, person("wu"))])
        .await
        .await
        .unwrap();
    assert_eq!(
        book.ledger
            .withdraw(book.campaign, fresh, Vec::new())
            .await
            .unwrap(),
        1
    );
    let status = book.reader().status("spring").unwrap().unwrap();
    assert_eq!(
        (status.tally.suppressed, status.withdrawn, status.tally.pending),
        (1, 1, 1)
    );
    book.ledger
        .enrol(book.campaign, fresh, Vec::new(), vec![(due[0].id, person("li"))])
        .await
        .await
        .unwrap();
    assert_eq!(book.tally().pending, 2);
    assert_eq!(
        book.ledger
            .withdraw(book.campaign, fresh, Vec::new())
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn an_enrolment_that_was_cut_short_begins_anew() {
    let folder = TempDir::new().unwrap();
    let ledger = Ledger::open(&folder.path().join("ledger.db")).unwrap();
    let known = ledger.register("spring", "main", "{}", 1).await.unwrap();
    let list = ledger.add_list("digest", "list.csv").await.unwrap();
    ledger
        .enrol(known.id, list, vec![person("li")], Vec::new())
        .await
        .await
        .unwrap();
    assert!(!ledger.find("spring").await.unwrap().unwrap().is_enrolled);
    ledger.drop_partial(known.id).await.unwrap();
    ledger
        .enrol(known.id, list, vec![person("li"), person("wu")], Vec::new())
        .await
        .await
        .unwrap();
    ledger.enrolled(known.id, "main", "{}", 1).await.unwrap();
    ledger.drop_partial(known.id).await.unwrap();
    let reader = Reader::open(&folder.path().join("ledger.db")).unwrap().unwrap();
    assert_eq!(
        reader.tally(known.id).unwrap().recipients,
        2,
        "a complete enrolment is never dropped"
    );
    let again = ledger.register("spring", "main", "{}", 9).await.unwrap();
    assert_eq!(again.uid, known.uid, "the uid is drawn once");
}

#[tokio::test]
async fn retries_that_are_due_go_before_those_never_tried() {
    let book = Book::new(&["li", "wu", "mo"]).await;
    let last = book.due(10).await.remove(2).id;
    let attempt = went(book.begin(last, &[], 10).await);
    book.finish(last, attempt, Next::RetryAt(100), 20).await;
    assert_eq!(book.due(100).await[0].id, last);
    assert_eq!(book.due(99).await.len(), 2);
    assert_eq!(book.ledger.next_due(book.campaign).await.unwrap(), Some(0));
}

/// Writes a ledger as the first version did.
fn first_version(path: &Path) {
    let old = rusqlite::Connection::open(path).unwrap();
    old.execute_batch(include_str!("../schema/1.sql")).unwrap();
    old.execute_batch(
        "INSERT INTO meta VALUES ('schema_version', '1');
         INSERT INTO campaign VALUES (1, 'spring', 'uid', 'main', '{}', 5, 6, 'stopped', NULL, '', 0);
         INSERT INTO list VALUES (1, 'digest', 'list.csv');
         INSERT INTO delivery (id, list_id, line, offset, length, address, state)
             VALUES ((1 << 32) + 1, 1, 2, 6, 20, 'li@example.com', 'pending');",
    )
    .unwrap();
}

#[tokio::test]
async fn a_ledger_of_an_earlier_version_is_brought_up_to_date() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    first_version(&path);
    let reader = Reader::open(&path).unwrap().unwrap();
    let story = reader.stories("spring", "li@example.com").unwrap().remove(0);
    drop(reader);
    assert_eq!((story.state, story.volume), (State::Pending, 1));
    let ledger = Ledger::open(&path).unwrap();
    let campaign = ledger.find("spring").await.unwrap().unwrap().id;
    let due = ledger.due(campaign, 10, None, 10).await.unwrap();
    assert_eq!(due[0].volume, crate::mail::Volume::FIRST);
    drop(Ledger::open(&path).unwrap());
}

#[test]
fn files_that_are_no_ledger_are_refused_in_plain_words() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    let refusal = || Ledger::open(&path).unwrap_err().to_string();
    std::fs::write(
        &path,
        "this is a shopping list, and a long one at that".repeat(100),
    )
    .unwrap();
    assert!(refusal().contains("it is not a SQLite file"), "{}", refusal());
    std::fs::remove_file(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE shopping (x)").unwrap();
    assert!(refusal().contains("not a ledger of mailshot"), "{}", refusal());
    other.execute_batch("DROP TABLE shopping; CREATE TABLE meta (key, value); INSERT INTO meta VALUES ('schema_version', '99')").unwrap();
    assert!(
        refusal().contains("a newer mailshot wrote it (schema 99"),
        "{}",
        refusal()
    );
    assert!(Reader::open(&path).is_err());
}

/// What the model does, chosen by the test.
#[derive(Clone, Debug)]
enum Step {
    Begin(usize),
    Finish(usize, u8),
    Crash,
    Resend,
    Suppress(usize),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0usize..6).prop_map(Step::Begin),
        6 => ((0usize..6), 0u8..5).prop_map(|(who, how)| Step::Finish(who, how)),
        1 => Just(Step::Crash),
        1 => Just(Step::Resend),
        1 => (0usize..6).prop_map(Step::Suppress),
        3 => (0i64..40_000).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..60)
}

/// A person in the model.
#[derive(Clone, Debug, Default)]
struct Expected {
    open: Option<AttemptId>,
    /// Accepted attempts since the last resend.
    accepted: u32,
    may_be_accepted: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_breaks_a_promise(steps in steps()) {
        Runtime::new().unwrap().block_on(async {
            let names = ["p0", "p1", "p2", "p3", "p4", "p5"];
            let book = Book::new(&names).await;
            let ids: Vec<DeliveryId> = book.due(0).await.iter().map(|one| one.id).collect();
            let mut model: BTreeMap<usize, Expected> = (0..6).map(|who| (who, Expected::default())).collect();
            let (mut now, mut begins) = (1_000i64, Vec::<i64>::new());
            for step in steps {
                match step {
                    Step::Wait(ms) => now += ms,
                    Step::Begin(who) => {
                        if let Begin::Go(attempt) = book.begin(ids[who], &["3/min"], now).await {
                            let person = model.get_mut(&who).unwrap();
                            assert_eq!(person.open, None);
                            assert!(person.accepted == 0 && !person.may_be_accepted, "never twice without a resend");
                            person.open = Some(attempt);
                            begins.push(now);
                        }
                    }
                    Step::Finish(who, how) => {
                        let person = model.get_mut(&who).unwrap();
                        let Some(attempt) = person.open.take() else { continue };
                        let next = match how {
                            0 => Next::Sent,
                            1 => Next::RetryAt(now + 10_000),
                            2 => Next::GiveUp("no".to_owned()),
                            3 => Next::Hold,
                            _ => Next::Doubt,
                        };
                        person.accepted += u32::from(next == Next::Sent);
                        person.may_be_accepted = next == Next::Doubt;
                        book.finish(ids[who], attempt, next, now).await;
                    }
                    Step::Crash => {
                        book.ledger.recover(book.campaign, now).await.unwrap();
                        for person in model.values_mut().filter(|person| person.open.is_some()) {
                            person.open = None;
                            person.may_be_accepted = true;
                        }
                    }
                    Step::Resend => {
                        book.ledger.resolve(book.campaign, None, Resolution::Resend).await.unwrap();
                        for person in model.values_mut() {
                            person.may_be_accepted = false;
                        }
                    }
                    Step::Suppress(who) => {
                        let row = suppression(&format!("{}@example.com", names[who]), now);
                        book.ledger.suppress(vec![row]).await.unwrap();
                    }
                }
                let tally = book.tally();
                let sum = tally.pending + tally.sending + tally.sent + tally.failed + tally.in_doubt + tally.suppressed;
                assert_eq!((tally.recipients, sum), (6, 6));
            }
            for at in &begins {
                let held = begins.iter().filter(|other| (*at..*at + 60_000).contains(other)).count();
                assert!(held <= 3, "{held} begins in a minute: {begins:?}");
            }
        });
    }
}
