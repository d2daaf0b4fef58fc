# SPDX-License-Identifier: MIT
"""Filters, which pipelines and pipes take."""

from . import _leat

_PROVIDERS = {"auto": 0, "user": 1, "kernel": 2}


class Digest:
    """A filter that takes digests of the bytes that pass, by one or several algorithms: "sha256,md5".

    While the bytes pass, a value is that of the bytes so far.
    """

    def __init__(self, algorithms="sha256", *, provider="auto", threads=0):
        self.names = tuple(algorithms.split(","))
        self._filter = _leat.digest(algorithms, _PROVIDERS[provider], threads)

    @property
    def bytes(self):
        """How many bytes have passed."""
        return self._filter.bytes

    def hexdigest(self, algorithm=None):
        """The value in hexadecimal; of the first algorithm, if none is named."""
        return self._filter._hex(algorithm or self.names[0])

    def digest(self, algorithm=None):
        """The value as bytes."""
        return self._filter._value(algorithm or self.names[0])

    def reset(self):
        """Starts again from the empty input."""
        self._filter._reset()


class Rate:
    """A filter that limits how many bytes pass in a second; 0: no limit. `limit` may be set while the bytes pass."""

    def __init__(self, limit):
        self._filter = _leat.rate(limit)
        self._limit = limit

    @property
    def bytes(self):
        """How many bytes have passed."""
        return self._filter.bytes

    @property
    def limit(self):
        """Bytes in a second."""
        return self._limit

    @limit.setter
    def limit(self, limit):
        self._filter._set_rate(limit)
        self._limit = limit


def meter():
    """A filter that counts: its attribute `bytes`."""
    return _leat.meter()


def skip(n):
    """A filter that drops the first n bytes."""
    return _leat.skip(n)


def head(n):
    """A filter that lets n bytes pass and ends the stream behind them."""
    return _leat.head(n)


def codec(name, **options):
    """A filter that compresses or decompresses: "zstd" (level, checksum, workers), "unzstd" (windowlog), "gzip" (level, workers),
    "gunzip"."""
    return _leat.codec(name, ",".join(f"{key}={int(value)}" for key, value in options.items()) or None)


def exec(command):
    """A filter that is a child process: /bin/sh -c command. For pipelines alone."""
    return _leat.exec(command)


def buffer(size, *, start=None, stop=None, lock=False, memory=None, file=None):
    """A filter that reads ahead. For pipelines alone. start and stop are percentages, file is a folder."""
    words = [str(size)]
    for name, value in (("start", start), ("stop", stop), ("memory", memory)):
        if value is not None:
            words.append(f"{name}={value}")
    if lock:
        words.append("lock")
    if file is not None:
        words.append(f"file={file}")
    return _leat.buffer(",".join(words))


def transform(process, finish=None):
    """A filter of Python functions: process(bytes) returns other bytes, or None; finish() returns the last bytes, or None."""
    return _leat.transform(process, finish)


def observe(function):
    """A filter that calls function(bytes) with all bytes that pass, in pieces."""
    return _leat.observe(function)


def algorithms():
    """The names of the usual algorithms of digests."""
    return _leat.algorithms()


def plain(filter):
    """The object that the extension takes."""
    return getattr(filter, "_filter", filter)
