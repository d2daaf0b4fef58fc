#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""leat.compat.chunkedbuffer: a stream buffer of chunks."""

import asyncio
import os
import random
import socket
import subprocess
import sys
import time
import unittest

from subject import beyond, fault, load, main

chunkedbuffer = load("chunkedbuffer")
Buffer = chunkedbuffer.Buffer


def pieces(data, size):
    """A buffer of pieces of a size, each of which is a chunk of its own, because it was appended by reference."""
    buffer = Buffer(input_cutoff_size=1)
    for at in range(0, len(data), size):
        buffer.append(data[at : at + size])
    return buffer


def fed(data, size, **options):
    """A buffer that got the data through get_chunk in pieces of a size, in chunks of that size."""
    buffer = Buffer(minimum_chunk_size=size, maximum_chunk_size=size, **options)
    for at in range(0, len(data), size):
        piece = data[at : at + size]
        while piece:
            room = memoryview(buffer.get_chunk(len(piece)))
            n = min(len(room), len(piece))
            room[:n] = piece[:n]
            room.release()
            buffer.chunk_written(n)
            piece = piece[n:]
    return buffer


class Reading(unittest.TestCase):
    def test_append_and_take(self):
        buffer = Buffer()
        self.assertEqual(bytes(buffer), b"")
        self.assertFalse(buffer)
        buffer.append(b"test")
        buffer.append(b"ing")
        self.assertEqual((len(buffer), bool(buffer)), (7, True))
        self.assertEqual([bytes(buffer.take(n)) for n in (3, 0, 100, 5)], [b"tes", b"", b"ting", b""])

    def test_peek(self):
        buffer = Buffer(minimum_chunk_size=4)
        buffer.extend([b"test", bytearray(b"in"), memoryview(b"g")])
        for n, wanted in ((3, b"tes"), (5, b"testi"), (300, b"testing"), (-1, b"testing"), (0, b"")):
            self.assertEqual(buffer.peek(n), wanted)
        self.assertEqual(buffer.peek(), b"testing")
        self.assertEqual(len(buffer), 7)

    def test_skip(self):
        buffer = Buffer(minimum_chunk_size=4)
        buffer.append(b"0123456789")
        self.assertEqual([buffer.skip(2), buffer.skip(5), buffer.skip(0)], [2, 5, 0])
        self.assertEqual(buffer.peek(), b"789")
        self.assertEqual([buffer.skip(), buffer.skip()], [3, 0])
        buffer.append(b"abc")
        self.assertEqual([buffer.skip(100), buffer.skip(100)], [3, 0])

    def test_reserve_and_commit(self):
        buffer = Buffer()
        room = memoryview(buffer.get_chunk())
        self.assertGreaterEqual(len(room), 1)
        room[:4] = b"test"
        room.release()
        buffer.chunk_written(4)
        self.assertEqual(buffer.take(), b"test")
        buffer.get_chunk()
        buffer.chunk_written(0)
        self.assertEqual(len(buffer), 0)

    def test_a_socket_writes_into_a_chunk(self):
        here, there = socket.socketpair()
        with here, there:
            there.sendall(b"a line\nand")
            buffer = Buffer()
            chunk = buffer.get_chunk()
            buffer.chunk_written(here.recv_into(chunk))
            del chunk
            self.assertEqual(buffer.takeline(), b"a line")

    def test_many_chunks(self):
        data = os.urandom(10000)
        for make, size in ((fed, 1), (fed, 7), (fed, 64), (fed, 2048), (pieces, 3), (pieces, 1000)):
            buffer = make(data, size)
            chance = random.Random(size)
            got = []
            while buffer:
                got.append(bytes(buffer.take(chance.randint(1, 500))))
            self.assertEqual(b"".join(got), data)

    def test_find(self):
        buffer = Buffer()
        self.assertEqual([buffer.find(b"a"), buffer.find(b"")], [-1, 0])
        self.assertRaises(ValueError, buffer.find, b"", -1)
        self.assertRaises(ValueError, buffer.find, b"", 0, -2)
        buffer.append(b"test")
        self.assertEqual([buffer.find(b"", n) for n in (0, 1, 4, 5)], [0, 1, 4, -1])
        self.assertEqual([buffer.find(b"t", n) for n in (0, 1, 3, 4, 5)], [0, 3, 3, -1, -1])
        self.assertEqual(buffer.find(b"t", 1, 3), -1)
        self.assertEqual(buffer.find(b"t", 1, 4), 3)

    def test_find_across_two_chunks(self):
        buffer = fed(b"a" * 2046 + b"test" + b"b" * 2046, 2048)
        for needle in (b"test", b"es", b"tes", b"est", b"te", b"st", b"e", b"at", b"tb"):
            self.assertEqual(buffer.find(needle), (b"a" * 2046 + b"test" + b"b").find(needle))
        self.assertEqual(buffer.find(b"\r\n"), -1)
        buffer.skip(2047)
        self.assertEqual([buffer.find(b"test"), buffer.find(b"est")], [-1, 0])

    def test_take_until(self):
        buffer = Buffer()
        buffer.append(b"test")
        self.assertIsNone(buffer.takeuntil(b"\r\n"))
        buffer.append(b"\r")
        self.assertIsNone(buffer.takeuntil(b"\r\n"))
        buffer.append(b"\ning")
        self.assertEqual(buffer.takeuntil(b"\r\n"), b"test")
        self.assertIsNone(buffer.takeuntil(b"\r\n"))
        self.assertEqual(buffer.takeuntil(b"ing", True), b"ing")
        self.assertEqual(len(buffer), 0)

    def test_take_until_with_another_separator(self):
        buffer = Buffer()
        buffer.append(b"one,two;three")
        self.assertIsNone(buffer.takeuntil(b"|"))
        self.assertEqual(buffer.takeuntil(b","), b"one")
        self.assertEqual(buffer.takeuntil(b";", include_s=True), b"two;")

    def test_take_line(self):
        buffer = Buffer()
        buffer.append(b"one\ntwo\r\n\nthree\nrest")
        self.assertEqual([bytes(buffer.takeline()) for _ in range(4)], [b"one", b"two", b"", b"three"])
        self.assertIsNone(buffer.takeline())
        buffer.append(b"\nlast\r\n")
        self.assertEqual(buffer.takeline(include_seperator=True), b"rest\n")
        self.assertEqual(buffer.takeline(True), b"last\r\n")

    def test_skip_if_it_starts_with(self):
        buffer = Buffer()
        buffer.append(b"GET /")
        self.assertFalse(buffer.skip_if_startswith(b"PUT "))
        self.assertTrue(buffer.skip_if_startswith(b"GET "))
        self.assertEqual(buffer.take(), b"/")
        self.assertFalse(buffer.skip_if_startswith(b"/"))

    def test_results_keep_their_bytes(self):
        buffer = Buffer(minimum_chunk_size=16)
        taken = []
        for number in range(500):
            buffer.append(b"%07d\n" % number)
            taken.append(buffer.takeline())
        self.assertEqual([int(bytes(line)) for line in taken], list(range(500)))

    def test_results_are_buffers(self):
        buffer = Buffer()
        buffer.append(b"key: value, more\nnext")
        line = buffer.takeline()
        self.assertIsInstance(line, Buffer)
        key = line.takeuntil(b": ")
        self.assertEqual((bytes(key), bytes(line.take(5)), bytes(line)), (b"key", b"value", b", more"))
        line.append(b" and more")
        self.assertEqual(line, b", more and more")
        self.assertEqual(buffer, b"next")

    def test_a_large_append_is_a_reference(self):
        data = bytearray(os.urandom(100000))
        buffer = Buffer()
        buffer.append(data)
        self.assertRaises(BufferError, data.append, 0)
        got = buffer.take()
        del buffer
        self.assertEqual(got, data)
        del got
        data.append(0)
        buffer = Buffer(input_cutoff_size=1 << 20)
        buffer.append(data)
        data.append(0)

    def test_append_a_buffer(self):
        first, second = fed(b"0123456789", 4), fed(b"abcdefgh", 3)
        first.append(second.take(5))
        self.assertEqual(first, b"0123456789abcde")
        self.assertEqual(second, b"fgh")
        second.append(first.peek(3))
        self.assertEqual(second, b"fgh012")

    def test_merge(self):
        parts = [fed(b"0123456789", 4).take(), Buffer(), fed(b"abc", 10).take()]
        self.assertEqual(Buffer.merge(parts), b"0123456789abc")
        self.assertEqual(parts[0], b"0123456789")
        self.assertEqual(Buffer.merge([]), b"")

    def test_chunks(self):
        data = os.urandom(100000)
        chunks = list(fed(data, 2048).take().chunks())
        self.assertGreater(len(chunks), 1)
        self.assertEqual(b"".join(chunks), data)
        self.assertEqual([len(chunk) for chunk in chunks], [len(bytes(chunk)) for chunk in chunks])
        taken = fed(b"testing", 4).take()
        here, there = socket.socketpair()
        with here, there:
            self.assertEqual(here.sendmsg(taken.chunks()), 7)
            self.assertEqual(there.recv(100), b"testing")

    def test_it_is_a_bytes_like_object(self):
        buffer = fed(b" 12 ", 3)
        self.assertEqual(b"".join([buffer, b"x"]), b" 12 x")
        view = memoryview(buffer)
        self.assertTrue(view.readonly)
        self.assertEqual(view.tolist(), [32, 49, 50, 32])
        view.release()
        self.assertEqual(int(buffer), 12)

    def test_comparisons(self):
        for buffer in (fed(b"testing", 3), pieces(b"testing", 2), fed(b"testing", 100)):
            self.assertTrue(buffer == b"testing")
            self.assertFalse(buffer == b"testinG")
            self.assertFalse(buffer == b"test")
            self.assertTrue(buffer != b"test")
            self.assertTrue(buffer == fed(b"testing", 2))
            with self.assertRaises(TypeError):
                hash(buffer)

    def test_methods_of_bytes(self):
        for size in (3, 100):
            buffer = pieces(b"  one two\nthree ", size)
            self.assertEqual(buffer.split(), [b"one", b"two", b"three"])
            self.assertEqual(buffer.split(b" ", 2), [b"", b"", b"one two\nthree "])
            self.assertEqual(buffer.split(sep=b"o", maxsplit=1), [b"  ", b"ne two\nthree "])
            self.assertEqual(buffer.strip(), b"one two\nthree")
            self.assertEqual(buffer.strip(b" e"), b"one two\nthr")
            self.assertEqual(buffer.splitlines(), [b"  one two", b"three "])
            self.assertEqual(buffer.splitlines(True), [b"  one two\n", b"three "])

    def test_all_options(self):
        buffer = Buffer(
            release_fast_to_pool=True, minimum_chunk_size=1024, maximum_chunk_size=1 << 20, input_cutoff_size=1 << 12
        )
        for size in (10, 100000):
            buffer.append(bytes(size))
        self.assertEqual(len(buffer.take()), 100010)

    def test_chunked_messages(self):
        message = b"9\r\nLet's try\r\n3\r\n to\r\n13\r\n parse this\n\r\r\n0\r\n\r\n"
        for size in (1, 2, 5, 100):
            buffer, parts = Buffer(), []
            for at in range(0, len(message), size):
                buffer.append(message[at : at + size])
            while True:
                length = int(buffer.takeuntil(b"\r\n"))
                if length == 0:
                    break
                parts.append(buffer.take(length))
                buffer.skip(2)
            self.assertEqual(Buffer.merge(parts), b"Let's try to parse this\n\r")


