"""Measures mailshot against its peers, end to end. Started by scripts/bench, which builds and installs what it needs."""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import children
import lists
import measure
import rows
import table
import tools as programs

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/performance.md"


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="only these rows; `matrix` for all peers; see --list")
    parser.add_argument("--quick", action="store_true", help="each row once, with few mails: does everything work?")
    parser.add_argument("--list", action="store_true", help="name the rows")
    parser.add_argument("--rounds", type=int, default=3, help="rounds a row; the median counts")
    parser.add_argument("--seconds", type=float, default=5, help="how long a run should take, about")
    for name in ("mailshot", "unrecorded", "peers", "cache"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=argparse.SUPPRESS)
    # On a disk: a ledger in memory would cost nothing. /tmp is memory on many machines.
    parser.add_argument("--temp", type=Path, default=Path("/var/tmp"), help="where ledgers and queues are")
    return parser.parse_args()


def chosen(known, default, words):
    """The names of the rows to run."""
    if not words:
        return default
    names = []
    for word in words:
        found = known.get(word)
        if found is None:
            sys.exit(f"no row `{word}`; there are: {' '.join(known)}")
        names += found
    return names


def run(tools, asked, plan):
    """Runs the rows, prints the table, and writes it down if it is complete."""
    default_rows, matrix_rows = rows.default_rows(tools), rows.matrix_rows(tools)
    by_name = {row.name: row for row in default_rows + matrix_rows}
    default = [row.name for row in default_rows] + list(lists.NAMES)
    known = {name: [name] for name in [*by_name, *lists.ROWS]} | {"matrix": [row.name for row in matrix_rows]}
    if asked.list:
        print(" ".join(default), "\nonly when named:", " ".join(name for name in known if name not in default))
        return 0
    # Before the disk is busy.
    machine = programs.describe(tools, ROOT)
    sizes = measure.Sizes(tools)
    all_lines, failed = [], []
    for name in chosen(known, default, asked.rows):
        say(f"{name}:")
        try:
            if name in by_name:
                row = by_name[name]
                all_lines += table.lines(row, measure.measure(tools, sizes, row, plan, say))
            else:
                all_lines += lists.ROWS[name](tools, sizes, plan, say)
        except children.Failed as failure:
            failed.append(name)
            say(f"  failed: {failure}")
    print("\n".join(["", *machine, "", table.plain(all_lines)]), flush=True)
    if failed:
        say(f"failed: {' '.join(failed)}")
        return 1
    if not asked.rows and not plan.is_quick:
        table.write(DOCUMENT, machine, all_lines)
        say(f"written to {DOCUMENT.relative_to(ROOT)}")
    return 0


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    asked = arguments()
    children.raise_file_limit()
    # Ends by an exception, so that servers are stopped and folders removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    temp = Path(tempfile.mkdtemp(prefix="mailshot-bench-", dir=asked.temp))
    temp.chmod(0o755)
    began = time.monotonic()
    try:
        places = (asked.mailshot, asked.unrecorded, asked.peers, asked.cache)
        tools = programs.Tools(*(place.resolve() for place in places), temp)
        plan = measure.Plan(1 if asked.quick else asked.rounds, asked.seconds, asked.quick)
        code = run(tools, asked, plan)
    except KeyboardInterrupt:
        code = 130
    finally:
        shutil.rmtree(temp, ignore_errors=True)
    say(f"{time.monotonic() - began:.0f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
