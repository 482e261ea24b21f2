"""The servers that mails are sent to: each is started for one run, counts what it takes, and is stopped."""

import json
import os
import pwd
import signal
import subprocess
import time
from pathlib import Path

import children
from children import Failed

SMTP_SINK = "/usr/sbin/smtp-sink"
POSTFIX = "/usr/sbin/postfix"


class Sandbox:
    """`mailshot sandbox --discard`."""

    label = "mailshot sandbox --discard"
    is_one_process = True

    def __init__(self, tools, tls=False, without=()):
        self.tools = tools
        self.tls = tls
        self.without = without
        if without:
            self.label += "".join(f" --without {name}" for name in without)
        if tls:
            self.label += " --tls tls"

    def start(self, folder: Path):
        words = [self.tools.mailshot, "sandbox", "--discard", "--json", "--listen", "127.0.0.1:0"]
        for name in self.without:
            words += ["--without", name]
        self.ca_file = folder / "ca.pem" if self.tls else None
        if self.tls:
            words += ["--tls", "tls", "--ca-out", self.ca_file]
        self.child = children.start(words, cwd=folder, stdout=subprocess.PIPE)
        line = self.child.stdout.readline()
        if not line:
            raise Failed("the sandbox did not start")
        self.port = int(json.loads(line)["listen"].rsplit(":", 1)[1])
        self.pid = self.child.pid
        return self

    def stop(self):
        """Mails and octets it has taken."""
        children.must_still_run(self.child, self.label)
        self.child.send_signal(signal.SIGINT)
        line = self.child.stdout.readline()
        children.stop(self.child, signal.SIGINT)
        counts = json.loads(line)
        return counts["mails"], counts["bytes"]


class SmtpSink:
    """Postfix's `smtp-sink`: one thread, PIPELINING, no CHUNKING."""

    label = "smtp-sink"
    is_one_process = True
    ca_file = None

    def start(self, folder: Path):
        self.port = children.free_port()
        self.counts = folder / "smtp-sink.counts"
        words = [SMTP_SINK, "-c"]
        if os.geteuid() == 0:
            # It insists on not being root.
            words += ["-u", "nobody"]
        words += [f"127.0.0.1:{self.port}", "1000"]
        with self.counts.open("w") as out:
            self.child = children.start(words, cwd=folder, stdout=out)
        children.wait_for_port(self.port)
        self.pid = self.child.pid
        return self

    def stop(self):
        children.must_still_run(self.child, self.label)
        children.stop(self.child)
        # It writes `sess=1 quit=1 mesg=1` anew after each mail, over the last one.
        last = self.counts.read_text().replace("\r", "\n").split("mesg=")[-1]
        return int(last.split()[0]) if last.strip() else 0, None


SERVICES = """\
pickup unix n - n 1 1 pickup
qmgr unix n - n 300 1 qmgr
cleanup unix n - n - 0 cleanup
flush unix n - n - 0 flush
showq unix n - n - - showq
tlsmgr unix - - n - 1 tlsmgr
scache unix - - n - 1 scache
anvil unix - - n - 1 anvil
verify unix - - n - 1 verify
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A real Postfix in folders of its own: it queues each mail on disk, and throws it away afterwards."""

    is_one_process = False
    ca_file = None
    pid = None

    def __init__(self, chunking):
        self.chunking = chunking
        self.label = "Postfix, CHUNKING" if chunking else "Postfix, PIPELINING only"

    def start(self, folder: Path):
        self.folder = folder / "postfix"
        self.port = children.free_port()
        for name in ["conf", "queue", "data"]:
            (self.folder / name).mkdir(parents=True)
        # Its daemons run as a user of their own and must get in.
        for path in [folder, self.folder]:
            path.chmod(0o755)
        self.as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        owner = pwd.getpwnam("postfix").pw_name
        subprocess.run([*self.as_root, "chown", owner, self.folder / "data"], check=True)
        (self.folder / "conf/main.cf").write_text(self.main_cf())
        (self.folder / "conf/master.cf").write_text(f"127.0.0.1:{self.port} inet n - n - - smtpd\n{SERVICES}")
        words = [*self.as_root, POSTFIX, "-c", self.folder / "conf", "start-fg"]
        quiet = subprocess.DEVNULL
        self.child = children.start(words, cwd=self.folder, stdout=quiet, stderr=quiet)
        children.wait_for_port(self.port)
        return self

    def main_cf(self):
        here = self.folder
        hidden = "" if self.chunking else "chunking, silent-discard"
        return (
            f"compatibility_level = 3.6\nqueue_directory = {here}/queue\ndata_directory = {here}/data\n"
            f"maillog_file = {here}/mail.log\nmaillog_file_prefixes = {here}\n"
            "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = mx.aurora-home.example\n"
            "mydestination =\nmynetworks = 127.0.0.0/8\nalias_maps =\nalias_database =\n"
            "default_transport = discard:\nlocal_transport = discard:\n"
            "smtpd_relay_restrictions = permit_mynetworks, reject\n"
            f"smtpd_discard_ehlo_keywords = {hidden}\n"
        )

    def stop(self):
        """Waits until everything queued is through: nothing may spill over into the next run."""
        log = self.folder / "mail.log"
        deadline = time.monotonic() + 120
        queued, through = -1, 0
        while queued != through and time.monotonic() < deadline:
            time.sleep(0.1)
            text = log.read_text()
            queued, through = text.count(" message-id=<"), text.count("status=sent")
        quiet = subprocess.DEVNULL
        stop = [*self.as_root, POSTFIX, "-c", self.folder / "conf", "stop"]
        subprocess.run(stop, stdout=quiet, stderr=quiet, check=False)
        children.stop(self.child)
        subprocess.run([*self.as_root, "rm", "-rf", self.folder], check=True)
        return through, None


class Behind:
    """A server at the other end of a slow link."""

    def __init__(self, tools, server, round_trip_ms):
        self.tools = tools
        self.server = server
        self.round_trip_ms = round_trip_ms
        self.label = f"{server.label}, {round_trip_ms} ms away"
        self.is_one_process = server.is_one_process

    def start(self, folder: Path):
        self.server.start(folder)
        words = [self.tools.peer("delay"), self.server.port, self.round_trip_ms]
        self.child = children.start(words, stdout=subprocess.PIPE)
        self.port = int(self.child.stdout.readline())
        self.pid = self.server.pid
        self.ca_file = self.server.ca_file
        return self

    def stop(self):
        was_there = self.child.poll() is None
        children.stop(self.child)
        counts = self.server.stop()
        if not was_there:
            raise Failed(f"the slow link ended by itself with {self.child.returncode}")
        return counts
