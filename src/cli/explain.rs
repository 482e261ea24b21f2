//! `mailshot explain`: what a server's reply means, and what to do about it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

use serde_json::json;

use super::exit::{Coded, Exit};
use super::printer::{Form, Printer};
use super::texts;
use crate::campaign::{Workspace, provider};
use crate::mail::reply::decoded;
use crate::mail::{Address, Class, Reply, Stage};
use crate::replies::{Circumstances, Meaning, Rules, pasted};
use crate::text;
use crate::words::{Both, Lang, Text};

#[derive(Debug, clap::Args)]
#[command(after_help = texts::EXPLAIN)]
pub(super) struct Args {
    /// What the server said, with its code; also as a log or a bounce has it
    reply: OsString,
    /// How far it had come: connect, ehlo, auth, mail, rcpt, data, dot; dsn for a report that came later
    #[arg(long, value_name = "STAGE")]
    stage: Option<String>,
    /// Whose server it is: a provider such as alimail, or a family such as tencent
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// To whom the mail was: an address, or a domain
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let (reply, told) = pasted(&decoded(args.reply.as_bytes()));
    refuse_what_is_none(&reply)?;
    let stage = match args.stage.as_deref() {
        // What a report says was refused at some stage; which, its text says or nobody knows.
        None | Some("dsn") => told,
        Some(name) => Some(
            name.parse()
                .map_err(|what: Text| Coded::new(Exit::Usage, what).hint(text!("or leave `--stage` away")))?,
        ),
    };
    let rules = rules(printer);
    let provider = args.provider.as_deref().map(str::to_lowercase);
    let provider = provider.as_deref();
    let names = provider.map(names).unwrap_or_default();
    if let Some(name) = provider.filter(|_| !is_known(&names, &rules)) {
        printer.warn(text!(
            "warning: nothing is known of a provider `{name}`; it is explained as anybody's reply",
            name
        ));
    }
    let to = args.to.as_deref().map(|to| domain(to, &rules)).transpose()?;
    let destination = to.as_deref().or(provider);
    let circumstances = Circumstances {
        stage,
        provider: &names,
        destination,
    };
    let meaning = rules.meaning(&reply, circumstances);
    let hint = provider
        .filter(|_| meaning.verdict.class == Class::AuthFailed)
        .and_then(|name| provider::preset(name)?.values.password_hint);
    match printer.form {
        Form::Json => printer.json(&as_json(&reply, stage, &meaning, printer.lang)),
        Form::Text => show(&reply, &meaning, hint.as_ref(), printer),
    }
    let is_strange = reply.code == 0 && meaning.rule.is_none();
    Ok(if is_strange { Exit::Data } else { Exit::Ok })
}

/// Not everything that servers say is a verdict.
fn refuse_what_is_none(reply: &Reply) -> anyhow::Result<()> {
    if reply.code == 0 && reply.text.is_empty() {
        return Err(Coded::new(
            Exit::Usage,
            text!("there is nothing to explain: the reply is empty"),
        )
        .into());
    }
    if reply.is_intermediate() {
        let what = text!(
            "{code} is no verdict: the server asks for the rest",
            code = u64::from(reply.code)
        );
        let hint = text!("give the reply that came after it");
        return Err(Coded::new(Exit::Data, what).hint(hint).into());
    }
    Ok(())
}

/// Does a preset, a rule or a family have one of these names?
fn is_known(names: &[String], rules: &Rules) -> bool {
    names.iter().any(|name| {
        provider::preset(name).is_some() || rules.family_of(name).is_some() || rules.is_named(name)
    })
}

/// The domain of an address, or the domain or family itself, in lower case.
fn domain(to: &str, rules: &Rules) -> anyhow::Result<String> {
    let domain = to.rsplit('@').next().unwrap_or(to).to_lowercase();
    let is_domain = Address::parse(&format!("a@{domain}")).is_ok();
    let is_address = !to.contains('@') || Address::parse(to).is_ok();
    if is_address && (is_domain || rules.family_of(&domain).is_some()) {
        return Ok(domain);
    }
    let what = text!("`{to}` is neither an address nor a domain", to);
    let hint = text!("write it like `--to li@gmail.com` or `--to gmail.com`");
    Err(Coded::new(Exit::Usage, what).hint(hint).into())
}

