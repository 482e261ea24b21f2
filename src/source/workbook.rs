//! Workbooks (.xlsx, .xlsb, .xls, .ods) as tables of text: every cell as the sheet shows it.
//!
//! A number is written with its format where the workbook tells it (.xlsx), so that `00123` keeps its zeros; dates
//! whose format depends on the reader's country are written as `2026-11-23`. An .ods has the shown text itself. Of .xls
//! and .xlsb the formats are not known, and that is said.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use calamine::{Data, DataRef, ExcelDateTime, Reader as _, SheetType, SheetVisible, Sheets, Xlsx};
use ssfmt::{DateSystem, FormatOptions, NumberFormat};

use super::table::{Numbering, SheetWriter};
use super::{file_name, opendocument, or};
use crate::campaign::{Problem, closest};
use crate::text;
use crate::words::Text;

/// Whole numbers up to here are exact in a sheet.
const EXACT: f64 = 1e15;
/// Formats that every country shows in its own way. Source: ECMA-376, 18.8.30: numFmtId 14 and 22.
const BY_COUNTRY: [&str; 6] = [
    "mm-dd-yy",
    "m/d/yy",
    "m/d/yyyy",
    "m/d/yy h:mm",
    "m/d/yy hh:mm",
    "m/d/yyyy h:mm",
];

/// A workbook whose sheets are known.
pub(super) struct Workbook<'a> {
    path: &'a Path,
    sheets: Sheets<BufReader<File>>,
    /// Is there a number whose format is not known?
    has_bare_numbers: bool,
}

impl<'a> Workbook<'a> {
    /// Opens a workbook, whatever its name says.
    pub(super) fn open(path: &'a Path, kind: &str) -> Result<Self, Problem> {
        let opened = match kind {
            "xls" => calamine::open_workbook(path)
                .map(Sheets::Xls)
                .map_err(calamine::Error::Xls),
            // Their names may say anything; what is in the archive tells.
            _ => calamine::open_workbook(path)
                .map(Sheets::Xlsx)
                .or_else(|_| calamine::open_workbook(path).map(Sheets::Xlsb))
                .or_else(|error| opendocument::open(path).map(Sheets::Ods).ok_or(error))
                .or_else(|_| calamine::open_workbook(path).map(Sheets::Ods))
                .map_err(calamine::Error::Ods),
        };
        match opened {
            Ok(sheets) => Ok(Self {
                path,
                sheets,
                has_bare_numbers: false,
            }),
            Err(_error) => {
                if let Some(problem) = other_archive(path) {
                    return Err(problem);
                }
                let name = if kind == "xls" {
                    ".xls"
                } else {
                    ".xlsx, a zip file"
                };
                let what = text!(
                    "this is an Excel workbook ({name}), and it is cut off or damaged",
                    name
                );
                let hint =
                    text!("open it in Excel and save it anew, without a password, or save it as `CSV UTF-8`");
                Err(Problem::with_file(path, what).hint(hint))
            }
        }
    }

