# SPDX-License-Identifier: MIT
"""The interface of chunkedbuffer: Buffer of its last version, and Pipe and ChunkedBufferStream of those before."""

import asyncio

from .. import _leat
from .._errors import Ended, Incomplete

_LIMITS = 16  # so many times its limit may wait in a ChunkedBufferStream that looks for a separator


class Buffer(_leat.Buffer):
    """Bytes in chunks. What is taken is a Buffer of the same bytes, which are not copied, and keeps them.

    minimum_chunk_size is the size of the first chunk. Appended objects of input_cutoff_size bytes and more are not copied.
    release_fast_to_pool, pool and maximum_chunk_size have no effect: memory goes back as soon as nothing uses it, to the pool
    of the process, which has a limit.
    """

    __slots__ = ()

    def extend(self, items):
        """Appends each object of an iterable."""
        for item in items:
            self.append(item)

    @staticmethod
    def merge(buffers):
        """Makes one Buffer of the bytes of several, without a copy."""
        result = Buffer()
        result.extend(buffers)
        return result

    def skip_if_startswith(self, s):
        """Drops s, if the bytes start with it. Returns whether they did."""
        n = len(s)
        if self.find(s, 0, n) != 0:
            return False
        self.skip(n)
        return True

    def split(self, sep=None, maxsplit=-1):
        return memoryview(self).tobytes().split(sep, maxsplit)

    def strip(self, bytes=None):
        return memoryview(self).tobytes().strip(bytes)

    def splitlines(self, keepends=False):
        return memoryview(self).tobytes().splitlines(keepends)


class PartialReadError(Exception):
    """The stream ends before all bytes are there that were asked for. `leftover` has the rest, which is consumed."""

    def __init__(self, message, leftover):
        super().__init__(message)
        self.leftover = leftover


class Pipe:
    """A stream of bytes. A read returns None if there is not enough yet, and b'' at the end, or raises what eof() was given.

    `pool` has no effect.
    """

    def __init__(self, pool=None):
        self._stream = _leat.Stream()
        self._closed = False
        self._reserved = False
        self._apart = None  # a buffer that is longer than the chunks of a stream
        self._until, self._take = self._stream.take_until, self._stream.take

    def get_buffer(self, sizehint=-1):
        """Gives a memoryview of at least sizehint bytes to write into."""
        if self._reserved:
            self._stream.commit(0)
        self._apart = None
        room = self._stream.reserve(max(1, sizehint))
        self._reserved = True
        if len(room) >= sizehint:
            return room
        self._stream.commit(0)
        self._reserved = False
        self._apart = memoryview(bytearray(sizehint))
        return self._apart

    def buffer_written(self, nbytes):
        """The first bytes of the buffer were written."""
        if nbytes < 0 or (self._apart and nbytes > len(self._apart)):
            raise ValueError("so many bytes are not in what get_buffer() gave")
        if self._apart:
            self._stream.append(self._apart[:nbytes])
            self._apart = None
            return
        try:
            self._stream.commit(nbytes)
        except OSError:
            raise ValueError("so many bytes are not in what get_buffer() gave") from None
        self._reserved = False

    def eof(self, exception=None):
        """No more bytes will come."""
        self._closed = True if exception is None else exception
        self._reserved = False
        self._stream.finish(exception)

    def closed(self):
        """False; or True after eof(), or the exception that eof() was given."""
        return self._closed

    def __len__(self):
        return len(self._stream)

    def __bool__(self):
        return True

    def _partial(self, what):
        return PartialReadError(f"Requested {what} but encountered EOF", self._stream.take_at_most())

    def readbytes(self, nbytes):
        """Reads exactly so many bytes."""
        try:
            return self._take(nbytes)
        except Incomplete:
            raise self._partial(f"{nbytes} bytes") from None
        except Ended:
            return b""

    def readatmostbytes(self, nbytes=-1):
        """Reads what is there, at most so many bytes."""
        try:
            return self._stream.take_at_most(nbytes)
        except Ended:
            return b""

    def readuntil(self, seperator, skip_seperator=False):
        """Reads up to a separator, and the separator, which is left out of the result if it is to be skipped."""
        try:
            return self._until(seperator, not skip_seperator)
        except Incomplete:
            raise self._partial(f"to read until {seperator!r}") from None
        except Ended:
            return b""

    def peek(self, nbytes):
        """Gives at most so many bytes, and does not consume them."""
        try:
            return self._stream.peek(min(nbytes, len(self._stream)) or min(nbytes, 1))
        except Ended:
            return b""

    def find(self, s, start=0, end=-1):
        """Where s is; -1: nowhere."""
        return self._find(s, start, end)

    def findbyte(self, byte, start=0, end=-1):
        """Where a byte is, which is a number or bytes of length 1; -1: nowhere."""
        return self._find(bytes((byte,)) if isinstance(byte, int) else byte, start, end)

    def _find(self, s, start, end):
        if len(self._stream) == 0:
            return -1
        at = self._stream.find(s, start, None if end == -1 else end)
        return -1 if at is None else at


