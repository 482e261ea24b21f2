//! Why a check matters, in a sentence.

use crate::text;
use crate::words::Text;

/// Why this check matters.
pub fn why(id: &str) -> Text {
    match id {
        "MX-01" | "MX-04" => {
            text!("replies and bounces must arrive, and receivers distrust senders that cannot be written to")
        }
        "MX-02" => text!("a domain that takes no mail is refused as a sender by many (RFC 7505)"),
        "MX-03" => text!("the host of an MX record must not be a CNAME (RFC 2181, 10.3)"),
        "MX-05" => text!("the provider only reads what arrives at its own servers"),
        "MX-06" => text!("mail goes to whichever answers; only one of the providers has your mailboxes"),
        "MX-07" | "MX-08" => text!("mail should find a second way when the first is closed"),
        "CN-01" => text!("a name with a CNAME may have no other record (RFC 1034, 3.6.2)"),
        "CN-02" => text!("mail programs find their servers by these names"),
        "SPF-01" => text!("there must be exactly one SPF record (RFC 7208, 3.2)"),
        "SPF-02" | "SPF-03" | "SPF-08" => text!(
            "receivers stop at 10 lookups, 2 of them in vain, and take the record for broken (RFC 7208, 4.6.4)"
        ),
        "SPF-04" => text!("one broken include breaks the whole record (RFC 7208, 5.2)"),
        "SPF-05" => text!("mail leaves by the provider's servers, which SPF must name"),
        "SPF-06" => text!("the end of the record says what holds for everybody else"),
        "SPF-07" => text!("a record that cannot be read protects nobody"),
        "DKIM-02" => {
            text!("a signature that does not fit its record counts as none, and looks like a forgery")
        }
        "DKIM-01" | "DKIM-03" => text!("Gmail, Yahoo and Microsoft want bulk mail signed"),
        "DMARC-01" | "DMARC-02" => {
            text!("Gmail, Yahoo and Microsoft want a DMARC record of bulk senders (RFC 9989)")
        }
        "DMARC-03" => text!("reports show who sends in your name (RFC 9990)"),
        "TTL-01" => text!("an hour is the usual balance of load and speed"),
        "PROP-01" => text!("receivers everywhere must see the same records"),
        "NS-01" => text!("when the name servers fail, nobody can check your mail"),
        "STS-01" => text!("MTA-STS makes senders insist on checked TLS (RFC 8461)"),
        "RPT-01" => text!("TLS-RPT tells when TLS fails (RFC 8460)"),
        "BIMI-01" | "BIMI-02" => {
            text!("BIMI shows a logo, in one harmless form: SVG Tiny PS")
        }
        "URL-01" => text!("who cannot unsubscribe reports the mail as spam"),
        "PTR-01" => text!("the address of a mail server must have a name that leads back to it"),
        "BL-01" => text!("many receivers refuse what stands on a block list"),
        "PORT-01" => text!("networks block ports, and providers serve different ones"),
        "TLS-01" => text!("without a valid certificate the password would go to whoever answers"),
        "AUTH-01" => text!("the server must offer a login that mailshot knows"),
        "LOGIN-01" => text!("a wrong password stops every campaign; providers lock the account after a few"),
        "FROM-01" => text!("the provider refuses senders other than the login"),
        "EGR-01" => text!("providers block accounts that log in from unusual networks"),
        "CLK-01" => text!("a wrong clock gives mails a wrong date, and breaks signatures and certificates"),
        _ => of_a_mail(id),
    }
}

/// Why a check of a mail that was received matters.
fn of_a_mail(id: &str) -> Text {
    match id {
        "DKIM-10" | "DKIM-12" | "DKIM-13" => {
            text!("receivers believe a valid signature of the sender's own domain")
        }
        "DKIM-11" => {
            text!("one click to unsubscribe is offered only where a signature covers it (RFC 8058, 4)")
        }
        "SPF-10" => text!("the server that handed the mail over must be one that may (RFC 7208)"),
        "DMARC-10" => text!("it decides whether the mail is taken, put aside or refused (RFC 9989)"),
        "AR-01" => text!("what the receiver found counts, whatever others find"),
        "SENT-01" | "SENT-02" => {
            text!("what is changed after signing breaks signatures, and what is lost helps nobody")
        }
        "SENT-03" | "SENT-04" | "SENT-05" | "SENT-06" => {
            text!("people should get what you wrote, and know who counts what they do")
        }
        _ => Text::default(),
    }
}
