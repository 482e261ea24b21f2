//! Who carries the mails away: a server, with its password, or the `sendmail` command.

use super::super::exit::{Coded, Exit};
use super::super::secret::age::{self, Strictness};
use super::Job;
use crate::campaign::{Port, Transport};
use crate::deliver::Target;
use crate::deliver::outbox::Sendmail;
use crate::pipeline::Carrier;
use crate::text;
use crate::words::Text;

impl Job<'_> {
    /// Who carries the mails away. The password is fetched here, before anything is put on record.
    pub(super) fn carrier(&self) -> anyhow::Result<Carrier> {
        let account = &self.campaign.account;
        Ok(match account.transport {
            Transport::Smtp => {
                let secret = account.secret(&self.workspace.root).map_err(|error| {
                    Coded::new(Exit::Config, Text::error(&error))
                        .hint(text!("nothing was sent; set the password and run it again"))
                })?;
                let strictness = Strictness::from_flag(self.args.strict);
                age::look_at(
                    &self.workspace,
                    account,
                    secret.as_ref(),
                    strictness,
                    self.printer,
                )?;
                let mut target = Target::new(account, secret)?;
                target.judge = self.judge();
                Carrier::Smtp(target)
            }
            Transport::Sendmail if !account.sendmail_command.is_file() => {
                let what = text!("there is no {path}", path = account.sendmail_command.display());
                let hint = text!("nothing was sent; install a mail server, or set `sendmail_command`");
                return Err(Coded::new(Exit::Config, what).hint(hint).into());
            }
            Transport::Sendmail => Carrier::Sendmail(Sendmail::new(&account.sendmail_command)),
        })
    }

    /// Says that the first port could not be reached, and how to save the time of trying it.
    pub(super) fn say_detour(&self, port: Port) {
        let account = &self.campaign.account;
        self.printer.warn(text!(
            "warning: port {own} ({own_tls}) of {host} could not be reached, {other} ({tls}) could; write `port = {other}` and \
             `tls = \"{tls}\"` in [account.{name}], and nobody waits for the first any longer",
            own = u64::from(account.port),
            own_tls = account.tls.name(),
            host = account.host.as_str(),
            other = u64::from(port.number),
            tls = port.tls.name(),
            name = account.name.as_str()
        ));
    }
}