    /// What the workbook is: `xlsx`, `xlsb`, `xls` or `ods`.
    pub(super) fn format(&self) -> &'static str {
        match self.sheets {
            Sheets::Xls(_) => "xls",
            Sheets::Xlsx(_) => "xlsx",
            Sheets::Xlsb(_) => "xlsb",
            Sheets::Ods(_) => "ods",
        }
    }

    /// What the user should know of a sheet that was written.
    pub(super) fn note(&self) -> Option<Text> {
        self.has_bare_numbers.then(|| {
            text!("numbers of .{format} are read without their format: `00123` may have become `123`; save it as .xlsx to keep it", format = self.format())
        })
    }

    /// Writes one sheet as CSV: the one that is named, else the only one with cells. Gives its name.
    pub(super) fn write(
        &mut self,
        wanted: Option<&str>,
        out: impl Write,
    ) -> Result<(String, Numbering), Problem> {
        let name = match wanted {
            Some(wanted) => self.named(wanted)?,
            None => self.only()?,
        };
        let path = self.path;
        let unreadable = |error: String| {
            Problem::with_file(
                path,
                text!("the sheet `{name}` cannot be read: {error}", name, error),
            )
        };
        let mut rows = SheetWriter::new(out);
        match &mut self.sheets {
            Sheets::Xlsx(book) => write_xlsx(book, &name, &mut rows).map_err(unreadable)?,
            book => {
                let range = book
                    .worksheet_range(&name)
                    .map_err(|error| unreadable(error.to_string()))?;
                let has_formats = matches!(book, Sheets::Ods(_));
                let (first_row, first_column) = range.start().unwrap_or_default();
                for (row, column, cell) in range.used_cells() {
                    let at = (first_row + index(row), first_column + index(column));
                    self.has_bare_numbers |= !has_formats && is_number(cell);
                    rows.cell(at, shown(cell))
                        .map_err(|error| unreadable(error.to_string()))?;
                }
            }
        }
        let numbering = rows.finish().map_err(|error| unreadable(error.to_string()))?;
        Ok((name, numbering))
    }

    fn names(&self) -> Vec<String> {
        let is_table = |sheet: &&calamine::Sheet| sheet.typ == SheetType::WorkSheet;
        let sheets = self.sheets.sheets_metadata().iter().filter(is_table);
        sheets.map(|sheet| sheet.name.clone()).collect()
    }

    fn named(&self, wanted: &str) -> Result<String, Problem> {
        let names = self.names();
        if let Some(name) = names.iter().find(|name| name.trim() == wanted.trim()) {
            return Ok(name.clone());
        }
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let problem = Problem::with_file(
            self.path,
            text!(
                "{file_name} has no sheet `{wanted}`",
                file_name = file_name(self.path),
                wanted
            ),
        );
        Err(match closest(wanted, &known) {
            Some(known) => problem.hint(text!("did you mean `{known}`?", known)),
            None => problem.hint(text!("its sheets are: {known}", known = known.join(", "))),
        })
    }

    /// No sheet that is shown has anything in it.
    fn nothing_to_see(&self) -> Problem {
        let hidden = self
            .sheets
            .sheets_metadata()
            .iter()
            .filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible != SheetVisible::Visible);
        let hidden: Vec<String> = hidden.map(|sheet| sheet.name.clone()).collect();
        match hidden.first() {
            None => Problem::with_file(self.path, text!("this workbook has no sheet with anything in it")),
            Some(first) => Problem::with_file(
                self.path,
                text!(
                    "this workbook has no sheet with anything in it but what is hidden: {hidden}",
                    hidden = quoted(&hidden)
                ),
            )
            .hint(text!(
                "set `sheet = \"{first}\"` in the campaign, or --sheet, if the list is there",
                first
            )),
        }
    }

    fn only(&mut self) -> Result<String, Problem> {
        let is_seen = |sheet: &&calamine::Sheet| {
            sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible
        };
        let seen = self.sheets.sheets_metadata().iter().filter(is_seen);
        let mut names: Vec<String> = seen.map(|sheet| sheet.name.clone()).collect();
        if names.len() > 1 {
            let sheets = &mut self.sheets;
            names.retain(|name| has_cells(sheets, name));
        }
        match names.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(self.nothing_to_see()),
            [first, ..] => {
                let what = text!("which sheet holds the list: {names}?", names = quoted(&names));
                let hint = text!("set `sheet = \"{first}\"` in the campaign, or --sheet", first);
                Err(Problem::with_file(self.path, what).hint(hint))
            }
        }
    }
}

/// What an archive is that is no workbook; none when it cannot be opened or may be one.
fn other_archive(path: &Path) -> Option<Problem> {
    let archive = zip::ZipArchive::new(BufReader::new(File::open(path).ok()?)).ok()?;
    let has = |part: &str| archive.file_names().flatten().any(|name| name.starts_with(part));
    let (what, hint) = if has("word/") {
        (
            text!("this is a Word document (.docx), not a list"),
            text!("copy its table into a sheet, and save that"),
        )
    } else if has("ppt/") {
        (
            text!("this is a PowerPoint presentation, not a list"),
            text!("give the list itself"),
        )
    } else if has("xl/") || has("content.xml") {
        return None;
    } else {
        (
            text!("this is a zip archive, not a list"),
            text!("unpack it, and give the list that is in it"),
        )
    };
    Some(Problem::with_file(path, what).hint(hint))
}

