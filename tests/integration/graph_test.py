"""`procsupctl graph`: what jobs depend on, and what they waited for when procsupd started them."""
import os
import re
import unittest

from harness import ROOT, IntegrationTest

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/dependencies.toml")
# What is ready last, and what that waits for, is certain.
CHAIN = """
[jobs.db]
command = ["sleep", "1000"]
[jobs.migrate]
command = ["true"]
type = "oneshot"
requires = ["db"]
[jobs.web]
command = ["sleep", "1000"]
requires = ["db", { job = "migrate", condition = "exited_ok" }]
[jobs.greet]
command = ["true"]
type = "oneshot"
after = ["web"]
"""
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}
QUOTED = r'"(?:[^"\\]|\\.)*"'
ATTRIBUTES = rf" \[\w+=(?:{QUOTED}|\w+)(?:, \w+=(?:{QUOTED}|\w+))*\]"
DOT = {"node": re.compile(rf"    ({QUOTED}){ATTRIBUTES};"), "edge": re.compile(rf"    ({QUOTED}) -> ({QUOTED}){ATTRIBUTES};")}


class Graph(IntegrationTest):
    def chain(self, config=CHAIN):
        s = self.prepare(config).start()
        s.ctl("wait", "greet", "web")
        return s

    def test_the_example_is_shown_in_the_order_of_its_starts(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            s = self.chain(file.read())
        s.ctl("wait", "cache")
        lines = s.ctl("graph").out.splitlines()
        self.assertEqual(["  STEP  JOB      STATE    READY  NEEDS",
                          "* 1     cache    running  1/1    -",
                          "* 1     db       running  1/1    -",
                          "* 2     migrate  exited   1/1    requires db (ready)",
                          "* 3     web      running  1/1    requires db (ready, on_restart = restart), migrate (exited_ok); wants cache",
                          "* 4     greet    exited   1/1    after web"], lines)
        self.assertEqual(["db", "migrate"], [line.split()[2] for line in s.ctl("graph", "migrate").out.splitlines()[1:]])
        status = s.ctl("status", "db", "web").out
        self.assertIn("\n     deps: needed by: migrate, web\n", status)
        self.assertIn("wants cache; before: greet\n", status)
        self.assertIn("\n     deps: after web\n", s.ctl("status", "greet").out)

    def test_the_critical_path_is_what_was_really_waited_for(self):
        s = self.chain()
        graph = s.ctl("graph", "--json").json
        self.assertEqual(["greet", "web", "migrate", "db"], graph["critical_path"])
        first = {job["name"]: job["instances"][0]["first_start"] for job in graph["jobs"]}
        for later, earlier in zip(graph["critical_path"], graph["critical_path"][1:]):
            self.assertEqual(earlier, first[later]["waited_for"])
            self.assertGreaterEqual(first[later]["started_usec"], first[earlier]["ready_usec"])
        for start in first.values():
            self.assertEqual((True, 0), (start["at_boot"], start["wanted_usec"]))
            self.assertLessEqual(start["started_usec"], start["ready_usec"])

        lines = s.ctl("graph", "--critical").out.splitlines()
        self.assertRegex(lines[0], r"^greet was ready last, \d+\.\d{3}s after .*\d\d:\d\d:\d\d")
        self.assertEqual(["greet", "web", "migrate", "db"], [line.split()[0] for line in lines[2:]])
        self.assertTrue(lines[2].endswith("  after web"), lines)
        self.assertTrue(lines[3].endswith("  requires migrate (exited_ok)"), lines)
        self.assertRegex(lines[4], r"\(ended\) +\d+\.\d{3}s +requires db \(ready\)$")
        self.assertRegex(lines[5], r" -$")
        of_one = s.ctl("graph", "--critical", "migrate").out.splitlines()
        self.assertRegex(of_one[0], r"^migrate was ready \d")
        self.assertEqual(["migrate", "db"], [line.split()[0] for line in of_one[2:]])

    def test_the_critical_path_of_the_start_is_known_when_all_its_jobs_are_replaced(self):
        s = self.chain()
        s.ctl("restart", "db")
        s.ctl("wait", "web")
        self.assertEqual(["greet", "web", "migrate", "db"], s.ctl("graph", "--json").json["critical_path"])
        s.configure('[jobs.other]\ncommand = ["sleep", "1000"]\n[jobs.web]\ncommand = ["sleep", "1000"]\ninstances = 2\n')
        s.ctl("apply")
        s.ctl("wait", "other", "web")
        self.await_true("the others are gone", lambda: set(s.instances()) == {"other", "web@0", "web@1"})
        self.assertEqual(["other", "web"], [job["name"] for job in s.ctl("graph", "--json").json["jobs"]])
        self.assertEqual(["greet", "web", "migrate", "db"], s.ctl("graph", "--json").json["critical_path"])
        lines = s.ctl("graph", "--critical").out.splitlines()
        self.assertRegex(lines[2], r"^greet .* \(ended\) \(removed since\) ")

    def test_what_waits_says_what_is_missing_and_is_not_on_the_path(self):
        s = self.prepare('[jobs.slow]\nshell = "read line < @DIR@/go"\ntype = "oneshot"\n[jobs.db]\ncommand = ["sleep", "1000"]\n'
                         '[jobs.web]\ncommand = ["sleep", "1000"]\nrequires = ["slow", "db"]\n')
        go = s.fifo("go")
        s.start()
        s.ctl("wait", "db")
        self.assertIn("requires slow (ready, not yet), db (ready)\n", s.ctl("graph").out)
        shown = s.ctl("graph", "--critical").out
        self.assertTrue(shown.startswith("db was ready last, "), shown)
        self.assertTrue(shown.endswith("not ready yet: slow, web\n"), shown)
        failed = s.ctl("graph", "--critical", "web", expect=1)
        self.assertEqual("error: cannot show the critical path: none of these was ready since procsupd has them\n", failed.err)
        os.write(go.fd, b"go\n")
        s.ctl("wait", "web")
        self.assertEqual(["web", "slow"], s.ctl("graph", "--json").json["critical_path"])
        self.assertIn("deps: requires slow (ready), db (ready)\n", s.ctl("status", "web").out)

    def test_what_graphviz_reads(self):
        s = self.chain()
        lines = s.ctl("graph", "--dot", "--critical").out.splitlines()
        self.assertEqual(["digraph procsupd {", "    rankdir=LR;", "    node [shape=box];"], lines[:3])
        self.assertEqual("}", lines[-1])
        nodes = [match[1] for line in lines if (match := DOT["node"].fullmatch(line))]
        edges = [(match[1], match[2]) for line in lines if (match := DOT["edge"].fullmatch(line))]
        self.assertEqual(len(lines) - 4, len(nodes) + len(edges), lines)
        self.assertEqual(['"db"', '"migrate"', '"web"', '"greet"'], nodes)
        self.assertIn(('"web"', '"migrate"'), edges)
        self.assertEqual(3, sum("color=red" in line for line in lines))

    def test_many_jobs_are_shown_at_once(self):
        names = [f"job{i:04}" for i in range(1000)]
        s = self.prepare("".join(f'[jobs.{name}]\ncommand = "true"\nenabled = false\nwants = {names[max(0, i - 5):i]}\n'
                                 for i, name in enumerate(names)).replace("'", '"')).start()
        lines = s.ctl("graph", seconds=20).out.splitlines()
        self.assertEqual([*names], [line.split()[2] for line in lines[1:]])
        self.assertEqual(4985, sum(" -> " in line for line in s.ctl("graph", "--dot", seconds=20).out.splitlines()))
        self.assertEqual(names[:501], [job["name"] for job in s.ctl("graph", "--json", names[500], seconds=20).json["jobs"]])

    @unittest.skipUnless(ROOT, "needs another user")
    def test_who_may_read_may_see_it_and_an_owner_his_own(self):
        jobs = '[jobs.db]\ncommand = ["sleep", "1000"]\n[jobs.mine]\ncommand = ["sleep", "1000"]\nowner = "nobody"\nrequires = ["db"]\n'
        s = self.supervise('[access]\nread = []\n' + jobs)
        self.assertEqual(4, s.run("graph", **NOBODY).code)
        self.assertEqual(["mine"], [job["name"] for job in s.ctl("graph", "--json", "mine", **NOBODY).json["jobs"]])
        reading = self.supervise(jobs)
        self.assertEqual(["db", "mine"], [job["name"] for job in reading.ctl("graph", "--json", **NOBODY).json["jobs"]])


if __name__ == "__main__":
    unittest.main()
