"""procsup-keeper ends every process of a job: at an order, and when procsupd is gone."""
import json
import os
import shutil
import signal
import subprocess
import sys
import unittest

from harness import ROOT
from keeper_process import (EMPTY, KILL_ALL, MAIN_ENDED, PAUSE, PROGRAM, KeeperTest, cpu_seconds, program)
from processes import PATIENCE, Deadline

NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
NAMESPACES = subprocess.run([*NAMESPACE, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
NOBODY = 65534


class KillAll(KeeperTest):
    def killed(self, *command, lines=1, **options):
        """A job that has said so many lines is killed; the last report."""
        keeper = self.keep(*command, **options)
        for _ in range(lines):
            keeper.lines.next()
        keeper.order(KILL_ALL)
        return self.expect_all_killed(keeper)

    def test_a_main_process_that_ignores_every_signal(self):
        self.expect(self.killed("ignore_term"), kind=MAIN_ENDED, empty=1)

    def test_processes_that_ignore_every_signal_in_sessions_of_their_own(self):
        shell = f"for i in 1 2 3; do setsid {program('ignore_term')} & done; wait"
        self.expect(self.killed("/bin/sh", "-c", shell, lines=3), empty=1, orphans=3)

    def test_a_thousand_children(self):
        self.expect(self.killed("leave_family", "1000", "stay", "session"), empty=1, orphans=1000)

    def test_a_chain_of_two_hundred(self):
        self.expect(self.killed("nest", "200"), empty=1, orphans=200)

    def test_stopped_processes(self):
        keeper = self.keep("nest", "5")
        keeper.lines.next()
        keeper.order(PAUSE)
        keeper.wait_states("T")
        keeper.order(KILL_ALL)
        self.expect(self.expect_all_killed(keeper), empty=1, orphans=5)

    def test_a_traced_process(self):
        self.expect(self.killed("trace_child"), empty=1, orphans=1)

    def test_a_process_with_several_threads(self):
        self.expect(self.killed("thread_parent"), empty=1, orphans=1)

    def test_a_zombie_inside_the_tree(self):
        keeper = self.keep("leave_family", "3", "stay", "session")
        for pid in keeper.lines.next().split():
            os.kill(int(pid), signal.SIGTERM)
        keeper.wait_states("SZ")
        keeper.order(KILL_ALL)
        self.expect(self.expect_all_killed(keeper), empty=1, orphans=3)

    def test_what_a_main_process_left_behind(self):
        keeper = self.keep("leave_family", "10", "go", "session")
        self.expect(keeper.report(), kind=MAIN_ENDED, empty=0)
        keeper.order(KILL_ALL)
        self.expect(keeper.report(), kind=EMPTY, empty=1, orphans=10)
        self.expect_end(keeper)

    @unittest.skipUnless(NAMESPACES, "needs a pid namespace")
    def test_a_pid_namespace(self):
        shell = f"setsid {program('ignore_term')} & exec {program('ignore_term')}"
        self.killed(shutil.which("unshare"), *NAMESPACE[1:-1], "/bin/sh", "-c", shell, lines=2)


@unittest.skipUnless(NAMESPACES and ROOT, "needs root, for a user of its own and a pid namespace")
class Bombs(KeeperTest):
    def defuse(self, *how):
        """Its processes cannot leave the namespace, nor outlive it, nor become many. The reports, and the limit."""
        for path in (program("fork_bomb"), PROGRAM):
            shutil.copy(path, self.dir)
        os.chmod(self.dir, 0o755)
        command = [*NAMESPACE, sys.executable, "-B", os.path.join(os.path.dirname(__file__), "keeper_sandbox.py")]
        done = subprocess.run([*command, self.dir, *how], stdout=subprocess.PIPE, timeout=3 * PATIENCE, check=True)
        told = json.loads(done.stdout)
        self.assertEqual([0, {}, 1], [told["exit"], told["left"], told["reports"][-1]["empty"]], told)
        return told["reports"], told["most"]

    def test_processes_that_fork_for_ever_do_not_fork_into_the_room_that_is_made(self):
        reports, most = self.defuse("all")
        self.assertEqual(signal.SIGKILL, reports[0]["status"])
        self.assertLess(reports[-1]["orphans"], most)

    def test_processes_that_fork_for_ever_can_be_paused(self):
        self.assertEqual(signal.SIGKILL, self.defuse("all", "pause")[0][0]["status"])

    def test_threads_that_fork_for_ever(self):
        self.assertEqual(signal.SIGKILL, self.defuse("threads")[0][0]["status"])

    def test_a_process_that_forks_and_ends_for_ever(self):
        self.assertGreaterEqual(self.defuse("one")[0][-1]["orphans"], 100)


class WithoutProcsupd(KeeperTest):
    def test_the_job_ends_when_the_socket_is_closed(self):
        nest, deaf, family = program("nest"), program("ignore_term"), program("leave_family")
        shell = f"{nest} 5 & setsid {deaf} & exec {family} 10 stay session"
        keeper = self.keep("/bin/sh", "-c", shell)
        for _ in range(3):
            keeper.lines.next()
        self.assertEqual(18, len(keeper.tree()))
        keeper.socket.close()
        self.assertEqual(0, keeper.end())

    def test_the_job_ends_when_the_socket_is_closed_while_reports_wait(self):
        keeper = self.keep("leave_family", "3", "go", "session", full=True)
        keeper.lines.next()
        self.assertTrue(keeper.wait_collected(keeper.main))
        keeper.socket.close()
        self.assertEqual(0, keeper.end())


class Hindered(KeeperTest):
    def test_without_memory_for_more_the_tree_is_killed_from_above(self):
        # Too little for what the keeper knows of a tree, enough for the program.
        keeper = self.keep("nest", "10", keeper_memory=8 << 20)
        keeper.lines.next()
        keeper.order(KILL_ALL)
        self.expect(self.expect_all_killed(keeper), empty=1, orphans=10)

    @unittest.skipUnless(ROOT, "needs root, for two users")
    def test_what_may_not_be_killed_is_waited_for_at_rest_and_reported(self):
        os.chmod(self.dir, 0o755)
        own = shutil.copy(PROGRAM, self.dir)
        keeper = self.keep("leave_family", "1", "stay", keeper_uid=NOBODY, keeper_program=own)
        child = int(keeper.lines.next())
        keeper.order(KILL_ALL)
        # More than the socket holds: orders are still read.
        for _ in range(1000):
            keeper.order(PAUSE)
        self.assertEqual([], Deadline().readable(keeper.socket.fileno(), pause=1.0))
        self.assertLess(cpu_seconds(keeper.pid), 0.3)
        os.kill(keeper.main, signal.SIGKILL)
        self.expect(keeper.report(), kind=MAIN_ENDED, code=os.CLD_KILLED, status=signal.SIGKILL, empty=0)
        os.kill(child, signal.SIGKILL)
        self.expect(keeper.report(), kind=EMPTY, empty=1, orphans=1)
        self.expect_end(keeper)


if __name__ == "__main__":
    unittest.main()
