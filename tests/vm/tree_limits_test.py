"""Limits of whole trees, by the controllers that systemd has delegated to procsupd."""

import time
import unittest
from pathlib import Path

from delegated import DelegatedTest
from harness import IntegrationTest

EXAMPLE = Path(__file__).resolve().parents[2] / "conf/examples/tree_limits.toml"
# Takes memory until there is no more, a MiB at a time; all of it is touched.
GREEDY = "python3 -c 'import itertools; kept = [bytearray(1 << 20) for _ in itertools.count()]'"
MEMORY = 'memory_max = "48MiB"'


def job(shell, *limits, more='restart = "no"', name="web"):
    return (f'[jobs.{name}]\nshell = """{shell}"""\n{more}\n[jobs.{name}.limits]\n' + "\n".join(limits) + "\n")


class TreeLimitsTest(DelegatedTest):
    def group(self, s, name="web"):
        return Path(s.cgroup()) / f"{name}.job"

    def file(self, s, name, job_name="web"):
        return (self.group(s, job_name) / name).read_text(encoding="utf-8").strip()

    def numbers(self, s, name, job_name="web"):
        return {key: int(value) for key, value in
                (line.split() for line in self.file(s, name, job_name).splitlines())}


class TooLittle(TreeLimitsTest):
    def test_memory_for_no_program_at_all_ends_the_job_alone(self):
        """Not who starts it, in whose memory it would otherwise be at first."""
        sizes = ("4KiB", "16KiB", "64KiB", "512KiB")
        s = self.supervise(job("exec sleep 1000", name="other") + "".join(
            job("exec sleep 1000", f'memory_max = "{size}"', name=f"few{size}") for size in sizes))
        for size in sizes[:2]:
            self.await_true("it has ended", lambda size=size: s.instance(f"few{size}")["state"] == "failed")
            self.assertIn(f"out of memory (memory_max = {size})", s.instance(f"few{size}")["cause"])
        self.assertEqual("running", s.instance("other")["state"])
        self.assertIsNone(s.process.poll())


class InForce(TreeLimitsTest):
    def test_every_limit_of_the_example_is_what_the_kernel_has(self):
        s = self.prepare()
        s.configure(EXAMPLE.read_text(encoding="utf-8"))
        s.start().settle()
        expected = {"memory.max": str(256 << 20), "memory.high": str(192 << 20), "memory.oom.group": "1",
                    "cpu.max": "150000 100000", "cpu.weight": "50", "pids.max": "64", "io.weight": "default 50"}
        self.assertEqual(expected, {name: self.file(s, name, "procsup") for name in expected})
        self.assertNotIn("not_enforced", s.instance("procsup"))

    def test_only_the_controllers_that_jobs_need_are_enabled(self):
        s = self.supervise(job("exec sleep 1000", "tasks_max = 7"))
        enabled = set((Path(s.cgroup()) / "cgroup.subtree_control").read_text(encoding="utf-8").split())
        self.assertEqual({"pids"}, enabled)

    def test_a_limit_of_a_changed_configuration_holds_from_the_next_start_on(self):
        s = self.supervise(job("exec sleep 1000", "tasks_max = 7"))
        s.configure(job("exec sleep 1000", "tasks_max = 9", MEMORY))
        s.ctl("apply", "--no-restart")
        self.assertEqual("7", self.file(s, "pids.max"))
        s.ctl("restart", "web")
        self.assertEqual(("9", str(48 << 20)), (self.file(s, "pids.max"), self.file(s, "memory.max")))
        s.configure(job("exec sleep 1000"))
        s.ctl("apply", "--no-restart")
        s.ctl("restart", "web")
        self.assertEqual(("max", "max"), (self.file(s, "pids.max"), self.file(s, "memory.max")))

    def test_tasks_max_makes_fork_fail_in_the_job_alone(self):
        s = self.prepare(job("for i in 1 2 3 4 5 6; do sleep 1000 & done; wait", "tasks_max = 4", name="few") +
                         job("exec sleep 1000", name="other"))
        s.start()
        self.await_true("so far", lambda: self.numbers(s, "pids.events", "few")["max"] > 0)
        self.assertLessEqual(int(self.file(s, "pids.current", "few")), 4)
        self.assertEqual("running", s.instance("other")["state"])

    def test_cpu_lets_a_tree_have_its_share_and_no_more(self):
        # As much as there is, by two processes.
        s = self.supervise(job("while :; do :; done & while :; do :; done", "cpu = 0.2"))
        begun, used = time.monotonic(), self.numbers(s, "cpu.stat")["usage_usec"]
        self.await_true("so far", lambda: self.numbers(s, "cpu.stat")["nr_throttled"] >= 20)
        share = (self.numbers(s, "cpu.stat")["usage_usec"] - used) / 1e6 / (time.monotonic() - begun)
        self.assertGreater(share, 0.02)
        self.assertLess(share, 0.45)

    def test_memory_high_slows_down_and_kills_nobody(self):
        s = self.supervise(job(GREEDY, 'memory_high = "24MiB"'))
        self.await_true("so far", lambda: self.numbers(s, "memory.events")["high"] > 0)
        self.assertEqual("running", s.instance("web")["state"])
        self.assertEqual(0, self.numbers(s, "memory.events")["oom_kill"])


