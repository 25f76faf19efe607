"""Orphans: thousands of foreign children die at once; they are reaped while the control socket answers."""

import os
import signal
import time

from harness import machine
from harness.echo import EchoServer
from harness.figures import TIME, Samples, in_turn
from harness.pings import Pings
from harness.running import Running
from harness.supervisors import Floor, Job


def storm(bench, samples, running, count, socket):
    """Lets the orphans die while `socket` is pinged, for the floor an echo server's."""
    name = running.supervisor.name
    running.wait(lambda: running.board.header().parked >= count, f"{count} orphans waiting", 120)
    time.sleep(0.2)
    main = running.board.records(limit=1)[0].pid
    with Pings(bench.tools, socket) as pings:
        before = machine.cpu_ns(running.pid)
        os.kill(main, signal.SIGUSR1)
        running.wait(lambda: running.board.header().gone_ns != 0, "all orphans reaped", 120)
        time.sleep(0.05)
        cpu = machine.cpu_ns(running.pid) - before
    header = running.board.header()
    samples.add(name, "wall", header.gone_ns - header.released_ns)
    samples.add(name, "cpu", cpu / count)
    samples.add(name, "ping", pings.worst)
    # The raw loop ends when its last child has ended.
    os.kill(main, signal.SIGTERM)


def one_round(bench, samples, supervisor, count):
    jobs = [Job("storm", [bench.tools.orphans, "BOARD", str(count), "0"])]
    with Running(bench.tools, supervisor, jobs, capacity=count + 100) as running:
        if supervisor is bench.product:
            storm(bench, samples, running, count, supervisor.socket(running.folder))
        else:
            with EchoServer(bench.tools) as echo:
                storm(bench, samples, running, count, echo.socket)


def run(bench):
    samples = Samples()
    count, rounds = (50, 2) if bench.quick else (10000, 7)
    count = bench.affordable(count)
    for number in range(rounds):
        for supervisor in in_turn([Floor(bench.tools, "reap"), bench.product], number):
            one_round(bench, samples, supervisor, count)
    worst = samples.row(f"worst ping while they die, of {rounds} rounds, by a client at real-time priority", TIME, "ping", most=100e6)
    return [
        samples.row(f"{count:,} orphans die at once: all reaped", TIME, "wall", most_ratio=1.15),
        samples.row("supervisor CPU per orphan", TIME, "cpu", most=12e3),
        worst._replace(product=samples.worst("procsupd", "ping"), floor=samples.worst("floor", "ping")),
    ]
