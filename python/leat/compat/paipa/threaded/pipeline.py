# SPDX-License-Identifier: MIT
"""Runs entries through steps. Steps of functions are steps of leat.Stages; where a step is an iterator, its threads pull from
the stages in front of it and put into those behind it."""

import itertools
import logging
import queue
import threading
import time

from ...._errors import Error
from ...._stages import Stages
from .steps import AbstractIterStep, SiblingInfo, SkipEntry, TimedChunk, is_step

logger = logging.getLogger(__name__)

_BATCH = 64  # the most entries that an iterator takes at once
_BATCH_TIME = 0.0005  # how long it may work on them, in seconds; if it works longer, it takes one

_END = object()  # in the queue of entries: there are no more


class _Meta:
    """A meta entry on its way."""

    def __init__(self, value):
        self.value = value
        self.skipped = False


class _Part:
    """Stages, with the threads of an iterator step behind them."""

    def __init__(self, threshold, count):
        self.stages = Stages(queue=threshold, control_done=self._pass_meta)
        self.workers = []  # of the iterator step
        self.next = None  # the part behind it
        self._count = count
        self._threads = []
        self._left = 0  # threads that have not ended
        self._lock = threading.Lock()

    def _pass_meta(self, meta, arrived):
        if not arrived or meta.skipped:
            return
        if self.next:
            self.next.stages.control(meta)
        else:
            self._count(1)

    def start(self):
        self.stages.start()
        self._left = len(self.workers)
        self._threads = [threading.Thread(target=self._work, args=(worker,), daemon=True) for worker in self.workers]
        for thread in self._threads:
            thread.start()

    def _pull(self):
        """The results of the stages."""
        n = 1
        while True:
            batch = self.stages.take_many(n)
            if not batch:
                return
            begin = time.perf_counter()
            yield from batch
            n = min(_BATCH, n * 2) if time.perf_counter() - begin < _BATCH_TIME else 1

    def _work(self, worker):
        try:
            self._iterate(worker)
        except BaseException as error:
            self.next.stages._fail(error)
            self.stages._fail(error)
        with self._lock:
            self._left -= 1
            if self._left > 0:
                return
        self.stages._abort(0)  # if entries are left, nothing takes them
        self.next.stages.finish()

    def _iterate(self, worker):
        put = self.next.stages.put
        worker.thread_initialize()
        try:
            for value in worker.process(self._pull()) or ():
                put(value)
        finally:
            worker.thread_shutdown()

    def end(self):
        """Ends what still runs."""
        self.stages._leave()
        for thread in self._threads:
            thread.join()
        if self.workers:
            self.workers[0].step_shutdown()


