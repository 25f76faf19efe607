"""Groups: jobs that are one to whoever operates them, and restart and fail together, with real programs."""
import os
import signal
import unittest

from harness import IntegrationTest
from processes import free_port, wait_gone

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/groups.toml")
MEMBERS = ("store", "feed", "site")


class Groups(IntegrationTest):
    def shop(self, strategy="rest-for-one", intensity="10/60s"):
        with open(EXAMPLE, encoding="utf-8") as file:
            text = file.read().replace("46379", str(free_port())).replace("48080", str(free_port()))
        s = self.prepare(text.replace('"rest-for-one" ', f'"{strategy}" ').replace('"10/60s"', f'"{intensity}"'))
        s.start()
        s.ctl("wait", "shop")
        return s

    def pids(self, s):
        return {name: s.pid_of(name) for name in MEMBERS}

    def kill(self, s, name):
        """Its main process; until it runs again."""
        pid = s.pid_of(name)
        os.kill(pid, signal.SIGKILL)
        self.assertTrue(wait_gone(pid))
        self.await_true(f"{name} is back", lambda: s.instance(name)["state"] == "running" and s.pid_of(name) != pid)
        s.ctl("wait", "shop")

    def new(self, s, before):
        return [name for name, pid in self.pids(s).items() if pid != before[name]]

    def test_the_example_restarts_those_behind_the_one_that_has_failed(self):
        s = self.shop()
        before = self.pids(s)
        events = s.events("shop")
        self.kill(s, "store")
        self.assertEqual(list(MEMBERS), self.new(s, before))
        # feed notices by itself that the store is gone, perhaps before procsupd does.
        cause = events.until("site", "stopping")["cause"]
        self.assertRegex(cause, "^restarted with (store|feed), of its group shop, which has ended: ")
        before = self.pids(s)
        self.kill(s, "feed")
        self.assertEqual(["feed", "site"], self.new(s, before))
        before = self.pids(s)
        self.kill(s, "site")
        self.assertEqual(["site"], self.new(s, before))
        self.assertRegex(s.ctl("groups").out, r"\nshop +3/3 +rest-for-one +\d of 10/1min +fail-group +store, feed, site\n")

    def test_one_for_all_restarts_all_in_their_order(self):
        s = self.shop("one-for-all")
        before = self.pids(s)
        self.kill(s, "site")
        self.assertEqual(list(MEMBERS), self.new(s, before))
        began = [run["started_usec"] for run in (s.ctl("history", "-n0", "--json", name).json["runs"][0] for name in MEMBERS)]
        self.assertEqual(sorted(began), began)

    def test_one_for_one_leaves_the_others_alone(self):
        s = self.shop("one-for-one")
        before = self.pids(s)
        self.kill(s, "store")
        # redis-cli ends with its server, by itself.
        self.assertNotIn("site", self.new(s, before))
        self.assertNotIn("of its group", s.log_text())

    def test_a_group_that_is_exhausted_fails_and_is_begun_anew(self):
        s = self.shop(intensity="1/1h")
        self.kill(s, "site")
        os.kill(s.pid_of("site"), signal.SIGKILL)
        self.await_true("all have failed", lambda: {s.instance(name)["state"] for name in MEMBERS} == {"failed"})
        why = s.run("why", "store").out
        self.assertIn("store is failed because group shop: intensity (1/1h) reached; last: site: killed by SIGKILL; ", why)
        self.assertRegex(s.ctl("groups").out, r"\nshop +0/3 ")
        self.assertEqual(0, s.run("is-failed", "shop").code)
        s.ctl("start", "shop")
        self.kill(s, "site")
        self.assertEqual({"running"}, {s.instance(name)["state"] for name in MEMBERS})

    def test_a_group_can_end_the_daemon(self):
        s = self.prepare('[groups.all]\nmembers = ["a", "b"]\nintensity = "1/1h"\non_exhausted = "shutdown"\n'
                         '[jobs.a]\ncommand = "sleep 1000"\n[jobs.b]\nshell = "exit 7"\n')
        s.start()
        self.assertEqual(7, s.wait_end())
        self.assertIn("group all: intensity (1/1h) reached; last: b: exit 7", s.log_text())

    def test_its_name_stands_for_its_members(self):
        s = self.shop()
        self.assertEqual(set(MEMBERS), {i["name"] for i in s.ctl("status", "--json", "shop").json["instances"]})
        self.assertIn("group: shop\n", s.ctl("status", "feed").out)
        self.assertIn("psubscribe", s.ctl("logs", "shop").out)
        self.assertRegex(s.ctl("graph", "shop").out, r"site +running +1/1 +after (store|feed) \(of its group\)")
        s.ctl("stop", "shop")
        self.assertEqual({"stopped"}, {s.instance(name)["state"] for name in MEMBERS})
        order = [line.split()[2] for line in s.log_text().splitlines() if " stopping -> stopped" in line]
        self.assertEqual(["site:", "feed:", "store:"], order)
        s.ctl("start", "shop")
        s.ctl("restart", "shop")
        self.assertIn("not with a group: name one of its members, such as 'store'", s.ctl("scale", "shop", "2", expect=1).err)
        self.assertIn("(did you mean 'shop'?)", s.run("status", "shp").err)
        self.assertIn("shop\n", s.ctl("__complete", "status", "sh").out)

    def test_a_change_of_a_group_restarts_nothing(self):
        s = self.shop()
        before = self.pids(s)
        with open(s.path("procsup.toml"), encoding="utf-8") as file:
            text = file.read()
        s.configure(text.replace('"rest-for-one" ', '"one-for-all" '))
        self.assertRegex(s.ctl("apply").out, r"live  feed   groups.shop\n")
        self.assertEqual([], self.new(s, before))
        self.kill(s, "site")
        self.assertEqual(list(MEMBERS), self.new(s, before))
        s.configure(text[text.index("[jobs.store]"):])
        s.ctl("apply")
        self.assertEqual("there are no groups\n", s.ctl("groups").out)


if __name__ == "__main__":
    unittest.main()
