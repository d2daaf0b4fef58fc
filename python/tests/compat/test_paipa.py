#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""leat.compat.paipa: items through steps of worker threads."""

import itertools
import queue
import resource
import threading
import time
import unittest

from subject import MOMENT, PATIENCE, Call, beyond, fault, load, main, within

paipa = load("paipa")
threaded = paipa.threaded
Pipeline, AbstractStep, SkipEntry, funcstep, iterstep = (
    paipa.Pipeline,
    paipa.AbstractStep,
    paipa.SkipEntry,
    paipa.funcstep,
    paipa.iterstep,
)


class Failure(Exception):
    pass


def quiet(steps, **options):
    return Pipeline(steps, quiet=True, daemon=True, **options)


def run(steps, items, **options):
    """Runs a batch through the steps and returns what came out."""
    got = []
    pipeline = quiet([*steps, (funcstep(got.append), 1)], **options)
    pipeline.put_all(items)
    pipeline.finish()
    within(pipeline.run)
    return got


class Batch(unittest.TestCase):
    def test_functions(self):
        got = run([(funcstep(lambda x: x + 1), 4), (funcstep(lambda x: x * 2), 2)], range(500))
        self.assertEqual(sorted(got), [(x + 1) * 2 for x in range(500)])

    def test_one_thread_keeps_the_order(self):
        got = run([(funcstep(lambda x: x + 1), 1), (funcstep(str), 1)], range(500))
        self.assertEqual(got, [str(x + 1) for x in range(500)])

    def test_classes(self):
        class Double(AbstractStep):
            def process(self, entry):
                return 2 * entry

        self.assertEqual(sorted(run([(Double, 3)], range(100))), [2 * x for x in range(100)])

    def test_none_is_an_item(self):
        self.assertEqual(run([(funcstep(lambda x: x), 1)], [None, 1, None]), [None, 1, None])

    def test_skip(self):
        def odd(x):
            if x % 2 == 0:
                raise SkipEntry
            return x

        self.assertEqual(run([(funcstep(odd), 1)], range(20)), list(range(1, 20, 2)))

    def test_count(self):
        pipeline = quiet([(funcstep(lambda x: x), 3)])
        pipeline.put(1)
        pipeline.put_all([2, 3])
        pipeline.finish()
        within(pipeline.run)
        self.assertEqual((pipeline.count, pipeline.ok), (3, True))

    def test_an_iterable(self):
        got = []
        pipeline = quiet([(funcstep(got.append), 2)])
        pipeline.put_iterable(x for x in range(1000))
        within(pipeline.run)
        self.assertEqual((sorted(got), pipeline.count), (list(range(1000)), 1000))

    def test_an_iterable_is_not_read_far_ahead(self):
        gate, taken = threading.Event(), []

        def slow(item):
            gate.wait(PATIENCE)

        def source():
            while not gate.is_set():
                taken.append(None)
                yield len(taken)

        pipeline = quiet([(funcstep(slow), 2)], threshold=64)
        pipeline.put_iterable(source())
        call = Call(pipeline.run)
        self.assertTrue(call.waits(5 * MOMENT))
        self.assertLess(len(taken), 1000)
        gate.set()
        call.end()

    def test_no_entries_is_an_error(self):
        self.assertRaises(ValueError, quiet([(funcstep(str), 1)]).run)

    def test_wrong_steps(self):
        for steps in ([(str, 1)], [(funcstep(str), 1, {}, 4)], [(5, 1)]):
            pipeline = quiet(steps)
            pipeline.finish()
            self.assertRaises((ValueError, TypeError), pipeline.run)

    def test_no_thread_is_left(self):
        before = threading.active_count()
        run([(funcstep(str), 4)], range(10))
        self.assertEqual(threading.active_count(), before)

    def test_hooks(self):
        calls, lock = [], threading.Lock()

        def note(what):
            with lock:
                calls.append(what)

        class Step(AbstractStep):
            def step_initialize(self):
                note("step_initialize")

            def initialize(self, name="none"):
                self.worker_name = name
                note("initialize " + name)

            def thread_initialize(self):
                self.thread = threading.get_ident()
                note("thread_initialize")

            def thread_shutdown(self):
                note("thread_shutdown")

            def step_shutdown(self):
                note("step_shutdown")

            def process(self, entry):
                assert self.worker_name == "worker" and self.thread == threading.get_ident()
                return entry

        pipeline = quiet([(Step, 3, {"name": "worker"})])
        pipeline.put_all(range(20))
        pipeline.finish()
        within(pipeline.run)
        self.assertEqual(calls[:1], ["step_initialize"])
        self.assertEqual(calls[-1:], ["step_shutdown"])
        self.assertEqual(sorted(calls)[:3], ["initialize worker"] * 3)
        self.assertEqual([calls.count(what) for what in ("thread_initialize", "thread_shutdown")], [3, 3])

    def test_options_and_siblings(self):
        seen = []

        class Step(AbstractStep):
            def process(self, entry):
                self.sibling.storage["count"] = self.sibling.storage.get("count", 0) + 1
                seen.append((self.options["colour"], self.sibling.index, len(self.sibling.threads)))
                return entry

        pipeline = quiet([(Step, 2)], colour="red")
        pipeline.put_all(range(10))
        pipeline.finish()
        within(pipeline.run)
        self.assertEqual({entry[0] for entry in seen}, {"red"})
        self.assertLessEqual({entry[1] for entry in seen}, {0, 1})
        self.assertEqual({entry[2] for entry in seen}, {2})

    def test_meta(self):
        visits = []

        class Step(AbstractStep):
            def process(self, entry):
                visits.append(entry)
                return entry

            def process_meta(self, entry):
                visits.append(("meta", entry))
                return entry

        pipeline = quiet([(Step, 1), (Step, 1)], max_retries=0)
        pipeline.put("a")
        pipeline.put_meta(1)
        pipeline.put("b")
        pipeline.finish()
        within(pipeline.run)
        self.assertEqual(pipeline.count, 3)
        self.assertEqual(sorted(map(str, visits)), sorted(map(str, ["a", ("meta", 1), "b"] * 2)))

    def test_meta_reaches_one_worker_of_a_step(self):
        visits = []

        class Step(AbstractStep):
            def process(self, entry):
                return entry

            def process_meta(self, entry):
                visits.append(entry)
                return entry

        pipeline = quiet([(Step, 3)], max_retries=0)
        for number in range(5):
            pipeline.put(number)
            pipeline.put_meta(number)
        pipeline.finish()
        within(pipeline.run)
        self.assertEqual((sorted(visits), pipeline.count), ([0, 1, 2, 3, 4], 10))

    def test_reenqueue(self):
        class Countdown(AbstractStep):
            def process(self, entry):
                if entry > 0:
                    self.reenqueue(entry - 1)
                    raise SkipEntry
                return entry

        got = []
        pipeline = quiet([(Countdown, 1), (funcstep(got.append), 1)])
        call = Call(pipeline.run_forever)
        pipeline.put(5)
        end = time.monotonic() + PATIENCE
        while not got and time.monotonic() < end:
            time.sleep(0.01)
        pipeline.finish()
        call.end()
        self.assertEqual(got, [0])

    def test_groups_by_size(self):
        got = []
        pipeline = quiet([(threaded.steps.TimedChunk, 1, {"timeout": 60, "size": 5}), (funcstep(got.append), 1)])
        pipeline.put_all(range(12))
        pipeline.finish()
        within(pipeline.run)
        self.assertEqual(got, [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11]])

    def test_groups_by_time(self):
        got = []
        steps = [(threaded.steps.TimedChunk, 1, {"timeout": 0.1, "size": 100}), (funcstep(got.append), 1)]
        pipeline = quiet(steps)
        call = Call(pipeline.run_forever)
        pipeline.put_all([1, 2])
        end = time.monotonic() + PATIENCE
        while not got and time.monotonic() < end:
            time.sleep(0.01)
        pipeline.put(3)
        pipeline.finish()
        call.end()
        self.assertEqual(got, [[1, 2], [3]])


