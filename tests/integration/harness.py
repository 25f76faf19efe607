"""Starts the real procsupd in a private directory and drives it with procsupctl.

Nothing here sleeps; waiting is for a descriptor, with a deadline. Every supervisor's end is followed by a look for what
it left behind.
"""
import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

from processes import PATIENCE, Deadline, descendants, end_descendants

PROCSUPD = os.path.abspath(os.environ.get("PROCSUPD") or shutil.which("procsupd") or "procsupd")
PROCSUPCTL = os.path.abspath(os.environ.get("PROCSUPCTL") or shutil.which("procsupctl") or "procsupctl")
OWN_PROGRAMS = [os.path.join(os.path.dirname(PROCSUPD), part, f"procsup-{part}") for part in ("keeper", "guard", "logger", "broker")]
ROOT = os.geteuid() == 0

@dataclasses.dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Lines:
    """Lines from a descriptor, each waited for with a deadline."""

    def __init__(self, fd):
        self.fd = fd
        self.buffer = b""

    def next(self, seconds=PATIENCE):
        deadline = Deadline(seconds)
        while b"\n" not in self.buffer:
            if not deadline.readable(self.fd):
                raise AssertionError(f"no line within {seconds} s; so far: {self.buffer[-2000:]!r}")
            data = os.read(self.fd, 65536)
            if not data:
                raise EOFError(f"the stream has ended behind {self.buffer!r}")
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode("utf-8", "backslashreplace")


class Fifo(Lines):
    """A FIFO that jobs write to; it always has a reader, and never ends."""

    def __init__(self, path):
        os.mkfifo(path)
        os.chmod(path, 0o666)
        self.path = path
        super().__init__(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))


