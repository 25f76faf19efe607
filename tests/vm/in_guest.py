"""Runs tests in the virtual machine, where everything is permitted: a test that is skipped there has failed."""

import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent


class NothingSkipped(unittest.TextTestResult):
    def addSkip(self, test, reason):
        try:
            raise AssertionError(f"skipped: {reason}")
        except AssertionError:
            self.addFailure(test, sys.exc_info())


def main(names):
    sys.path[:0] = [str(TESTS / part) for part in ("vm", "integration", "systemd")]
    tests = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(resultclass=NothingSkipped, verbosity=2).run(tests)
    if result.testsRun == 0:
        return f"there is no test in {' '.join(names)}"
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
