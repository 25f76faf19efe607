"""[limits]: what a job's process gets of it, and what is said of what cannot be enforced."""
import json
import os
import pwd
import resource
import shutil
import subprocess
import unittest

from harness import PROCSUPD, ROOT, IntegrationTest
from wire import Wire

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/limits.toml")
SLEEP = 'command = ["sleep", "1000"]\n'
ABILITIES = json.loads(subprocess.run([PROCSUPD, "--abilities"], capture_output=True, check=True).stdout)
SCHED_FIFO, SCHED_RR, SCHED_BATCH = 1, 2, 3
# Who can hold jobs in cgroups nowhere, however all other tests do it.
ANYBODY = {"user": 65534, "group": 65534, "extra_groups": [], "options": ["--containment=auto"]}
HARD_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
# More than the hard limit, and not more than anybody may have.
MANY_FILES = ABILITIES.get("mostOpenFiles", 0)
NO_RESOURCE = unittest.skipIf(ABILITIES["raisesLimits"] or MANY_FILES <= HARD_FILES, "limits can be raised here")


def limits_of(pid):
    with open(f"/proc/{pid}/limits", encoding="utf-8") as file:
        return {line[:25].strip(): tuple(line[25:].split()[:2]) for line in file}


def stat_of(pid):
    """The fields of proc(5) by their numbers there."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        text = file.read()
    return dict(enumerate(text[text.rindex(")") + 2:].split(), 3))


def said_by(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def oom_score_of(pid):
    with open(f"/proc/{pid}/oom_score_adj", encoding="utf-8") as file:
        return int(file.read())


class Behind(IntegrationTest):
    def test_why_names_the_limit_that_a_run_may_have_ended_at(self):
        for setting, shell in (('address_space = "1B"', "sleep 1000"), ('stack = "4KiB"', "sleep 1000"), ("open_files = 0", "sleep 1000"),
                               ('cpu_time = "1s"', "while :; do :; done"),
                               ('fsize = "1KiB"', "exec dd if=/dev/zero of=@DIR@/file bs=4096 count=1")):
            with self.subTest(setting):
                s = self.supervise(f'[jobs.web]\nshell = "{shell}"\nrestart = "no"\nlimits.{setting}\n')
                self.await_true("it has ended", lambda s=s: s.instance("web")["state"] == "failed")
                self.assertIn(f"  this may be a limit of the job: limits.{setting}\n", s.ctl("why", "web", expect=3).out)


class InForce(IntegrationTest):
    def test_the_score_for_the_oom_killer_is_there_from_the_first_moment_on(self):
        for mode in ("auto", "keeper", "group"):
            with self.subTest(mode):
                s = self.supervise(f"[jobs.web]\n{SLEEP}limits.oom_score_adjust = 500\n", options=[f"--containment={mode}"])
                scores = [s.ctl("exec", "web", "--", "cat", "/proc/self/oom_score_adj").out for _ in range(30)]
                self.assertEqual({"500\n"}, set(scores))
                self.assertEqual(500, oom_score_of(s.pid_of("web")))

    def test_the_example_gets_what_it_says(self):
        s = self.prepare()
        with open(EXAMPLE, encoding="utf-8") as file:
            text = file.read()
        s.configure(text if ROOT else text.replace('user = "nobody"\n', ""))
        s.start().settle()
        pid = s.pid_of("procsup")
        limits = limits_of(pid)
        for name, value in {"Max open files": ("128", "256"), "Max core file size": ("0", "0"),
                            "Max address space": ("536870912",) * 2, "Max data size": ("268435456",) * 2,
                            "Max cpu time": ("3600", "7200"), "Max pending signals": ("64", "64"),
                            "Max msgqueue size": ("0", "0"), "Max realtime priority": ("0", "0"),
                            "Max realtime timeout": ("100000", "100000")}.items():
            self.assertEqual(value, limits[name], name)
        self.assertEqual(("10", str(SCHED_BATCH)), (stat_of(pid)[19], stat_of(pid)[41]))
        self.assertEqual("best-effort: prio 7", said_by("ionice", "-p", str(pid)))
        self.assertTrue(said_by("taskset", "-p", str(pid)).endswith(": 1"))
        self.assertEqual(500, oom_score_of(pid))
        if ROOT:
            self.assertEqual(pwd.getpwnam("nobody").pw_uid, os.stat(f"/proc/{pid}").st_uid)
        shown = s.ctl("show", "procsup", "--json").json
        self.assertEqual({"soft": 128, "hard": 256}, shown["settings"]["limits"]["open_files"])
        self.assertNotIn("not_enforced", shown["instances"][0])
        self.assertIn('open_files = "128:256"', s.ctl("cat", "procsup").out)

    @unittest.skipUnless(ROOT and ABILITIES["mostRealtime"] >= 7 and ABILITIES["realtimeIo"],
                         "needs real-time priorities for jobs of other users")
    def test_real_time_of_a_job_of_another_user_is_set_before_its_user(self):
        s = self.supervise(f'[jobs.fast]\nuser = "nobody"\n{SLEEP}[jobs.fast.limits]\nscheduling = "fifo:7"\n'
                           'io_priority = "realtime:2"\nrealtime_priority = 0\nstrict = true\n'
                           f'[jobs.first]\nuser = "nobody"\n{SLEEP}[jobs.first.limits]\nnice = -7\nnice_limit = 19\n'
                           f'[jobs.usual]\n{SLEEP}')
        fast, first, usual = (s.pid_of(name) for name in ("fast", "first", "usual"))
        self.assertEqual(("7", str(SCHED_FIFO)), (stat_of(fast)[40], stat_of(fast)[41]))
        self.assertEqual("realtime: prio 2", said_by("ionice", "-p", str(fast)))
        self.assertEqual(pwd.getpwnam("nobody").pw_uid, os.stat(f"/proc/{fast}").st_uid)
        self.assertEqual("-7", stat_of(first)[19])
        self.assertEqual((str(os.SCHED_OTHER), "0"), (stat_of(usual)[41], stat_of(usual)[19]))
        self.assertEqual(limits_of(s.process.pid)["Max realtime priority"], limits_of(usual)["Max realtime priority"])

    @unittest.skipUnless(ROOT and ABILITIES["mostRealtime"] == 99, "needs CAP_SYS_NICE")
    def test_children_of_a_real_time_job_inherit_it(self):
        s = self.prepare('[jobs.fast]\nshell = "sleep 1000 & cat /proc/$!/stat; wait"\n[jobs.fast.limits]\n'
                         'scheduling = "rr:3"\n[jobs.fast.log]\nstdout = "@DIR@/out"\n')
        out = s.fifo("out")
        s.start()
        self.assertEqual(str(SCHED_RR), out.next().split(") ")[1].split()[38])


class TreeLimits(IntegrationTest):
    """Those that need controllers, where there are none: the virtual machine has the others."""
    LIMITS = ('[jobs.web.limits]\nmemory_max = "64MiB"\nmemory_high = "48MiB"\ncpu = 0.5\ncpu_weight = 50\n'
              'tasks_max = 5\nio_weight = 50\n')
    KEYS = ["memory_max", "memory_high", "cpu", "cpu_weight", "tasks_max", "io_weight"]

    def told(self, mode):
        """The reasons by keys, in order."""
        s = self.supervise(f"[jobs.web]\n{SLEEP}{self.LIMITS}", options=[f"--containment={mode}"])
        self.assertEqual("running", s.instance("web")["state"])
        for name in self.KEYS:
            self.assertEqual(1, s.log_text().count(f"cannot enforce limits.{name} = "))
        return {entry["key"]: entry["reason"] for entry in s.instance("web")["not_enforced"]}

    def test_need_cgroups_and_are_told_of_where_something_else_holds_the_job(self):
        for mode in ("keeper", "group"):
            told = self.told(mode)
            self.assertEqual([f"limits.{name}" for name in self.KEYS], list(told))
            why = f'no cgroups are used: containment = "{mode}"'
            self.assertEqual({why, why + "; limits.processes counts all processes of the job's user"}, set(told.values()))

    @unittest.skipIf(not ROOT or os.path.exists("/run/systemd/system"), "needs a group that nobody has delegated")
    def test_need_controllers_and_name_those_that_are_missing(self):
        told = self.told("cgroup")
        names = {entry["controller"] for entry in ABILITIES["controllerFaults"]}
        if names != {"cpu", "io", "memory", "pids"}:
            self.skipTest("there are controllers")
        self.assertRegex(told["limits.memory_max"], "^the memory controller (is not delegated to procsupd|cannot be )")
        self.assertRegex(told["limits.cpu"], "^the cpu controller ")

    def test_unlimited_needs_nothing(self):
        s = self.supervise(f'[jobs.web]\n{SLEEP}[jobs.web.limits]\nmemory_max = "unlimited"\ntasks_max = "unlimited"\n',
                           options=["--containment=keeper"])
        self.assertNotIn("not_enforced", s.instance("web"))

    def test_of_a_strict_job_are_why_it_is_not_started(self):
        s = self.supervise(f'[jobs.web]\n{SLEEP}{self.LIMITS}strict = true\n', options=["--containment=keeper"])
        self.assertEqual("failed", s.instance("web")["state"])
        self.assertIn('cannot enforce limits.memory_max = "64MiB": no cgroups are used', s.instance("web")["cause"])

    def test_that_cannot_be_had_here_are_named_by_check_with_their_places(self):
        s = self.supervise(f"[jobs.web]\n{SLEEP}{self.LIMITS}", options=["--containment=keeper"])
        checked = s.run("check", "--here", s.config)
        self.assertIn("warning: job 'web': cannot enforce limits.tasks_max = 5: no cgroups are used", checked.out)


class NotEnforced(IntegrationTest):
    """Of a job that asks for more than there is."""

    @NO_RESOURCE
    def test_it_runs_with_the_hard_limit_and_that_is_said_once(self):
        s = self.supervise(f'[jobs.web]\n{SLEEP}limits.open_files = "100:{MANY_FILES}"\n')
        text = (f'limits.open_files = "100:{MANY_FILES}" (above the hard limit {HARD_FILES}, and procsupd lacks '
                "CAP_SYS_RESOURCE)")
        self.assertEqual(("100", str(HARD_FILES)), limits_of(s.pid_of("web"))["Max open files"])
        for verb in ("status", "show"):
            self.assertIn("not enforced: " + text, s.ctl(verb, "web").out)
        entry = {"key": "limits.open_files", "value": f'"100:{MANY_FILES}"',
                 "reason": f"above the hard limit {HARD_FILES}, and procsupd lacks CAP_SYS_RESOURCE"}
        self.assertEqual([entry], s.instance("web")["not_enforced"])
        s.ctl("restart", "web")
        s.ctl("restart", "web")
        self.assertEqual(1, s.log_text().count("cannot enforce limits.open_files"))
        s.configure(f'[jobs.web]\n{SLEEP}limits.open_files = {MANY_FILES}\n')
        s.ctl("apply", "--no-restart")
        s.ctl("restart", "web")
        self.assertEqual(2, s.log_text().count("cannot enforce limits.open_files"))
        self.assertEqual((str(HARD_FILES),) * 2, limits_of(s.pid_of("web"))["Max open files"])

    @NO_RESOURCE
    def test_a_strict_job_is_not_started_and_why_says_what_it_lacks(self):
        s = self.supervise(f'[jobs.web]\n{SLEEP}restart = "always"\n[jobs.web.limits]\nopen_files = {MANY_FILES}\n'
                           f'oom_score_adjust = -700\nstrict = true\n[jobs.other]\n{SLEEP}')
        cause = (f"cannot enforce limits.open_files = {MANY_FILES}: above the hard limit {HARD_FILES}, and procsupd "
                 f"lacks CAP_SYS_RESOURCE; limits.oom_score_adjust = -700: less than {ABILITIES['leastOomScore']} is "
                 "not permitted: procsupd lacks CAP_SYS_RESOURCE")
        web = s.instance("web")
        self.assertEqual(("failed", None, cause), (web["state"], web["pid"], web["cause"]))
        self.assertIn(cause, s.ctl("why", "web", expect=3).out)
        self.assertIn(cause, s.ctl("start", "web", expect=1).err)
        self.assertIn(cause, s.log_text())
        self.assertEqual("running", s.instance("other")["state"])
        run = s.run("exec", "web", "--", "true")
        self.assertEqual(125, run.code, run)
        self.assertIn(cause, run.err)

    @unittest.skipUnless(ROOT, "becomes a user")
    def test_a_users_jobs_get_what_comes_nearest(self):
        if resource.getrlimit(resource.RLIMIT_NICE)[1] or resource.getrlimit(resource.RLIMIT_RTPRIO)[1]:
            self.skipTest("users may raise their priority here")
        s = self.prepare(f'[jobs.web]\n{SLEEP}[jobs.web.limits]\nnice = -5\nio_priority = "realtime:0"\n'
                         'cpu_affinity = "0,8191"\noom_score_adjust = -5\nmemlock = "1TiB"\n'
                         f'[jobs.fast]\n{SLEEP}limits.scheduling = "rr:5"\n'
                         f'[jobs.strict]\n{SLEEP}limits.scheduling = "rr:5"\nlimits.strict = true\n', **ANYBODY)
        os.chown(s.dir, 65534, 65534)
        s.start().settle()
        pid = s.pid_of("web")
        self.assertEqual(["limits.memlock", "limits.nice", "limits.io_priority", "limits.cpu_affinity",
                          "limits.oom_score_adjust"], [e["key"] for e in s.instance("web")["not_enforced"]])
        self.assertEqual("0", stat_of(pid)[19])
        self.assertEqual("best-effort: prio 0", said_by("ionice", "-p", str(pid)))
        self.assertTrue(said_by("taskset", "-p", str(pid)).endswith(": 1"))
        self.assertEqual(oom_score_of(s.process.pid), oom_score_of(pid))
        self.assertEqual(str(os.SCHED_OTHER), stat_of(s.pid_of("fast"))[41])
        self.assertEqual(["limits.scheduling"], [e["key"] for e in s.instance("fast")["not_enforced"]])
        strict = s.instance("strict")
        self.assertEqual(("failed", 'cannot enforce limits.scheduling = "rr:5": real-time scheduling is not permitted: '
                                    "procsupd lacks CAP_SYS_NICE"), (strict["state"], strict["cause"]))

    @unittest.skipUnless(ROOT, "gives a user a limit that it would not have")
    def test_a_users_jobs_may_go_as_far_as_the_hard_limits(self):
        if shutil.which("prlimit") is None or not ABILITIES["raisesLimits"]:
            self.skipTest("limits cannot be raised here")
        s = self.prepare(f'[jobs.web]\n{SLEEP}[jobs.web.limits]\nnice = -5\nstrict = true\n'
                         f'[jobs.fast]\n{SLEEP}limits.scheduling = "rr:5"\n',
                         prefix=["prlimit", "--nice=0:25", "--rtprio=0:3", "setpriv", "--reuid=65534",
                                 "--regid=65534", "--clear-groups"])
        os.chown(s.dir, 65534, 65534)
        s.start().settle()
        self.assertEqual("-5", stat_of(s.pid_of("web"))[19])
        self.assertEqual(("3", str(SCHED_RR)), tuple(stat_of(s.pid_of("fast"))[n] for n in (40, 41)))
        self.assertEqual(("0", "25"), limits_of(s.pid_of("web"))["Max nice priority"])


class CheckHere(IntegrationTest):
    CONFIG = f'[defaults.limits]\nopen_files = {MANY_FILES}\n[jobs.web]\n{SLEEP}[jobs.db]\n{SLEEP}'
    REASON = f"above the hard limit {HARD_FILES}, and procsupd lacks CAP_SYS_RESOURCE"

    @NO_RESOURCE
    def test_it_warns_of_every_job_at_the_place_of_the_key(self):
        s = self.prepare(self.CONFIG)
        check = s.ctl("check", "--here", s.config)
        self.assertEqual([f"{s.config}:2:1: warning: job '{job}': cannot enforce limits.open_files = {MANY_FILES}: "
                          f"{self.REASON}" for job in ("db", "web")] + [f"{s.config}: 2 jobs, no errors, 2 warnings"],
                         check.out.splitlines())
        self.assertIn("no supervisor answers", check.err)
        self.assertEqual(f"{s.config}: 2 jobs, no problems\n", s.ctl("check", s.config).out)
        checked = s.ctl("check", "--here", "--json", s.config).json
        self.assertEqual((2, []), (checked["jobs"], checked["problems"]))
        self.assertEqual([(2, 1)] * 2, [(w["line"], w["column"]) for w in checked["warnings"]])

    @NO_RESOURCE
    def test_what_a_strict_job_lacks_is_an_error(self):
        s = self.prepare(self.CONFIG + "limits.strict = true\n")
        check = s.ctl("check", "--here", s.config, expect=6)
        self.assertIn(f"{s.config}:2:1: warning: job 'web': ", check.err)
        self.assertIn(f"{s.config}:2:1: error: job 'db': ", check.err)
        self.assertNotIn("no problems", check.err + check.out)
        checked = s.ctl("check", "--here", "--json", s.config, expect=6).json
        self.assertEqual((None, 1, 1), (checked["jobs"], len(checked["problems"]), len(checked["warnings"])))
        s.ctl("check", s.config)

    @unittest.skipUnless(ROOT, "becomes a user")
    def test_here_is_where_the_supervisor_runs_that_answers(self):
        s = self.prepare(f'[jobs.web]\n{SLEEP}limits.nice = -1\n', **ANYBODY)
        os.chown(s.dir, 65534, 65534)
        if resource.getrlimit(resource.RLIMIT_NICE)[1]:
            self.skipTest("users may raise their priority here")
        other = self.prepare(f'[jobs.web]\n{SLEEP}limits.nice = -1\n').config
        if ABILITIES["leastNice"] < 0:
            self.assertNotIn("warning", s.ctl("check", "--here", other).out)
        s.start()
        check = s.ctl("check", "--here", other)
        self.assertIn(f"{other}:3:8: warning: job 'web': cannot enforce limits.nice = -1: less than 0 is not permitted: "
                      "procsupd lacks CAP_SYS_NICE", check.out)
        self.assertIn(s.socket, check.err)

    def test_a_supervisor_tells_its_abilities_as_procsupd_prints_them(self):
        s = self.supervise(f"[jobs.web]\n{SLEEP}")
        with Wire(s.socket) as wire:
            reply = wire.call("io.procsupd.Manager.GetAbilities")
        self.assertEqual(ABILITIES, reply["parameters"]["abilities"])

    def test_abilities_that_are_none_are_an_error_of_usage(self):
        s = self.prepare(f"[jobs.web]\n{SLEEP}")
        s.ctl("check", "--here=5", s.config, expect=2)
        for text in ("5", "not JSON", '{"cpus":"x"}'):
            done = subprocess.run([PROCSUPD, "--check", "--here=" + text, s.config], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(2, done.returncode, done)
            self.assertIn("procsupd: ", done.stderr)
        self.assertEqual(2, subprocess.run([PROCSUPD, "--here"], capture_output=True, check=False).returncode)


if __name__ == "__main__":
    unittest.main()
