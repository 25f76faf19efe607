"""[sandbox]: what a job can change of the file system, and what it sees of it, by mounts of its own."""
import os
import subprocess
import unittest

import fuse
from harness import ROOT
from processes import SCALE, free_port
from sandboxed import CHANGES, SandboxTest

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/sandbox.toml")
SRV = 'read_only_paths = ["@/srv"]'
DATA = SRV + '\nread_write_paths = ["@/srv/data"]'
IN_DATA = tuple(change.replace("/srv/", "/srv/data/") for change in CHANGES)
NO_CAPABILITIES = "capabilities = []\nno_new_privileges = true\n"


def mounts_of(pid):
    return os.readlink(f"/proc/{pid}/ns/mnt")


def without(*capabilities):
    lists = ",".join(f"-{name}" for name in capabilities)
    return ["setpriv", "--bounding-set", lists, "--inh-caps", lists, "--"]


@unittest.skipUnless(ROOT, "only root gives mounts of their own to jobs")
class ReadOnly(SandboxTest):
    def test_nothing_below_changes(self):
        s = self.held(SRV, *CHANGES, *IN_DATA, "chmod 700 @/srv/kept", "chown 1 @/srv/kept", "touch @/srv/kept")
        self.assertEqual({"kept", "data"}, set(os.listdir(s.path("srv"))))
        with open(s.path("srv/kept"), encoding="utf-8") as file:
            self.assertEqual("kept\n", file.read())

    def test_the_same_of_a_job_without_a_sandbox_changes(self):
        # Each on its own file, as some take away what others need.
        self.free("", *(change for change in CHANGES if "rm " not in change and "mv " not in change))

    def test_exceptions_stay_writable_and_have_exceptions_in_their_turn(self):
        sandbox = DATA + '\n'
        conf = [change.replace("/srv/", "/srv/data/conf/") for change in CHANGES]
        nested = ('read_only_paths = ["@/srv", "@/srv/data/conf"]\nread_write_paths = ["@/srv/data"]')
        self.held(nested, *CHANGES, *conf)
        for text in (sandbox, nested):
            self.free(text, "echo x > @/srv/data/new", "rm @/srv/data/kept", "mkdir @/srv/data/dir", "echo x > @/beside")

    def test_a_file_can_be_read_only_or_an_exception(self):
        refused, done, _ = self.attempt('read_only_paths = ["@/srv", "@/srv/data/kept"]\n'
                                        'read_write_paths = ["@/srv/data", "@/srv/kept"]',
                                        "echo x > @/srv/kept", "echo x > @/srv/data/kept", "rm @/srv/data/kept",
                                        "echo x > @/srv/data/new")
        self.assertEqual((["echo x > @/srv/data/kept", "rm @/srv/data/kept"],
                          ["echo x > @/srv/kept", "echo x > @/srv/data/new"]), (refused, done))

    def test_all_of_it_leaves_devices_pipes_and_sockets(self):
        self.held('read_only_paths = ["/"]', *CHANGES, "echo x > /dev/shm/procsup-test", "echo x > /var/tmp/procsup-test")
        self.free('read_only_paths = ["/"]\nread_write_paths = ["@/srv/data"]', "echo x > /dev/null",
                  "(echo x > /dev/stdout) | grep -qx x", "echo x > @/srv/data/new", "test -r /proc/self/status")

    def test_mounts_below_are_read_only_too_and_one_that_was_stays_so(self):
        script = ('mount -t tmpfs none "$0/srv/data" && mkdir "$0/srv/data/conf" && '
                  'mount -t tmpfs -o ro none "$0/srv/data/conf" && exec "$@"')
        for sandbox, refused, done in (
                (SRV, ["echo x > @/srv/data/new", "echo x > @/srv/data/conf/new"], []),
                (DATA, ["echo x > @/srv/data/conf/new"], ["echo x > @/srv/data/new"])):
            with self.subTest(sandbox):
                s = self.prepare()
                s.prefix = ["unshare", "--mount", "sh", "-c", script, s.dir]
                result = self.attempt(sandbox, "echo x > @/srv/data/new", "echo x > @/srv/data/conf/new", s=s)
                self.assertEqual((refused, done), result[:2])

    def test_what_the_host_has_stays_as_it_is(self):
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            before = file.read()
        s = self.runs(SRV)
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            self.assertEqual(before, file.read())
        s.write("srv/new", "")
        self.assertEqual(mounts_of(os.getpid()), mounts_of(s.process.pid))
        self.assertNotEqual(mounts_of(os.getpid()), mounts_of(s.pid_of("web")))

    def test_a_job_that_asks_for_nothing_has_procsupds_mounts(self):
        s = self.runs("")
        self.assertEqual(mounts_of(os.getpid()), mounts_of(s.pid_of("web")))

    def test_a_path_that_is_not_there_is_an_error_unless_it_may_be(self):
        self.assertEqual("cannot make @/nope read-only: No such file or directory",
                         self.cause('read_only_paths = ["@/nope"]'))
        self.assertEqual("cannot keep @/srv/nope writable: No such file or directory",
                         self.cause('read_only_paths = ["@/srv"]\nread_write_paths = ["@/srv/nope"]'))
        self.runs('read_only_paths = ["-@/nope", "@/srv"]\nread_write_paths = ["-@/srv/nope/x"]')

    def test_an_exception_that_is_a_link_is_an_error(self):
        s = self.prepare()
        os.symlink("/etc", s.path("srv/link"))
        self.assertEqual("cannot keep @/srv/link/x writable: it is, or is below, a symbolic link: write the path that this "
                         "leads to", self.cause('read_only_paths = ["@/srv"]\nread_write_paths = ["@/srv/link/x"]', s=s))

    def test_where_output_goes_is_opened_inside(self):
        self.assertIn("cannot open stdout @/srv/log: Read-only file system",
                      self.cause('read_only_paths = ["@/srv"]', 'log.stdout = "@/srv/log"'))

    def test_directories_made_for_the_job_are_exceptions(self):
        s = self.runs('read_only_paths = ["/"]', 'runtime_dirs = ["procsup-sandbox-test"]\nuser = "nobody"',
                      "echo x > $RUNTIME_DIRECTORY/file && exec sleep 1000")
        self.await_true("it has written", lambda: os.path.exists("/run/procsup-sandbox-test/file"))
        s.ctl("stop", "web")
        self.await_true("it is removed", lambda: not os.path.exists("/run/procsup-sandbox-test"))


