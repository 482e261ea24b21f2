//! DMARC: which policy stands for a domain, and what receivers do not take.

use super::dns_side::{changed, expect};
use super::*;

#[test]
fn dmarc_is_found_by_walking_up_the_tree() {
    let zone = "org.test 60 NS n.test\na.b.org.test 60 MX 1 m.test\n_dmarc.org.test 60 TXT v=DMARC1; p=reject; sp=quarantine; np=reject; rua=mailto:d@org.test";
    let policy = |text: &str, domain: &str| {
        let zone = Zone::new(text);
        let found = examine(&zone, &subject(domain, None));
        let found = found
            .into_iter()
            .filter(|finding| finding.id.starts_with("DMARC"));
        found
            .map(|finding| format!("{} {}: {}", finding.id, finding.severity.name(), finding.what))
            .collect::<Vec<_>>()
    };
    let found = policy(zone, "a.b.org.test");
    assert!(
        found[0].starts_with("DMARC-01 ok: that of org.test stands for it"),
        "{found:?}"
    );
    assert_eq!(found[1], "DMARC-02 ok: forged mail goes to the spam folder");
    // A name that does not exist at all falls under np.
    assert_eq!(
        policy(zone, "gone.org.test")[1],
        "DMARC-02 ok: forged mail is refused"
    );
    // Below a public suffix that says so, the domain stands for itself.
    let suffix =
        "_dmarc.co.test 60 TXT v=DMARC1; p=none; psd=y; rua=mailto:d@co.test\nx.co.test 60 MX 1 m.test";
    assert!(policy(suffix, "x.co.test")[0].contains("co.test stands for it"));
}

#[test]
fn dmarc_records_that_receivers_do_not_take_are_named() {
    let dmarc = "v=DMARC1; p=reject; rua=mailto:dmarc@good.test";
    for (record, wanted) in [
        (
            "v=DMARC1; p=none; rua=mailto:dmarc@good.test",
            ["DMARC-02 warning"].as_slice(),
        ),
        (
            "v=DMARC1; p=reject; pct=50; rua=mailto:dmarc@good.test",
            &["DMARC-01 warning: receivers no longer read pct"],
        ),
        (
            "v=DMARC1; p=reject; ruua=mailto:dmarc@good.test",
            &[
                "DMARC-01 warning: tags that nobody knows: ruua",
                "DMARC-03 warning: no reports",
            ],
        ),
        (
            "v=DMARC1; p=rejct; rua=mailto:dmarc@good.test",
            &["DMARC-01 warning: `p=rejct`", "DMARC-02 warning"],
        ),
        (
            "p=reject; v=DMARC1",
            &[
                "DMARC-01 error: `p=reject; v=DMARC1` is not read",
                "DMARC-01 error: no DMARC record",
            ],
        ),
        (
            "v=DMARC1; p=reject; rua=mailto:x@reports.test",
            &["DMARC-03 warning: reports.test has not agreed"],
        ),
        (
            "v=DMARC1; p=reject; rua=https://reports.test",
            &["DMARC-03 warning: `https://reports.test` is no address"],
        ),
    ] {
        expect(&changed(dmarc, record), wanted);
    }
    let agreed = "v=DMARC1; p=reject; rua=mailto:x@reports.test\ngood.test._report._dmarc.reports.test 60 TXT v=DMARC1;";
    expect(&changed(dmarc, agreed), &[]);
    expect(
        &changed(
            dmarc,
            &format!("{dmarc}\n_dmarc.good.test 3600 TXT v=DMARC1; p=none"),
        ),
        &["DMARC-01 error: 2 DMARC records"],
    );
}
