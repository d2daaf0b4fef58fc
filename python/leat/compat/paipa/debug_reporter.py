# SPDX-License-Identifier: MIT
"""What a debugger of a pipeline reports to."""

import abc


class DebugReporter(abc.ABC):
    """Gets the figures of all steps."""

    @abc.abstractmethod
    def show(self, info):
        """info is a list of (name of the step, dict of its figures)."""


class LoggingReporter(DebugReporter):
    """Logs a line for each step."""

    def __init__(self, _logger):
        self._logger = _logger

    def show(self, info):
        self._logger.info("-" * 20)
        width = max((len(name) for name, _ in info), default=0)
        for name, figures in info:
            if figures:
                self._logger.info("> %-*s: %s", width, name, _line(figures))


def _line(figures):
    return (
        f"count: {figures['count']:6.0f} runtime: {figures['runtime']:6.2f} {figures['throughput']:9.2f}/s "
        f"utime: {figures['utime']:.2f} stime: {figures['stime']:.2f} q: {figures['queries']:.0f} "
        f"q/e: {figures['queries_per_entry']:.2f} rss: {figures['rss']:.2f}"
    )
