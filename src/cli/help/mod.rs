//! What `--help` says in Chinese. clap has it in English, from the doc comments of the commands; here the tree of commands
//! is gone through, and every text is looked up in `words/zh/help.toml`, by the English one.
//!
//! In English nothing is touched: clap says it.

pub(super) mod faults;
mod layout;

use std::collections::HashMap;
use std::sync::LazyLock;

use clap::{Arg, Command};

use super::sandbox;
use crate::words::Lang;
use layout::after;
pub(super) use layout::wrapped;

/// Columns of the screen that help takes at most.
pub(super) const WIDTH: usize = 100;
/// Columns before and between an option's names and its help.
const AROUND_NAMES: usize = 8;
/// Where no more than this is left for help, it is not wrapped by us.
const HELP_WIDTH_MIN: usize = 30;

/// What stands where in the help of a command. clap's own headings would end in a half-width colon.
fn template(command: &Command) -> String {
    let commands = command.get_subcommands().next();
    let commands = commands.map_or("", |_| "命令：\n{subcommands}\n\n");
    let arguments = command.get_positionals().next();
    let arguments = arguments.map_or("", |_| "参数：\n{positionals}\n\n");
    format!(
        "{{before-help}}{{about-with-newline}}\n用法：{{usage}}\n\n{commands}{arguments}选项：\n{{options}}{{after-help}}"
    )
}

/// English texts of the help, and the same in Chinese.
static CHINESE: LazyLock<HashMap<String, String>> =
    LazyLock::new(|| toml::from_str(SENTENCES).unwrap_or_default());
const SENTENCES: &str = include_str!("../../words/zh/help.toml");

/// A text of the help in Chinese, where it has one.
pub(super) fn in_chinese(english: &str) -> Option<&'static str> {
    CHINESE.get(english).map(String::as_str)
}

/// The commands with their help in this language.
pub(super) fn in_lang(mut commands: Command, lang: Lang) -> Command {
    match lang {
        Lang::En => commands,
        Lang::Zh => {
            // Now `--help` and `help` are there as well.
            commands.build();
            command_in_chinese(commands)
        }
    }
}

fn command_in_chinese(command: Command) -> Command {
    let width = WIDTH.saturating_sub(names_width(&command) + AROUND_NAMES);
    let (usage, template) = (usage_in_chinese(&command), template(&command));
    let about = command.get_about().map(ToString::to_string);
    let after_help = if command.get_name() == "sandbox" {
        Some(sandbox::help(Lang::Zh))
    } else {
        let english = command.get_after_help().map(ToString::to_string);
        english.map(|english| after(&english, in_chinese))
    };
    let mut command = command
        .help_template(template)
        .override_usage(usage)
        .subcommand_value_name("命令")
        .mut_args(|arg| arg_in_chinese(arg, width))
        .mut_subcommands(command_in_chinese);
    if let Some(about) = about {
        let chinese = in_chinese(&about).map_or(about.clone(), str::to_owned);
        command = command.about(chinese);
    }
    match after_help {
        Some(after_help) => command.after_help(after_help),
        None => command,
    }
}

/// How wide the names of a command's options are, with the names of their values.
fn names_width(command: &Command) -> usize {
    let width = |arg: &Arg| {
        let value = arg.get_value_names().and_then(|names| names.first());
        let value = value.map_or(0, |name| name.len() + 3);
        arg.get_long()
            .map_or(value, |long| "-x, --".len() + long.len() + value)
    };
    command.get_arguments().map(width).max().unwrap_or_default()
}

fn arg_in_chinese(arg: Arg, width: usize) -> Arg {
    let english = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let mut help = in_chinese(&english).map_or_else(|| english.clone(), str::to_owned);
    let takes_values = arg.get_action().takes_values();
    let defaults = arg.get_default_values();
    if takes_values && !defaults.is_empty() && !arg.is_hide_default_value_set() {
        let defaults: Vec<_> = defaults.iter().map(|value| value.to_string_lossy()).collect();
        help.extend([" [默认：", &defaults.join("、"), "]"]);
    }
    let possible = arg.get_possible_values();
    let names: Vec<&str> = possible
        .iter()
        .map(clap::builder::PossibleValue::get_name)
        .collect();
    if takes_values && !names.is_empty() {
        help.extend([" [可选：", &names.join("、"), "]"]);
    }
    let help = if width > HELP_WIDTH_MIN {
        wrapped(&help, width)
    } else {
        help
    };
    arg.help(help).hide_default_value(true).hide_possible_values(true)
}

