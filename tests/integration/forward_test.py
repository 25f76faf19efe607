"""What jobs write goes to procsupd's own standard output line by line, whole and without loss, however it is read there."""
import os
import re
import signal
import subprocess
import unittest

from captured import HERE, Captured, CaptureTest, captured, numbered
from harness import ROOT, Lines
from hostile import LONELY, NAMESPACE, NAMESPACES, FirstProcess, works
from numbered_lines import Board, faults
from processes import Deadline, descendants

ONCE = 'restart = "no"'
MOUNTS = ROOT and works("unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt")
STUCK = "its stdout waits: procsupd's standard output does not take it: nobody reads there"
EXAMPLE = os.path.join(HERE, "../../conf/examples/forward.toml")


def forwarded(name, shell=None, *lines, command=None, **log):
    return captured(name, shell, *lines, command=command, **{"stdout": "forward", **log}).replace(
        'stderr = "capture"\nformat = "raw"\ncompress = "none"\n', "")


class Reader(Lines):
    """Reads procsupd's standard output as slowly as it is asked to."""

    def __init__(self, s):
        os.set_blocking(s.process.stdout.fileno(), False)
        super().__init__(s.process.stdout.fileno())
        self.all = b""

    def some(self, most=1 << 20):
        """What is there, at most so many bytes; False: nothing."""
        try:
            data = os.read(self.fd, most)
        except BlockingIOError:
            return False
        self.all += data
        return bool(data)

    def to_the_end(self):
        deadline = Deadline()
        while deadline.readable(self.fd):
            if not self.some():
                return self.all
        raise AssertionError(f"it does not end; so far {len(self.all)} bytes")


def lines_of(content, instance):
    """Those of an instance, without its name."""
    prefix = f"{instance} | ".encode()
    return b"".join(line[len(prefix):] for line in content.splitlines(keepends=True) if line.startswith(prefix))


def without_doubled(content):
    """The lines without those that are there twice, and how many these are."""
    lines = content.splitlines(keepends=True)
    once = [line for line, after in zip(lines, [*lines[1:], None]) if line != after]
    return b"".join(once), len(lines) - len(once)


class ForwardTest(CaptureTest):
    def begin(self, config, **arguments):
        """A supervisor whose standard output is a pipe that only this test reads, and what reads it."""
        s = self.prepare(config, **arguments)
        return s, self.launch(s)

    def launch(self, s):
        with open(s.log, "ab") as log:
            s.popen_arguments = {"stdout": subprocess.PIPE, "stderr": log}
            s.start()
        return Reader(s)

    def board(self, s, name="board"):
        return Board(s.path(name))

    def await_shown(self, reader, expected, of=None):
        def there():
            reader.some()
            return (lines_of(reader.all, of) if of else reader.all) == expected.encode()
        try:
            self.await_true("it is shown", there)
        except AssertionError:
            raise AssertionError(f"{reader.all[-2000:]!r} instead of {expected[-2000:]!r}") from None


