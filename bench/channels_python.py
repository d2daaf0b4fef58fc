#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""channels_python.py BLOCK BYTES: messages of BLOCK bytes go between two processes through multiprocessing.Pipe."""
import multiprocessing
import sys


def number(text):
    digits = text.rstrip("KMG")
    return int(digits) << {"": 0, "K": 10, "M": 20, "G": 30}[text[len(digits) :]]


def send(end, block, count):
    message = b"\1" * block
    for _ in range(count):
        end.send_bytes(message)
    end.close()


def main():
    block, size = number(sys.argv[1]), number(sys.argv[2])
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=send, args=(sender, block, size // block))
    child.start()
    sender.close()
    got = sum(len(receiver.recv_bytes()) for _ in range(size // block))
    child.join()
    sys.exit(got != size // block * block)


main()
