//! What servers said that no rule knows, so that rules can grow.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ledger::read::Heard;

#[derive(Serialize)]
pub(super) struct Unknown {
    pub(super) stage: String,
    /// One of those that say the same but for numbers and addresses.
    pub(super) reply: String,
    pub(super) times: u32,
}

/// Replies that differ only in numbers and addresses, together; the most frequent first.
pub(super) fn alike(all: Vec<Heard>) -> Vec<Unknown> {
    let mut found: BTreeMap<(String, String), Unknown> = BTreeMap::new();
    for heard in all {
        let key = (heard.stage.clone(), shape(&heard.reply));
        found
            .entry(key)
            .and_modify(|unknown| unknown.times += heard.times)
            .or_insert(Unknown {
                stage: heard.stage,
                reply: heard.reply,
                times: heard.times,
            });
    }
    let mut found: Vec<Unknown> = found.into_values().collect();
    found.sort_by_key(|unknown| std::cmp::Reverse(unknown.times));
    found
}

/// A reply without what differs from mail to mail.
fn shape(reply: &str) -> String {
    let words = reply.split_whitespace().enumerate().map(|(place, word)| {
        // The code says what it is.
        let is_own = place > 0 && word.contains(|c: char| c.is_ascii_digit() || c == '@');
        if is_own { "…" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_that_differ_in_numbers_and_addresses_are_one() {
        let heard = |reply: &str, times| Heard {
            stage: "rcpt".to_owned(),
            reply: reply.to_owned(),
            times,
        };
        let found = alike(vec![
            heard("550 go away <a@example.com> [id 17]", 1),
            heard("550 gone fishing", 2),
            heard("550 go away <b@example.com> [id 4711]", 3),
        ]);
        let counted: Vec<(u32, &str)> = found.iter().map(|one| (one.times, one.reply.as_str())).collect();
        assert_eq!(
            counted,
            [
                (4, "550 go away <a@example.com> [id 17]"),
                (2, "550 gone fishing")
            ]
        );
    }
}
