//! The part of a mail that a file becomes: an attachment, an image that the HTML shows, a volume of a big file.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use super::headers;
use crate::mail::file::kind_of;
use crate::mail::{FileUse, SentFile};

/// Names that mailboxes throw away, or refuse the whole mail for. Source: Gmail's list of blocked file types.
const BLOCKED: [&str; 44] = [
    "ade",
    "adp",
    "apk",
    "appx",
    "appxbundle",
    "bat",
    "cab",
    "chm",
    "cmd",
    "com",
    "cpl",
    "diagcab",
    "diagcfg",
    "dll",
    "dmg",
    "exe",
    "hta",
    "img",
    "ins",
    "iso",
    "isp",
    "jar",
    "jnlp",
    "js",
    "jse",
    "lib",
    "lnk",
    "mde",
    "mjs",
    "msc",
    "msi",
    "msix",
    "msp",
    "mst",
    "nsh",
    "pif",
    "ps1",
    "scr",
    "sct",
    "vb",
    "vbe",
    "vbs",
    "wsc",
    "wsf",
];
/// The mark by which Excel on Windows knows UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Does a file of this name get a mail refused?
pub fn is_blocked(name: &str) -> bool {
    let ending = Path::new(name)
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    BLOCKED.contains(&ending.as_str())
}

/// A file, ready to be put into a mail.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// Its headers and its content in Base64.
    part: Arc<[u8]>,
    is_inline: bool,
}

impl Attachment {
    pub(super) fn part(&self) -> &[u8] {
        &self.part
    }

    pub(super) fn is_inline(&self) -> bool {
        self.is_inline
    }
}

impl Attachment {
    /// The part of a file with this content that people see under this name.
    pub(super) fn new(file: &SentFile, name: &str, bytes: &[u8]) -> Self {
        let kind = match kind_of(name) {
            // These may not be in Base64, and readers show an empty mail. Source: RFC 2046, 5.2.1 and 5.1.
            kind if kind.starts_with("message/") || kind.starts_with("multipart/") => {
                "application/octet-stream".to_owned()
            }
            kind => kind,
        };
        let bytes = if file.adds_bom {
            with_bom(bytes, &kind)
        } else {
            Cow::Borrowed(bytes)
        };
        let mut part = Vec::with_capacity(bytes.len() * 7 / 5 + 512);
        let mut line = |text: &str| part.extend_from_slice(format!("{text}\r\n").as_bytes());
        let kind = if kind.starts_with("text/") && std::str::from_utf8(&bytes).is_ok() {
            format!("{kind}; charset=utf-8")
        } else {
            kind
        };
        line(&format!(
            "Content-Type: {kind};\r\n name={}",
            headers::file_name(name)
        ));
        let parameters = headers::file_name_parameters(name);
        let is_inline = if let FileUse::Shown(cid) = &file.used {
            line(&format!("Content-ID: <{cid}>"));
            line(&format!("Content-Disposition: inline;\r\n {parameters}"));
            true
        } else {
            line(&format!("Content-Disposition: attachment;\r\n {parameters}"));
            false
        };
        line("Content-Transfer-Encoding: base64\r\n");
        encodify::base64::MIME.encode_append(&bytes, &mut part);
        Self {
            part: part.into(),
            is_inline,
        }
    }
}

/// Excel on Windows takes a CSV file for the country's old encoding unless it is marked.
fn with_bom<'b>(bytes: &'b [u8], kind: &str) -> Cow<'b, [u8]> {
    let is_table = matches!(kind, "text/csv" | "text/plain" | "text/tab-separated-values");
    if !is_table || bytes.is_ascii() || bytes.starts_with(BOM) || std::str::from_utf8(bytes).is_err() {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned([BOM, bytes].concat())
}
