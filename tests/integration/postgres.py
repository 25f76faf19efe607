"""A real PostgreSQL: where it is, and a database for it."""
import os
import pwd
import subprocess

from harness import ROOT

POSTGRES_BIN = "/usr/lib/postgresql/15/bin"
# It refuses to run as root: the key of its job.
USER = 'user = "postgres"' if ROOT else ""


def make_database(data):
    os.mkdir(data, 0o700)
    user = {}
    if ROOT:
        entry = pwd.getpwnam("postgres")
        os.chown(data, entry.pw_uid, entry.pw_gid)
        user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    subprocess.run([f"{POSTGRES_BIN}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync",
                    "-E", "UTF8", "--locale=C"], check=True, stdout=subprocess.DEVNULL, cwd="/", **user)