class OutOfMemory(TreeLimitsTest):
    CAUSE = "killed by SIGKILL: out of memory (memory_max = 48MiB)"

    def ended(self, s):
        self.await_true("so far", lambda: s.instance("web")["state"] in ("failed", "exited"))
        return s.instance("web")

    def test_ends_the_job_and_is_told_everywhere(self):
        s = self.supervise(job(f"exec {GREEDY}", MEMORY))
        instance = self.ended(s)
        self.assertEqual(("failed", self.CAUSE), (instance["state"], instance["cause"]))
        self.assertIs(True, instance["last_run"]["oom_killed"])
        self.assertIn(self.CAUSE, s.run("status", "web").out)
        self.assertIn(self.CAUSE, s.run("why", "web").out)
        history = s.run("why", "web", "--json").json["history"]
        self.assertIs(True, history[0]["run"]["oom_killed"])

    def test_of_a_child_ends_all_of_the_tree(self):
        s = self.prepare(job(f"setsid sleep 1000 & echo $! >&2; {GREEDY} & wait; sleep 1000", MEMORY))
        s.start()
        self.assertEqual(self.CAUSE, self.ended(s)["cause"])
        self.assertFalse(self.group(s).exists(), "something of the tree is left")

    def test_is_a_failure_after_which_the_job_is_started_again(self):
        for policy in ("on-failure", "on-abnormal"):
            s = self.supervise(job(f"exec {GREEDY}", MEMORY, more=f'restart = "{policy}"\nstart_limit = "1/1h"\n'
                                   'success_exit_codes = [0, "SIGKILL"]'))
            self.assertEqual(f"start_limit (1/1h) reached; last: {self.CAUSE}", self.ended(s)["cause"], policy)

    def test_of_the_whole_scope_is_told_as_the_kernels(self):
        # procsupd and its logger must not be what the kernel chooses.
        s = self.supervise(job(f"exec {GREEDY}", 'memory_max = "1GiB"', "oom_score_adjust = 1000"),
                           properties=["MemoryMax=128M", "MemorySwapMax=0"])
        self.assertEqual("killed by SIGKILL: by the kernel's OOM killer", self.ended(s)["cause"])
        self.assertIs(True, s.instance("web")["last_run"]["oom_killed"])


class Usage(TreeLimitsTest):
    def test_is_what_the_kernel_counts(self):
        s = self.supervise(job("sleep 1000 & sleep 1000 & wait", MEMORY, "tasks_max = 9"))
        self.await_true("three tasks", lambda: s.instance("web")["tasks"] == 3)
        instance = s.instance("web")
        self.assertEqual(3, int(self.file(s, "pids.current")))
        self.assertLess(abs(instance["memory"] - int(self.file(s, "memory.current"))), 4 << 20)
        text = s.ctl("status", "web").out
        self.assertRegex(text, r"(?m)^ +tasks: 3$")
        self.assertRegex(text, r"(?m)^ +res: cpu .*, mem [0-9.]+[KM].*, restarts 0$")
        row = s.ctl("top", "--once", "--delay=100ms").out.splitlines()[1].split()
        self.assertEqual(["web", "3"], row[:2])


class NotEnforced(IntegrationTest):
    LIMITS = (MEMORY, "cpu = 0.5", "tasks_max = 5", "io_weight = 50")

    def test_without_delegation_is_told(self):
        s = self.supervise(job("exec sleep 1000", *self.LIMITS), in_place=True,
                           prefix=["systemd-run", "--quiet", "--scope", "--collect", "--"], options=["--containment=auto"])
        told = {entry["key"]: entry["reason"] for entry in s.instance("web")["not_enforced"]}
        self.assertEqual({"limits.memory_max", "limits.cpu", "limits.tasks_max", "limits.io_weight"}, set(told))
        for reason in told.values():
            self.assertRegex(reason, "^no cgroups are used: systemd has not delegated /")


if __name__ == "__main__":
    unittest.main(verbosity=2)
