"""An ordinary process, which takes longer than the main one."""
import time

print("report begins")
time.sleep(1)
print("report ends")
