"""Where captured output cannot be written for a while, nothing of it is lost and nobody else waits."""
import errno
import os
import random
import shutil
import signal
import statistics
import subprocess
import time
import unittest

import fuse
from captured import AS_WRITTEN, CaptureTest, captured, content_of, files_of, numbered, unstamped
from fuse_files import Files
from harness import ROOT, Lines
from hostile import works
from numbered_lines import Board, faults
from processes import SCALE

QUICK = ('restart = "always"', 'start_limit = "none"', 'min_uptime = "0s"')
LINES = "".join(f"{number}\n" for number in range(1, 20001))
MOUNTS = ROOT and works("unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt")


class Echo(CaptureTest):
    """A job that writes what the test says."""

    def setUp(self):
        super().setUp()
        s = self.s = self.prepare(captured("web", "exec cat < @DIR@/in"))
        self.to_job = s.fifo("in")
        s.start().settle()
        self.current = self.file(s)
        self.say("one")
        self.await_content(s, "one\n")

    def say(self, line):
        os.write(self.to_job.fd, line.encode() + b"\n")


class Meddling(Echo):
    def test_a_file_that_was_removed_is_made_anew(self):
        os.unlink(self.current)
        self.say("two")
        self.await_content(self.s, "two\n")

    def test_a_file_that_was_moved_away_is_followed_by_a_new_one(self):
        moved = self.current + ".moved"
        os.rename(self.current, moved)
        said = "one\n"

        def content():
            with open(moved, "rb") as file:
                return (file.read() + self.content(self.s)).decode()

        # For a moment it goes on into the file that it has.
        for number in range(1000):
            self.say(str(number))
            said += f"{number}\n"
            self.await_true("it is in one of both", lambda: content() == said)
            if os.path.exists(self.current):
                break
        self.assertTrue(os.path.exists(self.current))

    def test_a_file_that_was_emptied_is_written_from_its_beginning(self):
        os.truncate(self.current, 0)
        self.say("two")
        self.await_content(self.s, "two\n")

    def test_a_directory_that_was_removed_is_made_anew(self):
        shutil.rmtree(self.log_dir(self.s))
        self.say("two")
        self.await_content(self.s, "two\n")

    def test_a_hard_link_to_the_file_is_not_written_through(self):
        os.link(self.current, self.s.path("other"))
        self.say("two")
        self.await_log(self.s, "it has 2 names")
        os.unlink(self.current)
        self.await_content(self.s, "two\n")
        with open(self.s.path("other"), encoding="ascii") as file:
            self.assertEqual("one\n", file.read())

    def test_a_link_in_the_place_of_the_file_is_not_written_through(self):
        self.s.write("other", "precious")
        os.unlink(self.current)
        os.symlink(self.s.path("other"), self.current)
        self.say("two")
        self.await_log(self.s, "it is a symbolic link")
        os.unlink(self.current)
        self.await_content(self.s, "two\n")
        with open(self.s.path("other"), encoding="ascii") as file:
            self.assertEqual("precious", file.read())


