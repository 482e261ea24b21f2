//! Whom a list says not to mail, and addresses that are not quite right.

use super::*;

fn fixing() -> ListSettings {
    ListSettings {
        is_fixing: true,
        ..ListSettings::default()
    }
}

fn read_with(text: &str, settings: &ListSettings) -> Vec<String> {
    let written = write(text);
    let list = List::open(&written.path, settings).unwrap();
    rows(&list).into_iter().map(tell).collect()
}

const MARKETING: &str = "Email,Accepts Email Marketing\n\
    a@example.com,yes\n\
    b@example.com,no\n\
    B@EXAMPLE.com,yes\n\
    c@example.com,\n\
    C@example.com,no\n";

#[test]
fn people_who_may_not_be_mailed_are_withheld_from_every_row_of_theirs() {
    assert_eq!(
        read(MARKETING),
        [
            "2 a@example.com a@example.com|yes",
            "3 b@example.com NoConsent Some(1)",
            "4 B@example.com NoConsent None",
            "5 c@example.com NoConsent None",
            "6 C@example.com NoConsent Some(1)",
        ]
    );
}

#[test]
fn consent_is_ignored_only_when_the_user_says_so() {
    let settings = ListSettings {
        ignores_consent: true,
        ..ListSettings::default()
    };
    let read = read_with(MARKETING, &settings);
    assert_eq!(read[1], "3 b@example.com b@example.com|no");
}

const SLIPS: &str = "email\nzhang＠example.com\nli@example。com\n张三<a@example.com>\nb@gmial.com\n\"a@b.com;c@d.com\"\nＡ@example.com\n";

#[test]
fn repairs_are_proposed_and_not_made() {
    let (list, _folder) = open(SLIPS);
    let hints: Vec<String> = rows(&list)
        .into_iter()
        .filter_map(|row| match row {
            Row::Rejected(rejected) => rejected.problem.hint,
            _ => None,
        })
        .collect();
    assert_eq!(
        hints,
        [
            "--fix makes it `zhang@example.com`",
            "--fix makes it `li@example.com`",
            "--fix makes it `a@example.com`",
            "give each address a row of its own",
        ]
    );
}

#[test]
fn repairs_are_made_when_the_user_says_so() {
    let read = read_with(SLIPS, &fixing());
    assert_eq!(
        read,
        [
            "2 zhang@example.com zhang＠example.com",
            "3 li@example.com li@example。com",
            "4 a@example.com 张三<a@example.com>",
            "5 b@gmail.com b@gmial.com",
            "6:2 several addresses in one cell",
            "7:1 letters outside ASCII before the `@`; most mail servers cannot take them (SMTPUTF8)",
        ]
    );
}

#[test]
fn attributes_in_json_become_columns_behind_the_others() {
    let text = "\nemail,name,attributes\n\
        a@example.com,Anna,\"{\"\"city\"\": \"\"Berlin\"\", \"\"orders\"\": 3, \"\"name\"\": \"\"A\"\"}\"\n\
        \n\"b@example.com\",\"Bert\nB.\",{}\n\
        bad@@example.com,x,\nc@example.com,Carl,\"{\"\"tags\"\": [1, 2]}\"\n";
    let (list, _folder) = open(text);
    assert_eq!(
        list.columns().headers,
        [
            "email",
            "name",
            "attributes",
            "city",
            "attributes_name",
            "orders",
            "tags"
        ]
    );
    let rows: Vec<String> = rows(&list).into_iter().map(tell).collect();
    assert_eq!(
        rows,
        [
            "3 a@example.com a@example.com|Anna|{\"city\": \"Berlin\", \"orders\": 3, \"name\": \"A\"}|Berlin|A|3|",
            "5 b@example.com b@example.com|Bert\nB.|{}||||",
            "7:1 two `@`; an address has one",
            "8 c@example.com c@example.com|Carl|{\"tags\": [1, 2]}||||[1,2]",
        ]
    );
    assert_eq!(read_again(&list), 3);
}

#[test]
fn a_column_that_is_called_data_and_holds_none_is_left_alone() {
    let (list, _folder) = open("email,data\na@example.com,{}\nb@example.com,42 items\n");
    assert_eq!(list.columns().headers, ["email", "data"]);
}
