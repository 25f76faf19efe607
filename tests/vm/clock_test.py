"""Schedules while the clock of the machine is set."""

import subprocess
import time
import unittest

from delegated import DelegatedTest

YEARS = 3652 * 24 * 3600


class Clock(DelegatedTest):
    """The guest's clock is its own; afterwards it shows again what it would have."""

    def setUp(self):
        super().setUp()
        ahead = time.time() - time.monotonic()
        self.addCleanup(lambda: time.clock_settime(time.CLOCK_REALTIME, ahead + time.monotonic()))

    def task(self, name, schedule):
        return (f"[jobs.{name}]\ncommand = ['sh', '-c', 'echo x >> @DIR@/{name}']\ntype = 'task'\n"
                f"[jobs.{name}.schedule]\n{schedule}\n")

    def schedules(self, s):
        return {one["job"]: one for one in s.ctl("schedule", "--json").json["schedules"]}

    def runs(self, s, name):
        return len([run for run in s.ctl("history", "-n100", "--json", name).json["runs"] if "ended_usec" in run])

    def left(self, s, name):
        """Until its next run, in seconds."""
        return self.schedules(s)[name]["due_usec"] / 1e6 - time.time()

    def set_clock(self, seconds):
        time.clock_settime(time.CLOCK_REALTIME, seconds)

    def test_a_run_is_started_when_the_clock_shows_its_time(self):
        s = self.supervise(self.task("nightly", "cron = '0 2 * * *'\ntimezone = 'UTC'"))
        self.set_clock(1861920000 + 2 * 3600 - 2)  # 2029-01-01 01:59:58
        self.await_true("it has run", lambda: self.runs(s, "nightly") == 1)
        run = s.ctl("history", "-n100", "--json", "nightly").json["runs"][0]
        self.assertEqual("scheduled for 2029-01-01 02:00 +00:00", run["start_cause"])
        self.assertLess(abs(run["started_usec"] / 1e6 - (1861920000 + 2 * 3600)), 5)
        self.set_clock(1861920000 + 2 * 3600 - 2)
        self.assertGreater(self.left(s, "nightly"), 20 * 3600, "shown again it is no new time")

    def test_ten_years_either_way_do_no_harm(self):
        s = self.supervise(self.task("nightly", "cron = '0 2 * * *'") + self.task("skips", "cron = '0 2 * * *'\nmissed = 'skip'") +
                           self.task("hourly", "interval = '1h'") + "[jobs.web]\ncommand = ['sleep', '1000']\n")
        pid = s.pid_of("web")
        before = time.time()
        self.set_clock(before + YEARS)
        self.assertLessEqual(self.left(s, "hourly"), 3600)
        self.assertGreater(self.left(s, "hourly"), 3000)
        self.set_clock(before - YEARS)
        self.assertLessEqual(self.left(s, "hourly"), 3600)
        for name in ("nightly", "skips"):
            self.assertLessEqual(self.left(s, name), 25 * 3600)
            self.assertLessEqual(self.runs(s, name), 1)
        self.assertEqual(0, self.runs(s, "hourly"))
        self.assertEqual(pid, s.pid_of("web"))

    def test_runs_that_the_clock_was_set_over_are_made_up_for_once(self):
        s = self.prepare(self.task("nightly", "cron = '0 2 * * *'"))
        subprocess.run(["mkdir", "-p", s.path("state", "schedule")], check=True)
        s.write("state/schedule/nightly", f"{int(time.time())}\n")
        s.start().settle()
        self.set_clock(time.time() + YEARS)
        self.await_true("it has run", lambda: self.runs(s, "nightly") == 1)
        self.assertIn("which was missed", s.ctl("history", "-n100", "--json", "nightly").json["runs"][0]["start_cause"])
        self.assertGreater(self.left(s, "nightly"), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
