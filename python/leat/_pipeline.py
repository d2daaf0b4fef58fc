# SPDX-License-Identifier: MIT
"""Pipelines: sources, filters and sinks, and their runs."""

import atexit
import io
import os
import weakref

from . import _leat
from ._wait import readable
from .filters import Digest, plain


class Source:
    """A source with options of its own, for Pipeline and copy."""

    def __init__(self, what, **options):
        self.what = what
        self.options = options


class Sink(Source):
    """A sink with options of its own, for Pipeline and copy."""


def _settle(file, writing):
    """Makes the position of a file object that of its descriptor."""
    if writing and hasattr(file, "flush"):
        file.flush()
    if isinstance(file, (io.BufferedReader, io.BufferedRandom)) and file.seekable():
        at = file.tell()
        file.seek(0, io.SEEK_END)  # which forgets what was read ahead
        file.seek(at)


class Progress:
    """Counters of a run: bytes, total (None if it is not known), seconds, buffered."""

    __slots__ = ("bytes", "total", "seconds", "buffered")

    def __init__(self, numbers):
        self.bytes, self.total, self.seconds, self.buffered = numbers

    def __repr__(self):
        return f"<leat.Progress {self.bytes} of {self.total} bytes after {self.seconds:.3f} s>"


_ENDPOINT = frozenset(
    "mode sync preserve no_clobber force drop_attributes connect_timeout idle_timeout total_timeout retries streams "
    "part_size cacert cert key netrc netrc_file resume checksum".split()
)


_started = weakref.WeakSet()


def _stop_all():
    """The interpreter is about to end: after that no thread of a pipeline may ask for its lock."""
    for pipeline in list(_started):
        pipeline.cancel()
        pipeline._drain()


atexit.register(_stop_all)
os.register_at_fork(after_in_child=_started.clear)  # they are the parent's


class Pipeline(_leat.Pipeline):
    """A source, filters and sinks. It runs once.

    Options of endpoints that are given here hold for every endpoint that has none of its own (Source, Sink).
    """

    def __init__(self, source=None, *filters, sinks=(), text=None, **options):
        self._endpoints = {} if text is not None else {
            name: options.pop(name) for name in _ENDPOINT.intersection(options)}
        super().__init__(options, text)
        if options:
            raise TypeError(f"there is no option {next(iter(options))!r}")
        if source is not None:
            self.source(source)
        for each in filters:
            self.filter(each)
        for each in sinks:
            self.sink(each)

    @classmethod
    def parse(cls, text, **options):
        """Makes a pipeline of a text, such as "in | zstd:level=3 | out"."""
        return cls(text=text, **options)

    def source(self, what):
        """Sets the source. Returns the pipeline."""
        return self._add(self._source, what, Source)

    def sink(self, what):
        """Adds a sink. Returns the pipeline."""
        return self._add(self._sink, what, Sink)

    def _add(self, add, what, kind):
        options = dict(self._endpoints)
        if isinstance(what, kind):
            options.update(what.options)
            what = what.what
        if isinstance(what, io.IOBase) and not isinstance(what, (_leat.Reader, _leat.Writer)):
            _settle(what, kind is Sink)
        add(what, options)
        return self

    def filter(self, filter):
        """Adds a filter behind those that are there. Returns the pipeline."""
        self._filter(plain(filter))
        return self

    def start(self):
        """Starts the run on a thread of its own."""
        super().start()
        _started.add(self)

    def run(self, progress=None, interval=0.2):
        """Runs to the end and returns the Report.

        `progress` is called with a Progress every `interval` seconds, and once at the end. If it raises, the run is
        cancelled.
        """
        if progress is None:
            return self._run()
        self.start()
        try:
            while (report := self._wait(interval)) is None:
                progress(self.progress())
        except BaseException:
            self.cancel()
            self._drain()
            raise
        progress(self.progress())
        return report

    async def arun(self):
        """As run(), in an event loop. If the task is cancelled, so is the run."""
        self.start()
        try:
            while (report := self._wait(0)) is None:
                await readable(self.fileno())
            return report
        except BaseException:
            self.cancel()
            self._drain()
            raise

    def _drain(self):
        try:
            self._wait(None)
        except Exception:
            pass  # another exception is on its way; or the end was told before

    def wait(self, timeout=None):
        """Waits for the end of a run that start() began. Returns the Report, or None if the time is up."""
        return self._wait(timeout)

    def progress(self):
        """The counters of the run."""
        return Progress(self._progress())

    def explain(self, json=False):
        """The plan, as lines for people or as JSON. Nothing is changed."""
        return self._explain(json)


def copy(source, sink, *, digest=None, progress=None, interval=0.2, **options):
    """Copies a source to a sink, and returns the Report. The sink appears whole, or not at all.

    `digest` names digests of the bytes, such as "sha256,md5"; they are in report.digests.
    """
    pipeline = Pipeline(source, sinks=(sink,), **options)
    if digest is not None:
        pipeline.filter(Digest(digest))
    return pipeline.run(progress, interval)


def run(text, *, progress=None, interval=0.2, **options):
    """Runs a pipeline that is written as text, and returns the Report."""
    return Pipeline.parse(text, **options).run(progress, interval)


def digest(source, algorithm="sha256", **options):
    """The digest of a source, in hexadecimal."""
    return copy(source, "null:", digest=algorithm, **options).digests[algorithm]
