# SPDX-License-Identifier: MIT
"""The interface of buffered_pipe: messages between processes and threads through shared memory.

A handle may be inherited by fork, or be an argument of a process that multiprocessing starts. Drop the handles that a process
does not use, as those of a pipe: a receiver gets EOFError when every sender has left, a sender BrokenPipeError when every
receiver has. The methods that wait take `timeout`, in seconds.
"""

import collections
import pickle

from .._channel import Channel
from .._errors import Ended, Timeout


class _Pipe:
    """A handle of one end. send_bytes(data, timeout=None) and recv_bytes(timeout=None) move one message."""

    def __init__(self, channel):
        self._channel = channel
        self._ahead = collections.deque()  # messages that poll() has received
        self.send_bytes = channel.send
        self._receive_by(channel.recv)

    def _receive_by(self, function):
        self.recv_bytes = function

    def _receive_ahead(self, timeout=None):
        try:
            return self._ahead.popleft()
        except IndexError:
            self._receive_by(self._channel.recv)
            return self._channel.recv(timeout)

    def poll(self, timeout=0):
        """Waits so long for a message. True: recv() does not wait, because there is a message, or the end."""
        if self._ahead:
            return True
        try:
            self._ahead.append(self._channel.recv(timeout))
        except Ended:
            return True
        except Timeout:
            return False
        self._receive_by(self._receive_ahead)
        return True

    def fork(self):
        """Makes one more handle of the same end."""
        return type(self)(self._channel.handle(self._channel.end))

    def register(self):
        """Does nothing: a handle works in each process that has it."""

    def close(self):
        """Leaves the pipe. The last sender that leaves is the end of the stream."""
        self._channel.close()

    @property
    def closed(self):
        return self._channel.closed

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __reduce__(self):
        return type(self), (self._channel,)


class _Static(_Pipe):
    """Messages of one size."""

    def __init__(self, channel):
        super().__init__(channel)
        self.send = self.send_bytes

    def _receive_by(self, function):
        self.recv_bytes = self.recv = function


class _Generic(_Pipe):
    """Messages of any length, and objects, which are pickled."""

    def send(self, item, timeout=None):
        self.send_bytes(pickle.dumps(item), timeout)

    def recv(self, timeout=None):
        return pickle.loads(self.recv_bytes(timeout))


def _open(kind, options):
    sender = Channel(**options)
    return kind(sender.handle()), kind(sender)


def _check(**sizes):
    for name, value in sizes.items():
        if value <= 0:
            raise ValueError(f"{name} is at least 1")


def Generic_Pipe(buffer_size, minimum_write=64, SMT_recv=16, SMT_send=16, polling=0.1, duplex=False):
    """Makes a pipe for messages of any length, with a ring of buffer_size bytes. Returns (receiver, sender).

    minimum_write, SMT_recv, SMT_send and polling tuned the original, and have no effect here.
    """
    _check(buffer_size=buffer_size)
    return _open(_Generic, {"ring_bytes": buffer_size, "duplex": duplex})


def Static_Pipe(object_size, object_count, SMT_recv=16, SMT_send=16, polling=0.1, duplex=False):
    """Makes a pipe for messages of object_size bytes, of which the ring holds object_count. Returns (receiver, sender)."""
    _check(object_size=object_size, object_count=object_count)
    return _open(_Static, {"message_size": object_size, "count": object_count, "duplex": duplex})


Pipe = Generic_Pipe
