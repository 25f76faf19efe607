"""[sandbox] on the oldest kernel that procsupd runs on: its Landlock does not know truncate(2)."""
import unittest

# Their tests are run here as they are.
from sandbox_test import Hostile, PrivateTmp, ReadOnly  # noqa: F401
from sandbox_user_test import EarlyLandlock, Landlock  # noqa: F401

if __name__ == "__main__":
    unittest.main()
