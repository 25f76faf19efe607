"""What systemd delegates to procsupd on a machine with cgroup v2 only."""

import json
import unittest
from pathlib import Path

from delegated import ALL_GROUPS, DelegatedTest, group_of
from on_systemd import SERVICE, ServiceTest, ctl, install, instances, properties

JOB = 'command = ["sleep", "1000"]'
CONTROLLERS = {"cpu", "io", "memory", "pids"}


def controllers(group):
    return set((group / "cgroup.controllers").read_text().split())


def setUpModule():
    install()


class TheService(ServiceTest):
    def test_holds_its_jobs_in_groups_that_controllers_can_be_enabled_for(self):
        self.job("web", JOB)
        self.start()
        ctl("wait", "--for=ready", "web")
        status = json.loads(ctl("daemon", "status", "--json").stdout)
        self.assertEqual("cgroup", status["containment"], status)
        own = ALL_GROUPS / properties(SERVICE, "ControlGroup")["ControlGroup"].lstrip("/")
        self.assertEqual(own / "jobs" / "web.job", group_of(instances()["web"]["pid"]))
        self.assertLessEqual(CONTROLLERS, controllers(own))

    def test_has_the_protection_from_the_oom_killer_that_its_unit_asks_for_and_its_jobs_have_not(self):
        self.job("web", JOB)
        self.start()
        ctl("wait", "--for=ready", "web")
        score = lambda pid: Path(f"/proc/{pid}/oom_score_adj").read_text().strip()
        for _ in range(30):
            ctl("restart", "web")
            self.assertEqual("0", score(instances()["web"]["pid"]))
        self.assertEqual("0", ctl("exec", "web", "--", "cat", "/proc/self/oom_score_adj").stdout.strip())
        self.assertEqual("-500", score(self.daemon().pid))

    def test_has_the_hard_limit_of_open_files_that_its_unit_asks_for(self):
        self.start()
        limits = Path(f"/proc/{self.daemon().pid}/limits").read_text()
        self.assertRegex(limits, r"Max open files +\d+ +524288 ")


class AScope(DelegatedTest):
    def test_is_the_root_of_the_groups_of_jobs(self):
        s = self.supervise(f"[jobs.web]\n{JOB}\n")
        self.assertEqual("cgroup", s.daemon()["containment"], s.daemon())
        self.assertEqual(Path(s.cgroup()), self.scope_of(s) / "jobs")
        self.assertEqual(Path(s.cgroup()) / "web.job", group_of(s.pid_of("web")))
        self.assertLessEqual(CONTROLLERS, controllers(self.scope_of(s)))

    def test_has_the_limits_that_the_test_gives_it(self):
        s = self.supervise(f"[jobs.web]\n{JOB}\n", properties=["MemoryMax=100M", "TasksMax=50"])
        scope = self.scope_of(s)
        self.assertEqual(["104857600", "50"], [(scope / name).read_text().strip() for name in ("memory.max", "pids.max")])


if __name__ == "__main__":
    unittest.main(verbosity=2)
