"""The moments of random cron expressions are those that croniter finds."""
import os
import random
import subprocess
import unittest

PROGRAMS = os.path.abspath(os.environ.get("PROCSUP_TEST_PROGRAMS", "."))
HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"  # for which Debian's packages are

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu",
         "America/Sao_Paulo", "Africa/Casablanca"]
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split()
SECONDS_TO_2100 = 4102444800
YEARS = 31556952


class Expressions:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def number(self, value, names, first):
        if names and value - first < len(names) and self.random.random() < 0.3:
            name = names[value - first]
            return self.random.choice([name, name.lower(), name.title()])
        return str(value)

    def element(self, first, last, names):
        kind = self.random.choice(["all", "one", "one", "range"])
        step = self.random.randint(1, min(last, 12)) if kind != "one" and self.random.random() < 0.5 else 0
        text = "*"
        if kind != "all":
            low = self.random.randint(first, last)
            text = self.number(low, names, first)
            if kind == "range":
                text += "-" + self.number(self.random.randint(low, last), names, first)
        return f"{text}/{step}" if step else text

    def field(self, first, last, names=()):
        count = self.random.choice([1, 1, 1, 2, 4])
        return ",".join(self.element(first, last, names) for _ in range(count))

    def sometimes(self, likely, *form):
        return self.field(*form) if self.random.random() < likely else "*"

    def one(self):
        return " ".join([self.field(0, 59), self.sometimes(0.8, 0, 23), self.sometimes(0.5, 1, 31),
                         self.sometimes(0.4, 1, 12, MONTHS), self.sometimes(0.5, 0, 7, WEEKDAYS)])


def value(text, first, names):
    return names.index(text.upper()) + first if text.upper() in names else int(text)


def values(field, first, last, names=()):
    """All that a field without `*` has."""
    found = set()
    for element in field.split(","):
        part, _, step = element.partition("/")
        low, _, high = part.partition("-")
        low = value(low, first, names)
        found |= set(range(low, value(high, first, names) + 1 if high else low + 1, int(step or 1)))
    return found


def read_otherwise(expression):
    """Whether croniter 1.3.5 reads the days in another way; crontab(5) and Vixie's code are right, and the table of
    cron_test.cc has these cases.

    Two restricted fields of days mean either day, and a field is restricted unless it *begins* with `*`: by the text, not
    by what it has. croniter takes `*/2` for restricted and `1-31` or `3,*` for not. Of either day it finds none
    when the day of the month never comes, though the day of the week does.
    """
    _, _, day, month, weekday = expression.split()
    if "*" in (day, weekday):
        return False
    if "*" in day + weekday:
        return True
    days, weekdays = values(day, 1, 31), {each % 7 for each in values(weekday, 0, 7, WEEKDAYS)}
    if len(days) == 31 or len(weekdays) == 7:
        return True
    months = range(1, 13) if "*" in month else values(month, 1, 12, MONTHS)
    return min(days) > max(29 if each == 2 else 30 if each in (4, 6, 9, 11) else 31 for each in months)


def answers(command, lines):
    return subprocess.run(command, input="\n".join(lines) + "\n", stdout=subprocess.PIPE, text=True, check=True,
                          timeout=100).stdout.splitlines()


class CronTable(unittest.TestCase):
    def test_moments_are_those_of_croniter(self):
        if subprocess.run([PYTHON, "-c", "import croniter"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            self.skipTest("python3-croniter is not installed")
        make = Expressions(1975)
        lines = []
        while len(lines) < 4000:
            expression = make.one()
            if not read_otherwise(expression):
                lines.append(f"{make.random.choice(ZONES)} {make.random.randrange(SECONDS_TO_2100)} {expression}")
        ours = answers([os.path.join(PROGRAMS, "next_moments")], lines)
        theirs = answers([PYTHON, "-B", os.path.join(HERE, "croniter_moments.py")], lines)
        self.assertEqual((len(ours), len(theirs)), (len(lines), len(lines)))
        compared = 0
        for line, our, their in zip(lines, ours, theirs):
            if their == "change":
                continue
            if their == "never":
                self.assertIn("never", our, line)
                continue
            if int(their) - int(line.split()[1]) > 30 * YEARS:
                their = "never"
            with self.subTest(line):
                self.assertEqual(our, their)
            compared += 1
        self.assertGreater(compared, 0.9 * len(lines))


if __name__ == "__main__":
    unittest.main()
