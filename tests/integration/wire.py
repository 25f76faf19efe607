"""A varlink client that can misbehave: NUL-terminated JSON on a Unix socket."""
import json
import os
import socket

from processes import PATIENCE, Deadline


class Wire:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_raw(self, data):
        self.socket.sendall(data)

    def send(self, method, parameters=None, **flags):
        call = {"method": method, **flags}
        if parameters is not None:
            call["parameters"] = parameters
        self.send_raw(json.dumps(call).encode() + b"\0")

    def receive(self, seconds=PATIENCE):
        """The next reply, or None when the server has closed the connection."""
        deadline = Deadline(seconds)
        while b"\0" not in self.buffer:
            if not deadline.readable(self.socket.fileno()):
                raise AssertionError(f"no reply within {seconds} s behind {self.buffer[-200:]!r}")
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionError:
                data = b""
            if not data:
                return None
            self.buffer += data
        reply, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(reply)

    def call(self, method, parameters=None):
        self.send(method, parameters)
        return self.receive()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)


def cpu_ticks(pid):
    """User and system time of a process, in clock ticks."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def open_fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
