"""Jobs that depend on others: the order of starts and stops, and what becomes of them when one fails."""
import os
import signal
import unittest

from harness import IntegrationTest
from processes import wait_gone

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/dependencies.toml")
CHAIN = """
[defaults]
restart = "no"
min_uptime = "0s"
[jobs.db]
command = ["sleep", "1000"]
[jobs.api]
command = ["sleep", "1000"]
requires = ["db"]
[jobs.web]
command = ["sleep", "1000"]
requires = ["api"]
"""


class Dependencies(IntegrationTest):
    def chain(self, config=CHAIN):
        s = self.supervise(config)
        s.ctl("wait", "web")
        return s

    @staticmethod
    def states(s):
        return {name: one["state"] for name, one in s.instances().items()}

    @staticmethod
    def first_starts(s):
        """Of each job, by times that are all of one clock."""
        return {job["name"]: job["instances"][0]["first_start"] for job in s.ctl("graph", "--json").json["jobs"]}

    def test_the_example_starts_stops_and_restarts_in_order(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            s = self.prepare(file.read()).start()
        s.ctl("wait", "greet", "web")
        self.assertEqual({"db": "running", "cache": "running", "migrate": "exited", "web": "running", "greet": "exited"},
                         self.states(s))
        first = self.first_starts(s)
        for earlier, later in (("db", "migrate"), ("migrate", "web"), ("web", "greet")):
            self.assertLessEqual(first[earlier]["ready_usec"], first[later]["started_usec"])

        refused = s.ctl("stop", "db", expect=1)
        self.assertIn("this would also stop what requires it: web", refused.err)
        self.assertIn("--cascade", refused.err)
        self.assertEqual("running", s.instance("db")["state"])
        s.ctl("stop", "--cascade", "db")
        self.assertEqual(("stopped", "stopped", "running"), tuple(self.states(s)[job] for job in ("db", "web", "cache")))
        self.assertRegex(s.instance("web")["cause"], r"^stop asked by uid \d+ \(pid \d+\), with db(;|$)")
        self.assertRegex(s.instance("db")["cause"], r"^stop asked by uid \d+ \(pid \d+\)(;|$)")

        s.ctl("start", "web")
        self.assertEqual("required by web", s.instance("db")["cause"])
        web = s.pid_of("web")
        events = s.events("web", "db")
        s.ctl("restart", "db")
        self.assertIn("waits for web to end", events.until("db", "stopping")["cause"])
        events.until("web", "running")
        events.close()
        self.assertNotEqual(web, s.pid_of("web"))

    def test_what_is_required_is_told_to_end_when_what_requires_it_has_ended(self):
        s = self.prepare("""
[jobs.db]
shell = "trap 'echo db was told > @DIR@/told; exit 0' TERM; echo db runs > @DIR@/told; while :; do sleep 1000 & wait; done"
stop_signal_to = "main"
[jobs.web]
shell = "trap 'echo web was told > @DIR@/told; read line < @DIR@/go; exit 0' TERM; echo web runs > @DIR@/told; while :; do sleep 1000 & wait; done"
requires = ["db"]
""")
        told, go = s.fifo("told"), s.fifo("go")
        s.start()
        self.assertEqual(["db runs", "web runs"], sorted(told.next() for _ in range(2)))
        s.process.terminate()
        self.assertEqual("web was told", told.next())
        held = s.instance("db")
        self.assertEqual("stopping", held["state"])
        self.assertIn("waits for web to end", held["cause"])
        os.write(go.fd, b"go\n")
        self.assertEqual("db was told", told.next())
        self.assertEqual(0, s.wait_end())

    def test_a_failure_goes_up_the_chain_and_so_does_its_end(self):
        s = self.chain()
        events = s.events()
        os.kill(s.pid_of("db"), signal.SIGKILL)
        api, web = (events.until(job, "failed")["cause"] for job in ("api", "web"))
        self.assertEqual("requires db, which has failed: killed by SIGKILL", api)
        self.assertEqual("requires api, which has failed: " + api, web)
        why = s.ctl("why", "web", expect=3).out
        self.assertIn("\n  api is failed because requires db, which has failed: killed by SIGKILL", why)
        self.assertIn("\n  db is failed because killed by SIGKILL; restart = \"no\"\n", why)
        self.assertIn("procsupctl logs db\n", why)
        self.assertEqual([], s.job_processes())
        s.ctl("start", "db")
        events.until("web", "running")
        events.close()
        self.assertEqual("what it requires is there again", s.instance("api")["cause"])

    def test_a_start_of_what_cannot_start_fails_with_the_reason(self):
        s = self.supervise(CHAIN.replace('[jobs.db]\ncommand = ["sleep", "1000"]', '[jobs.db]\ncommand = ["false"]\ntype = "oneshot"'))
        failed = s.ctl("start", "web", expect=1)
        self.assertIn("web: failed: requires api, which has failed: requires db, which has failed: exit 1", failed.err)

    def test_a_job_that_waits_says_for_what_and_can_be_stopped(self):
        s = self.prepare('[jobs.slow]\nshell = "read line < @DIR@/go"\ntype = "oneshot"\n[jobs.web]\ncommand = ["sleep", "1000"]\n'
                         'requires = ["slow"]\n')
        s.fifo("go")
        s.start().settle()
        self.assertIn("waits for slow to be ready", s.ctl("status").out)
        why = s.ctl("why", "web", expect=3).out
        self.assertIn("\n  slow is running because started with the daemon; not ready yet: waits for its end\n", why)
        self.assertIn("try: procsupctl logs -f slow\n", why)
        s.ctl("stop", "web")
        self.assertEqual("stopped", s.instance("web")["state"])

    def test_removed_jobs_are_stopped_in_order_and_the_others_go_on(self):
        s = self.chain(CHAIN + '[jobs.other]\ncommand = ["sleep", "1000"]\nafter = ["web"]\n')
        other, db = s.pid_of("other"), s.pid_of("db")
        events = s.events()
        s.configure('[jobs.other]\ncommand = ["sleep", "1000"]\n')
        s.ctl("reload")
        ends = [events.until(job, "stopped")["time_usec"] for job in ("web", "api", "db")]
        events.close()
        self.assertEqual(sorted(ends), ends)
        self.assertTrue(wait_gone(db))
        self.assertEqual(other, s.pid_of("other"))

    def test_a_batch_ends_when_a_job_can_never_start(self):
        s = self.prepare('[defaults]\nrestart = "no"\n[jobs.db]\ncommand = ["false"]\n[jobs.web]\ncommand = ["sleep", "1000"]\n'
                         'requires = ["db"]\n', options=["--batch"])
        s.start()
        self.assertEqual(1, s.wait_end())

    def test_circles_are_refused_with_the_place_of_each_step(self):
        s = self.chain()
        pids = {name: one["pid"] for name, one in s.instances().items()}
        s.configure(CHAIN.replace('[jobs.db]\n', '[jobs.db]\nafter = ["web"]\n'))
        refused = s.ctl("reload", expect=6)
        self.assertIn("goes round in a circle: ", refused.err)
        for step in ("db waits for web (after, ", "web waits for api (requires, ", "api waits for db (requires, "):
            self.assertIn(step, refused.err)
        self.assertEqual(pids, {name: one["pid"] for name, one in s.instances().items()})


if __name__ == "__main__":
    unittest.main()
