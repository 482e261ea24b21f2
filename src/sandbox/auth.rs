//! The AUTH exchange: PLAIN (RFC 4616), LOGIN (never a standard, everywhere in use) and XOAUTH2 (Google).
//!
//! Pure: a line in, a [`Step`] out. The session writes the replies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The one login that a server with credentials accepts. For XOAUTH2 the password is the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub user: String,
    /// The password, or the token.
    pub password: String,
}

/// How AUTH LOGIN asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginPrompts {
    /// `Username:` and `Password:`, as most servers do.
    #[default]
    Capitals,
    /// `username:` and `password:` (`dXNlcm5hbWU6`), as some providers do.
    LowerCase,
}

/// The ways to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    Plain,
    Login,
    Xoauth2,
}

/// What the server expects in the client's next line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    Plain,
    LoginUser,
    LoginPassword {
        user: Vec<u8>,
    },
    Xoauth2,
    /// The challenge that says why has been sent; the client answers with an empty line.
    Xoauth2Refused,
}

/// What one line of the exchange comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Ask(&'static str, Exchange),
    Accepted,
    Refused,
    Cancelled,
    Malformed,
}

/// base64 of `{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}`.
const XOAUTH2_CHALLENGE: &str =
    "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==";

/// What the server knows about logins. No credentials means that any login is right.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) credentials: Option<Credentials>,
    pub(super) prompts: LoginPrompts,
}

impl Gate {
    /// The first step, after `AUTH mechanism [initial-response]`.
    pub(super) fn start(&self, mechanism: Mechanism, initial_response: &str) -> Step {
        let exchange = match mechanism {
            Mechanism::Plain => Exchange::Plain,
            Mechanism::Login => Exchange::LoginUser,
            Mechanism::Xoauth2 => Exchange::Xoauth2,
        };
        match initial_response {
            "" => Step::Ask(self.challenge(&exchange), exchange),
            // `=` is how RFC 4954 spells an initial response of no bytes.
            "=" => self.answer(exchange, b""),
            text => self.answer(exchange, text.as_bytes()),
        }
    }

    /// The next step, after a line of the client (without its CRLF).
    pub(super) fn answer(&self, exchange: Exchange, line: &[u8]) -> Step {
        if line == b"*" {
            return Step::Cancelled;
        }
        let Ok(response) = STANDARD.decode(line) else {
            return Step::Malformed;
        };
        match exchange {
            Exchange::Plain => self.plain(&response),
            Exchange::LoginUser => {
                let next = Exchange::LoginPassword { user: response };
                Step::Ask(self.challenge(&next), next)
            }
            Exchange::LoginPassword { user } => self.verdict(&user, &response),
            Exchange::Xoauth2 => match self.xoauth2(&response) {
                Step::Refused => Step::Ask(XOAUTH2_CHALLENGE, Exchange::Xoauth2Refused),
                step => step,
            },
            Exchange::Xoauth2Refused => Step::Refused,
        }
    }

    fn challenge(&self, next: &Exchange) -> &'static str {
        match (next, self.prompts) {
            (Exchange::LoginUser, LoginPrompts::Capitals) => "VXNlcm5hbWU6",
            (Exchange::LoginUser, LoginPrompts::LowerCase) => "dXNlcm5hbWU6",
            (Exchange::LoginPassword { .. }, LoginPrompts::Capitals) => "UGFzc3dvcmQ6",
            (Exchange::LoginPassword { .. }, LoginPrompts::LowerCase) => "cGFzc3dvcmQ6",
            (Exchange::Plain | Exchange::Xoauth2 | Exchange::Xoauth2Refused, _) => "",
        }
    }

    /// `authorize-as NUL user NUL password`.
    fn plain(&self, response: &[u8]) -> Step {
        let mut fields = response.split(|byte| *byte == 0);
        match (fields.next(), fields.next(), fields.next(), fields.next()) {
            (Some(_), Some(user), Some(password), None) => self.verdict(user, password),
            _ => Step::Malformed,
        }
    }

    /// `user=… ^A auth=Bearer … ^A ^A`.
    fn xoauth2(&self, response: &[u8]) -> Step {
        let mut user = None;
        let mut token = None;
        for field in response.split(|byte| *byte == 1) {
            user = user.or(field.strip_prefix(b"user="));
            token = token.or(field.strip_prefix(b"auth=Bearer "));
        }
        match (user, token) {
            (Some(user), Some(token)) => self.verdict(user, token),
            _ => Step::Malformed,
        }
    }

    fn verdict(&self, user: &[u8], password: &[u8]) -> Step {
        let is_right = self
            .credentials
            .as_ref()
            .is_none_or(|wanted| wanted.user.as_bytes() == user && wanted.password.as_bytes() == password);
        if is_right { Step::Accepted } else { Step::Refused }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate {
            credentials: Some(Credentials {
                user: "anna".to_owned(),
                password: "secret".to_owned(),
            }),
            prompts: LoginPrompts::LowerCase,
        }
    }

    fn encode(text: &str) -> String {
        STANDARD.encode(text)
    }

    #[test]
    fn plain_is_right_only_with_both_user_and_password() {
        let answer = |text: &str| gate().start(Mechanism::Plain, &encode(text));
        assert_eq!(answer("\0anna\0secret"), Step::Accepted);
        assert_eq!(answer("anna\0anna\0secret"), Step::Accepted);
        assert_eq!(answer("\0anna\0Secret"), Step::Refused);
        assert_eq!(answer("\0ann\0asecret"), Step::Refused);
        assert_eq!(answer("anna secret"), Step::Malformed);
    }

    #[test]
    fn login_asks_twice_in_the_spelling_that_was_chosen() {
        let Step::Ask("dXNlcm5hbWU6", exchange) = gate().start(Mechanism::Login, "") else {
            panic!("no question for the user");
        };
        let Step::Ask("cGFzc3dvcmQ6", exchange) = gate().answer(exchange, encode("anna").as_bytes()) else {
            panic!("no question for the password");
        };
        assert_eq!(
            gate().answer(exchange, encode("secret").as_bytes()),
            Step::Accepted
        );
    }

    #[test]
    fn a_wrong_token_is_challenged_before_it_is_refused() {
        let wrong = encode("user=anna\u{1}auth=Bearer stale\u{1}\u{1}");
        let Step::Ask(challenge, exchange) = gate().start(Mechanism::Xoauth2, &wrong) else {
            panic!("no challenge");
        };
        let json = STANDARD.decode(challenge).unwrap();
        assert!(json.starts_with(b"{\"status\":\"401\""));
        assert_eq!(gate().answer(exchange, b""), Step::Refused);
    }

    #[test]
    fn without_credentials_every_login_is_right() {
        let open = Gate {
            credentials: None,
            prompts: LoginPrompts::Capitals,
        };
        assert_eq!(
            open.start(Mechanism::Plain, &encode("\0who\0ever")),
            Step::Accepted
        );
        assert_eq!(open.start(Mechanism::Plain, "not base64!"), Step::Malformed);
        assert_eq!(open.answer(Exchange::Plain, b"*"), Step::Cancelled);
    }
}
