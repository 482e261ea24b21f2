//! With `--lang zh` nobody is spoken to in English: whole commands, their happy ends and their likeliest errors.

use regex::Regex;

use super::harness::{Sandbox, Workspace, people};

/// Words of a line that stand for themselves: what is quoted, servers' replies, addresses, paths, names of products.
fn prose(line: &str) -> Option<String> {
    let quoted = Regex::new(
        "`[^`]*`|\"[^\"]*\"|“[^”]*”|<[^>]*>|\\[[^\\]]*\\]|[245]\\d\\d[ -].*|https?://\\S+|\\S+@\\S+",
    )
    .unwrap();
    let rest = quoted.replace_all(line, "·");
    let words = Regex::new(r"\b[A-Za-z][a-z']+(?: [a-z']{2,}){3,}").unwrap();
    words.find(&rest).map(|found| found.as_str().to_owned())
}

/// Where this speaks English: the command, and the words.
fn english(workspace: &Workspace, arguments: &[&str]) -> Vec<String> {
    let said = workspace
        .run(&[["--lang", "zh"].as_slice(), arguments].concat())
        .text();
    let found = said.lines().filter_map(prose);
    found
        .map(|words| format!("{}: {words}", arguments.join(" ")))
        .collect()
}

const KEYGEN: &[&str] = &[
    "secret",
    "dkim-keygen",
    "--domain",
    "a.example",
    "--selector",
    "m1",
    "--out",
    "m1.pem",
];

