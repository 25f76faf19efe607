"""Completion as users meet it: real shells on a terminal, with the scripts where packages put them."""
import os
import shutil
import subprocess
import unittest

from harness import PROCSUPCTL, IntegrationTest
from processes import wait_gone
from terminal import Terminal

CONFIG = """
[jobs.db]
command = ["sleep", "1000"]
instances = ["primary", "copy"]
[jobs.mailer]
command = ["sleep", "1000"]
enabled = false
"""
PROMPT = "ready> "
# What is typed, and the words that the command line then has. @DIR@ is the private directory.
TYPED = {
    "restar\t": ["restart"],
    "daemon st\t": ["daemon", "status"],
    "logs rot\t": ["logs", "rotate"],
    "start mail\t": ["start", "mailer"],
    "start db@p\tdb@c\t": ["start", "db@primary", "db@copy"],
    "wait --fo\trea\tdb@c\t": ["wait", "--for=ready", "db@copy"],
    "graph --crit\tmail\t": ["graph", "--critical", "mailer"],
    "wait --for exi\t": ["wait", "--for", "exit"],
    "--socket @DIR@/run/io.procsupd restart mai\t": ["--socket", "@DIR@/run/io.procsupd", "restart", "mailer"],
    "--soc\t@DIR@/procsup.to\tlist": ["--socket=@DIR@/procsup.toml", "list"],
    "signal SIGHU\t": ["signal", "SIGHUP"],
    "completion ba\t": ["completion", "bash"],
    "up @DIR@/procsup.to\t": ["up", "@DIR@/procsup.toml"],
    "run -- only-one-such-com\t": ["run", "--", "only-one-such-command"],
    "exec mailer only-one-such-com\t": ["exec", "mailer", "only-one-such-command"],
    "run -- cat @DIR@/procsup.to\t": ["run", "--", "cat", "@DIR@/procsup.toml"],
    "why mailer @DIR@/procsup.to\t": ["why", "mailer", "@DIR@/procsup.to"],
    "nosuchverb \t--jso\tx": ["nosuchverb", "--json", "x"],
}


class InShell:
    """What every shell has to do. A shell says where its script belongs and how it is started."""

    def setUp(self):
        self.s = self.supervise(CONFIG)
        for directory in ("bin", "home"):
            os.mkdir(self.s.path(directory))
        os.symlink(PROCSUPCTL, self.s.path("bin/procsupctl"))
        self.s.write("bin/only-one-such-command", "#!/bin/sh\n", 0o755)
        self.install()

    def place(self, path, text):
        os.makedirs(os.path.dirname(self.s.path(path)), exist_ok=True)
        self.s.write(path, text)

    def script(self):
        return self.s.ctl("completion", self.shell).out

    def env(self):
        return self.s.ctl_env({"PATH": f"{self.s.path('bin')}:{os.environ['PATH']}", "HOME": self.s.path("home"), "TERM": "xterm",
                               "XDG_DATA_DIRS": f"{self.s.path('share')}:/usr/share"})

    def open_shell(self):
        terminal = Terminal(*self.command(), env=self.env())
        self.addCleanup(self.hang_up, terminal)
        terminal.resize(50, 200)
        terminal.expect(PROMPT)
        return terminal

    def hang_up(self, terminal):
        terminal.close()
        self.assertTrue(wait_gone(terminal.pid))
        os.waitpid(terminal.pid, 0)

    def words_after(self, terminal, typed, program="procsupctl"):
        """Types it behind the program, and has the shell's own function print the words of what has become of it."""
        terminal.type(f"{program} {typed} \x01words \r")
        shown = terminal.expect(r"words: ((?:<[^<>]*>)+)\r\n").group(1)
        terminal.expect(PROMPT)
        return shown[1:-1].split("><")

    def test_words_that_are_begun_are_completed(self):
        terminal = self.open_shell()
        for typed, words in TYPED.items():
            with self.subTest(typed):
                completed = self.words_after(terminal, typed.replace("@DIR@", self.s.dir))
                self.assertEqual(["procsupctl", *(word.replace("@DIR@", self.s.dir) for word in words)], completed)

    def test_the_program_that_was_typed_is_the_one_asked(self):
        os.rename(self.s.path("bin/procsupctl"), self.s.path("home/procsupctl"))
        # fish looks for completions of what is in the path only.
        self.s.write("bin/procsupctl", "#!/bin/sh\nexit 1\n", 0o755)
        terminal = self.open_shell()
        for program in (self.s.path("home/procsupctl"), "~/procsupctl"):
            with self.subTest(program):
                self.assertEqual([self.s.path("home/procsupctl"), "start", "db@copy"],
                                 self.words_after(terminal, "star\tdb@c\t", program))

    def test_without_a_supervisor_verbs_are_completed_and_nothing_is_said(self):
        self.s.ctl("shutdown")
        terminal = self.open_shell()
        self.assertEqual(["procsupctl", "restart", "d"], self.words_after(terminal, "restar\td\t"))


