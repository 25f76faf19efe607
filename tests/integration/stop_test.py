"""How jobs are told to end and made to stand still: whom the signals reach, for how long one waits, and what is then left."""
import os
import signal
import time
import unittest

from hostile import MODES, PLACES, everywhere
from processes import SCALE, wait_gone

PATIENT = 'stop_timeout = "10min"'
ON_THE_HOST = {name: settings for name, settings in PLACES.items() if "first" not in settings}


class Stop:
    """`family` is what the way of holding jobs has to hold: processes of the main process' session, or also others."""

    def family(self, *lines):
        apart = "group" if self.mode == "group" else "session"
        return self.hold(f"report_signals 3 {apart}", *lines, count=4)

    def reports(self, s, count):
        return sorted(s.up.next() for _ in range(count))

    def assert_stopped_in_time(self, s):
        self.assert_nothing_is_left(s)
        self.assertNotIn("did not end", s.instance("hostile")["cause"])
        self.assertEqual(b"", s.up.buffer)

    def test_the_main_process_is_told_first_and_the_others_when_it_has_ended(self):
        s = self.family(PATIENT)
        s.ctl("stop", "hostile")
        self.assertEqual(["main 15", "child 15", "child 15", "child 15"], [s.up.next() for _ in range(4)])
        self.assert_stopped_in_time(s)

    def test_all_are_told_at_once_where_that_is_asked_for(self):
        s = self.family(PATIENT, 'stop_signal_to = "all"', 'stop_signal = ["SIGUSR1", "50ms", "SIGTERM"]')
        s.ctl("stop", "hostile")
        self.assertEqual(["child 10"] * 3 + ["child 15"] * 3 + ["main 10", "main 15"], self.reports(s, 8))
        self.assert_stopped_in_time(s)

    def test_those_who_are_left_get_every_signal_of_the_sequence(self):
        s = self.family(PATIENT, 'stop_signal = ["SIGUSR1", "50ms", "SIGTERM"]')
        s.ctl("stop", "hostile")
        self.assertEqual(["main 10", "main 15"], [s.up.next(), s.up.next()])
        self.assertEqual(["child 10"] * 3 + ["child 15"] * 3, self.reports(s, 6))
        self.assert_stopped_in_time(s)

    def test_the_others_are_not_waited_for_where_only_the_main_process_is_to_end(self):
        s = self.family(PATIENT, 'stop_scope = "main"')
        s.ctl("stop", "hostile")
        self.assertEqual("main 15", s.up.next())
        self.assert_stopped_in_time(s)

    def test_many_stubborn_jobs_are_ended_side_by_side(self):
        s = self.hold("tree 3 deaf", 'stop_timeout = "1s"', "instances = 20", count=80)
        begun = time.monotonic()
        s.ctl("stop", "hostile")
        took = time.monotonic() - begun
        self.assertEqual({}, self.living(s))
        self.assertEqual({"stopped"}, {one["state"] for one in s.instances().values()})
        self.assertGreater(took, 1)
        self.assertLess(took, 6 * SCALE)

    def ask_all(self, s):
        """Everyone who runs answers."""
        for pid in self.living(s):
            os.kill(pid, signal.SIGUSR1)

    def test_a_paused_job_stands_still_and_goes_on(self):
        s = self.family()
        s.ctl("pause", "hostile")
        self.await_paused(s)
        self.ask_all(s)
        self.await_paused(s)
        s.ctl("resume", "hostile")
        self.assertEqual(["child 10"] * 3 + ["main 10"], self.reports(s, 4))
        self.assertEqual("running", s.instance("hostile")["state"])
        self.assertNotIn("T", self.living(s).values())

    def test_a_paused_job_stays_so_when_it_gets_a_signal(self):
        s = self.family()
        s.ctl("pause", "hostile")
        s.run("signal", "USR1", "hostile")
        self.await_paused(s)

    def test_a_paused_job_is_told_to_end_like_any_other(self):
        s = self.family(PATIENT)
        s.ctl("pause", "hostile")
        self.await_paused(s)
        s.ctl("stop", "hostile")
        self.assertEqual(["main 15", "child 15", "child 15", "child 15"], [s.up.next() for _ in range(4)])
        self.assert_stopped_in_time(s)

    def test_a_paused_job_that_ignores_every_signal_is_ended(self):
        s = self.hold("tree 3 deaf", 'stop_timeout = "200ms"', count=4)
        s.ctl("pause", "hostile")
        self.await_paused(s)
        self.assert_stop_leaves_nothing(s)

    def test_a_paused_job_that_is_killed_is_started_again_and_holds_up_nobody(self):
        s = self.hold("tree 3 deaf", 'restart_delay = "10ms"', count=4, restart="always")
        for _ in range(3):
            s.ctl("pause", "hostile")
            pid = s.pid_of("hostile")
            os.kill(pid, signal.SIGKILL)
            self.assertTrue(wait_gone(pid))
            s.ctl("wait", "--for=ready", "hostile")
            self.assertNotEqual(pid, s.pid_of("hostile"))
            self.await_true("it runs", lambda: "T" not in self.living(s).values())

    def test_a_paused_job_does_not_hold_up_a_shutdown(self):
        s = self.family(PATIENT)
        s.ctl("pause", "hostile")
        s.ctl("shutdown")
        self.assertEqual({}, self.living(s))
        self.assertEqual(0, s.wait_end())


everywhere(Stop, globals(), MODES, ON_THE_HOST)

if __name__ == "__main__":
    unittest.main()
