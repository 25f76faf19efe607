"""Init: what an init adds to its one command, beside the command without one."""

import os
import shutil
import signal
import subprocess
import time
from statistics import median

from harness import machine, orphans
from harness.board import Board
from harness.control import in_columns, placements
from harness.figures import COUNT, MEMORY, TIME, Samples, in_turn
from harness.peers import Peer
from harness.running import Running
from harness.supervisors import Floor, Job, Supervisor, jobs_of

NAME = "procsup-init"


class Init(Supervisor):
    """Runs its one job as an init does, with `words` of its own in front of it."""

    def __init__(self, name, words):
        self.name = name
        self.words = words

    def prepare(self, folder, jobs):
        return [*self.words, *jobs[0].argv]


class PeerInit(Init, Peer):
    most_rounds = 1000  # none of them takes long

    def __init__(self, program, *options):
        self.program = self.package = program
        super().__init__(program, [self.find(program), *options])


class First(Supervisor):
    """Another one as process 1 of a PID namespace of its own, which ends with it."""
    stop_signal = signal.SIGKILL  # unshare(1) is deaf to others, and takes the namespace along
    in_pid_namespace = True

    def __init__(self, other):
        self._other = other
        self.name = other.name

    @staticmethod
    def words():
        rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        return [shutil.which("unshare") or "unshare", *rights, "--pid", "--fork", "--kill-child"]

    @staticmethod
    def possible():
        try:
            return subprocess.run([*First.words(), "true"], capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    def prepare(self, folder, jobs):
        return [*self.words(), *self._other.prepare(folder, jobs)]


def all_peers():
    """tini has to be told to take orphans where it is not process 1; else it warns, each time."""
    return [PeerInit("tini", "-s"), PeerInit("dumb-init"), PeerInit("catatonit")]


def blocks(bench, mode, count, arguments, words, cpu=None):
    """One run of the helper, in which the inits take turns: the times by index."""
    path = os.path.join(bench.tools.scratch, f"inits-{mode}")
    board = Board(path, 10000)
    try:
        inits = [word for init in words for word in ("--", *init)]
        return in_columns([bench.tools.inits, mode, path, *map(str, arguments), *inits], {}, count, cpu)
    finally:
        board.close()
        os.unlink(path)


def lives(bench, samples, names, words, times):
    columns = blocks(bench, "lives", 2 * len(names), [times], words)
    for name, start, life in zip(names, columns, columns[len(names):]):
        samples.add(name, "start", median(start))
        samples.add(name, "life", median(life))


def signals(bench, samples, names, words, block):
    """As with pings, the kernel is not left to choose between one processor and two. A run can be a third slower than the
    next, and what ran before has a part in that: there are more of these short ones, each in an order of its own."""
    for cores, (outside, inside) in [*placements().items()] * 3:
        order = bench.random.sample(range(len(names)), len(names))
        columns = blocks(bench, "signals", len(names), [1, block, inside], [words[index] for index in order], outside)
        for index, times in zip(order, columns):
            samples.add(names[index], f"signal {cores}", median(times))


def rest(bench, samples, init, seconds):
    jobs = jobs_of(1, [bench.tools.service, "BOARD", "park"])
    with Running(bench.tools, init, jobs, capacity=100) as running:
        running.wait_born(1)
        running.wait_settled(bench.quiet_seconds / 4, most_seconds=2)
        samples.add(init.name, "memory", machine.pss_kib(running.pid))
        cpu, switches = machine.cpu_ns(running.pid), machine.context_switches(running.pid)
        time.sleep(seconds)
        samples.add(init.name, "switches", machine.context_switches(running.pid) - switches)
        samples.add(init.name, "idle", machine.cpu_ns(running.pid) - cpu)


def reap(bench, samples, init, count):
    jobs = [Job("storm", [bench.tools.orphans, "BOARD", str(count), "0"])]
    with Running(bench.tools, First(init), jobs, capacity=count + 100) as running:
        orphans.await_parked(running, count)
        (first,) = machine.children(running.pid)
        wall, cpu = orphans.storm(running, first, machine.children(first)[0])
        samples.add(init.name, "wall", wall)
        samples.add(init.name, "cpu", cpu / count)


def run(bench):
    samples = Samples()
    peers = all_peers() if bench.compares else []
    for absent in [peer for peer in peers if not peer.present()]:
        bench.note(f"{absent.name} was left out: the Debian package {absent.package} is not installed")
    inits = [Init(NAME, [bench.tools.procsup_init]), *(peer for peer in peers if peer.present())]
    rounds, rests, times, block = (1, 1, 3, 20) if bench.quick else (15, 3, 100, 1000)
    seconds, count = (0.2, 50) if bench.quick else (5, 10000)
    count = bench.affordable(count)
    can_be_first = First.possible()
    if not can_be_first:
        bench.note("orphans of an init were left out: no PID namespace can be made")
    for number in range(rounds):
        turns = [("floor", []), *((init.name, init.words) for init in inits)]
        names, words = zip(*in_turn(turns, number))
        lives(bench, samples, names, words, times)
        signals(bench, samples, names, words, block)
        for init in in_turn(inits, number) if number < rests else []:
            bench.attempt(init, number, rest, bench, samples, init, seconds)
        contestants = [Floor(bench.tools, "reap"), *inits] if can_be_first else []
        for init in bench.random.sample(contestants, len(contestants)):
            bench.attempt(init, number, reap, bench, samples, init, count)
    return rows_of(samples, inits[1:], count, seconds)


def rows_of(samples, peers, count, seconds):
    def row(what, kind, metric):
        return samples.row(what, kind, metric, peers, NAME, most_of_best=1.0, of=NAME)

    signal_row = "a signal: from kill(2) on the init until the command has taken it"
    return [row("from its start to the command's main()", TIME, "start"),
            row("a command that ends at once: from the init's start until it is collected", TIME, "life"),
            *(row(f"{signal_row}, on {cores} core{'s' * (cores != 'one')}", TIME, f"signal {cores}") for cores in placements()),
            row(f"as process 1, {count:,} orphans die at once: all reaped", TIME, "wall"),
            row("as process 1: CPU per orphan", TIME, "cpu"),
            row("memory (PSS)", MEMORY, "memory"),
            row(f"idle for {seconds} s: CPU", TIME, "idle"),
            row(f"idle for {seconds} s: context switches", COUNT, "switches")]
