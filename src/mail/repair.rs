//! What was meant by a text that is not quite an address. Nothing is repaired unless the user says so.

use super::Address;

/// A proposal: the address that was most likely meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The address.
    pub address: Address,
    /// What was done to get there, a few words each.
    pub changes: Vec<&'static str>,
}

/// Characters that nobody sees: zero-width ones, soft hyphens, marks of direction and byte order.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The same mailbox at the domain that was meant, where a well-known one was mistyped.
#[must_use]
pub fn with_domain_meant(address: Address) -> Address {
    let meant = meant_domain(address.domain()).map(|domain| format!("{}@{domain}", address.local()));
    meant
        .and_then(|meant| Address::parse(&meant).ok())
        .unwrap_or(address)
}

/// The address that was most likely meant, if that is clear.
pub fn repair(input: &str) -> Option<Repair> {
    let mut changes = Vec::new();
    let mut text: String = input.chars().filter(|c| !is_invisible(*c)).collect();
    note(&mut changes, text != input, "invisible characters taken out");
    text = step(&text, &mut changes, "a mail name taken off", bare_of_name);
    text = step(&text, &mut changes, "`mailto:` taken off", without_mailto);
    text = step(&text, &mut changes, "`＠` made `@`", |text| {
        text.replace('＠', "@")
    });
    text = step(
        &text,
        &mut changes,
        "quotes, brackets or commas around it taken off",
        |text| {
            let around = |c: char| c.is_whitespace() || "'\"<>()[],;:，；、。．.“”‘’《》【】".contains(c);
            text.trim_matches(around).to_owned()
        },
    );
    text = step(&text, &mut changes, "spaces beside the `@` taken out", |text| {
        let parts: Vec<&str> = text.split('@').map(str::trim).collect();
        parts.join("@")
    });
    let (local, domain) = text.rsplit_once('@')?;
    let domain = step(
        domain,
        &mut changes,
        "full-width characters of the domain made plain",
        narrow,
    );
    let domain = step(
        &domain,
        &mut changes,
        "a comma in the domain made a dot",
        |domain| domain.replace(',', "."),
    );
    let address = Address::parse(&format!("{local}@{domain}")).ok()?;
    (!changes.is_empty()).then_some(Repair { address, changes })
}

fn note(changes: &mut Vec<&'static str>, is_changed: bool, what: &'static str) {
    if is_changed {
        changes.push(what);
    }
}

fn step(
    text: &str,
    changes: &mut Vec<&'static str>,
    what: &'static str,
    change: impl Fn(&str) -> String,
) -> String {
    let after = change(text.trim());
    note(changes, after != text.trim(), what);
    after
}

/// Of `Name <address>`, what stands in the brackets; of `address (Name)`, what stands before them.
fn bare_of_name(text: &str) -> String {
    let narrow = text
        .replace(['＜', '〈', '《'], "<")
        .replace(['＞', '〉', '》'], ">");
    if let Some((_, rest)) = narrow.split_once('<')
        && let Some((inner, after)) = rest.split_once('>')
        && inner.contains(['@', '＠'])
        && after.trim().is_empty()
    {
        return inner.trim().to_owned();
    }
    match text.split_once(['(', '（']) {
        Some((before, rest)) if before.contains('@') && rest.ends_with([')', '）']) => {
            before.trim().to_owned()
        }
        _ => text.to_owned(),
    }
}

fn without_mailto(text: &str) -> String {
    match text.get(..7) {
        Some(start) if start.eq_ignore_ascii_case("mailto:") => {
            let rest = text.get(7..).unwrap_or_default();
            rest.split('?')
                .next()
                .unwrap_or_default()
                .trim_start_matches('/')
                .to_owned()
        }
        _ => text.to_owned(),
    }
}

