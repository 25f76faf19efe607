"""Which process of a job is its main one: the first, or one that the job names (sd_notify(3), MAINPID=)."""
import os
import shutil
import signal
import unittest
import urllib.request

import nginx
from harness import PROCSUPD, IntegrationTest
from hostile import GROUPS
from processes import free_port, parents

CONNECT = """
import os, signal, socket, sys
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
path = os.environ["NOTIFY_SOCKET"]
notify.connect("\\0" + path[1:] if path[0] == "@" else path)
"""
FIRST = CONNECT + """
second = os.fork()
if second == 0:
    signal.signal(signal.SIGUSR1, lambda *_: os._exit(7))
    third = os.fork()
    if third == 0:
        signal.signal(signal.SIGUSR1, lambda *_: os._exit(8))
    if third:
        open(sys.argv[2], "w").write(f"{os.getpid()} {third}\\n")
    while True:
        signal.pause()
for line in open(sys.argv[1]):
    if line.strip() == "end":
        os._exit(3)
    if line.strip() == "collect":
        os.waitpid(second, 0)
        continue
    notify.send(line.strip().replace("SECOND", str(second)).encode().decode("unicode_escape").encode())
"""
# The end of the first process is what ends the second one (PR_SET_PDEATHSIG).
HANDING_OVER = CONNECT + """
import ctypes
told, tell = os.pipe()
second = os.fork()
if second == 0:
    ctypes.CDLL(None).prctl(1, signal.SIGUSR1)
    os.write(tell, b"!")
    signal.pause()
os.read(told, 1)
notify.send(f"READY=1\\nMAINPID={second}".encode())
os._exit(0)
"""
STARTER = CONNECT + """
import subprocess
if os.fork() == 0:
    for line in open(sys.argv[1]):
        notify.send(line.strip().encode().decode("unicode_escape").encode())
subprocess.run(sys.argv[3:], check=True)
open(sys.argv[2]).read()
"""
HAPROXY = """
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
frontend f
  bind 127.0.0.1:{port}
  http-request return status 200
"""
PATH = os.environ["PATH"] + ":/usr/sbin"


class Named(IntegrationTest):
    mode = "auto"

    def prepare(self, config="", **arguments):
        return super().prepare(config, options=[f"--containment={self.mode}"], **arguments)

    def named(self, more="", others=""):
        """A job whose first process has made a second one, which has made a third one, and says what it is told to."""
        s = self.prepare(f'[jobs.web]\ncommand = ["/usr/bin/python3", "@DIR@/first.py", "@DIR@/say", "@DIR@/pid"]\n'
                         f'ready.notify = true\nrestart = "no"\n{more}{others}')
        s.write("first.py", FIRST)
        say, pid = s.fifo("say"), s.fifo("pid")
        s.start()
        self.assertEqual(self.mode, s.daemon()["containment"])
        s.second, s.third = map(int, pid.next().split())
        return s, lambda words: os.write(say.fd, words.encode() + b"\n")

    def await_end(self, s, cause):
        self.await_true("its end is that of the run", lambda: s.instance("web")["state"] == "failed")
        self.assertIn(cause, s.instance("web")["cause"])
        self.assertEqual([], s.job_processes())


