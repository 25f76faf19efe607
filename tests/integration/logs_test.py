"""procsupctl logs, as its users meet it: the real logger, rotation, compression, restarts, rights."""
import json
import os
import signal
import subprocess
import unittest

from captured import CaptureTest, captured
from harness import Lines

ONCE = ('restart = "no"',)


class Logs(CaptureTest):
    def spoken(self, **log):
        """A job that repeats what it is told."""
        s = self.prepare()
        s.configure(captured("web", f"exec 3<> @DIR@/words; while read line <&3; do echo \"$line\"; done", format="stamped", **log))
        os.mkfifo(s.path("words"))
        s.start().settle()
        return s

    def say(self, s, *lines):
        with open(s.path("words"), "w", encoding="ascii") as words:
            words.write("".join(line + "\n" for line in lines))

    def follow(self, s, *words):
        reader = s.popen("logs", "-f", "-o", "cat", *words, stdout=subprocess.PIPE)
        self.addCleanup(reader.wait)
        self.addCleanup(reader.stdout.close)
        self.addCleanup(reader.kill)
        return Lines(reader.stdout.fileno())

    def test_every_file_is_read_oldest_first(self):
        s = self.supervise(captured("web", "seq 1 20000", *ONCE, format="stamped", max_size="16KiB", keep=1000,
                                    compress="zstd"))
        self.await_true("all is written", lambda: s.ctl("logs", "-o", "cat", "web").out.endswith("\n20000\n"))
        self.assertEqual("".join(f"{n}\n" for n in range(1, 20001)), s.ctl("logs", "-o", "cat", "web").out)
        self.assertEqual("19999\n20000\n", s.ctl("logs", "-n", "2", "-o", "cat").out)
        self.assertEqual("7777\n17777\n", s.ctl("logs", "--grep", "7777$", "-o", "cat").out)

    def test_lines_of_jobs_are_told_apart(self):
        s = self.supervise(captured("web", "echo one; echo two >&2", *ONCE, format="stamped") +
                           captured("db", "echo three", *ONCE, format="json"))
        self.await_true("all is written", lambda: len(s.ctl("logs").out.splitlines()) == 3)
        lines = [json.loads(line) for line in s.ctl("logs", "-o", "json").out.splitlines()]
        self.assertEqual({("web", "stdout", "one"), ("web", "stderr", "two"), ("db", "stdout", "three")},
                         {(line["job"], line["stream"], line["message"]) for line in lines})
        self.assertRegex(s.ctl("logs", "--stream", "stderr").out, r"^\S+ web ERR \| two\n$")

    def test_following_goes_on_over_rotation_and_a_new_logger(self):
        s = self.spoken(max_size="4KiB", keep=3)
        self.say(s, "first")
        self.await_true("it is written", lambda: "first" in s.ctl("logs", "web").out)
        lines = self.follow(s, "web")
        self.assertEqual("first", lines.next())
        expected = [f"{n} {'x' * 60}" for n in range(200)]
        logger = self.logger(s)
        for number, line in enumerate(expected):
            self.say(s, line)
            self.assertEqual(line, lines.next())
            if number == 100:
                os.kill(logger, signal.SIGKILL)
        self.assertNotEqual(logger, self.logger(s))

    def test_following_goes_on_in_the_file_that_takes_the_place_of_another(self):
        s = self.spoken()
        self.say(s, "first")
        self.await_true("it is written", lambda: "first" in s.ctl("logs", "web").out)
        lines = self.follow(s, "web")
        self.assertEqual("first", lines.next())
        for number, meddle in enumerate((os.unlink, lambda path: os.truncate(path, 0),
                                         lambda path: os.rename(path, path + "-moved"))):
            meddle(self.file(s))
            # One that was moved is written on until it is looked for.
            self.await_true("there is a file", lambda number=number: self.say_until_there(s, f"{number}"))
            while lines.next() != f"{number} there":
                pass

    def say_until_there(self, s, text):
        self.say(s, text)
        if not os.path.exists(self.file(s)):
            return False
        self.say(s, text + " there")
        return True

    def test_a_job_that_is_there_again_loses_nothing_that_waited(self):
        job = captured("web", "seq 1 20; exec sleep 1000", format="stamped")
        s = self.prepare()
        os.makedirs(self.file(s))
        s.configure(job)
        s.start().settle()
        self.await_log(s, "waits")
        s.configure("")
        s.ctl("reload")
        self.await_true("it is gone", lambda: not s.instances())
        s.configure(job.replace("seq 1 20", "seq 21 40"))
        s.ctl("reload")
        self.await_true("it runs again", lambda: s.instance("web")["state"] == "running")
        os.rmdir(self.file(s))
        numbers = "".join(f"{n}\n" for n in range(1, 41))
        self.await_true("all is there", lambda: s.ctl("logs", "-o", "cat", "web").out == numbers)

    def test_what_rate_limit_drops_is_said_also_at_the_end(self):
        s = self.supervise(captured("web", "seq 1 1000", *ONCE, rate_limit="5/1h"))
        self.await_true("it has ended", lambda: s.instance("web")["state"] == "exited")
        s.ctl("shutdown")
        s.wait_end()
        self.assertRegex(self.content(s).decode(), r"^1\n2\n3\n4\n5\n\[procsupd: 995 lines lost, .*\]\n$")

    def test_files_of_a_procsupd_before_are_read_before_the_job_runs(self):
        job = captured("web", "echo one; exec sleep 1000", format="stamped")
        s = self.supervise(job)
        self.await_true("it is written", lambda: s.ctl("logs", "-o", "cat", "web").out == "one\n")
        s.ctl("shutdown")
        s.wait_end()
        s.configure(job.replace("shell =", "enabled = false\nshell ="))
        s.start().settle()
        self.await_true("it is read", lambda: s.ctl("logs", "-o", "cat", "web").out == "one\n")

    def test_one_run_is_shown_without_the_others(self):
        # Small files, so that runs begin and end in the middle of compressed ones.
        s = self.supervise(captured("web", "seq 1 300; echo bye >&2; printf unfinished; exit 1", 'restart_delay = "10ms"',
                                    'start_limit = "3/1min"', 'restart_backoff = 1', format="stamped", max_size="4KiB",
                                    keep=100, compress="zstd"))
        run = "".join(f"{n}\n" for n in range(1, 301)) + "unfinished"
        out = ("-o", "cat", "--stream", "stdout", "web")
        self.await_true("it has failed", lambda: s.instance("web")["state"] == "failed")
        self.await_true("all is written", lambda: len(s.ctl("logs", *out).out.split("unfinished")) == 5)
        for ago in range(4):
            self.assertEqual(run, s.ctl("logs", "--run", str(ago), *out).out.rstrip("\n"))
            self.assertEqual("bye\n", s.ctl("logs", "--run", str(ago), "-o", "cat", "--stream", "stderr").out)
        self.assertEqual("", s.ctl("logs", "--run", "4", *out).out)
        self.assertEqual("299\n300\nunfinished", s.ctl("logs", "--run", "2", "-n", "3", *out).out.rstrip("\n"))
        self.assertIn("has ended", s.ctl("logs", "-f", "--run", "1", expect=2).err)

    def test_a_rotation_is_ordered(self):
        s = self.spoken(compress="zstd")
        self.say(s, "one")
        self.await_true("it is written", lambda: s.ctl("logs", "-o", "cat", "web").out == "one\n")
        s.ctl("logs", "rotate", "web")
        self.await_true("it is rotated and compressed",
                        lambda: os.path.exists(self.file(s, "web.out.log.000001.zst")))
        self.say(s, "two")
        self.await_true("both are there", lambda: s.ctl("logs", "-o", "cat", "web").out == "one\ntwo\n")

    def test_what_is_not_captured_is_said_with_what_to_do(self):
        s = self.supervise('[jobs.web]\ncommand = "sleep 1000"\n[jobs.web.log]\nstdout = "null"\nstderr = "null"\n')
        self.assertIn('stdout = "capture"', s.ctl("logs", "web", expect=1).err)

    def test_what_would_steer_a_terminal_is_shown(self):
        s = self.supervise(captured("web", r"printf '\033[31mred\n'", *ONCE, format="stamped"))
        self.await_true("it is written", lambda: s.ctl("logs", "web").out.endswith("| \\x1b[31mred\n"))

    @unittest.skipUnless(os.geteuid() == 0, "needs another user")
    def test_only_who_may_operate_a_job_reads_it(self):
        s = self.supervise(captured("web", "echo secret", *ONCE) +
                           captured("mine", "echo mine", *ONCE, 'owner = "nobody"', format="stamped"))
        self.await_true("it is written", lambda: "secret" in s.ctl("logs", "web").out)
        refused = s.run("logs", "web", user=65534, group=65534, extra_groups=[])
        self.assertNotEqual(0, refused.code)
        self.assertNotIn("secret", refused.out)
        self.assertIn("mine", s.ctl("logs", "mine", user=65534, group=65534, extra_groups=[]).out)


if __name__ == "__main__":
    unittest.main()
