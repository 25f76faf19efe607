"""What procsupd remembers gets to the disk, whatever the disk or the logger does meanwhile."""
import os
import signal
import time
import unittest

import fuse
from captured import CaptureTest
from processes import SCALE

JOB = '[jobs.web]\ncommand = ["sleep", "infinity"]\nrestart = "unless-stopped"\nmin_uptime = "0s"\n'


class State(CaptureTest):
    def setUp(self):
        super().setUp()
        self.s = self.supervise(JOB)
        self.note = os.path.join(self.s.state, "stopped", "web")

    def await_note(self):
        self.await_true("it is remembered", lambda: os.path.exists(self.note))

    def test_a_logger_that_is_killed_before_it_has_written_it(self):
        self.s.ctl("stop", "web")
        self.await_note()
        logger = self.hold_logger(self.s)
        self.s.ctl("start", "web")
        self.s.ctl("stop", "web")
        self.s.ctl("start", "web")
        os.kill(logger, signal.SIGKILL)
        self.await_true("the newest is what is kept", lambda: not os.path.exists(self.note))

    def test_what_is_in_the_way_is_told_and_tried_again(self):
        os.makedirs(self.s.state, exist_ok=True)
        obstacle = self.s.write("state/stopped", "a file")
        self.s.ctl("stop", "web")
        self.await_log(self.s, f"cannot keep {self.note}: cannot open the directory {obstacle}: Not a directory; it is tried again")
        os.unlink(obstacle)
        self.await_note()
        self.await_log(self.s, f"{self.note} is up to date again")

    @unittest.skipUnless(fuse.available(), "needs root and /dev/fuse")
    def test_a_disk_that_hangs_holds_up_nobody(self):
        os.makedirs(self.s.state, exist_ok=True)
        mount = fuse.SilentMount(self.s.state)
        self.addCleanup(mount.close)
        begun = time.monotonic()
        self.s.ctl("stop", "web")
        self.assertLess(time.monotonic() - begun, 0.1 * SCALE)
        mount.take()
        begun = time.monotonic()
        self.s.ctl("start", "web")
        self.s.ctl("stop", "web")
        self.assertLess(time.monotonic() - begun, 0.2 * SCALE)
        mount.close()
        self.await_note()


if __name__ == "__main__":
    unittest.main()
