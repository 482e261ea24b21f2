//! Cells that were damaged on their way, or would do harm in a mail: what people notice only when it is too late.

use encoding_rs::{GB18030, WINDOWS_1252};

use crate::mail::Address;
use crate::mail::recipient::is_unsafe_in_a_name;
use crate::text;
use crate::words::Text;

/// What is wrong with a cell's text, and what to do about it.
pub fn suspect(cell: &str) -> Option<(Text, Text)> {
    if cell.is_ascii() {
        return suspect_ascii(cell);
    }
    if cell.contains('\u{fffd}') {
        return Some((
            text!("characters were lost before this list was saved (U+FFFD)"),
            text!("export the list again, in UTF-8"),
        ));
    }
    if let Some(meant) = before_mojibake(cell) {
        let what = text!(
            "looks like mojibake: text in UTF-8 that was read as something else; `{meant}` was meant",
            meant
        );
        return Some((what, text!("export the list again, in UTF-8")));
    }
    if let Some(meant) = before_hanzi(cell) {
        let what = text!(
            "looks like mojibake: letters that were read as Chinese; `{meant}` was meant",
            meant
        );
        return Some((
            what,
            text!("this row is in another encoding; export the list again, in UTF-8"),
        ));
    }
    suspect_ascii(cell)
}

fn suspect_ascii(cell: &str) -> Option<(Text, Text)> {
    let text = cell.trim();
    if let Some(address) = row_within(text) {
        return Some((
            text!(
                "this cell has several lines, and one begins like a row of the list: `{address}`",
                address
            ),
            text!("if a quote was forgotten, close it where its cell ends; nobody in this cell is mailed"),
        ));
    }
    if is_scientific(text) {
        let what = text!(
            "`{text}` is a number that a spreadsheet has shortened; its last digits are lost",
            text
        );
        return Some((
            what,
            text!("format the column as text in the spreadsheet, and export it again"),
        ));
    }
    if text.starts_with('=') && text.contains('(') && text.ends_with(')') {
        return Some((
            text!("a formula, not its value"),
            text!("export the values of the sheet"),
        ));
    }
    if is_error(text) {
        return Some((
            text!("`{text}`: a formula of the sheet failed", text),
            text!("mend it in the sheet"),
        ));
    }
    if cell.contains(['\r', '\n']) {
        return None;
    }
    let c = cell.chars().find(|c| is_unsafe_in_a_name(*c) && *c != '\t')?;
    let what = text!("a control character (U+{c})", c = format!("{:04X}", u32::from(c)));
    Some((what, text!("take it out: it cannot stand in a subject or a name")))
}

/// The address with which a line of this cell begins, besides the first, when more cells seem to follow.
fn row_within(text: &str) -> Option<&str> {
    let mut lines = text.split(['\r', '\n']).skip(1);
    lines.find_map(|line| {
        let (first, _) = line.split_once([',', ';', '\t', '|'])?;
        Address::parse(first).is_ok().then_some(first.trim())
    })
}

