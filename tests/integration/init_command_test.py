"""procsup-init: what the command is given, and what its end becomes."""
import contextlib
import json
import os
import resource
import signal
import subprocess
import threading
import unittest

from harness import Lines
from init_process import HARMLESS, PROGRAM, SIGNALS, STOPPING, InitTest, children, field, program
from processes import Deadline, descendants, wait_gone


class End(InitTest):
    def test_passes_all_exit_codes_on(self):
        codes = [self.popen("--", "sh", "-c", f"exit {code}").wait() for code in range(256)]
        self.assertEqual(list(range(256)), codes)

    def test_is_128_and_the_signal_for_all_that_kill(self):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        deadly = [number for number in SIGNALS if number not in STOPPING | HARMLESS]
        codes = [self.popen("--", "sh", "-c", f"kill -{number} $$").wait() for number in deadly]
        self.assertEqual([128 + number for number in deadly], codes)

    def test_names_what_cannot_be_executed(self):
        with open(self.path("text"), "w", encoding="ascii") as file:
            file.write("text")
        for name, code, cause in (("nowhere", 127, "No such file or directory"),
                                  ("/no/where", 127, "No such file or directory"),
                                  (self.path("text"), 126, "Permission denied"),
                                  ("/etc", 126, "Permission denied"), ("", 127, "No such file or directory"),
                                  (self.path("text") + "/x", 126, "Not a directory")):
            done = self.run_init("--", name)
            self.assertEqual((code, f"procsup-init: cannot execute '{name}': {cause}\n"), (done.returncode, done.stderr))

    def test_refuses_a_wrong_command_line(self):
        for words, text in (((), "no command"), (("--",), "no command"), (("-x", "true"), "unknown option '-x'"),
                            (("--pdeath",), "--pdeath needs a signal"),
                            (("--pdeath", "TERMS", "true"), "--pdeath: no signal is called 'TERMS'"),
                            (("--pdeath=65", "true"), "--pdeath: no signal is called '65'")):
            done = self.run_init(*words)
            self.assertEqual(125, done.returncode)
            self.assertEqual(f"procsup-init: {text}", done.stderr.splitlines()[0])

    def test_tells_its_usage_and_version(self):
        self.assertIn("Usage: procsup-init [-g] [--pdeath SIGNAL]", self.run_init("--help").stdout)
        self.assertRegex(self.run_init("--version").stdout, r"^procsup-init \d+\.\d+\.\d+\n$")

    def test_is_the_same_through_procsupd(self):
        done = subprocess.run([os.environ["PROCSUPD"], "--init", "-g", "--", "sh", "-c", "exit 43"], check=False)
        self.assertEqual(43, done.returncode)
        done = subprocess.run([os.environ["PROCSUPD"], "--init", "-x"], capture_output=True, text=True, check=False)
        self.assertEqual((125, "procsup-init: unknown option '-x'"), (done.returncode, done.stderr.splitlines()[0]))


