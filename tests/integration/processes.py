"""What runs on this machine, and waiting for it.

The test process is the reaper of orphans: whatever a supervisor leaves behind becomes its child, so that nothing
escapes the search for leftovers.
"""
import contextlib
import ctypes
import os
import random
import select
import signal
import socket
import time

SCALE = float(os.environ.get("PROCSUP_TIME_SCALE", "1"))
PATIENCE = 20.0 * SCALE
# For programs whose memory is looked at: AddressSanitizer would keep what was freed, and the stack of every place that
# ever allocated.
GIVES_BACK = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=0"
              ":thread_local_quarantine_size_kb=0:malloc_context_size=1:allocator_release_to_os_interval_ms=100"}
PR_SET_CHILD_SUBREAPER = 36

ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Deadline:
    def __init__(self, seconds=PATIENCE):
        self.at = time.monotonic() + seconds

    def left(self):
        return max(0.0, self.at - time.monotonic())

    def readable(self, *fds, pause=None):
        """Those of `fds` that are readable; none once the deadline (or the pause) has passed."""
        poll = select.poll()
        for fd in fds:
            poll.register(fd, select.POLLIN)
        left = self.left() if pause is None else min(pause, self.left())
        return [fd for fd, _ in poll.poll(left * 1000)]


def wait_gone(pid, seconds=PATIENCE):
    """Whether the process has ended in time (it may still be a zombie)."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(Deadline(seconds).readable(fd))
    finally:
        os.close(fd)


def parents():
    """{pid: (parent, state, name)} of every process."""
    result = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                text = file.read()
        except (FileNotFoundError, ProcessLookupError):
            continue
        name = text[text.index("(") + 1:text.rindex(")")]
        fields = text[text.rindex(")") + 2:].split()
        result[int(entry)] = (int(fields[1]), fields[0], name)
    return result


def descendants(pid):
    """{pid: "state name"} of all processes below `pid`."""
    table = parents()
    found, todo = {}, [pid]
    while todo:
        above = todo.pop()
        for child, (parent, state, name) in table.items():
            if parent == above and child not in found:
                found[child] = f"{state} {name}"
                todo.append(child)
    return found


def free_ports(count):
    """The first of so many ports in a row that nobody uses, none of which the kernel gives to a connection: one of those can
    be taken between now and its use, and by the very connection that looks for whoever is to listen there (ip(7),
    ip_local_port_range)."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        given_from, given_to = map(int, file.read().split())
    low, high = max((10000, given_from), (given_to + 1, 65536), key=lambda ports: ports[1] - ports[0])
    while True:
        first = random.randrange(low, high - count)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in range(first, first + count):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first


def free_port():
    return free_ports(1)


def listening_ports():
    """The TCP ports that are listened to (state 0A of /proc/net/tcp)."""
    ports = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        with open(table, encoding="ascii") as file:
            rows = [line.split() for line in file][1:]
        ports |= {int(row[1].rsplit(":", 1)[1], 16) for row in rows if row[3] == "0A"}
    return ports


def end_descendants(spared=()):
    """Kills and collects everything below the test process but the `spared` and what is below them; returns what was
    not dead already."""
    left = {}
    while True:
        below = descendants(os.getpid())
        for pid in spared:
            for kept in (pid, *descendants(pid)):
                below.pop(kept, None)
        if not below:
            return left
        for pid, text in below.items():
            if not text.startswith("Z"):
                left[pid] = text
                os.kill(pid, signal.SIGKILL)
        for pid in below:
            if wait_gone(pid):
                try:
                    os.waitpid(pid, 0)
                except ChildProcessError:
                    pass
