#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""leat.compat.queuepipeio: pipes between threads, with filters."""

import gc
import hashlib
import importlib.util
import io
import os
import queue
import random
import time
import unittest

from subject import MOMENT, ORIGINALS, Call, beyond, fault, load, main, within

queuepipeio = load("queuepipeio")
PipeWriter, PipeReader = queuepipeio.PipeWriter, queuepipeio.PipeReader

KIB = 1024
MIB = 1024 * KIB

# A full pipe of the original waits for ever when it is freed.
kept = []


class Upper(queuepipeio.PipeFilter):
    """Changes the bytes, not their number."""

    _chunk_size = 1000

    def process(self, data):
        return data.upper()


class Doubled(Upper):
    """Changes the number of bytes."""

    def process(self, data):
        return bytes(byte for byte in data for _ in range(2))


class Dropped(Upper):
    """Gives nothing for some of its calls."""

    def process(self, data):
        return data.replace(b"x", b"")


class Failing(Upper):
    def process(self, data):
        raise RuntimeError("process has failed")


def pipe(*filters, **options):
    """A writer, the filters and a reader in a row."""
    writer, reader = PipeWriter(**options), PipeReader()
    if ORIGINALS and "memory_limit" in options:
        kept.append(writer)
    end = writer
    for part in (*filters, reader):
        end = end | part
    return writer, reader


def transfer(writer, reader, data, block=10007):
    """Writes the data in blocks on one thread, and returns what the reader gives."""

    def write():
        for at in range(0, len(data), block):
            writer.write(data[at : at + block])
        writer.close()

    call = Call(write)
    got = within(reader.read)
    call.end()
    return got


