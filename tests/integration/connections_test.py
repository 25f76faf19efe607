"""Jobs that are started by what comes to their sockets: a run for each connection, and one for all of them while there are any."""
import contextlib
import os
import resource
import socket
import threading
import time
import unittest

from harness import ROOT, IntegrationTest
from processes import free_port, wait_gone

EXAMPLES = os.path.join(os.path.dirname(__file__), "../../conf/examples")
MODES = ("cgroup", "keeper", "group")
CAT = '["cat"]'
# Answers one client after the other with its pid; told to end, it finishes with the one that it has.
SERVER = """
import contextlib, os, select, signal, socket
listening = socket.socket(fileno=3)
listening.setblocking(False)
ends, told = socket.socketpair()
told.setblocking(False)
signal.set_wakeup_fd(told.fileno())
signal.signal(signal.SIGTERM, lambda *_: None)
while ends not in select.select([listening, ends], [], [])[0]:
    with contextlib.suppress(BlockingIOError), listening.accept()[0] as client:
        client.setblocking(True)
        client.sendall(b"%d\\n" % os.getpid())
        client.recv(1)
"""


def to_end(client):
    return b"".join(iter(lambda: client.recv(65536), b""))


class Connections(IntegrationTest):
    def example(self, name, job, port, **replaced):
        with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
            text = file.read().replace("65432", str(port)).replace("8080", str(port))
        for old, new in replaced.items():
            text = text.replace(old, new)
        return f"[jobs.{job}]\n" + text.replace("[[sockets]]", f"[[jobs.{job}.sockets]]")

    def accepting(self, port, more="", socket_more="", command=CAT):
        return (f'[jobs.echo]\ncommand = {command}\n{more}[[jobs.echo.sockets]]\nlisten = "{port}"\naccept = true\n'
                + socket_more + "\n")

    def connect(self, port):
        client = socket.create_connection(("127.0.0.1", port), 20)
        self.addCleanup(client.close)
        return client

    def ask(self, port, text):
        with self.connect(port) as client:
            client.sendall(text)
            client.shutdown(socket.SHUT_WR)
            return to_end(client)

    def served(self, s, name="echo"):
        return s.instance(name)["connections"]

    def descriptors(self, s):
        return len(os.listdir(f"/proc/{s.process.pid}/fd"))


