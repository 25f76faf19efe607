"""`procsupctl why`: what it tells of the past and of what goes on, and that other verbs tell the same."""
import os
import re
import subprocess
import unittest

from harness import IntegrationTest

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/trouble.toml")
HELD = 'pre_start = ["sh", "-c", "echo preparing; echo held >&2; read line < @DIR@/go"]\n'
CAPTURED = '[defaults.log]\nstdout = "capture"\nstderr = "capture"\n'


class Why(IntegrationTest):
    def test_a_run_has_one_duration_wherever_it_is_told(self):
        s = self.prepare('[jobs.web]\nshell = "trap \'read line < @DIR@/end; exit 3\' TERM; echo > @DIR@/up; while :; do read line < @DIR@/none; done"\n'
                         'restart = "no"\nstop_timeout = "10min"\n')
        up, end, _ = s.fifo("up"), s.fifo("end"), s.fifo("none")
        s.start()
        up.next()
        waiting = s.popen("wait", "--for=exit", "web", stdout=subprocess.PIPE)
        s.ctl("stop", "--no-wait", "web")
        self.await_true("it is told to end", lambda: s.instance("web")["state"] == "stopping")
        asked = s.instance("web")["since_usec"]
        self.await_true("a while has passed", lambda: s.daemon()["uptime_usec"] > 500_000)
        os.write(end.fd, b"\n")
        waited = waiting.communicate()[0].decode()
        run, = s.ctl("history", "--json", "web").json["runs"]
        self.assertGreaterEqual(run["ended_usec"], asked)
        lasted, = re.findall(r"^web +\S+ \S+ +(\S+) +exit 3", s.ctl("history", "web").out, re.M)
        self.assertEqual(f"web exited 3 after {lasted}\n", waited)
        self.assertRegex(s.run("why", "web").out, rf"\d stop asked by .*; exit 3 after {re.escape(lasted)}\n")
        last = s.instance("web")["last_run"]
        self.assertEqual(run["ended_usec"] - run["started_usec"], last["ended_usec"] - last["started_usec"])

    def test_each_line_about_a_pre_start_that_fails_tells_one_thing(self):
        s = self.supervise('[jobs.web]\nshell = "exec sleep 100"\npre_start = ["false"]\nrestart_delay = "1h"\n'
                           'restart_delay_max = "1h"\n')
        self.await_true("it waits", lambda: s.instance("web")["state"] == "backoff")
        past = [line[11:] for line in s.run("why", "web").out.splitlines() if re.match(r"  \d\d:", line)]
        self.assertEqual(["pre_start failed: exit 1", "pre_start failed: exit 1; started again"], past)

    def test_what_a_start_does_is_shown_with_what_it_has_written_and_the_time_it_has(self):
        s = self.prepare(CAPTURED + '[jobs.web]\nshell = "echo coming up; exec sleep 1000"\nstart_timeout = "1h"\n'
                         'ready.file = "@DIR@/up"\n' + HELD + '[jobs.after]\ncommand = ["sleep", "1000"]\nrequires = ["web"]\n')
        go = s.fifo("go")
        s.start()
        self.await_true("its pre_start has written", lambda: "held" in s.ctl("logs", "web").out)
        why = s.run("why", "web").out
        self.assertRegex(why, r"^web is starting because started with the daemon; running pre_start, \d+min.* left of start_timeout\n")
        self.assertIn("  the last lines that its present run has written:\n    stdout | preparing\n    stderr | held\n", why)
        self.assertRegex(s.ctl("status").out, r"web +starting .* running pre_start \((1h 0m|59m) left\)")
        late = s.ctl("wait", "--timeout=1ms", "web", "after", expect=124).err
        self.assertRegex(late, r"web: starting: waits for pre_start to end \((1h|59min.*) left\)\n")
        self.assertIn("after: waiting: waits for web to be ready\n", late)
        os.write(go.fd, b"\n")
        self.await_true("it runs and says so", lambda: "coming up" in s.ctl("logs", "web").out)
        why = s.run("why", "after").out
        self.assertIn(f"waits for file {s.path('up')}", why)
        self.assertIn("      stdout | coming up\n", why)
        late = s.ctl("wait", "--timeout=1ms", "web", expect=124).err
        self.assertRegex(late, rf"web: running \(pid \d+\): not ready: waits for file {s.path('up')}(: .*)? \((1h|59min.*) left\)\n")

    def test_a_stop_says_when_it_kills_and_what_follows(self):
        s = self.prepare('[daemon]\nshutdown_timeout = "10ms"\n[jobs.web]\n'
                         'shell = "trap : TERM; echo > @DIR@/up; while :; do read line < @DIR@/none; done"\n'
                         'stop_timeout = "1h"\n')
        up, _ = s.fifo("up"), s.fifo("none")
        s.start()
        up.next()
        s.ctl("stop", "--no-wait", "web")
        self.assertRegex(s.run("why", "web").out, r"; told to end with SIGTERM \S+ ago, is killed in (1h|59min.*)\n")
        self.assertRegex(s.ctl("list").out, r"web +stopping .*; is killed in (1h 0m|59m)\n")
        s.ctl("restart", "--no-wait", "web")
        self.assertRegex(s.run("why", "web").out, r" is killed in (1h|59min.*); is started again when it has ended\n")
        self.assertRegex(s.run("status", "web").out, r"\n     next: is killed in (1h 0m|59m); is started again when it has ended\n")
        s.ctl("signal", "KILL", "web")
        up.next()
        self.await_true("it runs again", lambda: s.instance("web")["state"] == "running")
        self.assertNotIn("kill_due_usec", s.instance("web"))

    def test_what_a_probe_is_told_is_not_for_all(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nready.exec = ["false", "--key=secret"]\n')
        told = "not ready: waits for exec false: '/usr/bin/false' ended with exit code 1"
        self.await_true("it has looked", lambda: told in s.ctl("status").out)
        self.assertNotIn("secret", s.ctl("status", "--json").out + s.ctl("graph", "--json").out)


class Trouble(IntegrationTest):
    VARIES = ((r"\d\d:\d\d:\d\d", "TIME"), (r"\d+(\.\d+)?(us|ms|s|min|h)( \d+(us|ms|s|min))*\b", "SPAN"))

    def steady(self, text):
        """Without what is another one each time."""
        for pattern, word in self.VARIES:
            text = re.sub(pattern, word, text)
        return text

    def test_of_the_example_is_told_as_it_says(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            text = file.read()
        s = self.prepare(text)
        s.start()
        self.await_true("db waits for its next start", lambda: s.instance("db")["state"] == "backoff")
        self.await_true("the probe has looked", lambda: ": cannot find " in s.instance("cache")["awaits"])
        self.await_true("cache has written", lambda: "loading" in s.ctl("logs", "cache").out)
        comment = "".join(line[4:] + "\n" for line in text.splitlines() if line.startswith("#   "))
        screens = re.findall(r"\$ procsupctl (.*)\n((?:(?!\$).*\n)*)", comment)
        self.assertEqual(["why web", "why cache", "why mail"], [words for words, _ in screens])
        for words, printed in screens:
            with self.subTest(words):
                told = s.ctl(*words.split(), expect=3).out.replace(s.config, "trouble.toml")
                self.assertEqual(self.steady(printed), self.steady(told))


if __name__ == "__main__":
    unittest.main()
