"""Commands that ask a job to end: they run instead of the first stop signal, and nothing of them outlives the stop."""
import os
import shutil
import signal
import socket
import unittest

from hostile import MODES, PLACES, PROGRAMS, everywhere
from processes import descendants, free_port, listening_ports, parents, wait_gone
from real_daemons_test import ask_redis

ON_THE_HOST = {name: settings for name, settings in PLACES.items() if "first" not in settings}
EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/redis.toml")
PATIENT = 'stop_timeout = "10min"'
# The first tells it from a command, the second ends it.
SIGNALS = 'stop_signal = ["SIGUSR2", "50ms", "SIGTERM"]'
ASK = "kill $PROCSUPD_MAIN_PID"


class Stops:
    def serve(self, command, *lines, before=""):
        """A job that reports its signals and has the stop command; all of "hostile" programs are in its copy."""
        s = self.hold("report_signals 0", f"stop_command = {command}", SIGNALS, *lines, before=before)
        for name in ("escape", "chain"):
            copy = shutil.copy(os.path.join(PROGRAMS, name), s.path(name))
            at = os.stat(copy)
            s.copies.add((at.st_dev, at.st_ino))
        return s

    def shell(self, *script):
        return str(["/bin/sh", "-c", "; ".join(script)])

    def stay(self, up="@DIR@/up"):
        """Stays with another process that is out of its session, or, for a process group, in it."""
        return f"exec @DIR@/chain {up} 2 stay" if self.mode == "group" else f"exec @DIR@/escape {up} stay"

    def leave_one(self):
        """Leaves such a process behind, once that is up."""
        if self.mode != "group":
            return "@DIR@/escape @DIR@/up go"
        return ("test -p @DIR@/there || mkfifo @DIR@/there; @DIR@/chain @DIR@/there 2 go; read word < @DIR@/there; "
                "echo $word > @DIR@/up")

    def asked_in_vain(self):
        s = self.serve(self.shell(self.stay()), PATIENT)
        s.ctl("stop", "--no-wait", "hostile")
        self.assertEqual("up", s.up.next())
        return s

    def causes_of(self, s, *verb):
        """What is told of the job while `verb` is carried out."""
        events = s.events("hostile")
        s.ctl(*verb, "hostile")
        events.until("hostile", "stopped")
        events.close()
        return [event["cause"] for event in events.seen]

    def assert_over(self, s, *causes):
        self.assert_nothing_is_left(s)
        self.assertEqual(b"", s.up.buffer)
        for cause in causes:
            self.assertIn(cause, s.instance("hostile")["cause"])


