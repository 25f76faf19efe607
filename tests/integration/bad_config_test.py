"""Configurations that cannot be used: a clear error with its place, exit code 6, and nothing that runs is changed."""
import os
import unittest

from harness import ROOT, IntegrationTest


class BadFile(IntegrationTest):
    def refused(self, config, *expected):
        """Both procsupd and `procsupctl check` say so."""
        s = self.prepare(config)
        s.launch()
        self.assertEqual(6, s.wait_end(), s.log_text())
        check = s.run("check", s.config)
        self.assertEqual(6, check.code, check)
        for text in expected:
            self.assertIn(text, s.log_text())
            self.assertIn(text, check.err)
        for_programs = s.run("check", "--json", s.config)
        self.assertEqual(6, for_programs.code)
        for problem in for_programs.json["problems"]:
            self.assertIn(problem["message"], check.err)
        self.assertFalse(os.path.exists(s.socket))
        return check

    def test_a_syntax_error_names_its_place(self):
        self.refused('[jobs.web]\ncommand = "sleep 1"\nshell = [1,\n= 3\n', "procsup.toml:4:1: error: ")

    def test_an_unknown_key_is_answered_with_a_guess(self):
        self.refused('[jobs.web]\ncommand = "sleep 1"\nrestrat = "always"\n',
                     "procsup.toml:3:1: error: unknown key 'restrat'", "(did you mean 'restart'?)")

    def test_a_duration_without_its_unit_is_an_error(self):
        self.refused('[jobs.web]\ncommand = "sleep 1"\nstop_timeout = 10\n', "procsup.toml:3:16: error: ")

    def test_an_unknown_unit_is_an_error(self):
        self.refused('[jobs.web]\ncommand = "sleep 1"\nstop_timeout = "10 parsecs"\n', "procsup.toml:3:16: error: ",
                     "parsecs")

    def test_all_errors_come_at_once(self):
        check = self.refused('[jobs.web]\ncommand = "sleep 1"\nrestrat = "always"\nstop_timeout = 10\n'
                             'restart = "somtimes"\n[jobs.other]\nuser = "nobody-of-that-name"\n[jobs."bad name"]\n'
                             'command = "x"\n',
                             ":3:1: error: ", ":4:16: error: ", ":5:11: error: ", ":7:8: error: ")
        self.assertGreaterEqual(len([line for line in check.err.splitlines() if ": error: " in line]), 5)

    def test_errors_are_in_the_order_of_the_file(self):
        check = self.refused('[jobs.b]\ncommand = "x"\nzzz = 1\n[jobs.a]\ncommand = "x"\nyyy = 1\n', ":3:1: ", ":6:1: ")
        self.assertLess(check.err.index(":3:1:"), check.err.index(":6:1:"))

    def test_a_mebibyte_of_brackets_is_refused(self):
        self.refused("x = " + "[" * (1 << 20), "procsup.toml:", "error: ")

    def test_a_mebibyte_of_tables_is_refused(self):
        self.refused("[a" + ".a" * (1 << 19) + "]\n", "procsup.toml:", "error: ")

    def test_a_file_that_is_not_utf8_is_refused(self):
        self.refused(b'[jobs.web]\ncommand = "caf\xe9"\n', "procsup.toml:2:", "error: ", "UTF-8")

    def test_a_nul_byte_is_refused(self):
        self.refused(b'[jobs.web]\ncommand = "a\0b"\n', "procsup.toml:2:", "error: ")

    def test_control_characters_of_a_key_do_not_reach_the_terminal(self):
        check = self.refused('[jobs.web]\ncommand = "x"\n"\\u001b[31mred" = 1\n', ":3:1: error: unknown key")
        self.assertNotIn("\x1b", check.err)

    def test_an_unknown_user_is_named(self):
        self.refused('[jobs.web]\ncommand = "sleep 1"\nuser = "nobody-of-that-name"\n',
                     "procsup.toml:3:8: error: ", "nobody-of-that-name")

    def test_a_missing_working_dir_is_named(self):
        self.refused('[jobs.web]\ncommand = "sleep 1"\nworking_dir = "/nonexistent/missing"\n',
                     "procsup.toml:3:15: error: ", "/nonexistent/missing", "No such file or directory")

    def test_a_working_dir_that_has_vanished_is_named(self):
        s = self.prepare('[jobs.web]\ncommand = "sleep 1"\nworking_dir = "@DIR@/missing"\nrestart = "no"\n'
                         'enabled = false\n')
        os.mkdir(s.path("missing"))
        s.start()
        os.rmdir(s.path("missing"))
        s.ctl("start", "web", expect=1)
        s.ctl("wait", "--for=stopped", "web")
        web = s.instance("web")
        self.assertEqual("failed", web["state"])
        self.assertEqual(f"cannot change to directory {s.path('missing')}: No such file or directory", web["cause"])

    def test_a_missing_program_is_named(self):
        s = self.supervise('[jobs.web]\ncommand = ["/usr/bin/nope"]\nrestart = "no"\n')
        start = s.ctl("start", "web", expect=1)
        self.assertIn("exec /usr/bin/nope: No such file or directory", start.err)

    def test_a_job_without_a_command_is_refused(self):
        self.refused('[jobs.web]\nrestart = "no"\n', "procsup.toml:1:", "error: ", "command")

    def test_a_command_and_a_shell_exclude_each_other(self):
        self.refused('[jobs.web]\ncommand = "x"\nshell = "y"\n', "procsup.toml:3:1: error: ", "shell")

    def test_a_setting_without_any_effect_is_refused(self):
        self.refused('[jobs.web]\ncommand = "x"\nrestart = "no"\nrestart_delay = "1s"\n', "procsup.toml:4:",
                     "restart_delay")

    def test_how_to_keep_output_that_is_not_captured_is_refused(self):
        self.refused('[jobs.web]\ncommand = "x"\n[jobs.web.log]\nstdout = "journal"\nstderr = "null"\nkeep = 3\n',
                     "procsup.toml:6:1:",
                     "log.keep", '"capture"')

    def test_less_room_for_all_rotated_files_than_for_one_is_refused(self):
        self.refused('[jobs.web]\ncommand = "x"\n[jobs.web.log]\nstdout = "capture"\ntotal_size = "1MiB"\n',
                     "procsup.toml:5:1:", "log.total_size", "16MiB")

    def test_a_pipe_to_no_job_is_refused(self):
        self.refused('[jobs.web]\ncommand = "x"\nlog.pipe_to = "conut"\n[jobs.count]\ncommand = "x"\n',
                     "procsup.toml:3:5: error: ", "'conut', which is no job (did you mean 'count'?)")

    def test_a_pipe_to_a_job_with_another_input_is_refused(self):
        self.refused('[jobs.web]\ncommand = "x"\nlog.pipe_to = "count"\n[jobs.count]\ncommand = "x"\nlog.stdin = "null"\n',
                     "procsup.toml:6:5: error: ", "'log.stdin'", "'count'", "'web'", "'log.pipe_to'")

    def test_an_unknown_placeholder_is_refused(self):
        self.refused('[jobs.web]\ncommand = ["x", "${job:nam}"]\n', "procsup.toml:2:", "${job:nam}")


