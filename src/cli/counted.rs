//! Numbers with their nouns: `1 mail`, `1,240 mails`.

use super::printer::number;
use crate::text;
use crate::words::Text;

/// `1 mail`, `1,240 mails`.
pub(super) fn mails(count: u64) -> Text {
    if count == 1 {
        text!("1 mail")
    } else {
        text!("{n} mails", n = number(count))
    }
}

/// `1 recipient`, `1,240 recipients`.
pub(super) fn recipients(count: u64) -> Text {
    if count == 1 {
        text!("1 recipient")
    } else {
        text!("{n} recipients", n = number(count))
    }
}

/// `1 row`, `1,240 rows`.
pub(super) fn rows(count: u64) -> Text {
    if count == 1 {
        text!("1 row")
    } else {
        text!("{n} rows", n = number(count))
    }
}

/// `1 report`, `1,240 reports`.
pub(super) fn reports(count: u64) -> Text {
    if count == 1 {
        text!("1 report")
    } else {
        text!("{n} reports", n = number(count))
    }
}

/// `1 event`, `1,240 events`.
pub(super) fn events(count: u64) -> Text {
    if count == 1 {
        text!("1 event")
    } else {
        text!("{n} events", n = number(count))
    }
}

/// `1 file`, `1,240 files`.
pub(super) fn files(count: u64) -> Text {
    if count == 1 {
        text!("1 file")
    } else {
        text!("{n} files", n = number(count))
    }
}

/// `1 problem`, `1,240 problems`.
pub(super) fn problems(count: u64) -> Text {
    if count == 1 {
        text!("1 problem")
    } else {
        text!("{n} problems", n = number(count))
    }
}

/// `1 warning`, `1,240 warnings`.
pub(super) fn warnings(count: u64) -> Text {
    if count == 1 {
        text!("1 warning")
    } else {
        text!("{n} warnings", n = number(count))
    }
}

/// `1 duplicate`, `1,240 duplicates`.
pub(super) fn duplicates(count: u64) -> Text {
    if count == 1 {
        text!("1 duplicate")
    } else {
        text!("{n} duplicates", n = number(count))
    }
}

/// `1 connection`, `1,240 connections`.
pub(super) fn connections(count: u64) -> Text {
    if count == 1 {
        text!("1 connection")
    } else {
        text!("{n} connections", n = number(count))
    }
}

/// `1 delivery`, `12 deliveries`.
pub(super) fn deliveries(count: u64) -> Text {
    if count == 1 {
        text!("1 delivery")
    } else {
        text!("{n} deliveries", n = number(count))
    }
}

/// `1 address`, `12 addresses`.
pub(super) fn addresses(count: u64) -> Text {
    if count == 1 {
        text!("1 address")
    } else {
        text!("{n} addresses", n = number(count))
    }
}

/// `1 waits`, `1,240 wait`.
pub(super) fn waiting(count: u64) -> Text {
    if count == 1 {
        text!("1 waits")
    } else {
        text!("{n} wait", n = number(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Lang;

    #[test]
    fn one_is_no_plural() {
        assert_eq!(mails(1), "1 mail");
        assert_eq!(mails(1_240), "1,240 mails");
        assert_eq!(mails(1_240).in_lang(Lang::Zh), "1,240 封邮件");
    }
}
