#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""leat.compat.buffered_pipe: messages between processes through shared memory."""

import gc
import multiprocessing
import os
import random
import signal
import struct
import subprocess
import sys
import time
import unittest
import zlib

from subject import MOMENT, PATIENCE, Call, beyond, fault, load, main, within

buffered_pipe = load("buffered_pipe")

METHODS = ("fork", "spawn", "forkserver")
HEAD = struct.Struct("=II")
STOP = HEAD.pack(0xFFFFFFFF, 0)


def body(sender, number, shortest, longest):
    """The message of a sender with this number. Both sides can make it."""
    chance = random.Random(sender * 1000003 + number)
    return HEAD.pack(sender, number) + chance.randbytes(chance.randint(shortest, longest) - HEAD.size)


def send_some(pipe, sender, count, lengths):
    pipe.register()
    for number in range(count):
        pipe.send_bytes(body(sender, number, *lengths))


def receive_until_stop(pipe, results):
    pipe.register()
    got = []
    while True:
        message = pipe.recv_bytes()
        if message == STOP + bytes(len(message) - len(STOP)):
            break
        got.append((*HEAD.unpack_from(message), len(message), zlib.crc32(message)))
    results.put(got)


def echo(pipe, count):
    pipe.register()
    for _ in range(count):
        pipe.send(pipe.recv())


def send_forever(pipe, message, ready):
    pipe.register()
    ready.set()
    while True:
        pipe.send_bytes(message)


class Children(unittest.TestCase):
    """A test with child processes, which are gone at its end."""

    def setUp(self):
        self.children = []
        self.addCleanup(self.end)

    def start(self, context, function, *args):
        child = context.Process(target=function, args=args, daemon=True)
        child.start()
        self.children.append(child)
        return child

    def end(self):
        for child in self.children:
            if child.is_alive():
                child.kill()
            child.join()


class Messages(unittest.TestCase):
    def test_any_length(self):
        receiver, sender = buffered_pipe.Generic_Pipe(1 << 18)
        for length in (1, 2, 63, 64, 127, 128, 1000, 4096, 65535, 65536):
            message = os.urandom(length)
            sender.send_bytes(message)
            self.assertEqual(receiver.recv_bytes(), message)

    def test_longer_than_the_ring(self):
        for ring in (2, 5, 20, 1000):
            receiver, sender = buffered_pipe.Generic_Pipe(ring)
            messages = [os.urandom(length) for length in (1, 5, 17, 300, 5000)]
            call = Call(lambda: [sender.send_bytes(message) for message in messages])
            self.assertEqual(within(lambda: [receiver.recv_bytes() for _ in messages]), messages)
            call.end()

    def test_objects(self):
        receiver, sender = buffered_pipe.Pipe(1 << 16)
        for item in (None, 1, "text", b"bytes", [1, {"a": (2, 3)}], bytes(10000)):
            sender.send(item)
            self.assertEqual(receiver.recv(), item)

    def test_one_size(self):
        receiver, sender = buffered_pipe.Static_Pipe(12, 4)
        for number in range(100):
            sender.send(b"%012d" % number)
            sender.send_bytes(b"%012d" % -number)
            self.assertEqual(receiver.recv(), b"%012d" % number)
            self.assertEqual(receiver.recv_bytes(), b"%012d" % -number)

    def test_one_slot(self):
        receiver, sender = buffered_pipe.Static_Pipe(7, 1)
        call = Call(lambda: [sender.send(b"%07d" % number) for number in range(1000)])
        self.assertEqual(within(lambda: [receiver.recv() for _ in range(1000)]), [b"%07d" % n for n in range(1000)])
        call.end()

    def test_a_full_ring_waits(self):
        receiver, sender = buffered_pipe.Static_Pipe(8, 2)
        sender.send(b"message1")
        sender.send(b"message2")
        call = Call(sender.send, b"message3")
        self.assertTrue(call.waits())
        self.assertEqual([receiver.recv() for _ in range(3)], [b"message1", b"message2", b"message3"])
        call.end()

    def test_an_empty_ring_waits(self):
        receiver, sender = buffered_pipe.Generic_Pipe(100)
        call = Call(receiver.recv)
        self.assertTrue(call.waits())
        sender.send("text")
        self.assertEqual(call.end(), "text")

    def test_duplex(self):
        for a, b in (buffered_pipe.Static_Pipe(4, 4, duplex=True), buffered_pipe.Generic_Pipe(100, duplex=True)):
            a.send(b"ping")
            self.assertEqual(b.recv(), b"ping")
            b.send_bytes(b"pong")
            self.assertEqual(a.recv_bytes(), b"pong")

    def test_a_fork_of_a_handle_is_the_same_end(self):
        receiver, sender = buffered_pipe.Generic_Pipe(1000)
        other = sender.fork()
        sender.send(1)
        del sender
        gc.collect()
        other.send(2)
        self.assertEqual([receiver.recv(), receiver.recv()], [1, 2])

    def test_a_message_need_not_be_bytes(self):
        receiver, sender = buffered_pipe.Generic_Pipe(1000)
        sender.send_bytes(bytearray(b"abc"))
        sender.send_bytes(memoryview(b"abcdef")[1:3])
        self.assertEqual([receiver.recv_bytes(), receiver.recv_bytes()], [b"abc", b"bc"])

    def test_all_parameters(self):
        receiver, sender = buffered_pipe.Generic_Pipe(2048, minimum_write=16, SMT_recv=4, SMT_send=4, polling=0.01)
        sender.send(1)
        self.assertEqual(receiver.recv(), 1)
        receiver, sender = buffered_pipe.Static_Pipe(4, 16, SMT_recv=4, SMT_send=4, polling=0.01)
        sender.send(b"1234")
        self.assertEqual(receiver.recv(), b"1234")

    def test_impossible_sizes(self):
        for args in ((0, 4), (4, 0), (-1, 4)):
            self.assertRaises((AssertionError, ValueError), buffered_pipe.Static_Pipe, *args)
        self.assertRaises((AssertionError, ValueError), buffered_pipe.Generic_Pipe, 0)


