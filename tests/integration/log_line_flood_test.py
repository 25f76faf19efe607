"""What a job writes without an end, while a line of it is awaited, holds up nobody else."""
import os
import time
import unittest

from captured import captured
from log_lines import LogLineTest, job
from processes import PATIENCE, SCALE

MIB = 1 << 20


class Endless(LogLineTest):
    """Much, up to a GiB, is written by a job before it is ready. Another one is not kept waiting, and the logger does not grow."""

    def own_memory(self, pid):
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon:"))

    def latencies(self, s, other, count=40):
        """How long each of some lines of the other job takes until it is in its file."""
        file = self.file(s, "other.out.log")
        took = []
        size = os.path.getsize(file) if os.path.exists(file) else 0
        for number in range(count):
            text = f"line {number}\n"
            size += len(text)
            begin = time.monotonic()
            other.say(text)
            self.await_true("it is written", lambda: os.path.exists(file) and os.path.getsize(file) == size)
            took.append(time.monotonic() - begin)
        return sorted(took)

    def flood(self, command, line="^now ready$"):
        s, other, gate = self.begin(
            job("web", line, timeout="10min", max_size="4MiB", keep=1,
                shell=f"read go < @DIR@/gate.mouth; {command}; printf '\\nnow ready\\n'; exec sleep 1000"),
            job("other", "no such line", timeout="10min"), mouths=("other", "gate"))
        calm = self.latencies(s, other)
        logger = self.logger(s)
        before = self.own_memory(logger)
        gate.say("go\n")
        self.await_true("it writes", lambda: os.path.exists(self.file(s)))
        took = self.latencies(s, other)
        self.assertFalse(self.is_ready(s), "all was written before the other one was asked")
        # One in ten may be late: there are others on this machine.
        self.assertLess(took[-5], calm[-5] + 0.1 * SCALE)
        self.assertLess(self.own_memory(logger) - before, 8 * MIB)
        return s

    def await_ready_later(self, s):
        s.ctl("wait", "web", seconds=10 * PATIENCE)
        self.assertTrue(self.is_ready(s))

    def test_lines(self):
        self.await_ready_later(self.flood("yes 'a line of what it writes' | head -c 256M"))

    def test_a_line_without_end(self):
        self.await_ready_later(self.flood("head -c 1G /dev/zero"))

    def test_lines_that_begin_as_the_line_does(self):
        self.await_ready_later(self.flood("yes 'now ready to' | head -c 100M", "(now|then) ready$"))

    def test_an_expression_that_takes_for_ever(self):
        lines = f"yes {'a' * 2000} | head -c 20M"
        s = self.flood(lines, "(a+)+b|now ready")
        self.await_log(s, "web: 'log_line' takes too long for a line that it writes")
        s.ctl("stop", "web")

    def test_one_line_for_which_it_takes_for_ever_is_passed_over(self):
        s, web = self.begin(job("web", "^(a+)+$"))
        web.say("a" * 10_000 + "b\n")
        self.await_log(s, "web: 'log_line' takes too long for a line that it writes")
        web.say("aaa\n")
        self.await_ready(s)


class NeverReady(LogLineTest):
    """What a job writes without an end holds up nobody, and the time that it has to be ready ends it."""

    def own_memory(self, pid):
        """With what procsupd and the logger share."""
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return sum(int(line.split()[1]) * 1024 for line in file if line.startswith(("RssAnon:", "RssShmem:")))

    def flood(self, command, line="^now ready$", hindrance=""):
        s, = self.begin(job("web", line, shell=f"exec {command}", timeout="3s", more='enabled = false\nrestart = "no"',
                            max_size="4MiB", keep=1),
                        captured("other", "echo there; exec sleep 1000"), mouths=())
        self.await_content(s, "there\n", "other.out.log")
        pids = [s.process.pid, self.logger(s)]
        before = [self.own_memory(pid) for pid in pids]
        most, took = before, []
        with open(s.path("answer"), "w+", encoding="utf-8") as answer:
            start = s.popen("start", "web", stdout=answer, stderr=answer)
            while start.poll() is None:
                begin = time.monotonic()
                s.ctl("ping")
                took.append(time.monotonic() - begin)
                most = [max(known, self.own_memory(pid)) for known, pid in zip(most, pids)]
            answer.seek(0)
            self.assertIn(f"not ready within 3s (log_line {line}{hindrance})", answer.read())
        self.assertEqual(1, start.returncode)
        self.assertEqual("failed", s.instance("web")["state"])
        self.assertLess(max(took), 0.5 * SCALE)
        for known, now in zip(before, most):
            self.assertLess(now - known, 4 * MIB)
        return s

    def test_lines(self):
        s = self.flood("yes 'a line of what it writes'")
        self.assertGreater(len(self.content(s)), 4 * MIB)

    def test_a_line_without_end(self):
        s = self.flood("cat /dev/zero")
        self.assertGreater(len(self.content(s)), 4 * MIB)

    def test_lines_for_which_the_expression_takes_for_ever(self):
        s = self.flood(f"yes {'a' * 2000}", "(a+)+b|now ready",
                       ", which takes too long for a line that it writes, which is taken for one that does not match")
        self.await_log(s, "web: 'log_line' takes too long for a line that it writes")


if __name__ == "__main__":
    unittest.main()
