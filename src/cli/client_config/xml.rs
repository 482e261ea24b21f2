//! The settings as files that mail programs read: Thunderbird's autoconfig, and Apple's profiles. Sources: Mozilla's
//! "Config file format", version 1.1; Apple's "Configuration Profile Reference", com.apple.mail.managed.

use std::io;

use anyhow::Context as _;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use sha2::{Digest as _, Sha256};

use super::super::exit::{Coded, Exit};
use super::{Name, Server, Settings};
use crate::campaign::provider::{PasswordKind, Tls};
use crate::mail::Address;
use crate::mail::token::hex;
use crate::text;

type Xml = Writer<Vec<u8>>;

/// What Thunderbird puts the address in place of.
const WHOLE_ADDRESS: &str = "%EMAILADDRESS%";

fn start() -> io::Result<Xml> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    Ok(xml)
}

fn end(xml: Xml) -> anyhow::Result<String> {
    let mut text = String::from_utf8(xml.into_inner()).context("write XML")?;
    text.push('\n');
    Ok(text)
}

fn element(xml: &mut Xml, name: &str, text: &str) -> io::Result<()> {
    xml.create_element(name)
        .write_text_content(BytesText::new(text))
        .map(drop)
}

/// Thunderbird's autoconfig.
pub(super) fn autoconfig(settings: &Settings) -> anyhow::Result<String> {
    settings.refuse_without_name()?;
    let Some(domain) = settings.address.as_ref().map(Address::domain) else {
        let what = text!("autoconfig is for the mailboxes of one domain, and none is known here");
        let hint = text!("add --address with any address of it; nothing was written");
        return Err(Coded::new(Exit::Usage, what).hint(hint).into());
    };
    let mut xml = start()?;
    let incoming = [("imap", &settings.imap), ("pop3", &settings.pop)];
    xml.create_element("clientConfig")
        .with_attribute(("version", "1.1"))
        .write_inner_content(|xml| {
            xml.create_element("emailProvider")
                .with_attribute(("id", domain))
                .write_inner_content(|xml| {
                    element(xml, "domain", domain)?;
                    element(xml, "displayName", &settings.title)?;
                    element(xml, "displayShortName", &settings.name)?;
                    for (kind, found) in incoming {
                        if let Some(found) = found {
                            server(xml, ("incomingServer", kind), found, settings)?;
                        }
                    }
                    server(xml, ("outgoingServer", "smtp"), &settings.smtp, settings)
                })
                .map(drop)
        })?;
    end(xml)
}

fn server(xml: &mut Xml, (name, kind): (&str, &str), server: &Server, settings: &Settings) -> io::Result<()> {
    let username = match &settings.username {
        Name::Known(name) => name.as_str(),
        Name::Address | Name::Given => WHOLE_ADDRESS,
    };
    let is_token = |kind: &PasswordKind| *kind == PasswordKind::Oauth2;
    let has_token = settings.password.iter().any(is_token);
    let has_password = settings.password.is_empty() || !settings.password.iter().all(is_token);
    xml.create_element(name)
        .with_attribute(("type", kind))
        .write_inner_content(|xml| {
            element(xml, "hostname", &server.host)?;
            element(xml, "port", &server.port.to_string())?;
            let socket = match server.tls {
                Tls::None => "plain",
                Tls::Starttls => "STARTTLS",
                Tls::Tls => "SSL",
            };
            element(xml, "socketType", socket)?;
            if settings.is_open {
                return element(xml, "authentication", "none");
            }
            element(xml, "username", username)?;
            if has_token {
                element(xml, "authentication", "OAuth2")?;
            }
            if has_password {
                element(xml, "authentication", "password-cleartext")?;
            }
            Ok(())
        })
        .map(drop)
}

