//! Which provider a domain is with: by the hosts that take its mail, or by its name. Pure: nobody is asked here.

use super::Book;

impl Book {
    /// The provider that takes mail for a domain with these MX hosts, the preferred one first.
    pub fn by_mx(&self, hosts: &[String]) -> Option<String> {
        hosts.iter().find_map(|host| self.of_host(host))
    }

    /// The provider whose pattern fits this host most closely.
    fn of_host(&self, host: &str) -> Option<String> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let mut best: Option<(usize, String)> = None;
        for preset in self.all() {
            let of_regions = preset.values.region_mx.iter().flat_map(|(region, patterns)| {
                let name = format!("{}-{region}", preset.name);
                patterns.iter().map(move |pattern| (pattern, name.clone()))
            });
            let own = preset
                .values
                .mx
                .iter()
                .map(|pattern| (pattern, preset.name.clone()));
            for (pattern, name) in own.chain(of_regions) {
                let is_closer = best.as_ref().is_none_or(|(length, _)| pattern.len() > *length);
                if is_closer && fits(pattern, &host) {
                    best = Some((pattern.len(), name));
                }
            }
        }
        best.map(|(_, name)| name)
    }

    /// The provider whose mailboxes have addresses of this domain, such as `gmail.com`.
    pub fn by_domain(&self, domain: &str) -> Option<String> {
        let domain = domain.to_ascii_lowercase();
        let is_its = |preset: &super::Preset| preset.values.domains.contains(&domain);
        self.all().into_iter().find(is_its).map(|preset| preset.name)
    }
}

/// Does a host fit a pattern? A `*` stands for any characters.
fn fits(pattern: &str, host: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == host;
    };
    let Some(rest) = host.strip_prefix(before) else {
        return false;
    };
    let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.any(|at| rest.get(at..).is_some_and(|rest| fits(after, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::provider::{by_domain, by_mx};

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, host, does) in [
            ("mx.example.com", "mx.example.com", true),
            ("*.example.com", "mx.example.com", true),
            ("*.example.com", "example.com", false),
            ("mx*.qq.com", "mx3.qq.com", true),
            ("mx*.qq.com", "mxbiz1.qq.com.evil.example", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxc", false),
        ] {
            assert_eq!(fits(pattern, host), does, "{pattern} {host}");
        }
    }

    #[test]
    fn the_provider_is_found_by_its_mx_hosts() {
        for (host, name) in [
            ("mx1.qiye.aliyun.com.", "alimail"),
            ("MXN.mxhichina.com", "alimail-legacy"),
            ("mx1.sg.aliyun.com", "alimail-sg"),
            ("mxbiz1.qq.com", "exmail"),
            ("hwmxbiz1.qq.com", "exmail-hw"),
            ("mx3.qq.com", "qq"),
            ("163mx02.mxmail.netease.com", "163"),
            ("qiye163mx01.mxmail.netease.com", "qiye163"),
            ("hzmx01.mxmail.netease.com", "qiye163-hz"),
            ("gmail-smtp-in.l.google.com", "gmail"),
            ("alt3.aspmx.l.google.com", "workspace"),
            ("smtp.google.com", "workspace"),
            ("aurora-example.mail.protection.outlook.com", "m365"),
            ("hotmail-com.olc.protection.outlook.com", "outlook"),
            ("mx.zoho.eu", "zoho-eu"),
            ("mx2.zoho.com", "zoho"),
            ("mx.yandex.net", "yandex"),
            ("mx1.larksuite.com", "lark"),
            ("mx1.feishu.cn", "feishu"),
        ] {
            assert_eq!(by_mx(&[host.to_owned()]).as_deref(), Some(name), "{host}");
        }
        assert_eq!(by_mx(&["mail.example.com".to_owned()]), None);
        assert_eq!(by_mx(&[]), None);
    }

    #[test]
    fn the_preferred_host_that_is_known_decides() {
        let hosts = ["filter.example.com", "mx1.feishu.cn", "mx3.qq.com"].map(str::to_owned);
        assert_eq!(by_mx(&hosts).as_deref(), Some("feishu"));
    }

    #[test]
    fn mailboxes_are_known_by_their_domain() {
        for (domain, name) in [
            ("gmail.com", "gmail"),
            ("Foxmail.com", "qq"),
            ("126.com", "126"),
            ("aliyun.com", "aliyun-personal"),
            ("hotmail.com", "outlook"),
        ] {
            assert_eq!(by_domain(domain).as_deref(), Some(name), "{domain}");
        }
        assert_eq!(by_domain("example.com"), None);
    }
}
