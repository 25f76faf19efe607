"""Captured output: what jobs write stands in their files as it was written, in every form, through restarts and rotations."""
import json
import os
import subprocess
import pwd
import re
import shutil
import stat
import unittest

from captured import AS_WRITTEN, Captured, CaptureTest, HERE, captured, files_of, python
from harness import ROOT
from hostile import MODES, PLACES, everywhere
from processes import free_port
from real_daemons_test import ask_http, ask_redis

ON_THE_HOST = {name: settings for name, settings in PLACES.items() if "first" not in settings}
ONCE = 'restart = "no"'
LEAVES_NONBLOCKING = """
import fcntl, os
flags = fcntl.fcntl(1, fcntl.F_GETFL)
print(bool(flags & os.O_NONBLOCK), flush=True)
fcntl.fcntl(1, fcntl.F_SETFL, flags | os.O_NONBLOCK)
"""
NGINX = """
daemon off;
pid nginx.pid;
{user}
error_log /dev/stderr notice;
events {{ worker_connections 64; }}
http {{
  log_format plain '$request $status';
  access_log /dev/stdout plain;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "nginx serves\\n"; }} }}
}}
"""


class Formats(CaptureTest):
    def test_raw_is_what_was_written_to_the_byte(self):
        s = self.prepare(captured("web", None, ONCE, command=["cat", "@DIR@/random"], max_size="64KiB", keep=100))
        written = os.urandom(300_000)
        s.write("random", written)
        s.start()
        self.await_content(s, written)
        self.assertGreater(len(files_of(self.log_dir(s), "web.out.log")), 4)

    def test_a_stamped_line_has_its_time_in_front_whatever_is_in_it(self):
        s = self.supervise(captured("web", r"printf 'one\n\377\000\033two\n\nbegun'; printf ' and ended\nlast'", ONCE,
                                    format="stamped"))
        stamp = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z "
        form = b"".join(stamp + line for line in (rb"one\n", rb"\xff\x00\x1btwo\n", rb"\n", rb"begun and ended\n", rb"last"))
        self.await_true("five lines", lambda: re.fullmatch(form, self.content(s)))

    def test_a_json_line_tells_whose_it_is(self):
        s = self.supervise(captured("web", r"""printf 'say "\303\274"\t\377\n'; printf 'two\n' >&2""", ONCE,
                                    "instances = 2", format="json"))
        form = (r'\{{"time":"[^"]{{27}}","job":"web","instance":"web@1","stream":"{}","message":"{}"\}}' + "\n")
        for base, stream, message in (("web@1.out.log", "stdout", '''say \\\\"ü\\\\"\\\\t\ufffd'''),
                                      ("web@1.err.log", "stderr", "two")):
            expected = form.format(stream, message).encode()
            self.await_true(base, lambda base=base, expected=expected: re.fullmatch(expected, self.content(s, base)))

    def test_a_line_is_not_begun_in_one_form_and_ended_in_another(self):
        job = captured("web", "printf 'one\\nbegun'; exec sleep 1000", 'min_uptime = "0s"', format="json")
        s = self.supervise(job)
        self.await_true("it is begun", lambda: self.content(s).endswith(b"begun"))
        s.configure(job.replace('"json"', '"raw"'))
        s.ctl("apply", "--no-restart")
        s.ctl("restart", "web")
        self.await_true("it is begun again", lambda: self.content(s).endswith(b"\nbegun"))
        before, after = files_of(self.log_dir(s), "web.out.log")
        with open(before, "rb") as first, open(after, "rb") as second:
            self.assertEqual([b"one\nbegun\n", b"one\nbegun"], [AS_WRITTEN["json"](first.read()), second.read()])

    def test_each_form_has_every_line_of_many_files(self):
        lines = "".join(f"{number}\n" for number in range(1, 20001))
        jobs = [captured(form, "seq 1 20000", ONCE, format=form, max_size="16KiB", keep=10000) for form in AS_WRITTEN]
        s = self.supervise("".join(jobs))
        for form, as_written in AS_WRITTEN.items():
            self.await_true(f"{form} is complete", lambda form=form: b"20000" in self.content(s, f"{form}.out.log")[-20:])
            with self.subTest(form):
                self.assertEqual(lines, as_written(self.content(s, f"{form}.out.log")).decode())


