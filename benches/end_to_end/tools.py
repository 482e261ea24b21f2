"""Where the programs are, which versions they have, and the lists that runs share."""

import json
import os
import platform
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import mails
from servers import POSTFIX


@dataclass
class List:
    """A list on disk, written once for all runs that have so many recipients."""

    path: Path

    def put(self, at: Path):
        os.link(self.path, at)


@dataclass
class Tools:
    """The programs under test, and a folder for what they leave behind."""

    mailshot: Path
    # The same, built so that it keeps no record.
    unrecorded: Path
    peers: Path
    cache: Path
    temp: Path
    lists: dict = field(default_factory=dict)

    @property
    def python(self):
        return self.cache / "venv/bin/python"

    def peer(self, name):
        return self.peers / name

    def list_of(self, rows, has_items=False):
        key = (rows, has_items)
        if key not in self.lists:
            path = self.temp / f"list-{rows}-{int(has_items)}.csv"
            mails.write_list(path, rows, has_items)
            self.lists[key] = List(path)
        return self.lists[key]

    def folder(self):
        """A new folder that other users may enter: Postfix has users of its own."""
        folder = Path(tempfile.mkdtemp(dir=self.temp))
        folder.chmod(0o755)
        return folder


def output(*words):
    """What a command says, in one line."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    return " ".join((done.stdout or done.stderr).split())


def locked_version(lock, package):
    """The version of a package in a Cargo.lock."""
    lines = iter(lock.read_text().splitlines())
    for line in lines:
        if line == f'name = "{package}"':
            return next(lines).split('"')[1]
    return "?"


def cpu_model():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def syncs_per_second(folder):
    """Writes of 4 KB that reach the disk in a second, one after the other: what a ledger lives on."""
    path = folder / "sync"
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    began = time.monotonic()
    count = 0
    while time.monotonic() - began < 1:
        os.pwrite(file, b"x" * 4096, count * 4096)
        os.fdatasync(file)
        count += 1
    os.close(file)
    path.unlink()
    return count


def describe(tools, root):
    """The machine and the versions, as lines of Markdown."""
    memory_kb = int(Path("/proc/meminfo").read_text().split()[1])
    filesystem = output("stat", "-f", "-c", "%T", tools.temp)
    python = output(tools.python, "--version").split()[-1]
    asked = "import importlib.metadata as m; print(m.version('mailmerge'), m.version('jinja2'))"
    mailmerge, jinja = output(tools.python, "-c", asked).split()
    nodemailer = json.loads((tools.cache / "node_modules/nodemailer/package.json").read_text())["version"]
    lock = root / "benches/peers/Cargo.lock"
    commit = output("git", "-C", root, "describe", "--always", "--dirty")
    probe = json.loads(output(tools.peer("delay"), "--probe", "50"))
    return [
        f"* {date.today()}; {cpu_model()}, {os.cpu_count()} cores, {memory_kb / 1048576:.0f} GB; "
        f"{platform.system()} {platform.release()}.",
        f"* Ledgers and queues on {filesystem}: {syncs_per_second(tools.temp):,} synchronous writes of 4 KB a second.",
        f"* {output(tools.mailshot, '--version')} (commit {commit}), {output('rustc', '--version')}, release build.",
        f"* Postfix {output(Path(POSTFIX).parent / 'postconf', '-h', 'mail_version')} "
        "(`smtp-source`, `smtp-sink`, `smtpd`); "
        f"Python {python} with mailmerge {mailmerge} and Jinja {jinja}; "
        f"Node {output('node', '--version')} with nodemailer {nodemailer}; "
        f"lettre {locked_version(lock, 'lettre')}; csv {locked_version(lock, 'csv')}.",
        f"* The slow link by itself: a round trip of 50 ms takes {probe['echo_ms']:.1f} ms; one connection carries "
        f"{probe['bulk_mb_per_s']:,} MB/s.",
    ]
