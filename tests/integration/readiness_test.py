"""How it becomes known that a job is ready, with real programs, and what jobs that say nonsense, or too much, come to."""
import os
import shutil
import signal
import socket
import subprocess
import time
import unittest

from harness import IntegrationTest, Lines, PROCSUPCTL, ROOT
from processes import PATIENCE, SCALE, descendants, free_port

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/readiness.toml")
SPEAKER = """
import os, socket, sys
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
path = os.environ["NOTIFY_SOCKET"]
notify.connect("\\0" + path[1:] if path[0] == "@" else path)
told = open(sys.argv[1])
for line in told:
    words = line.strip()
    if words == "end":
        break
    notify.send(words.encode().decode("unicode_escape").encode("latin-1"))
"""


class Ready(IntegrationTest):
    def test_what_can_not_say_it_any_more_is_told_to_wait_in_vain(self):
        s = self.prepare('[jobs.web]\nshell = "exec 3>&-; exec sleep 1000"\nready.fd = 3\nready.timeout = "1h"\n')
        s.start()
        told = "fd 3, which it has closed without a line"
        self.await_true("it is told", lambda: told in s.ctl("status").out)
        self.assertRegex(s.ctl("status").out, r"not ready: waits for fd 3, which it has closed without a line \((1h|59m.*) left\)")
        self.assertRegex(s.ctl("why", "web", expect=3).out, r"not ready yet: waits for fd 3, which .* line \((1h|59min \d+s) left\)\n")
        s.configure('[jobs.web]\nshell = "exec 3>&-; exec sleep 1000"\nready.fd = 3\nready.timeout = "10ms"\nrestart = "no"\n')
        s.ctl("apply")
        self.await_true("it has failed", lambda: s.instance("web")["state"] == "failed")
        self.assertIn("not ready within 10ms (fd 3, which it has closed without a line)", s.instance("web")["cause"])

    def test_the_example_waits_for_each_in_its_way(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            text = file.read()
        s = self.prepare()
        s.env["PWD"] = s.dir
        s.configure(text.replace("18080", str(free_port())))
        s.start()
        s.ctl("wait", "files")
        one = s.instances()
        self.assertEqual({True}, {i["ready"] for i in one.values()})
        for name in ("redis", "worker", "web@0", "web@1", "answers", "files"):
            self.assertIn(", ready after ", one[name]["cause"])
        self.assertTrue(one["redis"]["status_text"].lower().startswith("ready"), one["redis"])

    def test_a_job_that_is_not_ready_in_time_is_a_failed_start_that_says_why(self):
        port = free_port()
        s = self.supervise(f'[jobs.web]\ncommand = ["sleep", "1000"]\nrestart = "no"\nenabled = false\n'
                           f'ready = {{ tcp = "127.0.0.1:{port}", timeout = "500ms" }}\n')
        failed = s.ctl("start", "web", expect=1)
        reason = f"cannot connect to 127.0.0.1:{port}: Connection refused"
        self.assertIn(f"not ready within 500ms (tcp 127.0.0.1:{port}: {reason})", failed.err)
        self.assertEqual([], s.job_processes())
        self.await_true("the reason is among its lines", lambda: f" | {reason}" in s.ctl("why", "web", expect=3).out)

    def test_what_is_in_the_way_is_told_as_it_changes(self):
        port = free_port()
        s = self.supervise(f'[jobs.web]\ncommand = ["sleep", "1000"]\nready.http = "http://127.0.0.1:{port}/up?key=secret"\n'
                           'ready.timeout = "1h"\n')

        def is_told(reason):
            self.await_true(reason, lambda: f"not ready: waits for http http://127.0.0.1:{port}/up: {reason} (" in s.ctl("status").out)
            self.assertIn(f"not ready yet: waits for http http://127.0.0.1:{port}/up: {reason} (", s.ctl("why", "web", expect=3).out)

        def answer(server, status):
            connection = server.accept()[0]
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 " + status + b"\r\n\r\n")

        is_told(f"cannot connect to 127.0.0.1:{port}: Connection refused")
        with socket.create_server(("127.0.0.1", port)) as server:
            answer(server, b"503 Service Unavailable")
            is_told(f"http://127.0.0.1:{port}/up answered 503")
            answer(server, b"204 No Content")
            s.ctl("wait", "web")

    def test_what_a_command_has_written_last_is_told_and_is_not_in_the_log(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nready.timeout = "1h"\nrestart = "no"\n'
                           'ready.exec = ["/bin/sh", "-c", "echo looking; cat @DIR@/answer; test -e @DIR@/up"]\n')
        s.write("answer", "no route\n")
        told = "waits for exec /bin/sh: '/bin/sh' ended with exit code 1: no route ("
        self.await_true("it is told", lambda: told in s.ctl("status").out)
        self.assertIn(told, s.ctl("why", "web", expect=3).out)
        s.write("answer", "no name\n")
        self.await_true("what is new is told", lambda: "exit code 1: no name (" in s.ctl("status").out)
        s.write("up", "")
        s.ctl("wait", "web")
        self.assertEqual("", s.ctl("logs", "web").out)

    def test_what_a_command_has_written_is_no_cause_but_a_last_line(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nready.timeout = "500ms"\nrestart = "no"\nenabled = false\n'
                           'ready.exec = ["/bin/sh", "-c", "echo no route; exit 1"]\n')
        failed = s.ctl("start", "web", expect=1)
        self.assertIn("not ready within 500ms (exec /bin/sh: '/bin/sh' ended with exit code 1)", failed.err)
        self.await_true("it is among its lines",
                        lambda: " | '/bin/sh' ended with exit code 1: no route\n" in s.ctl("why", "web", expect=3).out)

    def test_what_is_in_the_way_is_followed_as_an_event(self):
        port = free_port()
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nready.timeout = "1h"\nenabled = false\n'
                           f'ready.tcp = "127.0.0.1:{port}"\n')
        events = s.popen("events", "-f", "web", stdout=subprocess.PIPE)
        self.addCleanup(events.stdout.close)
        lines = Lines(events.stdout.fileno())
        while " stopped " not in lines.next():  # the states of now
            pass
        s.ctl("start", "--no-wait", "web")
        while " web waits for " not in (line := lines.next()):
            pass
        self.assertRegex(line, f"web waits for tcp 127.0.0.1:{port}: .*: Connection refused$")
        events.kill()

    def test_who_writes_to_the_probes_pipe_is_shown_and_holds_up_nobody(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nready.file = "@DIR@/up"\nready.timeout = "1h"\n')
        probes = []
        self.await_true("the probe runs", lambda: probes.extend(
            pid for pid, text in descendants(s.process.pid).items() if "procsup-probe" in text) or probes)
        probe, = probes
        with open(f"/proc/{probe}/fd/3", "wb", buffering=0) as pipe:
            for _ in range(1000):
                pipe.write(b"x" * 300 + b"\n\x1b[31mred\x07\xff\n")
        self.await_true("the newest line", lambda: f"waits for file {s.dir}/up:  [31mred ? (" in s.ctl("status").out)
        s.write("up", "")
        s.ctl("wait", "web")

    def test_status_says_what_is_waited_for(self):
        s = self.prepare('[jobs.web]\ncommand = ["sleep", "1000"]\nready.file = "@DIR@/up"\n[jobs.shop]\ncommand = ["sleep", "1000"]\n'
                         'requires = ["web"]\n')
        s.start().settle()
        self.assertIn(f"not ready: waits for file {s.dir}/up", s.ctl("status").out)
        s.ctl("is-active", "web", expect=3)
        s.write("up", "")
        s.ctl("wait", "shop")
        s.ctl("is-active", "web", "shop")

    def test_a_probe_does_not_outlive_a_stop(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nready.exec = ["sleep", "1000"]\n')
        asleep = lambda: [pid for pid, text in descendants(s.process.pid).items() if text.endswith(" sleep")]
        self.await_true("the job and the command of its probe run", lambda: len(asleep()) == 2)
        s.ctl("stop", "web")
        self.assertEqual([], asleep())

    def test_a_command_that_is_not_there_fails_the_start(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "1000"]\nready.exec = ["/nonexistent"]\nenabled = false\nrestart = "no"\n')
        failed = s.ctl("start", "web", expect=1)
        self.assertIn("cannot find out whether it is ready (exec /nonexistent: cannot execute '/nonexistent': No such file or directory): exit 127", failed.err)

    def test_a_descriptor_is_the_jobs_alone_and_counts_with_its_first_line(self):
        s = self.prepare('[jobs.web]\nshell = "printf half >&5; read line < @DIR@/go; echo >&5; ls -l /proc/self/fd > @DIR@/fds; '
                         'exec sleep 1000"\nready.fd = 5\n')
        s.fifo("go")
        s.start().settle()
        self.assertFalse(s.instance("web")["ready"])
        with open(s.path("go"), "w", encoding="utf-8") as go:
            go.write("\n")
        s.ctl("wait", "web")
        self.assertTrue(s.instance("web")["ready"])


class Watched(IntegrationTest):
    # Says that it is ready, and gives signs of life as often as the variable lets it, until there is a file "hang".
    PINGER = """
import os, signal, socket, time
path = os.environ["NOTIFY_SOCKET"]
say = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
say.connect("\\0" + path[1:] if path[0] == "@" else path)
say.send(b"READY=1\\nSTATUS=" + os.environ["WATCHDOG_USEC"].encode())
while not os.path.exists("hang"):
    say.send(b"WATCHDOG=1")
    time.sleep(int(os.environ["WATCHDOG_USEC"]) / 1e7)
signal.pause()
"""

    def pinger(self, watchdog, more=""):
        s = self.prepare(f'[jobs.web]\ncommand = ["python3", "@DIR@/pinger.py"]\nworking_dir = "@DIR@"\nready.notify = true\n'
                         f'watchdog = "{watchdog}"\n{more}')
        s.write("pinger.py", self.PINGER)
        return s

    def test_who_gives_signs_of_life_runs_and_who_does_not_is_aborted(self):
        watchdog = int(1000 * SCALE)
        s = self.pinger(f"{watchdog}ms", 'restart = "no"\n')
        s.start()
        s.ctl("wait", "web")
        self.assertEqual(str(1000 * watchdog), s.instance("web")["status_text"])
        began = time.monotonic()
        self.await_true("it has lived longer", lambda: time.monotonic() - began > 2.5 * watchdog / 1000)
        self.assertEqual("running", s.instance("web")["state"])
        self.assertRegex(s.ctl("status", "web").out, r" watchdog: \S+ \(\S+ left until the next sign of life\)\n")
        s.write("hang", "")
        s.ctl("wait", "--for=exit", "web", expect=128 + signal.SIGABRT)
        self.assertRegex(s.instance("web")["cause"], r"^watchdog \(.*\) passed without a sign of life, killed by SIGABRT")
        self.assertIn("watchdog", s.ctl("why", "web", expect=3).out)

    def test_one_that_stands_still_is_ended_and_started_again(self):
        s = self.pinger(f"{int(1000 * SCALE)}ms", 'stop_timeout = "100ms"\nrestart = "on-abnormal"\nmin_uptime = "10ms"\n')
        s.start()
        s.ctl("wait", "web")
        pid = s.pid_of("web")
        os.kill(pid, signal.SIGSTOP)
        self.await_true("another one runs", lambda: s.pid_of("web") not in (None, pid))
        s.ctl("wait", "web")
        self.assertIn(" passed without a sign of life", s.ctl("why", "web").out)

    def test_the_example_is_one(self):
        with open(os.path.join(os.path.dirname(EXAMPLE), "watchdog.toml"), encoding="utf-8") as file:
            s = self.supervise(file.read().replace('"5s"', f'"{int(1000 * SCALE)}ms"'))
        s.ctl("wait", "poller")
        pid = s.pid_of("poller")
        s.write("hang.txt", "")
        self.await_true("another one runs", lambda: s.pid_of("poller") not in (None, pid))


class ByUp(IntegrationTest):
    @unittest.skipUnless(ROOT, "needs root")
    def test_a_job_with_a_user_of_its_own_reaches_its_socket(self):
        s = self.prepare('[jobs.web]\ncommand = ["python3", "-c", """import os, signal, socket\n'
                         'say = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\nsay.connect(os.environ["NOTIFY_SOCKET"])\n'
                         'say.send(b"READY=1")\nsignal.pause()"""]\nuser = "nobody"\nready.notify = true\nready.timeout = "20s"\n'
                         'restart = "no"\nworking_dir = "/"\n')
        away = ("XDG_RUNTIME_DIR", "PROCSUPD_SOCKET")
        env = {name: value for name, value in os.environ.items() if name not in away}

        def call(*words):
            return subprocess.run([PROCSUPCTL, *words], cwd=s.dir, env=env, timeout=PATIENCE, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)

        self.addCleanup(call, "down")
        up = call("up")
        self.assertEqual(0, up.returncode, up.stdout)
        ready = call("wait", "--timeout=15s", "web")
        self.assertEqual(0, ready.returncode, ready.stdout + call("logs").stdout)


class Notified(IntegrationTest):
    def speaker(self, more="", others=""):
        s = self.prepare(f'[jobs.web]\ncommand = ["/usr/bin/python3", "@DIR@/speaker.py", "@DIR@/say"]\n'
                         f'ready.notify = true\nrestart = "no"\n{more}{others}')
        s.write("speaker.py", SPEAKER)
        say = s.fifo("say")
        s.start().settle()
        return s, lambda words: os.write(say.fd, words.encode() + b"\n")

    def test_a_job_says_what_it_does(self):
        s, say = self.speaker()
        events = s.events("web")
        say("STATUS=reading 3 of 7")
        self.await_true("its status", lambda: s.instance("web").get("status_text") == "reading 3 of 7")
        say("READY=1\\nSTATUS=at work")
        s.ctl("wait", "web")
        self.assertIn("says: at work", s.ctl("status", "web").out)
        say("RELOADING=1")
        events.until("web", "reloading")
        self.assertTrue(s.instance("web")["ready"])
        self.assertRegex(s.ctl("status").out, r"reloading .* waits for READY=1, which is to follow RELOADING=1")
        self.assertRegex(s.ctl("why", "web").out, r"has said RELOADING=1 \d+\w+ ago and not READY=1 since")
        say("READY=1")
        events.until("web", "running")
        say("STOPPING=1")
        events.until("web", "stopping")
        say("end")
        events.until("web", "exited")
        events.close()
        self.assertNotIn("says:", s.ctl("status", "web", expect=3).out)

    def test_a_main_process_that_is_no_number_is_told_in_the_log(self):
        s, say = self.speaker()
        say("MAINPID=$!\\nREADY=1")
        s.ctl("wait", "web")
        self.assertIn("web: MAINPID=$! was not taken: that is no process ID", s.log_text())

    def test_what_is_too_long_is_told_in_the_log(self):
        s, say = self.speaker()
        say("READY=1\\nSTATUS=" + 5000 * "x")
        self.await_true("it is told", lambda: "web: a notification was not taken: it is longer than 4096 bytes" in s.log_text())
        self.assertFalse(s.instance("web")["ready"])

    def test_time_that_a_job_asks_for_is_given(self):
        s, say = self.speaker('ready.timeout = "4s"\n', '[jobs.slow]\ncommand = ["sleep", "1000"]\nrestart = "no"\n'
                              'ready = { file = "/nonexistent/x", timeout = "5s" }\n')
        events = s.events("slow")
        say("EXTEND_TIMEOUT_USEC=3600000000")
        events.until("slow", "failed")
        events.close()
        self.assertEqual("running", s.instance("web")["state"])

    def test_a_flood_of_nonsense_holds_up_nobody_and_changes_nothing(self):
        count = int(os.environ.get("PROCSUP_NOTICES", "30000"))
        s = self.prepare(f"""
[jobs.flood]
command = ["/usr/bin/python3", "@DIR@/flood.py", "{count}", "@DIR@/done"]
ready.notify = true
[jobs.other]
command = ["sleep", "1000"]
""")
        s.write("flood.py", """
import array, os, random, socket, sys
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"])
random.seed(1)
words = [b"STATUS=", b"MAINPID=1", b"EXTEND_TIMEOUT_USEC=99", b"FDSTORE=1", b"\\n", b"=", b"RELOADING=2", b"READY=", b"\\xff\\xfe"]
null = os.open("/dev/null", os.O_RDONLY)
for i in range(int(sys.argv[1])):
    text = b"".join(random.choice(words) + random.randbytes(random.randrange(20)) for _ in range(random.randrange(6)))
    if i % 1000 == 0:
        text = b"x" * 100000
    fds = [null] * random.randrange(1, 20) if i % 50 == 0 else []
    notify.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
notify.send(b"READY=1")
open(sys.argv[2], "w").write("done\\n")
import time
time.sleep(1000)
""")
        done = s.fifo("done")
        s.start().settle()
        other = s.pid_of("other")
        pings = 0
        while not s.instance("flood")["ready"]:
            s.ctl("ping")
            pings += 1
        self.assertEqual("done", done.next(max(120, count / 1000)))
        self.assertGreater(pings, 0)
        self.assertEqual(other, s.pid_of("other"))
        fds = len(os.listdir(f"/proc/{s.process.pid}/fd"))
        s.ctl("stop", "flood")
        self.assertGreaterEqual(fds, len(os.listdir(f"/proc/{s.process.pid}/fd")))

    def test_a_descriptor_that_nobody_can_close_holds_up_nobody(self):
        s = self.prepare("""
[jobs.bad]
command = ["/usr/bin/python3", "@DIR@/bad.py", "@DIR@/go", "@DIR@/done"]
ready.notify = true
[jobs.good]
command = ["sh", "-c", "systemd-notify --ready; exec sleep 1000"]
ready.notify = true
requires = ["bad"]
""")
        s.write("bad.py", f"""
import os, socket, sys
sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})
import lingering
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"])
open(sys.argv[1]).readline()
kept = [lingering.send(notify, words) for words in (b"STATUS=first", b"", b"READY=1", b"STATUS=last")]
open(sys.argv[2], "w").write("done\\n")
import time
time.sleep(1000)
""")
        done = s.fifo("done")
        s.fifo("go")
        s.start()
        self.await_true("its start", lambda: s.instance("bad")["state"] == "running")
        os.kill(s.process.pid, signal.SIGSTOP)
        with open(s.path("go"), "w", encoding="utf-8") as go:
            go.write("\n")
        self.assertEqual("done", done.next())
        os.kill(s.process.pid, signal.SIGCONT)
        s.ctl("wait", "bad", "good", "--timeout=20s")
        self.await_true("what came last", lambda: s.instance("bad").get("status_text") == "last")

    def test_nobody_else_speaks_for_a_job(self):
        s, say = self.speaker()
        path = os.path.join(s.runtime, "notify")
        name = os.path.join(path, os.listdir(path)[0])
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"READY=1\nSTATUS=mine", name)
            self.await_true("it is refused", lambda: "that is none of its processes" in s.log_text())
        self.assertFalse(s.instance("web")["ready"])
        told = f"waits for notify; a notification of process {os.getpid()} was not taken: that is none of its processes"
        self.await_true("it is shown", lambda: told in s.run("why", "web").out)
        self.assertNotIn("status_text", s.instance("web"))
        say("READY=1")
        s.ctl("wait", "web")

    def test_a_process_that_has_ended_meanwhile_is_heard_too(self):
        for mode in ("cgroup", "keeper", "group") if ROOT else ("keeper", "group"):
            with self.subTest(mode=mode):
                s = self.prepare(f"""
[daemon]
containment = "{mode}"
[jobs.web]
shell = "read line < @DIR@/go; systemd-notify --no-block --ready --status=done; echo > @DIR@/done; exec sleep 1000"
ready.notify = true
""")
                done, _ = s.fifo("done"), s.fifo("go")
                s.start()
                self.await_true("its start", lambda: s.instance("web")["state"] == "running")
                os.kill(s.process.pid, signal.SIGSTOP)
                with open(s.path("go"), "w", encoding="utf-8") as go:
                    go.write("\n")
                done.next()
                os.kill(s.process.pid, signal.SIGCONT)
                s.ctl("wait", "web")
                self.assertEqual("done", s.instance("web")["status_text"])

    @unittest.skipUnless(ROOT, "jobs of another user need root")
    def test_a_process_of_another_user_that_has_ended_is_not_heard(self):
        s, _ = self.speaker('user = "nobody"\n')
        path = os.path.join(s.runtime, "notify")
        name = os.path.join(path, os.listdir(path)[0])
        os.chmod(name, 0o666)
        os.kill(s.process.pid, signal.SIGSTOP)
        said = ("import socket\nsocket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', " + repr(name) + ")")
        subprocess.run(["/usr/bin/python3", "-c", said], check=True, user=65533, group=65533, extra_groups=[])
        os.kill(s.process.pid, signal.SIGCONT)
        self.await_true("it is refused", lambda: "and was of another user (65533)" in s.log_text())
        self.assertFalse(s.instance("web")["ready"])

    @unittest.skipUnless(ROOT, "jobs of another user need root")
    def test_the_socket_of_a_job_of_another_user_is_that_users(self):
        s, _ = self.speaker('user = "nobody"\n')
        path = os.path.join(s.runtime, "notify")
        mode = os.stat(os.path.join(path, os.listdir(path)[0]))
        self.assertEqual((0o600, 65534), (mode.st_mode & 0o777, mode.st_uid))

    def test_its_socket_is_gone_with_its_run(self):
        s, say = self.speaker()
        say("end")
        self.await_true("the run ends", lambda: s.instance("web")["state"] == "exited")
        self.assertFalse(os.path.exists(os.path.join(s.runtime, "notify")))


class RealPrograms(IntegrationTest):
    def serve(self, job, **files):
        s = self.prepare()
        for name, text in files.items():
            s.write(name.replace("_", "."), text.replace("@DIR@", s.dir))
        s.configure(job)
        s.start()
        s.ctl("wait", "--timeout=30s", "job")
        self.assertTrue(s.instance("job")["ready"])
        return s

    @unittest.skipUnless(shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin"), "no haproxy")
    def test_haproxy_is_ready_when_it_says_so_and_after_a_reload_again(self):
        port = free_port()
        s = self.serve('[jobs.job]\ncommand = ["/usr/sbin/haproxy", "-Ws", "-f", "@DIR@/haproxy.cfg"]\nready.notify = true\n'
                       'reload_signal = "SIGUSR2"\n',
                       haproxy_cfg=f"defaults\n  mode http\n  timeout client 1s\n  timeout server 1s\n  timeout connect 1s\n"
                                   f"frontend f\n  bind 127.0.0.1:{port}\n  http-request return status 200\n")
        events = s.events("job")
        s.ctl("reload", "job")
        events.until("job", "reloading")
        events.until("job", "running")
        events.close()

    @unittest.skipUnless(ROOT, "a server of its own is run as postgres, which needs root")
    def test_postgresql_is_ready_when_it_says_so(self):
        versions = "/usr/lib/postgresql"
        if not os.path.isdir(versions):
            self.skipTest("no postgresql")
        binaries = os.path.join(versions, sorted(os.listdir(versions))[-1], "bin")
        s = self.serve(f"""
[jobs.init]
command = ["{binaries}/initdb", "-D", "/tmp/psit-pg-{os.getpid()}", "--no-sync", "-A", "trust"]
type = "oneshot"
user = "postgres"
[jobs.job]
command = ["{binaries}/postgres", "-D", "/tmp/psit-pg-{os.getpid()}", "-c", "listen_addresses=", "-k", "/tmp/psit-pg-{os.getpid()}"]
user = "postgres"
ready.notify = true
requires = ["init"]
stop_signal = "SIGINT"
""")
        self.addCleanup(shutil.rmtree, f"/tmp/psit-pg-{os.getpid()}", True)
        s.ctl("stop", "job")

    @unittest.skipUnless(shutil.which("dbus-daemon"), "no dbus-daemon")
    def test_dbus_daemon_is_ready_when_it_says_so(self):
        self.serve('[jobs.job]\ncommand = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--systemd-activation", '
                   '"--address=unix:path=@DIR@/bus"]\nready.notify = true\n')


if __name__ == "__main__":
    unittest.main()
