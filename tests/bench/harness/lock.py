"""Locks: beside raw round trips, flock(1), Python's own and Redis."""

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import time
from types import SimpleNamespace

from harness import machine
from harness.control import in_columns
from harness.echo import EchoServer
from harness.figures import COUNT, MEMORY, TIME, Samples
from harness.running import Running

INTERFACE = "io.procsupd.Lock"

PYTHON = r"""
import json, multiprocessing, socket, sys, time

class Lock:
    def __init__(self, path, name):
        self.socket, self.name = socket.socket(socket.AF_UNIX), name
        self.socket.connect(path)

    def call(self, method):
        call = {"method": "io.procsupd.Lock." + method, "parameters": {"name": self.name}}
        self.socket.sendall(json.dumps(call).encode() + b"\0")
        reply = json.loads(self.socket.recv(65536)[:-1])
        if "error" in reply:
            raise RuntimeError(reply)

    def acquire(self):
        self.call("Acquire")

    def release(self):
        self.call("Release")

if __name__ == "__main__":
    manager = multiprocessing.Manager()
    locks = [Lock(sys.argv[1], "python"), multiprocessing.Lock(), manager.Lock()]
    for _ in range(int(sys.argv[2])):
        for index, lock in enumerate(locks):
            for _ in range(int(sys.argv[3])):
                before = time.perf_counter_ns()
                lock.acquire()
                lock.release()
                print(index, time.perf_counter_ns() - before)
"""


def socket_of(running):
    return os.path.join(os.path.dirname(running.supervisor.socket(running.folder)), INTERFACE)


def broker_of(running):
    """The pid of the one child that is called so."""
    with open(f"/proc/{running.pid}/task/{running.pid}/children", encoding="ascii") as file:
        for pid in file.read().split():
            with open(f"/proc/{pid}/comm", encoding="utf-8") as name:
                if name.read() == "procsup-broker\n":
                    return int(pid)
    raise machine.Broken("there is no procsup-broker")


@contextlib.contextmanager
def redis(bench):
    """The path of its socket, or None."""
    program = shutil.which("redis-server") if bench.compares else None
    if program is None:
        if bench.compares:
            bench.note("redis was left out: the Debian package redis-server is not installed")
        yield None
        return
    path = os.path.join(bench.tools.scratch, "redis.sock")
    process = subprocess.Popen([program, "--port", "0", "--unixsocket", path, "--save", "", "--dir", bench.tools.scratch],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 10
        while not os.path.exists(path):
            if time.monotonic() > end or process.poll() is not None:
                raise machine.Broken("redis-server did not start")
            time.sleep(0.01)
        yield path
    finally:
        process.terminate()
        process.wait()


def turns(bench, samples, running, echo, redis_socket):
    rounds, block = (2, 5) if bench.quick else (40, 500)
    sockets = [socket_of(running), echo.socket, *([redis_socket] if redis_socket else [])]
    pair, two, handover, one, *keys = in_columns([bench.tools.locks, "turns", str(rounds), str(block), *sockets], {},
                                                 4 + len(sockets) - 2)
    for name, product, floor in (("pair", pair, two), ("handover", handover, one)):
        samples.add("procsupd", name, statistics.median(product))
        samples.add("floor", name, statistics.median(floor))
    if keys:
        samples.add("redis", "pair", statistics.median(keys[0]))


def python_turns(bench, samples, running):
    rounds, block = (1, 3) if bench.quick else (10, 500)
    script = os.path.join(running.folder, "locks.py")
    with open(script, "w", encoding="utf-8") as file:
        file.write(PYTHON)
    ours, semaphore, manager = in_columns([sys.executable, script, socket_of(running), str(rounds), str(block)], {}, 3)
    samples.add("procsupd", "python", statistics.median(ours))
    samples.add("floor", "python", statistics.median(manager))
    samples.add("multiprocessing.Lock", "python", statistics.median(semaphore))


def command_turns(bench, samples, running):
    times = 3 if bench.quick else 300
    flock, true = shutil.which("flock"), shutil.which("true")
    file = os.path.join(running.folder, "lock")
    ours, theirs = in_columns([bench.tools.commands, str(times), "60", "--", bench.tools.procsupctl, "lock", "bench", true,
                               "--", flock, file, true],
                              {"PROCSUPD_SOCKET": running.supervisor.socket(running.folder)}, 2)
    samples.add("procsupd", "command", statistics.median(ours))
    samples.add("floor", "command", statistics.median(theirs))


def crowd(bench, samples, running, count, who):
    """`count` wait: what they take of the broker, and what a release costs it then."""
    broker, times = broker_of(running), min(count, 10 if bench.quick else 100)
    before = machine.resident_kib(broker)
    with subprocess.Popen([bench.tools.locks, "crowd", str(count), str(times), socket_of(running)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as waiting:
        if waiting.stdout.readline() != "waiting\n":
            raise machine.Broken("nobody waits")
        samples.add(who, "memory", (machine.resident_kib(broker) - before) / count)
        switches = machine.context_switches(broker)
        time.sleep(bench.quiet_seconds)
        samples.add(who, "switches", machine.context_switches(broker) - switches)
        out, _ = waiting.communicate("\n")
    samples.add(who, "release", statistics.median(int(line.split()[1]) for line in out.splitlines()))


def run(bench):
    samples = Samples()
    count = 50 if bench.quick else 10_000
    with EchoServer(bench.tools) as echo, redis(bench) as redis_socket, \
            Running(bench.tools, bench.product, [], capacity=1) as running:
        running.wait(lambda: os.path.exists(socket_of(running)), "a socket for locks", 30)
        for _ in range(1 if bench.quick else 5):
            turns(bench, samples, running, echo, redis_socket)
            command_turns(bench, samples, running)
            python_turns(bench, samples, running)
        crowd(bench, samples, running, 10, "floor")
        crowd(bench, samples, running, count, "procsupd")
    keys = [SimpleNamespace(name="redis")] if redis_socket else []
    threads = [SimpleNamespace(name="multiprocessing.Lock")]
    return [samples.row("a lock acquired and released, beside two round trips to an echo server", TIME, "pair", keys, most_ratio=2.5),
            samples.row("a lock handed over to who waits, beside one round trip", TIME, "handover", most_ratio=1.5),
            samples.row("a lock acquired and released by Python, beside a multiprocessing.Manager's", TIME, "python", threads, most_ratio=0.5),
            samples.row("`procsupctl lock N -- true`, beside `flock F true`", TIME, "command", most_ratio=1.5),
            samples.row(f"a release while {count:,} wait, beside one while 10 do", TIME, "release", most_ratio=1.5),
            samples.row(f"memory for each of {count:,} that wait", MEMORY, "memory", most=2)._replace(floor=None),
            samples.row(f"context switches while {count:,} wait", COUNT, "switches", most=0)._replace(floor=None)]
