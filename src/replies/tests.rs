use serde::Deserialize;

use super::*;

/// A reply with what it must be taken for, as `tests/replies/*.jsonl` have them.
#[derive(Debug, Deserialize)]
struct Expected {
    id: String,
    provider: String,
    stage: String,
    raw: String,
    class: Class,
    scope: Option<Scope>,
    retry: Option<Retry>,
    suppress: Option<bool>,
}

fn understood(provider: &str, stage: &str, raw: &str) -> Verdict {
    let (reply, _) = pasted(raw);
    let rules = Rules::built_in();
    let circumstances = Circumstances {
        stage: stage.parse().ok(),
        provider: &families(provider),
        destination: Some(provider),
    };
    rules.meaning(&reply, circumstances).verdict
}

/// The names that files of replies use for providers, in ours.
fn families(provider: &str) -> Vec<String> {
    let family = match provider {
        "alimail" | "aliyun-mx" => "alibaba",
        "qq" => "tencent",
        "gmail" => "google",
        other => other,
    };
    vec![provider.to_owned(), family.to_owned()]
}

fn check(lines: &str) {
    let wrong: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<Expected>(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .filter_map(|row| {
            let got = understood(&row.provider, &row.stage, &row.raw);
            let is_right = got.class == row.class
                && row.scope.is_none_or(|scope| scope == got.scope)
                && row.retry.is_none_or(|retry| retry == got.retry)
                && row.suppress.is_none_or(|suppress| suppress == got.suppress);
            (!is_right).then(|| {
                format!(
                    "{} {} {}: {} is {:?}, not {got:?}",
                    row.id, row.provider, row.stage, row.raw, row.class
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn known_replies_are_what_they_are() {
    check(include_str!("../../tests/replies/known.jsonl"));
}

#[test]
fn replies_that_providers_document_and_servers_are_known_to_give_are_what_they_are() {
    check(include_str!("../../tests/replies/more.jsonl"));
}

#[test]
fn the_files_can_be_read_and_every_class_says_what_follows_and_what_to_do() {
    let _rules: RuleFile = toml::from_str(include_str!("rules.toml")).unwrap();
    let classes: BTreeMap<Class, Consequence> = toml::from_str(include_str!("classes.toml")).unwrap();
    let missing: Vec<_> = Class::ALL
        .iter()
        .filter(|class| !classes.contains_key(class))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    for (class, consequence) in classes {
        for text in [consequence.meaning, consequence.advice] {
            assert!(!text.en.is_empty() && !text.zh.is_empty(), "{class}");
        }
    }
}

#[test]
fn what_the_program_knows_by_itself_is_what_the_file_says() {
    let rules = Rules::built_in();
    for verdict in [
        Verdict::NETWORK,
        Verdict::UNCERTAIN,
        Verdict::TLS,
        Verdict::CONFIG,
    ] {
        assert_eq!(rules.of_class(verdict.class, None).verdict, verdict);
    }
}

#[test]
fn every_rule_says_where_it_comes_from() {
    let nameless: Vec<_> = Rules::built_in()
        .in_order
        .iter()
        .filter(|rule| rule.source.en.is_empty())
        .map(|rule| rule.class)
        .collect();
    assert!(nameless.is_empty(), "{nameless:?}");
}
