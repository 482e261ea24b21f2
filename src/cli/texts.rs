//! Examples and explanations that stand below the help of each command.

use super::exit;

/// Below `mailshot --help`.
pub(super) const AFTER_HELP: &str = exit::HELP;

pub(super) const INIT: &str = "\
Examples:
  mailshot init                       make a workspace in this folder
  mailshot init newsletter            make it in a new folder
  cd newsletter && mailshot send campaigns/hello.toml --sandbox --yes";

pub(super) const CHECK: &str = "\
Examples:
  mailshot check campaigns/hello.toml
  mailshot check hello --json
  mailshot check hello --skip-invalid     rows that cannot be used go to rejected-hello.csv

Exit codes: 0 all is well, 65 something is wrong with campaign, list or templates, or nobody is
left to mail.";

pub(super) const LIST: &str = "\
Examples:
  mailshot list inspect customers.xlsx
  mailshot list fix 客户.csv -o customers.csv
  mailshot list convert 客户.xlsx --sheet 2026 -o customers.csv";

pub(super) const LIST_INSPECT: &str = "\
Examples:
  mailshot list inspect customers.csv
  mailshot list inspect customers.xlsx --sheet 2026 --json
  mailshot list inspect old.csv --encoding big5

Exit codes: 0 somebody can be mailed, 65 nobody can, 74 the file cannot be read.";

pub(super) const LIST_FIX: &str = "\
Examples:
  mailshot list fix customers.csv -o clean.csv

Rows that cannot be repaired go to clean.rejected.csv, with the reason.";

pub(super) const LIST_CONVERT: &str = "\
Examples:
  mailshot list convert customers.xlsx -o customers.csv
  mailshot list convert old.csv --encoding windows-1252 > new.csv";

pub(super) const PREVIEW: &str = "\
Examples:
  mailshot preview hello                       headers and text for the first row
  mailshot preview hello --to li@example.com   for this recipient
  mailshot preview hello --row 7 --html > mail.html
  mailshot preview hello --eml > mail.eml
  mailshot preview hello --open                in the browser, as on a desktop and a phone";

pub(super) const SEND: &str = "\
Examples:
  mailshot send campaigns/hello.toml --sandbox     try it: nothing leaves this machine
  mailshot send hello --dry-run                    write the mails as .eml files
  mailshot send hello --test-to me@example.com     send one mail to yourself
  mailshot send hello                              send it; run it again to go on
  mailshot send hello --yes --quiet                from cron

Running it again continues: nobody is mailed twice. Deliveries that may or may not have been
accepted when a run died are held back and listed; see `mailshot resolve`.

Exit codes: 0 done, 65 your files are wrong or have changed, 69 provider unreachable,
75 not finished (run it again), 76 finished but some failed or are in doubt,
77 login or sender refused, 130 interrupted.";

pub(super) const SECRET_UNSUBSCRIBE_KEY: &str = "\
Examples:
  mailshot secret unsubscribe-key list
  mailshot secret unsubscribe-key rotate --yes

Links never expire by themselves: they are valid as long as their key is kept, beside the one that
signs or in `old_key_files` of [unsubscribe]. Whoever has a key can unsubscribe people; when one may
have leaked, rotate, and remove the old one when its mails are no longer read.";

pub(super) const SERVE: &str = "\
Examples:
  mailshot serve                                     behind a proxy on this machine
  mailshot serve --trust-proxy 127.0.0.1             which says for whom it asks
  mailshot serve --listen 0.0.0.0:443 --cert chain.pem --key key.pem

