"""A terminal with a program on it, and who sits in front."""
import fcntl
import os
import pty
import re
import select
import struct
import termios

from processes import Deadline, wait_gone


class Terminal:
    """The program is leader of a session of its own; `env` is all of its environment."""

    def __init__(self, *argv, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(argv[0], argv, env)
            finally:
                os._exit(99)
        self.seen = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern):
        """Text that was not expected before."""
        deadline = Deadline()
        while not (found := re.search(pattern, self.seen)):
            if not deadline.readable(self.fd):
                raise AssertionError(f"no {pattern!r} in {self.seen!r}")
            try:
                self.seen += os.read(self.fd, 4096).decode("utf-8", "replace")
            except OSError as error:
                raise AssertionError(f"hung up; no {pattern!r} in {self.seen!r}") from error
        self.seen = self.seen[found.end():]
        return found

    def foreground(self):
        return struct.unpack("i", fcntl.ioctl(self.fd, termios.TIOCGPGRP, b"\0" * 4))[0]

    def end(self):
        """How it ends, as subprocess has it; what it still writes is read."""
        deadline = Deadline()
        while not wait_gone(self.pid, 0.01):
            if not deadline.left():
                raise AssertionError(f"does not end; {self.seen!r}")
            if select.select([self.fd], [], [], 0)[0]:
                try:
                    self.seen += os.read(self.fd, 4096).decode("utf-8", "replace")
                except OSError:
                    pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1