class Pipe(unittest.TestCase):
    def test_what_is_written_is_read(self):
        writer, reader = pipe()
        self.assertEqual(writer.write(b"Hello, "), 7)
        self.assertEqual(writer.write(bytearray(b"World!")), 6)
        writer.close()
        self.assertEqual(reader.read(), b"Hello, World!")
        self.assertEqual([reader.read(), reader.read(5), reader.read(-1)], [b"", b"", b""])

    def test_a_read_of_a_number(self):
        writer, reader = pipe()
        writer.write(b"0123456789")
        writer.close()
        self.assertEqual([reader.read(n) for n in (3, 0, 4, 100, 1)], [b"012", b"", b"3456", b"789", b""])

    def test_a_read_waits_for_all_bytes_or_the_end(self):
        writer, reader = pipe(chunk_size=4)
        writer.write(b"0123")
        writer.write(b"4567")
        call = Call(reader.read, 8)
        self.assertEqual(call.end(), b"01234567")
        call = Call(reader.read)
        self.assertTrue(call.waits())
        writer.write(b"89")
        writer.close()
        self.assertEqual(call.end(), b"89")

    def test_large_writes_are_taken_whole(self):
        data = os.urandom(3 * MIB)
        writer, reader = pipe(memory_limit=MIB, chunk_size=256 * KIB)
        self.assertEqual(transfer(writer, reader, data, 3 * MIB), data)
        writer, reader = pipe()
        self.assertEqual(writer.write(data), len(data))
        writer.close()
        self.assertEqual(reader.read(), data)

    def test_many_small_writes(self):
        data = os.urandom(200000)
        writer, reader = pipe(memory_limit=64 * KIB, chunk_size=4 * KIB)
        self.assertEqual(transfer(writer, reader, data, 101), data)

    def test_blocks_of_many_lengths(self):
        chance = random.Random(7)
        blocks = [os.urandom(chance.choice((1, 100, 16384, 65536, 100000))) for _ in range(200)]
        for options in ({}, {"memory_limit": 300000, "chunk_size": 65536}):
            writer, reader = pipe(**options)
            call = Call(lambda: ([writer.write(block) for block in blocks], writer.close()))
            got = []
            for block in blocks:
                n = len(block) if chance.random() < 0.8 else chance.randint(1, 70000)
                got.append(within(reader.read, n))
            got.append(within(reader.read))
            call.end()
            self.assertEqual(b"".join(got), b"".join(blocks))

    def test_a_full_pipe_waits_for_the_reader(self):
        writer, reader = pipe(memory_limit=4 * KIB, chunk_size=KIB)
        call = Call(writer.write, bytes(20 * KIB))
        self.assertTrue(call.waits())
        left = 20 * KIB
        while left:
            left -= len(within(reader.read, min(KIB, left)))
        self.assertEqual(call.end(), 20 * KIB)

    def test_without_a_limit_no_write_waits(self):
        writer, reader = pipe()
        for _ in range(64):
            within(writer.write, bytes(MIB))
        writer.close()
        self.assertEqual(len(reader.read()), 64 * MIB)

    def test_iteration_gives_lines(self):
        writer, reader = pipe()
        writer.write(b"one\ntwo\n\nthree")
        writer.close()
        self.assertEqual(list(reader), [b"one\n", b"two\n", b"\n", b"three"])

    def test_one_line(self):
        writer, reader = pipe()
        writer.write(b"one\ntwo")
        writer.close()
        self.assertEqual([reader.readline(), reader.readline(), reader.readline()], [b"one\n", b"two", b""])

    def test_wrong_parameters(self):
        for options in ({"memory_limit": 0}, {"memory_limit": -1}, {"chunk_size": 0}, {"chunk_size": -5}):
            self.assertRaises(ValueError, PipeWriter, **options)

    def test_wrong_uses(self):
        writer, reader = PipeWriter(), PipeReader()
        self.assertRaises(RuntimeError, writer.write, b"abc")
        self.assertRaises(RuntimeError, reader.read)
        self.assertRaises(TypeError, writer.connect, "reader")
        writer.connect(reader)
        self.assertRaises(RuntimeError, writer.connect, PipeReader())
        self.assertRaises(RuntimeError, PipeWriter().connect, reader)
        self.assertRaises(TypeError, writer.write, "text")
        self.assertRaises(TypeError, lambda: writer | "reader")
        self.assertRaises(TypeError, lambda: reader | "writer")
        writer.close()
        writer.close()
        self.assertRaises(ValueError, writer.write, b"abc")
        reader.close()
        reader.close()
        self.assertRaises(ValueError, reader.read)

    def test_what_the_ends_can_do(self):
        writer, reader = pipe()
        self.assertEqual((writer.writable(), writer.readable(), writer.seekable()), (True, False, False))
        self.assertEqual((reader.writable(), reader.readable(), reader.seekable()), (False, True, False))
        self.assertFalse(writer.closed or reader.closed)
        writer.close()
        reader.close()
        self.assertTrue(writer.closed and reader.closed)
        self.assertIsInstance(writer, io.RawIOBase)
        self.assertIsInstance(reader, io.RawIOBase)

    def test_with_ends_the_stream(self):
        writer, reader = pipe()
        with writer:
            writer.write(b"abc")
        self.assertEqual(within(reader.read), b"abc")

    def test_a_writer_that_is_dropped_ends_the_stream(self):
        writer, reader = pipe()
        writer.write(b"abc")
        del writer
        gc.collect()
        self.assertEqual(within(reader.read), b"abc")

    @unittest.skipUnless(importlib.util.find_spec("tqdm"), "there is no tqdm")
    def test_progress(self):
        writer, reader = PipeWriter(memory_limit=MIB, chunk_size=KIB, show_progress=True), PipeReader()
        writer | reader
        writer.write(bytes(3 * KIB))
        self.assertEqual(writer.progress_bar.n, 3 * KIB)
        writer.close()

    def test_both_ends_in_one(self):
        for make in ("QueuePipeIO", "QueueIO", "LimitedQueueIO", "LimitedQueuePipeIO"):
            both = getattr(queuepipeio, make)(memory_limit=MIB, chunk_size=64)
            self.assertTrue(both.readable() and both.writable() and not both.seekable())
            self.assertEqual(both.write(b"abc" * 100), 300)
            both.close()
            self.assertTrue(both.closed)
            self.assertEqual(both.read(250) + both.read(), b"abc" * 100)
            both.close_all()
            self.assertTrue(both.reader.closed and both.writer.closed)