class Obstacles(CaptureTest):
    def behind(self, make, why):
        """What a job writes while something is in the way of its file is all there afterwards."""
        s = self.prepare()
        s.configure(captured("web", "seq 1 5000; echo up > @DIR@/up; exec sleep 1000") + captured("other", "echo fine"))
        os.makedirs(self.log_dir(s))
        s.write("target", "precious")
        make(s, self.file(s))
        s.start().settle()
        s.up.next()
        self.await_log(s, f"web: its stdout waits: cannot {why}")
        self.assertEqual("running", s.instance("web")["state"])
        self.await_content(s, "fine\n", "other.out.log")
        self.take_away(self.file(s))
        self.await_content(s, "".join(f"{number}\n" for number in range(1, 5001)))
        self.await_log(s, "web: its stdout is written again")
        with open(s.path("target"), encoding="ascii") as file:
            self.assertEqual("precious", file.read())

    def take_away(self, path):
        (os.rmdir if os.path.isdir(path) and not os.path.islink(path) else os.unlink)(path)

    def test_a_symbolic_link(self):
        self.behind(lambda s, path: os.symlink(s.path("target"), path), "write to")

    def test_a_link_to_nothing(self):
        self.behind(lambda s, path: os.symlink(s.path("nothing"), path), "write to")

    def test_a_hard_link(self):
        self.behind(lambda s, path: os.link(s.path("target"), path), "write to")

    def test_a_fifo_without_a_reader(self):
        self.behind(lambda s, path: os.mkfifo(path), "open")

    def test_a_directory(self):
        self.behind(lambda s, path: os.mkdir(path), "open")

    @unittest.skipUnless(ROOT, "only root can give a file away")
    def test_a_file_of_another_user(self):
        def foreign(s, path):
            os.chown(s.write(path, ""), 65534, 65534)

        self.behind(foreign, "write to")

    def test_new_settings_take_effect_where_the_old_ones_could_not(self):
        s = self.prepare()
        job = captured("web", "echo run; echo up > @DIR@/up; exec sleep 1000", dir="@DIR@/first")
        s.configure(job)
        s.write("first", "not a directory")
        s.start().settle()
        s.up.next()
        self.await_log(s, "web: its stdout waits")
        s.configure(job.replace("first", "second"))
        s.ctl("apply", "--no-restart")
        s.ctl("restart", "web")
        s.up.next()
        self.await_true("both runs", lambda: content_of(s.path("second")) == b"run\nrun\n")
        self.await_log(s, "web: its stdout is written again")

    def test_two_names_of_one_directory(self):
        s = self.prepare(captured("web", "echo web", dir="@DIR@/log") + captured("other", "echo other", dir="@DIR@/name"))
        os.mkdir(s.path("log"))
        os.symlink(s.path("log"), s.path("name"))
        s.start()
        self.await_true("web", lambda: content_of(s.path("log"), "web.out.log") == b"web\n")
        self.await_true("other", lambda: content_of(s.path("log"), "other.out.log") == b"other\n")


