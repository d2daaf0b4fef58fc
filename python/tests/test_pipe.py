# SPDX-License-Identifier: MIT
"""Pipes: both backends, filters, lines, ends, failures, threads, signals, fork."""

import errno
import gc
import hashlib
import io
import os
import time
import traceback
import unittest
import weakref
import zlib

import leat
from leat import filters
from common import alarm, in_thread


class Bytes(unittest.TestCase):
    backends = ("queue", "kernel")

    def test_all_sizes_both_backends(self):
        for backend in self.backends:
            for size in (0, 1, 4095, 4096, 4097, 65536, 3_000_000):
                with self.subTest(backend=backend, size=size):
                    data = os.urandom(size)
                    writer, reader = leat.pipe(backend=backend)

                    def write():
                        with writer:
                            self.assertEqual(writer.write(data), size)

                    written = in_thread(write)
                    with reader:
                        self.assertEqual(reader.read(), data)
                        self.assertEqual(reader.read(), b"")
                        self.assertEqual(reader.read(5), b"")
                    written()

    def test_any_object_of_bytes(self):
        writer, reader = leat.pipe()
        for data in (b"ab", bytearray(b"cd"), memoryview(b"efgh")[::1], memoryview(b"ij")):
            writer.write(data)
        writer.writelines([b"k", b"", b"l"])
        writer.close()
        self.assertEqual(reader.read(), b"abcdefghijkl")
        for wrong in ("text", 5, None, memoryview(b"abcd")[::2]):
            writer, reader = leat.pipe()
            with self.assertRaises((TypeError, BufferError)):
                writer.write(wrong)

    def test_reads(self):
        writer, reader = leat.pipe()
        writer.write(b"0123456789")
        self.assertEqual(reader.read(0), b"")
        self.assertEqual(reader.read(3), b"012")
        self.assertEqual(reader.peek()[:2], b"34")
        self.assertEqual(reader.read1(2), b"34")
        room = bytearray(3)
        self.assertEqual(reader.readinto(room), 3)
        self.assertEqual(room, b"567")
        room = bytearray(10)
        self.assertEqual(reader.readinto1(room), 2)
        writer.write(b"xyz")
        writer.close()
        self.assertEqual(reader.readinto(room), 3)
        self.assertEqual(room[:3], b"xyz")
        self.assertEqual(reader.read1(), b"")
        self.assertEqual(reader.readinto(room), 0)
        self.assertEqual(reader.peek(), b"")

    def test_a_timeout_loses_no_byte(self):
        writer, reader = leat.pipe()
        writer.write(b"abc")
        for read in (lambda: reader.read(5, timeout=0), lambda: reader.read(5, timeout=0.01), lambda: reader.read(timeout=0),
                     lambda: reader.readline(timeout=0.01), lambda: reader.read(5, 0)):
            with self.assertRaises(leat.Timeout):
                read()
        self.assertEqual(reader.peek(), b"abc")
        with self.assertRaises(leat.WouldBlock):
            reader.readinto(bytearray(9), timeout=0)
        writer.write(b"de\nf")
        self.assertEqual(reader.read(1), b"a")
        self.assertEqual(reader.read1(), b"bc")
        self.assertEqual(reader.readline(), b"de\n")
        with self.assertRaises(leat.Timeout):
            reader.readline(timeout=0)
        writer.write(b"g\nh")
        self.assertEqual(reader.readline(), b"fg\n")
        writer.close()
        self.assertEqual(reader.readlines(), [b"h"])

    def test_a_write_that_times_out_says_how_far_it_was(self):
        writer, reader = leat.pipe(memory_limit=4096)
        with self.assertRaises(leat.Timeout) as caught:
            writer.write(b"x" * 5000, timeout=0.01)
        self.assertEqual(caught.exception.characters_written, 4096)
        with self.assertRaises(BlockingIOError) as caught:
            writer.write(b"x", timeout=0)
        self.assertEqual(caught.exception.characters_written, 0)
        self.assertEqual(reader.read1(96), b"x" * 96)
        self.assertEqual(writer.write_some(b"y" * 5000), 96)

    def test_wrong_timeouts(self):
        writer, reader = leat.pipe()
        for wrong in (-1, float("nan")):
            with self.assertRaises(ValueError):
                reader.read(1, timeout=wrong)
        with self.assertRaises(TypeError):
            reader.read(1, timeout="1s")
        with self.assertRaises(TypeError):
            reader.read(1, 2, 3)
        with self.assertRaises(TypeError):
            reader.read(1, n=1)
        with self.assertRaises(TypeError):
            writer.write()

    def test_reserve_and_commit(self):
        writer, reader = leat.pipe()
        room = writer.reserve(100)
        self.assertGreaterEqual(len(room), 100)
        room[:5] = b"hello"
        with self.assertRaises(leat.Error) as caught:
            writer.write(b"x")
        self.assertEqual(caught.exception.errno, errno.EBUSY)
        view = room[:2]
        with self.assertRaises(BufferError):
            writer.commit(5)
        view.release()
        writer.commit(5)
        with self.assertRaises(ValueError):
            room[0]  # it was released
        writer.close()
        self.assertEqual(reader.read(), b"hello")

    def test_a_reservation_keeps_the_memory_alive(self):
        writer, reader = leat.pipe()
        room = writer.reserve(10)
        del writer, reader
        gc.collect()
        room[:] = b"x" * len(room)


