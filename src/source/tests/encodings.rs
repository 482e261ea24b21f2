//! Lists as spreadsheets of other countries save them.

use std::fmt::Write as _;

use super::*;

pub(super) fn gb18030(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

pub(super) fn utf_16(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn chinese_lists_are_read_as_excel_saves_them() {
    let text = "email,姓名\r\na@example.com,张三\r\nb@example.com,李四\r\n";
    let unicode = "\u{feff}".to_owned() + &text.replace(',', "\t");
    for (bytes, encoding, delimiter) in [
        (gb18030(text), "GB18030", ","),
        (utf_16(&unicode, u16::to_le_bytes), "UTF-16LE", "tab"),
        (utf_16(&unicode, u16::to_be_bytes), "UTF-16BE", "tab"),
        (utf_16(text, u16::to_le_bytes), "UTF-16LE", ","),
        (unicode.clone().into_bytes(), "UTF-8", "tab"),
    ] {
        let (list, _folder) = open(&bytes);
        assert_eq!(list.origin().encoding, Some(encoding));
        assert_eq!(list.delimiter(), Some(delimiter));
        assert_eq!(list.columns().headers, ["email", "姓名"]);
        assert_eq!(list.sample().as_deref(), Some("email, 姓名"));
        assert_eq!(
            read(&bytes),
            [
                "2 a@example.com a@example.com|张三",
                "3 b@example.com b@example.com|李四"
            ]
        );
        assert_eq!(read_again(&list), 2);
    }
}

#[test]
fn names_with_rare_characters_are_still_chinese() {
    for text in [
        "email,姓名\na@example.com,李喆\n",
        "email,name\na@example.com,𠮷野\n",
    ] {
        let (list, _folder) = open(gb18030(text));
        assert_eq!(list.origin().encoding, Some("GB18030"), "{text}");
    }
}

#[test]
fn other_countries_texts_are_not_taken_for_chinese() {
    for (encoding, text) in [
        (
            encoding_rs::WINDOWS_1251,
            "email,имя\nivan@example.com,Иван Петров\nanna@example.com,Анна Смирнова\n",
        ),
        (encoding_rs::KOI8_R, "email,имя\nivan@example.com,Иван Петров\n"),
        (
            encoding_rs::EUC_KR,
            "email,이름\nkim@example.com,김철수\nlee@example.com,이영희\n",
        ),
        (encoding_rs::EUC_JP, "email,名前\nyamada@example.com,山田太郎\n"),
        (
            encoding_rs::SHIFT_JIS,
            "email,名前\nyamada@example.com,山田太郎\n",
        ),
        (encoding_rs::BIG5, "email,姓名\nw@example.com,許功蓋\n"),
        (
            encoding_rs::WINDOWS_1252,
            "email,name\nj@example.com,Jürgen Müller\n",
        ),
    ] {
        let problem = refuse(encoding.encode(text).0);
        assert!(
            problem.contains("this list is not in UTF-8"),
            "{}: {problem}",
            encoding.name()
        );
    }
}

#[test]
fn an_encoding_that_is_said_is_taken() {
    let big5 = b"email,\xa9m\xa6W\nw@example.com,\xb3\\\xa5\\\xbb\\\n";
    let written = write(big5);
    let settings = ListSettings {
        encoding: Some(encoding_rs::BIG5),
        ..ListSettings::default()
    };
    let list = List::open(&written.path, &settings).unwrap();
    let Row::Usable(first) = &rows(&list)[0] else {
        panic!("no person")
    };
    assert_eq!(&first.values[1], "許功蓋");
}

#[test]
fn what_is_said_of_a_list_that_is_unicode_is_refused() {
    let text = "email,姓名\na@example.com,张三\n";
    for (bytes, said, found) in [
        (
            text.as_bytes().to_vec(),
            encoding_rs::GB18030,
            "UTF-8, not in GB18030",
        ),
        (
            text.as_bytes().to_vec(),
            encoding_rs::WINDOWS_1252,
            "UTF-8, not in windows-1252",
        ),
        (
            "email,name\na@example.com,Müller\n".as_bytes().to_vec(),
            encoding_rs::WINDOWS_1252,
            "UTF-8, not in windows-1252",
        ),
        (
            b"\xef\xbb\xbfemail\na@example.com\n".to_vec(),
            encoding_rs::BIG5,
            "UTF-8, not in Big5",
        ),
        (
            utf_16(&format!("\u{feff}{text}"), u16::to_le_bytes),
            encoding_rs::GB18030,
            "UTF-16LE, not in GB18030",
        ),
    ] {
        let settings = ListSettings {
            encoding: Some(said),
            ..ListSettings::default()
        };
        let problems = List::open(&write(bytes).path, &settings).unwrap_err();
        assert_eq!(problems.kept[0].what, format!("this list is in {found}"));
    }
}

#[test]
fn what_is_not_said_is_not_guessed_but_what_it_looks_like_is() {
    let latin = b"email,name\na@example.com,J\xfcrgen M\xfcller\n";
    let problem = refuse(latin);
    assert!(problem.starts_with("2:16 this list is not in UTF-8"), "{problem}");
    assert!(
        problem.contains("if `a@example.com,Jürgen Müller` reads right"),
        "{problem}"
    );
    assert!(problem.contains("encoding = \"windows-1252\""), "{problem}");
    let big5 = b"email,\xa9m\xa6W\nw@example.com,\xb3\\\xa5\\\xbb\\\n";
    let problem = refuse(big5);
    assert!(problem.starts_with("1:7 this list is not in UTF-8"), "{problem}");
    assert!(problem.contains("--encoding big5"), "{problem}");
}

#[test]
fn utf_32_is_not_taken_for_utf_16() {
    let units = |of: fn(u32) -> [u8; 4]| -> Vec<u8> {
        let text = "\u{feff}email,name\na@example.com,张三\n";
        text.chars().flat_map(|c| of(u32::from(c))).collect()
    };
    for bytes in [units(u32::to_le_bytes), units(u32::to_be_bytes)] {
        let problem = refuse(bytes);
        assert!(problem.contains("this list is in UTF-32"), "{problem}");
    }
}

#[test]
fn mixed_encodings_name_the_line() {
    let gb = gb18030("c@example.com,张三\n");
    let utf8 = "email,name\na@example.com,张三\n".as_bytes();
    let problem = refuse([utf8, &gb].concat());
    assert!(
        problem.starts_with("3:15 mixed encodings: line 2 is in UTF-8, this line is in GB18030"),
        "{problem}"
    );
    let problem = refuse([&gb18030("email,姓名\n"), utf8].concat());
    assert!(
        problem.starts_with("3:15 mixed encodings: line 1 is in GB18030, this line is in UTF-8"),
        "{problem}"
    );
}

#[test]
fn a_line_or_two_of_chinese_among_utf_8_are_called_by_their_name() {
    for (name, other) in [("李四", "张三"), ("李", "张"), ("李四", "许功盖")] {
        let utf8 = format!("email,姓名\na@example.com,{other}\n").into_bytes();
        let problem = refuse([utf8, gb18030(&format!("b@example.com,{name}\n"))].concat());
        assert!(
            problem.starts_with("3:15 mixed encodings: line 1 is in UTF-8, this line is in GB18030"),
            "{name}: {problem}"
        );
    }
}

#[test]
fn lines_that_end_with_cr_alone_have_numbers_too() {
    let gb = gb18030("c@example.com,张三\r");
    let utf8 = "email,name\ra@example.com,张三\r".as_bytes();
    let problem = refuse([utf8, &gb].concat());
    assert!(
        problem.starts_with("3:15 mixed encodings: line 2 is in UTF-8, this line is in GB18030"),
        "{problem}"
    );
    let problem = refuse(b"email,name\rj@example.com,J\xfcrgen\rr@example.com,Ren\xe9e\r");
    assert!(problem.starts_with("2:16 this list is not in UTF-8"), "{problem}");
    assert!(
        problem.contains("if `j@example.com,Jürgen` reads right"),
        "{problem}"
    );
    let problem = refuse(
        "email,name\ra@example.com,张三"
            .as_bytes()
            .split_last()
            .unwrap()
            .1,
    );
    assert!(
        problem.starts_with("2:16 the end of this list is cut off"),
        "{problem}"
    );
}

#[test]
fn a_bad_byte_after_many_chunks_is_found_on_its_line() {
    let mut text = String::from("email,name\n");
    for number in 0..30_000 {
        writeln!(text, "user{number}@example.com,用户{number}").unwrap();
    }
    for (mut bytes, what) in [
        (
            text.clone().into_bytes(),
            "30002:15 bytes that mean nothing in UTF-8",
        ),
        (gb18030(&text), "30002:15 a byte that means nothing in GB18030"),
    ] {
        bytes.extend(b"x@example.com,\xff\n");
        let problem = refuse(&bytes);
        assert!(problem.starts_with(what), "{problem}");
    }
}

#[test]
fn a_byte_that_means_nothing_is_named_and_never_replaced() {
    let mut bytes = gb18030("email,姓名\na@example.com,张三\nb@example.com,");
    bytes.extend(b"\xff\n");
    let written = write(&bytes);
    let settings = ListSettings {
        encoding: Some(encoding_rs::GB18030),
        ..ListSettings::default()
    };
    let problems = List::open(&written.path, &settings).unwrap_err();
    let problem = &problems.kept[0];
    assert_eq!((problem.line, problem.column), (3, 15), "{problem:?}");
    assert_eq!(problem.what, "a byte that means nothing in GB18030");
}

fn is_whole(recipient: &Recipient) -> bool {
    recipient.values.iter().all(|cell| !cell.contains('\u{fffd}'))
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_invent_text(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let written = write(&bytes);
        if let Ok(list) = List::open(&written.path, &ListSettings::default()) {
            let came_with_it = String::from_utf8_lossy(&bytes).contains('\u{fffd}') && std::str::from_utf8(&bytes).is_ok();
            for row in list.rows().unwrap().flatten() {
                if let Row::Usable(recipient) = row {
                    prop_assert!(came_with_it || is_whole(&recipient));
                }
            }
        }
    }
}
