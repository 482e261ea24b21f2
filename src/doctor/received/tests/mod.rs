//! Received copies, against zones that are written down here.

mod odd;

use proptest::prelude::*;

use super::*;
use crate::dkim::{Algorithm, BITS, Key, Signer};
use crate::doctor::Severity;
use crate::doctor::dns::{Answer, Data, Kind, NoAnswer, Question, Record, Whom};

const MAIL: &str = "From: Aurora <news@b.example>\r\nTo: li@example.com\r\nSubject: Tea\r\nMessage-ID: <1@b.example>\r\n\
                    List-Unsubscribe: <https://b.example/u/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\
                    Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello</p><a href=\"https://b.example/tea\">Tea</a>\r\n";

const WAY: &str = "Return-Path: <news@b.example>\r\nReceived: from m.b.example (m.b.example [203.0.113.7]) by mx.example.com\r\n";

fn key() -> Key {
    Key::from_pem(&Key::generate(Algorithm::Ed25519, BITS).unwrap()).unwrap()
}

/// A mail that was signed for this domain, and the record of the key.
fn signed(domain: &str) -> (String, String) {
    let signer = Signer::new(domain.to_owned(), "m1".to_owned(), key());
    let header = String::from_utf8(signer.sign(MAIL.as_bytes(), 1_795_410_622).unwrap()).unwrap();
    (format!("{WAY}{header}{MAIL}"), signer.key().record())
}

/// The verdict with these text records in a public DNS; all other questions find nothing.
fn judged(mail: &str, sent: Option<&str>, texts: &[(&str, &str)]) -> Vec<(&'static str, Severity)> {
    findings(mail, sent, texts)
        .iter()
        .map(|finding| (finding.id, finding.severity))
        .collect()
}

fn findings(mail: &str, sent: Option<&str>, texts: &[(&str, &str)]) -> Vec<Finding> {
    seen_from("example", mail, sent, texts)
}

/// The same for somebody who sees this name with its servers, and no other.
fn seen_from(public: &str, mail: &str, sent: Option<&str>, texts: &[(&str, &str)]) -> Vec<Finding> {
    let public = Name::parse(public).unwrap();
    let (mail, sent) = (
        Mail::parse(mail.as_bytes()),
        sent.map(|sent| Mail::parse(sent.as_bytes())),
    );
    let received = Received {
        mail: &mail,
        sent: sent.as_ref(),
        selectors: &[],
    };
    let mut book = Book::default();
    for _ in 0..64 {
        let findings = verdict(&book, received);
        let missed = book.take_missed();
        if missed.is_empty() {
            return findings;
        }
        for Question { whom, name, kind } in missed {
            assert_eq!(whom, Whom::Anyone);
            let found = texts
                .iter()
                .filter(|(owner, _)| kind == Kind::Txt && Name::parse(owner).as_ref() == Some(&name));
            let texts = found.map(|(_, text)| Data::Txt(vec![text.as_bytes().to_vec()]));
            let servers = (kind == Kind::Ns && name == public).then(|| Data::Ns(name.below("ns")));
            let records = texts.chain(servers).map(|data| Record {
                name: name.clone(),
                ttl: 60,
                data,
            });
            let records: Vec<Record> = records.collect();
            let answer = Answer {
                is_no_name: records.is_empty(),
                records,
                ..Answer::default()
            };
            book.note(Question { whom, name, kind }, Ok(answer));
        }
    }
    panic!("it asks for ever");
}

const SPF: (&str, &str) = ("b.example", "v=spf1 ip4:203.0.113.0/24 -all");
const DMARC: (&str, &str) = ("_dmarc.b.example", "v=DMARC1; p=reject");

