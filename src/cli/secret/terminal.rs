//! Asks at the terminal without showing what is typed. Nothing is echoed from before the question on, so that programs
//! that answer at once are not shown either.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;

use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use super::super::exit::{Coded, Exit};
use crate::text;

/// Ctrl-C, as it arrives while signals are off.
const CTRL_C: char = '\u{3}';

/// The terminal as it was; it is so again when this is dropped.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn new() -> rustix::io::Result<Self> {
        let stdin = std::io::stdin();
        let before = tcgetattr(stdin.as_fd())?;
        let mut hidden = before.clone();
        // Ctrl-C would leave the terminal as it is now: it comes as a character that ends the line.
        hidden
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG);
        if let Ok(code) = u8::try_from(CTRL_C) {
            hidden.special_codes[SpecialCodeIndex::VEOL] = code;
        }
        tcsetattr(stdin.as_fd(), OptionalActions::Flush, &hidden)?;
        Ok(Self { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _restored = tcsetattr(std::io::stdin().as_fd(), OptionalActions::Now, &self.before);
    }
}

/// The line that is typed.
pub(super) fn ask_hidden(question: &str) -> anyhow::Result<String> {
    let hidden = Hidden::new().context("hide what is typed")?;
    let mut err = anstream::stderr();
    let asked = write!(err, "{question}").and_then(|()| err.flush());
    let line = asked.and_then(|()| read_line());
    drop(hidden);
    let ended = writeln!(err);
    let line = line
        .and_then(|line| ended.map(|()| line))
        .context("read the password")?;
    let line = String::from_utf8(line).context("read the password")?;
    if line.contains(CTRL_C) {
        return Err(Coded::new(Exit::Interrupted, text!("nothing was kept")).into());
    }
    Ok(line)
}

/// A line of the terminal, whichever character ended it.
fn read_line() -> std::io::Result<Vec<u8>> {
    let (mut line, mut piece) = (Vec::new(), [0; 512]);
    loop {
        let length = std::io::stdin().lock().read(&mut piece)?;
        line.extend_from_slice(piece.get(..length).unwrap_or_default());
        let is_end = |byte: &u8| *byte == b'\n' || char::from(*byte) == CTRL_C;
        if length == 0 || line.last().is_some_and(is_end) {
            return Ok(line);
        }
    }
}
