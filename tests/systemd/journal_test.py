"""What reaches the journal, and that procsupd does not depend on the journal's health."""

import json
import signal

from on_systemd import (SERVICE, TIME_SCALE, Process, ServiceTest, ctl, instances, journal_entry, main, properties,
                        wait_for)


class Journal(ServiceTest):
    def test_has_the_lines_of_a_job_under_the_name_of_the_instance(self):
        # It stays: journald looks at the process of a line for its unit, when it comes to it.
        self.job("talker", "instances = 2", "shell = 'echo said by $PROCSUPD_INSTANCE; exec sleep infinity'",
                 "[log]", 'stdout = "journal"')
        self.start()
        for instance in ("talker@0", "talker@1"):
            line = journal_entry(f"SYSLOG_IDENTIFIER={instance}", f"_SYSTEMD_UNIT={SERVICE}")
            self.assertEqual(line["MESSAGE"], f"said by {instance}")
            self.assertEqual(line["_TRANSPORT"], "stdout")

    def test_takes_the_level_from_the_line_else_from_the_stream(self):
        self.job("both", 'type = "oneshot"', "shell = 'echo usual; echo \"<4>marked\"'", "[log]", 'stdout = "journal"')
        self.job("errors", 'type = "oneshot"', "shell = 'echo bad >&2'", "[log]", 'stdout = "null"',
                 'stderr = "journal"')
        self.start()
        for instance, message, priority in (("both", "usual", "6"), ("both", "marked", "4"), ("errors", "bad", "3")):
            entry = journal_entry(f"SYSLOG_IDENTIFIER={instance}", holds=lambda entry: entry["MESSAGE"] == message)
            self.assertEqual(entry["PRIORITY"], priority, message)

    def test_has_the_last_line_of_a_job_that_ends_at_once(self):
        self.job("brief", 'type = "oneshot"', "instances = 20", "shell = 'echo last words of $PROCSUPD_INSTANCE'",
                 "[log]", 'stdout = "journal"')
        self.start()
        for index in range(20):
            # journald knows its unit although the process has ended when it looks.
            line = journal_entry(f"SYSLOG_IDENTIFIER=brief@{index}", f"_SYSTEMD_UNIT={SERVICE}")
            self.assertEqual(line["MESSAGE"], f"last words of brief@{index}")

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


if __name__ == "__main__":
    main()
