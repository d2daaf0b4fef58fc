# SPDX-License-Identifier: MIT
"""Endpoints of Python objects: file objects, ends of pipes, objects with methods alone; filters that join; asyncio."""

import asyncio
import gc
import io
import itertools
import os
import unittest
import zlib

import leat
from common import Folder, in_thread
from leat import filters


class Files(Folder):
    def test_a_file_that_was_read_from(self):
        data = os.urandom(100_000)
        with open(self.path("a", data), "rb") as file:
            self.assertEqual(file.read(10), data[:10])  # and much more into the buffer of the object
            target = bytearray(len(data) - 10)
            leat.copy(file, target, length=50_000)
            self.assertEqual(target[:50_000], data[10:50_010])
            self.assertEqual(file.tell(), 50_010)
            self.assertEqual(file.read(), data[50_010:])

    def test_a_file_that_was_written_to(self):
        with open(self.path("a"), "wb") as file:
            file.write(b"begin ")
            leat.copy(b"middle", file)
            file.write(b" end")
        with open(self.path("a"), "rb") as file:
            self.assertEqual(file.read(), b"begin middle end")

    def test_bytesio(self):
        data = os.urandom(3_000_000)
        source, sink = io.BytesIO(data), io.BytesIO()
        self.assertEqual(leat.copy(source, sink, digest="crc32").bytes, len(data))
        self.assertEqual(sink.getvalue(), data)
        self.assertEqual(leat.copy(source, "null:").bytes, 0)

    def test_objects_with_methods_alone(self):
        class Slow:
            def __init__(self, data):
                self.data = data

            def read(self, n):
                piece, self.data = self.data[:3], self.data[3:]
                return piece

        class Short:
            def __init__(self):
                self.got = b""

            def write(self, data):
                self.got += data[:2]
                return min(len(data), 2)

        sink = Short()
        leat.copy(Slow(b"0123456789"), sink)
        self.assertEqual(sink.got, b"0123456789")

    def test_methods_that_fail(self):
        class Object:
            def __init__(self, answer):
                self.answer = answer

            def read(self, n):
                return self.act(n)

            def write(self, data):
                return self.act(len(data))

            def act(self, n):
                if isinstance(self.answer, Exception):
                    raise self.answer
                return self.answer(n)

        for answer, kind in ((LookupError("mine"), LookupError), (lambda n: "text", TypeError),
                             (lambda n: bytes(n + 1), ValueError)):
            with self.assertRaises(kind):
                leat.copy(Object(answer), "null:")
        for answer, kind in ((LookupError("mine"), LookupError), (lambda n: "text", TypeError), (lambda n: n + 1, ValueError),
                             (lambda n: -1, ValueError), (lambda n: 0, ValueError)):
            with self.assertRaises(kind):
                leat.copy(b"abc", Object(answer))

    def test_what_is_no_endpoint(self):
        with self.assertRaises(ValueError):
            leat.copy(-1, "null:")
        with self.assertRaises(leat.Error):
            leat.copy(99_999, "null:")
        with self.assertRaises(TypeError):
            leat.copy(["a"], "null:")


class Ends(unittest.TestCase):
    def test_a_reader_is_a_source(self):
        for backend in ("queue", "kernel"):
            writer, reader = leat.pipe(backend=backend)
            data = os.urandom(1_000_000)
            copied = in_thread(lambda: leat.digest(reader, "crc32"))

            def write():
                with writer:
                    writer.write(data)

            write()
            self.assertEqual(int(copied(), 16), zlib.crc32(data))
            self.assertTrue(reader.closed)

    def test_a_writer_is_a_sink(self):
        writer, reader = leat.pipe()
        data = os.urandom(1_000_000)
        copied = in_thread(lambda: leat.copy(data, writer))
        self.assertEqual(reader.read(), data)
        copied()
        self.assertTrue(writer.closed)

    def test_exceptions_pass_through(self):
        def broken(piece):
            raise LookupError("in the filter")

        writer, reader = leat.pipe(filters=[filters.observe(broken)])
        copied = in_thread(lambda: leat.copy(reader, "null:"))
        with self.assertRaises(BrokenPipeError):
            while True:
                writer.write(b"x")
        with self.assertRaisesRegex(LookupError, "in the filter"):
            copied()
        writer, reader = leat.pipe()
        copied = in_thread(lambda: leat.copy(reader, "null:"))
        writer.write(b"x")
        writer.fail(KeyError("of the writer"))
        with self.assertRaisesRegex(KeyError, "of the writer"):
            copied()

    def test_an_end_in_use(self):
        writer, reader = leat.pipe()
        writer.write(b"abc")
        with self.assertRaises(leat.Timeout):
            reader.read(5, timeout=0)
        with self.assertRaises(ValueError):
            leat.copy(reader, "null:")
        self.assertEqual(reader.read(3), b"abc")
        reader.close()
        with self.assertRaises(ValueError):
            leat.copy(reader, "null:")
        with self.assertRaises(TypeError):
            leat.copy(writer, "null:")

    def test_a_line_that_was_read_is_not_copied(self):
        writer, reader = leat.pipe()
        writer.write(b"head\nbody")
        writer.close()
        self.assertEqual(reader.readline(), b"head\n")
        target = bytearray(4)
        leat.copy(reader, target)
        self.assertEqual(target, b"body")


