"""Supervisors under test: how each is told what to run, how it is started, asked and ended."""

import json
import os
import signal
import socket
from typing import NamedTuple

from harness import cgroup
from harness.machine import read


class Job(NamedTuple):
    """`argv` ends with the number of the job, which its program writes on the board."""
    name: str
    argv: list
    restarts: bool = False
    killed: bool = False  # at once when it is to stop


def jobs_of(count, argv, restarts=False):
    return [Job(f"b{number:05}", [*argv, str(number)], restarts) for number in range(count)]


class Supervisor:
    """A kind of supervisor. `prepare` lays out what it reads in an empty folder and returns its argv."""
    name = ""
    stop_signal = signal.SIGTERM
    most_jobs = 100000
    in_pid_namespace = False  # whether its services have other numbers than we know them by

    def prepare(self, folder, jobs):
        raise NotImplementedError

    def tidy(self, folder):
        """After its end: removes what it has made outside of the folder."""

    def status_one(self, folder, job):
        """(argv, environment) of the command that tells the state of one job, or None."""
        return None

    def status_all(self, folder, jobs):
        return None


class Floor(Supervisor):
    """The raw loop named `mode` (helpers/floor.c), which numbers the copies of one command itself."""
    name = "floor"

    def __init__(self, tools, mode):
        self._tools = tools
        self._mode = mode

    def prepare(self, folder, jobs):
        if self._mode == "reap":
            return [self._tools.floor, "reap", *jobs[0].argv]
        return [self._tools.floor, self._mode, str(len(jobs)), *(jobs[0].argv[:-1] if jobs else ["/bin/true"])]


class TreeFloor(Supervisor):
    """The raw program that ends a tree by its cgroup `group` (helpers/end_tree.c)."""
    name = "floor"

    def __init__(self, tools, group):
        self._tools = tools
        self._group = group

    def prepare(self, folder, jobs):
        return [self._tools.end_tree, os.path.join(folder, "board"), self._group, *jobs[0].argv]


class Procsupd(Supervisor):
    """Jobs have default settings, except that one which is to be restarted or killed at once says so, and that they write where
    procsupd does, as with others, unless `captured`; so has procsupd, except for the way of holding them together, where
    `mode` says one."""

    def __init__(self, tools, mode=None, captured=False):
        self._tools = tools
        self.mode = mode
        self._captured = captured
        self.name = "-".join(word for word in ("procsupd", mode, "captured" if captured else None) if word)

    def more_settings(self, folder, job):
        return []

    def prepare(self, folder, jobs):
        lines = ["[defaults.log]"] if self._captured else ["[defaults.log]", 'stdout = "inherit"']
        for job in jobs:
            lines += [f"[jobs.{job.name}]", f"command = {json.dumps(job.argv)}"]
            if job.restarts:
                lines += ['restart = "always"', 'min_uptime = "0s"', 'start_limit = "none"']
            if job.killed:
                lines.append('stop_timeout = "0s"')
            lines += self.more_settings(folder, job)
        with open(self._config(folder), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return [self._tools.procsupd, "--config", self._config(folder), "--runtime-dir", os.path.join(folder, "run"),
                "--state-dir", os.path.join(folder, "state"),
                *([f"--containment={self.mode}"] if self.mode else [])]

    @staticmethod
    def _config(folder):
        return os.path.join(folder, "procsup.toml")

    def check(self, folder):
        return [self._tools.procsupd, "--check", "--config", self._config(folder)]

    def tidy(self, folder):
        """Its cgroups are left only when it was killed; then their place is too."""
        place = os.path.join(folder, "run", "cgroup")
        if os.path.exists(place):
            cgroup.remove(read(place).strip())

    def socket(self, folder):
        return os.path.join(folder, "run", "io.procsupd")

    def answers(self, folder):
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(self.socket(folder))
            except OSError:
                return False
        return True

    def _ctl(self, folder, *words):
        return [self._tools.procsupctl, *words], {"PROCSUPD_SOCKET": self.socket(folder)}

    def stop(self, folder, job):
        return self._ctl(folder, "stop", job)

    def status_one(self, folder, job):
        return self._ctl(folder, "status", job.name)

    def status_all(self, folder, jobs):
        return self._ctl(folder, "status")

    def apply(self, folder):
        """Of the command that takes over the configuration, which has not changed."""
        return self._ctl(folder, "apply")
