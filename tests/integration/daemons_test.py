"""Jobs bound to the life of another, and what becomes of all when procsupd itself is killed."""
import os
import shutil
import signal
import subprocess
import unittest

from harness import PROCSUPD, IntegrationTest
from hostile import GROUPS
from processes import descendants, wait_gone

SHOP = """
[jobs.shop]
command = ["sleep", "1000"]
restart = "always"
min_uptime = "0s"
restart_delay = "0s"
[jobs.logger]
command = ["sleep", "2000"]
daemon_of = "shop"
"""
EXAMPLES = os.path.join(os.path.dirname(__file__), "../../conf/examples")


class Bound(IntegrationTest):
    def serve(self, more=""):
        s = self.supervise(SHOP + more)
        s.ctl("wait", "logger")
        return s, s.pid_of("shop"), s.pid_of("logger")

    def assert_new_pair(self, s, events, shop, logger):
        """The old daemon was gone when its parent started again, and a new one runs."""
        events.until("shop", "running")
        self.assertTrue(wait_gone(logger, 0))
        events.until("logger", "running")
        self.assertNotIn(s.pid_of("shop"), (shop, None))
        self.assertNotIn(s.pid_of("logger"), (logger, None))

    def test_a_daemon_ends_with_its_parent_however_that_ends(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV):
            with self.subTest(number):
                s, shop, logger = self.serve()
                events = s.events("shop", "logger")
                os.kill(shop, number)
                self.assert_new_pair(s, events, shop, logger)
                events.close()

    def test_a_restart_of_the_parent_restarts_its_daemon(self):
        s, shop, logger = self.serve()
        events = s.events("shop", "logger")
        s.ctl("restart", "shop")
        self.assert_new_pair(s, events, shop, logger)
        events.close()

    def test_a_stop_of_the_parent_ends_its_daemon_which_waits(self):
        s, shop, logger = self.serve()
        events = s.events("shop", "logger")
        s.ctl("stop", "shop")
        event = events.until("logger", "waiting")
        self.assertTrue(event["cause"].startswith("shop, whose daemon it is, has ended: stop asked by uid "), event)
        self.assertTrue(wait_gone(logger, 0))
        s.ctl("start", "shop")
        events.until("logger", "running")
        events.close()

    def test_a_kept_daemon_lives_through_a_restart(self):
        s, _, logger = self.serve('on_parent_restart = "keep"\n')
        s.ctl("restart", "shop")
        self.assertEqual(logger, s.pid_of("logger"))
        s.ctl("stop", "shop")
        self.assertTrue(wait_gone(logger))

    def test_a_command_is_the_daemon_of_the_job_that_runs_it(self):
        s = self.supervise()
        ready = s.fifo("ready")
        s.configure('[jobs.shop]\nshell = "procsupctl run --daemon --name=child -- sleep 1000; echo ready > @DIR@/ready; '
                    'exec sleep 1000"\nrestart = "no"\n[jobs.shop.env]\n' + f'PATH = "{s.ctl_env()["PATH"]}:'
                    + os.path.dirname(os.environ.get("PROCSUPCTL", "")) + '"\n')
        s.ctl("reload")
        self.assertEqual("ready", ready.next())
        child = s.pid_of("child")
        os.kill(s.pid_of("shop"), signal.SIGKILL)
        self.assertTrue(wait_gone(child))

    def test_a_command_is_the_daemon_of_the_first_of_several_that_is_called_as_its_job(self):
        s = self.supervise()
        ready = s.fifo("ready")
        s.configure('[jobs.shop]\nshell = "trap \'procsupctl run --daemon --name=child -- sleep 1000; echo ready > @DIR@/ready\' HUP; '
                    'echo ready > @DIR@/ready; while :; do sleep 1000 & wait; done"\nrestart = "no"\n[jobs.shop.env]\n'
                    + f'PATH = "{s.ctl_env()["PATH"]}:' + os.path.dirname(os.environ.get("PROCSUPCTL", "")) + '"\n')
        s.ctl("reload")
        self.assertEqual("ready", ready.next())
        s.ctl("scale", "shop", "2")
        self.assertEqual("ready", ready.next())
        s.ctl("signal", "HUP", "shop@0")
        self.assertEqual("ready", ready.next())
        child = s.pid_of("child")
        s.ctl("stop", "shop@0")
        self.assertTrue(wait_gone(child))

    def test_a_command_is_the_daemon_of_a_process(self):
        s = self.supervise()
        with subprocess.Popen(["sleep", "1000"]) as parent:
            s.ctl("run", "--daemon", "--bind", str(parent.pid), "--name=child", "--", "sleep", "2000")
            child = s.pid_of("child")
            parent.kill()
        self.assertTrue(wait_gone(child))
        self.assertIn("'-1' is no process id", s.ctl("run", "--daemon", "--bind=-1", "--", "true", expect=2).err)
        self.assertIn("No such process", s.ctl("run", "--daemon", "--bind", str(parent.pid), "--", "true", expect=125).err)

    def test_a_batch_ends_with_its_last_job_and_the_first_failure(self):
        with open(os.path.join(EXAMPLES, "daemons.toml"), encoding="utf-8") as file:
            example = file.read()
        for more, code in (("", 0), ('[jobs.bad]\nshell = "exit 7"\nrestart = "no"\n', 7)):
            with self.subTest(code):
                s = self.prepare(example + more, options=["--batch"])
                s.launch()
                self.assertEqual(code, s.wait_end())
                self.assertEqual({}, descendants(s.process.pid))


