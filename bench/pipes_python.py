#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pipes_python.py WAY BLOCK BYTES: what bench/pipes.c does, by Python's standard library: BYTES go from one thread to another,
written in blocks of BLOCK bytes that are copied out of a buffer each time, and the reader takes their SHA-256.

queue  a queue.Queue that holds 1 MiB of bytes objects
pipe   os.pipe, which holds 1 MiB; the reader reads into a buffer of its own
"""
import fcntl
import hashlib
import os
import queue
import sys
import threading

HOLDS = 1 << 20
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def number(text):
    return int(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else int(text)


def through_queue(block, blocks, digest):
    chunks = queue.Queue(HOLDS // block)

    def read():
        while chunk := chunks.get():
            digest.update(chunk)

    def write(buffer):
        for _ in range(blocks):
            chunks.put(bytes(buffer))
        chunks.put(b"")

    return write, read


def through_pipe(block, blocks, digest):
    source, sink = os.pipe()
    fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, HOLDS)

    def read():
        chunk = memoryview(bytearray(block))
        while n := os.readv(source, [chunk]):
            digest.update(chunk[:n])
        os.close(source)

    def write(buffer):
        for _ in range(blocks):
            rest = buffer
            while rest:
                rest = rest[os.write(sink, rest) :]
        os.close(sink)

    return write, read


def main(way, block, size):
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(block))
    write, read = {"queue": through_queue, "pipe": through_pipe}[way](block, size // block, digest)
    reader = threading.Thread(target=read)
    reader.start()
    write(buffer)
    reader.join()


if __name__ == "__main__":
    main(sys.argv[1], number(sys.argv[2]), number(sys.argv[3]))
