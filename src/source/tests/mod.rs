//! All tests of this module in one file, long as it is: they share a list and the ways to read it.

#![expect(clippy::string_slice, reason = "a test may panic")]

use std::borrow::Cow;
use std::fmt::Write as _;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

mod encodings;
mod filter;
mod guesses;
mod pages;
mod people;
mod workbooks;

/// A list in a folder that lives as long as the test.
struct Written {
    _folder: TempDir,
    path: std::path::PathBuf,
}

fn write(bytes: impl AsRef<[u8]>) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.csv");
    std::fs::write(&path, bytes).unwrap();
    Written {
        _folder: folder,
        path,
    }
}

fn open(bytes: impl AsRef<[u8]>) -> (List, Written) {
    let written = write(bytes);
    (
        List::open(&written.path, &ListSettings::default()).unwrap(),
        written,
    )
}

fn rows(list: &List) -> Vec<Row> {
    list.rows().unwrap().map(Result::unwrap).collect()
}

/// Each row in a short form: `line address cells`, or what is wrong with it.
fn read(bytes: impl AsRef<[u8]>) -> Vec<String> {
    let (list, _folder) = open(bytes);
    rows(&list).into_iter().map(tell).collect()
}

fn tell(row: Row) -> String {
    let cells = |recipient: &Recipient| recipient.values.iter().collect::<Vec<_>>().join("|");
    match row {
        Row::Usable(r) => format!("{} {} {}", r.place.line, r.address, cells(&r)),
        Row::Rejected(r) => format!("{}:{} {}", r.problem.line, r.problem.column, r.problem.what),
        Row::Withheld {
            recipient,
            column,
            why,
        } => {
            format!(
                "{} {} {why:?} {column:?}",
                recipient.place.line, recipient.address
            )
        }
        Row::NotMeant { recipient, why } => format!("{} {} {why:?}", recipient.place.line, recipient.address),
        Row::Duplicate {
            place,
            first_line,
            recipient,
        } => {
            format!("{} {} = {first_line}", place.line, recipient.address)
        }
    }
}

/// What is wrong with a whole list: `line:column what / hint`.
fn refuse(bytes: impl AsRef<[u8]>) -> String {
    refuse_with(bytes, None)
}

fn refuse_with(bytes: impl AsRef<[u8]>, email_column: Option<&str>) -> String {
    let written = write(bytes);
    let problems = List::open(&written.path, &with_email_column(email_column)).unwrap_err();
    let tell = |p: &Problem| {
        format!(
            "{}:{} {} / {}",
            p.line,
            p.column,
            p.what,
            p.hint.clone().unwrap_or_default()
        )
    };
    problems.kept.iter().map(tell).collect::<Vec<_>>().join("\n")
}

fn with_email_column(column: Option<&str>) -> ListSettings {
    ListSettings {
        email_column: column.map(str::to_owned),
        ..ListSettings::default()
    }
}

const NASTY: &str = "\u{feff}E-Mail;First Name;地址;;\r\n\
    a@example.com;\"He said \"\"hi\"\"; ok\";\"1 Road\r\nFloor 2\";;\r\n\
    \r\n;;;;\r\n   \r\n\
    \"b@example.com\";Bob;\"x\"y;;;;\n\
    c@example.com;张三;\"\r\r\n\n\";;\r\r\r\
    bad@@example.com;x;y;;\n\n\
    A@EXAMPLE.com;again;;;\n\
    d@example.com;q\"uote;\"\";;";

#[test]
fn quotes_line_ends_and_blank_lines_are_read_as_spreadsheets_write_them() {
    assert_eq!(
        read(NASTY),
        [
            "2 a@example.com a@example.com|He said \"hi\"; ok|1 Road\r\nFloor 2||",
            "7 b@example.com b@example.com|Bob|xy||",
            "8 c@example.com c@example.com|张三|\r\r\n\n||",
            "14:1 two `@`; an address has one",
            "16 A@example.com = 2",
            "17 d@example.com d@example.com|q\"uote|||",
        ]
    );
}

