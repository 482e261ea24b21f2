//! A real Dovecot, started for the test in folders of its own: one mailbox, by IMAP and POP3, in clear and by TLS.

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::getuid;
use tempfile::TempDir;

use super::harness::{pass_over, wait_for};
use super::postfix::free_port;

pub(super) const PASSWORD: &str = "correct horse";

/// A Dovecot with the mailbox of `news`. It is stopped when this is dropped.
pub(super) struct Dovecot {
    folder: TempDir,
    pub(super) imap_port: u16,
    imaps_port: u16,
    pop3_port: u16,
    pop3s_port: u16,
}

impl Dovecot {
    /// Starts a Dovecot with further settings; none when there is none on this machine, or when it cannot be started.
    pub(super) fn start(test: &str, more: &str) -> Option<Self> {
        for (path, package) in [
            ("/usr/lib/dovecot/imap", "dovecot-imapd"),
            ("/usr/lib/dovecot/pop3", "dovecot-pop3d"),
        ] {
            if !Path::new(path).exists() {
                pass_over(test, &format!("{path} is not there (package {package})"));
                return None;
            }
        }
        if !getuid().is_root() {
            pass_over(test, "Dovecot can only be started by root");
            return None;
        }
        let new = Self {
            folder: TempDir::new().unwrap(),
            imap_port: free_port(),
            imaps_port: free_port(),
            pop3_port: free_port(),
            pop3s_port: free_port(),
        };
        new.write_files(more);
        new.run("dovecot", &[]);
        for port in [new.imap_port, new.imaps_port, new.pop3_port, new.pop3s_port] {
            wait_for("Dovecot to listen", || {
                TcpStream::connect(("127.0.0.1", port)).ok()
            });
        }
        Some(new)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Runs a command of Dovecot. What it prints is nobody's: its daemons would hold the pipes open.
    fn run(&self, command: &str, more: &[&str]) {
        let status = Command::new(command)
            .args(["-c", &self.shown("dovecot.conf")])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "{command} {more:?}: {}",
            self.log()
        );
    }

    fn write_files(&self, more: &str) {
        let open = |path: &Path| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
        };
        std::fs::set_permissions(self.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["run", "state", "mail/news/new", "mail/news/cur", "mail/news/tmp"] {
            std::fs::create_dir_all(self.path(folder)).unwrap();
        }
        for folder in [
            "mail",
            "mail/news",
            "mail/news/new",
            "mail/news/cur",
            "mail/news/tmp",
        ] {
            open(&self.path(folder));
        }
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certified = rcgen::generate_simple_self_signed(names).unwrap();
        std::fs::write(self.path("cert.pem"), certified.cert.pem()).unwrap();
        std::fs::write(self.path("key.pem"), certified.signing_key.serialize_pem()).unwrap();
        std::fs::write(
            self.path("users"),
            format!("news@aurora-home.example:{{PLAIN}}{PASSWORD}\n"),
        )
        .unwrap();
        open(&self.path("users"));
        std::fs::write(self.path("dovecot.conf"), self.conf(more)).unwrap();
    }

    fn conf(&self, more: &str) -> String {
        let here = self.folder.path().display();
        let (imap, imaps, pop3, pop3s) = (self.imap_port, self.imaps_port, self.pop3_port, self.pop3s_port);
        format!(
            "base_dir = {here}/run\nstate_dir = {here}/state\nlog_path = {here}/dovecot.log\n\
             protocols = imap pop3\nlisten = 127.0.0.1\ndisable_plaintext_auth = no\n\
             auth_failure_delay = 0\nauth_mechanisms = plain login\n\
             ssl = yes\nssl_cert = <{here}/cert.pem\nssl_key = <{here}/key.pem\n\
             mail_location = maildir:{here}/mail/%n\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n\
             passdb {{\n  driver = passwd-file\n  args = {here}/users\n}}\n\
             userdb {{\n  driver = static\n  args = uid=nobody gid=nogroup home={here}/mail/%n\n}}\n\
             service imap-login {{\n  inet_listener imap {{\n    port = {imap}\n  }}\n\
             inet_listener imaps {{\n    port = {imaps}\n    ssl = yes\n  }}\n}}\n\
             service pop3-login {{\n  inet_listener pop3 {{\n    port = {pop3}\n  }}\n\
             inet_listener pop3s {{\n    port = {pop3s}\n    ssl = yes\n  }}\n}}\n{more}\n"
        )
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.path("dovecot.log")).unwrap_or_default()
    }

    /// Ends every connection to a mailbox.
    pub(super) fn hang_up(&self) {
        self.run("doveadm", &["kick", "news@aurora-home.example"]);
    }

    /// Puts a mail into the mailbox, as a mail server does.
    pub(super) fn deliver(&self, name: &str, mail: &str) {
        self.put("new", name, mail);
    }

    /// Puts a mail into `new` or `cur`; there its name ends with flags.
    pub(super) fn put(&self, folder: &str, name: &str, mail: &str) {
        let part = self.path("mail/news/tmp").join(name);
        std::fs::write(&part, mail.replace('\n', "\r\n")).unwrap();
        std::fs::set_permissions(&part, std::fs::Permissions::from_mode(0o666)).unwrap();
        std::fs::rename(part, self.path("mail/news").join(folder).join(name)).unwrap();
    }

    /// The folder of its mails, where a mail server delivers to.
    pub(super) fn maildir(&self) -> PathBuf {
        self.path("mail/news")
    }

    /// The names of mails in a folder, as it is called on the disk; the inbox has no name there.
    pub(super) fn mails(&self, folder: &str) -> Vec<String> {
        let mut names = Vec::new();
        for part in ["new", "cur"] {
            let Ok(entries) = std::fs::read_dir(self.path("mail/news").join(folder).join(part)) else {
                continue;
            };
            names.extend(entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()));
        }
        names.sort();
        names
    }

    /// The lines of a mailbox with a login and these ways to its server.
    fn lines(&self, port: u16, tls: &str) -> String {
        format!(
            "host = \"localhost\"\nport = {port}\ntls = \"{tls}\"\nca_file = \"{}\"\n\
             username = \"news@aurora-home.example\"\npassword_env = \"BOUNCES_PASSWORD\"\n",
            self.shown("cert.pem")
        )
    }

    pub(super) fn imap(&self, tls: &str) -> String {
        let port = if tls == "tls" {
            self.imaps_port
        } else {
            self.imap_port
        };
        self.lines(port, tls)
    }

    pub(super) fn pop3(&self, tls: &str) -> String {
        let port = if tls == "tls" {
            self.pop3s_port
        } else {
            self.pop3_port
        };
        format!("protocol = \"pop3\"\n{}", self.lines(port, tls))
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.run("dovecot", &["stop"]);
    }
}
