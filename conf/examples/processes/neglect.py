"""A parent that does not wait for its child."""
import os
import time

child = os.fork()
if child == 0:
    os._exit(0)
print(f"neglect has the zombie {child}")
time.sleep(0.8)
