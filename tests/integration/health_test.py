"""Health of jobs: looked at again and again, restarted within a budget, and never at the cost of others."""
import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import unittest

from harness import ROOT, IntegrationTest
from postgres import POSTGRES_BIN, USER, make_database
from processes import free_port, wait_gone

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/health.toml")


class Health(IntegrationTest):
    def put(self, s, name):
        with open(s.path(name), "w", encoding="utf-8"):
            pass

    def health(self, s, name):
        return s.instance(name).get("health")

    def await_health(self, s, name, word):
        self.await_true(f"{name} is {word}", lambda: self.health(s, name) == word)

    def test_the_example_restarts_what_is_unhealthy_within_its_budget(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            text = file.read().replace("8080", str(free_port())).replace('"1s"', '"50ms"').replace('"2s"', '"10ms"')
        s = self.prepare(text)
        s.start()
        s.ctl("wait", "--for=healthy", "web", "reports")
        self.assertIn("web: healthy: http http://127.0.0.1:", s.ctl("check-health", "web").out)
        pid, reports = s.pid_of("web"), s.pid_of("reports")
        self.put(s, "sick.txt")
        said = s.ctl("check-health", "web", expect=1).err
        self.assertIn("unhealthy: http://127.0.0.1:", said)
        self.assertIn("answered 503", said)
        self.assertTrue(wait_gone(pid))
        self.await_true("its budget is used up", lambda: s.instance("web").get("health_restart_due_usec"))
        self.assertEqual(3, s.instance("web")["health_restarts"])
        self.assertIn("restart_limit (3/10min) reached, it runs on", s.ctl("why", "web").out)
        self.assertRegex(s.ctl("status", "web").out, r"health: unhealthy for .*answered 503; restarts for that: 3; the next one in 9m")
        self.assertEqual(reports, s.pid_of("reports"), "who requires it has not said that it is restarted with it")
        last = s.pid_of("web")
        os.unlink(s.path("sick.txt"))
        self.await_health(s, "web", "healthy")
        self.assertEqual(last, s.pid_of("web"))

    def test_what_is_only_told_changes_nothing_else(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            text = file.read().replace("8080", str(free_port())).replace('"1s"', '"50ms"')
        s = self.prepare(text)
        s.start()
        s.ctl("wait", "--for=healthy", "reports")
        pid = s.pid_of("reports")
        events = s.events("reports")
        self.put(s, "late.txt")
        cause = events.until("reports", "running")["cause"]
        self.assertRegex(cause, r"; unhealthy: '.*' ended with exit code 1$")
        os.unlink(s.path("late.txt"))
        self.assertRegex(events.until("reports", "running")["cause"], "; healthy again after ")
        events.close()
        self.assertEqual(pid, s.pid_of("reports"))

    def test_a_target_that_is_hostile_counts_as_failed_and_slows_nothing_else(self):
        """One never answers, one sends a byte now and then, one answers with a redirect to itself, one sends without end."""
        for name, behave, verdict in (("silent", lambda _: None, "unhealthy"),
                                      ("trickling", drip, "unhealthy"),
                                      ("flooding", flood, "unhealthy"),
                                      ("flooding behind a good answer", answer_and_flood, "healthy")):
            with self.subTest(name), hostile_peer(behave) as port:
                s = self.supervise(f'[jobs.web]\ncommand = "sleep 1000"\n[jobs.web.health]\naction = "none"\n'
                                   f'http = "http://127.0.0.1:{port}/"\ninterval = "10ms"\ntimeout = "100ms"\n')
                self.await_health(s, "web", verdict)
                s.ctl("ping")

    def test_a_redirect_to_itself_is_followed_by_nobody(self):
        asked = []

        def redirect(peer):
            asked.append(peer.recv(1000))
            peer.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")
            peer.close()

        with hostile_peer(redirect) as port:
            s = self.supervise(f'[jobs.web]\ncommand = "sleep 1000"\n[jobs.web.health]\naction = "none"\n'
                               f'http = "http://127.0.0.1:{port}/"\ninterval = "1h"\n')
            self.await_health(s, "web", "healthy")
            self.assertEqual(1, len(asked))

    @unittest.skipUnless(shutil.which(f"{POSTGRES_BIN}/postgres"), "needs PostgreSQL")
    def test_a_database_that_hangs_is_restarted_and_has_lost_nothing(self):
        port = free_port()
        with open(os.path.join(os.path.dirname(EXAMPLE), "database.toml"), encoding="utf-8") as file:
            text = file.read().replace("5432", str(port)).replace("/srv/database", "@DIR@/data")
        text = text.replace('user = "postgres"', USER).replace('"10s"', '"100ms"').replace('"5s"', '"1s"')
        s = self.prepare(text.replace("failures = 3", "failures = 2"))
        make_database(s.path("data"))

        def sql(words):
            return subprocess.run(["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-qAtc", words], check=True,
                                  stdout=subprocess.PIPE, text=True, cwd="/").stdout.strip()

        s.start()
        s.ctl("wait", "--for=healthy", "database")
        sql("create table kept (number int); insert into kept select generate_series(1, 1000)")
        pid = s.pid_of("database")
        os.kill(pid, signal.SIGSTOP)
        self.assertTrue(wait_gone(pid))
        s.ctl("wait", "--for=healthy", "database")
        self.assertEqual("1000", sql("select count(*) from kept"))
        self.assertEqual(1, s.instance("database")["health_restarts"])
        self.assertIn("unhealthy", s.ctl("history", "database").out)
        s.ctl("stop", "database")
        self.assertIn("exit 0", s.instance("database")["cause"])

    def test_what_looks_is_gone_with_the_run_and_while_it_is_paused(self):
        s = self.supervise('[jobs.web]\ncommand = "sleep 1000"\n[jobs.web.health]\nexec = "true"\ninterval = "20ms"\n')
        s.ctl("wait", "--for=healthy", "web")
        self.assertIn("procsup-probe --watch", s.ctl("tree", "web").out)
        s.ctl("pause", "web")
        self.await_true("nothing looks", lambda: "procsup-probe" not in s.ctl("tree", "web").out)
        s.ctl("resume", "web")
        self.await_true("it is looked at again", lambda: "procsup-probe" in s.ctl("tree", "web").out)
        s.ctl("stop", "web")
        self.assertEqual("stopped", s.instance("web")["state"])

    def test_a_change_of_it_is_taken_on_by_the_run_that_goes_on(self):
        before = '[jobs.web]\ncommand = "sleep 1000"\n[jobs.web.health]\nexec = "true"\naction = "none"\n'
        s = self.supervise(before)
        s.ctl("wait", "--for=healthy", "web")
        pid = s.pid_of("web")
        s.configure(before.replace('"true"', '"false"').replace("action", 'interval = "20ms"\naction'))
        s.ctl("apply")
        self.await_health(s, "web", "unhealthy")
        self.assertEqual(pid, s.pid_of("web"))


def drip(peer):
    with contextlib.suppress(OSError):
        while True:
            peer.sendall(b"H")
            select.select([peer], [], [peer], 0.02)


def flood(peer):
    with contextlib.suppress(OSError):
        while True:
            peer.sendall(b"x" * 65536)


def answer_and_flood(peer):
    with contextlib.suppress(OSError):
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    flood(peer)


@contextlib.contextmanager
def hostile_peer(behave):
    """A TCP server whose connections are given to `behave` and kept open."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        kept = []

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = server.accept()
                    kept.append(peer)
                    threading.Thread(target=behave, args=(peer,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for peer in kept:
                peer.close()


if __name__ == "__main__":
    unittest.main()
