"""Sockets that procsupd listens on for jobs: handed to each run, and kept open between two of them."""
import contextlib
import json
import os
import pwd
import socket
import stat
import subprocess
import threading
import unittest

import fuse
from harness import ROOT, IntegrationTest
from processes import free_port, wait_gone
from processes import free_ports as first_of_free_ports

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/sockets.toml")
MODES = ("cgroup", "keeper", "group")
NOBODY = pwd.getpwnam("nobody")
# Says what it was given, a line for each, and serves nobody.
TELLER = """
import json, os, socket, sys, time
given = {key: os.environ.get(key) for key in ("LISTEN_FDS", "LISTEN_FDNAMES")}
given["own"] = os.environ.get("LISTEN_PID") == str(os.getpid())
given["fds"] = sorted(int(fd) for fd in os.listdir("/proc/self/fd") if int(fd) > 2)
given["sockets"] = []
for fd in range(3, 3 + int(given["LISTEN_FDS"] or 0)):
    one = socket.socket(fileno=os.dup(fd))
    name = one.getsockname()
    given["sockets"].append([one.family.name, one.type.name, name.decode("latin1") if isinstance(name, bytes) else name,
                             os.get_blocking(fd), os.fstat(fd).st_ino])
print(json.dumps(given), flush=True)
time.sleep(1000)
"""
# Answers each connection with its pid.
SERVER = """
import os, signal, socket
listening = socket.socket(fileno=3)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
while True:
    client, _ = listening.accept()
    with client:
        client.sendall(b"%d" % os.getpid())
"""


def free_ports(count):
    first = first_of_free_ports(count)
    return range(first, first + count)


def ask(address, family=socket.AF_INET):
    """What the server says to a new client, to the end."""
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(20)
        client.connect(address)
        answer = b""
        while got := client.recv(4096):
            answer += got
        return answer


