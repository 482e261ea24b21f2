//! `mailshot list`: what is in a list file, and how it becomes a clean one.

mod convert;
mod inspect;

use std::path::PathBuf;

use super::exit::{Coded, Exit};
use super::printer::Printer;
use super::texts;
use crate::campaign::{ListSettings, list, plain};
use crate::text;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::LIST)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show what is in a list, and what is wrong with it
    #[command(after_help = texts::LIST_INSPECT)]
    Inspect {
        #[command(flatten)]
        file: ListFile,
        #[command(flatten)]
        flags: ListFlags,
    },
    /// Write it as CSV in UTF-8, with addresses repaired, duplicates left out and several addresses in a cell apart
    #[command(after_help = texts::LIST_FIX)]
    Fix {
        #[command(flatten)]
        file: ListFile,
        /// Where to; without it to the screen
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Write it as CSV in UTF-8, every cell as it is
    #[command(after_help = texts::LIST_CONVERT)]
    Convert {
        #[command(flatten)]
        file: ListFile,
        /// Where to; without it to the screen
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// A list file, and how to read it.
#[derive(Debug, clap::Args)]
pub(super) struct ListFile {
    /// The list: CSV in any encoding, .xlsx, .xls or .ods, or a web page with a table
    #[arg(value_name = "FILE")]
    pub(super) path: PathBuf,
    /// Its encoding, such as gb18030, big5 or windows-1252; found out without it
    #[arg(long, value_name = "NAME", value_parser = list::encoding)]
    encoding: Option<&'static encoding_rs::Encoding>,
    /// The sheet of a workbook
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// The column that holds the address
    #[arg(long, value_name = "HEADER")]
    email_column: Option<String>,
}

/// What is done about rows that are not mailed as they are.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct ListFlags {
    /// Repair addresses where it is clear what was meant, such as a full-width `＠` or gmial.com
    #[arg(long)]
    fix: bool,
    /// Mail people although the list says not to, such as `Accepts Email Marketing: no`
    #[arg(long)]
    ignore_consent: bool,
}

impl ListFlags {
    /// Adds what the command line says to what the campaign says.
    pub(super) fn apply(self, settings: &mut ListSettings) {
        settings.is_fixing |= self.fix;
        if self.ignore_consent {
            settings.consent = list::Consent::Ignored;
        }
    }
}

impl ListFile {
    pub(super) fn settings(&self) -> ListSettings {
        ListSettings {
            email_column: self.email_column.clone(),
            encoding: self.encoding,
            sheet: self.sheet.clone(),
            ..ListSettings::default()
        }
    }

    /// A file that is named on the command line and cannot be read is no list that is wrong.
    pub(super) fn check_readable(&self) -> anyhow::Result<()> {
        let fault = match std::fs::metadata(&self.path) {
            Ok(found) if found.is_dir() => text!("it is a folder"),
            Ok(_) => match std::fs::File::open(&self.path) {
                Ok(_) => return Ok(()),
                Err(error) => plain(&error),
            },
            Err(error) => plain(&error),
        };
        let what = text!(
            "{path} cannot be read: {fault}",
            path = self.path.display(),
            fault
        );
        Err(Coded::new(Exit::Io, what).into())
    }
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    match &args.action {
        Action::Inspect { file, flags } => inspect::run(file, *flags, printer),
        Action::Fix { file, output } => convert::fix(file, output.as_deref(), printer),
        Action::Convert { file, output } => convert::convert(file, output.as_deref(), printer),
    }
}
