//! `where`: what it chooses, and what it says of mistakes.

use proptest::prelude::*;

use super::super::columns::variable;
use super::super::filter::*;
use super::*;

fn columns() -> Columns {
    let headers: Vec<String> = ["Email", "Country", "Total Spent", "姓名", "Signed up"]
        .map(str::to_owned)
        .into();
    Columns {
        names: headers.iter().map(|header| variable(header)).collect(),
        headers,
        email: 0,
    }
}

fn row() -> StringRecord {
    StringRecord::from(vec!["li@example.com", "DE", "1,234.50", "张三", "2026-03-01"])
}

#[test]
fn conditions_choose_rows() {
    for (text, is_meant) in [
        ("country = 'DE'", true),
        ("country = 'de'", false),
        ("country ilike 'de'", true),
        ("Country <> 'FR' and total_spent > 100", true),
        ("country = 'FR' or total_spent >= 1234.5", true),
        ("not (country = 'DE')", false),
        ("100 < total_spent", true),
        ("total_spent < -1", false),
        ("country in ('FR', 'DE')", true),
        ("country not in ('FR', 'DE')", false),
        ("total_spent between 1000 and 2000", true),
        ("姓名 like '张%'", true),
        ("\"Total Spent\" > 1000", true),
        ("email like '%@example.com'", true),
        ("email like '__@%'", true),
        ("email like '%@example'", false),
        ("signed_up >= '2026-01-01' and signed_up < '2026-04-01'", true),
        ("姓名 is not null", true),
        ("country is null", false),
    ] {
        let filter = Filter::parse(text, &columns()).unwrap();
        assert_eq!(filter.matches(&row()), Ok(is_meant), "{text}");
    }
}

#[test]
fn an_empty_cell_is_neither_greater_nor_smaller() {
    let row = StringRecord::from(vec!["li@example.com", "", "", "", ""]);
    for (text, is_meant) in [
        ("total_spent > 0", false),
        ("total_spent <= 0", false),
        ("country = ''", true),
        ("country <> 'DE'", true),
        ("country is null", true),
    ] {
        let filter = Filter::parse(text, &columns()).unwrap();
        assert_eq!(filter.matches(&row), Ok(is_meant), "{text}");
    }
}

#[test]
fn a_cell_that_is_no_number_is_a_problem() {
    let filter = Filter::parse("country > 5", &columns()).unwrap();
    let fault = filter.matches(&row()).unwrap_err();
    assert_eq!(fault.column, 1);
    assert_eq!(fault.what, "`DE` is no number, and `where` compares it with one");
    for cell in ["1,2", "1.2.3", "inf", "nan", "12,34,567", "1,234,56"] {
        assert_eq!(number_of(cell), None, "{cell}");
    }
}

#[test]
fn days_are_compared_as_days_whatever_their_form() {
    let matches = |text: &str, cell: &str| {
        let row = StringRecord::from(vec!["li@example.com", "DE", "5", "张三", cell]);
        Filter::parse(text, &columns()).unwrap().matches(&row)
    };
    for (text, cell, is_meant) in [
        ("signed_up < '2026-12-31'", "2026/3/1", true),
        ("signed_up > '2026-02-10'", "2026-2-9", false),
        ("'2026-02-28' < signed_up", "2026年3月1日", true),
        ("signed_up = '2026-03-01'", "2026.03.01", true),
        ("signed_up in ('2026-03-01')", "2026/3/1", true),
        (
            "signed_up between '2026-03-01' and '2026-03-31'",
            "2026-03-05T10:00:00Z",
            true,
        ),
        ("signed_up > '2026-03-01 09:00'", "2026-03-01 10:00", true),
        ("signed_up > '2026-03-01'", "", false),
        ("country > 'B'", "2026-03-01", true),
    ] {
        assert_eq!(matches(text, cell), Ok(is_meant), "{text}: {cell}");
    }
    for cell in ["01.03.2026", "3/1/2026", "soon", "2026-13-01", "2026-03-01x"] {
        let fault = matches("signed_up >= '2026-01-01'", cell).unwrap_err();
        assert!(
            fault
                .what
                .to_string()
                .starts_with(&format!("`{cell}` is no day such as")),
            "{}",
            fault.what
        );
    }
}

