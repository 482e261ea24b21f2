//! The laws whose rules `check` holds a campaign to. Not legal advice.
//!
//! Sources: China's 《互联网电子邮件服务管理办法》 (2006), article 13; the EU's ePrivacy Directive, article 13, and GDPR,
//! articles 6 and 7; CAN-SPAM, 15 USC 7704; Canada's Anti-Spam Legislation, sections 6 and 10. That a postal address and
//! a way to leave stand in every mail is held to always.

use super::edition::RawEdition;
use super::file::File;
use super::problem::Problems;
use super::raw::RawCampaign;
use super::{Lang, Workspace};

use crate::text;

/// A law that a campaign is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// The United States.
    Us,
    /// The European Union.
    Eu,
    /// China.
    Cn,
    /// Canada.
    Ca,
}

/// How an advertisement says that it is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SubjectMark {
    /// The subject says it, or need not.
    #[default]
    Written,
    /// It is put before subjects that do not say it.
    Auto,
}

const NAMES: [(&str, Law); 4] = [("us", Law::Us), ("eu", Law::Eu), ("cn", Law::Cn), ("ca", Law::Ca)];
/// On what ground people are mailed whose consent does not stand on the list.
const BASES: [&str; 3] = ["consent", "soft-opt-in", "implied-consent"];
const MARKS: [&str; 2] = ["广告", "ad"];

/// Does a subject begin with `广告` or `AD`, in brackets or not?
pub fn is_marked(subject: &str) -> bool {
    let text = subject
        .trim_start_matches(|c: char| c.is_whitespace() || "[【(（〔<《".contains(c))
        .to_lowercase();
    MARKS.into_iter().any(|mark| {
        let rest = text.strip_prefix(mark);
        // `Advent` is no mark.
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    })
}

/// The mark of a subject, in its language: Chinese where it has Chinese characters, whatever the footer is in.
pub fn mark(subject: &str, lang: Lang) -> &'static str {
    let is_chinese = subject.chars().any(|c| matches!(c, '\u{4e00}'..='\u{9fff}'));
    match lang {
        Lang::En if !is_chinese => "AD: ",
        Lang::En | Lang::Zh => "【广告】",
    }
}

/// What a campaign's file says of laws.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Laws {
    /// Those that are held to.
    pub held_to: Vec<Law>,
    /// How advertisements say that they are such.
    pub subject_mark: SubjectMark,
    /// On what ground people are mailed whose consent does not stand on the list; kept on record.
    pub legal_basis: Option<String>,
}

impl Laws {
    /// Is this law held to?
    pub fn include(&self, law: Law) -> bool {
        self.held_to.contains(&law)
    }

    /// Must each row say that its person agreed?
    pub fn want_consent(&self) -> bool {
        self.include(Law::Eu) && self.legal_basis.is_none()
    }

    /// May people be mailed who only did business with the sender? In Canada that counts for two years.
    pub fn imply_consent(&self) -> bool {
        self.include(Law::Ca) && self.legal_basis.as_deref() != Some("consent")
    }

    /// The laws that are held to, as the campaign names them.
    pub fn said(&self) -> Option<String> {
        let names = NAMES
            .iter()
            .filter(|(_, law)| self.include(*law))
            .map(|(name, _)| *name);
        (!self.held_to.is_empty()).then(|| names.collect::<Vec<_>>().join(", "))
    }
}

impl RawCampaign {
    /// The laws that the campaign is held to, as far as its file can be.
    pub(super) fn laws(&self, file: &File<'_, Self>, workspace: &Workspace, problems: &mut Problems) -> Laws {
        let mut laws = Laws::default();
        for law in self.laws.iter().flatten() {
            if let Some((_, known)) = NAMES.iter().find(|(name, _)| name == law.get_ref()) {
                laws.held_to.push(*known);
            } else {
                let problem = file.problem(law, text!("unknown law `{law}`", law = law.get_ref()));
                problems.push(problem.hint(text!(
                    "known: {known}",
                    known = NAMES.map(|(name, _)| name).join(", ")
                )));
            }
        }
        match self
            .subject_mark
            .as_ref()
            .map(|mark| (mark, mark.get_ref().as_str()))
        {
            Some((_, "auto")) => laws.subject_mark = SubjectMark::Auto,
            None | Some((_, "written")) => {}
            Some((mark, other)) => {
                let what = text!(
                    "`subject_mark` is \"auto\" or \"written\", not \"{other}\"",
                    other
                );
                problems.push(file.problem(mark, what));
            }
        }
        if let Some(basis) = &self.legal_basis {
            if BASES.contains(&basis.get_ref().as_str()) {
                laws.legal_basis = Some(basis.get_ref().clone());
            } else {
                let problem = file.problem(
                    basis,
                    text!("unknown legal basis `{basis}`", basis = basis.get_ref()),
                );
                problems.push(problem.hint(text!("known: {known}", known = BASES.join(", "))));
            }
        }
        if laws.include(Law::Cn) {
            self.check_cn(&laws, file, workspace, problems);
        }
        laws
    }

    fn check_cn(&self, laws: &Laws, file: &File<'_, Self>, workspace: &Workspace, problems: &mut Problems) {
        let editions = self.variant.iter().chain(self.language.values());
        let subjects = std::iter::once(&self.subject).chain(editions.flat_map(RawEdition::subjects));
        for subject in subjects.filter(|subject| !is_marked(subject.get_ref())) {
            if laws.subject_mark == SubjectMark::Auto {
                break;
            }
            let what = text!("under the law of China an advertisement says so first");
            let hint = text!(
                "begin the subject with `广告` or `AD`, set `subject_mark = \"auto\"`, or take \"cn\" out of `laws`"
            );
            problems.push(file.problem(subject, what).hint(hint));
        }
        let cn = self.laws.iter().flatten().find(|law| law.get_ref() == "cn");
        if let Some(cn) = cn.filter(|_| workspace.unsubscribe.mailto.is_none()) {
            let what = text!("under the law of China people can refuse by writing to an address");
            problems.push(
                file.problem(cn, what)
                    .hint(text!("set `mailto` in [unsubscribe] of mailshot.toml")),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chinese_subject_has_a_chinese_mark() {
        assert_eq!(mark("Spring", Lang::En), "AD: ");
        assert_eq!(mark("春季新品", Lang::En), "【广告】");
        assert_eq!(mark("Spring", Lang::Zh), "【广告】");
    }

    #[test]
    fn marks_stand_first_and_are_whole_words() {
        for subject in [
            "广告 春装",
            "【广告】春装",
            "AD: spring",
            "[ad] spring",
            " (AD)spring",
            "（广告）春",
            "广告春装",
        ] {
            assert!(is_marked(subject), "{subject}");
        }
        for subject in ["Advent calendar", "春装 广告", "Spring AD", ""] {
            assert!(!is_marked(subject), "{subject}");
        }
    }
}
