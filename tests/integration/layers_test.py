"""Directories that stand over one another, overlays, and where procsupctl cat says each key is from."""
import os
import shutil
import subprocess
import unittest

from harness import PROCSUPD, IntegrationTest

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/layers")
SLEEP = 'command = ["sleep", "1000"]\n'


class Layers(IntegrationTest):
    def layered(self, files, layers=("etc", "lib"), **arguments):
        s = self.prepare(layers=layers, **arguments)
        for layer in layers:
            os.makedirs(s.path(layer), exist_ok=True)
        for path, text in files.items():
            self.put(s, path, text)
        return s

    def put(self, s, path, text):
        os.makedirs(os.path.dirname(s.path(path)), exist_ok=True)
        s.write(path, text)

    def shown(self, s, job):
        """What cat says: {key: (value, place)}."""
        lines = [line.partition("  # ") for line in s.ctl("cat", job).out.splitlines() if " = " in line]
        return {text.partition(" = ")[0]: (text.partition(" = ")[2], place) for text, _, place in lines}

    def test_a_check_that_finds_no_job_says_where_it_has_looked(self):
        s = self.layered({})
        def check(*paths):
            return subprocess.run([PROCSUPD, "--check", *paths], capture_output=True, text=True, check=True).stdout
        etc, lib = s.layers
        self.assertEqual(f"{etc}: 0 jobs, no problems\nno job: looked for files NAME.toml in {etc}\n", check(etc))
        os.mkdir(s.path("lib/jobs.d"))
        self.put(s, "etc/procsupd.toml", "[daemon]\n")
        self.assertEqual(f"no job: looked for files NAME.toml in {etc}/jobs.d (which is not there), {lib}/jobs.d\n",
                         "".join(check(etc, lib).splitlines(True)[1:]))
        self.assertEqual("no job: there is no [jobs.NAME] in it, and it is no job file\n",
                         "".join(check(s.path("etc/procsupd.toml")).splitlines(True)[1:]))

    def test_a_masked_job_is_missing_and_cat_says_by_which_file(self):
        s = self.layered({"lib/jobs.d/web.toml": SLEEP, "lib/jobs.d/db.toml": SLEEP, "etc/jobs.d/db.toml": "enabled = false\n"})
        s.start().settle()
        self.assertEqual({"web"}, set(s.instances()))
        mask = s.path("etc/jobs.d/web.toml")
        self.assertIn(f"there is no job 'db': {s.path('etc/jobs.d/db.toml')} masked it when", s.run("cat", "db").err)
        self.put(s, "etc/jobs.d/web.toml", "enabled = false\n")
        s.ctl("apply")
        self.await_true("it is gone", lambda: not s.instances())
        refused = s.run("cat", "web")
        self.assertNotEqual(0, refused.code)
        self.assertRegex(refused.err, f"there is no job 'web': {mask} masked it when the configuration was read, \\S+ ago\n")
        self.put(s, "etc/jobs.d/top.toml", SLEEP + 'requires = ["web"]\n')
        self.assertIn(f"'requires' names 'web', which is no job: {mask} masks it", s.ctl("apply", expect=6).err)
        os.unlink(s.path("etc/jobs.d/top.toml"))
        os.unlink(mask)
        s.ctl("apply")
        self.assertIn("sleep", s.ctl("cat", "web").out)

    def test_the_example_runs_as_it_says(self):
        s = self.prepare(layers=["etc", "usr-lib"])
        for layer in s.layers:
            shutil.copytree(os.path.join(EXAMPLE, os.path.basename(layer)), layer)
        s.start().settle()
        self.assertEqual({"cache", "shop"}, set(s.instances()))
        with open(f"/proc/{s.pid_of('cache')}/environ", encoding="utf-8") as file:
            self.assertIn("CACHE_SIZE=512", file.read().split("\0"))
        cache, lib, overlay = self.shown(s, "cache"), s.path("usr-lib"), s.path("etc/jobs.d/cache.toml.d/50-local.toml")
        self.assertEqual(('["sleep", "infinity"]', f"{lib}/jobs.d/cache.toml:2"), cache["command"])
        self.assertEqual(('"always"', f"{lib}/jobs.d/cache.toml:3"), cache["restart"])
        self.assertEqual(('"5s"', f"{lib}/procsupd.toml:3"), cache["stop_timeout"])
        self.assertEqual(('"512"', f"{overlay}:5"), cache["CACHE_SIZE"])
        self.assertEqual(('"/var/cache/shop"', f"{lib}/jobs.d/cache.toml:7"), cache["CACHE_DIR"])
        self.assertEqual(('"cache of the shop"', f"{overlay}:2"), cache["description"])
        self.assertEqual('["/bin/sh", "-c", "exec sleep infinity"]', self.shown(s, "shop")["command"][0])

    def test_daemon_status_names_all_directories(self):
        s = self.layered({"etc/web.toml": SLEEP}).start().settle()
        self.assertEqual((s.path("etc"), [s.path("lib")]), (s.daemon()["config"], s.daemon()["lower_configs"]))
        self.assertEqual(s.path("etc"), os.readlink(s.path("run/config")))

    def test_a_reload_reads_every_directory_and_overlay_again(self):
        s = self.layered({"lib/jobs.d/web.toml": SLEEP, "lib/jobs.d/db.toml": SLEEP}).start().settle()
        pid = s.pid_of("db")
        self.put(s, "etc/jobs.d/web.toml.d/10.toml", 'stop_timeout = "7s"\n')
        self.put(s, "etc/jobs.d/db.toml", "enabled = false\n")
        changes = {one["job"]: (one["action"], one["keys"]) for one in s.ctl("reload", "--json").json["changes"]}
        self.assertEqual({"web": ("live", ["stop_timeout"]), "db": ("stop", [])}, changes)
        self.assertEqual(('"7s"', s.path("etc/jobs.d/web.toml.d/10.toml") + ":1"), self.shown(s, "web")["stop_timeout"])
        os.unlink(s.path("etc/jobs.d/db.toml"))
        os.unlink(s.path("etc/jobs.d/web.toml.d/10.toml"))
        s.ctl("reload")
        s.settle()
        self.assertNotIn("stop_timeout", self.shown(s, "web"))
        self.assertNotEqual(pid, s.pid_of("db"))

    def test_a_line_that_moves_changes_no_job_but_its_place(self):
        s = self.layered({"lib/jobs.d/web.toml": SLEEP + 'umask = "0077"\n'}).start().settle()
        pid = s.pid_of("web")
        self.put(s, "lib/jobs.d/web.toml", "\n\n" + SLEEP + 'umask = "0077"\n')
        self.assertEqual({"changes": [], "unchanged": 1}, s.ctl("reload", "--json").json)
        self.assertEqual(f"{s.path('lib/jobs.d/web.toml')}:4", self.shown(s, "web")["umask"][1])
        self.assertEqual(pid, s.pid_of("web"))

    def test_a_bad_overlay_is_refused_at_its_place_and_cat_shows_what_runs(self):
        s = self.layered({"lib/jobs.d/web.toml": SLEEP}).start().settle()
        overlay = "etc/jobs.d/web.toml.d/10.toml"
        self.put(s, overlay, 'stop_timeout = "7s"\nrestrat = "no"\n')
        refused = s.ctl("reload", expect=6)
        self.assertIn(f"{s.path(overlay)}:2:1: error: unknown key 'restrat' (did you mean 'restart'?)", refused.err)
        self.assertNotIn("stop_timeout", self.shown(s, "web"))

    def test_what_cat_prints_is_a_job_file(self):
        s = self.layered({"lib/procsupd.toml": '[defaults]\ninherit_env = ["PATH"]\n[defaults.limits]\nopen_files = 100\n',
                          "lib/jobs.d/web.toml": SLEEP + "[env]\nA = \"# 'x' = [1]\"\n",
                          "etc/jobs.d/web.toml.d/1.toml": 'shell = "sleep 1000"\nlog.stdout = "null"\n'}).start().settle()
        s.write("copy.toml", s.ctl("cat", "web").out)
        s.ctl("check", s.path("copy.toml"))

    def test_check_takes_several_directories(self):
        s = self.layered({"lib/web.toml": SLEEP, "etc/web.toml.d/a.toml": "essential = true\n"})
        alone = s.run("check", s.path("etc"))
        self.assertEqual(6, alone.code)
        self.assertIn("there is no job file 'web.toml' for these overlays", alone.err)
        both = subprocess.run([PROCSUPD, "--check", *s.layers], capture_output=True, text=True, check=True)
        self.assertEqual(f"{s.path('etc')}, {s.path('lib')}: 1 job, no problems\n", both.stdout)

    def test_a_user_has_directories_of_their_own(self):
        s = self.prepare(layers=[], options=["--user"])
        s.env |= {"XDG_CONFIG_HOME": s.path("home"), "XDG_RUNTIME_DIR": s.path("xdg"), "XDG_STATE_HOME": s.path("state")}
        self.put(s, "xdg/procsupd/jobs.d/web.toml", SLEEP)
        self.put(s, "xdg/procsupd/jobs.d/db.toml", SLEEP)
        self.put(s, "home/procsupd/jobs.d/db.toml", SLEEP + 'description = "mine"\n')
        s.runtime, s.socket = s.path("xdg", "procsupd"), s.path("xdg", "procsupd", "io.procsupd")
        s.start().settle()
        self.assertEqual({"db", "web"}, set(s.instances()))
        self.assertEqual('"mine"', self.shown(s, "db")["description"][0])

    def test_a_project_file_has_overlays(self):
        s = self.prepare("[jobs.web]\n" + SLEEP)
        self.put(s, "procsup.toml.d/local.toml", '[jobs.web]\ndescription = "here"\n[jobs.more]\n' + SLEEP)
        s.start().settle()
        self.assertEqual({"more", "web"}, set(s.instances()))
        self.assertEqual(('"here"', s.path("procsup.toml.d/local.toml") + ":2"), self.shown(s, "web")["description"])


if __name__ == "__main__":
    unittest.main()
