"""Cgroups of the harness's own, and what procsupd leaves of its."""

import os
import time

from harness.machine import Broken, read


def _own():
    """The directory of the harness's own group in the unified hierarchy (cgroups(7))."""
    own = next((line[3:] for line in read("/proc/self/cgroup").splitlines() if line.startswith("0::")), None)
    for line in read("/proc/self/mountinfo").splitlines():
        fields, _, kind = line.partition(" - ")
        if own is not None and kind.startswith("cgroup2 "):
            root, point = fields.split()[3:5]
            return os.path.normpath(os.path.join(point, os.path.relpath(own, root)))
    raise Broken("no unified cgroup hierarchy is mounted")


def remove(root):
    """With all groups below it; a process that is still in one of them is killed."""
    if not os.path.isdir(root):
        return
    end = time.monotonic() + 10
    with open(os.path.join(root, "cgroup.kill"), "w", encoding="utf-8") as file:
        file.write("1")
    while "populated 1" in read(os.path.join(root, "cgroup.events")) and time.monotonic() < end:
        time.sleep(0.01)
    for directory, _, _ in os.walk(root, topdown=False):
        os.rmdir(directory)


class Group:
    """A cgroup below the harness's own while in a `with`, which gives its directory."""

    _count = 0

    def __enter__(self):
        Group._count += 1
        self._directory = os.path.join(_own(), f"procsup-bench-{os.getpid()}-{Group._count}")
        os.mkdir(self._directory)
        return self._directory

    def __exit__(self, *_):
        remove(self._directory)
