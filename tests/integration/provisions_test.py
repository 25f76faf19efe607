"""What is laid out for jobs before they run: credentials and directories. And that it goes again."""
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import unittest

import fuse
from harness import ROOT, IntegrationTest
from processes import wait_gone

EXAMPLES = os.path.join(os.path.dirname(__file__), "../../conf/examples")
SECRET = "not for everyone"
NOBODY = pwd.getpwnam("nobody").pw_uid
WAIT = 'command = ["sleep", "1000"]\n'


class Provisions(IntegrationTest):
    def credentials(self, s, *parts):
        return s.path("run", "credentials", *parts)

    def provided(self, config, **arguments):
        """A procsupd beside a file with a secret, that only its own user may read."""
        s = self.prepare(config, **arguments)
        s.write("key", SECRET, 0o600)
        return s

    def failed(self, s, text):
        s.start().settle()
        self.assertEqual("failed", s.instance("web")["state"])
        self.assertIn(text, s.ctl("why", "web", expect=3).out)
        self.await_true("nothing runs", lambda: not s.job_processes())

    def gone(self, path):
        self.await_true(f"{path} is removed", lambda: not os.path.lexists(path))

    def environment(self, s, name="web"):
        with open(f"/proc/{s.pid_of(name)}/environ", encoding="utf-8") as file:
            return dict(line.split("=", 1) for line in file.read().split("\0") if line)


