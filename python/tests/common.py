# SPDX-License-Identifier: MIT
"""What several tests need."""

import contextlib
import errno
import os
import pathlib
import signal
import sys
import tempfile
import threading
import unittest

import leat


def in_thread(function, *arguments):
    """Runs the function on a thread; the result is a function that waits for what it returned or raised."""
    box = []

    def run():
        try:
            box.append((function(*arguments), None))
        except BaseException as error:
            box.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()

    def result():
        thread.join(60)
        value, error = box[0]
        if error is not None:
            raise error
        return value

    return result


def has_channels():
    """A system other than Linux has none."""
    try:
        leat.Channel().close()
    except leat.Error as error:
        if error.errno != errno.ENOSYS:
            raise
        return False
    return True


def main_with_channels():
    """Runs the tests of a file that needs channels."""
    if not has_channels():
        print("this build has no channels")
        sys.exit(77)
    unittest.main()


class Interrupted(Exception):
    """What the handler of a signal raises."""


@contextlib.contextmanager
def alarm(test, seconds=0.02):
    """A signal comes after so many seconds, whose handler raises Interrupted. The body has to end with that."""

    def handler(number, frame):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with test.assertRaises(Interrupted):
            signal.setitimer(signal.ITIMER_REAL, seconds)
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Folder(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name, content=None):
        path = os.path.join(self.folder, name)
        if content is not None:
            pathlib.Path(path).write_bytes(content)
        return path