class Joining(unittest.TestCase):
    def test_a_filter_joins(self):
        writer, reader = leat.pipe()
        writer.write(b"plain ")
        writer.add_filter(filters.transform(bytes.upper))
        writer.write(b"upper ")
        digest = leat.Digest("crc32")
        writer.add_filter(digest)
        writer.write(b"both")
        writer.close()
        self.assertEqual(reader.read(), b"plain UPPER BOTH")
        self.assertEqual(int(digest.hexdigest(), 16), zlib.crc32(b"BOTH"))

    def test_a_filter_that_joins_and_fails(self):
        def broken(piece):
            raise LookupError("in the filter")

        writer, reader = leat.pipe()
        writer.add_filter(filters.transform(broken))
        try:
            writer.write(b"x")
        except BrokenPipeError:
            pass
        with self.assertRaises(LookupError):
            reader.read()
        with self.assertRaises(TypeError):
            writer.add_filter("digest")
        gc.collect()

    def test_refusals(self):
        writer, reader = leat.pipe()
        digest = leat.Digest()
        writer.add_filter(digest)
        with self.assertRaises(leat.Error):
            writer.add_filter(digest)
        writer.finish()
        with self.assertRaises(BrokenPipeError):
            writer.add_filter(leat.Digest())


class Loop(unittest.TestCase):
    def test_pipes(self):
        async def main(backend):
            writer, reader = leat.pipe(backend=backend)
            data = os.urandom(3_000_000)

            async def write():
                await writer.awrite(data)
                await writer.awrite(b"\nline\nlast")
                await writer.aclose()

            task = asyncio.create_task(write())
            self.assertEqual(await reader.aread(len(data)), data)
            self.assertEqual([await reader.areadline() for _ in range(3)], [b"\n", b"line\n", b"last"])
            self.assertEqual(await reader.aread(), b"")
            await task

        for backend in ("queue", "kernel"):
            asyncio.run(asyncio.wait_for(main(backend), 60))

    def test_a_cancelled_read_loses_nothing(self):
        async def main():
            writer, reader = leat.pipe()
            writer.write(b"abc")
            for read in (reader.aread(5), reader.aread(), reader.areadline()):
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(read, 0.01)
            writer.write(b"de")
            return await reader.aread(5)

        self.assertEqual(asyncio.run(main()), b"abcde")

    def test_pipelines(self):
        async def main():
            report = await leat.Pipeline(b"abc", sinks=["null:"]).arun()
            self.assertEqual(report.bytes, 3)
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(leat.Pipeline("zero:", sinks=["null:"], rate="1M", length="1T").arun(), 0.02)
            with self.assertRaises(FileNotFoundError):
                await leat.Pipeline("/none/there", sinks=["null:"]).arun()

        asyncio.run(main())

    def test_stages(self):
        async def main():
            made = leat.Stages().add(lambda i: i + 1)
            got = [result async for result in made.arun(range(2000))]
            self.assertEqual(got, list(range(1, 2001)))
            async for result in made.arun(itertools.count()):
                break
            made = leat.Stages().add(lambda i: 1 // i)
            with self.assertRaises(ZeroDivisionError):
                async for result in made.arun([1, 0]):
                    pass

        asyncio.run(main())


if __name__ == "__main__":
    unittest.main()
