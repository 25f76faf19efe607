"""Lets procsup-keeper, without any rights, end fork_bomb, as the first process of a pid namespace, which ends with it.

    unshare --pid --fork --mount-proc --kill-child python3 -B keeper_sandbox.py DIRECTORY all|one|threads [pause]

DIRECTORY holds the programs where any user may execute them. With "pause", first the job is paused, and must then not
change. Prints what became of it as JSON.
"""
import json
import os
import resource
import sys

from keeper_process import KILL_ALL, PAUSE, Keeper
from processes import descendants

MOST_PROCESSES = 300
UID = 50000 + os.getpid() + os.stat(sys.argv[1]).st_ino % 10000  # of nobody else, so that the limit counts these alone


def main(directory, how, pause=None):
    assert os.getpid() == 1
    keeper = Keeper(os.path.join(directory, "fork_bomb"), how, uid=UID, limits={resource.RLIMIT_NPROC: MOST_PROCESSES},
                    keeper_uid=UID, keeper_program=os.path.join(directory, "procsup-keeper"))
    assert keeper.lines.next() == "full"
    if pause:
        keeper.order(PAUSE)
        keeper.wait_states("T")
        paused = keeper.tree()
        assert paused == keeper.tree() and set(paused.values()) == {"T"}
    keeper.order(KILL_ALL)
    reports = [keeper.report()]
    if not reports[0].empty:
        reports.append(keeper.report())
    code = keeper.end()
    # X: the kernel is removing it; its parent ignored SIGCHLD, so nobody has to collect it.
    left = {pid: text for pid, text in descendants(1).items() if not text.startswith("X")}
    print(json.dumps({"reports": [report._asdict() for report in reports], "exit": code, "left": left,
                      "most": MOST_PROCESSES}))


main(*sys.argv[1:])
