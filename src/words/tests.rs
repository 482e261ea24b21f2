use std::collections::BTreeSet;
use std::path::Path;

use super::*;

/// The names of a sentence's gaps.
fn gaps(template: &str) -> BTreeSet<String> {
    let found = std::cell::RefCell::new(BTreeSet::new());
    fill(template, Lang::En, |name| {
        found.borrow_mut().insert(name.to_owned());
        None
    });
    found.into_inner()
}

/// A literal behind its quote, as it is after the compiler has read its escapes, and what stands behind it.
fn literal(source: &str) -> (String, &str) {
    let (mut text, mut chars) = (String::new(), source.chars());
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('n') => text.push('\n'),
                Some('\n') => chars = chars.as_str().trim_start().chars(),
                Some(other) => text.push(other),
                None => break,
            },
            other => text.push(other),
        }
    }
    (text, chars.as_str())
}

/// The English sentences of a source file.
fn said_in(source: &str) -> Vec<String> {
    let calls = source.split("text!(").skip(1);
    let literals = calls.filter_map(|after| after.trim_start().strip_prefix('"'));
    literals.map(|after| literal(after).0).collect()
}

/// All strings of a source file.
fn strings_in(source: &str) -> Vec<String> {
    let code = source.replace("'\"'", "' '");
    let (mut found, mut rest) = (Vec::new(), code.as_str());
    while let Some((_, after)) = rest.split_once('"') {
        let (text, behind) = literal(after);
        found.push(text);
        rest = behind;
    }
    found
}

/// A sentence with all its gaps nameless.
fn nameless(template: &str) -> String {
    fill(template, Lang::En, |_| Some("{}".to_owned()))
}

/// What `what` finds in the sources, without their tests.
fn in_sources(what: impl Fn(&str) -> Vec<String>) -> BTreeSet<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut all = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let is_code = |line: &&str| !line.trim_start().starts_with("//");
                let text = text.lines().filter(is_code).collect::<Vec<_>>().join("\n");
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                if !path
                    .components()
                    .any(|part| part.as_os_str().to_string_lossy().starts_with("tests"))
                {
                    all.extend(what(code));
                }
            }
        }
    }
    all
}

/// Every sentence that the program can say.
fn all_said() -> BTreeSet<String> {
    in_sources(said_in)
}

#[test]
fn every_sentence_exists_in_chinese_with_the_same_gaps() {
    let missing: Vec<String> = all_said()
        .into_iter()
        .filter(|english| match translated(english, Lang::Zh) {
            // What is nothing but gaps and signs is the same in every language.
            None => fill(english, Lang::En, |_| Some(String::new()))
                .chars()
                .any(char::is_alphabetic),
            Some(chinese) => gaps(english) != gaps(chinese),
        })
        .collect();
    assert!(missing.is_empty(), "missing, or with other gaps: {missing:#?}");
}

#[test]
fn nothing_is_translated_that_nobody_says() {
    let said = all_said();
    let recalled: HashMap<String, String> = toml::from_str(&[KEPT, LIBRARY].join("\n")).unwrap();
    let more: Vec<&String> = CHINESE
        .keys()
        .filter(|english| !said.contains(*english) && !recalled.contains_key(*english))
        .collect();
    assert!(more.is_empty(), "nobody says {more:#?}");
}

#[test]
fn every_sentence_that_is_recognised_stands_in_the_code() {
    let strings = in_sources(|source| {
        let strings = strings_in(source);
        // Some are texts with gaps, and some are not.
        strings
            .iter()
            .map(|text| nameless(text))
            .chain(strings.iter().cloned())
            .collect()
    });
    let recalled: HashMap<String, String> = toml::from_str(KEPT).unwrap();
    let gone: Vec<&String> = recalled
        .keys()
        .filter(|english| !strings.contains(&nameless(english)))
        .collect();
    assert!(gone.is_empty(), "no such string is left in the code: {gone:#?}");
    let other_gaps: Vec<&String> = recalled
        .iter()
        .filter(|(english, chinese)| gaps(english) != gaps(chinese))
        .map(|(english, _)| english)
        .collect();
    assert!(other_gaps.is_empty(), "{other_gaps:#?}");
}

#[test]
fn no_sentence_is_said_as_if_it_were_a_name() {
    // What must be said in every language is a `text!`; `Text::from` is for what is the same in all of them.
    let words = |source: &str| {
        let mut found = Vec::new();
        for marker in ["Text::from(\"", "Text::from(format!(\"", "Text::Plain(\""] {
            let literals = source.split(marker).skip(1).map(|after| literal(after).0);
            found.extend(literals.filter(|text| {
                let is_word = |word: &&str| word.len() > 2 && word.chars().all(|c| c.is_ascii_lowercase());
                text.split(' ').filter(is_word).count() > 1
            }));
        }
        found
    };
    let found = in_sources(words);
    assert!(found.is_empty(), "in English alone: {found:#?}");
}

