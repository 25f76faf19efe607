"""procsup-probe http: servers as they are, and as they must not be."""
import contextlib
import http.server
import os
import shutil
import socket
import struct
import subprocess
import threading
import unittest

from harness import ROOT
from probe_process import NETWORKS, NEVER, ProbeTest, in_own_network
from processes import free_port

NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
NGINX_CONF = """
daemon off;
master_process off;
pid nginx.pid;
{user}
error_log /dev/stderr info;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:{port}; listen [::1]:{port}; server_name other; return 404;
  }}
  server {{
    listen 127.0.0.1:{port}; listen [::1]:{port}; server_name web;
    {locations}
    location /close {{ return 444; }}
    location /large {{ root .; }}
  }}
}}
"""
GOOD, BAD = (200, 204, 301, 302, 304, 399), (400, 404, 500, 503)
REQUEST = (b"GET /health?a=b%20c HTTP/1.1\r\nHost: web.example:80\r\nUser-Agent: procsup-probe\r\n"
           b"Connection: close\r\n\r\n")


def read_request(connection):
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        data = connection.recv(4096)
        if not data:
            break
        request += data
    return request


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class HttpTest(ProbeTest):
    def ask(self, peer, *options, path="/"):
        return self.probe(*options, "http", "127.0.0.1", peer.port, "web", path)

    def answering(self, *pieces):
        """A peer that reads the request and then sends all pieces, each in a segment of its own."""
        def serve(connection):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            read_request(connection)
            for piece in pieces:
                connection.sendall(piece)
        return self.peer(serve)

    def assert_fails(self, peer, text, *options):
        self.assert_says(f"http://127.0.0.1:{peer.port}/{text}", self.ask(peer, *options))


class Request(HttpTest):
    def test_is_this(self):
        got = []

        def serve(connection):
            got.append(read_request(connection))
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        peer = self.peer(serve)
        self.assert_ready(self.probe("http", "127.0.0.1", peer.port, "web.example:80", "/health?a=b%20c"))
        peer.await_served()
        self.assertEqual([REQUEST], got)


@unittest.skipUnless(NETWORKS, "needs root and network namespaces")
class LargeRequest(HttpTest):
    """One that a socket does not take at once."""
    PATH = "/" + "x" * 131_000  # near MAX_ARG_STRLEN

    def ask_narrow(self, serve, *options):
        """The peer, and the probe."""
        def work():
            peer = self.peer(serve)
            return peer, self.ask(peer, *options, path=self.PATH)
        return in_own_network(work, ipv4__tcp_wmem="4096 4096 4096", ipv4__tcp_rmem="4096 4096 4096")

    def test_arrives_as_a_whole(self):
        got = []

        def serve(connection):
            got.append(read_request(connection))
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        peer, probe = self.ask_narrow(serve)
        self.assert_ready(probe)
        peer.await_served()
        self.assertEqual([REQUEST.replace(b"/health?a=b%20c", self.PATH.encode()).replace(b"web.example:80", b"web")], got)

    def test_may_be_answered_before_it_was_read(self):
        def serve(connection):
            connection.recv(1)
            connection.sendall(b"HTTP/1.1 414 x\r\n\r\n")
        self.assertRegex(self.ask_narrow(serve)[1].reports.next(), " answered 414$")

    def test_has_its_time_too(self):
        probe = self.ask_narrow(None, "--timeout", "50")[1]
        self.assertRegex(probe.reports.next(), r"^http://127\.0\.0\.1:\d+\.\.\.x+ did not answer within 50ms$")


