"""procsup-keeper's signals: to the main process, or to every process of the job, wherever it went."""
import os
import signal
import unittest

from keeper_process import (EMPTY, KILL_ALL, MAIN_ENDED, PAUSE, RESUME, SIGNAL_ALL, SIGNAL_MAIN, KeeperTest)


class Orders(KeeperTest):
    def family(self, count=20):
        keeper = self.keep("leave_family", str(count), "stay", "session")
        return keeper, [int(word) for word in keeper.lines.next().split()]

    def test_a_signal_to_the_main_process_reaches_no_other(self):
        keeper, children = self.family()
        keeper.order(SIGNAL_MAIN, signal.SIGTERM)
        self.expect(keeper.report(), kind=MAIN_ENDED, code=os.CLD_KILLED, status=signal.SIGTERM, empty=0, orphans=0)
        self.assertEqual(set(children), set(keeper.tree()))
        keeper.order(KILL_ALL)
        self.expect(keeper.report(), kind=EMPTY, empty=1, orphans=20)
        self.expect_end(keeper)

    def test_a_signal_to_the_main_process_is_nothing_once_that_has_ended(self):
        keeper, children = self.family()
        keeper.order(SIGNAL_MAIN, signal.SIGTERM)
        keeper.report()
        keeper.order(SIGNAL_MAIN, signal.SIGKILL)
        keeper.order(SIGNAL_ALL, signal.SIGUSR1)
        self.expect(keeper.report(), kind=EMPTY, orphans=len(children))
        self.expect_end(keeper)

    def test_a_signal_to_all_reaches_every_process(self):
        keeper, children = self.family()
        keeper.order(SIGNAL_ALL, signal.SIGTERM)
        report = keeper.report()
        self.expect(report, kind=MAIN_ENDED, code=os.CLD_KILLED, status=signal.SIGTERM)
        if not report.empty:
            report = keeper.report()
        self.expect(report, empty=1, orphans=len(children))
        self.expect_end(keeper)

    def test_a_signal_to_all_reaches_the_end_of_a_long_chain(self):
        keeper = self.keep("nest", "200")
        keeper.lines.next()
        keeper.order(SIGNAL_ALL, signal.SIGTERM)
        report = keeper.report()
        if not report.empty:
            report = keeper.report()
        self.expect(report, empty=1, orphans=200)
        self.expect_end(keeper)

    def test_a_stopped_main_process_acts_on_a_signal(self):
        keeper, _ = self.family(1)
        keeper.order(PAUSE)
        keeper.wait_states("T")
        keeper.order(SIGNAL_MAIN, signal.SIGTERM)
        keeper.order(SIGNAL_MAIN, signal.SIGCONT)
        self.expect(keeper.report(), kind=MAIN_ENDED, code=os.CLD_KILLED, status=signal.SIGTERM, empty=0)
        keeper.wait_states("T")
        keeper.order(SIGNAL_ALL, signal.SIGTERM)
        keeper.order(SIGNAL_ALL, signal.SIGCONT)
        self.expect(keeper.report(), kind=EMPTY, empty=1, orphans=1)
        self.expect_end(keeper)

    def test_paused_processes_act_on_a_signal_when_they_go_on(self):
        keeper, _ = self.family()
        keeper.order(PAUSE)
        keeper.wait_states("T")
        keeper.order(SIGNAL_ALL, signal.SIGTERM)
        keeper.wait_states("T")
        keeper.order(RESUME)
        report = keeper.report()
        self.expect(report, kind=MAIN_ENDED, code=os.CLD_KILLED, status=signal.SIGTERM)
        if not report.empty:
            report = keeper.report()
        self.expect(report, empty=1, orphans=20)
        self.expect_end(keeper)

    def test_a_stop_signal_is_not_undone(self):
        keeper, _ = self.family()
        keeper.order(SIGNAL_ALL, signal.SIGSTOP)
        keeper.wait_states("T")
        keeper.order(SIGNAL_ALL, signal.SIGCONT)
        keeper.wait_states("S")
        keeper.order(KILL_ALL)
        self.expect_all_killed(keeper)

    def test_pause_stops_and_resume_continues_every_process(self):
        keeper = self.keep("nest", "50")
        keeper.lines.next()
        keeper.order(PAUSE)
        keeper.wait_states("T")
        self.assertEqual(51, len(keeper.tree()))
        keeper.order(RESUME)
        keeper.wait_states("S")
        self.assertEqual(51, len(keeper.tree()))
        keeper.order(KILL_ALL)
        self.expect_all_killed(keeper)

    def test_children_of_threads_are_found_below_a_first_thread_that_has_ended(self):
        keeper = self.keep("thread_parent")
        child = int(keeper.lines.next())
        keeper.order(PAUSE)
        # The main process shows as a zombie: its first thread is one.
        keeper.wait_states("TZ")
        self.assertEqual({keeper.main: "Z", child: "T"}, keeper.tree())
        keeper.order(KILL_ALL)
        self.expect_all_killed(keeper)

    def test_orders_that_mean_nothing_are_passed_over(self):
        keeper, children = self.family(1)
        keeper.order(PAUSE)
        for order, number in ((77, 0), (SIGNAL_ALL, 12345), (SIGNAL_MAIN, 0), (SIGNAL_ALL, -1)):
            keeper.order(order, number)
        keeper.socket.send(b"?")
        keeper.order(SIGNAL_MAIN, signal.SIGKILL)
        self.expect(keeper.report(), kind=MAIN_ENDED, empty=0)
        keeper.wait_states("T")
        self.assertEqual(set(children), set(keeper.tree()))
        keeper.order(KILL_ALL)
        self.expect(keeper.report(), kind=EMPTY, orphans=1)
        self.expect_end(keeper)

    def test_signals_to_the_keeper_itself_have_no_effect(self):
        keeper, children = self.family(1)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            os.kill(keeper.pid, number)
        keeper.order(PAUSE)
        keeper.wait_states("T")
        self.assertEqual({keeper.main, *children}, set(keeper.tree()))
        keeper.order(KILL_ALL)
        self.expect_all_killed(keeper)


if __name__ == "__main__":
    unittest.main()
