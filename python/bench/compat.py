#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compat.py [--pairs N] [ROW...]: leat.compat beside the libraries whose interfaces it has.

LEAT_COMPAT_ORIGINALS names a folder with the originals; without it only the figures of leat are printed. Each measurement is
a process of its own. Those of the two are taken in turn, and what counts is the median of the ratios of neighbours, so that
other work on the machine slows both down.
"""

import hashlib
import importlib
import io
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import threading
import time

import pairs

KIB, MIB = 1 << 10, 1 << 20
LIMIT = 60  # seconds for a measurement: some originals hang now and then
ROWS = {}


def row(library, unit, wanted):
    """A function of a module that does some work and returns how much, in the unit."""

    def add(function):
        ROWS[library + "/" + function.__name__.replace("_", "-")] = (library, function, unit, wanted)
        return function

    return add


def together(*functions):
    """Runs functions, each on a thread, and the last one here."""
    threads = [threading.Thread(target=function) for function in functions[:-1]]
    for thread in threads:
        thread.start()
    functions[-1]()
    for thread in threads:
        thread.join()


# ---- fifoio ----


@row("fifoio", "GB/s", 1)
def blocks(fifoio, size=1 << 31, block=64 * KIB):
    writer, reader = fifoio.create_pair(MIB)
    data, room = memoryview(bytes(block)), bytearray(block)

    def write():
        left = size
        while left:
            left -= writer.write(data[:left])
        writer.close()

    def read():
        while reader.readinto(room):
            pass

    together(write, read)
    return size / 1e9


def lines_between(writer, reader, count):
    line = b"%099d\n" % 7

    def write():
        for _ in range(count):
            writer.write(line)
        writer.close()

    def read():
        for _ in reader:
            pass

    together(write, read)
    return count / 1e6


@row("fifoio", "M lines/s", 1)
def lines(fifoio, count=1000000):
    writer, reader = fifoio.create_pair(MIB)
    return lines_between(io.BufferedWriter(writer), io.BufferedReader(reader), count)


@row("fifoio", "M lines/s", 1.5)
def lines_of_the_raw_end(fifoio, count=3000):
    writer, reader = fifoio.create_pair(MIB)
    return lines_between(io.BufferedWriter(writer), reader, count)


# ---- queuepipeio ----


def through(writer, reader, size, write_block, read_block):
    source, target = bytearray(write_block), bytearray(read_block)

    def write():
        for _ in range(size // write_block):
            writer.write(bytes(source))
        writer.close()

    def read():
        while True:
            data = reader.read(read_block)
            if not data:
                break
            target[: len(data)] = data

    together(write, read)
    return size / 1e9


@row("queuepipeio", "GB/s", 1)
def chunks_of_64K(queuepipeio, size=1 << 31):
    writer, reader = queuepipeio.PipeWriter(memory_limit=MIB, chunk_size=64 * KIB), queuepipeio.PipeReader()
    writer | reader
    return through(writer, reader, size, 64 * KIB, 64 * KIB)


@row("queuepipeio", "GB/s", 1)
def chunks_of_1M(queuepipeio, size=1 << 32):
    writer, reader = queuepipeio.PipeWriter(memory_limit=16 * MIB, chunk_size=MIB), queuepipeio.PipeReader()
    writer | reader
    return through(writer, reader, size, MIB, MIB)


@row("queuepipeio", "GB/s", 1)
def defaults(queuepipeio, size=1 << 28):
    writer, reader = queuepipeio.PipeWriter(), queuepipeio.PipeReader()
    writer | reader
    return through(writer, reader, size, 64 * KIB, 64 * KIB)


@row("queuepipeio", "GB/s", 1.5)
def sha256_defaults(queuepipeio, size=1 << 28):
    writer, reader = queuepipeio.PipeWriter(memory_limit=64 * MIB), queuepipeio.PipeReader()
    digest = queuepipeio.HashingFilter()
    writer | digest | reader
    size = through(writer, reader, size, 64 * KIB, 64 * KIB)
    assert digest.get_hash() == hashlib.sha256(bytes(1 << 28)).hexdigest()
    return size


@row("queuepipeio", "GB/s", 1)
def sha256_1M(queuepipeio, size=1 << 30):
    writer, reader = queuepipeio.PipeWriter(memory_limit=16 * MIB, chunk_size=MIB), queuepipeio.PipeReader()
    digest = queuepipeio.HashingFilter(chunk_size=MIB)
    writer | digest | reader
    return through(writer, reader, size, MIB, MIB)


@row("queuepipeio", "M lines/s", 1.5)
def iterated_lines(queuepipeio, count=300):
    writer, reader = queuepipeio.PipeWriter(), queuepipeio.PipeReader()
    writer | reader
    writer.write(b"%099d\n" % 7 * count)
    writer.close()
    for _ in reader:
        pass
    return count / 1e6


# ---- chunkedbuffer ----


def fed_lines(buffer, count, take):
    data = b"%099d\n" % 7 * 1000
    feed = 16 * KIB
    done = at = 0
    while done < count:
        room = memoryview(buffer.get_chunk(feed))
        n = min(len(room), feed, len(data) - at)
        room[:n] = data[at : at + n]
        del room
        buffer.chunk_written(n)
        at = (at + n) % len(data)
        while take() is not None:
            done += 1
    return done / 1e6


@row("chunkedbuffer", "M lines/s", 1.5)
def take_line(chunkedbuffer, count=2000000):
    buffer = chunkedbuffer.Buffer(minimum_chunk_size=16 * KIB)
    return fed_lines(buffer, count, buffer.takeline)


@row("chunkedbuffer", "M lines/s", 1.5)
def take_until(chunkedbuffer, count=2000000):
    buffer = chunkedbuffer.Buffer(minimum_chunk_size=16 * KIB)
    until = buffer.takeuntil
    return fed_lines(buffer, count, lambda: until(b"\n"))


@row("chunkedbuffer", "M lines/s", 1.5)
def read_until(chunkedbuffer, count=1000000):
    pipe = chunkedbuffer.Pipe()
    pipe.get_chunk, pipe.chunk_written = pipe.get_buffer, pipe.buffer_written
    until = pipe.readuntil
    return fed_lines(pipe, count, lambda: until(b"\n"))


@row("chunkedbuffer", "GB/s", 1)
def append_and_take(chunkedbuffer, size=1 << 30):
    buffer, data = chunkedbuffer.Buffer(), bytes(1500)
    for _ in range(size // 1500 // 10):
        for _ in range(10):
            buffer.append(data)
        bytes(buffer.take(15000))
    return size / 1e9


# ---- buffered_pipe ----


def send_all(pipe, message, count):
    pipe.register()
    send = pipe.send_bytes
    for _ in range(count):
        send(message)


def messages(pair, length, count):
    receiver, sender = pair
    child = multiprocessing.get_context("fork").Process(target=send_all, args=(sender, bytes(length), count))
    child.start()
    receive = receiver.recv_bytes
    for _ in range(count):
        receive()
    child.join()
    return count / 1e6


@row("buffered_pipe", "M messages/s", 3)
def static_32(buffered_pipe, count=1000000):
    return messages(buffered_pipe.Static_Pipe(32, 8192), 32, count)


@row("buffered_pipe", "M messages/s", 3)
def generic_32(buffered_pipe, count=1000000):
    return messages(buffered_pipe.Generic_Pipe(1 << 20), 32, count)


@row("buffered_pipe", "M messages/s", 1)
def static_4K(buffered_pipe, count=300000):
    return messages(buffered_pipe.Static_Pipe(4096, 256), 4096, count)


@row("buffered_pipe", "M messages/s", 1)
def generic_4K(buffered_pipe, count=300000):
    return messages(buffered_pipe.Generic_Pipe(1 << 20), 4096, count)


def echo_all(pipe, count):
    pipe.register()
    for _ in range(count):
        pipe.send_bytes(pipe.recv_bytes())


@row("buffered_pipe", "K round trips/s", 1)
def round_trip(buffered_pipe, count=30000):
    here, there = buffered_pipe.Static_Pipe(32, 16, duplex=True)
    child = multiprocessing.get_context("fork").Process(target=echo_all, args=(there, count))
    child.start()
    for _ in range(count):
        here.send_bytes(bytes(32))
        here.recv_bytes()
    child.join()
    return count / 1e3


# ---- paipa ----


def same(item):
    return item


def staged(paipa, functions, items, count, **options):
    pipeline = paipa.Pipeline([(paipa.funcstep(function), 4) for function in functions], quiet=True, **options)
    pipeline.put_iterable(items)
    pipeline.run()
    assert pipeline.count == count
    return count / 1e3


@row("paipa", "K items/s", 20)
def nothing(paipa, count=20000):
    return staged(paipa, [same], range(count), count)


@row("paipa", "K items/s", 20)
def nothing_in_three_steps(paipa, count=20000):
    return staged(paipa, [same] * 3, range(count), count)


@row("paipa", "K items/s", 1)
def nothing_with_long_queues(paipa, count=50000):
    return staged(paipa, [same], range(count), count, threshold=1024)


@row("paipa", "K items/s", 1)
def sha256_of_64K(paipa, count=5000):
    block = bytes(64 * KIB)
    return staged(paipa, [lambda item: hashlib.sha256(item).digest()], (block for _ in range(count)), count)


def passing(items):
    for item in items:
        yield item


@row("paipa", "M items/s", 1)
def coroutines(paipa, count=3000000):
    paipa.consume(paipa.combine_pipeline(range(count), [passing] * 2))
    return count / 1e6


@row("paipa", "M items/s", 1)
def coroutines_in_groups(paipa, count=2000000):
    paipa.consume(paipa.combine_pipeline(range(count), [paipa.chunk(100), paipa.iterables.flatten]))
    return count / 1e6


@row("paipa", "K items/s", 1)
def coroutines_with_the_debugger(paipa, count=50000):
    class Reporter:
        def show(self, info):
            pass

    debugger = paipa.PipelineRuntimeDebugger(reporters=[Reporter()])
    paipa.consume(paipa.combine_pipeline(range(count), [passing] * 2, debugger=debugger))
    return count / 1e3


# ---- measuring ----


def measure_here(name, whose):
    library, function, _, _ = ROWS[name]
    if whose == "original":
        sys.path.insert(0, os.environ["LEAT_COMPAT_ORIGINALS"])
        if not hasattr(threading.Thread, "isAlive"):  # paipa was written for Python before 3.9
            threading.Thread.isAlive = threading.Thread.is_alive
    module = importlib.import_module(library if whose == "original" else "leat.compat." + library)
    if name == "chunkedbuffer/read-until" and not hasattr(module, "Pipe"):
        sys.exit(77)
    pairs.print_figures(function, module)


def measure(name, whose):
    """Work in a second, and in a second of processor time. None: the original hangs, or has no such thing."""
    command = [sys.executable, __file__, "--one", name, whose]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    try:
        output, _ = child.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        print(f"{name}: {whose} does not end", file=sys.stderr)
        return None
    if child.returncode == 77:
        return None
    if child.returncode != 0:
        sys.exit(f"{name}: {whose} fails")
    return tuple(map(float, output.split()))


def compare(name, count):
    _, _, unit, wanted = ROWS[name]
    ours, theirs = [], []
    for number in range(count):
        pair = {}
        for whose in ("ours", "original") if number % 2 == 0 else ("original", "ours"):
            if whose == "ours" or "LEAT_COMPAT_ORIGINALS" in os.environ:
                pair[whose] = measure(name, whose)
        if pair.get("original") is not None:
            theirs.append(pair["original"])
            ours.append(pair["ours"])
        elif not theirs:
            ours = [pair["ours"]]
    text = f"{name:38} {median_of(ours):10.2f}"
    if not theirs:
        return f"{text} {'':>10} {unit}  (no original)"
    ratios = sorted(mine[0] / other[0] for mine, other in zip(ours, theirs))
    processor = statistics.median(mine[1] / other[1] for mine, other in zip(ours, theirs))
    middle = statistics.median(ratios)
    mark = "pass" if middle >= wanted else "short"
    spread = f"({ratios[0]:.2f} to {ratios[-1]:.2f})"
    return (
        f"{text} {median_of(theirs):10.2f} {unit:15} {middle:8.2f} x {spread:20} {processor:8.2f} x by processor time"
        f"  wanted {wanted}: {mark}"
    )


def median_of(figures):
    return statistics.median(figure[0] for figure in figures)


pairs.main(__doc__, f"{'row':38} {'leat':>10} {'original':>10}", ROWS, measure_here, compare)