class Surroundings(InitTest):
    def facts(self, *init, **more):
        """What a program knows of itself, without what must differ."""
        result = self.path("facts")
        subprocess.run([*init, program("know_yourself"), result], check=True, **more)
        with open(result, encoding="utf-8") as file:
            return [fact for fact in map(json.loads, file) if "pid" not in fact]

    def test_are_handed_on_as_they_are(self):
        opened = os.open("/etc/passwd", os.O_RDONLY)
        self.addCleanup(os.close, opened)
        ignored = (signal.SIGCHLD, signal.SIGPIPE, signal.SIGTERM, signal.SIGTSTP, signal.SIGRTMIN + 3)
        blocked = (signal.SIGUSR1, signal.SIGCHLD, signal.SIGRTMAX)

        def disturb():
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            os.umask(0o27)
            os.dup2(opened, 7, inheritable=True)
            os.dup2(opened, 400, inheritable=True)

        more = {"preexec_fn": disturb, "close_fds": False, "cwd": self.dir.name,
                "env": {"PATH": "/bin", "EMPTY": "", "ODD": "a=b\n\"c\"", "X" * 5000: "y" * 100000}}
        direct = self.facts(**more)
        self.assertIn({"signal_ignored": signal.SIGCHLD}, direct)
        self.assertIn({"fd": 400, "is": "/etc/passwd"}, direct)
        self.assertEqual(direct, self.facts(PROGRAM, "--", **more))
        self.assertEqual(direct, self.facts(PROGRAM, "-g", "--pdeath", "HUP", "--", **more))

    def test_have_closed_standard_streams_where_the_caller_has(self):
        for closed in ((0,), (1,), (2,), (0, 1, 2)):
            def close(fds=closed):
                for fd in fds:
                    os.close(fd)
            facts = self.facts(PROGRAM, "--pdeath", "HUP", "--", preexec_fn=close)
            self.assertEqual({0, 1, 2} - set(closed), {fact["fd"] for fact in facts if "fd" in fact})

    def test_belong_to_the_command_alone(self):
        """Who reads what the command writes sees the end when the command closes it."""
        out, inside = os.pipe()
        done, tell = os.pipe()
        process = self.popen("--", "sh", "-c", f"exec {inside}>&- >/dev/null 2>&1; echo closed >&{tell}; read x",
                             pass_fds=(inside, tell), stdin=subprocess.PIPE, stdout=inside)
        for fd in (inside, tell):
            os.close(fd)
        self.addCleanup(os.close, done)
        self.assertEqual("closed", Lines(done).next())
        self.assertEqual([out], Deadline().readable(out))
        self.assertEqual(b"", os.read(out, 1))
        os.close(out)
        self.assertEqual("/", os.readlink(f"/proc/{process.pid}/cwd"))
        process.communicate(b"\n")

    def test_run_a_script_without_an_interpreter_line_as_execvp_does(self):
        script = self.path("script")
        with open(script, "w", encoding="ascii") as file:
            file.write('echo "$0 $1 $#"; exit 6\n')
        os.chmod(script, 0o755)
        done = self.run_init("script", "a b", "-g", env={"PATH": f"/nowhere::{self.dir.name}:/bin"})
        self.assertEqual((6, f"{script} a b 2\n"), (done.returncode, done.stdout))

    def test_find_programs_in_the_default_path_where_there_is_none(self):
        self.assertEqual(0, self.run_init("true", env={}).returncode)


class Size(InitTest):
    def test_is_less_than_a_megabyte_and_no_heap(self):
        process = self.popen("--", program("nest"), "1", stdout=subprocess.PIPE)
        Lines(process.stdout.fileno()).next()
        with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as file:
            pss = next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        with open(f"/proc/{process.pid}/maps", encoding="utf-8") as file:
            maps = file.read()
        self.assertLessEqual(pss, 1024)
        self.assertNotIn("[heap]", maps)
        self.assertNotIn(".so", maps)
        process.terminate()
        self.assertEqual(143, process.wait())

    def test_sleeps_without_a_clock(self):
        """In a system call that nothing but a signal ends."""
        for words in ((), ("--pdeath", "TERM")):
            process = self.popen(*words, "--", "sleep", "1000")
            asleep = f"/proc/{process.pid}/syscall"

            def call(path=asleep):
                with open(path, encoding="ascii") as file:
                    return file.read().split()

            ppoll, sigtimedwait = "271", "128"  # x86-64
            self.await_true("asleep", lambda call=call: call()[0] in (ppoll, sigtimedwait))
            self.assertEqual(0, int(call()[3], 16), "a timeout")
            process.terminate()
            self.assertEqual(143, process.wait())


