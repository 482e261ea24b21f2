//! Faults by script: what the server does wrong, how often, and at which stage.
//!
//! Here a script is read; `play.rs` plays it. Faults that depend on the recipient are in `faults.rs`.

use std::num::NonZeroU32;
use std::time::Duration;

use super::reply::Reply;
use crate::text;
use crate::words::Text;

/// The `--fault` forms that [`Script::parse`] takes, and what each does.
pub const FAULTS: &[(&str, &str)] = &[
    (
        "4xx=RATE@STAGE",
        "answer 451 to this share of mail, rcpt, data or end-of-data, as in `4xx=0.05@rcpt`",
    ),
    ("5xx=RATE@STAGE", "the same with 550"),
    (
        "drop=STAGE[/N]",
        "close the connection at every Nth visit to connect, ehlo, auth, mail, rcpt, data, in-data, after-data (not kept) or after-store (kept)",
    ),
    (
        "reply@STAGE[/N]=REPLY",
        "answer this text at every Nth connect, ehlo, auth, mail, rcpt, data or end-of-data; `\\n` separates lines",
    ),
    ("auth=REPLY", "answer every login with this text"),
    ("refuse-mail-from=REPLY", "answer every MAIL with this text"),
    (
        "bdat=REPLY",
        "answer every BDAT with this text, as a server does that offers CHUNKING and does not know it",
    ),
    (
        "delay=DURATION",
        "wait before each group of replies, as in `delay=20ms`",
    ),
    (
        "close-after=N",
        "after N mails on a connection, answer the next MAIL with 421 and close",
    ),
    (
        "idle-close=DURATION",
        "after a mail, close a connection that is idle for this long, without a word",
    ),
    (
        "max-connections=N",
        "answer further connections with 421 and close",
    ),
    ("seed=N", "what the rates are drawn from; 0 unless told"),
];

/// Where in the dialogue a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Instead of the greeting.
    Connect,
    /// Instead of the reply to EHLO or HELO.
    Ehlo,
    /// Instead of the verdict on a login.
    Auth,
    /// Instead of the reply to MAIL.
    Mail,
    /// Instead of the reply to RCPT.
    Recipient,
    /// Instead of the 354 to DATA; with BDAT, at the first chunk.
    Data,
    /// After about 1 KiB of the mail.
    InData,
    /// After the mail is read and before it is kept.
    EndOfData,
    /// After the mail is kept, instead of the reply.
    AfterStore,
}

impl Stage {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "connect" => Self::Connect,
            "ehlo" => Self::Ehlo,
            "auth" => Self::Auth,
            "mail" => Self::Mail,
            "rcpt" => Self::Recipient,
            "data" => Self::Data,
            "in-data" => Self::InData,
            "end-of-data" | "after-data" => Self::EndOfData,
            "after-store" => Self::AfterStore,
            _ => return None,
        })
    }

    fn can_refuse_by_rate(self) -> bool {
        matches!(self, Self::Mail | Self::Recipient | Self::Data | Self::EndOfData)
    }

    fn can_reply(self) -> bool {
        !matches!(self, Self::InData | Self::AfterStore)
    }
}

/// Which visits to a stage meet the fault.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Every nth visit, counted over all connections.
    Every(NonZeroU32),
    /// This share of the visits, from 0 to 1.
    Rate(f64),
}

/// What happens at the stage.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The connection is closed without a word.
    Drop,
    /// This text is the reply. 2xx and 3xx accept with other words; 421 also closes.
    Reply(Reply),
}

/// One fault: where, when, what.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Where in the dialogue.
    pub stage: Stage,
    /// Which visits.
    pub when: When,
    /// What happens.
    pub action: Action,
}

/// All that the server does wrong. The default does nothing wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// Faults by stage. The first that is due at a visit happens.
    pub rules: Vec<Rule>,
    /// What [`When::Rate`] is drawn from.
    pub seed: u64,
    /// Wait before each group of replies.
    pub delay: Duration,
    /// The answer to every BDAT.
    pub bdat: Option<Reply>,
    /// Mails per connection; the next MAIL is answered 421 and the connection closed.
    pub close_after: Option<u32>,
    /// After a mail, a connection that is idle for this long is closed without a word.
    pub idle_close: Option<Duration>,
    /// Connections at one time; a further one is answered 421 and closed.
    pub max_connections: Option<u32>,
}

impl Script {
    /// Reads the values of `--fault`. See [`FAULTS`].
    pub fn parse<T: AsRef<str>>(faults: &[T]) -> Result<Self, Text> {
        let mut script = Self::default();
        for fault in faults {
            script.add(fault.as_ref())?;
        }
        Ok(script)
    }

    fn add(&mut self, fault: &str) -> Result<(), Text> {
        let unknown = || {
            let forms: Vec<&str> = FAULTS.iter().map(|(form, _)| *form).collect();
            text!(
                "unknown fault `{fault}`; allowed are: {forms}",
                fault,
                forms = forms.join(", ")
            )
        };
        let (key, value) = fault.split_once('=').ok_or_else(unknown)?;
        match key {
            "4xx" => self.add_rate(value, "451 4.3.0 a fault of the script")?,
            "5xx" => self.add_rate(value, "550 5.7.1 a fault of the script")?,
            "drop" => {
                let (stage, when) = parse_visit(value)?;
                self.rules.push(Rule {
                    stage,
                    when,
                    action: Action::Drop,
                });
            }
            "auth" => self.add_reply((Stage::Auth, EVERY_TIME), value)?,
            "refuse-mail-from" => self.add_reply((Stage::Mail, EVERY_TIME), value)?,
            "bdat" => self.bdat = Some(value.parse()?),
            "delay" => self.delay = parse_duration(value)?,
            "idle-close" => self.idle_close = Some(parse_duration(value)?),
            "close-after" => self.close_after = Some(parse_number(key, value)?),
            "max-connections" => self.max_connections = Some(parse_number(key, value)?),
            "seed" => self.seed = parse_number(key, value)?,
            _ => {
                let visit = key.strip_prefix("reply@").ok_or_else(unknown)?;
                self.add_reply(parse_visit(visit)?, value)?;
            }
        }
        Ok(())
    }

