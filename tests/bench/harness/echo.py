"""The echo server that clients of a supervisor are compared with."""

import os
import select
import subprocess

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
        self._process = subprocess.Popen([self._tools.echo, self.socket], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, text=True)
        if not select.select([self._process.stdout], [], [], 10)[0] or not self._process.stdout.readline():
            raise Broken("the echo server did not start")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()
        os.unlink(self.socket)
