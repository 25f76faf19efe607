"""Accept: each connection is served by a program that is started for it and has it as standard input and output."""

import contextlib
import socket
from statistics import median, quantiles

from harness import machine
from harness.accept_peers import KINDS
from harness.control import in_columns
from harness.figures import PER_SECOND, TIME, Samples
from harness.running import Running
from harness.supervisors import Job, Procsupd, Supervisor

CROWD = 200
MOST_RATIO = 1.5


class Server(Supervisor):
    """The floor: the raw loop that accepts and vforks (helpers/serve.c)."""
    name = "floor"

    def __init__(self, tools, port):
        self._tools = tools
        self._port = port

    def prepare(self, folder, jobs):
        return [self._tools.serve, str(self._port), *jobs[0].argv]


class Accepting(Procsupd):
    def __init__(self, tools, port, most):
        super().__init__(tools)
        self._port, self._most = port, most

    def more_settings(self, folder, job):
        return [f"[[jobs.{job.name}.sockets]]", f'listen = "127.0.0.1:{self._port}"', "accept = true",
                f"max_connections = {self._most}"]


def free_ports(count):
    """They are of nobody now; connections of the test come from other addresses, and cannot take them."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


def serves(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(b"yes\n")
            client.shutdown(socket.SHUT_WR)
            return client.recv(16) == b"YES\n"
    except OSError:
        return False


def contestants(bench, most):
    """With the port that each serves. Nobody is at the limit of connections: a client that has its answer and calls again may
    be there before the end of the program that served it was seen."""
    floor, product, *ports = free_ports(2 + len(KINDS))
    found = [(Server(bench.tools, floor), floor), (Accepting(bench.tools, product, most), product)]
    for peer, port in [(kind(port, most), port) for kind, port in zip(KINDS, ports) if bench.compares]:
        if peer.present():
            found.append((peer, port))
        else:
            bench.note(f"{peer.name} was left out: the Debian package {peer.package} is not installed")
    return found


def start(bench, stack, supervisor, port):
    running = stack.enter_context(Running(bench.tools, supervisor, [Job("upper", [bench.tools.upper])], capacity=1))
    running.wait(lambda: serves(port), f"an answer on port {port}", 30)


def call(bench, supervisor, port, count, at_once):
    """What each connection took, and all of them together."""
    try:
        took, (wall,), _ = in_columns([bench.tools.callers, str(port), str(count), str(at_once)], {}, 3)
    except machine.Broken as error:
        raise machine.Broken(f"{supervisor.name}, {at_once} at a time: {str(error).splitlines()[-1]}") from error
    return took, wall


def block(bench, samples, supervisor, port, count, at_once):
    """The first of a block are not counted: what ran before it was another one."""
    call(bench, supervisor, port, max(count // 10, 1), at_once)
    took, wall = call(bench, supervisor, port, count, at_once)
    samples.add(supervisor.name, f"rate {at_once}", count / wall * 1e9)
    samples.add(supervisor.name, f"half {at_once}", median(took))
    samples.add(supervisor.name, f"late {at_once}", quantiles(took, n=100)[-1])


def run(bench):
    """All of them listen from the beginning; who has nothing to do takes nothing from the one whose turn it is."""
    samples = Samples()
    counts, rounds = ({1: 10, 10: 50}, 1) if bench.quick else ({1: 1000, CROWD: 2000}, 11)
    found = contestants(bench, 2 * max(counts))
    with contextlib.ExitStack() as stack:
        for supervisor, port in found:
            bench.attempt(supervisor, 0, start, bench, stack, supervisor, port)
        for at_once, count in counts.items():
            for number in range(rounds):
                for supervisor, port in bench.random.sample(found, len(found)):
                    bench.attempt(supervisor, number, block, bench, samples, supervisor, port, count, at_once)
    return [row for at_once in counts for row in rows_of(samples, [peer for peer, _ in found[2:]], at_once)]


def rows_of(samples, peers, at_once):
    where = "one after the other" if at_once == 1 else f"{at_once} at a time"
    what = f"a connection to an `accept = true` job, {where}"
    return [samples.row(f"{what}: served per second", PER_SECOND, f"rate {at_once}", peers, least_ratio=1 / MOST_RATIO),
            samples.row(f"{what}: connect() to the answer's end", TIME, f"half {at_once}", peers, most_ratio=MOST_RATIO),
            samples.row(f"{what}: the latest of 100", TIME, f"late {at_once}", peers, most_ratio=MOST_RATIO)]
