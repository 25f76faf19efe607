"""Trees: a job whose thousands of processes resist is stopped, while the control socket answers."""

import os
import signal
import subprocess

from harness import cgroup, machine
from harness.echo import EchoServer
from harness.figures import TIME, Samples, in_turn
from harness.pings import Pings
from harness.running import Running
from harness.supervisors import Job, TreeFloor

MOST_RATIO = {"cgroup": 1.5, "keeper": 3.0}
STOP_SECONDS = 120


def end_by_group(bench, running):
    os.kill(running.pid, signal.SIGUSR1)
    running.wait(lambda: running.board.header().gone_ns != 0, "all of the tree collected", STOP_SECONDS)


def end_by_command(bench, running):
    """Until it says that the job is stopped, and nothing of the tree exists any more."""
    argv, environment = running.supervisor.stop(running.folder, "tree")
    done = subprocess.run([bench.tools.stop_tree, running.board.path, *argv], env={**os.environ, **environment},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=STOP_SECONDS)
    if done.returncode != 0:
        raise machine.Broken(f"{running.supervisor.name}: to stop it ended with {done.returncode}: {done.stderr[-2000:]}")


def one_round(bench, samples, supervisor, count, end, socket):
    jobs = [Job("tree", [bench.tools.tree, "BOARD", str(count), "0"], killed=True)]
    with Running(bench.tools, supervisor, jobs, capacity=count + 100) as running:
        running.wait(lambda: running.board.header().parked >= count, f"a tree of {count} processes", 120)
        running.wait_settled(bench.quiet_seconds / 4)
        with Pings(bench.tools, socket or supervisor.socket(running.folder)) as pings:
            end(bench, running)
        header = running.board.header()
        samples.add(supervisor.name, "wall", header.gone_ns - header.released_ns)
        samples.add(supervisor.name, "ping", pings.worst)


def floor_round(bench, samples, count):
    with cgroup.Group() as group, EchoServer(bench.tools) as echo:
        one_round(bench, samples, TreeFloor(bench.tools, group), count, end_by_group, echo.socket)


def rows_of(samples, supervisor, count, rounds):
    mode = supervisor.mode
    worst = samples.row(f"worst ping meanwhile, {mode}, of {rounds} rounds, by a client at real-time priority", TIME,
                        "ping", product=supervisor.name, most=100e6)
    return [samples.row(f"a tree of {count:,} processes ended, {mode}: from the request until nothing is left", TIME, "wall",
                        product=supervisor.name, most_ratio=MOST_RATIO[mode]),
            worst._replace(product=samples.worst(supervisor.name, "ping"), floor=samples.worst("floor", "ping"))]


def run(bench):
    if "cgroup" not in bench.modes():
        bench.note("tree was left out: its floor needs a cgroup")
        return []
    samples = Samples()
    count, rounds = (300, 2) if bench.quick else (10000, 7)
    count = bench.affordable(count)
    products = [bench.in_mode(mode) for mode in bench.modes() if mode in MOST_RATIO]
    for number in range(rounds):
        for supervisor in in_turn([None, *products], number):
            if supervisor is None:
                floor_round(bench, samples, count)
            else:
                one_round(bench, samples, supervisor, count, end_by_command, None)
    return [row for supervisor in products for row in rows_of(samples, supervisor, count, rounds)]
