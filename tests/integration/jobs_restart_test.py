"""Restart policies, limits of time and the essential job, as seen from outside."""
import os
import signal
import unittest

from harness import IntegrationTest


class Restart(IntegrationTest):
    def test_always_is_restarted_after_success_with_a_new_pid(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "infinity"]\nrestart = "always"\nstop_signal = "SIGINT"\n')
        before = s.pid_of("web")
        events = s.events("web")
        s.ctl("signal", "TERM", "web")
        event = events.until("web", "running")
        self.assertNotEqual(before, event["pid"])
        self.assertEqual(1, s.instance("web")["restarts"])

    def test_success_is_final_with_on_failure(self):
        s = self.supervise('[jobs.once]\nshell = "exit 0"\nrestart = "on-failure"\n')
        s.ctl("wait", "--for=stopped", "once")
        once = s.instance("once")
        self.assertEqual(("exited", 0, 0), (once["state"], once["exit_code"], once["restarts"]))

    def test_no_is_failed_at_the_first_failure(self):
        s = self.supervise('[jobs.once]\nshell = "exit 7"\nrestart = "no"\n')
        s.ctl("wait", "--for=stopped", "once")
        once = s.instance("once")
        self.assertEqual(("failed", 7, 0), (once["state"], once["exit_code"], once["restarts"]))

    def test_success_exit_codes_count_as_success(self):
        s = self.supervise('[jobs.once]\nshell = "exit 7"\nsuccess_exit_codes = [7, "SIGUSR1"]\n'
                           '[jobs.killed]\nshell = "kill -USR1 $$"\nsuccess_exit_codes = [7, "SIGUSR1"]\n')
        s.ctl("wait", "--for=stopped", "once", "killed")
        self.assertEqual({"exited"}, {i["state"] for i in s.instances().values()})
        self.assertEqual("SIGUSR1", s.instance("killed")["exit_signal"])

    def test_a_code_that_prevents_a_restart_is_named_as_the_reason(self):
        s = self.supervise('[jobs.once]\nshell = "exit 7"\nprevent_restart_codes = [7]\n')
        s.ctl("wait", "--for=stopped", "once")
        self.assertEqual("exit 7; 7 is in prevent_restart_codes", s.instance("once")["cause"])
        for verb in ("why", "status"):
            self.assertIn("exit 7; 7 is in prevent_restart_codes", s.ctl(verb, "once", expect=3).out)

    def test_quick_deaths_lead_to_backoff_which_says_when_it_ends(self):
        s = self.supervise('[jobs.bad]\nshell = "exit 3"\nrestart_delay = "10min"\nrestart_delay_max = "1h"\n'
                           'restart_jitter = 0\n')
        events = s.events("bad")
        if events.snapshot["instances"][0]["state"] != "backoff":
            events.until("bad", "backoff")
        bad = s.instance("bad")
        self.assertEqual(("backoff", None, 3, 1), (bad["state"], bad["pid"], bad["exit_code"], bad["restarts"]))
        self.assertAlmostEqual(600e6, bad["next_start_usec"] - bad["since_usec"], delta=1e6)
        why = s.ctl("why", "bad", expect=3).out
        self.assertIn("exit 3", why)
        self.assertIn("next start in", why)
        s.ctl("stop", "bad")
        self.assertEqual("stopped", s.instance("bad")["state"])

    def test_start_limit_leads_to_failed_and_reset_clears_it(self):
        s = self.supervise('[jobs.bad]\nshell = "exit 3"\nrestart_delay = "1ms"\nstart_limit = "3/60s"\n')
        s.ctl("wait", "--for=stopped", "bad")
        bad = s.instance("bad")
        self.assertEqual(("failed", 3), (bad["state"], bad["restarts"]))
        self.assertIn("start_limit (3/1min)", bad["cause"])
        s.ctl("is-failed", "bad")
        s.ctl("reset", "bad")
        bad = s.instance("bad")
        self.assertEqual(("stopped", 0), (bad["state"], bad["restarts"]))
        s.ctl("is-failed", "bad", expect=1)

    def test_a_manual_stop_is_not_undone_by_always(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "infinity"]\nrestart = "always"\n')
        s.ctl("stop", "web")
        self.assertEqual("stopped", s.instance("web")["state"])
        s.ctl("start", "web")
        self.assertEqual("running", s.instance("web")["state"])

    def test_unless_stopped_remembers_the_stop_over_a_restart_of_the_daemon(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "infinity"]\nrestart = "unless-stopped"\n'
                           '[jobs.other]\ncommand = ["sleep", "infinity"]\nrestart = "unless-stopped"\n')
        s.ctl("stop", "web")
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end())
        s.start()
        s.ctl("wait", "other")
        self.assertEqual(("stopped", "running"), (s.instance("web")["state"], s.instance("other")["state"]))
        s.ctl("start", "web")
        s.ctl("shutdown")
        s.wait_end()
        s.start()
        s.ctl("wait", "web")
        self.assertEqual("running", s.instance("web")["state"])

    def test_what_was_stopped_by_hand_is_started_with_what_requires_it_when_the_daemon_starts_again(self):
        s = self.supervise('[jobs.db]\ncommand = ["sleep", "infinity"]\nrestart = "unless-stopped"\n'
                           '[jobs.web]\ncommand = ["sleep", "infinity"]\nrequires = ["db"]\n')
        s.ctl("stop", "--cascade", "db")
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end())
        s.start()
        s.ctl("wait", "web")
        self.assertEqual(("running", "required by web"), (s.instance("db")["state"], s.instance("db")["cause"]))


