//! Is the sender one that the provider lets this account use, and one that people should see on a campaign?

use toml::Spanned;

use super::file::File;
use super::provider::Preset;
use super::{Account, Problem, Problems, account};
use crate::mail::Mailbox;
use crate::text;

/// Mailboxes of administrators: what goes wrong with a campaign would hit them, and filters know them.
const OF_ADMINISTRATORS: [&str; 7] = [
    "postmaster",
    "admin",
    "administrator",
    "hostmaster",
    "webmaster",
    "abuse",
    "root",
];

/// Refuses a From that the provider would refuse for every single mail; warns of one that works, and should not be used
/// for many. `at` is where the sender is written.
pub(super) fn check(
    from: &Mailbox,
    account: &Account,
    at: Option<Problem>,
    problems: &mut Problems,
) -> Vec<Problem> {
    let mut warnings = account.warnings.clone();
    account::check_alignment(from, account, problems);
    let Some(at) = at else { return warnings };
    if !account.may_send_as(&from.address) {
        let provider = account.provider.as_deref().unwrap_or("its provider");
        let [address, login, name] = [from.address.as_str(), &account.username, &account.name];
        let what = text!(
            "From is {address}, but account `{name}` logs in as {login}: {provider} refuses any other sender",
            address,
            name,
            login,
            provider
        );
        let hint = text!(
            "write `{login}` as From; or, where the provider allows the other one, `aliases = [\"{address}\"]` in [account.{name}]",
            login,
            address,
            name
        );
        problems.push(Problem { what, ..at.clone() }.hint(hint));
    }
    let local = from.address.local().to_ascii_lowercase();
    if OF_ADMINISTRATORS.contains(&local.as_str()) {
        let what = text!(
            "a campaign from {local}@: this mailbox is for running the domain",
            local
        );
        let hint = text!(
            "a lock-out or complaints would hit it, and filters distrust it; make a mailbox such as news@ for campaigns"
        );
        warnings.push(Problem { what, ..at }.hint(hint));
    }
    warnings
}

/// What is hardly meant in an account: the server of one product of Alibaba's with a mailbox of another; a stream for a
/// provider that has none.
pub(super) fn doubts<T>(
    [username, stream]: [&Option<Spanned<String>>; 2],
    host: &str,
    preset: Option<&Preset>,
    file: &File<'_, T>,
) -> Vec<Problem> {
    let username = username.as_ref().filter(|username| {
        let is_personal = username.get_ref().to_ascii_lowercase().ends_with("@aliyun.com");
        is_personal && (host.ends_with(".mxhichina.com") || host.ends_with(".qiye.aliyun.com"))
    });
    let personal = username.map(|username| {
        let what = text!(
            "a private mailbox, and `{host}` is the server of companies' mailboxes",
            host
        );
        let hint = text!("mailboxes of @aliyun.com use `provider = \"aliyun-personal\"` (smtp.aliyun.com)");
        file.problem(username, what).hint(hint)
    });
    let rules = preset.and_then(|preset| preset.values.headers.as_ref());
    let has_streams = rules.is_some_and(|rules| rules.stream.is_some());
    let stream = stream.as_ref().filter(|_| !has_streams).map(|stream| {
        let problem = file.problem(
            stream,
            text!("this provider has no streams: it is written nowhere"),
        );
        problem.hint(text!("`mailshot providers` says which headers a provider reads"))
    });
    personal.into_iter().chain(stream).collect()
}
