//! Lists as spreadsheets of other countries save them.

use std::fmt::Write as _;

use super::*;

fn gb18030(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

fn utf_16(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
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

/// Lists of many countries, in the encodings that their spreadsheets save.
const PEOPLE: [(&encoding_rs::Encoding, &str); 17] = [
    (
        encoding_rs::GBK,
        "邮箱,姓名,公司 王伟,深圳市跨境科技有限公司 李明,杭州阿里 欧阳娜娜,上海 赵敏,喆 刘洋,“春天”活动，谢谢！",
    ),
    (
        encoding_rs::BIG5,
        "電郵,姓名,公司 陳大文,香港貿易發展局 許功蓋,臺北 林志玲,台灣積體電路製造股份有限公司 黃,淑芬",
    ),
    (
        encoding_rs::EUC_KR,
        "이메일,이름,회사 김철수,삼성전자 이영희,서울특별시 박지성,안녕하세요 최,민호 정,우성",
    ),
    (
        encoding_rs::EUC_JP,
        "メール,名前,会社 山田太郎,株式会社ソニー 佐藤,東京都 鈴木一郎,ありがとうございます 高橋,花子",
    ),
    (
        encoding_rs::SHIFT_JIS,
        "メール,名前,会社 山田太郎,株式会社ソニー 佐藤,東京都 鈴木一郎,ありがとうございます 高橋,花子",
    ),
    (
        encoding_rs::WINDOWS_1252,
        "Adresse,Prénom,Straße José,Núñez Jürgen,Größe François,Hélène Ærø,Ålesund Ñandú,São_Paulo",
    ),
    (
        encoding_rs::WINDOWS_1250,
        "Adres,Imię,Miasto Paweł,Łódź Jiří,Dvořák Zoltán,Győr Božena,Němcová Şerban,Constanța",
    ),
    (
        encoding_rs::WINDOWS_1251,
        "почта,имя,город Иван,Петров Анна,Смирнова Алексей,Екатеринбург Ёлкин,Нижний_Новгород Ольга,Щукина",
    ),
    (
        encoding_rs::KOI8_R,
        "почта,имя,город Иван,Петров Анна,Смирнова Алексей,Екатеринбург Ёлкин,Нижний_Новгород Ольга,Щукина",
    ),
    (
        encoding_rs::ISO_8859_5,
        "почта,имя,город Иван,Петров Анна,Смирнова Алексей,Екатеринбург Ёлкин,Нижний_Новгород Ольга,Щукина",
    ),
    (
        encoding_rs::WINDOWS_1253,
        "διεύθυνση,όνομα,πόλη Γιώργος,Παπαδόπουλος Μαρία,Αθήνα Νίκος,Θεσσαλονίκη",
    ),
    (
        encoding_rs::WINDOWS_1254,
        "adres,isim,şehir Ayşe,Yılmaz Gökhan,İstanbul Çağla,Şişli Ömer,Güneş",
    ),
    (
        encoding_rs::WINDOWS_1255,
        "דואל,שם,עיר דוד,כהן שרה,לוי משה,ירושלים יוסף,תל_אביב",
    ),
    (
        encoding_rs::WINDOWS_1256,
        "بريد,اسم,مدينة محمد,القاهرة فاطمة,الرياض أحمد,بيروت",
    ),
    (
        encoding_rs::WINDOWS_1257,
        "paštas,vardas,miestas Jānis,Bērziņš Žydrūnas,Šiauliai Õnne,Pärnu",
    ),
    (encoding_rs::WINDOWS_1258, "địa,tên Đức,Huê Hông,Đà"),
    (
        encoding_rs::WINDOWS_874,
        "อีเมล,ชื่อ,เมือง สมชาย,กรุงเทพ สมหญิง,เชียงใหม่ ประยุทธ์,ภูเก็ต",
    ),
];

fn list_of(words: &[&str]) -> String {
    let rows: Vec<String> = words
        .iter()
        .map(|cells| format!("a@example.com,{cells}"))
        .collect();
    format!("email,x,y,z\n{}\n", rows.join("\n"))
}

/// The text as it was understood; else why not.
fn text_of(bytes: &[u8]) -> Result<String, Problem> {
    let written = write(bytes);
    let intake = Intake::open(&written.path, &ListSettings::default())?;
    Ok(std::fs::read_to_string(intake.text()).unwrap())
}

#[test]
fn no_text_is_taken_for_another_and_the_hint_names_the_right_encoding() {
    let mut wrong = Vec::new();
    for (encoding, people) in PEOPLE {
        let words: Vec<&str> = people.split(' ').collect();
        for start in 0..words.len() {
            for end in start + 1..=words.len() {
                let text = list_of(&words[start..end]);
                let (bytes, _, is_lossy) = encoding.encode(&text);
                if is_lossy || bytes.is_ascii() {
                    continue;
                }
                let is_much = end - start > 2;
                match text_of(&bytes) {
                    Ok(read) if read != text => wrong.push(format!("{} read as {read}", encoding.name())),
                    Err(problem) if encoding == encoding_rs::GBK && is_much => {
                        wrong.push(format!("{problem:?}"));
                    }
                    Err(problem) if is_much && !encoding.is_single_byte() => {
                        let hint = problem.hint.unwrap_or_default();
                        if !hint.contains(&encoding.name().to_lowercase()) {
                            wrong.push(format!("{}: {text} {hint}", encoding.name()));
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}: {}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_little_chinese_is_enough_and_less_is_named() {
    for text in [
        "email,姓名\na@example.com,\n",
        "email,x\na@example.com,李\n",
        "email,x\na@example.com,王伟，“好”\n",
    ] {
        assert_eq!(text_of(&gb18030(text)).ok().as_deref(), Some(text));
    }
    for text in ["email,x\na@example.com,——，。\n", "email,x\na@example.com,“ok”\n"] {
        let problem = refuse(gb18030(text));
        assert!(problem.contains("encoding = \"gb18030\""), "{problem}");
    }
}

#[test]
fn an_end_that_is_cut_off_is_named_as_such() {
    let text = "email,姓名\na@example.com,张三\nb@example.com,李四";
    for bytes in [
        gb18030(text),
        text.as_bytes().to_owned(),
        utf_16(text, u16::to_le_bytes),
    ] {
        for lost in 1..=2 {
            let cut = &bytes[..bytes.len() - lost];
            match text_of(cut) {
                Ok(read) => assert_eq!(read, text[..text.len() - 3]),
                Err(problem) => {
                    assert_eq!(
                        problem.what,
                        "the end of this list is cut off in the middle of a character"
                    );
                    assert_eq!((problem.line, problem.column), (3, 16), "{lost}");
                }
            }
        }
    }
}

#[test]
fn a_bad_byte_in_utf_8_is_no_other_encoding() {
    let damaged = b"email,name\na@example.com,\xe5\xbc\xa0\xe4\xb8\x89\xff\n";
    let problem = refuse(damaged);
    assert!(
        problem.starts_with("2:17 bytes that mean nothing in UTF-8"),
        "{problem}"
    );
    let lost = [
        b"email,name\na@example.com,\xe5\xbc,\n".as_slice(),
        "b@example.com,李四\n".as_bytes(),
    ]
    .concat();
    let problem = refuse(lost);
    assert!(
        problem.starts_with("2:15 bytes that mean nothing in UTF-8"),
        "{problem}"
    );
}

#[test]
fn what_begins_with_the_mark_of_utf_8_is_not_taken_for_chinese() {
    let marked = [
        b"\xef\xbb\xbf".to_vec(),
        gb18030("email,姓名\na@example.com,张三\n"),
    ]
    .concat();
    let problem = refuse(marked);
    assert!(
        problem.starts_with("1:7 this list begins with the mark of UTF-8, and here it is not UTF-8"),
        "{problem}"
    );
}

#[test]
fn a_lone_character_that_is_cut_off_is_named_as_such() {
    let problem = refuse(b"email,name\na@example.com,\xe6\x9d");
    assert!(
        problem.starts_with("2:15 the end of this list is cut off"),
        "{problem}"
    );
}

#[test]
fn western_lines_among_utf_8_are_mixed() {
    let western = encoding_rs::WINDOWS_1252.encode("b@example.com,Jürgen Größe\n").0;
    for utf8 in ["a@example.com,José Núñez\n", "a@example.com,张三\n"] {
        let problem = refuse([b"email,name\n", utf8.as_bytes(), &western].concat());
        assert!(
            problem.starts_with("3:16 mixed encodings: line 2 is in UTF-8, this line is in windows-1252"),
            "{problem}"
        );
    }
}

#[test]
fn utf_16_without_a_mark_is_known_however_much_of_it_is_chinese() {
    let text = format!(
        "邮箱,公司\na@b.cn,{}\nb@b.cn,二\n",
        "深圳市跨境科技一二三有限公司".repeat(20)
    );
    for bytes in [utf_16(&text, u16::to_le_bytes), utf_16(&text, u16::to_be_bytes)] {
        assert_eq!(text_of(&bytes).ok().as_deref(), Some(text.as_str()));
    }
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
