"""Starts the real procsup-probe, and takes the parts of procsupd and of what is probed."""
import concurrent.futures
import ctypes
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

from harness import ROOT, Lines
from hostile import works
from processes import PATIENCE, Deadline, end_descendants

PROGRAM = os.path.abspath(os.environ.get("PROCSUP_PROBE") or shutil.which("procsup-probe") or "procsup-probe")
PROGRAMS = os.path.abspath(os.environ.get("PROCSUP_TEST_PROGRAMS", "."))
CLONE_NEWNET = 0x40000000
NETWORKS = ROOT and works("unshare", "--net", "ip", "link", "set", "lo", "up")
NEVER = str(24 * 60 * 60 * 1000)  # an interval or a timeout that does not end within a test


def program(name):
    return os.path.join(PROGRAMS, name)


def in_own_network(work, **settings):
    """What `work` does in a network namespace of its own, with sockets and programs that it makes there."""
    def run():
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for name, value in settings.items():
            with open(f"/proc/sys/net/{name.replace('__', '/')}", "w", encoding="ascii") as file:
                file.write(value)
        return work()
    with concurrent.futures.ThreadPoolExecutor(1) as thread:  # which alone is there
        return thread.submit(run).result()


class Probe:
    """One that runs, and what it reports."""

    def __init__(self, words, prefix=(), report_fd=None, pass_fds=(), **more):
        out, inside = os.pipe()
        fd = inside if report_fd is None else report_fd
        options = ["--report", str(fd)] if fd >= 0 else []
        self.process = subprocess.Popen([*prefix, PROGRAM, *options, *words], pass_fds=(*pass_fds, *map(int, options[1:])),
                                        text=True, stderr=subprocess.PIPE, **more)
        os.close(inside)
        self.pid = self.process.pid
        self.reports = Lines(out)

    def end(self):
        """(exit code, standard error), when it ends by itself."""
        errors = self.process.communicate(timeout=PATIENCE)[1]
        return self.process.returncode, errors

    def terminate(self):
        self.process.terminate()
        return self.end()

    def is_asleep(self):
        """In ppoll(2), so that all it does at the beginning is done."""
        with open(f"/proc/{self.pid}/syscall", encoding="ascii") as file:
            return file.read().split()[0] in ("271", "73")  # of x86-64 and arm64

    def rest_of_reports(self):
        lines = []
        try:
            while True:
                lines.append(self.reports.next())
        except EOFError:
            return lines

    def close(self):
        """Not by SIGKILL, which would leave what a command has left."""
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.process.stderr.close()
        os.close(self.reports.fd)


class Peer:
    """Listens, and has `serve` do what it likes with each connection, one after the other; or keeps the first."""

    def __init__(self, serve=None, *, family=socket.AF_INET, place=None, kind=socket.SOCK_STREAM):
        self.socket = socket.socket(family, kind)
        if family == socket.AF_UNIX:
            self.socket.bind(place)
        else:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", place or 0))
            self.port = str(self.socket.getsockname()[1])
        self.socket.listen()
        self.served = threading.Semaphore(0)
        self.serve = serve or self.keep
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            with connection:
                try:
                    self.serve(connection)
                except OSError:
                    pass  # the probe is free to go at any time
            self.served.release()

    def await_served(self, count=1):
        for _ in range(count):
            if not self.served.acquire(timeout=PATIENCE):  # pylint: disable=consider-using-with
                raise AssertionError("nobody has asked")

    def keep(self, _connection):
        self.ending.wait(PATIENCE)

    def close(self):
        self.ending.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


class ProbeTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="psprobe-")
        os.chmod(self.dir.name, 0o755)
        self.addCleanup(self.dir.cleanup)
        self.addCleanup(lambda: self.assertEqual({}, end_descendants(), "something was left"))

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def write(self, name, text, mode=0o755):
        """At once, as it may be in use."""
        path = self.path(name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path + ".new", mode)
        os.rename(path + ".new", path)
        return path

    def public_program(self):
        """One that every user can reach."""
        path = self.path("procsup-probe")
        shutil.copy(PROGRAM, path)
        return path

    def probe(self, *words, **more):
        probe = Probe(words, **more)
        self.addCleanup(probe.close)
        return probe

    def peer(self, *arguments, **more):
        peer = Peer(*arguments, **more)
        self.addCleanup(peer.close)
        return peer

    def assert_ready(self, probe):
        self.assertEqual((0, ""), probe.end())

    def assert_says(self, text, probe):
        """Reported at once, and as the last words."""
        self.assertEqual(text, probe.reports.next())
        self.assertEqual((1, text + "\n"), probe.terminate())

    def await_asleep(self, probe):
        self.await_true("it waits", probe.is_asleep)

    def await_true(self, what, condition):
        """Without a descriptor to wait for: looks again and again."""
        deadline = Deadline()
        while not condition():
            if not deadline.left():
                self.fail(f"not in time: {what}")
            deadline.readable(pause=0.002)
