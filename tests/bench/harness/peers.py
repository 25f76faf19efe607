"""Other supervisors, as their users configure them, but restarting at once as far as they can."""

import os
import shlex
import shutil
import signal
import time

from harness.supervisors import Supervisor


class Peer(Supervisor):
    program = ""
    package = ""
    most_rounds = 3  # some take very long

    def find(self, program):
        return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def present(self):
        return self.find(self.program) is not None


class Supervisord(Peer):
    name = program = "supervisord"
    package = "supervisor"
    most_jobs = 1000  # with 5,000 it takes minutes to start and to end

    def _config(self, folder):
        return os.path.join(folder, "supervisord.conf")

    def prepare(self, folder, jobs):
        socket = os.path.join(folder, "socket")
        lines = ["[supervisord]", "nodaemon=true", f"logfile={folder}/supervisord.log", f"pidfile={folder}/pid",
                 f"childlogdir={folder}",
                 "[unix_http_server]", f"file={socket}",
                 "[supervisorctl]", f"serverurl=unix://{socket}",
                 "[rpcinterface:supervisor]",
                 "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface"]
        for job in jobs:
            lines += [f"[program:{job.name}]", f"command={shlex.join(job.argv)}", "startsecs=0", "autorestart=true",
                      "startretries=1000000", "stdout_logfile=NONE", "stderr_logfile=NONE"]
        with open(self._config(folder), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return [self.find("supervisord"), "-c", self._config(folder)]

    def _ctl(self, folder, *words):
        return [self.find("supervisorctl"), "-c", self._config(folder), *words], {}

    def status_one(self, folder, job):
        return self._ctl(folder, "status", job.name)

    def status_all(self, folder, jobs):
        return self._ctl(folder, "status")


class ScanFolder(Peer):
    """Supervisors that run what they find in a folder: one folder and a `run` script each."""

    def _services(self, folder):
        return os.path.join(folder, "service")

    def service(self, folder, job):
        return os.path.join(self._services(folder), job.name)

    def lay_out(self, folder, jobs):
        os.mkdir(self._services(folder))
        for job in jobs:
            os.mkdir(self.service(folder, job))
            run = os.path.join(self.service(folder, job), "run")
            with open(run, "w", encoding="utf-8") as file:
                file.write(f"#!/bin/sh\nexec {shlex.join(job.argv)}\n")
            os.chmod(run, 0o755)


class Runit(ScanFolder):
    name = "runit"
    program = "runsvdir"
    package = "runit"
    stop_signal = signal.SIGHUP  # on SIGTERM it leaves the services behind
    most_jobs = 1000

    def prepare(self, folder, jobs):
        self.lay_out(folder, jobs)
        time.sleep(2)  # runsvdir waits when its folder was changed within the second
        return [self.find("runsvdir"), "-P", self._services(folder)]

    def status_one(self, folder, job):
        return [self.find("sv"), "status", self.service(folder, job)], {}

    def status_all(self, folder, jobs):
        return [self.find("sv"), "status", *(self.service(folder, job) for job in jobs)], {}


class S6(ScanFolder):
    """No `status_all`: s6-svstat takes one service, so that would be a process for each."""
    name = "s6"
    program = "s6-svscan"
    package = "s6"

    def prepare(self, folder, jobs):
        self.lay_out(folder, jobs)
        return [self.find("s6-svscan"), "-c", "12000", self._services(folder)]

    def status_one(self, folder, job):
        return [self.find("s6-svstat"), self.service(folder, job)], {}


def all_peers():
    return [Supervisord(), Runit(), S6()]
