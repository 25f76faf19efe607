"""The runs of jobs are known for as long as they are kept, whatever becomes of procsupd, its logger and their disk."""
import json
import os
import signal
import time
import unittest

import fuse
from captured import CaptureTest
from harness import ROOT
from processes import SCALE

JOBS = """
[jobs.web]
command = ["sleep", "infinity"]
restart = "no"
[jobs.bad]
command = ["/nonexistent/bad"]
restart = "no"
enabled = false
[jobs.once]
shell = "exit 3"
restart = "no"
enabled = false
"""
# Runs 5,001 times.
QUICK = """
[jobs.quick]
command = ["true"]
restart = "always"
min_uptime = "0s"
start_limit = "5000/1d"
[jobs.quick.log]
stdout = "null"
stderr = "null"
"""
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}
MOST_OF_FILE = 256 * 1024
DAY = 24 * 60 * 60


class History(CaptureTest):
    def start(self, config=JOBS):
        self.s = self.supervise(config)
        self.dir = os.path.join(self.s.state, "history")
        return self.s

    def path(self, name):
        return os.path.join(self.dir, name)

    def runs(self, *words):
        return self.s.ctl("history", "--json", *words).json["runs"]

    def past(self, *words):
        return [run for run in self.runs(*words) if "ended_usec" in run]

    def end_once(self, times=1):
        for _ in range(times):
            self.s.run("start", "once")
            self.s.ctl("wait", "--for=stopped", "once")

    def await_file(self, name, runs):
        def there():
            try:
                with open(self.path(name), "rb") as file:
                    return file.read().count(b"\n") >= runs
            except FileNotFoundError:
                return False
        self.await_true(f"{name} has {runs} lines", there)

    def test_tells_of_runs_and_of_starts_that_failed(self):
        s = self.start()
        s.ctl("signal", "SEGV", "web")
        s.ctl("wait", "--for=stopped", "web")
        s.run("start", "bad")
        s.ctl("start", "web")
        web, = self.past("web")
        self.assertEqual(("web", "web", "SIGSEGV", "started with the daemon"),
                         tuple(web[key] for key in ("name", "job", "exit_signal", "start_cause")))
        self.assertTrue(web["end_cause"].startswith("killed by SIGSEGV"), web)
        self.assertGreater(web["cpu_usec"], 0)
        self.assertLess(web["started_usec"], web["ended_usec"])
        bad, = self.past("bad")
        self.assertEqual("cannot exec /nonexistent/bad: No such file or directory", bad["end_cause"])
        self.assertFalse({"exit_code", "exit_signal", "pid"} & set(bad), bad)
        *_, live = self.runs()
        self.assertEqual(("web", "running", s.pid_of("web")), tuple(live[key] for key in ("name", "state", "pid")))
        self.assertIn("start asked by uid", live["start_cause"])
        table = s.ctl("history").out.splitlines()
        self.assertEqual(["INSTANCE", "STARTED", "LASTED", "END", "CPU", "CAUSE"], table[0].split())
        self.assertEqual(4, len(table), table)
        self.assertIn("not started", table[2])

    def test_of_nothing_and_of_what_is_not_there(self):
        s = self.start()
        self.assertEqual("no run is known yet\n", s.ctl("history", "once").out)
        self.assertEqual(4, s.run("history", "nosuch").code)
        self.assertEqual(2, s.run("history", "-n", "x").code)

    def test_is_there_after_a_restart_of_procsupd(self):
        s = self.start()
        self.end_once(3)
        pid = s.pid_of("web")
        s.process.terminate()
        s.wait_end()
        s.start().settle()
        self.assertEqual(3, len(self.past("once")))
        web, = self.past("web")
        self.assertEqual((pid, "SIGTERM", "shutdown: SIGTERM; killed by SIGTERM"),
                         (web["pid"], web["exit_signal"], web["end_cause"]))

    def test_shows_as_many_as_are_asked_for(self):
        self.start()
        self.end_once(3)
        last = [run["sequence"] for run in self.past("once")]
        self.assertEqual(last[-2:], [run["sequence"] for run in self.past("-n", "2", "once")])
        self.assertEqual(["web"], [run["name"] for run in self.runs("-n", "0")])

    def test_of_an_instance_and_of_instances_that_are_no_more(self):
        s = self.start('[jobs.web]\nshell = "exit 0"\nrestart = "no"\ninstances = ["a", "b"]\n')
        s.ctl("wait", "--for=stopped", "web")
        self.assertEqual(["web@b"], [run["name"] for run in self.past("web@b")])
        self.assertEqual({"web@a", "web@b"}, {run["name"] for run in self.past("web")})
        s.configure('[jobs.web]\nshell = "exit 0"\nrestart = "no"\ninstances = ["b"]\nenabled = false\n')
        s.ctl("reload")
        self.assertEqual({"web@a", "web@b"}, {run["name"] for run in self.past("web")})

    def test_of_a_job_that_is_no_more_is_shown_as_long_as_it_is_kept(self):
        s = self.start()
        self.end_once(2)
        self.await_file("once.jsonl", 2)
        s.configure('[jobs.web]\ncommand = ["sleep", "infinity"]\n')
        s.ctl("apply")
        self.assertEqual(["once", "once"], [run["name"] for run in self.past("once")])
        self.assertEqual(["once", "once", "web"], sorted(run["name"] for run in self.runs("once", "web")))
        nothing = s.run("history", "wbe")
        self.assertEqual((4, "error: no job or instance is called 'wbe' (did you mean 'web'?), and no run of one is kept\n"),
                         (nothing.code, nothing.err))
        both = s.run("history", "wbe", "once")
        self.assertEqual((4, 3), (both.code, both.out.count("\n")), both)

    def test_of_transient_jobs_is_not_kept(self):
        s = self.start()
        self.assertEqual(0, s.run("run", "--name=job", "--", "true").code)
        self.end_once()
        self.await_file("once.jsonl", 1)
        self.assertEqual(["once.jsonl"], os.listdir(self.dir))

    def test_a_logger_that_is_killed_loses_and_doubles_nothing(self):
        self.start()
        self.end_once()
        for _ in range(3):
            logger = self.hold_logger(self.s)
            self.end_once(3)
            os.kill(logger, signal.SIGKILL)
            self.end_once()
            self.logger(self.s, after=logger)
        runs = self.past("once")
        self.assertEqual(13, len(runs))
        self.assertEqual(13, len({run["sequence"] for run in runs}))
        self.assertEqual(sorted(run["sequence"] for run in runs), [run["sequence"] for run in runs])

    def test_while_the_logger_hangs_what_is_in_memory_is_shown(self):
        self.start()
        self.end_once()
        logger = self.hold_logger(self.s)
        self.addCleanup(os.kill, logger, signal.SIGCONT)
        self.end_once(2)
        shown = self.s.run("history", "--json", "once")
        self.assertEqual(1, shown.code)
        self.assertIn(f"the files in {self.dir} are not shown: their file system does not answer", shown.err)
        self.assertGreaterEqual(len(shown.json["runs"]), 2)
        gone = self.s.run("history", "gone")
        self.assertEqual((1, "no run is known yet\n"), (gone.code, gone.out), "whether one is kept is not known then")

    def test_stays_bounded_and_in_order_over_5000_quick_runs(self):
        s = self.start(QUICK)
        s.ctl("wait", "--for=stopped", "quick", seconds=100)
        self.assertEqual(5000, s.instance("quick")["restarts"])
        runs = self.past("-n", "100000", "quick")
        sizes = {name: os.stat(self.path(name)).st_size for name in os.listdir(self.dir)}
        self.assertEqual({"quick.jsonl", "quick.jsonl.1"}, set(sizes))
        self.assertLessEqual(max(sizes.values()), MOST_OF_FILE)
        self.assertGreater(sizes["quick.jsonl.1"], MOST_OF_FILE * 3 // 4)
        self.assertGreater(len(runs), 700)
        sequences = [run["sequence"] for run in runs]
        self.assertEqual(sorted(set(sequences)), sequences)
        # None is missing that it does not tell of, as where its logger gets no processor: a restart is two changes.
        for before, run in zip(runs, runs[1:]):
            self.assertEqual(2 * (1 + run.get("lost", 0)), run["sequence"] - before["sequence"], run)
        self.assertEqual("start_limit (5000/1d) reached; last: exit 0", s.instance("quick")["cause"])

    def test_what_is_in_the_way_is_told_once_and_shown_from_memory(self):
        s = self.start()
        os.makedirs(s.state, exist_ok=True)
        obstacle = s.write("state/history", "a file")
        self.end_once(3)
        self.await_log(s, f"cannot keep the history of runs: cannot open the directory {obstacle}: Not a directory; "
                          "it is tried again, and until then only procsupd's memory has the newest")
        shown = s.run("history", "--json", "once")
        self.assertEqual(3, len(shown.json["runs"]), shown)
        self.assertIn("what is new is only in procsupd's memory", shown.err)
        os.unlink(obstacle)
        s.ctl("history", "once")
        self.await_log(s, f"the history of runs is kept in {obstacle} again")
        self.assertEqual("", s.ctl("history", "once").err)
        self.assertEqual(3, len(self.past("once")))
        self.await_file("once.jsonl", 3)
        self.assertEqual(1, s.log_text().count("cannot keep the history"))

    def test_lines_that_are_spoiled_are_left_out_and_told_of(self):
        self.start()
        self.end_once()
        self.await_file("once.jsonl", 1)
        with open(self.path("once.jsonl"), "ab") as file:
            file.write(b'\0\0\0\n{"name":"once","startedUSec":1e999}\n{"name":"on')
        self.end_once()
        shown = self.s.ctl("history", "--json", "once")
        self.assertEqual((2, 3), (len(shown.json["runs"]), shown.json["unreadable"]))
        self.assertIn("3 lines of the files are not readable and left out", shown.err)

    def test_a_link_or_a_fifo_in_place_of_a_file_is_neither_followed_nor_waited_for(self):
        s = self.start()
        os.makedirs(self.dir)
        precious = s.write("precious", "precious\n")
        os.symlink(precious, self.path("once.jsonl"))
        os.mkfifo(self.path("web.jsonl"))
        self.end_once()
        s.ctl("stop", "web")
        shown = s.run("history", "--json")
        self.assertEqual(1, shown.code)
        self.assertEqual({"once", "web"}, {run["name"] for run in shown.json["runs"]})
        self.assertIn("Too many levels of symbolic links", shown.err)
        self.assertIn("it is no regular file", shown.err)
        with open(precious, encoding="utf-8") as file:
            self.assertEqual("precious\n", file.read())

    def test_files_of_jobs_that_are_no_more_go_when_they_are_old(self):
        s = self.start()
        os.makedirs(self.dir)
        for name, days in (("gone", 31), ("lately", 29), ("web", 31)):
            path = s.write(f"state/history/{name}.jsonl", "")
            os.utime(path, (0, time.time() - days * DAY))
        self.end_once()
        self.await_true("it is swept", lambda: set(os.listdir(self.dir)) ==
                        {"lately.jsonl", "web.jsonl", "once.jsonl"})

    @unittest.skipUnless(ROOT, "needs another user")
    def test_is_for_owners_and_operators(self):
        s = self.start('[access]\nread = ["*"]\n[jobs.mine]\nshell = "exit 0"\nrestart = "no"\nowner = "nobody"\n'
                       '[jobs.web]\ncommand = ["sleep", "infinity"]\n')
        s.ctl("wait", "--for=stopped", "mine")
        self.assertEqual(1, len(json.loads(s.ctl("history", "--json", "mine", **NOBODY).out)["runs"]))
        for words in ((), ("web",), ("*",)):
            refused = s.run("history", *words, **NOBODY)
            self.assertEqual(4, refused.code, refused)
            self.assertIn("uid 65534 lacks", refused.err)
        self.await_file("mine.jsonl", 1)
        self.assertEqual(0o600, os.stat(self.path("mine.jsonl")).st_mode & 0o777)

    @unittest.skipUnless(fuse.available(), "needs root and /dev/fuse")
    def test_a_disk_that_hangs_holds_up_nobody(self):
        s = self.start()
        os.makedirs(s.state, exist_ok=True)
        mount = fuse.SilentMount(s.state)
        self.addCleanup(mount.close)
        self.end_once()
        mount.take()
        begun = time.monotonic()
        self.end_once(5)
        self.assertLess(time.monotonic() - begun, 1 * SCALE)
        shown = s.run("history", "--json", "once")
        self.assertEqual((1, 6), (shown.code, len(shown.json["runs"])))
        mount.close()
        self.await_file("once.jsonl", 6)
        self.assertEqual(6, len(self.past("once")))


if __name__ == "__main__":
    unittest.main()
