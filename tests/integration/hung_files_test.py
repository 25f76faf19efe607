"""Files that make a process wait for ever: the job hangs, the supervisor does not."""
import os
import subprocess
import unittest

import fuse
from harness import PROCSUPCTL, IntegrationTest
from processes import SCALE

SOON = f"--timeout={int(5000 * SCALE)}ms"
HUNG = """
[jobs.other]
command = ["sleep", "1000"]
enabled = false
[jobs.hung]
command = ["sleep", "1000"]
working_dir = "@DIR@/mount"
enabled = false
restart = "no"
start_timeout = "{start_timeout}"
"""


class Fifos(IntegrationTest):
    def test_a_fifo_without_a_reader_as_output_is_an_error(self):
        s = self.prepare('[jobs.web]\ncommand = ["sleep", "1000"]\nrestart = "no"\nenabled = false\n[jobs.web.log]\n'
                         'stdout = "@DIR@/out"\n')
        os.mkfifo(s.path("out"))
        s.start()
        self.assertIn(f"cannot open stdout {s.path('out')}: No such device or address",
                      s.ctl("start", "web", expect=1).err)
        s.ctl("ping", SOON)

    def test_a_fifo_without_a_writer_as_input_does_not_keep_the_job_from_starting(self):
        s = self.prepare('[jobs.web]\ncommand = ["sleep", "1000"]\n[jobs.web.log]\nstdin = "@DIR@/in"\n')
        os.mkfifo(s.path("in"))
        s.start()
        s.ctl("wait", "web", SOON)

    def test_a_full_pipe_as_the_daemons_log_does_not_stop_it(self):
        reader, writer = os.pipe()
        s = self.prepare('[jobs.web]\ncommand = ["sleep", "1000"]\n[jobs.web.log]\nstdout = "null"\nstderr = "null"\n',
                         stdout=writer, stderr=writer)
        s.start()
        os.set_blocking(writer, False)
        try:
            while os.write(writer, b"x" * 4096):
                pass
        except BlockingIOError:
            os.set_blocking(writer, True)
        for _ in range(20):
            s.ctl("restart", "web", "--no-wait", SOON)
            s.ctl("wait", "web", SOON)
        s.ctl("ping", SOON)
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end())
        os.close(reader)
        os.close(writer)


@unittest.skipUnless(fuse.available(), "needs root and /dev/fuse")
class HungMount(IntegrationTest):
    def prepare_mount(self, start_timeout):
        s = self.prepare(HUNG.format(start_timeout=start_timeout))
        os.mkdir(s.path("mount"))
        s.start()
        mount = fuse.SilentMount(s.path("mount"))
        self.addCleanup(mount.close)
        return s, mount

    def test_start_timeout_ends_a_job_that_hangs_before_exec(self):
        s, _ = self.prepare_mount("300ms")
        result = s.ctl("start", "hung", expect=1)
        self.assertIn("start_timeout", result.err)
        self.assertEqual("failed", s.instance("hung")["state"])

    def test_the_supervisor_and_other_jobs_go_on_while_one_hangs(self):
        s, mount = self.prepare_mount("1h")
        s.ctl("start", "hung", "--no-wait", SOON)
        mount.take()
        self.assertEqual("starting", s.instance("hung")["state"])
        s.ctl("ping", SOON)
        s.ctl("start", "other", SOON)
        s.ctl("restart", "other", SOON)
        s.ctl("stop", "other", SOON)
        self.assertEqual("sh", s.ctl("run", "-q", "--", "sh", "-c", "echo sh").out.strip())
        mount.close()
        s.ctl("wait", "--for=stopped", "hung", SOON)
        self.assertIn("cannot change to directory", s.instance("hung")["cause"])

    def test_what_cannot_be_killed_stays_in_stopping_until_it_has_ended(self):
        s, mount = self.prepare_mount("100ms")
        s.ctl("start", "hung", "--no-wait", SOON)
        mount.take()
        s.ctl("stop", "hung", f"--timeout={int(500 * SCALE)}ms", expect=124)
        self.assertEqual("stopping", s.instance("hung")["state"])
        s.ctl("ping", SOON)
        mount.close()
        s.ctl("wait", "--for=stopped", "hung", SOON)
        self.assertEqual("stopped", s.instance("hung")["state"])

    def test_jobs_that_are_started_together_with_hanging_ones_run(self):
        s = self.prepare("[defaults]\ninstances = 8\n" + HUNG.format(start_timeout="1h"))
        os.mkdir(s.path("mount"))
        s.start()
        mount = fuse.SilentMount(s.path("mount"))
        self.addCleanup(mount.close)
        s.ctl("start", "hung", "other", "--no-wait", SOON)
        mount.take()
        s.ctl("wait", "other", SOON)
        self.assertEqual({"starting"}, {i["state"] for i in s.instances("hung").values()})
        mount.close()
        s.ctl("wait", "--for=stopped", "hung", SOON)

    def test_many_jobs_that_hang_do_not_keep_others_from_starting(self):
        s = self.prepare(HUNG.format(start_timeout="1h") + "instances = 64\n")
        os.mkdir(s.path("mount"))
        s.start()
        priority = os.sched_getscheduler(s.process.pid)
        mount = fuse.SilentMount(s.path("mount"))
        self.addCleanup(mount.close)
        s.ctl("start", "hung", "--no-wait", SOON)
        mount.take()
        s.ctl("start", "other")
        self.assertEqual({"starting"}, {i["state"] for i in s.instances("hung").values()})
        self.await_true("it runs before others again", lambda: os.sched_getscheduler(s.process.pid) == priority)
        mount.close()
        s.ctl("wait", "--for=stopped", "hung", SOON)

    def test_a_configuration_that_hangs_does_not_hang_the_supervisor(self):
        s, mount = self.prepare_mount("1h")
        s.ctl("reload", f"--timeout={int(300 * SCALE)}ms", expect=124)
        mount.take()
        s.ctl("ping", SOON)
        s.ctl("start", "other", SOON)
        mount.close()
        s.ctl("reload")
        s.ctl("is-active", "other")


@unittest.skipUnless(fuse.available(), "needs root and /dev/fuse")
class HungListing(IntegrationTest):
    def test_keeps_who_asks_for_it_waiting_for_some_time_and_status_hardly(self):
        """The directory in which the helper looks for processes does not answer; they are more than are looked at without it."""
        s = self.supervise('[jobs.many]\nshell = "for i in $(seq 40); do sleep 1000 & done; wait"\n')
        if s.daemon()["containment"] != "cgroup":
            self.skipTest("there are no cgroups")
        self.await_true("all of them", lambda: s.instance("many")["tasks"] == 41)
        place = s.ctl("tree", "--json").json["trees"][0]["place"]
        mount = fuse.SilentMount(os.path.dirname(place))
        self.addCleanup(mount.close)
        tree = subprocess.Popen([PROCSUPCTL, "tree"], env=s.ctl_env(), stderr=subprocess.PIPE, text=True)
        used = s.ctl("status", "many", "--json", SOON).json["instances"][0]
        self.assertIn("cpu_usec", used)
        self.assertNotIn("memory", used)
        self.assertIn("cannot list processes: procsupd --list-processes did not answer within 10s", tree.communicate()[1])
        self.assertEqual(1, tree.returncode)
        mount.close()
        self.assertEqual(41, len(s.ctl("tree", "--json").json["trees"][0]["processes"]))
        self.assertGreater(s.instance("many")["memory"], 41 * 100_000)


if __name__ == "__main__":
    unittest.main()
