"""Whom a job runs as and what it may do; and that it is not started when a part of that cannot be had."""
import os
import pwd
import subprocess
import unittest

from harness import ROOT, IntegrationTest

EXAMPLES = os.path.join(os.path.dirname(__file__), "../../conf/examples")
BIND, KILL, CHOWN, SETPCAP = 1 << 10, 1 << 5, 1 << 0, 1 << 8

SLEEPER = '[jobs.web]\ncommand = ["sleep", "1000"]\nrestart = "no"\n'


def without(*capabilities):
    """A command that takes these from what it executes, and lets it be root all the same."""
    return ["setpriv", "--bounding-set", ",".join(f"-{name}" for name in capabilities),
            "--inh-caps", ",".join(f"-{name}" for name in capabilities), "--"]


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def capabilities_of(pid):
    return {name[3:]: int(value, 16) for name, value in status_of(pid).items() if name.startswith("Cap")}


class Rights(IntegrationTest):
    def status(self, s, name="web"):
        return status_of(s.pid_of(name))

    def capabilities(self, s, name="web"):
        return capabilities_of(s.pid_of(name))

    def refused(self, s, text):
        """The configuration is not taken, and nothing has run."""
        self.assertEqual(6, s.launch().wait_end())
        self.assertIn(text, s.log_text())

    def failed(self, s, text):
        """The job was not started, and that is why."""
        s.start().settle()
        self.assertEqual("failed", s.instance("web")["state"])
        self.assertIn(text, s.instance("web")["cause"])
        self.assertIn(text, s.ctl("why", "web", expect=3).out)
        self.assertEqual([], s.job_processes())


@unittest.skipUnless(ROOT, "only root becomes somebody else")
class Ids(Rights):
    def test_a_step_that_is_not_permitted_keeps_the_job_from_running(self):
        for capability, step in (("setgid", "cannot set the supplementary groups: Operation not permitted"),
                                 ("setuid", "cannot change the user: Operation not permitted")):
            with self.subTest(capability):
                self.failed(self.prepare(SLEEPER + 'user = "nobody"\n', prefix=without(capability)), step)

    def test_a_group_alone_that_cannot_be_set_keeps_the_job_from_running(self):
        self.failed(self.prepare(SLEEPER + 'group = "daemon"\ngroups = []\n', prefix=without("setgid")),
                    "cannot set the supplementary groups")

    def test_odd_names_are_errors_at_their_places(self):
        for name in ("0x0", "0day", "1.5", "-1", "4294967295", "a b", "a:b", "a/b", ""):
            for key in ("user", "group"):
                with self.subTest(f"{key} {name}"):
                    s = self.prepare(SLEEPER + f'{key} = "{name}"\n')
                    self.refused(s, "procsup.toml:4:")
                    self.assertNotIn("running", s.log_text())

    def test_ids_that_stand_for_none_are_errors(self):
        for value in ("-1", "4294967295", "4294967296"):
            self.refused(self.prepare(SLEEPER + f"user = {value}\n"), "an id from 0 to 4294967294")

    def test_an_id_without_an_entry_runs_with_exactly_that(self):
        status = self.status(self.supervise(SLEEPER + "user = 54321\ngroup = 54322\n"))
        self.assertEqual((["54321"] * 4, ["54322"] * 4), (status["Uid"].split(), status["Gid"].split()))
        self.assertEqual([], status["Groups"].split())


