"""Child processes that never outlive us, and what they cost."""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Failed(Exception):
    """A command that did not do what it was started for."""


def die_with_parent():
    """Runs in the child: even a killed driver leaves nothing behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(words, **options):
    """Starts a command as a child that ends with us."""
    words = [str(word) for word in words]
    return subprocess.Popen(words, preexec_fn=die_with_parent, text=True, **options)


def stop(child, how=signal.SIGTERM, patience=10):
    """Ends a child and waits for it."""
    if child.poll() is None:
        child.send_signal(how)
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def must_still_run(child, what):
    """A server that is gone before it is stopped explains what its clients say."""
    if child.poll() is not None:
        raise Failed(f"{what} ended by itself with {child.returncode}")


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port, patience=20):
    """Waits until somebody listens."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Failed(f"nobody listens on port {port}")


def cpu_seconds(pid):
    """What a process has used so far; nothing when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / TICKS


def machine_seconds():
    """What all processes of the machine have used so far."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    idle = fields[3] + fields[4]
    return (sum(fields[:8]) - idle) / TICKS


class Meter:
    """Notes every tenth of a second how much the client, the server and the machine have used."""

    def __init__(self, pids):
        self.pids = pids
        self.notes = []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.note()
        self.is_over.set()
        self.thread.join()

    def watch(self):
        while True:
            self.note()
            if self.is_over.wait(0.1):
                return

    def note(self):
        self.notes.append((time.time(), [cpu_seconds(pid) for pid in self.pids], machine_seconds()))

    def cores(self, began, ended):
        """Cores used between two times: by each process (None if it is not one), and by the whole machine."""
        inside = [note for note in self.notes if began - 0.1 <= note[0] <= ended + 0.1]
        inside = [note for note in inside if note[1][0] is not None] or inside
        if len(inside) < 2 or inside[-1][0] <= inside[0][0]:
            return [None] * len(self.pids), None
        (first, first_uses, first_machine), (last, last_uses, last_machine) = inside[0], inside[-1]
        span = last - first
        each = [
            None if before is None or after is None else (after - before) / span
            for before, after in zip(first_uses, last_uses)
        ]
        return each, (last_machine - first_machine) / span


@dataclass
class Ended:
    """How a command went."""

    began: float
    ended: float
    peak_mb: float
    meter: Meter
    output: str

    @property
    def seconds(self):
        return self.ended - self.began


def run(words, folder: Path, timeout, server_pid=None, env=None, expected=0):
    """Runs a command to its end; its output goes through files, so that no pipe fills up."""
    out = folder / "stdout"
    err = folder / "stderr"
    with out.open("w") as stdout, err.open("w") as stderr:
        began = time.time()
        child = start(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=env)
        alarm = threading.Timer(timeout, child.kill)
        alarm.start()
        try:
            with Meter([child.pid, server_pid]) as meter:
                _, status, usage = os.wait4(child.pid, 0)
                ended = time.time()
                child.returncode = os.waitstatus_to_exitcode(status)
        finally:
            alarm.cancel()
            stop(child)
    if child.returncode != expected:
        tail = err.read_text(errors="replace")[-2000:] or out.read_text(errors="replace")[-2000:]
        raise Failed(f"{' '.join(map(str, words))}\nended with {child.returncode} after {ended - began:.0f} s:\n{tail}")
    return Ended(began, ended, usage.ru_maxrss / 1024, meter, out.read_text(errors="replace"))


def raise_file_limit():
    """As many open files as we may have: fifty connections, twice, through a proxy."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
