//! Any octets as the lines of a server's reply.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshot::mail::Reply;

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|byte| *byte == b'\n');
    if let Some(reply) = Reply::from_lines(lines) {
        assert!(reply.code < 1_000);
        assert!(!reply.to_string().contains(['\r', '\n', '\0']), "{reply:?}");
    }
});
