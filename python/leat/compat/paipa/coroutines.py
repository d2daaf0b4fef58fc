# SPDX-License-Identifier: MIT
"""Pipelines of nested iterators, without threads."""

from .iterables import recursive_flatten


class PipelineStep:
    """A step that is an object."""

    def process(self, iterator):
        return iterator

    def __call__(self, iterator):
        return self.process(iterator)


def identity_step(iterator):
    """A step that does nothing."""
    return iterator


def _nest(source, steps, debugger):
    if debugger is None:
        for step in steps:
            source = step(source)
        return source
    source = debugger.head(source)
    for step in steps:
        source = step(debugger.track(source))
    return debugger.report(debugger.tail(debugger.track(source)))


def combine_pipeline(source, pipeline, debugger=None):
    """Nests steps, which are functions that make an iterator of an iterator, around a source. Lists of steps are flattened.

    If the source is a function, so is the result: it calls the source with its arguments.
    """
    steps = list(recursive_flatten(pipeline))
    if callable(source):
        return lambda *args, **keywords: _nest(source(*args, **keywords), steps, debugger)
    return _nest(source, steps, debugger)