class Status(HttpTest):
    def test_is_good_from_200_to_399(self):
        for status in GOOD:
            self.assert_ready(self.ask(self.answering(b"HTTP/1.1 %d x\r\n\r\n" % status)))
        for status in (0, 100, 199, 400, 404, 503, 999):
            self.assert_fails(self.answering(b"HTTP/1.1 %03d x\r\n\r\n" % status), f" answered {status}")

    def test_may_stand_alone(self):
        for line in (b"HTTP/1.0 200\r\n", b"HTTP/1.1 200\n", b"HTTP/1.1 200 "):
            self.assert_ready(self.ask(self.answering(line)))

    def test_is_of_http_or_the_answer_is_none(self):
        for garbage in (b"\0", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 20", b"HTTP/1.1 200", b"HTTP/1.1 2000 OK\r\n",
                        b"HTTP/1.1  200 OK\r\n", b"HTTP/x.1 200 OK\r\n", b"\r\nHTTP/1.1 200 OK\r\n", b"ICY 200 OK\r\n",
                        os.urandom(5000)):
            self.assert_fails(self.answering(garbage), " answered, but not with HTTP")

    def test_may_come_byte_by_byte(self):
        self.assert_ready(self.ask(self.answering(*(b"%c" % c for c in b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody"))))

    def test_of_a_redirect_is_all_that_is_asked(self):
        """Where it leads to is not looked at."""
        peer = self.answering(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n")
        self.assert_ready(self.ask(peer))


class Time(HttpTest):
    def test_is_bounded_for_who_never_answers(self):
        peer = self.peer()
        self.assert_fails(peer, " did not answer within 50ms", "--timeout", "50")

    def test_is_bounded_for_who_trickles(self):
        def serve(connection):
            for c in b"HTTP/1.1 200":
                connection.sendall(b"%c" % c)
            peer.keep(connection)
        peer = self.peer(serve)
        self.assert_fails(peer, " did not answer within 1s", "--timeout", "1000")

    def test_is_not_spent_on_who_stays_after_his_answer(self):
        def serve(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            peer.keep(connection)
        peer = self.peer(serve)
        self.assert_ready(self.ask(peer, "--timeout", NEVER))

    def test_is_not_spent_on_a_flood(self):
        """Of which the probe reads 4 KiB."""
        for begin in (b"HTTP/1.1 200 OK\r\nA: ", b"HTTP/1.1 200 "):
            cut = []

            def flood(connection, begin=begin, cut=cut):
                connection.sendall(begin)
                try:
                    for _ in range(1 << 30 >> 20):
                        connection.sendall(b"x" * (1 << 20))
                except ConnectionError as error:
                    cut.append(error)
            peer = self.peer(flood)
            self.assert_ready(self.ask(peer, "--timeout", NEVER))
            peer.await_served()
            self.assertEqual(1, len(cut))

    def test_between_the_first_attempts_is_short(self):
        """Four of them come soon, whatever the interval."""
        answers = [b"503"] * 4 + [b"200"]
        peer = self.peer(lambda connection: connection.sendall(b"HTTP/1.1 %s x\r\n\r\n" % answers.pop(0)))
        self.assert_ready(self.ask(peer, "--interval", NEVER))
        self.assertEqual([], answers)


class End(HttpTest):
    def test_without_an_answer(self):
        self.assert_fails(self.peer(read_request), " closed the connection without an answer")

    def test_by_a_reset(self):
        self.assert_fails(self.peer(lambda connection: (read_request(connection), reset(connection))),
                          ": cannot read the answer: Connection reset by peer")

    def test_of_the_connection_right_away(self):
        """While the request is being written."""
        peer = self.peer(reset)
        line = self.ask(peer).reports.next()
        self.assertRegex(line, "(Connection reset by peer|without an answer)$")

    def test_behind_a_small_answer_is_left_to_the_server(self):
        """Who would log that his client is gone while he writes."""
        ends = []

        def serve(connection):
            read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            connection.sendall(b"body" * 100)
            connection.shutdown(socket.SHUT_WR)
            ends.append(connection.recv(1))  # an error if it was reset
        peer = self.peer(serve)
        self.assert_ready(self.ask(peer))
        peer.await_served()
        self.assertEqual([b""], ends)


class Localhost(HttpTest):
    def serve_both(self, ipv4, ipv6):
        first = self.peer(lambda connection: connection.sendall(ipv4))
        self.peer(lambda connection: connection.sendall(ipv6), family=socket.AF_INET6, place=int(first.port))
        return self.probe("http", "localhost", first.port, "localhost", "/"), f"http://localhost:{first.port}/"

    def test_is_ready_if_one_of_both_is(self):
        good, bad = b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 503 x\r\n\r\n"
        self.assert_ready(self.serve_both(good, bad)[0])
        self.assert_ready(self.serve_both(bad, good)[0])

    def test_tells_the_failure_of_the_first(self):
        probe, url = self.serve_both(b"HTTP/1.1 503 x\r\n\r\n", b"HTTP/1.1 404 x\r\n\r\n")
        self.assert_says(f"{url} answered 503", probe)

    def test_tells_the_failure_of_the_one_who_is_there(self):
        for family in (socket.AF_INET, socket.AF_INET6):
            peer = self.peer(lambda connection: connection.sendall(b"HTTP/1.1 503 x\r\n\r\n"), family=family)
            self.assert_says(f"http://localhost:{peer.port}/ answered 503",
                             self.probe("http", "localhost", peer.port, "localhost", "/"))

    def test_does_not_tell_what_is_behind_the_question_mark(self):
        peer = self.peer(lambda connection: connection.sendall(b"HTTP/1.1 503 x\r\n\r\n"))
        self.assert_says(f"http://127.0.0.1:{peer.port}/up answered 503",
                         self.probe("http", "127.0.0.1", peer.port, "web", "/up?key=" + 100 * "secret"))


class RealServers(HttpTest):
    @unittest.skipUnless(NGINX, "needs nginx")
    def test_nginx(self):
        port = str(free_port())
        locations = "\n".join(f"location /{code} {{ return {code}; }}" for code in GOOD + BAD)
        conf = self.write("nginx.conf", NGINX_CONF.format(port=port, user="user root;" if ROOT else "", locations=locations))
        os.mkdir(self.path("large"))
        self.write("large/file", "x" * 10_000_000)
        waiting = self.probe("--timeout", NEVER, "http", "localhost", port, "web", "/204")
        self.assertEqual(f"cannot connect to localhost:{port}: Connection refused", waiting.reports.next())
        with open(self.path("log"), "wb") as log:
            nginx = subprocess.Popen([NGINX, "-e", "/dev/stderr", "-p", self.dir.name, "-c", conf], stderr=log)
        self.addCleanup(nginx.wait)
        self.addCleanup(nginx.kill)
        self.assert_ready(waiting)
        for path in (*GOOD, "large/file"):
            self.assert_ready(self.probe("http", "127.0.0.1", port, "web", f"/{path}"))
        self.assert_ready(self.probe("http", "::1", port, "web", "/200"))
        for path, text in (*((code, f" answered {code}") for code in BAD), ("large/none", " answered 404"),
                           ("close", " closed the connection without an answer")):
            self.assert_says(f"http://127.0.0.1:{port}/{path}{text}", self.probe("http", "127.0.0.1", port, "web", f"/{path}"))
        self.assert_says(f"http://[::1]:{port}/200 answered 404", self.probe("http", "::1", port, "other", "/200"))

    def test_python_finds_nothing_to_complain_about(self):
        complaints = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"well")

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                complaints.append(_)

        with Server(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            with contextlib.ExitStack() as stack:
                stack.callback(thread.join)
                stack.callback(server.shutdown)
                self.assert_ready(self.probe("http", "127.0.0.1", str(server.server_address[1]), "web", "/"))
        self.assertEqual([], complaints)


if __name__ == "__main__":
    unittest.main()
