"""Bring-up: from executing the supervisor to the last of N services in main(), and what it costs the supervisor."""

from harness import machine
from harness.figures import TIME, Samples, in_turn
from harness.running import Running
from harness.supervisors import Floor, jobs_of


def one_round(bench, samples, supervisor, count):
    """"spread", first to last main(), leaves out reading the configuration, without asking the supervisor when."""
    jobs = jobs_of(count, [bench.tools.service, "BOARD", "park"])
    with Running(bench.tools, supervisor, jobs, capacity=4 * count + 100) as running:
        running.wait_born(count)
        births = [record.born_ns for record in running.board.records()]
        samples.add(supervisor.name, f"total{count}", max(births) - running.board.header().started_ns)
        samples.add(supervisor.name, f"spread{count}", max(births) - min(births))
        cpu = sum(machine.cpu_ns(pid) for pid in running.supervising()) if supervisor in bench.peers \
            else machine.cpu_ns(running.pid)
        samples.add(supervisor.name, f"cpu{count}", cpu / count)
        if supervisor not in bench.peers:
            samples.add(supervisor.name, f"load{count}", machine.children_cpu_ms(running.pid) * 1e6 / count)


def rows_of(bench, samples, count):
    """For each mode; what the peers take is told once."""
    rows = []
    for index, mode in enumerate(bench.modes()):
        # A keeper is a second process for each job: it has no target of its own.
        ratio, cpu = (None, None) if mode == "keeper" else (1.0, 60e3)
        peers, product = (() if index else bench.peers), bench.in_mode(mode).name
        jobs = f"{count:,} jobs, {mode}"
        rows += [
            samples.row(f"bring-up of {jobs}: start to last main()", TIME, f"total{count}", peers, product,
                        most_ratio=ratio),
            samples.row(f"bring-up of {jobs}: first to last main() (configuration is loaded)", TIME, f"spread{count}",
                        peers, product),
            samples.row(f"bring-up of {jobs}: supervisor CPU per job", TIME, f"cpu{count}", peers, product, most=cpu)]
    mode = bench.modes()[0]
    product = bench.captured(mode).name
    rows += [
        samples.row(f"bring-up of {count:,} jobs, {mode}, output captured: start to last main()", TIME, f"total{count}",
                    (), product),
        samples.row(f"bring-up of {count:,} jobs, {mode}, output captured: supervisor CPU per job", TIME, f"cpu{count}",
                    (), product)]
    product = bench.in_mode(bench.modes()[-1]).name
    rows.append(samples.row(f"CPU of the loading child per job, {count:,} jobs (to {10000 / count:.3g} us)", TIME,
                            f"load{count}", (), product))
    return rows


def run(bench):
    samples = Samples()
    rows = []
    for count, rounds in ((20, 2),) if bench.quick else ((1000, 9), (5000, 5)):
        count = bench.affordable(count)
        contestants = [Floor(bench.tools, "up"), *map(bench.in_mode, bench.modes()), bench.captured(bench.modes()[0]),
                       *(peer for peer in bench.peers if peer.most_jobs >= count)]
        for number in range(rounds):
            for supervisor in in_turn(contestants, number):
                bench.attempt(supervisor, number, one_round, bench, samples, supervisor, count)
        rows += rows_of(bench, samples, count)
    return rows