class BadPath(IntegrationTest):
    def test_a_missing_file_is_named(self):
        s = self.prepare()
        os.unlink(s.config)
        s.launch()
        self.assertEqual(6, s.wait_end())
        self.assertIn(f"{s.config}: error: ", s.log_text())
        self.assertIn("No such file or directory", s.log_text())

    def test_a_directory_where_a_job_file_should_be_is_refused(self):
        s = self.prepare()
        directory = s.path("conf")
        os.makedirs(os.path.join(directory, "web.toml"))
        s.config = directory
        s.launch()
        self.assertEqual(6, s.wait_end(), s.log_text())
        self.assertIn("web.toml", s.log_text())

    def test_a_directory_of_job_files_is_read_and_its_errors_name_the_file(self):
        s = self.prepare()
        s.config = s.path("conf")
        os.mkdir(s.config)
        s.write("conf/web.toml", 'command = "sleep infinity"\n')
        s.write("conf/bad.toml", 'command = "sleep infinity"\ncolour = 1\n')
        s.launch()
        self.assertEqual(6, s.wait_end())
        self.assertIn(f"{s.config}/bad.toml:2:1: error: unknown key 'colour'", s.log_text())
        os.unlink(s.path("conf/bad.toml"))
        s.start()
        self.assertEqual(["web"], list(s.instances()))

    def test_a_device_as_configuration_is_refused(self):
        s = self.prepare()
        s.config = "/dev/zero"
        s.launch()
        self.assertEqual(6, s.wait_end())
        self.assertIn("/dev/zero", s.log_text())

    def test_a_fifo_as_configuration_is_refused(self):
        s = self.prepare()
        s.config = s.path("fifo.toml")
        os.mkfifo(s.config)
        s.launch()
        self.assertEqual(6, s.wait_end())
        self.assertIn("fifo.toml", s.log_text())

    @unittest.skipIf(ROOT, "root may read everything")
    def test_an_unreadable_file_is_refused(self):
        s = self.prepare('[jobs.web]\ncommand = "x"\n')
        os.chmod(s.config, 0)
        s.launch()
        self.assertEqual(6, s.wait_end())
        self.assertIn("Permission denied", s.log_text())

    @unittest.skipUnless(ROOT, "becomes another user")
    def test_an_unreadable_file_is_refused_for_a_user(self):
        s = self.prepare('[jobs.web]\ncommand = "x"\n', user=65534, group=65534, extra_groups=[])
        os.chmod(s.config, 0o600)
        s.launch()
        self.assertEqual(6, s.wait_end(), s.log_text())
        self.assertIn(f"{s.config}", s.log_text())
        self.assertIn("Permission denied", s.log_text())

    @unittest.skipUnless(ROOT, "a rule for root")
    def test_a_file_that_others_may_write_is_refused_by_root(self):
        s = self.prepare('[jobs.web]\ncommand = "sleep 1"\n')
        for mode, what in ((0o666, "everyone"), (0o664, "group")):
            with self.subTest(what):
                os.chmod(s.config, mode)
                s.launch()
                self.assertEqual(6, s.wait_end(), s.log_text())
                self.assertIn("chmod", s.log_text())

    @unittest.skipUnless(ROOT, "a rule for root")
    def test_a_file_of_another_user_is_refused_by_root(self):
        s = self.prepare('[jobs.web]\ncommand = "sleep 1"\n')
        os.chown(s.config, 65534, 65534)
        s.launch()
        self.assertEqual(6, s.wait_end(), s.log_text())
        self.assertIn("65534", s.log_text())


