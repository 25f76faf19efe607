"""Schedules: tasks that are started at times, what becomes of runs that were missed, and of those that would overlap."""
import os
import time
import unittest

from harness import IntegrationTest

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/schedule.toml")
DAY = 24 * 3600


def task(name, schedule, command='["true"]', more=""):
    return f"[jobs.{name}]\ncommand = {command}\ntype = 'task'\n{more}\n[jobs.{name}.schedule]\n{schedule}\n"


class Schedules(IntegrationTest):
    def schedule(self, s, *names):
        return {one["job"]: one for one in s.ctl("schedule", "--json", *names).json["schedules"]}

    def runs(self, s, name):
        """Those that are over, the newest first."""
        runs = s.ctl("history", "-n100", "--json", name).json["runs"]
        return [run for run in reversed(runs) if "ended_usec" in run]

    def dealt(self, s, name):
        """Up to when all runs are dealt with, in a file of the state directory."""
        path = s.path("state", "schedule", name)
        self.await_true(f"{path} is there", lambda: os.path.exists(path))
        with open(path, encoding="utf-8") as file:
            return int(file.readline())

    def remember(self, s, name, seconds):
        os.makedirs(s.path("state", "schedule"), exist_ok=True)
        s.write(f"state/schedule/{name}", seconds if isinstance(seconds, str) else f"{seconds}\n")

    def end(self, s):
        s.process.terminate()
        self.assertEqual(0, s.wait_end())


