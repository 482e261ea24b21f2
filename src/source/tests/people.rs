//! Whom a list says not to mail, and addresses that are not quite right.

use super::*;

use crate::words::Text;

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
        consent: crate::campaign::list::Consent::Ignored,
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
            Row::Rejected(rejected) => rejected.problem.hint.map(|hint| hint.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(
        hints,
        [
            "--fix makes it `zhang@example.com`",
            "--fix makes it `li@example.com`",
            "--fix makes it `a@example.com`",
            "give each address a row of its own, as `mailshot list fix` does",
            "type them plain",
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
            "6:2 several addresses, not one",
            "7:1 characters before the `@` that stand for others, such as full-width letters",
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
            "8 c@example.com c@example.com|Carl|{\"tags\": [1, 2]}||||[1, 2]",
        ]
    );
    assert_eq!(read_again(&list), 3);
}

#[test]
fn attributes_of_several_lines_do_not_move_the_rows_behind_them() {
    let text = "email,attributes\na@example.com,\"{\"\"note\"\": \"\"1 Road\\nFloor 2\"\", \"\"City\"\": 1, \"\"city\"\": 2}\"\nbad,\nc@example.com,{}\n";
    let (list, _folder) = open(text);
    // Templates do not tell `City` from `city`.
    assert_eq!(list.columns().headers[2..], ["City", "attributes_city", "note"]);
    let rows: Vec<String> = rows(&list).into_iter().map(tell).collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[1].starts_with("3:1 "), "{rows:?}");
    assert!(rows[2].starts_with("4 c@example.com"), "{rows:?}");
    assert_eq!(read_again(&list), 2);
}

#[test]
fn numbers_among_attributes_stay_as_they_are_written() {
    let text = "email,attributes\na@example.com,\"{\"\"id\"\": 12345678901234567890123, \"\"price\"\": 1.10, \"\"no\"\": 1e2, \"\"vip\"\": true, \"\"note\"\": \"\"\\u5f20\"\"}\"\n";
    let (list, _folder) = open(text);
    assert_eq!(list.columns().headers[2..], ["id", "no", "note", "price", "vip"]);
    let Row::Usable(first) = &rows(&list)[0] else {
        panic!("no person")
    };
    let values: Vec<&str> = first.values.iter().skip(2).collect();
    assert_eq!(values, ["12345678901234567890123", "1e2", "张", "1.10", "true"]);
}

#[test]
fn an_attribute_that_is_called_like_the_address_does_not_make_it_ask() {
    let text = "Email,attributes\na@example.com,\"{\"\"Email Address\"\": \"\"b@example.com\"\"}\"\n";
    let (list, _folder) = open(text);
    assert_eq!(
        (list.columns().email, list.columns().names[2].as_str()),
        (0, "email_address")
    );
}

#[test]
fn rows_among_attributes_are_shown_and_counted_as_the_file_has_them() {
    let text = "email,name,attributes\na@example.com,A,\"{\"\"x\"\": 1, \"\"y\"\": 2}\"\nb@example.com,B\n\
        c@example.com,C,city Berlin\nd@example.com,D,{},,\ne@example.com,E,{},5,6\nbad,F,\"{\"\"x\"\": 7}\"\n";
    let (list, _folder) = open(text);
    let found = rows(&list);
    let told: Vec<String> = found.iter().cloned().map(tell).collect();
    assert_eq!(
        told[1..],
        [
            "3:1 2 cells in this row; the header has 3",
            "4:17 this is no JSON, as the other rows have in this column",
            "5 d@example.com d@example.com|D|{}||",
            "6:1 more cells in this row than the 3 of the header",
            "7:1 no `@`; an address is name@domain",
        ]
    );
    let Row::Rejected(bad_row) = &found[5] else {
        panic!("{found:?}")
    };
    let own = "bad,F,\"{\"\"x\"\": 7}\"";
    assert_eq!(
        (bad_row.raw.as_str(), bad_row.problem.source.as_deref()),
        (own, Some(own))
    );
    let settings = ListSettings {
        filter: Some(crate::campaign::list::Said {
            text: "x = true and y > 1".to_owned(),
            at: Problem::at(Path::new("c.toml"), 1, 1, Text::default()),
        }),
        ..ListSettings::default()
    };
    let written = write("email,attributes\na@example.com,\"{\"\"x\"\": true, \"\"y\"\": \"\"many\"\"}\"\n");
    let list = List::open(&written.path, &settings).unwrap();
    let Row::Rejected(misfit) = &rows(&list)[0] else {
        panic!("no misfit")
    };
    // What does not fit stands in the cell of JSON.
    assert_eq!((misfit.problem.line, misfit.problem.column), (2, 16));
}

#[test]
fn a_column_that_is_called_data_and_holds_none_is_left_alone() {
    let (list, _folder) = open("email,data\na@example.com,{}\nb@example.com,42 items\n");
    assert_eq!(list.columns().headers, ["email", "data"]);
}

/// Headers of exports, and the column that holds the address; none where the user must say.
const EXPORTS: [(&str, &str); 23] = [
    ("email,name,attributes", "email"),
    ("uuid,email,name,attributes,status,created_at,updated_at", "email"),
    ("Email,First name,Last name,Data,Status,External ID", "Email"),
    ("id,email,first_name,last_name", "email"),
    ("email,first_name,last_name,extra_attributes,tags", "email"),
    ("Email Address,Merge status", "Email Address"),
    (
        "\"Email Address\",\"First Name\",\"Last Name\",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS",
        "Email Address",
    ),
    ("Emailadresse,Vorname,Nachname", "Emailadresse"),
    (
        "EMAIL;LASTNAME;FIRSTNAME;SMS;EMAIL_BLACKLISTED;SMS_BLACKLISTED;ADDED_TIME;MODIFIED_TIME",
        "EMAIL",
    ),
    (
        "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags",
        "Email",
    ),
    (
        "Email,Klaviyo ID,First Name,Last Name,Organization,Email Marketing Consent,Email Marketing Consent Timestamp,Email Suppressions",
        "Email",
    ),
    (
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at",
        "email",
    ),
    (
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers",
        "email",
    ),
    ("first_name,email,created_at,status", "email"),
    (
        "Email,First Name,Last Name,Phone,Tags,Date Created,IP,Status",
        "Email",
    ),
    ("Email address,First name,Last name,Email status", "Email address"),
    (
        "Email,First name,Surname,Phone number,Country,Tags,Date registered",
        "Email",
    ),
    (
        "First Name,Last Name,E-mail 1 - Label,E-mail 1 - Value",
        "E-mail 1 - Value",
    ),
    (
        "First Name,Last Name,E-mail Address,E-mail 2 Address",
        "E-mail Address",
    ),
    (
        "user_email,first_name,last_name,billing_email,roles",
        "user_email",
    ),
    ("email,mail", ""),
    ("EAddr,UserName,NickName,Gender,Birthday,Mobile", "EAddr"),
    ("姓名,电子邮箱,手机号,公司名称,接受邮件营销", "电子邮箱"),
];

#[test]
fn the_exports_of_other_tools_are_understood() {
    for (header, email) in EXPORTS {
        let written = write(format!("{header}\n"));
        match List::open(&written.path, &ListSettings::default()) {
            Ok(list) => assert_eq!(list.columns().headers[list.columns().email], email, "{header}"),
            // Two addresses of one person: which is meant, the user must say.
            Err(problems) => assert!(email.is_empty(), "{header}: {problems}"),
        }
    }
}
