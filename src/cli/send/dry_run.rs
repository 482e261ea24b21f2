//! `send --dry-run`: every mail as an `.eml` file. The ledger is not touched.

use anyhow::Context as _;
use serde_json::json;

use super::super::check::{self, Invalid};
use super::super::counted::mails;
use super::super::exit::Exit;
use super::super::load;
use super::super::printer::Form;
use super::Job;
use crate::campaign::Problems;
use crate::deliver::outbox::Folder;
use crate::mail::Volume;
use crate::source::Row;
use crate::text;

pub(super) fn run(job: &Job<'_>) -> anyhow::Result<Exit> {
    let (workspace, campaign) = (&job.workspace, &job.campaign);
    let (list, maker) = load::maker(workspace, campaign, load::uid(workspace, campaign)?)?;
    let found = check::all(
        workspace,
        &list,
        &maker,
        Invalid::from_flag(job.args.skip_invalid),
        job.printer,
    )?;
    if found.usable == 0 {
        return Err(check::nobody(&list, &found));
    }
    let path = workspace.ledger.with_file_name("dry-run").join(&campaign.name);
    let failed = || format!("write to {}", path.display());
    if path.exists() {
        std::fs::remove_dir_all(&path).with_context(failed)?;
    }
    let mut folder = Folder::create(&path).with_context(failed)?;
    let mut written = 0;
    for row in list.rows()? {
        if job.args.limit.is_some_and(|limit| written >= limit) {
            break;
        }
        if let Row::Usable(recipient) = row? {
            let now_ms = job.clock.now_ms();
            let mails = maker.mails(&recipient, now_ms).map_err(Problems::from)?.count;
            for volume in (1..=mails).map(Volume::new) {
                let mail = maker
                    .make_volume(&recipient, volume, now_ms)
                    .map_err(Problems::from)?;
                folder.write(&mail.message).with_context(failed)?;
                written += 1;
            }
        }
    }
    match job.printer.form {
        Form::Json => job
            .printer
            .json(&json!({ "campaign": campaign.name, "written": written, "dir": path })),
        Form::Text => {
            job.printer.data(text!(
                "{mails} written to {path}; nothing was sent",
                mails = mails(written),
                path = path.display()
            ));
        }
    }
    Ok(Exit::Ok)
}
