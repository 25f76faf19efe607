"""Locks between processes: held by whom, passed on to whom, whatever becomes of them."""
import contextlib
import os
import signal
import socket
import struct
import subprocess
import unittest

from coordinating import Coordinating
from harness import PROCSUPCTL, ROOT
from init_process import children
from processes import wait_gone
from wire import Wire

LOCK = "io.procsupd.Lock."


class Locking(Coordinating):
    verb = "lock"
    subject = "Lock"

    def ask(self, client, name, **parameters):
        """Begins to wait."""
        before = self.waiters(name)
        client.send(LOCK + "Acquire", {"name": name, **parameters})
        self.await_true("it waits", lambda: self.waiters(name) == before + 1)

    def lock(self, *words, **arguments):
        return self.background("lock", *words, **arguments)

    def begin(self, name, *words):
        """One that has the lock, and the pid of its command."""
        process = self.lock(*words, name, "--", "sleep", "1000")
        self.await_true("it has the lock", lambda: set(self.holders(name)) & set(children(process.pid)))
        command = children(process.pid)[0]
        self.addCleanup(self.kill, command)
        return process, command

    def kill(self, command):
        """It outlives procsupctl."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(command, signal.SIGKILL)


class Commands(Locking):
    def test_run_one_after_the_other(self):
        first = self.lock("printer", "--", "/bin/sh", "-c", f"read word < {self.s.fifo('go').path}; echo first")
        self.await_true("it has the lock", lambda: self.holders("printer"))
        second = self.lock("printer", "--", "echo", "second")
        self.await_true("it waits", lambda: self.waiters("printer") == 1)
        with open(self.s.path("go"), "w", encoding="ascii") as go:
            go.write("\n")
        self.assertEqual([(0, "first\n", ""), (0, "second\n", "")], [self.end(first), self.end(second)])
        self.assertEqual({}, self.listed(), "a command that has ended by itself abandons nothing")

    def test_end_as_they_end(self):
        ends = {("exit 3",): 3, ("kill -TERM $$",): 128 + signal.SIGTERM}
        for command, code in ends.items():
            self.s.ctl("lock", "-q", "a", "--", "/bin/sh", "-c", *command, expect=code)
        self.assertIn("No such file", self.s.ctl("lock", "-q", "b", "--", "/nonexistent", expect=127).err)
        self.s.ctl("lock", "-q", "b", "--", "/etc/passwd", expect=126)
        self.s.ctl("lock", "a", expect=2)

    def test_are_told_of_their_token_which_grows(self):
        tokens = [int(self.s.ctl("lock", "a", "--", "/bin/sh", "-c", "echo $PROCSUPD_FENCING_TOKEN").out) for _ in range(3)]
        self.assertEqual(sorted(set(tokens)), tokens)

    def test_of_one_that_was_killed_the_next_is_told(self):
        process, command = self.begin("a")
        waits = self.lock("a", "--", "/bin/sh", "-c", "echo $PROCSUPD_ABANDONED_BY")
        self.await_true("it waits", lambda: self.waiters("a") == 1)
        os.kill(command, signal.SIGKILL)
        self.assertEqual(128 + signal.SIGKILL, self.end(process)[0])
        code, out, err = self.end(waits)
        self.assertEqual((0, f"sleep (pid {command})\n"), (code, out))
        self.assertIn("warning: a was abandoned by sleep", err)
        self.assertEqual("", self.s.ctl("lock", "a", "--", "true").err, "it has been seen to")

    def test_keep_the_lock_when_procsupctl_is_killed(self):
        process, command = self.begin("a")
        process.kill()
        process.wait()
        self.assertIn(f"held by pid {command}", self.s.ctl("lock", "-n", "a", "--", "true", expect=124).err)
        os.kill(command, signal.SIGKILL)
        self.s.ctl("lock", "-q", "a", "--", "true")

    def test_are_not_begun_when_procsupctl_is_killed_before(self):
        self.begin("a")
        waits = self.lock("a", "--", "touch", self.s.path("begun"))
        self.await_true("it waits", lambda: self.waiters("a") == 1)
        (command,) = children(waits.pid)
        waits.kill()
        waits.wait()
        self.assertTrue(wait_gone(command))
        self.await_true("nobody waits", lambda: self.waiters("a") == 0)
        self.assertFalse(os.path.exists(self.s.path("begun")))

    def test_that_are_killed_before_they_begin_do_not_wait(self):
        self.begin("a")
        waits = self.lock("a", "--", "true")
        self.await_true("it waits", lambda: self.waiters("a") == 1)
        os.kill(children(waits.pid)[0], signal.SIGKILL)
        self.assertEqual(128 + signal.SIGKILL, self.end(waits)[0])
        self.assertEqual(0, self.waiters("a"))

    @unittest.skipUnless(ROOT, "needs root, for a PID namespace")
    def test_of_another_container_have_locks_too(self):
        self.begin("a")
        apart = ["unshare", "--pid", "--fork", "--mount-proc"]
        code = ("import sys; sys.path.insert(0, sys.argv[1]); from wire import Wire; "
                f"print(Wire(sys.argv[2]).call('{LOCK}Acquire', {{'name': 'b', 'pid': 1}}))")
        reply = subprocess.run([*apart, "python3", "-c", code, os.path.dirname(__file__), self.s.path("run", "io.procsupd.Lock")],
                               stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertIn("numbered otherwise", reply)
        told = subprocess.run([*apart, PROCSUPCTL, "lock", "-n", "a", "--", "true"], env=self.s.ctl_env(),
                              stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((124, True), (told.returncode, "is held by" in told.stderr))
        subprocess.run([*apart, PROCSUPCTL, "lock", "-n", "b", "--", "true"], env=self.s.ctl_env(), check=True)
        self.assertEqual({"a"}, set(self.listed()))

    def test_have_a_status_also_where_children_are_ignored(self):
        ignoring = ["env", "--ignore-signal=CHLD", PROCSUPCTL, "lock", "a", "--", "/bin/sh", "-c", "exit 3"]
        self.assertEqual(3, subprocess.run(ignoring, env=self.s.ctl_env(), check=False).returncode)

    def test_end_beside_a_broker_that_stands_still(self):
        process, command = self.begin("a")
        with open(self.s.path("run", "procsupd.lock"), encoding="ascii") as file:
            (broker,) = [pid for pid in children(int(file.read()))
                         if os.readlink(f"/proc/{pid}/exe").endswith("procsup-broker")]
        os.kill(broker, signal.SIGSTOP)
        self.addCleanup(os.kill, broker, signal.SIGCONT)
        os.kill(command, signal.SIGTERM)
        self.assertEqual(128 + signal.SIGTERM, self.end(process)[0])

    def test_get_the_signals_of_procsupctl(self):
        process, _ = self.begin("a")
        process.terminate()
        self.assertEqual(128 + signal.SIGTERM, self.end(process)[0])

    def test_give_up_in_time(self):
        self.begin("a")
        self.assertIn("not to be had in time", self.s.ctl("lock", "-w", "10ms", "a", "--", "true", expect=124).err)
        self.assertIn("is held by", self.s.ctl("lock", "--try", "a", "--", "true", expect=124).err)
        self.s.ctl("lock", "-n", "-w", "1s", "a", "--", "true", expect=2)

    def test_share_a_lock_with_those_who_share_it(self):
        self.begin("a", "--shared")
        self.begin("a", "--shared")
        self.s.ctl("lock", "--shared", "-n", "a", "--", "true")
        self.s.ctl("lock", "-n", "a", "--", "true", expect=124)
        self.assertEqual(2, self.s.ctl("lock", "ls").out.count(", shared"))

    def test_of_a_shell_have_locks_until_it_ends(self):
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
            pid = str(other.pid)
            self.assertEqual(0, self.s.ctl("lock", "work", "--pid", pid).code)
            self.assertEqual([other.pid], self.holders("work"))
            self.s.ctl("lock", "work", "-n", "--", "true", expect=124)
            self.s.ctl("lock", "release", "work", "--pid", pid)
            self.assertEqual([], self.holders("work"))
            refused = self.s.ctl("lock", "release", "work", "--pid", pid, expect=1)
            self.assertEqual("error: 'work' is not held by who releases it", refused.err.splitlines()[0])
            self.s.ctl("lock", "work", "--pid", pid)
            other.stdin.close()
        self.await_true("its end has released it", lambda: self.holders("work") == [])

    def test_lose_a_lock_that_is_broken(self):
        _, command = self.begin("a")
        self.s.ctl("lock", "break", "a")
        self.assertIn(f"abandoned by procsupctl (pid {command})", self.s.ctl("lock", "ls").out)
        self.s.ctl("lock", "break", "a")
        self.assertEqual("nobody holds a lock or waits for one\n", self.s.ctl("lock", "ls").out)
        self.assertIn("nobody holds a lock 'a'", self.s.ctl("lock", "break", "a", expect=1).err)


class Connections(Locking):
    def test_that_are_closed_leave_the_lock_to_the_next(self):
        first, second = self.client(), self.client()
        token = self.acquire(first, "a")["parameters"]["fencingToken"]
        self.ask(second, "a")
        first.close()
        granted = second.receive()["parameters"]
        self.assertGreater(granted["fencingToken"], token)
        self.assertIn(f"(pid {os.getpid()})", granted["abandonedBy"])
        self.assertEqual({"depth": 0}, second.call(LOCK + "Release", {"name": "a"})["parameters"])

    def test_in_a_knot_are_told_at_once(self):
        ann, bob = self.client(), self.client()
        self.acquire(ann, "a")
        self.acquire(bob, "b")
        self.ask(ann, "b")
        reply = self.acquire(bob, "a")
        self.assertEqual(LOCK + "Deadlock", reply["error"])
        self.assertEqual(["a", "b"], [step["name"] for step in reply["parameters"]["cycle"]])
        bob.call(LOCK + "Release", {"name": "b"})
        self.assertIn("fencingToken", ann.receive()["parameters"])

    def test_are_told_that_they_have_it(self):
        client = self.client()
        self.acquire(client, "a")
        self.assertEqual(LOCK + "AlreadyHeld", self.acquire(client, "a")["error"])
        self.assertEqual(2, self.acquire(client, "a", reentrant=True)["parameters"]["depth"])
        self.assertEqual(1, client.call(LOCK + "Release", {"name": "a"})["parameters"]["depth"])
        self.assertEqual(LOCK + "NotHeld", client.call(LOCK + "Release", {"name": "b"})["error"])

    def test_have_threads_that_exclude_each_other(self):
        client = self.client()
        self.acquire(client, "a", owner=1)
        self.assertEqual(LOCK + "Busy", self.acquire(client, "a", owner=2, **{"try": True})["error"])

    def test_hold_for_a_process_until_that_ends(self):
        process = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        client = self.client()
        self.acquire(client, "a", pid=process.pid)
        client.close()
        self.assertEqual([process.pid], self.holders("a"))
        process.kill()
        self.await_true("it is free", lambda: self.holders("a") == [])

    def test_that_wait_for_a_process_are_told_when_it_ends(self):
        process = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.acquire(self.client(), "a")
        client = self.client()
        self.ask(client, "a", pid=process.pid)
        process.kill()
        self.assertEqual(LOCK + "NoSuchProcess", client.receive()["error"])

    def test_are_refused_what_makes_no_sense(self):
        client = self.client()
        wrong = {"name": ({"name": ""}, {"name": "a b"}, {"name": "../a"}, {"name": "a" * 65}),
                 "owner": ({"name": "a", "owner": 0}, {"name": "a", "owner": -1}),
                 "pid": ({"name": "a", "pid": -1}, {"name": "a", "pid": 1 << 40}),
                 "timeoutUSec": ({"name": "a", "timeoutUSec": -1},)}
        for parameter, all_of_them in wrong.items():
            for parameters in all_of_them:
                reply = client.call(LOCK + "Acquire", parameters)
                self.assertEqual(("org.varlink.service.InvalidParameter", parameter),
                                 (reply["error"], reply["parameters"]["parameter"]), parameters)
        self.assertEqual(LOCK + "NoSuchProcess", self.acquire(client, "a", pid=0x7ffffff0)["error"])
        self.assertEqual({}, self.listed())
        longest = self.acquire(client, "a", timeoutUSec=(1 << 53) - 1)
        self.assertIn("fencingToken", longest["parameters"])

    def test_that_send_descriptors_are_closed_and_hold_up_nobody(self):
        listener = self.listen()
        lingering = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
        self.addCleanup(far.close)
        self.addCleanup(listener.close)
        # Its last close would wait for who does not read.
        lingering.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                lingering.send(b"x" * 65536)
        lingering.setblocking(True)
        lingering.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 100))
        bad, good = self.client(), self.client()
        socket.send_fds(bad.socket, [b"{"], [lingering.fileno()])
        lingering.close()
        self.assertEqual("org.varlink.service.PermissionDenied", bad.receive()["error"])
        self.assertIsNone(bad.receive())
        bad.close()
        self.assertIn("fencingToken", self.acquire(good, "a")["parameters"])

    def listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        return listener

    @unittest.skipUnless(ROOT, "needs root, for two users")
    def test_of_other_users_have_names_of_their_own(self):
        self.acquire(self.client(), "a")
        os.chmod(self.s.dir, 0o755)
        nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        self.s.ctl("lock", "-n", "a", "--", "true", **nobody)
        for words in (["lock", "-n", "user/0/a", "--", "true"], ["lock", "break", "user/0/a"]):
            self.assertIn("is not yours", self.s.run(*words, **nobody).err)
        self.assertEqual([], self.s.ctl("lock", "ls", "--json", **nobody).json["locks"])
        process, _ = self.begin("b")
        refused = self.s.run("lock", "ls", "user/0/b", **nobody)
        self.assertEqual(1, refused.code)
        process.terminate()
        self.end(process)


class Broker(Locking):
    def config(self):
        command = f'["{PROCSUPCTL}", "lock", "-q", "work", "--", "sleep", "1000"]'
        return f'[jobs.worker]\ncommand = {command}\ninstances = 2\nrestart = "always"\nrestart_delay = "0s"\n'

    def broker(self):
        with open(self.s.path("run", "procsupd.lock"), encoding="ascii") as file:
            daemon = int(file.read())
        return [pid for pid in children(daemon) if os.readlink(f"/proc/{pid}/exe").endswith("procsup-broker")]

    def test_names_jobs_by_their_instances(self):
        self.await_true("one waits", lambda: self.waiters("work") == 1)
        self.assertRegex(self.s.ctl("lock", "ls").out, r"work +worker@[01] \(pid \d+\) .* worker@[01] \(pid \d+\) for \ds")

    def test_gives_the_lock_of_a_job_that_is_killed_to_the_next(self):
        self.await_true("one waits", lambda: self.waiters("work") == 1)
        (holder,) = self.holders("work")
        for _ in range(5):
            os.kill(holder, signal.SIGKILL)
            self.await_true("another has it", lambda gone=holder: self.holders("work") not in ([], [gone]))
            (holder,) = self.holders("work")

    def test_is_started_again_when_it_is_killed(self):
        self.await_true("one waits", lambda: self.waiters("work") == 1)
        token = self.listed()["work"]["holders"][0]["fencing_token"]
        (before,) = self.broker()
        os.kill(before, signal.SIGKILL)
        self.assertTrue(wait_gone(before))
        client = self.client()
        self.assertGreater(self.acquire(client, "other")["parameters"]["fencingToken"], token)
        self.assertIn("procsup-broker: killed by SIGKILL", self.s.log_text())
        self.assertNotEqual([before], self.broker())

    def test_ends_with_procsupd(self):
        self.await_true("one waits", lambda: self.waiters("work") == 1)
        (broker,) = self.broker()
        self.s.ctl("shutdown")
        self.assertEqual(0, self.s.wait_end())
        self.assertTrue(wait_gone(broker))

    def test_that_stands_still_holds_up_no_shutdown(self):
        self.await_true("one waits", lambda: self.waiters("work") == 1)
        (broker,) = self.broker()
        os.kill(broker, signal.SIGSTOP)
        self.s.ctl("shutdown")
        self.assertEqual(0, self.s.wait_end())
        self.assertTrue(wait_gone(broker))

    def test_shows_many_that_wait(self):
        self.s.ctl("stop", "worker")
        clients = [self.client() for _ in range(500)]
        for client in clients:
            client.send(LOCK + "Acquire", {"name": "a"})
        self.await_true("they wait", lambda: self.waiters("a") == 499)
        self.assertIn("and 496 more", self.s.ctl("lock", "ls").out)

    def test_is_not_there_before_it_is_needed(self):
        self.s.ctl("stop", "worker")
        (broker,) = self.broker()
        os.kill(broker, signal.SIGKILL)
        self.assertTrue(wait_gone(broker))
        self.s.ctl("status")
        self.assertEqual([], self.broker())


class Examples(Locking):
    def test_tickets_are_sold_once(self):
        self.example("tickets.toml", "buyer")
        said = self.said("buyer", 10)
        self.assertEqual(["ticket 3", "ticket 2", "ticket 1"], [line for line in said if line.startswith("ticket")])

    def test_tickets_are_sold_again_without_the_lock(self):
        self.example("tickets_without_lock.toml", "buyer")
        self.assertGreater(len([line for line in self.said("buyer", 10) if line.startswith("ticket")]), 3)

    def test_letters_are_printed_page_by_page(self):
        self.example("printer.toml", "letter")
        self.s.ctl("wait", "letter")
        with open(self.s.path("printer.procsup"), encoding="ascii") as file:
            pages = file.read().split("\n")[:-1]
        people = [page.split(":")[0] for page in pages[::3]]
        self.assertEqual(["letter@ann", "letter@bob", "letter@carl"], sorted(people))
        self.assertEqual([f"{who}: page {page}" for who in people for page in (1, 2, 3)], pages)


if __name__ == "__main__":
    unittest.main()
