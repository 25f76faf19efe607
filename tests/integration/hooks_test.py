"""Commands of a job that are run at moments of its life: when, with what they are told, and that none outlives its moment."""
import json
import os
import signal
import subprocess
import unittest

from harness import IntegrationTest
from hostile import MODES
from processes import PATIENCE, free_port

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/hooks.toml")
MOMENTS = ("pre_start", "post_start", "pre_stop", "post_stop", "on_failed")
# Leaves a process behind in a session of its own, which keeps nothing of it open.
STRAY = "setsid sleep 1000 < /dev/null > /dev/null 2>&1 &"


def hook(moment, script):
    return f"{moment} = {['/bin/sh', '-c', script]}\n"


def noted(script='echo "$PROCSUPD_HOOK $PROCSUPD_RESULT" >> @DIR@/noted'):
    return "".join(hook(moment, script) for moment in MOMENTS)


class Hooks(IntegrationTest):
    def lines(self, s, job):
        return s.ctl("logs", "-o", "cat", job).out.splitlines()

    def noted(self, s):
        with open(s.path("noted"), encoding="utf-8") as file:
            return [line.strip() for line in file]

    def test_the_example_runs_each_at_its_moment(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            s = self.prepare(file.read().replace("8080", str(free_port())))
        s.start()
        s.ctl("wait", "shop")
        first = s.pid_of("shop")
        s.ctl("reload", "shop")
        self.assertEqual("reload_command has ended well", s.instance("shop")["cause"])
        s.ctl("restart", "shop")
        second = s.pid_of("shop")
        for _ in range(4):
            s.ctl("wait", "shop")
            last = s.pid_of("shop")
            os.kill(last, signal.SIGKILL)
            self.await_true("it is over", lambda: s.pid_of("shop") != last)
        s.ctl("wait", "--for=exit", "shop", expect=137)
        expected = [
            "prepared", f"registered process {first}", f"read again by {first}", "cleaned up: success SIGTERM",
            "prepared", f"registered process {second}", "cleaned up: signal SIGKILL",
        ]
        said = [line for line in self.lines(s, "shop") if not line.startswith(("127.0.0.1", "Serving"))]
        taken_out = said.pop(3)
        self.assertRegex(taken_out, r"^taken out: restart asked by uid \d+ \(pid \d+\)$")
        self.assertEqual(expected, said[:len(expected)])
        self.assertEqual("mail to root: shop: start_limit (3/1min) reached; last: killed by SIGKILL", said[-1])
        self.assertEqual(4, said.count("cleaned up: signal SIGKILL"))

    def test_what_a_hook_leaves_behind_is_killed(self):
        for mode in MODES[:2]:
            with self.subTest(mode):
                s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\n' +
                                   noted(f'echo "$PROCSUPD_HOOK $PROCSUPD_RESULT" >> @DIR@/noted; {STRAY}'),
                                   options=[f"--containment={mode}"])
                s.ctl("wait", "web")
                self.await_true("only the job is left", lambda: s.job_processes() == [s.pid_of("web")])
                s.ctl("stop", "web")
                self.assertEqual([], s.job_processes())
                self.assertEqual(["pre_start", "post_start", "pre_stop", "post_stop success"], self.noted(s))

    def test_a_hook_that_hangs_has_a_limit_and_the_cause_names_it(self):
        limits = 'start_timeout = "300ms"\nstop_timeout = "300ms"\nrestart = "no"\nenabled = false\n'
        hang = "".join(f'[jobs.{moment}]\nshell = "exec sleep 1000"\n{limits}{hook(moment, "sleep 1000; true")}'
                       for moment in MOMENTS if moment != "on_failed")
        s = self.supervise(hang + f'[jobs.on_failed]\ncommand = ["false"]\n{limits}{hook("on_failed", "sleep 1000; true")}')
        self.assertIn("start_timeout passed while pre_start ran", s.ctl("start", "pre_start", expect=1).err)
        self.assertIn("post_start did not end within start_timeout (300ms)", s.ctl("start", "post_start", expect=1).err)
        s.ctl("start", "pre_stop", "post_stop")
        s.ctl("stop", "pre_stop", "post_stop")
        causes = {name: instance["cause"] for name, instance in s.instances().items()}
        self.assertIn("killed by SIGKILL", causes["pre_stop"])
        self.assertIn("(post_stop failed: killed by SIGKILL)", causes["post_stop"])
        s.ctl("start", "on_failed", expect=1)
        self.await_true("it has failed", lambda: s.instance("on_failed")["state"] == "failed")
        self.assertIn("(on_failed failed: killed by SIGKILL)", s.instance("on_failed")["cause"])
        self.assertEqual([], s.job_processes())

    def test_a_hook_that_cannot_be_started_says_so(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nrestart = "no"\nenabled = false\n'
                           'pre_start = ["/nonexistent"]\n')
        failed = s.ctl("start", "web", expect=1).err
        self.assertIn("pre_start failed: cannot exec /nonexistent: No such file or directory", failed)

    def test_pre_start_finds_the_directories_and_credentials_of_its_job(self):
        s = self.prepare('[jobs.web]\ncommand = ["sleep", "1000"]\nruntime_dirs = ["hooked"]\n'
                         '[jobs.web.credentials]\nkey = "@DIR@/key"\n[jobs.web.env]\nKEY = "${cred:key}"\n'
                         .replace("[jobs.web.credentials]", hook("pre_start", "cat $KEY > $RUNTIME_DIRECTORY/copy") +
                                  hook("post_stop", "cat $KEY $RUNTIME_DIRECTORY/copy > @DIR@/both") +
                                  "[jobs.web.credentials]"))
        s.write("key", "secret\n")
        s.env["XDG_RUNTIME_DIR"] = s.dir
        s.start()
        s.ctl("wait", "web")
        s.ctl("stop", "web")
        with open(s.path("both"), encoding="utf-8") as file:
            self.assertEqual("secret\nsecret\n", file.read())

    def test_what_requires_a_job_waits_for_its_post_start(self):
        s = self.prepare('[jobs.db]\ncommand = ["sleep", "1000"]\n' + hook("post_start", "read go < @DIR@/go") +
                         '[jobs.web]\ncommand = ["sleep", "1000"]\nrequires = ["db"]\n')
        go = s.fifo("go")
        s.start().settle()
        self.assertEqual("waiting", s.instance("web")["state"])
        self.assertIn("waits for post_start", s.ctl("status").out)
        with open(s.path("go"), "w", encoding="utf-8") as file:
            file.write("go\n")
        s.ctl("wait", "web")
        self.assertTrue(s.instance("db")["ready"])
        del go

    def test_a_reload_command_that_fails_leaves_the_job_as_it_is(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\n'
                           'reload_command = ["sh", "-c", "echo no such table >&2; exit 1"]\n')
        pid = s.pid_of("web")
        told = s.ctl("reload", "web", expect=1)
        self.assertEqual(f"web: running (pid {pid}): reload_command failed: exit 1\n"
                         "  the last lines that its present run has written:\n    stderr | no such table\n"
                         "hint: procsupctl logs web\n", told.err)
        self.assertIn("    stderr | no such table\n", s.ctl("why", "web").out)
        after = s.instance("web")
        self.assertEqual((pid, "running"), (s.pid_of("web"), after["state"]))
        self.assertEqual("started with the daemon", after["start_cause"])
        self.assertGreater(after["state_since_usec"], after["since_usec"])
        self.assertIn("\n    start: started with the daemon\n", s.ctl("status", "web").out)
        self.assertIn("web is running because reload_command failed: exit 1 (its start: started with the daemon)\n",
                      s.ctl("why", "web").out)

    def test_a_reload_ends_with_its_reload_command(self):
        s = self.prepare('[jobs.web]\ncommand = ["sleep", "1000"]\nreload_command = ["sh", "-c", "read line < @DIR@/go"]\n')
        go = s.fifo("go")
        s.start().settle()
        pid = s.pid_of("web")
        told = s.ctl("reload", "--timeout=1ms", "web", expect=124)
        self.assertIn("the order stands", told.err)
        self.assertEqual(f"web: reload_command is run (pid {pid})\n", s.ctl("reload", "--no-wait", "web").out)
        # One run for the first, and one for all that came while that went on.
        os.write(go.fd, b"once\n")
        self.await_true("the first is over", lambda: len(self.runs_of_reload(s)) == 2)
        reload = s.popen("reload", "web", stdout=subprocess.PIPE)
        os.write(go.fd, b"twice\nand once more\n")
        self.assertEqual(f"web: reload_command has ended well (pid {pid})\n", reload.communicate(timeout=PATIENCE)[0].decode())

    def runs_of_reload(self, s):
        why = json.loads(s.ctl("why", "--json", "web").out)
        return [entry for entry in why["history"] if entry["to"] == "reloading"]

    def test_a_reload_that_the_job_does_not_survive_says_so(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nrestart = "no"\n'
                           'reload_command = ["sh", "-c", "kill -KILL $PROCSUPD_MAIN_PID; sleep 1000"]\n')
        told = s.ctl("reload", "web", expect=1)
        self.assertIn("web: failed: reload_command was not over when its run was: killed by SIGKILL", told.err)

    def test_what_a_pre_start_that_failed_has_written_is_in_why(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nrestart = "no"\n'
                           'pre_start = ["sh", "-c", "echo the schema is too old >&2; exit 3"]\n')
        s.ctl("wait", "web", expect=1)
        self.await_true("it is kept", lambda: "stderr | the schema is too old\n" in s.ctl("why", "web", expect=3).out)
        self.assertRegex(s.ctl("why", "web", expect=3).out, r"\n  its settings: /.*/procsup.toml:1\n")

    def test_a_start_waits_for_post_start_and_fails_with_it(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nrestart = "no"\nenabled = false\nmin_uptime = "10ms"\n' +
                           hook("post_start", "sleep 0.5; exit 3"))
        self.assertIn("post_start failed: exit 3", s.ctl("start", "web", expect=1).err)

    def test_exec_runs_no_hooks_of_the_job_that_it_is_like(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\n' + noted())
        s.ctl("wait", "web")
        before = self.noted(s)
        s.ctl("exec", "web", "--", "false", expect=1)
        self.assertEqual(before, self.noted(s))

    def test_a_second_signal_runs_no_hook_any_more(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nstop_timeout = "10min"\n' +
                           hook("pre_stop", "sleep 1000") + hook("post_stop", "echo post > @DIR@/post"))
        s.ctl("wait", "web")
        events = s.events("web")
        s.process.terminate()
        events.until("web", "stopping")
        s.process.terminate()
        s.wait_end()
        self.assertFalse(os.path.exists(s.path("post")))


if __name__ == "__main__":
    unittest.main()
