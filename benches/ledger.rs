//! The ledger: intents and results through the writer, and enrolling people.
//!
//! Each sample writes to a file of its own, with the durability that mailshot uses (`synchronous=FULL`).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench stops where it cannot go on"
)]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use mailshot::campaign::limits::Limits;
use mailshot::campaign::quota::Quota;
use mailshot::ledger::{Begin, Bound, CampaignId, Delivery, Finish, Intent, Ledger, NewDelivery, Next};
use mailshot::mail::{Outcome, Place, Reply};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Mails of one sample.
const MAILS: usize = 10_000;
/// People in one batch, as when enrolling.
const BATCH: usize = 5_000;

fn main() {
    divan::main();
}

/// Intents and results of so many mails under way at once.
#[divan::bench(args = [1, 8, 50, 400], sample_count = 5, sample_size = 1)]
fn begin_and_finish(bencher: Bencher, under_way: usize) {
    let runtime = runtime();
    let mails = if under_way == 1 { MAILS / 10 } else { MAILS };
    bencher
        .counter(ItemsCount::new(mails))
        .with_inputs(|| runtime.block_on(Book::with_people(mails)))
        .bench_local_values(|book| runtime.block_on(book.send(under_way)));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn enrol(bencher: Bencher) {
    let runtime = runtime();
    bencher
        .counter(ItemsCount::new(MAILS * 10))
        .with_inputs(|| runtime.block_on(Book::new()))
        .bench_local_values(|book| runtime.block_on(book.enrol(MAILS * 10)));
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

struct Book {
    _folder: TempDir,
    ledger: Ledger,
    campaign: CampaignId,
}

impl Book {
    async fn new() -> Self {
        // Beside the sources: a temporary folder may lie in memory, where nothing is durable.
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db")).unwrap();
        let campaign = ledger.register("spring", "main", "{}", 1).await.unwrap().id;
        Self {
            _folder: folder,
            ledger,
            campaign,
        }
    }

    async fn with_people(count: usize) -> Self {
        Self::new().await.enrol(count).await
    }

    async fn enrol(self, count: usize) -> Self {
        let list = self.ledger.add_list("digest", "list.csv").await.unwrap();
        let mut first = 0;
        while first < count {
            let people = first..count.min(first + BATCH);
            let rows = people.clone().map(person).collect();
            black_box(
                self.ledger
                    .enrol(self.campaign, list, rows, Vec::new())
                    .await
                    .await
                    .unwrap(),
            );
            first = people.end;
        }
        self
    }

    /// A window of intents and results, as a worker has it.
    async fn send(self, under_way: usize) -> Self {
        let most = u32::try_from(MAILS).unwrap();
        let everyone = self.ledger.due(self.campaign, 10, None, most).await.unwrap();
        let mut finishes = Vec::new();
        for due in everyone.chunks(under_way) {
            let mut begins = Vec::new();
            for delivery in due {
                begins.push(self.ledger.begin(intent(delivery)).await);
            }
            for (delivery, begin) in due.iter().zip(begins) {
                let Begin::Go(attempt) = begin.await.unwrap() else {
                    panic!("not begun")
                };
                finishes.push(self.ledger.finish(finish(delivery, attempt)).await);
            }
        }
        for finish in finishes {
            finish.await.unwrap();
        }
        self
    }
}

fn person(number: usize) -> NewDelivery {
    let address = format!("person{number}@example{}.com", number % 97);
    NewDelivery {
        key: address.clone(),
        written_key: None,
        address,
        place: Place {
            line: number as u64 + 2,
            offset: number as u64 * 270,
            length: 270,
        },
        volume: mailshot::mail::Volume::FIRST,
        cut: None,
    }
}

fn intent(delivery: &Delivery) -> Intent {
    Intent {
        bound: Bound::default(),
        delivery: delivery.id,
        key: delivery.address.clone(),
        written_key: None,
        account: "main".to_owned(),
        quota: Quota::default(),
        alike: None,
        message_id: "0123456789abcdef0123456789abcdef@a.example".to_owned(),
        digest: [7; 32],
        now_ms: 20,
    }
}

fn finish(delivery: &Delivery, attempt: mailshot::ledger::AttemptId) -> Finish {
    Finish {
        limits: Limits::default(),
        destination: None,
        attempt,
        delivery: delivery.id,
        account: "main".to_owned(),
        outcome: Outcome::Accepted(Reply::from_lines([b"250 2.0.0 accepted as 12345".as_slice()]).unwrap()),
        next: Next::Sent,
        now_ms: 30,
    }
}
