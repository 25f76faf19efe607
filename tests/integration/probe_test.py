"""procsup-probe: sockets and files, what it reports, and its command line."""
import os
import pwd
import resource
import select
import signal
import socket
import subprocess
import unittest

from harness import ROOT, Lines
from probe_process import NETWORKS, NEVER, PROGRAM, ProbeTest, in_own_network
from processes import PATIENCE, Deadline, free_port


class Tcp(ProbeTest):
    def test_is_ready_once_somebody_listens(self):
        port = free_port()
        probe = self.probe("tcp", "127.0.0.1", str(port))
        self.assertEqual(f"cannot connect to 127.0.0.1:{port}: Connection refused", probe.reports.next())
        self.peer(place=port)
        self.assert_ready(probe)
        self.assertEqual([], probe.rest_of_reports())

    def test_takes_an_ipv6_address_in_every_form(self):
        peer = self.peer(family=socket.AF_INET6)
        for address in ("::1", "0:0::0001", "0:0:0:0:0:0:0:1", "0::0.0.0.1"):
            self.assert_ready(self.probe("tcp", address, peer.port))
        mapped = self.peer()
        self.assert_ready(self.probe("tcp", "::ffff:127.0.0.1", mapped.port))

    def test_puts_an_ipv6_address_into_brackets(self):
        port = free_port()
        self.assert_says(f"cannot connect to [::1]:{port}: Connection refused", self.probe("tcp", "::1", str(port)))

    def test_localhost_is_one_of_two_addresses(self):
        for family in (socket.AF_INET, socket.AF_INET6):
            self.assert_ready(self.probe("tcp", "localhost", self.peer(family=family).port))
        port = free_port()
        self.assert_says(f"cannot connect to localhost:{port}: Connection refused", self.probe("tcp", "localhost", str(port)))

    @unittest.skipUnless(NETWORKS, "needs root and network namespaces")
    def test_localhost_may_have_no_ipv6(self):
        probe = in_own_network(lambda: self.probe("tcp", "localhost", "9"), ipv6__conf__all__disable_ipv6="1")
        self.assert_says("cannot connect to localhost:9: Connection refused", probe)

    def test_does_not_wait_longer_than_its_time_for_an_answer(self):
        with socket.socket() as full, socket.socket() as first:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            first.connect(("127.0.0.1", port))  # behind which the kernel drops who comes
            self.assert_says(f"cannot connect to 127.0.0.1:{port}: no answer within 50ms",
                             self.probe("--timeout", "50", "tcp", "127.0.0.1", str(port)))

    @unittest.skipUnless(NETWORKS, "needs root and network namespaces")
    def test_does_not_take_itself_for_the_one_who_listens(self):
        """Nor keeps the port from him. It is the only one that the kernel can give to the probe."""
        def work():
            probe = self.probe("tcp", "127.0.0.1", "40000")
            self.assertEqual("cannot connect to 127.0.0.1:40000: Connection refused", probe.reports.next())
            with socket.socket() as server:
                self.await_true("the port is free", lambda: can_bind(server, 40000))
                with open("/proc/sys/net/ipv4/ip_local_port_range", "w", encoding="ascii") as ports:
                    ports.write("41000 42000")
                server.listen()
                self.assert_ready(probe)
        in_own_network(work, ipv4__ip_local_port_range="40000 40000")


def can_bind(server, port):
    """As it is, without SO_REUSEADDR; an attempt may hold the port for some microseconds."""
    try:
        server.bind(("127.0.0.1", port))
        return True
    except OSError:
        return False


class Unix(ProbeTest):
    def test_is_ready_once_somebody_listens(self):
        path = self.path("socket")
        probe = self.probe("unix", path)
        self.assertEqual(f"cannot connect to {path}: No such file or directory", probe.reports.next())
        self.peer(family=socket.AF_UNIX, place=path)
        self.assert_ready(probe)

    def test_is_not_ready_because_of_a_socket_that_was_left(self):
        path = self.path("socket")
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(path)
        self.assert_says(f"cannot connect to {path}: Connection refused", self.probe("unix", path))

    def test_may_be_of_any_type(self):
        self.peer(family=socket.AF_UNIX, place=self.path("packets"), kind=socket.SOCK_SEQPACKET)
        self.assert_ready(self.probe("unix", self.path("packets")))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
            bound.bind(self.path("datagrams"))
            self.assert_ready(self.probe("unix", self.path("datagrams")))

    @unittest.skipUnless(ROOT, "needs root")
    def test_must_let_the_user_in(self):
        path = self.path("socket")
        self.peer(family=socket.AF_UNIX, place=path)
        os.chmod(path, 0o600)
        probe = self.probe("unix", path, executable=self.public_program(), user="nobody")
        self.assertEqual(f"cannot connect to {path}: Permission denied", probe.reports.next())
        os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
        self.assert_ready(probe)


