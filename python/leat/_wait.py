# SPDX-License-Identifier: MIT
"""Waiting for a descriptor in an event loop of asyncio."""

import weakref

_loops = weakref.WeakKeyDictionary()  # the futures that wait, by (descriptor, whether to write), for each loop


async def _ready(descriptor, write):
    import asyncio  # a program that does not use it need not load it

    loop = asyncio.get_running_loop()
    add, remove = (loop.add_writer, loop.remove_writer) if write else (loop.add_reader, loop.remove_reader)
    waiting = _loops.setdefault(loop, {})
    futures = waiting.setdefault((descriptor, write), [])
    future = loop.create_future()
    futures.append(future)

    def wake():
        for each in futures:
            if not each.done():
                each.set_result(None)

    if len(futures) == 1:
        add(descriptor, wake)
    try:
        await future
    finally:
        futures.remove(future)
        if not futures:
            del waiting[descriptor, write]
            remove(descriptor)


async def readable(descriptor):
    """Waits until the descriptor is readable. Several tasks may wait for one."""
    await _ready(descriptor, False)


async def writable(descriptor):
    """Waits until the descriptor is writable."""
    await _ready(descriptor, True)