class MainProcess:
    def orphans(self, s):
        tree, = s.ctl("tree", "--json", "web").json["trees"]
        return {one["pid"]: one["orphan"] for one in tree["processes"]}

    def test_a_run_goes_on_with_the_main_process_that_it_has_named(self):
        s, say = self.named()
        first = s.pid_of("web")
        say("MAINPID=SECOND\\nREADY=1")
        s.ctl("wait", "web")
        self.assertEqual(s.second, s.pid_of("web"))
        self.assertEqual({first: False, s.second: False, s.third: False}, self.orphans(s))
        say("end")
        self.await_true("the first one is gone", lambda: not os.path.exists(f"/proc/{first}"))
        self.assertEqual(("running", s.second, True),
                         tuple(s.instance("web")[key] for key in ("state", "pid", "ready")))
        s.ctl("signal", "SIGUSR1", "web")
        self.await_end(s, "exit 7")
        self.assertEqual(1, s.instance("web")["last_run"]["former_mains"])
        self.assertIn(" of CPU, and its first process, ", s.run("why", "web").out)

    def test_it_goes_on_as_often_as_there_is_another_one(self):
        s, say = self.named()
        first = s.pid_of("web")
        say("MAINPID=SECOND")
        self.await_true("it is named", lambda: s.pid_of("web") == s.second)
        say(f"MAINPID={s.third}\\nREADY=1")
        s.ctl("wait", "web")
        self.assertEqual(s.third, s.pid_of("web"))
        say(f"MAINPID={first}")
        self.await_true("it is the first again", lambda: s.pid_of("web") == first)
        say("MAINPID=SECOND\\nSTATUS=last")
        self.await_true("what came last", lambda: s.instance("web").get("status_text") == "last")
        say("end")
        self.await_true("the first one is gone", lambda: not os.path.exists(f"/proc/{first}"))
        self.assertEqual(s.second, s.pid_of("web"))
        s.ctl("signal", "SIGUSR1", "web")
        self.await_end(s, "exit 7")

    def test_one_that_has_a_parent_when_the_first_ends_does_not_follow(self):
        s, say = self.named()
        say(f"MAINPID={s.third}\\nREADY=1")
        s.ctl("wait", "web")
        self.assertEqual(s.third, s.pid_of("web"))
        say("end")
        self.await_end(s, "exit 3")

    def test_signals_are_for_the_one_that_was_named_while_the_first_lives(self):
        s, say = self.named()
        say(f"MAINPID={s.third}\\nREADY=1")
        s.ctl("wait", "web")
        first = next(pid for pid in s.job_processes() if pid not in (s.second, s.third))
        s.ctl("signal", "SIGUSR1", "web")
        self.await_true("the first is the main process again", lambda: s.pid_of("web") == first)
        self.assertEqual("Z", parents()[s.third][1])
        s.ctl("stop", "web")

    def test_a_stop_is_for_the_main_process_that_was_named(self):
        s, say = self.named('stop_timeout = "none"\nstop_signal = "SIGUSR1"\nstop_scope = "main"\n')
        say("MAINPID=SECOND\\nREADY=1")
        s.ctl("wait", "web")
        say("end")
        s.ctl("stop", "web")
        self.assertEqual([], s.job_processes())

    def test_without_the_one_that_was_named_the_first_is_the_main_process_again(self):
        for collect in (False, True):
            with self.subTest(collect=collect):
                s, say = self.named()
                first = s.pid_of("web")
                say("MAINPID=SECOND\\nREADY=1")
                s.ctl("wait", "web")
                os.kill(s.second, signal.SIGKILL)
                if collect:
                    say("collect")
                self.await_true("it is the first again", lambda: s.pid_of("web") == first)
                say("end")
                self.await_end(s, "exit 3")

    def test_no_other_process_becomes_the_main_one(self):
        s, say = self.named(others='[jobs.other]\ncommand = ["sleep", "1000"]\n')
        s.ctl("wait", "other")
        first, other = s.pid_of("web"), s.pid_of("other")
        os.kill(s.third, signal.SIGKILL)
        self.await_true("a zombie", lambda: parents()[s.third][1] == "Z")
        for pid in (1, 0, -1, -s.second, other, s.process.pid, parents()[other][0], s.third, 2 ** 22 + 1, 2 ** 31, ""):
            say(f"MAINPID={pid}")
        say("READY=1")
        s.ctl("wait", "web")
        self.assertEqual(first, s.pid_of("web"))
        self.assertIn("MAINPID=1 was not taken: that is none of its processes", s.log_text())
        s.ctl("stop", "web")
        self.assertEqual(other, s.pid_of("other"))

    def test_the_end_of_one_that_ends_right_behind_the_first_is_not_lost(self):
        s = self.prepare('[jobs.web]\ncommand = ["/usr/bin/python3", "@DIR@/first.py"]\nready.notify = true\nrestart = "no"\n'
                         'instances = 20\nenabled = false\n')
        s.write("first.py", HANDING_OVER)
        s.start()
        s.run("start", "web")
        self.await_true("all have ended", lambda: {i["state"] for i in s.instances().values()} == {"failed"})
        self.assertEqual([], [i["cause"] for i in s.instances().values() if "SIGUSR1" not in i["cause"]])

    def test_what_is_left_behind_is_no_main_process(self):
        s, say = self.named('orphans = "adopt"\n')
        say(f"MAINPID={s.third}\\nREADY=1")
        s.ctl("wait", "web")
        say("end")
        self.await_true("the first one has ended", lambda: s.instance("web")["pid"] is None)
        self.assertEqual({s.second, s.third}, set(s.job_processes()))
        os.kill(s.second, signal.SIGKILL)
        os.kill(s.third, signal.SIGKILL)
        self.await_true("the run is over", lambda: s.instance("web")["state"] == "failed")
        self.assertIn("exit 3", s.instance("web")["cause"])

    @unittest.skipUnless(shutil.which("nginx", path=PATH), "no nginx")
    def test_nginx_that_makes_itself_a_daemon_takes_over_and_a_new_one_does_from_that(self):
        port = free_port()
        s = self.prepare(f'[jobs.web]\ncommand = ["/usr/bin/python3", "@DIR@/starter.py", "@DIR@/say", "@DIR@/go", '
                         f'"{shutil.which("nginx", path=PATH)}", "-e", "stderr", "-p", "@DIR@/web", "-c", "nginx.conf"]\n'
                         'ready.notify = true\nstop_signal = "SIGQUIT"\nstop_scope = "main"\nstop_timeout = "none"\n')
        os.mkdir(s.path("web"))
        s.write("starter.py", STARTER)
        s.write("web/nginx.conf", nginx.configuration(port, daemon=True))
        say = s.fifo("say")
        os.mkfifo(s.path("go"))
        s.start()

        def pid_in(name):
            try:
                with open(s.path("web", name), encoding="ascii") as file:
                    return int(file.read() or 0)
            except FileNotFoundError:
                return 0
        self.await_true("it serves", lambda: pid_in("nginx.pid") != 0)
        starter, first = s.pid_of("web"), pid_in("nginx.pid")
        os.write(say.fd, f"READY=1\\nMAINPID={first}\n".encode())
        s.ctl("wait", "web")
        self.assertEqual(first, s.pid_of("web"))
        with open(s.path("go"), "wb"):
            pass
        self.await_true("who started it is gone", lambda: not os.path.exists(f"/proc/{starter}"))
        s.ctl("signal", "SIGUSR2", "web")
        self.await_true("the new one is there", lambda: pid_in("nginx.pid") not in (0, first))
        second = pid_in("nginx.pid")
        os.write(say.fd, f"MAINPID={second}\n".encode())
        self.await_true("it is named", lambda: s.pid_of("web") == second)
        os.kill(first, signal.SIGQUIT)
        self.await_true("the old one is gone", lambda: not os.path.exists(f"/proc/{first}"))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            self.assertEqual(nginx.ANSWER, answer.read().rstrip())
        self.assertEqual(("running", second), tuple(s.instance("web")[key] for key in ("state", "pid")))
        s.ctl("stop", "web")
        self.assertEqual("stopped", s.instance("web")["state"])
        self.assertEqual([], s.job_processes())

    @unittest.skipUnless(shutil.which("haproxy", path=PATH), "no haproxy")
    def test_haproxy_that_executes_itself_again_names_itself(self):
        s = self.prepare('[jobs.web]\ncommand = ["/usr/sbin/haproxy", "-Ws", "-f", "@DIR@/haproxy.cfg"]\nready.notify = true\n'
                         'reload_signal = "SIGUSR2"\n')
        s.write("haproxy.cfg", HAPROXY.format(port=free_port()))
        s.start()
        s.ctl("wait", "web")
        main = s.pid_of("web")
        events = s.events("web")
        s.ctl("reload", "web")
        events.until("web", "reloading")
        events.until("web", "running")
        events.close()
        self.assertEqual(main, s.pid_of("web"))
        self.assertNotIn("was not taken", s.log_text())
        s.ctl("stop", "web")
        self.assertEqual([], s.job_processes())


