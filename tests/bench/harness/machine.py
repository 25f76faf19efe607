"""What the kernel tells of processes and of the machine."""

import os
import resource
import signal


class Broken(Exception):
    """Something did not work; figures that are merely bad are no reason to raise it."""


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def raise_open_files():
    """Some supervisors need several descriptors per service."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def processes_possible():
    """How many processes a benchmark may make without touching a limit."""
    limits = [int(read("/proc/sys/kernel/pid_max")), int(read("/proc/sys/kernel/threads-max"))]
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if soft != resource.RLIM_INFINITY:
        limits.append(soft)
    return min(limits) - int(read("/proc/loadavg").split()[3].split("/")[1])


def cpu_ns(pid):
    """CPU time of a process with one thread, to the nanosecond."""
    return int(read(f"/proc/{pid}/schedstat").split()[0])


def _stat(pid):
    return read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def children_cpu_ms(pid):
    """CPU time of children that have ended and were waited for."""
    fields = _stat(pid)
    return (int(fields[13]) + int(fields[14])) * 1000 / os.sysconf("SC_CLK_TCK")


def context_switches(pid):
    return sum(int(line.split()[1]) for line in read(f"/proc/{pid}/status").splitlines() if "ctxt_switches" in line)


def pss_kib(pid):
    for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise Broken(f"cannot read the memory of process {pid}")


def resident_kib(pid, most=False):
    """What it has in memory, or the most that it had since forget_most_resident()."""
    word = "VmHWM:" if most else "VmRSS:"
    return next(int(line.split()[1]) for line in read(f"/proc/{pid}/status").splitlines() if line.startswith(word))


def forget_most_resident(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="utf-8") as file:
        file.write("5")


def start_time(pid):
    """With the pid it names a process for good; None when there is none, or only a zombie."""
    try:
        fields = _stat(pid)
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def children(pid):
    """The oldest first."""
    return [int(word) for word in read(f"/proc/{pid}/task/{pid}/children").split()]


def family(root):
    """`root` and all its living descendants as {pid: start time}."""
    parents, born = {}, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = _stat(entry)
        except OSError:
            continue
        if fields[0] not in "ZX":
            parents.setdefault(int(fields[1]), []).append(int(entry))
            born[int(entry)] = int(fields[19])
    members, unseen = {}, [root]
    while unseen:
        pid = unseen.pop()
        if pid in born and pid not in members:
            members[pid] = born[pid]
            unseen.extend(parents.get(pid, ()))
    return members


def kill_exact(pid, born):
    """Kills a process if it is still the one that was born then. Returns whether it was there."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if start_time(pid) != born:
            return False
        signal.pidfd_send_signal(fd, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(fd)


def runs_program(pid, programs):
    try:
        return os.readlink(f"/proc/{pid}/exe") in programs
    except OSError:
        return False


def description():
    model = next((line.partition(":")[2].strip() for line in read("/proc/cpuinfo").splitlines()
                  if line.startswith("model name")), "unknown processor")
    memory_kib = int(read("/proc/meminfo").split()[1])
    return (f"{os.cpu_count()} x {model}, {memory_kib / 2**20:.0f} GiB, "
            f"Linux {os.uname().release}, load average {read('/proc/loadavg').split()[0]} at the start")
