"""What becomes of processes whose main process has ended: killed, adopted or ignored, and when the next run begins."""
import os
import signal
import unittest

from hostile import MODES, PLACES, HostileTest, everywhere
from wire import Wire

ON_THE_HOST = {name: settings for name, settings in PLACES.items() if "first" not in settings}


class Orphans:
    """The main process leaves one behind: a daemon, or, for a process group, one that stays in it."""

    def leave(self, *lines, **arguments):
        return self.hold("chain 2 go" if self.mode == "group" else "escape go", *lines, **arguments)

    def left_one(self, s):
        """The process that the main process has left, once that is collected."""
        self.await_true("the main process has ended", lambda: s.instance("hostile")["pid"] is None)
        left, = self.living(s)
        return left

    def test_an_adopted_one_keeps_its_job_running(self):
        s = self.leave('orphans = "adopt"')
        left = self.left_one(s)
        self.assertEqual("running", s.instance("hostile")["state"])
        s.ctl("start", "--no-wait", "hostile")
        self.assertEqual([left], list(self.living(s)))

    def test_an_adopted_one_is_told_to_end_by_a_stop(self):
        s = self.leave('orphans = "adopt"', 'stop_timeout = "10min"')
        self.left_one(s)
        self.assert_stop_leaves_nothing(s)

    def test_the_end_of_the_last_adopted_one_is_the_end_of_the_job(self):
        s = self.leave('orphans = "adopt"')
        os.kill(self.left_one(s), signal.SIGKILL)
        s.ctl("wait", "--for=stopped", "hostile")
        self.assert_nothing_is_left(s, "exited")

    def test_the_next_run_begins_when_the_last_adopted_one_has_ended(self):
        s = self.leave('orphans = "adopt"', restart="always")
        left = self.left_one(s)
        self.assertEqual(0, s.instance("hostile")["restarts"])
        os.kill(left, signal.SIGKILL)
        self.await_up(s, 1)
        self.assertNotEqual(left, self.left_one(s))
        self.assertEqual(1, s.instance("hostile")["restarts"])

    def test_adopted_ones_stand_still_with_their_job(self):
        s = self.leave('orphans = "adopt"')
        left = self.left_one(s)
        s.ctl("pause", "hostile")
        self.await_paused(s)
        s.ctl("resume", "hostile")
        self.assertEqual("running", s.instance("hostile")["state"])
        self.assertEqual([left], list(self.living(s)))
        self.assert_stop_leaves_nothing(s)

    def test_a_shutdown_ends_adopted_ones(self):
        s = self.leave('orphans = "adopt"')
        self.left_one(s)
        self.assert_shutdown_leaves_nothing(s)

    def assert_shutdown_leaves_nothing(self, s):
        s.ctl("shutdown")
        self.assertEqual({}, self.living(s))
        self.assertEqual(0, s.wait_end())

    def test_the_next_runs_begin_beside_ignored_ones_until_the_daemon_ends(self):
        s = self.leave('orphans = "ignore"')
        for count in range(1, 5):
            s.ctl("wait", "--for=stopped", "hostile")
            self.assertEqual("exited", s.instance("hostile")["state"])
            self.assertEqual(count, len(self.living(s)))
            s.ctl("start", "--no-wait", "hostile")
            self.await_up(s, 1)
        self.assert_shutdown_leaves_nothing(s)

    def test_a_killed_one_is_gone_before_the_next_run(self):
        s = self.leave(count=0)
        for _ in range(10):
            s.ctl("wait", "--for=stopped", "hostile")
            self.assertEqual({}, self.living(s))
            s.ctl("start", "--no-wait", "hostile")


class Groups(HostileTest):
    """The kernel's groups know to which job a process belongs that has cut all other ties."""

    mode = "cgroup"

    def who_is(self, s, pid):
        with Wire(s.socket) as wire:
            return wire.call("io.procsupd.Manager.WhoIs", {"pid": pid})["parameters"]

    def test_the_job_of_an_escaped_process_is_known(self):
        s = self.hold("escape stay", before='[jobs.other]\ncommand = ["sleep", "1000"]')
        main = s.pid_of("hostile")
        escaped, = set(self.living(s)) - {main}
        self.assertEqual({"instance": "hostile", "job": "hostile", "main": False}, self.who_is(s, escaped))
        self.assertEqual({"instance": "hostile", "job": "hostile", "main": True}, self.who_is(s, main))

    def test_the_job_of_an_ignored_process_is_known(self):
        s = self.hold("escape go", 'orphans = "ignore"', "instances = 2", count=2)
        s.ctl("wait", "--for=stopped", "hostile")
        s.ctl("start", "--no-wait", "hostile")
        self.await_up(s, 2)
        s.ctl("wait", "--for=stopped", "hostile")
        known = sorted(self.who_is(s, pid)["instance"] for pid in self.living(s))
        self.assertEqual(["hostile@0", "hostile@0", "hostile@1", "hostile@1"], known)

    def test_no_group_is_left_when_the_daemon_has_ended(self):
        s = self.hold("escape go", 'orphans = "ignore"')
        mine = s.cgroup()
        self.assertTrue(os.path.isdir(mine))
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end())
        self.assertFalse(os.path.exists(mine))


everywhere(Orphans, globals(), MODES, ON_THE_HOST)

if __name__ == "__main__":
    unittest.main()