@unittest.skipUnless(ROOT, "only root gives mounts of their own to jobs")
class InKeepers(ReadOnly):
    options = ("--containment=keeper",)


@unittest.skipUnless(ROOT, "only root gives mounts of their own to jobs")
class PrivateTmp(SandboxTest):
    def test_is_empty_and_everybodys_and_nobody_else_sees_it(self):
        self.free("private_tmp = true", 'test "$(stat -c %a /tmp /var/tmp | uniq)" = 1777',
                  "ls -A /var/tmp | wc -l | grep -qx 0", "echo x > /tmp/procsup-private", "echo x > /var/tmp/procsup-private",
                  job='user = "nobody"')
        self.assertFalse(os.path.exists("/tmp/procsup-private") or os.path.exists("/var/tmp/procsup-private"))

    def test_of_each_instance_and_run_is_its_own(self):
        s = self.runs("private_tmp = true", "instances = 2", "mkdir /tmp/taken && exec sleep 1000")
        pids = [s.pid_of(f"web@{i}") for i in range(2)]
        self.assertEqual(3, len({mounts_of(pid) for pid in pids} | {mounts_of(os.getpid())}))
        s.ctl("restart", "web")
        for i in range(2):
            self.assertEqual("running", s.instance(f"web@{i}")["state"])
            self.assertEqual(["taken"], [n for n in os.listdir(f"/proc/{s.pid_of(f'web@{i}')}/root/tmp") if n == "taken"])

    def test_of_a_stop_command_is_that_of_the_run_and_of_exec_another(self):
        for mode in ("auto", "keeper"):
            with self.subTest(mode):
                s = self.prepare(options=(f"--containment={mode}",))
                told = s.fifo("told")
                s.configure('[jobs.web]\nworking_dir = "/"\ncommand = ["sh", "-c", "echo of the run > /tmp/mark; exec sleep 1000"]\n'
                            'stop_command = ["sh", "-c", "cat /tmp/mark > @DIR@/run/told; kill $PROCSUPD_MAIN_PID"]\n'
                            '[jobs.web.sandbox]\nprivate_tmp = true\n')
                os.makedirs(s.runtime, exist_ok=True)
                s.start().settle()
                os.link(told.path, s.path("run/told"))
                self.await_true("it has written", lambda: os.path.exists(f"/proc/{s.pid_of('web')}/root/tmp/mark"))
                self.assertNotEqual(0, s.run("exec", "web", "--", "cat", "/tmp/mark").code)
                s.ctl("stop", "web")
                self.assertEqual("of the run", told.next())

    def test_leaves_credentials_and_the_control_socket_in_their_places(self):
        s = self.prepare()
        s.write("key", "secret")
        s.configure('[jobs.web]\nworking_dir = "/"\ncommand = ["sh", "-c", "cat $CREDENTIALS_DIRECTORY/key > /tmp/seen; '
                    'test -S $PROCSUPD_SOCKET && echo reached > /var/tmp/socket; exec sleep 1000"]\n'
                    'user = "nobody"\n[jobs.web.credentials]\nkey = "@DIR@/key"\n[jobs.web.sandbox]\nprivate_tmp = true\n')
        s.start().settle()
        root = f"/proc/{s.pid_of('web')}/root"
        self.await_true("it has looked", lambda: os.path.exists(root + "/var/tmp/socket"))
        with open(root + "/tmp/seen", encoding="utf-8") as file:
            self.assertEqual("secret", file.read())

    def test_goes_with_all_that_is_read_only(self):
        self.free('private_tmp = true\nread_only_paths = ["/"]', "echo x > /tmp/x", "echo x > /var/tmp/x",
                  "mv /tmp/x /tmp/y", job='user = "nobody"')

    def test_what_cannot_be_seen_in_it_is_an_error_at_load(self):
        s = self.prepare('[jobs.web]\ncommand = ["sleep", "1"]\nsandbox.private_tmp = true\n')
        self.assertIn("'working_dir' '" + s.dir + "' cannot be seen by the job", s.run("check", s.config).err)