class Rotation(CaptureTest):
    def test_the_newest_files_are_kept_and_each_ends_with_a_whole_line(self):
        s = self.supervise(captured("web", "seq 1 20000; echo end", ONCE, max_size="4KiB", keep=3))
        self.await_true("all is written", lambda: self.content(s).endswith(b"\nend\n"))
        *rotated, current = files_of(self.log_dir(s), "web.out.log")
        numbers = [int(path[-6:]) for path in rotated]
        self.assertEqual(list(range(numbers[0], numbers[0] + 3)), numbers)
        for path in rotated:
            with open(path, "rb") as file:
                content = file.read()
            self.assertLessEqual(len(content), 4096)
            self.assertGreater(len(content), 4096 - len("20000\n"))
            self.assertTrue(content.endswith(b"\n"))
        self.assertLessEqual(os.path.getsize(current), 4096)
        kept = self.content(s)
        first = int(kept.split(b"\n", 1)[0])
        self.assertEqual("".join(f"{number}\n" for number in range(first, 20001)) + "end\n", kept.decode())

    def test_a_line_that_is_longer_than_a_file_is_whole_when_put_together(self):
        line = "x" * 10000 + "end\n"
        s = self.prepare(captured("web", "cat @DIR@/line; echo next", ONCE, max_size="4KiB", keep=100))
        s.write("line", line)
        s.start()
        self.await_content(s, line + "next\n")
        self.assertTrue(all(os.path.getsize(path) <= 4096 for path in files_of(self.log_dir(s), "web.out.log")))


class Example(CaptureTest):
    def test_the_example_keeps_what_it_says_and_repeats_it_where_asked(self):
        with open(os.path.join(HERE, "../../conf/examples/captured.toml"), encoding="utf-8") as file:
            text = file.read()
        s = self.prepare()
        text = text.replace("/var/log/shop", s.path("shop")).replace("[log]", "[jobs.clock.log]\nmirror = true")
        s.configure("[jobs.clock]\n" + text)
        s.start().settle()
        name = s.path("shop", "clock.out.log")
        self.await_true("a line is kept", lambda: os.path.exists(name) and os.path.getsize(name) > 0)
        with open(name, encoding="utf-8") as file:
            line = json.loads(file.readline())
        self.assertEqual(("clock", "clock", "stdout"), (line["job"], line["instance"], line["stream"]))
        self.await_log(s, "clock | " + line["message"])