class Errors(unittest.TestCase):
    def test_without_retries_the_first_error_is_raised(self):
        failed = []

        def fail(x):
            if x == 3:
                raise Failure(x)
            return x

        pipeline = quiet([(funcstep(fail), 1)], max_retries=0, fail_callback=lambda: failed.append(1))
        pipeline.put_all(range(10))
        pipeline.finish()
        self.assertRaises(Failure, within, pipeline.run)
        self.assertEqual((pipeline.ok, failed), (False, [1]))

    def test_with_retries_the_item_is_dropped_at_last(self):
        calls = []

        def fail(x):
            if x == 3:
                calls.append(x)
                raise Failure(x)
            return x

        pipeline = quiet([(funcstep(fail), 1)], max_retries=2)
        call = Call(pipeline.run_forever)
        pipeline.put_all(range(10))
        end = time.monotonic() + PATIENCE
        while len(calls) < 3 and time.monotonic() < end:
            time.sleep(0.01)
        pipeline.finish()
        call.end()
        self.assertEqual(pipeline.count, 9)
        self.assertGreaterEqual(len(calls), 3)

    def test_a_retry_may_succeed(self):
        calls = []

        def fail(x):
            calls.append(x)
            if len(calls) < 3:
                raise Failure(x)
            return x

        pipeline = quiet([(funcstep(fail), 1)])
        call = Call(pipeline.run_forever)
        pipeline.put(7)
        end = time.monotonic() + PATIENCE
        while len(calls) < 3 and time.monotonic() < end:
            time.sleep(0.01)
        pipeline.finish()
        call.end()
        self.assertEqual((calls, pipeline.count), ([7, 7, 7], 1))

    def test_a_source_that_fails(self):
        def source():
            yield 1
            raise Failure("source")

        pipeline = quiet([(funcstep(str), 2)])
        pipeline.put_iterable(source())
        self.assertRaises(Failure, within, pipeline.run)

    def test_the_traceback_is_that_of_the_step(self):
        def fails_here(x):
            raise Failure(x)

        pipeline = quiet([(funcstep(fails_here), 1)], max_retries=0)
        pipeline.put(1)
        pipeline.finish()
        try:
            within(pipeline.run)
        except Failure as error:
            names, trace = [], error.__traceback__
            while trace:
                names.append(trace.tb_frame.f_code.co_name)
                trace = trace.tb_next
        self.assertIn("fails_here", names)

    def test_a_tracker_sees_each_item(self):
        class Tracker:
            before = after = 0

            def before_process(self, step):
                self.before += 1

            def after_process(self, step):
                self.after += 1
                raise ValueError("a tracker that fails changes nothing")

        tracker = Tracker()
        pipeline = quiet([(funcstep(str), 1)], tracker=tracker)
        pipeline.put_all(range(10))
        pipeline.finish()
        within(pipeline.run)
        self.assertEqual((tracker.before, tracker.after, pipeline.count), (10, 10, 10))


