"""Starts the real procsup-keeper as procsupd does, and takes procsupd's part.

A process makes itself a subreaper, clones the main process, lays out descriptors 3 and 4, blocks the signals and
executes the keeper. Nothing here sleeps.
"""
import collections
import ctypes
import errno
import os
import resource
import shutil
import signal
import socket
import struct
import sys
import tempfile
import unittest

from harness import Lines
from processes import PATIENCE, PR_SET_CHILD_SUBREAPER, Deadline, descendants, end_descendants, parents, wait_gone

PROGRAM = os.path.abspath(os.environ.get("PROCSUP_KEEPER") or shutil.which("procsup-keeper") or "procsup-keeper")
PROGRAMS = os.path.abspath(os.environ.get("PROCSUP_TEST_PROGRAMS", "."))

# daemon/keeper/protocol.h
SIGNAL_MAIN, SIGNAL_ALL, KILL_ALL, PAUSE, RESUME, ASK_AT_END, GO_ON_WITH = range(1, 8)
MAIN_ENDED, EMPTY, MAIN_AT_END, GOES_ON = range(1, 5)
ORDER = struct.Struct("=Ii")
REPORT = struct.Struct("=IiiIQQQIB3x")
Report = collections.namedtuple("Report", "kind code status orphans main_usec orphans_usec former_mains_usec former_mains empty")


def program(name):
    return os.path.join(PROGRAMS, name)


def proc(pid, name):
    with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
        return file.read()


