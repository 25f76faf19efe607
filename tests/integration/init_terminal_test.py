"""procsup-init on a terminal: job control of a real shell, and of a container that has none."""
import os
import signal
import subprocess
import unittest

from init_process import PROGRAM, InitTest, children, field
from processes import wait_gone
from terminal import Terminal

PROMPT = "ready> "
# As an editor that is killed.
TAKES_TERMINAL = """
import os, signal
if os.fork() == 0:
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    os.tcsetpgrp(0, os.getpid())
    os.kill(os.getpid(), signal.SIGKILL)
os.wait()
os.write(os.open("/dev/tty", os.O_WRONLY), b"took it\\n")
print("got", input())
"""
INTR, SUSP, END = "\x03", "\x1a", "\x04"


class TerminalTest(InitTest):
    def on_pty(self, *argv):
        terminal = Terminal(*argv, env={"PATH": os.environ["PATH"], "PS1": PROMPT, "TERM": "dumb", "I": PROGRAM})
        self.addCleanup(terminal.close)
        return terminal

    def command_of(self, init):
        self.await_true("a command that is executed", lambda: any(
            field(pid, "Name") not in (None, "procsup-init") for pid in children(init)))
        return children(init)[0]


class AsSessionLeader(TerminalTest):
    """As the process that a container starts with a terminal."""

    def start(self, *command):
        terminal = self.on_pty(PROGRAM, "--", *command)
        return terminal, self.command_of(terminal.pid)

    def test_the_command_is_in_the_foreground(self):
        terminal, command = self.start("cat")
        self.assertEqual(command, terminal.foreground())
        self.assertEqual(terminal.pid, os.getsid(command))
        terminal.type("hello\n")
        terminal.expect("hello\r\nhello\r\n")
        terminal.type(END)
        self.assertEqual(0, terminal.end())

    def test_what_is_typed_reaches_it_once(self):
        terminal, _ = self.start("sh", "-c", "trap 'echo INT' INT; echo up; while :; do read x && echo \"got $x\"; done")
        terminal.expect("up")
        for _ in range(3):
            terminal.type(INTR)
            terminal.expect("INT\r\n")
        terminal.type("end\n")
        terminal.expect("got end")
        self.assertNotIn("INT\r\n", terminal.seen)
        os.kill(terminal.pid, signal.SIGTERM)
        self.assertEqual(143, terminal.end())

    def test_ctrl_c_ends_it(self):
        terminal, _ = self.start("cat")
        terminal.type(INTR)
        self.assertEqual(130, terminal.end())

    def test_it_gets_the_terminal_back_that_a_process_of_its_own_took_along(self):
        terminal, _ = self.start("python3", "-c", TAKES_TERMINAL)
        terminal.expect("took it")
        terminal.type("hello\n")
        terminal.expect("got hello")
        self.assertEqual(0, terminal.end())

    def test_nobody_could_continue_it_so_that_it_is_not_stopped(self):
        terminal, _ = self.start("cat")
        terminal.type(SUSP)
        terminal.expect("\\^Z")
        terminal.type("still here\n")
        terminal.expect("still here\r\nstill here\r\n")
        terminal.type(END)
        self.assertEqual(0, terminal.end())

    def test_what_was_stopped_by_hand_stays_so_until_it_is_continued(self):
        terminal, command = self.start("cat")
        os.kill(terminal.pid, signal.SIGTTIN)
        self.await_true("stopped", lambda: (field(command, "State") or "").startswith("T"))
        os.kill(terminal.pid, signal.SIGCONT)
        self.await_true("continued", lambda: (field(command, "State") or "").startswith("S"))
        terminal.type(END)
        self.assertEqual(0, terminal.end())

    def test_a_sigcont_counts_that_comes_before_it_has_seen_the_stop(self):
        terminal, command = self.start("cat")
        for pid, number in ((terminal.pid, signal.SIGSTOP), (command, signal.SIGTTIN)):
            os.kill(pid, number)
            self.await_true("stopped", lambda pid=pid: (field(pid, "State") or "").startswith("T"))
        os.kill(terminal.pid, signal.SIGCONT)
        self.await_true("continued", lambda: (field(command, "State") or "").startswith("S"))
        terminal.type(END)
        self.assertEqual(0, terminal.end())

    def test_a_new_size_reaches_it(self):
        terminal, _ = self.start("sh", "-c", "trap 'stty size' WINCH; echo up; while :; do read x; done")
        terminal.expect("up")
        terminal.resize(31, 77)
        terminal.expect("31 77")
        os.kill(terminal.pid, signal.SIGTERM)
        self.assertEqual(143, terminal.end())

    def test_a_hangup_ends_it(self):
        terminal, command = self.start("cat")
        terminal.close()
        self.assertTrue(wait_gone(command))
        self.assertTrue(wait_gone(terminal.pid))
        # Whether cat sees the signal, the error or the end first.
        self.assertIn(os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1]), (129, 1, 0))


