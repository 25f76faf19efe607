"""Health: what it costs to look at many jobs again and again."""

import contextlib
import os
import socket
import threading
import time

from harness import machine
from harness.figures import PERCENT, Samples
from harness.running import Running
from harness.supervisors import Procsupd, jobs_of

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Page:
    """Answers whoever asks, in a thread of this program."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(4096)
                    connection.sendall(ANSWER)

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Watched(Procsupd):
    """Each job is looked at every ten seconds."""

    def __init__(self, tools, port):
        super().__init__(tools)
        self._port = port

    def more_settings(self, folder, job):
        return [f'health = {{ http = "http://127.0.0.1:{self._port}/", interval = "10s", action = "none" }}']


def probes_of(pid):
    """The processes that look, which are children of procsupd."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        children = [int(word) for word in file.read().split()]
    return [child for child in children if os.path.basename(os.readlink(f"/proc/{child}/exe")) == "procsup-probe"]


def run(bench):
    samples = Samples()
    count, seconds = (20, 1) if bench.quick else (1000, 30)
    page = Page()
    jobs = jobs_of(count, [bench.tools.service, "BOARD", "park"])
    with contextlib.closing(page), Running(bench.tools, Watched(bench.tools, page.port), jobs,
                                           capacity=4 * count + 100) as running:
        running.wait_born(count)
        running.wait(lambda: len(probes_of(running.pid)) == count, "a probe for each job", 60)
        # Until the first looks, which are all at once, are over.
        running.wait_settled(bench.quiet_seconds)
        pids = [running.pid, *probes_of(running.pid)]
        before = {pid: machine.cpu_ns(pid) for pid in pids}
        time.sleep(seconds)
        used = {pid: machine.cpu_ns(pid) - before[pid] for pid in pids}
        samples.add("procsupd", "all", 100 * sum(used.values()) / (seconds * 1e9))
        samples.add("procsupd", "own", 100 * used[running.pid] / (seconds * 1e9))
    what = f"{count:,} jobs that are asked by HTTP every 10 s: share of a processor"
    return [samples.row(f"{what}, procsupd and its probes", PERCENT, "all", most=3),
            samples.row(f"{what}, procsupd alone", PERCENT, "own")]