def cpu_seconds(pid):
    fields = proc(pid, "stat").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Keeper:
    """A keeper, and its job whose standard output is `lines`.

    ended_first   the keeper is executed when the main process has ended
    full          the socket takes no report until drain()
    keeper_uid, keeper_program, keeper_memory   of the keeper alone, the last its RLIMIT_AS
    uid, limits   of the job, and {resource: limit}
    """

    def __init__(self, *command, ended_first=False, full=False, keeper_uid=None, keeper_program=PROGRAM,
                 keeper_memory=None, uid=None, limits=None):
        self.command = [command[0] if "/" in command[0] else program(command[0]), *command[1:]]
        self.program, self.memory, self.uid, self.limits = keeper_program, keeper_memory, uid, limits or {}
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(PATIENCE)
        self.filled = self.fill(theirs) if full else 0
        self.lock, lock = os.pipe()
        out, job_out = os.pipe()
        told, tell = os.pipe()
        self.lines = Lines(out)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self.become(theirs.fileno(), lock, job_out, tell, ended_first, keeper_uid)
            except BaseException as error:  # pylint: disable=broad-except
                print(f"cannot start the keeper: {error}", file=sys.stderr)
            finally:
                os._exit(99)
        theirs.close()
        for fd in (lock, job_out, tell):
            os.close(fd)
        with os.fdopen(told, "rb") as file:
            self.main = struct.unpack("i", file.read(4))[0]

    @staticmethod
    def fill(theirs):
        theirs.setblocking(False)
        count = 0
        try:
            while True:
                theirs.send(b"filler")
                count += 1
        except BlockingIOError:
            return count

    def become(self, theirs, lock, job_out, tell, ended_first, keeper_uid):
        os.setsid()
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        pid = os.fork()
        if pid == 0:
            self.become_job(job_out)
        if ended_first:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
        os.write(tell, struct.pack("i", pid))
        os.chdir("/")
        nothing = os.open("/dev/null", os.O_RDWR)
        nothing, theirs, lock = [os.dup2(fd, 100 + fd) for fd in (nothing, theirs, lock)]
        for source, target in ((nothing, 0), (nothing, 1), (theirs, 3), (lock, 4)):
            os.dup2(source, target)
        os.closerange(5, 300)
        if keeper_uid is not None:
            os.setuid(keeper_uid)
        arguments = [self.program, ["procsup-keeper", "test", str(pid)], {}]
        if self.memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (self.memory, self.memory))
        os.execve(*arguments)

    def become_job(self, job_out):
        try:
            os.setsid()
            for number in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.dup2(os.open("/dev/null", os.O_RDWR), 0)
            os.dup2(job_out, 1)
            os.closerange(3, 300)
            for which, value in self.limits.items():
                resource.setrlimit(which, (value, value))
            if self.uid is not None:
                os.setgroups([])
                os.setgid(self.uid)
                os.setuid(self.uid)
            os.execv(self.command[0], self.command)
        finally:
            os._exit(98)

    def order(self, op, number=0):
        self.socket.send(ORDER.pack(op, number))

    def go_on_with(self, pid, handle):
        socket.send_fds(self.socket, [ORDER.pack(GO_ON_WITH, pid)], [handle])

    def drain(self):
        for _ in range(self.filled):
            assert self.socket.recv(100) == b"filler"

    def report(self, seconds=PATIENCE):
        if not Deadline(seconds).readable(self.socket.fileno()):
            raise AssertionError(f"no report within {seconds} s; below the keeper: {descendants(self.pid)}")
        data = self.socket.recv(1000)
        if not data:
            raise EOFError("the keeper has ended")
        return Report(*REPORT.unpack(data))

    def end(self, seconds=PATIENCE):
        """The keeper's exit code; its descriptors are closed with it."""
        if not wait_gone(self.pid, seconds):
            raise AssertionError(f"the keeper still runs after {seconds} s; below it: {descendants(self.pid)}")
        status = os.waitpid(self.pid, 0)[1]
        self.pid = None
        assert os.read(self.lock, 1) == b"", "descriptor 4 is open without its keeper"
        return os.waitstatus_to_exitcode(status)

    def tree(self):
        """{pid: state} of all processes of the job."""
        table = descendants(self.pid)
        return {pid: text[0] for pid, text in table.items()}

    def wait_states(self, states):
        """Waits until every process of the job is in one of the states."""
        deadline = Deadline()
        while not set(self.tree().values()) <= set(states):
            if not deadline.left():
                raise AssertionError(f"not all in {states}: {self.tree()}")
            deadline.readable(self.socket.fileno(), pause=0.005)

    def wait_sleeping(self):
        """Waits until the keeper is executed, and sleeps."""
        deadline = Deadline()
        while not proc(self.pid, "stat").startswith(f"{self.pid} (procsup-keeper) S"):
            assert deadline.left(), "the keeper does not sleep"
            deadline.readable(pause=0.005)

    def wait_collected(self, pid):
        """Whether the keeper has collected the process in time; not even a zombie is left then."""
        deadline = Deadline()
        while deadline.left() and pid in parents():
            deadline.readable(pause=0.005)
        return pid not in parents()

    def close(self):
        for end in (self.socket.close, lambda: os.close(self.lock), lambda: os.close(self.lines.fd)):
            try:
                end()
            except OSError as error:
                assert error.errno == errno.EBADF


class KeeperTest(unittest.TestCase):
    """Every keeper of a test must have ended with it, and nothing may be left."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="psk-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.addCleanup(self.look_for_leftovers)

    def look_for_leftovers(self):
        self.assertEqual({}, end_descendants())

    def keep(self, *command, **options):
        keeper = Keeper(*command, **options)
        self.addCleanup(keeper.close)
        return keeper

    def expect(self, report, **fields):
        self.assertEqual(fields, {name: getattr(report, name) for name in fields}, report)

    def expect_end(self, keeper):
        """The keeper ends by itself, with success."""
        self.assertEqual(0, keeper.end())

    def expect_all_killed(self, keeper):
        """Until the last report; returns it."""
        report = keeper.report()
        self.expect(report, kind=MAIN_ENDED, code=os.CLD_KILLED, status=signal.SIGKILL)
        if not report.empty:
            report = keeper.report()
            self.expect(report, kind=EMPTY, empty=1)
        self.expect_end(keeper)
        return report
