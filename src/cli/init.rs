//! `mailshot init`: a workspace with a campaign to try. Nothing that exists is overwritten.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use super::exit::{Coded, Exit};
use super::printer::{Form, Printer};
use super::texts;
use crate::campaign::{Workspace, workspace};
use crate::text;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::INIT)]
pub(super) struct Args {
    /// The folder; made if it is not there
    #[arg(default_value = ".")]
    folder: PathBuf,
}

/// The example workspace: the same files that stand in mailshot's own repository.
const FILES: [(&str, &str); 9] = [
    (workspace::FILE, include_str!("../../mailshot.toml")),
    ("campaigns/hello.toml", include_str!("../../campaigns/hello.toml")),
    ("campaigns/hello.csv", include_str!("../../campaigns/hello.csv")),
    (
        "templates/hello/body.html.hbs",
        include_str!("../../templates/hello/body.html.hbs"),
    ),
    (
        "templates/hello/body.txt.hbs",
        include_str!("../../templates/hello/body.txt.hbs"),
    ),
    (
        "templates/footer/en.html.hbs",
        include_str!("../../templates/footer/en.html.hbs"),
    ),
    (
        "templates/footer/en.txt.hbs",
        include_str!("../../templates/footer/en.txt.hbs"),
    ),
    (
        "templates/footer/zh.html.hbs",
        include_str!("../../templates/footer/zh.html.hbs"),
    ),
    (
        "templates/footer/zh.txt.hbs",
        include_str!("../../templates/footer/zh.txt.hbs"),
    ),
];

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let root = &args.folder;
    if let Some((name, _)) = FILES.iter().find(|(name, _)| root.join(name).exists()) {
        let what = text!(
            "{name} is already there; nothing was made",
            name = root.join(name).display()
        );
        return Err(Coded::new(Exit::Usage, what)
            .hint(text!("name another folder: `mailshot init FOLDER`"))
            .into());
    }
    for (name, text) in FILES {
        write(&root.join(name), text)?;
    }
    ignore_private_files(root)?;
    Workspace::load(root)?.unsubscribe.key()?;
    match printer.form {
        Form::Json => {
            let files: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
            printer.json(&json!({ "workspace": root, "files": files }));
        }
        Form::Text => next_steps(root, printer),
    }
    Ok(Exit::Ok)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("write {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    std::fs::write(path, text).with_context(failed)
}

/// The ledger and the key must not end up in a repository.
fn ignore_private_files(root: &Path) -> anyhow::Result<()> {
    let path = root.join(".gitignore");
    if path.exists() {
        return Ok(());
    }
    write(&path, ".mailshot/\nrejected-*.csv\nwithheld-*.csv\n")
}

fn next_steps(root: &Path, printer: Printer) {
    printer.data(text!("made a workspace in {root}", root = root.display()));
    for (name, _) in FILES {
        printer.data(text!("  {name}", name));
    }
    printer.say(text!("\nnext:"));
    if root != Path::new(".") {
        printer.say(text!("  cd {root}", root = root.display()));
    }
    printer.say(text!(
        "  mailshot send campaigns/hello.toml --sandbox   try it: nothing leaves this machine"
    ));
    printer.say(text!(
        "  edit mailshot.toml                             your sender, account and postal address"
    ));
}
