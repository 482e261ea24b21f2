//! `feedback fetch` against a real Dovecot: what came back is on record before it is moved, whatever is killed when.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde::Deserialize;

use super::dovecot::{Dovecot, PASSWORD};
use super::harness::{Sandbox, Workspace, people, wait_for};
use super::messages::assert_message;
use super::postfix::Postfix;

/// A line about a mail, as `feedback fetch --json` prints it.
#[derive(Debug, Deserialize)]
struct Line {
    kind: String,
    recipient: Option<String>,
    severity: Option<String>,
    campaign: Option<String>,
    new: Option<bool>,
    suppressed: Option<String>,
}

/// A campaign that was sent, and the mailbox that its mails come back to.
struct Sent {
    workspace: Workspace,
    mails: Vec<String>,
}

impl Sent {
    /// Sends to so many people; `mailbox` are the lines of `[mailbox.bounces]`.
    fn new(count: usize, mailbox: &str) -> Self {
        let sandbox = Sandbox::keeping_mails();
        let mut workspace = Workspace::new(&sandbox.account(), &people(count));
        workspace.env("BOUNCES_PASSWORD", PASSWORD);
        let new = Self {
            mails: Vec::new(),
            workspace,
        };
        new.configure(&sandbox.account(), mailbox);
        new.workspace.send(&[]).expect(0);
        let mails = sandbox.mails();
        let mails = mails
            .iter()
            .map(|mail| String::from_utf8_lossy(mail).into_owned());
        let mails = mails.collect();
        Self { mails, ..new }
    }

    /// Writes `[mailbox.bounces]` anew.
    fn configure(&self, account: &str, mailbox: &str) {
        let more = format!("mailto = \"news@aurora-home.example\"\n\n[mailbox.bounces]\n{mailbox}\n");
        self.workspace.configure(account, &more);
    }

    /// The mail to somebody.
    fn mail_to(&self, person: &str) -> &str {
        let wanted = format!("Delivered-To: {person}\r\n");
        let found = self.mails.iter().find(|mail| mail.contains(&wanted));
        found.unwrap_or_else(|| panic!("no mail to {person}"))
    }

    fn header(&self, person: &str, name: &str) -> String {
        let mail = self.mail_to(person);
        let (_, rest) = mail.split_once(&format!("\r\n{name}: ")).unwrap();
        let mut lines = rest.split("\r\n");
        let mut value = lines.next().unwrap().to_owned();
        for line in lines.take_while(|line| line.starts_with([' ', '\t'])) {
            value.push_str(line);
        }
        value
    }

    /// A report that the mail to somebody could not be delivered.
    fn bounce(&self, person: &str) -> String {
        let id = self.header(person, "Message-ID");
        format!(
            "From: MAILER-DAEMON@mx.example.com\nTo: news@aurora-home.example\nSubject: Undelivered Mail\n\
             Message-ID: <bounce-{person}>\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n\
             --b\nContent-Type: text/plain\n\nSorry.\n\n\
             --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n\n\
             Final-Recipient: rfc822; {person}\nAction: failed\nStatus: 5.1.1\n\
             Diagnostic-Code: smtp; 550 5.1.1 no such user\n\n\
             --b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {id}\n\n--b--\n"
        )
    }

    fn fetch(&self, more: &[&str]) -> Vec<Line> {
        let arguments = [["feedback", "fetch", "--json"].as_slice(), more].concat();
        self.workspace.run(&arguments).expect(0).json()
    }

    fn on_record(&self) -> i64 {
        self.workspace.ask("SELECT count(*) FROM feedback").unwrap()
    }

    fn suppressed(&self) -> i64 {
        self.workspace.ask("SELECT count(*) FROM suppression").unwrap()
    }
}

/// A letter of somebody, with this subject and text.
fn letter(from: &str, subject: &str, text: &str) -> String {
    format!(
        "From: {from}\nTo: news@aurora-home.example\nSubject: {subject}\nMessage-ID: <letter-{from}>\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n"
    )
}