class Processes(Children):
    def transfer(self, method, pipe, senders, receivers, lengths, count=60):
        """Sends through processes of one start method and through threads, and checks every message."""
        context = multiprocessing.get_context(method)
        receiver, sender = pipe
        results = context.SimpleQueue()
        for number in range(receivers - 1):
            self.start(context, receive_until_stop, receiver, results)
        here = Call(receive_until_stop, receiver, results)
        working = []
        for number in range(senders):
            if number % 3 == 1:
                working.append(Call(send_some, sender, number, count, lengths))
            else:
                working.append(Call(self.start(context, send_some, sender, number, count, lengths).join))
        for call in working:
            call.end()
        for _ in range(receivers):
            within(sender.send_bytes, STOP + bytes(lengths[0] - len(STOP)))
        got = [within(results.get) for _ in range(receivers)]
        here.end()
        for part in got:
            for number in range(senders):
                mine = [entry[1] for entry in part if entry[0] == number]
                self.assertEqual(mine, sorted(mine), "the order of a sender")
        wanted = []
        for number in range(senders):
            for index in range(count):
                message = body(number, index, *lengths)
                wanted.append((number, index, len(message), zlib.crc32(message)))
        self.assertEqual(sorted(sum(got, [])), wanted)

    def test_one_to_one(self):
        for method in METHODS:
            self.transfer(method, buffered_pipe.Generic_Pipe(1 << 14), 1, 1, (8, 3000))
            self.transfer(method, buffered_pipe.Static_Pipe(16, 4), 1, 1, (16, 16))

    def test_many_to_one(self):
        for method in METHODS:
            self.transfer(method, buffered_pipe.Generic_Pipe(1000), 4, 1, (8, 300))
            self.transfer(method, buffered_pipe.Static_Pipe(16, 4), 4, 1, (16, 16))

    def test_one_to_many(self):
        for method in METHODS:
            self.transfer(method, buffered_pipe.Generic_Pipe(1000), 1, 3, (8, 300))
            self.transfer(method, buffered_pipe.Static_Pipe(100, 2), 1, 3, (100, 100))

    def test_many_to_many(self):
        for method in METHODS:
            self.transfer(method, buffered_pipe.Generic_Pipe(1 << 12), 4, 3, (8, 1000))
            self.transfer(method, buffered_pipe.Static_Pipe(8, 1), 4, 3, (8, 8))

    def test_messages_longer_than_the_ring(self):
        for method in METHODS:
            self.transfer(method, buffered_pipe.Generic_Pipe(5), 2, 1, (8, 200), 20)

    def test_duplex_between_processes(self):
        for method in METHODS:
            here, there = buffered_pipe.Generic_Pipe(1000, duplex=True)
            child = self.start(multiprocessing.get_context(method), echo, there, 50)
            for number in range(50):
                within(here.send, [number, "x" * number])
                self.assertEqual(within(here.recv), [number, "x" * number])
            child.join(PATIENCE)
            self.assertEqual(child.exitcode, 0)

    def test_the_handle_here_may_be_dropped(self):
        for method in METHODS:
            receiver, sender = buffered_pipe.Generic_Pipe(1000)
            child = self.start(multiprocessing.get_context(method), send_some, sender, 1, 50, (8, 100))
            self.assertEqual(within(receiver.recv_bytes), body(1, 0, 8, 100))
            del sender
            gc.collect()
            for number in range(1, 50):
                self.assertEqual(within(receiver.recv_bytes), body(1, number, 8, 100))
            child.join(PATIENCE)

    def test_nothing_is_left_behind(self):
        def segments():
            with open("/proc/sysvipc/shm", encoding="ascii") as lines:
                mine = [line for line in lines.readlines()[1:] if int(line.split()[4]) == child.pid]
            return mine

        program = (
            "import subject; m = subject.load('buffered_pipe'); p = m.Pipe(1000); q = m.Static_Pipe(4, 4);"
            "p[1].send(1); p[0].recv(); input()"
        )
        files = set(os.listdir("/dev/shm"))
        here = os.path.dirname(os.path.abspath(__file__))
        child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, cwd=here)
        child.communicate(b"\n", timeout=60)
        self.assertEqual(child.returncode, 0)
        self.assertEqual(segments(), [])
        self.assertEqual([name for name in set(os.listdir("/dev/shm")) - files if str(child.pid) in name], [])


