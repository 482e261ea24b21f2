//! What a server's or provider's records say of mails in doubt: a Message-ID that stands in them was accepted there.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::head::Head;
use crate::feedback::events;
use crate::ledger::DeliveryId;
use crate::ledger::read::Fate;
use crate::mail::reply::decoded;
use crate::mail::{Address, DeliveryTag, Feedback};
use crate::replies::Judge;

/// In the first line of tables that `report --csv` writes: they say what is on record, not what others know.
const OWN_TABLE: &str = "message_id,class,reply,reason,came_back";
/// How much earlier than the try an event may be dated: clocks differ.
const CLOCKS_MS: i64 = 60_000;
/// How long after the try an event may be of it.
const LATEST_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Octets of a file that events are looked for in, whose recipients and times count where they have no Message-ID.
const EVENTS_MAX: u64 = 64 * 1024 * 1024;

/// Mails in doubt, and what was found of them.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    doubtful: &'a [Fate],
    /// By the digits that begin their Message-IDs.
    by_tag: HashMap<String, DeliveryId>,
    found: HashMap<DeliveryId, String>,
}

impl<'a> Evidence<'a> {
    pub(super) fn new(doubtful: &'a [Fate]) -> Self {
        let tag = |fate: &Fate| {
            let id = fate.message_id.as_deref()?;
            Some((DeliveryTag::of_message_id(id)?.hex(), fate.id))
        };
        Self {
            by_tag: doubtful.iter().filter_map(tag).collect(),
            doubtful,
            found: HashMap::new(),
        }
    }

    /// Where a mail was found, if it was.
    pub(super) fn of(&self, delivery: DeliveryId) -> Option<&str> {
        self.found.get(&delivery).map(String::as_str)
    }

    /// Goes through a file, or all files of a folder.
    pub(super) fn look_into(&mut self, path: &Path) -> std::io::Result<()> {
        if !std::fs::metadata(path)?.is_dir() {
            let lines = BufReader::new(std::fs::File::open(path)?);
            self.look_into_lines(&path.display().to_string(), lines)?;
            return self.look_into_events(path);
        }
        let mut inside: Vec<PathBuf> = std::fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<_>>()?;
        inside.sort();
        inside.iter().try_for_each(|path| self.look_into(path))
    }

    /// Goes through logs, mails or tables: whoever writes a Message-ID down has had the mail.
    pub(super) fn look_into_lines(&mut self, name: &str, mut lines: impl BufRead) -> std::io::Result<()> {
        let mut line = Vec::new();
        // Mails that Postfix has begun to read, by their names in its queue: it may refuse them yet.
        let mut begun: HashMap<String, DeliveryId> = HashMap::new();
        let mut head = Head::default();
        for number in 1_u64.. {
            line.clear();
            if lines.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            let text = decoded(&line);
            if number == 1 && text.contains(OWN_TABLE) {
                let why = "mailshot wrote this table itself";
                return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, why));
            }
            self.believe(head.next(&text));
            let place = || format!("{name}:{number}");
            if let Some(delivery) = queued(&text).and_then(|name| begun.get(name)) {
                self.found.entry(*delivery).or_insert_with(place);
            }
            let words = text.split(|c: char| !c.is_ascii_hexdigit());
            for word in words.filter(|word| word.len() == 32) {
                let Some(delivery) = self.by_tag.get(&word.to_ascii_lowercase()) else {
                    continue;
                };
                if let Some(name) = text.contains("/cleanup[").then(|| queue_name(&text)).flatten() {
                    begun.insert(name.to_owned(), *delivery);
                } else {
                    head.found.push((*delivery, place()));
                }
            }
            self.believe(head.settled());
        }
        self.believe(head.end());
        Ok(())
    }

    fn believe(&mut self, found: Vec<(DeliveryId, String)>) {
        for (delivery, place) in found {
            self.found.entry(delivery).or_insert(place);
        }
    }

    /// Events of a provider that gives mails Message-IDs of its own: told by recipient and time.
    fn look_into_events(&mut self, path: &Path) -> std::io::Result<()> {
        if std::fs::metadata(path)?.len() > EVENTS_MAX {
            return Ok(());
        }
        let octets = std::fs::read(path)?;
        for event in events::read(&decoded(&octets), &Judge::default()).events {
            // What was refused or dropped was never taken.
            if !matches!(event.kind, Feedback::Delivered | Feedback::Complaint) {
                continue;
            }
            let key = Address::key_of(&event.address);
            let is_meant = |fate: &&Fate| {
                let began = fate.began_at_ms.unwrap_or(i64::MAX);
                let is_then = |at: i64| at + CLOCKS_MS >= began && at <= began.saturating_add(LATEST_MS);
                Address::key_of(&fate.address) == key && event.at_ms.is_some_and(is_then)
            };
            let mut meant = self.doubtful.iter().filter(is_meant);
            // Of several mails to one person nobody knows which is meant.
            if let (Some(one), None) = (meant.next(), meant.next()) {
                let place = format!("{} ({})", path.display(), event.kind);
                self.found.entry(one.id).or_insert(place);
            }
        }
        Ok(())
    }
}

/// The name in the queue that a line of Postfix's log is about: `postfix/cleanup[17]: 4F2A91: message-id=<…>`.
fn queue_name(line: &str) -> Option<&str> {
    let (_, after) = line.split_once("]: ")?;
    let (name, _) = after.split_once(": ")?;
    let is_name = name.len() > 4 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_name.then_some(name)
}

/// The same, of a line that says that the mail is in the queue, or has left it.
fn queued(line: &str) -> Option<&str> {
    let is_queued = line.contains("/qmgr[") && line.contains(": from=<");
    (is_queued || line.contains(" status="))
        .then(|| queue_name(line))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postfix_says_when_a_mail_is_its_own() {
        let begun = "Nov 24 10:00:00 mx postfix/cleanup[17]: 4F2A91C0: message-id=<a@b>";
        assert_eq!((queue_name(begun), queued(begun)), (Some("4F2A91C0"), None));
        for line in [
            "Nov 24 10:00:00 mx postfix/qmgr[9]: 4F2A91C0: from=<a@b>, size=1, nrcpt=1 (queue active)",
            "Nov 24 10:00:01 mx postfix/smtp[9]: 4F2A91C0: to=<c@d>, relay=none, delay=1, dsn=4.4.1, status=deferred (timeout)",
        ] {
            assert_eq!(queued(line), Some("4F2A91C0"), "{line}");
        }
        assert_eq!(
            queued("Nov 24 mx postfix/cleanup[17]: 4F2A91C0: milter-reject: END-OF-MESSAGE from x"),
            None
        );
    }
}
