//! Blocks of `Name: value` lines: headers of mails, and the reports for programs that have the same form.
//! Source: RFC 5322, 2.2; RFC 3464, 2.1.

/// The fields of a block, in their order, names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, String)>);

/// Fields that a mail on its way has. Three of them one after another are the headers of a mail, in whatever they stand.
const OF_MAILS: [&str; 16] = [
    "received",
    "return-path",
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "reply-to",
    "sender",
    "dkim-signature",
    "list-unsubscribe",
    "delivered-to",
];
/// Those of them that people do not write into a mail.
const OF_TRANSPORT: [&str; 6] = [
    "received",
    "return-path",
    "message-id",
    "mime-version",
    "content-type",
    "dkim-signature",
];
/// Lines that are tried as the beginning of a quoted mail: who quotes none writes few that could be.
const TRIES_MAX: usize = 200;
/// Fields that make a block the headers of a mail.
const ENOUGH: usize = 3;

impl Fields {
    /// Reads a block up to the first empty line; what is no field is passed over.
    pub(super) fn parse(text: &str) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in text.lines().skip_while(|line| line.trim().is_empty()) {
            if line.trim().is_empty() {
                break;
            }
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            } else if let Some((name, value)) = field(line) {
                fields.push((name, value.to_owned()));
            }
        }
        Self(fields)
    }

    /// Reads all blocks of a text, which empty lines part; a block that names a recipient begins with that, also where
    /// the empty line is missing.
    pub(super) fn blocks(text: &str) -> Vec<Self> {
        let mut blocks: Vec<String> = vec![String::new()];
        for line in text.lines() {
            if line.trim().is_empty() || line.to_ascii_lowercase().starts_with("final-recipient:") {
                blocks.push(String::new());
            }
            if let Some(block) = blocks.last_mut() {
                block.extend([line, "\n"]);
            }
        }
        let blocks = blocks.iter().map(|block| Self::parse(block));
        blocks.filter(|block| !block.0.is_empty()).collect()
    }

    /// The first field of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All fields of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(own, _)| own == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Is there a field of this name?
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Is there nothing?
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Are these what people see of a mail?
    fn is_letter(&self) -> bool {
        self.has("from") && self.has("to") && (self.has("subject") || self.has("date"))
    }

    /// Are these the headers of a mail?
    pub(super) fn is_mail(&self) -> bool {
        let known = |names: &[&str]| {
            self.0
                .iter()
                .filter(|(name, _)| names.contains(&name.as_str()))
                .count()
        };
        known(&OF_MAILS) >= ENOUGH && known(&OF_TRANSPORT) > 0
    }
}

/// The name, in lower case, and the value of a line, if it is a field.
fn field(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_end();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    is_name.then(|| (name.to_ascii_lowercase(), value.trim()))
}

/// A text up to where a mail begins that is quoted in it, and that mail's headers.
pub(super) fn split_quoted(text: &str) -> (&str, Option<Fields>) {
    let mut at = 0;
    let mut tries = 0;
    let mut is_announced = false;
    for line in text.split_inclusive('\n') {
        let rest = text.get(at..).unwrap_or_default();
        let may_begin =
            field(line).is_some_and(|(name, _)| OF_MAILS.contains(&name.as_str()) || name.starts_with("x-"));
        if may_begin && tries < TRIES_MAX {
            tries += 1;
            let quoted = Fields::parse(rest);
            if quoted.is_mail() || (is_announced && quoted.is_letter()) {
                return (text.get(..at).unwrap_or_default(), Some(quoted));
            }
        }
        if !line.trim().is_empty() {
            let line = line.to_lowercase();
            is_announced = ANNOUNCED.iter().any(|words| line.contains(words));
            let before = text.get(..at).unwrap_or_default();
            if is_announced && (line.contains("--") || line.contains("follow")) && before.contains('@') {
                let quoted = Fields::parse(rest.split_once('\n').unwrap_or_default().1);
                return (before, (quoted.is_mail() || quoted.is_letter()).then_some(quoted));
            }
        }
        at += line.len();
    }
    (text, None)
}

/// What stands before a mail that is quoted.
const ANNOUNCED: [&str; 12] = [
    "original message",
    "copy of the message",
    "copy of your message",
    "returned mail",
    "returned message",
    "unsent message",
    "undelivered message",
    "bounced e-mail",
    "header of the",
    "message headers",
    "the header and",
    "message header",
];
