"""What reaches the journal, and that procsupd does not depend on the journal's health."""

import json
import os
import re
import signal
import time
from pathlib import Path

from on_systemd import (PATIENCE, SERVICE, TIME_SCALE, Process, ServiceTest, ctl, instances, journal_entry, main, properties,
                        run, wait_for)


class Journal(ServiceTest):
    def test_has_the_lines_of_a_job_under_the_name_of_the_instance(self):
        self.job("talker", "instances = 2", "shell = 'echo said by $PROCSUPD_INSTANCE; exec sleep infinity'",
                 "[log]", 'stdout = "journal"')
        self.start()
        for instance in ("talker@0", "talker@1"):
            line = journal_entry(f"SYSLOG_IDENTIFIER={instance}", f"_SYSTEMD_UNIT={SERVICE}")
            self.assertEqual(line["MESSAGE"], f"said by {instance}")
            self.assertEqual(line["PROCSUP_JOB"], "talker")
            self.assertEqual(line["PROCSUP_INSTANCE"], instance)
            self.assertEqual(line["PROCSUP_STREAM"], "stdout")

    def test_takes_the_level_from_the_line_else_from_the_stream(self):
        self.job("both", 'type = "oneshot"', "shell = 'echo usual; echo \"<4>marked\"; echo bad too >&2'", "[log]",
                 'stdout = "journal"', 'stderr = "journal"')
        self.job("errors", 'type = "oneshot"', "shell = 'echo bad >&2'", "[log]", 'stdout = "null"',
                 'stderr = "journal"')
        self.start()
        for instance, message, priority in (("both", "usual", "6"), ("both", "marked", "4"), ("both", "bad too", "3"),
                                            ("errors", "bad", "3")):
            entry = journal_entry(f"SYSLOG_IDENTIFIER={instance}", holds=lambda entry: entry["MESSAGE"] == message)
            self.assertEqual(entry["PRIORITY"], priority, message)

    def test_has_the_last_line_of_a_job_that_ends_at_once(self):
        self.job("brief", 'type = "oneshot"', "instances = 20", "shell = 'printf \"last words of $PROCSUPD_INSTANCE\"'",
                 "[log]", 'stdout = "journal"')
        self.start()
        for index in range(20):
            line = journal_entry(f"SYSLOG_IDENTIFIER=brief@{index}", f"_SYSTEMD_UNIT={SERVICE}")
            self.assertEqual(line["MESSAGE"], f"last words of brief@{index}")

    def test_is_named_to_who_asks_for_the_lines_of_a_job(self):
        self.job("talker", "shell = 'echo out; echo bad >&2; exec sleep infinity'", "[log]", 'stdout = "journal"')
        self.job("half", "shell = 'echo out; echo bad >&2; exec sleep infinity'", "[log]", 'stdout = "journal"',
                 'stderr = "capture"')
        self.start()
        refused = ctl("logs", "talker", check=False)
        self.assertIn("what it writes is in the journal: journalctl PROCSUP_JOB=talker", refused.stderr)
        journal_entry("PROCSUP_JOB=half", holds=lambda entry: entry["MESSAGE"] == "out")
        end = time.monotonic() + PATIENCE
        while ctl("logs", "-o", "cat", "half").stdout != "bad\n":
            self.assertLess(time.monotonic(), end)

    def test_lets_the_last_lines_of_a_failed_run_be_told(self):
        self.job("dying", 'restart = "no"', "shell = 'echo alive; echo \"<2>dead\" >&2; exit 3'", "[log]",
                 'stdout = "journal"', 'stderr = "journal"')
        self.start()
        end = time.monotonic() + PATIENCE
        while not re.search(r"alive(.|\n)*dead", ctl("why", "dying", check=False).stdout):
            self.assertLess(time.monotonic(), end, ctl("why", "dying", check=False).stdout)

    def test_lets_a_job_be_ready_by_a_line(self):
        self.job("waited", "shell = 'echo starting; printf \"now \"; echo ready >&2; echo ready; exec sleep infinity'", "[ready]",
                 'log_line = "^now ready$"', "[log]", 'stdout = "journal"', 'stderr = "journal"')
        self.start()
        ctl("wait", "waited")
        self.assertTrue(instances()["waited"]["ready"])

    def test_has_inherited_output_under_the_service(self):
        self.job("heir", 'type = "oneshot"', "shell = 'echo inherited'", "[log]", 'stdout = "inherit"')
        self.start()
        journal_entry(f"_SYSTEMD_UNIT={SERVICE}", holds=lambda entry: entry["MESSAGE"] == "inherited")

    def test_has_job_and_instance_as_fields_of_what_procsupd_says(self):
        self.job("failing", "instances = 2", 'restart = "no"', "shell = 'exit 3'")
        self.start()
        entry = journal_entry("PROCSUPD_JOB=failing", "PROCSUPD_INSTANCE=failing@1", "PROCSUPD_STATE=failed")
        self.assertEqual(entry["SYSLOG_IDENTIFIER"], "procsupd")
        self.assertEqual(entry["_SYSTEMD_UNIT"], SERVICE)
        self.assertEqual(entry["PRIORITY"], "4")
        self.assertIn("exit 3", entry["MESSAGE"])

    def test_gets_no_forged_fields_from_a_name_in_a_message(self):
        self.job("sly", 'restart = "no"', r'command = ["/nonexistent/\nPRIORITY=0\nFORGED=yes"]')
        self.start()
        entry = journal_entry("PROCSUPD_JOB=sly", "PROCSUPD_STATE=failed")
        self.assertNotIn("FORGED", entry)
        self.assertEqual(entry["PRIORITY"], "4")