/// What comes back of a campaign to six: a report, a complaint, two wishes, an answer of a program, and a letter.
fn deliver_one_of_each(dovecot: &Dovecot, sent: &Sent) {
    dovecot.deliver("1", &sent.bounce("p0001@example.com"));
    let id = sent.header("p0002@example.com", "Message-ID");
    dovecot.deliver(
        "2",
        &format!(
            "From: fbl@example.com\nSubject: complaint\nMessage-ID: <complaint@example.com>\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\n\n\
             --b\nContent-Type: text/plain\n\nThis is spam.\n\n\
             --b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n\
             Original-Rcpt-To: p0002@example.com\n\n\
             --b\nContent-Type: message/rfc822\n\nMessage-ID: {id}\nSubject: News\n\nHello\n\n--b--\n"
        ),
    );
    let ways = sent.header("p0003@example.com", "List-Unsubscribe");
    let (_, mailto) = ways.split_once("mailto:").unwrap();
    let (_, subject) = mailto.split_once("subject=").unwrap();
    let subject = subject.split_once('>').unwrap().0;
    // By the token it is the wish of whoever got the mail, wherever it was forwarded to.
    dovecot.deliver("3", &letter("somewhere-else@example.org", subject, ""));
    dovecot.deliver("4", &letter("P0004@Example.com", "Re: News for you", "退订"));
    dovecot.deliver(
        "5",
        &letter("p0005@example.com", "Out of office", "I am away.")
            .replace("MIME-Version", "Auto-Submitted: auto-replied\nMIME-Version"),
    );
    dovecot.deliver(
        "6",
        &letter("p0006@example.com", "A question", "When do you open?"),
    );
    dovecot.deliver("7", &letter("stranger@example.org", "unsubscribe", "unsubscribe"));
}

#[test]
fn what_came_back_is_put_on_record_and_moved_and_letters_stay_as_they_are() {
    let Some(dovecot) = Dovecot::start("what_came_back_is_put_on_record", "") else {
        return;
    };
    let sent = Sent::new(6, &dovecot.imap("tls"));
    deliver_one_of_each(&dovecot, &sent);

    let seen = sent.fetch(&["--dry-run"]);
    assert_eq!(seen.len(), 6, "a line for each but the letter: {seen:?}");
    assert_eq!(
        (sent.on_record(), dovecot.mails("").len()),
        (0, 7),
        "a dry run changes nothing"
    );

    let lines = sent.fetch(&["bounces"]);
    let kinds: Vec<&str> = lines.iter().map(|line| line.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "bounce",
            "complaint",
            "unsubscribe",
            "unsubscribe",
            "auto_reply",
            "unsubscribe"
        ]
    );
    let why: Vec<Option<&str>> = lines.iter().map(|line| line.suppressed.as_deref()).collect();
    let expected = [
        Some("hard_bounce"),
        Some("complaint"),
        Some("unsubscribe"),
        Some("unsubscribe"),
        None,
        None,
    ];
    assert_eq!(why, expected);
    assert!(
        lines[..4]
            .iter()
            .all(|line| line.campaign.as_deref() == Some("news"))
    );
    let sql = "SELECT group_concat(address_key, ' ') FROM (SELECT address_key FROM suppression ORDER BY 1)";
    let who: String = sent
        .workspace
        .ledger()
        .unwrap()
        .query_row(sql, [], |row| row.get(0))
        .unwrap();
    assert_eq!(
        who,
        "p0001@example.com p0002@example.com p0003@example.com p0004@example.com"
    );

    assert_eq!(dovecot.mails(".mailshot.handled").len(), 5);
    // Unread, as they were: no flag behind the name. The wish of somebody who got no mail is for people to see.
    assert_eq!(dovecot.mails(""), ["6:2,", "7:2,"]);

    let again = sent.workspace.run(&["feedback", "fetch"]).expect(0);
    again.says(&["0 mails read"]);
    assert_eq!(dovecot.mails("").len(), 2);
}

/// Between the program and its mailbox: hands on what is said, up to a word.
struct Between {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    cut: Mutex<Option<Cut>>,
    was_cut: AtomicBool,
}

