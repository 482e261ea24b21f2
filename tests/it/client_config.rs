//! Settings for mail programs: pages to type in from, and files that independent parsers read.

use std::process::Command;

use super::harness::{Workspace, pass_over, people};

fn workspace() -> Workspace {
    let account = "provider = \"alimail\"\nusername = \"news@aurora-home.example\"\npassword_env = \"MAILSHOT_PASSWORD\"";
    let mut workspace = Workspace::new(account, &people(1));
    workspace.env("MAILSHOT_PASSWORD", "A1b2@c3d4#e5f6xy");
    workspace
}

/// Runs a line of Python that reads `file`; what it prints, or none without Python.
fn python(workspace: &Workspace, code: &str) -> Option<String> {
    let output = Command::new("python3")
        .arg("-c")
        .arg(code)
        .current_dir(workspace.root())
        .output();
    let Ok(output) = output else {
        pass_over("client_config", "there is no python3");
        return None;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn outlook_and_foxmail_get_the_golden_template() {
    let workspace = workspace();
    for (program, lang) in [("outlook", "en"), ("foxmail", "zh")] {
        let ended = workspace
            .run(&["client-config", "main", "--for", program, "--lang", lang])
            .expect(0);
        insta::assert_snapshot!(format!("client-{program}-{lang}"), ended.stdout);
        assert!(!ended.text().contains("A1b2"), "no password is shown");
    }
}

#[test]
fn thunderbirds_file_is_read_by_a_parser_of_xml() {
    let workspace = workspace();
    // A name that XML would break on.
    workspace.configure(
        "provider = \"ours\"\nusername = \"news@aurora-home.example\"\npassword_env = \"P\"",
        "[provider.ours]\nlike = \"alimail\"\ntitle = \"Ours <& \\\"theirs\\\">\"\n",
    );
    workspace
        .run(&[
            "client-config",
            "main",
            "--for",
            "thunderbird",
            "-o",
            "config.xml",
        ])
        .expect(0)
        .says(&["autoconfig.aurora-home.example"]);
    let code = "import xml.etree.ElementTree as E; r = E.parse('config.xml').getroot()
p = r.find('emailProvider'); o = p.find('outgoingServer')
print(r.tag, p.find('domain').text, p.find('displayName').text, o.find('hostname').text, o.find('port').text,
      o.find('socketType').text, o.find('username').text, o.find('authentication').text,
      [i.get('type') for i in p.findall('incomingServer')])";
    if let Some(read) = python(&workspace, code) {
        assert_eq!(
            read,
            "clientConfig aurora-home.example Ours <& \"theirs\"> smtp.qiye.aliyun.com 465 SSL %EMAILADDRESS% \
             password-cleartext ['imap', 'pop3']"
        );
    }
}

#[test]
fn apples_profile_is_read_by_a_parser_of_property_lists() {
    let workspace = workspace();
    workspace
        .run(&[
            "client-config",
            "main",
            "--for",
            "apple",
            "-o",
            "mail.mobileconfig",
        ])
        .expect(0);
    let code = "import plistlib; p = plistlib.load(open('mail.mobileconfig', 'rb')); a = p['PayloadContent'][0]
assert p['PayloadUUID'] != a['PayloadUUID'] and len(p['PayloadUUID']) == 36
print(p['PayloadType'], a['PayloadType'], a['EmailAccountType'], a['EmailAddress'], a['IncomingMailServerHostName'],
      a['OutgoingMailServerHostName'], a['OutgoingMailServerPortNumber'], a['OutgoingMailServerUseSSL'],
      any('Password' in k and not isinstance(v, bool) for k, v in a.items()))";
    if let Some(read) = python(&workspace, code) {
        assert_eq!(
            read,
            "Configuration com.apple.mail.managed EmailTypeIMAP news@aurora-home.example imap.qiye.aliyun.com \
             smtp.qiye.aliyun.com 465 True False"
        );
    }
    let again = workspace
        .run(&["client-config", "main", "--for", "apple"])
        .expect(0)
        .stdout;
    let written = std::fs::read_to_string(workspace.path("mail.mobileconfig")).unwrap();
    assert_eq!(again, written, "the same settings are the same profile");
}

#[test]
fn what_is_wrong_is_said() {
    let workspace = workspace();
    super::messages::assert_message!("client-config-nobody", workspace, ["client-config", "nobody"]);
    super::messages::assert_message!(
        "client-config-no-mailbox",
        workspace,
        ["client-config", "directmail", "--for", "apple"]
    );
    super::messages::assert_message!(
        "client-config-bad-address",
        workspace,
        ["client-config", "alimail", "--address", "news"]
    );
    workspace.write("taken.xml", "");
    super::messages::assert_message!(
        "client-config-taken",
        workspace,
        ["client-config", "main", "--for", "thunderbird", "-o", "taken.xml"]
    );
}

#[test]
fn what_a_mail_program_cannot_be_told_is_said_and_not_made_up() {
    let workspace = workspace();
    let refused = |arguments: &[&str], says: &[&str]| {
        let ended = workspace.run(&[["client-config"].as_slice(), arguments].concat());
        let ended = ended.expect(64);
        ended.says(says);
        assert_eq!(ended.stdout, "");
    };
    refused(&["alimail", "--for", "thunderbird"], &["add --address"]);
    let address = ["--address", "a@b.example"];
    let ses = [["ses", "--for", "thunderbird"].as_slice(), &address].concat();
    refused(&ses, &["the login name at Amazon SES is not known"]);
    let outlook = [["outlook", "--for", "apple"].as_slice(), &address].concat();
    refused(&outlook, &["wants OAuth 2", "settings of the device"]);
    let page = |provider: &str| {
        let all = [
            ["client-config", provider, "--for", "outlook"].as_slice(),
            &address,
        ]
        .concat();
        workspace.run(&all).expect(0).stdout.clone()
    };
    assert!(page("ses").contains("User name: the name that you got with the password"));
    assert!(page("ses").contains("this service only sends"));
    assert!(page("outlook").contains("OAuth 2") && !page("outlook").contains("token_command"));
    let told = workspace
        .run(&["client-config", "alimail", "--for", "apple", "--json"])
        .expect(0)
        .stdout
        .clone();
    assert!(told.starts_with('{'), "{told}");
}
