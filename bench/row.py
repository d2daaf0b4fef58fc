# SPDX-License-Identifier: MIT
"""What a row of the benchmark is made of, and how contenders are named."""
from dataclasses import dataclass

MEMORY_MOST = 32 << 20  # bytes, of any copy
OBJECTS = 1000  # small ones


class NotHere(Exception):
    """A contender that does not work on this machine, and why."""


@dataclass
class Contender:
    command: str
    role: str = "peer"  # ours; forced: ours, told how; peer; bare: a loop of the benchmark; part: some of the work


@dataclass
class Goal:
    """`kind` of the first contender against each of `against` (roles or commands): the worst of them counts.

    speed: time of the other / ours, at least `bound`; time: ours / the other, at most; cpu: seconds of ours / the
    other's, at most; memory: peak of ours in bytes, at most; rate: operations of ours a second, of `each` bytes, at
    least. `own`: the others are ours, too. `slowest`: the best of them counts instead.
    """

    kind: str
    bound: float
    against: tuple = ()
    called: str = ""
    own: bool = False
    each: int = 0
    slowest: bool = False


@dataclass
class Row:
    name: str
    title: str
    contenders: list
    goals: list
    place: str = "disk"  # where source and target lie; or memory, disks, network
    feed: str = ""  # how a pipe is filled on standard input: write, vmsplice
    drain: str = ""  # how pipes are emptied, on standard output and {1}, {2}: sum, null
    pipes: int = 0  # beside standard output
    target: bool = False  # writes the file `to`, which must be what the source is
    to: str = "target"  # or onto/target, on the other one of two disks
    fresh: bool = True  # the target is deleted before; else it is there
    size: int = 0  # of the source; 0: as asked for
    times: int = 1  # what was asked for is multiplied by this
    cold: bool = False  # nothing of the source is in the page cache
    device: bool = False  # {device} is needed
    zeros: bool = False  # of which the target shall consist
    lines: bool = False  # there is a file `lines`, of lines of 100 bytes, that is as large as the source
    text: bool = False  # there is a file `text`, which can be compressed, as large as the source
    note: str = ""
    repeat: int = 1  # processes a round
    parts: int = 0  # part.1 ... part.N together are as large as the source
    source: bool = True  # the file `source` is there
    tree: bool = False  # the folder `tree` has files of 4 KiB in 100 folders, together as large as the source
    server: str = ""  # of servers.py, at {port0}


def ours(*commands):
    return [Contender(c, "ours") for c in commands]


def forced(*commands):
    return [Contender(c, "forced") for c in commands]


def peers(*commands):
    return [Contender(c, "peer") for c in commands]


def bare(*commands):
    return [Contender("loops " + c, "bare") for c in commands]


MEMORY = Goal("memory", MEMORY_MOST, called="peak memory")
AUTO = Goal("speed", 0.9, ("forced",), "the best route and engine", own=True)
COPY = [
    Goal("speed", 0.95, ("peer",), "the best peer"),
    Goal("speed", 0.95, ("bare",), "the best bare loop"),
    AUTO,
    MEMORY,
]


def told(command, *route_names):
    """`leat copy` of the command by each of these routes, the first two of them on the other engine as well."""
    ways = [f"--route {name}" for name in route_names] + [f"--engine uring --route {name}" for name in route_names[:2]]
    return forced(*[command.replace("leat copy", f"leat copy {way}") for way in ways])
