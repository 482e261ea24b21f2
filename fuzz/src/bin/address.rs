//! Any text as an address, and what is made of it: what is taken is safe in a command and in a header.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshot::mail::{Address, Mailbox, repair};

fuzz_target!(|text: &str| {
    for address in [
        Address::parse(text).ok(),
        Address::parse_utf8(text).ok(),
        repair(text).map(|repair| repair.address),
    ]
    .into_iter()
    .flatten()
    {
        assert!(!address.as_str().contains(['\r', '\n', '\0']), "{address:?}");
        assert!(address.as_str().len() <= 254 && address.domain().is_ascii());
        assert_eq!(Address::parse_utf8(address.as_str()).as_ref(), Ok(&address));
    }
    if let Ok(mailbox) = Mailbox::parse(text) {
        assert!(!mailbox.to_string().contains(['\r', '\n', '\0']), "{mailbox:?}");
    }
});
