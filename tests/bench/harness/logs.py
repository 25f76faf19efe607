"""Captured output: what it costs to have in files what jobs write, and how fast it gets there."""

import os
import signal
import time

from harness import machine
from harness.figures import COUNT, MEMORY, PERCENT, RATE, TIME, TIMES, Row, Samples, in_turn
from harness.log_peers import Captured, Cat, log_peers, output_of
from harness.running import Running
from harness.supervisors import Job, jobs_of

FORMS = ("raw", "stamped", "json")
LINE = 100
BIG_WRITE = 65500
GIB = 1 << 30
SECONDS = 180  # of one round at most
LEAST_RATIO = {BIG_WRITE: {"raw": 0.85, "stamped": 0.5, "json": 0.3}, LINE: dict.fromkeys(FORMS, 1.0)}
MOST_CPU = {BIG_WRITE: {"raw": 0.9e9, "stamped": 1.2e9}, LINE: {}}


def let_go(running):
    for record in running.board.records():
        os.kill(record.pid, signal.SIGUSR1)


def end_writers(running):
    """A shell that waits for a pipe ends with them."""
    for record in running.board.records():
        os.kill(record.pid, signal.SIGTERM)


def bulk_job(bench, size, write, line, folder="", expected=0):
    return Job("b00000", [bench.tools.log_writer, "BOARD", "bulk", str(size), str(write), str(line), folder,
                          str(expected), "0"])


class Bulk:
    """One kind of load, and what everyone makes of it."""

    def __init__(self, bench, write, size):
        self._bench = bench
        self._write = write
        self._size = size // LINE * LINE
        self._samples = Samples()
        self._peers = {form: [peer for peer in log_peers(form) if bench.compares and peer.present()] for form in FORMS}

    def run(self, rounds):
        contestants = [(Cat(), None), *((Captured(self._bench.tools, form), form) for form in FORMS),
                       *((peer, form) for form in FORMS for peer in self._peers[form])]
        for number in range(rounds):
            for supervisor, form in in_turn(contestants, number):
                self._bench.attempt(supervisor, number, self._one_round, supervisor, form)
        return [row for form in FORMS for row in self._rows(form)]

    def _one_round(self, supervisor, form):
        job = bulk_job(self._bench, self._size, self._write, LINE, "OUTPUT", self._expected(supervisor))
        with Running(self._bench.tools, supervisor, [job], capacity=100) as running:
            running.wait_born(1)
            running.wait(lambda: supervisor.logging(running), "a logger", 30)
            time.sleep(self._bench.quiet_seconds / 20)
            logging = supervisor.logging(running)
            before = sum(map(machine.cpu_ns, logging))
            let_go(running)
            running.wait(lambda: running.board.header().parked, "all output in its files", SECONDS)
            header = running.board.header()
            cpu = sum(map(machine.cpu_ns, logging)) - before
            end_writers(running)
        for one in [form] if form else FORMS:
            self._add(supervisor, one, header, cpu)

    def _add(self, supervisor, form, header, cpu):
        seconds = (header.gone_ns - header.released_ns) / 1e9
        for metric, value in (("rate", self._size / 1e6 / seconds), ("logger", cpu / self._size * GIB),
                              ("writer", header.spent_ns / self._size * GIB),
                              ("bytes", self._expected(supervisor) / self._size)):
            self._samples.add(supervisor.name, f"{metric} {form}", value)

    def _expected(self, supervisor):
        return self._size + self._size // LINE * supervisor.bytes_per_line("b00000")

    def _rows(self, form):
        write = "a line a write" if self._write == LINE else f"{self._write:,} bytes a write"
        what = f"captured output, {form}, {write}"

        def row(text, kind, metric, **target):
            return self._samples.row(f"{what}: {text}", kind, f"{metric} {form}", self._peers[form],
                                     f"procsupd-{form}", **target)

        return [row("until it is in its files", RATE, "rate", least_ratio=LEAST_RATIO[self._write][form]),
                row("CPU of the logger per GiB", TIME, "logger", most=MOST_CPU[self._write].get(form)),
                row("CPU of the writer per GiB", TIME, "writer"),
                row("bytes in the files for each written, to the byte", TIMES, "bytes")]


class Long:
    """A line that does not end: however long it gets, no more of it is held."""

    def __init__(self, bench, size):
        self._bench = bench
        self._size = size

    def run(self):
        grown = {form: self._grown(Captured(self._bench.tools, form)) for form in FORMS}
        return [Row(f"captured output, {form}, a line of {self._size >> 20:,} MiB: most that the logger grows", MEMORY,
                    kib, most=4096) for form, kib in grown.items()]

    def _grown(self, supervisor):
        job = bulk_job(self._bench, self._size, BIG_WRITE, 0)
        with Running(self._bench.tools, supervisor, [job], capacity=100) as running:
            running.wait_born(1)
            running.wait(lambda: supervisor.logging(running), "a logger", 30)
            time.sleep(self._bench.quiet_seconds / 20)
            (logger,) = supervisor.logging(running)
            before = machine.resident_kib(logger)
            machine.forget_most_resident(logger)
            let_go(running)
            running.wait(lambda: running.board.header().parked, "the line to be written", SECONDS)
            return machine.resident_kib(logger, most=True) - before


class Many:
    """Jobs that write a little now and then, and then nothing."""

    def __init__(self, bench, count, seconds):
        self._bench = bench
        self._count = count
        self._seconds = seconds

    def run(self):
        supervisor = Captured(self._bench.tools, "stamped")
        jobs = jobs_of(self._count, [self._bench.tools.log_writer, "BOARD", "lines"])
        with Running(self._bench.tools, supervisor, jobs, capacity=4 * self._count + 100) as running:
            running.wait_born(self._count)
            time.sleep(self._bench.quiet_seconds / 2)
            (logger,) = supervisor.logging(running)
            before = machine.cpu_ns(logger)
            time.sleep(self._seconds)
            busy = machine.cpu_ns(logger) - before
            let_go(running)
            running.wait_settled(self._bench.quiet_seconds)
            pids = (logger, running.pid)
            before = [machine.context_switches(pid) for pid in pids]
            time.sleep(self._seconds)
            idle = [machine.context_switches(pid) - count for pid, count in zip(pids, before)]
            memory = machine.pss_kib(logger)
        what = f"captured output of {self._count:,} jobs"
        return [Row(f"{what} that write 10 lines a second each: CPU of the logger", PERCENT,
                    busy / self._seconds / 1e7, most=3),
                Row(f"{what}, idle for {self._seconds} s: context switches of the logger", COUNT, idle[0], most=0),
                Row(f"{what}, idle for {self._seconds} s: context switches of procsupd", COUNT, idle[1], most=0),
                Row(f"{what}: memory (PSS) of the logger", MEMORY, memory)]


def run(bench):
    """Where others take part there is time for more."""
    for peer in [peer for form in FORMS for peer in log_peers(form) if bench.compares and not peer.present()]:
        bench.note(f"{peer.program} was left out: the Debian package {peer.package} is not installed")
    size, rounds, count, seconds = (2 << 20, 1, 20, 1) if bench.quick else (1 << 30, 3, 1000, 10) if bench.compares \
        else (256 << 20, 3, 1000, 5)
    small = size // 8 if bench.compares else size // 4
    return [*Bulk(bench, BIG_WRITE, size).run(rounds), *Bulk(bench, LINE, small).run(rounds),
            *Many(bench, count, seconds).run(), *Long(bench, size).run()]