class Ends(IntegrationTest):
    def test_the_essential_jobs_code_becomes_the_daemons(self):
        s = self.prepare('[jobs.main]\nshell = "read go; exit 42"\nessential = true\nrestart = "no"\n'
                         '[jobs.main.log]\nstdin = "@DIR@/${job:name}.in"\n'
                         '[jobs.other]\ncommand = ["sleep", "infinity"]\n')
        s.write("main.in", "go\n")
        s.launch()
        self.assertEqual(42, s.wait_end())

    def test_an_essential_job_killed_by_a_signal_gives_128_and_its_number(self):
        s = self.supervise('[jobs.main]\ncommand = ["sleep", "infinity"]\nessential = true\nrestart = "no"\n')
        s.ctl("signal", "KILL", "main")
        self.assertEqual(128 + signal.SIGKILL, s.wait_end())

    def test_an_essential_job_that_cannot_be_executed_gives_127(self):
        s = self.prepare('[jobs.main]\ncommand = ["/nonexistent/program"]\nessential = true\nrestart = "no"\n').launch()
        self.assertEqual(127, s.wait_end())

    def test_a_manual_stop_of_an_essential_job_does_not_end_the_daemon(self):
        s = self.supervise('[jobs.main]\ncommand = ["sleep", "infinity"]\nessential = true\n')
        s.ctl("stop", "main")
        s.ctl("ping")
        s.ctl("start", "main")

    def test_what_ignores_the_stop_signal_is_killed_after_stop_timeout(self):
        s = self.prepare('[jobs.deaf]\nshell = "trap \'\' TERM; echo deaf; while :; do sleep 100; done"\n'
                         'stop_timeout = "200ms"\n[jobs.deaf.log]\nstdout = "@DIR@/out"\n')
        out = s.fifo("out")
        s.start()
        self.assertEqual("deaf", out.next())
        s.ctl("stop", "deaf")
        deaf = s.instance("deaf")
        self.assertEqual(("stopped", "SIGKILL"), (deaf["state"], deaf["exit_signal"]))
        self.assertIn("stop_timeout", deaf["cause"])

    def test_the_stop_signal_is_the_one_of_the_job(self):
        s = self.prepare('[jobs.web]\nshell = "trap \'echo int; exit 0\' INT; echo up; while :; do sleep 0.01; done"\n'
                         'stop_signal = "SIGINT"\n[jobs.web.log]\nstdout = "@DIR@/out"\n')
        out = s.fifo("out")
        s.start()
        self.assertEqual("up", out.next())
        s.ctl("stop", "web")
        self.assertEqual("int", out.next())
        self.assertEqual(0, s.instance("web")["exit_code"])

    def test_what_survives_a_stop_signal_gets_the_next(self):
        s = self.prepare('[jobs.web]\nshell = "trap \'echo int\' INT; trap \'echo quit; exit 0\' QUIT; echo up; '
                         'while :; do sleep 0.01; done"\n'
                         'stop_signal = ["SIGINT", "50ms", "SIGQUIT"]\n[jobs.web.log]\nstdout = "@DIR@/out"\n')
        out = s.fifo("out")
        s.start()
        self.assertEqual("up", out.next())
        s.ctl("stop", "web")
        self.assertEqual(["int", "quit"], [out.next(), out.next()])
        self.assertEqual(0, s.instance("web")["exit_code"])

    def test_a_stopped_process_is_woken_to_end(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "infinity"]\nstop_timeout = "10min"\n')
        s.ctl("signal", "STOP", "web")
        s.ctl("stop", "web")
        self.assertEqual("SIGTERM", s.instance("web")["exit_signal"])

    def test_run_timeout_ends_a_run_and_is_its_cause(self):
        s = self.supervise('[jobs.long]\ncommand = ["sleep", "infinity"]\nrestart = "no"\ntype = "oneshot"\n'
                           'run_timeout = "100ms"\n')
        s.ctl("wait", "--for=stopped", "long")
        long = s.instance("long")
        self.assertEqual("failed", long["state"])
        self.assertIn("run_timeout", long["cause"])

    def test_a_oneshot_is_ready_when_it_has_ended_well(self):
        s = self.prepare('[jobs.prepare]\ntype = "oneshot"\nshell = "read go"\n[jobs.prepare.log]\n'
                         'stdin = "@DIR@/in"\n')
        gate = s.fifo("in")
        s.start()
        self.assertFalse(s.instance("prepare")["ready"])
        s.ctl("wait", "prepare", "--timeout=1ms", expect=124)
        with open(gate.path, "w", encoding="ascii") as file:
            file.write("go\n")
        s.ctl("wait", "prepare")
        prepare = s.instance("prepare")
        self.assertEqual(("exited", True, 0), (prepare["state"], prepare["ready"], prepare["exit_code"]))
        s.ctl("is-active", "prepare")

    def test_what_a_main_process_leaves_in_its_group_is_ended(self):
        s = self.prepare('[jobs.web]\nshell = "sleep 1000 & echo $!; exit 0"\n[jobs.web.log]\nstdout = "@DIR@/out"\n')
        out = s.fifo("out")
        s.start()
        child = int(out.next())
        s.ctl("wait", "--for=stopped", "web")
        with self.assertRaises(ProcessLookupError):
            os.kill(child, 0)
        self.assertEqual("exited", s.instance("web")["state"])


if __name__ == "__main__":
    unittest.main()
