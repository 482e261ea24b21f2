//! The account's port could not be reached, and another one of its provider's could.

use super::Job;
use crate::campaign::Port;
use crate::text;

impl Job<'_> {
    /// Says that the first port could not be reached, and how to save the time of trying it.
    pub(super) fn say_detour(&self, port: Port) {
        let account = &self.campaign.account;
        self.printer.warn(text!(
            "warning: port {own} of {host} could not be reached, {other} could; write `port = {other}` and `tls = \"{tls}\"` in \
             [account.{name}], and nobody waits for the first any longer",
            own = u64::from(account.port),
            host = account.host.as_str(),
            other = u64::from(port.number),
            tls = port.tls.name(),
            name = account.name.as_str()
        ));
    }
}