class StopCommand(Stops):
    def test_the_command_takes_the_place_of_the_signals(self):
        s = self.serve(self.shell("echo asked > @DIR@/up", ASK), PATIENT)
        causes = self.causes_of(s, "stop")
        self.assertEqual(["asked", "main 15"], [s.up.next(), s.up.next()])
        self.assertTrue(causes[0].endswith("; running stop_command"), causes)
        self.assert_over(s, "; exit 0")

    def test_the_command_is_given_what_the_job_is_given(self):
        s = self.serve(self.shell("cat /proc/$$/environ > @DIR@/environ", "id -u > @DIR@/uid",
                                  "pwd > @DIR@/pwd", "ulimit -n > @DIR@/files", ASK),
                       PATIENT, 'working_dir = "/usr"', "[jobs.hostile.env]", 'COLOUR = "blue"',
                       "[jobs.hostile.limits]", "open_files = 321")
        main = s.pid_of("hostile")
        with open(f"/proc/{main}/environ", encoding="utf-8") as file:
            expected = set(file.read().rstrip("\0").split("\0")) | {f"PROCSUPD_MAIN_PID={main}"}
        s.ctl("stop", "hostile")
        said = {}
        for name in ("environ", "uid", "pwd", "files"):
            with open(s.path(name), encoding="utf-8") as file:
                said[name] = file.read().strip()
        self.assertEqual(expected, set(said["environ"].rstrip("\0").split("\0")))
        self.assertEqual((str(self.user or os.geteuid()), "/usr", "321"), (said["uid"], said["pwd"], said["files"]))

    def test_a_command_that_cannot_be_executed_gives_way_to_the_signals(self):
        s = self.serve('["@DIR@/nowhere"]', PATIENT)
        causes = self.causes_of(s, "stop")
        self.assertEqual(["main 12", "main 15"], [s.up.next(), s.up.next()])
        failed = f"stop_command failed: cannot exec {s.path('nowhere')}: No such file or directory"
        self.assertEqual(f"{failed}; sending SIGUSR2 instead", causes[1])
        self.assert_over(s, f"({failed})")
        self.assertIn(failed, s.run("why", "hostile").out)
        self.assertIn(f"{failed}; sending SIGUSR2 instead", s.log_text())

    def test_a_command_that_fails_gives_way_to_the_signals(self):
        self.assert_gives_way("exit 3", "exit 3")

    def test_a_command_that_dies_gives_way_to_the_signals(self):
        self.assert_gives_way("kill -KILL $$", "killed by SIGKILL")

    def assert_gives_way(self, script, how):
        s = self.serve(self.shell(script), PATIENT)
        s.ctl("stop", "hostile")
        self.assertEqual(["main 12", "main 15"], [s.up.next(), s.up.next()])
        self.assert_over(s, f"(stop_command failed: {how})")

    def test_a_command_that_hangs_is_killed_with_its_job(self):
        s = self.serve(self.shell(self.stay()), 'stop_timeout = "1s"')
        s.ctl("stop", "hostile")
        self.assertEqual("up", s.up.next())
        self.assert_over(s, "killed by SIGKILL (did not end within stop_timeout")

    def test_a_command_that_has_ended_well_leaves_the_job_the_rest_of_the_time(self):
        s = self.serve(self.shell("exit 0"), 'stop_timeout = "500ms"')
        s.ctl("stop", "hostile")
        self.assert_over(s, "killed by SIGKILL (did not end within stop_timeout")

    def test_what_the_command_leaves_behind_ends_with_the_stop(self):
        s = self.serve(self.shell(self.leave_one(), ASK), PATIENT)
        s.ctl("stop", "hostile")
        self.assertEqual(["up", "main 15"], [s.up.next(), s.up.next()])
        self.assert_over(s, "; exit 0")

    def test_a_command_that_goes_on_when_the_job_has_ended_is_ended(self):
        stays = self.stay("@DIR@/there").removeprefix("exec ")
        s = self.serve(self.shell("mkfifo @DIR@/there", f"{stays} & read word < @DIR@/there", ASK, "wait"), PATIENT)
        causes = self.causes_of(s, "stop")
        self.assertEqual("main 15", s.up.next())
        self.assertEqual("exit 0; ending stop_command", causes[1])
        self.assert_over(s, "; exit 0")

    def test_nothing_of_the_command_is_there_when_the_next_run_begins(self):
        s = self.serve(self.shell(self.leave_one(), ASK), PATIENT)
        for _ in range(5):
            before = self.living(s)
            s.ctl("restart", "hostile")
            self.assertEqual(["up", "main 15", "up"], [s.up.next() for _ in range(3)])
            self.assertEqual(1, len(self.living(s)))
            self.assertEqual(set(), set(before) & set(self.living(s)))

    def test_a_paused_job_goes_on_and_is_asked(self):
        s = self.serve(self.shell("echo asked > @DIR@/up", ASK), PATIENT)
        s.ctl("pause", "hostile")
        self.await_paused(s)
        s.ctl("stop", "hostile")
        self.assertEqual(["asked", "main 15"], [s.up.next(), s.up.next()])
        self.assert_over(s, "; exit 0")

    def test_a_shutdown_asks_too_and_leaves_nothing(self):
        s = self.serve(self.shell(self.leave_one(), ASK), PATIENT)
        s.ctl("shutdown")
        self.assertEqual(["up", "main 15"], [s.up.next(), s.up.next()])
        self.assertEqual({}, self.living(s))
        self.assertEqual(0, s.wait_end())

    def test_the_end_of_a_shutdowns_time_ends_the_command_too(self):
        s = self.serve(self.shell(self.stay()), PATIENT,
                       before='[daemon]\nshutdown_timeout = "500ms"')
        s.ctl("shutdown", "--no-wait")
        self.assertEqual(0, s.wait_end())
        self.assertEqual({}, self.living(s))

    def test_a_daemon_is_asked_when_its_parent_has_ended(self):
        s = self.serve(self.shell("echo asked > @DIR@/up", ASK), PATIENT, 'daemon_of = "shop"',
                       before='[jobs.shop]\ncommand = ["sleep", "1000"]')
        s.ctl("stop", "shop")
        self.assertEqual(["asked", "main 15"], [s.up.next(), s.up.next()])

    def test_redis_is_ended_by_redis_cli(self):
        port = free_port()
        with open(EXAMPLE, encoding="utf-8") as file:
            example = file.read()
        s = self.prepare(example.replace("6379", str(port))).start()
        self.await_true("redis serves", lambda: self.serves(port))
        s.ctl("stop", "redis")
        self.assertIn("; exit 0", s.instance("redis")["cause"])
        self.await_true("redis says why", lambda: "User requested shutdown" in s.ctl("logs", "-o", "cat", "redis").out)
        self.assertNotIn("SIGTERM", s.log_text())
        self.assertNotIn(port, listening_ports())
        self.await_true("nothing is below the supervisor", lambda: not self.below(s))

    def serves(self, port):
        try:
            ask_redis(port)
        except (ConnectionError, socket.timeout):
            return False
        return True


class ProcsupdKilled(Stops):
    def test_the_command_ends_too(self):
        s = self.asked_in_vain()
        below = descendants(s.process.pid)  # keepers too
        s.process.kill()
        self.assertTrue(all(wait_gone(pid) for pid in below))
        self.assertEqual({}, self.living(s))


class KeeperKilled(Stops):
    def keepers(self, s):
        return {pid for pid, text in descendants(s.process.pid).items() if "procsup-keeper" in text}

    def test_the_command_ends_with_its_own(self):
        s = self.asked_in_vain()
        # The command can be up before its keeper has executed.
        self.await_true("both have a keeper", lambda: len(self.keepers(s)) == 2)
        keeper, = self.keepers(s) - {parents()[s.pid_of("hostile")][0]}
        os.kill(keeper, signal.SIGKILL)
        self.assertEqual(["main 12", "main 15"], [s.up.next(), s.up.next()])
        self.await_true("the stop is over", lambda: s.instance("hostile")["state"] == "stopped")
        self.assert_over(s, "(stop_command failed: killed by SIGKILL)")


everywhere(StopCommand, globals(), MODES, ON_THE_HOST)
everywhere(ProcsupdKilled, globals(), [mode for mode in MODES if mode != "group"], ON_THE_HOST)
everywhere(KeeperKilled, globals(), ["keeper"], ON_THE_HOST)

if __name__ == "__main__":
    unittest.main()
