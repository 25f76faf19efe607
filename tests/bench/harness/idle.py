"""Idle: what a supervisor does while nothing happens."""

import time

from harness import machine
from harness.figures import COUNT, TIME, Samples
from harness.running import Running
from harness.supervisors import Procsupd, jobs_of


class Timed(Procsupd):
    """Each run of a job has a timer, for in an hour."""

    def more_settings(self, folder, job):
        return ['max_lifetime = "1h"']


class Scheduled(Procsupd):
    """Each job is a task, to be started in an hour, at a time that its interval or an expression says."""

    def more_settings(self, folder, job):
        even = int(job.name[-1]) % 2 == 0
        when = 'cron = "0 0 1 1 *"' if even else 'interval = "1h"'
        return ['type = "task"', f"schedule.{when}", 'schedule.jitter = "1min"']


def measure(bench, supervisor, count, seconds, samples, what, born=True):
    jobs = jobs_of(count, [bench.tools.service, "BOARD", "park"])
    with Running(bench.tools, supervisor, jobs, capacity=4 * count + 100) as running:
        running.wait_born(count if born else 0)
        running.wait_settled(bench.quiet_seconds)
        cpu, switches = machine.cpu_ns(running.pid), machine.context_switches(running.pid)
        time.sleep(seconds)
        samples.add("procsupd", f"switches {what}", machine.context_switches(running.pid) - switches)
        samples.add("procsupd", f"cpu {what}", machine.cpu_ns(running.pid) - cpu)
    return [samples.row(f"{what}: CPU", TIME, f"cpu {what}", most=0),
            samples.row(f"{what}: context switches", COUNT, f"switches {what}", most=0)]


def run(bench):
    samples = Samples()
    count, seconds = (20, 1) if bench.quick else (1000, 30)
    what = f"idle for {seconds} s with {count:,} jobs"
    return [*measure(bench, bench.product, count, seconds, samples, what),
            *measure(bench, Timed(bench.tools), count, seconds, samples, f"{what} and {count:,} timers"),
            *measure(bench, Scheduled(bench.tools), 10 * count, seconds, samples,
                     f"idle for {seconds} s with {10 * count:,} schedules", born=False)]
