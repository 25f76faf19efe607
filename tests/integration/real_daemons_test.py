"""Five real servers under one procsupd: they serve, survive the kill of their main process, and leave nothing."""
import os
import shutil
import signal
import socket
import struct
import unittest

import nginx
from harness import ROOT, IntegrationTest
from postgres import POSTGRES_BIN, USER, make_database
from processes import PATIENCE, Deadline, free_port, listening_ports

CONFIG = """
[defaults]
restart = "always"
restart_delay = "50ms"
start_limit = "none"
stop_timeout = "20s"

[jobs.redis]
command = ["redis-server", "--bind", "127.0.0.1", "--port", "{redis}", "--save", "", "--dir", "@DIR@"]

[jobs.nginx]
command = ["nginx", "-e", "stderr", "-p", "@DIR@/web", "-c", "nginx.conf"]
stop_signal = "SIGQUIT"

[jobs.postgres]
command = ["{postgres_bin}/postgres", "-D", "@DIR@/data", "-p", "{postgres}", "-k", "", "-h", "127.0.0.1"]
stop_signal = "SIGINT"
{postgres_user}

[jobs.memcached]
command = ["memcached", "-l", "127.0.0.1", "-p", "{memcached}", "-U", "0"{memcached_user}]

[jobs.haproxy]
command = ["haproxy", "-db", "-f", "@DIR@/haproxy.cfg"]
"""

HAPROXY = """
defaults
  mode http
  timeout client 5s
  timeout connect 5s
  timeout server 5s
frontend web
  bind 127.0.0.1:{haproxy}
  http-request return status 200 content-type text/plain string "haproxy serves"
"""


def exchange(port, request, complete):
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as peer:
        peer.sendall(request)
        answer = b""
        while not complete(answer):
            data = peer.recv(65536)
            if not data:
                raise ConnectionError(f"ended behind {answer!r}")
            answer += data
        return answer


def ask_http(port, expected):
    answer = exchange(port, b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", lambda text: expected in text)
    assert answer.split()[1] == b"200", answer


def ask_redis(port):
    answer = exchange(port, b"SET name procsupd\r\nGET name\r\n", lambda text: text.endswith(b"procsupd\r\n"))
    assert answer == b"+OK\r\n$8\r\nprocsupd\r\n", answer


def ask_memcached(port):
    answer = exchange(port, b"set name 0 0 8\r\nprocsupd\r\nget name\r\n", lambda text: text.endswith(b"END\r\n"))
    assert b"VALUE name 0 8\r\nprocsupd\r\n" in answer, answer


def ask_postgres(port):
    """Protocol 3: start-up, a simple query, and its one row."""
    user = b"user\0postgres\0database\0postgres\0\0"
    start = struct.pack("!ii", 8 + len(user), 196608) + user
    query = b"SELECT 6 * 7 AS answer\0"
    request = start + b"Q" + struct.pack("!i", 4 + len(query)) + query

    def complete(text):
        if text[:1] == b"E":
            raise ConnectionError(text)
        return b"SELECT 1\0Z" in text

    answer = exchange(port, request, complete)
    assert b"D" + struct.pack("!ihi", 12, 1, 2) + b"42" in answer, answer


ASK = {
    "redis": ask_redis,
    "nginx": lambda port: ask_http(port, nginx.ANSWER),
    "postgres": ask_postgres,
    "memcached": ask_memcached,
    "haproxy": lambda port: ask_http(port, b"haproxy serves"),
}


class RealDaemons(IntegrationTest):
    def setUp(self):
        programs = ["redis-server", "nginx", "memcached", "haproxy", f"{POSTGRES_BIN}/postgres"]
        path = os.environ["PATH"] + ":/usr/sbin:/sbin"
        os.environ["PATH"] = path
        missing = [program for program in programs if not shutil.which(program)]
        self.assertEqual([], missing, "needed programs are missing")
        self.ports = {name: free_port() for name in ASK}
        config = CONFIG.format(postgres_bin=POSTGRES_BIN, postgres_user=USER,
                               memcached_user=', "-u", "nobody"' if ROOT else "", **self.ports)
        self.s = self.prepare(config)
        os.mkdir(self.s.path("web"))
        self.s.write("web/nginx.conf", ("user nobody nogroup;" if ROOT else "") + nginx.configuration(self.ports["nginx"]))
        self.s.write("haproxy.cfg", HAPROXY.format(**self.ports))
        make_database(self.s.path("data"))

    def ask(self, name):
        """A round trip, as soon as the server listens; each refusal is answered by a look at its process."""
        deadline = Deadline()
        while True:
            try:
                return ASK[name](self.ports[name])
            except ConnectionError as error:
                pid = self.s.pid_of(name)
                if deadline.left() == 0:
                    raise AssertionError(f"{name} does not serve: {error}") from error
                if pid:
                    watch = os.pidfd_open(pid)
                    deadline.readable(watch, pause=0.02)
                    os.close(watch)

    def test_each_serves_and_comes_back_after_a_kill_and_leaves_nothing(self):
        s = self.s.start()
        for name in ASK:
            with self.subTest(name, step="serves"):
                self.ask(name)
        events = s.events()
        before = {name: s.pid_of(name) for name in ASK}
        for name in ASK:
            with self.subTest(name, step="comes back"):
                os.kill(before[name], signal.SIGKILL)
                event = events.until(name, "running")
                self.assertNotEqual(before[name], event["pid"])
                self.ask(name)
                now = s.instance(name)
                self.assertEqual("running", now["state"])
                self.assertNotEqual(before[name], now["pid"])
                self.assertGreaterEqual(now["restarts"], 1)
        events.close()
        s.ctl("stop", "--all", seconds=4 * PATIENCE)
        self.assertEqual({"stopped"}, {i["state"] for i in s.instances().values()})
        self.assertEqual([], s.job_processes())
        self.assertEqual(set(), set(self.ports.values()) & listening_ports())
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end())


if __name__ == "__main__":
    unittest.main()