/// Under which names rules know a provider: its own, and its family's. A family may be named itself.
fn names(provider: &str) -> Vec<String> {
    let preset = provider::preset(provider);
    let family = preset.map(|preset| preset.family().to_owned());
    [provider.to_owned()].into_iter().chain(family).collect()
}

/// The rules that hold here: those of the workspace, if this is one, before those that everybody has.
fn rules(printer: Printer) -> std::sync::Arc<Rules> {
    let Some(root) = Workspace::find(std::path::Path::new(".")) else {
        return Rules::built_in();
    };
    if let Ok(workspace) = Workspace::load(&root) {
        Rules::with(&workspace.rules)
    } else {
        let file = root.join(crate::campaign::workspace::FILE).display().to_string();
        printer.warn(text!(
            "warning: {file} cannot be used; its own rules are not asked",
            file
        ));
        Rules::built_in()
    }
}

fn as_json(reply: &Reply, stage: Option<Stage>, found: &Meaning<'_>, lang: Lang) -> serde_json::Value {
    let verdict = found.verdict;
    json!({
        "code": reply.code,
        "enhanced": reply.enhanced.map(|enhanced| enhanced.to_string()),
        "text": reply.text,
        "stage": stage,
        "class": verdict.class,
        "scope": verdict.scope,
        "retry": verdict.retry,
        "suppress": verdict.suppress,
        "meaning": found.meaning.in_lang(lang),
        "advice": found.advice.in_lang(lang),
        "advice_en": found.advice.en,
        "advice_zh": found.advice.zh,
        "pause_seconds": found.pause.iter().map(jiff::SignedDuration::as_secs).collect::<Vec<_>>(),
        "is_known": found.rule.is_some() || reply.is_positive(),
        "source": found.rule.map(|rule| rule.source.en.as_str()),
    })
}

fn show(reply: &Reply, found: &Meaning<'_>, hint: Option<&Both>, printer: Printer) {
    use crate::mail::{Retry, Scope};
    let whose = match found.verdict.scope {
        Scope::Recipient => text!("this recipient alone"),
        Scope::Message => text!("the mail itself; others will meet it too"),
        Scope::Destination => text!("everyone at the recipient's provider"),
        Scope::Server => text!("the server at the other end"),
        Scope::Ip => text!("the IP that the mail comes from"),
        Scope::SenderDomain => text!("the sender's domain"),
        Scope::Account => text!("the account; no mail is at fault"),
        Scope::Config => text!("the settings; no mail is at fault"),
        Scope::Link => text!("the connection"),
    };
    let retry = match found.verdict.retry {
        Retry::None => text!("there is nothing to try again"),
        Retry::Never => text!("not by itself"),
        Retry::Schedule => text!("yes, by the schedule"),
        Retry::Soft => text!("yes, a few times"),
        Retry::Backoff => text!("yes, after a pause, and slower"),
        Retry::NextWindow => text!("yes, when the quota begins anew"),
        Retry::Cooldown => text!("yes, when the lock-out is over"),
        Retry::NewConnection => text!("yes, at once, over another connection"),
        Retry::StopDestination => text!("yes, after some hours"),
    };
    let class = found.verdict.class.name();
    let said = match reply.code {
        0 => text!("{text} (without a code)", text = reply.text.as_str()),
        _ => Text::from(reply.to_string()),
    };
    let lines = [
        text!("reply:     {reply}", reply = said),
        text!("class:     {class}", class),
        text!("means:     {meaning}", meaning = found.meaning),
        text!("to do:     {advice}", advice = found.advice),
        text!("concerns:  {whose}", whose),
        text!("try again: {retry}", retry),
    ];
    for line in lines {
        printer.data(line);
    }
    if let Some(hint) = hint {
        printer.data(text!("password:  {hint}", hint));
    }
    if found.verdict.suppress {
        printer.data(text!("           the address is never mailed again"));
    }
    match found.rule {
        Some(rule) => printer.data(text!("known by:  {source}", source = rule.source)),
        None if reply.is_positive() => {}
        None if reply.code == 0 => printer.data(text!(
            "known by:  nobody: it has no code, and its words are not known; is it a server's reply?"
        )),
        None => printer.data(text!("known by:  nobody; its code says no more than this")),
    }
}
