"""Many starts and ends at once, while nobody takes what the supervisor tells the service manager."""
import unittest

from harness import IntegrationTest

ROUNDS = 30
MANY = '[jobs.x]\ncommand = ["{program}"]\nrestart = "no"\ninstances = 100\nenabled = false\n' \
       '[jobs.x.log]\nstdout = "null"\nstderr = "null"\n'


class Storm(IntegrationTest):
    def storm(self, program, state):
        s = self.supervise(MANY.format(program=program))
        events = s.events()
        first = events.snapshot["sequence"]
        for _ in range(ROUNDS):
            s.ctl("start", "x", "--no-wait")
            s.ctl("wait", "--for=stopped", "x")
            self.assertEqual({state}, {i["state"] for i in s.instances().values()})
            last = s.ctl("events", "--json").json["snapshot"]["sequence"]
            while events.next()["sequence"] < last:
                pass
        s.ctl("ping", "--timeout=5s")
        self.assertEqual(list(range(first + 1, last + 1)), [event["sequence"] for event in events.seen])
        ends = [event for event in events.seen if event["to"] == state]
        self.assertEqual(ROUNDS * 100, len(ends))
        return events.seen

    def test_starts_that_fail_are_all_told_with_their_cause(self):
        causes = {event["cause"] for event in self.storm("/nonexistent/x", "failed") if event["to"] == "failed"}
        self.assertEqual({"cannot exec /nonexistent/x: No such file or directory"}, causes)

    def test_every_run_however_short_is_seen_running_and_its_exit_is_told(self):
        seen = self.storm("/bin/true", "exited")
        self.assertEqual(ROUNDS * 100, len([event for event in seen if event["to"] == "running"]))
        self.assertEqual({"exit 0"}, {event["cause"] for event in seen if event["to"] == "exited"})


if __name__ == "__main__":
    unittest.main()