class UnderAShell(TerminalTest):
    def shell(self):
        terminal = self.on_pty("bash", "--norc", "--noprofile", "--noediting", "-i")
        terminal.expect(PROMPT)
        return terminal

    def end(self, terminal):
        terminal.type("exit 44\n")
        self.assertEqual(44, terminal.end())

    def test_a_job_is_stopped_and_continued(self):
        terminal = self.shell()
        terminal.type("$I -- cat\n")
        self.await_true("the job", lambda: children(terminal.pid))
        init = children(terminal.pid)[0]
        command = self.command_of(init)
        for word in ("one", "two"):
            self.await_true("in the foreground", lambda: terminal.foreground() == command)
            terminal.type(SUSP)
            terminal.expect("Stopped.*\n")
            terminal.expect(PROMPT)
            self.assertTrue(field(init, "State").startswith("T"))
            self.assertTrue(field(command, "State").startswith("T"))
            terminal.type("fg\n")
            terminal.expect("fg\r\n.*cat\r\n")
            terminal.type(f"{word}\n")
            terminal.expect(f"{word}\r\n{word}\r\n")
        terminal.type(END)
        terminal.expect(PROMPT)
        self.end(terminal)

    def test_a_shell_may_be_late_to_put_it_into_the_foreground(self):
        """When the command has the terminal already; here that gives it back itself."""
        terminal = self.shell()
        terminal.type("$I -- python3 -c 'import os; os.tcsetpgrp(0, os.getpgid(os.getppid())); print(\"got\", input())'\n")
        terminal.expect("\n")
        terminal.type("word\n")
        terminal.expect("got word")
        self.end(terminal)

    def test_a_job_goes_on_in_the_background(self):
        terminal = self.shell()
        terminal.type("$I -- sh -c 'read x; echo got $x; kill -TSTP $$; echo again; exit 5'\n")
        terminal.type("word\n")
        terminal.expect("got word")
        terminal.expect("Stopped.*\n")
        terminal.type("bg; wait %1; echo code $?\n")
        terminal.expect("again")
        terminal.expect("code 5")
        self.end(terminal)

    def test_a_job_in_the_background_that_reads_is_stopped_until_it_may(self):
        terminal = self.shell()
        terminal.type("$I -- cat &\n")
        terminal.expect(PROMPT)
        init = children(terminal.pid)[0]
        self.await_true("stopped", lambda: (field(init, "State") or "").startswith("T"))
        terminal.type("jobs\n")
        terminal.expect("Stopped.*\n")
        terminal.type("fg\n")
        terminal.expect("fg\r\n.*cat\r\n")
        terminal.type("hello\n")
        terminal.expect("hello\r\nhello\r\n")
        terminal.type(END)
        self.end(terminal)

    def test_all_of_a_pipeline_is_stopped(self):
        terminal = self.shell()
        terminal.type("$I -- cat | sed 's/^/piped /'\n")
        self.await_true("both", lambda: len(children(terminal.pid)) == 2)
        both = children(terminal.pid)
        self.command_of(both[0])
        self.await_true("foreground", lambda: terminal.foreground() in children(both[0]))
        terminal.type(SUSP)
        terminal.expect("Stopped")
        for pid in both:
            self.assertTrue(field(pid, "State").startswith("T"))
        terminal.type("fg\n")
        terminal.type("word\n")
        terminal.type(END)
        terminal.expect("piped word")
        self.end(terminal)

    def test_ctrl_c_ends_the_job_and_not_the_shell(self):
        terminal = self.shell()
        terminal.type("$I -- sleep 1000; echo code $?\n")
        self.await_true("the job", lambda: children(terminal.pid))
        command = self.command_of(children(terminal.pid)[0])
        self.await_true("in the foreground", lambda: terminal.foreground() == command)
        terminal.type(INTR)
        terminal.expect("code 130")
        self.end(terminal)

    def test_a_shell_without_job_control_gets_the_terminal_back(self):
        terminal = self.on_pty("sh", "-c", '"$I" -- sh -c "read x; echo first $x"; read y; echo second $y')
        terminal.type("one\n")
        terminal.expect("first")
        terminal.type("two\n")
        terminal.expect("second two")
        self.assertEqual(0, terminal.end())

    def test_a_command_whose_input_is_a_file_may_use_the_terminal(self):
        terminal = self.on_pty("sh", "-c", '"$I" -- sh -c "read x < /dev/tty; echo got $x" < /dev/null > /dev/tty 2>&1; :')
        terminal.type("word\n")
        terminal.expect("got")
        self.assertEqual(0, terminal.end())


class WithoutATerminal(InitTest):
    def test_a_stopped_command_does_not_stop_procsup_init(self):
        """Nobody would continue it; it goes on collecting."""
        process = self.popen("--", "sh", "-c", "(sleep 0) & kill -STOP $$; exit 3", start_new_session=True)
        self.await_true("stopped", lambda: any((field(pid, "State") or "").startswith("T") for pid in children(process.pid)))
        command = children(process.pid)[0]
        self.await_true("asleep", lambda: field(process.pid, "State").startswith("S"))
        os.kill(command, signal.SIGCONT)
        self.assertEqual(3, process.wait())

    def test_sigcont_to_it_continues_the_command(self):
        process = subprocess.Popen([PROGRAM, "--", "sh", "-c", "kill -STOP $$; exit 3"], start_new_session=True)
        self.await_true("stopped", lambda: any((field(pid, "State") or "").startswith("T") for pid in children(process.pid)))
        process.send_signal(signal.SIGCONT)
        self.assertEqual(3, process.wait())


if __name__ == "__main__":
    unittest.main()
