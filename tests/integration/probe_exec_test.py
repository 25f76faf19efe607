"""procsup-probe exec: what the command is given, what its end means, and that nothing of it stays."""
import json
import os
import resource
import shutil
import signal
import unittest

from harness import ROOT, Fifo
from hostile import works
from probe_process import NEVER, ProbeTest, program
from processes import descendants, wait_gone

MOUNTS = ROOT and works("unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt")
# What there is below the probe when an attempt begins, and the attempt itself.
LOOK_AROUND = 'read -r below < /proc/$PPID/task/$PPID/children; echo "$$ $below" > {}; '


class ExecTest(ProbeTest):
    def fifo(self):
        fifo = Fifo(self.path("fifo"))
        self.addCleanup(os.close, fifo.fd)
        return fifo

    def shell(self, text, *options, **more):
        return self.probe(*options, "exec", "--", "sh", "-c", text, **more)

    def assert_alone(self, line):
        own, *below = line.split()
        self.assertEqual([own], below)

    def await_below(self, fifo):
        """A line of `escape`: its process is there, and has let go of everything."""
        self.assertEqual("up", fifo.next())


class Result(ExecTest):
    def test_is_that_of_the_first_success(self):
        count = self.path("count")
        probe = self.shell(f'echo x >> {count}; [ "$(wc -l < {count})" -gt 2 ]', "--interval", "1")
        self.assert_ready(probe)
        self.assertEqual(["'sh' ended with exit code 1"], probe.rest_of_reports())
        with open(count, encoding="ascii") as file:
            self.assertEqual("x\n" * 3, file.read())

    def test_names_how_it_has_ended(self):
        for text, reason in (("exit 3", "ended with exit code 3"), ("exit 127", "ended with exit code 127"),
                             ("kill -SEGV $$", "was killed by SIGSEGV"), ("kill -40 $$", "was killed by signal 40")):
            self.assert_says(f"'sh' {reason}", self.shell(text))

    def test_comes_with_the_last_line_that_the_command_has_written(self):
        for text, line in (("echo first; echo second >&2", "second"), ("printf 'a b\\n \\n\\n'", "a b"),
                           ("printf 'one\\rtwo\\tx'", "two x"), ("printf '\\033[31mred\\000\\n'", "?[31mred?"),
                           ("printf 'half\\n%0500d' 7", "0" * 160)):
            probe = self.shell(text + "; exit 3")
            self.assertEqual(f"'sh' ended with exit code 3:\t{line}", probe.reports.next())
            self.assertEqual((1, f"'sh' ended with exit code 3: {line}\n"), probe.terminate())

    def test_names_what_a_command_wrote_that_is_not_done(self):
        self.assertEqual("'sh' did not end within 300ms:\twaiting for db",
                         self.shell("echo waiting for db; exec sleep 1000", "--timeout", "300").reports.next())

    def test_is_told_again_when_another_line_was_written(self):
        count = self.path("count")
        probe = self.shell(f'echo x >> {count}; exec wc -l < {count} | tee /dev/stderr | grep -q 3', "--interval", "1")
        self.assert_ready(probe)
        self.assertEqual(["'sh' ended with exit code 1:\t1", "'sh' ended with exit code 1:\t2"], probe.rest_of_reports())

    def test_of_a_command_that_writes_much_is_its_own(self):
        self.assert_ready(self.shell("head -c 3000000 /dev/zero", "--timeout", NEVER))

    def test_of_a_command_that_never_stops_writing_is_that_it_did_not_end(self):
        self.assertEqual("'sh' did not end within 300ms:\ty", self.shell("exec yes", "--timeout", "300").reports.next())

    def test_does_not_wait_for_who_holds_its_output_open(self):
        fifo = self.fifo()
        probe = self.shell(f"echo no; {program('escape')} {fifo.path} go & exit 1", "--timeout", NEVER)
        self.assertEqual("'sh' ended with exit code 1:\tno", probe.reports.next())

    def test_does_not_depend_on_output_that_is_closed(self):
        probe = self.shell("exec >&- 2>&-; exec sleep 1000", "--timeout", NEVER)
        self.await_true("it sleeps below", lambda: any("sleep" in text for text in descendants(probe.pid).values()))
        self.await_asleep(probe)
        self.assertEqual((1, "'sh' did not end yet\n"), probe.terminate())

    def test_is_final_for_what_cannot_be_executed(self):
        text = self.write("text", "text", 0o644)
        for name, code, cause in (("nowhere", 127, "No such file or directory"), ("/no/where", 127, "No such file or directory"),
                                  ("", 127, "No such file or directory"), (text, 126, "Permission denied"),
                                  (text + "/x", 126, "Not a directory"), ("/etc", 126, "Permission denied")):
            probe = self.probe("exec", "--", name)
            line = f"cannot execute '{name}': {cause}"
            self.assertEqual((code, line + "\n"), probe.end())
            self.assertEqual([line], probe.rest_of_reports())

    def test_is_not_final_while_the_program_is_being_written(self):
        path = self.path("true")
        shutil.copy(program("leave_family"), path)
        with open(path, "r+b"):
            probe = self.probe("exec", "--", path, "0", "go")
            self.assertEqual(f"cannot execute '{path}': Text file busy", probe.reports.next())
        self.assert_ready(probe)

    def test_has_a_first_attempt_at_once_and_others_by_the_interval(self):
        stamp = f"cut -d ' ' -f 1 /proc/uptime >> {self.path('times')}; "
        self.assert_ready(self.shell(stamp + f'[ "$(wc -l < {self.path("times")})" -gt 1 ]', "--interval", "1000"))
        with open(self.path("times"), encoding="ascii") as file:
            first, second = map(float, file)
        self.assertGreater(second - first, 0.5)


