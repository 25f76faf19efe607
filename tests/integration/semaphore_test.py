"""Semaphores and events between processes."""
import os
import signal
import subprocess
import unittest

from coordinating import Coordinating


class Semaphores(Coordinating):
    verb = "sem"
    subject = "Semaphore"

    def make(self, client, name, permits, **parameters):
        return self.call(client, "Make", name, permits=permits, **parameters)

    def free(self, name):
        return self.listed()[name]["free"]

    def command(self, name, *words):
        """One that has permits until its input ends."""
        before = len(self.holders(name)) if name in self.listed() else 0
        process = self.background("sem", "acquire", name, *words, "--", "cat", stdin=subprocess.PIPE)
        self.await_true("it has them", lambda: len(self.holders(name)) == before + 1)
        return process

    def test_let_so_many_commands_run(self):
        first = self.command("gpu", "--permits", "2")
        second = self.command("gpu")
        self.assertEqual((0, 2), (self.free("gpu"), self.listed()["gpu"]["permits"]))
        refused = self.s.ctl("sem", "acquire", "-n", "gpu", "--", "true", expect=124)
        self.assertIn("'gpu' is held by pid ", refused.err)
        third = self.background("sem", "acquire", "gpu", "--", "sh", "-c", "exit 7")
        self.await_true("it waits", lambda: self.waiters("gpu") == 1)
        first.communicate()
        self.assertEqual(7, self.end(third)[0])
        second.communicate()
        self.await_true("all are back", lambda: self.free("gpu") == 2)

    def test_get_the_permits_of_the_dead_back(self):
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as holder:
            self.s.ctl("sem", "acquire", "gpu", "--permits", "3", "--count", "3", "--pid", str(holder.pid))
            waits = self.background("sem", "acquire", "gpu", "--count", "2", "--", "true")
            self.await_true("it waits", lambda: self.waiters("gpu") == 1)
            holder.send_signal(signal.SIGKILL)
            self.assertEqual((0, "", ""), self.end(waits), "nobody is told that permits were abandoned")
        self.await_true("all are back", lambda: self.free("gpu") == 3)

    def test_are_made_once(self):
        client = self.client()
        self.assertEqual({"made": True}, self.make(client, "gpu", 2)["parameters"])
        self.assertEqual({"made": False}, self.make(client, "gpu", 2)["parameters"])
        self.assertEqual("io.procsupd.Semaphore.Differs", self.make(client, "gpu", 3)["error"])
        self.assertEqual("io.procsupd.Semaphore.Differs", self.make(client, "gpu", 2, releasable="beyond")["error"])
        self.assertEqual("org.varlink.service.InvalidParameter", self.make(client, "gpu", -1)["error"])
        self.assertEqual("org.varlink.service.InvalidParameter", self.make(client, "gpu", 1, releasable="never")["error"])
        self.assertEqual("io.procsupd.Semaphore.NoSuchSemaphore", self.acquire(client, "cpu")["error"])

    def test_are_released_by_who_may(self):
        holder, other = self.client(), self.client()
        for releasable in ("byHolder", "byAnybody", "beyond"):
            self.make(holder, releasable, 1, releasable=releasable)
            self.acquire(holder, releasable)
        self.assertEqual("io.procsupd.Semaphore.NotHeld", self.call(other, "Release", "byHolder")["error"])
        self.assertEqual({"free": 1}, self.call(other, "Release", "byAnybody")["parameters"])
        self.assertEqual("io.procsupd.Semaphore.NotHeld", self.call(other, "Release", "byAnybody")["error"])
        self.assertEqual({"free": 1}, self.call(other, "Release", "beyond")["parameters"])
        self.assertEqual({"free": 2}, self.call(other, "Release", "beyond")["parameters"])

    def test_refuse_more_than_there_will_ever_be(self):
        client = self.client()
        self.make(client, "gpu", 2)
        self.assertEqual("io.procsupd.Semaphore.TooMany", self.acquire(client, "gpu", count=3)["error"])
        self.assertEqual("org.varlink.service.InvalidParameter", self.acquire(client, "gpu", count=0)["error"])

    def test_are_a_knot_when_all_holders_wait(self):
        a, b = self.client(), self.client()
        for name in ("left", "right"):
            self.make(a, name, 1)
        self.acquire(a, "left")
        self.acquire(b, "right")
        a.send("io.procsupd.Semaphore.Acquire", {"name": "right"})
        self.await_true("it waits", lambda: self.waiters("right") == 1)
        knot = self.acquire(b, "left")
        self.assertEqual("io.procsupd.Semaphore.Deadlock", knot["error"])
        self.assertEqual({("semaphore", "left"), ("semaphore", "right")},
                         {(step["kind"], step["name"]) for step in knot["parameters"]["cycle"]})

    def test_that_are_removed_are_waited_for_no_longer(self):
        a, b = self.client(), self.client()
        self.make(a, "gpu", 1)
        self.acquire(a, "gpu")
        b.send("io.procsupd.Semaphore.Acquire", {"name": "gpu"})
        self.await_true("it waits", lambda: self.waiters("gpu") == 1)
        self.s.ctl("sem", "rm", "gpu")
        self.assertEqual("io.procsupd.Semaphore.NoSuchSemaphore", b.receive()["error"])

    def test_are_shown(self):
        self.assertEqual("there are no semaphores\n", self.s.ctl("sem", "ls").out)
        holder = self.command("gpu", "--permits", "3", "--count", "2")
        self.background("sem", "acquire", "gpu", "--count", "2", "--", "true")
        self.await_true("it waits", lambda: self.waiters("gpu") == 1)
        self.assertRegex(self.s.ctl("sem", "ls").out,
                         r"SEMAPHORE +FREE +HOLDER +FOR +BOUND TO +WAITS\n"
                         r"gpu +1 of 3 +pid \d+, 2 permits +\ds +process +pid \d+, 2 permits for \ds\n")
        holder.communicate()

    def test_of_three_desks_serve_three_at_a_time(self):
        self.example("desks.toml", "office", "visitor")
        self.s.ctl("wait", "visitor")
        with open(self.s.path("desks.procsup"), encoding="ascii") as file:
            steps = file.read().split()
        inside, most = 0, 0
        for step in steps:
            inside += 1 if step == "comes" else -1
            most = max(most, inside)
        self.assertEqual((20, 3, 0), (len(steps), most, inside))

    def test_of_ten_phones_have_ten_winners_of_a_hundred(self):
        self.example("phones.toml", "shop", "buyer")
        said = self.said("buyer", 100)
        self.assertEqual(10, len([line for line in said if line.startswith("has phone")]))
        self.assertEqual(90, len([line for line in said if line == "comes too late"]))
        self.assertEqual(10, len(self.holders("phones")))
        order = [int(line.split()[-1]) for line in said if line.startswith("has phone")]
        self.assertEqual(10, len(set(order)), "each has a number of its own")
        self.s.ctl("event", "set", "closing")
        self.await_true("all have gone home", lambda: self.free("phones") == 10)


