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


def await_parked(running, count):
    running.wait(lambda: running.board.header().parked >= count, f"{count} orphans waiting", 120)
    time.sleep(0.2)


def storm(running, reaper, main):
    """Lets the orphans of the process `main` die: the time until none is left, and the CPU time of `reaper` for that."""
    before = machine.cpu_ns(reaper)
    os.kill(main, signal.SIGUSR1)
    running.wait(lambda: running.board.header().gone_ns != 0, "all orphans reaped", 120)
    time.sleep(0.05)
    header = running.board.header()
    return header.gone_ns - header.released_ns, machine.cpu_ns(reaper) - before


def pinged_storm(bench, samples, running, count, socket):
    """For the floor `socket` is an echo server's."""
    name = running.supervisor.name
    await_parked(running, count)
    main = running.board.records(limit=1)[0].pid
    with Pings(bench.tools, socket) as pings:
        wall, cpu = storm(running, running.pid, main)
    samples.add(name, "wall", wall)
    samples.add(name, "cpu", cpu / count)
    samples.add(name, "ping", pings.worst)
    # The raw loop ends when its last child has ended.
    os.kill(main, signal.SIGTERM)


def one_round(bench, samples, supervisor, count):
    jobs = [Job("storm", [bench.tools.orphans, "BOARD", str(count), "0"])]
    with Running(bench.tools, supervisor, jobs, capacity=count + 100) as running:
        if supervisor is bench.product:
            pinged_storm(bench, samples, running, count, supervisor.socket(running.folder))
        else:
            with EchoServer(bench.tools) as echo:
                pinged_storm(bench, samples, running, count, echo.socket)


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