class ChunkedBufferStream(asyncio.BufferedProtocol):
    """A connection of asyncio. If more than `limit` bytes wait, the peer is paused until a reader needs more.

    readuntil() and readline() raise ValueError if there is no separator in 16 times as many bytes.
    """

    def __init__(self, limit=2**16, pool=None, newline=b"\n"):
        self._limit = limit
        self._newline = newline
        self._pipe = Pipe()
        self._transport = None
        self._has_data = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._lost = asyncio.Event()
        self._paused = False

    @classmethod
    async def create_connection(cls, *args, limit=2**16, pool=None, newline=b"\n", **kwargs):
        """Connects to a host and a port. Other arguments are those of the event loop's create_connection."""
        make = asyncio.get_running_loop().create_connection
        return (await make(lambda: cls(limit, pool, newline), *args, **kwargs))[1]

    @classmethod
    async def create_unix_connection(cls, *args, limit=2**16, pool=None, newline=b"\n", **kwargs):
        """Connects to a path."""
        make = asyncio.get_running_loop().create_unix_connection
        return (await make(lambda: cls(limit, pool, newline), *args, **kwargs))[1]

    # ---- what the transport calls ----

    def connection_made(self, transport):
        self._transport = transport

    def get_buffer(self, sizehint):
        return self._pipe.get_buffer(sizehint)

    def buffer_updated(self, nbytes):
        self._pipe.buffer_written(nbytes)
        if len(self._pipe) > self._limit and not self._paused:
            self._transport.pause_reading()
            self._paused = True
        self._has_data.set()

    def eof_received(self):
        self._end(None)
        return True  # the other direction stays open

    def connection_lost(self, exc):
        self._end(exc)
        self._lost.set()
        self._drained.set()

    def _end(self, exc):
        if not self._pipe.closed():
            self._pipe.eof(exc)
        self._has_data.set()

    def pause_writing(self):
        self._drained.clear()

    def resume_writing(self):
        self._drained.set()

    # ---- writing ----

    @property
    def peername(self):
        return self._transport.get_extra_info("peername")

    @property
    def socket(self):
        return self._transport.get_extra_info("socket")

    async def _written(self):
        await self._drained.wait()
        if self._lost.is_set():
            raise ConnectionResetError("the connection is lost")

    async def awrite(self, data):
        """Writes bytes, and waits while too many are on the way."""
        self._transport.write(data)
        await self._written()

    async def awritelines(self, stream):
        """Writes the bytes of several objects."""
        self._transport.writelines(stream)
        await self._written()

    async def aclose_write(self):
        """Ends the direction to the peer."""
        self._transport.write_eof()

    async def aclose(self):
        """Closes the connection, when all was sent."""
        self._transport.close()
        await self._lost.wait()

    # ---- reading ----

    def _resume(self):
        if self._paused and not self._lost.is_set():
            self._transport.resume_reading()
        self._paused = False

    async def _read(self, read, most=None):
        """Calls a read until it has an answer. Nothing is consumed before, so a call that is cancelled loses nothing."""
        while True:
            result = read()
            if result is not None:
                break
            if most is not None and len(self._pipe) > most:
                raise ValueError(f"there is no separator in {most} bytes")
            self._has_data.clear()
            self._resume()
            await self._has_data.wait()
        if len(self._pipe) <= self._limit:
            self._resume()
        return result

    async def readuntil(self, seperator, skip_seperator=False):
        """Reads up to a separator."""
        return await self._read(lambda: self._pipe.readuntil(seperator, skip_seperator), self._limit * _LIMITS)

    async def readline(self):
        """Reads a line, with its end."""
        return await self.readuntil(self._newline)

    async def readexactly(self, n):
        """Reads exactly n bytes."""
        return await self._read(lambda: self._pipe.readbytes(n))

    async def readatmost(self, n=-1):
        """Reads what is there, at least one byte."""
        return await self._read(lambda: self._pipe.readatmostbytes(n))

    async def read(self, n=-1):
        """Reads up to n bytes; up to the end if n is negative."""
        if n >= 0:
            return await self.readatmost(n)
        return await self._read(lambda: self._pipe.readatmostbytes() if self._pipe.closed() else None)

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            line = await self.readline()
        except PartialReadError as last:
            return last.leftover
        if not line:
            raise StopAsyncIteration
        return line


__all__ = ["Buffer", "Pipe", "PartialReadError", "ChunkedBufferStream"]