class Numbers(ServiceTest):
    """A job that writes numbers as fast as the journal takes them, until it is told that these are enough."""

    def begin(self, name):
        # The journal is that of all tests.
        self.name = name
        self.job(name, 'type = "oneshot"',
                 "shell = 'until [ -e /run/test/enough ]; do i=$((i + 1)); echo $i; done; echo $i > /run/test/count'",
                 "[log]", 'stdout = "journal"')
        self.start()

    def written(self, *options):
        run("journalctl", "--sync")
        shown = run("journalctl", "--no-pager", "-o", "cat", f"PROCSUP_JOB={self.name}", "PROCSUP_STREAM=stdout", *options)
        return shown.stdout.splitlines()

    def await_last(self, what, holds):
        end = time.monotonic() + PATIENCE
        while not holds(int((self.written("-n", "1") or ["0"])[0])):
            self.assertLess(time.monotonic(), end, f"{what}; {self.written('-n', '1')} {instances()}")

    def await_more(self):
        before = int((self.written("-n", "1") or ["0"])[0])
        self.await_last("lines flow", lambda last: last >= before + 1000)

    def end(self):
        """What was written, and what should be."""
        (self.scratch / "enough").touch()
        ctl("wait", self.name, "--for=exit", f"--timeout={PATIENCE:.0f}s")
        count = int((self.scratch / "count").read_text())
        self.await_last("all is written", lambda last: last == count)
        return self.written(), [str(number) for number in range(1, count + 1)]

    def test_are_all_there_in_order_when_the_journal_is_restarted(self):
        self.begin("over-restarts")
        for _ in range(3):
            self.await_more()
            run("systemctl", "restart", "systemd-journald.service")
        self.await_more()
        written, expected = self.end()
        self.assertTrue(written == expected, (len(written), len(expected)))

    def test_are_all_there_in_order_when_the_logger_is_killed(self):
        self.begin("over-kills")
        kills = 5
        for _ in range(kills):
            self.await_more()
            logger = run("pgrep", "-f", "^procsup-logger /run").stdout
            os.kill(int(logger.split()[0]), signal.SIGKILL)
        self.await_more()
        written, expected = self.end()
        once = [line for line, after in zip(written, [*written[1:], None]) if line != after]
        self.assertTrue(once == expected, (len(once), len(expected)))
        self.assertLessEqual(len(written) - len(once), kills)


