# SPDX-License-Identifier: MIT
"""Helpers for iterators."""

import collections
import itertools

flatten = itertools.chain.from_iterable


def is_iterable(testee):
    """Whether a value can be iterated over. A string can."""
    try:
        iter(testee)
    except TypeError:
        return False
    return True


def recursive_flatten(elements):
    """Gives the elements of nested iterables one after the other. A string is one element."""
    for element in elements:
        if is_iterable(element) and not isinstance(element, str):
            yield from recursive_flatten(element)
        else:
            yield element


def chunk(chunk_size=32):
    """Makes a step that gathers lists of chunk_size elements. The last list may be shorter."""
    if chunk_size < 1:
        raise ValueError(f"a chunk has at least 1 element, not {chunk_size}")

    def chunker(elements):
        elements = iter(elements)
        return iter(lambda: list(itertools.islice(elements, chunk_size)), [])

    return chunker


def consume(iterator, n=None):
    """Takes n elements of an iterator, or all of them."""
    if n is None:
        collections.deque(iterator, maxlen=0)
    else:
        next(itertools.islice(iterator, n, n), None)
