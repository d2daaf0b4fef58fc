# SPDX-License-Identifier: MIT
"""The interface of queuepipeio: pipes between threads, with filters, which `|` connects.

A byte can be read as soon as it is written. A filter that fails hands its exception on to the reader, and the writer gets
BrokenPipeError. The memory limit of a writer holds for everything up to the reader: half of it is for the bytes in front of
the first filter, and the rest for that filter and what is behind it.
"""

import abc
import hashlib
import io
import queue
import threading

from .._errors import Timeout
from ..filters import observe
from .._pipe import pipe

MB = 1024 * 1024

_UNLIMITED = (1 << 64) - 1
_CHUNK = MB  # of a pipe, at most; objects up to this size go through it without a copy


class WriteTimeout(TimeoutError, queue.Full):
    """A write took longer than write_timeout. `characters_written` bytes of it are in the pipe."""


class _Unconnected:
    """Stands for the pipe of an end that has none."""

    def _refuse(self, *args):
        raise RuntimeError("this end is not connected: use `writer | reader`")

    _lend = _borrow = read = read1 = readinto1 = readline = fail = _refuse

    def close(self, timeout=None):
        pass

    abort = close


_unconnected = _Unconnected()


class PipeBase(abc.ABC):
    """What writers, readers and filters have."""

    @abc.abstractmethod
    def close(self):
        """Closes this part."""

    @abc.abstractmethod
    def __or__(self, other):
        """Connects this part with the one on the right, and returns that one."""


class PipeWriter(PipeBase, io.RawIOBase):
    """The writing end. memory_limit is the most bytes on the way to the reader; None: no limit."""

    def __init__(self, memory_limit=None, chunk_size=8 * MB, show_progress=False, write_timeout=None):
        super().__init__()
        if chunk_size <= 0:
            raise ValueError("chunk_size is at least one byte")
        if memory_limit is not None and memory_limit <= 0:
            raise ValueError("memory_limit is None, or at least one byte")
        self._memory_limit = memory_limit
        self._chunk_size = chunk_size
        self._write_timeout = write_timeout
        self._pipe = _unconnected
        self.show_progress = show_progress
        self.progress_bar = None

    def connect(self, reader):
        """Makes the pipe between this end and a reader."""
        self._open(reader, self._memory_limit)

    def _open(self, reader, limit, filters=()):
        if self._pipe is not _unconnected:
            raise RuntimeError("the writer is connected already")
        if not isinstance(reader, PipeReader):
            raise TypeError("a writer is connected with a PipeReader")
        if reader._pipe is not _unconnected:
            raise RuntimeError("the reader is connected already")
        limit = _UNLIMITED if limit is None else max(1, limit)
        chunk = min(_CHUNK, self._chunk_size, limit)
        self._pipe, reader._pipe = pipe(memory_limit=limit, chunk_size=chunk, backend="queue", filters=filters)
        if self.show_progress and self._memory_limit:
            from tqdm import tqdm

            self.progress_bar = tqdm(total=self._memory_limit, unit="B", unit_scale=True, unit_divisor=1024, position=1)

    def write(self, b):
        """Writes all bytes, and returns their number. Waits while the pipe is full."""
        try:
            n = self._pipe._lend(b, self._write_timeout)
        except Timeout as error:
            late = WriteTimeout("the pipe is full")
            late.characters_written = error.characters_written
            raise late from None
        if self.progress_bar:
            self.progress_bar.n = self._pipe.stats()["unread"]
            self.progress_bar.refresh()
        return n

    def flush(self):
        """Does nothing, because the reader can read each byte at once."""
        if self.closed:
            raise ValueError("the writer is closed")

    def fail(self, exception):
        """Ends the stream with an exception, which the reader raises behind the last byte."""
        self._pipe.fail(exception)
        self.close()

    def close(self):
        """Ends the stream."""
        if self.closed:
            return
        try:
            self._pipe.close(self._write_timeout)
        except BrokenPipeError:
            self._pipe.abort()  # there is no reader that could get the end
        io.RawIOBase.close(self)
        if self.progress_bar:
            self.progress_bar.close()

    def __exit__(self, kind, exception, trace):
        if exception is not None and not self.closed:
            self.fail(exception)
        self.close()

    def writable(self):
        return not self.closed

    def __or__(self, other):
        if isinstance(other, PipeReader):
            self.connect(other)
        elif isinstance(other, PipeFilter):
            other._follow(self)
        else:
            raise TypeError(f"a writer can't be connected with {type(other)}")
        return other


class PipeReader(PipeBase, io.RawIOBase):
    """The reading end. It iterates over lines."""

    def __init__(self):
        super().__init__()
        self._pipe = _unconnected
        self._turn = threading.Lock()  # a read that gets an object of the writer is for one thread at a time

    def read(self, n=-1):
        """Reads n bytes, or fewer at the end; all if n is negative."""
        with self._turn:
            return self._pipe._borrow(n)

    def readinto(self, b):
        with self._turn:
            return self._pipe.readinto1(b)

    def readline(self, size=-1):
        with self._turn:
            return self._pipe.readline(size)

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def close(self):
        """Closes this end. The writer gets BrokenPipeError."""
        if not self.closed:
            self._pipe.close()
            io.RawIOBase.close(self)

    def readable(self):
        return not self.closed

    def _give(self, other):
        """Another reader, which has no pipe yet, goes on with the pipe of this one."""
        if other._pipe is not _unconnected:
            raise RuntimeError("the reader is connected already")
        other._pipe, self._pipe = self._pipe, _unconnected

    def __or__(self, other):
        if isinstance(other, PipeWriter):
            between = CopyFilter()
            self._give(between.input)
            between.output = other
            between.start()
        elif isinstance(other, PipeFilter):
            self._give(other.input)
            other.start()
        else:
            raise TypeError(f"a reader can't be connected with {type(other)}")
        return other


