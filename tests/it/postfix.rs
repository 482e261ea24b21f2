//! A real Postfix, started for the test in folders of its own: what it says it queued is what the ledger says it took.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::getuid;
use tempfile::TempDir;

use super::harness::{Workspace, pass_over, people, wait_for};

pub(super) const PASSWORD: &str = "correct horse";

/// The services behind the ports, none of them in a chroot.
const SERVICES: &str = "\
pickup unix n - n 1 1 pickup
qmgr unix n - n 300 1 qmgr
cleanup unix n - n - 0 cleanup
flush unix n - n - 0 flush
showq unix n - n - - showq
tlsmgr unix - - n - 1 tlsmgr
scache unix - - n - 1 scache
anvil unix - - n - 1 anvil
verify unix - - n - 1 verify
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
smtp unix - - n - - smtp
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
postlog unix-dgram n - n - 1 postlogd
";

/// A Postfix that takes mail after a login and throws it away, or hands it on. It is stopped when this is dropped.
pub(super) struct Postfix {
    folder: TempDir,
    starttls_port: u16,
    tls_port: u16,
    /// The port on this machine that it hands mails on to.
    next_port: Option<u16>,
    /// The Maildir that mails to `news` are put into, and so what comes back; they are lost without.
    maildir: Option<PathBuf>,
}

