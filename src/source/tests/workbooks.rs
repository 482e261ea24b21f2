//! Workbooks as Excel saves them.

use std::io::Write as _;

use rust_xlsxwriter::{Format, Workbook};

use super::*;

use crate::words::Text;

/// Makes a workbook, under this name.
fn workbook(name: &str, fill: impl FnOnce(&mut Workbook)) -> Written {
    let written = write("");
    let path = written.path.with_file_name(name);
    let mut book = Workbook::new();
    fill(&mut book);
    book.save(&path).unwrap();
    Written { path, ..written }
}

fn fill_people(book: &mut Workbook) {
    let sheet = book.add_worksheet().set_name("客户").unwrap();
    let zeros = Format::new().set_num_format("00000");
    let price = Format::new().set_num_format("¥#,##0.00");
    let percent = Format::new().set_num_format("0%");
    let day = Format::new().set_num_format("yyyy\"年\"m\"月\"d\"日\"");
    let by_country = Format::new().set_num_format_index(14);
    let headers = [
        "邮箱", "姓名", "手机", "编号", "金额", "折扣", "到期", "日期", "比例", "会员", "地址",
    ];
    for (column, header) in (0..).zip(headers) {
        sheet.write(2, column, header).unwrap();
    }
    sheet.write(4, 0, "zhang@example.com").unwrap();
    sheet.write(4, 1, "张三").unwrap();
    sheet.write(4, 2, 13_800_000_000_u64).unwrap();
    sheet.write_with_format(4, 3, 123, &zeros).unwrap();
    sheet.write_with_format(4, 4, 1234.5, &price).unwrap();
    sheet.write_with_format(4, 5, 0.15, &percent).unwrap();
    sheet.write_with_format(4, 6, 46_349, &day).unwrap();
    sheet.write_with_format(4, 7, 46_349, &by_country).unwrap();
    sheet.write(4, 8, 0.1 + 0.2).unwrap();
    sheet.write(4, 9, true).unwrap();
    sheet.write(4, 10, "一号楼\n二层").unwrap();
    sheet.write(6, 0, "li＠example.com").unwrap();
}

#[test]
fn cells_are_read_as_the_sheet_shows_them() {
    let written = workbook("list.xlsx", fill_people);
    let list = List::open(&written.path, &ListSettings::default()).unwrap();
    assert_eq!(list.origin().format, "xlsx");
    assert_eq!(list.origin().sheet.as_deref(), Some("客户"));
    assert_eq!(list.delimiter(), None);
    let rows: Vec<String> = rows(&list).into_iter().map(tell).collect();
    assert_eq!(
        rows,
        [
            "5 zhang@example.com zhang@example.com|张三|13800000000|00123|¥1,234.50|15%|2026年11月23日|2026-11-23|0.3|TRUE|一号楼\n二层",
            "7:1 a full-width `＠` (cell A7)",
        ]
    );
    assert_eq!(read_again(&list), 1);
}

#[test]
fn a_workbook_under_another_name_is_read_and_said_to_be_one() {
    let written = workbook("list.csv", fill_people);
    let list = List::open(&written.path, &ListSettings::default()).unwrap();
    assert!(
        list.origin().notes[0]
            .to_string()
            .contains("under the name of a .csv file")
    );
    assert_eq!(rows(&list).len(), 2);
}

#[test]
fn of_several_sheets_the_user_chooses() {
    let written = workbook("list.xlsx", |book| {
        for (name, address) in [("春", "a@example.com"), ("秋", "b@example.com")] {
            let sheet = book.add_worksheet().set_name(name).unwrap();
            sheet.write(0, 0, "email").unwrap();
            sheet.write(1, 0, address).unwrap();
        }
        book.add_worksheet().set_name("空").unwrap();
    });
    let open = |sheet: Option<&str>| {
        let settings = ListSettings {
            sheet: sheet.map(str::to_owned),
            ..ListSettings::default()
        };
        List::open(&written.path, &settings)
    };
    let problems = open(None).unwrap_err();
    assert_eq!(problems.kept[0].what, "which sheet holds the list: `春` or `秋`?");
    let rows: Vec<String> = rows(&open(Some("秋")).unwrap()).into_iter().map(tell).collect();
    assert_eq!(rows, ["2 b@example.com b@example.com"]);
    let problems = open(Some("夏")).unwrap_err();
    assert_eq!(problems.kept[0].what, "list.xlsx has no sheet `夏`");
}

/// An archive of these parts.
fn archive(name: &str, parts: &[(&str, &str)]) -> Written {
    let written = write("");
    let path = written.path.with_file_name(name);
    let mut out = zip::ZipWriter::new(File::create(&path).unwrap());
    for (part, text) in parts {
        out.start_file(*part, zip::write::SimpleFileOptions::default())
            .unwrap();
        out.write_all(text.as_bytes()).unwrap();
    }
    out.finish().unwrap();
    Written { path, ..written }
}

