# SPDX-License-Identifier: MIT
"""Channels: whole messages between processes, through shared memory."""

import os
import socket
import weakref

from . import _leat
from ._wait import readable

_ENDS = {"sender": 0, "receiver": 1}
_OTHER = {"sender": "receiver", "receiver": "sender"}


class Channel(_leat.Channel):
    """A handle of one end of a channel. It iterates over messages, until every sender has left.

    It may be inherited by fork, and be an argument of a process that multiprocessing starts in any other way: that process
    gets a handle of the same end.
    """

    def __new__(cls, **options):
        return _leat.channel_open(cls, options)

    def __init__(self, **options):
        pass

    @classmethod
    def attach(cls, descriptors):
        """Makes a handle of the descriptors that export() gave, which stay the caller's."""
        return _leat.channel_attach(cls, descriptors)

    @classmethod
    def take_from(cls, sock, timeout=None):
        """Makes a handle of what pass_to() has sent over a Unix socket."""
        return _leat.channel_attach_passed(cls, sock.fileno(), timeout)

    def _number(self, end):
        return _ENDS[_OTHER[self.end] if end is None else end]

    def export(self, end=None):
        """Descriptors that make a handle of an end, of the other one if none is named. The caller closes them."""
        return self._export(self._number(end))

    def pass_to(self, sock, end=None, timeout=None):
        """Sends a handle of an end, of the other one if none is named, over a Unix socket."""
        self._pass(self._number(end), sock.fileno(), timeout)

    def handle(self, end=None):
        """Makes a handle of an end, of the other one if none is named, in this process."""
        descriptors = self.export(end)
        try:
            return type(self).attach(descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    async def arecv(self):
        """As recv(), in an event loop."""
        while True:
            try:
                return self.recv(0)
            except BlockingIOError:
                await readable(self.poll_fd())

    async def arecv_many(self, n=256):
        """As recv_many(), in an event loop."""
        while True:
            try:
                return self.recv_many(n, 0)
            except BlockingIOError:
                await readable(self.poll_fd())

    async def asend(self, data):
        """As send(), in an event loop."""
        while True:
            try:
                return self.send(data, 0)
            except BlockingIOError:
                await readable(self.poll_fd(write=True))

    def __reduce__(self):
        # The descriptors travel through a socket: as long as they are under way they count as an end that is still to come,
        # and no longer. The copy of the socket that stays here, until the process is forgotten, holds nothing.
        from multiprocessing import context, reduction

        context.assert_spawning(self)
        ours, theirs = socket.socketpair()
        with ours:
            self.pass_to(ours, self.end)
        process = context.get_spawning_popen()
        weakref.finalize(process, theirs.close)
        return _rebuild, (type(self), reduction.DupFd(theirs.fileno()))


def _rebuild(cls, descriptor):
    with socket.socket(fileno=descriptor.detach()) as sock:
        return cls.take_from(sock, 60)


def channel(**options):
    """Makes a channel, and returns a handle of each end: (sender, receiver)."""
    first = Channel(**options)
    second = first.handle()
    return (first, second) if first.end == "sender" else (second, first)
