//! The program in a process of its own.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde::de::DeserializeOwned;
use tempfile::NamedTempFile;

use super::{DEADLINE, wait_for};

/// Where the program under test lies.
pub(crate) const MAILSHOT: &str = env!("CARGO_BIN_EXE_mailshot");

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Ends the test with all that was said unless the exit code is this one.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "\n-- stdout\n{}\n-- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// All that was said: data, then talk.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Ends the test unless all these words were said.
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.text().contains(word), "`{word}` is not in\n{}", self.text());
        }
        self
    }

    /// The lines of stdout as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Vec<T> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// A program that runs. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: NamedTempFile,
    stderr: NamedTempFile,
    shown: String,
}

impl Running {
    /// Starts a command. Its output goes to files, so that it never waits for a reader.
    pub(crate) fn start(command: &mut Command) -> Self {
        let (stdout, stderr) = (NamedTempFile::new().unwrap(), NamedTempFile::new().unwrap());
        command
            .stdin(Stdio::null())
            .stdout(stdout.reopen().unwrap())
            .stderr(stderr.reopen().unwrap());
        let shown = format!("{command:?}");
        let child = command.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
        Self {
            child,
            stdout,
            stderr,
            shown,
        }
    }

    /// What it has printed so far.
    pub(crate) fn stdout(&self) -> String {
        read(self.stdout.path())
    }

    /// What it has said so far.
    pub(crate) fn stderr(&self) -> String {
        read(self.stderr.path())
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// What ctrl-c does.
    pub(crate) fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it ends.
    pub(crate) fn wait(mut self) -> Ended {
        let began = Instant::now();
        let status: ExitStatus = wait_for(&format!("the end of {}", self.shown), || {
            assert!(
                began.elapsed() < DEADLINE,
                "{}\n{}{}",
                self.shown,
                self.stdout(),
                self.stderr()
            );
            self.child.try_wait().unwrap()
        });
        Ended {
            code: status.code(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended long ago.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn read(path: &Path) -> String {
    let mut text = Vec::new();
    File::open(path).unwrap().read_to_end(&mut text).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

/// Words put before the program, to run it in other surroundings.
#[derive(Clone, Debug)]
pub(crate) struct Wrapped(pub(crate) Vec<String>);

impl Wrapped {
    /// The program with nothing around it.
    pub(crate) fn plain() -> Self {
        Self(vec![MAILSHOT.to_owned()])
    }

    /// The program in a folder, with surroundings that do not depend on the machine.
    pub(crate) fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let words: Vec<PathBuf> = self.0.iter().map(PathBuf::from).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(arguments).current_dir(folder);
        command
            .env("NO_COLOR", "1")
            .env("TZ", "UTC")
            .env("COLUMNS", "100")
            .env("LC_ALL", "C")
            .env_remove("LANGUAGE")
            .env_remove("MAILSHOT_PASSWORD");
        command
    }
}
