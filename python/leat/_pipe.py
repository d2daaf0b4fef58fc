# SPDX-License-Identifier: MIT
"""Pipes inside a process."""

import io

from . import _leat
from ._filters import plain

_BACKENDS = {"auto": 0, "kernel": 1, "queue": 2}


class _End:
    @property
    def mode(self):
        return "rb" if self.readable() else "wb"

    def fileno(self):
        """The descriptor of a kernel pipe. A queue has none: see poll_fd()."""
        if self.stats()["backend"] != "kernel":
            raise io.UnsupportedOperation("a queue in memory has no descriptor of its bytes")
        return self.poll_fd()


class Writer(_End, _leat.Writer):
    """The writing end of a pipe."""


class Reader(_End, _leat.Reader):
    """The reading end of a pipe. It iterates over lines."""


io.BufferedIOBase.register(Writer)
io.BufferedIOBase.register(Reader)


def pipe(*, memory_limit=None, chunk_size=None, backend="auto", filters=()):
    """Makes a pipe inside this process, and returns its (writer, reader). filters stand between the two."""
    if backend not in _BACKENDS:
        raise ValueError(f"backend={backend!r}: it is one of {', '.join(map(repr, _BACKENDS))}")
    return _leat.pipe(Writer, Reader, memory_limit, chunk_size, _BACKENDS[backend], [plain(each) for each in filters])
