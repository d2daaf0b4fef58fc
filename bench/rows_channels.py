# SPDX-License-Identifier: MIT
"""The rows of channels: messages between processes."""
from row import Contender, Goal, Row

PYTHON = "channels_python.py {block} {{size}}"


def channels(role, ways, ends, block):
    return [Contender(f"channels {way} {ends} {block} {{size}}", role) for way in ways]


def row(name, title, ends, block, ours, others, goals, size, note=""):
    """`others`: roles, each with its ways; `goals`: the way that each is against, its bound, what that is called."""
    contenders = channels("ours", [ours], ends, block)
    for role, ways in others.items():
        contenders += channels(role, ways, ends, block)
    judged = [goal if isinstance(goal, Goal) else against(goal, ends, block) for goal in goals]
    return Row(f"channels/{name}", f"{title}, {{size}}", contenders, judged, size=size, source=False, note=note)


def against(goal, ends, block):
    way, bound, called = goal
    return Goal("speed", bound, (f"channels {way} {ends} {block} {{size}}",), called)


def trips(name, title, others, goal, count, note=""):
    contenders = [Contender(f"trips {name} {{size}}", "ours")]
    contenders += [Contender(f"trips {other} {{size}}", "bare") for other in others]
    return Row(f"channels/{name}", title, contenders, [goal], size=32 * count, source=False, note=note)


def python(name, block, size):
    command = PYTHON.format(block=block)
    return Row(
        f"channels/{name}",
        f"messages of {block} bytes beside Python's, {{size}}",
        channels("ours", ["send"], "1 1", block) + [Contender(command)],
        [Goal("speed", 2.0, (command,), "multiprocessing.Pipe")],
        size=size,
        source=False,
    )


def between_processes():
    return [
        row(
            "small",
            "messages of 32 bytes, one to one",
            "1 1",
            32,
            "send",
            {"peer": ["boost"], "bare": ["ck"], "forced": ["batch"]},
            [("boost", 2.0, "boost::interprocess::message_queue")],
            64 << 20,
            "ck_ring has no rule for who dies, no end and no sleep: the distance from it is what these cost.",
        ),
        row(
            "batch",
            "messages of 32 bytes, 64 at once, one to one",
            "1 1",
            32,
            "batch",
            {"bare": ["ck"], "peer": ["boost"]},
            [Goal("rate", 20e6, called="messages", each=32)],
            256 << 20,
        ),
        row(
            "many",
            "messages of 32 bytes, two to two",
            "2 2",
            32,
            "send",
            {"peer": ["boost", "mq"]},
            [("boost", 1.5, "boost::interprocess::message_queue"), ("mq", 10.0, "a POSIX message queue")],
            32 << 20,
        ),
        row(
            "pages",
            "messages of 4 KiB, one to one",
            "1 1",
            "4K",
            "send",
            {"peer": ["seqpacket"], "bare": ["ring"]},
            [("ring", 0.7, "a bare ring with the same two copies"), ("seqpacket", 3.0, "a Unix socket of packets")],
            1 << 30,
        ),
        row(
            "lend",
            "messages of 1 MiB, not copied, one to one",
            "1 1",
            "1M",
            "lend",
            {"bare": ["pipe"]},
            [("pipe", 10.0, "a pipe")],
            2 << 30,
            "Each side touches a word of each page: what is measured is what it costs to hand bytes over.",
        ),
        trips(
            "asleep",
            "100,000 round trips of 32 bytes, asleep",
            ["futex"],
            Goal("time", 1.2, ("trips futex {size}",), "a bare futex"),
            100000,
            "All on one processor, so that nobody can wait but asleep.",
        ),
        trips(
            "awake",
            "500,000 round trips of 32 bytes, awake",
            [],
            Goal("rate", 1e6, called="round trips", each=32),
            500000,
        ),
        trips(
            "idle",
            "nobody sends for two seconds",
            ["idle-poll"],
            Goal("cpu", 3.0, ("bare",), "a poll for as long"),
            128,
            "Both are a millisecond, of which most is the start of a process: the channel itself looks every 100 ms.",
        ),
        python("python-small", 32, 8 << 20),
        python("python-pages", 4096, 256 << 20),
    ]
