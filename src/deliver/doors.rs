//! The ports of a server, in the order of trial. Networks block port 25, some all but one; whoever did not say which port
//! to use gets the first that can be reached, and it is remembered for the run.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::session::{Session, Target, Timeouts};
use super::trace::Trace;
use crate::campaign::{Account, Port, Tls};
use crate::mail::{Fault, Stage};

/// How long another port may take to be reached.
const CONNECT: Duration = Duration::from_secs(5);

/// Other ports of a server, and which one is taken.
#[derive(Debug, Default)]
pub(super) struct Doors {
    others: Vec<Port>,
    /// Known once a port was reached.
    taken: OnceLock<Door>,
}

/// The port that is used from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    /// The account's own.
    Own,
    /// One of the others.
    Other(Port),
}

impl Doors {
    /// The ports that the account leaves open, with TLS: a login must not travel in clear because a port is blocked.
    pub(super) fn of(account: &Account) -> Arc<Self> {
        let others = account.other_ports.iter().filter(|port| port.tls != Tls::None);
        Arc::new(Self {
            others: others.copied().collect(),
            taken: OnceLock::new(),
        })
    }
}

impl Target {
    /// The port that is used in place of the account's own, because that one could not be reached.
    pub fn detour(&self) -> Option<Port> {
        match self.doors.taken.get()? {
            Door::Own => None,
            Door::Other(port) => Some(*port),
        }
    }

    fn at(&self, port: Port) -> Self {
        Self {
            port: port.number,
            tls: port.tls,
            ..self.clone()
        }
    }
}

impl Session {
    /// Connects and logs in, by another port of the provider's where the first cannot be reached. A fault about the account
    /// means: do not knock again.
    pub async fn open(target: &Target, trace: Option<Trace>) -> Result<Self, Fault> {
        let doors = &target.doors;
        if let Some(port) = target.detour() {
            return Self::open_at(&target.at(port), trace).await;
        }
        let opened = Self::open_at(target, trace.clone()).await;
        let Err(fault) = opened else {
            doors.taken.get_or_init(|| Door::Own);
            return opened;
        };
        if !is_shut(&fault) {
            return Err(fault);
        }
        match doors.taken.get() {
            // Another connection has found it meanwhile.
            Some(Door::Other(port)) => return Self::open_at(&target.at(*port), trace).await,
            Some(Door::Own) => return Err(fault),
            None => {}
        }
        for port in &doors.others {
            let mut at = target.at(*port);
            at.timeouts = Timeouts {
                connect: CONNECT,
                ..at.timeouts
            };
            match Self::open_at(&at, trace.clone()).await {
                Err(fault) if is_shut(&fault) => {}
                opened => {
                    doors.taken.get_or_init(|| Door::Other(*port));
                    return opened;
                }
            }
        }
        // It is the network, or the server: it may be back at the next try, and by any port.
        Err(fault)
    }
}

/// Did TCP or TLS not come about?
fn is_shut(fault: &Fault) -> bool {
    fault.stage == Stage::Connect && fault.reply.is_none()
}