#[test]
fn what_was_kept_in_english_is_recognised() {
    let zh = |text: &str| Text::kept(text).in_lang(Lang::Zh);
    for (kept, shown) in [
        ("no longer on the list", "已不在名单上"),
        (
            "given up after 8 tries: 451 4.7.1 try again later",
            "试了 8 次后放弃：451 4.7.1 try again later",
        ),
        (
            "given up after 8 tries: the server closed the connection",
            "试了 8 次后放弃：服务器关闭了连接",
        ),
        // What a server or a user has said is not ours to translate.
        ("550 no longer on the list", "550 no longer on the list"),
        // What begins like a sentence of ours is not that sentence.
        ("write a number and ms, s or m", "write a number and ms, s or m"),
        ("write mails/a b.eml", "写入 mails/a b.eml"),
        ("asked by phone", "asked by phone"),
        ("{name}", "{name}"),
    ] {
        assert_eq!(zh(kept), shown);
        assert_eq!(Text::kept(kept).to_string(), kept);
    }
}

#[test]
fn what_is_on_record_is_said_in_either_language() {
    let text = text!("stopped: {why}", why = "535 5.7.8 no");
    let recalled = Text::recalled(&text.on_record());
    for lang in [Lang::En, Lang::Zh] {
        assert_eq!(recalled.in_lang(lang), text.in_lang(lang));
    }
    // Records of older versions have English alone.
    let old = Text::recalled("no longer on the list");
    assert_eq!(old.in_lang(Lang::Zh), "已不在名单上");
}

#[test]
fn an_error_of_ours_is_said_in_chinese_and_so_is_what_led_to_it() {
    use anyhow::Context as _;
    let failed: anyhow::Result<()> = Err(text!("{path} is not a file", path = "a b").into());
    let error = failed.context("read the password").unwrap_err();
    assert_eq!(Text::error(&error).in_lang(Lang::Zh), "读取密码：a b 不是文件");
    assert_eq!(
        Text::error(&error).to_string(),
        "read the password: a b is not a file"
    );
}

#[test]
fn every_file_of_sentences_can_be_read_and_none_says_the_same_as_another() {
    let mut count = 0;
    for file in ZH {
        count += toml::from_str::<HashMap<String, String>>(file).unwrap().len();
    }
    assert_eq!(count, CHINESE.len());
}

#[test]
fn gaps_are_filled_and_braces_stay_braces() {
    let name = "{b}";
    let text = text!(
        "`{{{{{name}}}}}` is {what}, {n}",
        name,
        what = "a } brace",
        n = 3_u64
    );
    assert_eq!(text.to_string(), "`{{{b}}}` is a } brace, 3");
    assert_eq!(fill("{unknown} { {}", Lang::En, |_| None), "{unknown} { {}");
    let both = Text::joined([text, Text::from("x")], "; ");
    assert_eq!(both.in_lang(Lang::Zh), "`{{{b}}}` is a } brace, 3; x");
}

#[test]
fn a_blank_parts_letters_from_chinese_characters() {
    let text = |domain: &str, title: &str| {
        text!(
            "{domain} belongs to {title}: provider = \"{name}\"",
            domain,
            title,
            name = "x"
        )
    };
    let said = |domain, title| text(domain, title).in_lang(Lang::Zh);
    assert_eq!(
        said("gmail.com", "Gmail"),
        "gmail.com 属于 Gmail：provider = \"x\""
    );
    assert_eq!(said("qq.com", "腾讯"), "qq.com 属于腾讯：provider = \"x\"");
    assert_eq!(
        fill("第{n}行，“{name}”", Lang::Zh, |_| Some("3".to_owned())),
        "第 3 行，“3”"
    );
    assert_eq!(fill("第{n}行", Lang::En, |_| Some("3".to_owned())), "第3行");
    let seconds = |_: &str| Some("2 秒".to_owned());
    assert_eq!(fill("等了 {n} 仍未完成", Lang::Zh, seconds), "等了 2 秒仍未完成");
    let one = |_: &str| Some("一封信".to_owned());
    assert_eq!(fill("发了 {n}，列  {n}", Lang::Zh, one), "发了一封信，列  一封信");
    assert_eq!(fill("a{n}b{n}", Lang::Zh, |_| Some(String::new())), "ab");
}

#[test]
fn the_language_is_that_of_the_locale() {
    for (locale, lang) in [
        ("zh_CN.UTF-8", Lang::Zh),
        ("zh-Hans-CN", Lang::Zh),
        ("ZH", Lang::Zh),
        ("en_GB.UTF-8", Lang::En),
        ("de-DE", Lang::En),
        ("C", Lang::En),
        ("", Lang::En),
    ] {
        assert_eq!(Lang::of_locale(locale), lang, "{locale}");
    }
}
