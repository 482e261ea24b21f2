//! Mails that come back and events of providers: whatever they are, reading them does not fail.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshot::feedback::{Incoming, events};
use mailshot::replies::Judge;

fuzz_target!(|octets: &[u8]| {
    let judge = Judge::default();
    let incoming = Incoming::read(octets, &judge);
    for about in &incoming.about {
        assert!(about.address.contains('@'), "{about:?}");
    }
    let found = events::read(&String::from_utf8_lossy(octets), &judge);
    for event in &found.events {
        assert!(event.address.contains('@'), "{event:?}");
    }
});