/// Where the line goes dead.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// This command does not get to the server.
    Before(&'static str),
    /// This command is done there, and nobody hears of it.
    After(&'static str),
}

impl Between {
    fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
                hand_on(client.unwrap(), server, &shared);
            }
        });
        Self { port, state }
    }

    fn cut(&self, cut: Cut) {
        self.state.was_cut.store(false, Ordering::SeqCst);
        *self.state.cut.lock().unwrap() = Some(cut);
    }

    fn mend(&self) {
        *self.state.cut.lock().unwrap() = None;
    }
}

/// Hands on in both directions, in threads of its own.
fn hand_on(client: TcpStream, server: TcpStream, state: &Arc<State>) {
    let is_deaf = Arc::new(AtomicBool::new(false));
    let (deaf, shared) = (Arc::clone(&is_deaf), Arc::clone(state));
    let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || {
        let mut buffer = [0; 16_384];
        while let Ok(count @ 1..) = from_server.read(&mut buffer) {
            if deaf.load(Ordering::SeqCst) {
                shared.was_cut.store(true, Ordering::SeqCst);
            } else if to_client.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
    });
    let (mut from_client, mut to_server, shared) = (client, server, Arc::clone(state));
    std::thread::spawn(move || {
        let mut buffer = [0; 16_384];
        while let Ok(count @ 1..) = from_client.read(&mut buffer) {
            let said = String::from_utf8_lossy(&buffer[..count]).into_owned();
            let cut = *shared.cut.lock().unwrap();
            match cut {
                Some(Cut::Before(word)) if said.contains(word) => {
                    shared.was_cut.store(true, Ordering::SeqCst);
                    continue;
                }
                Some(Cut::After(word)) if said.contains(word) => is_deaf.store(true, Ordering::SeqCst),
                _ => {}
            }
            if to_server.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        // Whoever was killed is gone; the server learns of it.
        drop(to_server.shutdown(std::net::Shutdown::Both));
    });
}

/// A mailbox that is read through somebody in between.
fn through(between: &Between) -> String {
    format!(
        "host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nusername = \"news@aurora-home.example\"\n\
         password_env = \"BOUNCES_PASSWORD\"\n",
        between.port
    )
}

/// Kills the program at each of these places, then lets it finish.
fn nothing_is_lost_or_counted_twice(test: &str, settings: &str, places: &[Cut]) {
    const BOUNCES: usize = 20;
    let Some(dovecot) = Dovecot::start(test, settings) else {
        return;
    };
    let between = Between::start(dovecot.imap_port);
    let sent = Sent::new(BOUNCES, &through(&between));
    for number in 1..=BOUNCES {
        let person = format!("p{number:04}@example.com");
        dovecot.deliver(&number.to_string(), &sent.bounce(&person));
    }
    dovecot.deliver("letter", &letter("p0001@example.com", "A question", "When?"));
    // Somebody else has marked it, and may still change their mind.
    dovecot.put(
        "cur",
        "marked:2,T",
        &letter("friend@example.org", "Lunch", "At noon?"),
    );
    for place in places {
        between.cut(*place);
        let mut running = sent.workspace.start(&["feedback", "fetch"]);
        wait_for(&format!("{place:?}"), || {
            assert!(!running.has_ended(), "{place:?}: {}", running.stderr());
            between.state.was_cut.load(Ordering::SeqCst).then_some(())
        });
        running.kill();
    }
    between.mend();
    sent.workspace.run(&["feedback", "fetch"]).expect(0);
    assert_eq!(sent.on_record(), 20, "each report is on record once");
    assert_eq!(sent.suppressed(), 20);
    let left: Vec<String> = dovecot
        .mails("")
        .into_iter()
        .filter(|name| !is_marked(name))
        .collect();
    assert_eq!(left, ["letter:2,"], "the letter is where it was, and unread");
    assert!(dovecot.mails("").contains(&"marked:2,T".to_owned()));
    // Where copies are all that a server can make, one that was not heard of is made again.
    assert!(dovecot.mails(".mailshot.handled").len() >= BOUNCES);
}

fn is_marked(name: &str) -> bool {
    name.ends_with('T')
}

#[test]
fn nothing_is_lost_or_counted_twice_wherever_the_program_is_killed() {
    let places = [
        Cut::Before("SELECT"),
        Cut::Before("RFC822.SIZE"),
        Cut::After("RFC822.SIZE"),
        Cut::Before("BODY.PEEK"),
        Cut::After("BODY.PEEK"),
        Cut::Before("CREATE"),
        Cut::After("CREATE"),
        // The reports are on record now, and still where they were.
        Cut::Before("UID MOVE"),
        Cut::After("UID MOVE"),
    ];
    nothing_is_lost_or_counted_twice("nothing_is_lost_or_counted_twice", "", &places);
}

#[test]
fn servers_that_cannot_move_lose_nothing_and_expunge_nothing_of_others() {
    let places = [
        Cut::Before("UID COPY"),
        Cut::After("UID COPY"),
        Cut::Before("UID STORE"),
        Cut::After("UID STORE"),
    ];
    for capabilities in ["IMAP4rev1 UIDPLUS AUTH=PLAIN", "IMAP4rev1 AUTH=PLAIN"] {
        let settings = format!("imap_capability = {capabilities}\n");
        nothing_is_lost_or_counted_twice("servers_that_cannot_move", &settings, &places);
    }
}

#[test]
fn reports_are_handled_as_they_arrive_until_a_signal_comes() {
    let Some(dovecot) = Dovecot::start("reports_are_handled_as_they_arrive", "") else {
        return;
    };
    let sent = Sent::new(2, &dovecot.imap("starttls"));
    let running = sent.workspace.start(&["feedback", "fetch", "--follow"]);
    wait_for("the first look", || {
        running
            .stderr()
            .contains("waiting for what arrives")
            .then_some(())
    });
    for (number, person) in ["p0001@example.com", "p0002@example.com"].into_iter().enumerate() {
        dovecot.deliver(&number.to_string(), &sent.bounce(person));
        wait_for("the report to be handled", || {
            (dovecot.mails(".mailshot.handled").len() == number + 1).then_some(())
        });
    }
    running.terminate();
    running
        .wait()
        .expect(0)
        .says(&["what was handled until now is on record"]);
    assert_eq!(sent.suppressed(), 2);
}

#[test]
fn a_lost_connection_is_made_again_and_goes_on() {
    let Some(dovecot) = Dovecot::start("a_lost_connection_is_made_again", "") else {
        return;
    };
    let sent = Sent::new(1, &dovecot.imap("tls"));
    let running = sent.workspace.start(&["feedback", "fetch", "--follow"]);
    let waits = || running.stderr().matches("waiting for what arrives").count();
    wait_for("the first look", || (waits() == 1).then_some(()));
    dovecot.hang_up();
    wait_for("the second look", || (waits() == 2).then_some(()));
    dovecot.deliver("1", &sent.bounce("p0001@example.com"));
    wait_for("the report to be handled", || {
        (dovecot.mails(".mailshot.handled").len() == 1).then_some(())
    });
    running.terminate();
    running.wait().expect(0).says(&["again in 1s"]);
}

#[test]
fn folders_have_names_of_any_script() {
    let Some(dovecot) = Dovecot::start("folders_have_names_of_any_script", "") else {
        return;
    };
    let mailbox = format!("{}handled = \"已处理/退信\"\n", dovecot.imap("tls"));
    let sent = Sent::new(1, &mailbox);
    dovecot.deliver("1", &sent.bounce("p0001@example.com"));
    sent.fetch(&[]);
    assert_eq!(dovecot.mails(".&XfJZBHQG-.&kABP4Q-").len(), 1);
}

#[test]
fn of_huge_mails_the_beginning_is_read() {
    let Some(dovecot) = Dovecot::start("of_huge_mails_the_beginning_is_read", "") else {
        return;
    };
    for mailbox in [dovecot.imap("tls"), dovecot.pop3("tls")] {
        let sent = Sent::new(1, &mailbox);
        let line =
            "what was attached to it comes back with it, line after line, and nobody wants to see it\n";
        let attached = format!("{}\n--b--\n", line.repeat(8 * 1_024 * 1_024 / line.len()));
        let bounce = sent.bounce("p0001@example.com").replace("--b--\n", &attached);
        dovecot.deliver("1", &bounce);
        let lines = sent.fetch(&[]);
        assert_eq!(lines[0].suppressed.as_deref(), Some("hard_bounce"));
    }
}

#[test]
fn by_pop3_handled_mails_stay_and_are_not_read_again_unless_they_are_to_be_deleted() {
    let Some(dovecot) = Dovecot::start("by_pop3_handled_mails_stay", "") else {
        return;
    };
    let sent = Sent::new(6, &dovecot.pop3("starttls"));
    deliver_one_of_each(&dovecot, &sent);
    assert_eq!(sent.fetch(&[]).len(), 6);
    assert_eq!((sent.suppressed(), dovecot.mails("").len()), (4, 7));
    assert!(sent.fetch(&[]).is_empty(), "none is read again");

    let sandbox = Sandbox::keeping_mails();
    sent.configure(
        &sandbox.account(),
        &format!("{}delete_handled = true\n", dovecot.pop3("tls")),
    );
    dovecot.deliver("8", &sent.bounce("p0006@example.com"));
    let lines = sent.fetch(&[]);
    let left = dovecot.mails("").len();
    // From another port it is another mailbox: all are read, and what was taken in before changes nothing.
    assert_eq!(
        lines.iter().filter(|line| line.new == Some(true)).count(),
        1,
        "{lines:?}"
    );
    assert_eq!(
        (sent.suppressed(), left),
        (5, 2),
        "the letter and the stranger's wish are left"
    );
    assert!(sent.fetch(&[]).is_empty());
}

#[test]
fn a_wrong_password_is_tried_once_and_nobody_knocks_again() {
    let Some(dovecot) = Dovecot::start("a_wrong_password_is_tried_once", "") else {
        return;
    };
    for mailbox in [dovecot.imap("tls"), dovecot.pop3("tls")] {
        let mut sent = Sent::new(1, &mailbox);
        sent.workspace.env("BOUNCES_PASSWORD", "wrong");
        let refused = || dovecot.log().matches("auth failed").count();
        let before = refused();
        let ended = sent.workspace.run(&["feedback", "fetch"]).expect(77);
        ended.says(&["refused the login", "AUTH", "--login-again"]);
        wait_for("the refusal in Dovecot's log", || {
            (refused() == before + 1).then_some(())
        });
        let ended = sent.workspace.run(&["feedback", "fetch"]).expect(77);
        ended.says(&["account `mailbox.bounces` is left alone until", "nobody knocked"]);
        assert_eq!(refused(), before + 1);
        // Another account is not concerned.
        sent.workspace.run(&["send", "news", "--yes"]).expect(0);
        sent.workspace.env("BOUNCES_PASSWORD", PASSWORD);
        sent.workspace
            .run(&["unlock", "mailbox.bounces", "--yes"])
            .expect(0);
        sent.workspace.run(&["feedback", "fetch"]).expect(0);
    }
}

#[test]
fn mailboxes_say_what_is_wrong() {
    let workspace = |mailbox: &str| {
        let mut workspace = Workspace::new("host = \"127.0.0.1\"\nport = 1\ntls = \"none\"", &people(1));
        workspace.env("BOUNCES_PASSWORD", PASSWORD);
        let account = "host = \"127.0.0.1\"\nport = 1\ntls = \"none\"";
        workspace.configure(account, mailbox);
        workspace
    };
    let fetch = ["feedback", "fetch"];
    assert_message!("fetch-no-mailbox", workspace(""), fetch);
    let login = "username = \"news@aurora-home.example\"\npassword_env = \"BOUNCES_PASSWORD\"";
    let nowhere = format!("[mailbox.bounces]\nhost = \"127.0.0.1\"\nport = 1\n{login}\n");
    assert_message!(
        "fetch-wrong-name",
        workspace(&nowhere),
        ["feedback", "fetch", "bouncs"]
    );
    assert_message!("fetch-wrong-host", workspace(&nowhere), fetch);
    assert_message!(
        "fetch-wrong-host-zh",
        workspace(&nowhere),
        ["feedback", "fetch", "--lang", "zh"]
    );
    let no_password = nowhere.replace("BOUNCES_PASSWORD", "NOT_SET");
    assert_message!("fetch-no-password", workspace(&no_password), fetch);
    let unknown = "[mailbox.bounces]\naccount = \"main\"\nfoldr = \"INBOX\"\n";
    assert_message!("fetch-unknown-key", workspace(unknown), fetch);
    let contradiction = "[mailbox.bounces]\naccount = \"mian\"\nprotocol = \"pop3\"\nfolder = \"Spam\"\n";
    assert_message!("fetch-contradiction", workspace(contradiction), fetch);
    let without = "[mailbox.bounces]\naccount = \"main\"\ndelete_handled = true\n";
    assert_message!("fetch-without-server", workspace(without), fetch);
}

#[test]
fn mailboxes_of_dovecot_say_what_is_wrong() {
    let Some(dovecot) = Dovecot::start("mailboxes_of_dovecot_say_what_is_wrong", "") else {
        return;
    };
    let fetch = ["feedback", "fetch"];
    let trusted = dovecot.imap("tls");
    let account = "host = \"127.0.0.1\"\nport = 1\ntls = \"none\"";
    let mut workspace = Workspace::new(account, &people(1));
    workspace.env("BOUNCES_PASSWORD", PASSWORD);
    let configure = |mailbox: &str| {
        workspace.configure(account, &format!("[mailbox.bounces]\n{mailbox}\n"));
        workspace.run(&fetch)
    };
    let no_ca = trusted.lines().filter(|line| !line.starts_with("ca_file"));
    let ended = configure(&no_ca.collect::<Vec<_>>().join("\n")).expect(69);
    ended.says(&["no TLS with localhost", "no password was sent", "`ca_file`"]);
    assert!(!dovecot.log().contains("auth failed"));
    let ended = configure(&format!("{trusted}folder = \"Bounces\"\n")).expect(78);
    ended.says(&["the folder `Bounces` cannot be opened", "[mailbox.bounces]"]);
    let ended = configure(&dovecot.pop3("tls").replace("pop3", "imap")).expect(69);
    ended.says(&["does not welcome us: +OK"]);
}

#[test]
fn reports_of_a_real_postfix_are_understood_from_a_maildir_and_from_a_mailbox() {
    let test = "reports_of_a_real_postfix_are_understood";
    let Some(dovecot) = Dovecot::start(test, "") else {
        return;
    };
    let next = Sandbox::start(&[]);
    let Some(postfix) = Postfix::start_reporting(test, next.port(), dovecot.maildir()) else {
        return;
    };
    let people = ["550-anna@example.com", "450-bo@example.com", "carla@example.com"];
    let mut workspace = Workspace::new(&postfix.account("tls"), &people);
    workspace.env("MAILSHOT_PASSWORD", PASSWORD);
    workspace.env("BOUNCES_PASSWORD", PASSWORD);
    let mailbox = format!("[mailbox.bounces]\n{}\n", dovecot.imap("tls"));
    workspace.configure(&postfix.account("tls"), &mailbox);
    workspace.send(&[]).expect(0);
    assert_eq!(workspace.status().sent, 3, "Postfix takes them all");
    wait_for("two reports", || (dovecot.mails("").len() == 2).then_some(()));

    let maildir = dovecot.maildir().display().to_string();
    let mut lines: Vec<Line> = workspace
        .run(&["feedback", "import", &maildir, "--json"])
        .expect(0)
        .json();
    lines.sort_by_key(|line| line.recipient.clone());
    let known = |line: &Line| {
        let words = [&line.recipient, &line.severity, &line.campaign, &line.suppressed];
        words.map(|word| word.clone().unwrap_or_default()).join(" ")
    };
    let said: Vec<String> = lines.iter().map(known).collect();
    assert_eq!(
        said,
        [
            "450-bo@example.com soft news ",
            "550-anna@example.com hard news hard_bounce"
        ]
    );

    let lines: Vec<Line> = workspace.run(&["feedback", "fetch", "--json"]).expect(0).json();
    assert!(
        lines.iter().all(|line| line.new == Some(false)),
        "each counts once: {lines:?}"
    );
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (dovecot.mails("").len(), dovecot.mails(".mailshot.handled").len()),
        (0, 2)
    );
}
