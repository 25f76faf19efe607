"""Figures: medians, how they are written, and the table."""

import math
from statistics import median
from typing import NamedTuple, Optional


class Kind(NamedTuple):
    """How a value is written: the unit changes with its size."""
    units: tuple  # (from this value on, divisor, unit), the largest first

    def text(self, value):
        if value is None:
            return "-"
        if value == 0:
            return "0"
        for least, divisor, unit in self.units:
            if value >= least:
                digits = ".3g" if value / divisor < 1000 else ".0f"
                return f"{value / divisor:{digits}} {unit}".strip()
        return f"{value:.3g} {self.units[-1][2]}"


TIME = Kind(((1e9, 1e9, "s"), (1e6, 1e6, "ms"), (1e3, 1e3, "us"), (0, 1, "ns")))  # from nanoseconds
MEMORY = Kind(((1024, 1024, "MiB"), (0, 1, "KiB")))  # from KiB
COUNT = Kind(((0, 1, ""),))
RATE = Kind(((1e3, 1e3, "GB/s"), (0, 1, "MB/s")))  # from MB/s
PER_SECOND = Kind(((0, 1, "/s"),))
PERCENT = Kind(((0, 1, "%"),))
TIMES = Kind(((0, 1, "x"),))


class Row(NamedTuple):
    """One line. Of the targets one at most is there: `most_ratio` and `least_ratio` are over the floor, `most` is in the
    row's own unit, and `most_of_best` is over the best of the peers."""
    what: str
    kind: Kind
    product: Optional[float]
    floor: Optional[float] = None
    most_ratio: Optional[float] = None
    most: Optional[float] = None
    least_ratio: Optional[float] = None
    most_of_best: Optional[float] = None
    peers: dict = {}  # name -> (value, ratio or None)
    of: str = "procsupd"  # the program that the line is of; each has a table

    def ratio(self):
        if self.product is None or not self.floor:
            return None
        return self.product / self.floor

    def met(self):
        """None: there is no target, or nobody to compare with."""
        if self.most_of_best is not None and self.product is not None and self.peers:
            return self.product <= self.most_of_best * min(value for value, _ in self.peers.values())
        if self.product is None or (self.most is None and self.most_ratio is None and self.least_ratio is None):
            return None
        if self.most is not None:
            return self.product <= self.most
        ratio = self.ratio()
        if self.least_ratio is not None:
            return ratio is not None and ratio >= self.least_ratio
        return ratio is not None and ratio <= self.most_ratio

    def target_text(self):
        if self.most_of_best is not None:
            return f"<= {self.most_of_best:.2f}x the best other"
        if self.most is not None:
            return f"<= {self.kind.text(self.most)}"
        if self.least_ratio is not None:
            return f">= {self.least_ratio:.2f}x"
        return "-" if self.most_ratio is None else f"<= {self.most_ratio:.2f}x"


def ratio_text(ratio):
    if ratio is None or not math.isfinite(ratio):
        return "-"
    return f"{ratio:.2f}x" if ratio < 100 else f"{ratio:.0f}x"


def _peer_text(row, name):
    if name not in row.peers:
        return "-"
    value, ratio = row.peers[name]
    return row.kind.text(value) + (f" ({ratio_text(ratio)})" if ratio is not None else "")


def markdown(rows):
    """A table for each program, with a column for each of its peers."""
    programs = dict.fromkeys(row.of for row in rows)
    return "\n\n".join(_table(program, [row for row in rows if row.of == program]) for program in programs)


def _table(program, rows):
    peer_names = list(dict.fromkeys(name for row in rows for name in row.peers))
    head = ["what", program, "floor", "ratio", "target", "met", *peer_names]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        met = {None: "-", True: "yes", False: "**no**"}[row.met()]
        lines.append([row.what, row.kind.text(row.product), row.kind.text(row.floor), ratio_text(row.ratio()),
                      row.target_text(), met, *(_peer_text(row, name) for name in peer_names)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


class Samples:
    """Per supervisor and metric the figure of each round; the result is the median over rounds."""

    def __init__(self):
        self._values = {}

    def add(self, supervisor, metric, value):
        self._values.setdefault((supervisor, metric), []).append(value)

    def of(self, supervisor, metric):
        values = self._values.get((supervisor, metric))
        return median(values) if values else None

    def worst(self, supervisor, metric):
        return max(self._values.get((supervisor, metric), []), default=None)

    def row(self, what, kind, metric, peers=(), product="procsupd", **target):
        """The line of a metric; a peer is compared with the same floor. `product`: procsupd in one of its modes."""
        floor = self.of("floor", metric)
        values = {peer.name: self.of(peer.name, metric) for peer in peers}
        return Row(what, kind, self.of(product, metric), floor,
                   peers={name: (value, value / floor if floor else None)
                          for name, value in values.items() if value is not None}, **target)


def in_turn(items, round_number):
    """The items beginning with another one in each round, so that none always comes first."""
    shift = round_number % len(items)
    return [*items[shift:], *items[:shift]]
