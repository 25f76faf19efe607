"""Memory: proportional set size of the supervisor with no job, and what each idle job adds."""

from harness import machine
from harness.figures import MEMORY, Samples, in_turn
from harness.running import Running
from harness.supervisors import jobs_of


def pss_kib(bench, supervisor, count):
    """With its helpers, if it has any: a process per service is part of what a service costs."""
    jobs = jobs_of(count, [bench.tools.service, "BOARD", "park"])
    with Running(bench.tools, supervisor, jobs, capacity=4 * count + 100) as running:
        if supervisor is bench.product:
            running.wait(lambda: supervisor.answers(running.folder), "an answer on its socket", 30)
        running.wait_born(count)
        running.wait_settled(bench.quiet_seconds)
        return sum(machine.pss_kib(pid) for pid in running.supervising())


def one_round(bench, samples, supervisor, count):
    base = pss_kib(bench, supervisor, 0)
    samples.add(supervisor.name, "base", base)
    samples.add(supervisor.name, "each", (pss_kib(bench, supervisor, count) - base) / count)


def run(bench):
    samples = Samples()
    count, rounds = (20, 1) if bench.quick else (1000, 3)
    for number in range(rounds):
        for supervisor in in_turn([bench.product, *bench.peers], number):
            bench.attempt(supervisor, number, one_round, bench, samples, supervisor, count)
    return [
        samples.row("memory (PSS) without jobs", MEMORY, "base", bench.peers, most=6 * 1024),
        samples.row(f"memory (PSS) per idle job, {count:,} jobs", MEMORY, "each", bench.peers, most=4),
    ]