class Credentials(Provisions):
    KEY = '[jobs.web.credentials]\nkey = "@DIR@/key"\n'

    def test_the_job_reads_them_and_finds_them_by_placeholder(self):
        user = 'user = "nobody"\n' if ROOT else ""
        s = self.provided("[jobs.web]\nshell = '''cat $CREDENTIALS_DIRECTORY/key; echo; cat $KEY; echo; echo ${cred:key}; "
                          "exec sleep 1000'''\n" + user + '[jobs.web.env]\nKEY = "${cred:key}"\n[jobs.web.log]\n'
                          'stdout = "@DIR@/out"\n' + self.KEY)
        out = s.fifo("out")
        s.start().settle()
        path = self.credentials(s, "web", "key")
        self.assertEqual([SECRET, SECRET, path], [out.next(), out.next(), out.next()])
        status = os.stat(path)
        self.assertEqual((0o400, NOBODY if ROOT else os.getuid()), (stat.S_IMODE(status.st_mode), status.st_uid))
        self.assertEqual(0o551, stat.S_IMODE(os.stat(self.credentials(s, "web")).st_mode))
        s.ctl("stop", "web")
        self.gone(self.credentials(s, "web"))

    @unittest.skipUnless(ROOT, "only root runs jobs as others")
    def test_another_user_cannot_read_them_nor_see_whose_there_are(self):
        s = self.provided(f"[jobs.web]\n{WAIT}user = 'nobody'\n" + self.KEY).start().settle()
        path = self.credentials(s, "web", "key")

        def refused(*command):
            done = subprocess.run(["setpriv", "--reuid=1", "--regid=1", "--clear-groups", *command], check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertNotEqual(0, done.returncode, command)
            self.assertNotIn(SECRET.encode(), done.stdout)

        refused("cat", path)
        refused("ls", os.path.dirname(path))
        refused("ls", self.credentials(s))
        own = subprocess.run(["setpriv", f"--reuid={NOBODY}", "--regid=1", "--clear-groups", "cat", path], check=True,
                             stdout=subprocess.PIPE)
        self.assertEqual(SECRET.encode(), own.stdout)

    def test_the_secret_is_told_nowhere(self):
        s = self.provided("[jobs.web]\n" + WAIT + self.KEY).start().settle()
        events = s.events()
        s.ctl("restart", "web")
        said = "".join(s.ctl(*words).out for words in (
            ("show", "web"), ("show", "web", "--json"), ("cat", "web"), ("status", "--json"), ("why", "web"),
            ("tree", "web"), ("logs", "web")))
        events.until("web", "running")
        said += str(events.seen) + str(self.environment(s)) + s.log_text()
        self.assertNotIn(SECRET, said)
        self.assertIn(s.path("key"), said)

    def test_each_run_gets_what_the_source_has_then(self):
        s = self.provided("[jobs.web]\n" + WAIT + self.KEY).start().settle()
        s.write("key", "another", 0o600)
        with open(self.credentials(s, "web", "key"), encoding="utf-8") as file:
            self.assertEqual(SECRET, file.read())
        s.ctl("restart", "web")
        with open(self.credentials(s, "web", "key"), encoding="utf-8") as file:
            self.assertEqual("another", file.read())

    def test_instances_have_their_own(self):
        s = self.prepare("[jobs.web]\n" + WAIT + 'instances = ["eu", "us"]\n[jobs.web.credentials]\n'
                         'key = "@DIR@/${job:instance}.key"\n')
        s.write("web@eu.key", "eu")
        s.write("web@us.key", "us")
        s.start().settle()
        for name in ("eu", "us"):
            with open(self.credentials(s, f"web@{name}", "key"), encoding="utf-8") as file:
                self.assertEqual(name, file.read())
        s.ctl("stop", "web@eu")
        self.gone(self.credentials(s, "web@eu"))
        self.assertTrue(os.path.exists(self.credentials(s, "web@us", "key")))

    def test_one_that_cannot_be_read_keeps_the_job_from_running(self):
        s = self.prepare("[jobs.web]\n" + WAIT + 'restart = "no"\n' + self.KEY)
        self.failed(s, f"cannot read credential 'key' from {s.path('key')}: No such file or directory")
        s.write("key", "x" * (1 << 20) + "y")
        s.ctl("start", "web", expect=1)
        self.assertIn("it has more than 1 MiB", s.ctl("why", "web", expect=3).out)
        s.write("key", SECRET)
        s.ctl("start", "web")
        self.assertTrue(os.path.exists(self.credentials(s, "web", "key")))

    @unittest.skipUnless(fuse.available(), "needs root and /dev/fuse")
    def test_a_stop_while_a_source_hangs_ends_that(self):
        s, mount = self.beside_a_silent_mount()
        events = s.events("web")
        s.ctl("start", "--no-wait", "web")
        events.until("web", "starting")
        mount.take()
        s.ctl("start", "other")
        s.ctl("stop", "web")
        self.assertEqual("stopped", s.instance("web")["state"])
        self.assertIn("cancelled before its directories, credentials and sockets were laid out", s.instance("web")["cause"])
        mount.close()
        s.write("mount/key", SECRET)
        s.ctl("start", "web")
        self.assertTrue(os.path.exists(self.credentials(s, "web", "key")))

    @unittest.skipUnless(fuse.available(), "needs root and /dev/fuse")
    def test_many_sources_that_hang_keep_no_other_job_from_starting(self):
        s = self.provided('[jobs.hung]\ninstances = 40\nenabled = false\n' + WAIT + '[jobs.hung.credentials]\nkey = "@DIR@/mount/key"\n'
                          '[jobs.web]\nenabled = false\n' + WAIT + self.KEY)
        os.mkdir(s.path("mount"))
        s.start()
        mount = fuse.SilentMount(s.path("mount"))
        self.addCleanup(mount.close)
        s.ctl("start", "hung", "--no-wait")
        s.ctl("start", "web")
        self.assertEqual({"starting"}, {one["state"] for one in s.instances("hung").values()})
        s.ctl("stop", "hung")
        s.ctl("stop", "web")
        self.await_true("all credentials are gone", lambda: os.listdir(self.credentials(s)) == [])

    def test_start_timeout_covers_it(self):
        s, _ = self.beside_a_silent_mount('start_timeout = "200ms"\n')
        s.ctl("start", "web", expect=1)
        self.assertIn("start_timeout passed, cancelled before its directories, credentials and sockets were laid out",
                      s.instance("web")["cause"])
        s.ctl("ping")

    def beside_a_silent_mount(self, more=""):
        s = self.prepare("[jobs.web]\n" + WAIT + 'enabled = false\nrestart = "no"\n' + more +
                         '[jobs.web.credentials]\nkey = "@DIR@/mount/key"\n[jobs.other]\nenabled = false\n' + WAIT)
        os.mkdir(s.path("mount"))
        s.start()
        mount = fuse.SilentMount(s.path("mount"))
        self.addCleanup(mount.close)
        return s, mount

    def test_they_are_gone_after_a_kill_of_procsupd_and_a_new_start(self):
        s = self.provided("[jobs.web]\n" + WAIT + self.KEY + "[jobs.other]\n" + WAIT).start().settle()
        pid = s.pid_of("web")
        s.process.kill()
        s.wait_end()
        self.assertTrue(os.path.exists(self.credentials(s, "web", "key")))
        s.configure("[jobs.other]\n" + WAIT)
        s.start().settle()
        self.assertTrue(wait_gone(pid))
        self.gone(self.credentials(s, "web"))

    def test_none_is_left_when_procsupd_has_ended(self):
        s = self.provided("[jobs.web]\n" + WAIT + "instances = 3\n" + self.KEY).start().settle()
        s.process.terminate()
        self.assertEqual(0, s.wait_end())
        self.assertEqual([], os.listdir(self.credentials(s)))

    def test_the_stop_command_still_has_them(self):
        s = self.provided("[jobs.web]\n" + WAIT + 'stop_command = ["sh", "-c", "cat ${cred:key} > @DIR@/out; echo > '
                          '@DIR@/out; kill $PROCSUPD_MAIN_PID"]\n' + self.KEY)
        out = s.fifo("out")
        s.start().settle()
        s.ctl("stop", "web")
        self.assertEqual(SECRET, out.next())
        self.gone(self.credentials(s, "web"))

    def test_a_command_of_exec_has_its_own(self):
        s = self.provided("[jobs.web]\n" + WAIT + self.KEY).start().settle()
        told = s.ctl("exec", "web", "--", "sh", "-c", "echo $CREDENTIALS_DIRECTORY; cat $CREDENTIALS_DIRECTORY/key").out
        path, _, text = told.partition("\n")
        self.assertEqual(SECRET, text)
        self.assertEqual(self.credentials(s), os.path.dirname(path))
        self.gone(path)
        self.assertTrue(os.path.exists(self.credentials(s, "web", "key")))

    def test_the_example_serves_what_it_read_from_its_credential(self):
        with open(os.path.join(EXAMPLES, "credentials.toml"), encoding="utf-8") as file:
            example = file.read()
        s = self.prepare()
        os.mkdir(s.path("jobs.d"))
        s.write("token", SECRET, 0o600)
        if not ROOT:
            example = example.replace('user = "nobody"\n', "")
        s.write("jobs.d/web.toml", example.replace("/etc/shop/token", s.path("token")).replace("shop", "shop-" + os.path.basename(s.dir)))
        s.config = s.path("jobs.d")
        if not ROOT:
            os.mkdir(s.path("xdg"))
            s.env.update(XDG_RUNTIME_DIR=s.path("xdg"), XDG_STATE_HOME=s.path("xdg"))
        s.start().settle()
        s.ctl("is-active", "web")
        env = self.environment(s)
        self.addCleanup(shutil.rmtree, env["STATE_DIRECTORY"], ignore_errors=True)
        self.await_true("it has read its token", lambda: os.path.exists(env["RUNTIME_DIRECTORY"] + "/seen"))
        with open(env["RUNTIME_DIRECTORY"] + "/seen", encoding="utf-8") as file:
            self.assertEqual(str(len(SECRET)), file.read().strip())
        s.ctl("stop", "web")
        self.gone(env["RUNTIME_DIRECTORY"])
        self.assertTrue(os.path.isdir(env["STATE_DIRECTORY"]))


@unittest.skipUnless(ROOT, "the directories of the system are root's")
class SystemDirectories(Provisions):
    def setUp(self):
        self.name = "psit-" + os.path.basename(tempfile.mktemp())
        for base in ("/run", "/var/lib", "/var/log"):
            self.addCleanup(shutil.rmtree, f"{base}/{self.name}", ignore_errors=True)

    def test_are_made_for_the_jobs_user_and_told_in_its_environment(self):
        n = self.name
        s = self.supervise(f"[jobs.web]\n{WAIT}user = 'nobody'\nruntime_dirs = ['{n}', '{n}/a']\nstate_dirs = ['{n}/s']\n"
                           f"log_dirs = ['{n}']\n")
        env = self.environment(s)
        self.assertEqual(f"/run/{n}:/run/{n}/a", env["RUNTIME_DIRECTORY"])
        self.assertEqual((f"/var/lib/{n}/s", f"/var/log/{n}"), (env["STATE_DIRECTORY"], env["LOGS_DIRECTORY"]))
        for path in (f"/run/{n}", f"/run/{n}/a", f"/var/lib/{n}/s", f"/var/log/{n}"):
            status = os.stat(path)
            self.assertEqual((NOBODY, 0o755), (status.st_uid, stat.S_IMODE(status.st_mode)), path)
        self.assertEqual(0, os.stat(f"/var/lib/{n}").st_uid)

    def test_runtime_ones_stay_over_a_restart_and_go_with_the_job(self):
        n = self.name
        s = self.supervise(f"[jobs.web]\n{WAIT}user = 'nobody'\nruntime_dirs = ['{n}']\nstate_dirs = ['{n}']\n")
        for base in ("/run", "/var/lib"):
            os.mkdir(f"{base}/{n}/sub")
            s.write(f"{base}/{n}/sub/file", "kept")
        os.symlink("/etc", f"/run/{n}/link")
        s.ctl("restart", "web")
        self.assertTrue(os.path.exists(f"/run/{n}/sub/file"))
        s.ctl("stop", "web")
        self.gone(f"/run/{n}")
        self.assertTrue(os.path.exists("/etc/passwd"))
        self.assertTrue(os.path.exists(f"/var/lib/{n}/sub/file"))
        s.ctl("start", "web")
        self.assertEqual(NOBODY, os.stat(f"/run/{n}").st_uid)

    def test_one_that_two_have_goes_with_the_last(self):
        s = self.supervise(f"[jobs.web]\n{WAIT}instances = 2\nruntime_dirs = ['{self.name}']\n")
        s.ctl("stop", "web@0")
        events = s.events()
        s.ctl("restart", "web@1")
        events.until("web@1", "running")
        self.assertTrue(os.path.isdir(f"/run/{self.name}"))
        s.ctl("stop", "web@1")
        self.gone(f"/run/{self.name}")

    def fill(self, files):
        for number in range(files):
            os.close(os.open(f"/run/{self.name}/{number}", os.O_CREAT | os.O_WRONLY))

    def given_after(self, names):
        """The job "next" is started while a helper is at work on what it shares with "full"."""
        s = self.prepare("".join(f"[jobs.{job}]\n{WAIT}enabled = false\nruntime_dirs = ['{name}']\n" for job, name in names.items()) +
                         f"[jobs.other]\n{WAIT}enabled = false\n[jobs.full.credentials]\nkey = '@DIR@/mount/key'\n")
        os.mkdir(s.path("mount"))
        s.start()
        mount = fuse.SilentMount(s.path("mount"))
        self.addCleanup(mount.close)
        s.ctl("start", "--no-wait", "full")
        mount.take()
        s.ctl("start", "--no-wait", "next")
        s.ctl("start", "other")
        self.assertEqual("starting", s.instance("next")["state"])
        mount.close()
        s.ctl("wait", "next")
        s.ctl("stop", "full")
        given = f"/run/{names['next']}"
        self.assertTrue(os.path.isdir(given))
        s.ctl("stop", "next")
        self.gone(given)

    @unittest.skipUnless(fuse.available(), "needs root and /dev/fuse")
    def test_a_start_waits_while_somebody_is_at_work_on_what_it_shares(self):
        self.given_after({"full": self.name, "next": self.name})

    @unittest.skipUnless(fuse.available(), "needs root and /dev/fuse")
    def test_a_start_waits_while_somebody_is_at_work_on_what_its_own_is_in(self):
        self.given_after({"full": self.name, "next": self.name + "/in"})

    def test_a_start_waits_for_the_removal_of_what_it_shares(self):
        s = self.supervise("".join(f"[jobs.{job}]\n{WAIT}enabled = false\nruntime_dirs = ['{self.name}']\n" for job in ("full", "next")))
        for _ in range(5):
            s.ctl("start", "full")
            self.fill(100)
            s.ctl("stop", "full")
            s.ctl("start", "next")
            os.close(os.open(f"/run/{self.name}/mine", os.O_CREAT | os.O_WRONLY))
            # A third one has its turn after any removal that is still at work.
            s.ctl("start", "full")
            s.ctl("stop", "full")
            self.assertTrue(os.path.exists(f"/run/{self.name}/mine"))
            s.ctl("stop", "next")
            self.gone(f"/run/{self.name}")

    def test_many_that_share_them_start_and_stop_at_once(self):
        n = self.name
        s = self.supervise(f"[jobs.web]\n{WAIT}instances = 12\nrestart = 'no'\nuser = 'nobody'\nruntime_dirs = ['{n}', '{n}/a']\n"
                           f"state_dirs = ['{n}/s']\nlog_dirs = ['{n}']\n")
        for _ in range(4):
            self.assertEqual({"running"}, {one["state"] for one in s.instances("web").values()})
            self.assertEqual(NOBODY, os.stat(f"/run/{n}/a").st_uid)
            s.ctl("stop", "web")
            s.ctl("start", "web")
        s.ctl("stop", "web")
        self.gone(f"/run/{n}")

    def test_one_of_somebody_else_is_neither_used_nor_removed(self):
        os.mkdir(f"/run/{self.name}")
        self.fill(1)
        s = self.prepare(f"[jobs.web]\n{WAIT}restart = 'no'\nruntime_dirs = ['{self.name}']\n")
        self.failed(s, f"cannot use directory /run/{self.name}: it is there already and procsupd has not made it; "
                    "remove it, or use another name")
        s.ctl("stop", "web")
        s.process.terminate()
        self.assertEqual(0, s.wait_end())
        self.assertTrue(os.path.exists(f"/run/{self.name}/0"))

    def test_what_somebody_else_puts_in_the_place_of_one_is_left_and_told(self):
        s = self.supervise(f"[jobs.web]\n{WAIT}runtime_dirs = ['{self.name}']\n")
        os.rmdir(f"/run/{self.name}")
        os.mkdir(f"/run/{self.name}")
        self.fill(1)
        s.ctl("stop", "web")
        self.await_true("it is told", lambda: f"cannot remove /run/{self.name}: somebody else has made it since" in s.log_text())
        self.assertTrue(os.path.exists(f"/run/{self.name}/0"))

    def test_what_a_killed_procsupd_has_left_is_taken_by_the_next(self):
        s = self.supervise(f"[jobs.web]\n{WAIT}user = 'nobody'\nruntime_dirs = ['{self.name}']\n")
        self.fill(1)
        pid = s.pid_of("web")
        s.process.kill()
        s.wait_end()
        s.start().settle()
        self.assertTrue(wait_gone(pid))
        self.assertEqual("running", s.instance("web")["state"])
        self.assertTrue(os.path.exists(f"/run/{self.name}/0"))
        s.ctl("stop", "web")
        self.gone(f"/run/{self.name}")

    def test_no_link_is_followed(self):
        os.symlink("/etc", f"/run/{self.name}")
        self.addCleanup(os.unlink, f"/run/{self.name}")
        self.failed(self.prepare(f"[jobs.web]\n{WAIT}restart = 'no'\nuser = 'nobody'\nruntime_dirs = ['{self.name}']\n"),
                    f"cannot use directory /run/{self.name}, which must be no link")
        self.assertEqual(0, os.stat("/etc").st_uid)

    def test_procsupds_own_are_no_jobs(self):
        os.mkdir(f"/run/{self.name}")
        s = self.prepare(f"[jobs.web]\n{WAIT}restart = 'no'\nuser = 'nobody'\nruntime_dirs = ['{self.name}']\n")
        s.runtime = f"/run/{self.name}/own"
        s.socket = s.runtime + "/io.procsupd"
        self.failed(s, f"cannot make directory /run/{self.name}: procsupd has it itself")


class UserDirectories(Provisions):
    def test_are_below_the_users_own(self):
        s = self.prepare(f"[jobs.web]\n{WAIT}runtime_dirs = ['shop']\nstate_dirs = ['shop']\nlog_dirs = ['shop']\n")
        xdg = {"XDG_RUNTIME_DIR": s.path("x"), "XDG_STATE_HOME": s.path("y")}
        os.mkdir(s.path("x"))
        s.env.update(xdg)
        if ROOT:
            entry = pwd.getpwnam("nobody")
            s.popen_arguments = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            for path in (s.dir, s.path("x")):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        s.start().settle()
        env = self.environment(s)
        self.assertEqual((s.path("x/shop"), s.path("y/shop"), s.path("y/log/shop")),
                         (env["RUNTIME_DIRECTORY"], env["STATE_DIRECTORY"], env["LOGS_DIRECTORY"]))
        for name in ("RUNTIME_DIRECTORY", "STATE_DIRECTORY", "LOGS_DIRECTORY"):
            self.assertTrue(os.path.isdir(env[name]), name)
        s.ctl("stop", "web")
        self.gone(env["RUNTIME_DIRECTORY"])


class Nothing(Provisions):
    def test_a_job_without_any_of_it_has_no_helper(self):
        s = self.supervise("[jobs.web]\n" + WAIT)
        self.assertFalse(os.path.exists(self.credentials(s)))
        self.assertNotIn("CREDENTIALS_DIRECTORY", self.environment(s))


if __name__ == "__main__":
    unittest.main()
