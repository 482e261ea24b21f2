"""Runs the sides of a row in turn, A B A B A B, so that their ratio holds while the machine's speed drifts."""

import shutil
import statistics
from dataclasses import dataclass, field

from children import Failed
from peers import Job
from servers import Sandbox

# Mails that tell how large a mail is.
SAMPLE = 10


@dataclass
class Side:
    """One sender and the server it sends to."""

    sender: object
    server: object
    # Octets of a mail on the wire; a function when another side's mail decides.
    octets: object
    target: float | None = None
    # What to call it in the table, when the sender's name does not tell the sides apart.
    label: str | None = None

    @property
    def name(self):
        return self.label or self.sender.name


@dataclass
class Row:
    """The first side is measured against each of the others."""

    name: str
    what: str
    connections: int
    sides: list
    is_slow: bool = False


@dataclass
class Plan:
    """How thorough to be."""

    rounds: int
    seconds: float
    is_quick: bool

    def timeout(self, expected):
        """Far more than a run needs; only a hang meets it."""
        return 60 + 10 * max(expected, self.seconds)


@dataclass
class Run:
    """One run, counted by the sender and by the server."""

    mails: int
    rate: float
    whole_rate: float
    client_cores: float | None
    server_cores: float | None
    machine_cores: float | None
    peak_mb: float


@dataclass
class Sizes:
    """What each sender has to be told so that its mails have a given size; found once."""

    tools: object
    known: dict = field(default_factory=dict)

    def sample(self, sender, filler):
        """Octets of a mail of this sender, as the sandbox counts them."""
        key = (sender.name, filler)
        if key not in self.known:
            folder = self.tools.folder()
            server = Sandbox(self.tools).start(folder)
            try:
                sender.send(Job(folder, server, 1, SAMPLE, filler, 60))
            finally:
                taken, octets = server.stop()
            shutil.rmtree(folder)
            if taken != SAMPLE:
                raise Failed(f"{sender.name} sent {taken} mails of {SAMPLE}")
            self.known[key] = octets / SAMPLE
        return self.known[key]

    def filler(self, sender, octets):
        """Two samples make a line; what it is told grows evenly with the mail."""
        low, high = 1500, octets // 2 + 2000
        small, large = self.sample(sender, low), self.sample(sender, high)
        found = round(low + (octets - small) * (high - low) / (large - small))
        met = self.sample(sender, found)
        if abs(met - octets) > octets * 0.02:
            raise Failed(f"{sender.name} makes mails of {met:.0f} octets instead of {octets}")
        return found


def once(tools, side, connections, mails, filler, timeout):
    """One run against a server of its own; the two must agree about the number of mails."""
    folder = tools.folder()
    (folder / "server").mkdir(mode=0o755)
    (folder / "client").mkdir()
    server = side.server().start(folder / "server")
    sent = None
    try:
        sent = side.sender.send(Job(folder / "client", server, connections, mails, filler, timeout))
    finally:
        taken, _ = server.stop()
    shutil.rmtree(folder)
    if not sent.mails == taken == mails:
        raise Failed(f"{side.name}: {mails} mails to send, {sent.mails} sent, {taken} taken by {server.label}")
    (client, served), machine = sent.command.meter.cores(sent.began, sent.ended)
    whole = mails / sent.command.seconds
    return Run(mails, sent.rate, whole, client, served, machine, sent.command.peak_mb)


def two_digits(count):
    """Counts that read well: 8300, not 8274."""
    return int(float(f"{max(count, 1):.2g}"))


def count_for(tools, row, side, filler, plan):
    """So many mails that a run takes about as long as planned, found by trying with few."""
    if plan.is_quick:
        return row.connections * 10 if row.is_slow else 300
    # Over a slow link it takes a second until everybody is connected; that must not weigh.
    wanted = plan.seconds * 2 if row.is_slow else plan.seconds
    mails = row.connections * 10
    while True:
        run = once(tools, side, row.connections, mails, filler, plan.timeout(plan.seconds))
        seconds = mails / run.rate
        if seconds > wanted / 3:
            return max(two_digits(mails * wanted / seconds), row.connections * 10)
        mails = two_digits(mails * min(20, wanted / max(seconds, 0.001)))


def measure(tools, sizes, row, plan, say):
    """The runs of each side, round by round."""
    told = []
    for side in row.sides:
        octets = side.octets(sizes) if callable(side.octets) else side.octets
        filler = 0 if octets is None else sizes.filler(side.sender, octets)
        mails = count_for(tools, row, side, filler, plan)
        told.append((side, filler, mails))
        say(f"  {side.name}: {mails:,} mails a run")
    runs = [[] for _ in told]
    for _ in range(plan.rounds):
        for number, (side, filler, mails) in enumerate(told):
            run = once(tools, side, row.connections, mails, filler, plan.timeout(plan.seconds))
            runs[number].append(run)
            say(f"  {side.name}: {run.rate:,.0f}/s")
    return runs


def ratios(ours, theirs):
    """One ratio for each round."""
    return [our.rate / their.rate for our, their in zip(ours, theirs)]


def median(runs, what):
    """The median of a property over runs, of those that have it."""
    values = [getattr(run, what) for run in runs if getattr(run, what) is not None]
    return statistics.median(values) if values else None