class Sockets(IntegrationTest):
    def programs(self, s):
        s.write("teller.py", TELLER)
        s.write("server.py", SERVER)
        return s

    def teller(self, sockets, more="", name="web"):
        """A job that says what it was given."""
        return (f'[jobs.{name}]\ncommand = ["/usr/bin/python3", "@DIR@/teller.py"]\n{more}'
                f'[jobs.{name}.log]\nstdout = "@DIR@/{name}.out"\n' + sockets)

    def server(self, sockets, more=""):
        return '[jobs.web]\ncommand = ["/usr/bin/python3", "@DIR@/server.py"]\nmin_uptime = "1ms"\n' + more + sockets

    def one(self, lines, name="web"):
        return f"[[jobs.{name}.sockets]]\n{lines}\n"

    def told(self, config, **arguments):
        """Its procsupd, what it says, and where it will say more."""
        s = self.programs(self.prepare(config, **arguments))
        out = s.fifo("web.out")
        s.start()
        return s, json.loads(out.next()), out

    @contextlib.contextmanager
    def clients(self, address, family=socket.AF_INET):
        """Clients that come one behind the other meanwhile; yields what they were answered."""
        answers, over = [], threading.Event()
        errors = []

        def come():
            try:
                while not over.is_set():
                    answers.append(ask(address, family))
            except OSError as error:
                errors.append(error)

        threads = [threading.Thread(target=come) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield answers
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.assertEqual([], errors)

    def test_the_example_refuses_nobody_over_its_restarts(self):
        port = free_port()
        base = "/run" if ROOT else os.environ.get("XDG_RUNTIME_DIR", "/nowhere")
        name = f"psit-shop-{os.getpid()}"
        with open(EXAMPLE, encoding="utf-8") as file:
            text = file.read().replace("8080", str(port)).replace("/run/shop", f"{base}/{name}").replace('"shop"', f'"{name}"')
        s = self.prepare("[jobs.web]\n" + text.replace("[[sockets]]", "[[jobs.web.sockets]]"))
        s.start().settle()
        admin = f"{base}/{name}/admin.sock"
        self.assertEqual(0o600, stat.S_IMODE(os.stat(admin).st_mode))
        why = s.ctl("why", "web").out
        self.assertIn(f"sockets: http at 127.0.0.1:{port}, admin at {admin}", why)

        def get():
            with socket.create_connection(("127.0.0.1", port), 20) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return b"".join(iter(lambda: client.recv(4096), b""))

        pids = set()
        for _ in range(3):
            answers = []
            asking = threading.Thread(target=lambda answers=answers: answers.extend(get() for _ in range(50)))
            asking.start()
            s.ctl("restart", "web")
            asking.join()
            self.assertEqual(50, len(answers))
            self.assertTrue(all(answer.startswith(b"HTTP/1.0 200 OK") for answer in answers))
            pids |= {answer.split()[-1] for answer in answers}
        self.assertGreater(len(pids), 1)
        s.ctl("stop", "web")
        with self.assertRaises(ConnectionRefusedError):
            get()
        self.await_true("its path is removed", lambda: not os.path.exists(admin))

    def test_haproxy_takes_it_by_number_and_no_client_notices_that_it_is_killed(self):
        port = free_port()
        s = self.prepare('[jobs.web]\ncommand = ["/usr/sbin/haproxy", "-db", "-f", "@DIR@/haproxy.cfg"]\n'
                         + self.one(f'name = "http"\nlisten = "{port}"'))
        s.write("haproxy.cfg", "defaults\n mode http\n timeout client 10s\n timeout connect 10s\n timeout server 10s\n"
                "frontend http\n bind fd@3\n http-request return status 200 content-type text/plain string served\n")
        s.start().settle()

        def get():
            with socket.create_connection(("127.0.0.1", port), 20) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return b"".join(iter(lambda: client.recv(4096), b""))

        self.assertTrue(get().endswith(b"served"))
        s.ctl("restart", "web")
        self.assertTrue(get().endswith(b"served"))
        # It waits in the queue until the next run takes it.
        s.ctl("pause", "web")
        with socket.create_connection(("127.0.0.1", port), 20) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            s.ctl("signal", "KILL", "web")
            answer = b"".join(iter(lambda: client.recv(4096), b""))
        self.assertTrue(answer.endswith(b"served"))

    def test_clients_of_a_path_wait_while_the_job_crashes_again_and_again(self):
        s = self.programs(self.prepare(self.server(self.one('listen = "@DIR@/web.sock"'), 'restart_delay = "10ms"\n')))
        s.start().settle()
        with self.clients(s.path("web.sock"), socket.AF_UNIX) as answers:
            for _ in range(4):
                pid = s.pid_of("web")
                s.ctl("signal", "KILL", "web")
                self.assertTrue(wait_gone(pid))
                s.ctl("start", "web")
                served = len(answers)
                self.await_true("clients are served again", lambda served=served: len(answers) > served + 10)
        self.assertGreater(len(set(answers)), 3)

    def test_each_kind_is_given_in_order_with_its_name_in_every_containment(self):
        udp, tcp, six = free_ports(3)
        sockets = (self.one(f'name = "dns"\nlisten = "udp:127.0.0.1:{udp}"') + self.one(f'name = "http"\nlisten = "*:{tcp}"')
                   + self.one(f'name = "six"\nlisten = "[::1]:{six}"') + self.one('name = "path"\nlisten = "@DIR@/p"')
                   + self.one('name = "log"\nlisten = "unix-dgram:@DIR@/d"')
                   + self.one(f'name = "abstract"\nlisten = "@psit-{os.getpid()}"'))
        more = 'may_fork = false\n' + ('user = "nobody"\n' if ROOT else "")
        for mode in MODES if ROOT else ("group",):
            with self.subTest(mode):
                s, told, _ = self.told(self.teller(sockets, more), options=[f"--containment={mode}"])
                self.assertEqual(("6", "dns:http:six:path:log:abstract", True),
                                 (told["LISTEN_FDS"], told["LISTEN_FDNAMES"], told["own"]))
                found = [one[:3] for one in told["sockets"]]
                self.assertEqual([["AF_INET", "SOCK_DGRAM", ["127.0.0.1", udp]], ["AF_INET6", "SOCK_STREAM", ["::", tcp, 0, 0]],
                                  ["AF_INET6", "SOCK_STREAM", ["::1", six, 0, 0]], ["AF_UNIX", "SOCK_STREAM", s.path("p")],
                                  ["AF_UNIX", "SOCK_DGRAM", s.path("d")],
                                  ["AF_UNIX", "SOCK_STREAM", f"\0psit-{os.getpid()}"]], found)
                self.assertTrue(all(one[3] for one in told["sockets"]), "they block")
                # Nothing else: the directory that it has read is the ninth.
                self.assertEqual([3, 4, 5, 6, 7, 8, 9], told["fds"])
                with socket.create_connection(("127.0.0.1", tcp), 20):
                    pass
                s.close()

    def test_a_job_without_has_none_of_the_variables_whatever_procsupd_has(self):
        s, told, _ = self.told(self.teller(""), env={"LISTEN_FDS": "1", "LISTEN_PID": "1", "LISTEN_FDNAMES": "x"})
        self.assertEqual((None, None, [3]), (told["LISTEN_FDS"], told["LISTEN_FDNAMES"], told["fds"]))
        self.assertEqual("running", s.instance("web")["state"])

    def test_hooks_behind_the_start_and_what_is_executed_beside_have_none(self):
        s = self.programs(self.prepare(self.server(self.one(f'listen = "{free_port()}"'),
                                                   'post_start = ["sh", "-c", "env > @DIR@/post"]\n')))
        out = s.fifo("post")
        s.start()
        lines = [out.next()]
        while not lines[-1].startswith("PWD="):
            lines.append(out.next())
        self.assertFalse([line for line in lines if line.startswith("LISTEN_")])
        s.ctl("wait", "--for=ready", "web")
        self.assertNotIn("LISTEN_", s.ctl("exec", "web", "--", "env").out)

    def test_beside_a_descriptor_of_readiness_and_as_many_as_there_can_be(self):
        four = "".join(self.one(f'name = "s{i}"\nlisten = "{port}"') for i, port in enumerate(free_ports(4)))
        s, told, _ = self.told(self.teller(four, "") + "[jobs.web.ready]\nfd = 7\n")
        self.assertEqual([3, 4, 5, 6, 7, 8], told["fds"])
        s.close()
        all_of_them = "".join(self.one(f'name = "s{i}"\nlisten = "@psit-{os.getpid()}-{i}"') for i in range(64))
        s, told, _ = self.told(self.teller(all_of_them))
        self.assertEqual(("64", list(range(3, 68))), (told["LISTEN_FDS"], told["fds"]))

    def test_instances_share_one_or_have_their_own(self):
        base, shared = free_ports(2)
        s = self.programs(self.prepare(self.server(self.one('listen = "@DIR@/${job:index}.sock"')
                                                   + self.one(f'name = "all"\nlisten = "{shared}"'), "instances = 3\n")))
        s.start().settle()
        pids = [s.pid_of(f"web@{i}") for i in range(3)]
        self.assertEqual([str(pid).encode() for pid in pids],
                         [ask(s.path(f"{i}.sock"), socket.AF_UNIX) for i in range(3)])
        inodes = {os.readlink(f"/proc/{pid}/fd/4") for pid in pids}
        self.assertEqual(1, len(inodes))
        # It is there as long as one of them is.
        s.ctl("stop", "web@0", "web@1")
        self.assertEqual(inodes, {os.readlink(f"/proc/{pids[2]}/fd/4")})
        self.await_true("a path goes with its instance", lambda: not os.path.exists(s.path("0.sock")))
        with socket.create_connection(("127.0.0.1", shared), 20):
            pass
        s.ctl("stop", "web")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", shared), 20)
        self.assertNotEqual(base, shared)

    def test_an_address_that_is_taken_is_tried_again(self):
        port = free_port()
        with socket.create_server(("127.0.0.1", port)):
            s = self.programs(self.prepare(self.server(self.one(f'listen = "{port}"'), 'restart_delay = "10ms"\nstart_limit = "none"\n')))
            s.start()
            text = f"cannot bind 127.0.0.1:{port}: Address already in use"
            self.await_true("it says so", lambda: text in s.instance("web")["cause"])
            self.assertIn(text, s.run("why", "web").out)
        s.ctl("wait", "--for=ready", "web")
        self.assertEqual(str(s.pid_of("web")).encode(), ask(("127.0.0.1", port)))

    def test_what_is_at_a_path_is_replaced_only_if_it_is_a_socket_of_nobody(self):
        s = self.programs(self.prepare(self.server(self.one('listen = "@DIR@/web.sock"'), 'restart = "no"\nenabled = false\n')))
        s.start()
        path = s.path("web.sock")

        def refused(text):
            s.ctl("start", "web", expect=1)
            self.assertIn(text, s.instance("web")["cause"])

        s.write("web.sock", "of somebody")
        refused("there is something that is no socket")
        with open(path, encoding="utf-8") as file:
            self.assertEqual("of somebody", file.read())
        os.unlink(path)
        os.symlink(s.path("elsewhere"), path)
        refused("there is a link, which is not followed")
        self.assertFalse(os.path.lexists(s.path("elsewhere")))
        os.unlink(path)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(path)
            other.listen()
            refused(f"cannot bind {path}: Address already in use")
        s.ctl("start", "web")
        self.assertTrue(ask(path, socket.AF_UNIX))
        # Another one in its place is not removed with it.
        os.unlink(path)
        s.write("web.sock", "of somebody")
        s.ctl("stop", "web")
        s.ctl("daemon", "status")
        self.await_true("the helper is done", lambda: not s.job_processes())
        self.assertTrue(os.path.exists(path))

    @unittest.skipUnless(ROOT, "needs another user")
    def test_the_file_is_the_jobs_users_from_the_beginning_and_no_link_of_his_is_followed(self):
        s = self.programs(self.prepare(self.server(self.one('listen = "@DIR@/of/web.sock"'),
                                                   'user = "nobody"\nrestart = "no"\nenabled = false\n')))
        os.mkdir(s.path("of"))
        os.chown(s.path("of"), NOBODY.pw_uid, NOBODY.pw_gid)
        s.start()
        s.ctl("start", "web")
        status = os.stat(s.path("of/web.sock"))
        self.assertEqual((NOBODY.pw_uid, NOBODY.pw_gid, 0o660), (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)))
        s.ctl("stop", "web")
        self.await_true("it is removed", lambda: not os.path.exists(s.path("of/web.sock")))
        # He makes a link in the place of a directory that is his: to where only root may write.
        os.mkdir(s.path("roots"))
        os.mkdir(s.path("of/deeper"))
        s.configure(self.server(self.one('listen = "@DIR@/of/deeper/web.sock"'), 'user = "nobody"\nrestart = "no"\nenabled = false\n'))
        s.ctl("apply")
        os.rmdir(s.path("of/deeper"))
        subprocess.run(["ln", "-s", s.path("roots"), s.path("of/deeper")], check=True, user=NOBODY.pw_uid)
        s.ctl("start", "web", expect=1)
        self.assertIn("is a link that another user can have made", s.instance("web")["cause"])
        self.assertEqual([], os.listdir(s.path("roots")))

    def test_apply_keeps_what_has_not_changed_and_binds_the_other_anew(self):
        kept, old, new = free_ports(3)
        sockets = self.one(f'name = "kept"\nlisten = "{kept}"') + self.one('name = "changed"\nlisten = "{}"')
        s, before, out = self.told(self.teller(sockets.format(old)))
        s.configure(self.teller(sockets.format(old), "umask = \"0077\"\n"))
        s.ctl("apply")
        same = json.loads(out.next())
        self.assertEqual([one[4] for one in before["sockets"]], [one[4] for one in same["sockets"]])
        s.configure(self.teller(sockets.format(new), "umask = \"0077\"\n"))
        self.assertIn("sockets", s.ctl("apply", "--dry-run").out)
        s.ctl("apply")
        other = json.loads(out.next())
        self.assertEqual(before["sockets"][0], other["sockets"][0])
        self.assertEqual(["127.0.0.1", new], other["sockets"][1][2])
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", old), 20)
        # Without any it has none.
        s.configure(self.teller("", "umask = \"0077\"\n"))
        s.ctl("apply")
        self.assertIsNone(json.loads(out.next())["LISTEN_FDS"])
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", kept), 20)

    @unittest.skipUnless(fuse.available(), "needs FUSE")
    def test_a_path_on_a_file_system_that_hangs_holds_up_this_job_alone(self):
        other = '[jobs.other]\ncommand = ["sleep", "1000"]\n'
        patient = self.server(self.one('listen = "@DIR@/mount/web.sock"'), 'enabled = false\nrestart = "no"\n') + other
        s = self.programs(self.prepare(patient.replace("enabled", 'start_timeout = "200ms"\nenabled')))
        os.mkdir(s.path("mount"))
        s.start()
        mount = fuse.SilentMount(s.path("mount"))
        self.addCleanup(mount.close)
        s.ctl("start", "web", expect=1)
        self.assertIn("start_timeout passed", s.instance("web")["cause"])
        s.ctl("restart", "other")
        mount.close()
        s.configure(patient)
        s.ctl("apply")
        s.ctl("start", "web")
        self.assertTrue(ask(s.path("mount/web.sock"), socket.AF_UNIX))

    def test_many_restarts_cost_no_descriptor(self):
        s = self.programs(self.prepare(self.server(self.one('listen = "@DIR@/web.sock"') + self.one(f'name = "tcp"\nlisten = "{free_port()}"'),
                                                   'start_limit = "none"\n')))
        s.start().settle()
        s.ctl("restart", "web")

        def descriptors():
            return len(os.listdir(f"/proc/{s.process.pid}/fd"))

        before = descriptors()
        for _ in range(40):
            s.ctl("restart", "web")
        self.await_true("as many as before", lambda: descriptors() <= before)
        for _ in range(20):
            s.ctl("stop", "web")
            s.ctl("start", "web")
        self.await_true("as many as before", lambda: descriptors() <= before)

    def test_the_next_procsupd_binds_them_anew_after_a_kill(self):
        s = self.programs(self.prepare(self.server(self.one('listen = "@DIR@/web.sock"'))))
        s.start().settle()
        pid = s.pid_of("web")
        s.process.kill()
        s.wait_end()
        self.assertTrue(wait_gone(pid))
        self.assertTrue(os.path.exists(s.path("web.sock")))
        s.start().settle()
        self.assertEqual(str(s.pid_of("web")).encode(), ask(s.path("web.sock"), socket.AF_UNIX))

    def test_what_a_run_has_shut_down_is_bound_anew_for_the_next(self):
        s = self.programs(self.prepare(self.server(self.one('listen = "@DIR@/web.sock"'))))
        s.write("server.py", "import os, socket, sys\nif not os.path.exists('seen'):\n open('seen', 'w').close()\n"
                " socket.socket(fileno=3).shutdown(socket.SHUT_RDWR)\n sys.exit(1)\n" + SERVER)
        s.configure(self.server(self.one('listen = "@DIR@/web.sock"'), 'working_dir = "@DIR@"\nrestart_delay = "10ms"\n').replace("@DIR@", s.dir))
        s.start()
        s.ctl("wait", "--for=ready", "web")
        self.await_true("it serves", lambda: s.instance("web")["state"] == "running" and s.instance("web")["restarts"] == 1)
        self.assertTrue(ask(s.path("web.sock"), socket.AF_UNIX))


if __name__ == "__main__":
    unittest.main()