class Command(ExecTest):
    def test_has_what_the_caller_has_and_no_descriptor_more(self):
        ignored, blocked = (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1), (signal.SIGUSR2, signal.SIGCHLD)
        facts = self.path("facts")
        out, inside = os.pipe()
        self.addCleanup(os.close, out)
        self.addCleanup(os.close, inside)

        def disturb():
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        self.assert_ready(self.probe("exec", "--", program("know_yourself"), facts, preexec_fn=disturb, pass_fds=(inside,),
                                     restore_signals=False, env={"A": "b"}))
        with open(facts, encoding="utf-8") as file:
            known = [json.loads(line) for line in file]
        self.assertEqual([0, 1, 2], [fact["fd"] for fact in known if "fd" in fact])
        self.assertEqual(set(blocked), {fact["signal_blocked"] for fact in known if "signal_blocked" in fact})
        self.assertLessEqual(set(ignored), {fact["signal_ignored"] for fact in known if "signal_ignored" in fact})
        self.assertIn({"env": "A=b"}, known)

    def test_lacks_the_standard_streams_that_the_caller_lacks(self):
        def close():
            for fd in (0, 2):
                os.close(fd)
        self.assertEqual(0, self.probe("exec", "--", program("know_yourself"), self.path("facts"), preexec_fn=close).end()[0])
        with open(self.path("facts"), encoding="utf-8") as file:
            known = [json.loads(line) for line in file]
        self.assertEqual([1], [fact["fd"] for fact in known if "fd" in fact])

    def test_is_looked_for_as_execvp_does(self):
        os.mkdir(self.path("first"))
        self.write("first/check", "", 0o644)
        self.write("check", "exit 3\n")  # for the shell, as it has no interpreter
        probe = self.probe("--interval", "1", "exec", "--", "check",
                           env={"PATH": f"/nowhere:{self.path('first')}:{self.dir.name}:/bin"})
        self.assertEqual("'check' ended with exit code 3", probe.reports.next())
        self.write("check", "exit 4\n")
        self.assertEqual("'check' ended with exit code 4", probe.reports.next())
        os.unlink(self.path("first/check"))
        self.write("check", "exit 0\n")
        self.assert_ready(probe)

    def test_that_is_a_script_of_the_shell_is_given_its_arguments_in_each_attempt(self):
        fifo = self.fifo()
        script = self.write("check", f'echo "$0 $*" > {fifo.path}; exit 1\n')
        self.probe("--interval", "1", "exec", "--", "check", "a b", "c", env={"PATH": f"{self.dir.name}:/bin"})
        self.assertEqual([f"{script} a b c"] * 5, [fifo.next() for _ in range(5)])


