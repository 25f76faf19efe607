"""What `procsupctl why` says of jobs that do not do what they should: the screens in the example are what it prints."""
import os
import re
import unittest

from harness import IntegrationTest

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../conf/examples/trouble.toml")
VARIES = ((r"\d\d:\d\d:\d\d", "TIME"), (r"pid \d+", "pid N"), (r"\d+(\.\d+)?(us|ms|s|min|h)( \d+(us|ms|s|min))*\b", "SPAN"))


def steady(text):
    """Without what is another one each time."""
    for pattern, word in VARIES:
        text = re.sub(pattern, word, text)
    return text


def screens(text):
    """[(words of the command, what it prints)] of the comment at the beginning."""
    lines = [line[4:] for line in text.splitlines() if line.startswith("#   ")]
    found = []
    for line in lines:
        if line.startswith("$ procsupctl "):
            found.append((line.split()[2:], []))
        else:
            found[-1][1].append(line)
    return [(words, "".join(line + "\n" for line in printed)) for words, printed in found]


class Trouble(IntegrationTest):
    def test_of_the_example_is_told_as_it_says(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            text = file.read()
        s = self.prepare(text)
        s.start()
        self.await_true("db waits for its next start", lambda: s.instance("db")["state"] == "backoff")
        self.await_true("the probe has looked", lambda: ": cannot find " in s.instance("cache")["awaits"])
        told = screens(text)
        self.assertEqual([["why", "web"], ["why", "cache"], ["why", "mail"]], [words for words, _ in told])
        for words, printed in told:
            with self.subTest(words):
                self.assertEqual(steady(printed), steady(s.ctl(*words, expect=3).out.replace(s.config, "trouble.toml")))


if __name__ == "__main__":
    unittest.main()