#[test]
fn places_cover_the_row_and_nothing_else() {
    let (list, _folder) = open(NASTY);
    let mut end = 0;
    for row in rows(&list) {
        let (Row::Usable(Recipient { place, .. })
        | Row::Duplicate { place, .. }
        | Row::Withheld {
            recipient: Recipient { place, .. },
            ..
        }
        | Row::NotMeant {
            recipient: Recipient { place, .. },
            ..
        }
        | Row::Rejected(Rejected { place, .. })) = row;
        let start = usize::try_from(place.offset).unwrap();
        let before = &NASTY[..start];
        assert!(start >= end, "rows do not overlap");
        let lines =
            before.matches('\n').count() + before.matches('\r').count() - before.matches("\r\n").count();
        assert_eq!(place.line, lines as u64 + 1);
        end = start + place.length as usize;
        let text = &NASTY[start..end];
        assert!(!text.starts_with(['\r', '\n']), "{text:?}");
        assert!(text.ends_with(['\r', '\n']) || end == NASTY.len(), "{text:?}");
    }
    assert_eq!(end, NASTY.len());
}

#[test]
fn a_row_read_again_by_its_place_is_the_same_recipient() {
    let (list, _folder) = open(NASTY);
    assert_eq!(read_again(&list), 5);
}

/// Reads every recipient again by its place; gives how many there were.
fn read_again(list: &List) -> usize {
    let reader = list.row_reader().unwrap();
    let mut count = 0;
    for row in rows(list) {
        if let Row::Usable(recipient) | Row::Duplicate { recipient, .. } = row {
            assert_eq!(reader.read(recipient.place).unwrap(), recipient);
            count += 1;
        }
    }
    count
}

#[test]
fn every_line_end_counts_as_one_line() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["email,name", "a@example.com,A", "", "b@example.com,B"].join(end);
        assert_eq!(
            read(text),
            [
                "2 a@example.com a@example.com|A",
                "4 b@example.com b@example.com|B"
            ]
        );
    }
}

#[test]
fn the_delimiter_is_found_even_when_others_are_more_frequent() {
    for (text, delimiter) in [
        ("email,name\na@example.com,x\n", ","),
        ("email;name;price\na@example.com;Müller;1,50\n", ";"),
        ("email\tname\na@example.com\tLi, Lei; Dr.\n", "tab"),
        ("email|name\na@example.com|x\n", "|"),
        ("email,a|b|c\na@example.com,1|2|3\n", ","),
        ("email\na@example.com\n", ","),
        ("email;\"a,b,c,d\"\nx@example.com;\"1,2,3,4\"\n", ";"),
        ("sep=;\r\nemail;a,b,c\r\nx@example.com;1,2,3\r\n", ";"),
    ] {
        let (list, _folder) = open(text);
        assert_eq!(list.delimiter(), Some(delimiter), "{text}");
        assert!(matches!(rows(&list).as_slice(), [Row::Usable(_)]), "{text}");
    }
}

#[test]
fn a_title_above_the_header_is_left_out_and_said() {
    for (text, line, row) in [
        ("2026年客户名单\n,,\n邮箱,姓名,公司\na@example.com,A,B\n", 3, 4),
        ("2026年客户名单,,\n邮箱,姓名,公司\na@example.com,A,B\n", 2, 3),
        (
            "客户名单（内部）\n制表：王,,\n\n邮箱;姓名;公司\na@example.com;A;B\n",
            4,
            5,
        ),
    ] {
        let (list, _folder) = open(text);
        assert!(
            list.origin().notes[0]
                .to_string()
                .starts_with(&format!("the header is in line {line}; the title above it")),
            "{text}"
        );
        assert_eq!(list.columns().names, ["邮箱", "姓名", "公司"]);
        let rows: Vec<String> = rows(&list).into_iter().map(tell).collect();
        assert_eq!(rows, [format!("{row} a@example.com a@example.com|A|B")]);
        assert_eq!(read_again(&list), 1);
    }
}

#[test]
fn a_header_that_may_stand_below_others_is_named_and_not_taken() {
    assert_eq!(
        refuse("name,city\nAnna,Rome\nemail,name\na@example.com,A\n"),
        "3:1 this row looks like the header, and it is not the first / take out the rows above it"
    );
    assert_eq!(
        refuse("客户名单\n邮箱\na@example.com\n"),
        "2:1 this row looks like the header, and it is not the first / take out the rows above it"
    );
}

#[test]
fn blank_lines_without_end_at_the_start_are_no_empty_list() {
    let text = format!("{}email\na@example.com\n", "\r\n".repeat(5_000));
    assert_eq!(read(text), ["5002 a@example.com a@example.com"]);
    assert!(refuse("\n".repeat(10_000)).contains("this list is empty"));
}