class Lines(unittest.TestCase):
    def test_lines_against_bytesio(self):
        data = b"".join(b"%d" % i + b"x" * (i * 37 % 300) + b"\n" for i in range(3000)) + b"\n\nlast"
        for backend in ("queue", "kernel"):
            for chunk in (16, 4096, None):
                if backend == "kernel" and chunk == 16:
                    continue
                writer, reader = leat.pipe(backend=backend, chunk_size=chunk)

                def write():
                    with writer:
                        writer.write(data)

                written = in_thread(write)
                self.assertEqual(list(reader), list(io.BytesIO(data)))
                written()

    def test_limits_against_bytesio(self):
        data = b"short\n" + b"long" * 100 + b"\n" + b"x" * 10 + b"\n"
        for limit in (0, 1, 5, 6, 7, 399, 400, 401, 1000):
            writer, reader = leat.pipe(chunk_size=64)
            writer.write(data)
            writer.close()
            expected = io.BytesIO(data)
            for _ in range(12):
                self.assertEqual(reader.readline(limit), expected.readline(limit))

    def test_other_reads_between_lines(self):
        data = b"one\ntwo\nthree\nfour\n"
        writer, reader = leat.pipe()
        writer.write(data)
        writer.close()
        self.assertEqual(next(reader), b"one\n")
        self.assertEqual(reader.stats()["unread"], len(data) - 4)
        self.assertEqual(reader.read(4), b"two\n")
        self.assertEqual(reader.readlines(1), [b"three\n"])
        self.assertEqual(reader.read(), b"four\n")

    def test_text(self):
        writer, reader = leat.pipe()
        with io.TextIOWrapper(writer, "utf-8") as text:
            text.write("über\nzwei\n")
        self.assertEqual(list(io.TextIOWrapper(reader, "utf-8")), ["über\n", "zwei\n"])
        self.assertIsInstance(reader, io.BufferedIOBase)


