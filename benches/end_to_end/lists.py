"""Rows about large lists: how fast they are read, and that a mail costs the same however many there are."""

import shutil
import sqlite3
import statistics

import children
from children import Failed
from peers import Job, Mailshot
from servers import Sandbox
from table import Line

NAMES = ("list",)
LONG_NAMES = ("long",)


def started(tools, sizes, mails, connections):
    """A workspace with so many recipients, and the server it sends to."""
    sender = Mailshot(tools)
    filler = sizes.filler(sender, 10_000)
    folder = tools.folder()
    server = Sandbox(tools).start(folder)
    job = Job(folder, server, connections, mails, filler, 0)
    sender.workspace(job)
    return job


def enrolment_seconds(folder):
    """From the campaign's own line, written when everything is checked, to the first intent: everybody is on record."""
    ledger = sqlite3.connect(folder / ".mailshot/ledger.db")
    sql = "SELECT min(began_at_ms) - (SELECT created_at_ms FROM campaign) FROM attempt"
    (milliseconds,) = ledger.execute(sql).fetchone()
    ledger.close()
    return milliseconds / 1000


def list_once(tools, sizes, mails):
    """Seconds to parse the list, to check and enrol it, and to enrol it alone."""
    job = started(tools, sizes, mails, 1)
    try:
        parse = children.run([tools.peer("csv-parse"), job.folder / "list.csv"], job.folder, 600)
        if int(parse.output) != mails:
            raise Failed(f"the csv crate counts {parse.output} rows, not {mails}")
        words = [tools.mailshot, "send", "bench", "--yes", "--quiet", "--limit", "1"]
        # Exit code 75: the other mails wait.
        whole = children.run(words, job.folder, 1200, expected=75)
        enrolment = enrolment_seconds(job.folder)
        megabytes = (job.folder / "list.csv").stat().st_size / 1e6
    finally:
        job.server.stop()
        shutil.rmtree(job.folder)
    return parse.seconds, whole.seconds, enrolment, megabytes


def list_row(tools, sizes, plan, say):
    """Checking and enrolling, against reading the list and doing nothing with it."""
    mails = 20_000 if plan.is_quick else 1_000_000
    rounds = []
    for _ in range(plan.rounds):
        rounds.append(list_once(tools, sizes, mails))
        say("  parse {0:.2f} s, check and enrol {1:.1f} s, enrol alone {2:.2f} s".format(*rounds[-1]))
    parse, whole, enrolment = (statistics.median(times) for times in list(zip(*rounds))[:3])
    what = f"{mails:,} rows, {rounds[0][3]:.0f} MB, 10 KB mails:"
    return [
        Line(
            "list", f"{what} check (makes every mail) and enrol", "csv crate, parse alone",
            [one[0] / one[1] for one in rounds], 0.1, f"{whole:.1f} s", f"{parse:.2f} s",
        ),
        Line(
            "list", f"{what} enrol alone", "csv crate, parse alone",
            [one[0] / max(one[2], 0.001) for one in rounds], 0.2, f"{enrolment:.2f} s", f"{parse:.2f} s",
        ),
    ]


def rate_between(ledger, first, last):
    """Mails in a second among those from one to the other, in the order in which they are sent: that of the list."""
    sql = """SELECT count(*), min(began_at_ms), max(ended_at_ms) FROM attempt
             WHERE (delivery_id & 0xffffffff) BETWEEN ? AND ?"""
    count, began_ms, ended_ms = ledger.execute(sql, (first, last)).fetchone()
    return count * 1000 / (ended_ms - began_ms)


def long_once(tools, sizes, mails, few):
    """Rates of the first few and of the second half, and the peak of memory."""
    job = started(tools, sizes, mails, 10)
    taken = 0
    try:
        command = children.run([tools.mailshot, "send", "bench", "--yes", "--quiet"], job.folder, 7200)
        ledger = sqlite3.connect(job.folder / ".mailshot/ledger.db")
        early, late = rate_between(ledger, 1, few), rate_between(ledger, mails // 2 + 1, mails)
        ledger.close()
    finally:
        taken, _ = job.server.stop()
        shutil.rmtree(job.folder)
    if taken != mails:
        raise Failed(f"{taken} mails taken of {mails}")
    return early, late, command.peak_mb


def long_row(tools, sizes, plan, say):
    """A mail costs the same at the end of a long list, and so does the memory."""
    few, many = (500, 5_000) if plan.is_quick else (10_000, 1_000_000)
    _, _, small_mb = long_once(tools, sizes, few, few)
    say(f"  {few:,} recipients: {small_mb:.0f} MB at most")
    early, late, large_mb = long_once(tools, sizes, many, few)
    say(f"  {many:,} recipients: {early:,.0f}/s, then {late:,.0f}/s; {large_mb:.0f} MB at most")
    what = f"10 KB, discarding sandbox, 10 connections, {many:,} recipients:"
    return [
        Line(
            "long", f"{what} rate of the second half", f"the first {few:,} mails",
            [late / early], 0.95, f"{late:,.0f}/s", f"{early:,.0f}/s",
        ),
        Line(
            "long", f"{what} memory at most", f"a list of {few:,}",
            [large_mb / small_mb], 1.2, f"{large_mb:.0f} MB", f"{small_mb:.0f} MB", is_ceiling=True,
        ),
    ]


ROWS = {"list": list_row, "long": long_row}