@unittest.skipUnless(MOUNTS, "needs root and the right to mount in a namespace of its own")
class FullDisk(CaptureTest):
    """The directory "small" is on a file system that is full up to the last page until the ballast is removed."""

    def on_a_full_disk(self, config, *fifos):
        script = 'dir=$1; shift; mkdir $dir/small; mount -t tmpfs -o size=4m none $dir/small; ' \
                 'head -c 4m /dev/zero > $dir/small/ballast 2> $dir/full; exec "$@"'
        s = self.prepare(config)
        s.prefix = ["unshare", "--mount", "sh", "-c", script, "sh", s.dir]
        self.to_jobs = [s.fifo(name) for name in fifos]
        s.start()
        self.small = f"/proc/{s.process.pid}/root{s.path('small')}"
        return s

    def make_room(self):
        os.unlink(os.path.join(self.small, "ballast"))

    def test_nothing_is_lost_and_others_go_on(self):
        forms = "".join(captured(form, "seq 1 20000", 'restart = "no"', format=form, dir="@DIR@/small", max_size="64KiB",
                                 keep=1000) for form in AS_WRITTEN)
        s = self.on_a_full_disk(forms + captured("other", "seq 1 20000", 'restart = "no"'))
        for form in AS_WRITTEN:
            self.await_log(s, f"{form}: its stdout waits: cannot write to {s.path('small')}/{form}.out.log: No space left")
        self.await_content(s, LINES, "other.out.log")
        os.kill(self.logger(s, on=s.path("small")), signal.SIGKILL)
        self.make_room()
        for form, as_written in AS_WRITTEN.items():
            self.await_true(f"{form} ends", lambda form=form: b"20000" in content_of(self.small, f"{form}.out.log")[-20:])
            self.assertEqual(LINES, as_written(content_of(self.small, f"{form}.out.log")).decode())

    def test_many_jobs_that_wait_do_not_keep_those_elsewhere_from_writing(self):
        many = captured("many", "echo begun; exec sleep 1000", "instances = 100", dir="@DIR@/small")
        s = self.on_a_full_disk(many + captured("other", "exec cat < @DIR@/in"), "in")
        self.await_true("all wait", lambda: len(set(self.waiting(s))) == 100)
        os.write(self.to_jobs[0].fd, b"fine\n")
        self.await_content(s, "fine\n", "other.out.log")
        self.assertNotIn("is written again", s.log_text())
        self.make_room()
        for number in range(100):
            self.await_true("it is written", lambda number=number: content_of(self.small, f"many@{number}.out.log") == b"begun\n")

    def waiting(self, s):
        return [line.split()[2] for line in s.log_text().splitlines() if "its stdout waits" in line]

    def test_a_job_goes_away_while_its_output_waits(self):
        s = self.on_a_full_disk(captured("web", "seq 1 2000; exec sleep 1000", dir="@DIR@/small") +
                                captured("other", "exec sleep 1000"))
        self.await_log(s, "web: its stdout waits")
        s.configure(captured("other", "exec sleep 1000"))
        s.ctl("reload")
        self.await_true("it is no more", lambda: "web" not in s.instances())
        logger = self.logger(s, on=s.path("small"))
        self.make_room()
        self.await_true("it is written", lambda: content_of(self.small) == b"".join(b"%d\n" % n for n in range(1, 2001)))
        self.await_true("its pipes are closed", lambda: len(self.pipes(logger)) == 2)

    def pipes(self, pid):
        found = []
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                found += [text for text in [os.readlink(f"/proc/{pid}/fd/{fd}")] if text.startswith("pipe:")]
            except OSError:
                continue
        return found

    def test_a_job_whose_directory_becomes_another_one_goes_on_there(self):
        job = captured("web", "echo run; echo up > @DIR@/up; exec sleep 1000", dir="@DIR@/state/log")
        s = self.on_a_full_disk(job)
        s.up.next()
        self.await_content(s, "run\n")
        self.make_room()
        s.configure(job.replace("state/log", "small"))
        s.ctl("apply", "--no-restart")
        s.ctl("restart", "web")
        s.up.next()
        self.await_true("it is written", lambda: content_of(self.small) == b"run\n")
        self.assertEqual(2, len(self.loggers(s)))
        other = next(disk for disk in self.loggers(s) if disk != s.path("small"))
        self.await_true("the other pipes are closed", lambda: len(self.pipes(self.logger(s, on=other))) == 2)
        self.assertEqual("run\n", s.ctl("logs", "-o", "cat", "web").out)

    def test_a_reader_follows_files_on_both_file_systems(self):
        s = self.on_a_full_disk(captured("small", "exec cat < @DIR@/to_small", dir="@DIR@/small") +
                                captured("other", "exec cat < @DIR@/to_other"), "to_small", "to_other")
        self.make_room()
        reader = s.popen("logs", "-f", "-o", "cat", stdout=subprocess.PIPE)
        self.addCleanup(reader.wait)
        self.addCleanup(reader.stdout.close)
        self.addCleanup(reader.kill)
        lines = Lines(reader.stdout.fileno())
        for number in range(100):
            for name, end in zip(("small", "other"), self.to_jobs):
                os.write(end.fd, f"{name} {number}\n".encode())
                self.assertEqual(f"{name} {number}", lines.next())
            if number == 50:
                os.kill(self.logger(s, on=s.path("small")), signal.SIGKILL)

    def test_a_job_that_writes_all_the_time_does_not_keep_others_from_being_tried_again(self):
        s = self.on_a_full_disk(captured("web", "seq 1 20000", 'restart = "no"', dir="@DIR@/small") +
                                captured("busy", "exec yes", max_size="1MiB", keep=1))
        self.await_log(s, "web: its stdout waits")
        self.await_true("it is busy", lambda: len(files_of(self.log_dir(s), "busy.out.log")) == 2)
        self.make_room()
        self.await_true("all is there", lambda: content_of(self.small) == LINES.encode())

    def written(self):
        return sum(os.path.getsize(path) for path in files_of(self.small, "web.out.log"))

    def test_room_that_comes_and_goes(self):
        job = captured("web", None, *QUICK, command=numbered("@DIR@/board"), dir="@DIR@/small", max_size="64KiB", keep=1000)
        s = self.on_a_full_disk(job)
        board = Board(s.path("board"))
        ballast = os.path.join(self.small, "ballast")
        for _ in range(5):
            so_far = self.written()
            os.truncate(ballast, os.path.getsize(ballast) - 150_000 - random.randrange(50_000))
            # A part of what waits in the pipe and in the logger: what room there is is used.
            self.await_true("it is written", lambda so_far=so_far: self.written() > so_far + 130_000)
            os.kill(self.logger(s), signal.SIGKILL)
        so_far = board.total()
        os.truncate(ballast, os.path.getsize(ballast) - 1_000_000)
        self.await_true("lines flow", lambda: board.total() > so_far + 500)
        s.ctl("stop", "web")
        self.make_room()
        self.await_true("all is written", lambda: faults(content_of(self.small), board.lines(), 100) is None)


