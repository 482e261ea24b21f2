//! What is known of providers: shown with its sources, found by the MX of a domain, changed in mailshot.toml.

use std::net::UdpSocket;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::MX;
use hickory_proto::rr::{Name, RData, Record};
use serde_json::Value;

use super::harness::{Workspace, people};

fn workspace() -> Workspace {
    Workspace::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"", &people(3))
}

/// A resolver that answers one question after the other: with these MX hosts, or that there is no such name.
fn resolver(hosts: &'static [(u16, &'static str)], code: ResponseCode) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut buffer = [0; 1_024];
        while let Ok((length, asker)) = socket.recv_from(&mut buffer) {
            let question = Message::from_vec(&buffer[..length]).unwrap();
            let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
            answer.metadata.response_code = code;
            let query = question.queries[0].clone();
            let name = query.name().clone();
            answer.add_query(query);
            for (preference, host) in hosts {
                let mx = RData::MX(MX::new(*preference, Name::from_ascii(host).unwrap()));
                answer.add_answer(Record::from_rdata(name.clone(), 60, mx));
            }
            socket.send_to(&answer.to_vec().unwrap(), asker).unwrap();
        }
    });
    address
}

#[test]
fn the_page_of_providers_is_what_the_command_prints() {
    let printed = workspace().run(&["providers", "--markdown"]).expect(0).stdout;
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/providers.md");
    let written = std::fs::read_to_string(page).unwrap_or_default();
    assert!(
        printed == written,
        "run: cargo run -- providers --markdown > docs/providers.md"
    );
}

#[test]
fn every_provider_is_listed_with_its_server_and_limits() {
    let workspace = workspace();
    workspace.run(&["providers"]).expect(0).says(&[
        "alimail-sg",
        "smtp.sg.aliyun.com:465",
        "20/min, 200/day",
        "directmail-us",
        "Amazon SES",
    ]);
    workspace.run(&["providers", "--lang", "zh"]).expect(0).says(&[
        "smtp.qiye.aliyun.com:465                20/min, 200/day       阿里邮箱",
        "未知",
    ]);
    let all: Vec<Value> = workspace.run(&["providers", "--json"]).expect(0).json();
    let gmail = all.iter().find(|one| one["name"] == "gmail").unwrap();
    assert_eq!(gmail["rates"][1], "500/day");
    assert_eq!(gmail["ports"][0]["tls"], "tls");
}

#[test]
fn a_provider_is_shown_with_sources_and_says_what_is_unknown() {
    let workspace = workspace();
    workspace.run(&["providers", "alimail"]).expect(0).says(&[
        "A locked for",
        "C mails a day",
        "? mails an hour                   unknown",
        "https://help.aliyun.com/en/document_detail/446248.html",
        "2026-11-23",
    ]);
    let one: Vec<Value> = workspace
        .run(&["providers", "alimail", "--json"])
        .expect(0)
        .json();
    let facts = &one[0]["facts"];
    assert_eq!(facts["lockout"]["value"], "1h");
    assert_eq!(facts["lockout"]["confidence"], "A");
    assert_eq!(facts["per_hour"]["state"], "unknown");
    assert_eq!(facts["per_day"]["source"]["kind"], "single");
    assert_eq!(facts["domains"]["state"], "none");
}

