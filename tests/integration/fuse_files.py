"""A file system in memory whose writes wait, fail or are counted as a test says: fuse(4), without any library."""
import errno
import os
import select
import stat
import struct
import threading
import time

from fuse import INIT_OUT, IN_HEADER, LIBC, MNT_DETACH, OUT_HEADER, check

LOOKUP, FORGET, GETATTR, SETATTR, UNLINK, OPEN, READ, WRITE, STATFS = 1, 2, 3, 4, 10, 14, 15, 16, 17
RELEASE, FSYNC, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, FSYNCDIR = 18, 20, 25, 26, 27, 28, 29, 30
CREATE, INTERRUPT, BATCH_FORGET, RENAME2 = 35, 36, 42, 45
SILENT = (FORGET, BATCH_FORGET, INTERRUPT)
SET_SIZE, SET_GID, DIRECT_IO, NO_REPLACE = 8, 4, 1, 1
BIG_WRITES = 1 << 5
ROOT_NODE = 1
ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
ENTRY = struct.Struct("<QQQQII")
STATISTICS = struct.Struct("<QQQQQIIII24x")
ENTRY_OF_DIRECTORY = struct.Struct("<QQII")


class Files:
    """One directory of files. `content` is what is in them; `hold()` keeps writes waiting; `error` fails them."""

    def __init__(self, directory):
        self.directory = directory
        self.error = 0
        self.waiting = []
        self._held = False
        self._nodes = {}
        self._names = {}
        self._gids = {}
        self._synced = {}
        self._modes = {}
        self._lock = threading.RLock()
        self.fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self.fd},rootmode=40755,user_id=0,group_id=0,allow_other"
        check(LIBC.mount(b"files", directory.encode(), b"fuse", 0, options.encode()), directory)
        self._end, self._to_end = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def content(self, name):
        with self._lock:
            return bytes(self._nodes[self._names[name]]) if name in self._names else b""

    def put_on_disk(self, name):
        """What was in the file each time it was put on the disk."""
        with self._lock:
            return self._synced.get(self._names.get(name), [])

    def hold(self):
        with self._lock:
            self._held = True

    def let_go(self):
        with self._lock:
            self._held = False
            for header, body in self.waiting:
                self._answer(header, WRITE, body)
            self.waiting.clear()

    def close(self):
        if self.fd >= 0:
            self.let_go()
            LIBC.umount2(self.directory.encode(), MNT_DETACH)
            os.close(self._to_end)
            self._thread.join()
            os.close(self._end)
            os.close(self.fd)  # who still uses it gets an error
            self.fd = -1

    def _serve(self):
        while self._end not in select.select([self.fd, self._end], [], [])[0]:
            try:
                request = os.read(self.fd, (1 << 20) + 4096)
            except OSError as problem:
                if problem.errno == errno.ENODEV:  # it is mounted no more
                    return
                continue  # who has asked has gone
            header, body = IN_HEADER.unpack_from(request), request[IN_HEADER.size:]
            with self._lock:
                if header[1] == WRITE and self._held:
                    self.waiting.append((header, body))
                elif header[1] not in SILENT:
                    self._answer(header, header[1], body)

    def _answer(self, header, operation, body):
        try:
            reply, error = self._do(operation, header[3], body), 0
        except OSError as problem:
            reply, error = b"", -problem.errno
        os.write(self.fd, OUT_HEADER.pack(OUT_HEADER.size + len(reply), error, header[2]) + reply)

    def _do(self, operation, node, body):
        handlers = {INIT: self._init, LOOKUP: self._lookup, GETATTR: self._getattr, SETATTR: self._setattr,
                    CREATE: self._create, OPEN: self._open, OPENDIR: self._open, WRITE: self._write, READ: self._read,
                    FSYNC: self._fsync, UNLINK: self._unlink, RENAME2: self._rename, READDIR: self._list,
                    STATFS: lambda *_: STATISTICS.pack(1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 4096, 255, 4096, 0)}
        if operation in (RELEASE, RELEASEDIR, FLUSH, FSYNCDIR):
            return b""
        if operation not in handlers:
            raise OSError(errno.ENOSYS, "")
        return handlers[operation](node, body)

    @staticmethod
    def _name(body):
        return body.split(b"\0")[0].decode()

    def _attributes(self, node):
        now = int(time.time())
        if node == ROOT_NODE:
            return ATTRIBUTES.pack(node, 0, 0, now, now, now, 0, 0, 0, stat.S_IFDIR | 0o755, 2, 0, 0, 0, 4096, 0)
        links = 1 if node in self._names.values() else 0
        return ATTRIBUTES.pack(node, len(self._nodes[node]), 0, now, now, now, 0, 0, 0, stat.S_IFREG | self._modes[node],
                               links, 0, self._gids.get(node, 0), 0, 4096, 0)

    def _entry(self, node):
        return ENTRY.pack(node, 0, 0, 0, 0, 0) + self._attributes(node)

    def _init(self, _node, _body):
        return INIT_OUT.pack(7, 31, 0, BIG_WRITES, 1, 1, 1 << 17, 1, 32, 0, 0)

    def _lookup(self, _node, body):
        if self._name(body) not in self._names:
            raise OSError(errno.ENOENT, "")
        return self._entry(self._names[self._name(body)])

    def _getattr(self, node, _body):
        return struct.pack("<QII", 0, 0, 0) + self._attributes(node)

    def _setattr(self, node, body):
        valid, size = struct.unpack_from("<I", body)[0], struct.unpack_from("<Q", body, 16)[0]
        if valid & SET_SIZE:
            data = self._nodes[node]
            del data[size:]
            data.extend(bytes(size - len(data)))
        if valid & SET_GID:
            self._gids[node] = struct.unpack_from("<I", body, 80)[0]
        return self._getattr(node, body)

    def _create(self, _node, body):
        node = 2 + len(self._nodes)
        self._nodes[node] = bytearray()
        self._modes[node] = struct.unpack_from("<I", body, 4)[0] & 0o777
        self._names[self._name(body[16:])] = node
        return self._entry(node) + self._open(node, body)

    def _open(self, node, _body):
        return struct.pack("<QII", node, DIRECT_IO, 0)

    def _write(self, node, body):
        offset, size = struct.unpack_from("<QI", body, 8)
        if self.error:
            raise OSError(self.error, "")
        self._nodes[node][offset:offset + size] = body[40:40 + size]
        return struct.pack("<II", size, 0)

    def _read(self, node, body):
        offset, size = struct.unpack_from("<QI", body, 8)
        return bytes(self._nodes[node][offset:offset + size])

    def _fsync(self, node, _body):
        self._synced.setdefault(node, []).append(bytes(self._nodes[node]))
        return b""

    def _unlink(self, _node, body):
        if self._names.pop(self._name(body), None) is None:
            raise OSError(errno.ENOENT, "")
        return b""

    def _rename(self, _node, body):
        flags = struct.unpack_from("<I", body, 8)[0]
        old, new = (word.decode() for word in body[16:].split(b"\0")[:2])
        if flags & NO_REPLACE and new in self._names:
            raise OSError(errno.EEXIST, "")
        self._names[new] = self._names.pop(old)
        return b""

    def _list(self, _node, body):
        offset = struct.unpack_from("<Q", body, 8)[0]
        listing = b""
        for number, (name, node) in enumerate(sorted(self._names.items()), 1):
            if number > offset:
                word = name.encode()
                listing += ENTRY_OF_DIRECTORY.pack(node, number, len(word), 8) + word + bytes(-len(word) % 8)
        return listing
