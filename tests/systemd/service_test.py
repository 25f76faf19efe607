"""procsupd.service: readiness, status, reload, stop, and where its jobs live."""

import json
import os
import shutil
import signal
from pathlib import Path

from on_systemd import SERVICE, TIME_SCALE, ServiceTest, ctl, instances, main, properties, run, wait_for

SLEEPER = 'command = "sleep infinity"'


class Start(ServiceTest):
    def test_ends_when_the_control_socket_answers(self):
        self.start()
        self.assertEqual(properties(SERVICE, "Type", "SubState"), {"Type": "notify", "SubState": "running"})
        ctl("ping")

    def test_tells_in_the_status_line_how_many_jobs_run(self):
        self.job("one", SLEEPER)
        self.job("two", SLEEPER)
        self.start()
        wait_for(SERVICE, StatusText="2 running")

    def test_tells_in_the_status_line_what_failed(self):
        self.job("one", SLEEPER)
        self.job("broken", 'command = "/nonexistent/program"', 'restart = "no"')
        self.start()
        wait_for(SERVICE, StatusText="1 running, 1 failed")

    def test_with_a_bad_configuration_fails_once_and_says_why(self):
        self.job("bad", 'comand = "true"')
        self.assertNotEqual(run("systemctl", "start", SERVICE, check=False).returncode, 0)
        wait_for(SERVICE, ActiveState="failed", Result="exit-code", ExecMainStatus="6", NRestarts="0",
                 StatusText=lambda text: "problems in /etc/procsupd" in text)

    def test_makes_its_directories(self):
        self.start()
        for directory in ("/run/procsupd", "/var/lib/procsupd", "/var/log/procsupd", "/etc/procsupd"):
            self.assertTrue(os.path.isdir(directory), directory)

    def test_runs_what_is_in_any_directory_of_the_system(self):
        for place in (Path("/run/procsupd/jobs.d"), Path("/usr/lib/procsupd/jobs.d")):
            place.mkdir(parents=True)
            self.addCleanup(shutil.rmtree, place)
            for name in ("one", "two", "three"):
                (place / f"{name}.toml").write_text(f'{SLEEPER}\ndescription = "{place}"\n')
        Path("/run/procsupd/jobs.d/three.toml").unlink()
        self.job("one", SLEEPER, 'description = "/etc"')
        self.start()
        wait_for(SERVICE, StatusText="3 running")
        self.assertEqual({"one": "/etc", "two": "/run/procsupd/jobs.d", "three": "/usr/lib/procsupd/jobs.d"},
                         {name: json.loads(ctl("show", "--json", name).stdout)["settings"]["description"]
                          for name in ("one", "two", "three")})


class Jobs(ServiceTest):
    def test_live_in_the_group_of_the_service(self):
        self.job("nested", 'shell = "setsid sleep infinity & wait"')
        self.start()
        group = properties(SERVICE, "ControlGroup", "Delegate")
        self.assertEqual(group["Delegate"], "yes")
        ctl("wait", "--for=ready", "nested")
        inside = self.process_of("nested").group()
        self.assertTrue(inside == group["ControlGroup"] or inside.startswith(group["ControlGroup"] + "/"), inside)

    def test_know_nothing_of_the_service_manager(self):
        self.job("plain", SLEEPER)
        self.start()
        ctl("wait", "--for=ready", "plain")
        environment = Path(f"/proc/{self.process_of('plain').pid}/environ").read_text().split("\0")
        names = {entry.split("=")[0] for entry in environment}
        self.assertFalse(names & {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID",
                                  "JOURNAL_STREAM", "INVOCATION_ID"}, names)


