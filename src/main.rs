//! The program. Everything it does is in the library; see `cli/mod.rs` for the commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    mailshot::cli::main()
}
