"""What a run took is known when it has ended: its pid, its end, how it ended, and the CPU time of all that was collected."""
import json
import unittest

from hostile import HostileTest, everywhere

# Burns CPU time as it is told and writes down how much that was, as the kernel tells the process itself.
BURN = """
import json, os, select, sys, time

def burn(seconds):
    while time.process_time() < seconds:
        pass
    return int(time.process_time() * 1e6)

def child(do):
    pid = os.fork()
    if pid == 0:
        do()
        os._exit(0)
    os.waitpid(pid, 0)

def orphan():
    # Its parent ends at once, so it comes to whoever holds the job together.
    if os.fork() == 0:
        if "session" in sys.argv:
            os.setsid()
        os.write(told, str(os.getpid()).encode())
        os.write(told, b" %d" % burn(0.1))

def exists(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False

measured = {"pid": os.getpid(), "child": 0, "orphan": 0}
if "child" in sys.argv:
    tell, told = os.pipe()
    child(lambda: os.write(told, str(burn(0.1)).encode()))
    measured["child"] = int(os.read(tell, 100))
if "orphan" in sys.argv:
    tell, told = os.pipe()
    child(orphan)
    os.close(told)
    pid, measured["orphan"] = map(int, os.fdopen(tell).read().split())
    while exists(pid):
        select.select([], [], [], 0.005)
measured["main"] = burn(0.2)
with open(sys.argv[1], "w") as file:
    json.dump(measured, file)
sys.exit(3)
"""
SLACK = 1_000_000  # microseconds of CPU time that the end of a process takes at most


class Accounting:
    """Every way to hold jobs tells the same."""

    def burn(self, *words):
        """A supervisor whose job has ended, and what its processes have measured."""
        s = self.prepare()
        s.write("burn.py", BURN)
        arguments = ", ".join(f'"{word}"' for word in ("@DIR@/measured", *words))
        s.configure(f'[jobs.burn]\ncommand = ["python3", "@DIR@/burn.py", {arguments}]\nrestart = "no"\nenabled = false\n')
        s.start()
        self.events = s.events()
        s.ctl("start", "--no-wait", "burn")
        s.ctl("wait", "--for=stopped", "burn")
        with open(s.path("measured"), encoding="ascii") as file:
            return s, json.load(file)

    def assert_took(self, least, told):
        # What is below a microsecond is lost for user and for system time.
        self.assertGreaterEqual(told, least - 2)
        self.assertLess(told, least + SLACK)

    def test_a_run_is_recorded_with_what_it_took(self):
        s, measured = self.burn()
        instance = s.instance("burn")
        run = instance["last_run"]
        self.assert_took(measured["main"], run["cpu_usec"])
        self.assertEqual((measured["pid"], 3, None, 0, 0), (run["pid"], run["exit_code"], run["exit_signal"], run["orphans"],
                                                           run["orphans_cpu_usec"]))
        self.assertAlmostEqual(instance["since_usec"], run["ended_usec"], delta=SLACK)

    def test_the_change_that_ends_it_tells_so_too(self):
        s, measured = self.burn()
        event = self.events.until("burn", "failed")
        self.assert_took(measured["main"], event["run"]["cpu_usec"])
        past = s.run("why", "--json", "burn").json["history"]
        self.assertEqual(event["run"]["cpu_usec"], past[0]["run"]["cpu_usec"])
        self.assertEqual([None], [entry.get("run") for entry in past[1:2]])

    def test_it_is_told_to_people_in_80_columns(self):
        s, measured = self.burn("orphan")
        for verb in ("status", "why"):
            told = [line for line in s.run(verb, "burn").out.split("\n") if "CPU" in line or "exit:" in line]
            self.assertRegex(told[-1], r"\d+ms of CPU, and 1 orphan, \d+ms of CPU$")
            self.assertLessEqual(max(map(len, told)), 80, told)
        self.assertIn(f"pid {measured['pid']}, ", s.run("why", "burn").out)

    def test_what_the_main_process_collected_itself_counts_for_it(self):
        s, measured = self.burn("child")
        run = s.instance("burn")["last_run"]
        self.assert_took(measured["main"] + measured["child"], run["cpu_usec"])
        self.assertEqual(0, run["orphans"])

    def test_an_orphan_counts_beside_it(self):
        s, measured = self.burn("orphan")
        run = s.instance("burn")["last_run"]
        self.assert_took(measured["main"], run["cpu_usec"])
        self.assert_took(measured["orphan"], run["orphans_cpu_usec"])
        self.assertEqual(1, run["orphans"])
        daemon = s.daemon()
        self.assertEqual((1, 0), (daemon["orphans_reaped"], daemon["orphans_unattributed"]))
        self.assertEqual(run["orphans_cpu_usec"], daemon["orphans_cpu_usec"])

    def test_an_orphan_in_another_session_counts_where_it_is_known_whose_it_was(self):
        s, measured = self.burn("orphan", "session")
        known = self.mode != "group"
        self.assertEqual(int(known), s.instance("burn")["last_run"]["orphans"])
        daemon = s.daemon()
        self.assertEqual((1, int(not known)), (daemon["orphans_reaped"], daemon["orphans_unattributed"]))
        self.assert_took(measured["orphan"], daemon["orphans_cpu_usec"])


everywhere(Accounting, globals(), places={"": {}})


if __name__ == "__main__":
    unittest.main()