class Course(IntegrationTest):
    """conf/examples/processes: what courses on processes teach with Python programs."""

    def launch(self, *options, lives="0.8"):
        """`lives`: how long the programs with the zombie and the orphan last, in seconds."""
        s = self.prepare(options=options)
        s.config = s.path("project", "procsup.toml")
        shutil.copytree(os.path.join(EXAMPLES, "processes"), s.path("project"))
        for name in ("neglect.py", "leave.py"):
            path = s.path("project", name)
            with open(path, encoding="utf-8") as file:
                program = file.read()
            s.write(path, program.replace("sleep(0.8)", f"sleep({lives})"))
        return s.launch()

    def tree(self, s, name):
        return s.ctl("tree", name, "--json").json["trees"][0]["processes"]

    def test_a_daemon_process_ends_with_its_main_process_and_others_are_waited_for(self):
        s = self.launch("--batch")
        self.assertEqual(0, s.wait_end())
        log = s.log_text()
        said = [line.partition(" | ")[2] for line in log.splitlines() if not line.startswith("20")]
        self.assertIn("watch may not have children: Operation not permitted", said)
        self.assertIn("watch is there", said)
        ended = said.index("main ends")
        self.assertGreater(said.index("report ends"), ended)
        self.assertNotIn("watch is there", said[ended + 2:])  # one line may have been on its way
        self.assertIn("watch: running -> stopping", log[log.index("main: running -> exited"):])
        self.assertIn("the orphan ends", said)

    def test_zombies_and_orphans_are_known_by_their_job_while_they_exist(self):
        s = self.launch(lives="1000")
        self.assertTrue(s.wait_notified("READY=1"))
        self.await_true("both are there", lambda: all(
            word in s.ctl("logs", "-o", "cat").out for word in ("neglect has the zombie ", "was left by ")))
        self.await_true("the main process has ended", lambda: "leave: running -> running: exit 0" in s.log_text())
        neglecting = s.pid_of("neglect")
        self.await_true("a zombie is shown", lambda: ["Z"] == [
            one["state"] for one in self.tree(s, "neglect") if one["parent"] == neglecting])
        if GROUPS:
            self.assertEqual([True], [one["orphan"] for one in self.tree(s, "leave")])
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end())


class Killed(IntegrationTest):
    """kill -9 of procsupd: in each way to hold jobs that promises to end them."""

    def each_way(self):
        for mode in ["keeper", *(["cgroup"] if GROUPS else [])]:
            with self.subTest(mode):
                yield self.supervise('[jobs.deaf]\nshell = "trap \'\' TERM; setsid sleep 1000 & sleep 2000"\n'
                                     'stop_timeout = "100ms"\n'
                                     '[jobs.many]\ncommand = ["sleep", "3000"]\ninstances = 5\n',
                                     options=[f"--containment={mode}"])

    def test_every_tree_ends_and_no_second_copy_is_started(self):
        for s in self.each_way():
            self.await_true("the shell has started its children", lambda: len(s.job_processes()) == 8)
            jobs = s.job_processes()
            s.process.kill()
            s.process.wait()
            s.start().settle()
            # The next one is ready only when nothing of the first is left.
            self.assertTrue(all(wait_gone(pid, 0) for pid in jobs))
            self.assertEqual({"running"}, {one["state"] for one in s.instances().values()})

    def test_a_promise_that_cannot_be_kept_is_not_made(self):
        s = self.prepare('[daemon]\non_crash = "stop"\n', options=["--containment=group"])
        s.launch()
        self.assertEqual(1, s.wait_end())
        self.assertIn('cannot promise on_crash = "stop": jobs can only be held by process groups here', s.log_text())

    def test_nothing_lives_on_without_a_next_one(self):
        for s in self.each_way():
            below = descendants(s.process.pid)  # the guard or keepers too
            s.process.kill()
            self.assertTrue(all(wait_gone(pid) for pid in below))

    def test_without_guard_or_keepers_the_next_one_ends_what_is_left(self):
        for s in self.each_way():
            below = descendants(s.process.pid)
            jobs = s.job_processes()
            os.kill(s.process.pid, signal.SIGSTOP)
            for pid, text in below.items():
                if "procsup-guard" in text:
                    os.kill(pid, signal.SIGKILL)
            s.process.kill()
            s.process.wait()
            s.start().settle()
            self.assertTrue(all(wait_gone(pid, 0) for pid in jobs))


if __name__ == "__main__":
    unittest.main()
