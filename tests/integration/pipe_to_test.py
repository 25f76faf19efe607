"""The output of jobs that is the input of another: nothing of it is lost or torn, whoever is killed or restarted."""
import json
import os
import random
import re
import unittest

from captured import HERE, numbered, python
from capture_test import LEAVES_NONBLOCKING
from harness import ROOT, IntegrationTest
from numbered_lines import Board, faults

EXAMPLE = os.path.join(HERE, "../../conf/examples/pipe.toml")
KILLS = 30
LONGEST = 100
PIPE = 65536
FIRST_RUN_OF_THE_OTHER = 1001
QUICK = ('restart = "always"', 'start_limit = "none"', 'min_uptime = "0s"')
ONCE = ('restart = "no"',)
WHEN_ASKED = ("enabled = false",)
ONESHOT = ('type = "oneshot"', *ONCE)
APPEND = python(os.path.join(HERE, "append_input.py"), "@DIR@/out")


def job(name, what, *lines, **log):
    """The table of a job with a command, or a script as a string; `log` are keys of its [log]."""
    key = "shell" if isinstance(what, str) else "command"
    return "\n".join([f"[jobs.{name}]", f"{key} = {json.dumps(what)}", *lines,
                      *(f"log.{log_key} = {json.dumps(value)}" for log_key, value in log.items()), ""])


