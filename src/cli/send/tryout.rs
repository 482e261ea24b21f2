//! `send --sandbox`: the whole campaign to a server inside this program, with a ledger of its own, so that a try-out
//! never marks real people as sent.

use anyhow::Context as _;

use super::super::counted;
use super::super::exit::Exit;
use super::super::printer::Form;
use super::super::runtime;
use super::Job;
use crate::campaign::quota::Quota;
use crate::campaign::{Login, Tls, Transport};
use crate::depot::Access;
use crate::sandbox::{Config, Store, start};
use crate::text;

pub(super) fn run(mut job: Job<'_>) -> anyhow::Result<Exit> {
    let stamp = jiff::Timestamp::from_millisecond(job.clock.now_ms())?
        .strftime("%Y%m%d-%H%M%S-%3f")
        .to_string();
    let folder = job.workspace.ledger.with_file_name("sandbox").join(stamp);
    let mails = folder.join("mails");
    std::fs::create_dir_all(&mails).with_context(|| format!("make the folder {}", mails.display()))?;
    job.workspace.ledger = folder.join("ledger.db");
    // Nothing leaves this machine.
    job.access = Access::None;
    runtime()?.block_on(async {
        let server = start(Config {
            store: Store::Folder(mails.clone()),
            ..Config::default()
        })
        .await?;
        let account = &mut job.campaign.account;
        account.transport = Transport::Smtp;
        account.host = server.addr().ip().to_string();
        account.port = server.addr().port();
        account.tls = Tls::None;
        account.login = Login::None;
        // A try-out is for looking at the mails: the account's pace would only make it slow.
        account.quota = Quota::default();
        account.similar = None;
        account.other_ports.clear();
        job.workspace
            .accounts
            .insert(account.name.clone(), account.clone());
        let sent = Box::pin(job.send()).await?;
        server.shutdown().await;
        if job.printer.form == Form::Text {
            job.printer.data(text!("\nthis was a try-out: {mails} in {folder}\nnothing left this machine, and nobody counts as sent", mails = counted::mails(sent.mails), folder = mails.display()));
        }
        Ok(sent.exit)
    })
}