class Streams(CaptureTest):
    def test_output_and_error_output_are_apart(self):
        s = self.supervise(captured("web", "echo out; echo err >&2", ONCE))
        self.await_content(s, "out\n")
        self.await_content(s, "err\n", "web.err.log")

    def test_one_is_captured_without_the_other(self):
        s = self.supervise(captured("web", "echo out; echo err >&2; echo done", ONCE, stdout="null"))
        self.await_content(s, "err\n", "web.err.log")
        self.assertEqual(["web.err.log", "web.err.log.runs"], sorted(name for name in os.listdir(self.log_dir(s)) if name[0] != "."))

    def test_a_restart_goes_on_with_the_same_pipe(self):
        s = self.supervise(captured("web", "echo $$; exec sleep 1000", 'min_uptime = "0s"'))
        pids, pipes = [], set()
        for _ in range(4):
            pids.append(s.pid_of("web"))
            pipes.add(os.readlink(f"/proc/{pids[-1]}/fd/1"))
            self.await_content(s, "".join(f"{pid}\n" for pid in pids))
            s.ctl("restart", "web")
        self.assertEqual(1, len(pipes), pipes)

    def test_a_run_that_made_it_nonblocking_leaves_nothing_to_the_next(self):
        s = self.supervise(captured("web", None, 'type = "oneshot"', ONCE, command=python("-c", LEAVES_NONBLOCKING)))
        s.ctl("start", "web")
        s.ctl("restart", "web")
        self.await_true("two runs", lambda: self.content(s).count(b"\n") >= 2)
        self.assertEqual({b"False"}, set(self.content(s).split()))

    @unittest.skipUnless(ROOT, "only root can start a job of another user")
    def test_a_job_of_another_user_opens_its_output_anew(self):
        s = self.supervise(captured("web", "echo out > /dev/stdout; echo err > /dev/stderr", 'user = "nobody"', ONCE))
        self.await_content(s, "out\n")
        self.await_content(s, "err\n", "web.err.log")
        status = os.stat(self.file(s))
        self.assertEqual((0, pwd.getpwnam("nobody").pw_gid, 0o640), (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)))

    @unittest.skipUnless(ROOT, "only root can start a job of another user")
    def test_a_job_that_becomes_another_users_opens_its_output_anew(self):
        job = captured("web", "echo out > /dev/stdout && exec sleep 1000", 'user = "games"', ONCE, 'min_uptime = "0s"')
        s = self.supervise(job)
        self.await_content(s, "out\n")
        s.configure(job.replace("games", "nobody"))
        s.ctl("apply", "--no-restart")
        s.ctl("restart", "web")
        self.await_content(s, "out\nout\n")

    def test_what_a_stop_command_says_is_captured_too(self):
        s = self.supervise(captured("web", "echo begun; exec sleep 1000",
                                    'stop_command = ["/bin/sh", "-c", "echo asked; echo why >&2; kill $PROCSUPD_MAIN_PID"]'))
        self.await_content(s, "begun\n")
        s.ctl("stop", "web")
        self.await_content(s, "begun\nasked\n")
        self.await_content(s, "why\n", "web.err.log")


class EveryWay(Captured):
    def test_output_of_runs_and_of_what_they_leave_behind_is_complete(self):
        s = self.prepare()
        s.configure(captured("web", "seq 1 5000; (seq 5001 9000; echo child $$ >> @DIR@/up) & wait; exec sleep 1000"))
        s.start().settle()
        s.up.next()
        s.ctl("restart", "web")
        s.up.next()
        s.ctl("stop", "web")
        self.await_content(s, "".join(f"{number}\n" for number in range(1, 9001)) * 2)
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end())


class RealPrograms(CaptureTest):
    def test_a_server_that_writes_to_its_output_and_is_killed(self):
        port = free_port()
        redis = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--logfile", ""]
        s = self.supervise(captured("redis", None, command=redis, format="stamped"))
        for starts in (1, 2):
            self.await_true("it is ready", lambda starts=starts: self.content(s, "redis.out.log").count(
                b"Ready to accept connections") == starts)
            ask_redis(port)
            if starts == 1:
                s.ctl("signal", "KILL", "redis")

    @unittest.skipUnless(shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "needs nginx")
    def test_a_server_that_opens_dev_stdout_by_its_name(self):
        os.environ["PATH"] += ":/usr/sbin"
        port = free_port()
        s = self.prepare(captured("nginx", None, 'stop_signal = "SIGQUIT"', format="json",
                                  command=["nginx", "-e", "/dev/stderr", "-p", "@DIR@/web", "-c", "nginx.conf"]))
        os.mkdir(s.path("web"))
        s.write("web/nginx.conf", NGINX.format(port=port, user="user nobody nogroup;" if ROOT else ""))
        s.start().settle()
        self.await_true("it is ready", lambda: b"start worker process " in self.content(s, "nginx.err.log"))
        ask_http(port, b"nginx serves")
        self.await_true("the request is there", lambda: self.content(s, "nginx.out.log"))
        self.assertEqual(b"GET / HTTP/1.0 200\n", AS_WRITTEN["json"](self.content(s, "nginx.out.log")))


everywhere(EveryWay, globals(), MODES, ON_THE_HOST)

