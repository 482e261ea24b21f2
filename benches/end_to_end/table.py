"""One table of ratios, for the screen and for docs/performance.md."""

import statistics
from dataclasses import dataclass

import measure

BEGINS = "<!-- scripts/bench writes from here … -->"
ENDS = "<!-- … to here -->"

HEADER = ["row", "what", "against", "ratio (min–max)", "target", "mailshot", "reference", "cores: client + server (machine)"]


@dataclass
class Line:
    """A row of the table."""

    row: str
    what: str
    against: str
    ratios: list
    target: float | None
    ours: str
    theirs: str
    cores: str = ""
    # When a small ratio is the good one, as for memory.
    is_ceiling: bool = False

    def is_met(self):
        """Whether the median meets the target; none without one."""
        if self.target is None or not self.ratios:
            return None
        # What is shown is what counts: 0.998 is the noise of a tie.
        median = float(number(statistics.median(self.ratios)))
        return median <= self.target if self.is_ceiling else median >= self.target

    def cells(self):
        ratio = "–"
        if self.ratios:
            median, low, high = statistics.median(self.ratios), min(self.ratios), max(self.ratios)
            ratio = f"{number(median)} ({number(low)}–{number(high)})"
        target = ""
        if self.target is not None:
            verdict = {True: " ✓", False: " ✗", None: ""}[self.is_met()]
            target = f"{'≤' if self.is_ceiling else '≥'} {self.target:g}{verdict}"
        return [self.row, self.what, self.against, ratio, target, self.ours, self.theirs, self.cores]


def number(value):
    """Three digits, as far as they say something."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cores(runs):
    """Cores that client and server used, and all of the machine: who is at the limit."""
    client, server, machine = (
        measure.median(runs, what) for what in ("client_cores", "server_cores", "machine_cores")
    )
    shown = [f"{value:.1f}" if value is not None else "?" for value in (client, server, machine)]
    return f"{shown[0]} + {shown[1]} ({shown[2]})"


def per_second(value):
    """A rate in a few digits."""
    return f"{value:,.0f}/s" if value >= 100 else f"{value:.1f}/s"


def rate(runs, with_whole=False):
    """Mails in a second, and how many a run had."""
    shown = per_second(measure.median(runs, "rate"))
    if with_whole:
        shown += f" (whole command {per_second(measure.median(runs, 'whole_rate'))})"
    return f"{shown}, {runs[0].mails:,} mails"


def lines(row, runs):
    """A line for each side that the first one is measured against."""
    found = []
    for number_of, side in enumerate(row.sides[1:], 1):
        ours, theirs = runs[0], runs[number_of]
        is_mailshot = side.sender.name.startswith("mailshot")
        found.append(
            Line(
                row.name, row.what, side.name, measure.ratios(ours, theirs), side.target,
                rate(ours, True), rate(theirs, is_mailshot), f"{cores(ours)}; {cores(theirs)}",
            )
        )
    return found


def markdown(all_lines):
    rows = [HEADER, ["---"] * len(HEADER), *(line.cells() for line in all_lines)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def plain(all_lines):
    """The same for a terminal, in columns."""
    rows = [HEADER, *(line.cells() for line in all_lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def write(path, machine, all_lines):
    """Replaces the marked block of the document, and nothing else."""
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGINS)
    _, after = rest.split(ENDS)
    block = "\n".join(["", "", *machine, "", markdown(all_lines), "", ""])
    path.write_text(f"{before}{BEGINS}{block.rstrip()}\n\n{ENDS}{after}", encoding="utf-8")