#[test]
fn the_line_that_names_the_delimiter_counts_as_a_line() {
    for first in ["\"sep=;\"", "SEP=;"] {
        assert_eq!(
            read(format!("{first}\r\nemail;n\na@example.com;1,2,3\n")),
            ["3 a@example.com a@example.com|1,2,3"]
        );
    }
    assert_eq!(
        read("sep=;\nemail;n\na@example.com;1\n"),
        ["3 a@example.com a@example.com|1"]
    );
}

#[test]
fn columns_get_names_that_templates_can_use() {
    let (list, _folder) = open("\u{feff} Email Address ,First  Name,客户-姓名,,VIP - Status\n");
    assert_eq!(
        list.columns().names,
        [
            "email_address",
            "first_name",
            "客户_姓名",
            "column_4",
            "vip_status"
        ]
    );
    assert_eq!(
        list.columns().headers,
        ["Email Address", "First  Name", "客户-姓名", "", "VIP - Status"]
    );
}

#[test]
fn the_address_column_is_found_in_the_exports_of_other_tools() {
    for header in [
        "email,name",
        "Email Address",
        "E-mail 1 - Value",
        "E-mail Address",
        "user_email",
        "EAddr",
        "Emailadresse",
        "E-Mail-Adresse",
        "Adresse e-mail",
        "邮箱",
        "电子邮箱",
        "电子邮件",
        "邮件地址",
        "邮箱地址",
        "收件人",
        "ｅｍａｉｌ",
        "EMAIL ",
        "email;EXT_ID",
        "\u{feff}\u{feff}email",
        "E-mail address",
        "E‑mail\u{a0}Address *",
        "邮箱（必填）",
        "Email Address (required)",
        "Correo electrónico",
        "メールアドレス",
        "Электронная почта",
        "收件人邮箱地址",
    ] {
        let (list, _folder) = open(format!("id,{header}\n").replace("id,email;", "id;email;"));
        assert_eq!(list.columns().email, 1, "{header}");
    }
}

#[test]
fn a_list_without_a_clear_address_column_asks() {
    assert_eq!(
        refuse("name,phone\nx,1\n"),
        "1:1 no column looks like the e-mail address / set `email_column = \"…\"` in the campaign, or --email-column; columns are: name, phone"
    );
    assert_eq!(
        refuse("email,邮箱\na@example.com,b@example.com\n"),
        "1:1 which column holds the address: `email` or `邮箱`? / set `email_column = \"email\"` in the campaign, or --email-column"
    );
    assert_eq!(
        refuse_with("email,work\n", Some("wrok")),
        "1:1 list.csv has no column `wrok`, which `email_column` names / did you mean `work`?"
    );
    for wanted in ["Work E-Mail", "work_e_mail"] {
        let written = write("email,Work E-Mail\n");
        assert_eq!(
            List::open(&written.path, &with_email_column(Some(wanted)))
                .unwrap()
                .columns()
                .email,
            1
        );
    }
}

#[test]
fn two_columns_of_one_name_are_refused() {
    assert_eq!(
        refuse("Email,name,Name,EMAIL \na@example.com,x,y,b@example.com\n"),
        "1:12 ambiguous header: two columns are called `name`: `name` and `Name` / rename one of them, or take it out\n\
         1:17 ambiguous header: two columns are called `email`: `Email` and `EMAIL` / rename one of them, or take it out"
    );
}

#[test]
fn a_list_without_a_header_is_refused() {
    assert_eq!(
        refuse("王,a@example.com\n李,b@example.com\n"),
        "1:3 the first row must name the columns; this one is a person / put a row such as `email,first_name` above it"
    );
}

#[test]
fn files_that_are_no_lists_are_recognised() {
    for (bytes, what) in [
        (b"".as_slice(), "this list is empty"),
        (b"\xef\xbb\xbf\r\n \n", "this list is empty"),
        (b",,,\n,,,\n", "this list is empty"),
        (
            b"PK\x03\x04\x14\0\x06\0",
            "this is an Excel workbook (.xlsx, a zip file)",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0",
            "this is an Excel workbook (.xls)",
        ),
        (
            b"\r\n<!DOCTYPE html><html><body>log in</body></html>",
            "this is a web page without a table, not a list",
        ),
        (
            b"email,\"name\na@example.com,x\n",
            "this quote is never closed; the row runs to line 3",
        ),
    ] {
        let problem = refuse(bytes);
        assert!(problem.split_once(' ').unwrap().1.starts_with(what), "{problem}");
    }
}