def receive_under_signals(pipe, results):
    pipe.register()
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    results.put([pipe.recv_bytes() for _ in range(20)])
    signal.setitimer(signal.ITIMER_REAL, 0)


class Faults(Children):
    @fault
    def test_a_signal_changes_nothing(self):
        context = multiprocessing.get_context("fork")
        for receiver, sender in (buffered_pipe.Static_Pipe(4, 4), buffered_pipe.Generic_Pipe(100)):
            results = context.SimpleQueue()
            self.start(context, receive_under_signals, receiver, results)
            for number in range(20):
                time.sleep(0.012)
                sender.send_bytes(b"%04d" % number)
            self.assertEqual(within(results.get), [b"%04d" % number for number in range(20)])

    @fault
    def test_a_sender_that_is_killed_in_a_message_hangs_nobody(self):
        context = multiprocessing.get_context("fork")
        receiver, sender = buffered_pipe.Generic_Pipe(1000)
        ready = context.Event()
        child = self.start(context, send_forever, sender, b"a" * 100000, ready)
        ready.wait()
        time.sleep(MOMENT)
        child.kill()
        child.join()
        call = Call(sender.send_bytes, b"after")
        self.assertEqual(within(receiver.recv_bytes), b"after")
        call.end()

    @fault
    def test_a_receiver_notices_that_the_senders_are_dead(self):
        context = multiprocessing.get_context("fork")
        receiver, sender = buffered_pipe.Static_Pipe(4, 4)
        ready = context.Event()
        child = self.start(context, send_forever, sender, b"abcd", ready)
        ready.wait()
        self.assertEqual(within(receiver.recv), b"abcd")
        del sender
        gc.collect()
        child.kill()
        with self.assertRaises(EOFError):
            within(lambda: [receiver.recv() for _ in range(10)])

    @fault
    def test_a_sender_notices_that_the_receivers_are_gone(self):
        receiver, sender = buffered_pipe.Static_Pipe(4, 4)
        sender.send(b"1234")
        receiver.recv()
        del receiver
        gc.collect()
        with self.assertRaises(BrokenPipeError):
            within(lambda: [sender.send(b"abcd") for _ in range(10)])

    @fault
    def test_the_end_of_the_senders_is_the_end(self):
        receiver, sender = buffered_pipe.Generic_Pipe(100)
        sender.send(1)
        del sender
        gc.collect()
        self.assertEqual(within(receiver.recv), 1)
        with self.assertRaises(EOFError):
            within(receiver.recv)

    @fault
    def test_a_message_of_a_wrong_size_is_an_error(self):
        receiver, sender = buffered_pipe.Static_Pipe(8, 4)
        for message in (b"", b"1234567", b"123456789"):
            with self.assertRaises((OSError, ValueError)):
                sender.send(message)
        sender.send(b"12345678")
        self.assertEqual(receiver.recv(), b"12345678")

    @fault
    def test_the_receiver_of_a_simplex_pipe_cannot_send(self):
        receiver, sender = buffered_pipe.Generic_Pipe(1000)
        with self.assertRaises(OSError):
            receiver.send(1)

    @fault
    def test_the_sender_of_a_simplex_pipe_cannot_receive(self):
        receiver, sender = buffered_pipe.Generic_Pipe(1000)
        sender.send(1)
        with self.assertRaises(OSError):
            within(sender.recv)

    @fault
    def test_an_empty_message_is_whole(self):
        receiver, sender = buffered_pipe.Generic_Pipe(1000)
        sender.send_bytes(b"")
        self.assertEqual(receiver.recv_bytes(), b"")

    @fault
    def test_an_empty_message_passes_a_ring_that_is_full(self):
        receiver, sender = buffered_pipe.Generic_Pipe(5)
        messages = [b"", b"12345678", b"", b"1"]
        call = Call(lambda: [sender.send_bytes(message) for message in messages])
        self.assertEqual(within(lambda: [receiver.recv_bytes() for _ in messages]), messages)
        call.end()


