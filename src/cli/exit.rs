//! Exit codes: a contract with cron and scripts. The numbers are those of sysexits.h, as msmtp and sendmail use them.

use std::fmt;
use std::process::ExitCode;

use crate::campaign::{Problems, workspace};
use crate::ledger::Broken;
use crate::words::{Say, Text};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    /// Done.
    Ok = 0,
    /// The command line is wrong, or a question could not be asked.
    Usage = 64,
    /// The user's files are wrong.
    Data = 65,
    /// The provider cannot be reached.
    Unavailable = 69,
    /// A bug of ours.
    Software = 70,
    /// A file cannot be read or written.
    Io = 74,
    /// Not finished: run it again.
    TempFail = 75,
    /// Finished, but some deliveries failed or are in doubt.
    Partial = 76,
    /// The login or the sender was refused.
    NoPerm = 77,
    /// mailshot.toml is wrong, or a secret is missing.
    Config = 78,
    /// Interrupted from the keyboard.
    Interrupted = 130,
}

/// All codes with their meaning, for `--help`.
pub(super) const HELP: &str = "\
Exit codes:
  0   done                       74  cannot read or write a file
  64  wrong usage                75  not finished: run it again
  65  your files are wrong       76  finished, but some failed or are in doubt
  69  provider unreachable       77  login or sender refused
  70  a bug in mailshot          78  configuration
  130 interrupted";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that says which code to end with.
#[derive(Debug)]
pub(super) struct Coded {
    /// The code.
    pub(super) exit: Exit,
    /// What happened.
    pub(super) what: Text,
    /// What to do, where one can tell.
    pub(super) hint: Option<Text>,
}

impl Coded {
    pub(super) fn new(exit: Exit, what: impl Say) -> Self {
        Self {
            exit,
            what: what.said(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Say) -> Self {
        self.hint = Some(hint.said());
        self
    }
}

impl fmt::Display for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}

impl std::error::Error for Coded {}

/// The code that an error ends the program with.
pub(super) fn code(error: &anyhow::Error) -> Exit {
    if let Some(coded) = error.downcast_ref::<Coded>() {
        return coded.exit;
    }
    if let Some(problems) = error.downcast_ref::<Problems>() {
        let is_config = |file: &std::path::Path| file.file_name().is_some_and(|name| name == workspace::FILE);
        let all_config = problems.kept.iter().all(|problem| is_config(&problem.file));
        return if all_config { Exit::Config } else { Exit::Data };
    }
    let is_io = error
        .chain()
        .any(|cause| cause.is::<std::io::Error>() || cause.is::<Broken>());
    if is_io { Exit::Io } else { Exit::Software }
}