#[test]
fn a_good_mail_is_good_in_every_way() {
    let (mail, record) = signed("b.example");
    let found = judged(
        &mail,
        Some(MAIL),
        &[("m1._domainkey.b.example", &record), SPF, DMARC],
    );
    let bad: Vec<_> = found
        .iter()
        .filter(|(_, severity)| *severity > Severity::Info)
        .collect();
    assert_eq!(bad, Vec::<&(&str, Severity)>::new(), "{found:?}");
    for id in [
        "DKIM-10", "DKIM-11", "DKIM-12", "SPF-10", "DMARC-10", "SENT-01", "SENT-03",
    ] {
        assert!(found.contains(&(id, Severity::Ok)), "{id}: {found:?}");
    }
    assert!(found.contains(&("DKIM-13", Severity::Info)), "{found:?}");
}

/// What is tried, the mail, the records, and the finding.
type Case<'c> = (&'c str, String, Vec<(&'c str, &'c str)>, &'c str);

/// Ends the test unless each mail, with these records, has this finding.
#[track_caller]
fn each(cases: Vec<Case<'_>>) {
    for (name, mail, texts, wanted) in cases {
        let found = judged(&mail, None, &texts);
        let said: Vec<String> = found
            .iter()
            .map(|(id, severity)| format!("{id} {}", severity.name()))
            .collect();
        assert!(said.contains(&wanted.to_owned()), "{name}: {said:?}");
    }
}

#[test]
fn each_fault_of_a_signature_has_its_finding() {
    let (mail, record) = signed("b.example");
    let (_, another) = signed("b.example");
    let place = "m1._domainkey.b.example";
    let all = vec![(place, record.as_str()), SPF, DMARC];
    let with = |from: &str, to: &str| mail.replace(from, to);
    let bad = "DKIM-10 error";
    each(vec![
        ("no signature", format!("{WAY}{MAIL}"), all.clone(), bad),
        ("a body", with("Hello", "Hallo"), all.clone(), bad),
        ("a header", with("Subject: Tea", "Subject: Te"), all.clone(), bad),
        ("no key", mail.clone(), vec![SPF, DMARC], bad),
        (
            "another key",
            mail.clone(),
            vec![(place, another.as_str()), SPF],
            bad,
        ),
        ("revoked", mail.clone(), vec![(place, "v=DKIM1; p=")], bad),
        ("a link", with("/u/1>", "/u/2>"), all.clone(), "DKIM-11 error"),
        (
            "no click",
            with("List-Unsubscribe-Post", "X"),
            all.clone(),
            "DKIM-11 warning",
        ),
    ]);
}

#[test]
fn each_fault_of_a_sender_has_its_finding() {
    let (mail, record) = signed("b.example");
    let (other, other_record) = signed("other.example");
    let key = ("m1._domainkey.b.example", record.as_str());
    let strange = ("m1._domainkey.other.example", other_record.as_str());
    let failed = format!("Authentication-Results: mx; dkim=fail; dmarc=fail\r\n{mail}");
    let elsewhere = mail.replace("203.0.113.7", "198.51.100.7");
    let two = ("b.example", "v=spf1 -all");
    each(vec![
        (
            "another domain",
            other.clone(),
            vec![strange, SPF, DMARC],
            "DKIM-12 warning",
        ),
        (
            "SPF alone",
            other.clone(),
            vec![strange, SPF, DMARC],
            "DMARC-10 warning",
        ),
        ("neither", other, vec![strange, DMARC], "DMARC-10 error"),
        (
            "another address",
            elsewhere,
            vec![key, SPF, DMARC],
            "SPF-10 error",
        ),
        (
            "two SPF records",
            mail.clone(),
            vec![key, SPF, two, DMARC],
            "SPF-10 error",
        ),
        ("no SPF record", mail.clone(), vec![key, DMARC], "SPF-10 warning"),
        ("no policy", mail, vec![key, SPF], "DMARC-10 warning"),
        (
            "the receiver says so",
            failed,
            vec![key, SPF, DMARC],
            "AR-01 error",
        ),
    ]);
}