class File(ProbeTest):
    def test_is_ready_once_it_exists(self):
        path = self.path("ready")
        probe = self.probe("file", path)
        self.assertEqual(f"cannot find {path}: No such file or directory", probe.reports.next())
        self.write("ready", "")
        self.assert_ready(probe)

    def test_is_what_a_link_leads_to(self):
        path = self.path("link")
        os.symlink("target", path)
        probe = self.probe("file", path)
        self.assertEqual(f"cannot find {path}: No such file or directory", probe.reports.next())
        os.mkdir(self.path("target"))
        self.assert_ready(probe)

    def test_names_another_cause(self):
        path = self.write("file", "") + "/below"
        self.assert_says(f"cannot find {path}: Not a directory", self.probe("file", path))

    def test_is_found_in_the_directory_of_the_job(self):
        self.write("ready", "")
        self.assert_ready(self.probe("file", "ready", cwd=self.dir.name))


class Reports(ProbeTest):
    def test_come_only_when_the_reason_changes(self):
        status = ["503"]
        peer = self.peer(lambda connection: connection.sendall(f"HTTP/1.1 {status[0]} x\r\n\r\n".encode()))
        probe = self.probe("--interval", "1", "http", "127.0.0.1", peer.port, "web", "/")
        peer.await_served(5)
        status[0] = "404"
        peer.await_served(5)
        self.assertEqual((1, f"http://127.0.0.1:{peer.port}/ answered 404\n"), probe.terminate())
        self.assertEqual([f"http://127.0.0.1:{peer.port}/ answered {code}" for code in (503, 404)], probe.rest_of_reports())

    def test_are_short_and_printable(self):
        name = self.path("a") + "\n\x1b[2J\x7f\u009b\u2028\xe4\u20ac\U0001f600"
        probe = self.probe("file", os.fsencode(name) + b"\xff\xc0\x80\xbf\x80\xed\xa0\x80\xe2\x82")
        self.assertEqual("cannot find " + self.path("a") + "??[2J??????\xe4\u20ac\U0001f600" + "?" * 10 +
                         ": No such file or directory", probe.reports.next())
        for long in ("x" * 4000, "\u20ac" * 85, "\U0001f600" * 1000):
            line = self.probe("file", long).reports.next()
            self.assertLess(len(line.encode()), 200)
            self.assertRegex(line, f"^cannot find \\.\\.\\.{long[-1]}+: (No such file or directory|File name too long)$")

    def test_go_to_a_socket_too(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            process = subprocess.Popen([PROGRAM, "--report", str(theirs.fileno()), "file", "/none"], pass_fds=(theirs.fileno(),),
                                       stderr=subprocess.DEVNULL)
            self.assertTrue(Deadline().readable(ours))
            self.assertEqual(b"cannot find /none: No such file or directory\n", ours.recv(1000))
            process.terminate()
            self.assertEqual(1, process.wait())

    def test_that_nobody_takes_hold_up_nothing(self):
        """A full pipe, with O_NONBLOCK left as it is; and one that nobody reads."""
        out, inside = os.pipe()
        while select.select([], [inside], [], 0)[1]:
            os.write(inside, b"x" * 4096)
        for close_reader in (False, True):
            if close_reader:
                os.close(out)
            path = self.path(f"file {close_reader}")
            probe = self.probe("file", path, report_fd=inside)
            self.await_asleep(probe)
            self.assertTrue(os.get_blocking(inside))
            os.mkdir(path)
            self.assert_ready(probe)
        os.close(inside)

    def test_are_made_up_for(self):
        """When there is room again, although the reason is the same."""
        out, inside = os.pipe()
        self.addCleanup(os.close, out)
        filled = 0
        while select.select([], [inside], [], 0)[1]:
            filled += os.write(inside, b"x" * 4095 + b"\n")
        probe = self.probe("file", "/none", report_fd=inside)
        os.close(inside)
        self.await_asleep(probe)
        lines = Lines(out)
        for _ in range(filled // 4096):
            self.assertNotIn("none", lines.next())
        self.assertEqual("cannot find /none: No such file or directory", lines.next())

    def test_need_not_be(self):
        path = self.path("ready")
        probe = self.probe("file", path, report_fd=-1)
        self.await_asleep(probe)
        self.assertEqual((1, f"cannot find {path}: No such file or directory\n"), probe.terminate())


class Sigterm(ProbeTest):
    def test_in_the_first_attempt_says_what_it_waits_for(self):
        peer = self.peer()
        probe = self.probe("--timeout", NEVER, "http", "127.0.0.1", peer.port, "web", "/x")
        self.await_asleep(probe)
        self.assertEqual((1, f"http://127.0.0.1:{peer.port}/x did not answer yet\n"), probe.terminate())

    def test_in_a_later_attempt_says_why_the_one_before_has_failed(self):
        answers = [b"HTTP/1.1 503 x\r\n\r\n"]
        asked = []

        def serve(connection):
            if answers:
                connection.sendall(answers.pop())
                return
            asked.append(connection.recv(1))
            peer.keep(connection)

        peer = self.peer(serve)
        probe = self.probe("--timeout", NEVER, "http", "127.0.0.1", peer.port, "web", "/x")
        self.await_true("the second attempt", lambda: asked)
        self.assertEqual((1, f"http://127.0.0.1:{peer.port}/x answered 503\n"), probe.terminate())

    def test_is_obeyed_although_nobody_reads_the_reason(self):
        probe = self.probe("file", "/none")
        probe.process.stderr.close()
        self.await_asleep(probe)
        probe.process.terminate()
        self.assertEqual(1, probe.process.wait(PATIENCE))

    def test_that_the_caller_ignores_or_blocks_is_obeyed(self):
        def disturb():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        self.assert_says("cannot find /none: No such file or directory", self.probe("file", "/none", preexec_fn=disturb))


class CommandLine(ProbeTest):
    def test_that_is_wrong_is_refused(self):
        cases = {
            "no TARGET": [],
            "unknown TARGET 'udp'": ["udp", "127.0.0.1", "1"],
            "unknown option '--twice'": ["--twice", "file", "/"],
            "--grace is to be a number from 0 to 86400000, not 'x'": ["--watch", "--grace", "x", "file", "/"],
            "--failures is to be a number from 1 to 64, not '65'": ["--watch", "--failures", "65", "file", "/"],
            "--of is to be a number from 1 to 64, not '0'": ["--watch", "--of", "0", "file", "/"],
            "--successes is to be a number from 1 to 64": ["--successes"],
            "an ADDRESS and a PORT are missing": ["tcp"],
            "PORT is to be a number from 1 to 65535": ["tcp", "::1"],
            "a PATH is missing": ["file", ""],
            "too much: 'x'": ["tcp", "::1", "1", "x"],
            "a HOST and a PATH are missing": ["http", "::1", "1"],
            "not for HTTP: the HOST 'a?b'": ["http", "::1", "1", "a\rb", "/"],
            "not for HTTP: the PATH '/ HTTP/1.1'": ["http", "::1", "1", "a", "/ HTTP/1.1"],
            "not for HTTP: the PATH 'x'": ["http", "::1", "1", "a", "x"],
            "exec needs -- and a COMMAND": ["exec", "true"],
            "exec needs a COMMAND": ["exec", "--"],
            "--interval is to be a number from 1 to 86400000, not '0'": ["--interval", "0", "file", "/"],
            "--timeout is to be a number from 1 to 86400000, not '5s'": ["--timeout", "5s", "file", "/"],
            "--report is to be a number from 3 to 1073741824, not '2'": ["--report", "2", "file", "/"],
            "--report is to be a number from 3 to 1073741824": ["--report"],
        }
        for port in ("0", "65536", "99999999999999999999999", "-1", "8o", ""):
            cases[f"PORT is to be a number from 1 to 65535, not '{port}'"] = ["tcp", "::1", port]
        for address in ("", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "example", "localhos", ":", ":::", "::1:",
                        "1::2::3", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8",
                        "1:2:3:4:5:6:7:1.2.3.4", "::1%lo"):
            cases[f"no numeric IPv4 or IPv6 address: '{address}'"] = ["tcp", address, "1"]
        cases["too long for a socket: '..." + "x" * 90 + "'"] = ["unix", "/" + "x" * 107]
        for text, words in cases.items():
            done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False, timeout=20)
            self.assertEqual((2, f"procsup-probe: {text}"), (done.returncode, done.stderr.splitlines()[0]))
            self.assertIn("Usage: procsup-probe [--interval MS]", done.stderr)

    def test_names_a_descriptor_that_is_not_open(self):
        probe = self.probe("--report", "9", "file", "/", report_fd=-1)
        self.assertEqual((2, "procsup-probe: cannot report to descriptor 9: Bad file descriptor\n"), probe.end())


class Surroundings(ProbeTest):
    def test_hold_nothing_but_its_own_pages(self):
        probe = self.probe("tcp", "127.0.0.1", str(free_port()))
        probe.reports.next()
        with open(f"/proc/{probe.pid}/smaps_rollup", encoding="ascii") as file:
            pss = next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        with open(f"/proc/{probe.pid}/maps", encoding="utf-8") as file:
            maps = file.read()
        self.assertLessEqual(pss, 64)
        self.assertNotIn("[heap]", maps)
        self.assertNotIn(".so", maps)

    def test_may_have_few_descriptors(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        probe = self.probe("file", "/", report_fd=-1, preexec_fn=few)
        self.assertEqual((1, "procsup-probe: cannot watch for signals: Too many open files\n"), probe.end())

    def test_may_forbid_to_write_files(self):
        """With SIGXFSZ, which would be the end before the first attempt is over."""
        with open(self.path("report"), "wb") as report:
            probe = self.probe("file", self.path("ready"), report_fd=report.fileno(),
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
            self.await_asleep(probe)
            self.write("ready", "")
            self.assert_ready(probe)


if __name__ == "__main__":
    unittest.main()
