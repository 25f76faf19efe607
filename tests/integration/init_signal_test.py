"""procsup-init: signals are handed on, and none is lost; storms of them and of orphans."""
import ctypes
import os
import random
import resource
import signal
import subprocess
import time
import unittest

from harness import ROOT
from init_process import (PROGRAM, SIGNALS, STOPPING, InitTest, as_process_1, children, field, has_begun, pid_of_process_1,
                          program)
from processes import SCALE, Deadline

LIBC = ctypes.CDLL(None, use_errno=True)
TRIES = 2000
MILLISECONDS = 6


def queue_signal(pid, number, value):
    """Whether there was room for it (sigqueue(3))."""
    if LIBC.sigqueue(pid, number, ctypes.c_void_p(value)) == 0:
        return True
    if ctypes.get_errno() != 11:  # EAGAIN
        raise OSError(ctypes.get_errno(), "sigqueue")
    return False


class Forwarding(InitTest):
    def start(self, *options, count=0, where="group"):
        fifo = self.fifo()
        process = self.popen(*options, "--", program("report_signals"), fifo.path, str(count), where)
        for _ in range(1 + count):
            self.assertEqual("up", fifo.next())
        return process, fifo

    def test_hands_every_signal_on(self):
        """Of those that can be caught; SIGCHLD is procsup-init's own, SIGCONT not reported, SIGTERM ends the program."""
        process, fifo = self.start()
        numbers = set(SIGNALS) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGCONT, signal.SIGTERM}
        for number in sorted(numbers):
            process.send_signal(number)
            self.assertEqual(f"main {number}", fifo.next())
        process.terminate()
        self.assertEqual(f"main {signal.SIGTERM:d}", fifo.next())
        self.assertEqual(0, process.wait())

    def test_hands_every_deadly_signal_on(self):
        for number in SIGNALS:
            if number in STOPPING | {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGKILL}:
                continue
            process = self.popen("--", "sleep", "1000", preexec_fn=self.without_core)
            self.await_true("its first system call", lambda pid=process.pid: has_begun(pid))
            process.send_signal(number)
            self.assertEqual(128 + number, process.wait())

    @staticmethod
    def without_core():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def test_goes_to_the_command_alone_or_to_its_group(self):
        for options, expected in (((), {"main 10"}), (("-g",), {"main 10", "child 10"})):
            process, fifo = self.start(*options, count=1)
            process.send_signal(10)
            self.assertEqual(expected, {fifo.next() for _ in expected})
            os.killpg(children(process.pid)[0], signal.SIGTERM)
            process.wait()
            for _ in range(2):
                fifo.next()
            self.doCleanups()
            self.setUp()

    def test_tells_once_when_the_command_may_not_be_signalled(self):
        if not ROOT:
            self.skipTest("needs root")
        fifo = self.fifo()
        words = ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=+setuid", "--ambient-caps=+setuid", PROGRAM, "--",
                 "setpriv", "--reuid=12345", "sh", "-c", f"echo up > {fifo.path}; exec sleep 2"]
        os.chmod(self.dir.name, 0o755)
        process = subprocess.Popen(words, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        fifo.next()
        process.send_signal(signal.SIGUSR1)
        process.send_signal(signal.SIGUSR2)
        _, errors = process.communicate()
        self.assertEqual(0, process.returncode, errors)
        self.assertRegex(errors.decode(), r"^procsup-init: cannot send signal 1[02] to 'setpriv', which runs as another user: "
                                          r"no more is said about it\n$")


class Early(InitTest):
    """SIGTERM at any instant ends it, as soon as it has made its first system call by way of the command."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(7)

    def wait_some_microseconds(self, longest_us):
        until = time.monotonic_ns() + self.random.randrange(longest_us * 1000)
        while time.monotonic_ns() < until:
            pass

    def test_sigterm_is_not_lost_in_the_first_milliseconds(self):
        tries = int(TRIES / SCALE)
        codes = {}
        for _ in range(tries):
            pid = os.posix_spawn(PROGRAM, [PROGRAM, "--", "sleep", "1000"], os.environ)
            self.wait_some_microseconds(MILLISECONDS * 1000)
            os.kill(pid, signal.SIGTERM)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            codes[code] = codes.get(code, 0) + 1
        # Before its first system call the signal is that of any program: it ends it.
        self.assertEqual(tries, codes.get(143, 0) + codes.get(-signal.SIGTERM, 0), codes)
        self.assertGreater(codes.get(143, 0), tries / 2, codes)

    def test_sigterm_is_not_lost_by_process_1(self):
        """The kernel drops what process 1 has not blocked."""
        if not ROOT:
            self.skipTest("needs root")
        codes = {}
        for _ in range(int(TRIES / 10 / SCALE)):
            process = subprocess.Popen(as_process_1("--", "sleep", "1000"))
            pid = pid_of_process_1(process)
            deadline = Deadline()
            while not has_begun(pid) or not self.is_init(pid):
                self.assertTrue(deadline.left())
            self.wait_some_microseconds(MILLISECONDS * 1000)
            os.kill(pid, signal.SIGTERM)
            code = process.wait()
            codes[code] = codes.get(code, 0) + 1
        self.assertEqual({143}, set(codes), codes)

    @staticmethod
    def is_init(pid):
        try:
            return os.readlink(f"/proc/{pid}/exe") == os.path.realpath(PROGRAM)
        except (FileNotFoundError, ProcessLookupError):
            return True


class Storm(InitTest):
    def count_signals(self, count, queue=None):
        """`queue`: how many signals may wait for it."""
        def limit():
            if queue is not None:
                resource.setrlimit(resource.RLIMIT_SIGPENDING, (queue, queue))

        fifo = self.fifo()
        process = self.popen("--", program("count_signals"), fifo.path, str(count), preexec_fn=limit)
        self.assertEqual("up", fifo.next())
        return process, fifo

    def send(self, process, count, when_full=lambda: None):
        deadline = Deadline()
        for value in range(count):
            while not queue_signal(process.pid, signal.SIGRTMIN + 1, value):
                self.assertTrue(deadline.left(), f"{value} signals sent")
                when_full()

    def test_of_signals_arrives_whole_and_in_order(self):
        count = int(50000 / SCALE)
        process, fifo = self.count_signals(count)
        self.send(process, count)
        self.assertEqual(f"count {count} in order", fifo.next())
        self.assertEqual(0, process.wait())

    def test_of_signals_waits_while_the_command_does_not_take_them(self):
        """Its queue is full long before all are sent; then their sender is told, and nothing is dropped."""
        process, fifo = self.count_signals(2000, queue=200)
        command = children(process.pid)[0]
        os.kill(command, signal.SIGSTOP)
        full = []

        def go_on():
            if not full:
                os.kill(command, signal.SIGCONT)
            full.append(True)

        self.send(process, 2000, go_on)
        self.assertTrue(full)
        self.assertEqual("count 2000 in order", fifo.next())
        self.assertEqual(0, process.wait())

    def test_of_signals_that_find_no_room_holds_up_no_others(self):
        """Such as that which ends the command: real-time signals wait in a queue of the user's, the others in none."""
        process, _ = self.count_signals(1000, queue=64)
        command = children(process.pid)[0]
        os.kill(command, signal.SIGSTOP)
        self.await_true("stopped", lambda: field(command, "State").startswith("T"))
        while queue_signal(command, signal.SIGRTMIN + 1, 0):
            pass
        process.send_signal(signal.SIGRTMIN + 1)
        process.terminate()
        self.await_true("it is handed on", lambda: int(field(command, "ShdPnd"), 16) & 1 << (signal.SIGTERM - 1))
        os.kill(command, signal.SIGCONT)
        self.assertEqual(143, process.wait())

    def test_of_orphans_is_collected_and_signals_have_their_turn(self):
        self.storm(10000, [PROGRAM, "--"], lambda process: process.pid)

    def test_of_orphans_is_collected_by_process_1(self):
        if not ROOT:
            self.skipTest("needs root")
        self.storm(100000, as_process_1("--"), pid_of_process_1)

    def storm(self, count, words, init_of):
        fifo = self.fifo()
        process = subprocess.Popen([*words, program("orphans"), str(int(count / SCALE)), fifo.path])
        self.addCleanup(process.kill)
        init = init_of(process)
        self.assertEqual("up", fifo.next())
        self.assertEqual("done", fifo.next(60 * SCALE))
        self.await_true("all are collected", lambda: len(children(init)) == 1)
        os.kill(init, signal.SIGTERM)
        self.assertEqual(17, process.wait())

    def test_of_orphans_does_not_hold_up_a_signal(self):
        fifo = self.fifo()
        process = self.popen("--", program("orphans"), "1000000", fifo.path)
        fifo.next()
        self.await_true("the storm", lambda: len(children(process.pid)) > 10)
        process.terminate()
        self.assertEqual(17, process.wait())


if __name__ == "__main__":
    unittest.main()