#[test]
fn a_missing_file_is_a_problem_in_plain_words() {
    let problems = List::open(Path::new("/nowhere/list.csv"), &ListSettings::default()).unwrap_err();
    assert_eq!(problems.kept[0].what, "cannot be read: there is no such file");
}

#[test]
fn a_header_alone_is_a_list_without_rows() {
    assert_eq!(read("email,name\n"), [""; 0]);
}

#[test]
fn a_row_with_too_few_or_too_many_cells_is_rejected() {
    assert_eq!(
        read("email,name,city\na@example.com\nb@example.com,B,X,,,\nc@example.com,C,X,Y\n"),
        [
            "2:1 1 cell in this row; the header has 3",
            "3 b@example.com b@example.com|B|X",
            "4:1 4 cells in this row; the header has 3",
        ]
    );
}

#[test]
fn a_quote_never_closed_names_the_line_the_row_runs_to() {
    let list =
        "email,name\na@example.com,A\n\"Li, Lei,li.lei@example.com\nb@example.com,B\nc@example.com,\"C\"\n";
    assert_eq!(
        read(list),
        [
            "2 a@example.com a@example.com|A",
            "3:1 this quote is never closed; the row runs to line 5"
        ]
    );
    assert_eq!(
        read("email,name\na@example.com,\"A\nb@example.com,B\n"),
        ["2:15 this quote is never closed; the row runs to line 4"]
    );
    assert_eq!(
        read("email,name\na@example.com,\"A"),
        ["2:15 this quote is never closed"]
    );
}

#[test]
fn rows_that_a_quote_of_another_row_swallows_are_not_forgotten() {
    for (list, place) in [
        (
            "email,name\na@example.com,\"A\nb@example.com,\"B\"\nc@example.com,C\n",
            "2:15",
        ),
        (
            "email,name\na@example.com,\"A\nb@example.com,6\" pipe\nc@example.com,C\n",
            "2:15",
        ),
        (
            "email,name\n\"a@example.com,A\r\n\"b@example.com\",B\r\nc@example.com,C\r\n",
            "2:1",
        ),
    ] {
        let what = "this quote is never closed; the row runs to line 3";
        assert_eq!(
            read(list),
            [&format!("{place} {what}"), "4 c@example.com c@example.com|C"],
            "{list}"
        );
    }
    // A cell of several lines, and text behind the quote of a cell of one line, are read as before.
    let list = "email,name\na@example.com,\"say \"\"A\"\"\nor B\" \nb@example.com,\"B\"x\n";
    assert_eq!(read(list).len(), 2);
    assert!(!read(list).iter().any(|row| row.contains("quote")));
}

#[test]
fn a_quote_never_closed_does_not_pull_the_list_into_memory() {
    let mut text = String::from("email,name\n\"a@example.com,A\n");
    while text.len() < 3 * split::ROW_MAX {
        text.push_str("b@example.com,\u{5f20}\u{4e09}\n");
    }
    let (list, _folder) = open(text);
    let found = rows(&list);
    let [Row::Rejected(rejected)] = found.as_slice() else {
        panic!("{} rows", found.len())
    };
    assert!(rejected.raw.len() <= split::ROW_MAX);
    assert!(
        rejected
            .problem
            .what
            .to_string()
            .starts_with("this quote is never closed; the row runs to line 1")
    );
}

#[test]
fn a_row_that_is_too_long_is_not_called_an_open_quote() {
    let long = "x".repeat(3 * split::ROW_MAX);
    let read = read(format!("email,name\na@example.com,{long}\nb@example.com,B\n"));
    let shown: Vec<String> = read.iter().map(|row| row.chars().take(100).collect()).collect();
    assert_eq!(
        shown,
        [
            "2:1 this row is longer than 1 MB, which no row of a list is",
            "3 b@example.com b@example.com|B"
        ]
    );
}

#[test]
fn a_sheet_is_wanted_of_workbooks_only() {
    for text in ["email\n", "<table><tr><td>email</table>"] {
        let written = write(text);
        let settings = ListSettings {
            sheet: Some("2026".to_owned()),
            ..ListSettings::default()
        };
        let problems = List::open(&written.path, &settings).unwrap_err();
        assert_eq!(
            problems.kept[0].what,
            "this is no workbook, and has no sheet `2026`"
        );
    }
}

