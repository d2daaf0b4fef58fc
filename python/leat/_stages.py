# SPDX-License-Identifier: MIT
"""Stages: items go through steps of worker threads."""

import atexit
import itertools
import os
import threading
import weakref

from . import _leat
from ._wait import readable

_alive = weakref.WeakSet()
_ending = set()  # a function of their steps has not returned yet


def _reap():
    for stages in list(_ending):
        if stages._abort(0):
            _ending.discard(stages)


def _stop_all():
    """The interpreter is about to end: after that no thread of a step may ask for its lock."""
    for stages in list(_alive):
        stages._abort(None)
    _ending.clear()


atexit.register(_stop_all)
os.register_at_fork(after_in_child=_alive.clear)  # they are the parent's


class Stages(_leat.Stages):
    """Items go through steps, each with a bounded queue in front of it and worker threads of its own.

    A step's function is called with an item and returns a result, leat.SKIP (there is none), or leat.END (no more items are
    wanted). The first exception of a function ends the run, and is raised where results are taken.
    """

    def __init__(self, *, queue=0, control_done=None):
        self._count = 0
        self._feeder = None
        super().__init__(queue, control_done)
        _reap()
        _alive.add(self)

    def add(self, function, *, many=False, flat=False, **options):
        """Adds a step. Returns the stages.

        many: the function takes a list of items, and returns an iterable of any number of results.
        flat: it takes an item and returns an iterable of results.
        options: name, workers, queue, ordered, batch, retries, backoff (seconds), on_error ("fail" or "drop"),
        dead(item, exception) gets items that were dropped, open() and close() are called once for a run, worker_open() and
        worker_close(state) once for each worker; what worker_open returns is the second argument of the function.
        control(item) is called when a control item comes.
        """
        options["function"] = function
        return self._append(options, many, flat, getattr(function, "__name__", type(function).__name__))

    def group(self, count=0, seconds=None, **options):
        """Adds a step that gathers items. The next step gets lists of up to `count` items (0: 1024), at most so old."""
        return self._append({"count": count, "seconds": seconds, **options}, False, False, "group")

    def _append(self, options, many, flat, name):
        if options.get("name") is None:
            options["name"] = name
        self._add(options, many, flat)
        self._count += 1
        return self

    def __len__(self):
        return self._count

    def start(self):
        """Starts the threads. Stages that have ended may be started again."""
        if self._feeder is not None and self._feeder.is_alive():
            raise RuntimeError("the iterable of the run before has not ended")
        super().start()

    def feed(self, items):
        """Puts in the items of an iterable on a thread of its own, and ends the input behind the last one.

        Returns the thread. What the iterable raises ends the run.
        """

        def run():
            try:
                self._feed(items)
            except BrokenPipeError:
                pass  # no more items are wanted
            except BaseException as error:
                self._fail(error)

        self._feeder = threading.Thread(target=run, name="leat-feed", daemon=True)
        self._feeder.start()
        return self._feeder

    def run(self, items):
        """Runs the items of an iterable through the steps. Returns an iterator of the results.

        If the iterator is closed before its end, the run is aborted.
        """
        self.start()
        self.feed(items)
        return self._results()

    async def arun(self, items):
        """As run(), in an event loop: an asynchronous iterator. The iterable is asked on a thread."""
        self.start()
        self.feed(items)
        try:
            while True:
                try:
                    batch = self.take_many(timeout=0)
                except BlockingIOError:
                    await readable(self.poll_fd())
                    continue
                if not batch:
                    break
                for result in batch:
                    yield result
        finally:
            self._leave()

    def _results(self):
        try:
            yield from itertools.chain.from_iterable(iter(self.take_many, []))
            self.wait()
        finally:
            self._leave()

    def _leave(self):
        """Aborts the run. A function that has not returned soon is waited for later, so that Ctrl-C has an effect."""
        if not self._abort(0.05):
            _ending.add(self)
        if self._feeder is not None and self._feeder is not threading.current_thread():
            self._feeder.join(0.05)

    def __del__(self):
        # An iterator of results may be dropped before its first result. A function that does not return keeps the stages
        # alive, and not the thread that drops them.
        if self._count > 0:
            self._leave()

    def __enter__(self):
        return self

    def __exit__(self, kind, exception, trace):
        if exception is None:
            self.stop()
        else:
            self._leave()
