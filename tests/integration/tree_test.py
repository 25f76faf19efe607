"""`procsupctl tree`: whose a process is, whatever it did, and who neglects its zombies."""
import unittest

from hostile import MODES, PLACES, HostileTest, everywhere

ON_THE_HOST = {name: settings for name, settings in PLACES.items() if "first" not in settings}


class Tree:
    def tree(self, s, *names):
        return {tree["name"]: tree for tree in s.ctl("tree", "--json", *names).json["trees"]}

    def test_zombies_are_named_with_who_neglects_them(self):
        s = self.hold("zombies 3")
        main = s.pid_of("hostile")
        zombies = [one for one in self.tree(s)["hostile"]["processes"] if one["state"] == "Z"]
        self.assertEqual([main] * 3, [one["parent"] for one in zombies])
        shown = s.ctl("tree", "hostile").out
        self.assertEqual(3, shown.count(f"! zombie: {main} has not collected it"), shown)
        self.assertRegex(s.ctl("why", "hostile").out, rf"  3 zombies: {main} \(.*zombies .*\) has not collected them")

    def test_who_neglects_more_than_it_may_is_stopped_and_named(self):
        s = self.hold("zombies 5", "zombie_limit = 4", 'zombie_check = "10ms"')
        self.await_true("it has failed", lambda: s.instance("hostile")["state"] == "failed")
        why = s.run("why", "hostile").out
        self.assertRegex(why, r"zombie_limit \(4\) passed: 5 processes were not collected, most of them by \d+ \(.*zombies ")

    def test_every_process_is_in_the_tree_of_its_job_and_in_no_other(self):
        s = self.hold("chain 20 stay", before='[jobs.other]\ncommand = ["sleep", "1000"]\n')
        trees = self.tree(s)
        self.assertEqual(set(self.living(s)), {one["pid"] for one in trees["hostile"]["processes"]})
        self.assertEqual([s.pid_of("other")], [one["pid"] for one in trees["other"]["processes"]])
        self.assertEqual(["other"], list(self.tree(s, "other")))

    def test_status_says_how_jobs_are_held_and_why_no_better(self):
        s = self.hold("chain 1 stay")
        self.assertIn(f"held: together by {self.mode}", s.ctl("status", "hostile").out)
        self.assertEqual("asked for", s.daemon()["containment_reason"])
        if self.mode != "cgroup":
            self.assertIn(f"jobs are held together by {self.mode} (asked for)", s.ctl("status").out)

    def test_what_has_no_process_is_shown_so(self):
        s = self.hold("chain 2 stay")
        s.ctl("stop", "hostile")
        self.assertRegex(s.ctl("tree").out, r"^hostile \(.*\): no process\n$")


class Escaped:
    def test_an_orphan_is_shown_with_its_job(self):
        s = self.hold("escape stay")
        main = s.pid_of("hostile")
        tree = s.ctl("tree", "--json").json
        orphans = [one["pid"] for one in tree["trees"][0]["processes"] if one["orphan"]]
        self.assertEqual([pid for pid in self.living(s) if pid != main], orphans)
        self.assertEqual([], tree["strays"]["processes"])
        self.assertRegex(s.ctl("tree").out, rf"`-{orphans[0]} .*! orphan, started \d+s ago")


everywhere(Tree, globals(), MODES, ON_THE_HOST)
everywhere(Escaped, globals(), [mode for mode in MODES if mode != "group"], ON_THE_HOST)

if __name__ == "__main__":
    unittest.main()