@unittest.skipUnless(ROOT, "only root has capabilities to give and take")
class Capabilities(Rights):
    def test_a_job_that_says_nothing_keeps_everything(self):
        s = self.supervise(SLEEPER)
        self.assertEqual(capabilities_of(s.process.pid), self.capabilities(s))
        self.assertEqual("0", self.status(s)["NoNewPrivs"])
        self.assertFalse(s.ctl("show", "web", "--json").json["settings"]["no_new_privileges"])

    def test_what_is_not_listed_is_gone_for_good(self):
        s = self.supervise(SLEEPER + 'sandbox.capabilities = ["CAP_KILL", "chown"]\n')
        had, has = capabilities_of(s.process.pid), self.capabilities(s)
        for which in ("Bnd", "Prm", "Eff"):
            self.assertEqual(had[which] & (KILL | CHOWN), has[which], which)
        self.assertEqual((0, 0), (has["Inh"], has["Amb"]))
        settings = s.ctl("show", "web", "--json").json["settings"]
        self.assertEqual(["CAP_CHOWN", "CAP_KILL"], settings["capabilities"])

    def test_an_empty_list_leaves_none(self):
        has = self.capabilities(self.supervise(SLEEPER + "sandbox.capabilities = []\n"))
        self.assertEqual({"Inh": 0, "Prm": 0, "Eff": 0, "Bnd": 0, "Amb": 0}, has)

    def test_a_user_gets_what_is_given_and_nothing_else(self):
        s = self.supervise(SLEEPER + 'user = "nobody"\n[jobs.web.sandbox]\nno_new_privileges = true\n'
                           'capabilities = ["net_bind_service", "kill"]\nambient_capabilities = ["net_bind_service"]\n')
        self.assertEqual({"Inh": BIND, "Prm": BIND, "Eff": BIND, "Amb": BIND, "Bnd": BIND | KILL}, self.capabilities(s))
        status = self.status(s)
        self.assertEqual("1", status["NoNewPrivs"])
        self.assertEqual([str(pwd.getpwnam("nobody").pw_uid)] * 4, status["Uid"].split())

    def test_a_user_may_be_given_some_of_an_open_bounding_set(self):
        s = self.supervise(SLEEPER + 'user = "nobody"\nsandbox.ambient_capabilities = ["CAP_NET_BIND_SERVICE"]\n')
        has = self.capabilities(s)
        self.assertEqual((BIND, BIND, capabilities_of(s.process.pid)["Bnd"]), (has["Eff"], has["Amb"], has["Bnd"]))

    def test_what_the_daemon_was_given_is_not_handed_on(self):
        given = ["setpriv", "--inh-caps", "+net_bind_service,+chown"]
        s = self.supervise(SLEEPER + 'user = "nobody"\n', prefix=given)
        self.assertEqual(BIND | CHOWN, capabilities_of(s.process.pid)["Inh"])
        self.assertEqual((0, 0, 0, 0), tuple(self.capabilities(s)[name] for name in ("Inh", "Prm", "Eff", "Amb")))

    def test_of_what_a_users_daemon_was_given_a_job_gets_what_its_file_says(self):
        given = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps", "+net_bind_service,+kill",
                 "--ambient-caps", "+net_bind_service,+kill"]
        s = self.prepare(SLEEPER + '[jobs.bound]\ncommand = ["sleep", "1000"]\n'
                         'sandbox.ambient_capabilities = ["net_bind_service"]\n', prefix=given)
        os.chown(s.dir, 65534, 65534)
        s.start().settle()
        self.assertEqual(BIND | KILL, capabilities_of(s.process.pid)["Amb"])
        for job, wanted in (("web", 0), ("bound", BIND)):
            has = self.capabilities(s, job)
            self.assertEqual((wanted,) * 4, tuple(has[name] for name in ("Inh", "Prm", "Eff", "Amb")), job)

    def test_a_place_before_others_is_for_the_job_and_not_for_any_command_of_its_user(self):
        s = self.prepare('[jobs.web]\ncommand = ["sleep", "1000"]\nuser = "nobody"\nowner = "nobody"\n[jobs.usual]\n'
                         'command = ["sleep", "1000"]\nuser = "nobody"\nowner = "nobody"\nlimits.nice = 0\n',
                         prefix=["nice", "-n", "-10"])
        s.start().settle()
        nobody = pwd.getpwnam("nobody")
        as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.assertEqual("-10\n", s.ctl("exec", "web", "--", "nice").out)
        self.assertIn("priority, which only administrators may", s.run("exec", "web", "--", "nice", **as_nobody).err)
        self.assertEqual("0\n", s.run("exec", "usual", "--", "nice", **as_nobody).out)

    def test_a_keeper_changes_nothing_of_it(self):
        s = self.supervise(SLEEPER + 'user = "nobody"\n[jobs.web.sandbox]\ncapabilities = ["net_bind_service"]\n'
                           'ambient_capabilities = ["net_bind_service"]\n', options=("--containment=keeper",))
        self.assertEqual({"Inh": BIND, "Prm": BIND, "Eff": BIND, "Amb": BIND, "Bnd": BIND}, self.capabilities(s))

    def test_stop_commands_and_commands_of_exec_have_the_same(self):
        s = self.prepare('[jobs.web]\ncommand = ["sleep", "1000"]\nuser = "nobody"\n'
                         'stop_command = ["sh", "-c", "grep Cap /proc/self/status > @DIR@/out"]\n[jobs.web.sandbox]\n'
                         'capabilities = ["kill", "net_bind_service"]\nambient_capabilities = ["kill"]\n')
        out = s.fifo("out")
        s.start().settle()
        said = s.ctl("exec", "web", "--", "grep", "Cap", "/proc/self/status").out
        s.ctl("stop", "web")
        told = "".join(out.next() + "\n" for _ in range(5))
        self.assertEqual(told, said)
        self.assertIn(f"CapEff:\t{KILL:016x}", told)
        self.assertIn(f"CapBnd:\t{KILL | BIND:016x}", told)

    def test_the_example_has_a_port_below_1024_as_an_ordinary_user(self):
        with open(os.path.join(EXAMPLES, "rights.toml"), encoding="utf-8") as file:
            example = file.read()
        directory = self.prepare().path("jobs.d")
        os.mkdir(directory)
        s = self.open[0]
        s.write("jobs.d/web.toml", example)
        s.config = directory
        s.prefix = ["unshare", "--net"]
        s.start().settle()
        pid = s.pid_of("web")

        def listens():
            lines = []
            for family in ("tcp", "tcp6"):
                with open(f"/proc/{pid}/net/{family}", encoding="utf-8") as file:
                    lines += file.readlines()[1:]
            return any(line.split()[1].endswith(":0050") and line.split()[3] == "0A" for line in lines)

        self.await_true("it listens on port 80", listens)
        self.assertNotIn("0", status_of(pid)["Uid"].split())

    def test_no_new_privileges_makes_a_set_user_id_program_an_ordinary_one(self):
        for wanted, uid in (("true", pwd.getpwnam("nobody").pw_uid), ("false", 0)):
            with self.subTest(wanted):
                s = self.prepare('[jobs.web]\ncommand = ["@DIR@/sleep", "1000"]\nuser = "nobody"\n'
                                 f'sandbox.no_new_privileges = {wanted}\n')
                subprocess.run(["cp", "/bin/sleep", s.path("sleep")], check=True)
                os.chmod(s.path("sleep"), 0o4755)
                s.start().settle()
                self.assertEqual(str(uid), self.status(s)["Uid"].split()[1])

    def test_capabilities_that_procsupd_lacks_are_errors_at_load(self):
        self.refused(self.prepare(SLEEPER + "sandbox.capabilities = []\n", prefix=without("setpcap")),
                     "procsup.toml:4:9: error: cannot limit capabilities without CAP_SETPCAP")
        self.refused(self.prepare(SLEEPER + 'user = "nobody"\nsandbox.ambient_capabilities = ["kill"]\n',
                                  prefix=without("kill")),
                     "procsup.toml:5:9: error: cannot give CAP_KILL, which procsupd does not have")

    def test_locked_secure_bits_keep_the_job_from_running(self):
        self.failed(self.prepare(SLEEPER + 'user = "nobody"\nsandbox.ambient_capabilities = ["kill"]\n',
                                 prefix=["capsh", "--secbits=0xC0", "--shell=/usr/bin/env", "--"]),
                    "cannot give it CAP_KILL: Operation not permitted")

    def test_what_a_name_may_be_is_hinted_at(self):
        self.refused(self.prepare(SLEEPER + 'sandbox.capabilities = ["CAP_NET_BIND_SERVCE"]\n'),
                     "did you mean 'CAP_NET_BIND_SERVICE'?")


