"""Several instances of a job: more and fewer of them, a restart one by one, and replacement after max_lifetime."""
import os
import signal
import socket
import subprocess
import threading
import unittest

from harness import IntegrationTest
from processes import PATIENCE, free_ports

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/instances.toml")
SLEEPER = 'shell = "exec sleep infinity"\n'


def answers(port):
    """Whether a redis serves there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as peer:
            peer.sendall(b"PING\r\n")
            return peer.recv(64) == b"+PONG\r\n"
    except OSError:
        return False


class Poller(threading.Thread):
    """Asks all ports, again and again without a pause, until it is told to end. `both_down` are two that did not answer at the
    same time: the first of them did not after the second did not either."""

    def __init__(self, ports):
        super().__init__()
        self.ports, self.rounds, self.seen_down, self.both_down = ports, 0, set(), None
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            down = [port for port in self.ports if not answers(port)]
            self.seen_down.update(down)
            if len(down) > 1 and not answers(down[0]):
                self.both_down = self.both_down or down
            self.rounds += 1

    def end(self):
        self.over.set()
        self.join()
        return self


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
        self.assertIn("\n   scaled: 5 instances by scale; the file of cache says 3\n", s.ctl("status", "cache@1").out)
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

    def test_is_restarted_one_by_one_while_all_but_one_answer(self):
        s = self.example()
        before = self.pids(s, "cache")
        poller = Poller([self.first + index for index in range(3)])
        rolled = s.ctl("restart", "--rolling", "cache")
        poller.end()
        self.assertIsNone(poller.both_down)
        self.assertRegex(rolled.out, r"^cache@0: running \(pid \d+\)\ncache@1: running .*\ncache@2: running .*\n$")
        after = self.pids(s, "cache")
        self.assertFalse(set(before.values()) & set(after.values()))
        self.assertGreater(poller.rounds, 3)

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


class RollingRestart(Instances):
    # Ready when the test says so, by a line in the FIFO "gate".
    GATED = '[jobs.web]\ninstances = 3\nready.fd = 3\nshell = "read x < @DIR@/gate; echo up >&3; exec sleep infinity"\n'

    def gated(self):
        s = self.prepare(self.GATED)
        gate = s.fifo("gate")
        s.start()
        self.let(gate, 3)
        s.ctl("wait", "web")
        return s, gate

    def let(self, gate, count):
        os.write(gate.fd, b"\n" * count)

    def test_ends_with_the_first_instance_that_does_not_come_up(self):
        s = self.supervise('[jobs.web]\ninstances = 3\nrestart = "no"\n'
                           'shell = "test -e @DIR@/broken && exit 3; exec sleep infinity"\n')
        s.ctl("wait", "web")
        before = self.pids(s)
        s.write("broken", "")
        rolled = s.ctl("restart", "--rolling", "web", expect=1)
        self.assertEqual("error: the rolling restart has ended: web@0: it has ended: exit 3; not restarted: web@1, web@2\n"
                         "hint: procsupctl why web\n", rolled.err)
        after = self.pids(s)
        self.assertEqual(("failed", before["web@1"], before["web@2"]),
                         (s.instance("web@0")["state"], after["web@1"], after["web@2"]))

    def test_is_refused_while_one_is_under_way_and_ends_when_somebody_stops_the_instance(self):
        s, _ = self.gated()
        events = s.events()
        rolling = s.popen("restart", "--rolling", "web", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        events.until("web@0", "running")
        self.assertEqual("error: cannot restart 'web' one by one: that is already under way\n",
                         s.ctl("restart", "--rolling", "web", expect=1).err)
        s.ctl("stop", "web@0")
        _, told = rolling.communicate(timeout=PATIENCE)
        rolling.stderr.close()
        self.assertEqual(1, rolling.returncode)
        self.assertRegex(told.decode(), r"web@0: it was told to stop: stop asked by uid \d+ .*; not restarted: web@1, web@2\n")
        events.close()

    def test_goes_on_when_procsupctl_has_gone(self):
        s, gate = self.gated()
        before = self.pids(s)
        events = s.events()
        rolling = s.popen("restart", "--rolling", "web")
        events.until("web@0", "stopping")
        rolling.send_signal(signal.SIGKILL)
        rolling.wait(PATIENCE)
        self.let(gate, 3)
        events.until("web@2", "stopping")
        events.until("web@2", "running")
        self.assertFalse(set(before.values()) & set(self.pids(s).values()))
        events.close()

    def test_ends_with_procsupd(self):
        s, _ = self.gated()
        events = s.events()
        rolling = s.popen("restart", "--rolling", "web", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        events.until("web@0", "running")
        s.process.terminate()
        _, told = rolling.communicate(timeout=PATIENCE)
        rolling.stderr.close()
        self.assertIn("the rolling restart has ended: procsupd is ending", told.decode())
        s.wait_end()

    def test_of_one_instance_is_a_restart_with_a_note(self):
        s = self.supervise("[jobs.web]\n" + SLEEPER + 'min_uptime = "10ms"\n')
        before = s.pid_of("web")
        told = s.ctl("restart", "--rolling", "web").out
        self.assertEqual(f"web: running (pid {s.pid_of('web')})\n"
                         "web has one instance: while it was restarted there was none\n", told)
        self.assertNotEqual(before, s.pid_of("web"))


class MaxLifetime(Instances):
    def test_replaces_the_instances_one_at_a_time(self):
        s = self.supervise("[jobs.web]\n" + SLEEPER + "instances = 3\nmin_uptime = '50ms'\nstart_limit = '1/1min'\n"
                           "max_lifetime = '300ms'\nmax_lifetime_variance = 0.5\n")
        events = s.events()
        state = {one["name"]: one["state"] for one in events.snapshot["instances"]}
        replaced = set()
        while len(replaced) < 3 or set(state.values()) != {"running"}:
            event = events.next()
            state[event["name"]] = event["to"]
            self.assertGreaterEqual(list(state.values()).count("running"), 2, events.seen)
            if event["to"] == "stopping":
                self.assertEqual("max_lifetime (300ms) reached", event["cause"])
                replaced.add(event["name"])
        self.assertEqual({0}, {one["restarts"] for one in s.instances().values()})
        events.close()

    def test_is_refused_for_a_oneshot(self):
        s = self.prepare('[jobs.once]\ntype = "oneshot"\nshell = "true"\nmax_lifetime = "1h"\n')
        told = s.ctl("check", s.config, expect=6)
        self.assertIn("procsup.toml:4:1: error: 'max_lifetime' is not for a oneshot, which ends by itself: 'run_timeout' bounds "
                      "its run", told.out + told.err)


if __name__ == "__main__":
    unittest.main()