A visit shows a page and changes nothing; its button, or the one click of a mail program, puts the
wish on record before it is answered. Campaigns that are under way stop mailing whoever has left.
/healthz says whether it works. A line is said about each wish, without addresses.

  [serve]
  listen = \"127.0.0.1:8025\"
  trust_proxy = [\"127.0.0.1\"]
  # cert = \"chain.pem\", key = \"key.pem\": to answer https without a proxy

Exit codes: 0 stopped, 74 the port is taken or a file cannot be read, 78 mailshot.toml is wrong.";

pub(super) const STATUS: &str = "\
Examples:
  mailshot status                  all campaigns
  mailshot status hello            one campaign, with what is in doubt or failed
  mailshot status hello --json     campaign, state, recipients, and the count of each state";

pub(super) const SHOW: &str = "\
Examples:
  mailshot show hello li@example.com
  mailshot show hello li@example.com --json";

pub(super) const RESOLVE: &str = "\
A delivery is in doubt when its mail was handed over but the answer never came. It is neither
sent again nor counted as sent until you decide.

Examples:
  mailshot resolve hello                             list what is in doubt
  mailshot resolve hello --resend                    send them again, with the same Message-ID
  mailshot resolve hello --assume-sent               take them for sent
  mailshot resolve hello --resend --to li@example.com
  mailshot resolve hello --from /var/log/mail.log    take those for sent that the log knows
  mailshot resolve hello --from mailbox:bounces      ... or of which a report came back

With --from, the Message-IDs of the mails in doubt are looked for: in logs, in mails that came back,
in tables that a provider exported; where a provider writes Message-IDs of its own, recipient and
time. Those that are not found stay in doubt, unless you say with --complete that all stands there.";

pub(super) const EXPLAIN: &str = "\
Examples:
  mailshot explain '526 Authentication failure[0]' --stage auth --provider alimail
  mailshot explain '550 5.7.26 Unauthenticated email is not accepted' --to li@gmail.com
  mailshot explain '452 4.2.2 mailbox full' --json

In a workspace, its own [[rule]] in mailshot.toml are asked first.";
pub(super) const PROVIDERS: &str = "\
Examples:
  mailshot providers                           all of them: name, server, limits
  mailshot providers alimail                   every value, with source, date and confidence
  mailshot providers directmail-sg --json      the region sg of directmail
  mailshot providers --for news@aurora-home.example

What is unknown says so. [provider.NAME] in mailshot.toml adds a provider, or says otherwise:

  [provider.our-relay]
  like = \"local-mta\"
  host = \"relay.example.com\"
  ports = [\"587 starttls\"]
  per_minute = 100

Exit codes: 0 done, 64 no such provider, 65 a domain that is with nobody known, 69 no answer from
the DNS.";

pub(super) const CLIENT_CONFIG: &str = "\
Examples:
  mailshot client-config main --for outlook
  mailshot client-config alimail --for foxmail --address service@aurora-home.example
  mailshot client-config alimail --for thunderbird --address a@example.com -o config-v1.1.xml
  mailshot client-config main --for apple -o mail.mobileconfig

Outlook and Foxmail get a page to type in from, Thunderbird an autoconfig file, Apple Mail a
profile. No password is in any of them.";

pub(super) const SECRET: &str = "\
Where the password of an account is kept stands in mailshot.toml: password_file, password_keyring,
password_command or password_env. The first two are written by mailshot.

Examples:
  mailshot secret set main                    asks for the password, without showing it
  pass show mail/news | mailshot secret set main --yes
  mailshot secret test main                   logs in once, and sends nothing
  mailshot secret rotate main                 a new one; the old one goes when it works
  mailshot secret lint main                   what looks wrong with it, without showing it
  mailshot secret dkim-keygen --help          a key to sign mails with";

pub(super) const SECRET_SET: &str = "\
Examples:
  mailshot secret set main
  pass show mail/news | mailshot secret set main --yes
  mailshot secret set main --file ~/.secrets/news

Exit codes: 0 kept, 64 nothing was done, 65 a password that cannot be right, 78 the account keeps
its password elsewhere.";

pub(super) const SECRET_ROTATE: &str = "\
Examples:
  mailshot secret rotate main
  pass show mail/news | mailshot secret rotate main

The new password is tried with one login; no mail is sent. When it works, the old one is wiped;
when it is refused, the old one is put back.

Exit codes: 0 the new one works, 69 the server cannot be reached (both are kept), 77 refused.";

pub(super) const SECRET_TEST: &str = "\
Examples:
  mailshot secret test main
  mailshot secret test main --strict     for cron: fails when the password is 90 days old

A refused login is kept on record, and nobody knocks again until the provider's lock-out is over.

Exit codes: 0 the login works, 69 the server cannot be reached, 77 refused or left alone,
78 no password, or one that is too old for --strict.";

pub(super) const SECRET_LINT: &str = "\
Examples:
  mailshot secret lint main
  mailshot secret lint main --json

Exit codes: 0 nothing looks wrong, 65 something does.";

pub(super) const SECRET_DKIM_KEYGEN: &str = "\
For those who send by a mail server of their own: at a provider, switch its DKIM on instead. Prints
the record to publish and the lines for mailshot.toml. The key itself is never shown; whoever has it
can sign mails in your name.

Examples:
  mailshot secret dkim-keygen --domain example.com --selector m2026 --out keys/m2026.pem
  mailshot secret dkim-keygen --domain example.com --selector m2026 --algorithm both \\
    --out keys/m2026.pem

The host record is that of the zone which the domain lies in, as the DNS says; --zone names another.

With `both` the second key is of Ed25519: selector m2026-ed, file keys/m2026-ed25519.pem. Each mail
then carries two signatures, and receivers take whichever they know.

Exit codes: 0 done, 64 no domain or selector, 74 the file is there already or cannot be written.";

pub(super) const SUPPRESS: &str = "\
Examples:
  mailshot suppress add li@example.com --reason 'asked by phone'
  mailshot suppress add @competitor.example 'info@*' --list customers.aurora-home.example
  mailshot suppress add --token AQ8mTjEwP7KY7hrD1eWwmr7LssxkhI-v0QfX0-FlNnVN
  mailshot suppress remove li@example.com --reason 'signed up again in the shop'
  mailshot suppress show li@example.com
  mailshot suppress import unsubscribed_members_export.csv
  mailshot suppress export suppressed.csv
  mailshot suppress list --reason complaint --json

A suppressed address gets no mail of any campaign, also not of one that is under way; with --list,
of no campaign of that list. Bounces, complaints and unsubscribes get there by themselves.
The token is what stands at the end of the unsubscribe link and in the unsubscribe mail's subject.";

pub(super) const REPORT: &str = "\
Examples:
  mailshot report hello
  mailshot report hello --csv story.csv --html report.html
  mailshot report hello --json

Shares are of mails that were sent or refused. Gmail and Yahoo want fewer than 0.1 % of complaints
and block senders over 0.3 %: then the campaign is held, and `mailshot send --release` goes on.";

pub(super) const UNLOCK: &str = "\
After a refused login mailshot leaves an account alone for as long as its provider locks it, so that
no cron job makes it worse. Pauses and slower rates that providers asked for are kept in the same
way.

Example:
  mailshot unlock main --yes         once the right password is set

Exit codes: 0 done, or nothing to do; 64 there is no such account, or nobody to ask.";
pub(super) const DOCTOR: &str = "\
Looks at the sender's domain in the DNS (MX, SPF, DKIM, DMARC and more) as resolvers in China and
elsewhere see it, and at the accounts' servers: ports, certificates, logins offered. Nothing is
sent, and nobody logs in unless you say --login.

Examples:
  mailshot doctor                                the workspace's sender and all accounts
  mailshot doctor spring --login                 a campaign's; tries the login once
  mailshot doctor example.com --fix              a domain; prints records ready to paste
  mailshot doctor example.com --watch --for 4h   wait until a change has arrived everywhere
  mailshot doctor --resolver office=10.0.0.53 --resolver 223.5.5.5
  mailshot doctor --selector s1 --json
  mailshot doctor --send-to me@gmail.com         one real mail, with the whole dialogue; on record,
                                                 within the quota, with one login
  mailshot doctor spring --send-to me@qq.com     the mail of a campaign's first row

`send` refuses for a day what the doctor found errors in; see `send --ignore-doctor`.

Exit codes: 0 nothing worse than warnings, 64 wrong usage, 69 the provider cannot be reached,
75 --watch ended before all saw the same, 77 login or our address refused, 78 errors in DNS or
settings. Of several the first of 77, 78, 69 counts.";

pub(super) const VERIFY: &str = "\
Send yourself a test mail (`mailshot send spring --test-to me@gmail.com`, or `mailshot doctor
--send-to`), save what arrives with all its headers, and have it read: which signatures are valid
and what they cover, SPF for the server that handed it over, DMARC, what the receiver says it found,
and what somebody changed on the way. What was sent is found by its Message-ID where this is the
workspace that sent it. Nothing is sent; the DNS is asked.

Examples:
  mailshot verify received.eml
  mailshot verify received.eml --sent .mailshot/dry-run/spring/0001.eml
  mailshot verify received.eml --resolver 223.5.5.5 --json

Exit codes: 0 nothing worse than warnings, 65 not a mail, 69 nothing could be judged,
74 it cannot be read, 78 errors.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  mailshot completions bash > ~/.local/share/bash-completion/completions/mailshot
  mailshot completions zsh > ~/.zfunc/_mailshot";

pub(super) const MAN: &str = "\
Example:
  mailshot man > ~/.local/share/man/man1/mailshot.1";

pub(super) const FEEDBACK: &str = "\
Examples:
  mailshot feedback import bounces.mbox --dry-run
  mailshot feedback tokens access.log
  mailshot feedback import ~/Maildir --json
  mailshot feedback import-events delivery-details.csv --dry-run

Whoever has no mailbox any more, or complains, or wants no more mails is suppressed; mails that come
back for now are counted ([feedback] in mailshot.toml says how many are enough). The same report
twice changes nothing. Reports about mails that were not sent from here suppress nobody.

Exit codes: 0 done, 65 something could not be understood, 74 a file cannot be read.";

pub(super) const FEEDBACK_TOKENS: &str = "\
Without a server of your own, `unsubscribe.url` may point to anything that writes down what is
asked: a static site with a log, a form, a function. This applies what it has written down.

Examples:
  mailshot feedback tokens access.log --dry-run
  mailshot feedback tokens tokens.txt
  mailshot feedback tokens - --json     what comes by stdin

In a log only POST counts: programs that look for viruses visit links too. A line without a method
counts as it is. The same file again changes nothing; of a longer one, what is new in it counts.

Exit codes: 0 done, 74 the file cannot be read, 78 there is no key yet.";
pub(super) const FETCH: &str = "\
Reads what has arrived since the last time, puts it on record, and only then moves it: bounces,
complaints, wishes to unsubscribe and automatic replies go to the folder `handled`. Letters of
people, and reports about mails that are not on record here, stay where they are, unread. Run it
again after whatever went wrong: nothing is lost, and nothing is counted twice.

In place of `account` a mailbox may have a login of its own: host, port, tls, username and
password_env, as an account has them. By POP3 nothing can be moved: handled mails stay, or are
deleted where `delete_handled` is true.

Example of a mailbox in mailshot.toml:
  [mailbox.bounces]
  account = \"main\"               its login, and the IMAP server of its provider
  protocol = \"imap\"              or pop3
  folder = \"INBOX\"
  handled = \"mailshot/handled\"   made when it is missing

Examples:
  mailshot feedback fetch --dry-run
  mailshot feedback fetch bounces --json
  mailshot feedback fetch --quiet       by cron, every ten minutes
  mailshot feedback fetch --follow      as a service, until a signal comes

Exit codes: 0 done, 69 the server cannot be reached, 75 mails could not be moved, 77 login refused,
78 settings.";
