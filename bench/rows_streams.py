# SPDX-License-Identifier: MIT
"""The rows of stream buffers, and of a server that is made of connections."""
from row import MEMORY, Contender, Goal, Row, forced, ours, peers

PORT = 17614


def take_lines():
    getdelim, evbuffer = "lines getdelim lines", "lines evbuffer lines"
    return Row(
        "take-line",
        "lines of 100 bytes out of a stream buffer, in pieces of 16 KiB",
        ours("lines borrow lines")
        + forced("lines take lines")
        + peers(getdelim, evbuffer)
        + [Contender("lines memchr lines", "bare")],
        [
            Goal("speed", 1.5, (getdelim,), "getdelim"),
            Goal("speed", 2.0, (evbuffer,), "libevent's evbuffer_readln"),
            Goal("speed", 0.6, ("bare",), "a bare loop with memchr"),
            MEMORY,
        ],
        lines=True,
        note="Two thirds of the bare loop's time are those of read(2), which all of them call alike; so the bare loop, which "
        "keeps nothing, is as fast as the first goal asks, or a little faster.",
    )


def take_mebibytes():
    return Row(
        "take-1m",
        "1 MiB at a time out of a stream buffer, {size}",
        ours("feeds take {size}") + [Contender("feeds memcpy {size}", "bare")],
        [Goal("speed", 0.9, ("bare",), "a memcpy into one buffer"), MEMORY],
        source=False,
        times=16,
        note="Both are fed by copying the bytes in, once, and look at each of them where it lies then.",
    )


def miss():
    """A buffer that searched from the start again would be a hundredth as fast for a hundred times the bytes."""

    def fed(how, *each):
        return [f"feeds {how} {{size}} {n}M" for n in each]

    return Row(
        "miss",
        "no newline in 100 MB, in 10 and in 1, fed 1 KiB at a time and asked for a line each time, {size}",
        ours(*fed("miss", 100))
        + forced(*fed("miss", 10, 1))
        + [Contender(c, "bare") for c in fed("memchr", 100, 10, 1)],
        [Goal("speed", 0.3, tuple(fed("miss", 10, 1)), "the same bytes in shorter streams")],
        source=False,
        times=16,
        note="100 MB are more than the cache has, for the bare loop as well; who searches from the start again is a hundredth as "
        "fast with a hundred times the bytes.",
    )


def redis_ping():
    """The example beside the real one."""

    def served(server):
        client = f"redis-benchmark -p {PORT} -t ping_mbulk -P 16 -n 1000000 -q"
        return f"both --server {PORT} {server} -- {client}"

    redis = served(f"redis-server --port {PORT} --bind 127.0.0.1 --save '' --appendonly no")
    return Row(
        "redis-ping",
        "a million times PING over tcp, 16 at once from each of 50 clients",
        ours(served(f"redis_server {PORT}")) + peers(redis),
        [Goal("speed", 0.9, (redis,), "redis-server")],
        source=False,
        size=7 * 1000000,
        note="The bytes are those of the answers. Starting and ending the server and redis-benchmark, which has one of two "
        "processors, are part of the time.",
    )


def stream_rows():
    return [take_lines(), take_mebibytes(), miss(), redis_ping()]
