//! Complaints: a person has called a mail spam, and their provider passes it on. Source: RFC 5965, RFC 6650.

use super::Returned;
use super::opened::Opened;
use super::prose::in_fields;

/// Kinds of reports that are about somebody who does not want our mails.
const ABOUT_PEOPLE: [&str; 6] = ["abuse", "fraud", "virus", "miscategorized", "opt-out", "other"];

/// Whom a complaint is by, as far as that is said; none when it is no complaint.
pub(super) fn about(opened: &Opened) -> Option<Vec<Returned>> {
    let kind = opened
        .complaint
        .as_ref()
        .and_then(|fields| fields.get("feedback-type"));
    let is_report = match kind {
        Some(kind) => ABOUT_PEOPLE.contains(&kind.trim().to_ascii_lowercase().as_str()),
        None => opened.report_type.as_deref() == Some("feedback-report") || is_junk_report(opened),
    };
    is_report.then(|| by(opened))
}

/// Microsoft's program sends the mail back without a report for programs.
fn is_junk_report(opened: &Opened) -> bool {
    let from = opened
        .headers
        .get("from")
        .unwrap_or_default()
        .to_ascii_lowercase();
    from.contains("staff@hotmail.com") && !opened.returned.is_empty()
}

/// Who complains: what the report says, else to whom the mail went.
fn by(opened: &Opened) -> Vec<Returned> {
    let said = opened.complaint.as_ref();
    let said = said.map(|fields| in_fields(fields, &["original-rcpt-to", "removal-recipient"]));
    let mut all = said.unwrap_or_default();
    if all.is_empty() {
        let names = ["x-hmxmroriginalrecipient", "x-original-to", "to", "delivered-to"];
        all = in_fields(&opened.returned, &names);
        all.truncate(1);
    }
    all.sort();
    all.dedup();
    all.into_iter().map(Returned::named).collect()
}
