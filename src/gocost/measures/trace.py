"""An execution trace from a file: indexed, carried out on all cores, put together in order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from gocost.analyses.trace.joining import Joined, Joiner
from gocost.formats.exectrace.index import HEADER, Generation, read_format, read_index
from gocost.formats.exectrace.ordered import Carried, Window, carry_out
from gocost.formats.exectrace.tables import read_tables
from gocost.kernels import trace_index
from gocost.model.errors import FormatError
from gocost.sources.files import Positioned, positioned

BINS = 512
"""Pieces of a trace's time that are told apart in its series."""


def read_trace(path: Path, *, keep: int | None = 0) -> Joined:
    """The account of the trace at `path`; with the `keep` goroutines
    that ran longest of those that ended (None: all).

    Raises SourceError where the file cannot be read and FormatError where it is no trace that can
    be read. A trace that was cut off gives what is whole of it.
    """
    with positioned(path) as file:
        version = read_format(file.head(HEADER))
        index = read_index(file.read_into, file.size, version)
        found = list(index.generations)
        if not found:
            told = index.lost or "it has no events"
            raise FormatError(f"{path}: {told}", hint="record it again, and for longer")
        window = _window(file, found, version)
        joiner = Joiner(keep=keep)
        for carried in _carried(file, found, version, window, keep=keep):
            joiner.add(carried)
    return joiner.result(lost=index.lost)


def _carried(
    file: Positioned, found: list[Generation], version: int, window: Window, *, keep: int | None
) -> Iterator[Carried]:
    """The generations in order, some of them carried out ahead: one a core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    workers = max(1, min(cores or 1, len(found)))
    waiting: list[Future[Carried]] = []
    with ThreadPoolExecutor(workers) as pool:
        coming = iter(enumerate(found))

        def start(count: int) -> None:
            for place, generation in islice(coming, count):
                waiting.append(
                    pool.submit(
                        carry_out,
                        file.read_into,
                        generation,
                        version,
                        window,
                        first=place == 0,
                        keep=keep,
                    )
                )

        start(workers)
        try:
            while waiting:
                carried = waiting.pop(0).result()
                start(1)
                yield carried
        finally:
            for future in waiting:
                future.cancel()


def _window(file: Positioned, found: list[Generation], version: int) -> Window:
    """From the first batch's time to the last one's; a few events may come after that."""
    tick_ns = read_tables(file.read_into, found[0], version).clock.tick_ns
    first = int(found[0].batches[trace_index.TIME].min() * tick_ns)
    last = int(found[-1].batches[trace_index.TIME].max() * tick_ns)
    return Window(min(first, 1 << 61), min(max(last, first), 1 << 61), BINS)
