# SPDX-License-Identifier: MIT
"""leat moves bytes between descriptors by the cheapest way that the kernel allows. README.md of this folder has the interface."""

from ._errors import (BrokenPipe, Cancelled, Denied, Ended, Error, Exists, Incomplete, Mismatch, NotFound, PeerDied, Refused,
                      Reset, Timeout, WouldBlock)
from . import filters
from ._channel import Channel, channel
from .filters import Digest
from ._leat import END, SKIP, Filter, Report, Stream, View, version
from ._pipe import Reader, Writer, pipe
from ._pipeline import Pipeline, Progress, Sink, Source, copy, digest, run
from ._stages import Stages

__version__ = version()

for _each in list(globals().values()):
    if getattr(_each, "__module__", "").startswith("leat."):
        _each.__module__ = "leat"  # where its users find it
