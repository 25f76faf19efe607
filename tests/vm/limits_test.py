"""[limits] with the rights that a real root has, CAP_SYS_RESOURCE among them."""

import os
import unittest
from pathlib import Path

from delegated import DelegatedTest
from harness import IntegrationTest

# The daemon's own limit, below what the jobs ask for.
SMALL = ("prlimit", "--nofile=1024:2048", "--memlock=65536:65536", "--")
WITHOUT_THE_RIGHT = ("setpriv", "--bounding-set=-sys_resource", "--")


def job(*limits, more=""):
    return f'[jobs.web]\ncommand = ["sleep", "1000"]\nrestart = "no"\n{more}\n[jobs.web.limits]\n' + "\n".join(limits) + "\n"


def limit(pid, name):
    """Soft and hard."""
    lines = Path(f"/proc/{pid}/limits").read_text(encoding="utf-8").splitlines()
    return next(line[len(name):].split()[:2] for line in lines if line.startswith(name + " "))


class Limits:
    options = ()

    def web(self, *limits, more="", prefix=SMALL):
        """A running procsupd, and the process of its job."""
        s = self.supervise(job(*limits, more=more), prefix=prefix, in_place=True, options=self.options)
        self.assertEqual("running", s.instance("web")["state"], s.instance("web"))
        return s, s.pid_of("web")

    def refused(self, *limits, prefix=SMALL):
        """Why the job does not start."""
        s = self.supervise(job(*limits), prefix=prefix, in_place=True, options=self.options)
        self.assertEqual(("failed", None), (s.instance("web")["state"], s.instance("web").get("pid")))
        return s.instance("web")["cause"]

    def test_open_files_exceeds_the_hard_limit_of_the_daemon(self):
        s, pid = self.web("open_files = 4096")
        self.assertEqual("2048", limit(s.process.pid, "Max open files")[1])
        self.assertEqual(["4096", "4096"], limit(pid, "Max open files"))

    def test_open_files_of_another_user_exceeds_it_too(self):
        _, pid = self.web("open_files = 4096", more='user = "nobody"')
        self.assertEqual(["4096", "4096"], limit(pid, "Max open files"))

    def test_memlock_of_another_user_exceeds_the_hard_limit_of_the_daemon(self):
        s, pid = self.web('memlock = "16MiB"', more='user = "nobody"')
        self.assertEqual("65536", limit(s.process.pid, "Max locked memory")[1])
        self.assertEqual(["16777216", "16777216"], limit(pid, "Max locked memory"))

    def test_a_job_is_protected_from_the_oom_killer(self):
        _, pid = self.web("oom_score_adjust = -500")
        self.assertEqual("-500", Path(f"/proc/{pid}/oom_score_adj").read_text().strip())

    def test_a_job_goes_before_others(self):
        _, pid = self.web("nice = -10")
        self.assertEqual(-10, os.getpriority(os.PRIO_PROCESS, pid))

    def test_a_job_gets_the_most_there_is_of_what_not_even_root_may_have(self):
        most = int(Path("/proc/sys/fs/nr_open").read_text())
        _, pid = self.web(f"open_files = {most + 1}")
        self.assertEqual(["2048", "2048"], limit(pid, "Max open files"))

    def test_a_strict_job_is_refused_what_not_even_root_may_have(self):
        most = int(Path("/proc/sys/fs/nr_open").read_text())
        self.assertIn("above fs.nr_open, which is ", self.refused(f"open_files = {most + 1}", "strict = true"))

    def test_a_strict_job_gets_what_root_may_have(self):
        most = int(Path("/proc/sys/fs/nr_open").read_text())
        _, pid = self.web(f"open_files = {most}", "strict = true")
        self.assertEqual([str(most)] * 2, limit(pid, "Max open files"))

    def test_a_strict_job_is_refused_more_than_the_daemon_has_without_the_right_to_it(self):
        cause = self.refused("open_files = 4096", "strict = true", prefix=(*SMALL, *WITHOUT_THE_RIGHT))
        self.assertIn("above the hard limit 2048, and procsupd lacks CAP_SYS_RESOURCE", cause)


class LimitsInCgroups(Limits, DelegatedTest):
    options = ("--containment=cgroup",)


class LimitsBelowKeepers(Limits, IntegrationTest):
    options = ("--containment=keeper",)


if __name__ == "__main__":
    unittest.main(verbosity=2)
