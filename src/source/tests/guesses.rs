//! What lists in an unknown encoding are taken for, what is said of them, and where they are damaged.

use super::encodings::{gb18030, utf_16};
use super::*;

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
                        let hint = problem.hint.unwrap_or_default().to_string();
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
