"""procsup-probe --watch and --once: when what it looks at is healthy, and when not."""
import unittest

from probe_process import ProbeTest


class Watch(ProbeTest):
    def watch(self, pattern, *options):
        """Looks that fail where `pattern` has 1; behind its end all are as its last. Each report names how often it has looked."""
        counter = self.path("looks")
        with open(counter, "w", encoding="utf-8") as file:
            file.write("0")
        script = (f'n=$(($(cat {counter}) + 1)); echo $n > {counter}.new; mv {counter}.new {counter}; '
                  f'[ $n -gt {len(pattern)} ] && n={len(pattern)}; exit $(echo {pattern} | cut -c$n)')
        return self.probe("--watch", "--interval", "5", "--timeout", "5000", *options, "exec", "--", "/bin/sh", "-c", script)

    def verdicts(self, pattern, *options, count):
        """The first `count` changes of the verdict."""
        probe = self.watch(pattern, *options)
        seen = []
        while len(seen) < count:
            word = probe.reports.next().split(":")[0]
            if not seen or seen[-1] != word:
                seen.append(word)
        probe.terminate()
        return seen

    def test_is_healthy_with_the_first_success_and_unhealthy_with_enough_failures(self):
        self.assertEqual(["healthy", "unhealthy"], self.verdicts("01101", "--failures", "3", "--of", "4", count=2))

    def test_is_unknown_until_there_were_enough_looks(self):
        self.assertEqual(["unknown", "unhealthy"], self.verdicts("1", "--failures", "3", "--of", "3", count=2))

    def test_is_healthy_again_after_so_many_successes_in_a_row(self):
        self.assertEqual(["unhealthy", "healthy"],
                         self.verdicts("101100", "--failures", "1", "--of", "1", "--successes", "2", count=2))
        with open(self.path("looks"), encoding="utf-8") as file:
            self.assertGreaterEqual(int(file.read()), 6)

    def test_counts_no_failure_during_its_grace(self):
        probe = self.watch("1", "--failures", "1", "--of", "1", "--grace", "3600000")
        self.assertRegex(probe.reports.next(), "^unknown: ")
        self.await_looks(20)
        probe.terminate()
        self.assertEqual([], [line for line in probe.rest_of_reports() if not line.startswith("unknown")])

    def test_says_nothing_as_long_as_nothing_changes(self):
        probe = self.watch("0")
        self.assertEqual("healthy", probe.reports.next())
        self.await_looks(20)
        probe.terminate()
        self.assertEqual([], probe.rest_of_reports())

    def await_looks(self, count):
        def looks():
            with open(self.path("looks"), encoding="utf-8") as file:
                return int(file.read() or 0)

        self.await_true(f"{count} looks", lambda: looks() >= count)

    def test_goes_on_where_there_is_no_such_command(self):
        probe = self.probe("--watch", "--interval", "5", "--failures", "2", "--of", "2", "exec", "--", "/nowhere")
        self.assertRegex(probe.reports.next(), "^unknown: .*No such file or directory$")
        self.assertRegex(probe.reports.next(), "^unhealthy: .*No such file or directory$")
        self.assertIsNone(probe.process.poll())


class Once(ProbeTest):
    def test_ends_as_its_only_look_does(self):
        good = self.probe("--once", "exec", "--", "/bin/true")
        self.assertEqual(((0, ""), "healthy"), (good.end(), good.reports.next()))
        bad = self.probe("--once", "exec", "--", "/bin/sh", "-c", "echo disk full; exit 3")
        self.assertEqual((1, ""), bad.end())
        self.assertRegex(bad.reports.next(), r"^unhealthy: .*exit code 3:\tdisk full$")


if __name__ == "__main__":
    unittest.main()
