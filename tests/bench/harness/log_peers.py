"""Who else writes a program's output to files: loggers that read one pipe, and supervisors that do it themselves."""

import os
import shlex

from harness import machine
from harness.peers import Peer
from harness.supervisors import Procsupd, Supervisor

ROTATE = 16 << 20
STAMP = 28  # "2026-03-03T10:11:02.123456Z "


class Captured(Procsupd):
    """procsupd keeping what its jobs write in one form; files of 16 MiB, none thrown away."""

    def __init__(self, tools, form):
        super().__init__(tools)
        self.form = form
        self.name = f"procsupd-{form}"

    def prepare(self, folder, jobs):
        os.mkdir(output_of(folder))
        return super().prepare(folder, jobs)

    def more_settings(self, folder, job):
        return [f"[jobs.{job.name}.log]", 'stdout = "capture"', f'format = "{self.form}"', f'max_size = "{ROTATE}B"',
                "keep = 10000", 'compress = "none"', f'dir = "{output_of(folder)}"']

    def bytes_per_line(self, job):
        """In the files beside the line itself."""
        if self.form == "json":
            source = f'"job":"{job}","instance":"{job}","stream":"stdout"'
            return len(f'{{"time":"",{source},"message":""}}') + STAMP - 1
        return STAMP if self.form == "stamped" else 0

    def logging(self, running):
        """Whose CPU time the logging is."""
        return [pid for pid in running.supervising() if machine.runs_program(pid, (self._tools.logger,))]


class AtPipe(Supervisor):
    """A program that reads one pipe, beside the writer as a shell starts them."""

    def prepare(self, folder, jobs):
        os.mkdir(output_of(folder))
        return ["/bin/sh", "-c", f"{shlex.join(jobs[0].argv)} | {self.reader(output_of(folder))}"]

    def reader(self, output):
        """As the shell's language has it."""
        raise NotImplementedError

    def logging(self, running):
        return [pid for pid in running.supervising() if pid != running.pid]


class Cat(AtPipe):
    """The floor: it neither rotates nor looks at a byte."""
    name = "floor"

    def reader(self, output):
        return f"cat > {shlex.quote(output)}/log"

    def bytes_per_line(self, job):
        return 0


class PipeLogger(AtPipe, Peer):
    def __init__(self, name, program, words, stamp, settings=""):
        """`settings` is what the file "config" in the folder of its output says."""
        self.name = self.package = name
        self.program = program
        self._words, self._stamp, self._settings = words, stamp, settings

    def reader(self, output):
        if self._settings:
            with open(os.path.join(output, "config"), "w", encoding="utf-8") as file:
                file.write(self._settings)
        return shlex.join([self.find(self.program), *self._words, output])

    def bytes_per_line(self, job):
        return self._stamp


class SupervisordLog(Peer):
    """It has no time stamps."""
    name = program = "supervisord"
    package = "supervisor"

    def prepare(self, folder, jobs):
        output = output_of(folder)
        os.mkdir(output)
        lines = ["[supervisord]", "nodaemon=true", f"logfile={folder}/supervisord.log", f"pidfile={folder}/pid"]
        for job in jobs:
            lines += [f"[program:{job.name}]", f"command={shlex.join(job.argv)}", "startsecs=0", "autorestart=false",
                      f"stdout_logfile={output}/{job.name}.log", f"stdout_logfile_maxbytes={ROTATE}",
                      "stdout_logfile_backups=200", "stderr_logfile=NONE"]
        with open(os.path.join(folder, "supervisord.conf"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return [self.find("supervisord"), "-c", os.path.join(folder, "supervisord.conf")]

    def bytes_per_line(self, job):
        return 0

    def logging(self, running):
        return [running.pid]


def output_of(folder):
    return os.path.join(folder, "output")


def log_peers(form):
    """Those that have the form."""
    most = f"s{ROTATE - 1}"
    config = f"s{ROTATE}\nn0\n"
    if form == "raw":
        return [PipeLogger("s6", "s6-log", ["-b", "n200", most], 0), PipeLogger("runit", "svlogd", [], 0, config),
                PipeLogger("daemontools", "multilog", ["n1000", most], 0), SupervisordLog()]
    if form == "stamped":
        return [PipeLogger("s6", "s6-log", ["-b", "n200", most, "T"], 31),
                PipeLogger("runit", "svlogd", ["-ttt"], 26, config),
                PipeLogger("daemontools", "multilog", ["t", "n1000", most], 26)]
    return []