class Ends(unittest.TestCase):
    def test_closed_ends_refuse(self):
        writer, reader = leat.pipe()
        self.assertFalse(writer.closed or reader.closed)
        reader.close()
        reader.close()
        self.assertTrue(reader.closed)
        for call in (reader.read, reader.readline, reader.peek, reader.stats, lambda: next(reader), reader.__enter__):
            with self.assertRaises(ValueError):
                call()
        with self.assertRaises(BrokenPipeError):
            writer.write(b"x")
        with self.assertRaises(BrokenPipeError):
            writer.close()
        self.assertTrue(writer.closed)
        for call in (lambda: writer.write(b""), writer.flush, writer.reserve, writer.stats, lambda: writer.fail(5)):
            with self.assertRaises(ValueError):
                call()

    def test_a_reader_that_closes_wakes_the_writer(self):
        writer, reader = leat.pipe(memory_limit=4096)
        written = in_thread(writer.write, b"x" * 10000)
        time.sleep(0.05)
        reader.close()
        with self.assertRaises(leat.BrokenPipe):
            written()

    def test_a_thread_in_a_read_leaves_when_the_reader_closes(self):
        writer, reader = leat.pipe()
        read = [in_thread(reader.read, 1), in_thread(reader.readline)]
        time.sleep(0.05)
        reader.close()
        for each in read:
            with self.assertRaises(leat.Cancelled):
                each()
        with self.assertRaises(BrokenPipeError):
            writer.write(b"x")

    def test_a_thread_in_a_write_leaves_when_the_writer_aborts(self):
        writer, reader = leat.pipe(memory_limit=4096)
        written = in_thread(writer.write, b"x" * 10000)
        time.sleep(0.05)
        writer.abort()
        with self.assertRaises(leat.Cancelled):
            written()

    def test_a_writer_that_is_dropped_is_no_end(self):
        for drop in (lambda writer: writer.abort(), lambda writer: None):
            writer, reader = leat.pipe()
            writer.write(b"abc")
            drop(writer)
            del writer
            with self.assertRaises(leat.Cancelled):
                reader.read()
            self.assertEqual(reader.read1(), b"abc")
            with self.assertRaises(leat.Cancelled):
                reader.read(1)

    def test_a_body_that_raises_fails_the_stream(self):
        writer, reader = leat.pipe()
        with self.assertRaises(KeyError):
            with writer:
                writer.write(b"abc")
                raise KeyError("mine")
        self.assertEqual(reader.read(3), b"abc")
        for _ in range(2):
            with self.assertRaisesRegex(KeyError, "mine"):
                reader.read(3)

    def test_an_exception_of_the_program_does_not_go_to_the_reader(self):
        for kind in (KeyboardInterrupt, SystemExit):
            writer, reader = leat.pipe()
            with self.assertRaises(kind):
                with writer:
                    raise kind
            with self.assertRaises(leat.Cancelled):
                reader.read()

    def test_fail_with_a_number(self):
        writer, reader = leat.pipe()
        writer.fail(errno.EIO)
        with self.assertRaises(leat.Error) as caught:
            reader.read()
        self.assertEqual(caught.exception.errno, errno.EIO)

    def test_finish_twice_and_write_after(self):
        writer, reader = leat.pipe()
        writer.finish()
        writer.finish()
        with self.assertRaises(BrokenPipeError):
            writer.write(b"x")
        writer.close()
        self.assertEqual(reader.read(), b"")

    def test_objects_are_made_by_pipe_alone(self):
        for kind in (leat.Writer, leat.Reader, leat.Filter, leat.Report):
            with self.assertRaises(TypeError):
                kind()