class Shown(ForwardTest):
    def test_the_instance_is_in_front_of_each_line_of_both_streams(self):
        s, reader = self.begin(forwarded("web", "echo out; echo; exec sleep 1000", "instances = 2") +
                               forwarded("db", "echo err >&2; exec sleep 1000"))
        expected = ["db | err", "web@0 | ", "web@0 | out", "web@1 | ", "web@1 | out"]
        self.await_true("all", lambda: reader.some() or sorted(reader.all.decode().splitlines()) == expected)
        self.assertEqual([], os.listdir(self.log_dir(s)) if os.path.isdir(self.log_dir(s)) else [])

    def test_a_line_without_an_end_is_shown_when_its_run_ends(self):
        _, reader = self.begin(forwarded("web", "printf part; exit 1", 'restart = "on-failure"', 'restart_delay = "1ms"',
                                         'start_limit = "2/1min"', 'min_uptime = "0s"'))
        self.await_shown(reader, "web | part\n" * 3)

    def test_a_file_has_the_lines_behind_what_was_in_it(self):
        s = self.prepare(forwarded("web", "echo one; exec sleep 1000"))
        s.write(s.log, "before\n")
        s.start()
        self.await_log(s, "web | one")
        self.assertTrue(s.log_text().startswith("before\n"))

    def test_logs_says_where_the_lines_are(self):
        s, reader = self.begin(forwarded("web", "echo one; exec sleep 1000"))
        self.await_shown(reader, "web | one\n")
        self.assertIn("what it writes is in procsupd's own output", s.ctl("logs", "web", expect=1).err)

    def test_why_has_the_last_lines_of_the_run_that_failed(self):
        s, _ = self.begin(forwarded("web", "echo '<3>alive'; echo dead >&2; exit 3", ONCE, 'min_uptime = "0s"'))
        self.await_true("why has them", lambda: re.search(r"<3>alive(.|\n)*dead", s.run("why", "web").out))

    def test_show_and_cat_have_it(self):
        s, _ = self.begin(forwarded("web", "exec sleep 1000", rate_limit="5/1s"))
        self.assertIn('stdout = "forward"', s.ctl("cat", "web").out)
        shown = s.ctl("show", "web").out
        self.assertRegex(shown, r"stdout\W+forward")

    def test_a_job_that_is_to_be_forwarded_from_now_on_is_from_its_next_start_on(self):
        s, reader = self.begin(captured("web", "echo one; exec sleep 1000"))
        self.await_content(s, "one\n")
        s.configure(forwarded("web", "echo two; exec sleep 1000"))
        s.ctl("apply", "--no-restart")
        s.ctl("restart", "web")
        self.await_shown(reader, "web | two\n")
        s.configure(captured("web", "echo three; exec sleep 1000"))
        s.ctl("apply", "--no-restart")
        s.ctl("restart", "web")
        self.await_content(s, "one\nthree\n")
        self.assertFalse(reader.some())

    def test_the_example_shows_the_lines_of_all_its_jobs(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            _, reader = self.begin(file.read())
        wanted = {"web@0 | request", "web@1 | request", "meter | measured"}
        self.await_true("all of them", lambda: reader.some() or wanted <= set(reader.all.decode().splitlines()))


class Slow(ForwardTest):
    """The reader of procsupd's output takes its time."""

    def read_to_the_count(self, board, reader, instance="web", most=1 << 20):
        """Until all that is allowed was written and is shown."""
        def there():
            reader.some(most)
            return board.get(4095) <= board.total() <= reader.all.count(f"{instance} | ".encode())
        self.await_true("all lines are shown", there)

    def test_nothing_is_lost_while_it_does_not_read_and_others_go_on(self):
        s = self.prepare(forwarded("web", None, command=numbered("@DIR@/board", 1000)) +
                         captured("other", "exec cat < @DIR@/in"))
        board, to_other = self.board(s), s.fifo("in")
        board.allow(4000)
        reader = self.launch(s)
        self.await_log(s, "web: " + STUCK)
        self.assertIn("nobody reads there", s.ctl("why", "web").out)
        written = board.total()
        self.assertLess(written, 4000)
        os.write(to_other.fd, b"fine\n")
        self.await_content(s, "fine\n", "other.out.log")
        self.assertEqual(written, board.total(), "it waits")
        self.read_to_the_count(board, reader)
        self.await_log(s, "web: its stdout is written again")
        self.assertIsNone(faults(lines_of(reader.all, "web"), board.lines(), 1000))

    def test_lines_of_two_jobs_are_not_mixed_however_long_they_are(self):
        s = self.prepare(forwarded("web", None, command=numbered("@DIR@/board", 20_000)) +
                         forwarded("db", None, command=numbered("@DIR@/other", 20_000)))
        board, other = self.board(s), self.board(s, "other")
        for each in (board, other):
            each.allow(300)
        reader = self.launch(s)

        def all_shown():
            reader.some(30_000)
            return all(each.total() >= 300 and reader.all.count(name) >= each.total()
                       for each, name in ((board, b"web | "), (other, b"db | ")))
        self.await_true("all is shown", all_shown)
        self.await_true("to its end", lambda: reader.some() or reader.all.endswith(b"\n"))
        self.assertIsNone(faults(lines_of(reader.all, "web"), board.lines(), 20_000))
        self.assertIsNone(faults(lines_of(reader.all, "db"), other.lines(), 20_000))

    def test_a_logger_that_is_killed_loses_nothing_and_doubles_no_more_than_a_line(self):
        kills = 10
        s = self.prepare(forwarded("web", None, command=numbered("@DIR@/board", 2000)))
        board = self.board(s)
        board.allow(kills * 200)
        reader = self.launch(s)
        logger = self.logger(s)
        for kill in range(kills):
            most = 20_000 if kill % 2 else 1 << 20
            self.await_true("lines flow", lambda: reader.some(most) and False or reader.all.count(b"\n") >= kill * 150)
            os.kill(logger, signal.SIGKILL)
            logger = self.logger(s, after=logger)
        self.read_to_the_count(board, reader)
        self.await_true("to its end", lambda: reader.some() or reader.all.endswith(b"\n"))
        once, doubled = without_doubled(lines_of(reader.all, "web"))
        self.assertLessEqual(doubled, kills)
        self.assertIsNone(faults(once, board.lines(), 2000))

    def test_a_logger_that_is_killed_within_a_long_line_does_not_tear_it(self):
        s = self.prepare(forwarded("web", None, command=numbered("@DIR@/board", 40_000)))
        board = self.board(s)
        board.allow(40)
        reader = self.launch(s)
        self.await_log(s, "web: " + STUCK)
        logger = self.logger(s)
        os.kill(logger, signal.SIGKILL)
        self.logger(s, after=logger)
        self.read_to_the_count(board, reader)
        self.await_true("to its end", lambda: reader.some() or reader.all.endswith(b"\n"))
        self.assertIsNone(faults(lines_of(reader.all, "web"), board.lines(), 40_000))

    def test_a_job_that_may_lose_lines_does_not_wait(self):
        s, reader = self.begin(forwarded("web", "seq -w 1 200000", ONCE, 'type = "oneshot"', on_full="drop_newest"))
        s.ctl("wait", "web", "--for=exit")

        def lines():
            reader.some()
            shown = lines_of(reader.all, "web").decode()
            return re.findall(r"^\d{6}$", shown, re.M), [int(lost) for lost in re.findall(r"(\d+) lines? lost", shown)]

        def all_told():
            shown, lost = lines()
            # A line of which the end was dropped can be shown and is counted.
            return 200_000 <= len(shown) + sum(lost) <= 200_000 + len(lost)
        self.await_true("each is shown or counted", all_told)
        shown, lost = lines()
        self.assertGreater(sum(lost), 0)
        self.assertEqual(shown, sorted(set(shown), key=int))


class Ends(ForwardTest):
    LINES = "".join(f"{number} {'x' * 100}\n" for number in range(5000))  # more than a pipe holds

    def batch(self):
        s = self.prepare(forwarded("web", "cat @DIR@/lines; exit 3", ONCE, 'type = "oneshot"'), options=["--batch"])
        s.write("lines", self.LINES)
        return s, self.launch(s)

    def await_all_ended(self):
        """Also what outlives procsupd for a moment."""
        self.await_true("all have ended", lambda: all(text[0] == "Z" for text in descendants(os.getpid()).values()))

    def shown(self):
        return "".join(f"web | {line}" for line in self.LINES.splitlines(keepends=True))

    def test_the_end_of_procsupd_waits_for_who_reads_late(self):
        s, reader = self.batch()
        self.await_log(s, "web: " + STUCK)
        self.assertEqual(self.shown(), reader.to_the_end().decode())
        self.assertEqual(3, s.wait_end())

    def test_it_does_not_wait_for_ever(self):
        s = self.prepare(forwarded("web", "cat @DIR@/lines; exec sleep 1000"))
        s.write("lines", self.LINES[:100_000])
        reader = self.launch(s)
        self.await_log(s, "web: " + STUCK)
        s.ctl("shutdown")
        self.assertEqual(1, s.wait_end())
        self.await_log(s, "ending although what jobs have written has not all been taken yet; procsup-logger goes on")
        expected = "".join(f"web | {line}\n" for line in self.LINES[:100_000].splitlines())
        self.assertEqual(expected, reader.to_the_end().decode())
        self.await_all_ended()

    def test_a_procsupd_that_is_killed_leaves_nothing_unwritten(self):
        s = self.prepare(forwarded("web", "cat @DIR@/lines; echo up > @DIR@/up; exec sleep 1000"))
        s.write("lines", self.LINES[:50_000])
        reader = self.launch(s)
        s.up.next()
        s.process.kill()
        s.wait_end()
        text = reader.to_the_end().decode()
        self.assertEqual("".join(f"web | {line}\n" for line in self.LINES[:50_000].splitlines()), text)
        self.await_all_ended()

    def test_it_does_not_wait_for_who_is_gone(self):
        s = self.prepare(forwarded("web", "cat @DIR@/lines; exec sleep 1000"))
        s.write("lines", self.LINES[:100_000])
        self.launch(s)
        s.process.stdout.close()
        self.await_log(s, "web: its stdout waits: cannot write to procsupd's standard output: Broken pipe")
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end())
        self.assertRegex(s.log_text(), r"procsup-logger: web: \d+ bytes and more of its stdout are lost: cannot write to "
                                       "procsupd's standard output: Broken pipe\n")


