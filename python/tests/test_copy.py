# SPDX-License-Identifier: MIT
"""Copies, pipelines and reports."""

import hashlib
import os
import pathlib
import pickle
import subprocess
import sys
import threading
import time
import unittest

import leat
from common import Folder, alarm, in_thread


class Copy(Folder):
    def test_a_copy_with_digests(self):
        data = os.urandom(3_000_001)
        report = leat.copy(self.path("a", data), self.path("b"), digest="sha256,md5")
        self.assertEqual(pathlib.Path(self.path("b")).read_bytes(), data)
        self.assertEqual(report.bytes, len(data))
        self.assertEqual(report.digests, {"sha256": hashlib.sha256(data).hexdigest(), "md5": hashlib.md5(data).hexdigest()})
        self.assertGreater(report.seconds, 0)
        self.assertIn('"bytes":3000001', report.json().replace(" ", ""))
        self.assertIn("3000001 bytes", str(report))

    def test_sizes(self):
        for size in (0, 1, 4095, 4096, 4097, 1 << 20):
            data = os.urandom(size)
            target = bytearray(size)
            self.assertEqual(leat.copy(data, target).bytes, size)
            self.assertEqual(target, data)

    def test_endpoints_of_python(self):
        data = os.urandom(100_000)
        path = self.path("a", data)
        with open(path, "rb") as source, open(self.path("b"), "wb") as sink:
            leat.copy(source, sink)
        self.assertEqual(pathlib.Path(self.path("b")).read_bytes(), data)
        descriptor = os.open(path, os.O_RDONLY)
        self.addCleanup(os.close, descriptor)
        self.assertEqual(leat.digest(descriptor), hashlib.sha256(data).hexdigest())
        self.assertEqual(leat.copy(memoryview(data)[5:], "null:").bytes, len(data) - 5)

    def test_a_path_object_is_a_file_whatever_its_name(self):
        name = pathlib.Path(self.folder, "zero:")
        name.write_bytes(b"in a file")
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        self.assertEqual(leat.copy(pathlib.Path("zero:"), "null:").bytes, 9)

    def test_a_name_that_is_no_utf8(self):
        path = os.fsdecode(os.fsencode(self.folder) + b"/\xff\xfe")
        pathlib.Path(path).write_bytes(b"x")
        self.assertEqual(leat.copy(path, "null:").bytes, 1)
        with self.assertRaises(FileNotFoundError) as caught:
            leat.copy(path + "no", "null:")
        self.assertEqual(os.fsencode(caught.exception.node), os.fsencode(path + "no"))

    def test_a_buffer_is_free_after_the_copy(self):
        target = bytearray(5)
        leat.copy(b"hello", target)
        target.extend(b"more")  # a buffer that is exported refuses this

    def test_failures(self):
        with self.assertRaises(leat.NotFound) as caught:
            leat.copy(self.path("none"), self.path("b"))
        self.assertIsInstance(caught.exception, FileNotFoundError)
        self.assertEqual(caught.exception.node, self.path("none"))
        self.assertIn(self.path("none"), str(caught.exception))
        with self.assertRaises(leat.Error) as caught:
            leat.copy(b"hello", bytearray(4))
        self.assertEqual(caught.exception.errno, 28)  # ENOSPC
        self.assertEqual(caught.exception.side, "sink")
        self.assertEqual(caught.exception.report.bytes, 4)
        for wrong in (object(), 1.5, None):
            with self.assertRaises(TypeError):
                leat.copy(b"", wrong)
        with self.assertRaises(TypeError):
            leat.copy(b"", "null:", unknown=1)
        with self.assertRaises(ValueError):
            leat.copy(b"", "null:", mode="sideways")
        with self.assertRaises(ValueError):
            leat.copy(b"", "null:", rate="fast")

    def test_a_mismatch_publishes_nothing(self):
        target = self.path("b", b"old")
        with self.assertRaises(leat.Mismatch):
            leat.copy(b"new", target, expect="sha256:" + "0" * 64)
        self.assertEqual(pathlib.Path(target).read_bytes(), b"old")

    def test_an_error_can_be_pickled(self):
        with self.assertRaises(leat.Error) as caught:
            leat.copy(b"hello", bytearray(4))
        error = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual((error.errno, error.side, str(error)), (28, "sink", str(caught.exception)))

    def test_options_of_one_endpoint(self):
        target = self.path("b", b"old ")
        leat.copy(b"new", leat.Sink(target, mode="append"))
        self.assertEqual(pathlib.Path(target).read_bytes(), b"old new")
        with self.assertRaises(FileExistsError):
            leat.copy(b"new", target, no_clobber=True)

    def test_a_part(self):
        target = bytearray(3)
        leat.copy(b"0123456789", target, offset=4, length="3")
        self.assertEqual(target, b"456")


