//! The commands: one file each. stdout is data, stderr is talk.

mod diagnostic;
mod exit;
mod load;
mod lockout;
mod printer;
mod progress;
mod cells;
mod check;
mod counted;
mod client_config;
mod doctor;
mod explain;
mod feedback;
mod help;
mod inbox;
mod init;
mod left_out;
mod list;
mod preview;
mod providers;
mod report;
mod resolve;
mod sandbox;
mod secret;
mod send;
mod serve;
mod show;
mod status;
mod suppress;
mod texts;
mod unlock;
mod verify;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum as _};

use exit::Exit;
use printer::{Form, Printer};

use crate::text;
use crate::words::{Lang, Say};

/// Sends a mail campaign exactly as intended: nobody twice, nobody forgotten, never over the quota, everything on
/// record.
#[derive(Debug, Parser)]
#[command(name = "mailshot", version, after_help = texts::AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print data as JSON, one value a line
    #[arg(long, global = true)]
    json: bool,
    /// Say only what must not be missed
    #[arg(long, short, global = true)]
    quiet: bool,
    /// The language to speak: en or zh; else that of the locale
    #[arg(long, global = true, value_enum, value_name = "LANG")]
    lang: Option<Spoken>,
}

/// A language to speak, as `--lang` takes it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Spoken {
    // (Doc comments here would make every help longer.)
    En,
    #[value(alias = "zh-CN", alias = "zh-Hans", alias = "cn")]
    Zh,
}

/// The language that was asked for, else that of the locale.
fn language(asked: Option<Spoken>) -> Lang {
    match asked {
        Some(Spoken::En) => Lang::En,
        Some(Spoken::Zh) => Lang::Zh,
        None => Lang::of_locale(&sys_locale::get_locale().unwrap_or_default()),
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a workspace with a campaign to try
    Init(init::Args),
    /// Read every row and make every mail once, without sending
    Check(check::Args),
    /// Look into a list file, and make a clean one of it
    List(list::Args),
    /// Show the mail of one recipient
    Preview(preview::Args),
    /// Send a campaign, or go on with it
    Send(send::Args),
    /// Answer the links to unsubscribe in mails
    Serve(serve::Args),
    /// Show how campaigns stand
    Status(status::Args),
    /// Show everything known about one recipient of a campaign
    Show(show::Args),
    /// What became of a campaign's mails, and what servers said that no rule knows
    Report(report::Args),
    /// List deliveries in doubt, and settle them
    Resolve(resolve::Args),
    /// Say what a server's reply means, and what to do
    Explain(explain::Args),
    /// What is known about mail providers, and which one a domain is with
    Providers(providers::Args),
    /// Print the settings of an account for Outlook, Foxmail, Thunderbird or Apple Mail
    ClientConfig(client_config::Args),
    /// Keep the password of an account, and look after it
    Secret(secret::Args),
    /// Never mail an address again
    Suppress(suppress::Args),
    /// Read what comes back: bounces, complaints, wishes to unsubscribe
    Feedback(feedback::Args),
    /// Let an account connect again that was refused
    Unlock(unlock::Args),
    /// Find out what is wrong with the sender's domain and the accounts
    Doctor(Box<doctor::Args>),
    /// Read a received copy of a mail back: signatures, SPF, DMARC, and what was changed on the way
    Verify(verify::Args),
    /// Run an SMTP server to try things with
    Sandbox(sandbox::Args),
    /// Print completions for a shell
    #[command(after_help = texts::COMPLETIONS)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = texts::MAN)]
    Man,
}

/// Runs the command line; the whole program.
pub fn main() -> ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(exit) => return exit.into(),
    };
    let form = if cli.json { Form::Json } else { Form::Text };
    let printer = Printer {
        form,
        is_quiet: cli.quiet,
        lang: language(cli.lang),
    };
    match run(cli.command, printer) {
        Ok(exit) => exit.into(),
        Err(error) => {
            diagnostic::show(printer, &error);
            exit::code(&error).into()
        }
    }
}

/// Reads the command line. Help and what is wrong with it are said in the language that it asks for.
fn parse() -> Result<Cli, Exit> {
    let words = std::env::args_os().skip(1);
    let asked = help::asked(words.map(|word| word.to_string_lossy().into_owned()));
    let lang = language(asked.and_then(|name| Spoken::from_str(&name, true).ok()));
    let parsed = help::in_lang(Cli::command(), lang)
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| {
        let is_help = !error.use_stderr();
        if is_help || lang == Lang::En || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        {
            // Help that cannot be printed has no reader.
            let _printed = error.print();
        } else {
            let printer = Printer {
                form: Form::Text,
                is_quiet: false,
                lang,
            };
            help::faults::show(&error, printer);
        }
        if is_help { Exit::Ok } else { Exit::Usage }
    })
}

fn run(command: Command, printer: Printer) -> anyhow::Result<Exit> {
    match command {
        Command::Init(args) => init::run(&args, printer),
        Command::Check(args) => check::run(&args, printer),
        Command::List(args) => list::run(&args, printer),
        Command::Preview(args) => preview::run(&args, printer),
        Command::Send(args) => send::run(&args, printer),
        Command::Serve(args) => serve::run(&args, printer),
        Command::Status(args) => status::run(&args, printer),
        Command::Show(args) => show::run(&args, printer),
        Command::Report(args) => report::run(&args, printer),
        Command::Resolve(args) => resolve::run(&args, printer),
        Command::Explain(args) => explain::run(&args, printer),
        Command::Providers(args) => providers::run(&args, printer),
        Command::ClientConfig(args) => client_config::run(&args, printer),
        Command::Secret(args) => secret::run(&args, printer),
        Command::Suppress(args) => suppress::run(&args, printer),
        Command::Feedback(args) => feedback::run(&args, printer),
        Command::Unlock(args) => unlock::run(&args, printer),
        Command::Doctor(args) => doctor::run(&args, printer),
        Command::Verify(args) => verify::run(&args, printer),
        Command::Sandbox(args) => sandbox::run(&args, printer),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "mailshot", &mut script);
            printer.raw(&script);
            Ok(Exit::Ok)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .context("make the manual page")?;
            for command in Cli::command().get_subcommands() {
                clap_mangen::Man::new(command.clone())
                    .render_options_section(&mut page)
                    .context("make the manual page")?;
            }
            printer.raw(&page);
            Ok(Exit::Ok)
        }
    }
}

/// Goes on only with `--yes`, or when somebody at a terminal says so.
fn confirm(printer: Printer, is_confirmed: bool, question: impl Say) -> anyhow::Result<()> {
    if is_confirmed {
        return Ok(());
    }
    match printer.ask(question) {
        Some(true) => Ok(()),
        Some(false) => Err(exit::Coded::new(Exit::Usage, text!("nothing was done")).into()),
        None => Err(exit::Coded::new(
            Exit::Usage,
            text!("nothing was done: there is no terminal to ask at"),
        )
        .hint(text!("add --yes to go on without a question"))
        .into()),
    }
}

/// A runtime for commands that wait for sockets or for the ledger.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
