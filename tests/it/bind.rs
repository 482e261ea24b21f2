//! A real BIND, started for the test: what it serves is what the doctor sees, also what does not fit into a datagram.

use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::doctor::findings;
use super::harness::{Running, Workspace, pass_over, people, wait_for};

const NAMED: &str = "/usr/sbin/named";

const ZONE: &str = r#"$TTL 3600
@ IN SOA ns1 hostmaster ( 2026112301 3600 600 86400 300 )
@ IN NS ns1
@ IN NS ns2
ns1 IN A 127.0.0.1
ns2 IN A 127.0.0.1
@ IN MX 5 mx1
@ IN MX 20 backup
mx1 IN A 198.51.100.1
backup IN A 198.51.100.2
@ IN TXT "v=spf1 mx " "-all"
s1._domainkey 60 IN TXT "v=DKIM1; k=ed25519; p=BwcHBwcHBwcHBwcHBwcHBwcH" "BwcHBwcHBwcHBwcHBwc="
_dmarc IN TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@real.test"
_smtp._tls IN TXT "v=TLSRPTv1; rua=mailto:tls@real.test"
mail IN CNAME mx1
"#;

/// A BIND with the zone `real.test` on a port of its own. It is stopped when this is dropped.
struct Bind {
    _folder: TempDir,
    _running: Running,
    port: u16,
}

fn free_port() -> u16 {
    // Free for both protocols a moment ago; BIND says so if it is no longer.
    for _ in 0..100 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        if UdpSocket::bind(address).is_ok() {
            return address.port();
        }
    }
    panic!("no port is free for both protocols");
}

impl Bind {
    /// None when it is not installed.
    fn start(test: &str, zone: &str) -> Option<Self> {
        if !Path::new(NAMED).exists() {
            pass_over(test, "BIND is not installed");
            return None;
        }
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let path = folder.path().display();
        let config = format!(
            "options {{ directory \"{path}\"; pid-file \"{path}/pid\"; session-keyfile \"{path}/key\";\n\
             listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; }};\n\
             controls {{ }};\nzone \"real.test\" {{ type primary; file \"{path}/real.test.zone\"; }};\n"
        );
        std::fs::write(folder.path().join("named.conf"), config).unwrap();
        std::fs::write(folder.path().join("real.test.zone"), zone).unwrap();
        let mut command = Command::new(NAMED);
        command
            .arg("-g")
            .arg("-c")
            .arg(folder.path().join("named.conf"))
            .args(["-n", "1"]);
        let mut running = Running::start(&mut command);
        wait_for("BIND to serve", || {
            assert!(!running.has_ended(), "BIND ended: {}", running.stderr());
            running.stderr().contains("all zones loaded").then_some(())
        });
        Some(Self {
            _folder: folder,
            _running: running,
            port,
        })
    }

    fn look(&self, more: &[&str]) -> Vec<String> {
        let workspace = Workspace::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"", &people(1));
        let resolver = format!("--resolver=127.0.0.1:{}", self.port);
        let ended = workspace.run(&[["doctor", "real.test", "--json", &resolver].as_slice(), more].concat());
        findings(&ended)
    }
}

#[test]
fn a_zone_of_bind_is_seen_as_it_is() {
    let Some(bind) = Bind::start("a_zone_of_bind_is_seen_as_it_is", ZONE) else {
        return;
    };
    assert_eq!(bind.look(&[]), ["TTL-01 warning"]);
    assert_eq!(bind.look(&["--selector", "s1"]), ["TTL-01 warning"]);
    assert_eq!(bind.look(&["--selector", "s2"]), ["DKIM-01 error"]);
}

#[test]
fn what_does_not_fit_into_a_datagram_comes_whole() {
    let long: Vec<String> = (0..20)
        .map(|n| format!("@ IN TXT \"check-{n}={}\"\n", "y".repeat(200)))
        .collect();
    let zone = format!("{ZONE}{}", long.concat());
    let Some(bind) = Bind::start("what_does_not_fit_into_a_datagram_comes_whole", &zone) else {
        return;
    };
    assert_eq!(bind.look(&[]), ["SPF-07 warning", "TTL-01 warning"]);
}
