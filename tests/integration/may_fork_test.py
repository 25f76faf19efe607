"""may_fork = false: the kernel refuses new processes to the job, and to nobody else."""
import os
import shutil
import unittest

from harness import ROOT, IntegrationTest
from hostile import LONELY, PROGRAMS, everywhere

WAYS = ("fork", "vfork", "clone", "posix_spawn")
ALONE = [*(f"{way} EPERM" for way in WAYS), "thread works"]
OUTPUT = '[jobs.web.log]\nstdout = "@DIR@/out"\nstderr = "@DIR@/out"\n'
IN_PYTHON = """
import os, subprocess, sys, threading

def attempt(what, how):
    try:
        how()
        print(what, "works", flush=True)
    except OSError as error:
        print(what, error.strerror, flush=True)

def run_thread():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()

attempt("fork", lambda: os.fork() or os._exit(0))
attempt("subprocess", lambda: subprocess.run(["/bin/true"], check=True))
attempt("thread", run_thread)
"""


def state_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        fields = dict(line.split(":\t", 1) for line in file.read().splitlines())
    return int(fields["Seccomp_filters"]), int(fields["NoNewPrivs"])


class MayFork:
    def begin(self, job, **files):
        """A supervisor whose job "web" writes to the FIFO `out`."""
        s = self.prepare(f"[jobs.web]\nmay_fork = false\nrestart = \"no\"\n{job}\n{OUTPUT}")
        for name, text in files.items():
            s.write(name, text)
        shutil.copy(os.path.join(PROGRAMS, "new_process"), s.path("new_process"))
        out = s.fifo("out")
        s.start()
        self.assertEqual(self.mode, s.daemon()["containment"])
        return s, out

    def test_every_way_to_make_a_process_is_refused_and_threads_work(self):
        s, out = self.begin('command = ["@DIR@/new_process"]')
        self.assertEqual(ALONE, [out.next() for _ in ALONE])
        s.ctl("wait", "--for=exit", "web")

    def test_python_runs_threads_and_nothing_else(self):
        _, out = self.begin('command = ["python3", "@DIR@/script"]', script=IN_PYTHON)
        self.assertEqual(["fork Operation not permitted", "subprocess Operation not permitted", "thread works"],
                         [out.next() for _ in range(3)])

    def test_a_shell_starts_nothing_and_may_become_another_program(self):
        _, out = self.begin('shell = "/bin/true & true"')
        self.assertIn("Cannot fork", out.next())
        _, out = self.begin('shell = "exec @DIR@/new_process"')
        self.assertEqual(ALONE, [out.next() for _ in ALONE])

    def test_a_program_that_is_searched_for_is_found(self):
        _, out = self.begin('command = ["new_process"]\n[jobs.web.env]\nPATH = "/usr/bin:@DIR@"')
        self.assertEqual(ALONE, [out.next() for _ in ALONE])

    def test_the_main_process_alone_has_the_filter(self):
        s = self.supervise('[jobs.web]\nmay_fork = false\ncommand = ["sleep", "1000"]\n'
                           '[jobs.free]\ncommand = ["sleep", "1000"]\n')
        filters, _ = state_of(s.process.pid)
        self.assertEqual((filters + 1, 1), state_of(s.pid_of("web")))
        self.assertEqual(filters, state_of(s.pid_of("free"))[0])
        others = set(self.below(s)) - {s.pid_of("web")}
        self.assertEqual({filters}, {state_of(pid)[0] for pid in others})

    def test_it_is_in_force_again_after_a_restart_and_gone_with_the_key(self):
        config = f'[jobs.web]\nshell = "@DIR@/new_process; exec sleep 1000"\n{OUTPUT}'
        s = self.prepare(config.replace("shell", "may_fork = false\nshell").replace("@DIR@/new_process;", "true;"))
        shutil.copy(os.path.join(PROGRAMS, "new_process"), s.path("new_process"))
        out = s.fifo("out")
        s.start().settle()
        filters, _ = state_of(s.process.pid)
        s.ctl("restart", "web")
        self.assertEqual(filters + 1, state_of(s.pid_of("web"))[0])
        s.configure(config)
        s.ctl("apply", "--no-restart")
        s.ctl("restart", "web")
        self.assertEqual([f"{way} works" for way in (*WAYS, "thread")], [out.next() for _ in ALONE])

    def test_commands_of_exec_have_the_filter_and_those_of_run_do_not(self):
        s, out = self.begin('command = ["sleep", "1000"]')
        program = s.path("new_process")
        self.assertEqual(ALONE, s.ctl("exec", "-q", "web", "--", program).out.splitlines())
        self.assertNotIn("EPERM", s.ctl("run", "-q", "--", program).out)
        self.assertFalse(out.buffer)


everywhere(MayFork, globals(), places={"": {}, "OfAUser": {"user": LONELY}})


class MayForkOfJobs(IntegrationTest):
    def test_show_and_cat_print_it(self):
        s = self.supervise('[jobs.web]\nmay_fork = false\ncommand = ["sleep", "1000"]\n')
        self.assertIn("may_fork = false", s.ctl("cat", "web").out)
        self.assertIs(s.ctl("show", "web", "--json").json["settings"]["may_fork"], False)

    @unittest.skipUnless(ROOT, "only root becomes somebody else")
    def test_it_holds_for_a_job_of_another_user(self):
        s = self.prepare('[jobs.web]\nmay_fork = false\nrestart = "no"\nuser = "nobody"\n'
                         f'command = ["@DIR@/new_process"]\n{OUTPUT}')
        shutil.copy(os.path.join(PROGRAMS, "new_process"), s.path("new_process"))
        out = s.fifo("out")
        s.start()
        self.assertEqual(ALONE, [out.next() for _ in ALONE])


if __name__ == "__main__":
    unittest.main()