#[test]
fn a_provider_is_found_by_the_mx_of_a_domain() {
    let workspace = workspace();
    let resolver_of = |hosts| resolver(hosts, ResponseCode::NoError);
    let aliyun = resolver_of(&[(10, "mx2.qiye.aliyun.com."), (5, "MX1.qiye.aliyun.com.")]);
    let ask = |resolver: &str| {
        workspace.run(&[
            "providers",
            "--for",
            "news@aurora-home.example",
            "--resolver",
            resolver,
        ])
    };
    ask(&aliyun).expect(0).says(&[
        "aurora-home.example: its mail goes to mx1.qiye.aliyun.com, mx2.qiye.aliyun.com",
        "provider = \"alimail\"",
    ]);
    ask(&resolver_of(&[(1, "mail.aurora-home.example.")]))
        .expect(65)
        .says(&["belongs to no provider known here"]);
    // As everywhere, a resolver may have a name.
    ask(&format!(
        "office={}",
        resolver_of(&[(1, "mail.aurora-home.example.")])
    ))
    .says(&["mail.aurora-home.example"]);
    ask("office")
        .expect(64)
        .says(&["`office` is not an IP address; write 223.5.5.5"]);
    ask(&resolver_of(&[])).expect(65).says(&["takes no mail"]);
    ask(&resolver(&[], ResponseCode::NXDomain))
        .expect(65)
        .says(&["there is no domain aurora-home.example"]);
    ask(&resolver(&[], ResponseCode::ServFail)).expect(69);
}

#[test]
fn mailboxes_of_a_provider_are_known_without_the_dns() {
    let found: Vec<Value> = workspace()
        .run(&["providers", "--for", "someone@foxmail.com", "--json"])
        .expect(0)
        .json();
    assert_eq!(found[0]["provider"], "qq");
}

#[test]
fn an_account_without_provider_and_host_takes_the_provider_of_its_sender() {
    let mut workspace = Workspace::new(
        "username = \"me@gmail.com\"\npassword_env = \"MAILSHOT_PASSWORD\"",
        &people(3),
    );
    workspace.env("MAILSHOT_PASSWORD", "secret");
    workspace.campaign("news", "from = \"me@gmail.com\"");
    workspace.run(&["check", "news"]).expect(0).says(&[
        "account `main` names no provider; gmail.com belongs to Gmail",
        "provider = \"gmail\"",
    ]);
    // What is said of sent mails needs no provider.
    workspace.run(&["status", "news"]).expect(0);
}

#[test]
fn mailshot_toml_adds_providers_and_changes_known_ones() {
    let workspace = workspace();
    workspace.configure(
        "provider = \"our-relay\"",
        "[provider.our-relay]\nlike = \"sendgrid\"\ntitle = \"our relay\"\nhost = \"relay.example.com\"\n\
         ports = [\"2525 starttls\"]\nper_minute = 100\n\n[provider.alimail]\nper_day = 500\n",
    );
    workspace.run(&["providers", "our-relay"]).expect(0).says(&[
        "our-relay – our relay",
        "relay.example.com",
        "mails a minute                  100",
        "mailshot.toml",
        "5000",
    ]);
    workspace.run(&["providers"]).expect(0).says(&["20/min, 500/day"]);
    workspace.run(&["check", "news"]).expect(0);
}

#[test]
fn providers_are_shown_although_mailshot_toml_has_a_fault() {
    let workspace = workspace();
    workspace.configure("provider = \"alimial\"", "");
    workspace
        .run(&["providers", "alimail"])
        .expect(0)
        .says(&["mailshot.toml has a fault", "smtp.qiye.aliyun.com"]);
}

#[test]
fn messages_per_connection_are_those_of_the_provider() {
    let sandbox = super::harness::Sandbox::start(&[]);
    let connect = sandbox.account();
    let workspace = Workspace::new(
        &format!("{connect}provider = \"mailgun\"\nconnections = 1\n"),
        &people(7),
    );
    workspace.send(&[]).expect(0);
    // Three mails on each, as KumoMTA was told.
    assert_eq!(sandbox.stop().connections, 3);
}

