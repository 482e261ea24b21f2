//! A secret from a command: what it prints, if it ends in time.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::campaign::retry::Span;
use crate::text;
use crate::words::ended;

/// How long a command may take: somebody may have to type a pass phrase.
pub(super) const LIMIT: Duration = Duration::from_mins(2);
/// Octets of its output that are read.
const OUTPUT_MAX: u64 = 65_536;

/// What a command prints. `name` stands for it in errors; they never repeat what it said, which may be the secret.
pub(super) fn output(name: &str, command: &str, folder: &Path, limit: Duration) -> anyhow::Result<String> {
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(command)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("run {name}"))?;
    let pid = Pid::from_child(&child);
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut printed = Vec::new();
        let read = child
            .stdout
            .take()
            .map_or(Ok(0), |stdout| stdout.take(OUTPUT_MAX).read_to_end(&mut printed));
        let end = read.and_then(|_octets| child.wait());
        // Nobody listens when it took too long.
        drop(tell.send(end.map(|status| (status, printed))));
    });
    let told: std::io::Result<(ExitStatus, Vec<u8>)> = told.recv_timeout(limit).map_err(|_too_late| {
        // It may have ended this moment.
        let _was_running = kill_process(pid, Signal::KILL);
        anyhow!(text!(
            "{place} did not end within {limit}; does it wait for somebody to type?",
            place = name,
            limit = Span(limit)
        ))
    })?;
    let (status, printed) = told.with_context(|| format!("run {name}"))?;
    if !status.success() {
        bail!(text!(
            "{place} failed ({status}); run it by itself to see why",
            place = name,
            status = ended(status)
        ));
    }
    String::from_utf8(printed).map_err(|_not_text| anyhow!(text!("{place} did not print text", place = name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(command: &str, limit: Duration) -> Result<String, String> {
        output("password_command", command, Path::new("."), limit).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn what_it_prints_is_the_secret() {
        assert_eq!(run("printf 'one\\ntwo'", LIMIT).unwrap(), "one\ntwo");
    }

    #[test]
    fn one_that_hangs_is_ended_whether_it_keeps_its_output_open_or_not() {
        for command in ["sleep 600", "exec sleep 600 >/dev/null"] {
            let said = run(command, Duration::from_millis(50)).unwrap_err();
            assert!(said.contains("did not end within"), "{said}");
        }
    }

    #[test]
    fn what_it_said_before_it_failed_is_not_repeated() {
        let said = run("echo S3cret; echo S3cret >&2; exit 3", LIMIT).unwrap_err();
        assert!(
            said.contains("exit status: 3") && !said.contains("S3cret"),
            "{said}"
        );
    }
}
