//! The login by IMAP: one mechanism, tried once. Source: RFC 3501, 6.2; RFC 4959 (SASL-IR).
//!
//! A second mechanism after a refusal would be a second failed login, and providers lock accounts after a few.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::Fault;
use super::imap::{Imap, judged};
use super::syntax::{is_quotable, quoted};
use crate::campaign::{Inbox, Login, Secret};
use crate::text;

impl Imap {
    pub(super) async fn log_in(&mut self, inbox: &Inbox, secret: &Secret) -> Result<(), Fault> {
        let (user, password) = (inbox.account.username.as_str(), secret.reveal());
        let is_token = matches!(inbox.account.login, Login::Token(_));
        let done = if is_token && self.offers("AUTH=XOAUTH2") {
            let response = format!("user={user}\x01auth=Bearer {password}\x01\x01");
            self.authenticate("XOAUTH2", &response).await
        } else if !is_token && self.offers("AUTH=PLAIN") {
            self.authenticate("PLAIN", &format!("\0{user}\0{password}")).await
        } else if !is_token && !self.offers("LOGINDISABLED") && [user, password].into_iter().all(is_quotable)
        {
            let line = format!("LOGIN {} {}", quoted(user), quoted(password));
            self.command("LOGIN", &line).await.map(drop)
        } else {
            let offered = self.capabilities.join(", ");
            return Err(Fault::Config(text!(
                "the server offers no login of ours (it offers: {offered})",
                offered
            )));
        };
        done.map_err(of_login)
    }

    async fn authenticate(&mut self, mechanism: &str, response: &str) -> Result<(), Fault> {
        let mut response = Some(BASE64_STANDARD.encode(response));
        let line = match response.take_if(|_| self.offers("SASL-IR")) {
            Some(response) => format!("AUTHENTICATE {mechanism} {response}"),
            None => format!("AUTHENTICATE {mechanism}"),
        };
        let tag = self.say(&line).await?;
        loop {
            let answer = self.answer().await?;
            if answer.text.starts_with('+') {
                // A second challenge says why it was refused; an empty answer to it brings the end. Source: Google, XOAUTH2.
                self.link.say(&response.take().unwrap_or_default()).await?;
            } else if let Some(done) = answer.text.strip_prefix(&tag) {
                return judged("AUTHENTICATE", done);
            }
        }
    }
}

/// Whatever goes wrong with a login counts as a refusal: some servers hang up on a wrong password.
fn of_login(fault: Fault) -> Fault {
    match fault {
        Fault::Refused { said, .. } => {
            // Not about the password. Source: RFC 5530.
            let later = ["[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]"];
            let is_later = later.iter().any(|code| said.contains(code)) || !said.starts_with("NO");
            let is_password = !is_later;
            Fault::Login { said, is_password }
        }
        Fault::Link(why) => Fault::Login {
            said: why.to_string(),
            is_password: false,
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_for_now_is_not_one_of_the_password() {
        let judge = |said: &str| {
            let said = said.to_owned();
            of_login(Fault::Refused {
                command: "LOGIN",
                said,
            })
        };
        for (said, expected) in [
            ("NO [AUTHENTICATIONFAILED] Authentication failed.", true),
            ("NO LOGIN Login error or password error", true),
            ("NO [UNAVAILABLE] Temporary authentication failure.", false),
            ("BAD unknown command", false),
        ] {
            assert!(
                matches!(judge(said), Fault::Login { is_password, .. } if is_password == expected),
                "{said}"
            );
        }
    }
}