class Accepting(Connections):
    def test_the_example_serves_200_clients_at_a_time(self):
        port = free_port()
        s = self.prepare(self.example("uppercase.toml", "upper", port))
        s.start()
        s.ctl("wait", "--for=ready", "upper")
        clients = [self.connect(port) for _ in range(200)]
        for number, client in enumerate(clients):
            client.sendall(b"client %d\n" % number)
        for number, client in enumerate(clients):
            self.assertEqual(b"CLIENT %d\n" % number, client.recv(100))
        self.assertEqual(200, self.served(s, "upper"))
        self.assertEqual(200, len(s.job_processes()))
        metrics = s.ctl("metrics").out.splitlines()
        self.assertEqual(['procsupd_job_connections{name="upper",job_name="upper"} 200',
                          'procsupd_job_connections_total{name="upper",job_name="upper"} 200'],
                         [line for line in metrics if line.startswith("procsupd_job_connections")])
        self.assertFalse([line for line in metrics if "upper@1" in line])
        # One more waits until another has gone.
        with self.connect(port) as late:
            late.sendall(b"late\n")
            self.assertEqual(200, self.served(s, "upper"))
            clients.pop().close()
            self.assertEqual(b"LATE\n", late.recv(100))
        for client in clients:
            client.close()
        self.await_true("all are over", lambda: self.served(s, "upper") == 0)
        self.assertEqual([], s.job_processes())
        upper = s.instance("upper")
        self.assertEqual(("listening", 201, 200), (upper["state"], upper["connections_begun"], upper["max_connections"]))

    def test_the_connection_is_input_and_output_in_every_containment(self):
        for mode in MODES if ROOT else ("keeper", "group"):
            with self.subTest(mode):
                port = free_port()
                command = '["sh", "-c", "cat; echo $REMOTE_ADDR $PROCSUPD_INSTANCE ${LISTEN_FDS:-none}"]'
                s = self.prepare(self.accepting(port, command=command, more='user = "nobody"\n' if ROOT else ""),
                                 options=[f"--containment={mode}"])
                s.start()
                s.ctl("wait", "--for=ready", "echo")
                self.assertEqual(b"hello 127.0.0.1 echo@1 none\n", self.ask(port, b"hello "))
                s.close()

    def test_what_it_writes_to_its_errors_is_captured_and_its_runs_are_known(self):
        port = free_port()
        s = self.prepare(self.accepting(port, command='["sh", "-c", "echo trouble >&2; exit 3"]'))
        s.start()
        s.ctl("wait", "--for=ready", "echo")
        self.assertEqual(b"", self.ask(port, b""))
        self.await_true("it has failed", lambda: s.instance("echo@1")["state"] == "failed")
        self.assertIn("trouble", s.ctl("logs", "echo@1").out)
        why = s.ctl("why", "echo@1", expect=3).out
        self.assertIn("exit 3", why)
        self.assertIn("connection from 127.0.0.1:", s.ctl("history", "echo").out)
        self.assertIn("1 failed: procsupctl status echo", s.ctl("status").out)
        self.assertEqual("listening", s.instance("echo")["state"])
        # It is none of those that are started by their job's name.
        s.ctl("restart", "echo")
        s.ctl("start", "echo")
        # The next one takes its place.
        self.ask(port, b"")
        self.await_true("served again", lambda: s.instance("echo")["connections_begun"] == 2)
        self.assertIn("started by one alone", s.ctl("start", "echo@1", expect=1).err)

    def test_more_wait_than_are_served_and_a_stop_ends_them_all(self):
        port = free_port()
        s = self.prepare(self.accepting(port, socket_more="max_connections = 2"))
        s.start()
        s.ctl("wait", "--for=ready", "echo")
        clients = [self.connect(port) for _ in range(5)]
        for client in clients:
            client.sendall(b"x")
        self.assertEqual(b"x", clients[0].recv(1))
        self.assertEqual(b"x", clients[1].recv(1))
        self.assertEqual(2, self.served(s))
        # It serves that one client, and no order gives it another.
        for words in (["start"], ["restart"], ["restart", "--no-wait"]):
            self.assertIn("started by one alone", s.ctl(*words, "echo@1", expect=1).err)
        clients[0].close()
        self.assertEqual(b"x", clients[2].recv(1))
        s.ctl("stop", "echo")
        self.assertEqual([], s.job_processes())
        for client in clients[1:3]:
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(b"", client.recv(1))
        for client in clients[3:]:
            with self.assertRaises(ConnectionResetError):
                client.recv(1)
        with self.assertRaises(ConnectionRefusedError):
            self.connect(port)
        s.ctl("start", "echo")
        self.assertEqual(b"again", self.ask(port, b"again"))

    def test_a_program_that_is_not_there_costs_the_client_its_connection_and_nobody_else(self):
        port = free_port()
        s = self.prepare(self.accepting(port, command='["/nowhere/program"]'))
        s.start()
        s.ctl("wait", "--for=ready", "echo")
        for _ in range(5):
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(b"", self.ask(port, b""))
        self.await_true("it is said", lambda: "/nowhere/program" in s.run("why", "echo@1").out)
        self.assertEqual("listening", s.instance("echo")["state"])

    def test_run_timeout_ends_a_client_that_says_nothing(self):
        port = free_port()
        s = self.prepare(self.accepting(port, more='run_timeout = "2s"\nmin_uptime = "1ms"\n', socket_more="max_connections = 1"))
        s.start()
        s.ctl("wait", "--for=ready", "echo")
        silent, next_one = self.connect(port), self.connect(port)
        next_one.sendall(b"served")
        self.assertEqual(b"", silent.recv(1))
        self.assertEqual(b"served", next_one.recv(10))

    def test_another_text_is_for_the_next_connections_and_cuts_none_off(self):
        port = free_port()
        s = self.prepare(self.accepting(port))
        s.start()
        s.ctl("wait", "--for=ready", "echo")
        old = self.connect(port)
        old.sendall(b"1")
        self.assertEqual(b"1", old.recv(1))
        s.configure(self.accepting(port, command='["tr", "a-z", "A-Z"]'))
        s.ctl("apply")
        self.assertEqual(b"NEW", self.ask(port, b"new"))
        old.sendall(b"2")
        self.assertEqual(b"2", old.recv(1))
        # Without its job it ends.
        s.configure("[jobs.other]\ncommand = [\"sleep\", \"1000\"]\n")
        s.ctl("apply")
        self.assertEqual(b"", old.recv(1))
        self.await_true("it is forgotten", lambda: list(s.instances()) == ["other"])

    def test_ten_thousand_connections_of_which_most_say_nothing_harm_nobody(self):
        port, count = free_port(), 10000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < count + 1000:
            self.skipTest("needs more descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (count + 1000, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        s = self.prepare(self.accepting(port, socket_more="max_connections = 20")
                         + '[jobs.other]\ncommand = ["sleep", "1000"]\n')
        s.start()
        s.ctl("wait", "--for=ready", "echo")
        self.ask(port, b"x")
        before = self.descriptors(s)
        flood = []
        for _ in range(count):
            client = socket.socket()
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(("127.0.0.1", port))
            flood.append(client)
        self.await_true("as many as may be are served", lambda: self.served(s) == 20)
        s.ctl("restart", "other")
        self.assertLessEqual(self.descriptors(s), before + 200)
        for client in flood:
            client.close()
        # Who has gone meanwhile is served all the same, and at once over.
        self.await_true("all are over", lambda: self.served(s) == 0 and self.ask(port, b"then") == b"then")

    def test_a_path_is_accepted_from_too_and_its_clients_are_named(self):
        s = self.prepare('[jobs.echo]\ncommand = ["cat"]\n[[jobs.echo.sockets]]\nlisten = "@DIR@/echo.sock"\naccept = true\n')
        s.start()
        s.ctl("wait", "--for=ready", "echo")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(s.path("echo.sock"))
            client.sendall(b"x")
            self.assertEqual(b"x", client.recv(1))
            self.assertIn(f"connection from pid {os.getpid()} of uid {os.getuid()}", s.instance("echo@1")["cause"])

    def test_where_descriptors_run_out_clients_wait_and_none_is_reset(self):
        port = free_port()
        s = self.prepare(self.accepting(port, socket_more="max_connections = 1000"), prefix=("prlimit", "--nofile=200:200"))
        s.start()
        s.ctl("wait", "--for=ready", "echo")
        clients = [self.connect(port) for _ in range(150)]
        for client in clients:
            client.sendall(b"x")
        self.await_true("it is said", lambda: "cannot take what comes to its sockets for a second: Too many open files" in s.log_text())
        served = 0
        while clients:
            self.assertEqual(b"x", clients[0].recv(1))
            clients.pop(0).close()
            served += 1
        self.assertEqual(150, served)
        self.assertEqual(150, s.instance("echo")["connections_begun"])

    def test_nothing_is_accepted_from_a_socket_that_a_run_was_given(self):
        port = free_port()
        own = ('[jobs.echo]\ncommand = ["sleep", "1000"]\n[[jobs.echo.sockets]]\n' + f'listen = "{port}"\n')
        s = self.prepare(own)
        s.start()
        s.ctl("wait", "--for=ready", "echo")
        given = os.readlink(f"/proc/{s.pid_of('echo')}/fd/3")
        s.configure(own.replace('"sleep", "1000"', '"cat"') + "accept = true\n")
        s.ctl("apply")
        s.ctl("wait", "--for=ready", "echo")
        self.assertNotIn("again", s.instance("echo")["cause"])
        self.assertEqual(b"x", self.ask(port, b"x"))
        held = [os.readlink(f"/proc/{s.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{s.process.pid}/fd")
                if os.path.lexists(f"/proc/{s.process.pid}/fd/{fd}")]
        self.assertNotIn(given, held)

    def test_many_connections_cost_no_descriptor_and_no_more_places_than_at_a_time(self):
        port = free_port()
        s = self.prepare(self.accepting(port))
        s.start()
        s.ctl("wait", "--for=ready", "echo")
        self.ask(port, b"x")
        self.await_true("it is over", lambda: self.served(s) == 0)
        before = self.descriptors(s)
        for _ in range(200):
            self.assertEqual(b"x", self.ask(port, b"x"))
        self.await_true("as many as before", lambda: self.descriptors(s) <= before + 4)
        self.assertLess(s.ctl("history", "echo").out.count("echo@2"), 50)


