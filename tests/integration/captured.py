"""Jobs whose output procsupd keeps in files, what stands in these files, and the logger that writes them."""
import json
import os
import re
import signal
import subprocess
import sys

from hostile import HostileTest
from processes import PATIENCE, descendants, wait_gone

HERE = os.path.dirname(os.path.abspath(__file__))
STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def captured(name, shell=None, *lines, command=None, **log):
    """The table of a job with captured output; `log` are keys of its [log]."""
    what = f"shell = {json.dumps(shell)}" if shell else f"command = {json.dumps(command)}"
    keys = {"stdout": "capture", "stderr": "capture", "format": "raw", "compress": "none", **log}
    return "\n".join([f"[jobs.{name}]", what, *lines, f"[jobs.{name}.log]",
                      *(f"{key} = {json.dumps(value)}" for key, value in keys.items()), ""])


def python(*words):
    return [sys.executable, "-I", *words]


def numbered(board, longest=100):
    """The command of a job that writes numbered lines."""
    return python(os.path.join(HERE, "numbered_lines.py"), board, str(longest))


def files_of(directory, base):
    """Paths of the files of one stream, in the order they were written."""
    names = os.listdir(directory) if os.path.isdir(directory) else []
    by_number = {}
    # A file whose compression was interrupted is there under its own name.
    for name in sorted(names, reverse=True):
        if found := re.fullmatch(re.escape(base) + r"\.(\d+)(\.zst)?", name):
            by_number[int(found[1])] = name
    rotated = [by_number[number] for number in sorted(by_number)]
    return [os.path.join(directory, name) for name in rotated + [base] if name in names]


def content_of(directory, base="web.out.log"):
    """Of all its files together, looked for again when one of them was removed or compressed meanwhile."""
    while True:
        try:
            return content_of_all(files_of(directory, base))
        except FileNotFoundError:
            continue


def content_of_all(files):
    if any(path.endswith(".zst") for path in files):
        return subprocess.run(["zstd", "-dcfq", "--", *files], stdout=subprocess.PIPE, check=True).stdout
    content = b""
    for path in files:
        with open(path, "rb") as file:
            content += file.read()
    return content


def unstamped(content):
    """The lines without their times; every one has to have one."""
    bare = []
    for line in content.splitlines(keepends=True):
        stamp, space, rest = line[:27], line[27:28], line[28:]
        if not STAMP.fullmatch(stamp) or space != b" ":
            raise AssertionError(f"not a stamped line: {line[:80]!r}")
        bare.append(rest)
    return b"".join(bare)


def messages(content):
    return "".join(json.loads(line)["message"] + "\n" for line in content.splitlines()).encode()


AS_WRITTEN = {"raw": bytes, "stamped": unstamped, "json": messages}


class Captured:
    """What tests of captured output ask of a supervisor."""

    def log_dir(self, s):
        return s.path("state", "log")

    def file(self, s, name="web.out.log"):
        return os.path.join(self.log_dir(s), name)

    def content(self, s, base="web.out.log"):
        return content_of(self.log_dir(s), base)

    def loggers(self, s):
        """{where its file system is mounted: the pid of the logger}"""
        pids = [pid for pid, text in descendants(s.process.pid).items()
                if text.endswith(" procsup-logger") and not text.startswith("Z")]
        found = {}
        for pid in pids:
            try:
                with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
                    words = file.read().split("\0")
            except OSError:
                continue
            if words[0] == "procsup-logger":
                found[words[1]] = pid
        return found

    def logger(self, s, after=None, on=None):
        """The pid of the logger for the file system mounted `on`, once there is one that is another than `after`."""
        found = []

        def there():
            found[:] = [pid for disk, pid in self.loggers(s).items() if on in (None, disk) and pid != after]
            return found

        self.await_true("there is a logger", there)
        return found[0]

    def hold_logger(self, s):
        """Nothing is read until the logger is let go on, or killed."""
        pid = self.logger(s)
        os.kill(pid, signal.SIGSTOP)
        return pid

    def await_content(self, s, expected, base="web.out.log"):
        expected = expected.encode() if isinstance(expected, str) else expected
        try:
            self.await_true("the output is in its file", lambda: self.content(s, base) == expected)
        except AssertionError:
            got = self.content(s, base)
            same = len(os.path.commonprefix([got, expected]))
            raise AssertionError(f"{base}: {len(got)} bytes instead of {len(expected)}, the same up to {same}: "
                                 f"{got[same:same + 80]!r} instead of {expected[same:same + 80]!r}") from None

    def await_log(self, s, text):
        """procsupd's own log says it; the whole line."""
        self.await_true(f"procsupd says {text!r}", lambda: text in s.log_text())
        return next(line for line in s.log_text().splitlines() if text in line)

    def assert_gone(self, pid):
        self.assertTrue(wait_gone(pid, PATIENCE), f"process {pid} still runs")


class CaptureTest(Captured, HostileTest):
    pass
