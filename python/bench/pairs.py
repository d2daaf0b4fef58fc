# SPDX-License-Identifier: MIT
"""What compat.py and native.py share: figures by the clock and by processor time, and the command line.

Each measurement is a process of its own, which is the same program with --one NAME WHOSE.
"""

import argparse
import resource
import sys
import time


def processor_time():
    """Of this process and of its children that have ended."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in usage)


def print_figures(function, *arguments):
    """The function does some work and returns how much. Prints that for a second, and for a second of processor time."""
    begin, used = time.perf_counter(), processor_time()
    work = function(*arguments)
    passed, used = time.perf_counter() - begin, processor_time() - used
    print(work / passed, work / used)


def main(description, head, names, measure_here, compare):
    if sys.argv[1:2] == ["--one"]:
        measure_here(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="measurements of each (default: 5)")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="names or beginnings of names (default: all)")
    args = parser.parse_args()
    print(head)
    for name in names:
        if not args.rows or name.startswith(tuple(args.rows)):
            print(compare(name, args.pairs), flush=True)