@unittest.skipUnless(fuse.available(), "needs root and /dev/fuse")
class HungDisk(CaptureTest):
    def on_a_hung_disk(self):
        """Of two jobs one writes to a file system whose logger waits for it."""
        s = self.prepare()
        script = "echo run; echo up > @DIR@/up; exec sleep 1000"
        s.configure(captured("web", script, *QUICK, dir="@DIR@/mount") + captured("other", script, *QUICK))
        os.mkdir(s.path("mount"))
        self.mount = fuse.SilentMount(s.path("mount"))
        self.addCleanup(self.mount.close)
        s.start().settle()
        for _ in range(2):
            s.up.next()
        self.mount.take()
        return s

    def test_procsupd_answers_and_restarts_jobs_and_nothing_is_lost(self):
        s = self.on_a_hung_disk()
        self.assertLess(statistics.median(self.seconds(s, "ping") for _ in range(5)), 0.1 * SCALE)
        restarts = []
        for _ in range(5):
            for job in ("web", "other"):
                restarts.append(self.seconds(s, "restart", job))
                s.up.next()
        self.assertLess(statistics.median(restarts), 0.1 * SCALE)
        self.await_content(s, "run\n" * 6, "other.out.log")
        self.mount.close()
        self.await_true("web is written", lambda: content_of(s.path("mount")) == b"run\n" * 6)

    def test_status_and_logs_say_which_file_system_hangs(self):
        s = self.on_a_hung_disk()
        self.await_content(s, "run\n", "other.out.log")
        self.await_true("it is told", lambda: s.instance("web").get("output_problem"))
        self.assertIn(f"its file system ({s.path('mount')}) does not answer", s.ctl("why", "web").out)
        self.assertNotIn("output_problem", s.instance("other"))
        shown = s.ctl("logs", "-o", "cat", expect=1)
        self.assertEqual("run\n", shown.out)
        self.assertIn(f"files on {s.path('mount')} are not shown: the file system does not answer", shown.err)

    def test_a_log_dir_that_hangs_keeps_nobody_from_starting_or_reloading(self):
        config = '[daemon]\nlog_dir = "@DIR@/mount"\n[defaults]\nshell = "echo run; echo up > @DIR@/up; exec sleep 1000"\n' \
                 'min_uptime = "0s"\n[jobs.kept]\n[jobs.other.log]\nstdout = "null"\nstderr = "null"\n'
        s = self.prepare(config)
        os.mkdir(s.path("mount"))
        mount = fuse.SilentMount(s.path("mount"))
        self.addCleanup(mount.close)
        s.start().settle()
        for _ in range(2):
            s.up.next()
        s.ctl("apply", "--no-restart")
        for job in ("kept", "other"):
            s.ctl("restart", job)
            s.up.next()
        mount.close()
        self.await_true("what waited is written", lambda: content_of(s.path("mount"), "kept.out.log").count(b" run\n") == 2)

    def seconds(self, s, *words):
        begun = time.monotonic()
        s.ctl(*words)
        return time.monotonic() - begun


