"""procsup-keeper goes on with another main process, if procsupd says so when the one there was has ended."""
import os
import signal
import unittest

from keeper_process import (ASK_AT_END, EMPTY, GO_ON_WITH, GOES_ON, KILL_ALL, MAIN_AT_END, MAIN_ENDED, RESUME, SIGNAL_MAIN,
                            KeeperTest)
from processes import parents, wait_gone


class OtherMains(KeeperTest):
    def ask(self, *command, **options):
        """A keeper that asks, the pids that its main process has printed, and a pidfd of each."""
        keeper = self.keep(*command, **options)
        keeper.order(ASK_AT_END)
        pids = [int(word) for word in keeper.lines.next().split()]
        return keeper, pids, [self.hold(pid) for pid in pids]

    def hold(self, pid):
        handle = os.pidfd_open(pid)
        self.addCleanup(os.close, handle)
        return handle

    def end_main(self, keeper, number=signal.SIGTERM):
        keeper.order(SIGNAL_MAIN, number)
        self.expect(keeper.report(), kind=MAIN_AT_END, empty=0)

    def expect_first_ended(self, keeper):
        self.expect(keeper.report(), kind=MAIN_ENDED, code=os.CLD_KILLED, status=signal.SIGTERM, empty=0)
        keeper.order(KILL_ALL)
        self.expect(keeper.report(), kind=EMPTY, empty=1)
        self.expect_end(keeper)

    def test_signals_and_the_end_are_those_of_the_one_that_was_named(self):
        keeper, pids, handles = self.ask("leave_family", "1", "stay", "session")
        self.end_main(keeper)
        keeper.go_on_with(pids[0], handles[0])
        self.expect(keeper.report(), kind=GOES_ON, status=pids[0], empty=0)
        self.end_main(keeper, signal.SIGUSR1)
        keeper.order(GO_ON_WITH, 0)
        self.expect(keeper.report(), kind=MAIN_ENDED, code=os.CLD_KILLED, status=signal.SIGUSR1, empty=1, orphans=0, former_mains=1)
        self.expect_end(keeper)

    def test_a_run_goes_on_as_often_as_it_likes(self):
        keeper, pids, handles = self.ask("leave_family", "30", "stay", "session")
        for pid, handle in zip(pids, handles):
            self.end_main(keeper)
            keeper.go_on_with(pid, handle)
            self.expect(keeper.report(), kind=GOES_ON, status=pid)
        self.assertEqual({pids[-1]}, set(keeper.tree()))
        self.end_main(keeper)
        keeper.order(GO_ON_WITH, 0)
        self.expect(keeper.report(), kind=MAIN_ENDED, empty=1, orphans=0, former_mains=30)
        self.expect_end(keeper)

    def test_how_the_next_one_ended_is_not_lost_before_the_answer(self):
        keeper, pids, handles = self.ask("leave_family", "1", "stay", "session")
        self.end_main(keeper)
        os.kill(pids[0], signal.SIGUSR2)
        keeper.wait_states("Z")
        keeper.go_on_with(pids[0], handles[0])
        self.expect(keeper.report(), kind=GOES_ON, status=pids[0])
        self.expect(keeper.report(), kind=MAIN_AT_END)
        keeper.order(GO_ON_WITH, 0)
        self.expect(keeper.report(), kind=MAIN_ENDED, code=os.CLD_KILLED, status=signal.SIGUSR2, empty=1)
        self.expect_end(keeper)

    def test_how_the_next_one_ended_is_not_lost_when_both_have_before_the_keeper_looks(self):
        keeper, pids, handles = self.ask("leave_family", "2", "stay", "session")
        self.end_main(keeper)
        keeper.go_on_with(pids[1], handles[1])
        self.expect(keeper.report(), kind=GOES_ON, status=pids[1])
        keeper.wait_sleeping()
        os.kill(keeper.pid, signal.SIGSTOP)
        os.kill(pids[1], signal.SIGTERM)
        os.kill(pids[0], signal.SIGUSR2)
        keeper.wait_states("Z")
        os.kill(keeper.pid, signal.SIGCONT)
        self.expect(keeper.report(), kind=MAIN_AT_END)
        keeper.go_on_with(pids[0], handles[0])
        self.expect(keeper.report(), kind=GOES_ON, status=pids[0])
        self.expect(keeper.report(), kind=MAIN_AT_END)
        keeper.order(GO_ON_WITH, 0)
        self.expect(keeper.report(), kind=MAIN_ENDED, status=signal.SIGUSR2, empty=1)
        self.expect_end(keeper)

    def test_without_another_one_the_first_is_the_one_that_ended(self):
        keeper, _, _ = self.ask("leave_family", "1", "stay", "session")
        self.end_main(keeper)
        keeper.order(GO_ON_WITH, 0)
        self.expect_first_ended(keeper)

    def test_one_that_another_process_can_collect_does_not_follow(self):
        keeper = self.keep("nest", "2")
        keeper.order(ASK_AT_END)
        keeper.lines.next()
        below, = (pid for pid in keeper.tree() if parents()[pid][0] not in (keeper.pid, keeper.main))
        handle = self.hold(below)
        self.end_main(keeper)
        keeper.go_on_with(below, handle)
        self.expect_first_ended(keeper)

    def test_what_is_none_of_its_children_does_not_follow(self):
        for who in ("init", "test", "keeper", "main", "no descriptor", "other"):
            with self.subTest(who=who):
                keeper, pids, _ = self.ask("leave_family", "1", "stay", "session")
                other = self.keep("leave_family", "0") if who == "other" else None
                self.end_main(keeper)
                pid = {"init": 1, "test": os.getpid(), "keeper": keeper.pid, "main": keeper.main,
                       "other": other.main if other else 0}.get(who)
                if who == "no descriptor":
                    keeper.order(GO_ON_WITH, pids[0])
                else:
                    keeper.go_on_with(pid, self.hold(pid))
                self.expect_first_ended(keeper)
                if other:
                    other.order(KILL_ALL)
                    self.expect_all_killed(other)

    def test_one_that_was_collected_does_not_follow(self):
        keeper, pids, handles = self.ask("leave_family", "2", "stay", "session")
        self.end_main(keeper)
        keeper.go_on_with(pids[0], handles[0])
        self.expect(keeper.report(), kind=GOES_ON)
        # What ends beside the main process does not wait for it.
        os.kill(pids[1], signal.SIGKILL)
        self.assertTrue(keeper.wait_collected(pids[1]))
        self.end_main(keeper)
        keeper.go_on_with(pids[1], handles[1])
        self.expect(keeper.report(), kind=MAIN_ENDED, status=signal.SIGTERM, empty=1, orphans=1, former_mains=1)
        self.expect_end(keeper)

    def test_answers_to_nothing_change_nothing_and_leave_nothing(self):
        keeper, pids, handles = self.ask("leave_family", "1", "stay", "session")
        for _ in range(100):
            keeper.go_on_with(pids[0], handles[0])
        self.end_main(keeper)
        self.assertEqual({"0", "1", "2", "3", "4"}, set(os.listdir(f"/proc/{keeper.pid}/fd")))
        keeper.order(GO_ON_WITH, 0)
        self.expect_first_ended(keeper)

    def test_all_are_killed_without_an_answer(self):
        keeper, _, _ = self.ask("leave_family", "5", "stay", "session")
        self.end_main(keeper)
        keeper.order(KILL_ALL)
        self.expect(keeper.report(), kind=MAIN_ENDED, code=os.CLD_KILLED, status=signal.SIGTERM, empty=0)
        self.expect(keeper.report(), kind=EMPTY, empty=1, orphans=5)
        self.expect_end(keeper)

    def test_all_are_killed_when_nobody_is_left_to_answer(self):
        keeper, _, _ = self.ask("leave_family", "5", "stay", "session")
        self.end_main(keeper)
        keeper.socket.close()
        self.assertEqual(0, keeper.end())

    def test_no_report_is_lost_while_procsupd_does_not_read(self):
        keeper, pids, _ = self.ask("leave_family", "1", "stay", "session", full=True)
        keeper.order(SIGNAL_MAIN, signal.SIGTERM)
        self.assertTrue(wait_gone(keeper.main))
        # It looks at its children between two orders.
        keeper.order(RESUME)
        keeper.order(KILL_ALL)
        self.assertTrue(keeper.wait_collected(pids[0]))
        keeper.drain()
        self.expect(keeper.report(), kind=MAIN_AT_END)
        self.expect(keeper.report(), kind=MAIN_ENDED, status=signal.SIGTERM)
        self.expect(keeper.report(), kind=EMPTY, empty=1)
        self.expect_end(keeper)


if __name__ == "__main__":
    unittest.main()
