"""A job that writes numbered lines for ever: "RUN NUMBER xxx", each with one write(2) that is done wholly or not at all.

    numbered_lines.py BOARD [LONGEST]
    numbered_lines.py BOARD yes

How many lines each run has written stands on the board, which outlives it. With "yes" these are pieces of what yes(1) writes.
"""
import ctypes
import mmap
import os
import sys
import time

COUNTERS = ctypes.c_uint64 * 4096
ALLOWED = 4095
PIECE = b"y\n" * 2048


class Board:
    """Counters that are in memory shared with the runs: the number of runs, then the lines of each; the last one says how many
    lines all runs together may write, 0 that there is no end."""

    def __init__(self, path):
        with open(path, "ab") as file:
            file.truncate(ctypes.sizeof(COUNTERS))
        with open(path, "r+b") as file:
            # Stored at once, also by who is killed: struct.pack_into() would first store zeros.
            self.counters = COUNTERS.from_buffer(mmap.mmap(file.fileno(), 0))

    def get(self, index):
        return self.counters[index]

    def set(self, index, value):
        self.counters[index] = value

    def lines(self):
        """{run: lines it has noted}"""
        return {run: self.get(run) for run in range(1, self.get(0) + 1)}

    def total(self):
        return sum(self.counters[1:self.get(0) + 1])

    def allow(self, more):
        """So many lines beside those that are written already."""
        self.set(ALLOWED, self.total() + more)


def line(run, number, longest):
    return b"%d %d %s\n" % (run, number, b"x" * (number * 7919 % (longest + 1)))


def faults(content, noted, longest):
    """What is wrong with the `content`, lines of all runs: each has to be there once, whole and in its order. A run that was
    killed may have written one line more than it could note."""
    lines = iter(content.splitlines(keepends=True))
    text = next(lines, None)
    for run, count in noted.items():
        number = 0
        while text == line(run, number + 1, longest):
            number += 1
            text = next(lines, None)
        if number not in (count, count + 1):
            return f"{number} lines of run {run}, which noted {count}, then {text and text[:60]!r}"
    return None if text is None else f"behind the last run: {text[:60]!r}"


def main():
    board = Board(sys.argv[1])
    yes = sys.argv[2:] == ["yes"]
    longest = int(sys.argv[2]) if len(sys.argv) > 2 and not yes else 100
    before, run = board.total(), board.get(0) + 1
    board.set(0, run)
    number = 0
    while True:
        while 0 < board.get(ALLOWED) <= before + number:
            time.sleep(0.001)
        os.write(1, PIECE if yes else line(run, number + 1, longest))
        number += 1
        board.set(run, number)


if __name__ == "__main__":
    main()
