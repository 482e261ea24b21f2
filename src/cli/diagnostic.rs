//! Shows problems in the user's files: what, where, the line itself, and what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::exit::Coded;
use super::printer::{Form, Printer, count};
use crate::campaign::{Problem, Problems};
use crate::text;

/// Shows an error that ended a command.
pub(super) fn show(printer: Printer, error: &anyhow::Error) {
    if let Some(problems) = error.downcast_ref::<Problems>() {
        show_problems(printer, problems);
    } else {
        let coded = error.downcast_ref::<Coded>();
        match coded {
            Some(coded) => printer.warn(text!("error: {what}", what = &coded.what)),
            None => printer.warn(text!("error: {what}", what = format!("{error:#}"))),
        }
        if let Some(hint) = coded.and_then(|coded| coded.hint.as_ref()) {
            printer.warn(text!("hint: {hint}", hint));
        }
    }
    if printer.form == Form::Json {
        let problems = error.downcast_ref::<Problems>().map(|problems| &problems.kept);
        printer.json(&serde_json::json!({ "error": format!("{error:#}"), "problems": problems }));
    }
}

fn show_problems(printer: Printer, problems: &Problems) {
    if let Some(title) = &problems.title {
        printer.warn(format!("error: {title}"));
    }
    for problem in &problems.kept {
        printer.warn(render(
            problem,
            if problems.title.is_some() {
                Level::NOTE
            } else {
                Level::ERROR
            },
        ));
    }
    if problems.more > 0 {
        printer.warn(format!("and {} more", count(problems.more, "problem")));
    }
    let not_done = problems.not_done.as_deref().unwrap_or("nothing was sent");
    printer.warn(format!("\n{not_done}"));
    if let Some(advice) = &problems.advice {
        printer.warn(format!("hint: {advice}"));
    }
}

/// What is not wrong, and yet should be known.
pub(super) fn warning(problem: &Problem) -> String {
    render(problem, Level::WARNING)
}

fn render(problem: &Problem, level: Level<'_>) -> String {
    let word = if level == Level::WARNING {
        "warning"
    } else {
        "error"
    };
    let path = problem.file.display().to_string();
    let mut text = match &problem.source {
        Some(source) if problem.line > 0 => snippet(problem, &path, source, level),
        _ if problem.line > 0 => format!(
            "{word}: {}\n  --> {path}:{}:{}",
            problem.what, problem.line, problem.column
        ),
        _ => format!("{word}: {}\n  --> {path}", problem.what),
    };
    if let Some(row) = &problem.row {
        let row = format!("\nseen with: {}:{}", row.file.display(), row.line);
        text.push_str(&row);
    }
    if let Some(hint) = &problem.hint {
        text.push_str("\nhint: ");
        text.push_str(hint);
    }
    text
}

fn snippet(problem: &Problem, path: &str, source: &str, level: Level<'_>) -> String {
    let start = byte_of(source, problem.column.saturating_sub(1));
    let end = byte_of(source, problem.column.saturating_sub(1) + problem.width as u64).max(start);
    let line = usize::try_from(problem.line).unwrap_or(1);
    let snippet = Snippet::source(source)
        .path(path)
        .line_start(line)
        .annotation(AnnotationKind::Primary.span(start..end));
    let report = [Group::with_title(level.primary_title(problem.what.as_str())).element(snippet)];
    Renderer::styled().render(&report)
}

fn byte_of(text: &str, character: u64) -> usize {
    let character = usize::try_from(character).unwrap_or(usize::MAX);
    text.char_indices()
        .nth(character)
        .map_or(text.len(), |(byte, _)| byte)
}