class Filters(unittest.TestCase):
    data = b"some text, no more\n" * 5000

    def test_rows_of_filters(self):
        cases = (
            ([queuepipeio.CopyFilter()], self.data),
            ([Upper()], self.data.upper()),
            ([Upper(), queuepipeio.CopyFilter(chunk_size=100)], self.data.upper()),
            ([Doubled(), Upper(), queuepipeio.CopyFilter()], b"".join(bytes([c, c]) for c in self.data.upper())),
            ([Dropped()], self.data.replace(b"x", b"")),
        )
        for filters, wanted in cases:
            self.assertEqual(transfer(*pipe(*filters), self.data), wanted)
            limited = [type(part)() for part in filters]
            self.assertEqual(transfer(*pipe(*limited, memory_limit=8 * KIB, chunk_size=KIB), self.data), wanted)

    def test_the_right_side_is_the_result(self):
        writer, upper, copy, reader = PipeWriter(), Upper(), queuepipeio.CopyFilter(), PipeReader()
        self.assertIs(writer | upper, upper)
        self.assertIs(upper | copy, copy)
        self.assertIs(copy | reader, reader)
        self.assertEqual(transfer(writer, reader, b"abc"), b"ABC")

    def test_a_filter_between_two_pipes(self):
        first, middle, reader = PipeWriter(), PipeWriter(), PipeReader()
        upper = Upper()
        self.assertIs(upper | middle, middle)
        middle | reader
        first | upper
        self.assertEqual(transfer(first, reader, self.data), self.data.upper())

    def test_a_reader_goes_on_into_a_filter(self):
        writer, between, end = PipeWriter(), PipeReader(), PipeReader()
        upper = Upper()
        writer | between
        upper | end
        self.assertIs(between | upper, upper)
        self.assertEqual(transfer(writer, end, self.data), self.data.upper())

    def test_a_reader_goes_on_into_a_writer(self):
        writer, between, second, end = PipeWriter(), PipeReader(), PipeWriter(), PipeReader()
        writer | between
        second | end
        self.assertIs(between | second, second)
        self.assertEqual(transfer(writer, end, self.data), self.data)

    def test_digests(self):
        for name in ("sha256", "md5", "sha1", "blake2b", "sha512", "sha3_256"):
            digest = queuepipeio.HashingFilter(name)
            self.assertEqual(digest.get_hash(), hashlib.new(name).hexdigest())
            self.assertEqual(transfer(*pipe(digest), self.data), self.data)
            self.assertEqual(digest.get_hash(), hashlib.new(name, self.data).hexdigest())
            self.assertEqual(digest.get_bytes_hashed(), len(self.data))

    @fault
    def test_a_digest_while_bytes_flow(self):
        digest = queuepipeio.HashingFilter(chunk_size=100)
        writer, reader = pipe(digest, chunk_size=100)
        writer.write(bytes(1000))
        self.assertEqual(within(reader.read, 1000), bytes(1000))
        self.assertEqual(digest.get_hash(), hashlib.sha256(bytes(1000)).hexdigest())
        digest.reset_hash()
        self.assertEqual(digest.get_bytes_hashed(), 0)
        writer.write(b"a" * 200)
        writer.close()
        self.assertEqual(within(reader.read), b"a" * 200)
        self.assertEqual(digest.get_hash(), hashlib.sha256(b"a" * 200).hexdigest())
        self.assertEqual(digest.get_bytes_hashed(), 200)

    def test_an_unknown_digest(self):
        self.assertRaises(ValueError, queuepipeio.HashingFilter, "sha257")

    def test_a_digest_that_is_a_subclass(self):
        class Counting(queuepipeio.HashingFilter):
            calls = 0

            def process(self, data):
                self.calls += 1
                return super().process(data)

        digest = Counting()
        self.assertEqual(transfer(*pipe(digest), self.data), self.data)
        self.assertEqual(digest.get_hash(), hashlib.sha256(self.data).hexdigest())
        self.assertGreater(digest.calls, 0)

    def test_a_filter_is_closed(self):
        upper = Upper()
        writer, reader = pipe(upper)
        self.assertEqual(transfer(writer, reader, b"abc"), b"ABC")
        within(upper.close)

    def test_a_filter_is_a_class_with_process(self):
        self.assertRaises(TypeError, queuepipeio.PipeFilter)