class NoJournal(ServiceTest):
    SOCKET = Path("/run/systemd/journal/socket")

    def setUp(self):
        super().setUp()
        self.job("talker", 'enabled = false', "shell = 'while read line; do echo $line; done < /run/test/lines'", "[log]",
                 'stdout = "journal"')
        self.fifo("lines")
        self.start()

    def without_journal(self):
        aside = self.SOCKET.rename(self.SOCKET.with_name("aside"))
        self.addCleanup(lambda: aside.exists() and aside.rename(self.SOCKET))
        return aside

    def test_is_why_a_job_cannot_start(self):
        self.without_journal()
        refused = ctl("start", "talker", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("cannot connect to the journal: No such file or directory", refused.stdout + refused.stderr)

    def test_is_why_lines_wait_until_there_is_one(self):
        ctl("start", "talker")
        aside = self.without_journal()
        with (self.scratch / "lines").open("w") as lines:
            print("one\ntwo", file=lines, flush=True)
            end = time.monotonic() + PATIENCE
            while "write to the journal" not in ctl("why", "talker").stdout:
                self.assertLess(time.monotonic(), end)
            aside.rename(self.SOCKET)
            journal_entry("PROCSUP_JOB=talker", holds=lambda entry: entry["MESSAGE"] == "one")
            journal_entry("PROCSUP_JOB=talker", holds=lambda entry: entry["MESSAGE"] == "two")


class HungJournal(ServiceTest):
    def setUp(self):
        super().setUp()
        self.journald = Process(properties("systemd-journald.service", "MainPID")["MainPID"])
        self.addCleanup(self.journald.send, signal.SIGCONT)

    def test_stops_neither_procsupd_nor_its_watchdog(self):
        self.job("busy", "command = 'true'", 'restart = "always"', 'min_uptime = "0s"', 'restart_delay = "0s"',
                 'start_limit = "none"')
        self.job("talker", 'enabled = false', 'command = "sleep infinity"', "[log]", 'stdout = "journal"')
        self.drop_in(f"WatchdogSec={2 * TIME_SCALE}s", "Restart=no")
        self.start()
        daemon = self.daemon()
        self.journald.send(signal.SIGSTOP)
        # Far more transitions than the journal's socket holds.
        before = instances()["busy"]["restarts"]
        while instances()["busy"]["restarts"] < before + 2000:
            self.assertFalse(daemon.ends_within(0))
        ctl("ping", "--timeout=2s")
        ctl("start", "talker", "--timeout=5s")
        self.assertGreater(json.loads(ctl("daemon", "status", "--json").stdout)["log_lines_dropped"], 0)
        self.assertFalse(daemon.ends_within(3 * TIME_SCALE))
        self.journald.send(signal.SIGCONT)
        wait_for(SERVICE, ActiveState="active")

    def test_does_not_stop_a_job_that_may_lose_lines(self):
        self.job("loose", 'type = "oneshot"', 'enabled = false', "shell = 'seq 1 300000'", "[log]", 'stdout = "journal"',
                 'on_full = "drop_newest"')
        self.start()
        self.journald.send(signal.SIGSTOP)
        ctl("start", "loose")
        ctl("wait", "loose", "--for=exit", f"--timeout={PATIENCE:.0f}s")
        self.assertIn("the journal does not take it", ctl("why", "loose", check=False).stdout)
        self.journald.send(signal.SIGCONT)
        journal_entry("PROCSUP_JOB=loose", "PRIORITY=4", holds=lambda entry: "lines lost" in entry["MESSAGE"])


if __name__ == "__main__":
    main()
