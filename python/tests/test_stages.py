# SPDX-License-Identifier: MIT
# labels: long
"""Stages: results, order, batches, groups, retries, ends, failures, threads, exit of the interpreter, fork."""

import gc
import hashlib
import itertools
import os
import queue
import subprocess
import sys
import threading
import time
import traceback
import unittest
import weakref

import leat
from common import alarm, in_thread


def stages(*functions, **options):
    made = leat.Stages()
    for function in functions:
        made.add(function, **options)
    return made


class Results(unittest.TestCase):
    def test_iterables(self):
        for n in (0, 1, 2, 1000):
            for kind in (list, tuple, iter, lambda items: (i for i in items)):
                got = stages(lambda i: i * 2, lambda i: i + 1).run(kind(range(n)))
                self.assertEqual(list(got), [i * 2 + 1 for i in range(n)])

    def test_objects_live_and_die(self):
        class Item:
            pass

        items = [Item() for _ in range(300)]
        gone = [weakref.ref(item) for item in items]
        for item in stages(lambda item: item).run(iter(items)):
            pass
        del items, item
        gc.collect()
        self.assertFalse([each for each in gone if each() is not None])

    def test_workers_and_order(self):
        def slow(i):
            time.sleep(0.0001 * (i % 5))
            return i

        made = leat.Stages().add(slow, workers=4, ordered=True)
        self.assertEqual(list(made.run(range(300))), list(range(300)))
        made = leat.Stages().add(slow, workers=4)
        self.assertEqual(sorted(made.run(range(300))), list(range(300)))
        self.assertEqual(len(made), 1)

    def test_skip_and_end(self):
        self.assertEqual(list(stages(lambda i: leat.SKIP if i % 2 else i).run(range(10))), [0, 2, 4, 6, 8])
        self.assertEqual(list(stages(lambda i: leat.END if i == 5 else i).run(itertools.count())), [0, 1, 2, 3, 4])
        self.assertEqual(list(stages(lambda i: i, lambda i: None).run(range(3))), [None] * 3)
        self.assertEqual(repr(leat.SKIP), "leat.SKIP")

    def test_flat_and_many(self):
        self.assertEqual(list(stages(range, flat=True).run([3, 0, 2])), [0, 1, 2, 0, 1])
        sizes = []

        def many(items):
            sizes.append(len(items))
            return [i + 1 for i in items] + ["batch"]

        got = [i for i in leat.Stages().add(many, many=True, batch=10).run(range(100)) if i != "batch"]
        self.assertEqual(got, list(range(1, 101)))
        self.assertEqual(sum(sizes), 100)
        self.assertLessEqual(max(sizes), 10)
        self.assertEqual(len(list(stages(lambda i: [0] * 1000, flat=True).run(range(20)))), 20_000)

    def test_groups(self):
        made = leat.Stages().group(4).add(sum)
        self.assertEqual(list(made.run(range(10))), [6, 22, 17])
        made = leat.Stages().add(lambda i: i).group(3)
        self.assertEqual(list(made.run(range(7))), [[0, 1, 2], [3, 4, 5], [6]])
        made = leat.Stages().group(1000, seconds=0.01).add(len)
        made.start()
        made.put(1)
        self.assertEqual(made.take(60), 1)
        made.stop(abort=True)

    def test_it_can_run_again(self):
        made = stages(str)
        for _ in range(3):
            self.assertEqual(list(made.run([1, 2])), ["1", "2"])

    def test_state_of_workers(self):
        calls = []
        made = leat.Stages().add(lambda item, state: (item, len(state)), workers=2, open=lambda: calls.append("open"),
                                 close=lambda: calls.append("close"), worker_open=lambda: calls.append("begin") or "abc",
                                 worker_close=lambda state: calls.append(state))
        self.assertEqual(set(made.run(range(50))), {(i, 3) for i in range(50)})
        self.assertEqual(sorted(calls), ["abc", "abc", "begin", "begin", "close", "open"])
        self.assertEqual(calls[0], "open")

    def test_control_items(self):
        seen, done = [], threading.Event()
        made = leat.Stages(control_done=lambda item, whole: (seen.append((item, whole)), done.set()))
        for name in "ab":
            made.add(lambda i: i, control=lambda item, name=name: seen.append((name, item)))
        made.start()
        made.put(1)
        made.control("mark")
        made.put(2)
        self.assertEqual([made.take(60), made.take(60)], [1, 2])
        self.assertTrue(done.wait(60))
        self.assertEqual(seen, [("a", "mark"), ("b", "mark"), ("mark", True)])
        made.stop()