class Pipeline:
    """Entries go through steps, each with threads of its own.

    :param steps: a list of (step, number of threads) or (step, number of threads, options of its initialize())
    :param in_queue: a queue of the caller, from which entries are taken until finish() or stop() is called
    :param daemon: the thread in the background does not hold up the end of the program
    :param quiet: logs no table of the steps at the end
    :param fail_callback: called if the run fails
    :param max_retries: how often an entry is tried again; 0: the first failure ends the run, and is raised
    :param threshold: how many entries wait in front of each step at most
    :param tracker: an object whose before_process(step) and after_process(step) are called for each entry
    :param ordered: results keep the order of the entries, however many threads a step has
    :param dropped: dropped(entry, exception) is called for an entry whose retries are used up

    All other options are `options` of the steps. As a context manager it runs in the background.
    """

    def __init__(
        self,
        steps,
        in_queue=None,
        daemon=False,
        quiet=False,
        fail_callback=lambda: None,
        threshold=64,
        ordered=False,
        dropped=lambda entry, exception: None,
        **kw,
    ):
        self.ok = True
        self.count = 0
        self.steps = steps
        self.options = kw
        self._daemon = daemon
        self._quiet = quiet
        self._fail_callback = fail_callback
        self._threshold = threshold
        self._ordered = ordered
        self._dropped = dropped
        self._in_queue = queue.SimpleQueue() if in_queue is None else in_queue
        self._iterables = []
        self._got_entries = False
        self._failed = False
        self._error = None
        self._waiting = False  # the thread that feeds the steps may wait for the queue
        self._background_thread = None
        self._lock = threading.Lock()

    # ---- entries ----

    def put(self, element):
        """Puts in an entry."""
        self._in_queue.put(element)

    def put_all(self, iterable):
        """Puts in each element of an iterable now."""
        for element in iterable:
            self._in_queue.put(element)

    def put_iterable(self, iterable):
        """Puts in each element of an iterable as the steps need it. The run ends behind the last one."""
        self._got_entries = True
        self._iterables.append(iterable)

    def put_meta(self, element):
        """Puts in an entry that visits one worker of each step, behind what was put in before."""
        self._in_queue.put(_Meta(element))

    def finish(self):
        """Ends the input."""
        self._got_entries = True
        self._in_queue.put(_END)

    def _queued(self):
        """The entries of the queue. In front of an iterable, these are the ones that were put in before the run."""
        while True:
            try:
                entry = self._in_queue.get(block=not self._iterables)
            except queue.Empty:
                return
            if entry is _END:
                return
            yield entry

    def _feed(self, stages):
        """Moves the entries to the first stages."""
        try:
            for entry in self._queued():
                if type(entry) is _Meta:
                    stages.control(entry)
                else:
                    stages.put(entry)
            self._waiting = False
            for entry in itertools.chain.from_iterable(self._iterables):
                stages.put(entry)
            stages.finish()
        except Error:
            pass  # the run has ended: whatever takes results says why
        except BaseException as error:
            stages._fail(error)
        self._waiting = False

    # ---- steps ----

    def _build(self):
        parts = [_Part(self._threshold, self._add_to_count)]
        for definition in self.steps:
            if len(definition) not in (2, 3):
                raise ValueError(f"a step is (step, threads) or (step, threads, options), not {definition!r}")
            step, threads, options = (*definition, {})[:3]
            if not is_step(step):
                raise ValueError(f"{step!r} is no step: use funcstep() or iterstep(), or a subclass of AbstractStep")
            if threads < 1:
                raise ValueError(f"{step.__name__} has {threads} threads: it needs at least one")
            workers = self._make_workers(step, threads, options)
            if issubclass(step, AbstractIterStep):
                parts[-1].workers = workers
                parts[-1].next = _Part(self._threshold, self._add_to_count)
                parts.append(parts[-1].next)
            else:
                self._add(parts[-1].stages, step, workers)
        return parts

    def _make_workers(self, step, threads, options):
        workers, storage = [], {}
        for index in range(threads):
            worker = step(sibling=SiblingInfo(index, storage, workers), dropped=self._drop, **self.options)
            if index == 0:
                worker.step_initialize()
            worker.initialize(**options)
            workers.append(worker)
        return workers

    def _add(self, stages, step, workers):
        waiting = list(workers)

        def open_worker():
            worker = waiting.pop()
            worker.thread_initialize()
            return worker

        def visit(meta):
            try:
                meta.value = meta.value if meta.skipped else workers[0].process_meta(meta.value)
            except SkipEntry:
                meta.skipped = True

        if step.process is not TimedChunk.process:
            stages.add(
                lambda entries, worker: worker._work(entries),
                many=True,
                name=step.__name__,
                workers=len(workers),
                queue=self._threshold,
                ordered=self._ordered,
                worker_open=open_worker,
                worker_close=step.thread_shutdown,
                close=workers[0].step_shutdown,
                control=visit,
            )
        if issubclass(step, TimedChunk):
            stages.group(workers[0].size, workers[0].timeout, name=step.__name__)

    def _drop(self, entry, error):
        self.ok = False
        self._dropped(entry, error)

    def _add_to_count(self, n):
        with self._lock:
            self.count += n

    # ---- running ----

    def run(self):
        """Runs all entries through the steps. Raises the first failure, when all threads have ended."""
        if not self._got_entries:
            raise ValueError("there are no entries: use put() and finish(), or put_iterable()")
        parts = self._build()
        try:
            self._run(parts)
        except BaseException:
            self.ok = False
            self._failed = True
            try:
                self._fail_callback()
            except Exception:
                logger.error("fail_callback has failed", exc_info=True)
            raise
        if not self._quiet:
            for part in parts:
                logger.debug("%s", part.stages.explain())

    def _run(self, parts):
        last = parts[-1].stages
        feeder = threading.Thread(target=self._feed, args=(parts[0].stages,), daemon=True)
        try:
            for part in parts:
                part.start()
            self._waiting = True
            feeder.start()
            for results in iter(last.take_many, []):
                self._add_to_count(len(results))
            last.wait()
        finally:
            if self._waiting:
                self._in_queue.put(_END)
            for part in parts:
                part.end()
            if feeder.ident:
                feeder.join(0.05)  # an iterable may wait for something else

    def run_forever(self, background=False):
        """Runs until finish() or stop(), here or on a thread of its own."""
        self._got_entries = True
        if not background:
            self.run()
            return
        if self._background_thread is not None:
            raise RuntimeError("the pipeline runs already")
        self._background_thread = threading.Thread(target=self._run_in_background, daemon=self._daemon)
        self._background_thread.start()

    def _run_in_background(self):
        try:
            self.run()
        except BaseException as error:
            self._error = error

    def stop(self):
        """Ends the input, and waits for the end of the run in the background. Raises its failure."""
        if self._background_thread is None:
            raise ValueError("the pipeline does not run in the background")
        if not self._failed:
            self.finish()
        self._background_thread.join()
        self._background_thread = None
        error, self._error = self._error, None
        if error:
            raise error

    @property
    def alive(self):
        """Nothing has failed."""
        return not self._failed

    def __enter__(self):
        self.run_forever(background=True)
        return self

    def __exit__(self, *exception):
        self.stop()
