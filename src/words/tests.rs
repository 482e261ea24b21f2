use std::collections::BTreeSet;
use std::path::Path;

use super::*;

/// The names of a sentence's gaps.
fn gaps(template: &str) -> BTreeSet<String> {
    let found = std::cell::RefCell::new(BTreeSet::new());
    fill(template, |name| {
        found.borrow_mut().insert(name.to_owned());
        None
    });
    found.into_inner()
}

/// The English sentences of a source file, as they are after the compiler has read their escapes.
fn said_in(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for after in source.split("text!(").skip(1) {
        let Some(literal) = after.trim_start().strip_prefix('"') else {
            continue;
        };
        let (mut text, mut chars) = (String::new(), literal.chars().peekable());
        while let Some(c) = chars.next() {
            match c {
                '"' => break,
                '\\' => match chars.next() {
                    Some('n') => text.push('\n'),
                    Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                    Some(other) => text.push(other),
                    None => break,
                },
                other => text.push(other),
            }
        }
        found.push(text);
    }
    found
}

/// Every sentence that the program can say.
fn all_said() -> BTreeSet<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut all = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("words/mod.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                if !path
                    .components()
                    .any(|part| part.as_os_str().to_string_lossy().starts_with("tests"))
                {
                    all.extend(said_in(code));
                }
            }
        }
    }
    all
}

#[test]
fn every_sentence_exists_in_chinese_with_the_same_gaps() {
    let missing: Vec<String> = all_said()
        .into_iter()
        .filter(|english| match translated(english, Lang::Zh) {
            // What is nothing but gaps and signs is the same in every language.
            None => fill(english, |_| Some(String::new()))
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
    let kept: Vec<&String> = CHINESE
        .keys()
        .filter(|english| !said.contains(*english))
        .collect();
    assert!(kept.is_empty(), "nobody says {kept:#?}");
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
    assert_eq!(fill("{unknown} { {}", |_| None), "{unknown} { {}");
    let both = Text::joined([text, Text::from("x")], "; ");
    assert_eq!(both.in_lang(Lang::Zh), "`{{{b}}}` is a } brace, 3; x");
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