@unittest.skipUnless(ROOT, "only root gives mounts of their own to jobs")
class Hostile(SandboxTest):
    ESCAPES = ("mount -o remount,rw,bind @/srv", "umount @/srv", "umount -l @/srv", "unshare --mount true",
               "mount --bind /etc @/srv", "echo x > /proc/1/root@/srv/new", "nsenter -t 1 -m true",
               "ln @/srv/kept @/open/linked && echo x > @/open/linked",
               "mv @/srv/data @/open/moved", "mv @/srv @/moved")

    def test_root_without_capabilities_gets_nowhere(self):
        self.held_with(NO_CAPABILITIES)

    def test_an_ordinary_user_gets_nowhere(self):
        self.held_with("", job='user = "nobody"')

    def held_with(self, rights, **arguments):
        s = self.prepare()
        self.held(f'{SRV}\n{rights}', *self.ESCAPES, *CHANGES, s=s, **arguments)
        self.assertEqual({"kept", "data"}, set(os.listdir(s.path("srv"))))

    def test_what_is_root_in_a_user_namespace_of_its_own_gets_nowhere_either(self):
        within = lambda text: f"unshare --user --map-root-user --mount sh -c '{text}'"
        self.held(SRV, within("mount -o remount,rw,bind @/srv"), within("umount @/srv"),
                  within("umount -l @/srv"), within("mount -o remount,rw @/srv; echo x > @/srv/new"),
                  job='user = "nobody"')

    def test_a_stop_command_does_not_follow_into_such_a_namespace(self):
        s = self.prepare()
        told = s.fifo("told")
        s.configure('[jobs.web]\nworking_dir = "/"\nuser = "nobody"\n'
                    'command = ["unshare", "--user", "--map-root-user", "--mount", "sleep", "1000"]\n'
                    'stop_command = ["sh", "-c", "readlink /proc/self/ns/mnt > @DIR@/run/told; kill $PROCSUPD_MAIN_PID"]\n'
                    '[jobs.web.sandbox]\nprivate_tmp = true\n')
        s.start().settle()
        os.link(told.path, s.path("run/told"))
        pid = s.pid_of("web")
        self.await_true("it is in a namespace of its own", lambda: os.readlink(f"/proc/{pid}/exe").endswith("/sleep"))
        self.assertNotEqual(os.readlink("/proc/self/ns/user"), os.readlink(f"/proc/{pid}/ns/user"))
        theirs = mounts_of(pid)
        s.ctl("stop", "web")
        self.assertNotIn(told.next(), (theirs, mounts_of(os.getpid())))

    def test_root_with_all_capabilities_can_undo_it_as_the_manual_says(self):
        self.free(SRV, "mount -o remount,rw,bind @/srv && echo x > @/srv/new")