class Instead(ForwardTest):
    """Jobs that say nothing of their output, where nothing can be kept."""

    JOB = '[jobs.web]\nshell = "echo out; echo err >&2; exec sleep 1000"\n'

    def test_their_lines_are_forwarded_in_a_batch(self):
        s = self.prepare('[jobs.web]\nshell = "cat @DIR@/lines"\ntype = "oneshot"\n', options=["--batch"])
        lines = "".join(f"{number} {'x' * 100}\n" for number in range(5000))
        s.write("lines", lines)
        os.makedirs(s.state)
        place = s.write("state/log", "a file")
        reader = self.launch(s)
        self.await_log(s, f"what jobs write is not kept in {place}: cannot use {place}: Not a directory; where [log] says "
                          "nothing it goes to procsupd's own output, with the instance in front of each line")
        self.assertEqual("".join(f"web | {line}\n" for line in lines.splitlines()), reader.to_the_end().decode())
        self.assertEqual(0, s.wait_end())

    def as_first_process(self, user=None):
        """Of a namespace in which nothing can be written but below its runtime directory."""
        script = ('dir=$1; shift; mkdir $dir/run; mount --bind $dir $dir; mount -t tmpfs -o mode=777 none $dir/run; '
                  'mount -o remount,bind,ro $dir; mount -o remount,bind,ro /; exec "$@"')
        ids = [f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        s = FirstProcess(self.JOB, prefix=["unshare", "--mount", "sh", "-ec", script, "sh"])
        s.prefix += [s.dir, *NAMESPACE, *ids]
        self.open.append(s)
        self.addCleanup(self.finish, s)
        os.chown(s.dir, user or -1, user or -1)
        s.runtime = s.path("run", "procsupd")
        return s

    @unittest.skipUnless(MOUNTS and NAMESPACES, "needs root and the right to mount in namespaces of its own")
    def test_their_lines_are_forwarded_by_a_first_process_with_a_read_only_root(self):
        for user in (None, LONELY):
            with self.subTest(user=user):
                s = self.as_first_process(user)
                reader = self.launch(s)
                wanted = ["web | err", "web | out"]
                self.await_true("it is forwarded",
                                lambda: reader.some() or sorted(reader.all.decode().splitlines()) == wanted)
                self.assertIn("Read-only file system", self.await_log(s, "what jobs write is not kept in"))
                s.socket = f"/proc/{s.daemon_pid()}/root{s.path('run', 'procsupd', 'io.procsupd')}"
                refused = s.ctl("logs", "web", expect=1).err
                self.assertIn("what it writes is in procsupd's own output; it is not kept: ", refused)


if __name__ == "__main__":
    unittest.main()
