# SPDX-License-Identifier: MIT
"""What the tests of leat.compat test, and how long they wait.

If LEAT_COMPAT_ORIGINALS names a folder with the five original libraries, the tests run against those instead. A test
that is marked as a fault must fail there.
"""

import importlib
import os
import sys
import threading
import traceback
import unittest

ORIGINALS = os.environ.get("LEAT_COMPAT_ORIGINALS")

# How long a call that must end may take, in seconds. The originals hang in some tests, so those wait for less.
PATIENCE = 3 if ORIGINALS else 60

# How long a call that must wait is watched, in seconds.
MOMENT = 0.05

if ORIGINALS:
    sys.path.insert(0, ORIGINALS)
    if not hasattr(threading.Thread, "isAlive"):  # paipa was written for Python before 3.9
        threading.Thread.isAlive = threading.Thread.is_alive


def load(name):
    """Imports leat.compat.NAME, or the original."""
    return importlib.import_module(name if ORIGINALS else "leat.compat." + name)


def fault(test):
    """Marks a test that the original must fail, because it has this fault."""
    return unittest.expectedFailure(test) if ORIGINALS else test


def beyond(test):
    """Marks a test of something that the original does not have."""
    return unittest.skipIf(ORIGINALS, "the original does not have this")(test)


class Call:
    """A call on a thread of its own. The thread does not outlive the interpreter if the call never returns."""

    def __init__(self, function, *args, **keywords):
        self.result = self.error = None
        self._function, self._args, self._keywords = function, args, keywords
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            self.result = self._function(*self._args, **self._keywords)
        except BaseException as error:
            self.error = error

    def waits(self, seconds=MOMENT):
        """Whether the call has not returned after the given time."""
        self._thread.join(seconds)
        return self._thread.is_alive()

    def end(self, seconds=PATIENCE):
        """Waits for the end of the call, and returns or raises what it did."""
        if self.waits(seconds):
            frame = sys._current_frames().get(self._thread.ident)
            raise AssertionError("the call hangs:\n" + "".join(traceback.format_stack(frame)))
        if self.error is not None:
            raise self.error
        return self.result


def within(function, *args, **keywords):
    """Makes a call that must end."""
    return Call(function, *args, **keywords).end()


def main():
    """Runs the tests of a file. Threads that a fault left hanging do not hold up the end."""
    program = unittest.main(exit=False, module="__main__")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(not program.result.wasSuccessful())
