//! How an account logs in, and where its secret is kept.

use toml::Spanned;

use super::super::file::File;
use super::super::problem::{Problem, Problems};
use super::super::secret::SecretSource;
use super::{Around, RawAccount, Transport};
use crate::text;
use crate::words::Text;

/// How we prove who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// No login: a local mail server, or one that knows us by our IP.
    None,
    /// User name and password: AUTH PLAIN, else LOGIN.
    Password(SecretSource),
    /// User name and OAuth 2 token: AUTH XOAUTH2.
    Token(SecretSource),
}

impl RawAccount {
    pub(super) fn login<T>(
        &self,
        [name, host]: [&str; 2],
        around: &Around<'_, T>,
        problems: &mut Problems,
    ) -> Login {
        let Around { root, file, .. } = *around;
        let keyring = self.password_keyring.as_ref().filter(|wanted| *wanted.get_ref());
        let texts = [
            &self.password_command,
            &self.password_env,
            &self.password_file,
            &self.token_command,
        ];
        let texts = texts
            .into_iter()
            .flatten()
            .map(|text| file.problem(text, Text::default()));
        let given: Vec<Problem> = texts
            .chain(keyring.map(|at| file.problem(at, Text::default())))
            .collect();
        if let [_, second, ..] = given.as_slice() {
            let what = text!("a second place for the password");
            problems.push(
                Problem {
                    what,
                    ..second.clone()
                }
                .hint(text!("keep one of them")),
            );
        }
        let source = if let Some(command) = &self.password_command {
            SecretSource::Command(command.get_ref().clone())
        } else if let Some(variable) = &self.password_env {
            SecretSource::Env(variable.get_ref().clone())
        } else if let Some(path) = &self.password_file {
            SecretSource::File(root.join(path.get_ref()))
        } else if keyring.is_some() {
            SecretSource::Keyring(format!("{name} ({host})"))
        } else if let Some(command) = &self.token_command {
            return Login::Token(SecretSource::Command(command.get_ref().clone()));
        } else {
            if let Some(username) = self
                .username
                .as_ref()
                .filter(|_| self.transport == Transport::Smtp)
            {
                problems.push(missing_secret(file, username));
            }
            return Login::None;
        };
        if let (true, Some(at)) = (name.is_empty(), given.first()) {
            let what = text!("a password without a `username`");
            problems.push(Problem { what, ..at.clone() });
        }
        Login::Password(source)
    }
}

fn missing_secret<T>(file: &File<'_, T>, username: &Spanned<String>) -> Problem {
    file.problem(
        username,
        text!("a `username` without a place for its password"),
    )
    .hint(text!(
        "add `password_command`, `password_env`, `password_file` or `password_keyring`; never the password itself"
    ))
}
