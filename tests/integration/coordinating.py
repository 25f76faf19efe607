"""What the tests of coordination have in common: a supervisor, connections to its broker, procsupctl in the background."""
import os
import subprocess

from harness import PROCSUPCTL, IntegrationTest
from wire import Wire

EXAMPLES = os.path.join(os.path.dirname(__file__), "../../conf/examples/notes")


class Coordinating(IntegrationTest):
    verb = ""  # "lock"
    subject = ""  # "Lock"

    def setUp(self):
        self.s = self.supervise(self.config())

    def config(self):
        return ""

    def client(self):
        """A connection to the broker."""
        client = Wire(self.s.path("run", f"io.procsupd.{self.subject}"))
        self.addCleanup(client.close)
        return client

    def call(self, client, method, name, **parameters):
        return client.call(f"io.procsupd.{self.subject}.{method}", {"name": name, **parameters})

    def acquire(self, client, name, **parameters):
        return self.call(client, "Acquire", name, **parameters)

    def listed(self):
        """By name."""
        listing = self.s.ctl(self.verb, "ls", "--json").json
        return {one["name"]: one for one in listing[f"{self.subject.lower()}s"]}

    def waiters(self, name):
        return len(self.listed().get(name, {}).get("waiters", []))

    def holders(self, name):
        return [claim["pid"] for claim in self.listed().get(name, {}).get("holders", [])]

    def background(self, *words, **arguments):
        """procsupctl."""
        process = self.s.popen(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **arguments)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def end(self, process):
        out, err = process.communicate()
        return process.returncode, out.decode(), err.decode()

    def example(self, name, *jobs):
        """Applies one of the notes, with procsupctl where these jobs find it."""
        with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
            text = file.read().replace("/tmp/", f"{self.s.dir}/")
        path = f'{os.path.dirname(PROCSUPCTL)}:{os.environ["PATH"]}'
        for job in jobs:
            text = text.replace(f"[jobs.{job}]", f'[jobs.{job}]\nenv.PATH = "{path}"')
        self.s.configure(text)
        self.s.ctl("apply")

    def said(self, job, count):
        """What a job has written, without names and times, once that are so many lines: the logger may be a moment behind."""
        self.await_true(f"{job} has said all", lambda: len(self.s.ctl("logs", "-o", "cat", job).out.splitlines()) == count)
        return self.s.ctl("logs", "-o", "cat", job).out.splitlines()