/// Is it shown with a format?
fn is_number(cell: &Data) -> bool {
    matches!(cell, Data::Int(_) | Data::Float(_))
}

fn has_cells(sheets: &mut Sheets<BufReader<File>>, name: &str) -> bool {
    match sheets {
        // Not the whole sheet: it may be large.
        Sheets::Xlsx(book) => {
            let reader = book.worksheet_cells_reader(name);
            reader.is_ok_and(|mut reader| {
                while let Ok(Some(cell)) = reader.next_cell() {
                    if *cell.get_value() != DataRef::Empty {
                        return true;
                    }
                }
                false
            })
        }
        sheets => sheets.worksheet_range(name).is_ok_and(|range| !range.is_empty()),
    }
}

fn quoted(names: &[String]) -> Text {
    or(names.iter().map(String::as_str))
}

fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Cell by cell, so that memory does not grow with the sheet.
fn write_xlsx(
    book: &mut Xlsx<BufReader<File>>,
    name: &str,
    rows: &mut SheetWriter<impl Write>,
) -> Result<(), String> {
    let date_system = if book.has_1904_epoch() {
        DateSystem::Date1904
    } else {
        DateSystem::Date1900
    };
    let options = FormatOptions {
        date_system,
        ..FormatOptions::default()
    };
    let mut reader = book
        .worksheet_cells_reader(name)
        .map_err(|error| error.to_string())?;
    let mut formats: HashMap<usize, Option<NumberFormat>> = HashMap::new();
    while let Some((cell, style)) = reader
        .next_cell_with_style_id()
        .map_err(|error| error.to_string())?
    {
        let format = formats.entry(style).or_insert_with(|| {
            let code = reader
                .styles()
                .get(style)?
                .number_format
                .as_ref()?
                .format_code
                .as_str();
            let is_plain = matches!(code, "General" | "@") || BY_COUNTRY.contains(&code);
            if is_plain {
                None
            } else {
                NumberFormat::parse(code).ok()
            }
        });
        let text = match (cell.get_value(), format) {
            (DataRef::Float(number), Some(format)) => format.format(*number, &options),
            (DataRef::Int(number), Some(format)) => {
                let number: f64 = number.to_string().parse().unwrap_or_default();
                format.format(number, &options)
            }
            (DataRef::DateTime(at), Some(format)) => format.format(at.as_f64(), &options),
            (DataRef::SharedString(text), _) => (*text).to_owned(),
            (value, _) => shown(&Data::from(value.clone())),
        };
        rows.cell(cell.get_position(), text)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// A cell without a format.
fn shown(cell: &Data) -> String {
    match cell {
        Data::Int(number) => number.to_string(),
        Data::Float(number) => general(*number),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Bool(true) => "TRUE".to_owned(),
        Data::Bool(false) => "FALSE".to_owned(),
        Data::DateTime(at) => moment(at),
        Data::Error(error) => error.to_string(),
        Data::Empty => String::new(),
    }
}

/// A number without a format: whole numbers in full, as phone and order numbers must be.
fn general(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < EXACT {
        format!("{number:.0}")
    } else {
        ssfmt::format_default(number, "General").unwrap_or_else(|_| number.to_string())
    }
}

fn moment(at: &ExcelDateTime) -> String {
    let format = match at.as_f64() {
        _ if at.is_duration() => "[h]:mm:ss",
        days if days.fract() == 0.0 => "yyyy-mm-dd",
        days if days < 1.0 => "hh:mm:ss",
        _ => "yyyy-mm-dd hh:mm:ss",
    };
    let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
    match format {
        "yyyy-mm-dd" => format!("{year:04}-{month:02}-{day:02}"),
        "hh:mm:ss" => format!("{hour:02}:{minute:02}:{second:02}"),
        "[h]:mm:ss" => ssfmt::format_default(at.as_f64(), format).unwrap_or_default(),
        _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
    }
}
