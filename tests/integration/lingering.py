"""Descriptors whose last close blocks whoever does it for an hour: connections on which what was written is not read."""
import array
import socket
import struct


def connection():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    near.setblocking(False)
    try:
        while True:
            near.send(bytes(1 << 20))
    except BlockingIOError:
        pass
    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
    return near, far


def send(channel, data):
    """Sends `data` with such a descriptor, of which this program keeps no other, to somebody who is stopped: else closing ours
    may be the last. Returns the end that does not read."""
    near, far = connection()
    with near:
        channel.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [near.fileno()] * 3))])
    return far
