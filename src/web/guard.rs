//! How often somebody may ask. Mailbox providers send the clicks of many people from few addresses: what carries a token
//! of ours has much room. Whoever tries tokens that are not ours has little.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::client::Client;

/// Requests of one client: so many at once, and then so many a second.
const REQUESTS: (u32, u32) = (2_000, 100);
/// Tokens of one client that are not ours: so many at once, and then so many a minute.
const STRANGE: (u32, u32) = (30, 10);
/// Clients that are told apart at a time. When there are more, those who come last share one room.
const CLIENTS_MAX: usize = 50_000;

type Limiter = RateLimiter<Option<Client>, DefaultKeyedStateStore<Option<Client>>, DefaultClock>;

/// Counts who asks.
pub(super) struct Guard {
    requests: Limiter,
    strange: Limiter,
    clock: DefaultClock,
}

impl Default for Guard {
    fn default() -> Self {
        let count = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let requests = Quota::per_second(count(REQUESTS.1)).allow_burst(count(REQUESTS.0));
        let strange = Quota::per_minute(count(STRANGE.1)).allow_burst(count(STRANGE.0));
        Self {
            requests: RateLimiter::keyed(requests),
            strange: RateLimiter::keyed(strange),
            clock: DefaultClock::default(),
        }
    }
}

impl Guard {
    /// May this client ask? Else how long it must wait.
    pub(super) fn admit(&self, client: Client) -> Result<(), Duration> {
        self.check(&self.requests, client)
    }

    /// This client came with a token that is not ours. May it do so? Else how long it must wait.
    pub(super) fn strange(&self, client: Client) -> Result<(), Duration> {
        self.check(&self.strange, client)
    }

    fn check(&self, limiter: &Limiter, client: Client) -> Result<(), Duration> {
        if limiter.len() >= CLIENTS_MAX {
            limiter.retain_recent();
        }
        let key = (limiter.len() < CLIENTS_MAX).then_some(client);
        limiter
            .check_key(&key)
            .map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn client(number: u32) -> Client {
        Client(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    #[test]
    fn whoever_tries_tokens_is_stopped_soon_and_others_are_not() {
        let guard = Guard::default();
        let tried = (0..1_000)
            .take_while(|_| guard.strange(client(1)).is_ok())
            .count();
        assert!((30..40).contains(&tried), "{tried}");
        assert!(guard.strange(client(1)).unwrap_err() <= Duration::from_secs(6));
        assert!(guard.strange(client(2)).is_ok());
        assert!(
            guard.admit(client(1)).is_ok(),
            "what is ours is taken from everybody"
        );
    }

    #[test]
    fn a_thousand_clicks_at_once_from_one_provider_are_taken() {
        let guard = Guard::default();
        assert!((0..1_000).all(|_| guard.admit(client(1)).is_ok()));
        let more = (0..100_000)
            .take_while(|_| guard.admit(client(1)).is_ok())
            .count();
        assert!(more < 50_000, "there is a limit: {more}");
    }

    #[test]
    fn clients_without_number_do_not_fill_the_memory() {
        let guard = Guard::default();
        for number in 0..2 * u32::try_from(CLIENTS_MAX).unwrap() {
            let _admitted = guard.strange(client(number));
        }
        assert!(guard.strange.len() <= CLIENTS_MAX + 1);
    }
}