class OnDemand(Connections):
    def on_demand(self, port, more="", socket_more=""):
        return ('[jobs.web]\ncommand = ["/usr/bin/python3", "@DIR@/server.py"]\nmin_uptime = "1ms"\n' + more +
                f'[[jobs.web.sockets]]\nlisten = "{port}"\non_demand = true\n{socket_more}\n')

    def prepared(self, config):
        s = self.prepare(config)
        s.write("server.py", SERVER)
        s.start()
        s.ctl("wait", "--for=ready", "web")
        return s

    def test_the_example_runs_while_it_has_clients(self):
        port = free_port()
        s = self.prepare(self.example("on_demand.toml", "web", port, **{"1min": "400ms"}))
        s.start()
        s.ctl("wait", "--for=ready", "web")
        pids = set()
        for _ in range(2):
            self.await_true("it listens", lambda: s.instance("web")["state"] == "listening")
            self.assertEqual([], s.job_processes())
            with self.connect(port) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = to_end(client)
            self.assertTrue(answer.startswith(b"HTTP/1.0 200 OK"))
            pids.add(answer.split()[-1])
        self.assertEqual(2, len(pids))
        self.await_true("it is ended", lambda: s.instance("web")["state"] == "listening")
        self.assertIn("without a connection for 400ms", s.ctl("why", "web").out)
        self.assertIn(f"something has come to http at 127.0.0.1:{port}", s.ctl("history", "web").out)

    def test_a_connection_keeps_it_however_silent_it_is(self):
        for family in ("127.0.0.1:{}", "*:{}", "@DIR@/web{}.sock"):
            with self.subTest(family):
                port = free_port()
                listen = family.format(port)
                s = self.prepared(self.on_demand(listen, socket_more='idle_timeout = "300ms"'))
                client = socket.socket(socket.AF_UNIX if "sock" in listen else socket.AF_INET)
                with client:
                    client.settimeout(20)
                    client.connect(s.path(f"web{port}.sock") if "sock" in listen else ("127.0.0.1", port))
                    pid = int(client.recv(100))
                    # Others come and go meanwhile, a time several times as long as idle_timeout.
                    time_to_see = time.monotonic() + 1.2
                    self.await_true("time passes", lambda: time.monotonic() > time_to_see)
                    self.assertEqual(pid, s.pid_of("web"))
                self.assertTrue(wait_gone(pid))
                self.await_true("it listens again", lambda: s.instance("web")["state"] == "listening")
                s.close()

    def test_no_client_is_lost_however_often_it_is_ended(self):
        port = free_port()
        s = self.prepared(self.on_demand(port, socket_more='idle_timeout = "100ms"'))
        answers = []

        def come():
            for number in range(30):
                with socket.create_connection(("127.0.0.1", port), 20) as client:
                    answers.append(client.recv(100))
                if number % 3 == 0:
                    threading.Event().wait(0.15)

        threads = [threading.Thread(target=come) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(60, len(answers))
        self.assertNotIn(b"", answers)
        self.assertGreater(len(set(answers)), 3)

    def test_who_depends_on_it_is_started_when_it_listens_and_stays_when_it_is_ended(self):
        port = free_port()
        s = self.prepared(self.on_demand(port, socket_more='idle_timeout = "100ms"')
                          + '[jobs.user]\ncommand = ["sleep", "1000"]\nrequires = ["web"]\n')
        s.ctl("wait", "--for=ready", "user")
        pid = s.pid_of("user")
        self.assertEqual("listening", s.instance("web")["state"])
        with self.connect(port) as client:
            self.assertTrue(client.recv(100))
        self.await_true("it is ended", lambda: "without" in s.instance("web")["cause"])
        self.assertEqual(pid, s.pid_of("user"))
        s.ctl("stop", "web", expect=1)
        s.ctl("stop", "--cascade", "web")
        self.assertEqual("stopped", s.instance("user")["state"])

    def test_of_instances_that_share_a_socket_each_is_there_for_what_comes(self):
        port = free_port()
        s = self.prepared(self.on_demand(port, more="instances = 3\n"))
        for name in ("web@0", "web@1"):
            with self.connect(port) as client:
                self.assertTrue(client.recv(100))
            s.ctl("stop", name)
        with self.connect(port) as client:
            self.assertEqual(s.pid_of("web@2"), int(client.recv(100)))

    def test_a_datagram_starts_it_and_a_program_that_ends_well_is_started_by_the_next(self):
        port = free_port()
        s = self.prepare('[jobs.web]\ncommand = ["/usr/bin/python3", "-c", "import socket; s = socket.socket(fileno=3); d, a = '
                         's.recvfrom(100); s.sendto(d.upper(), a)"]\n'
                         f'[[jobs.web.sockets]]\nlisten = "udp:{port}"\non_demand = true\n')
        s.start()
        s.ctl("wait", "--for=ready", "web")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(20)
            for number in range(3):
                client.sendto(b"hello %d" % number, ("127.0.0.1", port))
                self.assertEqual(b"HELLO %d" % number, client.recv(100))
        self.await_true("it listens again", lambda: s.instance("web")["state"] == "listening")
        self.assertEqual(3, s.ctl("history", "web").out.count("something has come"))

    def test_one_that_takes_nothing_and_ends_well_does_not_turn_for_ever(self):
        port = free_port()
        s = self.prepare(f'[jobs.web]\ncommand = ["true"]\n[[jobs.web.sockets]]\nlisten = "{port}"\non_demand = true\n')
        s.start()
        s.ctl("wait", "--for=ready", "web")
        with self.connect(port):
            self.await_true("it pauses", lambda: s.instance("web")["state"] == "backoff")
        self.assertIn("demanded too often (200/2s)", s.run("why", "web").out)
        s.ctl("stop", "web")

    def test_one_that_fails_is_tried_by_its_policy_and_its_clients_wait(self):
        port = free_port()
        s = self.prepared(self.on_demand(port, more='restart_delay = "10ms"\n'))
        s.write("server.py", "import os, sys\nif not os.path.exists('@DIR@/good'): sys.exit(1)\n".replace("@DIR@", s.dir) + SERVER)
        with self.connect(port) as client:
            self.await_true("it has failed", lambda: s.instance("web")["restarts"] >= 2)
            s.write("good", "")
            self.assertTrue(client.recv(100))

    def test_start_is_nothing_to_do_and_restart_ends_the_run(self):
        port = free_port()
        s = self.prepared(self.on_demand(port))
        self.assertIn("listening", s.ctl("start", "web").out)
        with self.connect(port) as client:
            pid = int(client.recv(100))
        s.ctl("restart", "web")
        self.assertTrue(wait_gone(pid))
        self.assertEqual("listening", s.instance("web")["state"])
        with self.connect(port) as client:
            self.assertNotEqual(pid, int(client.recv(100)))


if __name__ == "__main__":
    unittest.main()
