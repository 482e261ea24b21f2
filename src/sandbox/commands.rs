//! The commands of SMTP (RFC 5321) and what this server answers to each.

use std::borrow::Cow;

use smtp_proto::{
    AUTH_LOGIN, AUTH_PLAIN, AUTH_XOAUTH2, Error, MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MAIL_SMTPUTF8, MailFrom,
    RcptTo, Request,
};

use super::Extension;
use super::auth::{Exchange, Mechanism, Step};
use super::body::DataReader;
use super::faults::{self, Fault};
use super::reply::Reply;
use super::script::Stage;
use super::session::{Chunk, Fate, Next, Phase, Progress, Session};

/// Recipients of one mail; RFC 5321 asks for 100 at least.
const RECIPIENTS_MAX: usize = 1000;

impl Session {
    /// Answers one command line.
    pub(super) fn command(&mut self, line: &[u8]) -> Next {
        let request = match Request::parse(&mut line.iter()) {
            Ok(request) => request,
            Err(error) => return self.not_understood(&error),
        };
        match request {
            Request::Ehlo { host } => self.hello("EHLO", &host),
            Request::Helo { host } => self.hello("HELO", &host),
            Request::Mail { from } => self.mail_from(&from),
            Request::Rcpt { to } => self.rcpt_to(&to),
            Request::Data => self.data(),
            Request::Bdat { chunk_size, is_last } => self.bdat(chunk_size, is_last),
            Request::Auth {
                mechanism,
                initial_response,
            } => self.auth(mechanism, &initial_response),
            Request::StartTls => self.start_tls(),
            Request::Rset => {
                self.reset();
                self.answer(250, "2.0.0", "forgotten")
            }
            Request::Noop { .. } => self.answer(250, "2.0.0", "nothing done"),
            Request::Vrfy { .. } => self.answer(252, "2.5.0", "cannot say; send a mail and see"),
            Request::Help { .. } => self.answer(214, "2.0.0", "see `mailshot sandbox --help`"),
            Request::Quit => {
                self.say(221, "2.0.0", "bye");
                Next::Close
            }
            Request::Lhlo { .. }
            | Request::Expn { .. }
            | Request::Etrn { .. }
            | Request::Atrn { .. }
            | Request::Burl { .. } => self.answer(502, "5.5.1", "command not implemented"),
        }
    }

    fn answer(&mut self, code: u16, enhanced: &str, text: &str) -> Next {
        self.say(code, enhanced, text);
        Next::GoOn
    }

    fn not_understood(&mut self, error: &Error) -> Next {
        match error {
            Error::InvalidSenderAddress => self.answer(501, "5.1.7", "not an address"),
            Error::InvalidRecipientAddress => {
                self.server.tally.recipient_refused();
                self.answer(501, "5.1.3", "not an address")
            }
            Error::SyntaxError { syntax } => {
                self.say(501, "5.5.4", format_args!("write it as {syntax}"));
                Next::GoOn
            }
            Error::InvalidParameter { param } => {
                self.say(501, "5.5.4", format_args!("wrong value for {param}"));
                Next::GoOn
            }
            Error::UnsupportedParameter { .. } => self.answer(555, "5.5.4", "parameter not offered"),
            Error::UnknownCommand
            | Error::NeedsMoreData { .. }
            | Error::ResponseTooLong
            | Error::InvalidResponse { .. } => self.answer(500, "5.5.1", "unknown command"),
        }
    }

    fn hello(&mut self, verb: &str, host: &str) -> Next {
        let reply = match self.scripted(Stage::Ehlo) {
            Ok(reply) => reply,
            Err(next) => return next,
        };
        self.reset();
        let is_extended = verb == "EHLO";
        let host: String = host.chars().filter(|c| !c.is_control()).collect();
        let protocol = match (is_extended, self.is_tls) {
            (false, _) => "SMTP",
            (true, false) => "ESMTP",
            (true, true) => "ESMTPS",
        };
        self.mail.received_from = format!(
            "from {host} ([{}])\r\n\tby sandbox.localhost (mailshot sandbox) with {protocol}",
            self.peer.ip()
        );
        self.hello = Some(host);
        match reply {
            None if is_extended => self.list_extensions(),
            reply => self.agree(reply.as_ref(), (250, "", "sandbox.localhost")),
        }
        Next::GoOn
    }

    fn list_extensions(&mut self) {
        let mut lines: Vec<Cow<'_, str>> = vec!["sandbox.localhost".into()];
        for (extension, words) in [
            (Extension::Pipelining, "PIPELINING"),
            (Extension::EightBitMime, "8BITMIME"),
            (Extension::SmtpUtf8, "SMTPUTF8"),
            (Extension::Chunking, "CHUNKING"),
            (Extension::EnhancedStatusCodes, "ENHANCEDSTATUSCODES"),
        ] {
            if self.offers(extension) {
                lines.push(words.into());
            }
        }
        if self.offers(Extension::Size) {
            lines.push(format!("SIZE {}", self.server.config.size_max).into());
        }
        if self.can_start_tls() {
            lines.push("STARTTLS".into());
        }
        let mechanisms: Vec<&str> = [
            (Extension::AuthPlain, "PLAIN"),
            (Extension::AuthLogin, "LOGIN"),
            (Extension::AuthXoauth2, "XOAUTH2"),
        ]
        .into_iter()
        .filter(|(extension, _)| self.offers(*extension))
        .map(|(_, name)| name)
        .collect();
        if !mechanisms.is_empty() {
            lines.push(format!("AUTH {}", mechanisms.join(" ")).into());
        }
        let last = lines.len() - 1;
        for (place, line) in lines.into_iter().enumerate() {
            let separator = if place == last { ' ' } else { '-' };
            self.replies
                .extend_from_slice(format!("250{separator}{line}\r\n").as_bytes());
        }
    }

