//! `mailshot init`: a workspace with a campaign to try. Nothing that exists is overwritten.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use super::exit::{Coded, Exit};
use super::printer::{Form, Printer};
use super::texts;
use crate::campaign::{Workspace, workspace};
use crate::text;
use crate::words::Lang;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::INIT)]
pub(super) struct Args {
    /// The folder; made if it is not there
    #[arg(default_value = ".")]
    folder: PathBuf,
}

/// The example workspace: the same files that stand in mailshot's own repository.
const FILES: [(&str, &str); 9] = [
    (workspace::FILE, include_str!("../../../mailshot.toml")),
    (
        "campaigns/hello.toml",
        include_str!("../../../campaigns/hello.toml"),
    ),
    (
        "campaigns/hello.csv",
        include_str!("../../../campaigns/hello.csv"),
    ),
    (
        "templates/hello/body.html.hbs",
        include_str!("../../../templates/hello/body.html.hbs"),
    ),
    (
        "templates/hello/body.txt.hbs",
        include_str!("../../../templates/hello/body.txt.hbs"),
    ),
    (
        "templates/footer/en.html.hbs",
        include_str!("../../../templates/footer/en.html.hbs"),
    ),
    (
        "templates/footer/en.txt.hbs",
        include_str!("../../../templates/footer/en.txt.hbs"),
    ),
    (
        "templates/footer/zh.html.hbs",
        include_str!("../../../templates/footer/zh.html.hbs"),
    ),
    (
        "templates/footer/zh.txt.hbs",
        include_str!("../../../templates/footer/zh.txt.hbs"),
    ),
];

/// The same with comments in Chinese, of the files that have comments.
const ZH: [(&str, &str); 2] = [
    (workspace::FILE, include_str!("zh/mailshot.toml")),
    ("campaigns/hello.toml", include_str!("zh/hello.toml")),
];

/// The text of a file, with comments in this language.
fn in_lang(name: &str, english: &'static str, lang: Lang) -> &'static str {
    let chinese = ZH.iter().find(|(known, _)| *known == name && lang == Lang::Zh);
    chinese.map_or(english, |(_, text)| text)
}

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
        write(&root.join(name), in_lang(name, text, printer.lang))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_with_chinese_comments_say_the_same_to_the_program() {
        for (name, chinese) in ZH {
            let (_, english) = FILES.iter().find(|(known, _)| *known == name).unwrap();
            let parsed = |text: &str| text.parse::<toml::Table>().unwrap();
            assert_eq!(parsed(chinese), parsed(english), "{name}");
            let comments = |text: &str| text.matches("# ").count();
            assert_eq!(comments(chinese), comments(english), "{name}");
        }
    }
}
