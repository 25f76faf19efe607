"""procsupd.socket: the control socket that systemd makes and procsupd takes over."""

import os
import socket
import stat
import subprocess
from pathlib import Path

from on_systemd import PATIENCE, SERVICE, SOCKET, ServiceTest, ctl, instances, main, properties, run, wait_for

# Opens as many connections as it can get, says so, and holds them until its input ends.
HOARDER = """
import resource, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
held = []
for _ in range(1500):
    held.append(socket.socket(socket.AF_UNIX))
    held[-1].connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""
PING = b'{"method":"io.procsupd.Manager.Ping"}\0'


def call(path, message):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(path))
        connection.sendall(message)
        answer = b""
        while not answer.endswith(b"\0"):
            got = connection.recv(4096)
            if not got:
                break
            answer += got
        return answer


class SocketActivation(ServiceTest):
    def setUp(self):
        super().setUp()
        self.job("sleeper", 'command = "sleep infinity"')
        run("systemctl", "start", "procsupd.socket")

    def test_starts_procsupd_for_the_first_client(self):
        self.assertEqual(properties(SERVICE, "ActiveState")["ActiveState"], "inactive")
        ctl("ping")
        self.assertEqual(properties(SERVICE, "ActiveState")["ActiveState"], "active")
        ctl("wait", "--for=ready", "sleeper")

    def test_lets_everyone_connect(self):
        self.assertEqual(stat.S_IMODE(SOCKET.stat().st_mode), 0o666)
        self.start()
        run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "procsupctl", "status")

    def test_lets_root_in_while_another_user_holds_all_connections_that_it_may(self):
        self.start()
        hoarder = subprocess.Popen(["/usr/bin/python3", "-c", HOARDER, SOCKET], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, user=65534, group=65534, extra_groups=[])
        with hoarder:
            self.assertEqual(hoarder.stdout.readline(), b"held\n")
            ctl("ping", "--timeout=5s")
            run("systemctl", "reload", SERVICE)

    def test_names_the_socket_after_each_interface(self):
        for interface in ("io.procsupd.Manager", "io.procsupd.Job"):
            self.assertEqual(call(SOCKET.with_name(interface), PING), b"{}\0", interface)

    def test_keeps_the_socket_over_a_restart_of_the_service(self):
        self.start()
        before = SOCKET.stat()
        run("systemctl", "restart", SERVICE)
        self.assertTrue(os.path.samestat(before, SOCKET.stat()))
        ctl("wait", "--for=ready", "sleeper")
        self.assertEqual(instances()["sleeper"]["state"], "running")

    def test_keeps_the_socket_over_a_stop_and_starts_again_for_the_next_client(self):
        ctl("ping")
        before = SOCKET.stat()
        run("systemctl", "stop", SERVICE, check=False)
        self.assertTrue(os.path.samestat(before, SOCKET.stat()))
        ctl("ping")
        self.assertEqual(properties(SERVICE, "ActiveState")["ActiveState"], "active")

    def test_leaves_a_running_procsupd_reachable_when_the_socket_unit_is_stopped(self):
        self.start()
        run("systemctl", "stop", "procsupd.socket")
        self.assertEqual(properties(SERVICE, "ActiveState")["ActiveState"], "active")
        ctl("ping")

    def test_refuses_no_client_while_the_service_restarts(self):
        self.start()
        run("systemctl", "restart", "--no-block", SERVICE)
        for _ in range(20):
            ctl("ping")

    def test_answers_a_client_that_came_while_no_procsupd_ran(self):
        up = self.fifo("up")
        self.drop_in(f"ExecStartPre=/bin/sh -c 'echo held > {up}'")
        client = subprocess.Popen(["procsupctl", "ping"], stdout=subprocess.DEVNULL)
        wait_for(SERVICE, SubState="start-pre")
        self.assertEqual(up.read_text(), "held\n")
        self.assertEqual(client.wait(PATIENCE), 0)


# Answers each connection with the names of what it was given.
SERVER = """
import os, socket
listening = socket.socket(fileno=3)
while True:
    client, _ = listening.accept()
    with client:
        client.sendall((os.environ["LISTEN_FDNAMES"] + " " + str(os.getpid())).encode())
"""
UNIT = Path("/run/systemd/system/handed-on.socket")


class SocketsForJobs(ServiceTest):
    def setUp(self):
        super().setUp()
        self.path = self.scratch / "web.sock"
        UNIT.write_text(f"[Socket]\nListenStream={self.path}\nFileDescriptorName=web\nService={SERVICE}\n")
        self.addCleanup(self.remove_unit)
        run("systemctl", "daemon-reload")
        program = self.scratch / "server.py"
        program.write_text(SERVER)
        self.job("web", f'command = ["/usr/bin/python3", "{program}"]', "[[sockets]]", 'name = "web"',
                 'listen = "inherited"')

    def remove_unit(self):
        run("systemctl", "stop", "handed-on.socket", check=False)
        UNIT.unlink()
        run("systemctl", "daemon-reload")

    def ask(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(PATIENCE)
            client.connect(str(self.path))
            return b"".join(iter(lambda: client.recv(4096), b"")).decode().split()

    def test_are_handed_on_by_their_names_beside_the_control_socket(self):
        run("systemctl", "start", "procsupd.socket", "handed-on.socket")
        name, first = self.ask()
        self.assertEqual(name, "web")
        ctl("restart", "web")
        self.assertNotEqual(self.ask()[1], first)
        ctl("stop", "web")
        # It is systemd's, and stays.
        self.assertTrue(self.path.exists())
        ctl("start", "web")
        self.assertEqual(self.ask()[0], "web")
        run("systemctl", "restart", SERVICE)
        self.assertEqual(self.ask()[0], "web")

    def test_that_are_not_there_are_a_failed_start_that_says_so(self):
        self.job("web", 'command = "sleep infinity"', 'restart = "no"', "[[sockets]]", 'name = "other"',
                 'listen = "inherited"')
        run("systemctl", "start", "procsupd.socket", "handed-on.socket", SERVICE)
        self.assertIn("procsupd was given none with that FileDescriptorName=", ctl("why", "web", check=False).stdout)


class BrokenConfiguration(ServiceTest):
    def test_is_told_to_clients_of_the_socket_and_does_not_wear_the_socket_out(self):
        self.job("broken", 'comand = "x"')
        run("systemctl", "start", "procsupd.socket")
        for _ in range(3):
            answer = ctl("ping", check=False)
            self.assertEqual(answer.returncode, 6, answer.stderr)
            self.assertIn("broken.toml:1:1: error: unknown key 'comand' (did you mean 'command'?)", answer.stderr)
            wait_for(SERVICE, ActiveState="failed")
        other = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "procsupctl", "ping", check=False)
        self.assertEqual(other.returncode, 6, other.stderr)
        self.assertNotIn("comand", other.stderr)
        self.job("broken", 'command = "sleep infinity"')
        ctl("ping")
        self.assertEqual(properties("procsupd.socket", "ActiveState")["ActiveState"], "active")


class OwnSocket(ServiceTest):
    def test_is_made_when_systemd_has_none_and_vanishes_with_procsupd(self):
        run("systemctl", "start", SERVICE)
        ctl("ping")
        run("systemctl", "stop", SERVICE)
        self.assertFalse(SOCKET.exists())
        self.assertEqual(ctl("ping", check=False).returncode, 69)


if __name__ == "__main__":
    main()
