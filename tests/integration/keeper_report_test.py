"""What procsup-keeper reports: how the main process ended, and when the last process did."""
import os
import resource
import signal
import unittest

from keeper_process import EMPTY, KILL_ALL, MAIN_ENDED, PROGRAM, SIGNAL_MAIN, KeeperTest, proc, program
from processes import Deadline, parents

SHELL = "/bin/sh"


class Reports(KeeperTest):
    def test_exit_code_of_a_main_process_that_was_alone(self):
        keeper = self.keep(SHELL, "-c", "exit 7")
        self.expect(keeper.report(), kind=MAIN_ENDED, code=os.CLD_EXITED, status=7, empty=1, orphans=0)
        self.expect_end(keeper)

    def test_signal_that_ended_the_main_process(self):
        keeper = self.keep(SHELL, "-c", "kill -KILL $$")
        self.expect(keeper.report(), kind=MAIN_ENDED, code=os.CLD_KILLED, status=signal.SIGKILL, empty=1)
        self.expect_end(keeper)

    def test_core_dump_as_the_kernel_tells_its_own_parent(self):
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        command = [SHELL, "-c", f"cd {self.dir}; ulimit -c unlimited; kill -QUIT $$"]
        told = os.waitid(os.P_PID, os.posix_spawn(SHELL, command, {}), os.WEXITED)
        self.assertIn(told.si_code, (os.CLD_DUMPED, os.CLD_KILLED))
        keeper = self.keep(*command)
        self.expect(keeper.report(), kind=MAIN_ENDED, code=told.si_code, status=signal.SIGQUIT, empty=1)
        self.expect_end(keeper)

    def test_cpu_time_of_the_main_process(self):
        keeper = self.keep("/usr/bin/env", "python3", "-c", "import time\nwhile time.process_time() < 0.1: pass")
        report = keeper.report()
        self.assertGreaterEqual(report.main_usec, 100_000)
        self.assertEqual(0, report.orphans_usec)
        self.expect_end(keeper)

    def test_cpu_time_of_orphans_is_told_apart_from_that_of_the_main_process(self):
        keeper = self.keep(SHELL, "-c", "python3 -c 'import time\nwhile time.process_time() < 0.1: pass' &")
        self.expect(keeper.report(), kind=MAIN_ENDED, empty=0, orphans=0, orphans_usec=0)
        report = keeper.report()
        self.expect(report, kind=EMPTY, empty=1, orphans=1)
        self.assertGreaterEqual(report.orphans_usec, 100_000)
        self.assertLess(report.main_usec, 100_000)
        self.expect_end(keeper)

    def test_a_main_process_that_ended_before_the_keeper_began(self):
        keeper = self.keep(SHELL, "-c", "exit 3", ended_first=True)
        self.expect(keeper.report(), kind=MAIN_ENDED, code=os.CLD_EXITED, status=3, empty=1)
        self.expect_end(keeper)

    def test_a_main_process_that_ended_before_the_keeper_began_and_left_others(self):
        keeper = self.keep("leave_family", "2", "go", "session", ended_first=True)
        self.expect(keeper.report(), kind=MAIN_ENDED, code=os.CLD_EXITED, status=0, empty=0, orphans=0)
        for pid in keeper.lines.next().split():
            os.kill(int(pid), signal.SIGTERM)
        self.expect(keeper.report(), kind=EMPTY, empty=1, orphans=2)
        self.expect_end(keeper)

    def test_a_daemon_by_double_fork_and_setsid_outlives_the_main_process(self):
        command = f"(setsid {program('leave_family')} 1 stay session &); read line; exit 5"
        fifo = os.path.join(self.dir, "fifo")
        os.mkfifo(fifo)
        keeper = self.keep(SHELL, "-c", f"exec < {fifo}; {command}")
        with open(fifo, "w", encoding="ascii") as told:
            child = int(keeper.lines.next())
            # The shell between the two has told its child already, and may not have ended yet.
            daemon, _, _ = parents()[child]
            told.write("\n")
        self.expect(keeper.report(), kind=MAIN_ENDED, code=os.CLD_EXITED, status=5, empty=0)
        os.kill(daemon, signal.SIGTERM)
        os.kill(child, signal.SIGTERM)
        report = keeper.report()
        self.expect(report, kind=EMPTY, empty=1)
        # The shell between the two as well, unless its parent collected it first.
        self.assertIn(report.orphans, (2, 3))
        self.expect_end(keeper)

    def test_reports_are_kept_while_procsupd_does_not_read(self):
        keeper = self.keep("leave_family", "1", "stay", "session", full=True)
        child = int(keeper.lines.next())
        keeper.order(SIGNAL_MAIN, signal.SIGTERM)
        self.assertTrue(keeper.wait_collected(keeper.main))
        os.kill(child, signal.SIGTERM)
        self.assertTrue(keeper.wait_collected(child))
        keeper.drain()
        self.expect(keeper.report(), kind=MAIN_ENDED, code=os.CLD_KILLED, status=signal.SIGTERM, empty=0)
        self.expect(keeper.report(), kind=EMPTY, empty=1, orphans=1)
        self.expect_end(keeper)

    def test_a_keeper_of_what_is_not_its_child_does_not_begin(self):
        pid = os.posix_spawn(PROGRAM, ["procsup-keeper", "test", str(os.getpid())], {})
        self.assertEqual(2, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    def test_a_keeper_holds_little_memory_of_its_own(self):
        keeper = self.keep("nest", "3")
        keeper.lines.next()
        lines = dict(line.split(":", 1) for line in proc(keeper.pid, "smaps_rollup").splitlines()[1:])
        self.assertLessEqual(int(lines["Anonymous"].split()[0]), 32)
        self.assertNotIn("[heap]", proc(keeper.pid, "maps"))
        keeper.order(KILL_ALL)
        self.expect_all_killed(keeper)

    def test_a_keeper_of_a_job_that_runs_does_not_wake(self):
        keeper = self.keep("nest", "3")
        keeper.lines.next()
        keeper.wait_sleeping()
        before = proc(keeper.pid, "status").split("voluntary_ctxt_switches:")[1].split()[0]
        self.assertEqual([], Deadline().readable(keeper.socket.fileno(), pause=0.5))
        self.assertEqual(before, proc(keeper.pid, "status").split("voluntary_ctxt_switches:")[1].split()[0])
        keeper.order(KILL_ALL)
        self.expect_all_killed(keeper)


if __name__ == "__main__":
    unittest.main()