class Mirror(CaptureTest):
    def test_what_is_mirrored_at_the_end_is_all_there_though_it_is_read_late(self):
        lines = "".join(f"{number} {'x' * 100}\n" for number in range(3000))  # more than a pipe holds
        s = self.prepare('[jobs.web]\nshell = "cat @DIR@/lines; exit 3"\ntype = "oneshot"\nrestart = "no"\n', options=["--batch"])
        s.write("lines", lines)
        with open(s.log, "wb") as log:
            s.popen_arguments = {"stdout": subprocess.PIPE, "stderr": log}
            s.launch()
            self.await_log(s, "shutting down: ")
            shown = s.process.stdout.read()
            s.process.stdout.close()
        self.assertEqual(3, s.wait_end())
        self.assertEqual("".join(f"web | {line}" for line in lines.splitlines(keepends=True)), shown.decode())

    def test_lines_without_an_end_are_mirrored_when_their_run_ends(self):
        s = self.prepare('[jobs.web]\nshell = "printf part; exit 1"\nrestart = "on-failure"\nrestart_delay = "1ms"\n'
                         'start_limit = "2/1min"\nmin_uptime = "0s"\n[jobs.last]\nshell = "printf result"\n'
                         'type = "oneshot"\n', options=["--batch"])
        s.launch()
        s.wait_end()
        shown = [line for line in s.log_text().splitlines() if " | " in line]
        self.assertEqual(["last | result"] + ["web | part"] * 3, sorted(shown))


class Default(CaptureTest):
    """Jobs that say nothing of their output."""

    QUICK = 'restart = "no"\nmin_uptime = "0s"\n'

    def test_their_output_is_kept(self):
        s = self.supervise(f'[jobs.web]\nshell = "echo out; echo err >&2"\n{self.QUICK}')
        self.await_true("it is kept", lambda: sorted(s.ctl("logs", "-o", "cat").out.split()) == ["err", "out"])
        self.assertNotIn("| out", s.log_text())

    def test_where_nothing_can_be_kept_it_is_said_and_they_go_on(self):
        s = self.prepare(f'[jobs.web]\nshell = "echo out"\n{self.QUICK}'
                         f'[jobs.wants]\nshell = "echo wanted"\n{self.QUICK}[jobs.wants.log]\nstdout = "capture"\n')
        os.makedirs(s.state)
        place = s.write("state/log", "a file")
        s.start()
        self.await_log(s, f"what jobs write is not kept in {place}: cannot use {place}: Not a directory")
        self.await_true("it is procsupd's output", lambda: "out" in s.log_text().splitlines())
        self.assertIn(f"is not kept: cannot use {place}: Not a directory", s.ctl("logs", "web", expect=1).err)
        os.unlink(place)
        s.ctl("reload")
        self.await_log(s, f"what jobs write is kept in {place} again")
        s.ctl("start", "web")
        self.await_true("it is kept", lambda: s.ctl("logs", "-o", "cat", "web").out == "out\n")
        self.await_true("what waited is there", lambda: s.ctl("logs", "-o", "cat", "wants").out == "wanted\n")

    def test_why_has_the_last_lines_of_a_job_that_is_started_again_behind_its_post_stop(self):
        s = self.supervise('[jobs.web]\nshell = "test -e @DIR@/second && exec sleep 1000; > @DIR@/second; echo broken; exit 1"\n'
                           'post_stop = ["/bin/true"]\n')
        self.await_true("it is started again", lambda: s.instance("web")["restarts"] == 1)
        self.await_true("why has them", lambda: "| broken" in s.run("why", "web").out)

    def test_what_a_run_wrote_before_it_was_to_write_elsewhere_is_not_that_of_the_newest(self):
        job = f'[jobs.web]\nshell = "echo WORD; exit 1"\n{self.QUICK}'
        s = self.supervise(job.replace("WORD", "old"))
        self.await_true("it is known", lambda: "| old" in s.run("why", "web").out)
        s.configure(job.replace("WORD", "new") + '[jobs.web.log]\nstdout = "null"\nstderr = "null"\n')
        s.ctl("apply", "--no-restart")
        s.run("start", "web")
        self.await_true("it has failed again", lambda: s.log_text().count("-> failed") == 2)
        self.assertNotIn("| old", s.ctl("why", "web", expect=3).out)


if __name__ == "__main__":
    unittest.main()
