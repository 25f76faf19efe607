"""Restart: from a service's last instruction to the first of its successor's main()."""

from statistics import median

from harness import machine
from harness.figures import TIME, Samples, in_turn
from harness.running import Running
from harness.supervisors import Floor, jobs_of

IGNORED = 3  # the first restarts of a supervisor that was just started
SECONDS = 8  # of one round at most: many a peer waits for a second after a death
MOST_RATIO = {"cgroup": 1.35, "keeper": 2.0, "group": 1.2}


def gaps(records):
    """Times from each death to the next birth under the same id."""
    last, result = {}, []
    for record in sorted(records, key=lambda record: record.born_ns):
        before = last.get(record.id)
        if before is not None and before.died_ns:
            result.append(record.born_ns - before.died_ns)
        last[record.id] = record
    return result


def one_round(bench, samples, supervisor, metric, services, life_ms, births):
    jobs = jobs_of(services, [bench.tools.service, "BOARD", "live", str(life_ms)], restarts=True)
    with Running(bench.tools, supervisor, jobs, capacity=100000) as running:
        running.wait_at_most(lambda: running.board.claimed() >= births, SECONDS)
        found = gaps(running.board.records())[IGNORED if services == 1 else 0:]
    if not found:
        raise machine.Broken(f"{supervisor.name}: no restart within {SECONDS} s (service lives {life_ms} ms)")
    samples.add(supervisor.name, metric, median(found))


def measure(bench, samples, metric, services, life_ms, births, rounds):
    contestants = [Floor(bench.tools, "keep"), *map(bench.in_mode, bench.modes()), *bench.peers]
    for number in range(rounds):
        for supervisor in in_turn(contestants, number):
            bench.attempt(supervisor, number, one_round, bench, samples, supervisor, metric, services, life_ms, births)


def rows_of(bench, samples, what, metric, most_ratios):
    """One for each mode; what the peers take is told once."""
    return [samples.row(f"restart, {mode}: {what}", TIME, metric, () if index else bench.peers,
                        bench.in_mode(mode).name, most_ratio=most_ratios.get(mode))
            for index, mode in enumerate(bench.modes())]


def run(bench):
    samples = Samples()
    births, rounds = (15, 2) if bench.quick else (150, 15)
    measure(bench, samples, "short", 1, 2, births, rounds)
    rows = rows_of(bench, samples, "death to successor's main(); service lives 2 ms", "short", MOST_RATIO)
    if bench.peers and not bench.quick:
        measure(bench, samples, "long", 20, 1100, 80, 3)
        rows += rows_of(bench, samples, "the same, 20 services that live 1.1 s", "long", {})
    return rows
