"""Configurations that change all the time, every other one invalid, while jobs end and are started again."""
import dataclasses
import os
import random

STEADY, RESTLESS = 20, 4
HEAD = """[defaults]
stop_timeout = "5s"
[defaults.log]
stdout = "null"
stderr = "null"
"""
MISTAKES = ('restrat = "no"', "umask = 7", 'requires = ["nobody"]', 'stop_timeout = "5"', "command = []", "[jobs")


@dataclasses.dataclass
class Found:
    rounds: int = 0
    refused: int = 0
    rollbacks: int = 0
    restarts: int = 0  # of jobs that were not to be touched
    fds: list = dataclasses.field(default_factory=list)
    rss: list = dataclasses.field(default_factory=list)  # KiB
    faults: list = dataclasses.field(default_factory=list)


def unchanging():
    text = HEAD
    for n in range(STEADY):
        text += f'[jobs.steady-{n}]\ncommand = ["sleep", "1000"]\nafter = ["steady-{n - 1}"]\n' if n else \
            '[jobs.steady-0]\ncommand = ["sleep", "1000"]\n'
    return text + (f'[jobs.restless]\ninstances = {RESTLESS}\nshell = "exec sleep 0.1"\nrestart = "always"\n'
                   'min_uptime = "0s"\nstart_limit = "none"\n')


def edited(dice):
    """A job that is another one each time, and perhaps a second one."""
    text = (f'[jobs.edited]\ncommand = ["sleep", "{dice.randint(1000, 1003)}"]\numask = "00{dice.randint(0, 7)}7"\n'
            f'stop_timeout = "{dice.randint(5, 9)}s"\ninstances = {dice.randint(1, 3)}\ntags = ["{dice.random()}"]\n')
    if dice.random() < 0.5:
        text += (f'[jobs.passing]\ncommand = ["sleep", "1000"]\nrequires = ["edited"]\n'
                 f'env = {{ ROUND = "{dice.random()}" }}\n')
    return text


def steady_pids(s):
    return {name: (one["pid"], one["restarts"]) for name, one in s.instances("steady-*").items()}


def usage(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        pages = int(file.read().split()[1])
    return len(os.listdir(f"/proc/{pid}/fd")), pages * os.sysconf("SC_PAGE_SIZE") // 1024


def one_round(s, dice, found, kept, before):
    """One more configuration; half of them are refused as a whole."""
    valid = found.rounds % 2 == 0
    text = kept + edited(dice) + ("" if valid else dice.choice(MISTAKES) + "\n")
    s.configure(text)
    code = s.run("apply", "--quiet").code
    if code != (0 if valid else 6):
        found.faults.append(f"round {found.rounds}: exit {code}:\n{text[len(kept):]}")
    found.refused += not valid
    if valid and dice.random() < 0.1:
        found.rollbacks += 1
        if s.run("rollback", "--quiet").code != 0:
            found.faults.append(f"round {found.rounds}: there is nothing to go back to")
    now = steady_pids(s)
    if now != before:
        found.restarts += sum(now.get(name) != one for name, one in before.items())
        found.faults.append(f"round {found.rounds}: other processes: {before} became {now}")
    found.rounds += 1


def grown(values):
    """By how much the least of the last quarter is above that of the second one: what is kept is in every value, what is on its
    way to be given back, as a run that has just begun and what an allocator holds for a moment, only in some."""
    quarter = len(values) // 4
    return min(values[-quarter:]) - min(values[quarter:2 * quarter])


def run(s, rounds, seed=1):
    """`rounds` configurations one after the other in the supervisor `s`, which was not started yet."""
    dice, found, kept = random.Random(seed), Found(), unchanging()
    s.configure(kept + edited(dice))
    s.start().settle()
    s.ctl("wait", "steady-*")
    before = steady_pids(s)
    while found.rounds < rounds and len(found.faults) < 10:
        one_round(s, dice, found, kept, before)
        fds, rss = usage(s.process.pid)
        found.fds.append(fds)
        found.rss.append(rss)
    if grown(found.fds) > 2:
        found.faults.append(f"descriptors grow: {found.fds[::max(1, rounds // 40)]}")
    if grown(found.rss) > 256:
        found.faults.append(f"memory grows: {found.rss[::max(1, rounds // 40)]} KiB")
    return found
