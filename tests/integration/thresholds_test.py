"""Thresholds of [health]: jobs whose processes use too much together are unhealthy, whatever holds them together."""
import unittest

from harness import IntegrationTest

# Takes memory, in a process of its own, when it is told to.
GROWS = """[jobs.grows]
command = ["python3", "-c", '''
import os, signal
def grow(*_):
    if os.fork() == 0:
        taken = b"x" * (120 << 20)
        signal.pause()
signal.signal(signal.SIGUSR1, grow)
print("set up", flush=True)
while True:
    signal.pause()
''']
ready.log_line = "set up"
[jobs.grows.health]
memory_above = "100MiB"
interval = "100ms"
failures = 2
"""
BUSY = """[jobs.busy]
shell = "while :; do :; done"
[jobs.busy.health]
cpu_above = 0.02
interval = "300ms"
failures = 2
action = "none"
[jobs.idle]
command = ["sleep", "1000"]
[jobs.idle.health]
cpu_above = 0.02
memory_above = "100MiB"
interval = "300ms"
"""


class Thresholds(IntegrationTest):
    def is_healthy(self, s, name):
        s.ctl("wait", "--for=healthy", name)

    def grows(self, *options):
        s = self.supervise(GROWS, options=options)
        self.is_healthy(s, "grows")
        events = s.events("grows")
        s.ctl("signal", "USR1", "grows")
        cause = events.until("grows", "stopping")["cause"]
        self.assertRegex(cause, r"^unhealthy: uses 1\d+MiB of memory, more than memory_above \(100MiB\)$")
        events.until("grows", "running")
        self.is_healthy(s, "grows")
        self.assertEqual(1, s.instance("grows")["health_restarts"])
        self.assertIn("restarted because it was unhealthy: uses", s.ctl("why", "grows").out)


class Memory(Thresholds):
    def test_is_that_of_all_processes_of_a_run(self):
        self.grows()

    def test_is_summed_up_where_a_keeper_holds_them(self):
        self.grows("--containment=keeper")

    def test_is_summed_up_where_they_are_a_process_group(self):
        self.grows("--containment=group")

    def test_is_looked_at_when_somebody_asks(self):
        s = self.supervise(GROWS.replace('"100ms"', '"1h"'))
        s.ctl("wait", "grows")
        self.assertEqual("healthy: memory_above 100MiB", s.ctl("check-health", "--json", "grows").json["outcomes"][0]["cause"])
        s.ctl("signal", "USR1", "grows")
        self.await_true("the memory is taken", lambda: "more than memory_above" in s.run("check-health", "--json", "grows").out)

    def test_that_is_above_from_now_on_is_a_live_change(self):
        s = self.supervise(GROWS)
        self.is_healthy(s, "grows")
        pid = s.pid_of("grows")
        s.configure(GROWS.replace("100MiB", "1MiB").replace("failures = 2", 'action = "none"'))
        s.ctl("apply")
        self.await_true("it is unhealthy", lambda: s.instance("grows")["health"] == "unhealthy")
        self.assertEqual(pid, s.pid_of("grows"))
        self.assertIn("more than memory_above (1MiB)", s.ctl("status", "grows").out)


class Processors(Thresholds):
    def busy(self, *options):
        s = self.supervise(BUSY, options=options)
        self.await_true("it is unhealthy", lambda: s.instance("busy")["health"] == "unhealthy")
        self.assertRegex(s.instance("busy")["health_problem"], r"^uses [0-9.]+ processors, more than cpu_above \(0\.02\)$")
        self.is_healthy(s, "idle")
        self.assertEqual("running", s.instance("busy")["state"])

    def test_are_those_kept_busy_since_the_look_before(self):
        self.busy()

    def test_are_summed_up_where_a_keeper_holds_the_processes(self):
        self.busy("--containment=keeper")


class Settings(Thresholds):
    def test_that_are_never_reached_are_told_with_their_place(self):
        s = self.prepare(GROWS + '[jobs.grows.limits]\nmemory_max = "50MiB"\n')
        told = s.ctl("check", s.config, expect=6)
        self.assertRegex(told.out + told.err, r"procsup.toml:\d+:\d+: error: 'health.memory_above' is never reached: "
                                              r"'limits.memory_max' is \"50MiB\"")


if __name__ == "__main__":
    unittest.main()