class Reload(ServiceTest):
    def setUp(self):
        super().setUp()
        self.job("old", SLEEPER)
        self.start()
        ctl("wait", "--for=ready", "old")

    def test_starts_a_new_job_and_leaves_the_others_alone(self):
        before = self.process_of("old")
        daemon = self.daemon()
        self.job("new", SLEEPER)
        run("systemctl", "reload", SERVICE)
        self.assertIn("new", instances())
        wait_for(SERVICE, SubState="running", StatusText="2 running")
        self.assertEqual(instances()["old"]["pid"], before.pid)
        self.assertEqual(properties(SERVICE, "MainPID")["MainPID"], str(daemon.pid))

    def test_is_also_what_a_hangup_asks_for(self):
        self.job("new", SLEEPER)
        self.daemon().send(signal.SIGHUP)
        wait_for(SERVICE, SubState="running", StatusText="2 running")

    def test_of_a_broken_file_changes_nothing_and_says_so(self):
        before = self.process_of("old")
        self.job("old", 'comand = "sleep infinity"')
        self.job("new", SLEEPER)
        self.assertNotEqual(run("systemctl", "reload", SERVICE, check=False).returncode, 0)
        wait_for(SERVICE, SubState="running",
                 StatusText=lambda text: text.startswith("1 running; ") and "problem" in text)
        self.assertEqual({name: one["pid"] for name, one in instances().items()}, {"old": before.pid})

    def test_of_the_repaired_file_clears_the_complaint(self):
        self.job("new", "command = 5")
        run("systemctl", "reload", SERVICE, check=False)
        wait_for(SERVICE, SubState="running", StatusText=lambda text: "problem" in text)
        self.job("new", SLEEPER)
        run("systemctl", "reload", SERVICE)
        wait_for(SERVICE, SubState="running", StatusText="2 running")


class Stop(ServiceTest):
    def slow_job(self, *lines):
        """A job that has ended only when the test writes to the pipe that is returned."""
        go = self.fifo("go")
        self.job("slow", f"shell = '''trap 'read word < {go}; exit 0' TERM; echo up > {self.fifo('up')}; "
                         "while :; do sleep infinity & wait; done'''", *lines)
        return go

    def start_slow_job(self):
        self.start()
        self.assertEqual((self.scratch / "up").read_text(), "up\n")
        return self.process_of("slow")

    def test_leaves_no_process(self):
        self.job("one", SLEEPER)
        self.job("many", "instances = 3", 'shell = "sleep infinity & sleep infinity & wait"')
        self.start()
        ctl("wait", "--for=ready", "--all")
        group = Path("/sys/fs/cgroup" + properties(SERVICE, "ControlGroup")["ControlGroup"])
        jobs = [self.process_of(name) for name in instances()]
        self.assertEqual(len(jobs), 4)
        run("systemctl", "stop", SERVICE)
        self.assertTrue(all(job.ends_within(0) for job in jobs))
        self.assertFalse(group.exists() and "populated 1" in (group / "cgroup.events").read_text())
        self.assertEqual(properties(SERVICE, "ActiveState", "Result"), {"ActiveState": "inactive", "Result": "success"})

    def test_waits_for_a_slow_job_beyond_the_time_that_systemd_gives(self):
        go = self.slow_job('stop_timeout = "60s"')
        self.drop_in("TimeoutStopSec=1s")
        slow = self.start_slow_job()
        run("systemctl", "stop", "--no-block", SERVICE)
        wait_for(SERVICE, ActiveState="deactivating", StatusText=lambda text: "1 stopping" in text)
        self.assertFalse(slow.ends_within(4 * TIME_SCALE))
        go.write_text("go\n")
        wait_for(SERVICE, ActiveState="inactive", Result="success")

    def test_kills_a_job_that_exceeds_its_own_time(self):
        self.slow_job('stop_timeout = "300ms"')
        slow = self.start_slow_job()
        run("systemctl", "stop", SERVICE)
        self.assertTrue(slow.ends_within(0))
        self.assertEqual(properties(SERVICE, "Result")["Result"], "success")

    def test_by_procsupctl_is_announced_as_stopping(self):
        go = self.slow_job('stop_timeout = "60s"')
        self.drop_in("Restart=no")
        self.start_slow_job()
        ctl("shutdown", "--no-wait")
        wait_for(SERVICE, ActiveState="deactivating", StatusText=lambda text: "stopping" in text)
        go.write_text("go\n")
        wait_for(SERVICE, ActiveState="inactive", Result="success")


if __name__ == "__main__":
    main()
