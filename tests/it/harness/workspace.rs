//! A workspace with one small campaign, `news`, in a temporary folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde::Deserialize;
use tempfile::TempDir;

use super::program::{Ended, Running, Wrapped};
use super::wait_for;

/// Retries within moments, so that a test can wait for them.
pub(crate) const RETRY_SOON: &str = "[retry]\ndelays = [\"50ms\"]\ntries = 3\n";

/// How a campaign stands, as `status --json` says it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) state: String,
    pub(crate) recipients: usize,
    pub(crate) pending: usize,
    pub(crate) sending: usize,
    pub(crate) sent: usize,
    pub(crate) failed: usize,
    pub(crate) in_doubt: usize,
    pub(crate) suppressed: usize,
}

impl Status {
    /// The six counts together.
    pub(crate) fn sum(&self) -> usize {
        self.pending + self.sending + self.sent + self.failed + self.in_doubt + self.suppressed
    }
}

/// A delivery as it stands in the ledger's file.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) tries: u32,
    pub(crate) message_ids: Vec<String>,
}

/// A folder with `mailshot.toml`, `list.csv`, templates and `campaigns/news.toml`.
pub(crate) struct Workspace {
    folder: TempDir,
    around: Wrapped,
    env: Vec<(String, String)>,
}

/// Addresses `p0001@example.com` and so on.
pub(crate) fn people(count: usize) -> Vec<String> {
    (1..=count)
        .map(|number| format!("p{number:04}@example.com"))
        .collect()
}

impl Workspace {
    /// A workspace that sends to these people by an account with these lines.
    pub(crate) fn new(account: &str, people: &[impl AsRef<str>]) -> Self {
        let new = Self {
            folder: TempDir::new().unwrap(),
            around: Wrapped::plain(),
            env: Vec::new(),
        };
        new.configure(account, "");
        new.list(people);
        new.write(
            "templates/body.html.hbs",
            "<p>Hello {{name}}, this is for you.</p>\n{{{footer}}}\n",
        );
        new.write(
            "templates/body.txt.hbs",
            "Hello {{name}},\nthis is for you.\n\n{{{footer}}}\n",
        );
        new.campaign("news", "");
        new
    }

    /// Writes `mailshot.toml` anew: these lines in `[account.main]`, and more tables below.
    pub(crate) fn configure(&self, account: &str, more: &str) -> &Self {
        self.write(
            "mailshot.toml",
            &format!(
                "[sender]\nfrom = \"Aurora Home <news@aurora-home.example>\"\n\
                 postal_address = \"88 Harbour Road, Hangzhou\"\n\n\
                 [account.main]\n{account}\n\n\
                 [unsubscribe]\nurl = \"https://news.aurora-home.example\"\n\n{more}\n"
            ),
        )
    }

    /// Writes the list anew.
    pub(crate) fn list(&self, people: &[impl AsRef<str>]) -> &Self {
        let rows = people.iter().map(|address| format!("{0},{0}", address.as_ref()));
        let lines: Vec<String> = std::iter::once("email,name".to_owned()).chain(rows).collect();
        self.write(
            "list.csv",
            &(lines.join(
                "
",
            ) + "
"),
        )
    }

    /// Writes a campaign's file anew, with further lines.
    pub(crate) fn campaign(&self, name: &str, more: &str) -> &Self {
        self.write(
            &format!("campaigns/{name}.toml"),
            &format!(
                "account = \"main\"\nsubject = \"News for {{{{name}}}}\"\nrecipients = \"list.csv\"\n\
                 html = \"templates/body.html.hbs\"\ntext = \"templates/body.txt.hbs\"\n{more}\n"
            ),
        )
    }

    /// Writes a file of the workspace.
    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Sets a variable in the environment of every command from now on.
    pub(crate) fn env(&mut self, name: &str, value: &str) -> &Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs every command in these surroundings from now on.
    pub(crate) fn surround(&mut self, around: Wrapped) {
        self.around = around;
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a command in the workspace.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.around.command(self.root(), arguments);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        Running::start(&mut command)
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).wait()
    }

    /// `send news --yes` with further arguments, started.
    pub(crate) fn start_send(&self, more: &[&str]) -> Running {
        self.start(&[["send", "news", "--yes"].as_slice(), more].concat())
    }

    /// `send news --yes` with further arguments, to its end.
    pub(crate) fn send(&self, more: &[&str]) -> Ended {
        self.start_send(more).wait()
    }

    /// How `news` stands.
    pub(crate) fn status(&self) -> Status {
        self.status_of("news")
    }

    /// How a campaign stands.
    pub(crate) fn status_of(&self, campaign: &str) -> Status {
        let ended = self.run(&["status", campaign, "--json"]).expect(0);
        let status: Status = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(
            status.sum(),
            status.recipients,
            "the counts do not sum up: {status:?}"
        );
        status
    }

    /// A connection to the ledger's file that cannot write; none before there is one.
    pub(crate) fn ledger(&self) -> Option<Connection> {
        let path = self.path(".mailshot/ledger.db");
        path.exists()
            .then(|| Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap())
    }

    /// A number the ledger's file answers; none while there is no such table yet.
    pub(crate) fn ask(&self, sql: &str) -> Option<i64> {
        self.ledger()?.query_row(sql, [], |row| row.get(0)).ok()
    }

    /// Waits until so many deliveries of all campaigns are in a state.
    pub(crate) fn wait_until(&self, count: i64, state: &str) {
        let sql = format!("SELECT count(*) FROM delivery WHERE state = '{state}'");
        wait_for(&format!("{count} {state}"), || {
            self.ask(&sql).filter(|found| *found >= count)
        });
    }

    /// Every delivery of `news`, by address.
    pub(crate) fn deliveries(&self) -> BTreeMap<String, Delivery> {
        let ledger = self.ledger().expect("a ledger");
        let sql = "SELECT address, state, coalesce(reason, ''), tries,
                   (SELECT group_concat(message_id, ' ') FROM attempt WHERE delivery_id = delivery.id)
                   FROM delivery WHERE campaign_id = (SELECT id FROM campaign WHERE name = 'news')";
        let mut statement = ledger.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| {
            let message_ids = row.get::<_, Option<String>>(4)?.unwrap_or_default();
            let message_ids = message_ids.split_whitespace().map(str::to_owned).collect();
            let delivery = Delivery {
                state: row.get(1)?,
                reason: row.get(2)?,
                tries: row.get(3)?,
                message_ids,
            };
            Ok((row.get::<_, String>(0)?, delivery))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// The addresses of `news` in a state.
    pub(crate) fn in_state(&self, state: &str) -> Vec<String> {
        let all = self.deliveries().into_iter();
        all.filter(|(_, delivery)| delivery.state == state)
            .map(|(address, _)| address)
            .collect()
    }
}
