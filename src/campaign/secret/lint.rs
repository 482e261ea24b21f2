//! What looks wrong with a password, said without showing any of it.

use serde::Serialize;
use zxcvbn::{Score, zxcvbn};

use crate::campaign::Account;
use crate::mail::repair::is_invisible;
use crate::text;
use crate::words::Text;

/// Something that looks wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// Nothing is there.
    Empty,
    /// Spaces or tabs around it: they were copied along.
    SpaceAround,
    /// Spaces inside.
    SpaceInside,
    /// More lines than one; only the first is used.
    MoreLines,
    /// A character that nobody sees, or a control character.
    Invisible,
    /// A character outside ASCII, such as a full-width one.
    NotAscii,
    /// Another length than all passwords of this kind have.
    Length(u16),
    /// It would be guessed soon.
    Weak,
}

impl Flaw {
    /// Would a login with it hardly ever work?
    pub fn is_fatal(self) -> bool {
        matches!(self, Self::Empty | Self::SpaceAround | Self::Invisible)
    }

    /// What a secret has that no server takes.
    pub(super) fn fatal(secret: &str) -> Option<Self> {
        if secret.trim().is_empty() {
            Some(Self::Empty)
        } else if secret != secret.trim() {
            Some(Self::SpaceAround)
        } else {
            secret.contains(is_unseen).then_some(Self::Invisible)
        }
    }

    /// The flaw in words.
    pub fn said(self) -> Text {
        match self {
            Self::Empty => text!("it is empty"),
            Self::SpaceAround => text!("there is a space before or behind it: was it copied along?"),
            Self::SpaceInside => {
                text!("there are spaces in it: codes that are shown in groups are written without")
            }
            Self::MoreLines => text!("there is more than one line: only the first is used"),
            Self::Invisible => text!("there is a character in it that nobody sees: type it, or copy it anew"),
            Self::NotAscii => text!("there is a character outside ASCII in it, such as a full-width one"),
            Self::Length(usual) => text!(
                "client passwords and codes of this provider have {usual} characters, this one has not: is it the login password?",
                usual
            ),
            Self::Weak => {
                text!("it is weak: it would be guessed soon, and some providers lower the limits for that")
            }
        }
    }
}

/// What looks wrong with what stands where the password of this account is kept.
pub fn flaws(whole: &str, account: &Account) -> Vec<Flaw> {
    let first = whole.lines().next().unwrap_or_default();
    let secret = first.trim();
    if secret.is_empty() {
        return vec![Flaw::Empty];
    }
    let has_more = whole.lines().skip(1).any(|line| !line.trim().is_empty());
    let is_odd = |c: char| !c.is_ascii() && !is_unseen(c) && !c.is_whitespace();
    let length = account.password_length.filter(|usual| {
        let count = secret.chars().filter(|c| !c.is_whitespace()).count();
        count != usize::from(*usual)
    });
    let found = [
        (first != secret).then_some(Flaw::SpaceAround),
        secret.contains(char::is_whitespace).then_some(Flaw::SpaceInside),
        has_more.then_some(Flaw::MoreLines),
        secret.contains(is_unseen).then_some(Flaw::Invisible),
        secret.contains(is_odd).then_some(Flaw::NotAscii),
        length.map(Flaw::Length),
        is_weak(secret, account).then_some(Flaw::Weak),
    ];
    found.into_iter().flatten().collect()
}

fn is_unseen(c: char) -> bool {
    is_invisible(c) || c.is_control()
}

/// Would it be guessed in short time by somebody who knows the account?
fn is_weak(secret: &str, account: &Account) -> bool {
    let parts = account.username.split(['@', '.']).filter(|part| part.len() > 2);
    let known: Vec<&str> = parts.chain([account.username.as_str(), "mailshot"]).collect();
    zxcvbn(secret, &known).score() < Score::Three
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Workspace;

    fn account(provider: &str) -> Account {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[sender]\nfrom = \"service@aurora-home.example\"\npostal_address = \"x\"\n[unsubscribe]\n\
             mailto = \"u@aurora-home.example\"\n[account.main]\nprovider = \"{provider}\"\n\
             username = \"service@aurora-home.example\"\npassword_env = \"P\"\n"
        );
        std::fs::write(folder.path().join("mailshot.toml"), text).unwrap();
        let workspace = Workspace::load(folder.path()).unwrap();
        workspace.accounts["main"].clone()
    }

    #[test]
    fn what_looks_wrong_is_found() {
        let (alimail, sendgrid) = (account("alimail"), account("sendgrid"));
        for (whole, expected) in [
            ("A1b2@c3d4#e5f6xy", vec![]),
            ("A1b2@c3d4#e5f6xy\n", vec![]),
            ("A1b2@c3d4#e5f6xy\r\n", vec![]),
            ("", vec![Flaw::Empty]),
            (" \n", vec![Flaw::Empty]),
            ("A1b2@c3d4#e5f6xy \n", vec![Flaw::SpaceAround]),
            ("A1b2@c3d4#e5f6xy\nold one\n", vec![Flaw::MoreLines]),
            ("A1b2 @c3d 4#e5 f6xy", vec![Flaw::SpaceInside]),
            ("A1b2@c3d4#e5f6x\u{200b}", vec![Flaw::Invisible]),
            ("A1b2＠c3d4#e5f6xy", vec![Flaw::NotAscii]),
            ("A1b2@c3d4#e5f6", vec![Flaw::Length(16)]),
            ("password12345678", vec![Flaw::Weak]),
            ("service@aurora-home.example", vec![Flaw::Length(16), Flaw::Weak]),
        ] {
            assert_eq!(flaws(whole, &alimail), expected, "{whole:?}");
        }
        assert_eq!(flaws("SG.abcDEF123-xyz_987.qwe", &sendgrid), []);
    }
}
