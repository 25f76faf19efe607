"""The editor schema: that it is one, and that it says of a file what procsupd does."""
import glob
import json
import os
import re
import shutil
import subprocess
import unittest

from harness import IntegrationTest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SCHEMA = os.path.join(ROOT, "packaging", "schema", "procsup-1.schema.json")
# Files that stand over others are no whole jobs.
EXAMPLES = sorted(file for file in glob.glob(os.path.join(ROOT, "conf", "examples", "**", "*.toml"), recursive=True)
                  if os.path.join("layers", "etc") not in file)
TAPLO = os.environ.get("PROCSUP_TAPLO") or shutil.which("taplo")

# What both a job file and a job of a project can have wrong: where, and what is said of it.
JOB_MISTAKES = {
    'shell = "x"\ncomand = "y"': ("", "'comand' was unexpected"),
    'shell = "x"\nstop_timeout = "10 parsecs"': ("stop_timeout", "does not match"),
    'shell = "x"\nstop_timeout = "10"': ("stop_timeout", "does not match"),
    'shell = "x"\nrestart = "sometimes"': ("restart", "is not one of"),
    'shell = "x"\ninstances = 0': ("instances", ""),
    'shell = "x"\nenabled = "yes"': ("enabled", "is not of type 'boolean'"),
    'shell = "x"\nlog.stdot = "null"': ("log", "'stdot' was unexpected"),
    'shell = "x"\nlog.keep = -1': ("log.keep", "minimum"),
    'shell = "x"\nlimits.open_files = "many"': ("limits.open_files", ""),
}
FILE_MISTAKES = {
    'description = "does nothing"': ("", "is not valid under any of"),
    'shell = "x"\n[jobs.web]\nshell = "x"': ("", "'shell' was unexpected"),
    '[job.web]\nshell = "x"': ("", "'job' was unexpected"),
    '[jobs."two words"]\nshell = "x"': ("jobs", "two words"),
    '[daemon]\nlogdir = "/x"': ("daemon", "'logdir' was unexpected"),
    '[access]\nadmin = "root"': ("access.admin", "is not of type 'array'"),
}
GOOD_FILES = ["", 'shell = "x"', 'x.anything = 1\nshell = "x"', "x.anything = 1", '[defaults]\nshell = "x"\n[jobs.web]\n']


class Schema(IntegrationTest):
    def setUp(self):
        self.s = self.prepare()
        self.schema = self.s.write("schema.json", self.s.ctl("schema").out)
        self.mistakes = {}
        for at, (text, (path, message)) in enumerate(JOB_MISTAKES.items()):
            self.mistakes[self.s.write(f"job{at}.toml", text)] = (path, message)
            self.mistakes[self.s.write(f"project{at}.toml", "[jobs.web]\n" + text)] = (f"jobs.web.{path}".strip("."), message)
        for at, (text, expected) in enumerate(FILE_MISTAKES.items()):
            self.mistakes[self.s.write(f"file{at}.toml", text)] = expected
        self.good = [*EXAMPLES, *(self.s.write(f"good{at}.toml", text) for at, text in enumerate(GOOD_FILES))]

    def judged(self, *files):
        done = subprocess.run(["/usr/bin/python3", f"{HERE}/schema_judge.py", self.schema, *files], stdout=subprocess.PIPE,
                              check=True)
        return json.loads(done.stdout)

    def test_it_is_printed_without_a_supervisor_as_it_is_installed(self):
        with open(SCHEMA, encoding="utf-8") as file:
            self.assertEqual(file.read(), self.s.ctl("schema").out)
        self.s.ctl("schema", "web", expect=2)

    def test_a_schema_that_nobody_got_is_no_success(self):
        with open("/dev/full", "wb") as full:
            process = self.s.popen("schema", stdout=full)
        self.assertEqual(1, process.wait())

    def test_it_is_one_of_draft_4_and_accepts_what_procsupd_does(self):
        self.assertEqual({file: [] for file in self.good}, self.judged(*self.good))
        for file in self.good:
            if not file.startswith(self.s.dir):
                continue
            with self.subTest(file):
                self.s.ctl("check", file)

    def test_it_refuses_a_mistake_where_it_is_and_so_does_procsupd(self):
        verdicts = self.judged(*self.mistakes)
        for file, (path, message) in self.mistakes.items():
            with self.subTest(file):
                self.assertTrue([said for at, said in verdicts[file] if at == path and message in said], verdicts[file])
                self.s.ctl("check", file, expect=6)

    @unittest.skipUnless(TAPLO, "needs Taplo, in PATH or named by PROCSUP_TAPLO (npm install @taplo/cli)")
    def test_taplo_says_the_same(self):
        def refused(*words):
            done = subprocess.run([TAPLO, "lint", *words], cwd=self.s.dir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  check=False)
            return set(re.findall(r'schema validation failed path="([^"]+)"', done.stdout.decode())), done.returncode

        schema = ["--schema", f"file://{self.schema}"]
        self.assertEqual((set(), 0), refused(*schema, *self.good))
        self.assertEqual((set(self.mistakes), 1), refused(*schema, *self.mistakes))
        named, mistaken = set(), set()
        for at, reference in enumerate((self.schema, "./schema.json", f"file://{self.schema}")):
            named.add(self.s.write(f"named{at}.toml", f'#:schema {reference}\nshell = "x"\n'))
            mistaken.add(self.s.write(f"mistaken{at}.toml", f'#:schema {reference}\ncomand = "x"\n'))
        self.assertEqual((mistaken, 1), refused(*named, *mistaken))


if __name__ == "__main__":
    unittest.main()