@unittest.skipUnless(GROUPS, "needs a cgroup v2 tree that may be written")
class InCgroups(MainProcess, Named):
    mode = "cgroup"


@unittest.skipUnless(os.path.exists(os.path.join(os.path.dirname(PROCSUPD), "keeper/procsup-keeper")), "no keeper")
class WithKeepers(MainProcess, Named):
    mode = "keeper"

    def test_a_run_whose_keeper_is_killed_ends_with_all_that_it_has_named(self):
        for takes_over in (False, True):
            with self.subTest(takes_over=takes_over):
                s, say = self.named()
                first = s.pid_of("web")
                keeper = parents()[first][0]
                say("MAINPID=SECOND\\nREADY=1")
                s.ctl("wait", "web")
                if takes_over:
                    say("end")
                    self.await_true("the first one is gone", lambda pid=first: not os.path.exists(f"/proc/{pid}"))
                os.kill(keeper, signal.SIGKILL)
                self.await_end(s, "SIGKILL")
                self.assertIn("its keeper was killed", s.log_text())


class InGroups(Named):
    mode = "group"

    def test_no_other_process_becomes_the_main_one(self):
        s, say = self.named()
        first = s.pid_of("web")
        say("MAINPID=SECOND\\nREADY=1")
        s.ctl("wait", "web")
        self.assertEqual(first, s.pid_of("web"))
        self.assertIn("was not taken: that can only be where cgroups or keepers hold jobs together", s.log_text())
        say("end")
        self.await_true("its end is that of the run", lambda: s.instance("web")["state"] == "failed")
        self.assertIn("exit 3", s.instance("web")["cause"])


if __name__ == "__main__":
    unittest.main()