/// Full-width letters, digits and dots as the plain ones.
fn narrow(domain: &str) -> String {
    let plain = |c: char| match c {
        '。' | '｡' => '.',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    domain.chars().map(plain).collect()
}

/// The well-known domain that this one is a slip of the keyboard for, such as `gmail.com` for `gmial.com`.
pub fn meant_domain(domain: &str) -> Option<&'static str> {
    let at = SLIPS.binary_search_by_key(&domain, |(slip, _)| slip).ok()?;
    SLIPS.get(at).map(|(_, meant)| *meant)
}

/// Slips that people make in the domains of large mailbox providers; sorted. None of them serves mailboxes of its own
/// that are known to be used.
const SLIPS: [(&str, &str); 84] = [
    ("126.cn", "126.com"),
    ("126.con", "126.com"),
    ("163.cm", "163.com"),
    ("163.cn", "163.com"),
    ("163.co", "163.com"),
    ("163.con", "163.com"),
    ("163.om", "163.com"),
    ("aliyun.con", "aliyun.com"),
    ("aol.con", "aol.com"),
    ("fixmail.com", "foxmail.com"),
    ("foxmail.cn", "foxmail.com"),
    ("foxmail.con", "foxmail.com"),
    ("foxmial.com", "foxmail.com"),
    ("gamil.com", "gmail.com"),
    ("gmai.com", "gmail.com"),
    ("gmaik.com", "gmail.com"),
    ("gmail.cm", "gmail.com"),
    ("gmail.cmo", "gmail.com"),
    ("gmail.cn", "gmail.com"),
    ("gmail.co", "gmail.com"),
    ("gmail.com.com", "gmail.com"),
    ("gmail.comm", "gmail.com"),
    ("gmail.con", "gmail.com"),
    ("gmail.cpm", "gmail.com"),
    ("gmail.om", "gmail.com"),
    ("gmail.vom", "gmail.com"),
    ("gmaill.com", "gmail.com"),
    ("gmal.com", "gmail.com"),
    ("gmali.com", "gmail.com"),
    ("gmeil.com", "gmail.com"),
    ("gmial.com", "gmail.com"),
    ("gmil.com", "gmail.com"),
    ("gmill.com", "gmail.com"),
    ("gnail.com", "gmail.com"),
    ("gogglemail.com", "googlemail.com"),
    ("googlemail.con", "googlemail.com"),
    ("hitmail.com", "hotmail.com"),
    ("homail.com", "hotmail.com"),
    ("hormail.com", "hotmail.com"),
    ("hotmai.com", "hotmail.com"),
    ("hotmail.cm", "hotmail.com"),
    ("hotmail.co", "hotmail.com"),
    ("hotmail.con", "hotmail.com"),
    ("hotmail.om", "hotmail.com"),
    ("hotmaill.com", "hotmail.com"),
    ("hotmal.com", "hotmail.com"),
    ("hotmali.com", "hotmail.com"),
    ("hotmial.com", "hotmail.com"),
    ("hotmil.com", "hotmail.com"),
    ("hotnail.com", "hotmail.com"),
    ("htomail.com", "hotmail.com"),
    ("iclod.com", "icloud.com"),
    ("icloud.cm", "icloud.com"),
    ("icloud.co", "icloud.com"),
    ("icloud.con", "icloud.com"),
    ("iclould.com", "icloud.com"),
    ("icoud.com", "icloud.com"),
    ("live.con", "live.com"),
    ("msn.con", "msn.com"),
    ("otmail.com", "hotmail.com"),
    ("outllok.com", "outlook.com"),
    ("outlok.com", "outlook.com"),
    ("outlook.cm", "outlook.com"),
    ("outlook.co", "outlook.com"),
    ("outlook.con", "outlook.com"),
    ("outloook.com", "outlook.com"),
    ("outluk.com", "outlook.com"),
    ("protonmail.con", "protonmail.com"),
    ("qq.cm", "qq.com"),
    ("qq.cn", "qq.com"),
    ("qq.co", "qq.com"),
    ("qq.con", "qq.com"),
    ("qq.om", "qq.com"),
    ("qqq.com", "qq.com"),
    ("sina.con", "sina.com"),
    ("sohu.con", "sohu.com"),
    ("yaho.com", "yahoo.com"),
    ("yahoo.cm", "yahoo.com"),
    ("yahoo.co", "yahoo.com"),
    ("yahoo.con", "yahoo.com"),
    ("yahoo.om", "yahoo.com"),
    ("yahooo.com", "yahoo.com"),
    ("yahou.com", "yahoo.com"),
    ("yhaoo.com", "yahoo.com"),
];

