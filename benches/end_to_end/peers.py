"""Those who send: mailshot, and what it is measured against.

Each gets a folder of its own, and makes mails of the same size on the wire. A filler in the template (or the length
that the program is told) is what the size is adjusted with; see `measure.filler`.
"""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import children
import mails
from children import Failed

HERE = Path(__file__).resolve().parent
SMTP_SOURCE = "/usr/sbin/smtp-source"
SENDER = "news@aurora-home.example"


@dataclass
class Job:
    """One run of one sender."""

    folder: Path
    server: object
    connections: int
    mails: int
    filler: int
    timeout: float


@dataclass
class Sent:
    """What a run came to: mails by the sender's own account, and the seconds they took."""

    mails: int
    began: float
    ended: float
    command: children.Ended

    @property
    def rate(self):
        return self.mails / max(self.ended - self.began, 0.001)


class Mailshot:
    """The program itself. Its sending rate is read from its ledger: first intent to last result."""

    name = "mailshot"
    def __init__(self, tools, campaign="newsletter"):
        self.tools = tools
        self.campaign = campaign
        if campaign == "offer":
            self.name = "mailshot (offer)"

    def send(self, job):
        self.workspace(job)
        words = [self.tools.mailshot, "send", "bench", "--yes", "--quiet"]
        command = children.run(words, job.folder, job.timeout, job.server.pid)
        count, began, ended = self.attempts(job.folder)
        return Sent(count, began, ended, command)

    def workspace(self, job):
        """Everything it needs, in the job's folder."""
        security = 'tls = "none"'
        if job.server.ca_file:
            security = f'tls = "tls"\nca_file = "{job.server.ca_file}"'
        (job.folder / "mailshot.toml").write_text(
            f'[sender]\nfrom = "Aurora Home <{SENDER}>"\n'
            'postal_address = "Aurora Home Ltd., 88 Harbour Road, Hangzhou 310000, China"\n\n'
            f'[account.main]\nhost = "127.0.0.1"\nport = {job.server.port}\n{security}\n'
            f"connections = {job.connections}\nmessages_per_connection = 1000000000\n\n"
            '[unsubscribe]\nurl = "https://news.aurora-home.example"\n'
        )
        (job.folder / "campaigns").mkdir()
        (job.folder / "campaigns/bench.toml").write_text(
            'account = "main"\nsubject = "{{first_name}}, spring is here"\nrecipients = "list.csv"\n'
            'html = "body.html.hbs"\ntext = "body.txt.hbs"\n'
        )
        is_offer = self.campaign == "offer"
        html = mails.offer_html() if is_offer else mails.newsletter_html(job.filler)
        text = mails.offer_text() if is_offer else mails.newsletter_text()
        (job.folder / "body.html.hbs").write_text(html)
        (job.folder / "body.txt.hbs").write_text(text)
        self.tools.list_of(job.mails, is_offer).put(job.folder / "list.csv")

    @staticmethod
    def attempts(folder):
        """Accepted mails, first intent and last result, from the ledger."""
        ledger = sqlite3.connect(folder / ".mailshot/ledger.db")
        sql = "SELECT count(*), min(began_at_ms), max(ended_at_ms) FROM attempt WHERE outcome = 'accepted'"
        count, began_ms, ended_ms = ledger.execute(sql).fetchone()
        ledger.close()
        return count, began_ms / 1000, ended_ms / 1000


class MailshotAgain(Mailshot):
    """Everybody is on record already and nothing is checked again: the whole command is sending.

    For what the record costs: a program that keeps none has no times in it.
    """

    def __init__(self, tools, program):
        super().__init__(tools)
        self.program = program

    def send(self, job):
        self.workspace(job)
        words = ["send", "bench", "--yes", "--quiet"]
        # Exit code 75: all mails wait.
        children.run([self.tools.mailshot, *words, "--limit", "0"], job.folder, job.timeout, expected=75)
        command = children.run([self.program, *words], job.folder, job.timeout, job.server.pid)
        return Sent(job.mails, command.began, command.ended, command)


class Command:
    """A sender whose time is that of its whole command."""

    def __init__(self, tools):
        self.tools = tools

    def send(self, job):
        command = children.run(self.words(job), job.folder, job.timeout, job.server.pid, self.env(job))
        return Sent(job.mails, command.began, command.ended, command)

    def env(self, _job):
        return None


class SmtpSource(Command):
    """Postfix's load generator: one fixed mail, made before it begins; no PIPELINING, no TLS, no record."""

    name = "smtp-source"

    def words(self, job):
        return [
            SMTP_SOURCE, "-d", "-M", "bench.example", "-s", job.connections, "-m", job.mails, "-l", job.filler,
            "-f", SENDER, "-t", "someone@example.com", f"127.0.0.1:{job.server.port}",
        ]


class LettrePool(Command):
    """lettre's pool, one fixed mail."""

    name = "lettre pool"

    def words(self, job):
        words = [self.tools.peer("lettre-pool"), job.server.port, job.connections, job.mails, job.filler]
        return words + [job.server.ca_file] * bool(job.server.ca_file)


class Scripted(Command):
    """A sender of our own around a library: personalised mails with an HTML and a text part, from the list."""

    def files(self, job):
        (job.folder / "body.html").write_text(mails.newsletter_html(job.filler))
        (job.folder / "body.txt").write_text(mails.newsletter_text())
        self.tools.list_of(job.mails).put(job.folder / "list.csv")

    def words(self, job):
        self.files(job)
        return [*self.command(), job.server.port, job.connections] + [job.server.ca_file] * bool(job.server.ca_file)


class Smtplib(Scripted):
    """Python's smtplib and Jinja: a thread for each connection, kept open."""

    name = "smtplib + jinja2"
    way = "EmailMessage"

    def command(self):
        return [self.tools.python, HERE / "smtplib_sender.py", self.way]


class SmtplibMimeText(Smtplib):
    """The same with the older classes for mails, which make them faster."""

    name = "smtplib + jinja2, MIMEText"
    way = "MIMEText"


class Nodemailer(Scripted):
    """Node's nodemailer with its pool."""

    name = "nodemailer pool"

    def command(self):
        return ["node", HERE / "nodemailer_sender.js"]

    def env(self, _job):
        return {**os.environ, "NODE_PATH": str(self.tools.cache / "node_modules")}


class Mailmerge(Command):
    """Python's mailmerge: HTML only, a new connection for each mail, one after the other."""

    name = "mailmerge"

    def words(self, job):
        if job.server.ca_file:
            raise Failed("mailmerge speaks TLS only with a login")
        (job.folder / "mailmerge_template.txt").write_text(
            f"TO: {{{{email}}}}\nSUBJECT: {{{{first_name}}}}, spring is here\nFROM: Aurora Home <{SENDER}>\n"
            f"Content-Type: text/html; charset=utf-8\n\n{mails.newsletter_html(job.filler)}"
        )
        server = f"[smtp_server]\nhost = 127.0.0.1\nport = {job.server.port}\n"
        (job.folder / "mailmerge_server.conf").write_text(server)
        self.tools.list_of(job.mails).put(job.folder / "mailmerge_database.csv")
        return [self.tools.python.parent / "mailmerge", "--no-dry-run", "--no-limit"]
