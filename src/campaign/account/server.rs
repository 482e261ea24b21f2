//! Which server an account is at: as written, else as its provider has it.

use super::RawAccount;
use crate::campaign::provider::{Port, Preset, Tls};

impl RawAccount {
    /// Host, port and protection; the usual port of the protection when none is given.
    pub(super) fn server(&self, preset: Option<&Preset>) -> (String, u16, Tls) {
        let host = self.host.as_ref().map(|host| host.get_ref().clone());
        let host = host
            .or_else(|| Some(preset?.host().to_owned()))
            .unwrap_or_default();
        let ports = preset.map_or(&[][..], |preset| &preset.values.ports);
        let tls = self
            .tls
            .or(ports.first().map(|port| port.tls))
            .unwrap_or(Tls::Tls);
        let usual = match tls {
            Tls::None => 25,
            Tls::Starttls => 587,
            Tls::Tls => 465,
        };
        // A port of the preset belongs to the preset's protection.
        let known = ports.iter().find(|port| port.tls == tls && self.host.is_none());
        let known = known.map(|port| port.number);
        (host, self.port.or(known).unwrap_or(usual), tls)
    }

    /// The provider's other ports, where nothing is said about server and port.
    pub(super) fn other_ports(&self, preset: Option<&Preset>) -> Vec<Port> {
        let is_chosen = self.host.is_some() || self.port.is_some() || self.tls.is_some();
        let ports = preset.map_or(&[][..], |preset| &preset.values.ports);
        let others = ports.iter().skip(1).filter(|_| !is_chosen);
        others.copied().collect()
    }
}