class Faults(unittest.TestCase):
    @fault
    def test_no_more_can_be_committed_than_was_reserved(self):
        buffer = Buffer()
        room = buffer.get_chunk()
        with self.assertRaises(ValueError):
            buffer.chunk_written(len(memoryview(room)) + 1)

    @fault
    def test_a_hint_is_kept(self):
        buffer = Buffer()
        self.assertGreaterEqual(len(memoryview(buffer.get_chunk(10000))), 10000)

    @fault
    def test_a_line_lies_across_chunks(self):
        for make in (fed, pieces):
            buffer = make(b"testing\nmore\n", 4)
            self.assertEqual([bytes(buffer.takeline()), bytes(buffer.takeline())], [b"testing", b"more"])

    @fault
    def test_a_separator_of_lines_lies_across_chunks(self):
        for make in (fed, pieces):
            buffer = make(b"abc\r\ndef\r\n", 4)
            self.assertEqual([bytes(buffer.takeline()), bytes(buffer.takeline())], [b"abc", b"def"])

    @fault
    def test_find_stops_at_its_end(self):
        buffer = fed(b"a" * 2046 + b"test" + b"b" * 100, 2048)
        self.assertEqual(buffer.find(b"test", 0, 2049), -1)
        self.assertEqual(buffer.find(b"test", 0, 2050), 2046)

    @fault
    def test_find_begins_at_its_start(self):
        buffer = fed(b"a" * 2046 + b"test" + b"b" * 100, 2048)
        self.assertEqual(buffer.find(b"es", 2048), -1)

    @fault
    def test_find_across_many_chunks(self):
        data = b"a needle in chunks of a few bytes"
        for make, size in ((fed, 1), (fed, 3), (pieces, 1), (pieces, 2), (pieces, 5)):
            buffer = make(data, size)
            for start in range(len(data)):
                for end in range(start + 1, len(data) + 1, 3):
                    self.assertEqual(buffer.find(data[start:end]), data.find(data[start:end]))

    @fault
    def test_a_search_for_lines_resumes_where_it_stopped(self):
        def seconds(pieces):
            buffer, piece = Buffer(), bytes(1024)
            begin = time.process_time()
            for _ in range(pieces):
                buffer.append(piece)
                buffer.takeline()
            return time.process_time() - begin

        seconds(8000)  # which gets the memory of the process
        small = min(seconds(1000) for _ in range(5))
        self.assertLess(min(seconds(8000) for _ in range(3)), 8 * small * 4)

    @fault
    def test_it_equals_no_other_thing(self):
        buffer = fed(b"testing", 4)
        self.assertFalse(buffer == None)  # noqa: E711
        self.assertFalse(buffer == 7)
        self.assertTrue(buffer != "testing")

    @fault
    def test_an_empty_separator_is_an_error(self):
        buffer = Buffer()
        buffer.append(b"abc")
        with self.assertRaises(ValueError):
            buffer.takeuntil(b"")

    @fault
    def test_memory_serves_others_again(self):
        program = (
            "import subject, os\n"
            "m = subject.load('chunkedbuffer')\n"
            "pages = lambda: int(open('/proc/self/statm').read().split()[1])\n"
            "b, before = m.Buffer(minimum_chunk_size=65536, input_cutoff_size=1 << 30), pages()\n"
            "for _ in range(4096): b.append(bytes(65536))\n"
            "most = pages() - before\n"
            "b.skip(); del b\n"
            "other = [bytes(65000) for _ in range(4096)]\n"
            "print(most * 4096 >> 20, (pages() - before) * 4096 >> 20)\n"
        )
        here = os.path.dirname(os.path.abspath(__file__))
        done = subprocess.run([sys.executable, "-c", program], cwd=here, stdout=subprocess.PIPE, check=True)
        most, later = map(int, done.stdout.split())
        self.assertGreater(most, 200)
        self.assertLess(later, most + 100)


