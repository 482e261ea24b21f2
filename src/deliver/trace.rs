//! The transcript of a dialogue, for `--trace`: `->` what we said, `<-` what the server said. Secrets are never in it.

use std::io::Write;
use std::sync::{Arc, Mutex};

/// Where transcripts go; shared by all connections of a run.
#[derive(Clone)]
pub struct Trace {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
    connection: u32,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Trace({})", self.connection)
    }
}

impl Trace {
    /// A transcript that is written to `out`.
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self {
            out: Arc::new(Mutex::new(Box::new(out))),
            connection: 0,
        }
    }

    /// The same transcript for another connection.
    #[must_use]
    pub fn connection(&self, number: u32) -> Self {
        Self {
            out: Arc::clone(&self.out),
            connection: number,
        }
    }

    /// Notes what we said.
    pub(super) fn sent(&self, line: &str) {
        self.line("->", line);
    }

    /// Notes what the server said.
    pub(super) fn received(&self, line: &[u8]) {
        self.line("<-", &String::from_utf8_lossy(line));
    }

    fn line(&self, arrow: &str, line: &str) {
        let shown: String = line.trim_end().chars().filter(|c| !c.is_control()).collect();
        if let Ok(mut out) = self.out.lock() {
            // A transcript that cannot be written must not stop the mails.
            let _written = writeln!(out, "{} {arrow} {shown}", self.connection);
        }
    }
}