    fn can_start_tls(&self) -> bool {
        !self.is_tls && self.server.identity.is_some() && self.offers(Extension::StartTls)
    }

    fn start_tls(&mut self) -> Next {
        if !self.can_start_tls() {
            return self.answer(502, "5.5.1", "STARTTLS not offered");
        }
        self.say(220, "2.0.0", "start TLS");
        Next::StartTls
    }

    fn auth(&mut self, mechanism: u64, initial_response: &str) -> Next {
        let mechanism = match mechanism {
            AUTH_PLAIN if self.offers(Extension::AuthPlain) => Mechanism::Plain,
            AUTH_LOGIN if self.offers(Extension::AuthLogin) => Mechanism::Login,
            AUTH_XOAUTH2 if self.offers(Extension::AuthXoauth2) => Mechanism::Xoauth2,
            _ => return self.answer(504, "5.5.4", "mechanism not offered"),
        };
        if self.hello.is_none() || self.is_logged_in || self.transaction.progress != Progress::None {
            return self.answer(503, "5.5.1", "not now; log in once, after EHLO and before MAIL");
        }
        let step = self.server.gate.start(mechanism, initial_response);
        self.login_step(step)
    }

    /// Answers a line of the AUTH exchange.
    pub(super) fn login_line(&mut self, exchange: Exchange, line: &[u8]) -> Next {
        let step = self.server.gate.answer(exchange, line.trim_ascii_end());
        self.login_step(step)
    }

    fn login_step(&mut self, step: Step) -> Next {
        match step {
            Step::Ask(challenge, exchange) => {
                self.phase = Phase::Login(exchange);
                return self.answer(334, "", challenge);
            }
            Step::Cancelled => return self.answer(501, "5.7.0", "login cancelled"),
            Step::Malformed => return self.answer(501, "5.5.2", "login not understood"),
            Step::Accepted | Step::Refused => {}
        }
        let reply = match self.scripted(Stage::Auth) {
            Ok(reply) => reply,
            Err(next) => {
                self.server.tally.login_refused();
                return next;
            }
        };
        if step == Step::Accepted {
            self.is_logged_in = true;
            self.server.tally.login_ok();
            self.agree(reply.as_ref(), (235, "2.7.0", "logged in"));
            return Next::GoOn;
        }
        self.server.tally.login_refused();
        self.answer(535, "5.7.8", "user name or password wrong")
    }

    fn mail_from(&mut self, from: &MailFrom<Cow<'_, str>>) -> Next {
        if self.hello.is_none() {
            return self.answer(503, "5.5.1", "say EHLO first");
        }
        if self.server.gate.credentials.is_some() && !self.is_logged_in {
            return self.answer(530, "5.7.0", "log in first");
        }
        if self.transaction.progress != Progress::None {
            return self.answer(503, "5.5.1", "a mail is already under way");
        }
        if self
            .server
            .play
            .script
            .close_after
            .is_some_and(|max| self.accepted >= max)
        {
            self.say(421, "4.7.0", "enough mails on this connection");
            return Next::Close;
        }
        if self.uses_what_is_not_offered(from) {
            return self.answer(555, "5.5.4", "parameter not offered");
        }
        if from.size > self.server.config.size_max {
            return self.answer(552, "5.3.4", "the mail is too big");
        }
        if !from.address.is_ascii() && from.flags & MAIL_SMTPUTF8 == 0 {
            return self.answer(553, "5.6.7", "this address needs SMTPUTF8");
        }
        let reply = match self.scripted(Stage::Mail) {
            Ok(reply) => reply,
            Err(next) => return next,
        };
        self.reset();
        self.transaction.progress = Progress::Sender;
        self.transaction.is_utf8 = from.flags & MAIL_SMTPUTF8 != 0;
        self.mail.from.push_str(&from.address);
        self.agree(reply.as_ref(), (250, "2.1.0", "sender accepted"));
        Next::GoOn
    }

    /// A client may use only what EHLO has listed; a strict answer here finds the ones that guess.
    fn uses_what_is_not_offered(&self, from: &MailFrom<Cow<'_, str>>) -> bool {
        let mut allowed = 0;
        if self.offers(Extension::SmtpUtf8) {
            allowed |= MAIL_SMTPUTF8;
        }
        if self.offers(Extension::EightBitMime) {
            allowed |= MAIL_BODY_7BIT | MAIL_BODY_8BITMIME;
        }
        from.flags & !allowed != 0
            || from.size > 0 && !self.offers(Extension::Size)
            || from.env_id.is_some()
            || from.hold_for > 0
            || from.hold_until > 0
    }

