"""Nothing escapes: programs that do all they can to outlive their job are gone when it is said to have stopped."""
import os
import sys
import unittest

from harness import IntegrationTest
from hostile import LONELY, MODES, NAMESPACED, everywhere

SOON = 'stop_timeout = "200ms"'


class WithinTheirSession:
    """What every way holds: these stay in the process group that they are given."""

    def test_a_tree_that_ignores_every_signal(self):
        self.assert_stop_leaves_nothing(self.hold("tree 10 deaf", SOON, count=11))

    def test_a_tree_that_has_stopped_itself(self):
        s = self.hold("tree 10 stopped", count=11)
        self.await_true("all have stopped", lambda: list(self.living(s).values()) == ["T"] * 11)
        self.assert_stop_leaves_nothing(s)
        self.assertNotIn("did not end", s.instance("hostile")["cause"])

    def test_a_tree_whose_processes_trace_each_other(self):
        s = self.hold("tree 10 traced", SOON, count=11)
        self.assertEqual(11, list(self.living(s).values()).count("t"))
        self.assert_stop_leaves_nothing(s)

    def test_a_chain_of_200_processes(self):
        s = self.hold("chain 200 stay")
        self.assertEqual(200, len(self.living(s)))
        self.assert_stop_leaves_nothing(s)

    def test_a_chain_that_grows_while_its_first_process_ends(self):
        s = self.hold("chain 200 go", count=0)
        s.ctl("wait", "--for=stopped", "hostile")
        self.assert_nothing_is_left(s, "exited")

    def test_a_worker_that_never_collects_its_children(self):
        s = self.hold("zombies 100")
        self.assertEqual(100, len([text for text in self.below(s).values() if text.startswith("Z")]))
        self.assert_stop_leaves_nothing(s)

    def test_a_shutdown_ends_them_too(self):
        s = self.prepare()
        jobs = ("tree 3 deaf", "tree 3 stopped", "tree 3 traced", "chain 20 stay", "zombies 20")
        s.configure("".join(self.hostile(s, f"job{i}", words, SOON) for i, words in enumerate(jobs)))
        s.start()
        self.await_up(s, 4 + 4 + 4 + 1 + 1)
        s.ctl("shutdown")
        self.assertEqual({}, self.living(s))
        self.assertEqual(0, s.wait_end())


class Containment(WithinTheirSession):
    """What leaves its session too: lost to a process group."""

    def test_a_process_with_another_session_title_environment_and_no_descriptors(self):
        s = self.hold("escape stay")
        self.assertEqual(2, len(self.living(s)))
        self.assert_stop_leaves_nothing(s)

    def test_such_a_process_whose_main_process_has_ended_by_itself(self):
        s = self.hold("escape go")
        s.ctl("wait", "--for=stopped", "hostile")
        self.assert_nothing_is_left(s, "exited")

    def test_such_a_process_when_the_daemon_ends(self):
        s = self.hold("escape stay")
        s.ctl("shutdown")
        self.assertEqual({}, self.living(s))
        self.assertEqual(0, s.wait_end())

    def test_such_a_process_before_the_next_run(self):
        s = self.hold("escape stay")
        before = self.living(s)
        s.ctl("restart", "hostile")
        self.assertEqual(set(), set(before) & set(self.living(s)))
        self.await_up(s, 1)
        self.assertEqual(2, len(self.living(s)))

    def test_such_a_process_whose_main_process_was_killed(self):
        s = self.hold("escape stay")
        s.ctl("signal", "KILL", "hostile")
        s.ctl("wait", "--for=stopped", "hostile")
        self.assert_nothing_is_left(s, "failed")

    def test_other_sessions_of_a_process_that_kills_its_group(self):
        s = self.hold("kill_around 10 group", count=10)
        s.ctl("wait", "--for=stopped", "hostile")
        self.assert_nothing_is_left(s, "failed")


class Bombs:
    """A bounded fork bomb: only in a PID namespace of its own, and as a user without other processes."""

    def bomb(self, kind):
        return self.hold(f"fork_storm {kind}", SOON, *self.as_lonely(), "[jobs.hostile.limits]", "processes = 200")

    def as_lonely(self):
        return [] if self.user else [f"user = {LONELY}", f"group = {LONELY}"]

    def test_a_fork_bomb(self):
        s = self.bomb("grow")
        self.await_true("the bomb has grown", lambda: len(self.living(s)) > 150)
        self.assert_stop_leaves_nothing(s)


class Rage(Bombs):
    """Beyond their session again."""

    def test_processes_that_are_others_before_they_can_be_named(self):
        s = self.bomb("hop")
        self.assert_stop_leaves_nothing(s)

    def test_a_process_that_has_killed_everything_of_its_user(self):
        s = self.hold("kill_around 10 all", *self.as_lonely(), count=10)
        s.ctl("wait", "--for=stopped", "hostile")
        self.assert_nothing_is_left(s, "failed")


class LostKeeper(IntegrationTest):
    def test_one_that_took_with_it_how_the_main_process_ended(self):
        s = self.prepare('[jobs.job]\nshell = "read line < @DIR@/go"\nrestart = "no"\n', prefix=["env"],
                         options=["--containment=keeper"])
        os.mkfifo(s.path("go"))
        # Collects the main process and says nothing, as one that is killed just then.
        s.write("procsup-keeper", f"#!{sys.executable} -I\nimport os, sys\nos.waitpid(int(sys.argv[2]), 0)\n", 0o755)
        s.start().settle()
        with open(s.path("go"), "w", encoding="ascii") as go:
            go.write("end\n")
        s.ctl("wait", "--for=stopped", "job")
        self.assertEqual("failed", s.instance("job")["state"])
        self.assertIn("job: how its main process ended is not known: the keeper had collected it", s.log_text())


# A process group loses what makes a session of its own, and so is not asked to hold it.
STRONG = [mode for mode in MODES if mode != "group"]
everywhere(Containment, globals(), STRONG)
everywhere(Rage, globals(), STRONG, NAMESPACED)
everywhere(WithinTheirSession, globals(), ["group"])
everywhere(Bombs, globals(), ["group"], NAMESPACED)

if __name__ == "__main__":
    unittest.main()
