# SPDX-License-Identifier: MIT
"""Steps of a pipeline: classes, functions and iterators."""

import abc
import collections
import logging

logger = logging.getLogger(__name__)

SiblingInfo = collections.namedtuple("SiblingInfo", ["index", "storage", "threads"])


class SkipEntry(Exception):
    """A step raises it to drop its entry."""


class AbstractStep(abc.ABC):
    """One worker of a step. A subclass has process(entry), which returns the result, and may have the other methods.

    `sibling` has the index of the worker, a dict that all workers of the step share, and the list of these workers. `options`
    has the keyword arguments of the pipeline that it does not know itself.
    """

    def __init__(self, sibling, max_retries=10, tracker=None, dropped=None, **options):
        self.sibling = sibling
        self.options = options
        self._max_retries = max_retries
        self._tracker = tracker
        self._dropped = dropped
        self._again = collections.deque()

    def step_initialize(self):
        """Called once, on the first worker, before initialize()."""

    def initialize(self):
        """Called on each worker before the start, with the options of the step."""

    def thread_initialize(self):
        """Called on the thread of each worker, at its start."""

    def thread_shutdown(self):
        """Called on the thread of each worker, at its end."""

    def step_shutdown(self):
        """Called once, on the first worker, behind all threads."""

    def process_meta(self, entry):
        """Called with each meta entry, which goes on as what it returns."""
        return entry

    @abc.abstractmethod
    def process(self, entry):
        """Makes a result of an entry."""

    def reenqueue(self, entry):
        """Puts an entry into this step once more."""
        self._again.append(entry)

    def _work(self, entries):
        """The results of some entries, in their order."""
        results, process, again = [], self._process, self._again
        for entry in entries:
            try:
                results.append(process(entry))
            except SkipEntry:
                pass
            except Exception as error:
                self._retry(entry, error, results)
            while again:
                results.extend(self._work([again.popleft()]))
        return results

    @property
    def _process(self):
        return self.process if self._tracker is None else self._process_tracked

    def _process_tracked(self, entry):
        self._track("before_process")
        result = self.process(entry)
        self._track("after_process")
        return result

    def _track(self, method):
        try:
            getattr(self._tracker, method)(self)
        except Exception:
            logger.error("the tracker has failed", exc_info=True)

    def _retry(self, entry, error, results):
        """Tries an entry again that has failed, and drops it at last. Without retries, the failure is that of the run."""
        if not self._max_retries:
            raise error
        for attempt in range(self._max_retries):
            logger.error("an entry has failed, retry %d of %d", attempt + 1, self._max_retries, exc_info=error)
            try:
                results.append(self._process(entry))
                return
            except SkipEntry:
                return
            except Exception as once_more:
                error = once_more
        logger.error("an entry was dropped", exc_info=error)
        if self._dropped:
            self._dropped(entry, error)


class TimedChunk(AbstractStep):
    """Gathers entries into lists: of `size` entries, or of fewer when the first one is `timeout` seconds old."""

    def initialize(self, timeout=5, size=64):
        self.timeout = timeout
        self.size = size

    def process(self, entry):
        return entry


class AbstractIterStep(AbstractStep):
    """A step whose process() makes an iterator of results of an iterator of entries. Each worker has its own."""


def funcstep(func, base=AbstractStep):
    """Makes a step of a function."""
    name = getattr(func, "__name__", type(func).__name__)
    return type(name, (base,), {"process": staticmethod(func)})


def iterstep(func, base=AbstractIterStep):
    """Makes a step of a function that makes an iterator of an iterator."""
    return funcstep(func, base)


def is_step(step):
    """Whether something is a class of steps."""
    return isinstance(step, type) and issubclass(step, AbstractStep)
