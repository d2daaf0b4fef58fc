# SPDX-License-Identifier: MIT
"""The interface of fifoio: a ring of bytes with a writing and a reading end, both raw file objects."""

import io

from .._pipe import pipe

ONE_KILOBYTE = 1024
ONE_MEGABYTE = 1024 * ONE_KILOBYTE


class SharedBuffer:
    """The ring. Calls wait as long as `timeout` says, in seconds; None is without a limit."""

    def __init__(self, buffer_size=ONE_MEGABYTE, timeout=None):
        if buffer_size <= 0:
            raise ValueError("the size of a ring is at least one byte")
        self.buffer_size = buffer_size
        self.timeout = timeout
        self.eof = False
        self._writer, self._reader = pipe(memory_limit=buffer_size, backend="queue")

    def write(self, b):
        """Writes what has room, at least one byte, and returns how much that is. Waits while there is no room at all."""
        return self._writer.write_some(b, self.timeout)

    def readinto(self, b):
        """Reads what is there, at least one byte. Waits while there is nothing. 0 is the end."""
        return self._reader.readinto1(b, self.timeout)

    def inidicate_eof(self):  # the name is spelt so
        """No more bytes will come."""
        self.eof = True
        if not self._writer.closed:
            self._writer.finish(self.timeout)

    def _stats(self):
        return (self._reader if self._writer.closed else self._writer).stats()

    def bytes_free(self):
        """How many bytes have room."""
        return self.buffer_size - self.available()

    def available(self):
        """How many bytes can be read."""
        return self.write_pos - self.read_pos

    @property
    def write_pos(self):
        """How many bytes were written so far."""
        return self._stats()["bytes_in"]

    @property
    def read_pos(self):
        """How many bytes were read so far."""
        return self._stats()["bytes_out"]


class Writeable(io.RawIOBase):
    """The writing end."""

    def __init__(self, buffer):
        self.buffer = buffer

    def writable(self):
        return True

    def write(self, b):
        return self.buffer._writer.write_some(b, self.buffer.timeout)

    def close(self):
        """Ends the stream: the reader gets what was written, and then the end."""
        if self.closed:
            return
        try:
            self.buffer.inidicate_eof()
            self.buffer._writer.close()
        except BrokenPipeError:
            pass  # the reader has gone, so nothing needs the end
        super().close()


class Readable(io.RawIOBase):
    """The reading end."""

    def __init__(self, buffer):
        self.buffer = buffer

    def readable(self):
        return True

    def readinto(self, b):
        return self.buffer._reader.readinto1(b, self.buffer.timeout)

    def read(self, size=-1):
        if size is None or size < 0:
            return self.readall()
        return self.buffer._reader.read1(size, self.buffer.timeout)

    def readall(self):
        return self.buffer._reader.read(-1, self.buffer.timeout)

    def readline(self, size=-1):
        return self.buffer._reader.readline(-1 if size is None else size, self.buffer.timeout)

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def close(self):
        """Ends the stream from this side: the writer gets BrokenPipeError."""
        if not self.closed:
            self.buffer._reader.close()
            super().close()


def create_pair(size=ONE_MEGABYTE, timeout=None):
    """Makes a ring of that many bytes, and returns its ends: (Writeable, Readable)."""
    buffer = SharedBuffer(size, timeout)
    return Writeable(buffer), Readable(buffer)
