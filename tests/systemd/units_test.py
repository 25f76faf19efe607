"""The unit files themselves."""

import os
import unittest

from on_systemd import SYSTEM_UNITS, USER_UNITS, main, properties, run


class Units(unittest.TestCase):
    def complaints(self, *command):
        done = run("systemd-analyze", *command, check=False, env={**os.environ, "XDG_RUNTIME_DIR": "/run/user/0"})
        # It succeeds in spite of a key that it does not know.
        said = [line for line in (done.stdout + done.stderr).splitlines() if "procsupd" in line]
        return done.returncode, said or (done.stdout + done.stderr if done.returncode != 0 else [])

    def test_of_the_system_are_flawless(self):
        units = [SYSTEM_UNITS / "procsupd.service", SYSTEM_UNITS / "procsupd.socket"]
        self.assertEqual(self.complaints("verify", "--man=no", *units), (0, []))

    def test_of_a_user_are_flawless(self):
        os.makedirs("/run/user/0", exist_ok=True)
        self.assertEqual(self.complaints("--user", "verify", "--man=no", USER_UNITS / "procsupd.service"), (0, []))

    def test_give_a_stop_more_time_than_procsupd_takes_by_default(self):
        shutdown_timeout_and_kill = 90_000_000 + 5_000_000
        microseconds = int(run("busctl", "get-property", "org.freedesktop.systemd1",
                               "/org/freedesktop/systemd1/unit/procsupd_2eservice",
                               "org.freedesktop.systemd1.Service", "TimeoutStopUSec").stdout.split()[1])
        self.assertGreater(microseconds, shutdown_timeout_and_kill)

    def test_leave_the_order_of_ending_jobs_to_procsupd(self):
        wanted = {"KillMode": "mixed", "Delegate": "yes", "OOMPolicy": "continue", "TasksMax": "infinity", "LogRateLimitBurst": "10000000",
                  "Restart": "always", "NotifyAccess": "main"}
        self.assertEqual(properties("procsupd.service", *wanted), wanted)


if __name__ == "__main__":
    main()
