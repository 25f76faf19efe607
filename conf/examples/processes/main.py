"""The main process: the one whose end matters."""
import time

print("main begins")
time.sleep(0.5)
print("main ends")
