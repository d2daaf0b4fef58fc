#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""leat.compat.fifoio: a byte ring with two ends."""

import array
import gc
import io
import sys
import unittest

from subject import MOMENT, Call, beyond, fault, load, main, within

fifoio = load("fifoio")


class Pair(unittest.TestCase):
    def test_what_is_written_is_read(self):
        writer, reader = fifoio.create_pair()
        self.assertEqual(writer.write(b"abc"), 3)
        room = bytearray(8)
        self.assertEqual(reader.readinto(room), 3)
        self.assertEqual(room[:3], b"abc")

    def test_a_write_takes_what_fits(self):
        writer, reader = fifoio.create_pair(size=10)
        self.assertEqual(writer.write(b"0123456"), 7)
        self.assertEqual(writer.write(b"789abc"), 3)
        self.assertEqual(reader.read(10), b"0123456789")

    def test_a_read_gives_what_is_there(self):
        writer, reader = fifoio.create_pair(size=10)
        writer.write(b"0123456")
        self.assertEqual(reader.read(4), b"0123")
        self.assertEqual(reader.read(4), b"456")

    def test_the_ring_wraps(self):
        writer, reader = fifoio.create_pair(size=15)
        for i in range(100):
            block = bytes((i + k) % 256 for k in range(10))
            self.assertEqual(writer.write(block), 10)
            self.assertEqual(reader.read(10), block)

    def test_a_full_ring_waits_for_the_reader(self):
        writer, reader = fifoio.create_pair(size=10)
        writer.write(b"0123456789")
        call = Call(writer.write, b"abc")
        self.assertTrue(call.waits())
        self.assertEqual(reader.read(10), b"0123456789")
        self.assertEqual(call.end(), 3)
        self.assertEqual(reader.read(10), b"abc")

    def test_an_empty_ring_waits_for_the_writer(self):
        writer, reader = fifoio.create_pair(size=10)
        call = Call(reader.read, 3)
        self.assertTrue(call.waits())
        writer.write(b"abc")
        self.assertEqual(call.end(), b"abc")

    def test_the_end_comes_after_the_last_byte(self):
        writer, reader = fifoio.create_pair(size=10)
        writer.write(b"0123")
        writer.close()
        room = bytearray(3)
        self.assertEqual([reader.readinto(room) for _ in range(4)], [3, 1, 0, 0])

    def test_the_end_wakes_a_reader(self):
        writer, reader = fifoio.create_pair(size=10)
        call = Call(reader.read, 3)
        self.assertTrue(call.waits())
        writer.close()
        self.assertEqual(call.end(), b"")

    def test_a_writer_that_is_dropped_ends_the_stream(self):
        writer, reader = fifoio.create_pair(size=10)
        writer.write(b"abc")
        del writer
        gc.collect()
        self.assertEqual(within(reader.readall), b"abc")

    def test_each_end_has_its_direction(self):
        writer, reader = fifoio.create_pair()
        self.assertEqual((writer.writable(), writer.readable(), writer.seekable()), (True, False, False))
        self.assertEqual((reader.writable(), reader.readable(), reader.seekable()), (False, True, False))
        for call in (lambda: writer.read(1), lambda: reader.write(b"a"), lambda: reader.seek(0), writer.tell):
            self.assertRaises((io.UnsupportedOperation, NotImplementedError), call)

    def test_buffered_wrappers_carry_lines(self):
        writer, reader = fifoio.create_pair(size=1000)
        writer, reader = io.BufferedWriter(writer), io.BufferedReader(reader)

        def produce():
            for number in range(20000):
                writer.write(b"%d\n" % number)
            writer.close()

        call = Call(produce)
        self.assertEqual([int(line) for line in reader], list(range(20000)))
        call.end()

    def test_a_large_write_through_a_wrapper_is_whole(self):
        writer, reader = fifoio.create_pair(size=777)
        wrapper = io.BufferedWriter(writer)
        data = bytes(range(256)) * 1000
        call = Call(lambda: (wrapper.write(data), wrapper.close()))
        self.assertEqual(within(reader.readall), data)
        call.end()

    def test_with_closes_an_end(self):
        writer, reader = fifoio.create_pair()
        with writer:
            writer.write(b"abc")
        self.assertTrue(writer.closed)
        self.assertFalse(reader.closed)
        self.assertEqual(reader.readall(), b"abc")

    def test_constants(self):
        self.assertEqual(fifoio.ONE_KILOBYTE, 1024)
        self.assertEqual(fifoio.ONE_MEGABYTE, 1048576)
        writer, _ = fifoio.create_pair()
        self.assertEqual(writer.write(bytes(2 << 20)), 1 << 20)


