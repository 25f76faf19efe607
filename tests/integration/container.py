"""A container made of namespaces: a root of which nothing can be written, and procsupd as its process 1."""
import json
import os
import signal
import signal
import subprocess
import tempfile
import unittest

from harness import PROCSUPCTL, PROCSUPD, ROOT, Lines
from init_process import pid_of_process_1
from processes import PATIENCE, Deadline, end_descendants

# $1: a directory to be the root; what is behind it is executed. Every mount below it is read-only, and /proc that of the container.
ENTER = r"""
set -e
root=$1; shift
mount --rbind / "$root"
mount --make-rprivate "$root"
mount -o remount,bind,ro "$root"
awk -v root="$root/" 'index($5, root) == 1 { print $5 }' /proc/self/mountinfo | while read -r place; do
    mount -o remount,bind,ro "$place" 2> /dev/null || :
done
cd "$root"
mount -t proc -o ro proc proc
for place in $WRITABLE; do mount -t tmpfs -o mode=1777 none ".$place"; done
exec chroot . "$@"
"""
NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]


def can_be_made():
    return ROOT and subprocess.run(["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "none", "/mnt"],
                                   capture_output=True, check=False).returncode == 0


class Container:
    """Its standard output is `lines`, its standard error a file."""

    def __init__(self, directory, config, user=AS_NOBODY, writable=(), options=()):
        self.directory = directory
        self.root, self.errors = os.path.join(directory, "root"), os.path.join(directory, "errors")
        os.mkdir(self.root)
        path = os.path.join(directory, "procsup.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "WRITABLE": " ".join(writable)}
        words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", self.root, *user,
                 "env", "-u", "WRITABLE", PROCSUPD, "--config", path, *options]
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                                            env=environment)
        self.lines = Lines(self.process.stdout.fileno())
        self.seen = set()

    def init(self):
        return pid_of_process_1(self.process)

    def signal(self, number):
        os.kill(self.init(), number)

    def ctl(self, *words, directory="/"):
        """As an administrator who enters it."""
        return subprocess.run(["nsenter", f"--target={self.init()}", "--pid", "--mount", "--root", "--wd",
                               "sh", "-c", 'cd "$0" && exec "$@"', directory, PROCSUPCTL, *words],
                              capture_output=True, text=True, check=False, timeout=PATIENCE,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def has_new_run_of(self, job):
        """Waits for one; whether there is another than those in `seen`, before the container ends."""
        deadline = Deadline()
        while deadline.left() and self.process.poll() is None:
            told = self.ctl("status", "--json", job)
            instances = json.loads(told.stdout).get("instances", []) if told.returncode in (0, 3) else []
            pid = instances[0]["pid"] if instances else None
            if pid is not None and pid not in self.seen:
                self.seen.add(pid)
                return True
            deadline.readable(pause=0.02)
        return False

    def wait(self):
        return self.process.wait(PATIENCE)

    def said(self):
        with open(self.errors, encoding="utf-8", errors="replace") as file:
            return file.read()

    def end(self):
        """A change of user has undone what --kill-child promises (prctl(2), PR_SET_PDEATHSIG)."""
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
        self.process.communicate()


@unittest.skipUnless(can_be_made(), "needs root, and namespaces of its own")
class ContainerTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(lambda: self.assertEqual({}, end_descendants(), "something was left"))

    def run_container(self, config, **more):
        directory = tempfile.TemporaryDirectory(prefix="pscontainer-")
        self.addCleanup(directory.cleanup)
        os.chmod(directory.name, 0o755)
        container = Container(directory.name, config, **more)
        self.addCleanup(container.end)
        return container


