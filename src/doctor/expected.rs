//! What a provider wants to find in the DNS, and whose mail servers are whose. Sources: docs/decisions.md, "what the
//! doctor knows of providers".

/// A set of MX records that a provider documents: preferences and hosts.
pub type MxSet = &'static [(u16, &'static str)];

/// What a provider asks its customers for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The sets of MX records it documents; one of them is enough. None: it takes no mail, or they are not known.
    pub mx_sets: &'static [MxSet],
    /// SPF includes, the current one first; one of them is enough.
    pub spf_includes: &'static [&'static str],
    /// Selectors of its DKIM keys, as far as they are known.
    pub selectors: &'static [&'static str],
    /// Must the sender be the login?
    pub from_is_login: bool,
}

/// What is expected of an account with this provider, or with the SMTP server of this host.
pub fn expected(provider: Option<&str>, host: &str) -> Expected {
    let host = host.to_ascii_lowercase();
    let provider = provider.unwrap_or_else(|| {
        let of_host = |ends: &[&str]| ends.iter().any(|end| host.ends_with(end));
        match () {
            () if of_host(&["smtp.qiye.aliyun.com", "smtp.mxhichina.com", "smtp.sg.aliyun.com"]) => "alimail",
            () if host.starts_with("smtpdm") => "directmail",
            () if of_host(&["exmail.qq.com"]) => "exmail",
            () if of_host(&["smtp.gmail.com", "smtp-relay.gmail.com"]) => "gmail",
            () if of_host(&["smtp.office365.com"]) => "m365",
            () => "",
        }
    });
    match provider {
        "alimail" => Expected {
            mx_sets: &[
                &[
                    (5, "mx1.qiye.aliyun.com"),
                    (10, "mx2.qiye.aliyun.com"),
                    (15, "mx3.qiye.aliyun.com"),
                ],
                &[(5, "mxn.mxhichina.com"), (10, "mxw.mxhichina.com")],
            ],
            spf_includes: &["spf.qiye.aliyun.com", "spf.mxhichina.com"],
            selectors: &["default"],
            from_is_login: true,
        },
        "directmail" => Expected {
            spf_includes: &["spf1.dm.aliyun.com"],
            selectors: &["aliyun-cn-hangzhou"],
            from_is_login: true,
            ..Expected::default()
        },
        "exmail" => Expected {
            mx_sets: &[&[(5, "mxbiz1.qq.com"), (10, "mxbiz2.qq.com")]],
            spf_includes: &["spf.mail.qq.com"],
            ..Expected::default()
        },
        "gmail" => Expected {
            mx_sets: &[&[(1, "smtp.google.com")]],
            spf_includes: &["_spf.google.com"],
            selectors: &["google"],
            from_is_login: false,
        },
        "m365" => Expected {
            spf_includes: &["spf.protection.outlook.com"],
            selectors: &["selector1", "selector2"],
            ..Expected::default()
        },
        _ => Expected::default(),
    }
}

/// The ends of mail servers' names, and whose they are. Alibaba's two sets are one provider's.
const FAMILIES: [(&str, &str); 15] = [
    ("qiye.aliyun.com", "Alibaba Mail"),
    ("mxhichina.com", "Alibaba Mail"),
    ("sg.aliyun.com", "Alibaba Mail"),
    ("qq.com", "Tencent"),
    ("qiye163.com", "NetEase"),
    ("netease.com", "NetEase"),
    ("ym.163.com", "NetEase"),
    ("google.com", "Google"),
    ("googlemail.com", "Google"),
    ("mail.protection.outlook.com", "Microsoft"),
    ("mx.microsoft", "Microsoft"),
    ("zoho.com", "Zoho"),
    ("yandex.net", "Yandex"),
    ("larksuite.com", "Lark"),
    ("feishu.cn", "Feishu"),
];

/// Whose mail server this is, where that is known.
pub fn family(host: &super::dns::Name) -> Option<&'static str> {
    let known = FAMILIES.iter().find(|(end, _)| host.is_within(end));
    known.map(|(_, name)| *name)
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
