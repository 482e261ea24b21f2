//! Pages that show mails as people see them: for a browser, without a server.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use handlebars::Handlebars;
use serde_json::json;

use super::super::printer::number;
use crate::campaign::Problems;
use crate::clock::Clock;
use crate::mail::{FileUse, Recipient};
use crate::pipeline::{Mail, Maker};
use crate::source::{List, Row};
use crate::text;
use crate::words::{Lang, Text};

/// Recipients before and after the chosen one that have a page.
const AROUND: usize = 20;

/// Writes a page for a recipient, and for those around them; gives the recipient's page.
pub(super) fn write(
    folder: &Path,
    list: &List,
    maker: &Maker,
    chosen: &Recipient,
    lang: Lang,
) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(folder).with_context(|| format!("make the folder {}", folder.display()))?;
    let around = around(list, maker, chosen)?;
    let (mails, notes) = mails(maker, chosen, &around)?;
    let notes: Vec<String> = notes.iter().map(|note| note.in_lang(lang)).collect();
    let labels = labels(lang);
    let name = |(recipient, _): &Page<'_>| format!("line-{}.html", recipient.place.line);
    let mut pages = Handlebars::new();
    pages.set_strict_mode(true);
    for (index, page) in mails.iter().enumerate() {
        let (recipient, mail) = page;
        let html = with_images(mail, maker);
        let text = pages.render_template(
            include_str!("page.html.hbs"),
            &json!({
                "lang": if lang == Lang::Zh { "zh-CN" } else { "en" },
                "say": labels,
                "campaign": maker.campaign().name,
                "subject": mail.content.subject,
                "recipient": recipient.address.as_str(),
                "from": maker.campaign().from.to_string(),
                "place": place(list, recipient, maker).in_lang(lang),
                "size": size(mail).in_lang(lang),
                "notes": notes,
                // Mails with styles of their own for the dark are not turned around.
                "has_dark": html.contains("prefers-color-scheme"),
                "html": html,
                "text": mail.content.text,
                "headers": headers(mail),
                "previous": index.checked_sub(1).and_then(|before| mails.get(before)).map(name),
                "next": mails.get(index + 1).map(name),
            }),
        )?;
        let path = folder.join(name(page));
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(folder.join(format!("line-{}.html", chosen.place.line)))
}

/// A mail that has a page.
type Page<'a> = (&'a Recipient, Mail);

/// The mails that have a page, and what to say on every page.
fn mails<'a>(
    maker: &Maker,
    chosen: &Recipient,
    around: &'a Around,
) -> anyhow::Result<(Vec<Page<'a>>, Vec<Text>)> {
    let mut mails = Vec::new();
    let mut notes = around.gaps.clone();
    for recipient in &around.people {
        match maker.make(recipient, Clock::System.now_ms()) {
            Ok(mail) => mails.push((recipient, mail)),
            Err(problem) if recipient.place == chosen.place => return Err(Problems::from(problem).into()),
            Err(problem) => notes.push(text!(
                "line {line} has no page, since its mail cannot be made: {why}",
                line = recipient.place.line,
                why = problem.what
            )),
        }
    }
    let people = around.people.len() as u64;
    if people < around.rows {
        notes.push(text!(
            "{shown} of {all} recipients can be leafed through; begin elsewhere with --row N or --to ADDRESS",
            shown = number(people),
            all = number(around.rows)
        ));
    }
    Ok((mails, notes))
}

/// The recipients around the chosen one, and what the whole list lacks.
struct Around {
    people: Vec<Recipient>,
    /// Recipients of the whole list.
    rows: u64,
    gaps: Vec<Text>,
}

fn around(list: &List, maker: &Maker, chosen: &Recipient) -> anyhow::Result<Around> {
    let mut people: VecDeque<Recipient> = VecDeque::new();
    let mut after: Option<usize> = None;
    let mut missing: BTreeMap<usize, u64> = maker
        .templates()
        .bare_columns()
        .into_iter()
        .map(|column| (column, 0))
        .collect();
    let mut rows = 0_u64;
    for row in list.rows()? {
        let Row::Usable(recipient) = row? else { continue };
        rows += 1;
        for (column, count) in &mut missing {
            *count += u64::from(
                recipient
                    .values
                    .get(*column)
                    .unwrap_or_default()
                    .trim()
                    .is_empty(),
            );
        }
        match &mut after {
            None => {
                after = (recipient.place == chosen.place).then_some(0);
                people.push_back(recipient);
                if people.len() > AROUND + 1 {
                    people.pop_front();
                }
            }
            Some(count) if *count < AROUND => {
                *count += 1;
                people.push_back(recipient);
            }
            Some(_) => {}
        }
    }
    if after.is_none() {
        // A row that is not mailed can be looked at all the same.
        people = VecDeque::from([chosen.clone()]);
    }
    let name = |column: usize| list.columns().names.get(column).map_or("", String::as_str);
    let gaps = missing
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(column, count)| {
            text!(
                "{column} is empty in {count} of {rows} rows",
                column = name(column),
                count = number(count),
                rows = number(rows)
            )
        });
    Ok(Around {
        people: people.into(),
        rows,
        gaps: gaps.collect(),
    })
}

/// The HTML with its images in it: a page has no parts to point to.
fn with_images(mail: &Mail, maker: &Maker) -> String {
    let mut html = mail.content.html.clone();
    for file in &mail.content.files {
        let FileUse::Shown(cid) = &file.used else { continue };
        if let Some((kind, bytes)) = maker.file(file) {
            let data = format!("data:{kind};base64,{}", BASE64_STANDARD.encode(bytes));
            html = html.replace(&format!("cid:{cid}"), &data);
        }
    }
    html
}

/// Where the recipient stands, and which edition of the mail that is.
fn place(list: &List, recipient: &Recipient, maker: &Maker) -> Text {
    let (line, list) = (recipient.place.line, list.path().display());
    match maker.templates().name_for(recipient) {
        "" => text!("line {line} of {list}", line, list),
        edition => text!("line {line} of {list}, edition {edition}", line, list, edition),
    }
}

fn size(mail: &Mail) -> Text {
    let (size, files) = (number(mail.message.bytes.len() as u64), files(mail));
    if files.is_empty() {
        text!("{size} bytes", size)
    } else {
        text!("{size} bytes, with {files}", size, files)
    }
}

/// The words on the page, by their names in it.
fn labels(lang: Lang) -> BTreeMap<&'static str, String> {
    let all = [
        ("people", text!("Recipients")),
        ("previous", text!("← previous")),
        ("next", text!("next →")),
        ("own_dark", text!("dark mode, by the styles of the mail")),
        (
            "turned_dark",
            text!("dark mode, as a mail program turns colours around"),
        ),
        ("from", text!("From")),
        ("to", text!("To")),
        ("size", text!("Size")),
        ("desktop", text!("HTML on a desktop")),
        ("phone", text!("HTML on a phone")),
        ("text", text!("Text")),
        ("headers", text!("Headers")),
    ];
    all.into_iter()
        .map(|(name, text)| (name, text.in_lang(lang)))
        .collect()
}

fn files(mail: &Mail) -> String {
    let attached = mail
        .content
        .files
        .iter()
        .filter(|file| file.used == FileUse::Attached);
    let names = attached.map(|file| file.name.as_deref().unwrap_or(&file.path));
    names.collect::<Vec<_>>().join(", ")
}

fn headers(mail: &Mail) -> String {
    let text = String::from_utf8_lossy(&mail.message.bytes);
    text.split("\r\n\r\n").next().unwrap_or_default().to_owned()
}