class Runs(Schedules):
    def test_the_example_runs_again_and_again(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            s = self.supervise(file.read())
        self.assertEqual("stopped", s.instance("backup")["state"])
        self.await_true("three reports are written", lambda: len(self.runs(s, "report")) >= 3)
        began = sorted(run["started_usec"] for run in self.runs(s, "report"))
        self.assertGreaterEqual(began[1] - began[0], 1_900_000)
        self.assertEqual("its interval of 2s has passed", self.runs(s, "report")[0]["start_cause"])
        text = s.ctl("schedule").out
        self.assertRegex(text, r"(?m)^TASK +SCHEDULE +NEXT RUN +IN +LAST RUN +RESULT$")
        self.assertRegex(text, r"(?m)^report +every 2s +.* exit 0 after ")
        self.assertRegex(text, r"(?m)^backup +30 2 \* \* mon-fri \(Europe/Berlin\) +20..-..-.. ..:..:.. ")
        s.ctl("start", "backup")
        self.assertTrue(os.path.exists(s.path("report.bak")))
        self.assertFalse(self.schedule(s)["backup"]["last"]["failed"])

    def test_next_run_of_an_expression_is_the_next_time_clocks_show(self):
        s = self.supervise(task("nightly", "cron = '30 2 * * *'\ntimezone = 'UTC'"))
        now = time.time()
        expected = (now - 2.5 * 3600) // DAY * DAY + 2.5 * 3600 + DAY
        self.assertEqual(expected, self.schedule(s)["nightly"]["next_usec"] / 1e6)
        why = s.ctl("why", "nightly", expect=3).out
        self.assertIn("schedule: 30 2 * * * (UTC); next run ", why)
        self.assertIn(" 02:30 +00:00, in ", why)
        self.assertIn("; next run in ", s.ctl("status").out)

    def test_a_run_that_fails_has_its_next_turn(self):
        s = self.supervise(task("fails", "interval = '1s'", '["sh", "-c", "echo x >> @DIR@/runs; exit 3"]'))
        self.await_true("it has run twice", lambda: os.path.exists(s.path("runs")) and os.path.getsize(s.path("runs")) >= 4)
        self.assertEqual("exit 3", self.schedule(s)["fails"]["last"]["cause"])

    def test_jitter_puts_each_run_off_by_another_time(self):
        s = self.supervise("".join(task(f"t{i}", "cron = '@daily'\njitter = '1h'") for i in range(20)))
        delays = {one["due_usec"] - one["next_usec"] for one in self.schedule(s).values()}
        self.assertGreater(len(delays), 15)
        self.assertTrue(all(-2_000_000 <= delay <= 3600_000_000 for delay in delays), delays)


class Overlap(Schedules):
    def lasting(self, overlap):
        """A task that is due each second, of which each run writes a line to a pipe and lasts until its file is there."""
        s = self.prepare(task("long", f"interval = '1s'\noverlap = '{overlap}'",
                              '["sh", "-c", "echo began > @DIR@/out; while [ ! -e @DIR@/end ]; do sleep 0.05; done"]'))
        out = s.fifo("out")
        s.start()
        self.assertEqual("began", out.next())
        return s, out

    def told(self, s, text):
        self.await_true(text, lambda: text in self.schedule(s)["long"].get("told", ""))

    def test_is_left_out(self):
        s, _ = self.lasting("skip")
        pid = s.pid_of("long")
        self.told(s, "is left out: the one before is not over (running)")
        self.assertEqual(pid, s.pid_of("long"))
        self.assertIn("long: the run of ", s.log_text())

    def test_waits_for_the_one_before(self):
        s, out = self.lasting("queue")
        self.told(s, "waits until the one before is over")
        self.assertTrue(self.schedule(s)["long"]["queued"])
        s.write("end", "")
        self.assertEqual("began", out.next())
        self.await_true("its run is over", lambda: len(self.runs(s, "long")) > 1)
        self.assertIn("was due while the run before was not over", [run["start_cause"] for run in self.runs(s, "long")])

    def test_replaces_the_one_before(self):
        s, out = self.lasting("replace")
        self.assertEqual("began", out.next())
        self.assertIn("killed by SIGTERM", self.runs(s, "long")[0]["end_cause"])


class Missed(Schedules):
    def supervised_after(self, seconds, schedule="cron = '@daily'", more=""):
        """A supervisor whose state says up to when runs were dealt with."""
        s = self.prepare(task("backup", schedule, '["sh", "-c", "echo x >> @DIR@/runs"]', more))
        self.remember(s, "backup", seconds)
        return s.start()

    def test_is_made_up_for_by_one_run(self):
        s = self.supervised_after(int(time.time()) - 30 * DAY)
        s.ctl("wait", "--for=exit", "backup")
        runs = self.runs(s, "backup")
        self.assertEqual(1, len(runs))
        self.assertRegex(runs[0]["start_cause"], r"^makes up for its run of 20..-..-.. 00:00 [+-]..:.., which was missed$")
        self.assertGreater(self.schedule(s)["backup"]["next_usec"], time.time() * 1e6)
        self.await_true("it is remembered", lambda: self.dealt(s, "backup") > time.time() - 3600)
        last = self.schedule(s)["backup"]["last"]
        self.end(s)
        s.start().settle()
        self.assertEqual("stopped", s.instance("backup")["state"])
        again = self.schedule(s)["backup"]["last"]
        self.assertEqual((last["started_usec"], "exit 0", False), (again["started_usec"], again["cause"], again["failed"]))

    def test_is_left_out_and_told(self):
        s = self.supervised_after(int(time.time()) - 30 * DAY, "cron = '@daily'\nmissed = 'skip'").settle()
        self.assertEqual("stopped", s.instance("backup")["state"])
        self.assertRegex(self.schedule(s)["backup"]["told"], r"^the run of 20.* was missed, and is left out$")
        self.assertIn("was missed, and is left out", s.log_text())

    def test_needs_a_time_that_can_be_read(self):
        for content in ("", "yesterday\n", "-5\n", "99999999999999999999\n", "\0\0"):
            with self.subTest(content):
                s = self.supervised_after(content).settle()
                self.assertEqual("stopped", s.instance("backup")["state"])

    def test_is_none_where_the_clock_was_ahead(self):
        s = self.supervised_after(int(time.time()) + 3650 * DAY).settle()
        self.assertEqual("stopped", s.instance("backup")["state"])
        self.assertGreater(self.schedule(s)["backup"]["next_usec"], time.time() * 1e6)

    def test_interval_goes_on_over_a_restart_of_procsupd(self):
        s = self.supervised_after(int(time.time()) - 1800, "interval = '1h'").settle()
        left = self.schedule(s)["backup"]["next_usec"] / 1e6 - time.time()
        self.assertTrue(1700 < left <= 1800, left)

    def test_is_none_for_a_task_that_is_new(self):
        s = self.supervise(task("backup", "cron = '@daily'"))
        self.assertEqual("stopped", s.instance("backup")["state"])
        self.assertLess(abs(self.dealt(s, "backup") - time.time()), 60)

    def test_of_a_task_that_was_removed_is_forgotten(self):
        s = self.supervised_after(int(time.time()))
        s.configure("")
        s.ctl("apply")
        self.await_true("its file is gone", lambda: not os.path.exists(s.path("state", "schedule", "backup")))


class Control(Schedules):
    def test_a_stop_lasts_until_somebody_starts_it(self):
        s = self.supervise(task("tick", "interval = '1s'"))
        s.ctl("stop", "tick")
        stopped = time.time()
        self.await_true("a run is left out", lambda: self.dealt(s, "tick") > stopped + 1)
        self.assertEqual("stopped", s.instance("tick")["state"])
        self.assertRegex(s.ctl("schedule").out, r"(?m)^tick +every 1s +stopped ")
        self.assertIn("not in force: it was stopped by order", s.ctl("why", "tick", expect=3).out)
        events = s.events("tick")
        s.ctl("start", "tick")
        self.assertIn("start asked", events.until("tick", "starting")["cause"])
        self.assertEqual("its interval of 1s has passed", events.until("tick", "starting")["cause"])

    def test_a_run_is_not_cut_off_by_apply(self):
        text = task("long", "interval = '1s'", '["sleep", "1000"]')
        s = self.supervise(text)
        self.await_true("it runs", lambda: s.instance("long")["state"] == "running")
        pid = s.pid_of("long")
        s.configure(text.replace("1000", "1001").replace("1s", "1h"))
        s.ctl("apply")
        self.assertEqual(pid, s.pid_of("long"))
        self.assertEqual("every 1h", self.schedule(s)["long"]["schedule"])
        s.ctl("start", "long", "--no-wait")
        s.ctl("restart", "long", "--no-wait")
        self.await_true("it runs anew", lambda: s.instance("long")["state"] == "running" and s.pid_of("long") != pid)

    def test_what_is_not_enabled_is_not_started(self):
        s = self.supervise(task("off", "interval = '1s'", more="enabled = false") + task("on", "interval = '1s'"))
        self.await_true("the other one has run", lambda: s.instance("on")["state"] == "exited")
        self.assertEqual("stopped", s.instance("off")["state"])
        self.assertRegex(s.ctl("schedule", "off").out, r"(?m)^off +every 1s +not enabled +- ")

    def test_mistakes_are_told_with_their_place_and_what_is_meant(self):
        for schedule, message in (("cron = '61 * * * *'", "61"), ("cron = '* * * *'", "schedule.cron"),
                                  ("cron = '@daily'\ntimezone = 'Europe/Berlni'", "did you mean 'Europe/Berlin'?"),
                                  ("interval = '5'", "schedule.interval"), ("crom = '@daily'", "did you mean 'cron'?")):
            with self.subTest(schedule):
                s = self.prepare(task("bad", schedule))
                done = s.ctl("check", s.config, expect=6)
                self.assertRegex(done.out + done.err, r"procsup.toml:\d+:\d+: ")
                self.assertIn(message, done.out + done.err)


if __name__ == "__main__":
    unittest.main()
