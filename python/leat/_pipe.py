# SPDX-License-Identifier: MIT
"""Pipes inside a process."""

import io

from . import _leat
from ._wait import readable, writable
from .filters import plain

_BACKENDS = {"auto": 0, "kernel": 1, "queue": 2}


class _End:
    @property
    def mode(self):
        return "rb" if self.readable() else "wb"

    def _is_kernel(self):
        return self.stats()["backend"] == "kernel"

    def fileno(self):
        """The descriptor of a kernel pipe. A queue has none: see poll_fd()."""
        if not self._is_kernel():
            raise io.UnsupportedOperation("a queue in memory has no descriptor of its bytes")
        return self.poll_fd()


class Writer(_End, _leat.Writer):
    """The writing end of a pipe."""

    def add_filter(self, filter, timeout=None):
        """Adds a filter behind those that the pipe has, for what is written from now on."""
        self._add_filter(plain(filter), timeout)

    async def awrite(self, data):
        """As write(), in an event loop. If the task is cancelled, a part may have been written."""
        with memoryview(data) as view, view.cast("B") as rest:
            done = 0
            while done < len(rest):
                try:
                    done += self.write_some(rest[done:], 0)
                except BlockingIOError:
                    await (writable if self._is_kernel() else readable)(self.poll_fd())
            return done

    async def aclose(self):
        """As close(), in an event loop."""
        while True:
            try:
                return self.close(0)
            except BlockingIOError:
                await (writable if self._is_kernel() else readable)(self.poll_fd())


class Reader(_End, _leat.Reader):
    """The reading end of a pipe. It iterates over lines."""

    async def aread(self, n=-1):
        """As read(), in an event loop. If the task is cancelled, no byte is lost."""
        pieces, got = [], 0
        try:
            while n < 0 or got < n:
                piece = await self.aread1(n - got if n >= 0 else -1)
                if not piece:
                    break
                pieces.append(piece)
                got += len(piece)
        except BaseException:
            self._unread(b"".join(pieces))
            raise
        return b"".join(pieces)

    async def aread1(self, n=-1):
        """As read1(), in an event loop."""
        while True:
            try:
                return self.read1(n, 0)
            except BlockingIOError:
                await readable(self.poll_fd())

    async def areadline(self, limit=-1):
        """As readline(), in an event loop."""
        while True:
            try:
                return self.readline(limit, 0)
            except BlockingIOError:
                await readable(self.poll_fd())


io.BufferedIOBase.register(Writer)
io.BufferedIOBase.register(Reader)


def pipe(*, memory_limit=None, chunk_size=None, backend="auto", filters=()):
    """Makes a pipe inside this process, and returns its (writer, reader). filters stand between the two."""
    if backend not in _BACKENDS:
        raise ValueError(f"backend={backend!r}: it is one of {', '.join(map(repr, _BACKENDS))}")
    return _leat.pipe(Writer, Reader, memory_limit, chunk_size, _BACKENDS[backend], [plain(each) for each in filters])
