"""Captured output is exact, to the byte, over every kill: of jobs, of the logger, of procsupd itself."""
import os
import random
import signal
import subprocess
import unittest

from captured import AS_WRITTEN, Captured, CaptureTest, captured, files_of, numbered
from hostile import MODES, PLACES, everywhere
from numbered_lines import Board, faults

ON_THE_HOST = {name: settings for name, settings in PLACES.items() if "first" not in settings}
KILLS = 30
SMALL = {"max_size": "64KiB", "keep": 10000}
QUICK = ('restart = "always"', 'start_limit = "none"', 'min_uptime = "0s"')


class Killed(Captured):
    def kill_them_while_lines_flow(self, form, **log):
        s = self.prepare(captured("web", None, *QUICK, command=numbered("@DIR@/board"), format=form, **SMALL, **log))
        board = Board(s.path("board"))
        os.chmod(s.path("board"), 0o666)
        s.start()
        logger = self.logger(s)
        for kill in range(KILLS):
            so_far = board.total() + random.randrange(2000)
            self.await_true("lines flow", lambda so_far=so_far: board.total() > so_far)
            if kill % 2:
                s.ctl("signal", "KILL", "web")
            if kill % 3 != 1:
                os.kill(logger, signal.SIGKILL)
                logger = self.logger(s, after=logger)
        s.ctl("stop", "web")
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end())
        self.assertGreater(board.get(0), KILLS // 4)
        self.assertGreater(len(files_of(self.log_dir(s), "web.out.log")), 1)
        self.assertIsNone(faults(AS_WRITTEN[form](self.content(s)), board.lines(), 100))

    def test_every_line_is_there_once_as_raw_bytes(self):
        self.kill_them_while_lines_flow("raw")

    def test_every_line_is_there_once_with_its_time(self):
        self.kill_them_while_lines_flow("stamped", compress="zstd")

    def test_every_line_is_there_once_as_json(self):
        self.kill_them_while_lines_flow("json")


class KilledProcsupd(Captured):
    def test_what_jobs_had_written_is_kept_and_the_next_one_writes_on(self):
        s = self.prepare()
        s.configure(captured("web", "echo run; cat @DIR@/random; echo up > @DIR@/up; exec sleep 1000"))
        written = os.urandom(50_000)
        s.write("random", written)
        s.start().settle()
        s.up.next()
        self.await_content(s, b"run\n" + written)
        logger = self.hold_logger(s)
        s.ctl("restart", "web")
        s.up.next()
        s.process.kill()
        s.wait_end()
        os.kill(logger, signal.SIGCONT)
        self.assert_gone(logger)
        self.await_content(s, (b"run\n" + written) * 2)
        s.start().settle()
        s.up.next()
        self.await_content(s, (b"run\n" + written) * 3)

    def test_a_new_one_does_not_wait_for_the_logger_of_the_one_before(self):
        s = self.prepare()
        s.configure(captured("web", "echo run; echo up > @DIR@/up; exec sleep 1000"))
        s.start()
        s.up.next()
        self.await_content(s, "run\n")
        logger = self.hold_logger(s)
        s.process.kill()
        s.wait_end()
        s.start().settle()
        s.up.next()
        self.await_log(s, "another procsup-logger does")
        os.kill(logger, signal.SIGCONT)
        self.assert_gone(logger)
        self.await_content(s, "run\nrun\n")


class Ends(CaptureTest):
    """What is still in the pipe when its job, or procsupd, goes."""

    def with_a_full_pipe(self):
        s = self.prepare()
        s.configure(captured("web", "cat @DIR@/random; echo up > @DIR@/up; exec sleep 1000") +
                    captured("other", "exec sleep 1000"))
        self.written = os.urandom(60_000)
        s.write("random", b"")
        s.start().settle()
        s.up.next()
        logger = self.hold_logger(s)
        s.write("random", self.written)
        s.ctl("restart", "web")
        s.up.next()
        self.assertEqual(b"", self.content(s))
        return s, logger

    def test_a_job_that_is_removed_leaves_nothing_unwritten(self):
        s, logger = self.with_a_full_pipe()
        s.configure(captured("other", "exec sleep 1000"))
        s.ctl("reload")
        self.await_true("it is no more", lambda: "web" not in s.instances())
        os.kill(logger, signal.SIGCONT)
        self.await_content(s, self.written)
        self.await_true("its file is closed", lambda: not self.has_open(logger, self.file(s)))

    def test_a_job_that_comes_back_meanwhile_writes_on_behind_it(self):
        s, logger = self.with_a_full_pipe()
        config = captured("other", "exec sleep 1000")
        s.configure(config)
        s.ctl("reload")
        self.await_true("it is no more", lambda: "web" not in s.instances())
        s.configure(config + captured("web", "echo again; exec sleep 1000"))
        s.ctl("reload")
        s.ctl("wait", "web")
        os.kill(logger, signal.SIGCONT)
        self.await_true("both are there", lambda: len(self.content(s)) == len(self.written) + len("again\n"))
        self.assertEqual(self.written + b"again\n", self.content(s))

    def test_what_a_removed_job_leaves_behind_writing_for_ever_holds_up_nobody(self):
        s = self.prepare()
        other = captured("other", "exec cat < @DIR@/in")
        s.configure(captured("web", "for n in 1 2 3 4 5 6; do setsid yes & echo $! > @DIR@/up; done", 'orphans = "ignore"',
                             'restart = "no"', max_size="1MiB", keep=1) + other)
        to_job = s.fifo("in")
        s.start().settle()
        orphans = [int(s.up.next()) for _ in range(6)]
        self.await_true("it writes", lambda: len(files_of(self.log_dir(s), "web.out.log")) == 2)
        s.configure(other)
        s.ctl("reload")
        os.write(to_job.fd, b"fine\n")
        self.await_content(s, "fine\n", "other.out.log")
        for orphan in orphans:
            self.assert_gone(orphan)

    def test_a_shutdown_makes_no_file_for_nothing(self):
        s = self.supervise(captured("web", "echo out; exec sleep 1000"))
        self.await_content(s, "out\n")
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end())
        self.assertEqual(["web.out.log", "web.out.log.runs"], sorted(name for name in os.listdir(self.log_dir(s)) if name[0] != "."))

    def test_a_shutdown_waits_for_the_files(self):
        s, logger = self.with_a_full_pipe()
        shutdown = s.popen("shutdown", stdout=subprocess.DEVNULL)
        self.await_log(s, "other: running -> stopp")
        os.kill(logger, signal.SIGCONT)
        self.assertEqual(0, shutdown.wait())
        self.assertEqual(0, s.wait_end())
        self.assertEqual(self.written, self.content(s))

    def test_a_shutdown_waits_also_when_the_logger_is_killed(self):
        s, logger = self.with_a_full_pipe()
        shutdown = s.popen("shutdown", stdout=subprocess.DEVNULL)
        self.await_log(s, "other: running -> stopp")
        os.kill(logger, signal.SIGKILL)
        self.assertEqual(0, shutdown.wait())
        self.assertEqual(0, s.wait_end())
        self.assertEqual(self.written, self.content(s))

    def test_last_words_are_written(self):
        s = self.prepare()
        s.configure(captured("web", "trap 'seq 1 5000; exit' TERM; echo up > @DIR@/up; sleep 1000 & wait"))
        s.start()
        s.up.next()
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end())
        self.assertEqual("".join(f"{number}\n" for number in range(1, 5001)).encode(), self.content(s))

    def has_open(self, pid, path):
        """Whether the process has the file open."""
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                if os.path.samefile(f"/proc/{pid}/fd/{fd}", path):
                    return True
            except OSError:
                continue
        return False


everywhere(Killed, globals(), ["keeper"], {"": {}})
everywhere(KilledProcsupd, globals(), [mode for mode in MODES if mode != "group"], ON_THE_HOST)

if __name__ == "__main__":
    unittest.main()
