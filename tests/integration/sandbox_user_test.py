"""[sandbox] of an ordinary user's procsupd, which has Landlock and cannot make mounts."""
import json
import os
import pwd
import subprocess
import unittest

from harness import PROCSUPD, ROOT
from sandboxed import CHANGES, SandboxTest

ABILITIES = json.loads(subprocess.run([PROCSUPD, "--abilities"], check=True, capture_output=True).stdout)
LANDLOCK = ABILITIES["landlock"]
ALL = 'read_only_paths = ["/"]'
DATA = ALL + '\nread_write_paths = ["@/srv/data"]'
LACKS = "procsupd lacks CAP_SYS_ADMIN, which mounts of its own need"
INSTEAD = ('; Landlock, which does without, can only make everything read-only but for some directories: write '
           'read_only_paths = ["/"], and the others as read_write_paths')
TRUNCATION = "; Landlock, which does without, keeps nobody from truncate(2) before Linux 6.2"
# By truncate(2), without opening the file.
TRUNCATE = "perl -e 'truncate(shift, 0) or die' @/srv/kept"


class UserTest(SandboxTest):
    def prepare(self, config="", **arguments):
        if not ROOT:
            return super().prepare(config, **arguments)
        entry = pwd.getpwnam("nobody")
        s = super().prepare(config, user=entry.pw_uid, group=entry.pw_gid, extra_groups=[], **arguments)
        for directory, _, files in os.walk(s.dir):
            os.chown(directory, entry.pw_uid, entry.pw_gid)
            for name in files:
                os.chown(os.path.join(directory, name), entry.pw_uid, entry.pw_gid)
        return s


@unittest.skipIf(LANDLOCK < 2, "this kernel has no Landlock that does it")
class Landlock(UserTest):
    def test_nothing_changes_but_in_exceptions(self):
        # By truncate(1), which opens the file: as other writing.
        s = self.held(DATA, *CHANGES, "ln @/srv/data/kept @/srv/link", "mv @/srv/data/kept @/srv/moved",
                      "ln @/srv/kept @/srv/data/link", "mv @/srv/kept @/srv/data/moved", "echo x > @/open/new")
        self.assertEqual({"kept", "data"}, set(os.listdir(s.path("srv"))))
        self.free(DATA, *(change.replace("/srv/", "/srv/data/") for change in CHANGES if "rm " not in change and
                          "mv " not in change), "mv @/srv/data/conf/kept @/srv/data/moved")

    def test_what_is_read_only_can_be_read_and_executed(self):
        self.free(ALL, "test x$(cat @/srv/kept) = xkept", "ls /usr/bin > /dev/null", "test -x /bin/sh")

    def test_devices_and_pipes_can_be_written_to(self):
        self.free(ALL, "echo x > /dev/null", "head -c 1 /dev/zero > /dev/full || test $? != 0", "test -w /dev/null",
                  "(echo x > /dev/stdout) | grep -qx x")

    def test_a_file_can_be_an_exception(self):
        refused, done, _ = self.attempt(ALL + '\nread_write_paths = ["@/srv/kept"]', "echo x > @/srv/kept",
                                        "rm @/srv/kept", "echo x > @/srv/data/kept")
        self.assertEqual(["echo x > @/srv/kept"], done)

    def test_goes_with_a_job_that_may_not_fork(self):
        s = self.runs(ALL, "may_fork = false", command="exec sleep 1000")
        self.assertTrue(s.ctl("show", "web", "--json").json["settings"]["no_new_privileges"])

    def test_a_hostile_program_gets_nowhere(self):
        within = lambda text: f"unshare --user --map-root-user --mount sh -c '{text}'"
        self.held(DATA, within("mount -o remount,rw /; echo x > @/srv/new"), within("mount -t tmpfs none @/srv"),
                  "echo x > /proc/$PPID/root@/srv/new", "echo x > /proc/self/root@/srv/new",
                  "cd @/srv/data; ln -s ../new link; echo x > link")

    def test_a_path_that_is_not_there_is_an_error_unless_it_may_be(self):
        self.assertEqual("cannot keep @/nope writable: No such file or directory",
                         self.cause(ALL + '\nread_write_paths = ["@/nope"]'))
        self.runs(ALL + '\nread_write_paths = ["-@/nope"]')

    def test_an_exception_that_is_a_link_is_an_error(self):
        s = self.prepare()
        os.symlink("/etc", s.path("link"))
        self.assertIn("cannot keep @/link writable: it is, or is below, a symbolic link",
                      self.cause(ALL + '\nread_write_paths = ["@/link"]', s=s))


class Landlocked(Landlock):
    """Where no keeper sets no_new_privileges anyway."""
    options = ("--containment=group",)


@unittest.skipUnless(LANDLOCK >= 3, "this kernel's Landlock does not know truncate(2)")
class ExactLandlock(UserTest):
    def test_keeps_from_truncation_too_and_is_enough_for_a_strict_job(self):
        self.held(DATA + "\nstrict = true", TRUNCATE)


@unittest.skipIf(LANDLOCK >= 3, "this kernel's Landlock knows truncate(2)")
class EarlyLandlock(UserTest):
    def test_that_truncation_is_not_caught_is_told(self):
        self.assertEqual(f'cannot enforce sandbox.read_only_paths = ["/"]: {LACKS}{TRUNCATION}',
                         self.cause(ALL + "\nstrict = true"))
        s = self.free(ALL, TRUNCATE)
        self.assertIn(TRUNCATION, s.log_text())


class Shortfalls(UserTest):
    def test_a_tmp_of_its_own_is_refused_to_a_strict_job_and_told_of_others(self):
        self.assertEqual(f"cannot enforce sandbox.private_tmp = true: {LACKS}", self.cause("private_tmp = true\nstrict = true"))
        s = self.runs("private_tmp = true")
        self.assertIn(f"cannot enforce sandbox.private_tmp = true: {LACKS}; it runs", s.log_text())

    @unittest.skipIf(LANDLOCK < 2, "this kernel has no Landlock that does it")
    def test_paths_that_landlock_cannot_do_are_told_with_what_to_write(self):
        why = f'cannot enforce sandbox.read_only_paths = ["@/srv"]: {LACKS}{INSTEAD}'
        self.assertEqual(why, self.cause('read_only_paths = ["@/srv"]\nstrict = true'))
        s = self.runs('read_only_paths = ["@/srv"]')
        self.assertIn(why.replace("@", s.dir), s.log_text())
        check = s.ctl("check", "--here", s.config, **({"user": "nobody"} if ROOT else {}))
        self.assertIn(why.replace("@", s.dir), check.out + check.err)


if __name__ == "__main__":
    unittest.main()
