"""What jobs use: procsupctl top, and status of one job."""
import os
import pty
import subprocess
import termios
import unittest

from harness import PROCSUPCTL, IntegrationTest
from processes import Deadline

BUSY = "while :; do :; done"
# Of two processes, as the shell waits.
JOBS = f"""
[jobs.idle]
shell = "sleep 1000; true"
[jobs.busy]
shell = "{BUSY} & wait"
"""


def rows(text):
    """{instance: [TASKS, CPU%, CPU, MEM, PEAK]} in the order of the lines."""
    lines = [line.split() for line in text.splitlines()]
    return {line[0]: line[1:] for line in lines[1:]}


class Top(IntegrationTest):
    def usages(self, s):
        return {one["name"]: one for one in s.ctl("top", "--json").json["usages"]}

    def check_sums(self, mode):
        s = self.supervise(JOBS, options=[f"--containment={mode}"])
        self.await_true("two processes each", lambda: all(one["tasks"] >= 2 for one in self.usages(s).values()))
        self.await_true("CPU time of a child", lambda: self.usages(s)["busy"]["cpu_usec"] > 100_000)
        before, after = self.usages(s), self.usages(s)
        self.assertEqual({"idle", "busy"}, set(before))
        for name, one in before.items():
            self.assertEqual(2, one["tasks"])
            # Two shells, or one and a sleep: more than a page, and far less than all there is.
            self.assertGreater(one["memory"], 100_000)
            self.assertLess(one["memory"], 100_000_000)
            self.assertGreaterEqual(after[name]["cpu_usec"], one["cpu_usec"])
        self.assertGreater(before["busy"]["cpu_usec"], before["idle"]["cpu_usec"])

    def test_sums_up_the_processes_of_each_way_to_hold_them(self):
        for mode in ("auto", "keeper", "group"):
            with self.subTest(mode):
                self.check_sums(mode)

    def test_prints_once_where_there_is_no_terminal_those_first_that_use_most(self):
        s = self.supervise(JOBS)
        shown = rows(s.ctl("top", "--delay=300ms").out)
        self.assertEqual(["busy", "idle"], list(shown))
        self.assertGreater(float(shown["busy"][1]), float(shown["idle"][1]))
        self.assertEqual(["idle"], list(rows(s.ctl("top", "--once", "--delay=100ms", "idle").out)))

    def test_names_nothing_of_jobs_without_processes(self):
        s = self.supervise('[jobs.off]\nenabled = false\ncommand = "sleep 1"\n')
        self.assertEqual({}, rows(s.ctl("top", "--delay=100ms").out))

    def test_repaints_on_a_terminal_until_q_is_pressed_and_leaves_it_as_it_was(self):
        s = self.supervise(JOBS)
        for key in (b"q", b"\x03"):
            with self.subTest(key):
                ours, theirs = pty.openpty()
                self.addCleanup(os.close, ours)
                before = termios.tcgetattr(theirs)
                process = subprocess.Popen([PROCSUPCTL, "top", "--delay=100ms"], stdin=theirs, stdout=theirs, stderr=theirs,
                                           env=s.ctl_env(), start_new_session=True)
                shown = b""
                deadline = Deadline()
                while shown.count(b"INSTANCE") < 3:
                    self.assertTrue(deadline.readable(ours), shown)
                    shown += os.read(ours, 65536)
                self.assertIn(b"busy", shown)
                os.write(ours, key)
                while process.poll() is None:
                    self.assertGreater(deadline.left(), 0)
                    if deadline.readable(ours, pause=0.01):
                        shown += os.read(ours, 65536)
                self.assertEqual(0, process.returncode)
                self.assertEqual(before, termios.tcgetattr(theirs))
                os.close(theirs)

    def test_refuses_a_delay_that_would_be_none(self):
        s = self.supervise(JOBS)
        for delay in ("0s", "99ms", "2h", "x"):
            self.assertIn("--delay", s.run("top", f"--delay={delay}").err)


class Status(IntegrationTest):
    def check(self, mode):
        s = self.supervise(JOBS + '[jobs.off]\nenabled = false\ncommand = "sleep 1"\n', options=[f"--containment={mode}"])
        self.await_true("two processes each, which have used some CPU time",
                        lambda: all(s.instance(name)["tasks"] == 2 for name in ("busy", "idle")) and
                        s.instance("busy")["cpu_usec"] > 10_000)
        self.assertRegex(s.ctl("status", "busy").out, r"(?m)^    tasks: 2\n(.*\n)* +res: cpu [0-9].*, mem [0-9.]+M")
        self.assertRegex(s.ctl("show", "busy").out, r"(?m)^tasks = 2$")
        for verb in ("status", "list"):
            self.assertRegex(s.ctl(verb).out, r"(?m)^\* busy +running .* 2 +[0-9.]+m?s +[0-9.]+M")
            self.assertRegex(s.ctl(verb).out, r"(?m)^- off +stopped +[^ ]+ +[^ ]+ +0 +- +- +- +- +[^ ]")
        for instance in (s.instances()["busy"], s.ctl("show", "busy", "--json").json["instances"][0]):
            self.assertGreater(instance["memory"], 100_000)

    def test_tells_what_jobs_use_in_each_way_to_hold_them(self):
        for mode in ("auto", "keeper", "group"):
            with self.subTest(mode):
                self.check(mode)

    def test_tells_of_many_processes_as_well(self):
        """They are more than are looked at without a helper."""
        s = self.supervise('[jobs.many]\nshell = "for i in $(seq 40); do sleep 1000 & done; wait"\n')
        self.await_true("all of them", lambda: s.instance("many")["tasks"] == 41)
        self.assertGreater(s.instance("many")["memory"], 41 * 100_000)

    def test_counts_from_the_beginning_of_the_run(self):
        s = self.supervise('[jobs.web]\nshell = "test -e @DIR@/once || { : > @DIR@/once; while :; do :; done; }; sleep 1000"\n')
        if s.daemon()["containment"] != "cgroup":
            self.skipTest("there are no cgroups")
        self.await_true("a second of CPU time", lambda: s.instance("web")["cpu_usec"] > 1_000_000)
        s.ctl("restart", "web")
        self.assertLess(s.instance("web")["cpu_usec"], 900_000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
