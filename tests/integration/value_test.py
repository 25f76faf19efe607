"""Values that processes share."""
import os
import subprocess
import unittest

from coordinating import Coordinating
from harness import PROCSUPCTL


class Values(Coordinating):
    verb = "value"
    subject = "Value"

    def value(self, *words, **arguments):
        return self.s.ctl("value", *words, **arguments)

    def refused(self, *words):
        """What is said first."""
        return self.value(*words, expect=1).err.splitlines()[0]

    def test_are_made_when_they_are_set(self):
        self.assertEqual("error: there is no value 'left'", self.refused("get", "left"))
        self.value("set", "left", "3")
        self.assertEqual("3\n", self.value("get", "left").out)
        self.assertEqual("-1\n", self.value("add", "left", "-4").out)
        self.assertEqual("2.5\n", self.value("add", "new", "2.5").out)
        self.assertEqual("error: there is a value 'left' of 1 int64 already", self.refused("set", "--type", "int8", "left", "1"))
        self.value("rm", "left")
        self.assertEqual("error: there is no value 'left'", self.refused("rm", "left"))

    def test_have_the_range_of_their_type(self):
        for name, most in (("int8", 127), ("uint8", 255), ("int32", 2**31 - 1), ("int64", 2**63 - 1), ("uint64", 2**64 - 1)):
            self.value("set", "--type", name, name, str(most))
            self.assertEqual(f"{most}\n", self.value("get", name).out)
            complaint = f"error: what '{name}' would be does not fit its type, {name}"
            self.assertEqual(complaint, self.refused("add", name, "1"))
            if most < 2**64 - 1:
                self.assertEqual(complaint, self.refused("set", name, str(most + 1)))
            self.assertEqual(complaint, self.refused("set", name, "0.5"))
        self.assertEqual("error: what 'uint64' would be does not fit its type, uint64", self.refused("set", "uint64", "-1"))
        self.assertEqual("error: 'inf' is no number", self.refused("set", "uint64", "inf"))

    def test_of_several_numbers_have_each_by_itself(self):
        self.value("set", "temps", "1.5", "2", "-3")
        self.assertEqual("1.5 2.0 -3.0\n", self.value("get", "temps").out)
        self.assertEqual("2.25\n", self.value("add", "--at", "1", "temps", ".25").out)
        self.assertEqual("-3.0\n", self.value("get", "--at", "2", "temps").out)
        self.assertEqual("error: 'temps' has 3 in all, counted from 0", self.refused("get", "--at", "3", "temps"))
        self.assertEqual("error: 'temps' has 3 in all, counted from 0", self.refused("set", "temps", "1", "2", "3", "4"))
        self.assertEqual("1.5 2.25 -3.0\n", self.value("get", "temps").out)

    def test_are_changed_when_they_are_as_expected(self):
        self.value("set", "left", "3")
        self.value("cas", "left", "3", "2")
        self.assertEqual("error: 'left' has been changed: it is 2", self.refused("cas", "left", "3", "2"))
        client = self.client()
        version = self.call(client, "Get", "left")["parameters"]["version"]
        changed = self.call(client, "Set", "left", numbers={"ints": [7]}, ifVersion=version)["parameters"]
        self.assertEqual({"type": "int64", "ints": [2]}, changed["before"])
        self.assertGreater(changed["version"], version)
        late = self.call(client, "Set", "left", numbers={"ints": [8]}, ifVersion=version)
        self.assertEqual("io.procsupd.Value.Changed", late["error"])
        self.assertEqual((changed["version"], [7]), (late["parameters"]["version"], late["parameters"]["numbers"]["ints"]))

    def test_are_waited_for_until_they_change(self):
        self.value("set", "left", "3")
        version = self.value("get", "--json", "left").json["version"]
        waiting = [self.background("value", "wait", "left") for _ in range(3)]
        self.await_true("they wait", lambda: self.waiters("left") == 3)
        self.value("wait", "-n", "left", expect=124)
        self.assertEqual("error: 'left' was not changed in time\n", self.value("wait", "-w", "10ms", "left", expect=124).err)
        self.value("set", "left", "4")
        self.assertEqual([(0, "4\n", "")] * 3, [self.end(process) for process in waiting])
        self.assertEqual("4\n", self.value("wait", "left", str(version)).out, "it has changed since")
        gone = self.background("value", "wait", "left")
        self.await_true("it waits", lambda: self.waiters("left") == 1)
        self.value("rm", "left")
        self.assertEqual(1, self.end(gone)[0])

    def test_are_bounded(self):
        client = self.client()
        for _ in range(2):
            self.assertEqual("org.varlink.service.InvalidParameter", self.call(client, "Make", "large", count=65537)["error"])
        made = 0
        while "error" not in (reply := self.call(client, "Make", f"v{made}", count=65536)):
            made += 1
        self.assertEqual((128, "io.procsupd.Value.TooMany"), (made, reply["error"]), "64 MiB")

    def test_are_refused_what_makes_no_sense(self):
        client = self.client()
        self.call(client, "Make", "left")
        wrong = "org.varlink.service.InvalidParameter"
        self.assertEqual(wrong, self.call(client, "Set", "left", numbers={})["error"])
        self.assertEqual(wrong, self.call(client, "Set", "left", numbers={"ints": [1]}, at=-1)["error"])
        self.assertEqual(wrong, self.call(client, "Set", "left", numbers={"ints": ["1"]})["error"])
        self.assertEqual(wrong, self.call(client, "Get", "left", count=-1)["error"])
        self.assertEqual(wrong, self.call(client, "Make", "other", type="char")["error"])
        bounds = "io.procsupd.Value.OutOfBounds"
        self.assertEqual(bounds, self.call(client, "Get", "left", at=2**62, count=2**62)["error"])
        self.assertEqual(bounds, self.call(client, "Set", "left", numbers={"ints": [1]}, at=2**62)["error"])
        self.assertEqual(bounds, self.call(client, "Set", "left", numbers={"ints": [1]}, ifNumbers={"ints": [1, 2]})["error"])
        ranged = self.call(client, "Set", "left", numbers={"type": "int8", "ints": [1]})
        self.assertEqual("io.procsupd.Value.OutOfRange", ranged["error"])

    def test_are_shown(self):
        self.assertEqual("there are no values\n", self.value("ls").out)
        self.value("set", "--type", "uint16", "many", *map(str, range(10)))
        self.value("set", "one", "-1")
        self.background("value", "wait", "one")
        self.await_true("it waits", lambda: self.waiters("one") == 1)
        self.assertRegex(self.value("ls").out,
                         r"VALUE +TYPE +NUMBERS +WAITS\n"
                         r"many +uint16\[10\] +0 1 2 3 4 5 6 7 … +-\n"
                         r"one +int64 +-1 +pid \d+ for \ds\n")
        self.value("set", "one", "0")

    def test_of_others_are_not_to_be_had(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        self.value("set", "user/1000/left", "3")
        other = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", PROCSUPCTL, "value", "get",
                                "user/1000/left"], env={**os.environ, "PROCSUPD_SOCKET": self.s.path("run", "io.procsupd")},
                               capture_output=True, check=False)
        self.assertEqual((4, b"error: 'user/1000/left' is not yours: your own begin with user/65534/"),
                         (other.returncode, other.stderr.splitlines()[0]))


class Examples(Coordinating):
    verb = "value"
    subject = "Value"

    def test_workers_count_together(self):
        self.example("shared.toml", "table", "worker")
        self.s.ctl("wait", "worker")
        self.assertEqual("100\n", self.s.ctl("value", "get", "total").out)
        self.assertEqual("0 1 4 9 16 25 36 49 64 81\n", self.s.ctl("value", "get", "squares").out)

    def test_tickets_are_sold_once(self):
        self.example("tickets_optimistic.toml", "office", "buyer")
        said = self.said("buyer", 10)
        self.assertEqual(["sold out"] * 7 + ["ticket 1", "ticket 2", "ticket 3"], sorted(said))


if __name__ == "__main__":
    unittest.main()