class Feeding(unittest.TestCase):
    def test_put_and_take(self):
        made = stages(lambda i: -i, queue=4)
        made.start()
        self.assertEqual(made.put_many([1, 2, 3]), 3)
        made.put(4)
        self.assertEqual([made.take() for _ in range(4)], [-1, -2, -3, -4])
        with self.assertRaises(leat.WouldBlock):
            made.take(0)
        with self.assertRaises(leat.Timeout):
            made.take_many(timeout=0.01)
        made.finish()
        with self.assertRaises(leat.Ended):
            made.take()
        self.assertEqual(made.take_many(), [])
        made.wait()
        with self.assertRaises(BrokenPipeError):
            made.put(1)

    def test_a_full_queue(self):
        gate = threading.Event()
        made = leat.Stages(queue=1).add(lambda i: gate.wait(60) and i, queue=2, batch=1)
        made.start()
        with self.assertRaises(leat.Timeout) as caught:
            made.put_many(range(100), timeout=0.05)
        n = caught.exception.put
        self.assertTrue(0 < n < 10, n)
        with self.assertRaises(leat.WouldBlock):
            made.put(0, timeout=0)
        gate.set()
        made.finish()
        got = []
        while batch := made.take_many():
            got += batch
        self.assertEqual(got, list(range(n)))

    def test_an_item_goes_in_before_the_next_one_is_asked_for(self):
        results = queue.Queue()

        def items():
            yield 0
            for _ in range(20):
                yield results.get(timeout=60) + 1  # needs the result of the item before

        got = []
        for result in stages(lambda i: i).run(items()):
            got.append(result)
            results.put(result)
        self.assertEqual(got, list(range(21)))

    def test_early_close_aborts(self):
        made = stages(lambda i: i)
        results = made.run(itertools.count())
        self.assertEqual(next(results), 0)
        results.close()
        made._feeder.join(60)
        self.assertFalse(made._feeder.is_alive())

    def test_misuse(self):
        made = leat.Stages()
        with self.assertRaises(leat.Error):
            made.take()
        with self.assertRaises(TypeError):
            made.add("no function")
        with self.assertRaises(TypeError):
            made.add(str, unknown=1)
        with self.assertRaises(leat.Error) as caught:
            made.add(str, workers=0)
        self.assertIn("worker", str(caught.exception))
        with self.assertRaises(ValueError):
            made.add(str, on_error="ignore")
        with self.assertRaises(RuntimeError):
            leat._leat.Stages.__new__(leat._leat.Stages).finish()

    def test_explain_and_stats(self):
        made = stages(str)
        list(made.run(range(10)))
        self.assertIn("str", made.explain())
        self.assertEqual(made.stats(0)["done"], 10)
        with self.assertRaises(leat.Error):
            made.stats(9)


class Failing(unittest.TestCase):
    def test_the_first_exception_comes_with_its_traceback(self):
        def broken(i):
            if i == 100:
                raise LookupError(f"at {i}")
            return i

        for workers in (1, 3):
            try:
                list(leat.Stages().add(str).add(int).add(broken, workers=workers).run(itertools.count()))
                self.fail("it did not raise")
            except LookupError as error:
                self.assertEqual(str(error), "at 100")
                self.assertIn("broken", [frame.name for frame in traceback.extract_tb(error.__traceback__)])

    def test_any_exception_even_exit(self):
        for kind in (SystemExit, KeyboardInterrupt, StopIteration, GeneratorExit, BlockingIOError):
            def broken(i, kind=kind):
                raise kind("mine")

            made = stages(broken)
            made.start()
            made.put(1)
            with self.assertRaises(kind):
                made.take(60)
            with self.assertRaises(kind):
                made.put_many(range(2000))
            with self.assertRaises(kind):
                made.wait(60)

    def test_an_exception_of_the_iterable(self):
        def items():
            yield from range(10)
            raise LookupError("in the source")

        with self.assertRaisesRegex(LookupError, "in the source"):
            list(stages(str).run(items()))

    def test_hooks_that_raise(self):
        def broken(*arguments):
            raise LookupError("in a hook")

        for name in ("open", "worker_open"):
            with self.assertRaisesRegex(LookupError, "in a hook"):
                list(stages(str, **{name: broken}).run([1]))
        for options in ({"flat": True}, {"many": True}):
            with self.assertRaises(TypeError):
                list(stages(lambda item: 5, **options).run([1]))

    def test_retries(self):
        tries = {}

        def flaky(i):
            tries[i] = tries.get(i, 0) + 1
            if i % 10 == 3 and tries[i] < 3:
                raise OSError("not yet")
            return i

        self.assertEqual(list(stages(flaky, retries=2).run(range(50))), list(range(50)))
        tries.clear()
        with self.assertRaisesRegex(OSError, "not yet"):
            list(stages(flaky, retries=1).run(range(50)))

    def test_drop(self):
        dead = []

        def broken(i):
            if i % 3 == 0:
                raise ValueError(i)
            return i

        made = leat.Stages().add(broken, on_error="drop", retries=1, dead=lambda item, error: dead.append((item, error)))
        self.assertEqual(list(made.run(range(10))), [1, 2, 4, 5, 7, 8])
        self.assertEqual([(item, error.args[0]) for item, error in dead], [(0, 0), (3, 3), (6, 6), (9, 9)])
        self.assertEqual(made.stats(0)["dead"], 4)
        made = leat.Stages().group(2).add(broken, on_error="drop", dead=lambda item, error: dead.append(item))
        list(made.run(range(4)))  # a list % 3 is a TypeError
        self.assertEqual(dead[4:], [[0, 1], [2, 3]])

    def test_cancel(self):
        made = stages(str)
        made.start()
        taken = in_thread(made.take)
        time.sleep(0.02)
        made.cancel()
        with self.assertRaises(leat.Cancelled):
            taken()
        with self.assertRaises(leat.Cancelled):
            made.wait()