class WithoutRoot(Rights):
    def prepare_as_nobody(self, config, **arguments):
        if not ROOT:
            return self.prepare(config, **arguments)
        entry = pwd.getpwnam("nobody")
        s = self.prepare(config, user=entry.pw_uid, group=entry.pw_gid, extra_groups=[], **arguments)
        os.chown(s.dir, entry.pw_uid, entry.pw_gid)
        return s

    def test_what_cannot_be_had_is_an_error_at_load(self):
        self.refused(self.prepare_as_nobody(SLEEPER + "sandbox.capabilities = []\n"),
                     "cannot limit capabilities without root")
        self.refused(self.prepare_as_nobody(SLEEPER + 'sandbox.ambient_capabilities = ["kill"]\n'),
                     "cannot give CAP_KILL without root")

    def test_a_keepers_job_gains_no_privileges_unless_it_says_otherwise(self):
        s = self.prepare_as_nobody('[defaults]\ncommand = ["sleep", "1000"]\n[jobs.web]\n'
                                   "[jobs.free.sandbox]\nno_new_privileges = false\n",
                                   options=("--containment=keeper",)).start().settle()
        for name, gains_none in (("web", True), ("free", False)):
            with self.subTest(name):
                self.assertEqual(str(int(gains_none)), self.status(s, name)["NoNewPrivs"])
                shown = s.ctl("show", name, "--json").json["settings"]["no_new_privileges"]
                self.assertEqual(gains_none, shown)


if __name__ == "__main__":
    unittest.main()