class Background(unittest.TestCase):
    def test_a_context(self):
        got = []
        pipeline = quiet([(funcstep(got.append), 2)])
        with pipeline:
            pipeline.put_all(range(100))
        self.assertEqual(sorted(got), list(range(100)))

    def test_stop(self):
        got = []
        pipeline = quiet([(funcstep(got.append), 2)])
        self.assertRaises(ValueError, pipeline.stop)
        pipeline.run_forever(background=True)
        self.assertTrue(pipeline.alive)
        pipeline.put_all(range(100))
        within(pipeline.stop)
        self.assertEqual((sorted(got), pipeline.count, pipeline.ok), (list(range(100)), 100, True))
        self.assertRaises(ValueError, pipeline.stop)

    def test_a_queue_of_the_caller(self):
        got, items = [], queue.Queue()
        pipeline = quiet([(funcstep(got.append), 1)], in_queue=items)
        for number in range(10):
            items.put(number)
        pipeline.run_forever(background=True)
        items.put(10)
        within(pipeline.stop)
        self.assertEqual(got, list(range(11)))


class Coroutines(unittest.TestCase):
    def double(self, items):
        return (2 * item for item in items)

    def even(self, items):
        for item in items:
            if item % 4 == 0:
                yield item

    def test_a_row_of_steps(self):
        self.assertEqual(list(paipa.combine_pipeline(range(6), [self.double, [self.even, [iter]]])), [0, 4, 8])

    def test_a_source_that_is_called(self):
        pipeline = paipa.combine_pipeline(range, [self.double])
        self.assertEqual((list(pipeline(3)), list(pipeline(1, 3))), ([0, 2, 4], [2, 4]))

    def test_it_is_lazy(self):
        self.assertEqual(list(itertools.islice(paipa.combine_pipeline(itertools.count(), [self.double]), 3)), [0, 2, 4])

    def test_chunk(self):
        self.assertEqual(list(paipa.chunk(3)(range(8))), [[0, 1, 2], [3, 4, 5], [6, 7]])
        self.assertEqual(list(paipa.chunk()([])), [])
        self.assertRaises(ValueError, paipa.chunk, 0)

    def test_consume(self):
        numbers = iter(range(10))
        paipa.consume(numbers, 3)
        self.assertEqual(next(numbers), 3)
        paipa.consume(numbers)
        self.assertEqual(list(numbers), [])

    def test_helpers(self):
        self.assertEqual(list(paipa.iterables.flatten([(1, 2), [3], range(4, 6)])), [1, 2, 3, 4, 5])
        self.assertEqual(list(paipa.iterables.recursive_flatten([1, [2, ["ab", [3]]]])), [1, 2, "ab", 3])
        self.assertEqual(list(paipa.identity_step(range(3))), [0, 1, 2])

    def test_a_step_that_is_an_object(self):
        class Step(paipa.coroutines.PipelineStep):
            def process(self, iterator):
                return (item + 1 for item in iterator)

        self.assertEqual(list(paipa.combine_pipeline([1, 2], [Step(), paipa.coroutines.PipelineStep()])), [2, 3])

    def test_the_debugger_reports_each_step(self):
        class Reporter:
            info = None

            def show(self, info):
                self.info = info

        def slow(items):
            for item in items:
                time.sleep(0.001)
                yield item

        reporter = Reporter()
        debugger = paipa.PipelineRuntimeDebugger(reporters=[reporter])
        got = list(paipa.combine_pipeline(range(20), [self.even, slow], debugger=debugger))
        self.assertEqual(got, [0, 4, 8, 12, 16])
        counts = {name: resources["count"] for name, resources in reporter.info}
        times = {name: resources["runtime"] for name, resources in reporter.info}
        self.assertIn((counts["even"], counts["slow"]), ((5, 5), (6, 6)))
        self.assertGreaterEqual(times["slow"], 0.005)
        self.assertLess(times["even"], times["slow"])
        for key in ("throughput", "utime", "stime", "queries", "rss", "runtime_per_entry"):
            self.assertIn(key, reporter.info[0][1])


