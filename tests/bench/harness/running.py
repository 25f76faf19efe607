"""A supervisor that runs: started, watched by the board, ended with everything it started."""

import os
import shutil
import subprocess
import sys
import time

from harness import machine
from harness.board import Board

STOP_SECONDS = 90


class Running:
    """Owns the supervisor's process, its folder and its board while in a `with`. On leaving, the supervisor is asked to
    end, and whatever is left of it is killed by pid; nothing else is ever signalled."""

    _count = 0

    def __init__(self, tools, supervisor, jobs, capacity):
        Running._count += 1
        self.supervisor = supervisor
        self.folder = os.path.join(tools.scratch, f"{Running._count}-{supervisor.name}")
        os.mkdir(self.folder, 0o755)
        self._tools = tools
        self._jobs = jobs
        self.board = Board(os.path.join(self.folder, "board"), capacity)
        self._log = os.path.join(self.folder, "log")
        self._process = None

    @property
    def pid(self):
        return self._process.pid

    def __enter__(self):
        words = {"BOARD": self.board.path, "OUTPUT": os.path.join(self.folder, "output")}
        jobs = [job._replace(argv=[words.get(word, word) for word in job.argv]) for job in self._jobs]
        argv = self.supervisor.prepare(self.folder, jobs)
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [self._tools.launch, self.board.path, str(int(self.supervisor.stop_signal)), *argv],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        return self

    def wait(self, condition, what, seconds):
        """Waits until `condition()`; raises Broken when the supervisor ends or the time is over first."""
        if not self.wait_at_most(condition, seconds):
            raise machine.Broken(f"{self.supervisor.name}: not within {seconds} s: {what}\n{self._last_words()}")

    def wait_at_most(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition():
            if self._process.poll() is not None:
                raise machine.Broken(
                    f"{self.supervisor.name} ended with {self._process.returncode}\n{self._last_words()}")
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def wait_born(self, count, seconds=180):
        self.wait(lambda: self.board.all_born(count), f"{count} services in main()", seconds)

    def wait_settled(self, quiet_seconds, most_seconds=8):
        """Until it has not run for a while: what follows a start (jobs that settle) is over."""
        quiet_since, last = time.monotonic(), machine.context_switches(self.pid)
        end = quiet_since + most_seconds
        while time.monotonic() < end and time.monotonic() - quiet_since < quiet_seconds:
            time.sleep(0.05)
            now = machine.context_switches(self.pid)
            if now != last:
                quiet_since, last = time.monotonic(), now

    def supervising(self):
        """The supervisor and its helpers, without the services: {pid: start time}."""
        services = self._services()
        return {pid: born for pid, born in machine.family(self.pid).items() if pid not in services}

    def _services(self):
        return set() if self.supervisor.in_pid_namespace else {record.pid for record in self.board.records()}

    def _last_words(self):
        with open(self._log, "rb") as log:
            return b"\n".join(log.read()[-4000:].splitlines()[-10:]).decode(errors="replace")

    def __exit__(self, *_):
        helpers = self.supervising()
        try:
            self._stop()
        finally:
            self._sweep(helpers)
            self.supervisor.tidy(self.folder)
            self.board.close()
            shutil.rmtree(self.folder)

    def _stop(self):
        if self._process.poll() is None:
            self._process.send_signal(self.supervisor.stop_signal)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"{self.supervisor.name}: did not end within {STOP_SECONDS} s, killed", file=sys.stderr, flush=True)
            self._process.kill()
            self._process.wait()

    def _sweep(self, helpers):
        """Helpers and services may need a moment after their supervisor; then they are killed."""
        programs = (self._tools.service, self._tools.orphans, self._tools.tree, self._tools.log_writer)
        services = {pid: machine.start_time(pid) for pid in self._services() if machine.runs_program(pid, programs)}
        left = {**helpers, **services}
        end = time.monotonic() + 10
        while left and time.monotonic() < end:
            left = {pid: born for pid, born in left.items() if born is not None and machine.start_time(pid) == born}
            if left:
                time.sleep(0.02)
        for pid, born in left.items():
            machine.kill_exact(pid, born)