/// `mailshot send [选项] <CAMPAIGN>`
fn usage_in_chinese(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    usage.replace("[OPTIONS]", "[选项]").replace("COMMAND", "命令")
}

/// The language that a command line asks for, before it is parsed; none when it does not.
pub(super) fn asked(mut args: impl Iterator<Item = String>) -> Option<String> {
    while let Some(arg) = args.next() {
        match arg.strip_prefix("--lang") {
            Some("") => return args.next(),
            Some(rest) if rest.starts_with('=') => return rest.get(1..).map(str::to_owned),
            _ if arg == "--" => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    /// Every text that the help of a command and of those below it has.
    fn texts(command: &Command, found: &mut BTreeSet<String>) {
        found.extend(command.get_about().map(ToString::to_string));
        for arg in command.get_arguments() {
            found.extend(arg.get_help().map(ToString::to_string));
        }
        if command.get_name() == "sandbox" {
            found.extend(sandbox::help_texts().map(str::to_owned));
        } else if let Some(after) = command.get_after_help() {
            found.extend(layout::pieces(&after.to_string()));
        }
        for below in command.get_subcommands() {
            texts(below, found);
        }
    }

    fn all_texts() -> BTreeSet<String> {
        let mut commands = super::super::Cli::command();
        commands.build();
        let mut found = BTreeSet::new();
        texts(&commands, &mut found);
        found.retain(|text| !text.is_empty());
        found
    }

    #[test]
    fn every_help_text_exists_in_chinese() {
        let missing: Vec<String> = all_texts()
            .into_iter()
            .filter(|text| in_chinese(text).is_none())
            .collect();
        assert!(missing.is_empty(), "no Chinese for {missing:#?}");
    }

    /// The text below the options of each command, with the command it is for.
    fn afters(lang: Lang) -> Vec<(String, String)> {
        fn of(command: &Command, found: &mut Vec<(String, String)>) {
            if let Some(after) = command.get_after_help() {
                found.push((command.get_name().to_owned(), after.to_string()));
            }
            for below in command.get_subcommands() {
                of(below, found);
            }
        }
        let mut found = Vec::new();
        of(&in_lang(super::super::Cli::command(), lang), &mut found);
        found
    }

    #[test]
    fn no_line_below_the_options_is_wider_than_the_screen() {
        let all = [Lang::En, Lang::Zh].into_iter().flat_map(afters);
        let wide: Vec<String> = all
            .flat_map(|(_, after)| after.lines().map(str::to_owned).collect::<Vec<_>>())
            .filter(|line| line.width() > WIDTH)
            .collect();
        assert!(wide.is_empty(), "clap would break these: {wide:#?}");
    }

    #[test]
    fn every_example_can_be_pasted_as_it_stands() {
        let mut count = 0;
        for (name, after) in afters(Lang::En).into_iter().chain(afters(Lang::Zh)) {
            for typed in layout::commands(&after) {
                let words = layout::words(&typed);
                let parsed = super::super::Cli::command().try_get_matches_from(&words);
                let error = parsed.err().filter(clap::Error::use_stderr);
                assert!(error.is_none(), "below {name}: {typed}: {error:?}");
                count += 1;
            }
        }
        assert!(count > 120, "{count} examples were seen");
    }

    #[test]
    fn the_file_of_help_texts_can_be_read() {
        let texts: HashMap<String, String> = toml::from_str(SENTENCES).unwrap();
        assert!(!texts.is_empty());
    }

    #[test]
    fn no_help_text_is_translated_that_is_not_there() {
        let texts = all_texts();
        let more: Vec<&String> = CHINESE.keys().filter(|text| !texts.contains(*text)).collect();
        assert!(more.is_empty(), "no help says {more:#?}");
    }

    #[test]
    fn the_command_line_is_the_same_in_chinese() {
        in_lang(super::super::Cli::command(), Lang::Zh).debug_assert();
    }

    #[test]
    fn the_language_is_known_before_the_command_line_is_parsed() {
        let asked = |line: &str| asked(line.split(' ').map(str::to_owned));
        assert_eq!(asked("send x --lang zh").as_deref(), Some("zh"));
        assert_eq!(asked("--lang=en send").as_deref(), Some("en"));
        assert_eq!(asked("send --language zh"), None);
        assert_eq!(asked("send -- --lang zh"), None);
        assert_eq!(asked("send --lang"), None);
    }
}
