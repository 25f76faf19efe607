"""What crosses on the socket between procsupd and a keeper: neither loses what the other has said."""
import os
import signal
import unittest

from hostile import HostileTest
from processes import parents


class Crossing(HostileTest):
    mode = "keeper"

    def await_state(self, pid, states):
        self.await_true(f"{pid} is in {states}", lambda: parents()[pid][1] in states)

    def hold_kept(self, *words):
        """A job, its keeper and its main process."""
        s = self.hold(*words)
        main = s.pid_of("hostile")
        return s, parents()[main][0], main

    def test_a_stop_that_the_keeper_did_not_read_before_it_ended(self):
        for _ in range(3):
            s, keeper, main = self.hold_kept("chain 1 stay", 'stop_timeout = "10min"')
            os.kill(keeper, signal.SIGSTOP)
            self.await_state(keeper, "T")
            os.kill(main, signal.SIGKILL)
            self.await_state(main, "Z")
            s.ctl("stop", "--no-wait", "hostile")
            # Both its report and its end are there when procsupd looks.
            s.process.send_signal(signal.SIGSTOP)
            self.await_state(s.process.pid, "T")
            os.kill(keeper, signal.SIGCONT)
            self.await_state(keeper, "Z")
            s.process.send_signal(signal.SIGCONT)
            s.ctl("wait", "--for=stopped", "hostile", "--timeout=10s")
            instance = s.instance("hostile")
            self.assertEqual(("SIGKILL", main), (instance["exit_signal"], instance["last_run"]["pid"]))


if __name__ == "__main__":
    unittest.main()
