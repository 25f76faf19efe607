"""run and exec: a command with the caller's descriptors, under the supervisor's eyes; up and down of a project."""
import json
import os
import shutil
import signal
import subprocess
import unittest

from harness import PROCSUPCTL, ROOT, IntegrationTest, Lines
from processes import PATIENCE, SCALE, descendants, wait_gone

CONFIG = """
[jobs.web]
command = ["sleep", "1000"]
working_dir = "/usr"
umask = "0027"
[jobs.web.env]
WORD = "of the job"
[jobs.web.limits]
open_files = 99
"""


class Run(IntegrationTest):
    def setUp(self):
        self.s = self.supervise(CONFIG)

    def test_a_directory_that_cannot_be_told_is_refused(self):
        gone = os.path.join(self.s.dir, "gone")
        odd = os.path.join(os.fsencode(self.s.dir), b"odd\xff")
        os.mkdir(gone)
        os.mkdir(odd)
        result = self.s.ctl("run", "--", "pwd", cwd=odd, expect=125)
        self.assertIn("its name is not UTF-8", result.err)
        result = self.s.ctl("run", "--", "pwd", cwd="/", expect=125,
                            preexec_fn=lambda: (os.chdir(gone), os.rmdir(gone)))
        self.assertIn("cannot run a command in the current directory", result.err)

    def test_exit_codes_are_the_commands(self):
        codes = {"true": 0, "exit 5": 5, "exit 255": 255, "kill -TERM $$": 143, "kill -9 $$": 137}
        for command, code in codes.items():
            with self.subTest(command):
                self.s.ctl("run", "-q", "--", "sh", "-c", command, expect=code)
        self.s.ctl("run", "--", "/nonexistent/program", expect=127)
        self.s.ctl("run", "--", "no-such-program-anywhere", expect=127)
        self.s.ctl("run", "--", "/etc/passwd", expect=126)
        self.s.ctl("run", "--", "/usr", expect=126)

    def test_input_and_output_are_the_callers(self):
        result = self.s.ctl("run", "-q", "--", "sh", "-c", "cat; echo error >&2", text="from standard input\n")
        self.assertEqual(("from standard input\n", "error\n"), (result.out, result.err))

    def test_a_large_stream_passes_through(self):
        result = self.s.ctl("run", "-q", "--", "tr", "a", "b", text="a" * (1 << 20))
        self.assertEqual("b" * (1 << 20), result.out)

    def test_directory_and_environment_are_the_callers(self):
        script = "pwd; echo $WORD; echo ${PROCSUP_CANARY-none}; echo $PROCSUPD_JOB"
        result = self.s.ctl("run", "-q", "--", "sh", "-c", script,
                            cwd="/usr/lib", env={"WORD": "of the caller", "PROCSUPD_JOB": "forged"})
        pwd, word, canary, job = result.out.splitlines()
        self.assertEqual(("/usr/lib", "of the caller", "none"), (pwd, word, canary))
        self.assertRegex(job, r"^run-\d+$")

    def test_exec_has_the_environment_directory_umask_and_limits_of_the_job(self):
        result = self.s.ctl("exec", "-q", "web", "--", "sh", "-c", "pwd; echo $WORD; umask; ulimit -n; echo $OWN",
                            env={"OWN": "of the caller"})
        self.assertEqual(["/usr", "of the job", "0027", "99", ""], result.out.splitlines())

    @unittest.skipUnless(ROOT, "only root becomes somebody else")
    def test_exec_is_the_user_of_the_job(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nuser = "nobody"\n')
        self.assertEqual("nobody\n", s.ctl("exec", "-q", "web", "--", "id", "-un").out)

    @unittest.skipUnless(ROOT, "becomes another user")
    def test_run_by_an_operator_is_as_the_operator(self):
        s = self.supervise('[access]\noperate = ["nobody"]\n')
        result = s.ctl("run", "-q", "--", "sh", "-c", "id -u; id -g; id -G; grep CapEff /proc/self/status", cwd="/",
                       user=65534, group=65534, extra_groups=[])
        self.assertEqual(["65534", "65534", "65534", "CapEff:\t0000000000000000"], result.out.splitlines())

    @unittest.skipUnless(ROOT, "becomes another user")
    def test_an_owner_may_not_run_commands_as_another_user(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nowner = "nobody"\n')
        refused = s.ctl("exec", "web", "--", "id", expect=125, user=65534, group=65534, extra_groups=[])
        self.assertIn("may not run commands as the user of any job", refused.err)

    def test_a_command_has_a_name_and_is_forgotten_when_it_has_ended(self):
        run = self.s.popen("run", "--name=crunch", "--", "sleep", "1000", stderr=subprocess.PIPE)
        self.assertRegex(run.stderr.readline().decode(), r"^crunch: started pid \d+\n$")
        self.assertEqual("running", self.s.instance("crunch")["state"])
        taken = self.s.ctl("run", "--name=crunch", "--", "true", expect=125)
        self.assertIn("a job is called 'crunch' already", taken.err)
        self.s.ctl("run", "--name=web", "--", "true", expect=125)
        self.s.ctl("stop", "crunch")
        self.assertEqual(143, run.wait(PATIENCE))
        run.stderr.close()
        self.s.ctl("status", "crunch", expect=4)

    def test_a_command_is_not_restarted(self):
        self.assertEqual("once\n", self.s.ctl("run", "-q", "--", "sh", "-c", "echo once; exit 1", expect=1).out)

    def test_json_says_how_it_ended(self):
        answer = json.loads(self.s.ctl("run", "--json", "--", "sh", "-c", "exit 4", expect=4).out)
        self.assertEqual((4, None), (answer["exit_code"], answer["exit_signal"]))

    def test_detach_returns_when_it_runs_and_it_outlives_the_caller(self):
        result = self.s.ctl("run", "--detach", "--name=bg", "--", "sleep", "1000")
        pid = self.s.pid_of("bg")
        self.assertEqual(f"bg: started pid {pid}\n", result.out)
        self.assertEqual("/dev/null", os.readlink(f"/proc/{pid}/fd/0"))
        self.s.ctl("stop", "bg")
        self.s.ctl("run", "--detach", "--", "/nonexistent/program", expect=127)

    def test_ctrl_c_reaches_the_command(self):
        script = "trap 'echo interrupted; exit 7' INT; echo up; while :; do sleep 0.01; done"
        run = self.s.popen("run", "--", "sh", "-c", script, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        lines, messages = Lines(run.stdout.fileno()), Lines(run.stderr.fileno())
        self.assertEqual("up", lines.next())
        # Before it has said this, procsupctl has nobody to pass a signal to.
        self.assertIn("started pid", messages.next())
        run.send_signal(signal.SIGINT)
        self.assertEqual("interrupted", lines.next())
        self.assertEqual(7, run.wait(PATIENCE))
        run.stderr.close()

    def test_the_caller_who_is_killed_takes_the_command_along(self):
        run = self.s.popen("run", "--name=tied", "--", "sleep", "1000", stderr=subprocess.PIPE)
        run.stderr.readline()
        pid = self.s.pid_of("tied")
        run.kill()
        run.wait()
        run.stderr.close()
        self.assertTrue(wait_gone(pid))
        events = self.s.events()
        self.s.ctl("restart", "web")
        events.until("web", "running")
        self.assertNotIn("tied", self.s.instances())

    def test_a_timeout_stops_the_command(self):
        self.s.ctl("run", f"--timeout={int(300 * SCALE)}ms", "--name=slow", "--", "sleep", "1000", expect=124)
        events = self.s.run("wait", "--for=stopped", "slow")
        self.assertIn(events.code, (0, 5))
        self.assertNotIn("sleep 1000", [text for pid, text in descendants(self.s.process.pid).items()
                                        if pid != self.s.pid_of("web")])

    def test_words_are_passed_verbatim(self):
        words = ["a  b", "$HOME", "${job:name}", "$${x}", "", "*", "-n", "--", "é\u20ac", "'\""]
        out = self.s.ctl("run", "-q", "--", "printf", "%s\\n", *words).out
        self.assertEqual(words, out.split("\n")[:-1])

    def test_words_that_are_not_utf8_are_refused(self):
        result = subprocess.run([PROCSUPCTL.encode(), b"run", b"--", b"echo", b"\xff"], env=self.s.ctl_env(),
                                capture_output=True, check=False)
        self.assertEqual(125, result.returncode)
        self.assertIn(b"must be UTF-8", result.stderr)

    def test_shutdown_ends_a_run(self):
        run = self.s.popen("run", "--", "sleep", "1000", stderr=subprocess.PIPE)
        run.stderr.readline()
        self.s.ctl("shutdown")
        self.assertEqual(143, run.wait(PATIENCE))
        run.stderr.close()


class Project(IntegrationTest):
    def setUp(self):
        self.s = self.prepare('[jobs.web]\ncommand = ["sleep", "1000"]\n[jobs.off]\n'
                              'command = ["sleep", "1"]\nenabled = false\n')
        self.env = {"XDG_RUNTIME_DIR": self.s.dir, "PROCSUPD_SOCKET": ""}
        self.addCleanup(self.run_down)

    def project(self, *words, expect=0):
        return self.s.ctl(*words, expect=expect, env=self.env, cwd=self.s.dir)

    def run_down(self):
        status = self.s.run("daemon", "status", "--json", env=self.env, cwd=self.s.dir)
        self.s.run("down", env=self.env, cwd=self.s.dir)
        if status.code == 0:
            shutil.rmtree(status.json["runtime_dir"], ignore_errors=True)

    def test_up_starts_down_stops_and_verbs_find_it_in_its_directory(self):
        self.assertRegex(self.project("up").out, r"web +(running|starting) ")
        self.project("wait", "web")
        pid = self.project("daemon", "status", "--json").json["pid"]
        web = self.project("status", "web", "--json").json["instances"][0]["pid"]
        self.project("stop", "web")
        self.project("up")
        self.assertEqual(pid, self.project("daemon", "status", "--json").json["pid"])
        again = self.project("status", "web", "--json").json["instances"][0]
        self.assertEqual("running", again["state"])
        self.assertNotEqual(web, again["pid"])
        self.assertEqual("stopped", self.project("status", "off", "--json", expect=3).json["instances"][0]["state"])
        self.project("down")
        self.assertTrue(wait_gone(pid, 0))
        self.assertTrue(wait_gone(again["pid"], 0))
        self.assertEqual("not running\n", self.project("down").out)

    def test_up_outlives_its_caller_and_takes_changes(self):
        self.project("up")
        self.s.configure('[jobs.web]\ncommand = ["sleep", "1000"]\n[jobs.more]\ncommand = ["sleep", "1000"]\n')
        self.project("up", self.s.config)
        self.project("wait", "web", "more")
        self.s.configure("[jobs.web]\nbroken = 1\n")
        self.assertIn("procsup.toml:2:1: error: unknown key 'broken'", self.project("up", expect=6).err)
        self.project("is-active", "web", "more")

    def test_up_of_a_bad_file_is_6_and_leaves_nothing(self):
        self.s.configure('[jobs.web]\ncommand = "x"\nrestrat = 1\n')
        self.assertIn("procsup.toml:3:1: error: unknown key 'restrat'", self.project("up", expect=6).err)
        self.project("check", expect=6)
        self.assertEqual("not running\n", self.project("down").out)

    def test_up_without_a_file_says_so(self):
        os.unlink(self.s.config)
        self.assertIn("procsup.toml", self.project("up", expect=1).err)

    def test_check_of_a_good_file(self):
        self.project("check")
        self.project("check", self.s.config)


if __name__ == "__main__":
    unittest.main()