/// Runs a command that only root may run.
fn as_root(words: &[&str]) {
    let words = if getuid().is_root() {
        words.to_vec()
    } else {
        [["sudo", "-n"].as_slice(), words].concat()
    };
    let output = Command::new(words[0])
        .args(&words[1..])
        .output()
        .unwrap_or_else(|error| panic!("{words:?}: {error}"));
    assert!(
        output.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

impl Postfix {
    /// Starts a Postfix; none when there is none on this machine, or when it cannot be started.
    fn start(test: &str) -> Option<Self> {
        Self::start_before(test, None)
    }

    /// The same, and hands mails on to a server on this port.
    pub(super) fn start_before(test: &str, next_port: Option<u16>) -> Option<Self> {
        Self::start_with(test, next_port, None)
    }

    /// The same, and gives up at the first refusal, with a report into this Maildir.
    pub(super) fn start_reporting(test: &str, next_port: u16, maildir: PathBuf) -> Option<Self> {
        Self::start_with(test, Some(next_port), Some(maildir))
    }

    fn start_with(test: &str, next_port: Option<u16>, maildir: Option<PathBuf>) -> Option<Self> {
        for (path, package) in [
            ("/usr/sbin/postfix", "postfix"),
            ("/usr/sbin/saslpasswd2", "sasl2-bin"),
        ] {
            if !Path::new(path).exists() {
                pass_over(test, &format!("{path} is not there (package {package})"));
                return None;
            }
        }
        let is_root = getuid().is_root()
            || Command::new("sudo")
                .args(["-n", "true"])
                .status()
                .is_ok_and(|status| status.success());
        if !is_root {
            pass_over(test, "Postfix can only be started by root");
            return None;
        }
        let new = Self {
            folder: TempDir::new().unwrap(),
            starttls_port: free_port(),
            tls_port: free_port(),
            next_port,
            maildir,
        };
        new.write_files();
        as_root(&["postfix", "-c", &new.shown("conf"), "start"]);
        wait_for("Postfix to start", || {
            new.log().contains("daemon started").then_some(())
        });
        Some(new)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn write_files(&self) {
        // Its daemons run as a user of their own and must get in.
        std::fs::set_permissions(self.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["conf/sasl", "queue", "data"] {
            std::fs::create_dir_all(self.path(folder)).unwrap();
        }
        as_root(&["chown", "postfix", &self.shown("data")]);
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certified = rcgen::generate_simple_self_signed(names).unwrap();
        std::fs::write(self.path("conf/cert.pem"), certified.cert.pem()).unwrap();
        std::fs::write(self.path("conf/key.pem"), certified.signing_key.serialize_pem()).unwrap();
        std::fs::write(self.path("conf/main.cf"), self.main_cf()).unwrap();
        std::fs::write(self.path("conf/master.cf"), self.master_cf()).unwrap();
        let sasldb = self.shown("conf/sasl/sasldb2");
        std::fs::write(
            self.path("conf/sasl/smtpd.conf"),
            format!(
                "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {sasldb}\n"
            ),
        )
        .unwrap();
        let add =
            format!("printf '{PASSWORD}' | saslpasswd2 -p -c -f '{sasldb}' -u aurora-home.example news");
        assert!(Command::new("sh").args(["-c", &add]).status().unwrap().success());
        std::fs::set_permissions(&sasldb, std::fs::Permissions::from_mode(0o644)).unwrap();
        // What `sendmail` is on a machine where this Postfix is the only one.
        let sendmail = self.path("sendmail");
        std::fs::write(
            &sendmail,
            format!(
                "#!/bin/sh\nexec /usr/sbin/sendmail -C '{}' \"$@\"\n",
                self.shown("conf")
            ),
        )
        .unwrap();
        std::fs::set_permissions(&sendmail, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn main_cf(&self) -> String {
        let here = self.folder.path().display();
        let way = match self.next_port {
            Some(port) => format!("default_transport = smtp:\nrelayhost = [127.0.0.1]:{port}\n"),
            None => "default_transport = discard:\nlocal_transport = discard:\n".to_owned(),
        };
        let reports = match &self.maildir {
            Some(maildir) => format!(
                "maximal_queue_lifetime = 0\nbounce_queue_lifetime = 0\nvirtual_mailbox_domains = aurora-home.example\n\
                 virtual_mailbox_base = /\nvirtual_mailbox_maps = static:{}/\n\
                 virtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\nvirtual_minimum_uid = 1\n",
                maildir.display()
            ),
            None => String::new(),
        };
        format!(
            "compatibility_level = 3.6\nqueue_directory = {here}/queue\ndata_directory = {here}/data\n\
             maillog_file = {here}/mail.log\nmaillog_file_prefixes = {here}\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = mx.aurora-home.example\n\
             mydestination =\nmynetworks =\nalias_maps =\nalias_database =\n\
             {way}{reports}\
             smtpd_relay_restrictions = permit_sasl_authenticated, reject\n\
             smtpd_sasl_auth_enable = yes\nsmtpd_sasl_path = smtpd\nsmtpd_tls_auth_only = yes\n\
             smtpd_tls_cert_file = {here}/conf/cert.pem\nsmtpd_tls_key_file = {here}/conf/key.pem\n"
        )
    }

    fn master_cf(&self) -> String {
        let (starttls, tls) = (self.starttls_port, self.tls_port);
        format!(
            "{starttls} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt\n\
             {tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n\
             {SERVICES}"
        )
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("mail.log")).unwrap_or_default()
    }

    /// The lines of `[account.main]` that lead to one of its ports, by a login.
    pub(super) fn account(&self, tls: &str) -> String {
        let port = if tls == "tls" {
            self.tls_port
        } else {
            self.starttls_port
        };
        format!(
            "host = \"localhost\"\nport = {port}\ntls = \"{tls}\"\nca_file = \"{}\"\nconnections = 3\n\
             username = \"news@aurora-home.example\"\npassword_env = \"MAILSHOT_PASSWORD\"\n",
            self.shown("conf/cert.pem")
        )
    }

    /// What it says it has taken: the recipient and the Message-ID by queue id, once it is through with `count` mails.
    fn queued(&self, count: usize) -> BTreeMap<String, (String, String)> {
        wait_for("Postfix to be through", || {
            (self.log().matches("status=sent").count() >= count).then_some(())
        });
        let log = self.log();
        let mut message_ids = BTreeMap::new();
        let mut queued = BTreeMap::new();
        for line in log.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [_, _, _, _, daemon, id, fact, ..] = words.as_slice() else {
                continue;
            };
            let id = id.trim_end_matches(':').to_owned();
            if daemon.starts_with("postfix/cleanup") {
                let message_id = fact.trim_start_matches("message-id=<").trim_end_matches('>');
                message_ids.insert(id, message_id.to_owned());
            } else if daemon.starts_with("postfix/discard") {
                let to = fact.trim_start_matches("to=<").trim_end_matches(">,");
                let message_id = message_ids[&id].clone();
                assert!(queued.insert(id, (to.to_owned(), message_id)).is_none(), "{line}");
            }
        }
        queued
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        as_root(&["postfix", "-c", &self.shown("conf"), "stop"]);
    }
}

/// What the ledger says was taken, by the queue id in the server's reply.
fn taken(workspace: &Workspace) -> BTreeMap<String, (String, String)> {
    let ledger = workspace.ledger().unwrap();
    let sql = "SELECT reply, address, message_id FROM attempt JOIN delivery ON delivery.id = delivery_id
               WHERE outcome = 'accepted'";
    let mut statement = ledger.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        let reply: String = row.get(0)?;
        let id = reply
            .rsplit_once("queued as ")
            .unwrap_or_else(|| panic!("no queue id in `{reply}`"))
            .1
            .to_owned();
        Ok((id, (row.get(1)?, row.get(2)?)))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn a_campaign_goes_through(test: &str, tls: &str) {
    let Some(postfix) = Postfix::start(test) else {
        return;
    };
    let mut workspace = Workspace::new(&postfix.account(tls), &people(50));
    workspace.env("MAILSHOT_PASSWORD", PASSWORD);
    workspace.send(&[]).expect(0);
    let taken = taken(&workspace);
    assert_eq!(taken.len(), 50, "a queue id each");
    assert_eq!(taken, postfix.queued(50));
}

#[test]
fn postfix_with_starttls_queues_what_the_ledger_says() {
    a_campaign_goes_through("postfix_with_starttls", "starttls");
}

#[test]
fn postfix_with_implicit_tls_queues_what_the_ledger_says() {
    a_campaign_goes_through("postfix_with_implicit_tls", "tls");
}

#[test]
fn a_wrong_password_at_postfix_is_tried_once_and_sends_nothing() {
    let Some(postfix) = Postfix::start("a_wrong_password_at_postfix") else {
        return;
    };
    let mut workspace = Workspace::new(&postfix.account("tls"), &people(10));
    workspace.env("MAILSHOT_PASSWORD", "wrong");
    workspace
        .send(&[])
        .expect(77)
        .says(&["the server refused the login", "535"]);
    assert_eq!(workspace.status().pending, 10);
    let refused = wait_for("the refusal in Postfix's log", || {
        Some(postfix.log().matches("authentication failed").count()).filter(|count| *count > 0)
    });
    assert_eq!(refused, 1);
    workspace.send(&[]).expect(77).says(&["nobody knocked"]);
    assert_eq!(postfix.log().matches("]: connect from").count(), 1);
}

#[test]
fn a_server_whose_certificate_nobody_vouches_for_gets_no_password() {
    let Some(postfix) = Postfix::start("a_server_whose_certificate_nobody_vouches_for") else {
        return;
    };
    let with_ca = postfix.account("tls");
    let account = with_ca
        .lines()
        .filter(|line| !line.starts_with("ca_file"))
        .collect::<Vec<_>>()
        .join(
            "
",
        );
    let mut workspace = Workspace::new(&account, &people(2));
    workspace.env("MAILSHOT_PASSWORD", PASSWORD);
    workspace.send(&[]).expect(69).says(&["no TLS with localhost"]);
    assert_eq!(workspace.status().pending, 2);
    assert!(!postfix.log().contains("sasl_username"));
}

#[test]
fn sendmail_hands_a_campaign_to_the_local_postfix() {
    let Some(postfix) = Postfix::start("sendmail_hands_a_campaign") else {
        return;
    };
    let account = format!(
        "transport = \"sendmail\"\nsendmail_command = \"{}\"\n",
        postfix.shown("sendmail")
    );
    let workspace = Workspace::new(&account, &people(50));
    workspace.send(&[]).expect(0);
    // `sendmail` gives no queue id; people and Message-IDs are compared.
    let mut queued: Vec<_> = postfix.queued(50).into_values().collect();
    queued.sort();
    let known = workspace.deliveries().into_iter();
    let sent: Vec<_> = known
        .map(|(address, delivery)| (address, delivery.message_ids.join(" ")))
        .collect();
    assert_eq!(queued, sent);
}
