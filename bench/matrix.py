# SPDX-License-Identifier: MIT
"""Pipelines of three programs, PRODUCER | MOVER | CONSUMER: how fast each mover makes the whole, with every producer and
consumer. `scripts/bench --matrix` is the way to start it.

All movers of a cell run in rounds, each round in another order. A number is the median of the ratios within the rounds.
Time and processor time are those of the whole pipeline, since a mover may leave work to its neighbours.
"""
import argparse
import json
import os
import pathlib
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PRODUCERS = {
    "write-4K": "{source} write {size} 4K",
    "write-8K": "{source} write {size} 8K",
    "write-64K": "{source} write {size} 64K",
    "write-1M": "{source} write {size} 1M",
    "cat-file": "cat {file}",
    "splice-file": "loops splice-direct 1M {file} -",
    "vmsplice": "{source} vmsplice {size}",
    "tar": "tar -cf - -C {folder} file",
}
# A consumer follows the mover in a pipe, or ("> ...", "onto ...") is where its standard output leads.
CONSUMERS = {
    "null": "> /dev/null",
    "read-64K": "dd of=/dev/null bs=64K status=none",
    "wc": "wc -l",
    "sha256": "openssl dgst -sha256",
    "tmpfs": "> {folder}/out",
    "unix": "onto unix",
    "tcp": "onto tcp",
    "tee": "tee /dev/null | sink sum",
}
MOVERS = {
    "leat": "leat copy - -",
    "splice": "leat copy --route splice - -",
    "chunk": "leat copy --route chunk - -",
    "cat": "cat",
    "pv": "pv -q",
    "mbuffer": "mbuffer -q -m 64M",
    "dd": "dd bs=64K status=none",
}
OWN, PEERS = ("splice", "chunk"), ("cat", "pv", "mbuffer", "dd")


def pipeline(producer, mover, consumer, names):
    feed, move, drain = (text.format(**names) for text in (PRODUCERS[producer], MOVERS[mover], CONSUMERS[consumer]))
    if drain.startswith(">"):
        return f"{feed} | {move} {drain}"
    if drain.startswith("onto"):
        return f"{feed} | {drain} {move}"
    return f"{feed} | {move} | {drain}"


def as_run(producer, consumer, names):
    """The same as three children of leat run; None where the consumer is no program."""
    feed, drain = PRODUCERS[producer].format(**names), CONSUMERS[consumer].format(**names)
    if drain.startswith((">", "onto")) or "|" in drain:
        return None
    return f"leat run \"'exec:{feed}' | exec:cat | 'exec:{drain}'\""


