"""procsupd as process 1 of a container that may write nothing."""
import os
import signal
import unittest

from container import ContainerTest
from processes import listening_ports

EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../conf/examples/container.toml")
SLEEPER = '[jobs.sleeper]\ncommand = ["sleep", "1000"]\n'


def essential(shell):
    return f'[jobs.main]\nshell = "{shell}"\nrestart = "no"\nessential = true\n'


class NothingCanBeWritten(ContainerTest):
    """Neither by a user without rights, nor in a cgroup."""

    def test_jobs_run_and_the_essential_one_gives_the_exit_code(self):
        c = self.run_container(SLEEPER + essential("echo hello; exit 43"))
        self.assertEqual("main | hello", c.lines.next())
        self.assertEqual(43, c.wait())
        said = c.said()
        self.assertRegex(said, "nobody can ask this procsupd anything: cannot make directory .*: Read-only file system.*; "
                               "mount a tmpfs on /run, or name a --runtime-dir")
        self.assertIn("main: running -> failed: exit 43", said)
        self.assertIn("sleeper: stopping -> stopped", said)
        self.assertIn("ended with code 43", said)

    def test_an_essential_job_that_is_killed_gives_128_and_the_signal(self):
        c = self.run_container(SLEEPER + essential("echo up; kill -USR1 $$"))
        self.assertEqual(128 + signal.SIGUSR1, c.wait())

    def test_sigterm_ends_all_in_order(self):
        c = self.run_container(SLEEPER + essential("trap 'echo asked; exit 0' TERM; echo up; while :; do sleep 1; done"))
        self.assertEqual("main | up", c.lines.next())
        c.signal(signal.SIGTERM)
        self.assertEqual("main | asked", c.lines.next())
        self.assertEqual(0, c.wait())

    def test_orphans_are_held_and_collected(self):
        """Of a job, by its keeper."""
        c = self.run_container(essential("(setsid sleep 1000 & ) ; (setsid true &) ; echo up; exec sleep 1000"), writable=["/dev/shm"])
        self.assertEqual("main | up", c.lines.next())
        self.assertRegex(c.ctl("daemon", "status").stdout, "keeper")
        tree = c.ctl("tree", "main").stdout
        self.assertIn("sleep", tree)
        self.assertNotIn("zombie", tree)
        c.signal(signal.SIGTERM)
        self.assertEqual(0, c.wait())

    def test_a_configuration_with_a_mistake_is_told(self):
        c = self.run_container('[jobs.main]\ncomand = "x"\n')
        self.assertEqual(6, c.wait())
        self.assertIn("procsup.toml:2:1", c.said())


class MemoryCanBeWritten(ContainerTest):
    """/dev/shm, as container run-times have it also with a read-only root."""

    def test_an_administrator_finds_the_supervisor_there(self):
        c = self.run_container(SLEEPER + essential("echo up; exec sleep 1000"), writable=["/dev/shm"])
        c.lines.next()
        status = c.ctl("status")
        self.assertEqual(0, status.returncode, status.stderr)
        self.assertRegex(status.stdout, r"(?m)^\* sleeper +running")
        self.assertEqual(0, c.ctl("stop", "sleeper").returncode)
        self.assertRegex(c.ctl("status", "sleeper").stdout, "stopped")

    def test_it_is_that_of_its_file_also_in_the_folder_of_that(self):
        c = self.run_container(SLEEPER + essential("echo up; exec sleep 1000"), writable=["/dev/shm"])
        c.lines.next()
        restarted = c.ctl("restart", "sleeper", directory=c.directory)
        self.assertEqual(0, restarted.returncode, restarted.stderr)
        checked = c.ctl("check", "--here", directory=c.directory)
        self.assertIn("here is what the supervisor at /dev/shm/", checked.stderr)

    def test_run_is_taken_where_it_can_be_written(self):
        c = self.run_container(essential("echo up; exec sleep 1000"), user=(), writable=["/run", "/dev/shm"])
        c.lines.next()
        self.assertIn("/run/procsupd/io.procsupd", c.said())


class Example(ContainerTest):
    def test_ends_with_its_essential_job_and_not_when_that_is_stopped_by_hand(self):
        if 8080 in listening_ports():
            self.skipTest("port 8080 is in use")
        with open(EXAMPLE, encoding="utf-8") as file:
            c = self.run_container(file.read(), writable=["/dev/shm"])
        self.assertEqual("refresh | refreshed", c.lines.next())
        self.assertEqual(0, c.ctl("stop", "web").returncode)
        self.assertEqual(0, c.ctl("start", "web").returncode)
        # Started again three times, as start_limit says.
        while c.has_new_run_of("web"):
            self.assertLessEqual(len(c.seen), 4)
            c.ctl("signal", "KILL", "web")
        self.assertEqual(4, len(c.seen))
        self.assertEqual(128 + signal.SIGKILL, c.wait())


if __name__ == "__main__":
    unittest.main()
