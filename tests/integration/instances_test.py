"""Several instances of a job: more and fewer of them."""
import contextlib
import os
import socket
import unittest

from harness import IntegrationTest
from processes import PATIENCE, free_port

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/instances.toml")
SLEEPER = 'shell = "exec sleep infinity"\n'


def free_ports(count):
    """The first of so many ports in a row."""
    while True:
        first = free_port()
        with contextlib.suppress(OSError, OverflowError), contextlib.ExitStack() as stack:
            for port in range(first + 1, first + count):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first


def answers(port):
    """Whether a redis serves there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as peer:
            peer.sendall(b"PING\r\n")
            return peer.recv(64) == b"+PONG\r\n"
    except OSError:
        return False


class Instances(IntegrationTest):
    def names(self, s, *jobs):
        return sorted(s.instances(*jobs))

    def pids(self, s, *jobs):
        return {name: one["pid"] for name, one in s.instances(*jobs).items()}

    def example(self):
        self.first = free_ports(16)
        with open(EXAMPLE, encoding="utf-8") as file:
            text = file.read().replace("17000", str(self.first)).replace("17100", str(self.first + 8))
        s = self.supervise(text)
        s.ctl("wait", "--for=ready", "--all")
        return s


class TheExample(Instances):
    def test_has_the_instances_and_ports_that_it_names(self):
        s = self.example()
        self.assertEqual(["cache@0", "cache@1", "cache@2", "region@eu", "region@us", "web"], self.names(s))
        self.assertTrue(all(answers(self.first + index) for index in range(3)))

    def test_is_scaled_up_and_down_while_the_others_serve(self):
        s = self.example()
        before = self.pids(s, "cache")
        up = s.ctl("scale", "cache", "5")
        self.assertRegex(up.out, r"^cache@3: running \(pid \d+\)\ncache@4: running \(pid \d+\)\ncache: 5 instances\n$")
        self.assertTrue(all(answers(self.first + index) for index in range(5)))
        self.assertIn("5 instances (file says 3)", s.ctl("status").out)
        self.assertIn("file_instances = 3", s.ctl("show", "cache").out)
        down = s.ctl("scale", "cache", "2")
        self.assertIn("cache@4: stopped\n", down.out)
        self.assertEqual(["cache@0", "cache@1"], self.names(s, "cache"))
        self.assertEqual([before["cache@0"], before["cache@1"]], list(self.pids(s, "cache").values()))
        self.assertFalse(answers(self.first + 2))

    def test_a_single_instance_runs_on_when_others_come(self):
        s = self.example()
        before = s.pid_of("web")
        s.ctl("scale", "web", "3")
        self.assertEqual(["web", "web@1", "web@2"], self.names(s, "web"))
        self.assertEqual({"web": before}, self.pids(s, "web@0"))
        for index in range(3):
            socket.create_connection(("127.0.0.1", self.first + 8 + index), timeout=PATIENCE).close()
        s.ctl("scale", "web", "1")
        self.assertEqual({"web": before}, self.pids(s, "web"))

    def test_names_cannot_be_scaled(self):
        s = self.example()
        refused = s.ctl("scale", "region", "3", expect=1)
        self.assertEqual("error: cannot scale 'region': its instances have names (eu, us), and only its file can say which there "
                         "are\n", refused.err)
        self.assertIn("did you mean 'region'?", s.ctl("scale", "regoin", "3", expect=5).err)


class Scale(Instances):
    def test_holds_until_the_file_says_another_number(self):
        text = "[jobs.web]\n" + SLEEPER
        s = self.supervise(text + "instances = 2\n")
        s.ctl("scale", "web", "4")
        s.configure(text + 'instances = 2\ndescription = "changed"\n')
        s.ctl("reload")
        self.assertEqual(4, len(self.names(s)))
        s.configure(text + "instances = 3\n")
        s.ctl("reload")
        self.await_true("web@3 is gone", lambda: self.names(s) == ["web@0", "web@1", "web@2"])
        self.assertNotIn("file says", s.ctl("status").out)

    def test_of_a_stopped_job_starts_nothing(self):
        s = self.supervise("[jobs.web]\n" + SLEEPER + "instances = 2\nenabled = false\n")
        self.assertEqual("web@2: stopped\nweb: 3 instances\n", s.ctl("scale", "web", "3").out)
        s.ctl("start", "web")
        self.assertEqual({"running"}, {one["state"] for one in s.instances().values()})

    def test_down_is_no_stop_that_is_remembered(self):
        text = "[jobs.web]\n" + SLEEPER + 'instances = 3\nrestart = "unless-stopped"\n'
        s = self.supervise(text)
        s.ctl("scale", "web", "1")
        s.process.terminate()
        s.wait_end()
        s.start().settle()
        self.assertEqual({"running"}, {one["state"] for one in s.instances().values()})
        self.assertEqual(3, len(s.instances()))


if __name__ == "__main__":
    unittest.main()
