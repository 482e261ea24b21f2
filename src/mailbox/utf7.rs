//! Names of folders as IMAP writes them: modified UTF-7. Source: RFC 3501, 5.1.3.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// The name as it goes over the wire.
pub(super) fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut shifted: Vec<u8> = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut shifted, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0; 2];
            shifted.extend(
                c.encode_utf16(&mut units)
                    .iter()
                    .flat_map(|unit| unit.to_be_bytes()),
            );
        }
    }
    flush(&mut shifted, &mut out);
    out
}

fn flush(shifted: &mut Vec<u8>, out: &mut String) {
    if !shifted.is_empty() {
        out.push('&');
        out.push_str(&BASE64.encode(std::mem::take(shifted)));
        out.push('-');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_are_written_as_the_rfc_says() {
        // The first two are the examples of RFC 3501, 5.1.3.
        for (name, written) in [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Hi Mom -☺-!", "Hi Mom -&Jjo--!"),
            ("Sales & Co", "Sales &- Co"),
            ("退信", "&kABP4Q-"),
            ("INBOX", "INBOX"),
        ] {
            assert_eq!(encode(name), written);
        }
    }
}
