"""Verbs that ask: their output, their JSON, and their exit codes."""
import json
import re
import subprocess
import unittest

from harness import PROCSUPCTL, ROOT, IntegrationTest
from processes import SCALE

CONFIG = """
[jobs.web]
description = "ticket shop"
command = ["sleep", "1000"]
instances = 2
tags = ["prod"]
[jobs.mailer]
shell = "exit 78"
restart = "no"
[jobs.idle]
command = ["sleep", "1000"]
enabled = false
"""

# Which exit code a verb has for a job that runs, one that has failed, one that is down, one that does not exist.
STATUS_CODES = {
    "status": (0, 3, 3, 4),
    "list": (0, 0, 0, 4),
    "show": (0, 0, 0, 4),
    "cat": (0, 0, 0, 4),
    "why": (0, 3, 3, 4),
    "history": (0, 0, 0, 4),
    "graph": (0, 0, 0, 4),
    "is-active": (0, 3, 3, 4),
    "is-failed": (1, 0, 1, 4),
    "events": (0, 0, 0, 4),
}


class StateVerbs(IntegrationTest):
    def setUp(self):
        self.s = self.supervise(CONFIG)
        self.s.ctl("wait", "--for=stopped", "mailer")

    def test_exit_codes(self):
        for verb, codes in STATUS_CODES.items():
            for job, code in zip(("web", "mailer", "idle", "nosuch"), codes):
                for options in ((), ("--json",)):
                    with self.subTest(verb=verb, job=job, options=options):
                        result = self.s.run(verb, job, *options)
                        self.assertEqual(code, result.code, result)

    def test_status_json_has_every_member_with_null_where_it_does_not_apply(self):
        status = self.s.ctl("status", "--json").json
        self.assertEqual({"daemon", "instances"}, set(status))
        self.assertEqual((self.s.process.pid, 3, 4), tuple(status["daemon"][k] for k in ("pid", "jobs", "instances")))
        instances = {i["name"]: i for i in status["instances"]}
        self.assertEqual(["idle", "mailer", "web@0", "web@1"], sorted(instances))
        for instance in instances.values():
            self.assertLessEqual({"name", "job", "state", "pid", "ready", "restarts", "since_usec", "exit_code",
                                  "exit_signal", "cause"}, set(instance))
        web, mailer, idle = instances["web@1"], instances["mailer"], instances["idle"]
        self.assertEqual(("web", "running", True, 0), (web["job"], web["state"], web["ready"], web["restarts"]))
        self.assertIsInstance(web["pid"], int)
        self.assertEqual((None, None), (web["exit_code"], web["exit_signal"]))
        self.assertEqual(("failed", None, 78, None, False),
                         tuple(mailer[k] for k in ("state", "pid", "exit_code", "exit_signal", "ready")))
        self.assertEqual(("stopped", None, None), (idle["state"], idle["pid"], idle["exit_code"]))

    def test_names_in_json_are_snake_case_everywhere(self):
        def names_of(value):
            if isinstance(value, dict):
                for name, member in value.items():
                    yield name
                    yield from names_of(member)
            elif isinstance(value, list):
                for member in value:
                    yield from names_of(member)

        for line in ("status", "show web", "why mailer", "graph", "events", "daemon status", "cat web"):
            with self.subTest(line):
                value = json.loads(self.s.run(*line.split(), "--json").out)
                self.assertEqual([], [name for name in names_of(value) if name != name.lower()])

    def test_status_without_a_job_shows_all_and_what_to_do_next(self):
        out = self.s.ctl("status").out
        self.assertRegex(out, r"^procsupd \S+  up \S+  jobs: 1 running, 1 failed, 1 stopped\n")
        self.assertRegex(out, r"\* web +running +2/2")
        self.assertRegex(out, r"x mailer +failed +0/1 .* exit 78")
        self.assertIn("hint: procsupctl why mailer", out)

    def test_status_of_one_shows_its_process(self):
        out = self.s.ctl("status", "web@0").out
        self.assertIn("web@0 - ticket shop", out)
        self.assertIn(f"pid: {self.s.pid_of('web@0')} sleep 1000", out)
        self.assertNotIn("web@1", out)

    def test_patterns_choose_instances(self):
        self.assertEqual(["web@0", "web@1"], sorted(self.s.instances("web@*")))
        self.assertEqual(["mailer"], sorted(self.s.instances("m*")))
        self.s.ctl("status", "x*", expect=4)

    def test_show_and_cat_tell_the_settings_and_their_origin(self):
        show = self.s.ctl("show", "web").out
        self.assertIn("ticket shop", show)
        self.assertIn(f"{self.s.config}:2", show)
        cat = self.s.ctl("cat", "web").out
        self.assertTrue(cat.startswith(f"# {self.s.config}:2\n"), cat)
        self.assertIn('command = ["sleep", "1000"]', cat)

    def test_show_and_cat_tell_how_captured_output_is_kept(self):
        s = self.supervise('[jobs.talker]\ncommand = "sleep 1000"\nenabled = false\n[jobs.talker.log]\nstdout = "capture"\n'
                           'format = "json"\nmax_size = "1MiB"\nmax_age = "1d"\nkeep = 3\ntotal_size = "2MiB"\n'
                           'compress = "none"\non_full = "drop_oldest"\nrate_limit = "5/1s"\nmirror = true\nsync = "0s"\n'
                           'dir = "@DIR@/log"\n')
        show = s.ctl("show", "talker").out
        for line in ('stdout = "capture"', 'log.format = "json"', "log.max_size = 1048576", "log.keep = 3",
                     'log.on_full = "drop_oldest"', "log.rate_limit.count = 5", "log.mirror = true",
                     f'log.dir = "{s.path("log")}"'):
            self.assertIn(line, show)
        s.write("talker.toml", s.ctl("cat", "talker").out)
        for line in ('max_size = "1048576B"', 'max_age = "1d"', 'total_size = "2097152B"', 'compress = "none"',
                     'on_full = "drop_oldest"', 'rate_limit = "5/1s"', "mirror = true", 'sync = "0s"'):
            self.assertIn(line, s.ctl("cat", "talker").out)
        s.ctl("check", s.path("talker.toml"))

    def test_the_output_of_cat_is_a_job_file(self):
        directory = self.s.path("copies")
        subprocess.run(["mkdir", directory], check=True)
        for job in ("web", "mailer", "idle"):
            self.s.write(f"copies/{job}.toml", self.s.ctl("cat", job).out)
        self.s.ctl("check", directory)

    def test_why_tells_the_cause_and_what_to_do(self):
        why = self.s.ctl("why", "mailer", expect=3).out
        self.assertTrue(why.startswith("mailer is failed because exit 78"), why)
        self.assertIn("procsupctl start mailer", why)
        answer = self.s.ctl("why", "mailer", "--json", expect=3).json
        steps = [entry["to"] for entry in answer["history"]]
        self.assertEqual(("failed", "starting"), (steps[0], steps[-1]))

    def test_why_of_several_instances_names_the_others_that_do_not_run(self):
        s = self.supervise('[jobs.pair]\nshell = "test $PROCSUPD_INDEX = 0 || exit 4; exec sleep 1000"\n'
                           'instances = ["a", "b", "c"]\nrestart = "no"\n')
        s.ctl("wait", "--for=stopped", "pair@b", "pair@c")
        why = s.ctl("why", "pair", expect=3).out
        self.assertTrue(why.startswith("pair@b is failed because exit 4"), why)
        self.assertIn("also failed: procsupctl why pair@c\n", why)
        self.assertNotIn("pair@a", why)

    def test_a_typo_of_a_job_or_verb_or_option_is_answered_with_a_guess(self):
        self.assertIn("did you mean 'mailer'?", self.s.ctl("status", "maier", expect=4).err)
        self.assertIn("did you mean 'mailer'?", self.s.ctl("start", "maier", expect=5).err)
        self.assertIn("did you mean 'restart'?", self.s.ctl("restrat", "web", expect=2).err)
        self.assertIn("did you mean '--json'?", self.s.ctl("status", "--jsn", expect=2).err)
        self.assertIn("did you mean 'daemon status'?", self.s.ctl("daemon", expect=2).err)

    def test_a_typo_of_the_job_of_exec_is_answered_with_a_guess(self):
        self.assertIn("did you mean 'mailer'?", self.s.ctl("exec", "maier", "--", "true", expect=125).err)

    def test_colour_is_for_terminals_only_and_no_color_turns_it_off(self):
        def on_a_terminal(*words, **env):
            command = " ".join([PROCSUPCTL, *words])
            environment = self.s.ctl_env({"TERM": "xterm", **env})
            done = subprocess.run(["script", "-qec", command, "/dev/null"], env=environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, check=False)
            return done.stdout.decode()

        self.assertNotIn("\x1b", self.s.ctl("status").out)
        self.assertIn("\x1b[", self.s.ctl("status", "--color=always").out)
        self.assertIn("\x1b[", on_a_terminal("status"))
        self.assertNotIn("\x1b", on_a_terminal("status", NO_COLOR="1"))
        self.assertIn("\x1b[", on_a_terminal("status", NO_COLOR=""))
        self.assertNotIn("\x1b", on_a_terminal("status", TERM="dumb"))
        self.assertNotIn("\x1b", on_a_terminal("status", "--color=never"))
        self.assertIn("\x1b[", on_a_terminal("status", "--color=always", NO_COLOR="1"))

    def test_help_names_every_verb_and_completion_its_jobs(self):
        text = self.s.ctl("help").out
        for verb in STATUS_CODES:
            self.assertRegex(text, rf"(?m)^  {verb} ")
        self.assertIn("complete -F", self.s.ctl("completion", "bash").out)
        self.assertEqual({"web", "web@0", "web@1"}, set(self.s.ctl("__complete", "status", "we").out.split()))
        self.assertIn("restart", self.s.ctl("__complete", "resta").out.split())

    def test_version_and_ping(self):
        self.assertRegex(self.s.ctl("version").out, r"^procsupctl \d+\.\d+\.\d+\n$")
        self.assertTrue(self.s.ctl("ping").out.startswith("procsupd answered in "))
        self.assertEqual("", self.s.ctl("ping", "-q").out)


