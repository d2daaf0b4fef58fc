# SPDX-License-Identifier: MIT
# timeout: 300
"""Channels: messages of all lengths, batches, ends, threads, processes that are started in each way, asyncio."""

import asyncio
import errno
import multiprocessing
import os
import signal
import socket
import time
import unittest

import leat
from common import alarm, in_thread, main_with_channels


class Messages(unittest.TestCase):
    def test_all_lengths(self):
        sender, receiver = leat.channel(ring_bytes="64K")
        for n in (0, 1, 15, 16, 17, 4095, 4096, 4097, 20_000):
            data = os.urandom(n)
            sender.send(data)
            self.assertEqual(receiver.recv(), data)
        long = os.urandom(1_000_000)  # longer than the ring
        sent = in_thread(sender.send, long)
        self.assertEqual(receiver.recv(), long)
        sent()

    def test_fixed_size(self):
        sender, receiver = leat.channel(message_size=8, count=4)
        for i in range(4):
            sender.send(i.to_bytes(8, "big"))
        with self.assertRaises(leat.WouldBlock):
            sender.send(bytes(8), timeout=0)
        with self.assertRaises(leat.Timeout):
            sender.send(bytes(8), timeout=0.01)
        with self.assertRaises(leat.Error) as caught:
            sender.send(b"short")
        self.assertEqual(caught.exception.errno, errno.EMSGSIZE)
        self.assertEqual([int.from_bytes(each, "big") for each in receiver.recv_many()], [0, 1, 2, 3])
        self.assertEqual(receiver.info()["message_size"], 8)

    def test_batches(self):
        sender, receiver = leat.channel(ring_bytes="1M")
        messages = [os.urandom(i % 700) for i in range(700)]
        self.assertEqual(sender.send_many(messages), 700)
        got = []
        while len(got) < 700:
            got += receiver.recv_many(300)
        self.assertEqual(got, messages)
        self.assertEqual(sender.send_many([]), 0)
        self.assertEqual(receiver.recv_many(0), [])
        for mix in ([b"a", b"b" * 5000, b"c"], [b"x" * 200_000, b"y"], (bytearray(b"1"), memoryview(b"2"))):
            sender.send_many(mix)
            got = []
            while len(got) < len(mix):
                got += receiver.recv_many()
            self.assertEqual(got, [bytes(each) for each in mix])
        with self.assertRaises(TypeError):
            sender.send_many([b"a", "text"])
        with self.assertRaises(leat.WouldBlock):
            receiver.recv_many(timeout=0)

    def test_a_batch_that_times_out_says_how_much_was_sent(self):
        sender, receiver = leat.channel(message_size=8, count=300)
        with self.assertRaises(leat.Timeout) as caught:
            sender.send_many([bytes(8)] * 1000, timeout=0.01)
        self.assertEqual(caught.exception.sent, 300)

    def test_recv_into(self):
        sender, receiver = leat.channel()
        sender.send(b"hello")
        with self.assertRaises(leat.Error) as caught:
            receiver.recv_into(bytearray(4))
        self.assertEqual((caught.exception.errno, caught.exception.needed), (errno.EMSGSIZE, 5))
        room = bytearray(10)
        self.assertEqual(receiver.recv_into(room), 5)
        self.assertEqual(room[:5], b"hello")
        with self.assertRaises(leat.Timeout):
            receiver.recv_into(room, timeout=0.01)
        with self.assertRaises((TypeError, BufferError)):
            receiver.recv_into(b"constant")

    def test_reserve(self):
        sender, receiver = leat.channel()
        room = sender.reserve(100)
        room[:3] = b"abc"
        with self.assertRaises(leat.Error):
            sender.send(b"x")
        part = room[:1]
        with self.assertRaises(BufferError):
            sender.publish(3)
        with self.assertRaises(BufferError):
            sender.close()
        part.release()
        sender.publish(3)
        sender.reserve(5)
        sender.abandon()
        self.assertEqual(receiver.recv_many(), [b"abc"])

    def test_duplex(self):
        one, two = leat.channel(duplex=True)
        one.send(b"there")
        two.send(b"back")
        self.assertEqual((two.recv(), one.recv()), (b"there", b"back"))

    def test_the_wrong_end(self):
        sender, receiver = leat.channel()
        for call in (lambda: receiver.send(b"x"), sender.recv):
            with self.assertRaises(leat.Error) as caught:
                call()
            self.assertEqual(caught.exception.errno, errno.EBADF)
        self.assertEqual((sender.end, receiver.end), ("sender", "receiver"))

    def test_wrong_options(self):
        with self.assertRaises(leat.Error) as caught:
            leat.Channel(message_size=8, ring_bytes=100)
        self.assertIn("ring_bytes", str(caught.exception))
        with self.assertRaises(TypeError):
            leat.Channel(size=5)
        with self.assertRaises(ValueError):
            leat.Channel(end="middle")