#[test]
fn cells_of_an_opendocument_sheet_are_read_as_it_shows_them() {
    let text = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let value = |kind: &str, value: &str, shown: &str| {
        format!(
            "<table:table-cell office:value-type=\"{kind}\" office:{value}><text:p>{shown}</text:p></table:table-cell>"
        )
    };
    let header: String = ["email", "no", "share", "day", "vip"].map(text).concat();
    let row = [
        text("a@example.com"),
        value("float", "value=\"123\"", "00123"),
        value("percentage", "value=\"0.15\"", "15%"),
        value("date", "date-value=\"2026-11-23\"", "23. Nov. 2026"),
        value("boolean", "boolean-value=\"true\"", "WAHR"),
    ];
    let content = format!(
        "<office:document-content><office:body><office:spreadsheet><table:table table:name=\"S\">\
         <table:table-row>{header}</table:table-row><table:table-row>{}</table:table-row>\
         </table:table></office:spreadsheet></office:body></office:document-content>",
        row.concat()
    );
    let written = archive(
        "list.ods",
        &[
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            ("META-INF/manifest.xml", "<manifest/>"),
            ("content.xml", &content),
        ],
    );
    let list = List::open(&written.path, &ListSettings::default()).unwrap();
    assert_eq!(list.origin().format, "ods");
    let rows: Vec<String> = rows(&list).into_iter().map(tell).collect();
    assert_eq!(
        rows,
        ["2 a@example.com a@example.com|00123|15%|23. Nov. 2026|TRUE"]
    );
}

#[test]
fn archives_that_are_no_workbooks_are_called_by_their_name() {
    for (part, what) in [
        ("word/document.xml", "this is a Word document (.docx), not a list"),
        (
            "ppt/presentation.xml",
            "this is a PowerPoint presentation, not a list",
        ),
        ("customers.csv", "this is a zip archive, not a list"),
        (
            "xl/workbook.xml",
            "this is an Excel workbook (.xlsx, a zip file), and it is cut off or damaged",
        ),
    ] {
        let written = archive("list.xlsx", &[(part, "x")]);
        let problems = List::open(&written.path, &ListSettings::default()).unwrap_err();
        assert_eq!(problems.kept[0].what, what);
    }
}

/// A workbook as Excel 97 wrote it, in one piece: an address, and a number whose format nobody reads.
fn excel_97() -> Vec<u8> {
    let record = |kind: u16, data: &[u8]| {
        let length = u16::try_from(data.len()).unwrap();
        [&kind.to_le_bytes()[..], &length.to_le_bytes(), data].concat()
    };
    let begin = |kind: u8| record(0x0809, &[0, 6, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0]);
    let end = record(0x000A, &[]);
    let label = |row: u8, column: u8, text: &str| {
        let length = u8::try_from(text.len()).unwrap();
        let place = [row, 0, column, 0, 0, 0, length, 0, 0];
        record(0x0204, &[&place, text.as_bytes()].concat())
    };
    let number = record(
        0x0203,
        &[&[1, 0, 1, 0, 0, 0][..], &123_f64.to_le_bytes()].concat(),
    );
    let sheet_at = u8::try_from(begin(5).len() + 4 + 9 + end.len()).unwrap();
    let book = [
        begin(5),
        record(0x0085, &[sheet_at, 0, 0, 0, 0, 0, 1, 0, b'S']),
        end.clone(),
        begin(16),
        label(0, 0, "email"),
        label(0, 1, "no"),
        label(1, 0, "a@example.com"),
        number,
        end,
    ]
    .concat();
    let (free, last, table) = (u32::MAX, u32::MAX - 1, u32::MAX - 2);
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    let mut head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    head.resize(24, 0);
    head.extend([0x3E, 0, 3, 0, 0xFE, 0xFF, 9, 0, 6, 0, 0, 0, 0, 0, 0, 0]);
    head.extend(numbers(&[0, 1, 1, 0, 4096, last, 0, last, 0, 0]));
    head.resize(512, 0xFF);
    // The sectors: this table, the folder, and eight with the book.
    let mut sectors = numbers(&[table, last, 3, 4, 5, 6, 7, 8, 9, last]);
    sectors.resize(512, 0xFF);
    let entry = |name: &str, kind: u8, child: u32, start: u32, size: u32| {
        let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = u8::try_from(entry.len() + 2).unwrap();
        entry.resize(64, 0);
        entry.extend([length, 0, kind, 1]);
        entry.extend(numbers(&[free, free, child]));
        entry.resize(116, 0);
        entry.extend(numbers(&[start, size, 0]));
        entry
    };
    let mut folder = [
        entry("Root Entry", 5, 1, last, 0),
        entry("Workbook", 2, free, 2, 4096),
    ]
    .concat();
    folder.resize(512, 0);
    let mut stream = book;
    stream.resize(4096, 0);
    [head, sectors, folder, stream].concat()
}

#[test]
fn numbers_that_may_have_lost_their_format_are_mentioned() {
    let written = write(excel_97());
    let list = List::open(&written.path, &ListSettings::default()).unwrap();
    assert_eq!(list.origin().format, "xls");
    let said = Text::joined(list.origin().notes.clone(), "\n").to_string();
    assert!(
        said.contains("numbers of .xls are read without their format"),
        "{said}"
    );
    let rows: Vec<String> = rows(&list).into_iter().map(tell).collect();
    assert_eq!(rows, ["2 a@example.com a@example.com|123"]);
}

#[test]
fn sheets_that_are_hidden_are_named() {
    let written = workbook("list.xlsx", |book| {
        book.add_worksheet().set_name("Cover").unwrap();
        let sheet = book.add_worksheet().set_name("People").unwrap();
        sheet.write(0, 0, "email").unwrap();
        sheet.set_hidden(true);
        book.add_worksheet().set_name("End").unwrap();
    });
    let problems = List::open(&written.path, &ListSettings::default()).unwrap_err();
    assert_eq!(
        problems.kept[0].what,
        "this workbook has no sheet with anything in it but what is hidden: `People`"
    );
    let sheet = Some("People".to_owned());
    assert!(
        List::open(
            &written.path,
            &ListSettings {
                sheet,
                ..ListSettings::default()
            }
        )
        .is_ok()
    );
}
