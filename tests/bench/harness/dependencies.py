"""Dependencies: what it costs to find the order of jobs that depend on each other, and to start them in it."""

import os
import subprocess
import time

from harness import machine
from harness.figures import TIME, Row, Samples, in_turn
from harness.running import Running
from harness.supervisors import Procsupd, jobs_of

EACH = 5


class Depending(Procsupd):
    """Each job requires five of those before it, at random: with exec'd as the default readiness, as soon as they run."""

    def __init__(self, bench, mode):
        super().__init__(bench.tools, mode)
        self.name = f"{self.name}-depending"
        self._random = bench.random

    def more_settings(self, folder, job):
        number = int(job.name[1:])
        required = self._random.sample(range(number), min(EACH, number))
        return [f"requires = {[f'b{one:05}' for one in sorted(required)]}"] if required else []


def boot(bench, samples, supervisor, jobs):
    with Running(bench.tools, supervisor, jobs, capacity=4 * len(jobs) + 100) as running:
        running.wait_born(len(jobs))
        born = max(record.born_ns for record in running.board.records())
        samples.add(supervisor.name, "boot", born - running.board.header().started_ns)


def check(bench, samples, supervisors, jobs, times):
    """The configuration alone, by the program that does it before anything is begun."""
    commands = {}
    for supervisor in supervisors:
        folder = os.path.join(bench.tools.scratch, f"check-{supervisor.name}")
        os.mkdir(folder)
        supervisor.prepare(folder, jobs)
        commands[supervisor] = supervisor.check(folder)
    for number in range(times):
        for supervisor in in_turn(supervisors, number):
            begun = time.monotonic_ns()
            done = subprocess.run(commands[supervisor], stdin=subprocess.DEVNULL, capture_output=True, text=True)
            samples.add(supervisor.name, "check", time.monotonic_ns() - begun)
            if done.returncode != 0:
                raise machine.Broken(f"--check ended with {done.returncode}: {done.stderr[-2000:]}")


def plan(bench, samples, count, times):
    """The order alone, of what has been read (helpers/plan.cc)."""
    done = subprocess.run([bench.tools.plan, str(count), str(EACH), str(times)], capture_output=True, text=True, check=True)
    for took in done.stdout.split():
        samples.add("procsupd", "plan", int(took))


def run(bench):
    samples = Samples()
    count, rounds = (20, 2) if bench.quick else (bench.affordable(1000), 15)
    mode = bench.modes()[0]
    plain, depending = contestants = [bench.in_mode(mode), Depending(bench, mode)]
    jobs = jobs_of(count, [bench.tools.service, "BOARD", "park"])
    plan(bench, samples, count, 10 * rounds)
    check(bench, samples, contestants, jobs, 10 * rounds)
    for number in range(rounds):
        for supervisor in in_turn(contestants, number):
            boot(bench, samples, supervisor, jobs)
    what = f"{count:,} jobs that require {EACH} others each"
    return [Row(f"{what}: start to last main(), beside the same without", TIME, samples.of(depending.name, "boot"),
                samples.of(plain.name, "boot"), most_ratio=1.1),
            samples.row(f"{what}: finding the order", TIME, "plan", most=5e6),
            Row(f"{what}: what `procsupd --check` takes, beside the same without", TIME,
                samples.of(depending.name, "check"), samples.of(plain.name, "check"))]