class Events(Coordinating):
    verb = "event"
    subject = "Event"

    def test_let_all_go_on_who_wait(self):
        waiting = [self.background("event", "wait", "ready") for _ in range(3)]
        self.await_true("they wait", lambda: self.waiters("ready") == 3)
        self.s.ctl("event", "wait", "-n", "ready", expect=124)
        self.s.ctl("event", "set", "ready")
        self.assertEqual([(0, "", "")] * 3, [self.end(process) for process in waiting])
        self.s.ctl("event", "wait", "ready")
        self.s.ctl("event", "clear", "ready")
        self.assertEqual({}, self.listed())

    def test_are_not_waited_for_longer_than_asked(self):
        late = self.s.ctl("event", "wait", "-w", "10ms", "ready", expect=124)
        self.assertEqual("error: 'ready' was not set in time\n", late.err)
        self.assertEqual({}, self.listed())

    def test_stay_set_when_who_has_set_them_ends(self):
        client = self.client()
        self.call(client, "Set", "ready")
        client.close()
        self.assertTrue(self.listed()["ready"]["set"])

    def test_are_not_waited_for_by_the_dead(self):
        waiting = self.background("event", "wait", "ready")
        self.await_true("it waits", lambda: self.waiters("ready") == 1)
        os.kill(waiting.pid, signal.SIGKILL)
        self.await_true("it does not any more", lambda: self.listed() == {})

    def test_are_shown(self):
        self.assertEqual("no event is set or waited for\n", self.s.ctl("event", "ls").out)
        self.background("event", "wait", "ready")
        self.await_true("it waits", lambda: self.waiters("ready") == 1)
        self.s.ctl("event", "set", "open")
        self.assertRegex(self.s.ctl("event", "ls").out,
                         r"EVENT +STATE +FOR +WAITS\nopen +set +\ds +-\nready +clear +- +pid \d+ for \ds\n")
        self.assertRegex(self.s.ctl("event", "ls", "never").out, r"never +clear +- +-\n")
        self.s.ctl("event", "set", "ready")

    def test_start_a_race(self):
        self.example("race.toml", "runner", "starter")
        self.assertEqual(["runs"] * 3, self.said("runner", 3))


if __name__ == "__main__":
    unittest.main()