@unittest.skipUnless(ROOT, "only root loses what it has")
class Shortfalls(SandboxTest):
    """Of a root that may not make mounts, as in many containers."""

    LACKS = "procsupd lacks CAP_SYS_ADMIN, which mounts of its own need"

    def test_is_told_once_and_shown_and_the_job_runs(self):
        s = self.runs("private_tmp = true", 'restart = "always"', prefix=without("sys_admin"))
        s.ctl("restart", "web")
        told = f"cannot enforce sandbox.private_tmp = true: {self.LACKS}; it runs without that"
        self.assertEqual(1, s.log_text().count(told))
        self.assertEqual(mounts_of(s.process.pid), mounts_of(s.pid_of("web")))
        self.assertIn("sandbox.private_tmp", s.ctl("status", "web").out + s.ctl("show", "web").out)

    def test_a_strict_job_is_not_started(self):
        self.assertEqual(f"cannot enforce sandbox.private_tmp = true: {self.LACKS}",
                         self.cause("private_tmp = true\nstrict = true", prefix=without("sys_admin")))

    def test_check_says_it_beforehand(self):
        for strict, code in (("", 0), ("strict = true\n", 6)):
            with self.subTest(strict):
                s = self.prepare(prefix=without("sys_admin"))
                s.configure('[jobs.other]\ncommand = ["sleep", "1000"]\n')
                s.start()
                s.configure('[jobs.web]\ncommand = ["sleep", "1000"]\nworking_dir = "/"\n[jobs.web.sandbox]\n'
                            f'{strict}private_tmp = true\n')
                said = s.ctl("check", "--here", s.config, expect=code)
                self.assertIn(f"job 'web': cannot enforce sandbox.private_tmp = true: {self.LACKS}", said.out + said.err)

    def test_a_container_that_refuses_them_is_found_out(self):
        prefix = ["unshare", "--user", "--map-root-user", "sh", "-c",
                  'echo 0 > /proc/sys/user/max_mnt_namespaces; exec "$@"', "sh"]
        self.assertEqual("cannot enforce sandbox.private_tmp = true: mounts of its own are refused here (No space left on "
                         "device)", self.cause("private_tmp = true\nstrict = true", prefix=prefix))

    def test_root_of_a_user_namespace_has_mounts_to_give(self):
        prefix = ["unshare", "--user", "--map-root-user", "--mount", "--"]
        s = self.runs("private_tmp = true\nstrict = true\nread_only_paths = [\"/usr\"]", prefix=prefix)
        self.assertNotEqual(mounts_of(s.process.pid), mounts_of(s.pid_of("web")))

    def test_what_all_of_it_being_read_only_needs_is_had_from_landlock(self):
        s = self.runs('read_only_paths = ["/"]', prefix=without("sys_admin"))
        self.assertTrue(s.ctl("show", "web", "--json").json["settings"]["no_new_privileges"])


@unittest.skipUnless(fuse.available(), "needs root and /dev/fuse")
class HungFiles(SandboxTest):
    def test_a_path_that_hangs_holds_up_nobody_but_its_job(self):
        s = self.prepare('[jobs.other]\ncommand = ["sleep", "1000"]\n[jobs.hung]\ncommand = ["sleep", "1000"]\n'
                         'enabled = false\nrestart = "no"\nstart_timeout = "300ms"\n[jobs.hung.sandbox]\n'
                         'read_only_paths = ["@DIR@/mount/x"]\n')
        os.mkdir(s.path("mount"))
        s.start().settle()
        mount = fuse.SilentMount(s.path("mount"))
        self.addCleanup(mount.close)
        self.assertIn("start_timeout", s.ctl("start", "hung", expect=1).err)
        s.ctl("restart", "other", f"--timeout={int(5000 * SCALE)}ms")
        self.assertEqual("failed", s.instance("hung")["state"])


@unittest.skipUnless(ROOT, "the example is for root")
class Example(SandboxTest):
    def test_redis_has_its_data_and_nothing_else_to_write_to(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            example = file.read()
        s = self.prepare()
        os.mkdir(s.path("jobs.d"))
        port = free_port()
        self.addCleanup(subprocess.run, ["rm", "-rf", "/var/lib/shop-redis"], check=True)
        s.write("jobs.d/redis.toml", example.replace("6390", str(port)))
        s.config = s.path("jobs.d")
        s.start().settle()
        redis = ["redis-cli", "-p", str(port)]
        self.await_true("it answers", lambda: subprocess.run([*redis, "ping"], capture_output=True).stdout == b"PONG\n")
        say = lambda *words: subprocess.run([*redis, *words], check=True, capture_output=True, text=True).stdout
        self.assertEqual("OK\n", say("set", "a", "1"))
        self.assertEqual("OK\n", say("save"))
        self.assertTrue(os.path.exists("/var/lib/shop-redis/dump.rdb"))
        s.ctl("stop", "redis")
        self.assertEqual("stopped", s.instance("redis")["state"])
        why = s.ctl("why", "redis", "--json", expect=3).json
        # Redis may have ended before the stop_command that asked it to, or after it.
        run = next(change["run"] for change in why["history"] if "run" in change)
        self.assertEqual((0, None), (run["exit_code"], run["exit_signal"]))
        self.assertTrue(any("running stop_command" in change["cause"] for change in why["history"]), why)
        s.ctl("start", "redis")
        self.await_true("it answers again", lambda: say("get", "a") == "1\n")


if __name__ == "__main__":
    unittest.main()