#[test]
fn a_nul_in_a_cell_rejects_the_row() {
    assert_eq!(
        read("email,name\na@example.com,A\0B\n"),
        ["2:16 a NUL character in this row"]
    );
}

#[test]
fn a_bad_address_is_shown_with_its_line_and_marked() {
    let (list, _folder) = open("name,email\n王小明, wang@@example.com ,\n\"a\nb\",\"plain\"\n");
    let found = rows(&list);
    let [Row::Rejected(first), Row::Rejected(second)] = found.as_slice() else {
        panic!("{found:?}")
    };
    let show = |p: &Problem| (p.line, p.column, p.width, p.source.clone().unwrap().into_string());
    assert_eq!(
        show(&first.problem),
        (2, 6, 17, "王小明, wang@@example.com ,".to_owned())
    );
    assert_eq!(show(&second.problem), (4, 5, 5, "b\",\"plain\"".to_owned()));
    assert_eq!(second.raw, "\"a\nb\",\"plain\"");
}

#[test]
fn the_same_mailbox_in_another_spelling_is_a_duplicate_of_its_first_row() {
    assert_eq!(
        read("email\nA@Example.com\nb@example.com\na@EXAMPLE.COM \nA@Example.com\n"),
        [
            "2 A@example.com A@Example.com",
            "3 b@example.com b@example.com",
            "4 a@example.com = 2",
            "5 A@example.com = 2"
        ]
    );
}

#[test]
fn a_list_that_shrank_meanwhile_is_an_error_not_another_person() {
    let (list, folder) = open("email,name\na@example.com,A\nb@example.com,B\n");
    let Row::Usable(second) = rows(&list).pop().unwrap() else {
        panic!("usable")
    };
    let reader = list.row_reader().unwrap();
    std::fs::write(&folder.path, "email,name\n").unwrap();
    assert!(reader.read(second.place).is_err());
}

#[test]
fn rows_read_into_the_memory_of_others_are_the_same() {
    let (list, _folder) = open(
        "email,note\na@example.com,long and \"quoted\"\nb@example.com,\nc@,x\nd@example.com,\"1\"\"2\"\n",
    );
    let fresh: Vec<Row> = list.rows().unwrap().map(Result::unwrap).collect();
    let mut reader = list.rows().unwrap();
    for expected in fresh {
        let row = reader.next().unwrap().unwrap();
        assert_eq!(row, expected);
        if let Row::Usable(recipient) = row {
            reader.take_back([recipient]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The rows of this splitter are the rows of the `csv` crate.
    #[test]
    fn rows_and_cells_are_those_of_the_csv_crate(body in "[ab,\"\r\n]{0,60}") {
        let mut splitter = Splitter::new(body.as_bytes(), b',', (0, 1));
        let mut ours: Vec<Vec<String>> = Vec::new();
        while let Some(row) = splitter.next_row().unwrap() {
            let text = std::str::from_utf8(row.bytes).unwrap();
            ours.push(row.cells.texts(text).map(Cow::into_owned).collect());
        }
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body.as_bytes());
        let theirs: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn any_cells_come_back_and_come_back_again_by_place(
        cells in prop::collection::vec((any::<String>(), "[a-z,;\"\r\n 张]{0,8}"), 1..20),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        gap in 0_usize..3,
    ) {
        let quote = |cell: &str| format!("\"{}\"", cell.replace('\0', "").replace('"', "\"\""));
        let mut text = format!("email,one,two{end}");
        for (number, (one, two)) in cells.iter().enumerate() {
            write!(text, "u{number}@example.com,{},{}{}", quote(one), quote(two), end.repeat(gap + 1)).unwrap();
        }
        let (list, _folder) = open(&text);
        let found = rows(&list);
        prop_assert_eq!(found.len(), cells.len());
        for (row, (one, two)) in found.iter().zip(&cells) {
            let Row::Usable(recipient) = row else { panic!("{row:?}") };
            let one = one.replace('\0', "");
            prop_assert_eq!(recipient.values.get(1), Some(one.as_str()));
            prop_assert_eq!(recipient.values.get(2), Some(two.as_str()));
        }
        prop_assert_eq!(read_again(&list), cells.len());
    }
}
