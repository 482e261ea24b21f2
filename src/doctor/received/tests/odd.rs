//! Mails that nobody sends in good faith, and resolvers that do not see the public DNS.

use super::*;

/// The first words about signatures, of a mail with this signature in place of its own.
fn said_of(signature: &str) -> String {
    let mail = format!("{WAY}{signature}{MAIL}");
    let found = findings(&mail, None, &[SPF, DMARC]);
    let first = found.iter().find(|finding| finding.id == "DKIM-10").unwrap();
    format!("{} {}: {}", first.severity.name(), first.about, first.what)
}

#[test]
fn an_odd_signature_is_said_to_be_odd_in_plain_words() {
    let whole = "DKIM-Signature: v=1; a=ed25519-sha256; d=b.example; s=m1; h=From:To; bh=AAAA; b=AAAA\r\n";
    for (signature, said) in [
        (
            "DKIM-Signature: hello\r\n".to_owned(),
            "nothing of it is a signature",
        ),
        (
            whole.replace("a=ed25519-sha256; ", ""),
            "`a=` is missing in it (RFC 6376, 3.5)",
        ),
        (
            whole.replace("d=b.example; s=m1", "d=; x=1"),
            "`d=`, `s=` is missing in it (RFC 6376, 3.5)",
        ),
        (
            whole.replace("From:To", "To:Subject"),
            "it does not cover From (`h=`), as it must (RFC 6376, 5.4)",
        ),
        (whole.replace("v=1", "v=2"), "its version (`v=`) is not 1"),
        (
            whole.replace("ed25519-sha256", "rsa-md5"),
            "nobody knows its algorithm: `a=rsa-md5`",
        ),
        (
            whole.replace("; h=", "; c=exact; h="),
            "nobody knows its canonical form: `c=exact`",
        ),
    ] {
        let wanted = format!("error DKIM-Signature: a signature that receivers do not count: {said}");
        assert_eq!(said_of(&signature), wanted, "{signature}");
    }
    assert_eq!(
        said_of(whole),
        "error m1._domainkey.b.example: not valid: the body is another than was signed"
    );
}

#[test]
fn a_signature_that_does_not_name_its_algorithm_or_from_does_not_count() {
    let (mail, record) = signed("b.example");
    let texts = [("m1._domainkey.b.example", record.as_str()), SPF, DMARC];
    let without = mail.replace("a=ed25519-sha256;", "");
    assert_ne!(mail, without);
    let found = judged(&without, None, &texts);
    assert!(found.contains(&("DKIM-12", Severity::Info)), "{found:?}");
    assert!(found.contains(&("DMARC-10", Severity::Warning)), "{found:?}");
}

#[test]
fn a_mail_with_two_senders_is_refused_whatever_is_valid() {
    let (mail, record) = signed("b.example");
    let texts = [("m1._domainkey.b.example", record.as_str()), SPF, DMARC];
    for mail in [
        format!("From: x@b.example\r\n{mail}"),
        mail.replace("To: li", "from: x@other.example\r\nTo: li"),
    ] {
        let found = findings(&mail, None, &texts);
        let dmarc = found.iter().find(|finding| finding.id == "DMARC-10").unwrap();
        assert_eq!(dmarc.severity, Severity::Error);
        assert!(
            dmarc.what.to_string().starts_with("the mail has 2 From: "),
            "{dmarc:?}"
        );
    }
}

#[test]
fn no_more_signatures_are_looked_at_than_a_mail_has_in_good_faith() {
    let (mail, record) = signed("b.example");
    let texts = [("m1._domainkey.b.example", record.as_str()), SPF, DMARC];
    let many = (1..=500).fold(String::new(), |all, number| {
        all + &format!(
            "DKIM-Signature: v=1; a=rsa-sha256; d=b.example; s=m1; l={number}; h=From; bh=AAAA; b=AAAA\r\n"
        )
    });
    let behind = format!("{mail}X").replacen("From: Aurora", &format!("{many}From: Aurora"), 1);
    let parsed = Mail::parse(behind.as_bytes());
    let seen = limited(&parsed);
    let count = |bytes: &[u8]| memchr::memmem::find_iter(bytes, b"DKIM-Signature:").count();
    assert_eq!((count(parsed.bytes()), count(&seen)), (501, 16));
    let found = findings(&behind, None, &texts);
    let of_signatures: Vec<String> = found
        .iter()
        .filter(|finding| finding.id == "DKIM-10")
        .map(|finding| finding.what.to_string())
        .collect();
    assert_eq!(of_signatures.len(), 17, "{of_signatures:?}");
    assert_eq!(
        of_signatures[16],
        "501 signatures, of which the first 16 were looked at"
    );
    // What stands first is looked at: the mail's own signature is still good, were it not for the body.
    let good = mail.replacen("From: Aurora", &format!("{many}From: Aurora"), 1);
    let found = judged(&good, None, &texts);
    assert!(found.contains(&("DKIM-10", Severity::Ok)), "{found:?}");
}

#[test]
fn who_does_not_see_the_public_dns_knows_nothing() {
    let (mail, record) = signed("b.example");
    let found = seen_from("inner.test", &mail, None, &[]);
    let of = |id: &str| {
        let found = found.iter().find(|finding| finding.id == id);
        found.map(|finding| finding.severity)
    };
    for id in ["DKIM-10", "DKIM-11", "DKIM-12", "SPF-10", "DMARC-10", "NS-01"] {
        assert_eq!(of(id), Some(Severity::Unknown), "{id}: {found:?}");
    }
    assert!(is_blind(&found));
    // What it does see counts, also what is wrong without the DNS.
    let seen = seen_from("inner.test", &mail, None, &[("m1._domainkey.b.example", &record)]);
    assert!(!is_blind(&seen));
    let changed = mail.replace("Hello", "Hallo");
    assert!(!is_blind(&seen_from("inner.test", &changed, None, &[])));
    assert!(!is_blind(&findings(&mail, None, &[])));
}

#[test]
fn a_missing_key_does_not_ask_for_another_signature() {
    let (mail, _) = signed("b.example");
    let found = findings(&mail, None, &[SPF, DMARC]);
    let one_click = found.iter().find(|finding| finding.id == "DKIM-11").unwrap();
    let fix = one_click.fix.as_ref().unwrap().to_string();
    assert_eq!(
        fix,
        "the signature of b.example covers both: it is enough to make it valid, see DKIM-10"
    );
}