#[test]
fn a_sender_that_is_not_the_login_is_refused_before_anything_is_sent() {
    let mut workspace = Workspace::new("", &people(3));
    workspace.env("MAILSHOT_PASSWORD", "secret");
    let login = "username = \"other@aurora-home.example\"\npassword_env = \"MAILSHOT_PASSWORD\"\n";
    for (provider, code) in [("alimail", 78), ("directmail", 78), ("gmail", 0), ("ses", 0)] {
        workspace.configure(&format!("provider = \"{provider}\"\n{login}"), "");
        workspace.run(&["check", "news"]).expect(code);
    }
    workspace.configure(
        &format!("provider = \"m365\"\n{login}aliases = [\"News@aurora-home.example\"]\n"),
        "",
    );
    workspace.run(&["check", "news"]).expect(0);
}

#[test]
fn mailboxes_that_are_not_for_campaigns_are_warned_of() {
    let mut workspace = workspace();
    workspace.env("MAILSHOT_PASSWORD", "secret");
    workspace.campaign("news", "from = \"postmaster@aurora-home.example\"");
    workspace
        .run(&["check", "news"])
        .expect(0)
        .says(&["a campaign from postmaster@", "make a mailbox such as news@"]);
    workspace.run(&["check", "news", "--strict"]).expect(65);
    workspace.campaign("news", "from = \"me@aliyun.com\"");
    workspace.configure(
        "provider = \"alimail-legacy\"\nusername = \"me@aliyun.com\"\npassword_env = \"MAILSHOT_PASSWORD\"",
        "",
    );
    workspace.run(&["check", "news"]).expect(0).says(&[
        "`smtp.mxhichina.com` is the server of companies' mailboxes",
        "aliyun-personal",
    ]);
}

#[test]
fn what_is_wrong_is_said() {
    let workspace = workspace();
    super::messages::assert_message!("providers-unknown", workspace, ["providers", "alimial"]);
    super::messages::assert_message!(
        "providers-no-answer",
        workspace,
        [
            "providers",
            "--for",
            "aurora-home.example",
            "--resolver",
            "127.0.0.1:1"
        ]
    );
    workspace.configure(
        "provider = \"our-relay\"",
        "[provider.our-relay]\nhost = \"relay.example.com\"\n",
    );
    super::messages::assert_message!("provider-without-ports", workspace, ["check", "news"]);
    workspace.configure(
        "provider = \"alimail\"",
        "[provider.alimail]\nports = [\"465 ssl\"]\n",
    );
    super::messages::assert_message!("provider-wrong-port", workspace, ["check", "news"]);
    workspace.configure("provider = \"alimail\"", "[provider.alimail]\nper_dya = 500\n");
    super::messages::assert_message!("provider-unknown-key", workspace, ["check", "news"]);
    workspace.configure("provider = \"ours\"", "[provider.ours]\nlike = \"alimal\"\n");
    super::messages::assert_message!("provider-like-nothing", workspace, ["check", "news"]);
    workspace.configure("provider = \"alimail\"\nregion = \"moon\"", "");
    super::messages::assert_message!("provider-unknown-region", workspace, ["check", "news"]);
    workspace.configure(
        "provider = \"alimail\"\nusername = \"other@aurora-home.example\"\npassword_env = \"P\"",
        "",
    );
    super::messages::assert_message!("from-is-not-the-login", workspace, ["check", "news"]);
}

#[test]
fn what_is_wrong_is_said_in_chinese_too() {
    let workspace = workspace();
    workspace.configure(
        "provider = \"alimail\"\nusername = \"other@aurora-home.example\"\npassword_env = \"P\"",
        "",
    );
    super::messages::assert_message!(
        "from-is-not-the-login-zh",
        workspace,
        ["check", "news", "--lang", "zh"]
    );
    workspace.configure(
        "provider = \"alimail-legacy\"\nusername = \"me@aliyun.com\"\npassword_env = \"P\"",
        "",
    );
    workspace.campaign("news", "from = \"me@aliyun.com\"");
    super::messages::assert_message!("mixed-up-zh", workspace, ["check", "news", "--lang", "zh"]);
    super::messages::assert_message!(
        "providers-unknown-zh",
        workspace,
        ["providers", "alimial", "--lang", "zh"]
    );
}

