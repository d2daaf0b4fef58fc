# SPDX-License-Identifier: MIT
"""The rows of pipes inside a process: two threads, of which one writes and the other reads."""
from row import Contender, Goal, Row


def pipes(role, *ways):
    return [Contender(f"pipes {way} {{size}}", role) for way in ways]


def row(name, title, ours, others, goals, peers=(), **more):
    """`others`: roles, each with its ways. Ways and what goals are against are words behind `pipes`. `peers`: those
    of other programs."""
    contenders = pipes("ours", ours)
    for role, ways in others.items():
        contenders += pipes(role, *ways)
    contenders += peers
    return Row(f"threads/{name}", f"between two threads, {title}, {{size}}", contenders, goals, source=False, **more)


def against(way, bound, called, **more):
    return Goal("speed", bound, (f"pipes {way} {{size}}",), called, **more)


def between_threads():
    return [
        row(
            "queue",
            "64 KiB at once, in memory",
            "queue 64K",
            {"peer": ["write 64K"], "bare": ["ring 64K", "ring-busy 64K"]},
            [
                against("write 64K", 2.0, "a kernel pipe of 1 MiB"),
                Goal("speed", 0.8, ("bare",), "the best bare ring with the same two copies"),
            ],
            times=8,
        ),
        row(
            "peek",
            "64 KiB at once, in place",
            "peek 64K",
            {"forced": ["queue 64K"], "bare": ["ring 64K"]},
            [against("queue 64K", 1.2, "the same with copies")],
            times=8,
        ),
        row(
            "small",
            "64 bytes at once",
            "queue 64",
            {"bare": ["ring 64"]},
            [Goal("rate", 20e6, called="writes", each=64)],
            times=4,
        ),
        row(
            "kernel",
            "64 KiB at once, through a pipe of the kernel",
            "kernel 64K",
            {"bare": ["write 64K"]},
            [against("write 64K", 0.95, "a bare loop of write and read")],
            times=4,
        ),
        row(
            "vmsplice",
            "256 KiB at once, a pipe of the kernel that is given pages",
            "kernel-give 256K",
            {"bare": ["vmsplice 256K"]},
            [against("vmsplice 256K", 0.9, "a bare loop of vmsplice from two buffers and read")],
            times=8,
        ),
        row(
            "sha256",
            "64 KiB at once, with SHA-256 in between",
            "queue-sha256 64K",
            {"part": ["sha256 64K"]},
            [against("sha256 64K", 0.9, "libcrypto alone, which moves nothing")],
            times=4,
        ),
        row(
            "python",
            "64 KiB at once, with SHA-256, against a queue.Queue and an os.pipe between two threads of Python",
            "queue-sha256 64K",
            {},
            [Goal("speed", 1.0, ("peer",), "the better of Python's")],
            times=4,
            peers=[Contender(f"pipes_python.py {way} 64K {{size}}") for way in ("queue", "pipe")],
        ),
    ]