@unittest.skipUnless(fuse.available(), "needs root and /dev/fuse")
class FailingDisk(CaptureTest):
    """The directory "mount" is on a file system whose writes wait or fail as the test says."""

    def on_a_disk(self, *jobs):
        s = self.prepare("".join(jobs))
        os.mkdir(s.path("mount"))
        self.disk = Files(s.path("mount"))
        self.addCleanup(self.end, s)
        return s

    def end(self, s):
        """What is still to be written is, before the disk goes."""
        self.disk.error = 0
        self.disk.let_go()
        if s.process is not None:
            s.process.terminate()
            s.wait_end()
        self.disk.close()

    def echo(self, name, **log):
        return captured(name, f"echo run; echo up > @DIR@/up; exec cat < @DIR@/{name}", *QUICK, dir="@DIR@/mount", **log)

    def start(self, s, *jobs):
        self.to_jobs = [s.fifo(name) for name in jobs]
        s.start().settle()
        for _ in jobs:
            s.up.next()

    def say(self, text):
        for end in self.to_jobs:
            os.write(end.fd, text.encode())

    def test_a_write_that_hangs_holds_up_neither_procsupd_nor_restarts(self):
        s = self.on_a_disk(self.echo("web"))
        self.start(s, "web")
        self.await_true("it is written", lambda: self.disk.content("web.out.log") == b"run\n")
        self.disk.hold()
        self.say("hangs\n")
        self.await_true("the write hangs", lambda: self.disk.waiting)
        for _ in range(5):
            begun = time.monotonic()
            s.ctl("restart", "web")
            s.ctl("ping")
            self.assertLess(time.monotonic() - begun, 0.2 * SCALE)
            s.up.next()
        self.await_true("it is told", lambda: "does not answer" in s.instance("web").get("output_problem", ""))
        self.disk.let_go()
        self.await_true("all is there", lambda: self.disk.content("web.out.log") == b"run\nhangs\n" + b"run\n" * 5)
        self.assertNotIn("output_problem", s.instance("web"))

    def test_a_logger_that_is_killed_in_a_write_that_hangs(self):
        s = self.on_a_disk(self.echo("web", format="stamped"))
        self.start(s, "web")
        self.await_true("it is written", lambda: self.disk.content("web.out.log"))
        self.disk.hold()
        self.say("hangs\n")
        self.await_true("the write hangs", lambda: self.disk.waiting)
        os.kill(self.logger(s), signal.SIGKILL)
        self.disk.let_go()
        self.say("after\n")
        self.await_true("all is there once", lambda: unstamped(self.disk.content("web.out.log")) == b"run\nhangs\nafter\n")

    def test_an_error_of_the_disk_is_told_and_what_was_to_be_written_is_when_it_is_over(self):
        s = self.on_a_disk(self.echo("block"), self.echo("drop", on_full="drop_newest"))
        self.start(s, "block", "drop")
        for name in ("block", "drop"):
            self.await_true("it is written", lambda name=name: self.disk.content(f"{name}.out.log") == b"run\n")
        self.disk.error = errno.EIO
        self.say("first\n")
        for name in ("block", "drop"):
            self.await_log(s, f"{name}: its stdout waits: cannot write to {s.path('mount')}/{name}.out.log: Input/output error")
            self.assertIn("Input/output error", s.instance(name)["output_problem"])
        lines = "".join(f"{number}\n" for number in range(50000))
        with open(self.to_jobs[1].path, "w", encoding="ascii") as end:
            end.write(lines)  # more than all pipes hold: it goes on
        os.write(self.to_jobs[0].fd, b"second\n")
        self.disk.error = 0
        self.await_true("nothing is lost", lambda: self.disk.content("block.out.log") == b"run\nfirst\nsecond\n")
        self.await_true("what is lost is told", lambda: b" lines lost, " in self.disk.content("drop.out.log"))
        self.assertTrue(self.disk.content("drop.out.log").startswith(b"run\n"))

    def test_what_is_to_be_on_the_disk_at_once_is_put_there(self):
        s = self.on_a_disk(self.echo("web", sync="0s"))
        self.start(s, "web")
        self.await_true("it is written", lambda: self.disk.content("web.out.log") == b"run\n")
        self.say("more\n")
        self.await_true("it is written", lambda: self.disk.content("web.out.log") == b"run\nmore\n")
        self.await_true("each write is put on the disk",
                        lambda: self.disk.put_on_disk("web.out.log") == [b"run\n", b"run\nmore\n"])

    def test_what_may_wait_is_put_on_the_disk_in_time(self):
        s = self.on_a_disk(self.echo("web", sync="200ms"))
        self.start(s, "web")
        lines = "".join(f"{number}\n" for number in range(1000))
        self.say(lines)
        self.await_true("all of it is put on the disk",
                        lambda: ["run\n" + lines] == [text.decode() for text in self.disk.put_on_disk("web.out.log")][-1:])


if __name__ == "__main__":
    unittest.main()