class PipeFilter(PipeBase):
    """Reads bytes, and writes what process() makes of them, on a thread of its own."""

    _chunk_size = 8 * MB  # the most bytes of a call of process()

    def __init__(self, chunk_size=None):
        super().__init__()
        self._chunk_size = chunk_size or self._chunk_size
        self.input = PipeReader()
        self._output = None
        self._attached = threading.Event()
        self._budget = None  # of all that is behind process(), in bytes
        self._share = self._chunk_size  # the most bytes of a call, so that the limit holds
        self._thread = None
        self._closed = False

    @abc.abstractmethod
    def process(self, data):
        """Makes other bytes of some bytes. None or b'' is no output."""

    @property
    def output(self):
        """The writer behind the filter. The filter waits until there is one."""
        return self._output

    @output.setter
    def output(self, writer):
        self._output = writer
        if writer is not None:
            self._attached.set()

    def _follow(self, writer):
        """Connects a writer with the input."""
        writer._open(self.input, self._divide(writer._memory_limit))
        self.start()

    def _divide(self, limit):
        """Divides a limit between what is in front of process(), the call itself, and what is behind it."""
        if limit is None:
            return None
        self._budget, self._share = max(1, limit // 4), min(self._share, max(1, limit // 8))
        return limit // 2

    def start(self):
        """Starts the thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def _run(self):
        self._attached.wait()
        try:
            self._move(self.input._pipe, self._share)
        except BaseException as error:
            self._fail(error)
        finally:
            self.input.close()

    def _move(self, source, size):
        process, write = self.process, self._output.write
        while not self._closed:
            data = source.read1(size)
            if not data:
                self._output.close()
                break
            data = process(data)
            if data:
                write(data)

    def _fail(self, error):
        """What reads the output gets the exception, unless it is the one that has closed."""
        try:
            self._output.fail(error)
        except (BrokenPipeError, ValueError):
            pass

    def close(self):
        """Stops the filter. If its input has not ended, the reader behind it gets an error and not the end."""
        self._closed = True
        self.input.close()
        if self._output is None:
            self.output = PipeWriter()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join()
        self._output._pipe.abort()

    def __or__(self, other):
        if isinstance(other, PipeWriter):
            if other._memory_limit is None:
                other._memory_limit = self._budget
            self.output = other
        elif isinstance(other, (PipeReader, PipeFilter)):
            output = self._output or PipeWriter(self._budget)
            output | other
            self.output = output
        else:
            raise TypeError(f"a filter can't be connected with {type(other)}")
        return other


class _Transparent(PipeFilter):
    """A filter that does not change the bytes. Between a writer and a reader it needs no thread and no copy."""

    _inside = False  # the filter works inside the pipe that its input has

    def _watch(self):
        """The filters of leat that do in the pipe what process() does."""
        return ()

    def _follow(self, writer):
        if type(self).process not in (CopyFilter.process, HashingFilter.process):
            super()._follow(writer)
            return
        writer._open(self.input, self._divide(writer._memory_limit), self._watch())
        self._inside = True
        self.process = lambda data: data

    def __or__(self, other):
        if self._inside and self._output is None and isinstance(other, PipeReader):
            self.input._give(other)
            return other
        if self._inside and self._output is None and isinstance(other, PipeFilter):
            other._budget, other._share = self._budget, min(other._share, self._share)
            return self.input | other
        super().__or__(other)
        if self._inside:
            self.start()
        return other


class CopyFilter(_Transparent):
    """Lets the bytes pass."""

    def process(self, data):
        return data


class HashingFilter(_Transparent):
    """Takes a digest of the bytes that pass, by an algorithm of hashlib."""

    def __init__(self, algorithm="sha256", chunk_size=8 * MB):
        super().__init__(chunk_size)
        self._algorithm = algorithm
        self._lock = threading.Lock()
        self.reset_hash()

    def _watch(self):
        return [observe(self.process)]

    def process(self, data):
        with self._lock:
            self._hasher.update(data)
            self._bytes_hashed += len(data)
        return data

    def get_hash(self):
        """The digest of the bytes so far, in hexadecimal."""
        with self._lock:
            return self._hasher.hexdigest()

    def get_bytes_hashed(self):
        """How many bytes the digest is of."""
        with self._lock:
            return self._bytes_hashed

    def reset_hash(self):
        """Starts again from the empty input."""
        with self._lock:
            self._hasher = hashlib.new(self._algorithm)
            self._bytes_hashed = 0


class QueuePipeIO:
    """A writer and a reader that are connected, in one object. close() ends the stream; close_all() closes the reader too."""

    def __init__(self, memory_limit=None, chunk_size=8 * MB, show_progress=False):
        self.writer = PipeWriter(memory_limit, chunk_size, show_progress)
        self.reader = PipeReader()
        self.writer.connect(self.reader)
        self.write, self.read, self.close = self.writer.write, self.reader.read, self.writer.close
        self.readable, self.writable = self.reader.readable, self.writer.writable

    def close_all(self):
        self.writer.close()
        self.reader.close()

    @property
    def closed(self):
        return self.writer.closed

    def seekable(self):
        return False


QueueIO = LimitedQueueIO = LimitedQueuePipeIO = QueuePipeIO

__all__ = ["PipeWriter", "PipeReader", "PipeFilter", "HashingFilter", "CopyFilter", "QueuePipeIO", "QueueIO"]
__all__ += ["LimitedQueueIO", "LimitedQueuePipeIO"]