class PipeTest(IntegrationTest):
    def content(self, s, name="out"):
        try:
            with open(s.path(name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def await_content(self, s, expected, name="out"):
        self.await_true(f"{name} is {expected!r}", lambda: self.content(s, name) == expected)


class Lines(PipeTest):
    """Numbered lines, and a reader that has written all that it has read."""

    def lines_flow(self, *reader_lines, others=""):
        s = self.prepare(job("web", numbered("@DIR@/board", LONGEST), *QUICK, pipe_to="reader") + others +
                         job("reader", APPEND, *QUICK, *reader_lines) +
                         job("last", "echo end", *ONESHOT, *WHEN_ASKED, pipe_to="reader"))
        self.board = Board(s.path("board"))
        return s

    def await_more(self, board):
        so_far = board.total() + random.randrange(2000)
        self.await_true("lines flow", lambda: board.total() > so_far)

    def all_lines(self, s, *writers):
        """What has arrived when all that was written has."""
        s.ctl("stop", *writers)
        s.ctl("start", "last")
        self.await_true("the last line has arrived", lambda: self.content(s).endswith(b"end\n"))
        return self.content(s)[:-len(b"end\n")]

    def test_arrive_once_and_in_order_over_kills_of_both_jobs(self):
        s = self.lines_flow()
        s.start()
        for kill in range(KILLS):
            self.await_more(self.board)
            s.ctl("signal", "KILL", "reader")
            if kill % 2:
                s.ctl("signal", "KILL", "web")
        self.assertIsNone(faults(self.all_lines(s, "web"), self.board.lines(), LONGEST))
        self.assertGreaterEqual(self.board.get(0), KILLS // 2)

    def test_arrive_over_restarts_of_both_jobs(self):
        s = self.lines_flow()
        s.start()
        for restart in range(KILLS):
            self.await_more(self.board)
            s.ctl("restart", "reader" if restart % 2 else "web")
        self.assertIsNone(faults(self.all_lines(s, "web"), self.board.lines(), LONGEST))

    def test_wait_for_a_reader_that_is_down_and_so_does_the_writer(self):
        s = self.lines_flow("enabled = false")
        s.start()
        self.await_true("the pipe is full", lambda: self.size_of(self.board) > PIPE - 16 * 2 * LONGEST)
        s.ctl("restart", "web")
        self.await_true("there is another run", lambda: self.board.get(0) == 2)
        self.assertLessEqual(self.size_of(self.board), PIPE)
        s.ctl("start", "reader")
        self.await_true("lines flow", lambda: len(self.content(s)) > 2 * PIPE)
        self.assertIsNone(faults(self.all_lines(s, "web"), self.board.lines(), LONGEST))

    def size_of(self, board):
        """At least so many bytes were written."""
        return sum(len(b"%d %d %s\n" % (run, number, b"x" * (number * 7919 % (LONGEST + 1))))
                   for run, count in board.lines().items() for number in range(1, count + 1))

    def test_of_two_jobs_run_together_whole_and_each_in_its_order(self):
        s = self.lines_flow(others=job("shop", numbered("@DIR@/other", LONGEST), *QUICK, pipe_to="reader"))
        other = Board(s.path("other"))
        other.set(0, FIRST_RUN_OF_THE_OTHER - 1)
        s.start()
        for kill in range(KILLS):
            for board in (self.board, other):
                self.await_more(board)
            s.ctl("signal", "KILL", ("reader", "web", "shop")[kill % 3])
        lines = self.all_lines(s, "web", "shop").splitlines(keepends=True)
        of_other = [line for line in lines if int(line.split()[0]) >= FIRST_RUN_OF_THE_OTHER]
        of_web = [line for line in lines if int(line.split()[0]) < FIRST_RUN_OF_THE_OTHER]
        self.assertIsNone(faults(b"".join(of_web), self.board.lines(), LONGEST))
        self.assertIsNone(faults(b"".join(of_other), other.lines(), LONGEST))


class Ends(PipeTest):
    def test_an_end_of_the_writer_is_none_of_the_input(self):
        s = self.supervise(job("once", "echo said", *ONESHOT, *WHEN_ASKED, pipe_to="reader") + job("reader", "exec cat > @DIR@/out"))
        reader = s.pid_of("reader")
        for times in (1, 2):
            s.ctl("restart", "once")
            self.await_content(s, b"said\n" * times)
        self.assertEqual(reader, s.pid_of("reader"))

    def test_the_writer_may_be_first_and_be_gone(self):
        s = self.supervise(job("once", "echo said", *ONCE, pipe_to="reader") +
                           job("reader", "exec cat > @DIR@/out", *WHEN_ASKED))
        s.ctl("wait", "--for=stopped", "once")
        s.ctl("start", "reader")
        self.await_content(s, b"said\n")

    def test_a_job_may_read_and_write(self):
        s = self.supervise(job("first", "echo one", *ONCE, pipe_to="second") +
                           job("second", "read line; echo $line two; exec sleep 1000", *ONCE, pipe_to="third") +
                           job("third", "exec cat > @DIR@/out"))
        self.await_content(s, b"one two\n")

    def test_errors_and_the_stop_command_do_not_go_there(self):
        s = self.supervise(job("web", "echo out; echo error >&2; exec sleep 1000", "stop_command = ['sh', '-c', "
                               "'echo stops; kill $PROCSUPD_MAIN_PID']", pipe_to="reader", stderr="@DIR@/errors") +
                           job("reader", "exec cat > @DIR@/out"))
        self.await_content(s, b"out\n")
        s.ctl("stop", "web")
        self.await_content(s, b"error\nstops\n", "errors")
        s.ctl("start", "web")
        self.await_content(s, b"out\nout\n")

    def test_what_a_run_makes_nonblocking_is_its_own(self):
        s = self.supervise(job("web", python("-c", LEAVES_NONBLOCKING), *ONESHOT, pipe_to="reader") +
                           job("reader", "exec cat > @DIR@/out"))
        self.await_content(s, b"False\n")
        s.ctl("wait", "web")
        s.ctl("restart", "web")
        self.await_content(s, b"False\nFalse\n")

    def serve_users(self, **arguments):
        """Both open their ends anew, and the one that writes would like to read."""
        s = self.prepare(job("web", "echo opened > /dev/stdout; cat < /dev/fd/1 2> /dev/null || echo unread",
                             *ONESHOT, "user = 65533", "group = 65533", pipe_to="reader") +
                         job("reader", "exec cat < /dev/stdin >> @DIR@/read/out", "user = 65532", "group = 65532"),
                         **arguments)
        os.mkdir(s.path("read"))
        os.chown(s.path("read"), 65532, 65532)
        s.start()
        self.await_content(s, b"opened\nunread\n", "read/out")
        return s

    @unittest.skipUnless(ROOT, "needs root")
    def test_jobs_of_different_users_may_open_their_ends(self):
        self.serve_users()

    @unittest.skipUnless(ROOT, "needs root")
    def test_a_root_without_the_rights_of_its_users_connects_them_again(self):
        s = self.serve_users(prefix=["setpriv", "--bounding-set=-dac_override,-dac_read_search"])
        for name in ("reader", "web"):
            s.ctl("restart", name)
        self.await_content(s, b"opened\nunread\n" * 2, "read/out")


class Reloads(PipeTest):
    WEB = "echo run; read word < @DIR@/go; echo $word; exec sleep 1000"

    def begin(self, one, other):
        s = self.prepare(one)
        os.mkfifo(s.path("go"))
        s.start().settle()
        self.await_content(s, b"run\n")
        s.configure(other)
        s.ctl("apply", "--no-restart")
        return s

    def go_on(self, s, word):
        with open(s.path("go"), "w", encoding="utf-8") as fifo:
            fifo.write(word + "\n")

    def test_another_pipe_is_used_from_the_next_run_on(self):
        readers = job("one", "exec cat > @DIR@/out") + job("other", "exec cat > @DIR@/other")
        s = self.begin(job("web", self.WEB, pipe_to="one") + readers, job("web", self.WEB, pipe_to="other") + readers)
        s.ctl("restart", "other")
        self.go_on(s, "on")
        self.await_content(s, b"run\non\n")
        s.ctl("restart", "web")
        self.await_content(s, b"run\n", "other")
        self.assertEqual(b"run\non\n", self.content(s))

    def test_who_writes_to_a_job_that_was_removed_gets_sigpipe(self):
        s = self.begin(job("web", self.WEB, *ONCE, pipe_to="one") + job("one", "exec cat > @DIR@/out"),
                       job("web", self.WEB, *ONCE, stdout="@DIR@/file"))
        self.await_true("it is gone", lambda: "one" not in s.instances())
        self.go_on(s, "nobody reads this")
        s.ctl("wait", "--for=stopped", "web")
        self.assertIn("SIGPIPE", s.instance("web")["cause"])
        s.ctl("start", "web")
        self.await_content(s, b"run\n", "file")


class Settings(PipeTest):
    def test_are_shown_and_can_be_read_back(self):
        reader = job("reader", "exec cat > @DIR@/out")
        s = self.supervise(job("web", "echo said; exec sleep 1000", pipe_to="reader") + reader)
        show = s.ctl("show", "web").out
        for line in ('stdout = "pipe"', 'pipe_to = "reader"'):
            self.assertIn(line, show)
        self.assertIn('stdin = "pipe"', s.ctl("show", "reader").out)
        texts = {name: s.ctl("cat", name).out for name in ("web", "reader")}
        self.assertIn(f'[log]\npipe_to = "reader"  # {s.config}:', texts["web"])
        os.mkdir(s.path("jobs"))
        for name, text in texts.items():
            s.write(f"jobs/{name}.toml", text)
        s.ctl("check", s.path("jobs"))

    def test_of_the_example_work_over_restarts(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            s = self.supervise(file.read())
        for name in ("stamp", "file"):
            seen = len(self.content(s, "events.log"))
            s.ctl("restart", name)
            self.await_true("events go on", lambda seen=seen: len(self.content(s, "events.log")) > seen)
        # The shell of "stamp" reads byte by byte: of the line at which it was ended the next one has what was left.
        lines = self.content(s, "events.log").splitlines()
        torn = [line for line in lines if not re.fullmatch(rb"\d\d:\d\d:\d\d (door|window) opened", line)]
        self.assertLessEqual(len(torn), 1, lines)
        self.assertGreater(len(lines), len(torn))


if __name__ == "__main__":
    unittest.main()
