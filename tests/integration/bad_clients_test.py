"""Clients that are broken, greedy, slow or gone: the supervisor answers everyone else and forgets them."""
import os
import resource
import signal
import subprocess
import unittest

from harness import ROOT, IntegrationTest
from processes import GIVES_BACK, PATIENCE, SCALE, Deadline, wait_gone
from wire import Wire, cpu_ticks, open_fds

CONFIG = '[jobs.web]\ncommand = ["sleep", "1000"]\n'
PING = b'{"method":"io.procsupd.Manager.Ping"}\0'
MIB = 1 << 20

MALFORMED = {
    "not JSON": b"hello\0",
    "a JSON value that is no object": b"[1,2]\0",
    "an empty message": b"\0",
    "half an object": b'{"method":\0',
    "no method": b'{"parameters":{}}\0',
    "a method that is no string": b'{"method":7}\0',
    "parameters that are no object": b'{"method":"io.procsupd.Manager.Ping","parameters":[]}\0',
    "text behind the object": b'{"method":"io.procsupd.Manager.Ping"} x\0',
    "invalid UTF-8": b'{"method":"io.procsupd.Manager.Ping\xff"}\0',
    "a lone surrogate": b'{"method":"io.procsupd.Manager.\\ud800"}\0',
    "deep nesting": b'{"method":"io.procsupd.Manager.Ping","parameters":{"a":' + b"[" * MIB + b"]" * MIB + b"}}\0",
    "a mebibyte of brackets": b"[" * MIB + b"\0",
}