class Pipeline(Folder):
    def test_text(self):
        source, target = self.path("a", b"x" * 100_000), self.path("b")
        leat.run(f"{source} | zstd | {target}")
        self.assertLess(os.path.getsize(target), 1000)
        report = leat.Pipeline.parse(f"{target} | unzstd | digest:sha256 | null:").run()
        self.assertEqual(report.digests["sha256"], hashlib.sha256(b"x" * 100_000).hexdigest())
        with self.assertRaises(leat.Error) as caught:
            leat.run("null: | nothing | null:")
        self.assertEqual(caught.exception.offset, 8)

    def test_several_sinks(self):
        one, two = bytearray(3), bytearray(3)
        leat.Pipeline(b"abc", sinks=[one, two]).run()
        self.assertEqual((one, two), (b"abc", b"abc"))

    def test_it_runs_once(self):
        pipeline = leat.Pipeline(b"", sinks=["null:"])
        pipeline.run()
        with self.assertRaises(leat.Error):
            pipeline.run()

    def test_start_and_wait(self):
        reader, writer = os.pipe()
        pipeline = leat.Pipeline(reader, sinks=["null:"])
        pipeline.start()
        self.assertIsNone(pipeline.wait(0))
        self.assertIsNone(pipeline.wait(0.01))
        os.write(writer, b"abc")
        os.close(writer)
        self.assertEqual(pipeline.wait(60).bytes, 3)
        os.close(reader)

    def test_cancel_from_another_thread(self):
        pipeline = leat.Pipeline("zero:", sinks=["null:"], rate="1M", length="1T")
        threading.Timer(0.05, pipeline.cancel).start()
        with self.assertRaises(leat.Cancelled):
            pipeline.run()

    def test_one_thread_waits(self):
        reader, writer = os.pipe()
        pipeline = leat.Pipeline(reader, sinks=["null:"])
        pipeline.start()
        waited = in_thread(pipeline.wait)
        time.sleep(0.05)
        with self.assertRaisesRegex(RuntimeError, "another thread"):
            pipeline.wait()
        os.close(writer)
        self.assertEqual(waited().bytes, 0)
        os.close(reader)

    def test_the_interpreter_ends_while_a_pipeline_runs(self):
        program = ("import leat, os\np = leat.Pipeline('zero:', leat.filters.observe(len), sinks=['null:'], length='1T')\n"
                   "p.start()\n"
                   "if os.fork():\n    os.wait()\n")
        result = subprocess.run([sys.executable, "-c", program], timeout=60, capture_output=True)
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_progress(self):
        seen = []
        leat.copy("zero:", "null:", length=1000, progress=seen.append)
        self.assertEqual(seen[-1].bytes, 1000)

    def test_progress_that_raises_cancels(self):
        def fail(progress):
            raise KeyError("enough")

        with self.assertRaises(KeyError):
            leat.copy("zero:", "null:", rate="1M", length="1T", progress=fail, interval=0.01)

    def test_a_signal_ends_the_wait(self):
        waits = []
        for _ in range(5):
            start = time.monotonic()
            with alarm(self, 0.05):
                leat.copy("zero:", "null:", rate="1M", length="1T")
            waits.append(time.monotonic() - start - 0.05)
        self.assertLess(min(waits), 0.1)  # the least, because the machine may be busy

    def test_explain_changes_nothing(self):
        pipeline = leat.Pipeline(b"abc", sinks=[self.path("b")])
        self.assertIn("sink", pipeline.explain())
        self.assertTrue(pipeline.explain(json=True).startswith("{"))
        self.assertFalse(os.path.exists(self.path("b")))
        with self.assertRaises(leat.Error):
            leat.Pipeline(b"abc").explain()

    def test_the_lock_is_released(self):
        counted = []

        def count():
            counted.append(0)

        timer = threading.Timer(0.05, count)
        timer.start()
        pipeline = leat.Pipeline("zero:", sinks=["null:"], rate="1M", length="150K")
        pipeline.run()
        timer.join()
        self.assertEqual(counted, [0])


if __name__ == "__main__":
    unittest.main()