class Refusals(IntegrationTest):
    def test_no_daemon_is_69_and_125_for_run(self):
        s = self.prepare()
        for verb in ("status", "list", "ping", "shutdown", "daemon status", "reload", "apply", "rollback", "events"):
            with self.subTest(verb):
                self.assertIn("hint: start it:", s.ctl(*verb.split(), expect=69).err)
        for verb in ("start", "stop", "restart", "reset", "wait", "show", "cat", "why", "is-active", "is-failed"):
            with self.subTest(verb):
                s.ctl(verb, "web", expect=69)
        s.ctl("signal", "HUP", "web", expect=69)
        s.ctl("run", "--", "true", expect=125)
        s.ctl("exec", "web", "--", "true", expect=125)

    def test_usage_errors_are_2(self):
        s = self.prepare()
        for line in ("", "start", "nosuchverb", "status --nosuch", "start --for=ready web", "wait --for=lunch web",
                     "wait --timeout=5 web", "wait --timeout", "signal", "signal HUP", "signal NOPE web", "show",
                     "show a b", "run", "run --", "exec web", "exec -- true", "stop --all web", "ping x",
                     "completion tcsh", "completion"):
            with self.subTest(line):
                result = s.ctl(*line.split(), expect=2)
                self.assertTrue(result.err.startswith("error: "), result.err)

    @unittest.skipUnless(ROOT, "becomes another user")
    def test_what_a_reader_may_not_do_is_4(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\n[jobs.his]\ncommand = ["sleep", "1000"]\n'
                           'owner = "nobody"\n')
        nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        s.ctl("status", **nobody)
        s.ctl("ping", **nobody)
        s.ctl("wait", "web", **nobody)
        for words in (("start", "web"), ("stop", "web"), ("restart", "web"), ("reset", "web"), ("signal", "HUP", "web"),
                      ("reload",), ("reload", "web"), ("apply",), ("apply", "--dry-run"), ("rollback",), ("shutdown",),
                      ("show", "web"), ("cat", "web"), ("why", "web")):
            with self.subTest(words):
                result = s.ctl(*words, expect=4, **nobody)
                self.assertIn("uid 65534 lacks", result.err)
        s.ctl("run", "--", "true", expect=125, **nobody)
        s.ctl("exec", "web", "--", "true", expect=125, **nobody)
        s.ctl("stop", "his", **nobody)
        s.ctl("start", "his", **nobody)
        s.ctl("show", "his", **nobody)
        self.assertEqual("running", s.instance("web")["state"])

    def test_a_daemon_that_does_not_answer_is_124_with_a_timeout(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\n')
        s.process.send_signal(19)
        try:
            result = s.ctl("status", f"--timeout={int(200 * SCALE)}ms", expect=124)
            self.assertTrue(re.search("no answer", result.err), result.err)
        finally:
            s.process.send_signal(18)
        s.ctl("status")


class Escapes(IntegrationTest):
    def test_control_characters_of_names_do_not_reach_the_terminal(self):
        s = self.prepare('[jobs.web]\ncommand = ["/bin/\\u001b[31mred\\u0007"]\nrestart = "no"\n').start()
        for words in (("status",), ("status", "web"), ("list",), ("why", "web"), ("events",), ("show", "web"),
                      ("status", "\x1b[31mred"), ("start", "web"), ("\x1b[31mverb",)):
            with self.subTest(words):
                result = s.run(*words)
                self.assertNotIn("\x1b", result.out + result.err)
                self.assertNotIn("\x07", result.out + result.err)
        self.assertNotIn("\x1b", s.log_text())
        self.assertIn("\x1b", s.ctl("status", "--json").json["instances"][0]["cause"])


if __name__ == "__main__":
    unittest.main()