/// The headers of the first mail, unfolded.
fn headers(workspace: &Workspace, account: &str, campaign: &str) -> Vec<String> {
    workspace.configure(account, "").campaign("news", campaign);
    let eml = workspace.run(&["preview", "news", "--eml"]).expect(0).stdout;
    let head = eml.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    head.lines()
        .filter(|line| line.starts_with("X-"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn tags_stand_in_the_header_that_the_provider_reads() {
    let workspace = workspace();
    let said = "tags = [\"spring\"]\ntrack = [\"opens\"]\n";
    for (account, expected) in [
        (
            "provider = \"directmail\"",
            // {"LinkTrace":"0","OpenTrace":"1","TagName":"spring"}
            vec!["X-AliDM-Trace: eyJMaW5rVHJhY2UiOiIwIiwiT3BlblRyYWNlIjoiMSIsIlRhZ05hbWUiOiJzcHJpbmcifQ=="],
        ),
        (
            "provider = \"sendgrid\"",
            vec![
                "X-SMTPAPI: {\"category\":[\"spring\"],\"filters\":{\"clicktrack\":{\"settings\":{\"enable\":0}},\
                 \"opentrack\":{\"settings\":{\"enable\":1}}}}",
            ],
        ),
        (
            "provider = \"mailgun\"",
            vec![
                "X-Mailgun-Tag: spring",
                "X-Mailgun-Track-Opens: yes",
                "X-Mailgun-Track-Clicks: no",
            ],
        ),
        (
            "provider = \"postmark-broadcast\"\nstream = \"broadcast\"",
            vec![
                "X-PM-Tag: spring",
                "X-PM-Message-Stream: broadcast",
                "X-PM-TrackOpens: true",
                "X-PM-TrackLinks: None",
            ],
        ),
        (
            "provider = \"ses\"\nregion = \"eu-west-1\"\nstream = \"news\"",
            vec!["X-SES-MESSAGE-TAGS: tag=spring", "X-SES-CONFIGURATION-SET: news"],
        ),
        ("provider = \"brevo\"", vec!["X-Mailin-Tag: spring"]),
        ("provider = \"gmail\"", vec![]),
    ] {
        assert_eq!(headers(&workspace, account, said), expected, "{account}");
    }
    assert_eq!(
        headers(&workspace, "provider = \"directmail\"", ""),
        [""; 0],
        "nothing is followed unasked"
    );
}

#[test]
fn tags_are_held_against_the_rules_of_the_provider() {
    let workspace = workspace();
    workspace.configure("provider = \"mailgun\"", "");
    workspace.campaign(
        "news",
        "tags = [\"a\", \"b\", \"春\", \" c\"]\ntrack = [\"clicks\"]\n",
    );
    super::messages::assert_message!("tags-wrong", workspace, ["check", "news"]);
    workspace.configure("provider = \"alimail\"", "");
    workspace.campaign("news", "tags = [\"spring\"]\ntrack = [\"opens\"]\n");
    workspace
        .run(&["check", "news"])
        .expect(0)
        .says(&["alimail reads no tags", "`track` does nothing"]);
    workspace.configure("provider = \"ses\"", "");
    workspace.campaign("news", "tags = [\"spring sale\"]\n");
    workspace.run(&["check", "news"]).expect(65);
}

#[test]
fn a_campaign_goes_on_only_with_the_tags_it_began_with() {
    let sandbox = super::harness::Sandbox::start(&[]);
    let workspace = Workspace::new(
        &format!("{}provider = \"mailgun\"\n", sandbox.account()),
        &people(3),
    );
    workspace.campaign("news", "tags = [\"spring\"]\n");
    workspace.send(&["--limit", "1"]).expect(75);
    workspace.campaign("news", "tags = [\"summer\"]\n");
    workspace
        .send(&[])
        .expect(65)
        .says(&["tags was `spring` and is `summer`"]);
}
