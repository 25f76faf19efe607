"""A parent that ends before its child."""
import os
import time

main = os.getpid()
if os.fork() > 0:
    os._exit(0)
while os.getppid() == main:  # until it is an orphan
    time.sleep(0.01)
print(f"{os.getpid()} was left by {main}")
time.sleep(0.8)
print("the orphan ends")