    fn rcpt_to(&mut self, to: &RcptTo<Cow<'_, str>>) -> Next {
        if self.transaction.progress != Progress::Sender {
            return self.refuse_recipient(503, "5.5.1", "say MAIL first");
        }
        if to.address.is_empty() {
            return self.refuse_recipient(501, "5.1.3", "not an address");
        }
        if to.flags != 0 || to.orcpt.is_some() {
            return self.refuse_recipient(555, "5.5.4", "parameter not offered");
        }
        if !to.address.is_ascii() && !self.transaction.is_utf8 {
            return self.refuse_recipient(553, "5.6.7", "this address needs SMTPUTF8 at MAIL");
        }
        if self.mail.to.len() >= RECIPIENTS_MAX {
            return self.refuse_recipient(452, "4.5.3", "too many recipients");
        }
        let fault = faults::asked_by(&to.address);
        match fault {
            Some(Fault::DropAt(Stage::Recipient)) => return Next::Drop,
            Some(Fault::Refuse(code)) => return self.refuse_as_asked(code),
            Some(Fault::Greylist) if self.server.is_new_address(&to.address) => {
                return self.refuse_as_asked(450);
            }
            _ => {}
        }
        let reply = match self.scripted(Stage::Recipient) {
            Ok(reply) => reply,
            Err(next) => {
                if next != Next::Drop {
                    self.server.tally.recipient_refused();
                }
                return next;
            }
        };
        self.transaction.fault = self
            .transaction
            .fault
            .or(fault.filter(|fault| *fault != Fault::Greylist));
        self.mail.to.push(to.address.clone().into_owned());
        self.agree(reply.as_ref(), (250, "2.1.5", "recipient accepted"));
        Next::GoOn
    }

    fn refuse_as_asked(&mut self, code: u16) -> Next {
        let (enhanced, text) = faults::words_for(code);
        self.refuse_recipient(code, enhanced, text)
    }

    fn refuse_recipient(&mut self, code: u16, enhanced: &str, text: &str) -> Next {
        self.server.tally.recipient_refused();
        self.say(code, enhanced, text);
        if code == 421 { Next::Close } else { Next::GoOn }
    }

    fn data(&mut self) -> Next {
        match self.transaction.progress {
            Progress::None => return self.answer(503, "5.5.1", "say MAIL first"),
            Progress::Chunks => return self.answer(503, "5.5.1", "this mail comes by BDAT"),
            Progress::Sender if self.mail.to.is_empty() => {
                return self.answer(554, "5.5.1", "no valid recipients");
            }
            Progress::Sender => {}
        }
        match self.at_start_of_data() {
            Ok(reply) => self.agree(reply.as_ref(), (354, "", "end the mail with CRLF.CRLF")),
            Err(next) => return next,
        }
        self.phase = Phase::Data(DataReader::default());
        Next::GoOn
    }

    fn at_start_of_data(&mut self) -> Result<Option<Reply>, Next> {
        if self.transaction.fault == Some(Fault::DropAt(Stage::Data)) {
            return Err(Next::Drop);
        }
        let reply = self.scripted(Stage::Data)?;
        if self.server.play.visit(Stage::InData).is_some() {
            self.transaction.fault = Some(Fault::DropAt(Stage::InData));
        }
        Ok(reply)
    }

    fn bdat(&mut self, left: usize, is_last: bool) -> Next {
        if let Some(reply) = &self.server.play.script.bdat {
            self.replies.extend_from_slice(reply.wire().as_bytes());
            let fate = Fate::Refused;
            self.phase = Phase::Chunk(Chunk { left, is_last, fate });
            return Next::GoOn;
        }
        let is_welcome = self.offers(Extension::Chunking)
            && match self.transaction.progress {
                Progress::Chunks => true,
                Progress::Sender => !self.mail.to.is_empty(),
                Progress::None => false,
            };
        let mut fate = if is_welcome { Fate::Keep } else { Fate::Refuse };
        if is_welcome && self.transaction.progress == Progress::Sender {
            match self.at_start_of_data() {
                // A chunk has no 354, so there is nothing to say in other words.
                Ok(_) => self.transaction.progress = Progress::Chunks,
                Err(Next::GoOn) => {
                    self.reset();
                    fate = Fate::Refused;
                }
                Err(next) => return next,
            }
        }
        self.phase = Phase::Chunk(Chunk { left, is_last, fate });
        Next::GoOn
    }

    /// The bytes of a chunk that is not welcome are read; now say why.
    pub(super) fn refuse_chunk(&mut self) {
        let had_sender = self.transaction.progress == Progress::Sender;
        self.reset();
        if !self.offers(Extension::Chunking) {
            self.say(502, "5.5.1", "CHUNKING not offered");
        } else if had_sender {
            self.say(554, "5.5.1", "no valid recipients");
        } else {
            self.say(503, "5.5.1", "say MAIL first");
        }
    }
}
