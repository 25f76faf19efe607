"""A job is ready when it has written a line that matches: the present run, to either stream, whatever becomes of its output."""
import os
import shutil
import signal
import unittest

from harness import IntegrationTest
from log_lines import FORWARD, LogLineTest, job
from postgres import POSTGRES_BIN, USER, make_database
from processes import PATIENCE, free_port


class Lines(LogLineTest):
    def test_the_line_makes_it_ready(self):
        s, web = self.begin(job("web", "ready to (serve|accept)"))
        web.say("starting\nready to go\n")
        self.assert_not_ready_when_written(s, "starting\nready to go\n")
        events = s.events("web")
        web.say("now ready to serve\n")
        self.assertRegex(events.until("web", "running")["cause"], "ready after ")
        events.close()
        self.await_ready(s)

    def test_the_line_may_be_on_standard_error(self):
        s, web = self.begin(job("web", shell="exec cat @DIR@/web.mouth >&2"))
        web.say("ready\n")
        self.await_ready(s)

    def test_one_stream_that_is_kept_is_enough(self):
        s, web = self.begin(job("web", shell="echo ready; exec cat @DIR@/web.mouth >&2", stdout="null"))
        web.say("not\n")
        self.await_content(s, "not\n", "web.err.log")
        self.assertFalse(self.is_ready(s))
        web.say("ready\n")
        self.await_ready(s)

    def test_a_line_is_put_together_of_its_parts(self):
        s, web = self.begin(job("web", "^now ready$"))
        written = ""
        for part in ("not now ready\nno", "w re", "ad", "y"):
            web.say(part)
            written += part
            self.assert_not_ready_when_written(s, written)
        web.say("\n")
        self.await_ready(s)

    def test_a_line_of_the_run_before_does_not_count(self):
        s, web = self.begin(job("web", "^ready$", more='restart = "always"\nstart_limit = "none"'))
        web.say("ready\nrea")
        self.await_ready(s)
        self.await_content(s, "ready\nrea")
        before = s.pid_of("web")
        restart = s.popen("restart", "web")
        self.await_true("it runs again", lambda: s.pid_of("web") not in (0, None, before))
        web.say("dy\n")
        self.assert_not_ready_when_written(s, "ready\nready\n")
        web.say("ready\n")
        self.assertEqual(0, restart.wait(PATIENCE))
        self.await_ready(s)

    def test_a_line_of_pre_start_does_not_count(self):
        s = self.prepare('[jobs.web]\npre_start = ["echo", "ready"]\nshell = "read line < @DIR@/go; echo ready; exec sleep 1000"\n'
                         'ready.log_line = "^ready$"\n')
        go = s.fifo("go")
        s.start()
        self.await_true("it runs", lambda: s.instance("web")["state"] == "running")
        self.await_true("pre_start is read", lambda: s.ctl("logs", "web").out.count("ready") == 1)
        self.assertFalse(s.instance("web")["ready"])
        os.write(go.fd, b"\n")
        s.ctl("wait", "web")

    def test_the_expression_is_of_the_instance(self):
        s = self.begin(job("web", "^${job:instance} is up$", more="instances = 2",
                           shell="echo $PROCSUPD_INSTANCE is up; exec sleep 1000"), mouths=())[0]
        s.ctl("wait", "web")
        self.assertEqual([True, True], [one["ready"] for one in s.instances().values()])

    def test_without_the_line_it_is_a_failed_start(self):
        s, web = self.begin(job("web", timeout="300ms", more='restart = "no"'))
        web.say("almost\n")
        self.await_true("it has failed", lambda: s.instance("web")["state"] == "failed")
        self.assertIn("ready", s.instance("web")["cause"])

    def test_a_line_that_the_rate_does_not_let_pass_was_written(self):
        s, web = self.begin(job("web", rate_limit="1/1h"))
        web.say("one\ntwo\nready\n")
        self.await_ready(s)
        self.assertEqual(b"one\n", self.content(s))

    def test_what_the_main_process_has_left_behind_may_write_it(self):
        s, web = self.begin(job("web", shell="cat @DIR@/web.mouth &", more='orphans = "adopt"'))
        self.await_true("its main process has ended", lambda: "what it left behind" in s.instance("web")["cause"])
        self.assertFalse(self.is_ready(s))
        web.say("ready\n")
        self.await_ready(s)

    def test_it_is_shown_what_is_waited_for(self):
        s, web = self.begin(job("web", "is (up|ready)$"))
        self.assertIn("not ready: waits for log_line is (up|ready)$", s.ctl("status").out)
        self.assertIn('ready.by = "log_line"\nready.target = "is (up|ready)$"\n', s.ctl("show", "web").out)
        web.say("it is up\n")
        self.await_ready(s)
        self.assertNotIn("waits for", s.ctl("status").out)

    def test_a_line_that_counts_from_the_next_start_on_changes_nothing_for_the_present_run(self):
        s, web = self.begin(job("web", "ready"))
        s.configure(job("web", "other"))
        s.ctl("apply", "--no-restart")
        web.say("ready\n")
        self.await_ready(s)


