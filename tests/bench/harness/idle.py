"""Idle: what a supervisor does while nothing happens."""

import time

from harness import machine
from harness.figures import COUNT, TIME, Samples
from harness.running import Running
from harness.supervisors import jobs_of


def run(bench):
    samples = Samples()
    count, seconds = (20, 1) if bench.quick else (1000, 30)
    jobs = jobs_of(count, [bench.tools.service, "BOARD", "park"])
    with Running(bench.tools, bench.product, jobs, capacity=4 * count + 100) as running:
        running.wait_born(count)
        running.wait_settled(bench.quiet_seconds)
        cpu, switches = machine.cpu_ns(running.pid), machine.context_switches(running.pid)
        time.sleep(seconds)
        samples.add("procsupd", "switches", machine.context_switches(running.pid) - switches)
        samples.add("procsupd", "cpu", machine.cpu_ns(running.pid) - cpu)
    what = f"idle for {seconds} s with {count:,} jobs"
    return [samples.row(f"{what}: CPU", TIME, "cpu", most=0),
            samples.row(f"{what}: context switches", COUNT, "switches", most=0)]
