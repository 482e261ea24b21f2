//! Any octets as a mail that was received, compared with a good one, and the other way round.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshot::doctor::dns::Book;
use mailshot::doctor::received::{Mail, Received, verdict};

const GOOD: &[u8] = b"From: a@b.example\r\nSubject: x\r\nList-Unsubscribe: <https://b.example/u/1>\r\n\r\n<a href=x>y</a>\r\n";

fuzz_target!(|bytes: &[u8]| {
    let (strange, good) = (Mail::parse(bytes), Mail::parse(GOOD));
    for (mail, sent) in [(&strange, &good), (&good, &strange), (&strange, &strange)] {
        let received = Received {
            mail,
            sent: Some(sent),
            selectors: &[],
        };
        let found = verdict(&Book::default(), received);
        assert!(!found.is_empty());
    }
});