class Rest(ExecTest):
    def test_of_an_attempt_is_gone_before_the_next(self):
        fifo = self.fifo()
        probe = self.shell(LOOK_AROUND.format(fifo.path) + f"{program('escape')} {fifo.path} & wait", "--timeout", "300")
        for _ in range(3):
            line = fifo.next()
            self.assert_alone(line if line != "up" else fifo.next())
        self.assertEqual("'sh' did not end within 300ms", probe.reports.next())
        self.assertEqual((1, "'sh' did not end within 300ms\n"), probe.terminate())
        self.assertEqual({}, descendants(os.getpid()))

    def test_that_ignores_sigterm_or_is_stopped_goes_too(self):
        fifo = self.fifo()
        self.shell(LOOK_AROUND.format(fifo.path) + "setsid sh -c 'trap \"\" TERM HUP; kill -STOP $$' & sleep 1000 & exit 1",
                   "--interval", "1")
        for _ in range(20):
            self.assert_alone(fifo.next())

    def test_of_a_success_is_ended_with_it(self):
        fifo = self.fifo()
        probe = self.shell(f"{program('escape')} {fifo.path} go; sleep 1000 & exit 0", "--timeout", NEVER)
        self.await_below(fifo)
        self.assert_ready(probe)
        self.assertEqual({}, descendants(os.getpid()))

    def test_is_ended_by_sigterm(self):
        fifo = self.fifo()
        probe = self.shell(f"{program('escape')} {fifo.path} & sleep 1000", "--timeout", NEVER)
        self.await_below(fifo)
        self.assertEqual((1, "'sh' did not end yet\n"), probe.terminate())
        self.assertEqual({}, descendants(os.getpid()))

    def test_of_orphans_is_collected_while_the_command_runs(self):
        fifo = self.fifo()
        out, inside = os.pipe()
        self.addCleanup(os.close, inside)
        probe = self.probe("--timeout", NEVER, "exec", "--", "sh", "-c",
                           f"for i in 1 2 3 4 5; do sh -c ':& '; done; echo done > {fifo.path}; read -r x", stdin=out)
        os.close(out)
        self.assertEqual("done", fifo.next())
        self.await_true("one child", lambda: len(descendants(probe.pid)) == 1)
        os.write(inside, b"\n")
        self.assert_ready(probe)

    def test_ends_with_a_probe_that_is_killed(self):
        fifo = self.fifo()
        probe = self.shell(f"echo $$ > {fifo.path}; exec sleep 1000", "--timeout", NEVER)
        command = int(fifo.next())
        probe.process.kill()
        self.assertTrue(wait_gone(command))

    @unittest.skipUnless(MOUNTS, "needs root and mount namespaces")
    def test_of_its_process_group_is_ended_where_there_is_no_proc(self):
        fifo = self.fifo()
        probe = self.probe("--timeout", NEVER, "exec", "--", "sh", "-c", f"sleep 1000 & echo up > {fifo.path}; exit 0",
                           prefix=("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"))
        self.await_below(fifo)
        self.assert_ready(probe)
        self.assertEqual({}, descendants(os.getpid()))

    @unittest.skipUnless(ROOT, "needs root")
    def test_is_not_made_where_no_process_may_be(self):
        """A limit may be gone at the next attempt."""
        nobody_else = 1_000_000 + os.getpid()  # as such a limit counts what all others of the user have
        probe = self.probe("exec", "--", "true", executable=self.public_program(), user=nobody_else,
                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1, 1)))
        self.assert_says("cannot make a process for 'true': Resource temporarily unavailable", probe)


if __name__ == "__main__":
    unittest.main()
