"""Counts in redis; ends when redis goes away, and is started again."""
import os
import socket
import sys
import time

name = os.environ["PROCSUPD_INSTANCE"]
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as cache:
    while True:
        cache.sendall(b"INCR visits\r\n")
        answer = cache.recv(64)
        if not answer:
            sys.exit(f"{name}: the cache has gone")
        time.sleep(0.5)
