"""The echo server that clients of a supervisor are compared with."""

import os
import subprocess
import time

from harness.machine import Broken


class EchoServer:
    _count = 0

    def __init__(self, tools):
        EchoServer._count += 1
        self.socket = os.path.join(tools.scratch, f"echo{EchoServer._count}")
        self._tools = tools

    @property
    def pid(self):
        return self._process.pid

    def __enter__(self):
        self._process = subprocess.Popen([self._tools.echo, self.socket], stdin=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while not os.path.exists(self.socket):
            if self._process.poll() is not None or time.monotonic() > end:
                raise Broken("the echo server did not start")
            time.sleep(0.005)
        time.sleep(0.02)  # between bind and listen a client would be refused
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        os.unlink(self.socket)