class Forms(LogLineTest):
    def test_the_form_in_which_it_is_kept_does_not_matter(self):
        forms = {"plain": {"format": "raw"}, "stamped": {"format": "stamped"}, "json": {"format": "json"},
                 "mirrored": {"mirror": True}}
        jobs = [job(name, "^now .eady \"ü$", **form) for name, form in forms.items()]
        s, *mouths = self.begin(*jobs, job("forwarded", "^now .eady \"ü$", log=FORWARD), mouths=[*forms, "forwarded"])
        for mouth in mouths:
            mouth.say("not now ready\nnow re")
        for mouth in mouths:
            mouth.say("ady \"ü\nmore\n")
        for name in [*forms, "forwarded"]:
            self.await_ready(s, name)


class KilledLogger(LogLineTest):
    """The one that is started instead goes on where it was."""

    def test_before_the_line(self):
        s, web = self.begin(job("web", "^now ready$"))
        web.say("first\nnow re")
        self.await_content(s, "first\nnow re")
        logger = self.logger(s)
        os.kill(logger, signal.SIGKILL)
        web.say("ady\n")
        self.await_ready(s)

    def test_while_the_line_waits_in_the_pipe(self):
        s, web = self.begin(job("web", "^now ready$"))
        web.say("now ")
        self.await_content(s, "now ")
        logger = self.hold_logger(s)
        web.say("ready\n")
        os.kill(logger, signal.SIGKILL)
        self.await_ready(s)

    def test_when_it_has_seen_it_and_procsupd_has_not_heard_of_that(self):
        s, web = self.begin(job("web", "^now ready$"))
        logger = self.logger(s)
        os.kill(s.process.pid, signal.SIGSTOP)
        try:
            web.say("now ready\n")
            self.await_content(s, "now ready\n")
            os.kill(logger, signal.SIGKILL)
        finally:
            os.kill(s.process.pid, signal.SIGCONT)
        self.await_ready(s)

    def test_after_the_line(self):
        s, web = self.begin(job("web", "^now ready$"))
        web.say("now ready\n")
        self.await_ready(s)
        logger = self.logger(s)
        os.kill(logger, signal.SIGKILL)
        self.logger(s, after=logger)
        web.say("now ready\n")
        self.await_content(s, "now ready\n" * 2)
        self.assertEqual(1, s.instance("web")["cause"].count("ready after"))

    def test_at_any_moment_while_lines_flow(self):
        flow = 'i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done; printf "now "; echo ready; exec sleep 1000'
        s, = self.begin(job("web", "^now ready$", shell=flow), mouths=())
        self.await_ready(s)
        logger = self.logger(s)
        for round_number in range(12):
            restart = s.popen("restart", "web")
            for _ in range(round_number % 4):
                os.kill(logger, signal.SIGKILL)
                logger = self.logger(s, after=logger)
            self.assertEqual(0, restart.wait(PATIENCE), f"round {round_number}")
            self.await_ready(s)


class RealServers(IntegrationTest):
    def test_say_when_they_are_ready(self):
        os.environ["PATH"] += ":/usr/sbin:/sbin"
        missing = [program for program in ("redis-server", f"{POSTGRES_BIN}/postgres") if not shutil.which(program)]
        self.assertEqual([], missing, "needed programs are missing")
        s = self.prepare(f"""
[jobs.redis]
command = ["redis-server", "--bind", "127.0.0.1", "--port", "{free_port()}", "--save", "", "--dir", "@DIR@"]
[jobs.redis.ready]
log_line = "Ready to accept connections"
[jobs.postgres]
command = ["{POSTGRES_BIN}/postgres", "-D", "@DIR@/data", "-p", "{free_port()}", "-k", "", "-h", "127.0.0.1"]
stop_signal = "SIGINT"
{USER}
[jobs.postgres.ready]
log_line = "database system is ready to accept connections$"
[jobs.after]
command = ["sleep", "1000"]
requires = ["redis", "postgres"]
""")
        make_database(s.path("data"))
        s.start()
        s.ctl("wait", "after")
        for name in ("redis", "postgres"):
            one = s.instance(name)
            self.assertTrue(one["ready"], name)
            self.assertIn("ready after", one["cause"])


if __name__ == "__main__":
    unittest.main()