class Faults(unittest.TestCase):
    @fault
    def test_iterators_are_steps(self):
        def tens(items):
            for item in items:
                yield item * 10

        self.assertEqual(sorted(run([(iterstep(tens), 2)], range(100))), [10 * x for x in range(100)])

    @fault
    def test_iterators_make_many_of_one(self):
        got = run([(iterstep(paipa.chunk(10)), 1), (iterstep(paipa.iterables.flatten), 1)], range(95))
        self.assertEqual(got, list(range(95)))

    def test_an_iterator_that_fails_ends_the_run(self):
        def failing(items):
            for count, item in enumerate(items):
                if count > 100:
                    raise Failure(item)
                yield item

        pipeline = quiet([(iterstep(failing), 1), (funcstep(str), 2)], max_retries=1)
        pipeline.put_iterable(range(1000000))
        self.assertRaises(Failure, within, pipeline.run)

    @fault
    def test_a_pipeline_that_waits_sleeps(self):
        pipeline = quiet([(funcstep(str), 4), (iterstep(iter), 2)])
        pipeline.run_forever(background=True)
        pipeline.put(1)
        time.sleep(2 * MOMENT)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
        time.sleep(0.5)
        woken = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before
        within(pipeline.stop)
        self.assertLess(woken, 20)

    @fault
    def test_the_debugger_counts_entries(self):
        class Reporter:
            def show(self, info):
                self.counts = [resources["count"] for _, resources in info]

        reporter = Reporter()
        debugger = paipa.PipelineRuntimeDebugger(reporters=[reporter])
        paipa.consume(paipa.combine_pipeline(range(20), [iter, paipa.chunk(7)], debugger=debugger))
        self.assertEqual(reporter.counts, [20, 20, 20])

    @fault
    def test_a_retry_is_not_lost_behind_the_end(self):
        calls = []

        def fail(x):
            calls.append(x)
            if len(calls) < 3:
                raise Failure(x)
            return x

        self.assertEqual(run([(funcstep(fail), 1)], [7]), [7])

    @fault
    def test_ok_tells_of_items_that_were_dropped(self):
        def fail(x):
            raise Failure(x)

        pipeline = quiet([(funcstep(fail), 1)], max_retries=2)
        pipeline.put(1)
        pipeline.finish()
        within(pipeline.run)
        self.assertFalse(pipeline.ok)

    @fault
    def test_an_initialization_that_fails_ends_the_run(self):
        class Step(AbstractStep):
            def thread_initialize(self):
                raise Failure("no connection")

            def process(self, entry):
                return entry

        pipeline = quiet([(Step, 2), (funcstep(str), 1)])
        pipeline.put_iterable(range(100000))
        self.assertRaises(Failure, within, pipeline.run)

    @fault
    def test_a_worker_that_exits_ends_the_run(self):
        def leave(x):
            raise SystemExit(3)

        pipeline = quiet([(funcstep(leave), 2), (funcstep(str), 1)])
        pipeline.put_iterable(range(100000))
        self.assertRaises(SystemExit, within, pipeline.run)

    @fault
    def test_a_failure_in_the_background_reaches_stop(self):
        def fail(x):
            raise Failure(x)

        pipeline = quiet([(funcstep(fail), 1)], max_retries=0)
        pipeline.run_forever(background=True)
        pipeline.put(1)
        self.assertRaises(Failure, within, pipeline.stop)

    @fault
    def test_a_failure_in_a_context_is_raised(self):
        def fail(x):
            raise Failure(x)

        with self.assertRaises(Failure):
            with quiet([(funcstep(fail), 1)], max_retries=0) as pipeline:
                pipeline.put(1)

    @fault
    def test_no_worker_is_an_error(self):
        pipeline = quiet([(funcstep(str), 0)])
        pipeline.put(1)
        pipeline.finish()
        self.assertRaises(ValueError, within, pipeline.run)

    @fault
    def test_meta_keeps_its_place(self):
        visits = []

        class Step(AbstractStep):
            def process(self, entry):
                time.sleep(0.002)
                return entry

        class Last(AbstractStep):
            def process(self, entry):
                visits.append(entry)
                return entry

            process_meta = process

        pipeline = quiet([(Step, 4), (Last, 1)], max_retries=0)
        for number in range(0, 40, 4):
            pipeline.put_all(range(number, number + 4))
            pipeline.put_meta("after %d" % (number + 3))
        pipeline.finish()
        within(pipeline.run)
        for number in range(3, 40, 4):
            before = visits[: visits.index("after %d" % number)]
            self.assertLessEqual(set(range(number + 1)), set(before))


class Beyond(unittest.TestCase):
    @beyond
    def test_results_may_be_ordered(self):
        def slow(x):
            time.sleep(0.003 if x % 3 == 0 else 0)
            return x

        self.assertEqual(run([(funcstep(slow), 4)], range(100), ordered=True), list(range(100)))

    @beyond
    def test_a_callback_gets_what_was_dropped(self):
        dropped = []

        def fail(x):
            if x % 2:
                raise Failure(x)
            return x

        drop = lambda item, error: dropped.append((item, type(error)))
        got = run([(funcstep(fail), 1)], range(6), max_retries=1, dropped=drop)
        self.assertEqual((got, dropped), ([0, 2, 4], [(1, Failure), (3, Failure), (5, Failure)]))


if __name__ == "__main__":
    main()