#[test]
fn mistakes_are_explained() {
    for (text, what, hint) in [
        (
            "total_spent > '100'",
            "`'100'` is text, and by its letters 99 is greater than 100",
            "write 100 without quotes",
        ),
        (
            "total_spent between '1' and '2'",
            "`'1'` is text",
            "without quotes",
        ),
        (
            "country = 'DE' && total_spent > 100",
            "is not a column",
            "write `and` for `&&`",
        ),
        (
            "contry = 'DE'",
            "the list has no column `contry`",
            "did you mean `country`?",
        ),
        (
            "country = DE",
            "the list has no column `DE`",
            "text stands in single quotes",
        ),
        (
            "country = 'DE' and",
            "the condition ends too early",
            "write it like",
        ),
        (
            "country = 'DE' drop",
            "`drop` is one word too many",
            "write it like",
        ),
        ("country = 'DE", "unterminated", "write it like"),
        (
            "total_spent > country",
            "`total_spent > country` compares two columns",
            "single quotes",
        ),
        ("lower(country) = 'de'", "`lower(country)` is not a column", ""),
        ("select 1", "", ""),
    ] {
        let refused = Filter::parse(text, &columns()).unwrap_err();
        assert!(refused.what.to_string().contains(what), "{text}: {refused:?}");
        assert!(
            refused.hint.unwrap_or_default().to_string().contains(hint),
            "{text}"
        );
    }
}

#[test]
fn mistakes_are_pointed_at() {
    for (text, words) in [
        ("country = 'DE' and contry = 'FR'", "contry"),
        ("country = 'DE' drop", "drop"),
        ("country = 'DE' and lower(country) = 'de'", "lower(country"),
        ("姓名 = '张三' and 城市 = 'x'", "城市"),
        ("Total Spent > 5", "Spent"),
    ] {
        let refused = Filter::parse(text, &columns()).unwrap_err();
        let (column, width) = refused.place.unwrap();
        let pointed: String = text.chars().skip(column - 1).take(width).collect();
        assert_eq!(pointed, words, "{text}");
    }
    let refused = Filter::parse("Total Spent > 5", &columns()).unwrap_err();
    assert_eq!(
        refused.hint.map(|hint| hint.to_string()).as_deref(),
        Some("write the column `Total Spent` as total_spent, or between backticks")
    );
    assert!(Filter::parse("`Total Spent` > 5", &columns()).is_ok());
    let refused = Filter::parse("country = )", &columns()).unwrap_err();
    assert_eq!(refused.place, Some((11, 1)));
    assert!(!refused.what.to_string().contains("column:"), "{refused:?}");
}

#[test]
fn yes_and_no_are_what_lists_write_for_them() {
    let parse = |text: &str| Filter::parse(text, &columns()).unwrap();
    let row = |cell: &str| StringRecord::from(vec!["li@example.com", cell]);
    for (cell, is_true) in [
        ("TRUE", true),
        ("True", true),
        ("true", true),
        ("1", true),
        ("yes", true),
        ("是", true),
        ("FALSE", false),
        ("0", false),
        ("No", false),
        ("否", false),
    ] {
        assert_eq!(parse("country = true").matches(&row(cell)), Ok(is_true), "{cell}");
        assert_eq!(
            parse("country <> false").matches(&row(cell)),
            Ok(is_true),
            "{cell}"
        );
        assert_eq!(
            parse("country in (false)").matches(&row(cell)),
            Ok(!is_true),
            "{cell}"
        );
    }
    assert_eq!(parse("country = false").matches(&row("")), Ok(false));
    let misfit = parse("country = true").matches(&row("gold")).unwrap_err();
    assert!(
        misfit
            .what
            .to_string()
            .starts_with("`gold` is neither a yes nor a no"),
        "{misfit:?}"
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[a-z_'%()<>=0-9 ,.-]{0,60}|\\PC{0,40}") {
        if let Ok(filter) = Filter::parse(&text, &columns()) {
            let _either = filter.matches(&row());
        }
    }

    #[test]
    fn patterns_are_those_of_a_regular_expression(pattern in "[ab%_]{0,8}", cell in "[ab]{0,8}") {
        fn slow(pattern: &[char], cell: &[char]) -> bool {
            match (pattern, cell) {
                ([], []) => true,
                (['%', rest @ ..], _) => slow(rest, cell) || (!cell.is_empty() && slow(pattern, &cell[1..])),
                (['_', rest @ ..], [_, more @ ..]) => slow(rest, more),
                ([c, rest @ ..], [d, more @ ..]) if c == d => slow(rest, more),
                _ => false,
            }
        }
        let (p, c): (Vec<char>, Vec<char>) = (pattern.chars().collect(), cell.chars().collect());
        prop_assert_eq!(Pattern::new(&pattern, false).matches(&cell), slow(&p, &c));
    }
}