class RuntimeDirectory(IntegrationTest):
    def test_has_a_link_to_the_configuration_unless_something_else_has_its_name(self):
        s = self.supervise("")
        self.assertEqual(s.config, os.readlink(s.path("run/config")))
        other = self.prepare("")
        os.mkdir(other.path("run"))
        other.write("run/config", "mine")
        other.start()
        with open(other.path("run/config"), encoding="utf-8") as file:
            self.assertEqual("mine", file.read())

    def test_a_second_daemon_is_refused_and_the_first_goes_on(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "infinity"]\n')
        pid = s.pid_of("web")
        second = self.prepare('[jobs.web]\ncommand = ["sleep", "infinity"]\n')
        second.runtime = s.runtime
        second.launch()
        self.assertEqual(1, second.wait_end())
        self.assertIn(f"another procsupd (pid {s.process.pid})", second.log_text())
        self.assertEqual(pid, s.pid_of("web"))

    def test_a_foreign_file_at_the_sockets_path_is_left_alone(self):
        s = self.prepare('[jobs.web]\ncommand = ["sleep", "infinity"]\n')
        os.mkdir(s.runtime)
        s.write("run/io.procsupd", "precious")
        s.launch()
        self.assertEqual(1, s.wait_end())
        self.assertIn(s.socket, s.log_text())
        with open(s.socket, encoding="ascii") as file:
            self.assertEqual("precious", file.read())
        self.assertNotIn("starting", s.log_text())

    def test_a_stale_socket_is_replaced(self):
        s = self.supervise('[jobs.web]\ncommand = ["sleep", "infinity"]\n')
        before = os.stat(s.socket).st_ino
        s.process.kill()
        s.process.wait()
        self.assertTrue(os.path.exists(s.socket))
        s.ctl("ping", expect=69)
        self.leftovers_allowed = True
        s.start()
        s.ctl("ping")
        self.assertNotEqual(before, os.stat(s.socket).st_ino)

    def test_the_socket_is_gone_after_a_shutdown(self):
        s = self.supervise()
        s.ctl("shutdown")
        self.assertEqual(0, s.wait_end())
        self.assertEqual(["jobs.lock", "procsupd.lock"], sorted(os.listdir(s.runtime)))

    def test_a_path_that_is_too_long_for_a_socket_is_an_error(self):
        s = self.prepare()
        s.runtime = s.path("x" * 120)
        s.launch()
        self.assertEqual(1, s.wait_end())
        self.assertIn("--runtime-dir", s.log_text())

    def test_nobody_else_can_hold_its_lock(self):
        s = self.prepare('[jobs.web]\ncommand = ["sleep", "1000"]\n')
        os.mkdir(s.runtime)
        lock = os.path.join(s.runtime, "procsupd.lock")
        with open(lock, "w", encoding="ascii"):
            os.chmod(lock, 0o644)
        s.start()
        self.assertEqual(0o600, os.stat(lock).st_mode & 0o777)

    @unittest.skipUnless(ROOT, "needs another user's directory")
    def test_another_users_runtime_directory_is_refused(self):
        s = self.prepare()
        os.mkdir(s.runtime)
        os.chown(s.runtime, 65534, 65534)
        s.launch()
        self.assertEqual(1, s.wait_end())
        self.assertIn("uid 65534", s.log_text())


if __name__ == "__main__":
    unittest.main()