#[test]
fn a_strict_policy_wants_the_very_domain() {
    let (mail, record) = signed("mail.b.example");
    let key = ("m1._domainkey.mail.b.example", record.as_str());
    let strict = ("_dmarc.b.example", "v=DMARC1; p=reject; adkim=s");
    assert!(judged(&mail, None, &[key, DMARC]).contains(&("DKIM-12", Severity::Ok)));
    assert!(judged(&mail, None, &[key, strict]).contains(&("DKIM-12", Severity::Warning)));
}

/// What stood there, what stands there now, and the finding: id, what it is about, how bad it is.
const CHANGES: &str = "
<1@b.example> | <9@provider.example> | SENT-01 Message-ID warning
news@b.example | other@b.example | SENT-01 From error
List-Unsubscribe: <https://b.example/u/1>\r\n | | SENT-01 List-Unsubscribe error
To: li | X-Mailer: y\r\nTo: li | SENT-02 headers info
https://b.example/tea | https://click.example/1 | SENT-04 links warning
</a> | </a><img src=\"https://open.example/1.gif\"> | SENT-05 images warning
</a> | </a><p>Sent by a free account</p> | SENT-03 HTML warning
<p>Hello | <p >Hello | SENT-03 HTML info
<a href=\"https://b.example/tea\">Tea</a> | Tea | SENT-04 links warning
";

#[test]
fn what_was_changed_on_the_way_is_named() {
    // Line ends within a case are written out.
    let cases = CHANGES.replace("\r\n", "¶");
    for line in cases.lines().filter(|line| !line.is_empty()) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [from, to, wanted] = [parts[0], parts[1], parts[2]].map(|part| part.replace('¶', "\r\n"));
        let got = MAIL.replace(&from, &to);
        assert_ne!(got, MAIL, "{line}");
        let found = findings(&got, Some(MAIL), &[]);
        let said: Vec<String> = found
            .iter()
            .map(|finding| format!("{} {} {}", finding.id, finding.about, finding.severity.name()))
            .collect();
        assert!(said.contains(&wanted), "{line}: {said:?}");
    }
}

#[test]
fn a_name_in_spf_that_nobody_answers_about_leaves_it_unknown() {
    let (mail, _) = signed("b.example");
    let mail = Mail::parse(mail.as_bytes());
    let received = Received {
        mail: &mail,
        sent: None,
        selectors: &[],
    };
    let mut book = Book::default();
    let mut found = verdict(&book, received);
    loop {
        let missed = book.take_missed();
        if missed.is_empty() {
            break;
        }
        for question in missed {
            let answer = match question.kind {
                Kind::Txt if question.name.as_str() == "b.example" => Ok(Answer {
                    records: vec![Record {
                        name: question.name.clone(),
                        ttl: 60,
                        data: Data::Txt(vec![b"v=spf1 a:m.b.example -all".to_vec()]),
                    }],
                    ..Answer::default()
                }),
                Kind::Txt => Ok(Answer::default()),
                _ => Err(NoAnswer::Silent),
            };
            book.note(question, answer);
        }
        found = verdict(&book, received);
    }
    let spf = found.iter().find(|finding| finding.id == "SPF-10").unwrap();
    assert_eq!(spf.severity, Severity::Unknown, "{spf:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_mail_makes_it_panic(
        head in "(From: |DKIM-Signature: |v=1; a=rsa-sha256; d=b.example; s=m1; h=from; bh=; b=|l=9;|Received: from |\\[1.2.3.4\\]|Authentication-Results: |;|=|\\(|\r\n|\n |a@b|<|>|\u{0}|é){0,30}",
        body in "(<a href=|\"x\"|<img src=|--|\r\n|=\\?UTF-8\\?B\\?|é){0,12}",
    ) {
        let mail = format!("{head}\r\n\r\n{body}");
        let _found = findings(&mail, Some(MAIL), &[SPF, DMARC]);
        let _turned = findings(MAIL, Some(&mail), &[]);
    }
}
