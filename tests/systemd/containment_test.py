"""procsupd.service with a part of the tree of cgroups that systemd has delegated to it."""

import json
import os
import shutil
import signal
import unittest
from pathlib import Path

from on_systemd import SERVICE, Process, ServiceTest, ctl, instances, main, properties, run, wait_for

PROGRAMS = Path(os.environ["PROCSUP_TEST_PROGRAMS"])


class Containment(ServiceTest):
    def hold(self, words, *lines):
        """A service whose job "hostile" is a hostile program that is up."""
        name, *arguments = words.split()
        self.program = Path(shutil.copy(PROGRAMS / name, self.scratch / f"hostile-{name}"))
        up = self.fifo("up")
        self.job("hostile", f"command = {json.dumps([str(self.program), str(up), *arguments])}", *lines)
        self.start()
        self.assertEqual(up.read_text()[:3], "up\n")
        return self.living()

    def living(self):
        """The processes that execute the hostile program, whatever they call themselves."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "exe").samefile(self.program):
                    found.append(Process(entry.name))
            except OSError:
                continue
        return found

    def status(self):
        return json.loads(ctl("daemon", "status", "--json").stdout)

    def control_group(self):
        return properties(SERVICE, "ControlGroup")["ControlGroup"]

    def test_holds_jobs_in_groups_beside_its_own(self):
        processes = self.hold("escape stay")
        self.assertEqual(self.status()["containment"], "cgroup", self.status())
        self.assertEqual(self.daemon().group(), self.control_group() + "/supervisor")
        self.assertEqual([one.group() for one in processes], [self.control_group() + "/jobs/hostile.job"] * 2)

    def test_ends_what_has_left_its_session(self):
        processes = self.hold("escape stay")
        ctl("stop", "hostile")
        self.assertEqual(instances()["hostile"]["state"], "stopped")
        self.assertEqual(self.living(), [])
        self.assertTrue(all(one.ends_within(5) for one in processes))

    def test_leaves_nothing_when_the_service_stops(self):
        processes = self.hold("escape go", 'orphans = "ignore"', 'restart = "no"')
        run("systemctl", "stop", SERVICE)
        self.assertEqual(self.living(), [])
        self.assertTrue(all(one.ends_within(0) for one in processes))
        self.assertEqual(properties(SERVICE, "Result")["Result"], "success")

    def test_holds_them_again_after_it_was_killed(self):
        before = self.hold("escape stay")
        self.daemon().send(signal.SIGKILL)
        self.assertEqual((self.scratch / "up").read_text()[:3], "up\n")
        wait_for(SERVICE, SubState="running", NRestarts="1")
        self.assertTrue(all(one.ends_within(0) for one in before))
        self.assertEqual(self.daemon().group(), self.control_group() + "/supervisor")
        self.assertEqual({one.group() for one in self.living()}, {self.control_group() + "/jobs/hostile.job"})

    def test_takes_no_part_of_the_tree_that_it_was_not_given(self):
        self.drop_in("Delegate=no")
        self.hold("escape stay")
        self.assertNotEqual(self.status()["containment"], "cgroup")
        self.assertIn("Delegate=yes", self.status()["containment_reason"])
        self.assertEqual({one.group() for one in self.living()}, {self.control_group()})


if __name__ == "__main__":
    main()
