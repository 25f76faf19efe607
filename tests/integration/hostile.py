"""Jobs that want to escape, the ways to hold them, and the search for what is left of them.

A hostile program is run from a copy of its own, and its processes are known by the file that they execute: that they
cannot change without executing another one.
"""
import os
import shutil
import subprocess
import unittest

from harness import PROCSUPD, ROOT, IntegrationTest, Supervisor
from processes import descendants, parents

# The ways that this build has to hold the processes of a job together, each of which everything here is proved for.
MODES = ("cgroup", "keeper", "group")
# A user who has no other processes, so that a limit of processes counts those of one test.
LONELY = 65533
PROGRAMS = os.path.abspath(os.environ.get("PROCSUP_TEST_PROGRAMS") or
                           os.path.join(os.path.dirname(PROCSUPD), "../tests/programs"))
NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "setpriv", "--pdeathsig", "KILL"]


def works(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def groups_can_be_made():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        points = [line.split()[4] for line in file if " - cgroup2 " in line]
    return bool(points) and os.access(os.path.join(points[0], "cgroup.procs"), os.W_OK)


NAMESPACES = ROOT and works(*NAMESPACE, "true")
GROUPS = groups_can_be_made()


class FirstProcess(Supervisor):
    """procsupd as process 1 of a PID namespace, as in a container."""

    def daemon_pid(self):
        return next(pid for pid, (parent, _, _) in parents().items() if parent == self.process.pid)

    def close(self, spared=()):
        # unshare(1) takes no SIGTERM as long as its child lives.
        if self.process is not None and self.process.poll() is None:
            self.run("shutdown")
        return super().close(spared)


class HostileTest(IntegrationTest):
    """Supervisors that hold jobs by `mode`, as root or as `user`, perhaps as `first` process of a namespace."""

    mode = "auto"
    user = None
    first = False

    def setUp(self):
        if (self.first or self.user) and not NAMESPACES:
            self.skipTest("needs root and the right to make PID namespaces")
        if self.mode == "cgroup" and not GROUPS:
            self.skipTest("needs a cgroup v2 tree that may be written")

    def prepare(self, config="", **arguments):
        arguments.setdefault("options", [f"--containment={self.mode}"])
        ids = [f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"] if self.user else []
        if self.first:
            arguments.update(prefix=[*NAMESPACE, *ids])
        elif self.user:
            arguments.update(prefix=["setpriv", *ids])
        s = (FirstProcess if self.first else Supervisor)(config, **arguments)
        self.open.append(s)
        self.addCleanup(self.finish, s)
        os.chown(s.dir, self.user or -1, self.user or -1)
        s.up, s.copies = s.fifo("up"), set()
        return s

    def hold(self, words, *lines, count=1, before="", restart="no"):
        """A supervisor with the job "hostile", a hostile program with its arguments; `count` processes of it are up."""
        s = self.prepare()
        s.configure(f"{before}\n{self.hostile(s, 'hostile', words, *lines, restart=restart)}")
        s.start()
        self.assertEqual(self.mode, s.daemon()["containment"])
        self.await_up(s, count)
        # The program can be up before procsupd knows that it was executed.
        return s.settle()

    def hostile(self, s, job, words, *lines, restart="no"):
        """The table of a job that runs a hostile program."""
        program, *rest = words.split()
        copy = s.path(f"hostile-{program}")
        if not os.path.exists(copy):
            shutil.copy(os.path.join(PROGRAMS, program), copy)
        at = os.stat(copy)
        s.copies.add((at.st_dev, at.st_ino))
        command = ", ".join(f'"{word}"' for word in [copy, s.up.path, *rest])
        return f"[jobs.{job}]\ncommand = [{command}]\nrestart = \"{restart}\"\n" + "\n".join(lines) + "\n"

    def await_up(self, s, count):
        for _ in range(count):
            self.assertEqual("up", s.up.next())

    def living(self, s):
        """{pid: state} of the processes that execute a hostile program; a zombie executes nothing."""
        found = {}
        for pid, (_, state, _) in parents().items():
            try:
                at = os.stat(f"/proc/{pid}/exe")
            except OSError:
                continue
            if (at.st_dev, at.st_ino) in s.copies:
                found[pid] = state
        return found

    def await_living(self, s, count):
        self.await_true(f"{count} processes", lambda: len(self.living(s)) == count)

    def await_paused(self, s):
        """The kernel says that nothing of the job runs."""
        self.assertEqual("paused", s.instance("hostile")["state"])
        if self.mode == "cgroup":
            self.await_true("the group is frozen", lambda: "frozen 1" in self.group_events(s))
        else:
            self.await_true("all have stopped", lambda: set(self.living(s).values()) == {"T"})

    def group_events(self, s):
        with open(os.path.join(s.cgroup(), "hostile.job", "cgroup.events"), encoding="ascii") as file:
            return file.read()

    def below(self, s):
        """What is below the test process but the supervisor's own, wherever it has got to: zombies as well."""
        all_of_us = {pid: text for pid, text in descendants(os.getpid()).items()
                     if not text.endswith((" procsup-guard", " procsup-logger"))}
        for pid in (s.process.pid, *([s.daemon_pid()] if self.first else [])):
            all_of_us.pop(pid, None)
        return all_of_us

    def assert_nothing_is_left(self, s, state="stopped"):
        """At the moment at which the job is said to have ended no process of it is there, and soon no zombie either."""
        self.assertEqual({}, self.living(s))
        self.assertEqual(state, s.instance("hostile")["state"])
        self.await_true("nothing is below the supervisor", lambda: not self.below(s))

    def assert_stop_leaves_nothing(self, s):
        self.assertNotEqual({}, self.living(s))
        s.ctl("stop", "hostile")
        self.assert_nothing_is_left(s)


PLACES = {
    "": {},
    "AsFirstProcess": {"first": True},
    "OfAUser": {"user": LONELY},
    "OfAUserAsFirstProcess": {"user": LONELY, "first": True},
}
NAMESPACED = {name: settings for name, settings in PLACES.items() if "first" in settings}


def everywhere(test, module, modes=MODES, places=None):
    """Puts into a module a class of the tests for each way to hold jobs and each place where procsupd can run.

    Groups of the kernel can be made by root only, so that another user's procsupd has the other ways."""
    for mode in modes:
        for place, settings in (places or PLACES).items():
            if mode == "cgroup" and "user" in settings:
                continue
            name = f"{test.__name__}By{mode.capitalize()}{place}"
            module[name] = type(name, (test, HostileTest), {"mode": mode, "__module__": test.__module__, **settings})