/// Local parts that belong to a function and not to a person. Source: RFC 2142, and those that mail providers name.
const ROLES: [&str; 28] = [
    "abuse",
    "account",
    "admin",
    "administrator",
    "billing",
    "careers",
    "compliance",
    "contact",
    "devnull",
    "enquiries",
    "hello",
    "help",
    "hostmaster",
    "hr",
    "info",
    "jobs",
    "mailer-daemon",
    "marketing",
    "no-reply",
    "noc",
    "noreply",
    "office",
    "postmaster",
    "root",
    "sales",
    "security",
    "support",
    "webmaster",
];

/// Is this the mailbox of a function, such as `info`, rather than a person's?
pub fn is_role(address: &Address) -> bool {
    let local = address.local().to_ascii_lowercase();
    ROLES.contains(&local.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn repaired(input: &str) -> Option<String> {
        repair(input).map(|repair| repair.address.to_string())
    }

    #[test]
    fn what_was_clearly_meant_is_proposed() {
        for (input, meant) in [
            ("zhang＠example.com", "zhang@example.com"),
            ("li@example。com", "li@example.com"),
            ("li@ｅxample．com", "li@example.com"),
            ("a@example.com\u{200b}", "a@example.com"),
            ("\u{feff}b@example.com", "b@example.com"),
            ("张三<a@example.com>", "a@example.com"),
            ("\"Wang, Li\" <a@example.com>", "a@example.com"),
            ("张三＜a@example.com＞", "a@example.com"),
            ("a@example.com (Anna)", "a@example.com"),
            ("mailto:a@example.com?subject=hi", "a@example.com"),
            ("<a@example.com>", "a@example.com"),
            ("a@example.com,", "a@example.com"),
            ("a@example.com；", "a@example.com"),
            ("'a@example.com'", "a@example.com"),
            ("a @ example.com", "a@example.com"),
            ("a@example,com", "a@example.com"),
            ("a@example.com.", "a@example.com"),
        ] {
            assert_eq!(repaired(input).as_deref(), Some(meant), "{input}");
        }
    }

    #[test]
    fn what_could_mean_several_things_is_left_alone() {
        for input in [
            "Ａ@example.com",
            "a@b.com;c@d.com",
            "a@b.com c@d.com",
            "plain",
            "a@",
            "a..b@example.com",
            "a@b@c.com",
            "",
        ] {
            assert_eq!(repaired(input), None, "{input}");
        }
    }

    #[test]
    fn slips_are_sorted_and_found() {
        assert!(SLIPS.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(meant_domain("gmial.com"), Some("gmail.com"));
        assert_eq!(meant_domain("gmail.com"), None);
        assert!(SLIPS.iter().all(|(_, meant)| meant_domain(meant).is_none()));
    }

    #[test]
    fn roles_are_told_from_people() {
        let is_role = |text: &str| is_role(&Address::parse(text).unwrap());
        assert!(is_role("Info@example.com") && is_role("postmaster@example.com"));
        assert!(!is_role("informa@example.com"));
    }

    proptest! {
        #[test]
        fn a_good_address_needs_no_repair(local in "[a-z]{1,9}", domain in "[a-z]{1,9}\\.com") {
            prop_assert_eq!(repair(&format!("{local}@{domain}")), None);
        }

        #[test]
        fn nothing_panics(input in "\\PC{0,30}") {
            let _any = repair(&input);
        }
    }
}
