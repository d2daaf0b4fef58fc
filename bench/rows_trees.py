# SPDX-License-Identifier: MIT
"""Folders with many small files, beside the programs that copy them."""
from row import MEMORY, Goal, Row, ours, peers

FILES = 10_000
CP, RSYNC = "cp -a tree written", "rsync -a tree/ written"
TAR = "mkdir written && tar -C tree -c . | tar -C written -x"
SUMS = f"{CP} && cd written && find . -type f -exec sha256sum {{}} + > ../sums"


def small_files(place):
    return Row(
        f"tree/small/{place}",
        f"{FILES} files of 4 KiB in 100 folders → new tree with all attributes, {{fs}}",
        ours("leat copy -a tree written") + peers(CP, RSYNC, TAR),
        [
            Goal("speed", 2.0, (CP,), "cp -a"),
            Goal("speed", 3.0, (RSYNC,), "rsync -a"),
            Goal("speed", 1.2, (TAR,), "tar | tar"),
            MEMORY,
        ],
        place,
        source=False,
        size=FILES * 4096,
        tree=True,
    )


def small_files_with_digests(place):
    return Row(
        f"tree/sha256/{place}",
        f"the same with the SHA-256 of each file, {{fs}}",
        ours("leat copy -a --digest sha256 tree written > sums") + peers(SUMS),
        [Goal("speed", 4.0, (SUMS,), "cp -a, then sha256sum"), MEMORY],
        place,
        source=False,
        size=FILES * 4096,
        tree=True,
    )


def tree_rows():
    return [make(place) for place in ("memory", "disk") for make in (small_files, small_files_with_digests)]
