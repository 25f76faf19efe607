"""Pings while something else happens: whether a supervisor answers meanwhile."""

import subprocess
import time

from harness.machine import Broken

INTERVAL_US = 5000


class Pings:
    """While in a `with`, a client at real-time priority pings `socket`; then `worst` is the longest time in ns."""

    def __init__(self, tools, socket):
        self.worst = None
        self._argv = [tools.ping, "watch", str(INTERVAL_US), socket]
        self._process = None

    def __enter__(self):
        self._process = subprocess.Popen(self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        time.sleep(0.05)
        return self

    def __exit__(self, kind, *_):
        time.sleep(0.05)
        answer, _ = self._process.communicate("")
        if self._process.returncode == 0:
            self.worst = int(answer.split()[0])
        elif kind is None:
            raise Broken("pings failed meanwhile")
