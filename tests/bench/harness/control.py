"""Control: whole commands, and a round trip on a connection that stays open, each beside an echo server's."""

import os
import subprocess
from statistics import median

from harness import machine
from harness.echo import EchoServer
from harness.figures import TIME, Samples, in_turn
from harness.running import Running
from harness.supervisors import jobs_of


def in_columns(argv, environment, count, cpu=None):
    """Runs a helper that prints "INDEX NANOSECONDS [STATUS]" lines; the times by index."""
    done = subprocess.run(argv, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, preexec_fn=None if cpu is None else lambda: os.sched_setaffinity(0, {cpu}))
    columns = [[] for _ in range(count)]
    for line in done.stdout.splitlines():
        index, took, *status = line.split()
        if status and status[0] != "0":
            raise machine.Broken(f"a command ended with {status[0]}: {' '.join(argv)}\n{done.stderr[-2000:]}")
        columns[int(index)].append(int(took))
    if done.returncode != 0 or not all(columns):
        raise machine.Broken(f"ended with {done.returncode}: {' '.join(argv)}\n{done.stderr[-2000:]}")
    return columns


def commands(bench, echo, times, status):
    """Medians of a status command and, in turn with it, of the least command that asks a server."""
    argv, environment = status
    took, floor = in_columns([bench.tools.commands, str(times), "15", "--", *argv, "--", bench.tools.ask, echo.socket],
                             environment, 2)
    return median(took), median(floor)


def one_round(bench, samples, supervisor, count, times, echo):
    jobs = jobs_of(count, [bench.tools.service, "BOARD", "park"])
    with Running(bench.tools, supervisor, jobs, capacity=4 * count + 100) as running:
        running.wait_born(count)
        running.wait_settled(bench.quiet_seconds, most_seconds=5)
        status_one = supervisor.status_one(running.folder, jobs[count // 2])
        if status_one:
            one, floor = commands(bench, echo, times, status_one)
            samples.add(supervisor.name, "one", one)
            if supervisor is bench.product:
                samples.add("floor", "one", floor)
            else:
                samples.add(supervisor.name, "one over floor", one / floor)
        status_all = supervisor.status_all(running.folder, jobs)
        if status_all:
            samples.add(supervisor.name, "all", commands(bench, echo, max(times // 4, 1), status_all)[0])
        if supervisor is bench.product:
            applied = commands(bench, echo, max(times // 4, 1), supervisor.apply(running.folder))[0]
            samples.add(supervisor.name, "apply", applied)
            pings(bench, samples, running, echo)


def placements():
    """Which processor the client and which the server has. A round trip between two takes several times as long as on
    one, and where the kernel leaves both is luck, so it is not left to it."""
    cpus = sorted(os.sched_getaffinity(0))
    return {"one": (cpus[0], cpus[0]), **({"two": (cpus[0], cpus[1])} if len(cpus) > 1 else {})}


def pings(bench, samples, running, echo):
    rounds, block = (2, 5) if bench.quick else (20, 500)
    before = os.sched_getaffinity(running.pid)
    for name, (client, server) in placements().items():
        for pid in (running.pid, echo.pid):
            os.sched_setaffinity(pid, {server})
        product, floor = in_columns([bench.tools.ping, "turns", str(rounds), str(block),
                                     running.supervisor.socket(running.folder), echo.socket], {}, 2, client)
        samples.add("procsupd", f"ping {name}", median(product))
        samples.add("floor", f"ping {name}", median(floor))
    for pid in (running.pid, echo.pid):
        os.sched_setaffinity(pid, before)


def run(bench):
    samples = Samples()
    count, times, rounds = (20, 3, 1) if bench.quick else (1000, 200, 5)
    with EchoServer(bench.tools) as echo:
        for number in range(rounds):
            for supervisor in in_turn([bench.product, *bench.peers], number):
                bench.attempt(supervisor, number, one_round, bench, samples, supervisor, count, times, echo)
    one = samples.row("`procsupctl status ONE`, the whole command", TIME, "one", bench.peers, most_ratio=1.5)
    # A peer's floor is the one that took turns with its own command.
    one = one._replace(peers={name: (value, samples.of(name, "one over floor"))
                              for name, (value, _) in one.peers.items()})
    return [one,
            samples.row(f"`procsupctl status` of {count:,} jobs, the whole command", TIME, "all", bench.peers,
                        most=10e6),
            samples.row(f"`procsupctl apply` of {count:,} jobs that have not changed, the whole command", TIME, "apply",
                        most=50e6),
            *(samples.row(f"ping on an open connection, client and server on {name} core{'s' * (name != 'one')}", TIME,
                          f"ping {name}", most_ratio=1.5) for name in placements())]
