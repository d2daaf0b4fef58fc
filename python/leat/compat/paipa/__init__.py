# SPDX-License-Identifier: MIT
"""The interface of paipa: items go through steps of worker threads, or through nested iterators."""

from . import coroutines, debug_reporter, debugger, iterables, threaded
from .coroutines import combine_pipeline, identity_step
from .debugger import PipelineRuntimeDebugger
from .iterables import chunk, consume
from .threaded import AbstractIterStep, AbstractStep, Pipeline, SkipEntry, funcstep, iterstep

__all__ = [
    "combine_pipeline",
    "identity_step",
    "consume",
    "chunk",
    "AbstractStep",
    "AbstractIterStep",
    "SkipEntry",
    "Pipeline",
    "funcstep",
    "iterstep",
    "PipelineRuntimeDebugger",
]
