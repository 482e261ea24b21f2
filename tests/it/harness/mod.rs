//! What every test needs: a workspace in a temporary folder, the program in a process of its own, a server to send to.

mod dns;
mod program;
mod sandbox;
mod web;
mod workspace;

use std::time::{Duration, Instant};

pub(crate) use dns::Dns;
pub(crate) use program::{Ended, MAILSHOT, Running, Wrapped};
pub(crate) use sandbox::{Sandbox, eml_files};
pub(crate) use web::{S3, fetch};
pub(crate) use workspace::{RETRY_SOON, Workspace, people};

/// How long a condition may take to come true, and a program to end. Far more than any needs; only a hang meets it.
pub(crate) const DEADLINE: Duration = Duration::from_mins(2);

/// Looks again and again until `look` finds something.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < DEADLINE, "waited in vain for {what}");
        pause();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "between two looks at a condition; nothing counts on its length"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(2));
}

/// A setting of the test run, from the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests' own settings stand in the environment"
)]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A number from the environment, or this one.
pub(crate) fn setting_or(name: &str, default: usize) -> usize {
    setting(name).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number"))
    })
}

/// Says that a test was passed over; fails instead when peers are required.
pub(crate) fn pass_over(test: &str, why: &str) {
    assert!(setting("MAILSHOT_REQUIRE_PEERS").is_none(), "{test}: {why}");
    eprintln!("passed over: {test}: {why}");
}

/// Numbers that look random and are the same in every run. Source: splitmix64 (Steele, Lea, Flood 2014).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}
