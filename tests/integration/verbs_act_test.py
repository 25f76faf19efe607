"""Verbs that change something: what they wait for, how they end, and what the events say."""
import os
import subprocess
import unittest

from harness import IntegrationTest, Lines
from processes import SCALE, wait_gone

SLEEPER = '[jobs.web]\ncommand = ["sleep", "1000"]\n'
SHORT = f"--timeout={int(300 * SCALE)}ms"


class ActVerbs(IntegrationTest):
    def test_start_stop_and_restart_wait_for_the_result(self):
        s = self.supervise(SLEEPER + "enabled = false\n")
        self.assertRegex(s.ctl("start", "web").out, r"^web: running \(pid \d+\)\n$")
        pid = s.pid_of("web")
        self.assertEqual("", s.ctl("start", "web", "-q").out)
        self.assertEqual(pid, s.pid_of("web"))
        s.ctl("restart", "web")
        self.assertNotEqual(pid, s.pid_of("web"))
        self.assertEqual("web: stopped\n", s.ctl("stop", "web").out)
        s.ctl("stop", "web")
        self.assertEqual("stopped", s.instance("web")["state"])

    def test_outcomes_as_json(self):
        s = self.supervise(SLEEPER)
        outcome, = s.ctl("restart", "web", "--json").json["outcomes"]
        self.assertEqual({"name", "state", "ok", "pid", "exit_code", "exit_signal", "cause"}, set(outcome))
        self.assertEqual(("web", "running", True), (outcome["name"], outcome["state"], outcome["ok"]))

    def test_a_start_that_fails_is_1_and_says_why(self):
        s = self.supervise('[jobs.bad]\nshell = "exit 3"\nrestart = "no"\nenabled = false\n' + SLEEPER)
        result = s.ctl("start", "bad", "web", expect=1)
        self.assertEqual("bad: failed: exit 3\nhint: procsupctl why bad\n", result.err)
        self.assertTrue(result.out.startswith("web: running"))

    def test_a_start_of_what_dies_before_min_uptime_is_a_failure_although_it_is_restarted(self):
        s = self.supervise('[jobs.bad]\nshell = "exit 3"\nenabled = false\nrestart_delay = "1min"\n'
                           'restart_delay_max = "1min"\n')
        self.assertIn("exit 3", s.ctl("start", "bad", expect=1).err)

    def test_a_name_that_no_job_has_changes_nothing(self):
        s = self.supervise(SLEEPER)
        for verb in ("start", "stop", "restart", "reload", "reset", "wait"):
            with self.subTest(verb):
                s.ctl(verb, "web", "nosuch", expect=5)
        s.ctl("signal", "KILL", "web", "nosuch", expect=5)
        self.assertEqual(("running", 0), (s.instance("web")["state"], s.instance("web")["restarts"]))

    def test_no_wait_returns_at_once_and_timeout_is_124(self):
        s = self.prepare('[jobs.slow]\nshell = "trap \'\' TERM; echo deaf; exec sleep 1000"\n'
                         'stop_timeout = "10min"\nrestart = "no"\n[jobs.slow.log]\nstdout = "@DIR@/out"\n')
        out = s.fifo("out")
        s.start()
        out.next()
        self.assertIn("the order stands", s.ctl("stop", "slow", SHORT, expect=124).err)
        self.assertEqual("stopping", s.instance("slow")["state"])
        s.ctl("stop", "slow", "--no-wait")
        s.ctl("wait", "--for=stopped", "slow", SHORT, expect=124)
        s.ctl("signal", "KILL", "slow")
        s.ctl("wait", "--for=stopped", "slow")
        s.ctl("start", "slow", "--no-wait")
        s.ctl("wait", "slow")
        out.next()
        s.ctl("signal", "KILL", "slow")

    def test_all_is_every_job(self):
        s = self.supervise(SLEEPER + '[jobs.other]\ncommand = ["sleep", "1000"]\ninstances = 2\n')
        s.ctl("stop", "--all")
        self.assertEqual({"stopped"}, {i["state"] for i in s.instances().values()})
        s.ctl("start", "--all")
        self.assertEqual({"running"}, {i["state"] for i in s.instances().values()})

    def test_signal_and_reload_reach_the_main_process(self):
        s = self.prepare('[jobs.web]\nshell = "trap \'echo hup\' HUP; trap \'echo usr1\' USR1; echo up; '
                         'while :; do sleep 0.01; done"\n[jobs.web.log]\nstdout = "@DIR@/out"\n')
        out = s.fifo("out")
        s.start()
        self.assertEqual("up", out.next())
        for name in ("USR1", "SIGUSR1", "10"):
            s.ctl("signal", name, "web")
            self.assertEqual("usr1", out.next())
        s.ctl("reload", "web")
        self.assertEqual("hup", out.next())
        s.ctl("stop", "web")
        s.ctl("signal", "USR1", "web", expect=1)

    def test_a_reload_sends_no_signal_that_would_end_the_job(self):
        wait = "import signal; signal.{}; print('up', flush=True); signal.pause()"
        s = self.prepare("".join(
            f'[jobs.{name}]\ncommand = ["python3", "-c", "{wait.format(action)}"]\nready.log_line = "^up$"\n'
            for name, action in (("plain", "getsignal(1)"), ("deaf", "signal(1, signal.SIG_IGN)"),
                                 ("holding", "pthread_sigmask(signal.SIG_BLOCK, [1])"),
                                 ("handling", "signal(1, lambda *_: None)"))))
        s.start()
        s.ctl("wait", "--all")
        pids = {name: one["pid"] for name, one in s.instances().items()}
        refused = s.ctl("reload", "plain", "deaf", "holding", expect=1)
        self.assertEqual(f"holding: SIGHUP sent (pid {pids['holding']})\n", refused.out)
        self.assertIn(f"plain: running (pid {pids['plain']}): its main process does not handle SIGHUP, which would end it: say "
                      "reload_signal or reload_command in the job's file, or restart it\n", refused.err)
        self.assertIn("its main process ignores SIGHUP, the reload_signal of the job\n", refused.err)
        s.ctl("reload", "handling")
        self.assertEqual({name: pid for name, pid in pids.items() if name != "handling"},
                         {name: one["pid"] for name, one in s.instances("plain", "deaf", "holding").items()})
        self.assertEqual("error: --no-wait is for: procsupctl reload JOB\n", s.ctl("reload", "--no-wait", expect=2).err)

    def test_wait_for_exit_gives_the_code_of_the_run(self):
        s = self.prepare('[jobs.web]\nshell = "read code; exit $code"\nrestart = "no"\n[jobs.web.log]\n'
                         'stdin = "@DIR@/in"\n')
        gate = s.fifo("in")
        s.start()
        waiter = s.popen("wait", "--for=exit", "web", stdout=subprocess.PIPE)
        s.ctl("wait", "web")
        os.write(gate.fd, b"9\n")
        out, _ = waiter.communicate(timeout=20 * SCALE)
        self.assertEqual(9, waiter.returncode)
        self.assertRegex(out.decode(), r"^web exited 9 after \S+\n$")
        s.ctl("start", "web", "--no-wait")
        waiter = s.popen("wait", "--for=exit", "web", stdout=subprocess.PIPE)
        events = s.events("web")
        s.ctl("signal", "KILL", "web")
        events.until("web", "failed")
        waiter.communicate(timeout=20 * SCALE)
        self.assertEqual(128 + 9, waiter.returncode)

    def test_wait_tells_a_person_what_it_waits_for(self):
        s = self.supervise('[jobs.web]\nshell = "exit 3"\nrestart_delay = "1h"\nrestart_delay_max = "1h"\nenabled = false\n')
        s.ctl("start", "web", expect=1)
        self.await_true("it has a delay to go", lambda: s.instance("web")["state"] == "backoff")
        self.assertEqual("web: backoff: next start in", s.ctl("wait", "web", SHORT, expect=124).err[:27])
        ours, theirs = os.openpty()
        waiter = s.popen("wait", "web", stderr=theirs)
        os.close(theirs)
        self.addCleanup(os.close, ours)
        self.assertRegex(Lines(ours).next(), r"^waiting for web, which is backoff: next start in .+ \(exit 3\)")
        self.assertIsNone(waiter.poll())
        s.ctl("stop", "web")
        waiter.terminate()

    def test_shutdown_ends_the_daemon_and_answers_when_it_has_ended(self):
        s = self.supervise(SLEEPER)
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end(0.5 * SCALE))

    def test_shutdown_timeout_kills_what_does_not_stop(self):
        s = self.prepare('[daemon]\nshutdown_timeout = "300ms"\n[jobs.slow]\nshell = "trap \'\' TERM; '
                         'echo deaf; exec sleep 1000"\nstop_timeout = "10min"\n'
                         '[jobs.slow.log]\nstdout = "@DIR@/out"\n')
        out = s.fifo("out")
        s.start()
        out.next()
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end())


