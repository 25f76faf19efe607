"""A daemon process: never ends by itself."""
import multiprocessing
import time

try:
    multiprocessing.Process(target=print).start()
except PermissionError as error:
    print(f"watch may not have children: {error.strerror}")
while True:
    print("watch is there")
    time.sleep(0.1)
