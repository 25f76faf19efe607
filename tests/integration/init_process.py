"""Starts the real procsup-init, and looks at what it runs."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from harness import Fifo
from processes import PATIENCE, Deadline, end_descendants

PROGRAM = os.path.abspath(os.environ.get("PROCSUP_INIT") or shutil.which("procsup-init") or "procsup-init")
PROGRAMS = os.path.abspath(os.environ.get("PROCSUP_TEST_PROGRAMS", "."))
SIGNALS = [number for number in range(1, signal.SIGRTMAX + 1) if number not in (32, 33)]
STOPPING = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
HARMLESS = {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}


def program(name):
    return os.path.join(PROGRAMS, name)


def field(pid, name):
    """Of /proc/PID/status; None once the process has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith(name + ":")), None)
    except (FileNotFoundError, ProcessLookupError):
        return None


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def has_begun(pid):
    """Whether it has made its first system call. While it waits for a signal, /proc does not show what it blocks."""
    blocked = field(pid, "SigBlk")
    return blocked is None or int(blocked, 16) & 1 << (signal.SIGTERM - 1) != 0 or bool(children(pid))


class InitTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="psinit-")
        self.addCleanup(self.dir.cleanup)
        self.addCleanup(lambda: self.assertEqual({}, end_descendants(), "something was left"))

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def fifo(self, name="fifo"):
        fifo = Fifo(self.path(name))
        self.addCleanup(os.close, fifo.fd)
        return fifo

    def popen(self, *words, **more):
        process = subprocess.Popen([PROGRAM, *words], **more)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        return process

    def run_init(self, *words, **more):
        more.setdefault("timeout", PATIENCE)
        return subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False, **more)

    def await_true(self, what, condition):
        """Without a descriptor to wait for: looks again and again."""
        deadline = Deadline()
        while not condition():
            if not deadline.left():
                self.fail(f"not in time: {what}")
            deadline.readable(pause=0.002)


def as_process_1(*words):
    """The command line of procsup-init as process 1 of a PID namespace; what starts it passes its end on."""
    return ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--", PROGRAM, *words]


def pid_of_process_1(process):
    """Of what as_process_1() names: the only child of unshare(1), by the number that it has here."""
    deadline = Deadline()
    while not children(process.pid):
        if not deadline.left() or process.poll() is not None:
            print("unshare(1) has no child", file=sys.stderr)
            return None
        deadline.readable(pause=0.001)
    return children(process.pid)[0]
