# SPDX-License-Identifier: MIT
"""The exceptions of leat. The extension makes them of a code and of what the library says about it."""

import errno
import os


class Sentinel:
    """An object that is nothing but itself."""

    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"leat.{self._name}"

    def __reduce__(self):
        return self._name


class Error(OSError):
    """A call of leat failed.

    Besides the attributes of OSError it has those of struct leat_error: `node` is the endpoint or filter, `operation` the
    system call or step, `offset` the byte of the stream, `side` "", "source", "filter" or "sink", `index` which one of these,
    `taken`, `delivered` and `held` the numbers of bytes, `advice` the number of an enum leat_advice. `report` is the Report
    of the run that failed, or None.
    """

    node = operation = side = ""
    index = offset = taken = delivered = held = advice = 0
    report = None

    def __str__(self):
        return f"{self.node}: {self.strerror}" if self.node else self.strerror or ""

    def __reduce__(self):  # a report stays in its process
        return type(self), self.args, {name: value for name, value in vars(self).items() if name != "report"}


class Timeout(Error, TimeoutError):
    """The time was up. No byte and no message is lost, and the call may be repeated."""


class WouldBlock(Timeout, BlockingIOError):
    """The timeout was 0, and the call would have had to wait."""


class Cancelled(Error):
    """Another thread closed or cancelled the object; or a writer was closed before its stream had ended."""


class BrokenPipe(Error, BrokenPipeError):
    """The other end is closed."""


class Ended(Error, EOFError):
    """There is nothing more to receive: every sender has left."""


class PeerDied(Ended):
    """There is nothing more to receive, and at least one sender ended without closing its end."""


class Incomplete(Error, EOFError):
    """The stream ends with fewer bytes than were asked for. They are still there."""


class Mismatch(Error):
    """The bytes are not the expected ones: a digest differs, or compressed data is damaged."""


class NotFound(Error, FileNotFoundError):
    """There is no such file or object."""


class Exists(Error, FileExistsError):
    """The target exists."""


class Denied(Error, PermissionError):
    """The system does not allow it."""


class Refused(Error, ConnectionRefusedError):
    """The peer does not accept connections."""


class Reset(Error, ConnectionResetError):
    """The peer has reset the connection."""


_CLASSES = {
    errno.ETIMEDOUT: Timeout,
    errno.EAGAIN: WouldBlock,
    errno.ECANCELED: Cancelled,
    errno.EPIPE: BrokenPipe,
    errno.EBADMSG: Mismatch,
    errno.ENODATA: Ended,
    errno.EOWNERDEAD: PeerDied,
    errno.ENOENT: NotFound,
    errno.EEXIST: Exists,
    errno.EACCES: Denied,
    errno.EPERM: Denied,
    errno.ECONNREFUSED: Refused,
    errno.ECONNRESET: Reset,
}
_SIDES = ("", "source", "filter", "sink")


def make(code, text, node, operation, side, index, advice, offset, taken, delivered, held):
    """Makes the exception of an errno value."""
    error = _CLASSES.get(code, Error)(code, text or os.strerror(code))
    error.node = node
    error.operation = operation
    error.side = _SIDES[side]
    error.index = index
    error.advice = advice
    error.offset = offset
    error.taken = taken
    error.delivered = delivered
    error.held = held
    if node:
        error.filename = node
    return error
