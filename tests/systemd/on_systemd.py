"""For tests that run under a systemd of their own (in-container): puts the built programs and units where a package
would, and waits for what systemd and the journal tell, always with a deadline and never by sleeping."""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import time
import unittest
from pathlib import Path

TIME_SCALE = float(os.environ.get("PROCSUP_TIME_SCALE", "1"))
PATIENCE = 20 * TIME_SCALE
SERVICE = "procsupd.service"
SOCKET = Path("/run/procsupd/io.procsupd")
CONFIGURATION = Path("/etc/procsupd")
SYSTEM_UNITS = Path("/usr/lib/systemd/system")
USER_UNITS = Path("/usr/lib/systemd/user")
DROP_IN = Path("/etc/systemd/system/procsupd.service.d/test.conf")


def what_hangs():
    """Every process with what the kernel does for it, and the system calls that procsupd is in."""
    shown = subprocess.run(["ps", "-eo", "pid,ppid,pgid,stat,wchan:24,args"], capture_output=True, text=True, check=False)
    text = shown.stdout
    for pid in (line.split()[0] for line in shown.stdout.splitlines() if "procsupd" in line):
        for name in ("syscall", "stack", "status"):
            try:
                text += f"--- /proc/{pid}/{name}\n{Path(f'/proc/{pid}/{name}').read_text()}"
            except OSError as gone:
                text += f"--- {gone}\n"
    jobs = subprocess.run(["systemctl", "list-jobs", "--no-pager"], capture_output=True, text=True, check=False, timeout=5)
    return text + jobs.stdout + jobs.stderr


def run(*command, check=True, **options):
    """The finished process; a failure is an assertion that shows what the command said."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
                              check=False, **options)
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"{words} takes longer than {PATIENCE} s\n{what_hangs()}") from late
    if check and done.returncode != 0:
        raise AssertionError(f"{done.args} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done


def install():
    """The programs and units of the build, as a package would install them."""
    for program, place in (("PROCSUP_DAEMON", "PROCSUP_SBINDIR"), ("PROCSUP_CTL", "PROCSUP_BINDIR")):
        os.makedirs(os.environ[place], exist_ok=True)
        shutil.copy(os.environ[program], os.environ[place])
    own = Path(os.environ["PROCSUP_LIBEXECDIR"]) / "procsupd"
    own.mkdir(parents=True, exist_ok=True)
    for part in ("guard", "keeper", "logger"):
        shutil.copy(Path(os.environ["PROCSUP_DAEMON"]).parent / part / f"procsup-{part}", own)
    os.environ["PATH"] = os.environ["PROCSUP_BINDIR"] + ":" + os.environ["PATH"]
    USER_UNITS.mkdir(parents=True, exist_ok=True)
    shutil.copy(os.environ["PROCSUP_UNIT"], SYSTEM_UNITS)
    shutil.copy(os.environ["PROCSUP_SOCKET_UNIT"], SYSTEM_UNITS)
    shutil.copy(os.environ["PROCSUP_USER_UNIT"], USER_UNITS)
    # systemd sends SIGCONT after SIGTERM, which undoes the SIGSTOP by which LeakSanitizer stops a process that ends: it
    # would wait for ever.
    for manager in ("system", "user"):
        settings = Path(f"/run/systemd/{manager}.conf.d/leaks.conf")
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text("[Manager]\nDefaultEnvironment=ASAN_OPTIONS=detect_leaks=0\n")
    run("systemctl", "daemon-reload")


def properties(unit, *names):
    shown = run("systemctl", "show", unit, "--property=" + ",".join(names)).stdout
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)


class UnitChanges:
    """Every change of a unit as something to wait for: systemd tells the peers of its private socket unasked. What the
    messages say is not read; that one came is the reason to look again."""

    def __init__(self):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(PATIENCE)
        self._socket.connect("/run/systemd/private")
        self._socket.sendall(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\nBEGIN\r\n")
        if not self._socket.recv(4096).startswith(b"OK"):
            raise AssertionError("systemd does not talk on its private socket")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def wait(self, unit, what, holds, *names):
        """Returns the named properties as soon as holds(properties) says yes."""
        end = time.monotonic() + PATIENCE
        while True:
            now = properties(unit, *names)
            if holds(now):
                return now
            self._socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                self._socket.recv(1 << 16)
            except TimeoutError as late:
                raise AssertionError(f"{unit} did not become {what}; it is {now}\n{journal_text()}") from late


def wait_for(unit, **wanted):
    """Waits until the properties have the wanted values; a value may be a predicate."""
    def holds(now):
        return all(value(now[name]) if callable(value) else now[name] == value for name, value in wanted.items())

    with UnitChanges() as changes:
        return changes.wait(unit, f"as wanted ({', '.join(wanted)})", holds, *wanted)


def journal_text():
    return run("journalctl", "--no-pager", "-n", "60", "-u", SERVICE, check=False).stdout


def journal_entry(*matches, holds=lambda entry: True):
    """The first entry of the journal that fits, waiting for it to be written. Each look has all that journald was sent
    until then; following with -f would miss what is written while journalctl looks at its first entries."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        run("journalctl", "--sync")
        for line in run("journalctl", "--no-pager", "-o", "json", *matches, check=False).stdout.splitlines():
            entry = json.loads(line)
            if holds(entry):
                return entry
    raise AssertionError(f"no such entry in the journal ({matches})\n{journal_text()}")


class Process:
    """A process that is not ours, held by pidfd so that nobody else's can be mistaken for it."""

    def __init__(self, pid):
        self.pid = int(pid)
        self._fd = os.pidfd_open(self.pid)

    def __del__(self):
        os.close(self._fd)

    def ends_within(self, seconds):
        return bool(select.select([self._fd], [], [], seconds)[0])

    def send(self, number):
        signal.pidfd_send_signal(self._fd, number)

    def group(self):
        lines = Path(f"/proc/{self.pid}/cgroup").read_text().splitlines()
        return next(line[3:] for line in lines if line.startswith("0::"))


def ctl(*arguments, **options):
    return run("procsupctl", *arguments, **options)


def instances():
    return {one["name"]: one for one in json.loads(ctl("status", "--json", check=False).stdout)["instances"]}


class ServiceTest(unittest.TestCase):
    """Each test begins with no configuration and no procsupd."""

    def setUp(self):
        (CONFIGURATION / "jobs.d").mkdir(parents=True)
        DROP_IN.parent.mkdir(parents=True, exist_ok=True)
        self.scratch = Path("/run/test")
        self.scratch.mkdir()

    def tearDown(self):
        try:
            run("systemctl", "stop", "procsupd.socket", SERVICE, check=False)
        finally:
            run("systemctl", "reset-failed", check=False)
            shutil.rmtree(CONFIGURATION)
            shutil.rmtree(self.scratch)
            if DROP_IN.exists():
                DROP_IN.unlink()
                run("systemctl", "daemon-reload")

    def job(self, name, *lines):
        (CONFIGURATION / "jobs.d" / f"{name}.toml").write_text("\n".join(lines) + "\n")

    def drop_in(self, *lines):
        DROP_IN.write_text("\n".join(["[Service]", *lines]) + "\n")
        run("systemctl", "daemon-reload")

    def start(self):
        run("systemctl", "start", SERVICE)

    def daemon(self):
        return Process(properties(SERVICE, "MainPID")["MainPID"])

    def process_of(self, instance):
        return Process(instances()[instance]["pid"])

    def fifo(self, name):
        path = self.scratch / name
        os.mkfifo(path)
        return path


def main():
    install()
    unittest.main(verbosity=2)
