"""What the tests of [sandbox] have in common, here and in the virtual machine."""
import os

from harness import IntegrationTest

# Tells of each of its arguments, which are shell commands, whether it succeeded.
TRY = """
for attempt; do
  if sh -c "$attempt" 2>/dev/null; then echo "done: $attempt"; else echo "refused: $attempt"; fi
done
"""


def quoted(words):
    return "[" + ", ".join("'''" + word + "'''" for word in words) + "]"


class SandboxTest(IntegrationTest):
    options = ()

    def prepare(self, config="", **arguments):
        arguments.setdefault("options", self.options)
        s = super().prepare(config, **arguments)
        os.makedirs(s.path("srv/data/conf"))
        for name in ("srv/kept", "srv/data/kept", "srv/data/conf/kept"):
            s.write(name, "kept\n", 0o666)
        os.mkdir(s.path("open"))
        for name in ("open", "srv", "srv/data", "srv/data/conf"):
            os.chmod(s.path(name), 0o777)
        return s

    def attempt(self, sandbox, *commands, job="", s=None, **arguments):
        """Runs these as a job in `sandbox`; what it was refused, and what it could do. "@" is the private directory."""
        s = s or self.prepare(**arguments)
        sandbox = sandbox.replace("@", s.dir)
        words = ["sh", "-c", TRY, "try", *(command.replace("@", s.dir) for command in commands)]
        s.configure(f'[jobs.web]\ncommand = {quoted(words)}\ntype = "oneshot"\nrestart = "no"\nworking_dir = "/"\n{job}\n'
                    f'log.stdout = "inherit"\n[jobs.web.sandbox]\n{sandbox}\n')
        s.start().settle()
        self.await_true("it has ended", lambda: s.instance("web")["state"] in ("exited", "failed"))
        self.assertEqual("exited", s.instance("web")["state"], s.instance("web"))
        told = [line.replace(s.dir, "@") for line in s.log_text().splitlines()]
        refused = [line[len("refused: "):] for line in told if line.startswith("refused: ")]
        done = [line[len("done: "):] for line in told if line.startswith("done: ")]
        self.assertEqual(sorted(commands), sorted(refused + done))
        return refused, done, s

    def held(self, sandbox, *commands, **arguments):
        """None of these succeeds."""
        _, done, s = self.attempt(sandbox, *commands, **arguments)
        self.assertEqual([], done)
        return s

    def free(self, sandbox, *commands, **arguments):
        refused, _, s = self.attempt(sandbox, *commands, **arguments)
        self.assertEqual([], refused)
        return s

    def cause(self, sandbox, job="", s=None, **arguments):
        """Why it does not start."""
        s = s or self.prepare(**arguments)
        s.configure(f'[jobs.web]\ncommand = ["sleep", "1000"]\nrestart = "no"\nworking_dir = "/"\n{job}\n'
                    f'[jobs.web.sandbox]\n{sandbox}\n'.replace("@", s.dir))
        s.start().settle()
        self.assertEqual("failed", s.instance("web")["state"])
        self.await_true("nothing of it is left", lambda: not s.job_processes())
        return s.instance("web")["cause"].replace(s.dir, "@")

    def runs(self, sandbox, job="", command="sleep 1000", **arguments):
        s = self.prepare(**arguments)
        s.configure(f'[jobs.web]\ncommand = {quoted(["sh", "-c", command])}\nworking_dir = "/"\n{job}\n'
                    f'[jobs.web.sandbox]\n{sandbox}\n'.replace("@", s.dir))
        s.start().settle()
        self.assertEqual({"running"}, {i["state"] for i in s.instances().values()}, s.instances())
        return s


# Every way to change what is in a directory and in its files.
CHANGES = ("echo x > @/srv/new", "echo x >> @/srv/kept", "truncate -s 0 @/srv/kept", "rm @/srv/kept",
           "mv @/srv/kept @/srv/other", "mkdir @/srv/dir", "ln @/srv/kept @/srv/link", "ln -s x @/srv/soft",
           "mkfifo @/srv/fifo")
