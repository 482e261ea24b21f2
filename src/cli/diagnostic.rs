//! Shows problems in the user's files: what, where, the line itself, and what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, Title};

use super::counted;
use super::exit::Coded;
use super::printer::{Form, Printer};
use crate::campaign::{Problem, Problems};
use crate::text;
use crate::words::{Lang, Text};

/// Shows an error that ended a command.
pub(super) fn show(printer: Printer, error: &anyhow::Error) {
    if let Some(problems) = error.downcast_ref::<Problems>() {
        show_problems(printer, problems);
    } else if let Some(coded) = error.downcast_ref::<Coded>() {
        printer.warn(text!("error: {what}", what = &coded.what));
        if let Some(hint) = &coded.hint {
            printer.warn(text!("hint: {hint}", hint));
        }
    } else {
        printer.warn(text!("error: {what}", what = Text::error(error)));
    }
    if printer.form == Form::Json {
        let problems = error.downcast_ref::<Problems>().map(|problems| &problems.kept);
        printer.json(&serde_json::json!({ "error": format!("{error:#}"), "problems": problems }));
    }
}

fn show_problems(printer: Printer, problems: &Problems) {
    if let Some(title) = &problems.title {
        printer.warn(text!("error: {what}", what = title.as_ref()));
    }
    for problem in &problems.kept {
        let level = if problems.title.is_some() {
            Level::NOTE
        } else {
            Level::ERROR
        };
        printer.warn(Text::from(render(problem, level, printer.lang)));
    }
    if problems.more > 0 {
        printer.warn(text!("and {more} more", more = counted::problems(problems.more)));
    }
    let not_done = problems.not_done.as_deref().cloned();
    printer.warn(Text::default());
    printer.warn(not_done.unwrap_or_else(|| text!("nothing was sent")));
    if let Some(advice) = &problems.advice {
        printer.warn(text!("hint: {hint}", hint = advice.as_ref()));
    }
}

/// What is not wrong, and yet should be known.
pub(super) fn warning(problem: &Problem, lang: Lang) -> String {
    render(problem, Level::WARNING, lang)
}

fn render(problem: &Problem, level: Level<'static>, lang: Lang) -> String {
    let path = problem.file.display().to_string();
    let what = problem.what.in_lang(lang);
    let head = if level == Level::WARNING {
        text!("warning: {said}", said = what.as_str())
    } else {
        text!("error: {what}", what = what.as_str())
    };
    let head = head.in_lang(lang);
    let mut text = match &problem.source {
        Some(source) if problem.line > 0 => {
            let level = named(level, lang);
            let shown = snippet(problem, &path, source, level.primary_title(what.as_str()));
            match lang {
                Lang::En => shown,
                // The first colon is that behind the level.
                Lang::Zh => shown.replacen(": ", "：", 1),
            }
        }
        _ if problem.line > 0 => format!("{head}\n  --> {path}:{}:{}", problem.line, problem.column),
        _ => format!("{head}\n  --> {path}"),
    };
    if let Some(row) = &problem.row {
        let row = text!(
            "seen with: {place}",
            place = format!("{}:{}", row.file.display(), row.line)
        );
        text.push('\n');
        text.push_str(&row.in_lang(lang));
    }
    if let Some(hint) = &problem.hint {
        text.push('\n');
        text.push_str(&text!("hint: {hint}", hint = hint.as_ref()).in_lang(lang));
    }
    text
}

/// A level with its name in the reader's language.
fn named(level: Level<'static>, lang: Lang) -> Level<'static> {
    match lang {
        Lang::En => level,
        Lang::Zh if level == Level::WARNING => level.with_name("警告"),
        Lang::Zh if level == Level::NOTE => level.with_name("说明"),
        Lang::Zh => level.with_name("错误"),
    }
}

fn snippet(problem: &Problem, path: &str, source: &str, title: Title<'_>) -> String {
    let start = byte_of(source, problem.column.saturating_sub(1));
    let end = byte_of(source, problem.column.saturating_sub(1) + problem.width as u64).max(start);
    let line = usize::try_from(problem.line).unwrap_or(1);
    let snippet = Snippet::source(source)
        .path(path)
        .line_start(line)
        .annotation(AnnotationKind::Primary.span(start..end));
    let report = [Group::with_title(title).element(snippet)];
    Renderer::styled().render(&report)
}

fn byte_of(text: &str, character: u64) -> usize {
    let character = usize::try_from(character).unwrap_or(usize::MAX);
    text.char_indices()
        .nth(character)
        .map_or(text.len(), |(byte, _)| byte)
}
