"""What a job's process is given: a clean environment, descriptors, signals, ids, limits, and its files."""
import os
import pwd
import resource
import signal
import subprocess
import unittest

from harness import PROCSUPD, ROOT, IntegrationTest
from processes import Deadline, descendants, wait_gone

RECORD = """
shell = '''
cat /proc/self/status > @DIR@/rec/status
tr '\\000' '\\n' < /proc/$$/environ > @DIR@/rec/environ
ls -l /proc/$$/fd > @DIR@/rec/fds
readlink /proc/$$/cwd > @DIR@/rec/pwd
umask > @DIR@/rec/umask
cat /proc/$$/limits > @DIR@/rec/limits
cat /proc/$$/stat > @DIR@/rec/stat
'''
type = "oneshot"
restart = "no"
"""


class Process(IntegrationTest):
    def record(self, more="", table="", **arguments):
        s = self.prepare("[jobs.web]\n" + RECORD + more + "\n" + table, **arguments)
        return self.recorded(s)

    def recorded(self, s):
        os.mkdir(s.path("rec"))
        os.chmod(s.path("rec"), 0o777)
        s.start()
        s.ctl("wait", "web")
        return s

    def file(self, s, name):
        with open(s.path(name), encoding="utf-8") as file:
            return file.read()

    def read(self, s, name):
        with open(s.path("rec", name), encoding="utf-8") as file:
            return file.read()

    def environment(self, s):
        return dict(line.split("=", 1) for line in self.read(s, "environ").splitlines())

    def status(self, s):
        return dict(line.split(":\t", 1) for line in self.read(s, "status").splitlines() if ":\t" in line)

    def test_nothing_of_the_daemons_environment_is_inherited(self):
        env = self.environment(self.record(env={"LANG": "xx", "LD_LIBRARY_PATH": "/tmp"}))
        known = {"PATH", "LANG", "PROCSUPD_JOB", "PROCSUPD_INSTANCE", "PROCSUPD_INDEX", "PROCSUPD_INVOCATION_ID",
                 "PROCSUPD_SOCKET", "HOME", "USER", "LOGNAME", "SHELL"}
        self.assertEqual(set(), set(env) - known)
        self.assertEqual(("C.UTF-8", pwd.getpwuid(os.geteuid()).pw_dir), (env["LANG"], env["HOME"]))
        self.assertEqual(("web", "web", "0"), (env["PROCSUPD_JOB"], env["PROCSUPD_INSTANCE"], env["PROCSUPD_INDEX"]))
        self.assertEqual("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", env["PATH"])

    def test_named_variables_are_inherited_and_set_ones_come_on_top(self):
        s = self.prepare("[jobs.web]\n" + RECORD + 'inherit_env = ["PROCSUP_CANARY", "WORD", "ABSENT"]\n'
                         'env_files = ["@DIR@/env", "-@DIR@/absent"]\n'
                         '[jobs.web.env]\nWORD = "own"\nNAME = "${job:instance} of ${job:name}"\n'
                         'DOLLAR = "$HOME $${x}"\n',
                         env={"WORD": "inherited"})
        s.write("env", "# comment\nFROM_FILE=yes\nWORD=file\n")
        self.recorded(s)
        env = self.environment(s)
        self.assertEqual("must not reach a job", env["PROCSUP_CANARY"])
        self.assertEqual(("own", "yes", "web of web"), (env["WORD"], env["FROM_FILE"], env["NAME"]))
        self.assertEqual("$HOME ${x}", env["DOLLAR"])
        self.assertNotIn("ABSENT", env)

    def test_only_descriptors_0_to_2_reach_a_job(self):
        with open("/etc/passwd", "rb") as extra:
            os.set_inheritable(extra.fileno(), True)
            s = self.record(pass_fds=[extra.fileno()])
        numbers = {line.split()[8] for line in self.read(s, "fds").splitlines()[1:]}
        # 10 is where dash keeps a saved descriptor while it redirects.
        self.assertLessEqual({"0", "1", "2"}, numbers)
        self.assertNotIn("/etc/passwd", self.read(s, "fds"))
        self.assertNotIn("socket:", self.read(s, "fds"))
        self.assertNotIn("eventpoll", self.read(s, "fds"))

    def test_no_signal_is_blocked_or_ignored(self):
        def spoil():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM, signal.SIGCHLD})
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

        status = self.status(self.record(preexec_fn=spoil))
        self.assertEqual(0, int(status["SigBlk"], 16))
        self.assertEqual(0, int(status["SigIgn"], 16))

    def test_a_job_has_a_session_of_its_own(self):
        fields = self.read(self.record(), "stat")
        pid = fields.split()[0]
        group, session = fields[fields.rindex(")"):].split()[3:5]
        self.assertEqual((pid, pid), (group, session))

    def test_umask_and_working_directory_are_as_set(self):
        s = self.record('umask = "0027"\nworking_dir = "/usr"\n')
        self.assertEqual(("0027", "/usr"), (self.read(s, "umask").strip(), self.read(s, "pwd").strip()))

    def test_the_projects_folder_is_the_working_directory_by_default(self):
        s = self.record()
        self.assertEqual((s.dir, "0022"), (self.read(s, "pwd").strip(), self.read(s, "umask").strip()))

    def test_limits_are_as_set_and_else_the_daemons(self):
        s = self.record(table='[jobs.web.limits]\nopen_files = 77\ncore = "0B"\nfsize = "5MiB"\nnice = 7\n'
                              'oom_score_adjust = 500\n')
        limits = {line[:25].strip(): line[25:].split()[:2] for line in self.read(s, "limits").splitlines()}
        self.assertEqual(["77", "77"], limits["Max open files"])
        self.assertEqual(["0", "0"], limits["Max core file size"])
        self.assertEqual(["5242880", "5242880"], limits["Max file size"])
        self.assertEqual(str(resource.getrlimit(resource.RLIMIT_NPROC)[0]).replace("-1", "unlimited"),
                         limits["Max processes"][0])
        fields = self.read(s, "stat")
        self.assertEqual("7", fields[fields.rindex(")"):].split()[17])

    def test_the_daemons_nice_value_is_inherited(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\n[jobs.own]\ncommand = ["sleep", "1000"]\n'
                           'limits.nice = 3\n', prefix=["nice", "-n", "5"])
        s.settle()
        nice_of = lambda pid: os.getpriority(os.PRIO_PROCESS, pid)
        self.assertEqual([5, 5, 3], [nice_of(pid) for pid in (s.process.pid, s.pid_of("web"), s.pid_of("own"))])

    def test_the_daemons_real_time_priority_is_not_inherited(self):
        permitted = subprocess.run(["chrt", "-r", "1", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\n')
        s.settle()
        self.assertEqual(permitted, s.ctl("daemon", "status", "--json").json["realtime"])
        self.assertEqual(os.SCHED_RR if permitted else os.SCHED_OTHER, os.sched_getscheduler(s.process.pid))
        self.assertEqual(os.SCHED_OTHER, os.sched_getscheduler(s.pid_of("web")))
        # Nor what comes with it: timers that are never put together with others.
        with open("/proc/self/timerslack_ns", encoding="utf-8") as usual:
            self.assertEqual(usual.read(), s.ctl("exec", "web", "--", "cat", "/proc/self/timerslack_ns").out)

    @unittest.skipUnless(ROOT, "only root becomes somebody else")
    def test_user_and_group_are_dropped_completely(self):
        s = self.record('user = "nobody"\ngroups = ["daemon"]\n')
        status, entry = self.status(s), pwd.getpwnam("nobody")
        self.assertEqual([str(entry.pw_uid)] * 4, status["Uid"].split())
        self.assertEqual([str(entry.pw_gid)] * 4, status["Gid"].split())
        self.assertEqual(["1"], status["Groups"].split())
        self.assertEqual("0000000000000000", status["CapEff"])
        self.assertEqual("0000000000000000", status["CapPrm"])
        env = self.environment(s)
        self.assertEqual(("nobody", "nobody", entry.pw_dir, entry.pw_shell),
                         (env["USER"], env["LOGNAME"], env["HOME"], env["SHELL"]))

    @unittest.skipIf(ROOT, "root may become anybody")
    def test_a_user_cannot_be_changed_without_root(self):
        s = self.prepare('[jobs.web]\ncommand = "x"\nuser = "root"\n').launch()
        self.assertEqual(6, s.wait_end())

    def test_instances_have_names_numbers_and_ports(self):
        s = self.prepare('[jobs.web]\nshell = "echo ${job:instance} ${job:index} ${job:port} $PROCSUPD_INDEX; '
                         'exec sleep 1000"\ninstances = 3\nport_base = 8000\n[jobs.web.log]\nstdout = "@DIR@/out"\n')
        out = s.fifo("out")
        s.start()
        self.assertEqual(["web@0 0 8000 0", "web@1 1 8001 1", "web@2 2 8002 2"], sorted(out.next() for _ in range(3)))
        self.assertEqual(["web@0", "web@1", "web@2"], sorted(s.instances("web")))
        s.ctl("stop", "web@1")
        self.assertEqual(["running", "stopped", "running"], [i["state"] for _, i in sorted(s.instances().items())])
        s.ctl("is-active", "web", expect=3)
        s.ctl("is-active", "web@0", "web@2")

    def test_named_instances_are_called_by_their_names(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\ninstances = ["eu", "us"]\n')
        self.assertEqual(["web@eu", "web@us"], sorted(s.instances()))
        s.ctl("stop", "web@e*")
        self.assertEqual(("stopped", "running"), (s.instance("web@eu")["state"], s.instance("web@us")["state"]))

    def test_output_is_appended_to_a_file_and_input_comes_from_one(self):
        s = self.prepare('[jobs.web]\nshell = "cat; echo error >&2"\ntype = "oneshot"\n[jobs.web.log]\n'
                         'stdin = "@DIR@/in"\nstdout = "@DIR@/${job:name}.out"\nstderr = "@DIR@/err"\n')
        s.write("in", "from a file\n")
        s.write("web.out", "there before\n")
        s.start()
        s.ctl("wait", "web")
        self.assertEqual("there before\nfrom a file\n", self.file(s, "web.out"))
        self.assertEqual("error\n", self.file(s, "err"))

    def test_a_command_is_not_seen_by_a_shell(self):
        s = self.prepare('[jobs.web]\ncommand = ["echo", "a  b", "$HOME", ";", "*"]\ntype = "oneshot"\n'
                         '[jobs.split]\ncommand = "echo \'a  b\' \'$HOME\' c\\\\ d"\ntype = "oneshot"\n'
                         '[defaults.log]\nstdout = "@DIR@/out"\n')
        out = s.fifo("out")
        s.start()
        s.ctl("wait", "web", "split")
        self.assertEqual(["a  b $HOME ; *", "a  b $HOME c d"], sorted([out.next(), out.next()]))


class Daemon(IntegrationTest):
    def test_it_starts_without_descriptors_0_to_2(self):
        s = self.prepare('[jobs.web]\nshell = "echo to nobody; echo up > @DIR@/out; exec sleep 1000"\n'
                         '[jobs.web.log]\nstdout = "inherit"\nstderr = "inherit"\n')
        out = s.fifo("out")
        s.popen_arguments = {"preexec_fn": lambda: os.closerange(0, 3)}
        s.start()
        self.assertEqual("up", out.next())
        for fd in range(3):
            self.assertEqual("/dev/null", os.readlink(f"/proc/{s.pid_of('web')}/fd/{fd}"))
            self.assertEqual("/dev/null", os.readlink(f"/proc/{s.process.pid}/fd/{fd}"))

    def test_sigterm_ends_every_job(self):
        s = self.supervise('[jobs.a]\nshell = "sleep 1000 & sleep 1000; wait"\n[jobs.b]\ncommand = ["sleep", "1000"]\n')
        below = descendants(s.process.pid)
        self.assertGreaterEqual(len(below), 2)
        s.process.terminate()
        self.assertEqual(0, s.wait_end())
        for pid in below:
            self.assertTrue(wait_gone(pid, 0), below[pid])

    def test_a_second_sigterm_kills_what_remains(self):
        s = self.prepare('[jobs.deaf]\nshell = "trap \'\' TERM; echo deaf; while :; do sleep 1000; done"\n'
                         'stop_timeout = "10min"\n[jobs.deaf.log]\nstdout = "@DIR@/out"\n')
        out = s.fifo("out")
        s.start()
        self.assertEqual("deaf", out.next())
        s.process.terminate()
        self.assertTrue(s.wait_notified("STOPPING=1"))
        s.process.terminate()
        self.assertEqual(0, s.wait_end())

    def test_sighup_reloads(self):
        s = self.supervise('[jobs.a]\ncommand = ["sleep", "1000"]\n')
        events = s.events()
        s.configure('[jobs.b]\ncommand = ["sleep", "1000"]\n')
        s.process.send_signal(signal.SIGHUP)
        self.assertTrue(s.wait_notified("RELOADING=1"))
        self.assertTrue(s.wait_notified("READY=1"))
        pending = {("a", "stopped"), ("b", "running")}
        while pending:
            event = events.next()
            pending.discard((event["name"], event["to"]))
        s.ctl("wait", "--for=stopped", "a", expect=5)

    def test_orphans_are_collected_and_no_zombie_is_left(self):
        s = self.supervise('[jobs.storm]\ntype = "oneshot"\nshell = "i=0; while [ $i -lt 500 ]; do '
                           '(setsid sh -c \'true &\' &); i=$((i+1)); done"\n')
        s.ctl("wait", "storm")
        deadline = Deadline()
        pidfd = os.pidfd_open(s.process.pid)
        while below := s.job_processes():
            self.assertGreater(deadline.left(), 0, f"{len(below)} are left: {below[:5]}")
            deadline.readable(pidfd, pause=0.02)
        os.close(pidfd)
        self.assertGreaterEqual(s.daemon()["orphans_reaped"], 500)

    def test_help_version_and_usage_errors(self):
        for option, code in (("--help", 0), ("--version", 0), ("--print-schema", 0), ("--verzion", 2), ("extra", 2)):
            with self.subTest(option):
                done = subprocess.run([PROCSUPD, option], capture_output=True, text=True, check=False)
                self.assertEqual(code, done.returncode)
                self.assertTrue(done.stderr if code else done.stdout)
        done = subprocess.run([PROCSUPD, "--verzion"], capture_output=True, text=True, check=False)
        self.assertIn("did you mean 'version'", done.stderr)


if __name__ == "__main__":
    unittest.main()
