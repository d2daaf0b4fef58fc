#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""native.py [--pairs N] [ROW...]: the Python package beside what the standard library has for the same work.

Each measurement is a process of its own. Those of the two are taken in turn, and what counts is the median of the ratios of
neighbours, so that other work on the machine slows both down. "time" is the time that passed; "processor" is the time that all
threads and children used, which other work on the machine hardly changes.
"""

import hashlib
import multiprocessing
import os
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading

import leat
import pairs

KIB, MIB = 1 << 10, 1 << 20
ROWS = {}


def row(unit):
    """A function that does some work with leat, or else with the standard library, and returns how much, in the unit."""

    def add(function):
        ROWS[function.__name__.replace("_", "-")] = (function, unit)
        return function

    return add


def together(write, read):
    thread = threading.Thread(target=write)
    thread.start()
    read()
    thread.join()


@row("M messages")
def messages_in_a_process(ours, count=200_000):
    if ours:
        sender, receiver = leat.channel()
        send, receive = sender.send, receiver.recv
    else:
        receiver, sender = multiprocessing.Pipe(False)
        send, receive = sender.send_bytes, receiver.recv_bytes
    message = bytes(32)
    for _ in range(count):
        send(message)
        receive()
    return count / 1e6


def send_all(sender, count, batch):
    message = bytes(32)
    if batch:
        for _ in range(count // batch):
            sender.send_many([message] * batch)
    else:
        send = sender.send if isinstance(sender, leat.Channel) else sender.send_bytes
        for _ in range(count):
            send(message)
    sender.close()


def between_processes(ours, count, batch=0):
    if ours:
        sender, receiver = leat.channel(ring_bytes=MIB)
    else:
        receiver, sender = multiprocessing.Pipe(False)
    child = multiprocessing.get_context("fork").Process(target=send_all, args=(sender, count, batch if ours else 0))
    child.start()
    sender.close()
    got = 0
    if ours and batch:
        while got < count:
            got += len(receiver.recv_many())
    else:
        receive = receiver.recv if ours else receiver.recv_bytes
        while got < count:
            receive()
            got += 1
    child.join()
    return count / 1e6


@row("M messages")
def messages_between_processes(ours, count=300_000):
    return between_processes(ours, count)


@row("M messages")
def batches_between_processes(ours, count=600_000):
    return between_processes(ours, count, 200)


@row("K items")
def four_steps(ours, count=100_000):
    if ours:
        made = leat.Stages()
        for _ in range(4):
            made.add(lambda item: item)
        got = sum(1 for _ in made.run(range(count)))
    else:
        queues = [queue.Queue(512) for _ in range(5)]

        def step(before, behind):
            while (item := before.get()) is not None:
                behind.put(item)
            behind.put(None)

        def feed():
            for i in range(count):
                queues[0].put(i)
            queues[0].put(None)

        threads = [threading.Thread(target=step, args=queues[i:i + 2]) for i in range(4)] + [threading.Thread(target=feed)]
        for thread in threads:
            thread.start()
        got = 0
        while queues[4].get() is not None:
            got += 1
    assert got == count
    return count / 1e3


@row("GB")
def blocks_between_threads(ours, size=2 << 30, block=64 * KIB):
    data, room = bytes(block), bytearray(block)
    if ours:
        writer, reader = leat.pipe(memory_limit=MIB)
    else:
        reader, writer = (os.fdopen(fd, mode, 0) for fd, mode in zip(os.pipe(), ("rb", "wb")))

    def write():
        with writer:
            for _ in range(size // block):
                writer.write(data)

    def read():
        while reader.readinto(room):
            pass

    together(write, read)
    return size / 1e9


@row("M lines")
def lines_between_threads(ours, count=3_000_000):
    data = b"%099d\n" % 7 * 640
    if ours:
        writer, reader = leat.pipe(memory_limit=MIB)
    else:
        reader, writer = (os.fdopen(fd, mode) for fd, mode in zip(os.pipe(), ("rb", "wb")))

    def write():
        with writer:
            for _ in range(count // 640):
                writer.write(data)

    got = [0]

    def read():
        got[0] = sum(1 for _ in reader)

    together(write, read)
    assert got[0] == count // 640 * 640
    return got[0] / 1e6


@row("M lines")
def lines_of_a_stream(ours, count=3_000_000):
    data, feed, got = b"%099d\n" % 7 * 1000, 16 * KIB, 0
    at = 0
    if ours:
        stream = leat.Stream()
    else:
        buffer = bytearray()
    while got < count:
        piece = data[at:at + feed]
        at = (at + feed) % len(data)
        if ours:
            stream.append(piece)
            while lines := stream.take_lines():
                got += len(lines)
        else:
            buffer += piece
            start = 0
            while (end := buffer.find(b"\n", start)) >= 0:
                bytes(buffer[start:end])
                start = end + 1
                got += 1
            del buffer[:start]
    return got / 1e6


@row("GB")
def copy_with_sha256(ours, size=512 * MIB):
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "a"), os.path.join(folder, "b")
        with open(source, "wb") as file:
            for _ in range(size // MIB):
                file.write(bytes(MIB))
        if ours:
            leat.copy(source, target, digest="sha256")
        else:
            shutil.copyfile(source, target)
            digest = hashlib.sha256()
            with open(target, "rb") as file:
                while piece := file.read(MIB):
                    digest.update(piece)
    return size / 1e9


@row("K copies")
def copies_of_4K(ours, count=2000):
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "a"), os.path.join(folder, "b")
        with open(source, "wb") as file:
            file.write(bytes(4 * KIB))
        for _ in range(count):
            leat.copy(source, target) if ours else shutil.copyfile(source, target)
    return count / 1e3


def measure_here(name, whose):
    function, _ = ROWS[name]
    pairs.print_figures(function, whose == "leat")


def measure(name, whose):
    output = subprocess.run([sys.executable, __file__, "--one", name, whose], check=True, stdout=subprocess.PIPE).stdout
    return [float(word) for word in output.split()]


def compare(name, count):
    figures = {"leat": [], "standard": []}
    for number in range(count):
        for whose in sorted(figures, reverse=bool(number % 2)):
            figures[whose].append(measure(name, whose))
    text = f"{name:28} {ROWS[name][1]:11}"
    for kind in (0, 1):
        ours, theirs = ([each[kind] for each in figures[whose]] for whose in ("leat", "standard"))
        ratios = sorted(mine / other for mine, other in zip(ours, theirs))
        text += (f" {statistics.median(ours):9.2f} {statistics.median(theirs):9.2f} {statistics.median(ratios):6.2f} x"
                 f" ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    return text


HEAD = f"{'row':28} {'':11} {'per second: leat, standard, ratio':44} per second of processor time"
pairs.main(__doc__, HEAD, ROWS, measure_here, compare)
