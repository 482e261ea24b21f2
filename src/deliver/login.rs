//! The login: one mechanism, tried once. Source: RFC 4954.
//!
//! A second mechanism after a refusal would be a second failed login, and providers lock accounts after a few.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::session::{Credentials, Session, config, gone};
use super::wire::Lost;
use crate::mail::{Fault, Reply, Scope, Stage};

impl Session {
    pub(super) async fn log_in(&mut self, credentials: &Credentials) -> Result<(), Fault> {
        let offers = |name: &str| self.capabilities.auth.iter().any(|offered| offered == name);
        let (user, secret) = (&credentials.username, credentials.secret.reveal());
        let answer = if credentials.is_token && offers("XOAUTH2") {
            self.token_login(user, secret).await
        } else if !credentials.is_token && offers("PLAIN") {
            let response = BASE64_STANDARD.encode(format!("\0{user}\0{secret}"));
            self.ask_secret(&format!("AUTH PLAIN {response}"), "AUTH PLAIN (not shown)")
                .await
        } else if !credentials.is_token && offers("LOGIN") {
            self.prompted_login(user, secret).await
        } else {
            let offered = self.capabilities.auth.join(", ");
            let what = format!("the server offers no login of ours (it offers: {offered})");
            return Err(config(&what));
        };
        match answer {
            Ok(reply) if reply.is_positive() => Ok(()),
            Ok(reply) => Err(of_account(self.refused(Stage::Auth, reply))),
            // Some servers hang up on a wrong password: knocking again could lock the account.
            Err(lost) => Err(of_account(gone(Stage::Auth, &lost))),
        }
    }

    async fn prompted_login(&mut self, user: &str, secret: &str) -> Result<Reply, Lost> {
        let prompt = self.ask_secret("AUTH LOGIN", "AUTH LOGIN").await?;
        if !prompt.is_intermediate() {
            return Ok(prompt);
        }
        // The prompts are Base64 of "Username:" in any case; there is nothing to learn from them.
        let prompt = self
            .ask_secret(&BASE64_STANDARD.encode(user), "(user name not shown)")
            .await?;
        if !prompt.is_intermediate() {
            return Ok(prompt);
        }
        self.ask_secret(&BASE64_STANDARD.encode(secret), "(password not shown)")
            .await
    }

    async fn token_login(&mut self, user: &str, token: &str) -> Result<Reply, Lost> {
        let response = BASE64_STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"));
        let reply = self
            .ask_secret(&format!("AUTH XOAUTH2 {response}"), "AUTH XOAUTH2 (not shown)")
            .await?;
        // A refusal comes as a challenge first; an empty answer to it brings the code. Source: Google, XOAUTH2.
        if reply.is_intermediate() {
            self.ask_secret("", "").await
        } else {
            Ok(reply)
        }
    }

    async fn ask_secret(&mut self, line: &str, shown: &str) -> Result<Reply, Lost> {
        self.link.ask(line, shown, self.timeouts.command).await
    }
}

/// Whatever goes wrong with a login concerns everyone who logs in by the account.
fn of_account(mut fault: Fault) -> Fault {
    if !fault.verdict.is_about_account() {
        fault.verdict.scope = Scope::Account;
    }
    fault
}
