//! `--send-to`: one real mail through the account, with the whole dialogue and what each refusal in it means.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use serde_json::json;

use super::Args;
use crate::campaign::Workspace;
use crate::cli::exit::{Coded, Exit};
use crate::cli::load;
use crate::cli::lockout::Again;
use crate::cli::printer::{Form, Printer};
use crate::cli::send::try_out;
use crate::deliver::trace::{Dialogue, Line, Trace};
use crate::mail::{Address, Reply, Stage};
use crate::replies::{Circumstances, Meaning, Rules};
use crate::text;
use crate::words::Both;

/// The name of the campaign that is only for trying.
pub(in crate::cli) const NAME: &str = "doctor";

pub(super) fn run(args: &Args, address: &str, printer: Printer) -> anyhow::Result<Exit> {
    let to = Address::parse(address)
        .map_err(|fault| Coded::new(Exit::Usage, text!("`{address}`: {fault}", address, fault)))?;
    let workspace = load::workspace(args.target.as_deref())?;
    let campaign = match &args.target {
        Some(campaign) => load::campaign_file(campaign, &workspace)?,
        None => own_campaign(&workspace, to.as_str())?,
    };
    let again = Again::from_flag(args.login_again);
    let is_accepted = Arc::new(AtomicBool::new(false));
    let shown = Shown {
        dialogue: Dialogue::default(),
        rest: Vec::new(),
        rules: Rules::with(&workspace.rules),
        providers: providers(&workspace, &campaign, printer),
        destination: to.domain().to_owned(),
        is_accepted: Arc::clone(&is_accepted),
        refused_at: None,
        printer,
    };
    let campaign = campaign.display().to_string();
    let exit = try_out(&campaign, to.as_str(), again, Trace::new(shown), printer)?;
    if is_accepted.load(Ordering::Relaxed) {
        printer.say(text!(
            "accepted; now save what arrives at {address} with all its headers, and run `mailshot verify FILE.eml`",
            address = to.as_str()
        ));
    } else if exit == Exit::Ok {
        let what = text!("nothing was sent to {address}: see above", address = to.as_str());
        let hint = text!(
            "`mailshot suppress list` shows who is never mailed; `suppress remove` takes an address out"
        );
        return Err(Coded::new(Exit::Partial, what).hint(hint).into());
    }
    Ok(exit)
}

/// The dialogue as it goes on, shown line by line.
struct Shown {
    dialogue: Dialogue,
    /// The beginning of a line.
    rest: Vec<u8>,
    rules: Arc<Rules>,
    providers: Vec<String>,
    destination: String,
    is_accepted: Arc<AtomicBool>,
    /// Where this mail was refused first: what is refused after that only follows from it.
    refused_at: Option<Stage>,
    printer: Printer,
}

impl Write for Shown {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.rest.extend_from_slice(octets);
        while let Some(end) = self.rest.iter().position(|octet| *octet == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            if let Some(line) = self.dialogue.read(&String::from_utf8_lossy(&line)) {
                self.show(&line);
            }
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Under which names rules know the provider that is tried.
fn providers(workspace: &Workspace, campaign: &Path, printer: Printer) -> Vec<String> {
    let loaded = load::campaign(&campaign.display().to_string(), None, printer).ok();
    let only = || workspace.accounts.values().next().cloned();
    let account = loaded.map(|(_, campaign)| campaign.account).or_else(only);
    account
        .map(|account| account.family.into_iter().chain(account.provider).collect())
        .unwrap_or_default()
}

/// Where the campaign is that is only for trying.
pub(in crate::cli) fn own_file(workspace: &Workspace) -> PathBuf {
    workspace
        .ledger
        .with_file_name("test")
        .join(format!("{NAME}.toml"))
}

/// A campaign that says no more than that it is a test; written anew each time.
fn own_campaign(workspace: &Workspace, address: &str) -> anyhow::Result<PathBuf> {
    let file = own_file(workspace);
    let folder = file.parent().unwrap_or(&workspace.root).to_owned();
    let folder = std::path::absolute(&folder).with_context(|| format!("find {}", folder.display()))?;
    let path = |name: &str| folder.join(name).display().to_string();
    let settings = format!(
        "subject = \"mailshot test 测试邮件\"\nrecipients = {:?}\nhtml = {:?}\ntext = {:?}\n",
        path("doctor-list.csv"),
        path("doctor.html.hbs"),
        path("doctor.txt.hbs")
    );
    std::fs::create_dir_all(&folder).with_context(|| format!("make the folder {}", folder.display()))?;
    for (name, content) in [
        ("doctor.toml", settings.as_str()),
        ("doctor-list.csv", &format!("email\n{address}\n")),
        (
            "doctor.html.hbs",
            "<p>This is a test mail of mailshot. 这是 mailshot 的测试邮件。</p>\n{{{footer}}}\n",
        ),
        (
            "doctor.txt.hbs",
            "This is a test mail of mailshot. 这是 mailshot 的测试邮件。\n\n{{{footer}}}\n",
        ),
    ] {
        std::fs::write(folder.join(name), content).with_context(|| format!("write {}", path(name)))?;
    }
    Ok(file)
}

impl Shown {
    /// Shows a line, and what it means when it is a refusal.
    fn show(&mut self, line: &Line) {
        if let Some((Stage::EndOfData, reply)) = &line.reply {
            self.is_accepted.fetch_or(reply.is_positive(), Ordering::Relaxed);
        }
        let refusal = line.reply.as_ref().filter(|(_, reply)| reply.code >= 400);
        if let Some((Stage::Mail, _)) = &line.reply {
            self.refused_at = None;
        }
        let before = self.refused_at;
        if let Some((stage @ (Stage::Mail | Stage::Rcpt), _)) = refusal {
            self.refused_at = before.or(Some(*stage));
        }
        let refusal = refusal.filter(|(stage, _)| before.is_none_or(|before| *stage <= before));
        let meaning = refusal.map(|(stage, reply)| (stage, self.meaning(*stage, reply)));
        match self.printer.form {
            Form::Json => self.as_json(line, meaning.as_ref()),
            Form::Text => {
                let arrow = if line.is_ours { "->" } else { "<-" };
                self.printer
                    .data(text!("{arrow} {line}", arrow, line = &line.text));
                if let Some((stage, found)) = meaning {
                    self.explain(*stage, &found);
                }
            }
        }
    }

    fn explain(&self, stage: Stage, found: &Meaning<'_>) {
        let class = found.verdict.class.name();
        for line in [
            text!("   class:  {class}, at {stage}", class, stage = stage.to_string()),
            text!("   means:  {meaning}", meaning = found.meaning),
            text!("   to do:  {advice}", advice = found.advice),
        ] {
            self.printer.data(line);
        }
    }

    fn as_json(&self, line: &Line, meaning: Option<&(&Stage, Meaning<'_>)>) {
        let said = |both: &Both| both.in_lang(self.printer.lang).to_owned();
        self.printer.json(&json!({
            "type": "Dialogue",
            "connection": line.connection,
            "by": if line.is_ours { "client" } else { "server" },
            "text": line.text,
            "stage": meaning.map(|(stage, _)| stage),
            "class": meaning.map(|(_, found)| found.verdict.class),
            "meaning": meaning.map(|(_, found)| said(found.meaning)),
            "advice": meaning.map(|(_, found)| said(found.advice)),
        }));
    }

    fn meaning(&self, stage: Stage, reply: &Reply) -> Meaning<'_> {
        let circumstances = Circumstances {
            stage: Some(stage),
            provider: &self.providers,
            destination: Some(&self.destination),
        };
        self.rules.meaning(reply, circumstances)
    }
}
