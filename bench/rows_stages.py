# SPDX-License-Identifier: MIT
"""The rows of stages: items through steps of worker threads, and a stream through workers that compress it."""
from row import Contender, Goal, Row, ours, peers

ITEMS = 3_000_000  # that nothing is done with
PULLED = 20_000_000


def stages():
    return [
        Row(
            "stages/pass",
            f"{ITEMS} items that nothing is done with, through 3 stages of 2 workers, in no order",
            ours("stages pass {size}")
            + [Contender("stages usual {size}", "forced")]
            + peers("tbb parallel {size}"),
            [Goal("speed", 0.4, ("peer",), "oneTBB, which takes an item through all filters on one thread")],
            source=False,
            size=ITEMS,
            note="The usual queue has room for 512 items, the first contender's for 2048.",
        ),
        Row(
            "stages/ordered",
            f"{ITEMS} items that nothing is done with, through 3 stages of 2 workers, in their order",
            ours("stages ordered {size}") + peers("tbb ordered {size}"),
            [Goal("speed", 0.4, ("peer",), "oneTBB, which takes an item through all filters on one thread")],
            source=False,
            size=ITEMS,
        ),
        Row(
            "stages/pull",
            f"{PULLED} items that nothing is done with, pulled through 3 steps without threads",
            ours("stages pull {size}"),
            [Goal("rate", 50e6, called="items", each=1)],
            source=False,
            size=PULLED,
        ),
        Row(
            "stages/sha256",
            "SHA-256 of items of 64 KiB by 2 workers, {size}",
            ours("stages sha256 {size}") + [Contender("stages libcrypto {size}", "part")],
            [Goal("speed", 0.95, ("part",), "two threads of libcrypto alone")],
            source=False,
            times=4,
        ),
        Row(
            "stages/zstd",
            "a file of words through zstd by 2 workers, {size}",
            ours("compress_blocks 2 2097152 < text > target")
            + [Contender("leat run 'text | zstd:level=3,workers=2 | target'", "forced")]
            + peers("zstd -q -3 -T2 -f text -o target"),
            [Goal("speed", 0.9, ("peer",), "zstd with two threads")],
            "memory",
            source=False,
            text=True,
        ),
    ]