class Bash(InShell, IntegrationTest):
    shell = "bash"

    def install(self):
        self.place("completions/procsupctl", self.script())
        self.rc("")

    def rc(self, more):
        self.place("rc", f"""PS1='{PROMPT}'
bind 'set enable-bracketed-paste off'
words() {{ printf 'words: '; printf '<%s>' "$@"; echo; }}
source '{self.s.path("completions/procsupctl")}'
{more}
""")

    def command(self):
        return ["bash", "--noprofile", "--rcfile", self.s.path("rc"), "-i"]

    def test_what_separates_words_is_the_users_choice(self):
        for breaks in ("@", "=:", "@=:"):
            self.rc(f"COMP_WORDBREAKS=${{COMP_WORDBREAKS//[{breaks}]/}}")
            with self.subTest(without=breaks):
                self.assertEqual(["procsupctl", "wait", "--for=ready", "db@copy"],
                                 self.words_after(self.open_shell(), "wait --for=rea\tdb@c\t"))


@unittest.skipUnless(shutil.which("zsh"), "needs zsh")
class Zsh(InShell, IntegrationTest):
    shell = "zsh"

    def install(self):
        self.place("functions/_procsupctl", self.script())
        self.rc(f"fpath=('{self.s.path('functions')}' $fpath)\nautoload -Uz compinit && compinit -u -D")

    def rc(self, completion):
        self.place("home/.zshrc", f"""PS1='{PROMPT}'
unsetopt prompt_sp prompt_cr
bindkey -e
zle_highlight=(none)
words() {{ printf 'words: '; printf '<%s>' "$@"; echo; }}
{completion}
""")

    def command(self):
        return ["zsh", "--no-globalrcs", "-i"]

    def test_verbs_options_and_jobs_are_described(self):
        terminal = self.open_shell()
        for typed, shown in {"st\t": "stop +-- stop and wait until nothing is left", "wait --\t": "--for= +-- wait until ready",
                             "stop \t": "mailer +-- stopped"}.items():
            with self.subTest(typed):
                terminal.type(f"procsupctl {typed}")
                terminal.expect(shown)
                terminal.type("\x15\r")
                terminal.expect(PROMPT)

    def test_the_script_can_be_sourced(self):
        self.rc("autoload -Uz compinit && compinit -u -D\nsource <(procsupctl completion zsh)")
        self.assertEqual(["procsupctl", "restart"], self.words_after(self.open_shell(), "restar\t"))


@unittest.skipUnless(shutil.which("fish"), "needs fish")
class Fish(InShell, IntegrationTest):
    shell = "fish"

    def install(self):
        self.place("share/fish/vendor_completions.d/procsupctl.fish", self.script())
        # Where there is none, fish makes one from all manual pages, in the background.
        os.makedirs(self.s.path("home/.local/share/fish/generated_completions"))
        self.place("home/.config/fish/config.fish", f"""set fish_greeting
function fish_prompt; echo -n '{PROMPT}'; end
function words; printf 'words: '; printf '<%s>' $argv; echo; end
""")

    def command(self):
        return ["fish", "--interactive"]

    def candidates(self, line):
        done = subprocess.run(["fish", "-c", f"complete -C '{line}'"], env=self.env(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, check=True)
        return dict(row.partition("\t")[::2] for row in done.stdout.decode().splitlines())

    def test_verbs_options_and_jobs_are_described(self):
        self.assertEqual({"stop": "stop and wait until nothing is left"}, self.candidates("procsupctl sto"))
        self.assertEqual({"--for=": "wait until ready (default), healthy, stopped or the next exit"},
                         self.candidates("procsupctl wait --fo"))
        self.assertEqual({"db": "2 instances", "db@copy": "running", "db@primary": "running", "mailer": "stopped"},
                         self.candidates("procsupctl stop "))

    def test_the_script_can_be_sourced(self):
        shutil.rmtree(self.s.path("share"))
        self.assertNotIn("stop", self.candidates("procsupctl sto"))
        done = subprocess.run(["fish", "-c", "procsupctl completion fish | source; complete -C 'procsupctl sto'"],
                              env=self.env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
        self.assertEqual(b"stop\t", done.stdout[:5])


if __name__ == "__main__":
    unittest.main()