class Faults(unittest.TestCase):
    @fault
    def test_a_failure_of_a_filter_reaches_the_reader(self):
        writer, reader = pipe(Failing())
        writer.write(bytes(2000))
        writer.close()
        with self.assertRaisesRegex(RuntimeError, "process has failed"):
            within(reader.read)

    @fault
    def test_a_failure_of_a_filter_passes_the_filters_behind_it(self):
        writer, reader = pipe(Failing(), queuepipeio.CopyFilter(), queuepipeio.HashingFilter())
        writer.write(bytes(2000))
        writer.close()
        with self.assertRaisesRegex(RuntimeError, "process has failed"):
            within(reader.read)

    @fault
    def test_a_failure_of_a_filter_wakes_the_writer(self):
        writer, reader = pipe(Failing(), memory_limit=4 * KIB, chunk_size=KIB)
        with self.assertRaises(BrokenPipeError):
            within(writer.write, bytes(MIB))

    @fault
    def test_closing_the_reader_wakes_the_writer(self):
        writer, reader = pipe(memory_limit=4 * KIB, chunk_size=KIB)
        call = Call(writer.write, bytes(MIB))
        self.assertTrue(call.waits())
        reader.close()
        self.assertRaises(BrokenPipeError, call.end)

    @fault
    def test_closing_the_reader_wakes_the_writer_before_a_filter(self):
        writer, reader = pipe(Upper(), memory_limit=4 * KIB, chunk_size=KIB)
        call = Call(writer.write, bytes(MIB))
        self.assertTrue(call.waits())
        reader.close()
        self.assertRaises(BrokenPipeError, call.end)

    @fault
    def test_a_write_that_is_late_loses_nothing(self):
        writer, reader = pipe(memory_limit=2 * KIB, chunk_size=KIB, write_timeout=MOMENT)
        data = os.urandom(5 * KIB)
        with self.assertRaises(queue.Full) as caught:
            within(writer.write, data)
        self.assertIsInstance(caught.exception, TimeoutError)
        taken = caught.exception.characters_written
        self.assertEqual(taken, 2 * KIB)
        call = Call(reader.read, 5 * KIB)
        writer._write_timeout = None
        self.assertEqual(writer.write(data[taken:]), 3 * KIB)
        self.assertEqual(call.end(), data)

    @fault
    def test_close_keeps_to_the_time_limit(self):
        writer, reader = pipe(memory_limit=2 * KIB, chunk_size=KIB, write_timeout=MOMENT)
        writer.write(bytes(2 * KIB))
        within(writer.close)
        self.assertEqual(within(reader.read), bytes(2 * KIB))

    @fault
    def test_the_limit_holds_across_filters(self):
        writer, reader = pipe(Upper(), queuepipeio.CopyFilter(), memory_limit=64 * KIB, chunk_size=4 * KIB)
        taken = 0

        def write():
            nonlocal taken
            for _ in range(1024):
                taken += writer.write(bytes(KIB))
            writer.close()

        call = Call(write)
        self.assertTrue(call.waits(10 * MOMENT))
        self.assertLessEqual(taken, 64 * KIB)
        self.assertEqual(len(within(reader.read)), MIB)
        call.end()

    @fault
    def test_a_read_waits_for_all_bytes_however_long(self):
        writer, reader = pipe(chunk_size=4)
        writer.write(b"0123")
        call = Call(reader.read, 8)
        self.assertTrue(call.waits(0.3))
        writer.write(b"4567")
        self.assertEqual(call.end(), b"01234567")

    @fault
    def test_what_is_written_can_be_read_at_once(self):
        writer, reader = pipe()
        writer.write(b"abc")
        writer.flush()
        self.assertEqual(within(reader.read, 3), b"abc")

    @fault
    def test_time_grows_with_the_bytes_only(self):
        def seconds(size):
            writer, reader = pipe(chunk_size=64 * KIB)
            data = bytes(size)
            begin = time.process_time()
            writer.write(data)
            writer.close()
            while reader.read(KIB):
                pass
            return time.process_time() - begin

        small = min(seconds(MIB) for _ in range(5))
        self.assertLess(seconds(16 * MIB), 16 * small * 4)

    @fault
    def test_a_limit_below_the_size_of_a_chunk_holds(self):
        writer, reader = pipe(memory_limit=4 * KIB)
        call = Call(writer.write, bytes(64 * KIB))
        self.assertTrue(call.waits())
        within(reader.read, 60 * KIB)
        self.assertEqual(call.end(), 64 * KIB)

    @fault
    def test_nothing_is_lost_before_the_output_is_there(self):
        writer, upper, reader = PipeWriter(chunk_size=KIB), Upper(), PipeReader()
        writer | upper
        writer.write(b"a" * 5000)
        time.sleep(MOMENT)
        upper | reader
        writer.close()
        self.assertEqual(within(reader.read), b"A" * 5000)

    @fault
    def test_a_filter_needs_no_attribute_of_its_base(self):
        class Plain(queuepipeio.PipeFilter):
            def process(self, data):
                return data.upper()

        self.assertEqual(transfer(*pipe(Plain()), b"abc"), b"ABC")

    @fault
    def test_a_reader_is_a_source_of_buffered_readers(self):
        writer, reader = pipe()
        writer.write(b"abc\ndef")
        writer.close()
        self.assertEqual(within(io.BufferedReader(reader).readlines), [b"abc\n", b"def"])

    @fault
    def test_a_writer_takes_any_bytes(self):
        writer, reader = pipe()
        self.assertEqual(writer.write(memoryview(b"abcdef")[1:4]), 3)
        writer.close()
        self.assertEqual(reader.read(), b"bcd")

    @fault
    def test_a_pipe_that_nothing_reads_can_be_dropped(self):
        writer, reader = pipe(memory_limit=4 * KIB, chunk_size=KIB)
        call = Call(writer.write, bytes(MIB))
        self.assertTrue(call.waits())
        del reader
        gc.collect()
        self.assertRaises(BrokenPipeError, call.end)


class Beyond(unittest.TestCase):
    @beyond
    def test_a_writer_can_fail(self):
        writer, reader = pipe()
        writer.write(b"abc")
        writer.fail(RuntimeError("the source has failed"))
        self.assertEqual(reader.read(3), b"abc")
        self.assertRaisesRegex(RuntimeError, "the source has failed", reader.read)
        self.assertRaisesRegex(RuntimeError, "the source has failed", reader.read)

    @beyond
    def test_an_exception_in_with_is_a_failure(self):
        writer, reader = pipe()
        with self.assertRaises(KeyError):
            with writer:
                writer.write(b"abc")
                raise KeyError("key")
        self.assertRaises(KeyError, reader.read)


if __name__ == "__main__":
    main()
