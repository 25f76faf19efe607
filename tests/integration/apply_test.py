"""procsupctl apply and rollback: what runs becomes what is written, all or nothing, and nothing else is touched."""
import os
import signal
import threading
import unittest

import churn
from harness import IntegrationTest
from processes import GIVES_BACK, SCALE, wait_gone

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/apply")
DRY = "nothing was changed: it is a dry run\n"


def example(name):
    with open(os.path.join(EXAMPLE, name), encoding="utf-8") as file:
        return file.read()


def job(name, *lines, command="exec sleep 1000"):
    return f'[jobs.{name}]\nshell = """{command}"""\n' + "".join(line + "\n" for line in lines)


class ApplyTest(IntegrationTest):
    def pids(self, s):
        return {name: one["pid"] for name, one in s.instances().items() if "pid" in one}

    def changes(self, s, *words):
        return {one["job"]: one for one in s.ctl("apply", "--json", *words).json["changes"]}


class Apply(ApplyTest):
    def test_of_the_example_does_what_the_dry_run_says(self):
        s = self.supervise(example("before.toml"))
        before = self.pids(s)
        s.configure(example("after.toml"))
        said = [line[4:] for line in example("after.toml").splitlines() if line.startswith("#   ")]
        self.assertEqual("\n".join(said) + "\n", s.ctl("apply", "--dry-run").out)
        self.assertEqual(before, self.pids(s))
        self.assertEqual("\n".join(said) + "\n", s.ctl("apply").out + DRY)
        s.ctl("wait", "web", "metrics")
        self.await_true("what is gone has stopped", lambda: "old" not in s.instances())
        after = self.pids(s)
        for name in ("db", "api", "mail"):
            self.assertEqual(before[name], after[name], name)
        self.assertTrue(all(before.get(f"web@{n}") != after[f"web@{n}"] for n in range(3)))
        with open(f"/proc/{after['web@2']}/environ", "rb") as file:
            self.assertIn(b"COLOUR=green", file.read().split(b"\0"))
        self.assertEqual("nothing has changed\n", s.ctl("apply").out)

    def test_of_a_live_key_is_in_force_for_the_run_that_goes_on(self):
        deaf = "trap '' TERM; echo up > @DIR@/up; while :; do sleep 1000; done"
        s = self.prepare(job("web", 'stop_timeout = "1h"', command=deaf))
        up = s.fifo("up")
        s.start()
        up.next()
        pid = s.pid_of("web")
        s.configure(job("web", 'stop_timeout = "2h"', command=deaf))
        self.assertEqual({"job": "web", "action": "live", "keys": ["stop_timeout"]}, self.changes(s)["web"])
        s.ctl("stop", "web", "--no-wait")
        self.assertEqual(pid, s.pid_of("web"))
        # That of the stop that is under way, from its beginning on.
        s.configure(job("web", 'stop_timeout = "200ms"', command=deaf))
        self.changes(s)
        s.ctl("wait", "--for=stopped", "web")
        self.assertIn("did not end within stop_timeout, 200ms", s.instance("web")["cause"])

    def test_of_a_key_of_a_start_restarts_and_without_restart_does_not(self):
        s = self.supervise(job("web") + job("other"))
        before = self.pids(s)
        s.configure(job("web", 'umask = "0077"') + job("other"))
        self.assertEqual("later", self.changes(s, "--no-restart")["web"]["action"])
        self.assertEqual(before, self.pids(s))
        self.assertEqual({}, self.changes(s, "--no-restart"))
        told = "its settings have changed (umask); restart it to use them: procsupctl restart web\n"
        for verb in ("status", "why", "show"):
            self.assertIn(told, s.ctl(verb, "web").out)
            self.assertNotIn("changed", s.ctl(verb, "other").out)
        self.assertEqual({"job": "web", "action": "restart", "keys": ["umask"]}, self.changes(s)["web"])
        s.ctl("wait", "web")
        self.assertNotEqual(before["web"], s.pid_of("web"))
        self.assertEqual(before["other"], s.pid_of("other"))
        self.assertIn("restarted with its new settings: umask", s.ctl("why", "web").out)
        self.assertNotIn("have changed", s.ctl("status", "web").out)

    def test_of_a_file_of_variables_that_has_changed_restarts(self):
        s = self.prepare(job("web", 'env_files = ["@DIR@/web.env"]'))
        s.write("web.env", "PORT=1\nSECRET=x\n")
        s.start().settle()
        s.write("web.env", "PORT=2\nSECRET=x\n")
        self.assertEqual("restart  web  env.PORT\nunchanged: 0\n" + DRY, s.ctl("apply", "--dry-run").out)
        self.assertEqual(["env.PORT"], self.changes(s)["web"]["keys"])

    def test_leaves_what_is_stopped_stopped_and_tries_again_what_has_failed(self):
        failing = job("bad", 'restart = "no"', command="exit 3")
        s = self.supervise(job("rest") + failing)
        s.ctl("stop", "rest")
        s.ctl("wait", "--for=stopped", "bad")
        s.configure(job("rest", 'umask = "0077"') + failing.replace("exit 3", "exec sleep 1000"))
        self.assertEqual({"rest": "later", "bad": "restart"},
                         {name: one["action"] for name, one in self.changes(s).items()})
        s.ctl("wait", "bad")
        self.assertEqual("stopped", s.instance("rest")["state"])

    def test_of_a_file_with_mistakes_changes_nothing_and_says_all(self):
        s = self.supervise(job("web") + job("gone"))
        before = self.pids(s)
        s.configure(job("web", "umask = 7", 'restrat = "no"') + job("new"))
        for words in (("apply", "--dry-run"), ("apply",)):
            refused = s.ctl(*words, expect=6)
            self.assertIn("procsup.toml:3:9: error: ", refused.err)
            self.assertIn("procsup.toml:4:1: error: unknown key 'restrat'", refused.err)
            # Only who applies it makes it the newest.
            self.assertEqual(2 if len(words) == 1 else 0, len(s.daemon()["config_problems"]))
        self.assertEqual(before, self.pids(s))

    def test_asked_for_by_several_at_once_is_made_by_each_in_turn(self):
        s = self.supervise(job("web", 'umask = "0077"'))
        s.configure(job("web"))
        results = []
        threads = [threading.Thread(target=lambda: results.append(s.run("apply", "--json"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({0}, {one.code for one in results})
        self.assertEqual(1, len([one for one in results if one.json["changes"]]))

    def test_is_what_a_hangup_asks_for(self):
        s = self.supervise(job("web"))
        events = s.events()
        s.configure(job("web", 'umask = "0077"'))
        s.process.send_signal(signal.SIGHUP)
        self.assertEqual("restarted with its new settings: umask", events.until("web", "stopping")["cause"])
        events.until("web", "running")

    def test_says_what_is_restarted_with_a_job(self):
        with_db = 'requires = [{ job = "db", on_restart = "restart" }]'
        s = self.supervise(job("db") + job("api", with_db))
        before = self.pids(s)
        s.configure(job("db", 'umask = "0077"') + job("api", with_db))
        self.assertEqual("restart  db  umask; with api\nunchanged: 1\n", s.ctl("apply").out)
        s.ctl("wait", "db", "api")
        self.assertNotEqual(before["api"], s.pid_of("api"))


class Rollback(ApplyTest):
    def test_goes_back_one_after_the_other_and_apply_forward(self):
        texts = [job("web", f'umask = "00{n}7"') for n in range(3)]
        s = self.supervise(texts[0])
        self.assertEqual(0, s.daemon()["older_configs"])
        for text in texts[1:]:
            s.configure(text)
            s.ctl("apply")
            s.ctl("wait", "web")
        pid = s.pid_of("web")
        self.assertEqual("restart  web  umask\nunchanged: 0\n" + DRY, s.ctl("rollback", "--dry-run").out)
        self.assertEqual(pid, s.pid_of("web"))
        for n in (1, 0):
            out = s.ctl("rollback").out
            self.assertIn("restart  web  umask\n", out)
            self.assertIn("; the files are newer: `procsupctl apply` takes them\n", out)
            s.ctl("wait", "web")
            self.assertEqual(f"00{n}7", s.ctl("show", "web", "--json").json["settings"]["umask"])
        self.assertTrue(s.daemon()["rolled_back"])
        self.assertIn("the files are newer", s.ctl("status").out)
        self.assertIn("there is no configuration before", s.ctl("rollback", expect=1).err)
        with open(s.config, encoding="utf-8") as file:
            self.assertEqual(texts[2], file.read())
        s.ctl("apply")
        s.ctl("wait", "web")
        self.assertEqual("0027", s.ctl("show", "web", "--json").json["settings"]["umask"])
        self.assertNotIn("rolled_back", s.daemon())

    def test_brings_a_removed_job_back_and_ends_an_added_one(self):
        s = self.supervise(job("old") + job("same"))
        same = s.pid_of("same")
        s.configure(job("new") + job("same"))
        s.ctl("apply")
        self.await_true("it is gone", lambda: set(s.instances()) == {"new", "same"})
        new = s.pid_of("new")
        self.assertEqual("stop   new  no longer configured\nstart  old  new\n",
                         "".join(s.ctl("rollback").out.splitlines(keepends=True)[:2]))
        s.ctl("wait", "old")
        self.assertTrue(wait_gone(new))
        self.assertEqual(same, s.pid_of("same"))


class Churn(ApplyTest):
    def test_of_200_applies_half_of_them_invalid_touches_nothing_else_and_leaks_nothing(self):
        found = churn.run(self.prepare(env=GIVES_BACK), rounds=int(200 / max(1, SCALE // 4)))
        self.assertEqual([], found.faults)


if __name__ == "__main__":
    unittest.main()