@unittest.skipUnless(hasattr(chunkedbuffer, "Pipe"), "this version of the original has no Pipe")
class Pipe(unittest.TestCase):
    """The interface of the versions before Buffer."""

    def pipe(self, *pieces):
        pipe = chunkedbuffer.Pipe()
        for piece in pieces:
            room = pipe.get_buffer(len(piece))
            room[: len(piece)] = piece
            room.release()
            pipe.buffer_written(len(piece))
        return pipe

    def test_three_answers(self):
        pipe = self.pipe(b"testing")
        self.assertEqual(pipe.readbytes(4), b"test")
        self.assertIsNone(pipe.readbytes(4))
        self.assertIsNone(pipe.readuntil(b"\n"))
        self.assertEqual(len(pipe), 3)
        self.assertEqual(pipe.readatmostbytes(), b"ing")
        self.assertIsNone(pipe.readatmostbytes())
        self.assertFalse(pipe.closed())
        pipe.eof()
        self.assertTrue(pipe.closed())
        self.assertEqual([pipe.readbytes(1), pipe.readatmostbytes(), pipe.readuntil(b"\n")], [b""] * 3)

    def test_an_error_comes_after_the_bytes(self):
        pipe = self.pipe(b"testing")
        failure = ConnectionResetError("reset")
        pipe.eof(failure)
        self.assertIs(pipe.closed(), failure)
        self.assertEqual(pipe.readbytes(7), b"testing")
        for _ in range(2):
            with self.assertRaises(ConnectionResetError) as caught:
                pipe.readbytes(1)
            self.assertIs(caught.exception, failure)

    def test_a_partial_read_has_the_rest(self):
        for read in (lambda pipe: pipe.readbytes(10), lambda pipe: pipe.readuntil(b"\n")):
            pipe = self.pipe(b"testing")
            pipe.eof()
            with self.assertRaises(chunkedbuffer.PartialReadError) as caught:
                read(pipe)
            self.assertEqual(caught.exception.leftover, b"testing")
            self.assertEqual(read(pipe), b"")

    def test_read_until(self):
        pipe = self.pipe(b"test\r", b"\ning\r\nblah")
        self.assertEqual(pipe.readuntil(b"\r\n", skip_seperator=True), b"test")
        self.assertIsNone(pipe.readuntil(b"not there"))
        self.assertEqual(pipe.readuntil(b"\r\n"), b"ing\r\n")
        self.assertEqual(pipe.readuntil(b"a"), b"bla")
        self.assertEqual(len(pipe), 1)

    def test_find(self):
        pipe = self.pipe(b"testing")
        self.assertEqual([pipe.find(b"ing"), pipe.find(b"t", 1), pipe.find(b"t", 1, 3)], [4, 3, -1])
        self.assertEqual([pipe.findbyte(b"s"), pipe.findbyte(b"x")], [2, -1])
        self.assertEqual([pipe.peek(0), pipe.peek(4), pipe.peek(10)], [b"", b"test", b"testing"])

    def test_a_hint_is_kept(self):
        pipe = self.pipe(b"x" * 3000)
        for hint in (1, 100, 5000, 70000):
            self.assertGreaterEqual(len(pipe.get_buffer(hint)), hint)
            pipe.buffer_written(0)
        self.assertGreaterEqual(len(pipe.get_buffer()), 1)

    def test_one_reservation(self):
        pipe = self.pipe()
        room = pipe.get_buffer(10)
        self.assertRaises(ValueError, pipe.buffer_written, len(room) + 1)
        self.assertRaises(ValueError, self.pipe().buffer_written, 1)


