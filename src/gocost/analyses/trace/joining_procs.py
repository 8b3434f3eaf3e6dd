"""What every P did, over the generations of a trace: what is open in one is closed in the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from gocost.analyses.trace.account import Int64s
from gocost.formats.exectrace.ordered import Carried
from gocost.kernels import trace_fields as fields
from gocost.model.errors import FormatError


@dataclass(slots=True)
class _Proc:
    sums: list[int] = field(default_factory=lambda: [0, 0, 0])
    """Nanoseconds running, idle, in a syscall."""
    swept: int = 0
    sweep: int | None = None
    """Since when it sweeps."""
    open: tuple[int, int] | None = None
    """The state it is in, and since when."""


class Procs:
    """Every P that a trace has."""

    def __init__(self) -> None:
        self._procs: dict[int, _Proc] = {}

    def __len__(self) -> int:
        """How many were seen."""
        return len(self._procs)

    def add(self, carried: Carried, *, first: bool) -> None:
        """Those of the next generation. Raises FormatError where it contradicts the one before."""
        for number, row in enumerate(carried.procs.tolist()):
            if row[fields.P_STATE] == 0:
                continue
            proc = self._procs.setdefault(number, _Proc())
            if proc.open is not None and proc.open[0] != _place(row[fields.P_FIRST]):
                raise FormatError(f"P {number} has another state than it was left in")
            for state in range(3):
                proc.sums[state] += row[fields.P_SUMS + 1 + state]
            proc.swept += row[fields.P_SWEPT]
            if row[fields.P_SWEPT_OLD] and proc.sweep is not None:
                proc.swept -= proc.sweep
            if row[fields.P_SWEEP] != 0:
                proc.sweep = row[fields.P_SWEEP] if row[fields.P_SWEEP] > 0 else None
            # What was open is closed here by its first leaving, which counts from 0.
            if not first and proc.open is not None and _moved(row):
                proc.sums[_place(row[fields.P_FIRST])] -= proc.open[1]
            if first or _moved(row) or proc.open is None:
                proc.open = (_place(row[fields.P_STATE]), row[fields.P_SINCE])

    def since(self, number: int, *, sweeping: bool) -> int:
        """Since when a P is in its state, or sweeps; -1 where it does not, or is not known."""
        proc = self._procs.get(number)
        if proc is None:
            return -1
        if sweeping:
            return -1 if proc.sweep is None else proc.sweep
        return -1 if proc.open is None else proc.open[1]

    def open_intervals(self, end: int) -> Int64s:
        """Rows of a Chunk: the states that they are in at the end."""
        rows = [
            [
                fields.R_PROC + 1 + proc.open[0],
                number,
                min(proc.open[1], end),
                end,
                0,
                0,
                number,
                -1,
                0,
                -1,
            ]
            for number, proc in sorted(self._procs.items())
            if proc.open is not None
        ]
        return np.array(rows, np.int64).reshape(-1, 10)

    def close(self, end: int) -> None:
        """Adds what they are in at the end of the trace."""
        for proc in self._procs.values():
            if proc.open is not None:
                proc.sums[proc.open[0]] += max(end - proc.open[1], 0)

    @property
    def most(self) -> int:
        """No sum of their times is more."""
        return sum(map(abs, chain.from_iterable(proc.sums for proc in self._procs.values())))

    def sums(self) -> dict[int, list[int]]:
        """Nanoseconds by number: running, idle, in a syscall, and of running what it swept."""
        return {number: [*p.sums, p.swept] for number, p in sorted(self._procs.items())}


def _moved(row: list[int]) -> bool:
    """Whether the P left the state in which this generation found it."""
    return row[fields.P_SINCE] != 0


def _place(state: int) -> int:
    """The place of a P's state among running, idle and syscall, where an abandoned one is."""
    return min(state, fields.P_SYSCALL) - 1
