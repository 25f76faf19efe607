"""Appends its input, a pipe, to a file: append_input.py FILE

By splice(2): what has left the pipe stands in the file, whenever this process is killed.
"""
import os
import sys


def main():
    output = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    os.lseek(output, 0, os.SEEK_END)
    while os.splice(0, output, 65536):
        pass


if __name__ == "__main__":
    main()
