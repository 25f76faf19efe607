"""The watchdog of procsupd.service, and what a crash of procsupd leads to."""

import signal

from on_systemd import SERVICE, TIME_SCALE, ServiceTest, ctl, main, properties, wait_for


class Watchdog(ServiceTest):
    def setUp(self):
        super().setUp()
        self.job("sleeper", 'command = "sleep infinity"')

    def test_is_armed(self):
        self.start()
        shown = properties(SERVICE, "WatchdogUSec", "WatchdogTimestampMonotonic")
        self.assertEqual(shown["WatchdogUSec"], "30s")
        self.assertGreater(int(shown["WatchdogTimestampMonotonic"]), 0)

    def test_lets_an_idle_procsupd_live(self):
        self.drop_in(f"WatchdogSec={TIME_SCALE}s", "Restart=no")
        self.start()
        self.assertFalse(self.daemon().ends_within(3 * TIME_SCALE))
        ctl("ping")

    def test_ends_a_procsupd_that_hangs_and_its_jobs(self):
        self.drop_in(f"WatchdogSec={TIME_SCALE}s", "Restart=no")
        self.start()
        ctl("wait", "--for=ready", "sleeper")
        job = self.process_of("sleeper")
        self.daemon().send(signal.SIGSTOP)
        wait_for(SERVICE, ActiveState="failed", Result="watchdog")
        self.assertTrue(job.ends_within(5 * TIME_SCALE))

    def test_is_followed_by_a_new_procsupd_with_new_jobs(self):
        self.drop_in(f"WatchdogSec={TIME_SCALE}s")
        self.start()
        ctl("wait", "--for=ready", "sleeper")
        daemon, job = self.daemon(), self.process_of("sleeper")
        daemon.send(signal.SIGSTOP)
        wait_for(SERVICE, ActiveState="active", NRestarts="1", StatusText="1 running")
        self.assertTrue(daemon.ends_within(0))
        self.assertTrue(job.ends_within(0))
        self.assertNotEqual(self.process_of("sleeper").pid, job.pid)


class Crash(ServiceTest):
    def test_of_procsupd_is_followed_by_a_new_one_and_one_copy_of_each_job(self):
        self.job("sleeper", 'command = "sleep infinity"')
        self.start()
        ctl("wait", "--for=ready", "sleeper")
        job = self.process_of("sleeper")
        self.daemon().send(signal.SIGKILL)
        wait_for(SERVICE, ActiveState="active", NRestarts="1", StatusText="1 running")
        self.assertTrue(job.ends_within(0))


if __name__ == "__main__":
    main()
