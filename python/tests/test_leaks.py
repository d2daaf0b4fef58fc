# SPDX-License-Identifier: MIT
# labels: long
"""No call loses memory of Python, or a descriptor."""

import errno
import gc
import io
import os
import sys
import unittest

import leat
from common import has_channels
from leat import filters


def copies():
    leat.copy(b"abc", bytearray(3), digest="crc32").digests
    leat.copy(io.BytesIO(b"abc"), io.BytesIO())
    for wrong in ({"sink": bytearray(1)}, {"sink": "/none/there"}, {"sink": 1.5}, {"sink": "null:", "unknown": 1},
                  {"sink": "null:", "mode": "none"}, {"sink": "null:", "rate": "fast"}):
        try:
            leat.copy(b"abc", **wrong)
        except (OSError, TypeError, ValueError):
            pass
    pipeline = leat.Pipeline(b"abc", filters.meter(), sinks=["null:"])
    pipeline.explain()
    pipeline.start()
    pipeline.wait(60)
    pipeline.progress()


def pipes():
    writer, reader = leat.pipe(filters=[leat.Digest("crc32"), filters.transform(lambda piece: piece, lambda: b"end")])
    writer.writelines([b"a\n", b"b" * 5000, b"\n"])
    writer.add_filter(filters.observe(len))
    writer.flush()
    room = writer.reserve(5)
    room[:2] = b"ok"
    writer.commit(2)
    writer.stats()
    writer.close()
    reader.readline()
    reader.peek()
    reader.readline(3)
    reader.read(5)
    reader.read1(5)
    reader.readinto(bytearray(5))
    reader.readlines()
    reader.read()
    reader.close()


def failures():
    def broken(piece):
        raise LookupError

    writer, reader = leat.pipe(filters=[filters.transform(broken)])
    for call in (lambda: writer.write(b"x"), reader.read, writer.close, lambda: writer.write(b"x"), reader.close, reader.read):
        try:
            call()
        except (LookupError, OSError, ValueError):
            pass
    writer, reader = leat.pipe(memory_limit=10)
    writer.write(b"abc")
    for call in (lambda: reader.read(5, 0), lambda: reader.read(timeout=0), lambda: reader.readline(timeout=0),
                 lambda: writer.write(b"x" * 20, 0), lambda: writer.write(5), lambda: reader.read(1, 2, 3)):
        try:
            call()
        except (OSError, TypeError):
            pass
    writer.fail(KeyError())
    try:
        reader.read()
    except KeyError:
        pass


def channels():
    sender, receiver = leat.channel(message_limit=10_000)
    sender.send(b"x")
    sender.send_many([b"y", b"z" * 5000, bytearray(b"w")])
    receiver.recv()
    receiver.recv_many()
    receiver.recv_many()
    receiver.recv_into(bytearray(5))
    for call in (lambda: receiver.recv(0), lambda: receiver.recv_many(timeout=0), lambda: sender.send(5), sender.recv,
                 lambda: sender.send(bytes(20_000)), lambda: sender.send_many([b"a", 5]), lambda: leat.Channel(size=1)):
        try:
            call()
        except (OSError, TypeError):
            pass
    sender.reserve(5)
    sender.abandon()
    receiver.info()
    sender.close()
    list(receiver)


def stages():
    made = leat.Stages().add(lambda i: i).group(3).add(sum, workers=2).add(lambda i: [i, i], flat=True).add(list, many=True)
    list(made.run(range(20)))
    list(made.run(list(range(20))))
    made.explain()
    made.stats(0)
    made = leat.Stages(control_done=lambda item, whole: None)
    made.add(lambda i, state: 1 // i, worker_open=list, on_error="drop", retries=1, dead=lambda item, error: None,
             control=lambda item: None)
    made.start()
    made.put_many([1, 0, 2])
    made.control(5)
    made.take(60)
    made.stop(abort=True)
    made = leat.Stages().add(lambda i: 1 // i)
    try:
        list(made.run([1, 0]))
    except ZeroDivisionError:
        pass


def streams():
    stream = leat.Stream(pause_at=100_000)
    for data in (b"a\nb\n", b"c" * 5000, bytearray(b"\n")):
        stream.append(data)
    stream.take_line()
    stream.take_lines()
    view = stream.peek(view=True)
    stream.append(b"more")
    view = stream.take(4, view=True)
    view.slice(1)
    hash(view), view == b"more", bytes(view), memoryview(view)
    other = leat.Stream()
    other.append(view)
    room = other.reserve()
    room[:1] = b"x"
    other.commit(1)
    stream.finish(LookupError("x"))
    for call in (stream.take_line, lambda: stream.take(1), lambda: stream.append(b""), lambda: stream.append(5),
                 lambda: other.take_until(b"q"), lambda: other.commit(1)):
        try:
            call()
        except (OSError, LookupError, TypeError):
            pass
    other.finish(errno.EIO)


FUNCTIONS = [copies, pipes, failures, stages, streams] + [channels] * has_channels()


@unittest.skipIf(os.environ.get("PYTHONMALLOC") == "malloc", "the blocks of malloc are not counted")
class Leaks(unittest.TestCase):
    def grown(self, function, n):
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(n):
            function()
        gc.collect()
        return sys.getallocatedblocks() - before

    def test_memory(self):
        for function in FUNCTIONS:
            with self.subTest(function.__name__):
                # The interpreter's own caches grow at first. A leak never stops.
                self.assertTrue(any(self.grown(function, 50) < 25 for _ in range(20)))

    def test_descriptors(self):
        for function in FUNCTIONS:
            with self.subTest(function.__name__):
                function()
                gc.collect()
                before = len(os.listdir("/proc/self/fd"))
                for _ in range(20):
                    function()
                gc.collect()
                self.assertLessEqual(len(os.listdir("/proc/self/fd")), before)


if __name__ == "__main__":
    unittest.main()