@unittest.skipUnless(hasattr(chunkedbuffer, "ChunkedBufferStream"), "this version of the original has no streams")
class Stream(unittest.TestCase):
    """Connections of asyncio."""

    def converse(self, talk, serve, **options):
        """Runs both sides of a connection over TCP and over a Unix socket."""

        async def run(connect, start):
            served = asyncio.get_running_loop().create_future()

            async def handle(reader, writer):
                try:
                    served.set_result(await serve(reader, writer))
                except Exception as error:
                    served.set_exception(error)
                finally:
                    writer.close()

            server = await start(handle)
            stream = await connect(server)
            try:
                await asyncio.wait_for(talk(stream), 60)
            finally:
                await stream.aclose()
            await asyncio.wait_for(served, 60)
            server.close()
            await server.wait_closed()

        make = chunkedbuffer.ChunkedBufferStream
        asyncio.run(
            run(
                lambda server: make.create_connection(*server.sockets[0].getsockname()[:2], **options),
                lambda handle: asyncio.start_server(handle, "127.0.0.1", 0),
            )
        )
        path = os.path.join(self.folder(), "socket")
        asyncio.run(
            run(
                lambda server: make.create_unix_connection(path, **options),
                lambda handle: asyncio.start_unix_server(handle, path),
            )
        )

    def folder(self):
        import tempfile

        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name

    def test_reads(self):
        async def serve(reader, writer):
            writer.write(b"line one\nline two\nexactly;until|the rest\nand more")

        async def talk(stream):
            self.assertEqual(await stream.readline(), b"line one\n")
            self.assertEqual(await stream.readuntil(b"\n", True), b"line two")
            self.assertEqual(await stream.readexactly(8), b"exactly;")
            self.assertEqual(await stream.readuntil(b"|"), b"until|")
            self.assertEqual(await stream.read(), b"the rest\nand more")
            self.assertEqual([await stream.read(), await stream.readatmost(5)], [b"", b""])

        self.converse(talk, serve)

    def test_writes_and_half_close(self):
        async def serve(reader, writer):
            got = await reader.read()
            writer.write(got.upper())
            await writer.drain()

        async def talk(stream):
            await stream.awrite(b"one ")
            await stream.awritelines([b"two ", b"three ", bytes(100000)])
            await stream.aclose_write()
            self.assertEqual(await stream.read(), b"ONE TWO THREE " + bytes(100000))

        self.converse(talk, serve)

    def test_lines(self):
        async def serve(reader, writer):
            for number in range(5000):
                writer.write(b"%d\n" % number)
                await writer.drain()

        async def talk(stream):
            got = [line async for line in stream]
            self.assertEqual(got, [b"%d\n" % number for number in range(5000)])

        self.converse(talk, serve, limit=1000)

    def test_the_limit_pauses_the_peer(self):
        async def serve(reader, writer):
            writer.write(bytes(1 << 20) + b"\n")
            await writer.drain()

        async def talk(stream):
            await asyncio.sleep(0.2)
            self.assertLess(len(stream._pipe), 200000)
            self.assertEqual(len(await stream.readexactly(1 << 20)), 1 << 20)
            self.assertEqual(await stream.readline(), b"\n")

        self.converse(talk, serve, limit=1 << 14)

    def test_what_it_is_connected_to(self):
        async def serve(reader, writer):
            await reader.read()

        async def talk(stream):
            self.assertIsNotNone(stream.peername)
            self.assertGreaterEqual(stream.socket.fileno(), 0)

        self.converse(talk, serve)

    def test_a_partial_read(self):
        async def serve(reader, writer):
            writer.write(b"abc")

        async def talk(stream):
            with self.assertRaises(chunkedbuffer.PartialReadError) as caught:
                await stream.readexactly(10)
            self.assertEqual(caught.exception.leftover, b"abc")

        self.converse(talk, serve)