class BadClients(IntegrationTest):
    def setUp(self):
        self.s = self.supervise(CONFIG, env=GIVES_BACK)

    def healthy(self):
        self.s.ctl("ping", "--timeout=5s")
        self.assertEqual("running", self.s.instance("web")["state"])

    def test_malformed_messages_end_in_an_error_or_the_connection_only(self):
        for what, message in MALFORMED.items():
            with self.subTest(what), Wire(self.s.socket) as bad, Wire(self.s.socket) as good:
                try:
                    bad.send_raw(message)
                except ConnectionError:
                    pass
                reply = bad.receive()
                self.assertTrue(reply is None or "error" in reply, reply)
                self.assertEqual({}, good.call("io.procsupd.Manager.Ping").get("parameters", {}))
        self.healthy()

    def test_descriptors_that_nobody_can_close_hold_up_nobody(self):
        code = f"""
import sys
sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})
import lingering
from wire import Wire
clients = [Wire({self.s.socket!r}) for _ in range(20)]
kept = [lingering.send(client.socket, {PING!r}) for client in clients]
for client in clients[10:]:
    client.close()
print("sent", flush=True)
for client in clients[:10]:
    print(client.receive().get("error"))
"""
        before = open_fds(self.s.process.pid)
        for user, answer in (({"user": 65534, "group": 65534}, "org.varlink.service.PermissionDenied"), ({}, "None")):
            if user and not ROOT:
                continue
            with self.subTest(user):
                os.kill(self.s.process.pid, signal.SIGSTOP)
                with subprocess.Popen(["/usr/bin/python3", "-c", code], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      text=True, **user) as client:
                    self.assertEqual("sent\n", client.stdout.readline())
                    os.kill(self.s.process.pid, signal.SIGCONT)
                    self.healthy()
                    self.assertEqual([answer] * 10, client.stdout.read().split())
                self.healthy()
        self.await_true("all are closed", lambda: open_fds(self.s.process.pid) <= before)

    def test_a_wrong_call_is_answered_with_the_standard_errors(self):
        with Wire(self.s.socket) as wire:
            for method, parameters, error in (
                    ("io.procsupd.Manager.Nosuch", None, "MethodNotFound"),
                    ("io.nosuch.Ping", None, "InterfaceNotFound"),
                    ("io.procsupd.Manager.Ping", {"nosuch": 1}, "InvalidParameter"),
                    ("io.procsupd.Job.Start", {"names": "web"}, "InvalidParameter"),
                    ("io.procsupd.Job.Start", {"names": [7]}, "InvalidParameter"),
                    ("io.procsupd.Job.Start", {}, "InvalidParameter"),
                    ("io.procsupd.Job.Wait", {"names": ["web"], "for": "lunch"}, "InvalidParameter"),
                    ("io.procsupd.Job.Run", {"command": []}, "InvalidParameter"),
                    ("io.procsupd.Job.Subscribe", {}, "ExpectedMore")):
                with self.subTest(method=method, parameters=parameters):
                    self.assertEqual(f"org.varlink.service.{error}", wire.call(method, parameters)["error"])
            self.assertNotIn("error", wire.call("io.procsupd.Manager.Ping", {}))

    def test_absent_null_and_empty_parameters_are_equal(self):
        with Wire(self.s.socket) as wire:
            for tail in (b"", b',"parameters":null', b',"parameters":{}'):
                wire.send_raw(b'{"method":"io.procsupd.Manager.Status"' + tail + b"}\0")
                self.assertIn("daemon", wire.receive()["parameters"])
            self.assertIn("daemon", wire.call("io.procsupd.Manager.Status", {"names": None})["parameters"])

    def memory(self):
        with open(f"/proc/{self.s.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    def test_a_huge_message_is_refused_and_its_memory_given_back(self):
        before = self.memory()
        with Wire(self.s.socket) as wire:
            chunk = b"x" * MIB
            try:
                wire.send_raw(b'{"method":"')
                for _ in range(64):
                    wire.send_raw(chunk)
                self.fail("64 MiB without an end were taken")
            except (ConnectionError, TimeoutError):
                pass
        self.healthy()
        self.assertLess(self.memory(), before + 12 * MIB)

    def test_a_large_request_is_read_and_its_long_name_refused_but_not_repeated(self):
        with Wire(self.s.socket) as wire:
            reply = wire.call("io.procsupd.Job.Why", {"name": "x" * MIB})
            self.assertEqual("org.varlink.service.InvalidParameter", reply["error"])
            self.assertLess(len(str(reply)), 1000)

    def test_a_message_that_comes_byte_by_byte_is_answered(self):
        with Wire(self.s.socket) as wire:
            for i in range(len(PING)):
                wire.send_raw(PING[i:i + 1])
            self.assertNotIn("error", wire.receive())

    def test_pipelined_calls_are_answered_in_order(self):
        with Wire(self.s.socket) as wire:
            names = [f"name-{i}" for i in range(500)]
            for name in names:
                wire.send("io.procsupd.Job.Why", {"name": name})
            self.assertEqual(names, [wire.receive()["parameters"]["name"] for _ in names])
            wire.send("io.procsupd.Job.Restart", {"names": ["web"]})
            wire.send("io.procsupd.Manager.Ping")
            self.assertIn("outcomes", wire.receive()["parameters"])
            self.assertNotIn("error", wire.receive())

    def test_a_oneway_call_is_not_answered(self):
        with Wire(self.s.socket) as wire:
            wire.send("io.procsupd.Manager.Ping", oneway=True)
            wire.send("io.procsupd.Manager.Nosuch", oneway=True)
            self.assertIn("daemon", wire.call("io.procsupd.Manager.Status")["parameters"])

    def test_a_half_closed_client_is_still_answered_and_costs_nothing(self):
        with Wire(self.s.socket) as wire:
            wire.send("io.procsupd.Manager.Status")
            wire.send("io.procsupd.Job.Why", {"name": "web"})
            wire.half_close()
            self.assertIn("daemon", wire.receive()["parameters"])
            self.assertEqual("web", wire.receive()["parameters"]["name"])
            self.assertIsNone(wire.receive())
        with Wire(self.s.socket) as wire:
            wire.send("io.procsupd.Job.Wait", {"names": ["web"], "for": "stopped"})
            wire.half_close()
            before = cpu_ticks(self.s.process.pid)
            self.assertEqual([], Deadline().readable(wire.socket.fileno(), pause=0.5))
            self.assertLessEqual(cpu_ticks(self.s.process.pid) - before, 5)
            self.s.ctl("stop", "web")
            self.assertEqual("stopped", wire.receive()["parameters"]["outcomes"][0]["state"])

    def test_socat_and_printf_are_a_client(self):
        done = subprocess.run(["socat", "-", f"UNIX-CONNECT:{self.s.socket}"], input=PING, capture_output=True,
                              timeout=PATIENCE, check=True)
        self.assertTrue(done.stdout.endswith(b"\0"))

    def test_two_thousand_idle_clients_do_not_keep_status_waiting(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 4096:
            self.skipTest("the hard limit of open files is below 4,096")
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        # What a shell or systemd gives a daemon; to serve more is its own affair.
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
        self.s = self.supervise(CONFIG)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
        before = open_fds(self.s.process.pid)
        clients = [Wire(self.s.socket) for _ in range(2000)]
        try:
            taken = clients[0]
            deadline, seen = Deadline(), 0
            while seen < 2000:
                self.assertGreater(deadline.left(), 0, f"{seen} clients were taken or refused")
                daemon = taken.call("io.procsupd.Manager.Status")["parameters"]["daemon"]
                seen = daemon["clients"] + daemon["clientsRefused"]
            if ROOT:  # any other uid may hold 1,024 connections, and these are its own
                self.assertEqual((2000, 0), (daemon["clients"], daemon["clientsRefused"]))
                self.s.ctl("status", "--timeout=5s")
        finally:
            for client in clients:
                client.close()
        self.s.ctl("status", "--timeout=5s")
        deadline = Deadline()
        with Wire(self.s.socket) as wire:
            while open_fds(self.s.process.pid) > before + 2 and deadline.left():
                wire.call("io.procsupd.Manager.Ping")
        self.assertLessEqual(open_fds(self.s.process.pid), before + 2)

    def test_who_leaves_midway_loses_nothing_but_the_answer(self):
        self.s.ctl("stop", "web")
        for method, parameters in (("Start", {"names": ["web"]}), ("Wait", {"names": ["web"], "for": "stopped"}),
                                   ("Restart", {"names": ["web"]})):
            with self.subTest(method):
                wire = Wire(self.s.socket)
                wire.send("io.procsupd.Job." + method, parameters)
                wire.close()
                self.s.ctl("wait", "web")
        self.s.ctl("start", "web")
        self.healthy()

    def test_who_leaves_midway_in_a_run_takes_it_along(self):
        wire = Wire(self.s.socket)
        wire.send("io.procsupd.Job.Run", {"command": ["sleep", "1000"], "name": "tied"}, more=True)
        pid = wire.receive()["parameters"]["pid"]
        wire.close()
        self.assertTrue(wait_gone(pid))
        leaver = Wire(self.s.socket)
        leaver.send("io.procsupd.Job.Run", {"command": ["sleep", "1000"]}, more=True)
        leaver.close()
        with Wire(self.s.socket) as good:  # accepted behind the leaver, who is dealt with when no other is counted
            deadline = Deadline()
            while deadline.left() and (len(self.s.job_processes()) > 1 or
                                       good.call("io.procsupd.Manager.Status")["parameters"]["daemon"]["clients"] > 1):
                pass
        self.assertEqual([self.s.pid_of("web")], self.s.job_processes())

    def test_a_half_sent_message_is_no_order(self):
        with Wire(self.s.socket) as wire:
            wire.send_raw(b'{"method":"io.procsupd.Job.Stop","parameters":{"names":["web"]}}')
        self.healthy()


class SlowReader(IntegrationTest):
    def overflow(self):
        """A subscriber who has not read what is far more than his buffer; the supervisor, and the last sequence."""
        self.name = "x" * 60
        s = self.supervise(f'[jobs.{self.name}]\ncommand = ["/nonexistent/{"y" * 900}"]\nrestart = "no"\n'
                           'instances = 100\nenabled = false\n[defaults.log]\nstderr = "null"\n')
        wire = Wire(s.socket)
        self.addCleanup(wire.close)
        wire.send("io.procsupd.Job.Subscribe", more=True)
        snapshot = wire.receive()["parameters"]["snapshot"]
        for _ in range(15):
            s.ctl("start", self.name, "--no-wait")
            s.ctl("wait", "--for=stopped", self.name)
        s.ctl("ping", "--timeout=5s")
        return s, wire, snapshot["sequence"]

    def read_until(self, wire, sequence, last):
        """Reads everything behind `sequence` up to `last`; how much of it was lost."""
        lost = 0
        while sequence < last:
            reply = wire.receive(5 * SCALE)["parameters"]
            if reply.get("lost"):
                lost += reply["lost"]
                sequence += reply["lost"]
            else:
                sequence += 1
                self.assertEqual(sequence, reply["event"]["sequence"])
        return lost

    def last_sequence(self, s):
        return s.ctl("events", "--json").json["snapshot"]["sequence"]

    def test_a_subscriber_who_has_caught_up_is_told_of_his_loss_although_nothing_happens(self):
        s, wire, sequence = self.overflow()
        self.assertGreater(self.read_until(wire, sequence, self.last_sequence(s)), 0)


class Service(IntegrationTest):
    def test_the_service_describes_itself(self):
        s = self.supervise(CONFIG)
        with Wire(s.socket) as wire:
            info = wire.call("org.varlink.service.GetInfo")["parameters"]
            self.assertEqual({"vendor", "product", "version", "url", "interfaces"}, set(info))
            self.assertEqual(["io.procsupd.Job", "io.procsupd.Log", "io.procsupd.Manager", "org.varlink.service"],
                             sorted(info["interfaces"]))
            for interface in info["interfaces"]:
                reply = wire.call("org.varlink.service.GetInterfaceDescription", {"interface": interface})
                self.assertIn(f"interface {interface}\n", reply["parameters"]["description"])
            reply = wire.call("org.varlink.service.GetInterfaceDescription", {"interface": "io.nosuch"})
            self.assertEqual("org.varlink.service.InterfaceNotFound", reply["error"])

    def test_each_interface_has_a_link_to_the_socket(self):
        s = self.supervise(CONFIG)
        for interface in ("io.procsupd.Manager", "io.procsupd.Job"):
            with Wire(os.path.join(s.runtime, interface)) as wire:
                self.assertNotIn("error", wire.call("io.procsupd.Manager.Ping"))

    def test_who_is_knows_processes_of_jobs(self):
        s = self.prepare('[jobs.web]\nshell = "sleep 1000 & echo $!; wait"\ninstances = 2\n[jobs.web.log]\n'
                         'stdout = "@DIR@/${job:instance}"\n')
        out = s.fifo("web@1")
        s.start().settle()
        child = int(out.next())
        with Wire(s.socket) as wire:
            main = s.pid_of("web@1")
            self.assertEqual({"instance": "web@1", "job": "web", "main": True},
                             wire.call("io.procsupd.Manager.WhoIs", {"pid": main})["parameters"])
            self.assertEqual({"instance": "web@1", "job": "web", "main": False},
                             wire.call("io.procsupd.Manager.WhoIs", {"pid": child})["parameters"])
            self.assertIsNone(wire.call("io.procsupd.Manager.WhoIs", {"pid": os.getpid()})["parameters"]["job"])

    def test_a_stopped_daemon_does_not_lose_calls(self):
        s = self.supervise(CONFIG)
        with Wire(s.socket) as wire:
            s.process.send_signal(signal.SIGSTOP)
            wire.send("io.procsupd.Manager.Ping")
            s.process.send_signal(signal.SIGCONT)
            self.assertNotIn("error", wire.receive())


if __name__ == "__main__":
    unittest.main()
