//! Web pages that call themselves workbooks.

use super::*;

const PAGE: &str = "<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><head>\
    <meta http-equiv=Content-Type content=\"text/html; charset=gb2312\"><title>导出 <td></title>\
    <style>td { mso-number-format:'\\@' }</style></head><body>\n\
    <table><tr><td>menu</td></tr></table>\n\
    <TABLE border=1>\n<tr><th>邮箱</th><TH>姓名<th>公司</tr>\n\
    <tr><td>a@example.com</td><td>张三 &amp; <b>李四</b></td><td x:num>00123</td></tr>\n\
    <tr><td>b＠example.com&nbsp;</td><td>王\n  五<td>一号楼<br>二层<script>if (1 < 2) {}</script>\n\
    <tr></tr><tr><td></td></tr>\
    <tr><td>c@example.com<td colspan=2><table><tr><td>in it</table>Carl</tr></table></body></html>";

#[test]
fn a_table_of_a_web_page_is_a_list() {
    let page = encoding_rs::GBK.encode(PAGE).0;
    let (list, _folder) = open(&page);
    assert_eq!(
        (list.origin().format, list.origin().encoding),
        ("html", Some("GB18030"))
    );
    assert_eq!(list.delimiter(), None);
    let expected = [
        "2 a@example.com a@example.com|张三 & 李四|00123",
        "3:1 a full-width `＠` (cell A3)",
        "6 c@example.com c@example.com|Carl|",
    ];
    assert_eq!(rows(&list).into_iter().map(tell).collect::<Vec<_>>(), expected);
    assert_eq!(read_again(&list), 2);
    // What the page says of its encoding may be wrong; UTF-8 is not.
    let marked = format!("\u{feff}{PAGE}");
    let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, encoding) in [(PAGE.as_bytes(), "UTF-8"), (&wide, "UTF-16LE")] {
        assert_eq!(read(bytes), expected);
        assert_eq!(open(bytes).0.origin().encoding, Some(encoding));
    }
}

#[test]
fn cells_over_several_rows_are_refused_with_their_place() {
    assert_eq!(
        refuse(
            "<table><tr><td>email<td>name<tr><td>a@example.com<td rowspan=2>A<tr><td>b@example.com</table>"
        ),
        "2:2 this cell of the table goes over several rows (`rowspan`) / nothing was read; open it in a spreadsheet, \
         take the merged cells apart, and save it as `CSV UTF-8`"
    );
}

#[test]
fn an_xml_spreadsheet_is_a_list() {
    let text = "<?xml version=\"1.0\"?>\n<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" \
        xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\"><Worksheet ss:Name=\"S\"><Table>\n\
        <Row><Cell><Data ss:Type=\"String\">email</Data></Cell><Cell><Data>姓名</Data></Cell><Cell><Data>no</Data></Cell></Row>\n\
        <Row ss:Index=\"4\"><Cell><Data>a@example.com</Data></Cell><Cell ss:Index=\"3\"><Data ss:Type=\"Number\">7</Data></Cell></Row>\n\
        <Row><Cell><Data>b@example.com</Data></Cell><Cell/><Cell/></Row></Table></Worksheet></Workbook>";
    let (list, _folder) = open(text);
    assert!(
        list.origin().notes[0]
            .to_string()
            .starts_with("this is an XML spreadsheet")
    );
    let rows: Vec<String> = rows(&list).into_iter().map(tell).collect();
    assert_eq!(
        rows,
        [
            "4 a@example.com a@example.com||7",
            "5 b@example.com b@example.com||"
        ]
    );
}

proptest! {
    #[test]
    fn no_page_makes_it_panic(body in "(<table>|<tr>|<td>|</td>|</table>|<td colspan=9|<script>|a@b.cn|email|&|<|张|\\n){0,30}") {
        let written = write(format!("<html>{body}"));
        if let Ok(list) = List::open(&written.path, &ListSettings::default()) {
            let _all = rows(&list);
        }
    }
}
