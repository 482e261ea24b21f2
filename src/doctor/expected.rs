//! What a provider wants to find in the DNS, and whose mail servers are whose: as the presets have it.

use std::collections::BTreeSet;

use super::dns::Name;
use crate::campaign::Account;
use crate::campaign::provider::{Book, Preset, by_mx, preset};

/// A set of MX records that a provider documents: preferences and hosts.
pub type MxSet = Vec<(u16, String)>;

/// What a provider asks its customers for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The sets of MX records it documents; one of them is enough. None: it takes no mail, or they are not known.
    pub mx_sets: Vec<MxSet>,
    /// SPF includes, the current one first; one of them is enough.
    pub spf_includes: Vec<String>,
    /// Selectors of its DKIM keys, as far as they are known.
    pub selectors: Vec<String>,
}

impl Expected {
    /// What this provider asks for.
    pub fn of(preset: &Preset) -> Self {
        let record = |text: &String| {
            let (preference, host) = text.split_once(' ')?;
            Some((preference.parse().ok()?, host.to_owned()))
        };
        let set = |set: &Vec<String>| set.iter().filter_map(record).collect();
        Self {
            mx_sets: preset.values.mx_sets.iter().map(set).collect(),
            spf_includes: preset.values.spf.clone(),
            selectors: preset.values.dkim.clone(),
        }
    }

    /// What is asked of this account: by its provider, or by whose server it is.
    pub fn of_account(book: &Book, account: &Account) -> Self {
        let by_host = || {
            let is_its = |preset: &Preset| preset.host().eq_ignore_ascii_case(&account.host);
            book.all_with_regions().into_iter().find(is_its)
        };
        let named = account.provider.as_deref().and_then(|name| book.preset(name));
        let preset = named.or_else(by_host);
        preset.as_ref().map(Self::of).unwrap_or_default()
    }
}

impl Expected {
    /// What the provider asks for that takes mail at these hosts; none when several do.
    pub fn of_mailboxes(hosts: &[(u16, Name)]) -> Option<Self> {
        let families: BTreeSet<String> = hosts.iter().filter_map(|(_, host)| family(host)).collect();
        if families.len() > 1 {
            return None;
        }
        let hosts: Vec<String> = hosts.iter().map(|(_, host)| host.to_string()).collect();
        by_mx(&hosts)
            .and_then(|name| preset(&name))
            .as_ref()
            .map(Self::of)
    }
}

/// Whose mail server this is, where that is known.
pub fn family(host: &Name) -> Option<String> {
    let name = by_mx(&[host.to_string()])?;
    preset(&name).map(|preset| preset.family().to_owned())
}

/// Selectors tried when none is given: those that providers and programs commonly use. Source: domain knowledge, unchecked.
pub const SELECTORS: [&str; 18] = [
    "default",
    "mail",
    "dkim",
    "s1",
    "s2",
    "selector1",
    "selector2",
    "google",
    "k1",
    "k2",
    "mandrill",
    "zoho",
    "aliyun-cn-hangzhou",
    "aliyun",
    "qq",
    "s201512",
    "mxvault",
    "smtp",
];
