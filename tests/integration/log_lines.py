"""Jobs that are ready when they have written a line, and what they write."""
import json
import os

from captured import CaptureTest


class Mouth:
    """What is written here, its job writes."""

    def __init__(self, path):
        os.mkfifo(path)
        os.chmod(path, 0o666)
        # Open for reading too: it waits for no job, and no job sees its end.
        self.fd = os.open(path, os.O_RDWR)

    def __del__(self):
        os.close(self.fd)

    def say(self, data):
        os.write(self.fd, data.encode() if isinstance(data, str) else data)


FORWARD = {"stdout": "forward", "stderr": "forward"}


def job(name, line="ready", shell=None, timeout="20s", more="", log=None, **more_log):
    """Its table; it writes what its mouth is told."""
    keys = log or {"format": "raw", "compress": "none", **more_log}
    table = "\n".join(f"{key} = {json.dumps(value)}" for key, value in keys.items())
    return f"""
[jobs.{name}]
shell = '''{shell or f"exec cat @DIR@/{name}.mouth"}'''
stop_timeout = "2s"
{more}
[jobs.{name}.ready]
log_line = '''{line}'''
timeout = "{timeout}"
[jobs.{name}.log]
{table}
"""


class LogLineTest(CaptureTest):
    def begin(self, *texts, mouths=("web",), **arguments):
        s = self.prepare("\n".join(texts), **arguments)
        s.mouths = [Mouth(s.path(f"{name}.mouth")) for name in mouths]
        s.start().settle()
        return s, *s.mouths

    def is_ready(self, s, name="web"):
        return s.instance(name)["ready"]

    def await_ready(self, s, name="web"):
        s.ctl("wait", name)
        self.assertTrue(self.is_ready(s, name))

    def assert_not_ready_when_written(self, s, text):
        """All of it was looked at: that comes before it is written."""
        self.await_content(s, text)
        s.ctl("daemon", "status")
        self.assertFalse(self.is_ready(s))