class Waiting(unittest.TestCase):
    def test_a_signal_ends_each_wait(self):
        made = stages(str, queue=1)
        made.start()
        for call in (made.take, made.take_many, made.wait):
            with alarm(self):
                call()
        with alarm(self):
            made.put_many(["x"] * 10_000)
        made.stop(abort=True)

    def test_a_signal_ends_a_run_whose_function_does_not_return(self):
        gate = threading.Event()
        start = time.monotonic()
        with alarm(self):
            list(stages(lambda i: gate.wait(60)).run([1]))
        self.assertLess(time.monotonic() - start, 30)
        gate.set()

    def test_stages_that_are_dropped_do_not_wait_for_a_function(self):
        gate, entered = threading.Event(), threading.Event()

        def stuck(item):
            entered.set()
            gate.wait(60)

        for drop in (lambda made: made.run([1]), lambda made: (made.start(), made.put(1))):
            made = stages(stuck)
            result = drop(made)
            entered.wait(60)
            entered.clear()
            start = time.monotonic()
            del made, result
            gc.collect()
            self.assertLess(time.monotonic() - start, 30)
        gate.set()

    def test_stages_that_are_dropped_end(self):
        made = stages(str)
        gone = weakref.ref(made)
        made.start()
        made.put(1)
        made.owner = made  # a cycle
        del made
        gc.collect()
        self.assertIsNone(gone())

    def test_the_interpreter_ends_while_stages_run(self):
        for body in ("s.start(); s.put_many(range(100))", "r = s.run(itertools.count()); next(r)", "s.start()"):
            program = f"import leat, itertools, os\ns = leat.Stages().add(str).add(int, workers=3)\n{body}\n"
            if "asan" not in os.environ.get("LD_PRELOAD", ""):  # its allocator does not expect a fork beside threads
                program += "if os.fork():\n    os.wait()\n"
            result = subprocess.run([sys.executable, "-c", program], timeout=60, capture_output=True)
            self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_fork_while_stages_run(self):
        made = stages(str)
        made.start()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                try:
                    made.stop(abort=True)
                except leat.Denied:
                    code = 0 if list(stages(int).run(["5"])) == [5] else 1
            finally:
                os._exit(code)
        made.put(1)
        self.assertEqual(made.take(60), "1")
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        made.stop(abort=True)

    def test_threads_run_at_the_same_time(self):
        barrier = threading.Barrier(3, timeout=60)
        made = leat.Stages().add(lambda i: barrier.wait() >= 0, workers=3, batch=1)
        self.assertEqual(list(made.run(range(9))), [True] * 9)

    def test_hashes(self):
        data = [os.urandom(10_000) for _ in range(50)]
        made = leat.Stages().add(hashlib.sha256, workers=2, ordered=True).add(lambda hash: hash.hexdigest())
        self.assertEqual(list(made.run(data)), [hashlib.sha256(each).hexdigest() for each in data])


if __name__ == "__main__":
    unittest.main()
