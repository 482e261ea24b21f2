//! Whether the hosts that mails link to can be reached: who cannot unsubscribe complains. Source: RFC 8058.

use crate::doctor::dns::book::PageQuestion;
use crate::doctor::dns::{Book, Name};
use crate::doctor::finding::{Checked, Finding};
use crate::text;

/// Looks at an address that mails lead to.
pub fn check(book: &Book, link: &str) -> Checked {
    let host = url::Url::parse(link)
        .ok()
        .and_then(|url| Name::parse(url.host_str()?));
    let Some(host) = host else {
        return Ok(Vec::new());
    };
    let ips = book.addresses(&host)?;
    if ips.is_empty() {
        let what = text!("mails lead there, and the host has no address");
        let fix = text!("publish its address, or take the link out of mailshot.toml");
        return Ok(vec![Finding::warning("URL-01", link, what).fix(fix)]);
    }
    let question = PageQuestion {
        url: link.to_owned(),
        host,
        ips,
        is_any_answer: true,
    };
    Ok(vec![match book.page(&question)? {
        Ok(_any_answer) => Finding::ok("URL-01", link, text!("it answers, with a valid certificate")),
        Err(why) => {
            let what = text!("mails lead there, and it does not answer: {why}", why);
            let fix = text!("see to the web server and its certificate before the first mail");
            Finding::warning("URL-01", link, what).fix(fix)
        }
    }])
}
