"""What is measured, as Prometheus reads it."""
import json
import os
import signal
import subprocess
import unittest
import urllib.request

from harness import PROCSUPCTL, IntegrationTest
from processes import free_port

HERE = os.path.dirname(__file__)
EXAMPLE = os.path.join(HERE, "../../conf/examples/metrics.toml")


def samples(text):
    done = subprocess.run(["/usr/bin/python3", f"{HERE}/metrics_reader.py"], input=text, stdout=subprocess.PIPE, text=True,
                          check=True)
    return json.loads(done.stdout)


def read(text):
    """The value of each sample, by its name and the labels that tell it from others."""
    return {(name, labels.get("name"), labels.get("state") or labels.get("reason")): value
            for name, labels, value in samples(text)}


class Metrics(IntegrationTest):
    def measured(self, s):
        return read(s.ctl("metrics").out)

    def test_the_example_is_scraped(self):
        port = free_port()
        with open(EXAMPLE, encoding="utf-8") as file:
            text = file.read().replace("9187", str(port))
        path = f'{os.path.dirname(PROCSUPCTL)}:{os.environ["PATH"]}'
        s = self.prepare(text.replace("port_base", f'env.PATH = "{path}"\nport_base'))
        s.start()
        s.ctl("wait", "exporter", "worker")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            found = read(answer.read().decode())
        self.assertEqual(1, found["procsupd_job_up", "exporter", None])
        self.assertEqual(1, found["procsupd_job_up", "worker@1", None])
        self.assertGreater(found["procsupd_start_time_seconds", None, None], 1e9)

    def test_a_killed_job_is_counted_and_each_is_in_one_state(self):
        s = self.supervise('[jobs.web]\ncommand = "sleep 1000"\nrestart = "always"\nrestart_delay = "0s"\n'
                           '[jobs.off]\ncommand = "true"\nenabled = false\n')
        s.ctl("wait", "web")
        before = self.measured(s)
        pid = s.pid_of("web")
        os.kill(pid, signal.SIGKILL)
        self.await_true("it is started again", lambda: s.instance("web")["state"] == "running" and s.pid_of("web") != pid)
        after = self.measured(s)
        exits = ("procsupd_job_exits_total", "web", "signal")
        starts = ("procsupd_job_starts_total", "web", None)
        self.assertEqual((1, 1), (after[exits] - before[exits], after[starts] - before[starts]))
        for name, state in (("web", "running"), ("off", "stopped")):
            states = {key[2]: value for key, value in after.items() if key[:2] == ("procsupd_job_state", name)}
            self.assertEqual(([state], 11), ([one for one, value in states.items() if value == 1], len(states)))
        self.assertIn(("procsupd_job_memory_bytes", "web", None), after)
        self.assertNotIn(("procsupd_job_start_time_seconds", "off", None), after)

    def test_of_many_jobs_each_is_there_once(self):
        off = 'command = "true"\nenabled = false\ninstances = 700\n'
        s = self.supervise(f"[jobs.many]\n{off}[jobs.more]\n{off}")
        names = [labels["name"] for name, labels, _ in samples(s.ctl("metrics", "m*").out) if name == "procsupd_job_up"]
        self.assertEqual((1400, 1400), (len(names), len(set(names))))
        self.assertEqual(1, len({key for key in read(s.ctl("metrics", "many@7").out) if key[0] == "procsupd_job_up"}))
        self.assertIn("did you mean 'many'?", s.ctl("metrics", "mani", expect=4).err)


if __name__ == "__main__":
    unittest.main()
