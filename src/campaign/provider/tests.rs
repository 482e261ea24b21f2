use std::collections::BTreeSet;

use toml::Table;

use super::facts::KEYS;
use super::*;

fn file() -> Table {
    toml::from_str(include_str!("providers.toml")).unwrap()
}

/// The tables of presets as they stand in the file.
fn presets() -> Vec<(String, Table)> {
    let all = file().into_iter().filter(|(name, _)| name != "source");
    all.map(|(name, table)| (name, table.try_into().unwrap()))
        .collect()
}

#[test]
fn every_preset_in_the_file_can_be_read() {
    let written = presets();
    assert!(written.len() >= 25, "{}", written.len());
    for (name, _) in &written {
        let preset = preset(name).unwrap_or_else(|| {
            let table = built_in().entries[name].table.clone();
            panic!("{name}: {:?}", table.try_into::<Values>().unwrap_err())
        });
        assert!(!preset.host().is_empty(), "{name}");
        assert!(preset.port().is_some(), "{name}");
        assert!(
            preset.values.title.is_some() && preset.values.family.is_some(),
            "{name}"
        );
        assert!(!preset.values.quirks.is_empty(), "{name}");
    }
    let alimail = preset("alimail").unwrap();
    assert_eq!(alimail.host(), "smtp.qiye.aliyun.com");
    assert_eq!(alimail.values.size_max.unwrap().0, 50 * 1_024 * 1_024);
    let rates: Vec<String> = alimail.rates().iter().map(ToString::to_string).collect();
    assert_eq!(rates, ["20/min", "200/day"]);
}

#[test]
fn every_value_has_a_source_and_what_is_not_known_says_so() {
    for preset in built_in().all() {
        for fact in built_in().facts(&preset) {
            let name = format!("{}: {}", preset.name, fact.key);
            let is_word = matches!(fact.key, "family" | "kind");
            match fact.known {
                Known::Value(_) => assert!(fact.source.is_some() || is_word, "{name} has no source"),
                Known::Unknown | Known::None => {
                    let origins = &built_in().entry(&preset.name).unwrap().origins;
                    assert!(
                        origins.contains_key(fact.key),
                        "{name} is not even called unknown"
                    );
                }
            }
        }
        for quirk in &preset.values.quirks {
            assert!(
                quirk
                    .from
                    .as_deref()
                    .and_then(|from| built_in().source(from))
                    .is_some(),
                "{}: {quirk:?}",
                preset.name
            );
            assert_ne!(quirk.in_lang(Lang::En), quirk.in_lang(Lang::Zh));
        }
    }
}

#[test]
fn every_source_is_used_and_dated() {
    let text = include_str!("providers.toml");
    for (name, source) in built_in().sources() {
        assert!(
            text.contains(&format!("from = \"{name}\"")),
            "nothing comes from {name}"
        );
        assert!(source.date.parse::<jiff::civil::Date>().is_ok(), "{name}");
        assert!(
            source.kind != SourceKind::Official || source.url.is_some(),
            "{name}"
        );
    }
}

#[test]
fn no_key_is_both_known_and_unknown() {
    for (name, table) in presets() {
        let listed = |key: &str| -> Vec<String> {
            let list = table.get(key).and_then(toml::Value::as_array);
            let texts = list.into_iter().flatten().filter_map(toml::Value::as_str);
            texts.map(str::to_owned).collect()
        };
        let all: Vec<String> = [listed("unknown"), listed("none")].concat();
        let unique: BTreeSet<&String> = all.iter().collect();
        assert_eq!(unique.len(), all.len(), "{name}: a key is listed twice");
        for key in all {
            assert!(KEYS.contains(&key.as_str()), "{name}: `{key}` is no key");
            assert!(!table.contains_key(&key), "{name}: `{key}` is both");
        }
    }
}

#[test]
fn a_region_has_its_own_host_and_the_rest_of_its_provider() {
    for (name, host) in [
        ("alimail-sg", "smtp.sg.aliyun.com"),
        ("alimail-legacy", "smtp.mxhichina.com"),
        ("directmail-us", "smtpdm-us-east-1.aliyuncs.com"),
        ("ses-eu-west-1", "email-smtp.eu-west-1.amazonaws.com"),
        ("mailgun-eu", "smtp.eu.mailgun.org"),
        ("postmark-broadcast", "smtp-broadcasts.postmarkapp.com"),
        ("exmail-hw", "hwsmtp.exmail.qq.com"),
    ] {
        let preset = preset(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!((preset.host(), preset.name.as_str()), (host, name));
    }
    for name in [
        "alimail-xx",
        "gmail-eu",
        "ses-",
        "ses-*",
        "ses-a.b",
        "-sg",
        "alimail-",
    ] {
        assert!(preset(name).is_none(), "{name}");
    }
}

#[test]
fn confidence_follows_from_who_says_so() {
    let alimail = preset("alimail").unwrap();
    let facts = built_in().facts(&alimail);
    let confidence = |key: &str| {
        let fact = facts.iter().find(|fact| fact.key == key).unwrap();
        fact.source.map(|source| source.kind.confidence())
    };
    assert_eq!(confidence("host"), Some(Confidence::A));
    assert_eq!(confidence("auth"), Some(Confidence::B));
    assert_eq!(confidence("per_day"), Some(Confidence::C));
    assert_eq!(confidence("connections"), Some(Confidence::Choice));
    assert_eq!(confidence("dkim"), None);
}

use crate::words::Lang;
