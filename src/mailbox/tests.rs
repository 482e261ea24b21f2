//! Servers that say odd things, line by line.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::{Access, Fault, Imap, Timeouts};
use crate::campaign::{Inbox, Secret, Workspace};

/// What a server says, and what it is told: `< ` begins what it expects, and everything else it says.
async fn plays(script: &'static [&'static str], listener: TcpListener) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = BufReader::new(stream);
    for line in script {
        if let Some(expected) = line.strip_prefix("< ") {
            let mut heard = String::new();
            stream.read_line(&mut heard).await.unwrap();
            assert_eq!(heard.trim_end(), expected);
        } else {
            stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        }
    }
}

/// A mailbox on this port of this machine.
fn inbox(port: u16, more: &str) -> Inbox {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[unsubscribe]\nmailto = \"news@example.com\"\n[mailbox.it]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
         username = \"news\"\n{more}\n"
    );
    std::fs::write(folder.path().join("mailshot.toml"), text).unwrap();
    Workspace::load(folder.path())
        .unwrap()
        .inboxes
        .remove("it")
        .unwrap()
}

async fn listen(more: &str) -> (TcpListener, Inbox) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, inbox(port, more))
}

const PASSWORD: &str = "password_env = \"X\"";
const TOKEN: &str = "token_command = \"true\"";

#[tokio::test]
async fn a_token_goes_by_xoauth2_and_a_refusal_is_heard_to_its_end() {
    let (listener, inbox) = listen(TOKEN).await;
    let server = plays(
        &[
            "* OK hello",
            "< m1 CAPABILITY",
            "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2",
            "m1 OK",
            "< m2 AUTHENTICATE XOAUTH2",
            "+",
            "< dXNlcj1uZXdzAWF1dGg9QmVhcmVyIHRva2VuAQE=",
            "+ eyJzdGF0dXMiOiI0MDAifQ==",
            "< ",
            "m2 NO [AUTHENTICATIONFAILED] token expired",
        ],
        listener,
    );
    let secret = Secret::new("token");
    let (opened, ()) = tokio::join!(Imap::open(&inbox, &secret, Timeouts::default()), server);
    let said = "NO [AUTHENTICATIONFAILED] token expired".to_owned();
    let expected = Fault::Login {
        said,
        is_password: true,
    };
    assert_eq!(opened.unwrap_err(), expected);
}

#[tokio::test]
async fn a_server_that_hangs_up_on_a_login_has_refused_it() {
    let (listener, inbox) = listen(PASSWORD).await;
    let server = plays(
        &[
            "* OK hello",
            "< m1 CAPABILITY",
            "* CAPABILITY IMAP4rev1",
            "m1 OK",
            "< m2 LOGIN \"news\" \"a \\\"b\\\"\"",
            "* BYE too many tries",
        ],
        listener,
    );
    let secret = Secret::new("a \"b\"");
    let (opened, ()) = tokio::join!(Imap::open(&inbox, &secret, Timeouts::default()), server);
    assert!(
        matches!(opened.unwrap_err(), Fault::Login { said, is_password: false } if said.contains("too many tries"))
    );
}

#[tokio::test]
async fn numbers_sizes_and_mails_are_found_among_whatever_else_is_said() {
    let (listener, inbox) = listen(PASSWORD).await;
    let server = plays(
        &[
            "* PREAUTH welcome",
            "< m1 CAPABILITY",
            "* CAPABILITY IMAP4rev1 ID",
            "m1 OK",
            concat!(
                "< m2 ID (\"name\" \"mailshot\" \"version\" \"",
                env!("CARGO_PKG_VERSION"),
                "\")"
            ),
            "m2 BAD what?",
            "< m3 SELECT \"INBOX\"",
            "* 4 EXISTS",
            "* OK [UIDVALIDITY 77] ok",
            "m3 OK [READ-WRITE] done",
            "< m4 NOOP",
            "m4 OK",
            "< m5 UID FETCH 6:* (UID RFC822.SIZE FLAGS)",
            "* 2 FETCH (UID 8 RFC822.SIZE 5 FLAGS (\\Seen))",
            "* 1 FETCH (RFC822.SIZE 3 FLAGS () UID 7)",
            "* 3 FETCH (UID 9 RFC822.SIZE 5 FLAGS (\\Deleted))",
            "* 4 FETCH (FLAGS (\\Recent))",
            "* 5 FETCH (UID 5 RFC822.SIZE 5 FLAGS ())",
            "m5 OK",
            "< m6 UID FETCH 7:8 (UID BODY.PEEK[]<0.4194304>)",
            "* 2 FETCH (BODY[]<0> \"abc\" UID 8)",
            "* 1 EXPUNGE",
            "* 1 FETCH (UID 7 BODY[]<0> {5}",
            "x",
            "y",
            ")",
            "m6 OK",
        ],
        listener,
    );
    let client = async {
        let secret = Secret::new("x");
        let mut imap = Imap::open(&inbox, &secret, Timeouts::default()).await.unwrap();
        let selected = imap.open_folder("INBOX", Access::Change).await.unwrap();
        assert_eq!(selected.uid_validity, 77);
        let mails = imap.after(5).await.unwrap();
        assert_eq!(
            mails.iter().map(|mail| (mail.uid, mail.size)).collect::<Vec<_>>(),
            [(7, 3), (8, 5)]
        );
        imap.read(&[7, 8]).await.unwrap()
    };
    let (mut read, ()) = tokio::join!(client, server);
    read.sort();
    // The five octets are `x`, a line's end, `y` and half of the next one's end.
    assert_eq!(read, [(7, b"x\r\ny\r".to_vec()), (8, b"abc".to_vec())]);
}
