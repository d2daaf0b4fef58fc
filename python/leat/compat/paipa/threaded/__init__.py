# SPDX-License-Identifier: MIT
"""Pipelines of worker threads."""

from . import pipeline, steps
from .pipeline import Pipeline
from .steps import AbstractIterStep, AbstractStep, SkipEntry, TimedChunk, funcstep, iterstep