class Beyond(unittest.TestCase):
    @beyond
    def test_a_view_may_outlive_the_reservation(self):
        buffer = Buffer()
        view = memoryview(buffer.get_chunk())
        view[:4] = b"test"
        buffer.chunk_written(4)
        taken = buffer.take()
        del buffer
        view[100:104] = b"more"
        self.assertEqual(taken, b"test")
        buffer = Buffer()
        view = memoryview(buffer.get_chunk())
        del buffer
        view[:4] = b"test"
        self.assertEqual(view[:4], b"test")

    @beyond
    def test_an_appended_object_may_use_the_buffer_at_its_end(self):
        ends = []

        class Last(bytearray):
            def __del__(self):
                ends.append(1)
                buffer.append(b"more")

        buffer = Buffer(input_cutoff_size=1)
        buffer.append(Last(b"test"))
        self.assertEqual(buffer.skip(), 4)
        buffer.append(b"some ")
        buffer.skip(2)
        self.assertEqual(ends, [1])
        self.assertEqual(bytes(buffer).replace(b"more", b""), b"me ")

    @beyond
    def test_a_reservation_may_be_repeated(self):
        buffer = Buffer()
        buffer.get_chunk()
        room = memoryview(buffer.get_chunk(10))
        room[:3] = b"abc"
        room.release()
        buffer.chunk_written(3)
        self.assertEqual(buffer.take(), b"abc")


if __name__ == "__main__":
    main()
