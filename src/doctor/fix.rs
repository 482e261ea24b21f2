//! Records to publish, in the forms that people paste: what a DNS console asks for, a line of a zone file, and a command
//! of Alibaba Cloud's `aliyun`.

use super::dns::Kind;
use super::finding::Paste;
use crate::text;
use crate::words::Text;

/// Octets of a string in a record. Source: RFC 1035, 3.3.
const STRING_MAX: usize = 255;

impl Paste {
    /// The value as consoles want it: host names without the final dot.
    fn plain_value(&self) -> &str {
        if self.kind == Kind::Txt {
            &self.value
        } else {
            self.value.strip_suffix('.').unwrap_or(&self.value)
        }
    }

    /// The fields of a DNS console, one a line.
    pub fn console(&self) -> Vec<Text> {
        let mut lines = vec![
            text!("host record  {host}", host = self.name.host_in(&self.zone)),
            text!("type         {kind}", kind = self.kind.to_string()),
            text!("value        {value}", value = self.plain_value()),
        ];
        if let Some(priority) = self.priority {
            lines.push(text!("priority     {priority}", priority));
        }
        lines.push(text!("TTL          {ttl}", ttl = self.ttl));
        lines
    }

    /// What must go first.
    pub fn obsolete(&self) -> Vec<Text> {
        let old = self.instead_of.iter();
        old.map(|old| text!("remove first: {kind} {old}", kind = self.kind.to_string(), old))
            .collect()
    }

    /// A line of a zone file. Source: RFC 1035, 5.
    pub fn zone_line(&self) -> String {
        let value = match (self.kind, self.priority) {
            (Kind::Txt, _) => strings(&self.value),
            (_, Some(priority)) => format!("{priority} {}", self.value),
            (_, None) => self.value.clone(),
        };
        format!("{}. {} IN {} {value}", self.name, self.ttl, self.kind)
    }

    /// Commands of Alibaba Cloud's program for the records that must go first: they are deleted by their number, which the
    /// first one shows. Deleting by name would take every other record of the name with it.
    pub fn aliyun_removal(&self) -> Vec<String> {
        let look = format!(
            "aliyun alidns DescribeDomainRecords --DomainName {} --RRKeyWord {} --Type {}",
            self.zone,
            quoted(&self.name.host_in(&self.zone)),
            self.kind
        );
        let old = self.instead_of.iter();
        let gone = old.map(|old| {
            format!(
                "aliyun alidns DeleteDomainRecord --RecordId …   # {} {old}",
                self.kind
            )
        });
        [look].into_iter().chain(gone).collect()
    }

    /// A command of Alibaba Cloud's program. Source: the documentation of `AddDomainRecord`.
    pub fn aliyun(&self) -> String {
        let priority = self
            .priority
            .map(|priority| format!(" --Priority {priority}"))
            .unwrap_or_default();
        format!(
            "aliyun alidns AddDomainRecord --DomainName {} --RR {} --Type {} --Value {}{priority} --TTL {}",
            self.zone,
            quoted(&self.name.host_in(&self.zone)),
            self.kind,
            quoted(self.plain_value()),
            self.ttl
        )
    }
}

/// A text as the strings of a zone file: quoted, none too long.
fn strings(value: &str) -> String {
    let (mut all, mut string, mut size) = (Vec::new(), String::new(), 0);
    for c in value.chars() {
        if size + c.len_utf8() > STRING_MAX {
            all.push(std::mem::take(&mut string));
            size = 0;
        }
        size += c.len_utf8();
        if matches!(c, '"' | '\\') {
            string.push('\\');
        }
        string.push(c);
    }
    all.push(string);
    let all: Vec<String> = all.iter().map(|string| format!("\"{string}\"")).collect();
    all.join(" ")
}

/// A word of a shell's command line.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::dns::Name;

    #[test]
    fn records_are_ready_to_paste_in_three_forms() {
        let zone = Name::parse("example.com").unwrap();
        let spf = Paste::text(zone.clone(), &zone, "v=spf1 include:a.example -all");
        assert_eq!(
            spf.zone_line(),
            r#"example.com. 3600 IN TXT "v=spf1 include:a.example -all""#
        );
        assert_eq!(
            spf.aliyun(),
            "aliyun alidns AddDomainRecord --DomainName example.com --RR @ --Type TXT --Value 'v=spf1 include:a.example -all' --TTL 3600"
        );
        let mx = Paste {
            kind: Kind::Mx,
            priority: Some(5),
            value: "mx1.qiye.aliyun.com.".to_owned(),
            ..spf
        };
        assert_eq!(mx.zone_line(), "example.com. 3600 IN MX 5 mx1.qiye.aliyun.com.");
        assert!(
            mx.aliyun()
                .ends_with("--Type MX --Value mx1.qiye.aliyun.com --Priority 5 --TTL 3600")
        );
        let shown: Vec<String> = mx.console().iter().map(ToString::to_string).collect();
        assert_eq!(shown[0], "host record  @");
        assert_eq!(shown[2], "value        mx1.qiye.aliyun.com");
    }

    #[test]
    fn long_texts_are_cut_into_strings_and_quotes_stay_quotes() {
        let line = strings(&format!("{}\"", "a".repeat(300)));
        assert_eq!(
            line,
            format!("\"{}\" \"{}\\\"\"", "a".repeat(255), "a".repeat(45))
        );
    }
}
