//! The headers of a mail. A mail that has never been on its way, such as one that mailshot wrote to a file, says nothing of
//! what a server has taken.

/// What a server writes above a mail.
const OF_SERVERS: [&str; 5] = [
    "received",
    "return-path",
    "delivered-to",
    "x-original-to",
    "envelope-to",
];
/// What every mail has.
const OF_MAILS: [&str; 3] = ["from", "date", "message-id"];

/// Follows the lines of a file, and holds back what was found in the headers of a mail until they are complete.
#[derive(Debug)]
pub(super) struct Head<T> {
    /// What was found, and where.
    pub(super) found: Vec<(T, String)>,
    at: At,
    /// Which of [`OF_MAILS`] were there.
    of_mail: [bool; OF_MAILS.len()],
    is_of_server: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// In the first lines of a file, or behind a line that begins a mail in an mbox.
    #[default]
    Fields,
    /// Behind them.
    Text,
    /// Behind an empty line.
    Blank,
}

impl<T> Default for Head<T> {
    fn default() -> Self {
        Self {
            found: Vec::new(),
            at: At::default(),
            of_mail: Default::default(),
            is_of_server: false,
        }
    }
}

impl<T> Head<T> {
    /// Goes on to a line; gives what was found in headers that end with it.
    pub(super) fn next(&mut self, line: &str) -> Vec<(T, String)> {
        let line = line.trim_end();
        if self.at == At::Blank && line.starts_with("From ") {
            *self = Self::default();
            return Vec::new();
        }
        if self.at != At::Fields {
            self.at = if line.is_empty() { At::Blank } else { At::Text };
            return Vec::new();
        }
        let name = line.split_once(':').map(|(name, _)| name.to_ascii_lowercase());
        match name {
            Some(name)
                if name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') =>
            {
                self.is_of_server |= OF_SERVERS.contains(&name.as_str());
                let of_mail = OF_MAILS.iter().zip(&mut self.of_mail);
                of_mail.for_each(|(field, is_there)| *is_there |= *field == name);
                Vec::new()
            }
            _ if line.starts_with([' ', '\t']) || line.starts_with("From ") => Vec::new(),
            _ => {
                self.at = if line.is_empty() { At::Blank } else { At::Text };
                self.end()
            }
        }
    }

    /// What was found behind the headers.
    pub(super) fn settled(&mut self) -> Vec<(T, String)> {
        if self.at == At::Fields {
            Vec::new()
        } else {
            std::mem::take(&mut self.found)
        }
    }

    /// What was found in the headers: nothing, if nobody but the sender has had the mail.
    pub(super) fn end(&mut self) -> Vec<(T, String)> {
        let found = std::mem::take(&mut self.found);
        let is_own = self.of_mail.iter().all(|is_there| *is_there) && !self.is_of_server;
        if is_own { Vec::new() } else { found }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines at which something was found that is believed.
    fn believed(text: &str) -> Vec<String> {
        let mut head = Head::default();
        let mut all = Vec::new();
        for (number, line) in text.lines().enumerate() {
            all.extend(head.next(line));
            if line.contains("1@x") {
                head.found.push(((), (number + 1).to_string()));
            }
            all.extend(head.settled());
        }
        all.extend(head.end());
        all.into_iter().map(|((), place)| place).collect()
    }

    #[test]
    fn a_mail_that_was_never_on_its_way_says_nothing() {
        let own = "From: a@b\nDate: today\nMessage-ID: <1@x>\nSubject: x\n\nHello\n";
        assert!(believed(own).is_empty());
        assert!(believed(own.trim_end_matches("\n\nHello\n")).is_empty());
        assert_eq!(believed(&format!("Received: from c\n by d\n{own}")), ["5"]);
        assert_eq!(
            believed(&format!(
                "From: e@f\nDate: today\nMessage-ID: <2@x>\n\nReturned:\n{own}"
            )),
            ["8"]
        );
    }

    #[test]
    fn in_an_mbox_each_mail_is_looked_at_for_itself() {
        let own = "From - Mon Nov  2 10:00:00 2026\nFrom: a@b\nDate: today\nMessage-ID: <1@x>\n\nHello\n";
        let came = own.replace("From: a", "Received: from c\nFrom: a");
        assert_eq!(believed(&format!("{own}\n{came}\n{own}")), ["12"]);
    }

    #[test]
    fn logs_and_tables_are_no_mails() {
        for log in [
            "message-id: 1@x taken\n",
            "id,status\n1@x,sent\n",
            "{\"id\": \"1@x\"}\n",
            "10:00 queued 1@x\n",
        ] {
            assert_eq!(believed(log).len(), 1, "{log}");
        }
    }
}