#[test]
fn whole_commands_and_their_errors_are_in_chinese() {
    let sandbox = Sandbox::start(&["--fault", "reply@rcpt=550 5.1.1 no such user"]);
    let workspace = Workspace::new(&sandbox.account(), &people(3));
    workspace.campaign("other", "");
    workspace.campaign("wrong", "html = 5\nsubjekt = \"x\"");
    workspace.campaign("lost", "exclude = [\"gone.csv\"]");
    workspace.write(
        "odd.csv",
        "email,name\nno-address,A\nli@example.com,B\nli@example.com,B\nwu@gmial.com,C\n",
    );
    let mut found = Vec::new();
    for arguments in [
        ["check", "news"].as_slice(),
        &["check", "wrong"],
        &["check", "lost"],
        &["check", "nothing-there"],
        &["send", "news", "--dry-run"],
        &["send", "news", "--yes"],
        &["send", "news", "--yes"],
        &["send", "other", "--yes", "--limit", "1"],
        &["send", "wrong", "--yes"],
        &["status"],
        &["status", "news"],
        &["status", "nobody"],
        &["show", "news", "nobody@example.com"],
        &["report", "news"],
        &["resolve", "news"],
        &["list", "inspect", "odd.csv"],
        &["list", "inspect", "gone.csv"],
        &["suppress", "add", "li@example.com"],
        &["suppress", "list"],
        &["suppress", "remove", "mo@example.com", "--reason", "又订阅了"],
        &["suppress", "show", "mo@example.com"],
        &["feedback", "import", "nowhere.eml"],
        &["explain", "550 5.1.1 no such user", "--stage", "rcpt"],
        &["explain", "421 4.7.28 rate"],
        &["unlock", "main"],
        &["secret", "test", "main"],
        &["secret", "lint", "nobody"],
        KEYGEN,
        &["doctor", "a.example", "--resolver", "127.0.0.1:1", "--dns-only"],
        &["providers", "nobody"],
        &["client-config", "main"],
        &["verify", "odd.csv"],
        &["init", "."],
        &["send"],
        &["send", "news", "--limit", "x"],
        &["send", "news", "--nope"],
        &["nope"],
    ] {
        found.extend(english(&workspace, arguments));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_systems_rules_and_files_say_is_in_chinese_too() {
    let workspace = Workspace::new("host = \"127.0.0.1\"\nport = 1", &people(3));
    workspace.write("odd.csv", "email,name\na@example.com,张三\nb@example.com,Anna\n");
    workspace.write("empty.password", "");
    workspace
        .run(&["preview", "news", "--pages", "pages", "--lang", "zh"])
        .expect(0);
    let page = std::fs::read_to_string(workspace.path("pages/line-2.html")).unwrap();
    for words in ["收件人", "下一位 →", "<dt>大小</dt>", "lang=\"zh-CN\""] {
        assert!(page.contains(words), "{words}");
    }
    for (arguments, words) in [
        (["list", "inspect", "odd.csv"].as_slice(), "中文 1, 拉丁字母 1"),
        (&["send", "news", "--yes"], "连接被拒绝"),
        (&["status"], "服务器"),
        (&["sandbox", "--fault", "explode"], "未知的故障 `explode`"),
        (&["sandbox", "--fault", "delay=20"], "`20` 不是时长"),
        (&["sandbox", "--without", "teleport"], "未知的扩展"),
        (&["providers", "alimail"], "1 小时"),
        (
            &["explain", "526 Authentication failure[0]", "--stage", "auth"],
            "许多服务商",
        ),
        (&["explain", "552 5.2.2 mailbox full"], "依据："),
        (&["init", "."], "mailshot.toml"),
        (&["doctor", "a.example", "--resolver", "dns"], "不是 IP 地址"),
        (&["doctor", "a.example", "--watch", "--for", "soon"], "不是时长"),
        (&["show", "--help"], "参数：\n  <CAMPAIGN>"),
    ] {
        let said = workspace.run(&[arguments, &["--lang", "zh"]].concat()).text();
        assert!(said.contains(words), "{arguments:?} does not say {words}: {said}");
        let found: Vec<String> = said.lines().filter_map(prose).collect();
        assert!(found.is_empty(), "{arguments:?}: {found:#?}");
    }
}

#[test]
fn what_is_wrong_with_secrets_is_in_chinese() {
    for (kept, words) in [
        ("password_command = \"exit 3\"", "退出状态 3"),
        ("password_command = \"true\"", "账号 `main` 的密码是空的"),
        ("password_file = \"gone\"", "没有这个文件"),
        ("password_env = \"NOBODY_SETS_THIS\"", "没有设置这个环境变量"),
    ] {
        let account = format!("host = \"127.0.0.1\"\nport = 1\nusername = \"me@example.com\"\n{kept}");
        let workspace = Workspace::new(&account, &people(1));
        let said = workspace.run(&["send", "news", "--yes", "--lang", "zh"]).text();
        assert!(said.contains(words), "{kept}: {said}");
        let found: Vec<String> = said.lines().filter_map(prose).collect();
        assert!(found.is_empty(), "{kept}: {found:#?}");
    }
}

#[test]
fn why_a_campaign_was_stopped_is_on_record_in_both_languages() {
    let sandbox = Sandbox::start(&["--login", "me@example.com:right", "--fault", "auth=535 5.7.8 no"]);
    let login = "username = \"me@example.com\"\npassword_env = \"MAILSHOT_PASSWORD\"\n";
    let mut workspace = Workspace::new(&format!("{}{login}", sandbox.account()), &people(3));
    workspace.env("MAILSHOT_PASSWORD", "wrong");
    workspace.run(&["send", "news", "--yes"]);
    let said = |lang: &str| {
        workspace
            .run(&["status", "news", "--lang", lang])
            .expect(0)
            .stdout
    };
    let (en, zh) = (said("en"), said("zh"));
    for (said, words) in [(&en, "said: 535 5.7.8 no"), (&zh, "答复：535 5.7.8 no")] {
        assert!(said.contains(words), "{said}");
    }
    let found: Vec<String> = zh.lines().filter_map(prose).collect();
    assert!(found.is_empty(), "{found:#?}");
    let json = workspace.run(&["status", "news", "--json"]).expect(0).stdout;
    assert!(json.contains("stopped: the server refused the login"), "{json}");
}

#[test]
fn a_new_workspace_has_comments_in_the_language_of_its_user() {
    let workspace = Workspace::new("host = \"localhost\"", &people(1));
    workspace.run(&["init", "neu", "--lang", "zh"]).expect(0);
    workspace.run(&["init", "new", "--lang", "en"]).expect(0);
    let file = |name: &str| std::fs::read_to_string(workspace.path(name)).unwrap();
    assert!(file("neu/mailshot.toml").starts_with("# 这个文件夹是"));
    assert!(file("neu/campaigns/hello.toml").starts_with("# `mailshot check hello` 会"));
    assert!(file("new/mailshot.toml").starts_with("# This folder is"));
}

#[test]
fn english_is_found_where_there_is_some() {
    assert!(prose("提示：nothing was sent at all").is_some());
    assert!(prose("error: the list has 3 people, and nobody was mailed").is_some());
    assert!(prose("已发 3 封；`mailshot show news ADDRESS with all of it`").is_none());
    assert!(prose("服务器：550 no such user here at all").is_none());
}
