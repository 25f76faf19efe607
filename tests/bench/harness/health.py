"""Health: what it costs to look at many jobs again and again, and whether others are served later for it."""

import contextlib
import os
import socket
import threading
import time
from statistics import median, quantiles

from harness import machine
from harness.figures import PERCENT, TIME, Row, Samples, in_turn
from harness.restart import gaps
from harness.running import Running
from harness.supervisors import Job, Procsupd, jobs_of

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
    """Each job is looked at every ten seconds, but those that end."""

    def __init__(self, tools, port):
        super().__init__(tools)
        self._port = port
        self.name = "watched"

    def more_settings(self, folder, job):
        if job.restarts:
            return []
        return [f'health = {{ http = "http://127.0.0.1:{self._port}/", interval = "10s", action = "none" }}']


def probes_of(pid):
    """The processes that look, which are children of procsupd."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        children = [int(word) for word in file.read().split()]
    return [child for child in children if os.path.basename(os.readlink(f"/proc/{child}/exe")) == "procsup-probe"]


def share_rows(bench, samples, count, seconds, page):
    jobs = jobs_of(count, [bench.tools.service, "BOARD", "park"])
    with Running(bench.tools, Watched(bench.tools, page.port), jobs, capacity=4 * count + 100) as running:
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


def exits(bench, samples, supervisor, count, seconds):
    """One more job ends again and again: until its successor runs, the death has to be seen."""
    ends = Job("ends", [bench.tools.service, "BOARD", "live", "20", str(count)], restarts=True)
    jobs = [*jobs_of(count, [bench.tools.service, "BOARD", "park"]), ends]
    with Running(bench.tools, supervisor, jobs, capacity=4 * count + 10000) as running:
        running.wait_born(count)
        # The first looks are all at once.
        time.sleep(min(2, seconds))
        before = len(running.board.records())
        time.sleep(seconds)
        found = gaps([record for record in running.board.records()[before:] if record.id == count])
    samples.add(supervisor.name, "half", median(found))
    samples.add(supervisor.name, "late", quantiles(found, n=100)[-1])


def exit_rows(bench, samples, count, page):
    rounds, seconds = (1, 1) if bench.quick else (5, 11)
    plain, watched = Procsupd(bench.tools), Watched(bench.tools, page.port)
    for number in range(rounds):
        for supervisor in in_turn([plain, watched], number):
            exits(bench, samples, supervisor, count, seconds)
    what = f"death to successor's main() beside {count:,} such jobs, and beside as many that nobody looks at"
    return [Row(what, TIME, samples.of("watched", "half"), samples.of(plain.name, "half"), most_ratio=1.1),
            Row(f"{what}: the latest of 100", TIME, samples.of("watched", "late"), samples.of(plain.name, "late"),
                most_ratio=1.5)]


def run(bench):
    samples = Samples()
    count, seconds = (20, 1) if bench.quick else (1000, 30)
    page = Page()
    with contextlib.closing(page):
        return [*share_rows(bench, samples, count, seconds, page), *exit_rows(bench, samples, count, page)]
