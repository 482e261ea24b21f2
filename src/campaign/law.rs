//! The rules of laws that `check` knows. Sources: China's 互联网电子邮件服务管理办法 (2006), article 13.

use toml::Spanned;

use super::file::File;
use super::problem::Problems;

/// The laws whose rules are known.
const LAWS: [&str; 4] = ["us", "eu", "cn", "ca"];

/// Checks what can be told from the campaign's file.
pub(super) fn check<T>(
    laws: &[Spanned<String>],
    subject: &Spanned<String>,
    file: &File<'_, T>,
    problems: &mut Problems,
) {
    for law in laws {
        if !LAWS.contains(&law.get_ref().as_str()) {
            let problem = file.problem(law, format!("unknown law `{}`", law.get_ref()));
            problems.push(problem.hint(format!("known: {}", LAWS.join(", "))));
        }
        let marks = [
            "广告",
            "AD",
            "[广告]",
            "【广告】",
            "(AD)",
            "[AD]",
            "(广告)",
            "（广告）",
        ];
        let text = subject.get_ref().trim_start();
        if law.get_ref() == "cn" && !marks.iter().any(|mark| text.starts_with(mark)) {
            problems.push(
                file.problem(subject, "under the law of China an advertisement says so first")
                    .hint("begin the subject with `广告` or `AD`, or take \"cn\" out of `laws`"),
            );
        }
    }
}
