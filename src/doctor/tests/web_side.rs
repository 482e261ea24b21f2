//! Verdicts over pages that are written down: logos, and the time of their servers.

use super::*;

const BIMI: &str = "
    b.example 3600 MX 5 mx.b.example
    mx.b.example 3600 A 203.0.113.5
    _dmarc.b.example 3600 TXT v=DMARC1; p=reject
    default._bimi.b.example 3600 TXT v=BIMI1; l=https://www.b.example/logo.svg
    www.b.example 3600 A 203.0.113.6";

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.2\" baseProfile=\"tiny-ps\" \
                    viewBox=\"0 0 64 64\"><title>Aurora</title></svg>";

fn logo(text: &str, date_ms: Option<i64>) -> Page {
    Page {
        text: text.to_owned(),
        kind: Some("image/svg+xml".to_owned()),
        date_ms,
    }
}

/// The findings of these kinds, with this page as the logo, or with none.
fn found(page: Option<Page>, ids: &[&str]) -> Vec<String> {
    let web: Vec<(&str, Page)> = page
        .map(|page| ("https://www.b.example/logo.svg", page))
        .into_iter()
        .collect();
    let findings = examine_with_web(&Zone::new(BIMI), &subject("b.example", None), &web);
    let wanted = findings.iter().filter(|finding| ids.contains(&finding.id));
    wanted
        .map(|finding| format!("{} {}: {}", finding.id, finding.severity.name(), finding.what))
        .collect()
}

#[test]
fn a_logo_is_fetched_and_looked_at() {
    let note = "BIMI-01 info: a logo without a certificate (`a=`): Gmail and Apple do not show it";
    let of = |page| found(page, &["BIMI-01", "BIMI-02"]);
    assert_eq!(
        of(Some(logo(LOGO, None))),
        [note, "BIMI-02 ok: the logo is as receivers want it (SVG Tiny PS)"]
    );
    assert_eq!(
        of(Some(logo("<html></html>", None))),
        [
            note,
            "BIMI-02 warning: the logo is not as receivers want it: it is not an SVG drawing"
        ]
    );
    assert_eq!(
        of(None),
        [note, "BIMI-02 warning: the logo cannot be fetched: no web here"]
    );
}

#[test]
fn a_wrong_clock_is_noticed_by_the_time_of_a_web_server() {
    let of = |ahead_ms: i64| found(Some(logo(LOGO, Some(NOW_MS - ahead_ms))), &["CLK-01"]);
    assert_eq!(of(0), Vec::<String>::new());
    assert_eq!(of(-240_000), Vec::<String>::new());
    for off_ms in [600_000, -600_000] {
        assert_eq!(
            of(off_ms),
            ["CLK-01 warning: this machine's clock is 10 minutes off"]
        );
    }
    assert_eq!(found(Some(logo(LOGO, None)), &["CLK-01"]), Vec::<String>::new());
}