/// `1.38E+10`
fn is_scientific(text: &str) -> bool {
    let Some((number, power)) = text.split_once(['E', 'e']) else {
        return false;
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = match number.split_once('.') {
        Some((whole, rest)) => is_digits(whole) && is_digits(rest),
        None => is_digits(number) && number.len() == 1,
    };
    is_number && power.strip_prefix('+').is_some_and(is_digits)
}

/// The errors that spreadsheets show in place of a value.
fn is_error(text: &str) -> bool {
    ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"].contains(&text)
}

/// What a text said before its UTF-8 was taken for Windows-1252 or GB18030 and saved.
fn before_mojibake(cell: &str) -> Option<String> {
    let (western, _, is_lossy) = WINDOWS_1252.encode(cell);
    if !is_lossy {
        // The bytes that this encoding has no sign for got lost as spaces.
        return letters_in(&western);
    }
    let (chinese, _, is_lossy) = GB18030.encode(cell);
    let text = std::str::from_utf8(&chinese).ok().filter(|_| !is_lossy)?;
    let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let (mut han, mut other) = (0, 0);
    for c in text.chars().filter(|c| !c.is_ascii()) {
        if is_han(c) { han += 1 } else { other += 1 }
    }
    (han > 1 && other == 0).then(|| text.to_owned())
}

/// What a Western text said of which bytes were taken for Chinese characters: `Jürgen` in Windows-1252 for `J黵gen`, and
/// `Müller` in UTF-8 for `M眉ller`. One such row among Chinese ones is valid in their encoding.
fn before_hanzi(cell: &str) -> Option<String> {
    let chars: Vec<char> = cell.chars().collect();
    // Chinese and Latin letters stand side by side in many names of goods, but not one character within a word.
    let is_letter = |at: Option<usize>| {
        at.and_then(|at| chars.get(at))
            .is_some_and(char::is_ascii_lowercase)
    };
    let mut hanzi = chars.iter().enumerate().filter(|(_, c)| !c.is_ascii()).peekable();
    hanzi.peek()?;
    let (mut is_utf8, mut is_western) = (true, true);
    for (at, c) in hanzi {
        let is_before = is_letter(at.checked_sub(1)) || at == 1 && chars.first()?.is_ascii_uppercase();
        let is_after = is_letter(Some(at + 1));
        let mut text = [0; 4];
        let (bytes, _, is_lossy) = GB18030.encode(c.encode_utf8(&mut text));
        let [first, second] = *bytes.as_ref() else {
            return None;
        };
        let is_han = !is_lossy && ('\u{4e00}'..='\u{9fff}').contains(c);
        // Letters of two bytes in UTF-8 begin so.
        is_utf8 &= is_han && is_before && is_after && (0xc3..=0xc9).contains(&first) && second < 0xc0;
        is_western &= is_han && (is_before || is_after) && first >= 0xc0 && second.is_ascii_lowercase();
    }
    let (bytes, _, _) = GB18030.encode(cell);
    if is_utf8 {
        String::from_utf8(bytes.into_owned()).ok()
    } else {
        is_western.then(|| WINDOWS_1252.decode_without_bom_handling(&bytes).0.into_owned())
    }
}

/// The characters of two bytes and more that valid UTF-8 among these bytes makes, when there is hardly anything else.
fn letters_in(bytes: &[u8]) -> Option<String> {
    let (mut good, mut bad) = (0, 0);
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        let lost = chunk.invalid();
        // A sequence of which one byte was lost counts half.
        bad += usize::from(lost.len() == 1) * 2 + usize::from(lost.len() > 1);
        if !lost.is_empty() {
            text.push('…');
        }
    }
    (good > 0 && bad <= good).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_noticed() {
        for (cell, what) in [
            ("å¼ ä¸‰", "looks like mojibake"),
            (
                "MÃ¼ller",
                "looks like mojibake: text in UTF-8 that was read as something else; `Müller` was meant",
            ),
            (
                "寮犱笁",
                "looks like mojibake: text in UTF-8 that was read as something else; `张三` was meant",
            ),
            (
                "M眉ller",
                "looks like mojibake: letters that were read as Chinese; `Müller` was meant",
            ),
            (
                "J黵gen",
                "looks like mojibake: letters that were read as Chinese; `Jürgen` was meant",
            ),
            (
                "Ren閑",
                "looks like mojibake: letters that were read as Chinese; `Renée` was meant",
            ),
            ("张\u{fffd}", "characters were lost"),
            (
                "1.38E+10",
                "`1.38E+10` is a number that a spreadsheet has shortened",
            ),
            ("=HYPERLINK(\"http://evil\")", "a formula"),
            ("#N/A", "`#N/A`: a formula of the sheet failed"),
            (
                "Bob\nc@example.com,C",
                "this cell has several lines, and one begins like a row",
            ),
            ("a\u{2}", "a control character (U+0002)"),
            ("张\u{202e}三", "a control character (U+202E)"),
        ] {
            let found = suspect(cell).map(|(what, _)| what).unwrap_or_default();
            assert!(found.to_string().starts_with(what), "{cell}: {found}");
        }
    }

    #[test]
    fn text_of_all_kinds_is_left_alone() {
        for cell in [
            "",
            "Müller",
            "Jürgen Größe",
            "张三",
            "李四",
            "深圳市跨境科技有限公司",
            "Ærøskøbing",
            "naïve café",
            "São Paulo",
            "Łódź",
            "Ñandú",
            "Ünal",
            "Москва",
            "東京",
            "서울",
            "€ 5,00",
            "5 £",
            "10 °C",
            "„Zitat“",
            "l’été",
            "+86 13800000000",
            "E+10",
            "00012",
            "1e5 people",
            "= 3",
            "a\tb",
            "1 Road\r\nFloor 2",
            "write to:\nc@example.com",
            "Å",
            "Ä Ö Ü",
            "联通",
            "阿里巴巴",
            "iPhone手机case",
            "Benefit眉笔",
            "Benefit眉 pro",
            "卡拉OK厅",
            "T恤",
            "x光",
            "A股b",
            "模具",
            "你好，世界！",
        ] {
            assert_eq!(suspect(cell), None, "{cell}");
        }
    }
}