class Beyond(unittest.TestCase):
    @beyond
    def test_a_wait_has_a_limit_and_loses_nothing(self):
        receiver, sender = buffered_pipe.Generic_Pipe(1000)
        self.assertRaises(TimeoutError, receiver.recv, timeout=MOMENT)
        self.assertRaises(BlockingIOError, receiver.recv_bytes, timeout=0)
        message = bytes(2000)
        self.assertRaises(TimeoutError, sender.send_bytes, message, timeout=MOMENT)
        call = Call(sender.send_bytes, message)
        self.assertEqual(within(receiver.recv_bytes), message)
        call.end()

    @beyond
    def test_poll(self):
        receiver, sender = buffered_pipe.Generic_Pipe(1000)
        self.assertFalse(receiver.poll())
        self.assertFalse(receiver.poll(MOMENT))
        sender.send("text")
        self.assertTrue(receiver.poll())
        self.assertEqual(receiver.recv(), "text")

    @beyond
    def test_close(self):
        receiver, sender = buffered_pipe.Generic_Pipe(1000)
        with sender:
            sender.send("text")
        self.assertTrue(sender.closed)
        self.assertRaises((OSError, ValueError), sender.send, 1)
        self.assertEqual(receiver.recv(), "text")
        self.assertRaises(EOFError, receiver.recv)

    @beyond
    def test_threads_share_a_handle(self):
        receiver, sender = buffered_pipe.Static_Pipe(4, 8)
        senders = [Call(lambda: [sender.send(b"%04d" % n) for n in range(1000)]) for _ in range(3)]
        receivers = [Call(lambda: [receiver.recv() for _ in range(750)]) for _ in range(4)]
        got = sum((call.end() for call in receivers), [])
        for call in senders:
            call.end()
        self.assertEqual(sorted(got), sorted([b"%04d" % n for n in range(1000)] * 3))


if __name__ == "__main__":
    main()
