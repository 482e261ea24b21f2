//! Where `mailshot serve` listens: `[serve]` of `mailshot.toml`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;

use super::file::File;
use super::problem::Problems;
use crate::text;
use crate::words::Text;

/// Where it listens, and whom it believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeSettings {
    /// Address and port.
    pub listen: SocketAddr,
    /// Certificate chain and key, as PEM files; none without TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Proxies that may say for whom they ask.
    pub trust_proxy: Vec<IpNet>,
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8025)),
            tls: None,
            trust_proxy: Vec::new(),
        }
    }
}

/// `[serve]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawServe {
    listen: Option<Spanned<String>>,
    cert: Option<Spanned<PathBuf>>,
    key: Option<Spanned<PathBuf>>,
    #[serde(default)]
    trust_proxy: Vec<Spanned<String>>,
}

/// Reads `203.0.113.0/24` or `203.0.113.7`.
pub fn network(text: &str) -> Result<IpNet, Text> {
    let network = text.parse::<IpNet>().ok();
    let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    network
        .ok_or_else(|| text!("not an address or a network; write it like \"203.0.113.7\" or \"10.0.0.0/8\""))
}

impl RawServe {
    pub(super) fn check<T>(&self, root: &Path, file: &File<'_, T>, problems: &mut Problems) -> ServeSettings {
        let default = ServeSettings::default();
        let listen = file.parse(self.listen.as_ref(), problems, |text| {
            text.parse::<SocketAddr>()
                .map_err(|_wrong| text!("not an address and a port; write it like \"127.0.0.1:8025\""))
        });
        let tls = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Some((root.join(cert.get_ref()), root.join(key.get_ref()))),
            (None, None) => None,
            (Some(alone), None) | (None, Some(alone)) => {
                problems.push(file.problem(alone, text!("`cert` and `key` belong together")));
                None
            }
        };
        let proxies = self.trust_proxy.iter();
        let proxies = proxies.filter_map(|text| file.parse(Some(text), problems, network));
        ServeSettings {
            trust_proxy: proxies.collect(),
            listen: listen.unwrap_or(default.listen),
            tls,
        }
    }
}