    fn add_rate(&mut self, value: &str, reply: &str) -> Result<(), Text> {
        let wrong = || {
            text!(
                "`{value}` is not a rate at a stage; write a number from 0 to 1 and mail, rcpt, data or end-of-data, as in `0.05@rcpt`",
                value
            )
        };
        let (rate, stage) = value.split_once('@').ok_or_else(wrong)?;
        let rate: f64 = rate
            .parse()
            .ok()
            .filter(|rate| (0.0..=1.0).contains(rate))
            .ok_or_else(wrong)?;
        let stage = Stage::parse(stage)
            .filter(|stage| stage.can_refuse_by_rate())
            .ok_or_else(wrong)?;
        self.rules.push(Rule {
            stage,
            when: When::Rate(rate),
            action: Action::Reply(reply.parse()?),
        });
        Ok(())
    }

    fn add_reply(&mut self, (stage, when): (Stage, When), reply: &str) -> Result<(), Text> {
        if !stage.can_reply() {
            return Err(text!(
                "there is no reply at in-data and after-store; use connect, ehlo, auth, mail, rcpt, data or end-of-data"
            ));
        }
        let reply: Reply = reply.parse()?;
        self.rules.push(Rule {
            stage,
            when,
            action: Action::Reply(reply),
        });
        Ok(())
    }
}

const EVERY_TIME: When = When::Every(NonZeroU32::MIN);

fn parse_visit(text: &str) -> Result<(Stage, When), Text> {
    let (name, every) = text.split_once('/').unwrap_or((text, "1"));
    let stage = Stage::parse(name).ok_or_else(|| {
        text!(
            "unknown stage `{name}`; allowed are connect, ehlo, auth, mail, rcpt, data, in-data, end-of-data (or after-data), after-store",
            name
        )
    })?;
    Ok((stage, When::Every(parse_number(name, every)?)))
}

fn parse_number<N: std::str::FromStr>(key: &str, value: &str) -> Result<N, Text> {
    value
        .parse()
        .map_err(|_not_a_number| text!("`{value}` is not a number that `{key}` can take", value, key))
}

/// Reads `20ms`, `2s` or `5m`.
fn parse_duration(text: &str) -> Result<Duration, Text> {
    let wrong = || {
        text!(
            "`{text}` is not a duration; write a number and ms, s or m, as in `20ms`",
            text
        )
    };
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let number: u32 = number.parse().ok().ok_or_else(wrong)?;
    match unit {
        "ms" => Ok(Duration::from_millis(number.into())),
        "s" => Ok(Duration::from_secs(number.into())),
        "m" => Ok(Duration::from_secs(u64::from(number) * 60)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(fault: &str) -> Result<Script, Text> {
        Script::parse(&[fault])
    }

    #[test]
    fn each_form_of_fault_is_understood() {
        let script = Script::parse(&[
            "4xx=0.05@rcpt",
            "5xx=1@end-of-data",
            "drop=after-data/100",
            "reply@rcpt/10=561 Honeypot rcptto",
            "auth=535 5.7.8 no",
            "refuse-mail-from=550 5.7.1 not you",
            "delay=20ms",
            "close-after=50",
            "idle-close=2s",
            "max-connections=3",
            "seed=7",
        ])
        .unwrap();
        let stages: Vec<Stage> = script.rules.iter().map(|rule| rule.stage).collect();
        assert_eq!(
            stages,
            [
                Stage::Recipient,
                Stage::EndOfData,
                Stage::EndOfData,
                Stage::Recipient,
                Stage::Auth,
                Stage::Mail
            ]
        );
        assert_eq!(script.rules[2].when, When::Every(NonZeroU32::new(100).unwrap()));
        assert_eq!(
            script.rules[3].action,
            Action::Reply("561 Honeypot rcptto".parse().unwrap())
        );
        assert_eq!(script.delay, Duration::from_millis(20));
        assert_eq!(script.close_after, Some(50));
        assert_eq!(script.idle_close, Some(Duration::from_secs(2)));
        assert_eq!(script.max_connections, Some(3));
        assert_eq!(script.seed, 7);
    }

    #[test]
    fn a_wrong_fault_says_what_is_allowed() {
        let cases = [
            (
                "explode",
                "allowed are: 4xx=RATE@STAGE, 5xx=RATE@STAGE, drop=STAGE[/N]",
            ),
            ("explode=1", "unknown fault `explode=1`"),
            ("4xx=2@rcpt", "a number from 0 to 1"),
            ("4xx=0.1@connect", "mail, rcpt, data or end-of-data"),
            ("drop=lunch", "unknown stage `lunch`; allowed are connect,"),
            ("drop=rcpt/0", "`0` is not a number that `rcpt` can take"),
            ("delay=20", "write a number and ms, s or m"),
            ("delay=ms", "write a number and ms, s or m"),
            (
                "close-after=many",
                "`many` is not a number that `close-after` can take",
            ),
            ("reply@in-data=550 x", "there is no reply at in-data"),
            ("auth=go away", "is not a reply"),
        ];
        for (fault, words) in cases {
            let error = parse(fault).unwrap_err().to_string();
            assert!(error.contains(words), "{fault}: {error}");
        }
    }
}