class EventStream(IntegrationTest):
    def test_the_sequence_has_no_gap_and_starts_behind_the_snapshot(self):
        s = self.supervise(SLEEPER + '[jobs.other]\ncommand = ["sleep", "1000"]\ninstances = 20\n')
        events = s.events()
        self.assertEqual(21, len(events.snapshot["instances"]))
        for _ in range(3):
            s.ctl("restart", "--all", "--no-wait")
            s.ctl("wait", "--all")
            s.ctl("stop", "--all")
            s.ctl("start", "--all", "--no-wait")
        s.ctl("stop", "web")
        events.until("web", "stopped")
        s.ctl("wait", "other")
        last = s.ctl("events", "--json").json["snapshot"]["sequence"]
        while events.seen[-1]["sequence"] < last:
            events.next()
        first = events.snapshot["sequence"] + 1
        self.assertEqual(list(range(first, last + 1)), [event["sequence"] for event in events.seen])
        state = {i["name"]: i["state"] for i in events.snapshot["instances"]}
        for event in events.seen:
            self.assertEqual(state[event["name"]], event["from"], event)
            state[event["name"]] = event["to"]
        self.assertEqual(state, {name: i["state"] for name, i in s.instances().items()})

    def test_the_events_of_one_life(self):
        s = self.supervise(SLEEPER + "enabled = false\n")
        events = s.events("web")
        s.ctl("start", "web")
        s.ctl("stop", "web")
        events.until("web", "stopped")
        self.assertEqual(["starting", "running", "stopping", "stopped"], [event["to"] for event in events.seen])
        self.assertEqual("SIGTERM", events.seen[-1]["exit_signal"])
        self.assertIn("start asked by uid", events.seen[0]["cause"])

    def test_events_of_other_jobs_are_left_out(self):
        s = self.supervise(SLEEPER + '[jobs.other]\ncommand = ["sleep", "1000"]\n')
        events = s.events("web")
        s.ctl("restart", "other")
        s.ctl("restart", "web")
        events.until("web", "running")
        self.assertEqual({"web"}, {event["name"] for event in events.seen})

    def test_the_text_form_shows_each_change(self):
        s = self.supervise(SLEEPER)
        follow = s.popen("events", "-f", "web", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        lines = iter(follow.stdout.readline, b"")
        self.assertIn(b"STATE", next(lines))
        self.assertIn(b"running", next(lines))
        s.ctl("stop", "web")
        self.assertRegex(next(lines).decode(), r"^\S+ web running -> stopping \(pid \d+\): stop asked by uid \d+ ")
        s.ctl("shutdown")
        self.assertRegex(next(lines).decode(), r"^\S+ web stopping -> stopped: ")
        follow.wait(20 * SCALE)
        self.assertEqual(69, follow.returncode)


class Reload(IntegrationTest):
    def test_new_changed_and_vanished_jobs(self):
        s = self.supervise(SLEEPER + '[jobs.old]\ncommand = ["sleep", "1000"]\n[jobs.same]\n'
                           'command = ["sleep", "1000"]\n')
        web, same = s.pid_of("web"), s.pid_of("same")
        s.configure('[jobs.web]\ncommand = ["sleep", "2000"]\n[jobs.new]\ncommand = ["sleep", "1000"]\n'
                    '[jobs.same]\ncommand = ["sleep", "1000"]\n')
        self.assertEqual("start    new  new\nstop     old  no longer configured\nrestart  web  command\nunchanged: 1\n",
                         s.ctl("reload").out)
        s.ctl("wait", "new")
        s.ctl("wait", "web")
        self.assertEqual(same, s.pid_of("same"))
        self.assertNotEqual(web, s.pid_of("web"))
        with open(f"/proc/{s.pid_of('web')}/cmdline", "rb") as file:
            self.assertEqual(b"sleep\0002000\0", file.read())
        events = s.events()
        names = {i["name"] for i in events.snapshot["instances"]}
        self.assertLessEqual({"web", "new", "same"}, names)
        s.ctl("wait", "--for=stopped", "old", expect=5)
        self.assertEqual({"changes": [], "unchanged": 3}, s.ctl("reload", "--json").json)

    def test_a_broken_configuration_changes_nothing_and_status_shows_it(self):
        s = self.supervise(SLEEPER)
        pid = s.pid_of("web")
        s.configure('[jobs.new]\ncommand = ["sleep", "1000"]\nrestrat = "no"\nstop_timeout = 5\n')
        result = s.ctl("reload", expect=6)
        self.assertIn("procsup.toml:3:1: error: unknown key 'restrat'", result.err)
        self.assertIn("procsup.toml:4:16: error: ", result.err)
        self.assertEqual(["web"], list(s.instances()))
        self.assertEqual(pid, s.pid_of("web"))
        self.assertEqual(2, len(s.daemon()["config_problems"]))
        self.assertIn("the one before stays in force", s.ctl("status").out)
        s.configure(SLEEPER)
        s.ctl("reload")
        self.assertEqual([], s.daemon()["config_problems"])

    def test_more_and_fewer_instances(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\ninstances = 3\n')
        pids = {name: i["pid"] for name, i in s.instances().items()}
        s.configure('[jobs.web]\ncommand = ["sleep", "1000"]\ninstances = 2\n')
        s.ctl("reload")
        s.ctl("wait", "web")
        self.assertEqual({name: pid for name, pid in pids.items() if name != "web@2"},
                         {name: i["pid"] for name, i in s.instances().items()})
        self.assertTrue(wait_gone(pids["web@2"]))
        s.configure('[jobs.web]\ncommand = ["sleep", "1000"]\ninstances = 4\n')
        s.ctl("reload")
        s.ctl("wait", "web")
        self.assertEqual(["web@0", "web@1", "web@2", "web@3"], sorted(s.instances()))


if __name__ == "__main__":
    unittest.main()