class SharedBuffer(unittest.TestCase):
    def test_counts(self):
        buffer = fifoio.SharedBuffer(buffer_size=100)
        self.assertEqual((buffer.bytes_free(), buffer.available(), buffer.buffer_size), (100, 0, 100))
        buffer.write(b"1" * 60)
        self.assertEqual((buffer.bytes_free(), buffer.available()), (40, 60))
        buffer.readinto(bytearray(20))
        self.assertEqual((buffer.bytes_free(), buffer.available()), (60, 40))
        self.assertEqual((buffer.write_pos, buffer.read_pos), (60, 20))

    def test_the_end(self):
        buffer = fifoio.SharedBuffer()
        self.assertFalse(buffer.eof)
        buffer.write(b"abc")
        buffer.inidicate_eof()
        self.assertTrue(buffer.eof)
        self.assertEqual(fifoio.Readable(buffer).readall(), b"abc")

    def test_ends_of_a_buffer(self):
        buffer = fifoio.SharedBuffer(10)
        writer, reader = fifoio.Writeable(buffer), fifoio.Readable(buffer)
        writer.write(b"abc")
        self.assertEqual(reader.read(3), b"abc")
        self.assertIs(writer.buffer, buffer)


class Faults(unittest.TestCase):
    @fault
    def test_no_wake_up_is_lost(self):
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            for _ in range(40):
                writer, reader = fifoio.create_pair(size=1)
                call = Call(lambda: [writer.write(b"a") for _ in range(500)])
                within(lambda: [reader.read(1) for _ in range(500)])
                call.end()
        finally:
            sys.setswitchinterval(interval)

    @fault
    def test_a_write_after_close_is_an_error(self):
        writer, _ = fifoio.create_pair()
        writer.close()
        self.assertRaises(ValueError, writer.write, b"abc")

    @fault
    def test_a_read_after_close_is_an_error(self):
        writer, reader = fifoio.create_pair()
        writer.write(b"abc")
        reader.close()
        self.assertRaises(ValueError, reader.readinto, bytearray(3))

    @fault
    def test_a_write_of_nothing_does_not_wait(self):
        writer, _ = fifoio.create_pair(size=3)
        writer.write(b"abc")
        self.assertEqual(within(writer.write, b""), 0)

    @fault
    def test_a_read_of_nothing_does_not_wait(self):
        _, reader = fifoio.create_pair()
        self.assertEqual(within(reader.readinto, bytearray()), 0)

    @fault
    def test_a_ring_of_no_size_is_an_error(self):
        self.assertRaises(ValueError, fifoio.create_pair, size=0)

    @fault
    def test_closing_the_reader_wakes_a_writer(self):
        writer, reader = fifoio.create_pair(size=3)
        writer.write(b"abc")
        call = Call(writer.write, b"def")
        self.assertTrue(call.waits())
        reader.close()
        self.assertRaises(BrokenPipeError, call.end)

    @fault
    def test_a_write_without_a_reader_fails(self):
        writer, reader = fifoio.create_pair()
        reader.close()
        self.assertRaises(BrokenPipeError, writer.write, b"abc")

    @fault
    def test_the_end_wakes_every_reader(self):
        writer, reader = fifoio.create_pair()
        calls = [Call(reader.readinto, bytearray(3)) for _ in range(4)]
        self.assertTrue(all([call.waits() for call in calls]))
        writer.close()
        self.assertEqual([call.end() for call in calls], [0] * 4)

    @fault
    def test_an_array_counts_bytes(self):
        writer, reader = fifoio.create_pair()
        numbers = array.array("I", range(100))
        self.assertEqual(writer.write(numbers), 400)
        self.assertEqual(reader.read(400), numbers.tobytes())

    @beyond
    def test_a_wait_has_a_limit_and_loses_nothing(self):
        writer, reader = fifoio.create_pair(size=3, timeout=MOMENT)
        self.assertRaises(TimeoutError, within, reader.read, 1)
        writer.write(b"abc")
        self.assertRaises(TimeoutError, within, writer.write, b"def")
        self.assertEqual(reader.read(9), b"abc")
        self.assertEqual(writer.write(b"def"), 3)
        self.assertEqual(reader.read(9), b"def")


if __name__ == "__main__":
    main()