class Rest(InitTest):
    def test_is_ended_with_the_command(self):
        fifo = self.fifo()
        process = self.popen("--", "sh", "-c", f"{program('escape')} {fifo.path} & read x; exit 5", stdin=subprocess.PIPE)
        fifo.next()
        process.communicate(b"\n")
        self.assertEqual(5, process.returncode)
        self.assertEqual({}, descendants(os.getpid()))

    def test_that_ignores_sigterm_is_killed_after_a_while(self):
        fifo = self.fifo()
        process = self.popen("--", "sh", "-c", f"setsid {program('ignore_term')} {fifo.path} & read x; exit 5",
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        fifo.next()
        _, errors = process.communicate(b"\n")
        self.assertEqual(5, process.returncode)
        self.assertEqual(b"procsup-init: what 'sh' has left did not end within 5 s after SIGTERM: killed\n", errors)

    def test_that_is_stopped_is_ended_too(self):
        process = self.popen("--", "sh", "-c", "sleep 1000 & kill -STOP $!; exit 5")
        self.assertEqual(5, process.wait())

    def test_gets_what_is_sent_meanwhile(self):
        fifo = self.fifo()
        process = self.popen("--", "sh", "-c", f"trap '' TERM; setsid {program('count_signals')} {fifo.path} 1 & read x; exit 5",
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        fifo.next()
        command = children(process.pid)[0]
        process.stdin.write(b"\n")
        process.stdin.flush()
        self.await_true("the command has ended", lambda: command not in children(process.pid))
        process.send_signal(signal.SIGRTMIN + 1)
        self.assertEqual("count 1 in order", fifo.next())
        self.assertEqual(b"", process.communicate()[1])
        self.assertEqual(5, process.returncode)

    def test_includes_children_from_before_it_was_executed(self):
        """They are neither mistaken for the command nor left."""
        shell = f"sleep 1000 & exit_at_once() {{ exit 3; }}; (exit_at_once) & exec {PROGRAM} sh -c 'exit 5'"
        self.assertEqual(5, subprocess.run(["sh", "-c", shell], check=False).returncode)

    def test_ends_here_and_not_with_the_subreaper_above(self):
        """Which the test process is."""
        done = self.run_init("--", program("leave_family"), "3", "go", "session")
        self.assertEqual(0, done.returncode)
        self.assertEqual(3, len(done.stdout.split()))
        self.assertEqual({}, descendants(os.getpid()))


class FewDescriptors(InitTest):
    def test_end_a_watch_of_the_parent_with_a_reason(self):
        """Which takes two."""
        for limit in (3, 4):
            def few(limit=limit):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            done = self.run_init("--pdeath", "TERM", "--", program("ignore_term"), preexec_fn=few)
            self.assertEqual((125, "procsup-init: cannot watch the parent process, as --pdeath asks: Too many open files\n"),
                             (done.returncode, done.stderr))


class Errors(InitTest):
    def test_that_nobody_reads_hold_up_nothing(self):
        """Standard error is a full pipe when what is left is killed."""
        fifo = self.fifo()
        end, full = os.pipe()
        self.addCleanup(os.close, end)
        os.set_blocking(full, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(full, b"x" * 4096)
        os.set_blocking(full, True)
        process = self.popen("--", "sh", "-c", f"setsid {program('ignore_term')} {fifo.path} & read x; exit 5",
                             stdin=subprocess.PIPE, stderr=full)
        os.close(full)
        fifo.next()
        process.communicate(b"\n")
        self.assertEqual(5, process.returncode)


class Killed(InitTest):
    def test_takes_the_command_along(self):
        process = self.popen("--", "sleep", "1000")
        self.await_true("the command", lambda: field((children(process.pid) or [0])[0], "Name") == "sleep")
        command = children(process.pid)[0]
        process.kill()
        process.wait()
        self.assertTrue(wait_gone(command))


class ParentDeath(InitTest):
    def start(self, name):
        """procsup-init below a shell that ends when it is told; the command says which signal it gets."""
        fifo = self.fifo()
        shell = subprocess.Popen(["sh", "-c", f"{PROGRAM} --pdeath {name} -- {program('report_signals')} {fifo.path} 0 & read x"],
                                 stdin=subprocess.PIPE)
        self.addCleanup(shell.wait)
        self.assertEqual("up", fifo.next())
        return fifo, shell, children(shell.pid)[0]

    def test_sends_the_signal_to_the_command(self):
        fifo, shell, init = self.start("SIGUSR2")
        shell.communicate(b"\n")
        self.assertEqual(f"main {signal.SIGUSR2:d}", fifo.next())
        os.kill(init, signal.SIGTERM)
        self.assertTrue(wait_gone(init))

    def test_by_sigkill_leaves_nothing(self):
        _, shell, init = self.start("kill")
        shell.communicate(b"\n")
        self.assertTrue(wait_gone(init))

    def test_is_not_that_of_the_thread_which_made_it(self):
        """PR_SET_PDEATHSIG means the thread (prctl(2))."""
        made = []
        thread = threading.Thread(target=lambda: made.append(self.popen("--pdeath", "TERM", "--", "sh", "-c", "read x",
                                                                        stdin=subprocess.PIPE)))
        thread.start()
        thread.join()
        made[0].communicate(b"\n")
        self.assertEqual(0, made[0].returncode)


if __name__ == "__main__":
    unittest.main()
