"""Memory: proportional set size of the supervisor with no job, what each idle job adds, and what a keeper has."""

from statistics import fmean

from harness import machine
from harness.figures import MEMORY, Samples, in_turn
from harness.running import Running
from harness.supervisors import jobs_of


def light_mode(bench):
    """One in which no job has a process beside it; what a keeper adds has a line of its own."""
    return bench.in_mode("cgroup" if "cgroup" in bench.modes() else "group")


def pss_kib(bench, supervisor, count):
    """With its helpers, if it has any: a process per service is part of what a service costs."""
    jobs = jobs_of(count, [bench.tools.service, "BOARD", "park"])
    with Running(bench.tools, supervisor, jobs, capacity=4 * count + 100) as running:
        if supervisor not in bench.peers:
            running.wait(lambda: supervisor.answers(running.folder), "an answer on its socket", 30)
        running.wait_born(count)
        running.wait_settled(bench.quiet_seconds)
        return sum(machine.pss_kib(pid) for pid in running.supervising())


def one_round(bench, samples, supervisor, count):
    base = pss_kib(bench, supervisor, 0)
    samples.add(supervisor.name, "base", base)
    samples.add(supervisor.name, "each", (pss_kib(bench, supervisor, count) - base) / count)


def keeper_round(bench, samples, supervisor, count):
    """User side only: the kernel's stack, tables and slab of a process are in no proportional set size."""
    jobs = jobs_of(count, [bench.tools.service, "BOARD", "park"])
    with Running(bench.tools, supervisor, jobs, capacity=4 * count + 100) as running:
        running.wait_born(count)
        running.wait_settled(bench.quiet_seconds)
        keepers = [pid for pid in running.supervising() if machine.runs_program(pid, (bench.tools.keeper,))]
        if len(keepers) != count:
            raise machine.Broken(f"{supervisor.name}: {len(keepers)} keepers for {count} jobs")
        samples.add(supervisor.name, "keeper", fmean(map(machine.pss_kib, keepers)))


def keeper_rows(bench, samples, rounds):
    if "keeper" not in bench.modes():
        return []
    supervisor, count = bench.in_mode("keeper"), 10 if bench.quick else 100
    for _ in range(rounds):
        keeper_round(bench, samples, supervisor, count)
    return [samples.row(f"memory (PSS) of a keeper, without kernel memory, mean of {count}", MEMORY, "keeper",
                        product=supervisor.name, most=200)]


def run(bench):
    samples = Samples()
    product = light_mode(bench)
    captured = bench.captured(product.mode)
    count, rounds = (20, 1) if bench.quick else (1000, 3)
    for number in range(rounds):
        for supervisor in in_turn([product, captured, *bench.peers], number):
            bench.attempt(supervisor, number, one_round, bench, samples, supervisor, count)
    return [
        samples.row(f"memory (PSS) without jobs, {product.mode}", MEMORY, "base", bench.peers, product.name,
                    most=6 * 1024),
        samples.row(f"memory (PSS) per idle job, {product.mode}, {count:,} jobs", MEMORY, "each", bench.peers,
                    product.name, most=4),
        samples.row(f"memory (PSS) per idle job, {product.mode}, output captured, with the logger", MEMORY, "each", (),
                    captured.name),
        *keeper_rows(bench, samples, rounds),
    ]
