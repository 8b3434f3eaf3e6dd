"""Traces of made-up programs: both forms of the kernel make the same of them, right or wrong."""

from __future__ import annotations

from random import Random
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gocost.formats.exectrace import index, ordered, tables
from gocost.kernels import trace_fields as fields
from gocost.model.errors import FormatError
from tests.fixtures.random_traces import random_trace
from tests.kernels.conftest import compiled, interpreted

CLIP = (10_000, 20_000_000)


def outcome(
    data: bytes, kernel: ModuleType, monkeypatch: pytest.MonkeyPatch, **how: Any
) -> list[Any] | str:
    """What is made of a trace's one generation, or why it was refused."""

    def read_into(buffer: memoryview, offset: int) -> int:
        part = data[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)

    monkeypatch.setattr(ordered, "kernel", kernel)
    (generation,) = index.read_index(read_into, len(data), 23).generations
    records: list[list[int]] = []
    window = ordered.Window(0, 10**9, 16, how["clip"])
    run = ordered._Run(
        read_into, generation, tables.read_tables(read_into, generation, 23), window,
        first=how["first"], keep=None,
        record=(lambda rows, _: records.extend(rows.tolist())) if how["recording"] else None,
    )  # fmt: skip
    try:
        run.carry_out()
    except FormatError as error:
        return str(error)
    check_table(run)
    found = run.result()
    columns = (found.live, found.ended, found.groups, found.procs, found.marks, found.intervals,
               found.histogram, found.heap, found.running)  # fmt: skip
    return [*(column.tolist() for column in columns), found.events, found.last_ns, records]


def check_table(run: ordered._Run) -> None:
    """Every row lives, and is found, or is free."""
    live = run._goroutines[:, fields.G_ID] >= 0
    found = np.sort(run._table[run._table >= 0])
    assert found.tolist() == np.flatnonzero(live).tolist()
    free, row = [], int(run._scalars[fields.S_FREE])
    while row >= 0:
        free.append(row)
        row = -1 - int(run._goroutines[row, fields.G_STATE])
        assert len(free) <= len(live)
    assert sorted(free) == np.flatnonzero(~live).tolist()


@pytest.mark.parametrize("wrong", [False, True])
def test_both_forms_make_the_same_of_it(monkeypatch: pytest.MonkeyPatch, wrong: bool) -> None:
    monkeypatch.setattr(ordered, "_multiplier", lambda: 0x5DEECE66D1CE4E5B)
    forms = compiled("trace_run"), interpreted("trace_run")
    random = Random(20261127)
    carried = 0
    for _ in range(100):
        data = random_trace(random, wrong=wrong)
        how = {
            "first": random.random() < 0.5,
            "clip": random.choice((None, CLIP)),
            "recording": random.random() < 0.5,
        }
        monkeypatch.setattr(ordered, "_AHEAD_THREAD", random.choice((1, 30, 1 << 18)))
        one, other = (outcome(data, form, monkeypatch, **how) for form in forms)
        assert one == other, data
        carried += not isinstance(one, str)
    assert 10 < carried < 90 if wrong else carried == 100
