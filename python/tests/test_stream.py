# SPDX-License-Identifier: MIT
"""Streams and views."""

import errno
import gc
import os
import random
import time
import unittest

import leat
from common import alarm, in_thread


def filled(*pieces, **options):
    stream = leat.Stream(**options)
    for piece in pieces:
        stream.append(piece)
    return stream


class Writing(unittest.TestCase):
    def test_reserve_and_commit(self):
        stream = leat.Stream()
        room = stream.reserve(10)
        self.assertGreaterEqual(len(room), 10)
        room[:5] = b"hello"
        with self.assertRaises(leat.Error) as caught:
            stream.reserve()
        self.assertEqual(caught.exception.errno, errno.EBUSY)
        part = room[:1]
        with self.assertRaises(BufferError):
            stream.commit(5)
        part.release()
        stream.commit(5)
        with self.assertRaises(ValueError):
            room[0]
        with self.assertRaises(leat.Error):
            stream.commit(1)
        stream.reserve(1)
        with self.assertRaises(leat.Error):
            stream.commit("1G")  # more than was reserved
        self.assertEqual(len(stream), 5)
        self.assertEqual(stream.take(5), b"hello")
        self.assertTrue(stream)

    def test_append_keeps_what_it_does_not_copy(self):
        stream = leat.Stream()
        data = [os.urandom(n) for n in (0, 1, 4095, 4096, 100_000)]
        for each in data:
            self.assertTrue(stream.append(each))
        stream.append(bytearray(b"array"))
        expected = b"".join(data) + b"array"
        del data
        gc.collect()
        self.assertEqual(stream.take(len(expected)), expected)
        with self.assertRaises(TypeError):
            stream.append("text")

    def test_backpressure(self):
        stream = leat.Stream(pause_at=10, limit=20)
        stream.append(b"x" * 10)
        self.assertTrue(stream.paused)
        self.assertIsNone(stream.reserve())
        self.assertIsNone(stream.append(b"y"))
        self.assertIsNone(stream.find(b"z"))  # the reader needs more
        self.assertFalse(stream.paused)
        self.assertTrue(stream.append(b"y" * 10))
        with self.assertRaises(leat.Error) as caught:
            stream.find(b"z")
        self.assertEqual(caught.exception.errno, errno.EMSGSIZE)
        with self.assertRaises(leat.Error):
            leat.Stream(pause_at=5, limit=4)
        with self.assertRaises(TypeError):
            leat.Stream(size=5)
        with self.assertRaises(TypeError):
            leat.Stream(5)


class Reading(unittest.TestCase):
    def test_three_answers(self):
        stream = leat.Stream()
        for read in (stream.take_line, stream.take_at_most, lambda: stream.take(1), lambda: stream.peek(1),
                     lambda: stream.find(b"x"), lambda: stream.starts_with(b"x"), lambda: stream.skip(1),
                     lambda: stream.readinto(bytearray(1)), lambda: stream.take_until(b"::")):
            self.assertIsNone(read())
        self.assertEqual(stream.take_lines(), [])
        stream.append(b"abc")
        stream.finish()
        self.assertTrue(stream.ended)
        self.assertEqual(stream.find(b"x"), -1)
        for read in (lambda: stream.take(4), stream.take_line, lambda: stream.take_until(b":"), lambda: stream.peek(4),
                     lambda: stream.skip(4), stream.take_lines):
            with self.assertRaises(leat.Incomplete):
                read()
        self.assertEqual(stream.take_line(rest=True), b"abc")
        for read in (stream.take_line, stream.take_at_most, lambda: stream.take(1), stream.take_lines):
            with self.assertRaises(leat.Ended):
                read()
        self.assertEqual(stream.readinto(bytearray(1)), 0)
        with self.assertRaises(BrokenPipeError):
            stream.append(b"x")

    def test_a_failure_is_behind_the_last_byte(self):
        for reason, kind in ((LookupError("mine"), LookupError), (errno.EIO, OSError)):
            stream = filled(b"ab")
            stream.finish(reason)
            self.assertEqual(stream.take(2), b"ab")
            for _ in range(2):
                with self.assertRaises(kind):
                    stream.take(1)

    def test_take_and_peek(self):
        stream = filled(b"0123456789")
        self.assertEqual(stream.peek(3), b"012")
        self.assertEqual(stream.take(3), b"012")
        self.assertTrue(stream.starts_with(b"34"))
        self.assertFalse(stream.starts_with(b"35"))
        self.assertEqual(stream.skip(2), True)
        room = bytearray(2)
        self.assertEqual(stream.readinto(room), 2)
        self.assertEqual(room, b"56")
        self.assertEqual(stream.take_at_most(2), b"78")
        self.assertEqual(stream.take(0), b"")
        self.assertEqual(stream.take_at_most(0), b"")
        self.assertEqual(stream.take_at_most(), b"9")
        self.assertEqual(stream.stats()["bytes_out"], 10)

    def test_lines(self):
        stream = filled(b"one\r\n\ntwo\nthr")
        self.assertEqual(stream.take_line(keep=True), b"one\r\n")
        self.assertEqual(stream.take_line(), b"")
        self.assertEqual(stream.take_line(), b"two")
        self.assertIsNone(stream.take_line())
        stream.append(b"ee\n4\n5\n")
        self.assertEqual(stream.take_lines(2), [b"three", b"4"])
        self.assertEqual(stream.take_lines(keep=True), [b"5\n"])
        self.assertEqual(stream.take_lines(), [])

    def test_lines_against_split(self):
        random.seed(1)
        data = b"".join(bytes(random.choices(b"ab\n", k=random.randrange(60))) + b"\n" for _ in range(500))
        for piece in (1, 7, 100, 5000):
            stream, got = leat.Stream(chunk_size=64), []
            for at in range(0, len(data), piece):
                stream.append(data[at:at + piece])
                while lines := stream.take_lines():
                    got += lines
            self.assertEqual(got, data.split(b"\n")[:-1])

    def test_separators(self):
        stream = filled(b"a:", b":b", b"::", b"c")
        self.assertEqual(stream.find(b"::"), 1)
        self.assertEqual(stream.find(b"::", 2), 4)
        self.assertEqual(stream.find(b"::", 0, 2), -1)
        self.assertIsNone(stream.find(b"c:"))
        self.assertEqual(stream.take_until(b"::"), b"a")
        self.assertEqual(stream.take_until(b"::", keep=True), b"b::")
        with self.assertRaises(leat.Error):
            stream.take_until(b"")


