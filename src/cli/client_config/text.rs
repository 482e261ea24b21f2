//! The settings as a page to type them in from, with the words of each program.

use super::{Name, Program, Server, Settings};
use crate::campaign::provider::Tls;
use crate::text;
use crate::words::{Lang, Text};

/// The page.
pub(super) fn page(settings: &Settings, program: Option<Program>, lang: Lang) -> String {
    let mut lines = vec![head(settings), Text::default()];
    lines.extend(program.into_iter().flat_map(way));
    lines.push(text!("Outgoing mail"));
    lines.push(row(&text!("Server type"), &"SMTP".into()));
    lines.extend(server(&settings.smtp));
    let login_wanted = if settings.is_open {
        text!("off")
    } else {
        text!("on (\"My server requires authentication\")")
    };
    lines.push(row(&text!("Authentication"), &login_wanted));
    if !settings.is_open {
        lines.extend(login(settings));
    }
    lines.push(Text::default());
    lines.push(text!("Incoming mail"));
    let incoming = [("IMAP", &settings.imap), ("POP3", &settings.pop)];
    let mut is_known = false;
    for (kind, found) in incoming {
        if let Some(found) = found {
            if is_known {
                lines.push(Text::default());
            }
            is_known = true;
            lines.push(row(&text!("Server type"), &kind.into()));
            lines.extend(server(found));
        }
    }
    if is_known {
        lines.push(text!("User name and password are the same."));
    } else if settings.is_send_only {
        lines.push(text!(
            "none: this service only sends; replies go to the mailbox of your sender address"
        ));
    } else {
        lines.push(text!("none is known here: ask whoever runs the mailbox"));
    }
    let hint = settings.hint.as_ref().filter(|_| !settings.is_by_token());
    let words = hint.map(|hint| hint.in_lang(lang).to_owned());
    if settings.is_by_token() {
        lines.push(Text::default());
        lines.push(text!(
            "The program opens a window of the provider's to log in (OAuth 2); one that asks for a password instead is too old."
        ));
    }
    if let Some(hint) = words {
        lines.push(Text::default());
        lines.push(text!("Where to make the password"));
        lines.push(hint.into());
    }
    let mut page: String = lines.iter().map(|line| line.in_lang(lang) + "\n").collect();
    page = page.replace(" \n", "\n");
    page
}

fn head(settings: &Settings) -> Text {
    let title = settings.title.as_str();
    if let Some(address) = &settings.address {
        let address = address.as_str();
        text!("Settings for {address} at {title}", address, title)
    } else {
        text!("Settings for a mailbox at {title}", title)
    }
}

/// Where a program has these settings.
fn way(program: Program) -> Vec<Text> {
    let way = match program {
        Program::Outlook => {
            text!("Outlook: File → Add account → Advanced options → let me set up my account manually → IMAP")
        }
        Program::Foxmail => {
            text!("Foxmail: menu → Account management → New → Set up by hand; tick SSL for both servers")
        }
        Program::Thunderbird | Program::Apple => return Vec::new(),
    };
    vec![way, Text::default()]
}

fn server(server: &Server) -> [Text; 3] {
    [
        row(&text!("Server"), &server.host.as_str().into()),
        row(&text!("Port"), &server.port.into()),
        row(&text!("Encryption"), &encryption(server.tls)),
    ]
}

fn encryption(tls: Tls) -> Text {
    match tls {
        Tls::Tls => "SSL/TLS".into(),
        Tls::Starttls => "STARTTLS".into(),
        Tls::None => text!("none"),
    }
}

fn login(settings: &Settings) -> [Text; 2] {
    let name = match (&settings.username, &settings.address) {
        (Name::Known(name), _) => name.into(),
        (Name::Given, _) => text!("the name that you got with the password"),
        (Name::Address, Some(address)) => text!("{address} (the whole address)", address = address.as_str()),
        (Name::Address, None) => text!("the whole address"),
    };
    let kinds = settings.password.iter().map(|kind| kind.said());
    let password = Text::joined(kinds, " / ");
    let password = if password.is_empty() {
        text!("the mailbox's password")
    } else {
        password
    };
    [
        row(&text!("User name"), &name),
        row(&text!("Password"), &password),
    ]
}

fn row(label: &Text, value: &Text) -> Text {
    text!("  {label}: {value}", label, value)
}
