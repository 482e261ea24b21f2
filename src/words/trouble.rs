//! What the operating system says, in words of ours: as the standard library has it in English.

use std::io::ErrorKind;
use std::process::ExitStatus;

use super::Text;
use crate::text;

/// A kind of trouble with files and connections.
pub fn trouble(kind: ErrorKind) -> Text {
    match kind {
        ErrorKind::AddrInUse => text!("address in use"),
        ErrorKind::AddrNotAvailable => text!("address not available"),
        ErrorKind::AlreadyExists => text!("entity already exists"),
        ErrorKind::BrokenPipe => text!("broken pipe"),
        ErrorKind::ConnectionAborted => text!("connection aborted"),
        ErrorKind::ConnectionRefused => text!("connection refused"),
        ErrorKind::ConnectionReset => text!("connection reset"),
        ErrorKind::HostUnreachable => text!("host unreachable"),
        ErrorKind::Interrupted => text!("operation interrupted"),
        ErrorKind::InvalidData => text!("invalid data"),
        ErrorKind::InvalidInput => text!("invalid input parameter"),
        ErrorKind::NetworkDown => text!("network down"),
        ErrorKind::NetworkUnreachable => text!("network unreachable"),
        ErrorKind::NotConnected => text!("not connected"),
        ErrorKind::NotFound => text!("entity not found"),
        ErrorKind::PermissionDenied => text!("permission denied"),
        ErrorKind::StorageFull => text!("no storage space"),
        ErrorKind::TimedOut => text!("timed out"),
        ErrorKind::UnexpectedEof => text!("unexpected end of file"),
        ErrorKind::WouldBlock => text!("operation would block"),
        ErrorKind::WriteZero => text!("write zero"),
        other => Text::Plain(other.to_string()),
    }
}

/// How a program has ended.
pub fn ended(status: ExitStatus) -> Text {
    match status.code() {
        Some(code) => text!("exit status: {code}", code = i64::from(code)),
        // A signal ended it: the system's own name for that.
        None => Text::Plain(status.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Lang;

    #[test]
    fn kinds_of_trouble_are_called_as_the_standard_library_calls_them() {
        for kind in [
            ErrorKind::AddrInUse,
            ErrorKind::AddrNotAvailable,
            ErrorKind::AlreadyExists,
            ErrorKind::BrokenPipe,
            ErrorKind::ConnectionAborted,
            ErrorKind::ConnectionRefused,
            ErrorKind::ConnectionReset,
            ErrorKind::HostUnreachable,
            ErrorKind::Interrupted,
            ErrorKind::InvalidData,
            ErrorKind::InvalidInput,
            ErrorKind::NetworkDown,
            ErrorKind::NetworkUnreachable,
            ErrorKind::NotConnected,
            ErrorKind::NotFound,
            ErrorKind::PermissionDenied,
            ErrorKind::StorageFull,
            ErrorKind::TimedOut,
            ErrorKind::UnexpectedEof,
            ErrorKind::WouldBlock,
            ErrorKind::WriteZero,
        ] {
            assert_eq!(trouble(kind).to_string(), kind.to_string());
            assert_ne!(trouble(kind).in_lang(Lang::Zh), kind.to_string());
        }
    }
}