class Views(unittest.TestCase):
    def test_a_view_outlives_the_stream(self):
        data = os.urandom(500_000)
        stream = filled(data[:200_000], data[200_000:])
        view = stream.take(500_000, view=True)
        part = view.slice(199_999, 200_001)
        del stream
        gc.collect()
        self.assertEqual(bytes(view), data)
        self.assertEqual(memoryview(view)[199_999:200_001], part)
        self.assertEqual(len(view), 500_000)
        self.assertTrue(memoryview(view).readonly)
        kept = memoryview(view)
        del view
        gc.collect()
        self.assertEqual(kept, data)
        self.assertEqual(part, data[199_999:200_001])

    def test_comparisons(self):
        view = filled(b"bcd").take(3, view=True)
        self.assertTrue(view == b"bcd" and view != b"bc" and b"bcd" == view and view < b"c" and view > bytearray(b"bc"))
        self.assertTrue(view <= view and view >= b"bcd")
        self.assertFalse(view == "bcd")
        with self.assertRaises(TypeError):
            view < "text"
        self.assertIn(view, {b"bcd"})
        self.assertEqual((view.find(b"d"), view.find(b"b", 1)), (2, -1))
        self.assertEqual(repr(view), "<leat.View of 3 bytes>")
        for wrong in ((2, 1), (0, 4)):
            with self.assertRaises((ValueError, leat.Error)):
                view.slice(*wrong)

    def test_a_view_goes_into_another_stream(self):
        view = filled(b"x" * 100_000).take(100_000, view=True)
        other = filled(view)
        del view
        self.assertEqual(other.take_at_most(), b"x" * 100_000)


class Waiting(unittest.TestCase):
    def test_two_threads(self):
        stream = leat.Stream(pause_at=1000, waits=True)
        data = os.urandom(100_000)

        def write():
            at = 0
            while at < len(data):
                room = stream.reserve(timeout=60)
                n = min(len(room), len(data) - at)
                room[:n] = data[at:at + n]
                stream.commit(n)
                at += n
            stream.finish()

        written = in_thread(write)
        got = b""
        while True:
            stream.wait(timeout=60)
            try:
                got += stream.take_at_most()
            except leat.Ended:
                break
        written()
        self.assertEqual(got, data)

    def test_timeouts_and_signals(self):
        stream = leat.Stream(pause_at=1, waits=True)
        with self.assertRaises(leat.Timeout):
            stream.wait(timeout=0.01)
        with alarm(self):
            stream.wait()
        stream.append(b"x")
        with self.assertRaises(leat.Timeout):
            stream.reserve(timeout=0.01)
        with self.assertRaises(leat.Error):
            leat.Stream().wait()

    def test_a_side_is_for_one_thread(self):
        stream = leat.Stream(waits=True)
        waited = in_thread(stream.wait)
        time.sleep(0.05)
        with self.assertRaisesRegex(RuntimeError, "another thread"):
            stream.take(1)
        stream.append(b"x")
        waited()
        self.assertEqual(stream.take(1), b"x")


if __name__ == "__main__":
    unittest.main()
