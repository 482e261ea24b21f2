//! Words: subjects that shout or deceive, sentences in capitals, terms that China's law forbids.

use std::ops::Range;

use super::super::source::Source;
use super::super::tags;
use super::Rules;
use crate::campaign::Problem;
use crate::text;

/// Source: 《中华人民共和国广告法》 (2021), article 9(3): 国家级、最高级、最佳 and the like.
const ABSOLUTE: [&str; 24] = [
    "国家级",
    "最高级",
    "最佳",
    "最好",
    "最优",
    "最低价",
    "最便宜",
    "最先进",
    "最大",
    "最新",
    "最强",
    "第一品牌",
    "全国第一",
    "全网第一",
    "销量第一",
    "世界级",
    "顶级",
    "极致",
    "独一无二",
    "绝无仅有",
    "史无前例",
    "万能",
    "100%有效",
    "零风险",
];

/// Letters of a sentence that shouts, at least: more than `SHOP NOW` on a button has.
const SHOUTED_MIN: usize = 20;

/// Looks at the subject.
pub(in crate::render) fn subject(source: &Source, rules: Rules) -> Vec<Problem> {
    let text = source.text.as_str();
    let mut found = Vec::new();
    let mut plain = text.to_owned();
    for tag in tags::find(text).into_iter().rev() {
        plain.replace_range(tag.range, "");
    }
    let (upper, lower) = letters(&plain);
    let whole = 0..text.len();
    if upper >= 8 && lower * 4 < upper {
        found.push(
            source
                .problem(whole.clone(), text!("a subject in capitals"))
                .hint(text!("filters take it for shouting")),
        );
    }
    if ["!!", "！！", "$$$", "???"]
        .iter()
        .any(|marks| plain.contains(marks))
    {
        found.push(
            source
                .problem(whole.clone(), text!("marks one after another in the subject"))
                .hint(text!("filters count them")),
        );
    }
    let start = plain.trim_start().to_lowercase();
    if ["re:", "fw:", "fwd:", "回复:", "回复：", "转发:", "转发："]
        .iter()
        .any(|fake| start.starts_with(fake))
    {
        let problem = source.problem(whole, text!("a subject that pretends to be an answer"));
        found.push(problem.hint(text!(
            "CAN-SPAM forbids subjects that deceive; mailboxes mark them as spam"
        )));
    }
    found.extend(absolute_terms(source, rules));
    found
}

/// Looks at a template of plain text.
pub(in crate::render) fn plain(source: &Source, rules: Rules) -> Vec<Problem> {
    let mut found = absolute_terms(source, rules);
    let mut from = 0;
    for line in source.text.split_inclusive('\n') {
        if let Some(range) = shouted(line) {
            let range = from + range.start..from + range.end;
            let problem = source.problem(range, text!("a sentence in capitals"));
            found.push(problem.hint(text!("filters take it for shouting")));
            break;
        }
        from += line.len();
    }
    found
}

/// Upper and lower case letters of a text.
fn letters(text: &str) -> (usize, usize) {
    let count = |is: fn(char) -> bool| text.chars().filter(|c| is(*c)).count();
    (count(char::is_uppercase), count(char::is_lowercase))
}

/// Where several words stand in capitals, if all of a piece of text does.
pub(super) fn shouted(text: &str) -> Option<Range<usize>> {
    let mut plain = text.to_owned();
    for tag in tags::find(text).into_iter().rev() {
        plain.replace_range(tag.range, " ");
    }
    let (upper, lower) = letters(&plain);
    let start = text.len() - text.trim_start().len();
    let is_sentence = plain.split_whitespace().count() > 2;
    (upper >= SHOUTED_MIN && lower == 0 && is_sentence).then(|| start..text.trim_end().len())
}

/// The words that China's law forbids in advertisements, where that law counts.
pub(super) fn absolute_terms(source: &Source, rules: Rules) -> Vec<Problem> {
    if !rules.is_chinese {
        return Vec::new();
    }
    let text = source.text.as_str();
    let tags = tags::find(text);
    let is_in_tag = |at: usize| tags.iter().any(|tag| tag.range.contains(&at));
    let mut found = Vec::new();
    for term in ABSOLUTE {
        if let Some((at, _)) = text.match_indices(term).find(|(at, _)| !is_in_tag(*at)) {
            let problem = source.problem(at..at + term.len(), text!("`{term}`: an absolute term", term));
            found.push(problem.hint(text!(
                "China's advertising law, article 9, forbids them; say what can be proved"
            )));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn subjects_that_shout_or_deceive_are_found() {
        let said = |text: &str| subject(&Source::new(Path::new("c.toml"), text), Rules::default()).len();
        assert_eq!(said("GREAT SALE FOR {{name}}"), 1);
        assert_eq!(said("Re: your order"), 1);
        assert_eq!(said("Now!!!"), 1);
        assert_eq!(said("Spring is here, {{NAME}}"), 0);
        assert_eq!(said("春天来了"), 0);
    }

    #[test]
    fn sentences_in_capitals_are_found() {
        assert_eq!(shouted("\n THE BIGGEST SALE OF THE YEAR\n"), Some(2..30));
        for fine in [
            "SHOP NOW",
            "THE BIGGEST Sale OF THE YEAR",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "{{A}} {{B}}",
        ] {
            assert_eq!(shouted(fine), None, "{fine}");
        }
    }
}