class Filters(unittest.TestCase):
    def through(self, data, *kinds, **options):
        writer, reader = leat.pipe(filters=kinds, **options)

        def write():
            with writer:
                for i in range(0, len(data), 10_000):
                    writer.write(data[i:i + 10_000])

        written = in_thread(write)
        result = reader.read()
        written()
        return result

    def test_digest(self):
        data = os.urandom(1_000_000)
        digest = leat.Digest("sha256,crc32")
        self.assertEqual(self.through(data, digest), data)
        self.assertEqual(digest.hexdigest(), hashlib.sha256(data).hexdigest())
        self.assertEqual(digest.digest("sha256"), hashlib.sha256(data).digest())
        self.assertEqual(int(digest.hexdigest("crc32"), 16), zlib.crc32(data))
        self.assertEqual(digest.bytes, len(data))
        digest.reset()
        self.assertEqual(digest.hexdigest(), hashlib.sha256().hexdigest())
        with self.assertRaises(leat.NotFound) as caught:
            leat.Digest("sha257")
        self.assertIn("sha256", str(caught.exception))

    def test_builtin_filters(self):
        data = os.urandom(100_000)
        meter = filters.meter()
        self.assertEqual(self.through(data, meter, filters.codec("zstd", level=1), filters.codec("unzstd")), data)
        self.assertEqual(meter.bytes, len(data))
        self.assertEqual(self.through(data, filters.skip(10)), data[10:])
        writer, reader = leat.pipe(filters=[filters.head(5)])
        with self.assertRaisesRegex(leat.BrokenPipe, "head"):
            writer.write(data)
        writer.close()
        self.assertEqual(reader.read(), data[:5])
        self.assertEqual(zlib.decompress(self.through(data, filters.codec("gzip")), 31), data)
        self.assertEqual(self.through(data, filters.Rate(0)), data)
        with self.assertRaises(leat.Error):
            filters.codec("none")

    def test_python_filters(self):
        data = os.urandom(300_000)
        seen = []
        double = filters.transform(lambda piece: piece + piece)
        count = filters.transform(lambda piece: None, lambda: b"the end")
        self.assertEqual(len(self.through(data, filters.observe(seen.append), double)), 600_000)
        self.assertEqual(b"".join(seen), data)
        self.assertEqual(self.through(data, count), b"the end")
        self.assertEqual(self.through(b"", count), b"the end")
        large = filters.transform(lambda piece: None, lambda: bytes(5_000_000))
        self.assertEqual(self.through(b"x", large, memory_limit="64K"), bytes(5_000_000))

    def test_an_exception_of_a_filter_reaches_both_ends(self):
        def broken(piece):
            raise LookupError("in the filter")

        for kind in (filters.transform(broken), filters.observe(broken), filters.transform(lambda piece: "no bytes")):
            writer, reader = leat.pipe(filters=[kind], memory_limit="64K")

            def write():
                while True:
                    writer.write(b"x" * 1000)

            written = in_thread(write)
            try:
                reader.read()
                self.fail("it did not raise")
            except LookupError as error:
                self.assertIn("broken", [frame.name for frame in traceback.extract_tb(error.__traceback__)])
            except TypeError as error:
                self.assertIn("str", str(error))
            with self.assertRaises(leat.BrokenPipe) as caught:
                written()
            self.assertIsInstance(caught.exception.__cause__, (LookupError, TypeError))

    def test_a_filter_serves_one_pipe_at_a_time(self):
        digest = leat.Digest()
        ends = leat.pipe(filters=[digest])
        with self.assertRaises(leat.Error) as caught:
            leat.pipe(filters=[digest])
        self.assertEqual(caught.exception.errno, errno.EBUSY)
        with self.assertRaises(TypeError):
            leat.pipe(filters=["sha256"])
        with self.assertRaises(ValueError):
            leat.pipe(filters=[filters.meter() for _ in range(65)])
        del ends

    def test_a_cycle_through_a_filter_is_collected(self):
        class Holder:
            def process(self, piece):
                return piece

        holder = Holder()
        holder.ends = leat.pipe(filters=[filters.transform(holder.process)])
        gone = weakref.ref(holder)
        del holder
        gc.collect()
        self.assertIsNone(gone())

    def test_an_exception_of_a_filter_in_a_pipeline(self):
        def broken(piece):
            raise LookupError("in the filter")

        for kind in (filters.transform(broken), filters.observe(broken)):
            with self.assertRaisesRegex(LookupError, "in the filter"):
                leat.Pipeline(b"abc", kind, sinks=["null:"]).run()

    def test_python_filters_in_a_pipeline(self):
        target = bytearray(6)
        leat.Pipeline(b"abc", filters.transform(lambda piece: piece.upper(), lambda: b"end"), sinks=[target]).run()
        self.assertEqual(target, b"ABCend")


class Waiting(unittest.TestCase):
    def test_a_signal_ends_each_wait(self):
        writer, reader = leat.pipe(memory_limit=4096)
        writer.write(b"abc")
        for call in (lambda: reader.read(10), reader.read, reader.readline, lambda: reader.readinto(bytearray(10))):
            with alarm(self):
                call()
        self.assertEqual(reader.read(3), b"abc")  # no byte is lost
        writer.write(b"x" * 4096)
        with alarm(self):
            writer.write(b"x")

    def test_several_threads_use_one_end(self):
        writer, reader = leat.pipe(memory_limit=1000)
        lines = [b"%d %s\n" % (i, b"x" * (i % 50)) for i in range(2000)]

        def write(part):
            for line in part:
                writer.write(line)

        def read():
            return [line for line in reader]

        readers = [in_thread(read) for _ in range(3)]
        writers = [in_thread(write, lines[i::4]) for i in range(4)]
        for each in writers:
            each()
        writer.close()
        got = [line for each in readers for line in each()]
        self.assertEqual(sorted(got), sorted(lines))

    def test_descriptors(self):
        writer, reader = leat.pipe(backend="kernel")
        writer.write(b"abc")
        self.assertEqual(os.read(reader.fileno(), 10), b"abc")
        os.write(writer.fileno(), b"def")
        self.assertEqual(reader.read(3), b"def")
        writer, reader = leat.pipe()
        with self.assertRaises(io.UnsupportedOperation):
            reader.fileno()
        self.assertGreater(reader.poll_fd(), 2)

    def test_fork(self):
        writer, reader = leat.pipe(backend="kernel")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                reader.close()
                with writer:
                    writer.write(b"from the child")
                code = 0
            finally:
                os._exit(code)
        writer.abort()
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(reader.read(14), b"from the child")


if __name__ == "__main__":
    unittest.main()
