"""procsupd in a scope of its own that systemd has delegated to it, on a hierarchy with all controllers."""

import itertools
from pathlib import Path

from harness import IntegrationTest

ALL_GROUPS = Path("/sys/fs/cgroup")


def group_of(pid):
    """The directory of the process's cgroup."""
    lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines()
    return ALL_GROUPS / next(line[len("0::/"):] for line in lines if line.startswith("0::/"))


class DelegatedTest(IntegrationTest):
    """As IntegrationTest; `properties` of a supervisor are those of its scope (systemd.resource-control(5))."""

    _numbers = itertools.count(1)

    def prepare(self, config="", *, properties=(), prefix=(), **arguments):
        # The command takes the place of systemd-run, so that the supervisor is a child of the test as everywhere else.
        scope = ["systemd-run", "--quiet", "--scope", "--collect", f"--unit=procsupd-{next(self._numbers)}",
                 *(f"--property={text}" for text in ("Delegate=yes", *properties))]
        return super().prepare(config, prefix=[*scope, "--", *prefix], **{"in_place": True, **arguments})

    def scope_of(self, supervisor):
        """The directory of what was delegated: procsupd's own group is a leaf below."""
        return group_of(supervisor.process.pid).parent
