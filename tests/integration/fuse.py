"""A file system that never answers, as a dead network mount does: it is mounted, and from then on silent."""
import ctypes
import os
import struct

from processes import Deadline

MNT_DETACH = 2
FUSE_INIT = 26
IN_HEADER = struct.Struct("<IIQQIIII")
OUT_HEADER = struct.Struct("<IiQ")
INIT_OUT = struct.Struct("<IIIIHHIIHHI28x")
LIBC = ctypes.CDLL(None, use_errno=True)


def available():
    return os.geteuid() == 0 and os.access("/dev/fuse", os.R_OK | os.W_OK)


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


class SilentMount:
    """Who touches what is below waits; while nobody takes the request he can be killed, afterwards not even that."""

    def __init__(self, directory):
        self.directory = directory
        self.fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self.fd},rootmode=40755,user_id=0,group_id=0,allow_other"
        check(LIBC.mount(b"silent", directory.encode(), b"fuse", 0, options.encode()), directory)
        request = self.take()
        unique = request[2]
        body = INIT_OUT.pack(7, 31, 0, 0, 1, 1, 4096, 1, 1, 0, 0)
        os.write(self.fd, OUT_HEADER.pack(OUT_HEADER.size + len(body), 0, unique) + body)

    def take(self):
        """Reads the next request, which then nobody answers."""
        if not Deadline().readable(self.fd):
            raise AssertionError("nobody has touched the mount")
        return IN_HEADER.unpack_from(os.read(self.fd, 1 << 17))

    def close(self):
        """Ends it: who waits gets an error."""
        if self.fd >= 0:
            os.close(self.fd)
            LIBC.umount2(self.directory.encode(), MNT_DETACH)
            self.fd = -1