class Events:
    """`procsupctl events -f --json`: the snapshot, and each event once."""

    def __init__(self, supervisor, *names):
        self.process = supervisor.popen("events", "-f", "--json", *names, stdout=subprocess.PIPE)
        self.lines = Lines(self.process.stdout.fileno())
        self.snapshot = json.loads(self.lines.next())["snapshot"]
        self.seen = []

    def next(self, seconds=PATIENCE):
        while "words" in (reply := json.loads(self.lines.next(seconds))):
            pass
        if "event" not in reply:
            raise AssertionError(f"not an event: {reply}")
        self.seen.append(reply["event"])
        return reply["event"]

    def until(self, name, state, seconds=PATIENCE):
        """The next event that takes `name` to `state`."""
        deadline = Deadline(seconds)
        while True:
            event = self.next(deadline.left())
            if event["name"] == name and event["to"] == state:
                return event

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Supervisor:
    """One procsupd with its own directories. It ends everything it started, whatever happens."""

    def __init__(self, config="", *, options=(), env=None, directory=None, prefix=(), in_place=False,
                 layers=None, **popen):
        self.dir = directory or tempfile.mkdtemp(prefix="psit-")
        os.chmod(self.dir, 0o755)
        self.keep_dir = directory is not None
        self.config = self.path("procsup.toml")
        # Instead of it: directories, of which each stands over those behind it. Without any, procsupd knows where to look.
        self.layers = None if layers is None else [self.path(layer) for layer in layers]
        self.runtime, self.state = self.path("run"), self.path("state")
        self.socket = self.path("run", "io.procsupd")
        self.log = self.path("procsupd.log")
        # One run of the tests can have all its supervisors hold jobs in the same way.
        mode = os.environ.get("PROCSUP_CONTAINMENT")
        self.options = [*([f"--containment={mode}"] if mode else []), *options]
        self.prefix = list(prefix)
        self.in_place = in_place
        self.env = {"PATH": os.environ["PATH"], "PROCSUP_CANARY": "must not reach a job", **(env or {})}
        self.popen_arguments = popen
        self.process = self.notify = None
        self.started = []
        self.configure(config)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, path, text, mode=0o644):
        path = self.path(path)
        with open(path, "wb" if isinstance(text, bytes) else "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def configure(self, text):
        """Writes the project file; @DIR@ in it is the private directory."""
        self.write(self.config, text.replace("@DIR@", self.dir) if isinstance(text, str) else text)

    def fifo(self, name):
        return Fifo(self.path(name))

    def log_text(self):
        try:
            with open(self.log, encoding="utf-8", errors="backslashreplace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def program(self, path, popen):
        """Where a process finds the program: another user may not enter the directories above the build, unless the test
        knows better (`in_place`)."""
        if self.in_place or ("user" not in popen and not self.prefix):
            return path
        copy = self.path(os.path.basename(path))
        if not os.path.exists(copy):
            shutil.copy(path, copy)
        return copy

    def launch(self):
        """Starts procsupd and does not wait for it."""
        notify = self.path("notify")
        if self.notify is not None:
            self.notify.close()
            os.unlink(notify)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.notify.bind(notify)
        os.chmod(notify, 0o777)
        command = [*self.prefix, self.program(PROCSUPD, self.popen_arguments), "--runtime-dir", self.runtime,
                   "--state-dir", self.state]
        for config in [self.config] if self.layers is None else self.layers:
            command += ["--config", config]
        for path in OWN_PROGRAMS:  # which procsupd looks for beside itself
            self.program(path, self.popen_arguments)
        with open(self.log, "ab") as log:
            arguments = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **self.popen_arguments}
            self.process = subprocess.Popen(command + self.options, env={**self.env, "NOTIFY_SOCKET": notify},
                                            **arguments)
        self.started.append(self.process)
        return self

    def start(self):
        self.launch()
        if not self.wait_notified("READY=1"):
            raise AssertionError(f"procsupd is not ready (exit {self.process.poll()})")
        return self

    def settle(self):
        """Waits until no instance is `starting`: procsupd is ready before its jobs are."""
        events = self.events()
        starting = {i["name"] for i in events.snapshot["instances"] if i["state"] == "starting"}
        while starting:
            event = events.next()
            (starting.add if event["to"] == "starting" else starting.discard)(event["name"])
        events.close()
        return self

    def wait_notified(self, word, seconds=PATIENCE):
        deadline = Deadline(seconds)
        pidfd = os.pidfd_open(self.process.pid)
        try:
            while ready := deadline.readable(self.notify.fileno(), pidfd):
                if self.notify.fileno() not in ready:
                    return False
                if word in self.notify.recv(65536).decode().split("\n"):
                    return True
            return False
        finally:
            os.close(pidfd)

    def wait_end(self, seconds=PATIENCE):
        """procsupd's exit code, once it has ended."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"procsupd still runs after {seconds} s") from None

    def ctl_env(self, extra=None):
        path = os.path.dirname(PROCSUPD) + ":" + os.environ["PATH"]
        return {"PATH": path, "PROCSUPD_SOCKET": self.socket, "LANG": "C.UTF-8", **(extra or {})}

    def popen(self, *words, env=None, **arguments):
        process = subprocess.Popen([self.program(PROCSUPCTL, arguments), *words], env=self.ctl_env(env), **arguments)
        self.started.append(process)
        return process

    def run(self, *words, env=None, seconds=PATIENCE, text=None, **arguments):
        """procsupctl to its end, whatever its exit code."""
        arguments.setdefault("stdin", subprocess.DEVNULL if text is None else None)
        if text is not None:
            del arguments["stdin"]
            arguments["input"] = text.encode()
        done = subprocess.run([self.program(PROCSUPCTL, arguments), *words], env=self.ctl_env(env), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=seconds, check=False, **arguments)
        return Result(done.returncode, done.stdout.decode("utf-8", "backslashreplace"),
                      done.stderr.decode("utf-8", "backslashreplace"))

    def ctl(self, *words, expect=0, **arguments):
        """procsupctl, which must end with `expect`."""
        result = self.run(*words, **arguments)
        if result.code != expect:
            raise AssertionError(f"procsupctl {' '.join(words)}: exit {result.code}, expected {expect}\n"
                                 f"stdout: {result.out}\nstderr: {result.err}")
        return result

    def instances(self, *names):
        """{name: instance} as `status --json` has it."""
        return {i["name"]: i for i in self.run("status", "--json", *names).json["instances"]}

    def instance(self, name):
        return self.instances(name)[name]

    def pid_of(self, name):
        return self.instance(name)["pid"]

    def daemon(self):
        return self.ctl("daemon", "status", "--json").json

    def job_processes(self):
        """The pids below procsupd that are no keepers and no guard."""
        return [pid for pid, text in descendants(self.process.pid).items() if "procsup-" not in text]

    def events(self, *names):
        return Events(self, *names)

    def cgroup(self):
        """Where procsupd has the groups of its jobs."""
        with open(self.path("run", "cgroup"), encoding="utf-8") as file:
            return file.read().strip()

    def remove_cgroups(self):
        """Those that a procsupd that was killed has left."""
        try:
            root = self.cgroup()
        except OSError:
            return
        for directory, _, _ in os.walk(root, topdown=False):
            try:
                os.rmdir(directory)
            except OSError:
                pass  # a test that leaves a process in it says so itself

    def close(self, spared=()):
        """Ends procsupd and what procsupctl still runs; returns the processes that were left behind."""
        for process in reversed(self.started):
            if process.poll() is None and process is not self.process:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.notify is not None:
            self.notify.close()
        left = end_descendants(spared)
        self.remove_cgroups()
        self.last_log = self.log_text()
        if not self.keep_dir:
            shutil.rmtree(self.dir, ignore_errors=True)
        return left


class IntegrationTest(unittest.TestCase):
    """Every supervisor of a test is ended with it, must leave nothing behind, and shows its log when the test fails."""

    leftovers_allowed = False

    def run(self, result=None):
        self.logs, self.open = [], []
        result = result if result is not None else self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for log in self.logs:
                print(f"---- procsupd of {self.id()}\n{log[-6000:]}----", file=sys.stderr)
        return result

    def prepare(self, config="", **arguments):
        supervisor = Supervisor(config, **arguments)
        self.open.append(supervisor)
        self.addCleanup(self.finish, supervisor)
        return supervisor

    def supervise(self, config="", **arguments):
        """A running procsupd whose jobs have been executed."""
        return self.prepare(config, **arguments).start().settle()

    def await_true(self, what, condition):
        """Looks again and again: of this the kernel does not tell those who are no parent."""
        deadline = Deadline()
        while not condition():
            self.assertGreater(deadline.left(), 0, f"never: {what}")
            deadline.readable(pause=0.01)

    def finish(self, supervisor):
        self.open.remove(supervisor)
        spared = [process.pid for other in self.open for process in other.started if process.poll() is None]
        left = supervisor.close(spared)
        self.logs.append(supervisor.last_log)
        if left and not self.leftovers_allowed:
            raise AssertionError(f"left behind: {left}")
