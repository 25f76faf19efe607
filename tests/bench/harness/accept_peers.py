"""Who else starts a program for each connection: as their users configure them, but without a limit that a test meets."""

import os

from harness.peers import Peer

QUEUE = 4096


class AcceptPeer(Peer):
    """Its one job serves the port."""
    most_rounds = 1000  # none of them takes long

    def __init__(self, port, most):
        self._port, self._most = port, most


class SystemdSocketActivate(AcceptPeer):
    """It writes two lines for each connection where it is not told to be silent."""
    name = program = "systemd-socket-activate"
    package = "systemd"

    def prepare(self, folder, jobs):
        return ["/usr/bin/env", "SYSTEMD_LOG_LEVEL=warning", self.find(self.program), "--accept", "--inetd",
                f"--listen=127.0.0.1:{self._port}", *jobs[0].argv]


class Tcpserver(AcceptPeer):
    """It looks up no names; by itself it has a queue of 20 and serves 40 at a time."""
    name = program = "tcpserver"
    package = "ucspi-tcp"

    def prepare(self, folder, jobs):
        return [self.find(self.program), "-q", "-H", "-R", "-l", "localhost", "-b", str(QUEUE), "-c", str(self._most),
                "127.0.0.1", str(self._port), *jobs[0].argv]


class Tcpsvd(AcceptPeer):
    name = program = "tcpsvd"
    package = "ipsvd"

    def prepare(self, folder, jobs):
        return [self.find(self.program), "-l", "localhost", "-b", str(QUEUE), "-c", str(self._most),
                "127.0.0.1", str(self._port), *jobs[0].argv]


class Inetd(AcceptPeer):
    """It starts 256 a minute where it is not told otherwise."""
    name = "openbsd-inetd"
    program = "inetd"
    package = "openbsd-inetd"

    def prepare(self, folder, jobs):
        path = os.path.join(folder, "inetd.conf")
        (program,) = jobs[0].argv
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"127.0.0.1:{self._port} stream tcp nowait root {program} {os.path.basename(program)}\n")
        return [self.find(self.program), "-i", "-q", str(QUEUE), "-R", "1000000000", path]


class Xinetd(AcceptPeer):
    """It takes 50 a second where it is not told otherwise. Its queue of 64 cannot be made longer: callers beyond that are reset."""
    name = program = "xinetd"
    package = "xinetd"

    def prepare(self, folder, jobs):
        path = os.path.join(folder, "xinetd.conf")
        (program,) = jobs[0].argv
        settings = ("type = UNLISTED", "socket_type = stream", "protocol = tcp", "wait = no", "user = root",
                    "bind = 127.0.0.1", f"port = {self._port}", f"server = {program}", "instances = UNLIMITED",
                    "per_source = UNLIMITED", "cps = 1000000 1", "disable = no")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(["service upper", "{", *settings, "}", ""]))
        return [self.find(self.program), "-dontfork", "-f", path, "-pidfile", os.path.join(folder, "pid"),
                "-filelog", os.path.join(folder, "xinetd.log")]


KINDS = (SystemdSocketActivate, Tcpserver, Tcpsvd, Inetd, Xinetd)
