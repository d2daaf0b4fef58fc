# SPDX-License-Identifier: MIT
"""Measures the steps of a pipeline of nested iterators."""

import abc
import logging
import resource
import time

from .debug_reporter import LoggingReporter

logger = logging.getLogger(__name__)

_SHOW_EVERY = 5  # seconds
_SAMPLE_EVERY = 0.01  # seconds; processor time and memory change no more often than the system counts them


class Debugger(abc.ABC):
    """What combine_pipeline asks of a debugger."""

    @abc.abstractmethod
    def head(self, iterator):
        """Wraps the source."""

    @abc.abstractmethod
    def tail(self, iterator):
        """Wraps the whole pipeline."""

    @abc.abstractmethod
    def do_track(self, iterator):
        """Wraps each step."""

    @abc.abstractmethod
    def report(self, iterator):
        """Wraps the whole pipeline once more."""

    def track(self, iterator):
        """Wraps each step once."""
        return iterator if _name(iterator) == "do_track" else self.do_track(iterator)


def _name(thing):
    return getattr(thing, "__name__", None) or type(thing).__name__


class _Step:
    """The figures of a step: time in it and not in the steps that it pulls from."""

    def __init__(self, name):
        self.name = name
        self.count = self.queries = 0
        self.runtime = self.utime = self.stime = self.rss = 0.0

    def figures(self):
        if self.count == 0 and self.runtime == 0:
            return {}
        each = 1 / self.count if self.count else 0
        return {
            "count": self.count,
            "queries": self.queries,
            "runtime": self.runtime,
            "utime": self.utime,
            "stime": self.stime,
            "rss": self.rss,
            "queries_per_entry": self.queries * each,
            "runtime_per_entry": self.runtime * each,
            "throughput": self.count / self.runtime if self.runtime else 0,
        }


class PipelineRuntimeDebugger(Debugger):
    """Tells reporters, every five seconds and at the end, how long each step took and how many entries it gave.

    call_counter.pop() says how many queries were made since it was asked last. Processor time and memory are those of the
    process. They are looked at a hundred times a second, and count for the step that is at work then.
    """

    def __init__(self, reporters=None, call_counter=None):
        self._reporters = reporters or [LoggingReporter(logger)]
        self._call_counter = call_counter
        self._steps = []
        self._stack = []  # the steps that wait for the one that is at work, which is the last
        self._since = self._last_shown = self._last_sample = time.perf_counter()
        self._sampled = resource.getrusage(resource.RUSAGE_SELF)

    def _switch(self, now):
        """The step that was at work until now gets its time."""
        if self._stack:
            step = self._stack[-1]
            step.runtime += now - self._since
            if now - self._last_sample > _SAMPLE_EVERY:
                self._sample(step, now)
        self._since = now

    def _sample(self, step, now):
        usage, before = resource.getrusage(resource.RUSAGE_SELF), self._sampled
        step.utime += usage.ru_utime - before.ru_utime
        step.stime += usage.ru_stime - before.ru_stime
        step.rss += usage.ru_maxrss - before.ru_maxrss
        self._sampled, self._last_sample = usage, now

    def do_track(self, iterator):
        step = _Step(_name(iterator))
        self._steps.insert(0, step)
        return self._pull(step, iter(iterator))

    def _pull(self, step, iterator):
        clock, stack, switch = time.perf_counter, self._stack, self._switch
        while True:
            switch(clock())
            stack.append(step)
            try:
                entry = next(iterator)
            except StopIteration:
                return
            finally:
                switch(clock())
                stack.pop()
                if self._call_counter:
                    step.queries += self._call_counter.pop()
            step.count += len(entry) if type(entry) is list else 1
            yield entry

    def head(self, iterator):
        return iterator

    def report(self, iterator):
        return iterator

    def tail(self, iterator):
        for entry in iterator:
            self.show()
            yield entry
        self.show(force=True)

    def show(self, force=False):
        """Tells the reporters, if it is time."""
        now = time.perf_counter()
        if not force and now - self._last_shown <= _SHOW_EVERY:
            return
        self._last_shown = now
        info = [(step.name, step.figures()) for step in self._steps]
        for reporter in self._reporters:
            reporter.show(info)
