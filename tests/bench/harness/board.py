"""The board: the file on which supervised programs write when they were born and died (helpers/board.h)."""

import mmap
import os
import struct
from typing import NamedTuple

HEADER = struct.Struct("=QQQQIII12x")
RECORD = struct.Struct("=QQiI")


class Header(NamedTuple):
    started_ns: int
    released_ns: int
    gone_ns: int
    spent_ns: int
    capacity: int
    claimed: int
    parked: int


class Record(NamedTuple):
    born_ns: int
    died_ns: int
    pid: int
    id: int


class Board:
    """Owns the file's mapping; reads only, but for the header it makes."""

    def __init__(self, path, capacity):
        self.path = path
        with open(path, "wb") as file:
            file.write(HEADER.pack(0, 0, 0, 0, capacity, 0, 0))
            file.truncate(HEADER.size + capacity * RECORD.size)
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._memory = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
        finally:
            os.close(fd)

    def header(self):
        return Header(*HEADER.unpack_from(self._memory))

    def claimed(self):
        header = self.header()
        return min(header.claimed, header.capacity)

    def records(self, limit=None):
        """The records that are complete, in the order in which they were claimed."""
        count = self.claimed() if limit is None else min(limit, self.claimed())
        data = self._memory[HEADER.size:HEADER.size + count * RECORD.size]
        return [record for record in map(Record._make, RECORD.iter_unpack(data)) if record.born_ns]

    def all_born(self, count):
        """Cheap while they are still coming, because it is asked often."""
        return self.claimed() >= count and len(self.records()) >= count

    def close(self):
        self._memory.close()
