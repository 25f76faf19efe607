"""A oneshot that has ended well is up until it is stopped: what requires it goes down with it, and what it has done is undone."""
import os
import unittest

from harness import IntegrationTest

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/setup.toml")
NOTES = ('[jobs.{name}]\ntype = "oneshot"\nshell = "echo {name} set up >> @DIR@/noted"\n'
         'stop_command = ["/bin/sh", "-c", "echo {name} undone >> @DIR@/noted"]\n')


class Oneshots(IntegrationTest):
    def noted(self, s):
        with open(s.path("noted"), encoding="utf-8") as file:
            return file.read().splitlines()

    def test_the_example_is_set_up_for_what_needs_it_and_taken_down_after_that(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            s = self.prepare(file.read().replace("/tmp/spool.procsup", "@DIR@/spool"))
        s.start()
        s.ctl("wait", "worker")
        refused = s.ctl("stop", "spool", expect=1)
        self.assertIn("this would also stop what requires it: worker", refused.err)
        self.assertTrue(s.instance("spool")["ready"])
        s.ctl("stop", "--cascade", "spool")
        self.assertEqual(("stopped", False), (s.instance("spool")["state"], s.instance("spool")["ready"]))
        self.assertEqual("stopped", s.instance("worker")["state"])
        self.assertFalse(os.path.exists(s.path("spool")))
        s.ctl("start", "worker")
        self.assertEqual("exited", s.instance("spool")["state"])
        self.assertTrue(os.path.exists(s.path("spool")))

    def test_one_without_a_stop_command_is_stopped_at_once_and_runs_again_by_the_next_start(self):
        s = self.supervise('[jobs.setup]\ntype = "oneshot"\nshell = "echo set up >> @DIR@/noted"\n')
        s.ctl("wait", "setup")
        s.ctl("reset", "setup")
        self.assertEqual("exited", s.instance("setup")["state"])
        s.ctl("stop", "setup")
        self.assertEqual("stopped", s.instance("setup")["state"])
        self.assertIn("setup is stopped because stop asked by", s.ctl("why", "setup", expect=3).out)
        s.ctl("start", "setup")
        self.assertEqual("exited", s.instance("setup")["state"])
        s.ctl("restart", "setup")
        self.assertEqual(3, len(self.noted(s)))

    def test_a_start_of_one_that_is_up_does_nothing(self):
        s = self.supervise(NOTES.format(name="a") + '[jobs.web]\ncommand = ["sleep", "1000"]\nrequires = ["a"]\nwants = ["b"]\n' +
                           NOTES.format(name="b"))
        s.ctl("wait", "a", "b", "web")
        self.assertEqual("a: exited\n", s.ctl("start", "a").out)
        self.assertIn("procsupctl restart a", s.ctl("why", "a").out)
        s.ctl("restart", "web")
        s.configure(NOTES.format(name="a").replace("set up", "set up anew") + NOTES.format(name="b"))
        s.ctl("apply")
        s.ctl("start", "a", "b")
        s.ctl("rollback")
        s.ctl("wait", "web")
        self.assertEqual(["a set up", "b set up"], sorted(self.noted(s)))
        s.ctl("restart", "a")
        self.assertEqual(["a undone", "a set up"], self.noted(s)[2:])

    def test_a_start_of_one_that_has_failed_runs_it_again(self):
        s = self.supervise('[jobs.a]\ntype = "oneshot"\nrestart = "no"\nshell = "echo run >> @DIR@/noted; [ -e @DIR@/good ]"\n')
        s.ctl("wait", "a", expect=1)
        s.write("good", "")
        s.ctl("start", "a")
        self.assertEqual(["run", "run"], self.noted(s))

    def test_one_whose_program_runs_is_not_active(self):
        s = self.prepare('[jobs.a]\ntype = "oneshot"\nshell = "read line < @DIR@/go"\n')
        go = s.fifo("go")
        s.start()
        self.await_true("its program runs", lambda: s.instance("a")["state"] == "running")
        for verb in ("is-active", "status", "why"):
            s.ctl(verb, "a", expect=3)
        self.assertIn("not ready: waits for its end", s.ctl("status").out)
        os.write(go.fd, b"\n")
        s.ctl("wait", "a")
        for verb in ("is-active", "status", "why"):
            s.ctl(verb, "a")

    def test_one_that_is_up_is_waited_for_until_it_is_stopped(self):
        s = self.supervise(NOTES.format(name="a"))
        s.ctl("wait", "a")
        self.assertEqual("a exited 0", s.ctl("wait", "--for=exit", "a").out[:len("a exited 0")])
        s.ctl("wait", "--for=stopped", "--timeout=1ms", "a", expect=124)
        waiter = s.popen("wait", "--for=stopped", "a")
        s.ctl("stop", "a")
        self.assertEqual(0, waiter.wait(20))

    def test_a_restart_undoes_it_first(self):
        s = self.supervise(NOTES.format(name="a"))
        s.ctl("wait", "a")
        s.ctl("restart", "a")
        self.assertEqual(["a set up", "a undone", "a set up"], self.noted(s))
        self.assertEqual([None, True, None], [run.get("teardown") for run in s.ctl("history", "--json", "a").json["runs"]])

    def test_at_the_end_of_procsupd_they_are_undone_in_the_reverse_order(self):
        s = self.prepare(NOTES.format(name="a") + NOTES.format(name="b") + 'requires = ["a"]\n'
                         '[jobs.web]\nshell = "trap \'echo web ends >> @DIR@/noted; exit\' TERM; echo ready; sleep 1000 & wait"\n'
                         'requires = ["b"]\nready.log_line = "ready"\n')
        s.start()
        s.ctl("wait", "web")
        s.ctl("shutdown")
        s.wait_end()
        self.assertEqual(["a set up", "b set up", "web ends", "b undone", "a undone"], self.noted(s))

    def test_what_undoes_it_has_its_credentials_and_directories(self):
        s = self.prepare('[jobs.a]\ntype = "oneshot"\ncommand = ["true"]\n'
                         'stop_command = ["/bin/sh", "-c", "cat ${cred:key} > @DIR@/noted; echo >> @DIR@/noted"]\n'
                         '[jobs.a.credentials]\nkey = "@DIR@/key"\n')
        s.write("key", "secret")
        s.start()
        s.ctl("wait", "a")
        self.await_true("its credentials are gone", lambda: not os.path.exists(s.path("run", "credentials", "a", "key")))
        s.ctl("stop", "a")
        self.assertEqual(["secret"], self.noted(s))
        self.await_true("they are gone again", lambda: not os.path.exists(s.path("run", "credentials", "a", "key")))

    def test_one_that_is_removed_is_undone(self):
        s = self.supervise(NOTES.format(name="a") + '[jobs.other]\ncommand = ["sleep", "1000"]\n')
        s.ctl("wait", "a")
        s.configure('[jobs.other]\ncommand = ["sleep", "1000"]\n')
        s.ctl("apply")
        self.await_true("it is gone", lambda: set(s.instances()) == {"other"})
        self.assertEqual(["a set up", "a undone"], self.noted(s))

    def test_a_failure_to_undo_it_is_told(self):
        s = self.supervise('[jobs.a]\ntype = "oneshot"\ncommand = ["true"]\nstop_command = ["false"]\n')
        s.ctl("wait", "a")
        self.assertEqual("a: exited\n", s.ctl("restart", "a").out)
        self.assertIn("(stop_command failed: exit 1)", s.ctl("why", "a").out)
        told = s.ctl("stop", "a", expect=1).err
        self.assertIn("a: stopped: its stop_command failed: exit 1\n", told)
        self.assertIn("hint: procsupctl logs a", told)
        self.assertIn("(stop_command failed: exit 1)", s.instance("a")["cause"])
        s.ctl("stop", "a")

    def test_what_undoes_it_is_killed_after_stop_timeout_and_that_is_told(self):
        s = self.supervise('[jobs.a]\ntype = "oneshot"\ncommand = ["true"]\nstop_command = ["sleep", "1000"]\nstop_timeout = "100ms"\n')
        s.ctl("wait", "a")
        self.assertIn("a: stopped: its stop_command was killed: it did not end within stop_timeout, 100ms\n",
                      s.ctl("stop", "a", expect=1).err)
        self.assertEqual([], s.job_processes())

    def test_what_undoes_it_can_be_ended_by_a_signal(self):
        s = self.supervise('[jobs.a]\ntype = "oneshot"\ncommand = ["true"]\nstop_command = ["sleep", "1000"]\nstop_timeout = "1h"\n')
        s.ctl("wait", "a")
        self.assertIn("it has no main process", s.ctl("signal", "TERM", "a", expect=1).err)
        s.ctl("stop", "--no-wait", "a")
        self.await_true("it runs", lambda: s.job_processes())
        self.assertRegex(s.run("why", "a").out, r"its stop_command has been running for \S+, is killed in (1h|59min.*)\n")
        self.assertRegex(s.ctl("signal", "TERM", "a").out, r"^a: SIGTERM sent to its stop_command, pid \d+\n$")
        self.await_true("it is stopped", lambda: s.instance("a")["state"] == "stopped")
        self.assertIn("(stop_command failed: killed by SIGTERM)", s.instance("a")["cause"])
        run, teardown = s.ctl("history", "a").out.splitlines()[1:]
        self.assertRegex(run, r"^a .* exit 0 ")
        self.assertRegex(teardown, r"^a .* SIGTERM .* stop_command: stop asked by .* -> stop_command failed: killed by SIGTERM$")

    def test_a_service_that_stops_though_its_stop_command_fails_is_stopped(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nstop_command = ["false"]\n')
        self.assertEqual("web: stopped\n", s.ctl("stop", "web").out)


if __name__ == "__main__":
    unittest.main()