class Ends(unittest.TestCase):
    def test_the_end(self):
        sender, receiver = leat.channel()
        sender.send_many([b"a", b"b"])
        sender.close()
        sender.close()
        self.assertEqual(list(receiver), [b"a", b"b"])
        with self.assertRaises(leat.Ended):
            receiver.recv()
        with self.assertRaises(EOFError):
            receiver.recv_many()
        for call in (lambda: sender.send(b"x"), sender.info, sender.cancel, sender.export):
            with self.assertRaises(ValueError):
                call()

    def test_no_receiver(self):
        sender, receiver = leat.channel()
        receiver.close()
        with self.assertRaises(leat.BrokenPipe):
            sender.send(b"x")

    def test_close_and_cancel_wake_a_thread(self):
        for wake in (lambda channel: channel.close(), lambda channel: channel.cancel()):
            sender, receiver = leat.channel()
            received = [in_thread(receiver.recv), in_thread(receiver.recv_many)]
            time.sleep(0.05)
            wake(receiver)
            for each in received:
                with self.assertRaises(leat.Cancelled):
                    each()

    def test_handles(self):
        sender, receiver = leat.channel()
        second = receiver.handle("receiver")
        receiver.close()
        sender.send(b"x")
        with second:
            self.assertEqual(second.recv(), b"x")
        with self.assertRaises(leat.Error):
            leat.Channel.attach([0])
        with self.assertRaises(ValueError):
            leat.Channel.attach([0] * 6)

    def test_over_a_socket(self):
        sender = leat.Channel()
        here, there = socket.socketpair()
        with here, there:
            sender.pass_to(here)
            receiver = leat.Channel.take_from(there)
            with self.assertRaises(leat.Timeout):
                leat.Channel.take_from(there, timeout=0.01)
        sender.send(b"x")
        self.assertEqual(receiver.recv(), b"x")

    def test_a_signal_ends_the_wait(self):
        sender, receiver = leat.channel()
        for call in (receiver.recv, receiver.recv_many, lambda: next(receiver)):
            with alarm(self):
                call()
        sender.send(b"x")
        self.assertEqual(receiver.recv(), b"x")

    def test_keyboard_interrupt_comes_soon(self):
        ends = leat.channel()
        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, signal.default_int_handler))
        waits = []
        for _ in range(5):
            start = time.monotonic()
            with self.assertRaises(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                ends[1].recv()
            waits.append(time.monotonic() - start - 0.05)
        self.assertLess(min(waits), 0.1)  # the least of five, because the machine may be busy


def echo(receiver, sender):
    for message in receiver:
        sender.send(message.upper())
    sender.close()


def count_to(sender, n):
    with sender:
        for i in range(n):
            sender.send(b"%d" % i)


def die(sender):
    sender.send(b"last words")
    os.kill(os.getpid(), signal.SIGKILL)


class Processes(unittest.TestCase):
    def test_every_way_to_start(self):
        for way in ("fork", "spawn", "forkserver"):
            with self.subTest(way=way):
                there = leat.channel()
                back = leat.channel()
                context = multiprocessing.get_context(way)
                child = context.Process(target=echo, args=(there[1], back[0]))
                child.start()
                there[1].close()
                back[0].close()
                there[0].send_many([b"abc", b"x" * 100_000, b""])
                if way == "fork":
                    there[0].send(b"end")
                there[0].close()
                got = [back[1].recv(60) for _ in range(3)]
                self.assertEqual(got, [b"ABC", b"X" * 100_000, b""])
                if way == "fork":
                    # The child has a copy of every handle, so it never sees the end by itself.
                    self.assertEqual(back[1].recv(60), b"END")
                    child.terminate()
                else:
                    # It has the handles that it was given and no others: both ends come.
                    with self.assertRaises(leat.Ended):
                        back[1].recv(60)
                child.join(60)

    def test_many_senders_in_processes(self):
        context = multiprocessing.get_context("spawn")
        sender, receiver = leat.channel()
        children = [context.Process(target=count_to, args=(sender, 1000)) for _ in range(2)]
        for child in children:
            child.start()
        sender.close()
        got = sorted(int(message) for message in receiver)
        self.assertEqual(got, sorted(list(range(1000)) * 2))
        for child in children:
            child.join(60)
            self.assertEqual(child.exitcode, 0)

    def test_a_sender_that_is_killed(self):
        context = multiprocessing.get_context("spawn")
        sender, receiver = leat.channel()
        child = context.Process(target=die, args=(sender,))
        child.start()
        sender.close()
        self.assertEqual(receiver.recv(60), b"last words")
        with self.assertRaises(leat.PeerDied):
            receiver.recv(60)
        with self.assertRaises(leat.PeerDied):
            next(receiver)
        child.join(60)

    def test_pickling_elsewhere_is_refused(self):
        import pickle

        with self.assertRaises(RuntimeError):
            pickle.dumps(leat.Channel())

    def test_fork_inherits(self):
        sender, receiver = leat.channel()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                receiver.close()
                count_to(sender, 100)
                code = 0
            finally:
                os._exit(code)
        sender.close()
        self.assertEqual([int(message) for message in receiver], list(range(100)))
        self.assertEqual(os.waitpid(child, 0)[1], 0)


class Loop(unittest.TestCase):
    def test_both_ends_in_a_loop(self):
        async def main():
            sender, receiver = leat.channel(message_size=8, count=2)

            async def send():
                for i in range(100):
                    await sender.asend(i.to_bytes(8, "big"))
                sender.close()

            async def receive():
                got = []
                try:
                    while True:
                        got.append(int.from_bytes(await receiver.arecv(), "big"))
                except EOFError:
                    return got

            return (await asyncio.gather(send(), receive()))[1]

        self.assertEqual(asyncio.run(main()), list(range(100)))

    def test_two_tasks_wait_for_one_channel(self):
        async def main():
            sender, receiver = leat.channel()
            tasks = [asyncio.create_task(receiver.arecv()), asyncio.create_task(receiver.arecv_many(1))]
            await asyncio.sleep(0.01)
            sender.send_many([b"a", b"b"])
            one, two = await asyncio.wait_for(asyncio.gather(*tasks), 60)
            return {one, two[0]}

        self.assertEqual(asyncio.run(main()), {b"a", b"b"})

    def test_a_task_that_is_cancelled_loses_nothing(self):
        async def main():
            sender, receiver = leat.channel()
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(receiver.arecv(), 0.01)
            sender.send(b"a")
            return await receiver.arecv()

        self.assertEqual(asyncio.run(main()), b"a")


if __name__ == "__main__":
    main_with_channels()