def measure(command, env):
    """Seconds and processor seconds of a pipeline, whose last program may write to nowhere."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], env=env, stdout=subprocess.DEVNULL, check=False,
                          stderr=subprocess.PIPE)
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{command}: exit {done.returncode}: {done.stderr.decode()[:300]}")
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def median_of_ratios(tops, bottoms):
    return statistics.median(top / bottom for top, bottom in zip(tops, bottoms))


def cell(producer, consumer, rounds, names, env):
    """Runs a cell; gives its numbers."""
    commands = {mover: pipeline(producer, mover, consumer, names) for mover in MOVERS if usable(mover)}
    if CONSUMERS[consumer].startswith("onto"):
        del commands["splice"]  # a socket that is shared is not spliced to
    if run := as_run(producer, consumer, names):
        commands["run"] = run
    seconds, processor = ({name: [] for name in commands} for _ in range(2))
    for i in range(-1, rounds):  # the first one is a trial
        order = list(commands)
        random.Random(i).shuffle(order)
        for name in order:
            wall, cpu = measure(commands[name], env)
            if i >= 0:
                seconds[name].append(wall)
                processor[name].append(cpu)
    peers = [name for name in PEERS if name in commands]
    best = min(peers, key=lambda name: statistics.median(seconds[name]))
    own = min((name for name in OWN if name in commands), key=lambda name: statistics.median(seconds[name]))
    numbers = {
        "producer": producer,
        "consumer": consumer,
        "peer": best,
        "speed": median_of_ratios(seconds[best], seconds["leat"]),
        "own": own,
        "of_own": median_of_ratios(seconds[own], seconds["leat"]),
        "processor": median_of_ratios(processor["leat"], processor[best]),
        "seconds": {name: statistics.median(all_) for name, all_ in seconds.items()},
    }
    if run:
        numbers["run"] = median_of_ratios(seconds["cat"], seconds["run"])
    return numbers


def usable(mover):
    return shutil.which(MOVERS[mover].split()[0]) is not None


def summary(cells):
    """What was to be reached, and what was."""
    speeds = sorted(c["speed"] for c in cells)
    tenth = speeds[len(speeds) // 10]
    runs = [c["run"] for c in cells if "run" in c]
    goals = [
        ("speed of the best peer, in the median of the cells", statistics.median(speeds), ">=", 1.5),
        ("the same in nine cells of ten", tenth, ">=", 1.0),
        ("the same in the worst cell", speeds[0], ">=", 0.9),
        ("speed of the best own route, in the median", statistics.median(c["of_own"] for c in cells), ">=", 0.97),
        ("processor seconds of the best peer, in the median", statistics.median(c["processor"] for c in cells), "<=", 0.9),
    ]
    if runs:
        goals.append(("leat run of three children: speed of the shell's with cat, in the median", statistics.median(runs),
                      ">=", 1.8))
    for what, is_, sign, wanted in goals:
        met = is_ >= wanted if sign == ">=" else is_ <= wanted
        print(f"| {what} | {is_:.2f} | {sign} {wanted} | {'pass' if met else 'short'} |")


def line(c):
    run = f"{c['run']:.2f}" if "run" in c else ""
    return (f"| {c['producer']} | {c['consumer']} | {c['seconds']['leat']:.3f} s | {c['speed']:.2f} ({c['peer']}) | "
            f"{c['of_own']:.2f} ({c['own']}) | {c['processor']:.2f} | {run} |")


def main():
    arguments = argparse.ArgumentParser(prog="scripts/bench --matrix", description=__doc__)
    arguments.add_argument("--build", type=pathlib.Path, default=pathlib.Path(__file__).parents[1] / "build/release")
    arguments.add_argument("--rounds", type=int, default=9)
    arguments.add_argument("--size", default="256M", help="of what each pipeline moves (default 256M)")
    arguments.add_argument("--producers", default=",".join(PRODUCERS), help="with commas between them: " + " ".join(PRODUCERS))
    arguments.add_argument("--consumers", default=",".join(CONSUMERS), help="with commas between them: " + " ".join(CONSUMERS))
    arguments.add_argument("--json", type=pathlib.Path, help="a file for the numbers")
    given = arguments.parse_args()
    env = os.environ | {"PATH": f"{given.build}:{given.build / 'bench'}:{os.environ['PATH']}", "LC_ALL": "C"}
    os.environ["PATH"] = env["PATH"]
    left_out = [mover for mover in MOVERS if not usable(mover)]
    if left_out:
        print("left out, not installed: " + ", ".join(left_out))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-matrix-", dir="/dev/shm"))
    try:
        with open(folder / "file", "wb") as file:
            subprocess.run([given.build / "bench/source", "write", given.size], stdout=file, check=True)
        names = {"size": given.size, "folder": folder, "file": folder / "file", "source": given.build / "bench/source"}
        print("| producer | consumer | leat | × the best peer | × the best own route | processor s / the best peer's | leat run |")
        print("|---|---|---|---|---|---|---|")
        cells = []
        for producer in given.producers.split(","):
            for consumer in given.consumers.split(","):
                cells.append(cell(producer, consumer, given.rounds, names, env))
                print(line(cells[-1]), flush=True)
        print()
        print("| what | is | wanted | |")
        print("|---|---|---|---|")
        summary(cells)
        if given.json:
            given.json.write_text(json.dumps({"type": "matrix", "rounds": given.rounds, "size": given.size, "cells": cells}))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
