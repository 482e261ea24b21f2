//! `--follow`: stays at mailboxes, and comes back after a connection was lost.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use super::super::super::inbox::Ended;
use super::super::super::lockout::Again;
use super::super::taken::Tally;
use super::visit::Visit;
use crate::campaign::Protocol;
use crate::campaign::retry::Span;
use crate::text;

/// How long IDLE stands before it is said anew: servers hang up after 30 minutes. Source: RFC 2177.
const IDLE: Duration = Duration::from_mins(25);
/// Between two looks, where the server tells nothing by itself.
const POLL: Duration = Duration::from_mins(2);
/// After a connection was lost; twice as long each time.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(5);

/// A mailbox that is stayed at. It ends only with what waiting does not mend.
pub(super) type Staying<'a> = Pin<Box<dyn Future<Output = anyhow::Error> + 'a>>;

/// Stays at all; gives the first thing that ends one of them.
pub(super) async fn first(mut all: Vec<Staying<'_>>) -> anyhow::Error {
    poll_fn(|cx| {
        let ended = all.iter_mut().find_map(|one| match one.as_mut().poll(cx) {
            Poll::Ready(error) => Some(error),
            Poll::Pending => None,
        });
        ended.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

impl Visit<'_> {
    /// Stays at the mailbox.
    pub(super) fn follow(&self) -> Staying<'_> {
        Box::pin(async {
            let mut pause = PAUSE;
            let mut again = self.again;
            loop {
                let stayed = self.stay(again, &mut pause).await;
                // It was for the first login alone.
                again = Again::Later;
                let Err(ended) = stayed else { continue };
                match &ended {
                    Ended::Fault(fault) if fault.is_passing() => self.printer.warn(text!(
                        "mailbox {name}: {fault}; again in {pause}",
                        name = self.door.inbox.name.as_str(),
                        fault = fault.to_string(),
                        pause = Span(pause).to_string()
                    )),
                    _ => return ended.into_error(self.door.inbox),
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        })
    }

    async fn stay(&self, again: Again, pause: &mut Duration) -> Result<(), Ended> {
        match self.door.inbox.protocol {
            Protocol::Imap => {
                let mut open = self.open_imap(again).await?;
                self.printer.say(text!(
                    "mailbox {name}: waiting for what arrives",
                    name = self.door.inbox.name.as_str()
                ));
                loop {
                    let mut tally = Tally::default();
                    self.pass(&mut open, &mut tally).await?;
                    self.say(&tally);
                    *pause = PAUSE;
                    open.imap.wait(IDLE, POLL).await?;
                }
            }
            Protocol::Pop3 => {
                let tally = self.by_pop3(again).await?;
                self.say(&tally);
                *pause = PAUSE;
                tokio::time::sleep(POLL).await;
                Ok(())
            }
        }
    }

    fn say(&self, tally: &Tally) {
        if !tally.is_empty() {
            tally.say(self.is_dry, self.printer);
        }
    }
}
