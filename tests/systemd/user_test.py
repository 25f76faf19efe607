"""procsupd of an ordinary user: started by hand, and by the user's own systemd."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

from on_systemd import PATIENCE, Process, main, run, wait_for

USER = "procsup-alice"
MANAGER = "alice-manager.service"
BY_HAND = "alice-procsupd.service"


class User(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("useradd", "--create-home", "--shell", "/bin/sh", USER)
        cls.entry = pwd.getpwnam(USER)
        cls.runtime = Path(f"/run/user/{cls.entry.pw_uid}")
        cls.runtime.mkdir(parents=True, mode=0o700)
        os.chown(cls.runtime, cls.entry.pw_uid, cls.entry.pw_gid)

    def setUp(self):
        self.home = Path(self.entry.pw_dir)
        jobs = self.home / ".config/procsupd/jobs.d"
        jobs.mkdir(parents=True)
        (jobs / "sleeper.toml").write_text('command = "sleep infinity"\n')
        run("chown", "-R", USER, self.home)

    def tearDown(self):
        run("systemctl", "stop", MANAGER, BY_HAND, check=False)
        run("systemctl", "reset-failed", check=False)
        for entry in self.home.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def environment(self):
        return {"HOME": str(self.home), "USER": USER, "LOGNAME": USER, "PATH": os.environ["PATH"],
                "XDG_RUNTIME_DIR": str(self.runtime)}

    def as_user(self, *command, **options):
        return run("setpriv", f"--reuid={USER}", f"--regid={self.entry.pw_gid}", "--init-groups", *command,
                   env=self.environment(), **options)

    def start_unit(self, unit, *command):
        settings = [f"--setenv={name}={value}" for name, value in self.environment().items()]
        run("systemd-run", f"--unit={unit}", f"--uid={USER}", "--service-type=notify", "--property=Delegate=yes",
            *settings, *command)

    def assert_runs_the_job(self):
        self.as_user("procsupctl", "wait", "--for=ready", "sleeper")
        sleeper = json.loads(self.as_user("procsupctl", "status", "--json").stdout)["instances"][0]
        self.assertEqual(os.stat(f"/proc/{sleeper['pid']}").st_uid, self.entry.pw_uid)
        return Process(sleeper["pid"])

    def test_runs_it_and_talks_to_it_without_options(self):
        self.start_unit(BY_HAND, shutil.which("procsupd", path="/usr/local/sbin:" + os.environ["PROCSUP_SBINDIR"]),
                        "--user")
        job = self.assert_runs_the_job()
        self.assertTrue((self.runtime / "procsupd/io.procsupd").is_socket())
        self.assertTrue(job.group().endswith(f"/{BY_HAND}/jobs/sleeper.job"), job.group())
        self.as_user("procsupctl", "restart", "sleeper")
        run("systemctl", "stop", BY_HAND)
        self.assertTrue(job.ends_within(0))

    def test_has_it_as_a_service_of_the_own_systemd(self):
        self.start_unit(MANAGER, "/lib/systemd/systemd", "--user", "--unit=basic.target")
        self.as_user("systemctl", "--user", "start", "procsupd.service")
        job = self.assert_runs_the_job()
        self.assertTrue(job.group().endswith("/procsupd.service/jobs/sleeper.job"), job.group())
        shown = self.as_user("systemctl", "--user", "show", "procsupd.service",
                             "--property=ControlGroup", "--value").stdout.strip()
        self.assertTrue(job.group().startswith(shown), (job.group(), shown))
        jobs = self.home / ".config/procsupd/jobs.d"
        (jobs / "second.toml").write_text('command = "sleep infinity"\n')
        self.as_user("systemctl", "--user", "reload", "procsupd.service")
        self.as_user("procsupctl", "wait", "--for=ready", "second")
        self.as_user("systemctl", "--user", "stop", "procsupd.service")
        self.assertTrue(job.ends_within(0))

    def test_is_a_stranger_to_the_procsupd_of_the_system(self):
        run("systemctl", "start", "procsupd.service")
        self.addCleanup(run, "systemctl", "stop", "procsupd.service")
        self.as_user("procsupctl", "--socket=/run/procsupd/io.procsupd", "ping")
        refused = self.as_user("procsupctl", "--socket=/run/procsupd/io.procsupd", "shutdown", check=False)
        self.assertEqual(refused.returncode, 4, refused.stderr)


if __name__ == "__main__":
    main()