/// A value of a property list.
enum Value {
    Text(String),
    Number(u16),
    Yes(bool),
    Tables(Vec<Vec<(&'static str, Value)>>),
}

/// Apple's profile. The same settings give the same bytes: its numbers derive from them.
pub(super) fn mobileconfig(settings: &Settings) -> anyhow::Result<String> {
    settings.refuse_without_name()?;
    if settings.is_by_token() {
        let what = text!(
            "{title} wants OAuth 2, and a profile for Apple Mail can only ask for a password",
            title = settings.title.as_str()
        );
        let hint = text!(
            "add the account in the settings of the device, under the provider's name; nothing was written"
        );
        return Err(Coded::new(Exit::Usage, what).hint(hint).into());
    }
    let Some((kind, incoming)) = settings
        .imap
        .as_ref()
        .map(|server| ("EmailTypeIMAP", server))
        .or(settings.pop.as_ref().map(|server| ("EmailTypePOP", server)))
    else {
        let what = text!(
            "no server for incoming mail is known at {title}, and Apple Mail needs one",
            title = settings.title.as_str()
        );
        return Err(Coded::new(Exit::Usage, what)
            .hint(text!(
                "a profile is for mailboxes; `mailshot providers` says which providers have some"
            ))
            .into());
    };
    let whose = settings
        .address
        .as_ref()
        .map_or(settings.name.as_str(), |address| address.as_str());
    let identifier = format!("mailshot.{}", whose.replace('@', "."));
    let mut account = vec![
        ("EmailAccountDescription", string(&settings.title)),
        ("EmailAccountType", string(kind)),
    ];
    if let Some(address) = &settings.address {
        account.push(("EmailAddress", string(address.as_str())));
    }
    account.extend(side("Incoming", incoming, settings));
    account.extend(side("Outgoing", &settings.smtp, settings));
    account.push(("OutgoingPasswordSameAsIncomingPassword", Value::Yes(true)));
    account.extend(payload(
        "com.apple.mail.managed",
        &format!("{identifier}.mail"),
        &settings.title,
    ));
    let mut profile = vec![("PayloadContent", Value::Tables(vec![account]))];
    profile.extend(payload("Configuration", &identifier, &settings.title));
    let mut xml = start()?;
    let kind =
        "plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\"";
    xml.write_event(Event::DocType(BytesText::from_escaped(kind)))?;
    xml.create_element("plist")
        .with_attribute(("version", "1.0"))
        .write_inner_content(|xml| dict(xml, &profile))?;
    end(xml)
}

fn string(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// The keys of the incoming or the outgoing server.
fn side(side: &str, server: &Server, settings: &Settings) -> Vec<(&'static str, Value)> {
    let [authentication, host, port, ssl, username] = if side == "Incoming" {
        [
            "IncomingMailServerAuthentication",
            "IncomingMailServerHostName",
            "IncomingMailServerPortNumber",
            "IncomingMailServerUseSSL",
            "IncomingMailServerUsername",
        ]
    } else {
        [
            "OutgoingMailServerAuthentication",
            "OutgoingMailServerHostName",
            "OutgoingMailServerPortNumber",
            "OutgoingMailServerUseSSL",
            "OutgoingMailServerUsername",
        ]
    };
    let way = if settings.is_open {
        "EmailAuthNone"
    } else {
        "EmailAuthPassword"
    };
    let mut keys = vec![
        (authentication, string(way)),
        (host, string(&server.host)),
        (port, Value::Number(server.port)),
        (ssl, Value::Yes(server.tls != Tls::None)),
    ];
    if let Some(login) = settings.login().filter(|_| !settings.is_open) {
        keys.push((username, Value::Text(login)));
    }
    keys
}

/// The keys that every payload has.
fn payload(kind: &str, identifier: &str, title: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("PayloadType", string(kind)),
        ("PayloadVersion", Value::Number(1)),
        ("PayloadIdentifier", string(identifier)),
        ("PayloadUUID", Value::Text(uuid(identifier))),
        ("PayloadDisplayName", string(title)),
    ]
}

/// A UUID that derives from a name. Source: RFC 9562, 5.8 (version 8).
fn uuid(name: &str) -> String {
    let mut digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    digest[6] = digest[6] & 0x0F | 0x80;
    digest[8] = digest[8] & 0x3F | 0x80;
    let digits = hex(digest.get(..16).unwrap_or_default()).to_uppercase();
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default().to_owned();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

fn dict(xml: &mut Xml, keys: &[(&'static str, Value)]) -> io::Result<()> {
    xml.create_element("dict")
        .write_inner_content(|xml| {
            for (key, value) in keys {
                element(xml, "key", key)?;
                match value {
                    Value::Text(text) => element(xml, "string", text)?,
                    Value::Number(number) => element(xml, "integer", &number.to_string())?,
                    Value::Yes(is) => {
                        let name = if *is { "true" } else { "false" };
                        xml.create_element(name).write_empty()?;
                    }
                    Value::Tables(tables) => {
                        xml.create_element("array").write_inner_content(|xml| {
                            tables.iter().try_for_each(|table| dict(xml, table))
                        })?;
                    }
                }
            }
            Ok(())
        })
        .map(drop)
}
